//! Where the values of a sound segment go, settled once: into a record that nothing is in yet, no
//! field twice. Then no value asks what is there already.

use std::sync::Arc;

use super::dictionary::DataType;
use super::guide::{ITEM, PartUse, Path, Step, Use};
use super::reach::walk;
use super::slots::{Kind, NodeId, Slots, is_unescaped};
use super::value::{CodeList, decode};

/// Records and lists that one segment's values go into; more are left to the long way.
const MOST: usize = 8;

/// The moves of a use, one an element.
#[derive(Debug)]
pub(crate) struct Moves {
    /// What the values go into, of which the first is the use's own record.
    parents: Vec<Parent>,
    all: Vec<Option<Move>>,
}

/// A record or a list that values go into.
#[derive(Debug)]
struct Parent {
    /// From the use's own record.
    path: Path,
    /// Whether no other parent's path begins with the same step, so that nothing is at it yet.
    alone: bool,
}

/// One value's.
#[derive(Debug)]
struct Move {
    form: Form,
    /// Index of what it goes into.
    parent: u8,
    step: Step,
    /// In a list that a run fills: the group, and what an item is where it is a record.
    item: Option<(u32, Option<Kind>)>,
}

/// How a value becomes canonical.
#[derive(Debug)]
enum Form {
    /// It is.
    Same,
    Word(Arc<CodeList>),
    /// `CCYYMMDD`
    Date,
    Decoded(DataType),
}

impl Moves {
    pub(crate) fn new(one: &Use) -> Option<Moves> {
        let mut moves = Moves {
            parents: Vec::new(),
            all: Vec::new(),
        };
        moves.parent(&[]);
        let mut taken: Vec<(u8, u32)> = Vec::new();
        for place in &one.places {
            // A composite never is sound.
            let part = (!place.composite).then(|| &place.parts[0]);
            let step = match part {
                Some(part) => moves.step(one, part)?,
                None => None,
            };
            if let Some(step) = &step
                && step.item.is_none()
            {
                let place = (step.parent, step.step.slot);
                if taken.contains(&place) {
                    return None;
                }
                taken.push(place);
            }
            moves.all.push(step);
        }
        Some(moves)
    }

    /// `None` outside where it is not plain, inside where the value goes nowhere.
    fn step(&mut self, one: &Use, part: &PartUse) -> Option<Option<Move>> {
        let (list, step, item) = match (part.run, part.target.split_last()) {
            (Some((run, group, field)), _) => {
                let run = &one.runs[run];
                let record = matches!(run.item, Kind::Struct(_)).then_some(run.item);
                let leaf = Step {
                    slot: 0,
                    kind: run.item,
                };
                let step = match record {
                    Some(_) => run.fields[field],
                    None => leaf,
                };
                (&run.list[..], step, Some((group, record)))
            }
            (None, Some((last, steps))) => (steps, *last, None),
            (None, None) => return Some(None),
        };
        if step.slot == ITEM || list.iter().any(|step| step.slot == ITEM) {
            return None;
        }
        let parent = self.parent(list);
        let form = match (&part.codes, part.def.data) {
            (Some(codes), _) => Form::Word(codes.clone()),
            // A sound number is in its canonical form already.
            (None, DataType::Text | DataType::Id | DataType::Decimal) => Form::Same,
            (None, DataType::Date) => Form::Date,
            (None, data) => Form::Decoded(data),
        };
        (parent < MOST).then_some(Some(Move {
            form,
            parent: parent as u8,
            step,
            item,
        }))
    }

    /// The index of what is at a path.
    fn parent(&mut self, path: &[Step]) -> usize {
        if let Some(known) = self.parents.iter().position(|parent| parent.path == path) {
            return known;
        }
        let mut alone = true;
        for other in &mut self.parents {
            if other.path.first() == path.first() {
                (other.alone, alone) = (false, false);
            }
        }
        let path = path.to_vec();
        self.parents.push(Parent { path, alone });
        self.parents.len() - 1
    }

    /// Puts the elements of a sound segment, of which `bytes` are all and `ends` are the ends, into
    /// `record`, in which nothing is yet.
    pub(crate) fn make(
        &self,
        bytes: &[u8],
        ends: &[u32],
        record: NodeId,
        slots: &mut Slots,
        buffer: &mut String,
    ) {
        // The segment is kept as it is: most leaves are ranges of it.
        let base = slots.keep(bytes).start;
        let plain = is_unescaped(bytes);
        let mut nodes = [None; MOST];
        nodes[0] = Some(record);
        let (mut group, mut item) = (None, record);
        let mut start = ends[0] + 1;
        for (one, &end) in self.all.iter().zip(&ends[1..]) {
            let here = start..end;
            start = end + 1;
            let Some(one) = one.as_ref().filter(|_| !here.is_empty()) else {
                continue;
            };
            let raw = || &bytes[here.start as usize..here.end as usize];
            let (kept, plain) = match &one.form {
                Form::Same => (base + here.start..base + here.end, plain),
                Form::Word(codes) => {
                    let word = codes.word_of(raw()).unwrap_or_default();
                    (slots.keep(word.as_bytes()), codes.stand)
                }
                Form::Date => {
                    let &[c, e, y, z, m, n, d, f] = raw() else {
                        continue;
                    };
                    (slots.keep(&[c, e, y, z, b'-', m, n, b'-', d, f]), true)
                }
                Form::Decoded(data) => {
                    let raw = std::str::from_utf8(raw()).unwrap_or_default();
                    if !decode(raw, *data, None, buffer) {
                        continue;
                    }
                    (slots.keep(buffer.as_bytes()), true)
                }
            };
            let at = usize::from(one.parent);
            let mut parent = *nodes[at].get_or_insert_with(|| match &self.parents[at] {
                Parent { path, alone: true } => path
                    .iter()
                    .fold(record, |node, step| slots.push(node, step.slot, step.kind)),
                Parent { path, .. } => walk(slots, record, path),
            });
            if let Some((number, Some(kind))) = one.item {
                if group != Some((one.parent, number)) {
                    group = Some((one.parent, number));
                    item = slots.push(parent, 0, kind);
                }
                parent = item;
            }
            slots.push_kept(parent, one.step.slot, one.step.kind, kept, plain);
        }
    }
}
