//! What runs measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, Write as _};

use serde::Deserialize;

/// What one run found for a row.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    /// How often the fault was done.
    pub(super) trials: u64,
    /// How often something expected was not so.
    pub(super) violations: u64,
    /// The figure with its unit, where counts do not say it all.
    #[serde(default)]
    pub(super) figure: String,
    /// The command that ran.
    pub(super) by: String,
}

const HEAD: &str = "# Written by runs (`TRANSLOAD_FAULTS_FIGURES`), not by hand.\n";

/// Tells what a row's run found, and records it where `TRANSLOAD_FAULTS_FIGURES` names a file. Call it
/// from the test's own thread: its name says which command it was (`TRANSLOAD_FAULTS_BY` says another).
///
/// # Panics
/// Where something expected was not so: a run with violations fails.
pub(crate) fn figure(row: &str, trials: u64, violations: u64, text: &str) {
    say!("{row}: {trials} trials, {violations} violations. {text}");
    if let Some(path) = std::env::var_os("TRANSLOAD_FAULTS_FIGURES") {
        let found = Figure {
            trials,
            violations,
            figure: text.to_owned(),
            by: command(),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        // Other tests record at once, other processes too.
        file.lock().unwrap();
        let mut have = String::new();
        file.read_to_string(&mut have).unwrap();
        let mut all: BTreeMap<String, Figure> = toml::from_str(&have).unwrap();
        all.insert(row.to_owned(), found);
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(written(&all).as_bytes()).unwrap();
    }
    assert_eq!(violations, 0, "{row}: violations in {trials} trials");
}

fn command() -> String {
    if let Ok(by) = std::env::var("TRANSLOAD_FAULTS_BY") {
        return by;
    }
    let feature = match cfg!(feature = "planted") {
        true => " --features planted",
        false => "",
    };
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("faults").to_owned();
    format!("cargo test{feature} --test main -- {test}")
}

fn written(all: &BTreeMap<String, Figure>) -> String {
    let mut out = String::from(HEAD);
    for (row, found) in all {
        let Figure {
            trials,
            violations,
            figure,
            by,
        } = found;
        write!(
            out,
            "\n[{row}]\ntrials = {trials}\nviolations = {violations}\n\
             figure = {figure:?}\nby = {by:?}\n"
        )
        .unwrap();
    }
    out
}

/// What was recorded, row by row.
pub(super) fn recorded() -> BTreeMap<String, Figure> {
    toml::from_str(include_str!("figures.toml")).unwrap()
}

#[test]
fn what_is_written_reads_back() {
    let found = Figure {
        trials: 3,
        violations: 0,
        figure: "a \"quoted\" p99 of 3 ms".into(),
        by: "cargo test".into(),
    };
    let all = BTreeMap::from([("A1".to_owned(), found)]);
    assert_eq!(
        toml::from_str::<BTreeMap<String, Figure>>(&written(&all)).unwrap(),
        all
    );
}
