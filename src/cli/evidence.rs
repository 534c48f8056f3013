//! `transload evidence`: a message with all that proves it, in a folder that `openssl` verifies.
//!
//! What is proved does not need us: `verify.sh` uses sh, openssl and coreutils. What it needs of an
//! encrypted message that came to us (the signed part inside) is taken out here, with our key.

mod folder;
mod script;

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use self::folder::Folder;
use super::messages::{Desk, failed, head};
use super::serve::{Place, settings_on};
use super::words::{said, say};
use super::{Exit, Failure, Outcome};
use crate::as2::{self, Certificate, Document, Headers, Keys, Layer, Mic, Profile, peel};
use crate::config::Config;
use crate::gateway::{of_all_times, secret_field as secret};
use crate::store::{Answer, Direction, Memory, Message, MessageDetail, Payload, Store};
use crate::x12::text;

/// Write a folder that proves a message: request, payload, receipt, certificates, and a script that
/// verifies them with openssl alone
#[derive(clap::Args)]
pub(super) struct Evidence {
    /// Its id, or its Message-ID
    message: String,
    /// The folder to write; it must not be there yet [default: evidence-ID]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What is proved by a signature: over which bytes, by whose key.
struct Proof {
    /// The file of the signed bytes, and that of the signature.
    signed: &'static str,
    signature: &'static str,
    /// The file of the signer's certificate.
    signer: String,
}

impl Evidence {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let (folder, id) = Desk::with(&self.place, async |desk, config| {
            let detail = desk.find(&self.message).await?;
            let id = detail.message.id;
            let name = || PathBuf::from(format!("evidence-{id}"));
            let folder = self.output.clone().unwrap_or_else(name);
            let content = match detail.message.content {
                Some(digest) => desk.store.payload(digest).await.map_err(failed)?,
                None => None,
            };
            let body = desk.store.payload(detail.message.body).await;
            let body = body.map_err(failed)?;
            let body = body.ok_or_else(|| Failure::state("the message's bytes are gone"))?;
            let keys = keys(config, &detail.message)?;
            let case = Case {
                detail,
                body,
                content,
                keys,
            };
            case.write(Folder::new(&folder)?)?;
            Ok((folder, id))
        })?;
        if self.json {
            let line = json!({ "id": id.to_string(), "folder": folder.display().to_string() });
            writeln!(out, "{line}")?;
            return Ok(Exit::Clean);
        }
        let told = text!(
            "{folder} holds the evidence; `sh {folder}/verify.sh` verifies it anywhere",
            folder = folder.display().to_string(),
        );
        writeln!(out, "{}", said(&told))?;
        Ok(Exit::Clean)
    }
}

/// All keys that the settings lead to.
fn keys(config: &Config, message: &Message) -> Result<Keys, Failure> {
    let settings = settings_on(config, || Ok(Arc::new(Memory::default()) as Arc<dyn Store>))?;
    of_all_times(&settings, &message.partner).map_err(Failure::state)
}

/// A message, and all that is known of it.
struct Case {
    detail: MessageDetail,
    body: Payload,
    content: Option<Payload>,
    keys: Keys,
}

impl Case {
    fn write(&self, mut folder: Folder) -> Result<(), Failure> {
        let message = &self.detail.message;
        let theirs = message.direction == Direction::Inbound;
        folder.put("request-headers.txt", &block(&self.detail.headers))?;
        folder.copy("request-body.bin", &self.body)?;
        if let Some(content) = &self.content {
            folder.copy("payload", content)?;
        }
        let mut steps = script::Steps::default();
        // By the certificates of the day on which it was settled: they end, evidence does not.
        let mut told = match theirs {
            true => self.request(&mut folder, &mut steps)?,
            false => self.digested(&mut folder, &mut steps)?,
        };
        match &self.detail.answer {
            Some(answer) => told.extend(self.receipt(answer, &mut folder, &mut steps)?),
            None => told.push(say("There is no receipt.").to_owned()),
        }
        let history = json!({ "message": head(message), "history": self.history() });
        folder.put("message.json", format!("{history:#}\n").as_bytes())?;
        folder.put("README.txt", self.readme(&told).as_bytes())?;
        folder.finish(&steps)
    }

    fn history(&self) -> Vec<serde_json::Value> {
        let events = self.detail.events.iter();
        let line = |event: &crate::store::Event| json!({ "at": event.at.to_rfc3339(), "what": event.what, "detail": event.detail });
        events.map(line).collect()
    }

    fn settled(&self) -> DateTime<Utc> {
        self.detail.message.updated
    }

    /// A message that came: the part that its sender signed, taken out of what it came in.
    fn request(
        &self,
        folder: &mut Folder,
        steps: &mut script::Steps,
    ) -> Result<Vec<String>, Failure> {
        let headers: Headers = self.detail.headers.iter().cloned().collect();
        let body = self.body.open().map_err(Failure::state)?;
        let mut told = Vec::new();
        let Some(layers) = self.peeled(&headers, body) else {
            told.push(say("The message does not open with the keys that are here now.").to_owned());
            return Ok(told);
        };
        if layers.iter().any(|layer| layer.kind == "encrypted") {
            told.push(
                say(
                    "The request is encrypted for us: that the signed part was inside it, only \
                     our private key shows, and that is not here.",
                )
                .to_owned(),
            );
        }
        let signed = layers.iter().find(|layer| layer.kind == "signed");
        let signed = signed.and_then(|layer| Some((&layer.content, layer.signature.as_ref()?)));
        let Some((content, signature)) = signed else {
            told.push(
                say("The message is not signed in two parts; its sender is not proved.").to_owned(),
            );
            return Ok(told);
        };
        folder.put("signed-part.bin", content)?;
        folder.put("signature.p7s", signature)?;
        let signer = self.certificate(true, content, signature, folder)?;
        steps.signature(
            "the request's signature is the partner's",
            &Proof {
                signed: "signed-part.bin",
                signature: "signature.p7s",
                signer,
            },
        );
        self.carries(content, "signed-part.bin", steps)?;
        steps.mic(self.detail.message.mic.as_deref(), "signed-part.bin");
        Ok(told)
    }

    /// A message of ours: what the receipt's MIC has to be over, made again from the payload.
    fn digested(
        &self,
        folder: &mut Folder,
        steps: &mut script::Steps,
    ) -> Result<Vec<String>, Failure> {
        let message = &self.detail.message;
        let mut told = vec![
            say(
                "The request is encrypted for the partner: what it holds, only his key shows. \
                 His receipt names the MIC of what he found in it.",
            )
            .to_owned(),
        ];
        let mic = message.mic.as_deref().and_then(Mic::parse);
        let (Some(mic), Some(content)) = (mic, &self.content) else {
            return Ok(told);
        };
        let document = Document {
            content_type: message
                .content_type
                .as_deref()
                .unwrap_or("application/EDI-X12"),
            file_name: message.file_name.as_deref(),
            message_id: "",
        };
        let bytes = content.read().map_err(Failure::state)?;
        let same = |bytes: &[u8]| {
            let own = Mic::of(bytes, mic.digest).map_err(Failure::state)?;
            Ok::<bool, Failure>(own == mic)
        };
        for compressed in [false, true] {
            let mut digested = Vec::new();
            as2::digested(Cursor::new(&bytes[..]), document, compressed, &mut digested)
                .map_err(Failure::state)?;
            if same(&digested)? {
                folder.put("digested-part.bin", &digested)?;
                if !compressed {
                    self.carries(&digested, "digested-part.bin", steps)?;
                }
                steps.mic(message.mic.as_deref(), "digested-part.bin");
                return Ok(told);
            }
        }
        if same(&bytes)? {
            steps.mic(message.mic.as_deref(), "payload");
            return Ok(told);
        }
        told.push(
            say("The digested part cannot be made again from the payload by this version.")
                .to_owned(),
        );
        Ok(told)
    }

    /// The payload stands at the end of a part, byte for byte.
    fn carries(&self, part: &[u8], name: &str, steps: &mut script::Steps) -> Result<(), Failure> {
        let Some(content) = &self.content else {
            return Ok(());
        };
        let bytes = content.read().map_err(Failure::state)?;
        if part.ends_with(&bytes) {
            steps.tail(name, part.len() - bytes.len(), "payload");
        }
        Ok(())
    }

    /// The receipt as it came, or as we gave it, and what it proves.
    fn receipt(
        &self,
        answer: &Answer,
        folder: &mut Folder,
        steps: &mut script::Steps,
    ) -> Result<Vec<String>, Failure> {
        folder.put("receipt-headers.txt", &block(&answer.headers))?;
        folder.put("receipt-body.bin", &answer.body)?;
        let headers: Headers = answer.headers.iter().cloned().collect();
        let ours = self.detail.message.direction == Direction::Inbound;
        let layers = self.peeled(&headers, &answer.body[..]).unwrap_or_default();
        let signed = layers.iter().find(|layer| layer.kind == "signed");
        let signed = signed.and_then(|layer| Some((&layer.content, layer.signature.as_ref()?)));
        let mut told = Vec::new();
        let report = match signed {
            Some((content, signature)) => {
                folder.put("receipt-signed-part.bin", content)?;
                folder.put("receipt-signature.p7s", signature)?;
                let signer = self.certificate(!ours, content, signature, folder)?;
                let what = match ours {
                    true => "the receipt's signature is ours",
                    false => "the receipt's signature is the partner's",
                };
                let proof = Proof {
                    signed: "receipt-signed-part.bin",
                    signature: "receipt-signature.p7s",
                    signer,
                };
                steps.signature(what, &proof);
                if let Some(at) = position(&answer.body, content) {
                    steps.within("receipt-body.bin", at, content.len(), proof.signed);
                }
                proof.signed
            }
            None => {
                told.push(
                    say("The receipt is not signed: anybody could have written it.").to_owned(),
                );
                "receipt-body.bin"
            }
        };
        steps.receipt(report, &answer.body, &self.detail.message.key.message_id);
        Ok(told)
    }

    /// The layers of something that was opened once; with whatever keys and algorithms.
    fn peeled(&self, headers: &Headers, body: impl std::io::Read) -> Option<Vec<Layer>> {
        // Our own receipts verify by our own certificate.
        let mut keys = self.keys.clone();
        let own = self.keys.ours.iter().map(|own| own.certificate.clone());
        keys.theirs.extend(own);
        let profile = Profile::accept_anything();
        let (layers, opened) = peel(headers, body, &keys, &profile, self.settled());
        (opened.is_ok() || !layers.is_empty()).then_some(layers)
    }

    /// Writes the certificates of one side, and gives the name of the one that signed.
    fn certificate(
        &self,
        theirs: bool,
        content: &[u8],
        signature: &[u8],
        folder: &mut Folder,
    ) -> Result<String, Failure> {
        let (side, all): (_, Vec<&Certificate>) = match theirs {
            true => ("partner", self.keys.theirs.iter().collect()),
            false => (
                "our",
                self.keys.ours.iter().map(|own| &own.certificate).collect(),
            ),
        };
        let mut signer = None;
        for (n, certificate) in all.iter().enumerate() {
            let name = format!("{side}-certificate-{}.pem", n + 1);
            let pem = certificate.to_pem().map_err(Failure::state)?;
            folder.put(&name, pem.as_ref())?;
            if as2::verifies(content, signature, certificate) {
                signer.get_or_insert(name);
            }
        }
        let none = || {
            Failure::state(format!(
                "none of the {side} certificates that are here now signed it; put the one of that \
                 day back, and ask again"
            ))
        };
        signer.ok_or_else(none)
    }

    fn readme(&self, told: &[String]) -> String {
        let message = &self.detail.message;
        let (from, to) = match message.direction {
            Direction::Inbound => (&message.key.partner_id, &message.key.our_id),
            Direction::Outbound => (&message.key.our_id, &message.key.partner_id),
        };
        let about = text!(
            "AS2 message <{id}> from {from} to {to}, {state} on {day}.",
            id = message.key.message_id.clone(),
            from = from.clone(),
            to = to.clone(),
            state = message.state.as_str(),
            day = message.updated.format("%F %T UTC").to_string(),
        );
        let files = say(
            "request-* is what went over the wire, payload what was inside, receipt-* the receipt \
             (MDN) as it came, *-certificate-*.pem who signed, message.json our own history.",
        );
        let script = say(
            "verify.sh checks every file, every signature and the MIC with openssl and coreutils. \
             Compare the certificates' fingerprints with their owner by another way.",
        );
        let mut lines = vec![
            said(&about),
            String::new(),
            files.to_owned(),
            script.to_owned(),
        ];
        if !told.is_empty() {
            lines.push(String::new());
            lines.extend(told.iter().cloned());
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Header fields as they stand before a body, but for what proves who is there.
fn block(headers: &crate::store::Headers) -> Vec<u8> {
    let lines = headers
        .iter()
        .filter(|(name, _)| !secret(name))
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    lines.collect::<String>().into_bytes()
}

/// Where a part stands in a whole.
fn position(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len().max(1)).position(|at| at == part)
}
