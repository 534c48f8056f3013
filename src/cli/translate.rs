//! `transload translate`: X12 to canonical JSON, one document a line, and back.
//!
//! A document carries its envelope with it, in `provenance.ext.envelope`: the interchange as it
//! was received, without its sets. So X12 that was made JSON is made the same X12 again. A document
//! that was written by hand has none, and the options say who sends it to whom.

use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;

use chrono::NaiveDateTime;
use serde::de::IgnoredAny;

use super::envelope::envelope_of;
use super::files::{GuideOptions, Jobs, open};
use super::progress::Progress;
use super::report::{Counts, Paint, finding};
use super::spapi;
use super::walk::{Guides, Make, Noted, Seen, Trouble, walk};
use super::words::{of, said, say, unreadable};
use super::{Exit, Failure, Outcome};
use crate::canonical::Document;
use crate::clock::{Clock, System};
use crate::mapping::{self, Guide};
use crate::x12::{
    Finding, FunctionalGroup, Interchange, Qualified, Severity, TransactionSet, functional_id, text,
};

/// Translate X12 to canonical JSON, and back
///
/// To JSON: one document a line; findings go to stderr. To X12: documents that stand one after
/// another become one interchange as long as their envelope is the same. Exit code: 0 translated,
/// 1 something in it is wrong, 2 not readable.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  transload translate order.edi | jq .number\n  \
    transload translate answer.json --sender ZZ:SELLER --receiver ZZ:BUYER --control 7 > answer.edi\n  \
    transload translate answer.edi --to spapi --vendor-code TNDBX\n  \
    transload translate order.json --from spapi --to x12 --sender ZZ:BUYER --receiver ZZ:SELLER --control 7"
)]
pub(super) struct Translate {
    /// What to translate to; without it the file's first byte says
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
    /// What to translate from, where it is neither X12 nor a canonical document
    #[arg(long, value_name = "FORM")]
    from: Option<Source>,
    #[command(flatten)]
    api: spapi::Options,
    #[command(flatten)]
    guides: GuideOptions,
    #[command(flatten)]
    jobs: Jobs,
    #[command(flatten)]
    envelope: EnvelopeOptions,
    /// An X12 or JSON file; `-` is stdin
    file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Json,
    X12,
    Spapi,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    Spapi,
}

#[derive(clap::Args)]
struct EnvelopeOptions {
    /// Who sends the interchange, as `ZZ:MYCO` [to X12]
    #[arg(long, value_name = "QUAL:ID", value_parser = qualified)]
    sender: Option<Qualified>,
    /// Who gets it [to X12]
    #[arg(long, value_name = "QUAL:ID", value_parser = qualified)]
    receiver: Option<Qualified>,
    /// Control number of the interchange and its group [to X12]
    #[arg(long, value_name = "N")]
    control: Option<u32>,
    /// Date and time of the envelope, as `2026-01-31T08:00`; now, unless the document says [to X12]
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<NaiveDateTime>,
}

pub(super) fn qualified(text: &str) -> Result<Qualified, String> {
    match text.split_once(':') {
        Some((qualifier, id)) if qualifier.len() == 2 && (1..=15).contains(&id.len()) => {
            Ok(Qualified::new(qualifier, id))
        }
        _ => Err("write it as ZZ:MYCO: a qualifier of two characters and an id of up to 15".into()),
    }
}

pub(super) fn time(text: &str) -> Result<NaiveDateTime, String> {
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"];
    let mut times = forms
        .iter()
        .map(|form| NaiveDateTime::parse_from_str(text, form));
    times
        .find_map(Result::ok)
        .ok_or_else(|| "write it as 2026-01-31T08:00, in UTC".into())
}

/// What a document's envelope shall be, where it differs from the one that it carries.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// ISA05/06 and GS02.
    pub sender: Option<Qualified>,
    /// ISA07/08 and GS03.
    pub receiver: Option<Qualified>,
    /// ISA13 and GS06.
    pub control: Option<u32>,
    /// ISA09/10 and GS04/05.
    pub time: Option<NaiveDateTime>,
    /// The same, for documents that carry none.
    pub now: NaiveDateTime,
}

impl Translate {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        if self.to == Some(Form::Spapi) || self.from == Some(Source::Spapi) {
            return self.with_api(&guides, out);
        }
        let name = self.file.to_string_lossy().into_owned();
        let cannot = |error: io::Error| unreadable(&name, &error.into());
        let mut source = open(&self.file).map_err(cannot)?;
        let mut head = Vec::new();
        (&mut source)
            .take(512)
            .read_to_end(&mut head)
            .map_err(cannot)?;
        let text = head
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&head)
            .trim_ascii_start();
        let guess = match text.first() {
            Some(b'{') => Form::X12,
            _ => Form::Json,
        };
        let mut source = Cursor::new(head).chain(source);
        let mut tell =
            |noted: &Noted| finding(&name, noted, Paint::PLAIN, &mut io::stderr().lock());
        let counts = match self.to.unwrap_or(guess) {
            Form::Json => {
                let progress = Progress::over(std::slice::from_ref(&self.file));
                let mut tell = |noted: &Noted| progress.aside(|| tell(noted));
                let source = progress.watch(source);
                let counts = translated(source, &guides, self.jobs.count(), out, &mut tell);
                progress.end();
                counts.map_err(|trouble| match trouble {
                    Trouble::Unreadable(error) => unreadable(&name, &error),
                    trouble => trouble.into(),
                })?
            }
            _ => {
                let mut json = Vec::new();
                source.read_to_end(&mut json).map_err(cannot)?;
                let envelope = self.envelope.envelope();
                to_x12(&json, &guides, &envelope, out, &mut tell)
                    .map_err(|message| Failure::usage(of(&name, message)))?
            }
        };
        Ok(reached(&counts))
    }

    /// To the API or from it, by way of canonical documents.
    fn with_api(self, guides: &Guides, out: &mut dyn Write) -> Outcome {
        let name = self.file.to_string_lossy().into_owned();
        let cannot = |message: String| Failure::usage(format!("{name}: {message}"));
        let mut bytes = Vec::new();
        let read = open(&self.file).and_then(|mut source| source.read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&name, &error.into()))?;
        let mut talk = io::stderr().lock();
        let mut tell = |noted: &Noted| finding(&name, noted, Paint::PLAIN, &mut io::stderr());
        if self.from.is_some() {
            let documents = self.api.documents(&bytes, &mut talk)?;
            let mut json = Vec::new();
            for document in &documents {
                serde_json::to_writer(&mut json, document).map_err(io::Error::from)?;
                json.push(b'\n');
            }
            if self.to != Some(Form::X12) {
                out.write_all(&json)?;
                return Ok(Exit::Clean);
            }
            let envelope = self.envelope.envelope();
            let counts = to_x12(&json, guides, &envelope, out, &mut tell).map_err(cannot)?;
            return Ok(reached(&counts));
        }
        let mut counts = Counts::default();
        let json = match bytes.trim_ascii_start().first() {
            Some(b'{') => bytes,
            _ => {
                let mut json = Vec::new();
                counts = to_json(Cursor::new(bytes), guides, &mut json, &mut tell)
                    .map_err(|trouble| cannot(trouble.to_string()))?;
                json
            }
        };
        let documents: Result<Vec<Document>, String> = documents(&json).collect();
        let exit = self
            .api
            .requests(&documents.map_err(cannot)?, out, &mut talk)?;
        Ok(exit.max(reached(&counts)))
    }
}

impl EnvelopeOptions {
    fn envelope(self) -> Envelope {
        let EnvelopeOptions {
            sender,
            receiver,
            control,
            time,
        } = self;
        let now = System.now().naive_utc();
        Envelope {
            sender,
            receiver,
            control,
            time,
            now,
        }
    }
}

fn reached(counts: &Counts) -> Exit {
    match counts.reach(Severity::Error) {
        true => Exit::Findings,
        false => Exit::Clean,
    }
}

/// Writes each document of an X12 file as JSON, one a line, with where it came from. What is to be
/// told (graver than a note) goes to `tell`; a set of which no document is made is told too.
///
/// # Errors
/// As [`check`](super::check()).
pub fn to_json(
    source: impl Read,
    guides: &Guides,
    out: &mut dyn Write,
    tell: &mut dyn FnMut(&Noted) -> io::Result<()>,
) -> Result<Counts, Trouble> {
    translated(source, guides, 1, out, tell)
}

/// As [`to_json`], on as many threads as `jobs`.
fn translated(
    source: impl Read,
    guides: &Guides,
    jobs: usize,
    out: &mut dyn Write,
    tell: &mut dyn FnMut(&Noted) -> io::Result<()>,
) -> Result<Counts, Trouble> {
    let mut counts = Counts::default();
    walk(source, guides, Make::Json, jobs, &mut |seen| {
        let findings = match seen {
            Seen::Interchange(_) => return Ok(()),
            Seen::Findings(findings) => findings,
            Seen::Set(seen) => {
                if !seen.json.is_empty() {
                    out.write_all(seen.json)?;
                    out.write_all(b"\n")?;
                }
                seen.findings
            }
        };
        for noted in &findings {
            let severity = noted.finding.severity;
            *counts.of(severity) += 1;
            if severity > Severity::Info || noted.finding.fault == crate::x12::Fault::NoGuide {
                tell(noted)?;
            }
        }
        Ok(())
    })?;
    Ok(counts)
}

/// Writes canonical documents, one after another in `json`, as X12. Findings go to `tell`; a
/// document with an error is left out.
///
/// # Errors
/// In words, with the document's ordinal: not a document, no guide, no envelope, or a value that
/// X12 cannot hold.
pub fn to_x12(
    json: &[u8],
    guides: &Guides,
    envelope: &Envelope,
    out: &mut dyn Write,
    tell: &mut dyn FnMut(&Noted) -> io::Result<()>,
) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let mut open: Option<Interchange> = None;
    let mut any = false;
    for (document, n) in documents(json).zip(1..) {
        any = true;
        let place = |message: String| format!("document {n}: {message}");
        let document = document.map_err(place)?;
        let guide = writing_guide(guides, &document).map_err(place)?;
        let mut interchange = envelope_of(&document, &guide, envelope).map_err(place)?;
        let writing = mapping::write(&guide, &document, &interchange.delimiters);
        let mut findings = writing.findings;
        let again = mapping::read(&guide, &writing.segments, &interchange.delimiters).document;
        let body = |document: &Document| {
            let mut document = document.clone();
            *document.provenance_mut() = Default::default();
            document
        };
        if findings.is_empty() && again.as_ref().map(body) != Some(body(&document)) {
            findings.push(reads_otherwise(&guide));
        }
        let mut sound = true;
        for finding in findings {
            sound &= finding.severity < Severity::Error;
            *counts.of(finding.severity) += 1;
            let noted = Noted {
                finding,
                excerpt: None,
            };
            tell(&noted).map_err(|error| error.to_string())?;
        }
        if !sound {
            continue;
        }
        let number = match document.provenance().set.clone() {
            Some(number) => number,
            None => format!("{:04}", next_set(open.as_ref(), &interchange)),
        };
        let set = TransactionSet::new(&guide.set, &number, writing.segments);
        interchange.groups[0].sets.push(set);
        open = join(open, interchange, out)?;
    }
    if !any {
        return Err(say("there is no document in it").to_owned());
    }
    finish(open, out)?;
    Ok(counts)
}

fn reads_otherwise(guide: &Guide) -> Finding {
    let message = text!(
        "what guide {guide} writes of this document reads otherwise",
        guide = &guide.name
    );
    let fix = text!(
        "compare it with what `translate` makes of the result; a value that the guide has no place for is lost"
    );
    let fault = crate::x12::Fault::ValueDiffers;
    Finding::new(fault, Default::default(), message, fix)
}

/// The documents in a text, one a line or over several lines, each read when it is its turn.
fn documents(json: &[u8]) -> impl Iterator<Item = Result<Document, String>> {
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    let mut stream = serde_json::Deserializer::from_slice(json).into_iter::<IgnoredAny>();
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = match stream.next()? {
            Ok(_) => stream.byte_offset(),
            Err(error) => {
                return Some(Err(said(&text!(
                    "it is not JSON: {error}",
                    error = error.to_string()
                ))));
            }
        };
        let document = Document::from_json(&json[start..end]);
        start = end;
        Some(document.map_err(|error| error.to_string()))
    })
}

/// The guide that writes a document: of the release it was read from, else of 004010, else of the
/// first release that has one.
fn writing_guide(guides: &Guides, document: &Document) -> Result<std::sync::Arc<Guide>, String> {
    let version = document.provenance().version.as_deref();
    let wanted = version.map(|version| version.get(..6).unwrap_or(version));
    let Guides { library, partner } = guides;
    let mut names = library.names();
    names.sort_by_key(|name| !name.starts_with("x12/004010/"));
    for name in names {
        let standard = name.strip_prefix("x12/").and_then(|n| n.split_once('/'));
        let Some((release, set)) = standard else {
            continue;
        };
        if wanted.is_some_and(|wanted| wanted != release) {
            continue;
        }
        let guide = library.guide(partner.as_deref(), release, set);
        let Some(guide) = guide else { continue };
        let guide = guide.map_err(|errors| Trouble::Guide(errors).to_string())?;
        if guide.document == Some(document.kind()) {
            return Ok(guide);
        }
    }
    let kind = document.kind();
    let kind = kind.to_string();
    Err(said(&match wanted {
        Some(release) => text!(
            "no guide of release {release} writes a document {kind}",
            release,
            kind
        ),
        None => text!("no guide writes a document {kind}", kind),
    }))
}

/// The next control number of a set in the group that it joins.
fn next_set(open: Option<&Interchange>, next: &Interchange) -> usize {
    let group = open.and_then(|open| open.groups.last());
    let same = group.filter(|group| group.header == next.groups[0].header);
    same.map_or(0, |group| group.sets.len()) + 1
}

/// Adds an interchange of one set to the open one if their envelopes are equal; else the open one
/// is written, and the other becomes it.
fn join(
    open: Option<Interchange>,
    mut next: Interchange,
    out: &mut dyn Write,
) -> Result<Option<Interchange>, String> {
    let Some(mut interchange) = open else {
        return Ok(Some(next));
    };
    if interchange.header != next.header || interchange.delimiters != next.delimiters {
        finish(Some(interchange), out)?;
        return Ok(Some(next));
    }
    let group: Option<FunctionalGroup> = next.groups.pop();
    match (interchange.groups.last_mut(), group) {
        (Some(last), Some(group)) if last.header == group.header => last.sets.extend(group.sets),
        (_, group) => interchange.groups.extend(group),
    }
    Ok(Some(interchange))
}

fn finish(open: Option<Interchange>, out: &mut dyn Write) -> Result<(), String> {
    let Some(interchange) = open else {
        return Ok(());
    };
    let bytes = interchange.to_bytes().map_err(|error| error.to_string())?;
    out.write_all(&bytes).map_err(|error| error.to_string())
}

/// GS01 of a set.
pub(super) fn group_id(set: &str) -> String {
    functional_id(set).unwrap_or_default().to_owned()
}
