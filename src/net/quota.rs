//! How often something may go wrong, a key at a time: a bucket of tries that fills again.
//!
//! Who has none left is not looked at until there is one again. A bucket that is full is not kept,
//! and there are never more than [`KEYS`].

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Keys that are remembered at once: some hundred bytes each. Past this, who is nearest to a full
/// bucket is forgotten.
pub const KEYS: usize = 10_000;

/// The buckets.
#[derive(Debug)]
pub struct Quota<Key> {
    most: u32,
    each: TimeDelta,
    used: Mutex<HashMap<Key, Used>>,
}

/// How many tries of a bucket are gone, as of a time.
#[derive(Debug, Clone, Copy)]
struct Used {
    count: u32,
    at: DateTime<Utc>,
}

impl<Key: Eq + Hash + Clone> Quota<Key> {
    /// Buckets of `most` tries, of which one comes back in `each`.
    #[must_use]
    pub fn new(most: u32, each: TimeDelta) -> Self {
        Self {
            most,
            each,
            used: Mutex::default(),
        }
    }

    /// How long `key` has to wait for its next try; `None` where it has one.
    pub fn wait(&self, key: &Key, now: DateTime<Utc>) -> Option<TimeDelta> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = self.as_of(*used.get(key)?, now);
        (used.count >= self.most).then(|| used.at + self.each - now)
    }

    /// Takes a try from `key`; a clock that was put back costs nothing but what it was.
    pub fn take(&self, key: Key, now: DateTime<Utc>) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEYS && !all.contains_key(&key) {
            self.make_room(&mut all, now);
        }
        let fresh = Used { count: 0, at: now };
        let used = all.entry(key).or_insert(fresh);
        *used = self.as_of(*used, now);
        used.count = (used.count + 1).min(self.most);
    }

    /// Fills the bucket of `key`.
    pub fn forget(&self, key: &Key) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(key);
    }

    /// Who has no try left.
    pub fn empty(&self, now: DateTime<Utc>) -> Vec<Key> {
        let all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = all
            .iter()
            .filter(|(_, used)| self.as_of(**used, now).count >= self.most);
        empty.map(|(key, _)| key.clone()).collect()
    }

    /// What of it is still gone now.
    fn as_of(&self, used: Used, now: DateTime<Utc>) -> Used {
        let Used { count, at } = used;
        let each = self.each.num_milliseconds().max(1);
        let back = (now - at).num_milliseconds() / each;
        match u32::try_from(back) {
            // The clock went back: counting begins anew from there.
            Err(_) if back < 0 => Used { count, at: now },
            Ok(back) if back < count => Used {
                count: count - back,
                at: at + self.each * i32::try_from(back).unwrap_or(i32::MAX),
            },
            _ => Used { count: 0, at: now },
        }
    }

    fn make_room(&self, all: &mut HashMap<Key, Used>, now: DateTime<Utc>) {
        all.retain(|_, used| self.as_of(*used, now).count > 0);
        if all.len() >= KEYS {
            // A flood from everywhere: those who did it once make room for those who go on.
            all.retain(|_, used| self.as_of(*used, now).count > 1);
        }
        if all.len() >= KEYS {
            all.clear();
        }
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64, of which one site has all.
#[must_use]
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn tries_are_used_up_and_come_back() {
        let quota = Quota::new(3, TimeDelta::seconds(60));
        for second in 0..3 {
            assert_eq!(quota.wait(&"a", at(second)), None);
            quota.take("a", at(second));
        }
        assert_eq!(quota.wait(&"a", at(10)), Some(TimeDelta::seconds(50)));
        assert_eq!(
            (quota.wait(&"b", at(10)), quota.empty(at(10))),
            (None, vec!["a"])
        );
        // One came back at 60, is used, and the next comes at 120.
        assert_eq!(quota.wait(&"a", at(60)), None);
        quota.take("a", at(61));
        assert_eq!(quota.wait(&"a", at(100)), Some(TimeDelta::seconds(20)));
        // More than none is never missing, and a clock that goes back locks nobody out.
        for _ in 0..100 {
            quota.take("a", at(100));
        }
        assert_eq!(quota.wait(&"a", at(120)), None);
        assert_eq!(
            quota.wait(&"a", at(-1_000_000)),
            Some(TimeDelta::seconds(60))
        );
        quota.forget(&"a");
        assert_eq!(quota.wait(&"a", at(100)), None);
    }

    #[test]
    fn a_flood_of_keys_is_not_kept() {
        let quota = Quota::new(2, TimeDelta::hours(1));
        quota.take(usize::MAX, at(0));
        quota.take(usize::MAX, at(0));
        for key in 0..3 * KEYS {
            quota.take(key, at(0));
        }
        let kept = quota.used.lock().unwrap().len();
        assert!(kept <= KEYS, "{kept}");
        assert_eq!(quota.empty(at(0)), [usize::MAX], "who goes on is kept");
    }

    #[test]
    fn a_site_is_one_address() {
        let site = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(site("192.0.2.1"), "192.0.2.1");
        assert_eq!(site("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(site("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
