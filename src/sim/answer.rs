//! The rules for acknowledgments (855, `submitAcknowledgement`): each line is answered, with no more
//! and no dearer than was ordered; each answer replaces the one before, line by line.

use chrono::{DateTime, Utc};

use super::order::{Order, cents, units};
use super::world::{World, reason};
use super::{Door, Reason};
use crate::canonical::{AcknowledgedLine, PurchaseOrderAcknowledgment};

/// The rules' result: remarks on what counts, or reasons why it does not.
pub(super) type Judged = Result<Vec<Reason>, Vec<Reason>>;

/// Hours in which an order is acknowledged.
const ANSWER_HOURS: i64 = 24;

/// What is said to a line in all.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    accepted: u32,
    backordered: u32,
    rejected: u32,
    /// The price in cents, where one is said.
    price: Option<i64>,
}

impl World {
    pub(super) fn answered(
        &mut self,
        answer: &PurchaseOrderAcknowledgment,
        door: Door,
    ) -> (String, Judged) {
        let number = answer.order_number.clone().unwrap_or_default();
        let now = self.now();
        let allowed = |order: &Order| {
            let backorder = super::What::Backorder;
            self.scenario().happens(backorder, order.position).is_some()
        };
        let judged = match self.orders.get(&number) {
            None => Err(vec![unknown(&number, "order_number")]),
            Some(order) => judge(order, answer, allowed(order), door, now),
        };
        let judged = judged.map(|(said, remarks)| {
            if let Some(order) = self.orders.get_mut(&number) {
                order.answer(&said, now);
            }
            remarks
        });
        (number, judged)
    }
}

/// No such order.
pub(super) fn unknown(number: &str, path: &str) -> Reason {
    let sentence = format!("there is no order {number:?}");
    reason("unknown_order", path, sentence)
}

/// An order of one door that is answered by the other.
pub(super) fn by_other_door(order: &Order, door: Door) -> Option<Reason> {
    let sentence = "the order went out by the other door; each document has one".to_owned();
    (order.door != door).then(|| reason("other_door", "", sentence))
}

/// What is said to each line, and remarks; or every reason why it does not count.
#[allow(clippy::type_complexity, reason = "one pair, used once")]
fn judge(
    order: &Order,
    answer: &PurchaseOrderAcknowledgment,
    backorder: bool,
    door: Door,
    now: DateTime<Utc>,
) -> Result<(Vec<Option<Said>>, Vec<Reason>), Vec<Reason>> {
    let mut wrong = Vec::new();
    let mut remarks: Vec<Reason> = by_other_door(order, door).into_iter().collect();
    if order.cancelled {
        let sentence = "the order was cancelled".to_owned();
        wrong.push(reason("cancelled_order", "order_number", sentence));
    }
    if let Some(on) = answer
        .acknowledged_on
        .filter(|on| on.value() > now.date_naive())
    {
        let sentence = format!("{on} is a day to come");
        wrong.push(reason("date_in_the_future", "acknowledged_on", sentence));
    }
    let word = answer.status.as_ref().map(|status| status.as_str());
    let mut said: Vec<Option<Said>> = vec![None; order.lines.len()];
    for (n, line) in answer.lines.iter().enumerate() {
        let at = format!("lines[{n}]");
        let Some(index) = meant(order, line, &at, &mut wrong) else {
            continue;
        };
        if said[index].is_some() {
            let sentence = format!("line {} is answered twice", index + 1);
            wrong.push(reason("line_twice", format!("{at}.number"), sentence));
            continue;
        }
        said[index] = Some(line_said(order, index, line, backorder, &at, &mut wrong));
    }
    if answer.lines.is_empty() {
        match whole(order, word) {
            Some(all) => said = all,
            None => {
                let sentence = "no line is answered".to_owned();
                wrong.push(reason("no_lines", "lines", sentence));
            }
        }
    }
    for (n, _) in said.iter().enumerate().filter(|(_, said)| said.is_none()) {
        let sentence = format!("line {} is not answered, which rejects it", n + 1);
        remarks.push(reason("line_not_answered", "lines", sentence));
    }
    let late = (now - order.created).num_hours() >= ANSWER_HOURS;
    if late && order.acknowledged.is_none() {
        let hours = (now - order.created).num_hours();
        let sentence = format!("it came {hours} hours after the order; {ANSWER_HOURS} are agreed");
        remarks.push(reason("late_acknowledgment", "acknowledged_on", sentence));
    }
    match wrong.is_empty() {
        true => Ok((said, remarks)),
        false => Err(wrong),
    }
}

/// What an answer to the whole order, without lines, says to each line; none where it says nothing.
fn whole(order: &Order, word: Option<&str>) -> Option<Vec<Option<Said>>> {
    let accepted = match word? {
        "accepted" | "accepted_no_detail_or_change" | "accepted_with_detail_no_change" => true,
        "rejected_no_detail" | "rejected_with_detail" => false,
        _ => return None,
    };
    let all = |line: &super::order::Line| {
        let mut said = Said::default();
        match accepted {
            true => said.accepted = line.ordered,
            false => said.rejected = line.ordered,
        }
        Some(said)
    };
    Some(order.lines.iter().map(all).collect())
}

/// The line that is meant: its number and its item must say the same.
fn meant(
    order: &Order,
    line: &AcknowledgedLine,
    at: &str,
    wrong: &mut Vec<Reason>,
) -> Option<usize> {
    let number = line.number.as_deref().unwrap_or_default();
    let by_id = order.listed(&line.ids);
    let index = match number.is_empty() {
        true => by_id,
        false => order.numbered(number),
    };
    let Some(index) = index else {
        let sentence = format!(
            "the order has no line {number:?}; it has {}",
            order.lines.len()
        );
        wrong.push(reason("unknown_line", format!("{at}.number"), sentence));
        return None;
    };
    if !line.ids.is_empty() && by_id != Some(index) {
        let sentence = format!(
            "line {} is of item {}, and this answer is of another",
            index + 1,
            order.lines[index].item.asin
        );
        wrong.push(reason("wrong_item", format!("{at}.ids"), sentence));
        return None;
    }
    Some(index)
}

/// What is said to a line; what is wrong with it goes to `wrong`.
fn line_said(
    order: &Order,
    index: usize,
    line: &AcknowledgedLine,
    backorder: bool,
    at: &str,
    wrong: &mut Vec<Reason>,
) -> Said {
    let own = &order.lines[index];
    let mut said = Said::default();
    for (n, part) in line.acknowledgments.iter().enumerate() {
        let here = format!("{at}.acknowledgments[{n}]");
        let word = part.status.as_ref().map_or("", |status| status.as_str());
        let quantity = part.quantity.as_ref().and_then(|quantity| quantity.value);
        let count = match quantity {
            // Without a quantity it is of all.
            None => Some(own.ordered),
            Some(value) => units(value),
        };
        let Some(count) = count else {
            let sentence = "the quantity is not a whole number of eaches".to_owned();
            wrong.push(reason(
                "not_a_quantity",
                format!("{here}.quantity.value"),
                sentence,
            ));
            continue;
        };
        let sum = match word {
            word if word.starts_with("backordered") => &mut said.backordered,
            word if word.starts_with("rejected") || word == "deleted" => &mut said.rejected,
            word if word.starts_with("accepted") => &mut said.accepted,
            other => {
                let sentence = format!("{other:?} neither accepts nor rejects nor back-orders");
                wrong.push(reason("unclear_answer", format!("{here}.status"), sentence));
                continue;
            }
        };
        *sum = sum.saturating_add(count);
    }
    said.price = priced(own.item.price, line, at, wrong);
    judge_line(own, said, backorder, at, wrong);
    said
}

fn priced(ordered: i64, line: &AcknowledgedLine, at: &str, wrong: &mut Vec<Reason>) -> Option<i64> {
    let amount = line.price.as_ref()?.amount?;
    let path = format!("{at}.price.amount");
    match cents(amount) {
        Some(price) if price <= 0 => {
            let sentence = format!("{amount} is no price");
            wrong.push(reason("not_a_price", path, sentence));
            None
        }
        Some(price) if price <= ordered => Some(price),
        _ => {
            let ordered = super::order::money(ordered);
            let sentence = format!("{amount} is above the order's {ordered}");
            wrong.push(reason("price_above_order", path, sentence));
            None
        }
    }
}

fn judge_line(
    own: &super::order::Line,
    said: Said,
    backorder: bool,
    at: &str,
    wrong: &mut Vec<Reason>,
) {
    let mut fault =
        |code, path: &str, sentence| wrong.push(reason(code, format!("{at}.{path}"), sentence));
    let kept = said.accepted.saturating_add(said.backordered);
    let all = kept.saturating_add(said.rejected);
    let ordered = own.ordered;
    if all > ordered {
        let sentence = format!("{all} are answered and {ordered} were ordered");
        fault("quantity_above_order", "acknowledgments", sentence);
    }
    if kept < own.shipped {
        let sentence = format!(
            "{} are shipped already, and {kept} would be left",
            own.shipped
        );
        fault("already_shipped", "acknowledgments", sentence);
    }
    if said.backordered > 0 && !backorder {
        let sentence = "the order takes no back orders".to_owned();
        fault("backorder_not_allowed", "acknowledgments", sentence);
    }
    if own.killed && kept > 0 {
        let sentence = "the line was rejected before, and stays so".to_owned();
        fault("rejected_before", "acknowledgments", sentence);
    }
    if own.shipped > 0 && said.price.is_some_and(|price| price != own.price) {
        let sentence = "its goods are shipped: the price stays".to_owned();
        fault("already_shipped", "price.amount", sentence);
    }
}

impl Order {
    /// What is said replaces what was said; a line that is not answered for the first time is
    /// rejected by that.
    fn answer(&mut self, said: &[Option<Said>], now: DateTime<Utc>) {
        for (line, said) in self.lines.iter_mut().zip(said) {
            match said {
                Some(said) => {
                    line.accepted = said.accepted;
                    line.backordered = said.backordered;
                    line.rejected = said.rejected;
                    line.price = said.price.unwrap_or(line.price);
                }
                None if line.answered.is_none() => line.rejected = line.ordered,
                None => continue,
            }
            line.answered = Some(now);
            line.killed |= line.due() == 0 && line.ordered > 0;
        }
        if self.acknowledged.is_none() {
            self.moved = now;
        }
        self.acknowledged.get_or_insert(now);
    }
}
