//! The transactions of the outbound walk, in memory.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rows::{MessageRow, Rows};
use crate::store::{
    Compose, ControlNumbers, Direction, DocumentState, Envelope, Error, Interchange, Kind,
    LAST_CONTROL_NUMBER, Lease, Message, MessageState, Placed, Receipt, Sealed, WorkKind,
};

impl Rows {
    pub(super) fn settle(
        &mut self,
        document: Uuid,
        state: DocumentState,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if !matches!(state, DocumentState::Settled | DocumentState::Rejected) {
            return Err(Error::invalid(format!("business does not end {state}")));
        }
        self.move_document(document, state, note, now)
    }

    pub(super) fn compose(
        &mut self,
        lease: Lease,
        envelope: &Envelope,
        compose: Compose,
        now: DateTime<Utc>,
    ) -> Result<ControlNumbers, Error> {
        let work = self.finish(lease, WorkKind::Compose)?;
        let pair = &envelope.pair;
        let interchange = self.count(pair, "interchange", 1);
        let groups = (0..envelope.groups)
            .map(|_| self.count(pair, "group", 1))
            .collect();
        let numbers = ControlNumbers {
            interchange,
            groups,
        };
        let composed = compose(&numbers).map_err(|why| Error::new(Kind::Compose, why))?;
        if !composed
            .documents
            .iter()
            .any(|placed| placed.document == work.subject)
        {
            return Err(Error::invalid(
                "the interchange leaves out the document that it was for",
            ));
        }
        self.keep(&composed.payload)?;
        if self.interchanges.iter().any(|row| row.id == envelope.id) {
            return Err(Error::invalid(format!(
                "interchange {} is there already",
                envelope.id
            )));
        }
        let control = format!("{interchange:09}");
        self.log(envelope.id, "composed", &control, now);
        self.interchanges.push(Interchange {
            id: envelope.id,
            direction: Direction::Outbound,
            partner: work.partner.clone(),
            message: None,
            pair: pair.clone(),
            control,
            payload: Some(composed.payload.digest),
            duplicate_of: None,
            verdict: String::new(),
            created: now,
        });
        for placed in &composed.documents {
            self.place(envelope.id, placed, &work.partner, now)?;
        }
        self.enqueue(WorkKind::Seal, envelope.id, &work.partner, now);
        Ok(numbers)
    }

    fn place(
        &mut self,
        interchange: Uuid,
        placed: &Placed,
        partner: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let id = placed.document;
        let row = self
            .documents
            .iter_mut()
            .map(|row| &mut row.document)
            .find(|row| {
                row.id == id
                    && row.partner == partner
                    && row.state == DocumentState::Drafted
                    && row.interchange.is_none()
            });
        let Some(row) = row else {
            return Err(Error::invalid(format!(
                "document {id} is not a draft for {partner}"
            )));
        };
        row.interchange = Some(interchange);
        row.group_control = Some(placed.group_control.clone());
        row.set_control = Some(placed.set_control.clone());
        row.updated = now;
        self.drop_work(WorkKind::Compose, id);
        Ok(())
    }

    fn count(&mut self, pair: &str, kind: &'static str, by: u32) -> u32 {
        let number = self.counters.entry((pair.to_owned(), kind)).or_insert(0);
        let next = (u64::from(*number) + u64::from(by) - 1) % u64::from(LAST_CONTROL_NUMBER) + 1;
        *number = u32::try_from(next).expect("it is at most the last control number");
        *number
    }

    pub(super) fn advance(&mut self, pair: &str, by: u32, now: DateTime<Utc>) {
        if by > 0 {
            self.count(pair, "interchange", by);
            self.count(pair, "group", by);
            self.log(
                Uuid::nil(),
                "numbers left out",
                &format!("{by} of {pair}"),
                now,
            );
        }
    }

    pub(super) fn seal(
        &mut self,
        lease: Lease,
        sealed: &Sealed,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let work = self.finish(lease, WorkKind::Seal)?;
        self.keep(&sealed.body)?;
        let interchange = self
            .interchanges
            .iter_mut()
            .find(|row| row.id == work.subject);
        let interchange = interchange.ok_or_else(|| Error::missing("interchange", work.subject))?;
        interchange.message = Some(sealed.id);
        let content = interchange.payload;
        self.insert_message(MessageRow {
            message: Message {
                id: sealed.id,
                direction: Direction::Outbound,
                partner: work.partner.clone(),
                transport: sealed.transport.clone(),
                key: sealed.key.clone(),
                state: MessageState::Sealed,
                mic: sealed.mic.clone(),
                body: sealed.body.digest,
                content,
                content_type: sealed.content_type.clone(),
                file_name: sealed.file_name.clone(),
                resend_of: None,
                note: sealed.note.clone(),
                created: now,
                updated: now,
            },
            headers: sealed.headers.clone(),
            answer: None,
            answer_to: None,
        })?;
        self.enqueue(WorkKind::Send, sealed.id, &work.partner, now);
        Ok(())
    }

    pub(super) fn sent(
        &mut self,
        lease: Lease,
        until: DateTime<Utc>,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let work = self.release(lease, until, None)?;
        if work.kind != WorkKind::Send {
            return Err(Error::invalid(format!(
                "work to {} does not send",
                work.kind
            )));
        }
        self.circuits.remove(&work.partner);
        self.move_message(work.subject, MessageState::Sent, why, now)
    }

    pub(super) fn receipt(
        &mut self,
        message: Uuid,
        receipt: &Receipt,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        use DocumentState::{Drafted, Failed, Sent};
        let row = self.message_mut(message)?;
        if row.message.direction == Direction::Inbound {
            return Err(Error::invalid("a receipt is for a message that we sent"));
        }
        if !receipt.changes(row.message.state)? {
            self.log(message, "receipt ignored", &receipt.note, now);
            return Ok(());
        }
        row.answer = receipt.answer.clone().or(row.answer.take());
        let partner = row.message.partner.clone();
        if self.in_hand(WorkKind::Send, message) {
            self.circuits.remove(&partner);
        }
        self.drop_work(WorkKind::Send, message);
        self.move_message(message, receipt.state, &receipt.note, now)?;
        match receipt.state {
            MessageState::Confirmed => {
                self.move_documents_of(message, &[Drafted, Failed], Sent, now)
            }
            MessageState::Refused => self.move_documents_of(message, &[Drafted], Failed, now),
            _ => Ok(()),
        }
    }
}
