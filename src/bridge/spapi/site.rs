//! Sites: the countries that the API serves, as data in `mappings/sites/`.
//!
//! A site says its region, currency and rules. What nobody told us is absent, and then no rule is
//! applied. X12 dates are local to who sends them: of a site with one zone that never changes they
//! are taken in that zone, of any other in UTC, unless the account says
//! ([`Context::offset`](super::Context)). A site of one's own is a copy of one of these, in a file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::FixedOffset;
use serde::Deserialize;
use serde_json::Value;

use super::record::Fault;

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
    /// How far its clocks are from UTC, where that is the same all over it and all year.
    #[serde(default, deserialize_with = "zone")]
    pub zone: Option<FixedOffset>,
    /// What its tax on value is called in the API, where that is not `VAT`.
    pub value_added: Option<String>,
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

fn zone<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<FixedOffset>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
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
        SITES.iter().find(|site| site.is(name))
    }

    /// The text of an embedded site, to be changed in a file of one's own.
    #[must_use]
    pub fn text(name: &str) -> Option<&'static str> {
        let at = SITES.iter().position(|site| site.is(name))?;
        Some(FILES[at])
    }

    /// A site of a file of one's own.
    ///
    /// # Errors
    /// Not TOML, a field that is missing or unknown, or of another type.
    pub fn read(text: &str) -> Result<Site, toml::de::Error> {
        toml::from_str(text)
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.country.eq_ignore_ascii_case(name)
    }

    /// What the site's own rules do not allow in a record that the model allows.
    #[must_use]
    pub fn faults(&self, record: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |at: String, problem: String| faults.push(Fault { at, problem });
        let name = &self.name;
        let shipped = record.get("shippedItems").is_some();
        let transport = &record["transportationDetails"];
        if shipped && self.carrier_reference_required {
            let key = "carrierShipmentReferenceNumber";
            if transport[key].is_null() {
                let at = format!("transportationDetails.{key}");
                fault(at, format!("{name} wants the carrier's own number (PRO)"));
            }
        }
        let cartons = record["cartons"].as_array().into_iter().flatten();
        for (n, carton) in cartons.enumerate().filter(|_| self.cartons_need_sscc) {
            let mut ids = carton["cartonIdentifiers"].as_array().into_iter().flatten();
            if !ids.any(|id| id["containerIdentificationType"] == "SSCC") {
                let at = format!("cartons[{n}].cartonIdentifiers");
                fault(at, format!("{name} wants an SSCC on every carton"));
            }
        }
        self.places(record, "", &mut fault);
        faults
    }

    /// Amounts to be paid have no more decimal places than the currency. A unit's price may.
    fn places(&self, value: &Value, at: &str, fault: &mut dyn FnMut(String, String)) {
        const PAID: [&str; 4] = [
            "invoiceTotal",
            "taxAmount",
            "chargeAmount",
            "allowanceAmount",
        ];
        match value {
            Value::Object(map) => {
                let ours = map.get("currencyCode").and_then(Value::as_str) == Some(&self.currency);
                let paid = PAID.iter().any(|name| at.ends_with(name));
                let amount = map
                    .get("amount")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let digits = amount.split_once('.').map_or("", |(_, after)| after);
                let digits = digits.trim_end_matches('0').len();
                if ours && paid && digits > usize::from(self.minor_unit) {
                    let most = match self.minor_unit {
                        0 => "no decimal places".to_owned(),
                        most => format!("{most} decimal places"),
                    };
                    fault(
                        format!("{at}.amount"),
                        format!("{} has {most}", self.currency),
                    );
                }
                for (key, item) in map {
                    let at = if at.is_empty() {
                        key.clone()
                    } else {
                        format!("{at}.{key}")
                    };
                    self.places(item, &at, fault);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.places(item, &format!("{at}[{n}]"), fault);
                }
            }
            _ => {}
        }
    }

    /// The hosts of its region.
    #[must_use]
    pub fn region(&self) -> Option<&'static Region> {
        REGIONS.get(&self.region)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    #[test]
    fn a_sites_own_rules_are_told_with_their_place() {
        let told = |site: &str, record: Value| -> Vec<String> {
            let faults = Site::find(site).unwrap().faults(&record);
            faults.iter().map(ToString::to_string).collect()
        };
        let notice = json!({"shippedItems": [], "cartons": [{"cartonIdentifiers": []}]});
        assert_eq!(
            told("us", notice.clone()),
            [
                "transportationDetails.carrierShipmentReferenceNumber: US wants the carrier's own number (PRO)",
                "cartons[0].cartonIdentifiers: US wants an SSCC on every carton",
            ]
        );
        assert_eq!(told("de", notice), [""; 0]);
        let yen = |amount: &str| {
            let total = json!({"amount": amount, "currencyCode": "JPY"});
            json!({"invoiceTotal": total, "items": [{"netCost": {"amount": "0.5", "currencyCode": "JPY"}}]})
        };
        assert_eq!(told("jp", yen("100.00")), [""; 0]);
        assert_eq!(
            told("jp", yen("100.5")),
            ["invoiceTotal.amount: JPY has no decimal places"]
        );
    }
}
