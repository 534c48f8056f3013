//! `transload partner check`: every file, then what it names: certificates and guides.

use std::ffi::OsString;
use std::io::Write;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Folder, Read, guide_name};
use crate::cli::files::library;
use crate::cli::rehearse::unrehearsed;
use crate::cli::{Exit, Failure, Outcome};
use crate::gateway;
use crate::mapping::{Library, suggestion};
use crate::partner::{Document, Error, Partners};

/// A certificate that ends sooner than this is a warning: partners need weeks to change one.
const WARNING_DAYS: i64 = 30;

/// Exit code 1 where anything is wrong; a certificate that soon expires is a warning.
#[derive(clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    folder: Folder,
    /// A folder of your own guides, laid over the embedded ones
    #[arg(long, value_name = "DIR", env = "TRANSLOAD_MAPPINGS")]
    mappings: Option<OsString>,
    /// An error where a file says production, and its rehearsal neither was met nor overridden
    #[arg(long)]
    rehearsed: bool,
}

/// What is wrong, or soon will be.
#[derive(Default)]
struct Problems {
    errors: Vec<Error>,
    warnings: Vec<Error>,
}

impl Check {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let folders = self.mappings.iter().flat_map(std::env::split_paths);
        let library =
            library(folders).map_err(|why| Failure::usage(format!("--mappings: {why}")))?;
        let (read, errors) = self.folder.read()?;
        let files = read.len() + errors.len();
        let mut problems = Problems {
            errors,
            ..Problems::default()
        };
        let now = Utc::now();
        for read in &read {
            self.certificates(read, now, &mut problems);
            let mut resolved = read.partner.clone();
            resolved.rebase(&self.folder.partners);
            if let Some(Err(why)) = resolved.as2.as_ref().map(gateway::usable) {
                let why = format!("[as2.connect] or [as2.demand]: {why}");
                problems.errors.push(Error::plain(&read.file, why));
            }
            let why = match self.rehearsed {
                true => unrehearsed(&self.folder.partners, &read.partner)?,
                false => None,
            };
            let why = why.into_iter().map(|why| Error::plain(&read.file, why));
            problems.errors.extend(why);
            for (set, document) in &read.partner.documents {
                let wrong = guide(&library, set, document);
                let wrong = wrong.into_iter().map(|why| Error::plain(&read.file, why));
                problems.errors.extend(wrong);
            }
        }
        let partners = read.into_iter().map(|read| read.partner).collect();
        if let Err(why) = Partners::new(partners) {
            let next = "what comes in could be either's: change one of the files";
            let folder = self.folder.partners.to_string_lossy();
            let error = Error::plain(&folder, format!("{why}; {next}"));
            problems.errors.push(error);
        }
        problems.tell(files, self.folder.json, out)
    }

    fn certificates(&self, read: &Read, now: DateTime<Utc>, problems: &mut Problems) {
        let paths = read.partner.as2.iter().flat_map(|as2| &as2.certificates);
        for one in paths {
            let path = self.folder.partners.join(&one.file);
            let shown = path.display();
            let certificate = match crate::cli::as2::certificate(&path) {
                Ok(certificate) => certificate,
                Err(why) => {
                    problems.errors.push(Error::plain(&read.file, why));
                    continue;
                }
            };
            let mut wrong = |why: String| problems.errors.push(Error::plain(&read.file, why));
            if let Some(weakness) = certificate.weakness() {
                wrong(format!(
                    "the certificate {shown} has an {weakness}; ask the partner for a new one of \
                     2048 bits or more"
                ));
            }
            let (from, to) = (certificate.not_before(), certificate.not_after());
            let days = (to - now).num_days();
            if now > to {
                wrong(format!(
                    "the certificate {shown} expired on {}; ask the partner for his new one, and \
                     add it to `certificates`",
                    to.date_naive()
                ));
            } else if now < from {
                wrong(format!(
                    "the certificate {shown} is not valid before {from}; keep the old one beside \
                     it until then"
                ));
            } else if days < WARNING_DAYS {
                let why = format!(
                    "the certificate {shown} expires in {days} days, on {}; ask the partner for \
                     the next one now",
                    to.date_naive()
                );
                problems.warnings.push(Error::plain(&read.file, why));
            }
        }
    }
}

/// What is wrong with the guide that a document names.
fn guide(library: &Library, set: &str, document: &Document) -> Vec<String> {
    let names = library.names();
    let prefix = |guide: &String| format!("partners/{guide}/");
    if let Some(guide) = &document.guide
        && !names.iter().any(|name| name.starts_with(&prefix(guide)))
    {
        let known = names
            .iter()
            .filter_map(|name| name.strip_prefix("partners/"));
        let mut known: Vec<&str> = known.filter_map(|name| name.split('/').next()).collect();
        known.dedup();
        let near = suggestion(guide, &known);
        return vec![format!(
            "[documents.{set}]: there are no guides of {guide:?}{near}; put \
             partners/{guide}/{set}.toml into a mappings folder and give it as --mappings"
        )];
    }
    match library.guide(document.guide.as_deref(), &document.version, set) {
        Some(Ok(_)) => Vec::new(),
        Some(Err(errors)) => errors.iter().map(ToString::to_string).collect(),
        None => {
            let wanted = guide_name(set, document);
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            vec![format!(
                "[documents.{set}]: there is no guide {wanted} (there are: {}); correct set or \
                 version, or give a mappings folder that has it as --mappings",
                known.join(", ")
            )]
        }
    }
}

impl Problems {
    fn tell(self, files: usize, json: bool, out: &mut dyn Write) -> Outcome {
        let exit = match self.errors.is_empty() {
            true => Exit::Clean,
            false => Exit::Findings,
        };
        let errors = self.errors.iter().map(|error| ("error", error));
        let warnings = self.warnings.iter().map(|warning| ("warning", warning));
        for (severity, problem) in errors.chain(warnings) {
            if json {
                let told = json!({
                    "severity": severity,
                    "file": problem.file,
                    "line": problem.line,
                    "column": problem.column,
                    "message": problem.message,
                    "nearest": problem.nearest,
                });
                writeln!(out, "{told}")?;
            } else {
                writeln!(out, "{severity}: {problem}\n")?;
            }
        }
        if !json {
            let counted = |number: usize, what: &str| match number {
                1 => format!("1 {what}"),
                _ => format!("{number} {what}s"),
            };
            let (errors, warnings) = (self.errors.len(), self.warnings.len());
            writeln!(
                out,
                "{}, {}, {}",
                counted(files, "partner file"),
                counted(errors, "error"),
                counted(warnings, "warning")
            )?;
        }
        Ok(exit)
    }
}
