//! The ship notice: an 856's tree of levels ⇄ `SubmitShipmentConfirmations`, where pallets refer to
//! cartons and cartons to items.
//!
//! Going there, the tree is walked before what it holds: a tare is a pallet, a pack a carton, an item an
//! entry of `shippedItems` and a reference to it. The same item in several cartons is one entry
//! and several references. A range of marks is as many cartons. Which of the seven structures it is
//! follows from the levels themselves. The way back is in `ship_notice_tree`.

use std::collections::BTreeMap;

use super::decimal::whole;
use super::loss::{LossKind, Report, Trace, Way};
use super::marks::{nth_mark, range};
use super::rows::{Row, Via};
use super::tree::Tree;
use super::walk::Walk;
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
pub(super) struct Place {
    /// The letters of the levels around it.
    pub(super) letters: String,
    /// The order's number, and the level that says it.
    pub(super) order: Option<(String, String)>,
    pub(super) pallet: Option<usize>,
    pub(super) carton: Option<usize>,
    pub(super) item: Option<Entry>,
}

/// What was shipped of an item, as an entry of `shippedItems`.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) index: usize,
    /// The level that it is of.
    pub(super) level: String,
    pub(super) amount: Option<i64>,
    pub(super) unit: Option<String>,
    pub(super) cartons: u64,
}

#[derive(Default)]
pub(super) struct Made {
    /// The letters of the levels that may stand in each other.
    structure: &'static str,
    cartons: usize,
    /// The level of each.
    pallets: Vec<String>,
    pub(super) items: usize,
    /// Items that were walked, also those that became one entry.
    pub(super) visited: usize,
    /// What an entry says beside its quantity → its index.
    pub(super) entries: BTreeMap<String, usize>,
    /// The marks of a pallet or carton → its index, and the level that had them first.
    known: BTreeMap<String, (usize, String)>,
    /// The document as it was.
    before: Tree,
}

fn letter(level: &str) -> &'static str {
    match level {
        "shipment" => "S",
        "order" => "O",
        "tare" => "T",
        "pack" => "P",
        "item" => "I",
        _ => "",
    }
}

/// The first structure that the longest way down fits into; without one the first of all.
fn structure_of(chain: &str) -> &'static str {
    let found = STRUCTURES.iter().find(|(all, _)| is_within(chain, all));
    found.unwrap_or(&STRUCTURES[0]).0
}

/// Whether some letters stand in others, in that order.
fn is_within(some: &str, all: &str) -> bool {
    let mut all = all.chars();
    some.chars().all(|one| all.any(|other| other == one))
}

/// A record of one notice.
#[must_use]
pub fn to_api(notice: &ShipNotice, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new("ship_notice", Way::ToApi, tree(notice), context);
    walk.purpose_to_api();
    let shipment = "levels[0]";
    let is_shipment = walk.ours.text("levels[0].level").as_deref() == Some("shipment");
    let top = Place {
        letters: "S".into(),
        ..Default::default()
    };
    let chain = walk.chain();
    if let Some((structure, _)) = codes::theirs("shipment_structure", &chain) {
        walk.make("shipmentStructure", structure, "levels");
    }
    let derived = STRUCTURES
        .iter()
        .find(|(codes, _)| *codes == chain)
        .map(|(_, code)| *code);
    if let Some(derived) = derived {
        walk.said_if("structure", derived, "");
    }
    if is_shipment {
        walk.said("levels[0].level", "");
        walk.shipment_to_api(shipment);
    } else if walk.ours.has("levels[0].level") {
        walk.refuse("levels[0].level");
    }
    walk.rows_to_api(&ROWS);
    walk.now("shipmentConfirmationDate");
    walk.vendor_code("sellingParty");
    walk.vendor_code("shipFromParty");
    let mut made = Made {
        structure: structure_of(&chain),
        before: walk.ours.clone(),
        ..Default::default()
    };
    if is_shipment {
        walk.children(shipment, &top, &mut made);
    }
    for n in 1..notice.levels.len().max(1) {
        walk.refuse(&format!("levels[{n}].level"));
    }
    for (n, level) in made.pallets.iter().enumerate() {
        let references = format!("pallets[{n}].cartonReferenceDetails");
        let list = format!("{references}.cartonReferenceNumbers");
        let count = walk.theirs.len(&list);
        if count > 0 {
            let kind = format!("{level}.level");
            walk.make(&format!("{references}.cartonCount"), count, &kind);
        }
    }
    walk.end_to_api()
}

impl Walk<'_> {
    fn purpose_to_api(&mut self) {
        let kind = "shipmentConfirmationType";
        self.over("purpose", kind, Via::Code("confirmation"));
        if self.ours.has("purpose") {
            self.refuse("purpose");
        } else if !self.theirs.has(kind) {
            self.add(LossKind::Synthesised, kind, "Original");
        }
    }

    /// The letters of the levels down to the first of the deepest.
    fn chain(&self) -> String {
        fn deepest(level: &Value, above: &str, best: &mut String) {
            let kind = level["level"].as_str().unwrap_or_default();
            let chain = format!("{above}{}", letter(kind));
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

    pub(super) fn children(&mut self, level: &str, place: &Place, made: &mut Made) {
        let list = format!("{level}.levels");
        for n in 0..self.ours.len(&list) {
            self.level_to_api(&format!("{list}[{n}]"), place, made);
        }
    }

    fn level_to_api(&mut self, level: &str, place: &Place, made: &mut Made) {
        let mut place = place.clone();
        let word = self
            .ours
            .text(&format!("{level}.level"))
            .unwrap_or_default();
        place.letters.push_str(letter(&word));
        if letter(&word).is_empty() || !is_within(&place.letters, made.structure) {
            return self.refuse(&format!("{level}.level"));
        }
        match word.as_str() {
            "order" => self.order_to_api(level, place, made),
            "tare" => {
                let index = match self.known(level, 'T', made.pallets.len(), made) {
                    Some(index) => index,
                    None => {
                        made.pallets.push(level.to_owned());
                        made.pallets.len() - 1
                    }
                };
                let pallet = format!("pallets[{index}]");
                place.pallet = Some(index);
                self.pallet_to_api(level, &pallet);
                self.children(level, &place, made);
                if self.theirs.has(&pallet) {
                    self.said(&format!("{level}.level"), &pallet);
                }
            }
            "pack" => self.pack_to_api(level, place, made),
            "item" => self.item_to_api(level, place, made),
            _ => {}
        }
    }

    /// An order is said with its items; one of which nothing is shipped is not said.
    fn order_to_api(&mut self, level: &str, mut place: Place, made: &mut Made) {
        let number = format!("{level}.order.number");
        place.order = self
            .ours
            .text(&number)
            .map(|number| (number, level.to_owned()));
        let before = made.visited;
        self.children(level, &place, made);
        if made.visited > before && place.order.is_some() {
            self.ours.take(&number);
            self.ours.take(&format!("{level}.level"));
        }
    }

    /// The place of a pallet or carton whose marks stood before: of several orders, it stands under
    /// each. What it says again is taken out.
    fn known(&mut self, level: &str, letter: char, next: usize, made: &mut Made) -> Option<usize> {
        let marks = made.before.get(&format!("{level}.marks"))?;
        let key = format!("{letter}{marks}");
        match made.known.get(&key) {
            Some((index, first)) => {
                self.same_as(first, level, &made.before);
                Some(*index)
            }
            None => {
                made.known.insert(key, (next, level.to_owned()));
                None
            }
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
        self.size_to_api(&pallet, theirs, "length");
        let gross = format!("{pallet}.gross_weight");
        self.measure_to_api(&gross, &format!("{theirs}.weight"), "weight");
    }

    /// Three lengths in one unit.
    pub(super) fn size_to_api(&mut self, ours: &str, theirs: &str, table: &'static str) {
        let names = ["length", "width", "height"];
        let unit = format!("{ours}.dimension_unit");
        let known = self
            .ours
            .text(&unit)
            .is_some_and(|word| codes::theirs(table, &word).is_some());
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
                Via::Code(table),
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
                    let (kind_at, number) = (
                        format!("{id}.containerIdentificationType"),
                        format!("{id}.containerIdentificationNumber"),
                    );
                    self.make(&kind_at, kind, &format!("{at}.qualifier"));
                    self.make(&number, mark, &format!("{at}.first"));
                    if r > 0 && nth == 0 {
                        self.note(LossKind::Split, &format!("{at}.first"), &first);
                    }
                    if !same && nth == 0 {
                        self.note(LossKind::Dropped, &format!("{at}.qualifier"), word);
                    }
                } else if word == "carrier_package"
                    && theirs.starts_with("cartons")
                    && !self.theirs.has(&tracking)
                {
                    self.make(&tracking, mark, &format!("{at}.first"));
                    self.trace(&format!("{at}.qualifier"), &tracking);
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
                let several = |last: String| range(&first, &last).is_some_and(|count| count > 1);
                let whole = part("last").is_some_and(several);
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
    pub(super) fn cartons_of(&self, level: &str) -> u64 {
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
        let first = made.cartons;
        let kind = format!("{level}.level");
        if count == 1
            && place.item.is_none()
            && let Some(index) = self.known(level, 'P', first, made)
        {
            self.trace(&kind, &format!("cartons[{index}]"));
            self.ours.take(&kind);
            place.carton = Some(index);
            return self.children(level, &place, made);
        }
        for nth in 0..count {
            self.carton_to_api(level, &place, made.cartons, nth);
            made.cartons += 1;
        }
        self.ours.take(&kind);
        self.marks_are_said(level, true);
        let carton = format!("cartons[{first}]");
        let pack = format!("{level}.pack");
        self.size_to_api(&pack, &carton, "length");
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
        self.children(level, &place, made);
    }

    /// One carton of a pack: the `nth` of those that its marks stand for.
    fn carton_to_api(&mut self, level: &str, place: &Place, index: usize, nth: u64) {
        let kind = format!("{level}.level");
        let carton = format!("cartons[{index}]");
        let sequence = format!("{:03}", index + 1);
        let own = format!("{carton}.cartonSequenceNumber");
        self.make(&own, sequence.as_str(), &kind);
        self.trace(&kind, &carton);
        self.marks_to_api(level, &format!("{carton}.cartonIdentifiers"), &carton, nth);
        if let Some(pallet) = place.pallet {
            let list = format!("pallets[{pallet}].cartonReferenceDetails.cartonReferenceNumbers");
            let place = format!("{list}[{}]", self.theirs.len(&list));
            self.make(&place, sequence, &kind);
        }
        let Some(entry) = &place.item else { return };
        let cartons = entry.cartons.max(1) as i64;
        let share = entry.amount.filter(|amount| amount % cartons == 0);
        if let (None, Some(said)) = (share, entry.amount) {
            let amount = format!("{}.item.quantity.value", entry.level);
            self.note(LossKind::Refused, &amount, said);
        }
        let entry = Entry {
            amount: share.map(|amount| amount / cartons),
            ..entry.clone()
        };
        self.refer(&format!("{carton}.items"), &entry);
    }

    /// What several cartons hold alike: each has its share.
    fn shared_children(&mut self, level: &str, place: &Place, made: &mut Made, count: u64) {
        let Some(first) = place.carton else { return };
        self.children(level, place, made);
        let items = format!("cartons[{first}].items");
        for n in 0..self.theirs.len(&items) {
            let amount = format!("{items}[{n}].shippedQuantity.amount");
            let all = self
                .theirs
                .text(&amount)
                .and_then(|text| whole(&text))
                .unwrap_or_default();
            if all % count as i64 != 0 {
                let of = |trace: &&Trace| trace.theirs == amount;
                let ours = self
                    .report
                    .traces
                    .iter()
                    .find(of)
                    .map(|trace| trace.ours.clone());
                return self.note(LossKind::Refused, &ours.unwrap_or_default(), all);
            }
            self.theirs.put(&amount, all / count as i64);
        }
        let copy = self.theirs.get(&items).cloned().unwrap_or_default();
        for n in 1..count as usize {
            let other = format!("cartons[{}].items", first + n);
            self.theirs.put(&other, copy.clone());
            self.report.copied(&items, &other);
        }
    }
}
