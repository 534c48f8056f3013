//! What can go wrong in a store, and what the caller does next.

use std::fmt;
use std::time::Duration;

/// Disk space does not come back in seconds; a sender that asks again after this finds us able, or
/// is told so again.
const WAIT_FOR_SPACE: Duration = Duration::from_secs(60);

/// A restart takes less than this.
const WAIT_FOR_RESTART: Duration = Duration::from_secs(30);

/// ENFILE, EMFILE and ENOMEM: the system has none left, and the disk is sound.
const SCARCE: [i32; 3] = [23, 24, 12];

/// An error of the store: a kind for the program, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Error {
    kind: Kind,
    detail: String,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The disk is full; nothing was stored.
    Full,
    /// Somebody else holds the database, or the system has no file left for us; nothing was stored.
    Busy,
    /// Another process has this data folder open.
    Locked,
    /// The disk or the database lied or broke. The store answers this from now on: an fsync is
    /// never tried a second time, because the kernel may have dropped the pages.
    Failed,
    /// The store was closed.
    Closed,
    /// The lease was lost: the work is another worker's now, or done. Drop what you have.
    Stale,
    /// There is no such row.
    Missing,
    /// The arguments contradict the rows.
    Invalid,
    /// The closure given to `compose` refused; no number was used.
    Compose,
    /// A stored payload cannot be read; other rows are not touched by it.
    Unreadable,
    /// A defect of ours.
    Bug,
}

/// What a caller does after an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// Not before this has passed (`503` and `Retry-After` to a sender).
    After(Duration),
    /// The same call will fail again.
    Never,
}

impl Error {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(super) fn missing(what: &str, id: impl fmt::Display) -> Self {
        Self::new(Kind::Missing, format!("there is no {what} {id}"))
    }

    /// A file operation that broke: a full disk is survivable, anything else ends the store.
    pub(super) fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::Full,
            _ if error
                .raw_os_error()
                .is_some_and(|code| SCARCE.contains(&code)) =>
            {
                Kind::Busy
            }
            _ => Kind::Failed,
        };
        Self::new(kind, format!("{what}: {error}"))
    }

    /// The kind, to match on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next.
    pub fn retry(&self) -> Retry {
        match self.kind {
            Kind::Busy => Retry::Now,
            Kind::Full => Retry::After(WAIT_FOR_SPACE),
            Kind::Failed | Kind::Closed | Kind::Locked => Retry::After(WAIT_FOR_RESTART),
            Kind::Stale
            | Kind::Missing
            | Kind::Invalid
            | Kind::Compose
            | Kind::Unreadable
            | Kind::Bug => Retry::Never,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the disk is full",
            Self::Busy => "the store is busy",
            Self::Locked => "the data folder is in use",
            Self::Failed => "the store has failed",
            Self::Closed => "the store is closed",
            Self::Stale => "the lease was lost",
            Self::Missing => "not found",
            Self::Invalid => "not possible",
            Self::Compose => "the interchange could not be composed",
            Self::Unreadable => "a payload cannot be read",
            Self::Bug => "a defect in the store",
        })
    }
}
