//! The table of all faults, its tests and figures, and the document made from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::figures::{Figure, recorded};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    fault: String,
    expected: String,
    #[serde(default)]
    test: Vec<String>,
    na: Option<String>,
    todo: Option<String>,
    #[serde(default)]
    note: String,
}

/// A bug that the harness has to see.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    /// What it does.
    bug: String,
    /// Where it is switched on: in `src`, or in a partner that the harness plays.
    #[serde(default)]
    place: String,
}

/// The sections, each with its title, its rows in a file of its own, and how many there are.
const SECTIONS: &[(&str, usize, &str)] = &[
    ("Crash points", 25, "a"),
    ("Storage", 21, "b"),
    ("Partners and the network to them", 18, "d"),
    ("Duplicates", 14, "e"),
    ("Hostile HTTP", 21, "f"),
    ("Hostile MIME and CMS", 24, "g"),
    ("Receipts", 15, "h"),
    ("Hostile X12", 16, "i"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of one section, A2 before A10.
fn rows(section: &str) -> Vec<(String, Row)> {
    let path = root().join(format!("tests/faults/rows/{section}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    let rows: BTreeMap<String, Row> = toml::from_str(&text).unwrap();
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(id, _)| number(id));
    rows
}

fn number(id: &str) -> usize {
    id[1..].parse().unwrap()
}

fn all_planted() -> BTreeMap<String, Planted> {
    toml::from_str(include_str!("planted.toml")).unwrap()
}

/// Each bug that is switched on in `src` for the harness.
pub(crate) fn planted() -> Vec<String> {
    let ours = all_planted().into_iter();
    let ours = ours.filter(|(_, planted)| planted.place.is_empty());
    ours.map(|(name, _)| name).collect()
}

/// Every bug that the harness has to see.
#[cfg(feature = "planted")]
pub(super) fn bugs() -> Vec<String> {
    all_planted().into_keys().collect()
}

/// Every Rust file below a folder.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false if path.extension().is_some_and(|kind| kind == "rs") => found.push(path),
            false => {}
        }
    }
    found
}

/// The names of the tests, as `cargo test` prints them; of a file's inner modules only the last.
pub(crate) fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for base in ["src", "tests"] {
        for path in sources(&root().join(base)) {
            let inside = path.strip_prefix(root().join(base)).unwrap();
            let inside = inside
                .with_extension("")
                .to_string_lossy()
                .replace('/', "::");
            let module = inside.trim_end_matches("::mod");
            let text = std::fs::read_to_string(&path).unwrap();
            let (mut marked, mut inner) = (false, String::new());
            for line in text.lines() {
                // An inner module begins at the margin, and so does its end.
                let head = line.strip_prefix("mod ").and_then(|l| l.strip_suffix(" {"));
                if let Some(name) = head {
                    inner = format!("{name}::");
                } else if line == "}" && !inner.is_empty() {
                    inner.clear();
                }
                let line = line.trim_start();
                let rest = line.strip_prefix("async ").unwrap_or(line);
                if let Some(rest) = rest.strip_prefix("fn ").filter(|_| marked) {
                    let name = rest.split('(').next().unwrap();
                    names.insert(format!("{module}::{inner}{name}"));
                }
                marked = line.starts_with("#[test]")
                    || line.starts_with("#[tokio::test")
                    || marked && line.starts_with('#');
            }
        }
    }
    names
}

impl Row {
    fn verdict(&self) -> &'static str {
        match (&self.na, &self.todo) {
            (Some(_), _) => "not applicable",
            (_, Some(_)) => "not done",
            _ => "done",
        }
    }

    /// What is wrong with the row, if anything.
    fn complaint(&self, tests: &BTreeSet<String>, figure: Option<&Figure>) -> Option<String> {
        let said = [
            !self.test.is_empty(),
            self.na.is_some(),
            self.todo.is_some(),
        ];
        let unknown = self.test.iter().find(|name| !tests.contains(*name));
        match unknown {
            Some(name) => Some(format!("there is no test {name}")),
            _ if said.iter().filter(|said| **said).count() != 1 => {
                Some("it has not one of `test`, `na` and `todo`".into())
            }
            _ if figure.is_some() && self.test.is_empty() => {
                Some("it has a figure and no test".into())
            }
            _ if figure.is_some_and(|f| f.violations > 0) => Some("it has violations".into()),
            _ => None,
        }
    }

    /// One line of the document.
    fn line(&self, id: &str, figure: Option<&Figure>) -> String {
        let (trials, violations, measured) = match (figure, self.test.len()) {
            (Some(f), _) => (
                f.trials.to_string(),
                f.violations.to_string(),
                f.figure.clone(),
            ),
            (None, 0) => Default::default(),
            (None, 1) => ("1 test".into(), "0".into(), String::new()),
            (None, many) => (format!("{many} tests"), "0".into(), String::new()),
        };
        let tests: Vec<String> = self.test.iter().map(|name| format!("`{name}`")).collect();
        let parts = [
            tests.join(", "),
            self.na.clone().unwrap_or_default(),
            self.todo.clone().unwrap_or_default(),
            self.note.clone(),
        ];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
        format!(
            "| {id} | {} | {} | {} | {trials} | {violations} | {measured} | {} |\n",
            self.fault,
            self.expected,
            self.verdict(),
            parts.join(". ")
        )
    }
}

const INTRODUCTION: &str = "# Faults\n\n\
     Made from `tests/faults/rows/*.toml` and what runs recorded in `tests/faults/figures.toml`; a \
     test fails where they differ. `UPDATE=1 cargo test --test main -- faults::table` writes it \
     anew. `tests/faults.rs` says how figures are recorded.\n\n\
     Every fault that we know of is done to the gateway, which is a process of its own, while \
     partners of the test keep a ledger outside of its disk; what the gateway acknowledged, stored, \
     delivered and sent is compared with it. \"done\" names the tests that fail where it is not as \
     expected; trials and violations are of the last recorded run. \
     Where none is recorded, nothing but yes or no is to be found out: the row's tests are counted, and \
     all of them run before a change lands.\n\n";

/// The document, all of it.
fn document() -> String {
    let figures = recorded();
    let mut out = String::from(INTRODUCTION);
    out.push_str("| section | done | not applicable | not done |\n|---|---|---|---|\n");
    for (title, _, text) in SECTIONS {
        let rows = rows(text);
        let count = |verdict| rows.iter().filter(|(_, r)| r.verdict() == verdict).count();
        let [done, na, todo] = ["done", "not applicable", "not done"].map(count);
        writeln!(out, "| {title} | {done} | {na} | {todo} |").unwrap();
    }
    for (title, _, text) in SECTIONS {
        write!(
            out,
            "\n## {title}\n\n| id | fault | expected | | trials | violations | figure | by, or why \
             |\n|---|---|---|---|---|---|---|---|\n"
        )
        .unwrap();
        for (id, row) in rows(text) {
            out.push_str(&row.line(&id, figures.get(&id)));
        }
    }
    out.push_str(
        "\n## Planted bugs\n\n\
         `cargo test --features planted --test main -- faults::planted` runs the harness on each \
         until it sees a violation. They are no part of any other build.\n\n\
         | bug | what it does | faults until it was seen | seen by |\n|---|---|---|---|\n",
    );
    for (name, planted) in all_planted() {
        let (faults, seen) = match figures.get(&format!("planted-{name}")) {
            Some(figure) => (figure.trials.to_string(), figure.figure.clone()),
            None => Default::default(),
        };
        writeln!(out, "| {name} | {} | {faults} | {seen} |", planted.bug).unwrap();
    }
    out
}

#[test]
fn every_row_is_tested_or_says_why_not() {
    let (tests, figures) = (tests(), recorded());
    let mut complaints = Vec::new();
    for (title, many, text) in SECTIONS {
        let rows = rows(text);
        if rows.len() != *many || number(&rows[rows.len() - 1].0) != *many {
            complaints.push(format!("{title}: {many} rows, numbered from 1"));
        }
        for (id, row) in rows {
            let wrong = row.complaint(&tests, figures.get(&id));
            complaints.extend(wrong.map(|wrong| format!("{id}: {wrong}")));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_document_is_up_to_date() {
    let path = root().join("docs/faults.md");
    let wanted = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = have.lines().zip(wanted.lines());
    let differs = lines.find(|(a, b)| a != b);
    assert!(
        have == wanted,
        "docs/faults.md is old; UPDATE=1 writes it: {differs:?}"
    );
}
