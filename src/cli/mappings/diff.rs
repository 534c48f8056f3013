//! `transload mappings diff`: what one guide says otherwise than another.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::sheet::{UNLIMITED, most};
use crate::cli::files::{GuideOptions, mapping_files};
use crate::cli::report::{Colour, Paint};
use crate::cli::sentence::count;
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::{Change, Codes, Fate, Library, changed, diff};

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
                    Failure::usage(format!("{name} is laid over no other: name a second guide"))
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
                    0 => "they say the same".to_owned(),
                    n => count(n, "difference"),
                };
                writeln!(out, "{}: {how}", paint.bold(&head))?;
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
                Fate::Added => (Colour::Green, "new".to_owned()),
                Fate::Removed => (Colour::Red, "gone".to_owned()),
                Fate::Repaired => (Colour::Green, "sound again".to_owned()),
                Fate::Broken(errors) => (Colour::Red, count(errors.len(), "error")),
                Fate::Changed(changes) => (Colour::Yellow, count(changes.len(), "difference")),
            };
            writeln!(out, "{}: {}", paint.bold(name), paint.paint(colour, &word))?;
            match fate {
                Fate::Changed(changes) => listed(changes, paint, out)?,
                Fate::Broken(errors) => {
                    for error in errors {
                        writeln!(out, "{error}")?;
                    }
                }
                _ => {}
            }
        }
        if fates.is_empty() && !self.json {
            writeln!(out, "all guides say the same")?;
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

/// A line for each use, one for each element of it.
fn listed(changes: &[Change], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut place = None;
    for change in changes {
        let sign = match (change.word, &change.old, &change.new) {
            ("use" | "element", None, _) => paint.paint(Colour::Green, "+"),
            ("use" | "element", _, None) => paint.paint(Colour::Red, "-"),
            _ => paint.paint(Colour::Yellow, "~"),
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
                true => writeln!(out, "{sign} {head} ({}): {}", change.name, sentence(change))?,
                false => writeln!(out, "  {head}")?,
            }
            if own {
                continue;
            }
        }
        match own {
            true => writeln!(out, "  {sign} {}", sentence(change))?,
            false => writeln!(
                out,
                "  {sign} {} ({}): {}",
                change.element,
                change.name,
                sentence(change)
            )?,
        }
    }
    Ok(())
}

/// A change in a few words: `mandatory, was optional`.
pub(in crate::cli) fn sentence(change: &Change) -> String {
    let word = |text: &Option<String>| text.as_deref().map(|text| spoken(change.word, text));
    match (change.word, word(&change.old), word(&change.new)) {
        ("use" | "element", None, Some(new)) => format!("new: {new}"),
        ("use" | "element", Some(old), _) => format!("gone; it was {old}"),
        ("codes", old, new) => codes(change, old.as_deref(), new.as_deref()),
        ("as", None, Some(new)) => format!("goes to {new}, had no place"),
        ("as", Some(old), None) => format!("has no place, went to {old}"),
        ("as", Some(old), Some(new)) => format!("goes to {new}, went to {old}"),
        (_, Some(old), Some(new)) => format!("{new}, was {old}"),
        (_, None, Some(new)) => format!("{new}, was nothing"),
        (_, Some(old), None) => format!("no longer {old}"),
        (_, None, None) => String::new(),
    }
}

fn spoken(word: &str, text: &str) -> String {
    let times = |text: &str| match text.parse() {
        Ok(UNLIMITED..) => "without a limit".to_owned(),
        Ok(n) => format!("up to {}", most(n)),
        Err(_) => text.to_owned(),
    };
    match (word, text) {
        ("usage", "M") => "mandatory".to_owned(),
        ("usage", "O") => "optional".to_owned(),
        ("usage", "X") => "conditional".to_owned(),
        ("usage", "N") => "not used".to_owned(),
        ("max", max) => times(max),
        ("when", when) => format!("where {when}"),
        ("under", place) => format!("stands {place}"),
        ("is", rule) => format!("made as {rule}"),
        ("pos", pos) => format!("at position {pos}"),
        _ => text.to_owned(),
    }
}

fn codes(change: &Change, old: Option<&str>, new: Option<&str>) -> String {
    /// Codes that are listed; of a longer list, a part says enough.
    const FEW: usize = 12;
    let some = |codes: &[String]| {
        let mut said = codes
            .iter()
            .take(FEW)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if codes.len() > FEW {
            said += &format!(" and {} more", codes.len() - FEW);
        }
        said
    };
    let Codes {
        added,
        removed,
        kept,
    } = &change.codes;
    let list = new.unwrap_or_default();
    match (old, new) {
        (None, _) => format!("codes of {list}: {}; had no list", some(added)),
        (Some(old), None) => format!("any code; had those of {old}"),
        (Some(old), _) => {
            let mut words = match old == list {
                true => format!("codes of {list}"),
                false => format!("codes of {list}, were those of {old}"),
            };
            if added.is_empty() && removed.len() > FEW {
                return format!("{words}: {kept} of {}", kept + removed.len());
            }
            for (word, codes) in [("with", added), ("without", removed)] {
                if !codes.is_empty() {
                    words += &format!("; {word} {}", some(codes));
                }
            }
            words
        }
    }
}
