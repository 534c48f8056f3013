//! Where a document came from, and what could not be carried on.

use std::collections::BTreeMap;

records! {
    /// Where a document came from: enough to answer it and to find its bytes again.
    Provenance {
        /// Sender's id in the group (X12 GS02).
        sender: Option<String>,
        /// Receiver's id in the group (X12 GS03).
        receiver: Option<String>,
        /// Control number of the interchange (X12 ISA13).
        interchange: Option<String>,
        /// Control number of the group (X12 GS06).
        group: Option<String>,
        /// Control number of the set (X12 ST02).
        set: Option<String>,
        /// Version that it was written in (X12 GS08).
        version: Option<String>,
        /// The order that several uses of one segment stood in, by position; kept so that the
        /// document is written as it was read.
        order: BTreeMap<String, Vec<String>>,
    }

    /// Something that a document says and its next form cannot: told, never dropped in silence.
    Loss {
        /// Where it stood, such as `lines[3].price.unit`.
        path: Option<String>,
        /// What it was.
        value: Option<String>,
        /// Why it could not be carried on, and what was done.
        reason: Option<String>,
    }
}
