//! `transload show`: an X12 file with the meaning of each element.

use std::io::{self, Write};
use std::path::PathBuf;

use super::files::{GuideOptions, open};
use super::report::{Counts, Findings, Paint, escaped};
use super::rows::{Cell, Row, rows};
use super::sentence::sentence;
use super::walk::{Guides, Make, Noted, Seen, SeenSet, Trouble, walk};
use super::window;
use super::words::{of, refusal, said, say};
use super::{Exit, Outcome};
use crate::lang::{pad, width};
use crate::x12::{self, InterchangeHeader, Severity, text};

/// Show an X12 file with the meaning of each element
///
/// Each document begins with one sentence; then each segment with its loop, each element with its
/// name, its value and what the value means, and findings where they belong. Exit code: 0 shown,
/// 1 shown and something in it is wrong, 2 not readable.
#[derive(clap::Args)]
pub(super) struct Show {
    /// One JSON object a document, on one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// An X12 file; `-` is stdin
    file: PathBuf,
}

impl Show {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let name = self.file.to_string_lossy().into_owned();
        let source = open(&self.file).map_err(|e| Trouble::Unreadable(x12::Error::Io(e)));
        let mut shower = Shower {
            file: &name,
            json: self.json,
            paint: if self.json {
                Paint::PLAIN
            } else {
                Paint::stdout()
            },
            guides: &guides,
            counts: Counts::default(),
        };
        let walked = source.and_then(|source| {
            walk(source, &guides, Make::Documents, 1, &mut |s| {
                shower.see(s, out)
            })
        });
        let counts = shower.counts;
        match walked {
            Ok(_) if counts.reach(Severity::Warning) => Ok(Exit::Findings),
            Ok(_) => Ok(Exit::Clean),
            Err(trouble @ Trouble::Unreadable(_)) => {
                Err(super::Failure::usage(of(&name, refusal(&trouble))))
            }
            Err(trouble) => Err(trouble.into()),
        }
    }
}

struct Shower<'a> {
    file: &'a str,
    json: bool,
    paint: Paint,
    guides: &'a Guides,
    counts: Counts,
}

impl Shower<'_> {
    fn see(&mut self, seen: Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        match seen {
            Seen::Interchange(_) if self.json => Ok(()),
            Seen::Interchange(header) => writeln!(out, "{}\n", interchange(header)),
            Seen::Findings(findings) => {
                self.count(&findings);
                if self.json {
                    let line = serde_json::json!({ "findings": Findings(&findings) });
                    return writeln!(out, "{line}");
                }
                window::findings(self.file, &findings, self.paint, out)
            }
            Seen::Set(seen) => self.set(&seen, out),
        }
    }

    fn count(&mut self, findings: &[Noted]) {
        for noted in findings {
            *self.counts.of(noted.finding.severity) += 1;
        }
    }

    fn set(&mut self, seen: &SeenSet<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.count(&seen.findings);
        let rows = rows(seen, self.guides);
        let document = seen.document.as_ref();
        let sentence = sentence(document, seen.group, seen.set);
        if self.json {
            let line = serde_json::json!({
                "set": seen.set.id,
                "control_number": seen.set.control_number,
                "sentence": sentence,
                "segments": rows,
                "findings": Findings(&seen.findings),
            });
            return writeln!(out, "{line}");
        }
        writeln!(out, "{}\n", self.paint.bold(&escaped(&sentence)))?;
        self.table(&rows, &seen.findings, out)?;
        writeln!(out)
    }

    fn table(&self, rows: &[Row], findings: &[Noted], out: &mut dyn Write) -> io::Result<()> {
        /// A column is not made wider by a few long texts.
        const WIDEST: usize = 40;
        let cells = || rows.iter().flat_map(|row| &row.elements);
        let widest = |text: fn(&Cell) -> &str| {
            let widths = cells().map(|cell| width(text(cell)));
            widths.filter(|&w| w <= WIDEST).max().unwrap_or(0)
        };
        let (element, name) = (widest(|c| &c.element), widest(|c| say(&c.name)));
        let value = widest(|c| &c.value);
        let of = |ordinal: u32| {
            let at = move |noted: &&Noted| noted.finding.location.segment == ordinal;
            findings.iter().filter(at)
        };
        let first = rows.first().map_or(u32::MAX, |row| row.segment);
        let last = rows.last().map_or(0, |row| row.segment);
        let before = findings
            .iter()
            .filter(|n| n.finding.location.segment < first);
        let after = findings
            .iter()
            .filter(|n| n.finding.location.segment > last);
        window::findings(self.file, before, self.paint, out)?;
        for row in rows {
            let in_loop = match (&row.in_loop, row.opens) {
                (Some(name), true) => format!("  {}", said(&text!("loop {name}", name))),
                _ => String::new(),
            };
            let indent = "  ".repeat(row.depth + 1);
            let tag = self.paint.bold(&row.tag);
            let dim = self.paint.dim(&in_loop);
            writeln!(out, "{indent}{tag}  {}{dim}", say(&row.name))?;
            for cell in &row.elements {
                let meaning = match &cell.meaning {
                    Some(meaning) => format!("  {}", escaped(&say(meaning).replace('_', " "))),
                    None => String::new(),
                };
                let line = format!(
                    "{indent}  {}  {}  {}{meaning}",
                    pad(&cell.element, element),
                    pad(say(&cell.name), name),
                    pad(&escaped(&cell.value), value)
                );
                writeln!(out, "{}", line.trim_end())?;
            }
            window::findings(self.file, of(row.segment), self.paint, out)?;
        }
        window::findings(self.file, after, self.paint, out)
    }
}

/// The interchange in one line.
fn interchange(header: &InterchangeHeader) -> String {
    let usage = match header.usage.as_str() {
        "P" => text!("production"),
        "T" => text!("test"),
        _ => text!("for information"),
    };
    let InterchangeHeader {
        sender,
        receiver,
        date,
        time,
        version,
        control_number,
        ..
    } = header;
    // ISA has no century: a window of a hundred years, as everywhere in the trade.
    let century = if date.as_str() < "70" { "20" } else { "19" };
    let two = |text: &str, separator: &str| -> String {
        let parts: Vec<String> = text
            .chars()
            .collect::<Vec<_>>()
            .chunks(2)
            .map(String::from_iter)
            .collect();
        parts.join(separator)
    };
    escaped(&said(&text!(
        "Interchange {number}, {usage}, release {version}: {sender} to {receiver}, written {date} {time}.",
        number = control_number,
        usage,
        version,
        sender = format!("{}:{}", sender.qualifier, sender.id),
        receiver = format!("{}:{}", receiver.qualifier, receiver.id),
        date = format!("{century}{}", two(date, "-")),
        time = two(time, ":")
    )))
}
