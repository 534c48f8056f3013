//! What people order, tries that did not arrive, and the queue as it is looked at, in memory.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rows::{MessageRow, Rows};
use crate::store::order::{in_hand, not_ours, open, revived};
use crate::store::{
    Aside, Circuit, Direction, DocumentState, Error, Lease, Message, MessageState, Missed, Order,
    Queue, Resend, WorkKind,
};

impl Rows {
    pub(super) fn unreached(
        &mut self,
        lease: Lease,
        missed: &Missed,
        now: DateTime<Utc>,
    ) -> Result<u32, Error> {
        let kind = self.leased(lease)?.kind;
        if !kind.asks_partner() {
            return Err(Error::invalid(format!("work to {kind} asks no partner")));
        }
        let why = &missed.why;
        let again = super::kept(missed.again);
        let work = self.release(lease, again, Some(why.clone()))?;
        match missed.perhaps_there && kind == WorkKind::Send {
            true => self.move_message(work.subject, MessageState::Sent, why, now)?,
            false => self.log(work.subject, "retry", why, now),
        }
        let (_, misses) = self.bears(&work.partner);
        let circuit = self.circuits.entry(work.partner.clone()).or_default();
        circuit.0 += 1;
        let count = circuit.0;
        if count >= misses {
            let until = super::kept(now + missed.pause);
            circuit.1 = Some(circuit.1.map_or(until, |shut| shut.max(until)));
            let before = super::kept(missed.give_up);
            for (kind, subject) in self.waiting_since(&work.partner, before) {
                self.drop_work(kind, subject);
                let state = self.message_mut(subject)?.message.state;
                let note = format!("given up: {why}");
                self.set_aside(kind, subject, Aside::given_up(kind, state), &note, now)?;
            }
        }
        Ok(count)
    }

    fn ordered(&mut self, message: Uuid) -> Result<(MessageState, String), Error> {
        let row = &self.message_mut(message)?.message;
        let (state, partner) = (row.state, row.partner.clone());
        if row.direction == Direction::Inbound {
            return Err(not_ours());
        }
        match self.in_hand(WorkKind::Send, message) {
            true => Err(in_hand()),
            false => Ok((state, partner)),
        }
    }

    pub(super) fn resend(
        &mut self,
        message: Uuid,
        resend: &Resend,
        now: DateTime<Utc>,
    ) -> Result<Uuid, Error> {
        use DocumentState::{Drafted, Failed};
        let (state, partner) = self.ordered(message)?;
        let order = resend.order.to_string();
        let Some(anew) = &resend.anew else {
            let again = revived(state)?;
            self.log(message, "resend", &order, now);
            if again != state {
                self.move_message(message, again, &order, now)?;
            }
            self.move_documents_of(message, &[Failed], Drafted, now)?;
            self.drop_work(WorkKind::Send, message);
            self.enqueue(WorkKind::Send, message, &partner, now);
            return Ok(message);
        };
        let first = self.message_mut(message)?.message.clone();
        self.insert_message(MessageRow {
            message: Message {
                id: anew.id,
                key: crate::store::Key {
                    message_id: anew.message_id.clone(),
                    ..first.key.clone()
                },
                state: MessageState::Sealed,
                resend_of: Some(message),
                note: order.clone(),
                created: now,
                updated: now,
                ..first
            },
            headers: anew.headers.clone(),
            answer: None,
            answer_to: None,
        })?;
        if state != MessageState::Confirmed {
            for row in &mut self.interchanges {
                if row.message == Some(message) {
                    row.message = Some(anew.id);
                }
            }
            self.move_documents_of(anew.id, &[Failed], Drafted, now)?;
        }
        self.log(message, "resend", &format!("{order}; as {}", anew.id), now);
        if matches!(state, MessageState::Sealed | MessageState::Sent) {
            self.drop_work(WorkKind::Send, message);
            let note = format!("sent again as {}", anew.id);
            self.move_message(message, MessageState::Dead, &note, now)?;
        }
        self.enqueue(WorkKind::Send, anew.id, &partner, now);
        Ok(anew.id)
    }

    pub(super) fn cancel(
        &mut self,
        message: Uuid,
        order: &Order,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let (state, _) = self.ordered(message)?;
        open(state)?;
        self.drop_work(WorkKind::Send, message);
        self.log(message, "cancel", &order.to_string(), now);
        let note = format!("cancelled by {order}");
        self.move_message(message, MessageState::Dead, &note, now)?;
        use DocumentState::{Drafted, Failed};
        self.move_documents_of(message, &[Drafted], Failed, now)
    }

    pub(super) fn let_go(
        &mut self,
        subject: Option<Uuid>,
        order: &Order,
        now: DateTime<Utc>,
    ) -> u64 {
        let free = self.unhold(subject, now);
        for subject in &free {
            self.log(*subject, "released", &order.to_string(), now);
        }
        free.len() as u64
    }

    pub(super) fn named(&self, message_id: &str) -> Vec<Message> {
        let rows = self.messages.iter().rev().map(|row| &row.message);
        rows.filter(|row| row.key.message_id == message_id)
            .cloned()
            .collect()
    }

    pub(super) fn look(&self, limit: usize) -> Queue {
        let circuits = self.circuits.iter().filter(|(_, (missed, _))| *missed > 0);
        let circuit =
            |(partner, (missed, shut)): (&String, &(u32, Option<DateTime<Utc>>))| Circuit {
                partner: partner.clone(),
                missed: *missed,
                shut: *shut,
            };
        let mut waiting = self.waiting();
        waiting.truncate(limit);
        Queue {
            waiting,
            circuits: circuits.map(circuit).collect(),
            held: self.held(),
        }
    }
}
