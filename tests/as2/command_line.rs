//! The openssl command line reads what we write, and we read what it writes.

use std::path::Path;
use std::process::{Command, Stdio};

use transload::as2::{Digest, Disposition, Headers, Identity, Keys, Mdn, MdnFields, Profile};

use super::{counting, day, open, partners, profile, seal};

/// Runs `openssl ARGS` in a folder; `None` where there is no such command.
fn openssl(folder: &Path, args: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("openssl");
    command
        .args(args.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null());
    let Ok(output) = command.output() else {
        say!("skipped: no openssl command");
        return None;
    };
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {args}: {shown}");
    Some(output.stdout)
}

fn write_keys(folder: &Path, name: &str, identity: &Identity) {
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    std::fs::write(file("crt"), identity.certificate.to_pem().unwrap()).unwrap();
    std::fs::write(file("key"), identity.private_key_to_pem().unwrap()).unwrap();
}

fn folder(ours: &Keys, theirs: &Keys) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_keys(folder.path(), "us", &ours.ours[0]);
    write_keys(folder.path(), "them", &theirs.ours[0]);
    folder
}

/// The certificates here live on the day of the tests, not today.
fn attime() -> String {
    format!(
        "-attime {} -purpose any -partial_chain -CAfile us.crt",
        day().timestamp()
    )
}

#[test]
fn openssl_decrypts_and_verifies_what_we_seal() {
    let (ours, theirs) = partners();
    let folder = folder(&ours, &theirs);
    for digest in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
        let profile = Profile {
            sign: Some(digest),
            ..profile()
        };
        let (_, body) = seal(b"line\nline\r\n", &ours, &profile);
        std::fs::write(folder.path().join("body"), body).unwrap();
        let decrypt =
            "cms -decrypt -inform DER -in body -inkey them.key -recip them.crt -out signed";
        let Some(_) = openssl(folder.path(), decrypt) else {
            return;
        };
        let verify = format!(
            "cms -verify -binary -crlfeol -in signed -certfile us.crt -out content {}",
            attime()
        );
        openssl(folder.path(), &verify);
        let content = std::fs::read(folder.path().join("content")).unwrap();
        assert!(content.ends_with(b"\r\n\r\nline\nline\r\n"));
    }
}

#[test]
fn openssl_verifies_our_receipts() {
    let (ours, theirs) = partners();
    let folder = folder(&ours, &theirs);
    let request: Headers = [("AS2-From", "A"), ("AS2-To", "B"), ("Message-ID", "<1@a>")]
        .into_iter()
        .collect();
    let fields = MdnFields::answer(&request, "<2@b>", Disposition::processed(), None);
    let sign = Some((&ours.ours[0], Digest::Sha256));
    let (headers, body) = Mdn::write(&fields, sign, &mut counting(), day()).unwrap();
    std::fs::write(
        folder.path().join("mdn"),
        [headers.to_bytes(), body].concat(),
    )
    .unwrap();
    let verify = format!(
        "cms -verify -in mdn -certfile us.crt -out report {}",
        attime()
    );
    let Some(_) = openssl(folder.path(), &verify) else {
        return;
    };
    let report = std::fs::read_to_string(folder.path().join("report")).unwrap();
    assert!(report.contains("Original-Message-ID: <1@a>\r\n"));
}

#[test]
fn we_open_what_openssl_writes() {
    let (ours, theirs) = partners();
    let folder = folder(&ours, &theirs);
    let payload = b"ISA*00~\r\nGS*PO~\r\n".repeat(2000);
    let entity = [&b"Content-Type: application/EDI-X12\r\n\r\n"[..], &payload].concat();
    std::fs::write(folder.path().join("entity"), entity).unwrap();
    let sign = "cms -sign -binary -signer us.crt -inkey us.key -in entity -out signed";
    let encrypt = "cms -encrypt -binary -in signed -out body";
    let legacy = Profile {
        legacy: true,
        ..profile()
    };
    for (sign_with, encrypt_with) in [
        ("-md sha256", "-outform DER -aes-256-cbc them.crt"),
        ("-md sha512 -crlfeol", "-outform DER -aes-128-cbc them.crt"),
        (
            "-md sha384 -nocerts -keyid",
            "-outform DER -aes-192-cbc -keyid them.crt",
        ),
        ("-md sha256 -nodetach", "-outform DER -aes-256-cbc them.crt"),
        (
            "-md sha256 -stream",
            "-outform DER -stream -aes-256-cbc us.crt them.crt",
        ),
        (
            "-md sha256 -stream -nodetach",
            "-stream -outform DER -aes-256-cbc them.crt",
        ),
        (
            "-md sha256 -keyopt rsa_padding_mode:pss",
            "-outform DER -aes-256-cbc them.crt",
        ),
        ("-md sha256 -noattr", "-outform DER -aes-256-cbc them.crt"),
        (
            "-md sha1",
            "-outform DER -des3 -recip them.crt -keyopt rsa_padding_mode:oaep \
             -keyopt rsa_oaep_md:sha256",
        ),
        ("-md sha256", "-outform SMIME -aes-256-cbc them.crt"),
    ] {
        let Some(_) = openssl(folder.path(), &format!("{sign} {sign_with}")) else {
            return;
        };
        openssl(folder.path(), &format!("{encrypt} {encrypt_with}"));
        let body = std::fs::read(folder.path().join("body")).unwrap();
        let mut body = body.as_slice();
        let mut headers: Headers = [("Content-Type", "application/pkcs7-mime")]
            .into_iter()
            .collect();
        if encrypt_with.contains("SMIME") {
            headers = Headers::read(&mut body).unwrap();
        }
        let opened = open(&headers, body, &theirs, &legacy);
        let (opened, back) = opened.unwrap_or_else(|error| panic!("{sign_with}: {error}"));
        assert_eq!(back, payload, "{sign_with}");
        assert!(opened.signer().is_some());
    }
}
