//! The Compose step's pure part: a document → what stands in an interchange, and that interchange
//! under its numbers. What is written is read back and compared before it can leave.

use std::io::Read;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::acknowledgment::{self, Acknowledgment};
use super::inbound::payload;
use super::route;
use crate::as2::hex;
use crate::canonical::{Document, Provenance};
use crate::mapping::{self, Guide, Library};
use crate::partner::{Partner, Usage, X12};
use crate::store::{Composed, ControlNumbers, Digest, DocumentDetail, Payload, Placed};
use crate::x12::{
    self, Delimiters, Envelopes, Event, FunctionalGroup, GroupHeader, Interchange,
    InterchangeHeader, Qualified, Segments, Severity, TransactionSet, functional_id,
};

/// The kind of a whole interchange that is sent as it is.
pub(super) const INTERCHANGE: &str = "interchange";
/// What we say that X12 is (RFC 1767).
pub(super) const MEDIA_TYPE: &str = "application/EDI-X12";

/// An interchange that waits for its numbers.
pub(super) enum Plan {
    /// One set, to be put into an envelope.
    Write(Box<Written>),
    /// Bytes that have their envelope.
    AsItIs {
        /// ISA05 to ISA08.
        pair: String,
        /// The bytes.
        payload: Payload,
        /// GS06 and ST02 of the first set, by which a 997 names it.
        controls: (String, String),
    },
}

/// A set with its envelope, apart from the numbers.
pub(super) struct Written {
    header: InterchangeHeader,
    delimiters: Delimiters,
    group: GroupHeader,
    set: String,
    segments: Segments,
}

/// What a drafted document goes out as. One that goes as it is brings its bytes.
///
/// # Errors
/// Why it cannot go out, in words for a person.
pub(super) fn plan(
    detail: &DocumentDetail,
    payload: Option<Payload>,
    partner: &Partner,
    library: &Library,
    at: DateTime<Utc>,
) -> Result<Plan, String> {
    let (row, content) = (&detail.document, &detail.content);
    if let Some(payload) = payload {
        return as_it_is(content, payload);
    }
    let x12 = partner.x12.as_ref();
    let x12 = x12.ok_or_else(|| format!("the partner file of {} has no [x12]", partner.name))?;
    let written = match row.kind.as_str() {
        acknowledgment::KIND => {
            let said: Acknowledgment =
                serde_json::from_str(content).map_err(|why| why.to_string())?;
            let names = (said.sender.as_str(), said.receiver.as_str());
            let names = match names {
                ("", _) | (_, "") => (x12.ours.id.as_str(), x12.theirs.id.as_str()),
                names => names,
            };
            Written::new(
                x12,
                acknowledgment::SET,
                &said.version,
                names,
                said.body(),
                at,
            )
        }
        _ => {
            let document =
                Document::from_json(content.as_bytes()).map_err(|why| why.to_string())?;
            let (set, version, segments) = body(&document, partner, library)?;
            let names = (x12.ours.id.as_str(), x12.theirs.id.as_str());
            Written::new(x12, &set, &version, names, segments, at)
        }
    };
    Ok(Plan::Write(Box::new(written)))
}

/// A document as the body of the partner's set: which set, its GS08, its segments. It was read
/// back, and says the same.
///
/// # Errors
/// What it holds that the guide cannot say, or what it lacks.
pub(super) fn body(
    document: &Document,
    partner: &Partner,
    library: &Library,
) -> Result<(String, String, Segments), String> {
    let (set, guide) = route::way_out(library, partner, document.kind())?;
    let agreed = &partner.documents[&set];
    let x12 = partner.x12.as_ref();
    let x12 = x12.ok_or_else(|| format!("the partner file of {} has no [x12]", partner.name))?;
    let delimiters = delimiters(x12, &agreed.version);
    let writing = mapping::write(&guide, document, &delimiters);
    if !writing.is_sound() {
        return Err(told(&writing.findings, Severity::Error));
    }
    let back = mapping::read(&guide, &writing.segments, &delimiters);
    if back.findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(told(&back.findings, Severity::Error));
    }
    if let Some(difference) = difference(document, back.document.as_ref(), &guide) {
        let lost = told(&writing.findings, Severity::Warning);
        return Err(if lost.is_empty() { difference } else { lost });
    }
    Ok((set, agreed.version.clone(), writing.segments))
}

/// The findings of this gravity and above, as one line.
fn told(findings: &[x12::Finding], least: Severity) -> String {
    let grave = findings.iter().filter(|f| f.severity >= least);
    let lines: Vec<String> = grave.map(|f| format!("{}; {}", f.message, f.fix)).collect();
    lines.join(". ")
}

/// Where what was read back differs from what was written.
fn difference(document: &Document, back: Option<&Document>, guide: &Guide) -> Option<String> {
    let bare = |document: &Document| {
        let mut document = document.clone();
        *document.provenance_mut() = Provenance::default();
        document
    };
    let (written, read) = (bare(document), back.map(bare));
    if read.as_ref() == Some(&written) {
        return None;
    }
    let json = |document| serde_json::to_value(document).unwrap_or_default();
    let path = first_difference(&json(Some(&written)), &json(read.as_ref()), "");
    Some(format!(
        "{} would not arrive as it is by guide {}",
        path.unwrap_or_else(|| "the document".into()),
        guide.name
    ))
}

fn first_difference(one: &Value, other: &Value, path: &str) -> Option<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys());
            let at = |name: &String| match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            names.clone().find_map(|name| {
                let none = Value::Null;
                let (a, b) = (a.get(name).unwrap_or(&none), b.get(name).unwrap_or(&none));
                first_difference(a, b, &at(name))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut both = a.iter().zip(b).enumerate();
            both.find_map(|(n, (a, b))| first_difference(a, b, &format!("{path}[{n}]")))
        }
        _ => (one != other).then(|| path.to_owned()),
    }
}

/// The separators that we write. A repetition separator only where the release has one.
fn delimiters(x12: &X12, version: &str) -> Delimiters {
    let byte = |c: char| u8::try_from(c).unwrap_or(b'*');
    let agreed = &x12.delimiters;
    let header = InterchangeHeader {
        version: release(version),
        ..InterchangeHeader::default()
    };
    Delimiters {
        element: byte(agreed.element),
        component: byte(agreed.component),
        segment: byte(agreed.segment),
        repetition: header.has_repetition().then(|| byte(agreed.repetition)),
        ..Delimiters::default()
    }
}

/// ISA12 of a GS08: `00401` of `004010VICS`.
fn release(version: &str) -> String {
    version.get(..5).unwrap_or("00401").to_owned()
}

impl Written {
    fn new(
        x12: &X12,
        set: &str,
        version: &str,
        (sender, receiver): (&str, &str),
        segments: Segments,
        at: DateTime<Utc>,
    ) -> Written {
        let delimiters = delimiters(x12, version);
        let standard = delimiters.repetition.map_or('U', char::from);
        let usage = match x12.usage {
            Usage::T => "T",
            Usage::P => "P",
        };
        let header = InterchangeHeader {
            sender: Qualified::new(&x12.ours.qualifier, &x12.ours.id),
            receiver: Qualified::new(&x12.theirs.qualifier, &x12.theirs.id),
            standard: standard.to_string(),
            version: release(version),
            usage: usage.to_owned(),
            ..InterchangeHeader::default()
        };
        let group = GroupHeader {
            functional_id: functional_id(set).unwrap_or_default().to_owned(),
            sender: sender.to_owned(),
            receiver: receiver.to_owned(),
            agency: "X".to_owned(),
            version: version.to_owned(),
            ..GroupHeader::default()
        };
        Written {
            header: header.at(at.naive_utc()),
            delimiters,
            group: group.at(at.naive_utc()),
            set: set.to_owned(),
            segments,
        }
    }
}

impl Plan {
    /// ISA05 to ISA08: what numbers are counted by. Bytes that have theirs do not use ours up.
    pub(super) fn pair(&self) -> String {
        match self {
            Plan::Write(written) => {
                let (from, to) = (&written.header.sender, &written.header.receiver);
                route::pair((&from.qualifier, &from.id), (&to.qualifier, &to.id))
            }
            Plan::AsItIs { pair, .. } => format!("as it is: {pair}"),
        }
    }

    /// The interchange under these numbers, with the document in it.
    ///
    /// # Errors
    /// What could not be written, or reads otherwise than it was written.
    pub(super) fn compose(
        self,
        document: Uuid,
        numbers: &ControlNumbers,
    ) -> Result<Composed, String> {
        let (payload, (group_control, set_control)) = match self {
            Plan::AsItIs {
                payload, controls, ..
            } => (payload, controls),
            Plan::Write(written) => {
                let (bytes, controls) = written.compose(numbers)?;
                (payload(bytes.into()), controls)
            }
        };
        let placed = Placed {
            document,
            group_control,
            set_control,
        };
        Ok(Composed {
            payload,
            documents: vec![placed],
        })
    }
}

impl Written {
    fn compose(self, numbers: &ControlNumbers) -> Result<(Vec<u8>, (String, String)), String> {
        let (mut header, mut group) = (self.header, self.group);
        header.control_number = format!("{:09}", numbers.interchange);
        let number = numbers.groups.first().ok_or("no number for the group")?;
        group.control_number = number.to_string();
        let controls = (group.control_number.clone(), "0001".to_owned());
        let set = TransactionSet::new(&self.set, &controls.1, self.segments);
        let groups = vec![FunctionalGroup::new(group, vec![set])];
        let interchange = Interchange::new(header, self.delimiters, groups);
        let bytes = interchange.to_bytes().map_err(|why| why.to_string())?;
        let back = x12::read(&bytes[..]).map_err(|why| why.to_string())?;
        let faults = told(&back.findings, Severity::Error);
        match back.interchanges.as_slice() {
            [same] if *same == interchange && faults.is_empty() => Ok((bytes, controls)),
            _ => Err(format!(
                "the interchange does not read as it was written: {faults}"
            )),
        }
    }
}

/// The content of a document row for bytes that are sent as they are, which are kept beside it; the
/// first set, and the number. They are looked through and not held.
///
/// # Errors
/// Why they cannot be sent: not one whole X12 interchange.
pub(super) fn raw(bytes: impl Read, digest: &Digest) -> Result<(Value, String, String), String> {
    let mut envelopes = Envelopes::new(bytes);
    let (mut count, mut pair, mut control, mut group) = (0, String::new(), String::new(), None);
    let mut first: Option<(String, String, String)> = None;
    while let Some(event) = envelopes.next().map_err(|why| why.to_string())? {
        match event {
            Event::Interchange(header, ..) => {
                count += 1;
                let (from, to) = (&header.sender, &header.receiver);
                pair = route::pair((&from.qualifier, &from.id), (&to.qualifier, &to.id));
                control.clone_from(&header.control_number);
            }
            Event::Group(header, _) if group.is_none() => {
                group = Some(header.control_number.clone());
            }
            Event::SetBegin(set) => {
                if first.is_none() {
                    let group = group.clone().unwrap_or_default();
                    first = Some((group, set.id.clone(), set.control_number.clone()));
                }
                let mut more = true;
                while more {
                    more = envelopes
                        .segment()
                        .map_err(|why| why.to_string())?
                        .is_some();
                }
            }
            // A first group without sets is not the one that a 997 names.
            Event::GroupEnd(_) if first.is_none() => group = None,
            _ => {}
        }
    }
    if count != 1 {
        return Err(format!(
            "{count} interchanges in one file; send one at a time"
        ));
    }
    let (group, id, set) = first.ok_or("the interchange has no transaction set")?;
    let content = serde_json::json!({
        "document": INTERCHANGE,
        "pair": pair,
        "control": control,
        "group": group,
        "set": set,
        "sha256": hex(digest),
    });
    Ok((content, id, control))
}

/// The media type of what a drafted document's content goes out as.
pub(super) fn content_type(content: &str) -> String {
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    content["content_type"]
        .as_str()
        .unwrap_or(MEDIA_TYPE)
        .to_owned()
}

/// The digest of the bytes that a drafted document brings, if it goes as it is.
pub(super) fn brings(detail: &DocumentDetail) -> Option<Digest> {
    let own = detail.document.kind == INTERCHANGE;
    let content: Option<Value> = own.then(|| serde_json::from_str(&detail.content).ok())?;
    Some(unhex(content?["sha256"].as_str()?))
}

fn as_it_is(content: &str, payload: Payload) -> Result<Plan, String> {
    let content: Value = serde_json::from_str(content).map_err(|why| why.to_string())?;
    let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
    Ok(Plan::AsItIs {
        pair: text("pair"),
        payload,
        controls: (text("group"), text("set")),
    })
}

/// The digest that `hex` is the text of.
fn unhex(hex: &str) -> Digest {
    let mut digest = [0; 32];
    for (n, byte) in digest.iter_mut().enumerate() {
        let pair = hex.get(2 * n..2 * n + 2).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    digest
}
