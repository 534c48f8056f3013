//! Every requirement on AS2 that binds an implementation, and every case that the field has met,
//! each with a test that is named by its id.
//!
//! `conformance/rows.toml` lists them; `docs/conformance.md` is made from it and from the names of
//! the tests (`UPDATE=1 cargo test --test main -- conformance` writes it anew). A requirement that
//! nobody tests, and a test that names none, fails here.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod asking;
mod certificates;
mod dispositions;
pub(crate) mod forge;
mod further;
mod headers;
pub(crate) mod house;
mod http;
mod mics;
mod mime;
#[cfg(feature = "planted")]
mod planted;
mod posted;
mod products;
mod receipts;
mod sealing;
mod signing;
pub(crate) mod stub;
mod table;
mod trying;
pub(crate) mod wire;
