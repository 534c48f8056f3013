//! The checks of journey (a) that no other file here names: what a finding has, pipes and programs,
//! a partner's rules, Chinese, and help on what belongs to no command.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{FAULTY, folder, four_faults, path, run, run_on};

/// Without settings, home, network or a database, from an empty folder that stays empty.
#[test]
fn a1_nothing_is_needed_and_nothing_is_left() {
    let empty = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(super::SOUND);
    for command in ["check", "show", "explain", "ack", "translate", "redact"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_transload"));
        let program = program
            .arg(command)
            .arg(&file)
            .env_clear()
            .current_dir(empty.path());
        let output = program.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !output.stdout.is_empty(),
            "{command}: {err}"
        );
    }
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}

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
    // And as people read it: file, line, column, element, value; then place, reason, remedy, code.
    let (out, _) = run(1, &["check", &file]);
    let (line, column) = (&place["line"], &place["column"]);
    let head = format!("{file}:{line}:{column}: error: PO103: \"EACH\" is not a code of Unit");
    let told = out
        .lines()
        .skip_while(|line| !line.trim().starts_with(&head));
    let told: Vec<&str> = told.take(7).map(str::trim).collect();
    assert!(told[0].ends_with("[element.code]"), "{out}");
    for (line, word) in told[3..]
        .iter()
        .zip(["at   segment ", "why  ", "fix  ", "ack  AK403=7"])
    {
        assert!(line.starts_with(word), "{word}: {told:?}");
    }
    assert!(
        told[3].contains(" of its set), byte ") && told[3].ends_with("loop PO1"),
        "{told:?}"
    );
}

/// What is damaged is told, and what stands behind it is read all the same.
#[test]
fn a6_damage_is_reported_and_reading_goes_on() {
    let order = super::order(&[("CTT*3*", "CTT*4*")]);
    let flat = order.replace('\n', "");
    let wrapped: Vec<&str> = flat
        .as_bytes()
        .chunks(80)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let twice = order.replace("000000041", "000000042") + &order;
    #[rustfmt::skip]
    let rows = [
        ("lines end the segments", order.replace("~\n", "\n"), ""),
        ("CR and LF do", order.replace("~\n", "\r\n"), ""),
        ("lines of 80 columns", wrapped.join("\n"), ""),
        ("blank lines", order.replace("~\n", "~\n\n\n"), ""),
        ("a byte order mark", format!("\u{feff}{order}"), "source.bom"),
        ("no GE", order.replace("GE*1*41~\n", ""), "ge.missing"),
        ("no IEA", order.replace("IEA*1*000000041~\n", ""), "iea.missing"),
        ("no SE", order.replace("SE*24*0001~\n", ""), "se.missing"),
        ("lower case", order.replace("\nCSH*", "\ncsh*"), "segment.lowercase"),
        ("an unknown segment", order.replace("\nCSH*", "\nXYZ*1~\nCSH*"), "segment.unknown"),
        ("several interchanges", twice, ""),
        ("an ISA too long", order.replace("*P*>~", "*P*>  ~").replace("*T*>~", "*T*>  ~"), "isa.length"),
        ("an ISA too short", order.replace("TINDERBOX      *26", "TINDERBOX*26"), "isa.element"),
    ];
    for (what, damaged, rule) in rows {
        assert_ne!(damaged, order, "{what}");
        let (out, _) = run_on(1, &["check", "--json", "-"], damaged.as_bytes());
        let report: Value = serde_json::from_str(&out).unwrap();
        let found = report["findings"].as_array().unwrap();
        let found: Vec<&str> = found.iter().filter_map(|f| f["rule"].as_str()).collect();
        assert!(
            rule.is_empty() || found.contains(&rule),
            "{what}: {found:?}"
        );
        assert!(
            found.contains(&"value.differs"),
            "{what}: the count was not read: {found:?}"
        );
    }
}

/// What the desk is made of opens no connection: it does not name the room that can.
#[test]
fn a13_nothing_leaves_the_machine() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    let mut folders = ["x12", "mapping", "canonical", "lifecycle", "lang"]
        .map(|room| source.join(room))
        .to_vec();
    for desk in ["across", "diff", "explain", "fix", "mappings"] {
        folders.push(source.join("cli").join(desk));
    }
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    for command in [
        "ack", "check", "crew", "files", "here", "redact", "report", "show", "split", "walk",
    ] {
        files.push(source.join("cli").join(command).with_extension("rs"));
    }
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        for way in ["crate::net", "std::net", "TcpStream", "hyper", "tokio"] {
            assert!(!text.contains(way), "{}: {way}", file.display());
        }
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
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
