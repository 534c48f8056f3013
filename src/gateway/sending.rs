//! X12 files to one partner, on somebody's word: `send`, and what became of it.

use std::io::{self, Cursor, Read};
use std::path::Path;

use uuid::Uuid;

use super::inbound::{IN_MEMORY, kept};
use super::{Error, Gateway, compose, route};
use crate::as2::{self, Entropy, Headers, Mdn};
use crate::net::spool::{Spool, Spooled, copy};
use crate::partner::{Partner, Transport};
use crate::store::{
    self, Document, DocumentState, Draft, Event, MessageDetail, MessageState, NewDocument, Sealed,
    Store,
};

/// What became of a file so far.
#[derive(Debug)]
pub enum Sent {
    /// There is no message, and why.
    Held(String),
    /// There is one. Where it is still `sealed` or `sent`, it will be tried again.
    Message(Box<MessageDetail>),
}

/// How long somebody waits for what he sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Not at all.
    Now,
    /// Until it is settled, or its first try has failed.
    Tried,
    /// Until it is settled: confirmed, refused, uncertain or dead; or held before it has a message.
    Settled,
}

/// What is to be sent, looked through and spooled: it has its envelope, and goes as it is.
#[derive(Debug)]
pub struct Parcel {
    draft: Draft,
    /// Holds the file until the store has taken it.
    _spooled: Spooled,
}

/// A file to be sent with others.
pub type Named = (String, Vec<u8>);

impl Parcel {
    /// One X12 interchange, from anything that can be read, in memory that does not grow with it;
    /// what is large is spooled into `spool`. Blocks.
    ///
    /// # Errors
    /// [`Error::NoTransport`], [`Error::NotSendable`].
    pub fn file(partner: &Partner, mut source: impl Read, spool: &Path) -> Result<Parcel, Error> {
        let mut body = Spool::new(spool, IN_MEMORY);
        let spooled = copy(&mut source, &mut body).and_then(|_| body.finish());
        let spooled = spooled.map_err(unsendable)?;
        let digest = spooled.sha256().unwrap_or_default();
        let file = spooled.open().map_err(unsendable)?;
        let raw = compose::raw(file, &digest).map_err(Error::NotSendable)?;
        Parcel::of(partner, spooled, raw)
    }

    /// Several X12 interchanges as the parts of one message (RFC 6362), the first as its root. A
    /// 997 is matched with the first. Blocks.
    ///
    /// # Errors
    /// As [`Parcel::file`]; only AS2 carries more than one file.
    pub fn together(
        partner: &Partner,
        files: Vec<Named>,
        spool: &Path,
        entropy: Entropy<'_>,
    ) -> Result<Parcel, Error> {
        if route::transport(partner, "", None) != Some(Transport::As2) {
            let why = "several files go together by AS2 only";
            return Err(Error::NotSendable(why.into()));
        }
        let mut first = None;
        for (name, bytes) in &files {
            let raw = compose::raw(&bytes[..], &as2::sha256(bytes));
            let raw = raw.map_err(|why| Error::NotSendable(format!("{name}: {why}")))?;
            first.get_or_insert(raw);
        }
        let parts = files.iter().map(|(name, bytes)| {
            let document = as2::Document {
                content_type: compose::MEDIA_TYPE,
                file_name: Some(name),
                message_id: "",
            };
            (document, Cursor::new(&bytes[..]))
        });
        let related = as2::Related::new(parts.collect(), entropy);
        let mut related = related.map_err(|why| Error::NotSendable(why.to_string()))?;
        let mut body = Spool::new(spool, IN_MEMORY);
        let spooled = io::copy(&mut related, &mut body).and_then(|_| body.finish());
        let spooled = spooled.map_err(unsendable)?;
        let nothing = || Error::NotSendable("no file is named".into());
        let (mut content, set, number) = first.ok_or_else(nothing)?;
        content["sha256"] = as2::hex(&spooled.sha256().unwrap_or_default()).into();
        content["content_type"] = related.content_type().into();
        Parcel::of(partner, spooled, (content, set, number))
    }

    fn of(
        partner: &Partner,
        spooled: Spooled,
        (content, set, number): (serde_json::Value, String, String),
    ) -> Result<Parcel, Error> {
        if route::transport(partner, "", None).is_none() {
            return Err(Error::NoTransport(partner.name.clone()));
        }
        let document = NewDocument {
            id: Uuid::now_v7(),
            kind: compose::INTERCHANGE.into(),
            set,
            number,
            key: None,
            group_control: None,
            set_control: None,
            content: content.to_string(),
            findings: "[]".into(),
            state: DocumentState::Drafted,
        };
        let draft = Draft {
            partner: partner.name.clone(),
            document,
            payload: Some(kept(&spooled, spooled.sha256().unwrap_or_default())),
        };
        let _spooled = spooled;
        Ok(Parcel { draft, _spooled })
    }

    /// The document that it becomes.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.draft.document.id
    }

    /// What the store is given.
    #[must_use]
    pub fn draft(&self) -> Draft {
        self.draft.clone()
    }
}

fn unsendable(why: io::Error) -> Error {
    Error::NotSendable(why.to_string())
}

impl Gateway {
    /// Queues one X12 interchange for a partner as it is: own envelope, own numbers. Gives the
    /// document's id; once its interchange is sealed, the message is found by it. The worker
    /// does the rest.
    ///
    /// # Errors
    /// [`Error::NoPartner`], [`Error::NoTransport`], [`Error::NotSendable`], [`Error::Store`].
    pub async fn send(&self, partner: &str, bytes: &[u8]) -> Result<Uuid, Error> {
        self.send_from(partner, Cursor::new(bytes.to_vec())).await
    }

    /// The same from anything that can be read, in memory that does not grow with it.
    ///
    /// # Errors
    /// As [`Gateway::send`].
    pub async fn send_from(
        &self,
        partner: &str,
        source: impl Read + Send + 'static,
    ) -> Result<Uuid, Error> {
        let known = self.partnership(partner);
        let known = known.ok_or_else(|| Error::NoPartner(partner.to_owned()))?;
        let spool = self.store.spool().to_path_buf();
        let parcel =
            tokio::task::spawn_blocking(move || Parcel::file(&known.partner, source, &spool));
        let parcel = parcel.await;
        let parcel = parcel.map_err(|why| Error::NotSendable(why.to_string()))?;
        self.send_parcel(parcel?).await
    }

    /// Queues what was made ready. Gives the document's id.
    ///
    /// # Errors
    /// [`Error::NoPartner`], [`Error::NotSendable`] where a key or certificate is missing,
    /// [`Error::Store`].
    pub async fn send_parcel(&self, parcel: Parcel) -> Result<Uuid, Error> {
        let name = &parcel.draft.partner;
        let known = self.partnership(name);
        let known = known.ok_or_else(|| Error::NoPartner(name.clone()))?;
        if known.partner.as2.is_some() {
            let at = self.clock.now();
            let sealing = known.keys.sealing(at);
            let keys = sealing.signer(at).map(drop);
            let keys = keys.and_then(|()| sealing.recipient(at).map(drop));
            keys.map_err(|why| Error::NotSendable(why.to_string()))?;
        }
        self.store.draft(parcel.draft(), self.clock.now()).await?;
        self.poke();
        // A file was there until it was kept.
        Ok(parcel.id())
    }

    /// Queues one file, and waits until it is settled or its first try has failed. A worker has to
    /// run.
    ///
    /// # Errors
    /// As [`Gateway::send`].
    pub async fn send_and_wait(
        &self,
        partner: &str,
        source: impl Read + Send + 'static,
    ) -> Result<Sent, Error> {
        let document = self.send_from(partner, source).await?;
        Ok(self.wait(document, Until::Tried).await?)
    }

    /// Waits for what became of a document. A worker has to run, here or elsewhere.
    ///
    /// # Errors
    /// The store's.
    pub async fn wait(&self, document: Uuid, until: Until) -> Result<Sent, store::Error> {
        let mut moved = self.moved();
        loop {
            moved.borrow_and_update();
            if let Some(sent) = became(&*self.store, document, until).await? {
                return Ok(sent);
            }
            // The sender is ours, and outlives this.
            let _ = moved.changed().await;
        }
    }

    /// The message that a parcel would become now: nothing is kept, and nothing is sent.
    ///
    /// # Errors
    /// As [`Gateway::send_parcel`].
    pub async fn rehearse(self: &std::sync::Arc<Self>, parcel: &Parcel) -> Result<Sealed, Error> {
        let Draft {
            partner,
            document,
            payload,
        } = parcel.draft();
        let known = self.partnership(&partner);
        let known = known.ok_or_else(|| Error::NoPartner(partner.clone()))?;
        let transport = route::transport(&known.partner, "", None);
        let transport = transport.ok_or(Error::NoTransport(partner))?;
        let content = payload.expect("a parcel has its bytes");
        let (this, at) = (std::sync::Arc::clone(self), self.clock.now());
        let number = document.number;
        let content_type = compose::content_type(&document.content);
        let sealed = tokio::task::spawn_blocking(move || {
            let about = (number.as_str(), content_type);
            let sealed = this.sealed(&known, transport, about, content, at);
            sealed
                .map(|(sealed, _)| sealed)
                .map_err(|why| why.to_string())
        });
        let sealed = sealed.await.map_err(|why| why.to_string());
        sealed.and_then(|sealed| sealed).map_err(Error::NotSendable)
    }

    /// The message that a document travels in, either way; `None` before it is sealed.
    ///
    /// # Errors
    /// The store's.
    pub async fn carrier(
        &self,
        document: &Document,
    ) -> Result<Option<MessageDetail>, store::Error> {
        carrier(&*self.store, document).await
    }

    /// The receipt that a partner gave for a message of ours, read again from what is stored.
    /// `None` where there is none, or it is not one.
    #[must_use]
    pub fn mdn(&self, detail: &MessageDetail) -> Option<Mdn> {
        let known = self.partnership(&detail.message.partner)?;
        let as2 = known.partner.as2.as_ref()?;
        let answer = detail.answer.as_ref()?;
        let headers: Headers = answer.headers.iter().cloned().collect();
        // As of the day on which it was taken: certificates end, receipts do not.
        let at = detail.message.updated;
        let profile = route::profile(as2, self.limits.inflated, at);
        Mdn::read(
            &headers,
            &answer.body,
            &known.keys.opening(at),
            &profile,
            at,
        )
        .ok()
    }
}

/// What became of a document, where that is far enough for who waits; `None` where it is not.
///
/// # Errors
/// The store's.
pub async fn became(
    store: &dyn Store,
    document: Uuid,
    until: Until,
) -> Result<Option<Sent>, store::Error> {
    let Some(detail) = store.document(document).await? else {
        return Ok(None);
    };
    if let Some(message) = carrier(store, &detail.document).await? {
        use MessageState::{Sealed, Sent as Out};
        let state = message.message.state;
        let done = match until {
            Until::Now => true,
            Until::Tried => state != Sealed || setback(&message.events).is_some(),
            Until::Settled => !matches!(state, Sealed | Out),
        };
        return Ok(done.then(|| Sent::Message(Box::new(message))));
    }
    let why = match (detail.document.state, until) {
        (DocumentState::Held, _) => Some(detail.document.note),
        (_, Until::Settled) => None,
        (_, Until::Tried) => setback(&detail.events),
        (_, Until::Now) => {
            let waits = || "it waits to be sealed".to_owned();
            Some(setback(&detail.events).unwrap_or_else(waits))
        }
    };
    Ok(why.map(Sent::Held))
}

async fn carrier(
    store: &dyn Store,
    document: &Document,
) -> Result<Option<MessageDetail>, store::Error> {
    let Some(interchange) = document.interchange else {
        return Ok(None);
    };
    let found = store.interchange(interchange).await?;
    match found.and_then(|(interchange, _)| interchange.message) {
        Some(message) => store.message(message).await,
        None => Ok(None),
    }
}

/// What the last try that failed said.
fn setback(events: &[Event]) -> Option<String> {
    let last = events.iter().rfind(|event| event.what == "retry");
    last.map(|event| event.detail.clone())
}
