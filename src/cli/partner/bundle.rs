//! `transload partner bundle`: a partner in one file, to take elsewhere: partner file, certificates,
//! guides and code lists.
//!
//! A bundle is JSON: readable, comparable line by line, and of the same bytes for the same content.
//! Only partners' certificates go in, each read as one and written anew: no key and no password can
//! slip along. What is embedded in the program is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Folder;
use crate::as2::{Certificate, hex, sha256};
use crate::cli::files::{library, mapping_files};
use crate::cli::sentence::count;
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::Library;
use crate::partner::{Partner, Partners, keys, parse};

/// The form of bundles that we write and read.
const FORM: u32 = 1;
/// Bytes of a bundle: hundreds of times what a partner with all his guides comes to.
const BYTES: u64 = 8 << 20;
/// Files in a bundle.
const FILES: usize = 1_000;

/// Take a partner elsewhere in one file: partner file, certificates, guides, code lists
#[derive(clap::Args)]
pub(super) struct Bundle {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write a partner to one file: no private key and no password is in it
    Export(Export),
    /// Put the files of a bundle into their folders, once all of them are sound
    Import(Import),
}

#[derive(clap::Args)]
struct Export {
    /// The partner's name
    name: String,
    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    folders: Folders,
}

#[derive(clap::Args)]
struct Import {
    /// The bundle
    file: PathBuf,
    /// Replace files that say something else, and take paths out of the folder of partners
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    folders: Folders,
}

#[derive(clap::Args)]
struct Folders {
    #[command(flatten)]
    partners: Folder,
    /// The folder of your own guides
    #[arg(long, value_name = "DIR", env = "TRANSLOAD_MAPPINGS")]
    mappings: Option<OsString>,
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    transload_bundle: u32,
    partner: String,
    /// Text by path: `partners/…` below the folder of partners, `mappings/…` below that of guides.
    files: BTreeMap<String, String>,
}

const PARTNERS: &str = "partners/";
const MAPPINGS: &str = "mappings/";

impl Bundle {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Export(command) => command.run(out),
            Command::Import(command) => command.run(out),
        }
    }
}

impl Export {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let (file, partner) = self.folders.partners.find(&self.name)?;
        let text =
            fs::read_to_string(&file).map_err(|why| Failure::state(format!("{file}: {why}")))?;
        let mut files = BTreeMap::from([(format!("{PARTNERS}{}.toml", partner.name), text)]);
        for path in certificates(&partner) {
            if !is_below(path) {
                return Err(Failure::usage(format!(
                    "{file}: the certificate {} is not below the folder of partners: put it there \
                     and name it from there, so that the bundle can be put in place elsewhere",
                    path.display()
                )));
            }
            let shown = path.to_string_lossy().replace('\\', "/");
            let path = self.folders.partners.partners.join(path);
            let certificate = crate::cli::as2::certificate(&path).map_err(Failure::state)?;
            files.insert(format!("{PARTNERS}{shown}"), pem(&certificate)?);
        }
        files.extend(self.guides(&partner)?);
        let content = Content {
            transload_bundle: FORM,
            partner: partner.name,
            files,
        };
        let mut bytes = serde_json::to_vec_pretty(&content).map_err(Failure::state)?;
        bytes.push(b'\n');
        check(&content, &self.folders.library(&content)?)?;
        let to_stdout = self.output.as_os_str() == "-";
        if to_stdout {
            out.write_all(&bytes)?;
        } else {
            let told = |why| Failure::state(format!("{}: {why}", self.output.display()));
            fs::write(&self.output, &bytes).map_err(told)?;
        }
        let json = self.folders.partners.json && !to_stdout;
        tell(&content, &bytes, "in the bundle", json.then_some(out))
    }

    /// The guides of one's own that the partner's documents are read by, with the guides that they
    /// are laid over and the code lists that they name.
    fn guides(&self, partner: &Partner) -> Result<BTreeMap<String, String>, Failure> {
        let mut own = BTreeMap::new();
        for folder in self.folders.mappings() {
            own.extend(mapping_files(&folder).map_err(Failure::usage)?);
        }
        let library = Library::embedded().with(own.clone());
        let mut names: Vec<String> = Vec::new();
        for (set, document) in &partner.documents {
            names.push(super::guide_name(set, document));
            let prefix = document
                .guide
                .as_ref()
                .map(|guide| format!("partners/{guide}/"));
            let all = library.names().into_iter();
            names.extend(all.filter(|name| prefix.as_ref().is_some_and(|p| name.starts_with(p))));
        }
        let mut wanted = BTreeSet::new();
        while let Some(name) = names.pop() {
            if !wanted.insert(format!("{name}.toml")) {
                continue;
            }
            names.extend(library.base(&name));
            let Some(guide) = library.named(&name) else {
                continue;
            };
            let guide = guide.map_err(crate::cli::Trouble::Guide)?;
            wanted.insert(format!("x12/{}/dictionary.toml", guide.version));
            let uses = guide.uses();
            let lists = uses
                .iter()
                .flat_map(|one| one.elements().filter_map(|part| part.list()));
            wanted.extend(lists.map(|list| format!("codes/{list}.toml")));
        }
        own.retain(|path, _| wanted.contains(path));
        let files = own
            .into_iter()
            .map(|(path, text)| (format!("{MAPPINGS}{path}"), text));
        Ok(files.collect())
    }
}

impl Import {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let shown = self.file.display().to_string();
        let refused = |why: String| Failure::usage(format!("{shown}: {why}"));
        let mut bytes = Vec::new();
        let source = crate::cli::files::open(&self.file);
        let read = source.and_then(|source| source.take(BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|why| refused(why.to_string()))?;
        if bytes.len() as u64 > BYTES {
            return Err(refused(format!("a bundle has at most {BYTES} bytes")));
        }
        let content: Content = serde_json::from_slice(&bytes)
            .map_err(|why| refused(format!("not a bundle of ours: {why}")))?;
        let library = self.folders.library(&content)?;
        let partner = check(&content, &library).map_err(|why| refused(why.message))?;
        let outside = partner.paths().find(|path| !is_below(path));
        if let Some(path) = outside.filter(|_| !self.yes) {
            return Err(refused(format!(
                "its partner file names {}, which is not below the folder of partners: whoever \
                 made the bundle chose what of this machine is read or sent; look at it, and say \
                 --yes where it is right",
                path.display()
            )));
        }
        self.conflicts(&partner).map_err(refused)?;
        let targets = self.folders.targets(&content)?;
        let differs = |path: &Path, text: &str| {
            fs::read(path).map_or(path.exists(), |there| there != text.as_bytes())
        };
        let taken = targets.iter().filter(|(path, text)| differs(path, text));
        let taken: Vec<String> = taken.map(|(path, _)| path.display().to_string()).collect();
        if !taken.is_empty() && !self.yes {
            return Err(refused(format!(
                "{} there already and says something else; look at it, and say --yes to replace it",
                taken.join(", ")
            )));
        }
        for (path, text) in &targets {
            let same = fs::read(path).is_ok_and(|there| there == text.as_bytes());
            if !same {
                put(path, text)
                    .map_err(|why| Failure::state(format!("{}: {why}", path.display())))?;
            }
            let word = if same { "same" } else { "put" };
            if !self.folders.partners.json {
                writeln!(out, "{word:<4} {}", path.display())?;
            }
        }
        out.flush()?;
        let json = self.folders.partners.json;
        tell(&content, &bytes, "in place", json.then_some(out))
    }

    /// Whether the other partners leave room for this one.
    fn conflicts(&self, partner: &Partner) -> Result<(), String> {
        let folder = &self.folders.partners.partners;
        if !folder.is_dir() {
            return Ok(());
        }
        let (read, errors) = self.folders.partners.read().map_err(|why| why.message)?;
        if let Some(error) = errors.first() {
            return Err(format!(
                "a partner file that is there already is broken: {error}"
            ));
        }
        let own = folder.join(format!("{}.toml", partner.name));
        let others = read.into_iter().filter(|read| Path::new(&read.file) != own);
        let mut all: Vec<Partner> = others.map(|read| read.partner).collect();
        all.push(partner.clone());
        Partners::new(all).map(drop)
    }
}

impl Folders {
    fn mappings(&self) -> impl Iterator<Item = PathBuf> {
        let folders = self.mappings.iter();
        folders
            .flat_map(std::env::split_paths)
            .filter(|folder| folder.is_dir())
    }

    /// The guides as they will be when the bundle is in place.
    fn library(&self, content: &Content) -> Result<Library, Failure> {
        let folders: Vec<PathBuf> = self.mappings().collect();
        let here = library(folders).map_err(Failure::usage)?;
        let files = content.files.iter();
        let files = files.filter_map(|(path, text)| Some((path.strip_prefix(MAPPINGS)?, text)));
        Ok(here.with(files.map(|(path, text)| (path.to_owned(), text.clone()))))
    }

    /// Where each file of a bundle goes.
    fn targets<'c>(&self, content: &'c Content) -> Result<Vec<(PathBuf, &'c str)>, Failure> {
        let guides = self.mappings.iter().flat_map(std::env::split_paths).next();
        let target = |(path, text): (&'c String, &'c String)| {
            let folder = match (path.strip_prefix(PARTNERS), path.strip_prefix(MAPPINGS)) {
                (Some(below), _) => Some(self.partners.partners.join(below)),
                (_, Some(below)) => guides.as_ref().map(|folder| folder.join(below)),
                _ => None,
            };
            let path = folder.ok_or_else(|| {
                let why = "the bundle has guides: say with --mappings into which folder they go";
                Failure::usage(why)
            });
            Ok((path?, text.as_str()))
        };
        content.files.iter().map(target).collect()
    }
}

/// Every certificate that a partner file names.
fn certificates(partner: &Partner) -> impl Iterator<Item = &PathBuf> {
    partner.as2.iter().flat_map(|as2| {
        let tls = as2.connect.server_certificates.iter();
        let messages = as2.certificates.iter().map(|one| &one.file);
        messages.chain(tls).chain(&as2.demand.client_certificates)
    })
}

/// Whether a path stays below the folder that it is joined to.
fn is_below(path: &Path) -> bool {
    let mut parts = path.components();
    let plain = parts.all(|part| matches!(part, Component::Normal(_)));
    plain && path.components().next().is_some()
}

/// Everything that a bundle must be, whoever made it: its partner file, if so.
fn check(content: &Content, library: &Library) -> Result<Partner, Failure> {
    let wrong = |why: String| Err(Failure::usage(why));
    if content.transload_bundle != FORM {
        let form = content.transload_bundle;
        return wrong(format!(
            "a bundle of form {form}; this program reads form {FORM}"
        ));
    }
    if content.files.len() > FILES {
        return wrong(format!("more than {FILES} files"));
    }
    let own = format!("{PARTNERS}{}.toml", content.partner);
    let Some(text) = content.files.get(&own) else {
        return wrong(format!("it has no {own}"));
    };
    let partner = parse(text, &own).map_err(Failure::usage)?;
    if partner.name != content.partner {
        return wrong(format!("{own} is named {:?}", partner.name));
    }
    let certificates: Vec<String> = certificates(&partner)
        .map(|path| format!("{PARTNERS}{}", path.to_string_lossy()))
        .collect();
    for (path, text) in &content.files {
        let below = path.strip_prefix(PARTNERS).or(path.strip_prefix(MAPPINGS));
        if !below.is_some_and(|below| is_below(Path::new(below)))
            || path.contains(['\\', ':', '\0'])
        {
            return wrong(format!(
                "{path:?} leads out of the folders of partners and guides"
            ));
        }
        let guide = path.starts_with(MAPPINGS) && path.ends_with(".toml");
        if certificates.contains(path) {
            let read = Certificate::from_pem(text.as_bytes());
            let read =
                read.map_err(|why| Failure::usage(format!("{path} is no certificate: {why}")))?;
            if pem(&read)? != *text {
                return wrong(format!("{path} holds something beside a certificate"));
            }
        } else if *path != own && !guide {
            return wrong(format!(
                "{path} is neither the partner file, its certificate, nor a guide"
            ));
        }
    }
    if let Some(path) = certificates
        .iter()
        .find(|path| !content.files.contains_key(*path))
    {
        return wrong(format!("its certificate {path} is missing"));
    }
    for (set, document) in &partner.documents {
        let guide = library.guide(document.guide.as_deref(), &document.version, set);
        match guide {
            Some(Ok(_)) => {}
            Some(Err(errors)) => return wrong(format!("its guides are broken: {}", errors[0])),
            None => return wrong(format!("there is no guide for its [documents.{set}]")),
        }
    }
    Ok(partner)
}

fn pem(certificate: &Certificate) -> Result<String, Failure> {
    let pem = certificate.to_pem().map_err(Failure::state)?;
    String::from_utf8(pem).map_err(Failure::state)
}

/// Puts a file in place whole.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    keys::write(path, text.as_bytes())
}

/// The same line on both sides: who compares them knows that nothing was changed on the way. With
/// `--json` it is the result, but where the result is the bundle itself.
fn tell(content: &Content, bytes: &[u8], what: &str, json: Option<&mut dyn Write>) -> Outcome {
    let (partner, digest) = (&content.partner, hex(&sha256(bytes)));
    if let Some(out) = json {
        let files: Vec<&String> = content.files.keys().collect();
        let told = serde_json::json!({ "partner": partner, "files": files, "sha256": digest });
        writeln!(out, "{told}")?;
        return Ok(Exit::Clean);
    }
    let files = count(content.files.len(), "file");
    let told = format!("{partner}: {files} {what}\nSHA-256 {digest}");
    let _ = writeln!(std::io::stderr(), "{told}");
    Ok(Exit::Clean)
}
