//! Scenarios: what happens when, who does it, and how the run must end. Data in `mappings/scenarios/`.
//!
//! ```toml
//! about = "The third order is short on arrival; the shortage is deducted"
//! about_zh = "…"
//! doors = ["edi", "api"]          # orders take these in turn
//!
//! [terms]
//! net_days = 60
//!
//! [[happens]]
//! what = "shortage"               # a word of the table in `What`
//! orders = [3]                    # which, from 1; without it every one
//! units = 2
//!
//! [end]
//! states = { paid = "all" }
//! differences = { shortage = 1 }
//! ```
//!
//! A name that the format does not have is an error that tells the line and what is possible.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::Deserialize;

use super::ledger::{Ledger, State};
use super::{Door, Shortfall};
use crate::mapping::shipped;

/// Why a scenario's text is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct Invalid {
    /// The scenario.
    pub name: String,
    /// What is wrong, with its line and what is possible.
    pub why: String,
}

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of its file, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// The same in Chinese.
    pub about_zh: String,
    /// The doors that orders take in turn.
    #[serde(default = "both")]
    pub doors: Vec<Door>,
    /// Whether its orders are of consumers, which the API gives apart.
    #[serde(default)]
    pub direct: bool,
    /// Orders of a run, where nobody says another number.
    #[serde(default = "twenty")]
    pub orders: usize,
    /// Minutes from one order to the next.
    #[serde(default = "half_an_hour")]
    pub every_minutes: i64,
    /// Orders that are made at one time.
    #[serde(default = "alone")]
    pub together: usize,
    /// Minutes until the outcome of what was submitted is told.
    #[serde(default = "five")]
    pub outcome_minutes: i64,
    /// Payment terms.
    #[serde(default)]
    pub terms: Terms,
    /// What happens that is not as usual.
    #[serde(default)]
    pub happens: Vec<Happening>,
    /// How it must end.
    #[serde(default)]
    pub end: End,
}

fn both() -> Vec<Door> {
    vec![Door::Edi, Door::Api]
}

fn alone() -> usize {
    1
}

fn twenty() -> usize {
    20
}

fn half_an_hour() -> i64 {
    30
}

fn five() -> i64 {
    5
}

/// Payment terms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Days from the invoice's date to its payment.
    pub net_days: u32,
    /// Hundredths of a percent that are taken off for early payment; 200 is 2 %.
    pub discount_basis_points: i64,
    /// Days in which it is paid then.
    pub discount_days: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            net_days: 60,
            discount_basis_points: 0,
            discount_days: 0,
        }
    }
}

/// Something that is not as usual.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// What.
    pub what: What,
    /// To which orders, counted from 1; none is all of them.
    #[serde(default)]
    pub orders: Vec<usize>,
    /// To which line of an order, counted from 1.
    #[serde(default = "first")]
    pub line: usize,
    /// How many units of it.
    #[serde(default = "one")]
    pub units: u32,
    /// How many cents: of a price, or of a deduction.
    #[serde(default)]
    pub cents: i64,
    /// How many hours later than usual, or after what it follows.
    #[serde(default)]
    pub hours: i64,
    /// For how many hours, of what lasts.
    #[serde(default)]
    pub lasts: i64,
    /// To which document, by its set, of what happens to documents on their way (`855`, `856`,
    /// `810`); none is each.
    pub set: Option<String>,
}

fn first() -> usize {
    1
}

fn one() -> u32 {
    1
}

impl Happening {
    /// Whether it happens to the order of this position, from 1.
    #[must_use]
    pub fn to(&self, position: usize) -> bool {
        self.orders.is_empty() || self.orders.contains(&position)
    }

    /// How much later.
    #[must_use]
    pub fn delay(&self) -> TimeDelta {
        TimeDelta::hours(self.hours)
    }
}

/// Declares the words: who does it, the word, what it means.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident $who:ident,)*) => {
        /// What can happen. The table of words: each is written in a file as `snake_case`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum What {
            $($(#[$about])* $name,)*
        }

        impl What {
            /// Who does it.
            #[must_use]
            pub fn who(self) -> Who {
                match self {
                    $(What::$name => Who::$who,)*
                }
            }
        }
    };
}

/// Who does something that is not as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The scripted vendor, in what it answers.
    Vendor,
    /// The buyer, in what it orders, receives and pays: [`super::World`].
    Buyer,
    /// The EDI door, on the wire.
    Edi,
    /// The API door, on the wire.
    Api,
}

words! {
    /// `units` of `line` are back-ordered and shipped with the rest, `hours` later.
    Backorder Vendor,
    /// `line` is rejected.
    RejectLine Vendor,
    /// Every line is rejected.
    RejectOrder Vendor,
    /// The acknowledgment comes `hours` later.
    LateAcknowledgment Vendor,
    /// `units` of `line` less are shipped than were acknowledged, for good.
    PartialShipment Vendor,
    /// `units` of `line` more are told in the ship notice than were acknowledged. After the refusal
    /// the right notice follows.
    OverShipment Vendor,
    /// The ship notice comes `hours` after the goods have left.
    LateNotice Vendor,
    /// An SSCC's check digit is wrong. After the refusal the right notice follows.
    WrongSscc Vendor,
    /// The invoice's price of `line` is `cents` above the order's.
    InvoicePrice Vendor,
    /// The invoice is sent again under its number.
    InvoiceTwice Vendor,
    /// The invoice adds `cents` of freight.
    InvoiceFreight Vendor,
    /// The invoice comes before the goods leave. After the refusal it follows again in its time.
    EarlyInvoice Vendor,
    /// The acknowledgment gives `line` the number of the next one.
    WrongLine Vendor,
    /// `units` more of `line` are acknowledged than were ordered.
    TooMuch Vendor,
    /// A ship notice comes before the acknowledgment. The right one follows in its time.
    EarlyNotice Vendor,
    /// All cartons have one SSCC. After the refusal the right notice follows.
    SameSscc Vendor,
    /// The invoice's total is `cents` above the sum of its lines.
    InvoiceTotal Vendor,
    /// `units` of `line` less are ordered, `hours` after the order.
    Decrease Buyer,
    /// The order is cancelled `hours` after it was made.
    Cancel Buyer,
    /// The same order is said again `hours` later.
    Duplicate Buyer,
    /// `units` of `line` are missing when the goods arrive: the invoice is paid short.
    Shortage Buyer,
    /// A shortage is paid back `hours` after the payment.
    Reversal Buyer,
    /// `cents` are charged back, with the invoice's payment.
    Chargeback Buyer,
    /// `cents` are held back as a provision, with the invoice's payment.
    Provision Buyer,
    /// No functional acknowledgment follows.
    Missing997 Edi,
    /// The functional acknowledgment rejects.
    Negative997 Edi,
    /// The document arrives and its receipt is lost; it is sent again.
    LostMdn Edi,
    /// The buyer's certificate has ended.
    ExpiredCertificate Edi,
    /// For `lasts` hours from `hours` on, an access token ends after a minute, whatever was said.
    ExpiredToken Api,
    /// From `hours` on the first client secret is refused; the second one holds.
    ExpiredSecret Api,
    /// For `lasts` hours from `hours` on, each request is answered 429.
    Storm Api,
    /// For `lasts` hours from `hours` on, each request is answered 503.
    Down Api,
    /// A transaction stays `Processing`, though its document counts.
    ProcessingForEver Api,
    /// A failed transaction tells no detail.
    NoDetail Api,
    /// Orders are not listed and not found for `lasts` hours after they were made.
    Hidden Api,
    /// Words and numbers in orders are written otherwise: `EACHES`, `"amount": "10"`.
    WrongCase Api,
    /// `sortOrder` is answered 400.
    SortRefused Api,
    /// Windows are not kept: old orders are listed with the new ones.
    OldOrders Api,
    /// A transaction is not found.
    LostTransaction Api,
    /// The answer to a POST is lost: 500, though its document counts.
    LostAnswer Api,
    /// An ordered quantity is negative (`units`), as some were seen.
    NegativeQuantity Api,
}

/// How a run must end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct End {
    /// How many orders end in which state; `"all"`, a number, or `"rest"`.
    pub states: BTreeMap<State, Count>,
    /// How many differences there are of which reason; no other may be there.
    pub differences: BTreeMap<String, Count>,
    /// What some of them come to, in cents.
    pub cents: BTreeMap<String, i64>,
    /// How many documents were refused, by reason; no other may be there.
    pub refused: BTreeMap<String, Count>,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Count {
    /// So many.
    Exactly(usize),
    /// In words.
    Word(CountWord),
}

impl TryFrom<toml::Value> for Count {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Count, String> {
        let number = value.as_integer().and_then(|n| usize::try_from(n).ok());
        let word = |value: toml::Value| value.try_into().ok().map(Count::Word);
        let found = number.map(Count::Exactly).or_else(|| word(value.clone()));
        found.ok_or_else(|| format!("{value} is neither a number nor one of all, rest, some, any"))
    }
}

/// How many, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountWord {
    /// Every order.
    All,
    /// Those that are in no other state of the table.
    Rest,
    /// At least one.
    Some,
    /// As many as there are, or none.
    Any,
}

impl Scenario {
    /// A scenario that is built in, by its name.
    ///
    /// # Errors
    /// [`Invalid`], which names those that there are.
    pub fn named(name: &str) -> Result<Scenario, Invalid> {
        match shipped("scenarios").find(|(known, _)| *known == name) {
            Some((name, text)) => Scenario::read(name, text),
            None => {
                let known: Vec<&str> = Scenario::names().collect();
                let why = format!("there is no such scenario; there are {}", known.join(", "));
                let name = name.to_owned();
                Err(Invalid { name, why })
            }
        }
    }

    /// The names of those that are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        shipped("scenarios").map(|(name, _)| name)
    }

    /// A scenario of a text.
    ///
    /// # Errors
    /// [`Invalid`], with the line and what is possible there.
    pub fn read(name: &str, text: &str) -> Result<Scenario, Invalid> {
        let invalid = |why: String| Invalid {
            name: name.to_owned(),
            why,
        };
        let read = toml::from_str::<Scenario>(text);
        let mut scenario = read.map_err(|why| invalid(why.to_string().trim_end().to_owned()))?;
        name.clone_into(&mut scenario.name);
        if scenario.doors.is_empty() {
            return Err(invalid(
                "doors is empty; possible are edi and api".to_owned(),
            ));
        }
        if scenario.direct && scenario.doors.contains(&Door::Edi) {
            let why = "consumers' orders (direct = true) go by the API: doors = [\"api\"]";
            return Err(invalid(why.to_owned()));
        }
        if scenario.every_minutes < 0 || scenario.outcome_minutes < 0 {
            return Err(invalid("minutes are not negative".to_owned()));
        }
        Ok(scenario)
    }

    /// What happens of this kind to the order of this position, from 1.
    #[must_use]
    pub fn happens(&self, what: What, position: usize) -> Option<&Happening> {
        let mut all = self.happens.iter();
        all.find(|one| one.what == what && one.to(position))
    }

    /// The door of the order of this position, from 1.
    #[must_use]
    pub fn door(&self, position: usize) -> Door {
        self.doors[position.saturating_sub(1) % self.doors.len()]
    }
}

/// What of `[end]` is not so.
pub(super) fn judge(
    ledger: &Ledger,
    refused: &BTreeMap<&'static str, usize>,
    scenario: &Scenario,
) -> Vec<Shortfall> {
    let end = &scenario.end;
    let mut found = Vec::new();
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    let (mut reasons, mut cents) = (BTreeMap::new(), BTreeMap::new());
    for row in &ledger.rows {
        *states.entry(row.state).or_default() += 1;
        for one in &row.differences {
            *reasons.entry(one.reason).or_default() += 1;
            *cents.entry(one.reason).or_insert(0) += one.cents;
        }
    }
    let orders = ledger.rows.len();
    let stated = |wanted: &Count| match wanted {
        Count::Exactly(count) => *count,
        _ => 0,
    };
    let rest = orders.saturating_sub(end.states.values().map(stated).sum());
    let states = states
        .iter()
        .map(|(state, count)| (state.as_str(), *count))
        .collect();
    let wanted = end
        .states
        .iter()
        .map(|(state, count)| (state.as_str(), *count))
        .collect();
    counted("states", &wanted, &states, rest, &mut found);
    for (what, wanted, is) in [
        ("differences", &end.differences, &reasons),
        ("refused", &end.refused, refused),
    ] {
        let wanted = wanted
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        counted(what, &wanted, is, orders, &mut found);
    }
    for (reason, wanted) in &end.cents {
        let is = cents.get(reason.as_str()).copied().unwrap_or(0);
        off(format!("cents.{reason}"), wanted, &is, &mut found);
    }
    off(
        "unexplained".to_owned(),
        &0,
        &ledger.unexplained(),
        &mut found,
    );
    found
}

fn off(what: String, wanted: &i64, is: &i64, found: &mut Vec<Shortfall>) {
    if wanted != is {
        let (wanted, is) = (wanted.to_string(), is.to_string());
        found.push(Shortfall { what, wanted, is });
    }
}

/// Holds a table of counts against what is, where `all` is how many `all` and `rest` are.
fn counted(
    what: &str,
    wanted: &BTreeMap<&str, Count>,
    is: &BTreeMap<&'static str, usize>,
    all: usize,
    found: &mut Vec<Shortfall>,
) {
    let names: BTreeSet<&str> = wanted.keys().copied().chain(is.keys().copied()).collect();
    for name in names {
        let count = is.get(name).copied().unwrap_or(0);
        let wanted = wanted.get(name).copied().unwrap_or(Count::Exactly(0));
        let (met, wanted) = match wanted {
            Count::Exactly(wanted) => (count == wanted, wanted.to_string()),
            Count::Word(CountWord::Some) => (count > 0, "some".to_owned()),
            Count::Word(CountWord::Any) => (true, String::new()),
            Count::Word(CountWord::All | CountWord::Rest) => (count == all, all.to_string()),
        };
        if !met {
            found.push(Shortfall {
                what: format!("{what}.{name}"),
                wanted,
                is: count.to_string(),
            });
        }
    }
}
