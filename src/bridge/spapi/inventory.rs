//! Stock: an 846 of one warehouse ⇄ `submitInventoryUpdate`.
//!
//! The warehouse is in the request's path, not in its body. An update is partial: what it does not
//! name keeps its stock; a full one would set it to nothing.

use super::loss::{LossKind, Report, Way};
use super::parts::Spelling;
use super::rows::Via;
use super::walk::Walk;
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
pub fn to_api(stock: &InventoryAdvice, context: &Context) -> (Value, Option<String>, Report) {
    let mut walk = Walk::new("inventory", Way::ToApi, tree(stock), context);
    let warehouse = ["warehouse", "ship_from"]
        .into_iter()
        .find_map(|party| walk.ours.text(&format!("{party}.id.id")));
    walk.party_id_to_api("vendor", "inventory.sellingParty");
    walk.vendor_code("inventory.sellingParty");
    walk.add(LossKind::Synthesised, "inventory.isFullUpdate", false);
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
            walk.said(&format!("{quantity}.qualifier"), &amount);
        }
        if !walk.theirs.has(&unit) && !walk.ours.has(&format!("{quantity}.unit")) {
            walk.add(LossKind::Synthesised, &unit, "Each");
        }
        walk.ids_to_api(&line, &item, BUYER);
    }
    if place == 0 {
        walk.theirs.put("inventory.items", serde_json::json!([]));
    }
    let (value, report) = walk.end_to_api();
    (value, warehouse, report)
}

/// X12 755: what an inventory advice is where nobody says.
const STOCK: &str = "SI";

/// An update of the warehouse `warehouse`.
#[must_use]
pub fn from_api(
    update: Value,
    warehouse: Option<&str>,
    context: &Context,
) -> (InventoryAdvice, Report) {
    let mut walk = Walk::of("inventory", "StockUpdate", update, context);
    if let Some(warehouse) = warehouse {
        walk.ours.put("warehouse.id.id", warehouse);
    }
    walk.party_from_api("vendor", "inventory.sellingParty", PARTY);
    walk.add(LossKind::Synthesised, "purpose", "original");
    walk.add(LossKind::Synthesised, "kind", STOCK);
    let number = context.now.format("%Y%m%d%H%M%S").to_string();
    walk.add(LossKind::Synthesised, "number", number);
    walk.put_moment("made", context.now, false);
    walk.means_nothing("inventory.isFullUpdate", "false");
    for n in 0..walk.theirs.len("inventory.items") {
        let (line, item) = (format!("lines[{n}]"), format!("inventory.items[{n}]"));
        walk.ids_from_api(&line, &item, BUYER);
        let quantity = format!("{line}.quantities[0]");
        let amount = format!("{item}.availableQuantity.amount");
        if walk.theirs.has(&amount) {
            walk.means(&format!("{quantity}.qualifier"), AVAILABLE, &amount);
        }
        walk.back(&format!("{quantity}.value"), &amount, Via::Whole);
        let unit = format!("{item}.availableQuantity.unitOfMeasure");
        walk.back(&format!("{quantity}.unit"), &unit, Via::Unit("direct_unit"));
    }
    document(walk.end_from_api())
}
