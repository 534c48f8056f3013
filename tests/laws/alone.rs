//! The laws by themselves, for a build that is optimised: there a case takes a tenth of its time.
//!
//! `TRANSLOAD_LAWS=10000 cargo test --release --test laws` tries them on ten thousand documents of
//! each guide. `cargo test` has them in its one binary, and leaves this one out.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[macro_use]
#[path = "../say.rs"]
mod say;

#[path = "../laws.rs"]
mod laws;
