//! `transload mappings diff`: what one guide says otherwise than another.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::sheet::{UNLIMITED, most};
use crate::cli::files::{GuideOptions, mapping_files};
use crate::cli::report::{Colour, Paint};
use crate::cli::sentence::count;
use crate::cli::words::{in_words, said, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::{Change, Codes, Fate, Library, changed, diff};
use crate::x12::{self, Text, text};

/// Tell what one guide says otherwise than another: by segment and element
///
/// Each of the two is a guide, or a folder of guides laid over the embedded ones. Exit code: 0 the
/// same, 1 different, 2 not readable.
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:
  transload mappings diff 850 --partner acme
  transload mappings diff partners/acme/850 partners/other/850
  transload mappings diff x12/004010/856 x12/005010/856
  transload mappings diff my-mappings"
)]
pub(super) struct Diff {
    /// One JSON object a line: of each difference
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// The release of guides that are named by their set
    #[arg(long, value_name = "RELEASE")]
    version: Option<String>,
    /// What was: a guide, as `850` or `x12/004010/850`, or a folder of guides
    old: String,
    /// What is; without it, the first is compared with the guide that it is laid over, a folder
    /// with the embedded guides
    new: Option<String>,
}

impl Diff {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let new = self.new.as_deref();
        let folders = match (Path::new(&self.old).is_dir(), new.map(Path::new)) {
            (true, None) => Some((None, self.old.as_str())),
            (true, Some(new)) if new.is_dir() => Some((
                Some(self.old.as_str()),
                self.new.as_deref().unwrap_or_default(),
            )),
            _ => None,
        };
        if let Some((old, new)) = folders {
            let over = |folder: &str| -> Result<Library, Failure> {
                let files = mapping_files(Path::new(folder)).map_err(Failure::usage)?;
                Ok(Library::embedded().with(files))
            };
            let old = old.map_or_else(|| Ok(Library::embedded()), over)?;
            return self.libraries(&old, &over(new)?, out);
        }
        let guides = self.guides.load()?;
        let named = |name: &str| super::find(&guides, self.version.as_deref(), name);
        let (old, new) = match new {
            Some(new) => (named(&self.old)?, named(new)?),
            None => {
                let new = named(&self.old)?;
                let base = guides.library.base(&new.name).ok_or_else(|| {
                    let name = &new.name;
                    Failure::usage(said(&text!(
                        "{name} is laid over no other: name a second guide",
                        name
                    )))
                })?;
                (named(&base)?, new)
            }
        };
        let changes = diff(&old, &new);
        match self.json {
            true => rows(&new.name, &changes, out)?,
            false => {
                let paint = Paint::stdout();
                let head = format!("{} → {}", old.name, new.name);
                let how = match changes.len() {
                    0 => say("they say the same").to_owned(),
                    n => count(n, "difference"),
                };
                writeln!(out, "{}", headed(paint.bold(&head), how))?;
                listed(&changes, paint, out)?;
            }
        }
        Ok(exit(changes.is_empty()))
    }

    fn libraries(&self, old: &Library, new: &Library, out: &mut dyn Write) -> Outcome {
        let paint = Paint::stdout();
        let fates = changed(old, new);
        for (name, fate) in &fates {
            if self.json {
                match fate {
                    Fate::Changed(changes) => rows(name, changes, out)?,
                    fate => writeln!(out, "{}", json!({ "guide": name, "fate": fate_word(fate) }))?,
                }
                continue;
            }
            let (colour, word) = match fate {
                Fate::Added => (Colour::Green, say("new").to_owned()),
                Fate::Removed => (Colour::Red, say("gone").to_owned()),
                Fate::Repaired => (Colour::Green, say("sound again").to_owned()),
                Fate::Broken(errors) => (Colour::Red, count(errors.len(), "error")),
                Fate::Changed(changes) => (Colour::Yellow, count(changes.len(), "difference")),
            };
            let word = paint.paint(colour, &word);
            writeln!(out, "{}", headed(paint.bold(name), word))?;
            match fate {
                Fate::Changed(changes) => listed(changes, paint, out)?,
                Fate::Broken(errors) => {
                    for error in errors {
                        writeln!(out, "{}", in_words(error))?;
                    }
                }
                _ => {}
            }
        }
        if fates.is_empty() && !self.json {
            writeln!(out, "{}", say("all guides say the same"))?;
        }
        Ok(exit(fates.is_empty()))
    }
}

fn exit(same: bool) -> Exit {
    if same { Exit::Clean } else { Exit::Findings }
}

fn fate_word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Added => "added",
        Fate::Removed => "removed",
        Fate::Changed(_) => "changed",
        Fate::Repaired => "repaired",
        Fate::Broken(_) => "broken",
    }
}

fn rows(guide: &str, changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    for change in changes {
        let mut row = json!({
            "guide": guide, "place": change.place, "element": change.element, "name": change.name,
            "word": change.word, "old": change.old, "new": change.new,
        });
        if change.word == "codes" {
            row["added"] = Value::from(change.codes.added.clone());
            row["removed"] = Value::from(change.codes.removed.clone());
        }
        writeln!(out, "{row}")?;
    }
    Ok(())
}

/// `place: what is told of it`.
fn headed(place: String, what: String) -> String {
    said(&text!("{place}: {what}", place, what))
}

/// A line for each use, one for each element of it.
fn listed(changes: &[Change], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut place = None;
    for change in changes {
        let sign = match (change.word, &change.old, &change.new) {
            ("use" | "element", None, _) => paint.paint(Colour::Green, "+"),
            ("use" | "element", _, None) => paint.paint(Colour::Red, "-"),
            _ => paint.paint(Colour::Yellow, "~"),
        };
        let named = |place: &str| {
            let name = x12::Value::word(&change.name);
            said(&text!(
                "{place} ({name}): {what}",
                place,
                name,
                what = sentence(change)
            ))
        };
        if change.place.is_empty() {
            writeln!(out, "{sign} {} {}", change.word, sentence(change))?;
            continue;
        }
        let own = change.element.is_empty();
        if place != Some(&change.place) {
            place = Some(&change.place);
            let head = paint.bold(&change.place);
            match own {
                true => writeln!(out, "{sign} {}", named(&head))?,
                false => writeln!(out, "  {head}")?,
            }
            if own {
                continue;
            }
        }
        match own {
            true => writeln!(out, "  {sign} {}", sentence(change))?,
            false => writeln!(out, "  {sign} {}", named(&change.element))?,
        }
    }
    Ok(())
}

/// A change in a few words: `mandatory, was optional`.
pub(in crate::cli) fn sentence(change: &Change) -> String {
    let word = |text: &Option<Text>| text.as_ref().map(|text| spoken(change.word, text));
    said(&match (change.word, word(&change.old), word(&change.new)) {
        ("use" | "element", None, Some(new)) => text!("new: {new}", new),
        ("use" | "element", Some(old), _) => text!("gone; it was {old}", old),
        ("codes", old, new) => codes(change, old, new),
        ("as", None, Some(new)) => text!("goes to {new}, had no place", new),
        ("as", Some(old), None) => text!("has no place, went to {old}", old),
        ("as", Some(old), Some(new)) => text!("goes to {new}, went to {old}", new, old),
        (_, Some(old), Some(new)) => text!("{new}, was {old}", new, old),
        (_, None, Some(new)) => text!("{new}, was nothing", new),
        (_, Some(old), None) => text!("no longer {old}", old),
        (_, None, None) => Text::default(),
    })
}

fn spoken(word: &str, what: &Text) -> Text {
    let plain = what.to_string();
    match (word, plain.as_str()) {
        ("usage", "M") => text!("mandatory"),
        ("usage", "O") => text!("optional"),
        ("usage", "X") => text!("conditional"),
        ("usage", "N") => text!("not used"),
        ("max", max) => match max.parse() {
            Ok(UNLIMITED..) => text!("without a limit"),
            Ok(n) => text!("up to {n}", n = most(n)),
            Err(_) => what.clone(),
        },
        ("when", _) => text!("where {what}", what = what.clone()),
        ("under", _) => text!("stands {place}", place = what.clone()),
        ("is", rule) => text!("made as {rule}", rule),
        ("pos", pos) => text!("at position {pos}", pos),
        _ => what.clone(),
    }
}

fn codes(change: &Change, old: Option<Text>, new: Option<Text>) -> Text {
    /// Codes that are listed; of a longer list, a part says enough.
    const FEW: usize = 12;
    let some = |codes: &[String]| {
        let few: Vec<String> = codes.iter().take(FEW).map(|code| worded(code)).collect();
        let few = few.join(say(", "));
        match codes.len().saturating_sub(FEW) {
            0 => text!("{codes}", codes = few),
            n => text!("{codes} and {n} more", codes = few, n),
        }
    };
    let Codes {
        added,
        removed,
        kept,
    } = &change.codes;
    let list = new.clone().unwrap_or_default();
    let Some(was) = old else {
        return text!(
            "codes of {list}: {codes}; had no list",
            list,
            codes = some(added)
        );
    };
    if new.is_none() {
        return text!("any code; had those of {old}", old = was);
    }
    let words = match was == list {
        true => text!("codes of {list}", list),
        false => text!("codes of {list}, were those of {old}", list, old = was),
    };
    if added.is_empty() && removed.len() > FEW {
        return text!(
            "{words}: {kept} of {all}",
            words,
            kept = *kept,
            all = kept + removed.len()
        );
    }
    let words = match added.is_empty() {
        true => words,
        false => text!("{words}; with {codes}", words, codes = some(added)),
    };
    match removed.is_empty() {
        true => words,
        false => text!("{words}; without {codes}", words, codes = some(removed)),
    }
}

/// A code and its word, `EA each`.
fn worded(code: &str) -> String {
    match code.split_once(' ') {
        Some((code, word)) => format!("{code} {}", say(word)),
        None => code.to_owned(),
    }
}
