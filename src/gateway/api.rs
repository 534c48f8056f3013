//! Accounts of an API: how the gateway asks them, and what it keeps of that.
//!
//! The bridge decides, the gateway persists: each request is let through by a bucket in the store,
//! and each answer is recorded before the next question. Nothing here waits for a time to come.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Gateway;
use super::route::Partnership;
use crate::bridge::spapi::client::{Moment, Wait};
use crate::bridge::spapi::poll::Plan;
use crate::bridge::spapi::{
    Account, Bucket, Call, Client, Credential, Endpoint, Metered, SECRET_WARNING, Site, Verdict,
};
use crate::net::client;
use crate::partner::{self, Partner, SITE_FILE, Spapi};
use crate::store::Step;

/// What makes every wait a full one: one less than a multiple of each of them, in milliseconds.
const FULL: u64 = 3_600_000 * (1 << 14) - 1;

/// Bytes of one answer of an API: a hundred orders of a thousand lines.
pub(super) const ANSWER: usize = 64 << 20;

/// Limits of the client that asks APIs: their lists are larger than any receipt.
#[must_use]
pub fn limits(receipts: &client::Limits) -> client::Limits {
    client::Limits {
        answer: receipts.answer.max(ANSWER),
        ..receipts.clone()
    }
}

/// A partnership's account.
pub(super) struct Api {
    /// Who is asked, and how.
    pub(super) client: Client,
    /// As the partner file says it.
    pub(super) agreed: Spapi,
}

impl Api {
    /// Makes the account that a partner file names, and reads its credential.
    pub(super) fn open(partner: &Partner) -> Result<Option<Arc<Api>>, String> {
        let Some(agreed) = &partner.spapi else {
            return Ok(None);
        };
        let account = account(&partner.name, agreed)?;
        let credential = Credential::load(&agreed.credential).map_err(|why| why.to_string())?;
        let mut client = Client::new(account, credential).map_err(|why| why.to_string())?;
        client.restricted = agreed.restricted;
        Ok(Some(Arc::new(Api {
            client,
            agreed: agreed.clone(),
        })))
    }

    /// What to poll, where polling begins at `began`.
    pub(super) fn plan(&self, began: DateTime<Utc>) -> Plan {
        let agreed = &self.agreed;
        let since = agreed
            .since
            .unwrap_or(began - crate::bridge::spapi::poll::WINDOW);
        Plan {
            every: chrono::TimeDelta::minutes(agreed.poll_minutes.into()),
            silence: chrono::TimeDelta::minutes(agreed.silence_minutes.into()),
            direct: agreed.direct,
            ..Plan::since(since)
        }
    }
}

/// The account that a partner file names.
///
/// # Errors
/// What is wrong with it, in words for an operator.
pub fn account(name: &str, agreed: &Spapi) -> Result<Account, String> {
    let site = site(&agreed.site)?;
    let environment = agreed.environment.parse()?;
    let account = Account::new(name, environment, &site, agreed.url.as_deref());
    let mut account = account.map_err(|why| why.to_string())?;
    account.vendor_codes.clone_from(&agreed.vendor_codes);
    account.offset = agreed.zone;
    (account.collect, account.direct) = (agreed.collect, agreed.direct);
    account.version = agreed.version.parse()?;
    Ok(account)
}

/// The site that a partner file names: one that everybody has, or that of a file of its own.
fn site(named: &str) -> Result<Site, String> {
    if named.ends_with(SITE_FILE) {
        let text = std::fs::read_to_string(named).map_err(|why| format!("{named}: {why}"))?;
        return Site::read(&text).map_err(|why| format!("{named}: {why}"));
    }
    let known = || {
        let names: Vec<&str> = Site::all().iter().map(|site| site.name.as_str()).collect();
        let names = names.join(", ");
        format!(
            "there is no site {named:?}; there are {names}, and a file NAME.toml can say another"
        )
    };
    Site::find(named).cloned().ok_or_else(known)
}

/// Whether documents of this set go to the partnership's account, or come from it.
pub(super) fn bridged(partner: &Partner, set: &str) -> bool {
    let document = partner.documents.get(set);
    document.is_some_and(|document| document.bridge == partner::Bridge::Spapi)
}

impl Gateway {
    /// Asks an account, once.
    pub(super) async fn ask(self: &Arc<Self>, api: &Api, call: &Call) -> Verdict {
        let moment = self.moment();
        let now = moment.now;
        let meter = move |name: String, endpoint: &'static Endpoint, what: Metered| -> Wait<'_> {
            let this = Arc::clone(self);
            Box::pin(async move {
                let rate = endpoint.rate();
                let step: Step = Box::new(move |kept| Bucket::step(kept, rate, what, now).0);
                let before = this.store.step(name, step, now).await;
                let before = before.map_err(|why| why.to_string())?;
                Ok(Bucket::step(before.as_deref(), rate, what, now).1)
            })
        };
        let verdict = api.client.ask(&self.api, &meter, call, moment).await;
        if let Verdict::Denied(..) = verdict {
            self.login_again(api).await;
        }
        verdict
    }

    /// Now, and fresh randomness.
    pub(super) fn moment(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            draw: self.draw(),
        }
    }

    /// What the length of a wait comes of.
    pub(super) fn draw(&self) -> u64 {
        if !self.limits.jitter {
            return FULL;
        }
        let mut fresh = [0; 8];
        (self.entropy)(&mut fresh);
        u64::from_le_bytes(fresh)
    }

    /// The login denied us: perhaps somebody has put another credential there since.
    async fn login_again(&self, api: &Api) {
        let path = api.agreed.credential.clone();
        let read = tokio::task::spawn_blocking(move || Credential::load(Path::new(&path)));
        let account = &api.client.account().name;
        match read.await {
            Ok(Ok(credential)) if credential != *api.client.credential() => {
                match api.client.renew(credential).await {
                    Ok(()) => tracing::info!(account, "another credential"),
                    Err(why) => tracing::error!(account, %why, "the new credential is of no use"),
                }
            }
            Ok(Err(why)) => tracing::error!(account, %why, "no credential"),
            _ => {}
        }
    }

    /// Tells when the application's last secret ends, while there is time.
    pub(super) fn watch_secret(&self, known: &Partnership, api: &Api) {
        let days = api
            .client
            .credential()
            .days_left(self.clock.now().date_naive());
        let account = &known.partner.name;
        match days {
            Some(days) if days <= 0 => tracing::error!(
                account,
                days,
                "the client secret has ended; make a new one in the developer console"
            ),
            Some(days) if days <= SECRET_WARNING.num_days() => tracing::warn!(
                account,
                days,
                "the client secret ends; make a second one and put both into the credential file"
            ),
            _ => {}
        }
    }
}
