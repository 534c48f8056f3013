//! Whole exchanges over real sockets: two gateways, one playing the buyer; and partners who
//! misbehave.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod circuit;
mod full;
pub(crate) mod hostile;
mod killed;
mod large;
mod later;
pub(crate) mod pair;
mod receipts;
mod related;
mod restart;

use transload::store::{Direction, DocumentState, MessageState};

use pair::{Kind, Pair, sample};

/// Runs a test on both stores.
async fn on_both<F: Future<Output = ()>>(test: impl Fn(Kind) -> F) {
    for kind in [Kind::Memory, Kind::Sqlite] {
        test(kind).await;
    }
}

#[tokio::test]
async fn an_order_comes_in_is_answered_and_delivered() {
    on_both(async |kind| {
        let pair = Pair::start(kind).await;
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
        assert_eq!(
            out.message.mic, arrived.message.mic,
            "the MIC on both sides"
        );
        assert_eq!(
            out.message.content, arrived.message.content,
            "the payload's digest"
        );
        assert_eq!(
            out.answer.unwrap().body,
            arrived.answer.unwrap().body,
            "the MDN's bytes"
        );
        assert!(
            out.message.note.ends_with("; processed"),
            "{}",
            out.message.note
        );

        let files = pair.seller.bridge_out("quillfeather");
        assert_eq!(files.len(), 1);
        let order: serde_json::Value = serde_json::from_slice(&files[0]).unwrap();
        assert_eq!(order["number"], "7QK4M2XD");
        assert_eq!(order["lines"][2]["quantity"]["unit"], "case");
        assert_eq!(order["provenance"]["interchange"], "000000041");

        // Their 997 settles what the buyer sent.
        let settled = pair.buyer.documents(DocumentState::Accepted, "850").await;
        assert_eq!((settled[0].id, settled[0].note.as_str()), (sent, "997 A"));
        pair.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_goes_out_and_is_settled() {
    on_both(async |kind| {
        let pair = Pair::start(kind).await;
        let answer = pair.seller.canonical("x12/004010/855/pass/accepted.edi");
        pair.seller
            .bridge_in("quillfeather", "answer.json", answer.as_bytes());

        let accepted = pair.seller.documents(DocumentState::Accepted, "855").await;
        assert_eq!(accepted[0].note, "997 A");
        let out = pair.seller.message_of(&accepted[0]).await;
        assert_eq!(out.message.state, MessageState::Confirmed);

        let came = pair.buyer.documents(DocumentState::Delivered, "855").await;
        assert_eq!(came[0].number, "7QK4M2XD");
        let mut read: serde_json::Value =
            serde_json::from_slice(&pair.buyer.bridge_out("tinderbox")[0]).unwrap();
        let mut written: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(read["provenance"]["sender"], "TINDERBOX");
        for document in [&mut read, &mut written] {
            document.as_object_mut().unwrap().remove("provenance");
        }
        assert_eq!(read, written, "what arrives is what went out");

        // The same file again is nothing new.
        pair.seller
            .bridge_in("quillfeather", "answer.json", answer.as_bytes());
        pair.seller.taken("quillfeather", 2).await;
        let all = pair.seller.list(Direction::Outbound, "855").await;
        assert_eq!(all.len(), 1);
        pair.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_go_out_is_told_at_the_bridge() {
    let pair = Pair::start(Kind::Memory).await;
    let sound = pair.seller.canonical("x12/004010/855/pass/accepted.edi");
    let more = sound.replacen('{', r#"{"ext":{"nowhere":"x"},"#, 1);
    let cases = [
        (
            "quillfeather",
            more.as_str(),
            "ext.nowhere = \"x\" has no place in guide",
        ),
        (
            "quillfeather",
            r#"{"document":"invoice","numbr":"1"}"#,
            "numbr: there is no such field",
        ),
        (
            "paperlane",
            r#"{"document":"invoice","number":"1"}"#,
            "could go out as",
        ),
        (
            "quillfeather",
            r#"{"document":"purchase_order","number":"1"}"#,
            "BEG01: ",
        ),
    ];
    for (n, (partner, json, told)) in cases.into_iter().enumerate() {
        let name = format!("{n}.json");
        pair.seller.bridge_in(partner, &name, json.as_bytes());
        let why = pair.seller.refused(partner, &name).await;
        assert!(why.contains(told), "{json}: {why}");
    }
    assert!(pair.seller.list(Direction::Outbound, "").await.is_empty());
    pair.stop().await;
}

#[tokio::test]
async fn files_are_exchanged_like_messages() {
    on_both(async |kind| {
        let pair = Pair::start(kind).await;
        let order = String::from_utf8(sample("demo/order.edi")).unwrap();
        let order = order.replace("QUILLFEATHER   ", "PAPERLANE      ");
        for name in ["one.edi", "again.edi"] {
            pair.seller.put_file(name, order.as_bytes());
            pair.seller.file_taken(name).await;
        }
        let came = pair.seller.documents(DocumentState::Delivered, "850").await;
        assert_eq!(came.len(), 1, "the second file is the first one again");
        let answers = pair.seller.documents(DocumentState::Sent, "997").await;
        let out = pair.seller.message_of(&answers[0]).await;
        assert_eq!(
            (out.message.transport.as_str(), out.message.state),
            ("folder", MessageState::Confirmed)
        );
        let files = pair.seller.files_out();
        assert_eq!(files.len(), 1);
        let text = String::from_utf8_lossy(&files[0]);
        assert!(
            text.contains("AK1*PO*41~") && text.contains("AK9*A*1*1*1~"),
            "{text}"
        );
        pair.stop().await;
    })
    .await;
}
