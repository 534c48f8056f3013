//! Whether a partner can be reached and understands us, stage by stage.
//!
//! | stage | is about | asks |
//! |---|---|---|
//! | settings | the partner file, both sides' certificates | nobody |
//! | DNS, TCP, TLS | the way to the server, or to the proxy before it | the server |
//! | HTTP | a small message is posted: what status comes back, and what time it is there | the partner |
//! | AS2 | what the receipt says of the message | |
//! | MDN | whether the receipt is theirs, and for this message | |
//! | MIC | whether they have the bytes that we sent | |
//!
//! The message is a line of `text/plain`, sealed as agreed: no order, whatever becomes of it. Where
//! it was encrypted and did not open there, a second one in clear tells whose certificate is the
//! wrong one: partners rightly do not say. The advice is in `advice`.

mod advice;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::certificates::Ring;
use super::link;
use super::route::{certificate, profile};
use crate::as2::{self, Certificate, Headers, Identity, Mdn, Mic, Profile, Receipt};
use crate::net::client::{self, Client, Response, Way};
use crate::net::probe;
use crate::partner::keyring::Dated;
use crate::partner::keys::Keys;
use crate::partner::{As2, Partner, ReceiptMode};
use crate::x12::{Text, text};

/// What is sent. It ends in a line feed alone, so that a peer that changes line ends shows it.
const LINE: &[u8] = b"A connection test. Nothing is ordered, and nothing has to be done.\n";
/// What it is called there.
const FILE_NAME: &str = "connection-test.txt";
/// Whether a message is such a test: there is nothing in it to read.
pub(super) fn is_one(content_type: &str, file_name: Option<&str>) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/plain") && file_name == Some(FILE_NAME)
}

/// How long one layer below HTTP is waited for.
const LAYER: Duration = Duration::from_secs(10);
/// Clocks that are further apart than this are told: signatures and certificates have times.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Passed,
    /// It works, and something is not as it should be.
    Warned,
    /// It does not work; no later stage was tried.
    Failed,
    /// There is nothing to try, as TLS where the URL is http.
    Skipped,
}

impl Verdict {
    /// As it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "ok",
            Verdict::Warned => "warning",
            Verdict::Failed => "failed",
            Verdict::Skipped => "-",
        }
    }
}

/// One stage.
#[derive(Debug, Clone)]
pub struct Stage {
    /// `settings`, `DNS`, `TCP`, `TLS`, `HTTP`, `AS2`, `MDN` or `MIC`.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// What was found.
    pub said: Text,
    /// What would likely help, with the name of the setting.
    pub help: Option<Text>,
}

/// What a stage found; and what would help, where it is not as it should be.
struct Found {
    verdict: Verdict,
    said: Text,
    help: Option<Text>,
}

fn passed(said: impl Into<Text>) -> Found {
    let said = said.into();
    Found {
        verdict: Verdict::Passed,
        said,
        help: None,
    }
}

fn skipped(said: Text) -> Found {
    Found {
        verdict: Verdict::Skipped,
        ..passed(said)
    }
}

fn failed(said: impl Into<Text>, help: Text) -> Found {
    Found {
        verdict: Verdict::Failed,
        said: said.into(),
        help: Some(help),
    }
}

/// Who tries, and by which means.
pub struct Trial<'a> {
    /// The partner; its paths are resolved.
    pub partner: &'a Partner,
    /// The key of our settings, where they name one.
    pub identities: Vec<Identity>,
    /// What the folder of keys holds.
    pub keys: &'a Keys,
    /// The way to partners who have no wishes.
    pub way: Way,
    /// Limits of the request.
    pub limits: client::Limits,
    /// What time it is.
    pub now: fn() -> DateTime<Utc>,
    /// Where fresh bytes come from.
    pub entropy: fn(&mut [u8]),
}

/// Told of each stage as it ends.
type Tell<'t> = &'t mut (dyn FnMut(Stage) + Send);

impl Trial<'_> {
    /// Goes from stage to stage up to the first that fails; `tell` hears of each.
    pub async fn run(&self, tell: Tell<'_>) {
        let start = Instant::now();
        let mut told = |name, took, found: Found| {
            let going = found.verdict != Verdict::Failed;
            tell(Stage {
                name,
                verdict: found.verdict,
                took,
                said: found.said,
                help: found.help,
            });
            going
        };
        let Some(as2) = &self.partner.as2 else {
            let found = failed(
                text!("there is no [as2] section"),
                text!("add one; `partner add` writes it"),
            );
            told("settings", start.elapsed(), found);
            return;
        };
        let (found, ring) = self.settings(as2);
        if !told("settings", start.elapsed(), found) {
            return;
        }
        let way = match link::way(as2, &self.way) {
            Ok(way) => way.unwrap_or_else(|| self.way.clone()),
            Err(why) => {
                let help = text!("[as2.connect] names a file or variable that cannot be used");
                told("settings", start.elapsed(), failed(why, help));
                return;
            }
        };
        match probe::probe(&as2.url, &way, LAYER).await {
            Err(why) => {
                let help = text!("`url` and [as2.connect]: correct what is named here");
                told("settings", start.elapsed(), failed(why, help));
                return;
            }
            Ok(seen) => {
                for (name, took, found) in advice::layers(&seen, as2, (self.now)()) {
                    if !told(name, took, found) {
                        return;
                    }
                }
            }
        }
        self.exchange(as2, &ring, Client::by(way, self.limits.clone()), &mut told)
            .await;
    }

    /// The stages above the connection.
    async fn exchange(
        &self,
        as2: &As2,
        ring: &Ring,
        client: Client,
        told: &mut (dyn FnMut(&'static str, Duration, Found) -> bool + Send),
    ) {
        let agreed = profile(as2, LINE.len() as u64 * 2, (self.now)());
        let start = Instant::now();
        let asked = self.ask(as2, ring, &agreed, &client).await;
        let took = start.elapsed();
        let (mic, id, answer) = match asked {
            Ok(asked) => asked,
            Err(found) => {
                told("HTTP", took, found);
                return;
            }
        };
        if !told("HTTP", took, advice::status(&answer, as2, (self.now)())) {
            return;
        }
        if agreed.receipt == Receipt::No {
            told(
                "AS2",
                Duration::ZERO,
                skipped(text!("no receipt is agreed")),
            );
            return;
        }
        let start = Instant::now();
        let headers: Headers = answer.headers.iter().cloned().collect();
        let (at, sealing) = ((self.now)(), ring.sealing((self.now)()));
        let opening = ring.opening(at);
        let read = Mdn::read(&headers, &answer.body, &opening, &agreed, at);
        let clear = match &read {
            // Whose certificate is it? In clear there is no secret about that.
            Ok(mdn) if advice::undecrypted(mdn) && agreed.encrypt.is_some() => {
                let clear = Profile {
                    encrypt: None,
                    ..agreed.clone()
                };
                self.again(as2, ring, &clear, &client).await
            }
            _ => None,
        };
        let found = advice::disposition(&read, clear.as_ref(), &answer, as2, &sealing);
        if !told("AS2", start.elapsed(), found) {
            return;
        }
        let start = Instant::now();
        if !told(
            "MDN",
            start.elapsed(),
            advice::receipt(&read, &id, as2, &opening),
        ) {
            return;
        }
        if let Ok(mdn) = read {
            told("MIC", start.elapsed(), advice::mic(&mdn, &mic));
        }
    }

    /// Posts the line. Gives what has to be in the receipt, our Message-ID and the answer.
    async fn ask(
        &self,
        as2: &As2,
        ring: &Ring,
        agreed: &Profile,
        client: &Client,
    ) -> Result<(Mic, String, Response), Found> {
        let (mut entropy, at) = (self.entropy, (self.now)());
        let id = as2::message_id(&as2.our_id, &mut entropy, at);
        let document = as2::Document {
            content_type: "text/plain",
            file_name: Some(FILE_NAME),
            message_id: &id,
        };
        let (source, mut body) = (std::io::Cursor::new(LINE), Vec::new());
        let keys = ring.sealing(at);
        let sealed = as2::seal(source, &mut body, document, &keys, agreed, &mut entropy, at);
        let sealed = sealed.map_err(|why| {
            failed(
                text!("the message cannot be sealed: {why}", why = why.to_string()),
                text!(
                    "`certificates` (theirs) and `identity` (ours): one of them cannot be used now"
                ),
            )
        })?;
        let mut headers = sealed.headers;
        as2.version.dress(&mut headers);
        super::link::claim(as2, &mut headers);
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pairs: Vec<(String, String)> = pairs.collect();
        let body = client::Outgoing::from(bytes::Bytes::from(body)).chunked(as2.chunked);
        let answer = client.post(&as2.url, &pairs, body).await;
        let answer = answer.map_err(|why| advice::unanswered(&why, as2))?;
        Ok((sealed.mic, id, answer))
    }

    /// The same in clear, for what the receipt says.
    async fn again(&self, as2: &As2, ring: &Ring, clear: &Profile, client: &Client) -> Option<Mdn> {
        clear.sign?;
        let (_, _, answer) = self.ask(as2, ring, clear, client).await.ok()?;
        let headers: Headers = answer.headers.iter().cloned().collect();
        let at = (self.now)();
        Mdn::read(&headers, &answer.body, &ring.opening(at), clear, at).ok()
    }

    /// Reads what the partner file names; both sides' certificates have to be of today.
    fn settings(&self, as2: &As2) -> (Found, Ring) {
        let now = (self.now)();
        let (mut theirs, mut unusable) = (Vec::new(), Vec::new());
        for entry in &as2.certificates {
            let shown = entry.file.display();
            let bytes = std::fs::read(&entry.file).map_err(|why| why.to_string());
            match bytes.and_then(|bytes| certificate(&bytes).map_err(|why| why.to_string())) {
                Ok(known) => {
                    let why = advice::dated(&known, now);
                    let shown = shown.to_string();
                    unusable.extend(why.map(|why| text!("{shown} {why}", shown, why)));
                    theirs.push(entry.dated(known));
                }
                Err(why) => unusable.push(format!("{shown}: {why}").into()),
            }
        }
        theirs.extend(self.keys.accepted(&self.partner.name).cloned());
        let first = self.identities.iter().cloned().map(Dated::from);
        let ours = first.chain(self.keys.ours.iter().map(|own| own.dated.clone()));
        let ring = Ring {
            ours: Arc::new(ours.collect()),
            theirs,
        };
        (advice::settings(self.partner, &ring, &unusable, now), ring)
    }
}

/// Who a certificate is, as two people can tell each other.
fn called(certificate: &Certificate) -> String {
    let fingerprint = certificate.fingerprint();
    format!(
        "{} (SHA-256 {}…)",
        certificate.subject(),
        &fingerprint[..16]
    )
}

/// Whether the receipts that are agreed come by themselves.
fn later(as2: &As2) -> bool {
    as2.receipt_mode == ReceiptMode::Async
}
