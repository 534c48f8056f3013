//! `transload partner`: the partner files, as they are and as they should be; what two partners tell
//! each other, and whether they understand each other.

mod add;
mod bundle;
mod check;
mod presets;
mod sheet;
mod test;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::cert::spoken;
use super::{Exit, Failure, Outcome};
use crate::config::Config;
use crate::mapping::nearest;
use crate::partner::{Document, Error, Partner as Agreement, Transport, parse};

/// Add, list, check, test and bundle partners
#[derive(clap::Args)]
pub(super) struct Partner {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// One line a partner: names, address, certificate, documents
    List(Folder),
    /// Everything that is wrong: the files, their certificates, the guides that they name
    Check(check::Check),
    /// All about one partner
    Show(Show),
    Bundle(bundle::Bundle),
    Sheet(sheet::Sheet),
    Add(add::Add),
    Test(test::Test),
    Presets(presets::Presets),
}

impl Partner {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::List(folder) => folder.list(out),
            Command::Check(command) => command.run(out),
            Command::Show(command) => command.run(out),
            Command::Bundle(command) => command.run(out),
            Command::Sheet(command) => command.run(out),
            Command::Add(command) => command.run(out),
            Command::Test(command) => command.run(out),
            Command::Presets(command) => command.run(out),
        }
    }
}

/// Where partner files are.
#[derive(clap::Args)]
pub(super) struct Folder {
    /// The folder of partner files
    #[arg(
        long,
        value_name = "DIR",
        env = "TRANSLOAD_PARTNERS",
        default_value = "partners"
    )]
    pub(super) partners: PathBuf,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(clap::Args)]
struct Show {
    /// The partner's name
    name: String,
    #[command(flatten)]
    folder: Folder,
}

/// A partner file that reads.
struct Read {
    /// As it is called in errors.
    file: String,
    partner: Agreement,
}

impl Folder {
    /// Every `*.toml`, in the order of names: those that read, and what is wrong with the others.
    fn read(&self) -> Result<(Vec<Read>, Vec<Error>), Failure> {
        let shown = self.partners.display();
        let entries = fs::read_dir(&self.partners).map_err(|why| {
            Failure::state(format!(
                "cannot read the folder of partners {shown}: {why}; make it and put one TOML file \
                 a partner into it, or name another one with --partners"
            ))
        })?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        });
        paths.sort();
        let (mut read, mut errors) = (Vec::new(), Vec::new());
        for path in paths {
            let file = path.to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).map_err(|why| Error::plain(&file, why));
            match text.and_then(|text| parse(&text, &file)) {
                Ok(partner) => read.push(Read { file, partner }),
                Err(error) => errors.push(error),
            }
        }
        Ok((read, errors))
    }

    /// The partner of this name, and its file.
    fn find(&self, name: &str) -> Result<(String, Agreement), Failure> {
        let (mut read, errors) = self.read()?;
        if let Some(at) = read.iter().position(|read| read.partner.name == name) {
            let Read { file, partner } = read.swap_remove(at);
            return Ok((file, partner));
        }
        settled(&errors)?;
        let names = read.iter().map(|read| read.partner.name.as_str());
        Err(unknown(name, &self.partners, names.collect()))
    }

    fn list(&self, out: &mut dyn Write) -> Outcome {
        let (read, errors) = self.read()?;
        let now = Utc::now();
        let rows: Vec<Value> = read
            .iter()
            .map(|Read { partner, .. }| self.told(partner, now))
            .collect();
        if self.json {
            for row in &rows {
                writeln!(out, "{row}")?;
            }
        } else {
            table(&rows, out)?;
        }
        settled(&errors)
    }

    /// A partner in JSON, with what its certificates say today.
    fn told(&self, partner: &Agreement, now: DateTime<Utc>) -> Value {
        let as2 = partner.as2.as_ref().map(|as2| {
            let certificates = as2
                .certificates
                .iter()
                .map(|one| self.certificate(&one.file, now));
            json!({
                "id": as2.id,
                "our_id": as2.our_id,
                "url": as2.url,
                "certificates": certificates.collect::<Vec<_>>(),
            })
        });
        let x12 = partner.x12.as_ref().map(|x12| {
            let party = |party: &crate::partner::Party| format!("{}/{}", party.qualifier, party.id);
            json!({ "ours": party(&x12.ours), "theirs": party(&x12.theirs) })
        });
        let folder = partner.folder.as_ref().map(|own| {
            json!({
                "inbox": self.partners.join(&own.inbox),
                "outbox": self.partners.join(&own.outbox),
            })
        });
        let documents = partner.documents.iter();
        let documents = documents.map(|(set, document)| {
            let way = match partner.transport(set) {
                Some(Transport::As2) => "as2",
                _ => "folder",
            };
            json!({
                "set": set,
                "version": document.version,
                "guide": document.guide,
                "transport": way,
            })
        });
        json!({
            "name": partner.name,
            "as2": as2,
            "x12": x12,
            "folder": folder,
            "documents": documents.collect::<Vec<_>>(),
        })
    }

    fn certificate(&self, path: &Path, now: DateTime<Utc>) -> Value {
        let path = self.partners.join(path);
        match super::as2::certificate(&path) {
            Ok(read) => json!({
                "file": path,
                "subject": read.subject(),
                "fingerprint": read.fingerprint(),
                "not_after": read.not_after(),
                "expires_in_days": (read.not_after() - now).num_days(),
            }),
            Err(why) => json!({ "file": path, "error": why }),
        }
    }
}

impl Show {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let (file, partner) = self.folder.find(&self.name)?;
        let told = self.folder.told(&partner, Utc::now());
        if self.folder.json {
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        writeln!(out, "{}  ({file})", partner.name)?;
        describe(&told, out)?;
        Ok(Exit::Clean)
    }
}

/// What somebody meant who named a partner that is not there.
pub(super) fn unknown(name: &str, folder: &Path, known: Vec<&str>) -> Failure {
    let near = nearest(name, known.iter().copied());
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Failure::usage(format!(
        "{} has no partner {name:?}{near} (it has: {}); `partner add` adds one",
        folder.display(),
        known.join(", ")
    ))
}

/// The partner of this name, by the settings; its paths are resolved.
fn known(config: &Config, name: &str) -> Result<Agreement, Failure> {
    let all = sheet::partners(config)?;
    if let Some(known) = all.get(name) {
        return Ok(known.clone());
    }
    let names = all.iter().map(|known| known.name.as_str());
    Err(unknown(name, &config.partners, names.collect()))
}

/// Ends a command that read what could be read.
fn settled(errors: &[Error]) -> Outcome {
    if errors.is_empty() {
        return Ok(Exit::Clean);
    }
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Err(Failure::state(all.join("\n\n")))
}

/// What stands at a path of keys, as people read it.
fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn rows<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Until when a certificate is good, or why it cannot be read.
fn expiry(certificate: &Value) -> String {
    let days = certificate
        .pointer("/expires_in_days")
        .and_then(Value::as_i64);
    match days {
        None => "unreadable".to_owned(),
        Some(days) if days < 0 => format!("expired {} days ago", -days),
        Some(days) => format!("{days} days left"),
    }
}

fn table(partners: &[Value], out: &mut dyn Write) -> Result<(), Failure> {
    let mut lines = vec![
        [
            "partner",
            "AS2 id",
            "our id",
            "url",
            "certificate",
            "documents",
        ]
        .map(str::to_owned),
    ];
    for partner in partners {
        let sets: Vec<String> = rows(partner, "/documents")
            .map(|document| text(document, "/set"))
            .collect();
        let certificates: Vec<String> = rows(partner, "/as2/certificates").map(expiry).collect();
        let or_none = |list: Vec<String>| match list.is_empty() {
            true => "-".to_owned(),
            false => list.join(", "),
        };
        lines.push([
            text(partner, "/name"),
            text(partner, "/as2/id"),
            text(partner, "/as2/our_id"),
            text(partner, "/as2/url"),
            or_none(certificates),
            or_none(sets),
        ]);
    }
    let width = |column: usize| {
        let lengths = lines.iter().map(|line| line[column].chars().count());
        lengths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn describe(partner: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    if partner["as2"].is_object() {
        let (id, ours) = (text(partner, "/as2/id"), text(partner, "/as2/our_id"));
        writeln!(
            out,
            "  as2          {id} at {}; we are {ours}",
            text(partner, "/as2/url")
        )?;
    }
    for certificate in rows(partner, "/as2/certificates") {
        writeln!(
            out,
            "  certificate  {}: {}",
            text(certificate, "/file"),
            expiry(certificate)
        )?;
        if let Some(why) = certificate["error"].as_str() {
            writeln!(out, "               {why}")?;
            continue;
        }
        writeln!(
            out,
            "               {}, SHA-256",
            text(certificate, "/subject")
        )?;
        for line in spoken(&text(certificate, "/fingerprint")).chunks(8) {
            writeln!(out, "               {}", line.join(" "))?;
        }
    }
    if partner["x12"].is_object() {
        let (theirs, ours) = (text(partner, "/x12/theirs"), text(partner, "/x12/ours"));
        writeln!(out, "  x12          {theirs}; we are {ours}")?;
    }
    if partner["folder"].is_object() {
        let (inbox, outbox) = (
            text(partner, "/folder/inbox"),
            text(partner, "/folder/outbox"),
        );
        writeln!(out, "  folder       theirs in {inbox}, ours to {outbox}")?;
    }
    for document in rows(partner, "/documents") {
        let (set, version) = (text(document, "/set"), text(document, "/version"));
        let guide = match document["guide"].as_str() {
            Some(guide) => format!("the guides of {guide}"),
            None => "the standard's guide".to_owned(),
        };
        let way = text(document, "/transport");
        writeln!(out, "  document     {set} {version} by {guide}, over {way}")?;
    }
    Ok(())
}

/// The guide that a document is read by, as mapping files are called.
fn guide_name(set: &str, document: &Document) -> String {
    match &document.guide {
        Some(guide) => format!("partners/{guide}/{set}"),
        None => format!(
            "x12/{}/{set}",
            document.version.get(..6).unwrap_or_default()
        ),
    }
}
