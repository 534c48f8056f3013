//! Access tokens: when one is good, when one is asked for, and what a refusal means.
//!
//! ```text
//!          ┌──────────── good for more than AHEAD ────► use it
//! next ────┼── none, or nearly over ──► ask (newest secret, then the other) ──► answered
//!          └── refused a moment ago ──► say so again; ask no sooner than HOLD
//! ```
//!
//! Pure: state and time in, what to do out. Whoever has it holds it while it asks, so that there is
//! one flight for each grant. Tokens live in memory alone.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Credential, Secret, backoff};

/// How long before its end a token is replaced: longer than any request takes, retries included.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// How long a refusal stands before somebody may have repaired its cause.
pub const HOLD: TimeDelta = TimeDelta::minutes(5);
/// What a token's life is taken for where its answer does not say: a published hour, less some.
const LIFE: i64 = 3200;
/// The longest life that is believed: tokens are published to live an hour.
const LONGEST: i64 = 24 * 3600;

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grant {
    /// What the account authorised.
    Account,
    /// What the application may do by itself, in this scope.
    Application(String),
    /// One operation that gives what names consumers, by method and path.
    Restricted(String, String),
}

/// What to do for a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Next {
    /// This one is good.
    Use(Secret),
    /// Ask for one, with this secret of the application.
    Ask(usize),
    /// Not now: why, and for how long.
    Wait(Denial, TimeDelta),
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No secret of the application is taken.
    #[error(
        "the login refuses every secret of the application (invalid_client): it ended, or is not of \
         this client id; make a new one in the developer console and put it into the credential file"
    )]
    Secret,
    /// The refresh token is not taken.
    #[error(
        "the login refuses the refresh token (invalid_grant): the authorisation was withdrawn, or is \
         of another application; authorise the application again"
    )]
    Authorisation,
    /// The API does not give a restricted token, and why.
    #[error("the API gives no restricted data token: {0}")]
    Restricted(String),
    /// Another refusal, by its code.
    #[error(
        "the login refuses this application ({0}): look at its grants in the developer console"
    )]
    Other(String),
    /// No answer, or one that promises a better one.
    #[error("the login does not answer: {0}")]
    Down(String),
}

/// What the login answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A token, and for how many seconds.
    Token(Secret, i64),
    /// None, and why.
    Denied(Denial),
}

impl Login {
    /// Reads an answer of the login: its errors have another shape than those of the API.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Login {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        if let (200, Some(token)) = (status, text("access_token")) {
            let life = json.get("expires_in").and_then(Value::as_i64);
            return Login::Token(Secret::new(token), life.unwrap_or(LIFE));
        }
        Login::Denied(match (status, text("error")) {
            (_, Some("invalid_client")) => Denial::Secret,
            (_, Some("invalid_grant")) => Denial::Authorisation,
            (400..=403, Some(code)) => Denial::Other(word(code)),
            _ => Denial::Down(format!("HTTP status {status}")),
        })
    }

    /// The token that was given, if one was.
    #[must_use]
    pub fn given(&self) -> Option<Secret> {
        match self {
            Login::Token(token, _) => Some(token.clone()),
            Login::Denied(_) => None,
        }
    }

    /// Reads the API's answer about a restricted token, which is given by an operation.
    #[must_use]
    pub fn restricted(body: &Value) -> Login {
        let token = body.get("restrictedDataToken").and_then(Value::as_str);
        let life = body.get("expiresIn").and_then(Value::as_i64);
        match token {
            Some(token) => Login::Token(Secret::new(token), life.unwrap_or(LIFE)),
            None => Login::Denied(Denial::Restricted("none is in its answer".into())),
        }
    }
}

/// A code as it can be told: letters, digits and underscores.
fn word(code: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    code.chars().filter(plain).take(40).collect()
}

/// The tokens of one grant.
#[derive(Clone, Default)]
pub struct Tokens {
    /// The token and its end.
    held: Option<(Secret, DateTime<Utc>)>,
    /// The secret that was taken last.
    secret: usize,
    /// Secrets that were refused since one was taken.
    refused: usize,
    failures: u32,
    denied: Option<(Denial, DateTime<Utc>)>,
}

impl Tokens {
    /// What to do now.
    #[must_use]
    pub fn next(&self, secrets: usize, now: DateTime<Utc>) -> Next {
        let good = self.held.as_ref().filter(|(_, end)| *end - now > AHEAD);
        if let Some((token, _)) = good {
            return Next::Use(token.clone());
        }
        if let Some((why, until)) = self.denied.as_ref().filter(|(_, until)| *until > now) {
            // One that is nearly over is better than none.
            let still = self.held.as_ref().filter(|(_, end)| *end > now);
            return match still {
                Some((token, _)) => Next::Use(token.clone()),
                None => Next::Wait(why.clone(), *until - now),
            };
        }
        Next::Ask((self.secret + self.refused) % secrets.max(1))
    }

    /// Takes note of what the login answered. `draw` is fresh randomness.
    #[must_use]
    pub fn answered(self, login: Login, secrets: usize, now: DateTime<Utc>, draw: u64) -> Tokens {
        let why = match login {
            Login::Token(token, seconds) => {
                let life = TimeDelta::seconds(seconds.clamp(0, LONGEST));
                return Tokens {
                    held: Some((token, now + life)),
                    secret: (self.secret + self.refused) % secrets.max(1),
                    ..Tokens::default()
                };
            }
            Login::Denied(why) => why,
        };
        if why == Denial::Secret && self.refused + 1 < secrets {
            // The other one may be taken: this is a rotation.
            let refused = self.refused + 1;
            return Tokens { refused, ..self };
        }
        let failures = self.failures + 1;
        let wait = match why {
            Denial::Down(_) => backoff(failures, None, draw),
            _ => HOLD,
        };
        Tokens {
            refused: 0,
            failures,
            denied: Some((why, now + wait)),
            ..self
        }
    }

    /// The API did not take this token: it is not used again. A newer one stays.
    #[must_use]
    pub fn spent(self, token: &Secret) -> Tokens {
        let newer = |(held, _): &(Secret, DateTime<Utc>)| held != token;
        Tokens {
            held: self.held.filter(newer),
            ..self
        }
    }

    /// Another credential: what was denied may be granted now.
    #[must_use]
    pub fn renewed(self) -> Tokens {
        Tokens {
            secret: 0,
            refused: 0,
            denied: None,
            ..self
        }
    }

    /// When the token that is held ends: not a secret, and worth keeping.
    #[must_use]
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.held.as_ref().map(|(_, end)| *end)
    }
}

/// The form that is posted to the login for a grant; none for one that the API itself gives.
#[must_use]
pub fn form(grant: &Grant, credential: &Credential, secret: usize) -> Option<Zeroizing<String>> {
    let mut pairs = match grant {
        Grant::Account => vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", credential.refresh_token.expose()),
        ],
        Grant::Application(scope) => vec![
            ("grant_type", "client_credentials"),
            ("scope", scope.as_str()),
        ],
        Grant::Restricted(..) => return None,
    };
    let secret = credential.secrets.get(secret)?;
    pairs.push(("client_id", &credential.application));
    pairs.push(("client_secret", secret.value.expose()));
    Some(encoded(&pairs))
}

/// The form that exchanges a code, which somebody got by authorising in a browser, for a refresh
/// token.
#[must_use]
pub fn code_form(code: &Secret, application: &str, secret: &Secret) -> Zeroizing<String> {
    encoded(&[
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("client_id", application),
        ("client_secret", secret.expose()),
    ])
}

fn encoded(pairs: &[(&str, &str)]) -> Zeroizing<String> {
    let part = |(name, value): &(&str, &str)| format!("{name}={}", super::call::escaped(value));
    let parts: Vec<String> = pairs.iter().map(part).collect();
    Zeroizing::new(parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    /// What a login may do to us.
    #[derive(Clone, Debug)]
    enum Step {
        Wait(i64),
        Asked { up: bool, life: i64 },
        Refused,
        Rotated(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4000i64).prop_map(Step::Wait),
            (any::<bool>(), prop_oneof![Just(3600), 0..900i64])
                .prop_map(|(up, life)| Step::Asked { up, life }),
            Just(Step::Refused),
            (0..2usize).prop_map(Step::Rotated),
        ]
    }

    proptest! {
        /// A token is never used after its end nor after it was refused; while one secret is good
        /// and the login is up, two questions bring a token; a login that refuses is not pestered.
        #[test]
        fn tokens_keep_their_laws(steps in proptest::collection::vec(step(), 1..80)) {
            let (mut tokens, mut now, mut good, mut n) = (Tokens::default(), 0, 0usize, 0u32);
            let mut last: Option<(Secret, i64)> = None;
            let mut refused_at: Option<i64> = None;
            for step in steps {
                match step {
                    Step::Wait(seconds) => now += seconds,
                    Step::Rotated(which) => { good = which; }
                    Step::Refused => if let Next::Use(token) = tokens.next(2, at(now)) {
                        tokens = tokens.spent(&token);
                        prop_assert!(tokens.next(2, at(now)) != Next::Use(token));
                        last = None;
                    },
                    Step::Asked { up, life } => for question in 0..3 {
                        match tokens.next(2, at(now)) {
                            Next::Use(token) => {
                                let (held, end) = last.clone().expect("one was given");
                                prop_assert!(held == token && now < end);
                                break;
                            }
                            Next::Wait(_, wait) => { prop_assert!(wait > TimeDelta::zero()); break }
                            Next::Ask(secret) => {
                                if let Some(before) = refused_at {
                                    prop_assert!(now - before >= HOLD.num_seconds());
                                }
                                refused_at = None;
                                n += 1;
                                let login = match (up, secret == good) {
                                    (false, _) => Login::read(503, b"down"),
                                    (_, false) => Login::read(401, b"{\"error\":\"invalid_client\"}"),
                                    _ => {
                                        prop_assert!(question < 2, "a third question");
                                        let token = Secret::new(&format!("t{n}"));
                                        last = Some((token.clone(), now + life));
                                        Login::Token(token, life)
                                    }
                                };
                                let done = matches!(login, Login::Token(..)) || !up;
                                tokens = tokens.answered(login, 2, at(now), 7);
                                if done { break }
                            }
                        }
                    },
                }
            }
        }
    }

    #[test]
    fn refusals_are_told_apart_and_stand_for_a_while() {
        let read = |status, body: &str| Login::read(status, body.as_bytes());
        let denied = |login| match login {
            Login::Denied(why) => why,
            Login::Token(..) => panic!("a token"),
        };
        let grant = read(
            400,
            r#"{"error":"invalid_grant","error_description":"canary"}"#,
        );
        let why = denied(grant.clone());
        assert_eq!(why, Denial::Authorisation);
        assert!(!why.to_string().contains("canary"));
        assert_eq!(
            denied(read(400, r#"{"error":"un<authorized>_client"}"#)),
            Denial::Other("unauthorized_client".into())
        );
        assert!(matches!(denied(read(200, "<html>")), Denial::Down(_)));
        let tokens = Tokens::default().answered(grant, 1, at(0), 0);
        let Next::Wait(why, wait) = tokens.next(1, at(10)) else {
            panic!("it asks again")
        };
        assert_eq!(
            (why, wait),
            (Denial::Authorisation, TimeDelta::seconds(290))
        );
        assert!(tokens.clone().renewed().next(1, at(10)) == Next::Ask(0));
        assert!(tokens.next(1, at(300)) == Next::Ask(0));
    }

    #[test]
    fn no_life_of_a_token_is_too_long() {
        let token = Login::Token(Secret::new("t"), i64::MAX);
        let tokens = Tokens::default().answered(token, 1, at(0), 0);
        assert_eq!(tokens.end(), Some(at(LONGEST)));
    }

    #[test]
    fn a_token_that_is_nearly_over_is_used_where_the_login_is_down() {
        let token = Login::Token(Secret::new("t"), 3600);
        let tokens = Tokens::default().answered(token, 1, at(0), 0);
        assert!(tokens.next(1, at(3301)) == Next::Ask(0));
        let tokens = tokens.answered(Login::read(500, b""), 1, at(3301), u64::MAX);
        assert!(tokens.next(1, at(3301)) == Next::Use(Secret::new("t")));
        assert_eq!(tokens.end(), Some(at(3600)));
    }
}
