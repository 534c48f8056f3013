//! The invoice: an 810, or a credit ⇄ what `submitInvoices` takes; of direct fulfillment, what
//! `submitInvoice` takes.
//!
//! The API has an order's number on every line; an 810 has it at its head, and where a line is of
//! another order, with the line (REF PO). Charges and allowances are lists of their own there. A
//! charge of a code that no word stands for is not sent: a person decides.

use super::loss::{LossKind, Report, Way};
use super::parts::{INVOICES, SHIPMENTS, Spelling};
use super::rows::{Row, Via};
use super::site::OrdersPerInvoice;
use super::walk::Walk;
use super::{Context, codes, document, tree};
use crate::canonical::Invoice;
use serde_json::Value;

/// How one of the two APIs writes an invoice.
struct Shape {
    map: &'static str,
    /// Whether it says what kind of invoice it is, and how many cartons.
    kinds: bool,
    record: &'static str,
    rows: &'static [Row],
    parties: &'static [(&'static str, &'static str)],
    party: Spelling,
    buyer: &'static str,
    /// The list of taxes on the whole.
    taxes: &'static str,
    /// Our word, their list, their amount, the code table.
    charges: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

const RETAIL: Shape = Shape {
    map: "invoice",
    kinds: true,
    record: "Invoice",
    rows: &[
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
        QUANTITY,
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
        TAX_KIND,
        TAX_RATE,
    ],
    parties: &[
        ("remit_to", "remitToParty"),
        ("ship_to", "shipToParty"),
        ("ship_from", "shipFromParty"),
        ("bill_to", "billToParty"),
    ],
    party: INVOICES,
    buyer: "amazonProductIdentifier",
    taxes: "taxDetails",
    charges: &[
        ("charge", "chargeDetails", "chargeAmount", "charge"),
        (
            "allowance",
            "allowanceDetails",
            "allowanceAmount",
            "allowance",
        ),
    ],
};

const DIRECT: Shape = Shape {
    map: "direct_invoice",
    kinds: false,
    record: "DirectInvoice",
    rows: &[
        Row("number", "invoiceNumber", Via::Text),
        Row("invoiced_on", "invoiceDate", Via::Date),
        Row("terms[0].kind", "paymentTermsCode", Via::Code("terms")),
        Row("ship_to.address.country", "shipToCountryCode", Via::Text),
        Row("taxes[].kind", "taxTotals[].taxType", Via::Code("tax")),
        Row("taxes[].percent", "taxTotals[].taxRate", Via::Decimal),
        Row("lines[].number", "items[].itemSequenceNumber", Via::Text),
        QUANTITY,
        Row(
            "lines[].quantity.unit",
            "items[].invoicedQuantity.unitOfMeasure",
            Via::Unit("direct_unit"),
        ),
        TAX_KIND,
        TAX_RATE,
    ],
    parties: &[
        ("remit_to", "remitToParty"),
        ("ship_from", "shipFromParty"),
        ("bill_to", "billToParty"),
    ],
    party: SHIPMENTS,
    buyer: "buyerProductIdentifier",
    taxes: "taxTotals",
    charges: &[("charge", "chargeDetails", "chargeAmount", "direct_charge")],
};

const QUANTITY: Row = Row(
    "lines[].quantity.value",
    "items[].invoicedQuantity.amount",
    Via::Whole,
);
const TAX_KIND: Row = Row(
    "lines[].taxes[].kind",
    "items[].taxDetails[].taxType",
    Via::Code("tax"),
);
const TAX_RATE: Row = Row(
    "lines[].taxes[].percent",
    "items[].taxDetails[].taxRate",
    Via::Decimal,
);
/// X12 128: the order's number.
const ORDER: &str = "PO";

/// A record of one invoice: the outcome of several in one request is told once for all.
#[must_use]
pub fn to_api(invoice: &Invoice, context: &Context) -> (Value, Report) {
    made(invoice, &RETAIL, context)
}

/// The same of direct fulfillment.
#[must_use]
pub fn direct_to_api(invoice: &Invoice, context: &Context) -> (Value, Report) {
    made(invoice, &DIRECT, context)
}

fn made(invoice: &Invoice, shape: &Shape, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new(shape.map, Way::ToApi, tree(invoice), context);
    if shape.kinds {
        walk.kind_to_api();
        walk.cartons_to_api();
    }
    walk.rows_to_api(shape.rows);
    for (ours, theirs) in shape.parties {
        walk.party_to_api(ours, theirs, shape.party);
    }
    walk.now(shape.rows[1].1);
    walk.money_to_api("totals.total", "", "invoiceTotal");
    walk.taxes_to_api("taxes", shape.taxes);
    walk.charges_to_api("", "", shape);
    walk.lines_to_api(invoice.lines.len(), shape);
    walk.end_to_api()
}

/// An invoice that the API was sent, or would have been.
#[must_use]
pub fn from_api(invoice: Value, context: &Context) -> (Invoice, Report) {
    read(invoice, &RETAIL, context)
}

/// The same of direct fulfillment.
#[must_use]
pub fn direct_from_api(invoice: Value, context: &Context) -> (Invoice, Report) {
    read(invoice, &DIRECT, context)
}

fn read(invoice: Value, shape: &Shape, context: &Context) -> (Invoice, Report) {
    let mut walk = Walk::of(shape.map, shape.record, invoice, context);
    if shape.kinds {
        walk.back("kind", "invoiceType", Via::Code("invoice_type"));
        if let Some(word) = walk.ours.text("kind") {
            walk.note(LossKind::Inferred, "kind", word);
        }
        walk.cartons_from_api();
    }
    walk.rows_from_api(shape.rows);
    for (ours, theirs) in shape.parties {
        walk.party_from_api(ours, theirs, shape.party);
    }
    walk.money_from_api("totals.total", "", "invoiceTotal");
    walk.taxes_from_api("taxes", shape.taxes);
    walk.charges_from_api("", "", shape);
    walk.lines_from_api(shape);
    if walk.ours.has("currency.code") {
        walk.role_of_currency("SE");
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    fn lines_to_api(&mut self, count: usize, shape: &Shape) {
        let header = self.ours.text("order_number");
        let mut orders = std::collections::BTreeSet::new();
        let mut copied = false;
        for n in 0..count {
            let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
            self.line_number_to_api(&ours, &theirs, n);
            self.ids_to_api(&ours, &theirs, shape.buyer);
            let (amount, own) = (
                format!("{ours}.price.amount"),
                format!("{ours}.price.currency"),
            );
            self.money_to_api(&amount, &own, &format!("{theirs}.netCost"));
            let basis = format!("{ours}.price.basis");
            self.said_if(&basis, "per_each", &format!("{theirs}.netCost.amount"));
            self.taxes_to_api(&format!("{ours}.taxes"), &format!("{theirs}.taxDetails"));
            self.charges_to_api(&format!("{ours}."), &format!("{theirs}."), shape);
            let place = format!("{theirs}.purchaseOrderNumber");
            self.order_of_line(&ours, &place);
            if let Some(order) = header.clone().filter(|_| !self.theirs.has(&place)) {
                self.make(&place, order.trim(), "order_number");
                copied = true;
            }
            orders.extend(self.theirs.text(&place));
        }
        if count == 0 {
            self.theirs.put("items", serde_json::json!([]));
        }
        if let Some(order) = header.filter(|_| copied) {
            self.ours.take("order_number");
            self.note(LossKind::Split, "order_number", order);
        }
        let one = self.context.site.orders_per_invoice == Some(OrdersPerInvoice::One);
        if orders.len() > 1 && one {
            self.note(LossKind::Refused, "lines.references", orders.len());
        }
    }

    fn lines_from_api(&mut self, shape: &Shape) {
        let items = self.theirs.len("items");
        let order = |walk: &Walk<'_>, n: usize| {
            walk.theirs.text(&format!("items[{n}].purchaseOrderNumber"))
        };
        let first = order(self, 0);
        let one = first.is_some() && (1..items).all(|n| order(self, n) == first);
        for n in 0..items {
            let (ours, theirs) = (format!("lines[{n}]"), format!("items[{n}]"));
            let number = format!("{theirs}.itemSequenceNumber");
            self.back(&format!("{ours}.number"), &number, Via::Text);
            self.ids_from_api(&ours, &theirs, shape.buyer);
            let (amount, own) = (
                format!("{ours}.price.amount"),
                format!("{ours}.price.currency"),
            );
            self.money_from_api(&amount, &own, &format!("{theirs}.netCost"));
            if self.ours.has(&amount) {
                let basis = format!("{ours}.price.basis");
                self.add(LossKind::Inferred, &basis, "per_each");
                self.trace(&basis, &format!("{theirs}.netCost.amount"));
            }
            self.taxes_from_api(&format!("{ours}.taxes"), &format!("{theirs}.taxDetails"));
            self.charges_from_api(&format!("{ours}."), &format!("{theirs}."), shape);
            let place = format!("{theirs}.purchaseOrderNumber");
            if one {
                self.theirs.take(&place);
                self.trace("order_number", &place);
            } else {
                self.reference_from_api(&format!("{ours}.references"), ORDER, &place);
            }
        }
        if let Some(order) = first.filter(|_| one) {
            self.add(LossKind::Inferred, "order_number", order.trim());
        }
    }

    fn kind_to_api(&mut self) {
        let place = "invoiceType";
        let word = self.ours.text("kind");
        self.over("kind", place, Via::Code("invoice_type"));
        if !self.theirs.has(place) {
            self.add(LossKind::Synthesised, place, "Invoice");
        }
        let credit = self.theirs.text(place).as_deref() == Some("CreditNote");
        if credit && self.context.site.credit_notes == Some(false) {
            self.note(LossKind::Refused, "kind", word.unwrap_or_default());
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
                self.said(&qualifier, theirs);
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
        if self.theirs.has(&place) {
            return;
        }
        let text = self.ours.text(&number).unwrap_or_default();
        let whole = text
            .parse::<u32>()
            .ok()
            .filter(|number| number.to_string() == text);
        if let Some(whole) = whole {
            self.theirs.put(&place, whole);
            self.said(&number, &place);
        } else {
            self.add(LossKind::Synthesised, &place, n + 1);
        }
    }

    fn taxes_to_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.ours.len(ours) {
            let (tax, place) = (format!("{ours}[{n}]"), format!("{theirs}[{n}]"));
            self.money_to_api(&format!("{tax}.amount"), "", &format!("{place}.taxAmount"));
            self.money_to_api(
                &format!("{tax}.basis"),
                "",
                &format!("{place}.taxableAmount"),
            );
        }
    }

    fn taxes_from_api(&mut self, ours: &str, theirs: &str) {
        for n in 0..self.theirs.len(theirs) {
            let (tax, place) = (format!("{ours}[{n}]"), format!("{theirs}[{n}]"));
            self.money_from_api(&format!("{tax}.amount"), "", &format!("{place}.taxAmount"));
            self.money_from_api(
                &format!("{tax}.basis"),
                "",
                &format!("{place}.taxableAmount"),
            );
        }
    }

    fn charges_to_api(&mut self, ours: &str, theirs: &str, shape: &Shape) {
        for n in 0..self.ours.len(&format!("{ours}charges")) {
            let charge = format!("{ours}charges[{n}]");
            let kind = self
                .ours
                .text(&format!("{charge}.kind"))
                .unwrap_or_default();
            let code = format!("{charge}.code");
            let said = self.ours.text(&code).unwrap_or_default();
            let row = shape.charges.iter().find(|row| row.0 == kind);
            let known = row.filter(|row| codes::theirs(row.3, &said).is_some());
            let Some((_, list, amount, table)) = known else {
                // What is charged or allowed is part of the total.
                if matches!(kind.as_str(), "charge" | "allowance") {
                    self.refuse(&code);
                }
                continue;
            };
            if !self.ours.has(&format!("{charge}.amount")) {
                continue;
            }
            let list = format!("{theirs}{list}");
            let place = format!("{list}[{}]", self.theirs.len(&list));
            self.said(&format!("{charge}.kind"), &format!("{place}.type"));
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
            self.taxes_to_api(&format!("{charge}.taxes"), &format!("{place}.taxDetails"));
        }
    }

    fn charges_from_api(&mut self, ours: &str, theirs: &str, shape: &Shape) {
        for (kind, list, amount, table) in shape.charges {
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
                self.means(&format!("{charge}.kind"), *kind, &format!("{place}.type"));
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
                self.taxes_from_api(&format!("{charge}.taxes"), &format!("{place}.taxDetails"));
            }
        }
    }

    /// ISS: so many cartons.
    fn cartons_to_api(&mut self) {
        let unit = "shipments[0].unit";
        if self.ours.text(unit).as_deref() == Some("carton") && self.ours.has("shipments[0].units")
        {
            let detail = "additionalDetails[0].detail";
            self.over("shipments[0].units", detail, Via::Text);
            let kind = "additionalDetails[0].type";
            self.theirs.put(kind, "CartonCount");
            self.said(unit, kind);
        }
    }

    fn cartons_from_api(&mut self) {
        for n in 0..self.theirs.len("additionalDetails") {
            let kind = format!("additionalDetails[{n}].type");
            let detail = format!("additionalDetails[{n}].detail");
            let number = self
                .theirs
                .text(&detail)
                .and_then(|text| super::decimal::plain(&text));
            if self.theirs.text(&kind).as_deref() == Some("CartonCount")
                && number.is_some()
                && !self.ours.has("shipments[0].units")
            {
                self.back("shipments[0].units", &detail, Via::Decimal);
                self.means("shipments[0].unit", "carton", &kind);
                self.theirs.take(&kind);
            }
        }
    }
}
