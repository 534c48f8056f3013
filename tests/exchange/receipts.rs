//! What a partner answers to what we send, and what we make of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use tokio::net::TcpListener;
use transload::as2::{self, Digest, Disposition, Headers, Identity, Mdn, MdnFields, Mic};
use transload::clock::{Clock, Moved};
use transload::net;
use transload::net::client::{self, Client, Trust};
use transload::net::serve::Limits;
use transload::store::{MessageDetail, MessageState, WorkKind};
use transload::web::Believed;
use transload::web::as2::{Answer, Arrival, Settings, listen};
use uuid::Uuid;

use super::hostile::Request;
use super::pair::{
    Kind, Side, agreeing, bind, buyer_profile, identities, sample, sellers_buyer, side,
};
use crate::houses::free_port;

/// What the partner's server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    OtherMic,
    NoMic,
    Unsigned,
    UnsignedNo,
    ByStranger,
    No,
    Duplicate,
    ForAnother,
    Silent,
    /// Posts the receipt to where it is asked for, and answers only then.
    First,
    Page,
    Status(u16),
}

/// A buyer's server that answers as it is told, and keeps what it got.
pub(super) struct Partner {
    mood: Mutex<Mood>,
    pub(super) seen: Mutex<Vec<Request>>,
}

impl Partner {
    pub(super) fn new() -> Arc<Partner> {
        Arc::new(Partner {
            mood: Mutex::new(Mood::Good),
            seen: Mutex::default(),
        })
    }

    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(super) fn listen(self: &Arc<Self>, listener: TcpListener, spool: &std::path::Path) {
        let settings = Settings {
            path: "/as2".into(),
            spool: spool.into(),
            limits: Limits::default(),
            tls: None,
            believed: Believed::default(),
        };
        let this = Arc::clone(self);
        let handler = move |arrival: Arrival| {
            let this = Arc::clone(&this);
            async move {
                let headers = arrival.headers.clone();
                let body = arrival
                    .body
                    .read()
                    .await
                    .unwrap()
                    .memory()
                    .unwrap()
                    .to_vec();
                let mood = *this.mood.lock().unwrap();
                if mood == Mood::First {
                    post_receipt(Mood::Good, &headers, &body).await;
                }
                let answer = answer(mood, &headers, &body);
                this.seen.lock().unwrap().push(Request { headers, body });
                answer
            }
        };
        tokio::spawn(listen(listener, settings, handler, std::future::pending()));
    }
}

fn answer(mood: Mood, headers: &[(String, String)], body: &[u8]) -> Answer {
    match mood {
        Mood::Silent | Mood::First => Answer {
            status: 200,
            headers: vec![],
            body: Bytes::new(),
        },
        Mood::Page => Answer::text(200, "<html>Thank you!</html>"),
        Mood::Status(503) => Answer::unavailable(120),
        Mood::Status(status) => Answer::text(status, "no"),
        mood => receipt(mood, headers, body),
    }
}

/// Posts a receipt for this request to where it asks for it; gives the status of the answer.
pub(super) async fn post_receipt(
    mood: Mood,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, Bytes) {
    let mut fields = headers.iter();
    let (_, url) = fields
        .find(|(name, _)| name == "receipt-delivery-option")
        .unwrap();
    let Answer { headers, body, .. } = receipt(mood, headers, body);
    let client = Client::new(Trust::System, client::Limits::default());
    let answer = client.post(url, &headers, body).await.unwrap();
    (answer.status, answer.body)
}

pub(super) fn receipt(mood: Mood, headers: &[(String, String)], body: &[u8]) -> Answer {
    let [buyer, seller, stranger] = identities();
    let keys = as2::Keys {
        ours: vec![buyer.clone()],
        theirs: vec![seller.certificate.clone()],
    };
    let headers: Headers = headers.iter().cloned().collect();
    let now = Utc::now();
    let mut payload = Vec::new();
    let opened = as2::open(&headers, body, &mut payload, &keys, &buyer_profile(), now).unwrap();
    assert_eq!(payload, sample("x12/004010/855/pass/accepted.edi"));
    let disposition = match mood {
        Mood::No | Mood::UnsignedNo => Disposition::error("unexpected-processing-error"),
        Mood::Duplicate => Disposition::error("duplicate-document"),
        _ => Disposition::processed(),
    };
    let mic = match mood {
        Mood::OtherMic => Some(Mic {
            digest: Digest::Sha256,
            value: vec![7; 32],
        }),
        Mood::NoMic => None,
        _ => Some(opened.mic),
    };
    let mut fields = MdnFields::answer(&headers, "<mdn@quillfeather>", disposition, mic);
    if mood == Mood::ForAnother {
        fields.original_message_id = "<another@x>".into();
    }
    let signer: Option<&Identity> = match mood {
        Mood::Unsigned | Mood::UnsignedNo => None,
        Mood::ByStranger => Some(stranger),
        _ => Some(buyer),
    };
    let signer = signer.map(|who| (who, Digest::Sha256));
    let (headers, body) = Mdn::write(&fields, signer, &mut net::entropy, now).unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Answer {
        status: 200,
        headers: headers.iter().map(owned).collect(),
        body: body.into(),
    }
}

async fn seller(kind: Kind) -> (Side, Arc<Moved>, std::net::SocketAddr) {
    seller_agreeing(kind, "").await
}

/// A seller whose clock we move, and the address of a buyer who does not listen yet; with these
/// lines in the `[as2]` of the buyer's file.
pub(super) async fn seller_agreeing(
    kind: Kind,
    more: &str,
) -> (Side, Arc<Moved>, std::net::SocketAddr) {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    let clock = Arc::new(Moved::to(Utc::now()));
    let own = Arc::clone(&clock);
    let side = side(kind, bind().await, &identities()[1], own, |folder| {
        let buyer = sellers_buyer(folder, &format!("http://{address}/as2"));
        vec![agreeing(&buyer, more)]
    });
    (side, clock, address)
}

/// The message of a document, after its first try, or after `tries`.
pub(super) async fn tried(seller: &Side, document: Uuid, tries: usize) -> MessageDetail {
    seller
        .until("a try", async || {
            let detail = seller.store().document(document).await.unwrap()?;
            let message = seller.gateway().carrier(&detail.document).await.unwrap()?;
            let states = ["sent", "retry", "confirmed", "refused", "uncertain", "dead"];
            let own = message
                .events
                .iter()
                .filter(|event| event.subject == message.message.id);
            let count = own
                .filter(|event| states.contains(&event.what.as_str()))
                .count();
            (count >= tries).then_some(message)
        })
        .await
}

pub(super) async fn send(seller: &Side) -> Uuid {
    let bytes = sample("x12/004010/855/pass/accepted.edi");
    seller.gateway().send("quillfeather", &bytes).await.unwrap()
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    super::on_both(async |kind| {
        let (seller, _, address) = seller(kind).await;
        let partner = Partner::new();
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        use MessageState::{Confirmed, Dead, Refused, Sealed, Sent, Uncertain};
        for (mood, state) in [
            (Mood::Good, Confirmed),
            (Mood::No, Refused),
            (Mood::UnsignedNo, Refused),
            (Mood::OtherMic, Uncertain),
            (Mood::NoMic, Uncertain),
            (Mood::Unsigned, Uncertain),
            (Mood::Duplicate, Uncertain),
            (Mood::ByStranger, Sent),
            (Mood::ForAnother, Sent),
            (Mood::Silent, Sent),
            (Mood::Page, Sent),
            (Mood::Status(404), Dead),
            (Mood::Status(302), Dead),
            (Mood::Status(503), Sealed),
            (Mood::Status(429), Sealed),
        ] {
            partner.set(mood);
            let message = tried(&seller, send(&seller).await, 1).await;
            assert_eq!(
                message.message.state, state,
                "{mood:?}: {}",
                message.message.note
            );
            let kept = message.answer.is_some();
            assert_eq!(
                kept,
                matches!(state, Confirmed | Refused | Uncertain),
                "{mood:?}: evidence"
            );
            if matches!(state, Confirmed | Refused) {
                let mdn = seller.gateway().mdn(&message).unwrap();
                assert_eq!(
                    mdn.disposition.is_positive(),
                    state == Confirmed,
                    "{mood:?}"
                );
            }
        }
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_partner_who_was_down_gets_the_same_bytes() {
    super::on_both(async |kind| {
        let (seller, clock, address) = seller(kind).await;
        let document = send(&seller).await;
        let refused = tried(&seller, document, 1).await;
        assert_eq!(refused.message.state, MessageState::Sealed);
        assert!(
            refused
                .events
                .iter()
                .any(|event| event.detail.contains("cannot connect"))
        );

        let partner = Partner::new();
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        for (tries, mood) in [(2, Mood::Status(503)), (3, Mood::Silent), (4, Mood::Good)] {
            partner.set(mood);
            clock.forward(TimeDelta::hours(1));
            seller.gateway().poke();
            tried(&seller, document, tries).await;
        }
        let confirmed = tried(&seller, document, 4).await;
        assert_eq!(confirmed.message.state, MessageState::Confirmed);
        assert_eq!(
            confirmed.message.key, refused.message.key,
            "the same Message-ID"
        );
        let seen = std::mem::take(&mut *partner.seen.lock().unwrap());
        assert_eq!(seen.len(), 3);
        for request in &seen {
            assert_eq!(request.body, seen[0].body);
            assert_eq!(request.headers, seen[0].headers);
        }
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_asks_for_time_gets_it() {
    let (seller, clock, address) = seller(Kind::Memory).await;
    let partner = Partner::new();
    partner.listen(
        TcpListener::bind(address).await.unwrap(),
        seller.folder.path(),
    );
    partner.set(Mood::Status(503));
    tried(&seller, send(&seller).await, 1).await;
    // No lease is asked for: only when the next row is due.
    let now = clock.now();
    let claim = seller
        .store()
        .claim(&[WorkKind::Send], 0, Duration::ZERO, now);
    let next = claim.await.unwrap().next.unwrap();
    // The store keeps microseconds; our own first wait is 60 s at most.
    assert!(next - now > TimeDelta::seconds(119), "{}", next - now);
    seller.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_is_given_up_by_age() {
    let (seller, clock, address) = seller(Kind::Memory).await;
    let partner = Partner::new();
    partner.listen(
        TcpListener::bind(address).await.unwrap(),
        seller.folder.path(),
    );
    for (mood, first, last) in [
        (Mood::Status(503), MessageState::Sealed, MessageState::Dead),
        (Mood::Silent, MessageState::Sent, MessageState::Uncertain),
    ] {
        partner.set(mood);
        let document = send(&seller).await;
        assert_eq!(tried(&seller, document, 1).await.message.state, first);
        clock.forward(TimeDelta::hours(72));
        seller.gateway().poke();
        let message = tried(&seller, document, 2).await.message;
        assert_eq!(message.state, last);
        assert!(message.note.starts_with("given up: "), "{}", message.note);
    }
    seller.running.stop().await.unwrap();
}
