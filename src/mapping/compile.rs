//! Merged tables → [`Guide`]. Every error is found in one pass and points at its line.

mod level;
mod path;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::dictionary::{Dictionary, Usage, usage_of};
use super::guide::{
    AREAS, Guide, ITEM, PartUse, Path, Pattern, PlaceUse, Rule, Run, Step, Use, UseId, When,
    designator, form_of,
};
use super::shape::{Schema, Shape};
use super::slots::Kind;
use super::source::{GuideError, Node};
use super::value::CodeList;
use crate::canonical::DocumentKind;
use crate::x12::text;
use path::kind;

/// The words that a segment's table may have beside elements and segments.
pub(super) const WORDS: [&str; 8] = ["pos", "max", "usage", "when", "as", "under", "like", "with"];
/// The words that an element's table may have.
pub(super) const ELEMENT_WORDS: [&str; 8] =
    ["as", "is", "codes", "usage", "run", "max", "fits", "with"];
/// The words at the head of a file.
const HEAD: [&str; 7] = [
    "set", "version", "document", "base", "heading", "detail", "summary",
];

/// Uses of one guide: reading numbers them in two bytes, and no guide has a thousand.
const MAX_USES: usize = u16::MAX as usize;

/// Compiles `root`, whose `base` has been merged into it.
pub(crate) fn compile(
    name: &str,
    root: &Node,
    dictionary: &Arc<Dictionary>,
    codes: &mut dyn FnMut(&str) -> Option<Arc<CodeList>>,
) -> Result<Guide, Vec<GuideError>> {
    let head = |word: &str| match root.get(word) {
        Some(node) => node.text().map(str::to_owned),
        None => Err(GuideError::whole(
            name,
            text!("a guide needs {word} = \"…\" at its head", word),
        )),
    };
    let (set, version) = (head("set").map_err(one)?, head("version").map_err(one)?);
    let document = match root.get("document") {
        Some(node) => Some(document(node).map_err(one)?),
        None => None,
    };
    let schema = Schema::of(document);
    let mut compiler = Compiler {
        dictionary,
        codes,
        schema: schema.clone(),
        mapped: document.is_some(),
        names: Vec::new(),
        uses: Vec::new(),
        errors: Vec::new(),
    };
    let roots = compiler.areas(root);
    let Compiler {
        names,
        uses,
        mut errors,
        ..
    } = compiler;
    let dictionary = dictionary.clone();
    let mut guide = Guide {
        name: name.to_owned(),
        set,
        version,
        document,
        uses,
        roots,
        schema,
        names: Arc::new(names),
        dictionary,
        demands: Vec::new(),
        today: None,
        plan: OnceLock::new(),
    };
    if guide.uses.len() > MAX_USES {
        let message = text!("a guide may name {most} segments", most = MAX_USES);
        errors.push(GuideError::whole(name, message));
    }
    if errors.is_empty() {
        super::demand::bind(&mut guide, &mut errors);
    }
    match errors.is_empty() {
        true => Ok(guide),
        false => Err(errors),
    }
}

fn one(error: GuideError) -> Vec<GuideError> {
    vec![error]
}

fn document(node: &Node) -> Result<DocumentKind, GuideError> {
    let name = node.text()?;
    let names = DocumentKind::ALL.map(DocumentKind::as_str);
    DocumentKind::find(name).ok_or_else(|| node.unknown(text!("document"), name, &names))
}

struct Compiler<'a> {
    dictionary: &'a Dictionary,
    codes: &'a mut dyn FnMut(&str) -> Option<Arc<CodeList>>,
    schema: Arc<Schema>,
    mapped: bool,
    names: Vec<String>,
    uses: Vec<Use>,
    errors: Vec<GuideError>,
}

impl Compiler<'_> {
    /// Keeps an error and goes on, so that one pass tells them all.
    fn ok<T>(&mut self, result: Result<T, GuideError>) -> Option<T> {
        result.map_err(|e| self.errors.push(e)).ok()
    }

    fn areas(&mut self, root: &Node) -> Vec<UseId> {
        let mut roots = Vec::new();
        let Some(table) = self.ok(root.table()) else {
            return roots;
        };
        for (key, node) in table {
            let Some(area) = AREAS.iter().position(|a| *a == key && !a.is_empty()) else {
                if !HEAD.contains(&&**key) {
                    self.errors.push(node.unknown(text!("word"), key, &HEAD));
                }
                continue;
            };
            let Some(table) = self.ok(node.table()) else {
                continue;
            };
            for (key, node) in table {
                let scope = Shape::Struct(0);
                let node = &self.like(table, node);
                roots.extend(self.add(key, node, (area as u32) << 24, None, &scope));
            }
        }
        self.sort(&mut roots);
        roots
    }

    /// Adds the use `key` and all under it.
    fn add(
        &mut self,
        key: &str,
        node: &Node,
        area: u32,
        parent: Option<UseId>,
        outer: &Shape,
    ) -> Option<UseId> {
        let table = self.ok(node.table())?;
        let (id, shape) = self.declare(key, node, area, parent, outer)?;
        self.when(id, node);
        let tag = self.uses[id].tag.clone();
        let mut children = Vec::new();
        for (word, entry) in table {
            if WORDS.contains(&&**word) {
                continue;
            }
            match designator(word, &tag) {
                Some(place) => self.element(id, word, place, entry, &shape),
                None if entry.table().is_err() => {
                    self.errors.push(entry.unknown(text!("word"), word, &WORDS));
                }
                None => {
                    let entry = &self.like(table, entry);
                    children.extend(self.add(word, entry, 0, Some(id), &shape));
                }
            }
        }
        self.sort(&mut children);
        self.level(id, node);
        let due = |place: &PlaceUse| place.usage == Usage::Mandatory;
        let one = &mut self.uses[id];
        one.last_due = one
            .places
            .iter()
            .rposition(due)
            .map_or(0, |index| index + 1);
        one.children = children;
        Some(id)
    }

    /// The use as its segment and its own words make it, and the shape that its elements fill.
    fn declare(
        &mut self,
        key: &str,
        node: &Node,
        area: u32,
        parent: Option<UseId>,
        outer: &Shape,
    ) -> Option<(UseId, Shape)> {
        let tag = key.split('-').next().unwrap_or(key);
        let Some(def) = self.dictionary.segment(tag) else {
            let error = node.unknown(text!("segment"), tag, &self.dictionary.tags());
            self.errors.push(error);
            return None;
        };
        let pos = match node.get("pos") {
            Some(pos) => self.ok(pos.number())?,
            None => {
                self.errors
                    .push(node.error(text!("{key} needs its position, as pos = 20", key)));
                return None;
            }
        };
        let max = node
            .get("max")
            .and_then(|n| self.ok(n.number()))
            .unwrap_or(1);
        let usage = self.usage(node);
        let (scope, shape) = match node.get("as").and_then(|n| self.path(n, outer, None)) {
            Some((path, shape)) => (path, shape),
            None => (Path::new(), outer.clone()),
        };
        let id = self.uses.len();
        self.uses.push(Use {
            key: key.to_owned(),
            tag: tag.to_owned(),
            order: area + pos,
            max,
            level: None,
            pool: None,
            group_max: max,
            shares: false,
            usage: usage.unwrap_or(Usage::Optional),
            when: Vec::new(),
            scope,
            places: places(def),
            runs: Vec::new(),
            notes: def.notes.clone(),
            children: Vec::new(),
            parent,
            last_due: 0,
            watch: None,
            node: node.clone(),
        });
        Some((id, shape))
    }

    /// Sorts uses under one parent and lets those of one tag and position share their `max`.
    fn sort(&mut self, ids: &mut [UseId]) {
        let weight = |one: &Use| one.when.iter().map(When::weight).sum::<usize>();
        ids.sort_by(|&a, &b| {
            let (a, b) = (&self.uses[a], &self.uses[b]);
            let key = |one: &Use| (one.order, usize::MAX - weight(one));
            key(a).cmp(&key(b)).then_with(|| a.key.cmp(&b.key))
        });
        let mut groups: BTreeMap<(u32, &str), Vec<UseId>> = BTreeMap::new();
        for &id in ids.iter() {
            let one = &self.uses[id];
            let group = groups.entry((one.order, &one.tag)).or_default();
            group.push(id);
        }
        let groups: Vec<_> = groups.into_values().collect();
        for group in &groups {
            let most = group.iter().map(|&id| self.uses[id].max).max().unwrap_or(1);
            for &id in group {
                self.uses[id].group_max = most;
                self.uses[id].shares = group.len() > 1;
                let fills = |other: &&UseId| self.uses[**other].scope == self.uses[id].scope;
                let mates = self.uses[id].repeats() && group.iter().filter(fills).count() > 1;
                let first = group.iter().find(fills).copied();
                self.uses[id].pool = first.filter(|_| mates);
            }
        }
    }

    fn when(&mut self, id: UseId, node: &Node) {
        let Some(node) = node.get("when") else { return };
        let Some(table) = self.ok(node.table()) else {
            return;
        };
        for (key, value) in table {
            let place = designator(key, &self.uses[id].tag);
            let Some((element, component)) = place.filter(|p| self.exists(id, *p)) else {
                let message = text!(
                    "{key} is not an element of {tag}",
                    key = &**key,
                    tag = &self.uses[id].tag
                );
                self.errors.push(value.error(message));
                continue;
            };
            let Some(texts) = self.ok(value.texts()) else {
                continue;
            };
            if texts.is_empty() {
                let message = text!("an empty list tells nothing: when needs at least one value");
                self.errors.push(value.error(message));
                continue;
            }
            let pattern = |text: String| match text.strip_suffix('*') {
                Some(start) => Pattern::Begins(start.to_owned()),
                None => Pattern::Is(text),
            };
            let patterns: Vec<Pattern> = texts.into_iter().map(pattern).collect();
            if let [Pattern::Is(text)] = &patterns[..] {
                let part = component.saturating_sub(1);
                let rule = Some(Rule::Constant(text.clone()));
                self.uses[id].places[element - 1].parts[part].is = rule;
            }
            self.uses[id].when.push(When {
                element,
                component,
                patterns,
            });
        }
    }

    fn exists(&self, id: UseId, (element, component): (usize, usize)) -> bool {
        let place = self.uses[id].places.get(element - 1);
        place.is_some_and(|p| component <= p.parts.len() && (component > 0 || !p.composite))
    }

    fn element(&mut self, id: UseId, key: &str, place: (usize, usize), node: &Node, scope: &Shape) {
        let Some(table) = self.ok(node.table()) else {
            return;
        };
        for (word, entry) in table {
            if !ELEMENT_WORDS.contains(&&**word) {
                self.errors
                    .push(entry.unknown(text!("word"), word, &ELEMENT_WORDS));
            }
        }
        let (element, component) = place;
        let whole = self.uses[id]
            .places
            .get(element - 1)
            .is_some_and(|p| p.composite);
        if component == 0 && whole && node.get("as").is_none() {
            let usage = self.usage(node);
            let place = &mut self.uses[id].places[element - 1];
            place.usage = usage.unwrap_or(place.usage);
            place.max = max(node).unwrap_or(place.max);
            return;
        }
        if !self.exists(id, place) {
            let tag = &self.uses[id].tag;
            let message = match whole {
                true => text!(
                    "{key} is no element of {tag} by itself: name a component, as {key}-1",
                    key,
                    tag
                ),
                false => text!("{key} is not an element of {tag}", key, tag),
            };
            self.errors.push(node.error(message));
            return;
        }
        let codes = node.get("codes").and_then(|n| self.code_list(n));
        if let Some(run) = node.get("run") {
            self.run(id, element, node, run, scope, codes);
            return;
        }
        self.value(id, place, node, scope, codes);
    }

    /// An element or component with a value of its own: its usage, its rule, where it goes.
    fn value(
        &mut self,
        id: UseId,
        (element, component): (usize, usize),
        node: &Node,
        scope: &Shape,
        codes: Option<Arc<CodeList>>,
    ) {
        let usage = self.usage(node);
        let data = self.uses[id].places[element - 1].parts[component.saturating_sub(1)]
            .def
            .data;
        let is = node.get("is").and_then(|n| self.rule(n, scope));
        // What the guide makes is not taken from the document, where an overlay says so over an `as`.
        let made = is
            .as_ref()
            .is_some_and(|rule| !matches!(rule, Rule::Constant(_)));
        let target = node
            .get("as")
            .filter(|_| !made)
            .and_then(|n| self.path(n, scope, Some(form_of(data))));
        let place = &mut self.uses[id].places[element - 1];
        place.max = max(node).unwrap_or(place.max);
        let part = &mut place.parts[component.saturating_sub(1)];
        if component == 0 {
            place.usage = usage.unwrap_or(place.usage);
        }
        part.usage = usage.unwrap_or(part.usage);
        part.codes = codes;
        part.is = is.or(part.is.take());
        if let Some((mut path, mut shape)) = target {
            if let Shape::List(item) = &shape
                && place.max > 1
            {
                path.push(Step {
                    slot: ITEM,
                    kind: kind(item),
                });
                shape = (**item).clone();
            }
            if !matches!(shape, Shape::Leaf(_)) {
                let message =
                    text!("an element's value goes into a single field: name one of its fields");
                self.errors.push(node.error(message));
            }
            part.target = path;
        }
    }

    /// The usage that holds everywhere: one beside `with` does not.
    fn usage(&mut self, node: &Node) -> Option<Usage> {
        let node = node.get("usage").filter(|_| node.get("with").is_none())?;
        self.ok(node.text().and_then(|t| usage_of(t, node)))
    }

    fn code_list(&mut self, node: &Node) -> Option<Arc<CodeList>> {
        let name = self.ok(node.text())?.to_owned();
        let list = (self.codes)(&name);
        if list.is_none() {
            self.errors.push(node.error(text!(
                "there is no usable code list codes/{name}.toml",
                name
            )));
        }
        list
    }

    fn run(
        &mut self,
        id: UseId,
        first: usize,
        node: &Node,
        run: &Node,
        scope: &Shape,
        codes: Option<Arc<CodeList>>,
    ) {
        let mut size = |word: &str| match run.get(word) {
            Some(n) => self.ok(n.number()).map(|n| n as usize).filter(|&n| n > 0),
            None => {
                self.errors.push(run.error(text!(
                    "a run is written as {example}",
                    example = "{ n = 10, width = 2 }"
                )));
                None
            }
        };
        let (Some(n), Some(width)) = (size("n"), size("width")) else {
            return;
        };
        if first - 1 + n * width > self.uses[id].places.len() {
            let message = text!(
                "{tag} has no room for {n} groups of {width}",
                tag = &self.uses[id].tag,
                n,
                width
            );
            self.errors.push(run.error(message));
            return;
        }
        let Some(target) = node.get("as") else {
            self.errors.push(node.error(text!("a run needs an as")));
            return;
        };
        let Some((list, shape)) = self.path(target, scope, None) else {
            return;
        };
        let Shape::List(item) = shape else {
            self.errors.push(target.error(text!("a run fills a list")));
            return;
        };
        let Some((item, fields)) = self.item(&item, width) else {
            let message = text!("the list's items do not have {width} fields", width);
            self.errors.push(target.error(message));
            return;
        };
        let runs = self.uses[id].runs.len();
        for group in 0..n {
            for field in 0..width {
                let part = &mut self.uses[id].places[first - 1 + group * width + field].parts[0];
                part.run = Some((runs, group as u32, field));
                part.codes = codes.clone().filter(|_| field == 0);
            }
        }
        self.uses[id].runs.push(Run {
            first,
            n,
            list,
            item,
            fields,
        });
    }

    /// What one group of a run becomes, and where in it each of its `width` elements goes.
    fn item(&self, item: &Shape, width: usize) -> Option<(Kind, Vec<Step>)> {
        match *item {
            Shape::Leaf(form) if width == 1 => Some((Kind::Leaf(form), Vec::new())),
            Shape::Struct(index) => {
                let fields = self.schema.structs[index].fields.get(..width)?;
                let step = |(slot, (_, shape)): (usize, &(&str, Shape))| Step {
                    slot: slot as u32,
                    kind: kind(shape),
                };
                let steps = fields.iter().enumerate().map(step).collect();
                Some((Kind::Struct(index as u16), steps))
            }
            _ => None,
        }
    }

    fn rule(&mut self, node: &Node, scope: &Shape) -> Option<Rule> {
        let text = self.ok(node.text())?;
        let inner = |name: &str| {
            text.strip_prefix(name)?
                .strip_prefix('(')?
                .strip_suffix(')')
        };
        let known = [
            ("seq()", Rule::Seq),
            ("hl()", Rule::Level),
            ("hl(parent)", Rule::LevelParent),
            ("hl(children)", Rule::LevelChildren),
        ];
        if let Some((_, rule)) = known.into_iter().find(|(word, _)| *word == text) {
            return Some(rule);
        }
        if let Some(list) = inner("count") {
            return self.count(node, list, scope);
        }
        if let Some(path) = inner("sum") {
            return Some(Rule::Sum(self.steps(node, path, scope, None)?.0));
        }
        if text.ends_with(')') {
            let known = [
                "count(path)",
                "sum(path)",
                "seq()",
                "hl()",
                "hl(parent)",
                "hl(children)",
            ];
            self.errors
                .push(node.unknown(text!("function"), text, &known));
            return None;
        }
        Some(Rule::Constant(text.to_owned()))
    }
}

/// How often an element may repeat, where its table says.
fn max(node: &Node) -> Option<u32> {
    node.get("max").and_then(|n| n.number().ok())
}

/// A segment's elements as the dictionary has them.
fn places(def: &super::dictionary::SegmentDef) -> Vec<PlaceUse> {
    def.places
        .iter()
        .map(|place| PlaceUse {
            usage: place.usage,
            composite: place.composite.is_some(),
            max: 1,
            parts: place
                .parts
                .iter()
                .map(|part| PartUse {
                    def: part.def.clone(),
                    usage: part.usage,
                    target: Path::new(),
                    is: None,
                    codes: None,
                    forms: Vec::new(),
                    run: None,
                })
                .collect(),
        })
        .collect()
}
