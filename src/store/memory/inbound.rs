//! The transactions of the inbound walk, in memory.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::queue::Queued;
use super::rows::{DocumentRow, MessageRow, Rows};
use crate::store::{
    Accepted, Arrival, DUPLICATE_WINDOW, Direction, Document, DocumentState, Drafted, Error,
    Interchange, Lease, Message, MessageState, NewDocument, NewInterchange, OnDuplicate, Reading,
    Recorded, Verdict, WorkKind,
};

impl Rows {
    pub(super) fn accept(
        &mut self,
        arrival: &Arrival,
        now: DateTime<Utc>,
    ) -> Result<Accepted, Error> {
        let Some(content) = &arrival.content else {
            return Err(Error::invalid(
                "a message is accepted with its content, or refused",
            ));
        };
        if let Some(&message) = self.dedupe.get(&arrival.key) {
            let row = self.message_mut(message)?;
            let (known, answer) = (row.message.content, row.answer.clone());
            if known != Some(content.digest) {
                self.log(message, "id reused", &arrival.note, now);
                return Ok(Accepted::Reused { message });
            }
            self.log(message, "duplicate", &arrival.note, now);
            self.answer_again(message, arrival, now)?;
            return Ok(Accepted::Duplicate { message, answer });
        }
        let resend_of = self.messages.iter().map(|row| &row.message).find(|row| {
            row.direction == Direction::Inbound
                && row.partner == arrival.partner
                && row.content == Some(content.digest)
                && row.created >= now - DUPLICATE_WINDOW
                && row.state != MessageState::Refused
        });
        let resend_of = resend_of.map(|row| row.id);
        self.arrive(arrival, MessageState::Received, resend_of, now)?;
        self.dedupe.insert(arrival.key.clone(), arrival.id);
        self.enqueue(WorkKind::Read, arrival.id, &arrival.partner, now);
        self.answer_to(arrival, now);
        if let Some(first) = resend_of {
            self.log(arrival.id, "seems re-sent", &first.to_string(), now);
        }
        Ok(Accepted::New { resend_of })
    }

    pub(super) fn arrive(
        &mut self,
        arrival: &Arrival,
        state: MessageState,
        resend_of: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.keep(&arrival.body)?;
        let mut content = arrival.content.iter();
        content.try_for_each(|content| self.keep(content))?;
        self.insert_message(MessageRow {
            message: Message {
                id: arrival.id,
                direction: Direction::Inbound,
                partner: arrival.partner.clone(),
                transport: arrival.transport.clone(),
                key: arrival.key.clone(),
                state,
                mic: arrival.mic.clone(),
                body: arrival.body.digest,
                content: arrival.content.as_ref().map(|content| content.digest),
                content_type: arrival.content_type.clone(),
                file_name: arrival.file_name.clone(),
                resend_of,
                note: arrival.note.clone(),
                created: now,
                updated: now,
            },
            headers: arrival.headers.clone(),
            answer: arrival.answer.clone(),
            answer_to: arrival.answer_to.clone(),
        })
    }

    pub(super) fn answer_to(&mut self, arrival: &Arrival, now: DateTime<Utc>) {
        if arrival.answer.is_some() && arrival.answer_to.is_some() {
            self.enqueue(WorkKind::Answer, arrival.id, &arrival.partner, now);
        }
    }

    fn answer_again(
        &mut self,
        message: Uuid,
        copy: &Arrival,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = self.message_mut(message)?;
        if row.answer.is_none() || copy.answer_to.is_none() {
            return Ok(());
        }
        row.answer_to.clone_from(&copy.answer_to);
        if !self.hasten(WorkKind::Answer, message, now) {
            self.enqueue(WorkKind::Answer, message, &copy.partner, now);
        }
        Ok(())
    }

    pub(super) fn posted(
        &mut self,
        lease: Lease,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let work = self.finish(lease, WorkKind::Answer)?;
        self.circuits.remove(&work.partner);
        let message = work.subject;
        let row = &mut self.message_mut(message)?.message;
        if matches!(row.state, MessageState::Received | MessageState::Uncertain) {
            row.state = MessageState::Answered;
            row.updated = now;
        }
        self.log(message, "answered", note, now);
        Ok(())
    }

    pub(super) fn answered(&mut self, message: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let row = &mut self.message_mut(message)?.message;
        if row.state == MessageState::Received {
            row.state = MessageState::Answered;
            row.updated = now;
            self.log(message, "answered", "", now);
        }
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        lease: Lease,
        reading: &Reading,
        now: DateTime<Utc>,
    ) -> Result<Recorded, Error> {
        let work = match reading.more {
            Some(done) => self.progress(lease, WorkKind::Read, done)?,
            None => self.finish(lease, WorkKind::Read)?,
        };
        let mut recorded = Recorded::default();
        if reading.more.is_none() {
            self.log(work.subject, "read", &reading.note, now);
        }
        for interchange in &reading.interchanges {
            let first = self.insert_interchange(&work, interchange, now)?;
            recorded
                .duplicates
                .extend(first.map(|first| (interchange.id, first)));
            let hold = first.is_some() && reading.on_duplicate == OnDuplicate::Hold;
            for document in &interchange.documents {
                let state = match document.state {
                    DocumentState::Read if hold => DocumentState::Held,
                    state => state,
                };
                let within = Some(interchange.id);
                self.insert_document(&work.partner, document, within, state, now)?;
            }
        }
        for draft in &reading.drafts {
            self.draft(&work.partner, draft, now)?;
        }
        for verdict in &reading.verdicts {
            let judged = self.judge(&work.partner, verdict, now)?;
            if judged.is_empty() {
                recorded.unmatched += 1;
                let set = verdict.set_control.as_deref().unwrap_or("-");
                let detail = format!("group {} set {set}", verdict.group_control);
                self.log(work.subject, "verdict on nothing of ours", &detail, now);
            }
            recorded.judged.extend(judged);
        }
        Ok(recorded)
    }

    fn insert_interchange(
        &mut self,
        work: &Queued,
        new: &NewInterchange,
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, Error> {
        let begun = self.interchanges.iter().find(|row| row.id == new.id);
        if let Some(begun) = begun.filter(|row| row.message == Some(work.subject)) {
            return Ok(begun.duplicate_of);
        }
        if begun.is_some() {
            return Err(Error::invalid(format!(
                "interchange {} is there already",
                new.id
            )));
        }
        let known = self.interchanges.iter().find(|row| {
            row.direction == Direction::Inbound
                && row.partner == work.partner
                && row.pair == new.pair
                && row.control == new.control
                && row.created >= now - DUPLICATE_WINDOW
        });
        let known = known.map(|row| row.id);
        self.interchanges.push(Interchange {
            id: new.id,
            direction: Direction::Inbound,
            partner: work.partner.clone(),
            message: Some(work.subject),
            pair: new.pair.clone(),
            control: new.control.clone(),
            payload: None,
            duplicate_of: known,
            verdict: new.verdict.clone(),
            created: now,
        });
        if let Some(known) = known {
            self.log(new.id, "number came before", &known.to_string(), now);
        }
        Ok(known)
    }

    fn insert_document(
        &mut self,
        partner: &str,
        new: &NewDocument,
        interchange: Option<Uuid>,
        state: DocumentState,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        use DocumentState::{Drafted, Held, Read, Rejected, Settled};
        let (direction, work) = match (interchange, state) {
            (Some(_), Read) => (Direction::Inbound, Some(WorkKind::Deliver)),
            (Some(_), Held | Rejected | Settled) => (Direction::Inbound, None),
            (None, Drafted) => (Direction::Outbound, Some(WorkKind::Compose)),
            (None, Held) => (Direction::Outbound, None),
            (_, state) => return Err(Error::invalid(format!("a new document cannot be {state}"))),
        };
        if self.documents.iter().any(|row| row.document.id == new.id) {
            return Err(Error::invalid(format!(
                "document {} is there already",
                new.id
            )));
        }
        self.documents.push(DocumentRow {
            document: Document {
                id: new.id,
                direction,
                partner: partner.to_owned(),
                interchange,
                kind: new.kind.clone(),
                set: new.set.clone(),
                number: new.number.clone(),
                group_control: new.group_control.clone(),
                set_control: new.set_control.clone(),
                state,
                note: String::new(),
                created: now,
                updated: now,
            },
            key: new.key.clone().filter(|_| interchange.is_none()),
            content: new.content.clone(),
            findings: new.findings.clone(),
        });
        self.log(new.id, state.as_str(), "", now);
        if let Some(kind) = work {
            self.enqueue(kind, new.id, partner, now);
        }
        Ok(())
    }

    pub(super) fn draft(
        &mut self,
        partner: &str,
        new: &NewDocument,
        now: DateTime<Utc>,
    ) -> Result<Drafted, Error> {
        let known = self
            .documents
            .iter()
            .find(|row| row.document.partner == partner && row.key.is_some() && row.key == new.key);
        if let Some(known) = known {
            return Ok(Drafted::Duplicate(known.document.id));
        }
        self.insert_document(partner, new, None, new.state, now)?;
        Ok(Drafted::New)
    }

    fn judge(
        &mut self,
        partner: &str,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) -> Result<Vec<Uuid>, Error> {
        let group = Some(&verdict.group_control);
        let ours = |within: Uuid| {
            self.documents
                .iter()
                .map(|row| &row.document)
                .filter(move |row| {
                    row.direction == Direction::Outbound
                        && row.partner == partner
                        && row.group_control.as_ref() == group
                        && row.interchange == Some(within)
                })
        };
        let newest = self
            .interchanges
            .iter()
            .rev()
            .find(|row| ours(row.id).next().is_some());
        let named: Vec<_> = newest.map_or_else(Vec::new, |newest| {
            let set = verdict.set_control.as_ref();
            let wanted = |row: &&Document| set.is_none() || row.set_control.as_ref() == set;
            ours(newest.id)
                .filter(wanted)
                .map(|row| (row.id, row.state))
                .collect()
        });
        let state = if verdict.accepted {
            DocumentState::Accepted
        } else {
            DocumentState::Rejected
        };
        for (document, known) in &named {
            if *known != DocumentState::Settled {
                self.move_document(*document, state, &verdict.note, now)?;
            }
        }
        Ok(named.into_iter().map(|(document, _)| document).collect())
    }

    pub(super) fn delivered(
        &mut self,
        lease: Lease,
        state: DocumentState,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if !matches!(state, DocumentState::Delivered | DocumentState::Settled) {
            return Err(Error::invalid(format!("a delivery does not end {state}")));
        }
        let work = self.finish(lease, WorkKind::Deliver)?;
        self.move_document(work.subject, state, note, now)
    }
}
