//! Amazon in a box: a buyer with two doors, one state behind them, and a clock that can be moved.
//!
//! ```text
//!            EDI over AS2 ┐                      ┌ SP-API (`api`)
//!  850 860 824 820 754    ├── World ── Scenario ─┤ orders, statuses, transactions, settlements
//!  855 856 810 753 846    ┘  rules, money, time  └ acknowledgements, shipments, invoices
//! ```
//!
//! [`World`] is pure: no socket, no file, no clock and no randomness of its own. One seed, one
//! scenario and the same documents at the same times give the same bytes. What it says are canonical
//! documents ([`Saying`]), what it takes too, and each gets a [`Verdict`] with its reasons. So both
//! doors obey one set of rules, and money is added up in one place ([`Ledger`]).
//!
//! | file | is |
//! |---|---|
//! | `scenario` | a TOML file of `mappings/scenarios/`: what happens when, and how the run must end |
//! | `world`, `order` | the state, the agenda of what happens next, how an order is invented |
//! | `answer`, `notice`, `bill` | the rules for acknowledgments, ship notices, invoices |
//! | `payment`, `ledger` | payment by terms, deductions; every difference with its reason |
//! | [`api`] | the SP-API door: requests in, answers out, pure |
//! | [`listen`] | the one file with sockets: loopback only, by the type that binds |
//!
//! ```
//! use chrono::DateTime;
//! use transload::sim::{Door, Scenario, World};
//!
//! let start = DateTime::parse_from_rfc3339("2026-11-02T08:00:00Z").unwrap().to_utc();
//! let scenario = Scenario::named("standard").unwrap();
//! let mut world = World::new(scenario, 7, start, 2);
//! assert_eq!(world.next(), Some(start));
//! let said = world.due(start);
//! assert_eq!(said[0].door, Door::Edi);
//! assert_eq!(said[0].document.number(), Some(said[0].order.as_str()));
//! assert!(!world.end().is_empty(), "nothing was paid yet");
//! ```
//!
//! What it does not do: it is a model of what is published about the buyer, not of the buyer; it
//! knows retail orders of one vendor in the US; it speaks to nobody on the network.

mod answer;
pub mod api;
mod bill;
pub mod edi;
mod ledger;
pub mod listen;
mod notice;
mod order;
mod payment;
mod scenario;
mod seed;
mod world;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use ledger::{Difference, Ledger, Row, State, Step};
pub(crate) use order::with_check_digit;
pub use scenario::{Count, CountWord, End, Happening, Invalid, Scenario, Terms, What, Who};
pub use seed::Seed;
pub use world::World;

use crate::canonical::Document;

/// The vendor code that every order is for (`sellingParty.partyId`, REF*CR).
pub const VENDOR_CODE: &str = "SIMVN";
/// The name of the site whose rules and currency hold.
pub const SITE: &str = "us";

/// By which door a document comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// X12 over AS2.
    Edi,
    /// The SP-API.
    Api,
}

/// Something that the buyer says: an order, a change, an advice of what was refused, routing, a
/// remittance.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// When it is due.
    pub at: DateTime<Utc>,
    /// The door that it goes out by.
    pub door: Door,
    /// The order that it is about; empty for a remittance of several.
    pub order: String,
    /// What is said.
    pub document: Document,
}

/// What the buyer makes of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts; there may be remarks, which can cost money later.
    Accepted {
        /// The number of the submission, as the API gives it and an 824 names it.
        id: String,
        /// What is not as agreed in it.
        remarks: Vec<Reason>,
    },
    /// Nothing of it counts. By EDI an 824 follows, by the API its transaction fails.
    Refused {
        /// The same number.
        id: String,
        /// Why, all of it.
        reasons: Vec<Reason>,
    },
}

impl Verdict {
    /// The number of the submission.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Verdict::Accepted { id, .. } | Verdict::Refused { id, .. } => id,
        }
    }

    /// Why it was refused, or what is remarked of it.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Verdict::Accepted { remarks, .. } => remarks,
            Verdict::Refused { reasons, .. } => reasons,
        }
    }

    /// Whether it counts.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Verdict::Accepted { .. })
    }
}

/// Why something is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// A word of ours, such as `quantity_above_order`; scenario files count them.
    pub code: &'static str,
    /// Where in the document, as `lines[2].quantity.value`.
    pub path: String,
    /// What is wrong there, and what was expected: lower-case, no full stop.
    pub sentence: String,
}

/// A point in which a run did not end as its file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// What of `[end]`, such as `states.paid`.
    pub what: String,
    /// What the file wants.
    pub wanted: String,
    /// What it is.
    pub is: String,
}
