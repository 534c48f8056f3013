//! The token bucket of an application, an account and an operation.
//!
//! Its state is one time: when it will be full again. A request that is let through puts that time
//! off by one period; one that would put it off by more than the burst waits. So over any span no
//! more than `burst + span × rate` requests leave, which is what the server counts.
//!
//! ```
//! use chrono::{DateTime, TimeDelta};
//! use transload::bridge::spapi::{Bucket, Rate};
//!
//! let (rate, now) = (Rate::new(10.0, 2), DateTime::UNIX_EPOCH);
//! let bucket = Bucket::default();
//! let (bucket, _) = (bucket.spend(rate, now).unwrap(), bucket.spend(rate, now).unwrap());
//! let bucket = bucket.spend(rate, now).unwrap();
//! assert_eq!(bucket.spend(rate, now).unwrap_err(), TimeDelta::milliseconds(100));
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How often one may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time that one request costs.
    pub period: TimeDelta,
    /// How many at once: at least 1.
    pub burst: u32,
}

/// The longest period: a rate that is lower than one request in a day is a mistake in a header.
const SLOWEST: f64 = 86_400.0;
/// The shortest: faster than any published rate by far.
const FASTEST: f64 = 0.001;

impl Rate {
    /// So many requests a second, so many at once.
    #[must_use]
    pub fn new(a_second: f64, burst: u32) -> Rate {
        let period = 1.0 / a_second;
        let period = if period.is_finite() { period } else { SLOWEST };
        // Up, so that the sum of periods is never less than what was published.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped to a day of microseconds"
        )]
        let micros = (period.clamp(FASTEST, SLOWEST) * 1e6).ceil() as i64;
        Rate {
            period: TimeDelta::microseconds(micros),
            burst: burst.max(1),
        }
    }
}

/// What happens to a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metered {
    /// A request wants to leave.
    Spend,
    /// The server said that it is empty, and perhaps for how long.
    Emptied(Option<TimeDelta>),
    /// The server named its rate, a second.
    Told(f64),
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// When it is full again; none is full.
    pub full: Option<DateTime<Utc>>,
    /// The rate that the last answer named, a second.
    #[serde(default)]
    pub told: Option<f64>,
}

impl Bucket {
    /// Reads what was kept of it; what cannot be read is a bucket that has to fill first, for what
    /// was spent of it is not known.
    #[must_use]
    pub fn kept(text: Option<&str>, rate: Rate, now: DateTime<Utc>) -> Bucket {
        match text {
            None => Bucket::default(),
            Some(text) => serde_json::from_str(text).unwrap_or(Bucket {
                full: Some(now + rate.period * i32::try_from(rate.burst).unwrap_or(i32::MAX)),
                told: None,
            }),
        }
    }

    /// What is kept of a bucket after something happened to it, and how long what happened has to
    /// wait: not at all, where it was let through.
    #[must_use]
    pub fn step(
        kept: Option<&str>,
        published: Rate,
        what: Metered,
        now: DateTime<Utc>,
    ) -> (String, TimeDelta) {
        let bucket = Bucket::kept(kept, published, now);
        let (bucket, wait) = match what {
            Metered::Spend => match bucket.spend(published, now) {
                Ok(less) => (less, TimeDelta::zero()),
                Err(wait) => (bucket, wait),
            },
            Metered::Emptied(after) => (bucket.emptied(published, after, now), TimeDelta::zero()),
            Metered::Told(rate) => (bucket.told(rate), TimeDelta::zero()),
        };
        let text = serde_json::to_string(&bucket).unwrap_or_default();
        (text, wait)
    }

    /// The rate that counts: the one that was told, where there is one.
    fn rate(self, published: Rate) -> Rate {
        match self.told {
            Some(told) => Rate::new(told, published.burst),
            None => published,
        }
    }

    /// Lets one request through.
    ///
    /// # Errors
    /// How long to wait first.
    pub fn spend(self, published: Rate, now: DateTime<Utc>) -> Result<Bucket, TimeDelta> {
        let rate = self.rate(published);
        let full = self.full.map_or(now, |full| full.max(now));
        let spare = rate.period * i32::try_from(rate.burst - 1).unwrap_or(i32::MAX);
        let wait = full - now - spare;
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        Ok(Bucket {
            full: Some(full + rate.period),
            ..self
        })
    }

    /// The server said that it is empty, and perhaps for how long: it holds nothing until then.
    #[must_use]
    pub fn emptied(self, published: Rate, after: Option<TimeDelta>, now: DateTime<Utc>) -> Bucket {
        let rate = self.rate(published);
        let wait = after.unwrap_or(rate.period).max(rate.period);
        let spare = rate.period * i32::try_from(rate.burst - 1).unwrap_or(i32::MAX);
        let full = self.full.unwrap_or(now).max(now + wait + spare);
        Bucket {
            full: Some(full),
            ..self
        }
    }

    /// The server named a rate, a second. Nonsense is not taken.
    #[must_use]
    pub fn told(self, a_second: f64) -> Bucket {
        let sound = a_second.is_finite() && a_second > 0.0;
        Bucket {
            told: if sound { Some(a_second) } else { self.told },
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A server's own bucket: it holds `burst` and gets `rate` a second; by counting, not by times.
    fn over(requests: &[i64], rate: f64, burst: u32) -> bool {
        let (mut level, mut last) = (f64::from(burst), 0);
        for at in requests {
            let since = (at - last) as f64 / 1e6;
            level = (level + since * rate).min(f64::from(burst)) - 1.0;
            last = *at;
            if level < -1e-6 {
                return true;
            }
        }
        false
    }

    proptest! {
        /// Whatever is asked, and whenever: the published rate is never exceeded, and a request
        /// that waits as long as it is told gets through.
        #[test]
        fn never_more_than_published(
            rate in prop_oneof![Just(10.0), Just(1.0), Just(0.0167), 0.01..50.0],
            burst in 1..30u32,
            steps in proptest::collection::vec((0..400_000i64, any::<bool>(), any::<bool>()), 1..200),
        ) {
            let published = Rate::new(rate, burst);
            let (mut now, mut bucket, mut let_through) = (0, Bucket::default(), Vec::new());
            for (step, wait, reload) in steps {
                now += step;
                let at = |now: i64| DateTime::from_timestamp_micros(now).unwrap();
                if reload {
                    let text = serde_json::to_string(&bucket).unwrap();
                    bucket = Bucket::kept(Some(&text), published, at(now));
                }
                match bucket.spend(published, at(now)) {
                    Ok(less) => { bucket = less; let_through.push(now); }
                    Err(longer) if wait => {
                        now += longer.num_microseconds().unwrap();
                        bucket = bucket.spend(published, at(now)).expect("it waited");
                        let_through.push(now);
                    }
                    Err(_) => {}
                }
            }
            prop_assert!(!over(&let_through, rate, burst));
        }

        /// What was emptied by a 429 lets nothing through before it should.
        #[test]
        fn emptied_is_empty(after in proptest::option::of(0..10_000i64), spent in 0..20u32) {
            let (rate, now) = (Rate::new(10.0, 10), DateTime::UNIX_EPOCH);
            let mut bucket = Bucket::default();
            for _ in 0..spent {
                bucket = bucket.spend(rate, now).unwrap_or(bucket);
            }
            let after = after.map(TimeDelta::milliseconds);
            let bucket = bucket.emptied(rate, after, now);
            let wait = bucket.spend(rate, now).expect_err("it is empty");
            prop_assert!(wait >= after.unwrap_or(rate.period).max(rate.period));
            prop_assert!(bucket.spend(rate, now + wait).is_ok());
        }
    }

    #[test]
    fn a_told_rate_counts_and_nonsense_does_not() {
        let (rate, now) = (Rate::new(10.0, 1), DateTime::UNIX_EPOCH);
        let slow = Bucket::default().told(0.5).told(f64::NAN).told(-1.0);
        let wait = slow.spend(rate, now).unwrap().spend(rate, now);
        assert_eq!(wait, Err(TimeDelta::seconds(2)));
        let unread = Bucket::kept(Some("{"), rate, now);
        assert!(unread.spend(rate, now).is_err());
    }
}
