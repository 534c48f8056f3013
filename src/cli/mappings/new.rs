//! `transload mappings new`: overlays for a new partner, which compile at once and teach by comment.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::cli::files::library;
use crate::cli::sentence::title;
use crate::cli::words::{in_words, said, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::{Guide, Library, Usage, UseView, schema, suggestion};
use crate::x12::{Value, text};

/// Sets that a new partner gets where no other partner is named: an order and its answers.
const SETS: [&str; 4] = ["810", "850", "855", "856"];

/// Begin a new partner's guides: overlays that say nothing yet, with comments that teach
///
/// Each file is laid over the guide of the partner named by --like, or over the standard's, and
/// changes it by what you write into it. No file is ever overwritten.
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:
  transload mappings new beta --like acme
  transload mappings new acme --set 850 --set 860 --version 005010 --dir my-mappings"
)]
pub(super) struct New {
    /// The partner's name, as its partner file will say `guide = "NAME"`
    #[arg(value_parser = name)]
    partner: String,
    /// Lay them over this partner's guides
    #[arg(long, value_name = "PARTNER")]
    like: Option<String>,
    /// Only these transaction sets
    #[arg(long, value_name = "SET")]
    set: Vec<String>,
    /// The release, where they are laid over the standard's guides
    #[arg(long, value_name = "RELEASE", default_value = super::RELEASE, conflicts_with = "like")]
    version: String,
    /// The mappings folder that they are written to
    #[arg(long, value_name = "DIR", default_value = "mappings")]
    dir: PathBuf,
    /// A folder of your own guides, laid over the embedded ones
    #[arg(long, value_name = "DIR", env = "TRANSLOAD_MAPPINGS")]
    mappings: Option<OsString>,
}

/// A folder's name: what a partner file may say as `guide`.
fn name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match (1..=64).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('.') {
        true => Ok(text.to_owned()),
        false => Err("1 to 64 letters, digits, `_`, `-` and `.`, which is not the first".into()),
    }
}

impl New {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let folders = self.mappings.iter().flat_map(std::env::split_paths);
        let library = library(folders).map_err(Failure::usage)?;
        let bases = self.bases(&library)?;
        let mut files = vec![(PathBuf::from("schema/guide.json"), schema_text())];
        let mut texts = Vec::new();
        for base in bases {
            let guide = library.named(&base).and_then(Result::ok);
            let guide = guide.ok_or_else(|| {
                Failure::usage(said(&text!(
                    "guide {name} is broken: `transload mappings check` says where",
                    name = &base
                )))
            })?;
            let path = format!("partners/{}/{}.toml", self.partner, guide.set);
            let text = overlay(&self.partner, &guide);
            texts.push((path.clone(), text.clone()));
            files.push((path.into(), text));
        }
        let made = library.with(texts.iter().cloned());
        for (path, _) in &texts {
            if let Some(Err(errors)) = made.named(path.trim_end_matches(".toml")) {
                return Err(Failure::state(in_words(&errors[0])));
            }
        }
        // Of the schema, which we made, any copy will do.
        let taken = files[1..].iter().map(|(path, _)| self.dir.join(path));
        let taken: Vec<String> = taken
            .filter(|path| path.exists())
            .map(|path| path.display().to_string())
            .collect();
        if !taken.is_empty() {
            let taken = taken.join(", ");
            return Err(Failure::usage(said(&text!(
                "{taken}: there already, and nothing is overwritten; take another name, another --dir, or other sets with --set",
                taken
            ))));
        }
        for (path, text) in &files {
            let path = self.dir.join(path);
            let told = |why: io::Error| Failure::usage(format!("{}: {why}", path.display()));
            fs::create_dir_all(path.parent().unwrap_or(&self.dir)).map_err(told)?;
            match fs::File::create_new(&path) {
                Ok(mut file) => file.write_all(text.as_bytes()).map_err(told)?,
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(why) => return Err(told(why)),
            }
            writeln!(out, "{}", path.display())?;
        }
        out.flush()?;
        let (dir, partner, set) = (self.dir.display(), &self.partner, &made_set(&texts));
        let next = text!(
            "next: write into them what {partner} does otherwise, then",
            partner
        );
        let _ = writeln!(
            io::stderr(),
            "{}\n  transload mappings check {dir}\n  \
             transload mappings show {set} --partner {partner} --mappings {dir}",
            said(&next)
        );
        Ok(Exit::Clean)
    }

    /// The guides that the new ones are laid over.
    fn bases(&self, library: &Library) -> Result<Vec<String>, Failure> {
        let names = library.names();
        let folder = match &self.like {
            Some(like) => format!("partners/{like}/"),
            None => format!("x12/{}/", self.version),
        };
        let there = names.iter().filter_map(|name| name.strip_prefix(&folder));
        let there: Vec<&str> = there.collect();
        if let (Some(like), true) = (&self.like, there.is_empty()) {
            let known = names
                .iter()
                .filter_map(|name| name.strip_prefix("partners/"));
            let mut known: Vec<&str> = known.filter_map(|name| name.split('/').next()).collect();
            known.dedup();
            return Err(Failure::usage(said(&text!(
                "there are no guides of {like}{near} (there are guides of: {known})",
                like = Value::quoted(like),
                near = suggestion(like, &known),
                known = known.join(", ")
            ))));
        }
        let usual = |set: &&&str| self.like.is_some() || SETS.contains(set);
        let wanted: Vec<&str> = match self.set.is_empty() {
            true => there.iter().filter(usual).copied().collect(),
            false => self.set.iter().map(String::as_str).collect(),
        };
        if let Some(set) = wanted.iter().find(|set| !there.contains(set)) {
            let known: Vec<String> = there.iter().map(|set| format!("{folder}{set}")).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(super::no_guide(&format!("{folder}{set}"), &known));
        }
        let named = wanted.iter().map(|set| format!("{folder}{set}"));
        Ok(named.collect())
    }
}

fn made_set(files: &[(String, String)]) -> String {
    let first = files.first().map_or("", |(path, _)| path.as_str());
    let file = first.rsplit('/').next().unwrap_or_default();
    file.trim_end_matches(".toml").to_owned()
}

/// The schema as it is published.
pub(super) fn schema_text() -> String {
    let schema = serde_json::to_string_pretty(&schema()).expect("a value can be written");
    schema + "\n"
}

/// The text of a new overlay. Each example in it is taken from the guide itself, so that it compiles
/// when the `#` before it is removed.
fn overlay(partner: &str, base: &Guide) -> String {
    let (title, set, under) = (title(&base.set), &base.set, &base.name);
    let intro = [
        text!(
            "The {title} of {partner}. All is as in {under} until this file says otherwise.",
            title,
            partner,
            under
        ),
        text!(
            "`transload mappings show {set} --partner {partner} --mappings DIR` prints the whole of it and",
            set,
            partner
        ),
        text!(
            "marks ◆ what is said here; `transload mappings check DIR` finds what is wrong before any"
        ),
        text!("file arrives. DIR is the folder that has `partners` in it."),
    ];
    let intro: String = intro
        .iter()
        .map(|line| format!("# {}\n", said(line)))
        .collect();
    let mut text = format!("#:schema ../../schema/guide.json\n{intro}base = \"{under}\"\n");
    for (what, body) in examples(base) {
        text += &format!("\n# {what}\n");
        for line in body.lines() {
            text += &format!("#   {line}\n");
        }
    }
    text
}

/// Examples of what an overlay may say, each with what it does: each is of another segment, so that
/// with the `#` gone all stand in one file.
fn examples(base: &Guide) -> Vec<(&'static str, String)> {
    let uses = base.uses();
    let optional = |one: &&UseView<'_>| one.parent().is_none() && one.usage() == Usage::Optional;
    let mapped = |one: &&UseView<'_>| one.elements().any(|part| !part.field().is_empty());
    let coded = uses
        .iter()
        .filter(|one| one.parent().is_none() && one.area() == "detail");
    let coded = coded.flat_map(|one| one.elements().map(|part| (one.path(), part)));
    let mut coded = coded.filter(|(_, part)| part.group().is_none() && part.component == 0);
    let coded = coded.find(|(_, part)| part.list().is_some());
    let mut used: Vec<String> = coded.iter().map(|(path, _)| path.clone()).collect();
    let mut examples = Vec::new();
    let unused = |one: &UseView<'_>, used: &[String]| optional(&one) && !used.contains(&one.path());
    let must = uses.iter().find(|one| mapped(one) && unused(one, &used));
    if let Some(one) = must {
        let mut parts = one.elements();
        let part = parts.find(|part| !part.field().is_empty() && part.component == 0);
        let part = part.map_or(String::new(), |part| {
            format!("\n{} = {{ usage = \"M\" }}", part.designator())
        });
        let body = format!("[{}]\nusage = \"M\"{part}", one.path());
        examples.push((
            say("A segment that must come, with an element that must:"),
            body,
        ));
        used.push(one.path());
    }
    if let Some(one) = uses.iter().rev().find(|one| unused(one, &used)) {
        let body = format!("[{}]\nusage = \"N\"", one.path());
        examples.push((say("A segment that they do not use:"), body));
    }
    let free =
        |one: &&UseView<'_>| one.key() == "REF" && one.parent().is_none() && one.depth() == 0;
    if let (Some(one), Some(_)) = (uses.iter().find(free), base.document) {
        let (area, pos) = (one.area(), one.position());
        let body = format!(
            "[{area}.REF-4N]\npos = {pos}\nwhen = {{ REF01 = \"4N\" }}\nREF02 = {{ as = \"ext.promotion\" }}"
        );
        examples.push((
            say("A reference with a place of its own; after `ext.` you name it as you like:"),
            body,
        ));
    }
    if let Some((path, part)) = coded {
        let (list, designator) = (part.list().unwrap_or_default(), part.designator());
        let body = format!("[{path}]\n{designator} = {{ codes = \"{list}\" }}");
        examples.push((
            say("Codes: of a list in codes/, yours or ours, with lines such as EA = \"each\":"),
            body,
        ));
    }
    examples
}
