//! `transload demo`: twenty orders from a simulated buyer, through both of its doors and our gateway,
//! to the last cent.
//!
//! Everything is real: keys, sockets, receipts, stores, partner files; only the buyer, the vendor and
//! the time are made up. Nothing leaves the machine.

use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;
use uuid::Uuid;

use super::play::{self, Agreed, House, Wanted};
use super::words::{said, say};
use super::{Exit, Failure, Outcome};
use crate::sim::Scenario;
use crate::x12::text;

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// How many orders
    #[arg(long, value_name = "N", default_value_t = 20)]
    orders: usize,
    /// What happens, by its name
    #[arg(long, value_name = "NAME", default_value = "standard")]
    scenario: String,
    /// What everything made up is made of: one seed, the same bytes
    #[arg(long, value_name = "K", default_value_t = 7)]
    seed: u64,
    /// How many documents are under way at once; more than one is faster, and not the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    at_once: usize,
    /// Leave everything on disk and running until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let scenario = super::sim::scenario(&self.scenario)?;
        let show = Show {
            keep: self.keep,
            json: self.json,
            record: None,
        };
        play_out(
            scenario,
            (self.orders, self.seed, self.at_once.max(1)),
            &show,
            out,
        )
    }
}

/// How the result is shown.
pub(super) struct Show {
    pub(super) keep: bool,
    pub(super) json: bool,
    /// Where each interchange is written as a file.
    pub(super) record: Option<PathBuf>,
}

/// Plays a scenario in a folder of its own, shows what came of it, and cleans up.
pub(super) fn play_out(
    scenario: Scenario,
    (orders, seed, at_once): (usize, u64, usize),
    show: &Show,
    out: &mut dyn Write,
) -> Outcome {
    if scenario.direct {
        return Err(Failure::usage(format!(
            "the scripted vendor sells nothing to consumers: scenario {} is for a simulator that listens",
            scenario.name
        )));
    }
    super::serve::log("off");
    let folder = own()?;
    let runtime = Runtime::new().map_err(Failure::state)?;
    let wanted = Wanted {
        scenario,
        orders,
        seed,
        folder: folder.clone(),
        at_once,
        record: match (&show.record, show.keep) {
            (None, true) => Some(folder.join("record")),
            (record, _) => record.clone(),
        },
        agreed: Agreed::usual(),
    };
    let outcome = runtime.block_on(Box::pin(shown(wanted, show, out)));
    runtime.shutdown_background();
    if !show.keep {
        cleared(&folder);
    }
    outcome
}

async fn shown(wanted: Wanted, show: &Show, out: &mut dyn Write) -> Outcome {
    let folder = wanted.folder.clone();
    let (played, house) = Box::pin(play::run(wanted)).await?;
    match show.json {
        true => {
            let mut said = played.json();
            if show.keep {
                said["kept"] = house.places(&folder);
            }
            writeln!(out, "{said}")?;
        }
        false => {
            played.table(out)?;
            kept(&house, &folder, show, out)?;
        }
    }
    out.flush()?;
    if show.keep {
        eprintln!("transload: running until Ctrl-C");
        tokio::signal::ctrl_c().await.map_err(Failure::state)?;
    }
    house.close().await?;
    Ok(match played.is_sound() {
        true => Exit::Clean,
        false => Exit::Findings,
    })
}

/// Where to look around.
fn kept(house: &House, folder: &Path, show: &Show, out: &mut dyn Write) -> Result<(), Failure> {
    if !show.keep {
        let line = say(
            "nothing is left behind; `transload demo --keep` leaves it running, to look around",
        );
        return Ok(writeln!(out, "{line}")?);
    }
    let folder_said = folder.display().to_string();
    let kept = text!("kept in {folder}", folder = folder_said);
    writeln!(out, "\n{}", said(&kept))?;
    let places = house.places(folder);
    for (name, place) in places.as_object().into_iter().flatten() {
        writeln!(out, "  {name:<10} {}", place.as_str().unwrap_or_default())?;
    }
    Ok(())
}

/// Plays every scenario that is built in, shows how each ended, and cleans up.
pub(super) fn play_all(seed: u64, json: bool, out: &mut dyn Write) -> Outcome {
    super::serve::log("off");
    let folder = own()?;
    let outcome = play::all(&folder, seed, json, out);
    cleared(&folder);
    outcome
}

/// A folder of this play's own.
fn own() -> Result<PathBuf, Failure> {
    let folder = std::env::temp_dir().join(format!("transload-demo-{}", Uuid::now_v7()));
    private(&folder)?;
    Ok(folder)
}

fn cleared(folder: &Path) {
    if let Err(why) = std::fs::remove_dir_all(folder) {
        eprintln!("transload: {} is left behind: {why}", folder.display());
    }
}

/// A folder that only its owner may read: it will hold keys.
pub(super) fn private(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|why| Failure::state(format!("{}: {why}", folder.display())))
}
