//! MIME: types, parts and octets (rows of `mime`).

use transload::as2::Compression::{self, AfterSigning, BeforeSigning};
use transload::as2::{Digest, Profile};
use transload::store::MessageState;

use super::forge::{
    COMPRESSED, ENVELOPED, Enveloped, Rule, SIGNED, Signed, base64, cms_entity, compressed, entity,
    multipart_with, signed, signed_entity, x12,
};
use super::wire::{LAX, Request, Stub, Us, find, open, seal, swap, theirs, them};

/// What the gateway reads in a message of that type.
pub(super) fn payload(kind: &str, body: &[u8]) -> Vec<u8> {
    open(kind, body)
        .unwrap_or_else(|why| panic!("{why}: {kind}"))
        .1
}

#[test]
fn as2_047_the_types_of_the_field() {
    let us = Us::lax();
    for kind in [
        "application/EDI-X12",
        "application/EDIFACT",
        "application/edi-consent",
        "application/xml",
    ] {
        assert_eq!(us.says(kind, b"x"), "processed");
        let inside = entity(&[&format!("Content-Type: {kind}")], b"x");
        let (opened, _) = open(SIGNED, &signed(&inside)).unwrap();
        assert_eq!(opened.content_type, kind);
    }
    let cms = Enveloped::default().for_us(&signed_entity(&x12(b"x")));
    assert_eq!(
        us.says(ENVELOPED, &cms),
        "processed",
        "and those of the security layers"
    );
}

#[test]
fn as2_048_any_other_type_is_octets() {
    let bytes: Vec<u8> = (0..=255).collect();
    for kind in [
        "text/plain",
        "application/pdf",
        "image/png",
        "application/vnd.acme.x+json; v=1",
        "multipart/mixed; boundary=x",
        "message/rfc822",
        "nonsense",
    ] {
        let (opened, payload) = open(kind, &bytes).unwrap();
        assert_eq!(
            (opened.content_type.as_str(), payload),
            (kind, bytes.clone())
        );
    }
}

#[test]
fn as2_049_tokens_in_any_case_and_order() {
    let body = signed(&x12(b"x"));
    for kind in [
        "Multipart/Signed ; PROTOCOL=\"APPLICATION/pkcs7-signature\"; Micalg=sha-256; BOUNDARY=b",
        "multipart/signed;boundary=\"b\";protocol=application/pkcs7-signature",
        "MULTIPART/SIGNED;\tboundary = b ;; micalg=\"SHA256\"",
    ] {
        assert_eq!(payload(kind, &body), b"x", "{kind}");
    }
    let head = [
        "content-type: Application/X-PKCS7-Signature",
        "CONTENT-TRANSFER-ENCODING: BASE64",
    ];
    let part = x12(b"x");
    let encoded = base64(&Signed::of(&part).by(them(), &part));
    assert_eq!(
        payload(SIGNED, &multipart_with(&part, &head, encoded.as_bytes())),
        b"x"
    );
}

#[test]
fn as2_050_no_transfer_encoding_is_no_fault() {
    let bytes: Vec<u8> = (0..=255).rev().collect();
    let part = x12(&bytes);
    assert_eq!(payload(SIGNED, &signed(&part)), bytes);
    assert_eq!(
        payload(ENVELOPED, &Enveloped::default().for_us(&part)),
        bytes
    );
    assert_eq!(payload("application/EDI-X12", &bytes), bytes);
}

#[test]
fn as2_051_transfer_encodings_are_taken_off() {
    for (encoding, body) in [
        ("base64", "SVNBKg=="),
        ("Quoted-Printable", "IS=41*"),
        ("7bit", "ISA*"),
        ("8BIT", "ISA*"),
        ("binary", "ISA*"),
    ] {
        let head = format!("Content-Transfer-Encoding: {encoding}");
        let part = entity(
            &["Content-Type: application/EDI-X12", &head],
            body.as_bytes(),
        );
        assert_eq!(payload(SIGNED, &signed(&part)), b"ISA*", "{encoding}");
    }
    let part = x12(b"deep");
    let signature = Signed::of(&part).by(them(), &part);
    let head = [
        "Content-Type: application/pkcs7-signature",
        "Content-Transfer-Encoding: base64",
    ];
    let inner = multipart_with(&part, &head, base64(&signature).as_bytes());
    let inner = entity(&[&format!("Content-Type: {SIGNED}")], &inner);
    let cms = Enveloped::default().for_us(&inner);
    assert_eq!(payload(ENVELOPED, &cms), b"deep");
    assert_eq!(payload(ENVELOPED, base64(&cms).as_bytes()), b"deep");
    let zipped = base64(&compressed(Rule::Der, false, &part));
    let head = [
        &format!("Content-Type: {COMPRESSED}")[..],
        "Content-Transfer-Encoding: base64",
    ];
    let nested = Enveloped::default().for_us(&entity(&head, zipped.as_bytes()));
    assert_eq!(payload(ENVELOPED, &nested), b"deep");
}

#[test]
fn as2_052_nothing_after_the_closing_boundary() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, &format!("encrypt = \"none\"\n{LAX}"));
    us.sent();
    for body in [stub.first().body, us.post(&Request::plain(b"x")).body] {
        let text = String::from_utf8_lossy(&body).into_owned();
        let last = text
            .trim_end_matches("\r\n")
            .rsplit("\r\n")
            .next()
            .unwrap()
            .to_owned();
        assert!(last.starts_with("--") && last.ends_with("--"), "{last}");
    }
}

#[test]
fn as2_053_preamble_epilogue_and_bare_parts() {
    let part = b"\r\nno header at all".to_vec();
    let body = signed(&part);
    let body = [
        b"This is for old readers\r\n\r\n",
        &body[..],
        b"\r\nand an epilogue",
    ]
    .concat();
    let body = swap(&body, b"--b\r\n", b"--b \t \r\n");
    let body = swap(&body, b"7-signature\r\n", b"7-signature;\r\n\tname=x\r\n");
    assert_eq!(payload(SIGNED, &body), b"no header at all");
}

#[test]
fn as2_054_the_line_end_before_a_boundary_is_the_boundarys() {
    for end in [
        "", "\r", "\n", "\r\n", "\r\n\r\n", "\n\n", "\r\n--", "\r\n--c",
    ] {
        for start in ["", "\r\n", "\n", "\r\n\r\n"] {
            let content = format!("{start}x{end}");
            let part = x12(content.as_bytes());
            assert_eq!(
                payload(SIGNED, &signed(&part)),
                content.as_bytes(),
                "{content:?}"
            );
        }
    }
    assert_eq!(payload(SIGNED, &signed(&x12(b""))), b"");
}

#[test]
fn as2_055_boundaries_are_split_exactly() {
    let (headers, body, _) = seal(
        b"x",
        &Profile {
            encrypt: None,
            ..theirs()
        },
    );
    let kind = headers.get("Content-Type").unwrap();
    let boundary = kind
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .trim_end_matches('"');
    assert!(boundary.len() <= 70 && find(&body, boundary.as_bytes()).is_some());
    // One boundary begins another, which is inside.
    let inner = b"--b.2\r\n\r\nx\r\n--b.2--\r\n";
    let part = entity(&["Content-Type: multipart/mixed; boundary=b.2"], inner);
    assert_eq!(payload(SIGNED, &signed(&part)), inner);
    let look_alikes = b"--bb\r\n --b\r\n--b-\r\nx--b\r\n--b--x";
    assert_eq!(payload(SIGNED, &signed(&x12(look_alikes))), look_alikes);
    let odd = "'()+_,-./:=? x";
    let bytes = replace_all(&signed(&x12(b"x")), b"--b", format!("--{odd}").as_bytes());
    assert_eq!(
        payload(&format!("multipart/signed; boundary=\"{odd}\""), &bytes),
        b"x"
    );
}

fn replace_all(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some(at) = find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    [&out[..], rest].concat()
}

/// Payloads that something between would change.
const AWKWARD: [&[u8]; 6] = [
    b"\0\x01\xff",
    b"a\rb\nc\r\n",
    b"no end",
    b"\r\n\r\n",
    b"",
    b"From me\r\n.\r\n=20",
];

#[test]
fn as2_056_payload_octets_pass_unchanged() {
    for bytes in AWKWARD {
        for (sign, encrypt, compress) in permutations() {
            let profile = Profile {
                sign,
                encrypt,
                compress,
                ..theirs()
            };
            let (headers, body, mic) = seal(bytes, &profile);
            let kind = headers.get("Content-Type").unwrap();
            let (opened, back) = open(kind, &body).unwrap();
            assert_eq!((back.as_slice(), opened.mic), (bytes, mic), "{profile:?}");
        }
    }
}

/// Signed or not, encrypted or not, compressed or not.
pub(super) type Layers = (
    Option<Digest>,
    Option<transload::as2::Cipher>,
    Option<Compression>,
);

pub(super) fn permutations() -> impl Iterator<Item = Layers> {
    use transload::as2::Cipher::Aes256Cbc;
    let sign = [None, Some(Digest::Sha256)];
    let encrypt = [None, Some(Aes256Cbc)];
    sign.into_iter().flat_map(move |sign| {
        encrypt.into_iter().flat_map(move |encrypt| {
            [None, Some(BeforeSigning), Some(AfterSigning)]
                .map(|compress| (sign, encrypt, compress))
        })
    })
}

#[test]
fn as2_058_layers_in_any_order() {
    let part = x12(b"x");
    let zipped = cms_entity(COMPRESSED, &compressed(Rule::Der, false, &part));
    let sealed = |entity: &[u8]| Enveloped::default().for_us(entity);
    let signed_zip = signed_entity(&zipped);
    let zip_signed = cms_entity(
        COMPRESSED,
        &compressed(Rule::Der, false, &signed_entity(&part)),
    );
    assert_eq!(payload(ENVELOPED, &sealed(&signed_zip)), b"x");
    assert_eq!(payload(ENVELOPED, &sealed(&zip_signed)), b"x");
    let zipped_envelope = compressed(Rule::Der, false, &cms_entity(ENVELOPED, &sealed(&part)));
    assert_eq!(payload(COMPRESSED, &zipped_envelope), b"x");
    // Signed outside and inside, or encrypted twice: a clean error will do.
    let outside = signed(&cms_entity(ENVELOPED, &sealed(&signed_entity(&part))));
    let twice = sealed(&cms_entity(ENVELOPED, &sealed(&part)));
    for (kind, body) in [(SIGNED, outside), (ENVELOPED, twice)] {
        match open(kind, &body) {
            Ok((_, payload)) => assert_eq!(payload, b"x"),
            Err(why) => assert!(!why.is_ours(), "{why}"),
        }
    }
}

#[test]
fn as2_059_the_kind_is_what_the_cms_says() {
    let zipped = compressed(Rule::Der, false, &x12(b"x"));
    let enveloped = Enveloped::default().for_us(&x12(b"x"));
    for kind in [
        "application/pkcs7-mime",
        COMPRESSED,
        ENVELOPED,
        "application/pkcs7-mime; name=q",
    ] {
        assert_eq!(payload(kind, &zipped), b"x", "{kind}");
        assert_eq!(payload(kind, &enveloped), b"x", "{kind}");
    }
}

#[test]
fn as2_060_the_old_names_of_the_types() {
    let old = |bytes: &[u8]| replace_all(bytes, b"application/pkcs7", b"application/x-pkcs7");
    let (kind, body) = (old(SIGNED.as_bytes()), old(&signed(&x12(b"x"))));
    assert_eq!(payload(std::str::from_utf8(&kind).unwrap(), &body), b"x");
    let inner = old(&signed_entity(&x12(b"y")));
    let cms = Enveloped::default().for_us(&inner);
    assert_eq!(
        payload("application/x-pkcs7-mime; smime-type=enveloped-data", &cms),
        b"y"
    );
    let stub = Stub::new(move |_, seen| {
        let (mut headers, body) = seen.mdn(Some(them()), |_| {});
        let kind = headers
            .get("Content-Type")
            .unwrap()
            .replace("n/pkcs7", "n/x-pkcs7");
        headers.set("Content-Type", &kind);
        super::wire::respond(200, &headers, &old_types(&body))
    });
    assert_eq!(
        Us::to(&stub.url, "").sent().message.state,
        MessageState::Confirmed
    );
}

fn old_types(body: &[u8]) -> Vec<u8> {
    replace_all(body, b"application/pkcs7", b"application/x-pkcs7")
}

#[test]
fn as2_061_file_names_travel() {
    for (line, name) in [
        ("attachment; filename=\"a b;c.edi\"", "a b;c.edi"),
        ("attachment; filename=plain.edi", "plain.edi"),
        ("attachment; filename=\"q\\\"q.edi\"", "qq.edi"),
        (
            "attachment; filename*=UTF-8''%C3%BCber%20x.edi",
            "\u{fc}ber x.edi",
        ),
        (
            "attachment; filename=\"a.edi\"; filename*=UTF-8''b.edi",
            "b.edi",
        ),
    ] {
        let line = format!("Content-Disposition: {line}");
        let part = entity(&["Content-Type: application/EDI-X12", &line], b"x");
        let (opened, _) = open(SIGNED, &signed(&part)).unwrap();
        assert_eq!(opened.file_name.as_deref(), Some(name));
    }
    for name in ["a b;c.edi", "q(q)'.edi", "\u{fc}ber \u{4e2d}.edi"] {
        assert_eq!(sent_with_name(name).as_deref(), Some(name));
    }
}

fn sent_with_name(name: &str) -> Option<String> {
    let document = transload::as2::Document {
        file_name: Some(name),
        ..super::wire::document("<1@x>")
    };
    let (mut body, keys) = (Vec::new(), super::wire::their_keys());
    let source = std::io::Cursor::new(b"x");
    let (entropy, day) = (&mut transload::net::entropy, super::wire::day());
    let sealed =
        transload::as2::seal(source, &mut body, document, &keys, &theirs(), entropy, day).unwrap();
    open(sealed.headers.get("Content-Type").unwrap(), &body)
        .unwrap()
        .0
        .file_name
}
