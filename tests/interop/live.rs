//! Our gateway and pyas2lib over sockets, both ways: every protection × compression × receipt, and
//! every algorithm that pyas2lib has.

use std::path::Path;

use tokio::task::block_in_place;
use transload::store::MessageState;
use transload::web::Running;

use super::gateway::{hex, sha256, start, until};
use super::{Answer, LISTEN, Peer, ROOT, keys};

/// The receipt that is asked for, and how it comes.
const RECEIPTS: [(&str, &str); 5] = [
    ("none", "sync"),
    ("unsigned", "sync"),
    ("signed", "sync"),
    ("unsigned", "async"),
    ("signed", "async"),
];

/// What is done to the payload, from the inside out.
const LAYERS: [&str; 8] = [
    "",
    "compress",
    "sign",
    "encrypt",
    "compress,sign",
    "compress,encrypt",
    "sign,encrypt",
    "compress,sign,encrypt",
];

/// Other algorithms than the usual ones: digest and cipher, and whether we write them too.
const ALGORITHMS: [(&str, &str, bool); 5] = [
    ("sha384", "aes-128-cbc", true),
    ("sha512", "aes-192-cbc", true),
    ("sha1", "aes-256-cbc", false),
    ("sha256", "3des", false),
    ("sha1", "3des", false),
];

/// How one message goes.
struct Way {
    /// Its partner: `p0`, `p1` …
    name: String,
    layers: &'static str,
    sign: &'static str,
    cipher: &'static str,
    receipt: &'static str,
    mode: &'static str,
    written: bool,
}

impl Way {
    fn all() -> Vec<Way> {
        let usual = LAYERS.iter().flat_map(|layers| {
            let way = |(receipt, mode)| (*layers, "sha256", "aes-256-cbc", receipt, mode, true);
            RECEIPTS.map(way)
        });
        let others = ALGORITHMS.map(|(sign, cipher, written)| {
            ("sign,encrypt", sign, cipher, "signed", "sync", written)
        });
        let ways = usual.chain(others).enumerate();
        ways.map(|(n, (layers, sign, cipher, receipt, mode, written))| Way {
            name: format!("p{n}"),
            layers,
            sign,
            cipher,
            receipt,
            mode,
            written,
        })
        .collect()
    }

    fn has(&self, layer: &str) -> bool {
        self.layers.split(',').any(|one| one == layer)
    }

    /// Whether the partner file wants a MIC in a receipt: half of those that get none do.
    fn require_mic(&self) -> bool {
        self.has("sign") || self.mode == "sync"
    }

    /// The partner file in which this is agreed.
    fn agreed(&self, folder: &Path, url: &str) -> String {
        let digest = match (self.has("sign") && self.written, self.sign) {
            (true, sign) => sign.replace("sha", "sha-"),
            _ => "none".to_owned(),
        };
        let cipher = match self.has("encrypt") && self.written {
            true => self.cipher,
            false => "none",
        };
        let legacy = match self.written {
            true => "",
            false => "legacy_until = \"2999-01-01\"\n",
        };
        format!(
            "name = \"{0}\"\n[as2]\nour_id = \"house-{0}\"\nid = \"peer-{0}\"\nurl = \"{url}\"\n\
             certificates = [{1:?}]\nsign = \"{digest}\"\nencrypt = \"{cipher}\"\n\
             compress = {2}\nreceipt = \"{3}\"\nreceipt_mode = \"{4}\"\nrequire_signed = {5}\n\
             require_encrypted = {6}\nrequire_mic = {7}\n{legacy}",
            self.name,
            folder.join("peer.crt"),
            self.has("compress"),
            self.receipt,
            self.mode,
            self.has("sign"),
            self.has("encrypt"),
            self.require_mic(),
        )
    }

    fn shown(&self) -> String {
        let Way {
            layers,
            sign,
            cipher,
            receipt,
            mode,
            ..
        } = self;
        format!("[{layers}] {sign} {cipher}, {receipt} receipt, {mode}")
    }

    /// The peer sends a file to us.
    fn comes(&self, peer: &mut Peer, house: &Running, file: &Path, peers: &str) {
        let shown = self.shown();
        let to = format!("http://{}/as2", house.as2);
        let (name, partner) = (
            format!("peer-{}", self.name),
            format!("house-{}", self.name),
        );
        let mut words = vec![
            ("url", to.as_str()),
            ("name", &name),
            ("partner", &partner),
            ("key", "peer.key"),
            ("cert", "peer.crt"),
            ("to", "house.crt"),
            ("file", file.to_str().expect("a path of a test is text")),
            ("layers", self.layers),
            ("sign", self.sign),
            ("cipher", self.cipher),
            ("receipt", self.receipt),
        ];
        if self.mode == "async" {
            words.push(("async", peers));
        }
        let sent = block_in_place(|| peer.ask("post", &words));
        let sent = sent.unwrap_or_else(|why| panic!("{shown}: {why}"));
        assert!(sent["status"].starts_with('2'), "{shown}: {sent:?}");
        if self.receipt == "none" {
            return;
        }
        assert_eq!(sent["disposition"], "processed", "{shown}: {sent:?}");
        assert_eq!(sent["answers"], sent["message_id"], "{shown}");
        if self.has("sign") {
            assert_eq!(sent["mic_sent"], sent["mic_returned"], "{shown}");
        }
        // A weak digest is read from this partner, and never written.
        let digest = if self.sign == "sha1" {
            "sha256"
        } else {
            self.sign
        };
        let signed = (self.receipt == "signed").then_some(digest);
        assert_eq!(
            sent.get("mdn_digest").map(String::as_str),
            signed,
            "{shown}"
        );
    }

    /// We send a file to the peer.
    async fn goes(&self, peer: &mut Peer, house: &Running, file: &Path) {
        let shown = self.shown();
        let bytes = std::fs::read(file).expect("the file is there");
        let document = house.gateway.send(&self.name, &bytes).await;
        let document = document.unwrap_or_else(|why| panic!("{shown}: {why}"));
        // pyas2lib tells no MIC of what is not signed: what it got, nobody knows, unless the
        // partner file says that this is enough.
        let told = self.receipt == "none" || self.has("sign") || !self.require_mic();
        let due = match told {
            true => MessageState::Confirmed,
            false => MessageState::Uncertain,
        };
        let sent = until(house, &shown, async |store| {
            let detail = store.document(document).await.expect("the store answers")?;
            let carrier = house.gateway.carrier(&detail.document).await;
            let sent = carrier.expect("the store answers")?;
            let tried = sent.events.iter().any(|event| event.what == "retry");
            let open = [MessageState::Sealed, MessageState::Sent].contains(&sent.message.state);
            (tried || !open).then_some(sent)
        })
        .await;
        assert_eq!(sent.message.state, due, "{shown}: {:?}", sent.events);
        let got = block_in_place(|| peer.ask("came", &[])).expect("it came");
        self.arrived(&got, &shown);
        assert_eq!(got["payload_sha256"], sha256(file), "{shown}");
        let content = sent.message.content.expect("it has a content");
        assert_eq!(got["payload_sha256"], hex(&content), "{shown}");
        if self.has("sign") {
            let mic = sent.message.mic.as_deref().expect("it has a MIC");
            assert_eq!(
                mic.split(',').next(),
                got.get("mic").map(String::as_str),
                "{shown}"
            );
        }
        if self.receipt != "none" && self.has("sign") {
            let mdn = house.gateway.mdn(&sent).expect("it has a receipt");
            assert_eq!(mdn.signature.is_some(), self.receipt == "signed", "{shown}");
            let told = mdn.mic.map(|mic| mic.to_string());
            assert_eq!(told, sent.message.mic, "{shown}");
        }
        let posted = (self.mode == "async").then_some("200");
        assert_eq!(got.get("mdn_status").map(String::as_str), posted, "{shown}");
    }

    /// What the peer got is what was agreed.
    fn arrived(&self, got: &Answer, shown: &str) {
        assert_eq!(got["disposition"], "processed", "{shown}: {got:?}");
        let is = |name: &str| got[name] == "True";
        let have = [is("signed"), is("encrypted"), is("compressed")];
        assert_eq!(
            have,
            ["sign", "encrypt", "compress"].map(|one| self.has(one)),
            "{shown}"
        );
        let digest = self.has("sign").then_some(self.sign);
        assert_eq!(got.get("digest").map(String::as_str), digest, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_pyas2lib_knows_both_ways() {
    let folder = keys();
    let Some(mut peer) = Peer::pyas2lib(folder.path()) else {
        return;
    };
    // It takes what comes, and says how it came.
    let mut listen = LISTEN;
    listen
        .iter_mut()
        .filter(|word| word.0 == "layers")
        .for_each(|word| word.1 = "");
    let listening = block_in_place(|| peer.ask("listen", &listen));
    let url = listening.expect("it listens")["url"].clone();
    let ways = Way::all();
    let files: Vec<String> = ways
        .iter()
        .map(|way| way.agreed(folder.path(), &url))
        .collect();
    let house = start(folder.path(), &files).await;
    let file = Path::new(ROOT).join("samples/demo/order.edi");
    for way in &ways {
        way.comes(&mut peer, &house, &file, &url);
        if way.written {
            way.goes(&mut peer, &house, &file).await;
        }
    }
    house.stop().await.expect("the gateway ends");
}
