//! Receipts that travel by requests of their own, both ways.

use bytes::Bytes;
use chrono::TimeDelta;
use tokio::net::TcpListener;
use transload::as2::{Disposition, Headers, Mdn};
use transload::store::{Direction, DocumentState, Key, MessageState, WorkKind};

use super::hostile::{self, Request, post, seal};
use super::pair::{Kind, Pair, Side, buyer_keys, buyer_profile, sample};
use super::receipts::{Mood, Partner, post_receipt, seller_agreeing, send, tried};

const ASYNC: &str = "receipt_mode = \"async\"\n";

#[tokio::test]
async fn two_gateways_post_their_receipts() {
    super::on_both(async |kind| {
        for more in ["", "receipt = \"unsigned\"\nversion = \"1.3\"\n"] {
            let pair = Pair::agreeing(kind, &format!("{ASYNC}{more}")).await;
            let order = sample("demo/order.edi");
            let sent = pair
                .buyer
                .gateway()
                .send("tinderbox", &order)
                .await
                .unwrap();
            let out = pair.buyer.outgoing(sent, MessageState::Confirmed).await;
            let came = pair.seller.documents(DocumentState::Delivered, "850").await;
            let arrived = pair.seller.message_of(&came[0]).await;
            assert_eq!(out.message.mic, arrived.message.mic);
            assert_eq!(
                out.answer.unwrap().body,
                arrived.answer.unwrap().body,
                "the MDN's bytes"
            );
            assert_eq!(arrived.answer_to, Some(pair.buyer.url()));
            // Their 997 settles it, and got its own receipt by the same way.
            pair.buyer.documents(DocumentState::Accepted, "850").await;
            pair.stop().await;
        }
    })
    .await;
}

/// A message of the buyer's that wants its receipt there.
fn asking(id: &str, url: &str) -> Request {
    let payload = sample("demo/order.edi");
    let mut request = seal(&payload, id, &buyer_keys(), &buyer_profile());
    let field = ("Receipt-Delivery-Option".to_owned(), url.to_owned());
    request.headers.push(field);
    request
}

/// The receipts that were posted, once there are so many.
async fn posted(seller: &Side, partner: &Partner, count: usize) -> Vec<(Headers, Vec<u8>)> {
    seller
        .until("a receipt", async || {
            // A 997 goes there too.
            let seen = partner.seen.lock().unwrap();
            let seen = seen.iter().map(|request| {
                let headers: Headers = request.headers.iter().cloned().collect();
                (headers, request.body.clone())
            });
            let receipts: Vec<_> = seen
                .filter(|(headers, body)| Mdn::is(headers, body))
                .collect();
            (receipts.len() >= count).then_some(receipts)
        })
        .await
}

fn read((headers, body): &(Headers, Vec<u8>), id: &str) -> Mdn {
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let mdn = Mdn::read(headers, body, &keys, &profile, chrono::Utc::now()).unwrap();
    assert!(mdn.signature.is_some() && mdn.answers(id), "{}", mdn.text);
    assert_eq!(headers.as2_from().unwrap(), profile.their_id);
    assert_eq!(headers.get("content-transfer-encoding"), None);
    mdn
}

#[tokio::test]
async fn a_receipt_is_posted_and_posted_again_for_a_copy() {
    super::on_both(async |kind| {
        let (seller, clock, address) = seller_agreeing(kind, "").await;
        let url = format!("http://{address}/as2");
        let (id, request) = ("<7@x>", asking("<7@x>", &url));
        let answer = post(&seller, &request).await;
        assert_eq!((answer.status, answer.body), (202, Bytes::new()));
        // Nobody listens there yet.
        seller
            .until("a try", async || {
                let found = seller.store().messages(Default::default()).await.unwrap();
                let detail = seller.store().message(found[0].id).await.unwrap()?;
                detail
                    .events
                    .iter()
                    .any(|event| event.what == "retry")
                    .then_some(())
            })
            .await;
        // The clock moves for what waits, not under a step.
        seller.documents(DocumentState::Delivered, "850").await;
        let partner = Partner::new();
        partner.set(Mood::Status(503));
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        for tries in 1..=2 {
            clock.forward(TimeDelta::hours(1));
            seller.gateway().poke();
            posted(&seller, &partner, tries).await;
            partner.set(Mood::Silent);
        }
        let first = posted(&seller, &partner, 2).await;
        assert_eq!(first[0], first[1], "the same receipt, and the same headers");
        assert!(read(&first[0], id).disposition.is_positive());

        // A copy, and a copy that wants to hear it at once.
        let answer = post(&seller, &request).await;
        assert_eq!((answer.status, answer.body), (202, Bytes::new()));
        assert_eq!(posted(&seller, &partner, 3).await[2], first[0]);
        let mut now = asking(id, &url);
        now.headers.pop();
        assert_eq!(post(&seller, &now).await.body, first[0].1);
        assert_eq!(seller.bridge_out("quillfeather").len(), 1);

        // What is refused is told by the same way.
        let mut broken = asking("<8@x>", &url);
        let middle = broken.body.len() / 2;
        broken.body[middle] ^= 1;
        assert_eq!(post(&seller, &broken).await.status, 202);
        let told = read(&posted(&seller, &partner, 4).await[3], "<8@x>");
        assert_eq!(told.disposition, Disposition::error("decryption-failed"));
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_an_agreed_address_is_asked() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = elsewhere.local_addr().unwrap();
    let (seller, _, address) = seller_agreeing(Kind::Memory, "").await;
    for (n, url) in [
        format!("http://{other}/as2"),
        format!("https://{address}/as2"),
        format!("http://{address}@{other}/as2"),
        "mailto:mdn@example.com".into(),
        "file:///etc/passwd".into(),
        "nonsense".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("<{n}@x>");
        let answer = post(&seller, &asking(&id, &url)).await;
        assert_eq!(answer.status, 403, "{url}");
        let headers: Headers = answer.headers.iter().cloned().collect();
        let mdn = read(&(headers, answer.body.to_vec()), &id);
        let told = Disposition::failure("receipt address not agreed");
        assert_eq!(mdn.disposition, told);
    }
    assert!(seller.list(Direction::Inbound, "").await.is_empty());
    let counts = seller.store().counts().await.unwrap();
    assert!(
        counts
            .work
            .iter()
            .all(|(kind, _)| *kind != WorkKind::Answer)
    );
    seller.running.stop().await.unwrap();

    let listed = format!("receipts_to = [\"http://{other}\"]\n");
    let (seller, ..) = seller_agreeing(Kind::Memory, &listed).await;
    let partner = Partner::new();
    partner.set(Mood::Silent);
    partner.listen(elsewhere, seller.folder.path());
    let url = format!("http://{other}/as2?client=quill%20feather");
    assert_eq!(post(&seller, &asking("<1@x>", &url)).await.status, 202);
    posted(&seller, &partner, 1).await;
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_receipt_that_nobody_takes_is_given_up() {
    super::on_both(async |kind| {
        let (seller, clock, address) = seller_agreeing(kind, "").await;
        let partner = Partner::new();
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        let url = format!("http://{address}/as2");
        for (n, status, wait) in [(1, 404, 0), (2, 302, 0), (3, 503, 73)] {
            partner.set(Mood::Status(status));
            let id = format!("<{n}@x>");
            assert_eq!(post(&seller, &asking(&id, &url)).await.status, 202);
            posted(&seller, &partner, n).await;
            seller
                .until("so many orders", async || {
                    let came = seller.list(Direction::Inbound, "850").await;
                    (came.len() == n).then_some(())
                })
                .await;
            seller.documents(DocumentState::Delivered, "850").await;
            clock.forward(TimeDelta::hours(wait));
            seller.gateway().poke();
            let found = seller
                .until("a receipt given up", async || {
                    let key = Key {
                        our_id: "TINDERBOX".into(),
                        partner_id: "QUILL FEATHER".into(),
                        message_id: format!("{n}@x"),
                    };
                    let found = seller.store().find(Direction::Inbound, key);
                    let found = found.await.unwrap()?;
                    let detail = seller.store().message(found.id).await.unwrap()?;
                    let state = detail.message.state;
                    (state == MessageState::Uncertain).then_some(detail)
                })
                .await;
            let last = found
                .events
                .iter()
                .rfind(|event| event.what == "answer given up");
            assert!(
                last.unwrap()
                    .detail
                    .contains(&format!("HTTP status {status}"))
            );
        }
        seller.running.stop().await.unwrap();
    })
    .await;
}

/// A message of ours for which the receipt is awaited, and the request as the partner got it.
async fn awaited(seller: &Side, partner: &Partner) -> (uuid::Uuid, Request) {
    partner.set(Mood::Silent);
    let document = send(seller).await;
    let message = tried(seller, document, 1).await;
    assert_eq!(message.message.state, MessageState::Sent);
    let request = partner.seen.lock().unwrap().pop().unwrap();
    (document, request)
}

#[tokio::test]
async fn each_receipt_that_comes_has_its_meaning() {
    super::on_both(async |kind| {
        let (seller, _, address) = seller_agreeing(kind, ASYNC).await;
        let partner = Partner::new();
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        use MessageState::{Confirmed, Refused, Sent, Uncertain};
        for (mood, state, event) in [
            (Mood::Good, Confirmed, "confirmed"),
            (Mood::No, Refused, "refused"),
            (Mood::OtherMic, Uncertain, "uncertain"),
            (Mood::NoMic, Uncertain, "uncertain"),
            (Mood::Duplicate, Uncertain, "uncertain"),
            (Mood::Unsigned, Sent, "receipt ignored"),
            (Mood::UnsignedNo, Sent, "receipt ignored"),
            (Mood::ByStranger, Sent, "receipt ignored"),
            (Mood::ForAnother, Sent, "sent"),
        ] {
            let (document, request) = awaited(&seller, &partner).await;
            let message = tried(&seller, document, 1).await;
            for _ in 0..2 {
                let answer = post_receipt(mood, &request.headers, &request.body).await;
                assert_eq!(answer, (200, Bytes::new()), "{mood:?}");
            }
            let after = seller
                .store()
                .message(message.message.id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                after.message.state, state,
                "{mood:?}: {}",
                after.message.note
            );
            assert!(
                after.events.iter().any(|e| e.what == event),
                "{mood:?}: {:#?}",
                after.events
            );
            assert_eq!(after.answer.is_some(), state != Sent, "{mood:?}: evidence");
            if state == Sent {
                // The true one settles it all the same.
                post_receipt(Mood::Good, &request.headers, &request.body).await;
                let after = seller
                    .store()
                    .message(message.message.id)
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(after.message.state, Confirmed, "{mood:?}");
            }
        }
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_receipt_may_come_before_the_answer() {
    super::on_both(async |kind| {
        let (seller, _, address) = seller_agreeing(kind, ASYNC).await;
        let partner = Partner::new();
        partner.set(Mood::First);
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        let document = send(&seller).await;
        seller.outgoing(document, MessageState::Confirmed).await;
        let detail = seller.store().document(document).await.unwrap().unwrap();
        assert_eq!(detail.document.state, DocumentState::Sent);
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn without_a_receipt_the_same_bytes_go_again_and_a_late_one_settles() {
    super::on_both(async |kind| {
        let (seller, clock, address) = seller_agreeing(kind, ASYNC).await;
        let partner = Partner::new();
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        let (document, first) = awaited(&seller, &partner).await;
        clock.forward(TimeDelta::minutes(59));
        seller.gateway().poke();
        for (tries, hours) in [(2, 1), (3, 3)] {
            assert_eq!(
                tried(&seller, document, tries - 1).await.message.state,
                MessageState::Sent
            );
            clock.forward(TimeDelta::hours(hours));
            seller.gateway().poke();
            tried(&seller, document, tries).await;
            let again = partner.seen.lock().unwrap().pop().unwrap();
            assert_eq!((&again.body, &again.headers), (&first.body, &first.headers));
        }
        clock.forward(TimeDelta::hours(72));
        seller.gateway().poke();
        let given_up = tried(&seller, document, 4).await.message;
        assert_eq!(given_up.state, MessageState::Uncertain);
        assert_eq!(given_up.note, "given up: no receipt came");
        assert!(
            partner.seen.lock().unwrap().is_empty(),
            "not sent once more"
        );
        post_receipt(Mood::Good, &first.headers, &first.body).await;
        let settled = seller.store().message(given_up.id).await.unwrap().unwrap();
        assert_eq!(settled.message.state, MessageState::Confirmed);
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_partner_who_posts_receipts_needs_our_address() {
    let text = "name = \"a\"\n[as2]\nid = \"A\"\nour_id = \"U\"\nurl = \"http://a/\"\n\
                receipt_mode = \"async\"\ncertificates = [\"a.pem\"]\n";
    let partner = transload::partner::parse(text, "a.toml").unwrap();
    let partners = transload::partner::Partners::new(vec![partner]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Kind::Memory.open(folder.path());
    let settings = transload::gateway::Settings::new(store, partners, folder.path());
    let why = transload::gateway::Gateway::new(settings).err().unwrap();
    assert!(why.to_string().contains("set as2.receipt_url"), "{why}");
}

#[tokio::test]
async fn what_a_receipt_has_to_say_is_agreed() {
    let more = format!("{ASYNC}require_mic = false\ngive_up_hours = 2\n");
    let (seller, clock, address) = seller_agreeing(Kind::Memory, &more).await;
    let partner = Partner::new();
    partner.listen(
        TcpListener::bind(address).await.unwrap(),
        seller.folder.path(),
    );
    let (document, request) = awaited(&seller, &partner).await;
    post_receipt(Mood::NoMic, &request.headers, &request.body).await;
    seller.outgoing(document, MessageState::Confirmed).await;
    let (document, _) = awaited(&seller, &partner).await;
    clock.forward(TimeDelta::hours(2));
    seller.gateway().poke();
    seller.outgoing(document, MessageState::Uncertain).await;
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn an_order_that_quotes_a_receipt_is_an_order() {
    let (seller, ..) = seller_agreeing(Kind::Memory, "require_encrypted = false\n").await;
    let profile = transload::as2::Profile {
        encrypt: None,
        ..buyer_profile()
    };
    let order = String::from_utf8(sample("demo/order.edi")).unwrap();
    let quoting = order.replace("7QK4M2XD", "multipart/report");
    let request = seal(quoting.as_bytes(), "<9@x>", &buyer_keys(), &profile);
    let answer = post(&seller, &request).await;
    assert!(hostile::receipt(&answer, "<9@x>").disposition.is_positive());
    seller.running.stop().await.unwrap();
}
