//! Who asks for relationships that are not there, or shows what is not agreed, is not answered for
//! long: AS2 names are no secrets, and still nobody has to be allowed to try them all.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::as2::Answer;
use crate::net::Network;
use crate::net::quota::{Quota, site};

/// Refusals that one address gets at once, and one more each second: a partner whose file is
/// wrong tries a few times a minute.
const REFUSALS: u32 = 60;

/// The refusals of one listener.
#[derive(Debug)]
pub(super) struct Strangers {
    refusals: Quota<IpAddr>,
    exempt: Vec<Network>,
}

impl Strangers {
    /// None yet; those who stand for many, such as proxies, are never counted.
    pub(super) fn new(exempt: Vec<Network>) -> Self {
        Self {
            refusals: Quota::new(REFUSALS, TimeDelta::seconds(1)),
            exempt,
        }
    }

    /// Whether somebody at this address is listened to now.
    ///
    /// # Errors
    /// The answer for who was refused too often: the same whomever he asks for.
    pub(super) fn hear(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), Answer> {
        let Some(wait) = self.refusals.wait(&site(address), now) else {
            return Ok(());
        };
        let mut answer = Answer::text(429, "too many requests that were refused");
        let seconds = wait.num_seconds().max(1).to_string();
        answer.headers.push(("retry-after".into(), seconds));
        Err(answer)
    }

    /// Somebody at this address was refused.
    pub(super) fn refused(&self, address: IpAddr, now: DateTime<Utc>) {
        if !self.exempt.iter().any(|exempt| exempt.holds(address)) {
            self.refusals.take(site(address), now);
        }
    }
}
