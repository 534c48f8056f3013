//! The as2 room from outside: what others recorded, what others' tools say, and the laws.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod attacks;
mod command_line;
mod mdn;
mod recorded;
mod round_trip;
mod uniform;

use std::io::Cursor;
use std::path::PathBuf;

use chrono::{DateTime, TimeZone, Utc};
use transload::as2::{
    self, Document, Error, Headers, Identity, KeyKind, Keys, Opened, Profile, Sealed,
};

/// The day that every test here lives on.
pub(crate) fn day() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

/// Two partners who have pinned each other: their keys, ours first.
pub(crate) fn partners() -> (Keys, Keys) {
    partners_with(KeyKind::Rsa(2048))
}

/// As [`partners`], with keys of that kind.
pub(crate) fn partners_with(kind: KeyKind) -> (Keys, Keys) {
    let (from, to) = (
        day() - chrono::TimeDelta::days(1),
        day() + chrono::TimeDelta::days(365),
    );
    let us = Identity::generate_as(kind, &format!("us {kind}"), 0x8000_0000_0000_0001, from, to)
        .unwrap();
    let them = Identity::generate_as(kind, &format!("them {kind}"), 7, from, to).unwrap();
    (
        Keys {
            ours: vec![us.clone()],
            theirs: vec![them.certificate.clone()],
        },
        Keys {
            ours: vec![them],
            theirs: vec![us.certificate],
        },
    )
}

/// Fresh bytes that are the same in every run.
pub(crate) fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |out: &mut [u8]| {
        for byte in out {
            next = next.wrapping_mul(37).wrapping_add(11);
            *byte = next;
        }
    }
}

pub(crate) fn profile() -> Profile {
    Profile {
        our_id: "US".into(),
        their_id: "THE M".into(),
        ..Profile::default()
    }
}

pub(crate) const DOCUMENT: Document<'static> = Document {
    content_type: "application/EDI-X12",
    file_name: Some("order.edi"),
    message_id: "<1@example.org>",
};

pub(crate) fn seal(payload: &[u8], keys: &Keys, profile: &Profile) -> (Sealed, Vec<u8>) {
    let mut body = Vec::new();
    let mut entropy = counting();
    let payload = Cursor::new(payload);
    let sealed = as2::seal(
        payload,
        &mut body,
        DOCUMENT,
        keys,
        profile,
        &mut entropy,
        day(),
    );
    (sealed.unwrap(), body)
}

pub(crate) fn open(
    headers: &Headers,
    body: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> Result<(Opened, Vec<u8>), Error> {
    let mut payload = Vec::new();
    let opened = as2::open(headers, body, &mut payload, keys, profile, day())?;
    Ok((opened, payload))
}

/// A file of messages that others wrote, where this checkout has them beside it.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let path = PathBuf::from(folder).join(path);
    if !path.exists() {
        say!("skipped: no ../shared");
        return None;
    }
    Some(path)
}
