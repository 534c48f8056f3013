//! One integration binary: a module for each thing that is tested.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[macro_use]
mod say;

mod api;
mod as2;
mod backup;
mod bridge;
mod buyer;
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
mod faults;
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
mod sim;
mod spapi;
mod store;
mod tidy;
mod web;
mod x12;
