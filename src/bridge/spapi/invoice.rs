//! The invoice: an 810, or a credit ⇄ what `submitInvoices` takes.
//!
//! The API has an order's number on every line; an 810 has it at its head, and where a line is of
//! another order, with the line (REF PO). Charges and allowances are lists of their own there. A
//! charge of a code that no word stands for is not sent: a person decides.

use super::loss::{Loss, LossKind, Way};
use super::parts::INVOICES;
use super::rows::{Row, Via, Walk};
use super::site::OrdersPerInvoice;
use super::{Context, codes, document, tree};
use crate::canonical::Invoice;
use serde_json::Value;

const ROWS: [Row; 14] = [
    Row("number", "id", Via::Text),
    Row("invoiced_on", "date", Via::Date),
    Row("terms[0].kind", "paymentTerms.type", Via::Code("terms")),
    Row(
        "terms[0].discount_percent",
        "paymentTerms.discountPercent",
        Via::Decimal,
    ),
    Row(
        "terms[0].discount_days",
        "paymentTerms.discountDueDays",
        Via::Count,
    ),
    Row("terms[0].net_days", "paymentTerms.netDueDays", Via::Count),
    Row("taxes[].kind", "taxDetails[].taxType", Via::Code("tax")),
    Row("taxes[].percent", "taxDetails[].taxRate", Via::Decimal),
    Row(
        "lines[].quantity.value",
        "items[].invoicedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].quantity.unit",
        "items[].invoicedQuantity.unitOfMeasure",
        Via::Unit("unit"),
    ),
    Row(
        "lines[].quantity.pack_size",
        "items[].invoicedQuantity.unitSize",
        Via::Count,
    ),
    Row(
        "lines[].price.unit",
        "items[].netCostUnitOfMeasure",
        Via::Code("total_weight"),
    ),
    Row(
        "lines[].taxes[].kind",
        "items[].taxDetails[].taxType",
        Via::Code("tax"),
    ),
    Row(
        "lines[].taxes[].percent",
        "items[].taxDetails[].taxRate",
        Via::Decimal,
    ),
];

const PARTIES: [(&str, &str); 4] = [
    ("remit_to", "remitToParty"),
    ("ship_to", "shipToParty"),
    ("ship_from", "shipFromParty"),
    ("bill_to", "billToParty"),
];

const ASIN: &str = "amazonProductIdentifier";
/// X12 128: the order's number.
const ORDER: &str = "PO";

/// The two lists that an 810 has as one: our word, their list, their amount, the code table.
const CHARGES: [(&str, &str, &str, &str); 2] = [
    ("charge", "chargeDetails", "chargeAmount", "charge"),
    (
        "allowance",
        "allowanceDetails",
        "allowanceAmount",
        "allowance",
    ),
];

/// A request with one invoice: the outcome of several is told once for all.
#[must_use]
pub fn to_api(invoice: &Invoice, context: &Context) -> (Value, Vec<Loss>) {
    let mut walk = Walk::new("invoice", Way::ToApi, tree(invoice), context);
    walk.kind_to_api();
    walk.rows_to_api(&ROWS);
    for (ours, theirs) in PARTIES {
        walk.party_to_api(ours, theirs, INVOICES);
    }
    walk.now("date");
    walk.money_to_api("totals.total", "", "invoiceTotal");
    walk.taxes_to_api("", "");
    walk.charges_to_api("", "");
    walk.cartons_to_api();
    let header = walk.ours.text("order_number");
    let mut orders = std::collections::BTreeSet::new();
    let mut copied = false;
    for n in 0..invoice.lines.len() {
        let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
        walk.line_number_to_api(&ours, &theirs, n);
        walk.ids_to_api(&ours, &theirs, ASIN);
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        walk.money_to_api(&amount, &own, &format!("{theirs}.netCost"));
        walk.ours
            .take_if(&format!("{ours}.price.basis"), "per_each");
        walk.taxes_to_api(&format!("{ours}."), &format!("{theirs}."));
        walk.charges_to_api(&format!("{ours}."), &format!("{theirs}."));
        let place = format!("{theirs}.purchaseOrderNumber");
        walk.order_of_line(&ours, &place);
        if let Some(order) = header.clone().filter(|_| !walk.theirs.has(&place)) {
            walk.theirs.put(&place, order.trim());
            copied = true;
        }
        orders.extend(walk.theirs.text(&place));
    }
    if let Some(order) = header.filter(|_| copied) {
        walk.ours.take("order_number");
        walk.note(LossKind::Split, "order_number", order);
    }
    if orders.len() > 1 && context.site.orders_per_invoice == Some(OrdersPerInvoice::One) {
        walk.note(LossKind::Refused, "lines.references", orders.len());
    }
    walk.end_to_api()
}

/// One invoice of a request.
#[must_use]
pub fn from_api(invoice: Value, context: &Context) -> (Invoice, Vec<Loss>) {
    let mut walk = Walk::of("invoice", "Invoice", invoice, context);
    walk.back("kind", "invoiceType", Via::Code("invoice_type"));
    if let Some(word) = walk.ours.text("kind") {
        walk.note(LossKind::Inferred, "kind", word);
    }
    walk.rows_from_api(&ROWS);
    for (ours, theirs) in PARTIES {
        walk.party_from_api(ours, theirs, INVOICES);
    }
    walk.money_from_api("totals.total", "", "invoiceTotal");
    walk.taxes_from_api("", "");
    walk.charges_from_api("", "");
    walk.cartons_from_api();
    let items = walk.theirs.len("items");
    let order =
        |walk: &Walk<'_>, n: usize| walk.theirs.text(&format!("items[{n}].purchaseOrderNumber"));
    let first = order(&walk, 0);
    let one = first.is_some() && (1..items).all(|n| order(&walk, n) == first);
    for n in 0..items {
        let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
        walk.back(
            &format!("{ours}.number"),
            &format!("{theirs}.itemSequenceNumber"),
            Via::Text,
        );
        walk.ids_from_api(&ours, &theirs, ASIN);
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        walk.money_from_api(&amount, &own, &format!("{theirs}.netCost"));
        if walk.ours.has(&amount) {
            let basis = format!("{ours}.price.basis");
            walk.ours.put(&basis, "per_each");
            walk.note(LossKind::Inferred, &basis, "per_each");
        }
        walk.taxes_from_api(&format!("{ours}."), &format!("{theirs}."));
        walk.charges_from_api(&format!("{ours}."), &format!("{theirs}."));
        let place = format!("{theirs}.purchaseOrderNumber");
        if one {
            walk.theirs.take(&place);
        } else {
            walk.reference_from_api(&format!("{ours}.references"), ORDER, &place);
        }
    }
    if let Some(order) = first.filter(|_| one) {
        walk.ours.put("order_number", order.trim());
        walk.note(LossKind::Inferred, "order_number", order);
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("SE");
    }
    let (value, mut losses) = walk.end_from_api();
    (document(value, &mut losses), losses)
}

impl Walk<'_> {
    fn kind_to_api(&mut self) {
        let place = "invoiceType";
        self.over("kind", place, Via::Code("invoice_type"));
        if !self.theirs.has(place) {
            self.theirs.put(place, "Invoice");
            self.note(LossKind::Synthesised, place, "Invoice");
        }
        let credit = self.theirs.text(place).as_deref() == Some("CreditNote");
        if credit && self.context.site.credit_notes == Some(false) {
            let site = self.context.site.name.clone();
            self.note(LossKind::Refused, "kind", site);
        }
    }

    /// The order that a line says it is of. It may come back at the head.
    fn order_of_line(&mut self, ours: &str, theirs: &str) {
        let list = format!("{ours}.references");
        for n in 0..self.ours.len(&list) {
            let (qualifier, id) = (format!("{list}[{n}].qualifier"), format!("{list}[{n}].id"));
            let is = self.ours.text(&qualifier).as_deref() == Some(ORDER);
            if let Some(order) = self
                .ours
                .text(&id)
                .filter(|_| is && !self.theirs.has(theirs))
            {
                self.over(&id, theirs, Via::Text);
                self.ours.take(&qualifier);
                self.note(LossKind::Split, &qualifier, ORDER);
                self.note(LossKind::Split, &id, order);
            }
        }
    }

    /// A line's number, if it is one; else its place.
    fn line_number_to_api(&mut self, ours: &str, theirs: &str, n: usize) {
        let (number, place) = (
            format!("{ours}.number"),
            format!("{theirs}.itemSequenceNumber"),
        );
        let text = self.ours.text(&number).unwrap_or_default();
        let whole = text
            .parse::<u32>()
            .ok()
            .filter(|number| number.to_string() == text);
        if let Some(whole) = whole {
            self.theirs.put(&place, whole);
            self.ours.take(&number);
        } else {
            self.theirs.put(&place, n + 1);
            self.note(LossKind::Synthesised, &place, n + 1);
        }
    }

    fn taxes_to_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.ours.len(&format!("{ours}taxes")) {
            let (tax, place) = (
                format!("{ours}taxes[{n}]"),
                format!("{theirs}taxDetails[{n}]"),
            );
            self.money_to_api(&format!("{tax}.amount"), "", &format!("{place}.taxAmount"));
            self.money_to_api(
                &format!("{tax}.basis"),
                "",
                &format!("{place}.taxableAmount"),
            );
        }
    }

    fn taxes_from_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.theirs.len(&format!("{theirs}taxDetails")) {
            let (tax, place) = (
                format!("{ours}taxes[{n}]"),
                format!("{theirs}taxDetails[{n}]"),
            );
            self.money_from_api(&format!("{tax}.amount"), "", &format!("{place}.taxAmount"));
            self.money_from_api(
                &format!("{tax}.basis"),
                "",
                &format!("{place}.taxableAmount"),
            );
        }
    }

    fn charges_to_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.ours.len(&format!("{ours}charges")) {
            let charge = format!("{ours}charges[{n}]");
            let kind = self
                .ours
                .text(&format!("{charge}.kind"))
                .unwrap_or_default();
            let Some((_, list, amount, table)) = CHARGES.into_iter().find(|row| row.0 == kind)
            else {
                continue;
            };
            let code = format!("{charge}.code");
            let said = self.ours.text(&code).unwrap_or_default();
            if codes::theirs(table, &said).is_none() {
                self.note(LossKind::Refused, &code, said);
                continue;
            }
            if !self.ours.has(&format!("{charge}.amount")) {
                continue;
            }
            let list = format!("{theirs}{list}");
            let place = format!("{list}[{}]", self.theirs.len(&list));
            self.ours.take(&format!("{charge}.kind"));
            self.over(&code, &format!("{place}.type"), Via::Code(table));
            self.over(
                &format!("{charge}.description"),
                &format!("{place}.description"),
                Via::Text,
            );
            self.money_to_api(
                &format!("{charge}.amount"),
                "",
                &format!("{place}.{amount}"),
            );
            for t in 0..self.ours.len(&format!("{charge}.taxes")) {
                let (tax, place) = (
                    format!("{charge}.taxes[{t}]"),
                    format!("{place}.taxDetails[{t}]"),
                );
                self.over(
                    &format!("{tax}.kind"),
                    &format!("{place}.taxType"),
                    Via::Code("tax"),
                );
                self.over(
                    &format!("{tax}.percent"),
                    &format!("{place}.taxRate"),
                    Via::Decimal,
                );
            }
            self.taxes_to_api(&format!("{charge}."), &format!("{place}."));
        }
    }

    fn charges_from_api(&mut self, ours: &str, theirs: &str) {
        for (kind, list, amount, table) in CHARGES {
            let list = format!("{theirs}{list}");
            for n in 0..self.theirs.len(&list) {
                let place = format!("{list}[{n}]");
                let said = self
                    .theirs
                    .text(&format!("{place}.type"))
                    .unwrap_or_default();
                if codes::ours(table, &said).is_none() {
                    continue;
                }
                let all = format!("{ours}charges");
                let charge = format!("{all}[{}]", self.ours.len(&all));
                self.ours.put(&format!("{charge}.kind"), kind);
                self.back(
                    &format!("{charge}.code"),
                    &format!("{place}.type"),
                    Via::Code(table),
                );
                self.back(
                    &format!("{charge}.description"),
                    &format!("{place}.description"),
                    Via::Text,
                );
                self.money_from_api(
                    &format!("{charge}.amount"),
                    "",
                    &format!("{place}.{amount}"),
                );
                for t in 0..self.theirs.len(&format!("{place}.taxDetails")) {
                    let (tax, place) = (
                        format!("{charge}.taxes[{t}]"),
                        format!("{place}.taxDetails[{t}]"),
                    );
                    self.back(
                        &format!("{tax}.kind"),
                        &format!("{place}.taxType"),
                        Via::Code("tax"),
                    );
                    self.back(
                        &format!("{tax}.percent"),
                        &format!("{place}.taxRate"),
                        Via::Decimal,
                    );
                }
                self.taxes_from_api(&format!("{charge}."), &format!("{place}."));
            }
        }
    }

    /// ISS: so many cartons.
    fn cartons_to_api(&mut self) {
        let unit = "shipments[0].unit";
        if self.ours.text(unit).as_deref() == Some("carton") && self.ours.has("shipments[0].units")
        {
            self.over(
                "shipments[0].units",
                "additionalDetails[0].detail",
                Via::Text,
            );
            self.theirs.put("additionalDetails[0].type", "CartonCount");
            self.ours.take(unit);
        }
    }

    fn cartons_from_api(&mut self) {
        for n in 0..self.theirs.len("additionalDetails") {
            let kind = format!("additionalDetails[{n}].type");
            let detail = format!("additionalDetails[{n}].detail");
            let number = self
                .theirs
                .text(&detail)
                .and_then(|text| super::rows::plain(&text));
            if self.theirs.text(&kind).as_deref() == Some("CartonCount")
                && number.is_some()
                && !self.ours.has("shipments[0].units")
            {
                self.back("shipments[0].units", &detail, Via::Decimal);
                self.ours.put("shipments[0].unit", "carton");
                self.theirs.take(&kind);
            }
        }
    }
}
