//! Two real processes exchange an answer and its 997, and one of them is killed at a named point of
//! its walk. It starts again, and a ledger on each side shows that nothing was lost or doubled.
//!
//! Run with `cargo test --features planted --test main -- kill`: only then are the points compiled in
//! (`kill!` in `src/lib.rs`), and no wait between tries.

use std::path::Path;
use std::sync::Mutex;
use std::thread::scope;
use std::time::Instant;

use crate::exchange::pair::{canonical, files};
use crate::houses::{Async, Buyer, Receipts, Seller, Sync, Who, both, put, until_whole};

/// Trials at once: they wait for disks, mostly.
const AT_ONCE: usize = 4;

/// Every point of both walks on the side that passes it; the first messages are the 855's.
#[rustfmt::skip]
const TRIALS: &[(Who, Receipts, &[&str])] = &[
    (Seller, Sync, &["drafted", "composing", "composed", "sealing", "sealed", "sending", "asked",
        "missed", "settled", "arrived", "judged", "accepted", "answering", "answered", "reading",
        "read"]),
    (Buyer, Sync, &["arrived", "judged", "accepted", "answering", "answered", "reading", "read",
        "delivering", "handed-over", "delivered", "composing", "composed", "sealing", "sealed",
        "sending", "asked", "settled"]),
    (Seller, Async, &["waiting", "receipt-came", "receipt-kept", "posting", "posted"]),
    (Buyer, Async, &["posting", "posted", "waiting", "receipt-came", "receipt-kept"]),
];

/// Kills one side at a point, starts it again, and looks at both.
fn trial(answer: &str, who: Who, receipts: Receipts, point: &str) -> Result<(), String> {
    let (seller, buyer) = both(receipts);
    put(&seller.path("bridge/quillfeather/in"), answer);
    let (victim, other) = match who {
        Seller => (&seller, &buyer),
        Buyer => (&buyer, &seller),
    };
    // Whoever is not there is missed.
    let mut beside = (point != "missed").then(|| other.start(None));
    let mut killed = victim.start(Some(point));
    let status = killed.ended()?;
    if status.code().is_some() {
        return Err(format!("it ended by itself: {status}"));
    }
    let again = victim.start(None);
    beside.get_or_insert_with(|| other.start(None));
    until_whole(&seller, Seller)?;
    until_whole(&buyer, Buyer)?;
    drop((again, beside));
    // And nothing more comes: what is on disk is the same once both are gone.
    until_whole(&seller, Seller)?;
    let delivered = files(&buyer.path("bridge/tinderbox/out")).len();
    match delivered {
        1 => Ok(()),
        n => Err(format!("the bridge has {n} files")),
    }
}

#[test]
fn killed_at_every_point_nothing_is_lost_or_doubled() {
    let answer = canonical("x12/004010/855/pass/accepted.edi");
    let mut trials: Vec<(Who, Receipts, &str)> = Vec::new();
    for (who, receipts, points) in TRIALS {
        trials.extend(points.iter().map(|point| (*who, *receipts, *point)));
    }
    let (left, failed) = (Mutex::new(trials.clone()), Mutex::new(Vec::new()));
    scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                loop {
                    let Some((who, receipts, point)) = left.lock().unwrap().pop() else {
                        return;
                    };
                    let start = Instant::now();
                    let ended = trial(&answer, who, receipts, point);
                    let verdict = if ended.is_ok() { "whole" } else { "BROKEN" };
                    let millis = start.elapsed().as_millis();
                    say!("{who:?} {receipts:?} killed at {point:13} {verdict} {millis} ms");
                    if let Err(why) = ended {
                        let at = format!("{who:?} {receipts:?} at {point}: {why}");
                        failed.lock().unwrap().push(at);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    say!("{} kills: {} lost or doubled", trials.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Every point that the sources name is tried, here or in `tests/faults`.
#[test]
fn every_point_is_tried() {
    let mut named = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("src/lib.rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let points = text.split("kill!(\"").skip(1);
                named.extend(points.map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
    let here = TRIALS.iter().flat_map(|(.., points)| *points).copied();
    // `apart` stands in a planted bug alone: `faults::planted` kills there.
    let there = crate::faults::points().chain(["apart"]);
    let tried: Vec<&str> = here.chain(there).collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|point| !tried.contains(&point.as_str()))
        .collect();
    assert!(
        missing.is_empty() && named.len() > 25,
        "never killed at {missing:?} of {named:?}"
    );
}
