//! `transload mappings check`: every guide compiled and linted before any file arrives.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::files::mapping_files;
use crate::cli::report::{Colour, Paint};
use crate::cli::sentence::count;
use crate::cli::words::{in_words, said, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::lang::pad;
use crate::mapping::{Guide, GuideError, Library, suggestion};
use crate::x12::text;

/// Columns of the verdict.
const MARK: usize = 6;

/// Compile and lint all guides: the embedded ones, and those of a folder laid over them
#[derive(clap::Args)]
pub(super) struct Check {
    /// One JSON object a guide, on one line
    #[arg(long)]
    json: bool,
    /// A folder of your own guides
    dir: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let mut library = Library::embedded().linting();
        let mut own = Vec::new();
        if let Some(folder) = &self.dir {
            let files = mapping_files(folder).map_err(Failure::usage)?;
            misplaced(&files)?;
            own = files.iter().map(|(path, _)| path.clone()).collect();
            library = library.with(files);
        }
        let paint = Paint::stdout();
        let names = library.names();
        // A file that is broken in itself is told once, and not by every guide that reads it.
        let mut told = BTreeSet::new();
        let mut broken = 0;
        for path in &own {
            let name = path.trim_end_matches(".toml");
            let is_guide = names.iter().any(|known| known == name);
            if let (false, Err(error)) = (is_guide, library.try_file(path)) {
                broken += 1;
                self.tell(name, &Err(vec![error]), paint, &mut told, out)?;
            }
        }
        for name in &names {
            let outcome = library.named(name);
            let outcome = outcome.expect("the library names its own guides");
            broken += usize::from(outcome.is_err());
            let mine = own.is_empty() || own.contains(&format!("{name}.toml"));
            if mine || outcome.is_err() || self.json {
                self.tell(name, &outcome, paint, &mut told, out)?;
            }
        }
        out.flush()?;
        let guides = count(names.len(), "guide");
        if !crate::cli::manners().quiet {
            let summary = text!("{guides} checked: {broken} broken", guides, broken);
            let _ = writeln!(io::stderr(), "{}", said(&summary));
        }
        Ok(if broken > 0 {
            Exit::Findings
        } else {
            Exit::Clean
        })
    }

    /// What became of one guide or file. An error that was told before is only counted.
    fn tell(
        &self,
        name: &str,
        outcome: &Result<Arc<Guide>, Vec<GuideError>>,
        paint: Paint,
        told: &mut BTreeSet<String>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.json {
            return writeln!(out, "{}", outcome_json(name, outcome));
        }
        match outcome {
            Ok(guide) => {
                let segments = count(guide.uses().len(), "segment");
                let values = count(guide.mapped().len(), "place");
                let ok = paint.paint(Colour::Green, &pad(say("ok"), MARK));
                let what = text!(
                    "{name}: {segments}, {values} in the document",
                    name,
                    segments,
                    values
                );
                writeln!(out, "{ok} {}", said(&what))
            }
            Err(errors) => {
                let fresh = errors.iter().map(in_words);
                let fresh: Vec<String> = fresh.filter(|e| told.insert(e.clone())).collect();
                let word = paint.paint(Colour::Red, &pad(say("broken"), MARK));
                let how = match (fresh.len(), errors.len()) {
                    (0, 1) => text!("by the error above"),
                    (0, n) => text!("by the {n} errors above", n),
                    (n, _) => text!("{errors}", errors = count(n, "error")),
                };
                writeln!(out, "{word} {}", said(&text!("{name}: {how}", name, how)))?;
                fresh.iter().try_for_each(|error| writeln!(out, "{error}"))
            }
        }
    }
}

/// Files that no name leads to would never be read: they are told at once.
fn misplaced(files: &[(String, String)]) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for (path, _) in files {
        let placed = matches!(
            path.split('/').collect::<Vec<_>>()[..],
            ["x12", _, _] | ["partners", _, _] | ["codes", _]
        );
        if !placed {
            let top = path.split('/').next().unwrap_or_default();
            lines.push(said(&text!(
                "{path}: a guide stands at x12/<release>/<set>.toml or partners/<name>/<set>.toml, a code list at codes/<list>.toml{near}",
                path,
                near = suggestion(top, &["x12", "partners", "codes"])
            )));
        }
    }
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Failure::usage(lines.join("\n"))),
    }
}

fn outcome_json(name: &str, outcome: &Result<Arc<Guide>, Vec<GuideError>>) -> Value {
    match outcome {
        Ok(guide) => json!({ "guide": name, "segments": guide.uses().len(), "errors": [] }),
        Err(errors) => {
            let errors = errors.iter().map(|error| {
                json!({
                    "file": error.file, "line": error.line, "column": error.column,
                    "message": error.message, "excerpt": error.excerpt,
                })
            });
            json!({ "guide": name, "errors": errors.collect::<Vec<_>>() })
        }
    }
}
