//! The layers of a message as bytes, for evidence and for looking at what went wrong.
//!
//! ```
//! use transload::as2::{Headers, Keys, Profile, peel};
//! let headers: Headers = [("Content-Type", "application/EDI-X12")].into_iter().collect();
//! let at = chrono::DateTime::UNIX_EPOCH;
//! let keys = Keys { ours: vec![], theirs: vec![] };
//! let (layers, opened) = peel(&headers, &b"ISA*00~"[..], &keys, &Profile::accept_anything(), at);
//! assert!(layers.is_empty() && opened.is_ok());
//! ```

use std::io::{self, BufRead, Read};
use std::slice;

use chrono::{DateTime, Utc};

use super::cms::signed;
use super::error::Error;
use super::headers::Headers;
use super::keys::{Certificate, Keys};
use super::mic::Digests;
use super::open::{Opened, open_by};
use super::profile::Profile;

/// Bytes of one layer that are kept: whoever looks at larger ones by hand uses `as2 open`.
pub const PEELED: usize = 64 << 20;

/// What was inside a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `encrypted`, `compressed` or `signed`.
    pub kind: &'static str,
    /// What was inside: a MIME entity with its header block. Inside a signature these are the
    /// bytes that were signed.
    pub content: Vec<u8>,
    /// The signature's CMS object in DER, where it stood beside what it signs.
    pub signature: Option<Vec<u8>>,
}

/// Takes a message apart: its layers, the outermost first, as far as it opens; and what opening it
/// says.
pub fn peel(
    headers: &Headers,
    body: impl Read,
    keys: &Keys,
    profile: &Profile,
    at: DateTime<Utc>,
) -> (Vec<Layer>, Result<Opened, Error>) {
    let mut layers = Vec::new();
    let peeled = Some(&mut layers);
    let opened = open_by(headers, body, io::sink(), keys, profile, at, peeled);
    layers.reverse();
    (layers, opened)
}

/// Whether a detached signature over these bytes is by the key of this certificate, whatever its
/// algorithm and its dates.
pub fn verifies(content: &[u8], signature: &[u8], by: &Certificate) -> bool {
    let verified = || -> Result<(), Error> {
        let signer = signed::read_detached(signature)?;
        let mut digests = Digests::new(&[signer.digest()])?;
        digests.update(content)?;
        signer.verify(&digests.finish()?, slice::from_ref(by))?;
        Ok(())
    };
    verified().is_ok()
}

/// Keeps what is read through it.
pub(super) struct Kept<'r> {
    inner: &'r mut dyn BufRead,
    /// `None` where nothing is to be kept.
    pub(super) bytes: Option<Vec<u8>>,
}

impl<'r> Kept<'r> {
    pub(super) fn new(inner: &'r mut dyn BufRead, keep: bool) -> Kept<'r> {
        Kept {
            inner,
            bytes: keep.then(Vec::new),
        }
    }
}

impl BufRead for Kept<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(bytes) = &mut self.bytes
            && let Ok(data) = self.inner.fill_buf()
        {
            let room = PEELED.saturating_sub(bytes.len());
            bytes.extend_from_slice(&data[..count.min(data.len()).min(room)]);
        }
        self.inner.consume(count);
    }
}

impl Read for Kept<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        super::mime::read_from(self, out)
    }
}
