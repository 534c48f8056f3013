//! The one writer: a thread that owns the connection, and commits for many at once.
//!
//! An fsync takes 0.2 ms on a quiet disk and 4 ms on a busy one, and every transaction needs one.
//! So jobs that wait together are run in one transaction, each in a savepoint of its own (one that
//! fails takes nothing with it), and are answered together after its COMMIT. Nobody waits for
//! company: a batch is what queued up while the last one was being written.
//!
//! The log is folded into the database by us, after the answers, and not by SQLite inside a COMMIT:
//! that way nobody waits for it, and a disk that fails then is seen (SQLite would pass over it).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tokio::sync::{mpsc, oneshot};

use crate::store::{Error, Kind};

/// The most jobs in one transaction: enough that the fsync no longer counts (measured: 32 to 128
/// rows a commit), few enough that the first does not wait long for the last.
const BATCH: usize = 128;

/// The most jobs that wait. Callers beyond it wait outside; listeners bound how many there are.
const QUEUE: usize = 1024;

/// Pages in the log from which on it is folded into the database: SQLite's own measure, 4 MB.
const FOLD: i32 = 1000;

/// A job, given the connection inside a transaction, or why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, &Error>) -> Ran + Send>;

/// Answers a caller: with the job's result, or with why the whole batch failed.
type Answer = Box<dyn FnOnce(Option<&Error>) + Send>;

/// A job that has run: what went wrong, and how to answer once the outcome of the batch is known.
struct Ran {
    fault: Option<Error>,
    answer: Answer,
}

/// The handle to the writer thread.
pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    state: Arc<State>,
}

/// What the thread and its callers share.
#[derive(Default)]
pub(super) struct State {
    /// Set once, by the first error after which nothing may be trusted.
    failed: OnceLock<Error>,
    commits: AtomicU64,
    /// Pages in the log after the last commit.
    log: AtomicI32,
}

impl State {
    /// Remembers an error that ends the store; lets others pass.
    pub(super) fn note(&self, error: &Error) {
        let ends = error.kind() == Kind::Failed && !planted!("fsync-tried-again");
        if ends && self.failed.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store has failed and takes no more calls");
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl Writer {
    /// Starts the thread. `guard` lives as long as the thread does: the lock on the data folder.
    pub(super) fn start(
        mut connection: Connection,
        guard: impl Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let state = Arc::new(State::default());
        let pages = Arc::clone(&state);
        // It also takes the place of SQLite's own folding.
        connection.wal_hook(Some(move |_: &mut Wal, log| {
            pages.log.store(log, Ordering::Relaxed);
            Ok(())
        }))?;
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                work(&connection, receiver, &shared);
                drop(connection);
                drop(guard);
            })
            .map_err(|error| Error::io("cannot start the writer thread", &error))?;
        Ok(Self {
            jobs: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            state,
        })
    }

    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    pub(super) fn commits(&self) -> u64 {
        self.state.commits.load(Ordering::Relaxed)
    }

    /// Runs `job` in a transaction, and answers when it is committed.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.state.check()?;
        let sender = self
            .jobs
            .lock()
            .expect("no job panics under this lock")
            .clone();
        let sender = sender.ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection
                .map_err(Clone::clone)
                .and_then(|c| in_savepoint(c, job));
            Ran {
                fault: result.as_ref().err().cloned(),
                answer: Box::new(move |failure| {
                    // Nobody may be waiting any more; the transaction stands all the same.
                    let _ = answer.send(failure.map_or(result, |error| Err(error.clone())));
                }),
            }
        });
        sender.send(job).await.map_err(|_| closed())?;
        drop(sender);
        answered.await.map_err(|_| closed())?
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let jobs = self.jobs.lock().expect("no job panics under this lock");
        jobs.as_ref().map_or(0, |jobs| QUEUE - jobs.capacity())
    }

    /// Lets no more jobs in. What is returned, once, waits (and blocks) until those that are queued
    /// are done.
    pub(super) fn stop(&self) -> impl FnOnce() + Send + use<> {
        drop(
            self.jobs
                .lock()
                .expect("no job panics under this lock")
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .expect("no job panics under this lock")
            .take();
        move || {
            if thread.is_some_and(|thread| thread.join().is_err()) {
                tracing::error!("the writer thread of the store panicked");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop()();
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "no more calls are taken")
}

/// The thread: a batch at a time until every sender is gone, then the log is folded in.
fn work(connection: &Connection, mut jobs: mpsc::Receiver<Job>, state: &State) {
    while let Some(first) = jobs.blocking_recv() {
        batch(connection, first, &mut jobs, state);
    }
    if state.check().is_ok()
        && let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
    {
        tracing::warn!(%error, "the log was not folded into the database; the next start does it");
    }
}

/// One transaction: the job that woke us and all that wait behind it.
fn batch(connection: &Connection, first: Job, jobs: &mut mpsc::Receiver<Job>, state: &State) {
    let mut ran = Vec::new();
    let begun = state
        .check()
        .and_then(|()| execute(connection, "BEGIN IMMEDIATE"));
    let outcome = match begun {
        Err(error) => {
            ran.push(first(Err(&error)));
            Err(error)
        }
        Ok(()) => run_all(connection, first, jobs, &mut ran)
            .and_then(|()| {
                kill!("committing");
                execute(connection, "COMMIT")
            })
            .inspect(|()| {
                kill!("committed");
                state.commits.fetch_add(1, Ordering::Relaxed);
            }),
    };
    if let Err(error) = &outcome {
        state.note(error);
        // A commit that found no space left is undone; after anything worse nothing is tried again.
        if !connection.is_autocommit() && state.check().is_ok() {
            let _ = execute(connection, "ROLLBACK").inspect_err(|error| state.note(error));
        }
    }
    for job in ran {
        (job.answer)(outcome.as_ref().err());
    }
    fold(connection, state);
}

/// Folds the log into the database where it has grown, as far as no reader needs it.
fn fold(connection: &Connection, state: &State) {
    if state.log.load(Ordering::Relaxed) < due() || state.check().is_err() {
        return;
    }
    let folded = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    // Where it only found no room, or somebody at it, the next commit comes by here.
    if let Err(error) = folded.map_err(Error::from) {
        tracing::debug!(%error, "the log was not folded into the database");
        state.note(&error);
    }
}

/// So often that a kill meets one, where a test wants that.
fn due() -> i32 {
    match cfg!(feature = "planted") && std::env::var_os("TRANSLOAD_CHECKPOINT").is_some() {
        true => 1,
        false => FOLD,
    }
}

/// Runs jobs into `ran` until none waits, or until the transaction is broken.
fn run_all(
    connection: &Connection,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    ran: &mut Vec<Ran>,
) -> Result<(), Error> {
    let mut next = Some(first);
    while let Some(job) = next {
        let done = job(Ok(connection));
        let fault = done.fault.clone();
        ran.push(done);
        match fault {
            // Some errors (disk full, I/O) undo the whole transaction, not only the savepoint.
            Some(error) if connection.is_autocommit() || error.kind() == Kind::Failed => {
                return Err(error);
            }
            _ => {}
        }
        next = if ran.len() < BATCH {
            jobs.try_recv().ok()
        } else {
            None
        };
    }
    Ok(())
}

/// Runs a job so that its failure, even a panic, leaves no trace in the transaction.
fn in_savepoint<T>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    execute(connection, "SAVEPOINT job")?;
    let result = catch_unwind(AssertUnwindSafe(|| job(connection)))
        .unwrap_or_else(|_| Err(Error::new(Kind::Bug, "a transaction panicked")));
    match &result {
        Ok(_) => execute(connection, "RELEASE job")?,
        // Gone already where the error undid the whole transaction.
        Err(_) if connection.is_autocommit() => {}
        Err(_) => {
            execute(connection, "ROLLBACK TO job")?;
            execute(connection, "RELEASE job")?;
        }
    }
    result
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
