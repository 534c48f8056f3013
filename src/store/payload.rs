//! Bytes to keep: in memory where they are few, in a file where they are many.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;

use super::Digest;

/// Bytes under their SHA-256 digest, handed in to be kept or given back. The store does not
/// compute digests: who hands in a wrong one finds other bytes later, and who acts on what is given
/// back compares, because a disk may have turned a bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Their SHA-256.
    pub digest: Digest,
    /// A quicker sum of a file, where whoever handed it in found one on the way: it comes back with
    /// the file.
    pub sum: Option<u64>,
    /// Where they are.
    pub place: Place,
}

/// Where the bytes of a payload are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Here.
    Memory(Bytes),
    /// In a file. One that is handed in is whole, synced, and in [`Store::spool`](super::Store);
    /// the store takes it away where it has no such bytes yet. One that is given back is the
    /// store's own, and never changes.
    File {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
    },
}

impl Payload {
    /// Bytes in memory.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>, digest: Digest) -> Self {
        let (place, sum) = (Place::Memory(bytes.into()), None);
        Self { digest, sum, place }
    }

    /// A file of `len` bytes.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>, len: u64, digest: Digest) -> Self {
        let path = path.into();
        let (place, sum) = (Place::File { path, len }, None);
        Self { digest, sum, place }
    }

    /// The same with its sum, where there is one.
    #[must_use]
    pub fn summed(self, sum: Option<u64>) -> Self {
        Self { sum, ..self }
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File { len, .. } => *len,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from the start, as often as they are needed. Reading a file blocks.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(&self) -> io::Result<Source> {
        Ok(match &self.place {
            Place::Memory(bytes) => Source::Memory(Cursor::new(bytes.clone())),
            Place::File { path, .. } => Source::File(File::open(path)?),
        })
    }

    /// All of them at once. Blocks where it is a file: for those who know that it is small.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(&self) -> io::Result<Bytes> {
        match &self.place {
            Place::Memory(bytes) => Ok(bytes.clone()),
            Place::File { path, .. } => Ok(std::fs::read(path)?.into()),
        }
    }
}

/// A payload that is being read.
#[derive(Debug)]
pub enum Source {
    /// From memory.
    Memory(Cursor<Bytes>),
    /// From a file.
    File(File),
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(out),
            Self::File(file) => file.read(out),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => bytes.seek(to),
            Self::File(file) => file.seek(to),
        }
    }
}
