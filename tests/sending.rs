//! `send` beside a `serve`, and what a person orders: resend, cancel, and what is told of them.

use std::path::Path;
use std::thread::yield_now;

use serde_json::Value;

use crate::houses::{Side, Sync, both};

fn sample(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/x12/004010");
    root.join(name).to_string_lossy().into_owned()
}

/// A message, once it is in a state.
fn until(side: &Side, id: &str, state: &str) -> Value {
    for _ in 0..2000 {
        let told = side.told(0, &["message", id, "--json"]).remove(0);
        if told["state"] == state {
            return told;
        }
        yield_now();
    }
    panic!(
        "{id} is never {state}: {:?}",
        side.told(0, &["message", id, "--json"])
    );
}

fn history(told: &Value, what: &str) -> Vec<String> {
    let events = told["history"].as_array().unwrap().iter();
    let own = events.filter(|event| event["what"] == what);
    own.map(|event| event["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn files_are_sent_beside_a_serve_and_again_on_a_persons_word() {
    let (seller, buyer) = both(Sync);
    let running = (seller.start(None), buyer.start(None));
    seller.bound();
    buyer.bound();
    let (first, second) = (
        sample("855/pass/accepted.edi"),
        sample("855/pass/mixed.edi"),
    );

    // Nothing is kept of a rehearsal.
    let told = seller.told(0, &["send", "quillfeather", &first, "--dry-run", "--json"]);
    assert_eq!((told.len(), &told[0]["sent"]), (1, &Value::Bool(false)));
    assert!(
        told[0]["mic"].as_str().unwrap().ends_with("sha-256"),
        "{told:?}"
    );
    assert_eq!(seller.told(0, &["messages", "--json"]), Vec::<Value>::new());

    let told = seller.told(
        0,
        &[
            "send",
            "quillfeather",
            &first,
            &second,
            "--json",
            "--wait",
            "60",
        ],
    );
    let states: Vec<&Value> = told.iter().map(|line| &line["state"]).collect();
    assert_eq!(states, ["confirmed", "confirmed"]);
    assert_eq!(told[0]["mic"]["ours"], told[0]["mic"]["theirs"]);

    let more = ["--together", "--json", "--wait", "60"];
    let all = [
        &["send", "quillfeather", first.as_str(), second.as_str()][..],
        &more,
    ]
    .concat();
    let together = seller.told(0, &all);
    assert_eq!(
        (together.len(), &together[0]["state"]),
        (1, &"confirmed".into())
    );

    let id = told[0]["id"].as_str().unwrap();
    let again = seller.run(&["resend", id, "--reason", "lost", "--same-id"]);
    assert_eq!(again.status.code(), Some(2), "what is confirmed stays so");
    let again = seller.told(0, &["resend", id, "--reason", "they lost it", "--json"]);
    assert_ne!(again[0]["message_id"], told[0]["message_id"]);
    assert_eq!(
        again[0]["body_sha256"],
        seller.told(0, &["message", id, "--json"])[0]["body_sha256"]
    );
    let copy = until(&seller, again[0]["id"].as_str().unwrap(), "confirmed");
    assert_eq!(copy["resend_of"], id);
    let told = history(&until(&seller, id, "confirmed"), "resend");
    assert!(
        told.len() == 1 && told[0].contains(": they lost it; as "),
        "{told:?}"
    );
    assert!(!told[0].starts_with(':'), "by whom: {told:?}");
    // The buyer saw the copy for what it is, and took the order once.
    let came = buyer.told(0, &["messages", "--inbound", "--json"]);
    assert!(
        came.iter().any(|row| !row["resend_of"].is_null()),
        "{came:?}"
    );
    drop(running);
}

#[test]
fn what_waits_is_shown_and_cancelled() {
    // Nobody is at the other end.
    let (seller, _) = both(Sync);
    let first = sample("855/pass/accepted.edi");
    let told = seller
        .told(3, &["send", "quillfeather", &first, "--json"])
        .remove(0);
    assert_eq!(told["state"], "sealed");
    let id = told["id"].as_str().unwrap();
    let queue = seller.told(0, &["queue", "--json"]);
    assert_eq!(
        (&queue[0]["kind"], &queue[0]["subject"]),
        (&"send".into(), &told["id"])
    );
    assert_eq!(queue[1]["missed"], 1, "{queue:?}");

    let none = seller.run(&["cancel", id, "--reason", " "]);
    assert_eq!(none.status.code(), Some(2), "a reason is asked for");
    let message_id = told["message_id"].as_str().unwrap();
    let told = seller.told(
        0,
        &["cancel", message_id, "--reason", "sent by hand", "--json"],
    );
    assert_eq!(told[0]["state"], "dead");
    assert_eq!(
        seller.told(0, &["queue", "--json"]).len(),
        1,
        "the partner alone"
    );
    let told = seller.told(
        0,
        &["resend", id, "--same-id", "--reason", "after all", "--json"],
    );
    assert_eq!(
        (&told[0]["state"], &told[0]["message_id"]),
        (&"sealed".into(), &message_id.into())
    );
    let told = seller.told(0, &["message", id, "--json"]).remove(0);
    let said = [history(&told, "cancel"), history(&told, "resend")].concat();
    assert!(
        said[0].ends_with(": sent by hand") && said[1].ends_with(": after all"),
        "{said:?}"
    );
    let nothing = seller.run(&["message", "nothing@such"]);
    assert_eq!(nothing.status.code(), Some(2));
}
