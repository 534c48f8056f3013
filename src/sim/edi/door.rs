//! The EDI door: an AS2 listener and an AS2 sender, with the desk between them and the buyer's state.
//!
//! It opens and seals by `as2` itself, and shares nothing with the gateway that it talks to but the
//! rooms below. Times come from the buyer's clock, so that one seed gives one course of events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::desk::{Came, Desk};
use crate::as2::{
    self, Certificate, Digest, Disposition, Headers, Identity, Keys, Mdn, MdnFields, Profile,
};
use crate::canonical::Document;
use crate::clock::Clock;
use crate::mapping::Library;
use crate::net;
use crate::net::client::{Client, Limits, Trust};
use crate::net::loopback::{Here, Loopback};
use crate::net::whole::{Asked, Told};
use crate::sim::{Door, Verdict, What, World};
use crate::x12::{Answer, Qualified};

/// The path that the vendor posts to.
pub const PATH: &str = "/as2";
/// Receipts that are kept for messages that come again.
const ANSWERED: usize = 4096;
/// From a try that failed to the next one.
const RETRY: TimeDelta = TimeDelta::minutes(15);
/// Tries of a message, until it is given up.
const TRIES: u32 = 400;
/// How long the buyer's certificate holds.
const VALID: TimeDelta = TimeDelta::days(3 * 365);

/// Who is who at the EDI door.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The buyer's AS2 name.
    pub our_id: String,
    /// The vendor's.
    pub their_id: String,
    /// Where the vendor's messages are posted.
    pub url: Here,
    /// The buyer's X12 id.
    pub ours: Qualified,
    /// The vendor's.
    pub theirs: Qualified,
    /// The overlay folder of the guides.
    pub guides: String,
    /// Where every interchange is written as a file, in the order in which it went by.
    pub record: Option<PathBuf>,
}

/// An interchange that went by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Whether the buyer said it.
    pub said: bool,
    /// The sets in it, such as `850`, and the number of the first document.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

/// What became of a document that came.
#[derive(Clone, Debug)]
pub struct Judged {
    /// When it came.
    pub at: DateTime<Utc>,
    /// ST01.
    pub set: String,
    /// Its number.
    pub number: String,
    /// What the buyer made of it; where its syntax is at fault, nothing.
    pub verdict: Option<Verdict>,
    /// What is wrong with its syntax.
    pub faults: Vec<String>,
}

/// An interchange on its way out.
struct Parcel {
    name: String,
    bytes: Vec<u8>,
    message_id: String,
    due: DateTime<Utc>,
    tries: u32,
}

/// What changes.
struct State {
    desk: Desk,
    identity: Identity,
    /// When each vendor message was answered, and how.
    answered: BTreeMap<String, Arc<Told>>,
    order: VecDeque<String>,
    outbox: VecDeque<Parcel>,
    log: Vec<Spoken>,
    judged: Vec<Judged>,
    answers: Vec<Answer>,
    troubles: Vec<String>,
    /// Documents that were refused because the scenario says so: set and number.
    refused: BTreeSet<(String, String)>,
    number: u64,
}

/// The EDI door of a buyer.
pub struct Edi {
    settings: Settings,
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
    client: Client,
    vendor: Certificate,
    state: Mutex<State>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key and a certificate, made now: from a day before `at` on it holds three years, or until
/// `end`.
///
/// # Errors
/// What OpenSSL says.
pub fn identity(
    name: &str,
    at: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> Result<Identity, as2::Error> {
    let mut serial = [0; 8];
    net::entropy(&mut serial);
    let serial = u64::from_be_bytes(serial) >> 1;
    let end = end.unwrap_or(at + VALID);
    Identity::generate(name, serial, at - TimeDelta::days(1), end)
}

impl Edi {
    /// A door that has said nothing.
    #[must_use]
    pub fn new(
        settings: Settings,
        world: Arc<Mutex<World>>,
        clock: Arc<dyn Clock>,
        identity: Identity,
        vendor: Certificate,
        library: Arc<Library>,
    ) -> Arc<Edi> {
        let desk = Desk::new(
            library,
            &settings.guides,
            settings.ours.clone(),
            settings.theirs.clone(),
        );
        Arc::new(Edi {
            world,
            clock,
            client: Client::new(Trust::Only(Vec::new()), Limits::default()),
            vendor,
            state: Mutex::new(State {
                desk,
                identity,
                answered: BTreeMap::new(),
                order: VecDeque::new(),
                outbox: VecDeque::new(),
                log: Vec::new(),
                judged: Vec::new(),
                answers: Vec::new(),
                troubles: Vec::new(),
                refused: BTreeSet::new(),
                number: 0,
            }),
            settings,
        })
    }

    /// Serves the vendor's messages until `shutdown` resolves.
    pub async fn listen(self: Arc<Edi>, at: Loopback, shutdown: impl Future<Output = ()>) {
        let handler = move |asked: Asked| {
            let this = Arc::clone(&self);
            async move {
                match (asked.method.as_str(), asked.path()) {
                    ("POST", PATH) => this.receive(&asked),
                    ("HEAD", PATH) => Told::new(200, Bytes::new()),
                    (_, PATH) => Told::new(405, "this address takes AS2 messages by POST\n"),
                    _ => Told::new(404, "nothing here\n"),
                }
            }
        };
        at.serve(handler, shutdown).await;
    }

    /// Interchanges that went by since the last time that this was asked.
    #[must_use]
    pub fn spoken(&self) -> Vec<Spoken> {
        std::mem::take(&mut held(&self.state).log)
    }

    /// What became of documents since the last time that this was asked.
    #[must_use]
    pub fn judged(&self) -> Vec<Judged> {
        std::mem::take(&mut held(&self.state).judged)
    }

    /// What the vendor's 997s said since the last time that this was asked.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut held(&self.state).answers)
    }

    /// What went wrong on the wire since the last time that this was asked, a sentence each.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.state).troubles)
    }

    /// When something is to be said next.
    #[must_use]
    pub fn next(&self) -> Option<DateTime<Utc>> {
        held(&self.state)
            .outbox
            .iter()
            .map(|parcel| parcel.due)
            .min()
    }

    /// Another key for the buyer from here on.
    pub fn renew(&self, identity: Identity) {
        held(&self.state).identity = identity;
    }

    fn profile(&self) -> Profile {
        Profile {
            our_id: self.settings.our_id.clone(),
            their_id: self.settings.their_id.clone(),
            ..Profile::default()
        }
    }

    fn keys(&self) -> Keys {
        Keys {
            ours: vec![held(&self.state).identity.clone()],
            theirs: vec![self.vendor.clone()],
        }
    }

    /// Says what is due by now, one after the other, and at most so many: what the state says, and
    /// what is left to say. Gives how many messages were tried.
    pub async fn pump(&self, most: usize) -> usize {
        let now = self.clock.now();
        let sayings = held(&self.world).due(now);
        for saying in sayings.into_iter().filter(|one| one.door == Door::Edi) {
            self.write(&saying.document, now);
        }
        let mut tried = 0;
        while tried < most {
            let parcel = {
                let mut state = held(&self.state);
                let due = state.outbox.iter().position(|parcel| parcel.due <= now);
                due.and_then(|due| state.outbox.remove(due))
            };
            let Some(mut parcel) = parcel else {
                break;
            };
            tried += 1;
            match self.post(&parcel, now).await {
                Ok(()) => {}
                Err(why) => {
                    let mut state = held(&self.state);
                    parcel.tries += 1;
                    parcel.due = now + RETRY;
                    let name = &parcel.name;
                    if parcel.tries < TRIES {
                        state.troubles.push(format!("{name} is said again: {why}"));
                        state.outbox.push_back(parcel);
                    } else {
                        state.troubles.push(format!("{name} is given up: {why}"));
                    }
                }
            }
        }
        tried
    }

    fn write(&self, document: &Document, now: DateTime<Utc>) {
        let mut state = held(&self.state);
        match state.desk.write(document, now.naive_utc()) {
            Ok(written) => {
                let name = format!("{} {}", written.set, written.number);
                self.out(&mut state, name, written.bytes, now);
            }
            Err(why) => {
                let kind = document.kind();
                let number = document.number().unwrap_or_default();
                state
                    .troubles
                    .push(format!("{kind} {number} cannot be written: {why}"));
            }
        }
    }

    /// Puts an interchange into the outbox, and into the record.
    fn out(&self, state: &mut State, name: String, bytes: Vec<u8>, now: DateTime<Utc>) {
        let message_id = as2::message_id("buyer.sim", &mut net::entropy, now);
        self.note(state, true, &name, &bytes);
        state.outbox.push_back(Parcel {
            name,
            bytes,
            message_id,
            due: now,
            tries: 0,
        });
    }

    fn note(&self, state: &mut State, said: bool, name: &str, bytes: &[u8]) {
        state.number += 1;
        let file = format!(
            "{:06}-{}-{}.edi",
            state.number,
            if said { "said" } else { "heard" },
            name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        );
        let record = self
            .settings
            .record
            .as_ref()
            .map(|folder| folder.join(file));
        if let Some(Err(why)) = record.map(|path| std::fs::write(path, bytes)) {
            state
                .troubles
                .push(format!("the record cannot be written: {why}"));
        }
        state.log.push(Spoken {
            said,
            name: name.to_owned(),
            digest: as2::sha256(bytes),
        });
    }

    /// Seals and posts, and looks at the receipt.
    async fn post(&self, parcel: &Parcel, now: DateTime<Utc>) -> Result<(), String> {
        let (keys, profile) = (self.keys(), self.profile());
        // A certificate that has ended still signs, and who reads it has to notice.
        let valid = keys.ours[0].certificate.not_after() - TimeDelta::seconds(1);
        let at = now.min(valid);
        let document = as2::Document {
            content_type: "application/EDI-X12",
            file_name: None,
            message_id: &parcel.message_id,
        };
        let mut body = Vec::new();
        let payload = Cursor::new(&parcel.bytes);
        let entropy = &mut net::entropy;
        let sealed = as2::seal(payload, &mut body, document, &keys, &profile, entropy, at)
            .map_err(|why| why.to_string())?;
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let headers: Vec<_> = sealed.headers.iter().map(pair).collect();
        let answer = self
            .client
            .post(&self.settings.url.to_string(), &headers, Bytes::from(body))
            .await;
        let answer = answer.map_err(|why| why.to_string())?;
        if !answer.taken() {
            let said = String::from_utf8_lossy(&answer.body);
            return Err(format!("status {}: {}", answer.status, said.trim()));
        }
        let headers: Headers = answer.headers.into_iter().collect();
        let mdn = Mdn::read(&headers, &answer.body, &keys, &profile, now);
        let mdn = mdn.map_err(|why| format!("no receipt: {why}"))?;
        if mdn.signature.is_none() || !mdn.answers(&parcel.message_id) {
            return Err("the receipt proves nothing".to_owned());
        }
        if !mdn.disposition.is_positive() {
            return Err(format!("the receipt says {}", mdn.disposition));
        }
        match mdn.mic {
            Some(mic) if mic == sealed.mic => Ok(()),
            _ => Err("the receipt is for other bytes".to_owned()),
        }
    }

    /// One message of the vendor, and its receipt.
    fn receive(&self, asked: &Asked) -> Told {
        let now = self.clock.now();
        let headers: Headers = asked.headers.iter().cloned().collect();
        let id = headers.message_id().unwrap_or_default().to_owned();
        let (keys, profile) = (self.keys(), self.profile());
        let mut payload = Vec::new();
        let opened = as2::open(
            &headers,
            &asked.body[..],
            &mut payload,
            &keys,
            &profile,
            now,
        );
        let (disposition, mic, lost) = match opened {
            // Who it is from is not known, so nothing is kept of it: it may come again, mended.
            Err(why) => {
                let mut state = held(&self.state);
                state.troubles.push(format!("a message was refused: {why}"));
                (why.disposition(true), None, None)
            }
            Ok(opened) => {
                if let Some(before) = held(&self.state).answered.get(&id) {
                    return before.as_ref().clone();
                }
                let lost = self.take(&payload, now);
                (Disposition::processed(), Some(opened.mic), Some(lost))
            }
        };
        let own = as2::message_id("buyer.sim", &mut net::entropy, now);
        let fields = MdnFields::answer(&headers, &own, disposition, mic);
        let sign = Some((&keys.ours[0], Digest::Sha256));
        let at = now.min(keys.ours[0].certificate.not_after());
        let told = match Mdn::write(&fields, sign, &mut net::entropy, at) {
            Ok((headers, body)) => Told {
                status: 200,
                headers: headers
                    .iter()
                    .map(|(n, v)| (n.to_owned(), v.to_owned()))
                    .collect(),
                body: body.into(),
            },
            Err(why) => Told::new(500, format!("{why}\n")),
        };
        let Some(lost) = lost else {
            return told;
        };
        let mut state = held(&self.state);
        state.answered.insert(id.clone(), Arc::new(told.clone()));
        state.order.push_back(id);
        if state.order.len() > ANSWERED
            && let Some(oldest) = state.order.pop_front()
        {
            state.answered.remove(&oldest);
        }
        match lost {
            true => Told::new(504, "the receipt was lost\n"),
            false => told,
        }
    }

    /// Reads an interchange, gives its documents to the state, and leaves its 997 in the outbox.
    /// Whether the receipt is to be lost.
    fn take(&self, payload: &[u8], now: DateTime<Utc>) -> bool {
        let mut world = held(&self.world);
        let mut state = held(&self.state);
        let happens = |what: What, document: &Document| {
            let position = orders(document)
                .first()
                .and_then(|order| world.position(order));
            let one = position.and_then(|position| world.scenario().happens(what, position));
            let (set, _) = super::set_of(document.kind()).unwrap_or_default();
            one.is_some_and(|one| one.set.as_deref().is_none_or(|wanted| wanted == set))
        };
        // It is refused once: what comes again is taken.
        let mut refused = std::mem::take(&mut state.refused);
        let mut negative = |document: &Document| {
            let (set, _) = super::set_of(document.kind()).unwrap_or_default();
            let number = document.number().unwrap_or_default();
            let known = (set.to_owned(), number.to_owned());
            happens(What::Negative997, document) && refused.insert(known)
        };
        let read = state.desk.read(payload, now.naive_utc(), &mut negative);
        state.refused = refused;
        let read = match read {
            Ok(read) => read,
            Err(why) => {
                state.troubles.push(format!("a message was no X12: {why}"));
                return false;
            }
        };
        let sets: Vec<&str> = read
            .documents
            .iter()
            .map(|came| came.set.as_str())
            .collect();
        let first = read
            .documents
            .first()
            .and_then(|came| came.document.number());
        let name = match sets.is_empty() {
            true => "997".to_owned(),
            false => format!("{} {}", sets.join(" "), first.unwrap_or_default()),
        };
        self.note(&mut state, false, &name, payload);
        state.troubles.extend(read.faults.iter().cloned());
        state.answers.extend(read.answers);
        let any = |what: What| {
            read.documents
                .iter()
                .any(|came| happens(what, &came.document))
        };
        let (silent, lost) = (any(What::Missing997), any(What::LostMdn));
        if let (Some(reply), false) = (read.reply, silent) {
            self.out(&mut state, format!("997 {name}"), reply, now);
        }
        if !read.faults.is_empty() {
            return false;
        }
        for came in read.documents {
            let judged = judge(&mut world, came, now);
            state.judged.push(judged);
        }
        lost
    }
}

/// Gives a document to the state, where its syntax is sound.
fn judge(world: &mut World, came: Came, now: DateTime<Utc>) -> Judged {
    let sound = came.faults.is_empty();
    Judged {
        at: now,
        set: came.set,
        number: came.document.number().unwrap_or_default().to_owned(),
        verdict: sound.then(|| world.take(&came.document, Door::Edi, now)),
        faults: came.faults,
    }
}

/// The orders that a document is about.
fn orders(document: &Document) -> Vec<String> {
    match document {
        Document::PurchaseOrderAcknowledgment(answer) => {
            answer.order_number.iter().cloned().collect()
        }
        Document::Invoice(invoice) => {
            let lines = invoice.lines.iter().flat_map(|line| &line.references);
            let named = lines.filter(|one| one.qualifier.as_deref() == Some("PO"));
            let named = named.filter_map(|one| one.id.clone());
            invoice.order_number.iter().cloned().chain(named).collect()
        }
        Document::ShipNotice(notice) => {
            let levels = notice.levels.iter().flat_map(|level| level.walk());
            let named = levels.filter_map(|level| level.order.as_ref()?.number.clone());
            named.collect()
        }
        _ => Vec::new(),
    }
}
