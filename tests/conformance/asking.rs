//! How receipts are asked for (rows of `negotiation`, cases I9 and D15).

use transload::as2::{Compression, Digest, Profile};
use transload::store::MessageState;

use super::forge::{ENVELOPED, SIGNED, signed, x12};
use super::wire::{LAX, Reply, Request, Stub, Us, seal, theirs};

/// The answer to a message in clear that has these options.
fn asked(us: &Us, options: &str) -> Reply {
    us.post(&Request::plain(b"x").set("Disposition-Notification-Options", options))
}

/// Options with that list of algorithms.
fn micalg(list: &str) -> String {
    format!("signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg={list}")
}

#[test]
fn as2_155_disposition_notification_to_asks_and_nothing_else_does() {
    let us = Us::lax();
    let bare = Request::plain(b"x").without("Disposition-Notification-To");
    let url = "http://127.0.0.1:9/mdn";
    for request in [bare.clone(), bare.also("Receipt-Delivery-Option", url)] {
        let reply = us.post(&request.set("Message-ID", &super::wire::fresh()));
        assert!(
            (200..300).contains(&reply.status) && reply.body.is_empty(),
            "{reply:?}"
        );
    }
    assert_eq!(us.post(&Request::plain(b"x")).said(), "processed");
    let stub = Stub::new(|_, _| super::wire::status(200));
    Us::to(&stub.url, "receipt = \"none\"\n").sent();
    let seen = stub.first();
    for name in [
        "Disposition-Notification-To",
        "Disposition-Notification-Options",
    ] {
        assert_eq!(seen.count(name), 0, "{name}");
    }
}

#[test]
fn as2_156_its_value_says_nothing() {
    let us = Us::lax();
    for value in [
        "",
        "edi@acme.example",
        "http://127.0.0.1:9/elsewhere",
        "mailto:x@y",
        "ACME",
        "\"A B\"",
        "<>",
        "a@b, c@d",
        "\u{fc}",
        ";;;",
    ] {
        let request = Request::plain(b"x").set("Disposition-Notification-To", value);
        assert_eq!(us.post(&request).said(), "processed", "{value}");
    }
}

#[test]
fn as2_157_a_signed_receipt_is_asked_for_with_both_parameters() {
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    let options = stub
        .first()
        .get("Disposition-Notification-Options")
        .to_owned();
    assert!(
        options.contains("signed-receipt-protocol=optional, pkcs7-signature"),
        "{options}"
    );
    assert!(
        options.contains("signed-receipt-micalg=optional, sha-256"),
        "{options}"
    );
    let us = Us::lax();
    let protocol = asked(&us, "signed-receipt-protocol=optional, pkcs7-signature").mdn();
    assert!(protocol.signature.is_some() && protocol.disposition.is_positive());
    let digest = asked(&us, "signed-receipt-micalg=optional, sha-384").mdn();
    assert!(digest.disposition.is_positive());
    assert_eq!(digest.mic.unwrap().digest, Digest::Sha384);
}

#[test]
fn as2_158_options_are_read_tolerantly() {
    let us = Us::lax();
    for options in [
        "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-512",
        "signed-receipt-micalg=optional,sha-512;signed-receipt-protocol=optional,pkcs7-signature",
        "Signed-Receipt-Protocol = Optional , PKCS7-Signature ; SIGNED-RECEIPT-MICALG=OPTIONAL,SHA512",
        "signed-receipt-protocol=required,pkcs7-signature;signed-receipt-micalg=required,sha512;",
        "signed-receipt-protocol=\"optional\", \"pkcs7-signature\"; signed-receipt-micalg=\"optional\", \"sha-512\"",
        ";; signed-receipt-protocol=optional,x-pkcs7-signature;\tsigned-receipt-micalg=optional,\tsha_512 ;",
        "signed-receipt-protocol=optional, pkcs7-signature; x=optional, y; signed-receipt-micalg=optional, sha-512",
    ] {
        let mdn = asked(&us, options).mdn();
        assert!(
            mdn.signature.is_some() && mdn.disposition.is_positive(),
            "{options}"
        );
        assert_eq!(mdn.mic.unwrap().digest, Digest::Sha512, "{options}");
    }
}

#[test]
fn as2_159_one_algorithm_is_asked_for() {
    for (more, due) in [("", "sha-256"), ("sign = \"sha-512\"\n", "sha-512")] {
        let stub = Stub::good();
        Us::to(&stub.url, more).sent();
        let options = stub
            .first()
            .get("Disposition-Notification-Options")
            .to_owned();
        assert!(
            options.ends_with(&format!("signed-receipt-micalg=optional, {due}")),
            "{options}"
        );
    }
}

#[test]
fn as2_160_the_first_algorithm_that_is_known() {
    let us = Us::lax();
    for (list, due) in [
        ("optional, whirlpool, sha-384, sha-256", Digest::Sha384),
        ("optional, sha1, md5, sha256, sha512", Digest::Sha256),
        ("required, sha-512, sha-256", Digest::Sha512),
    ] {
        assert_eq!(
            asked(&us, &micalg(list)).mdn().mic.unwrap().digest,
            due,
            "{list}"
        );
    }
}

#[test]
fn as2_161_nothing_that_is_not_on_the_list() {
    let us = Us::lax();
    for list in ["md5", "sha1", "sha-999", "md5, sha1"] {
        let mdn = asked(&us, &micalg(&format!("optional, {list}"))).mdn();
        assert!(
            !mdn.disposition.is_positive() && mdn.signature.is_none(),
            "{list}"
        );
    }
    // A legacy partner gets the SHA-1 that he asks for, and no MD5.
    let us = Us::new(&format!("{LAX}legacy_until = 2030-01-01\n"));
    let mdn = asked(&us, &micalg("optional, md5, sha1")).mdn();
    assert_eq!(mdn.mic.unwrap().digest, Digest::Sha1);
}

#[test]
fn as2_162_what_cannot_be_given_is_refused() {
    let us = Us::lax();
    for list in ["optional, sha-999", "required, md5", "optional, sha1"] {
        let said = asked(&us, &micalg(list)).said().to_lowercase();
        assert!(
            said.starts_with("failed/failure: unsupported"),
            "{list}: {said}"
        );
    }
    let format = asked(&us, "signed-receipt-protocol=required, pgp-signature").said();
    assert_eq!(format, "failed/Failure: unsupported format");
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_163_a_signed_receipt_is_signed_whatever_came() {
    let us = Us::lax();
    let signer = super::wire::us().identity.certificate.fingerprint();
    for sign in [None, Some(Digest::Sha256)] {
        for encrypt in [None, theirs().encrypt] {
            for compress in [
                None,
                Some(Compression::BeforeSigning),
                Some(Compression::AfterSigning),
            ] {
                let profile = Profile {
                    sign,
                    encrypt,
                    compress,
                    ..theirs()
                };
                let keys = super::wire::their_keys();
                let mdn = us.post(&Request::sealed_with(b"x", &keys, &profile)).mdn();
                assert!(mdn.disposition.is_positive());
                assert_eq!(mdn.signature.unwrap().signer, signer);
            }
        }
    }
}

#[test]
fn as2_164_an_unsigned_one_where_no_signature_was_asked_for() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x").without("Disposition-Notification-Options"));
    assert!(reply.mdn().disposition.is_positive());
    // And a signed one is taken where we asked for an unsigned one.
    let stub = Stub::good();
    let sent = Us::to(&stub.url, "receipt = \"unsigned\"\n").sent();
    assert_eq!(sent.message.state, MessageState::Confirmed);
    assert_eq!(stub.first().count("Disposition-Notification-Options"), 0);
}

#[test]
fn as2_165_an_error_is_signed_all_the_same() {
    let us = Us::new("");
    let (_, body, _) = seal(b"x", &theirs());
    let unverifiable = super::wire::swap(&signed(&x12(b"payload")), b"payload", b"pAyload");
    for (kind, body) in [
        (ENVELOPED, &body[..200]),
        (SIGNED, &unverifiable[..]),
        ("multipart/signed", b"x"),
    ] {
        let mdn = us.post(&Request::new(kind, body)).mdn();
        assert!(
            mdn.signature.is_some() && !mdn.disposition.detail.is_empty(),
            "{kind}"
        );
    }
}

#[test]
fn as2_166_no_setting_takes_the_signature_off() {
    for more in [
        "",
        "receipt = \"none\"\n",
        "receipt = \"unsigned\"\n",
        "sign = \"none\"\n",
    ] {
        let us = Us::new(&format!("{LAX}{more}"));
        assert!(
            us.post(&Request::plain(b"x")).mdn().signature.is_some(),
            "{more}"
        );
    }
}

#[test]
fn as2_168_nothing_that_nobody_asked_for() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x").without("Disposition-Notification-To"));
    assert_eq!((reply.status / 100, reply.body.len()), (2, 0));
    // A receipt that we did not ask for changes nothing.
    let stub = Stub::good();
    let sent = Us::to(&stub.url, "receipt = \"none\"\n").sent();
    assert_eq!(sent.message.state, MessageState::Confirmed);
}

#[test]
fn as2_169_required_and_unknown_is_refused_optional_is_not() {
    let us = Us::lax();
    let with = |word: &str| {
        asked(
            &us,
            &format!("{}; x-foo={word}, bar", micalg("optional, sha-256")),
        )
    };
    assert!(with("required").said().starts_with("failed/Failure"));
    assert_eq!(with("optional").said(), "processed");
}

#[test]
fn as2_case_d15_an_unknown_signature_format() {
    let us = Us::lax();
    let required = asked(&us, "signed-receipt-protocol=required, pgp-signature").said();
    assert_eq!(required, "failed/Failure: unsupported format");
    let optional = asked(&us, "signed-receipt-protocol=optional, pgp-signature");
    assert_eq!(
        (optional.said(), optional.mdn().signature),
        ("processed".into(), None)
    );
}
