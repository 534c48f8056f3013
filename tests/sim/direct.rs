//! A consumer's order, by bodies that are written by hand: where scenario `direct` is judged. Through
//! the gateway it is not played, as the play's vendor sells nothing to consumers.

use serde_json::{Value, json};

use super::api::Client;

#[test]
fn a_consumers_order_is_filled_shipped_and_paid() {
    let mut client = Client::of("direct", 1);
    let list = "/vendor/directFulfillment/orders/v1/purchaseOrders";
    let window = "createdAfter=2026-11-01T00:00:00Z&createdBefore=2026-11-05T00:00:00Z";
    assert_eq!(client.get(list).0, 400, "the window is required");
    let (_, listed) = client.get(&format!("{list}?{window}&status=NEW"));
    let order = listed["payload"]["orders"][0].clone();
    let number = order["purchaseOrderNumber"].as_str().unwrap().to_owned();
    let (_, retail) = client.get("/vendor/orders/v1/purchaseOrders");
    assert_eq!(
        retail["payload"]["orders"],
        json!([]),
        "it is no retail order"
    );
    let newer = "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders";
    let (_, bare) = client.get(&format!("{newer}/{number}"));
    assert_eq!(bare, order, "the later version wraps nothing");
    let items = order["orderDetails"]["items"].as_array().unwrap().clone();
    let party = json!({"partyId": "SIMVN"});
    let each = |item: &Value| json!({"amount": item["orderedQuantity"]["amount"], "unitOfMeasure": "Each"});
    let answered = |item: &Value| {
        json!({"itemSequenceNumber": item["itemSequenceNumber"],
            "buyerProductIdentifier": item["buyerProductIdentifier"], "acknowledgedQuantity": each(item)})
    };
    let body = json!({"orderAcknowledgements": [{
        "purchaseOrderNumber": number, "vendorOrderNumber": "V1",
        "acknowledgementDate": "2026-11-02T08:30:00Z",
        "acknowledgementStatus": {"code": "00", "description": "all of it"},
        "sellingParty": party, "shipFromParty": party,
        "itemAcknowledgements": items.iter().map(answered).collect::<Vec<Value>>(),
    }]});
    let path = "/vendor/directFulfillment/orders/v1/acknowledgements";
    let (status, taken) = client.ask("POST", path, Some(&body));
    assert_eq!(status, 202, "{taken:#}");
    let (_, listed) = client.get(&format!("{list}/{number}"));
    assert_eq!(listed["payload"]["orderDetails"]["orderStatus"], "ACCEPTED");
    client.later(24);
    let sequence = |item: &Value| -> i64 {
        item["itemSequenceNumber"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let line = |item: &Value, name: &str| {
        json!({"itemSequenceNumber": sequence(item),
            "buyerProductIdentifier": item["buyerProductIdentifier"], name: each(item)})
    };
    let shipped = |item: &Value| line(item, "shippedQuantity");
    let packed = |item: &Value| line(item, "packedQuantity");
    let body = json!({"shipmentConfirmations": [{
        "purchaseOrderNumber": number,
        "shipmentDetails": {"shippedDate": "2026-11-03T08:00:00Z", "shipmentStatus": "SHIPPED"},
        "sellingParty": party, "shipFromParty": party,
        "items": items.iter().map(shipped).collect::<Vec<Value>>(),
        "containers": [{"containerType": "carton", "containerIdentifier": "1", "trackingNumber": "SIM1",
            "weight": {"unitOfMeasure": "LB", "value": "2"},
            "packedItems": items.iter().map(packed).collect::<Vec<Value>>()}],
    }]});
    let path = "/vendor/directFulfillment/shipping/v1/shipmentConfirmations";
    let (status, taken) = client.ask("POST", path, Some(&body));
    assert_eq!(status, 202, "{taken:#}");
    client.later(1);
    let id = taken["payload"]["transactionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = format!("/vendor/directFulfillment/transactions/v1/transactions/{id}");
    let (_, told) = client.get(&told);
    assert_eq!(
        told["payload"]["transactionStatus"]["status"], "Success",
        "{told:#}"
    );
    let mut cents = 0;
    let mut billed = Vec::new();
    for item in &items {
        let price = item["netPrice"]["amount"]
            .as_str()
            .unwrap()
            .replace('.', "");
        let count = item["orderedQuantity"]["amount"].as_i64().unwrap();
        cents += price.parse::<i64>().unwrap() * count;
        billed.push(json!({"itemSequenceNumber": item["itemSequenceNumber"],
            "buyerProductIdentifier": item["buyerProductIdentifier"], "invoicedQuantity": each(item),
            "netCost": item["netPrice"], "purchaseOrderNumber": number}));
    }
    let total = format!("{}.{:02}", cents / 100, cents % 100);
    let body = json!({"invoices": [{
        "invoiceNumber": "R-1", "invoiceDate": "2026-11-03T09:00:00Z", "remitToParty": party,
        "shipFromParty": party, "invoiceTotal": {"currencyCode": "USD", "amount": total},
        "items": billed,
    }]});
    let path = "/vendor/directFulfillment/payments/v1/invoices";
    let (status, taken) = client.ask("POST", path, Some(&body));
    assert_eq!(status, 202, "{taken:#}");
    client.later(24 * 62);
    assert_eq!(client.world.end(), [], "{:?}", client.world.refusals());
}
