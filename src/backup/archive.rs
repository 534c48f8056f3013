//! The inside of a backup: files, one after the other.
//!
//! ```text
//! archive = file… 00 00
//! file    = length of its name (2 bytes, big-endian), name (UTF-8, parts joined by `/`),
//!           length (8 bytes), bytes, their SHA-256 (32 bytes)
//! ```
//!
//! The seal outside tells whether the file that lies somewhere is the one that was written; the
//! digests tell whether a disk gave us what it holds, on the way in and on the way out.

use std::io::{self, Read, Write};

use openssl::sha::Sha256;

use super::Error;

/// Longest name: three times what a path of ours has.
const NAME: usize = 1024;

/// Writes files.
pub(super) struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Writer<W> {
        Writer { out }
    }

    /// A file of exactly `length` bytes.
    pub(super) fn add(
        &mut self,
        name: &str,
        length: u64,
        source: impl Read,
    ) -> Result<[u8; 32], Error> {
        let size = u16::try_from(name.len())
            .ok()
            .filter(|size| usize::from(*size) <= NAME);
        let size = size.ok_or_else(|| Error::Name(name.to_owned()))?;
        let write = || -> io::Result<[u8; 32]> {
            self.out.write_all(&size.to_be_bytes())?;
            self.out.write_all(name.as_bytes())?;
            self.out.write_all(&length.to_be_bytes())?;
            let mut source = Digesting::new(source.take(length));
            let copied = io::copy(&mut source, &mut self.out)?;
            if copied != length {
                let why = format!("{name} became shorter while it was read");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            let digest = source.digest();
            self.out.write_all(&digest)?;
            Ok(digest)
        };
        write().map_err(|why| Error::Io(name.to_owned(), why))
    }

    /// A file that is in memory.
    pub(super) fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<[u8; 32], Error> {
        self.add(name, bytes.len() as u64, bytes)
    }

    /// The end.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0, 0])?;
        Ok(self.out)
    }
}

/// A file of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) digest: [u8; 32],
}

/// Reads an archive to its end, and gives each file's bytes to who `place` says; nothing but what
/// was read whole, with its digest, is told of as an entry.
pub(super) fn read<W: Write>(
    source: &mut impl Read,
    mut place: impl FnMut(&str, u64) -> Result<W, Error>,
    mut done: impl FnMut(Entry, W) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let mut size = [0; 2];
        source.read_exact(&mut size).map_err(Error::reading)?;
        let size = usize::from(u16::from_be_bytes(size));
        if size == 0 {
            break;
        }
        if size > NAME {
            return Err(Error::NoBackup("a name in it is too long"));
        }
        let mut name = vec![0; size];
        source.read_exact(&mut name).map_err(Error::reading)?;
        let name =
            String::from_utf8(name).map_err(|_| Error::NoBackup("a name in it is no text"))?;
        let mut length = [0; 8];
        source.read_exact(&mut length).map_err(Error::reading)?;
        let length = u64::from_be_bytes(length);
        let mut to = place(&name, length)?;
        let mut content = Digesting::new(source.by_ref().take(length));
        let copied = copy(&mut content, &mut to, &name)?;
        let digest = content.digest();
        let mut want = [0; 32];
        source.read_exact(&mut want).map_err(Error::reading)?;
        if copied != length || digest != want {
            return Err(Error::Digest(name));
        }
        done(Entry { name, digest }, to)?;
    }
    match io::copy(source, &mut io::sink()).map_err(Error::reading)? {
        0 => Ok(()),
        _ => Err(Error::NoBackup("something follows its end")),
    }
}

/// Copies, and tells an error of the backup from one of the disk that is written to.
fn copy(from: &mut impl Read, to: &mut impl Write, name: &str) -> Result<u64, Error> {
    let mut block = vec![0; 64 << 10];
    let mut copied = 0;
    loop {
        let read = from.read(&mut block).map_err(Error::reading)?;
        if read == 0 {
            return Ok(copied);
        }
        to.write_all(&block[..read])
            .map_err(|why| Error::Io(name.to_owned(), why))?;
        copied += read as u64;
    }
}

/// Whether a name stays in the folder that it is put in, on every system.
pub(super) fn stays(name: &str) -> bool {
    let parts = || name.split('/');
    let part = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':'])
    };
    parts().all(part) && parts().count() <= 16
}

/// Digests what is read through it.
struct Digesting<R> {
    source: R,
    digest: Sha256,
}

impl<R> Digesting<R> {
    fn new(source: R) -> Digesting<R> {
        let digest = Sha256::new();
        Digesting { source, digest }
    }

    fn digest(self) -> [u8; 32] {
        self.digest.finish()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        self.digest.update(&out[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["transload.db", "payloads/ab/cd", "partners/acme.toml"] {
            assert!(stays(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a//b",
            "a/../b",
            "a/.",
            "C:\\x",
            "a\0b",
        ] {
            assert!(!stays(name), "{name:?}");
        }
    }
}
