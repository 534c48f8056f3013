//! The promises about certificates that were seen.

use super::*;

fn seen(partner: &str, purpose: &str, fingerprint: &str, second: i64) -> Seen {
    Seen {
        partner: partner.into(),
        purpose: purpose.into(),
        fingerprint: fingerprint.into(),
        at: at(second),
    }
}

pub(in crate::store) async fn what_was_seen_last_is_kept(store: Subject) {
    assert_eq!(store.all_seen().await.unwrap(), []);
    let (old, new) = (
        seen("acme", "verify", "aa", 5),
        seen("acme", "verify", "bb", 6),
    );
    let ours = seen("zeta", "decrypt", "aa", 7);
    let first = vec![ours.clone(), new.clone(), old.clone()];
    store.seen(first).await.unwrap();
    assert_eq!(
        store.all_seen().await.unwrap(),
        [old.clone(), new, ours.clone()]
    );
    // Later counts, earlier does not: two nodes have two clocks.
    let later = seen("acme", "verify", "bb", 60);
    let earlier = seen("zeta", "decrypt", "aa", 1);
    store.seen(vec![later.clone(), earlier]).await.unwrap();
    assert_eq!(store.all_seen().await.unwrap(), [old, later, ours]);
}
