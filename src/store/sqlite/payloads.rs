//! Payloads too large for a row: one file each, named by its digest.
//!
//! ```text
//! payloads/spool/…          being written by whoever hands it in; swept at start
//! payloads/ab/12cd…         two and sixty-two hex digits
//! ```
//!
//! A file is written, fsynced, renamed, and its folder fsynced before the row that names it
//! commits: after a power cut there may be a file without a row, never a row without a file. What
//! no row names is swept at start, before the first call: while the store is open, a file without
//! a row may be one whose row is on its way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::{Digest, Error, Kind, Payload, Place};

/// How old a file is that no row names before it is swept: a database that was restored beside
/// newer payloads is noticed, and can be replaced, within a day.
const ORPHAN: Duration = Duration::from_secs(24 * 60 * 60);

/// The payload folder.
#[derive(Debug)]
pub(super) struct Payloads {
    root: PathBuf,
    spool: PathBuf,
    /// Tells temporary files of equal content apart.
    turn: AtomicU64,
    /// The folders whose names are durable since this process began.
    made: Mutex<[bool; 256]>,
}

impl Payloads {
    /// Makes what is missing, and sweeps what a crash left half written.
    pub(super) fn open(root: PathBuf) -> Result<Self, Error> {
        let spool = root.join("spool");
        let prepare = || -> io::Result<()> {
            fs::create_dir_all(&spool)?;
            for entry in fs::read_dir(&spool)? {
                fs::remove_file(entry?.path())?;
            }
            sync(&root)
        };
        prepare().map_err(|error| Error::io(format_args!("{}", root.display()), &error))?;
        Ok(Self::beside(root))
    }

    /// The folder of another process, as it is.
    pub(super) fn beside(root: PathBuf) -> Self {
        Self {
            spool: root.join("spool"),
            root,
            turn: AtomicU64::new(0),
            made: Mutex::new([false; 256]),
        }
    }

    /// Where files are written that will be handed in.
    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    /// Removes files that `named` knows no row of, if they are older than a day by the disk's own
    /// clock. For the start, before anything can arrive.
    pub(super) fn sweep(
        &self,
        named: impl Fn(&Digest) -> Result<bool, Error>,
    ) -> Result<usize, Error> {
        let told = |error: &io::Error| Error::io(format_args!("{}", self.root.display()), error);
        let now = self.now().map_err(|error| told(&error))?;
        let mut swept = 0;
        for (path, digest) in self.files().map_err(|error| told(&error))? {
            if named(&digest)? {
                continue;
            }
            let modified = fs::metadata(&path).and_then(|file| file.modified());
            let modified = modified.map_err(|error| told(&error))?;
            if now.duration_since(modified).is_ok_and(|age| age > ORPHAN) {
                fs::remove_file(&path).map_err(|error| told(&error))?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// What time the disk says it is.
    fn now(&self) -> io::Result<std::time::SystemTime> {
        let path = self.spool.join("now");
        let now = File::create(&path)?.metadata()?.modified();
        fs::remove_file(path)?;
        now
    }

    /// All files that are named by a digest.
    fn files(&self) -> io::Result<Vec<(PathBuf, Digest)>> {
        let mut files = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            let first = folder.file_name().to_string_lossy().into_owned();
            if first.len() != 2 || !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let rest = file.file_name();
                let digest = unhex(&format!("{first}{}", rest.to_string_lossy()));
                files.extend(digest.map(|digest| (file.path(), digest)));
            }
        }
        Ok(files)
    }

    /// Makes a payload durable under its digest. What is there under that name already is replaced:
    /// a disk may have turned a bit of it, and the rename heals that. Blocks.
    pub(super) fn put(&self, payload: &Payload) -> Result<(), Error> {
        let (folder, path) = self.path(&payload.digest);
        let whole = || fs::metadata(&path).is_ok_and(|file| file.len() == payload.len());
        let write = || -> io::Result<()> {
            self.make(&folder, payload.digest[0])?;
            match &payload.place {
                Place::File { path: own, .. } => match fs::rename(own, &path) {
                    // One file may be a message's body and its content: it was taken before.
                    Err(error) if error.kind() == io::ErrorKind::NotFound && whole() => {}
                    renamed => renamed?,
                },
                Place::Memory(bytes) => {
                    let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                    let name = format!("{}.{turn}.{}", hex(&payload.digest), std::process::id());
                    let temporary = self.spool.join(name);
                    let written = write_synced(&temporary, bytes)
                        .and_then(|()| fs::rename(&temporary, &path));
                    if written.is_err() {
                        let _ = fs::remove_file(&temporary);
                    }
                    written?;
                }
            }
            kill!("payload-named");
            sync(&folder)
        };
        write().map_err(|error| match &payload.place {
            // Whoever handed it in went away with it; the disk is sound.
            Place::File { path: own, .. } if !own.exists() && !path.exists() => {
                Error::invalid(format!("{}: {error}", own.display()))
            }
            _ => Error::io(format_args!("{}", path.display()), &error),
        })
    }

    /// Makes the folder of a digest's first byte, its name durable.
    fn make(&self, folder: &Path, first: u8) -> io::Result<()> {
        // A flag is set last, so a panic elsewhere spoils nothing.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made[usize::from(first)] {
            fs::create_dir_all(folder)?;
            sync(&self.root)?;
            made[usize::from(first)] = true;
        }
        Ok(())
    }

    /// The file under `digest`, which has `len` bytes. Blocks.
    pub(super) fn get(&self, digest: &Digest, len: u64) -> Result<Payload, Error> {
        let (_, path) = self.path(digest);
        let unreadable =
            |why: String| Error::new(Kind::Unreadable, format!("{}: {why}", path.display()));
        let found = fs::metadata(&path).map_err(|error| unreadable(error.to_string()))?;
        if found.len() != len {
            return Err(unreadable(format!("{} bytes, not {len}", found.len())));
        }
        Ok(Payload::file(path, len, *digest))
    }

    /// The folder and the file of a digest.
    fn path(&self, digest: &Digest) -> (PathBuf, PathBuf) {
        let hex = hex(digest);
        let folder = self.root.join(&hex[..2]);
        let file = folder.join(&hex[2..]);
        (folder, file)
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

/// The digest that a name says; none where it is no digest's.
fn unhex(name: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (n, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&name[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seven() -> Payload {
        Payload::new("seven", [7; 32])
    }

    fn stored(payloads: &Payloads, digest: &Digest, len: u64) -> bytes::Bytes {
        payloads.get(digest, len).unwrap().read().unwrap()
    }

    #[test]
    fn what_a_crash_left_is_swept_and_what_was_stored_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("payloads");
        let payloads = Payloads::open(root.clone()).unwrap();
        payloads.put(&seven()).unwrap();
        fs::write(payloads.spool().join("half"), b"ha").unwrap();
        let payloads = Payloads::open(root.clone()).unwrap();
        assert_eq!(stored(&payloads, &[7; 32], 5), "seven");
        assert_eq!(fs::read_dir(payloads.spool()).unwrap().count(), 0);
        let missing = payloads.get(&[8; 32], 5).unwrap_err();
        assert_eq!(missing.kind(), Kind::Unreadable);
        let cut = payloads.get(&[7; 32], 6).unwrap_err();
        assert_eq!(cut.kind(), Kind::Unreadable);
    }

    /// A file of another length under the same name is one that a crash cut short.
    #[test]
    fn a_cut_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = Payloads::open(folder.path().join("payloads")).unwrap();
        let (within, path) = payloads.path(&[7; 32]);
        fs::create_dir(within).unwrap();
        fs::write(path, b"sev").unwrap();
        payloads.put(&seven()).unwrap();
        assert_eq!(stored(&payloads, &[7; 32], 5), "seven");
    }

    /// A file that is handed in is taken; one that a disk has rotten is healed by the next.
    #[test]
    fn a_file_is_taken_and_the_newest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = Payloads::open(folder.path().join("payloads")).unwrap();
        let [first, second] = ["a", "b"].map(|name| payloads.spool().join(name));
        for path in [&first, &second] {
            fs::write(path, b"seven").unwrap();
            payloads.put(&Payload::file(path, 5, [7; 32])).unwrap();
            assert_eq!(stored(&payloads, &[7; 32], 5), "seven");
            fs::write(payloads.path(&[7; 32]).1, b"sevex").unwrap();
        }
        assert!(!first.exists() && !second.exists());
        payloads.put(&seven()).unwrap();
        assert_eq!(stored(&payloads, &[7; 32], 5), "seven");
        assert_eq!(payloads.files().unwrap().len(), 1);
        // One that is gone ends nothing but its own call.
        let gone = payloads
            .put(&Payload::file(&first, 5, [8; 32]))
            .unwrap_err();
        assert_eq!(gone.kind(), Kind::Invalid);
    }

    /// Only what is old and has no row goes: not what has one, not what came today.
    #[test]
    fn old_orphans_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = Payloads::open(folder.path().join("payloads")).unwrap();
        let week = std::time::SystemTime::now() - 7 * ORPHAN;
        for (n, old) in [(1, true), (2, true), (3, false)] {
            payloads.put(&Payload::new("x", [n; 32])).unwrap();
            let file = File::options().write(true).open(payloads.path(&[n; 32]).1);
            if old {
                file.unwrap().set_modified(week).unwrap();
            }
        }
        let swept = payloads.sweep(|digest| Ok(digest[0] == 2)).unwrap();
        assert_eq!(swept, 1);
        let left: Vec<u8> = payloads
            .files()
            .unwrap()
            .iter()
            .map(|(_, d)| d[0])
            .collect();
        assert!(
            left.len() == 2 && left.contains(&2) && left.contains(&3),
            "{left:?}"
        );
    }
}
