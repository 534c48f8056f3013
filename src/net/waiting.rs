//! The connections of a listener that owe it a request head. Where there is no place for a new one,
//! who has waited longest gives up his: a head is one packet, so whoever means it is never that one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Who waits, the longest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    line: Arc<Mutex<Line>>,
    came: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Line {
    next: u64,
    seats: BTreeMap<u64, Arc<Notify>>,
}

impl Waiting {
    /// A connection of its own, which waits from now on.
    pub(super) fn seat(&self) -> Seat {
        let seat = Seat {
            line: self.clone(),
            number: Mutex::new(None),
            over: Arc::default(),
        };
        seat.waits();
        seat
    }

    /// Ends the one that has waited longest, if one waits.
    pub(super) fn end_one(&self) -> bool {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let first = line.seats.pop_first();
        first.inspect(|(_, over)| over.notify_one()).is_some()
    }

    /// Comes when somebody has begun to wait.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }
}

/// One connection in the line, or busy with a request; it leaves the line when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    line: Waiting,
    number: Mutex<Option<u64>>,
    over: Arc<Notify>,
}

impl Seat {
    /// It waits for a request, behind all who wait already.
    pub(super) fn waits(&self) {
        self.works();
        let mut line = self
            .line
            .line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let number = line.next;
        line.next += 1;
        line.seats.insert(number, Arc::clone(&self.over));
        *self.number.lock().unwrap_or_else(PoisonError::into_inner) = Some(number);
        self.line.came.notify_one();
    }

    /// A request is here: it is not ended for others.
    pub(super) fn works(&self) {
        let number = self
            .number
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(number) = number {
            let mut line = self
                .line
                .line
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            line.seats.remove(&number);
        }
    }

    /// Comes when it has to give up its place.
    pub(super) async fn over(&self) {
        self.over.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.works();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_waited_longest_and_does_not_work_is_ended() {
        let waiting = Waiting::default();
        let [a, b, c] = [waiting.seat(), waiting.seat(), waiting.seat()];
        a.works();
        assert!(waiting.end_one());
        b.over().await;
        a.waits();
        assert!(waiting.end_one());
        c.over().await;
        drop(b);
        assert!(waiting.end_one());
        a.over().await;
        assert!(!waiting.end_one(), "nobody is left");
    }
}
