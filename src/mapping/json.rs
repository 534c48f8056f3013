//! Slots → JSON: what serde_json would write of the document, byte for byte, without making it.

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::empty::tag;
use super::shape::{Form, Schema};
use super::slots::{Kind, NodeId, ROOT, Slots};
use crate::canonical::{DocumentKind, Provenance};

/// A document in its slots.
pub(crate) struct Tagged<'a> {
    pub(crate) kind: DocumentKind,
    pub(crate) slots: &'a Slots,
    pub(crate) schema: &'a Schema,
    pub(crate) provenance: &'a Provenance,
}

/// A value in its slot.
#[derive(Clone, Copy)]
struct Value<'a> {
    slots: &'a Slots,
    schema: &'a Schema,
    id: NodeId,
}

impl Serialize for Tagged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("document", self.kind.as_str())?;
        let root = Value {
            slots: self.slots,
            schema: self.schema,
            id: ROOT,
        };
        let mut told = *self.provenance == Provenance::default();
        let fields = &self.schema.structs[0].fields;
        for child in &Sorted::new(self.slots, ROOT) {
            let slot = self.slots.slot(child) as usize;
            if !told && slot >= self.schema.provenance {
                map.serialize_entry(super::shape::PROVENANCE, self.provenance)?;
                told = true;
            }
            if !root.at(child).is_nothing() {
                map.serialize_entry(&fields[slot].0, &root.at(child))?;
            }
        }
        if !told {
            map.serialize_entry(super::shape::PROVENANCE, self.provenance)?;
        }
        map.end()
    }
}

impl Value<'_> {
    fn at(self, id: NodeId) -> Self {
        Value { id, ..self }
    }

    /// Whether a document would leave it out: a list or a set of free fields without any.
    fn is_nothing(self) -> bool {
        matches!(self.slots.kind(self.id), Kind::List | Kind::Ext)
            && self.slots.children(self.id).next().is_none()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value { slots, schema, id } = *self;
        let text = slots.text(id);
        match slots.kind(id) {
            Kind::Struct(index) => {
                let fields = &schema.structs[index as usize].fields;
                let mut map = serializer.serialize_map(None)?;
                for child in &Sorted::new(slots, id) {
                    let value = self.at(child);
                    if !value.is_nothing() {
                        map.serialize_entry(&fields[slots.slot(child) as usize].0, &value)?;
                    }
                }
                map.end()
            }
            Kind::List => {
                let mut list = serializer.serialize_seq(None)?;
                for child in slots.children(id) {
                    list.serialize_element(&self.at(child))?;
                }
                list.end()
            }
            Kind::Ext => {
                // By name, and of two values under one name the last: as a map has them.
                let mut named: Vec<(&str, NodeId)> = slots
                    .children(id)
                    .map(|child| (slots.names[slots.slot(child) as usize].as_str(), child))
                    .collect();
                named.sort_by_key(|(name, _)| *name);
                let mut map = serializer.serialize_map(None)?;
                for (index, (name, child)) in named.iter().enumerate() {
                    if named.get(index + 1).is_none_or(|(next, _)| next != name) {
                        map.serialize_entry(name, &self.at(*child))?;
                    }
                }
                map.end()
            }
            Kind::Leaf(Form::Integer) => match text.parse::<u32>() {
                Ok(number) => serializer.serialize_u32(number),
                Err(_) => Err(S::Error::custom(format!("{text:?} is no count"))),
            },
            Kind::ExtLeaf(form) => match tag(form) {
                Some(tag) => {
                    let mut map = serializer.serialize_map(Some(1))?;
                    map.serialize_entry(tag, text)?;
                    map.end()
                }
                None => serializer.serialize_str(text),
            },
            Kind::Leaf(_) => serializer.serialize_str(text),
        }
    }
}

/// Fields that are sorted where they stand; a record that has more is sorted in memory of its own.
const FEW: usize = 32;

/// The children of a struct in the order of their slots.
enum Sorted {
    Few([NodeId; FEW], usize),
    Many(Vec<NodeId>),
}

impl Sorted {
    fn new(slots: &Slots, id: NodeId) -> Sorted {
        let (mut few, mut count) = ([0; FEW], 0);
        for child in slots.children(id) {
            if count == FEW {
                let mut many: Vec<NodeId> = slots.children(id).collect();
                many.sort_by_key(|&child| slots.slot(child));
                return Sorted::Many(many);
            }
            // They come almost in order: from the end it is a step or two to the right place.
            let mut at = count;
            while at > 0 && slots.slot(few[at - 1]) > slots.slot(child) {
                few[at] = few[at - 1];
                at -= 1;
            }
            few[at] = child;
            count += 1;
        }
        Sorted::Few(few, count)
    }
}

impl<'a> IntoIterator for &'a Sorted {
    type Item = NodeId;
    type IntoIter = std::iter::Copied<std::slice::Iter<'a, NodeId>>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Sorted::Few(few, count) => few[..*count].iter().copied(),
            Sorted::Many(many) => many.iter().copied(),
        }
    }
}
