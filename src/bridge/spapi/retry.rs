//! How long to wait before the same is asked again.

use chrono::TimeDelta;

/// The longest first wait.
pub const RETRY_FIRST: TimeDelta = TimeDelta::seconds(2);
/// The longest wait: an API that comes back is found within this.
pub const RETRY_CAP: TimeDelta = TimeDelta::minutes(5);

/// Anything up to the full wait, which doubles with each failure in a row, so that those who were
/// refused together do not come back together. `draw` is fresh randomness. Never less than what the
/// other side wants, and a tenth of a second at least.
#[must_use]
pub fn backoff(failures: u32, after: Option<TimeDelta>, draw: u64) -> TimeDelta {
    let doubled = RETRY_FIRST * (1 << failures.saturating_sub(1).min(10));
    let most = u64::try_from(doubled.min(RETRY_CAP).num_milliseconds()).unwrap_or(1);
    let some = i64::try_from(draw % most.max(1)).unwrap_or_default();
    let wait = TimeDelta::milliseconds(some.max(100));
    after.map_or(wait, |after| after.min(TimeDelta::hours(1)) + wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_grows_to_its_cap_and_waits_as_it_is_told(
            failures in 0..200u32, after in proptest::option::of(0..3600i64), draw in any::<u64>(),
        ) {
            let asked = after.map(TimeDelta::seconds);
            let wait = backoff(failures, asked, draw);
            let least = asked.unwrap_or_default();
            prop_assert!(wait >= least + TimeDelta::milliseconds(100));
            prop_assert!(wait <= least + RETRY_CAP);
            prop_assert!(failures > 1 || wait <= least + RETRY_FIRST);
        }
    }
}
