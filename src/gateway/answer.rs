//! The few answers that are no receipts.

use bytes::Bytes;

use crate::store::Answer;

/// Seconds until a sender should try again where we do not know better.
pub(super) const RETRY_AFTER: u64 = 30;

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
