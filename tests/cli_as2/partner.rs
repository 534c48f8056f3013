//! `partner list`, `show` and `check`.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use transload::as2::Identity;

use super::{Ran, run};

const ACME: &str = r#"name = "acme"
[as2]
id = "ACME"
our_id = "US"
url = "https://acme.example/as2"
certificates = ["acme.pem"]
[x12]
ours = { qualifier = "ZZ", id = "US" }
theirs = { qualifier = "01", id = "ACME" }
[documents.850]
"#;

/// A folder with acme's file and a certificate that lives from `from` to `to` days from now.
fn folder(partner: &str, from: i64, to: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let day = |days| now + TimeDelta::days(days) + TimeDelta::hours(1);
    let identity = Identity::generate("acme", 1, day(from), day(to)).unwrap();
    let pem = identity.certificate.to_pem().unwrap();
    std::fs::write(folder.path().join("acme.pem"), pem).unwrap();
    std::fs::write(folder.path().join("acme.toml"), partner).unwrap();
    folder
}

fn partner(command: &[&str], folder: &Path) -> Ran {
    let mut args: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"partner"];
    args.extend(command.iter().map(|arg| arg as &dyn AsRef<std::ffi::OsStr>));
    args.extend([&"--partners" as &dyn AsRef<std::ffi::OsStr>, &folder]);
    run(&args)
}

#[test]
fn a_sound_partner_is_listed_shown_and_clean() {
    let folder = folder(ACME, -2, 100);
    let folder = folder.path();
    partner(&["list"], folder).says(0, &["acme", "ACME", "100 days left", "850"]);
    let told = partner(&["list", "--json"], folder).json();
    assert_eq!(told["as2"]["certificates"][0]["expires_in_days"], 100);
    assert_eq!(told["documents"][0]["transport"], "as2");
    let shown = partner(&["show", "acme"], folder);
    shown.says(
        0,
        &[
            "ACME at https://acme.example/as2; we are US",
            "CN=acme",
            "01/ACME; we are",
        ],
    );
    shown.says(0, &["850 004010 by the standard's guide, over as2"]);
    assert_eq!(partner(&["show", "acme", "--json"], folder).json(), told);
    partner(&["check"], folder).says(0, &["1 partner file, 0 errors, 0 warnings"]);
}

#[test]
fn an_unknown_partner_is_met_with_the_nearest() {
    let folder = folder(ACME, -2, 100);
    partner(&["show", "acne"], folder.path()).says(2, &["did you mean `acme`?", "it has: acme"]);
}

#[test]
fn every_file_is_checked_with_line_caret_and_nearest_name() {
    let folder = folder(&ACME.replace("certificates", "certificate"), -2, 100);
    std::fs::write(folder.path().join("beta.toml"), "name = \"beta\"\nx = 1\n").unwrap();
    let ran = partner(&["check"], folder.path());
    ran.says(
        1,
        &[
            "acme.toml:6:1: unknown field `certificate`",
            "did you mean `certificates`?",
        ],
    );
    ran.says(
        1,
        &[
            "6 | certificate = [\"acme.pem\"]\n  | ^^^^^^^^^^^",
            "beta.toml:2:1",
        ],
    );
    ran.says(1, &["2 partner files, 2 errors, 0 warnings"]);
    partner(&["list"], folder.path()).says(4, &["acme.toml:6:1", "beta.toml:2:1"]);
    let json = partner(&["check", "--json"], folder.path());
    let first: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (first["line"].as_u64(), first["nearest"].as_str()),
        (Some(6), Some("certificates"))
    );
}

#[test]
fn certificates_are_opened_and_dated() {
    let check = |folder: &tempfile::TempDir| partner(&["check"], folder.path());
    check(&folder(ACME, -20, -2)).says(1, &["error: ", "acme.pem expired on", "his new one"]);
    check(&folder(ACME, 5, 10)).says(1, &["is not valid before"]);
    check(&folder(ACME, -20, 3)).says(0, &["warning: ", "expires in 3 days", "1 warning"]);
    let missing = folder(&ACME.replace("acme.pem", "gone.pem"), -2, 100);
    check(&missing).says(
        1,
        &["cannot read the certificate", "gone.pem", "ask the partner"],
    );
    partner(&["list"], missing.path()).says(0, &["unreadable"]);
    let broken = folder(&ACME.replace("acme.pem", "acme.toml"), -2, 100);
    check(&broken).says(1, &["acme.toml is no certificate", "BEGIN CERTIFICATE"]);
}

#[test]
fn guides_have_to_exist() {
    let folder_of = |document: &str| folder(&ACME.replace("[documents.850]\n", document), -2, 100);
    let check = |document: &str| partner(&["check"], folder_of(document).path());
    check("[documents.850]\nguide = \"amazn\"\n").says(
        1,
        &[
            "there are no guides of \"amazn\"; did you mean \"amazon\"?",
            "--mappings",
        ],
    );
    check("[documents.999]\n").says(1, &["there is no guide x12/004010/999", "x12/004010/850"]);
    check("[documents.850]\nversion = \"009999\"\n").says(1, &["no guide x12/009999/850"]);
}

#[test]
fn a_guide_of_the_users_own_counts() {
    let folder = folder(
        &ACME.replace("[documents.850]", "[documents.850]\nguide = \"own\""),
        -2,
        100,
    );
    let mappings = tempfile::tempdir().unwrap();
    let own = mappings.path().join("partners/own");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("850.toml"), "base = \"x12/004010/850\"\n").unwrap();
    let check = || {
        let mappings = mappings.path().to_str().unwrap();
        partner(&["check", "--mappings", mappings], folder.path())
    };
    check().says(0, &["0 errors"]);
    std::fs::write(own.join("850.toml"), "base = \"x12/004010/85\"\n").unwrap();
    check().says(1, &["x12/004010/85", "did you mean"]);
}

#[test]
fn two_partners_with_one_name_are_told() {
    let folder = folder(ACME, -2, 100);
    std::fs::write(folder.path().join("other.toml"), ACME).unwrap();
    partner(&["check"], folder.path()).says(1, &["have the same name", "change one of the files"]);
}

#[test]
fn a_missing_folder_is_exit_4() {
    for command in [&["list"][..], &["check"], &["show", "acme"]] {
        partner(command, Path::new("/no/such/folder")).says(
            4,
            &[
                "cannot read the folder of partners /no/such/folder",
                "--partners",
            ],
        );
    }
}
