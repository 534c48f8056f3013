//! `transload demo`, and what somebody can prove of it with the `openssl` command alone.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const ORDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/demo/order.edi");

fn demo(temp: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(["demo", "--json"]).env("TMPDIR", temp);
    command
        .env_remove("TRANSLOAD_PARTNERS")
        .env_remove("TRANSLOAD_MAPPINGS");
    command.stdin(Stdio::null());
    command
}

/// Runs the whole demo with an order, and gives what it says: it is sound, and nothing is left.
#[track_caller]
fn sound(order: &Path) -> Value {
    let temp = tempfile::tempdir().unwrap();
    let output = demo(temp.path()).arg("--order").arg(order).output();
    let output = output.unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let left: Vec<_> = std::fs::read_dir(temp.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    holds(&said);
    said
}

/// Six messages, each confirmed, and the same on both sides.
#[track_caller]
fn holds(said: &Value) {
    assert_eq!(said["sound"], true, "{said}");
    let messages = said["messages"].as_array().unwrap();
    let steps: Vec<_> = messages
        .iter()
        .map(|message| {
            ["from", "to", "set", "document"].map(|name| message[name].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        steps,
        [
            ["buyer", "seller", "850", "accepted"],
            ["seller", "buyer", "997", "sent"],
            ["seller", "buyer", "855", "accepted"],
            ["buyer", "seller", "997", "sent"],
            ["seller", "buyer", "810", "accepted"],
            ["buyer", "seller", "997", "sent"],
        ]
    );
    for message in messages {
        assert_eq!(message["state"], "confirmed", "{message}");
        assert_eq!(message["same_receipt"], true, "{message}");
        for both in ["mic", "payload_sha256"] {
            let [ours, theirs] = ["sender", "receiver"].map(|side| message[both][side].as_str());
            assert!(ours.is_some_and(|text| text.len() > 40), "{message}");
            assert_eq!(ours, theirs, "{message}");
        }
        assert_eq!(
            message["receipt"]["Received-Content-MIC"],
            message["mic"]["receiver"]
        );
    }
}

/// Runs `openssl ARGS` in a folder.
fn openssl(folder: &Path, args: &str) -> std::process::Output {
    let mut command = Command::new("openssl");
    command.args(args.split_whitespace()).current_dir(folder);
    let output = command.stdin(Stdio::null()).output();
    output.expect("the openssl command is installed")
}

/// The same, which has to succeed; what it prints.
#[track_caller]
fn must(folder: &Path, args: &str) -> String {
    let output = openssl(folder, args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {args}: {err}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// SHA-256 in hexadecimal, as openssl reckons it.
fn sha256(path: &Path) -> String {
    let folder = path.parent().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let line = must(folder, &format!("dgst -sha256 -r {name}"));
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_order_arrives_as_it_was_written() {
    let said = sound(Path::new(ORDER));
    let digest = &said["messages"][0]["payload_sha256"]["receiver"];
    assert_eq!(*digest, sha256(Path::new(ORDER)));
    assert!(said["kept"].is_null());

    let order = std::fs::read_to_string(ORDER).unwrap();
    let segments: Vec<Vec<&str>> = order
        .split('~')
        .map(|segment| segment.trim().split('*').collect())
        .collect();
    let of = |tag: &'static str| segments.iter().filter(move |segment| segment[0] == tag);
    let number = of("BEG").next().unwrap()[3];
    assert_eq!(
        (&said["order"], &said["canonical"]["number"]),
        (&number.into(), &number.into())
    );
    let written: Vec<[&str; 4]> = of("PO1")
        .zip(of("PID"))
        .map(|(line, text)| [line[1], line[2], line[4], text[5]])
        .collect();
    let lines = said["canonical"]["lines"].as_array().unwrap().iter();
    let arrived: Vec<[&str; 4]> = lines
        .map(|line| {
            [
                "/number",
                "/quantity/value",
                "/price/amount",
                "/descriptions/0/text",
            ]
            .map(|field| line.pointer(field).unwrap().as_str().unwrap())
        })
        .collect();
    assert_eq!(arrived, written);
    assert_eq!(arrived.len(), 3);
}

#[test]
fn one_byte_of_the_order_is_one_field_of_the_delivery() {
    let base = sound(Path::new(ORDER));
    let order = std::fs::read_to_string(ORDER).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("order.edi");
    for (from, to, field, value) in [
        ("*17.25*", "*17.26*", "/lines/0/price/amount", "17.26"),
        ("*24*EA*", "*25*EA*", "/lines/1/quantity/value", "25"),
        (
            "strainer, fine",
            "strainer, fire",
            "/lines/2/descriptions/0/text",
            "Tea strainer, fire mesh, six to a case",
        ),
    ] {
        assert_eq!(order.matches(from).count(), 1, "{from}");
        std::fs::write(&path, order.replace(from, to)).unwrap();
        let said = sound(&path);

        let mut expected = base["canonical"].clone();
        let old = expected.pointer_mut(field).unwrap();
        assert_ne!(*old, value);
        *old = value.into();
        assert_eq!(said["canonical"], expected, "{to}");

        let digest = |said: &Value| said["messages"][0]["payload_sha256"]["receiver"].clone();
        assert_eq!(digest(&said), sha256(&path));
        assert_ne!(digest(&said), digest(&base));
    }
}
