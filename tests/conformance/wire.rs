//! Raw bytes on a socket: the gateway as a partner sees it, and a partner as the gateway sees him.
//!
//! The gateway is called WE, the partner ACME; nobody else has a key that counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use transload::as2::{
    self, Digest, Disposition, Document, Error, Headers, Identity, Keys, Mdn, MdnFields, Opened,
    Profile,
};
use transload::clock::Moved;
use transload::gateway::{Gateway, Limits, Settings};
use transload::net;
use transload::partner::{self, Partners};
use transload::store::{Direction, Filter, Memory, Message, MessageDetail, MessageState};
use transload::web::{self, Listeners, Running};
use uuid::Uuid;

/// How long something that never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon a look is taken again where nothing tells of a change.
const GLANCE: Duration = Duration::from_millis(20);

/// What a partner file says where nothing has to be signed or encrypted.
pub(super) const LAX: &str = "require_signed = false\nrequire_encrypted = false\n";

/// The day that every test here lives on.
pub(super) fn day() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

/// Somebody with a key.
pub(super) struct Party {
    pub(super) identity: Identity,
    pub(super) x509: X509,
    pub(super) key: PKey<Private>,
}

impl Party {
    fn new(name: &str, serial: u64) -> Party {
        let (from, to) = (day() - TimeDelta::days(1), day() + TimeDelta::days(365));
        let identity = Identity::generate(name, serial, from, to).unwrap();
        let pem = identity.private_key_to_pem().unwrap();
        Party {
            x509: X509::from_pem(&identity.certificate.to_pem().unwrap()).unwrap(),
            key: PKey::private_key_from_pem(&pem).unwrap(),
            identity,
        }
    }
}

/// The gateway's own key, made once.
pub(super) fn us() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("we", 1))
}

/// The partner's.
pub(super) fn them() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("acme", 2))
}

/// Somebody's whom nobody knows.
pub(super) fn stranger() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("stranger", 3))
}

/// What the partner holds.
pub(super) fn their_keys() -> Keys {
    Keys {
        ours: vec![them().identity.clone()],
        theirs: vec![us().identity.certificate.clone()],
    }
}

/// What the gateway holds.
pub(super) fn our_keys() -> Keys {
    Keys {
        ours: vec![us().identity.clone()],
        theirs: vec![them().identity.certificate.clone()],
    }
}

/// The agreement as the partner sees it: signed and encrypted, a signed receipt.
pub(super) fn theirs() -> Profile {
    Profile {
        our_id: "ACME".into(),
        their_id: "WE".into(),
        ..Profile::default()
    }
}

/// The agreement as we see it, with nothing required.
pub(super) fn lax() -> Profile {
    Profile {
        our_id: "WE".into(),
        their_id: "ACME".into(),
        require_signed: false,
        require_encrypted: false,
        ..Profile::default()
    }
}

/// Opens a message as the gateway would.
pub(super) fn open(kind: &str, body: &[u8]) -> Result<(Opened, Vec<u8>), Error> {
    open_with(&our_keys(), &lax(), kind, body)
}

pub(super) fn open_with(
    keys: &Keys,
    profile: &Profile,
    kind: &str,
    body: &[u8],
) -> Result<(Opened, Vec<u8>), Error> {
    let headers: Headers = [("Content-Type", kind)].into_iter().collect();
    let mut payload = Vec::new();
    let opened = as2::open(&headers, body, &mut payload, keys, profile, day())?;
    Ok((opened, payload))
}

/// What a failure is told as, the message not being encrypted.
pub(super) fn told(error: &Error) -> String {
    error.disposition(true).detail
}

/// A Message-ID that no other test has.
pub(super) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("<{}@acme.example>", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A request of the partner's.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A body with what AS2 wants around it, and a signed receipt asked for.
    pub(super) fn new(kind: &str, body: impl AsRef<[u8]>) -> Request {
        let options = "signed-receipt-protocol=optional, pkcs7-signature; \
                       signed-receipt-micalg=optional, sha-256";
        let headers = [
            ("AS2-Version", "1.2"),
            ("AS2-From", "ACME"),
            ("AS2-To", "WE"),
            ("Message-ID", &fresh()),
            ("Disposition-Notification-To", "edi@acme.example"),
            ("Disposition-Notification-Options", options),
            ("Content-Type", kind),
        ];
        Request {
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            body: body.as_ref().to_vec(),
        }
    }

    /// A payload in clear.
    pub(super) fn plain(payload: impl AsRef<[u8]>) -> Request {
        Request::new("application/EDI-X12", payload)
    }

    /// A payload as agreed.
    pub(super) fn sealed(payload: &[u8]) -> Request {
        Request::sealed_with(payload, &their_keys(), &theirs())
    }

    pub(super) fn sealed_with(payload: &[u8], keys: &Keys, profile: &Profile) -> Request {
        let id = fresh();
        let (headers, body) = seal_as(&id, payload, keys, profile);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Request {
            headers: headers.iter().map(owned).collect(),
            body,
        }
    }

    /// One field, whatever stood there before.
    pub(super) fn set(mut self, name: &str, value: &str) -> Request {
        self = self.without(name);
        self.also(name, value)
    }

    /// One more field.
    pub(super) fn also(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub(super) fn id(&self) -> &str {
        let found = self.headers.iter().find(|(name, _)| name == "Message-ID");
        found.map_or("", |(_, id)| id)
    }

    /// The head, framed as `framing` says; the connection closes after the answer.
    pub(super) fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: we.example\r\n");
        head.push_str("Connection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(framing);
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// All of it with its length.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = format!("Content-Length: {}\r\n", self.body.len());
        [self.head(&length), self.body.clone()].concat()
    }

    /// All of it in chunks of `size`, with `extension` behind each size.
    pub(super) fn chunked(&self, size: usize, extension: &str) -> Vec<u8> {
        let mut out = self.head("Transfer-Encoding: chunked\r\n");
        for chunk in self.body.chunks(size) {
            out.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
        out
    }
}

/// Seals a payload as the profile says: headers and body.
pub(super) fn seal(payload: &[u8], profile: &Profile) -> (Headers, Vec<u8>, as2::Mic) {
    seal_with("<1@acme.example>", payload, &their_keys(), profile)
}

pub(super) fn seal_as(
    id: &str,
    payload: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> (Headers, Vec<u8>) {
    let (headers, body, _) = seal_with(id, payload, keys, profile);
    (headers, body)
}

pub(super) fn seal_with(
    id: &str,
    payload: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> (Headers, Vec<u8>, as2::Mic) {
    let (mut body, source) = (Vec::new(), std::io::Cursor::new(payload));
    let (entropy, document) = (&mut net::entropy, document(id));
    let sealed = as2::seal(source, &mut body, document, keys, profile, entropy, day()).unwrap();
    (sealed.headers, body, sealed.mic)
}

pub(super) fn document(message_id: &str) -> Document<'_> {
    Document {
        content_type: "application/EDI-X12",
        file_name: None,
        message_id,
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The head as it came.
    pub(super) head: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The receipt in it, verified as the partner does.
    pub(super) fn mdn(&self) -> Mdn {
        let read = Mdn::read(&self.headers, &self.body, &their_keys(), &theirs(), day());
        read.unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// What the receipt says: `processed`, `processed/error: decryption-failed`.
    pub(super) fn said(&self) -> String {
        let said = self.mdn().disposition.to_string();
        said.rsplit_once("; ").unwrap().1.to_owned()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Writes pieces to an address, and gives every answer until it closes.
pub(super) fn ask(address: SocketAddr, pieces: &[&[u8]]) -> Vec<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // Who is refused early closes early.
        let _ = stream.write_all(piece);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    replies(&answer)
}

/// The answers in what came over a connection, interim ones too.
pub(super) fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        let end = find(bytes, b"\r\n\r\n").expect("the head of an answer") + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let headers = Headers::read(&mut &bytes[..end]).unwrap();
        let length = headers.get("Content-Length").map(|n| n.parse().unwrap());
        let body = &bytes[end..];
        let body = match status {
            100..200 | 204 => &body[..0],
            _ => &body[..length.unwrap_or(body.len())],
        };
        replies.push(Reply {
            status,
            head,
            headers,
            body: body.to_vec(),
        });
        bytes = &bytes[end + body.len()..];
    }
    replies
}

pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The bytes with the first `from` made `to`.
pub(super) fn swap(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = find(bytes, from).unwrap_or_else(|| {
        let shown = String::from_utf8_lossy(bytes);
        panic!("no {:?} in {shown}", String::from_utf8_lossy(from))
    });
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// A gateway on a port of its own, with a store in memory and a clock that we move.
pub(super) struct Us {
    pub(super) running: Running,
    pub(super) clock: Arc<Moved>,
    pub(super) folder: TempDir,
    runtime: Runtime,
}

impl Us {
    /// A gateway with one partner; `more` is added to his `[as2]`.
    pub(super) fn new(more: &str) -> Us {
        Us::with(&[Relation::default().more(more)], 1 << 20)
    }

    /// One that takes what is neither signed nor encrypted.
    pub(super) fn lax() -> Us {
        Us::new(LAX)
    }

    /// One whose partner's server is at `url`.
    pub(super) fn to(url: &str, more: &str) -> Us {
        Us::with(&[Relation::default().url(url).more(more)], 1 << 20)
    }

    pub(super) fn with(relations: &[Relation], body: u64) -> Us {
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
        listeners.limits.body = body;
        let store = Arc::new(Memory::default());
        let settings = Settings {
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

    pub(super) fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    /// Writes bytes, and gives every answer until the gateway closes.
    pub(super) fn raw(&self, bytes: &[u8]) -> Vec<Reply> {
        self.pieces(&[bytes])
    }

    /// The same in pieces, each in a packet of its own.
    pub(super) fn pieces(&self, pieces: &[&[u8]]) -> Vec<Reply> {
        ask(self.running.as2, pieces)
    }

    /// Posts a request, and gives the final answer.
    pub(super) fn post(&self, request: &Request) -> Reply {
        self.raw(&request.bytes()).pop().expect("an answer")
    }

    /// What it says to a body of that type.
    pub(super) fn says(&self, kind: &str, body: &[u8]) -> String {
        self.post(&Request::new(kind, body)).said()
    }

    /// Every message of a direction, the oldest first.
    pub(super) fn messages(&self, direction: Direction) -> Vec<Message> {
        let filter = Filter {
            direction: Some(direction),
            ..Filter::default()
        };
        let found = self.gateway().store().messages(filter);
        let mut found = self.runtime.block_on(found).unwrap();
        found.reverse();
        found
    }

    pub(super) fn detail(&self, message: &Message) -> MessageDetail {
        let detail = self.gateway().store().message(message.id);
        self.runtime.block_on(detail).unwrap().unwrap()
    }

    /// The payloads that were accepted, the oldest first.
    pub(super) fn inbox(&self) -> Vec<Vec<u8>> {
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
    pub(super) fn send(&self) -> Uuid {
        let sent = self.gateway().send("acme", INTERCHANGE);
        self.runtime.block_on(sent).unwrap()
    }

    /// The message of it, once it was tried so often.
    pub(super) fn tried(&self, document: Uuid, tries: usize) -> MessageDetail {
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
    pub(super) fn sent(&self) -> MessageDetail {
        self.tried(self.send(), 1)
    }

    /// Looks after each step of the gateway until there is something.
    pub(super) fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let mut moved = self.gateway().moved();
        let from = std::time::Instant::now();
        loop {
            moved.borrow_and_update();
            if let Some(found) = look() {
                return found;
            }
            assert!(from.elapsed() < PATIENCE, "waited in vain");
            // What a server of ours saw is not a step of the gateway's: look again soon.
            let step = async { tokio::time::timeout(GLANCE, moved.changed()).await };
            let _ = self.runtime.block_on(step);
        }
    }

    /// Waits until nothing is left to do, now or later.
    pub(super) fn idle(&self) {
        self.until(|| {
            let counts = self.runtime.block_on(self.gateway().store().counts());
            let left: u64 = counts.unwrap().work.iter().map(|(_, count)| count).sum();
            (left == 0).then_some(())
        });
    }

    /// Waits until a step for the first message that came in has failed so often.
    pub(super) fn failed(&self, times: usize) {
        self.until(|| {
            let message = self.messages(Direction::Inbound).into_iter().next()?;
            let events = self.detail(&message).events.into_iter();
            let retries = events.filter(|event| event.what == "retry");
            (retries.count() >= times).then_some(())
        });
    }

    /// Lets time go by, and the worker look at it.
    pub(super) fn later(&self, time: TimeDelta) {
        self.clock.forward(time);
        self.gateway().poke();
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.running.as2
    }

    /// Runs what waits, on the gateway's own threads.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn what(event: &transload::store::Event) -> &str {
    &event.what
}

/// An interchange of ours; what is in it is nobody's business here.
pub(super) const INTERCHANGE: &[u8] = b"ISA*00*          *00*          *ZZ*WE             \
*ZZ*ACME           *261122*1200*U*00401*000000001*0*T*>~GS*PO*WE*ACME*20261122*1200*1*X*004010~\
ST*850*0001~BEG*00*SA*1**20261122~PO1**1*EA*1**VN*X~CTT*1~SE*5*0001~GE*1*1~IEA*1*000000001~";

/// What a partner file says.
#[derive(Clone)]
pub(super) struct Relation {
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
    pub(super) fn names(mut self, ours: &str, theirs: &str) -> Relation {
        (self.ours, self.theirs) = (ours.to_owned(), theirs.to_owned());
        self
    }

    pub(super) fn url(mut self, url: &str) -> Relation {
        self.url = url.to_owned();
        self
    }

    pub(super) fn more(mut self, more: &str) -> Relation {
        self.more = more.to_owned();
        self
    }

    /// As `more`, behind what is there.
    pub(super) fn also(mut self, more: &str) -> Relation {
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

/// A request that a partner's server saw.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The head as it came.
    pub(super) head: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn get(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_default()
    }

    /// How often a field stands there.
    pub(super) fn count(&self, name: &str) -> usize {
        self.headers.all(name).count()
    }

    /// Opens it as the partner does.
    pub(super) fn opened(&self) -> (Opened, Vec<u8>) {
        let profile = Profile {
            require_signed: false,
            require_encrypted: false,
            ..theirs()
        };
        let (headers, body) = (&self.headers, self.body.as_slice());
        let mut payload = Vec::new();
        let opened = as2::open(headers, body, &mut payload, &their_keys(), &profile, day());
        (opened.unwrap(), payload)
    }

    /// A receipt for it, signed, with `change` made to what it says.
    pub(super) fn receipt(&self, change: impl FnOnce(&mut MdnFields)) -> Vec<u8> {
        let (headers, body) = self.mdn(Some(them()), change);
        respond(200, &headers, &body)
    }

    /// The receipt's headers and body, signed by `who`.
    pub(super) fn mdn(
        &self,
        who: Option<&Party>,
        change: impl FnOnce(&mut MdnFields),
    ) -> (Headers, Vec<u8>) {
        let mic = Some(self.opened().0.mic);
        let done = Disposition::processed();
        let mut fields = MdnFields::answer(&self.headers, "<mdn@acme.example>", done, mic);
        change(&mut fields);
        let signer = who.map(|who| (&who.identity, Digest::Sha256));
        Mdn::write(&fields, signer, &mut net::entropy, day()).unwrap()
    }
}

/// The bytes of an answer with its length; the connection closes after it.
pub(super) fn respond(status: u16, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut headers = headers.clone();
    headers.set("Content-Length", &body.len().to_string());
    headers.set("Connection", "close");
    let line = format!("HTTP/1.1 {status} X\r\n").into_bytes();
    [line, headers.to_bytes(), body.to_vec()].concat()
}

/// An answer of a status alone.
pub(super) fn status(status: u16) -> Vec<u8> {
    respond(status, &Headers::new(), b"")
}

/// A partner's server. It gives what it is told to, and keeps what it saw; what is not a whole
/// answer ends the connection.
pub(super) struct Stub {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(super) fn new(answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/as2", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&mut stream.unwrap(), &answer, &kept);
            }
        });
        Stub { url, seen }
    }

    /// One that gives a good receipt.
    pub(super) fn good() -> Stub {
        Stub::new(|_, seen| seen.receipt(|_| {}))
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The first request.
    pub(super) fn first(&self) -> Seen {
        self.seen().swap_remove(0)
    }
}

/// One request of a connection, answered, and the connection closed.
fn serve(
    stream: &mut TcpStream,
    answer: &impl Fn(usize, &Seen) -> Vec<u8>,
    kept: &Mutex<Vec<Seen>>,
) {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at + 4;
        }
        let mut more = [0; 4096];
        match stream.read(&mut more) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&more[..length]),
        }
    };
    let headers = Headers::read(&mut &bytes[..head]).unwrap();
    let length = headers
        .get("Content-Length")
        .map_or(0, |n| n.parse().unwrap());
    while bytes.len() < head + length {
        let mut more = [0; 4096];
        match stream.read(&mut more) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&more[..length]),
        }
    }
    let seen = Seen {
        head: String::from_utf8_lossy(&bytes[..head]).into_owned(),
        headers,
        body: bytes[head..].to_vec(),
    };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(seen.clone());
        kept.len() - 1
    };
    let _ = stream.write_all(&answer(number, &seen));
    // The peer is to see the end, not a reset.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 1]);
}
