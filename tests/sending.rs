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

/// What was written of one exchange: the names of its files, and all their bytes.
fn traced(folder: &Path, what: &str) -> (Vec<String>, Vec<u8>) {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.to_string_lossy().contains(what));
    folders.sort();
    let mut files: Vec<_> = std::fs::read_dir(&folders[0])
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let bytes = files.iter().flat_map(|path| std::fs::read(path).unwrap());
    let bytes = bytes.collect();
    let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    (files.iter().map(name).collect(), bytes)
}

#[test]
fn every_layer_is_traced_where_that_is_asked_for() {
    let (seller, buyer) = both(Sync);
    let settings = buyer.path("transload.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        format!("{text}[trace]\nfolder = \"trace\"\nmax = 9\n"),
    )
    .unwrap();
    let running = buyer.start(None);
    buyer.bound();
    let first = sample("855/pass/accepted.edi");
    let folder = seller.path("trace");
    let there = folder.to_str().unwrap();
    let told = seller.told(
        0,
        &["send", "quillfeather", &first, "--json", "--trace", there],
    );
    assert_eq!(told[0]["state"], "confirmed");
    let (names, bytes) = traced(&folder, "-out-quillfeather");
    let out = [
        "01-payload.bin",
        "02-request.http",
        "03-body.bin",
        "04-response.http",
        "05-receipt.bin",
        "06-signed.bin",
        "07-signature.p7s",
    ];
    assert_eq!(names, out);
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(has(&bytes, "Received-Content-MIC") && has(&bytes, "ISA*"));
    let (names, bytes) = traced(&buyer.path("trace"), "-in-tinderbox");
    let inside = [
        "01-request.http",
        "02-body.bin",
        "03-encrypted.bin",
        "04-signed.bin",
        "05-signature.p7s",
        "06-payload.bin",
        "07-response.http",
        "08-receipt.bin",
    ];
    assert_eq!(names, inside);
    assert!(has(&bytes, "HTTP/1.1 200") && !has(&bytes, "PRIVATE KEY"));
    drop(running);
}

/// No second is a time, too; no time at all is for ever.
#[test]
fn who_waits_no_time_is_told_at_once() {
    let (seller, _nobody) = both(Sync);
    let file = sample("855/pass/accepted.edi");
    let ended = seller.run(&["send", "quillfeather", &file, "--wait", "0", "--json"]);
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    // It waits to be sealed, or to be sent.
    assert!(matches!(ended.status.code(), Some(1 | 3)), "{told}");
    assert!(
        told["state"] == "held" || told["state"] == "sealed",
        "{told}"
    );
}
