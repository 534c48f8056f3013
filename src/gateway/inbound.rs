//! A message arrives: who is let in, what is answered, and what is stored with the answer.
//!
//! | case | answer | stored |
//! |---|---|---|
//! | unknown pair of AS2 names | 403, the same for all; by setting an unsigned MDN | nothing |
//! | without the agreed client certificate, or user and password | 403, 401 | nothing |
//! | new and sound | MDN `processed` | message, MDN and work, in one transaction |
//! | the same, with `Receipt-Delivery-Option` | 202; the MDN is posted there | the same, with the address |
//! | an address that the partner file does not name | 403 with an MDN `failed` | the message, as refused |
//! | a receipt | 200 and nothing; see `receipt` | what it settles |
//! | accepted before, same content | the stored MDN, byte for byte, the way the copy asks for it | an event |
//! | accepted before, other content | error MDN | an event |
//! | does not open, or less protected than agreed | error MDN | the message, as refused |
//! | our store or disk failed | 503 and no MDN: the sender tries again | nothing |
//!
//! Only a message that was verified is looked up: nobody can occupy a partner's ids.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::answer::{RETRY_AFTER, empty, taken, text, unavailable, until_beat};
use super::certificates::seen;
use super::receipt::not_now;
use super::route::{Partnership, profile};
use super::{Gateway, exchange, link, related};
use crate::as2::{self, Disposition, Headers, Mdn, MdnFields, Mic, ReceiptRequest, sha256};
use crate::net::body::Body;
use crate::net::spool::{Spool, Spooled};
use crate::partner::As2;
use crate::partner::keyring::Use;
use crate::store::{self, Accepted, Answer, Arrival, Direction, Key, Payload};

/// Longest Message-ID that we keep (RFC 5322 §2.1.1).
const MESSAGE_ID: usize = 998;
/// Bytes of a content that stay in memory while a message is opened or sealed: as many as the
/// store puts into a row.
pub(super) const IN_MEMORY: usize = 64 << 10;

/// A sender whose names are those of a partner. Nothing is proved yet.
pub struct Caller {
    pub(super) partnership: Arc<Partnership>,
    pub(super) headers: Headers,
    /// Its Message-ID is empty where there is none that can be kept: a receipt needs none.
    pub(super) key: Key,
    /// Where it comes from, as far as we were told.
    pub(super) site: IpAddr,
}

/// What is answered to a message, and the URL that it is posted to where that is not the request.
struct Given {
    answer: Answer,
    to: Option<String>,
}

/// A message with the verdict on it.
struct Judged {
    arrival: Arrival,
    /// What holds the content's file until the store has it.
    content: Option<Spooled>,
    /// Whether it may be accepted.
    sound: bool,
    /// The certificates that it was opened with.
    seen: Vec<(Use, String)>,
    /// What the log says.
    reason: String,
}

/// A verdict, before it is put into a receipt.
struct Weighed {
    disposition: Disposition,
    mic: Option<Mic>,
    /// The media type and the file name of the content.
    about: (Option<String>, Option<String>),
    /// The content where it may be accepted, and what holds its file.
    content: Option<(Payload, Spooled)>,
    seen: Vec<(Use, String)>,
    reason: String,
}

impl Gateway {
    /// Finds the partner by `AS2-From` and `AS2-To`, unquoted and exact, before the body is read.
    ///
    /// # Errors
    /// The answer for who is not let in: the same 403 for every stranger, 400 where a name is none
    /// or stands twice, 401 or 403 where the partner file demands more than was shown.
    /// `certificate` is the fingerprint of the certificate that the client showed by TLS.
    pub fn admit(
        &self,
        headers: store::Headers,
        certificate: Option<&str>,
    ) -> Result<Caller, Answer> {
        // A password is looked at, and not kept.
        let secret = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        let (shown, headers): (Vec<_>, Vec<_>) = headers.into_iter().partition(secret);
        let headers: Headers = headers.into_iter().collect();
        let names = [
            ("AS2-From", headers.as2_from()),
            ("AS2-To", headers.as2_to()),
        ];
        for (field, name) in &names {
            if let Err(why) = name
                && headers.get(field).is_some()
            {
                tracing::info!(%why, "refused a name that is none");
                return Err(text(400, &why.to_string()));
            }
        }
        let [(_, from), (_, to)] = names;
        let names = from.ok().zip(to.ok());
        let agreed = self.agreed();
        let find = |from: &str, to: &str| {
            let any_case = planted!("names-without-case");
            let same = |id: &str| id == from || any_case && id.eq_ignore_ascii_case(from);
            let is = |as2: &As2| same(&as2.id) && as2.our_id == to;
            let mut all = agreed.partnerships.iter();
            all.find(|known| known.partner.as2.as_ref().is_some_and(is))
        };
        // What follows a blank in a name without quotes may be a comment of somebody's.
        let word = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
        let known = names.as_ref().and_then(|(from, to)| {
            let known = find(from, to);
            known.or_else(|| find(&word(from), &word(to)))
        });
        let Some((partnership, as2)) = known.and_then(|k| Some((k, k.partner.as2.as_ref()?)))
        else {
            tracing::info!("refused a stranger");
            return Err(self.stranger(&headers));
        };
        if let Some(answer) = partnership.link.refuses(&shown, certificate) {
            return Err(answer);
        }
        let message_id = headers.message_id().and_then(message_id);
        let partnership = Arc::clone(partnership);
        let key = Key {
            our_id: as2.our_id.clone(),
            partner_id: as2.id.clone(),
            message_id: message_id.unwrap_or_default(),
        };
        Ok(Caller {
            partnership,
            headers,
            key,
            site: Ipv4Addr::UNSPECIFIED.into(),
        })
    }

    /// The answer for a stranger. Nothing is signed for one, and nothing is posted.
    fn stranger(&self, headers: &Headers) -> Answer {
        let refused = || text(403, "no such relationship");
        let request = ReceiptRequest::read(headers, false);
        let asks = request.is_some_and(|request| request.deliver_to.is_none());
        let Some(to) = headers
            .as2_to()
            .ok()
            .filter(|_| asks && self.tell_strangers)
        else {
            return refused();
        };
        let (mut entropy, at) = (self.entropy, self.clock.now());
        let id = as2::message_id(&to, &mut entropy, at);
        let unknown = Disposition::error("unknown-trading-relationship");
        let fields = MdnFields::answer(headers, &id, unknown, None);
        let written = Mdn::write(&fields, None, &mut entropy, at);
        let answer = |(headers, body): (Headers, Vec<u8>)| Answer {
            status: 200,
            headers: pairs(&headers),
            body: body.into(),
        };
        written.map_or_else(|_| refused(), answer)
    }

    /// Opens a message, stores it with its receipt, and gives the answer for the sender. When
    /// this returns a 2xx, everything that follows from the message is durable.
    pub async fn receive(self: &Arc<Self>, caller: Caller, body: Body) -> Answer {
        let whole = Instant::now();
        kill!("arrived");
        if let Some(answer) = self.receipt_came(&caller, &body).await {
            return answer;
        }
        match self.judge_and_keep(caller, body).await {
            Ok(answer) => answer,
            Err(refusal) => {
                sleep(until_beat(whole.elapsed())).await;
                refusal
            }
        }
    }

    /// Opens and stores a message: the answer to what is sound, or to what is refused.
    async fn judge_and_keep(
        self: &Arc<Self>,
        caller: Caller,
        body: Body,
    ) -> Result<Answer, Answer> {
        let turn = self.opening.acquire().await;
        let turn = turn.expect("the semaphore is never closed");
        let at = self.clock.now();
        let this = Arc::clone(self);
        let opening = tokio::task::spawn_blocking(move || {
            let judged = this.judge(&caller, &body, at);
            if let Ok(judged) = &judged {
                this.trace_came(&caller, &body, &judged.arrival);
            }
            (caller, body, judged)
        });
        // A body in a file is there until it is kept.
        let (caller, _body, judged) = match opening.await {
            Ok(opened) => opened,
            Err(why) => {
                tracing::error!(%why, "opening a message panicked");
                return Err(unavailable(RETRY_AFTER));
            }
        };
        let (partner, message_id) = (&caller.partnership.partner.name, &caller.key.message_id);
        let Judged {
            arrival,
            content: _content,
            sound,
            seen,
            reason,
        } = match judged {
            Ok(judged) => judged,
            Err(why) => {
                tracing::error!(message_id, partner, %why, "cannot open now");
                return Err(unavailable(RETRY_AFTER));
            }
        };
        tracing::info!(
            message_id,
            partner,
            disposition = arrival.note,
            reason,
            "received"
        );
        // Only who asks again what was answered gets an answer where there is no room.
        if let Some(answer) = self.not_now()
            && !(sound && self.came_before(&caller).await)
        {
            return Err(answer);
        }
        kill!("judged");
        // Two writes that wait together are one commit.
        let (answer, noted) = tokio::join!(
            self.keep(&caller, arrival, sound, at),
            self.note(partner, seen, at)
        );
        if let Err(why) = noted {
            tracing::warn!(partner, %why, "cannot note which certificates were used");
        }
        drop(turn);
        kill!("accepted");
        let answer = answer.map_err(|why| {
            tracing::error!(message_id, partner, %why, "cannot store now");
            not_now(&why)
        })?;
        if sound { Ok(answer) } else { Err(answer) }
    }

    /// Whether a message was accepted under this id: its answer is kept, and takes no room.
    async fn came_before(&self, caller: &Caller) -> bool {
        let found = self.store.find(Direction::Inbound, caller.key.clone());
        found.await.is_ok_and(|found| found.is_some())
    }

    /// Stores a message with its answer, and gives the answer that counts.
    async fn keep(
        self: &Arc<Self>,
        caller: &Caller,
        arrival: Arrival,
        sound: bool,
        at: DateTime<Utc>,
    ) -> Result<Answer, store::Error> {
        let (id, key) = (arrival.id, &caller.key);
        // What goes to the request itself.
        let apart = arrival.answer_to.is_some();
        let now = |answer: Option<Answer>| match apart {
            true => taken(),
            false => answer.unwrap_or_else(empty),
        };
        let answer = now(arrival.answer.clone());
        if !sound {
            self.store.refuse(arrival, at).await?;
            self.poke();
            return Ok(answer);
        }
        let unused = Arrival {
            content: None,
            ..arrival.clone()
        };
        if planted!("answered-before-commit") {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.store.accept(arrival, at).await.map(|_| this.poke()) });
            return Ok(answer);
        }
        match self.store.accept(arrival, at).await? {
            Accepted::New { resend_of } => {
                if let Some(first) = resend_of {
                    tracing::warn!(message_id = key.message_id, %first, "seems re-sent");
                }
                self.proved(caller);
                self.poke();
                if !apart {
                    self.left(id);
                }
                Ok(answer)
            }
            Accepted::Duplicate { message, answer } => {
                tracing::info!(message_id = key.message_id, first = %message, "came before");
                self.poke();
                if !apart {
                    self.left(message);
                }
                let answer = planted!("duplicate-answered-anew", unused.answer, answer);
                Ok(now(answer))
            }
            Accepted::Reused { message } => {
                tracing::warn!(message_id = key.message_id, first = %message, "id reused");
                Ok(self.reused(caller, unused, at).await?)
            }
        }
    }

    /// Notes that an answer is on its way to the socket; whether the sender got it, only a second
    /// copy would tell.
    fn left(self: &Arc<Self>, id: Uuid) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            kill!("answering");
            if let Err(why) = this.store.answered(id, this.clock.now()).await {
                tracing::warn!(%id, %why, "cannot note the answer");
            }
            kill!("answered");
        });
    }

    /// The answer to a message under the id of another one. Nothing of it is kept, but for a
    /// receipt that has to be posted.
    async fn reused(
        &self,
        caller: &Caller,
        arrival: Arrival,
        at: DateTime<Utc>,
    ) -> Result<Answer, store::Error> {
        let request = ReceiptRequest::read(&caller.headers, false);
        let reused = Disposition::error("message-id reused with different content");
        let note = reused.to_string();
        let given = self.receipt(caller, request.as_ref(), reused, None, at);
        let Ok(Given { answer, to }) = given else {
            return Ok(unavailable(RETRY_AFTER));
        };
        if to.is_none() {
            return Ok(answer);
        }
        let refused = Arrival {
            answer: Some(answer),
            answer_to: to,
            note,
            ..arrival
        };
        self.store.refuse(refused, at).await?;
        self.poke();
        Ok(taken())
    }

    /// Opens a message and writes the receipt for it. Blocks.
    fn judge(&self, caller: &Caller, body: &Body, at: DateTime<Utc>) -> Result<Judged, as2::Error> {
        let partnership = &caller.partnership;
        let as2 = partnership.partner.as2.as_ref();
        let as2 = as2.expect("who was admitted has an [as2]");
        let profile = profile(as2, self.limits.inflated, at);
        // Its digest is found by who opens it.
        let mut content = Spool::undigested(self.store.spool(), IN_MEMORY);
        let keys = &partnership.keys.opening(at);
        let opened = match caller.key.message_id.as_str() {
            "" => Err(no_message_id()),
            _ => {
                let source = body.open()?;
                as2::open(&caller.headers, source, &mut content, keys, &profile, at)
            }
        };
        self.count_undecrypted(caller, &opened, &profile, at);
        let request = ReceiptRequest::read(&caller.headers, profile.legacy);
        let refused = refusal(as2, request.as_ref());
        let Weighed {
            disposition,
            mic,
            about: (content_type, file_name),
            content,
            seen,
            reason,
        } = weigh(opened, content, refused, profile.diagnostic)?;
        let (content, spooled) = content.unzip();
        let sound = content.is_some();
        let note = disposition.to_string();
        let told = self.receipt(caller, request.as_ref(), disposition, mic.clone(), at);
        let Given { answer, to } = told?;
        let arrival = Arrival {
            id: Uuid::now_v7(),
            partner: partnership.partner.name.clone(),
            transport: "as2".into(),
            key: caller.key.clone(),
            headers: pairs(&caller.headers),
            body: kept(body, body.sha256().unwrap_or_default()),
            content,
            content_type,
            file_name,
            mic: mic.map(|mic| mic.to_string()),
            answer: Some(answer),
            answer_to: to,
            note,
        };
        Ok(Judged {
            arrival,
            content: spooled,
            sound,
            seen,
            reason,
        })
    }

    /// The answer to a message: its MDN where one is asked for, signed if it shall be.
    fn receipt(
        &self,
        caller: &Caller,
        request: Option<&ReceiptRequest>,
        disposition: Disposition,
        mic: Option<Mic>,
        at: DateTime<Utc>,
    ) -> Result<Given, as2::Error> {
        let as2 = caller.partnership.partner.as2.as_ref();
        let Some((request, as2)) = request.zip(as2) else {
            let answer = match disposition.is_positive() {
                true => empty(),
                false => text(400, "the message was refused"),
            };
            return Ok(Given { answer, to: None });
        };
        let mut entropy = self.entropy;
        let id = as2::message_id(&caller.key.our_id, &mut entropy, at);
        let fields = MdnFields {
            version: as2.version,
            scheme: as2.signature,
            ..MdnFields::answer(&caller.headers, &id, disposition, mic)
        };
        let digest = request.micalg.filter(|digest| !digest.weak());
        let digest = digest.unwrap_or(as2::Digest::Sha256);
        // A receipt that cannot be what was asked for is not signed some other way.
        let keys = caller.partnership.keys.sealing(at);
        let signer = match request.signed && request.refusal.is_none() {
            true => Some((keys.signer(at)?, digest)),
            false => None,
        };
        let (mut headers, body) = Mdn::write(&fields, signer, &mut entropy, at)?;
        link::claim(as2, &mut headers);
        let to = request.deliver_to.clone();
        // An address that is not agreed is asked for nothing; the sender hears of it here, with a
        // status that he sees without waiting for a receipt.
        let to = to.filter(|url| as2.takes_receipts_at(url));
        let status = match to.is_none() && request.deliver_to.is_some() {
            true => 403,
            false => 200,
        };
        let answer = Answer {
            status,
            headers: pairs(&headers),
            body: body.into(),
        };
        Ok(Given { answer, to })
    }
}

/// The verdict on what was opened, or was not; `refused` is why its receipt cannot be made.
fn weigh(
    opened: Result<as2::Opened, as2::Error>,
    content: Spool,
    refused: Option<Disposition>,
    diagnostic: bool,
) -> Result<Weighed, as2::Error> {
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) if why.is_ours() => return Err(why),
        Err(why) => {
            return Ok(Weighed {
                disposition: why.disposition(diagnostic),
                mic: None,
                about: (None, None),
                content: None,
                seen: Vec::new(),
                reason: why.to_string(),
            });
        }
    };
    let spooled = content.finish()?;
    let refused = match refused {
        Some(told) => Some((
            told,
            "the receipt that is asked for cannot be made".to_owned(),
        )),
        None => match exchange::unusable(&opened, &spooled)? {
            None => related::unusable(&opened.content_type, &spooled)?,
            told => told,
        },
    };
    let content = (kept(&spooled, opened.payload_sha256), spooled);
    let sound = || (Disposition::processed(), protection(&opened));
    let content = refused.is_none().then_some(content);
    let (disposition, reason) = refused.unwrap_or_else(sound);
    Ok(Weighed {
        disposition,
        mic: Some(opened.mic.clone()),
        about: (Some(opened.content_type.clone()), opened.file_name.clone()),
        content,
        seen: seen(&opened),
        reason,
    })
}

/// What is answered where the receipt cannot be what is asked for.
fn refusal(as2: &As2, request: Option<&ReceiptRequest>) -> Option<Disposition> {
    let request = request?;
    let elsewhere = request.deliver_to.as_ref();
    let elsewhere = elsewhere.filter(|url| !as2.takes_receipts_at(url));
    let elsewhere = elsewhere.map(|_| Disposition::failure("receipt address not agreed"));
    request.refusal.clone().or(elsewhere)
}

fn no_message_id() -> as2::Error {
    let problem = format!("is not 1 to {MESSAGE_ID} printable characters without blanks");
    as2::Error::header("Message-ID", problem)
}

/// One line about the layers of a message.
fn protection(opened: &as2::Opened) -> String {
    let secured = &opened.secured;
    let signed = secured.signed.as_ref().map(|s| s.algorithm.clone());
    let encrypted = secured
        .encrypted
        .as_ref()
        .map(|e| e.cipher.name().to_owned());
    let compressed = secured.compressed.then(|| "compressed".to_owned());
    let layers: Vec<String> = [signed, encrypted, compressed]
        .into_iter()
        .flatten()
        .collect();
    match layers.is_empty() {
        true => "in clear".into(),
        false => layers.join(", "),
    }
}

/// The id without its angle brackets, where it can be kept and told.
fn message_id(field: &str) -> Option<String> {
    let bare = field.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    let bare = bare.unwrap_or(field);
    let sound =
        (1..=MESSAGE_ID).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_graphic());
    sound.then(|| bare.to_owned())
}

/// Bytes with their digest.
pub(super) fn payload(bytes: Bytes) -> Payload {
    let digest = sha256(&bytes);
    Payload::new(bytes, digest)
}

/// What was spooled, for the store to keep. A file has to be there until it does.
pub(super) fn kept(spooled: &Spooled, digest: store::Digest) -> Payload {
    match (spooled.memory(), spooled.file()) {
        (None, Some(path)) => {
            Payload::file(path, spooled.len(), digest).summed(Some(spooled.sum()))
        }
        (bytes, _) => Payload::new(bytes.cloned().unwrap_or_default(), digest),
    }
}

/// Header fields as the store keeps them.
pub(super) fn pairs(headers: &Headers) -> store::Headers {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    headers.iter().map(owned).collect()
}
