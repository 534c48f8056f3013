//! The house that is played in: our gateway with its store and folders, the buyer's two doors, and a
//! clock that all of them read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::super::Failure;
use crate::as2::{self, Certificate, Identity};
use crate::bridge::spapi::poll::{Marks, Next, Plan};
use crate::clock::{Clock, Moved};
use crate::gateway::{Gateway, Limits, Settings};
use crate::mapping::Library;
use crate::net::client::Trust;
use crate::net::loopback::{Here, Loopback};
use crate::partner::{self, Partner, Partners};
use crate::sim::listen::Simulator;
use crate::sim::{Scenario, What, World, edi};
use crate::store::{DocumentState, Filter, Queue, Sqlite};
use crate::web::{self, Listeners, Running};
use crate::x12::Qualified;

/// How long nothing may move before the play is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a look is waited for that a step did not ask for.
const LOOK: Duration = Duration::from_millis(100);
/// How long a lease is: the clock stands while steps are taken, and what is leased is the first of
/// the queue.
const LEASE: Duration = Duration::from_secs(1);
/// Rows of the queue that are looked at: more than are leased at once, or due within a lease.
const FIRST: usize = 100;

const BUYER_FILE: &str = include_str!("../../../samples/demo/buyer.toml");
const ERP_FILE: &str = include_str!("../../../samples/demo/erp.toml");
const ERP_CHANGE: &str = include_str!("../../../samples/demo/erp-860.toml");

/// Everything that runs.
pub(crate) struct House {
    pub(super) folder: PathBuf,
    pub(super) clock: Arc<Moved>,
    pub(super) world: Arc<Mutex<World>>,
    pub(super) edi: Arc<edi::Edi>,
    pub(super) api: String,
    /// What is behind it.
    pub(super) simulator: Arc<Simulator>,
    pub(super) running: Running,
    /// How orders are asked for at the API.
    polled: Plan,
    /// When the buyer has a new certificate, where its own ends.
    pub(super) renewal: Option<DateTime<Utc>>,
    stop: watch::Sender<bool>,
    doors: Vec<JoinHandle<()>>,
}

/// Keys of this process: all of its plays begin at one hour, and a key takes longer than an order.
static BUYERS: OnceLock<Identity> = OnceLock::new();
static VENDORS: OnceLock<Identity> = OnceLock::new();

fn made(name: &str, start: DateTime<Utc>, end: Option<DateTime<Utc>>) -> Result<Identity, Failure> {
    edi::identity(name, start, end).map_err(Failure::state)
}

fn kept(at: &OnceLock<Identity>, name: &str, start: DateTime<Utc>) -> Result<Identity, Failure> {
    match at.get() {
        Some(identity) => Ok(identity.clone()),
        None => {
            let fresh = made(name, start, None)?;
            Ok(at.get_or_init(|| fresh).clone())
        }
    }
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |why| Failure::state(format!("{path}: {why}"))
}

impl House {
    /// Builds it in an empty folder, and starts it. `at_once` is how many steps the gateway takes at
    /// a time: with one, all that happens has one order.
    pub(super) async fn build(
        folder: &Path,
        scenario: Scenario,
        (orders, seed, start): (usize, u64, DateTime<Utc>),
        (at_once, record): (usize, Option<PathBuf>),
        agreed: &Agreed,
    ) -> Result<House, Failure> {
        let clock = Arc::new(Moved::to(start));
        let both: Arc<dyn Clock> = Arc::<Moved>::clone(&clock);
        let world = World::new(scenario.clone(), seed, start, orders);
        let world = Arc::new(Mutex::new(world));
        let (listeners, url) = listeners().await?;
        let at_edi = Loopback::bind(0).await.map_err(Failure::network)?;
        let edi_url = at_edi.url().map_err(Failure::network)? + edi::PATH;
        folders(folder)?;
        let (end, renewal) = ends(&scenario, start).unzip();
        let buyers = match end {
            Some(_) => made("Simulated buyer", start, end)?,
            None => kept(&BUYERS, "Simulated buyer", start)?,
        };
        let vendors = kept(&VENDORS, "Simulated vendor", start)?;
        keep(&folder.join("partners/buyer.pem"), &buyers.certificate)?;
        let library = agreed.library.clone();
        let edi = edi::Edi::new(
            settings(url, agreed, record),
            Arc::clone(&world),
            Arc::clone(&both),
            buyers,
            vendors.certificate.clone(),
            Arc::new(library.clone()),
        );
        let (stop, stopped) = watch::channel(false);
        let ended = |mut stopped: watch::Receiver<bool>| async move {
            // The sender lives as long as the house.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let mut doors = vec![tokio::spawn(
            Arc::clone(&edi).listen(at_edi, ended(stopped.clone())),
        )];
        write(
            &folder.join("partners/buyer.toml"),
            &buyer(agreed, &edi_url),
        )?;
        let api = super::api::open(folder, (&world, seed), &both, ended(stopped)).await?;
        doors.push(api.task);
        let since = start - TimeDelta::hours(1);
        write(
            &folder.join("partners/erp.toml"),
            &erp(folder, &api.url, since, scenario.direct),
        )?;
        let polled = Plan {
            direct: scenario.direct,
            ..Plan::since(since)
        };
        let gateway = gateway(folder, both, vendors, library, at_once)?;
        let running = web::run(gateway, listeners, folder.join("spool")).map_err(Failure::state)?;
        Ok(House {
            folder: folder.to_path_buf(),
            clock,
            world,
            edi,
            api: api.url,
            simulator: api.simulator,
            running,
            polled,
            renewal,
            stop,
            doors,
        })
    }

    /// The buyer's state. A panic elsewhere spoils nothing of it.
    pub(super) fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    /// Waits until the gateway has nothing left to do at this hour.
    pub(super) async fn quiet(&self) -> Result<(), Failure> {
        let began = Instant::now();
        self.gateway().poke();
        self.rest().await?;
        // One thing after the other: a look at folders and accounts, then what came of it.
        while self.has_to_look().await? {
            if began.elapsed() > PATIENCE {
                return Err(self.restless().await);
            }
            self.gateway().look().await;
            self.rest().await?;
        }
        Ok(())
    }

    /// Waits until the queue has nothing that is due.
    async fn rest(&self) -> Result<(), Failure> {
        let mut moved = self.gateway().moved();
        let (mut since, mut seen) = (Instant::now(), *moved.borrow());
        loop {
            moved.borrow_and_update();
            if !self.busy().await? {
                return Ok(());
            }
            let _ = timeout(LOOK, moved.changed()).await;
            let count = *moved.borrow();
            if count != seen {
                (since, seen) = (Instant::now(), count);
            }
            if since.elapsed() > PATIENCE {
                return Err(self.restless().await);
            }
        }
    }

    /// Whether something is due, or under way.
    async fn busy(&self) -> Result<bool, Failure> {
        let now = self.clock.now();
        for rows in [1, FIRST] {
            let queue = self.queue(rows).await?;
            if queue.waiting.iter().any(|row| row.leased || row.due <= now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn restless(&self) -> Failure {
        let trouble = self.trouble().await;
        Failure::state(format!("the gateway does not come to rest{trouble}"))
    }

    async fn has_to_look(&self) -> Result<bool, Failure> {
        let inboxes = ["bridge/buyer/in", "files/in"].map(|inbox| self.folder.join(inbox));
        let mut inboxes = inboxes.iter();
        let full = inboxes.any(|inbox| busy(inbox) || busy(&inbox.join("claimed")));
        Ok(full || self.next_poll().await? <= self.clock.now())
    }

    async fn queue(&self, rows: usize) -> Result<Queue, Failure> {
        let queue = self.gateway().store().queue(rows).await;
        queue.map_err(Failure::state)
    }

    /// When the gateway asks the API for orders next; now, where it is about to.
    pub(super) async fn next_poll(&self) -> Result<DateTime<Utc>, Failure> {
        let now = self.clock.now();
        let kept = self.gateway().store().kept("poll ".to_owned()).await;
        let kept = kept.map_err(Failure::state)?;
        let Some((_, text)) = kept.first() else {
            return Ok(now);
        };
        let marks: Marks = serde_json::from_str(text).map_err(Failure::state)?;
        Ok(match marks.next(&self.polled, now) {
            Next::Wait(until) => until,
            Next::Ask(_) => now,
        })
    }

    /// When the gateway has something to do next by itself.
    pub(super) async fn next_work(&self) -> Result<Option<DateTime<Utc>>, Failure> {
        let queue = self.queue(1).await?;
        Ok(queue.waiting.first().map(|row| row.due))
    }

    /// What the documents that did not get on say of themselves.
    pub(super) async fn trouble(&self) -> String {
        let store = self.gateway().store();
        let mut said = String::new();
        for state in [
            DocumentState::Held,
            DocumentState::Rejected,
            DocumentState::Failed,
        ] {
            let filter = Filter {
                state: Some(state),
                limit: 20,
                ..Filter::default()
            };
            for row in store.documents(filter).await.unwrap_or_default() {
                let findings = match store.document(row.id).await {
                    Ok(Some(detail)) => detail.findings,
                    _ => String::new(),
                };
                let line = format!(
                    "\n  {} {} is {}: {} {findings}",
                    row.set, row.number, row.state, row.note
                );
                said.push_str(&line);
            }
        }
        let queue = store.queue(5).await.unwrap_or_default();
        for row in queue.waiting {
            let why = row.error.unwrap_or_default();
            said.push_str(&format!(
                "\n  {} of {} waits until {}: {why}",
                row.kind, row.partner, row.due
            ));
        }
        said
    }

    /// Why the gateway refused papers of the vendor's.
    pub(super) fn refused(&self) -> Vec<String> {
        let folders = ["bridge/buyer/in/bad", "files/in/bad"].map(|bad| self.folder.join(bad));
        let entries = folders
            .iter()
            .flat_map(std::fs::read_dir)
            .flatten()
            .flatten();
        let told = entries.map(|entry| entry.path());
        let told = told.filter(|path| path.to_string_lossy().ends_with(".error.txt"));
        let mut said: Vec<String> = told
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .map(|why| format!("the gateway refused a paper: {}", why.trim()))
            .collect();
        said.sort();
        said
    }

    /// Moves the clock to a time that is to come.
    pub(super) fn forward(&self, to: DateTime<Utc>) {
        let step = to - self.clock.now();
        if step > TimeDelta::zero() {
            self.clock.forward(step);
            self.gateway().poke();
        }
    }

    /// Takes another certificate of the buyer, as an operator would who was sent one.
    pub(super) fn exchange(&self, certificate: &Certificate) -> Result<(), Failure> {
        keep(&self.folder.join("partners/buyer.pem"), certificate)?;
        let partners = load(&self.folder.join("partners"))?;
        let library = self.gateway().library().as_ref().clone();
        self.gateway()
            .agree(library, &partners)
            .map_err(Failure::state)
    }

    /// Where one can look around, by name.
    pub(crate) fn places(&self, folder: &Path) -> serde_json::Value {
        serde_json::json!({
            "folder": folder,
            "gateway": format!("http://{}/as2", self.running.as2),
            "admin": format!("http://{}", self.running.admin),
            "api": self.api,
            "partners": folder.join("partners"),
            "record": folder.join("record"),
            "store": folder.join("data"),
        })
    }

    /// Ends everything.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        self.running.stop().await.map_err(Failure::state)?;
        for door in self.doors {
            door.await.map_err(Failure::state)?;
        }
        Ok(())
    }
}

/// The hour in which the buyer's certificate ends, and the one in which there is a new one.
fn ends(scenario: &Scenario, start: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let mut all = scenario.happens.iter();
    let one = all.find(|one| one.what == What::ExpiredCertificate)?;
    let end = start + one.delay();
    Some((end, end + TimeDelta::hours(one.lasts)))
}

/// The folders that are to be there.
fn folders(root: &Path) -> Result<(), Failure> {
    for part in ["partners", "files/in", "files/out", "record"] {
        let path = root.join(part);
        std::fs::create_dir_all(&path).map_err(told(&path))?;
    }
    Ok(())
}

/// The partner file of the buyer, by what is agreed.
fn buyer(agreed: &Agreed, url: &str) -> String {
    let file = format!("{}{}", head(), agreed.documents).replace("{url}", url);
    file.replace("{certificate}", "buyer.pem")
}

/// The partner file of the vendor's own system, whose other side is the API.
fn erp(folder: &Path, url: &str, since: DateTime<Utc>, direct: bool) -> String {
    let file = ERP_FILE.replace("{url}", url);
    let file = match direct {
        true => file.replace("[spapi]", "[spapi]\ndirect = true"),
        false => file,
    };
    let file = file.replace("{folder}", &folder.display().to_string());
    file.replace("{since}", &since.to_rfc3339())
}

/// Who is who at the EDI door.
fn settings(url: Here, agreed: &Agreed, record: Option<PathBuf>) -> edi::Settings {
    edi::Settings {
        our_id: "SIMBUYER".to_owned(),
        their_id: "SIMVENDOR".to_owned(),
        url,
        ours: Qualified::new("ZZ", "SIMBUYER"),
        theirs: Qualified::new("ZZ", "SIMVENDOR"),
        guides: agreed.guides.clone(),
        record,
    }
}

/// Our gateway, with a store on disk and the partner files that are in the folder.
fn gateway(
    folder: &Path,
    clock: Arc<dyn Clock>,
    identity: Identity,
    library: Library,
    at_once: usize,
) -> Result<Arc<Gateway>, Failure> {
    let partners = load(&folder.join("partners"))?;
    let store = Sqlite::open(&folder.join("data")).map_err(Failure::state)?;
    let change = ("partners/erp/860.toml".to_owned(), ERP_CHANGE.to_owned());
    let settings = Settings {
        identities: vec![identity],
        clock,
        library: library.with([change]),
        // Both ends are on this machine: no authority is asked.
        trust: Trust::Only(Vec::new()),
        limits: Limits {
            poll: Duration::ZERO,
            jitter: false,
            steps: at_once,
            sends: at_once,
            lease: LEASE,
            ..Limits::default()
        },
        ..Settings::new(Arc::new(store), partners, &folder.join("bridge"))
    };
    Gateway::new(settings).map_err(Failure::state)
}

/// Whether a folder has files that are not yet safe.
fn busy(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| !name.starts_with('.'))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(told(path))
}

fn keep(path: &Path, certificate: &Certificate) -> Result<(), Failure> {
    let pem = certificate.to_pem().map_err(Failure::state)?;
    std::fs::write(path, pem).map_err(told(path))
}

fn load(folder: &Path) -> Result<Partners, Failure> {
    partner::load(folder).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::state(lines.join("\n"))
    })
}

/// The gateway's own listeners, and where messages go.
async fn listeners() -> Result<(Listeners, Here), Failure> {
    let any = ([127, 0, 0, 1], 0).into();
    let listeners = Listeners::bind(any, any).await.map_err(Failure::network)?;
    let url = listeners.url().map_err(Failure::network)?;
    Ok((listeners, url.parse().map_err(Failure::network)?))
}

/// The buyer's partner file as far as its documents.
fn head() -> &'static str {
    BUYER_FILE.split("[documents]").next().unwrap_or_default()
}

/// What is agreed on with the buyer: the guides, and by which of them each document goes.
pub(crate) struct Agreed {
    /// The guides.
    pub(crate) library: Library,
    /// The overlay folder.
    pub(crate) guides: String,
    /// The documents of the partner file.
    pub(crate) documents: String,
    /// The overlay guides, and those that they are laid over, without the standard's.
    overlays: Vec<String>,
}

impl Agreed {
    /// As the simulator's own partner file says.
    pub(crate) fn usual() -> Agreed {
        let file = BUYER_FILE.replace("{certificate}", "buyer.pem");
        let file = file.replace("{url}", "http://127.0.0.1/");
        let partner = partner::parse(&file, "buyer.toml").expect("a file of ours reads");
        Agreed::of(&partner, Library::embedded())
    }

    /// SHA-256 of the documents and of every overlay that they go by: who changes one of them has
    /// agreed on something else.
    pub(crate) fn digest(&self) -> String {
        let mut all = self.documents.clone();
        for name in &self.overlays {
            let text = self.library.text(&format!("{name}.toml"));
            all.push_str(&format!("\n{name}\n{}", text.unwrap_or_default()));
        }
        as2::hex(&as2::sha256(all.as_bytes()))
    }

    /// As a partner's file says. What it has nothing of goes by the standard.
    pub(crate) fn of(partner: &Partner, library: Library) -> Agreed {
        let mut documents = "[documents]\n".to_owned();
        let mut overlays = Vec::new();
        for (_, set, usual) in edi::SETS {
            let agreed = partner.documents.get(set);
            let version = agreed.map_or(usual, |one| &one.version);
            let guide = agreed.and_then(|one| one.guide.as_ref());
            let mut name = guide.map(|guide| format!("partners/{guide}/{set}"));
            while let Some(one) = name.filter(|one| !one.starts_with("x12/")) {
                // A file that is laid over itself would have no end.
                name = library.base(&one).filter(|base| !overlays.contains(base));
                overlays.push(one);
            }
            let guide = guide.map(|guide| format!(", guide = {guide:?}"));
            let line = format!(
                "{set} = {{ version = {version:?}{} }}\n",
                guide.unwrap_or_default()
            );
            documents.push_str(&line);
        }
        let order = partner.documents.get("850");
        Agreed {
            library,
            guides: order.and_then(|one| one.guide.clone()).unwrap_or_default(),
            documents,
            overlays,
        }
    }
}
