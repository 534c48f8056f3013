//! Receipts that travel by requests of their own (RFC 4130 §7.2, asynchronous MDNs).
//!
//! | ours, for a message that asked so | |
//! |---|---|
//! | 2xx | `answered` |
//! | not reached, 5xx, 408, 429 … | posted again, the same bytes |
//! | another status, 72 hours of that, or an address that the partner file does not name any more | `uncertain`; a copy asks anew |
//!
//! | theirs, whenever it comes | the message |
//! |---|---|
//! | says yes to our bytes, signed as agreed | `confirmed` |
//! | says no, signed as agreed | `refused` |
//! | says yes to other bytes, or that it was a duplicate | `uncertain` |
//! | forged, unsigned where a signature is agreed | as it was, and a line in its history |
//! | for nothing that we sent | a line in the log |
//!
//! Whatever it says, a receipt is answered with 200 and nothing, and never with a receipt.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::Gateway;
use super::answer::{RETRY_AFTER, empty, unavailable};
use super::inbound::{Caller, pairs};
use super::outbound::{Agreed, verdict};
use super::retry::{Again, give_up, retry_after};
use super::route::profile;
use super::worker::Setback;
use crate::as2::{self, Headers, Keys, MDN_BYTES, Mdn, PART_HEADER_BYTES, Profile, Receipt};
use crate::net::body::Body;
use crate::store::{self, Answer, Aside, Direction, Key, Retry, Work};

/// A receipt that came by itself: its bytes, and what they say.
struct Came {
    bytes: Bytes,
    mdn: Result<Mdn, as2::Error>,
}

impl Gateway {
    /// Posts the stored receipt for a message to where the message wants it.
    pub(super) async fn give_receipt(&self, work: &Work) -> Result<(), Setback> {
        let detail = self.store.message(work.subject).await?;
        let detail = detail.ok_or_else(|| Setback::Lost("the message is gone".into()))?;
        let (Some(answer), Some(url)) = (detail.answer, detail.answer_to) else {
            return Err(Setback::Lost("it has no receipt to post".into()));
        };
        let known = self.known(work)?;
        let as2 = known.partner.as2.as_ref();
        if !as2.is_some_and(|as2| as2.takes_receipts_at(&url)) {
            let why = format!("the partner file does not name {url}");
            return Err(Setback::Aside(Aside::Uncertain, why));
        }
        let client = known.link.client(&self.client);
        kill!("posting");
        let posted = client.post(&url, &answer.headers, answer.body).await;
        kill!("posted");
        let now = self.clock.now();
        let (retry, after, why) = match posted {
            Ok(given) if given.taken() => {
                let note = format!("{url}: HTTP status {}", given.status);
                tracing::info!(message = %work.subject, partner = work.partner, note, "answered");
                return Ok(self.store.posted(work.lease, note, now).await?);
            }
            Ok(given) => (
                given.retry(),
                retry_after(&given, now),
                format!("{url}: HTTP status {}", given.status),
            ),
            Err(why) => (why.retry(), None, why.to_string()),
        };
        if !retry {
            return Err(Setback::Aside(Aside::Uncertain, format!("given up: {why}")));
        }
        let again = Again {
            why,
            after,
            // It is their message, and it is here: whether they know that is uncertain.
            perhaps_there: true,
            reached: false,
        };
        self.again(work, again, give_up(&known), now).await
    }

    /// The answer to a request whose body is a receipt; `None` where it is none.
    pub(super) async fn receipt_came(&self, caller: &Caller, body: &Body) -> Option<Answer> {
        let kind = caller.headers.get("Content-Type").unwrap_or_default();
        if !kind.to_ascii_lowercase().contains("multipart/") {
            return None;
        }
        let at = self.clock.now();
        let known = Arc::clone(&caller.partnership);
        let as2 = known.partner.as2.as_ref()?;
        let (profile, headers) = (
            profile(as2, self.limits.inflated, at),
            caller.headers.clone(),
        );
        let agreed = Agreed {
            receipt: profile.receipt,
            mic: as2.require_mic,
            later: None,
        };
        let source = body.open();
        let read = move || read(&headers, source?, &known.keys.opening(at), &profile, at);
        let came = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(came)) => came?,
            Ok(Err(why)) => {
                tracing::error!(%why, "cannot read a receipt now");
                return Some(unavailable(RETRY_AFTER));
            }
            Err(why) => {
                tracing::error!(%why, "reading a receipt panicked");
                return Some(unavailable(RETRY_AFTER));
            }
        };
        Some(match self.settle_by(caller, came, agreed, at).await {
            Ok(()) => empty(),
            Err(why) => {
                tracing::error!(%why, "cannot store a receipt now");
                not_now(&why)
            }
        })
    }

    /// Settles the message that a receipt is for, if the receipt proves anything.
    async fn settle_by(
        &self,
        caller: &Caller,
        came: Came,
        agreed: Agreed,
        at: DateTime<Utc>,
    ) -> Result<(), store::Error> {
        let Came { bytes, mdn } = came;
        let partner = &caller.partnership.partner.name;
        let original = match &mdn {
            Ok(mdn) => Some(mdn.original().to_owned()),
            Err(_) => Mdn::claims(&bytes),
        };
        let found = match original.clone() {
            Some(message_id) => {
                let key = Key {
                    message_id,
                    ..caller.key.clone()
                };
                self.store.find(Direction::Outbound, key).await?
            }
            None => None,
        };
        let Some(message) = found else {
            tracing::warn!(partner, original, "a receipt for nothing that we sent");
            return Ok(());
        };
        let message_id = &message.key.message_id;
        let ignored = match mdn {
            Err(why) => why.to_string(),
            // From outside anybody can write one: it neither confirms nor cancels.
            Ok(mdn) if agreed.receipt == Receipt::Signed && mdn.signature.is_none() => {
                format!("it is not signed: {}", mdn.disposition)
            }
            Ok(mdn) => {
                let answer = Answer {
                    status: 200,
                    headers: pairs(&caller.headers),
                    body: bytes,
                };
                let receipt = verdict(&mdn, &message, answer, &agreed);
                let signer = mdn.signature.map(|signed| signed.signer);
                self.note_signer(partner, signer, at).await;
                tracing::info!(message_id, partner, said = receipt.note, "a receipt came");
                kill!("receipt-came");
                self.store.receipt(message.id, receipt, at).await?;
                kill!("receipt-kept");
                self.poke();
                return Ok(());
            }
        };
        tracing::warn!(
            message_id,
            partner,
            why = ignored,
            "a receipt proves nothing"
        );
        let what = "receipt ignored";
        self.store.remark(message.id, what, ignored, at).await?;
        self.moved.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// Reads a body that may be a receipt; no further than its first part where it is none. Blocks.
fn read(
    headers: &Headers,
    mut source: Box<dyn Read + Send>,
    keys: &Keys,
    profile: &Profile,
    at: DateTime<Utc>,
) -> std::io::Result<Option<Came>> {
    let mut bytes = Vec::new();
    let start = PART_HEADER_BYTES as u64;
    source.by_ref().take(start).read_to_end(&mut bytes)?;
    if !Mdn::is(headers, &bytes) {
        return Ok(None);
    }
    // One byte too many, so that reading it tells of the limit.
    let rest = (MDN_BYTES + 1).saturating_sub(bytes.len()) as u64;
    source.take(rest).read_to_end(&mut bytes)?;
    let mdn = Mdn::read(headers, &bytes, keys, profile, at);
    let bytes = Bytes::from(bytes);
    Ok(Some(Came { bytes, mdn }))
}

/// For who came while the store cannot.
pub(super) fn not_now(why: &store::Error) -> Answer {
    match why.retry() {
        Retry::After(wait) => unavailable(wait.as_secs()),
        _ => unavailable(RETRY_AFTER),
    }
}
