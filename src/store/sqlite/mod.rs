//! The store on SQLite: no set-up, one folder, one process.
//!
//! ```text
//! transload.db  (-wal, -shm)    rows, and payloads up to 64 KiB
//! payloads/                     larger payloads, one file each, and the spool of what comes
//! lock                          held by the process that has the folder open
//! ```
//!
//! WAL with `synchronous = FULL`; one writer thread that commits for all who wait ([`writer`]); a
//! few readers beside it. An I/O error ends the store: every later call fails, and a restart
//! recovers what was answered for.

mod backup;
mod bridge;
mod columns;
mod inbound;
mod orders;
mod outbound;
mod payloads;
#[cfg(feature = "planted")]
mod planted;
mod queries;
mod queue;
mod readers;
mod schema;
mod seen;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use uuid::Uuid;

use super::{
    Accepted, Allowance, Arrival, Aside, Claimed, Compose, ControlNumbers, Counts, Digest,
    Direction, Document, DocumentDetail, DocumentState, Draft, Drafted, Envelope, Error, Filter,
    Interchange, Key, Kind, Lease, Message, MessageDetail, MessageState, Missed, Observation,
    Observed, Order, Payload, Queue, Reading, Receipt, Recorded, Reply, Resend, Sealed, Seen, Step,
    Store, Submission, Then, WorkKind, disk,
};
pub use backup::{Restored, Snapshot};
use payloads::Payloads;
use readers::Readers;
use writer::Writer;

/// The database's file in the folder of a store.
pub const DATABASE: &str = "transload.db";

/// Payloads up to this many bytes lie in their row: one fsync, shared with others, in place of
/// three. Above it a file is cheaper (measured: equal at 100 KB).
const INLINE: usize = 64 * 1024;

/// A [`Store`] in a folder of this machine.
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
    payloads: Arc<Payloads>,
    /// Whether the folder's workers are ours: not [`beside`](Sqlite::beside) somebody else.
    own: bool,
    lock: PathBuf,
}

impl Sqlite {
    /// Opens the store in `folder`, making what is missing. Reads the whole database once
    /// (`quick_check`). Blocks; and its calls need a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Kind::Locked`] where another process has the folder open, [`Kind::Failed`] where the
    /// folder cannot be written or the database is broken, [`Kind::Invalid`] where the database is
    /// another program's or a newer version's.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let mut builder = std::fs::DirBuilder::new();
        // Documents are in it as they are: for us alone.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.recursive(true).create(folder);
        made.map_err(|error| Error::io(format_args!("{}", folder.display()), &error))?;
        if let Some(kind) = disk::network(folder) {
            let detail = format!(
                "{} is on {kind}, where locks and fsync are not kept; use a disk of this machine",
                folder.display()
            );
            return Err(Error::invalid(detail));
        }
        let lock = schema::lock(folder)?;
        let payloads = Payloads::open(folder.join("payloads"))?;
        let database = folder.join(DATABASE);
        let connection = schema::open(&database)?;
        payloads.sweep(|digest| queries::named(&connection, digest))?;
        payloads::sync_names(folder)?;
        queue::crashed(&connection, Utc::now())?;
        Ok(Self {
            writer: Writer::start(connection, lock)?,
            readers: Readers::new(database),
            payloads: Arc::new(payloads),
            own: true,
            lock: folder.join("lock"),
        })
    }

    /// Opens the store in `folder` beside the process that has it: its rows, and orders to it. Work
    /// that is queued here is done there; a claim here would take it for dead.
    ///
    /// # Errors
    /// [`Kind::Failed`] where there is no store, [`Kind::Invalid`] where it is another version's.
    pub fn beside(folder: &Path) -> Result<Self, Error> {
        let database = folder.join(DATABASE);
        let connection = schema::beside(&database)?;
        Ok(Self {
            writer: Writer::start(connection, ())?,
            readers: Readers::new(database),
            payloads: Arc::new(Payloads::beside(folder.join("payloads"))),
            own: false,
            lock: folder.join("lock"),
        })
    }

    /// How many transactions were committed since the store was opened: below the number of writes,
    /// by as much as writers shared a commit.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// When the newest line of the history of the store in `folder` was written, by the clock of then;
    /// of a folder that `serve` may have open. None where there is no store or no line. Blocks.
    ///
    /// # Errors
    /// [`Kind::Failed`] where the database cannot be read.
    pub fn look_newest(folder: &Path) -> Result<Option<DateTime<Utc>>, Error> {
        let path = folder.join(DATABASE);
        if !path.exists() {
            return Ok(None);
        }
        let sql = "SELECT at FROM event ORDER BY seq DESC LIMIT 1";
        queue::first(&readers::open(path)?, sql, &[], |row| columns::time(row, 0))
    }

    /// The certificates that were seen at work, of a folder that `serve` may have open. Blocks.
    ///
    /// # Errors
    /// [`Kind::Failed`] where the database cannot be read.
    pub fn look_seen(folder: &Path) -> Result<Vec<Seen>, Error> {
        seen::look(folder)
    }

    /// One write transaction.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.run(job).await
    }

    /// One query.
    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.state().check()?;
        self.readers
            .run(query)
            .await
            .inspect_err(|error| self.writer.state().note(error))
    }

    /// Makes large payloads durable before their rows are: beside the writer, not in it.
    async fn spill(&self, payloads: [Option<&Payload>; 2]) -> Result<(), Error> {
        self.writer.state().check()?;
        for payload in payloads.into_iter().flatten() {
            if inbound::inline(payload).is_none() {
                let (folder, payload) = (Arc::clone(&self.payloads), payload.clone());
                tokio::task::spawn_blocking(move || folder.put(&payload))
                    .await
                    .map_err(|error| Error::new(Kind::Bug, error.to_string()))?
                    .inspect_err(|error| self.writer.state().note(error))?;
            }
        }
        Ok(())
    }
}

impl Store for Sqlite {
    fn accept(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, Accepted> {
        Box::pin(async move {
            #[cfg(feature = "planted")]
            if let Some(bug) = planted::acceptance() {
                return planted::accept(self, arrival, now, bug).await;
            }
            let large = arrival.body.len() > INLINE as u64;
            let key = arrival.key.clone();
            // A key that is held is never given up: a large copy need not be kept to be refused.
            let known = large
                && self
                    .query(move |c| inbound::holder(c, &key))
                    .await?
                    .is_some();
            if !known {
                self.spill([Some(&arrival.body), arrival.content.as_ref()])
                    .await?;
            }
            self.write(move |c| inbound::accept(c, &arrival, now)).await
        })
    }

    fn refuse(&self, arrival: Arrival, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(async move {
            self.spill([Some(&arrival.body), arrival.content.as_ref()])
                .await?;
            self.write(move |c| inbound::refuse(c, &arrival, now)).await
        })
    }

    fn answered(&self, message: Uuid, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| inbound::answered(c, message, now)))
    }

    fn posted(&self, lease: Lease, note: String, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| inbound::posted(c, lease, &note, now)))
    }

    fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Reply<'_, Claimed> {
        let kinds = kinds.to_vec();
        Box::pin(self.write(move |c| queue::claim(c, &kinds, limit, lease, now)))
    }

    fn extend(&self, lease: Lease, until: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| queue::extend(c, lease, until)))
    }

    fn retry(
        &self,
        lease: Lease,
        at: DateTime<Utc>,
        error: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| queue::retry(c, lease, at, &error, now)))
    }

    fn unreached(&self, lease: Lease, missed: Missed, now: DateTime<Utc>) -> Reply<'_, u32> {
        Box::pin(self.write(move |c| orders::unreached(c, lease, &missed, now)))
    }

    fn bury(&self, lease: Lease, aside: Aside, note: String, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| queue::bury(c, lease, aside, &note, now)))
    }

    fn read(&self, lease: Lease, reading: Reading, now: DateTime<Utc>) -> Reply<'_, Recorded> {
        Box::pin(self.write(move |c| inbound::read(c, lease, &reading, now)))
    }

    fn delivered(
        &self,
        lease: Lease,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| inbound::delivered(c, lease, state, &note, now)))
    }

    fn settle(
        &self,
        document: Uuid,
        state: DocumentState,
        note: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| outbound::settle(c, document, state, &note, now)))
    }

    fn draft(&self, draft: Draft, now: DateTime<Utc>) -> Reply<'_, Drafted> {
        Box::pin(async move {
            self.spill([draft.payload.as_ref(), None]).await?;
            self.write(move |c| inbound::draft_with(c, &draft, now))
                .await
        })
    }

    fn compose(
        &self,
        lease: Lease,
        envelope: Envelope,
        compose: Compose,
        now: DateTime<Utc>,
    ) -> Reply<'_, ControlNumbers> {
        let payloads = Arc::clone(&self.payloads);
        Box::pin(async move {
            #[cfg(feature = "planted")]
            planted::number(self, &envelope).await?;
            self.write(move |c| outbound::compose(c, &payloads, lease, &envelope, compose, now))
                .await
        })
    }

    fn seal(&self, lease: Lease, sealed: Sealed, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(async move {
            self.spill([Some(&sealed.body), None]).await?;
            self.write(move |c| outbound::seal(c, lease, &sealed, now))
                .await
        })
    }

    fn allow(&self, all: Vec<Allowance>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| orders::allow(c, &all)))
    }

    fn sent(
        &self,
        lease: Lease,
        until: DateTime<Utc>,
        why: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| outbound::sent(c, lease, until, &why, now)))
    }

    fn receipt(&self, message: Uuid, receipt: Receipt, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| outbound::receipt(c, message, &receipt, now)))
    }

    fn remark(
        &self,
        message: Uuid,
        what: &'static str,
        detail: String,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| outbound::remark(c, message, what, &detail, now)))
    }

    fn resend(&self, message: Uuid, resend: Resend, now: DateTime<Utc>) -> Reply<'_, Uuid> {
        Box::pin(self.write(move |c| orders::resend(c, message, &resend, now)))
    }

    fn cancel(&self, message: Uuid, order: Order, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| orders::cancel(c, message, &order, now)))
    }

    fn release(&self, subject: Option<Uuid>, order: Order, now: DateTime<Utc>) -> Reply<'_, u64> {
        Box::pin(self.write(move |c| orders::let_go(c, subject, &order, now)))
    }

    fn seen(&self, seen: Vec<Seen>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| seen::note(c, &seen)))
    }

    fn all_seen(&self) -> Reply<'_, Vec<Seen>> {
        Box::pin(self.query(seen::list))
    }

    fn step(&self, name: String, step: Step, now: DateTime<Utc>) -> Reply<'_, Option<String>> {
        Box::pin(self.write(move |c| bridge::step(c, &name, step, now)))
    }

    fn kept(&self, prefix: String) -> Reply<'_, Vec<(String, String)>> {
        Box::pin(self.query(move |c| bridge::kept(c, &prefix)))
    }

    fn observe(&self, observation: Observation, now: DateTime<Utc>) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| bridge::observe(c, &observation, now)))
    }

    fn observed(&self, account: String, number: String) -> Reply<'_, Option<Observed>> {
        Box::pin(self.query(move |c| bridge::observed(c, &account, &number)))
    }

    fn submit(
        &self,
        lease: Lease,
        submission: Submission,
        then: Then,
        now: DateTime<Utc>,
    ) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| bridge::submit(c, lease, &submission, &then, now)))
    }

    fn sighted(
        &self,
        list: String,
        names: Vec<(String, String)>,
        now: DateTime<Utc>,
    ) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| bridge::sighted(c, &list, &names, now)))
    }

    fn submission(&self, document: Uuid) -> Reply<'_, Option<Submission>> {
        Box::pin(self.query(move |c| bridge::submission(c, document)))
    }

    fn advance(&self, pair: String, by: u32, now: DateTime<Utc>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| outbound::advance(c, &pair, by, now)))
    }

    fn find(&self, direction: Direction, key: Key) -> Reply<'_, Option<Message>> {
        Box::pin(self.query(move |c| queries::find(c, direction, &key)))
    }

    fn named(&self, message_id: String) -> Reply<'_, Vec<Message>> {
        Box::pin(self.query(move |c| orders::named(c, &message_id)))
    }

    fn queue(&self, limit: usize) -> Reply<'_, Queue> {
        Box::pin(self.query(move |c| orders::queue(c, limit)))
    }

    fn message(&self, id: Uuid) -> Reply<'_, Option<MessageDetail>> {
        Box::pin(self.query(move |c| queries::message(c, id)))
    }

    fn messages(&self, filter: Filter<MessageState>) -> Reply<'_, Vec<Message>> {
        Box::pin(self.query(move |c| queries::messages(c, &filter)))
    }

    fn interchange(&self, id: Uuid) -> Reply<'_, Option<(Interchange, Vec<Document>)>> {
        Box::pin(self.query(move |c| queries::interchange(c, id)))
    }

    fn document(&self, id: Uuid) -> Reply<'_, Option<DocumentDetail>> {
        Box::pin(self.query(move |c| queries::document(c, id)))
    }

    fn documents(&self, filter: Filter<DocumentState>) -> Reply<'_, Vec<Document>> {
        Box::pin(self.query(move |c| queries::documents(c, &filter)))
    }

    fn payload(&self, digest: Digest) -> Reply<'_, Option<Payload>> {
        let payloads = Arc::clone(&self.payloads);
        Box::pin(self.query(move |c| queries::payload(c, &payloads, &digest)))
    }

    fn spool(&self) -> &Path {
        self.payloads.spool()
    }

    fn counts(&self) -> Reply<'_, Counts> {
        Box::pin(self.query(queries::counts))
    }

    fn ready(&self) -> Reply<'_, ()> {
        let lock = self.lock.clone();
        // To open it for writing costs nothing, and tells of a file system that turned read-only.
        Box::pin(self.write(
            move |_| match std::fs::File::options().append(true).open(&lock) {
                Err(why) if why.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
                    Err(Error::io(format_args!("{}", lock.display()), &why))
                }
                _ => Ok(()),
            },
        ))
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(async move {
            // Who ends in order gives its leases back: no death is counted for them.
            let sql = "UPDATE work SET leased = 0, due = 0 WHERE leased = 1";
            let given = match self.own {
                true => self.write(move |c| queue::run(c, sql, &[])).await.map(drop),
                false => Ok(()),
            };
            self.readers.close();
            tokio::task::spawn_blocking(self.writer.stop())
                .await
                .map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
            if let Err(why) = given {
                tracing::warn!(%why, "leases were not given back; the next start takes them");
            }
            self.writer.state().check()
        })
    }
}
