//! The rows in memory.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::queue::Queued;
use crate::store::{
    AT_ONCE, Answer, Digest, Document, Error, Event, Headers, Interchange, Key, MISSES, Message,
    Observed, Payload, Submission,
};

#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) messages: Vec<MessageRow>,
    pub(super) interchanges: Vec<Interchange>,
    pub(super) documents: Vec<DocumentRow>,
    pub(super) events: Vec<Event>,
    pub(super) dedupe: BTreeMap<Key, Uuid>,
    pub(super) payloads: HashMap<Digest, Bytes>,
    pub(super) work: BTreeMap<i64, Queued>,
    pub(super) last_work: i64,
    pub(super) turns: BTreeMap<String, u64>,
    /// Tries in a row that did not reach a partner, and until when it is shut.
    pub(super) circuits: BTreeMap<String, (u32, Option<DateTime<Utc>>)>,
    /// What partners' servers bear: so many at once, so many misses.
    pub(super) allowed: BTreeMap<String, (u32, u32)>,
    pub(super) counters: BTreeMap<(String, &'static str), u32>,
    pub(super) seen: BTreeMap<(String, String, String), DateTime<Utc>>,
    pub(super) bridge: BTreeMap<String, String>,
    pub(super) observations: BTreeMap<(String, String), Observed>,
    pub(super) submissions: BTreeMap<Uuid, Submission>,
}

#[derive(Clone)]
pub(super) struct MessageRow {
    pub(super) message: Message,
    pub(super) headers: Headers,
    pub(super) answer: Option<Answer>,
    pub(super) answer_to: Option<String>,
}

#[derive(Clone)]
pub(super) struct DocumentRow {
    pub(super) document: Document,
    pub(super) key: Option<String>,
    pub(super) content: String,
    pub(super) findings: String,
}

impl Rows {
    /// How many pieces of work a partner's server bears at once, and how many misses in a row shut
    /// its circuit.
    pub(super) fn bears(&self, partner: &str) -> (u32, u32) {
        let said = self.allowed.get(partner).copied();
        said.unwrap_or((AT_ONCE, MISSES))
    }

    pub(super) fn message_mut(&mut self, id: Uuid) -> Result<&mut MessageRow, Error> {
        let row = self.messages.iter_mut().find(|row| row.message.id == id);
        row.ok_or_else(|| Error::missing("message", id))
    }

    pub(super) fn document_mut(&mut self, id: Uuid) -> Result<&mut DocumentRow, Error> {
        let row = self.documents.iter_mut().find(|row| row.document.id == id);
        row.ok_or_else(|| Error::missing("document", id))
    }

    pub(super) fn documents_in(&self, interchange: Uuid) -> Vec<Uuid> {
        let rows = self.documents.iter().map(|row| &row.document);
        rows.filter(|row| row.interchange == Some(interchange))
            .map(|row| row.id)
            .collect()
    }

    pub(super) fn documents_of(&self, message: Uuid) -> Vec<Uuid> {
        let within = |document: &Document| {
            self.interchanges
                .iter()
                .any(|row| row.message == Some(message) && document.interchange == Some(row.id))
        };
        let rows = self.documents.iter().map(|row| &row.document);
        rows.filter(|row| within(row)).map(|row| row.id).collect()
    }

    pub(super) fn keep(&mut self, payload: &Payload) -> Result<(), Error> {
        if let Entry::Vacant(place) = self.payloads.entry(payload.digest) {
            let bytes = payload.read();
            place.insert(bytes.map_err(|why| Error::io("a payload handed in", &why))?);
        }
        Ok(())
    }

    pub(super) fn insert_message(&mut self, row: MessageRow) -> Result<(), Error> {
        let Message {
            id,
            state,
            ref note,
            created,
            ..
        } = row.message;
        if self.messages.iter().any(|row| row.message.id == id) {
            return Err(Error::invalid(format!("message {id} is there already")));
        }
        self.log(id, state.as_str(), note, created);
        self.messages.push(row);
        Ok(())
    }
}
