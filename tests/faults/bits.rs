//! Bits turn in the database, and its log is cut, while nobody looks: what is delivered after that is
//! what was sent, or nothing is.
//!
//! `TRANSLOAD_FAULTS_FLIPS` says how many databases are harmed.

use std::path::Path;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::figure;
use super::house::House;
use super::order::Order;
use super::partner::Partner;
use super::reconcile::delivered_of;
use super::wire::Line;

/// Databases that are harmed in the short form.
const FLIPS: usize = 30;
/// Messages in each.
const MESSAGES: usize = 12;
/// How long a harmed gateway gets to do what it can.
const WHILE: Duration = Duration::from_millis(900);
/// The folder of the database, and its files.
const FILES: [&str; 2] = ["transload.db", "transload.db-wal"];

fn orders() -> Vec<Order> {
    // Small ones without acknowledgments.
    let of = |index| Order { seed: 9, index };
    let indexes = (0..).filter(|n| n % 8 > 2 && !of(*n).large());
    indexes.take(MESSAGES).map(of).collect()
}

/// A folder whose messages are accepted, some of them read, and few delivered: what `kill -9` left.
fn prepared(house: &House, partner: &Partner) {
    let mut process = house.start(&[("TRANSLOAD_KILL", "delivering:3".into())]);
    process.ready();
    std::thread::scope(|threads| {
        for order in orders() {
            let (url, port) = (&partner.url, house.port);
            threads.spawn(move || {
                let sealed = order.sealed(url);
                // The process may be gone by now.
                let _ = Line::new(port).ask(&sealed.bytes);
            });
        }
    });
    process.kill();
}

/// What harm does to the bytes of one of the files.
fn harmed(row: &str, file: &str, harm: impl Fn(&mut Vec<u8>, &mut Chance)) {
    let partner = Partner::new();
    let house = House::new(&partner.url, None);
    prepared(&house, &partner);
    let data = house.data.join("data");
    if file == FILES[0] {
        // All of it lies in the database, and nothing in the log.
        let database = rusqlite::Connection::open(data.join(file)).unwrap();
        database
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
    }
    let sets: usize = orders().iter().map(|order| order.numbers().len()).sum();
    let all = FILES.map(|name| (name, std::fs::read(data.join(name)).unwrap_or_default()));
    let trials = std::env::var("TRANSLOAD_FAULTS_FLIPS").map_or(FLIPS, |n| n.parse().unwrap());
    let (mut refused, mut delivered, mut wrong) = (0, 0, Vec::new());
    for seed in 0..trials {
        let mut chance = Chance(seed as u64);
        let _ = std::fs::remove_dir_all(house.data.join("bridge"));
        let _ = std::fs::remove_file(data.join("transload.db-shm"));
        for (name, bytes) in &all {
            let mut bytes = bytes.clone();
            if *name == file {
                harm(&mut bytes, &mut chance);
            }
            std::fs::write(data.join(name), bytes).unwrap();
        }
        let mut process = house.start(&[]);
        match process.ready() {
            None => refused += 1,
            Some(_) => quiet(&data),
        }
        process.kill();
        let mut found = Vec::new();
        delivered_of(&house, &orders(), &mut found);
        let lost = found.iter().filter(|what| what.starts_with("I1")).count();
        delivered += sets - lost;
        found.retain(|what| !what.starts_with("I1"));
        wrong.extend(found.into_iter().map(|what| format!("seed {seed}: {what}")));
    }
    let text = format!(
        "{refused} refused to start; {delivered} of {} delivered, as sent",
        trials * sets
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    figure(row, trials as u64, 0, &text);
}

/// Waits until nothing is left to do, or for a while: what is broken may never be done.
fn quiet(data: &Path) {
    let start = Instant::now();
    while start.elapsed() < WHILE {
        let left = rusqlite::Connection::open_with_flags(
            data.join("transload.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        let left = left.and_then(|database| {
            database.query_row("SELECT count(*) FROM work", [], |row| row.get::<_, i64>(0))
        });
        if left.is_ok_and(|left| left == 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn turned_bits_are_never_delivered() {
    harmed("B11", FILES[0], |bytes, chance| {
        for _ in 0..1 + chance.below(16) {
            let at = chance.below(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
        }
    });
}

#[test]
fn a_log_that_is_cut_or_garbled_is_an_earlier_state() {
    harmed("B12", FILES[1], |bytes, chance| {
        let at = chance.below(bytes.len());
        match chance.below(2) {
            0 => bytes.truncate(at),
            _ => bytes[at] ^= 1 << chance.below(8),
        }
    });
}
