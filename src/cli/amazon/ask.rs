//! `amazon ask`: any question that the API answers, by its name, with what it answers on stdout.

use std::io::Write;

use chrono::TimeDelta;
use serde_json::json;
use tokio::runtime::Runtime;

use super::super::serve::Place;
use super::super::{Exit, Failure, Outcome};
use super::{Buckets, opened, over_the_wire};
use crate::bridge::spapi::client::Moment;
use crate::bridge::spapi::{Answer, Call, Client, Endpoint, Verdict};
use crate::clock::{Clock, System};
use crate::mapping::nearest;

/// How often in a row a busy API is asked again.
const TRIES: usize = 8;
/// The longest wait before that.
const WAIT: TimeDelta = TimeDelta::seconds(30);

/// What an account says by itself.
const MARKETPLACE: &str = "marketplaceId";

/// Ask the API anything that changes nothing there: labels, packing slips, settlements, a status
///
/// Prints the answer as one JSON object, with --all one object a page. Without an operation, lists
/// those that there are. What a document says goes there by the gateway, and never by this.
#[derive(clap::Args)]
pub(super) struct Ask {
    /// The partner whose file has the [spapi]
    partner: Option<String>,
    /// The operation, as the API calls it
    operation: Option<String>,
    /// A value for its path or its query
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Follow to the last page
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
    /// Print JSON where operations are listed
    #[arg(long)]
    json: bool,
}

impl Ask {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let (Some(partner), Some(operation)) = (&self.partner, &self.operation) else {
            return self.list(out);
        };
        let endpoint = found(operation)?;
        let client = opened(&self.place, partner)?;
        let call = self.call(endpoint, &client)?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        runtime.block_on(Box::pin(self.ask(&client, call, out)))
    }

    fn list(&self, out: &mut dyn Write) -> Outcome {
        for one in questions() {
            let names: Vec<&str> = one.names().collect();
            let query: Vec<&str> = one.parameters().map(|(name, _)| name).collect();
            if self.json {
                let line = json!({"operation": one.key(), "path": names, "query": query});
                writeln!(out, "{line}")?;
                continue;
            }
            let must = one.parameters().filter(|(_, must)| *must);
            let must = must.map(|(name, _)| name);
            let wanted: Vec<String> = names
                .iter()
                .copied()
                .chain(must)
                .map(|name| format!(" {name}=…"))
                .collect();
            writeln!(out, "{}{}", one.key(), wanted.concat())?;
        }
        Ok(Exit::Clean)
    }

    /// The question; the account's marketplace is meant where nobody names one.
    fn call(&self, endpoint: &'static Endpoint, client: &Client) -> Result<Call, Failure> {
        let mut call = Call::to(endpoint);
        let mut markets = endpoint.parameters().any(|(name, _)| name == MARKETPLACE);
        for given in &self.values {
            let split = given.split_once('=');
            let (name, value) =
                split.ok_or_else(|| Failure::usage(format!("{given:?} is no NAME=VALUE")))?;
            let place = endpoint.names().find(|known| *known == name);
            let query = endpoint.parameters().find(|(known, _)| *known == name);
            call = match (place, query) {
                (Some(place), _) => call.at(place, value),
                (None, Some((query, _))) => call.with(query, value),
                (None, None) => return Err(odd(endpoint, name)),
            };
            markets &= name != MARKETPLACE;
        }
        if markets {
            call = call.with(MARKETPLACE, &client.account().site.marketplace);
        }
        match call.faults() {
            faults if faults.is_empty() => Ok(call),
            faults => Err(Failure::usage(format!(
                "{}: {}; say it as NAME=VALUE",
                endpoint.key(),
                faults.join("; ")
            ))),
        }
    }

    async fn ask(&self, client: &Client, first: Call, out: &mut dyn Write) -> Outcome {
        let (http, buckets) = (over_the_wire(), Buckets::default());
        let (mut call, mut tries) = (first.clone(), 0);
        loop {
            let moment = Moment {
                now: System.now(),
                draw: 0,
            };
            let answer = match buckets.ask(client, &http, &call, moment).await {
                Verdict::Taken(answer) => answer,
                Verdict::Empty(after) if tries < TRIES => {
                    tries += 1;
                    let after = after.unwrap_or(TimeDelta::seconds(1)).min(WAIT);
                    tokio::time::sleep(after.to_std().unwrap_or_default()).await;
                    continue;
                }
                verdict => return Err(refused(verdict)),
            };
            tries = 0;
            writeln!(out, "{}", answer.body)?;
            match self.next(&first, &answer) {
                Some(next) => call = next,
                None => return Ok(Exit::Clean),
            }
        }
    }

    /// The question for the page after this one.
    fn next(&self, first: &Call, answer: &Answer) -> Option<Call> {
        let token = answer.next_page()?;
        if !self.all {
            eprintln!("transload: there are more pages; --all follows them");
            return None;
        }
        let mut names = first.endpoint.parameters().map(|(name, _)| name);
        let name = names.find(|name| name.starts_with("nextToken"))?;
        Some(first.clone().with(name, token))
    }
}

/// Every operation that changes nothing.
fn questions() -> impl Iterator<Item = &'static Endpoint> {
    Endpoint::all().filter(|one| !one.writes())
}

/// An operation by its name, alone or behind its API's.
fn found(name: &str) -> Result<&'static Endpoint, Failure> {
    let meant = |one: &&Endpoint| one.name == name || one.key() == name;
    let fits: Vec<_> = questions().filter(meant).collect();
    match fits[..] {
        [one] => Ok(one),
        [] if Endpoint::all().any(|one| meant(&one)) => Err(Failure::usage(format!(
            "{name} changes something there: documents go by the gateway"
        ))),
        [] => {
            let names = questions().map(|one| one.name.as_str());
            let near = nearest(name, names).map(|near| format!("; did you mean {near}?"));
            Err(Failure::usage(format!(
                "the API has no operation {name:?}{}; `amazon ask` lists them",
                near.unwrap_or_default()
            )))
        }
        _ => {
            let keys: Vec<String> = fits.iter().map(|one| one.key()).collect();
            Err(Failure::usage(format!(
                "{name} is one of {}",
                keys.join(", ")
            )))
        }
    }
}

fn odd(endpoint: &Endpoint, name: &str) -> Failure {
    let known: Vec<&str> = endpoint
        .names()
        .chain(endpoint.parameters().map(|one| one.0))
        .collect();
    let near = nearest(name, known.iter().copied()).map(|near| format!("; did you mean {near}?"));
    Failure::usage(format!(
        "{} has no {name:?}{} (it has: {})",
        endpoint.key(),
        near.unwrap_or_default(),
        known.join(", ")
    ))
}

fn refused(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::Denied(why, _) => Failure::network(why),
        Verdict::Refused(why) | Verdict::Missing(why) | Verdict::Expired(why) => {
            Failure::network(why)
        }
        Verdict::Down(why, _) | Verdict::Uncertain(why) => Failure::network(why),
        Verdict::Taken(_) | Verdict::Empty(_) => {
            Failure::network("the API is busy (429): something else asks as well")
        }
    }
}
