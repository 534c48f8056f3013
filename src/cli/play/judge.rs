//! What came of a play: a table with every cent explained, and whether it ended as it must.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::Failure;
use super::super::words::{language, said, say};
use super::{Play, Refusal};
use crate::as2;
use crate::clock::Clock;
use crate::lang::{Language, pad, width};
use crate::sim::{Door, Ledger, Row, Shortfall};
use crate::store::Direction;
use crate::x12::text;

/// Orders that are listed one by one; of more, those with a difference.
const LISTED: usize = 100;

/// A play, at its end.
pub(crate) struct Played {
    scenario: String,
    about: String,
    seed: u64,
    began: DateTime<Utc>,
    ended: DateTime<Utc>,
    took: Duration,
    /// The most memory that this process ever had, in bytes, where the system tells.
    peak: Option<u64>,
    ledger: Ledger,
    shortfalls: Vec<Shortfall>,
    refusals: Vec<Refusal>,
    remarks: Vec<Refusal>,
    /// What the vendor heard of refusals: set, number, why.
    advised: Vec<(String, String, String)>,
    troubles: Vec<String>,
    /// Interchanges of the EDI door by set.
    counts: BTreeMap<String, usize>,
    /// Documents of the gateway by direction, state: how many.
    states: BTreeMap<String, u64>,
    /// What the vendor was told that was paid, in cents, and what is amiss with that.
    told: i64,
    amiss: Vec<String>,
    /// Orders that the vendor was given again as they were.
    repeated: usize,
    /// What went wrong before the end.
    trouble: String,
    said: Vec<(String, String)>,
    /// One number for all that was said: equal where every byte was.
    fingerprint: String,
}

pub(super) async fn judge(play: &Play, trouble: String, took: Duration) -> Result<Played, Failure> {
    let house = &play.house;
    let (ledger, shortfalls, scenario, seed) = {
        let world = house.world();
        let ledger = world.ledger();
        (ledger, world.end(), world.scenario().clone(), play.seed)
    };
    let counts = house
        .running
        .gateway
        .store()
        .counts()
        .await
        .map_err(Failure::state)?;
    let mut states = BTreeMap::new();
    for (direction, state, count) in counts.documents {
        let way = match direction {
            Direction::Inbound => "in",
            Direction::Outbound => "out",
        };
        states.insert(format!("{way} {state}"), count);
    }
    let mut troubles = play.troubles.clone();
    troubles.extend(house.refused());
    troubles.extend(
        house
            .trouble()
            .await
            .lines()
            .map(|line| line.trim().to_owned()),
    );
    troubles.retain(|line| !line.is_empty());
    let (told, amiss) = told(play, &ledger);
    Ok(Played {
        about: match language() {
            Language::Chinese => scenario.about_zh.clone(),
            Language::English => scenario.about.clone(),
        },
        scenario: scenario.name,
        seed,
        began: super::start(),
        ended: house.clock.now(),
        took,
        peak: peak(),
        ledger,
        shortfalls,
        refusals: play.refusals.clone(),
        remarks: play.remarks.clone(),
        advised: play.vendor.refused.clone(),
        troubles,
        counts: play.counts.clone(),
        states,
        told,
        fingerprint: as2::hex(&play.spoken.digest),
        repeated: play.vendor.repeated,
        amiss,
        trouble,
        said: play
            .spoken
            .first
            .iter()
            .map(|one| (one.name.clone(), as2::hex(&one.digest)))
            .collect(),
    })
}

/// What the vendor heard of payments: in all, and where it is not what the buyer's books say.
fn told(play: &Play, ledger: &Ledger) -> (i64, Vec<String>) {
    let paid = |row: &Row| play.vendor.paid.get(&row.order).copied();
    let mut amiss = Vec::new();
    for row in ledger.rows.iter().filter(|row| row.door == Door::Edi) {
        let heard = paid(row).unwrap_or(0);
        if heard != row.paid {
            let (books, heard) = (money(row.paid), money(heard));
            amiss.push(format!(
                "order {}: the buyer paid {books}, the vendor heard of {heard}",
                row.order
            ));
        }
    }
    (play.vendor.paid.values().sum(), amiss)
}

/// The high-water mark of this process's memory, as Linux tells it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// Cents as dollars.
pub(super) fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{rest:02}")
}

fn door(door: Door) -> &'static str {
    match door {
        Door::Edi => "EDI",
        Door::Api => "API",
    }
}

impl Played {
    /// Whether it ended as its scenario says, with every cent explained.
    pub(crate) fn is_sound(&self) -> bool {
        self.shortfalls.is_empty()
            && self.ledger.unexplained() == 0
            && self.amiss.is_empty()
            && self.trouble.is_empty()
    }

    /// In what it did not end as it must, a sentence each.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let short = self.shortfalls.iter();
        let short = short.map(|one| {
            let (what, wanted, is) = (&*one.what, &*one.wanted, &*one.is);
            said(&text!(
                "{what}: {wanted} was wanted, and it is {is}",
                what,
                wanted,
                is
            ))
        });
        let mut all: Vec<String> = short.chain(self.amiss.iter().cloned()).collect();
        all.extend(Some(self.trouble.clone()).filter(|why| !why.is_empty()));
        if !all.is_empty() {
            all.extend(self.troubles.iter().cloned());
            all.extend(self.refusals.iter().map(|one| one.sentence.clone()));
        }
        all
    }

    /// Seconds, and orders a second.
    fn rate(&self) -> (f64, f64) {
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let orders = self.ledger.rows.len() as f64;
        (seconds, orders / seconds.max(0.001))
    }

    fn sum(&self, of: impl Fn(&Row) -> i64) -> i64 {
        self.ledger.rows.iter().map(of).sum()
    }

    /// Everything, as one object.
    pub(crate) fn json(&self) -> Value {
        let refusal = |one: &Refusal| {
            json!({
                "set": one.set, "number": one.number, "code": one.code, "path": one.path,
                "sentence": one.sentence,
            })
        };
        json!({
            "scenario": self.scenario,
            "seed": self.seed,
            "sound": self.is_sound(),
            "orders": self.ledger.rows.len(),
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "orders_per_second": (self.rate().1 * 10.0).round() / 10.0,
            "peak_bytes": self.peak,
            "from": self.began.to_rfc3339(),
            "to": self.ended.to_rfc3339(),
            "currency": self.ledger.currency,
            "rows": self.ledger.rows,
            "remitted": self.ledger.remitted,
            "told": self.told,
            "unexplained": self.ledger.unexplained(),
            "shortfalls": self.shortfalls,
            "refused": self.refusals.iter().map(refusal).collect::<Vec<_>>(),
            "remarked": self.remarks.iter().map(refusal).collect::<Vec<_>>(),
            "advised": self.advised,
            "repeated": self.repeated,
            "amiss": self.amiss,
            "troubles": self.troubles,
            "trouble": self.trouble,
            "interchanges": self.counts,
            "documents": self.states,
            "fingerprint": self.fingerprint,
            "said": if self.ledger.rows.len() <= LISTED { json!(self.said) } else { Value::Null },
        })
    }

    /// The table, for a person.
    pub(crate) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let days = (self.ended - self.began).num_days();
        let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
        let head = text!(
            "{orders} orders, scenario {scenario} (seed {seed}), {from} to {to} on a clock that was moved ({days} days)",
            orders = self.ledger.rows.len().to_string(),
            scenario = self.scenario.clone(),
            seed = self.seed.to_string(),
            from = day(self.began),
            to = day(self.ended),
            days = days.to_string(),
        );
        writeln!(out, "{}\n{}\n", said(&head), self.about)?;
        self.rows(out)?;
        self.differences(out)?;
        self.traffic(out)?;
        let verdict = match self.is_sound() {
            true => say("every cent is explained, and it ended as the scenario says"),
            false => say("it did NOT end as the scenario says"),
        };
        let sum = text!(
            "{ordered} ordered, {paid} paid, {unexplained} unexplained: {verdict}",
            ordered = money(self.sum(|row| row.ordered)),
            paid = money(self.sum(|row| row.paid)),
            unexplained = money(self.ledger.unexplained()),
            verdict,
        );
        writeln!(out, "\n{}", said(&sum))?;
        for line in self.wrong() {
            writeln!(out, "  {line}")?;
        }
        let (seconds, rate) = self.rate();
        let (seconds, rate) = (format!("{seconds:.1}"), format!("{rate:.1}"));
        let memory = self.peak.map(|bytes| (bytes >> 20).to_string());
        let speed = match memory {
            Some(memory) => text!(
                "{seconds} s, {rate} orders/s, at most {memory} MB of memory",
                seconds,
                rate,
                memory
            ),
            None => text!("{seconds} s, {rate} orders/s", seconds, rate),
        };
        writeln!(out, "{}", said(&speed))
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{} {}", pad(say("order"), 9), pad(say("door"), 4))?;
        let amounts = [
            say("ordered"),
            say("acknowledged"),
            say("shipped"),
            say("invoiced"),
            say("paid"),
        ];
        for amount in amounts {
            let space = 13_usize.saturating_sub(width(amount));
            write!(out, "{:space$}{amount}", "")?;
        }
        writeln!(out, "  {}", say("state"))?;
        let few = self.ledger.rows.len() <= LISTED;
        for row in self
            .ledger
            .rows
            .iter()
            .filter(|row| few || !row.differences.is_empty())
            .take(LISTED)
        {
            let unexplained = match row.unexplained() {
                0 => String::new(),
                cents => format!(", {} {}", money(cents), say("UNEXPLAINED")),
            };
            self.line(
                out,
                (&row.order, door(row.door)),
                |of| of(row),
                &format!("{}{unexplained}", say(row.state.as_str())),
            )?;
        }
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &self.ledger.rows {
            *states.entry(row.state.as_str()).or_default() += 1;
        }
        let states: Vec<String> = states
            .iter()
            .map(|(state, count)| format!("{count} {}", say(state)))
            .collect();
        self.line(out, (say("all"), ""), |of| self.sum(of), &states.join(", "))
    }

    fn line(
        &self,
        out: &mut dyn Write,
        (order, door): (&str, &str),
        of: impl Fn(fn(&Row) -> i64) -> i64,
        state: &str,
    ) -> io::Result<()> {
        let amounts: [fn(&Row) -> i64; 5] = [
            |row| row.ordered,
            |row| row.acknowledged,
            |row| row.shipped,
            |row| row.invoiced,
            |row| row.paid,
        ];
        write!(out, "{} {door:<4}", pad(order, 9))?;
        for amount in amounts {
            write!(out, " {:>12}", money(of(amount)))?;
        }
        writeln!(out, "  {state}")
    }

    /// Why amounts differ, order by order.
    fn differences(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = self.ledger.rows.iter();
        let all: Vec<_> = all
            .flat_map(|row| row.differences.iter().map(move |one| (row, one)))
            .collect();
        if all.is_empty() {
            let none = say(
                "what was ordered was acknowledged, shipped, invoiced and paid: no differences",
            );
            return writeln!(out, "\n{none}");
        }
        writeln!(out, "\n{}", say("differences, each with its reason"))?;
        for (row, one) in all.iter().take(LISTED) {
            let step = format!("{:?}", one.step).to_lowercase();
            writeln!(
                out,
                "{:<9} {:>12}  {} ({step})",
                row.order,
                money(one.cents),
                one.reason
            )?;
        }
        Ok(())
    }

    /// What went by, and what was refused.
    fn traffic(&self, out: &mut dyn Write) -> io::Result<()> {
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(set, n)| format!("{n} × {set}"))
            .collect();
        let counts = text!(
            "by AS2, signed and encrypted, each with its MDN: {counts}",
            counts = counts.join(", ")
        );
        writeln!(out, "\n{}", said(&counts))?;
        let states: Vec<String> = self
            .states
            .iter()
            .map(|(state, n)| format!("{n} {state}"))
            .collect();
        let states = text!(
            "the gateway's documents: {states}",
            states = states.join(", ")
        );
        writeln!(out, "{}", said(&states))?;
        for one in self.refusals.iter().take(LISTED) {
            let (set, number, why) = (&*one.set, &*one.number, one.why());
            let line = text!("the buyer refused {set} {number}: {why}", set, number, why);
            writeln!(out, "{}", said(&line))?;
        }
        for one in self.remarks.iter().take(LISTED) {
            let (set, number, why) = (&*one.set, &*one.number, one.why());
            let line = text!(
                "the buyer remarked on {set} {number}: {why}",
                set,
                number,
                why
            );
            writeln!(out, "{}", said(&line))?;
        }
        for (set, number, why) in self.advised.iter().take(LISTED) {
            let (set, number, why) = (&**set, &**number, &**why);
            let line = text!(
                "the vendor was told by an 824 of {set} {number}: {why}",
                set,
                number,
                why
            );
            writeln!(out, "{}", said(&line))?;
        }
        for what in self.troubles.iter().take(LISTED) {
            let what = &**what;
            writeln!(out, "{}", said(&text!("on the way: {what}", what)))?;
        }
        Ok(())
    }
}

impl Refusal {
    /// The sentence, with its code and its place.
    fn why(&self) -> String {
        let Refusal {
            sentence,
            code,
            path,
            ..
        } = self;
        match path.is_empty() {
            true => format!("{sentence} ({code})"),
            false => format!("{sentence} ({code}, {path})"),
        }
    }
}
