//! Slices, one after the other: the short form, and as many as are wanted.
//!
//! The short form is 2,000 messages, 50 kills and 5 power cuts (no cuts, with a word, where the system
//! mounts nothing for us). The long form is a million messages: slice after slice with other seeds, as
//! many at once as there are processors, until a time is over; the next run goes on where it ended:
//!
//! ```text
//! TRANSLOAD_FAULTS_STATE=FOLDER TRANSLOAD_FAULTS_MINUTES=60 \
//!     cargo test --release --features planted --test main -- faults::run
//! ```
//!
//! `progress.toml` in that folder holds what all runs have done. A file `stop` there ends a run after
//! the slices that it has begun, and no minutes print what was done. Of a slice that went wrong the seed
//! is printed and the folders are kept; the third ends the run. `TRANSLOAD_FAULTS_SEED=SEED` alone does
//! the short form with that seed.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::figure;
use super::slice::{self, Outcome, Plan};

/// The short form.
const SHORT: Plan = Plan {
    seed: 1,
    messages: 2000,
    kills: 50,
    cuts: 5,
    planted: None,
    only: None,
};
/// A slice of the long form: 500 of them are a million messages.
const SLICE: Plan = Plan {
    kills: 10,
    cuts: 1,
    ..SHORT
};
const GOAL: u64 = 1_000_000;
/// Slices that went wrong, until there is enough to look at.
const WRONG: u64 = 3;

/// What slices have added up to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Total {
    /// Seeds that the long form has given out.
    seeds: u64,
    slices: u64,
    messages: u64,
    kills: u64,
    cuts: u64,
    attempts: u64,
    repeated: u64,
    refused: u64,
    violations: u64,
    /// Slices with violations.
    wrong: u64,
    /// How long it took, of all runs together.
    seconds: u64,
    /// Milliseconds from a start to the first answer, each counted.
    starts: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        self.slices += 1;
        self.messages += outcome.acknowledged;
        self.cuts += outcome.cuts();
        self.kills += outcome.faults() - outcome.cuts();
        self.attempts += outcome.attempts;
        self.repeated += outcome.repeated;
        self.refused += outcome.refused;
        self.violations += outcome.violations.len() as u64;
        self.wrong += u64::from(!outcome.violations.is_empty());
        for took in &outcome.starts {
            *self.starts.entry(took.as_millis().to_string()).or_default() += 1;
        }
        for (row, count) in &outcome.faults {
            *self.faults.entry(row.clone()).or_default() += count;
        }
    }

    /// The time within which so many in a hundred starts were ready.
    fn start(&self, percent: u64) -> u64 {
        let mut all: Vec<(u64, u64)> = self
            .starts
            .iter()
            .map(|(millis, count)| (millis.parse().unwrap(), *count))
            .collect();
        all.sort_unstable();
        let due = all.iter().map(|(_, count)| count).sum::<u64>() * percent / 100;
        let mut passed = 0;
        let reached = all.iter().find(|(_, count)| {
            passed += count;
            passed > due
        });
        reached.or(all.last()).map_or(0, |(millis, _)| *millis)
    }

    fn told(&self) -> String {
        let goal = match self.seeds {
            0 => String::new(),
            _ => format!(" of {GOAL}"),
        };
        format!(
            "{}{goal} messages, {} kills, {} power cuts; {} questions, {} of them repeated after \
             their answer, {} answered 503; ready after {} ms (p50), {} ms (p99)",
            self.messages,
            self.kills,
            self.cuts,
            self.attempts,
            self.repeated,
            self.refused,
            self.start(50),
            self.start(99)
        )
    }

    /// A figure for each row whose fault was done.
    fn record(&self) {
        for (row, trials) in &self.faults {
            let text = match row.as_str() {
                "A25" => self.told(),
                "B1" => format!("0 lost of {} messages", self.messages),
                _ => String::new(),
            };
            figure(row, *trials, self.violations, &text);
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_done_twice() {
    let mut total = Total::default();
    match std::env::var_os("TRANSLOAD_FAULTS_STATE") {
        Some(folder) => long(Path::new(&folder), &mut total),
        None => {
            let seed = number("TRANSLOAD_FAULTS_SEED", SHORT.seed);
            total.add(&one(&Plan { seed, ..SHORT }));
        }
    }
    say!("{}", total.told());
    say!("{:?}", total.faults);
    total.record();
    assert_eq!(total.violations, 0, "also where no fault was done");
}

/// One slice, with power cuts where they can be had.
fn one(plan: &Plan) -> Outcome {
    slice::run(plan).unwrap_or_else(|why| {
        say!("power cuts are skipped: {why}");
        let plan = Plan {
            cuts: 0,
            ..plan.clone()
        };
        slice::run(&plan).unwrap()
    })
}

fn long(folder: &Path, total: &mut Total) {
    std::fs::create_dir_all(folder).unwrap();
    if let Ok(text) = std::fs::read_to_string(folder.join("progress.toml")) {
        *total = toml::from_str(&text).unwrap();
    }
    let time = Duration::from_secs(60 * number("TRANSLOAD_FAULTS_MINUTES", 60));
    let lock = File::create(folder.join("lock")).unwrap();
    let alone = time.is_zero() || lock.try_lock().is_ok();
    assert!(alone, "another run goes on in this folder");
    let (start, before) = (Instant::now(), total.clone());
    let (beside, shared) = (available_parallelism().unwrap().get(), Mutex::new(total));
    let next = || {
        let mut total = shared.lock().unwrap();
        let going = start.elapsed() < time && !folder.join("stop").exists();
        let due = total.messages < GOAL && total.wrong < WRONG;
        (going && due).then(|| {
            total.seeds += 1;
            1000 + total.seeds
        })
    };
    let done = |outcome: &Outcome| {
        let mut total = shared.lock().unwrap();
        total.add(outcome);
        let took = start.elapsed().as_secs();
        total.seconds = before.seconds + took;
        let rate = (total.messages - before.messages) * 60 / took.max(1);
        let text = toml::to_string(&**total).unwrap();
        std::fs::write(folder.join("progress.new"), text).unwrap();
        std::fs::rename(folder.join("progress.new"), folder.join("progress.toml")).unwrap();
        let (wrong, told) = (total.violations, total.told());
        say!("{told}; {wrong} violations; {rate} messages a minute");
    };
    scope(|threads| {
        for _ in 0..beside {
            threads.spawn(|| {
                while let Some(seed) = next() {
                    let slice = catch_unwind(|| one(&Plan { seed, ..SLICE }));
                    done(&slice.unwrap_or_else(|_| Outcome {
                        violations: vec![format!("seed {seed}: the harness panicked")],
                        ..Outcome::default()
                    }));
                }
            });
        }
    });
    let _ = std::fs::remove_file(folder.join("stop"));
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}
