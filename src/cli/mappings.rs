//! `transload mappings`: guides checked before any file arrives, printed as people know
//! implementation guides, compared, sampled, and begun.

mod check;
mod diff;
mod new;
mod page;
mod sample;
mod sheet;
mod show;

use std::io::Write;
use std::sync::Arc;

pub(super) use diff::sentence;

use super::walk::{Guides, Trouble};
use super::words::said;
use super::{Exit, Failure, Outcome};
use crate::mapping::{Guide, suggestion};
use crate::x12::text;

/// Check, print, compare and write mapping guides
#[derive(clap::Args)]
pub(super) struct Mappings {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Check),
    Show(show::Show),
    Diff(diff::Diff),
    Sample(sample::Sample),
    New(new::New),
    /// Print the JSON Schema of guide files, for an editor
    #[command(disable_version_flag = true)]
    Schema,
}

impl Mappings {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Check(command) => command.run(out),
            Command::Show(command) => command.run(out),
            Command::Diff(command) => command.run(out),
            Command::Sample(command) => command.run(out),
            Command::New(command) => command.run(out),
            Command::Schema => {
                out.write_all(new::schema_text().as_bytes())?;
                Ok(Exit::Clean)
            }
        }
    }
}

/// The release of a set that is named without one, where it has a guide in it.
const RELEASE: &str = "004010";

/// The guide that somebody means: `x12/004010/850`, `acme/850`, or a set alone, by the chosen
/// partner's guide where there is one.
fn find(guides: &Guides, release: Option<&str>, wanted: &str) -> Result<Arc<Guide>, Failure> {
    let library = &guides.library;
    let wanted = wanted.trim_end_matches(".toml");
    let partner = guides.partner.as_deref();
    let mut names = vec![wanted.to_owned(), format!("partners/{wanted}")];
    if !wanted.contains('/') {
        names.clear();
        names.extend(partner.map(|partner| format!("partners/{partner}/{wanted}")));
        match release {
            Some(release) => names.push(format!("x12/{release}/{wanted}")),
            None => {
                names.push(format!("x12/{RELEASE}/{wanted}"));
                let set = format!("/{wanted}");
                let other = |name: &String| name.starts_with("x12/") && name.ends_with(&set);
                names.extend(library.names().into_iter().filter(other));
            }
        }
    }
    for name in &names {
        match library.named(name) {
            Some(Ok(guide)) if release.is_none_or(|release| guide.version == release) => {
                return Ok(guide);
            }
            Some(Err(errors)) => return Err(Trouble::Guide(errors).into()),
            _ => {}
        }
    }
    let known = library.names();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let wanted = names.last().map_or(wanted, String::as_str);
    Err(no_guide(wanted, &known))
}

/// A name that no guide has.
fn no_guide(wanted: &str, known: &[&str]) -> Failure {
    let (near, known) = (suggestion(wanted, known), known.join(", "));
    Failure::usage(said(&text!(
        "there is no guide {wanted}{near} (there are: {known})",
        wanted,
        near,
        known
    )))
}
