//! `transload mappings check`: every guide compiled and linted before any file arrives.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::files::mapping_files;
use crate::cli::report::{Colour, Paint};
use crate::cli::sentence::count;
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::{Guide, Library, suggestion};

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
        if let Some(folder) = &self.dir {
            let files = mapping_files(folder).map_err(Failure::usage)?;
            misplaced(&files)?;
            library = library.with(files);
        }
        let paint = Paint::stdout();
        let names = library.names();
        let mut broken = 0;
        for name in &names {
            let outcome = library.named(name);
            let outcome = outcome.expect("the library names its own guides");
            broken += usize::from(outcome.is_err());
            match (self.json, outcome) {
                (true, outcome) => writeln!(out, "{}", outcome_json(name, outcome))?,
                (false, Ok(guide)) => {
                    let segments = count(guide.uses().len(), "segment");
                    let values = count(guide.mapped().len(), "place");
                    let ok = paint.paint(Colour::Green, "ok");
                    writeln!(out, "{ok}     {name}: {segments}, {values} in the document")?;
                }
                (false, Err(errors)) => {
                    let word = paint.paint(Colour::Red, "broken");
                    writeln!(out, "{word} {name}: {}", count(errors.len(), "error"))?;
                    for error in errors {
                        writeln!(out, "{error}")?;
                    }
                }
            }
        }
        out.flush()?;
        let guides = count(names.len(), "guide");
        let _ = writeln!(io::stderr(), "{guides} checked: {broken} broken");
        Ok(if broken > 0 {
            Exit::Findings
        } else {
            Exit::Clean
        })
    }
}

/// A file that no name leads to would never be read: that is told at once.
fn misplaced(files: &[(String, String)]) -> Result<(), Failure> {
    for (path, _) in files {
        let placed = matches!(
            path.split('/').collect::<Vec<_>>()[..],
            ["x12", _, _] | ["partners", _, _] | ["codes", _]
        );
        if !placed {
            let top = path.split('/').next().unwrap_or_default();
            let near = suggestion(top, &["x12", "partners", "codes"]);
            return Err(Failure::usage(format!(
                "{path}: a guide stands at x12/<release>/<set>.toml or partners/<name>/<set>.toml, \
                 a code list at codes/<list>.toml{near}"
            )));
        }
    }
    Ok(())
}

fn outcome_json(name: &str, outcome: Result<Arc<Guide>, Vec<crate::mapping::GuideError>>) -> Value {
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
