//! Guides in Chinese: no word of ours is left English, columns stand under their heads, and what
//! programs read stays.

use transload::lang::width;

use super::{put, run, run_in};

/// English words of ours that a text in Chinese does not have. Names of fields, rules of the guide
/// language and file names are never translated.
#[track_caller]
fn is_chinese(text: &str) {
    const OURS: &[&str] = &[
        "mandatory",
        "optional",
        "conditional",
        "not used",
        "release 00",
        "laid over",
        "values go",
        "structure only",
        "position",
        "once",
        "times",
        "a loop",
        "come together",
        "must come",
        "comes",
        "codes of",
        "as in",
        "more of",
        "difference",
        "was ",
        "goes to",
        "had no",
        "stands",
        "below",
        "where",
        "broken",
        "checked",
        "segments,",
        "places",
        "error",
    ];
    for line in text.lines() {
        // Paths in a document are fields' names.
        let words: Vec<&str> = line.split(' ').filter(|word| !word.contains('[')).collect();
        let line = words.join(" ");
        for word in OURS {
            assert!(!line.contains(word), "{word:?} in {line:?}");
        }
    }
    assert!(text.chars().any(|c| width(&c.to_string()) == 2), "{text}");
}

fn chinese<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--lang", "zh-CN"]].concat()
}

#[test]
fn show_is_chinese_and_its_columns_stand() {
    for set in ["850", "855", "856", "810"] {
        let english = ["mappings", "show", set, "--partner", "amazon"];
        let (out, _) = run(0, &chinese(&english));
        is_chinese(&out);
        assert!(out.contains("必填") && out.contains("叠加在"), "{out}");
        // The name of a segment begins where the head says.
        let at = |line: &str, what: &str| line.find(what).map(|at| width(&line[..at]));
        let head = out.lines().find(|line| line.starts_with("位置")).unwrap();
        let row = out
            .lines()
            .find(|line| line.contains("TD5  ") || line.contains("CUR  "))
            .unwrap();
        let name = ["承运人", "运输", "币种", "货币"]
            .into_iter()
            .find_map(|name| at(row, name));
        assert_eq!(name, at(head, "名称"), "{head}\n{row}");
    }
    let (json, _) = run(0, &["mappings", "show", "850", "--json"]);
    let (same, _) = run(0, &chinese(&["mappings", "show", "850", "--json"]));
    assert_eq!(json, same);
}

#[test]
fn the_page_is_chinese() {
    let asked = ["mappings", "show", "856", "--partner", "amazon", "--html"];
    let (page, _) = run(0, &chinese(&asked));
    assert!(page.contains("<html lang=\"zh-CN\">"), "{page}");
    let body = page.split("</head>").nth(1).unwrap();
    is_chinese(body);
    assert!(body.contains("<th>位置</th><th>段</th>"), "{body}");
}

#[test]
fn diff_and_check_are_chinese() {
    let (out, _) = run(
        1,
        &chinese(&["mappings", "diff", "856", "--partner", "amazon"]),
    );
    is_chinese(&out);
    let (out, _) = run(
        1,
        &chinese(&["mappings", "diff", "x12/004010/850", "x12/005010/850"]),
    );
    is_chinese(&out);
    let (out, err) = run(0, &chinese(&["mappings", "check"]));
    is_chinese(&out);
    is_chinese(&err);
}

#[test]
fn what_is_begun_teaches_in_chinese_and_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let (_, err) = run_in(
        folder.path(),
        0,
        &chinese(&["mappings", "new", "beta", "--like", "amazon"]),
    );
    is_chinese(&err);
    let text =
        std::fs::read_to_string(folder.path().join("mappings/partners/beta/850.toml")).unwrap();
    is_chinese(&text);
    run_in(folder.path(), 0, &["mappings", "check", "mappings"]);
}

#[test]
fn refusals_are_chinese() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        &[("order.edi", "not X12"), ("guides/readme.txt", "")],
    );
    #[rustfmt::skip]
    let rows: [(i32, &[&str]); 12] = [
        (2, &["mappings", "show", "851"]),
        (2, &["mappings", "show", "850", "PO11"]),
        (2, &["mappings", "check", "guides"]),
        (2, &["mappings", "new", "acme", "--like", "amazom"]),
        (2, &["mappings", "new", "acme", "--set", "851"]),
        (2, &["mappings", "diff", "x12/004010/850"]),
        (2, &["check", "missing.edi"]),
        (2, &["show", "order.edi"]),
        (2, &["show", "missing.edi"]),
        (2, &["check", "--partner", "amazom", "order.edi"]),
        (2, &["explain", "element.cod"]),
        (2, &["translate", "missing.edi"]),
    ];
    for (exit, arguments) in rows {
        let (_, err) = run_in(folder.path(), exit, &chinese(arguments));
        is_chinese(&err);
        assert!(
            !err.contains("did you mean") && !err.contains("there is"),
            "{err}"
        );
        let (_, english) = run_in(
            folder.path(),
            exit,
            &[arguments, &["--lang", "en"]].concat(),
        );
        assert!(english.is_ascii(), "{english}");
    }
}
