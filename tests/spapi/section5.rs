//! Every row of the field tables has a trace, a test, or a reason, and there are as many as in the
//! tables themselves.

use std::collections::{BTreeMap, BTreeSet};

use transload::bridge::spapi::operation;
use transload::canonical::Document;
use transload::mapping::{Fill, Library, sample};

use super::compare::pattern;
use super::context;
use super::samples::draws;

const TABLE: &str = include_str!("section5.tsv");

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

/// The name of the map that a document goes by, as the list of losses has it.
fn map(document: &Document, direct: bool) -> &'static str {
    match (document, direct) {
        (Document::PurchaseOrder(_), false) => "order",
        (Document::PurchaseOrder(_), true) => "direct_order",
        (Document::PurchaseOrderAcknowledgment(_), false) => "acknowledgment",
        (Document::PurchaseOrderAcknowledgment(_), true) => "direct_acknowledgment",
        (Document::ShipNotice(_), false) => "ship_notice",
        (Document::ShipNotice(_), true) => "direct_shipment",
        (Document::Invoice(_), false) => "invoice",
        (Document::Invoice(_), true) => "direct_invoice",
        (Document::InventoryAdvice(_), _) => "inventory",
        _ => "",
    }
}

/// An order of an import, whose places and containers no generator hits upon.
fn imported() -> Document {
    let json = br#"{"document": "purchase_order", "number": "4Z32PABC", "vendor_number": "TNDBX",
        "delivery_terms": [{"payment": "paid_by_buyer", "place_qualifier": "OV", "place": "LONG BEACH"}],
        "packaging": [{"form": "free_form", "characteristic": "CS", "text": "2-40'HC"}],
        "lines": [{"number": "1", "quantity": {"value": "24", "unit": "each"},
            "ids": [{"qualifier": "buyer_part", "id": "B000000001"}]}]}"#;
    Document::from_json(json).unwrap()
}

/// An answer to a book's order.
fn discounted() -> Document {
    let json = br#"{"document": "purchase_order_acknowledgment", "order_number": "4Z32PABC",
        "lines": [{"number": "1", "prices": [{"kind": "discount", "multiplier": "0.55"}],
            "acknowledgments": [{"status": "accepted", "quantity": {"value": "1", "unit": "each"}}]}]}"#;
    Document::from_json(json).unwrap()
}

/// Every trace of every sample and of documents that are made up, by its map, without indexes.
fn traces() -> BTreeSet<(&'static str, String, String)> {
    let library = Library::embedded();
    let mut all = BTreeSet::new();
    let mut documents = vec![imported(), discounted()];
    for seed in 0..8 {
        documents.push(super::notices::notice("SOTPI", seed));
    }
    for set in ["850", "855", "856", "810", "846"] {
        documents.extend(
            super::samples::documents(set)
                .into_iter()
                .map(|(_, document, _)| document),
        );
        let guide = library.guide(None, "004010", set).unwrap().unwrap();
        for seed in 0..6 {
            documents.extend(sample(&guide, Fill::All, &mut draws(seed)));
        }
    }
    for document in &documents {
        for direct in [false, true] {
            let mut context = context();
            context.direct = direct;
            let Some(request) = operation::write(document, &context) else {
                continue;
            };
            for trace in request.traces {
                let (ours, theirs) = (pattern(&trace.ours), pattern(&trace.theirs));
                all.insert((map(document, direct), ours, theirs));
            }
        }
    }
    all
}

#[test]
fn each_row_is_traced_tested_or_explained() {
    let traces = traces();
    let tests: String = ["notices", "outcomes", "samples", "structures", "translate"]
        .iter()
        .map(|name| {
            let path = format!("{}/tests/spapi/{name}.rs", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        })
        .collect();
    let mut wrong = Vec::new();
    for row in rows() {
        let [section, x12, api, how] = row[..] else {
            panic!("{row:?}")
        };
        let words: Vec<&str> = how.split(' ').collect();
        let holds = match words[..] {
            ["trace", map, ours, theirs] => traces.contains(&(map, ours.into(), theirs.into())),
            ["test", name] => tests.contains(&format!("fn {name}(")),
            ["why", ..] => words.len() > 4,
            _ => false,
        };
        if !holds {
            wrong.push(format!("{section} {x12} ⇄ {api}: {how}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_as_many_rows_as_in_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/amazon.md");
    let Ok(text) = std::fs::read_to_string(path) else {
        say!("skipped: no ../shared");
        return;
    };
    let tables = text
        .split("\n## ")
        .find(|part| part.starts_with("5. "))
        .unwrap();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for part in tables.split("\n### ").skip(1) {
        let section = part.split(' ').next().unwrap();
        let rows = part
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with('|'));
        let head = |line: &&str| {
            line.contains("---") || line.starts_with("| X12") || line.starts_with("| 820 |")
        };
        let count = rows.filter(|line| !head(line)).count();
        if count > 0 {
            counted.insert(section, count);
        }
    }
    let mut ours: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows() {
        *ours.entry(row[0]).or_default() += 1;
    }
    assert_eq!(ours, counted);
}
