//! A guide to be looked at: its uses and elements with the words that people know them by.

use std::sync::Arc;

use super::dictionary::{DataType, Dictionary, ElementDef, Note, Usage};
use super::guide::{Guide, PartUse, Pattern, PlaceUse, Use, UseId, When, elements};
use super::read::{Reading, read_bound};
use super::slots::Kind;
use super::source::Node;
use super::value::{CodeList, decode};
use crate::x12::{Delimiters, Segments, Text, text};

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
    place: &'g PlaceUse,
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
        let mut children = self.children(parent).to_vec();
        // Levels stand at one position: the file's order, from the shipment down, is the best.
        children.sort_by_key(|&id| {
            let one = &self.uses[id];
            (one.order, one.level.as_ref().map(|_| one.node.span.start))
        });
        for id in children {
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

    /// The segment identifier.
    pub fn tag(self) -> &'g str {
        &self.one.tag
    }

    /// The segment's name.
    pub fn name(self) -> &'g str {
        let def = self.guide.dictionary.segment(&self.one.tag);
        def.map_or("", |def| &def.name)
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
    pub fn when(self) -> Text {
        joined_texts(self.one.when.iter().map(|when| {
            let component = match when.component {
                0 => String::new(),
                n => format!("-{n}"),
            };
            let place = format!("{}{:02}{component}", self.one.tag, when.element);
            text!("{place} = {values}", place, values = values(when))
        }))
    }

    /// What the guide asks with `with` of the use itself, and with `fits` and `with` of its
    /// elements: the word, the designator (empty for the use) and what it says.
    pub fn demands(self) -> impl Iterator<Item = (&'static str, String, Text)> {
        let (guide, one) = (self.guide, self.one);
        let own = guide.demands.iter();
        let own = own.filter(move |demand| std::ptr::eq(&guide.uses[demand.owner], one));
        own.map(move |demand| {
            let place = match demand.at {
                None => String::new(),
                Some((element, 0)) => format!("{}{element:02}", one.tag),
                Some((element, component)) => format!("{}{element:02}-{component}", one.tag),
            };
            (demand.word(), place, demand.words())
        })
    }

    /// What [`demands`](Self::demands) says with a word of an element, or of the use (`""`).
    pub fn asked(self, word: &str, designator: &str) -> Text {
        let here = self
            .demands()
            .filter(|(w, at, _)| *w == word && at == designator);
        joined_texts(here.map(|(.., said)| said))
    }

    /// Its place in the guide, as `heading.N1-ST.N4`.
    pub fn path(self) -> String {
        self.guide.path(self.one)
    }

    /// The loop that it stands in.
    pub fn parent(self) -> Option<UseView<'g>> {
        let guide = self.guide;
        self.one.parent.map(|id| UseView {
            guide,
            one: &guide.uses[id],
        })
    }

    /// Where its values go, from the document down, as `lines[].schedules[]`; empty for the
    /// document itself.
    pub fn scope(self) -> String {
        let outer = self.parent().map(UseView::scope);
        joined(outer.unwrap_or_default(), self.target())
    }

    /// Which of its elements need or exclude which.
    pub fn notes(self) -> &'g [Note] {
        &self.one.notes
    }

    /// The identifier and name of composite element `number`.
    pub fn composite(self, number: usize) -> Option<(&'g str, &'g str)> {
        let def = self.guide.dictionary.segment(&self.one.tag)?;
        let place = def.places.get(number.checked_sub(1)?)?;
        let (id, name) = place.composite.as_ref()?;
        Some((id, name))
    }

    /// Where a level may stand, as `below O or P`; empty for what is no level.
    pub fn under(self) -> Text {
        let rule = self.one.level.as_ref();
        rule.map_or_else(Text::default, |rule| rule.places())
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
                    place,
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
            place,
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

    /// How often it may repeat within its segment.
    pub fn repeats(self) -> u32 {
        self.place.max
    }

    /// The value, or values, by which it tells its use from another; empty where it does not.
    pub fn qualifier(self) -> Text {
        let here = |when: &&When| (when.element, when.component) == (self.element, self.component);
        let when = self.view.one.when.iter().find(here);
        when.map_or_else(Text::default, values)
    }

    /// The list that its codes are from.
    pub fn codes(self) -> Option<&'g CodeList> {
        self.part.codes.as_deref()
    }

    /// The name of that list, as `unit`.
    pub fn list(self) -> Option<&'g str> {
        self.codes()?;
        let one = self.view.one;
        let key = match self.part.run {
            Some((run, ..)) => format!("{}{:02}", one.tag, one.runs[run].first),
            None => self.designator(),
        };
        let (_, node) = elements(one).find(|(name, _)| *name == key)?;
        node.get("codes")?.text().ok()
    }

    /// Where its value goes, from the document down, as `lines[].price.amount`; empty where it
    /// has no place of its own.
    pub fn field(self) -> String {
        match self.target() {
            target if target.is_empty() || target.starts_with("= ") => String::new(),
            target => joined(self.view.scope(), &target),
        }
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
        let text = |node: &'g Node| node.text().unwrap_or_default();
        // What the guide makes wins over `as`: then there is no path.
        match (node.get("as"), node.get("is")) {
            (Some(target), _) if !self.part.target.is_empty() => text(target).to_owned(),
            (_, Some(rule)) => format!("= {}", text(rule)),
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

    /// What the guide asks of it with `fits` or `with`; empty where it does not.
    pub fn asked(self, word: &str) -> Text {
        self.view.asked(word, &self.designator())
    }

    /// The run of groups that it belongs to: which run, and which group of it.
    pub fn group(self) -> Option<(usize, u32)> {
        self.part.run.map(|(run, group, _)| (run, group))
    }
}

/// A path below another.
fn joined(outer: String, inner: &str) -> String {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.to_owned(),
        (_, true) => outer,
        _ => format!("{outer}.{inner}"),
    }
}

/// `ST`, `DP or IA`, `CTN…`.
fn values(when: &When) -> Text {
    let mut values = when.patterns.iter().map(|pattern| match pattern {
        Pattern::Is(text) => text!("{text}", text),
        Pattern::Begins(text) => text!("{text}…", text),
    });
    let first = values.next().unwrap_or_default();
    values.fold(first, |before, next| {
        text!("{before} or {next}", before, next)
    })
}

/// Texts in a list.
pub(super) fn joined_texts(texts: impl IntoIterator<Item = Text>) -> Text {
    let mut texts = texts.into_iter();
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |before, next| {
        text!("{before}, {next}", before, next)
    })
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
