//! What became of a POST: when it may be sent, when one asks first, and when a document is settled.
//!
//! ```text
//! new ─► posting ─ 202 ─► submitted ─ Success ──────────────────────► confirmed
//!           │                 │  └─ Processing for 15 min ─► presumed ─ a witness ─┘
//!           │                 └──── Failure ────────────────────────► failed
//!           └ crash, time-out, 5xx ─► uncertain ─ a witness ─► confirmed
//!                                         └ none for 45 min ─► new again, or a person
//! ```
//!
//! `Processing` may be the last that is ever said, so it settles nothing: an order's status, a
//! shipment's details or an invoice's header does. Pure: the state is kept before and after each
//! request, so that a crash between two is an uncertain one, and never a second POST in the dark.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::Again;
use super::version::{beside, of_v1};
use super::{Answer, Call, Endpoint, Refusal, Verdict};

/// After this, `Processing` means that the document was taken, as far as anybody will say.
pub const PRESUMED: TimeDelta = TimeDelta::minutes(15);
/// How long what was taken may be invisible: the published half hour, and half as much again.
pub const VISIBLE: TimeDelta = TimeDelta::minutes(45);
/// How long an outcome is asked for before it is left as it is presumed.
pub const PATIENCE: TimeDelta = TimeDelta::days(7);
/// How often one document is posted at most: a second time after a doubt, a third after another.
pub const POSTS: u32 = 3;
/// The waits between questions; the last one repeats.
const QUESTIONS: [i64; 7] = [2, 5, 8, 15, 30, 60, 360];

/// How far a document is on its way into the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It was not posted, or the API does certainly not have it.
    New,
    /// It is being posted. Who finds this after a crash does not know whether it was.
    Posting,
    /// It was posted, and whether it arrived is not known.
    Uncertain,
    /// It was taken under a transaction's number.
    Submitted,
    /// Nobody refused it for so long that it counts as accepted; nobody has seen it yet.
    Presumed,
    /// The API said so, or a witness saw it.
    Confirmed,
    /// The API said no.
    Failed,
}

impl Stage {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::New => "new",
            Stage::Posting => "posting",
            Stage::Uncertain => "uncertain",
            Stage::Submitted => "submitted",
            Stage::Presumed => "presumed",
            Stage::Confirmed => "confirmed",
            Stage::Failed => "failed",
        }
    }
}

/// A document on its way into the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The operation, by API and name.
    pub operation: String,
    /// How far it is.
    pub stage: Stage,
    /// The transaction's number.
    pub transaction: Option<String>,
    /// The id of the request that carried it.
    pub request: Option<String>,
    /// When it was last posted.
    pub posted: Option<DateTime<Utc>>,
    /// How often it was posted.
    pub posts: u32,
    /// How many questions were asked since.
    pub questions: u32,
    /// What is posted: the same at every try.
    pub body: Value,
    /// What goes into the path.
    pub path: Option<String>,
    /// One line for people, with nothing of the document in it.
    pub note: String,
}

/// What to do for it now.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Note that it is being posted, and post it.
    Post(Call),
    /// Ask what became of the transaction.
    Ask(Call),
    /// Ask whether it is there.
    Witness(Call),
    /// Nothing until then.
    Wait(DateTime<Utc>),
    /// It is settled: whether the API has it.
    Settled(bool),
    /// It stays as it is: `Processing` was the last that was said, and nobody saw it.
    Left,
    /// A person decides.
    Person,
}

/// What the API says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was taken, and worked.
    Success,
    /// It did not work.
    Failure,
    /// It may be the last that is said.
    Processing,
}

impl Submission {
    /// Of a document's request, before anything was sent.
    #[must_use]
    pub fn new(endpoint: &Endpoint, path: Option<String>, body: Value) -> Submission {
        Submission {
            operation: endpoint.key(),
            stage: Stage::New,
            transaction: None,
            request: None,
            posted: None,
            posts: 0,
            questions: 0,
            body,
            path,
            note: String::new(),
        }
    }

    fn endpoint(&self) -> &'static Endpoint {
        Endpoint::known(&self.operation)
    }

    /// What to do now, at a marketplace.
    #[must_use]
    pub fn next(&self, marketplace: &str, now: DateTime<Utc>) -> Next {
        let posted = self.posted.unwrap_or(now);
        let due = self.due().unwrap_or(now);
        match self.stage {
            Stage::New if self.posts >= POSTS => Next::Person,
            Stage::New => Next::Post(self.call()),
            Stage::Confirmed => Next::Settled(true),
            Stage::Failed => Next::Settled(false),
            Stage::Posting | Stage::Uncertain | Stage::Submitted | Stage::Presumed if now < due => {
                Next::Wait(due)
            }
            Stage::Posting | Stage::Uncertain => match witness(self, marketplace) {
                Some(call) => Next::Witness(call),
                None => Next::Person,
            },
            Stage::Submitted => Next::Ask(self.ask()),
            Stage::Presumed if now - posted >= PATIENCE => Next::Left,
            // In turns: a failure may still be told, and a witness may see it by now.
            Stage::Presumed => match witness(self, marketplace) {
                Some(call) if self.questions % 2 == 1 => Next::Witness(call),
                _ => Next::Ask(self.ask()),
            },
        }
    }

    /// When its next question is due; none while it is not posted.
    #[must_use]
    pub fn due(&self) -> Option<DateTime<Utc>> {
        Some(self.posted? + self.waits())
    }

    /// The list that may show it beside others, and its name there, while it waits to be seen; none
    /// where a witness is asked about it alone.
    #[must_use]
    pub fn listed(&self, marketplace: &str) -> Option<(Call, &str)> {
        // What was taken just now is asked for by its transaction first: an older one may stand there.
        let waits = matches!(
            self.stage,
            Stage::Posting | Stage::Uncertain | Stage::Presumed
        );
        let invoice = of_v1(&self.operation) == "vendorInvoices.submitInvoices";
        let name = of(&self.body, "invoices", "/id").filter(|_| invoice && waits)?;
        Some((witness(self, marketplace)?, name))
    }

    /// The time from the POST to the next question.
    fn waits(&self) -> TimeDelta {
        let asked = self.questions as usize;
        let some = QUESTIONS.iter().take(asked + 1).sum::<i64>();
        let last = QUESTIONS.len() - 1;
        let more = i64::try_from(asked.saturating_sub(last)).unwrap_or(i64::MAX >> 20);
        TimeDelta::minutes(some + more * QUESTIONS[last])
    }

    /// The request that carries it.
    #[must_use]
    pub fn call(&self) -> Call {
        let call = Call::to(self.endpoint()).body(self.body.clone());
        match &self.path {
            Some(value) => call.at("warehouseId", value),
            None => call,
        }
    }

    fn ask(&self) -> Call {
        let id = self.transaction.clone().unwrap_or_default();
        let key = match self.operation.starts_with("vendorDirectFulfillment") {
            true => "vendorDirectFulfillmentTransactionsV1.getTransactionStatus",
            false => "vendorTransactionStatus.getTransaction",
        };
        Call::to(beside(&self.operation, key)).at("transactionId", &id)
    }

    /// It is about to be posted: to be kept before it is.
    #[must_use]
    pub fn posting(mut self, now: DateTime<Utc>) -> Submission {
        (self.stage, self.posted, self.questions) = (Stage::Posting, Some(now), 0);
        self.posts += 1;
        self.note = "it is being posted".into();
        self
    }

    /// What became of the POST. `None` where the verdict leaves it as new: it was certainly not
    /// done, and is posted again when there is room.
    #[must_use]
    pub fn posted(mut self, verdict: &Verdict) -> Submission {
        match verdict {
            Verdict::Taken(answer) => {
                self.request.clone_from(&answer.request);
                self.transaction = answer.transaction().map(str::to_owned);
                self.stage = match self.transaction {
                    Some(_) => Stage::Submitted,
                    // Taken, and nothing to ask by: a witness has to see it.
                    None => Stage::Uncertain,
                };
                let id = self.transaction.as_deref().unwrap_or("none");
                self.note = format!("taken as transaction {id}");
            }
            Verdict::Uncertain(why) => {
                self.stage = Stage::Uncertain;
                self.note = format!("whether it arrived is not known: {why}");
            }
            // It is we who may not, and not the document: somebody grants the role.
            Verdict::Refused(refusal) if matches!(refusal.status, 401 | 403) => {
                self.not_done(&refusal.to_string());
            }
            Verdict::Refused(refusal) | Verdict::Missing(refusal) => {
                self.refused(refusal);
            }
            // Certainly not done.
            Verdict::Empty(_) => self.not_done("the API is busy (429)"),
            Verdict::Expired(_) => self.not_done("the access token had ended"),
            Verdict::Down(why, _) => self.not_done(why),
            Verdict::Denied(why, _) => self.not_done(&why.to_string()),
        }
        self
    }

    fn not_done(&mut self, why: &str) {
        self.stage = Stage::New;
        self.posts = self.posts.saturating_sub(1);
        self.note = format!("not posted yet: {why}");
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.request.clone_from(&refusal.request);
        let twice = self.posts > 1 && self.endpoint().again == Again::Refused;
        (self.stage, self.note) = match twice && refusal.duplicate() {
            // The doubtful first one arrived after all.
            true => (Stage::Confirmed, "it was there already".to_owned()),
            false => (Stage::Failed, refusal.to_string()),
        };
    }

    /// What the API says of the transaction.
    #[must_use]
    pub fn told(mut self, said: &Said, codes: &[String], now: DateTime<Utc>) -> Submission {
        self.questions += 1;
        let since = now - self.posted.unwrap_or(now);
        match said {
            Said::Success => {
                self.stage = Stage::Confirmed;
                self.note = "the API says Success".into();
            }
            Said::Failure => {
                self.stage = Stage::Failed;
                self.note = format!("the API says Failure: {}", codes.join(", "));
            }
            Said::Processing if since >= PRESUMED => {
                self.stage = Stage::Presumed;
                self.note = "accepted, presumably: nothing was said against it".into();
            }
            Said::Processing => self.note = "the API is processing it".into(),
        }
        self
    }

    /// What a witness says: it is there, it is not, or it is there and refused.
    #[must_use]
    pub fn witnessed(mut self, sight: Sight, now: DateTime<Utc>) -> Submission {
        self.questions += 1;
        let since = now - self.posted.unwrap_or(now);
        let doubtful = matches!(self.stage, Stage::Posting | Stage::Uncertain);
        match sight {
            Sight::There => {
                self.stage = Stage::Confirmed;
                self.note = "seen by a second witness".into();
            }
            Sight::Rejected => {
                self.stage = Stage::Failed;
                self.note = "rejected, says a second witness".into();
            }
            Sight::Nothing if doubtful && since >= VISIBLE => {
                self.note = "it did not arrive".into();
                (self.stage, self.transaction) = (Stage::New, None);
                if self.endpoint().again == Again::Person {
                    // Nothing says what a second one would do.
                    self.posts = POSTS;
                    self.note =
                        "it was posted, and is not to be seen; whether to post it again is \
                                 for a person to say"
                            .into();
                }
            }
            Sight::Blind if doubtful && since >= VISIBLE => {
                (self.stage, self.posts) = (Stage::New, POSTS);
                self.note =
                    "it was posted, and we may not look whether it is there; whether to post \
                             it again is for a person to say"
                        .into();
            }
            Sight::Nothing | Sight::Blind if doubtful => {
                self.stage = Stage::Uncertain;
                self.note = "not to be seen yet".into();
            }
            Sight::Nothing | Sight::Blind => {}
        }
        self
    }
}

/// Reads what the API says of a transaction; its codes, and its words, which may repeat what stands
/// in the document.
#[must_use]
pub fn said(answer: &Answer) -> (Said, Vec<String>, Value) {
    let payload = answer.payload();
    let transaction = payload.get("transactionStatus").unwrap_or(payload);
    let status = transaction.get("status").and_then(Value::as_str);
    let said = match status.map(str::to_ascii_lowercase).as_deref() {
        Some("success") => Said::Success,
        Some("failure") => Said::Failure,
        _ => Said::Processing,
    };
    let errors = transaction.get("errors");
    let errors = errors.map(|errors| errors.get("errors").unwrap_or(errors));
    let codes = errors.and_then(Value::as_array).into_iter().flatten();
    let codes = codes.filter_map(|error| error.get("code")?.as_str());
    let plain = |code: &str| {
        code.chars()
            .filter(char::is_ascii_alphanumeric)
            .take(60)
            .collect()
    };
    (said, codes.map(plain).collect(), transaction.clone())
}

/// What a witness saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The document.
    There,
    /// The document, and that it was rejected.
    Rejected,
    /// Nothing of it.
    Nothing,
    /// We may not look there.
    Blind,
}

impl Sight {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Sight::There => "there",
            Sight::Rejected => "rejected",
            Sight::Nothing => "nothing",
            Sight::Blind => "blind",
        }
    }

    /// What a word of a list says.
    #[must_use]
    pub fn of(word: &str) -> Sight {
        match word {
            "there" => Sight::There,
            "rejected" => Sight::Rejected,
            _ => Sight::Nothing,
        }
    }
}

/// The text at a path of the first document of a body.
fn of<'a>(body: &'a Value, list: &str, path: &str) -> Option<&'a str> {
    body.get(list)?.get(0)?.pointer(path)?.as_str()
}

/// The request whose answer shows whether a document is there; none where nothing shows it.
#[must_use]
pub fn witness(submission: &Submission, marketplace: &str) -> Option<Call> {
    let body = &submission.body;
    let shipment = |list: &str, path: &str| {
        let id = of(body, list, path)?;
        let call = Call::of("vendorShipments.GetShipmentDetails");
        Some(call.with("vendorShipmentIdentifier", id).with("limit", 1))
    };
    match of_v1(&submission.operation).as_str() {
        "vendorOrders.submitAcknowledgement" => {
            let number = of(body, "acknowledgements", "/purchaseOrderNumber")?;
            let call = Call::of("vendorOrders.getPurchaseOrdersStatus");
            Some(call.with("purchaseOrderNumber", number))
        }
        "vendorShipments.SubmitShipmentConfirmations" => {
            shipment("shipmentConfirmations", "/shipmentIdentifier")
        }
        "vendorShipments.SubmitShipments" => shipment("shipments", "/vendorShipmentIdentifier"),
        "vendorDirectFulfillmentOrdersV1.submitAcknowledgement" => {
            let number = of(body, "orderAcknowledgements", "/purchaseOrderNumber")?;
            let order = "vendorDirectFulfillmentOrdersV1.getOrder";
            let call = Call::to(beside(&submission.operation, order));
            Some(call.at("purchaseOrderNumber", number))
        }
        "vendorInvoices.submitInvoices" => {
            let date = of(body, "invoices", "/date")?;
            let day = DateTime::parse_from_rfc3339(date).ok()?.to_utc();
            let call = Call::of("financesInvoices_2026-06-25.getInvoiceHeaders");
            let call = call.with("marketplaceId", marketplace);
            let call = call.when("fromIssueDate", day - TimeDelta::days(2));
            Some(call.when("toIssueDate", day + TimeDelta::days(2)))
        }
        _ => None,
    }
}

/// What the answer to [`witness`] shows.
#[must_use]
pub fn sight(submission: &Submission, answer: &Answer) -> Sight {
    let (body, payload) = (&submission.body, answer.payload());
    let list = |name: &str| payload.get(name).and_then(Value::as_array);
    let text = |value: &Value, path: &str| value.pointer(path)?.as_str().map(str::to_owned);
    match of_v1(&submission.operation).as_str() {
        "vendorOrders.submitAcknowledgement" => {
            let number = of(body, "acknowledgements", "/purchaseOrderNumber");
            let when = of(body, "acknowledgements", "/acknowledgementDate");
            let orders = list("ordersStatus").into_iter().flatten();
            let mut orders =
                orders.filter(|order| text(order, "/purchaseOrderNumber").as_deref() == number);
            sighted(orders.any(|order| acknowledged(order, when)))
        }
        "vendorShipments.SubmitShipmentConfirmations" | "vendorShipments.SubmitShipments" => {
            sighted(list("shipments").is_some_and(|found| !found.is_empty()))
        }
        "vendorDirectFulfillmentOrdersV1.submitAcknowledgement" => {
            let status = text(payload, "/orderDetails/orderStatus");
            sighted(status.is_some_and(|status| status != "NEW"))
        }
        "vendorInvoices.submitInvoices" => {
            let number = of(body, "invoices", "/id");
            let found = sights(answer).into_iter();
            let mut found = found.filter(|(name, _)| Some(name.as_str()) == number);
            found.next().map_or(Sight::Nothing, |(_, sight)| sight)
        }
        _ => Sight::Nothing,
    }
}

/// Whom a page of a [list](Submission::listed) names, and as what.
#[must_use]
pub fn sights(answer: &Answer) -> Vec<(String, Sight)> {
    let list = answer.payload().get("invoices").and_then(Value::as_array);
    let named = list.into_iter().flatten().filter_map(|header| {
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let sight = match text("invoiceStatus") {
            Some("REJECTED") => Sight::Rejected,
            _ => Sight::There,
        };
        Some((text("invoiceNumber")?.to_owned(), sight))
    });
    named.collect()
}

fn sighted(there: bool) -> Sight {
    if there { Sight::There } else { Sight::Nothing }
}

/// Whether an order's status shows this very answer: by its date, for an order may have been answered
/// before; or, where no date is shown at all, by a line that is answered.
fn acknowledged(order: &Value, when: Option<&str>) -> bool {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    let when = when.and_then(instant);
    let lines = order.get("itemStatus").and_then(Value::as_array);
    let answers = lines
        .into_iter()
        .flatten()
        .filter_map(|line| line.get("acknowledgementStatus"));
    let (mut dated, mut answered) = (false, false);
    for answer in answers {
        let details = answer.get("acknowledgementStatusDetails");
        let details = details.and_then(Value::as_array).into_iter().flatten();
        for date in details.filter_map(|one| one.get("acknowledgementDate")?.as_str()) {
            dated = true;
            if when.is_some() && instant(date) == when {
                return true;
            }
        }
        let status = answer.get("confirmationStatus").and_then(Value::as_str);
        answered |= status.is_some_and(|status| !status.eq_ignore_ascii_case("UNCONFIRMED"));
    }
    answered && !dated
}
