//! The two versions of direct fulfillment: `v1`, and `2021-12-28`, which says the same in bare answers.
//!
//! Documents are mapped to `v1`; an account of the other version is asked there, where an operation
//! has a twin (payments and inventory have none).
//!
//! ```
//! use transload::bridge::spapi::{DirectVersion, Endpoint};
//!
//! let orders = Endpoint::find("vendorDirectFulfillmentOrdersV1.getOrders").unwrap();
//! let dated = DirectVersion::Dated;
//! assert_eq!(dated.twin(orders).api, "vendorDirectFulfillmentOrders_2021-12-28");
//! assert_eq!(DirectVersion::V1.twin(orders), orders);
//! assert_eq!("2021-12-28".parse(), Ok(dated));
//! ```

use std::str::FromStr;

use serde_json::Value;

use super::Endpoint;

/// What ends the names of the APIs of either version.
const V1: &str = "V1";
/// The later one.
const DATED: &str = "_2021-12-28";

/// A version of the APIs of direct fulfillment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectVersion {
    /// `v1`.
    #[default]
    V1,
    /// `2021-12-28`.
    Dated,
}

impl FromStr for DirectVersion {
    type Err = String;

    fn from_str(word: &str) -> Result<DirectVersion, String> {
        match word {
            "v1" => Ok(DirectVersion::V1),
            "2021-12-28" => Ok(DirectVersion::Dated),
            _ => Err(format!("{word:?} is none of v1, 2021-12-28")),
        }
    }
}

impl DirectVersion {
    /// The same operation in this version, or itself where there is none.
    #[must_use]
    pub fn twin(self, endpoint: &'static Endpoint) -> &'static Endpoint {
        let api = match self {
            DirectVersion::V1 => None,
            DirectVersion::Dated => endpoint.api.strip_suffix(V1),
        };
        let twin = api.and_then(|api| Endpoint::find(&format!("{api}{DATED}.{}", endpoint.name)));
        twin.unwrap_or(endpoint)
    }

    /// A body of `v1` as this version wants it: the kinds of containers are written large.
    #[must_use]
    pub fn body(self, mut body: Value) -> Value {
        if self == DirectVersion::Dated {
            large(&mut body);
        }
        body
    }
}

/// The operation as `v1` names it, so that one name stands for both.
pub(super) fn of_v1(operation: &str) -> String {
    operation.replace(DATED, V1)
}

/// The operation in the version that another one is of.
pub(super) fn beside(operation: &str, key: &str) -> &'static Endpoint {
    let version = match operation.contains(DATED) {
        true => DirectVersion::Dated,
        false => DirectVersion::V1,
    };
    version.twin(Endpoint::known(key))
}

fn large(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(kind) if name == "containerType" => {
                        let first = kind.get(..1).unwrap_or_default().to_ascii_uppercase();
                        *kind = format!("{first}{}", kind.get(1..).unwrap_or_default());
                    }
                    value => large(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(large),
        _ => {}
    }
}
