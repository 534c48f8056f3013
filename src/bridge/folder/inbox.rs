//! Files that others put, each taken once and lost never.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::super::{Error, Incoming};
use super::outbox::{place, sync};

/// Bytes of one file: documents are far smaller, and each is read into memory.
pub const FILE: u64 = 64 << 20;

/// What a first look at a file's bytes says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It is whole.
    Whole,
    /// It ends too soon, and why that is thought: perhaps it is still being written.
    Short(String),
    /// It is not usable, and why.
    Bad(String),
}

/// Where a taken file is kept.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// In `taken`: the store has it.
    Taken,
    /// In `bad`, with the reason beside it.
    Bad(&'a str),
}

/// A folder that others put files into.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    /// Files that ended too soon at the last poll, with their lengths.
    short: Mutex<HashMap<OsString, usize>>,
}

impl Inbox {
    /// Opens a folder, made where it is missing, and puts back what was claimed but not kept
    /// when the last process ended.
    ///
    /// # Errors
    /// Where it cannot be made or read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let inbox = Self {
            folder: folder.into(),
            short: Mutex::default(),
        };
        for name in ["claimed", "taken", "bad"] {
            let path = inbox.folder.join(name);
            fs::create_dir_all(&path).map_err(|source| Error {
                what: "make",
                path,
                source,
            })?;
        }
        let claimed = inbox.folder.join("claimed");
        for name in names(&claimed)? {
            move_into(&claimed.join(&name), &inbox.folder, &name)?;
        }
        Ok(inbox)
    }

    /// Claims at most `most` files, in the order of their names. `look` tells whole files from
    /// others: bad ones go to `bad`, short ones stay until they no longer grow.
    ///
    /// # Errors
    /// Where the folder cannot be read or files not be moved.
    pub fn take(&self, most: usize, look: impl Fn(&[u8]) -> Look) -> Result<Vec<Incoming>, Error> {
        let mut short = self.short.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *short);
        let mut taken = Vec::new();
        for name in names(&self.folder)?
            .into_iter()
            .filter(|name| !ignored(name))
        {
            if taken.len() == most {
                break;
            }
            let Some((bytes, seen)) = self.peek(&name, &look)? else {
                continue;
            };
            if matches!(seen, Look::Short(_)) && before.get(&name) != Some(&bytes.len()) {
                short.insert(name, bytes.len());
                continue;
            }
            let Some(incoming) = self.claim(&name, bytes)? else {
                continue;
            };
            match seen {
                Look::Whole => taken.push(incoming),
                Look::Short(why) | Look::Bad(why) => self.keep(&incoming, Kept::Bad(&why))?,
            }
        }
        Ok(taken)
    }

    /// Moves a claimed file to where it stays. One that is gone is kept already.
    ///
    /// # Errors
    /// Where it cannot be moved, or the reason not be written.
    pub fn keep(&self, incoming: &Incoming, kept: Kept<'_>) -> Result<(), Error> {
        let name = OsStr::new(&incoming.name);
        let Kept::Bad(why) = kept else {
            return move_into(&incoming.path, &self.folder.join("taken"), name).map(drop);
        };
        let bad = self.folder.join("bad");
        let Some(path) = move_into(&incoming.path, &bad, name)? else {
            return Ok(());
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        place(
            &bad,
            &format!("{name}.error.txt"),
            format!("{why}\n").as_bytes(),
        )
        .map(drop)
    }

    /// How many files wait to be claimed.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn waiting(&self) -> Result<usize, Error> {
        Ok(names(&self.folder)?
            .iter()
            .filter(|name| !ignored(name))
            .count())
    }

    /// How many files were not usable.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn refused(&self) -> Result<usize, Error> {
        let reason = |name: &&OsString| name.to_string_lossy().ends_with(".error.txt");
        Ok(names(&self.folder.join("bad"))?
            .iter()
            .filter(reason)
            .count())
    }

    /// A file's bytes and what they look like; none where it went away. One that is too large
    /// is not read.
    fn peek(
        &self,
        name: &OsStr,
        look: impl Fn(&[u8]) -> Look,
    ) -> Result<Option<(Vec<u8>, Look)>, Error> {
        let path = self.folder.join(name);
        let read = || {
            if fs::metadata(&path)?.len() > FILE {
                let why = format!("this file is larger than {} MiB", FILE >> 20);
                return Ok((Vec::new(), Look::Bad(why)));
            }
            let bytes = fs::read(&path)?;
            let seen = look(&bytes);
            Ok((bytes, seen))
        };
        present(read(), "read", &path)
    }

    /// Makes a file ours; none where it went away, or changed while we looked: the next poll
    /// sees it anew.
    fn claim(&self, name: &OsStr, bytes: Vec<u8>) -> Result<Option<Incoming>, Error> {
        let claimed = self.folder.join("claimed");
        let Some(path) = move_into(&self.folder.join(name), &claimed, name)? else {
            return Ok(None);
        };
        let length = fs::metadata(&path).map(|meta| meta.len());
        let length = length.map_err(|source| Error {
            what: "read",
            path: path.clone(),
            source,
        })?;
        let same = length > FILE || fs::read(&path).is_ok_and(|now| now == bytes);
        if !same {
            move_into(&path, &self.folder, name)?;
            return Ok(None);
        }
        Ok(Some(Incoming {
            name: name.to_string_lossy().into_owned(),
            bytes,
            path,
        }))
    }
}

/// Whether a name says that its file is not meant for others yet.
pub(super) fn ignored(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || [".tmp", ".part", "~"].iter().any(|end| name.ends_with(end))
}

/// The names of a folder's plain files, in order. Folders, links and pipes are none.
pub(super) fn names(folder: &Path) -> Result<Vec<OsString>, Error> {
    let read = || {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name());
            }
        }
        names.sort();
        Ok(names)
    };
    read().map_err(|source| Error {
        what: "read",
        path: folder.to_path_buf(),
        source,
    })
}

/// Moves a file into a folder, beside one of the same name if need be; gives its new path, or
/// none where there is no such file.
fn move_into(path: &Path, folder: &Path, name: &OsStr) -> Result<Option<PathBuf>, Error> {
    let mut target = folder.join(name);
    if target.symlink_metadata().is_ok() {
        target = folder.join(format!("{}-{}", Uuid::now_v7(), name.to_string_lossy()));
    }
    let moved = fs::rename(path, &target).and_then(|()| sync(folder));
    Ok(present(moved, "move", path)?.map(|()| target))
}

/// What was done with a file, or none where there is no such file.
fn present<T>(done: io::Result<T>, what: &'static str, path: &Path) -> Result<Option<T>, Error> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error {
            what,
            path: path.to_path_buf(),
            source,
        }),
    }
}
