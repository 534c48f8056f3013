//! The rules for ship notices (856, `SubmitShipmentConfirmations`) and for what arrives.
//!
//! Nothing is shipped that was not acknowledged, and no more of it. Every carton has an SSCC of its
//! own. A notice that comes after the truck has left counts, and costs a part of the goods' price.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Judged, by_other_door, unknown};
use super::order::{instant, moment, units, with_check_digit};
use super::scenario::What;
use super::world::{Event, World, reason};
use super::{Door, Reason};
use crate::canonical::{
    Code, Document, Level, Reference, RoutedShipment, RoutingInstructions, RoutingRequest,
    ShipNotice,
};

/// How long after the departure a notice is in time.
const IN_TIME: TimeDelta = TimeDelta::minutes(30);
/// For how long the numbers of notices and packages are not used again.
const UNIQUE: TimeDelta = TimeDelta::days(365);
/// How long ago, and in how long, the goods of a notice leave.
const LEAVES: (TimeDelta, TimeDelta) = (TimeDelta::days(7), TimeDelta::days(2));
/// How long goods are on the road, where the notice does not say.
const ROAD: TimeDelta = TimeDelta::days(3);
/// Over which time it is reckoned how many notices were in time.
const COMPLIANCE: TimeDelta = TimeDelta::days(7);
/// How long after a request for a carrier it is named.
const ROUTED: TimeDelta = TimeDelta::hours(1);
/// The carrier that is named then, by a SCAC that is nobody's.
const CARRIER: &str = "SIMX";

/// A notice that counts.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) at: DateTime<Utc>,
    pub(super) arrives: DateTime<Utc>,
    pub(super) arrived: bool,
    /// Whether it came after the goods had left.
    late: bool,
    /// Order and line → how many.
    goods: BTreeMap<(String, usize), u32>,
}

/// What of a notice's tree counts.
#[derive(Default)]
struct Told {
    /// Order, line, how many, where it stands.
    goods: Vec<(String, usize, u32, String)>,
    /// SSCC and where it stands.
    packages: Vec<(String, String)>,
    wrong: Vec<Reason>,
}

impl World {
    pub(super) fn noticed(&mut self, notice: &ShipNotice, door: Door) -> (String, Judged) {
        let now = self.now();
        let number = notice.number.clone().unwrap_or_default();
        let again = notice
            .purpose
            .as_ref()
            .is_some_and(|p| matches!(p.as_str(), "replacement" | "change"));
        let mut told = Told::default();
        self.numbered(&number, again, &mut told);
        // What it replaces is taken back first, and put there again if it is refused.
        let before = self.notices.get(&number).filter(|_| again).cloned();
        if let Some(before) = &before {
            self.add(before, true);
        }
        for (n, level) in notice.levels.iter().enumerate() {
            self.walk(level, &format!("levels[{n}]"), None, &mut told);
        }
        self.judge_goods(&mut told);
        self.judge_packages(&told.packages.clone(), again, &mut told);
        let said = |pick: fn(&Level) -> Option<&crate::canonical::Moment>| {
            notice.levels.iter().flat_map(Level::walk).find_map(pick)
        };
        let shipped = notice
            .shipped
            .as_ref()
            .or(said(|level| level.shipped.as_deref()));
        let expected = notice
            .expected
            .as_ref()
            .or(said(|level| level.expected.as_deref()));
        let shipped = self.left(shipped, &mut told);
        let first = told.goods.first().map(|(order, ..)| order.clone());
        let order = first.unwrap_or_default();
        if !told.wrong.is_empty() {
            if let Some(before) = &before {
                self.add(before, false);
            }
            return (order, Err(told.wrong));
        }
        let arrives = expected.and_then(instant).unwrap_or(shipped + ROAD);
        let mut made = Notice {
            at: now,
            arrives: arrives.max(now),
            arrived: false,
            late: now - shipped > IN_TIME,
            goods: BTreeMap::new(),
        };
        for (order, line, count, _) in told.goods {
            *made.goods.entry((order, line)).or_default() += count;
        }
        for (sscc, _) in told.packages {
            self.packages.insert(sscc, now);
        }
        let other = self
            .orders
            .get(&order)
            .and_then(|order| by_other_door(order, door));
        let mut remarks: Vec<Reason> = other.into_iter().collect();
        if made.late {
            let minutes = (now - shipped).num_minutes();
            let sentence =
                format!("it came {minutes} minutes after the goods had left; 30 are agreed");
            remarks.push(reason("late_notice", "shipped", sentence));
        }
        self.add(&made, false);
        self.put(made.arrives, Event::Arrive(number.clone()));
        self.notices.insert(number, made);
        (order, Ok(remarks))
    }

    fn numbered(&self, number: &str, again: bool, told: &mut Told) {
        let now = self.now();
        let before = self.notices.get(number);
        let wrong = match (before, again) {
            _ if number.is_empty() => {
                Some(("number_missing", "the notice has no number".to_owned()))
            }
            (Some(before), false) if now - before.at < UNIQUE => Some((
                "number_used",
                format!("notice {number} was sent on {}", before.at.date_naive()),
            )),
            (None, true) => Some((
                "nothing_to_replace",
                format!("there is no notice {number} to replace"),
            )),
            (Some(before), true) if before.arrived => Some((
                "already_arrived",
                format!("the goods of {number} are there already"),
            )),
            _ => None,
        };
        let wrong = wrong.map(|(code, sentence)| reason(code, "number", sentence));
        told.wrong.extend(wrong);
    }

    /// Adds a notice's goods to the orders, or takes them back.
    fn add(&mut self, notice: &Notice, back: bool) {
        let now = self.now();
        for ((order, line), count) in &notice.goods {
            let Some(order) = self.orders.get_mut(order) else {
                continue;
            };
            let shipped = &mut order.lines[*line].shipped;
            *shipped = match back {
                true => shipped.saturating_sub(*count),
                false => *shipped + count,
            };
            order.moved = now;
            if notice.late {
                order.late = Some(notice.at);
            }
        }
    }

    /// When the goods left; what is wrong with that is told.
    fn left(&self, said: Option<&crate::canonical::Moment>, told: &mut Told) -> DateTime<Utc> {
        let now = self.now();
        let Some(said) = said else {
            let sentence = "it does not say when the goods leave".to_owned();
            told.wrong
                .push(reason("no_shipping_date", "shipped", sentence));
            return now;
        };
        // A day without a time is kept to its end.
        let day = said.date.as_ref().map(|date| {
            let end = date.value().and_time(chrono::NaiveTime::MIN).and_utc();
            (end + TimeDelta::days(1) - TimeDelta::seconds(1)).min(now.max(end))
        });
        let at = instant(said).or(day).unwrap_or(now);
        if at < now - LEAVES.0 || at > now + LEAVES.1 {
            let sentence = format!(
                "{} is not in the last 7 days or the next 2",
                at.date_naive()
            );
            told.wrong
                .push(reason("shipped_out_of_range", "shipped", sentence));
        }
        at
    }

    /// Looks through a level and those in it, below an order if there is one.
    fn walk(&self, level: &Level, at: &str, above: Option<&str>, told: &mut Told) {
        let own = level
            .order
            .as_ref()
            .and_then(|order| order.number.as_deref());
        let order = own.or(above);
        let kind = level.level.as_ref().map_or("", |kind| kind.as_str());
        // A parcel to a consumer has the carrier's number, and no more.
        if matches!(kind, "pack" | "tare") && !self.scenario().direct {
            marks(level, kind, at, told);
        }
        if kind == "item" {
            self.item(level, at, order, told);
        }
        for (n, below) in level.levels.iter().enumerate() {
            self.walk(below, &format!("{at}.levels[{n}]"), order, told);
        }
    }

    fn item(&self, level: &Level, at: &str, order: Option<&str>, told: &mut Told) {
        let Some(item) = level.item.as_deref() else {
            return;
        };
        let number = order.unwrap_or_default();
        let Some(order) = self.orders.get(number) else {
            told.wrong
                .push(unknown(number, &format!("{at}.order.number")));
            return;
        };
        let by_id = order.listed(&item.ids);
        let by_number = item.number.as_deref().and_then(|n| order.numbered(n));
        let line = match item.ids.is_empty() {
            true => by_number,
            false => by_id,
        };
        let Some(line) = line else {
            let sentence = format!("order {number} has no such item");
            told.wrong
                .push(reason("unknown_item", format!("{at}.item.ids"), sentence));
            return;
        };
        let value = item.quantity.as_ref().and_then(|quantity| quantity.value);
        match value.and_then(units).filter(|count| *count > 0) {
            Some(count) => told
                .goods
                .push((number.to_owned(), line, count, at.to_owned())),
            None => {
                let sentence = "it is not a whole number of eaches above 0".to_owned();
                let path = format!("{at}.item.quantity.value");
                told.wrong.push(reason("not_a_quantity", path, sentence));
            }
        }
    }

    fn judge_goods(&self, told: &mut Told) {
        if told.goods.is_empty() && told.wrong.is_empty() {
            let sentence = "no item is shipped".to_owned();
            told.wrong.push(reason("no_goods", "levels", sentence));
        }
        let mut sums: BTreeMap<(&str, usize), (u32, &str)> = BTreeMap::new();
        for (order, line, count, at) in &told.goods {
            let sum = sums.entry((order, *line)).or_insert((0, at));
            sum.0 = sum.0.saturating_add(*count);
        }
        let mut wrong = Vec::new();
        for ((number, line), (count, at)) in sums {
            let Some(order) = self.orders.get(number) else {
                continue;
            };
            let own = &order.lines[line];
            let path = format!("{at}.item.quantity.value");
            let due = own.due().saturating_sub(own.shipped);
            if order.cancelled {
                let sentence = format!("order {number} was cancelled");
                wrong.push(reason("cancelled_order", path, sentence));
            } else if order.acknowledged.is_none() {
                let sentence = format!("order {number} was not acknowledged");
                wrong.push(reason("not_acknowledged", path, sentence));
            } else if count > due {
                let sentence = format!(
                    "line {} of order {number}: {count} are shipped, {} were acknowledged and {} of \
                     these shipped before",
                    line + 1,
                    own.due(),
                    own.shipped
                );
                wrong.push(reason("quantity_above_acknowledged", path, sentence));
            }
        }
        told.wrong.extend(wrong);
    }

    fn judge_packages(&self, packages: &[(String, String)], again: bool, told: &mut Told) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (sscc, at) in packages {
            let body = sscc.get(..17).unwrap_or_default();
            let digits = sscc.len() == 18 && sscc.bytes().all(|b| b.is_ascii_digit());
            let wrong = match () {
                () if !digits => Some(("not_an_sscc", format!("{sscc:?} has not 18 digits"))),
                () if with_check_digit(body.to_owned()) != *sscc => {
                    let due = with_check_digit(body.to_owned());
                    Some((
                        "sscc_check_digit",
                        format!("with its check digit {sscc} would be {due}"),
                    ))
                }
                () if seen.contains_key(&**sscc) => Some((
                    "sscc_used",
                    format!("{sscc} is on two packages of this notice"),
                )),
                () if !again
                    && self
                        .packages
                        .get(sscc)
                        .is_some_and(|then| self.now() - *then < UNIQUE) =>
                {
                    Some((
                        "sscc_used",
                        format!("{sscc} was on a package within a year"),
                    ))
                }
                () => None,
            };
            seen.insert(sscc, at);
            told.wrong
                .extend(wrong.map(|(code, sentence)| reason(code, at.clone(), sentence)));
        }
    }

    /// The goods of a notice are at the dock: what is missing shows now.
    pub(super) fn arrive(&mut self, number: &str) {
        let now = self.now();
        let Some(notice) = self.notices.get_mut(number) else {
            return;
        };
        if notice.arrived || notice.arrives > now {
            return;
        }
        notice.arrived = true;
        let goods = notice.goods.clone();
        for ((order, line), count) in goods {
            let Some(order) = self.orders.get(&order) else {
                continue;
            };
            let position = order.position;
            let happens = self.scenario().happens(What::Shortage, position);
            let short = happens.filter(|one| one.line.clamp(1, order.lines.len()) == line + 1);
            let missing = short.map_or(0, |one| one.units);
            let number = order.number.clone();
            if let Some(order) = self.orders.get_mut(&number) {
                let line = &mut order.lines[line];
                let missed = line.arrived - line.received;
                line.arrived += count;
                line.received += count - (missing.saturating_sub(missed)).min(count);
            }
        }
    }

    /// Basis points of the goods' price that a late notice of an order costs: the more of the week's
    /// notices were in time, the less; none where the order's were in time.
    pub(super) fn late_cost(&self, order: &str) -> i64 {
        let Some(last) = self.orders.get(order).and_then(|order| order.late) else {
            return 0;
        };
        let week = |one: &&Notice| one.at <= last && last - one.at < COMPLIANCE;
        let all = self.notices.values().filter(week).count().max(1);
        let good = self
            .notices
            .values()
            .filter(week)
            .filter(|one| !one.late)
            .count();
        match good * 100 / all {
            96.. => 200,
            70.. => 400,
            _ => 600,
        }
    }

    /// A request for a carrier (753, `SubmitShipments`): a 754 follows, with the buyer's number.
    pub(super) fn asked_for_a_carrier(
        &mut self,
        request: &RoutingRequest,
        door: Door,
    ) -> (String, Judged) {
        let number = request.number.clone().unwrap_or_default();
        if number.is_empty() {
            let sentence = "the request has no number".to_owned();
            return (
                String::new(),
                Err(vec![reason("number_missing", "number", sentence)]),
            );
        }
        if door == Door::Edi {
            let at = self.now() + ROUTED;
            let mut draw = super::Seed::of(self.seed, "routing", self.submissions.len() as u64);
            let instructions = RoutingInstructions {
                purpose: Some(Code::new("original")),
                number: Some(number),
                made: Some(moment(at)),
                shipments: vec![RoutedShipment {
                    number: Some("1".to_owned()),
                    references: vec![Reference {
                        qualifier: Some("BX".to_owned()),
                        id: Some(draw.below(1_000_000_000).to_string()),
                        ..Reference::default()
                    }],
                    carrier: Some(CARRIER.to_owned()),
                    orders: request
                        .destinations
                        .iter()
                        .flat_map(|to| to.orders.clone())
                        .collect(),
                    ..RoutedShipment::default()
                }],
                ..RoutingInstructions::default()
            };
            let saying = super::Saying {
                at,
                door,
                order: String::new(),
                document: Document::RoutingInstructions(instructions),
            };
            self.put(at, Event::Say(Box::new(saying)));
        }
        (String::new(), Ok(Vec::new()))
    }
}

/// The marks of a package: a carton has an SSCC or a carrier's number; so has a pallet, if any.
fn marks(level: &Level, kind: &str, at: &str, told: &mut Told) {
    let mut marked = false;
    for (n, marks) in level.marks.iter().enumerate() {
        for (r, range) in marks.ranges.iter().enumerate() {
            let path = format!("{at}.marks[{n}].ranges[{r}].first");
            let first = range.first.as_deref().unwrap_or_default();
            match range.qualifier.as_ref().map_or("", |word| word.as_str()) {
                "sscc" | "sscc_and_application_identifier" => {
                    let short = match first.len() {
                        20 => first.strip_prefix("00").unwrap_or(first),
                        _ => first,
                    };
                    told.packages.push((short.to_owned(), path));
                    marked = true;
                }
                "carrier_package" => marked = true,
                _ => {}
            }
        }
    }
    if !marked && kind == "pack" {
        let sentence = "a carton has an SSCC, or the carrier's number".to_owned();
        told.wrong.push(reason(
            "carton_without_sscc",
            format!("{at}.marks"),
            sentence,
        ));
    }
}
