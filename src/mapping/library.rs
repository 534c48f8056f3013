//! The mapping files: the embedded ones, and a user's own on top.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use include_dir::{Dir, File, include_dir};

use super::compile::compile;
use super::dictionary::Dictionary;
use super::guide::Guide;
use super::source::{GuideError, Node, suggestion};
use super::value::CodeList;
use crate::x12::text;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/mappings");

/// The files of one folder that come with Transload: their names without `.toml`, and their texts.
pub fn shipped(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = EMBEDDED.get_dir(folder).into_iter().flat_map(Dir::files);
    files.filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

/// How deep `base` may go: standard, industry, partner, site and some room.
const MAX_BASES: usize = 8;

/// A guide, or all that is wrong with its files.
type Outcome = Result<Arc<Guide>, Vec<GuideError>>;

/// A file's text. That of an embedded one is looked at when it is asked for: until then its pages
/// take no memory.
#[derive(Clone)]
enum Text {
    Embedded(&'static File<'static>),
    Own(Arc<str>),
}

impl Text {
    fn get(&self) -> &str {
        match self {
            Text::Embedded(file) => file.contents_utf8().unwrap_or_default(),
            Text::Own(text) => text,
        }
    }

    /// To be kept: a text of the program's own is not copied.
    fn keep(&self) -> Cow<'static, str> {
        match self {
            Text::Embedded(file) => Cow::Borrowed(file.contents_utf8().unwrap_or_default()),
            Text::Own(text) => Cow::Owned(text.as_ref().to_owned()),
        }
    }
}

/// Finds, compiles and keeps guides.
///
/// ```
/// use transload::mapping::Library;
/// let library = Library::embedded();
/// let guide = library.guide(None, "004010", "850").unwrap().unwrap();
/// assert_eq!(guide.name, "x12/004010/850");
/// assert!(library.guide(None, "004010", "999999").is_none());
/// ```
#[derive(Default)]
pub struct Library {
    /// Files by path below the mappings folder; later ones replace earlier ones.
    files: BTreeMap<Cow<'static, str>, Text>,
    guides: Mutex<HashMap<String, Outcome>>,
    dictionaries: Mutex<HashMap<String, Arc<Dictionary>>>,
    lists: Mutex<HashMap<String, Arc<CodeList>>>,
    /// Whether there are files that no test of ours has linted.
    foreign: bool,
    today: Option<chrono::NaiveDate>,
}

impl Clone for Library {
    /// The same files. What was compiled of dictionaries and code lists comes along.
    fn clone(&self) -> Library {
        Library {
            files: self.files.clone(),
            guides: Mutex::default(),
            dictionaries: Mutex::new(held(&self.dictionaries).clone()),
            lists: Mutex::new(held(&self.lists).clone()),
            foreign: self.foreign,
            today: self.today,
        }
    }
}

/// What a lock guards. The maps are whole at every moment, so a panic elsewhere spoils nothing.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Library {
    /// The guides that come with Transload.
    pub fn embedded() -> Library {
        let mut library = Library::default();
        let mut folders = vec![&EMBEDDED];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                if let Some(path) = file.path().to_str() {
                    library.files.insert(path.into(), Text::Embedded(file));
                }
            }
        }
        library
    }

    /// Puts files on top: paths below a mappings folder, such as `partners/acme/850.toml`.
    pub fn with(mut self, files: impl IntoIterator<Item = (String, String)>) -> Library {
        self.guides = Mutex::default();
        self.foreign = true;
        for (path, text) in files {
            if path.starts_with("codes/") || path.ends_with("/dictionary.toml") {
                self.dictionaries = Mutex::default();
                self.lists = Mutex::default();
            }
            self.files.insert(path.into(), Text::Own(text.into()));
        }
        self
    }

    /// Says which day is today, for guides that compare dates with it (`fits = "<= today"`); without
    /// it such a demand is not judged.
    #[must_use]
    pub fn on(mut self, today: chrono::NaiveDate) -> Library {
        self.guides = Mutex::default();
        self.today = Some(today);
        self
    }

    /// Lints the embedded guides as well, whenever they are loaded.
    pub fn linting(self) -> Library {
        self.with([])
    }

    /// The names of all guides, sorted: `partners/acme/850`, `x12/004010/850`.
    pub fn names(&self) -> Vec<String> {
        let guides = self
            .files
            .keys()
            .filter_map(|path| path.strip_suffix(".toml"));
        let guides = guides.filter(|name| match name.split('/').collect::<Vec<_>>()[..] {
            ["x12", _, file] => file != "dictionary",
            ["partners", _, _] => true,
            _ => false,
        });
        guides.map(str::to_owned).collect()
    }

    /// The paths of all files.
    #[cfg(test)]
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(AsRef::as_ref)
    }

    /// A file's text, by its path below the mappings folder.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(Text::get)
    }

    /// A file's text, to be kept.
    pub(super) fn kept(&self, path: &str) -> Option<Cow<'static, str>> {
        self.files.get(path).map(Text::keep)
    }

    /// A file as it is read; `None` where there is none.
    fn parse(&self, path: &str) -> Option<Result<Node, GuideError>> {
        Some(Node::parse(path, self.kept(path)?))
    }

    /// Reads one file by itself, whether or not a guide uses it.
    ///
    /// # Errors
    /// The first thing that is no TOML, no code list, or no dictionary.
    pub fn try_file(&self, path: &str) -> Result<(), GuideError> {
        let Some(root) = self.parse(path) else {
            return Err(GuideError::whole(path, text!("there is no such file")));
        };
        let root = root?;
        match (
            path.starts_with("codes/"),
            path.ends_with("/dictionary.toml"),
        ) {
            (true, _) => CodeList::parse(&root).map(drop),
            (_, true) => Dictionary::parse(&root).map(drop),
            _ => Ok(()),
        }
    }

    /// The guide that `name` is laid over: the `base` at the head of its file.
    pub fn base(&self, name: &str) -> Option<String> {
        let path = format!("{name}.toml");
        let root = self.parse(&path)?.ok()?;
        Some(root.get("base")?.text().ok()?.to_owned())
    }

    /// The guide for a set: the partner's overlay if it has one for this set and release, else
    /// the standard's. `version` is GS08: its first six characters are the release.
    /// `None` where no file describes the set.
    pub fn guide(&self, partner: Option<&str>, version: &str, set: &str) -> Option<Outcome> {
        let release = version.get(..6).unwrap_or(version);
        let overlay = partner.map(|p| format!("partners/{p}/{set}"));
        if let Some(outcome) = overlay.and_then(|name| self.named(&name)) {
            let fits = |guide: &Arc<Guide>| guide.version == release;
            if outcome.as_ref().map_or(true, fits) {
                return Some(outcome);
            }
        }
        self.named(&format!("x12/{release}/{set}"))
    }

    /// The guide called `name`.
    pub fn named(&self, name: &str) -> Option<Outcome> {
        if !self.files.contains_key(format!("{name}.toml").as_str()) {
            return None;
        }
        let mut guides = held(&self.guides);
        let outcome = guides
            .entry(name.to_owned())
            .or_insert_with(|| self.load(name));
        Some(outcome.clone())
    }

    fn load(&self, name: &str) -> Outcome {
        let one = |error: GuideError| vec![error];
        let root = self.merged(name, 0).map_err(one)?;
        let version = match root.get("version") {
            Some(node) => node.text().map_err(one)?.to_owned(),
            None => {
                return Err(vec![GuideError::whole(
                    name,
                    text!("a guide needs {word} = \"…\" at its head", word = "version"),
                )]);
            }
        };
        let dictionary = self.dictionary(&version).map_err(one)?;
        let mut broken = Vec::new();
        let mut codes = |list: &str| match self.codes(list)? {
            Ok(list) => Some(list),
            Err(error) => {
                broken.push(error);
                None
            }
        };
        let guide = compile(name, &root, &dictionary, &mut codes);
        let mut errors = broken;
        match guide {
            Ok(mut guide) if errors.is_empty() && !self.foreign => {
                guide.today = self.today;
                Ok(Arc::new(guide))
            }
            Ok(mut guide) if errors.is_empty() => {
                guide.today = self.today;
                errors = super::lint::lint(&guide);
                if errors.is_empty() {
                    Ok(Arc::new(guide))
                } else {
                    Err(errors)
                }
            }
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// A file with its bases below it.
    fn merged(&self, name: &str, depth: usize) -> Result<Node, GuideError> {
        let path = format!("{name}.toml");
        let root = self.parse(&path).ok_or_else(|| {
            let names = self.names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            GuideError::whole(
                &path,
                text!(
                    "there is no such file{near}",
                    near = suggestion(name, &names)
                ),
            )
        })??;
        let Some(base) = root.get("base") else {
            return Ok(root);
        };
        if depth == MAX_BASES {
            let most = MAX_BASES;
            let message = text!("more than {most} bases: does a file name itself?", most);
            return Err(base.error(message));
        }
        let mut merged =
            self.merged(base.text()?, depth + 1)
                .map_err(|error| match error.line {
                    0 => base.error(text!("base: {why}", why = error.message)),
                    _ => error,
                })?;
        merged.merge(&root);
        Ok(merged)
    }

    /// The dictionary of a release.
    pub fn dictionary(&self, version: &str) -> Result<Arc<Dictionary>, GuideError> {
        let mut known = held(&self.dictionaries);
        if let Some(dictionary) = known.get(version) {
            return Ok(dictionary.clone());
        }
        let path = format!("x12/{version}/dictionary.toml");
        let root = self.parse(&path).ok_or_else(|| {
            GuideError::whole(
                &path,
                text!("there is no dictionary for release {version}", version),
            )
        })??;
        let dictionary = Arc::new(Dictionary::parse(&root)?);
        known.insert(version.to_owned(), dictionary.clone());
        Ok(dictionary)
    }

    /// The code list called `name`; `element_98` says for people what the codes of element 98 are,
    /// which guides keep as they came. `None` where no file has it.
    pub fn codes(&self, name: &str) -> Option<Result<Arc<CodeList>, GuideError>> {
        if let Some(list) = held(&self.lists).get(name) {
            return Some(Ok(list.clone()));
        }
        let path = format!("codes/{name}.toml");
        let list = self
            .parse(&path)?
            .and_then(|root| CodeList::parse(&root))
            .map(Arc::new);
        if let Ok(list) = &list {
            held(&self.lists).insert(name.to_owned(), list.clone());
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_guides_are_sound() {
        let library = Library::embedded().linting();
        for name in library.names() {
            let outcome = library.named(&name).unwrap();
            assert!(outcome.is_ok(), "{}", outcome.unwrap_err()[0]);
        }
    }
}
