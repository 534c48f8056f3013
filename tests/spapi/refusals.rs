//! What must be refused of a document: said again here, by the tables of codes alone, so that the
//! maps are held to it row by row.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::leaves;

/// Place and value of everything that a person must decide about before it is sent.
pub(super) fn refusals(document: &Value, direct: bool) -> BTreeSet<(String, String)> {
    match (document["document"].as_str().unwrap(), direct) {
        ("purchase_order_acknowledgment", false) => answers(document),
        ("purchase_order_acknowledgment", true) => direct_answers(document),
        ("invoice", _) => invoice(document, direct),
        ("ship_notice", false) => notice(document),
        ("ship_notice", true) => direct_notice(document),
        ("routing_request", _) => not_one_of(document, "purpose", &known("routing_purpose")),
        _ => BTreeSet::new(),
    }
}

/// Our words of a table.
fn known(table: &str) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/codes/spapi.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        toml::from_str(&text).unwrap();
    tables
        .remove(table)
        .unwrap()
        .into_values()
        .flatten()
        .collect()
}

fn not_one_of(
    document: &Value,
    field: &str,
    known: &BTreeSet<String>,
) -> BTreeSet<(String, String)> {
    let said = document[field].as_str();
    said.filter(|word| !known.contains(*word))
        .map(|word| (field.to_owned(), word.to_owned()))
        .into_iter()
        .collect()
}

/// A word that the API has not; and an answer to the whole, since the order is not at hand.
fn answers(document: &Value) -> BTreeSet<(String, String)> {
    let lines = document["lines"].as_array().map_or(0, Vec::len);
    if lines == 0 {
        return not_one_of(document, "status", &BTreeSet::new());
    }
    let known = known("acknowledgment");
    leaves(document)
        .into_iter()
        .filter(|(path, word)| {
            path.split('.').count() == 3
                && path.contains("].acknowledgments[")
                && path.ends_with("].status")
                && !known.contains(word)
        })
        .collect()
}

/// Fill or kill: one code for all lines, the first that is known.
fn direct_answers(document: &Value) -> BTreeSet<(String, String)> {
    let known = known("direct_status");
    let mut first: Option<String> = None;
    let mut refused = BTreeSet::new();
    for (n, line) in document["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let answer = &line["acknowledgments"][0];
        let said = answer["status"].as_str().unwrap_or_default();
        let full = if said == "accepted" {
            "ships_in_full"
        } else {
            ""
        };
        let word = answer["reason"].as_str().unwrap_or(full).to_owned();
        let same = first.as_ref().is_none_or(|first| *first == word);
        if known.contains(&word) && same {
            first = Some(word);
        } else {
            let place = format!("lines[{n}].acknowledgments[0].status");
            refused.insert((place, said.to_owned()));
        }
    }
    refused
}

/// Levels in an order that the longest way down has not, and all but the first shipment.
fn notice(document: &Value) -> BTreeSet<(String, String)> {
    fn letter(level: &Value) -> Option<char> {
        let kinds = ["shipment", "order", "tare", "pack", "item"];
        let place = kinds.iter().position(|kind| level["level"] == *kind)?;
        "SOTPI".chars().nth(place)
    }
    fn children(level: &Value) -> impl Iterator<Item = &Value> {
        level["levels"].as_array().into_iter().flatten()
    }
    fn longest(level: &Value, above: &str) -> String {
        let own: String = above.chars().chain(letter(level)).collect();
        let below = children(level).map(|child| longest(child, &own));
        below.fold(
            own.clone(),
            |best, one| if one.len() > best.len() { one } else { best },
        )
    }
    fn within(some: &str, all: &str) -> bool {
        let mut all = all.chars();
        some.chars().all(|one| all.any(|other| one == other))
    }
    fn look(
        level: &Value,
        at: &str,
        above: &str,
        all: &str,
        found: &mut BTreeSet<(String, String)>,
    ) {
        for (n, child) in children(level).enumerate() {
            let at = format!("{at}.levels[{n}]");
            let own: String = above.chars().chain(letter(child)).collect();
            if letter(child).is_some() && within(&own, all) {
                look(child, &at, &own, all, found);
            } else {
                let word = child["level"].as_str().unwrap_or_default();
                found.insert((format!("{at}.level"), word.to_owned()));
            }
        }
    }
    let mut refused = not_one_of(document, "purpose", &known("confirmation"));
    let structures = [
        "SOTPI", "SOPI", "SOTI", "SOTIP", "SOIP", "STOI", "SPOI", "SOI", "OIP",
    ];
    for (n, level) in children(document).enumerate() {
        let word = level["level"].as_str().unwrap_or_default();
        if n > 0 || word != "shipment" {
            refused.insert((format!("levels[{n}].level"), word.to_owned()));
        }
    }
    let first = &document["levels"][0];
    if first["level"] == "shipment" {
        let all = children(document).map(|level| longest(level, ""));
        let longest = all.fold(String::new(), |best, one| {
            if one.len() > best.len() { one } else { best }
        });
        let all = structures
            .iter()
            .find(|all| within(&longest, all))
            .unwrap_or(&"SOTPI");
        look(first, "levels[0]", "S", all, &mut refused);
    }
    refused
}

/// All but one order of items, each with its package.
fn direct_notice(document: &Value) -> BTreeSet<(String, String)> {
    let mut refused = not_one_of(document, "purpose", &["original".into()].into());
    let mut wrong = |at: String, level: &Value| {
        let word = level["level"].as_str().unwrap_or_default();
        refused.insert((format!("{at}.level"), word.to_owned()));
    };
    let levels = |level: &Value| level["levels"].as_array().cloned().unwrap_or_default();
    for (n, order) in levels(document).iter().enumerate() {
        if n > 0 || order["level"] != "order" {
            wrong(format!("levels[{n}]"), order);
        }
        for (i, item) in levels(order).iter().enumerate().filter(|_| n == 0) {
            let at = format!("levels[0].levels[{i}]");
            if item["level"] != "item" {
                wrong(at, item);
                continue;
            }
            for (p, package) in levels(item).iter().enumerate() {
                if p > 0 || package["level"] != "pack" {
                    wrong(format!("{at}.levels[{p}]"), package);
                }
            }
        }
    }
    refused
}

/// A charge or an allowance of a code that no word stands for; a credit where none is taken.
fn invoice(document: &Value, direct: bool) -> BTreeSet<(String, String)> {
    let (charge, allowance) = match direct {
        true => (known("direct_charge"), BTreeSet::new()),
        false => (known("charge"), known("allowance")),
    };
    let mut refused = BTreeSet::new();
    let mut look = |at: String, charges: &Value| {
        for (n, one) in charges.as_array().into_iter().flatten().enumerate() {
            let code = one["code"].as_str().unwrap_or_default();
            let unknown = match one["kind"].as_str() {
                Some("charge") => !charge.contains(code),
                Some("allowance") => !allowance.contains(code),
                _ => false,
            };
            if unknown {
                refused.insert((format!("{at}[{n}].code"), code.to_owned()));
            }
        }
    };
    look("charges".into(), &document["charges"]);
    for (n, line) in document["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        look(format!("lines[{n}].charges"), &line["charges"]);
    }
    let kind = document["kind"].as_str().unwrap_or_default();
    if !direct && kind.starts_with("credit") {
        refused.insert(("kind".into(), kind.into()));
    }
    refused
}
