//! `as2 open` on receipts, and on what asks for one.

use chrono::Utc;
use transload::as2::{Certificate, Digest, Disposition, Headers, Identity, Mdn, MdnFields, Mic};
use transload::net;

use super::{Pair, Ran, run_with};

/// A receipt that they sign for a message of ours, opened by us.
fn answered(pair: &Pair, disposition: Disposition, digest: Digest) -> Ran {
    let read = |name: &str| std::fs::read(pair.path(name)).unwrap();
    let password = String::from_utf8(read("them.password")).unwrap();
    let them = Identity::from_pkcs12(&read("them.p12"), password.trim_end()).unwrap();
    let request: Headers = [
        ("AS2-From", "US"),
        ("AS2-To", "THEM"),
        ("Message-ID", "<1@us>"),
    ]
    .into_iter()
    .collect();
    let mic = Mic {
        digest: Digest::Sha256,
        value: vec![7; 32],
    };
    let fields = MdnFields::answer(&request, "<2@them>", disposition, Some(mic));
    let sign = Some((&them, digest));
    let (headers, body) = Mdn::write(&fields, sign, &mut net::entropy, Utc::now()).unwrap();
    let receipt = pair.write("receipt", &[headers.to_bytes(), body].concat());
    pair.as2("open", "us", &receipt, &[])
}

#[test]
fn a_signed_receipt_is_told() {
    let pair = Pair::new();
    let ran = answered(&pair, Disposition::processed(), Digest::Sha256);
    ran.says(
        0,
        &["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, sha-256"],
    );
    let told = ran.json();
    let pem = std::fs::read(pair.path("them.pem")).unwrap();
    let signer = Certificate::from_pem(&pem).unwrap();
    assert_eq!(told["kind"], "receipt");
    assert_eq!(told["original_message_id"], "<1@us>");
    assert_eq!(told["message_id"], "<2@them>");
    assert_eq!(told["signed"]["signer"], signer.fingerprint());
    assert_eq!(told["signed"]["subject"], "CN=them");
    assert_eq!(told["as2_from"], "THEM");
    assert_eq!(told["weak"], serde_json::json!([]));
    answered(&pair, Disposition::processed(), Digest::Sha1).says(0, &["sha-1 signature"]);
}

#[test]
fn a_negative_receipt_is_a_refused_message() {
    let pair = Pair::new();
    let ran = answered(
        &pair,
        Disposition::error("decryption-failed"),
        Digest::Sha256,
    );
    ran.says(
        1,
        &[
            "processed/error: decryption-failed",
            "the partner refused the message",
        ],
    );
}

#[test]
fn a_receipt_that_cannot_be_made_is_the_disposition() {
    let request = b"Content-Type: application/edi-x12\r\nMessage-ID: <1@us>\r\n\
        AS2-From: US\r\nAS2-To: THEM\r\nDisposition-Notification-To: us\r\n\
        Disposition-Notification-Options: signed-receipt-protocol=required, pgp\r\n\r\nISA*00~";
    let ran = run_with(&[&"as2", &"open", &"-"], request);
    ran.says(
        1,
        &[
            "failed/Failure: unsupported format",
            "request a pkcs7-signature receipt",
        ],
    );
    assert_eq!(ran.json()["payload_length"], 7);
}
