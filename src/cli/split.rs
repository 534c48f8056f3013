//! `transload split`: one file for each set, in an envelope of its own.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::files::whole;
use super::sentence::count;
use super::words::{said, unreadable, unwritable};
use super::{Exit, Failure, Outcome};
use crate::x12::{self, Interchange, WriteOptions, split, text, write_with};

/// Split an X12 file: one file for each set
///
/// Each set gets an envelope of its own, with the headers and control numbers that it came in and
/// counts of its own. Files are named by interchange, set and control number; none is overwritten.
/// The names go to stdout. Exit code: 0 split, 1 a set could not be written, 2 not readable.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload split batch.edi --to orders/\n  \
    transload split batch.edi --to orders/ | xargs -n1 transload check")]
pub(super) struct Split {
    /// The folder for the files; it is made where it is not there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// One JSON object a file
    #[arg(long)]
    json: bool,
    /// An X12 file; `-` is stdin
    file: PathBuf,
}

impl Split {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let name = self.file.to_string_lossy();
        let bytes = whole(&self.file)?;
        let reading = x12::read(&bytes[..]);
        let reading = reading.map_err(|error| unreadable(&name, &error))?;
        std::fs::create_dir_all(&self.to).map_err(|error| cannot(&self.to, &error))?;
        let mut names = HashMap::new();
        let (mut written, mut refused, mut answers) = (0, 0, 0);
        for interchange in &reading.interchanges {
            answers += interchange.ta1.len();
            for part in split(interchange) {
                match self.write(&part, &mut names, out) {
                    Ok(()) => written += 1,
                    Err(Refused::Set(why)) => {
                        refused += 1;
                        let _ = writeln!(io::stderr(), "transload: {name}: {why}");
                    }
                    Err(Refused::File(failure)) => return Err(failure),
                }
            }
        }
        out.flush()?;
        let files = count(written, "file");
        let mut summary = said(&text!("{name}: {files} written", name = &*name, files));
        if refused > 0 {
            summary += &said(&text!(
                "; {sets} could not be",
                sets = count(refused, "set")
            ));
        }
        if answers > 0 {
            let answers = count(answers, "TA1");
            summary += &said(&text!("; {answers} left out, which are of no set", answers));
        }
        let _ = writeln!(io::stderr(), "{summary}");
        Ok(match refused {
            0 => Exit::Clean,
            _ => Exit::Findings,
        })
    }

    fn write(
        &self,
        part: &Interchange,
        names: &mut HashMap<String, u32>,
        out: &mut dyn Write,
    ) -> Result<(), Refused> {
        let group = &part.groups[0];
        let set = &group.sets[0];
        let mut bytes = Vec::new();
        let options = WriteOptions {
            trailing_empties: true,
        };
        write_with(part, options, &mut bytes).map_err(|error| {
            Refused::Set(format!("set {} {}: {error}", set.id, set.control_number))
        })?;
        let interchange = &part.header.control_number;
        let stem = [interchange, &set.id, &set.control_number].map(|text| plain(text));
        let stem = stem.join("-");
        let times = names.entry(stem.clone()).or_insert(0);
        *times += 1;
        let file = match *times {
            1 => format!("{stem}.edi"),
            n => format!("{stem}-{n}.edi"),
        };
        let path = self.to.join(file);
        let made = std::fs::File::create_new(&path).and_then(|mut f| f.write_all(&bytes));
        made.map_err(|error| Refused::File(cannot(&path, &error)))?;
        let shown = path.to_string_lossy();
        let line = match self.json {
            true => json!({
                "file": shown, "set": set.id, "control_number": set.control_number,
                "interchange": interchange, "group": group.header.control_number,
            })
            .to_string(),
            false => shown.into_owned(),
        };
        writeln!(out, "{line}").map_err(|error| Refused::File(error.into()))
    }
}

/// Why a part was not written.
enum Refused {
    /// It cannot stand in X12; the others can.
    Set(String),
    /// Nothing can be written there.
    File(Failure),
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::state(said(&text!(
            "{path} is there already: give an empty folder as --to",
            path = path.display().to_string()
        ))),
        _ => unwritable(path, error),
    }
}

/// A control number as part of a file's name: letters and digits of it, few of them.
fn plain(text: &str) -> String {
    /// Longer than any control number.
    const LONG: usize = 20;
    let kept = text.chars().filter(char::is_ascii_alphanumeric).take(LONG);
    let kept: String = kept.collect();
    match kept.is_empty() {
        true => "none".to_owned(),
        false => kept,
    }
}
