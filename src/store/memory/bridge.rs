//! What a bridge to an API keeps, in memory.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::queue::Queued;
use super::rows::Rows;
use crate::store::{
    DocumentState, Error, Lease, Observation, Observed, Step, Submission, Then, WorkKind,
};

impl Rows {
    pub(super) fn step(&mut self, name: String, step: Step) -> Option<String> {
        let before = self.bridge.get(&name).cloned();
        self.bridge.insert(name, step(before.as_deref()));
        before
    }

    pub(super) fn kept(&self, prefix: &str) -> Vec<(String, String)> {
        let all = self
            .bridge
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        all.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    pub(super) fn observe(
        &mut self,
        seen: &Observation,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let key = (seen.account.clone(), seen.number.clone());
        let known = self.observations.get(&key);
        if known.is_some_and(|known| known.changed == seen.changed) {
            return Ok(false);
        }
        let observed = Observed {
            changed: seen.changed.clone(),
            content: seen.content.clone(),
        };
        self.observations.insert(key, observed);
        for draft in &seen.drafts {
            self.draft(&draft.partner, &draft.document, now)?;
        }
        Ok(true)
    }

    pub(super) fn submit(
        &mut self,
        lease: Lease,
        submission: &Submission,
        then: &Then,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        then.check()?;
        let work = self.leased(lease)?.clone();
        submission.check(work.kind, work.subject)?;
        let document = work.subject;
        let before = self.submissions.get(&document);
        let before = before.filter(|before| before.listed == submission.listed);
        let seen = before.and_then(|before| before.seen.clone());
        let kept = Submission {
            seen,
            ..submission.clone()
        };
        self.submissions.insert(document, kept);
        match then {
            Then::Stay => {}
            Then::Again(at, why) => {
                self.release(lease, super::kept(*at), Some(why.clone()))?;
                self.log(document, "retry", why, now);
            }
            Then::Ask(at, note, _) => {
                if work.kind == WorkKind::Deliver {
                    self.finish(lease, WorkKind::Deliver)?;
                    self.move_document(document, DocumentState::Delivered, note, now)?;
                    self.enqueue(WorkKind::Ask, document, &work.partner, now);
                } else {
                    self.release(lease, super::kept(*at), None)?;
                    self.log(document, "asked", note, now);
                }
                self.put_off(WorkKind::Ask, document, super::kept(*at));
            }
            Then::End(state, note, _) => {
                self.finish(lease, work.kind)?;
                self.move_document(document, *state, note, now)?;
            }
        }
        for draft in then.drafts() {
            self.draft(&work.partner, draft, now)?;
        }
        Ok(())
    }

    pub(super) fn sighted(
        &mut self,
        list: &str,
        names: &[(String, String)],
        now: DateTime<Utc>,
    ) -> bool {
        let word = |name: &str| Some(&names.iter().find(|(known, _)| known == name)?.1);
        let mut unseen = false;
        for kept in self.submissions.values_mut() {
            let Some((_, name)) = kept.listed.as_ref().filter(|(known, _)| known == list) else {
                continue;
            };
            match word(name) {
                Some(seen) if kept.seen.is_none() => {
                    kept.seen = Some(seen.clone());
                    let subject = kept.document;
                    let waits = |row: &&mut Queued| row.subject == subject && !row.leased;
                    for row in self.work.values_mut().filter(waits) {
                        row.due = row.due.min(now);
                    }
                }
                _ => unseen |= kept.seen.is_none(),
            }
        }
        unseen
    }

    fn put_off(&mut self, kind: WorkKind, subject: Uuid, at: DateTime<Utc>) {
        let mut rows = self.work.values_mut();
        if let Some(row) = rows.find(|row| row.kind == kind && row.subject == subject) {
            row.due = at;
        }
    }
}
