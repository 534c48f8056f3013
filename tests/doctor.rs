//! `transload doctor`: what would hurt is told before it does, with what to do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use transload::net::floor;

use crate::houses::{Side, Sync, both};

/// The checks by name, with their verdicts and words.
fn told(side: &Side, code: i32) -> BTreeMap<String, (String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = side.told(code, &["doctor", "--json"]);
    let row = |row: &Value| {
        (
            text(row, "check"),
            (text(row, "verdict"), text(row, "told")),
        )
    };
    rows.iter().map(row).collect()
}

#[test]
fn what_would_hurt_is_told() {
    let (seller, _) = both(Sync);
    let (key, data) = (seller.path("own.p12"), seller.path("data"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let first = told(&seller, 0);
    assert_eq!(first["store"].1, "none yet; `serve` makes it");
    assert_eq!(first["partners"], ("ok".into(), "1 partner files".into()));
    let (verdict, said) = &first["keys"];
    assert!(verdict == "warning" && said.contains("chmod 600"), "{said}");
    let openssl = if floor::below().is_some() {
        "warning"
    } else {
        "ok"
    };
    assert_eq!(first["openssl"].0, openssl);
    assert!(first.contains_key("fsync") && first.contains_key("files"));
    for name in ["own.p12", "password"] {
        fs::set_permissions(seller.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    drop(seller.start(None));
    let running = seller.start(None);
    while seller.ledger().is_none() {
        std::thread::yield_now();
    }
    let beside = told(&seller, 0);
    assert!(
        beside["store"].1.starts_with("sound, schema "),
        "{beside:?}"
    );
    assert_eq!(beside["keys"].0, "ok", "{beside:?}");
    drop(running);

    // A history that the clock has not come to yet.
    let path = data.join("transload.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    let later = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).timestamp_micros();
    let sql = "INSERT INTO event (at, subject, what, detail) VALUES ($1, zeroblob(16), 'x', '')";
    database.execute(sql, [later]).unwrap();
    drop(database);
    let (verdict, said) = told(&seller, 1).remove("clock").unwrap();
    assert!(
        verdict == "wrong" && said.contains("set the clock"),
        "{said}"
    );

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let (verdict, said) = told(&seller, 1).remove("store").unwrap();
    assert!(
        verdict == "wrong" && said.contains("restore a backup"),
        "{said}"
    );
}

/// An old OpenSSL is a warning, and a refusal only for who says so.
#[test]
fn an_openssl_with_holes_stops_who_wants_to_be_stopped() {
    let Some(due) = floor::below() else {
        say!("skipped: {} is new enough", floor::linked());
        return;
    };
    let (seller, _) = both(Sync);
    let file = seller.path("transload.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("strict_openssl = true\n{settings}")).unwrap();
    let refused = seller.run(&["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(
        said.contains(&due) && said.contains("strict_openssl"),
        "{said}"
    );
    assert!(!seller.path("data").exists(), "nothing was begun");
}
