//! A guide to be looked at: its uses and elements with the words that people know them by.

use std::sync::Arc;

use super::dictionary::{DataType, Dictionary, ElementDef, Usage};
use super::guide::{Guide, PartUse, Pattern, Use, UseId, elements};
use super::read::{Reading, read_bound};
use super::slots::Kind;
use super::value::{CodeList, decode};
use crate::x12::{Delimiters, Segments};

/// One use of a segment in a guide.
#[derive(Clone, Copy)]
pub struct UseView<'g> {
    guide: &'g Guide,
    one: &'g Use,
}

/// One element, or one component of a composite, in a use.
#[derive(Clone, Copy)]
pub struct ElementView<'g> {
    view: UseView<'g>,
    part: &'g PartUse,
    usage: Usage,
    /// Element number, from 1.
    pub element: usize,
    /// Component number, from 1; 0 for a simple element.
    pub component: usize,
}

/// Reads a set's body as [`read`](super::read()) does, and says for each segment which use of the
/// guide took it; `None` for one that has no place.
pub fn bind<'g>(
    guide: &'g Guide,
    segments: &Segments,
    delimiters: &Delimiters,
) -> (Reading, Vec<Option<UseView<'g>>>) {
    let (reading, bound) = read_bound(guide, segments, delimiters);
    let view = |id: UseId| UseView {
        guide,
        one: &guide.uses[id],
    };
    (reading, bound.into_iter().map(|id| id.map(view)).collect())
}

impl Guide {
    /// All uses in the order of the set, each loop before what stands in it.
    pub fn uses(&self) -> Vec<UseView<'_>> {
        let mut all = Vec::with_capacity(self.uses.len());
        self.add(None, &mut all);
        all
    }

    fn add<'g>(&'g self, parent: Option<UseId>, all: &mut Vec<UseView<'g>>) {
        for &id in self.children(parent) {
            all.push(UseView {
                guide: self,
                one: &self.uses[id],
            });
            self.add(Some(id), all);
        }
    }

    /// The dictionary of its release.
    pub fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
    }
}

impl<'g> UseView<'g> {
    /// Its name in the guide, as `N1-ST`.
    pub fn key(self) -> &'g str {
        &self.one.key
    }

    /// Its place in the guide, as `heading.N1-ST.N4`.
    pub fn path(self) -> String {
        self.guide.path(self.one)
    }

    /// The segment identifier.
    pub fn tag(self) -> &'g str {
        &self.one.tag
    }

    /// The segment's name.
    pub fn name(self) -> &'g str {
        let def = self.guide.dictionary.segment(&self.one.tag);
        def.map_or("", |def| def.name.as_str())
    }

    /// `heading`, `detail` or `summary`; nothing inside a loop.
    pub fn area(self) -> &'static str {
        self.one.area()
    }

    /// The standard's position number.
    pub fn position(self) -> u32 {
        self.one.order & 0xff_ffff
    }

    /// Whether it must come.
    pub fn usage(self) -> Usage {
        self.one.usage
    }

    /// How often it may come.
    pub fn max(self) -> u32 {
        self.one.max
    }

    /// Whether it opens a loop.
    pub fn is_loop(self) -> bool {
        !self.one.children.is_empty()
    }

    /// In how many loops it stands.
    pub fn depth(self) -> usize {
        let parent = |id: &UseId| self.guide.uses[*id].parent;
        std::iter::successors(self.one.parent, parent).count()
    }

    /// The loop that it opens or stands in.
    pub fn in_loop(self) -> Option<&'g str> {
        match self.is_loop() {
            true => Some(&self.one.key),
            false => self.one.parent.map(|id| self.guide.uses[id].key.as_str()),
        }
    }

    /// The guide's `as`; empty where it has none.
    pub fn target(self) -> &'g str {
        let node = self.one.node.get("as");
        node.and_then(|node| node.text().ok()).unwrap_or_default()
    }

    /// What tells it from other uses, as `N101 = ST`; empty where nothing needs to.
    pub fn when(self) -> String {
        let conditions = self.one.when.iter().map(|when| {
            let values = when.patterns.iter().map(|pattern| match pattern {
                Pattern::Is(text) => text.clone(),
                Pattern::Begins(text) => format!("{text}…"),
            });
            let values: Vec<String> = values.collect();
            let component = match when.component {
                0 => String::new(),
                n => format!("-{n}"),
            };
            let element = when.element;
            format!(
                "{}{element:02}{component} = {}",
                self.one.tag,
                values.join(" or ")
            )
        });
        conditions.collect::<Vec<_>>().join(", ")
    }

    /// Where a level may stand, as `below O or P`; empty for what is no level.
    pub fn under(self) -> String {
        let rule = self.one.level.as_ref();
        rule.map_or_else(String::new, |rule| rule.places().to_string())
    }

    /// Its elements in order, composites as their components.
    pub fn elements(self) -> impl Iterator<Item = ElementView<'g>> {
        let places = self.one.places.iter().zip(1..);
        places.flat_map(move |(place, element)| {
            place
                .parts
                .iter()
                .zip(1..)
                .map(move |(part, n)| ElementView {
                    view: self,
                    part,
                    usage: if n == 1 { place.usage } else { part.usage },
                    element,
                    component: if place.composite { n } else { 0 },
                })
        })
    }

    /// Element `element`, component `component` (0 for a simple one).
    pub fn element(self, element: usize, component: usize) -> Option<ElementView<'g>> {
        let place = self.one.places.get(element.checked_sub(1)?)?;
        let part = place.parts.get(component.saturating_sub(1))?;
        Some(ElementView {
            view: self,
            part,
            usage: place.usage,
            element,
            component,
        })
    }

    /// Whether element `number` has components.
    pub fn is_composite(self, number: usize) -> bool {
        let place = number.checked_sub(1).and_then(|n| self.one.places.get(n));
        place.is_some_and(|place| place.composite)
    }
}

impl<'g> ElementView<'g> {
    /// `PO104`, `REF04-1`.
    pub fn designator(self) -> String {
        let (tag, element) = (self.view.tag(), self.element);
        match self.component {
            0 => format!("{tag}{element:02}"),
            n => format!("{tag}{element:02}-{n}"),
        }
    }

    /// Its definition in the dictionary.
    pub fn def(self) -> &'g ElementDef {
        &self.part.def
    }

    /// Whether it must be there.
    pub fn usage(self) -> Usage {
        self.usage
    }

    /// Where its value goes below the use's own target, or what it is made of; empty where the
    /// guide does not say.
    pub fn target(self) -> String {
        let one = self.view.one;
        let named = |key: &str| elements(one).find(|(name, _)| *name == key);
        if let Some((run, group, field)) = self.part.run {
            let run = &one.runs[run];
            let first = named(&format!("{}{:02}", one.tag, run.first));
            let list = first.and_then(|(_, node)| node.get("as")?.text().ok());
            let field = match (run.item, run.fields.get(field)) {
                (Kind::Struct(of), Some(step)) => {
                    let fields = &self.view.guide.schema.structs[of as usize].fields;
                    format!(".{}", fields[step.slot as usize].0)
                }
                _ => String::new(),
            };
            return format!("{}[{group}]{field}", list.unwrap_or_default());
        }
        let Some((_, node)) = named(&self.designator()) else {
            return String::new();
        };
        match (node.get("as"), node.get("is")) {
            (Some(target), _) => target.text().unwrap_or_default().to_owned(),
            (None, Some(rule)) => format!("= {}", rule.text().unwrap_or_default()),
            _ => String::new(),
        }
    }

    /// What a value means, where that is not what it says: the word of a code, a date with
    /// hyphens, an amount with its point.
    pub fn meaning(self, value: &str) -> Option<String> {
        let codes = self.part.codes.as_deref();
        if codes.is_some_and(|codes| codes.word(value).is_none()) {
            return None;
        }
        let mut out = String::new();
        let fits = super::value::fault(value, &self.part.def).is_none();
        let held = fits && decode(value, self.part.def.data, codes, &mut out);
        (held && out != value).then_some(out)
    }

    /// The codes that it may have, where a list says.
    pub fn codes(self) -> Option<&'g CodeList> {
        self.part.codes.as_deref()
    }

    /// The run of groups that it belongs to: which run, and which group of it.
    pub fn group(self) -> Option<(usize, u32)> {
        self.part.run.map(|(run, group, _)| (run, group))
    }
}

impl std::fmt::Display for DataType {
    /// As the standard prints it: `ID`, `N2`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DataType::Text => f.write_str("AN"),
            DataType::Id => f.write_str("ID"),
            DataType::Decimal => f.write_str("R"),
            DataType::Implied(places) => write!(f, "N{places}"),
            DataType::Date => f.write_str("DT"),
            DataType::Time => f.write_str("TM"),
            DataType::Binary => f.write_str("B"),
        }
    }
}

impl std::fmt::Display for Usage {
    /// M, O, X or N.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Usage::Mandatory => "M",
            Usage::Optional => "O",
            Usage::Conditional => "X",
            Usage::NotUsed => "N",
        })
    }
}
