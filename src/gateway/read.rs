//! The Read step's pure part: X12 bytes → interchanges, documents, 997s to send, verdicts.
//!
//! | a set | becomes |
//! |---|---|
//! | with a guide and no error | `read`: it goes to the bridge |
//! | that its 997 rejects | `rejected`; `held` where we agreed to send no 997 |
//! | without guide or agreement, in an interchange cut short, or for somebody else | `held` |
//! | 997 | `settled`, and a verdict on what we sent |
//!
//! A payload that is not X12 at all is one held document, so that somebody looks at it. So is a set
//! that is too large to be read; all else is read in memory that grows with the largest set.

use std::io;

use serde_json::{Value, json};
use uuid::Uuid;

use super::acknowledgment::{self, Acknowledgment};
use super::parts::Parts;
use super::route;
use super::survey::{Body, SET_BYTES, Survey, Surveys};
use crate::as2::sha256;
use crate::canonical::Document;
use crate::mapping::{self, Library};
use crate::partner::Partner;
use crate::store::{DocumentState, NewDocument, NewInterchange, Reading, Verdict};
use crate::x12::{
    self, Delimiters, Envelopes, Event, Fault, Finding, FunctionalAcknowledgment, FunctionalGroup,
    GroupHeader, Interchange, Position, Severity, Trailer, TransactionSet,
};

/// The kind of what no guide makes a document of.
pub(super) const UNKNOWN: &str = "unknown";
/// Sets of a group that its answer names whatever became of them; after so many only those that are
/// not simply accepted, or the answer to a million orders would be as long as they are. What is not
/// named is accepted (AK9 counts it).
const NAMED: usize = 10_000;
/// GS01 of a group of acknowledgments: it gets no answer.
const ACKNOWLEDGMENTS: &str = "FA";

/// What a partner's bytes were read for.
pub(super) struct Reader<'a> {
    pub(super) partner: &'a Partner,
    pub(super) library: &'a Library,
    /// The transport that they came by.
    pub(super) via: &'a str,
    /// The message that they came in.
    pub(super) message: Uuid,
}

/// What is known of a payload that may not be X12.
pub(super) struct Other<'a> {
    /// Its SHA-256 in hex.
    pub(super) digest: &'a str,
    /// Its bytes.
    pub(super) len: u64,
    pub(super) content_type: Option<&'a str>,
    pub(super) file_name: Option<&'a str>,
}

impl Other<'_> {
    /// The content of the document that a person looks at.
    fn content(&self) -> Value {
        let mut content = json!({ "document": UNKNOWN, "bytes": self.len });
        for (name, value) in [
            ("content_type", self.content_type),
            ("file_name", self.file_name),
        ] {
            if let Some(value) = value {
                content[name] = value.into();
            }
        }
        content
    }
}

/// A set as far as it is known before the verdict on its group.
struct Read {
    document: NewDocument,
    /// What reading the file said of it.
    envelope: Vec<Finding>,
    /// What its guide says of it.
    findings: Vec<Finding>,
    /// What we say of it.
    remarks: Vec<Value>,
    /// What it says of what we sent.
    verdicts: Vec<Verdict>,
    hold: bool,
}

/// A group that is being walked.
struct Walked {
    group: FunctionalGroup,
    /// The answer to it, unless it is one itself.
    said: Option<FunctionalAcknowledgment>,
    /// Faults of its own envelope, which reject all its sets.
    codes: Vec<String>,
    /// Sets that were accepted and are not named in the answer.
    unnamed: u64,
}

impl Reader<'_> {
    /// Reads a payload of `len` bytes, one set at a time: an interchange `ahead`, to know whether
    /// it is whole before anything in it is used, and then again for its sets. `digest` names a
    /// payload that is not X12. Ends early where nobody takes parts any more.
    ///
    /// # Errors
    /// Where reading fails.
    pub(super) fn read(
        &self,
        sources: (impl io::Read, impl io::Read),
        (digest, len): (&str, u64),
        parts: &mut Parts<'_>,
    ) -> Result<(), x12::Error> {
        let other = Other {
            digest,
            len,
            content_type: None,
            file_name: None,
        };
        match self.walk(sources, parts)? {
            None => parts.end(),
            Some(why) => parts.end_with(not_x12(&other, &why)),
        }
        Ok(())
    }

    /// Reads one of several payloads of a message; the last part is not given on.
    ///
    /// # Errors
    /// Where reading fails.
    pub(super) fn part(
        &self,
        sources: (impl io::Read, impl io::Read),
        other: &Other<'_>,
        parts: &mut Parts<'_>,
    ) -> Result<(), x12::Error> {
        let Some(why) = self.walk(sources, parts)? else {
            return Ok(());
        };
        for mut interchange in not_x12(other, &why).interchanges {
            interchange.id = derived(self.message, parts.interchanges());
            let documents = std::mem::take(&mut interchange.documents);
            parts.begin(interchange);
            for document in documents {
                parts.document((document, Vec::new()));
            }
        }
        Ok(())
    }

    /// Reads interchanges; gives why it is none where it is not X12 at all.
    fn walk(
        &self,
        (ahead, source): (impl io::Read, impl io::Read),
        parts: &mut Parts<'_>,
    ) -> Result<Option<x12::Error>, x12::Error> {
        let (mut surveys, mut walk) = (Surveys::new(ahead), Envelopes::new(source));
        loop {
            match surveys.next() {
                Ok(Some(_)) if parts.stopped() => return Ok(None),
                Ok(Some(survey)) => self.interchange(&survey, &mut walk, parts)?,
                Ok(None) => return Ok(None),
                Err(why @ x12::Error::Io(_)) => return Err(why),
                Err(why) => return Ok(Some(why)),
            }
        }
    }

    fn interchange(
        &self,
        survey: &Survey,
        walk: &mut Envelopes<impl io::Read>,
        parts: &mut Parts<'_>,
    ) -> Result<(), x12::Error> {
        let one = &survey.interchange;
        let concern = self.concern(one, &survey.findings);
        let mut verdict: Vec<Value> = survey.outside_sets().map(|f| json!(f)).collect();
        verdict.extend(concern.clone());
        parts.begin(NewInterchange {
            id: derived(self.message, parts.interchanges()),
            pair: pair(one),
            control: one.header.control_number.clone(),
            verdict: Value::from(verdict).to_string(),
            documents: Vec::new(),
        });
        let x12 = self.partner.x12.as_ref();
        let answers = x12.is_some_and(|x12| x12.acknowledge) && concern.is_none();
        let (mut walked, mut body) = (None, Body::default());
        loop {
            match walk.next()? {
                None | Some(Event::InterchangeEnd(_)) => return Ok(()),
                Some(Event::Group(header, position)) => {
                    walked = Some(survey.walked(header, position));
                }
                Some(Event::SetBegin(_)) => body = Body::pull(walk, body.segments)?,
                Some(Event::Set(set)) => {
                    let mut set = std::mem::take(set);
                    std::mem::swap(&mut set.segments, &mut body.segments);
                    if let Some(walked) = &mut walked {
                        let mut known = self.set(one, &walked.group, &set, survey.own(&set, &body));
                        if body.cut {
                            known.cut();
                        }
                        known.remarks.extend(concern.clone());
                        known.hold |= concern.is_some();
                        let rejected = walked.judge(&known, &set, &one.delimiters);
                        parts.document(known.finish(rejected, answers));
                    }
                    body.segments = set.segments;
                    walk.take_findings();
                }
                Some(Event::GroupEnd(trailer)) => {
                    let said = walked.take().and_then(|walked| walked.close(trailer));
                    if let Some((said, header)) = said.filter(|_| answers) {
                        parts.draft(self.answer(one, &header, &said));
                    }
                }
                Some(_) => {}
            }
            if parts.stopped() {
                return Ok(());
            }
        }
    }

    /// Why a person has to look at a whole interchange before anything in it is used.
    fn concern(&self, one: &Interchange, findings: &[Finding]) -> Option<Value> {
        let (sender, receiver) = (&one.header.sender, &one.header.receiver);
        let ours = self.partner.x12.as_ref().is_some_and(|x12| {
            x12.theirs.is(&sender.qualifier, &sender.id)
                && x12.ours.is(&receiver.qualifier, &receiver.id)
        });
        if !ours {
            return Some(remark(
                "gateway.parties",
                format!(
                    "the interchange is from {}/{} to {}/{}, which is not what the partner file \
                     says",
                    sender.qualifier, sender.id, receiver.qualifier, receiver.id
                ),
                "correct ours and theirs in [x12] of the partner file, or ask the sender",
            ));
        }
        let damage = |f: &&Finding| {
            use Fault::{IeaControl, IeaCount, MissingIea, Truncated};
            matches!(f.fault, Truncated | MissingIea | IeaCount | IeaControl)
        };
        findings.iter().find(damage).map(|damage| {
            remark(
                "gateway.damaged",
                format!("the interchange may not be whole: {}", damage.message),
                "ask the sender for the whole interchange",
            )
        })
    }

    fn set(
        &self,
        interchange: &Interchange,
        group: &FunctionalGroup,
        set: &TransactionSet,
        envelope: Vec<Finding>,
    ) -> Read {
        let mut read = Read {
            document: NewDocument {
                id: Uuid::now_v7(),
                kind: UNKNOWN.into(),
                set: set.id.clone(),
                number: String::new(),
                key: None,
                group_control: Some(group.header.control_number.clone()),
                set_control: Some(set.control_number.clone()),
                content: json!({ "document": UNKNOWN, "set": set.id }).to_string(),
                findings: String::new(),
                state: DocumentState::Held,
            },
            envelope,
            findings: Vec::new(),
            remarks: Vec::new(),
            verdicts: Vec::new(),
            hold: false,
        };
        if let Some(form) = x12::Form::of(&set.id) {
            let (said, more) =
                FunctionalAcknowledgment::read(form, &set.segments, &interchange.delimiters);
            let content = Acknowledgment::received(&said, &group.header, &set.segments);
            read.document.kind = acknowledgment::KIND.into();
            read.document.number = said.control_number.clone();
            read.document.content = content.to_json();
            read.verdicts = acknowledgment::verdicts(&said);
            read.findings.extend(more);
            return read;
        }
        let version = &group.header.version;
        let guide = match route::guide(self.library, self.partner, version, &set.id) {
            Ok(guide) => guide,
            Err(why) => {
                read.hold = true;
                let fix = "the set is held; its bytes are kept";
                read.remarks.push(remark("gateway.no-guide", why, fix));
                return read;
            }
        };
        let mut reading = mapping::read(&guide, &set.segments, &interchange.delimiters);
        set.place(&mut reading.findings);
        read.findings.extend(reading.findings);
        match reading.document {
            Some(mut document) => {
                provenance(&mut document, interchange, group, set);
                read.document.kind = document.kind().as_str().into();
                read.document.number = document.number().unwrap_or_default().into();
                read.document.content =
                    serde_json::to_string(&document).expect("every document has a JSON form");
            }
            None => {
                read.hold = true;
                let why = format!("the guide {} gives no document", guide.name);
                let fix = "the set is held; its bytes are kept";
                read.remarks.push(remark("gateway.no-document", why, fix));
            }
        }
        read
    }

    fn answer(
        &self,
        interchange: &Interchange,
        about: &GroupHeader,
        said: &FunctionalAcknowledgment,
    ) -> NewDocument {
        let via = Some(self.via);
        let answer = Acknowledgment::answer(said, about, &interchange.delimiters, via);
        answer.draft(&said.control_number, None)
    }
}

impl Survey {
    /// A group as it begins.
    fn walked(&self, header: &GroupHeader, position: Position) -> Walked {
        let due = header.functional_id != ACKNOWLEDGMENTS;
        Walked {
            said: due.then(|| FunctionalAcknowledgment::of(x12::Form::F997, header)),
            codes: self.codes(position),
            unnamed: 0,
            group: FunctionalGroup {
                header: header.clone(),
                position,
                ..FunctionalGroup::default()
            },
        }
    }
}

impl Walked {
    /// Whether the answer to the group rejects this set.
    fn judge(&mut self, known: &Read, set: &TransactionSet, delimiters: &Delimiters) -> bool {
        let Some(said) = &mut self.said else {
            return false;
        };
        let mut all = [&known.envelope[..], &known.findings].concat();
        all.sort_by_key(|finding| finding.location.segment);
        let verdict = x12::set_verdict(x12::Form::F997, set, delimiters, &all);
        let rejected = verdict.verdict == x12::Verdict::Rejected || !self.codes.is_empty();
        match said.sets.len() < NAMED || verdict.verdict != x12::Verdict::Accepted {
            true => said.sets.push(verdict),
            false => self.unnamed += 1,
        }
        rejected
    }

    /// The answer to the whole group, and what it is about.
    fn close(self, trailer: Option<&Trailer>) -> Option<(FunctionalAcknowledgment, GroupHeader)> {
        let mut said = self.said?;
        let declared = trailer.and_then(|trailer| trailer.count.trim().parse::<u64>().ok());
        let sound = self.codes.is_empty();
        // Those that are not named are neither missing nor, in a sound group, rejected.
        let unnamed = self.unnamed;
        said.close(declared.map(|all| all.saturating_sub(unnamed)), self.codes);
        said.included += unnamed;
        said.received += unnamed;
        if sound && unnamed > 0 {
            said.accepted += unnamed;
            if said.verdict == x12::Verdict::Rejected {
                said.verdict = x12::Verdict::PartlyAccepted;
            }
        }
        Some((said, self.group.header))
    }
}

impl Read {
    /// It is too large to be read.
    fn cut(&mut self) {
        self.hold = true;
        let why = format!("the set is larger than {} MiB", SET_BYTES >> 20);
        let fix = "ask the sender for smaller sets; this one is held, and its bytes are kept";
        self.remarks.push(remark("gateway.set-size", why, fix));
    }

    /// The document in its state, and what it says of what we sent.
    fn finish(self, rejected: bool, answers: bool) -> (NewDocument, Vec<Verdict>) {
        let Read {
            mut document,
            envelope,
            findings,
            remarks,
            verdicts,
            hold,
        } = self;
        document.state = match (hold, document.kind.as_str()) {
            (true, _) => DocumentState::Held,
            (false, acknowledgment::KIND) => DocumentState::Settled,
            (false, _) if rejected && answers => DocumentState::Rejected,
            (false, _) if rejected => DocumentState::Held,
            (false, _) => DocumentState::Read,
        };
        let findings = envelope.iter().chain(&findings);
        let all = findings.map(|f| json!(f)).chain(remarks);
        document.findings = all.collect::<Value>().to_string();
        let settles = document.state == DocumentState::Settled;
        (document, if settles { verdicts } else { Vec::new() })
    }
}

/// ISA05 to ISA08 as one text.
fn pair(one: &Interchange) -> String {
    let (sender, receiver) = (&one.header.sender, &one.header.receiver);
    route::pair(
        (&sender.qualifier, &sender.id),
        (&receiver.qualifier, &receiver.id),
    )
}

/// The id of a message's `n`th interchange: the same however often the message is read, so that a
/// reading that was cut off goes on in the interchange that it had begun.
fn derived(message: Uuid, n: u64) -> Uuid {
    let digest = sha256(&[&message.as_bytes()[..], &n.to_be_bytes()].concat());
    let time = message.as_u128() >> 80;
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(time).unwrap_or_default(), &random)
        .into_uuid()
}

fn provenance(
    document: &mut Document,
    interchange: &Interchange,
    group: &FunctionalGroup,
    set: &TransactionSet,
) {
    let from = document.provenance_mut();
    from.sender = Some(group.header.sender.clone());
    from.receiver = Some(group.header.receiver.clone());
    from.interchange = Some(interchange.header.control_number.clone());
    from.group = Some(group.header.control_number.clone());
    from.set = Some(set.control_number.clone());
    from.version = Some(group.header.version.clone());
}

/// A finding of the gateway's own, in the shape of the others.
fn remark(rule: &str, message: String, fix: &str) -> Value {
    json!({
        "rule": rule,
        "severity": Severity::Error,
        "message": message,
        "why": "it is kept, and waits for a person",
        "fix": fix,
        "location": x12::Location::default(),
        "code_997": null,
    })
}

fn not_x12(other: &Other<'_>, why: &x12::Error) -> Reading {
    let message = why.to_string();
    let finding = remark(
        "gateway.not-x12",
        message.clone(),
        "ask the sender what it is",
    );
    let document = NewDocument {
        id: Uuid::now_v7(),
        kind: UNKNOWN.into(),
        set: String::new(),
        number: String::new(),
        key: None,
        group_control: None,
        set_control: None,
        content: other.content().to_string(),
        findings: json!([finding]).to_string(),
        state: DocumentState::Held,
    };
    Reading {
        interchanges: vec![NewInterchange {
            id: Uuid::now_v7(),
            pair: String::new(),
            // No number stands in it: its digest tells it from others.
            control: other.digest.to_owned(),
            verdict: json!([finding]).to_string(),
            documents: vec![document],
        }],
        note: message,
        ..Reading::default()
    }
}
