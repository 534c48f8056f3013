//! Sites: the countries that the API serves, as data in `mappings/sites/`.
//!
//! A site says its region, currency and rules. What nobody told us is absent, and then no rule is
//! applied. X12 dates are local to who sends them; which zone that is no site says, so it is the
//! account's own ([`Context::offset`](super::Context)).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name, such as `US` or `UK`.
    pub name: String,
    /// Its region: `na`, `eu`, `fe`.
    pub region: String,
    /// Its country, ISO 3166 (`GB` for the UK).
    pub country: String,
    /// Its id in the API.
    pub marketplace: String,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// Decimal places of that currency: 0 for the yen.
    pub minor_unit: u8,
    /// Whether credit notes are taken.
    pub credit_notes: Option<bool>,
    /// How many orders may stand in one invoice.
    pub orders_per_invoice: Option<OrdersPerInvoice>,
    /// Whether a ship notice must have the carrier's own number (PRO).
    #[serde(default)]
    pub carrier_reference_required: bool,
    /// Whether every carton must have an SSCC.
    #[serde(default)]
    pub cartons_need_sscc: bool,
}

/// How many orders may stand in one invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrdersPerInvoice {
    /// One.
    One,
    /// Several.
    Several,
}

/// A region's hosts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Where production is asked.
    pub endpoint: String,
    /// Where its sandbox is asked.
    pub sandbox: String,
}

const FILES: [&str; 20] = [
    include_str!("../../../mappings/sites/ae.toml"),
    include_str!("../../../mappings/sites/au.toml"),
    include_str!("../../../mappings/sites/br.toml"),
    include_str!("../../../mappings/sites/ca.toml"),
    include_str!("../../../mappings/sites/de.toml"),
    include_str!("../../../mappings/sites/eg.toml"),
    include_str!("../../../mappings/sites/es.toml"),
    include_str!("../../../mappings/sites/fr.toml"),
    include_str!("../../../mappings/sites/in.toml"),
    include_str!("../../../mappings/sites/it.toml"),
    include_str!("../../../mappings/sites/jp.toml"),
    include_str!("../../../mappings/sites/mx.toml"),
    include_str!("../../../mappings/sites/nl.toml"),
    include_str!("../../../mappings/sites/pl.toml"),
    include_str!("../../../mappings/sites/sa.toml"),
    include_str!("../../../mappings/sites/se.toml"),
    include_str!("../../../mappings/sites/sg.toml"),
    include_str!("../../../mappings/sites/tr.toml"),
    include_str!("../../../mappings/sites/uk.toml"),
    include_str!("../../../mappings/sites/us.toml"),
];

static SITES: LazyLock<Vec<Site>> = LazyLock::new(|| {
    let read = |text: &&str| toml::from_str(text).expect("the embedded sites are tested");
    FILES.iter().map(read).collect()
});

static REGIONS: LazyLock<BTreeMap<String, Region>> = LazyLock::new(|| {
    let text = include_str!("../../../mappings/sites/regions.toml");
    toml::from_str(text).expect("the embedded regions are tested")
});

impl Site {
    /// Every site, by name.
    #[must_use]
    pub fn all() -> &'static [Site] {
        &SITES
    }

    /// A site by its name or its country, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Site> {
        let is = |one: &str| one.eq_ignore_ascii_case(name);
        SITES
            .iter()
            .find(|site| is(&site.name) || is(&site.country))
    }

    /// The hosts of its region.
    #[must_use]
    pub fn region(&self) -> Option<&'static Region> {
        REGIONS.get(&self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_its_region_and_a_name_of_its_own() {
        for site in Site::all() {
            assert!(site.region().is_some(), "{}", site.name);
            assert_eq!(Site::find(&site.name), Some(site));
        }
        assert_eq!(Site::find("gb").map(|site| site.name.as_str()), Some("UK"));
        assert_eq!(Site::find("jp").map(|site| site.minor_unit), Some(0));
    }
}
