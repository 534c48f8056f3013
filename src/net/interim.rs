//! Interim answers: `102 Processing` while a request is worked on (RFC 9110 section 15.2, RFC 2518
//! section 10.1), for clients and proxies that cut what is silent.
//!
//! hyper writes no interim answer but 100. So it is written between two of its own writes: only when
//! it has flushed all that it had, and only while the handler's future runs, so never inside an
//! answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The interim answer.
const LINE: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";

/// Gives interim answers: an extension of each HTTP/1.1 request.
#[derive(Debug, Clone, Default)]
pub struct Interim(Arc<AtomicBool>);

impl Interim {
    /// Does the work, and gives an interim answer every so often meanwhile. The whole request has to
    /// have arrived, and the work has to be awaited by its handler.
    pub async fn during<T>(&self, every: Duration, work: impl Future<Output = T>) -> T {
        let mut tick = interval_at(Instant::now() + every, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    // The answer comes now: what was not begun yet is too late.
                    self.0.store(false, Ordering::Relaxed);
                    return done;
                }
                _ = tick.tick() => self.0.store(true, Ordering::Relaxed),
            }
        }
    }
}

/// What of an interim answer is still to be written.
#[derive(Debug, Default)]
pub(super) struct Out {
    asked: Interim,
    left: &'static [u8],
}

impl Out {
    /// What asks for it.
    pub(super) fn asked(&self) -> Interim {
        self.asked.clone()
    }

    /// Begins one that is asked for; nothing else may be on its way then.
    pub(super) fn begin(&mut self) {
        if self.left.is_empty() && self.asked.0.swap(false, Ordering::Relaxed) {
            self.left = LINE;
        }
    }

    /// Ends the one that was begun.
    pub(super) fn end<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.left.is_empty() {
            match ready!(Pin::new(&mut *stream).poll_write(cx, self.left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                some => self.left = &self.left[some..],
            }
        }
        Poll::Ready(Ok(()))
    }
}
