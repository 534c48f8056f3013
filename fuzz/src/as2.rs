//! Messages and MDNs: whatever comes, nothing that we did not sign ever verifies.
//!
//! The keys in `keys/` are for this alone: they lie open, and nobody trusts them.

use std::io::Cursor;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use transload::as2::{
    self, Cipher, Compression, Disposition, Document, Headers, Identity, KeyTransport, Keys, Mdn,
    Mic, Opened, Profile, ReceiptRequest, RsaSignature, Sealed, quote_name, unquote_name,
};

const PAYLOAD: &[u8] = b"ISA*00*~GS*PO~ST*850*0001~SE*2*0001~GE*1~IEA*1~";

/// Most bytes that compressed data may grow to here.
const INFLATED: u64 = 1 << 20;

/// 2030: the keys are valid then.
fn at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(21_915)
}

struct Known {
    keys: Keys,
    sealed: Vec<(Sealed, Vec<u8>)>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let identity = |pem: &[u8]| Identity::from_pem(pem, pem).expect("a sound key");
    let rsa = identity(include_bytes!("../keys/rsa.pem"));
    let ec = identity(include_bytes!("../keys/ec.pem"));
    let pinned = |us: &Identity| us.certificate.clone();
    let keys = Keys {
        theirs: vec![pinned(&rsa), pinned(&ec)],
        ours: vec![rsa.clone(), ec.clone()],
    };
    let elliptic = Keys {
        theirs: vec![pinned(&ec), pinned(&rsa)],
        ours: vec![ec, rsa],
    };
    let standard = Profile::default();
    let profiles = [
        standard.clone(),
        Profile {
            encrypt: None,
            ..standard.clone()
        },
        Profile {
            compress: Some(Compression::BeforeSigning),
            ..standard.clone()
        },
        Profile {
            encrypt: Some(Cipher::Aes256Gcm),
            rsa_signature: RsaSignature::Pss,
            key_transport: KeyTransport::oaep(as2::Digest::Sha256),
            compress: Some(Compression::AfterSigning),
            ..standard
        },
    ];
    let by = |keys| {
        profiles
            .iter()
            .map(move |profile| seal(PAYLOAD, keys, profile))
    };
    let sealed = by(&keys).chain(by(&elliptic)).collect();
    Known { keys, sealed }
});

fn seal(payload: &[u8], keys: &Keys, profile: &Profile) -> (Sealed, Vec<u8>) {
    seal_as("text/x", payload, keys, profile)
}

fn seal_as(
    content_type: &str,
    payload: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> (Sealed, Vec<u8>) {
    let document = Document {
        content_type,
        file_name: None,
        message_id: "<1@x>",
    };
    let mut body = Vec::new();
    let mut entropy = |out: &mut [u8]| out.fill(7);
    let payload = Cursor::new(payload);
    let sealed = as2::seal(
        payload,
        &mut body,
        document,
        keys,
        profile,
        &mut entropy,
        at(),
    );
    (sealed.expect("a sound seal"), body)
}

/// Opens with everything allowed.
fn opened(headers: &Headers, body: &[u8]) -> Option<(Opened, Vec<u8>)> {
    let profile = Profile {
        inflated_limit: INFLATED,
        ..Profile::accept_anything()
    };
    let mut payload = Vec::new();
    let opened = as2::open(headers, body, &mut payload, &KNOWN.keys, &profile, at()).ok()?;
    assert_eq!(opened.payload_len, payload.len() as u64);
    Some((opened, payload))
}

/// Opens, and what verifies is what we signed.
fn never_forged(headers: &Headers, body: &[u8]) -> Option<(Opened, Vec<u8>)> {
    let opened = opened(headers, body)?;
    if opened.0.secured.signed.is_some() {
        assert_eq!(opened.1, PAYLOAD);
    }
    Some(opened)
}

/// Header blocks, and the small grammars of their values.
pub fn headers(mut bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Some(mic) = Mic::parse(text) {
            assert_eq!(Mic::parse(&mic.to_string()), Some(mic));
        }
        if let Ok(name) = unquote_name("AS2-From", text) {
            let again = unquote_name("AS2-From", &quote_name(&name));
            assert_eq!(again.ok(), Some(name));
        }
    }
    let Ok(headers) = Headers::read(&mut bytes) else {
        return;
    };
    let _ = (headers.as2_from(), headers.as2_to(), headers.message_id());
    let _ = ReceiptRequest::read(&headers, true);
    let written = headers.to_bytes();
    let again = Headers::read(&mut written.as_slice()).expect("what we wrote");
    assert_eq!(again.to_bytes(), written);
}

/// A request with its body, and the documents in it.
pub fn mime(mut bytes: &[u8]) {
    let Ok(headers) = Headers::read(&mut bytes) else {
        return;
    };
    if let Some((opened, payload)) = never_forged(&headers, bytes) {
        parts(&opened.content_type, &payload);
    }
    parts(headers.get("Content-Type").unwrap_or_default(), bytes);
}

fn parts(content_type: &str, payload: &[u8]) {
    let mut length = 0;
    let found = as2::attachments(content_type, payload, |_, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        length += bytes.len();
        Ok(())
    });
    let Ok(found) = found else { return };
    assert!(length <= payload.len());
    for name in found.iter().filter_map(|part| part.file_name.as_ref()) {
        assert!(!name.is_empty() && name.len() <= 255 && name != "..");
        assert!(!name.contains(['/', '\\', ':', '\0', '\r', '\n']));
    }
}

/// CMS. An even first byte: the rest is the body. An odd one: the rest is flipped into a message
/// that we sealed, which then fails, or still gives its payload.
pub fn cms(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        let kind = [("Content-Type", "application/pkcs7-mime")];
        never_forged(&kind.into_iter().collect(), rest);
        return;
    }
    let (sealed, body) = &KNOWN.sealed[usize::from(mode / 2) % KNOWN.sealed.len()];
    let mut body = body.clone();
    for flip in rest.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([flip[0], flip[1]])) % body.len();
        body[at] ^= flip[2];
    }
    never_forged(&sealed.headers, &body);
}

/// Layers around layers, one for each of the first four bytes, and then the rest flipped into what
/// comes out: what a partner is required to sign and encrypt is taken only if somebody whom we know
/// signed it, and then it is what he signed.
pub fn layers(bytes: &[u8]) {
    let (plan, flips) = bytes.split_at(bytes.len().min(4));
    let (mut kind, mut body) = ("text/x".to_owned(), PAYLOAD.to_vec());
    let (mut headers, mut signed) = (Headers::new(), false);
    for layer in plan {
        let profile = Profile {
            sign: (layer & 1 != 0).then_some(as2::Digest::Sha256),
            encrypt: (layer & 2 != 0).then_some(match layer & 4 {
                0 => Cipher::Aes128Cbc,
                _ => Cipher::Aes256Gcm,
            }),
            compress: (layer & 8 != 0).then_some(Compression::BeforeSigning),
            ..Profile::default()
        };
        let (sealed, out) = seal_as(&kind, &body, &KNOWN.keys, &profile);
        signed |= profile.sign.is_some();
        kind = sealed
            .headers
            .get("Content-Type")
            .unwrap_or_default()
            .to_owned();
        (headers, body) = (sealed.headers, out);
    }
    for flip in flips.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([flip[0], flip[1]])) % body.len();
        body[at] ^= flip[2];
    }
    let profile = Profile {
        inflated_limit: INFLATED,
        ..Profile::default()
    };
    let (mut payload, source) = (Vec::new(), body.as_slice());
    if as2::open(&headers, source, &mut payload, &KNOWN.keys, &profile, at()).is_ok() {
        assert!(signed && payload == PAYLOAD);
    }
}

/// Compression. An even first byte: the rest stands for zlib data inside its frame. An odd one:
/// the rest is compressed, and comes back as it was.
pub fn compress(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        let kind = [("Content-Type", "application/pkcs7-mime")];
        let read = opened(&kind.into_iter().collect(), &framed(rest));
        assert!(read.is_none_or(|(opened, _)| opened.payload_len <= INFLATED));
        return;
    }
    let profile = Profile {
        sign: None,
        encrypt: None,
        compress: Some(Compression::BeforeSigning),
        ..Profile::default()
    };
    let (sealed, body) = seal(rest, &KNOWN.keys, &profile);
    let (opened, payload) = opened(&sealed.headers, &body).expect("what we wrote");
    assert!(opened.mic == sealed.mic && payload == rest);
}

/// CompressedData around these bytes, in BER with indefinite lengths.
fn framed(zlib: &[u8]) -> Vec<u8> {
    let mut out = b"\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09\xa0\x80\
        \x30\x80\x02\x01\x00\x30\x0d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08\
        \x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80"
        .to_vec();
    for segment in zlib.chunks(100) {
        out.extend([0x04, segment.len() as u8]);
        out.extend_from_slice(segment);
    }
    out.extend([0; 12]);
    out
}

/// `Mdn::read` on anything.
pub fn mdn(mut bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let read = Disposition::parse(text);
        let again = Disposition::parse(&read.to_string());
        assert_eq!(again.is_positive(), read.is_positive());
    }
    let Ok(headers) = Headers::read(&mut bytes) else {
        return;
    };
    let profile = Profile::accept_anything();
    if let Ok(mdn) = Mdn::read(&headers, bytes, &KNOWN.keys, &profile, at()) {
        // Receipts of ours are not signed with these keys, but in the corpus.
        assert!(mdn.signature.is_none() || mdn.text.contains("fuzz"));
    }
}

/// A certificate exchange: what is read is written and read the same; its parts are certificates
/// or an error.
pub fn cem(bytes: &[u8]) {
    if let Ok(read) = as2::cem::Exchange::read(bytes) {
        let again = as2::cem::Exchange::read(read.write().as_bytes());
        assert_eq!(again.expect("what was written can be read"), read);
    }
    if let Ok(certificates) = as2::cem::unpack(bytes) {
        for one in &certificates {
            let packed = as2::cem::pack(&[one]).expect("what was read can be written");
            let again = as2::cem::unpack(&packed).expect("what was written can be read");
            assert_eq!(again[0].fingerprint(), one.fingerprint());
        }
    }
}
