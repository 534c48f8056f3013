//! A backup of a gateway that runs, and a gateway from a backup.
//!
//! ```text
//! take      snapshot of the store ─ checked ─► archive ─► sealed ─► file ─ read back ─ named
//! restore   file ─ read whole, every piece and digest ─► folder beside ─ store checked,
//!           numbers ahead, work held ─ renamed to its place
//! ```
//!
//! One file has a consistent copy of the database (taken in one read transaction, so nothing
//! stops), every payload file that the copy names, the settings, the partner files, the guides of
//! one's own and, if asked, the keys. `sealed` is its outside, `archive` its inside:
//!
//! | name in it | is |
//! |---|---|
//! | `backup.json` | when, by which version, what is in it; the first file |
//! | `transload.db` | the database |
//! | `payloads/…` | its large payloads |
//! | `transload.toml` | the settings |
//! | `partners/…`, `mappings/N/…`, `keys/…` | those folders |
//!
//! ```
//! use transload::backup::{Error, Opener, check};
//! let none = Opener::Passphrase(String::from("words").into());
//! let file = tempfile::NamedTempFile::new()?;
//! assert!(matches!(check(file.path(), &none), Err(Error::NoBackup(_))));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! It does not copy the folders of the folder bridge, which are the business side's own. A lock by
//! certificate says who can read a backup and not who wrote it: keep backups where only you write.

mod archive;
mod restore;
mod sealed;
mod take;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use restore::{Restored, check, restore};
pub use sealed::{Lock, Opener};
pub use take::{Sources, Taken, take};

use crate::store::{self, DATABASE};

/// The first file of every backup.
const CARD: &str = "backup.json";
/// The payload folder in it, and beside the database.
const PAYLOADS: &str = "payloads";
/// The settings in it.
const SETTINGS: &str = "transload.toml";
/// Longest card: a few hundred bytes and the names of folders.
const CARD_BYTES: u64 = 1 << 20;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// When the copy of the store was taken.
    pub made: DateTime<Utc>,
    /// The version of the program that took it.
    pub version: String,
    /// The number of the store's schema.
    pub schema: u32,
    /// Messages in it.
    pub messages: u64,
    /// Documents in it.
    pub documents: u64,
    /// Work that waited.
    pub waiting: u64,
    /// Whether the folder of keys is in it.
    pub keys: bool,
}

/// Why a backup was not taken, read or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be read or written.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// The file is not a backup, or not one of this version.
    #[error("this is no backup: {0}")]
    NoBackup(&'static str),
    /// What came out of it is not what was put in.
    #[error("{0} is not what was backed up; take another backup file")]
    Digest(String),
    /// The file was changed, or cut short.
    #[error("{0}; take another backup file")]
    Turned(String),
    /// The words or the key do not open it.
    #[error("it does not open: another passphrase or key shut it, or its lock was changed")]
    WrongKey,
    /// It was shut by a passphrase.
    #[error("it was shut by a passphrase; give --passphrase-file")]
    AsksPassphrase,
    /// It was shut for the holder of a key.
    #[error("it was shut for the key of certificate {0}; give that by --key")]
    AsksKey(String),
    /// A name in it that leads out of its folder, or that is none of ours.
    #[error("{0:?} is no name of a file in a backup")]
    Name(String),
    /// The place is taken.
    #[error("{} is there already; nothing is written over: name another place", .0.display())]
    Taken(PathBuf),
    /// The store cannot be copied, or the copy cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A primitive that should work did not.
    #[error("cannot shut or open a backup: {0}")]
    Broken(String),
}

impl Error {
    fn broken(why: impl ToString) -> Error {
        Error::Broken(why.to_string())
    }

    /// Reading a backup failed: it was changed, or the disk cannot read it.
    fn reading(why: io::Error) -> Error {
        match why.kind() {
            io::ErrorKind::InvalidData => Error::Turned(why.to_string()),
            io::ErrorKind::UnexpectedEof => Error::Turned("the file was cut short".into()),
            _ => Error::Io("the backup".into(), why),
        }
    }

    fn at(path: &Path) -> impl Fn(io::Error) -> Error {
        move |why| Error::Io(path.display().to_string(), why)
    }
}

/// Makes a folder's names durable.
fn sync(folder: &Path) -> Result<(), Error> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::at(folder))
}
