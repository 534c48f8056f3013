//! `explain`: acknowledgments, the other way round, rules and codes.

use serde_json::Value;

use super::{FAULTY, SOUND, folder, path, run, run_on};

const AT: [&str; 3] = ["ack", "--time", "2026-01-03T04:05"];

/// What our `ack` says of a file.
fn answer(exit: i32, more: &[&str]) -> String {
    run(exit, &[&AT[..], more].concat()).0
}

#[test]
fn a7_a_rejected_value_is_shown_in_the_original() {
    let folder = folder(&[("answer.997", answer(1, &[FAULTY]).as_bytes())]);
    let (_, ack) = path(&folder, "answer.997");
    let (out, _) = run(1, &["explain", &ack, "--original", FAULTY]);
    for due in [
        "Group PO 31: rejected, 0 of 1 set",
        "850 purchase order PO-2001, set 0001: rejected",
        "PO1 Order Line, segment 10 of the set, loop PO1",
        "PO103 Unit = \"EACH\"",
        ":12:9, byte 383",
        "PO1*2*5*EACH*21.00",
        "        ^^^^",
        "(AK403=7)",
        "do   send EA",
        "new control numbers",
    ] {
        assert!(out.contains(due), "{due}:\n{out}");
    }
    assert!(!out.contains("but"), "{out}");
}

#[test]
fn a7_also_without_the_original() {
    let ack = answer(1, &[FAULTY]);
    let (out, _) = run_on(1, &["explain", "-"], ack.as_bytes());
    assert!(out.contains("PO103 Unit = \"EACH\""), "{out}");
    assert!(out.contains("send a code of the partner's guide"), "{out}");
    assert!(!out.contains("byte"), "{out}");
}

#[test]
fn a_999_is_explained_in_its_own_codes() {
    let ack = answer(1, &["--as", "999", FAULTY]);
    let (out, _) = run_on(1, &["explain", "-", "--original", FAULTY], ack.as_bytes());
    assert!(
        out.contains("(IK403=7)") && out.contains("byte 383"),
        "{out}"
    );
}

#[test]
fn what_was_accepted_needs_nothing() {
    let ack = answer(0, &[SOUND]);
    let (out, _) = run_on(0, &["explain", "-", "--original", SOUND], ack.as_bytes());
    assert!(out.contains("7QK4M2XD, set 0001: accepted"), "{out}");
    assert!(out.contains("Nothing to do"), "{out}");
}

#[test]
fn a_ta1_is_explained() {
    let order = super::order(&[("IEA*1*", "IEA*2*")]);
    let folder = folder(&[("order.edi", order.as_bytes())]);
    let (_, original) = path(&folder, "order.edi");
    let ack = answer(1, &[&original]);
    assert!(ack.contains("TA1*"), "{ack}");
    let (out, _) = run_on(
        1,
        &["explain", "-", "--original", &original],
        ack.as_bytes(),
    );
    assert!(out.contains("Interchange 000000041: rejected"), "{out}");
    assert!(out.contains("(TA105=021)"), "{out}");
}

#[test]
fn a_wrong_count_is_shown_in_the_original() {
    let order = super::order(&[("SE*24*", "SE*25*"), ("GE*1*", "GE*2*")]);
    let folder = folder(&[("order.edi", order.as_bytes())]);
    let (_, original) = path(&folder, "order.edi");
    let ack = answer(1, &[&original]);
    let (out, _) = run_on(
        1,
        &["explain", "-", "--original", &original],
        ack.as_bytes(),
    );
    for due in [
        "SE*25*0001\n            ^^",
        "SE01 says 25 segments; set 0001 has 24 from ST to SE (AK502=4)",
        "do   write 24 into SE01",
        "GE01 says 2 sets; group 41 has 1 (AK905=5)",
    ] {
        assert!(out.contains(due), "{due}:\n{out}");
    }
}

#[test]
fn an_acknowledgment_of_another_file_is_told() {
    let ack = answer(1, &[FAULTY]);
    let (out, _) = run_on(1, &["explain", "-", "--original", SOUND], ack.as_bytes());
    let due = "group PO 31 is not in samples/demo/order.edi (which has PO 41)";
    assert!(out.contains(due), "{out}");
    let (out, _) = run_on(
        1,
        &["explain", "--json", "-", "--original", SOUND],
        ack.as_bytes(),
    );
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said["belongs"], false);
}

#[test]
fn an_original_that_was_changed_since_is_told() {
    let ack = answer(1, &[FAULTY]);
    let sent = std::fs::read_to_string(FAULTY).unwrap();
    let mended = sent.replace("EACH", "EA");
    let shorter = sent.replace("REF*DP*042~\n", "");
    let folder = folder(&[
        ("mended.edi", mended.as_bytes()),
        ("shorter.edi", shorter.as_bytes()),
    ]);
    let (_, mended) = path(&folder, "mended.edi");
    let (out, _) = run_on(1, &["explain", "-", "--original", &mended], ack.as_bytes());
    assert!(
        out.contains("copies \"EACH\"") && out.contains("has \"EA\""),
        "{out}"
    );
    let (_, shorter) = path(&folder, "shorter.edi");
    let (out, _) = run_on(1, &["explain", "-", "--original", &shorter], ack.as_bytes());
    assert!(out.contains("segment 10 of this set"), "{out}");
}

#[test]
fn a_code_that_we_do_not_miss_is_the_partner_s_rule() {
    let ack = answer(1, &[FAULTY]).replace("AK4*3*355*7*EACH~", "AK4*2*330*7*5~");
    let (out, _) = run_on(1, &["explain", "-", "--original", FAULTY], ack.as_bytes());
    assert!(
        out.contains("our own check finds nothing wrong here"),
        "{out}"
    );
}

#[test]
fn a_file_is_told_what_it_would_earn() {
    let (out, _) = run(1, &["explain", FAULTY]);
    assert!(out.contains("would earn this acknowledgment"), "{out}");
    assert!(
        out.contains("PO103 Unit = \"EACH\"") && out.contains("byte 383"),
        "{out}"
    );
    let (out, _) = run(0, &["explain", SOUND]);
    assert!(out.contains("Group PO 41: accepted, 1 of 1 set"), "{out}");
}

#[test]
fn the_wrong_order_of_files_is_told() {
    let ack = answer(1, &[FAULTY]);
    let folder = folder(&[("answer.997", ack.as_bytes())]);
    let (_, ack) = path(&folder, "answer.997");
    let (_, err) = run(2, &["explain", FAULTY, "--original", &ack]);
    assert!(err.contains("holds no acknowledgment"), "{err}");
    assert!(
        err.contains(&format!("explain {ack} --original {FAULTY}")),
        "{err}"
    );
}

#[test]
fn rules_codes_and_sets_are_explained() {
    let (out, _) = run(0, &["explain", "element.code"]);
    for due in ["element.code (warning)", "why", "example", "fix", "AK403=7"] {
        assert!(out.contains(due), "{due}:\n{out}");
    }
    let (out, _) = run(0, &["explain", "--json", "se.count"]);
    let rule: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(rule["code_997"], "AK502=4");
    assert!(run(0, &["explain", "ak502=4"]).0.contains("SE01"));
    assert!(run(0, &["explain", "856"]).0.contains("856 ship notice"));
    let rules = run(0, &["explain"]).0.lines().count();
    assert_eq!(rules, transload::x12::Fault::ALL.len());
}

#[test]
fn a_rule_that_is_not_there_has_a_near_one() {
    let (_, err) = run(2, &["explain", "elment.code"]);
    assert!(err.contains("did you mean \"element.code\"?"), "{err}");
    let (_, err) = run(2, &["explain", "nowhere.edi"]);
    assert!(err.contains("neither a file"), "{err}");
}
