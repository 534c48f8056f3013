//! The X12 of one side: its ids, its guides, its own control numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDateTime;

use crate::canonical::{Document, DocumentKind, Provenance};
use crate::mapping::{self, Guide, Library};
use crate::x12::{
    self, Answer, Delimiters, Finding, Form, FunctionalGroup, GroupHeader, Interchange,
    InterchangeHeader, Qualified, ReplyNumbers, Severity, TransactionSet, functional_id,
};

/// What a buyer and a vendor exchange: the set and the release of each kind.
pub const SETS: [(DocumentKind, &str, &str); 9] = [
    (DocumentKind::PurchaseOrder, "850", "004010"),
    (DocumentKind::PurchaseOrderAcknowledgment, "855", "004010"),
    (DocumentKind::ShipNotice, "856", "005010"),
    (DocumentKind::Invoice, "810", "004010"),
    (DocumentKind::RemittanceAdvice, "820", "004010"),
    (DocumentKind::PurchaseOrderChange, "860", "004010"),
    (DocumentKind::ApplicationAdvice, "824", "004010"),
    (DocumentKind::RoutingRequest, "753", "005010"),
    (DocumentKind::RoutingInstructions, "754", "005010"),
];

/// The set and the release of a kind; none of what is not exchanged.
#[must_use]
pub fn set_of(kind: DocumentKind) -> Option<(&'static str, &'static str)> {
    let found = SETS.iter().find(|(known, ..)| *known == kind);
    found.map(|(_, set, version)| (*set, *version))
}

/// An interchange that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// ST01.
    pub set: String,
    /// The document's number.
    pub number: String,
    /// GS06, by which a 997 names it.
    pub group: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A document that came, and where in its interchange it stood.
#[derive(Clone, Debug)]
pub struct Came {
    /// ST01.
    pub set: String,
    /// GS06.
    pub group: String,
    /// ST02.
    pub control: String,
    /// The document, with the envelope in its provenance.
    pub document: Document,
    /// What is wrong with its syntax, each in a sentence: a set with any is refused.
    pub faults: Vec<String>,
}

/// What stood in an interchange.
#[derive(Debug, Default)]
pub struct Read {
    /// The documents, in order.
    pub documents: Vec<Came>,
    /// What its 997s said.
    pub answers: Vec<Answer>,
    /// The 997 that is due, where there were sets to acknowledge.
    pub reply: Option<Vec<u8>>,
    /// What is wrong with it as an interchange: not for us, a number twice.
    pub faults: Vec<String>,
}

/// One side's X12.
pub struct Desk {
    library: Arc<Library>,
    guides: String,
    ours: Qualified,
    theirs: Qualified,
    /// The last interchange's number.
    number: u32,
    /// ISA13s that came.
    seen: BTreeSet<String>,
}

impl Desk {
    /// A desk that has written nothing. `guides` is the overlay folder that both sides agreed on.
    #[must_use]
    pub fn new(library: Arc<Library>, guides: &str, ours: Qualified, theirs: Qualified) -> Desk {
        Desk {
            library,
            guides: guides.to_owned(),
            ours,
            theirs,
            number: 0,
            seen: BTreeSet::new(),
        }
    }

    fn guide(&self, version: &str, set: &str) -> Result<Arc<Guide>, String> {
        match self.library.guide(Some(&self.guides), version, set) {
            Some(Ok(guide)) => Ok(guide),
            Some(Err(errors)) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Err(errors.join("; "))
            }
            None => Err(format!("there is no guide for set {set} in {version}")),
        }
    }

    /// A document as an interchange of its own, under the next number.
    ///
    /// # Errors
    /// What the guide cannot say of it, or what it lacks.
    pub fn write(&mut self, document: &Document, at: NaiveDateTime) -> Result<Written, String> {
        let kind = document.kind();
        let (set, version) = set_of(kind).ok_or_else(|| format!("{kind} is not exchanged"))?;
        let guide = self.guide(version, set)?;
        let header = InterchangeHeader {
            sender: self.ours.clone(),
            receiver: self.theirs.clone(),
            version: version[..5].to_owned(),
            usage: "T".to_owned(),
            ..InterchangeHeader::default()
        };
        let repetition = header.has_repetition().then_some(b'^');
        let delimiters = Delimiters {
            repetition,
            ..Delimiters::default()
        };
        let mut document = document.clone();
        *document.provenance_mut() = Provenance::default();
        let writing = mapping::write(&guide, &document, &delimiters);
        let back = mapping::read(&guide, &writing.segments, &delimiters);
        let faults = told(writing.findings.iter().chain(&back.findings));
        if !faults.is_empty() {
            return Err(faults.join(". "));
        }
        self.number += 1;
        let header = InterchangeHeader {
            standard: repetition.map_or('U', char::from).to_string(),
            control_number: format!("{:09}", self.number),
            ..header
        };
        let group = GroupHeader {
            functional_id: functional_id(set).unwrap_or_default().to_owned(),
            sender: self.ours.id.clone(),
            receiver: self.theirs.id.clone(),
            agency: "X".to_owned(),
            version: version.to_owned(),
            control_number: self.number.to_string(),
            ..GroupHeader::default()
        };
        let sets = vec![TransactionSet::new(set, "0001", writing.segments)];
        let groups = vec![FunctionalGroup::new(group.at(at), sets)];
        let interchange = Interchange::new(header.at(at), delimiters, groups);
        Ok(Written {
            set: set.to_owned(),
            number: document.number().unwrap_or_default().to_owned(),
            group: self.number.to_string(),
            bytes: interchange.to_bytes().map_err(|why| why.to_string())?,
        })
    }

    /// Reads what came, and writes the 997 for it. `refuse` says which documents are answered with
    /// a rejection although they are sound.
    ///
    /// # Errors
    /// Where it is no X12 at all.
    pub fn read(
        &mut self,
        bytes: &[u8],
        at: NaiveDateTime,
        refuse: &mut dyn FnMut(&Document) -> bool,
    ) -> Result<Read, String> {
        let reading = x12::read(bytes).map_err(|why| why.to_string())?;
        let mut read = Read {
            faults: told(&reading.findings),
            ..Read::default()
        };
        for interchange in &reading.interchanges {
            self.envelope(&interchange.header, &mut read.faults);
            let (answers, _) = x12::answers(interchange);
            read.answers.extend(answers);
            let mut findings = reading.findings.clone();
            let mut refused = Vec::new();
            for (group, set) in interchange.sets() {
                if Form::of(&set.id).is_some() {
                    continue;
                }
                let mut more = match self.guide(&group.header.version, &set.id) {
                    Ok(guide) => {
                        let content = mapping::read(&guide, &set.segments, &interchange.delimiters);
                        let mut document = content.document;
                        if let Some(document) = &mut document {
                            let from = document.provenance_mut();
                            from.group = Some(group.header.control_number.clone());
                            from.interchange = Some(interchange.header.control_number.clone());
                            from.set = Some(set.control_number.clone());
                        }
                        let mut faults = told(&content.findings);
                        if document.as_ref().is_some_and(&mut *refuse) {
                            faults.push(format!("the {} is refused by the scenario", set.id));
                            refused.push((&group.header.control_number, &set.control_number));
                        }
                        read.documents.extend(document.map(|document| Came {
                            set: set.id.clone(),
                            group: group.header.control_number.clone(),
                            control: set.control_number.clone(),
                            document,
                            faults,
                        }));
                        content.findings
                    }
                    Err(why) => {
                        read.faults.push(why);
                        Vec::new()
                    }
                };
                set.place(&mut more);
                findings.extend(more);
            }
            read.reply = self.reply(interchange, &findings, at, &refused);
        }
        Ok(read)
    }

    fn envelope(&mut self, header: &InterchangeHeader, faults: &mut Vec<String>) {
        let is = |one: &Qualified, other: &Qualified| {
            one.qualifier.trim() == other.qualifier.trim() && one.id.trim() == other.id.trim()
        };
        if !is(&header.sender, &self.theirs) || !is(&header.receiver, &self.ours) {
            faults.push(format!(
                "the interchange goes from {} to {}, and not from {} to {}",
                header.sender.id.trim(),
                header.receiver.id.trim(),
                self.theirs.id.trim(),
                self.ours.id.trim()
            ));
        }
        let number = header.control_number.clone();
        if !self.seen.insert(number.clone()) {
            faults.push(format!("interchange {number} came twice"));
        }
    }

    fn reply(
        &mut self,
        interchange: &Interchange,
        findings: &[Finding],
        at: NaiveDateTime,
        refused: &[(&String, &String)],
    ) -> Option<Vec<u8>> {
        let mut said = x12::acknowledge(interchange, findings, Form::F997);
        if said.is_empty() {
            return None;
        }
        for one in &mut said {
            for set in &mut one.sets {
                if refused.contains(&(&one.control_number, &set.control_number)) {
                    set.verdict = x12::Verdict::Rejected;
                    set.codes = vec!["5".to_owned()];
                }
            }
            one.close(Some(one.included), one.codes.clone());
        }
        self.number += 1;
        let numbers = ReplyNumbers {
            interchange: self.number,
            group: self.number,
            set: 1,
        };
        x12::reply(interchange, &said, numbers, at).to_bytes().ok()
    }
}

/// The faults among findings, a sentence each, with the place.
fn told<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<String> {
    let grave = findings
        .into_iter()
        .filter(|f| f.severity == Severity::Error);
    let sentence = |finding: &Finding| match &finding.location.tag {
        tag if tag.is_empty() => finding.message.to_string(),
        tag => {
            let element = finding.location.element.map(|n| format!("{n:02}"));
            format!("{tag}{}: {}", element.unwrap_or_default(), finding.message)
        }
    };
    grave.map(sentence).collect()
}
