//! The JSON Schema of guide files: what an editor knows of the language, made of the compiler's own
//! words.

use serde_json::{Value, json};

use super::compile::{ELEMENT_WORDS, WORDS};
use crate::canonical::DocumentKind;

/// The key of a segment's table: a tag, and what tells this use of it from others.
const SEGMENT: &str = "^[A-Z][A-Z0-9]{1,2}(-.+)?$";
/// The key of an element's table: its reference designator.
const ELEMENT: &str = "^[A-Z][A-Z0-9]{1,2}[0-9]{2}(-[0-9]{1,2})?$";

/// The JSON Schema (2020-12) of a guide file. An editor that knows TOML uses it where the file's
/// first line is `#:schema PATH`.
///
/// It says the words and what they take. Whether a path, a code list, an element or a position is
/// there is for [`Library`](super::Library) to say.
///
/// ```
/// let schema = transload::mapping::schema();
/// assert_eq!(schema["$defs"]["segment"]["properties"]["usage"]["enum"][0], "M");
/// ```
pub fn schema() -> Value {
    let documents = DocumentKind::ALL.map(DocumentKind::as_str);
    let area = |what: &str| {
        json!({
            "description": what, "type": "object", "additionalProperties": false,
            "patternProperties": { SEGMENT: { "$ref": "#/$defs/segment" } },
        })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Guide",
        "description": "One X12 transaction set of one release: its structure, and where each value goes.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "set": text("The transaction set, as 850"),
            "version": text("The release, as 004010"),
            "document": {
                "description": "What it maps to; none is structure only",
                "enum": documents,
            },
            "base": text("The guide that this one is laid over, as x12/004010/850"),
            "heading": area("Segments before the lines"),
            "detail": area("The lines"),
            "summary": area("Segments after the lines"),
        },
        "$defs": {
            "segment": {
                "description": "A segment; with tables of segments in it, a loop",
                "type": "object",
                "additionalProperties": false,
                "properties": words(&WORDS),
                "patternProperties": {
                    SEGMENT: { "$ref": "#/$defs/segment" },
                    ELEMENT: { "$ref": "#/$defs/element" },
                },
            },
            "with": {
                "description": "Names of elements, with their segments and loops, and values",
                "type": "object",
                "additionalProperties": {
                    "anyOf": [texts()[0], texts()[1], { "$ref": "#/$defs/with" }],
                },
            },
            "element": {
                "description": "An element or a component",
                "type": "object",
                "additionalProperties": false,
                "properties": words(&ELEMENT_WORDS),
            },
        },
    })
}

fn text(what: &str) -> Value {
    json!({ "description": what, "type": "string" })
}

fn words(words: &[&str]) -> Value {
    let all = words
        .iter()
        .map(|&word| (word.to_owned(), word_schema(word)));
    Value::Object(all.collect())
}

fn texts() -> Value {
    json!([{ "type": "string" }, { "type": "array", "items": { "type": "string" } }])
}

/// What a word takes. A word that the compiler knows and this table does not fails a test.
fn word_schema(word: &str) -> Value {
    match word {
        "pos" => json!({
            "description": "The standard's position: order comes from it, never from the file",
            "type": "integer", "minimum": 0,
        }),
        "max" => json!({
            "description": "How often it may come", "type": "integer", "minimum": 0,
        }),
        "usage" => json!({
            "description": "M mandatory, O optional, X conditional, N not used",
            "enum": ["M", "O", "X", "N"],
        }),
        "when" => json!({
            "description": "What tells this use of the segment from another: a value, a list, a prefix such as \"CTN*\"",
            "type": "object", "additionalProperties": false,
            "patternProperties": { ELEMENT: { "anyOf": texts() } },
        }),
        "as" => text(
            "Where the value goes: name, ship_to.id.id, lines[], ext.colour; relative to the loop's own",
        ),
        "is" => text(
            "A constant, or count(path), sum(path), seq(), hl(), hl(parent), hl(children): written, and compared when read",
        ),
        "codes" => text("A list in codes/: X12 code and word, one to one"),
        "under" => json!({
            "description": "Of a level: the codes of HL03 below which it may stand; \"top\" and \"*\" (anywhere) are words too",
            "anyOf": texts(),
        }),
        "like" => text(
            "All that a neighbour's table says, but its when, usage, with and under, below what this one says",
        ),
        "fits" => json!({
            "description": "A form (n18, an8..30, a2 n..6, '00' n18, n12 | n13) or a comparison (> 0, >= BIG03, <= BSN.BSN03 + 2, <= today); of a list all hold",
            "anyOf": texts(),
        }),
        "with" => json!({
            "description": "Where the usage (M or N) and the fits beside it hold, as { FOB.FOB01 = \"CC\" }: a value, a list, a prefix; \"*\" is any value, \"\" is none",
            "$ref": "#/$defs/with",
        }),
        "run" => json!({
            "description": "Groups of elements inside a segment, as { n = 10, width = 2 }",
            "type": "object", "additionalProperties": false, "required": ["n", "width"],
            "properties": {
                "n": { "type": "integer", "minimum": 1 },
                "width": { "type": "integer", "minimum": 1 },
            },
        }),
        _ => Value::Bool(false),
    }
}
