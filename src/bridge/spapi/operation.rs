//! Which record a JSON is, and which operation a document goes by.
//!
//! [`read`] takes what an operation answers or takes, with or without its `payload`, finds the
//! records in it by their shape, and makes documents of them. [`write()`] makes the body of the
//! operation that a document goes by.

use serde_json::Value;

use super::{
    Context, Fault, Loss, Wire, acknowledgment, api_direct_orders, api_orders, direct, inventory,
    invoice, order, record, routing, settlement, ship_notice,
};
use crate::canonical::Document;

/// The records that documents are made of, by the operation that takes or gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// `getPurchaseOrders`, `getPurchaseOrder`: an order.
    GetPurchaseOrder,
    /// `submitAcknowledgement` of vendor orders.
    SubmitAcknowledgement,
    /// `SubmitShipmentConfirmations`: a ship notice.
    SubmitShipmentConfirmations,
    /// `GetShipmentDetails`: what the buyer says of a shipment that needs a carrier.
    GetShipmentDetails,
    /// `SubmitShipments`: a request for a carrier.
    SubmitShipments,
    /// `submitInvoices` of vendor payments.
    SubmitInvoices,
    /// `submitInventoryUpdate` of direct fulfillment.
    SubmitInventoryUpdate,
    /// `getInvoiceHeaders` of finances: invoices and what was paid of them.
    GetInvoiceHeaders,
    /// `getOrders`, `getOrder` of direct fulfillment: a consumer's order.
    GetOrder,
    /// `submitAcknowledgement` of direct fulfillment.
    SubmitDirectAcknowledgement,
}

/// Of each operation its name, what its list is called, and paths that its record has and others
/// have not (`|` is or). The first that fits is it.
const OPERATIONS: [(Operation, &str, &str, &[&str]); 10] = [
    (
        Operation::GetPurchaseOrder,
        "getPurchaseOrder",
        "orders",
        &["purchaseOrderState|orderDetails.purchaseOrderDate"],
    ),
    (
        Operation::SubmitAcknowledgement,
        "submitAcknowledgement",
        "acknowledgements",
        &["sellingParty", "acknowledgementDate", "items"],
    ),
    (
        Operation::SubmitShipmentConfirmations,
        "SubmitShipmentConfirmations",
        "shipmentConfirmations",
        &["shipmentIdentifier", "shipmentConfirmationType"],
    ),
    (
        Operation::GetShipmentDetails,
        "GetShipmentDetails",
        "shipments",
        &["vendorShipmentIdentifier", "currentShipmentStatus"],
    ),
    (
        Operation::SubmitShipments,
        "SubmitShipments",
        "shipments",
        &["vendorShipmentIdentifier", "transactionType"],
    ),
    (
        Operation::SubmitInvoices,
        "submitInvoices",
        "invoices",
        &["invoiceType", "remitToParty"],
    ),
    (
        Operation::SubmitInventoryUpdate,
        "submitInventoryUpdate",
        "",
        &["inventory"],
    ),
    (
        Operation::SubmitDirectAcknowledgement,
        "submitDirectAcknowledgement",
        "orderAcknowledgements",
        &["vendorOrderNumber", "acknowledgementStatus"],
    ),
    (
        Operation::GetOrder,
        "getOrder",
        "orders",
        &["orderDetails.orderDate"],
    ),
    (
        Operation::GetInvoiceHeaders,
        "getInvoiceHeaders",
        "invoices",
        &["invoiceStatus", "invoiceIdentifier"],
    ),
];

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Operation> {
        OPERATIONS.iter().map(|row| row.0)
    }

    /// Its name, as the API has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        OPERATIONS
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// The operation of a name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Operation> {
        OPERATIONS
            .iter()
            .find(|row| row.1.eq_ignore_ascii_case(name))
            .map(|row| row.0)
    }
}

/// A document that was read, and how.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What its record was.
    pub operation: Operation,
    /// The document.
    pub document: Document,
    /// What it does not say any more, or says of its own.
    pub losses: Vec<Loss>,
}

/// A request that is ready to be sent, if it has no faults and nothing in it was refused.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which operation takes it.
    pub operation: Operation,
    /// What goes into its path, such as the warehouse of an inventory update.
    pub path: Option<String>,
    /// Its body.
    pub body: Value,
    /// What of the document it does not say, or says of its own.
    pub losses: Vec<Loss>,
    /// What the model does not allow in it.
    pub faults: Vec<Fault>,
}

/// The records in a JSON, found by their shape, or all of them as `wanted`.
#[must_use]
pub fn records(json: &Value, wanted: Option<Operation>) -> Vec<(Operation, Value)> {
    let json = json.get("payload").unwrap_or(json);
    let json = json.get("invoiceHeader").unwrap_or(json);
    let of = |value: &Value| -> Option<Operation> {
        value.as_object()?;
        let has = |path: &str| {
            value
                .pointer(&format!("/{}", path.replace('.', "/")))
                .is_some()
        };
        let is = |keys: &[&str]| keys.iter().all(|key| key.split('|').any(has));
        wanted.or_else(|| OPERATIONS.iter().find(|row| is(row.3)).map(|row| row.0))
    };
    let lists = OPERATIONS
        .iter()
        .map(|row| row.2)
        .filter(|name| !name.is_empty());
    let list = lists
        .filter_map(|name| json.get(name))
        .find_map(Value::as_array);
    let items: Vec<&Value> = match (list, json) {
        (Some(items), _) | (None, Value::Array(items)) => items.iter().collect(),
        (None, one) => vec![one],
    };
    items
        .into_iter()
        .filter_map(|item| Some((of(item)?, item.clone())))
        .collect()
}

/// Reads every record in a JSON. Settlements of one payment become one document.
#[must_use]
pub fn read(json: &Value, wanted: Option<Operation>, context: &Context) -> Vec<Incoming> {
    let mut settled = Vec::new();
    let mut read = Vec::new();
    for (operation, value) in records(json, wanted) {
        let (document, losses) = match operation {
            Operation::GetPurchaseOrder => made(
                Document::PurchaseOrder,
                order::from_api(&record(value), context),
            ),
            Operation::SubmitAcknowledgement => made(
                Document::PurchaseOrderAcknowledgment,
                acknowledgment::from_api(&record(value), context),
            ),
            Operation::SubmitShipmentConfirmations => made(
                Document::ShipNotice,
                ship_notice::from_api(&record(value), context),
            ),
            Operation::GetShipmentDetails => made(
                Document::RoutingInstructions,
                routing::from_api(&record(value), context),
            ),
            Operation::SubmitShipments => made(
                Document::RoutingRequest,
                routing::request_from_api(&record(value), context),
            ),
            Operation::SubmitInvoices => made(
                Document::Invoice,
                invoice::from_api(&record(value), context),
            ),
            Operation::SubmitInventoryUpdate => made(
                Document::InventoryAdvice,
                inventory::from_api(&record(value), None, context),
            ),
            Operation::GetOrder => made(
                Document::PurchaseOrder,
                direct::order_from_api(&record(value), context),
            ),
            Operation::SubmitDirectAcknowledgement => made(
                Document::PurchaseOrderAcknowledgment,
                direct::acknowledgment_from_api(&record(value), context),
            ),
            Operation::GetInvoiceHeaders => {
                settled.push(record(value));
                continue;
            }
        };
        read.push(Incoming {
            operation,
            document,
            losses,
        });
    }
    for settlement in settlement::from_api(&settled, context) {
        let (document, losses) = made(Document::RemittanceAdvice, settlement);
        read.push(Incoming {
            operation: Operation::GetInvoiceHeaders,
            document,
            losses,
        });
    }
    read
}

fn made<T>(kind: fn(T) -> Document, (document, losses): (T, Vec<Loss>)) -> (Document, Vec<Loss>) {
    (kind(document), losses)
}

/// The request that says what a document says; none where the API takes no such document.
#[must_use]
pub fn write(document: &Document, context: &Context) -> Option<Request> {
    Some(match document {
        Document::PurchaseOrder(document) if context.direct => {
            let (order, losses) = direct::order_to_api(document, context);
            let orders = api_direct_orders::OrderList {
                orders: Some(vec![order]),
                ..Default::default()
            };
            request(Operation::GetOrder, &orders, losses)
        }
        Document::PurchaseOrderAcknowledgment(document) if context.direct => {
            let (body, losses) = direct::acknowledgment_to_api(document, context);
            request(Operation::SubmitDirectAcknowledgement, &body, losses)
        }
        Document::PurchaseOrder(document) => {
            let (order, losses) = order::to_api(document, context);
            let orders = api_orders::OrderList {
                orders: Some(vec![order]),
                ..Default::default()
            };
            request(Operation::GetPurchaseOrder, &orders, losses)
        }
        Document::PurchaseOrderAcknowledgment(document) => {
            let (body, losses) = acknowledgment::to_api(document, context);
            request(Operation::SubmitAcknowledgement, &body, losses)
        }
        Document::ShipNotice(document) => {
            let (body, losses) = ship_notice::to_api(document, context);
            request(Operation::SubmitShipmentConfirmations, &body, losses)
        }
        Document::RoutingRequest(document) => {
            let (body, losses) = routing::to_api(document, context);
            request(Operation::SubmitShipments, &body, losses)
        }
        Document::Invoice(document) => {
            let (body, losses) = invoice::to_api(document, context);
            request(Operation::SubmitInvoices, &body, losses)
        }
        Document::InventoryAdvice(document) => {
            let (body, path, losses) = inventory::to_api(document, context);
            Request {
                path,
                ..request(Operation::SubmitInventoryUpdate, &body, losses)
            }
        }
        _ => return None,
    })
}

fn request(operation: Operation, body: &impl Wire, losses: Vec<Loss>) -> Request {
    Request {
        operation,
        path: None,
        body: body.write(),
        losses,
        faults: body.faults(),
    }
}

/// What the model does not allow of a record, such as one that was written by hand.
#[must_use]
pub fn faults(operation: Operation, value: Value) -> Vec<Fault> {
    use super::{api_direct_inventory, api_finances, api_invoices, api_shipments};
    match operation {
        Operation::GetPurchaseOrder => record::<api_orders::Order>(value).faults(),
        Operation::SubmitAcknowledgement => {
            record::<api_orders::OrderAcknowledgement>(value).faults()
        }
        Operation::SubmitShipmentConfirmations => {
            record::<api_shipments::ShipmentConfirmation>(value).faults()
        }
        Operation::GetShipmentDetails | Operation::SubmitShipments => {
            record::<api_shipments::Shipment>(value).faults()
        }
        Operation::SubmitInvoices => record::<api_invoices::Invoice>(value).faults(),
        Operation::SubmitInventoryUpdate => {
            record::<api_direct_inventory::SubmitInventoryUpdateRequest>(value).faults()
        }
        Operation::GetInvoiceHeaders => record::<api_finances::InvoiceHeader>(value).faults(),
        Operation::GetOrder => record::<api_direct_orders::Order>(value).faults(),
        Operation::SubmitDirectAcknowledgement => {
            record::<api_direct_orders::OrderAcknowledgementItem>(value).faults()
        }
    }
}
