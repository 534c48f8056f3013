//! Levels (HL): which level a segment opens, and below which other one it stands.
//!
//! Every HL is a child of the set's own frame, so that a level is a wall: what follows it belongs
//! to it or to the set, never to a level around it. The tree is not on the stack of frames but
//! here, by number, because HL02 may name any level that came before. A parent that is missing,
//! unknown or not allowed is told and replaced by the nearest level that may hold this one:
//! nothing is lost. All of it is linear in the number of levels.

use std::collections::HashMap;

use super::guide::{LevelRule, Use, UseId};
use super::read::Reader;
use super::slots::{Kind, NodeId, ROOT};
use crate::x12::{Fault, Finding, Location, Position, Segment, Text, text};

/// Most levels of one set; ten times what the largest known notices have. More are told once and
/// not read, so that a set cannot ask for memory without end.
pub(crate) const MAX_LEVELS: usize = 1_000_000;

/// Most levels below one another; ship notices have five. Documents are read and written by
/// recursion, which must end before the stack does.
pub(crate) const MAX_LEVEL_DEPTH: u8 = 32;

/// No level, or no node. There may be a million levels, so they are kept small.
const NONE: u32 = u32::MAX;

fn some(id: u32) -> Option<u32> {
    (id != NONE).then_some(id)
}

/// One level that was read.
struct Level {
    /// The level around it, or [`NONE`].
    parent: u32,
    children: u32,
    /// HL03, packed; [`NONE`] for one that the guide does not list: below it anything may stand,
    /// because nothing is known about it.
    code: u32,
    id: u16,
    depth: u8,
    /// Whether the document has a place for it.
    held: bool,
}

/// Where a level stands in the document.
struct Record {
    node: NodeId,
    /// The list of levels in it, or [`NONE`].
    list: NodeId,
    /// Which of its parent's levels it is, from 0.
    index: u32,
}

/// An HL04 that the guide makes, kept until all levels are there.
struct Said {
    position: Position,
    level: u32,
    /// Where HL04 starts in its segment.
    start: u16,
    code: Option<u8>,
}

/// All levels of a set so far, in the order of the file.
#[derive(Default)]
pub(crate) struct Levels {
    all: Vec<Level>,
    /// One each, where a document is made.
    records: Vec<Record>,
    top: u32,
    top_list: Option<NodeId>,
    /// HL01 → level, from the first HL01 on that is not its own ordinal; empty until then.
    numbers: HashMap<u128, u32>,
    /// Whether `numbers` is in use.
    renumbered: bool,
    /// Whether a level was opened below one that was closed already.
    reordered: bool,
    overflown: bool,
    said: Vec<Said>,
    /// A level without HL04 is in `said`: one is enough.
    unsaid: bool,
}

impl Levels {
    fn find(&self, number: &[u8]) -> Option<u32> {
        if self.renumbered {
            return self.numbers.get(&key(number)?).copied();
        }
        let ordinal = ordinal(number)?.checked_sub(1)?;
        (ordinal < self.all.len()).then_some(ordinal as u32)
    }

    /// The levels from `from` up to the top.
    fn up(&self, from: Option<u32>) -> impl Iterator<Item = u32> {
        std::iter::successors(from, |&at| some(self.all[at as usize].parent))
    }

    fn last(&self) -> Option<u32> {
        self.all.len().checked_sub(1).map(|last| last as u32)
    }
}

/// A level's number as a key; leading zeros do not tell numbers apart. HL01 has at most twelve
/// characters: one of more than fifteen cannot be named as a parent.
fn key(number: &[u8]) -> Option<u128> {
    let number = match number.iter().position(|&b| b != b'0') {
        Some(zeros) if number.iter().all(u8::is_ascii_digit) => &number[zeros..],
        _ => number,
    };
    let fits = (1..=15).contains(&number.len());
    fits.then(|| number.iter().fold(0, |key, &b| key << 8 | u128::from(b)))
}

fn ordinal(number: &[u8]) -> Option<usize> {
    if number.len() > 9 {
        return None;
    }
    let mut ordinal = 0;
    for &b in number {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        ordinal = 10 * ordinal + usize::from(digit);
    }
    Some(ordinal)
}

/// HL03 as text, for messages.
fn code<'a>(segment: &'a Segment<'_>) -> std::borrow::Cow<'a, str> {
    String::from_utf8_lossy(segment.element(3))
}

/// `HL03` as a number that compares quickly; 0 for none or one that no guide can list.
pub(crate) fn pack(code: &[u8]) -> u32 {
    match code.len() {
        1..=4 => code.iter().fold(0, |n, &b| n << 8 | u32::from(b)),
        _ => 0,
    }
}

impl<'g> Reader<'g> {
    /// Opens the level of an HL: its record, and which of its parent's levels it is.
    pub(crate) fn level(
        &mut self,
        segment: &Segment<'_>,
        id: UseId,
        rule: &LevelRule,
    ) -> (Option<NodeId>, u32) {
        let one = &self.guide.uses[id];
        if self.levels.all.len() >= MAX_LEVELS {
            self.overflow(segment, one);
            return (None, 0);
        }
        self.unlisted(segment, one);
        let parent = self.parent(segment, one, rule);
        let parent = self.shallow(segment, one, parent);
        self.numbered(segment, one);
        self.ordered(segment, one, parent);
        let (index, depth) = match parent {
            Some(parent) => {
                let of = &mut self.levels.all[parent as usize];
                of.children += 1;
                (of.children - 1, of.depth + 1)
            }
            None => {
                self.levels.top += 1;
                (self.levels.top - 1, 0)
            }
        };
        let node = match self.live {
            true => self.record(parent, rule, index),
            false => self.holds(parent, rule).then_some(ROOT),
        };
        if rule.makes_children {
            let code = segment.element(4).first().copied();
            if code.is_some() || !std::mem::replace(&mut self.levels.unsaid, true) {
                self.levels.said.push(Said {
                    position: segment.position(),
                    level: self.levels.all.len() as u32,
                    start: segment.start(4).min(usize::from(u16::MAX)) as u16,
                    code,
                });
            }
        }
        self.levels.all.push(Level {
            parent: parent.unwrap_or(NONE),
            children: 0,
            code: match one.when.is_empty() {
                true => NONE,
                false => pack(segment.element(3)),
            },
            id: id as u16,
            depth,
            held: node.is_some(),
        });
        (node, index)
    }

    /// Whether the document has a place for a level below `parent`.
    fn holds(&self, parent: Option<u32>, rule: &LevelRule) -> bool {
        match parent {
            Some(parent) => rule.nested.is_some() && self.levels.all[parent as usize].held,
            None => rule.list.is_some(),
        }
    }

    /// Makes the record of a level, in the list of its parent.
    fn record(&mut self, parent: Option<u32>, rule: &LevelRule, index: u32) -> Option<NodeId> {
        let list = self.holds(parent, rule).then(|| match parent {
            Some(parent) => {
                let of = &self.levels.records[parent as usize];
                let (node, list) = (of.node, some(of.list));
                let list = list.unwrap_or_else(|| self.list(node, rule.nested));
                self.levels.records[parent as usize].list = list;
                list
            }
            None => {
                let list = self.levels.top_list;
                let list = list.unwrap_or_else(|| self.list(ROOT, rule.list));
                *self.levels.top_list.insert(list)
            }
        });
        let node = list.map(|list| self.slots.push(list, 0, rule.item));
        self.levels.records.push(Record {
            node: node.unwrap_or(NONE),
            list: NONE,
            index,
        });
        node
    }

    fn list(&mut self, node: NodeId, slot: Option<u32>) -> NodeId {
        let slot = slot.expect("it was asked whether there is one");
        self.slots.child_or_push(node, slot, Kind::List)
    }

    /// The level that this one stands below; `None` for the top.
    fn parent(&mut self, segment: &Segment<'_>, one: &Use, rule: &LevelRule) -> Option<u32> {
        let named = segment.element(2);
        let last = self.levels.last();
        if named.is_empty() {
            if rule.top {
                return None;
            }
            let near = self.nearest(rule, last);
            let (code, may) = (code(segment), rule.places());
            let message = text!(
                "a level {code} stands {may}, and this one names no parent",
                code,
                may
            );
            self.misplaced(segment, one, message, near);
            return near;
        }
        let name = || String::from_utf8_lossy(named);
        let Some(found) = self.levels.find(named) else {
            let name = name();
            let near = self.nearest(rule, last);
            let message = match named == segment.element(1) {
                true => text!("HL {name} names itself as its parent", name),
                false => text!("no HL before this one has the number {name}", name),
            };
            self.misplaced(segment, one, message, near);
            return near;
        };
        if self.admits(rule, found) {
            return Some(found);
        }
        let near = self.nearest(rule, Some(found));
        let near = near.or((!rule.top).then_some(found));
        let of = self.use_of(found).key.as_str();
        let (code, may, name) = (code(segment), rule.places(), name());
        let message = text!(
            "a level {code} stands {may}, not below HL {name} ({of})",
            code,
            may,
            name,
            of
        );
        self.misplaced(segment, one, message, near);
        near
    }

    /// Whether a level of this rule may stand below level `at`.
    #[inline]
    fn admits(&self, rule: &LevelRule, at: u32) -> bool {
        let code = self.levels.all[at as usize].code;
        code == NONE || rule.admits(code)
    }

    fn use_of(&self, at: u32) -> &'g Use {
        &self.guide.uses[UseId::from(self.levels.all[at as usize].id)]
    }

    fn nearest(&self, rule: &LevelRule, from: Option<u32>) -> Option<u32> {
        self.levels.up(from).find(|&at| self.admits(rule, at))
    }

    /// A level above the limit of depth.
    fn shallow(&mut self, segment: &Segment<'_>, one: &Use, parent: Option<u32>) -> Option<u32> {
        let fits = |at: &u32| self.levels.all[*at as usize].depth + 1 < MAX_LEVEL_DEPTH;
        let found = self.levels.up(parent).find(fits);
        if found != parent {
            let message = text!(
                "more than {limit} levels stand below one another",
                limit = MAX_LEVEL_DEPTH
            );
            self.misplaced(segment, one, message, found);
        }
        found
    }

    fn misplaced(&mut self, segment: &Segment<'_>, one: &Use, message: Text, at: Option<u32>) {
        let place = match at {
            Some(at) => text!("below the set's HL no. {ordinal}", ordinal = at + 1),
            None => text!("at the top"),
        };
        let message = text!("{message}; it was put {place}", message, place);
        let fix = text!("name in HL02 the HL01 of the level that holds it, which comes before it");
        self.hl(segment, one, 2, Fault::LevelParent, message, fix);
    }

    /// Keeps HL01, and tells a number that is there twice or is not the level's ordinal.
    fn numbered(&mut self, segment: &Segment<'_>, one: &Use) {
        let number = segment.element(1);
        let at = self.levels.all.len() as u32;
        let due = at as usize + 1;
        let plain = ordinal(number) == Some(due) && number.first() != Some(&b'0');
        if plain && !self.levels.renumbered {
            return;
        }
        let levels = &mut self.levels;
        if !std::mem::replace(&mut levels.renumbered, true) {
            let ordinals =
                (1..due).filter_map(|n| Some((key(n.to_string().as_bytes())?, n as u32 - 1)));
            levels.numbers = ordinals.collect();
            let message = text!("levels are numbered 1, 2, 3 … when they are written");
            self.hl(segment, one, 1, Fault::Normalised, message, Text::default());
        }
        let first = key(number).and_then(|key| self.levels.numbers.insert(key, at));
        if let Some(first) = first {
            let name = String::from_utf8_lossy(number);
            let message = text!(
                "{name} is the number of the set's HL no. {ordinal} already",
                name,
                ordinal = first + 1
            );
            let fix = text!("give every HL a number of its own");
            self.hl(segment, one, 1, Fault::LevelNumber, message, fix);
        }
    }

    /// Notes once that a level was taken up again: writing finishes one before the next.
    fn ordered(&mut self, segment: &Segment<'_>, one: &Use, parent: Option<u32>) {
        let Some(parent) = parent.filter(|_| !self.levels.reordered) else {
            return;
        };
        let depth = self.levels.all[parent as usize].depth;
        let mut chain = self.levels.up(self.levels.last());
        let open = chain.find(|&at| self.levels.all[at as usize].depth <= depth);
        drop(chain);
        if open != Some(parent) {
            self.levels.reordered = true;
            let message = text!("levels are written depth first, each with all that it holds");
            self.hl(segment, one, 2, Fault::Normalised, message, Text::default());
        }
    }

    /// Tells a level that only the use without `when` takes, where its code is one of the list;
    /// a code that is not is told as such.
    fn unlisted(&mut self, segment: &Segment<'_>, one: &Use) {
        if !(one.when.is_empty() && one.shares) {
            return;
        }
        let code = code(segment);
        let codes = one.places.get(2).and_then(|p| p.parts[0].codes.as_deref());
        let known = codes.is_none_or(|codes| codes.word(&code).is_some());
        if known && !code.is_empty() {
            let message = text!(
                "the guide has no level {code}: it is read as any other",
                code
            );
            let fix = text!("use one of the guide's levels, or give this one an HL in the guide");
            self.hl(segment, one, 3, Fault::ElementCode, message, fix);
        }
    }

    fn overflow(&mut self, segment: &Segment<'_>, one: &Use) {
        if !std::mem::replace(&mut self.levels.overflown, true) {
            let message = text!(
                "a set may have {limit} levels: the rest is not read",
                limit = MAX_LEVELS
            );
            let fix = text!("split the notice");
            self.hl(segment, one, 1, Fault::TooLong, message, fix);
        }
    }

    fn hl(
        &mut self,
        segment: &Segment<'_>,
        one: &Use,
        element: usize,
        fault: Fault,
        message: Text,
        fix: Text,
    ) {
        let mut location = Location::of_element(segment, element);
        location.in_loop = Some(one.key.clone());
        let message = text!("{place}: {message}", place = location.designator(), message);
        self.tell(Finding::new(fault, location, message, fix));
    }

    /// Compares the HL04 that the guide makes, now that all levels are there.
    pub(crate) fn settle_levels(&mut self) {
        for said in std::mem::take(&mut self.levels.said) {
            let level = &self.levels.all[said.level as usize];
            let due = if level.children > 0 { b'1' } else { b'0' };
            let (fault, message) = match said.code {
                Some(code) if code == due => continue,
                Some(code) => {
                    let (code, due) = (char::from(code), char::from(due));
                    (
                        Fault::ValueDiffers,
                        text!("HL04: {code} where {due} is due", code, due),
                    )
                }
                None => (
                    Fault::Normalised,
                    text!("HL04: it is added when the set is written"),
                ),
            };
            let mut position = said.position;
            position.offset += u64::from(said.start);
            position.column += u32::from(said.start);
            let location = Location {
                tag: "HL".to_owned(),
                in_loop: Some(self.use_of(said.level).key.clone()),
                element: Some(4),
                ..position.into()
            };
            let fix = text!("send 1 where levels follow below, else 0");
            self.tell(Finding::new(fault, location, message, fix));
        }
    }

    /// Adds `detail.HL-S[0].HL-O[1]`: the level that was opened last and those around it.
    pub(crate) fn level_path(&self, path: &mut String) {
        let mut chain: Vec<u32> = self.levels.up(self.levels.last()).collect();
        chain.reverse();
        for at in chain {
            let record = &self.levels.records[at as usize];
            super::write::step(path, self.use_of(at), record.index);
        }
    }
}
