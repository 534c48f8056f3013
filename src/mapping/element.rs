//! The elements of one bound segment: checked against dictionary and guide, decoded, and put
//! into their slots.

use std::borrow::Cow;

use super::check_digit;
use super::dictionary::{DataType, Usage};
use super::explain::{broken, explain, instead, placeless};
use super::guide::{ITEM, PartUse, PlaceUse, Rule, Use};
use super::plan::Layout;
use super::reach::{reckon, walk};
use super::read::Reader;
use super::slots::{Kind, NodeId};
use super::value::{decode, encode, fault};
use crate::canonical::Decimal;
use crate::x12::{Fault, Finding, Location, Segment, Severity, Text, Value, components, text};

/// A segment's use, and where its values go.
pub(crate) struct Bound<'g> {
    pub(crate) one: &'g Use,
    pub(crate) layout: &'g Layout,
    pub(crate) scope: Option<NodeId>,
    pub(crate) occurrence: u32,
}

/// A derived value that is compared when the whole set has been read.
pub(crate) struct Deferred<'g> {
    rule: &'g Rule,
    tally: Option<usize>,
    scope: NodeId,
    value: String,
    location: Location,
}

/// Where one value stands. An element as a whole is component and repetition 0.
#[derive(Clone, Copy)]
struct Spot<'a, 'g> {
    segment: &'a Segment<'a>,
    bound: &'a Bound<'g>,
    element: usize,
    component: usize,
    repetition: usize,
}

impl<'a, 'g> Spot<'a, 'g> {
    fn element(segment: &'a Segment<'a>, bound: &'a Bound<'g>, element: usize) -> Spot<'a, 'g> {
        Spot {
            segment,
            bound,
            element,
            component: 0,
            repetition: 0,
        }
    }
}

impl<'g> Reader<'g> {
    /// Checks a segment's elements and puts their values into their slots.
    #[inline]
    pub(crate) fn elements(&mut self, segment: &Segment<'_>, bound: &Bound<'g>) {
        match bound.layout.is_sound(segment, &self.delimiters) {
            true if bound.scope.is_some() || self.guide.document.is_none() => {
                self.sound(segment, bound);
            }
            _ => self.unsound(segment, bound),
        }
    }

    /// The elements of a segment of which nothing is to be told.
    fn sound(&mut self, segment: &Segment<'_>, bound: &Bound<'g>) {
        let (one, layout) = (bound.one, bound.layout);
        for &(element, tally) in &layout.sums {
            self.add(
                tally,
                segment.element(usize::from(element)),
                &one.places[usize::from(element) - 1].parts[0],
            );
        }
        if !self.live {
            return;
        }
        if let (Some(moves), Some(scope)) = (&layout.moves, bound.scope)
            && self.slots.is_empty(scope)
        {
            let (bytes, slots) = (segment.bytes(), &mut self.slots);
            moves.make(bytes, segment.ends(), scope, slots, &mut self.buffer);
            return;
        }
        // A sound segment is ASCII: it is looked at once, and not element by element.
        let text = std::str::from_utf8(segment.bytes()).unwrap_or_default();
        let mut groups = Groups::default();
        let mut start = segment.tag().len() + 1;
        for (place, &end) in one.places.iter().zip(&segment.ends()[1..]) {
            let raw = text.get(start..end as usize).unwrap_or_default();
            start = end as usize + 1;
            if raw.is_empty() {
                continue;
            }
            let part = &place.parts[0];
            match (part.codes.as_deref(), part.def.data) {
                (Some(codes), _) => {
                    let word = codes.word(raw).unwrap_or_default();
                    self.store(bound, part, word, &mut groups);
                }
                // A sound number is in its canonical form already.
                (None, DataType::Text | DataType::Id | DataType::Decimal) => {
                    self.store(bound, part, raw, &mut groups);
                }
                (None, data) => {
                    let mut buffer = std::mem::take(&mut self.buffer);
                    if decode(raw, data, None, &mut buffer) {
                        self.store(bound, part, &buffer, &mut groups);
                    }
                    self.buffer = buffer;
                }
            }
        }
    }

    /// Adds a value of an element to a sum.
    fn add(&mut self, tally: u16, raw: &[u8], part: &PartUse) {
        let mut canonical = std::mem::take(&mut self.buffer);
        let text = std::str::from_utf8(raw).unwrap_or_default();
        if decode(text, part.def.data, None, &mut canonical)
            && let Ok(more) = canonical.parse()
        {
            self.tally(tally, more);
        }
        self.buffer = canonical;
    }

    /// The elements one by one, with all that is to be told.
    fn unsound(&mut self, segment: &Segment<'_>, bound: &Bound<'g>) {
        let one = bound.one;
        let mut groups = Groups::default();
        for number in 1..=segment.count().max(one.last_due) {
            let raw = segment.element(number);
            let Some(place) = one.places.get(number - 1) else {
                self.beyond(segment, bound, number);
                break;
            };
            let spot = Spot::element(segment, bound, number);
            if raw.is_empty() {
                self.absent(spot, place);
                continue;
            }
            if place.usage == Usage::NotUsed {
                let text = String::from_utf8_lossy(raw);
                let name = &place.parts[0].def.name;
                let message = text!(
                    "{name} ({text}) is not used in this guide",
                    name = Value::word(name),
                    text = Value::quoted(&text)
                );
                self.at(
                    spot,
                    Fault::SegmentNotUsed,
                    message,
                    text!("leave it empty"),
                );
            }
            self.place(spot, raw, place, &mut groups);
        }
        self.notes(segment, bound);
        for &(qualifier, number) in &bound.layout.numbers {
            if let Some(due) = check_digit::due(segment, (qualifier, number)) {
                let spot = Spot::element(segment, bound, usize::from(number));
                let text = String::from_utf8_lossy(segment.element(usize::from(number)));
                let message = text!(
                    "{text} ends in a wrong check digit; {due} is due",
                    text = Value::quoted(&text),
                    due
                );
                self.at(
                    spot,
                    Fault::CheckDigit,
                    message,
                    text!("compare it with the label"),
                );
            }
        }
    }

    /// One element: its repetitions, and the components of each.
    fn place(&mut self, whole: Spot<'_, 'g>, raw: &[u8], place: &'g PlaceUse, groups: &mut Groups) {
        let delimiters = self.delimiters;
        for (repetition, raw) in crate::x12::repetitions(raw, &delimiters).enumerate() {
            let spot = Spot {
                repetition,
                ..whole
            };
            if repetition as u32 == place.max {
                let name = &place.parts[0].def.name;
                let message = text!(
                    "{name} repeats more than {max} time(s)",
                    name = Value::word(name),
                    max = place.max
                );
                let fix = text!("send fewer repetitions");
                self.at(whole, Fault::ElementTooMany, message, fix);
            }
            if place.composite {
                self.composite(spot, raw, place, groups);
            } else if !raw.is_empty() {
                if raw.contains(&delimiters.component) {
                    let separator = char::from(delimiters.component).escape_default();
                    let text = String::from_utf8_lossy(raw);
                    let message = text!(
                        "{text} holds the component separator {separator}, and is no composite",
                        text = Value::quoted(&text),
                        separator = separator.to_string()
                    );
                    let fix = text!("choose a separator that does not occur in data");
                    self.at(spot, Fault::ElementCharacter, message, fix);
                }
                self.value(spot, raw, &place.parts[0], groups);
            }
        }
    }

    /// The components of one repetition.
    fn composite(
        &mut self,
        mut spot: Spot<'_, 'g>,
        raw: &[u8],
        place: &'g PlaceUse,
        groups: &mut Groups,
    ) {
        let whole = Spot::element(spot.segment, spot.bound, spot.element);
        let delimiters = self.delimiters;
        for (index, raw) in components(raw, &delimiters).enumerate() {
            spot.component = index + 1;
            match place.parts.get(index) {
                Some(part) if !raw.is_empty() => self.value(spot, raw, part, groups),
                Some(part) if part.usage == Usage::Mandatory => {
                    let message = text!(
                        "component {index} ({name}) is missing",
                        index = index + 1,
                        name = Value::word(&part.def.name)
                    );
                    self.at(whole, Fault::ElementMissing, message, text!("fill it"));
                }
                Some(_) => {}
                None => {
                    let count = place.parts.len();
                    let message = text!("the composite has only {count} components", count);
                    self.at(
                        whole,
                        Fault::ElementTooMany,
                        message,
                        text!("remove the rest"),
                    );
                    break;
                }
            }
        }
    }

    /// One value: checked, decoded, stored.
    fn value(&mut self, spot: Spot<'_, 'g>, raw: &[u8], part: &'g PartUse, groups: &mut Groups) {
        let text = self.characters(spot, raw);
        let text = text.as_ref();
        let fault = fault(text, &part.def);
        self.tell_value(spot, text, part, fault);
        let holds = matches!(
            fault,
            None | Some(Fault::ElementTooShort | Fault::ElementTooLong)
        ) || (fault == Some(Fault::ElementCharacter)
            && part.ext_form() == super::shape::Form::Text);
        let mut buffer = std::mem::take(&mut self.buffer);
        let held = holds
            && decode(text, part.def.data, part.codes.as_deref(), &mut buffer)
            && (!part.counts() || buffer.parse::<u32>().is_ok());
        if held {
            self.normal(spot, text, &buffer, part);
        }
        let stored =
            held && !groups.holds(spot, part) && self.store(spot.bound, part, &buffer, groups);
        if stored && spot.component == 0 {
            for &(element, tally) in &spot.bound.layout.sums {
                if usize::from(element) == spot.element {
                    self.add(tally, raw, part);
                }
            }
        }
        if stored && part.run.is_some() && groups.gap {
            groups.gap = false;
            let message = text!("the groups before it are empty: they are not written again");
            self.at(spot, Fault::Normalised, message, Text::default());
        }
        self.buffer = buffer;
        let made = self.made(spot, text, part);
        if !stored && !made && self.guide.document.is_some() {
            let (message, fix) = placeless(&part.def.name, text, held);
            self.at(spot, Fault::Unmapped, message, fix);
        }
    }

    /// What is wrong with a value. A code of a wrong length is told once: as the code that was
    /// meant where one is near, else by its length.
    fn tell_value(&mut self, spot: Spot<'_, 'g>, text: &str, part: &PartUse, fault: Option<Fault>) {
        let unlisted = part.codes.as_deref().filter(|c| c.word(text).is_none());
        let near = unlisted.and_then(|codes| codes.nearest(text));
        let wrong_length = matches!(fault, Some(Fault::ElementTooShort | Fault::ElementTooLong));
        if let Some(fault) = fault.filter(|_| !wrong_length || near.is_none()) {
            let (message, fix) = explain(fault, text, part);
            let fix = match unlisted.filter(|_| wrong_length) {
                Some(codes) => instead(codes, None),
                None => fix,
            };
            self.at(spot, fault, message, fix);
        }
        let Some(codes) = unlisted.filter(|_| !wrong_length || near.is_some()) else {
            return;
        };
        let (shown, name) = (Value::quoted(text), Value::word(&part.def.name));
        let message = match near {
            Some(code) => {
                text!(
                    "{shown} is not a code of {name}; did you mean {code}?",
                    shown,
                    name,
                    code
                )
            }
            None => text!("{shown} is not a code of {name}", shown, name),
        };
        let told = self.findings.len();
        self.at(spot, Fault::ElementCode, message, instead(codes, near));
        // Our lists may lack a code of the standard's; none has a length that the element has not.
        if let Some(finding) = self.findings.get_mut(told).filter(|_| wrong_length) {
            finding.severity = Severity::Error;
        }
    }

    fn characters<'a>(&mut self, spot: Spot<'_, 'g>, raw: &'a [u8]) -> Cow<'a, str> {
        match std::str::from_utf8(raw) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let text: String = raw.iter().copied().map(char::from).collect();
                let message = text!(
                    "{text} holds bytes that are not UTF-8: read as Latin-1",
                    text = Value::quoted(&text)
                );
                let fix = text!("agree on a character set with the partner");
                self.at(spot, Fault::NotUtf8, message, fix);
                Cow::Owned(text)
            }
        }
    }

    /// Notes a value whose normal form is written in another way.
    fn normal(&mut self, spot: Spot<'_, 'g>, text: &str, canonical: &str, part: &PartUse) {
        if part.codes.is_some() || part.ext_form() != super::shape::Form::Decimal {
            return;
        }
        let mut again = String::new();
        if encode(canonical, &part.def, None, &mut again) && again != text {
            let message = text!(
                "{text} is written as {again}",
                text = Value::quoted(text),
                again = Value::quoted(&again)
            );
            self.at(spot, Fault::Normalised, message, Text::default());
        }
    }

    /// Puts a value into its slot; `false` where it has none, or the slot is taken.
    fn store(
        &mut self,
        bound: &Bound<'g>,
        part: &'g PartUse,
        text: &str,
        groups: &mut Groups,
    ) -> bool {
        let Some(scope) = bound.scope else {
            return false;
        };
        if let Some((run, group, field)) = part.run {
            let run = &bound.one.runs[run];
            let is_new = groups.enter(group);
            if !self.live {
                return true;
            }
            let list = walk(&mut self.slots, scope, &run.list);
            let Kind::Struct(_) = run.item else {
                self.slots.push_leaf(list, 0, run.item, text);
                return true;
            };
            if is_new {
                groups.item = self.slots.push(list, 0, run.item);
            }
            let item = groups.item;
            let step = run.fields[field];
            self.slots.push_leaf(item, step.slot, step.kind, text);
            return true;
        }
        let Some((last, steps)) = part.target.split_last() else {
            return false;
        };
        if !self.live {
            return true;
        }
        let parent = walk(&mut self.slots, scope, steps);
        match last.kind {
            Kind::ExtLeaf(_) | Kind::Leaf(_) if last.slot == ITEM => {}
            _ if self.slots.child(parent, last.slot).is_some() => return false,
            _ => {}
        }
        self.slots.push_leaf(
            parent,
            if last.slot == ITEM { 0 } else { last.slot },
            last.kind,
            text,
        );
        true
    }

    /// Compares a value that the guide makes; `true` where it makes one.
    fn made(&mut self, spot: Spot<'_, 'g>, text: &str, part: &'g PartUse) -> bool {
        let bound = spot.bound;
        let due = match (&part.is, bound.scope) {
            (None, _) => return false,
            (Some(Rule::Constant(due)), _) => due.clone(),
            (Some(Rule::Seq), _) => {
                let frame = self.frames.last().filter(|_| bound.one.children.is_empty());
                (frame.map_or(bound.occurrence, |f| f.occurrence) + 1).to_string()
            }
            (Some(rule @ (Rule::Count(..) | Rule::Sum(_))), Some(scope)) => {
                let location = self.locate(spot);
                let tally = self.plan.tally(rule).filter(|_| self.plan.tallied);
                self.deferred.push(Deferred {
                    rule,
                    tally,
                    scope,
                    value: text.to_owned(),
                    location,
                });
                return true;
            }
            _ => return true,
        };
        if due != text {
            let message = text!(
                "{name} is {text} where {due} is due",
                name = Value::word(&part.def.name),
                text = Value::quoted(text),
                due = Value::quoted(&due)
            );
            self.at(spot, Fault::ValueDiffers, message, text!("send {due}", due));
        }
        true
    }

    /// Compares counts and sums, now that everything has been read.
    pub(crate) fn settle(&mut self) {
        for deferred in std::mem::take(&mut self.deferred) {
            let due = match (deferred.tally, deferred.rule) {
                (Some(tally), Rule::Count(..)) => self.counted[tally].to_string(),
                (Some(tally), _) => self.tallies[tally].value().normalize().to_string(),
                (None, rule) => reckon(&self.slots, deferred.scope, rule),
            };
            let number = |text: &str| text.parse::<Decimal>().ok().map(Decimal::value);
            let (fault, fix) = match number(&deferred.value) == number(&due) {
                true if deferred.value == due => continue,
                true => (Fault::Normalised, Text::default()),
                false => (
                    Fault::ValueDiffers,
                    text!("send {due}, or look for what is missing", due = &due),
                ),
            };
            let place = deferred.location.designator();
            let message = text!(
                "{place}: {value} where the set has {due}",
                place,
                value = Value::quoted(&deferred.value),
                due
            );
            self.tell(Finding::new(fault, deferred.location, message, fix));
        }
    }

    fn absent(&mut self, spot: Spot<'_, 'g>, place: &PlaceUse) {
        if place.usage == Usage::Mandatory {
            let name = &place.parts[0].def.name;
            let message = text!("{name} is missing", name = Value::word(name));
            let fix = text!(
                "fill {place}",
                place = format!("{}{:02}", spot.bound.one.tag, spot.element)
            );
            self.at(spot, Fault::ElementMissing, message, fix);
        }
    }

    /// Elements after the last that the segment has.
    fn beyond(&mut self, segment: &Segment<'_>, bound: &Bound<'g>, first: usize) {
        for number in first..=segment.count() {
            let raw = segment.element(number);
            if !raw.is_empty() {
                let text = String::from_utf8_lossy(raw);
                let message = text!(
                    "{tag} has {count} elements; {text} is beyond them",
                    tag = &bound.one.tag,
                    count = first - 1,
                    text = Value::quoted(&text)
                );
                let spot = Spot::element(segment, bound, number);
                self.at(spot, Fault::ElementTooMany, message, text!("remove it"));
            }
        }
    }

    /// The syntax notes.
    fn notes(&mut self, segment: &Segment<'_>, bound: &Bound<'g>) {
        for note in bound.one.notes.iter() {
            if note.holds(|e| !segment.element(e).is_empty()) {
                continue;
            }
            let empty = note
                .elements
                .iter()
                .find(|&&e| segment.element(e).is_empty());
            let number = empty.copied().unwrap_or(note.elements[0]);
            let (fault, message, fix) = broken(note, &bound.one.tag, number);
            let spot = Spot::element(segment, bound, number);
            let told = self.findings.len();
            self.at(spot, fault, message, fix);
            if note.tolerated
                && let Some(finding) = self.findings.get_mut(told)
            {
                finding.severity = Severity::Warning;
            }
        }
    }

    fn locate(&self, spot: Spot<'_, 'g>) -> Location {
        let mut location = Location::of_element(spot.segment, spot.element);
        location.in_loop = self.loop_name(spot.bound.one);
        location.component = (spot.component > 0).then_some(spot.component as u32);
        location.repetition = (spot.repetition > 0).then_some(spot.repetition as u32 + 1);
        let place = spot.bound.one.places.get(spot.element.wrapping_sub(1));
        let part = place.and_then(|place| match (place.composite, spot.component) {
            // A composite as a whole has no number.
            (true, component) => place.parts.get(component.checked_sub(1)?),
            (false, _) => place.parts.first(),
        });
        location.data_element = part.and_then(|part| part.def.number.parse().ok());
        location
    }

    fn at(&mut self, spot: Spot<'_, 'g>, fault: Fault, message: Text, fix: Text) {
        let location = self.locate(spot);
        let message = text!("{place}: {message}", place = location.designator(), message);
        self.tell(Finding::new(fault, location, message, fix));
    }
}

/// The item of a run that is being filled.
#[derive(Default)]
struct Groups {
    current: Option<u32>,
    item: NodeId,
    /// Whether a group before the current one was left out.
    gap: bool,
    /// Elements and components that have filled their single field.
    filled: Vec<(usize, usize)>,
}

impl Groups {
    /// Whether an earlier repetition has taken the field; else this one takes it.
    fn holds(&mut self, spot: Spot<'_, '_>, part: &PartUse) -> bool {
        let many = part.target.last().is_some_and(|step| step.slot == ITEM);
        let single = !many && (part.run.is_some() || !part.target.is_empty());
        let place = (spot.element, spot.component);
        let held = single && self.filled.contains(&place);
        if single && !held {
            self.filled.push(place);
        }
        held
    }

    /// Goes to a group; `true` where it begins.
    #[inline]
    fn enter(&mut self, group: u32) -> bool {
        if self.current == Some(group) {
            return false;
        }
        self.gap |= group != self.current.map_or(0, |last| last + 1);
        self.current = Some(group);
        true
    }
}
