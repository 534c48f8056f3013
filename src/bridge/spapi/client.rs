//! The shell of the client: an account that is asked over the wire.
//!
//! What is decided is decided in pure files: when a token is asked for (`token`), whether a request
//! may leave (`bucket`), what an answer means (`answer`). Here is what waits: one flight to the
//! login for each grant, one request at a time for each call, once more where the token had ended.
//! It never sleeps: what has to wait is told how long.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex as Held, PoisonError, RwLock};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::sync::Mutex;

use super::token::{Login, Next, code_form, form};
use super::{
    Account, Answer, Call, Credential, Denial, Endpoint, Grant, Metered, Misfit, Secret, Tokens,
    Verdict, verdict,
};
use crate::net::client::{self, Response};

/// What a meter says: how long to wait, or why it cannot say.
pub type Wait<'a> = Pin<Box<dyn Future<Output = Result<TimeDelta, String>> + Send + 'a>>;
/// Whoever keeps the buckets: told what happened to that of an operation, by the bucket's name.
pub type Meter<'a> = dyn Fn(String, &'static Endpoint, Metered) -> Wait<'a> + Send + Sync + 'a;

/// The moment of a call, and fresh randomness for its waits.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: DateTime<Utc>,
    /// Randomness.
    pub draw: u64,
}

/// An account with its credential, and the tokens that it has now.
pub struct Client {
    account: Account,
    credential: RwLock<Arc<Credential>>,
    /// Whether the application serves others, so that what names consumers wants its own token.
    pub restricted: bool,
    tokens: Held<BTreeMap<Grant, Arc<Mutex<Tokens>>>>,
}

impl Client {
    /// Puts an account and its credential together.
    ///
    /// # Errors
    /// [`Misfit::Environment`].
    pub fn new(account: Account, credential: Credential) -> Result<Client, Misfit> {
        account.takes(&credential)?;
        Ok(Client {
            account,
            credential: RwLock::new(Arc::new(credential)),
            restricted: false,
            tokens: Held::default(),
        })
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The credential in use.
    #[must_use]
    pub fn credential(&self) -> Arc<Credential> {
        let held = self.credential.read();
        Arc::clone(&held.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes another credential from here on: a secret was replaced, or the account authorised anew.
    ///
    /// # Errors
    /// [`Misfit::Environment`].
    pub async fn renew(&self, credential: Credential) -> Result<(), Misfit> {
        self.account.takes(&credential)?;
        let held = self.credential.write();
        *held.unwrap_or_else(PoisonError::into_inner) = Arc::new(credential);
        for tokens in self.all() {
            let mut tokens = tokens.lock().await;
            *tokens = std::mem::take(&mut *tokens).renewed();
        }
        Ok(())
    }

    fn all(&self) -> Vec<Arc<Mutex<Tokens>>> {
        let held = self.tokens.lock();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        held.values().cloned().collect()
    }

    fn tokens(&self, grant: &Grant) -> Arc<Mutex<Tokens>> {
        let held = self.tokens.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(held.entry(grant.clone()).or_default())
    }

    /// The name of the bucket of an operation: one for each application, account and operation.
    #[must_use]
    pub fn bucket(&self, endpoint: &Endpoint) -> String {
        let application = &self.credential().application;
        let key = self.account.key();
        format!("bucket {key} {application} {}", endpoint.key())
    }

    /// A token for a grant. Who asks second waits for who asked first.
    ///
    /// # Errors
    /// Why there is none, and how long it is not asked for again.
    pub async fn token(
        &self,
        http: &client::Client,
        grant: &Grant,
        moment: Moment,
    ) -> Result<Secret, (Denial, TimeDelta)> {
        let tokens = self.tokens(grant);
        let mut tokens = tokens.lock().await;
        loop {
            let credential = self.credential();
            let secrets = credential.secrets.len();
            let secret = match tokens.next(secrets, moment.now) {
                Next::Use(token) => return Ok(token),
                Next::Wait(why, wait) => return Err((why, wait)),
                Next::Ask(secret) => secret,
            };
            let login = match form(grant, &credential, secret) {
                Some(form) => self.log_in(http, &form).await,
                None => Login::Denied(Denial::Other("the API gives this token itself".into())),
            };
            let account = &self.account.name;
            match &login {
                Login::Token(..) => tracing::info!(account, "a new access token"),
                Login::Denied(why) => tracing::warn!(account, %why, "no access token"),
            }
            // However short its life, it is good now: who asks next sees whether it still is.
            let given = login.given();
            let before = std::mem::take(&mut *tokens);
            *tokens = before.answered(login, secrets, moment.now, moment.draw);
            if let Some(given) = given {
                return Ok(given);
            }
        }
    }

    async fn log_in(&self, http: &client::Client, form: &str) -> Login {
        match post(http, &self.account.login, form).await {
            Ok(answer) => Login::read(answer.status, &answer.body),
            Err(why) => Login::Denied(Denial::Down(why.to_string())),
        }
    }

    /// Asks, once: and once more where the token had ended.
    pub async fn ask(
        &self,
        http: &client::Client,
        meter: &Meter<'_>,
        call: &Call,
        moment: Moment,
    ) -> Verdict {
        if let Some(fault) = call.faults().into_iter().next() {
            return Verdict::Down(
                format!("{} cannot be asked: {fault}", call.endpoint.key()),
                None,
            );
        }
        let grant = call.grant(self.restricted);
        let mut again = true;
        loop {
            let token = match &grant {
                Grant::Restricted(..) => self.restricted_token(http, meter, &grant, moment).await,
                grant => self
                    .token(http, grant, moment)
                    .await
                    .map_err(|(why, wait)| Verdict::Denied(why, wait)),
            };
            let token = match token {
                Ok(token) => token,
                Err(verdict) => return verdict,
            };
            let verdict = self.once(http, meter, call, &token, moment).await;
            match verdict {
                Verdict::Expired(refusal) => {
                    let tokens = self.tokens(&grant);
                    let mut tokens = tokens.lock().await;
                    *tokens = std::mem::take(&mut *tokens).spent(&token);
                    if !std::mem::take(&mut again) {
                        return Verdict::Expired(refusal);
                    }
                }
                verdict => return verdict,
            }
        }
    }

    /// A token for an operation that gives what names consumers: the API gives it for an account's.
    async fn restricted_token(
        &self,
        http: &client::Client,
        meter: &Meter<'_>,
        grant: &Grant,
        moment: Moment,
    ) -> Result<Secret, Verdict> {
        let Grant::Restricted(method, path) = grant else {
            return Err(Verdict::Down("it is no restricted grant".into(), None));
        };
        let tokens = self.tokens(grant);
        let mut tokens = tokens.lock().await;
        match tokens.next(1, moment.now) {
            Next::Use(token) => return Ok(token),
            Next::Wait(why, wait) => return Err(Verdict::Denied(why, wait)),
            Next::Ask(_) => {}
        }
        let resource = json!({ "method": method, "path": path });
        let call = Call::of("tokens_2021-03-01.createRestrictedDataToken")
            .body(json!({ "restrictedResources": [resource] }));
        // It is an operation like others, and asks nothing of a document: what it refuses says
        // nothing of the request that the token is for.
        let login = match Box::pin(self.ask(http, meter, &call, moment)).await {
            Verdict::Taken(answer) => Login::restricted(&answer.body),
            Verdict::Refused(why) | Verdict::Missing(why) | Verdict::Expired(why) => {
                Login::Denied(Denial::Restricted(why.to_string()))
            }
            Verdict::Uncertain(why) => return Err(Verdict::Down(why, None)),
            other => return Err(other),
        };
        if let Login::Denied(why) = &login {
            let account = &self.account.name;
            tracing::warn!(account, %why, "no restricted token");
        }
        let given = login.given();
        let before = std::mem::take(&mut *tokens);
        *tokens = before.answered(login, 1, moment.now, moment.draw);
        given.ok_or_else(|| match tokens.next(1, moment.now) {
            Next::Wait(why, wait) => Verdict::Denied(why, wait),
            _ => Verdict::Down("no restricted token".into(), None),
        })
    }

    /// One request, if its bucket lets it through, and what its answer says of the bucket.
    async fn once(
        &self,
        http: &client::Client,
        meter: &Meter<'_>,
        call: &Call,
        token: &Secret,
        Moment { now, .. }: Moment,
    ) -> Verdict {
        let bucket = self.bucket(call.endpoint);
        match meter(bucket.clone(), call.endpoint, Metered::Spend).await {
            Ok(wait) if wait > TimeDelta::zero() => return Verdict::Empty(Some(wait)),
            Ok(_) => {}
            Err(why) => return Verdict::Down(why, None),
        }
        let request = call.request(&self.account, token, now);
        let sent = http.send(request.method, &request.url, &request.headers, request.body);
        let verdict = verdict(call, sent.await, now);
        self.noted(call, &verdict);
        let happened = match &verdict {
            Verdict::Empty(after) => Some(Metered::Emptied(*after)),
            Verdict::Taken(Answer { rate, .. }) => rate.map(Metered::Told),
            _ => None,
        };
        if let Some(happened) = happened
            && let Err(why) = meter(bucket, call.endpoint, happened).await
        {
            tracing::error!(why, "a bucket cannot be kept");
        }
        verdict
    }

    /// A line for each request: its operation, its id, what came of it; nothing of its content.
    fn noted(&self, call: &Call, verdict: &Verdict) {
        let (account, operation) = (&self.account.name, call.endpoint.key());
        match verdict {
            Verdict::Taken(answer) => {
                let request = answer.request.as_deref().unwrap_or_default();
                tracing::debug!(account, operation, request, "answered");
            }
            Verdict::Empty(_) => tracing::info!(account, operation, "too many requests"),
            Verdict::Expired(why) | Verdict::Missing(why) | Verdict::Refused(why) => {
                tracing::warn!(account, operation, %why, "refused");
            }
            Verdict::Down(why, _) | Verdict::Uncertain(why) => {
                tracing::warn!(account, operation, why, "no answer");
            }
            Verdict::Denied(why, _) => tracing::warn!(account, operation, %why, "no token"),
        }
    }
}

/// The refresh token that the code of a consent is good for.
///
/// # Errors
/// Why there is none.
pub async fn exchange(
    http: &client::Client,
    account: &Account,
    code: &Secret,
    application: &str,
    secret: &Secret,
) -> Result<Secret, Denial> {
    let form = code_form(code, application, secret);
    let answer = post(http, &account.login, &form).await;
    let answer = answer.map_err(|why| Denial::Down(why.to_string()))?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = json
        .get("refresh_token")
        .and_then(serde_json::Value::as_str);
    match (token, Login::read(answer.status, &answer.body)) {
        (Some(token), _) => Ok(Secret::new(token)),
        (None, Login::Denied(why)) => Err(why),
        (None, Login::Token(..)) => Err(Denial::Other("no refresh token in the answer".into())),
    }
}

/// Posts a form to the login.
async fn post(http: &client::Client, url: &str, form: &str) -> Result<Response, client::Error> {
    let kind = "application/x-www-form-urlencoded;charset=UTF-8";
    let headers = [("content-type".to_owned(), kind.to_owned())];
    let body = Bytes::copy_from_slice(form.as_bytes());
    http.post(url, &headers, body).await
}
