//! What an acknowledgment says, with names, meanings and places in what was sent.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::codes::{Meaning, Of};
use super::original::{Original, Place, Sent, alike};
use crate::cli::ack::word;
use crate::cli::sentence::title;
use crate::cli::walk::Guides;
use crate::mapping::Dictionary;
use crate::x12::{
    ElementFault, Finding, Form, FunctionalAcknowledgment, FunctionalGroup, GroupHeader,
    Interchange, InterchangeAcknowledgment, SegmentFault, SetVerdict, Text, Value, text,
};

/// A code on an envelope, and what our own check finds there that earns it.
#[derive(Serialize)]
pub(super) struct Coded {
    #[serde(flatten)]
    pub(super) meaning: Meaning,
    /// What exactly, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
}

/// What our own check says.
#[derive(Serialize)]
pub(super) struct Found {
    pub(super) message: Text,
    pub(super) fix: Text,
}

/// On an interchange: a TA1.
#[derive(Serialize)]
pub(super) struct OnInterchange {
    pub(super) interchange: String,
    pub(super) verdict: String,
    pub(super) accepted: bool,
    pub(super) code: Coded,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Text>,
}

/// On a group: AK1 and AK9.
#[derive(Serialize)]
pub(super) struct OnGroup {
    pub(super) functional_id: String,
    pub(super) group: String,
    pub(super) verdict: String,
    pub(super) accepted: bool,
    pub(super) sets_included: u64,
    pub(super) sets_received: u64,
    pub(super) sets_accepted: u64,
    pub(super) codes: Vec<Coded>,
    pub(super) sets: Vec<OnSet>,
    /// What does not fit the original.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Text>,
}

/// On a set: AK2 and AK5.
#[derive(Serialize)]
pub(super) struct OnSet {
    pub(super) set: String,
    #[serde(skip)]
    pub(super) title: String,
    pub(super) control_number: String,
    /// The number of the document that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<String>,
    pub(super) verdict: String,
    pub(super) accepted: bool,
    pub(super) codes: Vec<Coded>,
    pub(super) segments: Vec<OnSegment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Text>,
}

/// On a segment: AK3.
#[derive(Serialize)]
pub(super) struct OnSegment {
    pub(super) tag: String,
    pub(super) name: String,
    /// In the set, ST being 1.
    pub(super) position: u32,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub(super) in_loop: Option<String>,
    pub(super) codes: Vec<Meaning>,
    pub(super) elements: Vec<OnElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Text>,
}

/// On an element: AK4.
#[derive(Serialize)]
pub(super) struct OnElement {
    pub(super) element: String,
    pub(super) name: String,
    /// As the acknowledgment copies it, else as the original has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    pub(super) codes: Vec<Meaning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
    /// What our own check would do, where it finds something at this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Text>,
}

/// Explains: by the original, where there is one, and by a dictionary.
pub(super) struct Explainer<'a> {
    pub(super) original: Option<&'a Original>,
    /// The acknowledgment is ours: it was made from the original.
    pub(super) earned: bool,
    pub(super) dictionary: Option<&'a Dictionary>,
    pub(super) guides: &'a Guides,
}

impl Explainer<'_> {
    pub(super) fn interchange(&self, ta1: &InterchangeAcknowledgment) -> OnInterchange {
        let number = &ta1.control_number;
        let mut notes = Vec::new();
        let found = self.original.and_then(|o| o.interchange(number));
        if let Some(original) = self.original
            && found.is_none()
        {
            let all = original.interchanges.iter();
            let has = all.map(|one| one.header.control_number.clone());
            notes.push(not_there(
                original,
                text!("interchange {number}", number),
                has,
            ));
        }
        OnInterchange {
            interchange: number.clone(),
            verdict: word(&ta1.verdict).to_owned(),
            accepted: ta1.verdict.is_accepted(),
            code: self.coded(Of::Interchange, &ta1.code, false, found.map(segments_of)),
            notes,
        }
    }

    /// A code, and what earns it among these segments of the original.
    fn coded(
        &self,
        of: Of,
        code: &str,
        in_999: bool,
        segments: Option<RangeInclusive<u32>>,
    ) -> Coded {
        // Findings speak in the codes of a 997.
        let known = of.meaning(code, false);
        let earned = self.original.zip(segments);
        let earned = earned.and_then(|(original, range)| original.earning(&known.code, range));
        let text = |finding: &Finding| Found {
            message: finding.message.clone(),
            fix: finding.fix.clone(),
        };
        Coded {
            found: earned.as_ref().map(|(finding, _)| text(finding)),
            place: earned.and_then(|(_, place)| place),
            meaning: of.meaning(code, in_999),
        }
    }

    /// What is said of a group, in a group with the header `answer`.
    pub(super) fn group(&self, said: &FunctionalAcknowledgment, answer: &GroupHeader) -> OnGroup {
        let (id, number) = (&said.functional_id, &said.control_number);
        let in_999 = said.form == Form::F999;
        let found = self.original.and_then(|o| o.group(id, number));
        let mut notes = Vec::new();
        if let Some(original) = self.original
            && found.is_none()
        {
            let has = original.groups().map(|(_, group)| {
                let header = &group.header;
                format!("{} {}", header.functional_id, header.control_number)
            });
            notes.push(not_there(
                original,
                text!("group {id} {number}", id, number),
                has,
            ));
        }
        if let (Some(original), Some((_, group)), false) = (self.original, found, self.earned) {
            let (from, to) = (&answer.sender, &group.header.receiver);
            if from != to {
                let name = &original.name;
                notes.push(text!(
                    "it comes from {from}, and {name} went to {to}",
                    from,
                    name,
                    to
                ));
            }
        }
        let sets = said.sets.iter().map(|set| {
            let sent = found.and_then(|(interchange, group)| {
                let mut all = group.sets.iter();
                let same = |s: &&crate::x12::TransactionSet| {
                    s.id == set.id && alike(&s.control_number, &set.control_number)
                };
                let set = all.find(same)?;
                let header = &group.header;
                Some(Sent {
                    interchange,
                    header,
                    set,
                })
            });
            let mut on = self.set(set, sent.as_ref(), in_999);
            if let (Some(original), Some(_), None) = (self.original, found, &sent) {
                let (set, number) = (&set.id, &set.control_number);
                let name = &original.name;
                on.notes.push(no_set(id, name, set, number));
            }
            on
        });
        let range = found.map(|(_, group)| group.position.ordinal..=group.last_ordinal());
        let codes = said.codes.iter();
        let codes = codes.map(|code| self.coded(Of::Group, code, in_999, range.clone()));
        OnGroup {
            sets: sets.collect(),
            functional_id: id.clone(),
            group: number.clone(),
            verdict: word(&said.verdict).to_owned(),
            accepted: said.verdict.is_accepted(),
            sets_included: said.included,
            sets_received: said.received,
            sets_accepted: said.accepted,
            codes: codes.collect(),
            notes,
        }
    }

    fn set(&self, said: &SetVerdict, sent: Option<&Sent<'_>>, in_999: bool) -> OnSet {
        let segments = said.segments.iter();
        let range = sent.map(|sent| sent.set.position.ordinal..=sent.set.last_ordinal());
        let codes = said.codes.iter();
        let codes = codes.map(|code| self.coded(Of::Set, code, in_999, range.clone()));
        OnSet {
            set: said.id.clone(),
            title: title(&said.id),
            control_number: said.control_number.clone(),
            number: sent.and_then(|sent| sent.number(self.guides)),
            verdict: word(&said.verdict).to_owned(),
            accepted: said.verdict.is_accepted(),
            codes: codes.collect(),
            segments: segments.map(|s| self.segment(s, sent, in_999)).collect(),
            notes: Vec::new(),
        }
    }

    fn segment(&self, said: &SegmentFault, sent: Option<&Sent<'_>>, in_999: bool) -> OnSegment {
        let def = self.dictionary.and_then(|d| d.segment(&said.tag));
        let codes = meanings(Of::Segment, &said.codes, in_999);
        // What is missing is not there.
        let is_missing = said.codes.iter().any(|c| c == "3" || c == "I6");
        let segment = sent.and_then(|sent| sent.segment(said.position));
        let mut notes = Vec::new();
        let there = segment.filter(|s| is_missing || s.tag() == said.tag.as_bytes());
        if let (Some(original), Some(_), None) = (self.original, sent, there)
            && !matches!(said.tag.as_str(), "ST" | "SE")
        {
            let has = segment.map_or("none".to_owned(), |s| {
                String::from_utf8_lossy(s.tag()).into_owned()
            });
            let (name, position) = (&original.name, said.position);
            notes.push(text!(
                "segment {position} of this set in {name} is {has}, not {tag}: {name} may have been changed since it was sent",
                position,
                name,
                has,
                tag = &said.tag
            ));
        }
        let at = self.original.zip(sent).zip(there);
        let place =
            at.map(|((original, sent), segment)| sent.place(original, &segment, None, None, None));
        let own = at.and_then(|((original, _), s)| original.finding(s.position().ordinal, None));
        let elements = said.elements.iter().map(|element| {
            let at = at.filter(|_| !is_missing);
            let place = at.map(|((original, sent), segment)| {
                let ElementFault {
                    element,
                    component,
                    repetition,
                    ..
                } = *element;
                sent.place(original, &segment, Some(element), component, repetition)
            });
            self.element(said, element, place, in_999)
        });
        let mut elements: Vec<OnElement> = elements.collect();
        elements.dedup_by(|next, last| {
            let same = (&next.element, &next.value) == (&last.element, &last.value);
            if same {
                last.codes.append(&mut next.codes);
            }
            same
        });
        OnSegment {
            elements,
            tag: said.tag.clone(),
            name: def.map_or(String::new(), |def| def.name.to_string()),
            position: said.position,
            in_loop: said.in_loop.clone(),
            codes,
            place,
            fix: own.map(|finding| finding.fix.clone()),
            notes,
        }
    }

    fn element(
        &self,
        segment: &SegmentFault,
        said: &ElementFault,
        place: Option<Place>,
        in_999: bool,
    ) -> OnElement {
        let tag = &segment.tag;
        let def = self.dictionary.and_then(|d| d.segment(tag));
        let at = (said.element as usize).checked_sub(1);
        let of = def.and_then(|def| def.places.get(at?));
        let part = of.and_then(|of| {
            let index = said.component.unwrap_or(1).saturating_sub(1);
            of.parts.get(index as usize)
        });
        let element = match said.component {
            Some(component) => format!("{tag}{:02}-{component}", said.element),
            None => format!("{tag}{:02}", said.element),
        };
        let mut notes = Vec::new();
        let mut fix = None;
        if let (Some(original), Some(place)) = (self.original, &place) {
            let location = &place.location;
            let own = original.finding(location.segment, location.element);
            fix = own.map(|finding| finding.fix.clone());
            if let Some(copy) = said.copy.as_ref().filter(|copy| **copy != place.value) {
                let (name, value) = (&original.name, &place.value);
                notes.push(text!(
                    "the acknowledgment copies {copy}, and {name} has {value} here: {name} may have been changed since it was sent",
                    copy = Value::quoted(copy),
                    name,
                    value = Value::quoted(value)
                ));
            } else if own.is_none() && !self.earned {
                notes.push(text!(
                    "our own check finds nothing wrong here: the rule is the partner's, ask for the page of their guide"
                ));
            }
        }
        let there = place.as_ref().map(|place| place.value.clone());
        OnElement {
            element,
            name: part.map_or(String::new(), |part| part.def.name.to_string()),
            value: said.copy.clone().or(there).filter(|v| !v.is_empty()),
            codes: vec![Of::Element.meaning(&said.code, in_999)],
            place,
            fix: fix.filter(|fix| !fix.is_empty()),
            notes,
        }
    }
}

fn meanings(of: Of, codes: &[String], in_999: bool) -> Vec<Meaning> {
    codes.iter().map(|code| of.meaning(code, in_999)).collect()
}

/// All segments of an interchange.
fn segments_of(interchange: &Interchange) -> RangeInclusive<u32> {
    let last = interchange.groups.last().map(FunctionalGroup::last_ordinal);
    let trailer = interchange.trailer.as_ref();
    let trailer = trailer.map(|trailer| trailer.position.ordinal);
    let first = interchange.position.ordinal;
    first..=trailer.or(last).unwrap_or(first)
}

fn not_there(original: &Original, what: Text, has: impl Iterator<Item = String>) -> Text {
    /// What is read at a glance.
    const FEW: usize = 8;
    let mut has: Vec<String> = has.take(FEW + 1).collect();
    if has.len() > FEW {
        has[FEW] = "…".to_owned();
    }
    let (name, has) = (&original.name, has.join(", "));
    text!(
        "{what} is not in {name} (which has {has}): it answers another file",
        what,
        name,
        has
    )
}

/// A set that is answered, and is not in the group that it names.
fn no_set(id: &str, name: &str, set: &str, number: &str) -> Text {
    text!(
        "group {id} of {name} has no set {set} {number}",
        id,
        name,
        set,
        number
    )
}
