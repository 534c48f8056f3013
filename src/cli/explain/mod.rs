//! `transload explain`: what an acknowledgment, a rule or a code means, and what to do about it.
//!
//! | argument | explained |
//! |---|---|
//! | a file with TA1, 997 or 999 | each verdict and fault; with `--original` where it is in what was sent |
//! | any other X12 file | the acknowledgment that it would earn, in the same words |
//! | `element.code` | a rule of `check` |
//! | `AK403=7` | a code of TA1, 997 or 999 |
//! | `850` | a transaction set |
//! | nothing | all rules |

pub(super) mod codes;
mod original;
mod rules;
mod said;
mod text;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::original::Original;
pub(in crate::cli) use self::original::alike;
use self::rules::Rule;
use self::said::{Explainer, OnGroup, OnInterchange};
use self::text::Text;
use super::ack::Said;
use super::files::{GuideOptions, STDIN, whole};
use super::report::Paint;
use super::rows::NAMES_FROM;
use super::sentence::title;
use super::walk::Guides;
use super::words::{of, refusal, said, say, unreadable};
use super::{Exit, Failure, Outcome};
use crate::lang::pad;
use crate::x12::{
    self, Form, FunctionalAcknowledgment, GroupHeader, Interchange, InterchangeAcknowledgment,
    functional_id, text,
};

/// Explain an acknowledgment, a rule or a code: what it means and what to do
///
/// Of a 997, 999 or TA1 each verdict and each fault is told in words; with --original also where
/// it is in the file that was sent. Of any other X12 file the acknowledgment that it would earn is
/// told. Without an argument all rules of `check` are listed. Exit code: 0 all is accepted, 1
/// something is not, 2 not readable.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  transload explain answer.997 --original order.edi\n  \
    transload explain order.edi\n  \
    transload explain element.code\n  \
    transload explain AK403=7\n  \
    transload explain 856"
)]
pub(super) struct Explain {
    /// An X12 file (`-` is stdin), a rule, a code as `AK403=7`, or a set as `850`
    #[arg(value_name = "WHAT")]
    what: Option<PathBuf>,
    /// The file that was sent, which the acknowledgment answers
    #[arg(long, value_name = "FILE", requires = "what")]
    original: Option<PathBuf>,
    /// JSON: one object, or one a line for the list of rules
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
}

/// All that is explained of a file.
#[derive(Serialize)]
struct Explained<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a str>,
    /// The acknowledgment is not in the file: it is the one that the file would earn.
    earned: bool,
    /// The original is the file that is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    belongs: Option<bool>,
    interchanges: Vec<OnInterchange>,
    groups: Vec<OnGroup>,
}

/// What acknowledgments say, and the group that the last of them came in.
#[derive(Default)]
struct Answers {
    ta1: Vec<InterchangeAcknowledgment>,
    groups: Vec<(FunctionalAcknowledgment, GroupHeader)>,
    release: String,
}

impl Answers {
    /// Those that came in a file.
    fn of(interchanges: &[Interchange]) -> Answers {
        let mut answers = Answers::default();
        for interchange in interchanges {
            let ta1 = interchange.ta1.iter();
            let read = |segment| InterchangeAcknowledgment::read(&segment);
            answers.ta1.extend(ta1.map(read));
            for (group, set) in interchange.sets() {
                let Some(form) = Form::of(&set.id) else {
                    continue;
                };
                let delimiters = &interchange.delimiters;
                let said = FunctionalAcknowledgment::read(form, &set.segments, delimiters).0;
                answers.set_release(&said, &group.header);
                answers.groups.push((said, group.header.clone()));
            }
        }
        answers
    }

    /// The release of what is answered, by whose dictionary elements are named.
    fn set_release(&mut self, said: &FunctionalAcknowledgment, header: &GroupHeader) {
        let version = said.version.as_deref().unwrap_or(&header.version);
        version
            .get(..6)
            .unwrap_or(version)
            .clone_into(&mut self.release);
    }

    /// Those that a file would earn.
    fn earned(original: &Original) -> Answers {
        let mut answers = Answers::default();
        let findings = original.findings();
        for interchange in &original.interchanges {
            let said = Said::of(interchange, &findings, Form::F997, false);
            answers.ta1.extend(said.ta1);
            let groups = said.groups.into_iter();
            answers
                .groups
                .extend(groups.map(|said| (said, GroupHeader::default())));
            if let Some(group) = interchange.groups.first() {
                group.header.release().clone_into(&mut answers.release);
            }
        }
        answers
    }

    fn is_empty(&self) -> bool {
        self.ta1.is_empty() && self.groups.is_empty()
    }
}

impl Explain {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let paint = Paint::stdout();
        let Some(what) = &self.what else {
            rules::list(self.json, paint, out)?;
            return Ok(Exit::Clean);
        };
        if what.as_os_str() == STDIN || what.exists() {
            return self.file(what, out);
        }
        let word = what.to_string_lossy();
        if self.original.is_none() && self.word(&word, paint, out)? {
            return Ok(Exit::Clean);
        }
        Err(Failure::usage(said(&text!(
            "{word} is neither a file, a rule, a code as AK403=7 nor a set as 850{near}; `transload explain` lists all rules",
            word = &*word,
            near = rules::near(&word.to_lowercase())
        ))))
    }

    /// A rule, a code or a set; false where it is none of them.
    fn word(&self, word: &str, paint: Paint, out: &mut dyn Write) -> Result<bool, Failure> {
        if let Some(rule) = Rule::named(word) {
            match self.json {
                true => json(&rule, out)?,
                false => rule.text(paint, out)?,
            }
        } else if let Some(code) = codes::named(word) {
            match self.json {
                true => json(&code, out)?,
                false => writeln!(
                    out,
                    "{}: {}\n  {}  {}",
                    paint.bold(&code.code),
                    say(code.meaning),
                    pad(say("do"), 2),
                    say(code.fix)
                )?,
            }
        } else {
            return self.set(word, out);
        }
        Ok(true)
    }

    /// What is known of a set.
    fn set(&self, id: &str, out: &mut dyn Write) -> Result<bool, Failure> {
        let guides = self.guides.load()?;
        let names = guides.library.names();
        let describes = |name: &&String| name.rsplit('/').next() == Some(id);
        let mut own: Vec<&str> = names.iter().filter(describes).map(String::as_str).collect();
        own.sort_by_key(|name| name.starts_with("partners/"));
        let (group, known) = (functional_id(id), title(id));
        if group.is_none() && own.is_empty() {
            return Ok(false);
        }
        if self.json {
            let line = serde_json::json!({
                "set": id, "title": known, "functional_id": group, "guides": own,
            });
            writeln!(out, "{line}")?;
            return Ok(true);
        }
        writeln!(out, "{known}")?;
        if let Some(group) = group {
            let line = text!("travels in groups with GS01 = {group}", group);
            writeln!(out, "  {}", said(&line))?;
        }
        match own.first() {
            Some(name) => {
                let row = |name: &str| pad(name, 7);
                writeln!(out, "  {}  {}", row(say("guides")), own.join(", "))?;
                writeln!(
                    out,
                    "  {}  transload mappings show {name}",
                    row(say("next"))
                )?;
            }
            None => {
                let none = say("no guide describes it: only its envelope is checked");
                writeln!(out, "  {none}")?;
            }
        }
        Ok(true)
    }

    fn file(&self, path: &Path, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let name = path.to_string_lossy();
        let bytes = whole(path)?;
        let received = x12::read(&bytes[..]).map_err(|error| unreadable(&name, &error))?;
        let received = received.interchanges;
        let answers = Answers::of(&received);
        let original = match &self.original {
            Some(original) => Some(read(original, &guides)?),
            None => None,
        };
        if !answers.is_empty() {
            let (original, earned) = (original.as_ref(), false);
            return self.explain(&name, &answers, original, earned, &guides, out);
        }
        if let Some(original) = original {
            let other = original.name;
            return Err(Failure::usage(said(&text!(
                "{name} holds no acknowledgment (TA1, 997 or 999): give that first, as `transload explain {other} --original {name}`",
                name = &*name,
                other
            ))));
        }
        let own = Original::read(&name, &bytes, &guides)?;
        let answers = Answers::earned(&own);
        self.explain(&name, &answers, Some(&own), true, &guides, out)
    }

    fn explain(
        &self,
        name: &str,
        answers: &Answers,
        original: Option<&Original>,
        earned: bool,
        guides: &Guides,
        out: &mut dyn Write,
    ) -> Outcome {
        let own = guides.library.dictionary(&answers.release);
        let dictionary = own.or_else(|_| guides.library.dictionary(NAMES_FROM)).ok();
        let explainer = Explainer {
            original,
            earned,
            dictionary: dictionary.as_deref(),
            guides,
        };
        let interchanges = answers.ta1.iter().map(|ta1| explainer.interchange(ta1));
        let interchanges: Vec<OnInterchange> = interchanges.collect();
        let groups = answers.groups.iter();
        let groups = groups.map(|(said, header)| explainer.group(said, header));
        let groups: Vec<OnGroup> = groups.collect();
        let belongs = interchanges.iter().all(|on| on.notes.is_empty())
            && groups.iter().all(|on| on.notes.is_empty());
        let explained = Explained {
            file: name,
            original: original
                .filter(|_| !earned)
                .map(|original| original.name.as_str()),
            earned,
            belongs: original.filter(|_| !earned).map(|_| belongs),
            interchanges,
            groups,
        };
        match self.json {
            true => json(&explained, out)?,
            false => explained.text(out)?,
        }
        match explained.all_is_well() && belongs {
            true => Ok(Exit::Clean),
            false => Ok(Exit::Findings),
        }
    }
}

impl Explained<'_> {
    fn all_is_well(&self) -> bool {
        self.interchanges.iter().all(|on| on.accepted) && self.groups.iter().all(|on| on.accepted)
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint::stdout();
        let name = paint.bold(self.file);
        match (self.earned, self.original) {
            (true, _) => {
                let line = text!("{name} would earn this acknowledgment:", name);
                writeln!(out, "{}\n", said(&line))?;
            }
            (false, Some(original)) => {
                let line = text!("{name}, on {original}:", name, original);
                writeln!(out, "{}\n", said(&line))?;
            }
            (false, None) => writeln!(out, "{name}:\n")?,
        }
        let mut text = Text { paint, out };
        self.interchanges
            .iter()
            .try_for_each(|on| text.interchange(on))?;
        for (group, n) in self.groups.iter().zip(0..) {
            if n > 0 || !self.interchanges.is_empty() {
                writeln!(text.out)?;
            }
            text.group(group)?;
        }
        writeln!(out)?;
        let next = match (self.all_is_well(), self.earned) {
            _ if self.interchanges.is_empty() && self.groups.is_empty() => {
                say("Nothing in it is acknowledged.")
            }
            (false, true) if self.groups.is_empty() => say(
                "It would be rejected whole, and nothing in it be read: `transload fix` repairs envelopes, and `transload check` says what else is wrong.",
            ),
            (true, true) => say("Nothing to do: the syntax would be taken."),
            (true, false) => {
                say("Nothing to do: the syntax was taken. That says nothing of the business yet.")
            }
            (false, true) => say(
                "Next: `transload fix` repairs what has one answer only; mend the rest, then `transload check`.",
            ),
            (false, false) => say(
                "Next: mend what is named and send the rejected sets again, in a new interchange with new control numbers (ISA13, GS06, ST02). Sets that were accepted are not sent again.",
            ),
        };
        writeln!(out, "{next}")
    }
}

fn read(path: &Path, guides: &Guides) -> Result<Original, Failure> {
    let bytes = whole(path)?;
    let name = path.to_string_lossy();
    let original = Original::read(&name, &bytes, guides);
    original.map_err(|trouble| Failure::usage(of(&name, refusal(&trouble))))
}

fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let line = serde_json::to_string(value).expect("what is explained has a JSON form");
    writeln!(out, "{line}")
}
