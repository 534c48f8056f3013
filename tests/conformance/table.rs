//! The table of all requirements and cases, and the names of the tests that prove them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::faults::sources;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    requirements: BTreeMap<String, Row>,
    cases: BTreeMap<String, Row>,
    /// Each planted bug, and the test that sees it.
    planted: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    area: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    note: String,
    na: Option<String>,
    todo: Option<String>,
}

/// What is known of one row.
struct Line<'t> {
    id: &'t str,
    row: &'t Row,
    /// Tests named by its id.
    own: Vec<&'t str>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Table {
    toml::from_str(include_str!("rows.toml")).unwrap()
}

/// The names of the functions that are tests, in the tests and beside the sources.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in [sources(&root().join("tests")), sources(&root().join("src"))].concat() {
        let text = std::fs::read_to_string(path).unwrap();
        let mut marked = false;
        for line in text.lines().map(str::trim_start) {
            let rest = line.strip_prefix("async ").unwrap_or(line);
            if let Some(rest) = rest.strip_prefix("fn ").filter(|_| marked) {
                names.insert(rest.split('(').next().unwrap().to_owned());
            }
            marked = line.starts_with("#[test]")
                || line.starts_with("#[tokio::test")
                || marked && line.starts_with('#');
        }
    }
    names
}

/// `AS2-074` → `as2_074_`, `T3` → `as2_case_t3_`.
fn prefix(id: &str) -> String {
    match id.strip_prefix("AS2-") {
        Some(number) => format!("as2_{number}_"),
        None => format!("as2_case_{}_", id.to_lowercase()),
    }
}

fn lines<'t>(rows: &'t BTreeMap<String, Row>, tests: &'t BTreeSet<String>) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = rows
        .iter()
        .map(|(id, row)| {
            let prefix = prefix(id);
            let own = tests.iter().filter(|name| name.starts_with(&prefix));
            let own = own.map(String::as_str).collect();
            Line { id, row, own }
        })
        .collect();
    // T2 before T10, and the cases in the order of a message's way.
    lines.sort_by_key(|line| match line.id.strip_prefix("AS2-") {
        Some(_) => (0, number(line.id)),
        None => ("THMKIDR".find(&line.id[..1]).unwrap() + 1, number(line.id)),
    });
    lines
}

fn number(id: &str) -> usize {
    let digits: String = id.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect::<String>().parse().unwrap()
}

impl Line<'_> {
    /// A few words for what it is about.
    fn title(&self) -> String {
        match self.own.first() {
            Some(name) if self.row.title.is_empty() => {
                name[prefix(self.id).len()..].replace('_', " ")
            }
            _ => self.row.title.clone(),
        }
    }

    fn verdict(&self) -> &'static str {
        match (&self.row.na, &self.row.todo) {
            (Some(_), _) => "not applicable",
            (_, Some(_)) => "not done",
            _ => "done",
        }
    }

    /// The tests, or the reason.
    fn why(&self) -> String {
        let reason = self.row.na.as_ref().or(self.row.todo.as_ref());
        let own = self
            .own
            .iter()
            .copied()
            .chain(self.row.by.iter().map(String::as_str));
        let named: Vec<String> = own.map(|name| format!("`{name}`")).collect();
        let parts = [
            named.join(", "),
            reason.cloned().unwrap_or_default(),
            self.row.note.clone(),
        ];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|p| !p.is_empty())
            .collect();
        parts.join(". ")
    }

    /// What is wrong with the row, if anything.
    fn complaint(&self, tests: &BTreeSet<String>) -> Option<String> {
        let row = self.row;
        let unknown = row.by.iter().find(|name| !tests.contains(*name));
        let tested = !self.own.is_empty() || !row.by.is_empty();
        let what = match (&row.na, &row.todo) {
            _ if unknown.is_some() => format!("there is no test {}", unknown.unwrap()),
            (Some(_), Some(_)) => "both not applicable and not done".to_owned(),
            (None, None) if !tested => "nothing tests it, and nothing says why".to_owned(),
            (Some(_), None) if !self.own.is_empty() => "not applicable, and tested".to_owned(),
            _ if self.title().is_empty() => "it has no title".to_owned(),
            (None, Some(_)) if row.level.starts_with("MUST") => "a MUST is not done".to_owned(),
            _ => return None,
        };
        Some(format!("{}: {what}", self.id))
    }
}

fn count(lines: &[Line<'_>], level: &str, verdict: &str) -> usize {
    let of_level = lines.iter().filter(|line| line.row.level == level);
    of_level.filter(|line| line.verdict() == verdict).count()
}

/// The document, all of it.
fn document() -> String {
    let (table, tests) = (table(), tests());
    let rows = lines(&table.requirements, &tests);
    let cases = lines(&table.cases, &tests);
    let mut out = String::from(
        "# AS2 conformance\n\n\
         Made from `tests/conformance/rows.toml` and the names of the tests; a test fails where \
         they differ. `UPDATE=1 cargo test --test main -- conformance` writes it anew.\n\n\
         The requirements are those on an implementation in RFC 4130, its coming revision \
         (draft-ietf-ediint-rfc4130bis), and the documents that they build on. The cases are what \
         partners' software really does. \"done\" names the tests that fail where it is not so.\n\n\
         | level | done | not applicable | not done |\n|---|---|---|---|\n",
    );
    let verdicts = ["done", "not applicable", "not done"];
    let mut total = |name: &str, lines: &[Line<'_>], level: &str| {
        let [done, na, todo] = verdicts.map(|verdict| count(lines, level, verdict));
        writeln!(out, "| {name} | {done} | {na} | {todo} |").unwrap();
    };
    for level in ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"] {
        total(level, &rows, level);
    }
    total("cases", &cases, "");
    out.push_str(
        "\n## Requirements\n\n\
         | id | area | level | role | about | | by, or why |\n|---|---|---|---|---|---|---|\n",
    );
    for line in &rows {
        let Row {
            area, level, role, ..
        } = line.row;
        let (id, title, verdict, why) = (line.id, line.title(), line.verdict(), line.why());
        writeln!(
            out,
            "| {id} | {area} | {level} | {role} | {title} | {verdict} | {why} |"
        )
        .unwrap();
    }
    out.push_str("\n## Cases\n\n| id | area | about | | by, or why |\n|---|---|---|---|---|\n");
    for line in &cases {
        let (id, title, verdict, why) = (line.id, line.title(), line.verdict(), line.why());
        writeln!(
            out,
            "| {id} | {} | {title} | {verdict} | {why} |",
            line.row.area
        )
        .unwrap();
    }
    out.push_str(
        "\n## Planted bugs\n\n\
         `cargo test --features planted --test main -- conformance::planted` switches each on and \
         sees its test fail. They are no part of any other build.\n\n| bug | test |\n|---|---|\n",
    );
    for (bug, test) in &table.planted {
        writeln!(out, "| {bug} | `{test}` |").unwrap();
    }
    out
}

#[test]
fn every_row_is_tested_or_says_why_not() {
    let (table, tests) = (table(), tests());
    let mut rows = lines(&table.requirements, &tests);
    rows.extend(lines(&table.cases, &tests));
    let mut complaints: Vec<String> = rows.iter().filter_map(|l| l.complaint(&tests)).collect();
    let known: Vec<String> = rows.iter().map(|line| prefix(line.id)).collect();
    let stray = tests.iter().filter(|name| name.starts_with("as2_"));
    let numbered = |name: &&String| {
        name.starts_with("as2_case_") || name[4..].starts_with(|c: char| c.is_ascii_digit())
    };
    let stray = stray
        .filter(numbered)
        .filter(|name| !known.iter().any(|k| name.starts_with(k)));
    complaints.extend(stray.map(|name| format!("{name}: no row has this id")));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Each planted bug, and the test that has to fail with it.
#[cfg(feature = "planted")]
pub(super) fn planted() -> BTreeMap<String, String> {
    table().planted
}

#[test]
fn every_planted_bug_has_a_place_and_a_test() {
    let (table, tests) = (table(), tests());
    let sources = sources(&root().join("src")).into_iter();
    let sources = sources.filter(|path| !path.ends_with("lib.rs"));
    let text: String = sources
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let text: String = text.split_whitespace().collect();
    for (bug, test) in &table.planted {
        let mark = format!("planted!(\"{bug}\"");
        assert_eq!(
            text.matches(&mark).count(),
            1,
            "{bug} stands once in the sources"
        );
        assert!(tests.contains(test), "{bug}: there is no test {test}");
    }
    let harness = crate::faults::planted().len();
    assert_eq!(
        text.matches("planted!(\"").count(),
        table.planted.len() + harness,
        "each has its line"
    );
}

#[test]
fn the_document_is_up_to_date() {
    let path = root().join("docs/conformance.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, document()).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = have
        .lines()
        .zip(document().lines())
        .find(|(a, b)| a != b)
        .map(|d| format!("{d:?}"));
    assert!(
        have == document(),
        "docs/conformance.md is old; UPDATE=1 writes it: {differs:?}"
    );
}

#[test]
fn every_requirement_that_is_known_has_a_row() {
    let Some(path) = crate::as2::shared("conformance/as2-requirements.tsv") else {
        return;
    };
    let known = std::fs::read_to_string(path).unwrap();
    let table = table();
    for line in known.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let row = table.requirements.get(fields[0]);
        let row = row.unwrap_or_else(|| panic!("no row {}", fields[0]));
        let ours = [row.area.as_str(), &row.level, &row.role];
        assert_eq!(ours, fields[1..4], "{}", fields[0]);
    }
}
