//! A set's segments with all that is known of them: names, loops, what each value means.
//!
//! A value's meaning is its guide's where that has codes for it, else what `codes/element_NN.toml`
//! says of its data element; a qualifier's meaning is said again of the value that it qualifies
//! (`UP` makes `731200000117` a UPC).

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use super::ack::word;
use super::explain::codes;
use super::sentence::title;
use super::walk::{Guides, SeenSet};
use crate::mapping::{Dictionary, ElementView, UseView, bind};
use crate::x12::{Delimiters, Segment, Verdict, components, repetitions};

/// The release whose dictionary names elements of releases that have none: names rarely change.
pub(super) const NAMES_FROM: &str = "004010";

/// Data elements that say what another one is, with those.
const QUALIFIERS: &[(&str, &[&str])] = &[
    ("66", &["67"]),
    ("88", &["87"]),
    ("128", &["127"]),
    ("235", &["234"]),
    ("309", &["310"]),
    ("365", &["364"]),
    ("374", &["373", "337"]),
    ("522", &["782"]),
    ("673", &["380"]),
];

/// One segment, ready to be shown.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) tag: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub(super) in_loop: Option<String>,
    /// In how many loops and levels it stands; what opens one stands outside of it.
    #[serde(skip)]
    pub(super) depth: usize,
    #[serde(skip)]
    pub(super) opens: bool,
    pub(super) line: u32,
    pub(super) segment: u32,
    pub(super) elements: Vec<Cell>,
}

/// One value.
#[derive(Serialize)]
pub(super) struct Cell {
    pub(super) element: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    pub(super) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meaning: Option<String>,
}

/// The set's segments with all that is known of them.
pub(super) fn rows(seen: &SeenSet<'_>, guides: &Guides) -> Vec<Row> {
    let bound = match &seen.guide {
        Some(guide) => bind(guide, &seen.set.segments, seen.delimiters).1,
        None => vec![None; seen.set.segments.len()],
    };
    let library = &guides.library;
    let own = library.dictionary(seen.group.release());
    let known = Known {
        guides,
        dictionary: own.or_else(|_| library.dictionary(NAMES_FROM)).ok(),
        delimiters: seen.delimiters,
    };
    let mut levels = Levels::default();
    let segments = seen.set.segments.iter().zip(bound);
    let rows = segments.map(|(segment, view)| {
        let mut row = known.row(&segment, view);
        row.depth += levels.depth(&segment, view);
        row
    });
    rows.collect()
}

/// How deep the levels of a ship notice are nested.
#[derive(Default)]
struct Levels {
    by_number: HashMap<Vec<u8>, usize>,
    current: usize,
}

impl Levels {
    /// How deep the level is that a segment opens or stands in.
    fn depth(&mut self, segment: &Segment<'_>, view: Option<UseView<'_>>) -> usize {
        /// Deeper than goods are packed; what claims to be is not indented further.
        const DEEPEST: usize = 12;
        if segment.tag() == b"HL" {
            let parent = self.by_number.get(segment.element(2));
            self.current = parent.map_or(0, |depth| (depth + 1).min(DEEPEST));
            let number = segment.element(1).to_vec();
            self.by_number.insert(number, self.current);
        } else if view.is_some_and(|view| view.depth() == 0) {
            self.current = 0;
        }
        self.current
    }
}

/// What segments are read by.
struct Known<'a> {
    guides: &'a Guides,
    dictionary: Option<Arc<Dictionary>>,
    delimiters: &'a Delimiters,
}

impl Known<'_> {
    fn row(&self, segment: &Segment<'_>, view: Option<UseView<'_>>) -> Row {
        let tag = text(segment.tag());
        let position = segment.position();
        let def = self.dictionary.as_ref().and_then(|d| d.segment(&tag));
        Row {
            name: def.map_or(String::new(), |def| def.name.to_string()),
            in_loop: view.and_then(|view| view.in_loop().map(str::to_owned)),
            depth: view.map_or(0, UseView::depth),
            opens: view.is_some_and(UseView::is_loop),
            line: position.line,
            segment: position.ordinal,
            elements: self.cells(segment, &tag, view),
            tag,
        }
    }

    fn cells(&self, segment: &Segment<'_>, tag: &str, view: Option<UseView<'_>>) -> Vec<Cell> {
        let def = self.dictionary.as_ref().and_then(|d| d.segment(tag));
        let mut cells = Vec::new();
        // The last qualifier: what it qualifies, and its word.
        let mut qualifier: Option<(&[&str], String)> = None;
        for number in (1..=segment.count()).filter(|&n| !segment.element(n).is_empty()) {
            let place = def.and_then(|def| def.places.get(number - 1));
            let composite = match (view, place) {
                (Some(view), _) => view.is_composite(number),
                (None, place) => place.is_some_and(|place| place.composite.is_some()),
            };
            for raw in repetitions(segment.element(number), self.delimiters) {
                let parts: Vec<&[u8]> = match composite {
                    true => components(raw, self.delimiters).collect(),
                    false => vec![raw],
                };
                for (index, raw) in parts.iter().enumerate().filter(|(_, raw)| !raw.is_empty()) {
                    let value = text(raw);
                    let component = if composite { index + 1 } else { 0 };
                    let element = view.and_then(|view| view.element(number, component));
                    let part = place.and_then(|place| place.parts.get(index));
                    let of = part.map_or("", |part| &*part.def.number);
                    let own = self.meaning(of, element, &value);
                    let qualifies = QUALIFIERS.iter().find(|(known, _)| *known == of);
                    let joined = qualifier
                        .as_ref()
                        .filter(|(values, _)| values.contains(&of));
                    let meaning = match (own, joined) {
                        (Some(own), Some((_, word))) => Some(format!("{own}, {word}")),
                        (own, joined) => own.or(joined.map(|(_, word)| word.clone())),
                    };
                    if let Some((_, values)) = qualifies {
                        qualifier = meaning.clone().map(|word| (*values, word));
                    }
                    let suffix = match composite {
                        true => format!("-{component}"),
                        false => String::new(),
                    };
                    cells.push(Cell {
                        element: format!("{tag}{number:02}{suffix}"),
                        name: part.map_or(String::new(), |part| part.def.name.to_string()),
                        value,
                        meaning,
                    });
                }
            }
        }
        cells
    }

    /// What a value of data element `number` means.
    fn meaning(
        &self,
        number: &str,
        element: Option<ElementView<'_>>,
        value: &str,
    ) -> Option<String> {
        let own = element.and_then(|element| element.meaning(value));
        if own.is_some() || number.is_empty() {
            return own;
        }
        if matches!(number, "715" | "717" | "I17") {
            let verdict = Verdict::of(value);
            return Some(word(&verdict).to_owned()).filter(|word| word != value);
        }
        if number == "143" {
            let title = title(value);
            return title.strip_prefix(value).map(|name| name.trim().to_owned());
        }
        if let Some(meaning) = codes::of_element(number, value) {
            return Some(meaning.to_owned());
        }
        let list = self
            .guides
            .library
            .codes(&format!("element_{number}"))?
            .ok()?;
        list.word(value).map(str::to_owned)
    }
}

/// UTF-8, or each byte its Latin-1 character.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
