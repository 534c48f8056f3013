//! `amazon curl`: a document's request to the API, as a command for a terminal.

use std::io::Write;

use uuid::Uuid;

use super::super::messages::Desk;
use super::super::serve::Place;
use super::super::{Exit, Failure, Outcome};
use crate::bridge::spapi::outcome::Submission;
use crate::clock::{Clock, System};
use crate::gateway;
use crate::partner;
use crate::store::Store as _;

/// Print a document's request to the API as a curl command, without its token
///
/// The body is there whole, with all that the document says. The shell puts the token in from $TOKEN.
#[derive(clap::Args)]
pub(super) struct Curl {
    /// The document's id
    document: Uuid,
    #[command(flatten)]
    place: Place,
}

impl Curl {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let id = self.document;
        let (submission, partner, folder) = Desk::with(&self.place, async |desk, config| {
            let kept = desk.store.submission(id).await.map_err(Failure::state)?;
            let kept = kept.ok_or_else(|| {
                Failure::usage(format!("nothing of the document {id} was made for an API"))
            })?;
            let detail = desk.store.document(id).await.map_err(Failure::state)?;
            let partner = detail.map(|detail| detail.document.partner);
            Ok((kept, partner.unwrap_or_default(), config.partners.clone()))
        })?;
        let submission: Submission =
            serde_json::from_str(&submission.detail).map_err(Failure::state)?;
        let partners = partner::load(&folder).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::state(lines.join("\n"))
        })?;
        let agreed = partners
            .get(&partner)
            .and_then(|known| known.spapi.as_ref());
        let agreed = agreed.ok_or_else(|| {
            Failure::state(format!(
                "the partner file of {partner} has no [spapi] any more"
            ))
        })?;
        let account = gateway::account(&partner, agreed).map_err(Failure::state)?;
        writeln!(out, "{}", submission.call().curl(&account, System.now()))?;
        Ok(Exit::Clean)
    }
}
