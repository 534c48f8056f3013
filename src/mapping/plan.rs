//! What reading asks of a guide for every segment, settled once when the guide is loaded: which
//! uses a tag can mean, and which segments are certainly right.
//!
//! Most segments are right. For these one pass over the bytes says so ([`Layout::is_sound`]) and
//! nothing is told; every other segment goes the long way in `element.rs`, which finds the words.
//! So the long way decides what is wrong, and the short way only what needs no second look.

use std::sync::Arc;

use super::candidate::Candidate;
use super::check_digit;
use super::dictionary::{DataType, Note, NoteKind, Usage};
use super::guide::{Guide, ITEM, PartUse, Path, PlaceUse, Rule, Use, UseId, quick};
use super::moves::Moves;
use super::packed::Packed;
use super::value::{CodeList, every, is_plain_date, is_plain_number, is_plain_time};
use crate::x12::{Delimiters, Segment};

/// A guide as reading uses it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The tags that the guide names, numbered.
    tags: Packed,
    /// The set's own children, then those of each use.
    owners: Vec<Owner>,
    layouts: Vec<Layout>,
    /// What `count()` and `sum()` name, in the order of their numbers.
    tallies: Vec<Tally>,
    /// The set's own children that the guide makes if need be, as numbers.
    pub(crate) made: Vec<u16>,
    /// Whether every `count()` and `sum()` has a tally, so that no slots are needed to compare it.
    pub(crate) tallied: bool,
}

/// One `count()` or `sum()` over the whole document.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    path: Path,
    sum: bool,
}

/// The children of one use, or of the set, by tag.
#[derive(Debug, Default)]
struct Owner {
    /// For each tag number where its children are in `children`; none where there are no children.
    ranges: Vec<(u16, u16)>,
    /// Its children, those of one tag together, the exact before the general.
    children: Vec<Candidate>,
    /// Mandatory children, in the guide's order.
    due: Vec<Due>,
    /// How many counters an occurrence needs: one a child, then one a group of children that share
    /// tag and position, then one a list that several fill.
    counters: usize,
}

/// A mandatory child.
#[derive(Debug)]
pub(crate) struct Due {
    /// Its number.
    pub(crate) child: u16,
    pub(crate) order: u32,
    /// For one without `when`, the counter of its group: another of its tag stands for it.
    pub(crate) group: Option<u16>,
}

impl Plan {
    pub(crate) fn new(guide: &Guide) -> Plan {
        let mut tallies = Vec::new();
        let mut tallied = true;
        for one in &guide.uses {
            for part in one.parts() {
                if let Some(tally) = part.is.as_ref().and_then(Tally::of) {
                    tallied &= is_global(guide, one) && tally.is_fed(guide);
                    if !tallies.contains(&tally) {
                        tallies.push(tally);
                    }
                }
            }
        }
        let mut all: Vec<u32> = guide.uses.iter().map(|one| one.quick).collect();
        all.sort_unstable();
        all.dedup();
        let mut layouts: Vec<Layout> = guide
            .uses
            .iter()
            .map(|one| Layout::new(guide, one, &tallies))
            .collect();
        let owners = (0..=guide.uses.len())
            .map(|index| Owner::new(guide, index.checked_sub(1), &all, &mut layouts))
            .collect();
        let made = guide.roots.iter().zip(0..);
        let made = made.filter(|(id, _)| guide.uses[**id].is_made());
        Plan {
            made: made.map(|(_, child)| child).collect(),
            tags: Packed::of(all.iter().map(|&tag| tag.into())),
            owners,
            layouts,
            tallies,
            tallied,
        }
    }

    #[inline]
    fn owner(&self, owner: Option<UseId>) -> &Owner {
        &self.owners[owner.map_or(0, |id| id + 1)]
    }

    /// The number of a tag that the guide names.
    #[inline]
    pub(crate) fn tag(&self, tag: &[u8]) -> Option<u16> {
        let number = self.tags.get(quick(tag).into())?;
        Some(number as u16)
    }

    /// The children of `owner` with the tag, the exact before the general.
    #[inline]
    pub(crate) fn children(&self, owner: Option<UseId>, tag: u16) -> &[Candidate] {
        let owner = self.owner(owner);
        let Some(&(from, to)) = owner.ranges.get(usize::from(tag)) else {
            return &[];
        };
        &owner.children[usize::from(from)..usize::from(to)]
    }

    /// The mandatory children of `owner`.
    #[inline]
    pub(crate) fn due(&self, owner: Option<UseId>) -> &[Due] {
        &self.owner(owner).due
    }

    /// How many counters an occurrence of `owner` needs.
    #[inline]
    pub(crate) fn counters(&self, owner: Option<UseId>) -> usize {
        self.owner(owner).counters
    }

    #[inline]
    pub(crate) fn layout(&self, id: UseId) -> &Layout {
        &self.layouts[id]
    }

    /// How many tallies there are.
    pub(crate) fn tallies(&self) -> usize {
        self.tallies.len()
    }

    /// The tally of a rule.
    pub(crate) fn tally(&self, rule: &Rule) -> Option<usize> {
        let tally = Tally::of(rule)?;
        self.tallies.iter().position(|t| *t == tally)
    }
}

impl Owner {
    fn new(guide: &Guide, owner: Option<UseId>, tags: &[u32], layouts: &mut [Layout]) -> Owner {
        let children = guide.children(owner);
        let mut made = Owner::default();
        if children.is_empty() {
            return made;
        }
        let mut groups: Vec<(u32, u32)> = Vec::new();
        let mut pools: Vec<UseId> = Vec::new();
        for (number, &id) in children.iter().enumerate() {
            let one = &guide.uses[id];
            let key = (one.order, one.quick);
            let group = groups.iter().position(|g| *g == key).unwrap_or_else(|| {
                groups.push(key);
                groups.len() - 1
            });
            layouts[id].counter = children.len() + group;
            layouts[id].pool = one.pool.map(|pool| {
                let at = pools.iter().position(|p| *p == pool);
                at.unwrap_or_else(|| {
                    pools.push(pool);
                    pools.len() - 1
                })
            });
            if one.usage == Usage::Mandatory {
                let group = one.when.is_empty();
                made.due.push(Due {
                    child: number as u16,
                    order: one.order,
                    group: group.then_some(layouts[id].counter as u16),
                });
            }
        }
        for &id in children {
            let pool = layouts[id].pool.as_mut();
            pool.into_iter()
                .for_each(|pool| *pool += children.len() + groups.len());
        }
        made.counters = children.len() + groups.len() + pools.len();
        for &tag in tags {
            let from = made.children.len() as u16;
            let same = children
                .iter()
                .zip(0..)
                .filter(|(id, _)| guide.uses[**id].quick == tag);
            let candidate =
                |(&id, number)| Candidate::new(id, number, &guide.uses[id], &layouts[id]);
            made.children.extend(same.map(candidate));
            made.ranges.push((from, made.children.len() as u16));
        }
        made
    }
}

/// A use as its segments are checked against it.
#[derive(Debug)]
pub(crate) struct Layout {
    /// How many occurrences have a place of their own in the document.
    pub(crate) capacity: u32,
    /// The counter of its group in an occurrence of its owner.
    pub(crate) counter: usize,
    /// The counter of all uses that fill its list, where there are others.
    pub(crate) pool: Option<usize>,
    lanes: Vec<Lane>,
    /// Elements that must be there, and those that may not, as bits.
    due: u64,
    barred: u64,
    ties: Vec<Tie>,
    /// Where each run begins, its width, and its elements as bits.
    runs: Vec<(u32, u32, u64)>,
    /// Tallies that an occurrence counts for.
    pub(crate) counts: Vec<u16>,
    /// Elements whose values are summed, with their tallies.
    pub(crate) sums: Vec<(u16, u16)>,
    /// Elements that may hold a number with a check digit.
    pub(crate) numbers: Vec<check_digit::Pair>,
    /// Where its values go, where that is plain.
    pub(crate) moves: Option<Moves>,
}

/// A syntax note over bits.
#[derive(Debug)]
struct Tie {
    kind: NoteKind,
    first: u64,
    all: u64,
}

impl Tie {
    fn new(note: &Note) -> Tie {
        let bit = |e: &usize| 1_u64.checked_shl(*e as u32).unwrap_or(0);
        Tie {
            kind: note.kind,
            first: note.elements.first().map_or(0, bit),
            all: note.elements.iter().map(bit).fold(0, |all, one| all | one),
        }
    }

    fn holds(&self, present: u64) -> bool {
        let here = present & self.all;
        match self.kind {
            NoteKind::Paired => here == 0 || here == self.all,
            NoteKind::Required => here != 0,
            NoteKind::Exclusion => here & here.wrapping_sub(1) == 0,
            NoteKind::Conditional => here & self.first == 0 || here == self.all,
            NoteKind::ListConditional => here & self.first == 0 || here != self.first,
        }
    }
}

/// One element: what makes it certainly right.
#[derive(Debug)]
struct Lane {
    check: Check,
    min: u32,
    max: u32,
    /// The one value that is right.
    constant: Option<Box<[u8]>>,
}

#[derive(Debug)]
enum Check {
    /// There is always something to tell, to compare later or to split.
    Long,
    Text,
    Code(Arc<CodeList>),
    Decimal,
    Implied,
    /// A number for a field that holds whole numbers only.
    Whole,
    Date,
    Time,
}

/// Digits of a number that such a field surely holds.
const WHOLE: u32 = 9;

/// Elements that bits are kept for. No segment of the standard has as many.
const MAX_LANES: usize = 63;

impl Layout {
    fn new(guide: &Guide, one: &Use, tallies: &[Tally]) -> Layout {
        let bits = |usage: Usage| {
            let places = one.places.iter().zip(1..=MAX_LANES);
            places.fold(0, |all, (place, number)| {
                all | u64::from(place.usage == usage) << number
            })
        };
        let runs = one.runs.iter().map(|run| {
            let width = run.fields.len().max(1);
            let bits = (1_u64 << (run.n * width).min(MAX_LANES)) - 1;
            (run.first as u32, width as u32, bits)
        });
        let here = absolute(guide, one);
        let counted = |tally: &Tally| !tally.sum && one.repeats() && tally.counts(&here);
        let counts = tallies.iter().zip(0..).filter(|(t, _)| counted(t));
        let mut sums = Vec::new();
        for (place, number) in one.places.iter().zip(1..) {
            for (tally, index) in tallies.iter().zip(0..) {
                if tally.sum && !place.composite && tally.sums(&here, &place.parts[0]) {
                    sums.push((number, index));
                }
            }
        }
        Layout {
            capacity: one.capacity(),
            counter: 0,
            pool: None,
            lanes: lanes(guide, one),
            due: bits(Usage::Mandatory),
            barred: bits(Usage::NotUsed),
            ties: one.notes.iter().map(Tie::new).collect(),
            runs: runs.collect(),
            counts: counts.map(|(_, index)| index).collect(),
            sums,
            numbers: check_digit::pairs(one),
            moves: Moves::new(one),
        }
    }

    /// Whether a segment is certainly right: nothing about its elements is to be told, and every
    /// value stays what it is. `false` says nothing.
    pub(crate) fn is_sound(&self, segment: &Segment<'_>, delimiters: &Delimiters) -> bool {
        let (bytes, ends) = (segment.bytes(), segment.ends());
        if ends.len() > self.lanes.len().min(MAX_LANES) + 1 || !is_plain(bytes, delimiters) {
            return false;
        }
        let mut present = 0;
        let mut start = ends[0] as usize + 1;
        for (index, &end) in ends[1..].iter().enumerate() {
            let end = end as usize;
            if end > start {
                if !self.lanes[index].takes(&bytes[start..end]) {
                    return false;
                }
                present |= 2 << index;
            }
            start = end + 1;
        }
        self.due & !present == 0
            && self.barred & present == 0
            && self.ties.iter().all(|tie| tie.holds(present))
            && self.runs.iter().all(|&run| is_gapless(run, present))
            && self.are_numbers_right(segment)
    }

    #[inline]
    fn are_numbers_right(&self, segment: &Segment<'_>) -> bool {
        for &pair in &self.numbers {
            if usize::from(pair.1) > segment.count() {
                break;
            }
            if check_digit::due(segment, pair).is_some() {
                return false;
            }
        }
        true
    }
}

/// Whether the groups of a run are filled from the first on without a gap.
fn is_gapless((first, width, bits): (u32, u32, u64), present: u64) -> bool {
    let mut rest = (present >> first) & bits;
    let group = (1 << width) - 1;
    while rest != 0 {
        if rest & group == 0 {
            return false;
        }
        rest >>= width;
    }
    true
}

/// Whether all bytes are printable ASCII, and none splits an element.
#[inline]
fn is_plain(bytes: &[u8], delimiters: &Delimiters) -> bool {
    let (element, component) = (delimiters.element, delimiters.component);
    let repetition = delimiters.repetition.unwrap_or(component);
    element.is_ascii()
        && every(bytes, |b| {
            let printable = (b.wrapping_sub(b' ') < 0x5f) | (b == element);
            printable & (b != component) & (b != repetition)
        })
}

fn lanes(guide: &Guide, one: &Use) -> Vec<Lane> {
    let lane = |place: &PlaceUse| {
        let part = &place.parts[0];
        let constant = match &part.is {
            Some(Rule::Constant(text)) => Some(text.as_bytes().into()),
            _ => None,
        };
        Lane {
            check: check(guide, place, part),
            min: part.def.min as u32,
            max: part.def.max as u32,
            constant,
        }
    };
    one.places.iter().map(lane).collect()
}

fn check(guide: &Guide, place: &PlaceUse, part: &PartUse) -> Check {
    let homeless = part.target.is_empty() && part.run.is_none() && part.is.is_none();
    let reckoned = matches!(part.is, Some(Rule::Count(..) | Rule::Sum(_) | Rule::Seq));
    if place.composite || (homeless && guide.document.is_some()) || reckoned {
        return Check::Long;
    }
    match (&part.codes, part.def.data) {
        (None, DataType::Decimal | DataType::Implied(0)) if part.counts() => Check::Whole,
        _ if part.counts() => Check::Long,
        (Some(codes), _) => Check::Code(codes.clone()),
        (None, DataType::Decimal) => Check::Decimal,
        (None, DataType::Implied(_)) => Check::Implied,
        (None, DataType::Date) => Check::Date,
        (None, DataType::Time) => Check::Time,
        (None, DataType::Text | DataType::Id) => Check::Text,
        (None, DataType::Binary) => Check::Long,
    }
}

impl Lane {
    #[inline]
    fn takes(&self, raw: &[u8]) -> bool {
        let fits = || (self.min..=self.max).contains(&(raw.len() as u32));
        let taken = match &self.check {
            Check::Long => false,
            Check::Text => fits(),
            Check::Code(codes) => fits() && codes.has(raw),
            Check::Decimal => is_plain_number(raw, true, self.min, self.max),
            Check::Implied => is_plain_number(raw, false, self.min, self.max),
            Check::Whole => {
                raw[0] != b'-' && is_plain_number(raw, false, self.min, self.max.min(WHOLE))
            }
            Check::Date => self.max == 8 && is_plain_date(raw),
            Check::Time => fits() && is_plain_time(raw),
        };
        taken && self.constant.as_deref().is_none_or(|due| due == raw)
    }
}

/// Steps from the document down to a use's values, an item of a list as [`ITEM`].
fn absolute(guide: &Guide, one: &Use) -> Path {
    let mut path = match one.parent {
        Some(id) => absolute(guide, &guide.uses[id]),
        None => Path::new(),
    };
    path.extend_from_slice(&one.scope);
    path
}

/// Whether a use stands for the document itself, so that there is one of what it counts.
fn is_global(guide: &Guide, one: &Use) -> bool {
    absolute(guide, one).is_empty()
}

impl Tally {
    /// What a rule asks for. A count over a tree is fed by its levels, each of which has the path
    /// of the outermost list.
    fn of(rule: &Rule) -> Option<Tally> {
        let (path, sum) = match rule {
            Rule::Count(path, _) => (path.clone(), false),
            Rule::Sum(path) => (path.clone(), true),
            _ => return None,
        };
        Some(Tally { path, sum })
    }

    /// Whether it is a count of the items that a use with this path makes.
    fn counts(&self, path: &Path) -> bool {
        matches!(path.split_last(), Some((last, list)) if last.slot == ITEM && *list == self.path)
    }

    /// Whether it sums the values of this part of a use.
    fn sums(&self, path: &Path, part: &PartUse) -> bool {
        !part.target.is_empty()
            && path.len() + part.target.len() == self.path.len()
            && self.path.starts_with(path)
            && self.path.ends_with(&part.target)
    }

    /// Whether some use feeds it. A list that a run fills has no use of its own.
    fn is_fed(&self, guide: &Guide) -> bool {
        guide.uses.iter().any(|one| {
            let path = absolute(guide, one);
            match self.sum {
                false => one.repeats() && self.counts(&path),
                true => one.places.iter().any(|place| {
                    !place.composite && place.max <= 1 && self.sums(&path, &place.parts[0])
                }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Library;
    use super::super::value::{decode, encode, fault};
    use super::*;

    proptest! {
        /// What the short way takes, the long way has nothing to say about.
        #[test]
        fn a_lane_takes_only_what_is_right(
            raw in prop_oneof!["[0-9.-]{1,12}", "(19|20)[0-9]{2}[01][0-9][0-3][0-9]", "[A-Z0-9]{1,4}", "[ -~]{1,40}"],
        ) {
            let guide = Library::embedded().guide(None, "004010", "850").unwrap().unwrap();
            for one in &guide.uses {
                for (place, lane) in one.places.iter().zip(lanes(&guide, one)) {
                    let part = &place.parts[0];
                    if !lane.takes(raw.as_bytes()) {
                        continue;
                    }
                    let codes = part.codes.as_deref();
                    prop_assert_eq!(fault(&raw, &part.def), None, "{} {:?}", one.key, part.def);
                    prop_assert!(codes.is_none_or(|c| c.word(&raw).is_some()));
                    prop_assert!(!part.counts() || raw.parse::<u32>().is_ok());
                    let (mut canonical, mut again) = (String::new(), String::new());
                    prop_assert!(decode(&raw, part.def.data, codes, &mut canonical));
                    prop_assert!(encode(&canonical, &part.def, codes, &mut again));
                    prop_assert_eq!(&again, &raw);
                }
            }
        }
    }

    #[test]
    fn ties_say_what_notes_say() {
        let dictionary = Library::embedded()
            .guide(None, "004010", "850")
            .unwrap()
            .unwrap();
        let dictionary = dictionary.dictionary();
        for def in dictionary
            .tags()
            .iter()
            .filter_map(|tag| dictionary.segment(tag))
        {
            for note in &def.notes {
                let tie = Tie::new(note);
                for mask in 0..1_u64 << note.elements.len() {
                    let chosen = note
                        .elements
                        .iter()
                        .zip(0..)
                        .filter(|(_, n)| mask >> n & 1 == 1);
                    let present = chosen.fold(0, |all, (e, _)| all | 1 << e);
                    assert_eq!(
                        tie.holds(present),
                        note.holds(|e| present >> e & 1 == 1),
                        "{note:?}"
                    );
                }
            }
        }
    }
}
