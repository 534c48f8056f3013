//! One integration binary: a module for each thing that is tested.

mod bridge;
mod interop;
mod laws;
mod partner;
mod tidy;
mod web;
