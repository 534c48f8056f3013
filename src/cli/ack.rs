//! `transload ack`: what a partner should be told about a file: TA1, 997 or 999.

use std::io::{self, Write};
use std::path::PathBuf;

use chrono::NaiveDateTime;
use serde::Serialize;

use super::files::{GuideOptions, whole};
use super::translate::time;
use super::walk::{Guides, Make, Noted, Seen, Trouble, walk};
use super::words::{self, of, say, unreadable};
use super::{Exit, Failure, Outcome};
use crate::clock::{Clock, System};
use crate::x12::{
    self, Finding, Form, FunctionalAcknowledgment, Interchange, InterchangeAcknowledgment,
    ReplyNumbers, Severity, Verdict, acknowledge, reply, text,
};

/// Write the acknowledgment of an X12 file: 997, 999, TA1
///
/// One 997 for each group, addressed back to its sender, from the same findings as `check`. A TA1
/// goes before it where ISA14 asks for one or the envelope is at fault; an interchange that its
/// TA1 rejects gets no 997. Acknowledgments are not acknowledged. Exit code: 0 all accepted, 1
/// something is not, 2 not readable.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  transload ack order.edi > answer.edi\n  \
    transload ack --as 999 --control 42 order.edi\n  \
    transload ack --json order.edi | jq '.interchanges[].groups[].verdict'")]
pub(super) struct Ack {
    /// The set that says it
    #[arg(long = "as", value_name = "SET", default_value = "997")]
    form: Set,
    /// Write a TA1 also where nothing asks for one
    #[arg(long)]
    ta1: bool,
    /// One JSON object with the verdicts, and no X12
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// First control number of the interchanges, groups and sets that are written
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..900_000_000))]
    control: u32,
    /// Date and time of the envelope, as `2026-01-31T08:00`; now, unless given
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<NaiveDateTime>,
    /// An X12 file; `-` is stdin
    file: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Set {
    #[value(name = "997")]
    F997,
    #[value(name = "999")]
    F999,
}

/// What is said about one interchange.
#[derive(Serialize)]
pub(super) struct Said {
    interchange: String,
    pub(super) ta1: Option<InterchangeAcknowledgment>,
    pub(super) groups: Vec<FunctionalAcknowledgment>,
}

/// The verdicts on a file.
#[derive(Serialize)]
struct Answered<'a> {
    file: &'a str,
    interchanges: Vec<Said>,
}

impl Ack {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let name = self.file.to_string_lossy();
        let bytes = whole(&self.file)?;
        let reading = x12::read(&bytes[..]).map_err(|error| unreadable(&name, &error))?;
        let findings = findings(&bytes, &guides)?;
        let mut exit = Exit::Clean;
        let mut control = self.control;
        let mut answered = Vec::new();
        for inbound in &reading.interchanges {
            let form = match self.form {
                Set::F997 => Form::F997,
                Set::F999 => Form::F999,
            };
            let said = Said::of(inbound, &findings, form, self.ta1);
            if !said.all_is_well() {
                exit = Exit::Findings;
            }
            tell(inbound, &said, &mut io::stderr().lock());
            if !self.json {
                let bytes = self.write(inbound, &said, &mut control);
                out.write_all(
                    &bytes.map_err(|error| Failure::usage(of(&name, error.to_string())))?,
                )?;
            }
            answered.push(said);
        }
        if self.json {
            let answered = Answered {
                file: &name,
                interchanges: answered,
            };
            let line = serde_json::to_string(&answered).expect("verdicts have a JSON form");
            writeln!(out, "{line}")?;
        }
        Ok(exit)
    }

    /// The interchanges that carry what is said.
    fn write(
        &self,
        inbound: &Interchange,
        said: &Said,
        control: &mut u32,
    ) -> Result<Vec<u8>, x12::WriteError> {
        let at = self.time.unwrap_or_else(|| System.now().naive_utc());
        let mut bytes = Vec::new();
        if let Some(ta1) = &said.ta1 {
            x12::write(&ta1.reply(inbound, *control, at), &mut bytes)?;
            *control += 1;
        }
        if !said.groups.is_empty() {
            let numbers = ReplyNumbers {
                interchange: *control,
                group: *control,
                set: *control,
            };
            x12::write(&reply(inbound, &said.groups, numbers, at), &mut bytes)?;
            // Each group had a number of its own.
            *control += said.groups.len() as u32;
        }
        Ok(bytes)
    }
}

impl Said {
    /// What `findings` earn an interchange; a TA1 also where only `ta1` asks for one.
    pub(super) fn of(inbound: &Interchange, findings: &[Finding], form: Form, ta1: bool) -> Said {
        let wanted = ta1 && !inbound.groups.is_empty();
        let ta1 = InterchangeAcknowledgment::due(inbound, findings)
            .or_else(|| wanted.then(|| InterchangeAcknowledgment::of(inbound, findings)));
        let rejected = ta1.as_ref().is_some_and(|t| t.verdict == Verdict::Rejected);
        Said {
            interchange: inbound.header.control_number.clone(),
            ta1,
            groups: match rejected {
                true => Vec::new(),
                false => acknowledge(inbound, findings, form),
            },
        }
    }

    fn all_is_well(&self) -> bool {
        let ta1 = self.ta1.iter().map(|t| &t.verdict);
        let mut all = ta1.chain(self.groups.iter().map(|g| &g.verdict));
        all.all(|verdict| *verdict == Verdict::Accepted)
    }
}

/// What `check` finds in the file, as far as an acknowledgment can say it.
pub(super) fn findings(bytes: &[u8], guides: &Guides) -> Result<Vec<Finding>, Trouble> {
    let all = noted(bytes, guides)?.into_iter();
    Ok(all.map(|noted| noted.finding).collect())
}

/// The same, with the sources.
pub(super) fn noted(bytes: &[u8], guides: &Guides) -> Result<Vec<Noted>, Trouble> {
    let mut all = Vec::new();
    let told =
        |finding: &Finding| finding.severity == Severity::Error || finding.code_997().is_some();
    let mut keep = |noted: Vec<Noted>| {
        let found = noted.into_iter();
        all.extend(found.filter(|noted| told(&noted.finding)));
    };
    walk(bytes, guides, Make::First, 1, &mut |seen| {
        match seen {
            Seen::Interchange(_) => {}
            Seen::Set(seen) => keep(seen.findings),
            Seen::Findings(noted) => keep(noted),
        }
        Ok(())
    })?;
    Ok(all)
}

/// One sentence a verdict, for people.
fn tell(inbound: &Interchange, said: &Said, err: &mut dyn Write) {
    let number = &said.interchange;
    if let Some(ta1) = &said.ta1 {
        let (word, code) = (word(&ta1.verdict), &ta1.code);
        let verdict = text!(
            "interchange {number}: {verdict}, TA105 {code}",
            number,
            verdict = say(word),
            code
        );
        let _ = writeln!(err, "{}", words::said(&verdict));
    }
    for group in &said.groups {
        let word = word(&group.verdict);
        let (id, control) = (&group.functional_id, &group.control_number);
        let (accepted, received) = (group.accepted, group.received);
        let verdict = text!(
            "group {control} ({id}): {verdict}, {accepted} of {sets}",
            control,
            id,
            verdict = say(word),
            accepted,
            sets = words::count(received as usize, "set")
        );
        let _ = writeln!(err, "{}", words::said(&verdict));
    }
    let silent = inbound
        .groups
        .iter()
        .any(|g| g.header.functional_id == "FA");
    if silent || !inbound.ta1.is_empty() {
        let silent = text!(
            "interchange {number} holds acknowledgments, and those are not acknowledged; `transload show` says what is in them",
            number
        );
        let _ = writeln!(err, "{}", words::said(&silent));
    }
}

pub(super) fn word(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::AcceptedWithErrors => "accepted, with errors noted",
        Verdict::PartlyAccepted => "partly accepted",
        Verdict::Rejected => "rejected",
        Verdict::Other(code) => code,
    }
}
