//! When something is tried again, for how long, and when a partner is left in peace.
//!
//! | after | |
//! |---|---|
//! | a try that failed | the same bytes, after a wait of up to 60 s, 120 s … 1 h, and what they ask for |
//! | `misses` ([`MISSES`]) tries in a row that did not reach them | nothing of theirs for such a wait; then one at a time |
//! | a try that reached them | everything that waits for them |
//! | `give_up_hours` | set aside, whether it was tried or waited behind another |
//!
//! What is known of a partner's server stands in the store: a restart goes on where it was.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::route::Partnership;
use super::worker::Setback;
use super::{Agreed, Gateway};
use crate::net::client::Response;
use crate::partner::GIVE_UP_HOURS;
use crate::store::{AT_ONCE, Allowance, Aside, MISSES, Missed, Work};

/// The first wait after a failure; each further one may be twice as long.
pub const RETRY_FIRST: TimeDelta = TimeDelta::seconds(60);
/// The longest wait: an operator who repaired something does not want to wait for longer.
pub const RETRY_CAP: TimeDelta = TimeDelta::hours(1);
/// How long a message is tried for, unless the partner file says otherwise.
pub const GIVE_UP: TimeDelta = TimeDelta::hours(GIVE_UP_HOURS as i64);
/// The longest wait that a partner can ask us for.
const RETRY_AFTER_CAP: TimeDelta = TimeDelta::hours(24);

/// A try after which the same bytes go again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// What happened.
    pub(super) why: String,
    /// When they want it.
    pub(super) after: Option<TimeDelta>,
    /// Whether they may have it already.
    pub(super) perhaps_there: bool,
    /// Whether their server took the request.
    pub(super) reached: bool,
}

impl Gateway {
    /// Plans the next try, or gives up by age.
    pub(super) async fn again(
        &self,
        work: &Work,
        failed: Again,
        limit: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<(), Setback> {
        let Again {
            why,
            after,
            perhaps_there,
            reached,
        } = failed;
        if now - work.queued >= limit {
            let aside = match perhaps_there {
                true => Aside::Uncertain,
                false => Aside::Dead,
            };
            return Err(Setback::Aside(aside, format!("given up: {why}")));
        }
        let wait = self.backoff(work.lease.attempt);
        let wait = after.map_or(wait, |after| wait.max(after.min(RETRY_AFTER_CAP)));
        if reached {
            self.store.sent(work.lease, now + wait, why, now).await?;
            kill!("waiting");
            return Ok(());
        }
        let known = self.partnership(&work.partner);
        let misses = known.and_then(|known| known.partner.as2.as_ref()?.misses);
        let misses = misses.unwrap_or(MISSES);
        let missed = Missed {
            why,
            perhaps_there,
            again: now + wait,
            // Each probe that fails doubles the next pause, as each try does its wait.
            pause: self.backoff((work.missed + 1).saturating_sub(misses - 1)),
            give_up: now - limit,
        };
        let count = self.store.unreached(work.lease, missed, now).await?;
        kill!("missed");
        if count >= misses {
            let partner = &work.partner;
            tracing::warn!(
                partner,
                count,
                "not reached; it is left in peace for a while"
            );
        }
        Ok(())
    }

    /// Tells the store what partners' servers bear, where partner files were taken since it was
    /// `told`.
    pub(super) async fn allow(&self, told: &mut Option<Arc<Agreed>>) {
        let agreed = self.agreed();
        if told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &agreed)) {
            return;
        }
        let partners = agreed.partnerships.iter().map(|known| &known.partner);
        let said = partners.filter_map(|partner| {
            let as2 = partner.as2.as_ref()?;
            (as2.at_once.is_some() || as2.misses.is_some()).then(|| Allowance {
                partner: partner.name.clone(),
                at_once: as2.at_once.unwrap_or(AT_ONCE),
                misses: as2.misses.unwrap_or(MISSES),
            })
        });
        match self.store.allow(said.collect()).await {
            Ok(()) => *told = Some(agreed),
            Err(why) => tracing::error!(%why, "cannot say what partners bear; tried again"),
        }
    }

    /// Anything up to the full wait, so that a thousand partners who come back at once are not
    /// asked at once; a second at least.
    pub(super) fn backoff(&self, attempt: u32) -> TimeDelta {
        if hurried!() {
            return TimeDelta::milliseconds(20);
        }
        let most = longest(attempt).num_milliseconds();
        let most = u64::try_from(most).unwrap_or(1).max(1);
        let some = self.draw() % most;
        TimeDelta::milliseconds(i64::try_from(some.max(1000)).unwrap_or(1000))
    }
}

/// The longest wait before the try that follows the `attempt`th.
fn longest(attempt: u32) -> TimeDelta {
    let doubled = RETRY_FIRST * (1 << attempt.saturating_sub(1).min(10));
    doubled.min(RETRY_CAP)
}

/// For how long something is tried for this partner.
pub(super) fn give_up(known: &Partnership) -> TimeDelta {
    let as2 = known.partner.as2.as_ref();
    as2.map_or(GIVE_UP, |as2| TimeDelta::hours(as2.give_up_hours.into()))
}

/// When a partner wants to be asked again: seconds, or a date.
pub(super) fn retry_after(answer: &Response, at: DateTime<Utc>) -> Option<TimeDelta> {
    let mut headers = answer.headers.iter();
    let (_, value) = headers.find(|(name, _)| name == "retry-after")?;
    let seconds = value.parse().ok().map(std::time::Duration::from_secs);
    let seconds = seconds.and_then(|wait| TimeDelta::from_std(wait).ok());
    seconds.or_else(|| {
        let date = DateTime::parse_from_rfc2822(value).ok()?;
        Some(date.to_utc() - at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let minutes = [1, 2, 3, 4, 6, 7, 40].map(|n| longest(n).num_minutes());
        assert_eq!(minutes, [1, 2, 4, 8, 32, 60, 60]);
    }

    #[test]
    fn who_asks_for_time_is_heard() {
        let at = DateTime::parse_from_rfc3339("2026-11-22T12:00:00Z").unwrap();
        let asked = |value: &str| {
            let answer = Response {
                status: 503,
                headers: vec![("retry-after".into(), value.into())],
                body: bytes::Bytes::new(),
            };
            retry_after(&answer, at.to_utc()).map(|wait| wait.num_seconds())
        };
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Sun, 22 Nov 2026 12:05:00 GMT"), Some(300));
        assert_eq!(asked("soon"), None);
    }
}
