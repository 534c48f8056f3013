//! What must not be lost: messages, interchanges, documents, the queue and the history.
//!
//! Three rows, each with its own state: a `message` (one AS2 exchange) has interchanges, an
//! `interchange` has documents. An MDN settles a message, a 997 settles documents, the bridge
//! settles a document's business.
//!
//! | row | inbound | outbound | aside |
//! |---|---|---|---|
//! | message | received → answered | sealed → sent → confirmed | refused, uncertain, quarantined, dead |
//! | document | read → delivered → settled | drafted → sent → accepted → settled | held, rejected, failed |
//!
//! Beside them: the queue (`work`: every row has a time at which something happens next), the
//! numbers of each pair of interchange ids, and an append-only history.
//!
//! [`Store`] hands out no connection and no transaction: each method is one business transaction,
//! and queues what follows from it in the same one. A step of either walk is: load, pure call,
//! record. A crash between two steps repeats at most one of them.
//!
//! ```text
//! inbound    accept ─► Read ─► read ─► Deliver ─► delivered ─► settle
//!                                        └► submit ─► Ask ─► submit
//!            accept, refuse ─► Answer ─► posted | retry | bury
//!                                 └► (997 draft) Compose ─┐
//! outbound   draft ─► Compose ─► compose ─► Seal ─► seal ─► Send ─► receipt | sent | unreached | bury
//! ```
//!
//! ```
//! use transload::store::{Filter, Memory, MessageState, Store};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store: Box<dyn Store> = Box::new(Memory::default());
//! let refused = Filter { state: Some(MessageState::Refused), ..Filter::default() };
//! assert!(store.messages(refused).await.unwrap().is_empty());
//! # });
//! ```
//!
//! Not here: hashing (who hands in bytes hands in their digest), reading or judging what is stored,
//! clocks (every method that needs the time is given it), retention and purging.

mod bridge;
pub mod disk;
mod error;
mod inbound;
#[cfg(test)]
mod law;
mod memory;
mod order;
mod outbound;
mod payload;
mod row;
mod seen;
mod sqlite;
mod state;
#[cfg(test)]
mod suite;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub use bridge::{Observation, Observed, Step, Submission, Then};
pub use error::{Error, Kind, Retry};
pub use inbound::{
    Accepted, Answer, Arrival, Digest, Headers, Key, NewDocument, NewInterchange, OnDuplicate,
    Reading, Recorded, Verdict,
};
pub use memory::Memory;
pub use order::{Allowance, Anew, Circuit, Missed, Order, Queue, Resend, Waiting, held_until};
pub use outbound::{
    Compose, Composed, ControlNumbers, Draft, Drafted, Envelope, Placed, Receipt, Sealed,
};
pub use payload::{Payload, Place, Source};
pub use row::{
    Claimed, Counts, Document, DocumentDetail, Event, Filter, Interchange, Message, MessageDetail,
    Work,
};
pub use seen::Seen;
pub use sqlite::{DATABASE, Restored, Snapshot, Sqlite};
pub use state::{Aside, Direction, DocumentState, MessageState, WorkKind};

/// How long a repeated content or control number is taken for a repetition. Long enough for a
/// partner who re-sends a quarter; short enough for one who starts his numbers anew each year.
pub const DUPLICATE_WINDOW: TimeDelta = TimeDelta::days(90);

/// After so many workers in a row that took a row and were not heard of again, the row is poison
/// and is set aside. Two may be bad luck (a restart); three are a pattern.
pub const DEATHS: u32 = 3;

/// Pieces of work that wait for the same partner's server at once, where its file says nothing: what a small server bears, and
/// few enough that one that hangs leaves most of a worker's places to others.
pub const AT_ONCE: u32 = 4;

/// After so many tries in a row that did not reach a partner, where its file says nothing, nothing is tried for a while, and
/// then one at a time until one succeeds: a partner who is down costs nobody else a place.
pub const MISSES: u32 = 5;

/// The largest ISA13 and GS06 (nine digits); 1 follows.
pub const LAST_CONTROL_NUMBER: u32 = 999_999_999;

/// Remarks of one kind that a message's history takes: enough to see that somebody tries, and no
/// way to fill a disk for who cannot prove who he is.
pub const REMARKS: usize = 10;

/// How many documents, and how many lines of history, hang on a message or an interchange that is
/// asked for: all of them for a person's page, and no memory for half a million.
pub const DETAIL: usize = 1000;

/// The right to finish a piece of work. Claiming it anew makes a new one, and this one stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The row of the queue.
    pub work: i64,
    /// The fencing token: how often the row was claimed.
    pub attempt: u32,
}

/// What every method of [`Store`] returns.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A place where messages, documents and work are safe. Every method is one transaction, durable
/// when it returns `Ok`, without effect when it returns `Err`.
///
/// Methods that take a [`Lease`] fail with [`Kind::Stale`] where the lease was lost. Times are kept
/// to the microsecond.
pub trait Store: Send + Sync + 'static {
    /// Accepts an inbound message: the row in `received`, its key, body, content and final answer,
    /// and the work to read it, and to post its answer where it has an address. A copy of an
    /// accepted message changes nothing but its history and the address: the stored answer is
    /// posted again to where the copy wants it. One of a refused message is accepted anew.
    fn accept(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, Accepted>;

    /// Records an inbound message that got an error answer, in `refused`, and queues the answer
    /// where it has an address. It does not occupy its key.
    fn refuse(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// The answer left: `received` becomes `answered`. Other states stay.
    fn answered(&self, message: Uuid, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// Ends [`WorkKind::Answer`]: the partner took the answer. `received` and `uncertain` become
    /// `answered`, `refused` stays.
    fn posted(&self, lease: Lease, note: String, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// Leases up to `limit` due pieces of work of these kinds for `lease`, the partner served
    /// longest ago first. Rows that killed [`DEATHS`] workers in a row are set aside on the way. Of
    /// what asks a partner's server, [`AT_ONCE`] (or what [`allow`](Store::allow) said) are leased at
    /// once; none while it is shut, and one from then on until it is reached.
    fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Reply<'_, Claimed>;

    /// What partners' servers bear, where it is not the usual: in place of all that was said before.
    fn allow(&self, all: Vec<Allowance>) -> Reply<'_, ()>;

    /// Keeps a lease until `until`.
    fn extend(&self, lease: Lease, until: DateTime<Utc>) -> Reply<'_, ()>;

    /// The work failed for now: it is due again at `at`. Also how a lease is given back.
    fn retry(
        &self,
        lease: Lease,
        at: DateTime<Utc>,
        error: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// A try did not reach the partner: like [`retry`](Store::retry), and counted. Gives the tries
    /// in a row that did not; the [`MISSES`]th (or what [`allow`](Store::allow) said) shuts the partner's circuit. Everything else that
    /// ends [`WorkKind::Send`] or [`WorkKind::Answer`] with an answer of theirs opens it.
    fn unreached(&self, lease: Lease, missed: Missed, now: DateTime<Utc>) -> Reply<'_, u32>;

    /// The work failed for good: its subject goes aside.
    fn bury(&self, lease: Lease, aside: Aside, note: String, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// Ends [`WorkKind::Read`], unless more follows: stores interchanges and documents, queues
    /// deliveries, drafts answers, and applies what 997s said.
    fn read(&self, lease: Lease, reading: Reading, now: DateTime<Utc>) -> Reply<'_, Recorded>;

    /// Ends [`WorkKind::Deliver`]: the bridge has the document (`Delivered`), or has it and is done
    /// with it (`Settled`).
    fn delivered(
        &self,
        lease: Lease,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// The business has spoken about a document, either way: `Settled` or `Rejected`.
    fn settle(
        &self,
        document: Uuid,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// Stores a document to send, once for each key, and queues it.
    fn draft(&self, draft: Draft, now: DateTime<Utc>) -> Reply<'_, Drafted>;

    /// Ends [`WorkKind::Compose`]: takes control numbers, lets `compose` write the interchange with
    /// them, stores it and queues [`WorkKind::Seal`]. Where `compose` refuses ([`Kind::Compose`],
    /// with its words) no number is used, and the lease stays.
    fn compose(
        &self,
        lease: Lease,
        envelope: Envelope,
        compose: Compose,
        now: DateTime<Utc>,
    ) -> Reply<'_, ControlNumbers>;

    /// Ends [`WorkKind::Seal`]: stores the message in `sealed` before the first connection, and
    /// queues [`WorkKind::Send`].
    fn seal(&self, lease: Lease, sealed: Sealed, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// The bytes went out, and no MDN proves yet that they arrived, for this reason: `sent`. The
    /// work stays, and is due at `until`. The documents stay `drafted`.
    fn sent(
        &self,
        lease: Lease,
        until: DateTime<Utc>,
        why: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// Ends [`WorkKind::Send`], with or without a lease: a message is `confirmed` (late or early,
    /// also out of `uncertain` and `dead`), `refused` or `uncertain`. What is confirmed stays so,
    /// and what is refused does not become uncertain.
    fn receipt(&self, message: Uuid, receipt: Receipt, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// Adds a line to a message's history, and changes nothing else: for what came and proved
    /// nothing. Past [`REMARKS`] of one kind nothing is added, for anybody may cause them.
    fn remark(
        &self,
        message: Uuid,
        what: &'static str,
        detail: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// Queues a message of ours again, on somebody's word: the same bytes under the same
    /// Message-ID, from `confirmed` not; or as a new message with the same body, which takes over
    /// the documents of one that is not confirmed. Gives the message that goes.
    fn resend(&self, message: Uuid, resend: Resend, now: DateTime<Utc>) -> Reply<'_, Uuid>;

    /// Tries a message of ours no more, on somebody's word: `dead`.
    fn cancel(&self, message: Uuid, order: Order, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// Lets go of work that is [held](held_until), on somebody's word: all of it, or what is about one
    /// message, interchange or document. How many pieces.
    fn release(&self, subject: Option<Uuid>, order: Order, now: DateTime<Utc>) -> Reply<'_, u64>;

    /// Writes down which certificates were at work with a partner; of each the latest time counts.
    fn seen(&self, seen: Vec<Seen>) -> Reply<'_, ()>;

    /// Every certificate that was seen at work, by partner, purpose and fingerprint.
    fn all_seen(&self) -> Reply<'_, Vec<Seen>>;

    /// A named state of a bridge takes a step. Gives what was there before.
    fn step(&self, name: String, step: Step, now: DateTime<Utc>) -> Reply<'_, Option<String>>;

    /// The named states of bridges whose names begin so, in the order of names.
    fn kept(&self, prefix: String) -> Reply<'_, Vec<(String, String)>>;

    /// Takes note of an order at an API, and drafts what follows from it, unless it was last seen
    /// with the same date of change: whether it was not.
    fn observe(&self, observation: Observation, now: DateTime<Utc>) -> Reply<'_, bool>;

    /// What was last seen of an order at an account.
    fn observed(&self, account: String, number: String) -> Reply<'_, Option<Observed>>;

    /// Keeps how far a document is on its way into an API, and does what follows; by the lease of
    /// [`WorkKind::Deliver`] or [`WorkKind::Ask`], which all but [`Then::Stay`] give up.
    fn submit(
        &self,
        lease: Lease,
        submission: Submission,
        then: Then,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()>;

    /// A list was read that names these, each with a word on it: the submissions that are
    /// [listed](Submission::listed) there by one of them are marked as seen, once, and their work is due
    /// now. Whether others of the list were not seen yet.
    fn sighted(
        &self,
        list: String,
        names: Vec<(String, String)>,
        now: DateTime<Utc>,
    ) -> Reply<'_, bool>;

    /// How far a document is on its way into an API; none where it goes into none.
    fn submission(&self, document: Uuid) -> Reply<'_, Option<Submission>>;

    /// Leaves out `by` numbers of a pair, interchange and group alike: after a restore, so that no
    /// number is used twice.
    fn advance(&self, pair: String, by: u32, now: DateTime<Utc>) -> Reply<'_, ()>;

    /// The message with this key: inbound the accepted one, outbound the newest.
    fn find(&self, direction: Direction, key: Key) -> Reply<'_, Option<Message>>;

    /// All messages with this Message-ID (without angle brackets), either way, newest first.
    fn named(&self, message_id: String) -> Reply<'_, Vec<Message>>;

    /// The first `limit` rows of the queue, and the partners who are not reached.
    fn queue(&self, limit: usize) -> Reply<'_, Queue>;

    /// One message, with all that hangs on it.
    fn message(&self, id: Uuid) -> Reply<'_, Option<MessageDetail>>;

    /// Messages, newest first.
    fn messages(&self, filter: Filter<MessageState>) -> Reply<'_, Vec<Message>>;

    /// One interchange, with its first [`DETAIL`] documents.
    fn interchange(&self, id: Uuid) -> Reply<'_, Option<(Interchange, Vec<Document>)>>;

    /// One document, with its content.
    fn document(&self, id: Uuid) -> Reply<'_, Option<DocumentDetail>>;

    /// Documents, newest first.
    fn documents(&self, filter: Filter<DocumentState>) -> Reply<'_, Vec<Document>>;

    /// The bytes with this digest.
    fn payload(&self, digest: Digest) -> Reply<'_, Option<Payload>>;

    /// A folder for files that will be handed in as payloads, on the disk where they stay. What is
    /// left in it is swept at the next start.
    fn spool(&self) -> &Path;

    /// How many rows are in each state.
    fn counts(&self) -> Reply<'_, Counts>;

    /// Whether the store takes writes now.
    fn ready(&self) -> Reply<'_, ()>;

    /// Finishes what is queued, folds the log into the database, and refuses every later call.
    fn close(&self) -> Reply<'_, ()>;
}
