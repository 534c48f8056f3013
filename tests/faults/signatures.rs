//! G8 to G24: CMS of odd shape, ciphertext that was changed, certificates.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use chrono::TimeDelta;
use openssl::x509::X509;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transload::as2::Certificate;

use super::envelopes::{patient, refused};
use super::{figure, often};
use crate::conformance::forge::{
    self, ENVELOPED, Enveloped, SHA256, SIGNED, Signed, attributes, entity, multipart, oid, signed,
    signed_report, tlv, x12,
};
use crate::conformance::wire::{LAX, Reply, Request, Us, find, replies, stranger, swap, them};

/// The element at the start of some DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (first, mut at) = (usize::from(der[1]), 2);
    let length = match first {
        0..0x80 => first,
        more => {
            at += more & 0x7f;
            der[2..at]
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
    };
    (der[0], &der[at..at + length], &der[at + length..])
}

/// The elements inside one, each whole.
fn inside(der: &[u8]) -> Vec<Vec<u8>> {
    let (_, mut rest, _) = element(der);
    let mut all = Vec::new();
    while !rest.is_empty() {
        let after = element(rest).2;
        all.push(rest[..rest.len() - after.len()].to_vec());
        rest = after;
    }
    all
}

/// A CMS whose content's parts are changed: those of SignedData or EnvelopedData, each whole.
fn changed(cms: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let outer = inside(cms);
    let content = inside(&outer[1]);
    let mut parts = inside(&content[0]);
    change(&mut parts);
    tlv(
        0x30,
        &[&outer[0], &tlv(0xA0, &[&tlv(0x30, &[&parts.concat()])])],
    )
}

#[test]
fn g8_g9_g10_signatures_of_odd_shape() {
    let us = Us::new("require_encrypted = false\n");
    let part = x12(b"x");
    let sound = Signed::of(&part).by(them(), &part);
    let cms = |what, cms: Vec<u8>| (what, SIGNED, multipart(&part, &cms));
    let repeat = |times: usize| {
        changed(&sound, |parts| {
            let infos = parts.pop().unwrap();
            parts.push(tlv(0x31, &[&inside(&infos)[0].repeat(times)]));
        })
    };
    let cases = [
        cms(
            "no digest algorithm",
            changed(&sound, |parts| parts[1] = tlv(0x31, &[])),
        ),
        cms("no signer", repeat(0)),
        cms("two signers", repeat(2)),
        cms("a thousand signers", repeat(1000)),
    ];
    refused("G8", &us, &cases, "none is taken");

    let us = Us::new("require_encrypted = false\n");
    let due = attributes(&part, SHA256);
    let with = |list: Vec<Vec<u8>>| {
        Signed {
            attributes: Some(list),
            ..Signed::of(&part)
        }
        .by(them(), &part)
    };
    let kind = forge::attribute("1.2.840.113549.1.9.3", &oid("1.2.840.113549.1.7.2"));
    // A signature over attributes is one over their DER as content, where it says nothing of
    // attributes.
    let set = {
        let mut sorted = due.clone();
        sorted.sort();
        tlv(0x31, &[&sorted.concat()])
    };
    let bare = Signed {
        attributes: None,
        ..Signed::of(&set)
    }
    .by(them(), &set);
    let opaque = Signed {
        attributes: None,
        content: Some(set.clone()),
        ..Signed::of(&set)
    }
    .by(them(), &set);
    let cases = [
        cms("no digest", with(due[..1].to_vec())),
        cms("no type", with(due[1..].to_vec())),
        cms("another type", with(vec![kind, due[1].clone()])),
        cms(
            "two digests",
            with([due.clone(), due[1..].to_vec()].concat()),
        ),
        cms("no attribute in the list", with(Vec::new())),
        (
            "attributes as the signed part",
            SIGNED,
            multipart(&set, &bare),
        ),
        (
            "attributes as content",
            "application/pkcs7-mime; smime-type=signed-data",
            opaque,
        ),
    ];
    refused("G9", &us, &cases, "none is taken");

    let us = Us::new("require_encrypted = false\n");
    let other = |content: &[u8]| {
        Signed {
            content: Some(content.to_vec()),
            ..Signed::of(&part)
        }
        .by(them(), &part)
    };
    let theirs = |content: &[u8]| {
        Signed {
            content: Some(content.to_vec()),
            ..Signed::of(content)
        }
        .by(them(), content)
    };
    let cases = [
        cms("other content beside the signed one", other(&x12(b"y"))),
        cms("other content, signed, beside the part", theirs(&x12(b"y"))),
    ];
    for (what, kind, body) in &cases {
        let reply = us.post(&Request::new(kind, body));
        let taken = us.inbox();
        // What is taken is the part that the sender signed, never the content beside it.
        assert!(
            taken.is_empty() || taken == [b"x"],
            "{what}: {}",
            reply.said()
        );
        assert!(!taken.iter().any(|one| one == b"y"), "{what}");
    }
    figure(
        "G10",
        cases.len() as u64,
        0,
        "the content inside is never what is taken",
    );
}

#[test]
fn g13_g14_recipients_and_lengths() {
    let us = patient("require_signed = false\n");
    let sound = Enveloped::default().for_us(&x12(b"x"));
    let infos = |list: Vec<u8>| changed(&sound, |parts| parts[1] = tlv(0x31, &[&list]));
    let theirs = inside(
        &inside(&inside(&inside(&Enveloped::default().to(&[&stranger().x509], b"x"))[1])[0])[1],
    );
    let own = inside(&inside(&inside(&inside(&sound)[1])[0])[1]);
    let odd = |tag: u8| infos(tlv(tag, &[&[0x02, 0x01, 0x00], &tlv(0x04, &[b"key"])]));
    let oaep = {
        let mut info = inside(&own[0]);
        info[2] = tlv(0x30, &[&oid("1.2.840.113549.1.1.7")]);
        infos(tlv(0x30, &[&info.concat()]))
    };
    let unknown = {
        let mut info = inside(&own[0]);
        info[2] = tlv(0x30, &[&oid("1.2.3.4")]);
        infos(tlv(0x30, &[&info.concat()]))
    };
    let cases = [
        ("key agreement", ENVELOPED, odd(0xA1)),
        ("a key of both", ENVELOPED, odd(0xA2)),
        ("a password", ENVELOPED, odd(0xA3)),
        ("another kind", ENVELOPED, odd(0xA4)),
        ("a kind that is none", ENVELOPED, odd(0xA5)),
        ("nobody", ENVELOPED, infos(Vec::new())),
        ("OAEP without parameters over PKCS#1", ENVELOPED, oaep),
        ("an algorithm that is none", ENVELOPED, unknown),
    ];
    refused("G13", &us, &cases, "none is taken");

    let us = patient("require_signed = false\n");
    let crowd = infos(theirs[0].repeat(10_000));
    let with_us = infos([theirs[0].repeat(10_000), own[0].clone()].concat());
    let huge = |length: &[u8]| [&[0x30, 0x80 | length.len() as u8], length, &[0; 100]].concat();
    let cases = [
        ("ten thousand recipients", ENVELOPED, crowd),
        ("we behind ten thousand", ENVELOPED, with_us),
        (
            "a hundred thousand indefinite lengths",
            ENVELOPED,
            b"\x30\x80".repeat(100_000),
        ),
        (
            "a length of 2^63",
            ENVELOPED,
            huge(&[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ),
        ("a length of 2^64-1", ENVELOPED, huge(&[0xff; 8])),
        ("a length of 2^120", ENVELOPED, huge(&[0xff; 15])),
        ("a length in 127 bytes", ENVELOPED, huge(&[0xff; 127])),
    ];
    refused("G14", &us, &cases, "refused");
}

#[test]
fn g15_g18_changed_ciphertext_has_one_answer() {
    let many = often(60, 3000);
    let us = patient("");
    // Without a certificate inside, which nothing signs and nobody reads: else what changes there
    // would change nothing.
    let part = x12(b"x");
    let signature = Signed {
        embedded: Vec::new(),
        ..Signed::of(&part)
    }
    .by(them(), &part);
    let whole = forge::cms_entity(SIGNED, &multipart(&part, &signature));
    let cms = Enveloped::default().for_us(&whole);
    let encrypted = {
        let content = inside(&inside(&inside(&inside(&cms)[1])[0])[2]);
        element(&content[2]).1.to_vec()
    };
    let at = find(&cms, &encrypted).unwrap();
    let mut told = std::collections::BTreeSet::new();
    let mut ask = |body: &[u8]| {
        let reply = us.post(&Request::new(ENVELOPED, body));
        let text = reply.mdn().text;
        told.insert((
            reply.status,
            reply.said(),
            text.split("<").next().unwrap().to_owned(),
        ));
    };
    for n in 0..many {
        let mut body = cms.clone();
        let place = at + n * encrypted.len() / many;
        body[place] ^= 1 << (n % 8);
        ask(&body);
    }
    // Blocks that stand elsewhere, twice, or not at all; the length stays what it is said to be.
    let blocks: Vec<&[u8]> = encrypted.chunks(16).collect();
    let mut splices = 0;
    for n in 0..blocks.len().min(24) {
        for other in [0, blocks.len() / 2, blocks.len() - 1, n + 1] {
            let mut spliced = blocks.clone();
            spliced[n] = blocks[other % blocks.len()];
            let body = swap(&cms, &encrypted, &spliced.concat());
            if body != cms {
                splices += 1;
                ask(&body);
            }
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(us.inbox().is_empty());
    figure("G18", splices, 0, "refused, 0 bytes went further");
    let told = "1 status, disposition and text for all";
    figure("G15", many as u64 + splices, 0, told);
}

/// Posts from another address of this machine.
fn post_from(us: &Us, from: IpAddr, request: &Request) -> Reply {
    let to: SocketAddr = us.address();
    let answer = us.wait(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        stream.write_all(&request.bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    });
    replies(&answer).pop().unwrap()
}

#[test]
fn g17_what_does_not_decrypt_is_heard_less_and_less() {
    let us = Us::new("");
    let mut broken = Request::sealed(b"x");
    let last = broken.body.len() - 1;
    broken.body[last] ^= 1;
    let (mut heard, many) = (0, 100);
    for _ in 0..many {
        match us.post(&broken) {
            reply if reply.status == 200 => heard += 1,
            reply => {
                assert_eq!(reply.status, 503);
                assert!(reply.get("Retry-After").is_some());
            }
        }
    }
    assert_eq!(heard, 20);
    let alerts = us.wait(us.gateway().alerts()).unwrap();
    let alert = alerts
        .iter()
        .find(|one| one.kind == "undecrypted")
        .expect("an alert");
    assert_eq!(
        (alert.partner.as_deref(), alert.subject.as_str()),
        (Some("acme"), "127.0.0.1")
    );
    // The partner, at another address, is heard all the same; at this one, after a minute.
    let sound = Request::sealed(b"elsewhere");
    let elsewhere = post_from(&us, [127, 0, 0, 2].into(), &sound);
    assert_eq!(elsewhere.said(), "processed");
    let sound = Request::sealed(b"here");
    assert_eq!(us.post(&sound).status, 503);
    us.later(TimeDelta::seconds(60));
    assert_eq!(
        us.post(&broken).said(),
        "processed/error: decryption-failed"
    );
    assert_eq!(us.post(&sound).status, 503, "one a minute");
    us.later(TimeDelta::seconds(60));
    assert_eq!(us.post(&sound).said(), "processed");
    let alerts = us.wait(us.gateway().alerts()).unwrap();
    assert!(
        alerts.iter().all(|one| one.kind != "undecrypted"),
        "{alerts:?}"
    );
    assert_eq!(us.inbox().len(), 2);
    figure(
        "G17",
        many,
        0,
        "of 100 at once 20 were looked at, then one a minute; an alert names partner and address",
    );
}

#[test]
fn g21_dates_with_nested_comments() {
    let us = Us::lax();
    let mut slowest = 0.0_f64;
    let dates = [
        format!("{}Sun, 22 Nov 2026 12:00:00 +0000", "(".repeat(15_000)),
        format!("Sun, 22 Nov 2026 12:00:00 +0000 {}", "(".repeat(15_000)),
        format!(
            "Sun, {}{} 22 Nov 2026 12:00:00 +0000",
            "(".repeat(7_000),
            ")".repeat(7_000)
        ),
        "(\\".repeat(7_000),
    ];
    for date in &dates {
        let request = Request::plain(b"x").set("Date", date);
        let from = Instant::now();
        assert_eq!(us.post(&request).said(), "processed");
        slowest = slowest.max(from.elapsed().as_secs_f64() * 1e3);
        // And in a part, and in a receipt.
        let part = entity(
            &[
                &format!("Date: {date}"),
                "Content-Type: application/EDI-X12",
            ],
            b"x",
        );
        us.post(&Request::new(SIGNED, signed(&part)));
        let report = forge::report(&["Original-Message-ID: <1@x>", &format!("Date: {date}")]);
        us.post(&Request::new(SIGNED, signed_report(&report)));
    }
    assert_eq!(
        us.post(&Request::plain(b"x").set("Date", &"(".repeat(100_000)))
            .status,
        431
    );
    let told = format!("the slowest whole request took {slowest:.0} ms; 100,000 are 431");
    figure("G21", dates.len() as u64 * 3, 0, &told);
}

#[test]
fn g24_monstrous_certificates() {
    let us = patient(LAX);
    let sound = them().x509.to_der().unwrap();
    let extensions = {
        let outer = inside(&sound);
        let mut tbs = inside(&outer[0]);
        let list = tbs.pop().unwrap();
        let one = inside(&inside(&list)[0])[0].clone();
        tbs.push(tlv(0xA3, &[&tlv(0x30, &[&one.repeat(10_000)])]));
        tlv(0x30, &[&tlv(0x30, &[&tbs.concat()]), &outer[1], &outer[2]])
    };
    let named = {
        let outer = inside(&sound);
        let mut tbs = inside(&outer[0]);
        let name = tlv(0x30, &[&oid("2.5.4.3"), &tlv(0x0C, &[&[b'n'; 1 << 20]])]);
        let subject = tlv(0x30, &[&tlv(0x31, &[&name])]);
        // Version, serial number, algorithm, issuer, validity, subject.
        tbs[5] = subject;
        tlv(0x30, &[&tlv(0x30, &[&tbs.concat()]), &outer[1], &outer[2]])
    };
    let part = x12(b"x");
    let mut trials = 0;
    let mut slowest = 0.0_f64;
    for monster in [&extensions, &named] {
        let from = Instant::now();
        // As somebody's own: an error or a certificate, and no crash.
        let read = Certificate::from_der(monster).is_ok();
        let _ = (
            read,
            X509::from_der(monster).map(|one| one.not_after().to_string()),
        );
        // Inside a message, beside the true one or in its place.
        for embedded in [
            vec![monster.clone()],
            vec![sound.clone(), monster.clone()],
            vec![monster.clone(); 8],
        ] {
            let cms = Signed {
                embedded,
                ..Signed::of(&part)
            }
            .by(them(), &part);
            let reply = us.post(&Request::new(SIGNED, multipart(&part, &cms)));
            // The signature is the partner's: what he packs beside it proves nothing and harms nothing.
            assert_eq!(reply.status, 200);
            trials += 1;
        }
        slowest = slowest.max(from.elapsed().as_secs_f64() * 1e3);
    }
    assert_eq!(us.post(&Request::plain(b"x")).said(), "processed");
    let told = format!("answered within {slowest:.0} ms for four readings");
    figure("G24", trials, 0, &told);
}
