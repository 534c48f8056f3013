//! The acknowledgment: an 855's answer to an order ⇄ what `submitAcknowledgement` takes.
//!
//! The API has no answer to a whole order: one without lines is expanded from the order that it
//! answers. A quantity that was lowered leaves a remainder, which is refused in so many words. An
//! answer that the API has no word for (a substitute, a hold) is not sent: a person decides.

use super::loss::{Loss, LossKind, Way};
use super::parts::ORDERS;
use super::rows::{Row, Via, Walk, whole};
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
pub fn to_api(answer: &PurchaseOrderAcknowledgment, context: &Context) -> (Value, Vec<Loss>) {
    let mut walk = Walk::new("acknowledgment", Way::ToApi, tree(answer), context);
    walk.ours.take_if("purpose", "original");
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
        walk.note(LossKind::Synthesised, "sellingParty.partyId", &code);
        walk.theirs.put("sellingParty.partyId", code);
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
    if let Some(status) = walk.ours.take("status").filter(|status| status != derived) {
        walk.note(LossKind::Dropped, "status", status);
    }
    walk.end_to_api()
}

/// One answer of a request, as an acknowledgment.
#[must_use]
pub fn from_api(answer: Value, context: &Context) -> (PurchaseOrderAcknowledgment, Vec<Loss>) {
    let mut walk = Walk::of("acknowledgment", "OrderAcknowledgement", answer, context);
    walk.constant("purpose", "original");
    let derived = walk.derived_status();
    walk.ours.put("status", derived);
    walk.note(LossKind::Inferred, "status", derived);
    walk.rows_from_api(&ROWS);
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
                walk.ours.put(&format!("{multiplier}.kind"), "discount");
            }
        }
        walk.answers_from_api(&ours, &theirs);
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("SE");
    }
    let (value, mut losses) = walk.end_from_api();
    (document(value, &mut losses), losses)
}

impl Walk<'_> {
    /// Lines for an answer that has none, from the order that it answers.
    fn expand(&mut self) {
        let Some(status) = self.ours.take("status") else {
            return;
        };
        let word = match status.as_str() {
            "accepted" | "accepted_no_detail_or_change" | CHANGED | UNCHANGED => "accepted",
            "rejected_no_detail" | "rejected_with_detail" => "rejected",
            _ => return self.note(LossKind::Refused, "status", status),
        };
        let Some(order) = self.context.order.clone() else {
            return self.note(LossKind::Refused, "status", status);
        };
        self.note(LossKind::Split, "status", status);
        for (n, line) in order.lines.iter().enumerate() {
            let path = format!("lines[{n}]");
            let mut copy = tree(line);
            for unsaid in ["charges", "notes", "references", "dates", "descriptions"] {
                copy.clear(unsaid);
            }
            let kept = ["number", "quantity", "price", "ids"];
            for (name, value) in copy.leaves() {
                if kept.iter().any(|kept| name.starts_with(kept)) && !name.ends_with("pack_size") {
                    self.ours.put(&format!("{path}.{name}"), value.clone());
                    self.note(LossKind::Synthesised, &format!("items[{n}]"), value);
                }
            }
            let answer = format!("{path}.acknowledgments[0]");
            self.ours.put(&format!("{answer}.status"), word);
            for part in ["value", "unit"] {
                if let Some(value) = self.ours.text(&format!("{path}.quantity.{part}")) {
                    self.ours.put(&format!("{answer}.quantity.{part}"), value);
                }
            }
            self.note(LossKind::Synthesised, &format!("items[{n}]"), word);
        }
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
                self.ours.take(&format!("{price}.kind"));
            }
        }
    }

    /// What is said to the parts of a line; whether one was lowered.
    fn answers_to_api(&mut self, ours: &str, theirs: &str) -> bool {
        let mut lowered = false;
        for n in 0..self.ours.len(&format!("{ours}.acknowledgments")) {
            let answer = format!("{ours}.acknowledgments[{n}]");
            let place = format!("{theirs}.itemAcknowledgements[{n}]");
            if let Some(word) = self.ours.take(&format!("{answer}.status")) {
                lowered |= word == "accepted_quantity_changed";
                self.answer_to_api(&format!("{answer}.status"), &place, &word);
            }
            let qualifier = format!("{answer}.qualifier");
            let said = self.ours.text(&qualifier);
            let date = DATES
                .iter()
                .find(|(code, _)| Some(*code) == said.as_deref());
            if let Some((_, name)) = date {
                let moment = format!("{answer}.moment");
                self.over(&moment, &format!("{place}.{name}"), Via::Moment);
                if !self.ours.has(&moment) {
                    self.ours.take(&qualifier);
                }
            }
        }
        lowered
    }

    fn answer_to_api(&mut self, ours: &str, theirs: &str, word: &str) {
        let Some((said, same)) = codes::theirs("acknowledgment", word) else {
            return self.note(LossKind::Refused, ours, word);
        };
        let (code, reason) = said.split_once('/').unwrap_or((said, ""));
        self.theirs
            .put(&format!("{theirs}.acknowledgementCode"), code);
        if !reason.is_empty() {
            let path = format!("{theirs}.rejectionReason");
            self.theirs.put(&path, reason);
            self.note(LossKind::Inferred, &path, reason);
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
        self.theirs
            .put(&format!("{rest}.acknowledgementCode"), "Rejected");
        self.note(
            LossKind::Synthesised,
            &format!("{rest}.acknowledgementCode"),
            "Rejected",
        );
        self.theirs.put(&format!("{quantity}.amount"), left);
        self.note(LossKind::Synthesised, &format!("{quantity}.amount"), left);
        if let Some(unit) = self
            .theirs
            .text(&format!("{theirs}.orderedQuantity.unitOfMeasure"))
        {
            self.note(
                LossKind::Synthesised,
                &format!("{quantity}.unitOfMeasure"),
                &unit,
            );
            self.theirs.put(&format!("{quantity}.unitOfMeasure"), unit);
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
                        self.ours.put(&qualifier, code);
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
        if found.is_some() {
            self.theirs.take(&reason);
        }
        let word = match found.or_else(|| codes::ours("acknowledgment", &said)) {
            Some(("rejected_invalid_unit", _)) => ("rejected", false),
            Some(word) => word,
            None => return,
        };
        self.theirs.take(&code);
        self.ours.put(ours, word.0);
        if !word.1 {
            self.note(LossKind::Inferred, ours, word.0);
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
