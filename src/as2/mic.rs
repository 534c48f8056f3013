//! Digests, and the Message Integrity Check (RFC 4130 §7.3.1) that both sides compare.

use std::fmt;
use std::io::{self, BufRead, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::{Hasher, MessageDigest};
use openssl::sha::Sha256;

use super::error::Error;

/// The digest algorithms that AS2 partners use. MD5 and SHA-1 are read, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// MD5: the offline reader only.
    Md5,
    /// SHA-1: read from partners marked as legacy.
    Sha1,
    /// SHA-256, the default.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Every digest, weakest first.
    pub const ALL: [Digest; 5] = [
        Digest::Md5,
        Digest::Sha1,
        Digest::Sha256,
        Digest::Sha384,
        Digest::Sha512,
    ];

    /// The name as RFC 5751 §3.4.3.2 writes it in `micalg` and in a MIC.
    pub fn name(self) -> &'static str {
        match self {
            Digest::Md5 => "md5",
            Digest::Sha1 => "sha-1",
            Digest::Sha256 => "sha-256",
            Digest::Sha384 => "sha-384",
            Digest::Sha512 => "sha-512",
        }
    }

    /// Reads any spelling in the field: `sha256`, `SHA-256`, `sha_256`, `rsa-sha256`, `sha`.
    ///
    /// ```
    /// use transload::as2::Digest;
    /// assert_eq!(Digest::parse("RSA-SHA1"), Some(Digest::Sha1));
    /// assert_eq!(Digest::parse(" Sha_256"), Some(Digest::Sha256));
    /// assert_eq!(Digest::parse("crc32"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Digest> {
        let bare: String = name
            .chars()
            .filter(|c| !c.is_whitespace() && !"-_\"".contains(*c))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match bare.strip_prefix("rsa").unwrap_or(&bare) {
            "md5" => Some(Digest::Md5),
            "sha" | "sha1" => Some(Digest::Sha1),
            "sha256" => Some(Digest::Sha256),
            "sha384" => Some(Digest::Sha384),
            "sha512" => Some(Digest::Sha512),
            _ => None,
        }
    }

    /// Whether only a legacy partner may use it.
    pub fn weak(self) -> bool {
        matches!(self, Digest::Md5 | Digest::Sha1)
    }

    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Digest::Md5 => MessageDigest::md5(),
            Digest::Sha1 => MessageDigest::sha1(),
            Digest::Sha256 => MessageDigest::sha256(),
            Digest::Sha384 => MessageDigest::sha384(),
            Digest::Sha512 => MessageDigest::sha512(),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Digest {
    type Err = Error;

    fn from_str(name: &str) -> Result<Digest, Error> {
        Digest::parse(name).ok_or_else(|| Error::Unsupported(format!("digest {name:?}")))
    }
}

/// A message integrity check: what was digested stands in [`super::open()`].
#[derive(Clone, Debug)]
pub struct Mic {
    /// The algorithm.
    pub digest: Digest,
    /// The digest itself.
    pub value: Vec<u8>,
}

impl Mic {
    /// Reads `base64, algorithm` as partners write it: no blank after the comma, folded lines,
    /// no padding, any spelling of the algorithm. The lengths have to agree.
    ///
    /// ```
    /// use transload::as2::{Digest, Mic};
    /// let mic = Mic::parse("BPd3v8Q+vdx13PEe/K0egVMiJfi6DBSgmyo4\r\n mKgM5bU,SHA256").unwrap();
    /// assert_eq!(mic.digest, Digest::Sha256);
    /// assert_eq!(mic.to_string(), "BPd3v8Q+vdx13PEe/K0egVMiJfi6DBSgmyo4mKgM5bU=, sha-256");
    /// ```
    pub fn parse(text: &str) -> Option<Mic> {
        let (value, digest) = text.rsplit_once(',')?;
        let digest = Digest::parse(digest)?;
        let bare: String = value
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '=')
            .collect();
        let value = super::mime::LENIENT.decode(bare).ok()?;
        (value.len() == digest.openssl().size()).then_some(Mic { digest, value })
    }
}

impl PartialEq for Mic {
    /// Same algorithm and same value, in constant time.
    fn eq(&self, other: &Mic) -> bool {
        self.digest == other.digest
            && self.value.len() == other.value.len()
            && openssl::memcmp::eq(&self.value, &other.value)
    }
}

impl Eq for Mic {}

impl fmt::Display for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", STANDARD.encode(&self.value), self.digest)
    }
}

/// SHA-256 of bytes that are in memory: what payloads are kept under.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// A digest on its way. The usual one goes without OpenSSL's search for an algorithm of that name,
/// which costs as much as digesting a small message's attributes.
enum Hash {
    Sha256(Sha256),
    Other(Hasher),
}

impl Hash {
    fn new(digest: Digest) -> Result<Hash, Error> {
        Ok(match digest {
            Digest::Sha256 => Hash::Sha256(Sha256::new()),
            other => Hash::Other(Hasher::new(other.openssl())?),
        })
    }

    fn update(&mut self, data: &[u8]) -> Result<(), Error> {
        match self {
            Hash::Sha256(hash) => hash.update(data),
            Hash::Other(hash) => hash.update(data)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, Error> {
        Ok(match self {
            Hash::Sha256(hash) => hash.finish().to_vec(),
            Hash::Other(mut hash) => hash.finish()?.to_vec(),
        })
    }
}

/// Several digests over one stream.
pub(crate) struct Digests {
    hashers: Vec<(Digest, Hash)>,
    first: Option<u8>,
}

impl Digests {
    pub(crate) fn new(wanted: &[Digest]) -> Result<Digests, Error> {
        let mut hashers: Vec<(Digest, Hash)> = Vec::new();
        for &digest in wanted {
            if !hashers.iter().any(|(have, _)| *have == digest) {
                hashers.push((digest, Hash::new(digest)?));
            }
        }
        Ok(Digests {
            hashers,
            first: None,
        })
    }

    pub(crate) fn update(&mut self, data: &[u8]) -> Result<(), Error> {
        self.first = self.first.or(data.first().copied());
        for (_, hasher) in &mut self.hashers {
            hasher.update(data)?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Digested, Error> {
        let mut values = Vec::new();
        for (digest, hasher) in self.hashers {
            let value = hasher.finish()?;
            values.push(Mic { digest, value });
        }
        Ok(Digested {
            values,
            first: self.first,
        })
    }
}

/// What [`Digests`] gave, and the first byte they saw.
pub(crate) struct Digested {
    values: Vec<Mic>,
    /// Lets the verifier refuse content that could be a DER SET of attributes.
    pub(crate) first: Option<u8>,
}

impl Digested {
    pub(crate) fn get(&self, digest: Digest) -> Option<&Mic> {
        self.values.iter().find(|mic| mic.digest == digest)
    }
}

impl Mic {
    /// The MIC of these bytes.
    ///
    /// # Errors
    /// Only where OpenSSL has no memory.
    pub fn of(bytes: &[u8], digest: Digest) -> Result<Mic, Error> {
        let mut hash = Hash::new(digest)?;
        hash.update(bytes)?;
        let value = hash.finish()?;
        Ok(Mic { digest, value })
    }
}

/// Digests what is read through it. What `fill_buf` has shown counts as read: each layer
/// reads its source to the end.
pub(crate) struct Tee<'a, R> {
    inner: R,
    digests: &'a mut Digests,
    seen: usize,
}

impl<'a, R: BufRead> Tee<'a, R> {
    pub(crate) fn new(inner: R, digests: &'a mut Digests) -> Tee<'a, R> {
        Tee {
            inner,
            digests,
            seen: 0,
        }
    }
}

impl<R: BufRead> BufRead for Tee<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let data = self.inner.fill_buf()?;
        if data.len() > self.seen {
            self.digests
                .update(&data[self.seen..])
                .map_err(io::Error::other)?;
            self.seen = data.len();
        }
        Ok(data)
    }

    fn consume(&mut self, count: usize) {
        self.seen -= count.min(self.seen);
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Tee<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        super::mime::read_from(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mic_of_the_wrong_length_is_none() {
        assert!(Mic::parse("AAAA, sha-256").is_none());
        assert!(Mic::parse("no comma").is_none());
    }

    #[test]
    fn equality_needs_algorithm_and_value() {
        let a = Mic {
            digest: Digest::Sha256,
            value: vec![1; 32],
        };
        assert_eq!(a, a.clone());
        assert_ne!(
            a,
            Mic {
                digest: Digest::Sha256,
                value: vec![2; 32]
            }
        );
        assert_ne!(
            a,
            Mic {
                digest: Digest::Sha512,
                value: vec![1; 32]
            }
        );
    }

    #[test]
    fn every_name_is_read_back() {
        for digest in Digest::ALL {
            assert_eq!(Digest::parse(digest.name()), Some(digest));
        }
    }
}
