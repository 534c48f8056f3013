//! A lease runs out under a worker who goes on: what he learns after that counts for nothing.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::Utc;
use transload::as2::{self, Digest, Disposition, Mdn, MdnFields};
use transload::net;

use super::house::{House, PATIENCE};
use super::order::{Order, Relation, keys};
use crate::conformance::wire::{Seen, Stub, respond, status};

/// A 997 for each order, and its receipt in the answer.
const RELATION: Relation = Relation::Loud;

/// The receipt for a message of the gateway's.
fn receipt(seen: &Seen) -> Vec<u8> {
    let (keys, profile, now) = (keys(), RELATION.profile(), Utc::now());
    let opened = as2::open(
        &seen.headers,
        seen.body.as_slice(),
        std::io::sink(),
        &keys,
        &profile,
        now,
    );
    let (id, done) = ("<receipt@harness.example>", Disposition::processed());
    let fields = MdnFields::answer(&seen.headers, id, done, Some(opened.unwrap().mic));
    let signer = Some((&keys.ours[0], Digest::Sha256));
    let (headers, body) = Mdn::write(&fields, signer, &mut net::entropy, now).unwrap();
    respond(200, &headers, &body)
}

fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The first worker waits for its answer until its lease has run out and another one asks, too. Then the
/// first hears a refusal, and the second, after that was dealt with, a receipt. Gives what is wrong.
pub(super) fn run_out(planted: Option<&str>) -> Vec<String> {
    let log: Arc<OnceLock<PathBuf>> = Arc::default();
    let (came, own) = (AtomicUsize::new(0), Arc::clone(&log));
    let dealt_with = move || {
        let said = std::fs::read_to_string(own.get().unwrap()).unwrap();
        // It was fenced off; or it was not.
        said.contains("another worker has it") || said.contains("set aside")
    };
    let stub = Stub::new(move |n, seen| {
        came.fetch_add(1, Ordering::SeqCst);
        match n {
            0 => {
                until("asked twice", || came.load(Ordering::SeqCst) > 1);
                status(403)
            }
            _ => {
                until("dealt with", &dealt_with);
                receipt(seen)
            }
        }
    });
    let mut house = House::new(&stub.url, None);
    log.set(house.log.clone()).unwrap();
    house.env = [
        ("TRANSLOAD_MUTE", "1"),
        ("TRANSLOAD_LOG", "transload=debug"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .to_vec();
    let bug = planted.map(|bug| ("TRANSLOAD_PLANTED".to_owned(), bug.to_owned()));
    house.env.extend(bug);
    let mut process = house.start(&[]);
    assert!(process.ready().is_some(), "{}", house.said());
    let order = Order { seed: 9, index: 1 };
    assert_eq!(order.relation(), RELATION);
    assert_eq!(house.ask(&order.sealed(&stub.url)), Some(200));
    until("asked", || stub.seen().len() > 1);
    house.idle();
    // What is under way ends.
    let mut wrong = Vec::new();
    let code = process.terminate();
    if code != Some(0) {
        wrong.push(format!("it ended with {code:?}"));
    }
    // The receipt sets it right in the end; until then people are told that it is dead.
    let (confirmed, dead) = (
        "state = 'confirmed'",
        "SELECT count(*) FROM event WHERE what = 'dead'",
    );
    let confirmed =
        format!("SELECT count(*) FROM message WHERE direction = 'outbound' AND {confirmed}");
    for (sql, due) in [(confirmed.as_str(), 1), (dead, 0)] {
        let found = house.count(sql);
        if found != due {
            wrong.push(format!("I10: {found} and not {due}: {sql}"));
        }
    }
    if stub.seen().len() != 2 {
        wrong.push(format!("it was sent {} times", stub.seen().len()));
    }
    wrong
}
