//! What `check` prints for other programs, and for people who read Chinese.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const PASS: &str = "samples/x12/004010/850/pass/retail.edi";
const FAIL: &str = "samples/x12/004010/850/fail/four-faults.edi";

fn transload(exit: i32, arguments: &[&str], environment: &[(&str, &str)]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_transload"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("TRANSLOAD_MAPPINGS")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{out}\n{err}");
    (out, err)
}

/// A folder with one file whose name and content XML must escape, and one that is no X12.
fn awkward() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FAIL)).unwrap();
    let text = text.replace("Quillfeather Depot Ashby", "Q & <Sons> \"\u{1}\"");
    let text = text.replace("*EACH*", "*<&\u{1}>\"*");
    std::fs::write(folder.path().join("a&b<c>.edi"), text).unwrap();
    std::fs::write(folder.path().join("b.json"), "{}").unwrap();
    folder
}

#[test]
fn sarif_has_its_required_fields() {
    let folder = awkward();
    let at = folder.path().to_str().unwrap();
    let (out, _) = transload(2, &["check", "--format", "sarif", PASS, FAIL, at], &[]);
    let log: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "Transload");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(
            rule["id"].is_string() && rule["help"]["text"].is_string(),
            "{rule}"
        );
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 8, "{}", results.len());
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(
            !place["artifactLocation"]["uri"]
                .as_str()
                .unwrap()
                .contains([' ', '<', '&'])
        );
        let region = &place["region"];
        let number = |name: &str| {
            region[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{name}: {result}"))
        };
        assert!(number("startLine") >= 1 && number("endColumn") >= number("startColumn"));
        let named = place["artifactLocation"]["uri"] == FAIL;
        if named && result["ruleId"] == "element.code" {
            // The bytes that the region names are the value.
            let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(FAIL)).unwrap();
            let from = number("byteOffset") as usize;
            assert_eq!(&bytes[from..from + number("byteLength") as usize], b"EACH");
        }
    }
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn sarif_of_nothing_wrong_is_whole() {
    let (out, _) = transload(0, &["check", "--format", "sarif", PASS], &[]);
    let log: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        log["runs"][0]["invocations"][0]["executionSuccessful"],
        true
    );
    assert_eq!(log["runs"][0]["language"], "en");
}

/// Python's parser counts suites, cases, failures and errors, and prints the first failure's words.
const PARSE: &str = "import sys, xml.etree.ElementTree as t\n\
    r = t.fromstring(sys.stdin.buffer.read())\n\
    n = lambda tag: len(r.findall('.//' + tag))\n\
    print(r.tag, n('testsuite'), n('testcase'), n('failure'), n('error'))\n\
    for s in r: assert int(s.get('tests')) == len(s.findall('testcase')), s.attrib\n\
    for s in r: assert int(s.get('failures')) == len(s.findall('.//failure')), s.attrib\n";

#[test]
fn junit_is_xml_with_a_case_a_set() {
    let folder = awkward();
    let at = folder.path().to_str().unwrap();
    let (out, _) = transload(2, &["check", "--format", "junit", PASS, FAIL, at], &[]);
    assert!(out.contains("name=\"850 purchase order 0001\""), "{out}");
    assert!(
        out.contains("&lt;&amp;\\u{1}&gt;") && out.contains("a&amp;b&lt;c&gt;.edi"),
        "{out}"
    );
    let python = Command::new("python3")
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        say!("skipped: no python3");
        return;
    };
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), out.as_bytes()).unwrap();
    let parsed = python.wait_with_output().unwrap();
    let (counts, complaints) = (
        String::from_utf8_lossy(&parsed.stdout),
        String::from_utf8_lossy(&parsed.stderr),
    );
    // Three files with an envelope and a set, one of them twice, so that its number is told too, and
    // one that cannot be read.
    assert_eq!(counts.trim(), "testsuites 5 8 5 1", "{complaints}{out}");
}

#[test]
fn junit_gives_each_set_its_own_findings() {
    let orders = std::fs::read_to_string("samples/x12/004010/850/pass/two-orders.edi").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.edi");
    std::fs::write(&file, orders.replace("*3*EA*", "*3*QZ*")).unwrap();
    let file = file.to_str().unwrap();
    for jobs in ["1", "2"] {
        let arguments = ["check", "--format", "junit", "--jobs", jobs, file];
        let (out, _) = transload(1, &arguments, &[]);
        let (first, second) = out.split_once("850 purchase order 0002").unwrap();
        assert!(!first.contains("<failure"), "{out}");
        assert_eq!(second.matches("<failure").count(), 1, "{out}");
        let case = second.split("<testcase").next().unwrap();
        assert!(case.contains("PO103"), "{out}");
    }
}

#[test]
fn a_set_too_large_to_be_held_is_measured_all_the_same() {
    const LINES: usize = 20_500;
    let orders = std::fs::read_to_string("samples/x12/004010/850/pass/two-orders.edi").unwrap();
    let line = "PO1*1*10*EA*4.50*PE*VN*TK-1200~\n";
    let large = orders.replacen(line, &line.repeat(LINES), 1);
    let total = format!("CTT*{LINES}*{}~\nSE*{}*", 10 * LINES, LINES + 4);
    let large = large.replacen("CTT*1*10~\nSE*5*", &total, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.edi");
    std::fs::write(&file, large).unwrap();
    for jobs in ["1", "2"] {
        let (out, _) = transload(0, &["check", "--jobs", jobs, file.to_str().unwrap()], &[]);
        let size = format!(", {} segments and 1 more document: clean", LINES + 4);
        assert!(out.contains(&size), "{out}");
    }
}

#[test]
fn junit_fails_only_what_it_is_told() {
    let unit = "samples/x12/004010/850/fail/unit-unknown.edi";
    let arguments = ["check", "--format", "junit", unit];
    let (out, _) = transload(1, &arguments, &[]);
    assert!(out.contains("failures=\"1\""), "{out}");
    let (out, _) = transload(0, &[&arguments[..], &["--fail-on", "error"]].concat(), &[]);
    assert!(
        out.contains("failures=\"0\"") && out.contains("<system-out>"),
        "{out}"
    );
}

#[test]
fn findings_speak_chinese_and_rules_do_not() {
    let (out, err) = transload(1, &["check", "--lang", "zh-CN", FAIL], &[]);
    for due in [
        "850 采购订单 PO-2001，QUILLFEATHER → TINDERBOX，2 行",
        "错误: PO103：\"EACH\" 不是计量单位的代码；是否想写 EA？ [element.code]",
        "处理  改为 EA，或代码表 169 个代码中的另一个",
        "处理  SE01 改为 10",
        "确认  AK403=7",
    ] {
        assert!(out.contains(due), "{due}\n{out}");
    }
    assert!(err.contains("已检查 1 个文件：3 个错误，1 个警告"), "{err}");
    let english = |text: &str| {
        text.split_whitespace()
            .filter(|w| w.chars().all(|c| c.is_ascii_lowercase()))
            .count()
    };
    assert_eq!(english(&out), 0, "{out}");
}

#[test]
fn locale_chooses_the_language_unless_an_option_does() {
    let chinese = [("LC_ALL", ""), ("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", "")];
    assert!(transload(1, &["check", FAIL], &chinese).0.contains("错误"));
    assert!(
        transload(1, &["--lang", "en", "check", FAIL], &chinese)
            .0
            .contains("error")
    );
    assert!(
        transload(1, &["check", FAIL], &[("LC_ALL", "C")])
            .0
            .contains("error")
    );
    let (_, err) = transload(2, &["show", "Cargo.toml"], &chinese);
    assert!(err.contains("不是 X12：文件看起来是 JSON"), "{err}");
    // What programs read is English always.
    let (json, _) = transload(1, &["check", "--json", FAIL], &chinese);
    assert!(
        json.contains("did you mean EA?") && !json.contains("错误"),
        "{json}"
    );
}

#[test]
fn show_aligns_chinese_by_its_width() {
    let (out, _) = transload(0, &["show", "--lang", "zh-CN", PASS], &[]);
    assert!(out.contains("采购订单"), "{out}");
    let rows = out.lines().filter(|line| line.starts_with("    BEG0"));
    let values: Vec<usize> = rows
        .map(|row| {
            let value = row
                .trim_start()
                .splitn(3, "  ")
                .nth(2)
                .unwrap()
                .trim_start();
            transload::lang::width(&row[..row.len() - value.len()])
        })
        .collect();
    assert!(
        values.len() > 2 && values.windows(2).all(|pair| pair[0] == pair[1]),
        "{values:?}\n{out}"
    );
}

#[test]
fn findings_of_one_segment_share_a_window() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FAIL);
    let text = std::fs::read_to_string(path)
        .unwrap()
        .replace("EACH*4.50*PE*", "EACH*4.5O*PE*");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.edi");
    std::fs::write(&file, text).unwrap();
    let (out, _) = transload(1, &["check", file.to_str().unwrap()], &[]);
    let window =
        "      PO1*1*10*EACH*4.5O*PE*VN*TK-1200\n               ^^^^ ^^^^\n               PO103\n";
    assert!(out.contains(window), "{out}");
    assert!(
        out.contains("      fix  PO104: send digits, with a point if need be"),
        "{out}"
    );
}
