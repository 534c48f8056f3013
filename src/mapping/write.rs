//! Document → segments: the twin of `read.rs`, over the same guide.
//!
//! Uses are written by position; where several share one, in the order in which the document was
//! read if it says so. Uses that fill one list share its items: each goes to the first, most exact
//! use whose `when` its own values meet. What the document holds and the guide has no place for
//! is told.

mod level;

use std::collections::BTreeMap;

use level::Here;

use super::dictionary::{NoteKind, Usage};
use super::explain::explain;
use super::fill::fill;
use super::guide::{Guide, PartUse, Rule, Run, Use, UseId, When};
use super::level::MAX_LEVEL_DEPTH;
use super::reach::{has, node, nodes, reckon};
use super::slots::{NodeId, ROOT, Slots};
use super::value::{encode, fault};
use crate::canonical::Document;
use crate::x12::{
    Delimiters, Fault, Finding, Location, Position, Segments, Severity, Text, Value, text,
};

/// What writing a document gives.
#[derive(Clone, Debug)]
pub struct Writing {
    /// The set's body, between ST and SE.
    pub segments: Segments,
    /// Faults of ours: an error among them means that the set must not be sent.
    pub findings: Vec<Finding>,
}

impl Writing {
    /// Whether the set may go out.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|f| f.severity < Severity::Error)
    }
}

/// Writes a document's set body. The document must be the guide's kind: a document of another
/// kind gives no segments and one error.
pub fn write(guide: &Guide, document: &Document, delimiters: &Delimiters) -> Writing {
    let mut slots = Slots::new(&guide.names);
    let filled = match Some(document.kind()) {
        kind if kind != guide.document => Err(super::empty::Misfit(format!(
            "{} is not what guide {} writes",
            document.kind(),
            guide.name
        ))),
        _ => fill(document, &mut slots, &guide.schema),
    };
    let mut writer = Writer {
        guide,
        slots,
        delimiters,
        order: &document.provenance().order,
        segments: Segments::default(),
        findings: Vec::new(),
        level: Here::default(),
        levels: 0,
    };
    if let Err(misfit) = filled {
        let fix = text!("choose the guide of the document's own set");
        let location = Location::default();
        writer.findings.push(Finding::new(
            Fault::Unwritable,
            location,
            text!("{misfit}", misfit = misfit.to_string()),
            fix,
        ));
        return Writing {
            segments: writer.segments,
            findings: writer.findings,
        };
    }
    writer.frame(None, ROOT, "");
    writer.losses();
    let broken = super::demand::faults(guide, &writer.segments, delimiters);
    writer.findings.extend(broken);
    Writing {
        segments: writer.segments,
        findings: writer.findings,
    }
}

/// Adds `detail.PO1[2]` to the name of a frame.
pub(crate) fn step(path: &mut String, one: &Use, occurrence: u32) {
    let dot = if path.is_empty() { one.area() } else { "" };
    *path += &format!("{dot}.{}[{occurrence}]", one.key);
}

/// The name of a position in the frame `path`.
pub(crate) fn position(mut path: String, order: u32) -> String {
    if path.is_empty() {
        path = super::guide::AREAS
            .get((order >> 24) as usize)
            .copied()
            .unwrap_or("")
            .to_owned();
    }
    format!("{path}/{}", order & 0xff_ffff)
}

/// One segment or loop that will be written.
#[derive(Clone, Copy)]
struct Emission {
    id: UseId,
    scope: NodeId,
    /// Which repeat of its use, from 0; for values that continue over segments, which part.
    occurrence: u32,
}

struct Writer<'a> {
    guide: &'a Guide,
    slots: Slots,
    delimiters: &'a Delimiters,
    order: &'a BTreeMap<String, Vec<String>>,
    segments: Segments,
    findings: Vec<Finding>,
    /// The level that is being written, and how many there are so far.
    level: Here,
    levels: u32,
}

impl Writer<'_> {
    fn frame(&mut self, owner: Option<UseId>, scope: NodeId, path: &str) {
        let guide = self.guide;
        let children = guide.children(owner);
        let (plan, filled) = (guide.plan(), self.slots.filled(scope));
        for group in children.chunk_by(|&a, &b| guide.uses[a].order == guide.uses[b].order) {
            let mut emissions = Vec::new();
            let asked = group
                .iter()
                .filter(|&&id| plan.layout(guide, id).is_asked(filled));
            for &id in asked {
                match guide.uses[id].pool {
                    Some(first) if first == id => self.pooled(group, id, scope, &mut emissions),
                    Some(_) => {}
                    None => self.emissions(id, scope, &mut emissions),
                }
            }
            let levels = guide.uses[group[0]].level.is_some();
            if !self.order.is_empty() && group.len() > 1 && !levels {
                let name = position(path.to_owned(), guide.uses[group[0]].order);
                if let Some(order) = self.order.get(&name) {
                    emissions = reorder(guide, emissions, order);
                }
            }
            self.limits(group, &emissions);
            for emission in emissions {
                self.emit(&emission, path);
            }
        }
    }

    /// The items of a list that several uses fill, in its own order.
    fn pooled(&self, group: &[UseId], first: UseId, scope: NodeId, all: &mut Vec<Emission>) {
        let items = nodes(&self.slots, scope, &self.guide.uses[first].scope);
        let mates = group
            .iter()
            .filter(|&&id| self.guide.uses[id].pool == Some(first));
        let mates: Vec<UseId> = mates.copied().collect();
        for (scope, occurrence) in items.into_iter().zip(0..) {
            all.extend(self.takes(&mates, scope).map(|id| Emission {
                id,
                scope,
                occurrence,
            }));
        }
    }

    /// The first of `mates` whose `when` an item's own values meet; what none takes is told with
    /// all else that has no place.
    fn takes(&self, mates: &[UseId], item: NodeId) -> Option<UseId> {
        let uses = mates.iter().map(|&id| (id, &self.guide.uses[id]));
        let mut uses = uses.filter(|(_, one)| one.usage != Usage::NotUsed);
        let found = uses.find(|(_, one)| one.when.iter().all(|when| self.meets(one, when, item)));
        found.map(|(id, _)| id)
    }

    fn meets(&self, one: &Use, when: &When, item: NodeId) -> bool {
        let part = &one.places[when.element - 1].parts[when.component.saturating_sub(1)];
        if part.target.is_empty() {
            return true;
        }
        let raw = raw(&self.slots, part, item);
        when.patterns.iter().any(|p| p.fits(raw.as_bytes()))
    }

    /// What the document has for a use.
    fn emissions(&mut self, id: UseId, scope: NodeId, all: &mut Vec<Emission>) {
        let one = &self.guide.uses[id];
        if one.usage == Usage::NotUsed {
            return;
        }
        if !one.scope.is_empty() && !one.repeats() {
            let found = node(&self.slots, scope, &one.scope);
            all.extend(found.map(|scope| Emission {
                id,
                scope,
                occurrence: 0,
            }));
            return;
        }
        if one.repeats() {
            let found = nodes(&self.slots, scope, &one.scope).into_iter().zip(0..);
            all.extend(found.map(|(scope, occurrence)| Emission {
                id,
                scope,
                occurrence,
            }));
            return;
        }
        let chunks = one.runs.iter().map(|run| {
            let list = node(&self.slots, scope, &run.list);
            let list = list.map_or(0, |list| self.slots.children(list).count());
            list.div_ceil(run.n)
        });
        let chunks = chunks.max().unwrap_or(0).min(one.max.max(1) as usize);
        let count = match chunks {
            0 if one.is_due() || self.has_content(one, scope) => 1,
            n => n,
        };
        all.extend((0..count as u32).map(|occurrence| Emission {
            id,
            scope,
            occurrence,
        }));
    }

    /// Whether the document has a value for a transparent use or anything under it.
    fn has_content(&self, one: &Use, scope: NodeId) -> bool {
        let filled = |path: &super::guide::Path| !path.is_empty() && has(&self.slots, scope, path);
        one.parts().any(|p| filled(&p.target))
            || one.runs.iter().any(|r| filled(&r.list))
            || one.children.iter().any(|&id| {
                let child = &self.guide.uses[id];
                if child.scope.is_empty() {
                    self.has_content(child, scope)
                } else {
                    filled(&child.scope)
                }
            })
    }

    /// Reports more occurrences than the guide allows.
    fn limits(&mut self, group: &[UseId], emissions: &[Emission]) {
        let one = &self.guide.uses[group[0]];
        let most = one.group_max as usize;
        if emissions.len() > most {
            let location = Location {
                tag: one.tag.clone(),
                ..Location::default()
            };
            let message = text!(
                "{key}: {count} occurrences where {most} may stand",
                key = &one.key,
                count = emissions.len(),
                most
            );
            let fix = text!("leave out all but {most} in the document", most);
            self.findings
                .push(Finding::new(Fault::SegmentTooMany, location, message, fix));
        }
    }

    fn emit(&mut self, emission: &Emission, path: &str) {
        let guide = self.guide;
        let one = &guide.uses[emission.id];
        let around = match &one.level {
            Some(_) if self.level.depth >= MAX_LEVEL_DEPTH => return self.too_deep(one),
            Some(rule) => self.open(emission, one, rule),
            None => self.level,
        };
        let mut parts = vec![one.tag.clone()];
        for (index, place) in one.places.iter().enumerate() {
            let number = index + 1;
            let mut text = String::new();
            for (component, part) in place.parts.iter().enumerate() {
                if component > 0 {
                    text.push(char::from(self.delimiters.component));
                }
                let component = if place.composite { component + 1 } else { 0 };
                text += &self.value(one, emission, part, (number, component));
            }
            if place.composite {
                let kept = text
                    .trim_end_matches(char::from(self.delimiters.component))
                    .len();
                text.truncate(kept);
            }
            if text.is_empty() && place.usage == Usage::Mandatory {
                let name = &place.parts[0].def.name;
                let message = text!(
                    "{name} is missing in the document",
                    name = Value::word(name)
                );
                self.fault(
                    one,
                    (number, 0),
                    Fault::ElementMissing,
                    message,
                    text!("fill the field that the guide names"),
                );
            }
            parts.push(text);
        }
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        // A loop's first segment is written even when it is bare: its children need it.
        if parts.len() > 1 || !one.children.is_empty() {
            self.notes(one, &parts);
            let bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            self.segments.push_parts(&bytes, Position::default());
        }
        if !one.children.is_empty() || one.level.is_some() {
            let mut path = path.to_owned();
            if !self.order.is_empty() {
                step(&mut path, one, emission.occurrence);
            }
            self.frame(Some(emission.id), emission.scope, &path);
            self.below(emission, one, &path);
        }
        self.level = around;
    }

    /// One element's or component's text: all its repetitions.
    fn value(
        &mut self,
        one: &Use,
        emission: &Emission,
        part: &PartUse,
        at: (usize, usize),
    ) -> String {
        let found = match part.run {
            Some((run, group, field)) => {
                let run = &one.runs[run];
                self.run_value(run, emission, group, field)
            }
            None if part.target.is_empty() => Vec::new(),
            None => nodes(&self.slots, emission.scope, &part.target),
        };
        let mut all = Vec::new();
        // Where the interchange has no repetitions, what is left over is told as a loss.
        let most = if self.delimiters.repetition.is_some() {
            usize::MAX
        } else {
            1
        };
        for id in found.into_iter().take(most) {
            self.slots.take(id);
            let canonical = self.slots.text(id).to_owned();
            all.push(self.encoded(one, part, &canonical, at));
        }
        if let Some(separator) = self.delimiters.repetition.filter(|_| all.len() > 1) {
            return all.join(&char::from(separator).to_string());
        }
        match (all.into_iter().next(), &part.is) {
            (Some(text), _) => text,
            (None, Some(rule)) => self.rule(rule, emission),
            (None, None) => String::new(),
        }
    }

    fn run_value(&self, run: &Run, emission: &Emission, group: u32, field: usize) -> Vec<NodeId> {
        let list = node(&self.slots, emission.scope, &run.list);
        // A list that a repeated segment shares goes on where the last segment ended.
        let first = match self.guide.uses[emission.id].scope.is_empty() {
            true => emission.occurrence as usize * run.n,
            false => 0,
        };
        let item = list.and_then(|list| self.slots.children(list).nth(first + group as usize));
        match (item, run.fields.get(field)) {
            (Some(item), None) => vec![item],
            (Some(item), Some(step)) => self.slots.child(item, step.slot).into_iter().collect(),
            (None, _) => Vec::new(),
        }
    }

    fn rule(&self, rule: &Rule, emission: &Emission) -> String {
        match rule {
            Rule::Constant(text) => text.clone(),
            Rule::Seq => (emission.occurrence + 1).to_string(),
            Rule::Count(..) | Rule::Sum(_) => reckon(&self.slots, emission.scope, rule),
            Rule::Level => self.level.number.to_string(),
            Rule::LevelParent if self.level.parent == 0 => String::new(),
            Rule::LevelParent => self.level.parent.to_string(),
            Rule::LevelChildren => u8::from(self.level.children).to_string(),
        }
    }

    /// A canonical value as X12 text, checked.
    fn encoded(
        &mut self,
        one: &Use,
        part: &PartUse,
        canonical: &str,
        at: (usize, usize),
    ) -> String {
        let name = &part.def.name;
        let mut text = String::new();
        if !encode(canonical, &part.def, part.codes.as_deref(), &mut text) {
            let message = text!(
                "{name}: {value} has no X12 form here",
                name = Value::word(name),
                value = Value::quoted(canonical)
            );
            let fix = match &part.codes {
                Some(_) => text!("use a word of the code list, or other:XX for the code XX"),
                None => text!("use a value that the element can hold exactly"),
            };
            let fault = if part.codes.is_some() {
                Fault::ElementCode
            } else {
                Fault::ElementCharacter
            };
            let mut finding = self.finding(one, at, fault, message, fix);
            finding.severity = Severity::Error;
            self.findings.push(finding);
            return String::new();
        }
        if let Some(fault) = fault(&text, &part.def) {
            let (message, fix) = explain(fault, &text, part);
            let finding = self.finding(one, at, fault, message, fix);
            self.findings.push(finding);
        }
        if let Some(byte) = text.bytes().find(|&b| self.delimiters.clashes(b)) {
            let message = text!(
                "{name} {value} holds the separator {byte}",
                name = Value::word(name),
                value = Value::quoted(canonical),
                byte = format!("{:?}", char::from(byte))
            );
            let fix = text!("change the value, or agree on other separators with the partner");
            self.fault(one, at, Fault::Unwritable, message, fix);
        }
        text
    }

    fn notes(&mut self, one: &Use, parts: &[String]) {
        for note in one.notes.iter() {
            if note.holds(|e| parts.get(e).is_some_and(|p| !p.is_empty())) {
                continue;
            }
            let fault = match note.kind {
                NoteKind::Exclusion => Fault::ElementExclusive,
                _ => Fault::ElementConditional,
            };
            let message = text!(
                "the document's values break syntax note {note} of {tag}",
                note = &note.text,
                tag = &one.tag
            );
            self.fault(
                one,
                (note.elements[0], 0),
                fault,
                message,
                text!("fill or leave out the fields that it ties together"),
            );
        }
    }

    /// Tells what the document holds and the guide has no place for.
    fn losses(&mut self) {
        for (path, value) in self.slots.untaken(&self.guide.schema) {
            let message = text!(
                "{path} = {value} has no place in guide {guide}",
                path,
                value = Value::quoted(&value),
                guide = &self.guide.name
            );
            let mut finding = Finding::new(
                Fault::Unmapped,
                Location::default(),
                message,
                text!("leave it out, or give it an as in the guide"),
            );
            finding.severity = Severity::Warning;
            self.findings.push(finding);
        }
    }

    fn finding(
        &self,
        one: &Use,
        (element, component): (usize, usize),
        fault: Fault,
        message: Text,
        fix: Text,
    ) -> Finding {
        let location = Location {
            tag: one.tag.clone(),
            segment: self.segments.len() as u32 + 1,
            in_loop: one.parent.map(|id| self.guide.uses[id].key.clone()),
            element: Some(element as u32),
            component: (component > 0).then_some(component as u32),
            ..Location::default()
        };
        let message = text!("{place}: {message}", place = location.designator(), message);
        Finding::new(fault, location, message, fix)
    }

    fn fault(&mut self, one: &Use, at: (usize, usize), fault: Fault, message: Text, fix: Text) {
        let finding = self.finding(one, at, fault, message, fix);
        self.findings.push(finding);
    }
}

/// What will be written for a part of an item; nothing where the item has nothing for it.
pub(crate) fn raw(slots: &Slots, part: &PartUse, item: NodeId) -> String {
    let mut raw = String::new();
    if let Some(leaf) = node(slots, item, &part.target) {
        let text = slots.text(leaf);
        encode(text, &part.def, part.codes.as_deref(), &mut raw);
    }
    raw
}

/// Puts emissions into the order in which their uses were read; what that order does not name
/// goes last.
fn reorder(guide: &Guide, mut emissions: Vec<Emission>, order: &[String]) -> Vec<Emission> {
    let mut sorted = Vec::with_capacity(emissions.len());
    for key in order {
        if let Some(next) = emissions.iter().position(|e| guide.uses[e.id].key == *key) {
            sorted.push(emissions.remove(next));
        }
    }
    sorted.extend(emissions);
    sorted
}
