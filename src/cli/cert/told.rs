//! Keys and certificates as they are told: rows, and fingerprints that two people can read out.

use std::fs;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::as2::{Certificate, Identity};
use crate::cli::Failure;
use crate::cli::as2::certificate;
use crate::config::Config;
use crate::partner;
use crate::partner::expiry::{Standing, standing};
use crate::partner::keyring::{Dated, Use, in_force};
use crate::partner::keys::{self, Keys, State};
use crate::store::{Seen, Sqlite};

/// A fingerprint in groups of four capitals, as two people read it out to each other.
pub(in crate::cli) fn spoken(fingerprint: &str) -> Vec<String> {
    let digits: Vec<char> = fingerprint.to_ascii_uppercase().chars().collect();
    digits
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect()
}

/// A time, or nothing, as people read it.
pub(super) fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or("-".to_owned(), |time| {
        time.to_rfc3339_opts(SecondsFormat::Secs, true)
    })
}

/// A certificate of ours or of a partner's, with all that is known of it.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) standing: Standing,
    pub(super) state: &'static str,
    /// Who was seen with it, and who of them after we changed to a newer one.
    pub(super) seen: Vec<(Seen, bool)>,
    pub(super) certificate: Certificate,
}

/// Everything that there is, from the files and the store.
pub(super) struct All {
    pub(super) rows: Vec<Row>,
    pub(super) held: Keys,
}

impl All {
    /// # Errors
    /// A file that cannot be used.
    pub(super) fn read(config: &Config, now: DateTime<Utc>) -> Result<All, Failure> {
        let partners = partner::load(&config.partners).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::state(lines.join("\n"))
        })?;
        let held = keys::load(&config.keys).map_err(Failure::state)?;
        let seen = Sqlite::look_seen(&config.data).map_err(Failure::state)?;
        let mut rows = ours(config, &held, &seen, now)?;
        for partner in partners.iter() {
            rows.extend(theirs(partner, &held, &seen, now)?);
        }
        Ok(All { rows, held })
    }

    /// The one row whose name or fingerprint begins so.
    ///
    /// # Errors
    /// None, or several.
    pub(super) fn one(&self, wanted: &str) -> Result<&Row, Failure> {
        let digits = bare(wanted);
        let is = |row: &&Row| {
            row.name == wanted || digits.len() >= 8 && row.standing.fingerprint.starts_with(&digits)
        };
        let mut found = self.rows.iter().filter(is);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::usage(format!(
                "there is no key or certificate {wanted:?}; `transload cert list` has the names \
                 and fingerprints"
            ))),
            (Some(_), Some(_)) => Err(Failure::usage(format!(
                "{wanted:?} is more than one certificate; give more of its fingerprint"
            ))),
        }
    }
}

/// The hex digits of a fingerprint, as people copy it.
pub(super) fn bare(fingerprint: &str) -> String {
    let digits = fingerprint.chars().filter(|c| !" :-\n".contains(*c));
    digits.collect::<String>().to_ascii_lowercase()
}

fn ours(
    config: &Config,
    held: &Keys,
    seen: &[Seen],
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Failure> {
    let (mut names, mut list) = (Vec::new(), Vec::new());
    if let Some(own) = &config.identity {
        let identity = crate::cli::serve::identity(own)?;
        names.push(own.p12.display().to_string());
        list.push(Dated::from(identity));
    }
    if let Some(own) = config.as2.tls.as_ref().filter(|own| own.p12.exists()) {
        let (der, password) = crate::cli::serve::key(own).map_err(Failure::state)?;
        let identity = Identity::from_pkcs12(&der, &password);
        let identity =
            identity.map_err(|why| Failure::state(format!("{}: {why}", own.p12.display())))?;
        names.push(own.p12.display().to_string());
        list.push(Dated {
            uses: vec![Use::Tls],
            ..Dated::from(identity)
        });
    }
    names.extend(held.ours.iter().map(|own| own.name.clone()));
    list.extend(held.ours.iter().map(|own| own.dated.clone()));
    let certificate = |own: &Identity| own.certificate.clone();
    let states = vec![State::Accepted; list.len()];
    Ok(rows(None, names, &list, &states, certificate, seen, now))
}

fn theirs(
    partner: &crate::partner::Partner,
    held: &Keys,
    seen: &[Seen],
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Failure> {
    let (mut names, mut list, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for entry in partner.as2.iter().flat_map(|as2| &as2.certificates) {
        let read = certificate(&entry.file).map_err(Failure::state)?;
        names.push(file_name(&entry.file));
        list.push(entry.dated(read));
        states.push(State::Accepted);
    }
    for one in held.theirs.get(&partner.name).into_iter().flatten() {
        let short = one.dated.item.fingerprint().get(..8).unwrap_or_default();
        names.push(short.to_owned());
        list.push(one.dated.clone());
        states.push(one.card.state);
    }
    let name = Some(partner.name.as_str());
    Ok(rows(
        name,
        names,
        &list,
        &states,
        Certificate::clone,
        seen,
        now,
    ))
}

fn rows<T: Clone>(
    partner: Option<&str>,
    names: Vec<String>,
    list: &[Dated<T>],
    states: &[State],
    certificate: impl Fn(&T) -> Certificate,
    seen: &[Seen],
    now: DateTime<Utc>,
) -> Vec<Row> {
    // What is not trusted stands for nothing.
    let trusted: Vec<Dated<Certificate>> = list
        .iter()
        .zip(states)
        .filter(|(_, state)| **state == State::Accepted)
        .map(|(one, _)| dated(one, &certificate))
        .collect();
    let standings = standing(&trusted, partner, |one| one);
    let each = list.iter().zip(names).zip(states);
    let row = |((one, name), state): ((&Dated<T>, String), &State)| {
        let one = dated(one, &certificate);
        let own = one.item.fingerprint();
        let known = standings.iter().find(|known| known.fingerprint == own);
        let alone = || standing(std::slice::from_ref(&one), partner, |one| one).remove(0);
        let since = switched(&trusted, &one, now);
        let mine = |seen: &&Seen| {
            let theirs = partner.is_none_or(|partner| seen.partner == partner);
            let used = one.uses.iter().any(|used| used.as_str() == seen.purpose);
            // What a partner said of a certificate of ours that was sent to him.
            let answered = partner.is_none() && ["accepted", "rejected"].contains(&&*seen.purpose);
            theirs && seen.fingerprint == own && (used || answered)
        };
        // Who has changed since is seen with the newer one, later.
        let changed = |old: &Seen| {
            let same = |new: &&Seen| new.partner == old.partner && new.purpose == old.purpose;
            let mut newer = seen.iter().filter(same);
            newer.any(|new| new.fingerprint != old.fingerprint && new.at > old.at)
        };
        let late = |seen: &Seen| since.is_some_and(|since| seen.at > since) && !changed(seen);
        let seen = seen.iter().filter(mine);
        Row {
            name,
            standing: known.cloned().unwrap_or_else(alone),
            state: word(*state, &trusted, &one, now),
            seen: seen.map(|seen| (seen.clone(), late(seen))).collect(),
            certificate: one.item,
        }
    };
    each.map(row).collect()
}

fn dated<T>(one: &Dated<T>, certificate: impl Fn(&T) -> Certificate) -> Dated<Certificate> {
    Dated {
        item: certificate(&one.item),
        uses: one.uses.clone(),
        from: one.from,
        until: one.until,
        valid: one.valid,
    }
}

/// When a newer one took its place; `None` while it is the one that we choose.
fn switched(
    list: &[Dated<Certificate>],
    one: &Dated<Certificate>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let newest = |purpose: &Use| in_force(list, *purpose, now).into_iter().next();
    let newer = one.uses.iter().filter_map(newest);
    let newer = newer.filter(|newest| newest.from > one.from);
    newer.filter_map(|newest| newest.from).min()
}

fn word(
    state: State,
    trusted: &[Dated<Certificate>],
    one: &Dated<Certificate>,
    now: DateTime<Utc>,
) -> &'static str {
    let chosen = |purpose: &Use| {
        let newest = in_force(trusted, *purpose, now);
        newest
            .first()
            .is_some_and(|first| first.item.fingerprint() == one.item.fingerprint())
    };
    match state {
        State::Pending => "pending",
        State::Rejected => "rejected",
        State::Accepted if one.valid.1 < now => "expired",
        State::Accepted if one.end() <= now => "ended",
        State::Accepted if one.from.is_some_and(|from| now < from) || now < one.valid.0 => {
            "scheduled"
        }
        State::Accepted if one.uses.iter().any(chosen) => "in use",
        State::Accepted => "overlap",
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Row {
    /// Whether it needs somebody soon: it ends, has ended, or waits for a person.
    pub(super) fn soon(&self, now: DateTime<Utc>) -> bool {
        let trusted = !matches!(self.state, "pending" | "rejected");
        trusted && !self.standing.followed && self.standing.days(now) < super::SOON
    }

    pub(super) fn uses(&self) -> String {
        let uses: Vec<&str> = self.standing.uses.iter().map(|one| one.as_str()).collect();
        uses.join(", ")
    }

    /// The row in JSON.
    pub(super) fn json(&self, now: DateTime<Utc>) -> Value {
        let own = &self.standing;
        let seen = |(seen, late): &(Seen, bool)| {
            json!({
                "partner": seen.partner,
                "use": seen.purpose,
                "at": seen.at,
                "after_the_switch": late,
            })
        };
        json!({
            "whose": own.partner.as_deref().unwrap_or("ours"),
            "partner": own.partner,
            "uses": own.uses,
            "name": self.name,
            "subject": own.subject,
            "key": self.certificate.key_name(),
            "fingerprint": own.fingerprint,
            "from": own.from.unwrap_or(self.certificate.not_before()),
            "until": own.until,
            "days_left": own.days(now),
            "state": self.state,
            "followed": own.followed,
            "warn": self.soon(now),
            "seen": self.seen.iter().map(seen).collect::<Vec<_>>(),
        })
    }
}

/// Reads a certificate that somebody hands over, PEM or DER.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn handed(path: &Path) -> Result<Certificate, Failure> {
    let text = fs::read(path).unwrap_or_default();
    if String::from_utf8_lossy(&text).contains("PRIVATE KEY-----") {
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path} holds a private key, and a partner's must never be here: ask him for a new \
             certificate, with a key that only he has"
        )));
    }
    certificate(path).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_out_in_groups_and_taken_back() {
        assert_eq!(spoken("00ab12cdff"), ["00AB", "12CD", "FF"]);
        assert_eq!(bare("00AB 12CD\nFF"), "00ab12cdff");
        assert_eq!(bare("00:AB:12:cd:ff"), "00ab12cdff");
    }
}
