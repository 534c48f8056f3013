//! A request of the API: what is asked, and how it goes over the wire.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Account, Endpoint, Grant, Secret};

/// Characters that `user-agent` may have; a longer one is refused.
pub const USER_AGENT: usize = 500;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which operation.
    pub endpoint: &'static Endpoint,
    path: Vec<(&'static str, String)>,
    query: Vec<(&'static str, String)>,
    /// The body of a POST.
    pub body: Option<Value>,
}

/// A request as it goes out. It holds a token, so it cannot be printed.
pub struct Request {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'static str,
    /// Host, path and query.
    pub url: String,
    /// The headers that the API wants.
    pub headers: Vec<(String, String)>,
    /// The body: JSON, or nothing.
    pub body: Bytes,
}

impl Call {
    /// An operation by its API and its name, which the source knows to be in the table.
    #[must_use]
    pub fn of(key: &str) -> Call {
        Call::to(Endpoint::known(key))
    }

    /// An operation.
    #[must_use]
    pub fn to(endpoint: &'static Endpoint) -> Call {
        Call {
            endpoint,
            path: Vec::new(),
            query: Vec::new(),
            body: None,
        }
    }

    /// Puts a value into the path.
    #[must_use]
    pub fn at(mut self, name: &'static str, value: &str) -> Call {
        self.path.push((name, value.to_owned()));
        self
    }

    /// Puts a value into the query.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Call {
        self.query.push((name, value.to_string()));
        self
    }

    /// Puts a time into the query, as the API reads it.
    #[must_use]
    pub fn when(self, name: &'static str, at: DateTime<Utc>) -> Call {
        self.with(name, at.format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Gives it a body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Call {
        self.body = Some(body);
        self
    }

    /// The token that it is asked with. `restricted`: whether the application serves others, so that
    /// what names consumers wants a token of its own.
    #[must_use]
    pub fn grant(&self, restricted: bool) -> Grant {
        match &self.endpoint.scope {
            Some(scope) => Grant::Application(scope.clone()),
            None if restricted && self.endpoint.restricted => {
                // One for the path with its names serves all orders for its hour.
                Grant::Restricted(self.endpoint.method.clone(), self.endpoint.path.clone())
            }
            None => Grant::Account,
        }
    }

    /// What keeps it from being sent: names that the operation does not have, or that it wants.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let given = |name: &str| self.query.iter().any(|(known, _)| *known == name);
        let known: Vec<(&str, bool)> = self.endpoint.parameters().collect();
        let missing = known.iter().filter(|(name, must)| *must && !given(name));
        let missing = missing.map(|(name, _)| format!("the query has no {name}"));
        let odd = self.query.iter();
        let odd = odd.filter(|(name, _)| known.iter().all(|(known, _)| known != name));
        let odd = odd.map(|(name, _)| format!("the operation has no {name}"));
        let path = self.path();
        let open = path
            .contains('{')
            .then(|| format!("the path still has a name in it: {path}"));
        missing.chain(odd).chain(open).collect()
    }

    /// The path with its values.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = self.endpoint.path.clone();
        for (name, value) in &self.path {
            path = path.replace(&format!("{{{name}}}"), &escaped(value));
        }
        path
    }

    /// The path and the query.
    #[must_use]
    pub fn target(&self) -> String {
        let pair = |(name, value): &(&str, String)| format!("{name}={}", escaped(value));
        let pairs: Vec<String> = self.query.iter().map(pair).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path(), pairs.join("&"))
    }

    /// The URL at an account.
    #[must_use]
    pub fn url(&self, account: &Account) -> String {
        format!("{}{}", account.base, self.target())
    }

    /// The request as it goes out.
    #[must_use]
    pub fn request(&self, account: &Account, token: &Secret, now: DateTime<Utc>) -> Request {
        let mut headers = vec![
            ("x-amz-access-token".to_owned(), token.expose().to_owned()),
            (
                "x-amz-date".to_owned(),
                now.format("%Y%m%dT%H%M%SZ").to_string(),
            ),
            ("user-agent".to_owned(), user_agent()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        let body = match &self.body {
            Some(body) => {
                headers.push(("content-type".into(), "application/json".into()));
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let method = match self.endpoint.method.as_str() {
            "POST" => "POST",
            "DELETE" => "DELETE",
            _ => "GET",
        };
        Request {
            method,
            url: self.url(account),
            headers,
            body,
        }
    }

    /// The same as a command for a terminal, with the token left out.
    #[must_use]
    pub fn curl(&self, account: &Account, now: DateTime<Utc>) -> String {
        let request = self.request(account, &Secret::new("$TOKEN"), now);
        let mut line = format!("curl -X {} {}", request.method, quoted(&request.url));
        for (name, value) in &request.headers {
            line.push_str(" \\\n  -H ");
            match name.as_str() {
                // The shell puts the token in.
                "x-amz-access-token" => line.push_str(&format!("\"{name}: {value}\"")),
                _ => line.push_str(&quoted(&format!("{name}: {value}"))),
            }
        }
        if let Some(body) = &self.body {
            line.push_str(" \\\n  -d ");
            line.push_str(&quoted(&body.to_string()));
        }
        line
    }
}

/// Who asks, as the API wants it said.
fn user_agent() -> String {
    let mut agent = format!(
        "Transload/{} (Language=Rust/{}; Platform={})",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_RUST_VERSION"),
        std::env::consts::OS,
    );
    agent.truncate(USER_AGENT);
    agent
}

/// A text as a word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A value in a path, a query or a form: all but unreserved characters escaped (RFC 3986 §2.3).
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::spapi::{Environment, Site};

    fn account() -> Account {
        let url = Some("http://127.0.0.1:9");
        Account::new("a", Environment::Simulator, Site::find("us").unwrap(), url).unwrap()
    }

    #[test]
    fn a_request_is_as_the_api_wants_it() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let call = Call::of("vendorOrders.getPurchaseOrders")
            .when("createdAfter", now)
            .with("orderingVendorCode", "A B&C");
        assert!(call.faults().is_empty());
        let request = call.request(&account(), &Secret::new("canary"), now);
        assert_eq!(
            request.url,
            "http://127.0.0.1:9/vendor/orders/v1/purchaseOrders\
             ?createdAfter=2027-01-15T08%3A00%3A00Z&orderingVendorCode=A%20B%26C"
        );
        let header = |name: &str| {
            let mut all = request.headers.iter();
            all.find(|(known, _)| known == name)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!(header("x-amz-date"), Some("20270115T080000Z"));
        assert_eq!(header("x-amz-access-token"), Some("canary"));
        let agent = header("user-agent").unwrap();
        assert!(agent.starts_with("Transload/") && agent.contains("(Language=Rust/1."));
        let curl = call.curl(&account(), now);
        assert!(curl.contains("\"x-amz-access-token: $TOKEN\""), "{curl}");
    }

    #[test]
    fn what_the_operation_does_not_know_is_not_sent() {
        let call = Call::of("vendorDirectFulfillmentOrdersV1.getOrders").with("createdafter", 1);
        assert_eq!(call.faults().len(), 3);
        let open = Call::of("vendorOrders.getPurchaseOrder");
        assert_eq!(open.faults().len(), 1);
        let named = open.at("purchaseOrderNumber", "4Z/../x");
        assert!(named.path().ends_with("/4Z%2F..%2Fx"));
    }
}
