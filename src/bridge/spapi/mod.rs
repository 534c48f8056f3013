//! The way to Amazon's API for vendors: records, maps, code tables, sites.
//!
//! ```text
//! document ── order::to_api … ─► record ─► faults()
//!     ▲                            │
//!     └──────── from_api … ────────┘      each with a report of what was lost
//! ```
//!
//! The pure half: it opens no file or socket and reads no clock. [`Context`] has what neither side
//! says. A map takes every leaf out of its source that it can say in the target; what is left is
//! in the report, so nothing vanishes in silence.
//!
//! ```
//! use chrono::DateTime;
//! use transload::bridge::spapi::{self, Context, Record, Site, order};
//! use transload::canonical::Document;
//!
//! let json = br#"{"document": "purchase_order", "number": "4Z32PABC", "ordered_on": "2026-11-02",
//!     "vendor_number": "TNDBX", "department": "12", "lines": [{"number": "1",
//!     "quantity": {"value": "24", "unit": "each"}, "price": {"amount": "9.95", "basis": "per_each"},
//!     "ids": [{"qualifier": "upc", "id": "036000291452"}]}]}"#;
//! let Ok(Document::PurchaseOrder(order)) = Document::from_json(json) else { panic!() };
//! let now = DateTime::parse_from_rfc3339("2026-11-22T12:00:00Z")?.to_utc();
//! let context = Context::new(Site::find("us").unwrap(), now);
//! let (record, report) = order::to_api(&order, &context);
//! assert!(Record::named("Order").unwrap().faults(&record).is_empty());
//! assert_eq!(record["orderDetails"]["sellingParty"]["partyId"], "TNDBX");
//! assert!(report.losses.iter().any(|loss| loss.path == "department" && loss.cites == "5.1"));
//! let place = |trace: &&spapi::Trace| trace.ours == "lines[0].price.amount";
//! let trace = report.traces.iter().find(place).unwrap();
//! assert_eq!(trace.theirs, "orderDetails.items[0].netCost.amount");
//! let (again, _) = order::from_api(record, &context);
//! assert_eq!(again.lines[0].ids, order.lines[0].ids);
//! # Ok::<(), chrono::ParseError>(())
//! ```
//!
//! | the client | is about |
//! |---|---|
//! | `endpoint` | every operation, from `mappings/spapi/operations.toml` |
//! | `account`, `credential` | whose orders, in which environment; what lets us in |
//! | `token`, `bucket`, `retry` | when a token is asked for, when a request may leave, how long to wait |
//! | `call`, `answer` | a request on the wire; what its answer means, told to people |
//! | `poll` | which window of orders comes next; gaps have names |
//! | `outcome` | a POST is never repeated blindly; who settles it |
//! | `reading` | a list that many wait to be seen in is read by one |
//! | `client` | the shell: the only file here that waits for anybody |
//!
//! It keeps nothing: buckets, watermarks and submissions are values that the gateway persists.

mod account;
pub mod acknowledgment;
pub mod advice;
mod answer;
mod bucket;
pub mod call;
pub mod change;
pub mod client;
mod codes;
mod context;
mod credential;
mod decimal;
pub mod direct;
pub mod direct_shipment;
mod endpoint;
pub mod functional;
pub mod inventory;
pub mod invoice;
mod levels;
mod loss;
mod marks;
mod moment;
pub mod operation;
pub mod order;
pub mod outcome;
mod parts;
pub mod poll;
pub mod reading;
mod record;
mod retry;
pub mod routing;
mod rows;
pub mod settlement;
pub mod ship_notice;
mod ship_notice_tree;
mod shipment;
mod shipped_item;
mod site;
pub mod token;
mod tree;
mod version;
mod walk;

pub use account::{Account, Environment, Misfit};
pub use answer::{Answer, Refusal, Verdict, verdict};
pub use bucket::{Bucket, Metered, Rate};
pub use call::Call;
pub use client::Client;
pub use context::Context;
pub use credential::{ClientSecret, Credential, SECRET_LIFE, SECRET_WARNING, Secret, Unusable};
pub use endpoint::{Again, Endpoint};
pub use loss::{Loss, LossKind, Report, Trace, Way};
pub use record::{Fault, Record};
pub use retry::{RETRY_CAP, RETRY_FIRST, backoff};
pub use site::{OrdersPerInvoice, Region, Site};
pub use token::{Denial, Grant, Tokens};
pub use version::DirectVersion;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tree::Tree;

/// A document as a tree, without where it came from.
fn tree(document: &impl Serialize) -> Tree {
    let mut value = serde_json::to_value(document).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.shift_remove("provenance");
    }
    Tree(value)
}

/// A document of a tree, whose values the maps have looked at; one that it cannot hold after all
/// refuses the whole.
fn document<T: DeserializeOwned + Default>((value, mut report): (Value, Report)) -> (T, Report) {
    let document = serde_json::from_value(value).unwrap_or_else(|error| {
        report.losses.push(Loss {
            kind: LossKind::Refused,
            path: String::new(),
            value: String::new(),
            why: error.to_string(),
            cites: String::new(),
        });
        T::default()
    });
    (document, report)
}
