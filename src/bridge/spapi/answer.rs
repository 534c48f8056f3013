//! What an answer of the API means, and how it is told.
//!
//! | the API | a GET | a POST |
//! |---|---|---|
//! | the status of success | [`Verdict::Taken`] | the same |
//! | 429 | [`Verdict::Empty`]: nothing was done | the same |
//! | 401, 403 about an expired token | [`Verdict::Expired`] | the same |
//! | nobody reached | [`Verdict::Down`] | the same |
//! | 5xx, a time-out, a broken answer | [`Verdict::Down`] | [`Verdict::Uncertain`] |
//! | 404 | [`Verdict::Missing`] | [`Verdict::Refused`] |
//! | any other | [`Verdict::Refused`] | the same |
//!
//! A [`Refusal`] says in public what is wrong, where, and what to do: names of fields, codes, the
//! request's id. The API's own words may repeat what is in a document, so they stand apart.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Call, Denial};
use crate::net::client::{self, Response};

/// Characters of the API's own words that are kept.
const WORDS: usize = 2000;
/// Characters of a code or an id that are told.
const CODE: usize = 80;

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `x-amzn-RequestId`: what the API's support asks for.
    pub request: Option<String>,
    /// `Date`: the time at the server.
    pub date: Option<DateTime<Utc>>,
    /// `x-amzn-RateLimit-Limit`: requests a second, where it is said.
    pub rate: Option<f64>,
    /// The body, `null` where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// What the answer is about: its `payload`, or itself where it has none.
    #[must_use]
    pub fn payload(&self) -> &Value {
        self.body.get("payload").unwrap_or(&self.body)
    }

    /// Where the next page begins, if there is one.
    #[must_use]
    pub fn next_page(&self) -> Option<&str> {
        let payload = self.payload();
        let token = payload.pointer("/pagination/nextToken");
        let token = token.or_else(|| payload.get("nextToken"));
        token?.as_str().filter(|token| !token.is_empty())
    }

    /// The number under which a POST's outcome can be asked for.
    #[must_use]
    pub fn transaction(&self) -> Option<&str> {
        let id = self.payload().get("transactionId")?.as_str()?;
        (!id.is_empty()).then_some(id)
    }

    /// Its body with every value but codes and states left out: what is kept of it.
    #[must_use]
    pub fn redacted(&self) -> Value {
        redacted(&self.body, "")
    }
}

/// Names whose values say nothing of a document.
const PLAIN: [&str; 4] = ["code", "status", "transactionId", "type"];

fn redacted(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(map) => {
            let part = |(name, value): (&String, &Value)| (name.clone(), redacted(value, name));
            map.iter().map(part).collect()
        }
        Value::Array(items) => items.iter().map(|item| redacted(item, name)).collect(),
        Value::String(text) if PLAIN.contains(&name) => Value::String(told(text)),
        Value::String(_) | Value::Number(_) => Value::String("…".into()),
        other => other.clone(),
    }
}

/// A code or an id as it can be told: printable, and not long.
fn told(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.:".contains(*c);
    text.chars().filter(plain).take(CODE).collect()
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is done.
    Taken(Answer),
    /// Too many requests: nothing was done. Perhaps how long to wait.
    Empty(Option<TimeDelta>),
    /// The login gives no token: nothing was done. Why, and how long it is not asked again.
    Denied(Denial, TimeDelta),
    /// The token has ended: nothing was done, and a new one helps.
    Expired(Refusal),
    /// No usable answer, and nothing was done that matters.
    Down(String, Option<TimeDelta>),
    /// Whether it was done is not known: ask before it is done again.
    Uncertain(String),
    /// What was asked for is not there.
    Missing(Refusal),
    /// It will be refused again as it is.
    Refused(Refusal),
}

/// A refusal. Its text is for logs; `words` is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The operation, by API and name.
    pub operation: String,
    /// The codes of the errors.
    pub codes: Vec<String>,
    /// Fields of the request that the errors name.
    pub fields: Vec<String>,
    /// Roles of which one is wanted.
    pub roles: Vec<String>,
    /// The request's id.
    pub request: Option<String>,
    /// The API's own words. They may repeat what stands in a document: not for logs.
    pub words: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = self.codes.join(", ");
        let code = if codes.is_empty() { "no code" } else { &codes };
        write!(
            f,
            "{} was refused: {} ({code})",
            self.operation, self.status
        )?;
        if !self.fields.is_empty() {
            write!(f, " about {}", self.fields.join(", "))?;
        }
        match self.status {
            401 | 403 => {
                f.write_str("; access is denied")?;
                if !self.roles.is_empty() {
                    write!(
                        f,
                        ": the application needs the role {}",
                        self.roles.join(" or ")
                    )?;
                    f.write_str(", granted before the account authorised it")?;
                }
                f.write_str(
                    "; look at its roles and at whether it is registered for vendors, authorise it \
                     again, and see that the account is of this region",
                )?;
            }
            404 => f.write_str("; it is not there, or is hidden while the API has trouble")?,
            413 => f.write_str("; it is too large: send fewer documents at once")?,
            415 => f.write_str("; this is a defect of ours")?,
            _ => f.write_str("; correct it and send it again")?,
        }
        match &self.request {
            Some(id) => write!(f, "; request {id}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Whether the errors say that the same was taken before.
    #[must_use]
    pub fn duplicate(&self) -> bool {
        let says = |text: &str| text.to_ascii_lowercase().contains("duplicate");
        self.codes.iter().any(|code| says(code)) || says(&self.words)
    }

    /// All of it, for the page of the document that it is about.
    #[must_use]
    pub fn whole(&self) -> String {
        match self.words.as_str() {
            "" => self.to_string(),
            words => format!("{self}. The API says: {words}"),
        }
    }
}

/// What the answer to a call means, or that there is none.
#[must_use]
pub fn verdict(
    call: &Call,
    answer: Result<Response, client::Error>,
    now: DateTime<Utc>,
) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) if why.sent() && call.endpoint.writes() => {
            return Verdict::Uncertain(why.to_string());
        }
        Err(why) => return Verdict::Down(why.to_string(), None),
    };
    let status = answer.status;
    let after = retry_after(&answer, now);
    let answer = read(answer);
    let writes = call.endpoint.writes();
    let whole = answer.body != Value::Null || status == 204;
    match status {
        _ if status == call.endpoint.taken && whole => Verdict::Taken(answer),
        // Taken, in words that nobody can read: it may well be there.
        200..300 if writes => Verdict::Uncertain(format!("HTTP status {status}, unreadable")),
        200..300 => Verdict::Down(format!("HTTP status {status}, unreadable"), None),
        429 => Verdict::Empty(after),
        500.. | 408 if writes => Verdict::Uncertain(format!("HTTP status {status}")),
        500.. | 408 | 425 => Verdict::Down(format!("HTTP status {status}"), after),
        401 | 403 if expired(&answer) => Verdict::Expired(refusal(call, answer)),
        404 if !writes => Verdict::Missing(refusal(call, answer)),
        _ => Verdict::Refused(refusal(call, answer)),
    }
}

fn read(answer: Response) -> Answer {
    let header = |wanted: &str| {
        let mut all = answer.headers.iter();
        let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    Answer {
        status: answer.status,
        request: header("x-amzn-requestid").map(|id| told(&id)),
        date: header("date").and_then(|date| {
            let date = DateTime::parse_from_rfc2822(&date).ok()?;
            Some(date.to_utc())
        }),
        rate: header("x-amzn-ratelimit-limit").and_then(|rate| rate.parse().ok()),
        body: serde_json::from_slice(&answer.body).unwrap_or_default(),
    }
}

/// The longest that a server may ask us to wait: who says more says it again then.
const PAUSE: TimeDelta = TimeDelta::hours(1);

/// When the server wants to be asked again: seconds, or a date.
fn retry_after(answer: &Response, now: DateTime<Utc>) -> Option<TimeDelta> {
    let mut headers = answer.headers.iter();
    let (_, value) = headers.find(|(name, _)| name == "retry-after")?;
    let seconds = value.parse().ok().and_then(TimeDelta::try_seconds);
    let until = || DateTime::parse_from_rfc2822(value).ok();
    let wait = seconds.or_else(|| Some(until()?.to_utc() - now))?;
    Some(wait.clamp(TimeDelta::zero(), PAUSE))
}

/// The errors of an answer: of `errors`, or of the answer itself.
fn errors(body: &Value) -> Vec<&Value> {
    let list = body
        .get("errors")
        .or_else(|| body.pointer("/payload/errors"));
    match list {
        Some(Value::Array(errors)) => errors.iter().collect(),
        _ => vec![body],
    }
}

fn text<'a>(error: &'a Value, name: &str) -> &'a str {
    error.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a denial is about the age of the token, and not about rights.
fn expired(answer: &Answer) -> bool {
    errors(&answer.body).iter().any(|error| {
        let words = format!("{} {}", text(error, "message"), text(error, "details"));
        let words = words.to_ascii_lowercase();
        words.contains("token") && (words.contains("expired") || words.contains("revoked"))
    })
}

fn refusal(call: &Call, answer: Answer) -> Refusal {
    let errors = errors(&answer.body);
    let codes = errors.iter().map(|error| told(text(error, "code")));
    let codes: Vec<String> = codes.filter(|code| !code.is_empty()).collect();
    let said = |error: &&Value| {
        let parts = [text(error, "message"), text(error, "details")];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let words: Vec<String> = errors.iter().map(said).collect();
    let words: String = words.join(". ").chars().take(WORDS).collect();
    Refusal {
        status: answer.status,
        operation: call.endpoint.key(),
        fields: fields(call, &words),
        codes,
        roles: call.endpoint.roles.clone(),
        request: answer.request,
        words: words.trim().to_owned(),
    }
}

/// The names of the request's own fields that stand in the API's words. Only names that we know to
/// be names: any other word may be somebody's data.
fn fields(call: &Call, words: &str) -> Vec<String> {
    let mut names: Vec<&str> = call.endpoint.parameters().map(|(name, _)| name).collect();
    if let Some(body) = &call.body {
        keys(body, &mut names);
    }
    let said: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| said.contains(name));
    names.into_iter().map(str::to_owned).collect()
}

fn keys<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            names.push(name);
            keys(value, names);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn post() -> Call {
        let body = json!({"acknowledgements": [{"sellingParty": {"partyId": "canary"}}]});
        Call::of("vendorOrders.submitAcknowledgement").body(body)
    }

    fn answered(call: &Call, status: u16, body: &str) -> Verdict {
        answered_after(call, status, body, "7")
    }

    fn answered_after(call: &Call, status: u16, body: &str, after: &str) -> Verdict {
        let headers = [("x-amzn-requestid", "r-1"), ("retry-after", after)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let response = Response {
            status,
            headers: headers.to_vec(),
            body: body.to_owned().into(),
        };
        verdict(call, Ok(response), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_post_is_uncertain_where_a_get_is_not() {
        let get = Call::of("vendorOrders.getPurchaseOrders");
        for status in [500, 502, 503, 504, 408, 200, 204] {
            let verdict = answered(&post(), status, "");
            assert!(matches!(verdict, Verdict::Uncertain(_)), "{status}");
            let verdict = answered(&get, status, "");
            let done = status == 204;
            assert!(done || matches!(verdict, Verdict::Down(..)), "{status}");
        }
        let seven = Some(TimeDelta::seconds(7));
        assert_eq!(answered(&post(), 429, ""), Verdict::Empty(seven));
        let timed = client::Error::TimedOut { seconds: 1 };
        let verdict = verdict(&post(), Err(timed), DateTime::UNIX_EPOCH);
        assert!(matches!(verdict, Verdict::Uncertain(_)));
    }

    #[test]
    fn no_server_makes_us_wait_for_ever() {
        for (after, wanted) in [
            ("9223372036854775", PAUSE),
            ("-5", TimeDelta::zero()),
            ("Fri, 31 Dec 9999 23:59:59 GMT", PAUSE),
        ] {
            let told = answered_after(&post(), 429, "", after);
            assert_eq!(told, Verdict::Empty(Some(wanted)), "{after}");
        }
    }

    #[test]
    fn what_was_taken_has_its_ids() {
        let Verdict::Taken(answer) = answered(&post(), 202, r#"{"payload":{"transactionId":"t"}}"#)
        else {
            panic!("not taken")
        };
        assert_eq!(answer.transaction(), Some("t"));
        assert_eq!(answer.request.as_deref(), Some("r-1"));
        let bare = Answer {
            body: json!({"pagination": {"nextToken": "n"}, "orders": [{"number": "canary", "code": "c"}]}),
            ..answer
        };
        assert_eq!(bare.next_page(), Some("n"));
        let kept = bare.redacted().to_string();
        assert!(
            !kept.contains("canary") && kept.contains("\"code\":\"c\""),
            "{kept}"
        );
    }

    #[test]
    fn a_refusal_names_the_field_and_the_role_and_repeats_no_data() {
        let body = r#"{"errors":[{"code":"InvalidInput","message":"element 'sellingParty' with canary is not complete"}]}"#;
        let Verdict::Refused(refusal) = answered(&post(), 400, body) else {
            panic!("not refused")
        };
        assert_eq!(
            refusal.to_string(),
            "vendorOrders.submitAcknowledgement was refused: 400 (InvalidInput) about sellingParty; \
             correct it and send it again; request r-1"
        );
        assert!(refusal.whole().contains("canary"));
        let denied = r#"{"errors":[{"code":"Unauthorized","message":"Access to requested resource is denied."}]}"#;
        let Verdict::Refused(refusal) = answered(&post(), 403, denied) else {
            panic!("not refused")
        };
        let told = refusal.to_string();
        assert!(
            told.contains("needs the role Amazon Fulfillment or"),
            "{told}"
        );
        let old = r#"{"errors":[{"code":"Unauthorized","message":"Access to requested resource is denied.","details":"The access token you provided has expired."}]}"#;
        assert!(matches!(answered(&post(), 403, old), Verdict::Expired(_)));
        assert!(matches!(answered(&post(), 404, "{}"), Verdict::Refused(_)));
    }
}
