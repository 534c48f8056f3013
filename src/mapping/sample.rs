//! Documents made from a guide alone: every `as` filled with values of its type.
//!
//! The laws of this room are tested on them, and people look at one to see what a guide can say.
//! The values are valid one by one; they do not make business sense together, but for what the guide
//! itself asks of them (`meets`).

mod meets;

use std::collections::BTreeMap;

use super::dictionary::{DataType, Usage};
use super::empty::empty;
use super::guide::{Guide, ITEM, PartUse, Pattern, Use, UseId};
use super::reach::{nodes, walk};
use super::shape::Form;
use super::slots::{Kind, NodeId, ROOT, Slots};
use super::value::{decode, fault};
use crate::canonical::Document;

/// How much of the guide a sample fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Every field that the positions' limits allow.
    All,
    /// What is mandatory, and a part of the rest.
    Some,
}

/// Makes a document. `choose(n)` draws a number below `n`; the same draws give the same document.
/// `None` for a guide that is structure only.
pub fn sample(guide: &Guide, fill: Fill, choose: &mut dyn FnMut(u32) -> u32) -> Option<Document> {
    let kind = guide.document?;
    let mut sampler = Sampler {
        guide,
        fill,
        choose,
        slots: Slots::new(&guide.names),
        levels: 0,
        made: BTreeMap::new(),
    };
    sampler.frame(None, ROOT);
    let (slots, schema) = (&sampler.slots, &guide.schema);
    empty(kind, slots, schema).ok()
}

/// Most items that a sample puts into one list.
const MOST: u32 = 3;

/// How many levels a sample has at least where its guide has any, and how deep they go.
const LEVELS: u32 = 8;
const DEPTH: u32 = 6;

struct Sampler<'a> {
    guide: &'a Guide,
    fill: Fill,
    choose: &'a mut dyn FnMut(u32) -> u32,
    slots: Slots,
    /// How many levels there are so far.
    levels: u32,
    /// The last value of each element that others are compared with, by use, element, component.
    made: BTreeMap<(UseId, usize, usize), String>,
}

impl Sampler<'_> {
    fn frame(&mut self, owner: Option<UseId>, scope: NodeId) {
        let guide = self.guide;
        let children = guide.children(owner);
        for group in children.chunk_by(|&a, &b| guide.uses[a].order == guide.uses[b].order) {
            if guide.uses[group[0]].level.is_some() {
                while self.levels < LEVELS {
                    self.tree(group, None, 0);
                }
                continue;
            }
            let mut room = guide.uses[group[0]].group_max;
            // Where not all uses fit, another one comes first in each sample.
            let first = (self.choose)(group.len() as u32) as usize;
            for index in 0..group.len() {
                let id = group[(first + index) % group.len()];
                let one = &guide.uses[id];
                if one.usage == Usage::NotUsed
                    || room == 0
                    || (self.skips() && one.usage != Usage::Mandatory && !guide.asks_for(id, None))
                {
                    continue;
                }
                let most = one.capacity().min(room).min(MOST);
                let count = if one.repeats() {
                    1 + (self.choose)(most)
                } else {
                    1
                };
                room -= count;
                for _ in 0..count {
                    self.one(id, scope);
                }
            }
        }
    }

    /// One level at the top, or up to two below `around` (a level's use, code and record), and all
    /// below them: where `under` lets them stand.
    fn tree(&mut self, group: &[UseId], around: Option<(UseId, u32, NodeId)>, depth: u32) {
        let guide = self.guide;
        let may = |id: &&UseId| {
            let one = &guide.uses[**id];
            let rule = one.level.as_ref().filter(|_| one.usage != Usage::NotUsed);
            rule.is_some_and(|rule| match around {
                None => rule.top,
                Some((above, code, _)) => rule.admits(code) || guide.uses[above].when.is_empty(),
            })
        };
        let may: Vec<UseId> = group.iter().filter(may).copied().collect();
        let count = match around {
            None => 1,
            Some(_) if depth == DEPTH => 0,
            Some(_) => (self.choose)(3),
        };
        self.levels += u32::from(may.is_empty());
        for _ in 0..count.min(may.len() as u32) {
            let id = may[(self.choose)(may.len() as u32) as usize];
            let one = &guide.uses[id];
            let Some(rule) = &one.level else { continue };
            let (holder, slot) = match around {
                None => (ROOT, rule.list),
                Some((.., node)) => (node, rule.nested),
            };
            let Some(slot) = slot else { continue };
            let list = self.slots.child_or_push(holder, slot, Kind::List);
            let item = self.slots.push(list, 0, rule.item);
            self.levels += 1;
            self.fill(id, item);
            let code = one.places.get(2).map_or(0, |place| {
                let raw = super::write::raw(&self.slots, &place.parts[0], item);
                super::level::pack(raw.as_bytes())
            });
            self.tree(group, Some((id, code, item)), depth + 1);
        }
    }

    fn skips(&mut self) -> bool {
        self.fill == Fill::Some && (self.choose)(2) == 0
    }

    fn one(&mut self, id: UseId, scope: NodeId) {
        let one = &self.guide.uses[id];
        let scope = walk(&mut self.slots, scope, &one.scope);
        self.fill(id, scope);
    }

    /// Fills what a use and all under it have a place for.
    fn fill(&mut self, id: UseId, scope: NodeId) {
        let one = &self.guide.uses[id];
        let mut filled = false;
        for (number, place) in one.places.iter().enumerate() {
            for (component, part) in place.parts.iter().enumerate() {
                let due = place.usage == Usage::Mandatory
                    || one.when.iter().any(|w| w.element == number + 1)
                    || self.guide.asks_for(id, Some(number + 1));
                if part.target.is_empty() || (filled && !due && self.skips()) {
                    continue;
                }
                filled = true;
                let at = (number + 1, if place.composite { component + 1 } else { 0 });
                self.leaf(one, part, at, scope);
            }
        }
        for run in &one.runs {
            let room =
                (run.n as u32).saturating_mul(if one.scope.is_empty() { one.max } else { 1 });
            let list = walk(&mut self.slots, scope, &run.list);
            for _ in 0..1 + (self.choose)(room.min(MOST)) {
                self.group(one, run, list);
            }
        }
        if !one.children.is_empty() {
            self.frame(Some(id), scope);
        }
    }

    fn group(&mut self, one: &Use, run: &super::guide::Run, list: NodeId) {
        let parts = &one.places[run.first - 1..];
        if run.fields.is_empty() {
            let text = self.text(one, &parts[0].parts[0], (run.first, 0));
            self.slots.push_leaf(list, 0, run.item, &text);
            return;
        }
        let item = self.slots.push(list, 0, run.item);
        for (field, step) in run.fields.iter().enumerate() {
            let text = self.text(one, &parts[field].parts[0], (run.first + field, 0));
            self.slots.push_leaf(item, step.slot, step.kind, &text);
        }
    }

    fn leaf(&mut self, one: &Use, part: &PartUse, at: (usize, usize), scope: NodeId) {
        let text = self.text(one, part, at);
        let Some((last, steps)) = part.target.split_last() else {
            return;
        };
        let parent = walk(&mut self.slots, scope, steps);
        let slot = if last.slot == ITEM { 0 } else { last.slot };
        self.slots.push_leaf(parent, slot, last.kind, &text);
    }

    /// A canonical value for an element that its use would take back.
    fn text(&mut self, one: &Use, part: &PartUse, at: (usize, usize)) -> String {
        let mut canonical = String::new();
        if let Some(same) = self.related(one, part, at) {
            self.remember(one, at, &same);
            return same;
        }
        // Enough tries to miss a handful of reserved codes out of thousands.
        for _ in 0..200 {
            let raw = self.raw(one, part, at);
            let fits = fault(&raw, &part.def).is_none()
                && !is_reserved(self.guide, one, at, &raw)
                && (part.forms.is_empty() || part.forms.iter().any(|form| form.takes(&raw)))
                && !self.forbids(one, part, at, &raw);
            if fits && decode(&raw, part.def.data, part.codes.as_deref(), &mut canonical) {
                break;
            }
        }
        self.remember(one, at, &canonical);
        canonical
    }

    fn raw(&mut self, one: &Use, part: &PartUse, at: (usize, usize)) -> String {
        let when = one.when.iter().find(|w| (w.element, w.component) == at);
        if let Some(when) = when {
            let pick = (self.choose)(when.patterns.len() as u32) as usize;
            return match &when.patterns[pick] {
                Pattern::Is(text) => text.clone(),
                Pattern::Begins(text) => {
                    let room = part.def.max.saturating_sub(text.len()).min(2);
                    format!("{text}{}", self.letters(room))
                }
            };
        }
        if let Some(codes) = &part.codes {
            let mut all = codes.all();
            let chosen = (self.choose)(all.len() as u32) as usize;
            return all.nth(chosen).unwrap_or_default().to_owned();
        }
        if !part.forms.is_empty() {
            let form = &part.forms[(self.choose)(part.forms.len() as u32) as usize];
            return self.formed(form, part.def.max);
        }
        let (min, max) = (part.def.min.max(1), part.def.max.min(12).max(part.def.min));
        let length = min + (self.choose)((max - min + 1) as u32) as usize;
        match part.def.data {
            DataType::Date => {
                let (month, day) = (1 + (self.choose)(12), 1 + (self.choose)(28));
                let date = format!("20{:02}{month:02}{day:02}", (self.choose)(90) + 10);
                if part.def.max == 6 {
                    date[2..].to_owned()
                } else {
                    date
                }
            }
            DataType::Time => {
                let (hour, minute) = ((self.choose)(24), (self.choose)(60));
                let seconds = ["", "07", "075", "0759"][(self.choose)(4) as usize];
                format!("{hour:02}{minute:02}{seconds}")
            }
            DataType::Decimal => self.decimal(part, length),
            DataType::Implied(_) => self.digits(length.min(9)),
            _ => self.letters(length),
        }
    }

    /// A number in its normal form: `7`, `12.50`.
    fn decimal(&mut self, part: &PartUse, length: usize) -> String {
        let whole = self.digits(length.min(8));
        let integer = part
            .target
            .last()
            .is_some_and(|s| s.kind == Kind::Leaf(Form::Integer));
        if integer || length < 3 || (self.choose)(2) == 0 {
            return whole;
        }
        format!("{}.{:02}", &whole[..whole.len() - 2], (self.choose)(100))
    }

    /// Digits that do not begin with zero.
    fn digits(&mut self, length: usize) -> String {
        let digit = |i: usize, n: u32| if i == 0 { 1 + n % 9 } else { n };
        (0..length)
            .map(|i| digit(i, (self.choose)(10)).to_string())
            .collect()
    }

    fn letters(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..length)
            .map(|_| char::from(LETTERS[(self.choose)(36) as usize]))
            .collect()
    }
}

/// Whether a more exact use would take a segment with this value.
pub(super) fn is_reserved(guide: &Guide, one: &Use, at: (usize, usize), raw: &str) -> bool {
    let siblings = guide.children(one.parent).iter().map(|&id| &guide.uses[id]);
    siblings
        .filter(|other| {
            other.order == one.order && other.tag == one.tag && !std::ptr::eq(*other, one)
        })
        .flat_map(|other| &other.when)
        .filter(|when| (when.element, when.component) == at)
        .filter(|when| {
            !one.when
                .iter()
                .any(|w| (w.element, w.component) == at && w.weight() > when.weight())
        })
        .any(|when| when.patterns.iter().any(|p| p.fits(raw.as_bytes())))
}

impl Guide {
    /// Which of [`mapped`](Guide::mapped)'s lines have a value in `document`.
    pub fn filled(&self, document: &Document) -> Vec<String> {
        let mut slots = Slots::new(&self.names);
        let schema = &self.schema;
        let done = super::fill::fill(document, &mut slots, schema);
        let mut found = Vec::new();
        if done.is_ok() {
            for &id in &self.roots {
                self.fills(id, &[ROOT], &slots, &mut found);
            }
        }
        found
    }

    fn fills(&self, id: UseId, scopes: &[NodeId], slots: &Slots, found: &mut Vec<String>) {
        let one = &self.uses[id];
        let at = |path| {
            scopes
                .iter()
                .flat_map(|&s| nodes(slots, s, path))
                .collect::<Vec<_>>()
        };
        let own = at(&one.scope);
        if own.is_empty() {
            return;
        }
        let name = self.path(one);
        if let Some(node) = one.node.get("as") {
            found.push(format!("{name} -> {}", node.text().unwrap_or_default()));
        }
        for (key, node) in super::guide::elements(one) {
            let Some(target) = node.get("as") else {
                continue;
            };
            let Some((element, component)) = super::guide::designator(key, &one.tag) else {
                continue;
            };
            let part = &one.places[element - 1].parts[component.saturating_sub(1)];
            let path = part
                .run
                .map_or(&part.target, |(run, _, _)| &one.runs[run].list);
            if own
                .iter()
                .any(|&scope| !nodes(slots, scope, path).is_empty())
            {
                found.push(format!(
                    "{name}.{key} -> {}",
                    target.text().unwrap_or_default()
                ));
            }
        }
        for &child in &one.children {
            self.fills(child, &own, slots, found);
        }
    }

    /// For each position that several uses share, some order of them: what a document that was
    /// read in an unusual order carries in its provenance.
    pub fn shuffled(&self, choose: &mut dyn FnMut(u32) -> u32) -> BTreeMap<String, Vec<String>> {
        let mut orders = BTreeMap::new();
        self.shuffle(None, "", choose, &mut orders);
        orders
    }

    fn shuffle(
        &self,
        owner: Option<UseId>,
        path: &str,
        choose: &mut dyn FnMut(u32) -> u32,
        orders: &mut BTreeMap<String, Vec<String>>,
    ) {
        for group in self
            .children(owner)
            .chunk_by(|&a, &b| self.uses[a].order == self.uses[b].order)
        {
            let levels = self.uses[group[0]].level.is_some();
            if group.len() > 1 && !levels {
                let name = super::write::position(path.to_owned(), self.uses[group[0]].order);
                let draw = |_| {
                    self.uses[group[choose(group.len() as u32) as usize]]
                        .key
                        .clone()
                };
                orders.insert(name, (0..3 * group.len()).map(draw).collect());
            }
            for &id in group
                .iter()
                .filter(|&&id| !self.uses[id].children.is_empty())
            {
                for occurrence in 0..MOST {
                    let mut path = path.to_owned();
                    super::write::step(&mut path, &self.uses[id], occurrence);
                    self.shuffle(Some(id), &path, choose, orders);
                    // And levels in levels, one deep: the names would be very many.
                    for &inner in group.iter().filter(|_| levels) {
                        let mut path = path.clone();
                        super::write::step(&mut path, &self.uses[inner], 0);
                        self.shuffle(Some(inner), &path, choose, orders);
                    }
                }
            }
        }
    }

    /// The tags that the guide names, sorted.
    pub fn tags(&self) -> Vec<&str> {
        let tags: std::collections::BTreeSet<&str> =
            self.uses.iter().map(|u| u.tag.as_str()).collect();
        tags.into_iter().collect()
    }
}
