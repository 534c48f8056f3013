//! A map as rows, used in both directions: a path of ours, a path of theirs, and how the value goes
//! over. `[]` is each item of a list; the lists of the two sides have the same order.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

use super::loss::{Loss, LossKind, Report, Way};
use super::tree::Tree;
use super::{Context, Record, codes};

/// A row: ours, theirs, how.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Via,
);

/// How a value goes over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via {
    /// As it is, without blanks around it.
    Text,
    /// As it is, cut to so many characters.
    Cut(usize),
    /// A decimal of ours that must be whole; an integer of theirs.
    Whole,
    /// A count of ours (a JSON number); an integer of theirs.
    Count,
    /// A decimal as text; theirs may have an exponent.
    Decimal,
    /// By a code table.
    Code(&'static str),
    /// A unit, by a code table, after the account's own overrides.
    Unit(&'static str),
    /// A day of ours; an instant of theirs, midnight in the account's zone.
    Date,
    /// A moment; an instant of theirs.
    Moment,
    /// A window; two instants with `--` between.
    Interval,
}

/// A translation under way: both trees, and the report.
pub(super) struct Walk<'a> {
    pub(super) context: &'a Context,
    pub(super) ours: Tree,
    pub(super) theirs: Tree,
    pub(super) report: Report,
    /// The currency of the document, once it is known.
    pub(super) currency: Option<String>,
    /// Pallets and cartons that stand in the tree.
    seen: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    /// A walk from one tree to the other, which is empty.
    pub(super) fn new(map: &'static str, way: Way, from: Tree, context: &'a Context) -> Walk<'a> {
        let (ours, theirs) = match way {
            Way::ToApi => (from, Tree::default()),
            Way::FromApi => (Tree::default(), from),
        };
        Walk {
            currency: ours.text("currency.code"),
            report: Report::new(map, way),
            seen: BTreeSet::new(),
            context,
            ours,
            theirs,
        }
    }

    /// A walk from a record of the API.
    pub(super) fn of(
        map: &'static str,
        record: &'static str,
        value: Value,
        context: &'a Context,
    ) -> Walk<'a> {
        let record = Record::named(record).expect("a map's record is there");
        let value = record.read(value);
        let mut walk = Walk::new(map, Way::FromApi, Tree::default(), context);
        walk.report.strays("", record, &value);
        walk.theirs = Tree(value);
        walk
    }

    pub(super) fn note(&mut self, kind: LossKind, path: &str, value: impl ToString) {
        self.report.note(kind, path, value);
    }

    /// Whether a level of this tag was made before, and that it is made now.
    pub(super) fn seen(&mut self, tag: &str) -> bool {
        !tag.starts_with('O') && !self.seen.insert(tag.to_owned())
    }

    /// Ends a walk to the API: the request, and the report with all that is left of the document.
    pub(super) fn end_to_api(self) -> (Value, Vec<Loss>) {
        let losses = self.report.close(&self.ours);
        (self.theirs.into_value(), losses)
    }

    /// Ends a walk from the API.
    pub(super) fn end_from_api(self) -> (Value, Vec<Loss>) {
        let losses = self.report.close(&self.theirs);
        (self.ours.into_value(), losses)
    }

    pub(super) fn rows_to_api(&mut self, rows: &[Row]) {
        for row in rows {
            for place in places(&self.ours, row.0) {
                self.over(&at(row.0, &place), &at(row.1, &place), row.2);
            }
        }
    }

    pub(super) fn rows_from_api(&mut self, rows: &[Row]) {
        for row in rows {
            for place in places(&self.theirs, row.1) {
                self.back(&at(row.0, &place), &at(row.1, &place), row.2);
            }
        }
    }

    /// Takes one value over. What cannot go stays where it is, and is told at the end.
    pub(super) fn over(&mut self, ours: &str, theirs: &str, via: Via) {
        if self.theirs.has(theirs) {
            return;
        }
        match via {
            Via::Moment => return self.moment_to_api(ours, theirs),
            Via::Interval => return self.interval_to_api(ours, theirs),
            _ => {}
        }
        let Some(text) = self.ours.text(ours) else {
            return;
        };
        match via {
            Via::Whole | Via::Count => match whole(&text) {
                Some(number) => self.theirs.put(theirs, number),
                None => return,
            },
            Via::Code(table) => match self.code_to_api(ours, table, &text) {
                Some(word) => self.theirs.put(theirs, word),
                None => return,
            },
            Via::Unit(table) => {
                let meant = self.context.units.get(&text).cloned();
                if let Some(meant) = &meant {
                    self.note(LossKind::Inferred, theirs, meant);
                }
                match self.code_to_api(ours, table, meant.as_ref().unwrap_or(&text)) {
                    Some(word) => self.theirs.put(theirs, word),
                    None => return,
                }
            }
            Via::Date => {
                let Ok(date) = text.parse::<NaiveDate>() else {
                    return;
                };
                let instant = date.and_time(NaiveTime::MIN) - offset(self.context.offset);
                self.theirs.put(theirs, stamp(instant));
            }
            Via::Cut(most) if text.chars().count() > most => {
                self.note(LossKind::Truncated, ours, &text);
                self.theirs
                    .put(theirs, text.chars().take(most).collect::<String>());
            }
            _ => self.theirs.put(theirs, text.trim()),
        }
        self.ours.take(ours);
    }

    fn code_to_api(&mut self, ours: &str, table: &str, word: &str) -> Option<&'static str> {
        let (theirs, same) = codes::theirs(table, word)?;
        if !same {
            self.note(LossKind::Dropped, ours, word);
        }
        Some(theirs)
    }

    fn moment_to_api(&mut self, ours: &str, theirs: &str) {
        if let Some(instant) = self.instant(ours, theirs) {
            self.theirs.put(theirs, instant);
        }
    }

    /// Takes a moment of ours as an instant; how it was completed is told of `theirs`.
    pub(super) fn instant(&mut self, ours: &str, theirs: &str) -> Option<String> {
        let part = |tree: &Tree, name: &str| tree.text(&format!("{ours}.{name}"));
        let date: NaiveDate = part(&self.ours, "date")?.parse().ok()?;
        let time = part(&self.ours, "time");
        let zone = part(&self.ours, "zone");
        let clock = match &time {
            Some(time) => clock(time)?,
            None => NaiveTime::MIN,
        };
        let known = zone.as_deref().and_then(zone_offset);
        let local = date.and_time(clock) - known.unwrap_or(offset(self.context.offset));
        let instant = stamp(local);
        if known.is_none() && time.is_some() {
            self.note(LossKind::Inferred, theirs, &instant);
        }
        for name in ["date", "time", "zone"] {
            let path = format!("{ours}.{name}");
            self.ours.take(&path);
        }
        // What stands at midnight comes back as a day.
        let back = local + offset(self.context.offset);
        if let Some(time) = time.filter(|_| back.time() == NaiveTime::MIN) {
            self.note(LossKind::Dropped, &format!("{ours}.time"), time);
            if let Some(zone) = zone {
                self.note(LossKind::Dropped, &format!("{ours}.zone"), zone);
            }
        } else if let Some(zone) = zone.filter(|_| time_is_none(&instant)) {
            self.note(LossKind::Dropped, &format!("{ours}.zone"), zone);
        }
        Some(instant)
    }

    fn interval_to_api(&mut self, ours: &str, theirs: &str) {
        let has = |end: &str| self.ours.has(&format!("{ours}.{end}.date"));
        if !has("from") || !has("to") {
            return;
        }
        let from = self.instant(&format!("{ours}.from"), theirs);
        let to = self.instant(&format!("{ours}.to"), theirs);
        if let (Some(from), Some(to)) = (from, to) {
            self.theirs.put(theirs, format!("{from}--{to}"));
        }
    }

    /// Takes one value over. What cannot go stays where it is, and is told at the end.
    pub(super) fn back(&mut self, ours: &str, theirs: &str, via: Via) {
        let Some(text) = self.theirs.text(theirs) else {
            return;
        };
        if self.ours.has(ours) {
            return;
        }
        match via {
            Via::Whole => match plain(&text) {
                Some(number) => self.ours.put(ours, number),
                None => return,
            },
            Via::Count => match whole(&text).and_then(|number| u32::try_from(number).ok()) {
                Some(number) => self.ours.put(ours, number),
                None => return,
            },
            Via::Decimal => match plain(&text) {
                Some(number) => self.ours.put(ours, number),
                None => return,
            },
            Via::Code(table) | Via::Unit(table) => match codes::ours(table, &text) {
                Some((word, exact)) => {
                    self.ours.put(ours, word);
                    if !exact {
                        self.note(LossKind::Inferred, ours, word);
                    }
                }
                None => return,
            },
            Via::Date | Via::Moment => {
                let Some(instant) = self.read_instant(ours, &text) else {
                    return;
                };
                match via {
                    Via::Date => self.put_date(ours, theirs, instant),
                    _ => {
                        self.cut(theirs, &text, &[instant]);
                        self.put_moment(ours, instant);
                    }
                }
            }
            Via::Interval => {
                let Some((from, to)) = text.split_once("--") else {
                    return;
                };
                let (Some(from), Some(to)) =
                    (self.read_instant(ours, from), self.read_instant(ours, to))
                else {
                    return;
                };
                self.cut(theirs, &text, &[from, to]);
                self.put_moment(&format!("{ours}.from"), from);
                self.put_moment(&format!("{ours}.to"), to);
            }
            Via::Text | Via::Cut(_) => self.ours.put(ours, text.trim()),
        }
        self.theirs.take(theirs);
    }

    /// An instant, also one that forgot its zone; then UTC is meant, and told.
    pub(super) fn read_instant(&mut self, ours: &str, text: &str) -> Option<DateTime<Utc>> {
        let text = text.trim();
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(instant.to_utc());
        }
        let forms = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%dT%H:%M:%S%.f%z",
        ];
        let mut read = forms
            .iter()
            .map(|form| NaiveDateTime::parse_from_str(text, form));
        let midnight = || {
            text.parse::<NaiveDate>()
                .ok()
                .map(|date| date.and_time(NaiveTime::MIN))
        };
        let naive = read.find_map(Result::ok).or_else(midnight)?;
        self.note(LossKind::Inferred, ours, text);
        Some(naive.and_utc())
    }

    /// Tells of what is finer than the hundredths that X12 has.
    fn cut(&mut self, theirs: &str, text: &str, instants: &[DateTime<Utc>]) {
        let fine =
            |instant: &DateTime<Utc>| !instant.timestamp_subsec_nanos().is_multiple_of(10_000_000);
        if instants.iter().any(fine) {
            self.note(LossKind::Truncated, theirs, text);
        }
    }

    fn put_date(&mut self, ours: &str, theirs: &str, instant: DateTime<Utc>) {
        let local = instant.with_timezone(&self.context.offset).naive_local();
        self.ours.put(ours, local.date().to_string());
        if local.time() != NaiveTime::MIN {
            self.note(LossKind::Dropped, theirs, stamp(instant.naive_utc()));
        }
    }

    /// A day where it is midnight in the account's zone; else date, time and zone in UTC.
    pub(super) fn put_moment(&mut self, ours: &str, instant: DateTime<Utc>) {
        let local = instant.with_timezone(&self.context.offset).naive_local();
        if local.time() == NaiveTime::MIN {
            return self
                .ours
                .put(&format!("{ours}.date"), local.date().to_string());
        }
        let form = match instant.timestamp_subsec_millis() / 10 {
            0 if instant.time().format("%S").to_string() == "00" => "%H:%M".to_owned(),
            0 => "%H:%M:%S".to_owned(),
            hundredths => format!("%H:%M:%S.{hundredths:02}"),
        };
        self.ours
            .put(&format!("{ours}.date"), instant.date_naive().to_string());
        self.ours
            .put(&format!("{ours}.time"), instant.format(&form).to_string());
        self.ours.put(&format!("{ours}.zone"), "UT");
        self.note(LossKind::Inferred, ours, stamp(instant.naive_utc()));
    }
}

fn time_is_none(instant: &str) -> bool {
    instant.contains("T00:00:00Z")
}

/// `lines[].ids[]` at 2, 0: `lines[2].ids[0]`.
pub(super) fn at(pattern: &str, place: &[usize]) -> String {
    let mut path = String::with_capacity(pattern.len() + 4 * place.len());
    let mut place = place.iter();
    for (n, part) in pattern.split("[]").enumerate() {
        if n > 0 {
            let index = place.next().copied().unwrap_or_default();
            path.push_str(&format!("[{index}]"));
        }
        path.push_str(part);
    }
    path
}

/// Where the lists of a pattern lead: one empty place where it has none.
pub(super) fn places(tree: &Tree, pattern: &str) -> Vec<Vec<usize>> {
    let parts: Vec<&str> = pattern.split("[]").collect();
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for depth in 1..parts.len() {
        let list = parts[..depth].join("[]");
        found = found
            .into_iter()
            .flat_map(|place| {
                let items = tree.len(&at(&list, &place));
                (0..items).map(move |n| [place.as_slice(), &[n]].concat())
            })
            .collect();
    }
    found
}

/// A decimal as an integer, where nothing is lost but zeros.
pub(super) fn whole(text: &str) -> Option<i64> {
    let text = plain(text)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    fraction
        .bytes()
        .all(|byte| byte == b'0')
        .then(|| whole.parse().ok())
        .flatten()
}

/// A decimal without its exponent; none where it is no decimal, or of more digits than we hold.
pub(super) fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let number: crate::canonical::Decimal = number.parse().ok()?;
    if exponent == 0 {
        return Some(number.to_string());
    }
    let digits = number.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if exponent.unsigned_abs() > 28 {
        return None;
    }
    let zeros = "0".repeat(exponent.unsigned_abs() as usize);
    let padded = format!("{zeros}{whole}{fraction}{zeros}");
    let point = usize::try_from(zeros.len() as i32 + whole.len() as i32 + exponent).ok()?;
    let (whole, fraction) = padded.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let text = match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    };
    text.parse::<crate::canonical::Decimal>().ok().map(|_| text)
}

fn stamp(instant: NaiveDateTime) -> String {
    instant.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

fn offset(offset: FixedOffset) -> TimeDelta {
    TimeDelta::seconds(i64::from(offset.local_minus_utc()))
}

fn clock(time: &str) -> Option<NaiveTime> {
    let forms = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"];
    forms
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(time, form).ok())
}

/// X12 623: the zones that are an offset; `ET` and its like depend on the season.
fn zone_offset(zone: &str) -> Option<TimeDelta> {
    let hours = match zone {
        "UT" | "GM" => 0,
        "ED" => -4,
        "ES" | "CD" => -5,
        "CS" | "MD" => -6,
        "MS" | "PD" => -7,
        "PS" => -8,
        code => match code.parse::<i64>().ok()? {
            east @ 1..=12 => east,
            west @ 13..=24 => west - 25,
            _ => return None,
        },
    };
    Some(TimeDelta::hours(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_written_out() {
        for (text, wanted) in [
            ("1.5", "1.5"),
            ("-12.50e1", "-125"),
            ("2E-3", "0.002"),
            ("10", "10"),
            ("5e0", "5"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(plain("1e99"), None);
        assert_eq!(whole("10.00"), Some(10));
        assert_eq!(whole("10.5"), None);
    }

    #[test]
    fn a_place_is_an_index_for_each_list() {
        let mut tree = Tree::default();
        tree.put("a[1].b[0].c", "x");
        assert_eq!(places(&tree, "a[].b[].c"), [vec![1, 0]]);
        assert_eq!(at("a[].b[].c", &[1, 0]), "a[1].b[0].c");
    }
}
