//! Receipts, written and read.

use transload::as2::{
    Digest, Disposition, Error, Headers, Mdn, MdnFields, Mic, Profile, RsaSignature, Signature,
};

use super::{counting, day, partners, profile};

fn fields(disposition: Disposition) -> MdnFields {
    let request: Headers = [
        ("AS2-From", "\"THE M\""),
        ("AS2-To", "US"),
        ("Message-ID", "odd id without brackets"),
        ("Subject", "order é"),
    ]
    .into_iter()
    .collect();
    let mic = Mic {
        digest: Digest::Sha512,
        value: vec![9; 64],
    };
    MdnFields::answer(&request, "<mdn@example.org>", disposition, Some(mic))
}

#[test]
fn what_is_written_is_read() {
    let (ours, theirs) = partners();
    for disposition in [
        Disposition::processed(),
        Disposition::error("decryption-failed"),
        Disposition::failure("unsupported format"),
    ] {
        let (pkcs1, pss) = (RsaSignature::Pkcs1, RsaSignature::Pss);
        for (digest, scheme, name) in [
            (None, pkcs1, ""),
            (Some(Digest::Sha256), pkcs1, "rsa-pkcs1 sha-256"),
            (Some(Digest::Sha512), pkcs1, "rsa-pkcs1 sha-512"),
            (Some(Digest::Sha384), pss, "rsa-pss sha-384"),
        ] {
            let sign = digest.map(|digest| (&ours.ours[0], digest));
            let fields = MdnFields {
                scheme,
                ..fields(disposition.clone())
            };
            let (headers, body) = Mdn::write(&fields, sign, &mut counting(), day()).unwrap();
            assert!(Mdn::is(&headers, &body));
            assert_eq!(headers.get("AS2-To"), Some("\"THE M\""));
            let read = Mdn::read(&headers, &body, &theirs, &profile(), day()).unwrap();
            assert_eq!(read.disposition, disposition);
            assert_eq!(read.original_message_id, "odd id without brackets");
            assert!(read.answers("<odd id without brackets>"));
            assert_eq!(read.mic, fields.mic);
            assert_eq!(read.final_recipient.as_deref(), Some("US"));
            assert_eq!(read.message_id.as_deref(), Some("<mdn@example.org>"));
            assert!(read.text.contains("order ?"), "{}", read.text);
            let signature = read.signature;
            let signer = ours.ours[0].certificate.fingerprint().to_owned();
            let due = digest.map(|digest| Signature {
                digest,
                algorithm: name.to_owned(),
                signer,
            });
            assert_eq!(signature, due);
        }
    }
}

#[test]
fn a_changed_receipt_or_anothers_is_refused() {
    let (ours, theirs) = partners();
    let sign = Some((&ours.ours[0], Digest::Sha256));
    let fields = fields(Disposition::error("decryption-failed"));
    let (headers, body) = Mdn::write(&fields, sign, &mut counting(), day()).unwrap();
    let text = String::from_utf8(body.clone()).unwrap();
    let forged = text.replace("processed/error: decryption-failed", "processed");
    let read = Mdn::read(&headers, forged.as_bytes(), &theirs, &profile(), day());
    assert!(matches!(read, Err(Error::Integrity { .. })));
    let read = Mdn::read(&headers, &body, &ours, &profile(), day());
    assert!(matches!(read, Err(Error::UnknownSigner(_))));
}

fn report(fields: &str) -> Result<Mdn, Error> {
    let headers: Headers = [(
        "content-type",
        "\"Multipart/Report; Report-Type=disposition-notification; boundary=b\"",
    )]
    .into_iter()
    .collect();
    let body =
        format!("--b\n\n--b\nContent-Type: Message/Disposition-Notification\n\n{fields}\n--b--");
    Mdn::read(
        &headers,
        body.as_bytes(),
        &partners().0,
        &Profile::default(),
        day(),
    )
}

#[test]
fn the_grammar_is_tolerant() {
    let mdn = report(
        "DISPOSITION: automatic-action/mdn-sent-automatically ;\tProcessed\n\
         received-content-mic: BPd3v8Q+vdx13PEe/K0egVMiJfi6DBSgmyo4mKgM5bU=,\n SHA256\n\
         Final-Recipient: rfc822;other\nX-New: 1\n\
         original-message-id:  a@b \n",
    )
    .unwrap();
    assert!(mdn.disposition.is_positive());
    assert_eq!(mdn.mic.as_ref().unwrap().digest, Digest::Sha256);
    assert!(mdn.answers("<a@b>") && !mdn.answers("<A@b>"));
    assert_eq!(mdn.final_recipient.as_deref(), Some("other"));
}

#[test]
fn a_report_without_its_fields_is_an_error() {
    assert!(report("Final-Recipient: rfc822; x\n").is_err());
    assert!(report("").is_err());
    let headers: Headers = [("Content-Type", "text/html")].into_iter().collect();
    let read = Mdn::read(
        &headers,
        b"<html>",
        &partners().0,
        &Profile::default(),
        day(),
    );
    assert!(read.is_err());
}
