//! `transload demo`: twenty orders through both doors, to the last cent.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn demo(temp: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(["demo", "--json"]).args(arguments);
    command.env("TMPDIR", temp).stdin(Stdio::null());
    command
}

/// Runs it to its end: what it says; it is sound, and nothing is left.
#[track_caller]
fn sound(arguments: &[&str]) -> Value {
    let temp = tempfile::tempdir().unwrap();
    let output = demo(temp.path(), arguments).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let left: Vec<_> = std::fs::read_dir(temp.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn twenty_orders_through_both_doors_are_paid_to_the_cent() {
    let said = sound(&[]);
    assert_eq!(
        (&said["sound"], &said["unexplained"]),
        (&true.into(), &0.into()),
        "{said}"
    );
    let rows = said["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
    for door in ["edi", "api"] {
        let of = rows.iter().filter(|row| row["door"] == door);
        assert_eq!(of.count(), 10, "{door}");
    }
    let mut sum = 0;
    for row in rows {
        assert_eq!(row["state"], "paid", "{row}");
        let amounts = ["ordered", "acknowledged", "shipped", "invoiced", "paid"];
        let cents = amounts.map(|name| row[name].as_i64().unwrap());
        assert!(
            cents[0] > 0 && cents.iter().all(|one| *one == cents[0]),
            "{row}"
        );
        sum += cents[0];
    }
    assert_eq!(said["remitted"], sum);
    // Each order, answer, notice and invoice of that door was answered with a 997.
    let sets = &said["interchanges"];
    assert_eq!(
        [&sets["850"], &sets["855"], &sets["856"], &sets["810"]],
        [10; 4].map(Value::from).each_ref()
    );
    let documents: u64 = ["850", "855", "856", "810", "820"]
        .iter()
        .map(|set| sets[set].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(sets["997"], documents);
    assert_eq!(said["refused"].as_array().unwrap().len(), 0, "{said}");
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_does_not() {
    let [one, again, other] = ["3", "3", "4"].map(|seed| sound(&["--orders", "4", "--seed", seed]));
    for (a, b) in one["said"]
        .as_array()
        .unwrap()
        .iter()
        .zip(again["said"].as_array().unwrap())
    {
        assert_eq!(a, b);
    }
    assert_eq!(one["fingerprint"], again["fingerprint"]);
    assert_ne!(one["fingerprint"], other["fingerprint"]);
}

#[test]
fn the_table_is_for_people() {
    let temp = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command
        .args(["demo", "--orders", "2"])
        .env("TMPDIR", temp.path());
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "every cent is explained",
        "2 paid",
        "EDI",
        "API",
        "997",
        "no differences",
    ] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
}

/// Asks over a socket, and gives the head of the answer.
fn ask(url: &str, path: &str) -> String {
    let host = url
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_kept_runs_until_it_is_interrupted() {
    let temp = tempfile::tempdir().unwrap();
    let mut command = demo(temp.path(), &["--keep", "--orders", "2"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).expect("it says what it did");
    let kept = |name: &str| said["kept"][name].as_str().unwrap().to_owned();
    let ready = ask(&kept("admin"), "/readyz");
    let ledger = ask(&kept("api"), "/ledger");
    let files = std::fs::read_dir(PathBuf::from(kept("record")))
        .unwrap()
        .count();
    let told = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ledger.contains("\"unexplained\": 0"), "{ledger}");
    assert!(
        files >= 9,
        "an order's interchanges, each as a file: {files}"
    );
}
