//! What `lifecycle` remarks, in words: rule, sentence and remedy.

use super::{Due, Spot};
use crate::canonical::Decimal;
use crate::lifecycle::{Item, Kind, Part, Remark, What};
use crate::x12::{Fault, Severity, Text, Value, text};

/// The name of a file, by its number.
type Names<'a> = &'a dyn Fn(u32) -> &'a str;

/// Rule, sentence and remedy.
type Words = (Fault, Text, Text);

/// A remark about a segment. `names` are those of the files.
pub(super) fn due(remark: &Remark<Spot>, names: Names<'_>) -> Option<Due> {
    let (at, element) = (&remark.at, element(&remark.at.tag, remark.part));
    let what = &remark.what;
    let words = amount(what)
        .or_else(|| day(what))
        .or_else(|| line(what, names));
    let (fault, message, fix) = words.or_else(|| order(what, names))?;
    let mut due = Due::new(at, element, fault, message, fix);
    if let What::Quantity {
        how,
        quantity,
        due: asked,
        ..
    } = what
        && *how != Kind::Answer
        && quantity.value() < asked.value()
    {
        // The rest may be on its way.
        due.severity = Severity::Info;
    }
    Some(due)
}

/// The element of a segment where a value stands.
fn element(tag: &[u8; 3], part: Part) -> u32 {
    match (part, tag) {
        (Part::Quantity, _) | (Part::Number, _) => 2,
        (Part::Price, _) => 4,
        (Part::Amount, b"TXI") => 2,
        (Part::Amount, b"PAM") => 5,
        (Part::Amount, _) => 1,
        (Part::Day, b"BSN") | (Part::Order, _) => 3,
        (Part::Day, _) => 2,
        (Part::Whole, _) => 0,
    }
}

fn plain(number: &Decimal) -> String {
    number.to_string()
}

fn named(item: &Item) -> Text {
    match item {
        Item::Id(kind, id) => text!("{kind} {id}", kind, id),
        Item::Line(number) => text!("line {number}", number),
    }
}

/// Of the money of one document.
fn amount(what: &What<Spot>) -> Option<Words> {
    Some(match what {
        What::PriceScale {
            price,
            least,
            most,
            meant,
        } => (
            Fault::ValueScale,
            text!(
                "the price is {price}, and those of the other lines are from {least} to {most}",
                price = plain(price),
                least = plain(least),
                most = plain(most)
            ),
            text!(
                "was {meant} meant? the point is written",
                meant = plain(meant)
            ),
        ),
        What::TotalScale { total, times, sum } => (
            Fault::ValueScale,
            text!(
                "the total is {total}, {times} times what the lines come to, {sum}",
                total = plain(total),
                times = *times,
                sum = plain(sum)
            ),
            text!("TDS01 has no point: its last two digits are decimals"),
        ),
        What::Total {
            said,
            reckoned,
            lines,
            charges,
            taxes,
        } => (
            Fault::TotalDiffers,
            text!(
                "the total is {said}; its lines ({lines}), charges less allowances ({charges}) and taxes ({taxes}) come to {reckoned}",
                said = plain(said),
                reckoned = plain(reckoned),
                lines = plain(lines),
                charges = plain(charges),
                taxes = plain(taxes)
            ),
            text!("correct the total, or the line, charge or tax that is wrong or missing"),
        ),
        What::Taxes { said, reckoned } => (
            Fault::TaxDiffers,
            text!(
                "the taxes of the whole come to {said}, and those of its lines to {reckoned}",
                said = plain(said),
                reckoned = plain(reckoned)
            ),
            text!("correct the tax of the whole, or that of the line"),
        ),
        What::Extension { said, reckoned } => (
            Fault::LineAmount,
            text!(
                "the amount of the line is {said}, and quantity times price is {reckoned}",
                said = plain(said),
                reckoned = plain(reckoned)
            ),
            text!("correct the amount, the quantity or the price"),
        ),
        _ => return None,
    })
}

/// Of the days of one document.
fn day(what: &What<Spot>) -> Option<Words> {
    let (message, fix) = match what {
        What::LeavesLate { arrives, leaves } => (
            text!(
                "the goods arrive on {arrives} and leave on {left}",
                arrives = arrives.to_string(),
                left = leaves.to_string()
            ),
            text!("correct one of the two dates: both come from one clock"),
        ),
        What::ToldLate { arrives, told } => (
            text!(
                "the notice is of {told}, and the goods arrive on {arrives}",
                told = told.to_string(),
                arrives = arrives.to_string()
            ),
            text!("send the notice when the goods leave"),
        ),
        _ => return None,
    };
    Some((Fault::DateOrder, message, fix))
}

/// Of the price or the quantity of a line.
fn line(what: &What<Spot>, names: Names<'_>) -> Option<Words> {
    match what {
        What::Price {
            item,
            price,
            due,
            order,
            of,
            by,
        } => {
            let (item, price, ordered) = (named(item), plain(price), plain(due));
            let file = names(by.file);
            #[rustfmt::skip]
            let message = match of {
                Kind::Answer => text!("the price of {item} is {price}; the answer to order {order} says {ordered} ({file})", item, price, order, ordered, file),
                _ => text!("the price of {item} is {price}; order {order} says {ordered} ({file})", item, price, order, ordered, file),
            };
            let fix =
                text!("agree on the price before you send: a buyer pays the lower one, or nothing");
            Some((Fault::LinePrice, message, fix))
        }
        What::Quantity {
            item,
            how,
            quantity,
            due,
            order,
            by,
        } => {
            let (item, quantity) = (named(item), quantity.value().normalize().to_string());
            let (ordered, file) = (plain(due), names(by.file));
            #[rustfmt::skip]
            let message = match how {
                Kind::Notice => text!("{quantity} of {item} are shipped; order {order} asks for {ordered} ({file})", quantity, item, order, ordered, file),
                Kind::Invoice => text!("{quantity} of {item} are billed; order {order} asks for {ordered} ({file})", quantity, item, order, ordered, file),
                _ => text!("{quantity} of {item} are answered; order {order} asks for {ordered} ({file})", quantity, item, order, ordered, file),
            };
            let fix =
                text!("compare the two: what is missing may follow, what is too much is refused");
            Some((Fault::LineQuantity, message, fix))
        }
        What::Unshipped {
            item,
            billed,
            shipped,
            order,
            by,
        } => {
            let message = text!(
                "{billed} of {item} of order {order} are billed, and {shipped} are shipped ({file})",
                billed = plain(billed),
                item = named(item),
                order,
                shipped = plain(shipped),
                file = names(by.file)
            );
            let fix = text!("bill what has left, and send the ship notice before the invoice");
            Some((Fault::LineQuantity, message, fix))
        }
        _ => None,
    }
}

/// Of what follows an order, and when.
fn order(what: &What<Spot>, names: Names<'_>) -> Option<Words> {
    Some(match what {
        What::Twice { of, number, by } => twice(*of, number, names(by.file)),
        What::Unanswered { item, order, by } => (
            Fault::LineMissing,
            text!(
                "{item} of order {order} is not answered ({file})",
                item = named(item),
                order,
                file = names(by.file)
            ),
            text!("answer every line: one that is left out counts as rejected"),
        ),
        What::Revived { item, order, by } => (
            Fault::LineRevived,
            text!(
                "{item} of order {order} is accepted here and was rejected before ({file})",
                item = named(item),
                order,
                file = names(by.file)
            ),
            text!("ask the buyer for a new order: a line that was rejected is bought elsewhere"),
        ),
        What::Early { written, other, by } => (
            Fault::FlowOrder,
            text!(
                "it was written at {written}, before what it follows: {file}, {other}",
                written = written.format("%Y-%m-%d %H:%M").to_string(),
                file = names(by.file),
                other = other.format("%Y-%m-%d %H:%M").to_string()
            ),
            text!("stamp ISA09 and ISA10 when the interchange is made, in one time zone"),
        ),
        _ => return None,
    })
}

/// A number that was used before.
fn twice(of: Option<Kind>, number: &str, file: &str) -> Words {
    let file = Value::from(file);
    let (message, fix) = match of {
        Some(Kind::Invoice) => (
            text!("invoice {number} is in {file} too", number, file),
            text!("give every invoice a number of its own: the second is refused, or paid twice"),
        ),
        Some(_) => (
            text!("ship notice {number} is in {file} too", number, file),
            text!(
                "give every shipment a number of its own, or say 05 in BSN01 where this notice takes the place of the other"
            ),
        ),
        None => (
            text!("package {number} is in {file} too", number, file),
            text!(
                "give every package a serial number of its own: one may come again after a year, not before"
            ),
        ),
    };
    (Fault::NumberTwice, message, fix)
}
