//! A gateway whose bridge is the API, a server that is one, and a clock that tests move.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use tracing::subscriber::DefaultGuard;
use transload::bridge::spapi::{ClientSecret, Credential, Environment, Secret};
use transload::clock::{Clock, Moved};
use transload::gateway::{Gateway, Limits, Settings, Walking};
use transload::mapping::Library;
use transload::partner::{self, Partners};
use transload::store::{Document, DocumentState, Filter, Memory, Sqlite, Store};

use super::server::{Order, Server};

/// How long something that never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long a step may take before the clock moves on without it.
const STEP: Duration = Duration::from_millis(500);

/// All log lines of a test, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        crate::canary::keep("api.log", bytes);
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) clock: Arc<Moved>,
    pub(crate) gateway: Arc<Gateway>,
    store: Arc<dyn Store>,
    walking: Option<Walking>,
    edit: fn(String) -> String,
    log: Log,
    _guard: DefaultGuard,
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_000_000, 0).unwrap()
}

impl World {
    pub(crate) async fn start(durable: bool) -> World {
        World::edited(durable, |file| file).await
    }

    /// The same, with another partner file.
    pub(crate) async fn edited(durable: bool, edit: fn(String) -> String) -> World {
        crate::canary::watch();
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Moved::to(start()));
        let server = Server::start(Arc::clone(&clock)).await;
        credential(folder.path(), &[(super::SECRET, None)]);
        let store: Arc<dyn Store> = match durable {
            true => Arc::new(Sqlite::open(&folder.path().join("data")).unwrap()),
            false => Arc::new(Memory::default()),
        };
        let text = edit(file(folder.path(), &server.url));
        let gateway = gateway(folder.path(), &store, &clock, &text);
        let walking = Some(gateway.start());
        World {
            folder,
            server,
            clock,
            gateway,
            store,
            walking,
            edit,
            log,
            _guard: guard,
        }
    }

    /// Stops the gateway and starts another one on the same store.
    pub(crate) async fn restart(&mut self) {
        self.walking.take().unwrap().stop().await;
        let text = (self.edit)(file(self.folder.path(), &self.server.url));
        self.gateway = gateway(self.folder.path(), &self.store, &self.clock, &text);
        self.walking = Some(self.gateway.start());
    }

    /// Moves the clock on, a step at a time, until something is so.
    pub(crate) async fn until(
        &self,
        step: TimeDelta,
        what: &str,
        mut so: impl AsyncFnMut() -> bool,
    ) {
        let began = Instant::now();
        let mut moved = self.gateway.moved();
        while !so().await {
            if began.elapsed() > PATIENCE {
                panic!("it never came that {what}: {}", self.rows().await);
            }
            self.gateway.poke();
            moved.borrow_and_update();
            let _ = timeout(Duration::from_millis(4), moved.changed()).await;
            self.rest().await;
            self.clock.forward(step);
        }
    }

    /// Waits until no step is under way: a clock that moves meanwhile takes its lease from it, and on a
    /// busy machine does so again and again. One that waits for the clock itself is not waited for.
    async fn rest(&self) {
        let began = Instant::now();
        while began.elapsed() < STEP {
            let queue = self.store.queue(usize::MAX).await.unwrap();
            if !queue.waiting.iter().any(|row| row.leased) {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Moves the clock on for so long, a step at a time.
    pub(crate) async fn pass(&self, step: TimeDelta, long: TimeDelta) {
        let end = self.clock.now() + long;
        let so = async || self.clock.now() >= end;
        self.until(step, "time passes", so).await;
    }

    /// Every document, for a person who reads why a test failed.
    async fn rows(&self) -> String {
        let mut told = String::new();
        for row in self.store.documents(Filter::default()).await.unwrap() {
            let detail = self.store.document(row.id).await.unwrap().unwrap();
            let line = (row.set, row.number, row.state, row.note, detail.findings);
            told.push_str(&format!("{line:?}\n"));
        }
        told
    }

    /// The numbers of the documents of a set that went out, with how often each did.
    pub(crate) fn sent(&self, set: &str) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        let folder = self.folder.path().join("files/out");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.starts_with(set) || !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let place = match set {
                "850" => ("BEG*", 3),
                "860" => ("BCH*", 3),
                _ => ("ST*", 1),
            };
            let segment = text
                .split('~')
                .find(|s| s.trim().starts_with(place.0))
                .unwrap();
            let number = segment.split('*').nth(place.1).unwrap().to_owned();
            *found.entry(number).or_default() += 1;
        }
        found
    }

    /// Puts an acknowledgment of an order where the partner puts its files.
    pub(crate) fn answer(&self, n: u32, number: &str, quantity: u32) {
        let text = acknowledgment(n, number, quantity);
        self.put(&format!("answer-{n}.x12"), &text);
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let inbox = self.folder.path().join("files/in");
        let part = inbox.join(format!("{name}.part"));
        fs::write(&part, text).unwrap();
        fs::rename(part, inbox.join(name)).unwrap();
    }

    /// The documents of a set that came from the partner.
    pub(crate) async fn documents(&self, set: &str) -> Vec<Document> {
        let all = self.store.documents(Filter {
            limit: usize::MAX,
            ..Filter::default()
        });
        let mut found = all.await.unwrap();
        found.retain(|row| row.set == set);
        found
    }

    /// The states of the documents of a set.
    pub(crate) async fn states(&self, set: &str) -> Vec<DocumentState> {
        self.documents(set)
            .await
            .iter()
            .map(|row| row.state)
            .collect()
    }

    /// All that was logged.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.log.0.lock().unwrap()).into_owned()
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Ends a test of another process.
    pub(crate) async fn stop(mut self) {
        self.walking.take().unwrap().stop().await;
    }

    /// Ends a test: the rate was kept, every request was as it should be, and nothing that is secret
    /// or in a document was logged.
    pub(crate) async fn end(mut self) {
        self.walking.take().unwrap().stop().await;
        self.server.never_too_fast();
        let refused = self.server.set(|state| state.refused.clone());
        assert!(refused.is_empty(), "{refused:?}");
        let said = self.said();
        assert!(said.contains("transload"), "nothing was logged");
        let numbers = said.contains(super::NUMBER);
        for canary in [
            super::SECRET,
            "canary-refresh",
            "canary-token",
            super::CONTENT,
        ] {
            let line = said.lines().find(|line| line.contains(canary));
            assert!(line.is_none(), "{canary} was logged: {line:?}");
        }
        assert!(!numbers, "an order's number was logged");
        for (_, value) in self.store.kept(String::new()).await.unwrap() {
            assert!(
                !value.contains("canary"),
                "a secret is in the store: {value}"
            );
        }
    }
}

/// An acknowledgment of an order, whole.
pub(crate) fn acknowledgment(n: u32, number: &str, quantity: u32) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*ERP            *ZZ*BRIDGE         *261129*1200*U*00401\
         *{n:09}*0*T*>~GS*PR*ERP*BRIDGE*20261129*1200*{n}*X*004010~ST*855*0001~\
         BAK*00*AD*{number}*20261129~PO1*1*{quantity}*EA*9.95*PE*VN*{}~\
         ACK*IA*{quantity}*EA~CTT*1~SE*6*0001~GE*1*{n}~IEA*1*{n:09}~",
        super::CONTENT
    )
}

/// Orders, one a quarter of an hour, from a time on.
pub(crate) fn orders(from: DateTime<Utc>, count: usize) -> Vec<Order> {
    let order = |n: usize| Order {
        number: format!("{}{n:04}", super::NUMBER),
        created: from + TimeDelta::minutes(15) * i32::try_from(n).unwrap(),
        changed: None,
        quantity: 24,
    };
    (0..count).map(order).collect()
}

/// Writes the credential file, with these secrets.
pub(crate) fn credential(folder: &Path, secrets: &[(&str, Option<NaiveDate>)]) {
    let secret = |(value, issued): &(&str, Option<NaiveDate>)| ClientSecret {
        value: Secret::new(value),
        issued: *issued,
    };
    let credential = Credential {
        environment: Environment::Simulator,
        application: "app-1".into(),
        refresh_token: Secret::new(super::REFRESH),
        secrets: secrets.iter().map(secret).collect(),
    };
    credential.save(&folder.join("us.credential")).unwrap();
}

/// The partner file of a vendor's own system, whose other side is the API.
pub(crate) fn file(folder: &Path, url: &str) -> String {
    let (inbox, outbox) = (folder.join("files/in"), folder.join("files/out"));
    let credential = folder.join("us.credential");
    let since = (start() - TimeDelta::days(2)).to_rfc3339();
    format!(
        "name = \"erp\"\n[x12]\nours = {{ qualifier = \"ZZ\", id = \"BRIDGE\" }}\n\
         theirs = {{ qualifier = \"ZZ\", id = \"ERP\" }}\n\
         [folder]\ninbox = {inbox:?}\noutbox = {outbox:?}\n\
         [spapi]\nenvironment = \"simulator\"\nsite = \"us\"\nurl = \"{url}\"\n\
         credential = {credential:?}\nvendor_codes = [\"TNDBX\"]\nsince = \"{since}\"\n\
         [documents.850]\nbridge = \"spapi\"\nguide = \"amazon\"\n[documents.855]\nbridge = \"spapi\"\n\
         [documents.856]\nbridge = \"spapi\"\n[documents.810]\nbridge = \"spapi\"\n\
         [documents.860]\nbridge = \"spapi\"\nguide = \"amazon\"\n[documents.824]\nbridge = \"spapi\"\n"
    )
}

fn gateway(folder: &Path, store: &Arc<dyn Store>, clock: &Arc<Moved>, text: &str) -> Arc<Gateway> {
    let partner = partner::parse(text, "erp.toml").unwrap();
    let partners = Partners::new(vec![partner]).unwrap();
    let clock: Arc<dyn Clock> = Arc::<Moved>::clone(clock);
    Gateway::new(Settings {
        clock,
        library: Library::embedded(),
        limits: Limits {
            poll: Duration::from_millis(3),
            // The clock moves while steps are taken: no step is taken for dead because of it.
            lease: Duration::from_secs(90 * 86_400),
            ..Limits::default()
        },
        ..Settings::new(Arc::clone(store), partners, &folder.join("bridge"))
    })
    .unwrap()
}
