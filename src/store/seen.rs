//! Which certificate a partner was last seen with.

use chrono::{DateTime, Utc};

/// A certificate at work between a partner and us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The partner's name in our settings.
    pub partner: String,
    /// What it did: `verify` (theirs, a signature of theirs), `decrypt` (ours, a message of theirs
    /// was encrypted to it), `tls`.
    pub purpose: String,
    /// SHA-256 of it, 64 lower-case hex digits.
    pub fingerprint: String,
    /// When, last.
    pub at: DateTime<Utc>,
}
