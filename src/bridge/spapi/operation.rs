//! Which record a JSON is, and which operation a document goes by.
//!
//! [`read`] takes what an operation answers or takes, with or without its `payload`, finds the
//! records in it by their shape, and makes documents of them. [`write()`] makes the body of the
//! operation that a document goes by.

use serde_json::{Map, Value};

use super::{
    Context, Fault, Loss, Record, acknowledgment, direct, inventory, invoice, order, routing,
    settlement, ship_notice,
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

struct Row {
    operation: Operation,
    name: &'static str,
    /// What the list of its body is called; empty where the body is one record.
    list: &'static str,
    record: &'static str,
    /// Paths that its record has and others have not (`|` is or).
    has: &'static [&'static str],
}

const fn row(
    operation: Operation,
    name: &'static str,
    list: &'static str,
    record: &'static str,
    has: &'static [&'static str],
) -> Row {
    Row {
        operation,
        name,
        list,
        record,
        has,
    }
}

/// The first that fits a record is it.
const OPERATIONS: [Row; 10] = [
    row(
        Operation::GetPurchaseOrder,
        "getPurchaseOrder",
        "orders",
        "Order",
        &["purchaseOrderState|orderDetails.purchaseOrderDate"],
    ),
    row(
        Operation::SubmitAcknowledgement,
        "submitAcknowledgement",
        "acknowledgements",
        "OrderAcknowledgement",
        &["sellingParty", "acknowledgementDate", "items"],
    ),
    row(
        Operation::SubmitShipmentConfirmations,
        "SubmitShipmentConfirmations",
        "shipmentConfirmations",
        "ShipmentConfirmation",
        &["shipmentIdentifier", "shipmentConfirmationType"],
    ),
    row(
        Operation::GetShipmentDetails,
        "GetShipmentDetails",
        "shipments",
        "Shipment",
        &["vendorShipmentIdentifier", "currentShipmentStatus"],
    ),
    row(
        Operation::SubmitShipments,
        "SubmitShipments",
        "shipments",
        "Shipment",
        &["vendorShipmentIdentifier", "transactionType"],
    ),
    row(
        Operation::SubmitInvoices,
        "submitInvoices",
        "invoices",
        "Invoice",
        &["invoiceType", "remitToParty"],
    ),
    row(
        Operation::SubmitInventoryUpdate,
        "submitInventoryUpdate",
        "",
        "StockUpdate",
        &["inventory"],
    ),
    row(
        Operation::SubmitDirectAcknowledgement,
        "submitDirectAcknowledgement",
        "orderAcknowledgements",
        "DirectAcknowledgement",
        &["vendorOrderNumber", "acknowledgementStatus"],
    ),
    row(
        Operation::GetOrder,
        "getOrder",
        "orders",
        "DirectOrder",
        &["orderDetails.orderDate"],
    ),
    row(
        Operation::GetInvoiceHeaders,
        "getInvoiceHeaders",
        "invoices",
        "InvoiceHeader",
        &["invoiceStatus", "invoiceIdentifier"],
    ),
];

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Operation> {
        OPERATIONS.iter().map(|row| row.operation)
    }

    fn row(self) -> &'static Row {
        let is = |row: &&Row| row.operation == self;
        OPERATIONS
            .iter()
            .find(is)
            .expect("each operation has a row")
    }

    /// Its name, as the API has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What its record is.
    #[must_use]
    pub fn record(self) -> &'static Record {
        Record::named(self.row().record).expect("each operation's record is there")
    }

    /// The operation of a name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Operation> {
        Operation::all().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The body with these records in it.
    fn body(self, mut records: Vec<Value>) -> Value {
        match self.row().list {
            "" => records.pop().unwrap_or_default(),
            list => Map::from_iter([(list.to_owned(), records.into())]).into(),
        }
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
        let is = |row: &&Row| row.has.iter().all(|key| key.split('|').any(has));
        wanted.or_else(|| OPERATIONS.iter().find(is).map(|row| row.operation))
    };
    let list = OPERATIONS
        .iter()
        .find_map(|row| json.get(row.list)?.as_array());
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
    let (mut settled, mut read) = (Vec::new(), Vec::new());
    for (operation, value) in records(json, wanted) {
        let (document, losses) = match operation {
            Operation::GetPurchaseOrder => {
                made(Document::PurchaseOrder, order::from_api(value, context))
            }
            Operation::SubmitAcknowledgement => made(
                Document::PurchaseOrderAcknowledgment,
                acknowledgment::from_api(value, context),
            ),
            Operation::SubmitShipmentConfirmations => {
                made(Document::ShipNotice, ship_notice::from_api(value, context))
            }
            Operation::GetShipmentDetails => made(
                Document::RoutingInstructions,
                routing::from_api(value, context),
            ),
            Operation::SubmitShipments => made(
                Document::RoutingRequest,
                routing::request_from_api(value, context),
            ),
            Operation::SubmitInvoices => made(Document::Invoice, invoice::from_api(value, context)),
            Operation::SubmitInventoryUpdate => made(
                Document::InventoryAdvice,
                inventory::from_api(value, None, context),
            ),
            Operation::GetOrder => made(
                Document::PurchaseOrder,
                direct::order_from_api(value, context),
            ),
            Operation::SubmitDirectAcknowledgement => made(
                Document::PurchaseOrderAcknowledgment,
                direct::acknowledgment_from_api(value, context),
            ),
            Operation::GetInvoiceHeaders => {
                settled.push(value);
                continue;
            }
        };
        read.push(Incoming {
            operation,
            document,
            losses,
        });
    }
    for settlement in settlement::from_api(settled, context) {
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
    let mut path = None;
    let (operation, records, losses) = match document {
        Document::PurchaseOrder(order) if context.direct => {
            one(Operation::GetOrder, direct::order_to_api(order, context))
        }
        Document::PurchaseOrderAcknowledgment(answer) if context.direct => one(
            Operation::SubmitDirectAcknowledgement,
            direct::acknowledgment_to_api(answer, context),
        ),
        Document::PurchaseOrder(order) => {
            one(Operation::GetPurchaseOrder, order::to_api(order, context))
        }
        Document::PurchaseOrderAcknowledgment(answer) => one(
            Operation::SubmitAcknowledgement,
            acknowledgment::to_api(answer, context),
        ),
        Document::ShipNotice(notice) => one(
            Operation::SubmitShipmentConfirmations,
            ship_notice::to_api(notice, context),
        ),
        Document::RoutingRequest(request) => {
            let (shipments, losses) = routing::to_api(request, context);
            (Operation::SubmitShipments, shipments, losses)
        }
        Document::Invoice(invoice) => {
            one(Operation::SubmitInvoices, invoice::to_api(invoice, context))
        }
        Document::InventoryAdvice(stock) => {
            let (update, warehouse, losses) = inventory::to_api(stock, context);
            path = warehouse;
            one(Operation::SubmitInventoryUpdate, (update, losses))
        }
        _ => return None,
    };
    let list = operation.row().list;
    let faults = records.iter().enumerate().flat_map(|(n, record)| {
        let at = if list.is_empty() {
            String::new()
        } else {
            format!("{list}[{n}].")
        };
        let faults = operation.record().faults(record).into_iter();
        faults.map(move |fault| Fault {
            at: format!("{at}{}", fault.at),
            ..fault
        })
    });
    Some(Request {
        operation,
        path,
        faults: faults.collect(),
        body: operation.body(records),
        losses,
    })
}

fn one(
    operation: Operation,
    (record, losses): (Value, Vec<Loss>),
) -> (Operation, Vec<Value>, Vec<Loss>) {
    (operation, vec![record], losses)
}

/// What the model does not allow of a record, such as one that was written by hand.
#[must_use]
pub fn faults(operation: Operation, value: &Value) -> Vec<Fault> {
    operation.record().faults(value)
}
