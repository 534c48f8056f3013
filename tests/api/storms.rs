//! Whatever the API does: nothing is lost, nothing is doubled, and the rate is kept.

use chrono::TimeDelta;
use transload::store::DocumentState::{Held, Rejected, Settled};

use super::world::{World, credential, orders, start};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Whether every one of so many went out, and exactly once.
fn once(sent: &std::collections::BTreeMap<String, usize>, count: usize) -> bool {
    assert!(sent.values().all(|times| *times == 1), "doubled: {sent:?}");
    sent.len() == count
}

async fn there_and_back(durable: bool) {
    let world = World::start(durable).await;
    world
        .server
        .set(|state| state.orders = orders(start() - TimeDelta::hours(12), 12));
    world
        .until(MINUTE, "orders went out", async || {
            once(&world.sent("850"), 12)
        })
        .await;

    // One is changed, and one is acknowledged.
    let now = start() + TimeDelta::hours(3);
    world
        .server
        .set(|state| state.orders[3].changed = Some(now));
    world.answer(1, "CNRY0000", 24);
    world
        .until(MINUTE, "a witness saw it", async || {
            world.states("855").await == [Settled]
        })
        .await;
    let row = &world.documents("855").await[0];
    assert_eq!(row.note, "seen by a second witness");
    let kept = world.store().submission(row.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.stage.as_str(), kept.transaction.as_deref()),
        ("confirmed", Some("transaction-1"))
    );
    let had = world.server.had("vendorOrders.submitAcknowledgement");
    let [one] = had.as_slice() else {
        panic!("{had:?}")
    };
    let answer = &one["acknowledgements"][0];
    assert_eq!(answer["purchaseOrderNumber"], "CNRY0000");
    assert_eq!(answer["sellingParty"]["partyId"], "TNDBX");
    assert_eq!(
        answer["items"][0]["itemAcknowledgements"][0]["acknowledgementCode"],
        "Accepted"
    );
    world
        .until(MINUTE, "a change went out", async || {
            once(&world.sent("860"), 1)
        })
        .await;
    assert!(once(&world.sent("850"), 12));

    // One that fails is told to its sender in an 824.
    world.server.set(|state| state.outcome = "Failure");
    world.answer(2, "CNRY0001", 24);
    world
        .until(MINUTE, "an advice went out", async || {
            !world.sent("824").is_empty()
        })
        .await;
    assert!(world.states("855").await.contains(&Rejected));
    world.end().await;
}

#[tokio::test]
async fn orders_go_out_as_x12_and_answers_come_back() {
    for durable in [false, true] {
        there_and_back(durable).await;
    }
}

#[tokio::test]
async fn a_week_of_storms_loses_and_doubles_nothing() {
    let mut world = World::start(true).await;
    let hours = TimeDelta::hours;
    world.server.set(|state| {
        state.orders = orders(start() - hours(1), 40);
        state
            .orders
            .extend(orders(start(), 200).drain(100..).step_by(9));
        // It says an hour, and means a quarter of one.
        state.life = 900;
        state.busy = vec![(start() + hours(1), start() + hours(4))];
        state.down = vec![(start() + hours(12), start() + hours(12 + 4 * 24))];
    });
    let count = world.server.set(|state| state.orders.len());
    let step = TimeDelta::minutes(7);
    world
        .until(step, "the first are out", async || {
            !world.sent("850").is_empty()
        })
        .await;
    for n in 0..4 {
        world.answer(n + 1, &format!("CNRY{n:04}"), 24);
    }
    // One answer is lost, one request is: both are doubtful.
    world.server.set(|state| (state.lose, state.drop) = (1, 1));
    world.pass(step, hours(20)).await;
    world.restart().await;
    world.pass(hours(1), hours(3 * 24)).await;
    let silent = async || {
        let alerts = world.gateway.alerts().await.unwrap();
        alerts
            .iter()
            .any(|one| (one.kind, &*one.subject) == ("api", "silent"))
    };
    assert!(silent().await, "three days of silence are no alert");
    world
        .until(TimeDelta::minutes(20), "all are out", async || {
            once(&world.sent("850"), count)
        })
        .await;
    let settled = async || world.states("855").await == [Settled; 4];
    world
        .until(TimeDelta::minutes(10), "all are settled", settled)
        .await;
    let had = world.server.had("vendorOrders.submitAcknowledgement");
    let numbers: std::collections::BTreeSet<String> = had
        .iter()
        .map(|body| body["acknowledgements"][0]["purchaseOrderNumber"].to_string())
        .collect();
    assert_eq!((had.len(), numbers.len()), (4, 4), "each once");
    let said = world.said();
    assert!(
        said.contains("nothing was polled"),
        "four days of silence were not told"
    );
    let heard = async || !silent().await;
    world
        .until(TimeDelta::seconds(1), "it is heard again", heard)
        .await;
    let logins = world.server.set(|state| state.logins);
    assert!(logins < 900, "{logins} logins");
    world.end().await;
}

#[tokio::test]
async fn a_secret_that_ended_is_told_and_another_one_takes_over() {
    let world = World::start(false).await;
    world.server.set(|state| state.orders = orders(start(), 8));
    world
        .until(MINUTE, "some are out", async || {
            !world.sent("850").is_empty()
        })
        .await;
    world
        .server
        .set(|state| state.secrets = ["canary-secret-2".to_owned()].into());
    world
        .pass(TimeDelta::minutes(10), TimeDelta::hours(8))
        .await;
    let said = world.said();
    assert!(
        said.contains("invalid_client") && said.contains("developer console"),
        "it is not told"
    );
    let logins = world.server.set(|state| state.logins);
    assert!(logins < 120, "{logins} logins in eight hours");
    // Both stand in the file during a rotation, the old one first.
    let day = |text: &str| text.parse().ok();
    let secrets = [
        ("canary-secret", day("2026-12-30")),
        ("canary-secret-2", day("2026-12-20")),
    ];
    credential(world.folder.path(), &secrets);
    world
        .until(MINUTE, "all are out", async || once(&world.sent("850"), 8))
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_refused_role_is_named_and_nothing_is_lost_by_it() {
    let world = World::start(false).await;
    world.server.set(|state| {
        state.orders = orders(start(), 6);
        state.denied = ["vendorOrders.getPurchaseOrders"].into();
    });
    let told = async || world.said().contains("needs the role Amazon Fulfillment");
    world.until(MINUTE, "the role is named", told).await;
    world
        .pass(TimeDelta::minutes(10), TimeDelta::hours(5))
        .await;
    let asked = world.server.set(|state| state.asked.len());
    assert!(asked < 80, "{asked} requests in five hours of refusals");
    world.server.set(|state| state.denied.clear());
    world
        .until(MINUTE, "all are out", async || once(&world.sent("850"), 6))
        .await;
    world.end().await;
}

#[tokio::test]
async fn what_the_api_has_no_word_for_is_for_a_person_and_a_missing_role_waits() {
    let world = World::start(false).await;
    world
        .server
        .set(|state| state.orders = orders(start() - TimeDelta::hours(5), 2));
    world
        .until(MINUTE, "orders went out", async || {
            once(&world.sent("850"), 2)
        })
        .await;
    // A substitute has no word in the API: nothing is sent.
    let text = "ISA*00*          *00*          *ZZ*ERP            *ZZ*BRIDGE         *261129*1200*U\
        *00401*000000009*0*T*>~GS*PR*ERP*BRIDGE*20261129*1200*9*X*004010~ST*855*0001~\
        BAK*00*AC*CNRY0000*20261129~PO1*1*24*EA*9.95*PE*VN*CANARY-CONTENT~\
        ACK*IS*24*EA****VN*OTHER~CTT*1~SE*6*0001~GE*1*9~IEA*1*000000009~";
    world.put("substitute.x12", text);
    world
        .until(MINUTE, "it is held", async || {
            world.states("855").await == [Held]
        })
        .await;
    assert!(
        world
            .server
            .had("vendorOrders.submitAcknowledgement")
            .is_empty()
    );
    // A role that is missing for the POST is no fault of the document: it goes when it may.
    let post = "vendorOrders.submitAcknowledgement";
    world.server.set(|state| state.denied = [post].into());
    world.answer(2, "CNRY0001", 24);
    let tried = async || {
        world
            .server
            .set(|state| state.asked.iter().any(|(one, _)| one == post))
    };
    world.until(MINUTE, "it is tried", tried).await;
    world.pass(MINUTE * 10, TimeDelta::hours(2)).await;
    world.server.set(|state| state.denied.clear());
    let settled = async || world.states("855").await.contains(&Settled);
    world.until(MINUTE, "it is settled", settled).await;
    assert_eq!(world.server.had(post).len(), 1);
    world.end().await;
}
