//! Bugs that are switched on one at a time, each of which has to fail the test that is named for
//! it in `rows.toml`: what proves that the tests can see them.
//!
//! Run with `cargo test --features planted --test main -- conformance::planted`. Each runs this same binary
//! once more, with the bug in its environment and that one test.

use std::process::{Command, Output};

/// Runs one test of this binary, with a bug or without.
fn run(test: &str, bug: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .arg(test)
        .env("TRANSLOAD_PLANTED", bug)
        .env("RUST_BACKTRACE", "0");
    command.output().unwrap()
}

#[test]
fn each_planted_bug_fails_its_test() {
    let mut missed = Vec::new();
    for (bug, test) in super::table::planted() {
        let output = run(&test, &bug);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("running 1 test"), "{test}: {said}");
        let failed = !output.status.success() && said.contains("1 failed");
        say!(
            "{bug:32} {test:70} {}",
            if failed { "fails" } else { "PASSES" }
        );
        if !failed {
            missed.push(bug);
        }
    }
    assert!(missed.is_empty(), "not seen: {missed:?}");
    let sound = run("as2_104_", "");
    assert!(sound.status.success(), "and without a bug it passes");
}
