//! The canonical documents as the engine sees them: structs of numbered slots.
//!
//! Taken from the declarations of the records; a test holds it to the JSON Schema that users read,
//! which takes longer to make than a small file takes to check. A slot is a field's number in its
//! struct.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::json::BLOCK;
use crate::canonical::{DocumentKind, declared};

/// What a leaf holds, by the `format` of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Code,
    Decimal,
    Date,
    Time,
    Integer,
}

/// What stands in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A struct, by its index in the [`Schema`].
    Struct(usize),
    List(Box<Shape>),
    Leaf(Form),
    /// The free fields.
    Ext,
}

/// One struct: its slots in the order of declaration.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) fields: Vec<(&'static str, Shape)>,
    /// See [`keys`](Self::keys).
    keys: OnceLock<Vec<Key>>,
}

impl Struct {
    /// `,"name":` for each field, with the quote of its value where that is always a text. Made
    /// when the first document is written as JSON.
    #[inline]
    pub(crate) fn keys(&self) -> &[Key] {
        self.keys
            .get_or_init(|| self.fields.iter().map(Key::of).collect())
    }
}

/// A field's name as JSON has it, and more bytes behind it, so that it can be copied by the block.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) text: Box<[u8]>,
    pub(crate) length: usize,
}

impl Key {
    fn of((field, shape): &(&'static str, Shape)) -> Key {
        let text = matches!(shape, Shape::Leaf(form) if *form != Form::Integer);
        let quote = if text { "\"" } else { "" };
        let mut text = [",\"", field, "\":", quote].concat().into_bytes();
        let length = text.len();
        text.resize(length.max(BLOCK), b' ');
        let text = text.into();
        Key { text, length }
    }
}

/// A document's structs; the document itself is number 0.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) structs: Vec<Struct>,
    /// How many fields of the document stand before its provenance.
    pub(crate) provenance: usize,
}

/// The slot that the engine fills itself and no guide may name.
pub(crate) const PROVENANCE: &str = "provenance";

impl Schema {
    /// The schema of a document, read once; of none, a struct without slots.
    pub(crate) fn of(document: Option<DocumentKind>) -> Arc<Schema> {
        static READ: Mutex<BTreeMap<DocumentKind, Arc<Schema>>> = Mutex::new(BTreeMap::new());
        let Some(kind) = document else {
            return Arc::new(Schema::read(""));
        };
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = read.entry(kind);
        schema
            .or_insert_with(|| Arc::new(Schema::read(kind.record())))
            .clone()
    }

    fn read(record: &'static str) -> Schema {
        let mut schema = Schema {
            structs: Vec::new(),
            provenance: 0,
        };
        schema.add(record, &mut Vec::new());
        schema
    }

    /// Adds a record and all that it holds; `seen` are the names of those that are there.
    fn add(&mut self, record: &'static str, seen: &mut Vec<&'static str>) -> usize {
        let index = self.structs.len();
        seen.push(record);
        self.structs.push(Struct {
            fields: Vec::new(),
            keys: OnceLock::new(),
        });
        let lines = declared(record).unwrap_or_default().lines();
        for (field, kind) in lines.filter_map(|line| line.split_once(':')) {
            if index == 0 && field == PROVENANCE {
                self.provenance = self.structs[0].fields.len();
                continue;
            }
            let shape = self.shape(kind, seen);
            self.structs[index].fields.push((field, shape));
        }
        index
    }

    /// `Option<Box<Party>>`, `Vec<Party>`, `Few<Level>`, `Option<Date>` …
    fn shape(&mut self, kind: &'static str, seen: &mut Vec<&'static str>) -> Shape {
        let kind = kind.trim();
        if let Some((outer, inner)) = kind.strip_suffix('>').and_then(|k| k.split_once('<')) {
            let inner = self.shape(inner, seen);
            return match outer.trim() {
                "Vec" | "Few" => Shape::List(Box::new(inner)),
                _ => inner,
            };
        }
        Shape::Leaf(match kind {
            "String" => Form::Text,
            "Code" => Form::Code,
            "Decimal" => Form::Decimal,
            "Date" => Form::Date,
            "Time" => Form::Time,
            "u32" => Form::Integer,
            // The only map: names of the user's own, one kind of value.
            "Ext" => return Shape::Ext,
            record => {
                let known = seen.iter().position(|name| *name == record);
                return Shape::Struct(known.unwrap_or_else(|| self.add(record, seen)));
            }
        })
    }

    /// The slot called `name` in struct `index`.
    pub(crate) fn slot(&self, index: usize, name: &str) -> Option<(u32, &Shape)> {
        let fields = &self.structs[index].fields;
        let slot = fields.iter().position(|(f, _)| *f == name)?;
        Some((slot as u32, &fields[slot].1))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Holds a shape to its JSON Schema; `open` are the structs that were begun.
    fn hold(schema: &Schema, shape: &Shape, due: &Value, root: &Value, open: &mut Vec<usize>) {
        let name = due["$ref"].as_str().and_then(|r| r.rsplit('/').next());
        let due = name.map_or(due, |name| &root["$defs"][name]);
        let form = |form: &str| due["type"] == "string" && due["format"] == form;
        match shape {
            Shape::Struct(index) if open.contains(index) => {}
            Shape::Struct(index) => {
                open.push(*index);
                let mut fields = schema.structs[*index].fields.iter();
                let mut names = 0;
                for (name, due) in due["properties"].as_object().unwrap() {
                    if *index == 0 && name == PROVENANCE {
                        assert_eq!(schema.provenance, names);
                        continue;
                    }
                    let (field, shape) = fields.next().unwrap();
                    assert_eq!(field, name);
                    hold(schema, shape, due, root, open);
                    names += 1;
                }
                assert!(fields.next().is_none());
            }
            Shape::List(inner) => {
                assert_eq!(due["type"], "array");
                hold(schema, inner, &due["items"], root, open);
            }
            Shape::Ext => assert!(due["additionalProperties"].is_object(), "{due}"),
            Shape::Leaf(Form::Text) => assert!(due["type"] == "string" && due["format"].is_null()),
            Shape::Leaf(Form::Code) => assert!(form("code"), "{due}"),
            Shape::Leaf(Form::Decimal) => assert!(form("decimal"), "{due}"),
            Shape::Leaf(Form::Date) => assert!(form("date"), "{due}"),
            Shape::Leaf(Form::Time) => assert!(form("time"), "{due}"),
            Shape::Leaf(Form::Integer) => assert_eq!(due["type"], "integer"),
        }
    }

    #[test]
    fn every_document_has_the_shape_that_is_published() {
        for kind in DocumentKind::ALL {
            let due = kind.schema();
            let due = due.as_value();
            let mut open = Vec::new();
            let schema = Schema::of(Some(kind));
            hold(&schema, &Shape::Struct(0), due, due, &mut open);
            assert_eq!(open.len(), schema.structs.len(), "{kind}");
        }
    }
}
