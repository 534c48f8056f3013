//! One X12 file to one partner, on somebody's word: `send`, and what became of it.

use std::io::{self, Cursor, Read};

use uuid::Uuid;

use super::inbound::{IN_MEMORY, kept};
use super::{Error, Gateway, compose, route};
use crate::as2::{Headers, Mdn};
use crate::net::spool::Spool;
use crate::store::{
    self, Document, DocumentState, Draft, Event, MessageDetail, MessageState, NewDocument,
};

/// What became of a file after the first try.
#[derive(Debug)]
pub enum Sent {
    /// There is no message, and why.
    Held(String),
    /// There is one. Where it is still `sealed` or `sent`, it will be tried again.
    Message(Box<MessageDetail>),
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
        mut source: impl Read + Send + 'static,
    ) -> Result<Uuid, Error> {
        let known = self.partnership(partner);
        let known = known.ok_or_else(|| Error::NoPartner(partner.to_owned()))?;
        if route::transport(&known.partner, "", None).is_none() {
            return Err(Error::NoTransport(partner.to_owned()));
        }
        if known.partner.as2.is_some() {
            let at = self.clock.now();
            let sealing = known.keys.sealing(at);
            let keys = sealing.signer(at).map(drop);
            let keys = keys.and_then(|()| sealing.recipient(at).map(drop));
            keys.map_err(|why| Error::NotSendable(why.to_string()))?;
        }
        let mut spool = Spool::new(self.store.spool(), IN_MEMORY);
        let looked = tokio::task::spawn_blocking(move || {
            let spooled = io::copy(&mut source, &mut spool).and_then(|_| spool.finish());
            let spooled = spooled.map_err(|why| why.to_string())?;
            let digest = spooled.sha256().unwrap_or_default();
            let file = spooled.open().map_err(|why| why.to_string())?;
            let raw = compose::raw(file, &digest)?;
            Ok((spooled, digest, raw))
        });
        let looked = looked.await.map_err(|why| why.to_string());
        let looked = looked.and_then(|looked| looked);
        let (spooled, digest, (content, set, number)) = looked.map_err(Error::NotSendable)?;
        let id = Uuid::now_v7();
        let document = NewDocument {
            id,
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
        let partner = partner.to_owned();
        let payload = Some(kept(&spooled, digest));
        let draft = Draft {
            partner,
            document,
            payload,
        };
        self.store.draft(draft, self.clock.now()).await?;
        // A file was there until it was kept.
        drop(spooled);
        self.poke();
        Ok(id)
    }

    /// The same, and waits until the message is settled or its first try has failed. A worker
    /// has to run.
    ///
    /// # Errors
    /// As [`Gateway::send`].
    pub async fn send_and_wait(
        &self,
        partner: &str,
        source: impl Read + Send + 'static,
    ) -> Result<Sent, Error> {
        let id = self.send_from(partner, source).await?;
        let mut moved = self.moved();
        loop {
            moved.borrow_and_update();
            if let Some(sent) = self.outcome(id).await? {
                return Ok(sent);
            }
            // The sender is ours, and outlives this.
            let _ = moved.changed().await;
        }
    }

    async fn outcome(&self, document: Uuid) -> Result<Option<Sent>, store::Error> {
        let Some(detail) = self.store.document(document).await? else {
            return Ok(None);
        };
        if let Some(message) = self.carrier(&detail.document).await? {
            let tried = setback(&message.events).is_some();
            let open = message.message.state == MessageState::Sealed && !tried;
            return Ok((!open).then(|| Sent::Message(Box::new(message))));
        }
        let why = match detail.document.state {
            DocumentState::Held => Some(detail.document.note),
            _ => setback(&detail.events),
        };
        Ok(why.map(Sent::Held))
    }

    /// The message that a document travels in, either way; `None` before it is sealed.
    ///
    /// # Errors
    /// The store's.
    pub async fn carrier(
        &self,
        document: &Document,
    ) -> Result<Option<MessageDetail>, store::Error> {
        let Some(interchange) = document.interchange else {
            return Ok(None);
        };
        let found = self.store.interchange(interchange).await?;
        match found.and_then(|(interchange, _)| interchange.message) {
            Some(message) => self.store.message(message).await,
            None => Ok(None),
        }
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

/// What the last try that failed said.
fn setback(events: &[Event]) -> Option<String> {
    let last = events.iter().rfind(|event| event.what == "retry");
    last.map(|event| event.detail.clone())
}
