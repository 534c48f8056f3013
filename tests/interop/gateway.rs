//! Our gateway and pyas2lib, both ways: `house` is ours, `peer` is theirs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::block_in_place;
use transload::as2::Identity;
use transload::gateway::{Gateway, Limits, Sent, Settings};
use transload::partner::{self, Partners};
use transload::store::{Direction, DocumentState, Filter, Memory, MessageState, Store};
use transload::web::{self, Listeners, Running};
use transload::x12;

use super::{Answer, Peer, ROOT, keys};

/// How long something that never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Our gateway, whose one partner is the peer with the ids of an interchange.
async fn house(folder: &Path, url: &str, interchange: &[u8], inbound: bool) -> Running {
    let file = x12::read(interchange).expect("the file is X12");
    let header = &file.interchanges[0].header;
    let (ours, theirs) = match inbound {
        true => (&header.receiver, &header.sender),
        false => (&header.sender, &header.receiver),
    };
    let party = |party: &x12::Qualified| {
        let (qualifier, id) = (party.qualifier.trim(), party.id.trim());
        format!("{{ qualifier = {qualifier:?}, id = {id:?} }}")
    };
    let pem = folder.join("peer.crt");
    let text = format!(
        "name = \"peer\"\n[as2]\nour_id = \"house\"\nid = \"peer\"\nurl = {url:?}\n\
         certificates = [{pem:?}]\n[x12]\nours = {}\ntheirs = {}\n\
         [documents.850]\n[documents.855]\n",
        party(ours),
        party(theirs)
    );
    start(folder, &[text]).await
}

/// Our gateway in a folder with the keys, with the partners of these files.
pub(super) async fn start(folder: &Path, partners: &[String]) -> Running {
    let parse = |text: &String| partner::parse(text, "partner.toml").expect("the file is right");
    let partners = Partners::new(partners.iter().map(parse).collect());
    let read = |name: &str| std::fs::read(folder.join(name)).expect("the keys are made");
    let us = Identity::from_pem(&read("house.crt"), &read("house.key"));
    let any = ([127, 0, 0, 1], 0).into();
    let listeners = Listeners::bind(any, any).await.expect("a free port");
    let settings = Settings {
        identities: vec![us.expect("the keys open")],
        receipt_url: Some(listeners.url().expect("it is bound")),
        limits: Limits {
            poll: Duration::from_millis(10),
            ..Limits::default()
        },
        ..Settings::new(
            Arc::new(Memory::default()),
            partners.expect("no partner is like another"),
            &folder.join("bridge"),
        )
    };
    let gateway = Gateway::new(settings).expect("the settings are right");
    web::run(gateway, listeners, folder.join("spool")).expect("the gateway starts")
}

/// Looks after each step of the gateway until there is something.
pub(super) async fn until<T>(
    house: &Running,
    what: &str,
    look: impl AsyncFn(&dyn Store) -> Option<T>,
) -> T {
    let store = house.gateway.store();
    let mut moved = house.gateway.moved();
    let found = async {
        loop {
            moved.borrow_and_update();
            if let Some(found) = look(store.as_ref()).await {
                return found;
            }
            moved.changed().await.expect("the gateway runs");
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

pub(super) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hexadecimal, as openssl reckons it.
pub(super) fn sha256(path: &Path) -> String {
    let mut command = std::process::Command::new("openssl");
    command.args(["dgst", "-sha256", "-r"]).arg(path);
    let output = command.output().expect("the openssl command is installed");
    let line = String::from_utf8(output.stdout).expect("a digest is text");
    line.split(' ').next().expect("a word").to_owned()
}

/// The peer sends a file to us, as bytes that nobody may touch, with the keys of `who`.
fn post(peer: &mut Peer, house: &Running, file: &Path, who: &str, layers: &str) -> Answer {
    let words = [
        ("url", &*format!("http://{}/as2", house.as2)),
        ("file", file.to_str().expect("a path of a test is text")),
        ("key", &*format!("{who}.key")),
        ("cert", &*format!("{who}.crt")),
        ("to", "house.crt"),
        ("layers", layers),
        ("receipt", "signed"),
    ];
    let said = block_in_place(|| peer.ask("post", &words));
    said.unwrap_or_else(|why| panic!("{why}"))
}

/// Orders: ours, and where they are those that others wrote.
fn orders() -> Vec<PathBuf> {
    let shared = Path::new(ROOT).join("../shared/x12/corpus");
    let mut orders = vec![Path::new(ROOT).join("samples/demo/order.edi")];
    match shared.is_dir() {
        true => orders.extend(
            [
                "aaronhuggins__node-x12/test__test-data__850.edi",
                "apimeister__x12-types/test-data__004010_850.edi",
            ]
            .map(|name| shared.join(name)),
        ),
        false => say!("skipped: no ../shared"),
    }
    orders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_the_peer_is_receipted_and_delivered() {
    let folder = keys();
    let Some(mut peer) = Peer::pyas2lib(folder.path()) else {
        return;
    };
    for order in orders() {
        let bytes = std::fs::read(&order).expect("the order is there");
        let house = house(folder.path(), "http://127.0.0.1:9/", &bytes, true).await;

        let sent = post(&mut peer, &house, &order, "peer", "sign,encrypt");
        assert_eq!(sent["status"], "200", "{sent:?}");
        assert_eq!(sent["disposition"], "processed", "{sent:?}");
        assert_eq!(sent["mdn_digest"], "sha256", "it is signed: {sent:?}");
        assert_eq!(sent["mic_sent"], sent["mic_returned"]);

        let delivered = until(&house, "the order", async |store| {
            let filter = Filter {
                direction: Some(Direction::Inbound),
                state: Some(DocumentState::Delivered),
                ..Filter::default()
            };
            let found = store.documents(filter).await.expect("the store answers");
            found.into_iter().find(|document| document.set == "850")
        })
        .await;
        let carrier = house.gateway.carrier(&delivered).await;
        let carrier = carrier
            .expect("the store answers")
            .expect("it came over AS2");
        let message = &carrier.message;
        let mic = message.mic.as_deref().expect("it has a MIC");
        assert_eq!(
            mic.split(',').next(),
            sent.get("mic_sent").map(String::as_str)
        );
        let content = message.content.expect("it was opened");
        assert_eq!(hex(&content), sha256(&order), "the payload's digest");
        let kept = house.gateway.store().payload(content).await;
        let kept = kept.expect("the store answers").expect("they are kept");
        assert!(kept.read().expect("they can be read") == bytes, "its bytes");

        delivered_is(folder.path(), &order);
        house.stop().await.expect("the gateway ends");
        std::fs::remove_dir_all(folder.path().join("bridge")).expect("a folder of ours");
    }
}

/// One order is in the bridge's folder: its number, quantities and prices are those of the file.
fn delivered_is(folder: &Path, order: &Path) {
    let out = std::fs::read_dir(folder.join("bridge/peer/out")).expect("the folder is there");
    let files: Vec<PathBuf> = out
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let json = std::fs::read(&files[0]).expect("the file is readable");
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    let text = std::fs::read_to_string(order).expect("an order is text");
    let segments = || text.split('~').map(|segment| segment.trim().split('*'));
    let numbers = segments().filter(|segment| segment.clone().next() == Some("BEG"));
    let number = numbers.map(|mut begin| begin.nth(3)).next().flatten();
    assert!(
        number.is_some_and(|number| json["number"] == number),
        "{json}"
    );
    let written: Vec<[Option<&str>; 2]> = segments()
        .filter(|segment| segment.clone().next() == Some("PO1"))
        .map(|line| [2, 4].map(|at| line.clone().nth(at)))
        .collect();
    let lines = json["lines"].as_array().expect("an order has lines").iter();
    let arrived: Vec<[Option<&str>; 2]> = lines
        .map(|line| {
            [
                line["quantity"]["value"].as_str(),
                line["price"]["amount"].as_str(),
            ]
        })
        .collect();
    assert!(!arrived.is_empty());
    assert_eq!(arrived, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_acknowledgment_is_receipted_by_the_peer() {
    let folder = keys();
    let Some(mut peer) = Peer::pyas2lib(folder.path()) else {
        return;
    };
    let path = Path::new(ROOT).join("samples/x12/004010/855/pass/accepted.edi");
    let bytes = std::fs::read(&path).expect("the sample is there");
    let listening = block_in_place(|| peer.ask("listen", &super::LISTEN)).expect("it listens");
    let url = listening["url"].clone();
    let house = house(folder.path(), &url, &bytes, false).await;

    let sent = house
        .gateway
        .send_and_wait("peer", std::io::Cursor::new(bytes.clone()))
        .await;
    let Sent::Message(sent) = sent.expect("it is queued") else {
        panic!("the message was not sealed");
    };
    let got = block_in_place(|| peer.ask("came", &[])).expect("it came");
    assert_eq!(got["disposition"], "processed", "{got:?}");
    assert_eq!((&*got["signed"], &*got["encrypted"]), ("True", "True"));
    let message = &sent.message;
    assert_eq!(message.state, MessageState::Confirmed, "{}", message.note);
    let mdn = house.gateway.mdn(&sent).expect("the receipt is a receipt");
    assert!(mdn.signature.is_some());
    let mic = message.mic.as_deref().expect("it has a MIC");
    assert_eq!(mdn.mic.expect("the peer gives one").to_string(), mic);
    assert_eq!(mic.split(',').next(), got.get("mic").map(String::as_str));

    let content = message.content.expect("it has a content");
    assert_eq!(hex(&content), sha256(&path));
    assert_eq!(got["payload_sha256"], hex(&content));
    house.stop().await.expect("the gateway ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_with_a_receipt_that_it_reads() {
    let folder = keys();
    let Some(mut peer) = Peer::pyas2lib(folder.path()) else {
        return;
    };
    let order = Path::new(ROOT).join("samples/demo/order.edi");
    let bytes = std::fs::read(&order).expect("the order is there");
    let house = house(folder.path(), "http://127.0.0.1:9/", &bytes, true).await;

    // What was encrypted does not say which of its layers failed: that would be an oracle.
    for (layers, detail) in [
        ("sign,encrypt", "decryption-failed"),
        ("sign", "authentication-failed"),
    ] {
        let sent = post(&mut peer, &house, &order, "stranger", layers);
        assert_eq!(sent["status"], "200", "{sent:?}");
        assert_eq!(sent["detail"], detail, "{sent:?}");
        assert_eq!(sent["mdn_digest"], "sha256", "it is signed: {sent:?}");
        assert_eq!(sent.get("mic_returned"), None, "{sent:?}");
    }
    let documents = house.gateway.store().documents(Filter::default()).await;
    assert!(documents.expect("the store answers").is_empty());
    house.stop().await.expect("the gateway ends");
}
