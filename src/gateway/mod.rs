//! The two walks, and the worker that takes their steps.
//!
//! ```text
//! inbound    admit ─ receive (open, MDN, accept) ─► Read ─► Deliver ─► bridge
//!                                            └► Answer ─► the receipt is posted
//! outbound   bridge, partner's 997 ─► Compose ─► Seal ─► Send ─► MDN
//! ```
//!
//! | file | is about |
//! |---|---|
//! | `inbound` | who is let in, what is answered, what is stored with it |
//! | `receipt` | receipts that travel by requests of their own: ours go out, theirs come in |
//! | `read` | X12 bytes → documents, findings, 997s, verdicts; pure |
//! | `related` | the documents of a multipart/related, each read by itself |
//! | `survey` | an interchange looked through before it is used; pure |
//! | `parts` | what was read, as transactions that are not long; pure |
//! | `compose` | a document → an interchange, read back before it leaves; pure |
//! | `acknowledgment` | a 997 as the content of a document |
//! | `outbound` | the steps Compose, Seal and Send, and what an answer means |
//! | `sending` | one file on somebody's word, and what became of it |
//! | `retry` | when a try is repeated, and when a partner is left in peace |
//! | `restart` | a transfer that broke, and goes on |
//! | `trace` | every layer of an exchange as files, where that is asked for |
//! | `transport` | AS2 and folder: how bytes leave, and how files arrive |
//! | `alert` | what somebody has to look at |
//! | `certificates` | which key and certificate at which time, who was seen with which, what soon ends |
//! | `exchange` | certificates that come and go by messages |
//! | `link` | the way to a partner's server, and what its requests have to show |
//! | `route` | a partner with its keys, folders and guides |
//! | `trial` | whether a partner can be reached and understands us |
//! | `api`, `orders`, `submission` | an API as the bridge: asked, polled, submitted to |
//! | `worker` | claims work, takes one step, records |
//!
//! A step is load, pure call, record: a crash between two steps repeats at most one of them.
//!
//! ```
//! use std::sync::Arc;
//! use transload::gateway::{Gateway, Settings};
//! use transload::partner::Partners;
//! use transload::store::Memory;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let folder = tempfile::tempdir()?;
//! let gateway = Gateway::new(Settings::new(Arc::new(Memory::default()), Partners::default(), folder.path()))?;
//! let stranger = [("AS2-From", "X"), ("AS2-To", "Y"), ("Message-ID", "<1@x>")];
//! let stranger = stranger.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
//! assert_eq!(gateway.admit(stranger, None).err().map(|answer| answer.status), Some(403));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! It listens on no socket (`web` does), writes no TA1, and puts one document into each
//! interchange.

mod acknowledgment;
mod alert;
mod answer;
mod api;
mod certificates;
mod compose;
mod disk;
mod exchange;
mod inbound;
mod link;
mod orders;
mod outbound;
mod parts;
mod read;
mod receipt;
mod related;
mod restart;
mod retry;
mod route;
mod sending;
mod submission;
mod survey;
mod trace;
mod transport;
mod trial;
mod undecrypted;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

pub use alert::{Alert, RECENT, Told};
pub use answer::until_beat;
pub use api::{account, limits as api_limits};
pub use certificates::{NOTED_EVERY, of_all_times};
pub use disk::{BALLAST, Level, Mark, Marks};
pub use exchange::offer;
pub use inbound::Caller;
pub use link::{proxy, secret, usable};
pub use retry::{GIVE_UP, RETRY_CAP, RETRY_FIRST};
pub use sending::{Named, Parcel, Sent, Until, became};
pub use trace::{TRACED, TRACED_BYTES, Trace, secret_field};
pub use trial::{Stage, Trial, Verdict};
pub use worker::Walking;

use crate::as2::Identity;
use crate::bridge;
use crate::clock::{self, Clock};
use crate::mapping::Library;
use crate::net;
use crate::net::client::{self, Client, Proxy, Trust, Way};
use crate::net::tls::Server;
use crate::partner::keyring::Dated;
use crate::partner::keys::{self, Keys};
use crate::partner::{self, As2, Partner, Partners, ReceiptMode};
use crate::store::{self, Store};
use link::Link;
use route::Partnership;

/// All that a gateway is made of.
pub struct Settings {
    /// Where everything durable is.
    pub store: Arc<dyn Store>,
    /// The guides.
    pub library: Library,
    /// The partners; their relative paths are resolved.
    pub partners: Partners,
    /// Keys of ours that are there before all others: each that is valid decrypts, and the first
    /// valid one signs until a newer one of the folder does.
    pub identities: Vec<Identity>,
    /// The folder of keys, where there is one: see [`partner::keys`].
    pub keys: Option<PathBuf>,
    /// The URL of our AS2 listener as partners reach it: where asynchronous receipts come.
    pub receipt_url: Option<String>,
    /// Whether a stranger who asks for a receipt gets an unsigned one that says so, instead of
    /// status 403.
    pub tell_strangers: bool,
    /// The folder of the folder bridge: `<bridge>/<partner>/in` and `out` below it.
    pub bridge: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where fresh bytes come from.
    pub entropy: fn(&mut [u8]),
    /// Whose word is taken for the certificates of partners' servers.
    pub trust: Trust,
    /// The proxy to partners whose files say nothing of one.
    pub proxy: Option<Proxy>,
    /// Where every layer of every exchange is written, for who looks for a fault.
    pub trace: Option<Trace>,
    /// How much at once, and how long.
    pub limits: Limits,
}

impl Settings {
    /// Settings with the embedded guides, the system's clock, entropy and authorities, and no
    /// identity.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, partners: Partners, bridge: &Path) -> Settings {
        Settings {
            store,
            library: Library::embedded(),
            partners,
            identities: Vec::new(),
            keys: None,
            receipt_url: None,
            tell_strangers: false,
            bridge: bridge.to_path_buf(),
            clock: Arc::new(clock::System),
            entropy: net::entropy,
            trust: Trust::System,
            proxy: None,
            trace: None,
            limits: Limits::default(),
        }
    }
}

/// How much at once, and how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Messages that are opened at once: decryption uses a whole core.
    pub opening: usize,
    /// Most bytes that a compressed message may grow to.
    pub inflated: u64,
    /// Steps at once, sending apart. They use the processor and the store, not the network.
    pub steps: usize,
    /// Messages that are sent at once: they wait for partners.
    pub sends: usize,
    /// How long a step is another worker's before it is taken for dead. A step that takes longer
    /// extends it.
    pub lease: Duration,
    /// Messages from one address that do not decrypt, before there is but one a minute: a partner
    /// who took a wrong key notices before that.
    pub undecrypted: u32,
    /// How often folders and accounts are looked at; where it is zero, only when [`Gateway::look`]
    /// is called.
    pub poll: Duration,
    /// Whether waits between tries are drawn, so that partners who come back are not asked all at
    /// once. A run that is to be the same twice says no.
    pub jitter: bool,
    /// Time for steps in flight at the end; supervisors kill after more than this.
    pub drain: Duration,
    /// When the disk counts as nearly full.
    pub disk: Marks,
    /// Limits of the client that posts to partners.
    pub client: client::Limits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            opening: 2,
            // Twice the largest body: real orders compress ten to one, and are a thousand
            // times smaller.
            inflated: 200 << 20,
            steps: 4,
            sends: 32,
            lease: Duration::from_secs(30),
            undecrypted: 20,
            poll: Duration::from_secs(1),
            jitter: true,
            drain: Duration::from_secs(30),
            disk: Marks::default(),
            client: client::Limits::default(),
        }
    }
}

/// Why a gateway cannot be made, or cannot take what it is given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A partner's certificate file cannot be used.
    #[error("partner {partner}: certificate {}: {why}", path.display())]
    Certificate {
        /// The partner's name.
        partner: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file or a password that [as2.connect] or [as2.demand] names cannot be used.
    #[error("partner {partner}: {why}")]
    Link {
        /// The partner's name.
        partner: String,
        /// What is wrong.
        why: String,
    },
    /// A partner speaks AS2, and we have no key.
    #[error(
        "partner {0} speaks AS2, and there is no identity of ours; make one in the folder of keys, \
         or name it in the settings as identity.p12"
    )]
    NoIdentity(String),
    /// The folder of keys cannot be used.
    #[error(transparent)]
    Keys(#[from] partner::Error),
    /// A partner is asked for asynchronous receipts, and there is no address of ours for them.
    #[error(
        "partner {0} is to post its receipts to us, and the settings do not say where; set \
         as2.receipt_url to our public URL"
    )]
    NoReceiptUrl(String),
    /// There is no partner of that name.
    #[error("there is no partner {0:?}")]
    NoPartner(String),
    /// The partner file names no way to send.
    #[error("partner {0} has neither [as2] nor [folder]")]
    NoTransport(String),
    /// What was to be sent is not one X12 interchange.
    #[error("{0}")]
    NotSendable(String),
    /// A partner's account at an API cannot be used.
    #[error("partner {partner}: [spapi]: {why}")]
    Api {
        /// The partner's name.
        partner: String,
        /// What is wrong with it.
        why: String,
    },
    /// A folder cannot be used.
    #[error("{0}: {source}", source = std::error::Error::source(.0).map_or(String::new(), ToString::to_string))]
    Folder(#[from] bridge::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Guides and partners, as of one moment.
struct Agreed {
    library: Arc<Library>,
    partnerships: Vec<Arc<Partnership>>,
    /// Our keys.
    ours: Arc<Vec<Dated<Identity>>>,
}

/// The gateway: settings made ready for use. Cheap to share, made once.
pub struct Gateway {
    store: Arc<dyn Store>,
    /// Replaced as a whole by [`agree`](Gateway::agree); work in flight keeps what it began with.
    agreed: RwLock<Arc<Agreed>>,
    identities: Vec<Identity>,
    keys: Option<PathBuf>,
    noted: certificates::Noted,
    receipt_url: Option<String>,
    tell_strangers: bool,
    bridge: PathBuf,
    clock: Arc<dyn Clock>,
    entropy: fn(&mut [u8]),
    client: Client,
    /// The way to partners who have no wishes.
    way: Way,
    /// The same for APIs, whose answers are larger.
    api: Client,
    limits: Limits,
    opening: Semaphore,
    /// Who sends what does not decrypt.
    undecrypted: undecrypted::Undecrypted,
    disk: disk::Disk,
    /// What our listener shows, and whether an authority renews it.
    listener: OnceLock<(Arc<Server>, bool)>,
    trace: Option<Arc<Trace>>,
    poke: Notify,
    /// How many steps were taken and rows queued since the start.
    moved: watch::Sender<u64>,
}

impl Gateway {
    /// Reads the partners' certificates and opens their folders. Blocks for a moment.
    ///
    /// # Errors
    /// [`Error::Certificate`], [`Error::NoIdentity`], [`Error::Folder`].
    pub fn new(settings: Settings) -> Result<Arc<Gateway>, Error> {
        let Settings {
            store,
            library,
            partners,
            identities,
            keys,
            receipt_url,
            tell_strangers,
            bridge,
            clock,
            entropy,
            trust,
            proxy,
            trace,
            limits,
        } = settings;
        let way = Way {
            trust,
            proxy,
            ..Way::default()
        };
        let none = Agreed {
            library: Arc::default(),
            partnerships: Vec::new(),
            ours: Arc::default(),
        };
        let gateway = Gateway {
            store,
            agreed: RwLock::new(Arc::new(none)),
            identities,
            keys,
            noted: certificates::Noted::default(),
            receipt_url,
            tell_strangers,
            bridge,
            clock,
            entropy,
            client: Client::by(way.clone(), limits.client.clone()),
            api: Client::by(way.clone(), api::limits(&limits.client)),
            way,
            opening: Semaphore::new(limits.opening),
            undecrypted: undecrypted::undecrypted(limits.undecrypted),
            disk: disk::Disk::default(),
            listener: OnceLock::new(),
            trace: trace.map(Arc::new),
            limits,
            poke: Notify::new(),
            moved: watch::Sender::new(0),
        };
        gateway.agree(library, &partners)?;
        Ok(Arc::new(gateway))
    }

    /// Takes other guides and partners from here on, and the keys and certificates that the folder
    /// of keys holds now, all of them or none. A message, a document and a step that was begun
    /// goes on by what was agreed before. Blocks for a moment.
    ///
    /// # Errors
    /// As [`Gateway::new`]; then nothing is changed.
    pub fn agree(&self, library: Library, partners: &Partners) -> Result<(), Error> {
        self.agree_with(Arc::new(library), partners.iter())
    }

    fn agree_with<'a>(
        &self,
        library: Arc<Library>,
        partners: impl Iterator<Item = &'a Partner>,
    ) -> Result<(), Error> {
        let before = self.agreed();
        let held = self
            .keys
            .as_deref()
            .map_or_else(|| Ok(Keys::default()), keys::load)?;
        for warning in &held.warnings {
            tracing::warn!(warning, "a key is not kept as it should be");
        }
        let first = self.identities.iter().cloned().map(Dated::from);
        let ours = first.chain(held.ours.iter().map(|own| own.dated.clone()));
        let ours: Arc<Vec<_>> = Arc::new(ours.collect());
        let open = |partner: &Partner| {
            let later = |as2: &As2| as2.receipt_mode == ReceiptMode::Async;
            if self.receipt_url.is_none() && partner.as2.as_ref().is_some_and(later) {
                return Err(Error::NoReceiptUrl(partner.name.clone()));
            }
            let mut known = before.partnerships.iter();
            let known = known.find(|known| known.partner.name == partner.name);
            let mut partnership =
                Partnership::open(partner, &library, (&ours, &held), &self.bridge, known)?;
            if let Some(as2) = &partner.as2 {
                let servers = partnership.keys.servers(self.clock.now());
                let link = Link::open(as2, &self.way, &servers, &self.limits.client);
                let name = partner.name.clone();
                partnership.link = link.map_err(|why| Error::Link { partner: name, why })?;
            }
            Ok(Arc::new(partnership))
        };
        let partnerships = partners.map(open).collect::<Result<_, Error>>()?;
        let agreed = Arc::new(Agreed {
            library,
            partnerships,
            ours: Arc::clone(&ours),
        });
        *self.agreed.write().unwrap_or_else(PoisonError::into_inner) = agreed;
        // Work may have waited for a partner, or for a guide.
        self.poke();
        Ok(())
    }

    fn agreed(&self) -> Arc<Agreed> {
        let agreed = self.agreed.read();
        // It is replaced in one move, so a panic elsewhere spoils nothing.
        Arc::clone(&agreed.unwrap_or_else(PoisonError::into_inner))
    }

    /// The guides in use.
    #[must_use]
    pub fn library(&self) -> Arc<Library> {
        Arc::clone(&self.agreed().library)
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Tells the worker to look at the queue now: after the clock was moved, or a row was added
    /// by another hand.
    pub fn poke(&self) {
        self.poke.notify_one();
        self.moved.send_modify(|count| *count += 1);
    }

    /// Changes whenever a step was taken or a row queued: whoever waits for something looks at
    /// the store then.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Whether messages can be taken now.
    ///
    /// # Errors
    /// Why not, in words for an operator.
    pub async fn ready(&self) -> Result<(), String> {
        self.store.ready().await.map_err(|why| why.to_string())?;
        self.roomy().map_err(|level| level.to_string())
    }

    fn partnership(&self, name: &str) -> Option<Arc<Partnership>> {
        let agreed = self.agreed();
        let mut all = agreed.partnerships.iter();
        all.find(|known| known.partner.name == name).cloned()
    }
}
