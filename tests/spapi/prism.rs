//! Every request that we send, before a server that somebody else wrote: Prism, serving the API's
//! models. It takes each; a check of our own, which also sees lists that are missing and names that
//! the model does not have, stands behind it.
//!
//! `tests/interop/setup.sh` installs Prism, `tests/interop/prism.js` starts it. The login is served
//! too, so the client that asks is the one that asks the API: tokens, headers, forms and all.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use serde_json::{Value, json};
use transload::bridge::spapi::client::Moment;
use transload::bridge::spapi::operation::{self, Operation};
use transload::bridge::spapi::outcome::{Submission, witness};
use transload::bridge::spapi::poll::{self, Marks, Plan};
use transload::bridge::spapi::{
    Account, Call, Client, ClientSecret, Credential, DirectVersion, Endpoint, Environment,
    LossKind, Secret, Site, Verdict,
};
use transload::canonical::Document;
use transload::mapping::{Fill, Library, sample};
use transload::net::client as http;

use super::samples::{documents, draws};
use super::schema::{Model, models};
use super::{context, now};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A running Prism. It ends with this value: it is killed by its id.
struct Prism {
    child: Child,
    url: String,
}

impl Prism {
    /// `None`, and a word about it, where it is not installed; in CI that fails.
    fn start() -> Option<Prism> {
        let home = Path::new(ROOT).join("target/interop/prism");
        let there = home.join("node_modules/@stoplight/prism-cli").exists();
        let ci = std::env::var_os("CI").is_some();
        assert!(there || !ci, "no Prism: run tests/interop/setup.sh");
        if !there {
            say!("skipped: no Prism; tests/interop/setup.sh installs it");
            return None;
        }
        let driver = Path::new(ROOT).join("tests/interop/prism.js");
        let models = Path::new(ROOT).join("../shared/spapi/models");
        let mut command = Command::new("node");
        let command = command.arg(driver).arg(home).arg(models);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("node starts");
        let mut url = String::new();
        let mut from = BufReader::new(child.stdout.take().expect("stdout is piped"));
        from.read_line(&mut url).expect("its stdout is readable");
        let url = url.trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "Prism said {url:?}");
        Some(Prism { child, url })
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of ours at a Prism; one that serves others too, so that it wants restricted tokens.
fn client(prism: &Prism) -> Client {
    let us = Site::find("us").unwrap();
    let account = Account::new("prism", Environment::Simulator, us, Some(&prism.url)).unwrap();
    let credential = Credential {
        environment: Environment::Simulator,
        application: "app-1".into(),
        refresh_token: Secret::new("Atzr|prism"),
        secrets: vec![ClientSecret {
            value: Secret::new("secret"),
            issued: None,
        }],
    };
    let mut client = Client::new(account, credential).unwrap();
    client.restricted = true;
    client
}

/// What our own check has against a body: what the model does not allow or does not know, and a list
/// that is empty or not there, though no list is required.
fn strict(models: &BTreeMap<String, Model>, call: &Call) -> Vec<String> {
    let (endpoint, none) = (call.endpoint, Value::Null);
    let model = &models[&endpoint.api];
    let schema = model.body(&endpoint.path, &endpoint.method);
    let (Some(schema), Some(body)) = (schema, &call.body) else {
        let same = schema.is_none() == call.body.is_none();
        return (!same)
            .then(|| "a body where none is, or none where one is".to_owned())
            .into_iter()
            .collect();
    };
    let mut wrong = model.faults(schema, body);
    for name in model.lists(schema) {
        let list = body.get(&name).unwrap_or(&none);
        if list.as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{name} has nothing in it"));
        }
    }
    wrong
}

/// The call that posts a document, as the gateway makes it; none where a person has to look first.
fn posted(document: &Document, direct: bool) -> Option<Call> {
    let mut context = context();
    context.direct = direct;
    let request = operation::write(document, &context)?;
    let refused = request.losses.iter().any(|l| l.kind == LossKind::Refused);
    if refused || !request.faults.is_empty() || request.operation == Operation::GetPurchaseOrder {
        return None;
    }
    let endpoint = Endpoint::of(request.operation.name())?;
    let submission = Submission::new(endpoint, request.path, request.body);
    Some(submission.call())
}

/// The same request of direct fulfillment, in the later version.
fn dated(call: &Call) -> Option<Call> {
    let later = DirectVersion::Dated;
    let endpoint = later.twin(call.endpoint);
    let body = later.body(call.body.clone()?);
    (endpoint != call.endpoint).then(|| Call::to(endpoint).body(body))
}

/// Documents of a guide that are sent, and how many are made up at most until there are as many: most
/// of direct fulfillment's have something that a person has to look at first.
const ENOUGH: usize = 4;
const SEEDS: u64 = 9;
const DIRECT_SEEDS: u64 = 300;

/// The documents of our samples, and those that the guides make up.
fn bodies() -> Vec<(String, Call)> {
    let mut calls = Vec::new();
    let sets = ["753", "810", "846", "855", "856"];
    for (file, document, _) in sets.into_iter().flat_map(documents) {
        let direct = file.contains("amazon-df");
        calls.extend(posted(&document, direct).map(|call| (file, call)));
    }
    let library = Library::embedded();
    for name in library.names() {
        if !sets.iter().any(|set| name.ends_with(set)) {
            continue;
        }
        let guide = library.named(&name).unwrap().unwrap();
        let direct = name.contains("amazon-df");
        let seeds = if direct { DIRECT_SEEDS } else { SEEDS };
        let made = (0..seeds).filter_map(|seed| {
            let fill = if seed % 3 == 0 { Fill::All } else { Fill::Some };
            let document = sample(&guide, fill, &mut draws(seed)).expect("the guide maps");
            let call = posted(&document, direct)?;
            Some((format!("{name} seed {seed}"), call))
        });
        calls.extend(made.take(ENOUGH));
    }
    let later = calls.iter();
    let later = later.filter_map(|(file, call)| Some((file.clone(), dated(call)?)));
    let later: Vec<(String, Call)> = later.collect();
    calls.extend(later);
    calls
}

/// A value for a name in a query, as the models want it.
fn value(endpoint: &Endpoint, name: &str) -> String {
    let word = match name {
        "limit" => "10",
        "pageSize" => "30",
        "sortOrder" => "DESC",
        "includeDetails" | "isPOChanged" => "true",
        "poItemState" => "Cancelled",
        "purchaseOrderState" => "New",
        "purchaseOrderStatus" => "OPEN",
        "itemConfirmationStatus" => "ACCEPTED",
        "itemReceiveStatus" => "NOT_RECEIVED",
        "currentShipmentStatus" => "Created",
        "status" => "NEW",
        "payloadVersion" => "1.0",
        "notificationType" | "notificationTypes" => "REPORT_PROCESSING_FINISHED",
        "marketplaceId" => "ATVPDKIKX0DER",
        name if ["After", "Before", "Date"]
            .iter()
            .any(|end| name.ends_with(end)) =>
        {
            return "2026-11-20T08:00:00Z".into();
        }
        _ if endpoint.path.contains(name) => "A1",
        _ => "A1",
    };
    word.to_owned()
}

/// Every operation once, with all that its query may have.
fn each() -> Vec<(String, Call)> {
    let party = json!({"partyId": "TNDBX"});
    let call = |endpoint: &'static Endpoint| {
        let mut call = Call::to(endpoint);
        for name in endpoint.names() {
            call = call.at(name, &value(endpoint, name));
        }
        for (name, _) in endpoint.parameters() {
            call = call.with(name, value(endpoint, name));
        }
        call
    };
    let body = |endpoint: &Endpoint| match endpoint.name.as_str() {
        "createRestrictedDataToken" => json!({"restrictedResources": [
            {"method": "GET", "path": "/vendor/directFulfillment/orders/v1/purchaseOrders"}]}),
        "createSubscription" => json!({"payloadVersion": "1.0", "destinationId": "d-1"}),
        "createDestination" => json!({"name": "queue", "resourceSpecification":
            {"sqs": {"arn": "arn:aws:sqs:us-east-1:123456789012:queue"}}}),
        "sendTestNotification" => json!({"destinationId": "d-1"}),
        "submitShippingLabelRequest" => json!({"shippingLabelRequests": [{
            "purchaseOrderNumber": "2JK3S9VC", "sellingParty": party, "shipFromParty": party}]}),
        "createShippingLabels" => {
            json!({"sellingParty": party, "shipFromParty": party, "containers":
            [{"containerType": "Carton", "containerIdentifier": "1",
                "weight": {"unitOfMeasure": "KG", "value": "1.5"}, "packedItems":
                [{"itemSequenceNumber": 1, "packedQuantity":
                    {"amount": 1, "unitOfMeasure": "Each"}}]}]})
        }
        "submitInvoice" => json!({"invoices": [{"invoiceNumber": "I-1",
            "invoiceDate": "2026-11-20T08:00:00Z", "remitToParty": party, "shipFromParty": party,
            "invoiceTotal": {"amount": "10.50", "currencyCode": "USD"},
            "items": [{"itemSequenceNumber": "1", "purchaseOrderNumber": "2JK3S9VC",
                "invoicedQuantity": {"amount": 1, "unitOfMeasure": "Each"},
                "netCost": {"amount": "10.50", "currencyCode": "USD"}}]}]}),
        "submitShipmentStatusUpdates" => json!({"shipmentStatusUpdates": [{
            "purchaseOrderNumber": "2JK3S9VC", "sellingParty": party, "shipFromParty": party,
            "statusUpdateDetails": {"trackingNumber": "1Z1", "statusCode": "D1", "reasonCode": "NS",
                "statusDateTime": "2026-11-20T08:00:00Z",
                "statusLocationAddress": {"name": "Dock", "addressLine1": "1 Main St",
                    "countryCode": "US", "postalCode": "98101", "city": "Seattle",
                    "stateOrRegion": "WA"}}}]}),
        "createContainerLabel" => json!({"sellingParty": party, "shipFromParty": party,
            "carrierId": "SWA", "vendorContainerId": "v-1",
            "packages": [{"packageTrackingNumber": "1Z1"}]}),
        _ => Value::Null,
    };
    let made = |endpoint: &'static Endpoint| match (endpoint.method.as_str(), body(endpoint)) {
        ("POST", Value::Null) => None,
        ("POST", body) => Some((endpoint.key(), call(endpoint).body(body))),
        _ => Some((endpoint.key(), call(endpoint))),
    };
    Endpoint::all().filter_map(made).collect()
}

/// What the gateway asks by itself: windows of orders, and witnesses of what it posted.
fn questions(account: &Account, bodies: &[(String, Call)]) -> Vec<(String, Call)> {
    let (mut calls, mut marks, mut at) = (Vec::new(), Marks::default(), now());
    let mut account = account.clone();
    account.vendor_codes = vec!["TNDBX".into()];
    for direct in [false, true] {
        account.direct = direct;
        let plan = Plan {
            direct,
            ..Plan::since(at - TimeDelta::days(10))
        };
        for _ in 0..24 {
            match marks.next(&plan, at) {
                poll::Next::Wait(until) => at = until,
                poll::Next::Ask(window) => {
                    let stream = window.stream.as_str();
                    calls.push((format!("poll of {stream}"), window.call(&account)));
                    let next = window.page.is_none().then_some("MDAwMDAwMDAwAQ==");
                    marks = marks.answered(&window, next, &plan, at);
                }
            }
        }
    }
    for (file, call) in bodies {
        let body = call.body.clone().unwrap_or_default();
        let submission = Submission::new(call.endpoint, None, body);
        let seen = witness(&submission, "ATVPDKIKX0DER");
        calls.extend(seen.map(|call| (format!("witness of {file}"), call)));
    }
    calls
}

async fn asked(client: &Client, http: &http::Client, call: &Call) -> Verdict {
    let meter =
        |_: String, _: &'static Endpoint, _| -> transload::bridge::spapi::client::Wait<'_> {
            Box::pin(std::future::ready(Ok(TimeDelta::zero())))
        };
    let moment = Moment {
        now: now(),
        draw: 0,
    };
    client.ask(http, &meter, call, moment).await
}

#[tokio::test]
async fn prism_takes_every_request_that_we_send() {
    let Some(models) = models() else { return };
    let Some(prism) = Prism::start() else { return };
    let client = client(&prism);
    let http = http::Client::new(http::Trust::System, http::Limits::default());
    let bodies = bodies();
    let mut calls = each();
    calls.extend(questions(client.account(), &bodies));
    calls.extend(bodies);
    let (mut wrong, mut taken) = (Vec::new(), BTreeMap::<String, usize>::new());
    for (what, call) in &calls {
        let key = call.endpoint.key();
        wrong.extend(
            strict(&models, call)
                .into_iter()
                .map(|w| format!("{what}: {key}: {w}")),
        );
        match asked(&client, &http, call).await {
            Verdict::Taken(answer) => {
                let posted = call.endpoint.taken == 202;
                if posted && answer.transaction().is_none() {
                    wrong.push(format!("{what}: {key}: no transaction in {}", answer.body));
                }
                *taken.entry(key).or_default() += 1;
            }
            Verdict::Refused(why) | Verdict::Missing(why) => {
                wrong.push(format!("{what}: {key}: {}", why.whole()));
            }
            other => wrong.push(format!("{what}: {key}: {other:?}")),
        }
    }
    say!(
        "Prism took {} of {} requests: {taken:?}",
        taken.values().sum::<usize>(),
        calls.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let all = Endpoint::all().map(Endpoint::key);
    let missed: Vec<String> = all.filter(|key| !taken.contains_key(key)).collect();
    assert!(missed.is_empty(), "nothing was sent to {missed:?}");
}

/// Prism refuses what is wrong, and our check what Prism lets through.
#[tokio::test]
async fn prism_and_our_check_refuse_what_is_wrong() {
    let Some(models) = models() else { return };
    let Some(prism) = Prism::start() else { return };
    let client = client(&prism);
    let http = http::Client::new(http::Trust::System, http::Limits::default());
    let post = |body: Value| Call::of("vendorOrders.submitAcknowledgement").body(body);
    let late = Call::of("vendorOrders.getPurchaseOrders").with("limit", 900);
    let number = post(json!({"acknowledgements": [{"purchaseOrderNumber": "X", "items": "x"}]}));
    for call in [late, number] {
        let verdict = asked(&client, &http, &call).await;
        assert!(
            matches!(&verdict, Verdict::Refused(why) if why.status == 400),
            "{verdict:?}"
        );
    }
    for body in [
        json!({}),
        json!({"acknowledgments": []}),
        json!({"acknowledgements": []}),
    ] {
        let call = post(body);
        let verdict = asked(&client, &http, &call).await;
        assert!(matches!(verdict, Verdict::Taken(_)), "{verdict:?}");
        assert!(!strict(&models, &call).is_empty(), "{call:?}");
    }
}
