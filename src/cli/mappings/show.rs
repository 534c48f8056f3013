//! `transload mappings show`: a guide as people know implementation guides: its structure, then
//! each segment with its elements, codes and where the values go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::page;
use super::sheet::{
    Row, Sheet, codes, described, destination, is_used, most, notes, rows, said, titled,
};
use crate::cli::files::GuideOptions;
use crate::cli::report::{Colour, Paint};
use crate::cli::sentence::count;
use crate::cli::words::{said as spoken, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::lang::{pad, width};
use crate::mapping::{ElementView, Guide, Usage, UseView, suggestion};
use crate::x12::text;

/// Marks what a guide says otherwise than the one that it is laid over.
const MARK: &str = "◆";

/// Columns of a line of codes.
const WIDTH: usize = 100;

/// What stands before the codes of an element.
const INDENT: &str = "                            ";

/// Codes that stand beside each element of their list; a longer list is printed once.
pub(super) const BESIDE: usize = 12;

/// Codes of one list that are printed where not all are asked for.
const CODES: usize = 24;

/// Print a guide as an implementation guide: its structure, then each segment
///
/// A segment is told by its position, its usage (M mandatory, O optional, X conditional, N not
/// used) and how often it may come; a loop by its first segment. What the guide's file says
/// otherwise than the guide that it is laid over is marked ◆.
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:
  transload mappings show 850 --partner acme
  transload mappings show 850 PO1 N1-ST --partner acme
  transload mappings show 856 --html > 856.html"
)]
pub(super) struct Show {
    /// One JSON object
    #[arg(long, conflicts_with_all = ["html", "structure", "segments"])]
    json: bool,
    /// One page that stands for itself: to send, to print
    #[arg(long, conflicts_with_all = ["structure", "segments"])]
    html: bool,
    /// Only the table of segments
    #[arg(long, conflicts_with_all = ["all", "segments"])]
    structure: bool,
    /// Also what the guide has no place for: all segments, elements and codes
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// The release; without it the partner's own, else 004010
    #[arg(long, value_name = "RELEASE")]
    version: Option<String>,
    /// The transaction set, as `850`, or a guide, as `partners/acme/850`
    set: String,
    /// Only these segments, as `PO1` or `N1-ST`
    #[arg(value_name = "SEGMENT")]
    segments: Vec<String>,
}

impl Show {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let guide = super::find(&guides, self.version.as_deref(), &self.set)?;
        if self.json {
            writeln!(out, "{}", guide_json(&guide))?;
            return Ok(Exit::Clean);
        }
        let sheet = Sheet::new(&guides.library, guide);
        if self.html {
            page::write(&sheet, self.all, out)?;
            return Ok(Exit::Clean);
        }
        let paint = Paint::stdout();
        heading(&sheet, paint, out)?;
        if self.segments.is_empty() {
            structure(&sheet, paint, out)?;
        }
        if !self.structure {
            self.details(&sheet, paint, out)?;
        }
        if self.segments.is_empty() && !self.structure && io::stdout().is_terminal() {
            let talk = text!(
                "--structure prints the tables alone, `transload mappings show {set} N1` one segment, --html a page",
                set = &self.set
            );
            let _ = writeln!(io::stderr(), "\n{}", spoken(&talk));
        }
        Ok(Exit::Clean)
    }

    fn details(&self, sheet: &Sheet, paint: Paint, out: &mut dyn Write) -> Result<(), Failure> {
        let uses = sheet.guide.uses();
        let is = |name: &str, one: &UseView<'_>| {
            let name = name.to_ascii_uppercase();
            name == one.key() || name == one.tag() || one.path().ends_with(&format!(".{name}"))
        };
        let unknown = |name: &&String| !uses.iter().any(|one| is(name, one));
        if let Some(name) = self.segments.iter().find(unknown) {
            let mut keys: Vec<&str> = uses.iter().map(|one| one.key()).collect();
            keys.sort_unstable();
            keys.dedup();
            let near = suggestion(&name.to_ascii_uppercase(), &keys);
            let guide = &sheet.guide.name;
            return Err(Failure::usage(spoken(&text!(
                "{guide} has no segment {name}{near}",
                guide,
                name,
                near
            ))));
        }
        let repeated = match self.segments.is_empty() && !self.all {
            true => sheet.repeated(),
            false => HashMap::new(),
        };
        let chosen = |one: &UseView<'_>| match self.segments.is_empty() {
            true => self.all || is_used(*one) || sheet.touched(*one),
            false => self.segments.iter().any(|name| is(name, one)),
        };
        let mut same: Vec<(String, String)> = Vec::new();
        let mut printer = Printer {
            sheet,
            paint,
            all: self.all || !self.segments.is_empty(),
            told: BTreeSet::new(),
        };
        for one in uses.into_iter().filter(chosen) {
            if let Some(before) = repeated.get(&one.path()) {
                same.push((one.key().to_owned(), before.clone()));
                continue;
            }
            like(&mut same, paint, out)?;
            printer.detail(one, out)?;
        }
        like(&mut same, paint, out)?;
        Ok(())
    }
}

/// Segments that read as ones before: one line for all of them.
fn like(same: &mut Vec<(String, String)>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (key, path) in same.iter() {
        let top = path.split('.').take(2).collect::<Vec<_>>().join(".");
        match groups.iter_mut().find(|(known, _)| *known == top) {
            Some((_, keys)) => keys.push(key),
            None => groups.push((top, vec![key])),
        }
    }
    if !groups.is_empty() {
        writeln!(out)?;
    }
    for (top, keys) in groups {
        let line = spoken(&text!("as in {top}: {keys}", top, keys = keys.join(", ")));
        for line in wrapped(line.split(' ').map(str::to_owned), WIDTH - 2) {
            writeln!(out, "  {}", paint.dim(&line))?;
        }
    }
    same.clear();
    Ok(())
}

fn heading(sheet: &Sheet, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let guide = &sheet.guide;
    let (name, title) = (paint.bold(&guide.name), sheet.title());
    writeln!(out, "{}", spoken(&text!("{name}: {title}", name, title)))?;
    if let Some(base) = &sheet.base {
        let changes = count(sheet.changes, "difference");
        let mark = paint.paint(Colour::Yellow, MARK);
        let over = text!(
            "laid over {base}, with {changes}: {mark}",
            base,
            changes,
            mark
        );
        writeln!(out, "{}", spoken(&over))?;
    }
    let goes = match guide.document {
        Some(kind) => text!(
            "its values go to and come from a {kind}",
            kind = kind.as_str()
        ),
        None => text!("structure only: its values have no document"),
    };
    writeln!(out, "{}", spoken(&goes))
}

fn structure(sheet: &Sheet, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let heads = [
        (say("pos"), 4),
        (say("segment"), 18),
        (say("usage"), 5),
        (say("max"), 6),
        (say("name"), 44),
        (say("document"), 0),
    ];
    let columns = heads.map(|(head, columns)| pad(head, columns)).join(" ");
    let mut area = "";
    for one in sheet.guide.uses() {
        if !one.area().is_empty() && one.area() != area {
            area = one.area();
            writeln!(
                out,
                "\n{}\n{}",
                paint.bold(titled(area)),
                paint.dim(&columns)
            )?;
        }
        let head = if one.is_loop() { "┌ " } else { "" };
        let name = format!("{}{head}{}", "│ ".repeat(one.depth()), one.key());
        let mark = mark(sheet.touched(one), paint);
        let (key, usage) = (format!("{name:<16}"), one.usage().to_string());
        let used = is_used(one);
        let key = if used {
            paint.bold(&key)
        } else {
            paint.dim(&key)
        };
        let line = format!(
            "{:03}  {key} {mark} {usage:<5} {:<6} {} {}",
            one.position(),
            most(one.max()),
            pad(&described(one), 44),
            destination(one),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn mark(marked: bool, paint: Paint) -> String {
    match marked {
        true => paint.paint(Colour::Yellow, MARK),
        false => " ".to_owned(),
    }
}

/// Prints segments.
struct Printer<'s> {
    sheet: &'s Sheet,
    paint: Paint,
    /// Also what the guide has no place for.
    all: bool,
    /// The code lists that were printed: once is enough.
    told: BTreeSet<String>,
}

impl Printer<'_> {
    /// One segment: what it is, then its elements.
    fn detail(&mut self, one: UseView<'_>, out: &mut dyn Write) -> io::Result<()> {
        let paint = self.paint;
        let place = paint.bold(&one.path());
        let kind = if one.is_loop() { say(", a loop") } else { "" };
        writeln!(out, "\n{place}  {}{kind}", described(one))?;
        let scope = match one.scope() {
            scope if scope.is_empty() => String::new(),
            scope => format!("{}→ {scope}", say(", ")),
        };
        writeln!(out, "  {}{scope}", standing(one))?;
        for sentence in self.sheet.marks(one, "") {
            writeln!(out, "{} {sentence}", mark(true, paint))?;
        }
        for row in rows(one, self.all) {
            match row {
                Row::Composite(designator, name, usage) => {
                    let name = say(name);
                    let usage = usage.to_string();
                    writeln!(out, "  {designator:<10} {usage:<5} {:<9} {name}", "")?;
                }
                Row::Element(part) => self.element(one, part, out)?,
                Row::Many(span, words) => {
                    let line = spoken(&text!("{span}: {words}", span, words));
                    writeln!(out, "  {}", paint.dim(&line))?;
                }
            }
        }
        for note in notes(one, self.all) {
            writeln!(out, "  {}", paint.dim(&note))?;
        }
        Ok(())
    }

    fn element(
        &mut self,
        one: UseView<'_>,
        part: ElementView<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (paint, designator, def) = (self.paint, part.designator(), part.def());
        let marks = self.sheet.marks(one, &designator);
        let length = format!("{} {}/{}", def.data, def.min, def.max);
        let usage = part.usage().to_string();
        let more = match part.repeats() {
            1 => String::new(),
            n => spoken(&text!(", up to {n}", n)),
        };
        let name = pad(&format!("{}{more}", say(&def.name)), 38);
        let designator = paint.bold(&format!("{designator:<10}"));
        let mark = mark(!marks.is_empty(), paint);
        let goes = said(part);
        let line = format!("{mark} {designator} {usage:<5} {length:<9} {name} {goes}");
        writeln!(out, "{}", line.trim_end())?;
        for line in self.codes(part) {
            writeln!(out, "{INDENT}{line}")?;
        }
        for sentence in marks {
            writeln!(out, "{INDENT}{}", paint.paint(Colour::Yellow, sentence))?;
        }
        Ok(())
    }

    /// An element's codes in lines; of a list that was printed before, its name.
    fn codes(&mut self, part: ElementView<'_>) -> Vec<String> {
        let Some(list) = part.list() else {
            return Vec::new();
        };
        let listed = codes(part);
        if listed.len() > BESIDE && !self.told.insert(list.to_owned()) {
            let all = text!("the {n} codes of {list}", n = listed.len(), list);
            return vec![spoken(&all)];
        }
        let shown = if self.all {
            listed.len()
        } else {
            listed.len().min(CODES)
        };
        let part = listed[..shown].iter();
        let comma = say(", ").trim_end();
        let mut words: Vec<String> = part
            .map(|(code, word)| format!("{code} {word}{comma}"))
            .collect();
        match (listed.len() - shown, words.last_mut()) {
            (0, Some(last)) => drop(last.pop()),
            (0, None) => {}
            (n, _) => words.push(spoken(&text!("and {n} more of {list}", n, list))),
        }
        wrapped(words.into_iter(), WIDTH - INDENT.len())
    }
}

/// Words in lines of at most so many columns.
fn wrapped(words: impl Iterator<Item = String>, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                *line = format!("{line} {word}");
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Where a use stands, whether it must come, and how often it may.
pub(super) fn standing(one: UseView<'_>) -> String {
    let usage = match one.usage() {
        Usage::Mandatory => text!("mandatory"),
        Usage::Optional => text!("optional"),
        Usage::Conditional => text!("conditional"),
        Usage::NotUsed => text!("not used"),
    };
    let times = match most(one.max()).as_str() {
        "1" => text!("once"),
        ">1" => text!("any number of times"),
        n => text!("up to {n} times", n),
    };
    let position = format!("{:03}", one.position());
    spoken(&text!(
        "position {position}, {usage}, {times}",
        position,
        usage,
        times
    ))
}

fn guide_json(guide: &Guide) -> Value {
    let element = |element: ElementView<'_>| {
        let mut told = json!({
            "element": element.designator(), "name": element.def().name,
            "usage": element.usage().to_string(), "type": element.def().data.to_string(),
            "min": element.def().min, "max": element.def().max, "maps": element.target(),
        });
        if !element.qualifier().is_empty() {
            told["when"] = Value::from(element.qualifier().to_string());
        }
        if let Some(list) = element.list() {
            told["codes"] = Value::from(list);
        }
        for word in ["fits", "with"] {
            let asked = element.asked(word);
            if !asked.is_empty() {
                told[word] = Value::from(asked.to_string());
            }
        }
        told
    };
    let segment = |one: &UseView<'_>| {
        let mut told = json!({
            "area": one.area(), "position": one.position(), "segment": one.tag(),
            "use": one.key(), "path": one.path(), "name": one.name(),
            "usage": one.usage().to_string(), "max": one.max(), "when": one.when().to_string(),
            "under": one.under().to_string(), "depth": one.depth(), "loop": one.is_loop(),
            "maps": one.target(), "elements": one.elements().map(element).collect::<Vec<_>>(),
        });
        let with = one.asked("with", "");
        if !with.is_empty() {
            told["with"] = Value::from(with.to_string());
        }
        told
    };
    let uses = guide.uses();
    let coded = uses
        .iter()
        .flat_map(|one| one.elements())
        .filter_map(|part| Some((part.list()?, part)));
    let lists: BTreeMap<&str, Value> = coded
        .map(|(list, part)| {
            let codes = part.codes();
            let words = codes.into_iter().flat_map(|list| {
                let word = |code: &str| (code.to_owned(), Value::from(list.word(code)));
                list.all().map(word)
            });
            (list, Value::Object(words.collect()))
        })
        .collect();
    json!({
        "guide": guide.name, "set": guide.set, "version": guide.version,
        "document": guide.document.map(|kind| kind.as_str()),
        "segments": uses.iter().map(segment).collect::<Vec<_>>(),
        "codes": lists,
    })
}
