//! What soon ends, and how often it is said.
//!
//! ```
//! use chrono::{DateTime, TimeDelta};
//! use transload::partner::expiry::{Standing, Warned};
//!
//! let end = DateTime::UNIX_EPOCH + TimeDelta::days(1000);
//! let own = [Standing { until: end, ..Standing::default() }];
//! let mut warned = Warned::default();
//! let mut said = |left| warned.due(&own, end - TimeDelta::days(left)).len();
//! assert_eq!([91, 89, 88, 59, 31, 13, 12, 6, 1, 0].map(&mut said), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
//! ```
//!
//! Pure: lists and the time are arguments.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::keyring::{Dated, Use};
use crate::as2::Certificate;

/// So many days before its end a certificate is warned of: months to find out who is to be asked,
/// weeks to do it, days to be woken.
pub const WARNED_AT: [i64; 6] = [90, 60, 30, 14, 7, 1];

/// A certificate in use, and until when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// How each certificate of a list stands.
pub fn standing<T>(
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
