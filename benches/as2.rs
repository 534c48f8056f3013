//! AS2 against its floor: messages opened and sealed for each second of CPU, next to OpenSSL's own
//! CMS over the same keys and bytes, and to the raw RSA-2048 operation that each side makes once a
//! message, which no implementation can beat.
//!
//! `cargo bench --bench as2`; with `-- --brief` it only shows that it runs. With `-- --faults` it
//! makes messages wrong instead: whether faults can be told apart by the answer or by the time; a word
//! after it chooses among them.

#![allow(clippy::print_stdout)]

#[path = "as2/faults.rs"]
mod faults;

use std::hint::black_box;
use std::io::Cursor;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::encrypt::{Decrypter, Encrypter};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use transload::as2::{self, Document, Identity, Keys, Profile, Sealed};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(2);
/// The same with `--brief`.
const BRIEF: Duration = Duration::from_millis(100);

/// The time of every certificate and message here.
pub(crate) const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// CPU time of this thread where the system tells, wall time elsewhere.
fn cpu(start: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or(start.elapsed(), Duration::from_nanos)
}

/// How often each of these is done in a second of CPU. They take turns, so that what else the
/// machine does hits all of them.
fn rates<const N: usize>(span: Duration, mut works: [&mut dyn FnMut(); N]) -> [f64; N] {
    let (start, mut spent, mut counts) = (Instant::now(), [Duration::ZERO; N], [0u32; N]);
    while start.elapsed() < span * N as u32 {
        for (n, work) in works.iter_mut().enumerate() {
            let (from, begun) = (cpu(start), Instant::now());
            while begun.elapsed() < span / 20 {
                work();
                counts[n] += 1;
            }
            spent[n] += cpu(start) - from;
        }
    }
    std::array::from_fn(|n| f64::from(counts[n]) / spent[n].as_secs_f64())
}

fn payload(length: usize) -> Vec<u8> {
    b"PO1*1*12*EA*9.95**UP*012345678905~\n"
        .iter()
        .copied()
        .cycle()
        .take(length)
        .collect()
}

/// One identity that is both sides.
pub(crate) fn keys() -> Keys {
    let (from, to) = (AT - TimeDelta::days(1), AT + TimeDelta::days(1));
    let us = Identity::generate("bench", 1, from, to).expect("a fresh identity");
    Keys {
        theirs: vec![us.certificate.clone()],
        ours: vec![us],
    }
}

/// A message with its body.
pub(crate) fn seal(payload: &[u8], keys: &Keys, profile: &Profile) -> (Sealed, Vec<u8>) {
    let document = Document {
        content_type: "text/x",
        file_name: None,
        message_id: "<1@x>",
    };
    let mut body = Vec::with_capacity(payload.len() + 8192);
    let entropy = &mut transload::net::entropy;
    let source = Cursor::new(payload);
    let sealed = as2::seal(source, &mut body, document, keys, profile, entropy, AT);
    (sealed.expect("a sound seal"), body)
}

/// What stands before the entity in S/MIME.
const OPENING: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/signed; \
    protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"----b\"\r\n\r\n------b\r\n";

/// multipart/signed around an entity and its signature.
fn smime(entity: &[u8], signature: &[u8]) -> Vec<u8> {
    let head = "\r\n------b\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    let base64 = openssl::base64::encode_block(signature);
    let mut out = [OPENING.as_bytes(), entity, head.as_bytes()].concat();
    for line in base64.as_bytes().chunks(64) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"------b--\r\n");
    out
}

/// The same with OpenSSL's own CMS: signed in S/MIME form, then encrypted.
struct OpenSsl {
    key: PKey<Private>,
    x509: X509,
    others: Stack<X509>,
}

impl OpenSsl {
    fn new(keys: &Keys) -> OpenSsl {
        let us = &keys.ours[0];
        let pem = us.private_key_to_pem().expect("a key");
        let certificate = us.certificate.to_pem().expect("a certificate");
        let x509 = X509::from_pem(&certificate).expect("a certificate");
        let mut others = Stack::new().expect("a stack");
        others.push(x509.clone()).expect("a stack");
        OpenSsl {
            key: PKey::private_key_from_pem(&pem).expect("a key"),
            x509,
            others,
        }
    }

    /// The envelope, and the signature inside it.
    fn seal(&self, payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let entity = [&b"Content-Type: text/x\r\n\r\n"[..], payload].concat();
        let options = CMSOptions::BINARY | CMSOptions::DETACHED;
        let signed = CmsContentInfo::sign(
            Some(&self.x509),
            Some(&self.key),
            None,
            Some(&entity),
            options,
        );
        let signed = signed.and_then(|signed| signed.to_der());
        let signature = signed.expect("a signature");
        let whole = smime(&entity, &signature);
        let options = CMSOptions::BINARY;
        let cipher = Cipher::aes_256_cbc();
        let sealed = CmsContentInfo::encrypt(&self.others, &whole, cipher, options);
        let sealed = sealed.and_then(|sealed| sealed.to_der());
        (sealed.expect("a sound envelope"), signature)
    }

    /// As every receiver has to: decrypt, read the S/MIME, verify. Where the entity of that
    /// length stands is given for nothing; and where there is one, the signature that the S/MIME
    /// holds.
    fn open(&self, body: &[u8], entity: usize, signature: Option<&[u8]>) -> Vec<u8> {
        let envelope = CmsContentInfo::from_der(body).expect("an envelope");
        let whole = envelope.decrypt(&self.key, &self.x509).expect("a message");
        let signed = match signature {
            Some(der) => CmsContentInfo::from_der(der),
            None => CmsContentInfo::smime_read_cms(&whole),
        };
        let mut signed = signed.expect("a signature");
        let entity = &whole[OPENING.len()..OPENING.len() + entity];
        let store = X509StoreBuilder::new().expect("a store").build();
        let options = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::NOINTERN;
        let mut content = Vec::new();
        let certificates = Some(&self.others);
        signed
            .verify(
                certificates.map(|s| &**s),
                Some(&store),
                Some(entity),
                Some(&mut content),
                options,
            )
            .expect("a sound signature");
        entity.to_vec()
    }
}

/// Prints the figures.
fn run(span: Duration) {
    let keys = keys();
    let profile = Profile::default();
    let theirs = OpenSsl::new(&keys);
    let mut wrapped = vec![0; 256];
    let encrypter = Encrypter::new(&theirs.key).expect("an encrypter");
    let length = encrypter
        .encrypt(&[7; 32], &mut wrapped)
        .expect("a wrapped key");
    wrapped.truncate(length);
    for (name, length) in [("10 KB", 10_000), ("1 MB", 1_000_000)] {
        let payload = payload(length);
        let (sealed, body) = seal(&payload, &keys, &profile);
        let entity = "Content-Type: text/x\r\n\r\n".len() + length;
        let (foreign, signature) = theirs.seal(&payload);
        let [
            sign,
            unwrap,
            seals,
            their_seals,
            opens,
            their_opens,
            bare_opens,
        ] = rates(
            span,
            [
                &mut || {
                    let signer = Signer::new(MessageDigest::sha256(), &theirs.key);
                    let signature = signer.and_then(|mut signer| signer.sign_oneshot_to_vec(b"x"));
                    black_box(signature.expect("a signature"));
                },
                &mut || {
                    let mut out = [0; 512];
                    let decrypter = Decrypter::new(&theirs.key);
                    let unwrapped = decrypter.and_then(|d| d.decrypt(&wrapped, &mut out));
                    black_box(unwrapped.expect("a key"));
                },
                &mut || drop(black_box(seal(&payload, &keys, &profile))),
                &mut || drop(black_box(theirs.seal(&payload))),
                &mut || {
                    let sink = Vec::with_capacity(length);
                    let headers = &sealed.headers;
                    let opened = as2::open(headers, body.as_slice(), sink, &keys, &profile, AT);
                    black_box(opened.expect("a sound message"));
                },
                &mut || drop(black_box(theirs.open(&foreign, entity, None))),
                &mut || drop(black_box(theirs.open(&foreign, entity, Some(&signature)))),
            ],
        );
        println!(
            "{name}: {sign:.0} RSA-2048 signatures, {unwrap:.0} RSA-2048 decryptions a CPU second"
        );
        for (what, ours, theirs, raw) in [
            ("seals", seals, their_seals, sign),
            ("opens", opens, their_opens, unwrap),
        ] {
            println!(
                "{ours:>10.0} {what}: {:.2} x OpenSSL's CMS ({theirs:.0}), {:.2} x raw RSA",
                ours / theirs,
                ours / raw
            );
        }
        println!(
            "{:>10} {:.2} x OpenSSL's CMS where it is given the signature and reads no S/MIME ({bare_opens:.0}); \
             no more than {:.2} x, by its one RSA operation",
            "",
            opens / bare_opens,
            unwrap / bare_opens
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let brief = said("--brief");
    let word = words.iter().find(|word| !word.starts_with("--"));
    match said("--faults") {
        true => faults::run(
            if brief { 200 } else { 100_000 },
            word.map_or("", String::as_str),
        ),
        false => run(if brief { BRIEF } else { SPAN }),
    }
}
