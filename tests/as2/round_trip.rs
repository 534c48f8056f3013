//! open(seal(p)) == p.

use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;
use transload::as2::{self, Cipher, Digest, Headers, Profile, Receipt};

use super::{DOCUMENT, counting, day, open, partners, profile, seal};

#[test]
fn every_digest_cipher_and_compression() {
    let (ours, theirs) = partners();
    let payload = b"ISA*00*~\r\nGS*PO~\n\r\n\r\n";
    for sign in [
        None,
        Some(Digest::Sha256),
        Some(Digest::Sha384),
        Some(Digest::Sha512),
    ] {
        for encrypt in [
            None,
            Some(Cipher::Aes128Cbc),
            Some(Cipher::Aes192Cbc),
            Some(Cipher::Aes256Cbc),
        ] {
            for compress in [false, true] {
                let profile = Profile {
                    sign,
                    encrypt,
                    compress,
                    require_signed: sign.is_some(),
                    require_encrypted: encrypt.is_some(),
                    ..profile()
                };
                let (sealed, body) = seal(payload, &ours, &profile);
                let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
                assert_eq!(back, payload);
                assert_eq!(opened.mic, sealed.mic, "{sign:?} {encrypt:?} {compress}");
                assert_eq!(opened.secured.signed.map(|signed| signed.digest), sign);
                assert_eq!(opened.secured.encrypted.map(|e| e.cipher), encrypt);
                assert_eq!(opened.secured.compressed, compress);
                assert_eq!(opened.content_type, "application/EDI-X12");
                assert_eq!(opened.file_name.as_deref(), Some("order.edi"));
                assert!(opened.disposition_request.unwrap().signed);
            }
        }
    }
}

#[test]
fn headers_say_what_was_agreed_and_survive_the_wire() {
    let (ours, _) = partners();
    let (sealed, _) = seal(b"x", &ours, &profile());
    let wire = sealed.headers.to_bytes();
    assert!(
        !wire
            .windows(3)
            .any(|folded| folded == b"\n\t " || folded[..2] == *b"\n ")
    );
    let read = Headers::read(&mut wire.as_slice()).unwrap();
    assert_eq!(read, sealed.headers);
    assert_eq!(read.get("as2-to"), Some("\"THE M\""));
    assert_eq!(read.as2_to().unwrap(), "THE M");
    assert_eq!(read.get("Date"), Some("Sun, 22 Nov 2026 12:00:00 +0000"));
    let quiet = Profile {
        receipt: Receipt::No,
        ..profile()
    };
    let (sealed, _) = seal(b"x", &ours, &quiet);
    assert_eq!(sealed.headers.get("Disposition-Notification-To"), None);
}

#[test]
fn weak_algorithms_are_never_written() {
    let (ours, _) = partners();
    for weak in [
        Profile {
            sign: Some(Digest::Sha1),
            legacy: true,
            ..profile()
        },
        Profile {
            encrypt: Some(Cipher::TripleDes),
            legacy: true,
            ..profile()
        },
    ] {
        let payload = Cursor::new(b"x");
        let mut out = Vec::new();
        let sealed = as2::seal(
            payload,
            &mut out,
            DOCUMENT,
            &ours,
            &weak,
            &mut counting(),
            day(),
        );
        assert!(sealed.is_err() && out.is_empty());
    }
}

/// A payload that is nowhere in memory.
struct Zeros {
    at: u64,
    length: u64,
}

impl Read for Zeros {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let taken = out.len().min((self.length - self.at) as usize);
        out[..taken].fill(0);
        self.at += taken as u64;
        Ok(taken)
    }
}

impl Seek for Zeros {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.length,
            SeekFrom::Current(_) => self.at,
        };
        Ok(self.at)
    }
}

#[test]
fn twenty_megabytes_stream_through() {
    let (ours, theirs) = partners();
    let length = 20 * 1024 * 1024;
    for compress in [false, true] {
        let profile = Profile {
            compress,
            ..profile()
        };
        let mut body = Vec::new();
        let payload = Zeros { at: 0, length };
        let mut entropy = counting();
        let sealed = as2::seal(
            payload,
            &mut body,
            DOCUMENT,
            &ours,
            &profile,
            &mut entropy,
            day(),
        )
        .unwrap();
        let sink = std::io::sink();
        let opened = as2::open(
            &sealed.headers,
            body.as_slice(),
            sink,
            &theirs,
            &profile,
            day(),
        )
        .unwrap();
        assert_eq!((opened.payload_len, opened.mic), (length, sealed.mic));
    }
}

#[test]
fn a_body_read_a_byte_at_a_time_opens_the_same() {
    struct Dribble<'a>(&'a [u8]);
    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let one = out.len().min(1);
            self.0.read(&mut out[..one])
        }
    }
    let (ours, theirs) = partners();
    for compress in [false, true] {
        let profile = Profile {
            compress,
            ..profile()
        };
        let (sealed, body) = seal(&b"a\r\n--b".repeat(500), &ours, &profile);
        let mut payload = Vec::new();
        let dribble = Dribble(&body);
        as2::open(
            &sealed.headers,
            dribble,
            &mut payload,
            &theirs,
            &profile,
            day(),
        )
        .unwrap();
        assert_eq!(payload, b"a\r\n--b".repeat(500));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn open_undoes_seal(
        payload in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'-')], 0..3000),
        signed: bool,
        encrypted: bool,
        compress: bool,
    ) {
        thread_local! { static PARTNERS: (as2::Keys, as2::Keys) = partners(); }
        let (ours, theirs) = PARTNERS.with(Clone::clone);
        let profile = Profile {
            sign: signed.then_some(Digest::Sha256),
            encrypt: encrypted.then_some(Cipher::Aes256Cbc),
            compress,
            require_signed: signed,
            require_encrypted: encrypted,
            ..profile()
        };
        let (sealed, body) = seal(&payload, &ours, &profile);
        let (opened, back) = open(&sealed.headers, &body, &theirs, &profile).unwrap();
        prop_assert_eq!(back, payload);
        prop_assert_eq!(opened.mic, sealed.mic);
    }
}
