//! The worker: claims what is due, takes one step each, records what came of it.
//!
//! Two lanes, so that partners who do not answer never stop what needs no partner. It looks again
//! when a step ends, when it is poked, and when the next row is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::disk::Level;
use super::outbound::{OTHER, checked};
use super::parts::Parts;
use super::read::Reader;
use super::route::Partnership;
use super::{Gateway, Limits, related, trial};
use crate::as2::{self, cem, hex};
use crate::net::spool::copy;
use crate::store::disk;
use crate::store::{self, Aside, Claimed, DocumentState, Kind, Retry, Work, WorkKind};

/// The longest sleep: a clock that somebody moved, or a row that another process queued, is seen
/// after this at the latest. A look at a queue with nothing due costs no fsync.
const NAP: Duration = Duration::from_secs(1);
/// The wait after the store could not say what is due.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The wait of work for a partner that we have no file of: an operator puts it back.
const NO_PARTNER: TimeDelta = TimeDelta::hours(1);

/// The wait that a trial has in place of another.
fn hurry(usual: Duration) -> Duration {
    match hurried!() {
        true => Duration::from_millis(20),
        false => usual,
    }
}

/// How long a lease is, and after which part of it a worker gives word.
fn lease(usual: Duration) -> (Duration, Duration) {
    match mute!() {
        true => (Duration::from_secs(1), Duration::MAX),
        false => (usual, usual / 3),
    }
}

/// What each lane does: [`Limits::steps`] at once, and [`Limits::sends`].
const LANES: [&[WorkKind]; 2] = [
    &[
        WorkKind::Read,
        WorkKind::Deliver,
        WorkKind::Compose,
        WorkKind::Seal,
    ],
    &[WorkKind::Send, WorkKind::Answer, WorkKind::Ask],
];

/// Why a step did not end well.
#[derive(Debug)]
pub(super) enum Setback {
    /// The store could not.
    Store(store::Error),
    /// The same step may do better.
    Later {
        after: Option<TimeDelta>,
        why: String,
    },
    /// The step will never do better.
    Aside(Aside, String),
    /// What was stored cannot be read any more; aside, wherever its kind goes.
    Lost(String),
}

impl Setback {
    pub(super) fn later(why: impl ToString) -> Setback {
        Setback::Later {
            after: None,
            why: why.to_string(),
        }
    }

    /// For documents and interchanges: a person looks at it.
    pub(super) fn held(why: impl ToString) -> Setback {
        Setback::Aside(Aside::Held, why.to_string())
    }

    pub(super) fn panicked(why: impl ToString) -> Setback {
        Setback::Lost(why.to_string())
    }
}

impl std::fmt::Display for Setback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Setback::Store(why) => why.fmt(f),
            Setback::Later { why, .. } | Setback::Aside(_, why) | Setback::Lost(why) => {
                f.write_str(why)
            }
        }
    }
}

impl From<store::Error> for Setback {
    fn from(why: store::Error) -> Setback {
        Setback::Store(why)
    }
}

/// A worker that runs.
pub struct Walking {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Walking {
    /// Claims nothing more, waits for the steps in flight (those that wait for a partner are cut
    /// at the end of [`Limits::drain`](super::Limits::drain), and taken up at the next start).
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(why) = task.await {
                tracing::error!(%why, "the worker ended badly");
            }
        }
    }
}

impl Gateway {
    /// Starts the worker: the queue, and the folders.
    pub fn start(self: &Arc<Self>) -> Walking {
        if self.limits.poll.is_zero() {
            return self.start_queue();
        }
        let (stop, stopped) = watch::channel(false);
        let folders = tokio::spawn(Arc::clone(self).watch_folders(stopped.clone()));
        let accounts = tokio::spawn(Arc::clone(self).watch_accounts(stopped.clone()));
        let queue = tokio::spawn(Arc::clone(self).work(stopped));
        Walking {
            stop,
            tasks: vec![folders, accounts, queue],
        }
    }

    /// Starts the worker on the queue alone: for a command that sends one thing.
    pub fn start_queue(self: &Arc<Self>) -> Walking {
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![tokio::spawn(Arc::clone(self).work(stopped))];
        Walking { stop, tasks }
    }

    /// Looks at all folders and then asks all accounts, once: for who moves the clock himself.
    pub async fn look(self: &Arc<Self>) {
        self.look_around().await;
        self.ask_around(&mut BTreeMap::new()).await;
    }

    async fn watch_folders(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut tick = interval(hurry(self.limits.poll));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                _ = tick.tick() => self.look_around().await,
            }
        }
    }

    async fn work(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let Limits { steps, sends, .. } = self.limits;
        let lanes = [steps, sends].map(|width| Arc::new(Semaphore::new(width)));
        let (mut running, mut told) = (JoinSet::new(), None);
        loop {
            self.allow(&mut told).await;
            let nap = self.claim_all(&lanes, &mut running).await;
            tokio::select! {
                _ = stopped.changed() => break,
                () = self.poke.notified() => {}
                Some(done) = running.join_next(), if !running.is_empty() => report(done),
                () = sleep(nap) => {}
            }
            // Steps end in bunches: one claim serves them all.
            while let Some(done) = running.try_join_next() {
                report(done);
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if timeout(self.limits.drain, all).await.is_err() {
            tracing::warn!("steps were cut; they are taken up at the next start");
        }
    }

    /// Fills the lanes with what is due. Gives the time until the next row is.
    async fn claim_all(
        self: &Arc<Self>,
        lanes: &[Arc<Semaphore>; 2],
        running: &mut JoinSet<()>,
    ) -> Duration {
        let mut nap = hurry(NAP);
        if self.watch_disk() == Level::Out {
            return nap;
        }
        for (lane, kinds) in lanes.iter().zip(LANES) {
            let free = lane.available_permits();
            if free == 0 {
                continue;
            }
            let now = self.clock.now();
            let (lease, _) = lease(self.limits.lease);
            let claim = self.store.claim(kinds, free, lease, now);
            let Claimed { work, next } = match claim.await {
                Ok(claimed) => claimed,
                Err(why) => {
                    tracing::error!(%why, "cannot claim work");
                    nap = nap.min(STORE_PAUSE);
                    continue;
                }
            };
            let full = work.len() == free;
            for work in work {
                let place = Arc::clone(lane).try_acquire_owned();
                let place = place.expect("only this task takes places, and no more than are free");
                let this = Arc::clone(self);
                running.spawn(async move {
                    this.step(&work).await;
                    drop(place);
                });
            }
            // A full lane is looked at again when a step in it ends.
            if let Some(next) = next.filter(|_| !full) {
                nap = nap.min((next - now).to_std().unwrap_or_default());
            }
        }
        nap
    }

    /// Takes one step, keeps its lease meanwhile, and records a setback.
    async fn step(self: &Arc<Self>, work: &Work) {
        let (_, beat) = lease(self.limits.lease);
        let taken = {
            let step = self.take(work);
            tokio::pin!(step);
            loop {
                match timeout(beat, &mut step).await {
                    Ok(taken) => break taken,
                    Err(_) => {
                        let until = self.clock.now() + self.limits.lease;
                        if let Err(why) = self.store.extend(work.lease, until).await {
                            tracing::warn!(subject = %work.subject, %why, "the lease was lost");
                        }
                    }
                }
            }
        };
        if let Err(setback) = taken {
            self.record(work, setback).await;
        }
        self.moved.send_modify(|count| *count += 1);
    }

    async fn take(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        match work.kind {
            WorkKind::Read => self.read(work).await,
            WorkKind::Deliver => self.deliver(work).await,
            WorkKind::Compose => self.compose(work).await,
            WorkKind::Seal => self.seal(work).await,
            WorkKind::Send => self.send_message(work).await,
            WorkKind::Answer => self.give_receipt(work).await,
            WorkKind::Ask => self.inquire(work).await,
        }
    }

    async fn record(&self, work: &Work, setback: Setback) {
        let now = self.clock.now();
        let Work {
            lease,
            kind,
            subject,
            partner,
            ..
        } = work;
        let recorded = match setback {
            Setback::Store(why) if why.kind() == Kind::Stale => {
                tracing::debug!(%subject, %kind, "another worker has it");
                return;
            }
            Setback::Store(why) if why.retry() == Retry::Never => {
                tracing::error!(%subject, %kind, partner, %why, "a step cannot be recorded");
                let aside = lost(*kind);
                self.store.bury(*lease, aside, why.to_string(), now).await
            }
            Setback::Store(why) => {
                tracing::error!(%subject, %kind, partner, %why, "the store could not");
                let wait = self.backoff(1);
                self.store
                    .retry(*lease, now + wait, why.to_string(), now)
                    .await
            }
            Setback::Later { after, why } => {
                tracing::warn!(%subject, %kind, partner, why, "later again");
                let wait = after.unwrap_or_else(|| self.backoff(lease.attempt));
                self.store.retry(*lease, now + wait, why, now).await
            }
            Setback::Aside(aside, why) => {
                tracing::warn!(%subject, %kind, partner, %aside, why, "set aside");
                self.store.bury(*lease, aside, why, now).await
            }
            Setback::Lost(why) => {
                tracing::error!(%subject, %kind, partner, why, "set aside");
                self.store.bury(*lease, lost(*kind), why, now).await
            }
        };
        if let Err(why) = recorded {
            // The lease runs out, and the step is taken again.
            tracing::error!(%subject, %kind, partner, %why, "a setback cannot be recorded");
        }
    }

    /// The partner that work is for.
    pub(super) fn known(&self, work: &Work) -> Result<Arc<Partnership>, Setback> {
        self.partnership(&work.partner)
            .ok_or_else(|| Setback::Later {
                after: Some(NO_PARTNER),
                why: format!("there is no partner file of {}", work.partner),
            })
    }

    /// Reads an accepted message.
    async fn read(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        let detail = self.store.message(work.subject).await?;
        let message = detail
            .ok_or_else(|| Setback::Lost("the message is gone".into()))?
            .message;
        let content = self.payload(message.content.unwrap_or_default()).await?;
        if cem::is_exchange(message.content_type.as_deref().unwrap_or_default()) {
            return self.exchanged(work, &message, content).await;
        }
        let (known, done) = (self.known(work)?, work.done);
        let (give, mut parts) = mpsc::channel(1);
        let spool = self.store.spool().to_path_buf();
        let reading = tokio::task::spawn_blocking(move || {
            let mut give = |part| give.blocking_send(part).is_ok();
            let mut parts = Parts::new(done, &mut give);
            let reader = Reader {
                partner: &known.partner,
                library: &known.library,
                via: &message.transport,
                message: message.id,
            };
            // All of it is what was stored, before anything of it is used.
            copy(&mut checked(&content)?, &mut std::io::sink())?;
            let kind = message.content_type.as_deref().unwrap_or_default();
            if trial::is_one(kind, message.file_name.as_deref()) {
                parts.end();
                return Ok(());
            }
            if as2::is_related(kind) {
                return related::read(&reader, kind, &content, &spool, &mut parts);
            }
            let (name, len) = (hex(&content.digest), content.len());
            let sources = (content.open()?, content.open()?);
            let read = reader.read(sources, (&name, len), &mut parts);
            read.map_err(related::io_error)
        });
        // A recording that fails drops the channel, and the reading stops.
        while let Some(part) = parts.recv().await {
            self.record_part(work, part).await?;
        }
        reading.await.map_err(Setback::panicked)?.map_err(unread)
    }

    /// Records what was read, or a part of it.
    async fn record_part(&self, work: &Work, part: store::Reading) -> Result<(), Setback> {
        let (note, whole) = (part.note.clone(), part.more.is_none());
        let now = self.clock.now();
        kill!("reading");
        let recorded = self.store.read(work.lease, part, now).await?;
        kill!("read");
        if !whole {
            self.poke();
            return Ok(());
        }
        tracing::info!(
            message = %work.subject,
            partner = work.partner,
            note,
            repeated = recorded.duplicates.len(),
            settled = recorded.judged.len(),
            unmatched = recorded.unmatched,
            "read"
        );
        Ok(())
    }

    /// Hands a document to its bridge.
    async fn deliver(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        let detail = self.store.document(work.subject).await?;
        let detail = detail.ok_or_else(|| Setback::Lost("the document is gone".into()))?;
        let known = self.known(work)?;
        if super::submission::goes_there(&known, &detail, work) {
            return self.submit_step(work, &known, &detail).await;
        }
        kill!("delivering");
        let place = self.hand_over(&known, detail).await?;
        kill!("handed-over");
        tracing::info!(document = %work.subject, partner = work.partner, "delivered");
        let now = self.clock.now();
        let state = DocumentState::Delivered;
        self.store.delivered(work.lease, state, place, now).await?;
        kill!("delivered");
        Ok(())
    }
}

/// What it means that stored bytes could not be read.
pub(super) fn unread(why: std::io::Error) -> Setback {
    match why.kind() {
        std::io::ErrorKind::InvalidData => Setback::Lost(OTHER.into()),
        std::io::ErrorKind::NotFound => Setback::Lost(why.to_string()),
        _ if disk::lost(&why) => Setback::Lost(format!("a stored payload: {why}")),
        _ => Setback::later(why),
    }
}

/// Where work goes that can never be done.
fn lost(kind: WorkKind) -> Aside {
    match kind {
        WorkKind::Read | WorkKind::Send => Aside::Quarantined,
        WorkKind::Answer => Aside::Uncertain,
        WorkKind::Deliver | WorkKind::Ask | WorkKind::Compose | WorkKind::Seal => Aside::Held,
    }
}

/// A step that panics is a defect of ours; its lease runs out, and it is counted as a death.
fn report(done: Result<(), tokio::task::JoinError>) {
    if let Err(why) = done {
        tracing::error!(%why, "a step panicked");
    }
}
