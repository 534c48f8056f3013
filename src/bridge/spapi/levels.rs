//! The levels of a ship notice in the making: what pallets, cartons and items say, hung where they
//! stand, each with what is told of it.

use serde_json::{Map, Value};

use super::codes;
use super::loss::{Loss, LossKind, Trace};
use super::walk::Walk;

/// So much of an item, and where it is.
pub(super) struct Unit {
    /// Where it stands: in a carton, on a pallet, or among the items of the shipment.
    pub(super) at: String,
    /// The order's number, and where that is said.
    pub(super) order: Option<(String, String)>,
    pub(super) pallet: Option<usize>,
    pub(super) carton: Option<usize>,
    pub(super) item: usize,
    pub(super) amount: Option<String>,
    pub(super) unit: Option<String>,
}

/// Where a node is made before its place in the tree is known.
pub(super) const ASIDE: &str = "aside";

/// What a level says, and what is told of it.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) told: (Vec<Loss>, Vec<Trace>),
}

/// What the levels of pallets, cartons and items say.
pub(super) struct Nodes {
    pub(super) items: Vec<Node>,
    pub(super) pallets: Vec<Node>,
    pub(super) cartons: Vec<Node>,
}

impl Nodes {
    /// Hangs a quantity of an item below a level, along what is left of the chain.
    pub(super) fn hang(
        &self,
        (level, path): (&mut Value, &str),
        unit: &Unit,
        chain: &str,
        walk: &mut Walk<'_>,
    ) {
        let Some(letter) = chain.chars().next() else {
            return;
        };
        let rest = &chain[1..];
        // What the level is called, what makes it this one, where that stands, what it says.
        let found = match letter {
            'O' => unit.order.as_ref().map(|(number, at)| {
                let number = number.trim().to_owned();
                ("order", number, at.clone(), None)
            }),
            'T' => unit.pallet.map(|n| {
                let at = format!("pallets[{n}]");
                ("tare", n.to_string(), at, Some(&self.pallets[n]))
            }),
            'P' => unit.carton.map(|n| {
                let at = format!("cartons[{n}]");
                ("pack", n.to_string(), at, Some(&self.cartons[n]))
            }),
            _ => return self.hang_item((level, path), unit, rest, walk),
        };
        let Some((word, key, at, said)) = found else {
            return self.hang((level, path), unit, rest, walk);
        };
        let tag = format!("{letter}{key}");
        let known = child(level, &tag);
        let place = known.unwrap_or_else(|| {
            let mut node =
                said.map_or_else(|| Value::Object(Map::new()), |node| node.value.clone());
            node["level"] = word.into();
            if letter == 'O' {
                node["order"]["number"] = key.clone().into();
            }
            push(level, node, &tag)
        });
        let path = format!("{path}.levels[{place}]");
        if known.is_none() {
            if walk.seen(&tag) {
                walk.note(LossKind::Split, &path, &tag);
            }
            if let Some(node) = said {
                walk.report.placed(ASIDE, &path, &node.told);
            }
        }
        walk.trace(&format!("{path}.level"), &at);
        if letter == 'P' {
            walk.carton_is_named(&path, unit);
        }
        if letter == 'O' {
            walk.trace(&format!("{path}.order.number"), &at);
        }
        self.hang((&mut level["levels"][place], &path), unit, rest, walk);
    }

    fn hang_item(
        &self,
        (level, path): (&mut Value, &str),
        unit: &Unit,
        rest: &str,
        walk: &mut Walk<'_>,
    ) {
        let said = &self.items[unit.item];
        let mut node = said.value.clone();
        node["level"] = "item".into();
        let place = push(level, node, "");
        let path = format!("{path}.levels[{place}]");
        walk.trace(&format!("{path}.level"), &unit.at);
        walk.report.placed(ASIDE, &path, &said.told);
        let node = &mut level["levels"][place];
        let quantity = format!("{path}.item.quantity");
        let entry = format!("shippedItems[{}]", unit.item);
        let kind = format!("{path}.level");
        walk.trace(&kind, &format!("{entry}.itemSequenceNumber"));
        walk.trace(&kind, &format!("{}.itemReference", unit.at));
        for (ours, theirs) in [("value", "amount"), ("unit", "unitOfMeasure")] {
            let theirs = format!("{entry}.shippedQuantity.{theirs}");
            walk.trace(&format!("{quantity}.{ours}"), &theirs);
        }
        if let Some(amount) = &unit.amount {
            node["item"]["quantity"]["value"] = amount.clone().into();
            let at = format!("{}.shippedQuantity.amount", unit.at);
            walk.trace(&format!("{quantity}.value"), &at);
        }
        let word = unit
            .unit
            .as_deref()
            .and_then(|unit| codes::ours("unit", unit));
        if let Some((word, _)) = word {
            node["item"]["quantity"]["unit"] = word.into();
            let at = format!("{}.shippedQuantity.unitOfMeasure", unit.at);
            walk.trace(&format!("{quantity}.unit"), &at);
        }
        self.hang((node, &path), unit, rest, walk);
    }
}

/// The name under which a node remembers what it is while the tree is built: null is no leaf, and
/// the object goes when the tree is pruned.
const TAG: &str = "\u{0}tag";

fn child(level: &Value, tag: &str) -> Option<usize> {
    level["levels"]
        .as_array()?
        .iter()
        .position(|child| child[TAG].get(tag).is_some())
}

fn push(level: &mut Value, mut node: Value, tag: &str) -> usize {
    if !tag.is_empty() {
        node[TAG][tag] = Value::Null;
    }
    if !level["levels"].is_array() {
        level["levels"] = Value::Array(Vec::new());
    }
    let list = level["levels"]
        .as_array_mut()
        .expect("it was made an array");
    list.push(node);
    list.len() - 1
}
