//! A partner who is down, or hangs, holds nobody else up.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use tokio::net::TcpListener;
use transload::clock::{Clock, Moved};
use transload::net::client::{self, Client, Trust};
use transload::store::{AT_ONCE, Filter, MISSES, MessageState};

use super::pair::{Side, bind, identities, sample, sellers_buyer, side};
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
        assert!(out.count() <= AT_ONCE as usize);
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
        assert_eq!(alerts(&seller).await, ["circuit quillfeather shut"]);
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
        assert_eq!(alerts(&seller).await, [""; 0]);
        let all = seller.store().messages(Filter::default()).await.unwrap();
        assert_eq!(partner.seen.lock().unwrap().len(), all.len(), "each once");
        seller.running.stop().await.unwrap();
    })
    .await;
}

/// What somebody has to look at, as monitoring asks: kind, partner and subject, certificates apart.
async fn alerts(side: &Side) -> Vec<String> {
    let client = Client::new(Trust::System, client::Limits::default());
    let url = format!("http://{}/alerts", side.running.admin);
    let answer = client.send("GET", &url, &[], Bytes::new()).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let all = told["alerts"].as_array().unwrap();
    let word =
        |one: &serde_json::Value, name: &str| one[name].as_str().unwrap_or("ours").to_owned();
    let line = |one| {
        ["kind", "partner", "subject"]
            .map(|name| word(one, name))
            .join(" ")
    };
    let all = all.iter().map(line);
    all.filter(|line| !line.starts_with("certificate"))
        .collect()
}

#[tokio::test]
async fn a_partner_file_says_what_its_server_bears() {
    super::on_both(async |kind| {
        let (seller, _, _) = seller_agreeing(kind, "misses = 2\nat_once = 1").await;
        for count in 1..=2 {
            let document = send(&seller).await;
            tried(&seller, document, 1).await;
            let circuit = seller.store().queue(9).await.unwrap().circuits.remove(0);
            assert_eq!(
                (circuit.missed, circuit.shut.is_some()),
                (count, count == 2)
            );
        }
        seller.running.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_an_alert() {
    super::on_both(async |kind| {
        let (seller, _, address) = seller_agreeing(kind, "").await;
        let partner = Partner::new();
        partner.set(Mood::Status(404));
        let listener = TcpListener::bind(address).await.unwrap();
        partner.listen(listener, seller.folder.path());
        let document = send(&seller).await;
        seller.outgoing(document, MessageState::Dead).await;
        let told = alerts(&seller).await;
        assert!(
            told.contains(&"message quillfeather dead".to_owned()),
            "{told:?}"
        );
        seller.running.stop().await.unwrap();
    })
    .await;
}
