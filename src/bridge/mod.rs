//! The way between a canonical document and our own side: an ERP, an API, a folder.
//!
//! ```text
//! submit(document) ─► Receipt                 theirs, on its way in
//! poll() ─► Incoming ─► done | refuse         ours, on its way out
//! ```
//!
//! Both directions are at least once, and made once by identity: a document that is submitted
//! again under its id is not doubled, and what was polled but not `done` at a crash comes again.
//!
//! ```
//! use transload::bridge::{Bridge, Outgoing, folder::Folder};
//! use uuid::Uuid;
//!
//! let root = tempfile::tempdir()?;
//! let folder = Folder::open(root.path())?;
//! let id = Uuid::from_u128(1);
//! let order = Outgoing { id, kind: "purchase_order", number: "PO/1", json: b"{}" };
//! let receipt = folder.submit(&order)?;
//! assert!(receipt.place.ends_with("purchase_order-PO-1-00000000-0000-0000-0000-000000000001.json"));
//! assert!(folder.submit(&order)?.repeated);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A bridge does not read documents: it takes and gives their JSON. It keeps no retry times; who
//! calls it does. The calls block, so an async caller makes them on a blocking thread.

use std::io;
use std::path::PathBuf;

use uuid::Uuid;

pub mod folder;
pub mod spapi;

/// A way to our own side.
pub trait Bridge: Send + Sync {
    /// Hands a document over. When this returns, it is durable there; a second call with the
    /// same id changes nothing and says so.
    ///
    /// # Errors
    /// [`Error`]: the document is not there, and may be submitted again.
    fn submit(&self, document: &Outgoing<'_>) -> Result<Receipt, Error>;

    /// At most `most` documents that are to go out. Each is ours until it is `done` or refused.
    ///
    /// # Errors
    /// [`Error`]: nothing was taken.
    fn poll(&self, most: usize) -> Result<Vec<Incoming>, Error>;

    /// Says that a polled document is safe in the store.
    ///
    /// # Errors
    /// [`Error`]: it may come again.
    fn done(&self, incoming: &Incoming) -> Result<(), Error>;

    /// Says that a polled document cannot be used, and why, in words for who made it.
    ///
    /// # Errors
    /// [`Error`]: it may come again.
    fn refuse(&self, incoming: &Incoming, why: &str) -> Result<(), Error>;

    /// How much lies there.
    ///
    /// # Errors
    /// [`Error`], where one cannot tell: the bridge is down.
    fn status(&self) -> Result<Status, Error>;
}

/// A document to hand over.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its id: the same at every try.
    pub id: Uuid,
    /// Its kind, such as `purchase_order`.
    pub kind: &'a str,
    /// Its number, as the partner says it: for people who look at names.
    pub number: &'a str,
    /// The canonical document as JSON.
    pub json: &'a [u8],
}

/// What a bridge says of a document that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Where it is, in the bridge's own words: a path, a URL, an id.
    pub place: String,
    /// Whether it was there already.
    pub repeated: bool,
}

/// A document that came from our own side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// What our side calls it, such as a file's name.
    pub name: String,
    /// Its bytes: of a bridge, a JSON object, of what kind is for the reader to say.
    pub bytes: Vec<u8>,
    /// Where it lies while it is ours.
    pub(crate) path: PathBuf,
}

/// How much lies at a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Documents handed over that our side has not taken.
    pub handed_over: usize,
    /// Documents of our side that were not polled yet.
    pub waiting: usize,
    /// Documents of our side that were refused.
    pub refused: usize,
}

/// What a bridge could not do.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub struct Error {
    /// What was tried.
    pub what: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Error {
    /// Whether the same may do better later: always, for a folder. Disks are emptied and
    /// rights given.
    #[must_use]
    pub fn retry(&self) -> bool {
        true
    }
}
