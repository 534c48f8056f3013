//! `transload as2 open`: everything that a message says, and everything that is wrong with it.
//!
//! It reports weak algorithms and expired certificates and refuses neither; the gateway does.

use std::io::{BufRead, Cursor, Read, Write, sink};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Landing, Trust, input, parts};
use crate::as2::{
    self, Disposition, Error, Headers, Identity, Keys, MDN_BYTES, Mdn, Opened, PART_HEADER_BYTES,
    Profile, ReceiptRequest, Signature, hex,
};
use crate::cli::words::said;
use crate::cli::{Exit, Failure, Outcome};
use crate::x12::text;

/// Bytes of the body that are looked at to tell what it is: the first part's header block.
const START_BYTES: u64 = PART_HEADER_BYTES as u64;

/// Tells what was signed, encrypted and compressed, and how; the MIC and the disposition that a
/// receipt would carry. Exit code 1 where the message does not decrypt or verify.
#[derive(clap::Args)]
pub(super) struct Open {
    /// A request with its headers, or a bare CMS body in DER, BER or base64; `-` is stdin
    request: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Write the payload to this file, where the message opens
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Write each document of a message that holds several into this folder, beside --payload
    #[arg(long, value_name = "DIR", requires = "payload")]
    parts: Option<PathBuf>,
}

/// A message before it is opened.
struct Request<'r> {
    headers: Headers,
    start: Vec<u8>,
    rest: Box<dyn BufRead + 'r>,
}

impl Open {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let keys = self.trust.keys()?;
        let at = self.trust.at();
        let shown = self.request.display().to_string();
        let request = recognise(input(&self.request, "the request")?, &shown)?;
        let profile = Profile {
            accept_anything: true,
            ..Profile::default()
        };
        let (report, exit) = match Mdn::is(&request.headers, &request.start) {
            true => receipt(request, &keys, &profile, at)?,
            false => self.message(request, &keys, &profile, at)?,
        };
        writeln!(out, "{report:#}")?;
        Ok(exit)
    }

    fn message(
        &self,
        request: Request<'_>,
        keys: &Keys,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(Value, Exit), Failure> {
        let Request {
            headers,
            start,
            rest,
        } = request;
        let mut landing = self.payload.as_deref().map(Landing::new).transpose()?;
        let mut nowhere = sink();
        let payload: &mut dyn Write = match &mut landing {
            Some(landing) => &mut landing.file,
            None => &mut nowhere,
        };
        let body = Cursor::new(&start).chain(rest);
        match as2::open(&headers, body, payload, keys, profile, at) {
            Ok(opened) => {
                landing.map_or(Ok(()), Landing::keep)?;
                let (mut report, exit) = told(&headers, &opened, keys, at);
                if let (Some(payload), Some(folder)) = (&self.payload, &self.parts) {
                    report["parts"] = parts::write(&opened.content_type, payload, folder)?;
                }
                Ok((report, exit))
            }
            Err(error) if error.is_ours() => Err(Failure::state(said(&text!(
                "cannot open the message: {error}; check the disk and the folder of --payload",
                error = error.to_string()
            )))),
            Err(error) => Ok(refused(&headers, &error, keys, at)),
        }
    }
}

/// Tells a bare CMS body from a request, and reads the request's headers.
fn recognise<'r>(mut source: Box<dyn BufRead + 'r>, shown: &str) -> Result<Request<'r>, Failure> {
    let unread = |why: &dyn std::fmt::Display| {
        let why = why.to_string();
        Failure::usage(said(&text!("cannot read {shown}: {why}", shown, why)))
    };
    let first = source.fill_buf().map_err(|why| unread(&why))?;
    if first.is_empty() {
        return Err(Failure::usage(said(&text!(
            "{shown} is empty; record the request again, headers and body",
            shown
        ))));
    }
    let headers = match is_bare(first) {
        true => [("Content-Type", "application/pkcs7-mime")]
            .into_iter()
            .collect(),
        false => Headers::read(&mut source)
            .ok()
            .filter(|headers| headers.get("Content-Type").is_some() || headers.as2_from().is_ok())
            .ok_or_else(|| {
                Failure::usage(said(&text!(
                    "{shown} is no AS2 message: it begins neither with headers such as \
                     `Content-Type: …` nor with a CMS object in DER, BER or base64; record the \
                     whole request, with its headers",
                    shown
                )))
            })?,
    };
    let mut start = Vec::new();
    let mut beginning = (&mut source).take(START_BYTES);
    beginning
        .read_to_end(&mut start)
        .map_err(|why| unread(&why))?;
    Ok(Request {
        headers,
        start,
        rest: source,
    })
}

/// A SEQUENCE, or a first line that is base64 of one; no header begins like either.
fn is_bare(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    let line = start
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    start.first() == Some(&0x30) || (line.starts_with(b"MI") && line.iter().all(base64))
}

/// A message that opened. It can still ask for a receipt that cannot be made.
fn told(headers: &Headers, opened: &Opened, keys: &Keys, at: DateTime<Utc>) -> (Value, Exit) {
    let secured = &opened.secured;
    let asked = opened.disposition_request.as_ref();
    let refusal = asked.and_then(|asked| asked.refusal.clone());
    let error = refusal.as_ref().map(|refusal| {
        json!({
            "message": format!("the receipt that is asked for cannot be made: {}", refusal.detail),
            "next": "ask the sender to request a pkcs7-signature receipt with sha-256",
        })
    });
    let exit = match refusal {
        Some(_) => Exit::Findings,
        None => Exit::Clean,
    };
    let encrypted = secured
        .encrypted
        .as_ref()
        .map(|how| json!({ "cipher": how.cipher.name(), "key_transport": how.key_transport }));
    let mut weak = secured.weak.clone();
    if secured.encrypted.is_some() {
        weak.extend(keys.ours.iter().flat_map(|us| weaknesses(us, at)));
    }
    if secured.signed.is_none() && opened.mic.digest.weak() {
        weak.push(format!("{} mic", opened.mic.digest));
    }
    let report = json!({
        "kind": "message",
        "message_id": headers.message_id(),
        "as2_from": headers.as2_from().ok(),
        "as2_to": headers.as2_to().ok(),
        "layers": secured.layers,
        "encrypted": encrypted,
        "signed": secured.signed.as_ref().map(|signature| signed(signature, keys)),
        "compressed": secured.compressed.then(|| json!({ "algorithm": "zlib" })),
        "mic": opened.mic.to_string(),
        "mic_algorithm": opened.mic.digest.name(),
        "disposition": refusal.unwrap_or_else(Disposition::processed).to_string(),
        "receipt": asked.map(wanted),
        "payload_sha256": hex(&opened.payload_sha256),
        "payload_length": opened.payload_len,
        "content_type": opened.content_type,
        "file_name": opened.file_name,
        "weak": weak,
        "error": error,
    });
    (report, exit)
}

/// A message that did not open: the same keys, with nothing where nothing is known.
fn refused(headers: &Headers, error: &Error, keys: &Keys, at: DateTime<Utc>) -> (Value, Exit) {
    let ours = keys.ours.iter().flat_map(|us| weaknesses(us, at));
    let report = json!({
        "kind": "message",
        "message_id": headers.message_id(),
        "as2_from": headers.as2_from().ok(),
        "as2_to": headers.as2_to().ok(),
        "layers": null,
        "encrypted": null,
        "signed": null,
        "compressed": null,
        "mic": null,
        "mic_algorithm": null,
        "disposition": Disposition::from(error).to_string(),
        "receipt": ReceiptRequest::read(headers, true).as_ref().map(wanted),
        "payload_sha256": null,
        "payload_length": null,
        "content_type": null,
        "file_name": null,
        "weak": ours.collect::<Vec<_>>(),
        "error": { "message": error.to_string(), "next": next(error) },
    });
    (report, Exit::Findings)
}

fn receipt(
    request: Request<'_>,
    keys: &Keys,
    profile: &Profile,
    at: DateTime<Utc>,
) -> Result<(Value, Exit), Failure> {
    let Request {
        headers,
        start,
        rest,
    } = request;
    let mut body = Vec::new();
    // One byte more than is allowed, so that the limit speaks and the memory does not grow.
    Cursor::new(start)
        .chain(rest)
        .take(MDN_BYTES as u64 + 1)
        .read_to_end(&mut body)
        .map_err(|why| {
            let why = why.to_string();
            Failure::usage(said(&text!("cannot read the receipt: {why}", why)))
        })?;
    let read = Mdn::read(&headers, &body, keys, profile, at);
    let told = read.as_ref().ok();
    let mic = told.and_then(|mdn| mdn.mic.as_ref());
    let negative = |mdn: &&Mdn| !mdn.disposition.is_positive();
    let error = match &read {
        Err(error) => Some(json!({ "message": error.to_string(), "next": next(error) })),
        Ok(mdn) => Some(mdn).filter(negative).map(|mdn| {
            json!({
                "message": format!("the partner refused the message: {}", mdn.disposition.detail),
                "next": "ask the partner what his log says, then correct and send again",
            })
        }),
    };
    let exit = match error {
        Some(_) => Exit::Findings,
        None => Exit::Clean,
    };
    let signature = told.and_then(|mdn| mdn.signature.as_ref());
    let weak = signature.filter(|signature| signature.digest.weak());
    let report = json!({
        "kind": "receipt",
        "message_id": headers.message_id(),
        "as2_from": headers.as2_from().ok(),
        "as2_to": headers.as2_to().ok(),
        "original_message_id": told.map(|mdn| &mdn.original_message_id),
        "signed": signature.map(|signature| signed(signature, keys)),
        "mic": mic.map(ToString::to_string),
        "mic_algorithm": mic.map(|mic| mic.digest.name()),
        "disposition": told.map(|mdn| mdn.disposition.to_string()),
        "final_recipient": told.and_then(|mdn| mdn.final_recipient.as_ref()),
        "reporting_ua": told.and_then(|mdn| mdn.reporting_ua.as_ref()),
        "text": told.map(|mdn| &mdn.text),
        "weak": weak.map(|signature| format!("{} signature", signature.digest)).into_iter()
            .collect::<Vec<_>>(),
        "error": error,
    });
    Ok((report, exit))
}

fn signed(signature: &Signature, keys: &Keys) -> Value {
    let mut pinned = keys.theirs.iter();
    let signer = pinned.find(|pinned| pinned.fingerprint() == signature.signer);
    json!({
        "algorithm": signature.algorithm,
        "digest": signature.digest.name(),
        "signer": signature.signer,
        "subject": signer.map(as2::Certificate::subject),
    })
}

fn wanted(asked: &ReceiptRequest) -> Value {
    json!({
        "signed": asked.signed,
        "micalg": asked.micalg.map(as2::Digest::name),
        "deliver_to": asked.deliver_to,
    })
}

/// What is weak about our own certificate.
fn weaknesses(us: &Identity, at: DateTime<Utc>) -> Vec<String> {
    let certificate = &us.certificate;
    let weak = certificate.weakness().map(|what| format!("our {what}"));
    let validity = (!certificate.valid_at(at)).then(|| {
        let (from, to) = (certificate.not_before(), certificate.not_after());
        format!("our certificate is valid from {from} to {to}, not at {at}")
    });
    weak.into_iter().chain(validity).collect()
}

/// What whoever reads the error can do about it.
fn next(error: &Error) -> &'static str {
    match error {
        Error::Encrypted(inner) => next(inner),
        Error::NotForUs(_) => {
            "give the key of the certificate that is named with --key and --password-file, or ask \
             the sender to encrypt to your current certificate"
        }
        Error::Decryption(_) => {
            "compare the fingerprint of the certificate that the sender encrypts to with yours; if \
             they are the same, the message was altered: ask for it again"
        }
        Error::Decompression(_) => "ask the sender to send again, without compression if it lasts",
        Error::UnknownSigner(_) => {
            "ask the sender for the certificate he signs with, compare its fingerprint over the \
             telephone, and give it with --partner-cert"
        }
        Error::Validity(_) => "ask the sender for his new certificate, or say --at",
        Error::Signature(_) => {
            "ask the sender whether his key changed; if not, the message was altered on its way: \
             ask for it again"
        }
        Error::Integrity { .. } => {
            "look for what changed the content on its way (line ends, a proxy, an editor), and \
             ask the sender to send again"
        }
        Error::Truncated(_) => {
            "record the whole body again; compare its length with Content-Length"
        }
        Error::Weak(_) | Error::Unprotected(_) | Error::Unsupported(_) => {
            "agree with the sender on sha-256 signatures and aes-256-cbc encryption"
        }
        Error::Header { .. } | Error::Mime(_) | Error::Cms(_) => {
            "check that the recording is exact to the byte; if it is, send this message to the \
             sender's support"
        }
        Error::Limit { .. } => "ask the sender for smaller messages",
        Error::Key(_) | Error::Io(_) | Error::OpenSsl(_) => "check the files and the disk here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_body_is_told_from_headers() {
        let table: [(&[u8], bool); 6] = [
            (b"\x30\x80\x06\x09", true),
            (b"MIAGCSqGSIb3DQEHA6CA\r\nMII=", true),
            (b"\r\nMIAG", true),
            (b"MIME-Version: 1.0\r\n", false),
            (b"AS2-From: A\r\n", false),
            (b"", false),
        ];
        for (start, bare) in table {
            assert_eq!(is_bare(start), bare, "{start:?}");
        }
    }

    #[test]
    fn every_error_says_what_next() {
        let errors = [
            Error::NotForUs("x".into()),
            Error::Encrypted(Box::new(Error::Signature("x".into()))),
            Error::Truncated("x".into()),
            Error::UnknownSigner("x".into()),
        ];
        let told: std::collections::BTreeSet<_> = errors.iter().map(next).collect();
        assert_eq!(told.len(), errors.len());
    }
}
