//! What becomes of a POST, and of an order and a payment: 997, 824, 860, 820.

use serde_json::json;
use transload::bridge::spapi::advice::{self, Sent};
use transload::bridge::spapi::{change, functional, operation};
use transload::canonical::Document;
use transload::mapping::{Library, write};
use transload::x12::{Delimiters, Form, SegmentFault, Severity, Verdict};

use super::{context, now};

fn sent() -> Sent {
    Sent {
        set: "855".into(),
        number: "4Z32PABC".into(),
        group: Some("39".into()),
        control_number: Some("0001".into()),
        ..Default::default()
    }
}

#[test]
fn a_post_that_was_taken_or_not_is_a_997() {
    let taken = functional::acknowledgment(&sent(), Ok(()), Form::F997);
    assert_eq!((taken.verdict.code(), taken.accepted), ("A", 1));
    let segment = SegmentFault {
        tag: "PO1".into(),
        position: 4,
        codes: vec!["8".into()],
        ..Default::default()
    };
    let refused = functional::acknowledgment(&sent(), Err(vec![segment]), Form::F997);
    assert_eq!(refused.functional_id, "PR");
    assert_eq!(refused.verdict, Verdict::Rejected);
    let set = &refused.sets[0];
    assert_eq!(
        (set.id.as_str(), set.control_number.as_str()),
        ("855", "0001")
    );
    assert_eq!(
        (set.codes.as_slice(), set.segments[0].position),
        (&["5".to_owned()][..], 4)
    );
}

#[test]
fn an_outcome_is_an_824_and_never_a_997() {
    let made = |status: &str, errors: serde_json::Value| {
        let transaction = json!({"transactionId": "t-1", "status": status, "errors": errors});
        advice::from_api(transaction, &sent(), &context()).map(|(advice, _)| advice)
    };
    assert!(made("Processing", json!([])).is_none());
    let word = |advice: &transload::canonical::ApplicationAdvice| {
        advice.results[0].status.as_ref().unwrap().to_string()
    };
    assert_eq!(word(&made("Success", json!([])).unwrap()), "set_accepted");
    let errors = json!([{"code": "INVALID_ORDER_ID", "message": "no such order", "details": "PO"}]);
    let failed = made("Failure", errors).unwrap();
    assert_eq!(word(&failed), "set_rejected");
    assert_eq!(failed.results[0].id.as_deref(), Some("4Z32PABC"));
    written("824", &Document::ApplicationAdvice(failed));
}

#[test]
fn an_order_that_changed_becomes_an_860() {
    let order = |amount: u32, window: &str| {
        let line = json!({"itemSequenceNumber": "1", "isBackOrderAllowed": false,
            "vendorProductIdentifier": "036000291452",
            "orderedQuantity": {"amount": amount, "unitOfMeasure": "Eaches"},
            "netCost": {"amount": "9.95", "currencyCode": "USD"}});
        let details = json!({"purchaseOrderType": "RegularOrder", "purchaseOrderDate": "2026-11-02T00:00:00Z", "items": [line],
            "purchaseOrderStateChangedDate": "2026-11-02T00:00:00Z", "deliveryWindow": window});
        let order = json!({"purchaseOrderNumber": "4Z32PABC", "purchaseOrderState": "New",
            "orderDetails": details});
        match operation::read(&order, None, &context()).remove(0).document {
            Document::PurchaseOrder(order) => order,
            other => panic!("{}", other.kind()),
        }
    };
    let first = "2026-11-20T00:00:00Z--2026-11-27T00:00:00Z";
    let later = "2026-11-21T00:00:00Z--2026-11-28T00:00:00Z";
    let (before, after) = (order(24, first), order(18, first));
    assert_eq!(change::diff(&before, &before, "1", now()), None);
    let changed = change::diff(&before, &after, "1", now()).unwrap();
    assert_eq!(
        changed.lines[0].change.as_ref().unwrap().as_str(),
        "quantity_decreased"
    );
    written("860", &Document::PurchaseOrderChange(changed));
    let moved = change::diff(&before, &order(24, later), "2", now()).unwrap();
    assert_eq!(
        moved.lines[0].change.as_ref().unwrap().as_str(),
        "schedule_changed"
    );
}

#[test]
fn an_advice_becomes_an_820_on_request() {
    let money = |amount: f64| json!({"currencyCode": "USD", "currencyAmount": amount});
    let part =
        |kind: &str, amount: f64| json!({"breakdownType": kind, "breakdownAmount": money(amount)});
    let numbers = |name: &str, value: &str| json!({"relatedIdentifierName": name, "relatedIdentifierValue": [value]});
    let invoice = json!({
        "invoiceNumber": "I-77", "invoiceStatus": "PAID", "invoiceType": "AP_INVENTORY",
        "payer": {"partnerId": "AMZ", "partnerType": "AMAZON", "partnerName": "BUYER"},
        "payee": {"partnerId": "TNDBX", "partnerType": "VENDOR", "partnerName": "TINDERBOX"},
        "invoiceIdentifier": "I-77~TNDBX", "issueDate": "2026-11-02T00:00:00Z",
        "invoiceAmount": money(100.0),
        "invoiceSettlementBreakdowns": [part("AmountPaid", 90.5), part("QuantityVarianceAmount", 9.5)],
        "relatedIdentifiers": [numbers("UNIQUE_PAYMENT_IDS", "PMT-98"), numbers("PURCHASE_ORDER_IDS", "4Z32PABC")],
        "creationDate": "2026-11-02T00:00:00Z", "lastUpdatedDate": "2026-11-02T00:00:00Z"});
    let read = operation::read(&invoice, None, &context()).remove(0);
    let Document::RemittanceAdvice(advice) = &read.document else {
        panic!("{}", read.document.kind())
    };
    let item = &advice.remittances[0].items[0];
    assert_eq!(item.adjustments[0].amount.unwrap().to_string(), "9.5");
    assert_eq!(item.references[0].id.as_deref(), Some("4Z32PABC"));
    let edi = written("820", &read.document);
    assert!(edi.contains("RMR*IV*I-77"), "{edi}");
}

/// The document as a set of the plain guide, without an error.
fn written(set: &str, document: &Document) -> String {
    let library = Library::embedded();
    let guide = library.guide(None, "004010", set).unwrap().unwrap();
    let delimiters = Delimiters::default();
    let writing = write(&guide, document, &delimiters);
    let errors: Vec<_> = writing
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let segments = writing.segments.iter();
    segments.map(|segment| format!("{segment:?}\n")).collect()
}
