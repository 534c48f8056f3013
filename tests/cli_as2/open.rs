//! `as2 open`: what others recorded, and what goes wrong.

use std::path::Path;

use super::{Pair, Ran, recorded, run, run_with};

/// The day on which the recorded certificates are looked at.
const DAY: &str = "2026-11-22";

fn open_recorded(folder: &Path, file: &Path, p12: &str, cert: &str, at: &str) -> Ran {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "test\n").unwrap();
    let keys = folder.join("keys");
    run(&[
        &"as2",
        &"open",
        &file,
        &"--key",
        &keys.join(p12),
        &"--password-file",
        &password.path(),
        &"--partner-cert",
        &keys.join(cert),
        &"--at",
        &at,
    ])
}

fn openas2(folder: &Path, file: &Path) -> Ran {
    open_recorded(
        folder,
        file,
        "openas2_receiver.p12",
        "openas2_sender.crt",
        DAY,
    )
}

fn mendelson(folder: &Path, file: &str) -> Ran {
    let file = folder.join("mendelson").join(file);
    open_recorded(
        folder,
        &file,
        "cert_test.p12",
        "cert_mecas2_public.pem",
        DAY,
    )
}

#[test]
fn the_openas2_bodies_give_the_golden_mic() {
    let Some(folder) = recorded() else { return };
    let table = std::fs::read_to_string(folder.join("golden-mic.tsv")).unwrap();
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let (file, mic) = row.split_once('\t').unwrap();
        let ran = openas2(&folder, &folder.join(file));
        ran.says(0, &[]);
        let told = ran.json();
        assert_eq!(told["mic"], format!("{mic}, sha-256"), "{file}");
        assert_eq!(told["mic_algorithm"], "sha-256");
        assert_eq!(
            told["disposition"],
            "automatic-action/MDN-sent-automatically; processed"
        );
        assert_eq!(told["encrypted"]["cipher"], "3des");
        assert_eq!(told["encrypted"]["key_transport"], "rsa-pkcs1");
        assert_eq!(told["signed"]["algorithm"], "rsa-pkcs1 sha-256");
        assert_eq!(told["layers"], serde_json::json!(["encrypted", "signed"]));
        let weak = told["weak"].as_array().unwrap();
        assert!(weak.contains(&"3des".into()), "{told}");
    }
}

#[test]
fn base64_is_read_as_der_is() {
    let Some(folder) = recorded() else { return };
    let body = std::fs::read(folder.join("openas2/base64_crlf.pkcs7")).unwrap();
    let mut text = String::new();
    for line in openssl::base64::encode_block(&body).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let told = openas2(&folder, file.path()).json();
    let binary = openas2(&folder, &folder.join("openas2/base64_crlf.pkcs7")).json();
    assert_eq!(told["mic"], binary["mic"]);
    assert_eq!(told["payload_sha256"], binary["payload_sha256"]);
}

#[test]
fn an_expired_certificate_is_told_and_not_refused() {
    let Some(folder) = recorded() else { return };
    let file = folder.join("openas2/base64_crlf.pkcs7");
    let (p12, cert) = ("openas2_receiver.p12", "openas2_sender.crt");
    let ran = open_recorded(&folder, &file, p12, cert, "2027-01-01T00:00:00Z");
    ran.says(0, &["our certificate is valid from"]);
    let told = ran.json();
    let theirs =
        |weak: &serde_json::Value| weak.as_str().unwrap().starts_with("certificate is valid");
    assert!(
        told["weak"].as_array().unwrap().iter().any(theirs),
        "{told}"
    );
}

#[test]
fn mendelson_requests_open() {
    let Some(folder) = recorded() else { return };
    let both = mendelson(&folder, "mecas2_signed_encrypted.as2");
    both.says(0, &["\"as2_from\": \"mecas2\"", "\"as2_to\": \"pyas2lib\""]);
    let told = both.json();
    assert_eq!(told["layers"], serde_json::json!(["encrypted", "signed"]));
    assert_eq!(told["receipt"]["signed"], false);

    let compressed = mendelson(&folder, "mecas2_compressed.as2");
    compressed.says(0, &[]);
    assert_eq!(
        compressed.json()["layers"],
        serde_json::json!(["signed", "compressed"])
    );
    assert_eq!(compressed.json()["compressed"]["algorithm"], "zlib");
    let encrypted = mendelson(&folder, "mecas2_encrypted.as2");
    encrypted.says(0, &[]);
    assert_eq!(encrypted.json()["signed"], serde_json::Value::Null);
}

#[test]
fn mendelson_receipts_are_told() {
    let Some(folder) = recorded() else { return };
    let plain = mendelson(&folder, "mecas2_unsigned.mdn").json();
    assert_eq!(plain["kind"], "receipt");
    assert_eq!(plain["signed"], serde_json::Value::Null);
    assert!(plain["original_message_id"].is_string(), "{plain}");
    // Signed by a certificate that is only inside it: that proves nothing.
    let signed = mendelson(&folder, "mecas2_signed.mdn");
    signed.says(1, &["which is no pinned certificate", "over the telephone"]);
}

#[test]
fn an_altered_body_is_refused_with_the_exact_disposition() {
    let Some(folder) = recorded() else { return };
    let mut body = std::fs::read(folder.join("openas2/base64_crlf.pkcs7")).unwrap();
    let middle = body.len() / 2;
    body[middle] ^= 1;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), body).unwrap();
    let ran = openas2(&folder, file.path());
    ran.says(1, &["\"next\": "]);
    let told = ran.json();
    assert!(
        told["disposition"]
            .as_str()
            .unwrap()
            .contains("processed/error: ")
    );
    assert_eq!(told["mic"], serde_json::Value::Null);
}

#[test]
fn the_wrong_key_is_named() {
    let pair = Pair::new();
    let request = pair.seal(b"ISA*00~", &[]);
    // The sender cannot open what he encrypted to his partner.
    let ran = pair.as2("open", "us", &request, &[]);
    ran.says(
        1,
        &[
            "encrypted for other certificates than ours",
            "--password-file",
        ],
    );
    let told = ran.json();
    assert_eq!(
        told["disposition"],
        "automatic-action/MDN-sent-automatically; processed/error: decryption-failed"
    );
    assert_eq!(told["as2_from"], "US");
}

#[test]
fn the_wrong_certificate_is_told_exactly() {
    let pair = Pair::new();
    let request = pair.seal(b"ISA*00~", &[]);
    let payload = pair.path("payload");
    let ran = run(&[
        &"as2",
        &"open",
        &request,
        &"--key",
        &pair.path("them.p12"),
        &"--password-file",
        &pair.path("them.password"),
        &"--partner-cert",
        &pair.path("them.pem"),
        &"--payload",
        &payload,
    ]);
    ran.says(
        1,
        &[
            "authentication-failed",
            "which is no pinned certificate of this partner",
        ],
    );
    assert!(!payload.exists(), "what does not verify is not written");
    assert!(!pair.path("payload.partial").exists());
}

#[test]
fn a_body_cut_short_says_so() {
    let pair = Pair::new();
    let request = pair.seal(&[b'x'; 4000], &[]);
    let mut bytes = std::fs::read(&request).unwrap();
    bytes.truncate(bytes.len() - 1000);
    std::fs::write(&request, bytes).unwrap();
    let ran = pair.as2("open", "them", &request, &[]);
    ran.says(1, &["cut short", "Content-Length"]);
}

#[test]
fn what_cannot_be_read_is_exit_2_and_says_what_next() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    run(&[&"as2", &"open", &missing]).says(2, &["cannot read", "missing", "check the path"]);
    run(&[&"as2", &"open", &folder.path()]).says(2, &["is a folder"]);
    run(&[&"as2", &"open", &"-"]).says(2, &["is empty; record the request again"]);
    run_with(&[&"as2", &"open", &"-"], b"ISA*00*~").says(2, &["is no AS2 message", "Content-Type"]);
    run_with(&[&"as2", &"open", &"-"], b"\xff\xfe\0\0").says(2, &["is no AS2 message"]);
    run(&[&"as2", &"open", &"-", &"--at", &"soon"]).says(2, &["nor a date such as 2027-01-31"]);
}

#[test]
fn keys_that_do_not_open_are_exit_2() {
    let pair = Pair::new();
    let request = pair.seal(b"ISA*00~", &[]);
    let wrong = pair.write("wrong.password", b"not it\n");
    let (p12, pem) = (pair.path("them.p12"), pair.path("them.pem"));
    let open = |key: &Path, password: &Path, cert: &Path| {
        run(&[
            &"as2",
            &"open",
            &request,
            &"--key",
            &key,
            &"--password-file",
            &password,
            &"--partner-cert",
            &cert,
        ])
    };
    let ran = open(&p12, &wrong, &pem);
    ran.says(
        2,
        &[
            "them.p12 does not open with the password in",
            "transload cert new",
        ],
    );
    assert!(!ran.err.contains("not it"), "a password is never printed");
    open(&pem, &wrong, &pem).says(2, &["not a PKCS#12 file"]);
    let password = pair.path("them.password");
    open(&p12, &password, &request).says(2, &["is no certificate", "BEGIN CERTIFICATE"]);
    open(&p12, &password, &pair.path("gone.pem")).says(2, &["cannot read the certificate"]);
}
