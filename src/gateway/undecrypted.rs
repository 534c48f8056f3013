//! Messages that do not decrypt: a few are a mistake, many are somebody who tries.
//!
//! All of them get one answer, after the same work; and still, who may ask as often as he likes learns
//! more than who may not. So one sender's address has [`Limits::undecrypted`](super::Limits) of them,
//! and from then on one a minute: the others hear 503 before their body is read. A message that is
//! accepted fills the bucket again. The address is part of the key, so that nobody who knows a
//! partner's names can keep that partner out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::Gateway;
use super::alert::Alert;
use super::answer::unavailable;
use super::inbound::Caller;
use crate::as2::{self, Opened, Profile};
use crate::net::quota::{Quota, site};
use crate::store::Answer;

/// After how long one more is looked at.
const EACH: TimeDelta = TimeDelta::minutes(1);

/// A partner's name, and where messages under his names come from.
pub(super) type Undecrypted = Quota<(String, IpAddr)>;

/// Buckets of so many.
pub(super) fn undecrypted(most: u32) -> Undecrypted {
    Quota::new(most, EACH)
}

impl Caller {
    /// The same, from this address.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Caller {
        Caller {
            site: site(address),
            ..self
        }
    }

    fn sender(&self) -> (String, IpAddr) {
        (self.partnership.partner.name.clone(), self.site)
    }
}

impl Gateway {
    /// Whether a message of this sender is looked at now; asked before its body is read.
    ///
    /// # Errors
    /// The answer for who sent too much that does not decrypt: 503, and when to come again.
    pub fn hears(&self, caller: &Caller) -> Result<(), Answer> {
        let kind = caller.headers.get("Content-Type").unwrap_or_default();
        // What is in clear, or is a receipt, needs no key of ours.
        if kind.to_ascii_lowercase().starts_with("multipart/") {
            return Ok(());
        }
        match self.undecrypted.wait(&caller.sender(), self.clock.now()) {
            Some(wait) => {
                let seconds = wait.num_seconds().max(1);
                Err(unavailable(u64::try_from(seconds).unwrap_or(1)))
            }
            None => Ok(()),
        }
    }

    /// Counts a message that was for us and did not open, unless exact answers are asked for.
    pub(super) fn count_undecrypted(
        &self,
        caller: &Caller,
        opened: &Result<Opened, as2::Error>,
        profile: &Profile,
        now: DateTime<Utc>,
    ) {
        if matches!(opened, Err(as2::Error::Encrypted(_))) && !profile.diagnostic {
            self.undecrypted.take(caller.sender(), now);
        }
    }

    /// Something new of this sender was accepted: he has the partner's key.
    pub(super) fn proved(&self, caller: &Caller) {
        self.undecrypted.forget(&caller.sender());
    }

    /// Who is not looked at for now.
    pub(super) fn throttled(&self, now: DateTime<Utc>) -> impl Iterator<Item = Alert> {
        let empty = self.undecrypted.empty(now).into_iter();
        empty.map(|(partner, address)| Alert {
            kind: "undecrypted",
            partner: Some(partner),
            subject: address.to_string(),
            count: 1,
            said: format!("messages from {address} do not decrypt; one a minute is looked at"),
            until: None,
        })
    }
}
