//! Keys and certificates as the walks use them: what opens and what seals at a time, who was seen
//! with which, and what soon ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::Gateway;
use crate::as2::{self, Certificate, Identity};
use crate::partner::keyring::{Dated, Use, accepted, in_force, listed};
use crate::store::{self, Seen};

/// How often it is written down that a certificate is still in use: a row an hour, not a row a
/// message.
pub const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);
/// So many days before its end a certificate is warned of: months to find out who is to be asked,
/// weeks to do it, days to be woken.
pub const WARNED_AT: [i64; 6] = [90, 60, 30, 14, 7, 1];

/// Our keys and one partner's certificates, with their dates.
pub(super) struct Ring {
    pub(super) ours: Arc<Vec<Dated<Identity>>>,
    pub(super) theirs: Vec<Dated<Certificate>>,
}

impl Ring {
    /// What opens a message or a receipt. Certificates of theirs that have expired are among them:
    /// who verifies says so.
    pub(super) fn opening(&self, at: DateTime<Utc>) -> as2::Keys {
        as2::Keys {
            ours: items(accepted(&self.ours, Use::Decrypt, at)),
            theirs: items(listed(&self.theirs, Use::Verify, at)),
        }
    }

    /// What seals a message, and signs a receipt: the newest first.
    pub(super) fn sealing(&self, at: DateTime<Utc>) -> as2::Keys {
        as2::Keys {
            ours: items(in_force(&self.ours, Use::Sign, at)),
            theirs: items(in_force(&self.theirs, Use::Encrypt, at)),
        }
    }
}

fn items<T: Clone>(dated: Vec<&Dated<T>>) -> Vec<T> {
    dated.into_iter().map(|one| one.item.clone()).collect()
}

/// A certificate in use, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is; `None` for ours.
    pub partner: Option<String>,
    /// What for.
    pub uses: Vec<Use>,
    /// The subject, on one line.
    pub subject: String,
    /// SHA-256 of it, 64 lower-case hex digits.
    pub fingerprint: String,
    /// When we begin to choose it, where that is agreed.
    pub from: Option<DateTime<Utc>>,
    /// Its last moment.
    pub until: DateTime<Utc>,
    /// Whether a newer one for each of its uses is there already: nobody has to do anything.
    pub followed: bool,
}

impl Standing {
    /// Whole days that are left; negative once it has ended.
    #[must_use]
    pub fn days(&self, now: DateTime<Utc>) -> i64 {
        (self.until - now).num_seconds().div_euclid(86_400)
    }

    /// The warning that is due: the least of [`WARNED_AT`] that the days left do not exceed, 0 once
    /// it has ended.
    #[must_use]
    pub fn warning(&self, now: DateTime<Utc>) -> Option<i64> {
        if self.until < now {
            return Some(0);
        }
        let days = self.days(now);
        let due = WARNED_AT.into_iter().filter(|limit| days < *limit);
        due.min()
    }
}

fn standing<T>(
    list: &[Dated<T>],
    partner: Option<&str>,
    certificate: impl Fn(&T) -> &Certificate,
) -> Vec<Standing> {
    let told = |one: &Dated<T>| {
        let follows = |other: &&Dated<T>| other.end() > one.end();
        let covered = |purpose: &Use| {
            list.iter()
                .filter(follows)
                .any(|other| other.uses.contains(purpose))
        };
        let own = certificate(&one.item);
        Standing {
            partner: partner.map(str::to_owned),
            uses: one.uses.clone(),
            subject: own.subject(),
            fingerprint: own.fingerprint().to_owned(),
            from: one.from,
            until: one.end(),
            followed: one.uses.iter().all(covered),
        }
    };
    list.iter().map(told).collect()
}

/// The warnings that were said: each once a run.
#[derive(Debug, Default)]
pub struct Warned(HashMap<(Option<String>, String), i64>);

impl Warned {
    /// What is to be said now: those that came nearer to their end than when they were last warned
    /// of. One with a successor in place is not warned of.
    pub fn due<'s>(&mut self, all: &'s [Standing], now: DateTime<Utc>) -> Vec<(&'s Standing, i64)> {
        let mut due = Vec::new();
        for one in all.iter().filter(|one| !one.followed) {
            let Some(level) = one.warning(now) else {
                continue;
            };
            let key = (one.partner.clone(), one.fingerprint.clone());
            if self.0.get(&key).is_none_or(|said| level < *said) {
                self.0.insert(key, level);
                due.push((one, one.days(now)));
            }
        }
        due
    }
}

/// When each use was last written down.
#[derive(Default)]
pub(super) struct Noted(Mutex<HashMap<(String, String, String), DateTime<Utc>>>);

impl Noted {
    /// Those that were not written down for an hour.
    fn due(&self, seen: Vec<Seen>) -> Vec<Seen> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |one: &Seen| {
            let key = (
                one.partner.clone(),
                one.purpose.clone(),
                one.fingerprint.clone(),
            );
            let last = noted.insert(key.clone(), one.at);
            match last {
                Some(last) if (one.at - last).abs() < NOTED_EVERY => {
                    noted.insert(key, last);
                    false
                }
                _ => true,
            }
        };
        seen.into_iter().filter(due).collect()
    }
}

impl Gateway {
    /// Every certificate in use with its end: ours first, then each partner's.
    #[must_use]
    pub fn certificates(&self) -> Vec<Standing> {
        let agreed = self.agreed();
        let mut all = standing(&agreed.ours, None, |own| &own.certificate);
        for known in &agreed.partnerships {
            let name = Some(known.partner.name.as_str());
            all.extend(standing(&known.keys.theirs, name, |one| one));
        }
        all
    }

    /// Says in the log which certificates soon end, each once a threshold.
    pub fn warn(&self, warned: &mut Warned) {
        let (all, now) = (self.certificates(), self.clock.now());
        for (one, days) in warned.due(&all, now) {
            let whose = one.partner.as_deref().unwrap_or("ours");
            let uses: Vec<&str> = one.uses.iter().map(|purpose| purpose.as_str()).collect();
            let (uses, fingerprint, until) = (uses.join(", "), &one.fingerprint, one.until);
            match one.until < now {
                true => {
                    tracing::error!(whose, uses, days, %until, fingerprint, "a certificate has expired")
                }
                false => {
                    tracing::warn!(whose, uses, days, %until, fingerprint, "a certificate soon expires")
                }
            }
        }
    }

    /// Writes down which certificates a partner was seen with, once an hour each.
    pub(super) async fn note(
        &self,
        partner: &str,
        seen: Vec<(Use, String)>,
        at: DateTime<Utc>,
    ) -> Result<(), store::Error> {
        let whole = |(purpose, fingerprint): (Use, String)| Seen {
            partner: partner.to_owned(),
            purpose: purpose.as_str().to_owned(),
            fingerprint,
            at,
        };
        let due = self.noted.due(seen.into_iter().map(whole).collect());
        match due.is_empty() {
            true => Ok(()),
            false => self.store.seen(due).await,
        }
    }
}

/// Which of our keys and which of theirs a message was opened with.
pub(super) fn seen(opened: &as2::Opened) -> Vec<(Use, String)> {
    let signed = opened.secured.signed.as_ref();
    let encrypted = opened.secured.encrypted.as_ref();
    let signed = signed.map(|signed| (Use::Verify, signed.signer.clone()));
    let encrypted = encrypted.map(|encrypted| (Use::Decrypt, encrypted.recipient.clone()));
    signed.into_iter().chain(encrypted).collect()
}
