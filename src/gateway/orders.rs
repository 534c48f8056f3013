//! Orders of an API on their way to a partner: polled, compared with what was seen, drafted.
//!
//! ```text
//! marks ─ next ─► window ─► orders ─ seen in this form? ─► drafts ─► marks
//! ```
//!
//! A page's orders are safe before the marks say that it was read; a crash between reads it again,
//! and finds nothing new in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::api::{Api, bridged};
use super::read::UNKNOWN;
use super::route::Partnership;
use super::{Gateway, compose};
use crate::as2::{hex, sha256};
use crate::bridge::spapi::operation::{self, Operation};
use crate::bridge::spapi::poll::{Failure, Marks, Next, Plan, Window};
use crate::bridge::spapi::token::HOLD;
use crate::bridge::spapi::{Answer, Context, Loss, LossKind, Verdict, change};
use crate::canonical::Document;
use crate::store::{DocumentState, Draft, NewDocument, Observation};

/// Windows that are asked for at one look, so that an account far behind does not keep others.
const WINDOWS: usize = 64;

/// What is remembered between looks, and may be lost.
#[derive(Default)]
pub(super) struct Told {
    silent: bool,
    gaps: usize,
    day: Option<chrono::NaiveDate>,
}

/// The account of a partnership whose orders come from it.
pub(super) fn polled(known: &Partnership) -> Option<&Arc<Api>> {
    let mut sets = known.partner.documents.keys();
    known
        .api
        .as_ref()
        .filter(|_| sets.any(|set| bridged(&known.partner, set)))
}

fn marks_of(api: &Api) -> String {
    format!("poll {}", api.client.account().key())
}

impl Gateway {
    /// Looks at all accounts, again and again.
    pub(super) async fn watch_accounts(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut tick = interval(self.limits.poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                _ = tick.tick() => {}
            }
            tokio::select! {
                _ = stopped.changed() => return,
                () = self.ask_around(&mut told) => {}
            }
        }
    }

    /// Looks at all accounts once, each by itself.
    pub(super) async fn ask_around(self: &Arc<Self>, told: &mut BTreeMap<String, Told>) {
        let mut looks = JoinSet::new();
        for known in &self.agreed().partnerships {
            let Some(api) = polled(known) else {
                continue;
            };
            let before = told.remove(&known.partner.name).unwrap_or_default();
            let (this, known, api) = (Arc::clone(self), Arc::clone(known), Arc::clone(api));
            looks.spawn(async move {
                let name = known.partner.name.clone();
                (name, this.poll_account(&known, &api, before).await)
            });
        }
        while let Some(done) = looks.join_next().await {
            match done {
                Ok((name, after)) => {
                    told.insert(name, after);
                }
                Err(why) => tracing::error!(%why, "a poll panicked"),
            }
        }
    }

    /// Takes what an account has for a partner, as far as it lets us, and tells what is wrong.
    async fn poll_account(
        self: &Arc<Self>,
        known: &Arc<Partnership>,
        api: &Arc<Api>,
        mut told: Told,
    ) -> Told {
        let account = &known.partner.name;
        let now = self.clock.now();
        if told.day != Some(now.date_naive()) {
            self.watch_secret(known, api);
            told.day = Some(now.date_naive());
        }
        for _ in 0..WINDOWS {
            match self.poll_once(known, api, &mut told).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => {
                    tracing::error!(account, why, "cannot poll");
                    break;
                }
            }
        }
        told
    }

    /// Asks for one page, if one is due: whether another may be.
    async fn poll_once(
        self: &Arc<Self>,
        known: &Arc<Partnership>,
        api: &Arc<Api>,
        told: &mut Told,
    ) -> Result<bool, String> {
        let name = marks_of(api);
        let kept = self.marks(api).await?;
        let first = kept.is_none();
        let mut marks = kept.unwrap_or_default();
        let now = self.clock.now();
        marks.began.get_or_insert(now);
        let plan = api.plan(marks.began.unwrap_or(now));
        self.tell(&known.partner.name, &marks, &plan, told, now);
        let window = match marks.next(&plan, now) {
            Next::Wait(_) if !first => return Ok(false),
            Next::Wait(_) => {
                self.keep_marks(name, &marks, now).await?;
                return Ok(false);
            }
            Next::Ask(window) => window,
        };
        let call = window.call(api.client.account());
        let verdict = self.ask(api, &call).await;
        let draw = self.moment().draw;
        let failure = match &verdict {
            Verdict::Taken(answer) => {
                let fresh = self.take_page(known, api, &window, answer).await?;
                let account = &known.partner.name;
                let stream = window.stream.as_str();
                tracing::debug!(account, stream, fresh, "polled");
                let theirs = answer.date;
                let marks = marks.answered(&window, answer.next_page(), &plan, now);
                let marks = marks.dated(theirs, now);
                self.keep_marks(name, &marks, now).await?;
                return Ok(true);
            }
            Verdict::Refused(why) if why.status == 400 => Failure::Invalid,
            Verdict::Empty(after) | Verdict::Down(_, after) => Failure::Later(*after),
            Verdict::Denied(_, wait) => Failure::Later(Some(*wait)),
            Verdict::Missing(_) | Verdict::Uncertain(_) => Failure::Later(None),
            Verdict::Refused(_) | Verdict::Expired(_) => Failure::Later(Some(HOLD)),
        };
        let marks = marks.failed(&window, failure, &plan, now, draw);
        self.keep_marks(name, &marks, now).await?;
        Ok(false)
    }

    /// How far an account was read; none before the first look at it.
    pub(super) async fn marks(&self, api: &Api) -> Result<Option<Marks>, String> {
        let name = marks_of(api);
        let kept = self.store.kept(name.clone()).await;
        let kept = kept.map_err(|why| why.to_string())?;
        let kept = kept.into_iter().find(|(known, _)| *known == name);
        let read = |(_, text): (_, String)| serde_json::from_str(&text);
        kept.map(read).transpose().map_err(|why| why.to_string())
    }

    async fn keep_marks(
        &self,
        name: String,
        marks: &Marks,
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let text = serde_json::to_string(marks).map_err(|why| why.to_string())?;
        let kept = self.store.step(name, Box::new(move |_| text), now).await;
        kept.map(drop).map_err(|why| why.to_string())
    }

    /// Says once that an account is silent, and each gap that it leaves.
    fn tell(&self, account: &str, marks: &Marks, plan: &Plan, told: &mut Told, now: DateTime<Utc>) {
        let silent = marks.silent(plan, now);
        if let Some(silent) = silent.filter(|_| !told.silent) {
            let minutes = silent.num_minutes();
            tracing::error!(
                account,
                minutes,
                "nothing was polled: see what the doctor says"
            );
        }
        told.silent = silent.is_some();
        for gap in marks.gaps.iter().skip(told.gaps) {
            let (stream, from, to, why) = (gap.stream.as_str(), gap.from, gap.to, &gap.why);
            tracing::error!(account, stream, %from, %to, why, "a gap: orders of it may be missing");
        }
        told.gaps = marks.gaps.len();
    }

    /// Makes the orders of a page safe: how many were new, or new in their form.
    async fn take_page(
        self: &Arc<Self>,
        known: &Arc<Partnership>,
        api: &Arc<Api>,
        window: &Window,
        answer: &Answer,
    ) -> Result<usize, String> {
        let mut fresh = 0;
        for record in records(&answer.body)? {
            fresh += usize::from(self.take_order(known, api, window, record).await?);
        }
        if fresh > 0 {
            self.poke();
        }
        Ok(fresh)
    }

    /// Makes one order safe: whether it was new, or new in its form. What cannot be used is safe
    /// too, held as it came, and told: the marks go on behind it.
    async fn take_order(
        self: &Arc<Self>,
        known: &Arc<Partnership>,
        api: &Arc<Api>,
        window: &Window,
        record: &Value,
    ) -> Result<bool, String> {
        let account = api.client.account();
        let ours = &account.vendor_codes;
        let code = record.pointer("/orderDetails/sellingParty/partyId");
        let code = code.and_then(Value::as_str);
        // One that names nobody may be ours.
        if code.is_some_and(|code| !ours.is_empty() && ours.iter().all(|known| known != code)) {
            return Ok(false);
        }
        let marked = marked(record);
        let (number, changed) = match &marked {
            Ok(marked) => marked.clone(),
            Err(number) => (number.clone(), String::new()),
        };
        let seen = self.store.observed(account.key(), number.clone()).await;
        let seen = seen.map_err(|why| why.to_string())?;
        // Lists come late and out of order: what is older than what was seen is not news.
        if seen.as_ref().is_some_and(|seen| seen.changed >= changed) {
            return Ok(false);
        }
        let now = self.clock.now();
        let before = seen.and_then(|seen| Document::from_json(seen.content.as_bytes()).ok());
        let key = format!("{} {number} {changed}", account.key());
        let read = marked.map_err(|_| "it came without its number or its details".to_owned());
        let read = read.and_then(|_| order(record, &account.context(now)));
        let (content, drafts) = match read {
            Ok((order, losses)) => {
                let drafts = drafts(known, before.as_ref(), &order, &losses, &changed, key, now);
                let content = serde_json::to_string(&order).map_err(|why| why.to_string())?;
                (content, drafts)
            }
            Err(why) => {
                let (account, stream) = (&account.name, window.stream.as_str());
                tracing::error!(
                    account,
                    stream,
                    "an order cannot be used; it is held as it came"
                );
                (
                    record.to_string(),
                    vec![held(known, &number, record, why, key)],
                )
            }
        };
        let observation = Observation {
            account: account.key(),
            number,
            changed,
            content,
            drafts,
        };
        let new = self.store.observe(observation, now).await;
        new.map_err(|why| why.to_string())
    }
}

/// An order as a document, with what it does not say any more; or why it must not go on.
fn order(record: &Value, context: &Context) -> Result<(Document, Vec<Loss>), String> {
    let wanted = match context.direct {
        true => Operation::GetOrder,
        false => Operation::GetPurchaseOrder,
    };
    let read = operation::read(record, Some(wanted), context).pop();
    let read = read.ok_or("it is no order")?;
    let refused = read.losses.iter();
    let refused = refused.filter(|loss| loss.kind == LossKind::Refused);
    let refused: Vec<String> = refused.map(ToString::to_string).collect();
    match refused.is_empty() {
        true => Ok((read.document, read.losses)),
        false => Err(refused.join("; ")),
    }
}

/// The orders of an answer, with or without its payload. An answer that is no list is not read: an
/// empty one has its payload.
fn records(body: &Value) -> Result<impl Iterator<Item = &Value>, String> {
    let payload = body.get("payload").unwrap_or(body);
    let list = payload.get("orders");
    let sound = match list {
        None => payload.is_object() && body.get("errors").is_none_or(Value::is_null),
        Some(list) => list.is_array() || list.is_null(),
    };
    match sound {
        true => Ok(list.and_then(Value::as_array).into_iter().flatten()),
        false => Err("an answer is no list of orders".to_owned()),
    }
}

/// An order's number, and when it was changed: or when it was placed, while it was not. Of one that
/// came without its details only its number, and of one without a number a name by its content.
fn marked(record: &Value) -> Result<(String, String), String> {
    let text = |path: &str| record.pointer(path)?.as_str().map(str::trim);
    let number = text("/purchaseOrderNumber").filter(|number| !number.is_empty());
    let Some(number) = number else {
        let digest = hex(&sha256(record.to_string().as_bytes()));
        return Err(format!("unnumbered {}", &digest[..16]));
    };
    let details = "/orderDetails";
    let names = ["purchaseOrderChangedDate", "purchaseOrderDate", "orderDate"];
    let mut dates = names
        .iter()
        .filter_map(|name| text(&format!("{details}/{name}")));
    let date = dates.next().ok_or(number)?;
    // As one instant has many spellings, it is kept in one.
    let date = match DateTime::parse_from_rfc3339(date) {
        Ok(date) => date.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        Err(_) => date.to_owned(),
    };
    Ok((number.to_owned(), date))
}

/// A number for a change, as its order's changes go: month, day, hour and minute, for X12 327 has
/// eight characters.
fn change_number(changed: &str) -> String {
    match DateTime::parse_from_rfc3339(changed) {
        Ok(date) => date.format("%m%d%H%M").to_string(),
        Err(_) => changed
            .chars()
            .filter(char::is_ascii_digit)
            .take(8)
            .collect(),
    }
}

/// What goes out because of an order: itself the first time, then what was changed of it.
fn drafts(
    known: &Partnership,
    before: Option<&Document>,
    order: &Document,
    losses: &[Loss],
    changed: &str,
    key: String,
    now: DateTime<Utc>,
) -> Vec<Draft> {
    let document = match (before, order) {
        (None, order) => order.clone(),
        (Some(Document::PurchaseOrder(before)), Document::PurchaseOrder(after)) => {
            match change::diff(before, after, &change_number(changed), now) {
                Some(change) => Document::PurchaseOrderChange(change),
                None => return Vec::new(),
            }
        }
        _ => return Vec::new(),
    };
    let (partner, library) = (&known.partner, &known.library);
    let written = compose::body(&document, partner, library);
    // What cannot be said in X12 is not lost: a person sees it, and why.
    let (set, state, findings) = match written {
        Ok((set, ..)) => (set, DocumentState::Drafted, told(losses)),
        Err(why) => {
            let (account, kind) = (&partner.name, document.kind().as_str());
            tracing::error!(account, kind, "what came cannot be said in X12; it is held");
            (String::new(), DocumentState::Held, vec![remark(&why)])
        }
    };
    vec![draft(
        known,
        NewDocument {
            id: Uuid::now_v7(),
            kind: document.kind().as_str().into(),
            set,
            number: document.number().unwrap_or_default().into(),
            key: Some(key),
            group_control: None,
            set_control: None,
            content: serde_json::to_string(&document).expect("every document has a JSON form"),
            findings: Value::from(findings).to_string(),
            state,
        },
    )]
}

/// An order that cannot be used, as it came, for a person.
fn held(known: &Partnership, number: &str, record: &Value, why: String, key: String) -> Draft {
    draft(
        known,
        NewDocument {
            id: Uuid::now_v7(),
            kind: UNKNOWN.into(),
            set: String::new(),
            number: number.into(),
            key: Some(key),
            group_control: None,
            set_control: None,
            content: json!({ "document": UNKNOWN, "record": record }).to_string(),
            findings: json!([remark(&why)]).to_string(),
            state: DocumentState::Held,
        },
    )
}

fn draft(known: &Partnership, document: NewDocument) -> Draft {
    Draft {
        partner: known.partner.name.clone(),
        document,
        payload: None,
    }
}

fn remark(why: &str) -> Value {
    json!({ "message": why })
}

/// The rows of a loss report, for the page of the document.
fn told(losses: &[Loss]) -> Vec<Value> {
    losses
        .iter()
        .map(|loss| remark(&loss.to_string()))
        .collect()
}
