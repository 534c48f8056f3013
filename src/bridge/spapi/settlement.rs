//! Settlements: invoices and what became of them → a remittance advice for each payment.
//!
//! The API gives no remittance: this one is **reconstructed from invoice settlement data**, and
//! says so in its remarks. Invoices of one payment number become one advice. Its total is the sum
//! of what was paid of them, which is reckoned here and nobody's figure; bank, method and date of
//! the payment are not known. An invoice of two payments cannot be split, and stands in the first.

use std::collections::BTreeMap;

use serde_json::Value;

use super::loss::{LossKind, Report, Way};
use super::rows::Via;
use super::tree::Tree;
use super::walk::Walk;
use super::{Context, Record, document};
use crate::canonical::{Decimal, RemittanceAdvice};

/// What the remarks of a reconstructed advice say.
pub const RECONSTRUCTED: &str = "reconstructed from invoice settlement data";
const PAYMENTS: &str = "UNIQUE_PAYMENT_IDS";

/// Numbers beside an invoice, and X12 128 of them.
const NUMBERS: [(&str, &str); 5] = [
    ("PURCHASE_ORDER_IDS", "PO"),
    ("ASN_IDS", "SI"),
    ("RETURN_IDS", "RZ"),
    ("AGREEMENT_IDS", "AH"),
    ("SHORTAGE_INVOICE_IDS", "IV"),
];

/// Parts of a settlement that take something off.
const ADJUSTMENTS: [&str; 2] = ["QuantityVarianceAmount", "PriceVariance"];

/// An advice for each payment, by its number. Invoices that nothing was paid of are in none.
#[must_use]
pub fn from_api(invoices: Vec<Value>, context: &Context) -> Vec<(RemittanceAdvice, Report)> {
    let record = Record::named("InvoiceHeader").expect("a map's record is there");
    let mut payments: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for invoice in invoices.into_iter().map(|invoice| record.read(invoice)) {
        if let Some(payment) = first_payment(&invoice).map(str::to_owned) {
            payments.entry(payment).or_default().push(invoice);
        }
    }
    payments
        .into_iter()
        .map(|(number, invoices)| payment(&number, invoices, record, context))
        .collect()
}

fn first_payment(invoice: &Value) -> Option<&str> {
    let mut related = invoice["relatedIdentifiers"].as_array()?.iter();
    let payments = related.find(|one| one["relatedIdentifierName"] == PAYMENTS)?;
    payments["relatedIdentifierValue"][0].as_str()
}

fn payment(
    number: &str,
    invoices: Vec<Value>,
    record: &Record,
    context: &Context,
) -> (RemittanceAdvice, Report) {
    let mut walk = Walk::new("settlement", Way::FromApi, Tree::default(), context);
    for (n, invoice) in invoices.iter().enumerate() {
        walk.report
            .strays(&format!("invoices[{n}]."), record, invoice);
    }
    let count = invoices.len();
    walk.theirs = Tree(serde_json::json!({ "invoices": invoices }));
    for (path, value) in [
        ("handling", "remittance_only"),
        ("trace", "1"),
        ("remarks[0].text", RECONSTRUCTED),
        ("remittances[0].number", "1"),
        ("credit_debit", "C"),
        ("method", "none"),
    ] {
        walk.add(LossKind::Synthesised, path, value);
    }
    walk.ours.put("number", number);
    let mut total = Some(Decimal::default());
    for n in 0..count {
        let (item, invoice) = (
            format!("remittances[0].items[{n}]"),
            format!("invoices[{n}]"),
        );
        for (ours, theirs) in [("payer", "payer"), ("payee", "payee")] {
            let place = format!("{invoice}.{theirs}");
            walk.partner_from_api(ours, &place);
        }
        let place = format!("{invoice}.invoiceNumber");
        walk.means(&format!("{item}.qualifier"), "IV", &place);
        walk.back(&format!("{item}.id"), &place, Via::Text);
        walk.amount_from_api(
            &format!("{item}.invoiced"),
            &format!("{invoice}.invoiceAmount"),
        );
        walk.settled_from_api(&item, &invoice);
        walk.numbers_from_api(number, &item, &invoice);
        let issued = format!("{invoice}.issueDate");
        if walk.theirs.has(&issued) {
            walk.back(&format!("{item}.dates[0].moment"), &issued, Via::Moment);
            walk.means(&format!("{item}.dates[0].qualifier"), "003", &issued);
        }
        let paid: Option<Decimal> = walk
            .ours
            .text(&format!("{item}.paid"))
            .and_then(|text| text.parse().ok());
        total = total
            .zip(paid)
            .and_then(|(sum, paid)| Decimal::checked_add(sum, paid));
    }
    if let Some(total) = total {
        walk.add(LossKind::Inferred, "total", total.to_string());
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("PR");
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    fn partner_from_api(&mut self, ours: &str, theirs: &str) {
        for (our, their) in [("name", "partnerName"), ("id.id", "partnerId")] {
            let (our, their) = (format!("{ours}.{our}"), format!("{theirs}.{their}"));
            if self.ours.has(&our) && self.ours.text(&our) == self.theirs.text(&their) {
                self.theirs.take(&their);
                self.trace(&our, &their);
            } else {
                self.back(&our, &their, Via::Text);
            }
        }
        if self.ours.has(&format!("{ours}.id.id")) {
            let place = format!("{theirs}.partnerId");
            self.means(&format!("{ours}.id.qualifier"), "mutually_defined", &place);
        }
    }

    /// An amount of these records: a JSON number, and its currency.
    fn amount_from_api(&mut self, ours: &str, theirs: &str) {
        self.back(ours, &format!("{theirs}.currencyAmount"), Via::Decimal);
        if self.ours.has(ours) {
            self.currency_from_api("", &format!("{theirs}.currencyCode"));
        }
    }

    fn settled_from_api(&mut self, item: &str, invoice: &str) {
        let list = format!("{invoice}.invoiceSettlementBreakdowns");
        for n in 0..self.theirs.len(&list) {
            let part = format!("{list}[{n}]");
            let kind = self
                .theirs
                .text(&format!("{part}.breakdownType"))
                .unwrap_or_default();
            let amount = format!("{part}.breakdownAmount");
            let place = match kind.as_str() {
                "AmountPaid" => format!("{item}.paid"),
                "QuickPayDiscount" => format!("{item}.discount"),
                kind if ADJUSTMENTS.contains(&kind) => {
                    let adjustments = format!("{item}.adjustments");
                    let adjustment = format!("{adjustments}[{}]", self.ours.len(&adjustments));
                    let reason = format!("{adjustment}.reason");
                    self.add(LossKind::Synthesised, &reason, "ZZ");
                    let remark = format!("{adjustment}.remarks[0].text");
                    self.means(&remark, kind, &format!("{part}.breakdownType"));
                    format!("{adjustment}.amount")
                }
                _ => continue,
            };
            if self.ours.has(&place) {
                continue;
            }
            self.amount_from_api(&place, &amount);
            let named = format!("{part}.breakdownType");
            self.trace(&place, &named);
            self.theirs.take(&named);
            if kind == "QuickPayDiscount" {
                let text = self.ours.text(&place).unwrap_or_default();
                self.ours.put(&place, text.trim_start_matches('-'));
            }
        }
    }

    fn numbers_from_api(&mut self, payment: &str, item: &str, invoice: &str) {
        let list = format!("{invoice}.relatedIdentifiers");
        for n in 0..self.theirs.len(&list) {
            let (name, values) = (
                format!("{list}[{n}].relatedIdentifierName"),
                format!("{list}[{n}].relatedIdentifierValue"),
            );
            let said = self.theirs.text(&name).unwrap_or_default();
            if said == PAYMENTS {
                self.theirs.take(&name);
                self.theirs.take_if(&format!("{values}[0]"), payment);
                continue;
            }
            let Some((_, code)) = NUMBERS.iter().find(|(one, _)| *one == said) else {
                continue;
            };
            self.theirs.take(&name);
            for v in 0..self.theirs.len(&values) {
                self.reference_from_api(
                    &format!("{item}.references"),
                    code,
                    &format!("{values}[{v}]"),
                );
            }
        }
    }
}
