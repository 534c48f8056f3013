//! A partner who is down, or hangs, holds nobody else up.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use tokio::net::TcpListener;
use transload::clock::{Clock, Moved};
use transload::store::{AT_ONCE, Filter, MISSES, MessageState};

use super::pair::{bind, identities, sample, sellers_buyer, side};
use super::receipts::{Mood, Partner, seller_agreeing, send, tried};

#[tokio::test]
async fn a_partner_who_hangs_takes_few_places() {
    super::on_both(async |kind| {
        // It takes connections, and never a byte from them.
        let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sound = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let urls = [&hangs, &sound].map(|one| format!("http://{}/as2", one.local_addr().unwrap()));
        let clock: Arc<dyn Clock> = Arc::new(Moved::to(Utc::now()));
        let seller = side(kind, bind().await, &identities()[1], clock, |folder| {
            let sound = sellers_buyer(folder, &urls[1]);
            let hangs = sellers_buyer(folder, &urls[0])
                .replace("quillfeather", "sleeper")
                .replace("QUILLFEATHER", "SLEEPER");
            vec![sound, hangs.replace("QUILL FEATHER", "SLEEPER")]
        });
        let partner = Partner::new();
        partner.listen(sound, seller.folder.path());
        let bytes = sample("x12/004010/855/pass/accepted.edi");
        // More than there are places for all partners together.
        for _ in 0..40 {
            seller.gateway().send("sleeper", &bytes).await.unwrap();
        }
        for _ in 0..3 {
            let document = send(&seller).await;
            seller.outgoing(document, MessageState::Confirmed).await;
        }
        let queue = seller.store().queue(99).await.unwrap().waiting;
        let out = queue
            .iter()
            .filter(|row| row.partner == "sleeper" && row.leased && row.kind.as_str() == "send");
        assert!(out.count() <= AT_ONCE);
        drop(hangs);
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_partner_who_is_down_is_left_in_peace_and_found_again() {
    super::on_both(async |kind| {
        let (seller, clock, address) = seller_agreeing(kind, "").await;
        let mut documents = Vec::new();
        for _ in 0..MISSES {
            let document = send(&seller).await;
            tried(&seller, document, 1).await;
            documents.push(document);
        }
        // Nothing more is tried, whatever comes.
        let late = send(&seller).await;
        let circuit = seller.store().queue(9).await.unwrap().circuits.remove(0);
        assert!(
            circuit.missed == MISSES && circuit.shut.is_some(),
            "{circuit:?}"
        );
        documents.push(late);
        let partner = Partner::new();
        partner.set(Mood::Good);
        partner.listen(
            TcpListener::bind(address).await.unwrap(),
            seller.folder.path(),
        );
        clock.forward(TimeDelta::hours(2));
        seller.gateway().poke();
        for document in documents {
            seller.outgoing(document, MessageState::Confirmed).await;
        }
        assert_eq!(seller.store().queue(9).await.unwrap().circuits, []);
        let all = seller.store().messages(Filter::default()).await.unwrap();
        assert_eq!(partner.seen.lock().unwrap().len(), all.len(), "each once");
        seller.running.stop().await.unwrap();
    })
    .await;
}
