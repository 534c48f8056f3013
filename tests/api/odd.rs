//! What an API should not answer, and does: nothing of it is lost in silence. And the 997 that stands
//! for its answers.

use std::fs;

use chrono::TimeDelta;
use serde_json::json;
use transload::partner;
use transload::store::DocumentState::{Held, Rejected, Settled};

use super::world::{World, file, orders, start};

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const POST: &str = "vendorOrders.submitAcknowledgement";

#[tokio::test]
async fn an_order_that_cannot_be_used_is_held_and_told_and_the_others_go() {
    let world = World::start(true).await;
    let bare = json!({"purchaseOrderNumber": "CNRYBARE", "purchaseOrderState": "New"});
    let two = json!({"purchaseOrderNumber": "CNRYTWO", "purchaseOrderState": "New", "orderDetails": {
    "purchaseOrderDate": "2026-11-27T08:00:00Z", "sellingParty": {"partyId": "TNDBX"},
    "items": [
        {"itemSequenceNumber": "1", "orderedQuantity": {"amount": 1, "unitOfMeasure": "Eaches"},
         "netCost": {"amount": "1", "currencyCode": "USD"}, "isBackOrderAllowed": false},
        {"itemSequenceNumber": {"no": "text"}, "orderedQuantity": "many"},
    ]}});
    world.server.set(|state| {
        state.odd = vec![
            json!(super::CONTENT),
            bare,
            two,
            json!({"orderDetails": {}}),
        ];
        state.orders = orders(start() - TimeDelta::hours(3), 7);
    });
    let out = async || world.sent("850").len() == 7;
    world.until(MINUTE, "orders went out", out).await;
    // They come with every list, and are told once.
    world.pass(MINUTE * 10, TimeDelta::hours(30)).await;
    let held = world.documents("").await;
    let mut numbers: Vec<&str> = held.iter().map(|row| row.number.as_str()).collect();
    numbers.sort_unstable();
    assert!(held.iter().all(|row| row.state == Held), "{held:?}");
    assert_eq!(numbers.len(), 4, "{numbers:?}");
    assert_eq!(numbers[..2], ["CNRYBARE", "CNRYTWO"]);
    let bare = held.iter().find(|row| row.number == "CNRYBARE").unwrap();
    let kept = world.store().document(bare.id).await.unwrap().unwrap();
    assert!(kept.content.contains("\"record\":{"), "{}", kept.content);
    let told = world.said();
    assert_eq!(told.matches("it is held").count(), 4);
    // Its details come after all.
    world.server.set(|state| {
        state.odd.clear();
        let mut late = orders(start() - TimeDelta::hours(1), 1).remove(0);
        late.number = "CNRYBARE".into();
        state.orders.push(late);
    });
    let late = async || world.sent("850").contains_key("CNRYBARE");
    world.until(MINUTE * 10, "the late one is out", late).await;
    assert!(world.sent("850").values().all(|times| *times == 1));
    world.end().await;
}

#[tokio::test]
async fn a_list_whose_second_page_is_always_refused_is_read_in_parts() {
    let world = World::start(false).await;
    world.server.set(|state| {
        state.torn = true;
        state.orders = orders(start() - TimeDelta::hours(24), 17);
    });
    let out = async || world.sent("850").len() == 17;
    world.until(MINUTE * 3, "orders went out", out).await;
    assert!(world.sent("850").values().all(|times| *times == 1));
    world.end().await;
}

fn answered(file: String) -> String {
    let file = file.replace("[x12]\n", "[x12]\nacknowledge = false\n");
    file.replace("[documents.850]", "acknowledge = true\n[documents.850]")
}

/// The AK5 of every 997 that went out, in the order of their sets.
fn verdicts(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(world.folder.path().join("files/out")).unwrap() {
        let path = entry.unwrap().path();
        // A file that is being written has another name until it is whole.
        let is_whole = !path.file_name().unwrap().to_string_lossy().starts_with('.');
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if !is_whole {
            continue;
        }
        let segments = || text.split('~').map(str::trim);
        if segments().any(|segment| segment.starts_with("ST*997")) {
            let part = |tag: &str| {
                segments()
                    .find(|one| one.starts_with(tag))
                    .unwrap()
                    .to_owned()
            };
            found.push(format!("{} {}", part("AK1*"), part("AK5*")));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_apis_answer_to_a_set_is_a_997() {
    let world = World::edited(true, answered).await;
    world
        .server
        .set(|state| state.orders = orders(start() - TimeDelta::hours(5), 4));
    let out = async || world.sent("850").len() == 4;
    world.until(MINUTE, "orders went out", out).await;
    // Taken, and settled by a witness later: one 997.
    world.answer(1, "CNRY0000", 24);
    let settled = async || world.states("855").await == [Settled];
    world.until(MINUTE, "a witness saw it", settled).await;
    assert_eq!(verdicts(&world), ["AK1*PR*1 AK5*A"]);
    // Refused for its form: a 997 that rejects.
    world.server.set(|state| state.bad = [POST].into());
    world.answer(2, "CNRY0001", 24);
    let told = async || verdicts(&world).len() == 2;
    world.until(MINUTE, "a rejection went out", told).await;
    assert_eq!(verdicts(&world)[1], "AK1*PR*2 AK5*R*5");
    assert!(world.states("855").await.contains(&Rejected));
    // Taken, and failed as business: it was accepted, and an 824 says the rest.
    world.server.set(|state| {
        state.bad.clear();
        state.outcome = "Failure";
    });
    let advices = world.sent("824").values().sum::<usize>();
    world.answer(3, "CNRY0002", 24);
    let failed = async || {
        let advised = world.sent("824").values().sum::<usize>() > advices;
        advised && verdicts(&world).len() == 3
    };
    world.until(MINUTE, "both went out", failed).await;
    assert_eq!(verdicts(&world)[2], "AK1*PR*3 AK5*A");
    // Its answer is lost: nobody says anything until somebody knows.
    world.server.set(|state| {
        state.outcome = "Processing";
        state.lose = 1;
    });
    world.answer(4, "CNRY0003", 24);
    let taken = async || world.server.had(POST).len() == 3;
    world.until(MINUTE, "it arrived", taken).await;
    assert_eq!(verdicts(&world).len(), 3);
    let all = async || verdicts(&world).len() == 4;
    world.until(MINUTE, "a witness saw that too", all).await;
    assert_eq!(verdicts(&world)[3], "AK1*PR*4 AK5*A");
    world.end().await;
}

#[test]
fn two_997s_for_one_set_are_not_agreed() {
    let text = file(std::path::Path::new("/"), "http://127.0.0.1:9");
    let both = text.replace("[documents.850]", "acknowledge = true\n[documents.850]");
    let refused = partner::parse(&both, "erp.toml").unwrap_err();
    assert!(refused.to_string().contains("two for one set"), "{refused}");
    assert!(partner::parse(&answered(text), "erp.toml").is_ok());
}
