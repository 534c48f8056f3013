//! open(seal(p)) == p.

use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;
use transload::as2::{
    self, Cipher, Compression, Digest, Headers, KeyKind, KeyTransport, Keys, Profile, Receipt,
    RsaSignature,
};

use super::{DOCUMENT, counting, day, open, partners, partners_with, profile, seal};

/// All that may be said of compression.
const COMPRESSIONS: [Option<Compression>; 3] = [
    None,
    Some(Compression::BeforeSigning),
    Some(Compression::AfterSigning),
];

#[test]
fn every_digest_cipher_and_compression() {
    let (ours, theirs) = partners();
    let payload = b"ISA*00*~\r\nGS*PO~\n\r\n\r\n";
    for sign in [
        None,
        Some(Digest::Sha256),
        Some(Digest::Sha384),
        Some(Digest::Sha512),
    ] {
        for encrypt in [
            None,
            Some(Cipher::Aes128Cbc),
            Some(Cipher::Aes192Cbc),
            Some(Cipher::Aes256Cbc),
            Some(Cipher::Aes128Gcm),
            Some(Cipher::Aes192Gcm),
            Some(Cipher::Aes256Gcm),
        ] {
            for compress in COMPRESSIONS {
                let profile = Profile {
                    sign,
                    encrypt,
                    compress,
                    require_signed: sign.is_some(),
                    require_encrypted: encrypt.is_some(),
                    ..profile()
                };
                let (sealed, body) = seal(payload, &ours, &profile);
                let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
                assert_eq!(back, payload);
                assert_eq!(opened.mic, sealed.mic, "{sign:?} {encrypt:?} {compress:?}");
                assert_eq!(opened.secured.signed.map(|signed| signed.digest), sign);
                assert_eq!(opened.secured.encrypted.map(|e| e.cipher), encrypt);
                assert_eq!(opened.secured.compressed, compress.is_some());
                assert_eq!(opened.content_type, "application/EDI-X12");
                assert_eq!(opened.file_name.as_deref(), Some("order.edi"));
                assert!(opened.disposition_request.unwrap().signed);
            }
        }
    }
}

#[test]
fn every_key_signature_and_key_transport() {
    let rsa = |signature, transport| (KeyKind::Rsa(2048), signature, transport);
    let oaep = |hash, mgf| rsa(RsaSignature::Pss, KeyTransport::Oaep { hash, mgf });
    let plain = (RsaSignature::Pkcs1, KeyTransport::Pkcs1);
    let mut table = vec![
        (rsa(plain.0, plain.1), "rsa-pkcs1 sha-256", "rsa-pkcs1"),
        (
            rsa(RsaSignature::Pss, plain.1),
            "rsa-pss sha-256",
            "rsa-pkcs1",
        ),
        (
            (KeyKind::P256, plain.0, plain.1),
            "ecdsa sha-256",
            "ecdh sha-256 aes-256-wrap",
        ),
        (
            (KeyKind::P384, plain.0, plain.1),
            "ecdsa sha-256",
            "ecdh sha-384 aes-256-wrap",
        ),
        (
            (KeyKind::P521, plain.0, plain.1),
            "ecdsa sha-256",
            "ecdh sha-512 aes-256-wrap",
        ),
    ];
    let hashes = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    let names: Vec<_> = hashes
        .iter()
        .flat_map(|hash| hashes.map(|mgf| (*hash, mgf)))
        .map(|(hash, mgf)| {
            (
                oaep(hash, mgf),
                KeyTransport::Oaep { hash, mgf }.to_string(),
            )
        })
        .collect();
    table.extend(
        names
            .iter()
            .map(|(row, name)| (*row, "rsa-pss sha-256", name.as_str())),
    );
    let rsa = partners();
    for ((kind, rsa_signature, key_transport), signed, transported) in table {
        let (ours, theirs) = match kind {
            KeyKind::Rsa(_) => rsa.clone(),
            _ => partners_with(kind),
        };
        let profile = Profile {
            rsa_signature,
            key_transport,
            ..profile()
        };
        let (sealed, body) = seal(b"ISA*00*~", &ours, &profile);
        let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
        assert_eq!(back, b"ISA*00*~");
        assert_eq!(opened.mic, sealed.mic);
        assert_eq!(opened.secured.signed.unwrap().algorithm, signed);
        assert_eq!(opened.secured.encrypted.unwrap().key_transport, transported);
        assert_eq!(opened.secured.weak, Vec::<String>::new());
    }
}

#[test]
fn each_of_several_recipients_opens_it() {
    let (ours, theirs) = partners();
    let (_, elliptic) = partners_with(KeyKind::P256);
    let (_, other) = partners_with(KeyKind::P384);
    let pinned = |them: &Keys| them.ours[0].certificate.clone();
    let keys = Keys {
        theirs: vec![pinned(&elliptic), pinned(&other), pinned(&theirs)],
        ours: ours.ours.clone(),
    };
    let us = Keys {
        ours: ours.ours.clone(),
        theirs: theirs.theirs.clone(),
    };
    for encrypt in [Cipher::Aes128Cbc, Cipher::Aes128Gcm] {
        let all = Profile {
            encrypt: Some(encrypt),
            encrypt_for_all: true,
            encrypt_for_us: true,
            ..profile()
        };
        let (sealed, body) = seal(b"x", &keys, &all);
        for reader in [&theirs, &us] {
            assert_eq!(open(&sealed.headers, &body, reader, &all).unwrap().1, b"x");
        }
        for reader in [&elliptic, &other] {
            let reader = Keys {
                ours: reader.ours.clone(),
                theirs: theirs.theirs.clone(),
            };
            let (opened, _) = open(&sealed.headers, &body, &reader, &all).unwrap();
            let transport = opened.secured.encrypted.unwrap().key_transport;
            assert!(transport.ends_with("aes-128-wrap"), "{transport}");
        }
        // By default the first one alone.
        let (sealed, body) = seal(b"x", &keys, &profile());
        let refused = open(&sealed.headers, &body, &theirs, &all).unwrap_err();
        assert!(matches!(refused, as2::Error::NotForUs(_)), "{refused}");
    }
}

#[test]
fn what_does_not_compress_is_stored_and_opens() {
    let (ours, theirs) = partners();
    let mut state = 1u64;
    let noise = (0..200_000).map(|_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 56) as u8
    });
    let noise: Vec<u8> = noise.collect();
    let table = [(noise, 200_000..204_000), (vec![b'A'; 200_000], 0..20_000)];
    for (payload, length) in table {
        let profile = Profile {
            compress: Some(Compression::AfterSigning),
            ..profile()
        };
        let (sealed, body) = seal(&payload, &ours, &profile);
        assert!(length.contains(&body.len()), "{}", body.len());
        let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
        assert!(back == payload && opened.secured.layers == ["encrypted", "compressed", "signed"]);
    }
}

#[test]
fn headers_and_length_are_known_before_the_body() {
    let (ours, _) = partners();
    for encrypt in [None, Some(Cipher::Aes256Cbc), Some(Cipher::Aes256Gcm)] {
        for compress in COMPRESSIONS {
            let profile = Profile {
                encrypt,
                compress,
                ..profile()
            };
            let payload = Cursor::new([b'x'; 1000]);
            let mut entropy = counting();
            let sealing =
                as2::Sealing::new(payload, DOCUMENT, &ours, &profile, &mut entropy, day()).unwrap();
            let (headers, length) = (sealing.headers().clone(), sealing.body_length().unwrap());
            let mut body = Vec::new();
            let sealed = sealing.write(&mut body).unwrap();
            assert_eq!((sealed.headers, body.len() as u64), (headers, length));
        }
    }
}

#[test]
fn headers_say_what_was_agreed_and_survive_the_wire() {
    let (ours, _) = partners();
    let (sealed, _) = seal(b"x", &ours, &profile());
    let wire = sealed.headers.to_bytes();
    assert!(
        !wire
            .windows(3)
            .any(|folded| folded == b"\n\t " || folded[..2] == *b"\n ")
    );
    let read = Headers::read(&mut wire.as_slice()).unwrap();
    assert_eq!(read, sealed.headers);
    assert_eq!(read.get("as2-to"), Some("\"THE M\""));
    assert_eq!(read.as2_to().unwrap(), "THE M");
    assert_eq!(read.get("Date"), Some("Sun, 22 Nov 2026 12:00:00 +0000"));
    let quiet = Profile {
        receipt: Receipt::No,
        ..profile()
    };
    let (sealed, _) = seal(b"x", &ours, &quiet);
    assert_eq!(sealed.headers.get("Disposition-Notification-To"), None);
}

#[test]
fn weak_algorithms_are_never_written() {
    let (ours, _) = partners();
    for weak in [
        Profile {
            sign: Some(Digest::Sha1),
            legacy: true,
            ..profile()
        },
        Profile {
            encrypt: Some(Cipher::TripleDes),
            legacy: true,
            ..profile()
        },
    ] {
        let payload = Cursor::new(b"x");
        let mut out = Vec::new();
        let sealed = as2::seal(
            payload,
            &mut out,
            DOCUMENT,
            &ours,
            &weak,
            &mut counting(),
            day(),
        );
        assert!(sealed.is_err() && out.is_empty());
    }
}

/// A payload that is nowhere in memory.
struct Zeros {
    at: u64,
    length: u64,
}

impl Read for Zeros {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let taken = out.len().min((self.length - self.at) as usize);
        out[..taken].fill(0);
        self.at += taken as u64;
        Ok(taken)
    }
}

impl Seek for Zeros {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.length,
            SeekFrom::Current(_) => self.at,
        };
        Ok(self.at)
    }
}

#[test]
fn twenty_megabytes_stream_through() {
    let (ours, theirs) = partners();
    let length = 20 * 1024 * 1024;
    for compress in COMPRESSIONS {
        let profile = Profile {
            compress,
            ..profile()
        };
        let mut body = Vec::new();
        let payload = Zeros { at: 0, length };
        let mut entropy = counting();
        let sealed = as2::seal(
            payload,
            &mut body,
            DOCUMENT,
            &ours,
            &profile,
            &mut entropy,
            day(),
        )
        .unwrap();
        let sink = std::io::sink();
        let opened = as2::open(
            &sealed.headers,
            body.as_slice(),
            sink,
            &theirs,
            &profile,
            day(),
        )
        .unwrap();
        assert_eq!((opened.payload_len, opened.mic), (length, sealed.mic));
    }
}

#[test]
fn a_body_read_a_byte_at_a_time_opens_the_same() {
    struct Dribble<'a>(&'a [u8]);
    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let one = out.len().min(1);
            self.0.read(&mut out[..one])
        }
    }
    let (ours, theirs) = partners();
    for compress in COMPRESSIONS {
        let profile = Profile {
            compress,
            ..profile()
        };
        let (sealed, body) = seal(&b"a\r\n--b".repeat(500), &ours, &profile);
        let mut payload = Vec::new();
        let dribble = Dribble(&body);
        as2::open(
            &sealed.headers,
            dribble,
            &mut payload,
            &theirs,
            &profile,
            day(),
        )
        .unwrap();
        assert_eq!(payload, b"a\r\n--b".repeat(500));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn open_undoes_seal(
        payload in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'-')], 0..3000),
        signed: bool,
        encrypted: bool,
        compress in prop::sample::select(COMPRESSIONS.to_vec()),
    ) {
        thread_local! { static PARTNERS: (as2::Keys, as2::Keys) = partners(); }
        let (ours, theirs) = PARTNERS.with(Clone::clone);
        let profile = Profile {
            sign: signed.then_some(Digest::Sha256),
            encrypt: encrypted.then_some(Cipher::Aes256Cbc),
            compress,
            require_signed: signed,
            require_encrypted: encrypted,
            ..profile()
        };
        let (sealed, body) = seal(&payload, &ours, &profile);
        let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
        prop_assert_eq!(back, payload);
        prop_assert_eq!(opened.mic, sealed.mic);
    }
}
