//! A map as rows, used in both directions: a path of ours, a path of theirs, and how the value goes
//! over. `[]` is each item of a list; the lists of the two sides have the same order.

use serde_json::Value;

use super::codes;
use super::decimal::{plain, whole};
use super::loss::LossKind;
use super::tree::Tree;
use super::walk::Walk;

/// The code table of taxes, and its word for one on value, which some sites call otherwise.
const TAX: &str = "tax";
const VALUE_ADDED: &str = "value_added";

/// A row: ours, theirs, how.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Via,
);

/// How a value goes over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via {
    /// As it is, without blanks around it.
    Text,
    /// As it is, cut to so many characters.
    Cut(usize),
    /// A decimal of ours that must be whole; an integer of theirs.
    Whole,
    /// A count of ours (a JSON number); an integer of theirs.
    Count,
    /// A decimal as text; theirs may have an exponent.
    Decimal,
    /// By a code table.
    Code(&'static str),
    /// A unit, by a code table, after the account's own overrides.
    Unit(&'static str),
    /// A day of ours; an instant of theirs, midnight in the account's zone.
    Date,
    /// A moment; an instant of theirs.
    Moment,
    /// A window; two instants with `--` between.
    Interval,
}

impl<'a> Walk<'a> {
    pub(super) fn rows_to_api(&mut self, rows: &[Row]) {
        for row in rows {
            for place in places(&self.ours, row.0) {
                self.over(&at(row.0, &place), &at(row.1, &place), row.2);
            }
        }
    }

    pub(super) fn rows_from_api(&mut self, rows: &[Row]) {
        for row in rows {
            for place in places(&self.theirs, row.1) {
                self.back(&at(row.0, &place), &at(row.1, &place), row.2);
            }
        }
    }

    /// Takes one value over. What cannot go stays where it is, and is told at the end.
    pub(super) fn over(&mut self, ours: &str, theirs: &str, via: Via) {
        if self.theirs.has(theirs) {
            return;
        }
        match via {
            Via::Moment => return self.moment_to_api(ours, theirs),
            Via::Interval => return self.interval_to_api(ours, theirs),
            _ => {}
        }
        let Some(text) = self.ours.text(ours) else {
            return;
        };
        let made: Option<Value> = match via {
            Via::Whole | Via::Count => whole(&text).map(Value::from),
            Via::Code(table) => self.code_to_api(ours, table, &text).map(Value::from),
            Via::Unit(table) => self.unit_to_api(ours, theirs, table, &text),
            Via::Date => self.day_to_api(&text).map(Value::from),
            Via::Cut(most) => {
                let cut: String = text.trim().chars().take(most).collect();
                Some(cut.into())
            }
            _ => Some(text.trim().into()),
        };
        let Some(made) = made else { return };
        let kind = match via {
            Via::Cut(most) if text.chars().count() > most => Some(LossKind::Truncated),
            Via::Text | Via::Cut(_) | Via::Decimal => {
                (made.as_str() != Some(&text)).then_some(LossKind::Normalised)
            }
            Via::Whole => (whole(&text).map(|n| n.to_string()).as_ref() != Some(&text))
                .then_some(LossKind::Normalised),
            _ => None,
        };
        if let Some(kind) = kind {
            self.note(kind, ours, &text);
        }
        self.theirs.put(theirs, made);
        self.said(ours, theirs);
    }

    fn unit_to_api(&mut self, ours: &str, theirs: &str, table: &str, text: &str) -> Option<Value> {
        let Some(meant) = self.context.units.get(text).cloned() else {
            return self.code_to_api(ours, table, text).map(Value::from);
        };
        let (word, _) = codes::theirs(table, &meant)?;
        self.note(LossKind::Dropped, ours, text);
        self.note(LossKind::Inferred, theirs, word);
        Some(word.into())
    }

    fn code_to_api(&mut self, ours: &str, table: &str, word: &str) -> Option<&'a str> {
        if let Some(name) = self.value_added(table).filter(|_| word == VALUE_ADDED) {
            return Some(name);
        }
        let (theirs, same) = codes::theirs(table, word)?;
        if !same {
            self.note(LossKind::Dropped, ours, word);
        }
        Some(theirs)
    }

    /// What the site calls its tax on value, if it has a name of its own.
    fn value_added(&self, table: &str) -> Option<&'a str> {
        let name = self.context.site.value_added.as_deref();
        name.filter(|_| table == TAX)
    }

    /// Takes one value over. What cannot go stays where it is, and is told at the end.
    pub(super) fn back(&mut self, ours: &str, theirs: &str, via: Via) {
        let Some(text) = self.theirs.text(theirs) else {
            return;
        };
        if self.ours.has(ours) {
            return;
        }
        let made: Option<Value> = match via {
            Via::Date => self
                .day_from_api(ours, theirs, &text)
                .then_some(Value::Null),
            Via::Moment => self
                .moment_from_api(ours, theirs, &text)
                .then_some(Value::Null),
            Via::Interval => self
                .interval_from_api(ours, theirs, &text)
                .then_some(Value::Null),
            Via::Whole | Via::Decimal => plain(&text).map(Value::from),
            Via::Count => whole(&text)
                .and_then(|number| u32::try_from(number).ok())
                .map(Value::from),
            Via::Code(table) | Via::Unit(table) => {
                let own = self.value_added(table).filter(|name| *name == text);
                let word = own.map(|_| (VALUE_ADDED, true));
                word.or_else(|| codes::ours(table, &text))
                    .map(|(word, exact)| {
                        if !exact {
                            self.note(LossKind::Normalised, theirs, &text);
                        }
                        word.into()
                    })
            }
            Via::Text | Via::Cut(_) => Some(text.trim().into()),
        };
        let Some(made) = made else { return };
        if !made.is_null() {
            let coded = matches!(via, Via::Code(_) | Via::Unit(_) | Via::Count);
            if !coded && made.as_str() != Some(&text) {
                self.note(LossKind::Normalised, theirs, &text);
            }
            self.means(ours, made, theirs);
        }
        self.theirs.take(theirs);
    }
}

/// `lines[].ids[]` at 2, 0: `lines[2].ids[0]`.
pub(super) fn at(pattern: &str, place: &[usize]) -> String {
    let mut path = String::with_capacity(pattern.len() + 4 * place.len());
    let mut place = place.iter();
    for (n, part) in pattern.split("[]").enumerate() {
        if n > 0 {
            let index = place.next().copied().unwrap_or_default();
            path.push_str(&format!("[{index}]"));
        }
        path.push_str(part);
    }
    path
}

/// Where the lists of a pattern lead: one empty place where it has none.
pub(super) fn places(tree: &Tree, pattern: &str) -> Vec<Vec<usize>> {
    let parts: Vec<&str> = pattern.split("[]").collect();
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for depth in 1..parts.len() {
        let list = parts[..depth].join("[]");
        found = found
            .into_iter()
            .flat_map(|place| {
                let items = tree.len(&at(&list, &place));
                (0..items).map(move |n| [place.as_slice(), &[n]].concat())
            })
            .collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_index_for_each_list() {
        let mut tree = Tree::default();
        tree.put("a[1].b[0].c", "x");
        assert_eq!(places(&tree, "a[].b[].c"), [vec![1, 0]]);
        assert_eq!(at("a[].b[].c", &[1, 0]), "a[1].b[0].c");
    }
}
