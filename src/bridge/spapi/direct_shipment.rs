//! Direct fulfillment's ship notice: an 856 of one consumer's order (order, items, the package of
//! each) ⇄ `submitShipmentConfirmations`.
//!
//! An item that goes in two packages stands twice in the tree and once among the API's items; a
//! package of two items stands twice in the tree, with the same marks, and is one container there.
//! Goods that are not on the floor are no shipment: BSN06 72, BSN07 REJ is `FLOOR_DENIAL`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::decimal::whole;
use super::loss::{LossKind, Report, Way};
use super::parts::SHIPMENTS;
use super::rows::Via;
use super::tree::Tree;
use super::walk::Walk;
use super::{Context, codes, document, tree};
use crate::canonical::ShipNotice;

const ORDER: &str = "levels[0]";
const BUYER: &str = "buyerProductIdentifier";
const STATUS: &str = "shipmentDetails.shipmentStatus";
const SHIPPED: &str = "shipmentDetails.shippedDate";
/// X12 640 and 641 of goods that are not there.
const DENIED: (&str, &str) = ("72", "REJ");
const UNIT: Via = Via::Unit("direct_unit");

/// A record of one order's shipment.
#[must_use]
pub fn to_api(notice: &ShipNotice, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new("direct_shipment", Way::ToApi, tree(notice), context);
    if !walk.said_if("purpose", "original", "") && walk.ours.has("purpose") {
        walk.refuse("purpose");
    }
    walk.status_to_api();
    for n in 0..notice.levels.len() {
        let kind = format!("levels[{n}].level");
        if n > 0 || walk.ours.text(&kind).as_deref() != Some("order") {
            walk.refuse(&kind);
        }
    }
    let order = "purchaseOrderNumber";
    walk.over(&format!("{ORDER}.order.number"), order, Via::Text);
    if walk.theirs.has(order) {
        walk.said(&format!("{ORDER}.level"), order);
    }
    walk.party_to_api(&format!("{ORDER}.ship_from"), "shipFromParty", SHIPMENTS);
    walk.vendor_code("sellingParty");
    walk.vendor_code("shipFromParty");
    walk.items_to_api();
    walk.over("made", SHIPPED, Via::Moment);
    walk.now(SHIPPED);
    walk.end_to_api()
}

/// A notice that the API was sent, or would have been.
#[must_use]
pub fn from_api(confirmation: Value, context: &Context) -> (ShipNotice, Report) {
    let record = "DirectConfirmation";
    let mut walk = Walk::of("direct_shipment", record, confirmation, context);
    walk.add(LossKind::Synthesised, "purpose", "original");
    let denied = walk.theirs.text(STATUS).as_deref() == Some("FLOOR_DENIAL");
    if denied {
        walk.means("transaction", DENIED.0, STATUS);
        walk.means("reason", DENIED.1, STATUS);
    }
    if denied || walk.theirs.text(STATUS).as_deref() == Some("SHIPPED") {
        walk.theirs.take(STATUS);
        walk.trace("levels", STATUS);
    }
    let order = "purchaseOrderNumber";
    if let Some(number) = walk.theirs.text(order) {
        walk.add(LossKind::Synthesised, "number", number);
    }
    walk.add(LossKind::Synthesised, "structure", "0002");
    walk.means(&format!("{ORDER}.level"), "order", order);
    walk.back(&format!("{ORDER}.order.number"), order, Via::Text);
    walk.party_from_api(&format!("{ORDER}.ship_from"), "shipFromParty", SHIPMENTS);
    let packages = walk.containers_from_api();
    if let Some(shipped) = walk.theirs.text(SHIPPED) {
        let made = match packages.first() {
            Some(package) => format!("{package}.shipped"),
            None => "made".to_owned(),
        };
        walk.back(&made, SHIPPED, Via::Moment);
        if made != "made" && walk.moment_from_api("made", SHIPPED, &shipped) {
            let made = walk.ours.text("made").unwrap_or_default();
            walk.note(LossKind::Inferred, "made", made);
        }
        for other in packages.iter().skip(1) {
            let other = format!("{other}.shipped");
            walk.copy_of_ours(&made, &other);
            walk.note(LossKind::Split, &other, "");
        }
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    fn status_to_api(&mut self) {
        let said = |name: &str| self.ours.text(name);
        match (said("transaction").as_deref(), said("reason").as_deref()) {
            (Some(transaction), reason) if transaction == DENIED.0 => {
                let rejected = reason == Some(DENIED.1);
                self.make(STATUS, "FLOOR_DENIAL", "transaction");
                self.ours.take("transaction");
                if rejected {
                    self.said("reason", STATUS);
                }
            }
            _ => self.add(LossKind::Inferred, STATUS, "SHIPPED"),
        }
    }

    /// Items, each once, and the packages that they are in.
    fn items_to_api(&mut self) {
        let before = self.ours.clone();
        // What an item or a package is known by → its place in the record, and the level of it.
        let mut known: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let (mut items, mut packages) = (0, Vec::<String>::new());
        let list = format!("{ORDER}.levels");
        for n in 0..self.ours.len(&list) {
            let level = format!("{list}[{n}]");
            let (kind, item) = (format!("{level}.level"), format!("{level}.item"));
            if self.ours.text(&kind).as_deref() != Some("item") {
                self.refuse(&kind);
                continue;
            }
            let part = |name: &str| before.get(&format!("{item}.{name}")).map(Value::to_string);
            let key = format!("{:?} {:?}", part("number"), part("ids"));
            let (index, first) = known.get(&key).cloned().unwrap_or((items, item.clone()));
            let entry = format!("items[{index}]");
            if index == items {
                items += 1;
                known.insert(key, (index, item.clone()));
                self.item_to_direct(&item, &entry, items);
            } else {
                for part in ["number", "ids"] {
                    self.same_as(
                        &format!("{first}.{part}"),
                        &format!("{item}.{part}"),
                        &before,
                    );
                }
            }
            self.shipped_to_api(&item, &entry);
            for p in 0..self.ours.len(&format!("{level}.levels")) {
                let package = format!("{level}.levels[{p}]");
                let pack = self.ours.text(&format!("{package}.level")).as_deref() == Some("pack");
                if p > 0 || !pack {
                    self.refuse(&format!("{package}.level"));
                    continue;
                }
                let marks = before
                    .get(&format!("{package}.marks"))
                    .map(Value::to_string);
                let key = marks.unwrap_or_else(|| package.clone());
                let (index, first) = known
                    .get(&key)
                    .cloned()
                    .unwrap_or((packages.len(), package.clone()));
                let container = format!("containers[{index}]");
                if index == packages.len() {
                    packages.push(package.clone());
                    known.insert(key, (index, package.clone()));
                    self.package_to_api(&package, &container, packages.len());
                    // All leave at one time there.
                    let left = |package: &str| format!("{package}.shipped");
                    self.same_as(&left(&packages[0]), &left(&package), &before);
                } else {
                    self.same_as(&first, &package, &before);
                }
                self.packed_to_api(&item, &entry, &container);
            }
            self.quantity_is_said(&format!("{item}.quantity"));
            self.said(&kind, &entry);
        }
    }

    fn item_to_direct(&mut self, item: &str, entry: &str, nth: usize) {
        let place = format!("{entry}.itemSequenceNumber");
        self.over(&format!("{item}.number"), &place, Via::Whole);
        if !self.theirs.has(&place) {
            self.add(LossKind::Synthesised, &place, nth);
        }
        self.ids_to_api(item, entry, BUYER);
    }

    /// What is shipped of an item, in all its packages.
    fn shipped_to_api(&mut self, item: &str, entry: &str) {
        let quantity = format!("{entry}.shippedQuantity");
        self.quantity_to_api(&format!("{item}.quantity"), &quantity);
    }

    /// A quantity beside what stands there already. It is taken out when all places have it.
    fn quantity_to_api(&mut self, ours: &str, theirs: &str) {
        let (amount, unit) = (
            format!("{theirs}.amount"),
            format!("{theirs}.unitOfMeasure"),
        );
        let value = format!("{ours}.value");
        if let Some(more) = self.ours.text(&value).and_then(|text| whole(&text)) {
            let before = self.theirs.text(&amount).and_then(|text| whole(&text));
            self.make(
                &amount,
                before.unwrap_or_default().saturating_add(more),
                &value,
            );
        }
        let word = self.ours.text(&format!("{ours}.unit"));
        let known = word.and_then(|word| codes::theirs("direct_unit", &word));
        match known {
            Some((word, _)) => self.make(&unit, word, &format!("{ours}.unit")),
            None if self.theirs.has(&unit) => {}
            None => self.add(LossKind::Synthesised, &unit, "Each"),
        }
    }

    fn package_to_api(&mut self, level: &str, place: &str, nth: usize) {
        let carton = format!("{place}.containerType");
        self.make(&carton, "carton", &format!("{level}.level"));
        self.ours.take(&format!("{level}.level"));
        let (id, tracking) = (
            format!("{place}.containerIdentifier"),
            format!("{place}.trackingNumber"),
        );
        for m in 0..self.ours.len(&format!("{level}.marks")) {
            for r in 0..self.ours.len(&format!("{level}.marks[{m}].ranges")) {
                let range = format!("{level}.marks[{m}].ranges[{r}]");
                let target = match self.ours.text(&format!("{range}.qualifier")).as_deref() {
                    Some("sscc") => &id,
                    Some("carrier_package") => &tracking,
                    _ => continue,
                };
                let first = format!("{range}.first");
                self.over(&first, target, Via::Text);
                if self.theirs.has(target) && !self.ours.has(&first) {
                    self.said(&format!("{range}.qualifier"), target);
                }
            }
        }
        if !self.theirs.has(&id) {
            let said = self.theirs.text(&tracking);
            let number = said.unwrap_or_else(|| format!("{nth:03}"));
            self.add(LossKind::Synthesised, &id, number);
        }
        let routing = format!("{level}.routing[0]");
        let qualifier = format!("{routing}.carrier_qualifier");
        let by = match self.ours.text(&qualifier).as_deref() {
            Some("scac") => Some("scacCode"),
            Some("assigned_by_buyer") => Some("shipMethod"),
            _ => None,
        };
        if let Some(by) = by.map(|name| format!("{place}.{name}")) {
            self.over(&format!("{routing}.carrier"), &by, Via::Text);
            if self.theirs.has(&by) {
                self.said(&qualifier, &by);
            }
        }
        let lading = format!("{level}.lading[0]");
        self.size_to_api(&format!("{level}.pack"), place, "direct_length");
        let weight = format!("{place}.weight");
        self.measure_to_api(&format!("{lading}.weight"), &weight, "direct_weight");
        if self.theirs.has(&weight) {
            let value = format!("{weight}.value");
            self.said_if(&format!("{lading}.weight_qualifier"), "G", &value);
            self.said_if(&format!("{lading}.packaging"), "CTN", &carton);
            self.said_if(&format!("{lading}.count"), "1", &carton);
        }
        self.over(&format!("{level}.shipped"), SHIPPED, Via::Moment);
    }

    /// Takes out a quantity that went to all its places.
    fn quantity_is_said(&mut self, ours: &str) {
        let (value, unit) = (format!("{ours}.value"), format!("{ours}.unit"));
        let amount = self.ours.text(&value);
        if let Some(number) = amount.as_deref().and_then(whole) {
            let text = self.ours.take(&value).unwrap_or_default();
            if text != number.to_string() {
                self.note(LossKind::Normalised, &value, text);
            }
        }
        let word = self.ours.text(&unit).unwrap_or_default();
        if let Some((_, same)) = codes::theirs("direct_unit", &word) {
            self.ours.take(&unit);
            if !same {
                self.note(LossKind::Dropped, &unit, word);
            }
        }
    }

    /// So much of the item in the container.
    fn packed_to_api(&mut self, item: &str, entry: &str, container: &str) {
        let list = format!("{container}.packedItems");
        let place = format!("{list}[{}]", self.theirs.len(&list));
        let kind = format!("{}.level", item.trim_end_matches(".item"));
        for name in ["itemSequenceNumber", BUYER, "vendorProductIdentifier"] {
            if let Some(value) = self.theirs.get(&format!("{entry}.{name}")).cloned() {
                let at = format!("{place}.{name}");
                if let Some(id) = value.as_str() {
                    self.note(LossKind::Inferred, &at, id);
                }
                self.make(&at, value, &kind);
            }
        }
        self.trace(&kind, &place);
        self.quantity_to_api(
            &format!("{item}.quantity"),
            &format!("{place}.packedQuantity"),
        );
    }

    /// The tree again: an item for each place that it is packed in, with its package. Where the
    /// packages stand.
    fn containers_from_api(&mut self) -> Vec<String> {
        let record = self.theirs.clone();
        let mut packages = Vec::new();
        // Of each item the level that said it first, and how much of it is packed.
        let mut packed: Vec<Option<(String, i64)>> = vec![None; record.len("items")];
        let number = |place: &str| record.text(&format!("{place}.itemSequenceNumber"));
        let numbers: Vec<Option<String>> = (0..packed.len())
            .map(|n| number(&format!("items[{n}]")))
            .collect();
        let mut levels = 0;
        for c in 0..self.theirs.len("containers") {
            let container = format!("containers[{c}]");
            let mut first: Option<String> = None;
            for k in 0..self.theirs.len(&format!("{container}.packedItems")) {
                let place = format!("{container}.packedItems[{k}]");
                let own = number(&place);
                let index = numbers.iter().position(|one| own.is_some() && *one == own);
                let Some(index) = index else { continue };
                let level = format!("{ORDER}.levels[{levels}]");
                levels += 1;
                let first_of_item = packed[index].as_ref().map(|(level, _)| level.clone());
                self.item_from_direct(&level, index, Some(&place), first_of_item.as_deref());
                self.named_as(&record, &level, &place, &format!("items[{index}]"));
                let amount = record.text(&format!("{place}.packedQuantity.amount"));
                let amount = amount.and_then(|text| whole(&text)).unwrap_or_default();
                packed[index].get_or_insert((level.clone(), 0)).1 += amount;
                let package = format!("{level}.levels[0]");
                match &first {
                    None => self.package_from_api(&package, &container),
                    Some(first) => self.copy_of_ours(first, &package),
                }
                first.get_or_insert(package.clone());
                packages.push(package);
            }
        }
        for (index, packed) in packed.into_iter().enumerate() {
            let Some((level, sum)) = packed else {
                let level = format!("{ORDER}.levels[{levels}]");
                levels += 1;
                self.item_from_direct(&level, index, None, None);
                continue;
            };
            let quantity = format!("items[{index}].shippedQuantity");
            let amount = format!("{quantity}.amount");
            if self.theirs.take_if(&amount, &sum.to_string()) {
                self.trace(&format!("{level}.item.quantity.value"), &amount);
            }
            let unit = format!("{quantity}.unitOfMeasure");
            if self.theirs.take_if(&unit, "Each") {
                self.trace(&format!("{level}.item.quantity.unit"), &unit);
            }
        }
        packages
    }

    /// An item, packed at `place` or not at all. Of one that stands before, the same is said again.
    fn item_from_direct(
        &mut self,
        level: &str,
        index: usize,
        place: Option<&str>,
        before: Option<&str>,
    ) {
        let (entry, item) = (format!("items[{index}]"), format!("{level}.item"));
        self.means(&format!("{level}.level"), "item", place.unwrap_or(&entry));
        match before {
            Some(before) => {
                for part in ["number", "ids"] {
                    self.copy_of_ours(&format!("{before}.item.{part}"), &format!("{item}.{part}"));
                }
            }
            None => {
                let number = format!("{entry}.itemSequenceNumber");
                self.back(&format!("{item}.number"), &number, Via::Text);
                self.ids_from_api(&item, &entry, BUYER);
            }
        }
        let quantity = match place {
            Some(place) => format!("{place}.packedQuantity"),
            None => format!("{entry}.shippedQuantity"),
        };
        self.back(
            &format!("{item}.quantity.value"),
            &format!("{quantity}.amount"),
            Via::Whole,
        );
        self.back(
            &format!("{item}.quantity.unit"),
            &format!("{quantity}.unitOfMeasure"),
            UNIT,
        );
    }

    /// Takes out what a packed item says as the item itself does.
    fn named_as(&mut self, record: &Tree, level: &str, place: &str, entry: &str) {
        for name in ["itemSequenceNumber", BUYER, "vendorProductIdentifier"] {
            let (own, of) = (format!("{place}.{name}"), format!("{entry}.{name}"));
            if record.text(&own) == record.text(&of) && self.theirs.take(&own).is_some() {
                self.trace(&format!("{level}.level"), &own);
            }
        }
    }

    fn package_from_api(&mut self, level: &str, container: &str) {
        let kind = format!("{container}.containerType");
        let said = self.theirs.text(&kind).unwrap_or_default();
        if said.eq_ignore_ascii_case("carton") {
            self.theirs.take(&kind);
            if said != "carton" {
                self.note(LossKind::Normalised, &kind, said);
            }
        }
        self.means(&format!("{level}.level"), "pack", &kind);
        let (id, tracking) = (
            format!("{container}.containerIdentifier"),
            format!("{container}.trackingNumber"),
        );
        let same = self.theirs.text(&id) == self.theirs.text(&tracking);
        for (place, word) in [(&tracking, "carrier_package"), (&id, "sscc")] {
            if same && word == "sscc" {
                // The tracking number stands for an id of its own.
                self.theirs.take(place);
                self.trace(&format!("{level}.marks[0].ranges[0].first"), place);
            } else if self.theirs.has(place) {
                let list = format!("{level}.marks");
                let range = format!("{list}[{}].ranges[0]", self.ours.len(&list));
                self.means(&format!("{range}.qualifier"), word, place);
                self.back(&format!("{range}.first"), place, Via::Text);
            }
        }
        let routing = format!("{level}.routing[0]");
        for (name, word) in [("scacCode", "scac"), ("shipMethod", "assigned_by_buyer")] {
            let place = format!("{container}.{name}");
            if self.theirs.has(&place) && !self.ours.has(&routing) {
                self.means(&format!("{routing}.carrier_qualifier"), word, &place);
                self.back(&format!("{routing}.carrier"), &place, Via::Text);
            }
        }
        let (lading, weight) = (format!("{level}.lading[0]"), format!("{container}.weight"));
        self.measure_from_api(&lading, "weight", &weight, "direct_weight");
        if self.ours.has(&format!("{lading}.weight")) {
            let value = format!("{weight}.value");
            self.means(&format!("{lading}.weight_qualifier"), "G", &value);
            self.means(&format!("{lading}.packaging"), "CTN", &kind);
            self.means(&format!("{lading}.count"), 1, &kind);
        }
        self.size_from_api(&format!("{level}.pack"), container, "direct_length");
    }
}
