//! One integration binary: a module for each thing that is tested.

mod bridge;
mod canonical;
mod client;
mod interop;
mod laws;
mod partner;
mod tidy;
mod web;
