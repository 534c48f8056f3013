//! `transload partner presets`: settings that fit a peer's software, and why.

use std::io::Write;

use serde_json::json;

use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::nearest;
use crate::partner::preset::{self, Preset};

/// Settings that fit a peer's software: all of them, or one with its reasons and sources
#[derive(clap::Args)]
pub(super) struct Presets {
    /// A preset's name
    name: Option<String>,
    /// Print JSON, one object a preset
    #[arg(long)]
    json: bool,
}

/// The preset of this name, or which one was meant.
pub(super) fn find(name: &str) -> Result<Preset, Failure> {
    let found = preset::named(name).ok_or_else(|| {
        let names = preset::names();
        let near = nearest(name, names.iter().copied())
            .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let known = names.join(", ");
        Failure::usage(format!(
            "there is no preset {name:?}{near} (there are: {known})"
        ))
    })?;
    found.map_err(Failure::state)
}

impl Presets {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let names = match &self.name {
            Some(name) => vec![name.as_str()],
            None => preset::names(),
        };
        for name in names {
            let preset = find(name)?;
            if self.json {
                let reasons = preset.reasons.iter().map(|reason| {
                    json!({
                        "setting": reason.setting,
                        "why": reason.why,
                        "source": reason.source,
                    })
                });
                let told = json!({
                    "name": name,
                    "about": preset.about,
                    "as2": preset.as2,
                    "reasons": reasons.collect::<Vec<_>>(),
                });
                writeln!(out, "{told}")?;
                continue;
            }
            writeln!(out, "{name:<14}{}", preset.about)?;
            if self.name.is_none() {
                continue;
            }
            for reason in &preset.reasons {
                let setting = reason.setting.as_deref();
                let value = setting.and_then(|setting| preset.as2.get(setting));
                match (setting, value) {
                    (Some(setting), Some(value)) => writeln!(out, "\n  {setting} = {value}")?,
                    _ => writeln!(out, "\n  nothing to set")?,
                }
                writeln!(out, "    {}\n    source: {}", reason.why, reason.source)?;
            }
        }
        Ok(Exit::Clean)
    }
}
