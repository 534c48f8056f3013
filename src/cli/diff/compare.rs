//! Two documents, field by field: what stands in one and not in the other.
//!
//! Items of a list are matched first where they are equal, then by their ids, by their number, by
//! what they say they are, and last by their order. A decimal is its value: `10` is `10.00`.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

/// One difference.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// Where, as `lines[1].quantity.value`: an index is the new document's, or the old one's where
    /// the new has no such item.
    pub(super) path: String,
    /// The items of lists that it is in, in words.
    #[serde(rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub(super) within: Vec<String>,
    /// The field inside of those, in words.
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<Value>,
}

/// What differs between two values.
pub(super) fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut walk = Walk::default();
    walk.values(Some(old), Some(new));
    walk.changes
}

/// Where the comparison is, and what it found.
#[derive(Default)]
struct Walk {
    path: String,
    within: Vec<String>,
    name: String,
    changes: Vec<Change>,
}

impl Walk {
    fn values(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(Value::Object(_)) | None, Some(Value::Object(_)))
            | (Some(Value::Object(_)), None) => self.fields(old, new),
            (Some(Value::Array(_)) | None, Some(Value::Array(_)))
            | (Some(Value::Array(_)), None) => self.items(list(old), list(new)),
            (Some(old), Some(new)) if is_same(old, new) => {}
            _ => self.tell(old, new),
        }
    }

    fn tell(&mut self, old: Option<&Value>, new: Option<&Value>) {
        self.changes.push(Change {
            path: self.path.clone(),
            within: self.within.clone(),
            name: self.name.clone(),
            old: old.cloned(),
            new: new.cloned(),
        });
    }

    /// The fields of two records, in the order of the old one, then those that are new.
    fn fields(&mut self, old: Option<&Value>, new: Option<&Value>) {
        let fields = |record: Option<&Value>| {
            let fields = record.and_then(Value::as_object);
            let names = fields.into_iter().flat_map(|fields| fields.keys().cloned());
            names.collect::<Vec<String>>()
        };
        let mut names = fields(old);
        let known = names.clone();
        names.extend(fields(new).into_iter().filter(|name| !known.contains(name)));
        for name in names {
            let (path, words) = (self.path.len(), self.name.len());
            if path > 0 {
                self.path.push('.');
            }
            self.path += &name;
            if words > 0 {
                self.name.push(' ');
            }
            self.name += &name.replace('_', " ");
            let (old, new) = (
                old.and_then(|r| r.get(&name)),
                new.and_then(|r| r.get(&name)),
            );
            self.values(old, new);
            self.path.truncate(path);
            self.name.truncate(words);
        }
    }

    /// The items of two lists.
    fn items(&mut self, old: &[Value], new: &[Value]) {
        let pairs = matched(old, new);
        let mut taken = vec![false; old.len()];
        for (at, pair) in pairs.iter().enumerate() {
            if let Some(from) = *pair {
                taken[from] = true;
                self.item(at, Some(&old[from]), Some(&new[at]));
            }
        }
        for (at, item) in old.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            self.item(at, Some(item), None);
        }
        for (at, item) in new
            .iter()
            .enumerate()
            .filter(|(at, _)| pairs[*at].is_none())
        {
            self.item(at, None, Some(item));
        }
    }

    /// One item: what differs in it, or that it is in one list only.
    fn item(&mut self, at: usize, old: Option<&Value>, new: Option<&Value>) {
        let Some(item) = new.or(old) else { return };
        let length = self.path.len();
        self.path += &format!("[{at}]");
        match (old, new) {
            (Some(one), Some(other)) if item.is_object() => {
                let label = label(&self.name, item, at);
                let name = std::mem::take(&mut self.name);
                self.within.push(label);
                self.values(Some(one), Some(other));
                self.within.pop();
                self.name = name;
            }
            (Some(one), Some(other)) => self.values(Some(one), Some(other)),
            _ if item.is_object() => {
                let label = label(&self.name, item, at);
                let name = std::mem::replace(&mut self.name, label);
                self.tell(old, new);
                self.name = name;
            }
            _ => self.tell(old, new),
        }
        self.path.truncate(length);
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether two leaves say the same.
fn is_same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::String(old), Value::String(new)) => old == new || decimal(old) == decimal(new),
        _ => old == new,
    }
}

/// A number without the zeros behind its point; other text as it is. Zeros in front count: `007`
/// may be an id.
fn decimal(text: &str) -> &str {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match digits.split_once('.') {
        Some((whole, parts)) if plain && !whole.is_empty() && !parts.contains('.') => {
            text.trim_end_matches('0').trim_end_matches('.')
        }
        _ => text,
    }
}

/// For each new item the old one that it is, if any.
fn matched(old: &[Value], new: &[Value]) -> Vec<Option<usize>> {
    /// By what items are known, the surest first.
    const PASSES: [fn(&Value) -> Vec<String>; 6] = [
        |item| vec![item.to_string()],
        |item| {
            ids(item)
                .iter()
                .map(|id| format!("{id} {}", text(item, "number")))
                .collect()
        },
        ids,
        |item| some(text(item, "number")),
        |item| some(format!("{}\0{}", kind(item), text(item, "id"))),
        |item| some(kind(item)),
    ];
    let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    for keys in PASSES {
        let mut by_key: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, item) in old.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            for key in keys(item) {
                by_key.entry(key).or_default().push_back(at);
            }
        }
        for (at, item) in new.iter().enumerate() {
            if pairs[at].is_some() {
                continue;
            }
            let found = keys(item).iter().find_map(|key| {
                let all = by_key.get_mut(key)?;
                std::iter::from_fn(|| all.pop_front()).find(|from| !taken[*from])
            });
            if let Some(from) = found {
                taken[from] = true;
                pairs[at] = found;
            }
        }
    }
    // What has no name of its own is known by its order.
    let nameless = |item: &Value| ids(item).is_empty() && text(item, "number").is_empty();
    let mut rest = (0..old.len()).filter(|&at| !taken[at] && nameless(&old[at]));
    for (at, pair) in pairs.iter_mut().enumerate() {
        if pair.is_none() && nameless(&new[at]) {
            *pair = rest.next();
        }
    }
    pairs
}

fn some(key: String) -> Vec<String> {
    match key.trim_matches('\0').is_empty() {
        true => Vec::new(),
        false => vec![key],
    }
}

fn text(item: &Value, field: &str) -> String {
    item.get(field).map_or(String::new(), plain)
}

/// A leaf as it is read by people.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What an item says it is: its role, kind or qualifier.
fn kind(item: &Value) -> String {
    const NAMES: [&str; 6] = ["role", "level", "qualifier", "kind", "reason", "code"];
    let mut names = NAMES.iter().map(|name| text(item, name));
    names.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The ids of an item: of what is ordered or shipped, the marks of a package, the order that a
/// level is of.
fn ids(item: &Value) -> Vec<String> {
    let shipped = item.get("item");
    let own = |of: &Value, list: &str| list_of(of, list);
    let mut all: Vec<String> = own(item, "ids");
    all.extend(shipped.into_iter().flat_map(|item| own(item, "ids")));
    for marks in item
        .get("marks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let ranges = marks.get("ranges").and_then(Value::as_array);
        let first = ranges
            .into_iter()
            .flatten()
            .map(|range| format!("{} {}", text(range, "qualifier"), text(range, "first")));
        all.extend(first);
    }
    let order = item
        .get("order")
        .map_or(String::new(), |order| text(order, "number"));
    if !order.is_empty() {
        all.push(format!("order {order}"));
    }
    all
}

fn list_of(item: &Value, list: &str) -> Vec<String> {
    let ids = item.get(list).and_then(Value::as_array);
    let ids = ids.into_iter().flatten();
    ids.map(|id| format!("{} {}", text(id, "qualifier"), text(id, "id")))
        .collect()
}

/// An item of a list in words: `line 2, upc 012345678905`.
fn label(list: &str, item: &Value, at: usize) -> String {
    let one = list.strip_suffix('s').unwrap_or(list);
    let (number, kind) = (text(item, "number"), kind(item));
    let mut label = match (number.is_empty(), kind.is_empty()) {
        (false, _) => format!("{one} {number}"),
        (true, false) => format!("{one} {kind}"),
        (true, true) => format!("{one} {}", at + 1),
    };
    if let Some(id) = ids(item).first() {
        label += &format!(", {}", id.replace('_', " "));
    }
    label
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: Value, new: Value) -> Vec<String> {
        let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), plain);
        let changes = compare(&old, &new).into_iter();
        changes
            .map(|c| format!("{}: {} > {}", c.path, shown(&c.old), shown(&c.new)))
            .collect()
    }

    #[test]
    fn fields_are_told_by_their_path() {
        let old = json!({"number": "1", "ship_to": {"city": "Ashby"}, "total": "10.00"});
        let new = json!({"number": "1", "ship_to": {"city": "Bray"}, "total": "10", "deal": "X"});
        assert_eq!(
            told(old, new),
            ["ship_to.city: Ashby > Bray", "deal: - > X"]
        );
    }

    #[test]
    fn lines_are_matched_by_item_and_then_by_number() {
        let line = |number: &str, id: &str, quantity: &str| {
            json!({"number": number, "quantity": {"value": quantity},
                "ids": [{"qualifier": "upc", "id": id}]})
        };
        let old = json!({"lines": [line("1", "A", "5"), line("2", "B", "6")]});
        let new = json!({"lines": [line("1", "B", "7"), line("2", "A", "5")]});
        assert_eq!(
            told(old.clone(), new),
            [
                "lines[0].number: 2 > 1",
                "lines[0].quantity.value: 6 > 7",
                "lines[1].number: 1 > 2"
            ]
        );
        let new = json!({"lines": [line("2", "C", "6"), line("1", "A", "5")]});
        assert_eq!(told(old, new), ["lines[0].ids[0].id: B > C"]);
    }

    #[test]
    fn ids_with_zeros_in_front_are_not_numbers() {
        assert_eq!(told(json!({"id": "007"}), json!({"id": "7"})).len(), 1);
        assert_eq!(told(json!({"q": "7.50"}), json!({"q": "7.5"})).len(), 0);
        assert_eq!(told(json!({"q": "70"}), json!({"q": "7"})).len(), 1);
    }
}
