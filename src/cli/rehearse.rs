//! `transload rehearse`: complete rounds with a simulated buyer, counted, and what else there has to be
//! before a partner's envelopes say production.
//!
//! A round is an order, its acknowledgment, ship notice, invoice and payment, by the partner's own
//! guides and releases. Rounds count for the partner file as it was: who changes what was agreed
//! begins anew. What a machine cannot see (a survey, a message of the partner's own test) a person
//! marks as met, with a note.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::demo::private;
use super::partner::{Folder, unknown};
use super::play::{self, Agreed, Wanted};
use super::{Exit, Failure, Outcome};
use crate::as2::Certificate;
use crate::clock::{Clock, System};
use crate::partner::{self, Partner};
use crate::sim::{Door, Scenario};

/// Rounds that count, where nobody says another number.
const ROUNDS: usize = 3;
/// Days for which certificates have to hold on the day of the switch.
const CERTIFICATE_DAYS: i64 = 30;
/// What a person has to see to, and what it is.
const BY_HAND: [(&str, &str); 4] = [
    (
        "survey",
        "the partner's survey is answered: identifiers, item ids, units",
    ),
    (
        "connectivity",
        "a connectivity test message went through, both ways",
    ),
    ("messages", "the partner's own message tests are passed"),
    (
        "invoices",
        "invoices ran on paper and by EDI side by side, and were the same",
    ),
];

/// Rehearse with a simulated buyer, and see what is missing before production
#[derive(clap::Args)]
pub(super) struct Rehearse {
    /// The partner's name
    name: String,
    #[command(flatten)]
    folder: Folder,
    /// A folder of guides of your own
    #[arg(long, value_name = "DIR", env = "TRANSLOAD_MAPPINGS")]
    mappings: Option<PathBuf>,
    /// How many complete rounds there have to be
    #[arg(long, value_name = "N", default_value_t = ROUNDS)]
    rounds: usize,
    /// Play no round; only say how it stands
    #[arg(long)]
    status: bool,
    /// Mark as met what a machine cannot see: survey, connectivity, messages or invoices
    #[arg(long, value_name = "ITEM", requires = "note", value_parser = ["survey", "connectivity", "messages", "invoices"])]
    met: Option<String>,
    /// Who saw it, and where it is written down
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Switch the partner file to production, where everything is met
    #[arg(long)]
    production: bool,
    /// Switch although something is missing, for this reason, which is kept
    #[arg(long = "override", value_name = "REASON", requires = "production")]
    reason: Option<String>,
}

/// A round that was played.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Round {
    at: DateTime<Utc>,
    /// SHA-256 of what was agreed then.
    agreed: String,
    complete: bool,
    /// Why not.
    #[serde(default)]
    why: Vec<String>,
}

/// What is kept of a partner's rehearsals, beside the partner file.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    rounds: Vec<Round>,
    #[serde(default)]
    met: BTreeMap<String, String>,
    /// Switches to production although something was missing: when, and why.
    #[serde(default)]
    overridden: BTreeMap<DateTime<Utc>, String>,
    /// Switches to production, met or overridden.
    #[serde(default)]
    switched: Vec<DateTime<Utc>>,
}

/// Why a partner's envelopes must not say production yet: they do, and no rehearsal has switched
/// them. Nothing where that is in order.
pub(super) fn unrehearsed(folder: &Path, partner: &Partner) -> Result<Option<String>, Failure> {
    let production = |x12: &partner::X12| x12.usage == partner::Usage::P;
    if !partner.x12.as_ref().is_some_and(production) {
        return Ok(None);
    }
    let name = &partner.name;
    let kept = load(&folder.join(format!("{name}.rehearsal")))?;
    let why = || {
        format!(
            "[x12] says usage = \"P\", and nothing was rehearsed: `transload rehearse {name} --status` \
             says what is missing, and `--production` switches, with `--override` and a reason \
             where something is"
        )
    };
    Ok(kept.switched.is_empty().then(why))
}

/// A point of the list.
struct Point {
    name: &'static str,
    met: bool,
    says: String,
}

impl Rehearse {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let folder = &self.folder.partners;
        let partners = partner::load(folder).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::state(lines.join("\n"))
        })?;
        let known = || partners.iter().map(|one| one.name.as_str()).collect();
        let partner = partners.get(&self.name);
        let partner = partner.ok_or_else(|| unknown(&self.name, folder, known()))?;
        let file = self
            .folder
            .partners
            .join(format!("{}.rehearsal", self.name));
        let mut kept = load(&file)?;
        let library = super::files::library(self.mappings.clone()).map_err(Failure::usage)?;
        let agreed = Agreed::of(partner, library);
        let digest = agreed.digest();
        if let (Some(item), Some(note)) = (&self.met, &self.note) {
            kept.met.insert(item.clone(), note.clone());
        } else if !self.status && !self.production {
            kept.rounds.push(round(partner, agreed, digest.clone())?);
        }
        let points = self.points(partner, &kept, &digest);
        let ready = points.iter().all(|point| point.met);
        let switched = match (self.production, ready, &self.reason) {
            (false, ..) | (true, false, None) => false,
            (true, ready, reason) => {
                if let Some(reason) = reason.as_ref().filter(|_| !ready) {
                    kept.overridden.insert(System.now(), reason.clone());
                }
                switch(&self.folder.partners, &self.name)?;
                kept.switched.push(System.now());
                true
            }
        };
        save(&file, &kept)?;
        self.show(&points, &kept, (ready, switched), out)?;
        Ok(match ready || switched {
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }

    fn points(&self, partner: &Partner, kept: &Kept, digest: &str) -> Vec<Point> {
        let counts = |round: &&Round| round.complete && round.agreed == digest;
        let complete = kept.rounds.iter().filter(counts).count();
        let last = kept.rounds.last().filter(|round| !round.complete);
        let mut says = format!(
            "{complete} of {} complete rounds by what is agreed now",
            self.rounds
        );
        if let Some(round) = last {
            says.push_str(&format!("; the last one was not: {}", round.why.join("; ")));
        }
        let rounds = Point {
            name: "rounds",
            met: complete >= self.rounds,
            says,
        };
        let ends = certificates(partner, System.now() + TimeDelta::days(CERTIFICATE_DAYS));
        let certificates = Point {
            name: "certificates",
            met: ends.is_empty(),
            says: match ends.is_empty() {
                true => format!("each certificate holds for {CERTIFICATE_DAYS} days and more"),
                false => ends.join("; "),
            },
        };
        let by_hand = BY_HAND.iter().map(|(name, what)| {
            let note = kept.met.get(*name);
            Point {
                name,
                met: note.is_some(),
                says: match note {
                    Some(note) => format!("{what}: {note}"),
                    None => format!("{what}; say so by --met {name} --note \"…\""),
                },
            }
        });
        [rounds, certificates].into_iter().chain(by_hand).collect()
    }

    fn show(
        &self,
        points: &[Point],
        kept: &Kept,
        (ready, switched): (bool, bool),
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        if self.folder.json {
            let point = |one: &Point| json!({"point": one.name, "met": one.met, "says": one.says});
            let said = json!({
                "partner": self.name, "ready": ready, "switched": switched,
                "points": points.iter().map(point).collect::<Vec<Value>>(),
                "rounds": kept.rounds, "overridden": kept.overridden,
            });
            return Ok(writeln!(out, "{said}")?);
        }
        for point in points {
            let mark = if point.met { "met    " } else { "MISSING" };
            writeln!(out, "{mark} {:<13} {}", point.name, point.says)?;
        }
        let name = &self.name;
        match (ready, switched, self.production) {
            (_, true, _) => writeln!(
                out,
                "{name}.toml says usage = \"P\" now: it goes out as production"
            ),
            (false, _, true) => writeln!(
                out,
                "refused: {name} stays in test; meet what is missing, or add --override \"REASON\""
            ),
            (true, ..) => writeln!(
                out,
                "ready: `transload rehearse {name} --production` switches"
            ),
            (false, ..) => writeln!(out, "not ready for production"),
        }?;
        Ok(())
    }
}

/// Plays one round in a folder of its own.
fn round(partner: &Partner, agreed: Agreed, digest: String) -> Result<Round, Failure> {
    super::serve::log("off");
    let mut scenario = Scenario::named("standard").map_err(Failure::state)?;
    let door = if partner.spapi.is_some() {
        Door::Api
    } else {
        Door::Edi
    };
    scenario.doors = vec![door];
    let at = System.now();
    let folder = std::env::temp_dir().join(format!("transload-rehearsal-{}", uuid::Uuid::now_v7()));
    private(&folder)?;
    let wanted = Wanted {
        scenario,
        orders: 1,
        // Each round has an order of its own.
        seed: u64::try_from(at.timestamp_micros()).unwrap_or(7),
        folder: folder.clone(),
        at_once: 1,
        record: None,
        agreed,
    };
    let runtime = Runtime::new().map_err(Failure::state)?;
    let played = runtime.block_on(Box::pin(async {
        let (played, house) = Box::pin(play::run(wanted)).await?;
        house.close().await?;
        Ok::<_, Failure>(played)
    }));
    runtime.shutdown_background();
    if let Err(why) = std::fs::remove_dir_all(&folder) {
        eprintln!("transload: {} is left behind: {why}", folder.display());
    }
    let played = played?;
    Ok(Round {
        at,
        agreed: digest,
        complete: played.is_sound(),
        why: played.wrong(),
    })
}

/// The partner's certificates that end before a day, or cannot be read.
fn certificates(partner: &Partner, until: DateTime<Utc>) -> Vec<String> {
    let listed = partner.as2.iter().flat_map(|as2| &as2.certificates);
    let wrong = |entry: &partner::Entry| {
        let path = entry.file.display();
        let read = std::fs::read(&entry.file).map_err(|why| why.to_string());
        let read = read.and_then(|bytes| {
            let certificate = match bytes.starts_with(b"-----BEGIN") {
                true => Certificate::from_pem(&bytes),
                false => Certificate::from_der(&bytes),
            };
            certificate.map_err(|why| why.to_string())
        });
        match read {
            Err(why) => Some(format!("{path}: {why}")),
            Ok(one) if one.not_after() < until => {
                let end = one.not_after().format("%Y-%m-%d");
                Some(format!("{path} ends on {end}"))
            }
            Ok(_) => None,
        }
    };
    listed.filter_map(wrong).collect()
}

fn load(file: &Path) -> Result<Kept, Failure> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|why| Failure::state(format!("{}: {why}", file.display()))),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(why) => Err(Failure::state(format!("{}: {why}", file.display()))),
    }
}

fn save(file: &Path, kept: &Kept) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(kept).map_err(Failure::state)?;
    replace(file, &json)
}

/// A whole file at once.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let part = PathBuf::from(format!("{}.part", file.display()));
    let done = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, file));
    done.map_err(|why| Failure::state(format!("{}: {why}", file.display())))
}

/// Has a partner file say `usage = "P"` in its `[x12]`, and changes nothing else of it.
fn switch(folder: &Path, name: &str) -> Result<(), Failure> {
    let file = folder.join(format!("{name}.toml"));
    let unusable = |why: String| Failure::state(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|why| unusable(why.to_string()))?;
    let switched =
        produced(&text).ok_or_else(|| unusable("there is no [x12] section".to_owned()))?;
    partner::parse(&switched, name).map_err(|why| unusable(why.to_string()))?;
    replace(&file, switched.as_bytes())
}

fn produced(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    let (mut inside, mut found) = (false, false);
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            inside = line.trim() == "[x12]";
            lines.push(line.to_owned());
            if inside {
                found = true;
                lines.push("usage = \"P\"".to_owned());
            }
            continue;
        }
        let usage = line.trim_start().strip_prefix("usage");
        let usage = usage.is_some_and(|rest| rest.trim_start().starts_with('='));
        if !(inside && usage) {
            lines.push(line.to_owned());
        }
    }
    found.then(|| lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_usage_of_the_envelope_changes() {
        let text =
            "name = \"a\"\n[x12]\nours = 1\nusage = \"T\" # test\n[documents.850]\nusage = \"x\"\n";
        let wanted =
            "name = \"a\"\n[x12]\nusage = \"P\"\nours = 1\n[documents.850]\nusage = \"x\"\n";
        assert_eq!(produced(text).as_deref(), Some(wanted));
        assert_eq!(produced("name = \"a\"\n"), None);
    }
}
