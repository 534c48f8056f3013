//! Content ciphers: how a message names one, and its octets as a stream.
//!
//! | ciphers | parameters | end of the octets |
//! |---|---|---|
//! | AES-CBC (RFC 3565), 3DES, RC2 (RFC 3370) | the IV; RC2 its key length too | padding |
//! | AES-GCM (RFC 5084) | nonce, length of the tag | in AuthEnvelopedData nothing: the tag comes later. In EnvelopedData the tag |

use std::io::{self, BufRead, Read, Write};

use openssl::cipher::Cipher as Evp;
use openssl::cipher_ctx::CipherCtx;
use zeroize::Zeroizing;

use super::ber::Der;
use super::{Algorithm, der, gcm, padding, rc2, unknown};
use crate::as2::error::Error;

/// Bytes decrypted or encrypted at a time.
const CHUNK: usize = 32 * 1024;

/// Room for what a cipher held back of the bytes before.
const SPARE: usize = 32;

/// Bytes of a GCM tag that we write, and the only length that is read from everybody.
pub(crate) const TAG: usize = 16;

/// Bytes of a GCM nonce (RFC 5084 §3.2).
const NONCE: usize = 12;

/// Content ciphers. Triple DES and RC2 are read from legacy partners, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// RC2 with 40 bits in CBC mode.
    Rc2_40,
    /// RC2 with 64 bits in CBC mode.
    Rc2_64,
    /// RC2 with 128 bits in CBC mode.
    Rc2_128,
    /// 3DES in CBC mode.
    TripleDes,
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// AES-192 in CBC mode.
    Aes192Cbc,
    /// AES-256 in CBC mode, the default.
    Aes256Cbc,
    /// AES-128 in GCM, in AuthEnvelopedData.
    Aes128Gcm,
    /// AES-192 in GCM, in AuthEnvelopedData.
    Aes192Gcm,
    /// AES-256 in GCM, in AuthEnvelopedData.
    Aes256Gcm,
}

const RC2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03\x02";

/// Name, object identifier, bytes of the key.
const CIPHERS: [(Cipher, &str, &[u8], usize); 10] = [
    (Cipher::Rc2_40, "rc2-40-cbc", RC2, 5),
    (Cipher::Rc2_64, "rc2-64-cbc", RC2, 8),
    (Cipher::Rc2_128, "rc2-128-cbc", RC2, 16),
    (
        Cipher::TripleDes,
        "3des",
        b"\x2a\x86\x48\x86\xf7\x0d\x03\x07",
        24,
    ),
    (
        Cipher::Aes128Cbc,
        "aes-128-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x02",
        16,
    ),
    (
        Cipher::Aes192Cbc,
        "aes-192-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x16",
        24,
    ),
    (
        Cipher::Aes256Cbc,
        "aes-256-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a",
        32,
    ),
    (
        Cipher::Aes128Gcm,
        "aes-128-gcm",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x06",
        16,
    ),
    (
        Cipher::Aes192Gcm,
        "aes-192-gcm",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x1a",
        24,
    ),
    (
        Cipher::Aes256Gcm,
        "aes-256-gcm",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x2e",
        32,
    ),
];

impl Cipher {
    /// Every cipher, weakest first.
    pub const ALL: [Cipher; 10] = [
        Cipher::Rc2_40,
        Cipher::Rc2_64,
        Cipher::Rc2_128,
        Cipher::TripleDes,
        Cipher::Aes128Cbc,
        Cipher::Aes192Cbc,
        Cipher::Aes256Cbc,
        Cipher::Aes128Gcm,
        Cipher::Aes192Gcm,
        Cipher::Aes256Gcm,
    ];

    fn row(self) -> (&'static str, &'static [u8], usize) {
        let row = CIPHERS.iter().find(|row| row.0 == self);
        row.map_or(("", b"", 0), |row| (row.1, row.2, row.3))
    }

    /// `aes-256-cbc`, `3des`, …
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether only a legacy partner may use it.
    pub fn weak(self) -> bool {
        matches!(
            self,
            Cipher::Rc2_40 | Cipher::Rc2_64 | Cipher::Rc2_128 | Cipher::TripleDes
        )
    }

    /// Whether it authenticates what it encrypts (RFC 5083).
    pub fn authenticates(self) -> bool {
        matches!(
            self,
            Cipher::Aes128Gcm | Cipher::Aes192Gcm | Cipher::Aes256Gcm
        )
    }

    pub(crate) fn key_length(self) -> usize {
        self.row().2
    }

    fn iv_length(self) -> usize {
        match self {
            Cipher::Rc2_40 | Cipher::Rc2_64 | Cipher::Rc2_128 | Cipher::TripleDes => 8,
            _ if self.authenticates() => NONCE,
            _ => 16,
        }
    }

    /// A context that has its cipher, and waits for key and IV.
    fn context(self, decrypt: bool) -> Result<CipherCtx, Error> {
        let mut context = CipherCtx::new()?;
        let fetched;
        let cipher = match self {
            Cipher::TripleDes => Evp::des_ede3_cbc(),
            Cipher::Aes128Cbc => Evp::aes_128_cbc(),
            Cipher::Aes192Cbc => Evp::aes_192_cbc(),
            Cipher::Aes256Cbc => Evp::aes_256_cbc(),
            Cipher::Aes128Gcm => Evp::aes_128_gcm(),
            Cipher::Aes192Gcm => Evp::aes_192_gcm(),
            Cipher::Aes256Gcm => Evp::aes_256_gcm(),
            Cipher::Rc2_40 | Cipher::Rc2_64 | Cipher::Rc2_128 => {
                fetched = rc2::openssl(self.key_length() * 8)?;
                &fetched
            }
        };
        match decrypt {
            true => context.decrypt_init(Some(cipher), None, None)?,
            false => context.encrypt_init(Some(cipher), None, None)?,
        }
        Ok(context)
    }
}

impl std::fmt::Display for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Cipher {
    type Err = Error;

    /// Reads `aes-256-cbc`, `AES256`, `aes256_gcm`, `3DES`.
    fn from_str(name: &str) -> Result<Cipher, Error> {
        let bare = |name: &str| {
            let lower = name.to_ascii_lowercase().replace(['-', '_', ' '], "");
            lower.trim_end_matches("cbc").to_owned()
        };
        let row = CIPHERS.iter().find(|row| bare(row.1) == bare(name));
        row.map(|row| row.0)
            .ok_or_else(|| Error::Unsupported(format!("cipher {name:?}")))
    }
}

/// A cipher as one message uses it.
pub(crate) struct Content {
    pub(crate) cipher: Cipher,
    iv: Vec<u8>,
    /// Bytes of the tag; 0 where there is none.
    pub(crate) tag: usize,
}

impl Content {
    /// With a fresh IV or nonce.
    pub(crate) fn fresh(cipher: Cipher, entropy: &mut dyn FnMut(&mut [u8])) -> Content {
        let mut iv = vec![0; cipher.iv_length()];
        entropy(&mut iv);
        Content {
            cipher,
            iv,
            tag: if cipher.authenticates() { TAG } else { 0 },
        }
    }

    /// Reads the AlgorithmIdentifier.
    pub(crate) fn read(element: &[u8]) -> Result<Content, Error> {
        let algorithm = Algorithm::read(&mut Der::new(element))?;
        let row = CIPHERS.iter().find(|row| row.2 == algorithm.oid);
        let (mut cipher, ..) = *row.ok_or_else(|| unknown("cipher", algorithm.oid))?;
        let without = |cipher: Cipher| Error::Cms(format!("{cipher} without its IV"));
        let parameters = algorithm.parameters.ok_or_else(|| without(cipher))?;
        let (iv, tag) = match (parameters.tag, algorithm.oid) {
            (0x04, RC2) => return Err(without(cipher)),
            (0x04, _) if cipher.authenticates() => (parameters.content.to_vec(), TAG),
            (0x04, _) => (parameters.content.to_vec(), 0),
            (0x30, RC2) => {
                let mut inside = parameters.der();
                let version = inside.small()?;
                let known = CIPHERS
                    .iter()
                    .find(|row| Some(row.3 * 8) == rc2::bits(version) && row.2 == RC2);
                cipher = known
                    .map(|row| row.0)
                    .ok_or_else(|| Error::Unsupported(format!("RC2 of version {version}")))?;
                let iv = inside.expect(0x04)?.content.to_vec();
                inside.finish()?;
                (iv, 0)
            }
            (0x30, _) if cipher.authenticates() => {
                let mut inside = parameters.der();
                let nonce = inside.expect(0x04)?.content.to_vec();
                let tag = if inside.is_empty() {
                    12
                } else {
                    inside.small()?
                };
                inside.finish()?;
                (nonce, usize::from(tag))
            }
            _ => return Err(without(cipher)),
        };
        // Some old software takes as long a nonce for GCM as CBC's IV.
        let fits = match cipher.authenticates() {
            true => (NONCE..=16).contains(&iv.len()) && (12..=TAG).contains(&tag),
            false => iv.len() == cipher.iv_length(),
        };
        match fits {
            true => Ok(Content { cipher, iv, tag }),
            false => Err(Error::Cms(format!(
                "{cipher} with an IV of {} and a tag of {tag} bytes",
                iv.len()
            ))),
        }
    }

    /// The AlgorithmIdentifier; of strong ciphers only.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let iv = der::element(0x04, &[&self.iv]);
        let parameters = match self.tag {
            0 => iv,
            tag => der::element(0x30, &[&iv, &[0x02, 0x01, tag as u8]]),
        };
        der::element(0x30, &[&der::oid(self.cipher.row().1), &parameters])
    }

    /// How long `length` bytes are when they are encrypted.
    pub(crate) fn encrypted_length(&self, length: u64) -> u64 {
        let block = self.iv.len() as u64;
        match self.cipher.authenticates() {
            true => length,
            false => (length / block + 1) * block,
        }
    }

    fn context(&self, key: &[u8], decrypt: bool) -> Result<CipherCtx, Error> {
        let mut context = self.cipher.context(decrypt)?;
        if self.cipher.authenticates() && self.iv.len() != NONCE {
            context.set_iv_length(self.iv.len())?;
        }
        match decrypt {
            true => context.decrypt_init(None, Some(key), Some(&self.iv))?,
            false => context.encrypt_init(None, Some(key), Some(&self.iv))?,
        }
        Ok(context)
    }

    /// Decrypts the octets. `inside`: a tag stands at their end. Bytes come out before the end is
    /// known to be sound.
    pub(crate) fn decrypt<R: BufRead>(
        &self,
        octets: R,
        key: &Zeroizing<Vec<u8>>,
        inside: bool,
    ) -> Result<Decrypting<R>, Error> {
        let mut context = self.context(key, true)?;
        // It is taken off here: OpenSSL makes an error of a wrong one, which takes time.
        context.set_padding(false);
        Ok(Decrypting {
            source: octets,
            open: Opening {
                context,
                key: key.clone(),
                length: 0,
                tag: self.tag,
                padded: true,
            },
            end: match (self.tag, inside) {
                (0, _) => End::Padding(Vec::new()),
                (_, true) => End::Inside(Vec::new()),
                (_, false) => End::Later,
            },
            plain: Vec::new(),
            at: 0,
            ended: false,
        })
    }

    /// Encrypts what is written through the result into `out`.
    pub(crate) fn encrypt<W: Write>(&self, out: W, key: &[u8]) -> Result<Encrypting<W>, Error> {
        Ok(Encrypting {
            out,
            context: self.context(key, false)?,
            tag: self.tag,
            buffer: Vec::new(),
        })
    }
}

/// How the octets end.
enum End {
    /// With CBC's padding: these bytes of the content may hold it.
    Padding(Vec<u8>),
    /// With the tag: these bytes may be it.
    Inside(Vec<u8>),
    /// With the last byte of the content: the tag comes later, see [`Opening::verify`].
    Later,
}

/// Decrypts what is read through it.
pub(crate) struct Decrypting<R> {
    source: R,
    open: Opening,
    end: End,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

/// A stream that went by and waits for its tag.
pub(crate) struct Opening {
    context: CipherCtx,
    key: Zeroizing<Vec<u8>>,
    /// Bytes that were decrypted.
    length: u64,
    tag: usize,
    /// Whether the content ended as it has to, as far as it was read.
    padded: bool,
}

impl<R: BufRead> Decrypting<R> {
    /// What is left to do after the octets, which have been read to their end.
    pub(crate) fn opening(self) -> Opening {
        self.open
    }

    fn more(&mut self) -> Result<(), Error> {
        self.at = 0;
        let data = self.source.fill_buf()?;
        let data = &data[..data.len().min(CHUNK)];
        let taken = data.len();
        self.ended = taken == 0;
        self.plain.resize(taken + 2 * SPARE, 0);
        let length = match (&mut self.end, self.ended) {
            (End::Later, true) => 0,
            (End::Padding(held), true) => {
                // An error: the octets are no whole blocks, which anybody can see.
                let whole = self.open.context.cipher_final(&mut self.plain).is_ok();
                let (length, sound) = padding::taken_off(held);
                self.open.padded = whole & sound;
                self.plain[..length].copy_from_slice(&held[..length]);
                length
            }
            (End::Padding(held), false) => {
                let before = held.len();
                self.plain[..before].copy_from_slice(held);
                let after = self
                    .open
                    .context
                    .cipher_update(data, Some(&mut self.plain[before..]))?;
                let length = (before + after).saturating_sub(self.open.context.block_size());
                held.clear();
                held.extend_from_slice(&self.plain[length..before + after]);
                length
            }
            (End::Inside(held), true) => {
                let tag = std::mem::take(held);
                self.open.verify(b"", &tag)?;
                0
            }
            (End::Inside(held), false) => {
                held.extend_from_slice(data);
                let free = held.len().saturating_sub(self.open.tag);
                let length = self.open.update(&held[..free], &mut self.plain)?;
                held.drain(..free);
                length
            }
            (_, false) => self.open.update(data, &mut self.plain)?,
        };
        self.source.consume(taken);
        self.plain.truncate(length);
        Ok(())
    }
}

impl Opening {
    /// Whether the content ended with its padding, where it has one.
    pub(crate) fn padding(&self) -> Result<(), Error> {
        let unsound = || Error::Decryption("the last block is not sound".into());
        self.padded.then_some(()).ok_or_else(unsound)
    }

    fn update(&mut self, data: &[u8], plain: &mut Vec<u8>) -> Result<usize, Error> {
        self.length += data.len() as u64;
        if plain.len() < data.len() + SPARE {
            plain.resize(data.len() + SPARE, 0);
        }
        Ok(self.context.cipher_update(data, Some(plain))?)
    }

    /// Checks the tag over what was decrypted and the attributes, in their DER as a SET.
    pub(crate) fn verify(&mut self, attributes: &[u8], tag: &[u8]) -> Result<(), Error> {
        let unsound = || Error::Decryption("the tag is not the content's".into());
        let mut due = gcm::shift(&self.key, attributes, self.length)?;
        due.iter_mut().zip(tag).for_each(|(byte, by)| *byte ^= by);
        let length = tag.len().min(TAG);
        let known = self.context.set_tag(&due[..length]);
        let verified = known.and_then(|()| self.context.cipher_final(&mut [0; SPARE]));
        match verified {
            Ok(_) if tag.len() == self.tag => Ok(()),
            _ => Err(unsound()),
        }
    }
}

impl<R: BufRead> BufRead for Decrypting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.plain.len() && !self.ended {
            self.more().map_err(io::Error::other)?;
        }
        Ok(&self.plain[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl<R: BufRead> Read for Decrypting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        crate::as2::mime::read_from(self, out)
    }
}

/// Encrypts what is written through it.
pub(crate) struct Encrypting<W> {
    out: W,
    context: CipherCtx,
    tag: usize,
    buffer: Vec<u8>,
}

impl<W: Write> Encrypting<W> {
    /// Writes the end of the octets, and the tag as the OCTET STRING that follows them.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.buffer.resize(2 * SPARE, 0);
        let length = self.context.cipher_final(&mut self.buffer)?;
        self.out.write_all(&self.buffer[..length])?;
        if self.tag > 0 {
            let mut tag = vec![0; self.tag];
            self.context.tag(&mut tag)?;
            self.out.write_all(&der::element(0x04, &[&tag]))?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Encrypting<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let data = &data[..data.len().min(CHUNK)];
        self.buffer.resize(data.len() + SPARE, 0);
        let length = self
            .context
            .cipher_update(data, Some(&mut self.buffer))
            .map_err(io::Error::other)?;
        self.out.write_all(&self.buffer[..length])?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for cipher in Cipher::ALL {
            assert_eq!(cipher.name().parse::<Cipher>().unwrap(), cipher);
        }
        assert_eq!("AES256".parse::<Cipher>().unwrap(), Cipher::Aes256Cbc);
        assert!("aes-512-cbc".parse::<Cipher>().is_err());
    }

    #[test]
    fn cbc_ends_alike_whatever_the_pieces() {
        let content = Content::fresh(Cipher::Aes256Cbc, &mut |out| out.fill(5));
        let key = Zeroizing::new(vec![1; 32]);
        for length in [0, 1, 15, 16, 17, 100] {
            let plain = &b"0123456789".repeat(10)[..length];
            let mut sealed = Vec::new();
            let mut encrypting = content.encrypt(&mut sealed, &key).unwrap();
            encrypting.write_all(plain).unwrap();
            encrypting.finish().unwrap();
            for piece in [1, 7, 16, 17, 1000] {
                let opened = |octets: &[u8]| {
                    let octets = io::BufReader::with_capacity(piece, octets);
                    let mut back = Vec::new();
                    let mut decrypting = content.decrypt(octets, &key, false).unwrap();
                    decrypting.read_to_end(&mut back).unwrap();
                    decrypting.opening().padding().map(|()| back)
                };
                assert_eq!(opened(&sealed).unwrap(), plain);
                assert!(opened(&sealed[..sealed.len() - 1]).is_err());
                assert!(opened(&[&sealed[..], &[7; 16]].concat()).is_err());
            }
        }
    }

    #[test]
    fn a_tag_inside_is_found_whatever_the_pieces() {
        let content = Content::fresh(Cipher::Aes256Gcm, &mut |out| out.fill(5));
        let key = Zeroizing::new(vec![1; 32]);
        let plain = b"0123456789".repeat(10);
        let mut sealed = Vec::new();
        let mut encrypting = content.encrypt(&mut sealed, &key).unwrap();
        encrypting.write_all(&plain).unwrap();
        encrypting.finish().unwrap();
        // Without the head of the OCTET STRING the tag follows the octets.
        sealed.drain(plain.len()..plain.len() + 2);
        for piece in [1, 7, 16, 17, 1000] {
            let octets = io::BufReader::with_capacity(piece, sealed.as_slice());
            let mut back = Vec::new();
            let mut decrypting = content.decrypt(octets, &key, true).unwrap();
            decrypting.read_to_end(&mut back).unwrap();
            assert_eq!(back, plain);
        }
        let short = &sealed[..sealed.len() - 1];
        let mut decrypting = content.decrypt(short, &key, true).unwrap();
        assert!(decrypting.read_to_end(&mut Vec::new()).is_err());
    }
}
