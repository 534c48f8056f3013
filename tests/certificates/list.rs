//! `cert list`, `roll`, `import`, `accept`, `export`, `show`, and the warnings of `serve`.

use std::sync::Arc;

use transload::as2::{Certificate, Identity, KeyKind};
use transload::gateway::{Gateway, Settings};
use transload::net::tls::{Clients, Server};
use transload::partner::expiry::Warned;
use transload::partner::{self, Partners, keys};
use transload::store::Memory;

use super::{at, key, partner as agreed, run};

#[test]
fn what_soon_ends_is_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["cert", "list"]).says(0, &["no key and no certificate yet"]);
    key(folder, "us", (-1, 100), "");
    let print = agreed(folder, "acme", 100);
    let list = run(folder, &["cert", "list"]);
    list.says(
        0,
        &[
            "ours: us  [sign, decrypt]  in use",
            "100 days left",
            "acme: acme.pem",
        ],
    );
    let groups: String = list.1.split_whitespace().collect();
    assert!(groups.contains(&print.to_ascii_uppercase()), "{groups}");
    let rows = run(folder, &["cert", "list", "--json"]).json();
    assert_eq!(rows[0]["days_left"], 100);
    assert_eq!(rows[1]["fingerprint"], print.as_str());
    // In 71 days each has 29.
    let later = at(71).to_rfc3339();
    let list = run(folder, &["cert", "list", "--at", &later]);
    list.says(1, &["! ours: us", "cert roll", "! acme", "cert import"]);
    let after = at(103).to_rfc3339();
    run(folder, &["cert", "list", "--at", &after]).says(1, &["expired", "days ago"]);
    // With a successor in place nobody has to do anything.
    key(
        folder,
        "us-2",
        (-1, 400),
        &format!("from = \"{}\"\n", at(50).to_rfc3339()),
    );
    agreed(folder, "acme", 400);
    run(folder, &["cert", "list", "--at", &later]).says(0, &["us  [sign, decrypt]  overlap"]);
}

#[test]
fn a_roll_makes_the_next_key_and_ends_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    key(folder, "us", (-1, 100), "");
    agreed(folder, "acme", 100);
    let activate = at(20).to_rfc3339();
    let args = [
        "cert",
        "roll",
        "--activate",
        &activate,
        "--overlap",
        "14d",
        "--json",
    ];
    let dry = run(folder, &[&args[..], &["--dry-run"]].concat());
    assert_eq!(keys::load(&folder.join("keys")).unwrap().ours.len(), 1);
    let told = run(folder, &args).json().remove(0);
    assert_eq!(told["pem"], dry.json()[0]["pem"]);
    assert_eq!(told["send_to"][0], "acme");
    assert_eq!(told["follows"][0], "us");
    let held = keys::load(&folder.join("keys")).unwrap();
    // By name: `us-…` stands before `us`.
    let [new, old] = held.ours.as_slice() else {
        panic!("two keys");
    };
    assert_eq!(
        old.card.until.unwrap() - new.card.from.unwrap(),
        chrono::TimeDelta::days(14)
    );
    let pem = std::fs::read(folder.join(told["pem"].as_str().unwrap())).unwrap();
    let made = Certificate::from_pem(&pem).unwrap();
    assert_eq!(told["fingerprint"], made.fingerprint());
    assert_eq!(made.subject(), "CN=us");
    let rows = run(folder, &["cert", "list", "--json"]).json();
    assert_eq!(
        (&rows[0]["state"], &rows[1]["state"]),
        (&"scheduled".into(), &"in use".into())
    );
    run(folder, &["cert", "roll", "--activate", "soon"]).says(2, &["is not a time"]);
    let empty = tempfile::tempdir().unwrap();
    run(empty.path(), &["cert", "roll", "--activate", "2099-01-01"]).says(2, &["--days"]);
    run(empty.path(), &["cert", "roll", "--activate", &activate]).says(2, &["say --name"]);
}

#[test]
fn a_certificate_counts_once_its_fingerprint_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    agreed(folder, "acme", 10);
    let other = tempfile::tempdir().unwrap();
    let print = key(other.path(), "acme-2", (-1, 400), "");
    let pem = other.path().join("keys/acme-2.pem");
    let pem = pem.to_str().unwrap();
    run(folder, &["cert", "import", pem]).says(2, &["--partner"]);
    run(folder, &["cert", "import", pem, "--partner", "acne"]).says(2, &["no partner \"acne\""]);
    let import = ["cert", "import", pem, "--partner", "acme"];
    let zeros = "0".repeat(64);
    let wrong = [&import[..], &["--fingerprint", &zeros]].concat();
    run(folder, &wrong).says(2, &["another certificate"]);
    run(folder, &import).says(0, &["not used yet", "cert accept acme"]);
    let state = || run(folder, &["cert", "list", "--json"]).json()[1]["state"].clone();
    assert_eq!(state(), "pending");
    run(folder, &["cert", "accept", "acme", &print[..8]]).says(2, &["16 digits"]);
    let groups = print.to_ascii_uppercase();
    run(folder, &["cert", "accept", "acme", &groups[..16]]).says(0, &["accepted"]);
    assert_eq!(state(), "in use");
    // A successor is there, and confirmed: the old one is no worry.
    run(folder, &["cert", "list"]).says(0, &["acme.pem"]);
    run(folder, &["cert", "reject", "acme", &print]).says(0, &["not used"]);
    run(folder, &["cert", "list"]).says(1, &["! acme: acme.pem"]);
    let said = [
        &import[..],
        &["--fingerprint", &print[..16], "--activate", "2099-01-01"],
    ]
    .concat();
    run(folder, &said).says(0, &["in use from 2099-01-01T00:00:00Z"]);
    assert_eq!(state(), "scheduled");
    // Nobody's private key is taken for a certificate.
    let both = format!(
        "{}-----BEGIN PRIVATE KEY-----\n",
        std::fs::read_to_string(pem).unwrap()
    );
    std::fs::write(other.path().join("both.pem"), both).unwrap();
    let both = other.path().join("both.pem");
    let both = [
        "cert",
        "import",
        both.to_str().unwrap(),
        "--partner",
        "acme",
    ];
    run(folder, &both).says(2, &["private key"]);
}

#[test]
fn a_key_is_taken_in_under_a_new_password_and_only_its_certificate_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = tempfile::tempdir().unwrap();
    let print = key(other.path(), "us", (-1, 400), "");
    let file = |name: &str| {
        other
            .path()
            .join("keys")
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    };
    let (p12, password) = (file("us.p12"), file("us.password"));
    let args = [
        "cert",
        "import",
        &p12,
        "--ours",
        "--password-file",
        &password,
    ];
    run(folder, &args).says(0, &["CN=us"]);
    run(folder, &args).says(4, &["is there already"]);
    let held = keys::load(&folder.join("keys")).unwrap();
    assert_eq!(held.warnings, [""; 0]);
    assert_eq!(held.ours[0].dated.item.certificate.fingerprint(), print);
    let fresh = std::fs::read_to_string(folder.join("keys/us.password")).unwrap();
    assert_ne!(fresh.trim(), "secret");
    let out = run(folder, &["cert", "export", "us"]);
    assert!(!out.1.contains("PRIVATE"));
    assert_eq!(
        Certificate::from_pem(out.1.as_bytes())
            .unwrap()
            .fingerprint(),
        print
    );
    run(folder, &["cert", "show", &print[..8]]).says(0, &["CN=us", "rsa-2048", "in use"]);
    run(folder, &["cert", "show", "nobody"]).says(2, &["cert list"]);
    run(folder, &["cert", "show", &file("us.pem")]).says(0, &["serial"]);
}

/// Each threshold is said once, and nothing of who has a successor.
#[test]
fn serve_warns_once_a_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    key(folder, "us", (-1, 100), "");
    agreed(folder, "acme", 200);
    let partners = partner::load(&folder.join("partners")).unwrap();
    let settings = Settings {
        keys: Some(folder.join("keys")),
        ..Settings::new(
            std::sync::Arc::new(Memory::default()),
            partners,
            &folder.join("bridge"),
        )
    };
    let gateway = Gateway::new(settings).unwrap();
    let mut warned = Warned::default();
    let mut said = Vec::new();
    for day in 0..202 {
        let all = gateway.certificates();
        let due = warned.due(&all, at(day) - chrono::TimeDelta::minutes(30));
        said.extend(due.iter().map(|(one, left)| (one.partner.is_some(), *left)));
    }
    let want = [89, 59, 29, 13, 6, 0, -1];
    let of = |theirs| {
        said.iter()
            .filter(move |row| row.0 == theirs)
            .map(|row| row.1)
    };
    assert_eq!(of(false).collect::<Vec<_>>(), want);
    assert_eq!(of(true).collect::<Vec<_>>(), want);
    key(folder, "us-2", (-1, 900), "");
    gateway.renew().unwrap();
    let all = gateway.certificates();
    let due = Warned::default()
        .due(&all, at(95))
        .iter()
        .filter(|row| row.0.partner.is_none())
        .count();
    assert_eq!(due, 0);
}

#[test]
fn what_the_listener_shows_is_looked_at_too() {
    let now = chrono::Utc::now();
    // Days since its first moment and to its last, whether an authority renews it, what is said.
    for (age, left, issued, warned) in [
        (1, 30, false, Some(30)),
        (1, 300, false, None),
        (65, 25, true, None),
        (80, 10, true, Some(14)),
    ] {
        let day = chrono::TimeDelta::days;
        let (from, to) = (now - day(age), now + day(left) - day(1) / 2);
        let own = Identity::generate_as(KeyKind::P256, "edi", 1, from, to).unwrap();
        let der = own.to_pkcs12("edi", "open").unwrap();
        let server = Server::from_pkcs12(&der, "open", Clients::Ignored).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Memory::default());
        let settings = Settings::new(store, Partners::default(), folder.path());
        let gateway = Gateway::new(settings).unwrap();
        gateway.listens_with(Arc::new(server), issued);
        let all = gateway.certificates();
        assert_eq!(all[0].fingerprint, own.certificate.fingerprint());
        let mut said = Warned::default();
        let said = said.due(&all, now);
        assert_eq!(
            said.first().and_then(|one| one.0.warning(now)),
            warned,
            "{age} {left}"
        );
    }
}
