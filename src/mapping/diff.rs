//! What differs between two guides, by use and element, in the words of the guide language.
//!
//! ```
//! use transload::mapping::{Library, diff};
//!
//! let overlay = "base = \"x12/004010/850\"\n[heading.CUR]\nusage = \"M\"\n";
//! let files = [("partners/acme/850.toml".to_owned(), overlay.to_owned())];
//! let library = Library::embedded().with(files);
//! let guide = |name| library.named(name).unwrap().unwrap();
//! let changes = diff(&guide("x12/004010/850"), &guide("partners/acme/850"));
//! assert_eq!(changes.len(), 1);
//! assert_eq!((changes[0].place.as_str(), changes[0].word), ("heading.CUR", "usage"));
//! ```

use std::collections::BTreeMap;

use super::guide::Guide;
use super::library::Library;
use super::source::GuideError;
use super::value::CodeList;
use super::view::{ElementView, UseView, joined_texts};
use crate::x12::{Text, text};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The use, as `heading.N1-ST.N4`; empty for the head of the file.
    pub place: String,
    /// The element, as `N401`; empty for the use itself.
    pub element: String,
    /// What people call it: the name of the element, else of the segment.
    pub name: String,
    /// The word that differs: one of the guide language, `type` for type and length; `use` where
    /// the whole use came or went.
    pub word: &'static str,
    /// What it was; `None` where there was nothing.
    pub old: Option<Text>,
    /// What it is; `None` where there is nothing any more.
    pub new: Option<Text>,
    /// Of a change of code lists, which codes are in one only.
    pub codes: Codes,
}

/// Codes with their words, as `EA each`: those that only the new list has, and those that only the
/// old one had. A code with another word is in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Only the new list has them.
    pub added: Vec<String>,
    /// Only the old list had them.
    pub removed: Vec<String>,
    /// How many both have.
    pub kept: usize,
}

/// What makes `new` of `old`; empty where the two say the same. Positions are compared within a
/// release only: another one numbers them anew.
pub fn diff(old: &Guide, new: &Guide) -> Vec<Change> {
    let mut changes = Changes {
        positions: old.version == new.version,
        all: Vec::new(),
    };
    for (old, new) in head(old).into_iter().zip(head(new)) {
        changes.note(["", "", ""], old, new);
    }
    changes.uses(old, new);
    changes.all
}

/// A word, and what is said by it.
type Said = (&'static str, Text);

/// Text that is the same in every language.
fn plain(said: impl Into<String>) -> Text {
    match said.into() {
        said if said.is_empty() => Text::default(),
        said => text!("{said}", said),
    }
}

fn head(guide: &Guide) -> [Said; 3] {
    let document = guide.document.map_or("", |kind| kind.as_str());
    [
        ("set", plain(&guide.set)),
        ("version", plain(&guide.version)),
        ("document", plain(document)),
    ]
}

/// What a use says. Its `as` is relative, so that a loop that fills another list is one change.
fn words(one: UseView<'_>) -> [Said; 6] {
    [
        ("usage", plain(one.usage().to_string())),
        ("max", plain(one.max().to_string())),
        ("when", one.when()),
        ("under", one.under()),
        ("as", plain(one.target())),
        ("with", one.asked("with", "")),
    ]
}

fn element_words(part: ElementView<'_>) -> [Said; 7] {
    let (target, made) = (part.target(), part.target());
    let made = made.strip_prefix("= ").unwrap_or_default().to_owned();
    let target = if target.starts_with("= ") {
        String::new()
    } else {
        target
    };
    [
        ("type", form(part)),
        ("usage", plain(part.usage().to_string())),
        ("max", plain(part.repeats().to_string())),
        ("as", plain(target)),
        ("is", plain(made)),
        ("fits", part.asked("fits")),
        ("with", part.asked("with")),
    ]
}

struct Changes {
    positions: bool,
    all: Vec<Change>,
}

impl Changes {
    /// Keeps a difference; `""` is nothing.
    fn note(&mut self, [place, element, name]: [&str; 3], old: Said, new: Said) {
        if old != new {
            let some = |said: Said| Some(said.1).filter(|text| !text.is_empty());
            self.all.push(Change {
                place: place.to_owned(),
                element: element.to_owned(),
                name: name.to_owned(),
                word: new.0,
                old: some(old),
                new: some(new),
                codes: Codes::default(),
            });
        }
    }

    /// The new guide's uses in their order, then those that only the old one has. A use that came
    /// or went is told with all below it.
    fn uses(&mut self, old: &Guide, new: &Guide) {
        let (before, after) = (old.uses(), new.uses());
        let by_path = |all: &[UseView<'_>]| all.iter().map(|one| one.path()).collect::<Vec<_>>();
        let (old_paths, new_paths) = (by_path(&before), by_path(&after));
        let known: BTreeMap<&str, usize> = old_paths.iter().map(String::as_str).zip(0..).collect();
        let mut told = String::new();
        for (one, path) in after.iter().zip(&new_paths) {
            match known.get(path.as_str()) {
                Some(&at) => self.pair(path, before[at], *one),
                None if below(path, &told) => {}
                None => {
                    told.clone_from(path);
                    let (none, came) = (("use", Text::default()), ("use", brief(*one)));
                    self.note([path, "", one.name()], none, came);
                }
            }
        }
        let kept: BTreeMap<&str, ()> = new_paths.iter().map(|path| (path.as_str(), ())).collect();
        let mut told = String::new();
        for (one, path) in before.iter().zip(&old_paths) {
            if !kept.contains_key(path.as_str()) && !below(path, &told) {
                told.clone_from(path);
                let (went, none) = (("use", brief(*one)), ("use", Text::default()));
                self.note([path, "", one.name()], went, none);
            }
        }
    }

    fn pair(&mut self, path: &str, old: UseView<'_>, new: UseView<'_>) {
        let place = [path, "", new.name()];
        for (old, new) in words(old).into_iter().zip(words(new)) {
            self.note(place, old, new);
        }
        if self.positions {
            let position = |one: UseView<'_>| ("pos", plain(one.position().to_string()));
            self.note(place, position(old), position(new));
        }
        let known: BTreeMap<_, _> = old
            .elements()
            .map(|part| (part.designator(), part))
            .collect();
        for part in new.elements() {
            let designator = part.designator();
            match known.get(&designator) {
                Some(&before) => self.element(path, before, part),
                None => {
                    let place = [path, &designator, &part.def().name];
                    self.note(place, ("element", Text::default()), ("element", form(part)));
                }
            }
        }
        let kept: BTreeMap<_, _> = new.elements().map(|part| (part.designator(), ())).collect();
        for (designator, part) in known {
            if !kept.contains_key(&designator) {
                let place = [path, &designator, &part.def().name];
                self.note(place, ("element", form(part)), ("element", Text::default()));
            }
        }
    }

    fn element(&mut self, path: &str, old: ElementView<'_>, new: ElementView<'_>) {
        let (designator, name) = (new.designator(), &new.def().name);
        let place = [path, designator.as_str(), name];
        for (old, new) in element_words(old).into_iter().zip(element_words(new)) {
            self.note(place, old, new);
        }
        // All groups of a run have one list.
        if new.group().is_some_and(|(_, group)| group > 0) {
            return;
        }
        let (codes, list) = (codes(old.codes(), new.codes()), |part: ElementView<'_>| {
            part.list().map(str::to_owned)
        });
        if !(codes.added.is_empty() && codes.removed.is_empty()) {
            // One list with other codes, in another library, is a change too.
            let (old, new) = (list(old).map(plain), list(new).map(plain));
            self.all.push(Change {
                place: path.to_owned(),
                element: designator.clone(),
                name: name.to_string(),
                word: "codes",
                old,
                new,
                codes,
            });
        }
    }
}

fn below(path: &str, told: &str) -> bool {
    !told.is_empty()
        && path
            .strip_prefix(told)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// A use in a few words: `M, up to 1, N101 = ST, as ship_to`.
fn brief(one: UseView<'_>) -> Text {
    let most = text!("max {max}", max = one.max());
    let fields = match one.scope() {
        scope if scope.is_empty() => one.elements().map(ElementView::field).collect(),
        scope => vec![scope],
    };
    let fields: Vec<String> = fields
        .into_iter()
        .filter(|field| !field.is_empty())
        .collect();
    let fields = match &fields[..] {
        [] => Text::default(),
        fields => text!("as {fields}", fields = fields.join(", ")),
    };
    let words = [plain(one.usage().to_string()), most, one.when(), fields];
    joined_texts(words.into_iter().filter(|word| !word.is_empty()))
}

/// `ID 2/3`.
fn form(part: ElementView<'_>) -> Text {
    let def = part.def();
    plain(format!("{} {}/{}", def.data, def.min, def.max))
}

fn codes(old: Option<&CodeList>, new: Option<&CodeList>) -> Codes {
    let only = |list: Option<&CodeList>, other: Option<&CodeList>| {
        let all = list.into_iter().flat_map(|list| {
            let said = list.all();
            said.map(move |code| (code, list.word(code).unwrap_or_default()))
        });
        let missing = all.filter(|(code, word)| other.and_then(|o| o.word(code)) != Some(word));
        missing
            .map(|(code, word)| format!("{code} {word}"))
            .collect()
    };
    let (added, removed): (Vec<String>, Vec<String>) = (only(new, old), only(old, new));
    let kept = new.map_or(0, |list| list.all().len() - added.len());
    Codes {
        added,
        removed,
        kept,
    }
}

/// What became of a guide between two libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed(Vec<Change>),
    /// It could not be used before: now it can.
    Repaired,
    /// It cannot be used.
    Broken(Vec<GuideError>),
}

/// The guides that two libraries do not have alike, by name. All of both are compiled.
pub fn changed(old: &Library, new: &Library) -> Vec<(String, Fate)> {
    let mut names = old.names();
    names.extend(new.names());
    names.sort();
    names.dedup();
    let fate = |name: &String| match (old.named(name), new.named(name)) {
        (_, Some(Err(errors))) => Some(Fate::Broken(errors)),
        (None, Some(Ok(_))) => Some(Fate::Added),
        (Some(Err(_)), Some(Ok(_))) => Some(Fate::Repaired),
        (Some(Ok(old)), Some(Ok(new))) => Some(diff(&old, &new))
            .filter(|changes| !changes.is_empty())
            .map(Fate::Changed),
        (Some(_), None) => Some(Fate::Removed),
        (None, None) => None,
    };
    let fates = names
        .into_iter()
        .filter_map(|name| Some((fate(&name)?, name)));
    fates.map(|(fate, name)| (name, fate)).collect()
}
