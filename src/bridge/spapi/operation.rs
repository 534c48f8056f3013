//! Which record a JSON is, and which operation a document goes by.
//!
//! [`read`] takes what an operation answers or takes, with or without its `payload`, finds the
//! records in it by their shape, and makes documents of them. [`write()`] makes the body of the
//! operation that a document goes by.

use serde_json::{Map, Value};

use super::{
    Context, Fault, Loss, Record, Report, Trace, acknowledgment, direct, direct_shipment,
    inventory, invoice, order, routing, settlement, ship_notice,
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
    /// `submitShipmentConfirmations` of direct fulfillment: one order's ship notice.
    SubmitDirectShipment,
    /// `submitInvoice` of direct fulfillment payments.
    SubmitDirectInvoice,
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
const OPERATIONS: [Row; 12] = [
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
        Operation::SubmitDirectShipment,
        "submitDirectShipmentConfirmations",
        "shipmentConfirmations",
        "DirectConfirmation",
        &["purchaseOrderNumber", "shipmentDetails.shipmentStatus"],
    ),
    row(
        Operation::SubmitDirectInvoice,
        "submitDirectInvoice",
        "invoices",
        "DirectInvoice",
        &["invoiceNumber", "invoiceDate"],
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
    /// Which place of it says what which place of the record says.
    pub traces: Vec<Trace>,
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
    /// Which place of the document says what which place of the record says.
    pub traces: Vec<Trace>,
    /// What the model does not allow in it.
    pub faults: Vec<Fault>,
}

impl Request {
    /// Where the document says what a place in the body says: `lines[2].price.amount` of
    /// `acknowledgements[0].items[2].netCost`. Of a place that nothing was put in, the nearest
    /// around it.
    #[must_use]
    pub fn place(&self, at: &str) -> Option<&str> {
        let list = self.operation.row().list;
        let inside = at.strip_prefix(list).filter(|_| !list.is_empty());
        let mut place = inside
            .and_then(|rest| Some(rest.split_once("].")?.1))
            .unwrap_or(at);
        loop {
            let below = |trace: &&Trace| {
                let rest = trace.theirs.strip_prefix(place);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            if let Some(trace) = self.traces.iter().find(below) {
                return Some(&trace.ours);
            }
            place = &place[..place.rfind(['.', '['])?];
        }
    }
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
        let (document, report) = match operation {
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
            Operation::SubmitDirectShipment => made(
                Document::ShipNotice,
                direct_shipment::from_api(value, context),
            ),
            Operation::SubmitDirectInvoice => {
                made(Document::Invoice, invoice::direct_from_api(value, context))
            }
            Operation::GetInvoiceHeaders => {
                settled.push(value);
                continue;
            }
        };
        read.push(incoming(operation, document, report));
    }
    let operation = Operation::GetInvoiceHeaders;
    for (advice, report) in settlement::from_api(settled, context) {
        read.push(incoming(
            operation,
            Document::RemittanceAdvice(advice),
            report,
        ));
    }
    read
}

fn incoming(operation: Operation, document: Document, report: Report) -> Incoming {
    Incoming {
        operation,
        document,
        losses: report.losses,
        traces: report.traces,
    }
}

fn made<T>(kind: fn(T) -> Document, (document, report): (T, Report)) -> (Document, Report) {
    (kind(document), report)
}

/// The request that says what a document says; none where the API takes no such document.
#[must_use]
pub fn write(document: &Document, context: &Context) -> Option<Request> {
    let mut path = None;
    let (operation, records, report) = match document {
        Document::PurchaseOrder(order) if context.direct => {
            one(Operation::GetOrder, direct::order_to_api(order, context))
        }
        Document::PurchaseOrderAcknowledgment(answer) if context.direct => one(
            Operation::SubmitDirectAcknowledgement,
            direct::acknowledgment_to_api(answer, context),
        ),
        Document::ShipNotice(notice) if context.direct => one(
            Operation::SubmitDirectShipment,
            direct_shipment::to_api(notice, context),
        ),
        Document::Invoice(invoice) if context.direct => one(
            Operation::SubmitDirectInvoice,
            invoice::direct_to_api(invoice, context),
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
            let (shipments, report) = routing::to_api(request, context);
            (Operation::SubmitShipments, shipments, report)
        }
        Document::Invoice(invoice) => {
            one(Operation::SubmitInvoices, invoice::to_api(invoice, context))
        }
        Document::InventoryAdvice(stock) => {
            let (update, warehouse, report) = inventory::to_api(stock, context);
            path = warehouse;
            one(Operation::SubmitInventoryUpdate, (update, report))
        }
        _ => return None,
    };
    let list = operation.row().list;
    let nowhere = nowhere(operation, path.as_deref());
    let faults = records.iter().enumerate().flat_map(|(n, record)| {
        let at = if list.is_empty() {
            String::new()
        } else {
            format!("{list}[{n}].")
        };
        let faults = operation.record().faults(record).into_iter();
        let faults = faults.chain(context.site.faults(record));
        faults.map(move |fault| Fault {
            at: format!("{at}{}", fault.at),
            ..fault
        })
    });
    Some(Request {
        operation,
        path,
        faults: faults.chain(nowhere).collect(),
        body: operation.body(records),
        losses: report.losses,
        traces: report.traces,
    })
}

fn one(operation: Operation, (record, report): (Value, Report)) -> (Operation, Vec<Value>, Report) {
    (operation, vec![record], report)
}

/// An update of stock goes to a warehouse's path.
fn nowhere(operation: Operation, path: Option<&str>) -> Option<Fault> {
    let lacks = operation == Operation::SubmitInventoryUpdate && path.is_none();
    lacks.then(|| Fault {
        at: "warehouse".to_owned(),
        problem: "an update is of one warehouse, and the document names none".to_owned(),
    })
}

/// What the model does not allow of a record, such as one that was written by hand.
#[must_use]
pub fn faults(operation: Operation, value: &Value) -> Vec<Fault> {
    operation.record().faults(value)
}
