//! What the keys of one document show by themselves: a price without its decimal point, dates that
//! cannot follow each other.

use super::{Day, Decimal, Kind, Noted, Paper};
use crate::x12::{Fault, text};

/// What is doubtful in the papers of a file.
pub(in crate::cli) fn doubts(papers: &[Paper]) -> Vec<Noted> {
    let mut found = Vec::new();
    for paper in papers {
        prices(paper, &mut found);
        total(paper, &mut found);
        days(paper, &mut found);
    }
    found
}

/// A price without a point that, with one, would be like those of the other lines, which have one.
fn prices(paper: &Paper, found: &mut Vec<Noted>) {
    let priced = paper.lines.iter();
    let priced = priced.filter_map(|line| Some((line, line.price?.value())));
    let (whole, others): (Vec<_>, Vec<_>) = priced.partition(|(_, price)| price.scale() == 0);
    let others = others.into_iter().map(|(_, price)| price);
    let (Some(least), Some(most)) = (others.clone().min(), others.clone().max()) else {
        return;
    };
    // One other line is no measure.
    if others.count() < 2 {
        return;
    }
    for (line, price) in whole {
        let meant = price * exact("0.01").value();
        if (least..=most).contains(&meant) && price > most {
            let message = text!(
                "the price is {price}, and those of the other lines are from {least} to {most}",
                price = price.to_string(),
                least = least.to_string(),
                most = most.to_string()
            );
            let fix = text!(
                "was {meant} meant? the point is written",
                meant = meant.to_string()
            );
            found.push(
                line.at
                    .finding(line.price_at, Fault::ValueScale, message, fix),
            );
        }
    }
}

/// A total that is a hundred times the lines' sum, or a hundredth of it, give or take what charges
/// and taxes may add.
fn total(paper: &Paper, found: &mut Vec<Noted>) {
    let Some((cents, at)) = &paper.total else {
        return;
    };
    let sum = paper
        .lines
        .iter()
        .try_fold(Decimal::default().value(), |sum, line| {
            let line = line.quantity?.value().checked_mul(line.price?.value())?;
            sum.checked_add(line)
        });
    let Some(sum) = sum.filter(|sum| sum.is_sign_positive() && !sum.is_zero()) else {
        return;
    };
    let total = cents.value() * exact("0.01").value();
    let near = |much: &str| {
        let Some(due) = sum.checked_mul(exact(much).value()) else {
            return false;
        };
        due * exact("0.8").value() <= total && total <= due * exact("1.2").value()
    };
    if let Some(times) = ["100", "1000", "0.01", "0.001"]
        .into_iter()
        .find(|much| near(much))
    {
        let message = text!(
            "the total is {total}, {times} times what the lines come to, {sum}",
            total = total.to_string(),
            times,
            sum = sum.normalize().to_string()
        );
        let fix = text!("TDS01 has no point: its last two digits are decimals");
        found.push(at.finding(1, Fault::ValueScale, message, fix));
    }
}

/// A number of ours.
fn exact(text: &str) -> Decimal {
    text.parse().unwrap_or_default()
}

/// Goods arrive after they have left, and are told of before they arrive.
fn days(paper: &Paper, found: &mut Vec<Noted>) {
    let of = |day: Day| paper.dates.iter().find(|(known, ..)| *known == day);
    let Some((_, arrives, at)) = of(Day::Arrives) else {
        return;
    };
    if paper.kind != Kind::Notice {
        return;
    }
    if let Some((_, left, _)) = of(Day::Left).filter(|(_, left, _)| left > arrives) {
        let (arrives, left) = (arrives.to_string(), left.to_string());
        let message = text!(
            "the goods arrive on {arrives} and leave on {left}",
            arrives,
            left
        );
        let fix = text!("correct one of the two dates: both come from one clock");
        found.push(at.finding(2, Fault::DateOrder, message, fix));
    }
    if let Some((_, told, notice)) = of(Day::Told).filter(|(_, told, _)| told > arrives) {
        let (arrives, told) = (arrives.to_string(), told.to_string());
        let message = text!(
            "the notice is of {told}, and the goods arrive on {arrives}",
            told,
            arrives
        );
        let fix = text!("send the notice when the goods leave");
        found.push(notice.finding(3, Fault::DateOrder, message, fix));
    }
}
