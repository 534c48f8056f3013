//! `transload mappings sample`: a valid document of a guide, to try things with.

use std::io::Write;

use crate::canonical::Provenance;
use crate::cli::envelope::fresh;
use crate::cli::files::GuideOptions;
use crate::cli::translate::{Envelope, group_id, qualified, time};
use crate::cli::words::said;
use crate::cli::{Exit, Failure, Outcome};
use crate::lifecycle::{What, check};
use crate::mapping::{Guide, example, read};
use crate::x12::{Delimiters, Qualified, Segments, TransactionSet, text};

/// Print a valid X12 document of a guide, with made-up values
///
/// It has what is mandatory and what such a document usually has; with --full, every segment and
/// element that the guide has a place for. The same guide gives the same document, to the byte.
#[derive(clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:
  transload mappings sample 850 --partner acme
  transload mappings sample 856 --full | transload show -"
)]
pub(super) struct Sample {
    /// All that the guide has a place for
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    guides: GuideOptions,
    /// The release; without it the partner's own, else 004010
    #[arg(long, value_name = "RELEASE")]
    version: Option<String>,
    /// Who sends it
    #[arg(long, value_name = "QUAL:ID", value_parser = qualified, default_value = "ZZ:SENDER")]
    sender: Qualified,
    /// Who gets it
    #[arg(long, value_name = "QUAL:ID", value_parser = qualified, default_value = "ZZ:RECEIVER")]
    receiver: Qualified,
    /// The transaction set, as `850`, or a guide, as `partners/acme/850`
    set: String,
}

/// When it was made: a sample is the same every day.
const MADE: &str = "2026-03-02T09:15";

impl Sample {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let guide = super::find(&guides, self.version.as_deref(), &self.set)?;
        let segments = example(&guide, self.full).map_err(|findings| {
            let findings = findings
                .iter()
                .map(|finding| format!("\n  {}", said(&finding.message)));
            let findings: String = findings.collect();
            Failure::usage(said(&text!(
                "no sample of {guide} can be made up: it asks for what its lists do not have{findings}",
                guide = &guide.name,
                findings
            )))
        })?;
        let segments = reckoned(&guide, segments);
        let origin = Provenance {
            version: Some(guide.version.clone()),
            ..Provenance::default()
        };
        let now = time(MADE).map_err(Failure::state)?;
        let mut interchange = fresh(
            &origin,
            &guide.version,
            &Envelope {
                now,
                ..Envelope::default()
            },
        );
        interchange.header.usage = "T".to_owned();
        interchange.header.sender = self.sender;
        interchange.header.receiver = self.receiver;
        let group = &mut interchange.groups[0];
        group
            .header
            .sender
            .clone_from(&interchange.header.sender.id);
        group
            .header
            .receiver
            .clone_from(&interchange.header.receiver.id);
        group.header.functional_id = group_id(&guide.set);
        group
            .sets
            .push(TransactionSet::new(&guide.set, "0001", segments));
        out.write_all(&interchange.to_bytes().map_err(Failure::state)?)?;
        Ok(Exit::Clean)
    }
}

/// With the tax and the total of an invoice as its lines, charges and taxes have them.
fn reckoned(guide: &Guide, mut segments: Segments) -> Segments {
    // The tax first: the total holds it.
    for _ in 0..2 {
        let document = read(guide, &segments, &Delimiters::default()).document;
        let remarks = document.map(|document| check::of(&document));
        let sum = remarks
            .into_iter()
            .flatten()
            .find_map(|remark| match remark.what {
                What::Taxes { reckoned, .. } => Some(("TXI", 2, reckoned.to_string())),
                What::Total { reckoned, .. } => {
                    Some(("TDS", 1, reckoned.to_string().replace('.', "")))
                }
                _ => None,
            });
        let Some((tag, element, sum)) = sum else {
            break;
        };
        segments = with(&segments, tag, element, &sum);
    }
    segments
}

/// The segments with another value in the first segment of this tag that stands in the summary.
fn with(segments: &Segments, tag: &str, element: usize, value: &str) -> Segments {
    let (mut all, mut summary, mut done) = (Segments::default(), false, false);
    for segment in segments.iter() {
        summary |= segment.tag() == b"TDS";
        let mut parts: Vec<&[u8]> = (0..=segment.count()).map(|n| segment.element(n)).collect();
        if summary && !done && segment.tag() == tag.as_bytes() && element < parts.len() {
            parts[element] = value.as_bytes();
            done = true;
        }
        all.push_parts(&parts, segment.position());
    }
    all
}
