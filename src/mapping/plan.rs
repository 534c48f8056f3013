//! What reading asks of a guide for every segment, settled once when the guide is loaded: which
//! uses a tag can mean, and which segments are certainly right.
//!
//! Most segments are right. For these one pass over the bytes says so ([`Layout::is_sound`]) and
//! nothing is told; every other segment goes the long way in `element.rs`, which finds the words.
//! So the long way decides what is wrong, and the short way only what needs no second look.

use std::sync::{Arc, OnceLock};

use super::candidate::Candidate;
use super::check_digit;
use super::dictionary::{DataType, Note, NoteKind, Usage};
use super::guide::{Guide, ITEM, PartUse, Path, PlaceUse, Rule, Use, UseId};
use super::moves::Moves;
use super::packed::{self, Packed};
use super::slots::bit;
use super::tally::{Tally, absolute, is_global};
use super::value::{CodeList, every, is_plain_date, is_plain_number, is_plain_time};
use crate::x12::{Delimiters, Segment};

/// A guide as reading uses it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The tags that the guide names, numbered.
    tags: Packed,
    /// The set's own children, then those of each use.
    owners: Vec<Owner>,
    /// Each made when the first segment of its use comes: most files have few of a guide's.
    layouts: Vec<OnceLock<Layout>>,
    /// What `count()` and `sum()` name, in the order of their numbers.
    tallies: Vec<Tally>,
    /// The set's own children that the guide makes if need be, as numbers.
    pub(crate) made: Vec<u16>,
    /// Whether every `count()` and `sum()` has a tally, so that no slots are needed to compare it.
    pub(crate) tallied: bool,
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
    /// The counters of an occurrence before it: one a child, then one a group of children that share
    /// tag and position, then one a list that several fill.
    counters: Vec<u32>,
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
        let mut all: Vec<&str> = guide.uses.iter().map(|one| one.tag.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        let owners = (0..=guide.uses.len())
            .map(|index| Owner::new(guide, index.checked_sub(1), &all))
            .collect();
        let made = guide.roots.iter().zip(0..);
        let made = made.filter(|(id, _)| guide.uses[**id].is_made());
        Plan {
            made: made.map(|(_, child)| child).collect(),
            tags: Packed::of(
                all.iter()
                    .map(|tag| packed::key(tag.as_bytes()).unwrap_or(0)),
            ),
            owners,
            layouts: guide.uses.iter().map(|_| OnceLock::new()).collect(),
            tallies,
            tallied,
        }
    }

    #[inline]
    fn owner(&self, owner: Option<UseId>) -> &Owner {
        &self.owners[owner.map_or(0, |id| id + 1)]
    }

    /// The number of a tag that the guide names, in either case.
    #[inline]
    pub(crate) fn tag(&self, tag: &[u8]) -> Option<u16> {
        let number = |tag: &[u8]| self.tags.get(packed::key(tag)?);
        let found = number(tag).or_else(|| number(&tag.to_ascii_uppercase()))?;
        Some(found as u16)
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

    /// The counters of an occurrence of `owner` before anything is in it.
    #[inline]
    pub(crate) fn counters(&self, owner: Option<UseId>) -> &[u32] {
        &self.owner(owner).counters
    }

    #[inline]
    pub(crate) fn layout(&self, guide: &Guide, id: UseId) -> &Layout {
        let make = || Layout::new(guide, &guide.uses[id], &self.tallies);
        self.layouts[id].get_or_init(make)
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
    fn new(guide: &Guide, owner: Option<UseId>, tags: &[&str]) -> Owner {
        let children = guide.children(owner);
        let mut made = Owner::default();
        if children.is_empty() {
            return made;
        }
        let mut groups: Vec<(u32, &str)> = Vec::new();
        let mut pools: Vec<UseId> = Vec::new();
        // Of each child its tag's number, and its counters: that of its group, that of its list.
        let mut all = Vec::with_capacity(children.len());
        for (number, &id) in children.iter().enumerate() {
            let one = &guide.uses[id];
            let group = children.len() + place(&mut groups, (one.order, one.tag.as_str()));
            let pool = one.pool.map(|pool| place(&mut pools, pool));
            if one.usage == Usage::Mandatory {
                made.due.push(Due {
                    child: number as u16,
                    order: one.order,
                    group: one.when.is_empty().then_some(group as u16),
                });
            }
            let tag = tags.binary_search(&one.tag.as_str()).unwrap_or_default();
            all.push((tag, number, group, pool));
        }
        let lists = children.len() + groups.len();
        made.counters = vec![0; lists + pools.len()];
        all.sort_by_key(|(tag, ..)| *tag);
        made.children
            .extend(all.iter().map(|&(_, child, group, pool)| {
                let counters = [child, group, pool.map_or(child, |pool| lists + pool)];
                let id = children[child];
                Candidate::new(id, &guide.uses[id], counters.map(|number| number as u16))
            }));
        let mut from = 0;
        for tag in 0..tags.len() {
            let same = all[from..].iter().take_while(|one| one.0 == tag).count();
            made.ranges.push((from as u16, (from + same) as u16));
            from += same;
        }
        made
    }
}

/// The place of an item, which is put last where it is new.
fn place<T: PartialEq>(all: &mut Vec<T>, item: T) -> usize {
    all.iter().position(|one| *one == item).unwrap_or_else(|| {
        all.push(item);
        all.len() - 1
    })
}

/// A use as its segments are checked against it.
#[derive(Debug)]
pub(crate) struct Layout {
    lanes: Vec<Lane>,
    /// Elements that must be there, and those that may not, as bits.
    due: u64,
    barred: u64,
    /// The first elements of pairs of neighbours that come together, as bits; the other notes.
    pairs: u64,
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
    /// Whether what fills its list may go on in the next segment of its kind.
    pub(crate) joins: bool,
    /// The slots of its owner's record that it is written for, and those of uses in it.
    slots: u64,
    /// Whether it is written for none of them.
    is_due: bool,
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

    /// Whether it is of an element and the next one.
    fn is_pair(&self) -> bool {
        self.kind == NoteKind::Paired && self.all == self.first | self.first << 1
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
        let mut ties: Vec<Tie> = one.notes.iter().map(Tie::new).collect();
        let pairs = ties.extract_if(.., |tie| tie.is_pair());
        let pairs = pairs.fold(0, |all, tie| all | tie.first);
        let joins = !one.runs.is_empty() && one.scope.is_empty() && one.capacity() > 1;
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
            lanes: lanes(guide, one),
            due: bits(Usage::Mandatory),
            barred: bits(Usage::NotUsed),
            pairs,
            ties,
            runs: runs.collect(),
            counts: counts.map(|(_, index)| index).collect(),
            sums,
            numbers: check_digit::pairs(one),
            moves: Moves::new(one),
            joins,
            slots: slots(guide, one),
            is_due: one.is_due(),
        }
    }

    /// Whether it may have to be written where these slots of its owner's record are filled.
    #[inline]
    pub(crate) fn is_asked(&self, filled: u64) -> bool {
        self.slots & filled != 0 || self.is_due
    }

    /// Whether a segment is certainly right: nothing about its elements is to be told, and every
    /// value stays what it is. `false` says nothing.
    pub(crate) fn is_sound(&self, segment: &Segment<'_>, delimiters: &Delimiters) -> bool {
        let (bytes, ends) = (segment.bytes(), segment.ends());
        if ends.len() > MAX_LANES + 1 || !(segment.is_plain() || is_plain(bytes, delimiters)) {
            return false;
        }
        let (mut present, mut bit) = (0, 1);
        let mut lanes = self.lanes.iter();
        let mut start = ends[0] as usize + 1;
        for &end in &ends[1..] {
            let Some(lane) = lanes.next() else {
                return false;
            };
            let end = end as usize;
            bit <<= 1;
            if end > start {
                if !lane.takes(&bytes[start..end]) {
                    return false;
                }
                present |= bit;
            }
            start = end + 1;
        }
        self.due & !present == 0
            && self.barred & present == 0
            && (present & self.pairs) << 1 == present & self.pairs << 1
            && (self.ties.is_empty() || self.ties.iter().all(|tie| tie.holds(present)))
            && (self.runs.is_empty() || self.runs.iter().all(|&run| is_gapless(run, present)))
            && (self.numbers.is_empty() || self.are_numbers_right(segment))
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

/// The slots of the record around it that a use, and what is in it, takes values from.
fn slots(guide: &Guide, one: &Use) -> u64 {
    let first = |path: &Path| match path.first() {
        Some(step) if step.slot == ITEM => u64::MAX,
        Some(step) => bit(step.slot),
        None => 0,
    };
    if !one.scope.is_empty() {
        return first(&one.scope);
    }
    let parts = one.parts().map(|part| first(&part.target));
    let runs = one.runs.iter().map(|run| first(&run.list));
    let children = one.children.iter().map(|&id| slots(guide, &guide.uses[id]));
    parts
        .chain(runs)
        .chain(children)
        .fold(0, |all, one| all | one)
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
            for note in def.notes.iter() {
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
                    let pair = (present & tie.first) << 1 == present & tie.first << 1;
                    assert!(!tie.is_pair() || pair == tie.holds(present), "{note:?}");
                }
            }
        }
    }
}
