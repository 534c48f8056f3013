//! Findings for people: where and what, the source with a caret, why, what to do, and the code that
//! an acknowledgment gives it. Findings of one segment stand in one window:
//!
//! ```text
//!   order.edi:9:9: error: PO103: "EACH" is not a code of Unit; did you mean EA? [element.code]
//!   order.edi:9:22: error: PO106: "XX" is not a code of Id Qualifier [element.code]
//!       PO1*2*5*EACH*21.00**XX*036000291452
//!               ^^^^        ^^
//!               PO103       PO106
//!       at   segment 9 (7 of its set), byte 314, loop PO1
//! ```

use std::io::{self, Write};

use super::report::{Colour, Paint, escaped};
use super::walk::Noted;
use super::words::{said, say};
use crate::lang::{pad, width};
use crate::x12::{Location, Severity, Text, text};

/// Findings in the order of the file.
pub(super) fn findings<'a>(
    file: &str,
    all: impl IntoIterator<Item = &'a Noted>,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let grave = |noted: &&&Noted| noted.finding.severity > Severity::Info;
    let all: Vec<&Noted> = all.into_iter().collect();
    for group in all.chunk_by(|a, b| is_one_window(a, b)) {
        match group.iter().filter(grave).count() {
            0 | 1 => group
                .iter()
                .try_for_each(|noted| window(file, &[noted], paint, out))?,
            _ => window(file, group, paint, out)?,
        }
    }
    Ok(())
}

/// One finding.
pub(super) fn finding(
    file: &str,
    noted: &Noted,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    window(file, &[noted], paint, out)
}

/// Whether two findings are about elements of one segment, and the same part of it is shown for
/// both. What is missing is told alone: it is not in the source.
fn is_one_window(a: &Noted, b: &Noted) -> bool {
    let of_element = |noted: &Noted| noted.finding.location.element.is_some();
    let same_text = match (&a.excerpt, &b.excerpt) {
        (Some(a), Some(b)) => a.text == b.text,
        _ => false,
    };
    let same_segment = a.finding.location.segment == b.finding.location.segment;
    of_element(a) && of_element(b) && same_segment && same_text
}

/// Findings of one segment. A note takes one line, and nothing is said of it below.
fn window(file: &str, group: &[&Noted], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for Noted { finding, .. } in group {
        let (colour, name) = told(finding.severity);
        let (line, column) = (finding.location.line, finding.location.column);
        let severity = paint.paint(colour, name);
        let rule = paint.dim(&format!("[{}]", finding.fault.rule()));
        let message = escaped(&said(&finding.message));
        writeln!(
            out,
            "  {file}:{line}:{column}: {severity}: {message} {rule}"
        )?;
    }
    let grave = |noted: &&&Noted| noted.finding.severity > Severity::Info;
    let group: Vec<&Noted> = group.iter().filter(grave).copied().collect();
    let Some(Noted {
        finding: first,
        excerpt,
    }) = group.first()
    else {
        return Ok(());
    };
    if let Some(excerpt) = excerpt {
        writeln!(out, "      {}", excerpt.text)?;
        marks(&group, paint, out)?;
    }
    let place = said(&place(&first.location));
    let names = ["at", "why", "fix", "ack"].map(say);
    let columns = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut row = |name: usize, text: &str| {
        let name = paint.dim(&pad(names[name], columns));
        writeln!(out, "      {name}  {}", escaped(text))
    };
    row(0, &place)?;
    for Noted { finding, .. } in &group {
        let code = finding.code_997().unwrap_or_default();
        let rows = [say(finding.fault.why()), &said(&finding.fix), code];
        for (name, text) in (1..).zip(rows).filter(|(_, text)| !text.is_empty()) {
            let (place, message) = (finding.location.designator(), text);
            match group.len() {
                1 => row(name, text)?,
                _ => row(name, &said(&text!("{place}: {message}", place, message)))?,
            }
        }
    }
    Ok(())
}

/// A caret under each place; under several, the name of each.
fn marks(group: &[&Noted], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut places: Vec<(usize, usize, Colour, String)> = Vec::new();
    for Noted { finding, excerpt } in group {
        let Some(excerpt) = excerpt else { continue };
        let name = finding.location.designator();
        // What is missing at the end of a segment stands at one place.
        match places.iter_mut().find(|(from, ..)| *from == excerpt.from) {
            Some((.., names)) if names.split(' ').all(|known| known != name) => {
                *names += &format!(" {name}");
            }
            Some(_) => {}
            None => {
                let (colour, _) = told(finding.severity);
                places.push((excerpt.from, excerpt.width, colour, name));
            }
        }
    }
    places.sort_by_key(|(from, ..)| *from);
    let (mut carets, mut labels, mut at, mut labelled) = (String::new(), String::new(), 0, 0);
    for (from, wide, colour, name) in &places {
        if *from < at {
            continue;
        }
        carets += &" ".repeat(from - at);
        carets += &paint.paint(*colour, &"^".repeat(*wide));
        at = from + wide;
        // A label that would touch the one before it is left out: its row below has the name.
        if labelled == 0 || *from > labelled {
            labels += &" ".repeat(from - labelled);
            labels += name;
            labelled = from + width(name);
        }
    }
    writeln!(out, "      {carets}")?;
    match group.len() {
        1 => Ok(()),
        _ => writeln!(out, "      {}", paint.dim(&labels)),
    }
}

fn told(severity: Severity) -> (Colour, &'static str) {
    match severity {
        Severity::Error => (Colour::Red, say("error")),
        Severity::Warning => (Colour::Yellow, say("warning")),
        Severity::Info => (Colour::Blue, say("note")),
    }
}

/// Where a segment stands, in the file and in its set.
fn place(location: &Location) -> Text {
    let in_set = match location.in_set {
        Some(n) => text!(" ({n} of its set)", n),
        None => Text::default(),
    };
    let in_loop = match &location.in_loop {
        Some(name) => text!(", loop {name}", name),
        None => Text::default(),
    };
    let (n, byte) = (location.segment, location.offset);
    text!(
        "segment {n}{in_set}, byte {byte}{in_loop}",
        n,
        in_set,
        byte,
        in_loop
    )
}
