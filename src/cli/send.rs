//! `transload send`: one X12 file to one partner, through the store.
//!
//! The file goes as it is, with its own envelope. What is kept, what is sent again and what counts
//! as a receipt is as for everything that `serve` sends: where the partner cannot be reached now,
//! `serve` goes on with the same bytes under the same Message-ID. One process has a data folder
//! open, so `send` is for a folder that no `serve` has.

use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::serve::{Place, log, settings};
use super::{Exit, Failure, Outcome};
use crate::gateway::{Error, Gateway, Sent, Until};
use crate::store::{MessageDetail, MessageState};

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Send {
    /// The partner's name, as its file says it
    partner: String,
    /// One X12 interchange; - is stdin
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Send {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        log("warn");
        let file = self.file()?;
        let config = self.place.config(&[])?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        let ended = runtime.block_on(Box::pin(async {
            let gateway = Gateway::new(settings(&config)?).map_err(Failure::state)?;
            let walking = gateway.start_queue();
            let sent = match gateway.send_from(&self.partner, file).await {
                Ok(id) => gateway.wait(id, Until::Tried).await.map_err(Error::from),
                Err(why) => Err(why),
            };
            walking.stop().await;
            gateway.store().close().await.map_err(Failure::state)?;
            self.print(&gateway, &sent.map_err(told)?, out)
        }));
        runtime.shutdown_background();
        ended
    }

    fn file(&self) -> Result<Box<dyn Read + std::marker::Send>, Failure> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(std::io::stdin()));
        }
        let file = std::fs::File::open(&self.file);
        let file = file.map_err(|why| Failure::usage(format!("{}: {why}", self.file.display())))?;
        Ok(Box::new(file))
    }

    fn print(&self, gateway: &Gateway, sent: &Sent, out: &mut dyn Write) -> Outcome {
        let (exit, line) = match sent {
            Sent::Held(why) => (Exit::Findings, json!({ "state": "held", "note": why })),
            Sent::Message(detail) => {
                let exit = match detail.message.state {
                    MessageState::Confirmed => Exit::Clean,
                    MessageState::Refused => Exit::Findings,
                    _ => Exit::Network,
                };
                (exit, self.line(gateway, detail))
            }
        };
        if self.json {
            writeln!(out, "{line}")?;
            return Ok(exit);
        }
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        writeln!(
            out,
            "{} to {}: {}",
            text(&line["message_id"]),
            self.partner,
            text(&line["state"])
        )?;
        for (name, value) in [
            ("disposition", &line["disposition"]),
            ("our MIC", &line["mic"]["ours"]),
            ("their MIC", &line["mic"]["theirs"]),
            ("note", &line["note"]),
        ] {
            writeln!(out, "  {name:<12}{}", text(value))?;
        }
        Ok(exit)
    }

    fn line(&self, gateway: &Gateway, detail: &MessageDetail) -> Value {
        let message = &detail.message;
        let mdn = gateway.mdn(detail);
        let last = detail.events.iter().rfind(|event| event.what == "retry");
        let note = match (&last, message.state) {
            (Some(retry), MessageState::Sealed | MessageState::Sent) => {
                format!("{}; serve will try again", retry.detail)
            }
            (None, MessageState::Sent) => "no receipt yet; serve will try again".to_owned(),
            _ => message.note.clone(),
        };
        json!({
            "partner": self.partner,
            "message_id": format!("<{}>", message.key.message_id),
            "state": message.state.as_str(),
            "disposition": mdn.as_ref().map(|mdn| mdn.disposition.to_string()),
            "mic": {
                "ours": message.mic,
                "theirs": mdn.and_then(|mdn| mdn.mic).map(|mic| mic.to_string()),
            },
            "note": note,
        })
    }
}

fn told(why: Error) -> Failure {
    match why {
        Error::NoPartner(_) | Error::NotSendable(_) => Failure::usage(why),
        _ => Failure::state(why),
    }
}
