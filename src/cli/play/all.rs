//! Every scenario that is built in, a few at a time: whether each ends as its file says.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Builder;

use super::super::words::say;
use super::super::{Exit, Failure, Outcome};
use super::{Agreed, Played, Wanted, run};
use crate::sim::Scenario;

/// Plays for each core: a play waits for its disk half of the time.
const EACH: usize = 2;

/// Plays all of them in folders below one that is there, and says of each how it ended, by name.
pub(crate) fn all(folder: &Path, seed: u64, json: bool, out: &mut dyn Write) -> Outcome {
    let mut names = Vec::new();
    for name in Scenario::names() {
        match Scenario::named(name).map_err(Failure::state)?.direct {
            true if json => {}
            true => writeln!(
                out,
                "{name:<22} is for --listen: the scripted vendor sells nothing to consumers"
            )?,
            false => names.push(name),
        }
    }
    let ends = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let end = one(name, seed, folder.join(name));
            let mut ends = ends.lock().expect("nobody panics with it");
            ends.push((*name, end));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores * EACH {
            scope.spawn(work);
        }
    });
    let mut ends = ends.into_inner().expect("nobody panics with it");
    ends.sort_by_key(|(name, _)| *name);
    let mut sound = true;
    for (name, end) in ends {
        let played = end?;
        sound &= played.is_sound();
        match json {
            true => writeln!(out, "{}", played.json())?,
            false => line(name, &played, out)?,
        }
    }
    Ok(if sound { Exit::Clean } else { Exit::Findings })
}

fn line(name: &str, played: &Played, out: &mut dyn Write) -> Result<(), Failure> {
    let wrong = played.wrong();
    let verdict = match wrong.is_empty() {
        true => say("ends as its file says"),
        false => say("does NOT end as its file says"),
    };
    writeln!(out, "{name:<22} {verdict}")?;
    for why in wrong {
        writeln!(out, "    {why}")?;
    }
    Ok(())
}

fn one(name: &str, seed: u64, folder: PathBuf) -> Result<Played, Failure> {
    let scenario = Scenario::named(name).map_err(Failure::usage)?;
    std::fs::create_dir(&folder).map_err(Failure::state)?;
    let wanted = Wanted {
        orders: scenario.orders,
        scenario,
        seed,
        folder: folder.clone(),
        at_once: 1,
        record: None,
        agreed: Agreed::usual(),
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failure::state)?;
    let played: Result<Played, Failure> = runtime.block_on(Box::pin(async {
        let (played, house) = Box::pin(run(wanted)).await?;
        house.close().await?;
        Ok(played)
    }));
    runtime.shutdown_background();
    std::fs::remove_dir_all(&folder).map_err(Failure::state)?;
    played
}
