//! `partner bundle`: a partner taken elsewhere, and nothing else with it.

use std::path::Path;

use serde_json::Value;

use super::{put, run_in};

const PARTNER: &str = r#"
name = "acme"
[as2]
id = "ACME"
our_id = "MYCO"
url = "https://acme.example/as2"
certificates = ["certificates/acme.pem"]
[x12]
ours = { qualifier = "ZZ", id = "VENDOR" }
theirs = { qualifier = "ZZ", id = "ACME" }
[documents.850]
guide = "acme"
[documents.810]
"#;

const GUIDE: &str = "base = \"partners/trade/850\"\n[heading.REF-4N]\npos = 50\nwhen = { REF01 = \"4N\" }\nREF02 = { as = \"ext.promotion\" }\n";
const BASE: &str = "base = \"x12/004010/850\"\n[detail.PO1]\nPO103 = { codes = \"ours\" }\n";

/// A folder with a partner, his certificate, his guides, and what is not his.
fn office() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run_in(
        folder.path(),
        0,
        &["cert", "new", "--name", "acme", "--out", "keys"],
    );
    let made = std::fs::read_dir(folder.path().join("keys")).unwrap();
    let pem = made.map(|entry| entry.unwrap().path());
    let pem = pem
        .filter(|path| path.extension().is_some_and(|e| e == "pem"))
        .min()
        .unwrap();
    let certificate = std::fs::read_to_string(pem).unwrap();
    put(
        folder.path(),
        &[
            ("partners/acme.toml", PARTNER),
            ("partners/certificates/acme.pem", &certificate),
            ("mappings/partners/acme/850.toml", GUIDE),
            ("mappings/partners/trade/850.toml", BASE),
            (
                "mappings/partners/other/850.toml",
                "base = \"x12/004010/850\"\n",
            ),
            ("mappings/codes/ours.toml", "EA = \"each\"\nCA = \"case\"\n"),
            ("mappings/codes/others.toml", "EA = \"each\"\n"),
        ],
    );
    folder
}

const EXPORT: [&str; 8] = [
    "partner",
    "bundle",
    "export",
    "acme",
    "-o",
    "acme.json",
    "--mappings",
    "mappings",
];

fn digest(said: &str) -> &str {
    said.lines()
        .find_map(|line| line.strip_prefix("SHA-256 "))
        .unwrap()
}

fn import(folder: &Path, exit: i32, more: &[&str]) -> (String, String) {
    let mut asked = vec![
        "partner",
        "bundle",
        "import",
        "acme.json",
        "--mappings",
        "mappings",
    ];
    asked.extend(more);
    run_in(folder, exit, &asked)
}

#[test]
fn a_bundle_goes_round_with_the_same_hash_and_nothing_secret() {
    let here = office();
    let (_, exported) = run_in(here.path(), 0, &EXPORT);
    let bundle = std::fs::read(here.path().join("acme.json")).unwrap();
    let (_, again) = run_in(here.path(), 0, &EXPORT);
    assert_eq!(digest(&again), digest(&exported));
    assert_eq!(
        std::fs::read(here.path().join("acme.json")).unwrap(),
        bundle
    );
    let content: Value = serde_json::from_slice(&bundle).unwrap();
    let files: Vec<&String> = content["files"].as_object().unwrap().keys().collect();
    assert_eq!(
        files,
        [
            "mappings/codes/ours.toml",
            "mappings/partners/acme/850.toml",
            "mappings/partners/trade/850.toml",
            "partners/acme.toml",
            "partners/certificates/acme.pem",
        ]
    );
    let there = tempfile::tempdir().unwrap();
    std::fs::write(there.path().join("acme.json"), &bundle).unwrap();
    let (_, imported) = import(there.path(), 0, &[]);
    assert_eq!(digest(&imported), digest(&exported));
    let (json, _) = import(there.path(), 0, &["--json"]);
    let told: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(told["sha256"], digest(&exported));
    // What came is what was sent: exported there, it is the same bundle.
    std::fs::remove_file(there.path().join("acme.json")).unwrap();
    let (_, back) = run_in(there.path(), 0, &EXPORT);
    assert_eq!(digest(&back), digest(&exported));
    let check = ["partner", "check", "--mappings", "mappings"];
    run_in(there.path(), 0, &check);
}

#[test]
fn a_private_key_beside_the_certificate_stays_at_home() {
    let here = office();
    let path = here.path().join("partners/certificates/acme.pem");
    let certificate = std::fs::read_to_string(&path).unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    std::fs::write(&path, format!("{key}{certificate}")).unwrap();
    run_in(here.path(), 0, &EXPORT);
    let bundle = std::fs::read_to_string(here.path().join("acme.json")).unwrap();
    assert!(
        bundle.contains("BEGIN CERTIFICATE") && !bundle.contains("PRIVATE"),
        "{bundle}"
    );
    // And a bundle that somebody put one into is not taken.
    let there = tempfile::tempdir().unwrap();
    let planted = bundle.replace(
        "-----END CERTIFICATE-----\\n",
        "-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\n",
    );
    std::fs::write(there.path().join("acme.json"), planted).unwrap();
    let (_, err) = import(there.path(), 2, &[]);
    assert!(err.contains("something beside a certificate"), "{err}");
    assert!(!there.path().join("partners").exists());
}

#[test]
fn import_replaces_only_when_told_and_stays_in_its_folders() {
    let here = office();
    run_in(here.path(), 0, &EXPORT);
    let bundle = std::fs::read_to_string(here.path().join("acme.json")).unwrap();
    let there = tempfile::tempdir().unwrap();
    let changed = PARTNER.replace("https://acme.example/as2", "https://acme.example/old");
    put(
        there.path(),
        &[("partners/acme.toml", &changed), ("acme.json", &bundle)],
    );
    put(there.path(), &[("partners/certificates/acme.pem", "old")]);
    let (_, err) = import(there.path(), 2, &[]);
    assert!(err.contains("acme.toml") && err.contains("--yes"), "{err}");
    assert!(!there.path().join("mappings").exists(), "all or nothing");
    let (out, _) = import(there.path(), 0, &["--yes"]);
    assert!(out.contains("put"), "{out}");
    let (out, _) = import(there.path(), 0, &[]);
    assert!(!out.contains("put") && out.contains("same"), "{out}");
    // Somebody else's pair of names, ways out of the folders, and what is no bundle.
    let other = PARTNER.replace("name = \"acme\"", "name = \"other\"");
    put(there.path(), &[("partners/other.toml", &other)]);
    let (_, err) = import(there.path(), 2, &[]);
    assert!(err.contains("same pair of AS2 names"), "{err}");
    std::fs::remove_file(there.path().join("partners/other.toml")).unwrap();
    for bad in [
        "../evil.toml",
        "/etc/evil.toml",
        "mappings/../../evil.toml",
        "partners/x/../../../e.toml",
        "elsewhere/a.toml",
    ] {
        let mut content: Value = serde_json::from_str(&bundle).unwrap();
        content["files"][bad] = "EA = \"each\"\n".into();
        put(there.path(), &[("acme.json", &content.to_string())]);
        let (_, err) = import(there.path(), 2, &["--yes"]);
        assert!(err.contains("leads out of the folders"), "{bad}: {err}");
    }
    for (bad, why) in [
        ("{}", "not a bundle"),
        ("", "not a bundle"),
        (&*"x".repeat(9 << 20), "at most"),
    ] {
        put(there.path(), &[("acme.json", bad)]);
        let (_, err) = import(there.path(), 2, &["--yes"]);
        assert!(err.contains(why), "{err}");
    }
    let broken = bundle.replace("ext.promotion", "nowhere.promotion");
    put(there.path(), &[("acme.json", &broken)]);
    let (_, err) = import(there.path(), 2, &["--yes"]);
    assert!(err.contains("its guides are broken"), "{err}");
}

#[test]
fn certificates_of_servers_come_along_and_paths_elsewhere_are_asked_for() {
    let here = office();
    let file = here.path().join("partners/acme.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let pins = "[as2.connect]\nserver_certificates = [\"certificates/tls.pem\"]\n[x12]";
    std::fs::write(&file, text.replacen("[x12]", pins, 1)).unwrap();
    let certificates = here.path().join("partners/certificates");
    std::fs::copy(certificates.join("acme.pem"), certificates.join("tls.pem")).unwrap();
    run_in(here.path(), 0, &EXPORT);
    let bundle = std::fs::read_to_string(here.path().join("acme.json")).unwrap();
    let there = tempfile::tempdir().unwrap();
    std::fs::write(there.path().join("acme.json"), &bundle).unwrap();
    import(there.path(), 0, &[]);
    assert!(there.path().join("partners/certificates/tls.pem").exists());

    // A file that would be read here, and its content sent to whoever made the bundle.
    let login =
        "[as2.connect]\\nlogin = { user = \\\"us\\\", password_file = \\\"/etc/hostname\\\" }\\n";
    let evil = bundle.replacen("[as2.connect]\\n", login, 1);
    assert_ne!(evil, bundle);
    let there = tempfile::tempdir().unwrap();
    std::fs::write(there.path().join("acme.json"), &evil).unwrap();
    let (_, said) = import(there.path(), 2, &[]);
    assert!(said.contains("/etc/hostname"), "{said}");
    assert!(!there.path().join("partners").exists());
    import(there.path(), 0, &["--yes"]);
}
