//! What `check` says of a file: as one JSON object, or as text for a person.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::sentence::{count, lines, title};
use super::walk::{Noted, Seen, SeenSet, Totals};
use crate::x12::{Finding, Severity};

/// Findings of one severity that are listed of a file; the rest is counted. A file that has more
/// is wrong in one way many times over.
const LISTED: usize = 10_000;

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Against the standard or the guide.
    pub errors: u64,
    /// Tolerable.
    pub warnings: u64,
    /// Nothing is wrong.
    pub notes: u64,
}

impl Counts {
    /// The count of one severity.
    pub(super) fn of(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Info => &mut self.notes,
        }
    }

    /// Whether there is one of this severity or graver.
    pub fn reach(&self, severity: Severity) -> bool {
        self.errors > 0
            || severity <= Severity::Warning && self.warnings > 0
            || severity <= Severity::Info && self.notes > 0
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
    }
}

impl std::fmt::Display for Counts {
    /// `1 error, 2 warnings`, or `clean`; notes are said where there are any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.notes, "note"),
        ];
        let said = all.iter().filter(|(n, _)| *n > 0);
        let said: Vec<String> = said.map(|(n, what)| count(*n as usize, what)).collect();
        match self.reach(Severity::Warning) {
            true => f.write_str(&said.join(", ")),
            false if said.is_empty() => f.write_str("clean"),
            false => write!(f, "clean ({})", said[0]),
        }
    }
}

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Segments read, envelopes included.
    pub segments: u32,
    /// Interchanges read.
    pub interchanges: u32,
    /// All findings in the order of the file, the first 10,000 of each severity.
    pub findings: Vec<Noted>,
    /// All findings, by severity.
    pub counts: Counts,
    sets: usize,
    /// The first set in a few words; the others are only counted.
    first: String,
}

impl Report {
    pub(super) fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Interchange(_) => {}
            Seen::Findings(findings) => self.note(findings),
            Seen::Set(seen) => {
                self.sets += 1;
                if self.sets == 1 {
                    self.first = brief(&seen);
                }
                self.note(seen.findings);
            }
        }
    }

    fn note(&mut self, findings: Vec<Noted>) {
        for noted in findings {
            let n = self.counts.of(noted.finding.severity);
            *n += 1;
            if *n <= LISTED as u64 {
                self.findings.push(noted);
            }
        }
    }

    pub(super) fn end(&mut self, totals: Totals) {
        self.segments = totals.segments;
        self.interchanges = totals.interchanges;
        let place = |noted: &Noted| {
            (
                noted.finding.location.segment,
                noted.finding.location.offset,
            )
        };
        self.findings.sort_by_key(place);
    }

    /// How many findings are counted and not listed.
    pub fn unlisted(&self) -> u64 {
        let Counts {
            errors,
            warnings,
            notes,
        } = self.counts;
        errors + warnings + notes - self.findings.len() as u64
    }

    /// The report for people, without colour.
    pub fn plain(&self, file: &str) -> String {
        let mut out = Vec::new();
        let written = self.text(file, Paint::PLAIN, &mut out);
        written.expect("memory takes everything");
        String::from_utf8_lossy(&out).into_owned()
    }

    /// One JSON object on one line.
    pub(super) fn json(&self, file: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut line = serde_json::Serializer::new(&mut *out);
        let mut map = line.serialize_map(None)?;
        map.serialize_entry("file", file)?;
        map.serialize_entry("segments", &self.segments)?;
        map.serialize_entry("interchanges", &self.interchanges)?;
        map.serialize_entry("findings", &Findings(&self.findings))?;
        if self.unlisted() > 0 {
            map.serialize_entry("unlisted", &self.unlisted())?;
        }
        map.end()?;
        writeln!(out)
    }

    /// For a person: a header line, then each finding with its source.
    pub(super) fn text(&self, file: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let what = match (self.sets, self.interchanges) {
            (0, n) => format!("{} without a document", count(n as usize, "interchange")),
            (1, _) => self.first.clone(),
            (n, 1) => format!("{} and {}", self.first, count(n - 1, "more document")),
            (n, i) => {
                let more = count(n - 1, "more document");
                format!("{} and {more} in {i} interchanges", self.first)
            }
        };
        let colour = match (self.counts.errors, self.counts.warnings) {
            (0, 0) => Colour::Green,
            (0, _) => Colour::Yellow,
            _ => Colour::Red,
        };
        let verdict = paint.paint(colour, &self.counts.to_string());
        writeln!(out, "{}: {what}: {verdict}", paint.bold(file))?;
        for noted in &self.findings {
            finding(file, noted, paint, out)?;
        }
        match self.unlisted() {
            0 => Ok(()),
            n => writeln!(out, "  and {n} more like these, which are not listed"),
        }
    }
}

/// `850 purchase order PO-1, A → B, 2 lines`.
fn brief(seen: &SeenSet<'_>) -> String {
    let document = seen.document.as_ref();
    let number = document.and_then(|document| document.number());
    let number = number.map_or(String::new(), |number| format!(" {number}"));
    let size = match document {
        Some(document) => count(lines(document), "line"),
        None => count(seen.set.segments.len() + 2, "segment"),
    };
    let (sender, receiver) = (&seen.group.sender, &seen.group.receiver);
    format!(
        "{}{number}, {sender} → {receiver}, {size}",
        title(&seen.set.id)
    )
}

/// The findings alone: their sources are for people.
pub(super) struct Findings<'a>(pub(super) &'a [Noted]);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|noted| &noted.finding))
    }
}

/// One finding: where and what, the source with a caret, why, what to do, the acknowledgment code.
/// A note takes one line.
pub(super) fn finding(
    file: &str,
    noted: &Noted,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Noted {
        finding:
            Finding {
                fault,
                severity,
                message,
                fix,
                location,
            },
        excerpt,
    } = noted;
    let (colour, name) = match severity {
        Severity::Error => (Colour::Red, "error"),
        Severity::Warning => (Colour::Yellow, "warning"),
        Severity::Info => (Colour::Blue, "note"),
    };
    let severity_painted = paint.paint(colour, name);
    let rule = paint.dim(&format!("[{}]", fault.rule()));
    let (line, column) = (location.line, location.column);
    let message = escaped(message);
    writeln!(
        out,
        "  {file}:{line}:{column}: {severity_painted}: {message} {rule}"
    )?;
    if *severity == Severity::Info {
        return Ok(());
    }
    if let Some(excerpt) = excerpt {
        writeln!(out, "      {}", excerpt.text)?;
        let indent = " ".repeat(excerpt.from);
        let caret = paint.paint(colour, &"^".repeat(excerpt.width));
        writeln!(out, "      {indent}{caret}")?;
    }
    let mut place = format!("segment {}", location.segment);
    if let Some(name) = &location.in_loop {
        place += &format!(", loop {name}");
    }
    let rows = [
        ("at", place.as_str()),
        ("why", fault.why()),
        ("fix", fix.as_str()),
        ("ack", fault.code_997().unwrap_or_default()),
    ];
    for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        let name = paint.dim(&format!("{name:<3}"));
        writeln!(out, "      {name}  {}", escaped(text))?;
    }
    Ok(())
}

/// Text from a partner, safe for a terminal.
pub(super) fn escaped(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '·' } else { c };
    text.chars().map(plain).collect()
}

/// Colours, or none: only on a terminal, and not where `NO_COLOR` or `TERM=dumb` is set.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

/// The colours in use.
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Blue = 34,
}

impl Paint {
    /// None.
    pub(super) const PLAIN: Paint = Paint(false);

    /// For stdout.
    pub(super) fn stdout() -> Paint {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Paint(io::stdout().is_terminal() && !set("NO_COLOR") && !dumb && !super::manners().plain)
    }

    fn code(self, code: u8, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        self.code(colour as u8, text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.code(1, text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.code(2, text)
    }
}
