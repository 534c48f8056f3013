//! A disk that is nearly full (P7, B3): who brings something new is asked to come again, what is here
//! goes on.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transload::clock::System;
use transload::gateway::{Limits, Mark};
use transload::net::client::Response;
use transload::store::{Direction, Filter, Message, MessageState, Store};

use super::hostile::{post, seal};
use super::pair::{
    Kind, Side, bind, buyer_keys, buyer_profile, identities, sample, sellers_buyer, side_on,
};
use super::receipts::{Partner, send};

/// A mark that every disk is under.
const EVER: Mark = Mark {
    percent: 200,
    most: u64::MAX,
};

/// A seller, and a buyer who answers him.
async fn seller(kind: Kind, change: impl FnOnce(&mut Limits)) -> Side {
    seller_on(|folder| kind.open(folder), change).await
}

/// The same on a store.
async fn seller_on(
    store: impl FnOnce(&Path) -> Arc<dyn Store>,
    change: impl FnOnce(&mut Limits),
) -> Side {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/as2", listener.local_addr().unwrap());
    let seller = side_on(
        store,
        bind().await,
        &identities()[1],
        Arc::new(System),
        |folder| vec![sellers_buyer(folder, &url)],
        change,
    );
    Partner::new().listen(listener, seller.folder.path());
    seller
}

/// What the admin listener says.
async fn get(seller: &Side, path: &str) -> String {
    let mut stream = TcpStream::connect(seller.running.admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn retry_after(answer: &Response) -> Option<&str> {
    let mut headers = answer.headers.iter();
    let found = headers.find(|(name, _)| name == "retry-after");
    found.map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_disk_that_is_low_takes_nothing_new_and_goes_on_sending() {
    super::on_both(async |kind| {
        let seller = seller(kind, |limits| limits.disk.low = EVER).await;
        let order = seal(
            &sample("demo/order.edi"),
            "<1@x>",
            &buyer_keys(),
            &buyer_profile(),
        );
        let answer = post(&seller, &order).await;
        assert_eq!((answer.status, retry_after(&answer)), (503, Some("300")));
        let none = Filter::default();
        assert_eq!(seller.store().messages(none).await.unwrap(), []);
        let document = send(&seller).await;
        seller.outgoing(document, MessageState::Confirmed).await;
        let why = get(&seller, "/readyz").await;
        assert!(
            why.contains(" 503 ") && why.contains("nearly full"),
            "{why}"
        );
        let alerts = get(&seller, "/alerts").await;
        assert!(alerts.contains(r#""kind":"disk""#), "{alerts}");
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_is_full_begins_nothing_and_its_ballast_is_given_free() {
    let folder = tempfile::tempdir().unwrap();
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, b"held back").unwrap();
    let kept = ballast.clone();
    let seller = seller(Kind::Sqlite, move |limits| {
        limits.disk.out = EVER;
        limits.disk.ballast = Some((kept, 1));
    })
    .await;
    let order = seal(
        &sample("demo/order.edi"),
        "<1@x>",
        &buyer_keys(),
        &buyer_profile(),
    );
    assert_eq!(post(&seller, &order).await.status, 503);
    let bytes = sample("x12/004010/855/pass/accepted.edi");
    seller.gateway().send("quillfeather", &bytes).await.unwrap();
    let mut moved = seller.gateway().moved();
    while ballast.exists() {
        seller.gateway().poke();
        moved.changed().await.unwrap();
    }
    let waits = seller.store().queue(9).await.unwrap().waiting;
    assert!(waits.iter().all(|row| !row.leased), "{waits:?}");
    assert_eq!(waits.len(), 1);
    seller.running.stop().await.unwrap();
}

/// Who asks again what was answered is no newcomer: his answer is there, and takes no room.
#[tokio::test]
async fn a_disk_that_is_low_still_gives_the_receipts_that_it_has() {
    super::on_both(async |kind| {
        let before = seller(kind, |_| {}).await;
        // No order: the partner here waits for an answer to one, and for nothing else.
        let payload = b"no order at all";
        let sealed = |payload: &[u8], id| seal(payload, id, &buyer_keys(), &buyer_profile());
        let known = sealed(payload, "<1@x>");
        let first = post(&before, &known).await;
        assert_eq!(first.status, 200);
        // The same store, on a disk that has filled up since.
        let store = Arc::clone(before.gateway().store());
        let low = seller_on(|_| store, |limits| limits.disk.low = EVER).await;
        let again = post(&low, &known).await;
        assert_eq!((again.status, again.body), (200, first.body));
        // Who has heard the id, and is not its owner, gets nothing, and leaves nothing.
        let mut forged = sealed(b"something else", "<1@x>");
        let middle = forged.body.len() / 2;
        forged.body[middle] ^= 1;
        for request in [sealed(b"another", "<2@x>"), forged] {
            assert_eq!(post(&low, &request).await.status, 503);
        }
        let all = low.store().messages(Filter::default()).await.unwrap();
        let came = |message: &&Message| message.direction == Direction::Inbound;
        assert_eq!(all.iter().filter(came).count(), 1);
        low.running.stop().await.unwrap();
    })
    .await;
}
