//! The Read step's pure part: X12 bytes → interchanges, documents, 997s to send, verdicts.
//!
//! | a set | becomes |
//! |---|---|
//! | with a guide and no error | `read`: it goes to the bridge |
//! | that its 997 rejects | `rejected`; `held` where we agreed to send no 997 |
//! | without guide or agreement, in an interchange cut short, or for somebody else | `held` |
//! | 997 | `settled`, and a verdict on what we sent |
//!
//! A payload that is not X12 at all is one held document, so that somebody looks at it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::acknowledgment::{self, Acknowledgment};
use super::route;
use crate::canonical::Document;
use crate::mapping::{self, Library};
use crate::partner::Partner;
use crate::store::{DocumentState, NewDocument, NewInterchange, Reading};
use crate::x12::{
    self, Fault, Finding, FunctionalAcknowledgment, FunctionalGroup, Interchange, Severity,
    TransactionSet,
};

/// The kind of what no guide makes a document of.
pub(super) const UNKNOWN: &str = "unknown";

/// What a partner's bytes were read for.
pub(super) struct Reader<'a> {
    pub(super) partner: &'a Partner,
    pub(super) library: &'a Library,
    /// The transport that they came by.
    pub(super) via: &'a str,
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
    hold: bool,
}

impl Reader<'_> {
    /// Reads a whole payload. `digest` names one that is not X12.
    pub(super) fn read(&self, bytes: &[u8], digest: &str) -> Reading {
        let file = match x12::read(bytes) {
            Ok(file) => file,
            Err(why) => return not_x12(bytes, digest, &why),
        };
        let mut reading = Reading::default();
        let mut findings = file.findings;
        findings.sort_by_key(|finding| finding.location.segment);
        for (n, interchange) in file.interchanges.iter().enumerate() {
            let from = if n == 0 {
                0
            } else {
                interchange.position.ordinal
            };
            let next = file.interchanges.get(n + 1);
            let until = next.map_or(u32::MAX, |next| next.position.ordinal - 1);
            let own = between(&findings, from, until).to_vec();
            self.interchange(interchange, own, &mut reading);
        }
        let sets: usize = reading.interchanges.iter().map(|i| i.documents.len()).sum();
        reading.note = format!("{} interchanges, {sets} sets", reading.interchanges.len());
        reading
    }

    fn interchange(&self, one: &Interchange, mut findings: Vec<Finding>, out: &mut Reading) {
        let concern = self.concern(one, &findings);
        let mut verdict: Vec<Value> = outside_sets(one, &findings).map(|f| json!(f)).collect();
        verdict.extend(concern.clone());
        let mut read: Vec<(&FunctionalGroup, Read)> = Vec::new();
        for (group, set) in one.sets() {
            let own = between(&findings, set.position.ordinal, set.last_ordinal());
            let mut known = self.set(one, group, set, own.to_vec());
            known.remarks.extend(concern.clone());
            known.hold |= concern.is_some();
            read.push((group, known));
        }
        findings.extend(read.iter().flat_map(|(_, known)| known.findings.clone()));
        let said = x12::acknowledge(one, &findings, x12::Form::F997);
        let x12 = self.partner.x12.as_ref();
        let answers = x12.is_some_and(|x12| x12.acknowledge) && concern.is_none();
        if answers {
            out.drafts
                .extend(said.iter().map(|said| self.answer(one, said)));
        }
        let rejected = |set: &NewDocument| {
            let of_group = |s: &&FunctionalAcknowledgment| {
                Some(&s.control_number) == set.group_control.as_ref()
            };
            let sets = said.iter().filter(of_group).flat_map(|s| &s.sets);
            let mut own = sets.filter(|s| Some(&s.control_number) == set.set_control.as_ref());
            own.any(|s| s.verdict == x12::Verdict::Rejected)
        };
        let documents = read.into_iter().map(|(group, known)| {
            if known.document.kind == acknowledgment::KIND && !known.hold {
                out.verdicts
                    .extend(self.verdicts(one, group, &known.document));
            }
            let rejected = rejected(&known.document);
            known.finish(rejected, answers)
        });
        let documents = documents.collect();
        out.interchanges.push(NewInterchange {
            id: Uuid::now_v7(),
            pair: pair(one),
            control: one.header.control_number.clone(),
            verdict: Value::from(verdict).to_string(),
            documents,
        });
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
            hold: false,
        };
        if let Some(form) = x12::Form::of(&set.id) {
            let (said, more) =
                FunctionalAcknowledgment::read(form, &set.segments, &interchange.delimiters);
            let content = Acknowledgment::received(&said, &group.header, &set.segments);
            read.document.kind = acknowledgment::KIND.into();
            read.document.number = said.control_number.clone();
            read.document.content = content.to_json();
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

    fn answer(&self, interchange: &Interchange, said: &FunctionalAcknowledgment) -> NewDocument {
        let about = interchange.groups.iter().map(|group| &group.header);
        let about = about.clone().find(|header| {
            header.functional_id == said.functional_id
                && header.control_number == said.control_number
        });
        let about = about.cloned().unwrap_or_default();
        let content = Acknowledgment::answer(said, &about, &interchange.delimiters, self.via);
        NewDocument {
            id: Uuid::now_v7(),
            kind: acknowledgment::KIND.into(),
            set: acknowledgment::SET.into(),
            number: said.control_number.clone(),
            key: None,
            group_control: None,
            set_control: None,
            content: content.to_json(),
            findings: "[]".into(),
            state: DocumentState::Drafted,
        }
    }

    fn verdicts(
        &self,
        interchange: &Interchange,
        group: &FunctionalGroup,
        document: &NewDocument,
    ) -> Vec<crate::store::Verdict> {
        let sets = group.sets.iter();
        let own = sets.filter(|s| Some(&s.control_number) == document.set_control.as_ref());
        let mut said = own.filter_map(|set| {
            let form = x12::Form::of(&set.id)?;
            Some(FunctionalAcknowledgment::read(form, &set.segments, &interchange.delimiters).0)
        });
        said.next()
            .map(|said| acknowledgment::verdicts(&said))
            .unwrap_or_default()
    }
}

impl Read {
    /// The document in its state.
    fn finish(self, rejected: bool, answers: bool) -> NewDocument {
        let Read {
            mut document,
            envelope,
            findings,
            remarks,
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
        document
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

/// Those of `sorted` that are about segments `first` to `last` of the file.
fn between(sorted: &[Finding], first: u32, last: u32) -> &[Finding] {
    let from = sorted.partition_point(|f| f.location.segment < first);
    let to = sorted.partition_point(|f| f.location.segment <= last);
    &sorted[from..to.max(from)]
}

/// The findings that are about no set.
fn outside_sets<'f>(
    one: &Interchange,
    findings: &'f [Finding],
) -> impl Iterator<Item = &'f Finding> {
    let sets: Vec<(u32, u32)> = one
        .sets()
        .map(|(_, set)| (set.position.ordinal, set.last_ordinal()))
        .collect();
    findings.iter().filter(move |finding| {
        let at = finding.location.segment;
        let before = sets.partition_point(|(first, _)| *first <= at);
        before == 0 || sets[before - 1].1 < at
    })
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

fn not_x12(bytes: &[u8], digest: &str, why: &x12::Error) -> Reading {
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
        content: json!({ "document": UNKNOWN, "bytes": bytes.len() }).to_string(),
        findings: json!([finding]).to_string(),
        state: DocumentState::Held,
    };
    Reading {
        interchanges: vec![NewInterchange {
            id: Uuid::now_v7(),
            pair: String::new(),
            // No number stands in it: its digest tells it from others.
            control: digest.to_owned(),
            verdict: json!([finding]).to_string(),
            documents: vec![document],
        }],
        note: message,
        ..Reading::default()
    }
}
