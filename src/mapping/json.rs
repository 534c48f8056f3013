//! Slots → JSON: what serde_json would write of the document, byte for byte, without making it.
//!
//! A test holds it to that over every file there is. Names of fields need no escapes, and most
//! values need none, so most of it is copying; what does need them is left to serde_json.

use super::empty::tag;
use super::shape::{Form, PROVENANCE, Schema};
use super::slots::{Kind, NodeId, ROOT, Slots, stands};
use crate::canonical::{DocumentKind, Provenance};

/// A document in its slots.
pub(crate) struct Draft<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) schema: &'a Schema,
}

impl Draft<'_> {
    /// Appends the document as a JSON object that says which it is and where it came from.
    pub(crate) fn write(&self, kind: DocumentKind, provenance: &Provenance, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"document\":\"");
        out.extend_from_slice(kind.as_str().as_bytes());
        out.push(b'"');
        let keys = &self.schema.structs[0].keys;
        let mut told = *provenance == Provenance::default();
        let mut tell = |out: &mut Vec<u8>| {
            if !std::mem::replace(&mut told, true) {
                name(PROVENANCE, b',', out);
                serde_json::to_writer(&mut *out, provenance).expect("memory takes everything");
            }
        };
        for child in self.slots.in_order(ROOT) {
            let slot = self.slots.slot(child) as usize;
            if slot >= self.schema.provenance {
                tell(out);
            }
            self.field(child, &keys[slot], out);
        }
        tell(out);
        out.push(b'}');
    }

    /// Whether a document would leave it out: a list or a set of free fields without any.
    #[inline]
    fn is_nothing(&self, id: NodeId) -> bool {
        matches!(self.slots.kind(id), Kind::List | Kind::Ext)
            && self.slots.children(id).next().is_none()
    }

    /// A field of a record, unless it is nothing. The key of a text has the quote before it.
    #[inline]
    fn field(&self, id: NodeId, key: &[u8], out: &mut Vec<u8>) {
        match self.slots.kind(id) {
            Kind::Leaf(form) if form != Form::Integer => {
                out.extend_from_slice(key);
                match self.slots.is_plain(id) {
                    true => {
                        out.extend_from_slice(self.slots.bytes(id));
                        out.push(b'"');
                    }
                    false => {
                        out.pop();
                        text(self.slots.text(id), out);
                    }
                }
            }
            _ if self.is_nothing(id) => {}
            _ => {
                out.extend_from_slice(key);
                self.value(id, out);
            }
        }
    }

    fn value(&self, id: NodeId, out: &mut Vec<u8>) {
        let value = || self.slots.text(id);
        match self.slots.kind(id) {
            Kind::Struct(index) => self.record(id, index as usize, out),
            Kind::List => {
                let mut before = b'[';
                for child in self.slots.children(id) {
                    out.push(before);
                    self.value(child, out);
                    before = b',';
                }
                out.push(b']');
            }
            Kind::Ext => self.free(id, out),
            Kind::Leaf(Form::Integer) => {
                let number: u32 = value().parse().unwrap_or_default();
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Kind::ExtLeaf(form) => match tag(form) {
                Some(tag) => {
                    name(tag, b'{', out);
                    text(value(), out);
                    out.push(b'}');
                }
                None => text(value(), out),
            },
            Kind::Leaf(_) => text(value(), out),
        }
    }

    fn record(&self, id: NodeId, index: usize, out: &mut Vec<u8>) {
        let keys = &self.schema.structs[index].keys;
        let start = out.len();
        for child in self.slots.in_order(id) {
            self.field(child, &keys[self.slots.slot(child) as usize], out);
        }
        // The comma before the first is the place of the bracket.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// By name, and of two values under one name the last: as a map has them.
    fn free(&self, id: NodeId, out: &mut Vec<u8>) {
        let mut named: Vec<(&str, NodeId)> = self
            .slots
            .children(id)
            .map(|child| {
                let slot = self.slots.slot(child) as usize;
                (self.slots.names[slot].as_str(), child)
            })
            .collect();
        named.sort_by_key(|(name, _)| *name);
        let mut before = b'{';
        for (index, (name, child)) in named.iter().enumerate() {
            if named.get(index + 1).is_none_or(|(next, _)| next != name) {
                out.push(before);
                text(name, out);
                out.push(b':');
                self.value(*child, out);
                before = b',';
            }
        }
        out.push(b'}');
    }
}

/// A field's name, which needs no escapes, and the byte before it.
#[inline]
fn name(name: &str, before: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[before, b'"']);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

#[inline]
fn text(text: &str, out: &mut Vec<u8>) {
    if stands(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("memory takes everything");
    }
}
