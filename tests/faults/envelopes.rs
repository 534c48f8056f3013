//! G: hostile MIME and CMS, through the real endpoint.

use std::path::Path;
use std::time::Instant;

use transload::store::Direction;

use super::copies::{ORDERS, documents, order};
use super::figure;
use crate::conformance::forge::{
    self, COMPRESSED, ENVELOPED, Enveloped, Forged, REPORT, Rule, SIGNED, Signed, entity,
    multipart, signed, x12,
};
use crate::conformance::wire::{LAX, Relation, Request, Us, find, stranger, swap, them, us};

/// One to whom nobody sends too much that does not decrypt.
pub(super) fn patient(more: &str) -> Us {
    Us::made(&[Relation::default().more(more)], |listeners, settings| {
        listeners.limits.body = 16 << 20;
        settings.limits.undecrypted = u32::MAX;
    })
}

/// All are refused with a receipt or with a status, nothing of them is taken, and all is well then.
pub(super) fn refused(row: &str, us: &Us, cases: &[(&str, &str, Vec<u8>)], text: &str) {
    let mut slowest = (0.0, "");
    for (what, kind, body) in cases {
        let from = Instant::now();
        let reply = us.post(&Request::new(kind, body));
        let took = from.elapsed().as_secs_f64() * 1e3 / (1.0 + body.len() as f64 / 1e6);
        if took > slowest.0 {
            slowest = (took, what);
        }
        let taken = reply.status == 200 && reply.said() == "processed";
        assert!(!taken, "{row}: {what} was taken");
    }
    assert!(us.inbox().is_empty(), "{row}");
    let after = us.post(&Request::sealed(b"well"));
    assert_eq!(after.said(), "processed", "{row}");
    let told = format!(
        "{text}; the slowest took {:.0} ms a megabyte and one ({})",
        slowest.0, slowest.1
    );
    figure(row, cases.len() as u64, 0, &told);
}

#[test]
fn g1_g2_parts_without_end() {
    let us = patient(LAX);
    let related = "multipart/related; boundary=b";
    let many = b"--b\r\n\r\nx\r\n".repeat(100_000);
    let lines = format!("X: {}\r\n", "y".repeat(1000)).repeat(1000);
    let wide = [
        b"--b\r\n".as_slice(),
        lines.as_bytes(),
        b"\r\nx\r\n--b--\r\n",
    ]
    .concat();
    let mut deep = Vec::new();
    for n in 0..10_000 {
        let head = format!(
            "--b{n}\r\nContent-Type: multipart/signed; boundary=b{}\r\n\r\n",
            n + 1
        );
        deep.extend_from_slice(head.as_bytes());
    }
    let nests = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000);
    let nests = format!("--r\r\n{nests}\r\n--r--\r\n").into_bytes();
    let digests = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n".repeat(10_000);
    let digests = format!("--r\r\n{digests}").into_bytes();
    let cyclic = b"--r\r\nContent-Type: multipart/mixed; boundary=r\r\n\r\n".repeat(10_000);
    let cases = [
        (
            "a hundred thousand parts",
            related,
            [&many[..], b"--b--\r\n"].concat(),
        ),
        ("a part head of a mebibyte", related, wide.clone()),
        ("the same, signed", SIGNED, wide),
        ("ten thousand deep", "multipart/signed; boundary=b0", deep),
    ];
    refused("G1", &us, &cases, "refused");
    // What claims to be a receipt is one that settles nothing, or a message that is none.
    let us = patient(LAX);
    let nests = [nests, digests, cyclic].map(|body| us.post(&Request::new(REPORT, body)));
    assert!(nests.iter().all(|reply| reply.status == 200), "{nests:?}");
    assert_eq!(us.post(&Request::sealed(b"well")).said(), "processed");
    figure("G2", nests.len() as u64, 0, "none is followed inside");
}

#[test]
fn g3_boundaries() {
    let us = Us::lax();
    let part = x12(b"payload");
    let good = String::from_utf8_lossy(&signed(&part)).len();
    let bytes = signed(&part);
    let signature = &bytes[find(&bytes, b"\r\n--b\r\n").unwrap() + 2..];
    let with = |text: &str| x12(text.as_bytes());
    let kind = |boundary: &str| {
        format!(
            "multipart/signed; micalg=sha-256; protocol=\"application/pkcs7-signature\"; {boundary}"
        )
    };
    let b = || kind("boundary=b");
    let third = swap(&bytes, b"--b--", b"--b\r\n\r\nthird\r\n--b--");
    // What is taken is what was signed, to the byte; `None`: refused.
    let table: Vec<(&str, String, Vec<u8>, Option<&[u8]>)> = vec![
        ("as it is", b(), bytes.clone(), Some(b"payload")),
        ("no boundary", kind(""), bytes.clone(), None),
        ("an empty one", kind("boundary=\"\""), bytes.clone(), None),
        ("another one", kind("boundary=c"), bytes.clone(), None),
        ("a shorter one", kind("boundary=bb"), bytes.clone(), None),
        (
            "the first part alone",
            b(),
            [b"--b\r\n", &part[..], b"\r\n--b--\r\n"].concat(),
            None,
        ),
        ("the signature alone", b(), signature.to_vec(), None),
        ("nothing", b(), b"--b--\r\n".to_vec(), None),
        ("no part", b(), Vec::new(), None),
        (
            "a preamble",
            b(),
            [b"hello\r\n".as_slice(), &bytes].concat(),
            Some(b"payload"),
        ),
        (
            "an epilogue",
            b(),
            [&bytes[..], b"bye\r\n"].concat(),
            Some(b"payload"),
        ),
        (
            "a boundary's prefix in the content",
            b(),
            signed(&with("a\r\n--bb\r\nc")),
            Some(b"a\r\n--bb\r\nc"),
        ),
        (
            "one dash in the content",
            b(),
            signed(&with("a\r\n-b\r\nc")),
            Some(b"a\r\n-b\r\nc"),
        ),
        (
            "the boundary inside a line",
            b(),
            signed(&with("a --b c")),
            Some(b"a --b c"),
        ),
        (
            "the boundary in the content",
            b(),
            signed(&with("a\r\n--b\r\nc")),
            None,
        ),
        ("cut before its end", b(), bytes[..good / 2].to_vec(), None),
    ];
    let mut trials = 0;
    for (what, kind, body, due) in &table {
        let before = us.inbox().len();
        let reply = us.post(&Request::new(kind, body));
        let taken = us.inbox()[before..].to_vec();
        assert_eq!(
            reply.said() == "processed",
            due.is_some(),
            "{what}: {}",
            reply.said()
        );
        assert_eq!(
            taken,
            due.iter().map(|due| due.to_vec()).collect::<Vec<_>>(),
            "{what}"
        );
        trials += 1;
    }
    // A third part is not signed: if the message is taken, what is in it is not.
    let reply = us.post(&Request::new(&b(), third));
    let third = us.inbox().iter().any(|one| find(one, b"third").is_some());
    assert!(!third, "{}", reply.said());
    figure(
        "G3",
        trials + 1,
        0,
        "refused, or exactly what was signed is taken",
    );
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path.display().to_string()),
        }
    }
    found
}

#[test]
fn g4_names_of_files() {
    let outer = tempfile::tempdir().unwrap();
    let us = Us::made(
        &[Relation::default().more(LAX).also(ORDERS)],
        |_, settings| {
            settings.bridge = outer.path().join("inner/bridge");
        },
    );
    let long = "n".repeat(300);
    let names = [
        "../evil",
        "../../../../../../tmp/evil",
        "/tmp/evil",
        "..\\..\\evil",
        "C:\\evil",
        "C:evil",
        "CON",
        "nul.evil",
        "evil\u{0}.edi",
        "%2e%2e%2fevil",
        "ev\u{202e}ide.li",
        "evil\r\nX: y",
        ".evil",
        "~/evil",
        "$(touch evil)",
        "evil;ls",
        "",
        ".",
        "..",
        &long,
    ];
    let sent = names.len() as u32;
    for (n, name) in names.iter().enumerate() {
        let payload = order(n as u32 + 1, &format!("PO{n}"));
        let quoted = format!("Content-Disposition: attachment; filename=\"{name}\"");
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let extended = format!("Content-Disposition: attachment; filename*=utf-8''{encoded}");
        let head = if n % 2 == 0 { quoted } else { extended };
        let part = entity(&["Content-Type: application/EDI-X12", &head], &payload);
        us.post(&Request::new(SIGNED, signed(&part)));
    }
    documents(&us, us.inbox().len());
    for message in us.messages(Direction::Inbound) {
        let name = message.file_name.unwrap_or_default();
        assert!(name.len() <= 255 && name != ".." && name != ".");
        let bad = ['/', '\\', ':', '\0', '\r', '\n'];
        assert!(!name.contains(bad), "{name:?}");
    }
    for root in [outer.path(), us.folder.path()] {
        for file in files_below(root) {
            let inside = file.contains("/inner/bridge/acme/") || root == us.folder.path();
            assert!(
                inside && !file.contains("evil") && !file.contains("nnnn"),
                "{file}"
            );
        }
    }
    assert!(!Path::new("/tmp/evil").exists());
    figure(
        "G4",
        sent.into(),
        0,
        "no file but under our own names, none outside our folders",
    );
}

#[test]
fn g5_less_than_agreed() {
    let us = patient("");
    let part = x12(b"x");
    let sealed = Enveloped::default();
    let unsigned = sealed.for_us(&part);
    let lie = |kind: &str| format!("application/pkcs7-mime; smime-type={kind}");
    let squeezed = forge::compressed(Rule::Der, false, &signed_part());
    let cases = [
        ("in clear", "application/EDI-X12".to_owned(), b"x".to_vec()),
        ("signed alone", SIGNED.into(), signed(&part)),
        ("encrypted alone", ENVELOPED.into(), unsigned.clone()),
        (
            "encrypted, called signed",
            lie("signed-data"),
            unsigned.clone(),
        ),
        ("encrypted, called nonsense", lie("x"), unsigned),
        (
            "signed, called encrypted",
            lie("enveloped-data"),
            Signed {
                content: Some(part.clone()),
                ..Signed::of(&part)
            }
            .by(them(), &part),
        ),
        ("signed and compressed", COMPRESSED.into(), squeezed),
        (
            "signed around nothing encrypted",
            SIGNED.into(),
            signed(&forge::cms_entity(ENVELOPED, b"0\x80\0\0")),
        ),
    ];
    let cases: Vec<_> = cases
        .iter()
        .map(|(what, kind, body)| (*what, kind.as_str(), body.clone()))
        .collect();
    refused("G5", &us, &cases, "none is taken");
}

fn signed_part() -> Vec<u8> {
    forge::signed_entity(&x12(b"x"))
}

#[test]
fn g6_signed_by_others() {
    let gateway = Us::new("require_encrypted = false\n");
    let part = x12(b"x");
    let foreign = Signed {
        embedded: vec![stranger().x509.to_der().unwrap()],
        ..Signed::of(&part)
    };
    // Another key under the names of the partner's certificate.
    let named = Forged::rsa(2048);
    let own = Signed {
        embedded: Vec::new(),
        ..Signed::of(&part)
    };
    let cases = [
        (
            "a stranger, his certificate inside",
            SIGNED,
            multipart(&part, &foreign.by(stranger(), &part)),
        ),
        (
            "a stranger, the partner's certificate inside",
            SIGNED,
            multipart(
                &part,
                &Signed::of(&part).by_key(&stranger().x509, &stranger().key, &part),
            ),
        ),
        (
            "a stranger under the partner's name",
            SIGNED,
            multipart(
                &part,
                &Signed::of(&part).by_key(&them().x509, &stranger().key, &part),
            ),
        ),
        (
            "a new certificate",
            SIGNED,
            multipart(&part, &own.by_key(&named.x509, &named.key, &part)),
        ),
        (
            "ourselves",
            SIGNED,
            multipart(
                &part,
                &Signed::of(&part).by_key(&us().x509, &us().key, &part),
            ),
        ),
    ];
    refused("G6", &gateway, &cases, "none is taken");
}
