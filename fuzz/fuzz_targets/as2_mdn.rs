//! Mdn::read on anything: no panic, no hang, nothing signed by nobody; and the small grammars.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use transload::as2::{Disposition, Headers, Keys, Mdn, Mic, Profile, quote_name, unquote_name};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let read = Disposition::parse(text);
        assert_eq!(Disposition::parse(&read.to_string()).is_positive(), read.is_positive());
        if let Some(mic) = Mic::parse(text) {
            assert_eq!(Mic::parse(&mic.to_string()), Some(mic));
        }
        if let Ok(name) = unquote_name("AS2-From", text) {
            assert_eq!(unquote_name("AS2-From", &quote_name(&name)).ok(), Some(name));
        }
    }
    let mut body = data;
    let Ok(headers) = Headers::read(&mut body) else { return };
    let (keys, profile) = (Keys::default(), Profile::accept_anything());
    if let Ok(mdn) = Mdn::read(&headers, body, &keys, &profile, DateTime::UNIX_EPOCH) {
        assert!(mdn.signature.is_none());
    }
});
