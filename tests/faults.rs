//! Faults on purpose: the process is killed, the power fails, the disk lies, partners and strangers
//! misbehave; ledgers on both sides show what became of every message.
//!
//! `faults/rows/*.toml` is the table of all faults, a file a section:
//!
//! | key | says |
//! |---|---|
//! | `fault` | what is done to the gateway |
//! | `expected` | what it has to do |
//! | `test` | the tests that do it: `module::path::name`, as `cargo test` prints them |
//! | `na` | why it cannot be done to this program |
//! | `todo` | why it is not done |
//! | `note` | what a test leaves out, or does in another way |
//!
//! A row has `test`, `na` or `todo`. `faults/figures.toml` holds what runs measured: a test calls
//! [`figure`], and with `TRANSLOAD_FAULTS_FIGURES=tests/faults/figures.toml` (any file) it is recorded
//! there. `docs/faults.md` is made from both (`UPDATE=1 cargo test --test main -- faults::table`).

#[cfg(feature = "planted")]
mod bits;
#[cfg(feature = "planted")]
mod chance;
mod copies;
mod crowd;
mod envelopes;
mod figures;
mod handshakes;
#[cfg(feature = "planted")]
mod house;
mod http;
#[cfg(feature = "planted")]
mod image;
mod interchanges;
#[cfg(feature = "planted")]
mod leases;
mod memory;
#[cfg(feature = "planted")]
mod names;
#[cfg(feature = "planted")]
mod order;
#[cfg(feature = "planted")]
mod partner;
mod partners;
#[cfg(feature = "planted")]
mod planted;
mod posted;
mod proxy;
mod receipts;
#[cfg(feature = "planted")]
mod reconcile;
#[cfg(feature = "planted")]
mod run;
#[cfg(feature = "planted")]
mod sender;
mod signatures;
#[cfg(feature = "planted")]
mod slice;
mod smuggled;
#[cfg(feature = "planted")]
mod starting;
#[cfg(feature = "planted")]
mod storage;
mod table;
#[cfg(feature = "planted")]
mod unread;
#[cfg(feature = "planted")]
mod wire;

#[allow(unused_imports, reason = "not every build has a run that measures")]
pub(crate) use figures::figure;
pub(crate) use table::{planted, sources, tests};

/// How often something is done: a few times, and as often as the row says with `TRANSLOAD_FAULTS=full`.
fn often(few: usize, full: usize) -> usize {
    match std::env::var("TRANSLOAD_FAULTS").as_deref() {
        Ok("full") => full,
        _ => few,
    }
}

/// Every point that is killed at here.
#[cfg(feature = "planted")]
pub(crate) fn points() -> impl Iterator<Item = &'static str> {
    let slices = slice::POINTS.iter().map(|(point, _)| *point);
    slices.chain(starting::POINTS.iter().copied())
}
