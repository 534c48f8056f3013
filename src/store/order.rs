//! What a person may order about a message that we sent, what a try that did not arrive says, and
//! how the queue looks.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Error, Headers, MessageState, WorkKind};

/// Who ordered something, and why: what the history keeps of it, with the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who: a person's name on this machine, or an account's.
    pub by: String,
    /// Why, in their words.
    pub why: String,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.by, self.why)
    }
}

/// A message that is to go once more: the same body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resend {
    /// Who wants it, and why.
    pub order: Order,
    /// The message that it becomes; `None` leaves it the one it is, under its Message-ID.
    pub anew: Option<Anew>,
}

/// A second message with the body of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anew {
    /// A new id (UUID v7).
    pub id: Uuid,
    /// Its Message-ID without angle brackets.
    pub message_id: String,
    /// The header fields to send, with that Message-ID.
    pub headers: Headers,
}

/// What a partner's server bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The partner's name in our settings.
    pub partner: String,
    /// Instead of [`AT_ONCE`](super::AT_ONCE).
    pub at_once: u32,
    /// Instead of [`MISSES`](super::MISSES).
    pub misses: u32,
}

/// A try that did not reach the partner's server, or that the server had no time for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// What happened.
    pub why: String,
    /// Whether they may have the message all the same: it is `sent` then.
    pub perhaps_there: bool,
    /// When the same is tried again.
    pub again: DateTime<Utc>,
    /// For how long nothing of this partner is tried where this is the miss that shuts its circuit,
    /// or a further one.
    pub pause: TimeDelta,
    /// Then everything for this partner that was queued before this is given up.
    pub give_up: DateTime<Utc>,
}

/// The queue, as an operator looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// What waits or is being done, what is due first before the rest.
    pub waiting: Vec<Waiting>,
    /// The partners whose server was not reached last time.
    pub circuits: Vec<Circuit>,
    /// How many rows are held: see [`held_until`].
    pub held: u64,
}

/// When work is due that is held until somebody [releases](super::Store::release) it: at the end of
/// the year 9999.
#[must_use]
pub fn held_until() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).expect("chrono knows later years")
}

/// A row of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What is to be done.
    pub kind: WorkKind,
    /// The message, interchange or document.
    pub subject: Uuid,
    /// The partner's name in our settings.
    pub partner: String,
    /// When it is due; when its worker is taken for dead, where it has one.
    pub due: DateTime<Utc>,
    /// Whether a worker has it.
    pub leased: bool,
    /// How often a worker took it.
    pub attempt: u32,
    /// What the last try said.
    pub error: Option<String>,
    /// When it was first queued.
    pub queued: DateTime<Utc>,
}

/// How a partner's server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    /// The partner's name in our settings.
    pub partner: String,
    /// Tries in a row that did not reach it.
    pub missed: u32,
    /// Until when nothing is tried, where its circuit is shut; then one at a time.
    pub shut: Option<DateTime<Utc>>,
}

/// The state that a message of ours is in once it is queued again under its own Message-ID.
pub(super) fn revived(state: MessageState) -> Result<MessageState, Error> {
    use MessageState::{
        Answered, Confirmed, Dead, Quarantined, Received, Refused, Sealed, Sent, Uncertain,
    };
    match state {
        Sealed | Dead | Refused | Quarantined => Ok(Sealed),
        // They may have it: that does not become untrue.
        Sent | Uncertain => Ok(Sent),
        Confirmed => Err(Error::invalid(
            "they confirmed it; it goes again under a new Message-ID only",
        )),
        Received | Answered => Err(not_ours()),
    }
}

/// Whether a message of ours can be cancelled.
pub(super) fn open(state: MessageState) -> Result<(), Error> {
    use MessageState::{Quarantined, Sealed, Sent, Uncertain};
    match state {
        Sealed | Sent | Uncertain | Quarantined => Ok(()),
        state => Err(Error::invalid(format!("it is {state}"))),
    }
}

pub(super) fn not_ours() -> Error {
    Error::invalid("the message came from the partner")
}

pub(super) fn in_hand() -> Error {
    Error::invalid("it is being sent at this moment; look again in a minute")
}
