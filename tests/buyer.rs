//! The simulated buyer refuses what is wrong, and says what; and a system that shares no code with us
//! completes an order with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Plays a scenario of this text: what came of it.
fn played(happens: &str, doors: &str, orders: usize) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planted.toml");
    let text = format!("about = \"planted\"\nabout_zh = \"植入\"\ndoors = [{doors}]\n{happens}");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args([
        "sim",
        "amazon",
        "--json",
        "--orders",
        &orders.to_string(),
        "--scenario",
    ]);
    command
        .arg(&file)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {err}"))
}

/// Mistakes of the vendor's side, one an order: what happens, which set it is found in, and words of
/// the sentence that says what is wrong.
const PLANTED: [(&str, &str, &str, &str); 11] = [
    ("wrong_line", "line = 1", "855", "line"),
    ("early_notice", "", "856", "was not acknowledged"),
    ("over_shipment", "units = 1", "856", "are shipped"),
    ("wrong_sscc", "", "856", "check digit"),
    ("same_sscc", "", "856", "two packages"),
    ("early_invoice", "", "810", "was shipped"),
    ("invoice_twice", "", "810", "came on"),
    ("invoice_total", "cents = 1", "810", "its lines come to"),
    ("invoice_price", "cents = 1", "810", "will be claimed"),
    ("invoice_freight", "cents = 900", "810", "will be claimed"),
    (
        "late_acknowledgment",
        "hours = 60",
        "855",
        "hours after the order",
    ),
];

#[test]
fn each_mistake_is_found_and_the_sentence_says_what_is_wrong() {
    let happens = PLANTED.iter().zip(1..).map(|((what, more, ..), position)| {
        format!("[[happens]]\nwhat = \"{what}\"\norders = [{position}]\n{more}\n")
    });
    let said = played(&happens.collect::<String>(), "\"edi\"", PLANTED.len());
    assert_eq!(said["unexplained"], 0, "{said}");
    let rows = said["rows"].as_array().unwrap();
    for ((what, _, set, words), row) in PLANTED.iter().zip(rows) {
        let order = row["order"].as_str().unwrap();
        let told = ["refused", "remarked"].map(|name| said[name].as_array().unwrap());
        let mut told = told.into_iter().flatten();
        let one = told.find(|one| {
            one["set"] == *set
                && one["number"].as_str().unwrap().contains(order)
                && one["sentence"].as_str().unwrap().contains(words)
        });
        assert!(one.is_some(), "{what} of {order} was not found: {said}");
        assert_eq!(
            row["state"], "paid",
            "{what}: the right paper followed: {row}"
        );
    }
    // Of an order that nothing is planted in, nothing is said.
    let sound = played("", "\"edi\"", 1);
    assert_eq!(
        (&sound["refused"], &sound["remarked"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
}

/// The same by the other door, where the outcome of the transaction says it.
#[test]
fn the_api_door_refuses_the_same() {
    for (what, more, words) in [
        ("over_shipment", "units = 1", "are shipped"),
        ("invoice_total", "cents = 1", "its lines come to"),
    ] {
        let said = played(
            &format!("[[happens]]\nwhat = \"{what}\"\n{more}\n"),
            "\"api\"",
            1,
        );
        let advised = said["advised"].to_string();
        assert!(advised.contains(words), "{what}: {said}");
        assert_eq!(said["rows"][0]["state"], "paid", "{said}");
    }
}

/// A 997 that refuses makes the vendor say it again; one that is missing changes no money.
#[test]
fn a_missing_and_a_negative_997_and_a_lost_receipt() {
    let ways = [
        ("negative997", "855"),
        ("missing997", "856"),
        ("lost_mdn", "810"),
    ];
    let happens = ways.iter().zip(1..).map(|((what, set), position)| {
        format!("[[happens]]\nwhat = \"{what}\"\nset = \"{set}\"\norders = [{position}]\n")
    });
    let happens: String = happens.collect();
    let happens = format!("{happens}[end]\nstates = {{ paid = \"all\" }}\n");
    let said = played(&happens, "\"edi\"", ways.len());
    assert_eq!(said["sound"], true, "{said}");
    let came = ["855", "856", "810"].map(|set| said["interchanges"][set].as_u64().unwrap());
    assert_eq!(
        came,
        [4, 3, 3],
        "the rejected one again, and nothing else: {said}"
    );
    // Every document but one was answered.
    let sets = said["interchanges"].as_object().unwrap().iter();
    let all: u64 = sets
        .filter(|(set, _)| *set != "997")
        .map(|(_, n)| n.as_u64().unwrap())
        .sum();
    assert_eq!(said["interchanges"]["997"], all - 1, "{said}");
}

/// pyas2lib and plain strings, by `--listen`.
#[test]
fn a_system_that_shares_no_code_with_us_is_paid() {
    let python = Path::new(ROOT).join("target/interop/venv/bin/python");
    let ci = std::env::var_os("CI").is_some();
    assert!(
        python.exists() || !ci,
        "no pyas2lib: run tests/interop/setup.sh"
    );
    if !python.exists() {
        println!("skipped: no pyas2lib; tests/interop/setup.sh installs it");
        return;
    }
    let script = Path::new(ROOT).join("tests/buyer/vendor.py");
    let lines = std::fs::read_to_string(&script).unwrap().lines().count();
    assert!(
        lines <= 200,
        "{lines} lines: it is to be read in one sitting"
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .args([
            &script,
            Path::new(env!("CARGO_BIN_EXE_transload")),
            folder.path(),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{out}{err}");
    let said: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&said["state"], &said["paid"]),
        (&"paid".into(), &said["asked"]),
        "{said}"
    );
}

/// A partner of a folder, by the files of the simulator's own.
fn partners() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let buyer = std::fs::read_to_string(Path::new(ROOT).join("samples/demo/buyer.toml")).unwrap();
    let text = buyer
        .replace("{url}", "http://127.0.0.1:4080/as2")
        .replace("{certificate}", "acme.pem");
    let text = text.replace("name = \"buyer\"", "name = \"acme\"");
    std::fs::write(folder.path().join("acme.toml"), text).unwrap();
    let keys = crate::proxy::house::keys();
    std::fs::write(
        folder.path().join("acme.pem"),
        keys.them.certificate.to_pem().unwrap(),
    )
    .unwrap();
    folder
}

fn rehearse(folder: &Path, arguments: &[&str]) -> (Value, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command
        .args(["rehearse", "acme", "--json", "--partners"])
        .arg(folder);
    let output = command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {err}"));
    (said, output.status.code().unwrap())
}

/// What `partner check --rehearsed` says.
fn rehearsed(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(["partner", "check", "--rehearsed", "--partners"]);
    let output = command.arg(folder).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn met(said: &Value, point: &str) -> bool {
    let points = said["points"].as_array().unwrap();
    let one = points.iter().find(|one| one["point"] == point).unwrap();
    one["met"].as_bool().unwrap()
}

#[test]
fn production_is_refused_until_three_rounds_are_complete_and_the_list_is_met() {
    let temp = partners();
    let folder = temp.path();
    for round in 1..=3 {
        let (refused, exit) = rehearse(folder, &["--production"]);
        assert_eq!(
            (exit, &refused["switched"]),
            (1, &false.into()),
            "before round {round}"
        );
        let (said, _) = rehearse(folder, &[]);
        assert_eq!(said["rounds"][round - 1]["complete"], true, "{said}");
        assert_eq!(met(&said, "rounds"), round == 3, "{said}");
    }
    for item in ["survey", "connectivity", "messages", "invoices"] {
        let (refused, exit) = rehearse(folder, &["--production"]);
        assert_eq!(exit, 1, "without {item}: {refused}");
        rehearse(folder, &["--met", item, "--note", "Kim, 3 March"]);
    }
    let file = folder.join("acme.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    // By hand it is no secret: a check before the start says so.
    std::fs::write(&file, before.replace("[x12]\n", "[x12]\nusage = \"P\"\n")).unwrap();
    assert!(rehearsed(folder).contains("nothing was rehearsed"));
    std::fs::write(&file, &before).unwrap();
    let (said, exit) = rehearse(folder, &["--production"]);
    // The certificate of the tests may be short-lived, which is refused as well.
    if !met(&said, "certificates") {
        assert_eq!(exit, 1, "{said}");
        let (said, exit) = rehearse(
            folder,
            &["--production", "--override", "a new one is on its way"],
        );
        assert_eq!(exit, 0, "{said}");
        assert!(
            said["overridden"].to_string().contains("on its way"),
            "{said}"
        );
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.replace("usage = \"P\"\n", ""), before);
    let partner = transload::partner::parse(&text, "acme.toml").unwrap();
    assert_eq!(partner.x12.unwrap().usage, transload::partner::Usage::P);
    assert!(!rehearsed(folder).contains("rehearsed"));
    // An overlay that is changed is another agreement.
    let (said, _) = rehearse(folder, &["--status"]);
    assert!(met(&said, "rounds"), "{said}");
    let guides = tempfile::tempdir().unwrap();
    let own = guides.path().join("partners/amazon");
    std::fs::create_dir_all(&own).unwrap();
    let overlay =
        std::fs::read_to_string(Path::new(ROOT).join("mappings/partners/amazon/810.toml"));
    std::fs::write(own.join("810.toml"), overlay.unwrap() + "\n# changed\n").unwrap();
    let changed = guides.path().to_str().unwrap();
    let (said, _) = rehearse(folder, &["--status", "--mappings", changed]);
    assert!(!met(&said, "rounds"), "{said}");
    // Who changes what is agreed begins anew.
    std::fs::write(
        &file,
        text.replace("810 = { guide = \"amazon\" }", "810 = {}"),
    )
    .unwrap();
    let (said, _) = rehearse(folder, &["--status"]);
    assert!(!met(&said, "rounds"), "{said}");
}

/// What the buyer writes, read by a program that somebody else wrote: only what is explained.
#[test]
fn x12_doctor_finds_nothing_in_what_the_buyer_says() {
    let doctor = Path::new(ROOT).join("target/interop/venv/bin/x12doctor");
    let ci = std::env::var_os("CI").is_some();
    assert!(
        doctor.exists() || !ci,
        "no x12-doctor: run tests/interop/setup.sh"
    );
    if !doctor.exists() {
        println!("skipped: no x12-doctor; tests/interop/setup.sh installs it");
        return;
    }
    let record = tempfile::tempdir().unwrap();
    for scenario in ["order-change", "shortage", "wrong-sscc"] {
        let folder = record.path().join(scenario);
        std::fs::create_dir(&folder).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args([
            "sim",
            "amazon",
            "--orders",
            "3",
            "--scenario",
            scenario,
            "--record",
        ]);
        command.arg(&folder).output().unwrap();
    }
    let files: Vec<_> = ["order-change", "shortage", "wrong-sscc"]
        .iter()
        .flat_map(|scenario| std::fs::read_dir(record.path().join(scenario)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("-said-"))
        .collect();
    for set in ["850", "860", "820", "824", "997"] {
        let name = format!("-said-{set}");
        assert!(
            files
                .iter()
                .any(|path| path.to_string_lossy().contains(&name)),
            "no {set}"
        );
    }
    let output = Command::new(doctor)
        .args(["check", "--format", "json"])
        .args(&files)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).expect("it speaks JSON");
    let explained: Vec<&str> = include_str!("buyer/doctor.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let reports = said["reports"].as_array().unwrap();
    assert_eq!(reports.len(), files.len());
    let (mut used, mut surprises) = (std::collections::BTreeSet::new(), Vec::new());
    for finding in reports
        .iter()
        .flat_map(|report| report["findings"].as_array().unwrap())
    {
        if finding["severity"] != "error" {
            continue;
        }
        let text = |key: &str| finding[key].as_str().unwrap_or("-");
        let code = format!("{}/{}", text("code"), text("segment_id"));
        match explained.iter().find(|one| **one == code) {
            Some(one) => _ = used.insert(*one),
            None => surprises.push(finding.to_string()),
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert_eq!(
        used.len(),
        explained.len(),
        "a line of doctor.txt is not needed: {explained:?}"
    );
}
