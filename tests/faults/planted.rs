//! Bugs on purpose, one at a time: the harness is good for something only if it sees each of them.

use super::slice::{self, Fault, Plan};
use super::{figure, leases, names, storage};

/// Slices until a bug has to be seen.
const MOST: u64 = 8;

/// Runs slices on a program with a bug until something is violated: how many faults that took, and
/// what was seen.
fn hunt(
    bug: &'static str,
    (kills, cuts): (usize, usize),
    only: Option<Fault>,
) -> Option<(u64, String)> {
    let mut faults = 0;
    for seed in 1..=MOST {
        let plan = Plan {
            seed,
            messages: 250,
            kills,
            cuts,
            planted: Some(bug),
            only,
        };
        let outcome = match slice::run(&plan) {
            Ok(outcome) => outcome,
            Err(why) => {
                say!("{bug} is skipped: {why}");
                return None;
            }
        };
        faults += outcome.faults();
        if let Some(first) = outcome.violations.first() {
            return Some((faults, first.chars().take(100).collect()));
        }
    }
    panic!("{bug} was not seen in {faults} faults");
}

fn seen(bug: &'static str, faults: (usize, usize), only: Option<Fault>) {
    if let Some((faults, first)) = hunt(bug, faults, only) {
        let invariant = first.split(':').next().unwrap_or_default().to_owned();
        say!("{bug} is seen after {faults} faults: {first}");
        figure(&format!("planted-{bug}"), faults, 0, &invariant);
    }
}

/// A disk whose power fails within five cuts, as the table of rows says.
#[test]
fn commits_that_do_not_wait_for_the_disk_are_seen() {
    seen("commits-not-synced", (0, 1), None);
}

#[test]
fn an_answer_before_the_commit_is_seen() {
    seen("answered-before-commit", (10, 0), None);
}

#[test]
fn a_claim_before_its_payload_is_seen() {
    seen("claimed-before-payload", (1, 0), Some(Fault::Apart));
}

#[test]
fn a_second_answer_is_seen() {
    seen("duplicate-answered-anew", (4, 0), None);
}

#[test]
fn a_new_id_on_a_retry_is_seen() {
    seen("new-id-on-retry", (8, 0), Some(Fault::Unanswered));
}

#[test]
fn work_in_a_second_transaction_is_seen() {
    seen("work-in-second-transaction", (1, 0), Some(Fault::Apart));
}

#[test]
fn a_number_outside_its_transaction_is_seen() {
    seen("number-outside-transaction", (1, 0), Some(Fault::Apart));
}

/// Nothing may be acknowledged after an fsync that failed, and the program has to end.
#[test]
fn an_fsync_that_is_tried_again_is_seen() {
    match storage::fsync_fails(Some("fsync-tried-again"), storage::LOG, 50) {
        Err(skipped) => say!("fsync-tried-again is skipped: {skipped}"),
        Ok(trial) => {
            assert!(!trial.wrong.is_empty(), "fsync-tried-again was not seen");
            say!(
                "fsync-tried-again is seen after 1 fault: {}",
                trial.wrong[0]
            );
            figure("planted-fsync-tried-again", 1, 0, "B8");
        }
    }
}

/// A bug that one fault shows, which the sound program takes well.
fn told_apart(bug: &str, row: &str, fault: impl Fn(Option<&str>) -> Result<Vec<String>, String>) {
    let found = fault(None).and_then(|sound| Ok((sound, fault(Some(bug))?)));
    match found {
        Err(skipped) => say!("{bug} is skipped: {skipped}"),
        Ok((sound, wrong)) => {
            assert!(sound.is_empty(), "without a bug: {sound:#?}");
            assert!(wrong.iter().any(|what| what.starts_with(row)), "{wrong:#?}");
            say!("{bug} is seen after 1 fault: {}", wrong[0]);
            figure(&format!("planted-{bug}"), 1, 0, row);
        }
    }
}

#[test]
fn a_lease_without_a_fence_is_seen() {
    told_apart("lease-not-fenced", "I10", |bug| Ok(leases::run_out(bug)));
}

#[test]
fn a_name_that_is_not_synced_is_seen() {
    told_apart("name-not-synced", "I1", names::cut_after_a_delivery);
}

/// Every bug of the table is switched on here.
#[test]
fn every_bug_is_hunted() {
    let source = include_str!("planted.rs");
    for bug in super::table::bugs() {
        assert!(source.contains(&format!("\"{bug}\"")), "nobody hunts {bug}");
    }
}
