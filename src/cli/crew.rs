//! Work is done piece by piece, here or on several threads.
//!
//! Each thread has its own queues, and work is dealt out to them in turn: so taking the results
//! in turn gives the order of the input, without a number on any of them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use super::pull::Made;
use super::walk::{Make, Noted, noted};
use crate::canonical::{Document, Provenance};
use crate::mapping::{self, Gist, Guide};
use crate::x12::{Delimiters, GroupHeader, TransactionSet};

/// A set, and all that translating it needs.
pub(super) struct Task {
    pub(super) group: Arc<GroupHeader>,
    pub(super) delimiters: Delimiters,
    pub(super) set: TransactionSet,
    /// Segments of its body, kept or not.
    pub(super) length: u32,
    pub(super) guide: Option<Arc<Guide>>,
    /// What is wrong with its envelope.
    pub(super) found: Vec<Noted>,
    /// `None`: it is only checked.
    pub(super) make: Option<Make>,
    /// Where it came from, without its own number.
    pub(super) origin: Option<Arc<Provenance>>,
    /// What the guide has to tell and the document's JSON, where its body was read on its way.
    pub(super) reading: Option<Made>,
}

/// A set that was translated.
pub(super) struct Done {
    pub(super) task: Task,
    pub(super) document: Option<Document>,
    pub(super) gist: Option<Gist>,
    pub(super) json: Vec<u8>,
    pub(super) findings: Vec<Noted>,
}

/// A set of more segments than this is not collected, neither for another thread nor for a document
/// that names it: either would take more memory than all of checking.
pub(super) const LARGE: usize = 20_000;

/// About how many bytes of JSON a segment becomes: so its memory is asked for once.
const SEGMENT_AS_JSON: usize = 160;

impl Task {
    pub(super) fn run(mut self) -> Done {
        let (mut document, mut gist, mut json) = (None, None, Vec::new());
        let (segments, delimiters) = (&self.set.segments, &self.delimiters);
        let mut found = match (self.guide.as_deref(), self.make) {
            _ if self.reading.is_some() => {
                let (found, made) = self.reading.take().unwrap_or_default();
                json = made;
                found
            }
            (None, _) => Vec::new(),
            (Some(guide), None) => mapping::check(guide, segments, delimiters),
            (Some(guide), Some(Make::First)) if segments.len() > LARGE => {
                mapping::check(guide, segments, delimiters)
            }
            (Some(guide), Some(Make::First)) => {
                let (found, about) = mapping::gist(guide, segments, delimiters);
                gist = about;
                found
            }
            (Some(guide), Some(Make::Json)) => {
                let mut provenance = self.origin.as_deref().cloned().unwrap_or_default();
                provenance.set = Some(self.set.control_number.clone());
                json.reserve(SEGMENT_AS_JSON * segments.len());
                mapping::read_json(guide, segments, delimiters, provenance, &mut json)
            }
            (Some(guide), Some(Make::Documents)) => {
                let reading = mapping::read(guide, segments, delimiters);
                document = reading.document;
                reading.findings
            }
        };
        self.set.place(&mut found);
        let mut findings = std::mem::take(&mut self.found);
        self.set
            .place(findings.iter_mut().map(|noted| &mut noted.finding));
        findings.extend(noted(found, segments, delimiters, None));
        findings.sort_by_key(|noted| {
            let location = &noted.finding.location;
            (location.segment, location.offset)
        });
        Done {
            task: self,
            document,
            gist,
            json,
            findings,
        }
    }
}

/// What waits for one thread. Enough that a thread does not run dry while another's work is
/// shown, few enough that memory stays small.
const QUEUE: usize = 8;

/// Threads that do one kind of work.
pub(super) struct Crew<T, R> {
    hands: Vec<(SyncSender<T>, Receiver<R>)>,
    started: usize,
    shown: usize,
}

impl<T: Send, R: Send> Crew<T, R> {
    /// As many threads as `jobs`; they end when the crew is dropped.
    pub(super) fn new<'scope, W>(scope: &'scope Scope<'scope, '_>, jobs: usize, work: W) -> Self
    where
        T: 'scope,
        R: 'scope,
        W: Fn(T) -> R + Clone + Send + 'scope,
    {
        let hand = |_| {
            let (tasks, queue) = sync_channel::<T>(QUEUE);
            let (results, done) = sync_channel(QUEUE);
            let work = work.clone();
            scope.spawn(move || {
                for task in queue {
                    // Nobody takes results any more once reading has failed.
                    if results.send(work(task)).is_err() {
                        break;
                    }
                }
            });
            (tasks, done)
        };
        Crew {
            hands: (0..jobs.max(1)).map(hand).collect(),
            started: 0,
            shown: 0,
        }
    }

    /// How much may be under way: then neither side ever waits for the other in a circle.
    pub(super) fn room(&self) -> usize {
        self.hands.len() * (QUEUE - 1)
    }

    pub(super) fn start(&mut self, task: T) {
        let (tasks, _) = &self.hands[self.started % self.hands.len()];
        self.started += 1;
        tasks.send(task).expect("a thread ends after its queue");
    }

    /// The next result, in the order of the tasks, where more than `left` are under way.
    pub(super) fn next(&mut self, left: usize) -> Option<R> {
        if self.started - self.shown <= left {
            return None;
        }
        let (_, done) = &self.hands[self.shown % self.hands.len()];
        self.shown += 1;
        done.recv().ok()
    }
}
