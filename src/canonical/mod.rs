//! The middle of both walks: business documents that know neither X12 nor any partner.
//!
//! | document | JSON tag | its number | X12 |
//! |---|---|---|---|
//! | [`PurchaseOrder`] | `purchase_order` | the order's | 850 |
//! | [`PurchaseOrderAcknowledgment`] | `purchase_order_acknowledgment` | the order's | 855 |
//! | [`ShipNotice`] | `ship_notice` | the notice's | 856 |
//! | [`Invoice`] | `invoice` | the invoice's | 810 |
//! | [`RemittanceAdvice`] | `remittance_advice` | the payment's trace number | 820 |
//! | [`PurchaseOrderChange`] | `purchase_order_change` | the order's | 860 |
//! | [`PurchaseOrderChangeAcknowledgment`] | `purchase_order_change_acknowledgment` | the order's | 865 |
//! | [`ApplicationAdvice`] | `application_advice` | the advice's | 824 |
//! | [`InventoryAdvice`] | `inventory_advice` | the report's | 846 |
//! | [`RoutingRequest`] | `routing_request` | the request's | 753 |
//! | [`RoutingInstructions`] | `routing_instructions` | the instructions' | 754 |
//!
//! Every record is plain data: optional fields, lists, and `ext`, a typed map for what has no
//! field of its own. A field that is not there is not written. A name that no record has is an
//! error, so that a typing mistake in an answer is told and not lost. Amounts are decimals that
//! keep their scale, dates and times keep their precision, codes are words of ours
//! (`each`, `net_price`) or `other:XX` where a list has no word. What must survive both ways
//! (who numbered an id, which unit a price is for, which zone a time is in) has a field here.
//!
//! ```
//! use transload::canonical::{Document, DocumentKind};
//! let json = r#"{"document":"purchase_order","number":"4500017","lines":[
//!     {"number":"1","quantity":{"value":"10.00","unit":"each"}}]}"#;
//! let order: Document = serde_json::from_str(json).unwrap();
//! assert_eq!(order.kind(), DocumentKind::PurchaseOrder);
//! assert_eq!(order.number(), Some("4500017"));
//! assert!(serde_json::to_string(&order).unwrap().contains(r#""value":"10.00""#));
//! ```
//!
//! It does not translate (`mapping` does), does not check totals or dates against each other
//! (`lifecycle` will), and does no arithmetic.

use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares canonical records: what every one of them has is said here and nowhere else.
/// Each field may be absent and is then not written; each record has `ext`; an unknown name in
/// JSON is an error. Fields keep their order: a guide's `run` fills the first ones.
macro_rules! records {
    ($($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)* })*) => {
    $(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$note])*
                #[serde(skip_serializing_if = "crate::canonical::absent")]
                pub $field: $type,
            )*
            /// What this record carries that has no field of its own.
            #[serde(skip_serializing_if = "crate::canonical::absent")]
            pub ext: crate::canonical::Ext,
        }
    )*

        /// This file's records as they are declared: names, and fields as `name:Type`, one a line.
        pub(super) const RECORDS: &[(&str, &str)] = &[$((
            stringify!($name),
            concat!($(stringify!($field), ":", stringify!($type), "\n",)* "ext:Ext"),
        )),*];
    };
}

mod application_advice;
mod ext;
mod few;
mod goods;
mod gs1;
mod inventory_advice;
mod invoice;
mod json;
mod party;
mod provenance;
mod purchase_order;
mod purchase_order_acknowledgment;
mod purchase_order_change;
mod reference;
mod remittance_advice;
mod routing_instructions;
mod routing_request;
mod ship_notice;
mod terms;
mod transport;
mod value;

pub use application_advice::{
    ApplicationAdvice, ApplicationError, ApplicationResult, IndustryError, IndustryErrors,
    RelatedData,
};
pub use ext::{Ext, ExtValue};
pub use few::Few;
pub use goods::{
    Amount, Description, ItemId, LeadTime, Measurement, Money, Pack, PriceDetail, Quantity,
    QuantityDetail, Schedule, StoreQuantities, StoreQuantity,
};
pub use gs1::check_digit;
pub use inventory_advice::{InventoryAdvice, StockLine, StockQuantity};
pub use invoice::{Invoice, InvoiceLine, InvoiceTotals, LineShipment};
pub use json::Misread;
pub use party::{Address, Contact, ContactNumber, Identifier, NamePart, Party};
pub use provenance::{Loss, Provenance};
pub use purchase_order::{OrderLine, PurchaseOrder, Subline};
pub use purchase_order_acknowledgment::{
    AcknowledgedLine, LineAcknowledgment, PurchaseOrderAcknowledgment,
};
pub use purchase_order_change::{
    ChangedLine, PurchaseOrderChange, PurchaseOrderChangeAcknowledgment,
};
pub use reference::{
    DateReference, Message, Moment, Note, Reference, ReferenceNumber, Totals, Window,
};
pub use remittance_advice::{Adjustment, BankAccount, PaidItem, Remittance, RemittanceAdvice};
pub use routing_instructions::{
    CarrierService, EquipmentSize, RoutedQuantity, RoutedShipment, RoutingInstructions,
};
pub use routing_request::{Destination, RoutingRequest, UnitLoads};
pub use ship_notice::{Level, MarkRange, Marks, OrderReference, Pallet, ShipNotice, ShippedItem};
pub use terms::{Charge, Currency, Jurisdiction, SalesRequirement, Tax, TaxReference, Terms};
pub use transport::{
    DeliveryTerms, Equipment, Lading, Packaging, RoutedOrder, Routing, ShipmentSummary, TransitDate,
};
pub use value::{Code, Date, Decimal, InvalidValue, Time};

/// Whether a field has nothing to say: how all records decide what to leave out.
pub(crate) fn absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A record's fields as they are declared, in their order: `name:Type`, one a line.
pub(crate) fn declared(record: &str) -> Option<&'static str> {
    const FILES: [&[(&str, &str)]; 16] = [
        application_advice::RECORDS,
        goods::RECORDS,
        inventory_advice::RECORDS,
        invoice::RECORDS,
        party::RECORDS,
        provenance::RECORDS,
        purchase_order::RECORDS,
        purchase_order_acknowledgment::RECORDS,
        purchase_order_change::RECORDS,
        reference::RECORDS,
        remittance_advice::RECORDS,
        routing_instructions::RECORDS,
        routing_request::RECORDS,
        ship_notice::RECORDS,
        terms::RECORDS,
        transport::RECORDS,
    ];
    let mut records = FILES.into_iter().flatten();
    records
        .find(|(name, _)| *name == record)
        .map(|(_, fields)| *fields)
}

/// Declares the documents: each kind is named here and matched nowhere else. What has to be done
/// for any of them is generic over serde ([`DocumentKind::deserialize`],
/// [`Document::serialize_record`]) or asked of [`Document`].
macro_rules! documents {
    ($($(#[$about:meta])* $kind:ident $tag:literal $number:ident $lines:literal,)*) => {
        /// A business document. In JSON the field `document` says which.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "document", rename_all = "snake_case")]
        pub enum Document {
            $($(#[$about])* $kind($kind),)*
        }

        /// Which document it is; its text is the JSON tag and a guide's `document`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DocumentKind {
            $($(#[$about])* $kind,)*
        }

        impl DocumentKind {
            /// All of them.
            pub const ALL: [DocumentKind; [$($tag),*].len()] = [$(DocumentKind::$kind),*];

            /// The JSON tag.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(DocumentKind::$kind => $tag,)*
                }
            }

            /// The name of its record.
            pub(crate) fn record(self) -> &'static str {
                match self {
                    $(DocumentKind::$kind => stringify!($kind),)*
                }
            }

            /// The field with the number that people call it by.
            pub(crate) fn number(self) -> &'static str {
                match self {
                    $(DocumentKind::$kind => stringify!($number),)*
                }
            }

            /// The path of what people count in it; a list in its own items is a tree.
            pub(crate) fn lines(self) -> &'static str {
                match self {
                    $(DocumentKind::$kind => $lines,)*
                }
            }

            /// JSON Schema (2020-12) of this kind's record, without the tag. Record types stand in
            /// `$defs`; leaves are inline: `string`, with `format` `date`, `time`, `decimal` or
            /// `code`, or `integer`.
            pub fn schema(self) -> Schema {
                let generator = SchemaSettings::draft2020_12()
                    .with_transform(RecursiveTransform(without_null))
                    .into_generator();
                match self {
                    $(DocumentKind::$kind => generator.into_root_schema_for::<$kind>(),)*
                }
            }

            /// Reads a record of this kind, without the tag, from wherever it is.
            ///
            /// # Errors
            /// The deserializer's own.
            pub fn deserialize<'de, D: Deserializer<'de>>(self, from: D) -> Result<Document, D::Error> {
                match self {
                    $(DocumentKind::$kind => $kind::deserialize(from).map(Document::$kind),)*
                }
            }
        }

        impl Document {
            /// Which document it is.
            pub fn kind(&self) -> DocumentKind {
                match self {
                    $(Document::$kind(_) => DocumentKind::$kind,)*
                }
            }

            /// The number that people call it by: the order's, or its own.
            pub fn number(&self) -> Option<&str> {
                match self {
                    $(Document::$kind(record) => record.$number.as_deref(),)*
                }
            }

            /// Where it came from.
            pub fn provenance(&self) -> &Provenance {
                match self {
                    $(Document::$kind(record) => &record.provenance,)*
                }
            }

            /// Where it came from, to be filled.
            pub fn provenance_mut(&mut self) -> &mut Provenance {
                match self {
                    $(Document::$kind(record) => &mut record.provenance,)*
                }
            }

            /// Writes the record, without the tag, to wherever it goes.
            ///
            /// # Errors
            /// The serializer's own.
            pub fn serialize_record<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Document::$kind(record) => record.serialize(to),)*
                }
            }
        }
    };
}

documents! {
    /// X12 850.
    PurchaseOrder "purchase_order" number "lines",
    /// X12 855.
    PurchaseOrderAcknowledgment "purchase_order_acknowledgment" order_number "lines",
    /// X12 856.
    ShipNotice "ship_notice" number "levels.item",
    /// X12 810.
    Invoice "invoice" number "lines",
    /// X12 820.
    RemittanceAdvice "remittance_advice" number "remittances.items",
    /// X12 860.
    PurchaseOrderChange "purchase_order_change" number "lines",
    /// X12 865.
    PurchaseOrderChangeAcknowledgment "purchase_order_change_acknowledgment" order_number "lines",
    /// X12 824.
    ApplicationAdvice "application_advice" number "results",
    /// X12 846.
    InventoryAdvice "inventory_advice" number "lines",
    /// X12 753.
    RoutingRequest "routing_request" number "destinations.orders",
    /// X12 754.
    RoutingInstructions "routing_instructions" number "shipments",
}

impl DocumentKind {
    /// The kind whose tag is `text`.
    pub fn find(text: &str) -> Option<DocumentKind> {
        DocumentKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// The schema that is published: [`DocumentKind::schema`] with the tag, which every JSON
    /// document must have.
    pub fn published_schema(self) -> Schema {
        let mut schema = self.schema();
        let tag =
            serde_json::json!({ "description": "Which document this is.", "const": self.as_str() });
        if let Some(serde_json::Value::Object(properties)) = schema.get_mut("properties") {
            properties.shift_insert(0, "document".into(), tag);
        }
        schema.insert("required".into(), serde_json::json!(["document"]));
        schema
    }
}

impl std::fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A field that is absent is left out, never `null`; so the schema says plainly what a field is,
/// and not "this or null".
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("default");
    if let Some(serde_json::Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    let Some(serde_json::Value::Array(any)) = object.get_mut("anyOf") else {
        return;
    };
    any.retain(|one| one.get("type").is_none_or(|named| named != "null"));
    if let [serde_json::Value::Object(only)] = any.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        object.extend(only);
    }
}
