//! The store in memory, for tests: the same answers as the others, kept by the same suite.
//!
//! It is written to be obviously right, not fast: a transaction works on a copy of everything, and
//! the copy takes the place of the original when it succeeds.

mod bridge;
mod inbound;
mod orders;
mod outbound;
mod queries;
mod queue;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use super::{
    Accepted, Allowance, Arrival, Aside, Claimed, Compose, ControlNumbers, Counts, Digest,
    Direction, Document, DocumentDetail, DocumentState, Draft, Drafted, Envelope, Error, Filter,
    Interchange, Key, Kind, Lease, Message, MessageDetail, MessageState, Missed, Observation,
    Observed, Order, Payload, Queue, REMARKS, Reading, Receipt, Recorded, Reply, Resend, Sealed,
    Seen, Step, Store, Submission, Then, WorkKind,
};
use rows::Rows;

/// A [`Store`] that forgets everything when it is dropped.
#[derive(Default)]
pub struct Memory {
    /// `None` once closed.
    rows: Mutex<Open>,
}

struct Open(Option<Rows>);

impl Default for Open {
    fn default() -> Self {
        Self(Some(Rows::default()))
    }
}

impl Memory {
    /// One transaction: all of `job`, or nothing.
    fn write<'a, T: Send + 'a>(
        &'a self,
        job: impl FnOnce(&mut Rows) -> Result<T, Error> + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            let mut open = self.rows.lock().expect("nothing panics under this lock");
            let rows = open.0.as_mut().ok_or_else(closed)?;
            let mut copy = rows.clone();
            let result = job(&mut copy)?;
            *rows = copy;
            Ok(result)
        })
    }

    fn query<'a, T: Send + 'a>(
        &'a self,
        query: impl FnOnce(&Rows) -> T + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            let open = self.rows.lock().expect("nothing panics under this lock");
            open.0.as_ref().map(query).ok_or_else(closed)
        })
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "no more calls are taken")
}

/// Times as every store keeps them.
fn kept(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

impl Store for Memory {
    fn accept(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, Accepted> {
        self.write(move |rows| rows.accept(&arrival, kept(now)))
    }

    fn refuse(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| {
            rows.arrive(&arrival, MessageState::Refused, None, kept(now))?;
            rows.answer_to(&arrival, kept(now));
            Ok(())
        })
    }

    fn answered(&self, message: Uuid, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.answered(message, kept(now)))
    }

    fn posted(&self, lease: Lease, note: String, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.posted(lease, &note, kept(now)))
    }

    fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Reply<'_, Claimed> {
        let kinds = kinds.to_vec();
        self.write(move |rows| rows.claim(&kinds, limit, lease, kept(now)))
    }

    fn extend(&self, lease: Lease, until: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| {
            rows.leased(lease)?.due = kept(until);
            Ok(())
        })
    }

    fn retry(
        &self,
        lease: Lease,
        at: DateTime<Utc>,
        error: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| rows.retry(lease, kept(at), error, kept(now)))
    }

    fn unreached(&self, lease: Lease, missed: Missed, now: DateTime<Utc>) -> Reply<'_, u32> {
        self.write(move |rows| rows.unreached(lease, &missed, kept(now)))
    }

    fn bury(&self, lease: Lease, aside: Aside, note: String, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.bury(lease, aside, &note, kept(now)))
    }

    fn read(&self, lease: Lease, reading: Reading, now: DateTime<Utc>) -> Reply<'_, Recorded> {
        self.write(move |rows| rows.read(lease, &reading, kept(now)))
    }

    fn delivered(
        &self,
        lease: Lease,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| rows.delivered(lease, state, &note, kept(now)))
    }

    fn settle(
        &self,
        document: Uuid,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| rows.settle(document, state, &note, kept(now)))
    }

    fn draft(&self, draft: Draft, now: DateTime<Utc>) -> Reply<'_, Drafted> {
        self.write(move |rows| {
            draft
                .payload
                .iter()
                .try_for_each(|payload| rows.keep(payload))?;
            rows.draft(&draft.partner, &draft.document, kept(now))
        })
    }

    fn compose(
        &self,
        lease: Lease,
        envelope: Envelope,
        compose: Compose,
        now: DateTime<Utc>,
    ) -> Reply<'_, ControlNumbers> {
        self.write(move |rows| rows.compose(lease, &envelope, compose, kept(now)))
    }

    fn seal(&self, lease: Lease, sealed: Sealed, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.seal(lease, &sealed, kept(now)))
    }

    fn sent(
        &self,
        lease: Lease,
        until: DateTime<Utc>,
        why: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| rows.sent(lease, kept(until), &why, kept(now)))
    }

    fn receipt(&self, message: Uuid, receipt: Receipt, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.receipt(message, &receipt, kept(now)))
    }

    fn remark(
        &self,
        message: Uuid,
        what: &'static str,
        detail: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| {
            rows.message_mut(message)?;
            let same = |event: &&super::Event| event.subject == message && event.what == what;
            if rows.events.iter().filter(same).count() < REMARKS {
                rows.log(message, what, &detail, kept(now));
            }
            Ok(())
        })
    }

    fn allow(&self, all: Vec<Allowance>) -> Reply<'_, ()> {
        self.write(move |rows| {
            let pair = |one: Allowance| (one.partner, (one.at_once, one.misses));
            rows.allowed = all.into_iter().map(pair).collect();
            Ok(())
        })
    }

    fn resend(&self, message: Uuid, resend: Resend, now: DateTime<Utc>) -> Reply<'_, Uuid> {
        self.write(move |rows| rows.resend(message, &resend, kept(now)))
    }

    fn cancel(&self, message: Uuid, order: Order, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| rows.cancel(message, &order, kept(now)))
    }

    fn release(&self, subject: Option<Uuid>, order: Order, now: DateTime<Utc>) -> Reply<'_, u64> {
        let now = kept(now);
        self.write(move |rows| Ok(rows.let_go(subject, &order, now)))
    }

    fn seen(&self, seen: Vec<Seen>) -> Reply<'_, ()> {
        self.write(move |rows| {
            for one in seen {
                let key = (one.partner, one.purpose, one.fingerprint);
                let at = rows.seen.entry(key).or_insert(kept(one.at));
                *at = kept(one.at).max(*at);
            }
            Ok(())
        })
    }

    fn all_seen(&self) -> Reply<'_, Vec<Seen>> {
        self.query(|rows| {
            let whole =
                |((partner, purpose, fingerprint), at): (&(String, String, String), &_)| Seen {
                    partner: partner.clone(),
                    purpose: purpose.clone(),
                    fingerprint: fingerprint.clone(),
                    at: *at,
                };
            rows.seen.iter().map(whole).collect()
        })
    }

    fn step(&self, name: String, step: Step, _: DateTime<Utc>) -> Reply<'_, Option<String>> {
        self.write(move |rows| Ok(rows.step(name, step)))
    }

    fn kept(&self, prefix: String) -> Reply<'_, Vec<(String, String)>> {
        self.query(move |rows| rows.kept(&prefix))
    }

    fn observe(&self, observation: Observation, now: DateTime<Utc>) -> Reply<'_, bool> {
        self.write(move |rows| rows.observe(&observation, kept(now)))
    }

    fn observed(&self, account: String, number: String) -> Reply<'_, Option<Observed>> {
        self.query(move |rows| rows.observations.get(&(account, number)).cloned())
    }

    fn submit(
        &self,
        lease: Lease,
        submission: Submission,
        then: Then,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        self.write(move |rows| rows.submit(lease, &submission, &then, kept(now)))
    }

    fn sighted(
        &self,
        list: String,
        names: Vec<(String, String)>,
        now: DateTime<Utc>,
    ) -> Reply<'_, bool> {
        self.write(move |rows| Ok(rows.sighted(&list, &names, kept(now))))
    }

    fn submission(&self, document: Uuid) -> Reply<'_, Option<Submission>> {
        self.query(move |rows| rows.submissions.get(&document).cloned())
    }

    fn advance(&self, pair: String, by: u32, now: DateTime<Utc>) -> Reply<'_, ()> {
        self.write(move |rows| {
            rows.advance(&pair, by, kept(now));
            Ok(())
        })
    }

    fn find(&self, direction: Direction, key: Key) -> Reply<'_, Option<Message>> {
        self.query(move |rows| rows.find(direction, &key))
    }

    fn named(&self, message_id: String) -> Reply<'_, Vec<Message>> {
        self.query(move |rows| rows.named(&message_id))
    }

    fn queue(&self, limit: usize) -> Reply<'_, Queue> {
        self.query(move |rows| rows.look(limit))
    }

    fn message(&self, id: Uuid) -> Reply<'_, Option<MessageDetail>> {
        self.query(move |rows| rows.message_detail(id))
    }

    fn messages(&self, filter: Filter<MessageState>) -> Reply<'_, Vec<Message>> {
        self.query(move |rows| rows.list_messages(&filter))
    }

    fn interchange(&self, id: Uuid) -> Reply<'_, Option<(Interchange, Vec<Document>)>> {
        self.query(move |rows| rows.interchange_detail(id))
    }

    fn document(&self, id: Uuid) -> Reply<'_, Option<DocumentDetail>> {
        self.query(move |rows| rows.document_detail(id))
    }

    fn documents(&self, filter: Filter<DocumentState>) -> Reply<'_, Vec<Document>> {
        self.query(move |rows| rows.list_documents(&filter))
    }

    fn payload(&self, digest: Digest) -> Reply<'_, Option<Payload>> {
        self.query(move |rows| rows.payload(&digest))
    }

    fn spool(&self) -> &Path {
        static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(std::env::temp_dir);
        &FOLDER
    }

    fn counts(&self) -> Reply<'_, Counts> {
        self.query(Rows::counts)
    }

    fn ready(&self) -> Reply<'_, ()> {
        self.query(|_| ())
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(async move {
            self.rows.lock().expect("nothing panics under this lock").0 = None;
            Ok(())
        })
    }
}
