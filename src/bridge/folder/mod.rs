//! A folder as a bridge: canonical JSON out, JSON answers in.
//!
//! ```text
//! out/              <kind>-<number>-<id>.json appears whole, by rename; take it and delete it
//! out/.delivered/   an empty file for each id handed over
//! in/               put answers here, best by rename; names with a leading dot, or that end in
//!                   .tmp, .part or ~, are left alone
//! in/claimed/       being worked on; after a crash, back to in/
//! in/taken/         safe in the store
//! in/bad/           not usable: <name>.error.txt says why
//! ```
//!
//! One process polls a folder. A file that is written in place is seen half: while its JSON ends
//! too soon, it is left alone until a poll finds it as long as the poll before did.

use std::path::Path;

use serde::de::IgnoredAny;

use super::{Bridge, Error, Incoming, Outgoing, Receipt, Status};

mod inbox;
mod outbox;

pub use inbox::{FILE, Inbox, Kept, Look};
pub use outbox::{Outbox, place, safe};

/// A folder of our own side.
#[derive(Debug)]
pub struct Folder {
    inbox: Inbox,
    outbox: Outbox,
}

impl Folder {
    /// Opens `root`, with `in` and `out` below it; makes what is missing, and takes up what a
    /// crash left.
    ///
    /// # Errors
    /// Where a folder cannot be made or read.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Ok(Self {
            inbox: Inbox::open(root.join("in"))?,
            outbox: Outbox::open(root.join("out"))?,
        })
    }
}

impl Bridge for Folder {
    fn submit(&self, document: &Outgoing<'_>) -> Result<Receipt, Error> {
        let Outgoing {
            id,
            kind,
            number,
            json,
        } = *document;
        let name = format!("{}-{}-{id}.json", safe(kind), safe(number));
        let (path, repeated) = self.outbox.put(id, &name, || Ok(json))?;
        Ok(Receipt {
            place: path.display().to_string(),
            repeated,
        })
    }

    fn poll(&self, most: usize) -> Result<Vec<Incoming>, Error> {
        self.inbox.take(most, look)
    }

    fn done(&self, incoming: &Incoming) -> Result<(), Error> {
        self.inbox.keep(incoming, Kept::Taken)
    }

    fn refuse(&self, incoming: &Incoming, why: &str) -> Result<(), Error> {
        self.inbox.keep(incoming, Kept::Bad(why))
    }

    fn status(&self) -> Result<Status, Error> {
        Ok(Status {
            handed_over: self.outbox.waiting()?,
            waiting: self.inbox.waiting()?,
            refused: self.inbox.refused()?,
        })
    }
}

/// Whether bytes are a JSON object, not yet, or not at all.
fn look(bytes: &[u8]) -> Look {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) if bytes.trim_ascii_start().starts_with(b"{") => Look::Whole,
        Ok(_) => Look::Bad("this is JSON, but not an object".to_owned()),
        Err(why) if why.is_eof() => Look::Short(format!("this JSON ends too soon: {why}")),
        Err(why) => Look::Bad(format!("this is not JSON: {why}")),
    }
}
