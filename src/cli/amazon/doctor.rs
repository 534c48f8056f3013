//! `amazon doctor`: what works between us and the API, what does not, and what to do.

use std::collections::BTreeSet;
use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::super::serve::Place;
use super::super::{Exit, Failure, Outcome};
use super::{Buckets, opened, over_the_wire};
use crate::bridge::spapi::client::Moment;
use crate::bridge::spapi::{Answer, Call, Client, Grant, SECRET_WARNING, Verdict};
use crate::clock::{Clock, System};

/// How far our clock may be from theirs: requests are dated.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// Try a partner's account: token, roles, vendor codes, clock, limits
///
/// Only asks, and changes nothing. Exit code: 0 all is well, 1 something is not, 3 the login gives
/// no token.
#[derive(clap::Args)]
pub(super) struct Doctor {
    /// The partner whose file has the [spapi]
    partner: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON, one object a check
    #[arg(long)]
    json: bool,
    /// Print each request as a curl command, without its token
    #[arg(long)]
    curl: bool,
}

/// One check.
struct Row {
    verdict: &'static str,
    about: String,
    told: String,
}

fn row(verdict: &'static str, about: &str, told: impl ToString) -> Row {
    Row {
        verdict,
        about: about.to_owned(),
        told: told.to_string(),
    }
}

impl Doctor {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let client = opened(&self.place, &self.partner)?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        runtime.block_on(Box::pin(self.examine(&client, out)))
    }

    async fn examine(&self, client: &Client, out: &mut dyn Write) -> Outcome {
        let (now, account) = (System.now(), client.account());
        let place = format!("{} at {}", account.environment, account.base);
        self.tell(&row("ok", "account", place), out)?;
        let mut worst = self.tell(&secret(client, now), out)?;
        let http = over_the_wire();
        let moment = Moment { now, draw: 0 };
        if let Err((why, _)) = client.token(&http, &Grant::Account, moment).await {
            self.tell(&row("error", "token", why), out)?;
            return Ok(Exit::Network);
        }
        self.tell(&row("ok", "token", "the login gives one"), out)?;
        let (buckets, mut dated) = (Buckets::default(), None);
        for call in calls(client, now) {
            if self.curl {
                writeln!(out, "{}", call.curl(account, now))?;
            }
            let verdict = buckets.ask(client, &http, &call, moment).await;
            if let Verdict::Taken(answer) = &verdict {
                dated = answer.date.or(dated);
                if let Some(codes) = codes(client, answer) {
                    worst = worst.max(self.tell(&codes, out)?);
                }
            }
            worst = worst.max(self.tell(&judged(&call, &verdict), out)?);
        }
        worst = worst.max(self.tell(&clock(dated), out)?);
        Ok(worst)
    }

    fn tell(&self, row: &Row, out: &mut dyn Write) -> Outcome {
        let Row {
            verdict,
            about,
            told,
        } = row;
        match self.json {
            true => {
                let line = json!({ "verdict": verdict, "about": about, "told": told });
                writeln!(out, "{line}")?;
            }
            false => writeln!(out, "{verdict:8} {about:44} {told}")?,
        }
        Ok(match *verdict {
            "error" => Exit::Findings,
            _ => Exit::Clean,
        })
    }
}

/// What is asked: one harmless question of each API.
fn calls(client: &Client, now: DateTime<Utc>) -> Vec<Call> {
    let marketplace = client.account().site.marketplace.as_str();
    let week = now - TimeDelta::days(6);
    if client.account().direct {
        let orders = Call::of("vendorDirectFulfillmentOrdersV1.getOrders");
        return vec![
            Call::to(client.account().version.twin(orders.endpoint))
                .when("createdAfter", week)
                .when("createdBefore", now)
                .with("limit", 1),
        ];
    }
    vec![
        Call::of("vendorOrders.getPurchaseOrders")
            .when("createdAfter", week)
            .when("createdBefore", now)
            .with("limit", 100),
        Call::of("vendorOrders.getPurchaseOrdersStatus")
            .when("createdAfter", week)
            .when("createdBefore", now)
            .with("limit", 1),
        Call::of("vendorShipments.GetShipmentDetails")
            .when("createdAfter", week)
            .when("createdBefore", now)
            .with("limit", 1),
        Call::of("vendorTransactionStatus.getTransaction").at("transactionId", "none"),
        Call::of("financesInvoices_2026-06-25.getInvoiceHeaders")
            .with("marketplaceId", marketplace),
    ]
}

fn secret(client: &Client, now: DateTime<Utc>) -> Row {
    let advice = "make a new one in the developer console, then `amazon connect --rotate`";
    match client.credential().days_left(now.date_naive()) {
        None => row(
            "warning",
            "secret",
            "nobody said when it was issued: it ends after 180 days",
        ),
        Some(days) if days <= 0 => row("error", "secret", format!("it has ended; {advice}")),
        Some(days) if days <= SECRET_WARNING.num_days() => row(
            "warning",
            "secret",
            format!("it ends in {days} days; {advice}"),
        ),
        Some(days) => row("ok", "secret", format!("it ends in {days} days")),
    }
}

/// What an answer says of the role and of the rate.
fn judged(call: &Call, verdict: &Verdict) -> Row {
    let about = call.endpoint.key();
    let published = call.endpoint.rate;
    match verdict {
        Verdict::Taken(Answer {
            rate: Some(told), ..
        }) if *told < published => {
            let told = format!("{told} requests a second, where {published} are published");
            row("warning", &about, told)
        }
        Verdict::Taken(_) | Verdict::Missing(_) => row("ok", &about, "it may be asked"),
        // It looked at the question, so we may ask.
        Verdict::Refused(why) if why.status == 400 => row("ok", &about, "it may be asked"),
        Verdict::Refused(why) | Verdict::Expired(why) => row("error", &about, why),
        Verdict::Empty(_) => row("warning", &about, "busy (429): something else asks as well"),
        Verdict::Denied(why, _) => row("error", &about, why),
        Verdict::Down(why, _) | Verdict::Uncertain(why) => row("error", &about, why),
    }
}

/// Which vendor codes orders came for, against those of the partner file.
fn codes(client: &Client, answer: &Answer) -> Option<Row> {
    let orders = answer.payload().get("orders")?.as_array()?;
    let code = |order: &Value| {
        let code = order.pointer("/orderDetails/sellingParty/partyId")?;
        code.as_str().map(str::to_owned)
    };
    let seen: BTreeSet<String> = orders.iter().filter_map(code).collect();
    let ours: BTreeSet<String> = client.account().vendor_codes.iter().cloned().collect();
    let list = |codes: &BTreeSet<String>| codes.iter().cloned().collect::<Vec<_>>().join(", ");
    let others: BTreeSet<String> = seen.difference(&ours).cloned().collect();
    Some(
        match (seen.is_empty(), ours.is_empty() || others.is_empty()) {
            (true, _) => row("ok", "vendor codes", "no order in six days"),
            (_, true) => row(
                "ok",
                "vendor codes",
                format!("orders came for {}", list(&seen)),
            ),
            (_, false) => row(
                "warning",
                "vendor codes",
                format!(
                    "orders came for {} too, which the partner file leaves out: name them in \
                 vendor_codes, or in another partner's file",
                    list(&others)
                ),
            ),
        },
    )
}

fn clock(theirs: Option<DateTime<Utc>>) -> Row {
    let Some(theirs) = theirs else {
        return row("warning", "clock", "no answer had a date to compare with");
    };
    let skew = System.now() - theirs;
    match skew.abs() > SKEW {
        true => row(
            "error",
            "clock",
            format!(
                "{} s from theirs: set this machine's clock",
                skew.num_seconds()
            ),
        ),
        false => row(
            "ok",
            "clock",
            format!("{} s from theirs", skew.num_seconds()),
        ),
    }
}
