//! What `transload evidence` writes is verified by openssl, and fails when any of it is changed.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::exchange::pair::canonical;
use crate::houses::{Buyer, Process, Seller, Side, Sync, both, put, until_whole};

/// All that `verify.sh` may use.
const TOOLS: [&str; 9] = [
    "sh", "openssl", "cmp", "dirname", "cut", "tr", "tail", "head", "wc",
];

/// A machine that has openssl, coreutils, and nothing else.
fn bare_machine() -> TempDir {
    let bin = tempfile::tempdir().unwrap();
    let path = std::env::var("PATH").unwrap();
    for tool in TOOLS {
        let mut places = std::env::split_paths(&path).map(|folder| folder.join(tool));
        let place = places.find(|place| place.exists()).unwrap();
        symlink(place, bin.path().join(tool)).unwrap();
    }
    bin
}

fn verify(bin: &Path, folder: &Path) -> Output {
    let mut command = Command::new(bin.join("sh"));
    command
        .arg(folder.join("verify.sh"))
        .env_clear()
        .env("PATH", bin);
    command.output().unwrap()
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The evidence of every message of a side.
fn evidence(side: &Side) -> Vec<(String, PathBuf)> {
    let all = side.told(0, &["messages", "--json"]);
    let folder = |row: &serde_json::Value| {
        let id = row["id"].as_str().unwrap();
        let folder = side.path(&format!("evidence-{id}"));
        let there = folder.to_str().unwrap();
        side.told(0, &["evidence", id, "-o", there, "--json"]);
        (row["direction"].as_str().unwrap().to_owned(), folder)
    };
    all.iter().map(folder).collect()
}

/// A seller and a buyer who have exchanged an answer and its 997, and their processes.
fn exchanged() -> (Side, Side, (Process, Process)) {
    let (seller, buyer) = both(Sync);
    let answer = canonical("x12/004010/855/pass/accepted.edi");
    put(&seller.path("bridge/quillfeather/in"), &answer);
    let running = (seller.start(None), buyer.start(None));
    until_whole(&seller, Seller).unwrap();
    until_whole(&buyer, Buyer).unwrap();
    (seller, buyer, running)
}

#[test]
fn evidence_verifies_on_a_machine_with_openssl_alone() {
    let (seller, buyer, running) = exchanged();
    let bin = bare_machine();
    let mut folders = evidence(&seller);
    assert_eq!(folders.len(), 2);
    folders.extend(evidence(&buyer));
    // The keys and the processes are gone.
    drop(running);
    for (direction, folder) in &folders {
        let output = verify(bin.path(), folder);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("everything holds") && !said.contains("FAILED"),
            "{said}"
        );
        for proved in [
            "signature is",
            "receipt is for this message",
            "names the MIC",
        ] {
            assert!(said.contains(proved), "{direction}: {proved}: {said}");
        }
    }
    for (_, folder) in &folders[..2] {
        let names = files(folder);
        assert!(
            names.contains("payload") && names.contains("receipt-signature.p7s"),
            "{names:?}"
        );
        for name in names {
            let path = folder.join(name);
            let sound = std::fs::read(&path).unwrap();
            let mut broken = sound.clone();
            let middle = broken.len() / 2;
            broken[middle] ^= 1;
            std::fs::write(&path, broken).unwrap();
            let output = verify(bin.path(), folder);
            assert!(!output.status.success(), "{} was changed", path.display());
            std::fs::write(&path, sound).unwrap();
        }
        assert!(verify(bin.path(), folder).status.success());
    }
}

/// Digests that were made anew hide nothing: it is the signatures that prove.
#[test]
fn a_forged_payload_fails_by_the_mic() {
    let (seller, _, running) = exchanged();
    let folders = evidence(&seller);
    drop(running);
    let (_, folder) = folders.iter().find(|(way, _)| way == "outbound").unwrap();
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut forged = String::new();
    for line in sums.lines() {
        let (sum, name) = line.split_once(' ').unwrap();
        if !["payload", "digested-part.bin"].contains(&name) {
            forged += &format!("{sum} {name}\n");
            continue;
        }
        let path = folder.join(name);
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let text = text.replacen("ISA*00*", "ISA*01*", 1);
        let digest = transload::as2::sha256(text.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        forged += &format!("{digest} {name}\n");
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(folder.join("SHA256SUMS"), forged).unwrap();
    let output = verify(bare_machine().path(), folder);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("ok      every file is as it was written"),
        "{said}"
    );
    assert!(
        !output.status.success() && said.contains("FAILED  the receipt names the MIC"),
        "{said}"
    );
}
