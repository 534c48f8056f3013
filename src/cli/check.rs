//! `transload check`: everything that is wrong with X12 files, in one pass.

use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::json;

use super::files::{GuideOptions, expand, open};
use super::report::{Counts, Paint, Report};
use super::sentence::count;
use super::walk::{Documents, Guides, Trouble, walk};
use super::{Exit, Failure, Outcome};
use crate::x12::{self, Severity};

/// Find everything that is wrong with X12 files, in one pass
///
/// Envelopes, counts and control numbers are checked in every file; content where a guide
/// describes the set (`transload mappings check` lists the guides). Exit code: 0 clean, 1 when a
/// finding reaches --fail-on, 2 when a file could not be read or is not X12.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload check order.edi\n  \
    transload check --json inbox/ | jq '.findings[].message'\n  \
    transload check - < order.edi")]
pub(super) struct Check {
    /// One JSON object a file, on one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// Exit with 1 where a finding is this grave or graver
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    fail_on: FailOn,
    /// X12 files; folders are walked, `-` is stdin
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
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
    let mut report = Report::default();
    let totals = walk(source, guides, Documents::First, &mut |seen| {
        report.see(seen);
        Ok(())
    })?;
    report.end(totals);
    Ok(report)
}

impl Check {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let (mut exit, mut counts) = (Exit::Clean, Counts::default());
        let files = expand(&self.files);
        let mut unreadable = 0;
        for path in &files {
            let name = path.to_string_lossy();
            let checked = open(path).map_err(|e| Trouble::Unreadable(x12::Error::Io(e)));
            match checked.and_then(|source| check(source, &guides)) {
                Ok(report) => {
                    match self.json {
                        true => report.json(&name, out)?,
                        false => report.text(&name, Paint::stdout(), out)?,
                    }
                    if report.counts.reach(self.fail_on.into()) {
                        exit = exit.max(Exit::Findings);
                    }
                    counts.add(report.counts);
                }
                Err(Trouble::Guide(errors)) => return Err(Trouble::Guide(errors).into()),
                Err(trouble) => {
                    exit = Exit::Usage;
                    unreadable += 1;
                    self.refuse(&name, &trouble, out)?;
                }
            }
        }
        out.flush()?;
        let unreadable = match unreadable {
            0 => String::new(),
            n => format!("; {} could not be read", count(n, "file")),
        };
        let files = count(files.len(), "file");
        let _ = writeln!(std::io::stderr(), "{files} checked: {counts}{unreadable}");
        Ok(exit)
    }

    /// Tells that a file could not be read, and what to do.
    fn refuse(&self, name: &str, trouble: &Trouble, out: &mut dyn Write) -> Result<(), Failure> {
        let text = trouble.to_string();
        if !self.json {
            out.flush()?;
            let _ = writeln!(std::io::stderr(), "transload: {name}: {text}");
            return Ok(());
        }
        let (message, fix) = text
            .split_once("; ")
            .unwrap_or((&text, "check the path, and that the file may be read"));
        let line = json!({ "file": name, "error": { "message": message, "fix": fix } });
        Ok(writeln!(out, "{line}")?)
    }
}
