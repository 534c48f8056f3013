//! Two documents that should be one: leaf by leaf, and what differs must be in a loss report.

use std::collections::BTreeSet;

use serde_json::Value;
use transload::bridge::spapi::{Loss, LossKind};

/// A leaf: its path, in which only the numbers of lines, items and levels stand, and its value.
type Leaf = (String, String);

/// Lists in which both sides keep the order.
///
/// Not levels: how deep they are counts, and what stands in them.
const ORDERED: [&str; 4] = ["lines", "items", "acknowledgments", "itemAcknowledgements"];

/// Every leaf of a value; of equal ones each.
pub(super) fn leaves(value: &Value) -> Vec<Leaf> {
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found.retain(|(path, _)| !path.starts_with("provenance") && path != "document");
    found.sort();
    found
}

/// Whether a list keeps its order.
fn ordered(name: &str, path: &str) -> bool {
    ORDERED.contains(&name) && !path.contains("cartons") && !path.contains("pallets")
}

fn walk(value: &Value, path: String, found: &mut Vec<Leaf>) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                let path = match path.as_str() {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                walk(item, path, found);
            }
        }
        Value::Array(items) => {
            let name = path.rsplit('.').next().unwrap_or_default().to_owned();
            for (n, item) in items.iter().enumerate() {
                let path = match ordered(&name, &path) {
                    true => format!("{path}[{n}]"),
                    false => path.clone(),
                };
                walk(item, path, found);
            }
        }
        Value::Null => {}
        Value::String(text) => found.push((path, same(text))),
        other => found.push((path, same(&other.to_string()))),
    }
}

/// One spelling of numbers and instants.
fn same(text: &str) -> String {
    if let Ok(instant) = chrono::DateTime::parse_from_rfc3339(text) {
        return instant.to_utc().to_rfc3339();
    }
    if let Some((from, to)) = text.split_once("--") {
        return format!("{}--{}", same(from), same(to));
    }
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    match (plain, text.contains('.')) {
        (true, true) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ => text.trim().to_owned(),
    }
}

/// A loss's path as that of a leaf.
fn path_of(loss: &Loss) -> String {
    let mut path = String::new();
    for part in loss.path.split('.') {
        let name = part.split('[').next().unwrap_or(part);
        if !path.is_empty() {
            path.push('.');
        }
        let keeps = ordered(name, &path);
        path.push_str(if keeps { part } else { name });
    }
    path
}

fn below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What differs between a document that went over and came back, and is in neither report.
pub(super) fn unexplained(
    before: &Value,
    after: &Value,
    there: &[Loss],
    back: &[Loss],
) -> Vec<String> {
    use LossKind::{Dropped, Inferred, Refused, Split, Synthesised, Truncated};
    // A stock report leaves out lines of which nothing is for sale, and then others move up.
    let moves = before["document"] == "inventory_advice";
    let place = |path: String| if moves { without_indexes(&path) } else { path };
    let of = |losses: &[Loss], kinds: &[LossKind]| -> BTreeSet<Leaf> {
        let some = losses.iter().filter(|loss| kinds.contains(&loss.kind));
        some.map(|loss| (place(path_of(loss)), same(&loss.value)))
            .collect()
    };
    let leaves = |value: &Value| -> Vec<Leaf> {
        let mut all: Vec<Leaf> = leaves(value)
            .into_iter()
            .map(|(path, text)| (place(path), text))
            .collect();
        all.sort();
        all
    };
    let roots = |leaves: &BTreeSet<Leaf>| -> BTreeSet<String> {
        leaves.iter().map(|(path, _)| path.clone()).collect()
    };
    let lost = of(there, &[Dropped, Truncated, Split, Refused]);
    // Where a word went, the nearest one of the other side may come back.
    let cut = roots(&of(there, &[Truncated, Split, Dropped]));
    let made: BTreeSet<String> = of(there, &[Inferred, Synthesised])
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    // `each` comes of `Eaches`.
    let is_made = |value: &String| {
        let word = value.to_lowercase();
        let long = word.len() > 3;
        made.contains(value) || long && made.iter().any(|one| one.to_lowercase().starts_with(&word))
    };
    let replaced = roots(&of(back, &[Inferred]));
    let added = roots(&of(back, &[Inferred, Synthesised]));
    let under = |roots: &BTreeSet<String>, path: &str| roots.iter().any(|root| below(path, root));
    let (gone, new) = differ(leaves(before), leaves(after));
    let gone = gone
        .into_iter()
        .filter(|leaf| !lost.contains(leaf) && !under(&replaced, &leaf.0));
    let new = new
        .into_iter()
        .filter(|(path, value)| !under(&added, path) && !is_made(value) && !cut.contains(path));
    gone.map(|(path, value)| format!("gone {path} = {value}"))
        .chain(new.map(|(path, value)| format!("new {path} = {value}")))
        .collect()
}

fn without_indexes(path: &str) -> String {
    let steps = path
        .split('.')
        .map(|step| step.split('[').next().unwrap_or(step));
    steps.collect::<Vec<_>>().join(".")
}

/// Of two sorted lists what only the first has, and what only the second has.
fn differ(before: Vec<Leaf>, after: Vec<Leaf>) -> (Vec<Leaf>, Vec<Leaf>) {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    let mut after = after.into_iter().peekable();
    for leaf in before {
        while let Some(other) = after.next_if(|other| *other < leaf) {
            new.push(other);
        }
        if after.next_if_eq(&leaf).is_none() {
            gone.push(leaf);
        }
    }
    new.extend(after);
    (gone, new)
}

/// Losses that the committed list does not have.
pub(super) fn unlisted(losses: &[Loss]) -> Vec<String> {
    let strangers = losses.iter().filter(|loss| loss.cites.is_empty());
    strangers
        .map(|loss| format!("{} {} = {:?}", loss.kind.as_str(), loss.path, loss.value))
        .collect()
}
