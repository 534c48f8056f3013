//! Slots → JSON: what serde_json would write of the document, byte for byte, without making it.
//!
//! A test holds it to that over every file there is. Names of fields need no escapes, and most
//! values need none, so most of it is copying; what does need them is left to serde_json.

use super::empty::tag;
use super::shape::{Form, Key, PROVENANCE, Schema};
use super::slots::{Kind, Node, NodeId, ROOT, Slots, stands};
use crate::canonical::{DocumentKind, Provenance};

/// A document in its slots.
pub(crate) struct Draft<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) schema: &'a Schema,
}

impl Draft<'_> {
    /// Appends the document as a JSON object that says which it is and where it came from.
    pub(crate) fn write(&self, kind: DocumentKind, provenance: &Provenance, out: &mut Vec<u8>) {
        let mut page = Page::after(out, self.slots.size());
        page.put(b"{\"document\":\"");
        page.put(kind.as_str().as_bytes());
        page.push(b'"');
        let keys = self.schema.structs[0].keys();
        let mut told = *provenance == Provenance::default();
        let mut tell = |page: &mut Page| {
            if !std::mem::replace(&mut told, true) {
                page.name(PROVENANCE, b',');
                page.json(provenance);
            }
        };
        self.slots.in_order(ROOT, |child, node| {
            let slot = node.slot as usize;
            if slot >= self.schema.provenance {
                tell(&mut page);
            }
            self.field(child, node, &keys[slot], &mut page);
        });
        tell(&mut page);
        page.push(b'}');
        *out = page.end();
    }

    /// Whether a document would leave it out: a list or a set of free fields without any.
    #[inline]
    fn is_nothing(&self, id: NodeId) -> bool {
        matches!(self.slots.kind(id), Kind::List | Kind::Ext)
            && self.slots.children(id).next().is_none()
    }

    /// A field of a record, unless it is nothing. The key of a text has the quote before it.
    #[inline]
    fn field(&self, id: NodeId, node: &Node, key: &Key, page: &mut Page) {
        match node.kind {
            Kind::Leaf(form) if form != Form::Integer => {
                page.block(&key.text, key.length);
                match node.plain {
                    true => {
                        let (text, length) = self.slots.text_on(node);
                        page.block(text, length);
                        page.push(b'"');
                    }
                    false => {
                        page.at -= 1;
                        page.text(self.slots.text(id));
                    }
                }
            }
            _ if self.is_nothing(id) => {}
            _ => {
                page.block(&key.text, key.length);
                self.value(id, page);
            }
        }
    }

    fn value(&self, id: NodeId, page: &mut Page) {
        let value = || self.slots.text(id);
        match self.slots.kind(id) {
            Kind::Struct(index) => self.record(id, usize::from(index), page),
            Kind::List => {
                let mut before = b'[';
                for child in self.slots.children(id) {
                    page.push(before);
                    self.value(child, page);
                    before = b',';
                }
                page.push(b']');
            }
            Kind::Ext => self.free(id, page),
            Kind::Leaf(Form::Integer) => {
                let number: u32 = value().parse().unwrap_or_default();
                page.put(number.to_string().as_bytes());
            }
            Kind::ExtLeaf(form) => match tag(form) {
                Some(tag) => {
                    page.name(tag, b'{');
                    page.text(value());
                    page.push(b'}');
                }
                None => page.text(value()),
            },
            Kind::Leaf(_) => page.text(value()),
        }
    }

    fn record(&self, id: NodeId, index: usize, page: &mut Page) {
        let keys = self.schema.structs[index].keys();
        let start = page.at;
        self.slots.in_order(id, |child, node| {
            self.field(child, node, &keys[node.slot as usize], page);
        });
        // The comma before the first is the place of the bracket.
        match page.at == start {
            true => page.push(b'{'),
            false => page.bytes[start] = b'{',
        }
        page.push(b'}');
    }

    /// By name, and of two values under one name the last: as a map has them.
    fn free(&self, id: NodeId, page: &mut Page) {
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
                page.push(before);
                page.text(name);
                page.push(b':');
                self.value(*child, page);
                before = b',';
            }
        }
        page.push(b'}');
    }
}

/// Bytes copied at a time: most names and values are shorter.
pub(super) const BLOCK: usize = 32;

/// JSON on its way: bytes, of which those before `at` are written. There is always room for a
/// block, so that a short text is copied without a call.
struct Page {
    bytes: Vec<u8>,
    at: usize,
}

impl Page {
    /// Behind what `out` has, with room for about `size` bytes.
    fn after(out: &mut Vec<u8>, size: usize) -> Page {
        let mut bytes = std::mem::take(out);
        let at = bytes.len();
        bytes.resize(at + size + BLOCK, 0);
        Page { bytes, at }
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at);
        self.bytes
    }

    /// Moves on by `length`, and sees to it that a block has room there.
    #[inline]
    fn step(&mut self, length: usize) {
        self.at += length;
        if self.bytes.len() < self.at + BLOCK {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize(2 * self.at + BLOCK, 0);
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes[self.at] = byte;
        self.step(1);
    }

    /// The first `length` bytes of `text`.
    #[inline]
    fn block(&mut self, text: &[u8], length: usize) {
        match text.first_chunk::<BLOCK>() {
            Some(block) if length <= BLOCK => {
                self.bytes[self.at..][..BLOCK].copy_from_slice(block);
                self.step(length);
            }
            _ => self.put(&text[..length]),
        }
    }

    fn put(&mut self, text: &[u8]) {
        self.step(text.len());
        self.bytes[self.at - text.len()..self.at].copy_from_slice(text);
    }

    /// A field's name, which needs no escapes, and the byte before it.
    fn name(&mut self, name: &str, before: u8) {
        self.push(before);
        self.push(b'"');
        self.put(name.as_bytes());
        self.put(b"\":");
    }

    fn text(&mut self, text: &str) {
        match stands(text.as_bytes()) {
            true => {
                self.push(b'"');
                self.put(text.as_bytes());
                self.push(b'"');
            }
            false => self.json(&text),
        }
    }

    /// As serde_json writes it.
    fn json(&mut self, value: &impl serde::Serialize) {
        self.bytes.truncate(self.at);
        serde_json::to_writer(&mut self.bytes, value).expect("memory takes everything");
        self.at = self.bytes.len();
        self.step(0);
    }
}
