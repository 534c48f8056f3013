//! Files that appear whole, and once.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::super::Error;
use super::inbox::{ignored, names};

/// Characters of a kind or number that go into a file name; names have 255 bytes in all.
const PART: usize = 64;
/// The folder of ids handed over.
const DELIVERED: &str = ".delivered";

/// One puts a document at a time, by the last byte of its id. Who took over the work of one that was
/// too slow may meet him here, still writing: they must not write the same file.
static TURNS: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];

fn turn(id: Uuid) -> &'static Mutex<()> {
    &TURNS[usize::from(id.as_bytes()[15]) % TURNS.len()]
}

/// Text as a part of a file name: letters, digits, `.`, `_` and `-` stay, all else becomes `-`;
/// never empty, never with a leading dot, 64 characters at most.
#[must_use]
pub fn safe(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = text.chars().map(keep).take(PART).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() {
        "none".to_owned()
    } else {
        name.to_owned()
    }
}

/// Puts a file into a folder so that it appears whole or not at all, and stays through a power
/// cut. `name` is one path component, as [`safe`] makes its parts.
///
/// # Errors
/// Where it cannot be written; a leftover starts with a dot and ends in `.tmp`.
pub fn place(folder: &Path, name: &str, mut bytes: impl Read) -> Result<PathBuf, Error> {
    let (path, tmp) = (folder.join(name), folder.join(format!(".{name}.tmp")));
    let mut write = || {
        let mut file = File::create(&tmp)?;
        io::copy(&mut bytes, &mut file)?;
        file.sync_all()?;
        fs::rename(&tmp, &path)?;
        sync(folder)
    };
    write().map_err(|source| Error {
        what: "write",
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// Makes the names of a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    if planted!("name-not-synced") {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

/// A folder that our side takes files from.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
    delivered: PathBuf,
}

impl Outbox {
    /// Opens a folder, made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let delivered = folder.join(DELIVERED);
        fs::create_dir_all(&delivered).map_err(|source| Error {
            what: "make",
            path: delivered.clone(),
            source,
        })?;
        Ok(Self { folder, delivered })
    }

    /// Puts a file here once for each id, whoever has taken it since; says where, and whether it
    /// was put before. The id is noted after the file is in its place: a crash between the two
    /// puts it there again only if it was taken meanwhile. The name should hold the id, so that
    /// the taker can tell.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put<R: Read>(
        &self,
        id: Uuid,
        name: &str,
        bytes: impl FnOnce() -> io::Result<R>,
    ) -> Result<(PathBuf, bool), Error> {
        let (path, mark) = (self.folder.join(name), self.delivered.join(id.to_string()));
        let _turn = turn(id).lock().unwrap_or_else(PoisonError::into_inner);
        if mark.exists() {
            return Ok((path, true));
        }
        let repeated = path.exists();
        if !repeated {
            let bytes = bytes().map_err(|source| Error {
                what: "write",
                path: path.clone(),
                source,
            })?;
            place(&self.folder, name, bytes)?;
        }
        let noted = File::create(&mark).and_then(|_| sync(&self.delivered));
        noted.map_err(|source| Error {
            what: "write",
            path: mark,
            source,
        })?;
        Ok((path, repeated))
    }

    /// How many files nobody has taken.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn waiting(&self) -> Result<usize, Error> {
        Ok(names(&self.folder)?
            .iter()
            .filter(|name| !ignored(name))
            .count())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Bytes that come only when somebody lets them.
    struct Held(Sender<()>, Receiver<()>);

    impl Read for Held {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.send(());
            let _ = self.1.recv();
            Ok(0)
        }
    }

    /// The first is so slow that his work is given to a second, and both go on.
    #[test]
    fn two_do_not_write_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path()).unwrap();
        let id = Uuid::from_u128(7);
        let ((begun, begins), (go, goes)) = (channel(), channel());
        std::thread::scope(|scope| {
            let outbox = &outbox;
            let slow = b"{\"a\":1}".chain(Held(begun, goes));
            let first = scope.spawn(|| outbox.put(id, "a.json", || Ok(slow)));
            begins.recv().unwrap();
            assert!(turn(id).try_lock().is_err(), "another would write as well");
            let second = scope.spawn(|| outbox.put(id, "a.json", || Ok(&b"{\"a\":1}"[..])));
            drop(go);
            assert!(!first.join().unwrap().unwrap().1);
            assert!(second.join().unwrap().unwrap().1, "it was put before");
        });
        let text = fs::read_to_string(folder.path().join("a.json")).unwrap();
        assert_eq!(text, "{\"a\":1}");
    }

    #[test]
    fn any_text_is_one_safe_component() {
        let table = [
            ("PO-1.2_3", "PO-1.2_3"),
            ("../../etc/passwd", "-..-etc-passwd"),
            ("a/b\\c:d\0e\nf", "a-b-c-d-e-f"),
            ("..", "none"),
            ("", "none"),
            ("…é", "--"),
        ];
        for (text, want) in table {
            assert_eq!(safe(text), want, "{text:?}");
        }
        assert_eq!(safe(&"x".repeat(1000)).len(), 64);
    }
}
