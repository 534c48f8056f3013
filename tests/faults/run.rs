//! Slices, one after the other: the short form, and as many as are wanted.

use super::slice::{self, Outcome, Plan};

/// The short form.
const SHORT: Plan = Plan {
    seed: 1,
    messages: 2000,
    kills: 50,
    cuts: 5,
    planted: None,
    only: None,
};

#[test]
fn nothing_is_lost_and_nothing_is_done_twice() {
    let mut plan = Plan {
        messages: number("TRANSLOAD_FAULTS_MESSAGES", SHORT.messages as u64) as usize,
        kills: number("TRANSLOAD_FAULTS_KILLS", SHORT.kills as u64) as usize,
        cuts: number("TRANSLOAD_FAULTS_CUTS", SHORT.cuts as u64) as usize,
        seed: number("TRANSLOAD_FAULTS_SEED", SHORT.seed),
        ..SHORT
    };
    let start = std::time::Instant::now();
    let outcome = slice::run(&plan).unwrap_or_else(|why| {
        say!("power cuts skipped: {why}");
        plan.cuts = 0;
        slice::run(&plan).unwrap()
    });
    tell(&outcome, start.elapsed());
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn tell(outcome: &Outcome, took: std::time::Duration) {
    let mut starts = outcome.starts.clone();
    starts.sort();
    let at = |part: usize| starts.get(starts.len() * part / 100);
    say!(
        "{} messages, {} faults ({} power cuts), {} attempts, {} questions repeated, {} times 503, \
         {} violations in {took:.1?}; ready after p50 {:?} p99 {:?}\n{:?}",
        outcome.acknowledged,
        outcome.faults(),
        outcome.cuts(),
        outcome.attempts,
        outcome.repeated,
        outcome.refused,
        outcome.violations.len(),
        at(50),
        at(99),
        outcome.faults,
    );
}
