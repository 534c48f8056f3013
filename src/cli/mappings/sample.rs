//! `transload mappings sample`: a valid document of a guide, to try things with.

use std::io::Write;

use crate::canonical::Provenance;
use crate::cli::envelope::fresh;
use crate::cli::files::GuideOptions;
use crate::cli::translate::{Envelope, group_id, qualified, time};
use crate::cli::words::said;
use crate::cli::{Exit, Failure, Outcome};
use crate::mapping::example;
use crate::x12::{Qualified, TransactionSet, text};

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
