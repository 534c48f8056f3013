//! A gateway with one partner or more, as a test needs it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use transload::clock::Moved;
use transload::gateway::{Gateway, Limits, Settings};
use transload::net;
use transload::partner::{self, As2, Partners};
use transload::store::{Direction, Filter, Memory, Message, MessageDetail, MessageState};
use transload::web::{self, Listeners, Running};
use uuid::Uuid;

use super::wire::{PATIENCE, Reply, Request, ask, day, them, us};

/// How soon a look is taken again where nothing tells of a change.
const GLANCE: Duration = Duration::from_millis(20);

/// What a partner file says where nothing has to be signed or encrypted.
pub(crate) const LAX: &str = "require_signed = false\nrequire_encrypted = false\n";

/// A gateway on a port of its own, with a store in memory and a clock that we move.
pub(crate) struct Us {
    pub(crate) running: Running,
    pub(crate) clock: Arc<Moved>,
    pub(crate) folder: TempDir,
    runtime: Runtime,
}

impl Us {
    /// A gateway with one partner; `more` is added to his `[as2]`.
    pub(crate) fn new(more: &str) -> Us {
        Us::with(&[Relation::default().more(more)], 1 << 20)
    }

    /// One that takes what is neither signed nor encrypted.
    pub(crate) fn lax() -> Us {
        Us::new(LAX)
    }

    /// One whose partner's server is at `url`.
    pub(crate) fn to(url: &str, more: &str) -> Us {
        Us::with(&[Relation::default().url(url).more(more)], 1 << 20)
    }

    pub(crate) fn with(relations: &[Relation], body: u64) -> Us {
        Us::made(relations, |listeners, _| listeners.limits.body = body)
    }

    /// One of which some settings are others; they are told the folder of this gateway.
    pub(crate) fn made(
        relations: &[Relation],
        change: impl FnOnce(&mut Listeners, &mut Settings),
    ) -> Us {
        crate::canary::watch();
        let folder = tempfile::tempdir().unwrap();
        let files = relations.iter().enumerate();
        let files = files.map(|(n, relation)| relation.file(n, folder.path()));
        let files = files.map(|text| partner::parse(&text, "partner.toml").unwrap());
        let partners = Partners::new(files.collect()).unwrap();
        let clock = Arc::new(Moved::to(day()));
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        let any = ([127, 0, 0, 1], 0).into();
        let mut listeners = runtime.block_on(Listeners::bind(any, any)).unwrap();
        listeners.limits.body = 1 << 20;
        let store = Arc::new(Memory::default());
        let mut settings = Settings {
            identities: vec![us().identity.clone()],
            clock: Arc::clone(&clock) as Arc<_>,
            receipt_url: Some(listeners.url().unwrap()),
            limits: Limits {
                client: net::client::Limits {
                    total_time: Duration::from_secs(2),
                    ..Default::default()
                },
                ..Limits::default()
            },
            ..Settings::new(store, partners, &folder.path().join("bridge"))
        };
        change(&mut listeners, &mut settings);
        let running = runtime.block_on(async {
            let gateway = Gateway::new(settings).unwrap();
            web::run(gateway, listeners, folder.path().join("spool")).unwrap()
        });
        Us {
            running,
            clock,
            folder,
            runtime,
        }
    }

    pub(crate) fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    /// Writes bytes, and gives every answer until the gateway closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<Reply> {
        self.pieces(&[bytes])
    }

    /// The same in pieces, each in a packet of its own.
    pub(crate) fn pieces(&self, pieces: &[&[u8]]) -> Vec<Reply> {
        ask(self.running.as2, pieces)
    }

    /// Posts a request, and gives the final answer.
    pub(crate) fn post(&self, request: &Request) -> Reply {
        self.raw(&request.bytes()).pop().expect("an answer")
    }

    /// What it says to a body of that type.
    pub(crate) fn says(&self, kind: &str, body: &[u8]) -> String {
        self.post(&Request::new(kind, body)).said()
    }

    /// Every message of a direction, the oldest first.
    pub(crate) fn messages(&self, direction: Direction) -> Vec<Message> {
        let filter = Filter {
            direction: Some(direction),
            ..Filter::default()
        };
        let found = self.gateway().store().messages(filter);
        let mut found = self.runtime.block_on(found).unwrap();
        found.reverse();
        found
    }

    pub(crate) fn detail(&self, message: &Message) -> MessageDetail {
        let detail = self.gateway().store().message(message.id);
        self.runtime.block_on(detail).unwrap().unwrap()
    }

    /// The payloads that were accepted, the oldest first.
    pub(crate) fn inbox(&self) -> Vec<Vec<u8>> {
        let messages = self.messages(Direction::Inbound).into_iter();
        let accepted = messages.filter(|message| message.state != MessageState::Refused);
        let digests = accepted.filter_map(|message| message.content);
        let store = self.gateway().store();
        let bytes = digests.map(|digest| self.runtime.block_on(store.payload(digest)));
        bytes
            .map(|bytes| bytes.unwrap().unwrap().read().unwrap().to_vec())
            .collect()
    }

    /// Queues an interchange for the partner.
    pub(crate) fn send(&self) -> Uuid {
        let sent = self.gateway().send("acme", INTERCHANGE);
        self.runtime.block_on(sent).unwrap()
    }

    /// The message of it, once it was tried so often.
    pub(crate) fn tried(&self, document: Uuid, tries: usize) -> MessageDetail {
        const TRIED: [&str; 6] = ["sent", "retry", "confirmed", "refused", "uncertain", "dead"];
        let gateway = self.gateway();
        let mut moved = gateway.moved();
        let found = async {
            loop {
                moved.borrow_and_update();
                let detail = gateway.store().document(document).await.unwrap().unwrap();
                if let Some(carrier) = gateway.carrier(&detail.document).await.unwrap() {
                    let own = carrier.events.iter();
                    let own = own.filter(|event| event.subject == carrier.message.id);
                    let tried = |event: &&_| TRIED.contains(&what(event));
                    if own.filter(tried).count() >= tries {
                        return carrier;
                    }
                }
                moved.changed().await.unwrap();
            }
        };
        let found = async { tokio::time::timeout(PATIENCE, found).await };
        self.runtime.block_on(found).expect("a try in time")
    }

    /// Sends one, and gives its message after the first try.
    pub(crate) fn sent(&self) -> MessageDetail {
        self.tried(self.send(), 1)
    }

    /// Sends a message, whose first try has to be proved.
    pub(crate) fn confirmed(&self) {
        let sent = self.sent();
        let (state, events) = (sent.message.state, sent.events);
        assert_eq!(state, MessageState::Confirmed, "{events:?}");
    }

    /// Looks after each step of the gateway until there is something.
    pub(crate) fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let mut moved = self.gateway().moved();
        let begun = std::time::Instant::now();
        let mut last = begun;
        loop {
            moved.borrow_and_update();
            if let Some(found) = look() {
                return found;
            }
            let in_vain = last.elapsed() > PATIENCE || begun.elapsed() > 20 * PATIENCE;
            assert!(!in_vain, "waited in vain");
            // What a server of ours saw is not a step of the gateway's: look again soon.
            let step = async { tokio::time::timeout(GLANCE, moved.changed()).await };
            if self.runtime.block_on(step).is_ok() {
                last = std::time::Instant::now();
            }
        }
    }

    /// Waits until nothing is left to do, now or later.
    pub(crate) fn idle(&self) {
        self.until(|| {
            let counts = self.runtime.block_on(self.gateway().store().counts());
            let left: u64 = counts.unwrap().work.iter().map(|(_, count)| count).sum();
            (left == 0).then_some(())
        });
    }

    /// Waits until a step for the first message that came in has failed so often.
    pub(crate) fn failed(&self, times: usize) {
        self.until(|| {
            let message = self.messages(Direction::Inbound).into_iter().next()?;
            let events = self.detail(&message).events.into_iter();
            let retries = events.filter(|event| event.what == "retry");
            (retries.count() >= times).then_some(())
        });
    }

    /// Lets time go by, and the worker look at it.
    pub(crate) fn later(&self, time: TimeDelta) {
        self.clock.forward(time);
        self.gateway().poke();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as2
    }

    /// Runs what waits, on the gateway's own threads.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn what(event: &transload::store::Event) -> &str {
    &event.what
}

/// An interchange of ours; what is in it is nobody's business here.
pub(crate) const INTERCHANGE: &[u8] = b"ISA*00*          *00*          *ZZ*WE             \
*ZZ*ACME           *261122*1200*U*00401*000000001*0*T*>~GS*PO*WE*ACME*20261122*1200*1*X*004010~\
ST*850*0001~BEG*00*SA*1**20261122~PO1**1*EA*1**VN*X~CTT*1~SE*5*0001~GE*1*1~IEA*1*000000001~";

/// Reads a partner file with these lines in its `[as2]`.
pub(crate) fn parsed(more: &str) -> Result<As2, partner::Error> {
    let id = match more.contains("our_id") {
        true => "",
        false => "our_id = \"A\"\n",
    };
    let text = format!(
        "name = \"a\"\n[as2]\nid = \"B\"\nurl = \"http://x/\"\ncertificates = [\"a.pem\"]\n{id}{more}\n"
    );
    Ok(partner::parse(&text, "a.toml")?
        .as2
        .expect("it has an [as2]"))
}

/// What a partner file says.
#[derive(Clone)]
pub(crate) struct Relation {
    ours: String,
    theirs: String,
    url: String,
    more: String,
}

impl Default for Relation {
    fn default() -> Relation {
        Relation {
            ours: "WE".into(),
            theirs: "ACME".into(),
            url: "http://127.0.0.1:9/as2".into(),
            more: String::new(),
        }
    }
}

impl Relation {
    pub(crate) fn names(mut self, ours: &str, theirs: &str) -> Relation {
        (self.ours, self.theirs) = (ours.to_owned(), theirs.to_owned());
        self
    }

    pub(crate) fn url(mut self, url: &str) -> Relation {
        self.url = url.to_owned();
        self
    }

    pub(crate) fn more(mut self, more: &str) -> Relation {
        self.more = more.to_owned();
        self
    }

    /// As `more`, behind what is there.
    pub(crate) fn also(mut self, more: &str) -> Relation {
        self.more.push_str(more);
        self
    }

    /// The file of the partner with this number: the first is `acme`, and his certificate is
    /// used unless `more` names others.
    fn file(&self, number: usize, folder: &Path) -> String {
        let name = match number {
            0 => "acme".to_owned(),
            n => format!("acme-{n}"),
        };
        let path = folder.join("acme.pem");
        std::fs::write(&path, them().identity.certificate.to_pem().unwrap()).unwrap();
        let certificates = match self.more.contains("certificates") {
            true => String::new(),
            false => format!("certificates = [{path:?}]\n"),
        };
        let Relation {
            ours,
            theirs,
            url,
            more,
        } = self;
        format!(
            "name = \"{name}\"\n[as2]\nour_id = {ours:?}\nid = {theirs:?}\nurl = {url:?}\n\
             {certificates}{more}\n"
        )
    }
}
