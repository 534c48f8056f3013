//! Several documents in one message (RFC 6362).

use std::io::Cursor;

use chrono::Utc;
use transload::as2::{self, Disposition, Document, Related};
use transload::net;
use transload::store::{Direction, DocumentState, MessageState};

use super::hostile::{Request, post, receipt};
use super::pair::{buyer_keys, buyer_profile, sample};
use super::receipts::seller_agreeing;

/// A message with these files in it.
fn sealed(id: &str, files: &[(&str, &str, Vec<u8>)]) -> Request {
    let mut parts = Vec::new();
    for (content_type, name, bytes) in files {
        let document = Document {
            content_type,
            file_name: Some(name),
            message_id: "",
        };
        parts.push((document, Cursor::new(bytes.as_slice())));
    }
    let entropy = &mut net::entropy;
    let related = Related::new(parts, entropy).unwrap();
    let kind = related.content_type().to_owned();
    let document = Document {
        content_type: &kind,
        file_name: None,
        message_id: id,
    };
    let (mut body, keys, profile) = (Vec::new(), buyer_keys(), buyer_profile());
    let now = Utc::now();
    let sealed = as2::seal(related, &mut body, document, &keys, &profile, entropy, now).unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Request {
        headers: sealed.headers.iter().map(owned).collect(),
        body,
    }
}

#[tokio::test]
async fn each_document_of_several_is_read() {
    super::on_both(async |kind| {
        let (seller, ..) = seller_agreeing(kind, "").await;
        let order = sample("demo/order.edi");
        let change = sample("x12/004010/850/pass/minimal.edi");
        let label = b"%PDF-1.7".to_vec();
        let files = [
            ("application/EDI-X12", "order.edi", order.clone()),
            ("application/pdf", "label.pdf", label),
            ("application/EDI-X12", "other.edi", change),
        ];
        let answer = post(&seller, &sealed("<1@x>", &files)).await;
        let mdn = receipt(&answer, "<1@x>");
        assert_eq!(mdn.disposition, Disposition::processed());
        let read = seller
            .until("three documents", async || {
                let all = seller.list(Direction::Inbound, "").await;
                (all.len() == 3).then_some(all)
            })
            .await;
        // The newest first.
        assert_eq!(read.iter().filter(|one| one.set == "850").count(), 2);
        let held = read.iter().find(|one| one.kind == "unknown").unwrap();
        assert_eq!(held.state, DocumentState::Held);
        let detail = seller.store().document(held.id).await.unwrap().unwrap();
        assert!(detail.content.contains("label.pdf"), "{}", detail.content);
        let carrier = seller.message_of(held).await.message;
        assert!(
            carrier
                .content_type
                .unwrap()
                .starts_with("multipart/related")
        );

        let twice = [
            ("application/EDI-X12", "order.edi", order.clone()),
            ("application/EDI-X12", "Order.edi", order),
        ];
        let mdn = receipt(&post(&seller, &sealed("<2@x>", &twice)).await, "<2@x>");
        assert_eq!(mdn.disposition, Disposition::error("duplicate-filename"));
        assert!(mdn.text.contains("names have to be unique"), "{}", mdn.text);
        let refused = transload::store::Filter {
            state: Some(MessageState::Refused),
            ..Default::default()
        };
        assert_eq!(seller.store().messages(refused).await.unwrap().len(), 1);
        seller.running.stop().await.unwrap();
    })
    .await;
}
