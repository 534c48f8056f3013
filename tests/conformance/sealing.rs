//! Encryption and compression (rows of `encryption` and `compression`, cases K).

use std::collections::HashSet;

use transload::as2::{Cipher, Digest, Error, Profile};

use super::forge::{
    COMPRESSED, ENVELOPED, Enveloped, Rule, SHA1, SHA256, SHA384, SHA512, SIGNED, cms_entity,
    compressed, compressed_as, entity, inflated, oid, signed, signed_entity, tlv, x12, zlib,
};
use super::wire::{
    LAX, Request, Us, day, document, find, lax, open, open_with, our_keys, parsed, seal, stranger,
    their_keys, theirs, told, us,
};

const AES_128: &str = "2.16.840.1.101.3.4.1.2";
const AES_192: &str = "2.16.840.1.101.3.4.1.22";
const AES_256: &str = "2.16.840.1.101.3.4.1.42";
const TRIPLE_DES: &str = "1.2.840.113549.3.7";

fn with(cipher: &'static str) -> Enveloped {
    Enveloped {
        cipher,
        ..Enveloped::default()
    }
}

fn reads(enveloped: &Enveloped) {
    assert_eq!(
        open(ENVELOPED, &enveloped.for_us(&x12(b"x"))).unwrap().1,
        b"x"
    );
}

/// Writes with that cipher, and opens it.
fn writes(cipher: Cipher, named: &str) {
    let profile = Profile {
        encrypt: Some(cipher),
        ..theirs()
    };
    let (headers, body, _) = seal(b"x", &profile);
    assert!(find(&body, &oid(named)).is_some(), "{cipher}");
    let (opened, payload) = open(headers.get("Content-Type").unwrap(), &body).unwrap();
    assert_eq!(
        (opened.secured.encrypted.unwrap().cipher, payload),
        (cipher, b"x".to_vec())
    );
}

#[test]
fn as2_081_aes_128_cbc() {
    reads(&with(AES_128));
    writes(Cipher::Aes128Cbc, AES_128);
}

#[test]
fn as2_082_aes_256_and_192_cbc() {
    reads(&with(AES_256));
    reads(&with(AES_192));
    writes(Cipher::Aes256Cbc, AES_256);
    writes(Cipher::Aes192Cbc, AES_192);
}

#[test]
fn as2_084_3des_and_rc2_are_never_written() {
    for (name, may) in [
        ("aes-128-cbc", true),
        ("3des", false),
        ("rc2", false),
        ("des-ede3-cbc", false),
    ] {
        let file = format!("encrypt = \"{name}\"");
        assert_eq!(parsed(&file).is_ok(), may, "{name}");
    }
    let profile = Profile {
        encrypt: Some(Cipher::TripleDes),
        legacy: true,
        ..theirs()
    };
    let (source, entropy) = (std::io::Cursor::new(b"x"), &mut transload::net::entropy);
    let mut out = Vec::new();
    let (document, keys) = (document("<1@x>"), their_keys());
    let sealed = transload::as2::seal(source, &mut out, document, &keys, &profile, entropy, day());
    assert!(sealed.is_err() && out.is_empty());
}

#[test]
fn as2_085_3des_is_read_from_legacy_partners() {
    let cms = with(TRIPLE_DES).for_us(&x12(b"x"));
    let strict = open(ENVELOPED, &cms).unwrap_err();
    assert!(!strict.is_ours() && !told(&strict).is_empty(), "{strict}");
    let legacy = Profile {
        legacy: true,
        ..lax()
    };
    assert_eq!(
        open_with(&our_keys(), &legacy, ENVELOPED, &cms).unwrap().1,
        b"x"
    );
    let us = Us::new(&format!("{LAX}legacy_until = 2027-01-01\n"));
    assert_eq!(us.says(ENVELOPED, &cms), "processed");
    us.later(chrono::TimeDelta::days(50));
    assert!(
        us.says(ENVELOPED, &cms).starts_with("processed/error"),
        "until that day"
    );
}

/// Recipients of other kinds: by password ([3]) and one that is none of RFC 5652's ([4]).
fn others() -> Vec<u8> {
    let cipher = tlv(0x30, &[&oid("1.2.840.113549.1.9.16.3.9")]);
    let password = tlv(0xA3, &[&[2, 1, 0], &cipher, &tlv(0x04, &[b"key"])]);
    [password, tlv(0xA4, &[&oid("1.2.3.4"), &[5, 0]])].concat()
}

#[test]
fn as2_087_our_entry_among_others() {
    let (ours, other) = (&us().x509, &stranger().x509);
    for recipients in [
        [ours, other, other],
        [other, ours, other],
        [other, other, ours],
    ] {
        for before in [Vec::new(), others()] {
            let cms = Enveloped {
                before,
                ..Enveloped::default()
            }
            .to(&recipients, &x12(b"x"));
            assert_eq!(open(ENVELOPED, &cms).unwrap().1, b"x");
        }
    }
}

#[test]
fn as2_088_rsa_pkcs1_key_transport() {
    reads(&Enveloped::default());
    let (_, body, _) = seal(b"x", &theirs());
    assert!(find(&body, &tlv(0x30, &[&oid("1.2.840.113549.1.1.1"), &[5, 0]])).is_some());
}

#[test]
fn as2_089_rsa_oaep_key_transport() {
    for pair in [(SHA1, SHA1), (SHA256, SHA256)] {
        reads(&Enveloped {
            oaep: Some(pair),
            ..Enveloped::default()
        });
    }
}

#[test]
fn as2_091_a_whole_entity_inside_the_envelope() {
    let (headers, body, _) = seal(b"x", &theirs());
    let kind = headers.get("Content-Type").unwrap();
    assert!(
        kind.starts_with("application/pkcs7-mime; smime-type=enveloped-data"),
        "{kind}"
    );
    let cms = openssl::cms::CmsContentInfo::from_der(&body).unwrap();
    let inside = cms.decrypt(&us().key, &us().x509).unwrap();
    assert!(inside.starts_with(b"Content-Type: multipart/signed"));
    let line_feeds = b"Content-Type: application/EDI-X12\nContent-Disposition: inline\n\nx\n";
    let cms = Enveloped::default().for_us(line_feeds);
    assert_eq!(open(ENVELOPED, &cms).unwrap().1, b"x\n");
}

#[test]
fn as2_092_fresh_keys_and_ivs() {
    let bodies: Vec<Vec<u8>> = (0..100).map(|_| seal(b"x", &theirs()).1).collect();
    // The wrapped key and the IV stand near the beginning.
    let iv = |body: &[u8]| {
        let at = find(body, &oid(AES_256)).unwrap() + oid(AES_256).len();
        body[at..at + 18].to_vec()
    };
    let wrapped = |body: &[u8]| {
        let at = find(body, &[0x04, 0x82, 0x01, 0x00]).unwrap() + 4;
        body[at..at + 256].to_vec()
    };
    let ivs: HashSet<_> = bodies.iter().map(|body| iv(body)).collect();
    let keys: HashSet<_> = bodies.iter().map(|body| wrapped(body)).collect();
    assert_eq!((ivs.len(), keys.len()), (100, 100));
}

/// An envelope whose content is not what it should be.
fn broken_envelopes() -> Vec<(&'static str, Vec<u8>)> {
    let sound = Enveloped::default();
    let cms = sound.for_us(&signed_entity(&x12(&[b'x'; 500])));
    let flipped = |at: usize| {
        let mut cms = cms.clone();
        cms[at] ^= 0x40;
        cms
    };
    let key = [7; 32];
    vec![
        ("another key", sound.to(&[&stranger().x509], &x12(b"x"))),
        (
            "bad padding",
            sound.around(&[&us().x509], &key, &[1; 16], &[9; 64]),
        ),
        (
            "no whole block",
            sound.around(&[&us().x509], &key, &[1; 16], &[9; 63]),
        ),
        (
            "a short content key",
            sound.around(&[&us().x509], &key[..16], &[1; 16], &[9; 64]),
        ),
        (
            "wrapped key",
            flipped(find(&cms, &[0x04, 0x82, 0x01, 0x00]).unwrap() + 100),
        ),
        (
            "first block",
            flipped(find(&cms, &oid(AES_256)).unwrap() + 60),
        ),
        ("last block", flipped(cms.len() - 1)),
        ("cut", cms[..cms.len() - 100].to_vec()),
    ]
}

#[test]
fn as2_093_what_does_not_decrypt_gives_nothing() {
    let us = Us::new("");
    for (what, cms) in broken_envelopes() {
        assert_eq!(
            us.says(ENVELOPED, &cms),
            "processed/error: decryption-failed",
            "{what}"
        );
    }
    let unknown = Enveloped::default().for_us(&x12(b"x"));
    let unknown = super::wire::swap(&unknown, &oid(AES_256), &oid("2.16.840.1.101.3.4.1.99"));
    assert!(us.says(ENVELOPED, &unknown).starts_with("processed/error"));
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_225_no_failure_to_decrypt_looks_like_another() {
    let us = Us::new("");
    let mut answers = HashSet::new();
    for (_, cms) in broken_envelopes() {
        let id = "<same@acme.example>";
        let reply = us.post(&Request::new(ENVELOPED, cms).set("Message-ID", id));
        let mdn = reply.mdn();
        answers.insert((
            reply.status,
            mdn.disposition.to_string(),
            mdn.text,
            mdn.mic.is_some(),
        ));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn as2_094_zlib_in_compressed_data() {
    for null in [false, true] {
        let zipped = compressed(Rule::Der, null, &x12(b"x"));
        assert_eq!(open(COMPRESSED, &zipped).unwrap().1, b"x");
    }
    // Neither raw deflate nor gzip.
    let stream = zlib(&x12(b"x"));
    let raw = compressed_as(Rule::Der, false, ZLIB, &stream[2..stream.len() - 4]);
    assert!(open(COMPRESSED, &raw).is_err());
    let profile = Profile {
        sign: None,
        encrypt: None,
        compress: Some(transload::as2::Compression::BeforeSigning),
        ..theirs()
    };
    let (_, body, _) = seal(b"x", &profile);
    assert!(inflated(&body[find(&body, &[0x78]).unwrap()..]).ends_with(b"\r\n\r\nx"));
}

const ZLIB: &str = "1.2.840.113549.1.9.16.3.8";

#[test]
fn as2_095_who_announces_1_1_can_decompress() {
    let us = Us::lax();
    let reply = us.post(&Request::new(
        COMPRESSED,
        compressed(Rule::Der, false, &x12(b"x")),
    ));
    assert_eq!(reply.said(), "processed");
    assert!(reply.get("AS2-Version").unwrap() >= "1.1");
}

#[test]
fn as2_096_compressed_inside_or_around_the_signature() {
    let part = x12(b"x");
    let inside = signed_entity(&cms_entity(
        COMPRESSED,
        &compressed(Rule::Der, false, &part),
    ));
    let around = cms_entity(
        COMPRESSED,
        &compressed(Rule::Der, false, &signed_entity(&part)),
    );
    for entity in [inside, around] {
        let plain = &entity[find(&entity, b"\r\n\r\n").unwrap() + 4..];
        let kind = if entity.starts_with(b"Content-Type: multipart") {
            SIGNED
        } else {
            COMPRESSED
        };
        let (clear, payload) = open(kind, plain).unwrap();
        let (sealed, again) = open(ENVELOPED, &Enveloped::default().for_us(&entity)).unwrap();
        assert_eq!((payload, again), (b"x".to_vec(), b"x".to_vec()));
        assert_eq!(clear.mic, sealed.mic);
    }
}

#[test]
fn as2_098_compression_lies_inside_encryption() {
    let profile = Profile {
        compress: Some(transload::as2::Compression::BeforeSigning),
        ..theirs()
    };
    for sign in [None, Some(Digest::Sha256)] {
        let (headers, body, _) = seal(
            b"x",
            &Profile {
                sign,
                ..profile.clone()
            },
        );
        let (opened, _) = open(headers.get("Content-Type").unwrap(), &body).unwrap();
        assert_eq!(opened.secured.layers[0], "encrypted");
        assert!(opened.secured.layers.contains(&"compressed"));
    }
}

#[test]
fn as2_099_a_whole_entity_inside_the_compression() {
    let profile = Profile {
        sign: None,
        encrypt: None,
        compress: Some(transload::as2::Compression::BeforeSigning),
        ..theirs()
    };
    let (headers, body, _) = seal(b"x", &profile);
    let kind = headers.get("Content-Type").unwrap();
    assert!(
        kind.starts_with("application/pkcs7-mime; smime-type=compressed-data"),
        "{kind}"
    );
    assert!(kind.contains("smime.p7z"));
    let inside = inflated(&body[find(&body, &[0x78]).unwrap()..]);
    assert!(inside.starts_with(b"Content-Type: application/EDI-X12\r\n"));
    let (opened, _) = open(kind, &body).unwrap();
    assert_eq!(opened.content_type, "application/EDI-X12");
}

#[test]
fn as2_100_what_does_not_inflate_is_told_so() {
    let us = Us::lax();
    let mut stream = zlib(&x12(&[b'x'; 500]));
    let last = stream.len() - 1;
    stream[last] ^= 1;
    let checksum = compressed_as(Rule::Der, false, ZLIB, &stream);
    let garbage = compressed_as(Rule::Der, false, ZLIB, b"not zlib at all");
    for cms in [checksum, garbage] {
        let reply = us.post(&Request::new(COMPRESSED, cms));
        assert_eq!(reply.said(), "processed/error: decompression-failed");
        assert!(reply.mdn().signature.is_some(), "signed, as asked");
    }
    let unknown = compressed_as(Rule::Der, false, "1.2.3.4", &zlib(&x12(b"x")));
    assert!(us.says(COMPRESSED, &unknown).starts_with("processed/error"));
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_222_nothing_unknown_is_passed_over() {
    let unknown = Enveloped::default().for_us(&x12(b"x"));
    let cipher = super::wire::swap(&unknown, &oid(AES_256), &oid("2.16.840.1.101.3.4.1.99"));
    let rsa = tlv(0x30, &[&oid("1.2.840.113549.1.1.1"), &[5, 0]]);
    let transport = tlv(0x30, &[&oid("1.2.840.113549.1.1.99"), &[5, 0]]);
    let key = super::wire::swap(&unknown, &rsa, &transport);
    let digest = super::wire::swap(
        &signed(&x12(b"x")),
        &oid(SHA256.oid),
        &oid("2.16.840.1.101.3.4.2.99"),
    );
    for (kind, body) in [(ENVELOPED, cipher), (ENVELOPED, key), (SIGNED, digest)] {
        let why = open(kind, &body).unwrap_err();
        assert!(!why.is_ours(), "{why}");
    }
}

#[test]
fn as2_case_k2_octet_strings_in_segments_of_any_size() {
    let part = x12(&[b'x'; 200]);
    for size in [1, 15, 16, 17, 100_000] {
        reads(&Enveloped {
            rule: Rule::Ber(size),
            ..Enveloped::default()
        });
        let zipped = compressed(Rule::Ber(size), false, &part);
        assert_eq!(open(COMPRESSED, &zipped).unwrap().1, [b'x'; 200], "{size}");
    }
}

#[test]
fn as2_case_k6_no_trial_decryption() {
    // Encrypted with our key under another's name.
    let mut renamed = Enveloped::default().to(&[&us().x509], &x12(b"x"));
    let serial = tlv(0x02, &[&[1]]);
    let at = find(&renamed, &serial).unwrap();
    renamed[at + 2] = 9;
    assert!(matches!(open(ENVELOPED, &renamed), Err(Error::NotForUs(_))));
}

#[test]
fn as2_case_k10_oaep_with_every_pair_of_digests() {
    for hash in [SHA1, SHA256, SHA384, SHA512] {
        for mask in [SHA1, SHA256, SHA384, SHA512] {
            reads(&Enveloped {
                oaep: Some((hash, mask)),
                ..Enveloped::default()
            });
        }
    }
    let (_, body, _) = seal(b"x", &theirs());
    assert!(
        find(&body, &oid("1.2.840.113549.1.1.7")).is_none(),
        "we send PKCS #1 v1.5"
    );
}

#[test]
fn as2_case_k14_depth_and_growth_are_capped() {
    let mut deep = x12(b"x");
    for _ in 0..4 {
        deep = cms_entity(COMPRESSED, &compressed(Rule::Der, false, &deep));
    }
    let body = &deep[find(&deep, b"\r\n\r\n").unwrap() + 4..];
    assert_eq!(open(COMPRESSED, body).unwrap().1, b"x", "four layers");
    let fifth = compressed(Rule::Der, false, &deep);
    assert!(matches!(open(COMPRESSED, &fifth), Err(Error::Limit { .. })));
    let profile = Profile {
        inflated_limit: 1000,
        ..lax()
    };
    let large = compressed(Rule::Der, false, &x12(&[b'x'; 1000]));
    let why = open_with(&our_keys(), &profile, COMPRESSED, &large).unwrap_err();
    assert_eq!(told(&why), "decompression-failed");
}

#[test]
fn as2_case_k15_compressed_without_a_transfer_encoding() {
    let part = signed_entity(&cms_entity(
        COMPRESSED,
        &compressed(Rule::Der, false, &x12(b"\0x")),
    ));
    assert_eq!(
        open(ENVELOPED, &Enveloped::default().for_us(&part))
            .unwrap()
            .1,
        b"\0x"
    );
}

#[test]
fn as2_case_k16_base64_inside_the_encryption() {
    let head = [
        "Content-Type: application/EDI-X12",
        "Content-Transfer-Encoding: base64",
    ];
    let part = entity(&head, b"SVNBKg==\r\n");
    let (opened, payload) = open(ENVELOPED, &Enveloped::default().for_us(&part)).unwrap();
    assert_eq!(payload, b"ISA*");
    assert_eq!(
        opened.mic.to_string(),
        super::forge::mic(&part),
        "over the encoded form"
    );
}

#[test]
fn as2_case_k19_weak_mixes_are_refused() {
    let us = Us::lax();
    let part = signed_entity(&x12(b"x"));
    let weak = us.says(ENVELOPED, &with(TRIPLE_DES).for_us(&part));
    assert_eq!(weak, "processed/error: insufficient-message-security");
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_case_k20_a_binary_envelope_is_the_normal_case() {
    let us = Us::new("");
    let cms = Enveloped::default().for_us(&signed_entity(&x12(b"binary")));
    assert_eq!(cms[0], 0x30);
    assert_eq!(us.says(ENVELOPED, &cms), "processed");
    assert_eq!(us.inbox(), [b"binary"]);
    // And ours is one.
    assert_eq!(seal(b"x", &theirs()).1[0], 0x30);
}
