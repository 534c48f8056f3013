//! `amazon site`: the sites that are known, and a copy of one to make one's own of.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::super::{Exit, Failure, Outcome};
use crate::bridge::spapi::Site;
use crate::partner::SITE_FILE;

/// List the sites, or copy one to change it
#[derive(clap::Args)]
pub(super) struct Sites {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    List(List),
    Clone(Copied),
}

/// List the sites: region, currency, rules
#[derive(clap::Args)]
struct List {
    /// Print JSON, one object a site
    #[arg(long)]
    json: bool,
}

/// Copy a site into a file of your own; a partner file names it as `site = "FILE"`
#[derive(clap::Args)]
struct Copied {
    /// The site to copy, such as us
    site: String,
    /// The file to write: NAME.toml
    file: PathBuf,
}

impl Sites {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::List(list) => list.run(out),
            Command::Clone(copied) => copied.run(out),
        }
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> Outcome {
        for site in Site::all() {
            let Site {
                name,
                region,
                country,
                marketplace,
                currency,
                ..
            } = site;
            if self.json {
                let line = serde_json::json!({ "name": name, "region": region, "country": country,
                    "marketplace": marketplace, "currency": currency });
                writeln!(out, "{line}")?;
            } else {
                writeln!(
                    out,
                    "{name:4} {region:3} {country:3} {marketplace:15} {currency}"
                )?;
            }
        }
        Ok(Exit::Clean)
    }
}

impl Copied {
    fn run(&self, out: &mut dyn Write) -> Outcome {
        let text = Site::text(&self.site)
            .ok_or_else(|| Failure::usage(format!("there is no site {:?}", self.site)))?;
        let file = self.file.display();
        let name = self.file.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.strip_suffix(SITE_FILE));
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::usage(format!("{file} is not NAME{SITE_FILE}")))?;
        if Site::find(name).is_some() {
            let why = format!("{name} is a site that everybody has; give yours another name");
            return Err(Failure::usage(why));
        }
        let named = |line: &str| match line.starts_with("name = ") {
            true => format!("name = {}\n", toml_text(name)),
            false => format!("{line}\n"),
        };
        let text: String = text.lines().map(named).collect();
        Site::read(&text).map_err(|why| Failure::usage(format!("{file}: {why}")))?;
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).open(&self.file);
        let mut written = opened.map_err(|why| match why.kind() {
            ErrorKind::AlreadyExists => Failure::usage(format!("{file} is there already")),
            _ => Failure::state(format!("cannot write {file}: {why}")),
        })?;
        let write = written.write_all(text.as_bytes());
        write.map_err(|why| Failure::state(format!("cannot write {file}: {why}")))?;
        writeln!(
            out,
            "{file} is a copy of {}; change it, and name it in a partner file",
            self.site
        )?;
        Ok(Exit::Clean)
    }
}

/// A text as TOML has it; a JSON string is one.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
