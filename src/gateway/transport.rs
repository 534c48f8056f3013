//! How bytes leave and arrive: AS2 and folder, one `match` a question.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::inbound::{IN_MEMORY, kept, pairs, payload};
use super::outbound::{Agreed, Fate, OTHER, checked, fate_of_answer, fate_of_error, mark};
use super::retry::Again;
use super::route::{Partnership, profile};
use super::worker::Setback;
use super::{Gateway, compose, restart};
use crate::as2::{self, hex};
use crate::bridge::folder::{Inbox, Kept, Look, safe};
use crate::bridge::{Bridge, Incoming};
use crate::canonical::Document;
use crate::net::client::Outgoing;
use crate::net::spool::{Spool, Spooled};
use crate::partner::{As2, Receipt, ReceiptMode, Transport};
use crate::store::{
    self, Accepted, Arrival, DocumentState, Draft, Key, MessageDetail, MessageState, NewDocument,
    Payload, Place, Sealed,
};

/// Files taken at one look: a poll comes again soon.
const FILES: usize = 64;
/// The header that asks for an asynchronous receipt.
pub(super) const DELIVER_TO: &str = "Receipt-Delivery-Option";
/// Where the end of an interchange is looked for: IEA has 24 bytes at most, padding follows.
const TAIL: usize = 1024;

/// A request that carries a message.
pub(super) struct Ask<'a> {
    pub(super) url: &'a str,
    pub(super) headers: &'a store::Headers,
    pub(super) body: Outgoing,
    /// The body's length.
    pub(super) len: u64,
}

impl Gateway {
    /// Makes a message of an interchange, of which the number and the media type are told, with what
    /// holds its body's file until the store has it. Blocks.
    pub(super) fn sealed(
        &self,
        partnership: &Partnership,
        transport: Transport,
        about: (&str, String),
        content: Payload,
        at: DateTime<Utc>,
    ) -> Result<(Sealed, Option<Spooled>), Setback> {
        if let (Transport::As2, Some(as2)) = (transport, &partnership.partner.as2) {
            let (sealed, body) = self.sealed_as2(partnership, as2, about, &content, at)?;
            return Ok((sealed, Some(body)));
        }
        let id = Uuid::now_v7();
        let sealed = Sealed {
            id,
            transport: "folder".into(),
            key: folder_key(partnership, id.to_string()),
            headers: Vec::new(),
            body: content,
            mic: None,
            content_type: None,
            file_name: None,
            note: "a file".into(),
        };
        Ok((sealed, None))
    }

    /// The same for AS2: signed, encrypted, and with the headers that ask for a receipt.
    fn sealed_as2(
        &self,
        partnership: &Partnership,
        as2: &As2,
        (number, content_type): (&str, String),
        content: &Payload,
        at: DateTime<Utc>,
    ) -> Result<(Sealed, Spooled), Setback> {
        let (mut entropy, keys) = (self.entropy, partnership.keys.sealing(at));
        let profile = profile(as2, self.limits.inflated, at);
        let message_id = as2::message_id(&as2.our_id, &mut entropy, at);
        // What holds several files names each of them inside.
        let name = (!as2::is_related(&content_type)).then(|| format!("{number}.x12"));
        let document = as2::Document {
            content_type: &content_type,
            file_name: name.as_deref(),
            message_id: &message_id,
        };
        let mut body = Spool::new(self.store.spool(), IN_MEMORY);
        let mut source = checked(content).map_err(Setback::later)?;
        let sealed = as2::seal(
            &mut source,
            &mut body,
            document,
            &keys,
            &profile,
            &mut entropy,
            at,
        );
        let sealed = match (sealed, source.broken()) {
            (_, true) => return Err(Setback::Lost(OTHER.into())),
            // No valid certificate, most often: an operator repairs it, and it goes on.
            (sealed, false) => sealed.map_err(Setback::later)?,
        };
        let body = body.finish().map_err(Setback::later)?;
        let mut headers = sealed.headers;
        as2.version.dress(&mut headers);
        let asked = as2.receipt != Receipt::None && as2.receipt_mode == ReceiptMode::Async;
        if let Some(url) = self.receipt_url.as_ref().filter(|_| asked) {
            headers.push(DELIVER_TO, url);
        }
        if as2.restart {
            headers.push(restart::TAG, &restart::tag(self.entropy));
        }
        let note = match (profile.sign, profile.encrypt) {
            (Some(sign), Some(cipher)) => format!("{sign}, {}", cipher.name()),
            (Some(sign), None) => format!("{sign}, in clear"),
            (None, Some(cipher)) => format!("unsigned, {}", cipher.name()),
            (None, None) => "in clear".to_owned(),
        };
        let sealed = Sealed {
            id: Uuid::now_v7(),
            transport: "as2".into(),
            key: Key {
                our_id: as2.our_id.clone(),
                partner_id: as2.id.clone(),
                message_id: message_id.trim_matches(['<', '>']).to_owned(),
            },
            headers: pairs(&headers),
            body: kept(&body, body.sha256().unwrap_or_default()),
            mic: Some(sealed.mic.to_string()),
            content_type: Some(content_type),
            file_name: name,
            note,
        };
        Ok((sealed, body))
    }

    /// Sends a sealed message, and says what came of it.
    pub(super) async fn post(
        &self,
        partnership: &Arc<Partnership>,
        detail: &MessageDetail,
        body: Payload,
    ) -> Fate {
        let message = &detail.message;
        let Some(as2) = (message.transport == "as2")
            .then_some(partnership.partner.as2.as_ref())
            .flatten()
        else {
            return place(partnership, detail, body).await;
        };
        let (len, mark) = (body.len(), mark(&body));
        let outgoing = match body.place.clone() {
            Place::Memory(bytes) => Outgoing::from(bytes),
            Place::File { path, len } => Outgoing::file(path, len, mark),
        };
        let ask = Ask {
            url: &as2.url,
            headers: &detail.headers,
            // What goes on later has to say its length.
            body: outgoing.chunked(as2.chunked && !as2.restart),
            len,
        };
        let client = partnership.link.client(&self.client);
        let posted = restart::post(client, &ask, detail).await;
        self.trace_sent(partnership, detail, body, &posted).await;
        match posted {
            Ok(answer) => {
                let at = self.clock.now();
                let profile = profile(as2, self.limits.inflated, at);
                let later = detail.headers.iter().any(|(name, _)| name == DELIVER_TO);
                // As long again as it has been out already, so that each wait is twice the last.
                let least = TimeDelta::minutes(as2.receipt_minutes.into());
                let later = later.then(|| least.max(at - message.created));
                let agreed = Agreed {
                    receipt: profile.receipt,
                    mic: as2.require_mic,
                    later,
                };
                let keys = partnership.keys.opening(at);
                fate_of_answer(answer, message, &keys, &profile, &agreed, at)
            }
            Err(why) => fate_of_error(&why),
        }
    }

    /// Looks at all folders once. Nothing that goes wrong with one of them stops the others.
    pub(super) async fn look_around(self: &Arc<Self>) {
        for partnership in &self.agreed().partnerships {
            let name = &partnership.partner.name;
            if let Err(why) = self.take_answers(partnership).await {
                tracing::error!(partner = name, %why, "cannot take from the bridge");
            }
            if let Err(why) = self.take_files(partnership).await {
                tracing::error!(partner = name, %why, "cannot take from the folder");
            }
        }
    }

    /// JSON of our own side → drafts. The folder says which partner they are for.
    async fn take_answers(self: &Arc<Self>, partnership: &Arc<Partnership>) -> Result<(), String> {
        let bridge = blocking(partnership, |known| known.bridge.poll(FILES)).await?;
        for incoming in bridge.map_err(|why| why.to_string())? {
            let known = Arc::clone(partnership);
            let read = tokio::task::spawn_blocking(move || {
                let draft = Gateway::draft_of(&known, &incoming);
                (draft, incoming)
            });
            let (draft, incoming) = read.await.map_err(|why| why.to_string())?;
            let kept = match draft {
                Ok(document) => {
                    let partner = partnership.partner.name.clone();
                    let number = document.number.clone();
                    let draft = Draft {
                        partner,
                        document,
                        payload: None,
                    };
                    let drafted = self.store.draft(draft, self.clock.now()).await;
                    let drafted = drafted.map_err(|why| why.to_string())?;
                    kill!("drafted");
                    tracing::info!(file = incoming.name, number, ?drafted, "from the bridge");
                    self.poke();
                    blocking(partnership, move |known| known.bridge.done(&incoming)).await?
                }
                Err(why) => {
                    tracing::warn!(
                        file = incoming.name,
                        why,
                        "the bridge gave what cannot go out"
                    );
                    blocking(partnership, move |known| {
                        known.bridge.refuse(&incoming, &why)
                    })
                    .await?
                }
            };
            kept.map_err(|why| why.to_string())?;
        }
        Ok(())
    }

    fn draft_of(known: &Partnership, incoming: &Incoming) -> Result<NewDocument, String> {
        let document = Document::from_json(&incoming.bytes).map_err(|why| why.to_string())?;
        let (set, ..) = compose::body(&document, &known.partner, &known.library)?;
        let digest = hex(&as2::sha256(&incoming.bytes));
        Ok(NewDocument {
            id: Uuid::now_v7(),
            kind: document.kind().as_str().into(),
            set,
            number: document.number().unwrap_or_default().into(),
            key: Some(format!("{} {digest}", incoming.name)),
            group_control: None,
            set_control: None,
            content: serde_json::to_string(&document).expect("every document has a JSON form"),
            findings: "[]".into(),
            state: DocumentState::Drafted,
        })
    }

    /// X12 files of the partner → messages.
    async fn take_files(&self, partnership: &Arc<Partnership>) -> Result<(), String> {
        if partnership.files.is_none() {
            return Ok(());
        }
        let take = |known: &Partnership| match known.files.as_deref() {
            Some((inbox, _)) => inbox.take(FILES, whole),
            None => Ok(Vec::new()),
        };
        let taken = blocking(partnership, take).await?;
        for file in taken.map_err(|why| why.to_string())? {
            let content = payload(file.bytes.clone().into());
            let now = self.clock.now();
            let arrival = Arrival {
                id: Uuid::now_v7(),
                partner: partnership.partner.name.clone(),
                transport: "folder".into(),
                key: folder_key(partnership, hex(&content.digest)),
                headers: vec![("file-name".into(), file.name.clone())],
                body: content.clone(),
                content: Some(content),
                content_type: None,
                file_name: Some(file.name.clone()),
                mic: None,
                answer: None,
                answer_to: None,
                note: file.name.clone(),
            };
            let id = arrival.id;
            let accepted = self.store.accept(arrival, now).await;
            let accepted = accepted.map_err(|why| why.to_string())?;
            if let Accepted::New { .. } = accepted {
                let answered = self.store.answered(id, now).await;
                answered.map_err(|why| why.to_string())?;
            }
            tracing::info!(file = file.name, ?accepted, "from the folder");
            self.poke();
            let keep = move |known: &Partnership| match known.files.as_deref() {
                Some((inbox, _)) => Inbox::keep(inbox, &file, Kept::Taken),
                None => Ok(()),
            };
            let kept = blocking(partnership, keep).await?;
            kept.map_err(|why| why.to_string())?;
        }
        Ok(())
    }
}

/// Puts a message's file into the partner's outbox, once.
async fn place(partnership: &Arc<Partnership>, detail: &MessageDetail, body: Payload) -> Fate {
    let id = detail.message.id;
    let set = detail.documents.first().map_or("", |one| one.set.as_str());
    let control = detail
        .interchanges
        .first()
        .map_or("", |one| one.control.as_str());
    let name = format!("{}-{}-{id}.x12", safe(set), safe(control));
    let put = move |known: &Partnership| match known.files.as_deref() {
        Some((_, outbox)) => outbox.put(id, &name, || checked(&body)).map(Some),
        None => Ok(None),
    };
    let later = |why| {
        Fate::Later(Again {
            why,
            after: None,
            perhaps_there: false,
            reached: false,
        })
    };
    match blocking(partnership, put).await {
        Ok(Ok(Some((path, _)))) => Fate::Settled(store::Receipt {
            state: MessageState::Confirmed,
            answer: None,
            note: path.display().to_string(),
        }),
        Ok(Ok(None)) => Fate::Dead("the partner file no longer has a [folder]".into()),
        Ok(Err(why)) => later(why.to_string()),
        Err(why) => later(why),
    }
}

/// Folders have no AS2 names: ISA ids, and the digest or id of the file.
fn folder_key(partnership: &Partnership, message_id: String) -> Key {
    let partner = &partnership.partner;
    let ids = partner.x12.as_ref();
    let ids = ids.map(|x12| (x12.ours.id.clone(), x12.theirs.id.clone()));
    let (our_id, partner_id) = ids.unwrap_or_else(|| ("folder".into(), partner.name.clone()));
    Key {
        our_id,
        partner_id,
        message_id,
    }
}

/// Whether a file has the end of an interchange near its end.
fn whole(bytes: &[u8]) -> Look {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    match tail.windows(3).any(|window| window == b"IEA") {
        true => Look::Whole,
        false => Look::Short("it does not end in IEA: it is no whole X12 interchange".into()),
    }
}

/// Runs what blocks beside the tasks that must not.
async fn blocking<T: Send + 'static>(
    partnership: &Arc<Partnership>,
    work: impl FnOnce(&Partnership) -> T + Send + 'static,
) -> Result<T, String> {
    let known = Arc::clone(partnership);
    let done = tokio::task::spawn_blocking(move || work(&known)).await;
    done.map_err(|why| why.to_string())
}

impl Gateway {
    /// Hands a document to our own side.
    pub(super) async fn hand_over(
        &self,
        partnership: &Arc<Partnership>,
        detail: crate::store::DocumentDetail,
    ) -> Result<String, Setback> {
        let submit = move |known: &Partnership| {
            let row = &detail.document;
            known.bridge.submit(&crate::bridge::Outgoing {
                id: row.id,
                kind: &row.kind,
                number: &row.number,
                json: detail.content.as_bytes(),
            })
        };
        match blocking(partnership, submit).await {
            Ok(Ok(receipt)) => Ok(receipt.place),
            Ok(Err(why)) => Err(Setback::later(why)),
            Err(why) => Err(Setback::later(why)),
        }
    }
}
