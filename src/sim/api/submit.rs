//! What is posted: held to the model, then to the buyer's rules; the outcome is told later.
//!
//! A body that the model does not allow is answered 400, with the path of the field. One that it does is
//! taken (202), and what the rules make of it is the transaction's outcome.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::shipments::{self, Shipment};
use super::{Api, Reply, context, error, invalid, missing, odd};
use crate::bridge::spapi::operation::{self, Incoming, Operation};
use crate::bridge::spapi::{Endpoint, Fault, Trace};
use crate::canonical::DocumentKind;
use crate::net::whole::Asked;
use crate::sim::{Door, Reason, What, World};

/// Faults that one answer tells.
const TOLD: usize = 20;
/// What the list of an operation's body is called; none where the body is one record.
const LISTS: [(Operation, &str); 7] = [
    (Operation::SubmitAcknowledgement, "acknowledgements"),
    (
        Operation::SubmitShipmentConfirmations,
        "shipmentConfirmations",
    ),
    (Operation::SubmitShipments, "shipments"),
    (Operation::SubmitInvoices, "invoices"),
    (
        Operation::SubmitDirectAcknowledgement,
        "orderAcknowledgements",
    ),
    (Operation::SubmitDirectShipment, "shipmentConfirmations"),
    (Operation::SubmitDirectInvoice, "invoices"),
];

/// A POST that was taken.
pub(super) struct Transaction {
    /// The submissions in it: their numbers in the world, where each stands in the body, and which
    /// place of it is which of the document.
    parts: Vec<(String, String, Vec<Trace>)>,
}

impl Api {
    pub(super) fn submitted(
        &mut self,
        world: &mut World,
        endpoint: &'static Endpoint,
        asked: &Asked,
        place: &str,
        now: DateTime<Utc>,
    ) -> Reply {
        if endpoint.method == "DELETE" {
            return missing("thing for this operation in the box,", place);
        }
        let kind = asked.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            let message = format!("content-type is {kind:?}, and not application/json");
            return error(415, "UnsupportedMediaType", &message, "content-type");
        }
        let body: Value = match serde_json::from_slice(&asked.body) {
            Ok(body) => body,
            Err(why) => return invalid(&format!("the body is no JSON: {why}"), ""),
        };
        if endpoint.name == "createRestrictedDataToken" {
            return self.restricted_token(&body, now);
        }
        let mut all = Operation::all();
        let found = all.find(|one| {
            Endpoint::of(one.name())
                .is_some_and(|known| known.name == endpoint.name && same(known, endpoint))
        });
        let Some(operation) = found else {
            return missing("thing for this operation in the box,", place);
        };
        let (list, faults) = judged(operation, &body, now);
        if !faults.is_empty() {
            return refused(&faults);
        }
        self.taken(world, endpoint, operation, list, &body, now)
    }

    fn taken(
        &mut self,
        world: &mut World,
        endpoint: &Endpoint,
        operation: Operation,
        list: &str,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Reply {
        let records = operation::records(body, Some(operation));
        let incoming = operation::read(body, Some(operation), &context(now));
        let mut parts = Vec::new();
        let mut lost = false;
        for (n, (one, (_, record))) in incoming.into_iter().zip(records).enumerate() {
            let Incoming {
                document, traces, ..
            } = one;
            let verdict = world.take(&document, Door::Api, now);
            // What is accepted is told without its places.
            let traces = match verdict.accepted() {
                true => Vec::new(),
                false => traces,
            };
            if verdict.accepted() {
                let number = document.number().unwrap_or_default();
                self.remember(operation, number, record, now);
            }
            let at = match list {
                "" => String::new(),
                list => format!("{list}[{n}]."),
            };
            let id = verdict.id().to_owned();
            lost |= odd_for(world, &id, What::LostAnswer);
            parts.push((id, at, traces));
        }
        let Some((id, ..)) = parts.first().cloned() else {
            return invalid("there is nothing in the body", list);
        };
        self.transactions.insert(id.clone(), Transaction { parts });
        if lost {
            return error(
                500,
                "InternalFailure",
                "the answer is lost, by the scenario",
                "",
            );
        }
        let answer = json!({"transactionId": id});
        match endpoint.api.contains("2021-12-28") {
            true => (endpoint.taken, answer),
            false => (endpoint.taken, json!({"payload": answer})),
        }
    }

    /// Keeps what the world does not know of a record that counts.
    fn remember(&mut self, operation: Operation, number: &str, record: Value, now: DateTime<Utc>) {
        match operation {
            Operation::SubmitAcknowledgement => {
                let date = record["acknowledgementDate"].as_str().unwrap_or_default();
                self.acknowledged.insert(number.to_owned(), date.to_owned());
            }
            Operation::SubmitShipmentConfirmations | Operation::SubmitShipments => {
                let confirmed = operation == Operation::SubmitShipmentConfirmations;
                let name = match confirmed {
                    true => "shipmentIdentifier",
                    false => "vendorShipmentIdentifier",
                };
                let id = record[name].as_str().unwrap_or_default().to_owned();
                if record["transactionType"] == "Cancel" {
                    self.shipments.remove(&id);
                    return;
                }
                let shipment = Shipment {
                    told: if confirmed {
                        shipments::kept(&record)
                    } else {
                        record
                    },
                    at: now,
                    confirmed,
                };
                self.shipments.insert(id, shipment);
            }
            _ => {}
        }
    }

    /// What became of a POST.
    pub(super) fn transaction(&self, world: &World, id: &str, now: DateTime<Utc>) -> Reply {
        let Some(transaction) = self.transactions.get(id) else {
            return missing("transaction", id);
        };
        let mut status = "Processing";
        let mut errors = Vec::new();
        for (own, at, traces) in &transaction.parts {
            if odd_for(world, own, What::LostTransaction) {
                return missing("transaction", id);
            }
            let Some(submission) = world.submissions.get(own).filter(|one| one.known <= now) else {
                continue;
            };
            if odd_for(world, own, What::ProcessingForEver) {
                continue;
            }
            let silent = odd_for(world, own, What::NoDetail);
            for reason in &submission.reasons {
                errors.push(match silent {
                    true => {
                        json!({"code": "NotAvailable", "message": "no details, by the scenario"})
                    }
                    false => told(reason, at, traces),
                });
            }
            // Success is told of shipments alone; what is not refused otherwise stays as it is.
            let shipment = matches!(
                submission.kind,
                DocumentKind::ShipNotice | DocumentKind::RoutingRequest
            );
            if shipment && submission.reasons.is_empty() {
                status = "Success";
            }
        }
        let mut said = json!({"transactionId": id, "status": status});
        if !errors.is_empty() {
            said["status"] = "Failure".into();
            said["errors"] = errors.into();
        }
        (200, json!({"payload": {"transactionStatus": said}}))
    }
}

/// Whether something happens to the order of a submission.
fn odd_for(world: &World, submission: &str, what: What) -> bool {
    let own = world.submissions.get(submission);
    let position = own.and_then(|own| world.position(&own.order));
    position.is_some_and(|position| world.scenario().happens(what, position).is_some())
        && !odd::during(world, What::Down, world.now())
}

/// Whether two operations of one name are the same in two versions, or one.
fn same(one: &Endpoint, other: &Endpoint) -> bool {
    one.path.contains("directFulfillment") == other.path.contains("directFulfillment")
}

/// What the model and the site do not allow in a body, and its list.
fn judged(operation: Operation, body: &Value, now: DateTime<Utc>) -> (&'static str, Vec<Fault>) {
    let fault = |at: &str, problem: String| Fault {
        at: at.to_owned(),
        problem,
    };
    let list = LISTS.iter().find(|(known, _)| *known == operation);
    let list = list.map_or("", |(_, list)| *list);
    let mut faults = Vec::new();
    if !list.is_empty() {
        for name in body.as_object().into_iter().flat_map(|map| map.keys()) {
            if name != list {
                faults.push(fault(name, format!("the body has {list}, and no {name}")));
            }
        }
        if body
            .get(list)
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
        {
            faults.push(fault(
                list,
                "it is required, with at least one entry".to_owned(),
            ));
            return (list, faults);
        }
    }
    let site = context(now).site;
    for (n, (_, record)) in operation::records(body, Some(operation))
        .into_iter()
        .enumerate()
    {
        let at = match list {
            "" => String::new(),
            list => format!("{list}[{n}]."),
        };
        let own = operation.record().faults(&record).into_iter();
        let own = own.chain(site.faults(&record));
        faults.extend(own.map(|one| fault(&format!("{at}{}", one.at), one.problem)));
    }
    (list, faults)
}

fn refused(faults: &[Fault]) -> Reply {
    let error = |fault: &Fault| {
        json!({
            "code": "InvalidInput",
            "message": format!("{}: {}", fault.at, fault.problem),
            "details": fault.at,
        })
    };
    let errors: Vec<Value> = faults.iter().take(TOLD).map(error).collect();
    (400, json!({"errors": errors}))
}

/// A reason with its place in the body.
fn told(reason: &Reason, at: &str, traces: &[Trace]) -> Value {
    let mut error = json!({"code": reason.code.to_uppercase(), "message": reason.sentence});
    let mut place = reason.path.as_str();
    let found = loop {
        let within = |trace: &&Trace| {
            let rest = trace.ours.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        match traces.iter().find(within).filter(|_| !place.is_empty()) {
            Some(trace) => break trace.theirs.clone(),
            None => match place.rfind(['.', '[']) {
                Some(end) => place = &place[..end],
                None => break String::new(),
            },
        }
    };
    if !reason.path.is_empty() {
        error["details"] = format!("{at}{found}").trim_end_matches('.').into();
    }
    error
}
