//! What the seller's own system would answer: everything accepted, everything invoiced.

use chrono::NaiveDate;

use crate::canonical::{
    AcknowledgedLine, Code, Date, Decimal, Document, Invoice, InvoiceLine, InvoiceTotals,
    LineAcknowledgment, OrderLine, PurchaseOrder, PurchaseOrderAcknowledgment,
};

fn word(text: &str) -> Option<Code> {
    Some(Code::new(text))
}

/// All lines as ordered.
pub(super) fn acknowledgment(order: &PurchaseOrder, today: NaiveDate) -> Document {
    let line = |line: &OrderLine| AcknowledgedLine {
        number: line.number.clone(),
        quantity: line.quantity.clone(),
        price: line.price.clone(),
        ids: line.ids.clone(),
        acknowledgments: vec![LineAcknowledgment {
            status: word("accepted"),
            quantity: line.quantity.clone(),
            ..LineAcknowledgment::default()
        }],
        ..AcknowledgedLine::default()
    };
    Document::PurchaseOrderAcknowledgment(PurchaseOrderAcknowledgment {
        purpose: word("original"),
        status: word("accepted_with_detail_no_change"),
        order_number: order.number.clone(),
        ordered_on: order.ordered_on,
        acknowledged_on: Some(Date::new(today)),
        lines: order.lines.iter().map(line).collect(),
        ..PurchaseOrderAcknowledgment::default()
    })
}

/// All lines at their prices, and the total of them.
pub(super) fn invoice(order: &PurchaseOrder, today: NaiveDate) -> Document {
    let line = |line: &OrderLine| InvoiceLine {
        number: line.number.clone(),
        quantity: line.quantity.clone(),
        price: line.price.clone(),
        ids: line.ids.clone(),
        ..InvoiceLine::default()
    };
    let amounts = order.lines.iter().filter_map(|line| {
        let quantity = line.quantity.as_ref()?.value?.value();
        quantity.checked_mul(line.price.as_ref()?.amount?.value())
    });
    let total = amounts.reduce(|a, b| a.saturating_add(b)).map(|mut total| {
        // X12 writes the total in cents.
        total.rescale(2);
        Decimal::new(total)
    });
    let number = order.number.as_deref().unwrap_or("0");
    Document::Invoice(Invoice {
        invoiced_on: Some(Date::new(today)),
        number: Some(format!("R-{number}")),
        ordered_on: order.ordered_on,
        order_number: order.number.clone(),
        ship_to: order.ship_to.clone(),
        lines: order.lines.iter().map(line).collect(),
        totals: Some(InvoiceTotals {
            total,
            ..InvoiceTotals::default()
        }),
        ..Invoice::default()
    })
}
