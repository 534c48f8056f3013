//! The checks of journey (a) that no other file here names: what a finding has, pipes and programs,
//! a partner's rules, Chinese, and help on what belongs to no command.

use serde_json::Value;

use super::{FAULTY, folder, four_faults, path, run, run_on};

/// The findings of a file, as programs read them.
fn findings(arguments: &[&str]) -> Vec<Value> {
    let (out, _) = run(1, arguments);
    let report: Value = serde_json::from_str(&out).unwrap();
    report["findings"].as_array().unwrap().clone()
}

#[test]
fn a4_a_finding_has_its_place_its_reason_and_its_code() {
    let folder = folder(&[("order.edi", four_faults().as_bytes())]);
    let (_, file) = path(&folder, "order.edi");
    let found = findings(&["check", "--json", &file]);
    let unit = found
        .iter()
        .find(|f| f["location"]["tag"] == "PO1")
        .unwrap();
    for field in ["rule", "severity", "message", "why", "fix", "code_997"] {
        assert!(
            unit[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} of {unit}"
        );
    }
    let place = &unit["location"];
    for field in ["line", "column", "offset", "segment", "in_set", "element"] {
        assert!(
            place[field].as_u64().is_some_and(|n| n > 0),
            "{field} of {unit}"
        );
    }
    assert_eq!(
        (&place["loop"], &place["element"]),
        (&"PO1".into(), &3.into())
    );
    assert_eq!(unit["code_997"], "AK403=7");
}

#[test]
fn a10_pipes_programs_and_build_servers_are_served() {
    let faulty = four_faults();
    let (out, _) = run_on(1, &["check", "--json", "-"], faulty.as_bytes());
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 4, "{out}");
    run(1, &["check", FAULTY]);
    run(0, &["check", super::SOUND]);
    run(2, &["check", "no-such-file.edi"]);
    let mild = super::order(&[("CTT*3*", "CTT*4*")]);
    run_on(1, &["check", "--fail-on", "warning", "-"], mild.as_bytes());
    run_on(0, &["check", "--fail-on", "error", "-"], mild.as_bytes());
    let (sarif, _) = run(1, &["check", "--format", "sarif", FAULTY]);
    assert!(sarif.contains("\"version\":\"2.1.0\""));
    let (junit, _) = run(1, &["check", "--format", "junit", FAULTY]);
    assert!(junit.contains("<testsuite "));
}

#[test]
fn a11_only_a_partner_named_adds_its_rules() {
    let file = "samples/partners/amazon/850/fail/own-rules.edi";
    run(0, &["check", file]);
    let found = findings(&["check", "--json", "--partner", "amazon", file]);
    let rules: Vec<&str> = found.iter().filter_map(|f| f["rule"].as_str()).collect();
    assert_eq!(
        rules,
        [
            "element.code",
            "segment.missing",
            "element.code",
            "element.code"
        ]
    );
}

#[test]
fn a12_chinese_explains_and_rules_stay() {
    let (out, err) = run(1, &["check", "--lang", "zh-CN", FAULTY]);
    assert!(
        out.contains("错误") && out.contains("原因") && err.contains("已检查"),
        "{out}{err}"
    );
    let (rule, _) = run(0, &["explain", "element.code", "--lang", "zh-CN"]);
    assert!(
        rule.contains("element.code") && rule.contains("代码表"),
        "{rule}"
    );
    let (code, _) = run(0, &["explain", "AK403=7", "--lang", "zh-CN"]);
    assert!(
        code.contains("AK403=7") && code.contains("不允许"),
        "{code}"
    );
    // What programs read is never translated.
    let english = findings(&["check", "--json", FAULTY]);
    assert_eq!(
        findings(&["check", "--json", "--lang", "zh-CN", FAULTY]),
        english
    );
}

#[test]
fn help_knows_topics_and_commands() {
    for (topic, due) in [
        ("exit-codes", "3  the network or the partner"),
        ("configuration", "--origin"),
        ("guides", "fits"),
        ("findings", "explain element.code"),
    ] {
        let (out, _) = run(0, &["help", topic]);
        assert!(out.contains(due), "{topic}\n{out}");
        let (chinese, _) = run(0, &["help", topic, "--lang", "zh-CN"]);
        assert_ne!(chinese, out, "{topic}");
    }
    let (all, _) = run(0, &["help"]);
    assert!(all.contains("transload help guides: "), "{all}");
    let (show, _) = run(0, &["help", "mappings", "show"]);
    assert!(show.contains("Usage: transload mappings show"), "{show}");
    let (_, err) = run(2, &["help", "guide"]);
    assert!(err.contains("did you mean \"guides\"?"), "{err}");
}
