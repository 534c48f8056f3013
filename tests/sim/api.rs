//! The API door: its answers are by the models, what is wrong is told with its place, and an order goes
//! its whole way through it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use transload::bridge::spapi::{Context, Endpoint, Site, operation};
use transload::canonical::Document;
use transload::net::whole::{Asked, Told};
use transload::sim::api::Api;
use transload::sim::{Scenario, VENDOR_CODE, World};

use super::vendor::Papers;
use crate::spapi::schema::{Model, models};

/// A client at the door, whose every answer is held to its model.
pub(super) struct Client {
    pub(super) world: World,
    api: Api,
    now: DateTime<Utc>,
    token: String,
    models: Option<BTreeMap<String, Model>>,
    checked: usize,
}

impl Client {
    pub(super) fn of(scenario: &str, orders: usize) -> Client {
        let mut scenario = Scenario::named(scenario).unwrap();
        scenario.doors = vec![transload::sim::Door::Api];
        let mut client = Client {
            world: World::new(scenario, 7, super::start(), orders),
            api: Api::new(7),
            now: super::start(),
            token: String::new(),
            models: models(),
            checked: 0,
        };
        client.log_in();
        client
    }

    fn form(&mut self, form: &str) -> (u16, Value) {
        let asked = Asked {
            method: "POST".into(),
            target: "/auth/o2/token".into(),
            headers: Vec::new(),
            body: form.to_owned().into(),
        };
        let told = self.api.answer(&mut self.world, &asked, self.now);
        (told.status, serde_json::from_slice(&told.body).unwrap())
    }

    fn log_in(&mut self) {
        let access = self.api.access().clone();
        let form = format!(
            "grant_type=refresh_token&refresh_token={}&client_id={}&client_secret={}",
            access.refresh_token.replace('|', "%7C"),
            access.application,
            access.secrets[0]
        );
        let (status, body) = self.form(&form);
        assert_eq!(status, 200, "{body}");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    fn raw(&mut self, method: &str, target: &str, body: Option<&Value>) -> Told {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let asked = Asked {
            method: method.into(),
            target: target.into(),
            headers: vec![
                header("user-agent", "Test/1"),
                header("x-amz-access-token", &self.token),
                header("content-type", "application/json"),
            ],
            body: body.map(Value::to_string).unwrap_or_default().into(),
        };
        self.api.answer(&mut self.world, &asked, self.now)
    }

    /// Asks, and holds the answer to the model.
    pub(super) fn ask(&mut self, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
        // Slowly enough for any operation.
        self.now += TimeDelta::seconds(2);
        if self.now.timestamp() % 3000 < 2 {
            self.log_in();
        }
        let told = self.raw(method, target, body);
        let body: Value = serde_json::from_slice(&told.body).unwrap();
        let path = target.split('?').next().unwrap();
        let Some(models) = &self.models else {
            return (told.status, body);
        };
        let fits = |template: &str| {
            let (ours, theirs) = (template.split('/'), path.split('/'));
            ours.clone().count() == theirs.clone().count()
                && ours.zip(theirs).all(|(a, b)| a.starts_with('{') || a == b)
        };
        let mut all = Endpoint::all().filter(|one| one.method == method);
        if let Some(one) = all.find(|one| fits(&one.path)) {
            let model = &models[&one.api];
            // A slip of this model: one error where a list of them stands everywhere else.
            let slip =
                one.key() == "vendorDirectFulfillmentTransactions_2021-12-28.getTransactionStatus";
            if slip && told.status == 404 {
                return (told.status, body);
            }
            if let Some(schema) = model.answer(method, &one.path, told.status) {
                let faults = model.faults(schema, &body);
                assert!(faults.is_empty(), "{method} {target}: {faults:?}\n{body:#}");
                self.checked += 1;
            }
        }
        (told.status, body)
    }

    pub(super) fn get(&mut self, target: &str) -> (u16, Value) {
        self.ask("GET", target, None)
    }

    fn post(&mut self, document: &Document) -> (u16, Value) {
        let request = operation::write(document, &context(self.now)).unwrap();
        assert!(request.faults.is_empty(), "{:?}", request.faults);
        let endpoint = Endpoint::of(request.operation.name()).unwrap();
        self.ask("POST", &endpoint.path, Some(&request.body))
    }

    fn transaction(&mut self, answer: &Value) -> Value {
        let id = answer["payload"]["transactionId"].as_str().unwrap();
        let (status, body) = self.get(&format!("/vendor/transactions/v1/transactions/{id}"));
        assert_eq!(status, 200);
        body["payload"]["transactionStatus"].clone()
    }

    pub(super) fn later(&mut self, hours: i64) {
        self.now += TimeDelta::hours(hours);
        self.log_in();
    }
}

fn context(now: DateTime<Utc>) -> Context {
    let mut context = Context::new(Site::find("us").unwrap(), now);
    context.vendor_code = Some(VENDOR_CODE.to_owned());
    context
}

/// The first order of a list, as a document.
fn first(body: &Value, now: DateTime<Utc>) -> Papers {
    let read = operation::read(
        body,
        Some(operation::Operation::GetPurchaseOrder),
        &context(now),
    );
    let Some(Document::PurchaseOrder(order)) = read.into_iter().next().map(|one| one.document)
    else {
        panic!("no order in {body:#}")
    };
    Papers::of(order, now + TimeDelta::hours(24))
}

/// What the API wants of a shipment beyond what a test's vendor says.
fn dressed(document: Document) -> Document {
    let mut json = serde_json::to_value(&document).unwrap();
    let address = json!({"lines": ["1 Test Road"], "city": "Reno", "state": "NV",
        "postal_code": "89501", "country": "US"});
    if json["document"] == "ship_notice" {
        let level = &mut json["levels"][0];
        level["ship_from"] = json!({"name": "Test", "id": {"qualifier": "assigned_by_buyer", "id": "W1"},
            "address": address});
        level["ship_to"] = json!({"id": {"qualifier": "assigned_by_buyer", "id": "SIM1"}});
        level["routing"] = json!([{"carrier_qualifier": "2", "carrier": "TEST"}]);
        level["references"] = json!([{"qualifier": "BM", "id": "BOL0000001"},
            {"qualifier": "CN", "id": "PRO0000001"}]);
    } else {
        json["remit_to"] = json!({"name": "Test", "id": {"qualifier": "assigned_by_buyer", "id": "SIMVN"},
            "address": address});
        json["currency"] = json!({"code": "USD"});
    }
    serde_json::from_value(json).unwrap()
}

#[test]
fn an_order_goes_its_whole_way_and_each_answer_is_by_the_model() {
    let mut client = Client::of("standard", 1);
    let window = "createdAfter=2026-11-01T00:00:00Z&createdBefore=2026-11-05T00:00:00Z";
    let (status, list) = client.get(&format!(
        "/vendor/orders/v1/purchaseOrders?{window}&limit=10"
    ));
    assert_eq!(
        (status, &list["payload"]["orders"][0]["purchaseOrderState"]),
        (200, &json!("New"))
    );
    let papers = first(&list, client.now);
    let number = papers.order.number.clone().unwrap();
    let (status, taken) = client.post(&papers.answer(client.now));
    assert_eq!(status, 202, "{taken:#}");
    assert_eq!(client.transaction(&taken)["status"], "Processing");
    client.later(1);
    assert_eq!(
        client.transaction(&taken)["status"],
        "Processing",
        "as for ever: it is no shipment"
    );
    let (_, states) = client.get(&format!(
        "/vendor/orders/v1/purchaseOrdersStatus?purchaseOrderNumber={number}"
    ));
    let line = &states["payload"]["ordersStatus"][0]["itemStatus"][0];
    assert_eq!(
        line["acknowledgementStatus"]["confirmationStatus"],
        "ACCEPTED"
    );
    let (_, one) = client.get(&format!("/vendor/orders/v1/purchaseOrders/{number}"));
    assert_eq!(one["payload"]["purchaseOrderState"], "Acknowledged");
    client.later(23);
    let (status, taken) = client.post(&dressed(papers.notice("SN-1")));
    assert_eq!(status, 202, "{taken:#}");
    client.later(1);
    assert_eq!(client.transaction(&taken)["status"], "Success");
    let (_, sent) = client.get("/vendor/shipping/v1/shipments?vendorShipmentIdentifier=SN-1");
    assert_eq!(
        sent["payload"]["shipments"][0]["currentShipmentStatus"],
        "Shipped"
    );
    client.later(2);
    let (status, taken) = client.post(&dressed(papers.bill("R-1", client.now)));
    assert_eq!(status, 202, "{taken:#}");
    client.later(1);
    assert_eq!(
        client.transaction(&taken)["status"],
        "Processing",
        "it counts, and nobody says so"
    );
    let market = "/finances/invoices/2026-06-25/invoices?marketplaceId=ATVPDKIKX0DER";
    let (_, books) = client.get(market);
    assert_eq!(books["invoices"][0]["invoiceStatus"], "IN_PROGRESS");
    client.later(24 * 62);
    let (_, books) = client.get(market);
    assert_eq!(books["invoices"][0]["invoiceStatus"], "PAID");
    let (status, whole) = client
        .get("/finances/invoices/2026-06-25/invoices/R-1%7ESIMPY?marketplaceId=ATVPDKIKX0DER");
    assert_eq!(
        (status, &whole["invoiceHeader"]["invoiceNumber"]),
        (200, &json!("R-1"))
    );
    assert_eq!(client.world.end(), []);
    assert!(
        client.models.is_none() || client.checked > 12,
        "{}",
        client.checked
    );
}

/// Every operation that reads answers by its model, with what it finds and with nothing.
#[test]
fn each_operation_answers_by_its_model() {
    let mut client = Client::of("standard", 3);
    let access = client.api.access().clone();
    for endpoint in Endpoint::all().filter(|one| !one.writes()) {
        if let Some(scope) = &endpoint.scope {
            let form = format!(
                "grant_type=client_credentials&scope={scope}&client_id={}&client_secret={}",
                access.application, access.secrets[1]
            );
            client.token = client.form(&form).1["access_token"]
                .as_str()
                .unwrap()
                .to_owned();
        } else {
            client.log_in();
        }
        let wanted = endpoint
            .parameters()
            .filter(|(_, must)| *must)
            .map(|(name, _)| {
                let value = match name {
                    "marketplaceId" => "ATVPDKIKX0DER",
                    name if name.contains("After") => "2026-11-01T00:00:00Z",
                    name if name.contains("Before") => "2026-11-03T00:00:00Z",
                    _ => "ANY",
                };
                format!("{name}={value}")
            });
        let query: Vec<String> = wanted.collect();
        let path: Vec<&str> = endpoint
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "X1" } else { part })
            .collect();
        let target = format!("{}?{}", path.join("/"), query.join("&"));
        let (status, body) = client.get(&target);
        let single = endpoint.path.contains('{') || endpoint.name == "getSubscription";
        assert_eq!(
            status,
            if single { 404 } else { 200 },
            "{}: {body:#}",
            endpoint.key()
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut client = Client::of("standard", 1);
    let path = "/vendor/orders/v1/acknowledgements";
    let mut told = |body: Value| -> (u16, String) {
        let (status, body) = client.ask("POST", path, Some(&body));
        (
            status,
            body["errors"][0]["details"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    assert_eq!(told(json!({})), (400, "acknowledgements".into()));
    assert_eq!(
        told(json!({"acknowledgments": []})),
        (400, "acknowledgments".into())
    );
    let item = json!({"orderedQuantity": {"amount": 1, "unitOfMeasure": "EACHES"},
        "itemAcknowledgements": []});
    let answer = json!({"purchaseOrderNumber": "X", "sellingParty": {"partyId": "SIMVN"},
        "acknowledgementDate": "2026-11-02T08:00:00Z", "items": [item]});
    let place = "acknowledgements[0].items[0].orderedQuantity.unitOfMeasure";
    assert_eq!(
        told(json!({"acknowledgements": [answer]})),
        (400, place.into())
    );
    for (query, field) in [
        ("createdafter=2026-11-01T00:00:00Z", "createdafter"),
        ("limit=900", "limit"),
        ("limit=0", "limit"),
        ("createdAfter=yesterday", "createdAfter"),
        (
            "createdAfter=2026-11-01T00:00:00Z&createdBefore=2026-11-20T00:00:00Z",
            "createdAfter",
        ),
        ("createdAfter=2025-11-01T00:00:00Z", "createdAfter"),
        ("purchaseOrderState=OPEN", "purchaseOrderState"),
        ("nextToken=x", "nextToken"),
    ] {
        let (status, body) = client.get(&format!("/vendor/orders/v1/purchaseOrders?{query}"));
        assert_eq!(
            (status, &body["errors"][0]["details"]),
            (400, &json!(field)),
            "{query}: {body:#}"
        );
    }
    assert_eq!(
        client.get("/vendor/orders/v1/purchaseOrders/NOSUCH01").0,
        404
    );
    assert_eq!(
        client.get("/vendor/transactions/v1/transactionStatus/1").0,
        404
    );
}

/// The outcome of what the rules refuse names the field in the body that was posted.
#[test]
fn a_failure_names_the_field_of_the_body() {
    let mut client = Client::of("standard", 1);
    let (_, list) = client.get("/vendor/orders/v1/purchaseOrders");
    let papers = first(&list, client.now);
    // A ship notice before the acknowledgment.
    client.later(24);
    let (status, taken) = client.post(&dressed(papers.notice("SN-1")));
    assert_eq!(status, 202);
    client.later(1);
    let told = client.transaction(&taken);
    assert_eq!(
        (&told["status"], &told["errors"][0]["code"]),
        (&json!("Failure"), &json!("NOT_ACKNOWLEDGED"))
    );
    let place = told["errors"][0]["details"].as_str().unwrap();
    assert!(
        place.starts_with("shipmentConfirmations[0].") && place.contains("uantity"),
        "{place}"
    );
}

#[test]
fn a_rate_is_kept_and_a_token_ends() {
    let mut client = Client::of("standard", 1);
    let path = "/vendor/orders/v1/purchaseOrders";
    let statuses: Vec<u16> = (0..11)
        .map(|_| client.raw("GET", path, None).status)
        .collect();
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10], 429);
    let full = client.raw("GET", path, None);
    assert!(
        full.headers
            .iter()
            .all(|(name, _)| name != "x-amzn-ratelimit-limit")
    );
    client.now += TimeDelta::seconds(1);
    let taken = client.raw("GET", path, None);
    let rate = taken
        .headers
        .iter()
        .find(|(name, _)| name == "x-amzn-ratelimit-limit");
    assert_eq!((taken.status, rate.unwrap().1.as_str()), (200, "10"));
    client.now += TimeDelta::hours(1);
    let ended = client.raw("GET", path, None);
    assert!(ended.status == 403 && String::from_utf8_lossy(&ended.body).contains("expired"));
    client.token = "Atza|nobody".into();
    assert_eq!(client.raw("GET", path, None).status, 403);
    for (form, wanted) in [
        ("grant_type=refresh_token", "invalid_client"),
        ("", "invalid_client"),
    ] {
        assert_eq!(client.form(form).1["error"], wanted);
    }
}

#[test]
fn pages_give_every_order_once() {
    let mut client = Client::of("standard", 7);
    client.later(24);
    let (mut seen, mut next) = (Vec::new(), String::new());
    for _ in 0..9 {
        let target = format!("/vendor/orders/v1/purchaseOrders?limit=3&includeDetails=false{next}");
        let (_, body) = client.get(&target);
        let page = body["payload"]["orders"].as_array().unwrap();
        seen.extend(
            page.iter()
                .map(|one| one["purchaseOrderNumber"].to_string()),
        );
        assert!(page.iter().all(|one| one.get("orderDetails").is_none()));
        match body["payload"]["pagination"]["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

/// The sandbox answers the same whatever was said before.
#[test]
fn the_sandbox_remembers_nothing() {
    let mut client = Client::of("standard", 1);
    let list = "/sandbox/vendor/orders/v1/purchaseOrders";
    let (status, before) = client.get(list);
    assert_eq!(
        (
            status,
            before["payload"]["orders"].as_array().unwrap().len()
        ),
        (200, 2)
    );
    let papers = first(&before, client.now);
    let request = operation::write(&papers.answer(client.now), &context(client.now)).unwrap();
    let path = "/sandbox/vendor/orders/v1/acknowledgements";
    let (one, other) = (
        client.ask("POST", path, Some(&request.body)),
        client.ask("POST", path, Some(&request.body)),
    );
    assert_eq!((one.0, &one), (202, &other));
    assert_eq!(client.get(list).1, before);
}

#[test]
fn odd_orders_are_as_the_scenario_says() {
    let mut client = Client::of("wrong-case", 1);
    client.models = None;
    let (_, list) = client.get("/vendor/orders/v1/purchaseOrders");
    let quantity = &list["payload"]["orders"][0]["orderDetails"]["items"][0]["orderedQuantity"];
    assert!(
        quantity["unitOfMeasure"] == "EACHES" && quantity["amount"].is_string(),
        "{quantity}"
    );
    let mut client = Client::of("sort-refused", 1);
    assert_eq!(
        client
            .get("/vendor/orders/v1/purchaseOrders?sortOrder=ASC")
            .0,
        400
    );
    let mut client = Client::of("hidden-orders", 3);
    client.later(20);
    let listed = |client: &mut Client| {
        let (_, body) = client.get("/vendor/orders/v1/purchaseOrders");
        body["payload"]["orders"].as_array().unwrap().len()
    };
    assert_eq!(listed(&mut client), 1);
    client.later(24 * 5);
    assert_eq!(listed(&mut client), 3);
    let mut client = Client::of("storm", 1);
    client.later(4);
    assert_eq!(
        client
            .raw("GET", "/vendor/orders/v1/purchaseOrders", None)
            .status,
        429
    );
    client.later(10);
    assert_eq!(
        client
            .raw("GET", "/vendor/orders/v1/purchaseOrders", None)
            .status,
        200
    );
}
