//! as2::open on anything: no panic, no hang, and nothing that we did not sign ever verifies.
//!
//! An even first byte: the rest is headers and body. An odd one: the rest is flipped into a
//! message that we sealed, which then fails, or still gives its payload.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;
use transload::as2::{self, Document, Headers, Identity, Keys, Profile, Sealed};

const PAYLOAD: &[u8] = b"ISA*00*~GS*PO~ST*850*0001~SE*2*0001~GE*1~IEA*1~";
const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

struct Known {
    keys: Keys,
    sealed: Vec<(Sealed, Vec<u8>)>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let (from, to) = (AT - TimeDelta::days(1), AT + TimeDelta::days(1));
    let us = Identity::generate("us", 1, from, to).expect("a fresh identity");
    let keys = Keys { theirs: vec![us.certificate.clone()], ours: vec![us] };
    let document = Document { content_type: "text/x", file_name: None, message_id: "<1@x>" };
    let profiles = [
        Profile::default(),
        Profile { encrypt: None, ..Profile::default() },
        Profile { compress: true, ..Profile::default() },
    ];
    let seal = |profile: &Profile| {
        let mut body = Vec::new();
        let payload = Cursor::new(PAYLOAD);
        let mut entropy = |out: &mut [u8]| out.fill(7);
        let sealed =
            as2::seal(payload, &mut body, document, &keys, profile, &mut entropy, AT);
        (sealed.expect("a sound seal"), body)
    };
    let sealed = profiles.iter().map(seal).collect();
    Known { keys, sealed }
});

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    let profile = Profile { inflated_limit: 1 << 20, ..Profile::accept_anything() };
    let mut payload = Vec::new();
    if mode % 2 == 0 {
        let mut rest = rest;
        let Ok(headers) = Headers::read(&mut rest) else { return };
        let opened = as2::open(&headers, rest, &mut payload, &KNOWN.keys, &profile, AT);
        assert!(!opened.is_ok_and(|opened| opened.secured.signed.is_some()));
        return;
    }
    let (sealed, body) = &KNOWN.sealed[usize::from(mode / 2) % KNOWN.sealed.len()];
    let mut body = body.clone();
    for flip in rest.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([flip[0], flip[1]])) % body.len();
        body[at] ^= flip[2];
    }
    let opened = as2::open(&sealed.headers, &body[..], &mut payload, &KNOWN.keys, &profile, AT);
    if opened.is_ok_and(|opened| opened.secured.signed.is_some()) {
        assert_eq!(payload, PAYLOAD);
    }
});
