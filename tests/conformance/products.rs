//! What products do differently, each in its own way (cases M, K and D1).

use transload::as2::{Headers, Keys, Mdn, Profile};
use transload::store::MessageState;

use super::forge::{
    COMPRESSED, ENVELOPED, Enveloped, Rule, SHA1, SHA256, SIGNED, Scheme, Signed, attribute,
    base64, compressed, entity, mic, multipart, multipart_with, oid, signed, signed_report, tlv,
    x12,
};
use super::mime::{payload, permutations};
use super::signing::{reads, written};
use super::wire::{
    Request, Stub, Us, find, lax, open, open_with, our_keys, seal, swap, theirs, them, told,
};

#[test]
fn as2_case_m2_signatures_in_binary_or_base64_whatever_they_say() {
    let part = x12(b"x");
    let signature = Signed::of(&part).by(them(), &part);
    let kind = "Content-Type: application/pkcs7-signature";
    let encoded = base64(&signature).into_bytes();
    for (encoding, bytes) in [
        (None, &signature),
        (Some("binary"), &signature),
        (Some("base64"), &encoded),
        (Some("base64"), &signature),
        (None, &encoded),
    ] {
        let line = encoding.map(|name| format!("Content-Transfer-Encoding: {name}"));
        let head: Vec<&str> = [Some(kind), line.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(
            payload(SIGNED, &multipart_with(&part, &head, bytes)),
            b"x",
            "{encoding:?}"
        );
    }
}

#[test]
fn as2_case_m3_base64_of_any_shape() {
    let cms = base64(&Enveloped::default().for_us(&x12(b"x")));
    for (width, end) in [(76, "\r\n"), (64, "\n"), (1, "\n"), (cms.len(), "")] {
        let lines: Vec<&str> = cms.as_bytes().chunks(width).map(ascii).collect();
        assert_eq!(
            payload(ENVELOPED, lines.join(end).as_bytes()),
            b"x",
            "{width}"
        );
    }
    // Ours: lines of 76 and CRLF.
    let (_, body, _) = seal(
        b"x",
        &Profile {
            encrypt: None,
            ..theirs()
        },
    );
    let text = String::from_utf8_lossy(&body).into_owned();
    let signature = text.rsplit("\r\n\r\n").next().unwrap();
    assert!(
        signature
            .split("\r\n")
            .all(|line| line.len() <= 76 && !line.contains('\n'))
    );
}

#[test]
fn as2_case_m6_one_exact_cut_and_no_second_try() {
    for content in ["\r\n\r\nx", "\n\nx", "x\r\n\r\n", "x\n\n"] {
        assert_eq!(
            payload(SIGNED, &signed(&x12(content.as_bytes()))),
            content.as_bytes()
        );
    }
    // Signed with the line end that belongs to the boundary: not what stands there.
    let part = x12(b"x");
    let longer = [&part[..], b"\r\n"].concat();
    let body = multipart(&part, &Signed::of(&longer).by(them(), &longer));
    assert_eq!(
        told(&open(SIGNED, &body).unwrap_err()),
        "integrity-check-failed"
    );
}

#[test]
fn as2_case_m8_line_feeds_alone_as_structure() {
    // The signed part has its own line ends; all around it is LF.
    let part = b"Content-Type: application/EDI-X12\n\nline\nline".to_vec();
    let signature = base64(&Signed::of(&part).by(them(), &part));
    let kind = "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\n";
    let body = [
        b"--b\n",
        &part[..],
        b"\n--b\n",
        kind.as_bytes(),
        signature.as_bytes(),
        b"\n--b--\n",
    ];
    assert_eq!(payload(SIGNED, &body.concat()), b"line\nline");
    // Ours has CRLF everywhere outside the payload.
    let (_, body, _) = seal(
        b"x",
        &Profile {
            encrypt: None,
            ..theirs()
        },
    );
    let bare = body
        .windows(2)
        .any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    assert!(!bare);
}

#[test]
fn as2_case_m9_tabs_blanks_and_missing_quotes() {
    let kind = "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha256; \
                \tboundary=b";
    assert_eq!(payload(kind, &signed(&x12(b"x"))), b"x");
    assert_eq!(
        payload(
            "multipart/signed  ;  boundary = \"b\"  ",
            &signed(&x12(b"x"))
        ),
        b"x"
    );
}

#[test]
fn as2_case_m10_no_boundary_is_an_error_and_no_crash() {
    let us = Us::lax();
    let body = signed(&x12(b"x"));
    for (kind, body) in [
        ("multipart/signed", &body[..]),
        ("multipart/signed; boundary=\"\"", &body[..]),
        ("multipart/signed; boundary=other", &body[..]),
        (SIGNED, &body[5..]),
        (SIGNED, b""),
        (SIGNED, b"--b--\r\n"),
    ] {
        let said = us.says(kind, body);
        assert!(said.starts_with("processed/error"), "{kind}: {said}");
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_case_m11_neither_micalg_nor_protocol() {
    for hash in [
        super::forge::SHA256,
        super::forge::SHA384,
        super::forge::SHA512,
    ] {
        let part = x12(b"x");
        let body = multipart(&part, &Signed::with(&part, hash).by(them(), &part));
        assert_eq!(payload("multipart/signed; boundary=b", &body), b"x");
    }
}

#[test]
fn as2_case_m13_no_header_inside_the_envelope() {
    for content in [
        &b"UNB+UNOA:2+A:1+B:1"[..],
        b"ISA*00*  ~",
        b"no colon\r\n\r\nx",
        b"",
    ] {
        let (opened, payload) = open(ENVELOPED, &Enveloped::default().for_us(content)).unwrap();
        assert_eq!(payload, content);
        assert_eq!(opened.mic.to_string(), mic(content));
    }
}

#[test]
fn as2_case_m14_a_part_without_a_type() {
    let part = entity(&["Content-Transfer-Encoding: binary"], b"x");
    let (opened, _) = open(SIGNED, &signed(&part)).unwrap();
    assert_eq!(opened.content_type, "application/octet-stream");
}

#[test]
fn as2_case_m15_where_a_file_name_comes_from() {
    let name = |lines: &[&str]| {
        open(SIGNED, &signed(&entity(lines, b"x")))
            .unwrap()
            .0
            .file_name
    };
    let kind = "Content-Type: application/EDI-X12; name=type.edi";
    let both = ["Content-Disposition: attachment; filename=d.edi", kind];
    assert_eq!(name(&both).as_deref(), Some("d.edi"));
    assert_eq!(name(&[kind]).as_deref(), Some("type.edi"));
    assert_eq!(name(&["Content-ID: <id.edi@x>"]), None);
    let path = "Content-Disposition: attachment; filename=\"C:\\dir\\..\\f.edi\"";
    assert_eq!(name(&[path]).as_deref(), Some("f.edi"));
}

#[test]
fn as2_case_m16_what_is_digested_is_what_is_sent() {
    for (sign, encrypt, compress) in permutations() {
        let profile = Profile {
            sign,
            encrypt,
            compress,
            ..theirs()
        };
        let (headers, body, mic) = seal(b"once\nonly", &profile);
        let (opened, _) = open(headers.get("Content-Type").unwrap(), &body).unwrap();
        assert_eq!(opened.mic, mic);
    }
}

#[test]
fn as2_case_m17_nothing_is_a_payload() {
    let us = Us::lax();
    for content in [&b""[..], b"\r\n\r\n"] {
        let reply = us.post(&Request::plain(content));
        assert_eq!(reply.mdn().mic.unwrap().to_string(), mic(content));
        let part = x12(content);
        assert_eq!(us.says(SIGNED, &signed(&part)), "processed");
        let empty = compressed(Rule::Der, false, &part);
        assert_eq!(us.says(COMPRESSED, &empty), "processed");
        assert_eq!(
            us.says(ENVELOPED, &Enveloped::default().for_us(&part)),
            "processed"
        );
    }
    assert_eq!(us.inbox().len(), 8);
}

#[test]
fn as2_case_m18_edi_types_in_any_case() {
    for kind in [
        "Application/EDI-X12",
        "APPLICATION/edifact",
        "Application/Octet-Stream",
        "x",
    ] {
        let profile = lax();
        assert_eq!(
            open_with(&our_keys(), &profile, kind, b"ISA").unwrap().1,
            b"ISA"
        );
    }
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn as2_case_k8_null_or_absent_parameters() {
    reads(|s| s.null = true);
    reads(|s| s.null = false);
    for null in [false, true] {
        let zipped = super::forge::compressed(Rule::Der, null, &x12(b"x"));
        assert_eq!(open(super::forge::COMPRESSED, &zipped).unwrap().1, b"x");
    }
}

#[test]
fn as2_case_k9_algorithm_protection() {
    let digest = tlv(0x30, &[&oid(SHA256.oid)]);
    let signature = oid("1.2.840.113549.1.1.1");
    let value = tlv(0x30, &[&digest, &tlv(0xA1, &[&signature, &[0x05, 0x00]])]);
    let protection = attribute("1.2.840.113549.1.9.52", &value);
    reads(|s| s.attributes.as_mut().unwrap().push(protection.clone()));
    let (_, cms) = written(&theirs());
    assert!(
        find(&cms, &oid("1.2.840.113549.1.9.52")).is_none(),
        "not by us"
    );
}

#[test]
fn as2_case_k11_pss_with_default_parameters() {
    // Defaults are SHA-1 throughout: an empty sequence.
    let part = x12(b"x");
    let mut pss = Signed::with(&part, SHA1);
    pss.scheme = Scheme::PssDefault;
    let body = multipart(&part, &pss.by(them(), &part));
    let legacy = Profile {
        legacy: true,
        ..lax()
    };
    let kind = SIGNED.replace("sha-256", "sha1");
    assert_eq!(
        open_with(&our_keys(), &legacy, &kind, &body).unwrap().1,
        b"x"
    );
}

#[test]
fn as2_case_k17_white_space_after_the_cms() {
    let cms = Enveloped::default().for_us(&x12(b"x"));
    assert_eq!(
        open(ENVELOPED, &[&cms[..], b"\r\n \n"].concat()).unwrap().1,
        b"x"
    );
    let part = x12(b"x");
    let signature = [&Signed::of(&part).by(them(), &part)[..], b"\n"].concat();
    assert_eq!(open(SIGNED, &multipart(&part, &signature)).unwrap().1, b"x");
}

#[test]
fn as2_case_k18_odd_certificates_are_used_by_their_key() {
    for serial in [0, 1, u64::MAX] {
        let (from, to) = (
            super::wire::day(),
            super::wire::day() + chrono::TimeDelta::days(1),
        );
        let odd = transload::as2::Identity::generate("#odd, *.x", serial, from, to).unwrap();
        let pem = odd.private_key_to_pem().unwrap();
        let key = openssl::pkey::PKey::private_key_from_pem(&pem).unwrap();
        let x509 = openssl::x509::X509::from_pem(&odd.certificate.to_pem().unwrap()).unwrap();
        let keys = Keys {
            theirs: vec![odd.certificate],
            ..our_keys()
        };
        let part = x12(b"x");
        // The forger writes no serial number 0; by key identifier it is all one.
        let mut signed = Signed::of(&part);
        signed.key_id = true;
        let body = multipart(&part, &signed.by_key(&x509, &key, &part));
        assert_eq!(open_with(&keys, &lax(), SIGNED, &body).unwrap().1, b"x");
    }
}

#[test]
fn as2_case_d1_receipts_are_cut_and_verified_like_messages() {
    let fields = [
        "Reporting-UA: x",
        "Original-Message-ID: <1@x>",
        "Disposition: automatic-action/MDN-sent-automatically; processed",
    ];
    let body = signed_report(&super::forge::report(&fields));
    let headers: Headers = [("Content-Type", SIGNED)].into_iter().collect();
    let read = |body: &[u8]| Mdn::read(&headers, body, &our_keys(), &lax(), super::wire::day());
    assert!(read(&body).unwrap().signature.is_some());
    assert!(read(&swap(&body, b"<1@x>", b"<2@x>")).is_err(), "altered");
    // The report's own lines with LF alone, and the signature over them so.
    let report = super::forge::report(&fields);
    let text = String::from_utf8(report).unwrap().replace("\r\n", "\n");
    let inner = format!("Content-Type: {}\n\n{text}", super::forge::REPORT);
    assert!(read(&signed(inner.as_bytes())).unwrap().signature.is_some());
    let stub = Stub::good();
    assert_eq!(
        Us::to(&stub.url, "").sent().message.state,
        MessageState::Confirmed
    );
}
