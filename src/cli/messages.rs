//! `transload messages`, `message` and `queue`: what the store holds, beside the `serve` that has it.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::serve::{Asked, Place};
use super::words::{plain, said, say};
use super::{Exit, Failure, Outcome};
use crate::as2::hex;
use crate::config::Config;
use crate::lang::pad;
use crate::store::{
    self, DATABASE, Direction, Error, Event, Filter, Kind, Message, MessageDetail, MessageState,
    Sqlite, Store,
};
use crate::x12::text;

/// Rows that are listed where nothing else is said: a screen or two.
const LISTED: usize = 50;

/// List messages, the newest first
#[derive(clap::Args)]
pub(super) struct Messages {
    /// Only of this partner
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// Only in this state: sealed, sent, confirmed, refused, uncertain, dead, received, answered …
    #[arg(long, value_name = "STATE")]
    state: Option<MessageState>,
    /// Only those that came from partners
    #[arg(long, conflicts_with = "outbound")]
    inbound: bool,
    /// Only those that go to partners
    #[arg(long)]
    outbound: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = LISTED)]
    limit: usize,
    #[command(flatten)]
    asked: Asked,
}

/// Show one message: what it carries, its receipt, its history
#[derive(clap::Args)]
pub(super) struct One {
    /// Its id, or its Message-ID
    message: String,
    #[command(flatten)]
    asked: Asked,
}

/// Show what waits: messages that are tried again, and the partners who are not reached
#[derive(clap::Args)]
pub(super) struct Queue {
    /// At most so many rows
    #[arg(long, value_name = "N", default_value_t = LISTED)]
    limit: usize,
    #[command(flatten)]
    asked: Asked,
}

/// A store that somebody else may have open, and the runtime that its calls need.
pub(super) struct Desk {
    pub(super) store: Arc<Sqlite>,
}

impl Desk {
    /// Opens the store beside the process that has it.
    pub(super) fn beside(config: &Config) -> Result<Desk, Failure> {
        if !config.data.join(DATABASE).exists() {
            let folder = config.data.display();
            return Err(Failure::state(format!(
                "there is no store in {folder}; name its folder by --data, or start `transload serve`"
            )));
        }
        let store = Sqlite::beside(&config.data).map_err(failed)?;
        Ok(Desk {
            store: Arc::new(store),
        })
    }

    /// Opens it, and does something with it.
    pub(super) fn with<T>(
        place: &Place,
        work: impl AsyncFnOnce(&Desk, &Config) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let config = place.config(&[])?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        runtime.block_on(async {
            let desk = Desk::beside(&config)?;
            let done = work(&desk, &config).await;
            // Everything is committed by now; what this one could say is nothing to a person.
            let _ = desk.store.close().await;
            done
        })
    }

    /// The message of that id or Message-ID.
    pub(super) async fn find(&self, named: &str) -> Result<MessageDetail, Failure> {
        let missing = || {
            Failure::usage(format!(
                "there is no message {named}; `transload messages` lists them"
            ))
        };
        let id = match Uuid::parse_str(named) {
            Ok(id) => id,
            Err(_) => {
                let bare = named.trim_start_matches('<').trim_end_matches('>');
                let found = self.store.named(bare.to_owned()).await.map_err(failed)?;
                match found.as_slice() {
                    [] => return Err(missing()),
                    [one] => one.id,
                    many => {
                        let ids: Vec<String> = many.iter().map(|row| row.id.to_string()).collect();
                        return Err(Failure::usage(format!(
                            "{} messages are called {named}: name one by its id, {}",
                            many.len(),
                            ids.join(" or ")
                        )));
                    }
                }
            }
        };
        let found = self.store.message(id).await.map_err(failed)?;
        found.ok_or_else(missing)
    }
}

/// What a store's error is to who asked.
pub(super) fn failed(why: Error) -> Failure {
    match why.kind() {
        Kind::Invalid | Kind::Missing => Failure::usage(why),
        _ => Failure::state(why),
    }
}

impl Messages {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let direction = match (self.inbound, self.outbound) {
            (true, _) => Some(Direction::Inbound),
            (_, true) => Some(Direction::Outbound),
            _ => None,
        };
        let filter = Filter {
            direction,
            state: self.state,
            partner: self.partner.clone(),
            since: None,
            limit: self.limit,
        };
        let rows = Desk::with(&self.asked.place, async |desk, _| {
            desk.store.messages(filter).await.map_err(failed)
        })?;
        for row in &rows {
            match self.asked.json {
                true => writeln!(out, "{}", head(row))?,
                false => writeln!(
                    out,
                    "{}  {}  {} {} {}  <{}>  {}",
                    row.id,
                    row.created.format("%F %T"),
                    arrow(row.direction),
                    pad(&row.partner, 16),
                    pad(row.state.as_str(), 10),
                    plain(&row.key.message_id),
                    plain(&row.note)
                )?,
            }
        }
        if rows.is_empty() && !self.asked.json {
            writeln!(out, "{}", say("There is no such message."))?;
        }
        Ok(Exit::Clean)
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "<-",
        Direction::Outbound => "->",
    }
}

/// A message as JSON, without what hangs on it.
pub(super) fn head(row: &Message) -> Value {
    json!({
        "id": row.id.to_string(),
        "direction": row.direction.as_str(),
        "partner": row.partner,
        "transport": row.transport,
        "our_id": row.key.our_id,
        "their_id": row.key.partner_id,
        "message_id": format!("<{}>", row.key.message_id),
        "state": row.state.as_str(),
        "mic": row.mic,
        "body_sha256": hex(&row.body),
        "content_sha256": row.content.as_ref().map(|digest| hex(digest)),
        "content_type": row.content_type,
        "file_name": row.file_name,
        "resend_of": row.resend_of.map(|id| id.to_string()),
        "note": row.note,
        "created": row.created.to_rfc3339(),
        "updated": row.updated.to_rfc3339(),
    })
}

fn event(event: &Event) -> Value {
    json!({
        "at": event.at.to_rfc3339(),
        "subject": event.subject.to_string(),
        "what": event.what,
        "detail": event.detail,
    })
}

impl One {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let detail = Desk::with(&self.asked.place, async |desk, _| {
            desk.find(&self.message).await
        })?;
        let mut told = head(&detail.message);
        told["receipt"] = detail.answer.as_ref().map_or(
            Value::Null,
            |answer| json!({ "status": answer.status, "bytes": answer.body.len() }),
        );
        told["documents"] = detail.documents.iter().map(document).collect();
        told["history"] = detail.events.iter().map(event).collect();
        if self.asked.json {
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        for (name, value) in told.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                writeln!(out, "{name:<16}{}", plain(text))?;
            }
        }
        for row in &detail.documents {
            writeln!(
                out,
                "{:<16}{} {} {}",
                say("document"),
                plain(&row.set),
                plain(&row.number),
                row.state
            )?;
        }
        writeln!(out, "\n{}", say("History"))?;
        for line in &detail.events {
            let own = match line.subject == detail.message.id {
                true => "",
                false => "  ",
            };
            let at = line.at.format("%F %T");
            let detail = plain(&line.detail);
            writeln!(out, "{at}  {own}{} {detail}", pad(&line.what, 14))?;
        }
        Ok(Exit::Clean)
    }
}

fn document(row: &store::Document) -> Value {
    json!({
        "id": row.id.to_string(),
        "kind": row.kind,
        "set": row.set,
        "number": row.number,
        "state": row.state.as_str(),
        "note": row.note,
    })
}

impl Queue {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let limit = self.limit;
        let queue = Desk::with(&self.asked.place, async |desk, _| {
            desk.store.queue(limit).await.map_err(failed)
        })?;
        for row in &queue.waiting {
            let line = json!({
                "kind": row.kind.as_str(),
                "subject": row.subject.to_string(),
                "partner": row.partner,
                "due": row.due.to_rfc3339(),
                "in_hand": row.leased,
                "tries": row.attempt,
                "error": row.error,
                "queued": row.queued.to_rfc3339(),
            });
            match self.asked.json {
                true => writeln!(out, "{line}")?,
                false => writeln!(
                    out,
                    "{} {}  {} {} {}",
                    pad(row.kind.as_str(), 8),
                    row.subject,
                    pad(&row.partner, 16),
                    row.due.format("%F %T"),
                    plain(row.error.as_deref().unwrap_or_default())
                )?,
            }
        }
        for circuit in &queue.circuits {
            let shut = circuit.shut.map(|until| until.to_rfc3339());
            if self.asked.json {
                let line = json!({
                    "partner": circuit.partner,
                    "missed": circuit.missed,
                    "shut_until": shut,
                });
                writeln!(out, "{line}")?;
                continue;
            }
            let told = text!(
                "{partner}: {n} tries in a row did not reach it; the next is at {until}",
                partner = circuit.partner.clone(),
                n = circuit.missed.to_string(),
                until = shut.unwrap_or_else(|| say("its own time").to_owned()),
            );
            writeln!(out, "{}", said(&told))?;
        }
        if queue.waiting.is_empty() && !self.asked.json {
            writeln!(out, "{}", say("Nothing waits."))?;
        }
        Ok(Exit::Clean)
    }
}
