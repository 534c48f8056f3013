//! Messages and MDNs: whatever comes, nothing that we did not sign ever verifies.

use std::io::Cursor;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use transload::as2::{
    self, Compression, Disposition, Document, Headers, Identity, Keys, Mdn, Mic, Profile, Sealed,
    quote_name, unquote_name,
};

const PAYLOAD: &[u8] = b"ISA*00*~GS*PO~ST*850*0001~SE*2*0001~GE*1~IEA*1~";
const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

struct Known {
    keys: Keys,
    sealed: Vec<(Sealed, Vec<u8>)>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let (from, to) = (AT - TimeDelta::days(1), AT + TimeDelta::days(1));
    let us = Identity::generate("us", 1, from, to).expect("a fresh identity");
    let keys = Keys {
        theirs: vec![us.certificate.clone()],
        ours: vec![us],
    };
    let profiles = [
        Profile::default(),
        Profile {
            encrypt: None,
            ..Profile::default()
        },
        Profile {
            compress: Some(Compression::BeforeSigning),
            ..Profile::default()
        },
    ];
    let sealed = profiles
        .iter()
        .map(|profile| seal(&keys, profile))
        .collect();
    Known { keys, sealed }
});

fn seal(keys: &Keys, profile: &Profile) -> (Sealed, Vec<u8>) {
    let document = Document {
        content_type: "text/x",
        file_name: None,
        message_id: "<1@x>",
    };
    let (mut body, payload) = (Vec::new(), Cursor::new(PAYLOAD));
    let mut entropy = |out: &mut [u8]| out.fill(7);
    let sealed = as2::seal(
        payload,
        &mut body,
        document,
        keys,
        profile,
        &mut entropy,
        AT,
    );
    (sealed.expect("a sound seal"), body)
}

/// `as2::open` on anything.
///
/// An even first byte: the rest is headers and body. An odd one: the rest is flipped into a
/// message that we sealed, which then fails, or still gives its payload.
pub fn open(bytes: &[u8]) {
    let Some((mode, mut rest)) = bytes.split_first() else {
        return;
    };
    let profile = Profile {
        inflated_limit: 1 << 20,
        ..Profile::accept_anything()
    };
    let mut payload = Vec::new();
    if mode % 2 == 0 {
        let Ok(headers) = Headers::read(&mut rest) else {
            return;
        };
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
    let headers = &sealed.headers;
    let opened = as2::open(headers, &body[..], &mut payload, &KNOWN.keys, &profile, AT);
    if opened.is_ok_and(|opened| opened.secured.signed.is_some()) {
        assert_eq!(payload, PAYLOAD);
    }
}

/// `Mdn::read` on anything, and the small grammars.
pub fn mdn(mut bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let read = Disposition::parse(text);
        let again = Disposition::parse(&read.to_string());
        assert_eq!(again.is_positive(), read.is_positive());
        if let Some(mic) = Mic::parse(text) {
            assert_eq!(Mic::parse(&mic.to_string()), Some(mic));
        }
        if let Ok(name) = unquote_name("AS2-From", text) {
            let again = unquote_name("AS2-From", &quote_name(&name));
            assert_eq!(again.ok(), Some(name));
        }
    }
    let Ok(headers) = Headers::read(&mut bytes) else {
        return;
    };
    let (keys, profile) = (Keys::default(), Profile::accept_anything());
    if let Ok(mdn) = Mdn::read(&headers, bytes, &keys, &profile, AT) {
        assert!(mdn.signature.is_none());
    }
}
