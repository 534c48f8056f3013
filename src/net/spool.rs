//! Bytes on their way to disk, and back from it: many in a file, few in memory.
//!
//! ```
//! use std::io::{Read, Write};
//! use transload::net::spool::{Checked, Spool};
//!
//! let folder = tempfile::tempdir()?;
//! let mut spool = Spool::new(folder.path(), 4);
//! spool.write_all(b"ISA*00~")?;
//! let spooled = spool.finish()?;
//! let (path, digest) = (spooled.file().unwrap(), spooled.sha256().unwrap());
//!
//! let mut text = String::new();
//! Checked::new(std::fs::File::open(path)?, spooled.len(), digest).read_to_string(&mut text)?;
//! assert_eq!(text, "ISA*00~");
//!
//! // The sum tells the same, ten times as fast.
//! let mut summed = Checked::new(std::fs::File::open(path)?, spooled.len(), spooled.sum());
//! summed.read_to_string(&mut text)?;
//!
//! // What a disk has turned is not given out as a whole.
//! std::fs::write(path, "ISA*01~")?;
//! let mut turned = Checked::new(std::fs::File::open(path)?, spooled.len(), digest);
//! assert!(turned.read_to_string(&mut text).is_err());
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use openssl::sha::Sha256;
use twox_hash::XxHash3_64;
use uuid::Uuid;

/// Bytes that go to a file at a time: system calls no longer count, and the next ones are still in
/// the second-level cache.
pub const BLOCK: usize = 64 << 10;

/// The sum of bytes that are on a disk (XXH3, 64 bits): it tells whether the disk gives back what it
/// was given, at the speed of memory. Whoever can write to the disk can make another file with the
/// same one; against that stands a digest.
pub type Sum = u64;

/// What bytes are known by when they are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Their SHA-256.
    Sha256([u8; 32]),
    /// Their sum.
    Sum(Sum),
}

impl From<[u8; 32]> for Mark {
    fn from(sha256: [u8; 32]) -> Self {
        Self::Sha256(sha256)
    }
}

impl From<Sum> for Mark {
    fn from(sum: Sum) -> Self {
        Self::Sum(sum)
    }
}

/// Copies to the end, a block at a time.
///
/// # Errors
/// Where one of them fails.
pub fn copy(from: &mut (impl Read + ?Sized), to: &mut impl Write) -> io::Result<u64> {
    let (mut block, mut copied) = (vec![0; BLOCK], 0);
    loop {
        let read = match from.read(&mut block) {
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(copied);
        }
        to.write_all(&block[..read])?;
        copied += read as u64;
    }
}

/// Bytes being gathered: in memory until there are too many, then in a file. Writing blocks.
pub struct Spool {
    folder: PathBuf,
    memory: usize,
    held: Vec<u8>,
    file: Option<(BufWriter<File>, Place)>,
    sha256: Option<Sha256>,
    sum: XxHash3_64,
    len: u64,
}

impl Spool {
    /// Holds up to `memory` bytes, then makes a file in `folder`, and digests on the way.
    #[must_use]
    pub fn new(folder: &Path, memory: usize) -> Self {
        Self {
            sha256: Some(Sha256::new()),
            ..Self::undigested(folder, memory)
        }
    }

    /// The same for bytes whose digest somebody else finds.
    #[must_use]
    pub fn undigested(folder: &Path, memory: usize) -> Self {
        Self {
            folder: folder.to_path_buf(),
            memory,
            held: Vec::new(),
            file: None,
            sha256: None,
            sum: XxHash3_64::new(),
            len: 0,
        }
    }

    /// Where the file is or will be made.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The end: a file is synced.
    ///
    /// # Errors
    /// Where it cannot be; no file is left then.
    pub fn finish(self) -> io::Result<Spooled> {
        let place = match self.file {
            None => Place::Memory(self.held.into()),
            Some((file, place)) => {
                let file = file.into_inner()?;
                kill!("spool-written");
                file.sync_all()?;
                kill!("spool-synced");
                place
            }
        };
        Ok(Spooled {
            place,
            len: self.len,
            sha256: self.sha256.map(Sha256::finish),
            sum: self.sum.finish(),
        })
    }
}

impl Write for Spool {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.held.len() + data.len() > self.memory {
            let path = self.folder.join(format!("{}.part", Uuid::now_v7()));
            let mut file = BufWriter::with_capacity(BLOCK, File::create_new(&path)?);
            let place = Place::File(path);
            file.write_all(&std::mem::take(&mut self.held))?;
            self.file = Some((file, place));
        }
        match &mut self.file {
            Some((file, _)) => file.write_all(data)?,
            None => self.held.extend_from_slice(data),
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
        self.sum.write(data);
        self.len += data.len() as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Both digests of what is written into it.
#[derive(Default)]
struct Digests {
    sha256: Sha256,
    sum: XxHash3_64,
}

impl Write for Digests {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sha256.update(data);
        self.sum.write(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where gathered bytes are.
#[derive(Debug)]
enum Place {
    Memory(Bytes),
    /// A file that goes when this is dropped.
    File(PathBuf),
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::File(path) = self {
            // Gone already (it was taken), or swept at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Bytes that were gathered. A file is synced to disk, and removed when this is dropped, unless it
/// was renamed to its own place before.
#[derive(Debug)]
pub struct Spooled {
    place: Place,
    len: u64,
    sha256: Option<[u8; 32]>,
    sum: Sum,
}

impl Spooled {
    /// Bytes in memory, with their digest.
    #[must_use]
    pub fn memory_of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            len: bytes.len() as u64,
            sha256: Some(openssl::sha::sha256(&bytes)),
            sum: XxHash3_64::oneshot(&bytes),
            place: Place::Memory(bytes),
        }
    }

    /// A file that is whole and synced; it goes when this is dropped. Reads it once. Blocks.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn file_of(path: PathBuf) -> io::Result<Self> {
        let place = Place::File(path);
        let Place::File(path) = &place else {
            unreachable!("it was made one line above");
        };
        let mut digests = Digests::default();
        let len = copy(&mut File::open(path)?, &mut digests)?;
        Ok(Self {
            place,
            len,
            sha256: Some(digests.sha256.finish()),
            sum: digests.sum.finish(),
        })
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Their SHA-256, where it was found on the way.
    #[must_use]
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> Sum {
        self.sum
    }

    /// The bytes, where they are in memory.
    #[must_use]
    pub fn memory(&self) -> Option<&Bytes> {
        match &self.place {
            Place::Memory(bytes) => Some(bytes),
            Place::File(_) => None,
        }
    }

    /// The file, where it is one; renaming it keeps it.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::Memory(_) => None,
            Place::File(path) => Some(path),
        }
    }

    /// The bytes from the start, to be read as often as is needed. Reading a file blocks.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.place {
            Place::Memory(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Place::File(path) => Box::new(File::open(path)?),
        })
    }
}

/// Bytes that were stored under a mark, read again. The last of them are given only if all are
/// what was stored; an error ([`ErrorKind::InvalidData`]) comes in their place.
pub struct Checked<R> {
    inner: R,
    len: u64,
    comparing: Comparing,
    /// Where the next byte stands, and up to where they were digested, in order.
    at: u64,
    digested: u64,
    verdict: Option<bool>,
}

/// A digest on its way, and what it is due to be.
enum Comparing {
    Sha256(Sha256, [u8; 32]),
    Sum(Box<XxHash3_64>, Sum),
}

impl Comparing {
    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Sha256(digest, _) => digest.update(data),
            Self::Sum(sum, _) => sum.write(data),
        }
    }

    fn same(&self) -> bool {
        match self {
            Self::Sha256(digest, due) => digest.clone().finish() == *due,
            Self::Sum(sum, due) => sum.finish() == *due,
        }
    }
}

impl<R> Checked<R> {
    /// `len` bytes with this mark, from their start.
    pub fn new(inner: R, len: u64, mark: impl Into<Mark>) -> Self {
        Self {
            inner,
            len,
            comparing: match mark.into() {
                Mark::Sha256(due) => Comparing::Sha256(Sha256::new(), due),
                Mark::Sum(due) => Comparing::Sum(Box::default(), due),
            },
            at: 0,
            digested: 0,
            verdict: None,
        }
    }

    /// Whether they turned out to be other bytes.
    pub fn broken(&self) -> bool {
        self.verdict == Some(false)
    }

    /// What was read after `digested` bytes were digested: at the end, the verdict.
    fn digest(&mut self, data: &[u8], asked: bool) {
        self.comparing.update(data);
        self.digested += data.len() as u64;
        let cut = data.is_empty() && asked;
        if self.verdict.is_none() && (cut || self.digested >= self.len) {
            self.verdict = Some(self.comparing.same() && self.digested == self.len);
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        if self.at == self.digested && self.verdict.is_none() {
            self.digest(&out[..got], !out.is_empty());
        }
        self.at += got as u64;
        match self.broken() {
            true => Err(io::Error::new(
                ErrorKind::InvalidData,
                "the stored bytes are not what was stored",
            )),
            false => Ok(got),
        }
    }
}

impl<R: Seek> Seek for Checked<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.inner.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_stay_in_memory_and_many_leave_no_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        for (text, in_file) in [("1234", false), ("12345", true), ("", false)] {
            let mut spool = Spool::new(folder.path(), 4);
            for byte in text.bytes() {
                spool.write_all(&[byte]).unwrap();
            }
            let spooled = spool.finish().unwrap();
            assert_eq!(spooled.file().is_some(), in_file, "{text}");
            assert_eq!(files(), usize::from(in_file));
            let mut read = String::new();
            spooled.open().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!((read.as_str(), spooled.len()), (text, text.len() as u64));
            assert_eq!(
                spooled.sha256(),
                Some(openssl::sha::sha256(text.as_bytes()))
            );
            assert_eq!(spooled.sum(), XxHash3_64::oneshot(text.as_bytes()));
        }
        let mut cut = Spool::new(folder.path(), 0);
        cut.write_all(b"x").unwrap();
        assert_eq!(files(), 1);
        drop(cut);
        assert_eq!(files(), 0, "what is not finished goes");
    }

    #[test]
    fn other_bytes_are_not_given_to_their_end() {
        let sha256 = openssl::sha::sha256(b"stored");
        let sum = Spooled::memory_of("stored").sum();
        let mut text = String::new();
        for (bytes, sound) in [
            ("stored", true),
            ("store", false),
            ("stored!", false),
            ("storeD", false),
        ] {
            for mark in [Mark::Sha256(sha256), Mark::Sum(sum)] {
                let mut checked = Checked::new(bytes.as_bytes(), 6, mark);
                assert_eq!(checked.read_to_string(&mut text).is_ok(), sound, "{bytes}");
                assert_eq!(checked.broken(), !sound);
            }
        }
        let empty = openssl::sha::sha256(b"");
        Checked::new(&b""[..], 0, empty)
            .read_to_string(&mut text)
            .unwrap();
        // Looked at from the end first, and read twice.
        let mut again = Checked::new(io::Cursor::new("stored"), 6, sha256);
        assert_eq!(again.seek(SeekFrom::End(0)).unwrap(), 6);
        for _ in 0..2 {
            again.rewind().unwrap();
            let mut read = String::new();
            again.read_to_string(&mut read).unwrap();
            assert_eq!(read, "stored");
        }
    }
}
