//! A request's body: small ones in memory, large ones in a spool file, none without a limit.
//!
//! The declared length is checked before a byte is read, so that an `Expect: 100-continue` with
//! too large a body is refused without its body. A body counts against its own limit, against the
//! memory of all bodies together (past that it goes to disk early), against a total time, and
//! against a minimum rate.

use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::serve::Limits;
use super::spool::{BLOCK, Spool, Spooled};

/// Why no body was read. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is, or says that it is, larger than the limit (in bytes).
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit that stands.
        limit: u64,
    },
    /// The connection ended before the body did.
    #[error("the body was cut short after {received} bytes")]
    CutShort {
        /// Bytes that came.
        received: u64,
    },
    /// Its framing breaks the grammar of HTTP/1.1 (RFC 9112 section 7.1).
    #[error("the body's framing is not HTTP/1.1")]
    Malformed,
    /// The total time was over.
    #[error("the body took longer than {} s", limit.as_secs())]
    TimedOut {
        /// The limit that stands.
        limit: Duration,
    },
    /// It came at less than the minimum rate.
    #[error("the body came at less than {rate} bytes/s")]
    TooSlow {
        /// The limit that stands.
        rate: u64,
    },
    /// It is the rest of a transfer, and another part of that is due: what follows the bytes that
    /// are here.
    #[error("another part is due: {held} bytes are here")]
    Elsewhere {
        /// How many bytes of the transfer are here.
        held: u64,
    },
    /// The spool folder could not be written.
    #[error("cannot spool the body to {}", path.display())]
    Spool {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Refused {
    /// The HTTP status that tells the sender: 4xx for what it did, 503 for what we could not do.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::CutShort { .. } | Self::Malformed => 400,
            Self::TimedOut { .. } | Self::TooSlow { .. } => 408,
            Self::Elsewhere { .. } => 416,
            Self::Spool { .. } => 503,
        }
    }
}

/// A whole body, with its digest.
#[derive(Debug)]
pub struct Body {
    spooled: Spooled,
    #[expect(dead_code, reason = "held while the bytes are in memory")]
    permit: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// A body whose bytes are in a file.
    pub(super) fn of(spooled: Spooled) -> Self {
        Self {
            spooled,
            permit: None,
        }
    }
}

impl Deref for Body {
    type Target = Spooled;

    fn deref(&self) -> &Spooled {
        &self.spooled
    }
}

/// The intake of one listener: its limits, its spool folder and the memory its bodies share.
#[derive(Debug, Clone)]
pub struct Intake {
    pub(super) limits: Limits,
    pub(super) folder: PathBuf,
    memory: Arc<Semaphore>,
}

impl Intake {
    /// An intake that spools to `folder`, which must exist and be on the disk of the store, so
    /// that a spool file can be renamed into it.
    #[must_use]
    pub fn new(limits: &Limits, folder: impl Into<PathBuf>) -> Self {
        let memory = limits.memory.min(Semaphore::MAX_PERMITS);
        Self {
            limits: limits.clone(),
            folder: folder.into(),
            memory: Arc::new(Semaphore::new(memory)),
        }
    }

    /// Reads a whole body, or says why not.
    ///
    /// # Errors
    /// [`Refused`]; no file is left then.
    pub async fn read(&self, headers: &HeaderMap, mut body: Incoming) -> Result<Body, Refused> {
        let limit = self.limits.body;
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        if declared
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|length| length > limit)
        {
            return Err(Refused::TooLarge { limit });
        }
        let mut sink = Sink::new(self);
        match self.fill(&mut sink, &mut body).await {
            Ok(()) => sink.finish().await,
            Err(refused) => {
                // The last block may still be on its way to the file.
                let _ = sink.written().await;
                Err(refused)
            }
        }
    }

    async fn fill(&self, sink: &mut Sink<'_>, body: &mut Incoming) -> Result<(), Refused> {
        let limit = self.limits.body;
        let mut pace = Pace::new(&self.limits);
        while let Some(data) = pace.next(body).await? {
            if sink.len + data.len() as u64 > limit {
                return Err(Refused::TooLarge { limit });
            }
            sink.write(&data).await?;
        }
        Ok(())
    }
}

/// How fast a body has to come.
pub(super) struct Pace<'a> {
    limits: &'a Limits,
    end: Instant,
    window_end: Instant,
    in_window: u64,
    received: u64,
}

impl<'a> Pace<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        let now = Instant::now();
        let (end, window_end) = (now + limits.body_time, now + limits.rate_window);
        Self {
            limits,
            end,
            window_end,
            in_window: 0,
            received: 0,
        }
    }

    /// The next bytes; none at the end of the body.
    pub(super) async fn next(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Refused> {
        loop {
            let Ok(frame) = timeout_at(self.window_end.min(self.end), body.frame()).await else {
                self.turn()?;
                continue;
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| self.broken(&error))?;
            // What is not data is a trailer, which nobody here reads.
            if let Ok(data) = frame.into_data() {
                self.in_window += data.len() as u64;
                self.received += data.len() as u64;
                return Ok(Some(data));
            }
        }
    }

    /// A time was over: the body's, or a window's.
    fn turn(&mut self) -> Result<(), Refused> {
        let now = Instant::now();
        if now >= self.end {
            return Err(Refused::TimedOut {
                limit: self.limits.body_time,
            });
        }
        let rate = self.limits.body_rate;
        #[expect(clippy::cast_precision_loss, reason = "a rate, not a count")]
        if (self.in_window as f64) < rate as f64 * self.limits.rate_window.as_secs_f64() {
            return Err(Refused::TooSlow { rate });
        }
        self.in_window = 0;
        self.window_end = now + self.limits.rate_window;
        Ok(())
    }

    fn broken(&self, error: &hyper::Error) -> Refused {
        // hyper calls a wrong chunk "invalid input", and a connection that ended "incomplete",
        // "unexpected end" or whatever the socket said.
        let io = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Refused::Malformed,
            _ => Refused::CutShort {
                received: self.received,
            },
        }
    }
}

/// A file that has taken a block, and the buffer that the block was in.
type Passed = (Spool, Vec<u8>);

/// Where a body is gathered: in memory until there is too much of it, then in a file, a block at a
/// time: one is written and digested beside the tasks while the next one comes.
struct Sink<'a> {
    intake: &'a Intake,
    held: Vec<u8>,
    permit: OwnedSemaphorePermit,
    /// It goes to a file.
    spools: bool,
    writing: Option<JoinHandle<io::Result<Passed>>>,
    len: u64,
}

impl<'a> Sink<'a> {
    fn new(intake: &'a Intake) -> Self {
        let permit = Arc::clone(&intake.memory)
            .try_acquire_many_owned(0)
            .expect("none of a semaphore that is never closed");
        Self {
            intake,
            held: Vec::new(),
            permit,
            spools: false,
            writing: None,
            len: 0,
        }
    }

    async fn write(&mut self, data: &[u8]) -> Result<(), Refused> {
        self.len += data.len() as u64;
        self.spools = self.spools || !self.room(data.len());
        self.held.extend_from_slice(data);
        if self.spools && self.held.len() >= BLOCK {
            self.pass_on().await?;
        }
        Ok(())
    }

    /// Whether `more` bytes may be held in memory, and if so, counts them.
    fn room(&mut self, more: usize) -> bool {
        if self.held.len() + more > self.intake.limits.body_memory {
            return false;
        }
        let Ok(count) = u32::try_from(more) else {
            return false;
        };
        match Arc::clone(&self.intake.memory).try_acquire_many_owned(count) {
            Ok(permit) => {
                self.permit.merge(permit);
                true
            }
            Err(_) => false,
        }
    }

    /// Hands what is held to the file.
    async fn pass_on(&mut self) -> Result<(), Refused> {
        let (mut spool, empty) = self.written().await?;
        let block = std::mem::replace(&mut self.held, empty);
        self.writing = Some(tokio::task::spawn_blocking(move || {
            spool.write_all(&block)?;
            let mut empty = block;
            empty.clear();
            // A first block may have been larger than those that follow.
            empty.shrink_to(2 * BLOCK);
            Ok((spool, empty))
        }));
        drop(self.permit.split(self.permit.num_permits()));
        Ok(())
    }

    /// The file and a free buffer, once the block before is written.
    async fn written(&mut self) -> Result<Passed, Refused> {
        let folder = &self.intake.folder;
        match self.writing.take() {
            None => Ok((Spool::new(folder, 0), Vec::with_capacity(2 * BLOCK))),
            Some(writing) => joined(writing).await.map_err(spool(folder)),
        }
    }

    async fn finish(mut self) -> Result<Body, Refused> {
        if !self.spools {
            return Ok(Body {
                spooled: Spooled::memory_of(self.held),
                permit: Some(self.permit),
            });
        }
        self.pass_on().await?;
        let (file, _) = self.written().await?;
        let finish = tokio::task::spawn_blocking(|| file.finish());
        let finished = joined(finish).await;
        Ok(Body::of(finished.map_err(spool(&self.intake.folder))?))
    }
}

/// What a blocking task gave; one that panicked is a defect of ours, and a failure like another.
async fn joined<T>(task: JoinHandle<io::Result<T>>) -> io::Result<T> {
    task.await.unwrap_or_else(|why| Err(io::Error::other(why)))
}

fn spool(path: &Path) -> impl FnOnce(io::Error) -> Refused {
    let path = path.to_path_buf();
    move |source| Refused::Spool { path, source }
}
