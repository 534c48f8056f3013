//! What must not open, and how it fails.

use transload::as2::{Compression, Disposition, Error, Headers, Keys, Mdn, Profile};

use super::{DOCUMENT, counting, day, open, partners, profile, seal};

fn signed_only() -> Profile {
    Profile {
        encrypt: None,
        require_encrypted: false,
        ..profile()
    }
}

#[test]
fn an_embedded_certificate_proves_nothing() {
    let (ours, theirs) = partners();
    let (attacker, _) = partners();
    // Signed by the attacker, whose certificate is inside, and encrypted to the right one.
    let forged = Keys {
        ours: attacker.ours,
        theirs: ours.theirs.clone(),
    };
    let (sealed, body) = seal(b"x", &forged, &signed_only());
    let error = open(&sealed.headers, &body, &theirs, &signed_only()).unwrap_err();
    // Same issuer and serial number as the pinned one, another key.
    assert!(matches!(error, Error::Signature(_)), "{error}");
    assert_eq!(
        error.disposition(false),
        Disposition::error("authentication-failed")
    );

    let unpinned = Keys {
        ours: theirs.ours.clone(),
        theirs: theirs.ours.iter().map(|i| i.certificate.clone()).collect(),
    };
    let error = open(&sealed.headers, &body, &unpinned, &signed_only()).unwrap_err();
    assert!(matches!(error, Error::UnknownSigner(_)), "{error}");

    let (sealed, body) = seal(b"x", &forged, &profile());
    let error = open(&sealed.headers, &body, &theirs, &profile()).unwrap_err();
    assert_eq!(
        error.disposition(false),
        Disposition::error("decryption-failed")
    );
    assert_eq!(
        error.disposition(true),
        Disposition::error("authentication-failed")
    );
}

#[test]
fn a_key_that_is_not_the_recipients() {
    let (ours, theirs) = partners();
    let (sealed, body) = seal(b"x", &ours, &profile());
    let error = open(&sealed.headers, &body, &ours, &profile()).unwrap_err();
    assert!(matches!(error, Error::NotForUs(_)), "{error}");
    // Same name, another key: unwrapping fails, and nothing shows where.
    let (_, other) = partners();
    let wrong = Keys {
        ours: other.ours,
        theirs: theirs.theirs,
    };
    let error = open(&sealed.headers, &body, &wrong, &profile()).unwrap_err();
    assert!(matches!(error, Error::Encrypted(_)), "{error}");
    assert_eq!(
        error.disposition(false),
        Disposition::error("decryption-failed")
    );
}

#[test]
fn less_protection_than_agreed() {
    let (ours, theirs) = partners();
    let insufficient = Disposition::error("insufficient-message-security");
    let bare = Profile {
        sign: None,
        encrypt: None,
        ..profile()
    };
    for sent in [signed_only(), bare] {
        let (sealed, body) = seal(b"x", &ours, &sent);
        let error = open(&sealed.headers, &body, &theirs, &profile()).unwrap_err();
        assert_eq!(error.disposition(false), insufficient);
    }
    let unsigned = Profile {
        sign: None,
        ..profile()
    };
    let (sealed, body) = seal(b"x", &ours, &unsigned);
    let error = open(&sealed.headers, &body, &theirs, &profile()).unwrap_err();
    assert_eq!(
        error.disposition(false),
        Disposition::error("decryption-failed")
    );
    assert_eq!(error.disposition(true), insufficient);
}

#[test]
fn changed_content_is_told_from_a_changed_signature() {
    let (ours, theirs) = partners();
    let (sealed, mut body) = seal(b"PAYLOAD", &ours, &signed_only());
    let at = body
        .windows(7)
        .position(|window| window == b"PAYLOAD")
        .unwrap();
    body[at] = b'p';
    let error = open(&sealed.headers, &body, &theirs, &signed_only()).unwrap_err();
    assert_eq!(
        error.disposition(false),
        Disposition::error("integrity-check-failed")
    );
}

#[test]
fn a_certificate_out_of_its_time() {
    let (ours, theirs) = partners();
    let (sealed, body) = seal(b"x", &ours, &profile());
    let late = day() + chrono::TimeDelta::days(400);
    let mut payload = Vec::new();
    let opened = transload::as2::open(
        &sealed.headers,
        body.as_slice(),
        &mut payload,
        &theirs,
        &profile(),
        late,
    );
    assert_eq!(
        opened.unwrap_err().disposition(true),
        Disposition::error("authentication-failed")
    );
}

#[test]
fn cut_anywhere_it_fails() {
    let (ours, theirs) = partners();
    for profile in [
        profile(),
        signed_only(),
        Profile {
            compress: Some(Compression::BeforeSigning),
            ..signed_only()
        },
    ] {
        let (sealed, body) = seal(&[b'x'; 300], &ours, &profile);
        // The closing boundary's line end may be missing: nothing of the message is.
        let least = body.len() - 2;
        for cut in (0..least).step_by(7) {
            assert!(
                open(&sealed.headers, &body[..cut], &theirs, &profile).is_err(),
                "{cut}"
            );
        }
    }
}

/// Blocks behind a recorded message must not open: whether they end in padding would be told by
/// the answer, and with it what is in them.
#[test]
fn nothing_stands_behind_an_encrypted_signature() {
    let (ours, theirs) = partners();
    let (inner, body) = seal(b"x", &ours, &signed_only());
    let document = transload::as2::Document {
        content_type: inner.headers.get("Content-Type").unwrap(),
        ..DOCUMENT
    };
    let encrypted = Profile {
        sign: None,
        ..profile()
    };
    for (behind, sound) in [
        ("", true),
        ("\r\n \t\r\n", true),
        ("x", false),
        ("\r\nan epilogue", false),
    ] {
        let content = [&body, behind.as_bytes()].concat();
        let mut out = Vec::new();
        let sealed = transload::as2::seal(
            std::io::Cursor::new(&content),
            &mut out,
            document,
            &ours,
            &encrypted,
            &mut counting(),
            day(),
        );
        let opened = open(&sealed.unwrap().headers, &out, &theirs, &profile());
        assert_eq!(opened.is_ok(), sound, "{behind:?}: {:?}", opened.err());
        // In clear it is an epilogue, which tells nothing that is hidden.
        open(&inner.headers, &content, &theirs, &signed_only()).unwrap();
    }
}

#[test]
fn a_boundary_inside_a_line_cuts_nothing() {
    let (ours, theirs) = partners();
    let (sealed, _) = seal(b"", &ours, &signed_only());
    let kind = sealed.headers.get("Content-Type").unwrap();
    let boundary = kind
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .trim_end_matches('"');
    let inside = format!("a --{boundary}\r\nb--{boundary}--\r\n\r\n--{boundary}x\r\n-{boundary}\r");
    // The same fresh bytes give the same boundary.
    let (sealed, body) = seal(inside.as_bytes(), &ours, &signed_only());
    assert!(
        sealed
            .headers
            .get("Content-Type")
            .unwrap()
            .contains(boundary)
    );
    let (_, payload) = open(&sealed.headers, &body, &theirs, &signed_only()).unwrap();
    assert_eq!(payload, inside.as_bytes());
}

#[test]
fn forty_thousand_nested_messages_are_refused() {
    let nest = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000);
    let body = format!("--b\r\n{nest}\r\n--b--\r\n");
    let report = [("Content-Type", "multipart/report; boundary=b")]
        .into_iter()
        .collect();
    let (keys, _) = partners();
    let read = Mdn::read(&report, body.as_bytes(), &keys, &profile(), day());
    assert!(matches!(read, Err(Error::Limit { .. })));
    let digest = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n--b\r\n\r\n";
    let read = Mdn::read(
        &report,
        format!("--b\r\n{digest}").as_bytes(),
        &keys,
        &profile(),
        day(),
    );
    assert!(matches!(read, Err(Error::Limit { .. })));
    // As a message it is a payload, opaque.
    let plain = Profile {
        require_signed: false,
        require_encrypted: false,
        ..profile()
    };
    assert_eq!(
        open(&report, body.as_bytes(), &keys, &plain).unwrap().1,
        body.as_bytes()
    );
}

#[test]
fn garbage_is_an_error_and_no_panic() {
    let (_, theirs) = partners();
    let bodies: [&[u8]; 9] = [
        b"",
        b"0",
        b"0\x80",
        b"0\x80\x06\x01*",
        b"MIAG",
        b"----",
        b"\x30\x84\xff\xff\xff\xff",
        &[0x30; 5000],
        &[0; 100],
    ];
    for kind in [
        "application/pkcs7-mime",
        "multipart/signed; boundary=x",
        "multipart/signed",
    ] {
        let headers: Headers = [("Content-Type", kind)].into_iter().collect();
        for body in bodies {
            let error = open(&headers, body, &theirs, &profile()).unwrap_err();
            assert!(!error.is_ours(), "{error}");
        }
    }
}

#[test]
fn too_many_layers() {
    let (ours, theirs) = partners();
    let compressed = Profile {
        sign: None,
        encrypt: None,
        compress: Some(Compression::BeforeSigning),
        require_signed: false,
        require_encrypted: false,
        ..profile()
    };
    let (mut sealed, mut body) = seal(b"x", &ours, &compressed);
    for _ in 0..4 {
        let kind = sealed.headers.get("Content-Type").unwrap().to_owned();
        let document = transload::as2::Document {
            content_type: &kind,
            ..DOCUMENT
        };
        let mut out = Vec::new();
        sealed = transload::as2::seal(
            std::io::Cursor::new(&body),
            &mut out,
            document,
            &ours,
            &compressed,
            &mut counting(),
            day(),
        )
        .unwrap();
        body = out;
    }
    let error = open(&sealed.headers, &body, &theirs, &compressed).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}
