//! `transload partner sheet`: what we give to the other side.

use std::io::Write;

use chrono::Utc;

use crate::as2::Certificate;
use crate::cli::cert::spoken;
use crate::cli::serve::{Place, identity, key};
use crate::cli::{Exit, Failure, Outcome};
use crate::config::Config;
use crate::net::tls;
use crate::partner::keyring::{Use, accepted};
use crate::partner::sheet::{Enclosed, Purpose, X12};
use crate::partner::{self, Party, Receipt, keys, sheet};

/// Digests that we read, the one that we like best first.
const DIGESTS: [&str; 3] = ["sha-256", "sha-384", "sha-512"];
/// Ciphers that we read, the one that everybody knows first.
const CIPHERS: [&str; 6] = [
    "aes-256-cbc",
    "aes-192-cbc",
    "aes-128-cbc",
    "aes-256-gcm",
    "aes-192-gcm",
    "aes-128-gcm",
];

/// What we give to a partner: names, URL, certificates, algorithms, in one file to mail
///
/// The file is TOML that people read; the other side adds it with `partner add NAME --from FILE`.
/// Read the fingerprint out to each other before it is trusted. No secret is in it.
#[derive(clap::Args)]
pub(super) struct Sheet {
    /// The partner whom it is for, where we have another name for him than usual
    name: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print JSON, which can be added too
    #[arg(long)]
    json: bool,
}

impl Sheet {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.place.config(&[])?;
        let known = match &self.name {
            Some(name) => Some(super::known(&config, name)?),
            None => None,
        };
        let as2 = known.as_ref().and_then(|known| known.as2.as_ref());
        let id = as2.map(|as2| as2.our_id.clone()).or(config.as2.id.clone());
        let id = id.ok_or_else(|| {
            Failure::usage(
                "the settings do not say our AS2 name: set as2.id (`transload init` does), or name \
                 a partner whose file has our_id",
            )
        })?;
        let ours = known.as_ref().and_then(|known| known.x12.as_ref());
        let ours = ours.map(|x12| &x12.ours).or(config.x12.as_ref());
        let receipt = match as2.map_or(Receipt::default(), |as2| as2.receipt) {
            Receipt::Signed => "signed",
            Receipt::Unsigned => "unsigned",
            Receipt::None => "none",
        };
        let sheet = sheet::Sheet {
            sheet: sheet::Sheet::form(),
            as2_id: id,
            url: url(&config)?,
            sign: DIGESTS.map(str::to_owned).to_vec(),
            encrypt: CIPHERS.map(str::to_owned).to_vec(),
            receipt: receipt.to_owned(),
            x12: ours.map(|Party { qualifier, id }| X12 {
                qualifier: qualifier.clone(),
                id: id.clone(),
            }),
            certificates: certificates(&config)?,
        };
        match self.json {
            true => writeln!(out, "{}", serde_json::json!(sheet))?,
            false => write!(out, "{}", sheet.to_toml())?,
        }
        Ok(Exit::Clean)
    }
}

/// What partners post to.
fn url(config: &Config) -> Result<String, Failure> {
    let (as2, listen) = (&config.as2, config.as2.listen);
    if let Some(url) = &as2.url {
        return Ok(url.clone());
    }
    if listen.ip().is_unspecified() {
        return Err(Failure::usage(format!(
            "we listen on {listen}, and the settings do not say how partners reach that from \
             outside: set as2.url, such as https://edi.example.com{}",
            as2.path
        )));
    }
    let scheme = if as2.tls.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{listen}{}", as2.path))
}

/// The certificates that a partner needs: those by which we sign or may be written to, and that of
/// our TLS where nobody else vouches for it.
fn certificates(config: &Config) -> Result<Vec<Enclosed>, Failure> {
    let now = Utc::now();
    let mut all: Vec<Certificate> = Vec::new();
    if let Some(own) = &config.identity {
        all.push(identity(own)?.certificate);
    }
    let held = keys::load(&config.keys).map_err(Failure::state)?;
    let dated: Vec<_> = held.ours.into_iter().map(|own| own.dated).collect();
    for purpose in [Use::Sign, Use::Decrypt] {
        for one in accepted(&dated, purpose, now) {
            all.push(one.item.certificate.clone());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|one| seen.insert(one.fingerprint().to_owned()));
    if all.is_empty() {
        return Err(Failure::state(
            "we have no certificate to give away: `transload cert new --out keys` makes one",
        ));
    }
    let mut enclosed = Vec::new();
    for one in &all {
        enclosed.push(enclose(one, Purpose::Messages)?);
    }
    // For what an authority issues it vouches, and it changes every few weeks.
    if let Some(own) = config.as2.tls.as_ref().filter(|own| own.acme.is_none()) {
        let (der, password) = key(own).map_err(Failure::state)?;
        let shown = tls::self_signed(&der, &password).map_err(Failure::state)?;
        if let Some(pem) = shown {
            let shown = Certificate::from_pem(&pem).map_err(Failure::state)?;
            enclosed.push(enclose(&shown, Purpose::Tls)?);
        }
    }
    Ok(enclosed)
}

/// A certificate as it stands in a sheet.
pub(super) fn enclose(one: &Certificate, purpose: Purpose) -> Result<Enclosed, Failure> {
    let pem = one.to_pem().map_err(Failure::state)?;
    Ok(Enclosed {
        purpose,
        fingerprint: spoken(one.fingerprint()).join(" "),
        subject: one.subject(),
        valid_until: one.not_after().date_naive().to_string(),
        pem: String::from_utf8_lossy(&pem).into_owned(),
    })
}

/// The partner files of the settings.
pub(super) fn partners(config: &Config) -> Result<partner::Partners, Failure> {
    partner::load(&config.partners).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::state(lines.join("\n"))
    })
}
