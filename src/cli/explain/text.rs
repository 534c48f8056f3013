//! What an acknowledgment says, for a person to read.

use std::io::{self, Write};

use super::codes::Meaning;
use super::original::Place;
use super::said::{Coded, OnElement, OnGroup, OnInterchange, OnSegment, OnSet};
use crate::cli::report::{Colour, Paint, escaped};
use crate::cli::sentence::count;
use crate::cli::words::{said, say};
use crate::lang::pad;
use crate::x12::{Text as Words, text};

/// Writes with indents.
pub(super) struct Text<'a> {
    pub(super) paint: Paint,
    pub(super) out: &'a mut dyn Write,
}

impl Text<'_> {
    pub(super) fn interchange(&mut self, on: &OnInterchange) -> io::Result<()> {
        let verdict = self.verdict(&on.verdict, on.accepted);
        let number = escaped(&on.interchange);
        let head = text!("Interchange {number}", number);
        writeln!(self.out, "{}: {verdict}", said(&head))?;
        self.coded("  ", &on.code, !on.accepted)?;
        self.notes("  ", &on.notes)
    }

    pub(super) fn group(&mut self, on: &OnGroup) -> io::Result<()> {
        let verdict = self.verdict(&on.verdict, on.accepted);
        let (id, number) = (escaped(&on.functional_id), escaped(&on.group));
        let sets = count(on.sets_received as usize, "set");
        let accepted = on.sets_accepted;
        let head = text!(
            "Group {id} {number}: {verdict}, {accepted} of {sets}",
            id,
            number,
            verdict,
            accepted,
            sets
        );
        writeln!(self.out, "{}", said(&head))?;
        for code in &on.codes {
            self.coded("  ", code, true)?;
        }
        if on.sets_included > on.sets_received {
            let lost = on.sets_included - on.sets_received;
            let lost = count(lost as usize, "set");
            let line = text!("{lost} that GE01 counts did not arrive whole", lost);
            self.notes("  ", &[line])?;
        }
        self.notes("  ", &on.notes)?;
        on.sets.iter().try_for_each(|set| self.set(set))
    }

    fn set(&mut self, on: &OnSet) -> io::Result<()> {
        let verdict = self.verdict(&on.verdict, on.accepted);
        let number = escaped(&on.control_number);
        let title = escaped(&on.title);
        let document = match &on.number {
            Some(document) => said(&text!(
                "{document}, set {number}",
                document = escaped(document),
                number
            )),
            None => number,
        };
        writeln!(self.out, "\n  {title} {document}: {verdict}")?;
        for code in &on.codes {
            // That segments are in error is plain where they are named.
            let code_text = code.meaning.code.as_str();
            let plain = matches!(code_text, "AK502=5" | "IK502=5" | "IK502=I5");
            if !plain || on.segments.is_empty() {
                self.coded("    ", code, true)?;
            }
        }
        if !on.accepted && on.codes.is_empty() && on.segments.is_empty() {
            self.row("    ", "why", say("it is rejected with its group"))?;
        }
        self.notes("    ", &on.notes)?;
        on.segments.iter().try_for_each(|s| self.segment(s))
    }

    fn segment(&mut self, on: &OnSegment) -> io::Result<()> {
        let tag = self.paint.bold(&escaped(&on.tag));
        let name = match on.name.as_str() {
            "" => String::new(),
            name => format!(" {}", say(name)),
        };
        let in_loop = match &on.in_loop {
            Some(name) => text!(", loop {name}", name = escaped(name)),
            None => Words::default(),
        };
        let place = text!(
            "segment {position} of the set{in_loop}",
            position = on.position,
            in_loop
        );
        writeln!(self.out, "\n    {tag}{name}, {}", said(&place))?;
        // That elements are in error is plain where they are named.
        let plain = |code: &&Meaning| {
            matches!(code.code.as_str(), "AK304=8" | "IK304=8") && !on.elements.is_empty()
        };
        let codes: Vec<Meaning> = on.codes.iter().filter(|c| !plain(c)).cloned().collect();
        if !codes.is_empty() {
            self.rows(&codes, on.place.as_ref(), on.fix.as_ref())?;
        }
        self.notes("        ", &on.notes)?;
        on.elements.iter().try_for_each(|e| self.element(e))
    }

    fn element(&mut self, on: &OnElement) -> io::Result<()> {
        let value = match &on.value {
            Some(value) => format!(" = {:?}", escaped(value)),
            None => String::new(),
        };
        let name = match on.name.as_str() {
            "" => String::new(),
            name => format!(" {}", say(name)),
        };
        let element = escaped(&on.element);
        writeln!(self.out, "      {element}{name}{value}")?;
        self.rows(&on.codes, on.place.as_ref(), on.fix.as_ref())?;
        self.notes("        ", &on.notes)
    }

    /// The rows of one place: where, why, what to do (`own`, or what the last code says).
    fn rows(
        &mut self,
        codes: &[Meaning],
        place: Option<&Place>,
        own: Option<&Words>,
    ) -> io::Result<()> {
        if let Some(place) = place {
            self.place("        ", place)?;
        }
        for code in codes {
            let why = format!("{} ({})", say(code.meaning), escaped(&code.code));
            self.row("        ", "why", &why)?;
        }
        match (own, codes.last()) {
            (Some(own), _) => self.row("        ", "do", &said(own)),
            (None, Some(code)) => self.row("        ", "do", say(code.fix)),
            (None, None) => Ok(()),
        }
    }

    /// Where something is, with its source.
    fn place(&mut self, indent: &str, place: &Place) -> io::Result<()> {
        self.row(indent, "at", &place.text())?;
        let excerpt = &place.excerpt;
        writeln!(self.out, "{indent}     {}", excerpt.text)?;
        let before = " ".repeat(excerpt.from);
        let caret = self.paint.paint(Colour::Red, &"^".repeat(excerpt.width));
        writeln!(self.out, "{indent}     {before}{caret}")
    }

    fn coded(&mut self, indent: &str, coded: &Coded, mend: bool) -> io::Result<()> {
        let Coded {
            meaning,
            found,
            place,
        } = coded;
        if let Some(place) = place {
            self.place(indent, place)?;
        }
        let (why, fix) = match found {
            Some(found) => (said(&found.message), said(&found.fix)),
            None => (say(meaning.meaning).to_owned(), say(meaning.fix).to_owned()),
        };
        let why = format!("{why} ({})", escaped(&meaning.code));
        self.row(indent, "why", &why)?;
        match mend {
            true => self.row(indent, "do", &fix),
            false => Ok(()),
        }
    }

    fn row(&mut self, indent: &str, name: &str, text: &str) -> io::Result<()> {
        let name = self.paint.dim(&pad(say(name), 3));
        writeln!(self.out, "{indent}{name}  {}", escaped(text))
    }

    fn notes(&mut self, indent: &str, notes: &[Words]) -> io::Result<()> {
        for note in notes {
            let but = self.paint.paint(Colour::Yellow, say("but"));
            writeln!(self.out, "{indent}{but}  {}", escaped(&said(note)))?;
        }
        Ok(())
    }

    fn verdict(&self, word: &str, accepted: bool) -> String {
        let colour = if accepted { Colour::Green } else { Colour::Red };
        let word = match word {
            "M" => say("rejected, its message authentication code failed"),
            "W" => say("rejected, its assurance failed"),
            "X" => say("rejected, it could not be decrypted"),
            "" => say("no verdict"),
            word => say(word),
        };
        self.paint.paint(colour, &escaped(word))
    }
}
