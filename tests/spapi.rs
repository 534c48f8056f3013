//! The bridge's pure half: every example of the API, every sample of ours, and documents that are
//! made up, both ways; and nothing is lost that is not on the committed list.

mod compare;
mod examples;
mod notices;
mod outcomes;
mod prism;
mod refusals;
mod samples;
pub(crate) mod schema;
mod section5;
mod structures;
mod translate;

use chrono::{DateTime, Utc};
use transload::bridge::spapi::{Context, Site};

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-22T12:00:00Z")
        .unwrap()
        .to_utc()
}

/// A vendor of the US, in UTC.
fn context() -> Context {
    let mut context = Context::new(Site::find("US").unwrap(), now());
    context.vendor_code = Some("TNDBX".into());
    context
}
