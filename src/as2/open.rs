//! Opening a message: layer by layer, as it streams by.
//!
//! ```text
//! entity = EnvelopedData(entity) / CompressedData(entity) / SignedData(entity)
//!        / multipart/signed(entity, signature) / payload
//! ```
//!
//! Each layer is a `Read` over the one around it, so that memory does not grow with the message.

use std::io::{self, BufRead, BufReader, Read, Write};

use chrono::{DateTime, Utc};
use openssl::sha::Sha256;

use super::cms::ber::Ber;
use super::cms::cipher::Cipher;
use super::cms::enveloped::Envelope;
use super::cms::signed::{self, SignerInfo};
use super::cms::{self, oid};
use super::compress::{self, Inflate};
use super::error::Error;
use super::headers::Headers;
use super::keys::Keys;
use super::mic::{Digest, Digested, Digests, Mic, Tee};
use super::mime::{self, Head, Value};
use super::multipart::Multipart;
use super::peel::{Kept, Layer};
use super::profile::Profile;
use super::receipt::ReceiptRequest;
use super::wrapper;

/// Most security layers around a payload: compressed, signed, encrypted, and one to spare.
pub const LAYERS: usize = 4;

/// Bytes of content that are held until their tag is known to be theirs; of more nothing is used
/// either, but they are read on the way, because what is streamed has its tag at its end.
const AUTHENTICATED: u64 = 64 * 1024;

/// How a message was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The digest of the content.
    pub digest: Digest,
    /// `rsa-pkcs1 sha-256`, `rsa-pss sha-512`, `ecdsa sha-384`, …
    pub algorithm: String,
    /// SHA-256 of the pinned certificate that it verified with.
    pub signer: String,
}

/// How a message was encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// The content cipher.
    pub cipher: Cipher,
    /// `rsa-pkcs1`, `rsa-oaep sha-256`, `ecdh sha-256 aes-128-wrap`, …
    pub key_transport: String,
    /// SHA-256 of the certificate of ours that it was encrypted to.
    pub recipient: String,
}

/// The layers that were found around the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// `encrypted`, `compressed` and `signed` in the order in which they were met, the outermost
    /// first.
    pub layers: Vec<&'static str>,
    /// The signature, verified with a pinned certificate.
    pub signed: Option<Signature>,
    /// The encryption.
    pub encrypted: Option<Encryption>,
    /// Whether it was compressed.
    pub compressed: bool,
    /// What only a legacy partner or the offline reader may do: `sha-1 signature`, …
    pub weak: Vec<String>,
}

/// A message that was opened. Its payload was written out; it may be used only now.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The layers.
    pub secured: Secured,
    /// What the receipt has to repeat (RFC 4130 §7.3.1, RFC 5402 §4): over the signed entity;
    /// or over the decrypted and decompressed entity; or over the bare content.
    pub mic: Mic,
    /// The payload's media type as it stood; `application/octet-stream` where none did.
    pub content_type: String,
    /// The payload's file name as claimed: to be shown, never a path.
    pub file_name: Option<String>,
    /// SHA-256 of the payload.
    pub payload_sha256: [u8; 32],
    /// The payload's length in bytes.
    pub payload_len: u64,
    /// The receipt that is asked for.
    pub disposition_request: Option<ReceiptRequest>,
}

impl Opened {
    /// The fingerprint of the certificate that the signature verified with.
    pub fn signer(&self) -> Option<&str> {
        let signed = self.secured.signed.as_ref();
        signed.map(|signature| signature.signer.as_str())
    }
}

/// Opens a message: decrypts, decompresses, verifies, and writes its payload while reading.
///
/// Signatures count only by `keys.theirs`; certificates inside the message prove nothing.
/// What was written to `payload` is worth nothing unless `Ok` comes back.
///
/// # Errors
/// See [`Error`]; what to answer is [`Error::disposition`]. From an envelope on, every failure is
/// [`Error::Encrypted`], apart from a weak cipher and from one that is not for us; and after a
/// recipient matched, the rest of the body has been read.
pub fn open(
    headers: &Headers,
    body: impl Read,
    payload: impl Write,
    keys: &Keys,
    profile: &Profile,
    at: DateTime<Utc>,
) -> Result<Opened, Error> {
    open_by(headers, body, payload, keys, profile, at, None)
}

/// The same, and keeps what is inside each layer, the innermost first.
pub(super) fn open_by(
    headers: &Headers,
    body: impl Read,
    mut payload: impl Write,
    keys: &Keys,
    profile: &Profile,
    at: DateTime<Utc>,
    peeled: Option<&mut Vec<Layer>>,
) -> Result<Opened, Error> {
    let request = ReceiptRequest::read(headers, profile.allows_weak());
    let mut walk = Walk {
        keys,
        profile,
        at,
        payload: &mut payload,
        peeled,
        secured: Secured::default(),
        micalg: request
            .as_ref()
            .and_then(|request| request.micalg)
            .unwrap_or(profile.micalg),
        mic: None,
        leaf: None,
        layers: 0,
        in_signature: false,
        verified: false,
    };
    let mut body = BufReader::with_capacity(64 * 1024, body);
    let head = Head {
        headers: headers.clone(),
        raw: Vec::new(),
        body_start: io::Cursor::default(),
    };
    let walked = walk
        .entity(&head, &mut body)
        .and_then(|()| walk.protected());
    if let Err(error) = walked {
        return Err(match walk.secured.encrypted {
            Some(_) => {
                walk.same_check();
                hidden(error)
            }
            None => error,
        });
    }
    let missing = || Error::Mime("a message without content".into());
    let leaf = walk.leaf.take().ok_or_else(missing)?;
    let outer_name = || mime::file_name(headers).filter(|name| !name.starts_with("smime."));
    Ok(Opened {
        mic: walk.mic.take().ok_or_else(missing)?,
        secured: walk.secured,
        content_type: leaf.content_type,
        file_name: leaf.file_name.or_else(outer_name),
        payload_sha256: leaf.sha256,
        payload_len: leaf.length,
        disposition_request: request,
    })
}

struct Walk<'w> {
    keys: &'w Keys,
    profile: &'w Profile,
    at: DateTime<Utc>,
    payload: &'w mut dyn Write,
    /// What is inside each layer, where that is asked for.
    peeled: Option<&'w mut Vec<Layer>>,
    secured: Secured,
    /// The MIC's digest where no signature says it.
    micalg: Digest,
    mic: Option<Mic>,
    leaf: Option<Leaf>,
    layers: usize,
    in_signature: bool,
    /// Whether a signature was held against a key, well or not.
    verified: bool,
}

struct Leaf {
    content_type: String,
    file_name: Option<String>,
    sha256: [u8; 32],
    length: u64,
}

impl Walk<'_> {
    /// An entity inside a layer: its header block, then what that says.
    fn inner(&mut self, source: &mut dyn BufRead) -> Result<(), Error> {
        self.layers += 1;
        if self.layers > LAYERS {
            return Err(Error::Limit {
                what: "security layers",
                limit: LAYERS as u64,
            });
        }
        let kind = self.secured.layers.last().copied().unwrap_or_default();
        let mut source = Kept::new(source, self.peeled.is_some());
        let mut head = mime::head(&mut source)?;
        let mut body = std::mem::take(&mut head.body_start).chain(&mut source);
        let read = self.entity(&head, &mut body);
        if let (Some(peeled), Some(content)) = (&mut self.peeled, source.bytes.take()) {
            peeled.push(Layer {
                kind,
                content,
                signature: None,
            });
        }
        read?;
        match source.fill_buf()?.is_empty() {
            true => Ok(()),
            false => Err(Error::Cms("bytes after the content of a layer".into())),
        }
    }

    fn entity(&mut self, head: &Head, body: &mut dyn BufRead) -> Result<(), Error> {
        let kind = head.headers.get("Content-Type").map(Value::parse);
        match kind.as_ref().map(|kind| kind.kind.as_str()) {
            Some("multipart/signed") => {
                let kind = kind.expect("the arm above has it");
                self.multipart_signed(head, &kind, body)
            }
            Some("application/pkcs7-mime" | "application/x-pkcs7-mime") => self.cms(body),
            // A recorded CMS body without its headers.
            None if self.layers == 0 && body.fill_buf()?.first() == Some(&0x30) => self.cms(body),
            _ => self.payload(head, body),
        }
    }

    /// Binary or base64 is told by the bytes, the kind by the content type inside.
    fn cms(&mut self, body: &mut dyn BufRead) -> Result<(), Error> {
        while body
            .fill_buf()?
            .first()
            .is_some_and(u8::is_ascii_whitespace)
        {
            body.consume(1);
        }
        let start = body.fill_buf()?;
        if start.first() == Some(&0x30) {
            return self.content_info(body);
        }
        // A partner that repeats the MIME headers in the HTTP body.
        if self.layers == 0
            && start
                .get(..8)
                .is_some_and(|s| s.eq_ignore_ascii_case(b"content-"))
        {
            return self.inner(body);
        }
        self.content_info(&mut mime::Base64::new(body))
    }

    fn content_info(&mut self, source: &mut dyn BufRead) -> Result<(), Error> {
        let mut ber = Ber::new(&mut *source);
        let kind = cms::enter(&mut ber)?;
        match kind.as_slice() {
            oid::ENVELOPED_DATA => self.enveloped(&mut ber, false)?,
            oid::AUTH_ENVELOPED_DATA => self.enveloped(&mut ber, true)?,
            oid::COMPRESSED_DATA => self.compressed(&mut ber)?,
            oid::SIGNED_DATA => self.opaque_signed(&mut ber)?,
            other => return Err(cms::unknown("CMS content", other)),
        }
        cms::leave(&mut ber)?;
        loop {
            let rest = source.fill_buf()?;
            if !rest.iter().all(u8::is_ascii_whitespace) {
                return Err(Error::Cms("bytes after the CMS object".into()));
            }
            match rest.len() {
                0 => return Ok(()),
                length => source.consume(length),
            }
        }
    }

    fn enveloped(&mut self, ber: &mut Ber<'_>, authenticated: bool) -> Result<(), Error> {
        if self.secured.encrypted.is_some() {
            return Err(Error::Unsupported("an envelope in an envelope".into()));
        }
        let envelope = Envelope::read(ber, authenticated).map_err(hidden)?;
        let cipher = envelope.content.cipher;
        self.allow(cipher.weak(), || cipher.name().to_owned())?;
        if let Some(oddity) = envelope.oddity() {
            let allowed = match envelope.misplaced() {
                true => self.profile.gcm_in_enveloped_data,
                false => self.profile.short_tags,
            };
            if !allowed && !self.profile.accept_anything {
                return Err(hidden(Error::Weak(oddity)));
            }
            self.secured.weak.push(oddity);
        }
        let key = envelope.content_key(&self.keys.ours);
        let key = key.map_err(|error| match error {
            Error::NotForUs(_) => error,
            error => hidden(error),
        })?;
        // From here on one answer fits all failures.
        self.secured.layers.push("encrypted");
        self.secured.encrypted = Some(Encryption {
            cipher,
            key_transport: key.transport.clone(),
            recipient: key.recipient.clone(),
        });
        let mut plain = envelope.decrypt(ber.octets(0x80)?, &key)?;
        let mut held = Vec::new();
        if cipher.authenticates() {
            let read = (&mut plain).take(AUTHENTICATED).read_to_end(&mut held);
            if read.is_err() || (held.len() as u64) < AUTHENTICATED {
                let opening = plain.opening();
                read?;
                envelope.finish(ber, opening)?;
                return self.inner(&mut held.as_slice());
            }
        }
        let mut plain = held.as_slice().chain(plain);
        let read = self.inner(&mut plain);
        if read.is_err() {
            Self::same_work(&mut plain);
        }
        let opening = plain.into_inner().1.opening();
        // A tag that does not fit says more than what its content looks like.
        let sound = envelope.finish(ber, opening);
        match (&sound, read) {
            (Err(Error::Decryption(_)), _) | (_, Ok(())) => sound,
            (_, read) => read,
        }
    }

    /// What is left to read after a failure, read all the same: decrypted, and digested as content
    /// and as payload. How long a failure takes then says little about its kind.
    fn same_work(rest: &mut dyn BufRead) {
        let mut digests = [Sha256::new(), Sha256::new()];
        while let Ok(data) = rest.fill_buf() {
            if data.is_empty() {
                break;
            }
            digests.iter_mut().for_each(|digest| digest.update(data));
            let length = data.len();
            rest.consume(length);
        }
    }

    /// A signature check where there was none: what decrypts to garbage has nothing to check, and
    /// must not be told by that.
    fn same_check(&self) {
        let keys = self.keys.ours.first().zip(self.keys.theirs.first());
        if let Some((us, pinned)) = keys.filter(|_| !self.verified) {
            let _ = signed::verify_nothing(us, pinned);
        }
    }

    fn compressed(&mut self, ber: &mut Ber<'_>) -> Result<(), Error> {
        self.secured.compressed = true;
        self.secured.layers.push("compressed");
        compress::enter(ber)?;
        let mut plain = Inflate::new(ber.octets(0x04)?, self.profile.inflated_limit);
        self.inner(&mut plain)?;
        plain.finish()?;
        compress::leave(ber)
    }

    fn opaque_signed(&mut self, ber: &mut Ber<'_>) -> Result<(), Error> {
        self.begin_signature()?;
        let mut digests = Digests::new(&signed::read_beginning(ber)?)?;
        ber.enter(0xA0)?;
        self.inner(&mut Tee::new(ber.octets(0x04)?, &mut digests))?;
        ber.leave()?;
        let signer = signed::read_end(ber)?;
        self.check(&signer, digests.finish()?)
    }

    fn multipart_signed(
        &mut self,
        head: &Head,
        kind: &Value,
        body: &mut dyn BufRead,
    ) -> Result<(), Error> {
        self.begin_signature()?;
        let encrypted = self.secured.encrypted.is_some();
        let protocol = kind
            .get("protocol")
            .unwrap_or("application/pkcs7-signature");
        if !wrapper::is_signature_type(protocol) {
            return Err(Error::Unsupported(format!(
                "signature protocol {protocol:?}"
            )));
        }
        let micalg = kind.get("micalg").and_then(Digest::parse);
        if encrypted {
            wrapper::check(head)?;
        }
        // What micalg says, and SHA-256, which it may have wrong; nothing said, everything.
        let named = micalg.map(|named| vec![named, Digest::Sha256]);
        let mut digests = Digests::new(&named.unwrap_or(Digest::ALL.to_vec()))?;
        let mut parts = Multipart::new(body, kind.get("boundary"))?;
        let first = parts
            .next()?
            .ok_or_else(|| Error::Mime("a multipart without parts".into()))?;
        self.inner(&mut Tee::new(first, &mut digests))?;
        if planted!("crlf-before-boundary-counted") {
            digests.update(b"\r\n")?;
        }
        let second = parts
            .next()?
            .ok_or_else(|| Error::Mime("multipart/signed without signature".into()))?;
        let signature = wrapper::signature(second, encrypted);
        let signed = self.peeled.as_mut().and_then(|layers| layers.last_mut());
        if let (Some(signed), Ok(signature)) = (signed, &signature) {
            signed.signature = Some(signature.clone());
        }
        // What is wrong after the signature is told after its check: in an encrypted message the
        // padding of the last block shows here, and must not show in the time that we take.
        let ended = match parts.next() {
            Ok(None) => parts.finish(encrypted),
            Ok(Some(_)) => Err(Error::Mime("multipart/signed with a third part".into())),
            Err(why) => Err(why),
        };
        let signer = signed::read_detached(&signature?);
        let checked = signer.and_then(|signer| self.check(&signer, digests.finish()?));
        ended.and(checked)
    }

    fn begin_signature(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.in_signature, true) {
            true => Err(Error::Unsupported("a signature in a signature".into())),
            false => {
                self.secured.layers.push("signed");
                Ok(())
            }
        }
    }

    /// Verifies, and applies the policy for what verified.
    fn check(&mut self, signer: &SignerInfo, content: Digested) -> Result<(), Error> {
        let verified = signer.verify(&content, &self.keys.theirs);
        let unchecked =
            |why: &Error| matches!(why, Error::UnknownSigner(_) | Error::Unsupported(_));
        self.verified = !verified.as_ref().err().is_some_and(unchecked);
        let verified = verified?;
        let digest = verified.digest;
        self.allow(digest.weak(), || format!("{digest} signature"))?;
        if let Some(weakness) = verified.signer.weakness() {
            self.allow(true, || weakness)?;
        }
        self.allow(!verified.signer.signs(), || {
            "signature by a certificate whose key usage is another".to_owned()
        })?;
        if !verified.signer.valid_at(self.at) && !planted!("expired-signer-taken") {
            let (from, to) = (verified.signer.not_before(), verified.signer.not_after());
            let problem = format!("is valid from {from} to {to}, not at {}", self.at);
            if !self.profile.accept_anything {
                return Err(Error::Validity(problem));
            }
            self.secured.weak.push(format!("certificate {problem}"));
        }
        self.mic = content.get(signer.digest()).cloned();
        self.secured.signed = Some(Signature {
            digest,
            algorithm: verified.algorithm,
            signer: verified.signer.fingerprint().to_owned(),
        });
        Ok(())
    }

    /// Notes something weak, or refuses it.
    fn allow(&mut self, weak: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
        match (weak, self.profile.allows_weak()) {
            (false, _) => Ok(()),
            (true, false) => Err(Error::Weak(what())),
            (true, true) => {
                self.secured.weak.push(what());
                Ok(())
            }
        }
    }

    fn payload(&mut self, head: &Head, body: &mut dyn BufRead) -> Result<(), Error> {
        // Inside a signature the MIC is the signature's digest.
        let wanted: &[Digest] = if self.in_signature {
            &[]
        } else {
            &[self.micalg]
        };
        let mut digests = Digests::new(wanted)?;
        if self.layers > 0 && !planted!("mic-without-headers") {
            digests.update(&mime::with_crlf(&head.raw))?;
        }
        let (mut sha256, mut length) = (Sha256::new(), 0);
        {
            let mut tee = Tee::new(body, &mut digests);
            let mut plain = mime::decoded(&head.headers, &mut tee)?;
            loop {
                let data = plain.fill_buf()?;
                let taken = data.len();
                if taken == 0 {
                    break;
                }
                sha256.update(data);
                self.payload.write_all(data)?;
                plain.consume(taken);
                length += taken as u64;
            }
        }
        let payload_digest = sha256.finish();
        let content_type = head
            .headers
            .get("Content-Type")
            .unwrap_or("application/octet-stream");
        self.leaf = Some(Leaf {
            content_type: content_type.to_owned(),
            file_name: mime::file_name(&head.headers),
            sha256: payload_digest,
            length,
        });
        if !self.in_signature {
            self.mic = digests.finish()?.get(self.micalg).cloned();
        }
        if planted!("mic-over-decoded-part") {
            self.mic = Some(Mic {
                digest: Digest::Sha256,
                value: payload_digest.to_vec(),
            });
        }
        Ok(())
    }

    /// Whether the message has the protection that was agreed.
    fn protected(&self) -> Result<(), Error> {
        let lenient = self.profile.accept_anything || planted!("less-than-agreed-accepted");
        let missing = |wanted: bool, have: bool| wanted && !have && !lenient;
        if missing(
            self.profile.require_encrypted,
            self.secured.encrypted.is_some(),
        ) {
            return Err(Error::Unprotected("encrypted"));
        }
        if missing(self.profile.require_signed, self.secured.signed.is_some()) {
            return Err(Error::Unprotected("signed"));
        }
        Ok(())
    }
}

/// In an encrypted message one answer fits all failures.
fn hidden(error: Error) -> Error {
    match error.is_ours() {
        true => error,
        false => Error::Encrypted(Box::new(error)),
    }
}
