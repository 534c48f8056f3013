//! `transload config`: the settings in force, and where each comes from.

use std::io::Write;

use serde_json::json;

use super::serve::Place;
use super::words::said;
use super::{Exit, Outcome};
use crate::config::Origin;
use crate::lang::{pad, width};
use crate::x12::text;

/// Show the settings in force
#[derive(clap::Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Show(Show),
}

/// Show each setting, its value and where it comes from
///
/// A flag goes before the environment, the environment before the settings file, and the file
/// before the default. Passwords are no settings: a file or a variable that holds one is named.
#[derive(clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// Say where each value comes from
    #[arg(long)]
    origin: bool,
    /// One JSON object a line, with the origin
    #[arg(long)]
    json: bool,
}

impl Config {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let Command::Show(show) = self.command;
        show.run(out)
    }
}

impl Show {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let settings = self.place.settings()?;
        let longest = |of: &dyn Fn(&crate::config::Setting) -> usize| {
            settings.iter().map(of).max().unwrap_or(0)
        };
        let names = longest(&|setting| setting.name.len());
        let values = longest(&|setting| width(&setting.value));
        for setting in &settings {
            let (name, value) = (setting.name, &setting.value);
            let origin = match &setting.origin {
                Origin::Flag(flag) => text!("flag {flag}", flag),
                Origin::Environment(name) => text!("environment {name}", name),
                Origin::File(file) => text!("file {file}", file),
                Origin::Default => text!("default"),
            };
            if self.json {
                let line = json!({ "setting": name, "value": value, "origin": origin.to_string() });
                writeln!(out, "{line}")?;
                continue;
            }
            let line = match self.origin {
                true => format!("{name:<names$}  {}  {}", pad(value, values), said(&origin)),
                false => format!("{name:<names$}  {value}"),
            };
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(Exit::Clean)
    }
}
