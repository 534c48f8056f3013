//! What queries answer: rows, and rows with what hangs on them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Answer, Digest, Direction, DocumentState, Headers, Key, Lease, MessageState, WorkKind,
};

/// One AS2 exchange, or one file of a folder transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// Which way it travelled.
    pub direction: Direction,
    /// The partner's name in our settings.
    pub partner: String,
    /// `as2`, `folder` …
    pub transport: String,
    /// Our name, the partner's, the Message-ID.
    pub key: Key,
    /// Its state.
    pub state: MessageState,
    /// Its MIC, ours or expected.
    pub mic: Option<String>,
    /// What is on the wire, by digest; see [`Store::payload`](super::Store::payload).
    pub body: Digest,
    /// What is inside, by digest; `None` where it was not opened.
    pub content: Option<Digest>,
    /// The media type of the content; inbound where it was opened.
    pub content_type: Option<String>,
    /// The file name of the content; inbound as the sender claims it, made safe: to be shown, never
    /// a path.
    pub file_name: Option<String>,
    /// The message that this one seems to repeat.
    pub resend_of: Option<Uuid>,
    /// The last thing said about it.
    pub note: String,
    /// When the row was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

/// A message with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDetail {
    /// The row.
    pub message: Message,
    /// The header fields on the wire.
    pub headers: Headers,
    /// The MDN that we gave (inbound) or got (outbound).
    pub answer: Option<Answer>,
    /// The URL that our answer is posted to; `None` where it was given to the request itself.
    pub answer_to: Option<String>,
    /// Its interchanges, in order.
    pub interchanges: Vec<Interchange>,
    /// Their documents, in order: the first [`DETAIL`](super::DETAIL).
    pub documents: Vec<Document>,
    /// The history of all of them, oldest first: the first [`DETAIL`](super::DETAIL).
    pub events: Vec<Event>,
}

/// One ISA to IEA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    /// Its id.
    pub id: Uuid,
    /// Which way it travelled.
    pub direction: Direction,
    /// The partner's name in our settings.
    pub partner: String,
    /// The message that carries it; `None` while an outbound one waits to be sealed.
    pub message: Option<Uuid>,
    /// ISA05 to ISA08 as one text, the sender first.
    pub pair: String,
    /// ISA13.
    pub control: String,
    /// Outbound: its bytes, by digest. An inbound one stands in its message's content.
    pub payload: Option<Digest>,
    /// The interchange that came before with the same pair and number.
    pub duplicate_of: Option<Uuid>,
    /// What reading said of the envelope (JSON).
    pub verdict: String,
    /// When the row was made.
    pub created: DateTime<Utc>,
}

/// One transaction set, and its canonical document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: Uuid,
    /// Which way it travels.
    pub direction: Direction,
    /// The partner's name in our settings.
    pub partner: String,
    /// The interchange that it stands in; `None` while it is only drafted.
    pub interchange: Option<Uuid>,
    /// The canonical kind: `purchase_order` …
    pub kind: String,
    /// ST01: `850` …
    pub set: String,
    /// The business number.
    pub number: String,
    /// GS06.
    pub group_control: Option<String>,
    /// ST02.
    pub set_control: Option<String>,
    /// Its state.
    pub state: DocumentState,
    /// The last thing said about it.
    pub note: String,
    /// When the row was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

/// A document with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentDetail {
    /// The row.
    pub document: Document,
    /// The canonical document (JSON).
    pub content: String,
    /// What reading said of it (JSON).
    pub findings: String,
    /// Its history, oldest first.
    pub events: Vec<Event>,
}

/// One line of history. Events are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// The message, interchange or document.
    pub subject: Uuid,
    /// What happened, in one or two words.
    pub what: String,
    /// The rest of the sentence.
    pub detail: String,
}

/// A piece of work that is leased to whoever holds this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What finishes it.
    pub lease: Lease,
    /// What to do.
    pub kind: WorkKind,
    /// The message, interchange or document, by kind.
    pub subject: Uuid,
    /// The partner's name in our settings.
    pub partner: String,
    /// When it was first queued: age, not attempts, says when to give up.
    pub queued: DateTime<Utc>,
    /// What the last try said.
    pub error: Option<String>,
    /// How many tries in a row did not reach the partner before it was claimed.
    pub missed: u32,
    /// How much of it is recorded: what the last part of a [`Reading`](super::Reading) said.
    pub done: u64,
}

/// What a claim got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claimed {
    /// The work, at most as much as was asked for.
    pub work: Vec<Work>,
    /// When to look again: not after the next row (of the asked kinds) may be had; in the past where
    /// there was more than was asked for. `None`: the queue has none.
    pub next: Option<DateTime<Utc>>,
}

/// Which rows to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<State> {
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this partner.
    pub partner: Option<String>,
    /// Only rows made at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// At most this many.
    pub limit: usize,
}

impl<State> Default for Filter<State> {
    /// The newest hundred.
    fn default() -> Self {
        Self {
            direction: None,
            state: None,
            partner: None,
            since: None,
            limit: 100,
        }
    }
}

/// How many rows are in each state; states without rows are left out. Sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages.
    pub messages: Vec<(Direction, MessageState, u64)>,
    /// Documents.
    pub documents: Vec<(Direction, DocumentState, u64)>,
    /// The queue.
    pub work: Vec<(WorkKind, u64)>,
}
