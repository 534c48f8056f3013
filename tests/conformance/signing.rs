//! Signatures (rows of `signing`).

use openssl::nid::Nid;
use transload::as2::{Digest, Headers, Keys, Mdn, Profile};

use super::forge::{
    ENVELOPED, Enveloped, Forged, Hash, Rule, SHA1, SHA256, SHA384, SHA512, SIGNED, Scheme, Signed,
    attribute, attributes, multipart, oid, signed, tlv, x12,
};
use super::wire::{
    LAX, Request, Us, find, lax, open, open_with, our_keys, parsed, seal, stranger, swap, theirs,
    them, told,
};

/// What comes of a message that the partner signed, with a knob turned.
fn signed_with(turn: impl Fn(&mut Signed)) -> Result<Vec<u8>, String> {
    let part = x12(b"x");
    let mut signed = Signed::of(&part);
    turn(&mut signed);
    let body = multipart(&part, &signed.by(them(), &part));
    open(SIGNED, &body)
        .map(|(_, payload)| payload)
        .map_err(|why| told(&why))
}

pub(super) fn reads(turn: impl Fn(&mut Signed)) {
    assert_eq!(signed_with(turn), Ok(b"x".to_vec()));
}

/// A part signed with another digest than SHA-256.
fn hashed(hash: Hash) -> Vec<u8> {
    let part = x12(b"x");
    multipart(&part, &Signed::with(&part, hash).by(them(), &part))
}

/// The type of it.
fn kind(micalg: &str) -> String {
    SIGNED.replace("sha-256", micalg)
}

/// The SignerInfo in what we write.
pub(super) fn written(profile: &Profile) -> (String, Vec<u8>) {
    let (headers, body, _) = seal(
        b"x\ny",
        &Profile {
            encrypt: None,
            ..profile.clone()
        },
    );
    let kind = headers.get("Content-Type").unwrap().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    let encoded = text
        .rsplit("\r\n\r\n")
        .next()
        .unwrap()
        .split("\r\n--")
        .next()
        .unwrap();
    let encoded: String = encoded.split_whitespace().collect();
    (kind, openssl::base64::decode_block(&encoded).unwrap())
}

#[test]
fn as2_062_sha_256_both_ways() {
    let (opened, _) = open(SIGNED, &hashed(SHA256)).unwrap();
    assert_eq!(opened.secured.signed.unwrap().digest, Digest::Sha256);
    let (kind, cms) = written(&theirs());
    assert!(kind.contains("micalg=sha-256") && find(&cms, &oid(SHA256.oid)).is_some());
    let reply = Us::lax().post(&Request::plain(b"x"));
    assert_eq!(reply.mdn().signature.unwrap().digest, Digest::Sha256);
    assert_eq!(reply.mdn().mic.unwrap().digest, Digest::Sha256);
}

#[test]
fn as2_063_sha_384_and_512() {
    for (hash, digest) in [(SHA384, Digest::Sha384), (SHA512, Digest::Sha512)] {
        let (opened, _) = open(&kind(digest.name()), &hashed(hash)).unwrap();
        assert_eq!(
            (opened.secured.signed.unwrap().digest, opened.mic.digest),
            (digest, digest)
        );
        let (kind, cms) = written(&Profile {
            sign: Some(digest),
            ..theirs()
        });
        assert!(kind.contains(digest.name()) && find(&cms, &oid(hash.oid)).is_some());
    }
}

#[test]
fn as2_064_sha_1_and_md5_are_never_written() {
    assert!(parsed("sign = \"sha-512\"").is_ok());
    for weak in [Digest::Sha1, Digest::Md5] {
        let profile = Profile {
            sign: Some(weak),
            legacy: true,
            ..theirs()
        };
        let document = super::wire::document("<1@x>");
        let source = std::io::Cursor::new(b"x");
        let (keys, day) = (super::wire::their_keys(), super::wire::day());
        let entropy = &mut transload::net::entropy;
        let sealed = transload::as2::seal(
            source,
            &mut Vec::new(),
            document,
            &keys,
            &profile,
            entropy,
            day,
        );
        assert!(sealed.is_err(), "{weak}");
        assert!(parsed(&format!("sign = \"{weak}\"")).is_err());
        // And no receipt is signed so, whatever is asked for.
        let options = format!(
            "signed-receipt-protocol=required, pkcs7-signature; \
             signed-receipt-micalg=required, {weak}"
        );
        for legacy in ["", "legacy_until = 2030-01-01\n"] {
            let us = Us::new(&format!("{LAX}{legacy}"));
            let request = Request::plain(b"x").set("Disposition-Notification-Options", &options);
            let signature = us.post(&request).mdn().signature;
            assert!(signature.is_none_or(|signature| signature.digest == Digest::Sha256));
        }
    }
}

#[test]
fn as2_065_sha_1_is_read_from_legacy_partners() {
    let body = hashed(SHA1);
    let kind = SIGNED.replace("sha-256", "sha1");
    let strict = open(&kind, &body).unwrap_err();
    assert_eq!(told(&strict), "insufficient-message-security");
    let legacy = Profile {
        legacy: true,
        ..lax()
    };
    let (opened, _) = open_with(&our_keys(), &legacy, &kind, &body).unwrap();
    assert_eq!(opened.mic.digest, Digest::Sha1);
    assert!(!opened.secured.weak.is_empty(), "and noted");
}

#[test]
fn as2_066_two_parts_and_a_detached_signature() {
    let (headers, body, _) = seal(
        b"x",
        &Profile {
            encrypt: None,
            ..theirs()
        },
    );
    let kind = headers.get("Content-Type").unwrap();
    for word in [
        "multipart/signed",
        "protocol=\"application/pkcs7-signature\"",
        "micalg=sha-256",
        "boundary=",
    ] {
        assert!(kind.contains(word), "{kind}");
    }
    let boundary = kind
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .trim_end_matches('"');
    let text = String::from_utf8_lossy(&body).into_owned();
    assert_eq!(
        text.matches(&format!("--{boundary}\r\n")).count(),
        2,
        "two parts"
    );
    assert!(text.contains("\r\nContent-Type: application/pkcs7-signature"));
    let (_, cms) = written(&theirs());
    let data = tlv(0x30, &[&oid("1.2.840.113549.1.7.1")]);
    assert!(find(&cms, &data).is_some(), "id-data, and nothing in it");
}

#[test]
fn as2_067_micalg_names_the_digest_in_use() {
    for (digest, hash) in [
        (Digest::Sha256, SHA256),
        (Digest::Sha384, SHA384),
        (Digest::Sha512, SHA512),
    ] {
        let (kind, cms) = written(&Profile {
            sign: Some(digest),
            ..theirs()
        });
        assert!(kind.contains(&format!("micalg={digest};")), "{kind}");
        assert!(find(&cms, &oid(hash.oid)).is_some());
    }
}

#[test]
fn as2_068_the_signature_says_its_algorithm_not_micalg() {
    let body = signed(&x12(b"x"));
    for micalg in [
        "sha256",
        "SHA-256",
        "sha_256",
        "rsa-sha256",
        "sha1",
        "md5",
        "unknown",
        "",
    ] {
        let kind = SIGNED.replace("sha-256", micalg);
        assert_eq!(open(&kind, &body).unwrap().1, b"x", "{micalg}");
    }
}

#[test]
fn as2_069_the_signed_part_is_taken_as_it_came() {
    for head in [
        "cONTENT-tYPE:application/EDI-X12  \r\nX-Z: 1\r\nContent-Description:\r\n\tfolded\r\n\r\n",
        "X-First: y\r\nContent-Type: application/EDI-X12 ; a = b\r\n\r\n",
        "Content-Type: application/EDI-X12\nX-LF: alone\n\n",
    ] {
        let part = [head.as_bytes(), b"x \t\r\n y"].concat();
        let (opened, payload) = open(SIGNED, &signed(&part)).unwrap();
        assert_eq!(payload, b"x \t\r\n y");
        assert_eq!(opened.mic.to_string(), super::forge::mic(&part));
    }
}

#[test]
fn as2_070_headers_with_crlf_and_the_payload_untouched() {
    let (_, body, mic) = seal(
        b"a\nb\rc",
        &Profile {
            encrypt: None,
            ..theirs()
        },
    );
    let start = find(&body, b"\r\n").unwrap() + 2;
    let payload = find(&body, b"a\nb\rc").unwrap();
    let head = String::from_utf8_lossy(&body[start..payload]).into_owned();
    assert!(head.ends_with("\r\n\r\n") && !head.replace("\r\n", "").contains('\n'));
    assert_eq!(
        mic.to_string(),
        super::forge::mic(&body[start..payload + 5])
    );
}

#[test]
fn as2_072_the_attributes_bind_the_content() {
    let part = x12(b"x");
    let due = attributes(&part, SHA256);
    assert!(
        signed_with(|s| s.attributes = Some(due[..1].to_vec())).is_err(),
        "no digest"
    );
    assert!(
        signed_with(|s| s.attributes = Some(due[1..].to_vec())).is_err(),
        "no type"
    );
    let other = attributes(b"other", SHA256);
    let changed = signed_with(|s| s.attributes = Some(other.clone()));
    assert_eq!(changed, Err("integrity-check-failed".into()));
    let kind = attribute("1.2.840.113549.1.9.3", &oid("1.2.840.113549.1.7.2"));
    assert!(signed_with(|s| s.attributes = Some(vec![kind.clone(), due[1].clone()])).is_err());
    let twice = [due.clone(), due[1..].to_vec()].concat();
    assert!(signed_with(|s| s.attributes = Some(twice.clone())).is_err());
    // In another order than DER's: what is signed is the DER of them all the same.
    reads(|s| {
        s.as_listed = true;
        s.attributes.as_mut().unwrap().reverse();
    });
    // An attribute that nobody signed.
    let body = signed(&part);
    let broken = swap(&body, &due[1], &other[1]);
    assert!(open(SIGNED, &broken).is_err());
}

#[test]
fn as2_073_no_attributes_or_more_of_them() {
    reads(|s| s.attributes = None);
    let time = attribute("1.2.840.113549.1.9.5", &tlv(0x17, &[b"261122120000Z"]));
    let capabilities = attribute("1.2.840.113549.1.9.15", &tlv(0x30, &[]));
    for more in [
        vec![time.clone()],
        vec![capabilities.clone()],
        vec![time, capabilities],
    ] {
        reads(|s| s.attributes.as_mut().unwrap().extend(more.clone()));
    }
}

#[test]
fn as2_074_ber_indefinite_length() {
    for size in [1, 16, 1000] {
        reads(|s| s.rule = Rule::Ber(size));
        let part = x12(&[b'x'; 3000]);
        let enveloped = Enveloped {
            rule: Rule::Ber(size),
            ..Enveloped::default()
        };
        assert_eq!(
            open(ENVELOPED, &enveloped.for_us(&part)).unwrap().1,
            [b'x'; 3000]
        );
        let zipped = super::forge::compressed(Rule::Ber(size), false, &part);
        assert_eq!(
            open(super::forge::COMPRESSED, &zipped).unwrap().1,
            [b'x'; 3000]
        );
        let mut opaque = Signed::of(&part);
        (opaque.rule, opaque.content) = (Rule::Ber(size), Some(part.clone()));
        let cms = opaque.by(them(), &part);
        assert_eq!(
            open("application/pkcs7-mime", &cms).unwrap().1,
            [b'x'; 3000]
        );
    }
}

#[test]
fn as2_075_named_by_serial_number_or_key_identifier() {
    reads(|s| s.key_id = true);
    for key_id in [false, true] {
        let enveloped = Enveloped {
            key_id,
            ..Enveloped::default()
        };
        assert_eq!(
            open(ENVELOPED, &enveloped.for_us(&x12(b"x"))).unwrap().1,
            b"x"
        );
    }
}

#[test]
fn as2_076_opaque_signatures_are_read() {
    let part = x12(b"opaque");
    let mut opaque = Signed::of(&part);
    opaque.content = Some(part.clone());
    let cms = opaque.by(them(), &part);
    let (opened, payload) = open("application/pkcs7-mime; smime-type=signed-data", &cms).unwrap();
    assert_eq!(
        (payload.as_slice(), opened.signer().is_some()),
        (&b"opaque"[..], true)
    );
    assert_eq!(opened.mic.to_string(), super::forge::mic(&part));
    let (kind, _) = written(&theirs());
    assert!(
        kind.starts_with("multipart/signed"),
        "what we write is not opaque"
    );
}

#[test]
fn as2_077_pkcs1_in_every_spelling() {
    for null in [false, true] {
        for scheme in [Scheme::Rsa, Scheme::Combined] {
            reads(|s| (s.null, s.scheme) = (null, scheme));
        }
    }
    let (_, cms) = written(&theirs());
    let absent = tlv(0x30, &[&oid(SHA256.oid)]);
    assert!(
        find(&cms, &absent).is_some(),
        "ours: no parameters of the digest"
    );
}

#[test]
fn as2_078_rsa_pss() {
    for (hash, name) in [
        (SHA256, "sha-256"),
        (SHA384, "sha-384"),
        (SHA512, "sha-512"),
    ] {
        let part = x12(b"x");
        let mut pss = Signed::with(&part, hash);
        pss.scheme = Scheme::Pss;
        let body = multipart(&part, &pss.by(them(), &part));
        let (opened, _) = open(&kind(name), &body).unwrap();
        assert!(
            opened
                .secured
                .signed
                .unwrap()
                .algorithm
                .starts_with("rsa-pss")
        );
    }
}

#[test]
fn as2_079_ecdsa_with_p_256() {
    let ec = Forged::ec(Nid::X9_62_PRIME256V1);
    let keys = Keys {
        theirs: vec![ec.certificate()],
        ..our_keys()
    };
    let part = x12(b"x");
    let mut signed = Signed::of(&part);
    signed.scheme = Scheme::Combined;
    let body = multipart(&part, &signed.by_key(&ec.x509, &ec.key, &part));
    let (opened, _) = open_with(&keys, &lax(), SIGNED, &body).unwrap();
    assert_eq!(opened.secured.signed.unwrap().algorithm, "ecdsa sha-256");
    // A receipt signed so, too.
    let report = super::forge::report(&[
        "Original-Message-ID: <1@x>",
        "Disposition: automatic-action/MDN-sent-automatically; processed",
    ]);
    let inner = super::forge::entity(
        &[&format!("Content-Type: {}", super::forge::REPORT)],
        &report,
    );
    let mut mdn = Signed::of(&inner);
    mdn.scheme = Scheme::Combined;
    let body = multipart(&inner, &mdn.by_key(&ec.x509, &ec.key, &inner));
    let headers: Headers = [("Content-Type", SIGNED)].into_iter().collect();
    let read = Mdn::read(&headers, &body, &keys, &lax(), super::wire::day()).unwrap();
    assert!(read.signature.is_some());
}

#[test]
fn as2_080_structures_of_old_and_new_smime() {
    // PKCS #7 1.5 and S/MIME 3: no attributes, SHA-1; 4.0: SHA-2, PSS.
    reads(|s| s.attributes = None);
    reads(|s| s.scheme = Scheme::Pss);
    let legacy = Profile {
        legacy: true,
        ..lax()
    };
    let kind = SIGNED.replace("sha-256", "sha1");
    assert_eq!(
        open_with(&our_keys(), &legacy, &kind, &hashed(SHA1))
            .unwrap()
            .1,
        b"x"
    );
}

#[test]
fn as2_196_certificates_inside_prove_nothing_and_harm_nothing() {
    let der = |party: &super::wire::Party| party.x509.to_der().unwrap();
    let (own, other) = (der(them()), der(stranger()));
    for embedded in [
        vec![],
        vec![own.clone()],
        vec![other.clone()],
        vec![other.clone(), own.clone(), other.clone()],
        vec![other.clone(); 5],
    ] {
        reads(|s| s.embedded = embedded.clone());
    }
    let part = x12(b"x");
    let mut forged = Signed::of(&part);
    forged.embedded = vec![other];
    let body = multipart(&part, &forged.by(stranger(), &part));
    assert_eq!(
        told(&open(SIGNED, &body).unwrap_err()),
        "authentication-failed"
    );
}

#[test]
fn as2_223_the_signer_is_the_one_whom_as2_from_names() {
    // Another partner's valid signature.
    let relations = [
        super::wire::Relation::default(),
        super::wire::Relation::default()
            .names("WE", "OTHER")
            .more(&stranger_file()),
    ];
    let relations = relations.map(|relation| relation.also(LAX));
    let us = Us::with(&relations, 1 << 20);
    let part = x12(b"x");
    let mut forged = Signed::of(&part);
    forged.embedded = vec![stranger().x509.to_der().unwrap()];
    let body = multipart(&part, &forged.by(stranger(), &part));
    let as_acme = us.post(&Request::new(SIGNED, &body)).said();
    assert_eq!(as_acme, "processed/error: authentication-failed");
    assert!(us.inbox().is_empty());
    assert_eq!(
        us.post(&Request::new(SIGNED, &body).set("AS2-From", "OTHER"))
            .status,
        200
    );
    assert_eq!(us.inbox().len(), 1);
}

fn stranger_file() -> String {
    static FOLDER: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let path = folder.path().join("stranger.pem");
    std::fs::write(&path, stranger().identity.certificate.to_pem().unwrap()).unwrap();
    format!("certificates = [{path:?}]\n")
}
