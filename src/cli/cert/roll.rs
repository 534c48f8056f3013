//! `transload cert roll`: the next key, and when we change to it.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::new::{Places, file_stem, kind, made};
use super::told::{spoken, time};
use crate::as2::KeyKind;
use crate::cli::serve::Place;
use crate::cli::{Exit, Failure, Outcome};
use crate::partner::keyring::{Use, in_force};
use crate::partner::keys::{self, Card, Own};
use crate::partner::{self, moment_of};

/// Make the next key and set the time at which we change to it
///
/// Until then the old key signs; both decrypt from now on, and the old one as long as --overlap
/// says. Send the new certificate to the partners at once: it is beside the key, as NAME.pem.
#[derive(clap::Args)]
pub(super) struct Roll {
    /// When we begin to sign with the new key: a time such as 2027-01-15T08:00:00Z, or a date
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    activate: DateTime<Utc>,
    /// For how long after that the old key still decrypts, as 14d or 12h [default: until its
    /// certificate ends]
    #[arg(long, value_name = "TIME", value_parser = span)]
    overlap: Option<TimeDelta>,
    /// What the new key is for: sign, decrypt, tls [default: sign and decrypt]
    #[arg(long = "use", value_name = "USE", value_delimiter = ',', value_parser = purpose)]
    uses: Vec<Use>,
    /// The common name [default: that of the key in use]
    #[arg(long, value_name = "CN")]
    name: Option<String>,
    /// How many days the certificate is valid
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The kind of key, as for cert new
    #[arg(long, value_name = "KIND", default_value = "rsa-2048", value_parser = kind)]
    key: KeyKind,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `14d`, `12h`.
fn span(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("{text:?} is not a time such as 14d or 12h");
    let (digits, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: u16 = digits.parse().map_err(|_| wrong())?;
    match unit {
        "d" => Ok(TimeDelta::days(number.into())),
        "h" => Ok(TimeDelta::hours(number.into())),
        _ => Err(wrong()),
    }
}

/// A use of a key of ours.
pub(super) fn purpose(word: &str) -> Result<Use, String> {
    let known = Use::of(word).filter(|one| matches!(one, Use::Sign | Use::Decrypt | Use::Tls));
    known.ok_or_else(|| format!("{word:?} is neither sign, decrypt nor tls"))
}

impl Roll {
    pub(super) fn run(mut self, out: &mut dyn Write) -> Outcome {
        if self.uses.is_empty() {
            self.uses = vec![Use::Sign, Use::Decrypt];
        }
        let now = Utc::now();
        if self.activate > now + TimeDelta::days(self.days.into()) {
            return Err(Failure::usage(
                "the new certificate would end before --activate; choose an earlier time, or more \
                 --days",
            ));
        }
        let config = self.place.config(&[])?;
        let held = keys::load(&config.keys).map_err(Failure::state)?;
        let list: Vec<_> = held.ours.iter().map(|own| own.dated.clone()).collect();
        let current = in_force(&list, self.uses[0], now);
        let name = self.name.clone().or_else(|| {
            let current = current.first()?.item.certificate.subject();
            Some(current.strip_prefix("CN=")?.to_owned())
        });
        let name = name.ok_or_else(|| {
            let folder = config.keys.display();
            Failure::usage(format!(
                "{folder} has no key of that use to follow; say --name, or take the old one in \
                 first with `transload cert import`"
            ))
        })?;
        let stem = format!(
            "{}-{}",
            file_stem(&name),
            self.activate.format("%Y%m%dT%H%MZ")
        );
        let places = Places::new(&config.keys, &stem, None);
        places.free(false)?;
        let olds: Vec<&Own> = held.ours.iter().filter(|own| self.replaces(own)).collect();
        let partners = partner::load(&config.partners).unwrap_or_default();
        let partners: Vec<&str> = partners
            .iter()
            .filter(|partner| partner.as2.is_some())
            .map(|partner| partner.name.as_str())
            .collect();
        if self.dry_run {
            return self.tell(&places, None, &olds, &partners, out);
        }
        let identity = made(self.key, &name, self.days)?;
        let card = Card {
            uses: self.uses.clone(),
            from: Some(self.activate),
            ..Card::default()
        };
        let written = |path: &Path, card: &Card| {
            keys::write_card(path, card)
                .map_err(|why| Failure::state(format!("{}: {why}", path.display())))
        };
        std::fs::create_dir_all(&config.keys)
            .map_err(|why| Failure::state(format!("{}: {why}", config.keys.display())))?;
        // The card before the key: a key without one would sign at once.
        written(&places.p12, &card)?;
        places.fill(&identity, &name, None)?;
        if let Some(overlap) = self.overlap {
            for old in &olds {
                let card = Card {
                    until: Some(self.activate + overlap),
                    ..old.card.clone()
                };
                written(&config.keys.join(format!("{}.p12", old.name)), &card)?;
            }
        }
        let fingerprint = identity.certificate.fingerprint();
        self.tell(&places, Some(fingerprint), &olds, &partners, out)
    }

    /// Whether an old key is for nothing but what the new one is for.
    fn replaces(&self, old: &Own) -> bool {
        let earlier = old.dated.from.is_none_or(|from| from < self.activate);
        let ends = old.dated.until.is_some_and(|until| until <= self.activate);
        earlier && !ends && old.dated.uses.iter().all(|one| self.uses.contains(one))
    }

    fn tell(
        &self,
        places: &Places,
        fingerprint: Option<&str>,
        olds: &[&Own],
        partners: &[&str],
        out: &mut dyn Write,
    ) -> Outcome {
        let until = self.overlap.map(|overlap| self.activate + overlap);
        let names: Vec<&str> = olds.iter().map(|old| old.name.as_str()).collect();
        let pem = places.pem.display().to_string();
        if self.json {
            let told = json!({
                "p12": places.p12.display().to_string(),
                "pem": pem,
                "password_file": places.password.display().to_string(),
                "fingerprint": fingerprint,
                "activate": self.activate,
                "follows": names,
                "old_until": until,
                "send_to": partners,
                "dry_run": self.dry_run,
            });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let would = if self.dry_run { "would make" } else { "made" };
        writeln!(out, "{would} {}", places.p12.display())?;
        writeln!(out, "  it signs from {} on", time(Some(self.activate)))?;
        match until {
            Some(until) => writeln!(
                out,
                "  {} still decrypts until {}",
                names.join(", "),
                time(Some(until))
            )?,
            None => writeln!(out, "  the old key decrypts until its certificate ends")?,
        }
        writeln!(out, "  send {pem} to: {}", partners.join(", "))?;
        if let Some(fingerprint) = fingerprint {
            writeln!(out, "\nSHA-256 fingerprint, to be read out and compared:\n")?;
            for line in spoken(fingerprint).chunks(4) {
                writeln!(out, "  {}", line.join(" "))?;
            }
        }
        writeln!(
            out,
            "\n`transload cert list` then says who still uses the old one"
        )?;
        Ok(Exit::Clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_days_or_hours() {
        assert_eq!(span("14d"), Ok(TimeDelta::days(14)));
        assert_eq!(span("0h"), Ok(TimeDelta::zero()));
        for wrong in ["", "d", "14", "-1d", "1w", "é"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
