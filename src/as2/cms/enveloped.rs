//! EnvelopedData (RFC 5652 §6): content encrypted with a fresh key, and that key encrypted for
//! each recipient.
//!
//! ```text
//! EnvelopedData = SEQ { version, [0] originator?, SET OF recipient,
//!                       SEQ { id-data, cipher, [0] octets }, [1] attributes? }
//! ```

use std::io::{self, BufRead, Read, Write};

use openssl::encrypt::{Decrypter, Encrypter};
use openssl::rsa::Padding;
use openssl::symm::{self, Crypter, Mode};
use zeroize::{Zeroize, Zeroizing};

use super::ber::{Ber, Der};
use super::{Algorithm, der, oid, unknown};
use crate::as2::error::Error;
use crate::as2::keys::{Certificate, Identity};
use crate::as2::mic::Digest;

/// Most recipients of one envelope: a message has one or two.
pub const RECIPIENTS: usize = 16;

/// Bytes decrypted or encrypted at a time.
const CHUNK: usize = 32 * 1024;

/// Content ciphers. Triple DES is read from legacy partners, never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// 3DES in CBC mode.
    TripleDes,
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// AES-192 in CBC mode.
    Aes192Cbc,
    /// AES-256 in CBC mode, the default.
    Aes256Cbc,
}

const CIPHERS: [(Cipher, &str, &[u8]); 4] = [
    (
        Cipher::TripleDes,
        "3des",
        b"\x2a\x86\x48\x86\xf7\x0d\x03\x07",
    ),
    (
        Cipher::Aes128Cbc,
        "aes-128-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x02",
    ),
    (
        Cipher::Aes192Cbc,
        "aes-192-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x16",
    ),
    (
        Cipher::Aes256Cbc,
        "aes-256-cbc",
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a",
    ),
];

impl Cipher {
    /// `aes-256-cbc`, `3des`, …
    pub fn name(self) -> &'static str {
        CIPHERS
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// Whether only a legacy partner may use it.
    pub fn weak(self) -> bool {
        self == Cipher::TripleDes
    }

    fn openssl(self) -> symm::Cipher {
        match self {
            Cipher::TripleDes => symm::Cipher::des_ede3_cbc(),
            Cipher::Aes128Cbc => symm::Cipher::aes_128_cbc(),
            Cipher::Aes192Cbc => symm::Cipher::aes_192_cbc(),
            Cipher::Aes256Cbc => symm::Cipher::aes_256_cbc(),
        }
    }

    fn iv_length(self) -> usize {
        self.openssl().iv_len().unwrap_or(0)
    }
}

impl std::fmt::Display for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Cipher {
    type Err = Error;

    /// Reads `aes-256-cbc`, `AES256`, `aes256_cbc`, `3DES`.
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

/// How the content key was encrypted for us.
enum Transport {
    Pkcs1,
    Oaep {
        hash: Digest,
        mgf: Digest,
        label: Vec<u8>,
    },
}

/// KeyTransRecipientInfo = SEQ { version, issuer+serial | [0] key id, algorithm, octets }
struct Recipient {
    /// Issuer and serial number, or the subject key identifier.
    name: Name,
    transport: Result<Transport, Error>,
    key: Vec<u8>,
}

/// How CMS names a certificate: DER of issuer and serial number, or the subject key identifier.
#[derive(PartialEq, Eq)]
pub(crate) enum Name {
    IssuerSerial(Vec<u8>),
    KeyId(Vec<u8>),
}

impl Name {
    /// Reads it, and the version number that goes with it has to agree.
    pub(crate) fn read(from: &mut Der<'_>, version: [u16; 2]) -> Result<Name, Error> {
        let have = from.small()?;
        let (name, due) = match from.optional(0x80)? {
            Some(key_id) => (Name::KeyId(key_id.content.to_vec()), version[1]),
            None => {
                let mut pair = from.sequence()?;
                let raw = [pair.expect(0x30)?.raw, pair.expect(0x02)?.raw].concat();
                pair.finish()?;
                (Name::IssuerSerial(raw), version[0])
            }
        };
        match have == due {
            true => Ok(name),
            false => Err(Error::Cms(format!("version {have} where {due} is due"))),
        }
    }

    pub(crate) fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Name::IssuerSerial(raw) => *raw == certificate.issuer_serial,
            Name::KeyId(id) => certificate.key_id.as_ref() == Some(id),
        }
    }

    /// For an error message: the serial number or the key identifier in hex.
    pub(crate) fn shown(&self) -> String {
        match self {
            Name::KeyId(id) => format!("key id {}", crate::as2::keys::hex(id)),
            Name::IssuerSerial(raw) => {
                let mut pair = Der::new(raw);
                let serial = pair
                    .next()
                    .and_then(|_| pair.next())
                    .map(|serial| serial.content);
                format!(
                    "serial {}",
                    crate::as2::keys::hex(serial.unwrap_or_default())
                )
            }
        }
    }
}

/// What stands before the encrypted content.
pub(crate) struct Envelope {
    version: u16,
    /// What the recipients alone make the version (0), before attributes are seen.
    plain: bool,
    recipients: Vec<Recipient>,
    pub(crate) cipher: Cipher,
    iv: Vec<u8>,
}

/// A content key, wiped when dropped, and how it came.
pub(crate) struct ContentKey {
    key: Zeroizing<Vec<u8>>,
    pub(crate) transport: String,
}

impl Envelope {
    /// Reads up to the encrypted octets, which [`Ber::octets`] with tag 80 gives next.
    pub(crate) fn read(ber: &mut Ber<'_>) -> Result<Envelope, Error> {
        ber.enter(0x30)?;
        let version = Der::new(&ber.element()?).small()?;
        let originator = ber.peek()? == Some(0xA0);
        if originator {
            ber.element()?;
        }
        let set = ber.element()?;
        let mut infos = Der::new(&set).expect(0x31)?.der();
        let (mut recipients, mut others, mut count) = (Vec::new(), 0, 0);
        while !infos.is_empty() {
            count += 1;
            if count > RECIPIENTS {
                return Err(Error::Limit {
                    what: "recipients",
                    limit: RECIPIENTS as u64,
                });
            }
            match infos.optional(0x30)? {
                Some(info) => recipients.push(Recipient::read(info.der())?),
                None => others += usize::from(infos.next()?.tag != 0),
            }
        }
        super::enter_data(ber)?;
        let (cipher, iv) = cipher(&ber.element()?)?;
        let by_issuer = |r: &Recipient| matches!(r.name, Name::IssuerSerial(_));
        let plain = !originator && others == 0 && recipients.iter().all(by_issuer);
        Ok(Envelope {
            version,
            plain,
            recipients,
            cipher,
            iv,
        })
    }

    /// Reads what follows the octets. The version number has to be the one of RFC 5652 §6.1:
    /// it is the only byte of the frame that nothing else would miss.
    pub(crate) fn finish(&self, ber: &mut Ber<'_>) -> Result<(), Error> {
        ber.leave()?;
        let attributes = ber.peek()? == Some(0xA1);
        if attributes {
            ber.element()?;
        }
        let due = if self.plain && !attributes {
            0..=0
        } else {
            2..=4
        };
        if !due.contains(&self.version) {
            return Err(Error::Cms(format!(
                "EnvelopedData of version {}",
                self.version
            )));
        }
        ber.leave()
    }

    /// The content key, for the first recipient that is one of us.
    ///
    /// When unwrapping fails the key is made from a secret of ours and the wrapped bytes, and
    /// decryption goes on with it (RFC 3218 §2.3.2): a wrong padding shows nowhere.
    ///
    /// # Errors
    /// No recipient is one of us, or the key transport is not RSA.
    pub(crate) fn content_key(&self, ours: &[Identity]) -> Result<ContentKey, Error> {
        let matching = self.recipients.iter().find_map(|recipient| {
            let us = ours.iter().find(|us| recipient.name.is(&us.certificate))?;
            Some((recipient, us))
        });
        let (recipient, us) = matching.ok_or_else(|| {
            let names = self
                .recipients
                .iter()
                .map(|recipient| recipient.name.shown());
            Error::NotForUs(names.collect::<Vec<_>>().join(", "))
        })?;
        let transport = match &recipient.transport {
            Ok(transport) => transport,
            Err(error) => return Err(Error::Unsupported(error.to_string())),
        };
        let mut key = Zeroizing::new(vec![0; self.cipher.openssl().key_len()]);
        let seed = [us.rejection.as_slice(), &recipient.key].concat();
        let mut fallback = openssl::sha::sha512(&seed);
        let length = key.len();
        key.copy_from_slice(&fallback[..length]);
        fallback.zeroize();
        Zeroizing::new(seed);
        let unwrapped = transport.unwrap(us, &recipient.key);
        if let Some(sound) = unwrapped.ok().filter(|unwrapped| unwrapped.len() == length) {
            key.copy_from_slice(&sound);
        }
        Ok(ContentKey {
            key,
            transport: transport.name(),
        })
    }

    /// The plain content of the octets. Bytes come out before the end is known to be sound.
    pub(crate) fn decrypt<R: BufRead>(
        &self,
        octets: R,
        key: &ContentKey,
    ) -> Result<Decrypting<R>, Error> {
        let cipher = self.cipher.openssl();
        let crypter = Crypter::new(cipher, Mode::Decrypt, &key.key, Some(&self.iv))?;
        Ok(Decrypting {
            source: octets,
            crypter,
            plain: Vec::new(),
            at: 0,
            ended: false,
        })
    }
}

impl Recipient {
    fn read(mut from: Der<'_>) -> Result<Recipient, Error> {
        let name = Name::read(&mut from, [0, 2])?;
        let algorithm = Algorithm::read(&mut from)?;
        let key = from.expect(0x04)?.content.to_vec();
        from.finish()?;
        Ok(Recipient {
            name,
            transport: Transport::read(&algorithm),
            key,
        })
    }
}

impl Transport {
    fn read(algorithm: &Algorithm<'_>) -> Result<Transport, Error> {
        if algorithm.oid == oid::RSA {
            return algorithm.plain().map(|()| Transport::Pkcs1);
        }
        let Some(parameters) = algorithm.parameters.filter(|_| algorithm.oid == oid::OAEP) else {
            return Err(unknown("key transport", algorithm.oid));
        };
        let mut inside = parameters.der();
        let (hash, mgf) = super::hash_and_mgf(&mut inside)?;
        let label = match inside.optional(0xA2)? {
            None => Vec::new(),
            Some(tagged) => {
                let source = Algorithm::read(&mut tagged.der())?;
                let label = source.parameters.filter(|_| source.oid == oid::P_SPECIFIED);
                label
                    .ok_or_else(|| unknown("OAEP label", source.oid))?
                    .octets()?
            }
        };
        inside.finish()?;
        Ok(Transport::Oaep { hash, mgf, label })
    }

    fn name(&self) -> String {
        match self {
            Transport::Pkcs1 => "rsa-pkcs1".to_owned(),
            Transport::Oaep { hash, .. } => format!("rsa-oaep {hash}"),
        }
    }

    fn unwrap(&self, us: &Identity, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut decrypter = Decrypter::new(&us.key)?;
        match self {
            Transport::Pkcs1 => decrypter.set_rsa_padding(Padding::PKCS1)?,
            Transport::Oaep { hash, mgf, label } => {
                decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
                decrypter.set_rsa_oaep_md(hash.openssl())?;
                decrypter.set_rsa_mgf1_md(mgf.openssl())?;
                if !label.is_empty() {
                    decrypter.set_rsa_oaep_label(label)?;
                }
            }
        }
        let mut out = Zeroizing::new(vec![0; decrypter.decrypt_len(wrapped)?]);
        let length = decrypter.decrypt(wrapped, &mut out)?;
        out.truncate(length);
        Ok(out)
    }
}

fn cipher(element: &[u8]) -> Result<(Cipher, Vec<u8>), Error> {
    let algorithm = Algorithm::read(&mut Der::new(element))?;
    let row = CIPHERS.iter().find(|row| row.2 == algorithm.oid);
    let (cipher, ..) = *row.ok_or_else(|| unknown("cipher", algorithm.oid))?;
    let iv = algorithm
        .parameters
        .filter(|iv| iv.tag == 0x04)
        .map(|iv| iv.content.to_vec());
    match iv {
        Some(iv) if iv.len() == cipher.iv_length() => Ok((cipher, iv)),
        _ => Err(Error::Cms(format!("{cipher} without its IV"))),
    }
}

/// Decrypts what is read through it.
pub(crate) struct Decrypting<R> {
    source: R,
    crypter: Crypter,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Decrypting<R> {
    fn more(&mut self) -> io::Result<()> {
        let failed = |_| io::Error::other(Error::Decryption("the last block is not sound".into()));
        self.at = 0;
        self.plain.clear();
        let data = self.source.fill_buf()?;
        let data = &data[..data.len().min(CHUNK)];
        let taken = data.len();
        self.ended = taken == 0;
        // One block beyond the input is what CBC may hold back.
        let mut plain = std::mem::take(&mut self.plain);
        plain.resize(taken + 32, 0);
        let length = match self.ended {
            true => self.crypter.finalize(&mut plain).map_err(failed)?,
            false => self.crypter.update(data, &mut plain).map_err(failed)?,
        };
        self.source.consume(taken);
        plain.truncate(length);
        self.plain = plain;
        Ok(())
    }
}

impl<R: BufRead> BufRead for Decrypting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.plain.len() && !self.ended {
            self.more()?;
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

/// Writes an EnvelopedData for one recipient around `length` bytes, which the caller writes
/// into what is returned, and then calls [`Encrypting::finish`].
pub(crate) fn write<W: Write>(
    mut out: W,
    length: u64,
    cipher: Cipher,
    recipient: &Certificate,
    entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<Encrypting<W>, Error> {
    let mut key = Zeroizing::new(vec![0; cipher.openssl().key_len()]);
    let mut iv = vec![0; cipher.iv_length()];
    entropy(&mut key);
    entropy(&mut iv);
    let mut encrypter = Encrypter::new(&recipient.key)?;
    encrypter.set_rsa_padding(Padding::PKCS1)?;
    let mut wrapped = vec![0; encrypter.encrypt_len(&key)?];
    let wrapped_length = encrypter.encrypt(&key, &mut wrapped)?;
    wrapped.truncate(wrapped_length);

    let transport = der::element(0x30, &[&der::oid(oid::RSA), &[0x05, 0x00]]);
    let name = der::element(0x30, &[&recipient.issuer_serial]);
    let key_octets = der::element(0x04, &[&wrapped]);
    let info = der::element(0x30, &[&[0x02, 0x01, 0x00], &name, &transport, &key_octets]);
    let before = [vec![0x02, 0x01, 0x00], der::element(0x31, &[&info])].concat();
    let cipher_oid = CIPHERS
        .iter()
        .find(|row| row.0 == cipher)
        .map_or(&b""[..], |row| row.2);
    let algorithm = der::element(0x30, &[&der::oid(cipher_oid), &der::element(0x04, &[&iv])]);
    let content = [der::oid(oid::DATA), algorithm].concat();
    let block = iv.len() as u64;
    let encrypted = (length / block + 1) * block;
    out.write_all(&der::beginning(
        &[
            (0x30, &der::oid(oid::ENVELOPED_DATA)),
            (0xA0, b""),
            (0x30, &before),
            (0x30, &content),
            (0x80, b""),
        ],
        encrypted,
    ))?;
    let crypter = Crypter::new(cipher.openssl(), Mode::Encrypt, &key, Some(&iv))?;
    Ok(Encrypting {
        out,
        crypter,
        buffer: Vec::new(),
    })
}

/// Encrypts what is written through it.
pub(crate) struct Encrypting<W> {
    out: W,
    crypter: Crypter,
    buffer: Vec<u8>,
}

impl<W: Write> Encrypting<W> {
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.buffer.resize(64, 0);
        let length = self.crypter.finalize(&mut self.buffer)?;
        Ok(self.out.write_all(&self.buffer[..length])?)
    }
}

impl<W: Write> Write for Encrypting<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let data = &data[..data.len().min(CHUNK)];
        self.buffer.resize(data.len() + 32, 0);
        let length = self
            .crypter
            .update(data, &mut self.buffer)
            .map_err(io::Error::other)?;
        self.out.write_all(&self.buffer[..length])?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
