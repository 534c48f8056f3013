//! Stock: an 846 of one warehouse ⇄ `submitInventoryUpdate`.
//!
//! The warehouse is in the request's path, not in its body. An update is partial: what it does not
//! name keeps its stock; a full one would set it to nothing.

use super::loss::{Loss, LossKind, Way};
use super::parts::Spelling;
use super::rows::{Via, Walk};
use super::{Context, document, tree};
use crate::canonical::InventoryAdvice;
use serde_json::Value;

/// X12 673: what is for sale.
const AVAILABLE: &str = "33";
const BUYER: &str = "buyerProductIdentifier";
const PARTY: Spelling = Spelling {
    postal: "postalCode",
    tax: None,
};

/// A request, and the warehouse whose path it goes to.
#[must_use]
pub fn to_api(stock: &InventoryAdvice, context: &Context) -> (Value, Option<String>, Vec<Loss>) {
    let mut walk = Walk::new("inventory", Way::ToApi, tree(stock), context);
    let warehouse = ["warehouse", "ship_from"]
        .into_iter()
        .find_map(|party| walk.ours.text(&format!("{party}.id.id")));
    walk.party_id_to_api("vendor", "inventory.sellingParty");
    walk.vendor_code("inventory.sellingParty");
    walk.theirs.put("inventory.isFullUpdate", false);
    walk.note(LossKind::Synthesised, "inventory.isFullUpdate", false);
    let mut place = 0;
    for n in 0..stock.lines.len() {
        let line = format!("lines[{n}]");
        let item = format!("inventory.items[{place}]");
        let quantities = 0..walk.ours.len(&format!("{line}.quantities"));
        let mut quantities = quantities.map(|q| format!("{line}.quantities[{q}]"));
        let is = |path: &String| {
            walk.ours.text(&format!("{path}.qualifier")).as_deref() == Some(AVAILABLE)
        };
        let Some(quantity) = quantities.find(is) else {
            continue;
        };
        place += 1;
        let amount = format!("{item}.availableQuantity.amount");
        walk.over(&format!("{quantity}.value"), &amount, Via::Whole);
        let unit = format!("{item}.availableQuantity.unitOfMeasure");
        walk.over(&format!("{quantity}.unit"), &unit, Via::Unit("direct_unit"));
        if walk.theirs.has(&amount) {
            walk.ours.take(&format!("{quantity}.qualifier"));
        }
        if !walk.theirs.has(&unit) && !walk.ours.has(&format!("{quantity}.unit")) {
            walk.theirs.put(&unit, "Each");
            walk.note(LossKind::Synthesised, &unit, "Each");
        }
        walk.ids_to_api(&line, &item, BUYER);
    }
    if place == 0 {
        walk.theirs.put("inventory.items", serde_json::json!([]));
    }
    let (value, losses) = walk.end_to_api();
    (value, warehouse, losses)
}

/// An update of the warehouse `warehouse`.
#[must_use]
pub fn from_api(
    update: Value,
    warehouse: Option<&str>,
    context: &Context,
) -> (InventoryAdvice, Vec<Loss>) {
    let mut walk = Walk::of("inventory", "StockUpdate", update, context);
    if let Some(warehouse) = warehouse {
        walk.ours.put("warehouse.id.id", warehouse);
    }
    walk.party_from_api("vendor", "inventory.sellingParty", PARTY);
    walk.theirs.take_if("inventory.isFullUpdate", "false");
    for n in 0..walk.theirs.len("inventory.items") {
        let (line, item) = (format!("lines[{n}]"), format!("inventory.items[{n}]"));
        walk.ids_from_api(&line, &item, BUYER);
        let quantity = format!("{line}.quantities[0]");
        walk.back(
            &format!("{quantity}.value"),
            &format!("{item}.availableQuantity.amount"),
            Via::Whole,
        );
        let unit = format!("{item}.availableQuantity.unitOfMeasure");
        walk.back(&format!("{quantity}.unit"), &unit, Via::Unit("direct_unit"));
        walk.ours.put(&format!("{quantity}.qualifier"), AVAILABLE);
    }
    let (value, mut losses) = walk.end_from_api();
    (document(value, &mut losses), losses)
}

impl Walk<'_> {
    /// A party of which the API has the id alone.
    pub(super) fn party_id_to_api(&mut self, ours: &str, theirs: &str) {
        let id = format!("{ours}.id.id");
        let text = self.ours.text(&id);
        self.over(&id, &format!("{theirs}.partyId"), Via::Text);
        let qualifier = format!("{ours}.id.qualifier");
        let same = text.map(|text| super::parts::party_qualifier(text.trim()));
        if let Some(same) = same {
            self.ours.take_if(&qualifier, same);
        }
    }
}
