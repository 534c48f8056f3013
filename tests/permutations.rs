//! Every way to send a message: in clear, encrypted, signed or both, compressed before or after
//! signing or not at all, with no, an unsigned or a signed receipt, in the answer or later; from
//! each of two gateways to the other, over sockets. What was agreed is what is on the wire, and the
//! MIC is the same text in three places: at the sender, at the receiver, and in the receipt.

use std::fmt;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tempfile::TempDir;
use tokio::time::timeout;
use transload::as2::{self, Headers, Identity, Keys, Mic, Profile};
use transload::gateway::{Gateway, Limits, Settings};
use transload::partner::{self, Partner, Partners};
use transload::store::{Direction, Filter, Memory, Message, MessageDetail, MessageState, Store};
use transload::web::{self, Listeners, Running};
use uuid::Uuid;

/// How long something that never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of a partner file: whether we compress, and when.
const NEVER: &str = "";
const BEFORE: &str = "compress = true\n";
const AFTER: &str = "compress = \"after-signing\"\n";
/// The receipt that is asked for, and how it comes.
const RECEIPTS: [(&str, &str); 5] = [
    ("none", "sync"),
    ("unsigned", "sync"),
    ("signed", "sync"),
    ("unsigned", "async"),
    ("signed", "async"),
];

#[derive(Clone, Copy)]
struct Permutation {
    signed: bool,
    encrypted: bool,
    compress: &'static str,
    receipt: &'static str,
    mode: &'static str,
}

impl Permutation {
    /// All that differ: without a signature there is no order of compressing and signing, and
    /// without a receipt no way for it to come.
    fn all() -> Vec<Permutation> {
        let mut all = Vec::new();
        for (signed, encrypted) in [(false, false), (false, true), (true, false), (true, true)] {
            for compress in [NEVER, BEFORE, AFTER] {
                for (receipt, mode) in RECEIPTS {
                    if signed || compress != AFTER {
                        all.push(Permutation {
                            signed,
                            encrypted,
                            compress,
                            receipt,
                            mode,
                        });
                    }
                }
            }
        }
        all
    }

    /// The file of the partner with whom this is agreed.
    fn agreed(&self, name: &str, (ours, theirs): (&str, &str), url: &str, pem: &str) -> Partner {
        let sign = if self.signed { "sha-256" } else { "none" };
        let encrypt = if self.encrypted {
            "aes-256-cbc"
        } else {
            "none"
        };
        let text = format!(
            "name = \"{name}\"\n[as2]\nour_id = \"{ours} {name}\"\nid = \"{theirs} {name}\"\n\
             url = \"{url}\"\ncertificates = [\"{pem}\"]\nsign = \"{sign}\"\n\
             encrypt = \"{encrypt}\"\n{}receipt = \"{}\"\n\
             receipt_mode = \"{}\"\nrequire_signed = {}\nrequire_encrypted = {}\n",
            self.compress, self.receipt, self.mode, self.signed, self.encrypted,
        );
        partner::parse(&text, "partner.toml").unwrap_or_else(|why| panic!("{text}\n{why}"))
    }

    /// The layers on the wire, the outermost first.
    fn layers(&self) -> Vec<&'static str> {
        let encrypted = self.encrypted.then_some("encrypted");
        let signed = self.signed.then_some("signed");
        let [before, after] = [BEFORE, AFTER].map(|order| self.compress == order);
        let compressed = |is: bool| is.then_some("compressed");
        [encrypted, compressed(after), signed, compressed(before)]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl fmt::Display for Permutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers = match self.layers() {
            layers if layers.is_empty() => "in clear".to_owned(),
            layers => layers.join(" "),
        };
        write!(f, "{layers}, {} receipt, {}", self.receipt, self.mode)
    }
}

/// One of the two gateways.
struct Side {
    running: Running,
    keys: Keys,
    _folder: TempDir,
}

impl Side {
    fn start(
        ids: (&str, &str),
        us: &Identity,
        them: &Identity,
        listeners: Listeners,
        url: &str,
    ) -> Side {
        let folder = tempfile::tempdir().unwrap();
        let pem = folder.path().join("partner.pem");
        std::fs::write(&pem, them.certificate.to_pem().unwrap()).unwrap();
        let all = Permutation::all().into_iter().enumerate();
        let all = all.map(|(n, one)| one.agreed(&format!("p{n}"), ids, url, pem.to_str().unwrap()));
        let partners = Partners::new(all.collect()).unwrap();
        let settings = Settings {
            identities: vec![us.clone()],
            receipt_url: listeners.url().ok(),
            limits: Limits {
                poll: Duration::from_secs(3600),
                ..Limits::default()
            },
            ..Settings::new(
                Arc::new(Memory::default()),
                partners,
                &folder.path().join("bridge"),
            )
        };
        let gateway = Gateway::new(settings).unwrap();
        let running = web::run(gateway, listeners, folder.path().join("spool")).unwrap();
        Side {
            running,
            keys: Keys {
                ours: vec![us.clone()],
                theirs: vec![them.certificate.clone()],
            },
            _folder: folder,
        }
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.running.gateway.store()
    }

    /// The message that carries a document, once its receipt has settled it.
    async fn confirmed(&self, document: Uuid) -> MessageDetail {
        let gateway = &self.running.gateway;
        let mut moved = gateway.moved();
        let mut last = None;
        let found = async {
            loop {
                moved.borrow_and_update();
                let detail = self.store().document(document).await.unwrap().unwrap();
                last = gateway.carrier(&detail.document).await.unwrap();
                if let Some(message) = &last
                    && message.message.state == MessageState::Confirmed
                {
                    return;
                }
                moved.changed().await.unwrap();
            }
        };
        let waited = timeout(PATIENCE, found).await;
        let message = last.expect("it was sealed");
        assert!(waited.is_ok(), "never confirmed: {message:#?}");
        message
    }

    /// The message of that id as it came in.
    async fn came(&self, id: &str) -> MessageDetail {
        let filter = Filter {
            direction: Some(Direction::Inbound),
            limit: 1000,
            ..Filter::default()
        };
        let all: Vec<Message> = self.store().messages(filter).await.unwrap();
        let found = all.iter().find(|message| message.key.message_id == id);
        let found = found.unwrap_or_else(|| panic!("{id} did not come"));
        self.store().message(found.id).await.unwrap().unwrap()
    }

    /// The layers of a message as it came in, and its payload.
    async fn opened(&self, came: &MessageDetail) -> (Vec<&'static str>, Vec<u8>) {
        let body = self
            .store()
            .payload(came.message.body)
            .await
            .unwrap()
            .unwrap();
        let headers: Headers = came.headers.iter().cloned().collect();
        let (mut payload, profile) = (Vec::new(), Profile::accept_anything());
        let opened = as2::open(
            &headers,
            body.open().unwrap(),
            &mut payload,
            &self.keys,
            &profile,
            Utc::now(),
        );
        (opened.unwrap().secured.layers, payload)
    }
}

async fn bind() -> (Listeners, String) {
    let any = ([127, 0, 0, 1], 0).into();
    let listeners = Listeners::bind(any, any).await.unwrap();
    let url = listeners.url().unwrap();
    (listeners, url)
}

/// Everything about one message that went from one side to the other.
async fn compare(one: &Permutation, from: &Side, to: &Side, document: Uuid, payload: &[u8]) {
    let sent = from.confirmed(document).await;
    let came = to.came(&sent.message.key.message_id).await;
    let (layers, content) = to.opened(&came).await;
    assert_eq!(layers, one.layers(), "{one}");
    assert!(content == payload, "{one}: the payload");
    let mic = sent.message.mic.as_deref().expect("what is sent has a MIC");
    if layers.is_empty() {
        let value = as2::sha256(payload).to_vec();
        let digest = as2::Digest::Sha256;
        assert_eq!(mic, Mic { digest, value }.to_string(), "{one}");
    }
    assert_eq!(
        came.message.mic.as_deref(),
        Some(mic),
        "{one}: at the receiver"
    );
    let Some(mdn) = from.running.gateway.mdn(&sent) else {
        assert_eq!(one.receipt, "none", "{one}: there is no receipt");
        return;
    };
    assert_eq!(
        mdn.mic.map(|mic| mic.to_string()).as_deref(),
        Some(mic),
        "{one}: told"
    );
    assert_eq!(mdn.signature.is_some(), one.receipt == "signed", "{one}");
    let asked = |name: &str| sent.headers.iter().any(|(have, _)| have == name);
    assert_eq!(
        asked("Receipt-Delivery-Option"),
        one.mode == "async",
        "{one}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_permutation_both_ways() {
    let now = Utc::now();
    let (start, end) = (now - TimeDelta::days(1), now + TimeDelta::days(30));
    let [east, west] = [("east", 1), ("west", 2)]
        .map(|(name, serial)| Identity::generate(name, serial, start, end).unwrap());
    let ((at_east, to_east), (at_west, to_west)) = (bind().await, bind().await);
    let east_side = Side::start(("EAST", "WEST"), &east, &west, at_east, &to_west);
    let west_side = Side::start(("WEST", "EAST"), &west, &east, at_west, &to_east);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/demo/order.edi");
    let payload = std::fs::read(file).unwrap();

    let all = Permutation::all();
    assert_eq!(all.len(), 50);
    let mut sent = Vec::new();
    for n in 0..all.len() {
        for (from, to) in [(&east_side, &west_side), (&west_side, &east_side)] {
            let gateway = &from.running.gateway;
            let document = gateway.send(&format!("p{n}"), &payload).await.unwrap();
            sent.push((n, from, to, document));
        }
    }
    for (n, from, to, document) in sent {
        compare(&all[n], from, to, document, &payload).await;
    }
    east_side.running.stop().await.unwrap();
    west_side.running.stop().await.unwrap();
}
