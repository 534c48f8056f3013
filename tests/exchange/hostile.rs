//! What comes in and must not be taken, or not twice.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use transload::as2::{self, Disposition, Document, Headers, Keys, Mdn, Profile};
use transload::clock::System;
use transload::gateway::{Gateway, Settings};
use transload::net;
use transload::net::client::{self, Client, Response, Trust};
use transload::store::{Direction, DocumentState, Filter, Message, MessageState};

use super::pair::{
    Kind, Side, bind, buyer_keys, buyer_profile, identities, sample, sellers_buyer, side,
};

/// A request as a buyer makes it.
pub(crate) struct Request {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Seals a payload as a buyer would, or as somebody who would like to be one.
pub(crate) fn seal(payload: &[u8], id: &str, keys: &Keys, profile: &Profile) -> Request {
    let document = Document {
        content_type: "application/EDI-X12",
        file_name: None,
        message_id: id,
    };
    let (mut body, source) = (Vec::new(), Cursor::new(payload));
    let entropy = &mut net::entropy;
    let now = Utc::now();
    let sealed = as2::seal(source, &mut body, document, keys, profile, entropy, now).unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Request {
        headers: sealed.headers.iter().map(owned).collect(),
        body,
    }
}

pub(super) async fn post(seller: &Side, request: &Request) -> Response {
    let client = Client::new(Trust::System, client::Limits::default());
    let body = Bytes::from(request.body.clone());
    client
        .post(&seller.url(), &request.headers, body)
        .await
        .unwrap()
}

/// Reads an answer as the buyer does: signed by the seller, for this message.
pub(super) fn receipt(answer: &Response, id: &str) -> Mdn {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let headers: Headers = answer.headers.iter().cloned().collect();
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let mdn = Mdn::read(&headers, &answer.body, &keys, &profile, Utc::now()).unwrap();
    assert!(mdn.signature.is_some() && mdn.answers(id), "{}", mdn.text);
    assert_eq!(headers.as2_from().unwrap(), profile.their_id);
    assert_eq!(headers.as2_to().unwrap(), profile.our_id);
    mdn
}

async fn seller(kind: Kind) -> Side {
    let mut listeners = bind().await;
    listeners.limits.body = 1 << 20;
    side(
        kind,
        listeners,
        &identities()[1],
        Arc::new(System),
        |folder| vec![sellers_buyer(folder, "http://127.0.0.1:9/")],
    )
}

async fn messages(seller: &Side, state: MessageState) -> Vec<Message> {
    let filter = Filter {
        direction: Some(Direction::Inbound),
        state: Some(state),
        ..Filter::default()
    };
    seller.store().messages(filter).await.unwrap()
}

#[tokio::test]
async fn what_does_not_open_is_refused_and_its_id_stays_free() {
    super::on_both(async |kind| {
        let seller = seller(kind).await;
        let order = sample("demo/order.edi");
        let [_, _, stranger] = identities();
        let (keys, profile) = (buyer_keys(), buyer_profile());
        let foreign = Keys {
            ours: vec![stranger.clone()],
            ..keys.clone()
        };
        let elsewhere = Keys {
            theirs: vec![stranger.certificate.clone()],
            ..keys.clone()
        };
        let unsigned = Profile {
            sign: None,
            ..profile.clone()
        };
        let clear = Profile {
            encrypt: None,
            ..profile.clone()
        };
        let id = "<1@quillfeather>";
        let sealed = |keys, profile| seal(&order, id, keys, profile);
        let mut flipped = sealed(&keys, &profile);
        let middle = flipped.body.len() / 2;
        flipped.body[middle] ^= 1;
        let mut cut = sealed(&keys, &profile);
        cut.body.truncate(middle);
        let mut altered = sealed(&keys, &clear);
        let place = altered
            .body
            .windows(8)
            .position(|w| w == b"7QK4M2XD")
            .unwrap();
        altered.body[place] = b'8';
        let cases = [
            (
                "signed by a stranger",
                sealed(&foreign, &profile),
                "decryption-failed",
            ),
            (
                "encrypted for a stranger",
                sealed(&elsewhere, &profile),
                "decryption-failed",
            ),
            ("unsigned", sealed(&keys, &unsigned), "decryption-failed"),
            ("a flipped bit", flipped, "decryption-failed"),
            ("cut inside", cut, "decryption-failed"),
            (
                "in clear",
                sealed(&keys, &clear),
                "insufficient-message-security",
            ),
            (
                "in clear, by a stranger",
                sealed(&foreign, &clear),
                "authentication-failed",
            ),
            ("in clear, altered", altered, "integrity-check-failed"),
        ];
        for (n, (what, request, told)) in cases.iter().enumerate() {
            let mdn = receipt(&post(&seller, request).await, id);
            assert_eq!(mdn.disposition, as2::Disposition::error(told), "{what}");
            let refused = messages(&seller, MessageState::Refused).await;
            assert_eq!(refused.len(), n + 1, "{what}");
            assert!(refused[0].content.is_none(), "{what}");
        }
        assert!(seller.list(Direction::Inbound, "").await.is_empty());

        // The true one comes, under the id that none of them could take.
        let mdn = receipt(&post(&seller, &sealed(&keys, &profile)).await, id);
        assert!(mdn.disposition.is_positive());
        seller.documents(DocumentState::Delivered, "850").await;
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn copies_get_the_stored_receipt_and_deliver_nothing() {
    super::on_both(async |kind| {
        let seller = seller(kind).await;
        let id = "<2@quillfeather>";
        let (keys, profile) = (buyer_keys(), buyer_profile());
        let request = seal(&sample("demo/order.edi"), id, &keys, &profile);
        // Sixteen at once, then one sealed anew: other bytes, the same content.
        let posts: Vec<_> = (0..16).map(|_| post(&seller, &request)).collect();
        let mut answers = Vec::new();
        for posted in join_all(posts).await {
            answers.push(posted);
        }
        let anew = seal(&sample("demo/order.edi"), id, &keys, &profile);
        assert_ne!(anew.body, request.body);
        answers.push(post(&seller, &anew).await);
        assert!(receipt(&answers[0], id).disposition.is_positive());
        for answer in &answers {
            assert_eq!(answer.body, answers[0].body, "byte for byte");
            let header = |name: &str| {
                let mut headers = answer.headers.iter();
                headers
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            };
            assert_eq!(header("message-id"), {
                let mut first = answers[0].headers.iter();
                first
                    .find(|(known, _)| known == "message-id")
                    .map(|(_, value)| value.clone())
            });
            assert!(header("content-type").unwrap().contains("multipart/signed"));
        }
        seller.documents(DocumentState::Delivered, "850").await;

        // Somebody with the keys uses the id for something else.
        let other = seal(
            &sample("x12/004010/850/pass/minimal.edi"),
            id,
            &keys,
            &profile,
        );
        let mdn = receipt(&post(&seller, &other).await, id);
        assert!(!mdn.disposition.is_positive() && mdn.disposition.detail.contains("reused"));
        assert_eq!(
            post(&seller, &request).await.body,
            answers[0].body,
            "nothing was overwritten"
        );

        assert_eq!(seller.list(Direction::Inbound, "").await.len(), 1);
        assert_eq!(seller.bridge_out("quillfeather").len(), 1);
        seller.running.stop().await.unwrap();
    })
    .await;
}

/// Polls all at once, and gives their results in order.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *done = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn strangers_and_broken_requests_leave_nothing() {
    let seller = seller(Kind::Sqlite).await;
    let order = sample("demo/order.edi");
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let stranger = Profile {
        our_id: "quill feather".into(),
        ..profile.clone()
    };
    let answer = post(&seller, &seal(&order, "<3@x>", &keys, &stranger)).await;
    assert_eq!(answer.status, 403, "names are exact");
    let first = answer.body;
    let mut nameless = seal(&order, "<3@x>", &keys, &profile);
    nameless.headers.retain(|(name, _)| name != "AS2-To");
    let answer = post(&seller, &nameless).await;
    assert_eq!(
        (answer.status, answer.body),
        (403, first),
        "the same for all"
    );

    let mut large = seal(&order, "<5@x>", &keys, &profile);
    large.body.resize((1 << 20) + 1, 0);
    assert_eq!(post(&seller, &large).await.status, 413);

    let cut = seal(&order, "<6@x>", &keys, &profile);
    let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: x\r\n");
    for (name, value) in &cut.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", cut.body.len()));
    let mut stream = TcpStream::connect(seller.running.as2).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(&cut.body[..cut.body.len() / 2])
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );

    let all = seller.store().messages(Filter::default()).await.unwrap();
    assert!(all.is_empty(), "{all:#?}");
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stranger_is_told_where_the_settings_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Kind::Memory.open(folder.path());
    let partners = transload::partner::Partners::default();
    let settings = Settings {
        tell_strangers: true,
        ..Settings::new(store, partners, folder.path())
    };
    let gateway = Gateway::new(settings).unwrap();
    let request = seal(b"ISA", "<1@x>", &buyer_keys(), &buyer_profile());
    let told = gateway.admit(request.headers.clone(), None).err().unwrap();
    let headers: Headers = told.headers.iter().cloned().collect();
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let mdn = Mdn::read(&headers, &told.body, &keys, &profile, Utc::now()).unwrap();
    assert!(told.status == 200 && mdn.signature.is_none() && mdn.answers("<1@x>"));
    let unknown = Disposition::error("unknown-trading-relationship");
    assert_eq!(mdn.disposition, unknown);
    let mut later = request.headers;
    let elsewhere = ("Receipt-Delivery-Option".into(), "http://127.0.0.1/".into());
    later.push(elsewhere);
    let refused = gateway.admit(later, None).err().unwrap();
    assert_eq!(refused.status, 403, "nothing is posted for a stranger");
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_in_a_receipt() {
    let seller = seller(Kind::Memory).await;
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let mut request = seal(&sample("demo/order.edi"), "<3 4@x>", &keys, &profile);
    let mdn = receipt(&post(&seller, &request).await, "<3 4@x>");
    assert_eq!(mdn.disposition, Disposition::error("invalid-message-id"));
    assert!(
        mdn.text.contains("the Message-ID is missing"),
        "{}",
        mdn.text
    );
    request
        .headers
        .retain(|(name, _)| name != "Message-ID" && !name.starts_with("Disposition"));
    assert_eq!(post(&seller, &request).await.status, 400);
    assert_eq!(messages(&seller, MessageState::Refused).await.len(), 2);
    assert!(seller.list(Direction::Inbound, "").await.is_empty());
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn what_no_document_comes_of_is_held_with_its_reason() {
    let seller = seller(Kind::Memory).await;
    let order = String::from_utf8(sample("demo/order.edi")).unwrap();
    let cases = [
        (
            "not X12",
            "Dear Sir,".to_owned(),
            "",
            "no segment starts with ISA",
        ),
        (
            "for somebody else",
            order.replace("TINDERBOX      ", "TINDERBOX2     "),
            "850",
            "not what the partner file says",
        ),
        (
            "cut short",
            order[..order.find("GE*1").unwrap()].to_owned(),
            "850",
            "may not be whole",
        ),
        (
            "not agreed",
            order.replace("ST*850", "ST*860").replace("GS*PO", "GS*PC"),
            "860",
            "no [documents.860]",
        ),
    ];
    for (n, (what, payload, set, told)) in cases.iter().enumerate() {
        let id = format!("<held-{n}@x>");
        let request = seal(payload.as_bytes(), &id, &buyer_keys(), &buyer_profile());
        let mdn = receipt(&post(&seller, &request).await, &id);
        assert!(mdn.disposition.is_positive(), "{what}: the bytes are safe");
        let held = seller
            .until(what, async || {
                let all = seller.list(Direction::Inbound, "").await;
                (all.len() == n + 1).then_some(all)
            })
            .await;
        let newest = held.first().unwrap();
        assert_eq!(newest.set, *set, "{what}");
        assert_eq!(newest.state, DocumentState::Held, "{what}");
        let detail = seller.store().document(newest.id).await.unwrap().unwrap();
        assert!(
            detail.findings.contains(told),
            "{what}: {}",
            detail.findings
        );
    }
    assert!(seller.bridge_out("quillfeather").is_empty());
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_set_that_is_wrong_is_rejected_and_the_other_one_delivered() {
    let seller = seller(Kind::Memory).await;
    let two = String::from_utf8(sample("x12/004010/850/pass/two-orders.edi")).unwrap();
    let file = transload::x12::read(two.as_bytes()).unwrap();
    let isa = &file.interchanges[0].header;
    let two = two
        .replace(
            &format!("{:<15}", isa.sender.id),
            &format!("{:<15}", "QUILLFEATHER"),
        )
        .replace(
            &format!("{:<15}", isa.receiver.id),
            &format!("{:<15}", "TINDERBOX"),
        )
        .replacen("*EA*", "*EACHES*", 1);
    let id = "<wrong@x>";
    let request = seal(two.as_bytes(), id, &buyer_keys(), &buyer_profile());
    assert!(
        receipt(&post(&seller, &request).await, id)
            .disposition
            .is_positive()
    );
    let delivered = seller.documents(DocumentState::Delivered, "850").await;
    let rejected = seller.documents(DocumentState::Rejected, "850").await;
    assert_eq!((delivered.len(), rejected.len()), (1, 1));
    let answers = seller.list(Direction::Outbound, "997").await;
    let detail = seller
        .store()
        .document(answers[0].id)
        .await
        .unwrap()
        .unwrap();
    let said: serde_json::Value = serde_json::from_str(&detail.content).unwrap();
    assert_eq!(said["verdict"], "P", "{said}");
    seller.running.stop().await.unwrap();
}
