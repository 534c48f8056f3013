//! The loss report: what a translation could not carry, and what it had to add.
//!
//! Which losses there may be stands in `mappings/codes/spapi-losses.toml`, each with its reason and
//! the section of the field tables that it comes from. A loss that no row has is reported all the
//! same, without a section; a test fails on the first of them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Fault, Record, UNKNOWN};
use super::tree::{Renumbered, Tree};

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
    /// The same value is written otherwise there, or comes back so. `path` is where it stood.
    Normalised,
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
            LossKind::Normalised => "normalised",
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

/// Whether a row of this kind is of the target.
fn adds(kind: LossKind) -> bool {
    matches!(kind, LossKind::Inferred | LossKind::Synthesised)
}

/// Whether a path is at or below another.
fn below(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Two places that say the same: one of the document, one of the API's record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Trace {
    /// The place in the document, as `lines[3].price.amount`.
    pub ours: String,
    /// The place in the record, as `items[3].netCost.amount`.
    pub theirs: String,
}

/// What a translation says of itself.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was lost, and what was added.
    pub losses: Vec<Loss>,
    /// What went over, leaf by leaf.
    pub traces: Vec<Trace>,
    map: &'static str,
    way: Way,
    /// Properties that the model does not have.
    strays: Vec<String>,
}

impl Report {
    pub(super) fn new(map: &'static str, way: Way) -> Report {
        Report {
            losses: Vec::new(),
            traces: Vec::new(),
            map,
            way,
            strays: Vec::new(),
        }
    }

    pub(super) fn way(&self) -> Way {
        self.way
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

    /// Says that two places say the same.
    pub(super) fn trace(&mut self, ours: &str, theirs: &str) {
        self.traces.push(Trace {
            ours: ours.into(),
            theirs: theirs.into(),
        });
    }

    /// Takes out the traces of some places of ours; those of theirs that they lead to.
    pub(super) fn untrace(&mut self, which: impl Fn(&str) -> bool) -> Vec<String> {
        let gone = self.traces.extract_if(.., |trace| which(&trace.ours));
        gone.map(|trace| trace.theirs).collect()
    }

    /// Says that what was made at `this` of theirs went into `other`.
    pub(super) fn merged(&mut self, this: &str, other: &str) {
        for trace in self
            .traces
            .iter_mut()
            .filter(|trace| below(&trace.theirs, this))
        {
            trace.theirs = trace.theirs.replacen(this, other, 1);
        }
        self.losses
            .retain(|loss| !(adds(loss.kind) && below(&loss.path, this)));
    }

    /// Says that a second place of ours says what the first did: it is lost where that was, and
    /// stands where that stands.
    pub(super) fn twin(&mut self, first: &str, second: &str) {
        let same = |loss: &&Loss| !adds(loss.kind) && loss.path == first;
        let lost: Vec<Loss> = self.losses.iter().filter(same).cloned().collect();
        for loss in lost {
            self.note(loss.kind, second, loss.value);
        }
        let places = self.traces.iter().filter(|trace| trace.ours == first);
        let places: Vec<String> = places.map(|trace| trace.theirs.clone()).collect();
        for place in places {
            self.trace(second, &place);
        }
    }

    /// Says that a second place of ours repeats the first, on the way from the API.
    pub(super) fn repeated(&mut self, first: &str, second: &str) {
        let added = |loss: &&Loss| adds(loss.kind) && below(&loss.path, first);
        let told: Vec<Loss> = self.losses.iter().filter(added).cloned().collect();
        for loss in told {
            self.note(loss.kind, &loss.path.replacen(first, second, 1), loss.value);
        }
        let below = |trace: &&Trace| below(&trace.ours, first);
        let traces: Vec<Trace> = self.traces.iter().filter(below).cloned().collect();
        for trace in traces {
            self.trace(&trace.ours.replacen(first, second, 1), &trace.theirs);
        }
    }

    /// Says that what stands at `this` of theirs stands at `other` as well.
    pub(super) fn copied(&mut self, this: &str, other: &str) {
        let again = self
            .traces
            .iter()
            .filter(|trace| below(&trace.theirs, this));
        let again: Vec<Trace> = again
            .map(|trace| Trace {
                ours: trace.ours.clone(),
                theirs: trace.theirs.replacen(this, other, 1),
            })
            .collect();
        self.traces.extend(again);
    }

    /// Takes out what is said of places below `at`, which was made aside.
    pub(super) fn aside(&mut self, at: &str) -> (Vec<Loss>, Vec<Trace>) {
        let losses = self.losses.extract_if(.., |loss| below(&loss.path, at));
        let traces = self.traces.extract_if(.., |trace| below(&trace.ours, at));
        (losses.collect(), traces.collect())
    }

    /// Says of what was made aside at `at` that it stands at `place`.
    pub(super) fn placed(&mut self, at: &str, place: &str, told: &(Vec<Loss>, Vec<Trace>)) {
        for loss in &told.0 {
            self.note(loss.kind, &loss.path.replacen(at, place, 1), &loss.value);
        }
        for trace in &told.1 {
            self.trace(&trace.ours.replacen(at, place, 1), &trace.theirs);
        }
    }

    /// Takes in what another report says beside this one.
    pub(super) fn join(&mut self, other: Report) {
        for loss in other.losses {
            if !self.losses.contains(&loss) {
                self.losses.push(loss);
            }
        }
        self.traces.extend(other.traces);
    }

    /// Closes the report: what nobody took out of the source is dropped.
    pub(super) fn close(mut self, source: &Tree, moved: &Renumbered) -> Report {
        for loss in self.losses.iter_mut().filter(|loss| adds(loss.kind)) {
            loss.path = moved.path(&loss.path);
        }
        for trace in &mut self.traces {
            let end = match self.way {
                Way::ToApi => &mut trace.theirs,
                Way::FromApi => &mut trace.ours,
            };
            *end = moved.path(end);
        }
        let strays = std::mem::take(&mut self.strays);
        for (path, value) in source.leaves() {
            match strays.iter().any(|root| below(&path, root)) {
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
        self
    }
}
