//! Direct fulfillment by the API: consumers' orders, for which an application that serves others wants
//! a restricted token, in both versions.

use chrono::TimeDelta;
use transload::store::DocumentState::Settled;

use super::world::{World, orders, start};

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const GIVE: &str = "tokens_2021-03-01.createRestrictedDataToken";

/// The partner file of direct fulfillment, for an application that serves others.
fn direct(file: String) -> String {
    let file = file.replace("guide = \"amazon\"", "guide = \"amazon-df\"");
    let file = file.replace(
        "[documents.855]\nbridge = \"spapi\"\n",
        "[documents.855]\nbridge = \"spapi\"\nguide = \"amazon-df\"\n",
    );
    let (before, after) = file.split_once("[documents.860]").unwrap();
    let after = after.split_once("[documents.824]").unwrap().1;
    format!("{before}[documents.824]{after}").replace(
        "[documents.850]",
        "direct = true\nrestricted = true\n[documents.850]",
    )
}

fn dated(file: String) -> String {
    direct(file).replace("direct = true", "direct = true\nversion = \"2021-12-28\"")
}

/// Puts an acceptance of a consumer's order where the partner puts its files.
fn accept(world: &World, n: u32, number: &str) {
    let text = format!(
        "ISA*00*          *00*          *ZZ*ERP            *ZZ*BRIDGE         *261129*1200*U*00401\
         *{n:09}*0*T*>~GS*PR*ERP*BRIDGE*20261129*1200*{n}*X*004010~ST*855*0001~\
         BAK*00*AD*{number}*20261129****V-{n}~N1*SF**92*TKW2~PO1*1*24*EA*17.25*NT*VN*{}~\
         ACK*IA*24*EA************************ZZ*DF*00~CTT*1~SE*7*0001~GE*1*{n}~IEA*1*{n:09}~",
        super::CONTENT
    );
    world.put(&format!("accepted-{n}.x12"), &text);
}

async fn consumers_orders(edit: fn(String) -> String, version: &str) {
    let world = World::edited(false, edit).await;
    world.server.set(|state| {
        state.restricted = true;
        state.orders = orders(start() - TimeDelta::hours(5), 12);
    });
    let out = async || {
        let sent = world.sent("850");
        assert!(sent.values().all(|times| *times == 1), "doubled: {sent:?}");
        sent.len() == 12
    };
    world.until(MINUTE, "orders went out", out).await;
    let given = world.server.set(|state| state.given);
    assert_eq!(given, 1, "one token for its hour and its path");
    accept(&world, 1, "CNRY0000");
    let settled = async || world.states("855").await == [Settled];
    world.until(MINUTE, "a witness saw it", settled).await;
    let post = format!("vendorDirectFulfillmentOrders{version}.submitAcknowledgement");
    let had = world.server.had(&post);
    assert_eq!(had.len(), 1, "{post}");
    assert_eq!(
        had[0]["orderAcknowledgements"][0]["purchaseOrderNumber"],
        "CNRY0000"
    );
    let asked = world.server.set(|state| state.asked.clone());
    let other = if version == "V1" { "2021-12-28" } else { "V1." };
    let strange = asked.iter().find(|(one, _)| one.contains(other));
    assert_eq!(strange, None);
    world.end().await;
}

#[tokio::test]
async fn consumers_orders_come_by_a_restricted_token() {
    consumers_orders(direct, "V1").await;
}

#[tokio::test]
async fn the_later_version_is_asked_where_the_partner_file_says_so() {
    consumers_orders(dated, "_2021-12-28").await;
}

#[tokio::test]
async fn a_restricted_token_that_ends_early_is_asked_for_anew() {
    let world = World::edited(false, direct).await;
    world.server.set(|state| {
        state.restricted = true;
        state.life = 900;
        state.orders = orders(start(), 24);
    });
    let out = async || world.sent("850").len() == 24;
    world
        .until(TimeDelta::minutes(5), "orders went out", out)
        .await;
    let (given, asked) = world.server.set(|state| (state.given, state.asked.len()));
    assert!(given > 4 && given < asked / 2, "{given} of {asked}");
    world.end().await;
}

/// A refusal of the token is none of the question that the token is for: no window is given up.
#[tokio::test]
async fn a_restricted_token_that_is_refused_moves_no_mark() {
    let world = World::edited(false, direct).await;
    world.server.set(|state| {
        state.restricted = true;
        state.bad = [GIVE].into();
        state.orders = orders(start(), 6);
    });
    world
        .pass(TimeDelta::minutes(10), TimeDelta::hours(30))
        .await;
    assert!(world.sent("850").is_empty());
    assert!(world.said().contains("no restricted data token"));
    let given = world.server.set(|state| state.asked.len());
    assert!(given < 420, "{given} requests in thirty hours of refusals");
    for (name, kept) in world.store().kept("poll ".into()).await.unwrap() {
        assert!(kept.contains("\"gaps\":[]"), "{name}: {kept}");
    }
    world.server.set(|state| state.bad.clear());
    let out = async || world.sent("850").len() == 6;
    world.until(MINUTE, "orders went out", out).await;
    world.end().await;
}

/// However short the life that a login promises: each token is used, and nobody asks in a circle.
#[tokio::test]
async fn a_login_that_promises_seconds_is_not_asked_for_ever() {
    let world = World::edited(false, direct).await;
    world.server.set(|state| {
        state.restricted = true;
        state.says = 30;
        state.orders = orders(start() - TimeDelta::hours(3), 6);
    });
    let out = async || world.sent("850").len() == 6;
    world.until(MINUTE, "orders went out", out).await;
    let (logins, asked) = world.server.set(|state| (state.logins, state.asked.len()));
    assert!(logins <= asked + 1, "{logins} logins for {asked} requests");
    world.end().await;
}
