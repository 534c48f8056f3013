//! The outbound walk: Compose, Seal, Send; and what a partner's answer means.
//!
//! | the partner | the message |
//! |---|---|
//! | a receipt as agreed: signed, ours, positive, the same MIC | `confirmed` |
//! | a receipt that says no; any 4xx but 408, 425, 429 | `refused`; `dead` |
//! | 2xx without a receipt, or with one that proves nothing | sent again, the same bytes |
//! | 2xx where the receipt is to come by itself (see `receipt`) | `sent`; again after `receipt_minutes` |
//! | not reached, 5xx, 429 … | sent again, the same bytes |
//! | says yes to other bytes (another MIC), or does not sign | `uncertain` |
//! | 72 hours of that | `uncertain` where he may have it, else `dead` |

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::retry::{Again, give_up, retry_after};
use super::transport::DELIVER_TO;
use super::worker::Setback;
use super::{Gateway, compose, route};
use crate::as2::{self, Headers, Keys, Mdn, Mic, Profile, Receipt, sha256};
use crate::net::client::{self, Response};
use crate::net::spool::{Checked, Mark};
use crate::store::{
    self, Answer, Aside, Digest, Envelope, Kind, Message, MessageState, Payload, Place, Work,
};

/// What came of sending a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// They said what became of it, or nothing more is to be said; and the fingerprint of the
    /// certificate that a receipt of theirs was signed with.
    Settled(store::Receipt, Option<String>),
    /// The same bytes again, later.
    Later(Again),
    /// They may have it, and sending it again tells no more.
    Uncertain(String),
    /// Sending it again cannot help.
    Dead(String),
}

impl Gateway {
    /// Puts a drafted document into an interchange.
    pub(super) async fn compose(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        let detail = self.store.document(work.subject).await?;
        let detail = detail.ok_or_else(|| Setback::held("the document is gone"))?;
        let known = self.known(work)?;
        let at = self.clock.now();
        let payload = match compose::brings(&detail) {
            Some(digest) => Some(self.payload(digest).await?),
            None => None,
        };
        let plan = tokio::task::spawn_blocking(move || {
            compose::plan(&detail, payload, &known.partner, &known.library, at)
        });
        let plan = plan
            .await
            .map_err(Setback::panicked)?
            .map_err(Setback::held)?;
        let envelope = Envelope {
            id: Uuid::now_v7(),
            pair: plan.pair(),
            groups: 1,
        };
        let subject = work.subject;
        let write: store::Compose = Box::new(move |numbers| plan.compose(subject, numbers));
        kill!("composing");
        let composed = self.store.compose(work.lease, envelope, write, at).await;
        kill!("composed");
        match composed {
            Err(why) if why.kind() == Kind::Compose => Err(Setback::held(why)),
            other => Ok(other.map(drop)?),
        }
    }

    /// Makes the message that carries an interchange.
    pub(super) async fn seal(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        let found = self.store.interchange(work.subject).await?;
        let (interchange, documents) = found.ok_or_else(|| Setback::held("it is gone"))?;
        let known = self.known(work)?;
        let first = documents.first();
        let set = first.map_or("", |document| document.set.as_str());
        let said = match first {
            Some(one) => self.store.document(one.id).await?,
            None => None,
        };
        let said = said.map(|detail| detail.content).unwrap_or_default();
        let (via, content_type) = (via(&said), compose::content_type(&said));
        let transport = route::transport(&known.partner, set, via.as_deref());
        let transport = transport.ok_or_else(|| Setback::held("no [as2] and no [folder]"))?;
        let digest = interchange.payload.unwrap_or_default();
        let content = self.payload(digest).await?;
        let (this, at) = (Arc::clone(self), self.clock.now());
        let sealed = tokio::task::spawn_blocking(move || {
            let about = (interchange.control.as_str(), content_type);
            this.sealed(&known, transport, about, content, at)
        });
        // A body in a file is there until it is kept.
        let (sealed, _body) = sealed.await.map_err(Setback::panicked)??;
        let message_id = sealed.key.message_id.clone();
        kill!("sealing");
        self.store.seal(work.lease, sealed, at).await?;
        kill!("sealed");
        tracing::info!(message_id, partner = work.partner, "sealed");
        Ok(())
    }

    /// Sends a sealed message: the first time, or again.
    pub(super) async fn send_message(&self, work: &Work) -> Result<(), Setback> {
        let detail = self.store.message(work.subject).await?;
        let mut detail = detail.ok_or_else(|| Setback::Aside(Aside::Dead, "it is gone".into()))?;
        if work.lease.attempt > 1 && planted!("new-id-on-retry") {
            let ids = detail.headers.iter_mut();
            for (_, id) in ids.filter(|(name, _)| name == "Message-ID") {
                *id = id.replacen('<', "<again.", 1);
            }
        }
        let known = self.known(work)?;
        let message = &detail.message;
        let waited = message.state == MessageState::Sent
            && detail.headers.iter().any(|(name, _)| name == DELIVER_TO);
        if waited && self.clock.now() - work.queued >= give_up(&known) {
            let why = "given up: no receipt came".to_owned();
            return Err(Setback::Aside(Aside::Uncertain, why));
        }
        let body = self.payload(message.body).await?;
        kill!("sending");
        let fate = self.post(&known, &detail, body).await;
        kill!("asked");
        let now = self.clock.now();
        let (message_id, partner) = (&message.key.message_id, &work.partner);
        tracing::info!(
            message_id,
            partner,
            fate = fate.word(),
            reason = fate.why(),
            "sent"
        );
        let receipt = match fate {
            Fate::Settled(receipt, signer) => {
                self.note_signer(partner, signer, now).await;
                receipt
            }
            Fate::Uncertain(why) => return Err(Setback::Aside(Aside::Uncertain, why)),
            Fate::Dead(why) => return Err(Setback::Aside(Aside::Dead, why)),
            Fate::Later(mut again) => {
                again.perhaps_there |= message.state == MessageState::Sent;
                return self.again(work, again, give_up(&known), now).await;
            }
        };
        self.store.receipt(message.id, receipt, now).await?;
        kill!("settled");
        Ok(())
    }

    /// Stored bytes. Those in memory are as they were stored; a file is checked while it is read.
    pub(super) async fn payload(&self, digest: Digest) -> Result<Payload, Setback> {
        let payload = self.store.payload(digest).await?;
        let payload = payload.ok_or_else(|| Setback::Lost("the bytes are gone".into()))?;
        match &payload.place {
            Place::Memory(bytes) if sha256(bytes) != digest => Err(Setback::Lost(OTHER.into())),
            _ => Ok(payload),
        }
    }
}

/// The transport that the group came by which a 997 answers.
fn via(content: &str) -> Option<String> {
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    content["via"].as_str().map(str::to_owned)
}

/// What is said of stored bytes whose digest is another.
pub(super) const OTHER: &str = "the stored bytes are not what was stored";

/// Reads a payload: the last bytes come only if all are as they were stored.
pub(super) fn checked(payload: &Payload) -> std::io::Result<Checked<store::Source>> {
    Ok(Checked::new(payload.open()?, payload.len(), mark(payload)))
}

/// What tells whether stored bytes are still those: the quicker sum where there is one.
pub(super) fn mark(payload: &Payload) -> Mark {
    payload.sum.map_or(Mark::Sha256(payload.digest), Mark::Sum)
}

impl Fate {
    fn word(&self) -> &'static str {
        match self {
            Fate::Settled(receipt, _) => receipt.state.as_str(),
            Fate::Later(_) => "later",
            Fate::Uncertain(_) => "uncertain",
            Fate::Dead(_) => "dead",
        }
    }

    fn why(&self) -> &str {
        match self {
            Fate::Settled(receipt, _) => &receipt.note,
            Fate::Later(Again { why, .. }) | Fate::Uncertain(why) | Fate::Dead(why) => why,
        }
    }
}

/// What is agreed about the receipt for a message of ours.
pub(super) struct Agreed {
    /// Which one.
    pub(super) receipt: Receipt,
    /// Whether it repeats the digest.
    pub(super) mic: bool,
    /// How long it is waited for, where it comes by itself.
    pub(super) later: Option<TimeDelta>,
}

/// What it means that there was no answer.
pub(super) fn fate_of_error(why: &client::Error) -> Fate {
    match (why.retry(), why.sent()) {
        (true, perhaps_there) => Fate::Later(Again {
            why: why.to_string(),
            after: None,
            perhaps_there,
            reached: false,
        }),
        (false, true) => Fate::Uncertain(why.to_string()),
        (false, false) => Fate::Dead(why.to_string()),
    }
}

/// What an answer means.
pub(super) fn fate_of_answer(
    answer: Response,
    message: &Message,
    keys: &Keys,
    profile: &Profile,
    agreed: &Agreed,
    at: DateTime<Utc>,
) -> Fate {
    let status = answer.status;
    if !answer.taken() {
        let why = format!("HTTP status {status}");
        return match answer.retry() || planted!("refusal-tried-again") {
            true => Fate::Later(Again {
                why,
                after: retry_after(&answer, at),
                perhaps_there: false,
                reached: false,
            }),
            false => Fate::Dead(why),
        };
    }
    let headers: Headers = answer.headers.iter().cloned().collect();
    let kept = Answer {
        status,
        headers: answer.headers,
        body: answer.body,
    };
    if agreed.receipt == Receipt::No {
        let receipt = store::Receipt {
            state: MessageState::Confirmed,
            answer: Some(kept),
            note: format!("HTTP status {status}; no receipt is agreed"),
        };
        return Fate::Settled(receipt, None);
    }
    // They took it, and have not said so in a way that proves it.
    let unproved = |why: String| {
        Fate::Later(Again {
            why,
            after: agreed.later,
            perhaps_there: true,
            reached: true,
        })
    };
    if agreed.later.is_some() && !Mdn::is(&headers, &kept.body) {
        return unproved("their receipt is to come by itself".into());
    }
    let mdn = match Mdn::read(&headers, &kept.body, keys, profile, at) {
        Ok(mdn) => mdn,
        Err(why) => return unproved(format!("no receipt in the answer: {why}")),
    };
    if !reversed(&headers, profile) || !mdn.answers(&message.key.message_id) {
        return unproved("the receipt is for another message".into());
    }
    let signer = mdn.signature.as_ref().map(|signed| signed.signer.clone());
    Fate::Settled(verdict(&mdn, message, kept, agreed), signer)
}

/// Whether the names of a receipt are those of our message, turned round. Some leave them out of
/// an answer, which is for us whatever it says; some quote again what came quoted.
fn reversed(headers: &Headers, profile: &Profile) -> bool {
    let is = |name: &str, found: Result<String, as2::Error>, ours: &str| {
        let again = |found: &str| as2::unquote_name(name, found).is_ok_and(|name| name == ours);
        headers.get(name).is_none() || found.is_ok_and(|found| found == ours || again(&found))
    };
    is("AS2-From", headers.as2_from(), &profile.their_id)
        && is("AS2-To", headers.as2_to(), &profile.our_id)
}

/// What a receipt for this message says.
pub(super) fn verdict(
    mdn: &Mdn,
    message: &Message,
    answer: Answer,
    agreed: &Agreed,
) -> store::Receipt {
    let said = mdn.disposition.to_string();
    let ours = message.mic.as_deref().and_then(Mic::parse);
    let duplicate = || {
        mdn.disposition
            .detail
            .to_ascii_lowercase()
            .contains("duplicate")
    };
    let (state, note) = match (&mdn.mic, &ours) {
        // A second copy of what they have is no failure, and no proof either.
        _ if !mdn.disposition.is_positive() && duplicate() => (
            MessageState::Uncertain,
            format!("they say that it came before: {said}"),
        ),
        _ if !mdn.disposition.is_positive() => (MessageState::Refused, said),
        _ if planted!("unsigned-receipt-confirms") => (MessageState::Confirmed, said),
        _ if agreed.receipt == Receipt::Signed && mdn.signature.is_none() => (
            MessageState::Uncertain,
            format!("the receipt is not signed: {said}"),
        ),
        (Some(theirs), Some(ours)) if theirs == ours || planted!("other-mic-confirms") => {
            (MessageState::Confirmed, said)
        }
        (Some(theirs), Some(ours)) => (
            MessageState::Uncertain,
            format!("they have other bytes: their MIC is {theirs}, ours {ours}"),
        ),
        _ if !agreed.mic => (MessageState::Confirmed, format!("{said}, without a MIC")),
        _ => (
            MessageState::Uncertain,
            format!("the receipt names no MIC: {said}"),
        ),
    };
    store::Receipt {
        state,
        answer: Some(answer),
        note,
    }
}
