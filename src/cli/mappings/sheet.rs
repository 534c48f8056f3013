//! A guide laid out for people: what both the terminal and the page print.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::diff::sentence;
use crate::cli::sentence::{count, title};
use crate::cli::words;
use crate::cli::words::say;
use crate::mapping::{ElementView, Guide, Library, Note, NoteKind, Usage, UseView, diff};
use crate::x12::{Text, text};

/// Repeats from here on are printed as `>1`: the standard's own word for no limit.
pub(super) const UNLIMITED: u32 = 100_000;

/// A guide, and what its file changes of the one that it is laid over.
pub(super) struct Sheet {
    pub(super) guide: Arc<Guide>,
    /// The guide that it is laid over.
    pub(super) base: Option<String>,
    /// What its file says otherwise, by use and element, in sentences.
    marks: BTreeMap<(String, String), Vec<String>>,
    /// How many changes that are.
    pub(super) changes: usize,
}

/// A line of a segment's element table.
pub(super) enum Row<'g> {
    /// The head of a composite: designator, name, usage.
    Composite(String, &'g str, Usage),
    /// An element or a component.
    Element(ElementView<'g>),
    /// Elements that are told together, as `CUR07 to CUR21`, and what is told of them.
    Many(String, String),
}

impl Sheet {
    pub(super) fn new(library: &Library, guide: Arc<Guide>) -> Sheet {
        let base = library.base(&guide.name);
        let below = base.as_ref().and_then(|base| library.named(base)?.ok());
        let changes = below.map_or_else(Vec::new, |below| diff(&below, &guide));
        let mut marks: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for change in &changes {
            let place = (change.place.clone(), change.element.clone());
            marks.entry(place).or_default().push(sentence(change));
        }
        Sheet {
            guide,
            base,
            marks,
            changes: changes.len(),
        }
    }

    /// `850 purchase order, release 004010`.
    pub(super) fn title(&self) -> String {
        let (title, version) = (title(&self.guide.set), &self.guide.version);
        words::said(&text!("{title}, release {version}", title, version))
    }

    /// What the guide's file says otherwise of a use (`""`) or an element of it.
    pub(super) fn marks(&self, one: UseView<'_>, element: &str) -> &[String] {
        let marks = self.marks.get(&(one.path(), element.to_owned()));
        marks.map_or(&[], Vec::as_slice)
    }

    /// Whether the guide's file says anything of the use or its elements.
    pub(super) fn touched(&self, one: UseView<'_>) -> bool {
        let path = one.path();
        let from = (path.clone(), String::new());
        let mut marks = self.marks.range(from..);
        marks.next().is_some_and(|((place, _), _)| *place == path)
    }

    /// Uses that read as one that stands before them in another loop, with that one's path: the
    /// levels of a ship notice have the same thirty segments.
    pub(super) fn repeated(&self) -> HashMap<String, String> {
        let (mut first, mut repeated) = (HashMap::new(), HashMap::new());
        for one in self.guide.uses() {
            let path = one.path();
            if one.parent().is_none() || self.touched(one) {
                continue;
            }
            let elements = one.elements().map(|part| {
                let list = part.list().unwrap_or_default();
                format!(
                    "{} {} {} {list}",
                    part.designator(),
                    part.usage(),
                    part.target()
                )
            });
            let elements: Vec<String> = elements.collect();
            let own = format!("{} {} {} {}", one.key(), one.usage(), one.max(), one.when());
            let key = format!("{own} {} {}", one.scope(), elements.join(";"));
            match first.get(&key) {
                None => drop(first.insert(key, path)),
                Some(before) => drop(repeated.insert(path, String::clone(before))),
            }
        }
        repeated
    }
}

/// A segment's table. `all` also lists elements of which the guide says nothing.
pub(super) fn rows<'g>(one: UseView<'g>, all: bool) -> Vec<Row<'g>> {
    let elements: Vec<ElementView<'g>> = one.elements().collect();
    let mut rows = Vec::new();
    let mut at = 0;
    while let Some(&part) = elements.get(at) {
        let group = part.group();
        let mates = elements[at..]
            .iter()
            .take_while(|other| match (group, other.group()) {
                (Some((run, 1..)), Some((other, _))) => run == other,
                _ => false,
            });
        let mates = mates.count();
        let silent = |part: &&ElementView<'_>| !all && is_silent(**part);
        let quiet = elements[at..].iter().take_while(silent).count();
        if let (Some((run, _)), 1..) = (group, mates) {
            let first = |part: &&ElementView<'_>| part.group() == Some((run, 0));
            let like: Vec<String> = elements
                .iter()
                .filter(first)
                .map(|p| p.designator())
                .collect();
            let (last, width) = (elements[at + mates - 1], like.len().max(1));
            let like = match &like[..] {
                [only] => only.clone(),
                [first, .., last] => words::said(&text!("{first} to {last}", first, last)),
                [] => String::new(),
            };
            let times = count(mates / width, "more time");
            let like = words::said(&text!("as {like}, {times}", like, times));
            rows.push(Row::Many(span(part, last), like));
            at += mates;
        } else if quiet > 0 {
            let last = elements[at + quiet - 1];
            let words = say("optional, no place in the document").to_owned();
            rows.push(Row::Many(span(part, last), words));
            at += quiet;
        } else {
            let new = at == 0
                || elements[at - 1].element != part.element
                || is_silent(elements[at - 1]) && !all;
            if let Some((_, name)) = one.composite(part.element).filter(|_| new) {
                let whole = one
                    .element(part.element, 1)
                    .map_or(part.usage(), ElementView::usage);
                let designator = format!("{}{:02}", one.tag(), part.element);
                rows.push(Row::Composite(designator, name, whole));
            }
            rows.push(Row::Element(part));
            at += 1;
        }
    }
    rows
}

/// `CUR07 to CUR21`.
fn span(first: ElementView<'_>, last: ElementView<'_>) -> String {
    let (first, last) = (first.designator(), last.designator());
    if first == last {
        first
    } else {
        words::said(&text!("{first} to {last}", first, last))
    }
}

/// The syntax notes that say something of what is shown: those of a run's first group stand for
/// the others', and what has no place needs none.
pub(super) fn notes(one: UseView<'_>, all: bool) -> Vec<String> {
    let tells = |e: &usize| {
        let part = one.element(*e, usize::from(one.is_composite(*e)));
        part.is_some_and(|part| match part.group() {
            Some((_, group)) => group == 0,
            None => !is_silent(part),
        })
    };
    let notes = one.notes().iter();
    let notes = notes.filter(|note| all || note.elements.iter().any(tells));
    let asked = one.demands().filter(|(_, place, _)| !place.is_empty());
    let asked = asked.map(|(_, place, asked)| text!("{place}: {asked}", place, asked));
    let noted = notes.map(|note| noted(note, one.tag()));
    noted.chain(asked).map(|note| words::said(&note)).collect()
}

/// Whether the guide says nothing of an element, and the standard lets it be left out.
fn is_silent(part: ElementView<'_>) -> bool {
    part.target().is_empty()
        && part.qualifier().is_empty()
        && part.codes().is_none()
        && part.usage() != Usage::Mandatory
        && part.repeats() == 1
        && part.asked("fits").is_empty()
        && part.asked("with").is_empty()
}

/// Whether anybody who uses the guide has to know of a use.
pub(super) fn is_used(one: UseView<'_>) -> bool {
    let says = |part: ElementView<'_>| !part.target().is_empty() || !part.qualifier().is_empty();
    one.usage() != Usage::NotUsed
        && (one.usage() == Usage::Mandatory || one.elements().any(says) || !one.target().is_empty())
}

/// Where a use's values go, in a few words.
pub(super) fn destination(one: UseView<'_>) -> String {
    /// More are not taken in at a glance.
    const FEW: usize = 3;
    /// Nor is a longer text.
    const LONG: usize = 44;
    if !one.target().is_empty() {
        return one.scope();
    }
    let fields = one.elements().map(|part| match part.group() {
        Some((_, 1..)) => String::new(),
        _ => said(part),
    });
    let mut fields = fields.filter(|field| !field.is_empty() && !field.starts_with("= "));
    let mut text = fields.next().unwrap_or_default();
    for (field, n) in fields.zip(2..) {
        if n > FEW || text.len() + field.len() > LONG {
            return text + ", …";
        }
        text = format!("{text}, {field}");
    }
    text
}

/// The title of an area.
pub(super) fn titled(area: &str) -> &str {
    match area {
        "heading" => say("heading"),
        "detail" => say("detail"),
        "summary" => say("summary"),
        other => other,
    }
}

/// How often, as guides print it.
pub(super) fn most(max: u32) -> String {
    match max {
        UNLIMITED.. => ">1".to_owned(),
        n => n.to_string(),
    }
}

/// `Name, N101 = ST, stands below O`.
pub(super) fn described(one: UseView<'_>) -> String {
    let under = match one.under() {
        under if under.is_empty() => under,
        under => text!("stands {place}", place = under),
    };
    let more = [one.when(), under, one.asked("with", "")];
    let more = more.iter().filter(|more| !more.is_empty()).map(words::said);
    let all: Vec<String> = [say(one.name()).to_owned()]
        .into_iter()
        .chain(more)
        .collect();
    all.join(say(", "))
}

/// A syntax note in words: `P0304: N103 and N104 come together or not at all`.
fn noted(note: &Note, tag: &str) -> Text {
    let name = |e: &usize| format!("{tag}{e:02}");
    let split = |all: &[usize]| {
        let (last, before) = all.split_last()?;
        let before: Vec<String> = before.iter().map(name).collect();
        Some((before.join(", "), name(last))).filter(|(before, _)| !before.is_empty())
    };
    let one = |all: &[usize]| all.first().map(name).unwrap_or_default();
    let and = |all: &[usize]| match split(all) {
        Some((before, last)) => text!("{before} and {last}", before, last),
        None => text!("{name}", name = one(all)),
    };
    let or = |all: &[usize]| match split(all) {
        Some((before, last)) => text!("{before} or {last}", before, last),
        None => text!("{name}", name = one(all)),
    };
    let (all, first, rest) = (
        &note.elements[..],
        name(&note.elements[0]),
        &note.elements[1..],
    );
    let words = match note.kind {
        NoteKind::Paired => text!("{all} come together or not at all", all = and(all)),
        NoteKind::Required => text!("{all} must come", all = or(all)),
        NoteKind::Exclusion => text!("only one of {all} may come", all = and(all)),
        NoteKind::Conditional => text!("with {first} comes {rest}", first, rest = and(rest)),
        NoteKind::ListConditional => text!("with {first} comes {rest}", first, rest = or(rest)),
    };
    let note_text = &note.text;
    match note.tolerated {
        true => text!("{note}: {words} (a warning)", note = note_text, words),
        false => text!("{note}: {words}", note = note_text, words),
    }
}

/// The codes of an element, as `EA each`; a guide's own qualifier alone where it has one.
pub(super) fn codes(part: ElementView<'_>) -> Vec<(String, String)> {
    let Some(list) = part.codes() else {
        return Vec::new();
    };
    let word = |code: &str| {
        let word = say(list.word(code).unwrap_or_default());
        (code.to_owned(), word.to_owned())
    };
    list.all().map(word).collect()
}

/// Where an element's value goes or comes from: a field, `= count(lines)`, `= ST`.
pub(super) fn said(part: ElementView<'_>) -> String {
    let field = match part.group() {
        // Its first group stands for all.
        Some((_, group)) => part.field().replacen(&format!("[{group}]"), "[]", 1),
        None => part.field(),
    };
    match part.qualifier() {
        is if is.is_empty() && field.is_empty() => part.target(),
        is if is.is_empty() => field,
        is if field.is_empty() => format!("= {}", words::said(&is)),
        is => format!("{field}, = {}", words::said(&is)),
    }
}
