//! The operations of the API as a table: where each is, how often it may be asked, what it needs.
//!
//! The table is `mappings/spapi/operations.toml`. A query name that it does not have is refused here,
//! because the API ignores one that is written in another case, and answers with everything.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::bucket::Rate;

/// One operation of one API.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in its API, as the model has it.
    pub name: String,
    /// The API that it is of, as the model's file is called.
    #[serde(default)]
    pub api: String,
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Its path, with `{name}` where a value goes.
    pub path: String,
    /// Requests a second.
    pub rate: f64,
    /// Requests at once.
    pub burst: u32,
    /// The status of success.
    pub taken: u16,
    /// The names of its query, parted by blanks; one that must be there ends in `*`.
    #[serde(default)]
    pub query: String,
    /// Whether it gives what names consumers, so that an application that serves others needs a
    /// token for it alone.
    #[serde(default)]
    pub restricted: bool,
    /// The scope of the token that it is asked with, where that is not an account's.
    pub scope: Option<String>,
    /// What a second POST of the same does.
    #[serde(default)]
    pub again: Again,
    /// Roles of which any one lets an application in; none where nothing says which.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What a second POST of the same does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Again {
    /// It takes the place of the first.
    Replaces,
    /// It is refused as a duplicate, which then says that the first arrived.
    Refused,
    /// Nothing says what it does: a person decides.
    #[default]
    Person,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    api: Vec<Api>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    name: String,
    roles: Vec<String>,
    operations: Vec<Endpoint>,
}

static ENDPOINTS: LazyLock<BTreeMap<String, Endpoint>> = LazyLock::new(|| {
    let text = include_str!("../../../mappings/spapi/operations.toml");
    let table: Table = toml::from_str(text).expect("the embedded table of operations is tested");
    let of = |api: Api| {
        let dressed = move |one: Endpoint| {
            let (api, roles) = (api.name.clone(), api.roles.clone());
            let one = Endpoint { api, roles, ..one };
            (format!("{}.{}", one.api, one.name), one)
        };
        api.operations.into_iter().map(dressed)
    };
    table.api.into_iter().flat_map(of).collect()
});

impl Endpoint {
    /// Every operation, by API and name.
    pub fn all() -> impl Iterator<Item = &'static Endpoint> {
        ENDPOINTS.values()
    }

    /// An operation by its API and its name, as `vendorOrders.getPurchaseOrders`.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Endpoint> {
        ENDPOINTS.get(key)
    }

    /// What a document is posted to, by the name of its operation as `operation` has it.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Endpoint> {
        let key = match name {
            // Two operations have one name; ours tells them apart.
            "submitDirectAcknowledgement" => {
                "vendorDirectFulfillmentOrdersV1.submitAcknowledgement"
            }
            "submitDirectShipmentConfirmations" => {
                "vendorDirectFulfillmentShippingV1.submitShipmentConfirmations"
            }
            "submitDirectInvoice" => "vendorDirectFulfillmentPaymentsV1.submitInvoice",
            "submitAcknowledgement" => "vendorOrders.submitAcknowledgement",
            name => return Endpoint::all().find(|one| one.name == name && one.method == "POST"),
        };
        Endpoint::find(key)
    }

    /// One that is known to be there.
    pub(super) fn known(key: &str) -> &'static Endpoint {
        Endpoint::find(key).expect("the table has the operations that the source names; tested")
    }

    /// Its API and its name.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}.{}", self.api, self.name)
    }

    /// How often it may be asked.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate::new(self.rate, self.burst)
    }

    /// Whether it changes something at the other side.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// The names in its path.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let parts = self.path.split('{').skip(1);
        parts.filter_map(|part| Some(part.split_once('}')?.0))
    }

    /// The names of its query, with whether each must be there.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, bool)> {
        let names = self.query.split_ascii_whitespace();
        names.map(|name| (name.trim_end_matches('*'), name.ends_with('*')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        assert!(Endpoint::all().count() > 45);
        for one in Endpoint::all() {
            assert!(one.rate > 0.0 && one.burst > 0, "{}", one.key());
            assert!(one.path.starts_with('/'), "{}", one.key());
            assert!(
                one.again == Again::Person || one.method == "POST",
                "{}",
                one.key()
            );
        }
        let status = Endpoint::find("vendorTransactionStatus.getTransaction").unwrap();
        assert_eq!((status.rate().burst, status.writes()), (20, false));
        let orders = Endpoint::find("vendorDirectFulfillmentOrdersV1.getOrders").unwrap();
        let wanted: Vec<&str> = orders.parameters().filter(|p| p.1).map(|p| p.0).collect();
        assert_eq!(wanted, ["createdAfter", "createdBefore"]);
    }
}
