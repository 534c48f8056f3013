//! Message disposition notifications: the receipts of AS2 (RFC 4130 §7.4, RFC 8098).
//!
//! ```text
//! mdn    = multipart/signed(report, signature) / report
//! report = multipart/report(text/plain, message/disposition-notification, [anything])
//! ```

use chrono::{DateTime, Utc};
use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::cms::signed::{self, RsaSignature};
use super::disposition::{Disposition, Outcome};
use super::error::Error;
use super::headers::{Headers, read_line, unbroken};
use super::keys::{Entropy, Identity, Keys};
use super::mic::{Digest, Mic};
use super::mime::{self, Value};
use super::open::{self, Signature};
use super::profile::Profile;
use super::seal::date;
use super::version::Version;

/// Most bytes of a receipt: real ones have four thousand.
pub const MDN_BYTES: usize = 1024 * 1024;

/// Most header blocks inside a report; each level of nesting needs one, so this caps depth too,
/// which mail-parser itself does not.
pub const MDN_PARTS: usize = 32;

/// What a receipt of ours says.
#[derive(Clone, Debug)]
pub struct MdnFields {
    /// `AS2-From` as it goes on the wire: the request's `AS2-To`, unchanged.
    pub from: String,
    /// `AS2-To` as it goes on the wire: the request's `AS2-From`, unchanged.
    pub to: String,
    /// The receipt's own id, from [`super::message_id`].
    pub message_id: String,
    /// The request's Message-ID exactly as received.
    pub original_message_id: String,
    /// What happened.
    pub disposition: Disposition,
    /// What we digested, where we could.
    pub mic: Option<Mic>,
    /// For people. US-ASCII; other characters become `?`.
    pub text: String,
    /// The AS2 that it is written in.
    pub version: Version,
    /// How an RSA key signs it.
    pub scheme: RsaSignature,
}

impl MdnFields {
    /// The answer to a request: names swapped, id repeated, a sentence for people.
    pub fn answer(
        request: &Headers,
        message_id: &str,
        disposition: Disposition,
        mic: Option<Mic>,
    ) -> MdnFields {
        let given = request.message_id().unwrap_or_default();
        let original = planted!("brackets-taken-off", given.trim_matches(['<', '>']), given);
        let outcome = match disposition.outcome {
            Outcome::Processed => "was received, and is safe with us".to_owned(),
            Outcome::Warning => format!("was received, with a warning: {}", disposition.detail),
            Outcome::Error | Outcome::Failure => match disposition.explanation() {
                Some(why) => format!("was refused: {} ({why})", disposition.detail),
                None => format!("was refused: {}", disposition.detail),
            },
        };
        let dated = request
            .get("Date")
            .map(|date| format!(" of {date}"))
            .unwrap_or_default();
        let subject = request
            .get("Subject")
            .map(|s| format!(" \"{s}\""))
            .unwrap_or_default();
        MdnFields {
            from: request.get("AS2-To").unwrap_or_default().to_owned(),
            to: request.get("AS2-From").unwrap_or_default().to_owned(),
            message_id: message_id.to_owned(),
            original_message_id: original.to_owned(),
            text: format!("The message {original}{subject}{dated} {outcome}."),
            disposition,
            mic,
            version: Version::default(),
            scheme: RsaSignature::default(),
        }
    }

    fn report(&self, boundary: &str) -> Vec<u8> {
        let text: String = self
            .text
            .chars()
            .map(|c| {
                if matches!(c, ' '..='~' | '\t' | '\n') {
                    c
                } else {
                    '?'
                }
            })
            .collect();
        let text = text.replace('\n', "\r\n");
        // As the request wrote it: quoted where it was.
        let us = &self.from;
        let mut fields = Headers::new();
        fields.push(
            "Reporting-UA",
            concat!("transload/", env!("CARGO_PKG_VERSION")),
        );
        fields.push("Original-Recipient", &format!("rfc822; {us}"));
        fields.push("Final-Recipient", &format!("rfc822; {us}"));
        fields.push("Original-Message-ID", &self.original_message_id);
        fields.push("Disposition", &self.disposition.to_string());
        if let Some(mic) = &self.mic {
            fields.push("Received-Content-MIC", &mic.to_string());
        }
        if let Some(why) = self.disposition.explanation() {
            fields.push("Error", why);
        }
        let mut out = format!(
            "--{boundary}\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n\
             {text}\r\n\
             --{boundary}\r\n\
             Content-Type: message/disposition-notification\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n"
        )
        .into_bytes();
        out.extend_from_slice(&fields.to_bytes());
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }
}

/// A receipt that was read.
#[derive(Clone, Debug)]
pub struct Mdn {
    /// The signature, verified with a pinned certificate; `None` for an unsigned receipt,
    /// which proves nothing.
    pub signature: Option<Signature>,
    /// What happened.
    pub disposition: Disposition,
    /// `Original-Message-ID` without surrounding blanks; [`Mdn::answers`] compares it.
    pub original_message_id: String,
    /// What the partner digested, where he says so and it can be read.
    pub mic: Option<Mic>,
    /// `Final-Recipient` without its address type.
    pub final_recipient: Option<String>,
    /// `Reporting-UA`.
    pub reporting_ua: Option<String>,
    /// The receipt's own Message-ID.
    pub message_id: Option<String>,
    /// What it says to people.
    pub text: String,
}

impl Mdn {
    /// Writes a receipt: headers and body. Every field is made afresh.
    ///
    /// # Errors
    /// Only where OpenSSL cannot sign.
    pub fn write(
        fields: &MdnFields,
        sign: Option<(&Identity, Digest)>,
        entropy: Entropy<'_>,
        at: DateTime<Utc>,
    ) -> Result<(Headers, Vec<u8>), Error> {
        let boundary = mime::boundary(entropy);
        let kind = format!(
            "multipart/report; report-type=disposition-notification; boundary=\"{boundary}\""
        );
        let report = fields.report(&boundary);
        let (kind, body) = match sign {
            None => (kind, report),
            Some((us, digest)) => {
                let outer = mime::boundary(entropy);
                let head = [("Content-Type", kind)]
                    .into_iter()
                    .collect::<Headers>()
                    .to_bytes();
                let entity = [head, report].concat();
                let mic = Mic::of(&entity, digest)?;
                let signature = signed::write(fields.scheme, &mic, us, at)?;
                let signature = mime::signature_part(&outer, &signature);
                let opening = format!("--{outer}\r\n").into_bytes();
                (
                    mime::signed_type(&outer, digest),
                    [opening, entity, signature].concat(),
                )
            }
        };
        let mut headers = Headers::new();
        headers.push("AS2-Version", fields.version.as_str());
        headers.push("AS2-From", &fields.from);
        headers.push("AS2-To", &fields.to);
        headers.push("Message-ID", &fields.message_id);
        headers.push("Date", &date(at));
        headers.push("MIME-Version", "1.0");
        headers.push("Content-Type", &kind);
        fields.version.dress(&mut headers);
        Ok((headers, body))
    }

    /// Whether a request or response body is a receipt, as far as its headers and first bytes
    /// tell: a report, or a signed one.
    pub fn is(headers: &Headers, start: &[u8]) -> bool {
        let kind = Value::parse(headers.get("Content-Type").unwrap_or_default()).kind;
        match kind.as_str() {
            "multipart/report" => true,
            "multipart/signed" => signs_a_report(start),
            _ => false,
        }
    }

    /// The id that a receipt names, without its signature being looked at: enough to say in the
    /// history of that message that something came which proved nothing. `None` where it is
    /// encoded.
    pub fn claims(body: &[u8]) -> Option<String> {
        let field = b"original-message-id:";
        let lower = body[..body.len().min(MDN_BYTES)].to_ascii_lowercase();
        let from = memchr::memmem::find(&lower, field)? + field.len();
        let line = body[from..].split(|byte| *byte == b'\n').next()?;
        let id = std::str::from_utf8(line).ok()?.trim();
        (!id.is_empty()).then(|| bare(id).to_owned())
    }

    /// Reads a receipt and verifies its signature, if it has one. Whether an unsigned one is
    /// enough is the caller's to say.
    ///
    /// # Errors
    /// A signature that does not verify, no disposition notification, more than [`MDN_BYTES`].
    pub fn read(
        headers: &Headers,
        body: &[u8],
        keys: &Keys,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<Mdn, Error> {
        let (unwrapped, body) = unwrapped(headers, body);
        let headers = unwrapped.as_ref().unwrap_or(headers);
        if body.len() > MDN_BYTES {
            return Err(Error::Limit {
                what: "receipt",
                limit: MDN_BYTES as u64,
            });
        }
        let unprotected = Profile {
            require_signed: false,
            require_encrypted: false,
            inflated_limit: MDN_BYTES as u64,
            ..profile.clone()
        };
        let mut report = Vec::new();
        let opened = open::open(headers, body, &mut report, keys, &unprotected, at)?;
        let (fields, text) = parts(&opened.content_type, &report)?;
        let required = |name: &str| {
            fields
                .get(name)
                .ok_or_else(|| Error::header(name, "is missing in the receipt"))
        };
        let address = |value: &str| {
            value
                .split_once(';')
                .map_or(value, |(_, address)| address)
                .trim()
                .to_owned()
        };
        Ok(Mdn {
            signature: opened.secured.signed,
            disposition: Disposition::parse(required("Disposition")?),
            original_message_id: required("Original-Message-ID")?.to_owned(),
            mic: fields.get("Received-Content-MIC").and_then(Mic::parse),
            final_recipient: fields.get("Final-Recipient").map(address),
            reporting_ua: fields.get("Reporting-UA").map(str::to_owned),
            message_id: headers.message_id().map(str::to_owned),
            text,
        })
    }

    /// Whether it answers the message of that id: angle brackets may have come or gone.
    pub fn answers(&self, message_id: &str) -> bool {
        self.original() == bare(message_id)
    }

    /// `Original-Message-ID` without angle brackets.
    pub fn original(&self) -> &str {
        bare(&self.original_message_id)
    }
}

fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Whether the first part of a multipart/signed is a report. What its content says elsewhere does
/// not count: an order may quote a receipt.
fn signs_a_report(start: &[u8]) -> bool {
    let mut start = &start[..start.len().min(mime::PART_HEADER_BYTES)];
    while let Ok(line) = read_line(&mut start, mime::PART_HEADER_BYTES) {
        match line.as_slice() {
            [] => return false,
            [b'-', b'-', ..] => break,
            _ => {}
        }
    }
    let head = Headers::read(&mut start).unwrap_or_default();
    let kind = head.get("Content-Type").map(Value::parse);
    kind.is_some_and(|kind| kind.kind == "multipart/report")
}

/// A receipt whose HTTP headers say no type, while its body begins with a header block that does:
/// some servers write the whole MIME entity into the body. The headers to go by, and the body.
fn unwrapped<'b>(headers: &Headers, body: &'b [u8]) -> (Option<Headers>, &'b [u8]) {
    if headers.get("Content-Type").is_some() {
        return (None, body);
    }
    let mut rest = body;
    match Headers::read(&mut rest) {
        Ok(inner) if inner.get("Content-Type").is_some() => {
            let all = headers.iter().chain(inner.iter()).collect();
            (Some(all), rest)
        }
        _ => (None, body),
    }
}

/// The fields and the text of a report.
fn parts(content_type: &str, report: &[u8]) -> Result<(Headers, String), Error> {
    let lower = report.to_ascii_lowercase();
    let blocks = memchr::memmem::find_iter(&lower, b"content-type").count();
    if blocks > MDN_PARTS || memchr::memmem::find(&lower, b"/digest").is_some() {
        return Err(Error::Limit {
            what: "parts of a receipt",
            limit: MDN_PARTS as u64,
        });
    }
    let head = format!("Content-Type: {}\r\n\r\n", unbroken(content_type)).into_bytes();
    let whole = [&head, report].concat();
    let message = MessageParser::default()
        .parse(&whole)
        .ok_or_else(|| Error::Mime("a receipt that is no MIME".into()))?;
    let is_report = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind
                    .subtype()
                    .is_some_and(|sub| sub.eq_ignore_ascii_case("disposition-notification"))
        })
    };
    let notification = message
        .parts
        .iter()
        .find(is_report)
        .ok_or_else(|| Error::Mime("a receipt without disposition notification".into()))?;
    let fields = Headers::parse(notification.contents().trim_ascii_start())?;
    let text = message.parts.iter().find_map(|part| match &part.body {
        PartType::Text(text) => Some(text.trim().to_owned()),
        _ => None,
    });
    Ok((fields, text.unwrap_or_default()))
}
