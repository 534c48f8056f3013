//! What we write, read by a program that somebody else wrote: x12-doctor.
//!
//! It knows envelopes, counts, 997s and the arithmetic of orders and invoices. It reads the samples'
//! documents as we write them and our answers to all samples. What it may report stands in
//! `doctor.txt`, with the reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::NaiveDateTime;
use serde_json::Value;
use transload::cli::{Envelope, to_x12};
use transload::x12::{self, ReplyNumbers};

use crate::samples::{answer, guides, json, samples};

/// Where `tests/interop/setup.sh` leaves it.
fn doctor() -> PathBuf {
    Path::new(super::ROOT).join("target/interop/venv/bin/x12doctor")
}

fn installed() -> bool {
    let here = doctor().exists();
    let ci = std::env::var_os("CI").is_some();
    assert!(here || !ci, "no x12-doctor: run tests/interop/setup.sh");
    if !here {
        say!("skipped: no x12-doctor; tests/interop/setup.sh installs it");
    }
    here
}

/// What it may report, each with the reason: `CODE why`, or `CODE/SEGMENT why`.
fn explained() -> BTreeMap<String, String> {
    let lines = include_str!("doctor.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    let split = |line: &str| {
        let (code, why) = line.split_once(' ').expect("a code and its reason");
        (code.to_owned(), why.trim().to_owned())
    };
    lines.map(split).collect()
}

/// The samples that pass, through JSON and written again.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in samples("pass") {
        let (json, mut bytes) = (json(&path), Vec::new());
        // A 997 is no document.
        if json.is_empty() {
            continue;
        }
        let envelope = Envelope::default();
        let written = to_x12(
            &json,
            &guides(&path),
            &envelope,
            &mut bytes,
            &mut |_| Ok(()),
        );
        written.expect("what was read can be written");
        files.push(kept(folder, files.len(), &path, &bytes));
    }
    files
}

/// Our answers to all samples, good and bad.
fn answers(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in samples("pass").into_iter().chain(samples("fail")) {
        let (inbound, said) = answer(&path);
        if said.is_empty() {
            continue;
        }
        let numbers = ReplyNumbers {
            interchange: 7,
            group: 7,
            set: 1,
        };
        let reply = x12::reply(&inbound, &said, numbers, NaiveDateTime::default());
        let bytes = reply.to_bytes().expect("our own 997 can be written");
        files.push(kept(folder, 1000 + files.len(), &path, &bytes));
    }
    files
}

fn kept(folder: &Path, number: usize, from: &Path, bytes: &[u8]) -> PathBuf {
    let name = from.file_name().expect("a file").to_string_lossy();
    let path = folder.join(format!("{number}-{name}"));
    std::fs::write(&path, bytes).expect("a temporary folder is writable");
    path
}

#[test]
fn x12_doctor_finds_nothing_in_what_we_write() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut files = documents(folder.path());
    files.extend(answers(folder.path()));
    let out = Command::new(doctor())
        .args(["check", "--format", "json"])
        .args(&files)
        .output()
        .expect("x12-doctor runs");
    let said: Value = serde_json::from_slice(&out.stdout).expect("it speaks JSON");
    let reports = said["reports"].as_array().expect("a report a file");
    assert_eq!(reports.len(), files.len());
    let explained = explained();
    let (mut used, mut surprises) = (BTreeMap::new(), Vec::new());
    for report in reports {
        for finding in report["findings"].as_array().expect("findings") {
            if finding["severity"] != "error" {
                continue;
            }
            let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
            let code = format!("{}/{}", text("code"), text("segment_id"));
            let key = [&code, &text("code")]
                .into_iter()
                .find(|key| explained.contains_key(*key))
                .cloned();
            if key.is_none() {
                surprises.push(format!(
                    "{}: {code} {}",
                    report["source"], finding["message"]
                ));
            }
            *used.entry(key.unwrap_or(code)).or_insert(0) += 1;
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    say!("x12-doctor read {} files; explained: {used:?}", files.len());
    let idle: Vec<_> = explained
        .keys()
        .filter(|c| !used.contains_key(*c))
        .collect();
    assert!(idle.is_empty(), "explained and never found: {idle:?}");
}
