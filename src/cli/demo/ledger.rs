//! The exchange as a person understands it, and as JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::Failure;
use super::side::Side;
use crate::store::{MessageDetail, MessageState};

/// One message, seen from both sides.
struct Line {
    from: String,
    to: String,
    set: String,
    number: String,
    message_id: String,
    /// How it was protected, as its receiver noted.
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
                        protection: twin
                            .as_ref()
                            .map(|t| t.message.note.clone())
                            .unwrap_or_default(),
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
        self.messages(out)?;
        self.evidence(out)?;
        writeln!(out, "\nWhat the seller's own system found in its folder")?;
        self.order_lines(out)?;
        writeln!(
            out,
            "\n{} messages in {:.1} s; {}",
            self.lines.len(),
            self.seconds,
            match self.is_sound() {
                true => "each one signed, encrypted, received once, and the same on both sides",
                false => "NOT all of them are the same on both sides",
            }
        )?;
        let Some((folder, buyer, seller)) = kept else {
            return writeln!(
                out,
                "Nothing is left behind. `transload demo --keep` leaves it running, to look around."
            );
        };
        writeln!(out, "\nKept in {}", folder.display())?;
        for side in [buyer, seller] {
            writeln!(
                out,
                "   {:<7} AS2 http://{}/as2   health http://{}/readyz",
                side.name, side.running.as2, side.running.admin
            )?;
            writeln!(
                out,
                "           partner file {}",
                side.folder.join("partners").display()
            )?;
            writeln!(
                out,
                "           its requests and receipts {}",
                side.folder.join("sent").display()
            )?;
        }
        writeln!(out, "   canonical order {}", self.path.display())
    }

    /// Every message in a line.
    fn messages(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "One order, its acknowledgment and its invoice, between two gateways on this machine\n"
        )?;
        writeln!(
            out,
            "   {:<16} {:<4} {:<34} {:<28} receipt",
            "from → to", "set", "what", "MIC, sender and receiver"
        )?;
        for (number, line) in self.lines.iter().enumerate() {
            let what = match line.set.as_str() {
                "850" => format!("order {}", self.order),
                "855" => format!("acknowledgment of {}", line.number),
                "810" => format!("invoice {}", line.number),
                "997" => "functional acknowledgment".to_owned(),
                _ => line.number.clone(),
            };
            let mic = line.mics[0].as_deref().unwrap_or("none");
            let equal = if line.mics[0] == line.mics[1] {
                "equal"
            } else {
                "DIFFERENT"
            };
            let receipt = match (line.confirmed, line.document.as_str()) {
                (true, "accepted") => "signed MDN, then a 997: accepted",
                (true, _) => "signed MDN: processed",
                (false, _) => line.state.as_str(),
            };
            let mic: String = mic.chars().take(12).collect();
            let who = format!("{} → {}", line.from, line.to);
            writeln!(
                out,
                "{:>2} {who:<16} {:<4} {what:<34} {:<28} {receipt}",
                number + 1,
                line.set,
                format!("{mic}… {equal}")
            )?;
        }
        Ok(())
    }

    /// What proves the order's delivery: its bytes, its receipt and its acknowledgment.
    fn evidence(&self, out: &mut dyn Write) -> io::Result<()> {
        let first = self.lines.first();
        let sha = |side: usize| {
            first
                .and_then(|l| l.digests[side].clone())
                .unwrap_or_default()
        };
        writeln!(out, "\nThe order's bytes (SHA-256)")?;
        writeln!(out, "   sent      {}\n   received  {}", sha(0), sha(1))?;
        writeln!(
            out,
            "   protected {}",
            first.map_or("", |l| l.protection.as_str())
        )?;
        writeln!(out, "\nThe receipt (MDN) that the seller signed for it")?;
        for (name, value) in first.map(|l| &l.receipt[..]).unwrap_or_default() {
            writeln!(out, "   {name}: {value}")?;
        }
        writeln!(out, "\nThe functional acknowledgment (997) that followed")?;
        let answer = self.lines.iter().find(|line| line.set == "997");
        for segment in answer.map(|l| l.content.lines()).into_iter().flatten() {
            writeln!(out, "   {segment}")?;
        }
        Ok(())
    }

    /// The order in a few lines: whom it is for, and what.
    fn order_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        let order: Value = serde_json::from_slice(&self.canonical).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        writeln!(
            out,
            "   order {} of {}, to {}",
            text(&order["number"]),
            text(&order["ordered_on"]),
            text(&order["ship_to"]["name"])
        )?;
        for line in order["lines"].as_array().into_iter().flatten() {
            let quantity = &line["quantity"];
            writeln!(
                out,
                "   {:>4}  {:>8} {:<6} at {:>10}  {}",
                text(&line["number"]),
                text(&quantity["value"]),
                text(&quantity["unit"]),
                text(&line["price"]["amount"]),
                text(&line["descriptions"][0]["text"]),
            )?;
        }
        Ok(())
    }
}
