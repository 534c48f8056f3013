//! [`Demand`]s over segments: in each one at once, and over several when their loop ends.

use chrono::NaiveDate;

use super::super::dictionary::Usage;
use super::super::explain::{forms, related};
use super::super::guide::{Guide, PartUse, Pattern, Use, UseId};
use super::super::read::{MAX_FINDINGS, Next, Reader};
use super::super::value::{decode, fault};
use super::{Condition, Demand, Home, Operand, Relation, Spot, What, conditions_in_words};
use crate::canonical::Decimal;
use crate::x12::{
    Delimiters, Fault, Finding, Location, Position, Segment, Segments, Severity, Text, Value,
    components, repetitions, text,
};

/// The segments that demands still ask for.
#[derive(Default)]
pub(crate) struct Watched {
    kept: Vec<Kept>,
    /// How many there were, those that are gone too.
    pub(crate) count: usize,
}

/// A segment that is needed until a loop ends.
struct Kept {
    id: UseId,
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
    position: Position,
}

impl Kept {
    fn segment(&self) -> Segment<'_> {
        Segment::new(&self.bytes, &self.ends, &self.position)
    }
}

/// What a written set breaks, as errors: it must not go out.
pub(crate) fn faults(guide: &Guide, segments: &Segments, delimiters: &Delimiters) -> Vec<Finding> {
    if guide.demands.is_empty() {
        return Vec::new();
    }
    let found = Reader::checking(guide, delimiters)
        .over(segments)
        .findings();
    let mut found: Vec<Finding> = found.into_iter().filter(|f| f.fault.is_demand()).collect();
    for finding in &mut found {
        finding.severity = Severity::Error;
    }
    found
}

impl Reader<'_> {
    /// Judges what can be judged in a segment that was bound, and keeps it where a demand asks for
    /// it later.
    pub(crate) fn watch(&mut self, segment: &Segment<'_>, id: UseId) {
        let guide = self.guide;
        let Some((depth, keep)) = guide.uses[id].watch else {
            return;
        };
        for demand in &guide.demands {
            if demand.owner == id && demand.home == Home::Segment {
                let found = self.judge(demand, segment);
                found.into_iter().for_each(|finding| self.tell(finding));
            }
        }
        // A hostile set may have a million of them: nobody reads so many findings.
        if keep <= depth && self.watched.kept.len() < MAX_FINDINGS {
            self.watched.count += 1;
            self.watched.kept.push(Kept {
                id,
                bytes: segment.bytes().into(),
                ends: segment.ends().into(),
                position: segment.position(),
            });
        }
    }

    /// Judges what the end of the top frame makes known, and lets go what no loop around it asks.
    pub(crate) fn judge_loop(&mut self, next: &Next<'_>) {
        let guide = self.guide;
        if guide.demands.is_empty() {
            return;
        }
        let here = self.frames.len() - 1;
        let home = Home::Loop(self.frames[here].owner);
        let mut found = Vec::new();
        for demand in guide.demands.iter().filter(|demand| demand.home == home) {
            let own = self
                .watched
                .kept
                .iter()
                .filter(|kept| kept.id == demand.owner);
            match (&demand.what, demand.at) {
                (What::Usage(Usage::Mandatory), None) => {
                    if own.count() == 0 && self.all_hold(&demand.with, None) {
                        found.push(self.absent_use(demand, next));
                    }
                }
                _ => found.extend(own.flat_map(|kept| self.judge(demand, &kept.segment()))),
            }
        }
        found.into_iter().for_each(|finding| self.tell(finding));
        self.watched.kept.retain(|kept| {
            let (depth, keep) = guide.uses[kept.id].watch.unwrap_or_default();
            depth < here || keep < here
        });
    }

    /// What one segment breaks.
    fn judge(&self, demand: &Demand, segment: &Segment<'_>) -> Vec<Finding> {
        let one = &self.guide.uses[demand.owner];
        let Some((element, component)) = demand.at else {
            return Vec::from_iter(self.unwanted_use(demand, one, segment));
        };
        let place = &one.places[element - 1];
        let part = &place.parts[component.saturating_sub(1)];
        let raw = segment.element(element);
        let told = |repetition: usize, fault, message: Text, fix: Text| {
            let mut location = Location::of_element(segment, element);
            location.in_loop = self.loop_name(one);
            location.component = (component > 0).then_some(component as u32);
            location.repetition = (repetition > 0).then_some(repetition as u32 + 1);
            location.data_element = part.def.number.parse().ok();
            let message = text!("{place}: {message}", place = location.designator(), message);
            Finding::new(fault, location, message, fix)
        };
        if !self.all_hold(&demand.with, Some((demand.owner, segment))) {
            return Vec::new();
        }
        if let What::Usage(usage) = &demand.what {
            let is_there = match component {
                0 => !raw.is_empty(),
                _ => !self.text(raw, component).is_empty(),
            };
            if is_there == (*usage == Usage::Mandatory) {
                return Vec::new();
            }
            let (fault, message, fix) = absent_or_unwanted(part, *usage, &demand.with);
            return vec![told(0, fault, message, fix)];
        }
        let mut found = Vec::new();
        for (repetition, raw) in repetitions(raw, &self.delimiters).enumerate() {
            let value = self.text(raw, component);
            if value.is_empty() {
                continue;
            }
            let broken = match &demand.what {
                What::Form(all) if all.iter().any(|form| form.takes(&value)) => None,
                What::Form(all) => Some((Fault::ElementForm, forms(part, &value, all))),
                What::Compare(relation, operand) => {
                    let other = self.other(operand, demand.owner, segment);
                    let broken = other.filter(|other| !holds(part, &value, *relation, other));
                    broken.map(|other| {
                        (
                            Fault::ValueBounds,
                            related(part, &value, relation.sign(), operand.words(), &other.shown),
                        )
                    })
                }
                What::Usage(_) => None,
            };
            found.extend(
                broken.map(|(fault, (message, fix))| told(repetition, fault, message, fix)),
            );
        }
        found
    }

    /// A component of an element, or all of it, as text.
    fn text(&self, raw: &[u8], component: usize) -> String {
        let raw = match component {
            0 => raw,
            n => components(raw, &self.delimiters).nth(n - 1).unwrap_or(b""),
        };
        String::from_utf8_lossy(raw).into_owned()
    }

    /// The values that stand at a place: of the segment that asks, else of all that were kept.
    fn values(&self, spot: Spot, own: Option<(UseId, &Segment<'_>)>) -> Vec<String> {
        let value =
            |segment: &Segment<'_>| self.text(segment.element(spot.element), spot.component);
        match own {
            Some((id, segment)) if id == spot.id => vec![value(segment)],
            _ => {
                let kept = self.watched.kept.iter().filter(|kept| kept.id == spot.id);
                kept.map(|kept| value(&kept.segment())).collect()
            }
        }
    }

    fn all_hold(&self, conditions: &[Condition], own: Option<(UseId, &Segment<'_>)>) -> bool {
        let holds = |condition: &Condition| condition.holds(&self.values(condition.spot, own));
        conditions.iter().all(holds)
    }

    /// What a value is compared with; `None` where that is not there.
    fn other(&self, operand: &Operand, owner: UseId, own: &Segment<'_>) -> Option<Other> {
        match operand {
            Operand::Number(number) => Some(Other::number(*number, String::new())),
            Operand::Today(days) => {
                let day = self
                    .guide
                    .today?
                    .checked_add_signed(chrono::TimeDelta::days(*days))?;
                let shown = day.format("%Y%m%d").to_string();
                Some(Other {
                    canonical: day.to_string(),
                    number: None,
                    shown,
                })
            }
            Operand::Value(_, spot, days) => {
                let value = self
                    .values(*spot, Some((owner, own)))
                    .into_iter()
                    .find(|v| !v.is_empty())?;
                let place = &self.guide.uses[spot.id].places[spot.element - 1];
                let canonical = canonical(&place.parts[spot.component.saturating_sub(1)], &value)?;
                let number = canonical.parse().ok();
                let day = canonical.parse::<NaiveDate>().ok().filter(|_| *days != 0);
                let day =
                    day.and_then(|day| day.checked_add_signed(chrono::TimeDelta::days(*days)));
                let canonical = day.map_or(canonical, |day| day.to_string());
                Some(Other {
                    canonical,
                    number,
                    shown: value,
                })
            }
        }
    }

    /// A use that is asked for and did not come.
    fn absent_use(&self, demand: &Demand, next: &Next<'_>) -> Finding {
        let conditions = &demand.with;
        let one = &self.guide.uses[demand.owner];
        let location = Location {
            tag: one.tag.clone(),
            in_loop: one.parent.map(|id| self.guide.uses[id].key.clone()),
            ..next.location()
        };
        let message = text!(
            "{key} ({name}) is missing: the guide asks for it where {conditions}",
            key = shown(one),
            name = Value::word(self.segment_name(one)),
            conditions = conditions_in_words(conditions)
        );
        let fix = text!(
            "add {key}, or correct the value that asks for it",
            key = shown(one)
        );
        Finding::new(Fault::SegmentWith, location, message, fix)
    }

    fn segment_name(&self, one: &Use) -> &str {
        let def = self.guide.dictionary.segment(&one.tag);
        def.map_or("", |def| &def.name)
    }

    /// A use that came where it may not.
    fn unwanted_use(&self, demand: &Demand, one: &Use, segment: &Segment<'_>) -> Option<Finding> {
        let conditions = &demand.with;
        if !matches!(demand.what, What::Usage(Usage::NotUsed)) || !self.all_hold(conditions, None) {
            return None;
        }
        let mut location = Location::of(segment);
        location.in_loop = self.loop_name(one);
        let message = text!(
            "{key} ({name}) is not used where {conditions}",
            key = shown(one),
            name = Value::word(self.segment_name(one)),
            conditions = conditions_in_words(conditions)
        );
        let fix = text!("leave it out, or correct the value that forbids it");
        Some(Finding::new(Fault::SegmentWithout, location, message, fix))
    }
}

/// A use as people know it: `REF*BM`.
fn shown(one: &Use) -> String {
    match one.when.first().map(|when| &when.patterns[..]) {
        Some([Pattern::Is(value)]) => format!("{}*{value}", one.tag),
        _ => one.key.clone(),
    }
}

fn absent_or_unwanted(
    part: &PartUse,
    usage: Usage,
    conditions: &[Condition],
) -> (Fault, Text, Text) {
    let name = Value::word(&part.def.name);
    let conditions = conditions_in_words(conditions);
    match usage {
        Usage::Mandatory => (
            Fault::ElementWith,
            text!(
                "{name} is missing: the guide asks for it where {conditions}",
                name,
                conditions
            ),
            text!("fill it, or correct the value that asks for it"),
        ),
        _ => (
            Fault::ElementWithout,
            text!("{name} is not used where {conditions}", name, conditions),
            text!("leave it empty, or correct the value that forbids it"),
        ),
    }
}

/// The value that another is compared with.
struct Other {
    canonical: String,
    number: Option<Decimal>,
    /// As the partner sent it; nothing for what the guide itself says.
    shown: String,
}

impl Other {
    fn number(number: Decimal, shown: String) -> Other {
        Other {
            canonical: number.to_string(),
            number: Some(number),
            shown,
        }
    }
}

/// A value in its canonical form; `None` where it is none of its type.
fn canonical(part: &PartUse, value: &str) -> Option<String> {
    let mut canonical = String::new();
    let of_type = matches!(
        fault(value, &part.def),
        None | Some(Fault::ElementTooShort | Fault::ElementTooLong)
    );
    (of_type && decode(value, part.def.data, None, &mut canonical)).then_some(canonical)
}

/// Whether a value stands so to another. What has no value of its type is told elsewhere.
fn holds(part: &PartUse, value: &str, relation: Relation, other: &Other) -> bool {
    let Some(canonical) = canonical(part, value) else {
        return true;
    };
    let order = match (canonical.parse::<Decimal>(), other.number) {
        (Ok(number), Some(other)) => number.value().cmp(&other.value()),
        _ => canonical.as_str().cmp(&other.canonical),
    };
    relation.holds(order)
}
