//! `transload` alone: what lies in this folder, file by file, and what to do next.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::report::{Colour, Counts, Paint, escaped};
use super::sentence::{count, title};
use super::walk::{Guides, Make, Noted, Seen, walk};
use super::words::{said, say};
use super::{Exit, Outcome};
use crate::lang::{pad, width as columns_of};
use crate::mapping::Library;
use crate::x12::{self, InterchangeHeader, Severity, WINDOW, text};

/// Files that are looked into: a longer list is not read by anybody, and `check` takes folders.
const LISTED: usize = 200;

/// One file.
#[derive(Default)]
struct Row {
    file: String,
    what: String,
    parties: String,
    number: String,
    counts: Counts,
    /// An acknowledgment: `explain` says more of it than `check`.
    answers: bool,
}

/// Lists the EDI files of a folder.
pub(super) fn list(folder: &Path, out: &mut dyn Write) -> Outcome {
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    let mut files = interchanges(folder);
    let more = files.len().saturating_sub(LISTED);
    files.truncate(LISTED);
    let rows: Vec<Row> = files
        .iter()
        .filter_map(|file| Row::of(file, &guides))
        .collect();
    if rows.is_empty() {
        writeln!(
            out,
            "{}\n",
            say("No EDI file lies in this folder. To begin with:")
        )?;
        let examples = [
            (
                "check order.edi",
                say("find everything that is wrong with a file"),
            ),
            (
                "show order.edi",
                say("show it with the meaning of each element"),
            ),
            (
                "explain answer.997",
                say("what an acknowledgment says, and what to do"),
            ),
            ("translate order.edi", say("make it JSON")),
            ("demo", say("see two partners exchange an order")),
            ("--help", say("all commands")),
        ];
        for (command, what) in examples {
            writeln!(out, "  transload {command:<20}  {what}")?;
        }
        return Ok(Exit::Clean);
    }
    table(&rows, Paint::stdout(), out)?;
    if more > 0 {
        writeln!(
            out,
            "{}",
            said(&text!("and {files} more", files = count(more, "file")))
        )?;
    }
    writeln!(
        out,
        "\n{}",
        said(&text!("Next: {command}", command = next(&rows)))
    )?;
    Ok(Exit::Clean)
}

/// The files of a folder that look like X12, in order of their names.
fn interchanges(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let hidden = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with('.')
    };
    let files = entries.map(|entry| entry.path());
    let files = files.filter(|path| path.is_file() && !hidden(path) && is_x12(path));
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
}

/// Whether an ISA stands near the file's start, in one or two bytes a character.
fn is_x12(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(WINDOW as u64).read_to_end(&mut start));
    let has = |word: &[u8]| start.windows(word.len()).any(|here| here == word);
    read.is_ok() && (has(b"ISA") || has(b"isa*") || has(b"I\0S\0A"))
}

impl Row {
    /// What a file holds; none where it is no X12 after all.
    fn of(path: &Path, guides: &Guides) -> Option<Row> {
        let mut row = Row {
            file: path.file_name()?.to_string_lossy().into_owned(),
            ..Row::default()
        };
        let mut sets = 0_u32;
        let mut parties = None;
        let note = |row: &mut Row, findings: &[Noted]| {
            for noted in findings {
                *row.counts.of(noted.finding.severity) += 1;
            }
        };
        let walked = walk(
            File::open(path).ok()?,
            guides,
            Make::First,
            1,
            &mut |seen| {
                match seen {
                    Seen::Interchange(header) => {
                        parties.get_or_insert_with(|| between(header));
                    }
                    Seen::Findings(findings) => note(&mut row, &findings),
                    Seen::Set(seen) => {
                        sets += 1;
                        note(&mut row, &seen.findings);
                        if sets == 1 {
                            let (sender, receiver) = (&seen.group.sender, &seen.group.receiver);
                            parties = Some(format!("{sender} → {receiver}"));
                            row.what = title(&seen.set.id);
                            row.answers = matches!(seen.set.id.as_str(), "997" | "999");
                            let number = seen.gist.and_then(|gist| gist.number);
                            row.number = number.unwrap_or_default();
                        }
                    }
                }
                Ok(())
            },
        );
        walked.ok()?;
        row.parties = parties.unwrap_or_default();
        match sets {
            0 if brings_ta1(path) => {
                row.what = say("TA1 acknowledgment").to_owned();
                row.answers = true;
            }
            0 => row.what = say("no document").to_owned(),
            1 => {}
            _ => row.what += &said(&text!(" and {n} more", n = sets - 1)),
        }
        Some(row)
    }
}

/// Whether a file without sets answers an envelope.
fn brings_ta1(path: &Path) -> bool {
    let reading = File::open(path).ok().and_then(|file| x12::read(file).ok());
    reading.is_some_and(|reading| reading.interchanges.iter().any(|one| !one.ta1.is_empty()))
}

fn between(header: &InterchangeHeader) -> String {
    format!("{} → {}", header.sender.id, header.receiver.id)
}

fn table(rows: &[Row], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    /// A column is not made wider by a few long names.
    const WIDEST: usize = 60;
    let columns: [fn(&Row) -> &str; 4] = [|r| &r.file, |r| &r.what, |r| &r.parties, |r| &r.number];
    let width = |column: &fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| columns_of(column(row)));
        widths.filter(|&w| w <= WIDEST).max().unwrap_or(0)
    };
    let widths = columns.each_ref().map(width);
    for row in rows {
        for (column, width) in columns.iter().zip(widths) {
            write!(out, "{}  ", pad(&escaped(column(row)), width))?;
        }
        let colour = match (row.counts.errors, row.counts.warnings) {
            (0, 0) => Colour::Green,
            (0, _) => Colour::Yellow,
            _ => Colour::Red,
        };
        writeln!(out, "{}", paint.paint(colour, &row.counts.to_string()))?;
    }
    Ok(())
}

/// The command that leads on from here.
fn next(rows: &[Row]) -> String {
    let wrong = |row: &&Row| row.counts.reach(Severity::Warning);
    let file = |row: &Row| match row.file.contains(' ') {
        true => format!("'{}'", escaped(&row.file)),
        false => escaped(&row.file),
    };
    if let Some(row) = rows.iter().find(wrong) {
        return format!("transload check {}", file(row));
    }
    if let Some(row) = rows.iter().find(|row| row.answers) {
        return format!("transload explain {}", file(row));
    }
    format!("transload show {}", file(&rows[0]))
}
