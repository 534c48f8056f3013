//! Receipts as they are written and read (rows of `mdn-sync`, `mdn-format`; cases D).

use transload::as2::{Disposition, Error, Headers, Mdn, Outcome};
use transload::store::{MessageDetail, MessageState};

use super::forge::{ENVELOPED, REPORT, SIGNED, mic, report, signed_report};
use super::wire::{
    LAX, Party, Request, Seen, Stub, Us, day, lax, our_keys, respond, stranger, swap, their_keys,
    theirs, them,
};

/// A notification's usual fields.
const FIELDS: [&str; 4] = [
    "Reporting-UA: x",
    "Final-Recipient: rfc822; ACME",
    "Original-Message-ID: <1@x>",
    "Disposition: automatic-action/MDN-sent-automatically; processed",
];

/// What is read of a body of that type.
fn read_as(kind: &str, body: &[u8]) -> Result<Mdn, Error> {
    let headers: Headers = [("Content-Type", kind)].into_iter().collect();
    Mdn::read(&headers, body, &our_keys(), &lax(), day())
}

pub(super) fn read(fields: &[&str]) -> Mdn {
    read_as(REPORT, &report(fields)).unwrap()
}

/// What that disposition means.
pub(super) fn meant(disposition: &str) -> (Outcome, String) {
    let field = format!("Disposition: {disposition}");
    let read = read(&["Original-Message-ID: <1@x>", &field]).disposition;
    (read.outcome, read.detail)
}

/// The parts of a report that we wrote.
fn parts(body: &str) -> Vec<String> {
    let inner = match body.find("multipart/report") {
        Some(at) => &body[at..],
        None => body,
    };
    let line = inner
        .split("\r\n")
        .find(|line| line.starts_with("------=_"))
        .unwrap();
    let boundary = line.trim_end_matches("--");
    let (next, last) = (format!("{boundary}\r\n"), format!("\r\n{boundary}--"));
    let parts = inner.split(&next).skip(1);
    parts
        .map(|part| part.split(&last).next().unwrap().to_owned())
        .collect()
}

/// What became of a message that was answered by a receipt with this change.
fn settled(
    more: &str,
    who: Option<&'static Party>,
    change: impl Fn(&mut transload::as2::MdnFields) + Send + Sync + 'static,
) -> MessageDetail {
    let stub = Stub::new(move |_, seen: &Seen| {
        let (headers, body) = seen.mdn(who, &change);
        respond(200, &headers, &body)
    });
    Us::to(&stub.url, more).sent()
}

pub(super) fn state(disposition: Disposition) -> MessageState {
    settled("", Some(them()), move |mdn| {
        mdn.disposition = disposition.clone()
    })
    .message
    .state
}

#[test]
fn as2_114_the_receipt_is_the_answers_body() {
    let us = Us::lax();
    let signed = us.post(&Request::plain(b"x"));
    assert!(
        signed
            .get("Content-Type")
            .unwrap()
            .starts_with("multipart/signed; protocol=")
    );
    let unsigned = us.post(&Request::plain(b"x").without("Disposition-Notification-Options"));
    let kind = unsigned.get("Content-Type").unwrap();
    assert!(kind.starts_with("multipart/report; report-type=disposition-notification; boundary="));
    for reply in [signed, unsigned] {
        assert!(
            reply.body.starts_with(b"--"),
            "no header of MIME is repeated in the body"
        );
        assert_eq!(reply.said(), "processed");
    }
}

#[test]
fn as2_128_text_first_then_the_notification() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x"));
    let parts = parts(&reply.text());
    assert_eq!(parts.len(), 2);
    assert!(
        parts[0].starts_with("Content-Type: text/plain"),
        "{}",
        parts[0]
    );
    assert!(parts[1].starts_with("Content-Type: message/disposition-notification\r\n"));
    assert!(
        reply
            .text()
            .contains("report-type=disposition-notification")
    );
}

#[test]
fn as2_129_the_signature_is_over_the_whole_report() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x"));
    let kind = reply.get("Content-Type").unwrap();
    assert!(kind.contains("protocol=\"application/pkcs7-signature\"; micalg=sha-256"));
    let signature = reply.mdn().signature.unwrap();
    assert_eq!(signature.algorithm, "rsa-pkcs1 sha-256");
    assert!(
        reply.text().contains("\r\nContent-Type: multipart/report"),
        "with its own headers"
    );
    let altered = swap(&reply.body, b"rfc822; WE", b"rfc822; ME");
    assert!(Mdn::read(&reply.headers, &altered, &their_keys(), &theirs(), day()).is_err());
}

#[test]
fn as2_130_a_third_part_is_read_and_not_written() {
    assert_eq!(
        parts(&Us::lax().post(&Request::plain(b"x")).text()).len(),
        2
    );
    for kind in [
        "message/rfc822",
        "text/rfc822-headers",
        "application/octet-stream",
    ] {
        let third =
            format!("\r\n--r\r\nContent-Type: {kind}\r\n\r\nSubject: x\r\n\r\nbody\r\n--r--");
        let body = swap(&report(&FIELDS), b"\r\n--r--", third.as_bytes());
        assert!(
            read_as(REPORT, &body).unwrap().disposition.is_positive(),
            "{kind}"
        );
    }
}

#[test]
fn as2_131_the_text_names_the_message() {
    let request = Request::plain(b"x")
        .set("Subject", "Order 7")
        .set("Date", "Sun, 22 Nov 2026");
    let text = Us::lax().post(&request).mdn().text;
    for word in [request.id(), "Order 7", "22 Nov 2026", "received"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let broken = Request::new(ENVELOPED, b"0\x80");
    assert!(Us::lax().post(&broken).mdn().text.contains("refused"));
}

#[test]
fn as2_132_one_of_each_field() {
    let us = Us::lax();
    let failure = "signed-receipt-protocol=required, pgp";
    for request in [
        Request::plain(b"x"),
        Request::new(ENVELOPED, b"0\x80"),
        Request::plain(b"x").set("Disposition-Notification-Options", failure),
    ] {
        let text = us.post(&request).text();
        for field in [
            "\r\nFinal-Recipient: ",
            "\r\nOriginal-Message-ID: ",
            "\r\nDisposition: ",
        ] {
            assert_eq!(text.matches(field).count(), 1, "{field}: {text}");
        }
        assert!(text.contains("Final-Recipient: rfc822; WE\r\n"));
    }
}

#[test]
fn as2_133_original_recipient_is_final_recipient() {
    let text = Us::lax().post(&Request::plain(b"x")).text();
    let value = |field: &str| {
        let line = text
            .split("\r\n")
            .find(|line| line.starts_with(field))
            .unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(value("Original-Recipient"), value("Final-Recipient"));
    let odd = settled("", Some(them()), |mdn| mdn.from = "ACME".into());
    assert_eq!(odd.message.state, MessageState::Confirmed);
}

#[test]
fn as2_134_reporting_ua_is_written_and_may_lack() {
    assert!(
        Us::lax()
            .post(&Request::plain(b"x"))
            .text()
            .contains("\r\nReporting-UA: transload")
    );
    assert_eq!(read(&FIELDS[1..]).reporting_ua, None);
    let gateway = [&["MDN-Gateway: dns; x"][..], &FIELDS].concat();
    assert!(read(&gateway).disposition.is_positive());
}

#[test]
fn as2_135_words_in_any_case() {
    let (outcome, detail) =
        meant("Automatic-Action/mdn-sent-automatically; PROCESSED/ERROR: Decryption-Failed");
    assert_eq!(
        (outcome, detail.to_lowercase()),
        (Outcome::Error, "decryption-failed".into())
    );
    let shouted = FIELDS.map(str::to_uppercase);
    let shouted: Vec<&str> = shouted.iter().map(String::as_str).collect();
    assert!(read(&shouted).disposition.is_positive());
    assert_eq!(
        meant("manual-action/MDN-sent-manually; Processed").0,
        Outcome::Processed
    );
}

#[test]
fn as2_136_reports_of_every_style() {
    let mut turned = FIELDS;
    turned.reverse();
    let mic_line = format!("Received-content-MIC: {}", mic(b"x"));
    let extended = [
        "X-More: 1",
        FIELDS[2],
        &mic_line,
        "Extension: a; b",
        FIELDS[3],
    ];
    let folded = [
        "Original-Message-ID:\r\n <1@x>",
        "Disposition:\r\n\tautomatic-action/MDN-sent-automatically;\r\n processed",
    ];
    let spaced = [
        "Original-Message-ID:<1@x>",
        "Disposition:  a/b ;  processed  ",
    ];
    for fields in [&FIELDS[..], &turned, &extended, &folded, &spaced] {
        let mdn = read(fields);
        assert!(
            mdn.disposition.is_positive() && mdn.answers("<1@x>"),
            "{fields:?}"
        );
    }
    let line_feeds = String::from_utf8(report(&FIELDS))
        .unwrap()
        .replace("\r\n", "\n");
    assert!(
        read_as(REPORT, line_feeds.as_bytes())
            .unwrap()
            .disposition
            .is_positive()
    );
    let blank = swap(&report(&FIELDS), b"Reporting-UA", b"\r\nReporting-UA");
    assert!(
        read_as(REPORT, &blank).unwrap().answers("<1@x>"),
        "an empty line before the fields"
    );
}

#[test]
fn as2_137_a_receipt_counts_by_the_partners_pinned_key() {
    let good = settled("", Some(them()), |_| {});
    assert_eq!(good.message.state, MessageState::Confirmed);
    let forged = settled("", Some(stranger()), |_| {});
    assert_eq!(
        forged.message.state,
        MessageState::Sent,
        "unproved: {}",
        forged.message.note
    );
    let stub = Stub::new(|_, seen| {
        let whole = seen.receipt(|_| {});
        swap(&whole, b"Reporting-UA", b"Reporting-Ua")
    });
    assert_eq!(
        Us::to(&stub.url, "").sent().message.state,
        MessageState::Sent,
        "altered"
    );
}

#[test]
fn as2_138_transfer_encodings_in_a_report() {
    let text = Us::lax().post(&Request::plain(b"x")).text();
    assert_eq!(
        text.matches("Content-Transfer-Encoding: 7bit\r\n").count(),
        2
    );
    let fields = FIELDS.map(|field| format!("{field}\r\n")).concat();
    let encoded = super::forge::base64(fields.as_bytes());
    let quoted = fields.replace('=', "=3D").replace("rfc822", "rfc=3822");
    for (encoding, content) in [
        ("base64", encoded),
        ("quoted-printable", quoted),
        ("binary", fields.clone()),
    ] {
        let head = format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n--r--");
        let body = report(&[]);
        let body = swap(
            &body,
            b"notification\r\n\r\n\r\n--r--",
            format!("notification\r\n{head}").as_bytes(),
        );
        let mdn = read_as(SIGNED, &signed_report(&body)).unwrap();
        assert!(
            mdn.answers("<1@x>") && mdn.signature.is_some(),
            "{encoding}"
        );
    }
}

#[test]
fn as2_233_less_of_a_receipt_than_asked_is_no_confirmation() {
    let unsigned = settled("", None, |_| {});
    assert_eq!(unsigned.message.state, MessageState::Uncertain);
    assert!(
        unsigned.message.note.contains("not signed"),
        "{}",
        unsigned.message.note
    );
    let other = settled("", Some(them()), |mdn| {
        mdn.mic.as_mut().unwrap().digest = transload::as2::Digest::Sha512;
    });
    assert_ne!(other.message.state, MessageState::Confirmed);
}

#[test]
fn as2_case_d2_a_content_type_in_quotes() {
    let quoted = format!("\"{}\"", REPORT);
    assert!(
        read_as(&quoted, &report(&FIELDS))
            .unwrap()
            .disposition
            .is_positive()
    );
}

#[test]
fn as2_case_d4_recipients_unlike_the_names() {
    let odd = ["Final-Recipient: x400; someone else", FIELDS[2], FIELDS[3]];
    assert!(read(&odd).disposition.is_positive());
    assert!(read(&FIELDS[2..]).disposition.is_positive(), "or none");
}

#[test]
fn as2_case_d7_an_unsigned_no_is_a_no_and_an_unsigned_yes_is_none() {
    let no = settled("", None, |mdn| {
        mdn.disposition = Disposition::error("authentication-failed")
    });
    assert_eq!(no.message.state, MessageState::Refused);
    assert_ne!(
        settled("", None, |_| {}).message.state,
        MessageState::Confirmed
    );
}

#[test]
fn as2_case_d8_texts_of_every_shape() {
    let usual = report(&FIELDS);
    let charset = swap(
        &usual,
        b"text/plain\r\n\r\nfor",
        b"text/plain; charset=gb18030\r\n\r\n\xc4\xe3",
    );
    let extra = swap(&usual, b"for people", b"\r\n\r\n\r\nfor people\r\n\r\n");
    let text = b"--r\r\nContent-Type: text/plain\r\n\r\nfor people\r\n";
    let missing = swap(&usual, text, b"");
    for body in [charset, extra, missing] {
        assert!(read_as(REPORT, &body).unwrap().answers("<1@x>"));
    }
}

#[test]
fn as2_case_d13_nothing_of_the_request_is_copied() {
    let request = Request::plain(b"x")
        .set("X-Secret", "mirror-me")
        .set("Subject", "s");
    let reply = Us::lax().post(&request);
    assert!(!reply.head.contains("mirror-me") && !reply.text().contains("mirror-me"));
    assert!(reply.get("Disposition-Notification-To").is_none());
}

#[test]
fn as2_case_d14_both_sides_keep_what_proves() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, LAX);
    let sent = us.sent();
    let kept = sent.answer.unwrap();
    let read: Headers = kept
        .headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mdn = Mdn::read(&read, &kept.body, &our_keys(), &lax(), day()).unwrap();
    assert!(mdn.signature.is_some(), "theirs verifies again");
    let reply = us.post(&Request::plain(b"x"));
    let inbound = us.messages(transload::store::Direction::Inbound).remove(0);
    assert_eq!(
        us.detail(&inbound).answer.unwrap().body,
        reply.body,
        "and ours as it went"
    );
}
