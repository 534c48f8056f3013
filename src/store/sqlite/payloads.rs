//! Payloads too large for a row: one file each, in one folder, named by its digest.
//!
//! ```text
//! payloads/tmp/…            being written; swept at start
//! payloads/ab12…            sixty-four hex digits
//! ```
//!
//! A file is written, fsynced, renamed, and its folder fsynced before the row that names it
//! commits: after a power cut there may be a file without a row (harmless: the sender comes again
//! and finds it written), never a row without a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::store::{Digest, Error, Kind};

/// The payload folder.
#[derive(Debug)]
pub(super) struct Payloads {
    root: PathBuf,
    /// Tells temporary files of equal content apart.
    turn: AtomicU64,
}

impl Payloads {
    /// Makes what is missing, and sweeps what a crash left half written.
    pub(super) fn open(root: PathBuf) -> Result<Self, Error> {
        let prepare = || -> io::Result<()> {
            fs::create_dir_all(root.join("tmp"))?;
            for entry in fs::read_dir(root.join("tmp"))? {
                fs::remove_file(entry?.path())?;
            }
            sync(&root)
        };
        prepare().map_err(|error| Error::io(format_args!("{}", root.display()), &error))?;
        Ok(Self {
            root,
            turn: AtomicU64::new(0),
        })
    }

    /// Makes `bytes` durable under `digest`. Blocks.
    pub(super) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(digest);
        let write = || -> io::Result<()> {
            if fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64) {
                // Renamed by somebody, but perhaps not yet fsynced by him.
                return sync(&self.root);
            }
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let temporary = self
                .root
                .join("tmp")
                .join(format!("{}.{turn}", hex(digest)));
            let written = write_synced(&temporary, bytes)
                .and_then(|()| fs::rename(&temporary, &path))
                .and_then(|()| sync(&self.root));
            if written.is_err() {
                let _ = fs::remove_file(&temporary);
            }
            written
        };
        write().map_err(|error| Error::io(format_args!("{}", path.display()), &error))
    }

    /// The bytes under `digest`. Blocks.
    pub(super) fn get(&self, digest: &Digest) -> Result<Bytes, Error> {
        let path = self.path(digest);
        fs::read(&path)
            .map(Bytes::from)
            .map_err(|error| Error::new(Kind::Unreadable, format!("{}: {error}", path.display())))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join(hex(digest))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names of a new data folder durable: its own, and those in it.
pub(super) fn sync_names(folder: &Path) -> Result<(), Error> {
    let own = folder
        .canonicalize()
        .and_then(|folder| folder.parent().map_or(Ok(()), sync));
    own.and_then(|()| sync(folder))
        .map_err(|error| Error::io(format_args!("{}", folder.display()), &error))
}

/// Makes a folder's names durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_is_swept_and_what_was_stored_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("payloads");
        let payloads = Payloads::open(root.clone()).unwrap();
        payloads.put(&[7; 32], b"seven").unwrap();
        fs::write(root.join("tmp/half"), b"ha").unwrap();
        let payloads = Payloads::open(root.clone()).unwrap();
        assert_eq!(payloads.get(&[7; 32]).unwrap(), "seven");
        assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
        assert_eq!(payloads.get(&[8; 32]).unwrap_err().kind(), Kind::Unreadable);
    }

    /// A file of another length under the same name is one that a crash cut short.
    #[test]
    fn a_cut_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = Payloads::open(folder.path().join("payloads")).unwrap();
        fs::write(payloads.path(&[7; 32]), b"sev").unwrap();
        payloads.put(&[7; 32], b"seven").unwrap();
        assert_eq!(payloads.get(&[7; 32]).unwrap(), "seven");
    }
}
