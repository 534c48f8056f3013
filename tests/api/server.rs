//! The API as a test wants it: it counts what it is asked per simulated second, and misbehaves by
//! script.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transload::bridge::spapi::Endpoint;
use transload::clock::{Clock, Moved};

use super::wire::{Asked, direct, matched, pairs, parse, shown};

/// Orders on a page: fewer than the API gives, so that there are pages.
const PAGE: usize = 5;

/// An order that the API has.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) changed: Option<DateTime<Utc>>,
    pub(crate) quantity: u32,
}

/// What the API is, and how it misbehaves.
pub(crate) struct State {
    pub(crate) orders: Vec<Order>,
    /// Secrets that log in, and the refresh token that does.
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) refresh: String,
    /// Seconds that a token lives, whatever the login says.
    pub(crate) life: i64,
    tokens: BTreeMap<String, DateTime<Utc>>,
    /// What the login says of that life.
    pub(crate) says: i64,
    /// Whether consumers' orders want a restricted token; those that were given, and how often.
    pub(crate) restricted: bool,
    restricted_tokens: BTreeMap<String, (String, DateTime<Utc>)>,
    pub(crate) given: usize,
    /// Operations that are answered with 400.
    pub(crate) bad: BTreeSet<&'static str>,
    /// Whether every page after the first is refused.
    pub(crate) torn: bool,
    /// Records that stand before the orders of every list.
    pub(crate) odd: Vec<Value>,
    /// By how much the server's own clock is behind, where it tells the time.
    pub(crate) behind: Option<TimeDelta>,
    /// When it answers 503, when 429.
    pub(crate) down: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    pub(crate) busy: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Whether tokens are good for ever, for who asks by another clock.
    pub(crate) any_token: bool,
    /// Operations that the application has no role for.
    pub(crate) denied: BTreeSet<&'static str>,
    /// How many POSTs from now on are taken without an answer, and dropped without being taken.
    pub(crate) lose: usize,
    pub(crate) drop: usize,
    /// Whether POSTs are taken, and never answered.
    pub(crate) hold: bool,
    /// What getTransaction says, and when a witness sees.
    pub(crate) outcome: &'static str,
    pub(crate) visible: TimeDelta,
    /// Every POST that it took: operation, body, when.
    pub(crate) had: Vec<(String, Value, DateTime<Utc>)>,
    /// Every request that reached the API: operation, when.
    pub(crate) asked: Vec<(String, DateTime<Utc>)>,
    /// How often a login was tried, and how often a rate was exceeded without a script.
    pub(crate) logins: usize,
    pub(crate) refused: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
    clock: Arc<Moved>,
}

/// What goes back: a status, headers, a body. None breaks the connection.
type Told = Option<(u16, Vec<(&'static str, String)>, Value)>;

impl Server {
    pub(crate) async fn start(clock: Arc<Moved>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(State {
                orders: Vec::new(),
                secrets: BTreeSet::from([super::SECRET.to_owned()]),
                refresh: super::REFRESH.to_owned(),
                life: 3600,
                says: 3600,
                restricted: false,
                restricted_tokens: BTreeMap::new(),
                given: 0,
                bad: BTreeSet::new(),
                torn: false,
                odd: Vec::new(),
                behind: None,
                tokens: BTreeMap::new(),
                down: Vec::new(),
                busy: Vec::new(),
                any_token: false,
                denied: BTreeSet::new(),
                lose: 0,
                drop: 0,
                hold: false,
                outcome: "Processing",
                visible: TimeDelta::minutes(20),
                had: Vec::new(),
                asked: Vec::new(),
                logins: 0,
                refused: Vec::new(),
            })),
            clock,
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    let _ = server.serve(stream).await;
                });
            }
        });
        server
    }

    pub(crate) fn set<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// The bodies that an operation took.
    pub(crate) fn had(&self, operation: &str) -> Vec<Value> {
        let had = |state: &mut State| state.had.clone();
        let all = self.set(had).into_iter();
        all.filter(|(known, ..)| known == operation)
            .map(|(_, body, _)| body)
            .collect()
    }

    /// That no published rate was ever exceeded: by a bucket that fills while one counts.
    pub(crate) fn never_too_fast(&self) {
        let asked = self.set(|state| state.asked.clone());
        let mut each: BTreeMap<String, Vec<DateTime<Utc>>> = BTreeMap::new();
        for (operation, at) in asked {
            each.entry(operation).or_default().push(at);
        }
        for (operation, times) in each {
            let known = Endpoint::find(&operation).unwrap();
            let burst = f64::from(known.burst);
            let (mut level, mut last) = (burst, times[0]);
            for at in &times {
                let since = (*at - last).num_milliseconds() as f64 / 1000.0;
                level = (level + since * known.rate).min(burst) - 1.0;
                last = *at;
                assert!(
                    level > -0.001,
                    "{operation} was asked faster than published, at {at}"
                );
            }
            let mut seconds: BTreeMap<i64, u32> = BTreeMap::new();
            times
                .iter()
                .for_each(|at| *seconds.entry(at.timestamp()).or_default() += 1);
            let most = seconds.values().max().copied().unwrap_or(0);
            assert!(
                f64::from(most) <= burst + known.rate,
                "{operation}: {most} in one second"
            );
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            let mut part = [0; 8192];
            let read = stream.read(&mut part).await?;
            if read == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&part[..read]);
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let wanted = name.eq_ignore_ascii_case("content-length");
                wanted.then(|| value.trim().parse::<usize>().ok())?
            });
            bytes.drain(..end + 4);
            break (head, length.unwrap_or(0));
        };
        while bytes.len() < length {
            let mut part = [0; 8192];
            let read = stream.read(&mut part).await?;
            bytes.extend_from_slice(&part[..read]);
        }
        let asked = parse(&head, bytes);
        let Some((status, mut headers, body)) = self.answer(&asked) else {
            if self.set(|state| state.hold) {
                std::future::pending::<()>().await;
            }
            return Ok(());
        };
        if let Some(behind) = self.set(|state| state.behind) {
            headers.push(("date", (self.clock.now() - behind).to_rfc2822()));
        }
        let body = body.to_string();
        let mut text = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
             x-amzn-requestid: req-1\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all(format!("{text}\r\n{body}").as_bytes())
            .await?;
        stream.shutdown().await
    }

    fn answer(&self, asked: &Asked) -> Told {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        let within = |spans: &[(DateTime<Utc>, DateTime<Utc>)]| {
            spans.iter().any(|(from, to)| (*from..*to).contains(&now))
        };
        if within(&state.down) {
            return Some((
                503,
                Vec::new(),
                json!({"errors": [{"code": "InternalFailure"}]}),
            ));
        }
        if asked.path == "/auth/o2/token" {
            return Some(state.login(asked, now));
        }
        let Some((endpoint, value)) = matched(asked) else {
            state
                .refused
                .push(format!("{} {}", asked.method, asked.path));
            return Some(error(404, "ResourceNotFound", "no such path"));
        };
        let operation = endpoint.key();
        // When it left, for the clock may have been moved since.
        let left = asked
            .headers
            .get("x-amz-date")
            .and_then(|date| chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok());
        state
            .asked
            .push((operation.clone(), left.map_or(now, |left| left.and_utc())));
        if within(&state.busy) {
            let after = vec![("retry-after", "2".to_owned())];
            let (status, _, body) = error(429, "QuotaExceeded", "You exceeded your quota");
            return Some((status, after, body));
        }
        if let Some(denied) = state.denial(asked, endpoint, now) {
            return Some(denied);
        }
        if state.bad.contains(operation.as_str()) {
            return Some(error(400, "InvalidInput", super::CONTENT));
        }
        if endpoint.name == "createRestrictedDataToken" {
            return Some(state.give(asked, now));
        }
        if asked.method != "POST" {
            return Some(state.list(&operation, &value, asked, now));
        }
        if state.drop > 0 {
            state.drop -= 1;
            return None;
        }
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        state.had.push((operation, body, now));
        if state.hold {
            return None;
        }
        if state.lose > 0 {
            state.lose -= 1;
            return None;
        }
        let id = format!("transaction-{}", state.had.len());
        let limit = vec![("x-amzn-RateLimit-Limit", endpoint.rate.to_string())];
        Some((
            endpoint.taken,
            limit,
            json!({"payload": {"transactionId": id}}),
        ))
    }
}

impl State {
    fn login(
        &mut self,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> (u16, Vec<(&'static str, String)>, Value) {
        self.logins += 1;
        let form = String::from_utf8_lossy(&asked.body).into_owned();
        let form = pairs(&form);
        let is = |name: &str, wanted: &str| form.get(name).is_some_and(|value| value == wanted);
        let secret = form.get("client_secret").cloned().unwrap_or_default();
        if !self.secrets.contains(&secret) {
            let told = json!({"error": "invalid_client", "error_description": secret});
            return (401, Vec::new(), told);
        }
        if is("grant_type", "refresh_token") && !is("refresh_token", &self.refresh) {
            return (400, Vec::new(), json!({"error": "invalid_grant"}));
        }
        let token = format!("{}-{}", super::TOKEN, self.logins);
        self.tokens
            .insert(token.clone(), now + TimeDelta::seconds(self.life));
        (
            200,
            Vec::new(),
            json!({"access_token": token, "token_type": "bearer", "expires_in": self.says}),
        )
    }

    /// A token for one path alone.
    fn give(
        &mut self,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> (u16, Vec<(&'static str, String)>, Value) {
        self.given += 1;
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let resource = &body["restrictedResources"][0];
        let path = resource["path"].as_str().unwrap_or_default();
        if resource["method"] != "GET" || !path.starts_with('/') {
            self.refused.push(format!("a restricted token for {body}"));
        }
        let token = format!("{}-restricted-{}", super::TOKEN, self.given);
        let until = now + TimeDelta::seconds(self.life);
        self.restricted_tokens
            .insert(token.clone(), (path.to_owned(), until));
        (
            200,
            Vec::new(),
            json!({"restrictedDataToken": token, "expiresIn": self.says}),
        )
    }

    fn denial(&mut self, asked: &Asked, endpoint: &Endpoint, now: DateTime<Utc>) -> Told {
        let operation = &*endpoint.key();
        let mut told = |why: String| self.refused.push(why);
        for name in ["x-amz-date", "user-agent", "accept", "x-amz-access-token"] {
            if !asked.headers.contains_key(name) {
                told(format!("{operation} without {name}"));
            }
        }
        let token = asked.headers.get("x-amz-access-token");
        let own = |token| {
            let (path, until) = self.restricted_tokens.get(token)?;
            (*path == endpoint.path).then_some(until)
        };
        let until = match endpoint.restricted && self.restricted {
            true => token.and_then(own),
            false => token.and_then(|token| self.tokens.get(token)),
        };
        match until {
            None => Some(error(
                403,
                "Unauthorized",
                "Access token is missing or revoked",
            )),
            Some(until) if *until <= now => Some(error(
                403,
                "Unauthorized",
                "The access token you provided has expired.",
            )),
            Some(_) if self.denied.contains(operation) => Some(error(
                403,
                "Unauthorized",
                "Access to requested resource is denied.",
            )),
            Some(_) => None,
        }
    }

    fn list(
        &self,
        operation: &str,
        value: &str,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> (u16, Vec<(&'static str, String)>, Value) {
        let seen: Vec<&Value> = self
            .had
            .iter()
            .filter(|(.., at)| *at + self.visible <= now)
            .map(|(_, body, _)| body)
            .collect();
        let body = match operation {
            "vendorOrders.getPurchaseOrders" => return self.orders(asked, now, shown),
            "vendorDirectFulfillmentOrdersV1.getOrders" => return self.orders(asked, now, direct),
            "vendorDirectFulfillmentOrders_2021-12-28.getOrders" => {
                let (status, headers, body) = self.orders(asked, now, direct);
                let bare = body.get("payload").cloned().unwrap_or(body);
                return (status, headers, bare);
            }
            "vendorDirectFulfillmentOrdersV1.getOrder"
            | "vendorDirectFulfillmentOrders_2021-12-28.getOrder" => {
                let sent = seen
                    .iter()
                    .filter_map(|body| body["orderAcknowledgements"].get(0));
                let answered = sent
                    .filter(|one| one["purchaseOrderNumber"] == value)
                    .count()
                    > 0;
                let status = if answered { "ACKNOWLEDGED" } else { "NEW" };
                let order = json!({"purchaseOrderNumber": value,
                    "orderDetails": {"orderStatus": status}});
                let whole = json!({ "payload": order });
                let bare = operation.contains("2021-12-28");
                return (200, Vec::new(), if bare { order } else { whole });
            }
            "vendorOrders.getPurchaseOrdersStatus" => {
                let number = &asked
                    .query
                    .get("purchaseOrderNumber")
                    .cloned()
                    .unwrap_or_default();
                let answers = seen
                    .iter()
                    .filter_map(|body| body["acknowledgements"].get(0));
                let ours = answers.filter(|one| one["purchaseOrderNumber"] == number.as_str());
                let lines: Vec<Value> = ours
                    .map(|one| {
                        let details = json!([{"acknowledgementDate": one["acknowledgementDate"]}]);
                        json!({"acknowledgementStatus":
                            {"confirmationStatus": "ACCEPTED", "acknowledgementStatusDetails": details}})
                    })
                    .collect();
                json!({"ordersStatus": [{"purchaseOrderNumber": number, "itemStatus": lines}]})
            }
            "vendorShipments.GetShipmentDetails" => {
                let id = &asked
                    .query
                    .get("vendorShipmentIdentifier")
                    .cloned()
                    .unwrap_or_default();
                let sent = seen
                    .iter()
                    .filter_map(|body| body["shipmentConfirmations"].get(0));
                let ours = sent.filter(|one| one["shipmentIdentifier"] == id.as_str());
                let found: Vec<Value> = ours
                    .map(|_| json!({"vendorShipmentIdentifier": id}))
                    .collect();
                json!({"shipments": found})
            }
            "financesInvoices_2026-06-25.getInvoiceHeaders" => {
                let sent = seen.iter().filter_map(|body| body["invoices"].get(0));
                let headers: Vec<Value> = sent
                    .map(|one| json!({"invoiceNumber": one["id"], "invoiceStatus": "IN_PROGRESS"}))
                    .collect();
                let page = asked
                    .query
                    .get("nextToken")
                    .map_or(0, |page| page.parse().unwrap());
                let mut body = json!({"invoices": headers.chunks(PAGE).nth(page)});
                if headers.len() > (page + 1) * PAGE {
                    body["nextToken"] = (page + 1).to_string().into();
                }
                return (200, Vec::new(), body);
            }
            "vendorTransactionStatus.getTransaction"
            | "vendorDirectFulfillmentTransactionsV1.getTransactionStatus"
            | "vendorDirectFulfillmentTransactions_2021-12-28.getTransactionStatus" => {
                let failed = json!([{"code": "INVALID_ORDER_ID", "message": super::CONTENT}]);
                let errors = if self.outcome == "Failure" {
                    failed
                } else {
                    json!([])
                };
                json!({"transactionStatus":
                    {"transactionId": value, "status": self.outcome, "errors": errors}})
            }
            _ => json!({}),
        };
        (200, Vec::new(), json!({ "payload": body }))
    }

    fn orders(
        &self,
        asked: &Asked,
        now: DateTime<Utc>,
        shown: fn(&Order, DateTime<Utc>) -> Value,
    ) -> (u16, Vec<(&'static str, String)>, Value) {
        let time = |name: &str| {
            let text = asked.query.get(name)?;
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| time.to_utc())
        };
        let created = time("createdAfter").zip(time("createdBefore"));
        let changed = time("changedAfter").zip(time("changedBefore"));
        let Some((from, to)) = created.or(changed) else {
            return error(400, "InvalidInput", "no window");
        };
        if to - from > TimeDelta::days(7) || from < now - TimeDelta::days(183) {
            return error(400, "InvalidInput", "the window is wrong");
        }
        let here = |order: &&Order| {
            let at = if created.is_some() {
                Some(order.created)
            } else {
                order.changed
            };
            at.is_some_and(|at| at >= from && at <= to && at <= now)
        };
        let found: Vec<&Order> = self.orders.iter().filter(here).collect();
        let page: usize = asked
            .query
            .get("nextToken")
            .map_or(0, |page| page.parse().unwrap());
        if self.torn && page > 0 {
            return error(400, "InvalidInput", "the page is not known");
        }
        let list = found.iter().skip(page * PAGE).take(PAGE);
        let list = list.map(|order| shown(order, now));
        let list: Vec<Value> = self.odd.iter().cloned().chain(list).collect();
        let mut payload = json!({ "orders": list });
        if found.len() > (page + 1) * PAGE {
            payload["pagination"] = json!({"nextToken": (page + 1).to_string()});
        }
        (200, Vec::new(), json!({ "payload": payload }))
    }
}

fn error(status: u16, code: &str, message: &str) -> (u16, Vec<(&'static str, String)>, Value) {
    let body = json!({"errors": [{"code": code, "message": message}]});
    (status, Vec::new(), body)
}
