//! The few answers that are no receipts, and when a refusal leaves.

use std::time::Duration;

use bytes::Bytes;

use crate::store::Answer;

/// Seconds until a sender should try again where we do not know better.
pub(super) const RETRY_AFTER: u64 = 30;

/// The steps of time at which refusals leave. What is wrong inside an envelope takes the same work
/// whatever it is, to a microsecond or two; those must not be there to be measured either.
const BEAT: Duration = Duration::from_millis(5);

/// How long the refusal of a message still waits that was whole so long ago: until the next step.
///
/// ```
/// # use std::time::Duration;
/// let waits = |spent| transload::gateway::until_beat(Duration::from_micros(spent)).as_micros();
/// assert_eq!([waits(700), waits(702), waits(5_001)], [4_300, 4_298, 4_999]);
/// ```
#[must_use]
pub fn until_beat(spent: Duration) -> Duration {
    let over = spent.as_nanos() % BEAT.as_nanos();
    BEAT - Duration::from_nanos(u64::try_from(over).expect("less than a beat"))
}

/// Taken, and there is nothing to say.
pub(super) fn empty() -> Answer {
    Answer {
        status: 200,
        headers: Vec::new(),
        body: Bytes::new(),
    }
}

/// For who is to get his receipt later: every release of AS2 takes a 202 (RFC 4130 §7.2, its
/// coming revision §5.4).
pub(super) fn taken() -> Answer {
    Answer {
        status: 202,
        ..empty()
    }
}

/// A status, and a line for people.
pub(super) fn text(status: u16, line: &str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".into(), "text/plain; charset=utf-8".into())],
        body: format!("{line}\n").into(),
    }
}

/// Not now; again in so many seconds.
pub(super) fn unavailable(seconds: u64) -> Answer {
    let mut answer = text(503, "not now, please try again");
    answer
        .headers
        .push(("retry-after".into(), seconds.to_string()));
    answer
}
