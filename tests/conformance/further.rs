//! What newer partners speak: algorithms, versions, attachments.

use transload::as2::{
    self, Attachment, Cipher, Compression, Digest, Document, Identity, KeyKind, Keys, Profile,
    attachments,
};
use transload::store::MessageState;

use super::forge::{
    COMPRESSED, ENVELOPED, Enveloped, Rule, SIGNED, compressed, entity, mic, oid, signed,
};
use super::wire::{
    LAX, Request, Stub, Us, day, find, lax, open, open_with, parsed, seal, status, their_keys,
    theirs, us,
};

#[test]
fn as2_083_aes_gcm_in_auth_enveloped_data() {
    for (cipher, named) in [
        (Cipher::Aes128Gcm, "2.16.840.1.101.3.4.1.6"),
        (Cipher::Aes192Gcm, "2.16.840.1.101.3.4.1.26"),
        (Cipher::Aes256Gcm, "2.16.840.1.101.3.4.1.46"),
    ] {
        let (headers, body, _) = seal(
            b"x",
            &Profile {
                encrypt: Some(cipher),
                ..theirs()
            },
        );
        let kind = headers.get("Content-Type").unwrap();
        assert!(kind.contains("smime-type=authEnveloped-data"), "{kind}");
        assert!(find(&body, &oid("1.2.840.113549.1.9.16.1.23")).is_some());
        assert!(find(&body, &oid(named)).is_some());
        assert_eq!(open(kind, &body).unwrap().1, b"x");
        let mut flipped = body.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        assert!(open(kind, &flipped).is_err(), "the tag counts");
    }
    assert!(
        matches!(theirs().encrypt, Some(Cipher::Aes256Cbc)),
        "never the default"
    );
}

#[test]
fn as2_086_several_recipients_where_it_is_wanted() {
    let second = super::wire::stranger();
    let keys = Keys {
        theirs: vec![
            us().identity.certificate.clone(),
            second.identity.certificate.clone(),
        ],
        ..their_keys()
    };
    let all = Profile {
        encrypt_for_all: true,
        encrypt_for_us: true,
        ..theirs()
    };
    let (_, body) = super::wire::seal_as("<1@x>", b"x", &keys, &all);
    let cms = openssl::cms::CmsContentInfo::from_der(&body).unwrap();
    for party in [us(), second, super::wire::them()] {
        assert!(cms.decrypt(&party.key, &party.x509).is_ok());
    }
    let (_, body) = super::wire::seal_as("<1@x>", b"x", &keys, &theirs());
    let cms = openssl::cms::CmsContentInfo::from_der(&body).unwrap();
    assert!(cms.decrypt(&us().key, &us().x509).is_ok());
    assert!(
        cms.decrypt(&second.key, &second.x509).is_err(),
        "one entry by default"
    );
}

/// Two parties with EC keys who know each other.
fn elliptic() -> (Keys, Keys) {
    let make = |name, serial| {
        let to = day() + chrono::TimeDelta::days(1);
        Identity::generate_as(KeyKind::P256, name, serial, day(), to).unwrap()
    };
    let (ours, theirs) = (make("we", 1), make("acme", 2));
    let one = Keys {
        ours: vec![ours.clone()],
        theirs: vec![theirs.certificate.clone()],
    };
    (
        one,
        Keys {
            ours: vec![theirs],
            theirs: vec![ours.certificate],
        },
    )
}

#[test]
fn as2_090_ecdh_with_p_256() {
    let (ours, theirs_) = elliptic();
    let (_, body) = super::wire::seal_as("<1@x>", b"x", &theirs_, &theirs());
    assert!(
        find(&body, &oid("1.2.840.10045.2.1")).is_some(),
        "an ephemeral key"
    );
    assert_eq!(open_with(&ours, &lax(), ENVELOPED, &body).unwrap().1, b"x");
    // OpenSSL writes it, we open it.
    let pem = ours.ours[0].certificate.to_pem().unwrap();
    let mut stack = openssl::stack::Stack::new().unwrap();
    stack
        .push(openssl::x509::X509::from_pem(&pem).unwrap())
        .unwrap();
    let cms = openssl::cms::CmsContentInfo::encrypt(
        &stack,
        &super::forge::x12(b"y"),
        openssl::symm::Cipher::aes_256_cbc(),
        openssl::cms::CMSOptions::BINARY,
    );
    let cms = cms.unwrap().to_der().unwrap();
    assert_eq!(open_with(&ours, &lax(), ENVELOPED, &cms).unwrap().1, b"y");
}

#[test]
fn as2_097_compressed_before_or_after_signing_never_both() {
    for (order, layers) in [
        (
            Compression::BeforeSigning,
            ["encrypted", "signed", "compressed"],
        ),
        (
            Compression::AfterSigning,
            ["encrypted", "compressed", "signed"],
        ),
    ] {
        let (headers, body, _) = seal(
            b"x",
            &Profile {
                compress: Some(order),
                ..theirs()
            },
        );
        let (opened, _) = open(headers.get("Content-Type").unwrap(), &body).unwrap();
        assert_eq!(opened.secured.layers, layers);
    }
    for (order, one) in [
        ("\"before-signing\"", true),
        ("\"after-signing\"", true),
        ("\"both\"", false),
        ("[\"before-signing\", \"after-signing\"]", false),
    ] {
        assert_eq!(
            parsed(&format!("compress = {order}")).is_ok(),
            one,
            "{order}"
        );
    }
}

#[test]
fn as2_101_nothing_compressed_for_a_partner_of_1_0() {
    let why = parsed("version = \"1.0\"\ncompress = true").unwrap_err();
    assert!(why.to_string().contains("1.1"), "{why}");
    assert!(parsed("version = \"1.1\"\ncompress = true").is_ok());
}

#[test]
fn as2_024_as2_product_with_version_1_3() {
    let stub = Stub::new(|_, seen| match seen.get("AS2-Version") {
        "1.3" => seen.receipt(|_| {}),
        _ => status(500),
    });
    let us = Us::to(&stub.url, &format!("{LAX}version = \"1.3\"\n"));
    us.sent();
    let mdn = us.post(&Request::plain(b"x"));
    us.post(&Request::plain(b"x").also("Receipt-Delivery-Option", &stub.url));
    let posted = us.until(|| stub.seen().get(1).cloned());
    for headers in [&stub.first().headers, &mdn.headers, &posted.headers] {
        assert_eq!(headers.get("AS2-Version"), Some("1.3"));
        assert!(headers.get("AS2-Product").is_some());
    }
    assert!(
        Us::lax()
            .post(&Request::plain(b"x"))
            .get("AS2-Product")
            .is_none(),
        "with 1.2: none"
    );
}

#[test]
fn as2_025_the_product_is_named_as_it_is() {
    let us = Us::new(&format!("{LAX}version = \"1.3\"\n"));
    let reply = us.post(&Request::plain(b"x"));
    let product = reply.get("AS2-Product").unwrap();
    assert_eq!(product, format!("transload:{}", env!("CARGO_PKG_VERSION")));
    let (name, version) = product.split_once(':').unwrap();
    assert!(
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    );
    assert!(
        version
            .split(['.', '-'])
            .all(|n| n.bytes().all(|b| b.is_ascii_alphanumeric()))
    );
}

#[test]
fn as2_216_features_on_everything() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, LAX);
    us.sent();
    let reply = us.post(&Request::plain(b"x"));
    for features in [
        stub.first().get("EDIINT-Features"),
        reply.get("EDIINT-Features").unwrap(),
    ] {
        let named = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        assert!(
            features.split(',').all(|name| named(name.trim())),
            "{features}"
        );
    }
}

#[test]
fn as2_217_features_go_with_version_1_2() {
    for (version, features) in [("1.0", false), ("1.1", false), ("1.2", true), ("1.3", true)] {
        let us = Us::new(&format!("{LAX}version = \"{version}\"\n"));
        let reply = us.post(&Request::plain(b"x"));
        assert_eq!(reply.get("AS2-Version"), Some(version));
        assert_eq!(
            reply.get("EDIINT-Features").is_some(),
            features,
            "{version}"
        );
        let zipped = compressed(Rule::Der, false, &super::forge::x12(b"x"));
        assert_eq!(us.says(COMPRESSED, &zipped), "processed");
    }
}

#[test]
fn as2_220_nothing_weak_is_written_with_1_3() {
    let weak = [
        "1.3.14.3.2.26",
        "1.2.840.113549.2.5",
        "1.2.840.113549.3.7",
        "1.2.840.113549.3.2",
    ];
    let stub = Stub::good();
    let us = Us::to(&stub.url, &format!("{LAX}version = \"1.3\"\n"));
    us.sent();
    let seen = stub.first();
    let options = "signed-receipt-protocol=optional, pkcs7-signature; \
                   signed-receipt-micalg=optional, md5, sha-256";
    let reply = us.post(&Request::plain(b"x").set("Disposition-Notification-Options", options));
    for name in weak {
        assert!(find(&seen.body, &oid(name)).is_none() && find(&reply.body, &oid(name)).is_none());
    }
    let mic = reply.mdn().mic.unwrap();
    let signature = reply.mdn().signature.unwrap();
    assert_eq!(
        (mic.digest, signature.digest),
        (Digest::Sha256, Digest::Sha256)
    );
    for head in [seen.head, reply.head] {
        let lower = head.to_lowercase();
        assert!(!lower.contains("sha1") && !lower.contains("sha-1") && !lower.contains("md5"));
    }
    for (version, may) in [("1.2", true), ("1.3", false)] {
        let asked = format!("version = \"{version}\"\nlegacy_until = 2030-01-01");
        assert_eq!(parsed(&asked).is_ok(), may, "nor can it be asked for");
    }
}

#[test]
fn as2_221_a_legacy_partner_is_read_and_not_written_to() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, "version = \"1.1\"\nlegacy_until = 2030-01-01\n");
    us.sent();
    let (opened, _) = stub.first().opened();
    assert_eq!(opened.secured.signed.unwrap().digest, Digest::Sha256);
    assert_eq!(opened.secured.encrypted.unwrap().cipher, Cipher::Aes256Cbc);
    let part = super::forge::x12(b"x");
    let old = super::forge::Signed::with(&part, super::forge::SHA1).by(super::wire::them(), &part);
    let inner = super::forge::multipart(&part, &old);
    let kind = format!("Content-Type: {}", SIGNED.replace("sha-256", "sha1"));
    let cms = Enveloped {
        cipher: "1.2.840.113549.3.7",
        ..Enveloped::default()
    };
    let reply = us.post(&Request::new(
        ENVELOPED,
        cms.for_us(&entity(&[&kind], &inner)),
    ));
    assert_eq!(reply.said(), "processed");
}

/// Three documents with boundary `p`, the second one the root.
const RELATED: &str = "multipart/related; boundary=p; type=\"application/xml\"; start=\"<2@x>\"";

fn documents() -> Vec<u8> {
    [
        &b"--p\r\nContent-Type: application/pdf\r\nContent-ID: <1@x>\r\n"[..],
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nJVBERg==\r\n",
        b"--p\r\nContent-Type: application/xml\r\nContent-ID: <2@x>\r\n\r\n<a/>\r\n",
        b"--p\r\nContent-Type: image/png; name=../b.png\r\n\r\n\x89PNG\r\n\r\n--p--\r\n",
    ]
    .concat()
}

/// The documents in a payload, with their contents.
fn taken_apart(kind: &str, payload: &[u8]) -> Vec<(Attachment, Vec<u8>)> {
    let mut contents = Vec::new();
    let found = attachments(kind, payload, |_, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        contents.push(bytes);
        Ok(())
    });
    found.unwrap().into_iter().zip(contents).collect()
}

#[test]
fn as2_208_several_documents_are_multipart_related() {
    let part = |content_type, file_name| Document {
        content_type,
        file_name,
        message_id: "",
    };
    let parts = vec![
        (
            part("application/xml", Some("a.xml")),
            std::io::Cursor::new("<a/>"),
        ),
        (
            part("application/pdf", Some("b.pdf")),
            std::io::Cursor::new("%PDF"),
        ),
    ];
    let mut related = as2::Related::new(parts, &mut transload::net::entropy).unwrap();
    let kind = related.content_type().to_owned();
    for word in [
        "multipart/related",
        "type=\"application/xml\"",
        "start=\"<",
        "boundary=",
    ] {
        assert!(kind.contains(word), "{word}: {kind}");
    }
    let mut payload = Vec::new();
    std::io::Read::read_to_end(&mut related, &mut payload).unwrap();
    let found = taken_apart(&kind, &payload);
    assert!(found.iter().all(|(one, _)| one.content_id.is_some()));
    assert_eq!([&found[0].1[..], &found[1].1[..]], [&b"<a/>"[..], b"%PDF"]);
}

#[test]
fn as2_209_start_names_the_root_or_the_first_is_it() {
    let roots = |kind: &str| -> Vec<bool> {
        taken_apart(kind, &documents())
            .into_iter()
            .map(|(one, _)| one.root)
            .collect()
    };
    assert_eq!(roots(RELATED), [false, true, false]);
    assert_eq!(roots("multipart/related; boundary=p"), [true, false, false]);
}

#[test]
fn as2_210_attachments_are_announced_where_they_are_taken() {
    let us = Us::lax();
    let body = signed(&entity(
        &[&format!("Content-Type: {RELATED}")],
        &documents(),
    ));
    let reply = us.post(&Request::new(SIGNED, body));
    assert_eq!(reply.said(), "processed");
    assert!(
        reply
            .get("EDIINT-Features")
            .unwrap()
            .contains("multiple-attachments")
    );
    let old = Us::new(&format!("{LAX}version = \"1.0\"\n"));
    assert!(
        old.post(&Request::plain(b"x"))
            .get("EDIINT-Features")
            .is_none()
    );
}

#[test]
fn as2_144_two_documents_of_one_name_are_refused() {
    let us = Us::lax();
    let twice = super::wire::swap(&documents(), b"name=../b.png", b"name=x/A.pdf");
    let body = signed(&entity(&[&format!("Content-Type: {RELATED}")], &twice));
    assert_eq!(
        us.says(SIGNED, &body),
        "processed/error: duplicate-filename"
    );
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_211_one_mic_over_all_of_them() {
    let part = entity(&[&format!("Content-Type: {RELATED}")], &documents());
    let found = |kind: &str, body: &[u8]| open(kind, body).unwrap().0.mic.to_string();
    let zipped = compressed(Rule::Der, false, &part);
    let sealed = Enveloped::default().for_us(&part);
    for (kind, body) in [
        (SIGNED, signed(&part)),
        (ENVELOPED, sealed),
        (COMPRESSED, zipped),
    ] {
        assert_eq!(found(kind, &body), mic(&part), "{kind}");
    }
}

#[test]
fn as2_212_attachments_in_clear_have_the_mic_of_what_is_in_clear() {
    let (opened, payload) = open(RELATED, &documents()).unwrap();
    assert_eq!(
        (opened.mic.to_string(), payload),
        (mic(&documents()), documents())
    );
}

#[test]
fn as2_213_one_flipped_byte_refuses_all() {
    let us = Us::lax();
    let part = entity(&[&format!("Content-Type: {RELATED}")], &documents());
    let body = super::wire::swap(&signed(&part), b"<a/>", b"<b/>");
    assert_eq!(
        us.says(SIGNED, &body),
        "processed/error: integrity-check-failed"
    );
    assert!(us.inbox().is_empty());
    let stub = Stub::new(|_, seen| seen.receipt(|mdn| mdn.mic.as_mut().unwrap().value[0] ^= 1));
    assert_ne!(
        Us::to(&stub.url, "").sent().message.state,
        MessageState::Confirmed
    );
}

#[test]
fn as2_214_each_with_its_type_and_name() {
    let found = taken_apart(RELATED, &documents());
    let names: Vec<_> = found
        .iter()
        .map(|(one, _)| one.file_name.as_deref())
        .collect();
    assert_eq!(names, [Some("a.pdf"), None, Some("b.png")]);
    let kinds: Vec<_> = found
        .iter()
        .map(|(one, _)| one.content_type.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "application/pdf",
            "application/xml",
            "image/png; name=../b.png"
        ]
    );
    let contents: Vec<_> = found
        .iter()
        .map(|(_, content)| content.as_slice())
        .collect();
    assert_eq!(contents, [&b"%PDF"[..], b"<a/>", b"\x89PNG\r\n"]);
}

#[test]
fn as2_215_types_of_attachments() {
    for kind in [
        "application/xml",
        "application/pdf",
        "application/msword",
        "application/rtf",
        "application/octet-stream",
        "application/zip",
        "image/gif",
        "image/tiff",
        "image/jpeg",
        "text/plain",
        "text/html",
        "text/rtf",
        "text/xml",
    ] {
        let body = format!("--p\r\nContent-Type: {kind}\r\n\r\nx\r\n--p--\r\n");
        let found = taken_apart("multipart/related; boundary=p", body.as_bytes());
        assert_eq!(
            (found[0].0.content_type.as_str(), &found[0].1[..]),
            (kind, &b"x"[..])
        );
    }
}

#[test]
fn as2_case_r7_related_without_a_type_in_order() {
    let found = taken_apart("multipart/related; boundary=p", &documents());
    assert_eq!(found.len(), 3);
    let part = entity(
        &["Content-Type: multipart/related; boundary=p"],
        &documents(),
    );
    assert_eq!(open(SIGNED, &signed(&part)).unwrap().1, documents());
}
