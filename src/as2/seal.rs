//! Sealing a message: compressed, signed, encrypted, in that order, as it streams by.
//!
//! Every length is known before the first byte is written, so all of it is DER. What is signed
//! is written once: the bytes that are digested are the bytes that are sent.

use std::io::{self, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, Utc};

use super::cms::{enveloped, signed};
use super::compress::{self, Count};
use super::error::Error;
use super::headers::{Headers, quote_name, unbroken};
use super::keys::{Entropy, Keys, hex};
use super::mic::{Digest, Digests, Mic};
use super::mime;
use super::profile::{Profile, Receipt};

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
    mut payload: impl Read + Seek,
    mut out: impl Write,
    document: Document<'_>,
    keys: &Keys,
    profile: &Profile,
    entropy: Entropy<'_>,
    at: DateTime<Utc>,
) -> Result<Sealed, Error> {
    let weak = |what: &str| Err(Error::Weak(format!("{what} is not written, only read")));
    match (profile.sign, profile.encrypt) {
        (Some(digest), _) if digest.weak() => return weak(digest.name()),
        (_, Some(cipher)) if cipher.weak() => return weak(cipher.name()),
        _ => {}
    }
    let boundary = mime::boundary(entropy);
    let mut inner = Inner::new(&mut payload, document, profile)?;
    let signer = match profile.sign {
        Some(digest) => Some((digest, keys.signer(at)?)),
        None => None,
    };
    let layer = match signer {
        Some((digest, us)) => Layer::Signed {
            digest,
            us,
            at,
            boundary: &boundary,
            content_type: mime::signed_type(&boundary, digest),
        },
        None => Layer::Bare,
    };
    let (content_type, disposition, mic) = match profile.encrypt {
        Some(cipher) => {
            let head = layer.head(&inner);
            let length = head.len() as u64 + layer.body_length(&inner)?;
            let recipient = keys.recipient(at)?;
            let mut encrypting = enveloped::write(&mut out, length, cipher, recipient, entropy)?;
            encrypting.write_all(&head)?;
            let bare_head = matches!(layer, Layer::Bare).then_some(head.as_slice());
            let mic = layer.write(&mut encrypting, &mut inner, bare_head)?;
            encrypting.finish()?;
            let kind = "application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"";
            (kind.to_owned(), Some(mime::attachment("smime.p7m")), mic)
        }
        None => {
            let kind = layer.content_type(&inner);
            let disposition = match layer {
                Layer::Bare => inner.disposition.clone(),
                Layer::Signed { .. } => None,
            };
            (kind, disposition, layer.write(&mut out, &mut inner, None)?)
        }
    };
    out.flush()?;
    let headers = headers(document, profile, &content_type, disposition, at);
    Ok(Sealed { headers, mic })
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

/// The payload's entity: plain, or compressed.
struct Inner<'p> {
    payload: &'p mut dyn ReadSeek,
    /// The header block of the payload itself.
    payload_head: Vec<u8>,
    content_type: String,
    disposition: Option<String>,
    /// The length of the body.
    length: u64,
    compressed: bool,
    micalg: Digest,
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl<'p> Inner<'p> {
    fn new(
        payload: &'p mut dyn ReadSeek,
        document: Document<'_>,
        profile: &Profile,
    ) -> Result<Inner<'p>, Error> {
        let content_type = unbroken(document.content_type);
        let disposition = document.file_name.map(mime::attachment);
        let mut inner = Inner {
            payload_head: entity_head(&content_type, disposition.as_deref()),
            payload,
            content_type,
            disposition,
            length: 0,
            compressed: profile.compress,
            micalg: profile.micalg,
        };
        if inner.compressed {
            let mut count = Count::default();
            inner.deflate(&mut count)?;
            inner.length = count.0 + compress::beginning(count.0).len() as u64;
            inner.content_type =
                "application/pkcs7-mime; smime-type=compressed-data; name=\"smime.p7z\"".into();
            inner.disposition = Some(mime::attachment("smime.p7z"));
        } else {
            inner.length = inner.payload.seek(SeekFrom::End(0))?;
        }
        Ok(inner)
    }

    fn head(&self) -> Vec<u8> {
        entity_head(&self.content_type, self.disposition.as_deref())
    }

    fn deflate(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        compress::deflate(out, |deflating| {
            deflating.write_all(&self.payload_head)?;
            self.payload.rewind()?;
            io::copy(&mut self.payload, deflating)?;
            Ok(())
        })?;
        Ok(())
    }

    /// The body: the payload, or the CompressedData around it.
    fn write(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        if !self.compressed {
            self.payload.rewind()?;
            io::copy(&mut self.payload, out)?;
            return Ok(());
        }
        let mut count = Count::default();
        self.deflate(&mut count)?;
        out.write_all(&compress::beginning(count.0))?;
        self.deflate(out)
    }

    /// The MIC of an unsigned message: over the uncompressed entity with its headers where there
    /// is a layer, over the bare content where there is none.
    fn unsigned_mic(&mut self, layered: bool) -> Result<Mic, Error> {
        let mut digests = Digests::new(&[self.micalg])?;
        if layered {
            digests.update(&self.payload_head)?;
        }
        self.payload.rewind()?;
        io::copy(
            &mut self.payload,
            &mut Digesting {
                out: io::sink(),
                digests: &mut digests,
            },
        )?;
        only(digests, self.micalg)
    }
}

fn only(digests: Digests, digest: Digest) -> Result<Mic, Error> {
    let digested = digests.finish()?;
    Ok(digested.get(digest).expect("it was asked for").clone())
}

fn entity_head(content_type: &str, disposition: Option<&str>) -> Vec<u8> {
    let mut headers = Headers::new();
    headers.push("Content-Type", content_type);
    headers.push("Content-Transfer-Encoding", "binary");
    if let Some(disposition) = disposition {
        headers.push("Content-Disposition", disposition);
    }
    headers.to_bytes()
}

/// What stands between the payload's entity and the envelope.
enum Layer<'l> {
    Bare,
    Signed {
        digest: Digest,
        us: &'l super::keys::Identity,
        at: DateTime<Utc>,
        boundary: &'l str,
        content_type: String,
    },
}

impl Layer<'_> {
    fn content_type(&self, inner: &Inner<'_>) -> String {
        match self {
            Layer::Bare => inner.content_type.clone(),
            Layer::Signed { content_type, .. } => content_type.clone(),
        }
    }

    /// The header block inside an envelope.
    fn head(&self, inner: &Inner<'_>) -> Vec<u8> {
        match self {
            Layer::Bare => inner.head(),
            Layer::Signed { content_type, .. } => [(("Content-Type"), content_type)]
                .into_iter()
                .collect::<Headers>()
                .to_bytes(),
        }
    }

    fn body_length(&self, inner: &Inner<'_>) -> Result<u64, Error> {
        let Layer::Signed {
            boundary,
            digest,
            us,
            at,
            ..
        } = self
        else {
            return Ok(inner.length);
        };
        // An RSA signature is as long over nothing as over everything.
        let nothing = Mic {
            digest: *digest,
            value: vec![0; digest.openssl().size()],
        };
        let signature = mime::signature_part(boundary, &signed::write_unsigned(&nothing, us, *at)?);
        let around = opening(boundary).len() + inner.head().len() + signature.len();
        Ok(around as u64 + inner.length)
    }

    fn write(
        &self,
        out: &mut dyn Write,
        inner: &mut Inner<'_>,
        bare_head: Option<&[u8]>,
    ) -> Result<Mic, Error> {
        let Layer::Signed {
            boundary,
            digest,
            us,
            at,
            ..
        } = self
        else {
            inner.write(out)?;
            return inner.unsigned_mic(bare_head.is_some() || inner.compressed);
        };
        out.write_all(opening(boundary).as_bytes())?;
        let mut digests = Digests::new(&[*digest])?;
        let mut digesting = Digesting {
            out: &mut *out,
            digests: &mut digests,
        };
        digesting.write_all(&inner.head())?;
        inner.write(&mut digesting)?;
        let mic = only(digests, *digest)?;
        out.write_all(&mime::signature_part(
            boundary,
            &signed::write(&mic, us, *at)?,
        ))?;
        Ok(mic)
    }
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
