//! `transload resend` and `transload cancel`: a person's word about a message of ours. Who, when and
//! why stand in its history, which is only ever added to.
//!
//! Both write into the store beside the `serve` that has it; that one sends.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use uuid::Uuid;

use super::messages::{Desk, failed, head};
use super::serve::Place;
use super::words::said;
use super::{Exit, Failure, Outcome};
use crate::as2;
use crate::clock::{Clock, System};
use crate::net;
use crate::store::{Anew, MessageDetail, Order, Resend as Again, Store};
use crate::x12::text;

/// Longest reason: a sentence or two, and no file by mistake.
const REASON: usize = 500;

/// Send a message of ours once more: the same body
#[derive(clap::Args)]
pub(super) struct Resend {
    /// Its id, or its Message-ID
    message: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Under the same Message-ID, which a partner who has it answers as a copy; without this under a
    /// new one, which he takes for a new message
    #[arg(long)]
    same_id: bool,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Try a message of ours no more
#[derive(clap::Args)]
pub(super) struct Cancel {
    /// Its id, or its Message-ID
    message: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Resend {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let order = order(&self.reason)?;
        let detail = Desk::with(&self.place, async |desk, _| {
            let detail = desk.find(&self.message).await?;
            let anew = (!self.same_id).then(|| anew(&detail));
            let resend = Again { order, anew };
            let id = detail.message.id;
            let sent = desk.store.resend(id, resend, System.now()).await;
            desk.find(&sent.map_err(failed)?.to_string()).await
        })?;
        if self.json {
            writeln!(out, "{}", head(&detail.message))?;
            return Ok(Exit::Clean);
        }
        let told = text!(
            "{message} is queued as <{id}>; `serve` sends it",
            message = detail.message.id.to_string(),
            id = detail.message.key.message_id.clone(),
        );
        writeln!(out, "{}", said(&told))?;
        Ok(Exit::Clean)
    }
}

impl Cancel {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let order = order(&self.reason)?;
        let detail = Desk::with(&self.place, async |desk, _| {
            let detail = desk.find(&self.message).await?;
            let id = detail.message.id;
            let cancelled = desk.store.cancel(id, order, System.now()).await;
            cancelled.map_err(failed)?;
            desk.find(&id.to_string()).await
        })?;
        if self.json {
            writeln!(out, "{}", head(&detail.message))?;
            return Ok(Exit::Clean);
        }
        let told = text!(
            "{message} is tried no more; a receipt that comes late still counts",
            message = detail.message.id.to_string(),
        );
        writeln!(out, "{}", said(&told))?;
        Ok(Exit::Clean)
    }
}

/// A new message with the headers of another, but for its Message-ID.
fn anew(detail: &MessageDetail) -> Anew {
    let message = &detail.message;
    let at = System.now();
    let fresh = as2::message_id(&message.key.our_id, &mut net::entropy, at);
    let mut headers = detail.headers.clone();
    for (name, value) in &mut headers {
        if name.eq_ignore_ascii_case("Message-ID") {
            value.clone_from(&fresh);
        }
    }
    Anew {
        id: Uuid::now_v7(),
        message_id: fresh.trim_matches(['<', '>']).to_owned(),
        headers,
    }
}

pub(super) fn order(reason: &str) -> Result<Order, Failure> {
    let why = reason.trim();
    let sound = (1..=REASON).contains(&why.chars().count()) && !why.contains(char::is_control);
    if !sound {
        return Err(Failure::usage(format!(
            "--reason is one line of 1 to {REASON} characters, and stands in the history"
        )));
    }
    Ok(Order {
        by: person(),
        why: why.to_owned(),
    })
}

/// Who runs this process, by the system's word and not by a variable's that anybody sets.
fn person() -> String {
    let Ok(own) = std::fs::metadata("/proc/self") else {
        let name = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
        return format!("{name} (by the environment)");
    };
    let uid = own.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    let name = name.unwrap_or_else(|| format!("uid {uid}"));
    match std::env::var("SUDO_USER") {
        Ok(behind) if uid == "0" => format!("{name} ({behind} by sudo)"),
        _ => name,
    }
}
