//! The outside of a backup: who can read it, and that every byte is as it was written.
//!
//! ```text
//! file    = "transload backup 1" LF  lock LF  piece…
//! lock    = one line of JSON: how to come to the content key (32 bytes, fresh for each file)
//! piece   = AES-256-GCM of 65,536 bytes, or of fewer in the last, and its tag of 16 bytes
//! nonce   = 3 zeros, the piece's number (8 bytes, big-endian, from 0), 1 in the last piece or 0
//! aad     = SHA-256 of both lines
//! ```
//!
//! A piece is used only after its tag was right, pieces cannot change places, and a file without
//! its last piece is no backup. The key is locked by a passphrase (scrypt, RFC 7914, with r 8 and
//! p 1) or for the holder of a certificate's key ([`as2::lock`]).

use std::io::{self, BufRead, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::pkcs5::scrypt;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Error;
use crate::as2::{self, Certificate, Identity};
use crate::net;

/// The first line.
const MAGIC: &str = "transload backup 1\n";
/// Bytes of a piece in clear: the tag is no weight, and two of them are no memory.
const PIECE: usize = 64 << 10;
/// Bytes of a tag.
const TAG: usize = 16;
/// Bytes of a content key.
const KEY: usize = 32;
/// What a guess of a passphrase costs: 128 MiB and a third of a second (scrypt's N).
const COST: u64 = 1 << 17;
/// The largest cost that is paid for a file that says it is a backup: 1 GiB.
const MOST_COST: u64 = 1 << 20;
/// scrypt's r and p.
const BLOCK: u64 = 8;
const LANES: u64 = 1;
/// Longest second line: a CMS object for a key of 8192 bits has 1,500 bytes.
const LOCK_LINE: u64 = 16 << 10;

/// What shuts a backup.
pub enum Lock {
    /// These words.
    Passphrase(Zeroizing<String>),
    /// The key of this certificate opens it.
    Certificate(Box<Certificate>),
}

/// What opens one.
pub enum Opener {
    /// These words.
    Passphrase(Zeroizing<String>),
    /// One of these keys.
    Keys(Vec<Identity>),
}

/// The second line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "lock", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Passphrase {
        cost: u64,
        salt: String,
        key: String,
    },
    Certificate {
        fingerprint: String,
        key: String,
    },
}

/// The key of a file, and what binds its pieces to its first two lines.
#[derive(Clone)]
pub(super) struct ContentKey {
    key: Zeroizing<Vec<u8>>,
    bound: [u8; 32],
}

impl Lock {
    /// A fresh content key, and the lines that begin the file.
    pub(super) fn begin(&self) -> Result<(ContentKey, String), Error> {
        self.begin_at(COST)
    }

    fn begin_at(&self, cost: u64) -> Result<(ContentKey, String), Error> {
        let mut key = Zeroizing::new(vec![0; KEY]);
        net::entropy(&mut key);
        let line = match self {
            Lock::Passphrase(words) => {
                let mut salt = [0; 16];
                net::entropy(&mut salt);
                let over = stretched(words, &salt, cost)?;
                let mut tag = [0; TAG];
                let shut = encrypt_aead(
                    Cipher::aes_256_gcm(),
                    &over,
                    Some(&[0; 12]),
                    b"",
                    &key,
                    &mut tag,
                );
                let shut = shut.map_err(Error::broken)?;
                Line::Passphrase {
                    cost,
                    salt: BASE64.encode(salt),
                    key: BASE64.encode([shut.as_slice(), &tag].concat()),
                }
            }
            Lock::Certificate(to) => Line::Certificate {
                fingerprint: to.fingerprint().to_owned(),
                key: BASE64
                    .encode(as2::lock(&key, &[to], &mut net::entropy).map_err(Error::broken)?),
            },
        };
        let line = serde_json::to_string(&line).map_err(Error::broken)?;
        let head = format!("{MAGIC}{line}\n");
        let bound = as2::sha256(head.as_bytes());
        Ok((ContentKey { key, bound }, head))
    }
}

/// A key of words: dear to guess.
fn stretched(words: &str, salt: &[u8], cost: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = Zeroizing::new(vec![0; KEY]);
    // What it needs, and what it needs beside.
    let memory = 128 * BLOCK * (cost + LANES) + (1 << 20);
    scrypt(words.as_bytes(), salt, cost, BLOCK, LANES, memory, &mut key).map_err(Error::broken)?;
    Ok(key)
}

/// Reads the first two lines, and takes the key from behind the lock.
pub(super) fn unlocked(source: &mut impl BufRead, by: &Opener) -> Result<ContentKey, Error> {
    let head = head(source)?;
    let line = &head[MAGIC.len()..];
    let line: Line =
        serde_json::from_str(line).map_err(|_| Error::NoBackup("its lock cannot be read"))?;
    let plain = |text: &str| {
        let bytes = BASE64.decode(text);
        bytes.map_err(|_| Error::NoBackup("its lock cannot be read"))
    };
    let key = match (line, by) {
        (Line::Passphrase { cost, salt, key }, Opener::Passphrase(words)) => {
            if !cost.is_power_of_two() || !(2..=MOST_COST).contains(&cost) {
                return Err(Error::NoBackup("its lock cannot be read"));
            }
            let (salt, key) = (plain(&salt)?, plain(&key)?);
            let over = stretched(words, &salt, cost)?;
            let (shut, tag) = key.split_at_checked(KEY).ok_or(Error::WrongKey)?;
            if tag.len() != TAG {
                return Err(Error::WrongKey);
            }
            let open = decrypt_aead(Cipher::aes_256_gcm(), &over, Some(&[0; 12]), b"", shut, tag);
            Zeroizing::new(open.map_err(|_| Error::WrongKey)?)
        }
        (Line::Certificate { key, .. }, Opener::Keys(ours)) => {
            as2::unlock(&plain(&key)?, ours).map_err(|_| Error::WrongKey)?
        }
        (Line::Passphrase { .. }, Opener::Keys(_)) => return Err(Error::AsksPassphrase),
        (Line::Certificate { fingerprint, .. }, Opener::Passphrase(_)) => {
            return Err(Error::AsksKey(fingerprint));
        }
    };
    if key.len() != KEY {
        return Err(Error::WrongKey);
    }
    let bound = as2::sha256(head.as_bytes());
    Ok(ContentKey { key, bound })
}

/// Both lines, as they stand there.
pub(super) fn head(source: &mut impl BufRead) -> Result<String, Error> {
    let mut head = Vec::new();
    let mut magic = source.take(MAGIC.len() as u64);
    magic.read_to_end(&mut head).map_err(Error::reading)?;
    if head != MAGIC.as_bytes() {
        return Err(Error::NoBackup(
            "it does not begin like one of this version",
        ));
    }
    let mut line = source.take(LOCK_LINE);
    line.read_until(b'\n', &mut head).map_err(Error::reading)?;
    let head = String::from_utf8(head).map_err(|_| Error::NoBackup("its lock cannot be read"))?;
    match head.ends_with('\n') && head.len() > MAGIC.len() {
        true => Ok(head),
        false => Err(Error::NoBackup("its lock cannot be read")),
    }
}

impl ContentKey {
    fn nonce(number: u64, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = last.into();
        nonce
    }
}

/// Writes pieces. Whoever drops it without [`Sealing::finish`] leaves no backup.
pub(super) struct Sealing<W> {
    out: W,
    key: ContentKey,
    number: u64,
    held: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(out: W, key: ContentKey) -> Sealing<W> {
        let held = Vec::with_capacity(PIECE);
        Sealing {
            out,
            key,
            number: 0,
            held,
        }
    }

    fn piece(&mut self, last: bool) -> io::Result<()> {
        let mut tag = [0; TAG];
        let nonce = ContentKey::nonce(self.number, last);
        let (key, bound) = (&self.key.key, &self.key.bound);
        let shut = encrypt_aead(
            Cipher::aes_256_gcm(),
            key,
            Some(&nonce),
            bound,
            &self.held,
            &mut tag,
        )?;
        self.out.write_all(&shut)?;
        self.out.write_all(&tag)?;
        self.number += 1;
        self.held.clear();
        Ok(())
    }

    /// Writes the last piece, and gives back what it wrote to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.piece(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.held.len() == PIECE {
            self.piece(false)?;
        }
        let taken = data.len().min(PIECE - self.held.len());
        self.held.extend_from_slice(&data[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads pieces; what it gives was sealed. Its end is the end of the file, or an error.
pub(super) struct Opening<R> {
    source: R,
    key: ContentKey,
    number: u64,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Opening<R> {
    /// Behind the first two lines of `source`.
    pub(super) fn new(source: R, key: ContentKey) -> Opening<R> {
        let plain = Vec::new();
        Opening {
            source,
            key,
            number: 0,
            plain,
            at: 0,
            ended: false,
        }
    }

    fn piece(&mut self) -> io::Result<()> {
        let mut shut = Vec::with_capacity(PIECE + TAG);
        self.source
            .by_ref()
            .take((PIECE + TAG) as u64)
            .read_to_end(&mut shut)?;
        let last = self.source.fill_buf()?.is_empty();
        let turned = || io::Error::new(io::ErrorKind::InvalidData, Turned { piece: self.number });
        let at = shut.len().checked_sub(TAG).ok_or_else(turned)?;
        let (text, tag) = shut.split_at(at);
        let nonce = ContentKey::nonce(self.number, last);
        let (key, bound) = (&self.key.key, &self.key.bound);
        let open = decrypt_aead(Cipher::aes_256_gcm(), key, Some(&nonce), bound, text, tag);
        self.plain = open.map_err(|_| turned())?;
        (self.at, self.ended) = (0, last);
        self.number += 1;
        Ok(())
    }
}

impl<R: BufRead> Read for Opening<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.piece()?;
        }
        let taken = out.len().min(self.plain.len() - self.at);
        out[..taken].copy_from_slice(&self.plain[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

/// A piece that is not as it was written.
#[derive(Debug, thiserror::Error)]
#[error("the file was changed or cut short, between bytes {} and {} of its content", piece * PIECE as u64, (piece + 1) * PIECE as u64)]
pub(super) struct Turned {
    piece: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cheap to guess, for tests.
    const CHEAP: u64 = 2;

    fn words(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    fn sealed(content: &[u8]) -> Vec<u8> {
        let (key, head) = Lock::Passphrase(words("open")).begin_at(CHEAP).unwrap();
        let mut sealing = Sealing::new(head.into_bytes(), key);
        sealing.write_all(content).unwrap();
        sealing.finish().unwrap()
    }

    fn opened(file: &[u8], by: &str) -> Result<Vec<u8>, Error> {
        let mut source = file;
        let key = unlocked(&mut source, &Opener::Passphrase(words(by)))?;
        let mut content = Vec::new();
        Opening::new(source, key)
            .read_to_end(&mut content)
            .map_err(Error::reading)?;
        Ok(content)
    }

    #[test]
    fn content_of_any_length_comes_back() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Vec<u8> = (0..length).map(|n| n as u8).collect();
            assert_eq!(
                opened(&sealed(&content), "open").unwrap(),
                content,
                "{length}"
            );
        }
    }

    #[test]
    fn a_byte_that_was_turned_is_refused_wherever_it_stands() {
        let file = sealed(&[7; 300]);
        for at in 0..file.len() {
            for bit in [0x01, 0x80] {
                let mut turned = file.clone();
                turned[at] ^= bit;
                assert!(opened(&turned, "open").is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_file_that_was_cut_or_lengthened_is_refused() {
        let file = sealed(&vec![7; 2 * PIECE + 5]);
        let head = file.len() - (2 * PIECE + 5 + 3 * TAG);
        for length in [
            0,
            5,
            head,
            head + PIECE + TAG,
            head + 2 * (PIECE + TAG),
            file.len() - 1,
        ] {
            assert!(opened(&file[..length], "open").is_err(), "{length}");
        }
        assert!(opened(&[file.as_slice(), b"x"].concat(), "open").is_err());
        let mut swapped = file.clone();
        let (first, second) = (head, head + PIECE + TAG);
        swapped.copy_within(second..second + PIECE + TAG, first);
        assert!(opened(&swapped, "open").is_err());
    }

    #[test]
    fn only_its_own_words_open_it() {
        let file = sealed(b"x");
        assert!(matches!(opened(&file, "Open"), Err(Error::WrongKey)));
        let mut source = file.as_slice();
        let keys = unlocked(&mut source, &Opener::Keys(Vec::new()));
        assert!(matches!(keys, Err(Error::AsksPassphrase)));
        // A file cannot ask for all the memory that there is.
        let dear = String::from_utf8_lossy(&file).replacen("\"cost\":2", "\"cost\":1073741824", 1);
        assert!(matches!(
            opened(dear.as_bytes(), "open"),
            Err(Error::NoBackup(_))
        ));
    }
}
