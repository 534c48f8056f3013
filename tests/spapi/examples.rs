//! Every example of the API that is a document: read without a loss that is not told; and where the
//! API's own model accepts it, equal after a way through canonical but for the report.

use std::collections::BTreeMap;

use serde_json::Value;
use transload::bridge::spapi::operation::{self, Operation};

use super::compare::{Leg, unexplained, unlisted};
use super::context;
use super::schema::{Model, models};

/// The model and the definition of what an operation's records are.
pub(super) fn definition(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::GetPurchaseOrder => ("vendorOrders", "Order"),
        Operation::SubmitAcknowledgement => ("vendorOrders", "OrderAcknowledgement"),
        Operation::SubmitShipmentConfirmations => ("vendorShipments", "ShipmentConfirmation"),
        Operation::GetShipmentDetails | Operation::SubmitShipments => {
            ("vendorShipments", "Shipment")
        }
        Operation::SubmitInvoices => ("vendorInvoices", "Invoice"),
        Operation::SubmitInventoryUpdate => (
            "vendorDirectFulfillmentInventoryV1",
            "SubmitInventoryUpdateRequest",
        ),
        Operation::GetOrder => ("vendorDirectFulfillmentOrdersV1", "Order"),
        Operation::SubmitDirectAcknowledgement => (
            "vendorDirectFulfillmentOrdersV1",
            "OrderAcknowledgementItem",
        ),
        Operation::SubmitDirectShipment => {
            ("vendorDirectFulfillmentShippingV1", "ShipmentConfirmation")
        }
        Operation::SubmitDirectInvoice => ("vendorDirectFulfillmentPaymentsV1", "InvoiceDetail"),
        Operation::GetInvoiceHeaders => ("financesInvoices_2026-06-25", "InvoiceHeader"),
    }
}

/// Each example's file and what is in it: of a sandbox's request its body.
pub(super) fn examples() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spapi/examples");
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = value.pointer("/parameters/body/value").cloned();
        all.push((name, body.unwrap_or(value)));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The record that a request or an answer of ours has, alone.
fn only(body: &Value) -> Value {
    let mut records = operation::records(body, None);
    assert_eq!(records.len(), 1, "{body}");
    records.remove(0).1
}

fn sound(models: &BTreeMap<String, Model>, operation: Operation, record: &Value) -> bool {
    let (model, name) = definition(operation);
    let model = &models[model];
    model.faults(model.named(name), record).is_empty()
}

#[test]
fn each_document_is_read_and_those_that_are_sound_come_back() {
    let Some(models) = models() else { return };
    let context = context();
    let (mut read, mut sound_ones, mut unpaid, mut wrong) = (BTreeMap::new(), 0, 0, Vec::new());
    for (file, value) in examples() {
        for (operation, record) in operation::records(&value, None) {
            *read.entry(operation).or_insert(0) += 1;
            let mut context = context.clone();
            context.direct = matches!(
                operation,
                Operation::GetOrder
                    | Operation::SubmitDirectAcknowledgement
                    | Operation::SubmitDirectShipment
                    | Operation::SubmitDirectInvoice
            );
            let told = |what: Vec<String>| {
                what.into_iter()
                    .map(|w| format!("{file}: {w}"))
                    .collect::<Vec<_>>()
            };
            let Some(incoming) = operation::read(&record, Some(operation), &context).pop() else {
                unpaid += usize::from(operation == Operation::GetInvoiceHeaders);
                continue;
            };
            wrong.extend(told(unlisted(&incoming.losses)));
            let Some(request) = operation::write(&incoming.document, &context) else {
                continue;
            };
            wrong.extend(told(unlisted(&request.losses)));
            let ours = operation::faults(operation, &record);
            if sound(&models, operation, &record) {
                wrong.extend(told(
                    ours.iter()
                        .map(|fault| format!("we refuse {fault}"))
                        .collect(),
                ));
                sound_ones += 1;
                let again = only(&request.body);
                let document = serde_json::to_value(&incoming.document).unwrap();
                let there = Leg::from_api(&record, &incoming);
                let back = Leg::to_api(&document, &again, &request);
                wrong.extend(told(there.faults()));
                wrong.extend(told(back.faults()));
                wrong.extend(told(unexplained(&there, &back)));
                // What we find a fault in is not sent.
                let whole = operation::faults(operation, &again).is_empty();
                if whole && !sound(&models, operation, &again) {
                    let (model, name) = definition(operation);
                    let model = &models[model];
                    wrong.extend(told(model.faults(model.named(name), &again)));
                }
            }
        }
    }
    say!("examples: {sound_ones} sound documents of {read:?}, {unpaid} unpaid invoices");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        Operation::all().all(|operation| read.contains_key(&operation)),
        "{read:?}"
    );
}
