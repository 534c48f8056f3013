//! What reading tells of whole segments: missing, too many, too late, not used, unknown, and
//! written together.

use super::dictionary::Usage;
use super::guide::{Use, UseId};
use super::plan::Due;
use super::read::{Fit, MAX_FINDINGS, Next, Reader};
use super::source::nearest;
use crate::x12::{Fault, Finding, Location, Segment, Text, Value, text};

impl Reader<'_> {
    /// Notes a segment whose values go on in a list that the segment before it had room for: they
    /// are written in that one.
    pub(super) fn joined(&mut self, segment: &Segment<'_>, id: UseId, occurrence: u32) {
        let one = &self.guide.uses[id];
        let Some(run) = one.runs.first() else { return };
        let before = match self.listed {
            Some((of, groups)) if of == id && occurrence > 0 => groups,
            _ => 0,
        };
        if before % run.n > 0 {
            let mut location = Location::of(segment);
            location.in_loop = self.loop_name(one);
            let message = text!(
                "{tag} is written together with the one before it",
                tag = &one.tag
            );
            self.tell(Finding::new(
                Fault::Normalised,
                location,
                message,
                Text::default(),
            ));
        }
        let width = run.fields.len().max(1);
        let is_filled = |group: &usize| {
            let first = run.first + group * width;
            (first..first + width).any(|element| !segment.element(element).is_empty())
        };
        let elements = (segment.count() + 1).saturating_sub(run.first);
        let most = elements.div_ceil(width).min(run.n);
        let groups = (0..most).filter(is_filled).count();
        self.listed = Some((id, before + groups));
    }

    /// Reports mandatory uses of the top frame between two positions that did not come.
    #[inline]
    pub(super) fn missing(&mut self, from: u32, to: u32, next: &Next<'_>) {
        let frame = self
            .frames
            .last()
            .expect("the set's own frame is never closed");
        let due = self.plan.due(frame.owner);
        let counts = &self.counts[frame.counts..];
        let missed = |due: &&Due| {
            (from..to).contains(&due.order)
                && counts[usize::from(due.child)] == 0
                && due
                    .group
                    .is_none_or(|group| counts[usize::from(group)] == 0)
        };
        if due.iter().any(|due| missed(&due)) {
            let children = self.guide.children(frame.owner);
            let found = due.iter().filter(missed);
            let found = found.map(|due| children[usize::from(due.child)]);
            self.tell_missing(found.collect(), next);
        }
    }

    #[cold]
    fn tell_missing(&mut self, found: Vec<UseId>, next: &Next<'_>) {
        let guide = self.guide;
        let owner = self.frames.last().and_then(|frame| frame.owner);
        let in_loop = owner.map(|id| guide.uses[id].key.clone());
        let here = &next.location();
        for id in found {
            let one = &guide.uses[id];
            let name = guide.dictionary.segment(&one.tag).map_or("", |d| &*d.name);
            let qualifier = match one.when.first().map(|w| &w.patterns[..]) {
                Some([super::guide::Pattern::Is(value)]) => format!("*{value}"),
                _ => String::new(),
            };
            let before = match here.tag.is_empty() {
                true => text!("the end of the set").into(),
                false => Value::from(&here.tag),
            };
            let message = text!(
                "{tag}{qualifier} ({name}) is missing; it was due before {before}",
                tag = &one.tag,
                qualifier = &qualifier,
                name = Value::word(name),
                before
            );
            let fix = text!(
                "add the segment {tag}{qualifier} here",
                tag = &one.tag,
                qualifier
            );
            let location = Location {
                tag: one.tag.clone(),
                in_loop: in_loop.clone(),
                ..here.clone()
            };
            self.tell(Finding::new(Fault::SegmentMissing, location, message, fix));
        }
    }

    pub(super) fn placed_badly(&mut self, segment: &Segment<'_>, one: &Use, fit: &Fit<'_>) {
        let tag = &one.tag;
        let mut location = Location::of(segment);
        location.in_loop = self.loop_name(one);
        if fit.behind {
            let message = text!(
                "{tag} comes too late: its place is before the segments just read",
                tag
            );
            let fix = text!(
                "move {tag} to its place in the guide (position {pos})",
                tag,
                pos = format!("{:03}", one.order & 0xff_ffff)
            );
            self.tell(Finding::new(
                Fault::SegmentOrder,
                location.clone(),
                message,
                fix,
            ));
        }
        if one.usage == Usage::NotUsed {
            let message = text!("{key} is not used in this guide", key = &one.key);
            let fix = text!("leave it out, or ask the partner whether the guide is still true");
            self.tell(Finding::new(
                Fault::SegmentNotUsed,
                location.clone(),
                message,
                fix,
            ));
        }
        if fit.full {
            let is_loop = !one.children.is_empty();
            let most = one.group_max.min(one.capacity());
            let times = match most {
                1 => text!("once"),
                n => text!("{n} times", n),
            };
            let key = &one.key;
            let (fault, message) = match is_loop {
                true => (
                    Fault::LoopTooMany,
                    text!("loop {key} occurs more than {times} here", key, times),
                ),
                false => (
                    Fault::SegmentTooMany,
                    text!("{key} occurs more than {times} here", key, times),
                ),
            };
            let fix = text!("send at most {most} here", most);
            self.tell(Finding::new(fault, location, message, fix));
        }
    }

    /// A segment that no use takes.
    pub(super) fn homeless(&mut self, segment: &Segment<'_>) {
        let mut location = Location::of(segment);
        location.in_loop = self
            .frames
            .last()
            .and_then(|f| Some(self.guide.uses[f.owner?].key.clone()));
        let tag = location.tag.clone();
        let segment = format!("{segment:?}");
        let known = self.guide.dictionary.segment(&tag.to_ascii_uppercase());
        let finding = match known {
            Some(def) => {
                let message = text!(
                    "{segment}: {set} {tag} ({name}) has no place here",
                    segment,
                    set = &self.guide.set,
                    tag,
                    name = Value::word(&def.name)
                );
                let fix = text!("remove it, or move it to where the guide has it");
                Finding::new(Fault::SegmentUnexpected, location, message, fix)
            }
            None => {
                let tags = self.guide.dictionary.tags();
                let message = match nearest(&tag, tags.iter().copied()) {
                    Some(near) => text!(
                        "{segment}: there is no segment {tag}; did you mean {near}?",
                        segment,
                        tag,
                        near = Value::quoted(near)
                    ),
                    None => text!("{segment}: there is no segment {tag}", segment, tag),
                };
                Finding::new(
                    Fault::SegmentUnknown,
                    location,
                    message,
                    text!("remove it or correct its identifier"),
                )
            }
        };
        self.tell(finding);
    }

    /// The loop that a use belongs to, for a finding.
    pub(crate) fn loop_name(&self, one: &Use) -> Option<String> {
        if !one.children.is_empty() {
            return Some(one.key.clone());
        }
        one.parent.map(|id| self.guide.uses[id].key.clone())
    }

    pub(crate) fn tell(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else if self.findings.len() == MAX_FINDINGS {
            let message = text!(
                "more than {limit} findings in one set: the rest is not listed",
                limit = MAX_FINDINGS
            );
            let fix = text!("correct what is listed and check again");
            self.findings
                .push(Finding::new(Fault::TooLong, finding.location, message, fix));
        }
    }

    /// Notes segments that writing would add because the guide makes their values, as CTT.
    pub(super) fn unmade(&mut self, next: &Next<'_>) {
        let guide = self.guide;
        let frame = &self.frames[0];
        let made: Vec<&Use> = self
            .plan
            .made
            .iter()
            .map(|&child| usize::from(child))
            .filter(|child| self.counts[frame.counts + child] == 0)
            .map(|child| &guide.uses[guide.roots[child]])
            .collect();
        for one in made {
            let location = Location {
                tag: one.tag.clone(),
                ..next.location()
            };
            let message = text!(
                "{tag} is not there: it is added when the document is written",
                tag = &one.tag
            );
            self.tell(Finding::new(
                Fault::Normalised,
                location,
                message,
                Text::default(),
            ));
        }
    }
}
