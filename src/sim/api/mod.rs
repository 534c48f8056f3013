//! The SP-API door: a request in, an answer out, over the one [`World`].
//!
//! ```text
//! target ─ is it up? ─ login │ operation ─ token ─ rate ─ query ─ read or submit ─► answer
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `login` | the login: tokens by refresh token or by scope; restricted data tokens |
//! | `query` | what a query may say: names, windows, pages |
//! | `orders` | orders and their statuses |
//! | `shipments` | shipments, their carriers and labels |
//! | `settlements` | invoices and what became of them |
//! | `submit` | what is posted: strict against the models, told with its path; transactions |
//! | `direct` | consumers' orders |
//! | `elsewhere` | what this box has nothing of: labels for consumers, notifications |
//! | `odd` | misbehaviour, by scenario |
//!
//! Bodies are read and written by `bridge::spapi`'s records, the twins of what a client writes. It is
//! pure: its time is an argument, and tokens come of the seed.
//!
//! ```
//! use transload::net::whole::Asked;
//! use transload::sim::{Scenario, World, api::Api};
//!
//! let start = chrono::DateTime::UNIX_EPOCH;
//! let mut world = World::new(Scenario::named("standard").unwrap(), 7, start, 2);
//! let mut api = Api::new(7);
//! let asked = Asked {
//!     method: "GET".into(),
//!     target: "/vendor/orders/v1/purchaseOrders".into(),
//!     headers: vec![("user-agent".into(), "doc/1".into())],
//!     ..Asked::default()
//! };
//! assert_eq!(api.answer(&mut world, &asked, start).status, 403, "nobody logged in");
//! ```

mod direct;
mod elsewhere;
mod login;
mod odd;
mod orders;
mod query;
mod settlements;
mod shipments;
mod submit;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{SITE, Seed, VENDOR_CODE, What, World};
use crate::bridge::spapi::{
    Bucket, ClientSecret, Context, Credential, Endpoint, Environment, Rate, Secret, Site,
};
use crate::net::whole::{Asked, Told};
use query::Query;

/// Characters of a `user-agent`.
const USER_AGENT: usize = crate::bridge::spapi::call::USER_AGENT;
/// The sandbox: canned answers below this path.
const SANDBOX: &str = "/sandbox";
/// How often any operation of the sandbox may be asked: 5 a second, 15 at once.
const SANDBOX_RATE: (f64, u32) = (5.0, 15);

/// What lets a client in.
#[derive(Clone)]
pub struct Access {
    /// The application (LWA client id).
    pub application: String,
    /// Its secrets; two hold at once, so that one can be replaced.
    pub secrets: [String; 2],
    /// The refresh token of the account.
    pub refresh_token: String,
}

impl Access {
    /// The same as a client keeps it.
    #[must_use]
    pub fn credential(&self) -> Credential {
        let secret = |value: &String| ClientSecret {
            value: Secret::new(value),
            issued: None,
        };
        Credential {
            environment: Environment::Simulator,
            application: self.application.clone(),
            refresh_token: Secret::new(&self.refresh_token),
            secrets: self.secrets.iter().map(secret).collect(),
        }
    }
}

/// The door: who is logged in, how fast they ask, what they submitted.
pub struct Api {
    access: Access,
    seed: u64,
    tokens: BTreeMap<String, login::Token>,
    buckets: BTreeMap<String, Bucket>,
    /// Of a transaction: its submissions in the world, and what of their paths is what in the API.
    transactions: BTreeMap<String, submit::Transaction>,
    /// Shipments by the vendor's number, as they are listed.
    shipments: BTreeMap<String, shipments::Shipment>,
    /// When the vendor says that it acknowledged an order.
    acknowledged: BTreeMap<String, String>,
    /// How many requests came: the number of the next.
    asked: u64,
    logins: u64,
}

/// What goes back: the status and the body.
type Reply = (u16, Value);

impl Api {
    /// A door whose secrets and tokens come of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Api {
        let mut draw = Seed::of(seed, "access", 0);
        let access = Access {
            application: format!(
                "amzn1.application-oa2-client.sim{}",
                draw.word(24).to_lowercase()
            ),
            secrets: [1, 2]
                .map(|n| format!("amzn1.oa2-cs.v1.sim{n}{}", draw.word(32).to_lowercase())),
            refresh_token: format!("Atzr|sim{}", draw.word(32).to_lowercase()),
        };
        Api {
            access,
            seed,
            tokens: BTreeMap::new(),
            buckets: BTreeMap::new(),
            transactions: BTreeMap::new(),
            shipments: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            asked: 0,
            logins: 0,
        }
    }

    /// What lets a client in.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Answers a request. Everything up to `now` happens before.
    pub fn answer(&mut self, world: &mut World, asked: &Asked, now: DateTime<Utc>) -> Told {
        world.pass(now);
        let now = world.now();
        self.asked += 1;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let mut draw = Seed::of(self.seed, "request", self.asked);
        let id = format!("sim-{:016x}", draw.next());
        headers.push(("x-amzn-requestid".to_owned(), id));
        let (endpoint, (status, body)) = self.replied(world, asked, now);
        if let Some(endpoint) = endpoint.filter(|_| matches!(status, 200..=299 | 400 | 404)) {
            headers.push((
                "x-amzn-ratelimit-limit".to_owned(),
                endpoint.rate.to_string(),
            ));
        }
        if let Some(code) = body.pointer("/errors/0/code").and_then(Value::as_str) {
            headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
        }
        Told {
            status,
            headers,
            body: body.to_string().into(),
        }
    }

    fn replied(
        &mut self,
        world: &mut World,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> (Option<&'static Endpoint>, Reply) {
        if odd::during(world, What::Down, now) {
            return (
                None,
                error(
                    503,
                    "InternalFailure",
                    "the simulator is down, by its scenario",
                    "",
                ),
            );
        }
        if asked.path() == "/auth/o2/token" {
            return (None, self.login(world, asked, now));
        }
        let (path, sandbox) = match asked.path().strip_prefix(SANDBOX) {
            Some(path) => (path, true),
            None => (asked.path(), false),
        };
        let Some((endpoint, place)) = matched(&asked.method, path) else {
            let message = format!("there is no {} {path}", asked.method);
            return (None, error(404, "ResourceNotFound", &message, ""));
        };
        let rate = match sandbox {
            true => Rate::new(SANDBOX_RATE.0, SANDBOX_RATE.1),
            false => endpoint.rate(),
        };
        let refused = self.denied(asked, endpoint, now);
        let refused = refused.or_else(|| self.crowded(world, endpoint, sandbox, rate, now));
        if let Some(reply) = refused {
            return (Some(endpoint), reply);
        }
        let reply = match sandbox {
            true => self.canned(endpoint, asked, place, now),
            false => self.operation(world, endpoint, asked, place, now),
        };
        (Some(endpoint), reply)
    }

    /// The sandbox has no state: the same question gets the same answer, whatever was said before.
    fn canned(
        &mut self,
        endpoint: &'static Endpoint,
        asked: &Asked,
        place: Vec<String>,
        now: DateTime<Utc>,
    ) -> Reply {
        let start = super::order::midnight(now);
        let Ok(scenario) = super::Scenario::named("sandbox") else {
            return error(500, "InternalFailure", "there is no sandbox", "");
        };
        let mut world = World::new(scenario, 0, start, 2);
        world.pass(start);
        Api::new(0).operation(&mut world, endpoint, asked, place, start)
    }

    fn operation(
        &mut self,
        world: &mut World,
        endpoint: &'static Endpoint,
        asked: &Asked,
        place: Vec<String>,
        now: DateTime<Utc>,
    ) -> Reply {
        let target = &asked.target;
        let text = target.split_once('?').map_or("", |(_, query)| query);
        let query = match Query::read(endpoint, text) {
            Ok(query) => query,
            Err(reply) => return reply,
        };
        if odd::during(world, What::SortRefused, now) && query.has("sortOrder") {
            return invalid("sortOrder is not taken for this account", "sortOrder");
        }
        let place = place.into_iter().next().unwrap_or_default();
        let reply = match endpoint.name.as_str() {
            _ if endpoint.writes() => self.submitted(world, endpoint, asked, &place, now),
            "getPurchaseOrders" => orders::list(world, &query, now),
            "getPurchaseOrder" => orders::one(world, &place, now),
            "getPurchaseOrdersStatus" => orders::statuses(world, &self.acknowledged, &query, now),
            "getOrders" => direct::list(world, &query, now),
            "getOrder" => direct::one(world, &place, now),
            "GetShipmentDetails" => self.shipment_details(&query, now),
            "GetShipmentLabels" => self.shipment_labels(&query, now),
            "getTransaction" | "getTransactionStatus" => self.transaction(world, &place, now),
            "getInvoiceHeaders" => settlements::list(world, &query, now),
            "getInvoice" => settlements::one(world, &place, &query, now),
            _ => elsewhere::read(endpoint, &place),
        };
        let bare = endpoint.api.contains("2021-12-28");
        match reply {
            (200, body) if bare => (200, body.get("payload").cloned().unwrap_or(body)),
            reply => reply,
        }
    }

    /// More requests than the published rate lets through, or a storm.
    fn crowded(
        &mut self,
        world: &World,
        endpoint: &Endpoint,
        sandbox: bool,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Option<Reply> {
        let name = match sandbox {
            true => format!("sandbox {}", endpoint.key()),
            false => endpoint.key(),
        };
        let bucket = self.buckets.entry(name).or_default();
        let full = match bucket.spend(rate, now) {
            Ok(less) => {
                *bucket = less;
                false
            }
            Err(_) => true,
        };
        let busy = full || (!sandbox && odd::during(world, What::Storm, now));
        let message = "You exceeded your quota for the requested resource";
        busy.then(|| error(429, "QuotaExceeded", message, ""))
    }
}

/// The operation that a request is of, and the values in its path.
fn matched(method: &str, path: &str) -> Option<(&'static Endpoint, Vec<String>)> {
    let mut all = Endpoint::all().filter(|one| one.method == method);
    all.find_map(|one| {
        let (mut ours, mut theirs) = (one.path.split('/'), path.split('/'));
        let mut place = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some((one, place)),
                (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                    place.push(query::unescaped(value));
                }
                (Some(name), Some(value)) if name == value => {}
                _ => return None,
            }
        }
    })
}

/// An answer that refuses. `details` is the path of the field, where it is about one.
fn error(status: u16, code: &str, message: &str, details: &str) -> Reply {
    let mut error = json!({"code": code, "message": message});
    if !details.is_empty() {
        error["details"] = details.into();
    }
    (status, json!({"errors": [error]}))
}

fn invalid(message: &str, field: &str) -> Reply {
    error(400, "InvalidInput", message, field)
}

fn missing(what: &str, number: &str) -> Reply {
    error(
        404,
        "ResourceNotFound",
        &format!("there is no {what} {number:?}"),
        "",
    )
}

/// A time as the API writes it.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What neither a record nor a document says.
fn context(now: DateTime<Utc>) -> Context {
    let site = Site::find(SITE).expect("the site is embedded; tested");
    let mut context = Context::new(site, now);
    context.vendor_code = Some(VENDOR_CODE.to_owned());
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_found_by_its_own_path() {
        for endpoint in Endpoint::all() {
            let mut path = String::new();
            for part in endpoint.path.split('/').skip(1) {
                path.push('/');
                path.push_str(if part.starts_with('{') { "a%7Eb" } else { part });
            }
            let (found, place) = matched(&endpoint.method, &path).unwrap();
            assert_eq!(found.key(), endpoint.key());
            assert!(place.iter().all(|value| value == "a~b"), "{place:?}");
        }
        assert!(matched("GET", "/vendor/orders/v1/purchaseOrders/").is_none());
        assert!(matched("PUT", "/vendor/orders/v1/purchaseOrders").is_none());
    }
}
