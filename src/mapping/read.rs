//! Segments → document: binds each segment to a use of the guide, and its values to slots.
//!
//! A segment belongs to the nearest open loop that has a place for it at or after the position
//! reached there; only if none has, an earlier position is taken (with a finding), and only if
//! that fails too is the segment without a place. Each value is mapped, constant, or noted.

use std::collections::BTreeMap;

use super::candidate::{Candidate, Seen};
use super::demand::Watched;
use super::dictionary::Usage;
use super::element::{Bound, Deferred};
use super::guide::{Guide, Use, UseId};
use super::json::Draft;
use super::level::Levels;
use super::plan::Plan;
use super::reach::{count, named, walk};
use super::slots::{NodeId, ROOT, Slots};
use crate::canonical::{Decimal, Document, DocumentKind, Provenance};
use crate::x12::{Delimiters, Fault, Finding, Location, Position, Segment, Segments, text};

/// What reading a transaction set gives.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The document; `None` where the guide is structure only.
    pub document: Option<Document>,
    /// All that is to be told about the set's content, in order of the file.
    pub findings: Vec<Finding>,
}

impl From<Vec<Finding>> for Reading {
    /// Findings without a document.
    fn from(findings: Vec<Finding>) -> Reading {
        Reading {
            document: None,
            findings,
        }
    }
}

/// Most findings of one set that are kept: a set that earns more is told once that there are more.
pub const MAX_FINDINGS: usize = 10_000;

/// Reads a set's body (the segments between ST and SE).
pub fn read(guide: &Guide, segments: &Segments, delimiters: &Delimiters) -> Reading {
    Reader::new(guide, delimiters).over(segments).end()
}

/// As [`read()`], and appends the document as the JSON that serde_json would write of it, byte for
/// byte, with `provenance`. It takes a fraction of the time, because no document is made. A guide
/// that is structure only appends nothing.
pub fn read_json(
    guide: &Guide,
    segments: &Segments,
    delimiters: &Delimiters,
    provenance: Provenance,
    out: &mut Vec<u8>,
) -> Vec<Finding> {
    let reader = Reader::new(guide, delimiters).over(segments);
    reader.json(provenance, out)
}

/// The findings of [`read()`], without the work of making a document.
pub fn check(guide: &Guide, segments: &Segments, delimiters: &Delimiters) -> Vec<Finding> {
    Reader::checking(guide, delimiters)
        .over(segments)
        .findings()
}

/// As [`read()`], with the use of each segment beside it; `None` for one that has no place.
pub(crate) fn read_bound(
    guide: &Guide,
    segments: &Segments,
    delimiters: &Delimiters,
) -> (Reading, Vec<Option<UseId>>) {
    let mut reader = Reader::new(guide, delimiters);
    reader.bound = Some(Vec::with_capacity(segments.len()));
    reader = reader.over(segments);
    let bound = reader.bound.take().unwrap_or_default();
    (reader.end(), bound)
}

/// What a document is about, for one line about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gist {
    /// The number that people call it by.
    pub number: Option<String>,
    /// How many lines, items or results it has.
    pub lines: usize,
}

/// The findings of [`read()`] and what the document is about, without the work of making it; of a
/// guide that is structure only there is nothing to say.
pub fn gist(
    guide: &Guide,
    segments: &Segments,
    delimiters: &Delimiters,
) -> (Vec<Finding>, Option<Gist>) {
    let mut reader = Reader::new(guide, delimiters).over(segments);
    reader.finish();
    let (slots, schema) = (&reader.slots, &guide.schema);
    let gist = guide.document.map(|kind| Gist {
        number: named(slots, schema, ROOT, kind.number()).map(|id| slots.text(id).to_owned()),
        lines: count(slots, schema, kind.lines()),
    });
    (reader.findings, gist)
}

/// An open loop, or the whole set.
pub(crate) struct Frame {
    pub(super) owner: Option<UseId>,
    /// Where its values go; `None` where the document has no place for this occurrence.
    pub(crate) scope: Option<NodeId>,
    cursor: u32,
    /// Its counters' start in [`Reader::counts`].
    pub(super) counts: usize,
    /// Which repeat of its use it is, from 0.
    pub(crate) occurrence: u32,
    /// The start in [`Reader::sequence`] of the uses seen at `cursor`.
    sequence: usize,
}

/// A place for a segment: frame and child in it.
pub(super) struct Fit<'g> {
    depth: usize,
    candidate: &'g Candidate,
    pub(super) full: bool,
    pub(super) behind: bool,
}

/// What comes next when a loop is closed: a segment, or the end of the set.
pub(crate) enum Next<'a> {
    Segment(&'a Segment<'a>),
    End(Position),
}

impl Next<'_> {
    pub(super) fn location(&self) -> Location {
        match self {
            Next::Segment(segment) => Location::of(segment),
            Next::End(position) => Location::from(*position),
        }
    }
}

/// A set's body, read a segment at a time: for who does not have it whole.
pub struct Reader<'g> {
    pub(crate) guide: &'g Guide,
    pub(crate) plan: &'g Plan,
    pub(crate) delimiters: Delimiters,
    /// Whether values are put into slots; else the set is only checked.
    pub(crate) live: bool,
    pub(crate) slots: Slots,
    pub(crate) findings: Vec<Finding>,
    pub(crate) deferred: Vec<Deferred<'g>>,
    /// What each `count()` is compared with, and each `sum()`: by the numbers of their tallies.
    pub(crate) counted: Vec<u32>,
    pub(crate) tallies: Vec<Decimal>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) buffer: String,
    pub(super) counts: Vec<u32>,
    /// The uses seen at the positions of the open frames, as child numbers, where several share one.
    sequence: Vec<u16>,
    order: BTreeMap<String, Vec<String>>,
    /// Where the set's last segment stands, for what is missing at its end.
    last: Position,
    pub(crate) levels: Levels,
    /// The last use whose segments share a list, and how many groups of it they filled.
    pub(crate) listed: Option<(UseId, usize)>,
    /// What demands ask of several segments.
    pub(crate) watched: Watched,
    /// The use of each segment so far, where somebody wants to know.
    bound: Option<Vec<Option<UseId>>>,
}

impl<'g> Reader<'g> {
    /// Before the first segment of a set that is read.
    pub fn new(guide: &'g Guide, delimiters: &Delimiters) -> Reader<'g> {
        Reader::begin(guide, delimiters, true)
    }

    /// Before the first segment of a set that is only checked: memory does not grow with it.
    pub fn checking(guide: &'g Guide, delimiters: &Delimiters) -> Reader<'g> {
        Reader::begin(guide, delimiters, !guide.plan().tallied)
    }

    fn begin(guide: &'g Guide, delimiters: &Delimiters, live: bool) -> Reader<'g> {
        let plan = guide.plan();
        let mut reader = Reader {
            guide,
            plan,
            delimiters: *delimiters,
            live,
            slots: match live {
                true => Slots::new(&guide.names),
                false => Slots::unfilled(),
            },
            findings: Vec::new(),
            deferred: Vec::new(),
            counted: vec![0; plan.tallies()],
            tallies: vec![Decimal::default(); plan.tallies()],
            frames: Vec::with_capacity(8),
            buffer: String::new(),
            counts: Vec::with_capacity(256),
            sequence: Vec::new(),
            order: BTreeMap::new(),
            last: Position::default(),
            levels: Levels::default(),
            listed: None,
            watched: Watched::default(),
            bound: None,
        };
        reader.open(None, Some(ROOT), 0);
        reader
    }

    fn open(&mut self, owner: Option<UseId>, scope: Option<NodeId>, occurrence: u32) {
        let counts = self.counts.len();
        self.counts.extend_from_slice(self.plan.counters(owner));
        let sequence = self.sequence.len();
        self.frames.push(Frame {
            owner,
            scope,
            cursor: 0,
            counts,
            occurrence,
            sequence,
        });
    }

    /// Reads all of `segments`, one after another.
    pub fn over(mut self, segments: &Segments) -> Reader<'g> {
        for segment in segments.iter() {
            self.segment(&segment);
        }
        self
    }

    /// Reads the next segment. `true` where something is told about it, or may be at the end (but
    /// for HL04: a notice may have a million of them).
    pub fn segment(&mut self, segment: &Segment<'_>) -> bool {
        let told = self.told();
        let fit = self.fit(segment);
        if let Some(bound) = &mut self.bound {
            bound.push(fit.as_ref().map(|fit| fit.candidate.id()));
        }
        match fit {
            Some(fit) => self.bind(segment, &fit),
            None => self.homeless(segment),
        }
        if self.last.ordinal < segment.position().ordinal {
            self.last = segment.position();
        }
        self.told() != told
    }

    /// How much there is to tell, now or at the end.
    fn told(&self) -> usize {
        self.findings.len() + self.deferred.len() + self.watched.count
    }

    /// The nearest place with room, not behind what was read; else the nearest that is full or
    /// behind.
    #[inline]
    fn fit(&self, segment: &Segment<'_>) -> Option<Fit<'g>> {
        let tag = self.plan.tag(segment.tag())?;
        self.open_place::<false>(tag, segment)
            .or_else(|| self.open_place::<true>(tag, segment))
    }

    #[inline]
    fn open_place<const BEHIND: bool>(&self, tag: u16, segment: &Segment<'_>) -> Option<Fit<'g>> {
        let (mut full, mut seen) = (None, Seen::default());
        // A level is a wall: what comes late in it does not go back to the set's heading.
        let wall = usize::from(BEHIND && self.in_level());
        for (depth, frame) in self.frames.iter().enumerate().skip(wall).rev() {
            for candidate in self.plan.children(frame.owner, tag) {
                let elsewhere = (candidate.order < frame.cursor) != BEHIND;
                let by = &self.delimiters;
                if elsewhere || !candidate.fits(self.guide, segment, by, &mut seen) {
                    continue;
                }
                let fit = Fit {
                    depth,
                    candidate,
                    full: candidate.is_full(&self.counts[frame.counts..]),
                    behind: BEHIND,
                };
                if !fit.full {
                    return Some(fit);
                }
                full = full.or(Some(fit));
            }
        }
        full
    }

    fn in_level(&self) -> bool {
        let owner = self.frames.get(1).and_then(|frame| frame.owner);
        owner.is_some_and(|id| self.guide.uses[id].level.is_some())
    }

    #[inline]
    fn bind(&mut self, segment: &Segment<'_>, fit: &Fit<'g>) {
        while self.frames.len() > fit.depth + 1 {
            self.close(&Next::Segment(segment));
        }
        let candidate = fit.candidate;
        let id = candidate.id();
        let (one, layout) = (&self.guide.uses[id], self.plan.layout(self.guide, id));
        if !fit.behind {
            self.advance(segment, candidate.order);
        }
        if fit.behind || fit.full || one.usage == Usage::NotUsed {
            self.placed_badly(segment, one, fit);
        }
        let frame = &self.frames[fit.depth];
        let scope = frame.scope;
        if candidate.shares && !fit.behind && self.live {
            self.sequence.push(candidate.child() as u16);
        }
        // Uses that fill one list are counted together: which of its items this is.
        let occurrence = candidate.count(&mut self.counts[frame.counts..]);
        let (scope, occurrence) = match &one.level {
            Some(rule) => self.level(segment, id, rule),
            None => {
                let scope = scope.filter(|_| !fit.full || one.repeats());
                (scope.map(|scope| self.enter(scope, one)), occurrence)
            }
        };
        if scope.is_some() {
            for &tally in &layout.counts {
                self.counted[usize::from(tally)] += 1;
            }
        }
        let bound = Bound {
            one,
            layout,
            scope,
            occurrence,
        };
        self.elements(segment, &bound);
        if one.watch.is_some() {
            self.watch(segment, id);
        }
        if layout.joins && scope.is_some() {
            self.joined(segment, id, occurrence);
        }
        if !one.children.is_empty() {
            self.open(Some(id), scope, occurrence);
        }
    }

    /// Adds to what a `sum()` is compared with.
    pub(crate) fn tally(&mut self, tally: u16, more: Decimal) {
        let sum = &mut self.tallies[usize::from(tally)];
        *sum = sum.checked_add(more).unwrap_or(*sum);
    }

    /// The node that the use's `as` names, made now.
    fn enter(&mut self, scope: NodeId, one: &Use) -> NodeId {
        match self.live {
            true => walk(&mut self.slots, scope, &one.scope),
            false => scope,
        }
    }

    /// Moves the top frame on to `order` and tells what was due before it.
    #[inline]
    fn advance(&mut self, segment: &Segment<'_>, order: u32) {
        let frame = self
            .frames
            .last()
            .expect("the set's own frame is never closed");
        if frame.cursor == order {
            return;
        }
        let (from, owner) = (frame.cursor, frame.owner);
        self.flush();
        if !self.plan.due(owner).is_empty() {
            self.missing(from, order, &Next::Segment(segment));
        }
        self.frames.last_mut().expect("as above").cursor = order;
    }

    fn close(&mut self, next: &Next<'_>) {
        self.flush();
        let from = self.frames.last().map_or(0, |f| f.cursor);
        self.missing(from, u32::MAX, next);
        self.judge_loop(next);
        if let Some(frame) = self.frames.pop() {
            self.counts.truncate(frame.counts);
        }
    }

    /// Forgets the uses seen at the top frame's position.
    #[inline]
    fn flush(&mut self) {
        if let Some(frame) = self.frames.last()
            && frame.sequence < self.sequence.len()
        {
            self.keep_order();
        }
    }

    /// Keeps the order of these uses where writing would choose another.
    #[inline(never)]
    fn keep_order(&mut self) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let sequence = &self.sequence[frame.sequence..];
        let children = self.guide.children(frame.owner);
        let list = |child: &u16| {
            let id = children[usize::from(*child)];
            let pool = self.guide.uses[id].pool.unwrap_or(id);
            children.iter().position(|&c| c == pool)
        };
        if !sequence.is_sorted() && !sequence.is_sorted_by_key(list) {
            let keys = sequence
                .iter()
                .map(|&c| self.guide.uses[children[usize::from(c)]].key.clone());
            let keys = keys.collect();
            self.order.insert(self.path(frame.cursor), keys);
        }
        self.sequence.truncate(frame.sequence);
    }

    /// `detail.PO1[2]/350`: the name of a position in the top frame.
    fn path(&self, order: u32) -> String {
        let owners = self
            .frames
            .iter()
            .filter_map(|f| Some((&self.guide.uses[f.owner?], f.occurrence)));
        let mut path = String::new();
        for (one, occurrence) in owners {
            if one.level.is_some() {
                self.level_path(&mut path);
                continue;
            }
            super::write::step(&mut path, one, occurrence);
        }
        super::write::position(path, order)
    }

    /// All that is to be told, as [`check()`] gives it.
    pub fn findings(mut self) -> Vec<Finding> {
        self.finish();
        self.findings
    }

    /// Appends the document's JSON, as [`read_json()`] does.
    pub fn json(mut self, mut provenance: Provenance, out: &mut Vec<u8>) -> Vec<Finding> {
        self.finish();
        if let Some(kind) = self.guide.document {
            provenance.order = self.order;
            let draft = Draft {
                slots: &self.slots,
                schema: &self.guide.schema,
            };
            draft.write(kind, &provenance, out);
        }
        self.findings
    }

    fn end(mut self) -> Reading {
        self.finish();
        let document = self.guide.document.and_then(|kind| self.document(kind));
        Reading {
            document,
            findings: self.findings,
        }
    }

    /// Closes what is open and tells what only the whole set can say.
    fn finish(&mut self) {
        let next = Next::End(self.last);
        while self.frames.len() > 1 {
            self.close(&next);
        }
        self.settle();
        self.settle_levels();
        self.unmade(&next);
        self.close(&next);
    }

    fn document(&mut self, kind: DocumentKind) -> Option<Document> {
        let (slots, schema) = (&self.slots, &self.guide.schema);
        match super::empty::empty(kind, slots, schema) {
            Ok(mut document) => {
                document.provenance_mut().order = std::mem::take(&mut self.order);
                Some(document)
            }
            Err(misfit) => {
                let message = text!(
                    "the document cannot be formed: {misfit}",
                    misfit = misfit.to_string()
                );
                let fix = text!("this is a defect of Transload: please report it with the file");
                let location = self.last.into();
                self.tell(Finding::new(
                    Fault::ElementCharacter,
                    location,
                    message,
                    fix,
                ));
                None
            }
        }
    }
}
