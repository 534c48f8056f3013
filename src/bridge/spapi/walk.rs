//! A translation under way: a leaf goes over, is made, or is told.
//!
//! Every leaf that comes into the target either has a [trace](super::Trace) to the leaf of the
//! source that says it, or a row of the report; every leaf of the source that nobody took out is
//! told when the walk ends.

use std::collections::BTreeSet;

use serde_json::Value;

use super::loss::{LossKind, Report, Way};
use super::tree::Tree;
use super::{Context, Record};

/// A translation under way: both trees, and the report.
pub(super) struct Walk<'a> {
    pub(super) context: &'a Context,
    pub(super) ours: Tree,
    pub(super) theirs: Tree,
    pub(super) report: Report,
    /// The currency of the document, once it is known.
    pub(super) currency: Option<String>,
    /// Pallets and cartons that stand in the tree.
    seen: BTreeSet<String>,
    /// Leaves that were put into the source because it does not say them.
    pub(super) expanded: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    /// A walk from one tree to the other, which is empty.
    pub(super) fn new(map: &'static str, way: Way, from: Tree, context: &'a Context) -> Walk<'a> {
        let (ours, theirs) = match way {
            Way::ToApi => (from, Tree::default()),
            Way::FromApi => (Tree::default(), from),
        };
        Walk {
            currency: ours.text("currency.code"),
            report: Report::new(map, way),
            seen: BTreeSet::new(),
            expanded: BTreeSet::new(),
            context,
            ours,
            theirs,
        }
    }

    /// A walk from a record of the API.
    pub(super) fn of(
        map: &'static str,
        record: &'static str,
        value: Value,
        context: &'a Context,
    ) -> Walk<'a> {
        let record = Record::named(record).expect("a map's record is there");
        let value = record.read(value);
        let mut walk = Walk::new(map, Way::FromApi, Tree::default(), context);
        walk.report.strays("", record, &value);
        walk.theirs = Tree(value);
        walk
    }

    pub(super) fn note(&mut self, kind: LossKind, path: &str, value: impl ToString) {
        self.report.note(kind, path, value);
    }

    /// Puts something into the target that the source does not say, and tells of it.
    pub(super) fn add(&mut self, kind: LossKind, path: &str, value: impl Into<Value>) {
        let value = value.into();
        let said = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.note(kind, path, said);
        match self.report.way() {
            Way::ToApi => self.theirs.put(path, value),
            Way::FromApi => self.ours.put(path, value),
        }
    }

    /// Takes a leaf of ours out that a person must look at before anything is sent.
    pub(super) fn refuse(&mut self, ours: &str) {
        let said = self.ours.take(ours).unwrap_or_default();
        self.note(LossKind::Refused, ours, said);
    }

    /// Says that two places say the same.
    pub(super) fn trace(&mut self, ours: &str, theirs: &str) {
        self.report.trace(ours, theirs);
    }

    /// Takes a leaf of ours out that a place of theirs says too, such as whose numbering it is.
    pub(super) fn said(&mut self, ours: &str, theirs: &str) -> Option<String> {
        let text = self.ours.take(ours)?;
        self.trace(ours, theirs);
        Some(text)
    }

    /// The same of a leaf that is `text`.
    pub(super) fn said_if(&mut self, ours: &str, text: &str, theirs: &str) -> bool {
        self.ours.text(ours).as_deref() == Some(text) && self.said(ours, theirs).is_some()
    }

    /// Puts a leaf of theirs that follows from one of ours.
    pub(super) fn make(&mut self, theirs: &str, value: impl Into<Value>, ours: &str) {
        self.theirs.put(theirs, value);
        self.trace(ours, theirs);
    }

    /// Takes out a leaf of theirs that is what every such document of ours means.
    pub(super) fn means_nothing(&mut self, theirs: &str, text: &str) {
        if self.theirs.take_if(theirs, text) {
            self.trace("", theirs);
        }
    }

    /// Puts a leaf of ours that follows from one of theirs.
    pub(super) fn means(&mut self, ours: &str, value: impl Into<Value>, theirs: &str) {
        self.ours.put(ours, value);
        self.trace(ours, theirs);
    }

    /// Whether a level of this tag was made before, and that it is made now.
    pub(super) fn seen(&mut self, tag: &str) -> bool {
        !tag.starts_with('O') && !self.seen.insert(tag.to_owned())
    }

    /// Whether a level of this tag was made.
    pub(super) fn was_seen(&self, tag: &str) -> bool {
        self.seen.contains(tag)
    }

    /// Takes out what a second place of ours says as the first did, which went over.
    pub(super) fn same_as(&mut self, first: &str, second: &str, before: &Tree) {
        for (path, value) in before.leaves() {
            // What stands in it may be another's share.
            let Some(rest) = path
                .strip_prefix(second)
                .filter(|rest| !rest.starts_with(".levels"))
            else {
                continue;
            };
            let twin = format!("{first}{rest}");
            let gone = self.ours.text(&twin).is_none();
            if gone && before.text(&twin).as_ref() == Some(&value) && self.ours.has(&path) {
                self.ours.take(&path);
                self.report.twin(&twin, &path);
            }
        }
    }

    /// Says at a second place of ours what stands at the first.
    pub(super) fn copy_of_ours(&mut self, first: &str, second: &str) {
        if let Some(value) = self.ours.get(first).cloned() {
            self.ours.put(second, value);
            self.report.repeated(first, second);
        }
    }

    /// Ends a walk to the API: the record, and the report with all that is left of the document.
    pub(super) fn end_to_api(mut self) -> (Value, Report) {
        self.told_of_expanded();
        let numbers = self.theirs.compact();
        let report = self.report.close(&self.ours, &numbers);
        (self.theirs.0, report)
    }

    /// Ends a walk from the API.
    pub(super) fn end_from_api(mut self) -> (Value, Report) {
        let numbers = self.ours.compact();
        let report = self.report.close(&self.theirs, &numbers);
        (self.ours.0, report)
    }

    /// What went over though the document does not say it was made up.
    fn told_of_expanded(&mut self) {
        let expanded = std::mem::take(&mut self.expanded);
        for theirs in self.report.untrace(|ours| expanded.contains(ours)) {
            if let Some(value) = self.theirs.text(&theirs) {
                self.note(LossKind::Synthesised, &theirs, value);
            }
        }
    }
}
