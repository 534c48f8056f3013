//! A JSON value by paths such as `lines[2].price.amount`: leaves are put in and taken out.
//!
//! A map takes what it can say out of one tree and puts it into the other; what is left over in the
//! first is what was lost. So no leaf can be forgotten.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A tree of named and numbered places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree(pub(super) Value);

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.')
        .filter(|part| !part.is_empty())
        .flat_map(|part| {
            let (name, indexes) = part.split_once('[').unwrap_or((part, ""));
            let indexes = indexes
                .split('[')
                .filter_map(|index| index.trim_end_matches(']').parse().ok().map(Step::Index));
            Some(Step::Name(name)).into_iter().chain(indexes)
        })
}

impl Tree {
    /// What stands at a path.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        steps(path).try_fold(&self.0, |at, step| match step {
            Step::Name(name) => at.get(name),
            Step::Index(index) => at.get(index),
        })
    }

    /// The text of a leaf.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        leaf(self.get(path)?)
    }

    /// Whether anything stands at or below a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.get(path).is_some_and(filled)
    }

    /// How many items a list has.
    pub(super) fn len(&self, path: &str) -> usize {
        self.get(path).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Takes a leaf out.
    pub(super) fn take(&mut self, path: &str) -> Option<String> {
        let at = steps(path).try_fold(&mut self.0, |at, step| match step {
            Step::Name(name) => at.get_mut(name),
            Step::Index(index) => at.get_mut(index),
        })?;
        let text = leaf(at)?;
        *at = Value::Null;
        Some(text)
    }

    /// Takes a leaf out if it is `text`.
    pub(super) fn take_if(&mut self, path: &str, text: &str) -> bool {
        self.text(path).as_deref() == Some(text) && self.take(path).is_some()
    }

    /// Takes out all at and below a path.
    pub(super) fn clear(&mut self, path: &str) {
        let at = steps(path).try_fold(&mut self.0, |at, step| match step {
            Step::Name(name) => at.get_mut(name),
            Step::Index(index) => at.get_mut(index),
        });
        if let Some(at) = at {
            *at = Value::Null;
        }
    }

    /// Puts a value at a path; what is on the way to it is made.
    pub(super) fn put(&mut self, path: &str, value: impl Into<Value>) {
        let mut at = &mut self.0;
        for step in steps(path) {
            at = match step {
                Step::Name(name) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    &mut at[name]
                }
                Step::Index(index) => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    if let Some(items) = at.as_array_mut() {
                        items.resize(items.len().max(index + 1), Value::Null);
                    }
                    &mut at[index]
                }
            };
        }
        *at = value.into();
    }

    /// Every leaf with its path, in order.
    pub(super) fn leaves(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        walk(&self.0, String::new(), &mut found);
        found
    }

    /// Leaves out what is empty. An array that was put empty stays. Says which items moved up.
    pub(super) fn compact(&mut self) -> Renumbered {
        let mut moved = Renumbered::default();
        prune(&mut self.0, "", &mut moved);
        if self.0.is_null() {
            self.0 = Value::Object(Map::new());
        }
        moved
    }
}

/// Items of lists that moved up: their old path, and their new place.
#[derive(Debug, Default)]
pub(super) struct Renumbered(BTreeMap<String, usize>);

impl Renumbered {
    /// The path of the same place now.
    pub(super) fn path(&self, old: &str) -> String {
        let (mut before, mut now) = (String::new(), String::new());
        for part in old.split_inclusive(']') {
            before.push_str(part);
            match (self.0.get(&before), part.rfind('[')) {
                (Some(index), Some(at)) => {
                    now.push_str(&part[..at]);
                    now.push_str(&format!("[{index}]"));
                }
                _ => now.push_str(part),
            }
        }
        now
    }
}

/// A moment of ours is one value, of a date, and perhaps a time and a zone.
fn moment(value: &Value) -> Option<String> {
    let map = value.as_object()?;
    let parts = ["date", "time", "zone"].map(|name| map.get(name).and_then(Value::as_str));
    let said: Vec<&str> = parts.iter().flatten().copied().collect();
    let set = map.values().filter(|value| !value.is_null()).count();
    (parts[0].is_some() && said.len() == set).then(|| said.join(" "))
}

fn leaf(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        value => moment(value),
    }
}

fn filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(filled),
        Value::Object(map) => map.values().any(filled),
        _ => true,
    }
}

fn walk(value: &Value, path: String, found: &mut Vec<(String, String)>) {
    if let Some(text) = leaf(value) {
        return found.push((path, text));
    }
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{n}]"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let path = match path.as_str() {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                walk(item, path, found);
            }
        }
        _ => {}
    }
}

fn prune(value: &mut Value, path: &str, moved: &mut Renumbered) {
    match value {
        Value::Array(items) => {
            let mut kept = 0;
            for (n, item) in items.iter_mut().enumerate() {
                let path = format!("{path}[{n}]");
                prune(item, &path, moved);
                if filled(item) {
                    if kept != n {
                        moved.0.insert(path, kept);
                    }
                    kept += 1;
                }
            }
            items.retain(filled);
        }
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                prune(item, &path, moved);
            }
            map.retain(|_, item| filled(item) || matches!(item, Value::Array(_)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_once_and_the_rest_is_left() {
        let mut tree = Tree::default();
        tree.put("lines[1].price.amount", "9.95");
        tree.put("lines[1].number", 7);
        assert_eq!(tree.take("lines[1].price.amount").as_deref(), Some("9.95"));
        assert_eq!(tree.take("lines[1].price.amount"), None);
        assert_eq!(tree.leaves(), [("lines[1].number".into(), "7".into())]);
        let moved = tree.compact();
        assert_eq!(tree.0.to_string(), r#"{"lines":[{"number":7}]}"#);
        assert_eq!(moved.path("lines[1].number"), "lines[0].number");
        assert_eq!(moved.path("other[1].number"), "other[1].number");
    }
}
