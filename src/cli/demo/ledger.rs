//! The exchange as a person understands it, and as JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::Failure;
use super::super::words::{said, say};
use super::side::Side;
use crate::lang::pad;
use crate::store::{MessageDetail, MessageState};
use crate::x12::text;

/// One message, seen from both sides.
struct Line {
    from: String,
    to: String,
    set: String,
    number: String,
    message_id: String,
    /// How it was protected, as its history says.
    protection: String,
    /// The receipt, field by field.
    receipt: Vec<(&'static str, String)>,
    /// Its X12.
    content: String,
    confirmed: bool,
    state: String,
    mics: [Option<String>; 2],
    digests: [Option<String>; 2],
    same_receipt: bool,
    /// What became of the document at its sender: `accepted` by the 997.
    document: String,
}

/// All messages, and what the order became.
#[derive(Default)]
pub(super) struct Ledger {
    lines: Vec<Line>,
    pub(super) order: String,
    pub(super) canonical: Vec<u8>,
    pub(super) path: PathBuf,
    pub(super) seconds: f64,
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What its sender noted when it was sealed.
fn protection(sent: &MessageDetail) -> String {
    let sealed = sent.events.iter().find(|event| event.what == "sealed");
    sealed.map(|event| event.detail.clone()).unwrap_or_default()
}

/// A receipt in the words of its own fields.
fn receipt(side: &Side, sent: &MessageDetail) -> Vec<(&'static str, String)> {
    let Some(mdn) = side.running.gateway.mdn(sent) else {
        return Vec::new();
    };
    let signer = mdn.signature.map_or_else(
        || "nobody".to_owned(),
        |s| format!("{} ({})", s.signer, s.algorithm),
    );
    vec![
        ("Original-Message-ID", mdn.original_message_id),
        ("Disposition", mdn.disposition.to_string()),
        (
            "Received-Content-MIC",
            mdn.mic.map_or_else(String::new, |mic| mic.to_string()),
        ),
        ("Signed by", signer),
    ]
}

impl Ledger {
    /// Reads what both stores say, once nothing more will happen.
    pub(super) async fn read(buyer: &Side, seller: &Side) -> Result<Ledger, Failure> {
        let mut timed = Vec::new();
        for (us, them) in [(buyer, seller), (seller, buyer)] {
            us.quiet().await?;
            for detail in us.sent().await? {
                let twin = them.received(&detail.message).await?;
                let document = detail.documents.first();
                let of = |field: fn(&crate::store::Document) -> String| {
                    document.map(field).unwrap_or_default()
                };
                let answers =
                    [Some(&detail), twin.as_ref()].map(|d| d?.answer.as_ref().map(|a| &a.body));
                timed.push((
                    detail.message.created,
                    Line {
                        from: us.name.clone(),
                        to: them.name.clone(),
                        set: of(|d| d.set.clone()),
                        number: of(|d| d.number.clone()),
                        document: of(|d| d.state.to_string()),
                        message_id: detail.message.key.message_id.clone(),
                        protection: protection(&detail),
                        receipt: receipt(us, &detail),
                        content: us.content(&detail).await?,
                        confirmed: detail.message.state == MessageState::Confirmed,
                        state: detail.message.state.to_string(),
                        mics: [
                            detail.message.mic.clone(),
                            twin.as_ref().and_then(|t| t.message.mic.clone()),
                        ],
                        digests: [
                            detail.message.content,
                            twin.as_ref().and_then(|t| t.message.content),
                        ]
                        .map(|d| d.map(hex)),
                        same_receipt: answers[0].is_some() && answers[0] == answers[1],
                    },
                ));
            }
        }
        timed.sort_by_key(|(at, _)| *at);
        let lines = timed.into_iter().map(|(_, line)| line).collect();
        Ok(Ledger {
            lines,
            ..Ledger::default()
        })
    }

    /// Whether every message was confirmed, and both sides hold the same of it.
    pub(super) fn is_sound(&self) -> bool {
        let same = |pair: &[Option<String>; 2]| pair[0].is_some() && pair[0] == pair[1];
        self.lines
            .iter()
            .all(|l| l.confirmed && l.same_receipt && same(&l.mics) && same(&l.digests))
    }

    pub(super) fn json(&self, kept: Option<(&Path, &Side, &Side)>) -> Value {
        let line = |line: &Line| {
            json!({
                "from": line.from, "to": line.to, "set": line.set, "number": line.number,
                "message_id": line.message_id, "state": line.state, "protection": line.protection,
                "receipt": line.receipt.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "document": line.document,
                "mic": { "sender": line.mics[0], "receiver": line.mics[1] },
                "payload_sha256": { "sender": line.digests[0], "receiver": line.digests[1] },
                "same_receipt": line.same_receipt,
            })
        };
        let place = |side: &Side| {
            json!({
                "as2": format!("http://{}/as2", side.running.as2),
                "admin": format!("http://{}", side.running.admin),
                "folder": side.folder, "copies": side.folder.join("sent"),
            })
        };
        json!({
            "order": self.order,
            "sound": self.is_sound(),
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "messages": self.lines.iter().map(line).collect::<Vec<_>>(),
            "delivered": self.path,
            "canonical": serde_json::from_slice::<Value>(&self.canonical).unwrap_or_default(),
            "kept": kept.map(|(folder, buyer, seller)| {
                json!({ "folder": folder, "buyer": place(buyer), "seller": place(seller) })
            }),
        })
    }

    pub(super) fn table(
        &self,
        out: &mut dyn Write,
        kept: Option<(&Path, &Side, &Side)>,
    ) -> io::Result<()> {
        let title = say(
            "One order, its acknowledgment and its invoice, between two gateways on this machine",
        );
        writeln!(out, "{title}\n")?;
        self.messages(out)?;
        self.evidence(out)?;
        let found = say("What the seller's own system found in its folder");
        writeln!(out, "\n{found}")?;
        self.order_lines(out)?;
        let verdict = match self.is_sound() {
            true => say("each one signed, encrypted, received once, and the same on both sides"),
            false => say("NOT all of them are the same on both sides"),
        };
        let told = text!(
            "{n} messages in {seconds} s; {verdict}",
            n = self.lines.len(),
            seconds = format!("{:.1}", self.seconds),
            verdict
        );
        writeln!(out, "\n{}", said(&told))?;
        match kept {
            Some((folder, buyer, seller)) => self.places(out, folder, [buyer, seller]),
            None => {
                let told = say(
                    "Nothing is left behind. `transload demo --keep` leaves it running, to look \
                     around.",
                );
                writeln!(out, "{told}")
            }
        }
    }

    /// One line a message, in the order in which they were sent.
    fn messages(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "   {}",
            say(
                "from → to        set  what                               MIC, sender and receiver     receipt"
            )
        )?;
        for (number, line) in self.lines.iter().enumerate() {
            let what = match line.set.as_str() {
                "850" => text!("order {number}", number = &self.order),
                "855" => text!("acknowledgment of {number}", number = &line.number),
                "810" => text!("invoice {number}", number = &line.number),
                "997" => text!("functional acknowledgment"),
                _ => line.number.as_str().into(),
            };
            let equal = if line.mics[0] == line.mics[1] {
                say("equal")
            } else {
                say("DIFFERENT")
            };
            let mic: String = line.mics[0]
                .as_deref()
                .unwrap_or_default()
                .chars()
                .take(12)
                .collect();
            let mic = format!("{mic}… {equal}");
            let receipt = match (line.confirmed, line.document.as_str()) {
                (true, "accepted") => say("signed MDN, then a 997: accepted"),
                (true, _) => say("signed MDN: processed"),
                (false, _) => line.state.as_str(),
            };
            let (what, mic) = (pad(&said(&what), 34), pad(&mic, 28));
            let who = format!("{} → {}", line.from, line.to);
            writeln!(
                out,
                "{:>2} {who:<16} {:<4} {what} {mic} {receipt}",
                number + 1,
                line.set
            )?;
        }
        Ok(())
    }

    /// What proves the order's way: digests, receipt, 997.
    fn evidence(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(order) = self.lines.first() else {
            return Ok(());
        };
        let [sent, received] = order
            .digests
            .each_ref()
            .map(|d| d.as_deref().unwrap_or("-"));
        writeln!(out, "\n{}", say("The order's bytes (SHA-256)"))?;
        for told in [
            text!("sent      {digest}", digest = sent),
            text!("received  {digest}", digest = received),
            text!("protected {how}", how = &order.protection),
        ] {
            writeln!(out, "   {}", said(&told))?;
        }
        let title = say("The receipt (MDN) that the seller signed for it");
        writeln!(out, "\n{title}")?;
        for (name, value) in &order.receipt {
            writeln!(out, "   {name}: {value}")?;
        }
        let title = say("The functional acknowledgment (997) that followed");
        writeln!(out, "\n{title}")?;
        let answer = self.lines.iter().find(|line| line.set == "997");
        for segment in answer
            .map(|line| line.content.lines())
            .into_iter()
            .flatten()
        {
            writeln!(out, "   {segment}")?;
        }
        Ok(())
    }

    /// Where to look around.
    fn places(&self, out: &mut dyn Write, folder: &Path, sides: [&Side; 2]) -> io::Result<()> {
        let kept = text!("Kept in {folder}", folder = folder.display().to_string());
        writeln!(out, "\n{}", said(&kept))?;
        for side in sides {
            let (as2, admin) = (side.running.as2, side.running.admin);
            writeln!(
                out,
                "   {:<7} AS2 http://{as2}/as2   {} http://{admin}/readyz",
                side.name,
                say("health")
            )?;
            for (what, place) in [
                (say("partner files"), "partners"),
                (say("its requests and receipts"), "sent"),
            ] {
                let place = side.folder.join(place);
                writeln!(out, "           {what} {}", place.display())?;
            }
        }
        writeln!(out, "   {} {}", say("canonical order"), self.path.display())
    }

    /// The order in a few lines: whom it is for, and what.
    fn order_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        let order: Value = serde_json::from_slice(&self.canonical).unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let head = text!(
            "order {number} of {day}, to {name}",
            number = word(&order["number"]),
            day = word(&order["ordered_on"]),
            name = word(&order["ship_to"]["name"])
        );
        writeln!(out, "   {}", said(&head))?;
        for line in order["lines"].as_array().into_iter().flatten() {
            let quantity = &line["quantity"];
            writeln!(
                out,
                "   {:>4}  {:>8} {:<6} {}  {}",
                word(&line["number"]),
                word(&quantity["value"]),
                word(&quantity["unit"]),
                said(&text!(
                    "at {price}",
                    price = format!("{:>10}", word(&line["price"]["amount"]))
                )),
                word(&line["descriptions"][0]["text"]),
            )?;
        }
        Ok(())
    }
}
