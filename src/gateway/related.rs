//! Several documents in one message (RFC 6362): each part of a multipart/related is read as a
//! payload of its own, in its order; a part that is not X12 is held for a person, with its name.
//!
//! Names are compared within a message only. A name that came before in another one is no fault:
//! nothing is kept under a name that a partner chose, so nothing can be overwritten by one.

use std::io::{self, Read};
use std::path::Path;

use super::inbound::IN_MEMORY;
use super::outbound::checked;
use super::parts::Parts;
use super::read::{Other, Reader};
use crate::as2::{self, Attachment, Disposition, attachments, hex};
use crate::net::spool::{Spool, Spooled, copy};
use crate::store::Payload;
use crate::x12;

/// Reads every part. Large ones are spooled to `folder` for as long as they are read.
pub(super) fn read(
    reader: &Reader<'_>,
    content_type: &str,
    content: &Payload,
    folder: &Path,
    parts: &mut Parts<'_>,
) -> io::Result<()> {
    let mut each = |about: &Attachment, content: &mut dyn Read| {
        let mut spool = Spool::new(folder, IN_MEMORY);
        copy(content, &mut spool)?;
        let spooled = spool.finish()?;
        let digest = hex(&spooled.sha256().unwrap_or_default());
        let other = Other {
            digest: &digest,
            len: spooled.len(),
            content_type: Some(&about.content_type),
            file_name: about.file_name.as_deref(),
        };
        let sources = (spooled.open()?, spooled.open()?);
        reader.part(sources, &other, parts).map_err(io_error)
    };
    let read = attachments(content_type, checked(content)?, &mut each);
    read.map_err(|why| match why {
        as2::Error::Io(why) => why,
        // It was sound when it was accepted.
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })?;
    parts.end();
    Ok(())
}

/// What goes wrong while X12 is read from memory or a file.
pub(super) fn io_error(why: x12::Error) -> io::Error {
    match why {
        x12::Error::Io(why) => why,
        other => io::Error::other(other),
    }
}

/// Why a payload that says it holds several documents cannot be taken, and what is answered.
///
/// # Errors
/// Where it cannot be read again.
pub(super) fn unusable(
    content_type: &str,
    content: &Spooled,
) -> io::Result<Option<(Disposition, String)>> {
    if !as2::is_related(content_type) {
        return Ok(None);
    }
    let found = match attachments(content_type, content.open()?, |_, _| Ok(())) {
        Err(as2::Error::Io(why)) => return Err(why),
        Err(why) => return Ok(Some((Disposition::from(&why), why.to_string()))),
        Ok(found) => found,
    };
    let twice = found.into_iter().find(|one| one.duplicate);
    let told = |one: Attachment| {
        let name = one.file_name.unwrap_or_default();
        let why = format!("two parts are called {name:?}");
        (Disposition::error("duplicate-filename"), why)
    };
    Ok(twice.map(told))
}
