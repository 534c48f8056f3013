//! The simulated buyer: every scenario ends as its file says, one seed gives one run, and its API door
//! answers by the models and takes what our own client sends.

mod api;
mod bugs;
mod direct;
mod play;
mod scenarios;
mod vendor;
mod wire;

use chrono::{DateTime, Utc};

/// When runs begin: a Monday.
fn start() -> DateTime<Utc> {
    let start = DateTime::parse_from_rfc3339("2026-11-02T08:00:00Z");
    start.unwrap().to_utc()
}
