//! Certificate exchange messages (draft-meadors-certificate-exchange-14): a partner's next
//! certificates, and the answer to them, as XML in a multipart/related whose other parts are the
//! certificates.
//!
//! ```text
//! EDIINTCertificateExchangeRequest[requestId]
//!   TradingPartnerInfo: Name[qualifier=AS2], MessageOriginated
//!   TrustRequest*: CertUsage*, RespondByDate?, ResponseURL,
//!                  EndEntity: CertificateIdentifier: X509IssuerName, X509SerialNumber
//!                             CertificateContentID
//! EDIINTCertificateExchangeResponse[requestId]
//!   TradingPartnerInfo
//!   TrustResponse*: CertStatus (Accepted | Rejected), ReasonForRejection?,
//!                   CertificateReference: X509IssuerName, X509SerialNumber
//! ```
//!
//! ```
//! use chrono::DateTime;
//! use transload::as2::cem::{Exchange, Response};
//!
//! let (id, sender) = ("7@acme".to_owned(), "ACME & Co".to_owned());
//! let originated = DateTime::UNIX_EPOCH;
//! let answer = Exchange::Response(Response { id, sender, originated, verdicts: Vec::new() });
//! assert_eq!(Exchange::read(answer.write().as_bytes())?, answer);
//! assert!(Exchange::read(b"<!DOCTYPE x [<!ENTITY a 'a'>]><x>&a;</x>").is_err());
//! # Ok::<(), transload::as2::Error>(())
//! ```
//!
//! It trusts nothing: whether a request counts, the signature around it says, and then a person or
//! the partner file. It does not read chains of authorities: certificates are pinned.

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Utc};
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::cms::ber::{Ber, Der};
use super::cms::{self, der, oid};
use super::error::Error;
use super::keys::Certificate;
use super::mime::Value;

/// The media type of the XML.
pub const MEDIA_TYPE: &str = "application/ediint-cert-exchange+xml";
/// The media type of the certificates.
pub const CERTIFICATES: &str = "application/pkcs7-mime; smime-type=certs-only";
/// Bytes of the XML: a request for ten certificates has five thousand.
pub const XML_BYTES: usize = 64 << 10;
/// Elements in elements; the deepest one of the draft is the fifth.
pub const XML_DEPTH: usize = 8;
/// Certificates of one message: a partner has a handful.
pub const EXCHANGED: usize = 16;
/// Characters of a name or an id in it.
const TEXT: usize = 1024;

const NAMESPACE: &str = "urn:ietf:params:xml:ns:ediintcertificateexchange";
const SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Either message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Certificates to trust.
    Request(Request),
    /// What became of them.
    Response(Response),
}

/// Certificates to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the answer names.
    pub id: String,
    /// The AS2 name of who asks.
    pub sender: String,
    /// When it was written, to the second.
    pub originated: DateTime<Utc>,
    /// Each certificate.
    pub trust: Vec<Trust>,
}

/// A certificate to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// What for.
    pub uses: Vec<CertUse>,
    /// When the answer is due: from then on it may be in use.
    pub respond_by: Option<DateTime<Utc>>,
    /// Where the answer goes.
    pub response_url: String,
    /// Its names.
    pub certificate: Reference,
    /// The `Content-ID` of the part that holds it, without brackets.
    pub content_id: String,
}

/// How a certificate is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The issuer as its sender writes it: products differ.
    pub issuer: String,
    /// The serial number in decimal.
    pub serial: String,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertUse {
    /// Signatures of messages.
    DigitalSignature,
    /// Messages are encrypted to it.
    KeyEncipherment,
    /// A server shows it.
    TlsServer,
    /// A client shows it.
    TlsClient,
}

const USES: [(CertUse, &str); 4] = [
    (CertUse::DigitalSignature, "digitalSignature"),
    (CertUse::KeyEncipherment, "keyEncipherment"),
    (CertUse::TlsServer, "tlsServer"),
    (CertUse::TlsClient, "tlsClient"),
];

/// What became of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The id of the request.
    pub id: String,
    /// The AS2 name of who answers.
    pub sender: String,
    /// When it was written, to the second.
    pub originated: DateTime<Utc>,
    /// Each certificate.
    pub verdicts: Vec<Verdict>,
}

/// What became of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its names.
    pub certificate: Reference,
    /// Whether it is trusted now.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<String>,
}

impl From<&Certificate> for Reference {
    fn from(certificate: &Certificate) -> Reference {
        Reference {
            issuer: certificate.issuer(),
            serial: certificate.serial(),
        }
    }
}

/// Whether a payload of that media type exchanges certificates.
pub fn is_exchange(content_type: &str) -> bool {
    let kind = Value::parse(content_type);
    let root = kind.get("type").map(str::to_ascii_lowercase);
    kind.kind == MEDIA_TYPE
        || kind.kind == "multipart/related" && root.is_some_and(|root| root == MEDIA_TYPE)
}

impl Exchange {
    /// Reads the XML. Prefixes and elements that the draft does not have are passed over.
    ///
    /// # Errors
    /// No XML, a document type, another root, an element that is missing, or a limit.
    pub fn read(xml: &[u8]) -> Result<Exchange, Error> {
        let root = tree(xml)?;
        let id = root.id.clone().ok_or_else(|| bad("no requestId"))?;
        let info = root.due("TradingPartnerInfo")?;
        let sender = info.text("Name")?;
        let originated = time(&info.text("MessageOriginated")?)?;
        match root.name.as_str() {
            "EDIINTCertificateExchangeRequest" => {
                let trust = root.all("TrustRequest").map(Trust::read);
                Ok(Exchange::Request(Request {
                    id,
                    sender,
                    originated,
                    trust: few(trust.collect::<Result<_, _>>()?)?,
                }))
            }
            "EDIINTCertificateExchangeResponse" => {
                let verdicts = root.all("TrustResponse").map(Verdict::read);
                Ok(Exchange::Response(Response {
                    id,
                    sender,
                    originated,
                    verdicts: few(verdicts.collect::<Result<_, _>>()?)?,
                }))
            }
            other => Err(bad(&format!("{other:?} is no certificate exchange"))),
        }
    }

    /// Writes the XML. What it says has to be printable, and without blanks around it.
    pub fn write(&self) -> String {
        let (name, id, sender, originated) = match self {
            Exchange::Request(one) => ("Request", &one.id, &one.sender, one.originated),
            Exchange::Response(one) => ("Response", &one.id, &one.sender, one.originated),
        };
        let inside: String = match self {
            Exchange::Request(one) => one.trust.iter().map(Trust::write).collect(),
            Exchange::Response(one) => one.verdicts.iter().map(Verdict::write).collect(),
        };
        let (id, sender) = (escape(id.as_str()), escape(sender.as_str()));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <EDIINTCertificateExchange{name} xmlns=\"{NAMESPACE}\" xmlns:ds=\"{SIGNATURES}\" \
             requestId=\"{id}\">\n<TradingPartnerInfo><Name qualifier=\"AS2\">{sender}</Name>\
             <MessageOriginated>{}</MessageOriginated></TradingPartnerInfo>\n{inside}\
             </EDIINTCertificateExchange{name}>\n",
            written(originated)
        )
    }
}

impl Trust {
    fn read(from: &Element) -> Result<Trust, Error> {
        let entity = from.due("EndEntity")?;
        let uses = from.all("CertUsage").map(|usage| {
            let known = USES.iter().find(|row| row.1 == usage.text);
            known
                .map(|row| row.0)
                .ok_or_else(|| bad(&format!("the usage {:?}", usage.text)))
        });
        let respond_by = from.one("RespondByDate");
        Ok(Trust {
            uses: uses.collect::<Result<_, _>>()?,
            respond_by: respond_by.map(|date| time(&date.text)).transpose()?,
            response_url: from.text("ResponseURL")?,
            certificate: Reference::read(entity)?,
            content_id: entity.text("CertificateContentID")?,
        })
    }

    fn write(&self) -> String {
        let uses = self.uses.iter().map(|one| {
            let word = USES
                .iter()
                .find(|row| row.0 == *one)
                .map_or("", |row| row.1);
            format!("<CertUsage>{word}</CertUsage>")
        });
        let uses: String = uses.collect();
        let due = self.respond_by.map_or(String::new(), |date| {
            format!("<RespondByDate>{}</RespondByDate>", written(date))
        });
        let (url, id) = (
            escape(self.response_url.as_str()),
            escape(self.content_id.as_str()),
        );
        format!(
            "<TrustRequest>{uses}{due}<ResponseURL>{url}</ResponseURL><EndEntity>\
             <CertificateIdentifier>{}</CertificateIdentifier>\
             <CertificateContentID>{id}</CertificateContentID></EndEntity></TrustRequest>\n",
            self.certificate.write()
        )
    }
}

impl Verdict {
    fn read(from: &Element) -> Result<Verdict, Error> {
        let status = from.text("CertStatus")?;
        let accepted = match status.as_str() {
            "Accepted" => true,
            "Rejected" => false,
            other => return Err(bad(&format!("the status {other:?}"))),
        };
        Ok(Verdict {
            certificate: Reference::read(from.due("CertificateReference")?)?,
            accepted,
            reason: from.one("ReasonForRejection").map(|why| why.text.clone()),
        })
    }

    fn write(&self) -> String {
        let status = if self.accepted {
            "Accepted"
        } else {
            "Rejected"
        };
        let reason = self.reason.as_ref().map_or(String::new(), |why| {
            let why = escape(why.as_str());
            format!("<ReasonForRejection>{why}</ReasonForRejection>")
        });
        format!(
            "<TrustResponse><CertStatus>{status}</CertStatus>{reason}<CertificateReference>{}\
             </CertificateReference></TrustResponse>\n",
            self.certificate.write()
        )
    }
}

impl Reference {
    /// From an element that holds the two names, or whose CertificateIdentifier does.
    fn read(from: &Element) -> Result<Reference, Error> {
        let from = from.one("CertificateIdentifier").unwrap_or(from);
        Ok(Reference {
            issuer: from.text("X509IssuerName")?,
            serial: from.text("X509SerialNumber")?,
        })
    }

    fn write(&self) -> String {
        let (issuer, serial) = (escape(self.issuer.as_str()), escape(self.serial.as_str()));
        format!(
            "<ds:X509IssuerName>{issuer}</ds:X509IssuerName>\
             <ds:X509SerialNumber>{serial}</ds:X509SerialNumber>"
        )
    }
}

/// Certificates as a SignedData that nobody signed (RFC 8551 §3.8).
///
/// # Errors
/// Only where OpenSSL has no memory.
pub fn pack(certificates: &[&Certificate]) -> Result<Vec<u8>, Error> {
    let each: Vec<Vec<u8>> = certificates
        .iter()
        .map(|one| one.to_der())
        .collect::<Result<_, _>>()?;
    let version = der::element(0x02, &[&[1]]);
    let content = der::element(0x30, &[&der::oid(oid::DATA)]);
    let none = der::element(0x31, &[]);
    let certificates = der::set_of(0xA0, each);
    let signed = der::element(0x30, &[&version, &none, &content, &certificates, &none]);
    let signed = der::element(0xA0, &[&signed]);
    Ok(der::element(0x30, &[&der::oid(oid::SIGNED_DATA), &signed]))
}

/// The certificates of such a part, or of one that is a certificate, DER or PEM.
///
/// # Errors
/// Neither of them, or more than [`EXCHANGED`].
pub fn unpack(part: &[u8]) -> Result<Vec<Certificate>, Error> {
    if part.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Ok(vec![Certificate::from_pem(part)?]);
    }
    if let Ok(one) = Certificate::from_der(part) {
        return Ok(vec![one]);
    }
    let mut source = part;
    let mut ber = Ber::new(&mut source);
    if cms::enter(&mut ber)? != oid::SIGNED_DATA {
        return Err(Error::Cms("no certificates in it".into()));
    }
    let signed = ber.element()?;
    let mut signed = Der::new(&signed).expect(0x30)?.der();
    signed.expect(0x02)?;
    signed.expect(0x31)?;
    signed.expect(0x30)?;
    let mut found = Vec::new();
    let set = signed.optional(0xA0)?;
    let mut set = set.map_or(Der::new(&[]), |set| set.der());
    while !set.is_empty() {
        let one = set.next()?;
        // Attribute certificates and others have their own tags.
        if one.tag == 0x30 {
            found.push(Certificate::from_der(one.raw)?);
        }
    }
    few(found)
}

/// An element with its attribute, its text and what is in it; namespaces are not kept.
#[derive(Default)]
struct Element {
    name: String,
    id: Option<String>,
    text: String,
    inside: Vec<Element>,
}

impl Element {
    fn begin(start: &BytesStart<'_>) -> Result<Element, Error> {
        let mut id = None;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|why| bad(&why.to_string()))?;
            if attribute.key.local_name().as_ref() == "requestId" {
                let value = quick_xml::escape::unescape(&attribute.value);
                id = Some(
                    value
                        .map_err(|why| bad(&why.to_string()))?
                        .trim()
                        .to_owned(),
                );
            }
        }
        let name = start.local_name();
        Ok(Element {
            name: name.as_ref().to_owned(),
            id,
            ..Element::default()
        })
    }

    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.inside.iter().filter(move |one| one.name == name)
    }

    fn one(&self, name: &str) -> Option<&Element> {
        self.inside.iter().find(|one| one.name == name)
    }

    fn due(&self, name: &str) -> Result<&Element, Error> {
        let missing = || bad(&format!("no {name} in {}", self.name));
        self.one(name).ok_or_else(missing)
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        let text = &self.due(name)?.text;
        match text.is_empty() || text.chars().count() > TEXT {
            true => Err(bad(&format!("{name} has not 1 to {TEXT} characters"))),
            false => Ok(text.clone()),
        }
    }
}

/// The whole of a small document.
fn tree(xml: &[u8]) -> Result<Element, Error> {
    if xml.len() > XML_BYTES {
        return Err(Error::Limit {
            what: "the bytes of a certificate exchange",
            limit: XML_BYTES as u64,
        });
    }
    let text = std::str::from_utf8(xml).map_err(|_| bad("no UTF-8"))?;
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|why| bad(&why.to_string()))?;
        let text = match event {
            Event::Start(start) if root.is_none() && open.len() < XML_DEPTH => {
                open.push(Element::begin(&start)?);
                continue;
            }
            Event::Empty(start) if root.is_none() && open.len() < XML_DEPTH => {
                close(Element::begin(&start)?, &mut open, &mut root);
                continue;
            }
            Event::End(_) => {
                let mut done = open.pop().ok_or_else(|| bad("an end without a start"))?;
                done.text = done.text.trim().to_owned();
                close(done, &mut open, &mut root);
                continue;
            }
            Event::Start(_) | Event::Empty(_) => return Err(bad("too deep, or two roots")),
            Event::Text(text) => text.into_inner().into_owned(),
            Event::CData(text) => text.into_inner().into_owned(),
            Event::GeneralRef(name) => entity(&name)?,
            Event::DocType(_) => return Err(bad("a document type has no place here")),
            Event::Eof => break,
            _ => continue,
        };
        match open.last_mut() {
            Some(element) => element.text.push_str(&text),
            None if text.trim().is_empty() => {}
            None => return Err(bad("text outside of the root")),
        }
    }
    let ended = open.is_empty();
    root.filter(|_| ended).ok_or_else(|| bad("cut short"))
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.inside.push(done),
        None => *root = Some(done),
    }
}

/// `&amp;` and its four kin, and characters by number.
fn entity(name: &quick_xml::events::BytesRef<'_>) -> Result<String, Error> {
    let number = name
        .resolve_char_ref()
        .map_err(|why| bad(&why.to_string()))?;
    if let Some(character) = number {
        return Ok(character.to_string());
    }
    let known = quick_xml::escape::resolve_predefined_entity(name);
    known
        .map(str::to_owned)
        .ok_or_else(|| bad(&format!("the entity {:?}", &**name)))
}

fn few<T>(list: Vec<T>) -> Result<Vec<T>, Error> {
    match list.len() > EXCHANGED {
        false => Ok(list),
        true => Err(Error::Limit {
            what: "the certificates of an exchange",
            limit: EXCHANGED as u64,
        }),
    }
}

fn time(text: &str) -> Result<DateTime<Utc>, Error> {
    let read = DateTime::parse_from_rfc3339(text.trim());
    let read = read.map(|time| time.to_utc().trunc_subsecs(0)).ok();
    read.filter(|time| (1970..=9999).contains(&time.year()))
        .ok_or_else(|| bad(&format!("{text:?} is no time")))
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn bad(problem: &str) -> Error {
    Error::Unsupported(format!("certificate exchange: {problem}"))
}

#[cfg(test)]
mod tests;
