//! A slice of a run: a new gateway, so many messages from a seed, and faults until all of them are
//! answered for; then nothing more is done to it, and the ledgers are compared.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::Ordering;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::house::{House, PATIENCE, Process};
use super::image::Image;
use super::partner::Partner;
use super::reconcile::reconcile;
use super::sender::{Piece, Run};

/// Messages that are on their way at once: more than the gateway opens at once.
const SENDERS: usize = 12;
/// How long the wait for a fault's moment may be.
const MOMENT: Duration = Duration::from_secs(8);

/// Every point that a slice passes, and the row that it stands in.
#[rustfmt::skip]
pub(super) const POINTS: &[(&str, &str)] = &[
    ("spool-written", "A3"), ("spool-synced", "A4"), ("arrived", "A4"), ("judged", "A4"),
    ("accepting", "A5"), ("committing", "A5"), ("committed", "A6"), ("accepted", "A6"),
    ("answering", "A8"), ("answered", "A8"), ("reading", "A8"), ("read", "A9"),
    ("delivering", "A9"), ("handed-over", "A10"), ("delivered", "A10"), ("posting", "A11"),
    ("posted", "A12"), ("sealing", "A13"), ("sealed", "A13"), ("sending", "A13"), ("asked", "A15"),
    ("settled", "A15"), ("receipt-came", "A16"), ("receipt-kept", "A16"), ("composing", "A17"),
    ("numbered", "A17"), ("composed", "A17"), ("splitting", "A18"), ("payload-named", "B21"),
];

/// What is done to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The power fails.
    Cut,
    /// Killed at any moment.
    Random,
    /// Killed at a point, on its passage of that number.
    Point(usize, usize),
    /// Killed where a planted bug has taken a transaction apart.
    Apart,
    /// Killed so many times while it starts.
    Start(usize),
    /// Killed with a piece of a request on the wire.
    Piece(Piece),
    /// Killed when its message is with the partner, who has not answered.
    Unanswered,
    /// Killed at any moment, with a checkpoint at every commit.
    Checkpoint,
}

impl Fault {
    /// So many faults, in no order: each kind before one comes again.
    fn drawn(chance: &mut Chance, many: usize) -> Vec<Fault> {
        let mut drawn = Vec::new();
        while drawn.len() < many {
            let points = (0..POINTS.len()).map(|at| Fault::Point(at, 1 + chance.below(12)));
            let mut kinds: Vec<Fault> = points.collect();
            kinds.extend([
                Fault::Piece(Piece::Head),
                Fault::Piece(Piece::Body),
                Fault::Piece(Piece::Answer),
                Fault::Unanswered,
                Fault::Checkpoint,
                Fault::Start(1 + chance.below(5)),
            ]);
            kinds.extend([Fault::Random; 12]);
            chance.shuffle(&mut kinds);
            drawn.extend(kinds);
        }
        drawn.truncate(many);
        drawn
    }

    pub(super) fn row(self) -> &'static str {
        match self {
            Fault::Cut => "B1",
            Fault::Random => "A25",
            Fault::Point(at, _) => POINTS[at].1,
            Fault::Apart => "A6",
            Fault::Start(_) => "A24",
            Fault::Piece(Piece::Head) => "A1",
            Fault::Piece(Piece::Body) => "A2",
            Fault::Piece(Piece::Answer) => "A7",
            Fault::Unanswered => "A14",
            Fault::Checkpoint => "A20",
        }
    }

    fn env(self) -> Vec<(&'static str, String)> {
        match self {
            Fault::Point(at, passage) => {
                // What is done for few messages is passed rarely.
                let (point, row) = POINTS[at];
                let often = row.len() == 2;
                let passage = if often { passage } else { 1 + passage / 8 };
                vec![("TRANSLOAD_KILL", format!("{point}:{passage}"))]
            }
            Fault::Apart => vec![("TRANSLOAD_KILL", "apart".into())],
            Fault::Checkpoint => vec![("TRANSLOAD_CHECKPOINT", "1".into())],
            _ => Vec::new(),
        }
    }
}

/// What a slice is to do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) messages: usize,
    pub(super) kills: usize,
    pub(super) cuts: usize,
    /// A bug that is switched on.
    pub(super) planted: Option<&'static str>,
    /// Only this fault.
    pub(super) only: Option<Fault>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) acknowledged: u64,
    pub(super) attempts: u64,
    pub(super) repeated: u64,
    pub(super) refused: u64,
    /// How often each row's fault was done.
    pub(super) faults: BTreeMap<String, u64>,
    /// From a start to the first answer.
    pub(super) starts: Vec<Duration>,
    pub(super) violations: Vec<String>,
}

impl Outcome {
    pub(super) fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    pub(super) fn cuts(&self) -> u64 {
        self.faults.get("B1").copied().unwrap_or(0)
    }

    fn count(&mut self, fault: Fault) {
        *self.faults.entry(fault.row().to_owned()).or_default() += 1;
    }
}

/// Runs a slice.
///
/// # Errors
/// Where power cuts are asked for and the system mounts nothing for us.
pub(super) fn run(plan: &Plan) -> Result<Outcome, String> {
    let mut image = match plan.cuts {
        0 => None,
        _ => Some(Image::new()?),
    };
    let partner = Partner::new();
    let data = image.as_ref().map(Image::mounted);
    let mut house = House::new(&partner.url, data.as_deref());
    house.env.extend(
        plan.planted
            .map(|bug| ("TRANSLOAD_PLANTED".into(), bug.into())),
    );
    let ledger = std::fs::File::create(house.folder.path().join("ledger")).unwrap();
    let run = Run::new((plan.seed, plan.messages), house.port, &partner.url, ledger);
    let mut chance = Chance(plan.seed);
    let mut outcome = Outcome::default();
    scope(|threads| {
        for _ in 0..SENDERS {
            let (run, own) = (&run, Chance(chance.next()));
            threads.spawn(move || run.send_all(own));
        }
        let mut injector = Injector {
            plan,
            house: &house,
            run: &run,
            partner: &partner,
            image: &mut image,
            chance,
            outcome: &mut outcome,
        };
        let last = injector.all();
        finish(&house, &run, &partner, last, &mut outcome);
        run.stop.store(true, Ordering::Relaxed);
    });
    outcome.acknowledged = run.progress() as u64;
    outcome.attempts = run.attempts.load(Ordering::Relaxed);
    outcome.repeated = run.repeated.load(Ordering::Relaxed);
    outcome.refused = run.refused.load(Ordering::Relaxed);
    let wrong = std::mem::take(&mut *run.wrong.lock().unwrap());
    outcome.violations.splice(0..0, wrong);
    let found = reconcile(&house, &partner, plan);
    outcome.violations.extend(found);
    if !outcome.violations.is_empty() {
        let first: Vec<&String> = outcome.violations.iter().take(5).collect();
        say!(
            "seed {}: {first:#?}\n{:?}\n{}",
            plan.seed,
            outcome.faults,
            house.said()
        );
    }
    Ok(outcome)
}

/// Lets the gateway end what it has begun, and ends it.
fn finish(house: &House, run: &Run, partner: &Partner, process: Process, outcome: &mut Outcome) {
    let later = run.messages.div_ceil(8);
    // As long as something moves it is waited for.
    let (mut moved, mut last) = (Instant::now(), (0, 0, 0));
    while moved.elapsed() < PATIENCE && !run.stop.load(Ordering::Relaxed) {
        let receipts = partner.seen.lock().unwrap().receipts.len();
        let left = house.count("SELECT count(*) FROM work");
        if run.done() && receipts >= later && left == 0 {
            break;
        }
        let now = (run.progress(), receipts, left);
        if now != last {
            (moved, last) = (Instant::now(), now);
        }
        sleep(Duration::from_millis(10));
    }
    let code = process.terminate();
    if code != Some(0) {
        let what = format!("told to end, it ended with {code:?}");
        outcome.violations.push(what);
    }
}

struct Injector<'a> {
    plan: &'a Plan,
    house: &'a House,
    run: &'a Run,
    partner: &'a Partner,
    image: &'a mut Option<Image>,
    chance: Chance,
    outcome: &'a mut Outcome,
}

impl Injector<'_> {
    /// Does all faults, and gives a process that nothing is done to.
    fn all(&mut self) -> Process {
        let Plan {
            messages,
            kills,
            cuts,
            ..
        } = *self.plan;
        let all = kills + cuts;
        // The last faults meet what is left to do after the last answer.
        let gap = (messages * 9 / 10) / all.max(1);
        let mut faults = match self.plan.only {
            Some(only) => vec![only; kills],
            None => Fault::drawn(&mut self.chance, kills),
        };
        faults.extend(vec![Fault::Cut; cuts]);
        self.chance.shuffle(&mut faults);
        for fault in faults {
            if self.run.stop.load(Ordering::Relaxed) {
                break;
            }
            self.one(fault, gap);
        }
        let mut last = self.house.start(&[]);
        self.started(&mut last);
        last
    }

    fn started(&mut self, process: &mut Process) {
        // It may have passed its point before it was ready.
        self.outcome.starts.extend(process.ready());
    }

    /// Starts the gateway, waits for the moment, and does it.
    fn one(&mut self, fault: Fault, gap: usize) {
        if let Fault::Start(times) = fault {
            for _ in 0..times {
                let mut process = self.house.start(&[]);
                sleep(Duration::from_micros(self.chance.below(40_000) as u64));
                process.kill();
            }
            self.outcome.count(fault);
            return;
        }
        let mut process = self.house.start(&fault.env());
        self.started(&mut process);
        let goal = self.run.progress() + 1 + self.chance.wait(gap as f64);
        let begun = Instant::now();
        let mut reached = false;
        while begun.elapsed() < MOMENT && !self.run.stop.load(Ordering::Relaxed) {
            if process.ended().is_some() {
                break;
            }
            let moment = self.run.progress() >= goal || self.run.done();
            reached = match fault {
                // It ends by itself, or is never passed.
                Fault::Point(..) | Fault::Apart => {
                    self.run.done() && begun.elapsed() > Duration::from_secs(1)
                }
                Fault::Piece(piece) => moment && self.on_the_wire(piece),
                Fault::Unanswered => moment && self.held(),
                _ => moment,
            };
            if reached {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        if let Some(status) = process.ended() {
            match (fault, status.signal()) {
                (Fault::Point(..) | Fault::Apart, Some(_)) => {
                    // A name that was given before the power failed, and not synced.
                    if let (Some(image), "B21") = (self.image.as_mut(), fault.row()) {
                        image.freeze();
                        image.replace();
                    }
                    self.outcome.count(fault);
                }
                _ => {
                    let what = format!("it ended by itself: {status} under {fault:?}");
                    self.outcome.violations.push(what);
                }
            }
            return;
        }
        if self.run.done() {
            // There is still work behind the answers.
            sleep(Duration::from_micros(self.chance.below(20_000) as u64));
        }
        match (fault, self.image.as_mut()) {
            (Fault::Cut, Some(image)) => {
                process.signal("-STOP");
                image.freeze();
                process.kill();
                image.replace();
            }
            _ => drop(process.kill()),
        }
        *self.run.wanted.lock().unwrap() = None;
        *self.run.granted.lock().unwrap() = None;
        self.partner.release();
        let done = match fault {
            Fault::Point(..) => Fault::Random,
            _ if reached => fault,
            Fault::Cut | Fault::Checkpoint => fault,
            _ => Fault::Random,
        };
        self.outcome.count(done);
    }

    /// Asks for a piece on the wire, and says whether it is there.
    fn on_the_wire(&self, piece: Piece) -> bool {
        if self.run.granted.lock().unwrap().is_some() {
            return true;
        }
        let mut wanted = self.run.wanted.lock().unwrap();
        wanted.get_or_insert(piece);
        false
    }

    /// Asks the partner to hold its next answer, and says whether it does.
    fn held(&self) -> bool {
        self.partner.hold()
    }
}
