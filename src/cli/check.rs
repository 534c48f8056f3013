//! `transload check`: everything that is wrong with X12 files, in one pass.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::across::{FILE, Facts, KEYS, Known};
use super::crew::Crew;
use super::files::{GuideOptions, Jobs, expand, open};
use super::progress::Progress;
use super::report::{Counts, Paint, Report};
use super::sentence::count;
use super::walk::{Guides, Make, Trouble, walk_keeping};
use super::words::{of, refusal, said, say};
use super::{Exit, Failure, Outcome, junit, sarif};
use crate::x12::{self, Severity, text};

/// Find everything that is wrong with X12 files, in one pass
///
/// Envelopes, counts and control numbers are checked in every file; content where a guide
/// describes the set (`transload mappings check` lists the guides). Exit code: 0 clean, 1 when a
/// finding reaches --fail-on, 2 when a file could not be read or is not X12.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload check order.edi\n  \
    transload check --json inbox/ | jq '.findings[].message'\n  \
    transload check - < order.edi\n  \
    transload check --format junit --fail-on error inbox/ > report.xml")]
pub(super) struct Check {
    /// How to tell what was found
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Short for --format json: one object a file, on one line
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    #[command(flatten)]
    jobs: Jobs,
    /// Exit with 1 where a finding is this grave or graver
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    fail_on: FailOn,
    /// X12 files; folders are walked, `-` is stdin
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One object a file, on one line
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// JUnit's XML, for build servers: a case a set
    Junit,
}

/// What all files came to.
struct Tally {
    exit: Exit,
    counts: Counts,
    /// Files that could not be read, and why.
    unread: Vec<(String, String)>,
    /// Files that were read, and not compared with the others.
    left_out: usize,
    /// Nothing was told yet.
    first: bool,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            exit: Exit::Clean,
            counts: Counts::default(),
            unread: Vec::new(),
            left_out: 0,
            first: true,
        }
    }
}

impl Tally {
    /// All that was checked, in one line.
    fn summary(&self, files: usize) -> String {
        if files == 0 {
            return say("no file was found: nothing was checked").to_owned();
        }
        let unread = count(self.unread.len(), "file");
        if self.unread.len() == files {
            return said(&text!("{unread} could not be read", unread));
        }
        let files = count(files - self.unread.len(), "file");
        let counts = self.counts.to_string();
        let summary = said(&match self.unread.len() {
            0 => text!("{files} checked: {counts}", files, counts),
            _ => text!(
                "{files} checked: {counts}; {unread} could not be read",
                files,
                counts,
                unread
            ),
        });
        match self.left_out {
            0 => summary,
            n => {
                let left_out = text!(
                    "{files} not compared with the others: of one file {of_one} keys are kept, of all {of_all}",
                    files = count(n, "file"),
                    of_one = FILE,
                    of_all = KEYS
                );
                format!("{summary}\n{}", said(&left_out))
            }
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Severity {
        match fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Info => Severity::Info,
        }
    }
}

/// Checks one file. Memory grows with its largest set and its findings, not with the file.
///
/// # Errors
/// [`Trouble::Unreadable`] where it is not X12 or the source fails; [`Trouble::Guide`] where a
/// guide that it needs is broken.
pub fn check(source: impl Read, guides: &Guides) -> Result<Report, Trouble> {
    check_with(
        source,
        guides,
        1,
        Report::default(),
        &mut Facts::new(0, false),
    )
}

/// As [`check`], on as many threads as `jobs`, into a report that is empty.
fn check_with(
    source: impl Read,
    guides: &Guides,
    jobs: usize,
    mut report: Report,
    facts: &mut Facts,
) -> Result<Report, Trouble> {
    let totals = walk_keeping(
        source,
        guides,
        Make::First,
        jobs,
        Some(facts),
        &mut |seen| {
            report.see(seen);
            Ok(())
        },
    )?;
    report.end(totals);
    Ok(report)
}

/// A file that one thread has read before a second one has started.
fn is_small(path: &Path) -> bool {
    const SMALL: u64 = 256 * 1024;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() < SMALL)
}

impl Check {
    pub(super) fn run(mut self, out: &mut dyn Write) -> Outcome {
        if self.json {
            self.format = Format::Json;
        }
        let guides = self.guides.load()?;
        let files = expand(&self.files);
        let progress = Progress::over(&files);
        // Many files are checked side by side, one file set by set.
        let (side, within) = match files.len() {
            1 if is_small(&files[0]) => (1, 1),
            1 => (1, self.jobs.count()),
            _ => (self.jobs.count(), 1),
        };
        let check = |number: usize| {
            let mut facts = Facts::new(number, files.len() > 1);
            let source = open(&files[number]).map_err(|e| Trouble::Unreadable(x12::Error::Io(e)));
            let source = source.map(|source| progress.watch(source));
            let checked = source.and_then(|source| {
                let report = Report::naming_sets(self.format == Format::Junit);
                check_with(source, &guides, within, report, &mut facts)
            });
            (number, checked, facts)
        };
        let mut tally = Tally::default();
        self.begin(out)?;
        let names = files.iter().map(|path| path.to_string_lossy().into_owned());
        let mut known = Known::new(names.collect(), KEYS);
        let mut tell = |(number, checked, facts): (usize, Result<Report, Trouble>, Facts)| {
            if checked.is_ok() {
                known.add(facts);
            }
            let path = &files[number];
            let told = progress.aside(|| self.tell(path, checked, &mut tally, out));
            told.inspect_err(|_| progress.end())
        };
        if side == 1 {
            (0..files.len()).map(check).try_for_each(&mut tell)?;
        } else {
            std::thread::scope(|scope| {
                let mut crew = Crew::new(scope, side, &check);
                for number in 0..files.len() {
                    crew.start(number);
                    let room = crew.room();
                    while let Some(done) = crew.next(room) {
                        tell(done)?;
                    }
                }
                while let Some(done) = crew.next(0) {
                    tell(done)?;
                }
                Ok::<(), Failure>(())
            })?;
        }
        progress.end();
        tally.left_out = known.left_out;
        self.across(known, &mut tally, out)?;
        self.end(&tally, out)?;
        // The process ends: giving back each allocation of the guides would take a tenth of the
        // time that a small file takes.
        std::mem::forget(guides);
        let summary = tally.summary(files.len());
        let _ = writeln!(std::io::stderr(), "{summary}");
        Ok(tally.exit)
    }

    fn begin(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match self.format {
            Format::Text | Format::Json => Ok(()),
            Format::Sarif => sarif::begin(out),
            Format::Junit => junit::begin(out),
        }
    }

    fn end(&self, tally: &Tally, out: &mut dyn Write) -> std::io::Result<()> {
        match self.format {
            Format::Text | Format::Json => {}
            Format::Sarif => sarif::end(&tally.unread, out)?,
            Format::Junit => junit::end(out)?,
        }
        out.flush()
    }

    /// Tells what the files say of each other: a report more of each file that it is about.
    fn across(&self, known: Known, tally: &mut Tally, out: &mut dyn Write) -> Result<(), Failure> {
        // What came from a pipe is gone.
        let again = |name: &str| {
            let path = Path::new(name);
            path.is_file().then(|| open(path).ok()).flatten()
        };
        for (file, found) in known.compare(&again) {
            let report = Report::beside_others(found);
            self.tell(Path::new(&file), Ok(report), tally, out)?;
        }
        Ok(())
    }

    /// Tells what was found in one file.
    fn tell(
        &self,
        path: &Path,
        checked: Result<Report, Trouble>,
        tally: &mut Tally,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let name = path.to_string_lossy();
        match checked {
            Ok(report) => {
                let fail_on = self.fail_on.into();
                match self.format {
                    Format::Text => report.text(&name, Paint::stdout(), out)?,
                    Format::Json => report.json(&name, out)?,
                    Format::Sarif => sarif::results(&name, &report, &mut tally.first, out)?,
                    Format::Junit => junit::suite(&name, &report, fail_on, out)?,
                }
                if report.counts.reach(fail_on) {
                    tally.exit = tally.exit.max(Exit::Findings);
                }
                tally.counts.add(report.counts);
            }
            Err(Trouble::Guide(errors)) => return Err(Trouble::Guide(errors).into()),
            Err(trouble) => {
                tally.exit = Exit::Usage;
                self.refuse(&name, &trouble, out)?;
                tally.unread.push((name.into_owned(), refusal(&trouble)));
            }
        }
        Ok(())
    }

    /// Tells that a file could not be read, and what to do.
    fn refuse(&self, name: &str, trouble: &Trouble, out: &mut dyn Write) -> Result<(), Failure> {
        match self.format {
            Format::Text | Format::Sarif => {
                out.flush()?;
                let _ = writeln!(
                    std::io::stderr(),
                    "transload: {}",
                    of(name, refusal(trouble))
                );
            }
            Format::Junit => junit::refused(name, &refusal(trouble), out)?,
            Format::Json => {
                let text = trouble.to_string();
                let (message, fix) = text
                    .split_once("; ")
                    .unwrap_or((&text, "check the path, and that the file may be read"));
                let line = json!({ "file": name, "error": { "message": message, "fix": fix } });
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}
