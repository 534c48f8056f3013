//! The acknowledgment: an 855's answer to an order ⇄ what `submitAcknowledgement` takes.
//!
//! The API has no answer to a whole order: one without lines is expanded from the order that it
//! answers. A quantity that was lowered leaves a remainder, which is refused in so many words. An
//! answer that the API has no word for (a substitute, a hold) is not sent: a person decides.

use super::decimal::whole;
use super::loss::{LossKind, Report, Way};
use super::parts::ORDERS;
use super::rows::{Row, Via};
use super::walk::Walk;
use super::{Context, codes, document, tree};
use crate::canonical::PurchaseOrderAcknowledgment;
use serde_json::Value;

const ROWS: [Row; 10] = [
    Row("order_number", "purchaseOrderNumber", Via::Text),
    Row("acknowledged_on", "acknowledgementDate", Via::Date),
    Row("lines[].number", "items[].itemSequenceNumber", Via::Text),
    Row(
        "lines[].quantity.value",
        "items[].orderedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].quantity.unit",
        "items[].orderedQuantity.unitOfMeasure",
        Via::Unit("unit"),
    ),
    Row(
        "lines[].packs[0].packs",
        "items[].orderedQuantity.unitSize",
        Via::Count,
    ),
    Row(
        "lines[].quantity.pack_size",
        "items[].orderedQuantity.unitSize",
        Via::Count,
    ),
    Row(
        "lines[].acknowledgments[].quantity.value",
        "items[].itemAcknowledgements[].acknowledgedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].acknowledgments[].quantity.unit",
        "items[].itemAcknowledgements[].acknowledgedQuantity.unitOfMeasure",
        Via::Unit("unit"),
    ),
    Row(
        "lines[].acknowledgments[].quantity.pack_size",
        "items[].itemAcknowledgements[].acknowledgedQuantity.unitSize",
        Via::Count,
    ),
];

/// X12 374 of what happens when.
const DATES: [(&str, &str); 2] = [
    ("068", "scheduledShipDate"),
    ("067", "scheduledDeliveryDate"),
];
const CHANGED: &str = "accepted_with_detail_and_change";
const UNCHANGED: &str = "accepted_with_detail_no_change";
const ASIN: &str = "amazonProductIdentifier";

/// A request that answers one order. One answer a request: its outcome is told once for all.
#[must_use]
pub fn to_api(answer: &PurchaseOrderAcknowledgment, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new("acknowledgment", Way::ToApi, tree(answer), context);
    walk.said_if("purpose", "original", "");
    if answer.lines.is_empty() {
        walk.expand();
    }
    walk.rows_to_api(&ROWS);
    walk.party_to_api("vendor", "sellingParty", ORDERS);
    let stored = context
        .order
        .as_ref()
        .and_then(|order| order.vendor_number.clone());
    if let Some(code) = stored.filter(|_| !walk.theirs.has("sellingParty.partyId")) {
        walk.add(LossKind::Synthesised, "sellingParty.partyId", code);
    }
    walk.vendor_code("sellingParty");
    walk.now("acknowledgementDate");
    for n in 0..walk.ours.len("lines") {
        let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
        walk.ids_to_api(&ours, &theirs, ASIN);
        walk.prices_to_api(&ours, &theirs);
        walk.multiplier_to_api(&ours, &theirs);
        let lowered = walk.answers_to_api(&ours, &theirs);
        if lowered {
            walk.refuse_remainder(&theirs);
        }
        if walk.theirs.len(&format!("{theirs}.itemAcknowledgements")) == 0 {
            walk.theirs.put(
                &format!("{theirs}.itemAcknowledgements"),
                serde_json::json!([]),
            );
        }
    }
    let derived = walk.derived_status();
    walk.said_if("status", derived, "");
    walk.end_to_api()
}

/// One answer of a request, as an acknowledgment.
#[must_use]
pub fn from_api(answer: Value, context: &Context) -> (PurchaseOrderAcknowledgment, Report) {
    let mut walk = Walk::of("acknowledgment", "OrderAcknowledgement", answer, context);
    walk.add(LossKind::Synthesised, "purpose", "original");
    let derived = walk.derived_status();
    walk.add(LossKind::Inferred, "status", derived);
    walk.rows_from_api(&ROWS);
    walk.ordered_on();
    walk.party_from_api("vendor", "sellingParty", ORDERS);
    for n in 0..walk.theirs.len("items") {
        let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
        walk.ids_from_api(&ours, &theirs, ASIN);
        walk.prices_from_api(&ours, &theirs);
        let multiplier = format!(
            "{ours}.prices[{}]",
            walk.ours.len(&format!("{ours}.prices"))
        );
        let theirs_multiplier = format!("{theirs}.discountMultiplier");
        if walk.theirs.has(&theirs_multiplier) {
            walk.back(
                &format!("{multiplier}.multiplier"),
                &theirs_multiplier,
                Via::Decimal,
            );
            if walk.ours.has(&multiplier) {
                let kind = format!("{multiplier}.kind");
                walk.means(&kind, "discount", &theirs_multiplier);
            }
        }
        walk.answers_from_api(&ours, &theirs);
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("SE");
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    /// The day of the order that is answered: where nobody has the order, that of the answer.
    pub(super) fn ordered_on(&mut self) {
        let order = self.context.order.as_ref();
        let known = order.and_then(|order| Some(order.ordered_on?.to_string()));
        let day = known.or_else(|| self.ours.text("acknowledged_on"));
        if let Some(day) = day {
            self.add(LossKind::Inferred, "ordered_on", day);
        }
    }

    /// Lines for an answer that has none, from the order that it answers.
    fn expand(&mut self) {
        let Some(status) = self.ours.text("status") else {
            return;
        };
        let word = match status.as_str() {
            "accepted" | "accepted_no_detail_or_change" | CHANGED | UNCHANGED => "accepted",
            "rejected_no_detail" | "rejected_with_detail" => "rejected",
            _ => return self.refuse("status"),
        };
        let Some(order) = self.context.order.clone() else {
            return self.refuse("status");
        };
        self.ours.take("status");
        self.note(LossKind::Split, "status", status);
        for (n, line) in order.lines.iter().enumerate() {
            let path = format!("lines[{n}]");
            let copy = tree(line);
            let said = |name: &str| {
                let root = name.split(['.', '[']).next().unwrap_or(name);
                matches!(root, "number" | "quantity" | "price" | "ids")
                    && !name.ends_with("pack_size")
            };
            for (name, value) in copy.leaves().into_iter().filter(|(name, _)| said(name)) {
                self.expand_to(format!("{path}.{name}"), value);
            }
            let answer = format!("{path}.acknowledgments[0]");
            self.expand_to(format!("{answer}.status"), word.into());
            for part in ["value", "unit"] {
                if let Some(value) = self.ours.text(&format!("{path}.quantity.{part}")) {
                    self.expand_to(format!("{answer}.quantity.{part}"), value);
                }
            }
        }
    }

    fn expand_to(&mut self, ours: String, value: String) {
        self.ours.put(&ours, value);
        self.expanded.insert(ours);
    }

    fn multiplier_to_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.ours.len(&format!("{ours}.prices")) {
            let price = format!("{ours}.prices[{n}]");
            let place = format!("{theirs}.discountMultiplier");
            if self.ours.text(&format!("{price}.kind")).as_deref() == Some("discount")
                && self.ours.has(&format!("{price}.multiplier"))
                && !self.theirs.has(&place)
            {
                self.over(&format!("{price}.multiplier"), &place, Via::Decimal);
                self.said(&format!("{price}.kind"), &place);
            }
        }
    }

    /// What is said to the parts of a line; whether one was lowered.
    fn answers_to_api(&mut self, ours: &str, theirs: &str) -> bool {
        let mut lowered = false;
        for n in 0..self.ours.len(&format!("{ours}.acknowledgments")) {
            let answer = format!("{ours}.acknowledgments[{n}]");
            let place = format!("{theirs}.itemAcknowledgements[{n}]");
            if let Some(word) = self.ours.text(&format!("{answer}.status")) {
                lowered |= word == "accepted_quantity_changed";
                self.answer_to_api(&format!("{answer}.status"), &place, &word);
            }
            let qualifier = format!("{answer}.qualifier");
            let said = self.ours.text(&qualifier);
            let date = DATES
                .iter()
                .find(|(code, _)| Some(*code) == said.as_deref());
            if let Some((_, name)) = date {
                let (moment, date) = (format!("{answer}.moment"), format!("{place}.{name}"));
                self.over(&moment, &date, Via::Moment);
                if self.theirs.has(&date) && !self.ours.has(&moment) {
                    self.said(&qualifier, &date);
                }
            }
        }
        lowered
    }

    fn answer_to_api(&mut self, ours: &str, theirs: &str, word: &str) {
        let place = format!("{theirs}.acknowledgementCode");
        let Some((said, same)) = codes::theirs("acknowledgment", word) else {
            return self.refuse(ours);
        };
        self.said(ours, &place);
        let (code, reason) = said.split_once('/').unwrap_or((said, ""));
        self.theirs.put(&place, code);
        if !reason.is_empty() {
            let path = format!("{theirs}.rejectionReason");
            self.add(LossKind::Inferred, &path, reason);
            self.trace(ours, &path);
        }
        if !same || said == "Rejected" {
            self.note(LossKind::Dropped, ours, word);
        }
    }

    /// What was ordered and is said nothing of is refused.
    fn refuse_remainder(&mut self, theirs: &str) {
        let answers = format!("{theirs}.itemAcknowledgements");
        let count = self.theirs.len(&answers);
        let amount = |walk: &Self, path: String| whole(&walk.theirs.text(&path)?);
        let Some(ordered) = amount(self, format!("{theirs}.orderedQuantity.amount")) else {
            return;
        };
        let said = |n| amount(self, format!("{answers}[{n}].acknowledgedQuantity.amount"));
        let Some(said) = (0..count).map(said).sum::<Option<i64>>() else {
            return;
        };
        let Some(left) = ordered.checked_sub(said).filter(|left| *left > 0) else {
            return;
        };
        let rest = format!("{answers}[{count}]");
        let quantity = format!("{rest}.acknowledgedQuantity");
        let code = format!("{rest}.acknowledgementCode");
        self.add(LossKind::Synthesised, &code, "Rejected");
        self.add(LossKind::Synthesised, &format!("{quantity}.amount"), left);
        if let Some(unit) = self
            .theirs
            .text(&format!("{theirs}.orderedQuantity.unitOfMeasure"))
        {
            let place = format!("{quantity}.unitOfMeasure");
            self.add(LossKind::Synthesised, &place, unit);
        }
    }

    fn answers_from_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.theirs.len(&format!("{theirs}.itemAcknowledgements")) {
            let answer = format!("{ours}.acknowledgments[{n}]");
            let place = format!("{theirs}.itemAcknowledgements[{n}]");
            self.answer_from_api(&format!("{answer}.status"), &place);
            for (code, name) in DATES {
                let date = format!("{place}.{name}");
                let qualifier = format!("{answer}.qualifier");
                if self.theirs.has(&date) && !self.ours.has(&qualifier) {
                    self.back(&format!("{answer}.moment"), &date, Via::Moment);
                    if self.ours.has(&format!("{answer}.moment")) {
                        self.means(&qualifier, code, &date);
                    }
                }
            }
        }
    }

    fn answer_from_api(&mut self, ours: &str, theirs: &str) {
        let (code, reason) = (
            format!("{theirs}.acknowledgementCode"),
            format!("{theirs}.rejectionReason"),
        );
        let Some(said) = self.theirs.text(&code) else {
            return;
        };
        let why = self.theirs.text(&reason);
        let whole = why.map(|why| format!("{}/{}", said.trim(), why.trim()));
        let found = whole.and_then(|whole| codes::ours("acknowledgment", &whole));
        let (word, exact) = match found.or_else(|| codes::ours("acknowledgment", &said)) {
            // X12 has no plain refusal: what is refused without a reason may be had again.
            Some(("rejected_invalid_unit", exact)) => {
                self.note(LossKind::Inferred, ours, "rejected");
                ("rejected", exact)
            }
            Some(word) => word,
            None => return,
        };
        for path in [&code, &reason] {
            if let Some(text) = self.theirs.text(path).filter(|_| !exact) {
                self.note(LossKind::Normalised, path, text);
            }
        }
        self.means(ours, word, &code);
        self.theirs.take(&code);
        if found.is_some() {
            self.trace(ours, &reason);
            self.theirs.take(&reason);
        }
    }

    /// Whether anything was changed, as the lines of the API say.
    fn derived_status(&self) -> &'static str {
        let full = |n: usize| {
            let item = format!("items[{n}]");
            let text = |path: String| self.theirs.text(&path);
            let answers = self.theirs.len(&format!("{item}.itemAcknowledgements"));
            let one = format!("{item}.itemAcknowledgements[0]");
            let code = text(format!("{one}.acknowledgementCode")).unwrap_or_default();
            answers == 1
                && code.eq_ignore_ascii_case("accepted")
                && text(format!("{one}.acknowledgedQuantity.amount"))
                    == text(format!("{item}.orderedQuantity.amount"))
        };
        match (0..self.theirs.len("items")).all(full) {
            true => UNCHANGED,
            false => CHANGED,
        }
    }
}
