//! Scenarios through the whole house: the buyer's doors, our gateway on its store, a scripted vendor.
//! Each run ends as its file says. A few in each test run; all with `TRANSLOAD_SCENARIOS=all`, which
//! takes minutes.

use std::process::{Command, Stdio};

use transload::sim::Scenario;

/// What is played in each run: an answer that is lost, and orders that are hidden for days.
const FEW: [&str; 2] = ["lost-answer", "hidden-orders"];
/// What is there for others alone: the sandbox, and consumers' orders, which the play's vendor does
/// not sell.
const APART: [&str; 2] = ["sandbox", "direct"];

#[test]
fn scenarios_end_as_their_files_say_through_the_gateway() {
    let all = std::env::var("TRANSLOAD_SCENARIOS").is_ok_and(|word| word == "all");
    let wanted = |name: &&str| !APART.contains(name) && (all || FEW.contains(name));
    let mut wrong = String::new();
    for name in Scenario::names().filter(wanted) {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_transload"))
            .args(["sim", "amazon", "--json", "--scenario", name])
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if !output.status.success() {
            let said: serde_json::Value =
                serde_json::from_slice(&output.stdout).unwrap_or_default();
            let err = String::from_utf8_lossy(&output.stderr);
            let (short, amiss, trouble) = (&said["shortfalls"], &said["amiss"], &said["trouble"]);
            wrong.push_str(&format!("{name}: {short} {amiss} {trouble} {err}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
