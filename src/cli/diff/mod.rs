//! `transload diff`: two files by what they say, not by their text.
//!
//! Documents are matched by kind and number, lines by item. The envelope, separators and the form
//! of numbers are no differences. What a guide has no place for is compared segment by segment, so
//! that nothing that came is passed over.

mod compare;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use self::compare::{Change, compare, plain};
use super::excerpt::segment_at;
use super::files::{GuideOptions, whole};
use super::report::{Colour, Paint, escaped};
use super::sentence::{count, title};
use super::walk::{Guides, Make, Seen, SeenSet, Trouble, walk};
use super::words::{said, say, unreadable};
use super::{Exit, Failure, Outcome};
use crate::canonical::Code;
use crate::x12::{Fault, text};

/// Compare two X12 files by what they say
///
/// Documents are matched by kind and number, lines by item id, else by their number. Envelopes,
/// separators and formatting are no differences. Exit code: 0 they say the same, 1 they differ, 2
/// one is not readable.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload diff order.edi change.edi\n  \
    transload diff --json yesterday.edi today.edi | jq '.documents[].differences[].path'")]
pub(super) struct Diff {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// An X12 file; `-` is stdin
    old: PathBuf,
    /// Another
    new: PathBuf,
}

/// One document, ready to be compared.
struct Said {
    /// `purchase_order`, or the set's number where it is no document.
    kind: String,
    number: String,
    value: Value,
}

/// What differs in one document.
#[derive(Serialize)]
struct Differing {
    document: String,
    number: String,
    change: &'static str,
    differences: Vec<Change>,
}

impl Diff {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let (old_bytes, new_bytes) = (whole(&self.old)?, whole(&self.new)?);
        let old = documents(&self.old, &old_bytes, &guides)?;
        let new = documents(&self.new, &new_bytes, &guides)?;
        let (differing, same) = differences(old, new);
        let (old, new) = (self.old.to_string_lossy(), self.new.to_string_lossy());
        if self.json {
            let line = json!({
                "old": old, "new": new, "same": differing.is_empty(), "documents": differing,
            });
            writeln!(out, "{line}")?;
        } else {
            let paint = Paint::stdout();
            differing.iter().try_for_each(|one| one.text(paint, out))?;
        }
        out.flush()?;
        let same = match same {
            0 => say("none").to_owned(),
            n => count(n, "document"),
        };
        let verdict = match (differing.len(), old_bytes == new_bytes) {
            (0, true) => text!("{old} and {new} are the same bytes: {same}", old, new, same),
            (0, false) => text!(
                "{old} and {new} say the same: {same}; only the envelope or the formatting differs",
                old,
                new,
                same
            ),
            (1, _) => text!("1 document differs, {same} the same", same),
            (n, _) => text!("{n} documents differ, {same} the same", n, same),
        };
        let _ = writeln!(io::stderr(), "{}", said(&verdict));
        Ok(match differing.is_empty() {
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }
}

/// All that a file says, set by set.
fn documents(path: &Path, bytes: &[u8], guides: &Guides) -> Result<Vec<Said>, Failure> {
    let mut all = Vec::new();
    let walked = walk(bytes, guides, Make::Documents, 1, &mut |seen| {
        if let Seen::Set(seen) = seen {
            all.push(Said::of(*seen));
        }
        Ok(())
    });
    match walked {
        Ok(_) => Ok(all),
        Err(Trouble::Unreadable(error)) => Err(unreadable(&path.to_string_lossy(), &error)),
        Err(trouble) => Err(trouble.into()),
    }
}

impl Said {
    fn of(mut seen: SeenSet<'_>) -> Said {
        let Some(mut document) = seen.document.take() else {
            let segments = seen.set.segments.iter();
            let shown = segments.map(|segment| format!("{segment:?}"));
            return Said {
                kind: seen.set.id.clone(),
                number: String::new(),
                value: json!({ "segments": shown.collect::<Vec<_>>() }),
            };
        };
        *document.provenance_mut() = Default::default();
        let mut value = serde_json::to_value(&document).unwrap_or_default();
        let rest = unread(&seen);
        if !rest.is_empty()
            && let Some(fields) = value.as_object_mut()
        {
            fields.insert("unmapped".to_owned(), json!(rest));
        }
        Said {
            kind: document.kind().to_string(),
            number: document.number().unwrap_or_default().to_owned(),
            value,
        }
    }
}

/// What stands in the set and not in the document.
fn unread(seen: &SeenSet<'_>) -> Vec<String> {
    use Fault::*;
    let lost = |fault| {
        matches!(
            fault,
            Unmapped
                | SegmentUnknown
                | SegmentUnexpected
                | SegmentTooMany
                | LoopTooMany
                | SegmentOrder
                | ElementTooMany
        )
    };
    let findings = seen.findings.iter().map(|noted| &noted.finding);
    let all = findings.filter(|finding| lost(finding.fault));
    let told = all.filter_map(|finding| {
        let segment = segment_at(&seen.set.segments, finding.location.segment)?;
        Some(format!("{} in {segment:?}", finding.location.designator()))
    });
    let mut told: Vec<String> = told.collect();
    told.dedup();
    told
}

/// The documents that differ, and how many are the same.
fn differences(old: Vec<Said>, new: Vec<Said>) -> (Vec<Differing>, usize) {
    let mut rest: Vec<Option<Said>> = old.into_iter().map(Some).collect();
    let mut take = |fits: &dyn Fn(&Said) -> bool| {
        let found = rest.iter_mut().find(|one| one.as_ref().is_some_and(fits));
        found.and_then(Option::take)
    };
    let pairs = new.into_iter().map(|new| {
        let old = take(&|old| old.kind == new.kind && old.number == new.number);
        (old, new)
    });
    let mut pairs: Vec<(Option<Said>, Said)> = pairs.collect();
    // One of a kind on both sides is the same document with another number.
    for at in 0..pairs.len() {
        let (None, new) = &pairs[at] else { continue };
        let open = |(old, other): &&(Option<Said>, Said)| old.is_none() && other.kind == new.kind;
        let of_kind = |old: &&Option<Said>| old.as_ref().is_some_and(|old| old.kind == new.kind);
        if pairs.iter().filter(open).count() == 1 && rest.iter().filter(of_kind).count() == 1 {
            let found = rest.iter_mut().find(|old| of_kind(&&**old));
            pairs[at].0 = found.and_then(Option::take);
        }
    }
    let (mut differing, mut same) = (Vec::new(), 0);
    for (old, new) in pairs {
        let (change, differences) = match &old {
            Some(old) => ("changed", compare(&old.value, &new.value)),
            None => ("added", Vec::new()),
        };
        if change == "changed" && differences.is_empty() {
            same += 1;
            continue;
        }
        differing.push(Differing {
            document: new.kind,
            number: old.map_or(new.number, |old| old.number),
            change,
            differences,
        });
    }
    let gone = rest.into_iter().flatten().map(|old| Differing {
        document: old.kind,
        number: old.number,
        change: "removed",
        differences: Vec::new(),
    });
    differing.extend(gone);
    (differing, same)
}

impl Differing {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let kind = match self.document.bytes().all(|b| b.is_ascii_digit()) {
            true => title(&self.document),
            false => say(&self.document).replace('_', " "),
        };
        let name = format!("{kind} {}", escaped(&self.number));
        let name = name.trim_end();
        match self.change {
            "added" => {
                let line = said(&text!("+ {name}: only in the new file", name));
                return writeln!(out, "{}", paint.paint(Colour::Green, &line));
            }
            "removed" => {
                let line = said(&text!("- {name}: only in the old file", name));
                return writeln!(out, "{}", paint.paint(Colour::Red, &line));
            }
            _ => {}
        }
        let differences = count(self.differences.len(), "difference");
        writeln!(out, "{}: {differences}", paint.bold(name))?;
        let mut within: &[String] = &[];
        for change in &self.differences {
            if within != change.within {
                within = &change.within;
                if !within.is_empty() {
                    writeln!(out, "  {}", escaped(&within.join(" · ")))?;
                }
            }
            change.text(paint, out)?;
        }
        Ok(())
    }
}

impl Change {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let indent = "  ".repeat(1 + usize::from(!self.within.is_empty()));
        let name = escaped(&self.name);
        let path = paint.dim(&format!("({})", self.path));
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let (old, new) = (escaped(&brief(old)), escaped(&brief(new)));
                writeln!(out, "{indent}{name}: {old} → {new}  {path}")
            }
            (None, Some(new)) => {
                let line = format!("+ {name}: {}", escaped(&brief(new)));
                writeln!(out, "{indent}{}  {path}", paint.paint(Colour::Green, &line))
            }
            (Some(old), None) => {
                let line = format!("- {name}: {}", escaped(&brief(old)));
                writeln!(out, "{indent}{}  {path}", paint.paint(Colour::Red, &line))
            }
            (None, None) => Ok(()),
        }
    }
}

/// A value on one line: a leaf as it is, a record by its leaves.
fn brief(value: &Value) -> String {
    /// More leaves are only counted.
    const FEW: usize = 8;
    let mut leaves = Vec::new();
    collect(value, &mut leaves);
    let more = leaves.len().saturating_sub(FEW);
    leaves.truncate(FEW);
    let text = leaves.join(" ");
    match more {
        0 => text,
        n => said(&text!("{text} … ({n} more)", text, n)),
    }
}

fn collect(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, leaves)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, leaves)),
        leaf => {
            let text = plain(leaf);
            let code = text.strip_prefix(Code::OTHER).unwrap_or(&text);
            leaves.push(code.to_owned());
        }
    }
}
