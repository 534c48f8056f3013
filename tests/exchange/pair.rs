//! Two gateways that know each other: a buyer (QUILLFEATHER) and a seller (TINDERBOX).

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tempfile::TempDir;
use tokio::time::timeout;
use transload::as2::{Identity, Keys, Profile};
use transload::clock::{Clock, System};
use transload::gateway::{Gateway, Limits, Settings};
use transload::mapping::{self, Library};
use transload::partner::{self, Partners};
use transload::store::{
    Direction, Document, DocumentState, Filter, Memory, MessageDetail, MessageState, Sqlite, Store,
};
use transload::web::{self, Listeners, Running};
use transload::x12;
use uuid::Uuid;

/// How long something that never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Memory,
    Sqlite,
}

impl Kind {
    pub(super) fn open(self, folder: &Path) -> Arc<dyn Store> {
        match self {
            Kind::Memory => Arc::new(Memory::default()),
            Kind::Sqlite => Arc::new(Sqlite::open(folder).unwrap()),
        }
    }
}

/// Keys of a buyer, a seller, and somebody else; made once.
pub(crate) fn identities() -> &'static [Identity; 3] {
    static MADE: OnceLock<[Identity; 3]> = OnceLock::new();
    MADE.get_or_init(|| {
        let (from, to) = (
            Utc::now() - TimeDelta::days(1),
            Utc::now() + TimeDelta::days(30),
        );
        [("buyer", 1), ("seller", 2), ("stranger", 3)]
            .map(|(name, serial)| Identity::generate(name, serial, from, to).unwrap())
    })
}

/// What the buyer holds to talk to the seller without a gateway.
pub(super) fn buyer_keys() -> Keys {
    let [buyer, seller, _] = identities();
    Keys {
        ours: vec![buyer.clone()],
        theirs: vec![seller.certificate.clone()],
    }
}

/// What the buyer and the seller agreed on, seen from the buyer.
pub(super) fn buyer_profile() -> Profile {
    Profile {
        our_id: "QUILL FEATHER".into(),
        their_id: "TINDERBOX".into(),
        ..Profile::default()
    }
}

/// A file below `samples`.
pub(super) fn sample(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(path);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A sample as the JSON of its first set.
pub(crate) fn canonical(path: &str) -> String {
    let file = x12::read(&sample(path)[..]).unwrap();
    let one = &file.interchanges[0];
    let (group, set) = one.sets().next().unwrap();
    let guide = Library::embedded().guide(None, &group.header.version, &set.id);
    let read = mapping::read(&guide.unwrap().unwrap(), &set.segments, &one.delimiters);
    serde_json::to_string(&read.document.unwrap()).unwrap()
}

/// One gateway that runs.
pub(super) struct Side {
    pub(super) running: Running,
    pub(super) folder: TempDir,
}

pub(super) struct Pair {
    pub(super) buyer: Side,
    pub(super) seller: Side,
}

impl Pair {
    pub(super) async fn start(kind: Kind) -> Pair {
        Pair::agreeing(kind, "").await
    }

    /// Two gateways whose files of each other have these lines too in `[as2]`.
    pub(super) async fn agreeing(kind: Kind, more: &str) -> Pair {
        let [buyer, seller, _] = identities();
        let (at_buyer, at_seller) = (bind().await, bind().await);
        let to_buyer = at_buyer.url().unwrap();
        let to_seller = at_seller.url().unwrap();
        let buyers = side(kind, at_buyer, buyer, Arc::new(System), |folder| {
            vec![agreeing(&buyers_seller(folder, &to_seller), more)]
        });
        let sellers = side(kind, at_seller, seller, Arc::new(System), |folder| {
            let buyer = sellers_buyer(folder, &to_buyer);
            vec![agreeing(&buyer, more), sellers_folder(folder)]
        });
        Pair {
            buyer: buyers,
            seller: sellers,
        }
    }

    pub(super) async fn stop(self) {
        self.buyer.running.stop().await.unwrap();
        self.seller.running.stop().await.unwrap();
    }
}

/// The seller's file of the buyer.
pub(super) fn sellers_buyer(folder: &Path, url: &str) -> String {
    let buyer = relation("quillfeather", ("TINDERBOX", "QUILL FEATHER"), url);
    let ids = envelope("TINDERBOX", "QUILLFEATHER");
    let pem = certificate(folder, "buyer");
    let documents = "[documents.850]\n[documents.855]\n[documents.810]\n";
    format!("{buyer}certificates = [{pem:?}]\n{ids}{documents}")
}

/// The buyer's file of the seller.
pub(super) fn buyers_seller(folder: &Path, url: &str) -> String {
    let seller = relation("tinderbox", ("QUILL FEATHER", "TINDERBOX"), url);
    let ids = envelope("QUILLFEATHER", "TINDERBOX");
    let pem = certificate(folder, "seller");
    let documents = "[documents.850]\n[documents.855]\n[documents.810]\n";
    format!("{seller}certificates = [{pem:?}]\n{ids}{documents}")
}

/// A partner file with more lines in its `[as2]`.
pub(super) fn agreeing(file: &str, more: &str) -> String {
    file.replacen("[as2]\n", &format!("[as2]\n{more}"), 1)
}

/// The seller's file of a partner who gives files.
fn sellers_folder(folder: &Path) -> String {
    let ids = envelope("TINDERBOX", "PAPERLANE");
    let (inbox, outbox) = (folder.join("files/in"), folder.join("files/out"));
    format!(
        "name = \"paperlane\"\n{ids}[folder]\ninbox = {inbox:?}\noutbox = {outbox:?}\n\
         [documents.850]\n"
    )
}

fn relation(name: &str, (ours, theirs): (&str, &str), url: &str) -> String {
    format!("name = \"{name}\"\n[as2]\nour_id = {ours:?}\nid = {theirs:?}\nurl = {url:?}\n")
}

fn envelope(ours: &str, theirs: &str) -> String {
    format!(
        "[x12]\nours = {{ qualifier = \"ZZ\", id = \"{ours}\" }}\n\
         theirs = {{ qualifier = \"ZZ\", id = \"{theirs}\" }}\n"
    )
}

/// Writes a certificate and gives its path.
pub(crate) fn certificate(folder: &Path, name: &str) -> PathBuf {
    let number = ["buyer", "seller", "stranger"]
        .iter()
        .position(|known| *known == name);
    let path = folder.join(format!("{name}.pem"));
    let pem = identities()[number.unwrap()].certificate.to_pem().unwrap();
    std::fs::write(&path, pem).unwrap();
    path
}

pub(super) async fn bind() -> Listeners {
    let any = ([127, 0, 0, 1], 0).into();
    Listeners::bind(any, any).await.unwrap()
}

/// Starts a gateway in a folder of its own.
pub(super) fn side(
    kind: Kind,
    listeners: Listeners,
    identity: &Identity,
    clock: Arc<dyn Clock>,
    partners: impl FnOnce(&Path) -> Vec<String>,
) -> Side {
    side_with(kind, listeners, identity, clock, partners, |_| {})
}

/// The same with other limits.
pub(super) fn side_with(
    kind: Kind,
    listeners: Listeners,
    identity: &Identity,
    clock: Arc<dyn Clock>,
    partners: impl FnOnce(&Path) -> Vec<String>,
    change: impl FnOnce(&mut Limits),
) -> Side {
    let store = |folder: &Path| kind.open(folder);
    side_on(store, listeners, identity, clock, partners, change)
}

/// The same with a store of any kind, in a folder or not.
pub(super) fn side_on(
    store: impl FnOnce(&Path) -> Arc<dyn Store>,
    listeners: Listeners,
    identity: &Identity,
    clock: Arc<dyn Clock>,
    partners: impl FnOnce(&Path) -> Vec<String>,
    change: impl FnOnce(&mut Limits),
) -> Side {
    crate::canary::watch();
    let mut limits = Limits {
        poll: Duration::from_millis(10),
        ..Limits::default()
    };
    change(&mut limits);
    let folder = tempfile::tempdir().unwrap();
    let files = partners(folder.path());
    let parse = |text: &String| partner::parse(text, "partner.toml").unwrap();
    let partners = Partners::new(files.iter().map(parse).collect()).unwrap();
    let store = store(&folder.path().join("data"));
    let settings = Settings {
        identities: vec![identity.clone()],
        clock,
        receipt_url: Some(listeners.url().unwrap()),
        limits,
        ..Settings::new(store, partners, &folder.path().join("bridge"))
    };
    let gateway = Gateway::new(settings).unwrap();
    let running = web::run(gateway, listeners, folder.path().join("spool")).unwrap();
    Side { running, folder }
}

/// Looks after each step of a gateway until there is something.
pub(crate) async fn until<T>(
    gateway: &Gateway,
    what: &str,
    look: impl AsyncFn() -> Option<T>,
) -> T {
    let mut moved = gateway.moved();
    let found = async {
        loop {
            moved.borrow_and_update();
            if let Some(found) = look().await {
                return found;
            }
            moved.changed().await.unwrap();
        }
    };
    match timeout(PATIENCE, found).await {
        Ok(found) => found,
        Err(_) => panic!(
            "waited in vain for {what}; {:#?}",
            gateway.store().counts().await
        ),
    }
}

impl Side {
    pub(super) fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        self.gateway().store()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/as2", self.running.as2)
    }

    /// See [`until`].
    pub(super) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        until(self.gateway(), what, look).await
    }

    /// The documents of a set in a state, once there is one.
    pub(super) async fn documents(&self, state: DocumentState, set: &str) -> Vec<Document> {
        self.until(&format!("a {set} in {state}"), async || {
            let filter = Filter {
                state: Some(state),
                ..Filter::default()
            };
            let mut found = self.store().documents(filter).await.unwrap();
            found.retain(|document| document.set == set);
            (!found.is_empty()).then_some(found)
        })
        .await
    }

    /// All documents of a direction and, where one is given, of a set.
    pub(super) async fn list(&self, direction: Direction, set: &str) -> Vec<Document> {
        let filter = Filter {
            direction: Some(direction),
            ..Filter::default()
        };
        let mut found = self.store().documents(filter).await.unwrap();
        found.retain(|document| set.is_empty() || document.set == set);
        found
    }

    pub(super) async fn message_of(&self, document: &Document) -> MessageDetail {
        self.gateway().carrier(document).await.unwrap().unwrap()
    }

    /// The message that carries an outgoing document, once it is in a state.
    pub(super) async fn outgoing(&self, document: Uuid, state: MessageState) -> MessageDetail {
        self.until(&format!("a message in {state}"), async || {
            let detail = self.store().document(document).await.unwrap()?;
            let message = self.gateway().carrier(&detail.document).await.unwrap()?;
            (message.message.state == state).then_some(message)
        })
        .await
    }

    /// A sample as the JSON of its first set.
    pub(super) fn canonical(&self, path: &str) -> String {
        canonical(path)
    }

    fn bridge(&self, partner: &str) -> PathBuf {
        self.folder.path().join("bridge").join(partner)
    }

    pub(super) fn bridge_out(&self, partner: &str) -> Vec<Vec<u8>> {
        files(&self.bridge(partner).join("out"))
    }

    pub(super) fn bridge_in(&self, partner: &str, name: &str, bytes: &[u8]) {
        put(&self.bridge(partner).join("in"), name, bytes);
    }

    /// Waits until the bridge has taken so many files.
    pub(super) async fn taken(&self, partner: &str, count: usize) {
        let folder = self.bridge(partner).join("in/taken");
        self.seen("files to be taken", || files(&folder).len() == count)
            .await;
    }

    /// Why the bridge did not take a file.
    pub(super) async fn refused(&self, partner: &str, name: &str) -> String {
        let path = self
            .bridge(partner)
            .join("in/bad")
            .join(format!("{name}.error.txt"));
        self.seen("a file to be refused", || path.exists()).await;
        std::fs::read_to_string(path).unwrap()
    }

    pub(super) fn put_file(&self, name: &str, bytes: &[u8]) {
        put(&self.folder.path().join("files/in"), name, bytes);
    }

    pub(super) async fn file_taken(&self, name: &str) {
        let path = self.folder.path().join("files/in/taken").join(name);
        self.seen("a file to be taken", || path.exists()).await;
    }

    pub(super) fn files_out(&self) -> Vec<Vec<u8>> {
        files(&self.folder.path().join("files/out"))
    }

    /// Lets the gateway go on until a folder looks as it should.
    async fn seen(&self, what: &str, look: impl Fn() -> bool) {
        let found = async {
            while !look() {
                tokio::task::yield_now().await;
            }
        };
        assert!(
            timeout(PATIENCE, found).await.is_ok(),
            "waited in vain for {what}"
        );
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let hidden = folder.join(format!(".{name}.tmp"));
    std::fs::write(&hidden, bytes).unwrap();
    std::fs::rename(hidden, folder.join(name)).unwrap();
}

/// The plain files of a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries
        .filter(|path| {
            path.is_file() && !path.file_name().unwrap().to_string_lossy().starts_with('.')
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}
