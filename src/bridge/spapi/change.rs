//! The change of an order: two snapshots of it → an 860's purchase order change.
//!
//! The API pushes no change: an order is asked for again, and what differs is what changed. A line
//! that went, or of which nothing is ordered any more, is deleted; a window that moved is a change
//! of the schedule, of the order as a whole.

use chrono::{DateTime, Utc};

use crate::canonical::{
    ChangedLine, Code, Date, Decimal, OrderLine, PurchaseOrder, PurchaseOrderChange,
};

/// What differs between two snapshots of one order; none where nothing does that an 860 says.
///
/// `number` is that of the change, `when` the time that it was seen.
#[must_use]
pub fn diff(
    before: &PurchaseOrder,
    after: &PurchaseOrder,
    number: &str,
    when: DateTime<Utc>,
) -> Option<PurchaseOrderChange> {
    let mut lines: Vec<ChangedLine> = Vec::new();
    for line in &after.lines {
        let old = before.lines.iter().find(|old| old.number == line.number);
        let word = match old {
            None => Some("added"),
            Some(old) => change(old, line),
        };
        lines.extend(word.map(|word| changed(line, word, old)));
    }
    let gone = before
        .lines
        .iter()
        .filter(|old| after.lines.iter().all(|line| line.number != old.number));
    lines.extend(gone.map(|old| changed(old, "deleted", Some(old))));
    let moved = before.delivery_window != after.delivery_window
        || before.ship_window != after.ship_window
        || before.cancel_after != after.cancel_after;
    let header = moved
        || before.ship_to != after.ship_to
        || before.kind != after.kind
        || before.delivery_terms != after.delivery_terms
        || before.sales_requirements != after.sales_requirements;
    if lines.is_empty() && !header {
        return None;
    }
    let all_gone = !after.lines.is_empty() && after.lines.iter().all(is_nothing);
    let purpose = if all_gone && !before.lines.iter().all(is_nothing) {
        "cancellation"
    } else {
        "change"
    };
    if moved && lines.is_empty() {
        lines = after
            .lines
            .iter()
            .map(|line| changed(line, "schedule_changed", None))
            .collect();
    }
    Some(PurchaseOrderChange {
        purpose: Some(Code::new(purpose)),
        kind: after.kind.clone(),
        number: after.number.clone(),
        change_number: Some(number.to_owned()),
        ordered_on: after.ordered_on,
        changed_on: Some(Date::new(when.date_naive())),
        currency: after.currency.clone(),
        vendor_number: after.vendor_number.clone(),
        delivery_terms: after.delivery_terms.clone(),
        sales_requirements: after.sales_requirements.clone(),
        delivery_window: after.delivery_window.clone(),
        ship_window: after.ship_window.clone(),
        cancel_after: after.cancel_after.clone(),
        ship_to: after.ship_to.clone(),
        buyer: after.buyer.clone(),
        bill_to: after.bill_to.clone(),
        vendor: after.vendor.clone(),
        lines,
        ..Default::default()
    })
}

fn amount(line: &OrderLine) -> Option<Decimal> {
    line.quantity.as_ref()?.value
}

fn is_nothing(line: &OrderLine) -> bool {
    amount(line).is_some_and(|amount| amount.value().is_zero())
}

/// What happened to a line that is in both.
fn change(old: &OrderLine, new: &OrderLine) -> Option<&'static str> {
    let price = |line: &OrderLine| {
        line.price
            .as_ref()
            .and_then(|price| price.amount)
            .map(Decimal::value)
    };
    let quantity = |line: &OrderLine| amount(line).map(Decimal::value);
    let priced = price(old) != price(new);
    if is_nothing(new) && !is_nothing(old) {
        return Some("deleted");
    }
    if old.ids != new.ids {
        return Some("item_replaced");
    }
    match quantity(new).cmp(&quantity(old)) {
        std::cmp::Ordering::Equal if priced => Some("price_changed"),
        std::cmp::Ordering::Equal => {
            let unit = |line: &OrderLine| line.quantity.as_ref().and_then(|q| q.unit.clone());
            (unit(old) != unit(new) || old.packs != new.packs).then_some("line_changed")
        }
        _ if priced => Some("price_and_quantity_changed"),
        std::cmp::Ordering::Greater => Some("quantity_increased"),
        std::cmp::Ordering::Less => Some("quantity_decreased"),
    }
}

/// A line as it is now; of one that is deleted, as it was.
fn changed(line: &OrderLine, word: &str, old: Option<&OrderLine>) -> ChangedLine {
    let said = if word == "deleted" {
        old.unwrap_or(line)
    } else {
        line
    };
    ChangedLine {
        number: line.number.clone(),
        change: Some(Code::new(word)),
        quantity: said.quantity.clone(),
        left_to_receive: amount(if word == "deleted" { said } else { line }),
        price: said.price.clone(),
        ids: said.ids.clone(),
        packs: said.packs.clone(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{ItemId, Money, Quantity};

    fn line(number: &str, quantity: &str, price: &str) -> OrderLine {
        OrderLine {
            number: Some(number.into()),
            quantity: Some(Quantity {
                value: quantity.parse().ok(),
                ..Default::default()
            }),
            price: Some(Money {
                amount: price.parse().ok(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn order(lines: Vec<OrderLine>) -> PurchaseOrder {
        PurchaseOrder {
            number: Some("4Z32PABC".into()),
            lines,
            ..Default::default()
        }
    }

    fn words(before: Vec<OrderLine>, after: Vec<OrderLine>) -> Vec<String> {
        let change = diff(&order(before), &order(after), "1", DateTime::UNIX_EPOCH);
        let lines = change.map(|change| change.lines).unwrap_or_default();
        lines
            .iter()
            .map(|line| {
                format!(
                    "{} {}",
                    line.number.as_ref().unwrap(),
                    line.change.as_ref().unwrap()
                )
            })
            .collect()
    }

    #[test]
    fn each_change_of_a_line_has_its_word() {
        let before = vec![
            line("1", "10", "2.00"),
            line("2", "5", "1"),
            line("3", "4", "1"),
        ];
        let same = before.clone();
        assert_eq!(words(before.clone(), same), [""; 0]);
        let after = vec![
            line("1", "12", "2.00"),
            line("2", "0", "1"),
            line("4", "1", "1"),
        ];
        assert_eq!(
            words(before.clone(), after),
            ["1 quantity_increased", "2 deleted", "4 added", "3 deleted"]
        );
        let after = vec![
            line("1", "9", "2.0"),
            line("2", "5", "1.10"),
            line("3", "3", "2"),
        ];
        assert_eq!(
            words(before.clone(), after),
            [
                "1 quantity_decreased",
                "2 price_changed",
                "3 price_and_quantity_changed"
            ]
        );
        let mut other = before.clone();
        other[0].ids = vec![ItemId {
            id: Some("X".into()),
            ..Default::default()
        }];
        assert_eq!(words(before, other), ["1 item_replaced"]);
    }

    #[test]
    fn an_order_of_which_nothing_is_left_is_cancelled() {
        let before = order(vec![line("1", "10", "2"), line("2", "5", "1")]);
        let after = order(vec![line("1", "0", "2"), line("2", "0", "1")]);
        let change = diff(&before, &after, "1", DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(change.purpose, Some(Code::new("cancellation")));
        assert!(diff(&after, &after, "2", DateTime::UNIX_EPOCH).is_none());
    }
}
