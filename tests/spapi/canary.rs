//! Each leaf of a request comes from the document, from the report, or from a word list; and each
//! leaf of the document is in the request or in the report.

use serde_json::Value;
use transload::bridge::spapi::operation;
use transload::canonical::Document;
use transload::mapping::{Fill, Library, sample};

use super::compare::leaves;
use super::context;
use super::samples::draws;

/// A document in which every free text is one of a kind.
fn marked(set: &str) -> Document {
    let library = Library::embedded();
    let guide = library.guide(None, "004010", set).unwrap().unwrap();
    let document = sample(&guide, Fill::All, &mut draws(7)).unwrap();
    let mut value = serde_json::to_value(&document).unwrap();
    let mut n = 0;
    mark(&mut value, "", &mut n);
    let json = serde_json::to_vec(&value).unwrap();
    Document::from_json(&json).unwrap_or(document)
}

fn mark(value: &mut Value, key: &str, n: &mut usize) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, item)| {
            if key != "document" && key != "provenance" {
                mark(item, key, n);
            }
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, key, n)),
        Value::String(text) if FREE.contains(&key) => {
            *n += 1;
            *text = format!("canary{n}");
        }
        _ => {}
    }
}

/// Fields of free text, of which any value is one.
const FREE: [&str; 12] = [
    "id",
    "name",
    "number",
    "text",
    "description",
    "city",
    "state",
    "lines",
    "location",
    "deal",
    "department",
    "title",
];

fn each_leaf_is_accounted_for(set: &str) {
    let document = marked(set);
    let request = operation::write(&document, &context()).unwrap();
    let body: Vec<String> = leaves(&request.body)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    let mut lost = Vec::new();
    let mut canaries = 0;
    for (path, value) in leaves(&serde_json::to_value(&document).unwrap()) {
        if !value.starts_with("canary") {
            continue;
        }
        canaries += 1;
        let told = request
            .losses
            .iter()
            .any(|loss| loss.value.contains(&value));
        let said = body
            .iter()
            .any(|one| one.split(' ').any(|word| word == value));
        if !told && !said {
            lost.push(format!("{path} = {value}"));
        }
    }
    assert!(canaries > 20, "{set}: {canaries} canaries");
    assert!(lost.is_empty(), "{set}: {}", lost.join("\n"));
}

#[test]
fn nothing_of_an_order_is_lost_in_silence() {
    each_leaf_is_accounted_for("850");
}

#[test]
fn nothing_of_an_acknowledgment_is_lost_in_silence() {
    each_leaf_is_accounted_for("855");
}

#[test]
fn nothing_of_a_ship_notice_is_lost_in_silence() {
    each_leaf_is_accounted_for("856");
}

#[test]
fn nothing_of_an_invoice_is_lost_in_silence() {
    each_leaf_is_accounted_for("810");
}

#[test]
fn nothing_of_a_stock_report_is_lost_in_silence() {
    each_leaf_is_accounted_for("846");
}
