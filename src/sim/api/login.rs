//! The login: access tokens for an account or a scope, and restricted data tokens of the API itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::query::pairs;
use super::{Api, Reply, USER_AGENT, error, invalid, odd};
use crate::bridge::spapi::Endpoint;
use crate::net::whole::Asked;
use crate::sim::{Seed, What, World};

/// Seconds that a token lives.
const LIFE: i64 = 3600;
/// Seconds that it lives where the scenario says that it ends before its time.
const SHORT: i64 = 60;
/// Tokens that are kept; the oldest give way.
const TOKENS: usize = 1000;
/// Resources that one restricted data token is for.
const RESOURCES: usize = 50;

/// A token that was given.
pub(super) struct Token {
    until: DateTime<Utc>,
    /// The scope that it is for; none is the account's.
    scope: Option<String>,
}

impl Api {
    pub(super) fn login(&mut self, world: &World, asked: &Asked, now: DateTime<Utc>) -> Reply {
        let denied = |status: u16, error: &str, why: &str| {
            (status, json!({"error": error, "error_description": why}))
        };
        if asked.method != "POST" {
            return denied(405, "invalid_request", "the login is posted to");
        }
        let form = pairs(&String::from_utf8_lossy(&asked.body));
        let said = |name: &str| {
            let found = form.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let first_ended = odd::since(world, What::ExpiredSecret, now);
        let secrets = match first_ended {
            true => &self.access.secrets[1..],
            false => &self.access.secrets[..],
        };
        if said("client_id") != self.access.application {
            return denied(401, "invalid_client", "client_id is not the simulator's");
        }
        if !secrets.iter().any(|secret| secret == said("client_secret")) {
            let why = match first_ended && said("client_secret") == self.access.secrets[0] {
                true => "client_secret has ended; the second one holds",
                false => "client_secret is not the simulator's",
            };
            return denied(401, "invalid_client", why);
        }
        let scope = match said("grant_type") {
            "refresh_token" if said("refresh_token") == self.access.refresh_token => None,
            "refresh_token" => {
                return denied(400, "invalid_grant", "refresh_token is not the simulator's");
            }
            "client_credentials" if said("scope").starts_with("sellingpartnerapi::") => {
                Some(said("scope").to_owned())
            }
            "client_credentials" => return denied(400, "invalid_scope", "there is no such scope"),
            _ => {
                let why = "grant_type is refresh_token or client_credentials";
                return denied(400, "unsupported_grant_type", why);
            }
        };
        let short = odd::during(world, What::ExpiredToken, now);
        let token = self.give(scope.clone(), if short { SHORT } else { LIFE }, now);
        let mut body = json!({"access_token": token, "token_type": "bearer", "expires_in": LIFE});
        if scope.is_none() {
            body["refresh_token"] = self.access.refresh_token.as_str().into();
        }
        (200, body)
    }

    fn give(&mut self, scope: Option<String>, life: i64, now: DateTime<Utc>) -> String {
        self.logins += 1;
        let word = Seed::of(self.seed, "token", self.logins).word(40);
        let token = format!("Atza|sim{:06}{word}", self.logins);
        let until = now + TimeDelta::seconds(life);
        self.tokens.insert(token.clone(), Token { until, scope });
        while self.tokens.len() > TOKENS {
            self.tokens.pop_first();
        }
        token
    }

    /// Why a request is not let in, if it is not.
    pub(super) fn denied(
        &self,
        asked: &Asked,
        endpoint: &Endpoint,
        now: DateTime<Utc>,
    ) -> Option<Reply> {
        let no = |message: &str| Some(error(403, "Unauthorized", message, ""));
        let agent = asked.header("user-agent").unwrap_or_default();
        if agent.is_empty() || agent.chars().count() > USER_AGENT {
            let message = format!("user-agent has 1 to {USER_AGENT} characters");
            return Some(invalid(&message, "user-agent"));
        }
        let Some(token) = asked.header("x-amz-access-token") else {
            return no("Access token is missing in the request header.");
        };
        match self.tokens.get(token) {
            None => no("Access to requested resource is denied."),
            Some(token) if token.until <= now => no("The access token you provided has expired."),
            Some(token) if token.scope != endpoint.scope => {
                no("Access to requested resource is denied: the token is of another grant.")
            }
            Some(_) => None,
        }
    }

    /// A token for what names consumers.
    pub(super) fn restricted_token(&mut self, body: &Value, now: DateTime<Utc>) -> Reply {
        let Some(resources) = body.get("restrictedResources").and_then(Value::as_array) else {
            return invalid("restrictedResources is required", "restrictedResources");
        };
        if resources.is_empty() || resources.len() > RESOURCES {
            let message = format!("restrictedResources has 1 to {RESOURCES} entries");
            return invalid(&message, "restrictedResources");
        }
        for (n, resource) in resources.iter().enumerate() {
            for name in ["method", "path"] {
                if resource.get(name).and_then(Value::as_str).is_none() {
                    let field = format!("restrictedResources[{n}].{name}");
                    return invalid(&format!("{field} is required"), &field);
                }
            }
        }
        let token = self.give(None, LIFE, now);
        (
            200,
            json!({"restrictedDataToken": token, "expiresIn": LIFE}),
        )
    }
}
