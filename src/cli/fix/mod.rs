//! `transload fix`: a repaired copy of a file, and a list of each change.
//!
//! Repaired is what has one answer only: envelopes, counts and control numbers, what stands around
//! and between segments, values that the guide derives, codes and dates that were spelled out. All
//! else is kept byte for byte, and told as what is left.

mod piece;
mod structure;
mod values;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use self::structure::{Repaired, repair};
use super::files::{GuideOptions, STDIN, whole};
use super::report::{Findings, Paint, escaped, finding};
use super::sentence::count;
use super::walk::{Guides, Make, Noted, Seen, Trouble, walk};
use super::words::{said, say, unreadable, unwritable};
use super::{Exit, Failure, Outcome};
use crate::x12::{Location, Severity, Text, text};

/// Repair an X12 file as far as there is only one answer
///
/// The repaired copy goes to stdout or to --output; each change is told on stderr, and so is what is
/// left. Repaired are counts, control numbers and missing trailers, widths of ISA, byte order marks,
/// UTF-16, wrapped lines, stray bytes, separators at a segment's end, lower-case tags, values that
/// follow from others (CTT), and codes and dates that were spelled out (EACH, 2026-01-31). All else
/// stays byte for byte. Exit code: 0 the result is clean, 1 something is left, 2 not readable.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload fix order.edi > repaired.edi\n  \
    transload fix order.edi -o repaired.edi\n  \
    transload fix --json order.edi -o repaired.edi 2>changes.json")]
pub(super) struct Fix {
    /// Write the repaired copy here (`-` is stdout); never over the file itself
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tell the changes as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// An X12 file; `-` is stdin
    file: PathBuf,
}

/// One thing that was changed.
#[derive(Clone, Debug, Serialize)]
struct Change {
    rule: &'static str,
    /// In the file as it was.
    location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    what: Text,
}

impl Fix {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let name = self.file.to_string_lossy().into_owned();
        if let Some(output) = &self.output
            && is_same_file(output, &self.file)
        {
            let message = text!(
                "{name} is the file itself: name another one as --output",
                name
            );
            return Err(Failure::usage(said(&message)));
        }
        let file = whole(&self.file)?;
        let trouble = |trouble| match trouble {
            Trouble::Unreadable(error) => unreadable(&name, &error),
            trouble => trouble.into(),
        };
        let (repaired, left) = repaired(&file, &guides).map_err(trouble)?;
        match self
            .output
            .as_ref()
            .filter(|path| path.as_os_str() != STDIN)
        {
            Some(path) => save(path, &repaired.bytes)?,
            None => out.write_all(&repaired.bytes)?,
        }
        out.flush()?;
        let mut err = io::stderr().lock();
        // Nobody is told where stderr is closed; the copy is written all the same.
        let _ = match self.json {
            true => {
                let line = json!({
                    "file": name, "changes": repaired.changes, "left": Findings(&left),
                });
                writeln!(err, "{line}")
            }
            false => tell(&name, &repaired.changes, &left, &mut err),
        };
        Ok(match left.is_empty() {
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }
}

/// A repaired copy, and what is left of findings in it.
fn repaired(file: &[u8], guides: &Guides) -> Result<(Repaired, Vec<Noted>), Trouble> {
    let edits = values::edits(file, guides)?;
    let mut repaired = repair(file, edits)?;
    // What was repaired may lay open what could not be read before: a code of a set whose header was
    // damaged, a count over lines that are now read.
    const ROUNDS: usize = 3;
    for _ in 0..ROUNDS {
        let edits = values::edits(&repaired.bytes, guides)?;
        let again = repair(&repaired.bytes, edits)?;
        if again.changes.is_empty() {
            break;
        }
        repaired.bytes = again.bytes;
        repaired.changes.extend(again.changes);
    }
    let mut left = Vec::new();
    walk(&repaired.bytes[..], guides, Make::First, 1, &mut |seen| {
        let findings = match seen {
            Seen::Interchange(_) => return Ok(()),
            Seen::Set(seen) => seen.findings,
            Seen::Findings(findings) => findings,
        };
        let grave = |noted: &Noted| noted.finding.severity >= Severity::Warning;
        left.extend(findings.into_iter().filter(grave));
        Ok(())
    })?;
    Ok((repaired, left))
}

/// Whether two paths lead to one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    other.as_os_str() != STDIN && real(one).is_some_and(|one| real(other) == Some(one))
}

/// Writes beside the place and moves it there: a file that is linked to is replaced, not written
/// into. What is no file, such as a pipe, is written to as it is.
fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let cannot = |error| unwritable(path, &error);
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return std::fs::write(path, bytes).map_err(cannot);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let written = std::fs::File::create_new(&beside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(cannot)
}

/// Whether a number was made smaller by a rule.
fn is_lower(changes: &[Change], rule: &str) -> bool {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u64>().ok());
    let mut of_rule = changes.iter().filter(|change| change.rule == rule);
    of_rule.any(|change| number(&change.old) > number(&change.new))
}

fn tell(file: &str, changes: &[Change], left: &[Noted], err: &mut dyn Write) -> io::Result<()> {
    /// Changes and findings that are listed one by one.
    const LISTED: usize = 1_000;
    for change in changes.iter().take(LISTED) {
        let Location { line, column, .. } = change.location;
        let place = change.location.designator();
        let what = match (&change.old, &change.new) {
            (Some(old), Some(new)) if old.is_empty() => text!("{place}: wrote {new}", place, new),
            (Some(old), Some(new)) if new.trim_end() == old => text!(
                "{place}: {old}, filled with blanks to {n} characters",
                place,
                old,
                n = new.len()
            ),
            (Some(old), Some(new)) => text!("{place}: {old} → {new}", place, old, new),
            _ => change.what.clone(),
        };
        writeln!(
            err,
            "{file}:{line}:{column}: {} [{}]",
            escaped(&said(&what)),
            change.rule
        )?;
    }
    if is_lower(changes, "se.count") && is_lower(changes, "value.differs") {
        let caution = say(
            "SE01 and a total counted more than there is: ask the sender whether a line was lost on the way",
        );
        writeln!(err, "{caution}")?;
    }
    let paint = Paint::PLAIN;
    if !left.is_empty() {
        let left = say("left, because there is more than one answer:");
        writeln!(err, "{left}")?;
    }
    for noted in left.iter().take(LISTED) {
        finding(say("result"), noted, paint, err)?;
    }
    let changed = match changes.len() {
        0 => say("nothing changed").to_owned(),
        n => count(n, "change"),
    };
    let rest = match left.len() {
        0 => say("the result is clean").to_owned(),
        n => said(&text!("{findings} left", findings = count(n, "finding"))),
    };
    let summary = text!("{file}: {changed}; {rest}", file, changed, rest);
    writeln!(err, "{}", said(&summary))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mapping::Library;
    use crate::x12;

    /// What a file suffers: bytes that are taken out, put in or changed.
    fn damage() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
        let byte = prop_oneof![
            Just(b'~'),
            Just(b'*'),
            Just(b'>'),
            Just(b'\n'),
            Just(b' '),
            Just(0),
            any::<u8>()
        ];
        proptest::collection::vec((any::<usize>(), 0..3_u8, byte), 0..6)
    }

    fn damaged(mut file: Vec<u8>, damage: &[(usize, u8, u8)]) -> Vec<u8> {
        for (at, how, byte) in damage {
            let at = at % file.len();
            match how {
                0 => file[at] = *byte,
                1 => file.insert(at, *byte),
                _ => drop(file.remove(at)),
            }
        }
        file
    }

    proptest! {
        /// What was repaired needs no repair, and the counts in it are right.
        #[test]
        fn fixing_twice_is_fixing_once(damage in damage(), flat in any::<bool>()) {
            const SAMPLE: &str = "/samples/x12/004010/850/pass/two-orders.edi";
            let path = [env!("CARGO_MANIFEST_DIR"), SAMPLE].concat();
            let mut file = std::fs::read(path).unwrap();
            if flat {
                file.retain(|b| *b != b'\n');
            }
            let file = damaged(file, &damage);
            let guides = Guides { library: Library::embedded(), partner: None };
            let Ok((once, left)) = repaired(&file, &guides) else {
                prop_assert!(x12::read(&file[..]).is_err());
                return Ok(());
            };
            let (twice, still) = repaired(&once.bytes, &guides).unwrap();
            prop_assert!(
                twice.bytes == once.bytes,
                "{}\n{}\n{}",
                String::from_utf8_lossy(&file),
                String::from_utf8_lossy(&once.bytes),
                String::from_utf8_lossy(&twice.bytes)
            );
            prop_assert_eq!(left.len(), still.len());
        }
    }
}
