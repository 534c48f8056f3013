//! `transload amazon`: the account at the marketplace's API, from its credential to its health.

mod ask;
mod connect;
mod curl;
mod doctor;
mod site;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::serve::Place;
use super::{Failure, Outcome};
use crate::bridge::spapi::client::{Moment, Wait};
use crate::bridge::spapi::{Bucket, Call, Client, Credential, Endpoint, Metered, Verdict};
use crate::gateway;
use crate::net::client::{self as http, Trust};
use crate::partner;

/// Connect to Amazon's API for vendors, and see what is wrong with the connection
#[derive(clap::Args)]
pub(super) struct Amazon {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Ask(ask::Ask),
    Connect(connect::Connect),
    Curl(curl::Curl),
    Doctor(doctor::Doctor),
    Site(site::Sites),
}

impl Amazon {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Ask(command) => command.run(out),
            Command::Connect(command) => command.run(out),
            Command::Curl(command) => command.run(out),
            Command::Doctor(command) => command.run(out),
            Command::Site(command) => command.run(out),
        }
    }
}

/// The account of a partner's file, with its credential.
fn opened(place: &Place, name: &str) -> Result<Client, Failure> {
    let config = place.config(&[])?;
    let partners = partner::load(&config.partners).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::state(lines.join("\n"))
    })?;
    let known = || partners.iter().map(|one| one.name.as_str()).collect();
    let partner = partners.get(name);
    let partner =
        partner.ok_or_else(|| super::partner::unknown(name, &config.partners, known()))?;
    let agreed = partner.spapi.as_ref();
    let agreed = agreed
        .ok_or_else(|| Failure::usage(format!("the partner file of {name} has no [spapi]")))?;
    let account = gateway::account(name, agreed).map_err(Failure::state)?;
    let credential = Credential::load(&agreed.credential).map_err(Failure::state)?;
    let mut client = Client::new(account, credential).map_err(Failure::state)?;
    client.restricted = agreed.restricted;
    Ok(client)
}

fn over_the_wire() -> http::Client {
    let limits = gateway::api_limits(&http::Limits::default());
    http::Client::new(Trust::System, limits)
}

/// Buckets of this run alone.
#[derive(Default)]
struct Buckets(Mutex<BTreeMap<String, String>>);

impl Buckets {
    async fn ask(
        &self,
        client: &Client,
        http: &http::Client,
        call: &Call,
        moment: Moment,
    ) -> Verdict {
        let now = moment.now;
        let meter = move |name: String, endpoint: &'static Endpoint, what: Metered| -> Wait<'_> {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = held.get(&name).map(String::as_str);
            let (after, wait) = Bucket::step(kept, endpoint.rate(), what, now);
            held.insert(name, after);
            Box::pin(std::future::ready(Ok(wait)))
        };
        client.ask(http, &meter, call, moment).await
    }
}
