//! One integration binary: a module for each thing that is tested.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

/// Prints a line that is seen also when the test passes: what was skipped, counted, covered.
/// The usual macros are captured; a run that says nothing would hide a skipped test.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let line = format!($($part)*);
        let _ = writeln!(std::io::stderr(), "{line}");
    }};
}

mod api;
mod as2;
mod bridge;
mod canary;
mod canonical;
mod certificates;
mod check;
mod cli;
mod cli_as2;
mod client;
mod conformance;
mod demo;
mod desk;
mod doctor28;
mod evidence;
mod exchange;
mod formats;
mod fuzz;
mod guides;
mod houses;
mod interop;
mod journey_b;
#[cfg(feature = "planted")]
mod kill;
mod lang;
mod laws;
mod levels;
mod orders;
mod partner;
mod partner_test;
mod permutations;
mod proxy;
mod rollover;
mod samples;
mod sending;
mod spapi;
mod store;
mod tidy;
mod web;
mod x12;
