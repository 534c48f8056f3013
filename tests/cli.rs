//! The command line: `check`, `show`, `translate` and `mappings`, as functions and as a program.

mod ack;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use transload::cli::{Guides, check};
use transload::mapping::Library;
use transload::x12::Severity;

const PASS: &str = "samples/x12/004010/850/pass/retail.edi";
const FAIL: &str = "samples/x12/004010/850/fail/three-faults.edi";

pub(crate) fn transload(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_transload"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("TRANSLOAD_MAPPINGS")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn run(exit: i32, arguments: &[&str]) -> (String, String) {
    run_on(exit, arguments, b"")
}

#[track_caller]
pub(crate) fn run_on(exit: i32, arguments: &[&str], input: &[u8]) -> (String, String) {
    let output = transload(arguments, input);
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{out}\n{err}");
    (out, err)
}

pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus"));
    if !folder.is_dir() {
        say!("skipped: no ../shared");
        return None;
    }
    Some(folder.to_owned())
}

/// Files whose envelope is valid, as the index says, and whose content was spoiled by their maker: 997s
/// without AK1, with words where numbers are due, and with repetitions where none may be.
const SPOILED: [&str; 3] = [
    "x12__empty997.edi",
    "x12__extraDelimiter997.edi",
    "x12__invalid997.edi",
];

#[test]
fn check_reads_or_diagnoses_every_file_of_the_corpus() {
    let Some(folder) = corpus() else { return };
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let (mut valid, mut complaints) = (0, String::new());
    for row in index.lines().skip(1) {
        let row: Vec<&str> = row.split('\t').collect();
        let (file, class, segments) = (row[0], row[9], row[11]);
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let report = check(&bytes[..], &guides).unwrap();
        if class != "valid" {
            continue;
        }
        valid += 1;
        assert_eq!(report.segments.to_string(), segments, "{file}");
        let spoiled = SPOILED.iter().any(|name| file.ends_with(name));
        if report.counts.reach(Severity::Error) != spoiled {
            complaints += &report.plain(file);
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
    assert!(valid >= 44, "{valid}");
}

#[test]
fn check_of_clean_file_exits_with_0() {
    let (out, err) = run(0, &["check", PASS]);
    assert!(out.contains("850 purchase order"), "{out}");
    assert!(err.contains("1 file checked: clean"), "{err}");
}

#[test]
fn check_finds_all_planted_faults_in_one_pass() {
    let (out, _) = run(1, &["check", FAIL]);
    for due in [
        "did you mean EA?",
        "[element.date]",
        "[value.differs]",
        "PO1*2*5*EACH*21.00",
        "        ^^^^",
        "AK403=7",
    ] {
        assert!(out.contains(due), "{due}:\n{out}");
    }
}

#[test]
fn check_as_json_is_one_object_a_file() {
    let (out, _) = run(1, &["check", "--json", PASS, FAIL]);
    let lines: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["file"], FAIL);
    assert_eq!(lines[1]["segments"], 16);
    assert_eq!(lines[1]["interchanges"], 1);
    let finding = &lines[1]["findings"][0];
    for field in [
        "rule", "severity", "message", "why", "fix", "location", "code_997",
    ] {
        assert!(finding.get(field).is_some(), "{field}: {finding}");
    }
}

#[test]
fn check_fails_on_what_it_is_told() {
    let unit = "samples/x12/004010/850/fail/unit-unknown.edi";
    run(1, &["check", unit]);
    run(0, &["check", "--fail-on", "error", unit]);
}

#[test]
fn check_reads_stdin() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PASS);
    let (out, _) = run_on(0, &["check", "-"], &std::fs::read(path).unwrap());
    assert!(out.starts_with("-: 850"), "{out}");
}

#[test]
fn check_walks_folders_and_says_what_is_not_x12() {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PASS);
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::copy(path, folder.path().join("in/a.edi")).unwrap();
    std::fs::write(folder.path().join("b.json"), "{\"a\":1}").unwrap();
    let at = folder.path().to_str().unwrap();
    let (out, err) = run(2, &["check", at]);
    assert!(out.contains("a.edi: 850"), "{out}");
    assert!(
        err.contains("b.json: not X12: the file looks like JSON"),
        "{err}"
    );
    let (out, _) = run(2, &["check", "--json", at]);
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert!(first["file"].as_str().unwrap().ends_with("b.json"));
    assert!(!first["error"]["message"].as_str().unwrap().is_empty());
    assert!(!first["error"]["fix"].as_str().unwrap().is_empty());
    assert_eq!(out.lines().count(), 2);
}

#[test]
fn check_of_missing_file_exits_with_2() {
    let (_, err) = run(2, &["check", "no-such-file.edi"]);
    assert!(err.contains("no-such-file.edi"), "{err}");
}

#[test]
fn unknown_partner_is_told_with_the_nearest() {
    let (_, err) = run(2, &["check", "--partner", "amazom", PASS]);
    assert!(err.contains("did you mean \"amazon\"?"), "{err}");
}

#[test]
fn partner_adds_its_rules() {
    let minimal = "samples/x12/004010/850/pass/minimal.edi";
    run(0, &["check", minimal]);
    let (out, _) = run(1, &["check", "--partner", "amazon", minimal]);
    assert!(out.contains("[segment.missing]"), "{out}");
}

#[test]
fn show_says_what_elements_mean() {
    let (out, _) = run(0, &["show", PASS]);
    let row = |designator: &str| {
        let found = out
            .lines()
            .find(|line| line.trim_start().starts_with(designator));
        found
            .unwrap_or_else(|| panic!("{designator}:\n{out}"))
            .to_owned()
    };
    assert!(row("BEG01").ends_with("original"), "{out}");
    assert!(row("PO103").ends_with("each"), "{out}");
    assert!(out.contains("Purchase order "), "{out}");
    assert!(out.contains("loop PO1"), "{out}");
}

#[test]
fn show_puts_findings_in_their_place() {
    let (out, _) = run(1, &["show", FAIL]);
    let lines: Vec<&str> = out.lines().collect();
    let at = lines
        .iter()
        .position(|l| l.contains("EACH") && l.contains("[element.code]"));
    let before = lines[..at.unwrap()]
        .iter()
        .rev()
        .find(|l| l.trim_start().starts_with("PO10"));
    assert!(before.is_some(), "{out}");
}

#[test]
fn show_works_without_a_guide() {
    let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
        *260102*0304*U*00401*000000001*0*P*>~GS*PD*A*B*20260102*0304*1*X*004010~\
        ST*852*0001~REF*DP*42~XQX*1~SE*4*0001~GE*1*1~IEA*1*000000001~";
    let (out, _) = run_on(0, &["show", "-"], file);
    assert!(
        out.contains("852 product activity 0001: A to B, 4 segments."),
        "{out}"
    );
    assert!(out.contains("REF02"), "{out}");
    assert!(out.contains("XQX01"), "{out}");
    let (out, _) = run_on(0, &["show", "--json", "-"], file);
    let line: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(line["segments"][0]["elements"][1]["value"], "42");
}

#[test]
fn translate_goes_to_json_and_back() {
    let (json, _) = run(0, &["translate", PASS]);
    let document: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(document["document"], "purchase_order");
    assert!(document["provenance"]["sender"].is_string());
    let (edi, _) = run_on(0, &["translate", "-"], json.as_bytes());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PASS);
    assert_eq!(edi, std::fs::read_to_string(path).unwrap());
}

#[test]
fn translate_makes_an_envelope_from_its_options() {
    let json = br#"{"document":"purchase_order","purpose":"original","kind":"new_order",
        "number":"4711","ordered_on":"2026-01-02",
        "lines":[{"quantity":{"value":"10","unit":"each"}}]}"#;
    let (_, err) = run_on(2, &["translate", "-"], json);
    assert!(err.contains("--sender"), "{err}");
    let envelope = [
        "--sender",
        "ZZ:MYCO",
        "--receiver",
        "01:123456789",
        "--control",
        "7",
    ];
    let time = ["--time", "2026-01-02T03:04"];
    let arguments = [&["translate", "-"][..], &envelope, &time].concat();
    let (out, err) = run_on(0, &arguments, json);
    let due = "ISA*00*          *00*          *ZZ*MYCO           *01*123456789      \
        *260102*0304*U*00401*000000007*0*P*>~\nGS*PO*MYCO*123456789*20260102*0304*7*X*004010~\n\
        ST*850*0001~\nBEG*00*NE*4711**20260102~\nPO1**10*EA~\nCTT*1~\nSE*5*0001~\nGE*1*7~\n\
        IEA*1*000000007~\n";
    assert_eq!(out, due, "{err}");
}

#[test]
fn translate_takes_the_release_that_has_the_document() {
    let request = r#"{"document":"routing_request","purpose":"original","number":"RR-1",
        "made":{"date":"2026-11-22"},"ship_from":{"role":"SF","name":"A"},"destinations":[
        {"ship_to":{"role":"ST","name":"B"},"orders":[{"order_number":"7"}]}]}"#;
    let arguments = ["translate", "-", "--sender", "ZZ:A", "--receiver", "ZZ:B"];
    let (edi, _) = run_on(0, &arguments, request.as_bytes());
    for part in ["*00501*", "GS*RF*A*B*", "*X*005010~", "LX*1~", "OID**7~"] {
        assert!(edi.contains(part), "{part} in {edi}");
    }
    let old = request.replace(r#"RR-1","#, r#"RR-1","provenance":{"version":"004010"},"#);
    let (_, told) = run_on(2, &arguments, old.as_bytes());
    assert!(told.contains("no guide of release 004010"), "{told}");
}

#[test]
fn translate_tells_where_json_is_wrong() {
    let (_, err) = run_on(
        2,
        &["translate", "-"],
        br#"{"document":"invoice","numbr":"1"}"#,
    );
    assert!(
        err.contains("document 1: numbr: there is no such field"),
        "{err}"
    );
}

#[test]
fn mappings_check_finds_the_embedded_guides_sound() {
    let (out, err) = run(0, &["mappings", "check"]);
    assert!(out.contains("x12/004010/850"), "{out}");
    assert!(err.contains("0 broken"), "{err}");
}

#[test]
fn mappings_check_points_at_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("partners/acme")).unwrap();
    let guide = "base = \"x12/004010/850\"\n[heading.BEG]\nBEG03 = { as = \"nmber\" }\n";
    std::fs::write(folder.path().join("partners/acme/850.toml"), guide).unwrap();
    let at = folder.path().to_str().unwrap();
    let (out, _) = run(1, &["mappings", "check", at]);
    assert!(out.contains("partners/acme/850.toml:3:"), "{out}");
    assert!(out.contains("did you mean \"number\"?"), "{out}");
    assert!(out.contains("| ^") || out.contains("  ^"), "{out}");
    let (_, err) = run(2, &["check", "--mappings", at, "--partner", "acme", PASS]);
    assert!(err.contains("did you mean \"number\"?"), "{err}");
}

#[test]
fn mappings_show_prints_a_guide_as_a_table() {
    let (out, _) = run(0, &["mappings", "show", "850"]);
    let row = out
        .lines()
        .find(|line| line.trim_start().starts_with("PO104"))
        .unwrap();
    assert!(row.ends_with("price.amount"), "{row}");
    let (json, _) = run(
        0,
        &["mappings", "show", "850", "--partner", "amazon", "--json"],
    );
    let guide: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(guide["guide"], "partners/amazon/850");
    let (_, err) = run(2, &["mappings", "show", "851"]);
    assert!(err.contains("x12/004010/850"), "{err}");
}
