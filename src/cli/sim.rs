//! `transload sim`: a simulated buyer on this machine, to be tested against or to be played with.

mod look;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Subcommand;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::demo::{Show, play_out};
use super::play;
use super::{Exit, Failure, Outcome};
use crate::as2::Certificate;
use crate::clock::{Clock, System};
use crate::mapping::Library;
use crate::net::loopback::{Here, Loopback};
use crate::sim::listen::{PORT, Shifted, Simulator, ask};
use crate::sim::{Scenario, World, edi};
use crate::x12::Qualified;

/// How often the EDI door looks whether it has something to say.
const LOOK: Duration = Duration::from_millis(200);
/// Messages that are said at one look.
const AT_ONCE: usize = 64;

/// Run a simulated buyer, and move its clock
#[derive(clap::Args)]
pub(super) struct Sim {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// A buyer with two doors, EDI over AS2 and an API, over one state
    Amazon(Box<Buyer>),
    /// Move the clock of a simulator that listens, or ask what time it is there
    Clock(Move),
    /// Where every order of a simulator that listens stands
    State(look::Look),
    /// The money of a simulator that listens, order by order
    Ledger(look::Look),
    /// List the scenarios that are built in
    Scenarios,
}

/// Play a scenario against our gateway, or listen for any other system
#[derive(clap::Args)]
struct Buyer {
    /// What happens, by its name or by its file
    #[arg(long, value_name = "NAME", default_value = "standard")]
    scenario: String,
    /// How many orders [default: as the scenario says]
    #[arg(long, value_name = "N")]
    orders: Option<usize>,
    /// What everything made up is made of: one seed, the same bytes
    #[arg(long, value_name = "K", default_value_t = 7)]
    seed: u64,
    /// How many documents are under way at once in a play; more than one is not the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    at_once: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write each interchange of the play as a file into this folder, which must be there
    #[arg(long, value_name = "FOLDER", conflicts_with = "listen")]
    record: Option<PathBuf>,
    /// Run alone, for any other system to be tested against, until Ctrl-C
    #[arg(long)]
    listen: bool,
    /// The port of the API and of the control
    #[arg(long, value_name = "PORT", default_value_t = PORT, requires = "listen")]
    port: u16,
    /// The port of the AS2 door
    #[arg(long, value_name = "PORT", default_value_t = PORT + 1, requires = "listen")]
    as2_port: u16,
    /// Where the buyer's certificate and the API's credential are written
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "simulator",
        requires = "listen"
    )]
    folder: PathBuf,
    /// The vendor's AS2 address on this machine; without it there is the API door alone
    #[arg(long, value_name = "URL", requires = "certificate")]
    vendor: Option<Here>,
    /// The vendor's certificate (PEM or DER)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The vendor's AS2 name
    #[arg(long, value_name = "NAME", default_value = "SIMVENDOR")]
    vendor_as2: String,
    /// The vendor's X12 id, by ZZ
    #[arg(long, value_name = "ID", default_value = "SIMVENDOR")]
    vendor_x12: String,
}

#[derive(clap::Args)]
struct Move {
    /// How far, as +30m, +23h, +2d; without it the time is told
    #[arg(value_name = "STEP", allow_hyphen_values = true)]
    step: Option<String>,
    /// The port that the simulator listens on
    #[arg(long, value_name = "PORT", default_value_t = PORT)]
    port: u16,
}

impl Sim {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            What::Amazon(buyer) => buyer.run(out),
            What::Clock(step) => step.run(out),
            What::State(look) => look.run("state", out),
            What::Ledger(look) => look.run("ledger", out),
            What::Scenarios => look::scenarios(out),
        }
    }
}

impl Move {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let runtime = Runtime::new().map_err(Failure::state)?;
        let (method, body) = match &self.step {
            Some(step) => ("POST", step.clone()),
            None => ("GET", String::new()),
        };
        let answer = runtime.block_on(ask(self.port, (method, "clock"), body));
        let (done, said) = answer.map_err(Failure::network)?;
        if !done {
            return Err(Failure::usage(said));
        }
        writeln!(out, "{said}")?;
        Ok(Exit::Clean)
    }
}

/// A scenario by its name, or a file of one.
pub(super) fn scenario(name: &str) -> Result<Scenario, Failure> {
    let Some(stem) = name.strip_suffix(".toml") else {
        return Scenario::named(name).map_err(Failure::usage);
    };
    let text = std::fs::read_to_string(name);
    let text = text.map_err(|why| Failure::usage(format!("{name}: {why}")))?;
    Scenario::read(stem, &text).map_err(Failure::usage)
}

impl Buyer {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let scenario = scenario(&self.scenario)?;
        let orders = self.orders.unwrap_or(scenario.orders);
        if !self.listen {
            let show = Show {
                keep: false,
                json: self.json,
                record: self.record,
            };
            return play_out(
                scenario,
                (orders, self.seed, self.at_once.max(1)),
                &show,
                out,
            );
        }
        super::serve::log("warn");
        let runtime = Runtime::new().map_err(Failure::state)?;
        runtime.block_on(Box::pin(self.listens(scenario, orders, out)))
    }

    async fn listens(self, scenario: Scenario, orders: usize, out: &mut dyn Write) -> Outcome {
        let clock = Arc::new(Shifted::of(Arc::new(System)));
        let now = clock.now();
        let world = World::new(scenario, self.seed, now, orders);
        let world = Arc::new(Mutex::new(world));
        let simulator = Simulator::new(Arc::clone(&world), self.seed, Arc::clone(&clock));
        let simulator = Arc::new(simulator);
        std::fs::create_dir_all(&self.folder).map_err(Failure::state)?;
        let credential = self.folder.join("api.credential");
        simulator
            .credential()
            .save(&credential)
            .map_err(Failure::state)?;
        let at = Loopback::bind(self.port).await.map_err(Failure::network)?;
        let api = at.url().map_err(Failure::network)?;
        let (stop, stopped) = watch::channel(false);
        let ended = |mut stopped: watch::Receiver<bool>| async move {
            // The sender lives until all have ended.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let mut doors = vec![tokio::spawn(simulator.serve(at, ended(stopped.clone())))];
        let mut said = serde_json::json!({
            "api": api, "control": format!("{api}/clock"), "credential": credential,
        });
        if let Some((edi, at)) = self.edi(&world, &clock).await? {
            let url = at.url().map_err(Failure::network)?;
            said["as2"] = format!("{url}{}", edi::PATH).into();
            said["certificate"] = serde_json::json!(self.folder.join("buyer.pem"));
            doors.push(tokio::spawn(
                Arc::clone(&edi).listen(at, ended(stopped.clone())),
            ));
            doors.push(tokio::spawn(says(edi, stopped)));
        }
        match self.json {
            true => writeln!(out, "{said}")?,
            false => {
                for (name, value) in said.as_object().into_iter().flatten() {
                    writeln!(out, "{name:<12} {}", value.as_str().unwrap_or_default())?;
                }
            }
        }
        out.flush()?;
        tokio::signal::ctrl_c().await.map_err(Failure::state)?;
        stop.send_replace(true);
        for door in doors {
            door.await.map_err(Failure::state)?;
        }
        Ok(Exit::Clean)
    }

    /// The EDI door, where there is a vendor for it.
    async fn edi(
        &self,
        world: &Arc<Mutex<World>>,
        clock: &Arc<Shifted>,
    ) -> Result<Option<(Arc<edi::Edi>, Loopback)>, Failure> {
        let (Some(url), Some(path)) = (&self.vendor, &self.certificate) else {
            return Ok(None);
        };
        let unusable = |why: String| Failure::usage(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|why| unusable(why.to_string()))?;
        let vendor = match bytes.starts_with(b"-----BEGIN") {
            true => Certificate::from_pem(&bytes),
            false => Certificate::from_der(&bytes),
        };
        let vendor = vendor.map_err(|why| unusable(why.to_string()))?;
        let identity =
            edi::identity("Simulated buyer", clock.now(), None).map_err(Failure::state)?;
        let pem = identity.certificate.to_pem().map_err(Failure::state)?;
        std::fs::write(self.folder.join("buyer.pem"), pem).map_err(Failure::state)?;
        let settings = edi::Settings {
            our_id: "SIMBUYER".to_owned(),
            their_id: self.vendor_as2.clone(),
            url: url.clone(),
            ours: Qualified::new("ZZ", "SIMBUYER"),
            theirs: Qualified::new("ZZ", &self.vendor_x12),
            guides: play::Agreed::usual().guides,
            record: None,
        };
        let clock: Arc<dyn Clock> = Arc::<Shifted>::clone(clock);
        let library = Arc::new(Library::embedded());
        let world = Arc::clone(world);
        let edi = edi::Edi::new(settings, world, clock, identity, vendor, library);
        let at = Loopback::bind(self.as2_port)
            .await
            .map_err(Failure::network)?;
        Ok(Some((edi, at)))
    }
}

/// Says what is due, again and again, and tells what went wrong.
async fn says(edi: Arc<edi::Edi>, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        edi.pump(AT_ONCE).await;
        for trouble in edi.troubles() {
            tracing::warn!(trouble, "on the wire");
        }
        for judged in edi.judged() {
            for reason in judged.verdict.iter().flat_map(|verdict| verdict.reasons()) {
                let (set, number, why) = (&judged.set, &judged.number, &reason.sentence);
                tracing::warn!(set, number, code = reason.code, why, "refused or remarked");
            }
        }
        // What is not asked for is not kept.
        drop((edi.spoken(), edi.answers()));
        tokio::time::sleep(LOOK).await;
    }
}
