//! `transload mappings`: guides checked before any file arrives, and printed as people know
//! implementation guides.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::files::{GuideOptions, mapping_files};
use super::report::{Colour, Paint};
use super::sentence::{count, title};
use super::walk::Trouble;
use super::{Exit, Failure, Outcome};
use crate::mapping::{ElementView, Guide, Library, UseView, suggestion};

/// Repeats from here on are printed as `>1`: the standard's own word for no limit.
const UNLIMITED: u32 = 100_000;

/// Check and print mapping guides
#[derive(clap::Args)]
pub(super) struct Mappings {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Compile and lint all guides: the embedded ones, and those of a folder laid over them
    Check(Check),
    /// Print a guide: segments and elements with position, usage, repeats, lengths and target
    Show(Show),
}

#[derive(clap::Args)]
struct Check {
    /// One JSON object a guide, on one line
    #[arg(long)]
    json: bool,
    /// A folder of your own guides
    dir: Option<PathBuf>,
}

#[derive(clap::Args)]
#[command(disable_version_flag = true)]
struct Show {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// The release
    #[arg(long, value_name = "RELEASE", default_value = "004010")]
    version: String,
    /// The transaction set, as 850
    set: String,
}

impl Mappings {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Check(check) => check.run(out),
            Command::Show(show) => show.run(out),
        }
    }
}

impl Check {
    fn run(self, out: &mut dyn Write) -> Outcome {
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

impl Show {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let library = &guides.library;
        let found = library.guide(guides.partner.as_deref(), &self.version, &self.set);
        let guide = found.ok_or_else(|| {
            let names = library.names();
            let wanted = format!("x12/{}/{}", self.version, self.set);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let near = suggestion(&wanted, &names);
            let known = names.join(", ");
            Failure::usage(format!(
                "there is no guide {wanted}{near} (there are: {known})"
            ))
        })?;
        let guide = guide.map_err(Trouble::Guide)?;
        match self.json {
            true => writeln!(out, "{}", guide_json(&guide))?,
            false => table(&guide, Paint::stdout(), out)?,
        }
        Ok(Exit::Clean)
    }
}

fn guide_json(guide: &Guide) -> Value {
    let element = |element: ElementView<'_>| {
        json!({
            "element": element.designator(), "name": element.def().name,
            "usage": element.usage().to_string(), "type": element.def().data.to_string(),
            "min": element.def().min, "max": element.def().max, "maps": element.target(),
        })
    };
    let segment = |one: &UseView<'_>| {
        json!({
            "area": one.area(), "position": one.position(), "segment": one.tag(),
            "use": one.key(), "name": one.name(), "usage": one.usage().to_string(),
            "max": one.max(), "when": one.when(), "under": one.under(), "depth": one.depth(), "loop": one.is_loop(),
            "maps": one.target(), "elements": one.elements().map(element).collect::<Vec<_>>(),
        })
    };
    json!({
        "guide": guide.name, "set": guide.set, "version": guide.version,
        "document": guide.document.map(|kind| kind.as_str()),
        "segments": guide.uses().iter().map(segment).collect::<Vec<_>>(),
    })
}

fn table(guide: &Guide, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let document = guide
        .document
        .map_or("structure only", |kind| kind.as_str());
    let head = format!(
        "{}: {}, release {}",
        guide.name,
        title(&guide.set),
        guide.version
    );
    writeln!(out, "{} → {document}", paint.bold(&head))?;
    let columns = format!(
        "{:<5} {:<14} {:<3} {:<6} {:<9} {:<40} {}",
        "pos", "segment", "use", "max", "length", "name", "maps to"
    );
    let mut area = "";
    for one in guide.uses() {
        if !one.area().is_empty() && one.area() != area {
            area = one.area();
            writeln!(out, "\n{}\n{}", paint.bold(area), paint.dim(&columns))?;
        }
        segment(one, paint, out)?;
    }
    Ok(())
}

fn segment(one: UseView<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(one.depth());
    let max = match one.max() {
        UNLIMITED.. => ">1".to_owned(),
        n => n.to_string(),
    };
    let mut name = one.name().to_owned();
    if one.is_loop() {
        name += " (loop)";
    }
    if !one.when().is_empty() {
        name += &format!(", {}", one.when());
    }
    if !one.under().is_empty() {
        name += &format!(", stands {}", one.under());
    }
    let key = format!("{:<14}", format!("{indent}{}", one.key()));
    let (position, usage) = (one.position(), one.usage().to_string());
    let line = format!(
        "{position:03}   {} {usage:<3} {max:<6} {:<9} {name:<40} {}",
        paint.bold(&key),
        "",
        one.target()
    );
    writeln!(out, "{}", line.trim_end())?;
    for element in one.elements() {
        let def = element.def();
        let designator = format!("{indent}  {}", element.designator());
        let length = format!("{} {}/{}", def.data, def.min, def.max);
        let usage = element.usage().to_string();
        let line = format!(
            "      {designator:<14} {usage:<3} {:<6} {length:<9} {:<40} {}",
            "",
            def.name,
            element.target()
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
