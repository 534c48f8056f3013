//! `transload ack`: the acknowledgment of a file, as X12 and as JSON.

use serde_json::Value;
use transload::x12::{self, answers};

use super::{FAIL, PASS, run, run_on};

const AT: [&str; 5] = ["ack", "--control", "42", "--time", "2026-01-03T04:05"];

fn ack(more: &[&'static str]) -> Vec<&'static str> {
    [&AT[..], more].concat()
}

#[test]
fn ack_of_a_sound_file_accepts_it() {
    let (out, err) = run(0, &ack(&[PASS]));
    let reading = x12::read(out.as_bytes()).unwrap();
    assert_eq!(reading.findings, vec![]);
    let interchange = &reading.interchanges[0];
    assert_eq!(interchange.header.control_number, "000000042");
    assert_eq!(
        (&*interchange.header.date, &*interchange.header.time),
        ("260103", "0405")
    );
    assert_eq!(interchange.groups[0].header.version, "004010");
    let (answers, findings) = answers(interchange);
    assert!(answers.iter().all(|a| a.verdict.is_accepted()) && findings.is_empty());
    assert!(err.contains(": accepted, 1 of 1 set"), "{err}");
}

#[test]
fn ack_names_what_check_finds() {
    let (out, err) = run(1, &ack(&[FAIL]));
    let checked = run(1, &["check", "--json", FAIL]).0;
    let checked: Value = serde_json::from_str(&checked).unwrap();
    let codes = checked["findings"].as_array().unwrap().iter();
    let codes: Vec<&str> = codes.filter_map(|f| f["code_997"].as_str()).collect();
    assert!(codes.len() >= 2, "{codes:?}");
    let elements = codes.iter().filter(|c| c.starts_with("AK403")).count();
    assert_eq!(out.matches("AK4*").count(), elements, "{out}");
    assert!(
        out.contains("AK5*R*") && err.contains("rejected, 0 of 1 set"),
        "{out}{err}"
    );
}

#[test]
fn ack_as_999_has_its_own_words() {
    let (out, _) = run(1, &ack(&["--as", "999", FAIL]));
    assert!(out.contains("ST*999*0042*005010X231A1"), "{out}");
    assert!(out.contains("IK3*") && !out.contains("AK3*"), "{out}");
    let reading = x12::read(out.as_bytes()).unwrap();
    assert_eq!(reading.findings, vec![]);
}

#[test]
fn ack_sends_a_ta1_where_it_is_asked_for() {
    let order = std::fs::read_to_string(PASS).unwrap();
    assert!(!run(0, &ack(&[PASS])).0.contains("TA1*"));
    let (out, _) = run(0, &ack(&["--ta1", PASS]));
    assert!(out.contains("TA1*") && out.contains("*A*000"), "{out}");
    assert_eq!(x12::read(out.as_bytes()).unwrap().interchanges.len(), 2);
    // Cut short: rejected by its TA1, and then by nothing else.
    let cut = order.split("IEA*").next().unwrap();
    let (out, err) = run_on(1, &ack(&["-"]), cut.as_bytes());
    assert!(out.contains("*R*023") && !out.contains("ST*997"), "{out}");
    assert!(err.contains("rejected, TA105 023"), "{err}");
}

#[test]
fn ack_as_json_gives_the_verdicts() {
    let (out, _) = run(1, &["ack", "--json", FAIL]);
    let said: Value = serde_json::from_str(&out).unwrap();
    let group = &said["interchanges"][0]["groups"][0];
    assert_eq!(group["verdict"], "R");
    assert_eq!(group["sets"][0]["verdict"], "R");
    assert!(group["sets"][0]["segments"][0]["tag"].is_string(), "{out}");
    assert_eq!(said["interchanges"][0]["ta1"], Value::Null);
}

#[test]
fn acknowledgments_are_not_acknowledged() {
    let (answer, _) = run(0, &ack(&["--ta1", PASS]));
    let (out, err) = run_on(0, &ack(&["-"]), answer.as_bytes());
    assert_eq!(out, "");
    assert_eq!(err.matches("are not acknowledged").count(), 2, "{err}");
}

#[test]
fn ack_of_what_is_not_x12_exits_with_2() {
    let (_, err) = run_on(2, &["ack", "-"], b"{}");
    assert!(err.contains("looks like JSON"), "{err}");
    run(2, &["ack", "no-such-file.edi"]);
}
