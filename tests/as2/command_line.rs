//! The openssl command line reads what we write, and we read what it writes.

use std::path::Path;
use std::process::{Command, Stdio};

use transload::as2::{
    Cipher, Digest, Disposition, Headers, Identity, KeyKind, KeyTransport, Keys, Mdn, MdnFields,
    Profile, RsaSignature,
};

use super::{counting, day, open, partners, partners_with, profile, seal};

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

/// Keys, and what we seal with: every algorithm that we write.
fn sealed() -> Vec<(KeyKind, Profile)> {
    let standard = profile();
    let sign = |digest| Profile {
        sign: Some(digest),
        ..standard.clone()
    };
    let encrypt = |cipher| Profile {
        encrypt: Some(cipher),
        ..standard.clone()
    };
    let oaep = |hash, mgf| Profile {
        rsa_signature: RsaSignature::Pss,
        key_transport: KeyTransport::Oaep { hash, mgf },
        ..standard.clone()
    };
    let rsa = KeyKind::Rsa(2048);
    let mut table = vec![(KeyKind::Rsa(3072), encrypt(Cipher::Aes256Cbc))];
    for digest in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
        let pss = RsaSignature::Pss;
        table.push((rsa, sign(digest)));
        table.push((
            rsa,
            Profile {
                rsa_signature: pss,
                ..sign(digest)
            },
        ));
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521] {
            table.push((kind, sign(digest)));
        }
        for mgf in [Digest::Sha1, Digest::Sha256, Digest::Sha512] {
            table.push((rsa, oaep(digest, mgf)));
        }
    }
    table.push((rsa, oaep(Digest::Sha1, Digest::Sha1)));
    for cipher in Cipher::ALL.into_iter().filter(|cipher| !cipher.weak()) {
        table.push((rsa, encrypt(cipher)));
        table.push((KeyKind::P256, encrypt(cipher)));
    }
    for profile in [Cipher::Aes128Cbc, Cipher::Aes128Gcm].map(encrypt) {
        let both = Profile {
            encrypt_for_us: true,
            ..profile
        };
        table.push((rsa, both.clone()));
        table.push((KeyKind::P384, both));
    }
    table.sort_by_key(|(kind, _)| kind.to_string());
    table
}

#[test]
fn openssl_decrypts_and_verifies_what_we_seal() {
    let mut last: Option<(KeyKind, Keys, Keys)> = None;
    for (kind, profile) in sealed() {
        let (_, ours, theirs) = match last.take().filter(|last| last.0 == kind) {
            Some(same) => last.insert(same),
            None => {
                let (ours, theirs) = partners_with(kind);
                last.insert((kind, ours, theirs))
            }
        };
        let folder = folder(ours, theirs);
        let (_, body) = seal(b"line\nline\r\n", ours, &profile);
        std::fs::write(folder.path().join("body"), body).unwrap();
        let readers: &[&str] = if profile.encrypt_for_us {
            &["us", "them"]
        } else {
            &["them"]
        };
        for reader in readers {
            let decrypt = format!(
                "cms -decrypt -inform DER -in body -inkey {reader}.key -recip {reader}.crt -out signed"
            );
            let Some(_) = openssl(folder.path(), &decrypt) else {
                return;
            };
            let verify = format!(
                "cms -verify -binary -crlfeol -in signed -certfile us.crt -out content {}",
                attime()
            );
            openssl(folder.path(), &verify);
            let content = std::fs::read(folder.path().join("content")).unwrap();
            assert!(content.ends_with(b"\r\n\r\nline\nline\r\n"), "{kind}");
        }
    }
}

#[test]
fn openssl_verifies_our_receipts() {
    let (ours, theirs) = partners();
    let folder = folder(&ours, &theirs);
    let request: Headers = [("AS2-From", "A"), ("AS2-To", "B"), ("Message-ID", "<1@a>")]
        .into_iter()
        .collect();
    for scheme in [RsaSignature::Pkcs1, RsaSignature::Pss] {
        let fields = MdnFields {
            scheme,
            ..MdnFields::answer(&request, "<2@b>", Disposition::processed(), None)
        };
        let sign = Some((&ours.ours[0], Digest::Sha256));
        let (headers, body) = Mdn::write(&fields, sign, &mut counting(), day()).unwrap();
        let whole = [headers.to_bytes(), body].concat();
        std::fs::write(folder.path().join("mdn"), whole).unwrap();
        let verify = format!(
            "cms -verify -in mdn -certfile us.crt -out report {}",
            attime()
        );
        let Some(_) = openssl(folder.path(), &verify) else {
            return;
        };
        let report = std::fs::read_to_string(folder.path().join("report")).unwrap();
        assert!(report.contains("Original-Message-ID: <1@a>\r\n"));
        std::fs::remove_file(folder.path().join("report")).unwrap();
        let shown = openssl(folder.path(), "cms -cmsout -print -in mdn -noout").unwrap();
        let pss = String::from_utf8_lossy(&shown).contains("rsassaPss");
        assert_eq!(pss, scheme == RsaSignature::Pss);
    }
}

/// What `cms -sign` and `cms -encrypt` are told, and what we then say of the layers.
const WRITTEN: [(&str, &str, &str); 30] = [
    ("rsa", "-md sha256", "-aes-256-cbc them.crt"),
    ("rsa", "-md sha512 -crlfeol", "-aes-128-cbc them.crt"),
    (
        "rsa",
        "-md sha384 -nocerts -keyid",
        "-aes-192-cbc -keyid them.crt",
    ),
    ("rsa", "-md sha256 -nodetach", "-aes-256-cbc them.crt"),
    (
        "rsa",
        "-md sha256 -stream",
        "-stream -aes-256-cbc us.crt them.crt",
    ),
    (
        "rsa",
        "-md sha256 -stream -nodetach",
        "-stream -aes-256-cbc them.crt",
    ),
    ("rsa", "-md sha256 -noattr", "-aes-256-cbc them.crt"),
    ("rsa", "-md sha1", "-des3 them.crt"),
    ("rsa", "-md sha256", "-aes-256-cbc them.crt"),
    (
        "rsa",
        "-md sha256 -keyopt rsa_padding_mode:pss",
        "-aes-128-gcm them.crt",
    ),
    (
        "rsa",
        "-md sha384 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20",
        "-aes-192-gcm them.crt",
    ),
    (
        "rsa",
        "-md sha512 -keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha256",
        "-aes-256-gcm us.crt them.crt",
    ),
    (
        "rsa",
        "-md sha256 -noattr -keyopt rsa_padding_mode:pss",
        "-aes-256-gcm -stream them.crt",
    ),
    ("rsa", "-md sha256", "-aes-256-gcm -keyid them.crt"),
    (
        "rsa",
        "-md sha256",
        "-aes-256-cbc -recip them.crt -keyopt rsa_padding_mode:oaep",
    ),
    (
        "rsa",
        "-md sha256",
        "-aes-256-cbc -recip them.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256",
    ),
    (
        "rsa",
        "-md sha256",
        "-aes-256-cbc -recip them.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 \
         -keyopt rsa_mgf1_md:sha1",
    ),
    (
        "rsa",
        "-md sha256",
        "-aes-256-gcm -recip them.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha384 \
         -keyopt rsa_mgf1_md:sha256",
    ),
    ("p-256", "-md sha256", "-aes-128-cbc them.crt"),
    ("p-256", "-md sha1", "-aes-256-cbc us.crt them.crt"),
    ("p-256", "-md sha256 -noattr", "-aes-256-gcm them.crt"),
    (
        "p-256",
        "-md sha384",
        "-aes-256-cbc -recip them.crt -keyopt ecdh_kdf_md:sha256",
    ),
    (
        "p-384",
        "-md sha384",
        "-aes-192-cbc -recip them.crt -keyopt ecdh_kdf_md:sha384",
    ),
    (
        "p-384",
        "-md sha512 -keyid",
        "-aes-256-gcm -keyid -recip them.crt -keyopt ecdh_kdf_md:sha256",
    ),
    (
        "p-521",
        "-md sha512",
        "-aes-256-cbc -recip them.crt -keyopt ecdh_kdf_md:sha512",
    ),
    (
        "p-521",
        "-md sha256",
        "-aes-256-cbc -recip them.crt -keyopt ecdh_cofactor_mode:1",
    ),
    (
        "p-521",
        "-md sha512 -nodetach -stream",
        "-stream -aes-128-cbc them.crt",
    ),
    (
        "rsa",
        "-md sha256",
        "-provider legacy -provider default -rc2-40 them.crt",
    ),
    (
        "rsa",
        "-md sha256",
        "-provider legacy -provider default -rc2-64 them.crt",
    ),
    (
        "rsa",
        "-md sha256",
        "-provider legacy -provider default -rc2 them.crt",
    ),
];

#[test]
fn we_open_what_openssl_writes() {
    let payload = b"ISA*00~\r\nGS*PO~\r\n".repeat(2000);
    let legacy = Profile {
        legacy: true,
        ..profile()
    };
    let entity = [&b"Content-Type: application/EDI-X12\r\n\r\n"[..], &payload].concat();
    for key in ["rsa", "p-256", "p-384", "p-521"] {
        let kind = key.parse().unwrap_or(KeyKind::Rsa(2048));
        let (ours, theirs) = partners_with(kind);
        let folder = folder(&ours, &theirs);
        std::fs::write(folder.path().join("entity"), &entity).unwrap();
        for (_, sign_with, encrypt_with) in WRITTEN.iter().filter(|row| row.0 == key) {
            let told = format!("{key}: {sign_with} {encrypt_with}");
            if encrypt_with.contains("legacy") && !has_legacy() {
                continue;
            }
            let sign = "cms -sign -binary -in entity -out signed -signer us.crt -inkey us.key";
            let Some(_) = openssl(folder.path(), &format!("{sign} {sign_with}")) else {
                return;
            };
            let encrypt = "cms -encrypt -binary -in signed -out body -outform DER";
            openssl(folder.path(), &format!("{encrypt} {encrypt_with}"));
            let body = std::fs::read(folder.path().join("body")).unwrap();
            let headers = [("Content-Type", "application/pkcs7-mime")]
                .into_iter()
                .collect();
            let (opened, back) = open(&headers, &body, &theirs, &legacy)
                .unwrap_or_else(|error| panic!("{told}: {error}"));
            assert_eq!(back, payload, "{told}");
            assert!(opened.signer().is_some());
            let weak = ["sha1", "-des3", "-rc2"]
                .iter()
                .any(|word| told.contains(word));
            let weak = weak && !told.contains("mgf1_md:sha1") || told.contains("-md sha1 ");
            assert_eq!(opened.secured.weak.is_empty(), !weak, "{told}");
            let strict = open(&headers, &body, &theirs, &profile());
            assert_eq!(strict.is_err(), weak, "{told}");
        }
    }
}

/// Whether the command has RC2.
fn has_legacy() -> bool {
    let listed = Command::new("openssl")
        .args(["list", "-provider", "legacy", "-providers"])
        .output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("legacy"))
}

#[test]
fn an_smime_message_in_base64_opens() {
    let (ours, theirs) = partners();
    let folder = folder(&ours, &theirs);
    std::fs::write(folder.path().join("entity"), "\r\nx").unwrap();
    let sign = "cms -sign -binary -in entity -out signed -signer us.crt -inkey us.key";
    let Some(_) = openssl(folder.path(), sign) else {
        return;
    };
    for cipher in ["-aes-256-cbc", "-aes-256-gcm"] {
        let encrypt = "cms -encrypt -binary -in signed -out body -outform SMIME";
        openssl(folder.path(), &format!("{encrypt} {cipher} them.crt"));
        let body = std::fs::read(folder.path().join("body")).unwrap();
        let mut body = body.as_slice();
        let headers = Headers::read(&mut body).unwrap();
        assert_eq!(open(&headers, body, &theirs, &profile()).unwrap().1, b"x");
    }
}
