//! What reading tells of whole segments: missing, too many, too late, not used, unknown, and
//! written together.

use super::dictionary::Usage;
use super::guide::{Use, UseId};
use super::read::{Fit, Frame, MAX_FINDINGS, Next, Reader};
use crate::x12::{Fault, Finding, Location, Segment};

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
            let message = format!("{} is written together with the one before it", one.tag);
            self.tell(Finding::new(Fault::Normalised, location, message, ""));
        }
        let width = run.fields.len().max(1);
        let is_filled = |group: &usize| {
            let first = run.first + group * width;
            (first..first + width).any(|element| !segment.element(element).is_empty())
        };
        let groups = (0..run.n).filter(is_filled).count();
        self.listed = Some((id, before + groups));
    }

    /// Reports mandatory uses of the top frame between two positions that did not come.
    pub(super) fn missing(&mut self, from: u32, to: u32, next: &Next<'_>) {
        let frame = self
            .frames
            .last()
            .expect("the set's own frame is never closed");
        let guide = self.guide;
        let children = guide.children(frame.owner);
        let mut found = Vec::new();
        for &child in self.plan.due(frame.owner) {
            let child = usize::from(child);
            let one = &guide.uses[children[child]];
            if (from..to).contains(&one.order)
                && self.counts[frame.counts + child] == 0
                && !(one.when.is_empty() && self.is_full_group(frame, children[child]))
            {
                found.push(one);
            }
        }
        if found.is_empty() {
            return;
        }
        let in_loop = frame.owner.map(|id| guide.uses[id].key.clone());
        let here = &next.location();
        for one in found {
            let name = guide
                .dictionary
                .segment(&one.tag)
                .map_or("", |d| d.name.as_str());
            let qualifier = match one.when.first().map(|w| &w.patterns[..]) {
                Some([super::guide::Pattern::Is(value)]) => format!("*{value}"),
                _ => String::new(),
            };
            let before = if here.tag.is_empty() {
                "the end of the set"
            } else {
                &here.tag
            };
            let message = format!(
                "{}{qualifier} ({name}) is missing; it was due before {before}",
                one.tag
            );
            let fix = format!("add the segment {}{qualifier} here", one.tag);
            let location = Location {
                tag: one.tag.clone(),
                in_loop: in_loop.clone(),
                ..here.clone()
            };
            self.tell(Finding::new(Fault::SegmentMissing, location, message, fix));
        }
    }

    /// Whether another use of the same tag and position came.
    fn is_full_group(&self, frame: &Frame, id: UseId) -> bool {
        self.counts[frame.counts + self.plan.layout(id).counter] > 0
    }

    pub(super) fn placed_badly(&mut self, segment: &Segment<'_>, one: &Use, fit: &Fit) {
        let tag = &one.tag;
        let mut location = Location::of(segment);
        location.in_loop = self.loop_name(one);
        if fit.behind {
            let message =
                format!("{tag} comes too late: its place is before the segments just read");
            let fix = format!(
                "move {tag} to its place in the guide (position {:03})",
                one.order & 0xff_ffff
            );
            self.tell(Finding::new(
                Fault::SegmentOrder,
                location.clone(),
                message,
                fix,
            ));
        }
        if one.usage == Usage::NotUsed {
            let message = format!("{} is not used in this guide", one.key);
            let fix = "leave it out, or ask the partner whether the guide is still true";
            self.tell(Finding::new(
                Fault::SegmentNotUsed,
                location.clone(),
                message,
                fix,
            ));
        }
        if fit.full {
            let is_loop = !one.children.is_empty();
            let (fault, what) = match is_loop {
                true => (Fault::LoopTooMany, "loop "),
                false => (Fault::SegmentTooMany, ""),
            };
            let most = one.group_max.min(one.capacity());
            let times = match most {
                1 => "once".to_owned(),
                n => format!("{n} times"),
            };
            let message = format!("{what}{} occurs more than {times} here", one.key);
            let fix = format!("send at most {most} here");
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
        let known = self.guide.dictionary.segment(&tag.to_ascii_uppercase());
        let finding = match known {
            Some(def) => {
                let message = format!(
                    "{segment:?}: {} {} ({}) has no place here",
                    self.guide.set, tag, def.name
                );
                let fix = "remove it, or move it to where the guide has it";
                Finding::new(Fault::SegmentUnexpected, location, message, fix)
            }
            None => {
                let hint = super::source::suggestion(&tag, &self.guide.dictionary.tags());
                let message = format!("{segment:?}: there is no segment {tag}{hint}");
                Finding::new(
                    Fault::SegmentUnknown,
                    location,
                    message,
                    "remove it or correct its identifier",
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
            let message =
                format!("more than {MAX_FINDINGS} findings in one set: the rest is not listed");
            let fix = "correct what is listed and check again";
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
            let message = format!(
                "{} is not there: it is added when the document is written",
                one.tag
            );
            self.tell(Finding::new(Fault::Normalised, location, message, ""));
        }
    }
}
