//! What a receipt says happened (rows of `disposition`).

use transload::as2::{Disposition, Outcome};
use transload::store::MessageState;

use super::forge::{ENVELOPED, SIGNED, Signed, multipart, signed, x12};
use super::receipts::{meant, read, state};
use super::wire::{Request, Us, day, lax, our_keys, stranger, swap};

#[test]
fn as2_139_success_has_no_modifier() {
    let text = Us::lax().post(&Request::plain(b"x")).text();
    let line = "\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n";
    assert!(text.contains(line), "{text}");
}

/// Messages that fail, each in its own way, and what is said of them.
fn failures() -> Vec<(&'static str, Request)> {
    let part = x12(b"payload");
    let mut altered = signed(&part);
    let at = super::wire::find(&altered, b"payload").unwrap();
    altered[at] ^= 1;
    let foreign = multipart(&part, &Signed::of(&part).by(stranger(), &part));
    let broken = super::forge::compressed_as(
        super::forge::Rule::Der,
        false,
        "1.2.840.113549.1.9.16.3.8",
        b"no zlib",
    );
    let other = super::forge::Enveloped::default().to(&[&stranger().x509], &part);
    vec![
        ("integrity-check-failed", Request::new(SIGNED, altered)),
        ("authentication-failed", Request::new(SIGNED, foreign)),
        (
            "decompression-failed",
            Request::new(super::forge::COMPRESSED, broken),
        ),
        ("decryption-failed", Request::new(ENVELOPED, other)),
        (
            "unexpected-processing-error",
            Request::new("multipart/signed", b"x"),
        ),
    ]
}

#[test]
fn as2_140_errors_are_processed_with_a_modifier() {
    let us = Us::lax();
    for (told, request) in failures() {
        assert_eq!(us.post(&request).said(), format!("processed/error: {told}"));
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_141_an_unverifiable_signer_is_authentication_failed() {
    let us = Us::lax();
    let part = x12(b"x");
    let mut foreign = Signed::of(&part);
    foreign.embedded = vec![stranger().x509.to_der().unwrap()];
    let body = multipart(&part, &foreign.by(stranger(), &part));
    assert_eq!(
        us.says(SIGNED, &body),
        "processed/error: authentication-failed"
    );
    // The pinned certificate, after its last day.
    let headers: transload::as2::Headers = [("Content-Type", SIGNED)].into_iter().collect();
    let late = day() + chrono::TimeDelta::days(400);
    let body = signed(&part);
    let (keys, sink) = (our_keys(), std::io::sink());
    let why = transload::as2::open(&headers, &body[..], sink, &keys, &lax(), late).unwrap_err();
    assert_eq!(super::wire::told(&why), "authentication-failed");
}

#[test]
fn as2_142_changed_content_is_integrity_check_failed() {
    let us = Us::lax();
    let body = swap(&signed(&x12(b"payload")), b"payload", b"pAyload");
    assert_eq!(
        us.says(SIGNED, &body),
        "processed/error: integrity-check-failed"
    );
}

#[test]
fn as2_143_less_than_agreed_is_insufficient_message_security() {
    let us = Us::new("diagnostic_dispositions_until = 2027-01-01\n");
    let part = x12(b"x");
    let unsigned = super::forge::Enveloped::default().for_us(&part);
    for (kind, body) in [
        ("x/y", b"x".to_vec()),
        (SIGNED, signed(&part)),
        (ENVELOPED, unsigned),
    ] {
        assert_eq!(
            us.says(kind, &body),
            "processed/error: insufficient-message-security"
        );
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_145_all_else_is_unexpected_processing_error() {
    let us = Us::lax();
    for body in [
        &b"--b\r\n"[..],
        b"--b\r\n\r\nx\r\n--b--\r\n",
        b"no boundary",
    ] {
        assert_eq!(
            us.says(SIGNED, body),
            "processed/error: unexpected-processing-error"
        );
    }
}

#[test]
fn as2_146_new_modifiers_are_explained() {
    let nameless = Us::lax().post(&Request::plain(b"x").without("Message-ID"));
    let unsigned = Us::new("").post(&Request::plain(b"x"));
    for (reply, modifier) in [
        (nameless, "invalid-message-id"),
        (unsigned, "insufficient-message-security"),
    ] {
        let disposition = reply.mdn().disposition;
        assert_eq!(disposition, Disposition::error(modifier));
        let why = disposition.explanation().unwrap();
        assert!(reply.mdn().text.contains(why), "for people");
        assert!(
            reply.text().contains(&format!("\r\nError: {why}\r\n")),
            "and in a field"
        );
    }
}

#[test]
fn as2_147_failed_is_for_a_receipt_that_cannot_be_made() {
    let us = Us::lax();
    let asked = |options: &str| {
        us.post(&Request::plain(b"x").set("Disposition-Notification-Options", options))
            .said()
    };
    let pgp = asked("signed-receipt-protocol=required, pgp-signature");
    assert_eq!(pgp, "failed/Failure: unsupported format");
    let micalg = asked(
        "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, x",
    );
    assert_eq!(micalg, "failed/Failure: unsupported MIC-algorithms");
    for text in ["unsupported format", "UNSUPPORTED MIC-Algorithms"] {
        let (outcome, detail) = meant(&format!("a/b; FAILED/failure: {text}"));
        assert_eq!(outcome, Outcome::Failure);
        assert!(detail.eq_ignore_ascii_case(text), "{detail}");
        assert_eq!(state(Disposition::failure(text)), MessageState::Refused);
    }
}

#[test]
fn as2_148_failed_says_nothing_else() {
    let us = Us::lax();
    for (_, request) in failures() {
        assert!(!us.post(&request).said().starts_with("failed"));
    }
}

#[test]
fn as2_149_any_text_after_a_modifier() {
    for (said, outcome) in [
        ("processed/error: frobnication-exceeded", Outcome::Error),
        ("failed/Failure: see call desk", Outcome::Failure),
        (
            "processed/error: \u{fc}berlauf; siehe Hotline 12:30",
            Outcome::Error,
        ),
        ("processed/warning: anything at all", Outcome::Warning),
        ("dispatched", Outcome::Failure),
        ("deleted/superseded", Outcome::Failure),
    ] {
        let (read, _) = meant(&format!("automatic-action/MDN-sent-automatically; {said}"));
        let negative = |outcome| matches!(outcome, Outcome::Error | Outcome::Failure);
        assert_eq!(negative(read), negative(outcome), "{said}");
    }
    assert_eq!(
        meant(&format!("a/b; processed/error: {}", "x".repeat(5000))).0,
        Outcome::Error
    );
    assert_eq!(
        state(Disposition::error("frobnication-exceeded")),
        MessageState::Refused
    );
}

#[test]
fn as2_150_modifiers_have_a_colon_and_a_text() {
    let us = Us::lax();
    let options = "signed-receipt-protocol=required, pgp";
    let pgp = Request::plain(b"x").set("Disposition-Notification-Options", options);
    let requests = failures()
        .into_iter()
        .map(|(_, request)| request)
        .chain([pgp]);
    for said in requests.map(|request| us.post(&request).said()) {
        let (kind, text) = said.split_once(": ").unwrap_or_else(|| panic!("{said}"));
        assert!(["processed/error", "failed/Failure"].contains(&kind) && !text.is_empty());
    }
}

#[test]
fn as2_151_a_warning_is_delivered() {
    let warning = Disposition {
        outcome: Outcome::Warning,
        detail: "authentication-failed, processing continued".into(),
    };
    assert_eq!(state(warning), MessageState::Confirmed);
}

#[test]
fn as2_152_constructions_of_old() {
    assert_eq!(meant("a/b; processed").0, Outcome::Processed);
    assert_eq!(meant("a/b; processed/error: x").0, Outcome::Error);
    assert_eq!(
        meant("a/b; processed/warning: duplicate-document").0,
        Outcome::Warning
    );
    assert_eq!(
        meant("a/b; failed/failure: sender-equals-receiver").0,
        Outcome::Failure
    );
    assert_eq!(
        state(Disposition::failure("sender-equals-receiver")),
        MessageState::Refused
    );
}

#[test]
fn as2_153_error_warning_and_failure_fields_may_come_too() {
    let with = |disposition: &str, more: &[&str]| {
        let field = format!("Disposition: {disposition}");
        read(&[&["Original-Message-ID: <1@x>", &field][..], more].concat())
            .disposition
            .outcome
    };
    let more = [
        "Error: decryption-failed",
        "Error: another",
        "Failure: x",
        "Warning: y",
    ];
    assert_eq!(with("a/b; processed", &more[3..]), Outcome::Processed);
    assert_eq!(with("a/b; processed/error", &more), Outcome::Error);
    assert_eq!(with("a/b; failed", &more), Outcome::Failure);
}

#[test]
fn as2_154_sent_manually_is_never_claimed() {
    let us = Us::lax();
    let requests = failures().into_iter().map(|(_, request)| request);
    for request in requests.chain([Request::plain(b"x")]) {
        let text = us.post(&request).text();
        assert!(text.contains("automatic-action/MDN-sent-automatically; "));
        assert!(!text.to_lowercase().contains("manual"));
    }
}

#[test]
fn as2_case_d5_blanks_and_case_in_a_disposition() {
    for said in [
        "automatic-action/MDN-sent-automatically ; processed",
        "automatic-action/MDN-sent-automatically;processed",
        "automatic-action/MDN-sent-automatically;\tPROCESSED ",
    ] {
        assert_eq!(meant(said).0, Outcome::Processed, "{said}");
    }
    let (outcome, detail) = meant("a/b;processed/Error:authentication-failed");
    assert_eq!(
        (outcome, detail.as_str()),
        (Outcome::Error, "authentication-failed")
    );
}

#[test]
fn as2_case_d6_misspelt_modifiers_are_read() {
    let (outcome, detail) = meant("a/b; processed/error: decompresion-failed");
    assert_eq!(
        (outcome, detail.as_str()),
        (Outcome::Error, "decompression-failed")
    );
    assert_eq!(meant("a/b; failed/Failure: free text").0, Outcome::Failure);
    assert_eq!(meant("a/b; processed/Fehler").0, Outcome::Error);
}
