//! What a translation must know that neither side says.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Offset, Utc};

use super::Site;
use crate::canonical::PurchaseOrder;

/// What neither side says.
#[derive(Clone, Debug)]
pub struct Context {
    /// The site: its currency, its country, its rules.
    pub site: Site,
    /// The vendor code that the account sells under, where a document does not say it.
    pub vendor_code: Option<String>,
    /// The time now.
    pub now: DateTime<Utc>,
    /// How far the account's own dates are from UTC. One offset for a document: who lives where
    /// clocks change gives that of the document's day.
    pub offset: FixedOffset,
    /// The order that an acknowledgment answers, as it was received.
    pub order: Option<PurchaseOrder>,
    /// Whether the buyer pays the freight, so that an order's window is one of shipment.
    pub collect: bool,
    /// Whether orders and answers are of direct fulfillment.
    pub direct: bool,
    /// Which of a line's ids is the vendor's: the qualifier, as a canonical word. Without it the
    /// check digit says, and where there are several the first is taken.
    pub vendor_id: Option<String>,
    /// Units that people use instead: canonical word → canonical word.
    pub units: BTreeMap<String, String>,
}

impl Context {
    /// Of a site, at a time, in the site's zone or UTC, with nothing else known.
    #[must_use]
    pub fn new(site: &Site, now: DateTime<Utc>) -> Context {
        Context {
            site: site.clone(),
            vendor_code: None,
            now,
            offset: site.zone.unwrap_or(Utc.fix()),
            order: None,
            collect: false,
            direct: false,
            vendor_id: None,
            units: BTreeMap::new(),
        }
    }

    /// The time now, as the API writes it.
    pub(super) fn stamp(&self) -> String {
        self.now.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
