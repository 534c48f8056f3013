//! `cert new`.

use std::fs;

use transload::as2::{Certificate, Identity};

use super::run;

#[test]
fn a_key_and_a_certificate_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join("keys").join(name);
    let out = folder.path().join("keys");
    let ran = run(&[
        &"cert",
        &"new",
        &"--name",
        &"ACME Corp",
        &"--out",
        &out,
        &"--days",
        &"10",
    ]);
    ran.says(
        0,
        &[
            "CN=ACME Corp",
            "keep it secret",
            "give it to your partners",
            "read out",
        ],
    );
    let password = fs::read_to_string(place("ACME-Corp.password")).unwrap();
    let p12 = fs::read(place("ACME-Corp.p12")).unwrap();
    let identity = Identity::from_pkcs12(&p12, password.trim_end()).unwrap();
    let pem = fs::read(place("ACME-Corp.pem")).unwrap();
    assert!(!String::from_utf8_lossy(&pem).contains("PRIVATE"));
    let certificate = Certificate::from_pem(&pem).unwrap();
    assert_eq!(
        certificate.fingerprint(),
        identity.certificate.fingerprint()
    );
    let days = certificate.not_after() - certificate.not_before();
    assert_eq!(days.num_days(), 10);
    assert!(
        !ran.out.contains(password.trim_end()),
        "a password is never printed"
    );
    // Four lines of four groups of four.
    let spoken: String = ran
        .out
        .split_whitespace()
        .rev()
        .take(16)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert_eq!(spoken.to_ascii_lowercase(), certificate.fingerprint());
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    run(&[&"cert", &"new", &"--name", &"a", &"--out", &folder.path()]).says(0, &[]);
    for name in ["a.p12", "a.password"] {
        let mode = fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_password_of_the_callers_is_used_and_json_tells_all() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("mine");
    fs::write(&password, "höchst geheim\r\n").unwrap();
    let ran = run(&[
        &"cert",
        &"new",
        &"--name",
        &"a",
        &"--json",
        &"--out",
        &folder.path(),
        &"--password-file",
        &password,
    ]);
    ran.says(0, &[]);
    let told = ran.json();
    assert!(!folder.path().join("a.password").exists());
    let p12 = fs::read(told["p12"].as_str().unwrap()).unwrap();
    let identity = Identity::from_pkcs12(&p12, "höchst geheim").unwrap();
    assert_eq!(told["fingerprint"], identity.certificate.fingerprint());
    assert_eq!(told["password_file"], password.to_str().unwrap());
}

#[test]
fn nothing_is_overwritten() {
    for kind in ["p12", "pem", "password"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("a.{kind}"));
        fs::write(&file, "old").unwrap();
        let ran = run(&[&"cert", &"new", &"--name", &"a", &"--out", &folder.path()]);
        ran.says(
            4,
            &[
                "is there already",
                "lost for good",
                "move the old files away",
            ],
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_cannot_be_made_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str, more: [&str; 2]| {
        run(&[
            &"cert",
            &"new",
            &"--name",
            &name,
            &"--out",
            &folder.path(),
            &more[0],
            &more[1],
        ])
    };
    new(&"x".repeat(65), ["--days", "1"]).says(2, &["1 to 64 characters", "choose another --name"]);
    new("a", ["--days", "0"]).says(2, &["1..=3650"]);
    let empty = folder.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    new("a", ["--password-file", empty.to_str().unwrap()])
        .says(2, &["is empty: a key needs a password"]);
    new("a", ["--password-file", "/no/such/file"]).says(2, &["cannot read", "--password-file"]);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing half made"
    );
}

#[test]
fn keys_of_other_kinds_are_made() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, code) in [("rsa-3072", 0), ("p-256", 0), ("p-521", 0), ("rsa-1024", 2)] {
        let ran = run(&[
            &"cert",
            &"new",
            &"--name",
            &kind,
            &"--key",
            &kind,
            &"--out",
            &folder.path(),
        ]);
        ran.says(code, &[kind]);
        if code == 0 {
            let pem = fs::read(folder.path().join(format!("{kind}.pem"))).unwrap();
            let certificate = Certificate::from_pem(&pem).unwrap();
            assert_eq!(certificate.weakness(), None);
            assert!(certificate.signs() && certificate.encrypts());
        }
    }
}
