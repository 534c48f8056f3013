//! What `check` says of a file: as one JSON object, or as text for a person.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::sentence::{count, title};
use super::walk::{Noted, Seen, SeenSet, Totals};
use super::window;
use super::words::{said, say};
use crate::x12::{Severity, text};

pub(super) use super::window::finding;

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
        let there = all.iter().filter(|(n, _)| *n > 0);
        let there: Vec<String> = there.map(|(n, what)| count(*n as usize, what)).collect();
        let there = there.join(say(", "));
        f.write_str(&match self.reach(Severity::Warning) {
            true => there,
            false if there.is_empty() => said(&text!("clean")),
            false => said(&text!("clean ({notes})", notes = there)),
        })
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
    /// It says only what other files tell of this one.
    beside: bool,
    /// All sets, where they were asked for.
    pub(super) cases: Vec<Case>,
    names_sets: bool,
}

/// A set as a case that passes or fails.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What it is and its control number.
    pub(super) name: String,
    /// The ordinals of ST and SE.
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Report {
    /// One that also names each set; it grows with the number of sets.
    pub(super) fn naming_sets(names_sets: bool) -> Report {
        Report {
            names_sets,
            ..Report::default()
        }
    }

    /// What other files tell of this one.
    pub(super) fn beside_others(found: Vec<Noted>) -> Report {
        let mut report = Report {
            beside: true,
            ..Report::default()
        };
        report.note(found);
        report
    }

    pub(super) fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Interchange(_) => {}
            Seen::Findings(findings) => self.note(findings),
            Seen::Set(seen) => {
                self.sets += 1;
                if self.sets == 1 {
                    self.first = brief(&seen);
                }
                if self.names_sets {
                    let first = seen.set.position.ordinal;
                    self.cases.push(Case {
                        name: format!("{} {}", title(&seen.set.id), seen.set.control_number),
                        first,
                        last: first + seen.length as u32 + 1,
                    });
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
        if self.beside {
            map.serialize_entry("beside", "the other files")?;
        }
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
            _ if self.beside => said(&text!("beside the other files")),
            (0, n) => {
                let interchanges = count(n as usize, "interchange");
                said(&text!("{interchanges} without a document", interchanges))
            }
            (1, _) => self.first.clone(),
            (n, 1) => {
                let more = count(n - 1, "more document");
                said(&text!("{first} and {more}", first = &self.first, more))
            }
            (n, interchanges) => {
                let (first, more) = (&self.first, count(n - 1, "more document"));
                said(&text!(
                    "{first} and {more} in {n} interchanges",
                    first,
                    more,
                    n = interchanges
                ))
            }
        };
        let colour = match (self.counts.errors, self.counts.warnings) {
            (0, 0) => Colour::Green,
            (0, _) => Colour::Yellow,
            _ => Colour::Red,
        };
        let verdict = paint.paint(colour, &self.counts.to_string());
        writeln!(out, "{}: {what}: {verdict}", paint.bold(file))?;
        window::findings(file, &self.findings, paint, out)?;
        match self.unlisted() {
            0 => Ok(()),
            n => {
                let more = text!("and {n} more like these, which are not listed", n);
                writeln!(out, "  {}", said(&more))
            }
        }
    }
}

/// `850 purchase order PO-1, A → B, 2 lines`.
fn brief(seen: &SeenSet<'_>) -> String {
    let gist = seen.gist.as_ref();
    let title = match gist.and_then(|gist| gist.number.as_deref()) {
        Some(number) => format!("{} {number}", title(&seen.set.id)),
        None => title(&seen.set.id),
    };
    let size = match gist {
        Some(gist) => count(gist.lines, "line"),
        None => count(seen.length + 2, "segment"),
    };
    let (sender, receiver) = (&seen.group.sender, &seen.group.receiver);
    said(&text!(
        "{title}, {sender} → {receiver}, {size}",
        title,
        sender,
        receiver,
        size
    ))
}

/// The findings alone: their sources are for people.
pub(super) struct Findings<'a>(pub(super) &'a [Noted]);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|noted| &noted.finding))
    }
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
