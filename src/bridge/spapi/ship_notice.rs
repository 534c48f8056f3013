//! The ship notice: an 856's tree of levels ⇄ `SubmitShipmentConfirmations`, where pallets refer to
//! cartons and cartons to items.
//!
//! Going there, the tree is walked before what it holds: a tare is a pallet, a pack a carton, an item an
//! entry of `shippedItems` and a reference to it. The same item in several cartons is one entry
//! and several references. A range of marks is as many cartons. Which of the seven structures it is
//! follows from the levels themselves. The way back is in `ship_notice_tree`.

use std::collections::BTreeMap;

use super::loss::{Loss, LossKind, Way};
use super::marks::{nth_mark, range};
use super::rows::{Row, Via, Walk, whole};
use super::{Context, codes, tree};
use crate::canonical::ShipNotice;
use serde_json::Value;

pub use super::ship_notice_tree::from_api;

pub(super) const ROWS: [Row; 4] = [
    Row("number", "shipmentIdentifier", Via::Text),
    Row("made", "shipmentConfirmationDate", Via::Moment),
    Row("shipped", "shippedDate", Via::Moment),
    Row("expected", "estimatedDeliveryDate", Via::Moment),
];

/// Of a shipment: X12 128 of a reference, and where it goes.
pub(super) const REFERENCES: [(&str, &str); 4] = [
    ("BM", "transportationDetails.billOfLadingNumber"),
    ("CN", "transportationDetails.carrierShipmentReferenceNumber"),
    ("BX", "amazonReferenceNumber"),
    ("SN", "importDetails.sealNumber"),
];

/// Of an item: X12 374 of a date, and where it goes.
pub(super) const EXPIRY: [(&str, &str); 2] = [
    ("036", "itemDetails.expiry.expiryDate"),
    ("094", "itemDetails.expiry.manufacturerDate"),
];

pub(super) const MEASUREMENTS: &str = "shipmentMeasurements";
pub(super) const ASIN: &str = "amazonProductIdentifier";

/// The level codes on the way to the deepest item, and X12 1005 of them (BSN05).
pub(super) const STRUCTURES: [(&str, &str); 9] = [
    ("SOTPI", "0001"),
    ("SOPI", "0001"),
    ("SOTI", "0001"),
    ("SOTIP", "0002"),
    ("SOIP", "0002"),
    ("STOI", "0003"),
    ("SPOI", "0003"),
    ("SOI", "0004"),
    ("OIP", "0002"),
];

/// Where in the tree a level stands, and what was made so far.
#[derive(Clone, Default)]
struct Place {
    order: Option<String>,
    pallet: Option<usize>,
    carton: Option<usize>,
    item: Option<Entry>,
}

/// What was shipped of an item, as an entry of `shippedItems`.
#[derive(Clone)]
struct Entry {
    index: usize,
    amount: Option<i64>,
    unit: Option<String>,
    cartons: u64,
}

#[derive(Default)]
struct Made {
    cartons: usize,
    pallets: usize,
    items: usize,
    /// Items that were walked, also those that became one entry.
    visited: usize,
    /// What an entry says beside its quantity → its index.
    entries: BTreeMap<String, usize>,
}

/// A request with one notice.
#[must_use]
pub fn to_api(notice: &ShipNotice, context: &Context) -> (Value, Vec<Loss>) {
    let mut walk = Walk::new("ship_notice", Way::ToApi, tree(notice), context);
    walk.purpose_to_api();
    let shipment = "levels[0]";
    let is_shipment = walk.ours.text("levels[0].level").as_deref() == Some("shipment");
    let root = if is_shipment { shipment } else { "" };
    let chain = walk.chain();
    if let Some((structure, _)) = codes::theirs("shipment_structure", &chain) {
        walk.theirs.put("shipmentStructure", structure);
    }
    let derived = STRUCTURES
        .iter()
        .find(|(codes, _)| *codes == chain)
        .map(|(_, code)| *code);
    if let Some(code) = walk
        .ours
        .take("structure")
        .filter(|code| Some(code.as_str()) != derived)
    {
        walk.note(LossKind::Dropped, "structure", code);
    }
    if is_shipment {
        walk.ours.take("levels[0].level");
        walk.shipment_to_api(shipment);
    } else {
        walk.note(LossKind::Refused, "levels", "no shipment");
    }
    walk.rows_to_api(&ROWS);
    walk.now("shipmentConfirmationDate");
    walk.vendor_code("sellingParty");
    walk.vendor_code("shipFromParty");
    let mut made = Made::default();
    walk.children(root, &Place::default(), &mut made, usize::from(is_shipment));
    for n in 0..made.pallets {
        let references = format!("pallets[{n}].cartonReferenceDetails");
        let count = walk
            .theirs
            .len(&format!("{references}.cartonReferenceNumbers"));
        if count > 0 {
            walk.theirs.put(&format!("{references}.cartonCount"), count);
        }
    }
    walk.end_to_api()
}

impl Walk<'_> {
    fn purpose_to_api(&mut self) {
        let kind = "shipmentConfirmationType";
        self.over("purpose", kind, Via::Code("confirmation"));
        if let Some(other) = self.ours.take("purpose") {
            self.note(LossKind::Refused, "purpose", other);
        } else if !self.theirs.has(kind) {
            self.theirs.put(kind, "Original");
            self.note(LossKind::Synthesised, kind, "Original");
        }
    }

    /// The letters of the levels down to the first of the deepest.
    fn chain(&self) -> String {
        fn deepest(level: &Value, above: &str, best: &mut String) {
            let letter = match level["level"].as_str() {
                Some("shipment") => "S",
                Some("order") => "O",
                Some("tare") => "T",
                Some("pack") => "P",
                Some("item") => "I",
                _ => "",
            };
            let chain = format!("{above}{letter}");
            if chain.len() > best.len() {
                *best = chain.clone();
            }
            for child in level["levels"].as_array().into_iter().flatten() {
                deepest(child, &chain, best);
            }
        }
        let mut best = String::new();
        deepest(&self.ours.0, "", &mut best);
        best
    }

    fn children(&mut self, level: &str, place: &Place, made: &mut Made, single: usize) {
        let list = match level {
            "" => "levels".to_owned(),
            level => format!("{level}.levels"),
        };
        for n in 0..self.ours.len(&list) {
            self.level_to_api(&format!("{list}[{n}]"), place, made);
        }
        // A second shipment is a second notice.
        for n in single..if single == 1 {
            self.ours.len("levels")
        } else {
            0
        } {
            let kind = self
                .ours
                .text(&format!("levels[{n}].level"))
                .unwrap_or_default();
            self.note(LossKind::Refused, &format!("levels[{n}].level"), kind);
        }
    }

    fn level_to_api(&mut self, level: &str, place: &Place, made: &mut Made) {
        let mut place = place.clone();
        let word = self
            .ours
            .text(&format!("{level}.level"))
            .unwrap_or_default();
        match word.as_str() {
            "order" => return self.order_to_api(level, place, made),
            "tare" => {
                place.pallet = Some(made.pallets);
                made.pallets += 1;
                self.pallet_to_api(level, &format!("pallets[{}]", made.pallets - 1));
            }
            "pack" => return self.pack_to_api(level, place, made),
            "item" => {
                self.ours.take(&format!("{level}.level"));
                return self.item_to_api(level, place, made);
            }
            _ => return self.children(level, &place, made, 0),
        }
        self.ours.take(&format!("{level}.level"));
        self.children(level, &place, made, 0);
    }

    /// An order is said with its items; one of which nothing is shipped is not said.
    fn order_to_api(&mut self, level: &str, mut place: Place, made: &mut Made) {
        let number = format!("{level}.order.number");
        place.order = self.ours.text(&number);
        let before = made.visited;
        self.children(level, &place, made, 0);
        if made.visited > before {
            self.ours.take(&number);
            self.ours.take(&format!("{level}.level"));
        }
    }

    fn pallet_to_api(&mut self, level: &str, theirs: &str) {
        self.marks_to_api(level, &format!("{theirs}.palletIdentifiers"), theirs, 0);
        self.marks_are_said(level, false);
        let pallet = format!("{level}.pallet");
        self.over(
            &format!("{pallet}.tiers"),
            &format!("{theirs}.tier"),
            Via::Count,
        );
        self.over(
            &format!("{pallet}.blocks"),
            &format!("{theirs}.block"),
            Via::Count,
        );
        self.size_to_api(&pallet, theirs);
        let gross = format!("{pallet}.gross_weight");
        self.measure_to_api(&gross, &format!("{theirs}.weight"), "weight");
    }

    /// Three lengths in one unit.
    fn size_to_api(&mut self, ours: &str, theirs: &str) {
        let names = ["length", "width", "height"];
        let unit = format!("{ours}.dimension_unit");
        let known = self
            .ours
            .text(&unit)
            .is_some_and(|word| codes::theirs("length", &word).is_some());
        if known
            && names
                .iter()
                .all(|name| self.ours.has(&format!("{ours}.{name}")))
        {
            for name in names {
                self.over(
                    &format!("{ours}.{name}"),
                    &format!("{theirs}.dimensions.{name}"),
                    Via::Decimal,
                );
            }
            self.over(
                &unit,
                &format!("{theirs}.dimensions.unitOfMeasure"),
                Via::Code("length"),
            );
        }
    }

    /// The marks of a level: of each range the `nth` mark. Those of the first are taken out.
    fn marks_to_api(&mut self, level: &str, identifiers: &str, theirs: &str, nth: u64) {
        for m in 0..self.ours.len(&format!("{level}.marks")) {
            for r in 0..self.ours.len(&format!("{level}.marks[{m}].ranges")) {
                let at = format!("{level}.marks[{m}].ranges[{r}]");
                let part = |name: &str| self.ours.text(&format!("{at}.{name}"));
                let (Some(word), Some(first)) = (part("qualifier"), part("first")) else {
                    continue;
                };
                let count = part("last")
                    .and_then(|last| range(&first, &last))
                    .unwrap_or(1);
                let Some(mark) = nth_mark(&first, nth).filter(|_| nth < count) else {
                    continue;
                };
                let tracking = format!("{theirs}.trackingNumber");
                let container = codes::theirs("container", &word);
                if let Some((kind, same)) = container {
                    let id = format!("{identifiers}[{}]", self.theirs.len(identifiers));
                    self.theirs
                        .put(&format!("{id}.containerIdentificationType"), kind);
                    self.theirs
                        .put(&format!("{id}.containerIdentificationNumber"), mark);
                    if !same && nth == 0 {
                        self.note(LossKind::Dropped, &format!("{at}.qualifier"), word);
                    }
                } else if word == "carrier_package"
                    && theirs.starts_with("cartons")
                    && !self.theirs.has(&tracking)
                {
                    self.theirs.put(&tracking, mark);
                } else {
                    continue;
                }
            }
        }
    }

    /// Takes out the marks that went over: of a carton all of a range, and one tracking number.
    fn marks_are_said(&mut self, level: &str, carton: bool) {
        let mut tracked = !carton;
        for m in 0..self.ours.len(&format!("{level}.marks")) {
            for r in 0..self.ours.len(&format!("{level}.marks[{m}].ranges")) {
                let at = format!("{level}.marks[{m}].ranges[{r}]");
                let part = |name: &str| self.ours.text(&format!("{at}.{name}"));
                let (Some(word), Some(first)) = (part("qualifier"), part("first")) else {
                    continue;
                };
                let whole = part("last").is_some_and(|last| range(&first, &last).is_some());
                let tracking = word == "carrier_package" && !tracked;
                tracked |= tracking;
                if tracking || codes::theirs("container", &word).is_some() {
                    self.ours.take(&format!("{at}.qualifier"));
                    self.ours.take(&format!("{at}.first"));
                    if carton && whole {
                        self.ours.take(&format!("{at}.last"));
                    }
                }
            }
        }
    }

    /// How many cartons the marks of a pack stand for.
    fn cartons_of(&self, level: &str) -> u64 {
        let mut most = 1;
        for m in 0..self.ours.len(&format!("{level}.marks")) {
            for r in 0..self.ours.len(&format!("{level}.marks[{m}].ranges")) {
                let part = |name: &str| {
                    self.ours
                        .text(&format!("{level}.marks[{m}].ranges[{r}].{name}"))
                };
                if let (Some(first), Some(last)) = (part("first"), part("last")) {
                    most = most.max(range(&first, &last).unwrap_or(1));
                }
            }
        }
        most
    }

    fn pack_to_api(&mut self, level: &str, mut place: Place, made: &mut Made) {
        let count = self.cartons_of(level);
        if count > 1 {
            for (path, value) in self.ours.leaves() {
                if path.starts_with(&format!("{level}.")) {
                    self.note(LossKind::Split, &path, value);
                }
            }
        }
        self.ours.take(&format!("{level}.level"));
        let first = made.cartons;
        for nth in 0..count {
            let carton = format!("cartons[{}]", made.cartons);
            self.theirs.put(
                &format!("{carton}.cartonSequenceNumber"),
                format!("{:03}", made.cartons + 1),
            );
            self.marks_to_api(level, &format!("{carton}.cartonIdentifiers"), &carton, nth);
            if let Some(pallet) = place.pallet {
                let list =
                    format!("pallets[{pallet}].cartonReferenceDetails.cartonReferenceNumbers");
                let place = format!("{list}[{}]", self.theirs.len(&list));
                self.theirs.put(&place, format!("{:03}", made.cartons + 1));
            }
            if let Some(entry) = &place.item {
                let share = entry
                    .amount
                    .filter(|amount| amount % entry.cartons.max(1) as i64 == 0);
                let share = share.map(|amount| amount / entry.cartons.max(1) as i64);
                if share.is_none() {
                    self.note(LossKind::Refused, level, entry.amount.unwrap_or_default());
                }
                let entry = Entry {
                    amount: share,
                    ..entry.clone()
                };
                self.refer(&format!("{carton}.items"), &entry);
            }
            made.cartons += 1;
        }
        self.marks_are_said(level, true);
        let carton = format!("cartons[{first}]");
        let pack = format!("{level}.pack");
        self.size_to_api(&pack, &carton);
        self.measure_to_api(
            &format!("{pack}.weight"),
            &format!("{carton}.weight"),
            "weight",
        );
        if place.item.is_none() {
            place.carton = Some(first);
        }
        if count > 1 {
            place.item = None;
            return self.shared_children(level, &place, made, count);
        }
        self.children(level, &place, made, 0);
    }

    /// What several cartons hold alike: each has its share.
    fn shared_children(&mut self, level: &str, place: &Place, made: &mut Made, count: u64) {
        let Some(first) = place.carton else { return };
        self.children(level, place, made, 0);
        let items = format!("cartons[{first}].items");
        for n in 0..self.theirs.len(&items) {
            let amount = format!("{items}[{n}].shippedQuantity.amount");
            let all = self
                .theirs
                .text(&amount)
                .and_then(|text| whole(&text))
                .unwrap_or_default();
            if all % count as i64 != 0 {
                return self.note(LossKind::Refused, level, all);
            }
            self.theirs.put(&amount, all / count as i64);
        }
        let copy = self.theirs.get(&items).cloned().unwrap_or_default();
        for n in 1..count as usize {
            self.theirs
                .put(&format!("cartons[{}].items", first + n), copy.clone());
        }
    }

    fn refer(&mut self, list: &str, entry: &Entry) {
        let place = format!("{list}[{}]", self.theirs.len(list));
        self.theirs.put(
            &format!("{place}.itemReference"),
            format!("{:03}", entry.index + 1),
        );
        if let Some(amount) = entry.amount {
            self.theirs
                .put(&format!("{place}.shippedQuantity.amount"), amount);
        }
        if let Some(unit) = &entry.unit {
            self.theirs.put(
                &format!("{place}.shippedQuantity.unitOfMeasure"),
                unit.clone(),
            );
        }
    }

    fn item_to_api(&mut self, level: &str, mut place: Place, made: &mut Made) {
        let packs: Vec<String> = (0..self.ours.len(&format!("{level}.levels")))
            .map(|n| format!("{level}.levels[{n}]"))
            .filter(|path| self.ours.text(&format!("{path}.level")).as_deref() == Some("pack"))
            .collect();
        let cartons: u64 = packs.iter().map(|path| self.cartons_of(path)).sum();
        if cartons > 1 {
            self.note(LossKind::Split, &format!("{level}.level"), "item");
            for (path, value) in self.ours.leaves() {
                if path.starts_with(&format!("{level}.")) {
                    self.note(LossKind::Split, &path, value);
                }
            }
        }
        let (item, entry) = (
            format!("{level}.item"),
            format!("shippedItems[{}]", made.items),
        );
        let quantity = format!("{entry}.shippedQuantity");
        self.over(
            &format!("{item}.quantity.value"),
            &format!("{quantity}.amount"),
            Via::Whole,
        );
        self.over(
            &format!("{item}.quantity.unit"),
            &format!("{quantity}.unitOfMeasure"),
            Via::Unit("unit"),
        );
        self.over(
            &format!("{item}.quantity.pack_size"),
            &format!("{quantity}.unitSize"),
            Via::Count,
        );
        self.ids_to_api(&item, &entry, ASIN);
        if let Some(order) = &place.order {
            self.theirs.put(
                &format!("{entry}.itemDetails.purchaseOrderNumber"),
                order.clone(),
            );
        }
        self.reference_to_api(
            &format!("{level}.references"),
            "LT",
            &format!("{entry}.itemDetails.lotNumber"),
        );
        self.expiry_to_api(level, &entry);
        made.visited += 1;
        let held = place.carton.is_some() || place.pallet.is_some() || cartons > 0;
        let shipped = self.entry(made, held, cartons);
        if cartons > 0 {
            place.item = Some(shipped);
            place.carton = None;
        } else if let Some(carton) = place.carton {
            self.refer(&format!("cartons[{carton}].items"), &shipped);
        } else if let Some(pallet) = place.pallet {
            self.refer(&format!("pallets[{pallet}].items"), &shipped);
        }
        self.children(level, &place, made, 0);
    }

    /// Until when an item is good.
    fn expiry_to_api(&mut self, level: &str, entry: &str) {
        for (code, theirs) in EXPIRY {
            for n in 0..self.ours.len(&format!("{level}.dates")) {
                let date = format!("{level}.dates[{n}]");
                let theirs = format!("{entry}.{theirs}");
                if self.ours.text(&format!("{date}.qualifier")).as_deref() == Some(code) {
                    self.over(&format!("{date}.moment"), &theirs, Via::Moment);
                    if self.theirs.has(&theirs) && !self.ours.has(&format!("{date}.moment")) {
                        self.ours.take(&format!("{date}.qualifier"));
                    }
                }
            }
        }
    }

    /// The entry that was just made, or the one before it that says the same; then they are one.
    fn entry(&mut self, made: &mut Made, held: bool, cartons: u64) -> Entry {
        let place = |index: usize| format!("shippedItems[{index}]");
        let this = place(made.items);
        let amount_of = |walk: &Self, index: usize| {
            walk.theirs
                .text(&format!("{}.shippedQuantity.amount", place(index)))
                .and_then(|text| whole(&text))
        };
        let amount = amount_of(self, made.items);
        let unit = self
            .theirs
            .text(&format!("{this}.shippedQuantity.unitOfMeasure"));
        let mut key = super::tree::Tree(self.theirs.get(&this).cloned().unwrap_or_default());
        key.clear("shippedQuantity.amount");
        let key = format!("{:?}", key.leaves());
        let earlier = made.entries.get(&key).copied().filter(|_| held);
        let index = match earlier {
            Some(index) => {
                let sum = amount_of(self, index).zip(amount).map(|(a, b)| a + b);
                if let Some(sum) = sum {
                    self.theirs
                        .put(&format!("{}.shippedQuantity.amount", place(index)), sum);
                }
                self.theirs.clear(&this);
                index
            }
            None => {
                self.theirs.put(
                    &format!("{this}.itemSequenceNumber"),
                    format!("{:03}", made.items + 1),
                );
                if held {
                    made.entries.insert(key, made.items);
                }
                made.items += 1;
                made.items - 1
            }
        };
        Entry {
            index,
            amount,
            unit,
            cartons,
        }
    }
}
