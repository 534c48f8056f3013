//! Exact comparison: what went over and came back is what it was, leaf by leaf and path by path; and
//! every leaf that is not, or that one side alone says, has its row in a report, with its path and
//! its value.
//!
//! A moment (a date with a time and a zone) is one leaf. The items of a list may move up where one
//! before them was dropped; then all of an item moves together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use transload::bridge::spapi::operation::{Incoming, Request};
use transload::bridge::spapi::{Loss, LossKind, Trace};

use LossKind::{Dropped, Inferred, Normalised, Refused, Split, Synthesised, Truncated};

type Leaves = BTreeMap<String, String>;

/// Every leaf of a value, by its path.
pub(super) fn leaves(value: &Value) -> Leaves {
    let mut found = Leaves::new();
    walk(value, String::new(), &mut found);
    found.retain(|path, _| !path.starts_with("provenance") && path != "document");
    found
}

fn walk(value: &Value, path: String, found: &mut Leaves) {
    match value {
        Value::Object(map) => {
            let is = |key: &str| ["date", "time", "zone"].contains(&key);
            if map.contains_key("date") && map.keys().all(|key| is(key)) {
                let part = |name: &str| map.get(name).and_then(Value::as_str);
                let parts: Vec<&str> = ["date", "time", "zone"]
                    .into_iter()
                    .filter_map(part)
                    .collect();
                found.insert(path, parts.join(" "));
                return;
            }
            for (key, item) in map {
                let path = match path.as_str() {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                walk(item, path, found);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{n}]"), found);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            found.insert(path, text.clone());
        }
        other => {
            found.insert(path, other.to_string());
        }
    }
}

/// One way of a translation: what it was made of, what it made, what it says of itself.
pub(super) struct Leg {
    from: Leaves,
    to: Leaves,
    losses: Vec<Loss>,
    /// Place of the source → places of the target that say the same.
    links: BTreeMap<String, BTreeSet<String>>,
}

impl Leg {
    /// A document that became a request of one record.
    pub(super) fn to_api(document: &Value, record: &Value, request: &Request) -> Leg {
        let ends = |trace: &Trace| (trace.ours.clone(), trace.theirs.clone());
        Leg::new(
            document,
            record,
            &request.losses,
            request.traces.iter().map(ends),
        )
    }

    /// A record that became a document.
    pub(super) fn from_api(record: &Value, incoming: &Incoming) -> Leg {
        let ends = |trace: &Trace| (trace.theirs.clone(), trace.ours.clone());
        let document = serde_json::to_value(&incoming.document).unwrap();
        let traces = incoming.traces.iter().map(ends);
        Leg::new(record, &document, &incoming.losses, traces)
    }

    fn new(
        from: &Value,
        to: &Value,
        losses: &[Loss],
        traces: impl Iterator<Item = (String, String)>,
    ) -> Leg {
        let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in traces {
            links.entry(from).or_default().insert(to);
        }
        Leg {
            from: leaves(from),
            to: leaves(to),
            losses: losses.to_vec(),
            links,
        }
    }

    /// Whether a row of one of these kinds says this of this place.
    fn says(&self, kinds: &[LossKind], path: &str, value: &str) -> bool {
        let is = |loss: &&Loss| kinds.contains(&loss.kind) && loss.path == path;
        self.losses
            .iter()
            .filter(is)
            .any(|loss| loss.value == value)
    }

    fn split_below(&self, path: &str) -> bool {
        let split = |loss: &&Loss| loss.kind == Split;
        self.losses
            .iter()
            .filter(split)
            .any(|loss| below(&loss.path, path))
    }

    /// Places of the source by those of the target.
    fn back(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut back: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, all) in &self.links {
            for to in all {
                back.entry(to).or_default().insert(from);
            }
        }
        back
    }

    /// What is wrong with one way: a leaf that comes of nowhere, one that goes nowhere, one that
    /// does not say what it comes of, a row of a leaf that is not there.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let back = self.back();
        for (path, value) in &self.to {
            let sources = back.get(path.as_str()).cloned().unwrap_or_default();
            if self.says(&[Inferred, Synthesised], path, value) {
                continue;
            }
            let said: Vec<&String> = sources.iter().filter_map(|p| self.from.get(*p)).collect();
            if sources.is_empty() {
                wrong.push(format!("of nowhere: {path} = {value}"));
            } else if !said.is_empty() && !said.iter().any(|text| related(path, text, value)) {
                wrong.push(format!("{path} = {value} is not {said:?}"));
            }
        }
        let lost = [Dropped, Truncated, Normalised, Split, Refused];
        for (path, value) in &self.from {
            let gone = self
                .links
                .get(path)
                .is_none_or(|all| !all.iter().any(|to| to.is_empty() || self.stands(to)));
            if gone && !self.says(&lost, path, value) {
                wrong.push(format!("to nowhere: {path} = {value}"));
            }
        }
        for loss in &self.losses {
            let there = match loss.kind {
                Inferred | Synthesised => &self.to,
                Split if self.from.keys().all(|path| !below(path, &loss.path)) => continue,
                _ => &self.from,
            };
            // Something that is not there at all may be why it is refused.
            let missing = loss.kind == Refused && loss.value.is_empty();
            if there.get(&loss.path) != Some(&loss.value) && !missing {
                wrong.push(format!("no such leaf: {loss}"));
            }
        }
        wrong
    }

    fn stands(&self, to: &str) -> bool {
        self.to.keys().any(|path| below(path, to))
    }
}

/// Whether two leaves may say the same: the same text, number or time; a word and its code; a part
/// of a text, or a sequence that stands for a level.
fn related(path: &str, a: &str, b: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let day = |text: &str| {
        text.get(..10)
            .and_then(|day| day.parse::<chrono::NaiveDate>().ok())
    };
    let sequence = ["equenceNumber", "itemReference", "cartonReferenceNumbers"];
    let near = day(a).zip(day(b));
    a.trim() == b.trim()
        || number(a).is_some() && number(a) == number(b)
        || near.is_some_and(|(a, b)| (a - b).num_days().abs() <= 1)
        || words().contains(&(a.to_lowercase(), b.to_lowercase()))
        || words().contains(&(b.to_lowercase(), a.to_lowercase()))
        || a.contains(b.trim())
        || b.contains(a.trim())
        || sequence.iter().any(|name| path.contains(name))
        || path.contains("packedItems") && path.ends_with("Identifier")
        || number(a).is_some() && number(b).is_some() && path.contains("hippedQuantity")
        // One mark of a range.
        || a.len() == b.len() && a.len() > 4 && a.get(..a.len() - 4) == b.get(..a.len() - 4)
        || IMPLIED.iter().any(|name| path.ends_with(name))
}

/// Leaves that a place implies rather than says: whose numbering, what kind of thing, how many, yes or
/// no.
const IMPLIED: [&str; 25] = [
    ".isBackOrderAllowed",
    ".requirement",
    ".containerType",
    ".cartonCount",
    "lading[0].count",
    "hipmentStatus",
    "transaction",
    "reason",
    ".status",
    "Status.code",
    "additionalDetails[0].detail",
    ".qualifier",
    ".level",
    ".role",
    ".function",
    ".kind",
    ".packaging",
    ".stackable",
    ".basis",
    ".characteristic",
    ".form",
    ".text",
    "_qualifier",
    "shipments[0].unit",
    "additionalDetails[0].type",
];

/// The committed code tables, as pairs of theirs and ours.
fn words() -> &'static BTreeSet<(String, String)> {
    static WORDS: std::sync::OnceLock<BTreeSet<(String, String)>> = std::sync::OnceLock::new();
    WORDS.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/codes/spapi.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let tables: BTreeMap<String, BTreeMap<String, Vec<String>>> =
            toml::from_str(&text).unwrap();
        let mut pairs = BTreeSet::new();
        for (theirs, ours) in tables.values().flatten() {
            // Of two words in one (`Road/TruckLoad`) each is one.
            for part in theirs.split('/').chain([theirs.as_str()]) {
                for word in ours {
                    pairs.insert((part.to_lowercase(), word.to_lowercase()));
                }
            }
        }
        pairs
    })
}

fn below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

pub(super) fn pattern(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            inside = *c == '[' || inside && *c != ']';
            !inside || *c == '['
        })
        .collect()
}

/// The items of lists that a path leads through: `a[1]`, `a[1].b[0]` of `a[1].b[0].c`.
fn items(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices(']').map(|(end, _)| &path[..=end])
}

/// What came back against what went: everything that no row explains.
pub(super) fn unexplained(there: &Leg, back: &Leg) -> Vec<String> {
    let (before, after) = (&there.from, &back.to);
    let (origins, middles) = (there.back(), back.back());
    let sources = |path: &str| -> BTreeSet<&str> {
        let middle = middles.get(path).into_iter().flatten();
        let all = middle.flat_map(|q| origins.get(q).into_iter().flatten().copied());
        all.filter(|path| before.contains_key(*path)).collect()
    };
    let mut wrong = Vec::new();
    let aligned = align(there, back, &sources, &mut wrong);
    let mut carried: BTreeSet<&str> = BTreeSet::new();
    for (path, value) in after {
        let same = pattern(path);
        let mut twins: Vec<&str> = sources(path)
            .into_iter()
            .filter(|one| pattern(one) == same)
            .collect();
        let fits = |one: &&str| {
            let pairs = items(path).zip(items(one));
            let off = |(new, old): (&str, &str)| aligned.get(new).is_some_and(|a| a != old);
            !pairs.into_iter().any(off)
        };
        if twins.iter().any(&fits) {
            twins.retain(fits);
        }
        if let Some(twin) = twins.iter().find(|one| before[**one] == *value) {
            carried.insert(twin);
            continue;
        }
        let added = back.says(&[Inferred, Synthesised], path, value);
        let made = |q: &&str| {
            let text = there.to.get(*q);
            text.is_some_and(|text| there.says(&[Inferred, Synthesised], q, text))
        };
        let mut middle = middles.get(path.as_str()).into_iter().flatten();
        let lost = [Dropped, Truncated, Normalised, Split, Refused];
        let told = |one: &&str| there.says(&lost, one, &before[*one]);
        let changed = !twins.is_empty() && twins.iter().all(&told);
        let origin = sources(path);
        let split = !origin.is_empty() && origin.iter().all(told);
        if added || changed || split || middle.any(made) {
            if added {
                carried.extend(twins);
            }
            continue;
        }
        if before.get(path) != Some(value) {
            wrong.push(format!("new {path} = {value}"));
        }
    }
    for (path, value) in before {
        let lost = [Dropped, Truncated, Normalised, Split, Refused];
        if carried.contains(path.as_str()) || there.says(&lost, path, value) {
            continue;
        }
        let mut middle = there.links.get(path).into_iter().flatten();
        let dropped = middle.any(|q| {
            let text = back.from.get(q);
            text.is_some_and(|text| back.says(&lost, q, text))
        });
        if !dropped && after.get(path) != Some(value) {
            wrong.push(format!("gone {path} = {value}"));
        }
    }
    wrong
}

/// Which item of the first each item of the second is.
fn align<'a>(
    there: &Leg,
    back: &'a Leg,
    sources: &dyn Fn(&str) -> BTreeSet<&'a str>,
    wrong: &mut Vec<String>,
) -> BTreeMap<String, String>
where
{
    let mut options: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in back.to.keys() {
        let same = pattern(path);
        let twins: Vec<&str> = sources(path)
            .into_iter()
            .filter(|one| pattern(one) == same)
            .collect();
        for (depth, item) in items(path).enumerate() {
            let here: BTreeSet<String> = twins
                .iter()
                .filter_map(|one| items(one).nth(depth).map(str::to_owned))
                .collect();
            if here.is_empty() {
                continue;
            }
            let both = match options.get(item) {
                Some(before) => before.intersection(&here).cloned().collect(),
                None => here.clone(),
            };
            if both.is_empty() {
                let split = here
                    .iter()
                    .chain(&options[item])
                    .any(|old| there.split_below(old))
                    || back.split_below(item);
                if !split {
                    wrong.push(format!(
                        "{item} is of {:?} and {here:?}: {path}",
                        options[item]
                    ));
                }
                continue;
            }
            options.insert(item, both);
        }
    }
    let mut aligned = BTreeMap::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut all: Vec<_> = options.into_iter().collect();
    all.sort_by_key(|(item, options)| (items(item).count(), options.len()));
    for (item, options) in all {
        let free = options.iter().find(|old| !taken.contains_key(*old));
        let Some(old) = free.or(options.first()) else {
            continue;
        };
        if let Some(other) = taken.insert(old.clone(), item) {
            let split = there.split_below(old) || back.split_below(item) || back.split_below(other);
            if !split {
                wrong.push(format!("{item} and {other} are both of {old}"));
            }
        }
        aligned.insert(item.to_owned(), old.clone());
    }
    aligned
}

/// Losses that the committed list does not have.
pub(super) fn unlisted(losses: &[Loss]) -> Vec<String> {
    let strangers = losses.iter().filter(|loss| loss.cites.is_empty());
    strangers
        .map(|loss| format!("{} {} = {:?}", loss.kind.as_str(), loss.path, loss.value))
        .collect()
}
