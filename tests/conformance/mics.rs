//! What the integrity check is over (rows of `mic`, cases I). Every value is reckoned here from the
//! bytes that went over the wire.

use transload::as2::{Digest, Mic, Profile};
use transload::store::MessageState;

use super::forge::{
    COMPRESSED, ENVELOPED, Enveloped, Rule, SHA384, SIGNED, Signed, cms_entity, compressed, entity,
    mic, multipart, signed, signed_entity, x12,
};
use super::wire::{LAX, Request, Stub, Us, open, seal, theirs, them};

/// The MIC that the gateway finds.
fn found(kind: &str, body: &[u8]) -> String {
    open(kind, body).unwrap().0.mic.to_string()
}

/// An entity encrypted for us.
fn sealed(entity: &[u8]) -> Vec<u8> {
    Enveloped::default().for_us(entity)
}

fn zipped(entity: &[u8]) -> Vec<u8> {
    compressed(Rule::Der, false, entity)
}

#[test]
fn as2_102_signed_over_what_was_signed() {
    let part = x12(b"payload\n");
    let inner = cms_entity(COMPRESSED, &zipped(&part));
    for (what, signed_part) in [("plain", &part), ("compressed inside", &inner)] {
        let due = mic(signed_part);
        assert_eq!(found(SIGNED, &signed(signed_part)), due, "{what}");
        let whole = signed_entity(signed_part);
        assert_eq!(found(ENVELOPED, &sealed(&whole)), due, "{what}, encrypted");
        assert_eq!(
            found(COMPRESSED, &zipped(&whole)),
            due,
            "{what}, compressed"
        );
        let both = sealed(&cms_entity(COMPRESSED, &zipped(&whole)));
        assert_eq!(found(ENVELOPED, &both), due, "{what}, both");
    }
}

#[test]
fn as2_103_encrypted_over_the_decrypted_entity() {
    let part = entity(
        &[
            "Content-Type: application/EDI-X12",
            "Content-Transfer-Encoding: binary",
        ],
        b"x\ny",
    );
    assert_eq!(found(ENVELOPED, &sealed(&part)), mic(&part));
    let line_feeds = b"Content-Type: application/EDI-X12\n\nx\ny".to_vec();
    assert_eq!(
        found(ENVELOPED, &sealed(&line_feeds)),
        mic(&x12(b"x\ny")),
        "headers with CRLF"
    );
}

#[test]
fn as2_104_compressed_over_the_uncompressed_entity() {
    let binary = x12(b"x");
    let head = [
        "Content-Type: application/EDI-X12",
        "Content-Transfer-Encoding: base64",
    ];
    let encoded = entity(&head, b"eA==\r\n");
    for part in [binary, encoded] {
        assert_eq!(found(COMPRESSED, &zipped(&part)), mic(&part));
        let both = sealed(&cms_entity(COMPRESSED, &zipped(&part)));
        assert_eq!(found(ENVELOPED, &both), mic(&part));
    }
}

#[test]
fn as2_105_in_clear_over_the_body_alone() {
    let us = Us::lax();
    for kind in [
        "application/EDI-X12",
        "text/plain; charset=x",
        "application/octet-stream",
    ] {
        let reply = us.post(&Request::new(kind, b"ISA*\r\n"));
        assert_eq!(reply.mdn().mic.unwrap().to_string(), mic(b"ISA*\r\n"));
    }
}

#[test]
fn as2_106_a_multipart_payload_is_taken_whole() {
    let inside = b"--p\r\n\r\none\r\n--p\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--p--\r\n";
    for kind in [
        "multipart/mixed; boundary=p",
        "multipart/related; boundary=p; type=\"a/b\"",
    ] {
        let part = entity(&[&format!("Content-Type: {kind}")], inside);
        assert_eq!(found(SIGNED, &signed(&part)), mic(&part));
        assert_eq!(found(ENVELOPED, &sealed(&part)), mic(&part));
    }
}

#[test]
fn as2_107_a_signed_message_has_the_signatures_digest() {
    let us = Us::lax();
    let part = x12(b"x");
    let body = multipart(&part, &Signed::with(&part, SHA384).by(them(), &part));
    let kind = SIGNED.replace("sha-256", "sha-384");
    for asked in ["sha-384", "sha-256"] {
        let options = format!(
            "signed-receipt-protocol=optional, pkcs7-signature; \
             signed-receipt-micalg=optional, {asked}"
        );
        let request = Request::new(&kind, &body).set("Disposition-Notification-Options", &options);
        let mdn = us.post(&request).mdn();
        assert_eq!(mdn.mic.unwrap().digest, Digest::Sha384, "asked for {asked}");
    }
    // As a sender: what we ask for is what we sign with.
    let stub = Stub::good();
    Us::to(&stub.url, "sign = \"sha-512\"\n").sent();
    assert!(
        stub.first()
            .get("Disposition-Notification-Options")
            .ends_with("sha-512")
    );
}

#[test]
fn as2_108_sha_256_where_nothing_says_otherwise() {
    let us = Us::lax();
    let request = Request::plain(b"x").without("Disposition-Notification-Options");
    let reply = us.post(&request);
    assert_eq!(reply.mdn().mic.unwrap().to_string(), mic(b"x"));
}

#[test]
fn as2_109_a_signed_receipt_has_a_mic_or_a_reason() {
    let us = Us::lax();
    let good = us.post(&Request::plain(b"x")).mdn();
    assert!(good.signature.is_some() && good.mic.is_some());
    let bad = us.post(&Request::new(ENVELOPED, b"0\x80garbage")).mdn();
    assert!(bad.signature.is_some() && bad.mic.is_none());
    assert!(!bad.disposition.detail.is_empty() && bad.text.contains(&bad.disposition.detail));
}

#[test]
fn as2_110_base64_a_comma_and_the_name_on_one_line() {
    let us = Us::lax();
    for (name, length) in [("sha-256", 44), ("sha-384", 64), ("sha-512", 88)] {
        let options = format!("signed-receipt-micalg=optional, {name}");
        let request = Request::plain(b"x").set("Disposition-Notification-Options", &options);
        let text = us.post(&request).text();
        let line = text
            .split("\r\n")
            .find(|line| line.starts_with("Received-Content-MIC: "));
        let value = line.unwrap().split_once(": ").unwrap().1;
        let (base64, said) = value.split_once(", ").unwrap();
        assert_eq!((base64.len(), said), (length, name));
    }
}

#[test]
fn as2_111_a_mic_in_any_spelling() {
    let due = mic(b"x");
    let (value, _) = due.split_once(',').unwrap();
    let ours = Mic::parse(&due).unwrap();
    let bare = value.trim_end_matches('=');
    for spelled in [
        format!("{value}, sha-256"),
        format!("{value},sha-256"),
        format!("{value} , SHA-256 "),
        format!("{value}, sha256"),
        format!("{value}, SHA256"),
        format!("{value}, sha_256"),
        format!("{value}, Sha-256"),
        format!("{value},\r\n sha-256"),
        format!("{},\tsha256", &value),
        format!("{bare}, sha-256"),
        format!("{}\r\n {}, sha-256", &value[..20], &value[20..]),
        format!(" {value}, \"sha-256\""),
        format!("{value}, rsa-sha256"),
    ] {
        assert_eq!(Mic::parse(&spelled).as_ref(), Some(&ours), "{spelled:?}");
    }
    assert_ne!(Mic::parse(&mic(b"y")).unwrap(), ours);
}

#[test]
fn as2_112_another_mic_is_no_acknowledgement() {
    let stub = Stub::new(|_, seen| seen.receipt(|mdn| mdn.mic.as_mut().unwrap().value[0] ^= 1));
    let sent = Us::to(&stub.url, "").sent();
    assert_eq!(sent.message.state, MessageState::Uncertain);
    assert!(
        sent.message.note.contains("other bytes"),
        "{}",
        sent.message.note
    );
}

#[test]
fn as2_113_a_receipt_without_a_mic_proves_no_integrity() {
    let without = |mdn: &mut transload::as2::MdnFields| mdn.mic = None;
    let unsigned = Stub::new(move |_, seen| {
        let (headers, body) = seen.mdn(None, without);
        super::wire::respond(200, &headers, &body)
    });
    for more in ["", "receipt = \"unsigned\"\n"] {
        let sent = Us::to(&unsigned.url, more).sent();
        assert_eq!(sent.message.state, MessageState::Uncertain, "{more}");
    }
    let error = Stub::new(move |_, seen| {
        seen.receipt(|mdn| {
            mdn.mic = None;
            mdn.disposition = transload::as2::Disposition::error("decryption-failed");
        })
    });
    assert_eq!(
        Us::to(&error.url, "").sent().message.state,
        MessageState::Refused
    );
}

#[test]
fn as2_case_i2_signed_over_compressed_content() {
    let inner = cms_entity(COMPRESSED, &zipped(&x12(b"x")));
    assert_eq!(found(SIGNED, &signed(&inner)), mic(&inner));
}

#[test]
fn as2_case_i3_signed_then_compressed() {
    let part = x12(b"x");
    assert_eq!(
        found(COMPRESSED, &zipped(&signed_entity(&part))),
        mic(&part)
    );
}

#[test]
fn as2_case_i5_encrypted_and_compressed_unsigned() {
    let part = x12(b"x");
    let body = sealed(&cms_entity(COMPRESSED, &zipped(&part)));
    assert_eq!(found(ENVELOPED, &body), mic(&part));
}

#[test]
fn as2_case_i7_compressed_alone_with_its_headers() {
    let part = x12(b"x");
    assert_eq!(found(COMPRESSED, &zipped(&part)), mic(&part));
    assert_ne!(mic(&part), mic(b"x"), "unlike what is in clear");
}

#[test]
fn as2_case_i8_odd_mics_of_partners() {
    let stub = Stub::new(|_, seen| {
        let value = seen.opened().0.mic.to_string().replace(", ", ",");
        let folded = format!("{}\r\n {}", &value[..30], &value[30..]).replace('=', "");
        receipt_saying(seen, &folded.replace("sha-256", "SHA256"))
    });
    let sent = Us::to(&stub.url, "").sent();
    assert_eq!(
        sent.message.state,
        MessageState::Confirmed,
        "{}",
        sent.message.note
    );
}

/// A receipt by hand, signed, with that MIC.
fn receipt_saying(seen: &super::wire::Seen, mic: &str) -> Vec<u8> {
    let id = format!("Original-Message-ID: {}", seen.get("Message-ID"));
    let mic = format!("Received-Content-MIC: {mic}");
    let done = "Disposition: automatic-action/MDN-sent-automatically; processed";
    let report = super::forge::report(&[&id, &mic, done]);
    let headers = [
        ("AS2-From", "ACME"),
        ("AS2-To", "WE"),
        ("Content-Type", SIGNED),
    ];
    let body = super::forge::signed_report(&report);
    super::wire::respond(200, &headers.into_iter().collect(), &body)
}

#[test]
fn as2_case_i10_unsigned_message_signed_receipt() {
    let us = Us::lax();
    let options = "signed-receipt-protocol=required, pkcs7-signature; \
                   signed-receipt-micalg=required, sha-512";
    let request = Request::plain(b"x").set("Disposition-Notification-Options", options);
    let mdn = us.post(&request).mdn();
    assert_eq!(mdn.mic.unwrap().digest, Digest::Sha512);
    assert!(mdn.signature.is_some());
}

#[test]
fn as2_case_i12_raw_bytes_are_digested() {
    for content in [&b"a\nb"[..], b"a\rb", b"a\r\nb\n\n"] {
        let part = x12(content);
        assert_eq!(found(SIGNED, &signed(&part)), mic(&part));
        let (_, body, ours) = seal(
            content,
            &Profile {
                encrypt: None,
                ..theirs()
            },
        );
        let (start, end) = (
            body.windows(2).position(|w| w == b"\r\n").unwrap() + 2,
            content,
        );
        let end = super::wire::find(&body, end).unwrap() + content.len();
        assert_eq!(ours.to_string(), mic(&body[start..end]));
    }
}

#[test]
fn as2_case_i13_the_same_rule_at_any_size() {
    let us = Us::new(LAX);
    for size in [1, 70_000, 900_000] {
        let content = vec![b'x'; size];
        let reply = us.post(&Request::plain(&content));
        assert_eq!(reply.mdn().mic.unwrap().to_string(), mic(&content));
        assert_eq!(found(SIGNED, &signed(&x12(&content))), mic(&x12(&content)));
    }
}
