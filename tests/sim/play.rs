//! Scenarios through the whole house: the buyer's doors, our gateway on its store, a scripted vendor.
//! Each run ends as its file says. A few in each test run; all by `transload sim amazon --all`.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What came of a play that has to be sound.
fn played(arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_transload"))
        .args(["sim", "amazon", "--json"])
        .args(arguments)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let (short, amiss, trouble) = (&said["shortfalls"], &said["amiss"], &said["trouble"]);
    assert!(
        output.status.success(),
        "{arguments:?}: {short} {amiss} {trouble} {err}"
    );
    said
}

/// What is played in each run: an answer that is lost, and orders that are hidden for days.
const FEW: [&str; 2] = ["lost-answer", "hidden-orders"];
#[test]
fn scenarios_end_as_their_files_say_through_the_gateway() {
    for name in FEW {
        played(&["--scenario", name]);
    }
}

/// Not only the X12: every request at the API door and its answer too. Waits between tries are in it.
#[test]
fn two_runs_with_one_seed_are_the_same_at_both_doors() {
    let run = |seed| played(&["--scenario", "storm", "--orders", "2", "--seed", seed]);
    let (one, two) = (run("7"), run("7"));
    let said = one["said"].as_array().unwrap();
    for way in ["POST /auth", "GET /vendor/orders", "POST /vendor/payments"] {
        let way = |pair: &Value| pair[0].as_str().unwrap().starts_with(way);
        assert!(said.iter().any(way), "{said:#?}");
    }
    assert_eq!(one["said"], two["said"]);
    assert_ne!(one["fingerprint"], run("8")["fingerprint"]);
    let by_edi = |_| played(&["--orders", "2"])["said"].clone();
    assert_eq!(by_edi(1), by_edi(2));
}

/// Orders that are under way together are explained to the cent as well.
#[test]
fn many_at_once_are_explained() {
    let said = played(&["--orders", "16", "--at-once", "8"]);
    assert_eq!(
        (&said["orders"], &said["unexplained"]),
        (&json!(16), &json!(0))
    );
    assert!(said["orders_per_second"].as_f64().unwrap() > 0.0);
}
