//! Queries in memory.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::rows::Rows;
use crate::store::{
    Counts, DETAIL, Digest, Direction, Document, DocumentDetail, DocumentState, Event, Filter,
    Interchange, Key, Message, MessageDetail, MessageState, Payload,
};

impl Rows {
    pub(super) fn find(&self, direction: Direction, key: &Key) -> Option<Message> {
        let holder = self.dedupe.get(key);
        let found =
            self.messages
                .iter()
                .rev()
                .map(|row| &row.message)
                .find(|row| match direction {
                    Direction::Inbound => Some(&row.id) == holder,
                    Direction::Outbound => row.direction == direction && row.key == *key,
                });
        found.cloned()
    }

    pub(super) fn message_detail(&self, id: Uuid) -> Option<MessageDetail> {
        let row = self.messages.iter().find(|row| row.message.id == id)?;
        let interchanges: Vec<_> = self
            .interchanges
            .iter()
            .filter(|row| row.message == Some(id))
            .cloned()
            .collect();
        let documents = self.documents_of(id);
        let mut within = vec![id];
        within.extend(interchanges.iter().map(|row| row.id));
        within.extend(&documents);
        let mut events = self.history(&within);
        events.truncate(DETAIL);
        Some(MessageDetail {
            message: row.message.clone(),
            headers: row.headers.clone(),
            answer: row.answer.clone(),
            answer_to: row.answer_to.clone(),
            interchanges,
            documents: self.heads(|row| documents.contains(&row.id)),
            events,
        })
    }

    pub(super) fn interchange_detail(&self, id: Uuid) -> Option<(Interchange, Vec<Document>)> {
        let row = self.interchanges.iter().find(|row| row.id == id)?;
        Some((row.clone(), self.heads(|row| row.interchange == Some(id))))
    }

    pub(super) fn document_detail(&self, id: Uuid) -> Option<DocumentDetail> {
        let row = self.documents.iter().find(|row| row.document.id == id)?;
        Some(DocumentDetail {
            document: row.document.clone(),
            content: row.content.clone(),
            findings: row.findings.clone(),
            events: self.history(&[id]),
        })
    }

    fn heads(&self, wanted: impl Fn(&Document) -> bool) -> Vec<Document> {
        self.documents
            .iter()
            .map(|row| &row.document)
            .filter(|row| wanted(row))
            .take(DETAIL)
            .cloned()
            .collect()
    }

    fn history(&self, subjects: &[Uuid]) -> Vec<Event> {
        self.events
            .iter()
            .filter(|event| subjects.contains(&event.subject))
            .cloned()
            .collect()
    }

    pub(super) fn list_messages(&self, filter: &Filter<MessageState>) -> Vec<Message> {
        let rows = self
            .messages
            .iter()
            .rev()
            .map(|row| &row.message)
            .filter(|row| takes(filter, row.direction, row.state, &row.partner, row.created));
        rows.take(filter.limit).cloned().collect()
    }

    pub(super) fn list_documents(&self, filter: &Filter<DocumentState>) -> Vec<Document> {
        let rows = self
            .documents
            .iter()
            .rev()
            .map(|row| &row.document)
            .filter(|row| takes(filter, row.direction, row.state, &row.partner, row.created));
        rows.take(filter.limit).cloned().collect()
    }

    pub(super) fn payload(&self, digest: &Digest) -> Option<Payload> {
        let bytes = self.payloads.get(digest)?;
        Some(Payload::new(bytes.clone(), *digest))
    }

    pub(super) fn counts(&self) -> Counts {
        let messages = self
            .messages
            .iter()
            .map(|row| (row.message.direction, row.message.state));
        let documents = self
            .documents
            .iter()
            .map(|row| (row.document.direction, row.document.state));
        Counts {
            messages: tally(messages)
                .map(|((way, state), n)| (way, state, n))
                .collect(),
            documents: tally(documents)
                .map(|((way, state), n)| (way, state, n))
                .collect(),
            work: tally(self.work.values().map(|row| row.kind)).collect(),
        }
    }
}

fn tally<K: Ord>(rows: impl Iterator<Item = K>) -> impl Iterator<Item = (K, u64)> {
    let mut counts = BTreeMap::new();
    rows.for_each(|row| *counts.entry(row).or_insert(0) += 1);
    counts.into_iter()
}

/// Whether a list asks for a row with these columns.
fn takes<State: Copy + PartialEq>(
    filter: &Filter<State>,
    direction: Direction,
    state: State,
    partner: &str,
    created: DateTime<Utc>,
) -> bool {
    filter.direction.is_none_or(|wanted| wanted == direction)
        && filter.state.is_none_or(|wanted| wanted == state)
        && filter
            .partner
            .as_ref()
            .is_none_or(|wanted| wanted == partner)
        && filter.since.is_none_or(|since| created >= since)
}
