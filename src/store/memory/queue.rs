//! The queue in memory, and the small steps that every transaction is made of.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rows::Rows;
use crate::store::state::Subject;
use crate::store::{
    Aside, Claimed, DEATHS, DocumentState, Error, Event, Kind, Lease, MessageState, Waiting, Work,
    WorkKind, held_until,
};

/// A row of the queue.
#[derive(Clone)]
pub(super) struct Queued {
    pub(super) kind: WorkKind,
    pub(super) subject: Uuid,
    pub(super) partner: String,
    pub(super) due: DateTime<Utc>,
    pub(super) leased: bool,
    attempt: u32,
    deaths: u32,
    error: Option<String>,
    queued: DateTime<Utc>,
    done: u64,
}

impl Rows {
    pub(super) fn log(&mut self, subject: Uuid, what: &str, detail: &str, at: DateTime<Utc>) {
        self.events.push(Event {
            at,
            subject,
            what: what.into(),
            detail: detail.into(),
        });
    }

    pub(super) fn enqueue(
        &mut self,
        kind: WorkKind,
        subject: Uuid,
        partner: &str,
        now: DateTime<Utc>,
    ) {
        self.turns.entry(partner.to_owned()).or_insert(0);
        self.last_work += 1;
        let row = Queued {
            kind,
            subject,
            partner: partner.to_owned(),
            due: now,
            leased: false,
            attempt: 0,
            deaths: 0,
            error: None,
            queued: now,
            done: 0,
        };
        self.work.insert(self.last_work, row);
    }

    pub(super) fn leased(&mut self, lease: Lease) -> Result<&mut Queued, Error> {
        self.work
            .get_mut(&lease.work)
            .filter(|row| row.leased && row.attempt == lease.attempt)
            .ok_or_else(|| Error::new(Kind::Stale, format!("work {}", lease.work)))
    }

    pub(super) fn finish(&mut self, lease: Lease, kind: WorkKind) -> Result<Queued, Error> {
        let work = self.of_kind(lease, kind)?.clone();
        self.work.remove(&lease.work);
        Ok(work)
    }

    fn of_kind(&mut self, lease: Lease, kind: WorkKind) -> Result<&mut Queued, Error> {
        let work = self.leased(lease)?;
        if work.kind != kind {
            let detail = format!("work to {} does not end as work to {kind}", work.kind);
            return Err(Error::invalid(detail));
        }
        Ok(work)
    }

    /// Notes how much of a piece of work is recorded; it stays, and its worker has given word.
    pub(super) fn progress(
        &mut self,
        lease: Lease,
        kind: WorkKind,
        done: u64,
    ) -> Result<Queued, Error> {
        let row = self.of_kind(lease, kind)?;
        (row.done, row.deaths) = (done, 0);
        Ok(row.clone())
    }

    pub(super) fn drop_work(&mut self, kind: WorkKind, subject: Uuid) {
        self.work
            .retain(|_, row| row.kind != kind || row.subject != subject);
    }

    /// Makes work that waits due now; whether there is such work.
    pub(super) fn hasten(&mut self, kind: WorkKind, subject: Uuid, now: DateTime<Utc>) -> bool {
        let mut rows = self.work.values_mut();
        let row = rows.find(|row| row.kind == kind && row.subject == subject);
        let Some(row) = row else { return false };
        if !row.leased {
            row.due = row.due.min(now);
        }
        true
    }

    pub(super) fn claim(
        &mut self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<Claimed, Error> {
        let mut claimed = Claimed::default();
        while claimed.work.len() < limit {
            let due = self
                .work
                .iter()
                .filter(|(_, row)| row.due <= now && kinds.contains(&row.kind))
                .filter(|(_, row)| !row.kind.asks_partner() || self.may_ask(&row.partner, now));
            let turn = |row: &Queued| (self.turns[&row.partner], row.partner.clone());
            let Some(id) = due
                .min_by_key(|(id, row)| (turn(row), row.due, **id))
                .map(|(id, _)| *id)
            else {
                break;
            };
            claimed
                .work
                .extend(self.take(id, now, super::kept(now + lease))?);
        }
        let rows = self.work.values().filter(|row| kinds.contains(&row.kind));
        claimed.next = rows.filter_map(|row| self.next(row, now)).min();
        Ok(claimed)
    }

    /// When a row may be claimed next; none where it waits for the end of another.
    fn next(&self, row: &Queued, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if row.leased && row.due > now || !row.kind.asks_partner() {
            return Some(row.due);
        }
        let shut = self.circuits.get(&row.partner).and_then(|known| known.1);
        let due = shut.map_or(row.due, |shut| row.due.max(shut));
        self.has_room(&row.partner, now).then_some(due)
    }

    fn may_ask(&self, partner: &str, now: DateTime<Utc>) -> bool {
        let shut = self.circuits.get(partner).and_then(|known| known.1);
        shut.is_none_or(|shut| shut <= now) && self.has_room(partner, now)
    }

    /// Whether one more piece of work may go to a partner's server, its circuit apart.
    fn has_room(&self, partner: &str, now: DateTime<Utc>) -> bool {
        let missed = self.circuits.get(partner).map_or(0, |known| known.0);
        let (at_once, misses) = self.bears(partner);
        let most = if missed >= misses { 1 } else { at_once };
        let out = self.work.values().filter(|row| {
            row.partner == partner && row.kind.asks_partner() && row.leased && row.due > now
        });
        out.count() < most as usize
    }

    /// Whether a worker has this.
    pub(super) fn in_hand(&self, kind: WorkKind, subject: Uuid) -> bool {
        let mut rows = self.work.values();
        rows.any(|row| row.kind == kind && row.subject == subject && row.leased)
    }

    /// What waits for a partner's server since before a time.
    pub(super) fn waiting_since(
        &self,
        partner: &str,
        before: DateTime<Utc>,
    ) -> Vec<(WorkKind, Uuid)> {
        let rows = self.work.values();
        let old = rows.filter(|row| {
            row.partner == partner && row.kind.asks_partner() && !row.leased && row.queued < before
        });
        old.map(|row| (row.kind, row.subject)).collect()
    }

    /// How many rows are held.
    pub(super) fn held(&self) -> u64 {
        let rows = self.work.values();
        rows.filter(|row| row.due == held_until()).count() as u64
    }

    /// Makes what is held due now; its subjects.
    pub(super) fn unhold(&mut self, subject: Option<Uuid>, now: DateTime<Utc>) -> Vec<Uuid> {
        let rows = self.work.values_mut();
        let held = rows.filter(|row| {
            row.due == held_until() && subject.is_none_or(|subject| row.subject == subject)
        });
        held.map(|row| {
            (row.due, row.queued, row.error) = (now, now, None);
            row.subject
        })
        .collect()
    }

    /// The queue, what is due first before the rest.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let mut rows: Vec<_> = self.work.iter().collect();
        rows.sort_by_key(|(id, row)| (row.due, **id));
        let waiting = |(_, row): (&i64, &Queued)| Waiting {
            kind: row.kind,
            subject: row.subject,
            partner: row.partner.clone(),
            due: row.due,
            leased: row.leased,
            attempt: row.attempt,
            error: row.error.clone(),
            queued: row.queued,
        };
        rows.into_iter().map(waiting).collect()
    }

    /// Leases a row, unless it has killed too many.
    fn take(
        &mut self,
        id: i64,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Work>, Error> {
        let mut row = self.work[&id].clone();
        if row.leased {
            row.deaths += 1;
            let detail = format!("{} of {DEATHS}", row.deaths);
            self.log(row.subject, "worker died", &detail, now);
        }
        if row.deaths >= DEATHS {
            self.work.remove(&id);
            let note = format!("work to {} stopped {DEATHS} workers", row.kind);
            self.set_aside(row.kind, row.subject, row.kind.poisoned(), &note, now)?;
            return Ok(None);
        }
        row.leased = true;
        row.attempt += 1;
        row.due = until;
        let served = self.turns.values().max().copied().unwrap_or(0) + 1;
        self.turns.insert(row.partner.clone(), served);
        self.work.insert(id, row.clone());
        let Queued {
            kind,
            subject,
            partner,
            queued,
            error,
            attempt,
            done,
            ..
        } = row;
        let lease = Lease { work: id, attempt };
        let missed = self.circuits.get(&partner).map_or(0, |known| known.0);
        Ok(Some(Work {
            missed,
            lease,
            kind,
            subject,
            partner,
            queued,
            error,
            done,
        }))
    }

    /// Gives a row back, to be claimed at `at`.
    pub(super) fn release(
        &mut self,
        lease: Lease,
        at: DateTime<Utc>,
        error: Option<String>,
    ) -> Result<Queued, Error> {
        let row = self.leased(lease)?;
        row.due = at;
        row.leased = false;
        row.deaths = 0;
        row.error = error;
        Ok(row.clone())
    }

    pub(super) fn retry(
        &mut self,
        lease: Lease,
        at: DateTime<Utc>,
        error: String,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = self.release(lease, at, Some(error.clone()))?;
        self.log(row.subject, "retry", &error, now);
        Ok(())
    }

    pub(super) fn bury(
        &mut self,
        lease: Lease,
        aside: Aside,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = self.leased(lease)?.clone();
        self.work.remove(&lease.work);
        self.set_aside(row.kind, row.subject, aside, note, now)
    }

    pub(super) fn set_aside(
        &mut self,
        kind: WorkKind,
        subject: Uuid,
        aside: Aside,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        match kind.subject() {
            Subject::Document => self.move_document(subject, aside.document()?, note, now),
            Subject::Interchange => {
                let state = aside.document()?;
                for document in self.documents_in(subject) {
                    self.move_document(document, state, note, now)?;
                }
                Ok(())
            }
            Subject::Message if kind == WorkKind::Answer => {
                let state = aside.message()?;
                let row = &mut self.message_mut(subject)?.message;
                if row.state == MessageState::Received {
                    row.state = state;
                    row.updated = now;
                }
                self.log(subject, "answer given up", note, now);
                Ok(())
            }
            Subject::Message => {
                self.move_message(subject, aside.message()?, note, now)?;
                if kind == WorkKind::Send && matches!(aside, Aside::Refused | Aside::Dead) {
                    let from = [DocumentState::Drafted];
                    self.move_documents_of(subject, &from, DocumentState::Failed, now)?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn move_message(
        &mut self,
        message: Uuid,
        state: MessageState,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = &mut self.message_mut(message)?.message;
        row.state = state;
        row.note = note.into();
        row.updated = now;
        self.log(message, state.as_str(), note, now);
        Ok(())
    }

    pub(super) fn move_document(
        &mut self,
        document: Uuid,
        state: DocumentState,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = &mut self.document_mut(document)?.document;
        row.state = state;
        row.note = note.into();
        row.updated = now;
        self.log(document, state.as_str(), note, now);
        Ok(())
    }

    pub(super) fn move_documents_of(
        &mut self,
        message: Uuid,
        from: &[DocumentState],
        to: DocumentState,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for document in self.documents_of(message) {
            if from.contains(&self.document_mut(document)?.document.state) {
                self.move_document(document, to, "", now)?;
            }
        }
        Ok(())
    }
}
