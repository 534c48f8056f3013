//! Transload: an AS2 gateway, an X12 translator and a bridge to Amazon's Vendor API.
//!
//! Everything is one of two walks between a partner's bytes and a business document:
//!
//! ```text
//! inbound    bytes ─ as2::open ─ x12::read ─ mapping::read ─► Document ─► bridge.submit
//!                      └ MDN at once    └ 997/TA1 queued
//! outbound   bridge.poll ─► Document ─ mapping::write ─ x12::write ─ as2::seal ─► bytes
//!                                                         MDN, then 997, come back and settle it
//! ```
//!
//! The rooms, in layers; a room names only rooms above its own (`ARCHITECTURE.md`).

/// `planted!("name")`: whether that bug of ours is switched on. `planted!("name", bug, sound)`:
/// which of the two is done. Without the feature `planted`, which nothing that is shipped has, no
/// bug is in the program; `tests/conformance/planted.rs` says what they are for.
#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($name:literal) => {
        false
    };
    ($name:literal, $bug:expr, $sound:expr) => {
        $sound
    };
}
#[cfg(feature = "planted")]
macro_rules! planted {
    ($name:literal) => {
        std::env::var_os("TRANSLOAD_PLANTED").is_some_and(|chosen| chosen == $name)
    };
    ($name:literal, $bug:expr, $sound:expr) => {
        if planted!($name) { $bug } else { $sound }
    };
}

/// `kill!("point")`: the process ends here, as by `kill -9`, where `TRANSLOAD_KILL` names the point,
/// or on the seventh passage where it says `point:7`. Without the feature `planted` nothing stands
/// here; `tests/kill.rs` and `tests/faults.rs` say what it is for.
#[cfg(not(feature = "planted"))]
macro_rules! kill {
    ($point:literal) => {};
}
#[cfg(feature = "planted")]
macro_rules! kill {
    ($point:literal) => {{
        static PASSED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        if let Some(wanted) = std::env::var_os("TRANSLOAD_KILL") {
            let passed = 1 + PASSED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if wanted == $point || wanted == format!(concat!($point, ":{}"), passed).as_str() {
                std::process::abort();
            }
        }
    }};
}

/// `hurried!()`: whether nothing is waited for between tries and looks, so that a trial of a kill
/// takes no minutes. Never without the feature `planted`.
#[cfg(not(feature = "planted"))]
macro_rules! hurried {
    () => {
        false
    };
}
#[cfg(feature = "planted")]
macro_rules! hurried {
    () => {
        std::env::var_os("TRANSLOAD_HURRY").is_some()
    };
}

/// `mute!()`: whether workers give no word, and leases end after a second, so that one runs out under
/// a worker who goes on. Never without the feature `planted`.
#[cfg(not(feature = "planted"))]
macro_rules! mute {
    () => {
        false
    };
}
#[cfg(feature = "planted")]
macro_rules! mute {
    () => {
        std::env::var_os("TRANSLOAD_MUTE").is_some()
    };
}

// Layer 1: wires and words. Each imports nothing of ours.
pub mod as2;
pub mod canonical;
pub mod clock;
pub mod lang;
pub mod net;
pub mod store;
pub mod x12;
// Layer 2: translation, agreements.
pub mod backup;
pub mod bridge;
pub mod lifecycle;
pub mod mapping;
pub mod partner;
// Layer 3: the walks.
pub mod gateway;
// Layer 4: faces.
pub mod cli;
pub mod config;
pub mod sim;
pub mod web;
