//! Partner files and settings: what they say, and what is said of a broken one.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use transload::as2::{Compression, Digest, KeyTransport, RsaSignature, Version};
use transload::config::Config;
use transload::partner::{
    self, Encrypt, Partner, Partners, Receipt, ReceiptMode, Sign, Transport, Usage,
};

const ACME: &str = r#"name = "acme"
[as2]
id = "ACME-AS2"
our_id = "VENDOR-AS2"
url = "http://127.0.0.1:4080/as2"
certificates = ["acme.pem", "keys/new.pem"]
sign = "sha-384"
encrypt = "none"
compress = true
receipt = "unsigned"
require_signed = false
legacy_until = "2027-01-01"
diagnostic_dispositions_until = 2026-12-24
[x12]
ours   = { qualifier = "ZZ", id = "VENDOR" }
theirs = { qualifier = "01", id = "ACME" }
usage = "P"
acknowledge = false
delimiters = { element = "|", segment = "\n" }
[folder]
inbox = "in"
outbox = "/srv/out"
[documents.850]
guide = "acme"
version = "004010VICS"
[documents.855]
transport = "folder"
bridge = "folder"
"#;

fn acme() -> Partner {
    partner::parse(ACME, "acme.toml").unwrap()
}

#[test]
fn a_full_file_says_everything() {
    let acme = acme();
    let as2 = acme.as2.as_ref().unwrap();
    assert_eq!(
        (as2.id.as_str(), as2.our_id.as_str()),
        ("ACME-AS2", "VENDOR-AS2")
    );
    assert_eq!(
        (as2.sign, as2.encrypt, as2.receipt),
        (Sign::Sha384, Encrypt::None, Receipt::Unsigned)
    );
    assert_eq!(
        (as2.compress, as2.require_signed, as2.require_encrypted),
        (Some(Compression::BeforeSigning), false, true)
    );
    let x12 = acme.x12.as_ref().unwrap();
    assert_eq!((x12.usage, x12.acknowledge), (Usage::P, false));
    let d = x12.delimiters;
    assert_eq!(
        (d.element, d.component, d.segment, d.repetition),
        ('|', '>', '\n', '^')
    );
    assert_eq!(acme.documents["850"].guide.as_deref(), Some("acme"));
    assert_eq!(acme.documents["850"].version, "004010VICS");
    assert_eq!(acme.documents["855"].guide, None);
    assert_eq!(acme.transport("850"), Some(Transport::As2));
    assert_eq!(acme.transport("855"), Some(Transport::Folder));
    assert_eq!(acme.transport("810"), None);
}

#[test]
fn words_for_algorithms_are_read() {
    let with = |words: &str| {
        let text = ACME.replacen("compress = true", words, 1);
        partner::parse(&text, "acme.toml").map(|partner| partner.as2.unwrap())
    };
    let as2 = with(
        "compress = \"after-signing\"\nsignature = \"rsa-pss\"\n\
         key_transport = \"rsa-oaep-sha-256-mgf1-sha-1\"\nencrypt_for_us = true",
    )
    .unwrap();
    assert_eq!(as2.compress, Some(Compression::AfterSigning));
    assert_eq!(as2.signature, RsaSignature::Pss);
    let (hash, mgf) = (Digest::Sha256, Digest::Sha1);
    assert_eq!(as2.key_transport, KeyTransport::Oaep { hash, mgf });
    assert!(as2.encrypt_for_us && !as2.encrypt_for_all);
    let standard = with("").unwrap();
    assert_eq!(standard.compress, None);
    assert_eq!(standard.signature, RsaSignature::Pkcs1);
    assert_eq!(standard.key_transport, KeyTransport::Pkcs1);
    for wrong in [
        "compress = \"after\"",
        "compress = 3",
        "signature = \"dsa\"",
        "key_transport = \"rsa-oaep-md5\"",
    ] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn dated_flags_end_on_their_day() {
    let as2 = acme().as2.unwrap();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    assert!(as2.legacy(day("2026-12-31")) && !as2.legacy(day("2027-01-01")));
    assert!(as2.diagnostic(day("2026-12-23")) && !as2.diagnostic(day("2026-12-24")));
}

/// The example with one piece of text changed to another, read.
fn broken(from: &str, to: &str) -> String {
    assert!(ACME.contains(from), "{from}");
    partner::parse(&ACME.replacen(from, to, 1), "acme.toml")
        .unwrap_err()
        .to_string()
}

#[test]
fn what_is_agreed_about_receipts() {
    let as2 = acme().as2.unwrap();
    assert_eq!(
        (as2.receipt_mode, as2.receipt_minutes, as2.require_mic),
        (ReceiptMode::Sync, 60, true)
    );
    assert_eq!((as2.give_up_hours, as2.version), (72, Version::V1_2));
    let more = "receipt = \"signed\"\nreceipt_mode = \"async\"\nversion = \"1.1\"";
    let other = ACME.replacen("receipt = \"unsigned\"", more, 1);
    let other = partner::parse(&other, "acme.toml").unwrap().as2.unwrap();
    assert_eq!(
        (other.receipt_mode, other.version),
        (ReceiptMode::Async, Version::V1_1)
    );
    for (line, told) in [
        ("receipt_mode = \"later\"", "unknown variant `later`"),
        ("receipt_minutes = 0", "0 is not 1 to 1440 minutes"),
        ("at_once = 0", "0 is not 1 to 16 messages at once"),
        ("misses = 0", "0 is not 1 to 100 tries in a row"),
        ("interim_seconds = 301", "301 is not 1 to 300 seconds"),
        ("give_up_hours = 1000", "1000 is not 1 to 744 hours"),
        ("version = \"2.0\"", "is not an AS2 version"),
        (
            "receipts_to = [\"mailto:a@b\"]",
            "is not an http or https URL",
        ),
        (
            "receipts_to = [\"http://a@b/\"]",
            "is not an http or https URL",
        ),
    ] {
        let why = broken("receipt = \"unsigned\"", line);
        assert!(why.contains(told), "{line}: {why}");
    }
}

/// Of addresses that a message asks for, only those that the file names are asked.
#[test]
fn where_receipts_may_go() {
    let text = ACME.replacen(
        "receipt = ",
        "receipts_to = [\"https://mdn.example/any\"]\nreceipt = ",
        1,
    );
    let as2 = partner::parse(&text, "acme.toml").unwrap().as2.unwrap();
    for (url, allowed) in [
        ("http://127.0.0.1:4080/other?x=1", true),
        ("https://MDN.example", true),
        ("https://mdn.example:443/", true),
        ("http://127.0.0.1/as2", false),
        ("https://127.0.0.1:4080/as2", false),
        ("http://mdn.example/", false),
        ("https://mdn.example:8443/", false),
        ("https://mdn.example.evil/", false),
        ("https://mdn.example@evil/", false),
        ("https://evil#@mdn.example/", false),
        ("https://evil\\@mdn.example/", false),
        ("https://mdn.example\t/", false),
        ("HTTPS://mdn.example/", false),
        ("//mdn.example/", false),
        ("mailto:mdn@mdn.example", false),
        ("", false),
    ] {
        assert_eq!(as2.takes_receipts_at(url), allowed, "{url}");
    }
}

#[test]
fn a_broken_file_is_told_with_its_place() {
    let typo = broken("encrypt = ", "encrpt = ");
    let start = "acme.toml:8:1: unknown field `encrpt`, expected one of `id`, `our_id`, `url`, ";
    let end = "; did you mean `encrypt`?\n  |\n8 | encrpt = \"none\"\n  | ^^^^^^";
    assert!(typo.starts_with(start) && typo.ends_with(end), "{typo}");
    let table = [
        (
            "sha-384",
            "sha384",
            "acme.toml:7:8: ",
            "did you mean `sha-384`?",
        ),
        (
            "[documents.850]",
            "[document.850]",
            "acme.toml:23:2: ",
            "did you mean `documents`?",
        ),
        (
            "name = \"acme\"",
            "name = \"../acme\"",
            "acme.toml:1:8: ",
            "is not a name",
        ),
        (
            "\"ACME-AS2\"",
            "\"\"",
            "acme.toml:3:6: ",
            "is not an AS2 name",
        ),
        (
            "\"ACME-AS2\"",
            "\"AC\\r\\nME\"",
            "acme.toml:3:6: ",
            "is not an AS2 name",
        ),
        (
            "http://127",
            "ftp://127",
            "acme.toml:5:7: ",
            "is not an http or https URL",
        ),
        (
            "[\"acme.pem\", \"keys/new.pem\"]",
            "[]",
            "acme.toml:6:16: ",
            "no certificate",
        ),
        (
            "\"2027-01-01\"",
            "\"soon\"",
            "acme.toml:12:16: ",
            "is not a date",
        ),
        (
            "\"ZZ\"",
            "\"ZZZ\"",
            "acme.toml:15:24: ",
            "is not a qualifier",
        ),
        (
            "\"VENDOR\"",
            "\"A-NAME-TOO-LONG-BY-ONE\"",
            "acme.toml:15:35: ",
            "is not an ISA identifier",
        ),
        (
            "usage = \"P\"",
            "usage = \"X\"",
            "acme.toml:17:9: ",
            "unknown variant `X`",
        ),
        ("\"|\"", "\"~\\\"\"", "acme.toml:19:26: ", "character"),
        (
            "\"|\"",
            "\"A\"",
            "acme.toml:19:14: ",
            "'A' cannot be a delimiter",
        ),
        (
            "\"|\"",
            "\">\"",
            "acme.toml:19:14: ",
            "'>' is two delimiters at once",
        ),
        (
            "documents.850",
            "documents.banana",
            "acme.toml:23:1: ",
            "is not a transaction set",
        ),
        (
            "004010VICS",
            "4010",
            "acme.toml:25:11: ",
            "is not an X12 version",
        ),
        (
            "[folder]\ninbox = \"in\"\noutbox = \"/srv/out\"\n",
            "",
            "acme.toml:23:1: ",
            "no [folder] section",
        ),
        ("guide = \"acme\"", "guide = acme", "acme.toml:24:9: ", ""),
        ("[x12]", "[x12", "acme.toml:14:5: ", ""),
        (
            "id = \"ACME-AS2\"\n",
            "",
            "acme.toml:2:1: ",
            "missing field `id`",
        ),
    ];
    for (from, to, place, why) in table {
        let error = broken(from, to);
        assert!(error.starts_with(place), "{to}: {error}");
        assert!(error.contains(why) && error.contains('^'), "{to}: {error}");
    }
}

#[test]
fn partners_are_found_exactly() {
    let mut other = acme();
    other.name = "other".into();
    other.as2.as_mut().unwrap().id = "acme-as2".into();
    other.x12.as_mut().unwrap().theirs.id = "OTHER".into();
    let all = Partners::new(vec![other.clone(), acme()]).unwrap();
    let name = |found: Option<&Partner>| found.map(|partner| partner.name.clone());
    assert_eq!(
        name(all.find_as2("ACME-AS2", "VENDOR-AS2")).as_deref(),
        Some("acme")
    );
    assert_eq!(
        name(all.find_as2("acme-as2", "VENDOR-AS2")).as_deref(),
        Some("other")
    );
    assert_eq!(name(all.find_as2("VENDOR-AS2", "ACME-AS2")), None);
    let ours = ("ZZ", "VENDOR         ");
    assert_eq!(
        name(all.find_isa(("01", "ACME           "), ours)).as_deref(),
        Some("acme")
    );
    assert_eq!(
        name(all.find_isa(("ZZ", "ACME"), ours)),
        None,
        "another qualifier"
    );
    assert_eq!(name(all.find_isa(ours, ("01", "ACME"))), None, "our own");
    assert_eq!(all.get("other"), Some(&other));
    assert_eq!(
        all.iter().map(|partner| &partner.name).collect::<Vec<_>>(),
        ["acme", "other"]
    );
    for (what, change) in [
        ("name", (|p| p.name = "acme".into()) as fn(&mut Partner)),
        ("AS2", |p| p.as2.as_mut().unwrap().id = "ACME-AS2".into()),
        ("ISA", |p| p.x12.as_mut().unwrap().theirs.id = "ACME".into()),
    ] {
        let mut twin = other.clone();
        change(&mut twin);
        let error = Partners::new(vec![acme(), twin]).unwrap_err();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn a_folder_of_partners_is_loaded_or_every_error_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("acme.toml", ACME);
    write("acme.pem", "not a partner");
    let all = partner::load(folder.path()).unwrap();
    let acme = all.get("acme").unwrap();
    assert_eq!(
        acme.as2.as_ref().unwrap().certificates[1].file,
        folder.path().join("keys/new.pem")
    );
    assert_eq!(
        acme.folder.as_ref().unwrap().inbox,
        folder.path().join("in")
    );
    assert_eq!(acme.folder.as_ref().unwrap().outbox, Path::new("/srv/out"));
    write("b.toml", "nam = \"b\"");
    write("c.toml", "name = 3");
    let errors = partner::load(folder.path()).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.line).collect::<Vec<_>>(),
        [Some(1), Some(1)]
    );
    assert!(errors[0].file.ends_with("b.toml") && errors[0].nearest.as_deref() == Some("name"));
    assert_eq!(
        partner::load(&folder.path().join("none")).unwrap(),
        Partners::default()
    );
}

fn no_env(_: &str) -> Option<String> {
    None
}

#[test]
fn settings_need_no_file() {
    let config = Config::parse("", "transload.toml", &no_env).unwrap();
    assert_eq!(config.data, PathBuf::from("data"));
    assert_eq!(config.as2.path, "/as2");
    assert!(config.admin.listen.ip().is_loopback());
    assert_eq!(config.serve_limits().body, transload::net::serve::BODY);
}

#[test]
fn the_environment_overrides_the_file() {
    let text = r#"
        data = "state"
        partners = "/srv/partners"
        [as2]
        listen = "127.0.0.1:1"
        [identity]
        p12 = "keys/us.p12"
        password_file = "keys/password"
        [limits]
        body = 2000000000
        exempt = ["10.0.0.1"]
    "#;
    let file = Config::parse(text, "etc/transload.toml", &no_env).unwrap();
    assert_eq!(file.data, Path::new("etc/state"), "relative to the file");
    assert_eq!(file.bridge.folder, Path::new("etc/bridge"), "a default too");
    assert_eq!(file.partners, Path::new("/srv/partners"));
    assert_eq!(
        file.identity.as_ref().unwrap().p12,
        Path::new("etc/keys/us.p12")
    );
    assert_eq!(file.serve_limits().body, 2_000_000_000);
    assert_eq!(file.serve_limits().exempt.len(), 1);
    let env = |name: &str| match name {
        "TRANSLOAD_AS2_LISTEN" => Some("0.0.0.0:2".to_owned()),
        "TRANSLOAD_DATA" => Some("here".to_owned()),
        _ => None,
    };
    let both = Config::parse(text, "etc/transload.toml", &env).unwrap();
    assert_eq!(both.as2.listen.to_string(), "0.0.0.0:2");
    assert_eq!(both.data, Path::new("here"), "relative to where we are");
}

#[test]
fn wrong_settings_are_told_with_their_place() {
    let error = |text: &str| {
        Config::parse(text, "t.toml", &no_env)
            .unwrap_err()
            .to_string()
    };
    let table = [
        ("dtaa = \"x\"", "did you mean `data`?"),
        ("[as2]\nlisten = \"here\"", "t.toml:2:10: "),
        ("[as2]\npath = \"as2\"", "t.toml:2:8: \"as2\" is not a path"),
        ("[limits]\nbdoy = 1", "did you mean `body`?"),
        ("[limits]\nbody = -1", "t.toml:2:8: "),
    ];
    for (text, want) in table {
        assert!(error(text).contains(want), "{text}: {}", error(text));
    }
    let env = |name: &str| (name == "TRANSLOAD_ADMIN_LISTEN").then(|| "x:y".to_owned());
    let error = Config::parse("", "t.toml", &env).unwrap_err().to_string();
    assert!(
        error.contains("TRANSLOAD_ADMIN_LISTEN: \"x:y\" is not an address"),
        "{error}"
    );
}

/// A password in an address would stand in logs and errors; there is another place for it.
#[test]
fn an_address_names_no_user() {
    let why = broken("//127.0.0.1:4080", "//us:word@127.0.0.1:4080");
    assert!(why.contains("`login` has a place for that"), "{why}");
}
