//! A document as a table of slots: what segments fill and a serde deserializer empties, and the
//! other way round. No JSON tree and no code for each struct.
//!
//! Every node knows its slot in its parent; a struct's children may come in any order, a list's
//! in theirs. Values are text in their canonical form (`2026-11-22`, `10.00`).

use std::ops::Range;
use std::sync::Arc;

use super::shape::{Form, Schema, Shape};
use super::value::every;

/// A node's number in the table. The document itself is [`ROOT`].
pub(crate) type NodeId = u32;

/// The document.
pub(crate) const ROOT: NodeId = 0;

/// No node.
const NONE: u32 = u32::MAX;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A struct of the schema, by index.
    Struct(u16),
    List,
    Leaf(Form),
    /// The free fields: its children's slots are indices of [`Slots::names`].
    Ext,
    /// A free field's value.
    ExtLeaf(Form),
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    next: u32,
    /// First and last child; for a leaf the start and end of its text.
    first: u32,
    last: u32,
    /// Whether a guide has written it (outbound only).
    used: bool,
    /// Whether a child came after one of a higher slot.
    mixed: bool,
    /// Whether a leaf's text surely stands in JSON as it is.
    pub(crate) plain: bool,
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    nodes: Vec<Node>,
    /// The texts of leaves, and what else stood in their segments.
    text: Vec<u8>,
    leaves: usize,
    taken: usize,
    /// Names of free fields.
    pub(crate) names: Arc<Vec<String>>,
}

impl Slots {
    /// An empty document whose free fields may have `names`.
    pub(crate) fn new(names: &Arc<Vec<String>>) -> Slots {
        let mut slots = Slots {
            nodes: Vec::with_capacity(512),
            text: Vec::with_capacity(4096),
            leaves: 0,
            taken: 0,
            names: names.clone(),
        };
        slots.nodes.push(node(0, Kind::Struct(0)));
        slots
    }

    /// A table that nothing is put into.
    pub(crate) fn unfilled() -> Slots {
        Slots {
            nodes: Vec::new(),
            text: Vec::new(),
            leaves: 0,
            taken: 0,
            names: Arc::default(),
        }
    }

    /// Appends a child.
    #[inline]
    pub(crate) fn push(&mut self, parent: NodeId, slot: u32, kind: Kind) -> NodeId {
        self.add(parent, node(slot, kind))
    }

    /// Appends a leaf with its text.
    pub(crate) fn push_leaf(
        &mut self,
        parent: NodeId,
        slot: u32,
        kind: Kind,
        text: &str,
    ) -> NodeId {
        let range = self.keep(text.as_bytes());
        self.push_kept(parent, slot, kind, range, stands(text.as_bytes()))
    }

    /// Keeps a text of which leaves are made.
    #[inline]
    pub(crate) fn keep(&mut self, text: &[u8]) -> Range<u32> {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text);
        start..self.text.len() as u32
    }

    /// Appends a leaf whose text was kept; `plain` where it surely [`stands`] in JSON.
    #[inline]
    pub(crate) fn push_kept(
        &mut self,
        parent: NodeId,
        slot: u32,
        kind: Kind,
        text: Range<u32>,
        plain: bool,
    ) -> NodeId {
        self.leaves += 1;
        self.add(
            parent,
            Node {
                first: text.start,
                last: text.end,
                plain,
                ..node(slot, kind)
            },
        )
    }

    #[inline]
    fn add(&mut self, parent: NodeId, child: Node) -> NodeId {
        let id = self.nodes.len() as u32;
        let owner = &mut self.nodes[parent as usize];
        let last = std::mem::replace(&mut owner.last, id);
        if last == NONE {
            owner.first = id;
        } else {
            let before = &mut self.nodes[last as usize];
            before.next = id;
            if before.slot > child.slot {
                self.nodes[parent as usize].mixed = true;
            }
        }
        self.nodes.push(child);
        id
    }

    /// The child in `slot`, if it was filled.
    #[inline]
    pub(crate) fn child(&self, parent: NodeId, slot: u32) -> Option<NodeId> {
        let node = &self.nodes[parent as usize];
        // Children mostly come in the order of their slots.
        if let (Kind::Struct(_), false, Some(last)) =
            (node.kind, node.mixed, self.nodes.get(node.last as usize))
            && last.slot <= slot
        {
            return (last.slot == slot).then_some(node.last);
        }
        self.children(parent)
            .find(|&id| self.nodes[id as usize].slot == slot)
    }

    /// The child in `slot`, made now if need be.
    #[inline]
    pub(crate) fn child_or_push(&mut self, parent: NodeId, slot: u32, kind: Kind) -> NodeId {
        match self.child(parent, slot) {
            Some(id) => id,
            None => self.push(parent, slot, kind),
        }
    }

    /// Whether nothing is in a record or list yet.
    #[inline]
    pub(crate) fn is_empty(&self, id: NodeId) -> bool {
        self.children(id).next == NONE
    }

    /// All children, in order of arrival.
    #[inline]
    pub(crate) fn children(&self, parent: NodeId) -> Children<'_> {
        let next = match self.nodes[parent as usize].kind {
            Kind::Leaf(_) | Kind::ExtLeaf(_) => NONE,
            _ => self.nodes[parent as usize].first,
        };
        Children { slots: self, next }
    }

    /// Shows all children in the order of their slots to `see`.
    #[inline]
    pub(crate) fn in_order(&self, parent: NodeId, mut see: impl FnMut(NodeId, &Node)) {
        let node = |id: NodeId| &self.nodes[id as usize];
        if !node(parent).mixed {
            self.children(parent).for_each(|id| see(id, node(id)));
            return;
        }
        let mut children: Vec<NodeId> = self.children(parent).collect();
        children.sort_by_key(|&child| self.slot(child));
        children.into_iter().for_each(|id| see(id, node(id)));
    }

    /// The slots of a record that are filled, as [bits](bit); all where it is none.
    pub(crate) fn filled(&self, id: NodeId) -> u64 {
        match self.kind(id) {
            Kind::Struct(_) => self
                .children(id)
                .fold(0, |all, child| all | bit(self.slot(child))),
            _ => u64::MAX,
        }
    }

    /// What `id` is.
    #[inline]
    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.nodes[id as usize].kind
    }

    /// Its slot in its parent.
    #[inline]
    pub(crate) fn slot(&self, id: NodeId) -> u32 {
        self.nodes[id as usize].slot
    }

    /// A leaf's text.
    #[inline]
    pub(crate) fn text(&self, id: NodeId) -> &str {
        // It came as text, or as a range of a segment in ASCII.
        std::str::from_utf8(self.bytes(id)).unwrap_or_default()
    }

    /// A leaf's text, as bytes.
    #[inline]
    pub(crate) fn bytes(&self, id: NodeId) -> &[u8] {
        let node = &self.nodes[id as usize];
        match node.kind {
            Kind::Leaf(_) | Kind::ExtLeaf(_) => &self.text[node.first as usize..node.last as usize],
            _ => b"",
        }
    }

    /// The texts from a leaf's on, of which its own has so many bytes.
    #[inline]
    pub(crate) fn text_on(&self, leaf: &Node) -> (&[u8], usize) {
        let (start, end) = (leaf.first as usize, leaf.last as usize);
        (&self.text[start..], end - start)
    }

    /// About how many bytes of JSON it makes: its texts, and a name a node.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + 14 * self.nodes.len()
    }

    /// Marks a leaf as written.
    pub(crate) fn take(&mut self, id: NodeId) {
        let used = &mut self.nodes[id as usize].used;
        self.taken += usize::from(!std::mem::replace(used, true));
    }

    /// The paths of leaves that nothing wrote, as `lines[2].ext.colour`.
    pub(crate) fn untaken(&self, schema: &Schema) -> Vec<(String, String)> {
        let mut left = Vec::new();
        if self.taken == self.leaves {
            return left;
        }
        self.walk(ROOT, &Shape::Struct(0), schema, String::new(), &mut left);
        left
    }

    fn walk(
        &self,
        id: NodeId,
        shape: &Shape,
        schema: &Schema,
        path: String,
        left: &mut Vec<(String, String)>,
    ) {
        if let Kind::Leaf(_) | Kind::ExtLeaf(_) = self.kind(id) {
            if !self.nodes[id as usize].used {
                left.push((path, self.text(id).to_owned()));
            }
            return;
        }
        for (index, child) in self.children(id).enumerate() {
            let slot = self.slot(child) as usize;
            let dot = if path.is_empty() { "" } else { "." };
            let (path, shape) = match shape {
                Shape::Struct(n) => {
                    let (name, shape) = &schema.structs[*n].fields[slot];
                    (format!("{path}{dot}{name}"), shape)
                }
                Shape::List(inner) => (format!("{path}[{index}]"), &**inner),
                _ => (format!("{path}{dot}{}", self.names[slot]), shape),
            };
            self.walk(child, shape, schema, path, left);
        }
    }
}

#[inline]
fn node(slot: u32, kind: Kind) -> Node {
    Node {
        slot,
        kind,
        next: NONE,
        first: NONE,
        last: NONE,
        used: false,
        mixed: false,
        plain: false,
    }
}

/// A slot as a bit; those past the last bit share it.
pub(crate) fn bit(slot: u32) -> u64 {
    1 << slot.min(u64::BITS - 1)
}

/// Whether a text stands in JSON as it is, without escapes.
pub(crate) fn stands(text: &[u8]) -> bool {
    every(text, |b| b >= b' ') && is_unescaped(text)
}

/// The same, of a text without control characters.
#[inline]
pub(crate) fn is_unescaped(text: &[u8]) -> bool {
    memchr::memchr2(b'"', b'\\', text).is_none()
}

/// See [`Slots::children`].
#[derive(Clone)]
pub(crate) struct Children<'a> {
    slots: &'a Slots,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        let id = self.next;
        if id == NONE {
            return None;
        }
        self.next = self.slots.nodes[id as usize].next;
        Some(id)
    }
}
