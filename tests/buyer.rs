//! The simulated buyer refuses what is wrong, and says what; and a system that shares no code with us
//! completes an order with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Plays a scenario of this text: what came of it.
fn played(happens: &str, doors: &str, orders: usize) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planted.toml");
    let text = format!("about = \"planted\"\nabout_zh = \"植入\"\ndoors = [{doors}]\n{happens}");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args([
        "sim",
        "amazon",
        "--json",
        "--orders",
        &orders.to_string(),
        "--scenario",
    ]);
    command
        .arg(&file)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {err}"))
}

/// A mistake is refused or remarked with these words, and the order is paid all the same once the
/// right paper came.
#[track_caller]
fn found(what: &str, more: &str, set: &str, words: &str) {
    let said = played(
        &format!("[[happens]]\nwhat = \"{what}\"\n{more}\n"),
        "\"edi\"",
        1,
    );
    let told = ["refused", "remarked"].map(|name| said[name].as_array().unwrap());
    let one = told.into_iter().flatten().find(|one| one["set"] == set);
    let one = one.unwrap_or_else(|| panic!("{what} was not found: {said}"));
    let sentence = one["sentence"].as_str().unwrap();
    assert!(
        sentence.contains(words),
        "{what}: {sentence} ({})",
        one["code"]
    );
    assert_eq!(said["unexplained"], 0, "{said}");
}

#[test]
fn an_answer_for_the_wrong_line() {
    found("wrong_line", "line = 1", "855", "line");
}

#[test]
fn a_notice_before_the_acknowledgment() {
    found("early_notice", "", "856", "was not acknowledged");
}

#[test]
fn a_notice_of_one_too_many() {
    found("over_shipment", "units = 1", "856", "are shipped");
}

#[test]
fn an_sscc_with_a_wrong_check_digit() {
    found("wrong_sscc", "", "856", "check digit");
}

#[test]
fn an_invoice_before_the_goods_leave() {
    found("early_invoice", "", "810", "was shipped");
}

#[test]
fn an_invoice_twice() {
    found("invoice_twice", "", "810", "came on");
}

#[test]
fn an_invoice_with_a_cent_too_much() {
    found("invoice_total", "cents = 1", "810", "its lines come to");
}

#[test]
fn a_price_with_a_cent_too_much() {
    found("invoice_price", "cents = 1", "810", "will be claimed");
}

#[test]
fn freight_that_was_not_agreed() {
    found("invoice_freight", "cents = 900", "810", "will be claimed");
}

#[test]
fn a_late_acknowledgment() {
    found(
        "late_acknowledgment",
        "hours = 60",
        "855",
        "hours after the order",
    );
}

/// The same by the other door, where the outcome of the transaction says it.
#[test]
fn the_api_door_refuses_the_same() {
    for (what, more, words) in [
        ("over_shipment", "units = 1", "are shipped"),
        ("invoice_total", "cents = 1", "its lines come to"),
    ] {
        let said = played(
            &format!("[[happens]]\nwhat = \"{what}\"\n{more}\n"),
            "\"api\"",
            1,
        );
        let advised = said["advised"].to_string();
        assert!(advised.contains(words), "{what}: {said}");
        assert_eq!(said["rows"][0]["state"], "paid", "{said}");
    }
}

/// A 997 that refuses makes the vendor say it again; one that is missing changes no money.
#[test]
fn a_missing_and_a_negative_997_and_a_lost_receipt() {
    for (what, set) in [
        ("negative997", "855"),
        ("missing997", "856"),
        ("lost_mdn", "810"),
    ] {
        let happens = format!(
            "[[happens]]\nwhat = \"{what}\"\nset = \"{set}\"\n[end]\nstates = {{ paid = \"all\" }}\n"
        );
        let said = played(&happens, "\"edi\"", 1);
        assert_eq!(said["rows"][0]["state"], "paid", "{what}: {said}");
        let came = said["interchanges"][set].as_u64().unwrap();
        assert_eq!(
            came,
            if what == "negative997" { 2 } else { 1 },
            "{what}: {said}"
        );
    }
}

/// pyas2lib and plain strings, by `--listen`.
#[test]
fn a_system_that_shares_no_code_with_us_is_paid() {
    let python = Path::new(ROOT).join("target/interop/venv/bin/python");
    let ci = std::env::var_os("CI").is_some();
    assert!(
        python.exists() || !ci,
        "no pyas2lib: run tests/interop/setup.sh"
    );
    if !python.exists() {
        println!("skipped: no pyas2lib; tests/interop/setup.sh installs it");
        return;
    }
    let script = Path::new(ROOT).join("tests/buyer/vendor.py");
    let lines = std::fs::read_to_string(&script).unwrap().lines().count();
    assert!(
        lines <= 200,
        "{lines} lines: it is to be read in one sitting"
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .args([
            &script,
            Path::new(env!("CARGO_BIN_EXE_transload")),
            folder.path(),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{out}{err}");
    let said: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&said["state"], &said["paid"]),
        (&"paid".into(), &said["asked"]),
        "{said}"
    );
}
