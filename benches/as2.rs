//! AS2 against its floor: messages of 10 KB opened and sealed for each second of CPU, next to
//! raw RSA-2048 signatures, which no implementation can beat: each side makes one a message.
//!
//! `cargo bench --bench as2`; with `-- --brief` it only shows that it runs.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::io::Cursor;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use transload::as2::{self, Document, Identity, Keys, Profile};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(2);
/// The same with `--brief`.
const BRIEF: Duration = Duration::from_millis(100);

/// CPU time of this thread where the system tells, wall time elsewhere.
fn cpu(start: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or(start.elapsed(), Duration::from_nanos)
}

/// How often `work` is done in a second of CPU.
fn rate(span: Duration, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let from = cpu(start);
    let mut count = 0u32;
    while start.elapsed() < span {
        work();
        count += 1;
    }
    f64::from(count) / (cpu(start) - from).as_secs_f64()
}

fn payload(length: usize) -> Vec<u8> {
    b"PO1*1*12*EA*9.95**UP*012345678905~\n"
        .iter()
        .copied()
        .cycle()
        .take(length)
        .collect()
}

/// Prints the figures.
pub fn run() {
    let span = match std::env::args().any(|word| word == "--brief") {
        true => BRIEF,
        false => SPAN,
    };
    let at = DateTime::UNIX_EPOCH;
    let (from, to) = (at - TimeDelta::days(1), at + TimeDelta::days(1));
    let us = Identity::generate("bench", 1, from, to).expect("a fresh identity");
    let keys = Keys {
        theirs: vec![us.certificate.clone()],
        ours: vec![us],
    };
    let document = Document {
        content_type: "text/x",
        file_name: None,
        message_id: "<1@x>",
    };
    let profile = Profile::default();

    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let floor = rate(span, || {
        let mut signer = Signer::new(MessageDigest::sha256(), &key).expect("a signer");
        black_box(signer.sign_oneshot_to_vec(b"x").expect("a signature"));
    });
    println!(
        "{:>10.0} RSA-2048 signatures a CPU second, the floor",
        floor
    );
    for (name, length) in [("10 KB", 10_000), ("1 MB", 1_000_000)] {
        let payload = payload(length);
        let seal = || {
            let mut body = Vec::with_capacity(length + 8192);
            let source = Cursor::new(&payload);
            let entropy = &mut transload::net::entropy;
            let sealed = as2::seal(source, &mut body, document, &keys, &profile, entropy, at);
            (sealed.expect("a sound seal"), body)
        };
        let (sealed, body) = seal();
        let seals = rate(span, || drop(black_box(seal())));
        let opens = rate(span, || {
            let sink = Vec::with_capacity(length);
            let opened = as2::open(&sealed.headers, body.as_slice(), sink, &keys, &profile, at);
            black_box(opened.expect("a sound message"));
        });
        println!(
            "{seals:>10.0} seals of {name} ({:.0} % of the floor)",
            100.0 * seals / floor
        );
        println!(
            "{opens:>10.0} opens of {name} ({:.0} % of the floor)",
            100.0 * opens / floor
        );
    }
}

fn main() {
    run();
}
