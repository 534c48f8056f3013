//! One integration binary: a module for each thing that is tested.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail like tests, and say what was skipped"
)]

mod as2;
mod bridge;
mod canonical;
mod cli;
mod cli_as2;
mod client;
mod demo;
mod exchange;
mod interop;
mod laws;
mod orders;
mod partner;
mod samples;
mod store;
mod tidy;
mod web;
mod x12;
