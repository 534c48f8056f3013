//! Times: the API has instants in UTC, X12 a day, or a day with a time and perhaps a zone.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::loss::LossKind;
use super::walk::Walk;

/// The parts of a moment of ours, which is one value.
const PARTS: [&str; 3] = ["date", "time", "zone"];

impl Walk<'_> {
    /// A day; midnight of it in the account's zone, as an instant.
    pub(super) fn day_to_api(&self, text: &str) -> Option<String> {
        let date: NaiveDate = text.parse().ok()?;
        Some(stamp(
            date.and_time(NaiveTime::MIN) - offset(self.context.offset),
        ))
    }

    pub(super) fn moment_to_api(&mut self, ours: &str, theirs: &str) {
        if let Some((instant, zoned)) = self.instant(ours, theirs) {
            match zoned {
                true => self.theirs.put(theirs, instant),
                false => self.add(LossKind::Inferred, theirs, instant),
            }
        }
    }

    /// Takes a moment of ours as an instant; and whether it said in which zone it is, if it has a
    /// time.
    fn instant(&mut self, ours: &str, theirs: &str) -> Option<(String, bool)> {
        let said = self.ours.text(ours)?;
        let part = |name: &str| self.ours.text(&format!("{ours}.{name}"));
        let date: NaiveDate = part("date")?.parse().ok()?;
        let (time, zone) = (part("time"), part("zone"));
        let clock = match &time {
            Some(time) => clock(time)?,
            None => NaiveTime::MIN,
        };
        let known = zone.as_deref().and_then(zone_offset);
        let utc = date.and_time(clock) - known.unwrap_or(offset(self.context.offset));
        let instant = stamp(utc);
        self.ours.clear(ours);
        self.trace(ours, theirs);
        if self.moment_of(utc.and_utc()).join(" ") != said {
            self.note(LossKind::Normalised, ours, said);
        }
        Some((instant, known.is_some() || time.is_none()))
    }

    pub(super) fn interval_to_api(&mut self, ours: &str, theirs: &str) {
        let has = |end: &str| self.ours.has(&format!("{ours}.{end}.date"));
        if !has("from") || !has("to") {
            return;
        }
        let from = self.instant(&format!("{ours}.from"), theirs);
        let to = self.instant(&format!("{ours}.to"), theirs);
        if let (Some((from, zoned)), Some((to, too))) = (from, to) {
            let both = format!("{from}--{to}");
            match zoned && too {
                true => self.theirs.put(theirs, both),
                false => self.add(LossKind::Inferred, theirs, both),
            }
        }
    }

    /// A day of ours; the time of theirs is lost.
    pub(super) fn day_from_api(&mut self, ours: &str, theirs: &str, text: &str) -> bool {
        let Some((instant, zoned)) = read_instant(text) else {
            return false;
        };
        let local = instant.with_timezone(&self.context.offset).naive_local();
        let day = local.date().to_string();
        if local.time() != NaiveTime::MIN {
            self.note(LossKind::Dropped, theirs, text);
        } else if self.day_to_api(&day).as_deref() != Some(text) {
            self.note(LossKind::Normalised, theirs, text);
        }
        match zoned {
            true => self.ours.put(ours, day),
            false => self.add(LossKind::Inferred, ours, day),
        }
        self.trace(ours, theirs);
        true
    }

    pub(super) fn moment_from_api(&mut self, ours: &str, theirs: &str, text: &str) -> bool {
        let Some((instant, zoned)) = read_instant(text) else {
            return false;
        };
        if stamp(hundredths(instant).naive_utc()) != text {
            self.respelt(theirs, text, &[instant]);
        }
        self.put_moment(ours, instant, zoned);
        self.trace(ours, theirs);
        true
    }

    pub(super) fn interval_from_api(&mut self, ours: &str, theirs: &str, text: &str) -> bool {
        let Some((from, to)) = text.split_once("--") else {
            return false;
        };
        let (Some(from), Some(to)) = (read_instant(from), read_instant(to)) else {
            return false;
        };
        let ends = [from.0, to.0];
        let written = ends.map(|end| stamp(hundredths(end).naive_utc()));
        if written.join("--") != text {
            self.respelt(theirs, text, &ends);
        }
        for (name, (end, zoned)) in [("from", from), ("to", to)] {
            let ours = format!("{ours}.{name}");
            self.put_moment(&ours, end, zoned);
            self.trace(&ours, theirs);
        }
        true
    }

    /// Tells of what is finer than the hundredths that X12 has, or only written otherwise.
    fn respelt(&mut self, theirs: &str, text: &str, instants: &[DateTime<Utc>]) {
        let fine = instants.iter().any(|one| hundredths(*one) != *one);
        let kind = match fine {
            true => LossKind::Truncated,
            false => LossKind::Normalised,
        };
        self.note(kind, theirs, text);
    }

    /// What a moment of ours is of an instant: a day where it is midnight in the account's zone;
    /// else date, time and zone in UTC.
    fn moment_of(&self, instant: DateTime<Utc>) -> Vec<String> {
        let local = instant.with_timezone(&self.context.offset).naive_local();
        if local.time() == NaiveTime::MIN {
            return vec![local.date().to_string()];
        }
        let form = match instant.timestamp_subsec_millis() / 10 {
            0 if instant.time().format("%S").to_string() == "00" => "%H:%M".to_owned(),
            0 => "%H:%M:%S".to_owned(),
            hundredths => format!("%H:%M:%S.{hundredths:02}"),
        };
        let date = instant.date_naive().to_string();
        vec![date, instant.format(&form).to_string(), "UT".to_owned()]
    }

    /// Puts a moment of ours; one with a time is told, since it may have been said in another zone,
    /// and one of which nobody said the zone.
    pub(super) fn put_moment(&mut self, ours: &str, instant: DateTime<Utc>, zoned: bool) {
        let parts = self.moment_of(instant);
        if parts.len() > 1 || !zoned {
            self.note(LossKind::Inferred, ours, parts.join(" "));
        }
        for (name, part) in PARTS.into_iter().zip(parts) {
            self.ours.put(&format!("{ours}.{name}"), part);
        }
    }
}

/// An instant, also one that forgot its zone; then UTC is meant. Whether it has one.
fn read_instant(text: &str) -> Option<(DateTime<Utc>, bool)> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some((instant.to_utc(), true));
    }
    if let Ok(instant) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some((instant.to_utc(), true));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let mut read = forms
        .iter()
        .map(|form| NaiveDateTime::parse_from_str(text, form));
    let midnight = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN));
    let naive = read.find_map(Result::ok).or_else(midnight)?;
    Some((naive.and_utc(), false))
}

fn hundredths(instant: DateTime<Utc>) -> DateTime<Utc> {
    let over = i64::from(instant.timestamp_subsec_nanos() % 10_000_000);
    instant - TimeDelta::nanoseconds(over)
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
