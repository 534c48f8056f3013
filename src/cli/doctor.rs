//! `transload doctor`: what of this machine and these settings would hurt, before it does. `serve`
//! makes the same checks when it starts, the database's apart, and logs what is not well.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use chrono::TimeDelta;
use serde_json::json;

use super::serve::{Asked, partners};
use super::words::{said, say};
use super::{Exit, Failure, Outcome};
use crate::clock::{Clock, System};
use crate::config::Config;
use crate::lang::pad;
use crate::net::floor;
use crate::partner::keys;
use crate::store::{Sqlite, disk};
use crate::x12::{Text, text};

/// How far the clock may be behind the newest line of the history.
const SKEW: TimeDelta = TimeDelta::seconds(120);
/// Files that are written and synced to see how long it takes; the median is told.
const SYNCS: usize = 5;
/// An fsync in less than this many microseconds reached no disk.
const TOO_QUICK: u128 = 20;
/// Files that are open beside connections: the store, guides, logs, spool files.
const BESIDE: u64 = 200;

/// Look at the settings, the store, the disk, the clock, the keys and OpenSSL: what is wrong, and what
/// to do
///
/// Only looks. Exit code: 0 nothing is wrong (warnings may be), 1 something is.
#[derive(clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    asked: Asked,
}

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Warns,
    Wrong,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Verdict::Fine => "ok",
            Verdict::Warns => "warning",
            Verdict::Wrong => "wrong",
        }
    }

    fn on(self, about: &'static str, told: Text) -> Check {
        Check {
            about,
            verdict: self,
            told,
        }
    }
}

/// The word for people.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fine => say("ok"),
        Verdict::Warns => say("warning"),
        Verdict::Wrong => say("wrong"),
    }
}

/// One check.
struct Check {
    about: &'static str,
    verdict: Verdict,
    told: Text,
}

fn fine(about: &'static str, told: Text) -> Check {
    Verdict::Fine.on(about, told)
}

fn warns(about: &'static str, told: Text) -> Check {
    Verdict::Warns.on(about, told)
}

fn wrong(about: &'static str, told: Text) -> Check {
    Verdict::Wrong.on(about, told)
}

impl Doctor {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.asked.place.config(&[])?;
        let mut checks = around(&config);
        checks.push(relations(&config));
        checks.push(database(&config.data));
        for check in &checks {
            let told = said(&check.told);
            match self.asked.json {
                true => {
                    let verdict = check.verdict.as_str();
                    let line = json!({ "check": check.about, "verdict": verdict, "told": told });
                    writeln!(out, "{line}")?;
                }
                false => {
                    let word = word(check.verdict);
                    writeln!(out, "{}  {}  {told}", pad(word, 8), pad(check.about, 9))?;
                }
            }
        }
        let bad = checks.iter().any(|check| check.verdict == Verdict::Wrong);
        Ok(if bad { Exit::Findings } else { Exit::Clean })
    }
}

/// The checks of a start: logs what is not well, and refuses what the settings say it should.
pub(super) fn at_start(config: &Config) -> Result<(), Failure> {
    for check in around(config)
        .iter()
        .filter(|check| check.verdict != Verdict::Fine)
    {
        let told = check.told.to_string();
        match check.verdict {
            Verdict::Wrong => tracing::error!(check = check.about, told, "not well"),
            _ => tracing::warn!(check = check.about, told, "not well"),
        }
    }
    match floor::below().filter(|_| config.strict_openssl) {
        None => Ok(()),
        Some(due) => Err(Failure::state(format!(
            "{} is linked, {due} is due, and strict_openssl is set: link a newer one, or leave \
             strict_openssl out where your distribution mended this one",
            floor::linked()
        ))),
    }
}

/// All about this machine.
fn around(config: &Config) -> Vec<Check> {
    vec![
        openssl(),
        room(config),
        syncs(&config.data),
        clock(&config.data),
        secrets(config),
        files(config.serve_limits().connections as u64),
    ]
}

fn openssl() -> Check {
    let linked = floor::linked();
    match floor::below() {
        None => fine("openssl", text!("{linked}", linked)),
        Some(due) => warns(
            "openssl",
            text!(
                "{linked} has holes that are known, unless your distribution mended it: {due} is due",
                linked,
                due,
            ),
        ),
    }
}

/// The folder, or the nearest above it that is there.
fn there(folder: &Path) -> &Path {
    let mut folders = folder.ancestors().filter(|folder| folder.exists());
    folders.next().unwrap_or(Path::new("."))
}

fn room(config: &Config) -> Check {
    let folder = there(&config.data);
    let shown = config.data.display().to_string();
    if let Some(kind) = disk::network(folder) {
        return wrong(
            "disk",
            text!(
                "{shown} is on {kind}, where locks and fsync are not kept: use a disk of this machine",
                shown,
                kind,
            ),
        );
    }
    let Ok(room) = disk::room(folder) else {
        return warns(
            "disk",
            text!("nobody says how much room {shown} has", shown),
        );
    };
    let mib = (room.free >> 20).to_string();
    let marks = config.gateway_limits().disk;
    match marks.level(room).as_str() {
        "ample" => fine("disk", text!("{mib} MiB are free for {shown}", mib, shown)),
        _ => wrong(
            "disk",
            text!(
                "{mib} MiB are free for {shown}: no new message is taken until there are more",
                mib,
                shown
            ),
        ),
    }
}

fn syncs(data: &Path) -> Check {
    let folder = there(data);
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let once = || {
        let start = Instant::now();
        let synced = File::create(&path).and_then(|mut file| {
            file.write_all(&[0; 4096])?;
            file.sync_all()
        });
        synced.map(|()| start.elapsed().as_micros())
    };
    let times: Result<Vec<u128>, _> = (0..SYNCS).map(|_| once()).collect();
    let _ = fs::remove_file(&path);
    let shown = folder.display().to_string();
    match times {
        Err(why) => wrong(
            "fsync",
            text!(
                "nothing can be made durable in {shown}: {why}",
                shown,
                why = why.to_string()
            ),
        ),
        Ok(mut times) => {
            times.sort_unstable();
            let middle = times[SYNCS / 2];
            let told = u64::try_from(middle).unwrap_or(u64::MAX);
            match middle < TOO_QUICK {
                true => warns(
                    "fsync",
                    text!(
                        "an fsync in {shown} takes {told} µs, which no disk does: memory, or a cache that \
                         forgets; a power cut would lose what was answered for",
                        shown,
                        told,
                    ),
                ),
                false => fine("fsync", text!("takes {told} µs in {shown}", told, shown)),
            }
        }
    }
}

fn clock(data: &Path) -> Check {
    let now = System.now();
    match Sqlite::look_newest(data) {
        Ok(Some(newest)) if newest - now > SKEW => wrong(
            "clock",
            text!(
                "the clock says {now}, and the newest line of the history is of {newest}: set the clock \
                 before `serve`, or work waits until then",
                now = now.format("%F %T UTC").to_string(),
                newest = newest.format("%F %T UTC").to_string(),
            ),
        ),
        Ok(_) => fine(
            "clock",
            text!("{now}", now = now.format("%F %T UTC").to_string()),
        ),
        Err(why) => warns(
            "clock",
            text!("the history cannot be asked: {why}", why = why.to_string()),
        ),
    }
}

fn secrets(config: &Config) -> Check {
    let held = match keys::load(&config.keys) {
        Ok(held) => held,
        Err(why) => return wrong("keys", text!("{why}", why = why.to_string())),
    };
    if let Some(first) = held.warnings.first() {
        return warns("keys", text!("{why}", why = first));
    }
    let own = config
        .identity
        .iter()
        .flat_map(|own| [Some(&own.p12), own.password_file.as_ref()]);
    if let Some(open) = own.flatten().find(|path| open_to_others(path)) {
        return warns(
            "keys",
            text!(
                "{path} can be read by others: chmod 600 {path}",
                path = open.display().to_string()
            ),
        );
    }
    let n = held.ours.len() + usize::from(config.identity.is_some());
    fine("keys", text!("{n} keys of ours, for us alone", n))
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

/// Whether as many files may be open as there may be connections.
fn files(connections: u64) -> Check {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    match most {
        Some(most) if most < connections + BESIDE => warns(
            "files",
            text!(
                "{most} files may be open at once, and {connections} connections are allowed: raise \
                 LimitNOFILE (ulimit -n), or lower limits.connections",
                most,
                connections,
            ),
        ),
        Some(most) => fine("files", text!("{most} may be open at once", most)),
        None => fine("files", text!("as many as are needed may be open")),
    }
}

fn relations(config: &Config) -> Check {
    match partners(config) {
        Ok(known) => fine(
            "partners",
            text!("{n} partner files", n = known.iter().count()),
        ),
        Err(why) => wrong("partners", text!("{why}", why = why.to_string())),
    }
}

fn database(data: &Path) -> Check {
    match Sqlite::examine(data) {
        Ok(None) => fine("store", text!("none yet; `serve` makes it")),
        Ok(Some(schema)) => fine("store", text!("sound, schema {schema}", schema)),
        Err(why) => wrong(
            "store",
            text!("{why}; restore a backup", why = why.to_string()),
        ),
    }
}
