//! A set as a partner could send it, made from its guide alone: plausible values, each in its
//! place, the same every time.
//!
//! Not [`sample`](super::sample()), which fills every field with any value of its type for the laws.
//! What a guide allows is known exactly by the reader: so a set is made, read, and what the reader
//! finds fault with is left out, until nothing is.

mod values;

use std::collections::BTreeSet;

use super::dictionary::{NoteKind, Usage};
use super::guide::{Guide, PartUse, Pattern, Rule, Use, UseId};
use super::read::read_bound;
use super::value::fault;
use super::write::write;
use crate::x12::{Delimiters, Finding, Position, Segment, Segments};
use values::{
    BUYERS, CODES, DATES, INSTEAD, LINE_TAGS, LINES, OF_BUYERS, OF_LINES, SPARE, USUAL, VALUES,
    any, numbered_item,
};

/// Rounds of leaving out what is wrong: each takes at least one element or segment.
const ROUNDS: usize = 400;

/// A set's body; where the guide maps, as [`write()`] writes the document that it is.
///
/// # Errors
/// What the reader still finds: the guide asks for what cannot be made up, such as a code of a list
/// that is not there.
pub fn example(guide: &Guide, full: bool) -> Result<Segments, Vec<Finding>> {
    let mut without = BTreeSet::new();
    let delimiters = Delimiters::default();
    for _ in 0..ROUNDS {
        let mut maker = Maker {
            guide,
            full,
            without: &without,
            segments: Segments::default(),
            levels: 0,
            around: (0, 0),
            line: 0,
        };
        maker.frame(None, "");
        let mut segments = maker.segments;
        let read = super::read(guide, &segments, &delimiters).document;
        if let Some(document) = read {
            segments = write(guide, &document, &delimiters).segments;
        }
        let segments = numbered(&segments);
        let (reading, bound) = read_bound(guide, &segments, &delimiters);
        if reading.findings.is_empty() {
            return Ok(segments);
        }
        let before = without.len();
        for finding in &reading.findings {
            let at = (finding.location.segment as usize).checked_sub(1);
            let Some(Some(id)) = at.and_then(|at| bound.get(at)) else {
                continue;
            };
            let one = &guide.uses[*id];
            let element = finding.location.element.map_or(0, |n| n as usize);
            let due = element == 0
                || one
                    .places
                    .get(element - 1)
                    .is_some_and(|p| p.usage == Usage::Mandatory);
            without.insert((*id, if due { 0 } else { element }));
        }
        if without.len() == before {
            return Err(reading.findings);
        }
    }
    Err(Vec::new())
}

fn numbered(segments: &Segments) -> Segments {
    let mut all = Segments::default();
    for (segment, ordinal) in segments.iter().zip(1..) {
        let position = Position {
            ordinal,
            ..Position::default()
        };
        all.push(Segment::new(segment.bytes(), segment.ends(), &position));
    }
    all
}

/// HL03 of a level, where its `when` says one.
fn level_code(one: &Use) -> Option<String> {
    match one
        .when
        .iter()
        .find(|when| when.element == 3)?
        .patterns
        .first()?
    {
        Pattern::Is(code) => Some(code.clone()),
        Pattern::Begins(_) => None,
    }
}

struct Maker<'a> {
    guide: &'a Guide,
    full: bool,
    /// Uses (element 0) and elements of them that did not go well.
    without: &'a BTreeSet<(UseId, usize)>,
    segments: Segments,
    /// Levels so far.
    levels: u32,
    /// The number of the level around, and of the one around that; 0 is none.
    around: (u32, u32),
    /// The ordinal of the line; 0 outside of lines.
    line: u32,
}

impl Maker<'_> {
    /// All that belongs under `owner`; `level` is the code of the level around it.
    fn frame(&mut self, owner: Option<UseId>, level: &str) {
        let guide = self.guide;
        let children = guide.children(owner);
        for group in children.chunk_by(|&a, &b| guide.uses[a].order == guide.uses[b].order) {
            if guide.uses[group[0]].level.is_some() {
                self.tree(group);
                continue;
            }
            let mut room = guide.uses[group[0]].group_max;
            for &id in group {
                let one = &guide.uses[id];
                let is_line =
                    self.around.0 == 0 && LINE_TAGS.contains(&one.tag.as_str()) && one.repeats();
                let wanted = if is_line { LINES } else { 1 };
                let count = if self.wants(id, level) {
                    wanted.min(room)
                } else {
                    0
                };
                room -= count;
                for line in 1..=count {
                    self.line = if is_line { line } else { self.line };
                    self.segment(id);
                    self.frame(Some(id), level);
                }
                self.line = if is_line { 0 } else { self.line };
            }
        }
    }

    fn wants(&self, id: UseId, level: &str) -> bool {
        let one = &self.guide.uses[id];
        // Where a value may ask for it, it is there.
        let due = one.usage == Usage::Mandatory || self.guide.asks_for(id, None);
        if one.usage == Usage::NotUsed
            || self.without.contains(&(id, 0)) && one.usage != Usage::Mandatory
        {
            return false;
        }
        let maps = one.maps() || one.children.iter().any(|&id| self.guide.uses[id].maps());
        let usual = USUAL.iter().any(|(key, levels)| {
            let here = match levels.strip_prefix('=') {
                Some(only) => !level.is_empty() && only.contains(level),
                None => level.is_empty() || levels.is_empty() || levels.contains(level),
            };
            *key == one.key && here
        });
        let body = one.area() == "detail" && !one.children.is_empty();
        due || maps && (self.full || body || usual)
    }

    /// One branch of levels, with two items at its end.
    fn tree(&mut self, group: &[UseId]) {
        let chain = self.chain(group, &[]);
        let outer = self.around;
        for (id, last) in chain
            .iter()
            .zip((1..=chain.len()).map(|n| n == chain.len()))
        {
            let one = &self.guide.uses[*id];
            let parent = self.around.0;
            let code = level_code(one).unwrap_or_default();
            for line in 1..=if last { LINES } else { 1 } {
                self.levels += 1;
                self.around = (self.levels, parent);
                self.line = if last { line } else { 0 };
                self.segment(*id);
                self.frame(Some(*id), &code);
            }
        }
        (self.around, self.line) = (outer, 0);
    }

    /// The levels that may stand below each other from the top down: those that must come, the
    /// item last, an order and a carton above it, in the usual order; of a full sample all that
    /// can be.
    fn chain(&self, group: &[UseId], above: &[UseId]) -> Vec<UseId> {
        let uses = &self.guide.uses;
        let code = |id: &UseId| level_code(&uses[*id]).unwrap_or_default();
        let worth = |chain: &Vec<UseId>| {
            let must = chain
                .iter()
                .filter(|&&id| uses[id].usage == Usage::Mandatory)
                .count();
            let item = chain.last().is_some_and(|id| code(id) == "I");
            let parts = chain
                .iter()
                .filter(|id| ["S", "O", "P"].contains(&code(id).as_str()));
            let place = |id: &UseId| "SOTPI".find(&code(id));
            let steps = chain
                .windows(2)
                .filter(|two| place(&two[0]) > place(&two[1]))
                .count();
            let (parts, length) = (parts.count(), chain.len() as i64);
            let length = if self.full { length } else { -length };
            (
                must,
                item,
                if self.full { length } else { parts as i64 },
                -(steps as i64),
                length,
            )
        };
        let may_follow = |&&id: &&UseId| {
            let Some(rule) = &uses[id].level else {
                return false;
            };
            let stands = match above.last() {
                None => rule.top,
                Some(last) => rule.admits(super::level::pack(code(last).as_bytes())),
            };
            stands
                && uses[id].usage != Usage::NotUsed
                && !code(&id).is_empty()
                && !above.contains(&id)
        };
        let longer = group.iter().filter(may_follow).map(|id| {
            let chain: Vec<UseId> = above.iter().chain([id]).copied().collect();
            self.chain(group, &chain)
        });
        longer
            .chain([above.to_vec()])
            .max_by_key(worth)
            .unwrap_or_default()
    }

    fn segment(&mut self, id: UseId) {
        let one = &self.guide.uses[id];
        let mut elements: Vec<Vec<String>> = one
            .places
            .iter()
            .map(|place| vec![String::new(); place.parts.len()])
            .collect();
        for at in 0..one.places.len() {
            if self.fills(id, at) {
                self.element(one, at, &mut elements);
            }
        }
        for _ in 0..one.notes.len().min(8) {
            self.keep_notes(id, &mut elements);
        }
        let component = char::from(Delimiters::default().component).to_string();
        let mut parts: Vec<String> = vec![one.tag.clone()];
        parts.extend(elements.iter().map(|element| {
            let text = element.join(&component);
            text.trim_end_matches(&component).to_owned()
        }));
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        self.segments.push_parts(&parts, Position::default());
    }

    fn fills(&self, id: UseId, at: usize) -> bool {
        let one = &self.guide.uses[id];
        let place = &one.places[at];
        let told = one.when.iter().any(|when| when.element == at + 1);
        let spare = SPARE.contains(&format!("{}{:02}", one.tag, at + 1).as_str());
        let asked = self.guide.asks_for(id, Some(at + 1));
        if place.usage == Usage::Mandatory || told || asked {
            return true;
        }
        let first = &place.parts[0];
        let maps = place.parts.iter().any(|part| match part.run {
            Some((_, group, _)) => group == 0,
            None => !part.target.is_empty(),
        });
        let line = VALUES.iter().position(|(number, _)| number.is_empty());
        let usual = VALUES
            .iter()
            .take(line.unwrap_or(0))
            .any(|(number, _)| *number == first.def.number);
        let usual =
            usual || ["66", "235", "355", "349", "735"].contains(&first.def.number.as_ref());
        let made = matches!(
            first.is,
            Some(Rule::Constant(_) | Rule::Level | Rule::LevelParent)
        );
        let kept = place.usage != Usage::NotUsed && !self.without.contains(&(id, at + 1));
        kept && (made || maps && (self.full || usual && !spare))
    }

    fn element(&self, one: &Use, at: usize, elements: &mut [Vec<String>]) {
        let place = &one.places[at];
        for (index, part) in place.parts.iter().enumerate() {
            let wanted = index == 0
                || part.usage == Usage::Mandatory
                || self.full && !part.target.is_empty();
            if wanted && (!place.composite || part.usage != Usage::NotUsed) {
                let before = at
                    .checked_sub(1)
                    .map_or("", |before| elements[before][0].as_str())
                    .to_owned();
                let component = if place.composite { index + 1 } else { 0 };
                elements[at][index] = self.text(one, part, (at + 1, component), &before);
            }
        }
    }

    /// Fills what a syntax note asks for, and empties what it excludes.
    fn keep_notes(&self, id: UseId, elements: &mut [Vec<String>]) {
        let one = &self.guide.uses[id];
        for note in one.notes.iter() {
            let there = |e: usize| {
                elements
                    .get(e - 1)
                    .is_some_and(|parts| parts.iter().any(|p| !p.is_empty()))
            };
            if note.holds(there) {
                continue;
            }
            let missing: Vec<usize> = note
                .elements
                .iter()
                .copied()
                .filter(|&e| !there(e))
                .collect();
            let fill: &[usize] = match note.kind {
                NoteKind::Exclusion => {
                    for &e in note
                        .elements
                        .iter()
                        .filter(|&&e| there(e))
                        .collect::<Vec<_>>()[1..]
                        .iter()
                    {
                        elements[e - 1].iter_mut().for_each(String::clear);
                    }
                    continue;
                }
                NoteKind::Required | NoteKind::ListConditional => &missing[..1],
                _ => &missing,
            };
            for &e in fill {
                self.element(one, e - 1, elements);
            }
        }
    }

    /// A value for an element. `before` is the one before it: a qualifier says what a number is.
    fn text(&self, one: &Use, part: &PartUse, at: (usize, usize), before: &str) -> String {
        if let Some(when) = one.when.iter().find(|w| (w.element, w.component) == at) {
            return match &when.patterns[0] {
                Pattern::Is(text) => text.clone(),
                Pattern::Begins(text) => format!("{text}1"),
            };
        }
        let (number, parent) = self.around;
        match &part.is {
            Some(Rule::Constant(text)) => return text.clone(),
            Some(Rule::Seq) => return self.line.max(1).to_string(),
            Some(Rule::Level) => return number.to_string(),
            Some(Rule::LevelParent) if parent == 0 => return String::new(),
            Some(Rule::LevelParent) => return parent.to_string(),
            _ => {}
        }
        let def = &part.def;
        let fits = |text: &str| {
            let formed = part.forms.is_empty() || part.forms.iter().any(|form| form.takes(text));
            let sound = fault(text, def).is_none() && formed;
            sound && !super::sample::is_reserved(self.guide, one, at, text)
        };
        let own = self.own(one, part, at.0, before).filter(|text| fits(text));
        if let Some(text) = own {
            return text;
        }
        let preferred = CODES
            .iter()
            .filter(|(number, _)| *number == def.number)
            .flat_map(|(_, codes)| *codes);
        let listed = |code: &&str| {
            part.codes
                .as_ref()
                .is_none_or(|list| list.word(code).is_some())
        };
        if let Some(code) = preferred.copied().filter(listed).find(|code| fits(code)) {
            return code.to_owned();
        }
        if let Some(list) = &part.codes {
            let code = list.all().find(|code| fits(code));
            return code.unwrap_or_default().to_owned();
        }
        let known = VALUES
            .iter()
            .find(|(number, value)| *number == def.number && fits(value));
        known.map_or_else(|| any(part, &fits), |(_, value)| (*value).to_owned())
    }

    /// What an element has for where it stands: in a line, on the buying side, after a qualifier.
    fn own(&self, one: &Use, part: &PartUse, element: usize, before: &str) -> Option<String> {
        let number = part.def.number.as_ref();
        let of = |table: &[(&str, &str)], name: &str| {
            let row = table.iter().find(|(known, _)| *known == name);
            row.map(|(_, value)| (*value).to_owned())
        };
        let line = self.line.max(1);
        let parents = std::iter::successors(Some(one), |one| Some(&self.guide.uses[one.parent?]));
        let mut whens = parents
            .flat_map(|one| &one.when)
            .flat_map(|when| &when.patterns);
        let buys = whens.any(|p| matches!(p, Pattern::Is(code) if BUYERS.contains(&code.as_str())));
        let instead = of(INSTEAD, &format!("{}{element:02}", one.tag));
        let side = of(OF_BUYERS, number).filter(|_| buys);
        instead.or(side).or_else(|| match number {
            "234" | "87" => numbered_item(before, line),
            "373" => of(DATES, before),
            "127" if one.tag == "RMR" => Some(format!("INV-471{line}")),
            "350" if self.line > 0 => Some(line.to_string()),
            _ if self.line > 0 => of(OF_LINES, number),
            _ => None,
        })
    }
}
