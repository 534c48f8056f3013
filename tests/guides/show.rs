//! `mappings show` and `mappings diff`.

use serde_json::Value;

use super::{put, run};

/// The line of `text` that begins with `start`, blanks aside.
#[track_caller]
fn line<'t>(text: &'t str, start: &str) -> &'t str {
    let mut lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with(start));
    lines
        .next()
        .unwrap_or_else(|| panic!("no {start:?} in\n{text}"))
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn show_marks_what_the_partner_changes() {
    let (out, _) = run(0, &["mappings", "show", "850", "--partner", "amazon"]);
    assert!(out.contains("laid over x12/004010/850"), "{out}");
    let structure = line(&out, "050  REF-CR");
    assert_eq!(words(structure)[2..5], ["◆", "M", "1"], "{structure}");
    let unchanged = line(&out, "040  CUR");
    assert_eq!(words(unchanged)[2], "O", "{unchanged}");
    // The loops nest.
    assert!(words(line(&out, "120  ┌ SAC"))[1..3] == ["┌", "SAC"]);
    assert!(words(line(&out, "125  │ CUR"))[1..3] == ["│", "CUR"]);
}

#[test]
fn show_tells_a_segment_by_its_elements_and_codes() {
    let asked = ["mappings", "show", "850", "PO1", "--partner", "amazon"];
    let (out, _) = run(0, &asked);
    let unit = line(&out, "◆ PO103");
    assert_eq!(words(unit)[1..5], ["PO103", "M", "ID", "2/2"], "{unit}");
    assert!(unit.ends_with("lines[].quantity.unit"), "{unit}");
    assert!(out.contains("CA case, EA each"), "{out}");
    assert!(
        out.contains("codes of amazon_unit, were those of unit: 2 of"),
        "{out}"
    );
    assert!(
        out.contains("PO108 to PO125: as PO106 to PO107, 9 more times"),
        "{out}"
    );
    assert!(out.contains("C0302: with PO103 comes PO102"), "{out}");
    // Only what was asked for.
    assert!(!out.contains("heading.BEG"), "{out}");
    let (qualified, _) = run(0, &["mappings", "show", "850", "n1-st"]);
    assert!(line(&qualified, "N101").ends_with("= ST"), "{qualified}");
    let (_, err) = run(2, &["mappings", "show", "850", "PO11"]);
    assert!(err.contains("did you mean \"PO1\"?"), "{err}");
}

#[test]
fn a_partner_may_have_another_release_and_levels_are_told_once() {
    let (out, _) = run(0, &["mappings", "show", "856", "--partner", "amazon"]);
    assert!(out.contains("release 005010"), "{out}");
    assert!(
        line(&out, "as in detail.HL-S: ").contains("LIN, SN1"),
        "{out}"
    );
    assert!(out.contains("HL03 = T, stands below S or O"), "{out}");
    let (named, _) = run(0, &["mappings", "show", "larkspur/850", "--structure"]);
    assert!(named.contains("partners/larkspur/850"), "{named}");
    assert!(!named.contains("detail.PO1  "), "{named}");
}

#[test]
fn a_page_stands_for_itself_and_is_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let guide = "base = \"x12/004010/850\"\n[heading.REF-ZZ]\npos = 50\nwhen = { REF01 = \"<&>\" }\n\
        REF02 = { as = \"ext.own\", codes = \"odd\" }\n";
    let odd = "A1 = \"<script>alert('x')</script>\"\n";
    put(
        folder.path(),
        &[("partners/odd/850.toml", guide), ("codes/odd.toml", odd)],
    );
    let at = folder.path().to_str().unwrap();
    let (page, _) = run(
        0,
        &[
            "mappings",
            "show",
            "850",
            "--html",
            "--partner",
            "odd",
            "--mappings",
            at,
        ],
    );
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for never in [
        "<script", "http:", "https:", "url(", "@import", " src=", "<&>",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(
        page.contains("&lt;script&gt;alert(&#39;x&#39;)"),
        "the word is escaped"
    );
    assert!(
        page.contains("REF01 = &lt;&amp;&gt;"),
        "the qualifier is escaped"
    );
    // Each link leads to a place on the page, and each element that opens closes.
    for link in page.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    for tag in [
        "table", "tbody", "thead", "section", "tr", "td", "dl", "div", "p", "h3",
    ] {
        let open = page.matches(&format!("<{tag}>")).count();
        let open = open + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn json_has_codes_once_and_names_them() {
    let (json, _) = run(
        0,
        &["mappings", "show", "850", "--partner", "amazon", "--json"],
    );
    let guide: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(guide["codes"]["amazon_unit"]["EA"], "each");
    let all = guide["segments"].as_array().unwrap();
    let line = all.iter().find(|one| one["path"] == "detail.PO1").unwrap();
    assert_eq!(line["elements"][2]["codes"], "amazon_unit");
}

#[test]
fn diff_reads_as_sentences_and_says_so_by_its_exit() {
    let (out, _) = run(
        1,
        &["mappings", "diff", "x12/004010/850", "partners/amazon/850"],
    );
    assert!(
        out.contains("~ heading.CSH (Sales Requirements): mandatory, was optional"),
        "{out}"
    );
    assert!(
        out.contains("+ heading.REF-PD (Reference): new: O, max 1, REF01 = PD, as deal"),
        "{out}"
    );
    assert!(
        out.contains("N103 (Id Qualifier): mandatory, was conditional"),
        "{out}"
    );
    // Without a second guide, it is the one that the first is laid over.
    let (again, _) = run(1, &["mappings", "diff", "850", "--partner", "amazon"]);
    assert_eq!(again, out);
    // The other way round, what came is gone.
    let (back, _) = run(
        1,
        &["mappings", "diff", "partners/amazon/850", "x12/004010/850"],
    );
    assert!(
        back.contains("- heading.REF-PD (Reference): gone"),
        "{back}"
    );
    let (same, _) = run(0, &["mappings", "diff", "850", "x12/004010/850"]);
    assert!(same.contains("they say the same"), "{same}");
    run(2, &["mappings", "diff", "850", "no/such"]);
}

#[test]
fn a_folder_is_compared_with_the_embedded_guides_or_another_folder() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let guide = "base = \"x12/004010/850\"\n[heading.CUR]\nusage = \"M\"\n";
    put(one.path(), &[("partners/acme/850.toml", guide)]);
    let more = format!("{guide}max = 3\nCUR02 = {{ codes = \"ours\" }}\n");
    put(
        two.path(),
        &[
            ("partners/acme/850.toml", &more),
            ("codes/ours.toml", "USD = \"dollar\"\n"),
        ],
    );
    let (a, b) = (one.path().to_str().unwrap(), two.path().to_str().unwrap());
    let (out, _) = run(1, &["mappings", "diff", a]);
    assert_eq!(out.trim(), "partners/acme/850: new");
    let (json, _) = run(1, &["mappings", "diff", a, b, "--json"]);
    let rows: Vec<Value> = json
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let told = |row: &Value| {
        (
            row["element"].clone(),
            row["word"].clone(),
            row["new"].clone(),
        )
    };
    assert_eq!(told(&rows[0]), ("".into(), "max".into(), "3".into()));
    assert_eq!(
        told(&rows[1]),
        ("CUR02".into(), "codes".into(), "ours".into())
    );
    assert_eq!(rows[1]["added"][0], "USD dollar");
    assert_eq!(rows.len(), 2);
    run(0, &["mappings", "diff", b, b]);
}
