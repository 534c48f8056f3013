//! Sealing a message, layer by layer, as it streams by.
//!
//! ```text
//! message = payload, compressed?, signed?, compressed?, encrypted?     ; compressed once at most
//! ```
//!
//! Every length is known before the first byte is written, so all of it is DER. The bytes that
//! are digested are the bytes that are sent.

use std::io::{self, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, Utc};

use super::cms::cipher::Cipher;
use super::cms::enveloped::{Prepared, Wrapping};
use super::cms::signed::{self, RsaSignature};
use super::compress;
use super::error::Error;
use super::headers::{Headers, quote_name, unbroken};
use super::keys::{Entropy, Identity, Keys, hex};
use super::mic::{Digest, Digests, Mic};
use super::mime;
use super::profile::{Compression, Profile, Receipt};

/// Bytes of the payload that are read at a time.
const COPIED: usize = 32 * 1024;

/// A sealed message, apart from its body, which was written out.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The headers of the request, without those that HTTP adds (Host, Content-Length).
    pub headers: Headers,
    /// What the partner's receipt has to repeat.
    pub mic: Mic,
}

/// A fresh Message-ID, `<time-random@host>`: unique across nodes, clocks and restarts.
///
/// ```
/// let at = chrono::DateTime::UNIX_EPOCH;
/// let id = transload::as2::message_id("example.org", &mut |out| out.fill(7), at);
/// assert_eq!(id, "<19700101000000-07070707070707070707070707070707@example.org>");
/// ```
pub fn message_id(host: &str, entropy: Entropy<'_>, at: DateTime<Utc>) -> String {
    let mut random = [0; 16];
    entropy(&mut random);
    let host: String = host
        .chars()
        .filter(|c| c.is_ascii_graphic() && !"<>@".contains(*c))
        .collect();
    format!("<{}-{}@{host}>", at.format("%Y%m%d%H%M%S"), hex(&random))
}

/// What is sent, and how it is called.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its media type, such as `application/EDI-X12`.
    pub content_type: &'a str,
    /// The file name to offer.
    pub file_name: Option<&'a str>,
    /// From [`message_id`]. A repeated try sends the stored bytes, not a new seal.
    pub message_id: &'a str,
}

/// Seals a payload as the profile says and writes the request's body to `out`.
///
/// # Errors
/// No valid key or certificate, a weak algorithm (they are read, never written), or the
/// payload or `out` failed.
pub fn seal(
    payload: impl Read + Seek,
    out: impl Write,
    document: Document<'_>,
    keys: &Keys,
    profile: &Profile,
    entropy: Entropy<'_>,
    at: DateTime<Utc>,
) -> Result<Sealed, Error> {
    Sealing::new(payload, document, keys, profile, entropy, at)?.write(out)
}

/// Writes what a receipt's MIC is over, as [`seal`] digested it: the payload with its header block,
/// or that compressed, where it was compressed before it was signed.
///
/// # Errors
/// The payload or `out` failed.
pub fn digested(
    payload: impl Read + Seek,
    document: Document<'_>,
    compressed: bool,
    mut out: impl Write,
) -> Result<(), Error> {
    let mut entity = Entity::payload(payload, document)?;
    if compressed {
        let level = entity.level()?;
        entity = entity.compressed(level)?;
    }
    out.write_all(&entity.head())?;
    entity.write(&mut out)?;
    Ok(out.flush()?)
}

/// A message whose headers and length are known, before a byte of its body is written.
///
/// [`seal`] in two steps, for who has to say the headers first.
pub struct Sealing<'s> {
    entity: Entity<'s>,
    envelope: Option<Prepared>,
    headers: Headers,
    micalg: Digest,
}

impl<'s> Sealing<'s> {
    /// Prepares the message. Where it is compressed, the payload is read here for its length.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn new(
        payload: impl Read + Seek + 's,
        document: Document<'_>,
        keys: &'s Keys,
        profile: &Profile,
        entropy: Entropy<'_>,
        at: DateTime<Utc>,
    ) -> Result<Sealing<'s>, Error> {
        let weak = |what: &str| Err(Error::Weak(format!("{what} is not written, only read")));
        match (profile.sign, profile.encrypt) {
            (Some(digest), _) if digest.weak() => return weak(digest.name()),
            (_, Some(cipher)) if cipher.weak() => return weak(cipher.name()),
            _ => {}
        }
        let mut entity = Entity::payload(payload, document)?;
        let level = match profile.compress {
            Some(_) => Some(entity.level()?),
            None => None,
        };
        let boundary = mime::boundary(entropy);
        if let (Some(level), Some(Compression::BeforeSigning)) = (level, profile.compress) {
            entity = entity.compressed(level)?;
        }
        if let Some(digest) = profile.sign {
            let signing = Signing {
                digest,
                rsa: profile.rsa_signature,
                us: keys.signer(at)?,
                at,
                boundary,
                signed: None,
            };
            entity = Entity::Signed(Box::new(entity), signing);
        }
        if let (Some(level), Some(Compression::AfterSigning)) = (level, profile.compress) {
            entity = entity.compressed(level)?;
        }
        let envelope = match profile.encrypt {
            Some(cipher) => {
                let length = entity.head().len() as u64 + entity.length()?;
                Some(wrapping(cipher, keys, profile, at)?.prepare(length, entropy)?)
            }
            None => None,
        };
        let (kind, disposition) = match &envelope {
            Some(envelope) => (
                format!(
                    "application/pkcs7-mime; smime-type={}; name=\"smime.p7m\"",
                    envelope.smime_type()
                ),
                Some(mime::attachment("smime.p7m")),
            ),
            None => (entity.content_type(), entity.disposition()),
        };
        Ok(Sealing {
            entity,
            envelope,
            headers: headers(document, profile, &kind, disposition, at),
            micalg: profile.micalg,
        })
    }

    /// The headers of the request, without those that HTTP adds (Host, Content-Length).
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// How many bytes the body has.
    ///
    /// # Errors
    /// Only where OpenSSL has no memory.
    pub fn body_length(&self) -> Result<u64, Error> {
        match &self.envelope {
            Some(envelope) => Ok(envelope.length),
            None => self.entity.length(),
        }
    }

    /// Writes the body.
    ///
    /// # Errors
    /// The payload or `out` failed, or the payload is not as long any more as it was.
    pub fn write(mut self, mut out: impl Write) -> Result<Sealed, Error> {
        let layered = self.envelope.is_some();
        match self.envelope.take() {
            Some(envelope) => {
                let mut encrypting = envelope.write(&mut out)?;
                encrypting.write_all(&self.entity.head())?;
                self.entity.write(&mut encrypting)?;
                encrypting.finish()?;
            }
            None => self.entity.write(&mut out)?,
        }
        out.flush()?;
        Ok(Sealed {
            mic: self.entity.mic(self.micalg, layered)?,
            headers: self.headers,
        })
    }
}

fn wrapping<'k>(
    cipher: Cipher,
    keys: &'k Keys,
    profile: &Profile,
    at: DateTime<Utc>,
) -> Result<Wrapping<'k>, Error> {
    let mut recipients = keys.recipients(at)?;
    if !profile.encrypt_for_all {
        recipients.truncate(1);
    }
    if profile.encrypt_for_us {
        recipients.push(&keys.signer(at)?.certificate);
    }
    Ok(Wrapping {
        cipher,
        recipients,
        transport: profile.key_transport,
    })
}

fn headers(
    document: Document<'_>,
    profile: &Profile,
    content_type: &str,
    disposition: Option<String>,
    at: DateTime<Utc>,
) -> Headers {
    let mut headers = Headers::new();
    headers.push("AS2-Version", AS2_VERSION);
    headers.push("AS2-From", &quote_name(&profile.our_id));
    headers.push("AS2-To", &quote_name(&profile.their_id));
    headers.push("Message-ID", document.message_id);
    headers.push("Date", &date(at));
    headers.push("Subject", document.file_name.unwrap_or("AS2 message"));
    headers.push("MIME-Version", "1.0");
    headers.push("Content-Type", content_type);
    if let Some(disposition) = disposition {
        headers.push("Content-Disposition", &disposition);
    }
    if profile.receipt != Receipt::No {
        let host = document
            .message_id
            .rsplit_once('@')
            .map_or("", |(_, host)| host);
        let host = host.trim_end_matches('>');
        headers.push("Disposition-Notification-To", &format!("as2@{host}"));
    }
    if profile.receipt == Receipt::Signed {
        let micalg = profile.sign.unwrap_or(profile.micalg);
        let options = format!(
            "signed-receipt-protocol=optional, pkcs7-signature; \
             signed-receipt-micalg=optional, {micalg}"
        );
        headers.push("Disposition-Notification-Options", &options);
    }
    headers
}

/// What we speak: compression (1.1) and the EDIINT-Features header (1.2).
pub(crate) const AS2_VERSION: &str = "1.2";

/// RFC 5322 §3.3.
pub(crate) fn date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// What is sent, layer by layer: each has a header block and a body of known length.
enum Entity<'e> {
    Payload(Payload<'e>),
    Compressed(Box<Entity<'e>>, Compressed),
    Signed(Box<Entity<'e>>, Signing<'e>),
}

struct Payload<'e> {
    source: Box<dyn ReadSeek + 'e>,
    content_type: String,
    disposition: Option<String>,
    length: u64,
}

struct Compressed {
    level: flate2::Compression,
    /// Bytes of zlib data.
    length: u64,
    /// These bytes, where they are few.
    held: Option<Vec<u8>>,
}

struct Signing<'e> {
    digest: Digest,
    rsa: RsaSignature,
    us: &'e Identity,
    at: DateTime<Utc>,
    boundary: String,
    /// The MIC and the signature part, once the entity went by.
    signed: Option<(Mic, Vec<u8>)>,
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl<'e> Entity<'e> {
    fn payload(
        mut source: impl Read + Seek + 'e,
        document: Document<'_>,
    ) -> Result<Entity<'e>, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        Ok(Entity::Payload(Payload {
            source: Box::new(source),
            content_type: unbroken(document.content_type),
            disposition: document.file_name.map(mime::attachment),
            length,
        }))
    }

    /// The level that the payload's first bytes are worth.
    fn level(&mut self) -> Result<flate2::Compression, Error> {
        let mut beginning = Vec::new();
        let source = &mut self.innermost().source;
        source.rewind()?;
        source
            .take(compress::TRIAL as u64)
            .read_to_end(&mut beginning)?;
        compress::level(&beginning)
    }

    fn innermost(&mut self) -> &mut Payload<'e> {
        match self {
            Entity::Payload(payload) => payload,
            Entity::Compressed(inner, _) | Entity::Signed(inner, _) => inner.innermost(),
        }
    }

    fn compressed(mut self, level: flate2::Compression) -> Result<Entity<'e>, Error> {
        let held = self.deflate(level, compress::Held::default())?;
        let length = held.count;
        let held = held.whole();
        Ok(Entity::Compressed(
            Box::new(self),
            Compressed {
                level,
                length,
                held,
            },
        ))
    }

    fn deflate<W: Write>(&mut self, level: flate2::Compression, out: W) -> Result<W, Error> {
        compress::deflate(level, out, |mut deflating| {
            deflating.write_all(&self.head())?;
            self.write(&mut deflating)
        })
    }

    fn content_type(&self) -> String {
        match self {
            Entity::Payload(payload) => payload.content_type.clone(),
            Entity::Compressed(..) => {
                "application/pkcs7-mime; smime-type=compressed-data; name=\"smime.p7z\"".into()
            }
            Entity::Signed(_, signing) => mime::signed_type(&signing.boundary, signing.digest),
        }
    }

    fn disposition(&self) -> Option<String> {
        match self {
            Entity::Payload(payload) => payload.disposition.clone(),
            Entity::Compressed(..) => Some(mime::attachment("smime.p7z")),
            Entity::Signed(..) => None,
        }
    }

    /// The header block inside another layer.
    fn head(&self) -> Vec<u8> {
        let mut headers = Headers::new();
        headers.push("Content-Type", &self.content_type());
        if !matches!(self, Entity::Signed(..)) {
            headers.push("Content-Transfer-Encoding", "binary");
        }
        if let Some(disposition) = self.disposition() {
            headers.push("Content-Disposition", &disposition);
        }
        headers.to_bytes()
    }

    fn length(&self) -> Result<u64, Error> {
        Ok(match self {
            Entity::Payload(payload) => payload.length,
            Entity::Compressed(_, Compressed { length, .. }) => {
                compress::beginning(*length).len() as u64 + length
            }
            Entity::Signed(inner, signing) => {
                let around = opening(&signing.boundary).len() + signing.signature_length()?;
                (around + inner.head().len()) as u64 + inner.length()?
            }
        })
    }

    /// The body. Written twice it is the same, signature and all.
    fn write(&mut self, mut out: &mut dyn Write) -> Result<(), Error> {
        match self {
            Entity::Payload(payload) => payload.write(out),
            Entity::Compressed(inner, compressed) => {
                out.write_all(&compress::beginning(compressed.length))?;
                match &compressed.held {
                    Some(held) => out.write_all(held)?,
                    None => drop(inner.deflate(compressed.level, out)?),
                }
                Ok(())
            }
            Entity::Signed(inner, signing) => {
                out.write_all(opening(&signing.boundary).as_bytes())?;
                if let Some((_, signature)) = &signing.signed {
                    out.write_all(&inner.head())?;
                    inner.write(out)?;
                    return Ok(out.write_all(signature)?);
                }
                let mut digests = Digests::new(&[signing.digest])?;
                let mut digesting = Digesting {
                    out: &mut out,
                    digests: &mut digests,
                };
                digesting.write_all(&inner.head())?;
                inner.write(&mut digesting)?;
                Ok(out.write_all(signing.sign(only(digests, signing.digest)?)?)?)
            }
        }
    }

    /// What the receipt has to repeat: over the signed entity; or over the uncompressed entity
    /// with its headers where there is a layer, over the bare content where there is none.
    fn mic(&mut self, micalg: Digest, layered: bool) -> Result<Mic, Error> {
        match self {
            Entity::Signed(_, Signing { signed, .. }) => {
                let missing = || Error::Key("nothing was signed".into());
                Ok(signed.as_ref().ok_or_else(missing)?.0.clone())
            }
            Entity::Compressed(inner, _) => inner.mic(micalg, true),
            Entity::Payload(_) => {
                let mut digests = Digests::new(&[micalg])?;
                if layered {
                    digests.update(&self.head())?;
                }
                let mut digesting = Digesting {
                    out: io::sink(),
                    digests: &mut digests,
                };
                self.write(&mut digesting)?;
                only(digests, micalg)
            }
        }
    }
}

impl Payload<'_> {
    fn write(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        self.source.rewind()?;
        let mut buffer = vec![0; COPIED];
        let mut copied = 0;
        loop {
            let length = match self.source.read(&mut buffer) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if length == 0 {
                break;
            }
            out.write_all(&buffer[..length])?;
            copied += length as u64;
        }
        match copied == self.length {
            true => Ok(()),
            // Every length around it was told.
            false => Err(Error::Io(io::Error::other(
                "the payload changed while it was sealed",
            ))),
        }
    }
}

impl Signing<'_> {
    fn signature_length(&self) -> Result<usize, Error> {
        // As long over nothing as over everything.
        let nothing = Mic {
            digest: self.digest,
            value: vec![0; self.digest.openssl().size()],
        };
        let signature = signed::write_unsigned(self.rsa, &nothing, self.us, self.at)?;
        Ok(mime::signature_part(&self.boundary, &signature).len())
    }

    /// The signature part.
    fn sign(&mut self, mic: Mic) -> Result<&[u8], Error> {
        let signature = signed::write(self.rsa, &mic, self.us, self.at)?;
        let part = mime::signature_part(&self.boundary, &signature);
        Ok(&self.signed.insert((mic, part)).1)
    }
}

fn only(digests: Digests, digest: Digest) -> Result<Mic, Error> {
    let digested = digests.finish()?;
    Ok(digested.get(digest).expect("it was asked for").clone())
}

fn opening(boundary: &str) -> String {
    format!("--{boundary}\r\n")
}

/// Digests what is written through it.
struct Digesting<'d, W> {
    out: W,
    digests: &'d mut Digests,
}

impl<W: Write> Write for Digesting<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = self.out.write(data)?;
        self.digests
            .update(&data[..length])
            .map_err(io::Error::other)?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
