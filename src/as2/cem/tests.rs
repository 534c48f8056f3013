//! The law of the two twins, and what partners write.

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    "[!-~é漢]([ -~é漢]{0,30}[!-~é漢])?"
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000i64).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

fn reference() -> impl Strategy<Value = Reference> {
    (text(), "[0-9]{1,40}").prop_map(|(issuer, serial)| Reference { issuer, serial })
}

prop_compose! {
    fn trust()(
        uses in proptest::sample::subsequence(&USES[..], 0..=4),
        respond_by in proptest::option::of(moment()),
        response_url in text(),
        certificate in reference(),
        content_id in text(),
    ) -> Trust {
        let uses = uses.into_iter().map(|row| row.0).collect();
        Trust { uses, respond_by, response_url, certificate, content_id }
    }
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let parts = (reference(), any::<bool>(), proptest::option::of(text()));
    parts.prop_map(|(certificate, accepted, reason)| Verdict {
        certificate,
        accepted,
        reason,
    })
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let head = (text(), text(), moment());
    let trust = proptest::collection::vec(trust(), 0..4);
    let verdicts = proptest::collection::vec(verdict(), 0..4);
    (head, any::<bool>(), trust, verdicts).prop_map(|(head, asks, trust, verdicts)| {
        let (id, sender, originated) = head;
        match asks {
            true => Exchange::Request(Request {
                id,
                sender,
                originated,
                trust,
            }),
            false => Exchange::Response(Response {
                id,
                sender,
                originated,
                verdicts,
            }),
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(exchange in exchange()) {
        prop_assert_eq!(Exchange::read(exchange.write().as_bytes()).unwrap(), exchange);
    }

    #[test]
    fn what_is_damaged_is_an_error_or_another(exchange in exchange(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut xml = exchange.write().into_bytes();
        let at = at.index(xml.len());
        xml[at] = byte;
        let _ = Exchange::read(&xml);
        let _ = Exchange::read(&xml[..at]);
    }
}

/// As another product writes it: prefixes, zones, CDATA, an element of its own.
const FOREIGN: &str = r#"<?xml version="1.0"?>
<c:EDIINTCertificateExchangeResponse xmlns:c="urn:ietf:params:xml:ns:ediintcertificateexchange"
    xmlns:d="http://www.w3.org/2000/09/xmldsig#" c:requestId=" 5@x ">
  <!-- a remark -->
  <c:TradingPartnerInfo>
    <c:Name qualifier="AS2"> Other &amp; S&#246;hne </c:Name>
    <c:MessageOriginated>2027-01-15T09:30:00+08:00</c:MessageOriginated>
  </c:TradingPartnerInfo>
  <c:TrustResponse>
    <c:CertStatus>Rejected</c:CertStatus>
    <c:ReasonForRejection><![CDATA[too <short>]]></c:ReasonForRejection>
    <c:CertificateReference>
      <d:X509IssuerName>CN=a</d:X509IssuerName><d:X509SerialNumber>7</d:X509SerialNumber>
    </c:CertificateReference>
    <c:Extension/>
  </c:TrustResponse>
</c:EDIINTCertificateExchangeResponse>"#;

#[test]
fn what_others_write_is_read() {
    let Exchange::Response(read) = Exchange::read(FOREIGN.as_bytes()).unwrap() else {
        panic!("a response");
    };
    assert_eq!(
        (read.id.as_str(), read.sender.as_str()),
        ("5@x", "Other & Söhne")
    );
    assert_eq!(written(read.originated), "2027-01-15T01:30:00Z");
    assert_eq!(read.verdicts[0].reason.as_deref(), Some("too <short>"));
    assert!(!read.verdicts[0].accepted);
}

#[test]
fn what_is_none_says_what_is_wrong() {
    let deep = "<a>".repeat(XML_DEPTH + 1);
    let long = format!("{}{}", FOREIGN, " ".repeat(XML_BYTES));
    let table = [
        ("", "cut short"),
        ("<a", "exchange"),
        ("<a requestId=\"1\"/>", "no TradingPartnerInfo"),
        ("<!DOCTYPE a><a/>", "document type"),
        (deep.as_str(), "too deep"),
        ("<a/><b/>", "two roots"),
        ("<a>&lol;</a>", "lol"),
        ("<a></b>", "exchange"),
        (long.as_str(), "limit"),
        (&FOREIGN.replace("Rejected", "Perhaps"), "Perhaps"),
        (&FOREIGN.replace("2027-01-15", "soon"), "is no time"),
        (
            &FOREIGN.replace("ExchangeResponse", "ExchangeOther"),
            "is no certificate exchange",
        ),
        (
            &FOREIGN.replace("d:X509Serial", "d:Serial"),
            "no X509SerialNumber",
        ),
    ];
    for (xml, want) in table {
        let why = Exchange::read(xml.as_bytes()).unwrap_err().to_string();
        assert!(why.contains(want), "{want:?} in {why:?}");
    }
}

#[test]
fn certificates_are_packed_and_unpacked() {
    let at = DateTime::UNIX_EPOCH;
    let make = |serial| super::super::Identity::generate("a", serial, at, at).unwrap();
    let (one, two) = (make(1).certificate, make(2).certificate);
    let packed = pack(&[&one, &two]).unwrap();
    let mut found: Vec<String> = unpack(&packed)
        .unwrap()
        .iter()
        .map(Certificate::serial)
        .collect();
    found.sort();
    assert_eq!(found, ["1", "2"]);
    // OpenSSL reads what we write.
    let theirs = openssl::pkcs7::Pkcs7::from_der(&packed).unwrap();
    assert_eq!(theirs.signed().unwrap().certificates().unwrap().len(), 2);
    for part in [one.to_der().unwrap(), one.to_pem().unwrap()] {
        assert_eq!(unpack(&part).unwrap()[0].fingerprint(), one.fingerprint());
    }
    for cut in [0, 1, 10, packed.len() / 2] {
        assert!(unpack(&packed[..cut]).is_err(), "{cut}");
    }
    assert!(is_exchange(
        "multipart/related; boundary=b; type=\"application/EDIINT-cert-exchange+xml\""
    ));
    assert!(!is_exchange(
        "multipart/related; type=\"application/edi-x12\""
    ));
}
