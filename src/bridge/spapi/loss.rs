//! The loss report: what a translation could not carry, and what it had to add.
//!
//! Which losses there may be stands in `mappings/codes/spapi-losses.toml`, each with its reason and
//! the section of the field tables that it comes from. A loss that no row has is reported all the
//! same, without a section; a test fails on the first of them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Fault, Record, UNKNOWN};
use super::tree::Tree;

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The other side has no place for it. `path` is where it stood.
    Dropped,
    /// The other side does not say it; it follows from something that is said. `path` is where it
    /// was put.
    Inferred,
    /// Nobody said it, and the other side must have it. `path` is where it was put.
    Synthesised,
    /// It was cut to what the other side holds. `path` is where it stood.
    Truncated,
    /// One document became several, or one value went to several places. `path` is where it stood.
    Split,
    /// It changes what the document means, so a person decides before anything is sent. `path` is
    /// where it stood.
    Refused,
}

impl LossKind {
    /// The word of the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LossKind::Dropped => "dropped",
            LossKind::Inferred => "inferred",
            LossKind::Synthesised => "synthesised",
            LossKind::Truncated => "truncated",
            LossKind::Split => "split",
            LossKind::Refused => "refused",
        }
    }
}

/// One row of a loss report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What happened.
    pub kind: LossKind,
    /// Where: of the source where something was dropped, cut, split or refused, of the target where
    /// something was added. `lines[3].ids[1].qualifier`.
    pub path: String,
    /// The value that was lost or added.
    pub value: String,
    /// Why.
    pub why: String,
    /// The section of the field tables that says so, such as `5.2`; empty for a loss that is not
    /// on the committed list.
    pub cites: String,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Loss {
            kind,
            path,
            value,
            why,
            ..
        } = self;
        write!(f, "{} {path} = {value:?}: {why}", kind.as_str())
    }
}

/// Which way a translation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From a canonical document to a request.
    ToApi,
    /// From an answer to a canonical document.
    FromApi,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Of which maps; `*` is all.
    maps: Vec<String>,
    way: Way,
    kind: LossKind,
    /// Paths without indexes, and all below them; a step `*` is any one step.
    paths: Vec<String>,
    why: String,
    cites: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    loss: Vec<Row>,
}

static LIST: LazyLock<List> = LazyLock::new(|| {
    let text = include_str!("../../../mappings/codes/spapi-losses.toml");
    toml::from_str(text).expect("the list of losses is tested")
});

/// How exactly a pattern says a path: its steps that are no `*`, or none if it is another path.
fn fits(pattern: &str, path: &str) -> Option<usize> {
    let mut steps = path
        .split('.')
        .map(|step| step.split('[').next().unwrap_or(step));
    // Levels stand in levels: however deep, it is one step.
    let mut last = "";
    let mut steps = std::iter::from_fn(|| {
        let step = steps.find(|step| *step != "levels" || last != "levels")?;
        last = step;
        Some(step)
    });
    let mut exact = 1;
    for wanted in pattern.split('.') {
        let step = steps.next()?;
        if wanted != "*" {
            if wanted != step {
                return None;
            }
            exact += 1;
        }
    }
    Some(exact)
}

/// The reason and the section of a loss.
fn listed(map: &str, way: Way, kind: LossKind, path: &str) -> Option<(&'static str, &'static str)> {
    let rows = LIST.loss.iter().filter(|row| {
        row.way == way && row.kind == kind && row.maps.iter().any(|one| one == "*" || one == map)
    });
    rows.flat_map(|row| {
        row.paths
            .iter()
            .filter_map(move |p| Some((fits(p, path)?, row)))
    })
    .max_by_key(|(exact, _)| *exact)
    .map(|(_, row)| (row.why.as_str(), row.cites.as_str()))
}

/// A report in the making.
#[derive(Debug)]
pub(super) struct Report {
    map: &'static str,
    way: Way,
    losses: Vec<Loss>,
    /// Properties that the model does not have.
    strays: Vec<String>,
}

impl Report {
    pub(super) fn new(map: &'static str, way: Way) -> Report {
        Report {
            map,
            way,
            losses: Vec::new(),
            strays: Vec::new(),
        }
    }

    /// Takes note of the properties of a record that the model does not have.
    pub(super) fn strays(&mut self, at: &str, record: &Record, value: &Value) {
        let unknown = |fault: &Fault| fault.problem == UNKNOWN;
        let found = record.faults(value).into_iter().filter(unknown);
        self.strays
            .extend(found.map(|fault| format!("{at}{}", fault.at)));
    }

    /// Adds a row.
    pub(super) fn note(&mut self, kind: LossKind, path: &str, value: impl ToString) {
        let (why, cites) = listed(self.map, self.way, kind, path)
            .unwrap_or(("the list of losses does not have it", ""));
        self.losses.push(Loss {
            kind,
            path: path.into(),
            value: value.to_string(),
            why: why.into(),
            cites: cites.into(),
        });
    }

    /// Says where something was put that was made aside: `at` became `place`.
    pub(super) fn moved(&mut self, at: &str, place: &str) {
        let aside: Vec<Loss> = self
            .losses
            .extract_if(.., |loss| loss.path.starts_with(&format!("{at}.")))
            .collect();
        for loss in aside {
            let path = loss.path.replacen(at, place, 1);
            self.note(loss.kind, &path, loss.value);
        }
    }

    /// Closes the report: what nobody took out of the source is dropped.
    pub(super) fn close(mut self, source: &Tree) -> Vec<Loss> {
        let strays = std::mem::take(&mut self.strays);
        for (path, value) in source.leaves() {
            let below = |root: &String| {
                let rest = path.strip_prefix(root.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            match strays.iter().any(below) {
                true => self.losses.push(Loss {
                    kind: LossKind::Dropped,
                    path,
                    value,
                    why: UNKNOWN.into(),
                    cites: "7".into(),
                }),
                false => self.note(LossKind::Dropped, &path, value),
            }
        }
        self.losses
    }
}
