//! `transload cert send`: our certificates to a partner, by a message that both sides keep.

use std::io::Write;

use chrono::Utc;
use serde_json::json;

use super::told::spoken;
use crate::cli::messages::{Desk, failed};
use crate::cli::serve::Asked;
use crate::cli::{Exit, Failure, Outcome};
use crate::gateway::offer;
use crate::net;
use crate::partner::keyring::Use;
use crate::partner::keys::{self, Own};
use crate::partner::{self, Partners};
use crate::store::Store;

/// Offer our certificates to a partner by a signed message (certificate exchange messaging)
///
/// It is queued, and `serve` sends it. What the partner answers stands in `cert list`. Partners
/// whose software does not know such messages get NAME.pem by mail.
#[derive(clap::Args)]
pub(super) struct Send {
    /// The partner's name
    partner: String,
    /// Which keys [default: for each use the one that we change to last]
    names: Vec<String>,
    #[command(flatten)]
    asked: Asked,
}

impl Send {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let told = Desk::with(&self.asked.place, async |desk, config| {
            let partners: Partners = partner::load(&config.partners).unwrap_or_default();
            let partner = partners.get(&self.partner).ok_or_else(|| {
                let folder = config.partners.display();
                Failure::usage(format!(
                    "there is no partner {:?} in {folder}",
                    self.partner
                ))
            })?;
            let held = keys::load(&config.keys).map_err(Failure::state)?;
            let ours = self.chosen(&held.ours)?;
            let listener = || format!("http://{}{}", config.as2.listen, config.as2.path);
            let url = config.receipt_url().cloned().unwrap_or_else(listener);
            let (now, mut entropy) = (Utc::now(), net::entropy);
            let draft = offer(partner, &ours, &url, &mut entropy, now).map_err(Failure::usage)?;
            let id = draft.document.number.clone();
            desk.store.draft(draft, now).await.map_err(failed)?;
            let each = ours.iter().map(|own| {
                let print = own.dated.item.certificate.fingerprint().to_owned();
                (own.name.clone(), print)
            });
            Ok((id, each.collect::<Vec<_>>()))
        });
        let (id, ours) = told?;
        if self.asked.json {
            let ours = ours
                .iter()
                .map(|(name, print)| json!({ "name": name, "fingerprint": print }));
            let ours: Vec<_> = ours.collect();
            writeln!(
                out,
                "{}",
                json!({ "partner": self.partner, "request": id, "certificates": ours })
            )?;
            return Ok(Exit::Clean);
        }
        writeln!(
            out,
            "queued for {}: certificate exchange {id}",
            self.partner
        )?;
        for (name, print) in &ours {
            writeln!(out, "  {name}  SHA-256 {}", spoken(print).join(" "))?;
        }
        writeln!(out, "`transload cert list` says what they answer")?;
        Ok(Exit::Clean)
    }

    fn chosen<'k>(&self, ours: &'k [Own]) -> Result<Vec<&'k Own>, Failure> {
        if self.names.is_empty() {
            let newest = |purpose: &Use| {
                let fits = ours.iter().filter(|own| own.dated.uses.contains(purpose));
                fits.max_by_key(|own| own.dated.from)
            };
            let mut all: Vec<&Own> = Vec::new();
            for own in Use::ALL.iter().filter_map(newest) {
                if !all.iter().any(|known| known.name == own.name) {
                    all.push(own);
                }
            }
            return Ok(all);
        }
        let find = |name: &String| {
            ours.iter().find(|own| own.name == *name).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no key {name:?} in the folder of keys; `transload cert list` has them"
                ))
            })
        };
        self.names.iter().map(find).collect()
    }
}
