//! A partner's document on its way into an API: the Deliver and Ask steps where the bridge is one.
//!
//! Each step loads what is kept, takes one decision of the bridge, and keeps what came of it. What
//! is about to be posted is kept as `posting` first: who finds that after a crash asks before he
//! posts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::acknowledgment::Acknowledgment;
use super::api::Api;
use super::route::Partnership;
use super::worker::Setback;
use super::{Gateway, compose};
use crate::bridge::spapi::outcome::{Next, Said, Sight, Stage, Submission, said, sight, sights};
use crate::bridge::spapi::reading::{HOLD, Reading, Turn};
use crate::bridge::spapi::{
    Call, Endpoint, LossKind, RETRY_CAP, RETRY_FIRST, Refusal, Verdict, advice, backoff,
    functional, operation,
};
use crate::canonical::Document;
use crate::store::{self, DocumentDetail, DocumentState, NewDocument, Then, Work, WorkKind};
use crate::x12::{Delimiters, Form, GroupHeader};

/// Questions that wait no longer than the API's rate asks for; later ones wait longer each time.
const AT_ONCE: u32 = 3;

/// The wait after we were refused, and not a document: somebody has to grant a role.
const REFUSED: TimeDelta = TimeDelta::minutes(30);

/// A submission with all that its step needs.
struct Way<'a> {
    work: &'a Work,
    known: &'a Partnership,
    api: &'a Api,
    detail: &'a DocumentDetail,
}

impl Gateway {
    /// Asks what became of a document that an API took.
    pub(super) async fn inquire(self: &Arc<Self>, work: &Work) -> Result<(), Setback> {
        let known = self.known(work)?;
        let detail = self.store.document(work.subject).await?;
        let detail = detail.ok_or_else(|| Setback::Lost("the document is gone".into()))?;
        self.submit_step(work, &known, &detail).await
    }

    /// Takes a document one step further on its way into the partnership's API.
    pub(super) async fn submit_step(
        self: &Arc<Self>,
        work: &Work,
        known: &Arc<Partnership>,
        detail: &DocumentDetail,
    ) -> Result<(), Setback> {
        let Some(api) = &known.api else {
            return Err(Setback::later("the partner file no longer has an [spapi]"));
        };
        let way = Way {
            work,
            known,
            api,
            detail,
        };
        let kept = self.store.submission(work.subject).await?;
        let seen = kept.as_ref().is_some_and(|kept| kept.seen.is_some());
        let submission: Submission = match kept {
            // What was begun at one account is ended there, and nowhere else.
            Some(kept) if kept.account != api.client.account().key() => {
                return Err(Setback::held(format!(
                    "it was begun at {}, and the partner file says {} now",
                    kept.account,
                    api.client.account().key()
                )));
            }
            Some(kept) => serde_json::from_str(&kept.detail).map_err(|why| {
                Setback::Lost(format!("what is kept of it cannot be read: {why}"))
            })?,
            None => match self.drawn_up(&way).await? {
                Ok(submission) => submission,
                Err((submission, why)) => {
                    let then = Then::End(DocumentState::Held, why, Vec::new());
                    return self.keep_submission(&way, &submission, then).await;
                }
            },
        };
        let now = self.clock.now();
        let market = &api.client.account().site.marketplace;
        let listed = submission.listed(market).map(|(call, _)| call);
        match (submission.next(market, now), listed) {
            // A list named it, whatever else was to be asked.
            (_, Some(call)) if seen => self.look_it_up(&way, submission, call).await,
            (Next::Witness(_), Some(call)) => self.look_it_up(&way, submission, call).await,
            (Next::Witness(call), None) => self.ask_witness(&way, submission, &call).await,
            (Next::Post(call), _) => self.post_document(&way, submission, &call).await,
            (Next::Ask(call), _) => self.ask_outcome(&way, submission, &call).await,
            _ => self.recorded(&way, submission, None).await,
        }
    }

    /// The submission of a document that none was made of yet, or why a person has to look at it.
    async fn drawn_up(
        &self,
        way: &Way<'_>,
    ) -> Result<Result<Submission, (Submission, String)>, Setback> {
        let document = Document::from_json(way.detail.content.as_bytes());
        let document = document.map_err(|why| Setback::Lost(why.to_string()))?;
        let account = way.api.client.account();
        let mut context = account.context(self.clock.now());
        if let Document::PurchaseOrderAcknowledgment(answer) = &document
            && let Some(number) = &answer.order_number
        {
            let seen = self.store.observed(account.key(), number.clone()).await?;
            let order = seen.and_then(|seen| Document::from_json(seen.content.as_bytes()).ok());
            if let Some(Document::PurchaseOrder(order)) = order {
                context.order = Some(order);
            }
        }
        let kind = document.kind();
        let request = operation::write(&document, &context);
        let request = request.ok_or_else(|| Setback::held(format!("the API takes no {kind}")))?;
        let endpoint = Endpoint::of(request.operation.name());
        let endpoint = endpoint
            .ok_or_else(|| Setback::held(format!("the API gives {kind}s, and takes none")))?;
        let refused = request.losses.iter();
        let refused = refused.filter(|loss| loss.kind == LossKind::Refused);
        let wrong: Vec<String> = refused
            .map(ToString::to_string)
            .chain(request.faults.iter().map(ToString::to_string))
            .collect();
        let (endpoint, body) = (
            account.version.twin(endpoint),
            account.version.body(request.body),
        );
        let submission = Submission::new(endpoint, request.path, body);
        Ok(match wrong.is_empty() {
            true => Ok(submission),
            false => Err((submission, format!("not sent: {}", wrong.join("; ")))),
        })
    }

    async fn post_document(
        self: &Arc<Self>,
        way: &Way<'_>,
        submission: Submission,
        call: &Call,
    ) -> Result<(), Setback> {
        let posting = submission.posting(self.clock.now());
        self.keep_submission(way, &posting, Then::Stay).await?;
        let verdict = self.ask(way.api, call).await;
        let after = posting.posted(&verdict);
        if let Verdict::Taken(answer) = &verdict {
            let kept = answer.redacted();
            tracing::debug!(document = %way.work.subject, %kept, "taken");
        }
        let told = match (&verdict, after.stage) {
            (Verdict::Refused(refusal) | Verdict::Missing(refusal), Stage::Failed) => {
                Some((refused(refusal), refusal.whole()))
            }
            (Verdict::Empty(Some(wait)) | Verdict::Denied(_, wait), _) => {
                let at = self.clock.now() + *wait;
                let note = after.note.clone();
                return self
                    .keep_submission(way, &after, Then::Again(at, note))
                    .await;
            }
            (Verdict::Refused(_), _) => {
                let (at, note) = (self.clock.now() + REFUSED, after.note.clone());
                let then = Then::Again(at, note);
                return self.keep_submission(way, &after, then).await;
            }
            _ => None,
        };
        self.recorded(way, after, told).await
    }

    async fn ask_outcome(
        self: &Arc<Self>,
        way: &Way<'_>,
        submission: Submission,
        call: &Call,
    ) -> Result<(), Setback> {
        let now = self.clock.now();
        match self.ask(way.api, call).await {
            Verdict::Taken(answer) => {
                let (said, codes, transaction) = said(&answer);
                let after = submission.told(&said, &codes, now);
                let words = format!("{}; {}", after.note, words_of(&transaction));
                let told = (said == Said::Failure).then_some((transaction, words));
                self.recorded(way, after, told).await
            }
            // For some accounts a transaction is never found, and the document is.
            Verdict::Missing(_) => {
                let after = submission.told(&Said::Processing, &[], now);
                self.recorded(way, after, None).await
            }
            other => self.not_told(way, &submission, &other).await,
        }
    }

    /// Asks a witness about one document.
    async fn ask_witness(
        self: &Arc<Self>,
        way: &Way<'_>,
        submission: Submission,
        call: &Call,
    ) -> Result<(), Setback> {
        let seen = match self.ask(way.api, call).await {
            Verdict::Taken(answer) => sight(&submission, &answer),
            Verdict::Missing(_) => Sight::Nothing,
            Verdict::Refused(_) => Sight::Blind,
            other => return self.not_told(way, &submission, &other).await,
        };
        let after = submission.witnessed(seen, self.clock.now());
        self.recorded(way, after, None).await
    }

    /// Looks a document up in a list, and reads that on for all who wait to be seen in it.
    async fn look_it_up(
        self: &Arc<Self>,
        way: &Way<'_>,
        submission: Submission,
        call: Call,
    ) -> Result<(), Setback> {
        let (who, due) = (way.work.subject, submission.due());
        let list = list_of(way.api, &call);
        let seen = loop {
            let now = self.clock.now();
            // Who was seen asks nothing more for himself.
            let asks = self.seen(who).await?.is_none();
            let due = due.filter(|_| asks);
            let turn = self.read_on(&list, move |list| list.turn(who, due, now));
            let page = match turn.await? {
                // Looked up now: the page that named it may have come since.
                Turn::Over => break self.seen(who).await?.unwrap_or(Sight::Nothing),
                Turn::Wait => {
                    let then = Then::Again(now + HOLD, "another reads the list".into());
                    return self.keep_submission(way, &submission, then).await;
                }
                Turn::Read(page) => page,
            };
            let call = page
                .iter()
                .fold(call.clone(), |call, page| call.with("nextToken", page));
            let (named, next) = match self.ask(way.api, &call).await {
                Verdict::Taken(answer) => (sights(&answer), answer.next_page().map(str::to_owned)),
                Verdict::Missing(_) => (Vec::new(), None),
                Verdict::Refused(_) => {
                    // A list does not stay open for ever; one that cannot be begun is not for us.
                    match self.read_on(&list, Reading::torn).await? && page.is_some() {
                        true => continue,
                        false => break Sight::Blind,
                    }
                }
                other => return self.not_told(way, &submission, &other).await,
            };
            let word = |(name, sight): (String, Sight)| (name, sight.as_str().to_owned());
            let named = named.into_iter().map(word).collect();
            // They are marked before the page is turned: a crash in between reads it again.
            let unseen = self.store.sighted(list.clone(), named, now).await?;
            let next = next.filter(|_| unseen);
            self.read_on(&list, move |list| list.turned(who, next.clone()))
                .await?;
            self.poke();
        };
        let after = submission.witnessed(seen, self.clock.now());
        self.recorded(way, after, None).await
    }

    /// As what a document was seen in its list.
    async fn seen(&self, document: Uuid) -> Result<Option<Sight>, Setback> {
        let kept = self.store.submission(document).await?;
        Ok(kept.and_then(|kept| kept.seen).map(|word| Sight::of(&word)))
    }

    /// Takes a step in the reading of a list, which is pure, and gives what it comes to.
    async fn read_on<T>(
        &self,
        list: &str,
        step: impl Fn(&mut Reading) -> T + Clone + Send + 'static,
    ) -> Result<T, Setback> {
        let again = step.clone();
        let text = move |kept: Option<&str>| {
            let mut list = Reading::kept(kept);
            step(&mut list);
            serde_json::to_string(&list).expect("a reading has a JSON form")
        };
        let now = self.clock.now();
        let before = self
            .store
            .step(list.to_owned(), Box::new(text), now)
            .await?;
        Ok(again(&mut Reading::kept(before.as_deref())))
    }

    /// A question that was not answered is asked again.
    async fn not_told(
        &self,
        way: &Way<'_>,
        submission: &Submission,
        verdict: &Verdict,
    ) -> Result<(), Setback> {
        let draw = self.moment().draw;
        let attempt = way.work.lease.attempt;
        let wait = match verdict {
            // Who is refused again and again asks more rarely, or a storm would be asked each second.
            Verdict::Empty(after) if attempt > AT_ONCE => backoff(attempt, *after, draw),
            Verdict::Empty(wait) => wait.unwrap_or(RETRY_FIRST),
            Verdict::Denied(_, wait) => *wait,
            Verdict::Refused(_) | Verdict::Expired(_) => REFUSED,
            Verdict::Down(_, after) => backoff(attempt, *after, draw),
            _ => RETRY_CAP,
        };
        let then = Then::Again(self.clock.now() + wait, "not told yet".into());
        self.keep_submission(way, submission, then).await
    }

    /// Keeps a submission, and does what follows from its stage. `told` is what the API said against
    /// it: a transaction for an advice, and words for its page.
    async fn recorded(
        &self,
        way: &Way<'_>,
        submission: Submission,
        told: Option<(Value, String)>,
    ) -> Result<(), Setback> {
        let now = self.clock.now();
        let market = &way.api.client.account().site.marketplace;
        let note = submission.note.clone();
        let asks = matches!(submission.stage, Stage::Submitted | Stage::Presumed);
        // It is drafted once: its key is that of the document.
        let mut drafts: Vec<NewDocument> = self.functional(way, &submission).into_iter().collect();
        let then = match submission.next(market, now) {
            Next::Settled(true) => Then::End(DocumentState::Settled, note, drafts),
            Next::Settled(false) => {
                let (transaction, words) = told.unzip();
                let advice = transaction.and_then(|told| self.advice(way, told, now));
                let words = words.unwrap_or(note);
                drafts.extend(advice);
                Then::End(DocumentState::Rejected, words, drafts)
            }
            Next::Left => Then::End(DocumentState::Delivered, note, drafts),
            Next::Person => Then::End(DocumentState::Held, note, drafts),
            Next::Wait(at) if asks => Then::Ask(at, note, drafts),
            Next::Ask(_) | Next::Witness(_) if asks => Then::Ask(now, note, drafts),
            Next::Wait(at) => Then::Again(at, note),
            // Certainly not done yet: after a moment.
            Next::Post(_) => {
                let wait = backoff(way.work.lease.attempt, None, self.moment().draw);
                Then::Again(now + wait, note)
            }
            Next::Ask(_) | Next::Witness(_) => Then::Again(now, note),
        };
        self.keep_submission(way, &submission, then).await?;
        self.poke();
        Ok(())
    }

    async fn keep_submission(
        &self,
        way: &Way<'_>,
        submission: &Submission,
        then: Then,
    ) -> Result<(), Setback> {
        let stage = submission.stage.as_str();
        let document = way.work.subject;
        let account = way.api.client.account().key();
        tracing::info!(%document, account, operation = submission.operation, stage, "submission");
        let listed = submission.listed(&way.api.client.account().site.marketplace);
        let row = store::Submission {
            document,
            account,
            operation: submission.operation.clone(),
            stage: stage.to_owned(),
            transaction: submission.transaction.clone(),
            detail: serde_json::to_string(submission).expect("a submission has a JSON form"),
            listed: listed.map(|(call, name)| (list_of(way.api, &call), name.to_owned())),
            seen: None,
        };
        let now = self.clock.now();
        Ok(self.store.submit(way.work.lease, row, then, now).await?)
    }

    /// What stands for the API's 997, where one is agreed: that it took a set, or refused its form.
    /// Nobody knows of one that is doubtful, and what is said later is business.
    fn functional(&self, way: &Way<'_>, submission: &Submission) -> Option<NewDocument> {
        let (row, partner) = (&way.detail.document, &way.known.partner);
        let x12 = partner
            .x12
            .as_ref()
            .filter(|_| way.api.agreed.acknowledge)?;
        let answer = match submission.stage {
            Stage::Submitted | Stage::Presumed | Stage::Confirmed => Ok(()),
            // Refused at once: what a question finds out later is business.
            Stage::Failed if submission.questions == 0 => Err(Vec::new()),
            _ => return None,
        };
        let said = functional::acknowledgment(&sent(row), answer, Form::F997);
        let about = GroupHeader {
            functional_id: said.functional_id.clone(),
            sender: x12.theirs.id.clone(),
            receiver: x12.ours.id.clone(),
            version: partner.documents.get(&row.set)?.version.clone(),
            ..GroupHeader::default()
        };
        let delimiters = Delimiters::default();
        let content = Acknowledgment::answer(&said, &about, &delimiters, None);
        let key = format!("997 on {}", row.id);
        Some(content.draft(&said.control_number, Some(key)))
    }

    /// What the sender of a document is told of its failure: an 824, where one is agreed.
    fn advice(&self, way: &Way<'_>, told: Value, now: DateTime<Utc>) -> Option<NewDocument> {
        let row = &way.detail.document;
        let context = way.api.client.account().context(now);
        let sent = sent(row);
        let (mut advice, _) = advice::from_api(told, &sent, &context)?;
        advice::fit(&mut advice);
        let document = Document::ApplicationAdvice(advice);
        let (partner, library) = (&way.known.partner, &way.known.library);
        let set = match compose::body(&document, partner, library) {
            Ok((set, ..)) => set,
            Err(_) => {
                tracing::warn!(
                    document = %row.id,
                    "no advice goes out: the partner file agrees on none that could say it"
                );
                return None;
            }
        };
        Some(NewDocument {
            id: Uuid::now_v7(),
            kind: document.kind().as_str().into(),
            set,
            number: document.number().unwrap_or_default().into(),
            key: Some(format!("advice on {}", row.id)),
            group_control: None,
            set_control: None,
            content: serde_json::to_string(&document).expect("every document has a JSON form"),
            findings: "[]".into(),
            state: DocumentState::Drafted,
        })
    }
}

/// Whether the work on a document of this partnership goes into its API.
pub(super) fn goes_there(known: &Partnership, detail: &DocumentDetail, work: &Work) -> bool {
    let set = &detail.document.set;
    work.kind == WorkKind::Deliver && super::api::bridged(&known.partner, set)
}

/// What a list of an account is called.
fn list_of(api: &Api, call: &Call) -> String {
    format!("list {} {}", api.client.account().key(), call.target())
}

/// What a document was when it came, so that its sender finds it again.
fn sent(row: &store::Document) -> advice::Sent {
    advice::Sent {
        set: row.set.clone(),
        number: row.number.clone(),
        group: row.group_control.clone(),
        control_number: row.set_control.clone(),
        ..advice::Sent::default()
    }
}

/// A refusal as a transaction that failed.
fn refused(refusal: &Refusal) -> Value {
    let code = match refusal.codes.first() {
        Some(code) => code.clone(),
        None => refusal.status.to_string(),
    };
    json!({
        "transactionId": refusal.request,
        "status": "Failure",
        "errors": [{ "code": code, "message": refusal.words }],
    })
}

/// The API's own words about a failure, for the page of the document.
fn words_of(transaction: &Value) -> String {
    let errors = transaction.get("errors").and_then(Value::as_array);
    let words = errors.into_iter().flatten().filter_map(|error| {
        let message = error.get("message")?.as_str()?;
        Some(message.to_owned())
    });
    words.collect::<Vec<_>>().join(". ")
}
