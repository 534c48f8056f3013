//! Which files a command reads, and which guides it reads them by.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::words::{cause, said, unreadable};
use super::{Failure, walk::Guides};
use crate::clock::{Clock, System};
use crate::mapping::{Library, suggestion};
use crate::x12::{Value, text};

/// The file name that means stdin.
pub(super) const STDIN: &str = "-";

/// Folders below a mappings folder that are looked into: more is not a mappings folder.
const MAPPINGS_DEPTH: usize = 3;

/// The options that choose guides.
#[derive(clap::Args)]
pub(super) struct GuideOptions {
    /// Read by this partner's guides, where it has some
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// A folder of your own guides, laid over the embedded ones
    #[arg(long, value_name = "DIR", env = "TRANSLOAD_MAPPINGS")]
    mappings: Option<OsString>,
}

/// The option that says how many threads work.
#[derive(clap::Args)]
pub(super) struct Jobs {
    /// Work on this many threads; as many as there are processors, unless said
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Jobs {
    /// How many.
    pub(super) fn count(&self) -> usize {
        let all = || std::thread::available_parallelism().ok();
        self.jobs.or_else(all).map_or(1, NonZeroUsize::get)
    }
}

impl GuideOptions {
    /// The guides that they name.
    pub(super) fn load(&self) -> Result<Guides, Failure> {
        let folders = self.mappings.iter().flat_map(std::env::split_paths);
        let library = library(folders).map_err(Failure::usage)?;
        if let Some(partner) = &self.partner {
            is_known(partner, &library)?;
        }
        Ok(Guides {
            library: library.on(System.now().date_naive()),
            partner: self.partner.clone(),
        })
    }
}

/// Fails where no guide is for the partner.
fn is_known(partner: &str, library: &Library) -> Result<(), Failure> {
    let names = library.names();
    let mut partners: Vec<&str> = names
        .iter()
        .filter_map(|name| Some(name.strip_prefix("partners/")?.split_once('/')?.0))
        .collect();
    partners.dedup();
    if partners.contains(&partner) {
        return Ok(());
    }
    Err(Failure::usage(said(&text!(
        "no guide is for partner {name}{near} (there are guides for: {known}); put yours at partners/{partner}/850.toml in a folder and give it as --mappings",
        name = Value::quoted(partner),
        near = suggestion(partner, &partners),
        known = partners.join(", "),
        partner
    ))))
}

/// The embedded guides, with the files of these folders laid over them one after another; or what
/// is wrong with a folder.
pub(super) fn library(folders: impl IntoIterator<Item = PathBuf>) -> Result<Library, String> {
    folders
        .into_iter()
        .try_fold(Library::embedded(), |library, folder| {
            Ok(library.with(mapping_files(&folder)?))
        })
}

/// All TOML files of a mappings folder, by their paths in it.
pub(super) fn mapping_files(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for path in below(folder, MAPPINGS_DEPTH).map_err(|error| cannot(folder, &error))? {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| cannot(&path, &error))?;
        let short = path.strip_prefix(folder).unwrap_or(&path);
        files.push((short.to_string_lossy().replace('\\', "/"), text));
    }
    if files.is_empty() {
        let folder = folder.display();
        return Err(said(&text!(
            "{folder} has no guides: a mappings folder holds x12/<release>/<set>.toml, partners/<name>/<set>.toml or codes/<list>.toml",
            folder = folder.to_string()
        )));
    }
    Ok(files)
}

fn cannot(path: &Path, error: &io::Error) -> String {
    let path = path.display().to_string();
    said(&text!(
        "cannot read {path}: {why}",
        path,
        why = cause(error)
    ))
}

/// The files that the arguments name: folders are walked in order of names; what begins with a
/// point is passed over, as it is hidden. A path that is not there stands for itself, so that
/// opening it says why.
pub(super) fn expand(paths: &[PathBuf]) -> Vec<PathBuf> {
    /// Deeper than people nest, and an end for a folder that is linked into itself.
    const DEPTH: usize = 32;
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => match below(path, DEPTH) {
                Ok(files) => all.extend(files),
                Err(_) => all.push(path.clone()),
            },
            false => all.push(path.clone()),
        }
    }
    all
}

/// The files below a folder, in the order of their names; hidden ones are passed over.
pub(super) fn below(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if !path.is_dir() {
            files.push(path);
        } else if depth > 0 {
            files.extend(below(&path, depth - 1)?);
        }
    }
    Ok(files)
}

/// The bytes of a file, or of stdin.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    match path.as_os_str() == STDIN {
        true => Ok(Box::new(io::stdin().lock())),
        false => Ok(Box::new(File::open(path)?)),
    }
}

/// All bytes of a file, or of stdin.
pub(super) fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    /// What is held several times over, as a file and what is made of it, is to stay below what
    /// machines have.
    const LIMIT: u64 = 512 * 1024 * 1024;
    let mut bytes = Vec::new();
    let read = open(path).and_then(|source| source.take(LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(&path.to_string_lossy(), &error.into()))?;
    if bytes.len() as u64 > LIMIT {
        let most = LIMIT / 1024 / 1024;
        let path = path.display().to_string();
        return Err(Failure::usage(said(&text!(
            "{path}: more than {most} MiB, and this command holds the whole file; give it one part at a time",
            path,
            most
        ))));
    }
    Ok(bytes)
}
