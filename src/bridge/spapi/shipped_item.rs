//! An item of a ship notice on its way to the API: an entry of what is shipped, and a reference to it
//! from each carton or pallet that holds some.

use super::decimal::whole;
use super::loss::LossKind;
use super::rows::Via;
use super::ship_notice::{ASIN, EXPIRY, Entry, Made, Place};
use super::tree::Tree;
use super::walk::Walk;

impl Walk<'_> {
    pub(super) fn refer(&mut self, list: &str, entry: &Entry) {
        let place = format!("{list}[{}]", self.theirs.len(list));
        let (kind, quantity) = (
            format!("{}.level", entry.level),
            format!("{}.item.quantity", entry.level),
        );
        let reference = format!("{:03}", entry.index + 1);
        self.make(&format!("{place}.itemReference"), reference, &kind);
        self.trace(&kind, &place);
        let shipped = format!("{place}.shippedQuantity");
        if let Some(amount) = entry.amount {
            self.make(
                &format!("{shipped}.amount"),
                amount,
                &format!("{quantity}.value"),
            );
        }
        if let Some(unit) = &entry.unit {
            let place = format!("{shipped}.unitOfMeasure");
            self.make(&place, unit.as_str(), &format!("{quantity}.unit"));
        }
    }

    pub(super) fn item_to_api(&mut self, level: &str, mut place: Place, made: &mut Made) {
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
        if let Some((order, level)) = &place.order {
            let place = format!("{entry}.itemDetails.purchaseOrderNumber");
            self.make(&place, order.trim(), &format!("{level}.order.number"));
            self.trace(&format!("{level}.level"), &place);
        }
        self.reference_to_api(
            &format!("{level}.references"),
            "LT",
            &format!("{entry}.itemDetails.lotNumber"),
        );
        self.expiry_to_api(level, &entry);
        made.visited += 1;
        let held = place.carton.is_some() || place.pallet.is_some() || cartons > 0;
        let shipped = self.entry(level, made, held, cartons);
        if !held {
            let kind = format!("{level}.level");
            self.trace(&kind, &format!("shippedItems[{}]", shipped.index));
        }
        self.ours.take(&format!("{level}.level"));
        if cartons > 0 {
            place.item = Some(shipped);
            place.carton = None;
        } else if let Some(carton) = place.carton {
            self.refer(&format!("cartons[{carton}].items"), &shipped);
        } else if let Some(pallet) = place.pallet {
            self.refer(&format!("pallets[{pallet}].items"), &shipped);
        }
        self.children(level, &place, made);
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
                        self.said(&format!("{date}.qualifier"), &theirs);
                    }
                }
            }
        }
    }

    /// The entry that was just made, or the one before it that says the same; then they are one.
    fn entry(&mut self, level: &str, made: &mut Made, held: bool, cartons: u64) -> Entry {
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
        let mut key = Tree(self.theirs.get(&this).cloned().unwrap_or_default());
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
                self.report.merged(&this, &place(index));
                index
            }
            None => {
                let sequence = format!("{:03}", made.items + 1);
                let kind = format!("{level}.level");
                self.make(&format!("{this}.itemSequenceNumber"), sequence, &kind);
                if held {
                    made.entries.insert(key, made.items);
                }
                made.items += 1;
                made.items - 1
            }
        };
        Entry {
            index,
            level: level.to_owned(),
            amount,
            unit,
            cartons,
        }
    }
}
