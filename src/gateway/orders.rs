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
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::api::{Api, bridged};
use super::route::Partnership;
use super::{Gateway, compose};
use crate::bridge::spapi::operation::{self, Operation};
use crate::bridge::spapi::poll::{Failure, Marks, Next, Plan, Window};
use crate::bridge::spapi::token::HOLD;
use crate::bridge::spapi::{Answer, Verdict, change};
use crate::canonical::Document;
use crate::store::{DocumentState, Draft, NewDocument, Observation};

/// Windows that are asked for at one look, so that an account far behind does not keep others.
const WINDOWS: usize = 64;

/// What is remembered between looks, and may be lost.
#[derive(Default)]
struct Told {
    silent: bool,
    gaps: usize,
    day: Option<chrono::NaiveDate>,
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
            let mut looks = JoinSet::new();
            for known in &self.agreed().partnerships {
                let polled = known.partner.documents.keys();
                let polled = polled.filter(|set| bridged(&known.partner, set)).count() > 0;
                let (Some(api), true) = (&known.api, polled) else {
                    continue;
                };
                let before = told.remove(&known.partner.name).unwrap_or_default();
                let (this, known, api) = (Arc::clone(&self), Arc::clone(known), Arc::clone(api));
                looks.spawn(async move {
                    let name = known.partner.name.clone();
                    (name, this.poll_account(&known, &api, before).await)
                });
            }
            loop {
                tokio::select! {
                    _ = stopped.changed() => return,
                    done = looks.join_next() => match done {
                        None => break,
                        Some(Ok((name, after))) => { told.insert(name, after); }
                        Some(Err(why)) => tracing::error!(%why, "a poll panicked"),
                    }
                }
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
        let name = format!("poll {}", api.client.account().key());
        let kept = self.store.kept(name.clone()).await;
        let kept = kept.map_err(|why| why.to_string())?;
        let kept = kept.into_iter().find(|(known, _)| *known == name);
        let mut marks: Marks = match &kept {
            Some((_, text)) => serde_json::from_str(text).map_err(|why| why.to_string())?,
            None => Marks::default(),
        };
        let now = self.clock.now();
        marks.began.get_or_insert(now);
        let plan = api.plan(marks.began.unwrap_or(now));
        self.tell(&known.partner.name, &marks, &plan, told, now);
        let window = match marks.next(&plan, now) {
            Next::Wait(_) if kept.is_some() => return Ok(false),
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
                let marks = marks.answered(&window, answer.next_page(), &plan, now);
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
        let account = api.client.account();
        let wanted = match account.direct {
            true => Operation::GetOrder,
            false => Operation::GetPurchaseOrder,
        };
        let now = self.clock.now();
        let mut fresh = 0;
        for record in records(&answer.body) {
            let Some((number, changed)) = marked(record) else {
                let (account, stream) = (&account.name, window.stream.as_str());
                tracing::warn!(account, stream, "an order came without its details");
                continue;
            };
            let ours = &account.vendor_codes;
            let code = record.pointer("/orderDetails/sellingParty/partyId");
            let code = code.and_then(Value::as_str).unwrap_or_default();
            if !ours.is_empty() && !ours.iter().any(|known| known == code) {
                continue;
            }
            let seen = self.store.observed(account.key(), number.clone()).await;
            let seen = seen.map_err(|why| why.to_string())?;
            // Lists come late and out of order: what is older than what was seen is not news.
            if seen.as_ref().is_some_and(|seen| seen.changed >= changed) {
                continue;
            }
            let mut read = operation::read(record, Some(wanted), &account.context(now));
            let Some(order) = read.pop().map(|read| read.document) else {
                continue;
            };
            let before = seen.and_then(|seen| Document::from_json(seen.content.as_bytes()).ok());
            let key = format!("{} {number} {changed}", account.key());
            let drafts = drafts(known, before.as_ref(), &order, &changed, key, now);
            let observation = Observation {
                account: account.key(),
                number,
                changed,
                content: serde_json::to_string(&order).map_err(|why| why.to_string())?,
                drafts,
            };
            let new = self.store.observe(observation, now).await;
            fresh += usize::from(new.map_err(|why| why.to_string())?);
        }
        if fresh > 0 {
            self.poke();
        }
        Ok(fresh)
    }
}

/// The orders of an answer, with or without its payload.
fn records(body: &Value) -> impl Iterator<Item = &Value> {
    let list = body.get("payload").unwrap_or(body).get("orders");
    list.and_then(Value::as_array).into_iter().flatten()
}

/// An order's number, and when it was changed: or when it was placed, while it was not. None of one
/// that came without details.
fn marked(record: &Value) -> Option<(String, String)> {
    let text = |path: &str| record.pointer(path)?.as_str().map(str::trim);
    let number = text("/purchaseOrderNumber").filter(|number| !number.is_empty())?;
    let details = "/orderDetails";
    let names = ["purchaseOrderChangedDate", "purchaseOrderDate", "orderDate"];
    let mut dates = names
        .iter()
        .filter_map(|name| text(&format!("{details}/{name}")));
    let date = dates.next()?;
    // As one instant has many spellings, it is kept in one.
    let date = match DateTime::parse_from_rfc3339(date) {
        Ok(date) => date.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        Err(_) => date.to_owned(),
    };
    Some((number.to_owned(), date))
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
        Ok((set, ..)) => (set, DocumentState::Drafted, "[]".to_owned()),
        Err(why) => {
            let findings = serde_json::json!([{ "message": why }]);
            (String::new(), DocumentState::Held, findings.to_string())
        }
    };
    let document = NewDocument {
        id: Uuid::now_v7(),
        kind: document.kind().as_str().into(),
        set,
        number: document.number().unwrap_or_default().into(),
        key: Some(key),
        group_control: None,
        set_control: None,
        content: serde_json::to_string(&document).expect("every document has a JSON form"),
        findings,
        state,
    };
    vec![Draft {
        partner: partner.name.clone(),
        document,
        payload: None,
    }]
}
