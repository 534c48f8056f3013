//! What people write, and what an API answers: an error, or something that can be written again.

use std::sync::LazyLock;

use serde_json::Value;
use transload::bridge::spapi::{Context, Site, operation, order};
use transload::config::Config;
use transload::partner;

/// Partner files, and sheets that partners exchange.
pub fn partner(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = partner::parse(text, "fuzz.toml") {
        assert!(!read.name.is_empty());
        if let Some(as2) = &read.as2 {
            // Whatever a file says, no address is asked but of http and https.
            assert!(!as2.takes_receipts_at("file:///etc/passwd"));
            assert!(as2.url.starts_with("http"));
        }
    }
    let _ = partner::sheet::Sheet::parse(text, "fuzz.toml");
}

/// Settings.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = Config::parse(text, "fuzz.toml", &|_| None) {
        drop((read.serve_limits(), read.gateway_limits()));
    }
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let site = Site::find("US").expect("a site that we know");
    Context::new(site, chrono::DateTime::UNIX_EPOCH)
});

/// Answers of the API: its records, and orders as documents and back.
pub fn spapi(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    for (operation, value) in operation::records(&json, None) {
        let record = operation.record();
        let _ = record.faults(&value);
        let read = record.read(value);
        assert_eq!(
            record.read(read.clone()),
            read,
            "what was read is read as it is"
        );
    }
    let (order, _) = order::from_api(json, &CONTEXT);
    let text = serde_json::to_string(&order).expect("an order has a JSON form");
    assert!(!text.contains("NaN"));
    let (again, _) = order::to_api(&order, &CONTEXT);
    drop(again);
}
