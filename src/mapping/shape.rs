//! The canonical documents as the engine sees them: structs of numbered slots.
//!
//! Taken from the JSON Schema that the documents publish, so that an `as` path is checked against
//! the same contract that users read. A slot is a field's number in its struct.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::canonical::DocumentKind;

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
    pub(crate) fields: Vec<(String, Shape)>,
    /// `,"name":` for each field.
    pub(crate) keys: Vec<Box<[u8]>>,
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
            return Arc::new(Schema::read(&Value::Null));
        };
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = read.entry(kind);
        schema
            .or_insert_with(|| Arc::new(Schema::read(kind.schema().as_value())))
            .clone()
    }

    /// Reads a JSON Schema 2020-12 as schemars writes it.
    pub(crate) fn read(root: &Value) -> Schema {
        let mut schema = Schema {
            structs: Vec::new(),
            provenance: 0,
        };
        let mut seen = HashMap::new();
        schema.add("", root, root, &mut seen);
        schema
    }

    fn add(
        &mut self,
        name: &str,
        value: &Value,
        root: &Value,
        seen: &mut HashMap<String, usize>,
    ) -> usize {
        let index = self.structs.len();
        seen.insert(name.to_owned(), index);
        self.structs.push(Struct {
            fields: Vec::new(),
            keys: Vec::new(),
        });
        let empty = serde_json::Map::new();
        let properties = value["properties"].as_object().unwrap_or(&empty);
        for (field, value) in properties {
            if index == 0 && field == PROVENANCE {
                self.provenance = self.structs[0].fields.len();
                continue;
            }
            let shape = self.shape(value, root, seen);
            let key = format!(",\"{field}\":").into_bytes();
            self.structs[index].keys.push(key.into());
            self.structs[index].fields.push((field.clone(), shape));
        }
        index
    }

    fn shape(&mut self, value: &Value, root: &Value, seen: &mut HashMap<String, usize>) -> Shape {
        for key in ["anyOf", "oneOf"] {
            let Some(options) = value[key].as_array() else {
                continue;
            };
            let some = options.iter().find(|o| o["type"] != "null");
            return self.shape(some.unwrap_or(&Value::Null), root, seen);
        }
        if let Some(name) = value["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            let target = &root["$defs"][name];
            if !target["properties"].is_object() {
                return self.shape(target, root, seen);
            }
            return Shape::Struct(match seen.get(name) {
                Some(&index) => index,
                None => self.add(name, target, root, seen),
            });
        }
        let is = |kind: &str| match &value["type"] {
            Value::String(s) => s == kind,
            Value::Array(all) => all.iter().any(|s| s == kind),
            _ => false,
        };
        // The free fields are the only map: names of the user's own, one kind of value.
        if value["additionalProperties"].is_object() {
            return Shape::Ext;
        }
        if is("array") {
            return Shape::List(Box::new(self.shape(&value["items"], root, seen)));
        }
        if is("integer") {
            return Shape::Leaf(Form::Integer);
        }
        Shape::Leaf(match value["format"].as_str() {
            Some("date") => Form::Date,
            Some("time") => Form::Time,
            Some("decimal") => Form::Decimal,
            Some("code") => Form::Code,
            _ => Form::Text,
        })
    }

    /// The slot called `name` in struct `index`.
    pub(crate) fn slot(&self, index: usize, name: &str) -> Option<(u32, &Shape)> {
        let fields = &self.structs[index].fields;
        let slot = fields.iter().position(|(f, _)| f == name)?;
        Some((slot as u32, &fields[slot].1))
    }
}
