//! The doors as they stand on this machine: our own client at the API, and a page that is not ours.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use transload::bridge::spapi::client::{Moment, Wait};
use transload::bridge::spapi::{
    Account, Call, Client, Endpoint, Environment, Metered, Site, Verdict,
};
use transload::clock::{Clock, Moved};
use transload::net::client::{self, Limits, Trust};
use transload::net::loopback::Loopback;
use transload::sim::listen::{Shifted, Simulator};
use transload::sim::{Door, Scenario, World};

fn simulator() -> Arc<Simulator> {
    let clock = Arc::new(Shifted::of(Arc::new(Moved::to(super::start()))));
    let mut scenario = Scenario::named("expired-secret").unwrap();
    scenario.doors = vec![Door::Api];
    let world = World::new(scenario, 7, clock.now(), 3);
    Arc::new(Simulator::new(Arc::new(Mutex::new(world)), 7, clock))
}

#[tokio::test]
async fn our_client_logs_in_lists_and_takes_the_second_secret() {
    let simulator = simulator();
    let at = Loopback::bind(0).await.unwrap();
    let url = at.url().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(Arc::clone(&simulator).serve(at, async {
        let _ = stopped.await;
    }));
    let site = Site::find("us").unwrap();
    let account = Account::new("sim", Environment::Simulator, site, Some(&url)).unwrap();
    let client = Client::new(account, simulator.credential()).unwrap();
    let http = client::Client::new(Trust::Only(Vec::new()), Limits::default());
    let meter = |_: String, _: &'static Endpoint, _: Metered| -> Wait<'_> {
        Box::pin(async { Ok(chrono::TimeDelta::zero()) })
    };
    let mut listed = Vec::new();
    for hours in [0, 12] {
        simulator.clock().forward(chrono::TimeDelta::hours(hours));
        let moment = Moment {
            now: simulator.clock().now(),
            draw: 0,
        };
        let call = Call::of("vendorOrders.getPurchaseOrders").with("limit", 10);
        let Verdict::Taken(answer) = client.ask(&http, &meter, &call, moment).await else {
            panic!("no list after {hours} hours")
        };
        listed.push(answer.payload()["orders"].as_array().map_or(0, Vec::len));
    }
    assert_eq!(listed, [1, 3]);
    // A page whose name was pointed here.
    let headers = [("host".to_owned(), "evil.test".to_owned())];
    let state = http
        .send("GET", &format!("{url}/state"), &[], bytes_of(""))
        .await
        .unwrap();
    let said: Value = serde_json::from_slice(&state.body).unwrap();
    assert_eq!(said["orders"].as_array().unwrap().len(), 3);
    let refused = http
        .send("POST", &format!("{url}/clock"), &headers, bytes_of("+1h"))
        .await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| !answer.taken()));
    let _ = stop.send(());
    serving.await.unwrap();
}

fn bytes_of(text: &str) -> bytes::Bytes {
    text.to_owned().into()
}
