//! One integration binary: a module for each thing that is tested.

mod as2;
mod bridge;
mod canonical;
mod cli;
mod client;
mod interop;
mod laws;
mod partner;
mod samples;
mod store;
mod tidy;
mod web;
mod x12;
