//! Order to cash on one machine: the simulated buyer, our gateway and a scripted vendor.
//!
//! ```text
//! buyer ── X12, AS2 ──► gateway ── JSON in a folder ──► vendor      the EDI door
//! buyer ── SP-API ────► gateway ── X12 in a folder ───► vendor      the API door
//! ```
//!
//! The clock stands still while anything moves: one document goes its whole way, with receipt, 997
//! and outcome, before the next one begins, and then the clock jumps to the next hour at which
//! something is due. So one seed gives one course of events, byte for byte.

mod all;
mod api;
mod house;
mod judge;
mod papers;
mod vendor;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::Failure;
use crate::as2;
use crate::canonical::Document;
use crate::clock::Clock;
use crate::mapping::Library;
use crate::sim::edi::{self, Desk, Judged, Spoken};
use crate::sim::{Door, Scenario, Verdict};
use crate::x12::Qualified;
pub(crate) use all::all;
pub(crate) use house::{Agreed, House};
pub(crate) use judge::Played;
use vendor::{Paper, Vendor};

/// How far the clock goes at most: half a year beyond the longest terms.
const LONGEST: TimeDelta = TimeDelta::days(400);
/// Hours of the play at which nothing new happens, until it is given up: polls for ever.
const ROUNDS: usize = 200_000;

/// How much of what was said is kept to be listed: all of some hundred orders.
const SAID: usize = 20_000;

/// Steps that the gateway takes at once, and messages that it sends at once, at most.
const LANES: usize = 16;

/// What is to be played.
pub(crate) struct Wanted {
    /// What happens.
    pub(crate) scenario: Scenario,
    /// How many orders.
    pub(crate) orders: usize,
    /// What everything made up is made of.
    pub(crate) seed: u64,
    /// An empty folder, its owner's alone.
    pub(crate) folder: PathBuf,
    /// How many documents are under way at once; with one, one seed gives the same bytes.
    pub(crate) at_once: usize,
    /// Where each interchange of the EDI door is kept as a file.
    pub(crate) record: Option<PathBuf>,
    /// What was agreed on with the buyer at the EDI door.
    pub(crate) agreed: Agreed,
}

/// When plays begin: the same hour for all, so that the same seed gives the same bytes.
fn start() -> DateTime<Utc> {
    let start = Utc.with_ymd_and_hms(2026, 3, 2, 8, 0, 0).single();
    start.expect("an hour of the calendar")
}

/// A refusal of the buyer's, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) set: String,
    pub(super) number: String,
    pub(super) code: String,
    pub(super) path: String,
    pub(super) sentence: String,
}

/// What was said, of which every byte counts: its beginning, and one number for all of it.
#[derive(Default)]
pub(super) struct Tape {
    /// As much as one would list.
    pub(super) first: Vec<Spoken>,
    /// SHA-256 of this before and of what came then.
    pub(super) digest: [u8; 32],
}

impl Tape {
    fn add(&mut self, spoken: Spoken) {
        let line = spoken.name.as_bytes();
        self.digest = as2::sha256(&[&self.digest, line, &spoken.digest].concat());
        if self.first.len() < SAID {
            self.first.push(spoken);
        }
    }
}

/// A play that goes on.
struct Play {
    house: House,
    vendor: Vendor,
    /// The vendor's X12, where the API is behind it.
    erp: Desk,
    at_once: usize,
    seed: u64,
    /// Files that were written so far.
    files: usize,
    spoken: Tape,
    refusals: Vec<Refusal>,
    /// What the buyer took and remarked on.
    remarks: Vec<Refusal>,
    troubles: Vec<String>,
    counts: BTreeMap<String, usize>,
    /// Sets whose 997 rejected them, by door, that the vendor has to say again.
    rejected: Vec<(String, String)>,
}

/// Plays a scenario to its end, and judges it. The house still stands, so that one can look around.
///
/// # Errors
/// Where something of ours does not come to rest, or cannot be started.
pub(crate) async fn run(wanted: Wanted) -> Result<(Played, House), Failure> {
    let began = Instant::now();
    let Wanted {
        scenario,
        orders,
        seed,
        folder,
        at_once,
        record,
        agreed,
    } = wanted;
    let scenario = Scenario {
        together: scenario.together.max(at_once),
        ..scenario
    };
    let lanes = at_once.min(LANES);
    let time = (orders, seed, start());
    let built = House::build(&folder, scenario.clone(), time, (lanes, record), &agreed);
    let house = Box::pin(built).await?;
    let erp = Desk::new(
        Arc::new(Library::embedded()),
        &Agreed::usual().guides,
        Qualified::new("ZZ", "SIMERP"),
        Qualified::new("ZZ", "BRIDGE"),
    );
    let mut play = Play {
        house,
        vendor: Vendor::new(scenario),
        erp,
        at_once,
        seed,
        files: 0,
        spoken: Tape::default(),
        refusals: Vec::new(),
        remarks: Vec::new(),
        troubles: Vec::new(),
        counts: BTreeMap::new(),
        rejected: Vec::new(),
    };
    let ended = Box::pin(play.through()).await;
    let trouble = match &ended {
        Ok(()) => String::new(),
        Err(why) => why.message.clone(),
    };
    let played = judge::judge(&play, trouble, began.elapsed()).await?;
    Ok((played, play.house))
}

impl Play {
    /// From the first order until nothing more happens by itself.
    async fn through(&mut self) -> Result<(), Failure> {
        let end = self.house.clock.now() + LONGEST;
        for _ in 0..ROUNDS {
            self.renew()?;
            self.settle().await?;
            match self.next().await? {
                Some(at) if at <= end => self.house.forward(at),
                _ => return Ok(()),
            }
        }
        Err(Failure::state("it never ends: something is tried for ever"))
    }

    /// The buyer's certificate has ended, and it is time for the new one.
    fn renew(&mut self) -> Result<(), Failure> {
        let now = self.house.clock.now();
        if self.house.renewal.is_some_and(|at| at <= now) {
            self.house.renewal = None;
            let identity = edi::identity("Simulated buyer", now, None).map_err(Failure::state)?;
            self.house.exchange(&identity.certificate)?;
            self.house.edi.renew(identity);
        }
        Ok(())
    }

    /// Everything that is due at this hour, one after the other.
    async fn settle(&mut self) -> Result<(), Failure> {
        loop {
            let said = self.house.edi.pump(self.at_once).await;
            self.house.quiet().await?;
            let heard = self.collect()?;
            self.note();
            let now = self.house.clock.now();
            for (set, number) in std::mem::take(&mut self.rejected) {
                self.vendor.again(&set, &number, now);
            }
            let papers = self.vendor.due(now);
            let handed = papers.len();
            for papers in papers.chunks(self.at_once) {
                for paper in papers {
                    self.hand_in(paper)?;
                }
                self.house.quiet().await?;
                self.collect()?;
            }
            let due = self.house.edi.next().is_some_and(|at| at <= now);
            if said == 0 && heard == 0 && handed == 0 && !due {
                return Ok(());
            }
        }
    }

    /// The next hour at which something happens.
    async fn next(&self) -> Result<Option<DateTime<Utc>>, Failure> {
        let (world, behind) = {
            let world = self.house.world();
            let orders = world.made(Door::Api);
            (world.next(), orders > self.vendor.api_orders())
        };
        // It polls for ever; that counts only where it has to find something.
        let poll = match behind {
            true => Some(self.house.next_poll().await?),
            false => None,
        };
        let work = self.house.next_work().await?;
        let renewal = self.house.renewal;
        let all = [
            world,
            self.vendor.next(),
            self.house.edi.next(),
            work,
            poll,
            renewal,
        ];
        let now = self.house.clock.now();
        let next = all.into_iter().flatten().min();
        // What is due already was tried, and comes again in its time.
        Ok(next.map(|at| at.max(now + TimeDelta::seconds(1))))
    }

    /// Takes what the gateway handed over to the vendor.
    fn collect(&mut self) -> Result<usize, Failure> {
        let mut heard = 0;
        for path in files(&self.house.folder.join("bridge/buyer/out"))? {
            let bytes = std::fs::read(&path).map_err(Failure::state)?;
            let document = Document::from_json(&bytes).map_err(Failure::state)?;
            self.record("json to vendor", &document, &bytes);
            self.hears(document, Door::Edi);
            std::fs::remove_file(&path).map_err(Failure::state)?;
            heard += 1;
        }
        for path in files(&self.house.folder.join("files/out"))? {
            let bytes = std::fs::read(&path).map_err(Failure::state)?;
            let at = self.house.clock.now().naive_utc();
            let read = self
                .erp
                .read(&bytes, at, &mut |_| false)
                .map_err(Failure::state)?;
            self.troubles.extend(read.faults);
            for came in read.documents {
                self.record("x12 to vendor", &came.document, &bytes);
                self.troubles.extend(came.faults);
                self.hears(came.document, Door::Api);
            }
            if let Some(reply) = read.reply {
                self.put("files/in", "997.x12", &reply)?;
            }
            std::fs::remove_file(&path).map_err(Failure::state)?;
            heard += 1;
        }
        Ok(heard)
    }

    fn hears(&mut self, document: Document, door: Door) {
        let number = document.number().unwrap_or_default();
        let position = self.house.world().position(number).unwrap_or(0);
        let now = self.house.clock.now();
        self.vendor.hears(document, door, position, now);
    }

    /// Puts a paper of the vendor's where the gateway looks for it.
    fn hand_in(&mut self, paper: &Paper) -> Result<(), Failure> {
        let document = &paper.document;
        let now = self.house.clock.now();
        match paper.door {
            Door::Edi => {
                let json = serde_json::to_vec_pretty(document).map_err(Failure::state)?;
                self.record("json of vendor", document, &json);
                self.put("bridge/buyer/in", "paper.json", &json)
            }
            Door::Api => match self.erp.write(document, now.naive_utc()) {
                Ok(written) => {
                    self.record("x12 of vendor", document, &written.bytes);
                    self.put("files/in", "paper.x12", &written.bytes)
                }
                Err(why) => {
                    let (kind, number) = (document.kind(), document.number());
                    let number = number.unwrap_or_default();
                    self.troubles
                        .push(format!("{kind} {number} cannot be written: {why}"));
                    Ok(())
                }
            },
        }
    }

    /// A whole file at once, by a rename; its name keeps the order.
    fn put(&mut self, folder: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.files += 1;
        let path = self
            .house
            .folder
            .join(folder)
            .join(format!("{:06}-{name}", self.files));
        let part = path.with_extension("tmp");
        std::fs::write(&part, bytes).map_err(Failure::state)?;
        std::fs::rename(&part, &path).map_err(Failure::state)
    }

    fn record(&mut self, way: &str, document: &Document, bytes: &[u8]) {
        self.spoken.add(Spoken {
            said: false,
            name: format!(
                "{way} {} {}",
                document.kind(),
                document.number().unwrap_or_default()
            ),
            digest: as2::sha256(bytes),
        });
    }

    /// Notes what went by at the EDI door, and what the buyer made of it.
    fn note(&mut self) {
        for spoken in self.house.edi.spoken() {
            let set = spoken.name.split(' ').next().unwrap_or_default();
            *self.counts.entry(set.to_owned()).or_default() += 1;
            self.spoken.add(spoken);
        }
        for spoken in self.house.simulator.spoken() {
            self.spoken.add(spoken);
        }
        self.troubles.extend(self.house.edi.troubles());
        for judged in self.house.edi.judged() {
            self.judged(&judged);
        }
    }

    fn judged(&mut self, judged: &Judged) {
        let refusal = |code: &str, path: &str, sentence: &str| Refusal {
            set: judged.set.clone(),
            number: judged.number.clone(),
            code: code.to_owned(),
            path: path.to_owned(),
            sentence: sentence.to_owned(),
        };
        for fault in &judged.faults {
            self.refusals.push(refusal("syntax", "", fault));
        }
        if !judged.faults.is_empty() {
            let order = papers::order_of(&judged.number);
            self.rejected.push((judged.set.clone(), order.to_owned()));
        }
        let (into, reasons) = match &judged.verdict {
            Some(Verdict::Refused { reasons, .. }) => (&mut self.refusals, reasons),
            Some(Verdict::Accepted { remarks, .. }) => (&mut self.remarks, remarks),
            None => return,
        };
        for one in reasons {
            into.push(refusal(one.code, &one.path, &one.sentence));
        }
    }
}

/// The files of an outbox, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(Failure::state(format!("{}: {why}", folder.display()))),
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| {
            !path
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'))
        })
        .collect();
    found.sort();
    Ok(found)
}
