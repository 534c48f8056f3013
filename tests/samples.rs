//! Every file under `samples/x12` and `samples/partners` is a test: no list to keep.
//!
//! | folder | the file | its neighbour `.snap` | its neighbour `.997.snap` |
//! |---|---|---|---|
//! | `pass` | is clean, and the same bytes after JSON | its documents as JSON | the 997 that answers it |
//! | `fail` | has a finding | what `check` says of it | the same |
//!
//! Below `samples/partners/NAME` a file is read by that partner's guides.

use std::path::{Path, PathBuf};

use transload::cli::{Envelope, Guides, Noted, check, to_json, to_x12};
use transload::mapping::Library;
use transload::x12::{self, Fault, Severity};

/// The guides that a sample is read by.
pub(crate) fn guides(path: &Path) -> Guides {
    let mut folders = path.components().map(|part| part.as_os_str());
    folders.find(|part| *part == "partners");
    Guides {
        library: Library::embedded(),
        partner: folders
            .next()
            .map(|name| name.to_string_lossy().into_owned()),
    }
}

/// All samples in folders called `folder`, in order.
pub(crate) fn samples(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut folders = vec![root.join("x12"), root.join("partners")];
    let mut files = Vec::new();
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "edi")
                && path.parent().unwrap().ends_with(folder)
            {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no samples in {folder}");
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Compares with the snapshot `called` so, beside the file.
fn beside(path: &Path, called: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => path.parent().unwrap(),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(called, text);
    });
}

pub(crate) fn json(path: &Path) -> Vec<u8> {
    let (mut json, bytes) = (Vec::new(), std::fs::read(path).unwrap());
    to_json(&bytes[..], &guides(path), &mut json, &mut |_| Ok(())).unwrap();
    json
}

fn report(path: &Path) -> transload::cli::Report {
    check(&std::fs::read(path).unwrap()[..], &guides(path)).unwrap()
}

#[test]
fn samples_that_pass_are_clean() {
    for path in samples("pass") {
        let report = report(&path);
        assert!(
            !report.counts.reach(Severity::Warning),
            "{}",
            report.plain(&path.to_string_lossy())
        );
    }
}

#[test]
fn samples_that_pass_give_their_json() {
    for path in samples("pass") {
        let json = json(&path);
        let stream = serde_json::Deserializer::from_slice(&json).into_iter::<serde_json::Value>();
        let pretty = stream.map(|value| serde_json::to_string_pretty(&value.unwrap()).unwrap());
        let documents = pretty.collect::<Vec<_>>().join("\n");
        if !documents.is_empty() {
            beside(&path, &name(&path), &documents);
        }
    }
}

#[test]
fn samples_that_pass_are_the_same_bytes_after_json() {
    let mut same = 0;
    for path in samples("pass") {
        let bytes = std::fs::read(&path).unwrap();
        let report = report(&path);
        let lossy = |n: &Noted| matches!(n.finding.fault, Fault::Unmapped | Fault::Normalised);
        let json = json(&path);
        // A 997 is no document.
        if report.findings.iter().any(lossy) || json.is_empty() {
            continue;
        }
        let mut again = Vec::new();
        to_x12(
            &json,
            &guides(&path),
            &Envelope::default(),
            &mut again,
            &mut |_| Ok(()),
        )
        .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('~', "~\n");
        assert_eq!(text(&again), text(&bytes), "{}", name(&path));
        assert_eq!(again, bytes, "{}", name(&path));
        same += 1;
    }
    say!("{same} samples are the same bytes after JSON");
    assert!(same >= 25, "{same}");
}

#[test]
fn samples_that_fail_say_why() {
    for path in samples("fail") {
        let report = report(&path);
        assert!(report.counts.reach(Severity::Warning), "{}", name(&path));
        beside(&path, &name(&path), &report.plain(&name(&path)));
    }
}

/// What our 997 says of a sample, and the interchange that it answers; nothing is said to a 997.
pub(crate) fn answer(path: &Path) -> (x12::Interchange, Vec<x12::FunctionalAcknowledgment>) {
    let findings = report(path).findings;
    let findings: Vec<_> = findings.into_iter().map(|noted| noted.finding).collect();
    let file = x12::read(&std::fs::read(path).unwrap()[..]).unwrap();
    let interchange = file.interchanges.into_iter().next().unwrap();
    let said = x12::acknowledge(&interchange, &findings, x12::Form::F997);
    (interchange, said)
}

/// The answer to each file, segment by segment: the envelope around it has a time and numbers of its own.
#[test]
fn samples_are_answered() {
    let delimiters = x12::Delimiters::default();
    let mut answered = 0;
    for path in samples("pass").into_iter().chain(samples("fail")) {
        let (_, said) = answer(&path);
        let Some(said) = said.first() else {
            continue;
        };
        let body = said.write(&delimiters);
        let lines = body.iter().map(|segment| format!("{segment:?}\n"));
        beside(
            &path,
            &format!("{}.997", name(&path)),
            &lines.collect::<String>(),
        );
        answered += 1;
    }
    assert!(answered >= 60, "{answered}");
}

/// Three of a kind at least: a set with fewer samples proves little.
#[test]
fn each_set_has_its_samples() {
    let both = ["850", "855", "810", "997"];
    let both = both.map(|set| [format!("004010/{set}"), format!("005010/{set}")]);
    let one = [
        "004010/846",
        "004010/860",
        "004010/865",
        "004010/824",
        "005010/753",
        "005010/754",
        "005010/999",
    ];
    for set in both.into_iter().flatten().chain(one.map(str::to_owned)) {
        for folder in ["pass", "fail"] {
            let of = format!("samples/x12/{set}/{folder}/");
            let all = samples(folder);
            let own = all.iter().filter(|p| p.to_string_lossy().contains(&of));
            assert!(own.count() >= 3, "{of}");
        }
    }
}

/// A partner that nobody has heard of yet: an overlay and a code list, in a folder of the user's own.
const NEW: [(&str, &str); 2] = [
    (
        "partners/fernhill/850.toml",
        r#"base = "x12/004010/850"

[heading.REF-PD]
pos = 50
usage = "M"
when = { REF01 = "PD" }
REF02 = { as = "ext.promotion" }

[heading]
N1-BT = { usage = "N" }
TD5 = { usage = "M" }

[detail.PO1]
usage = "M"
PO103 = { usage = "M", codes = "fernhill_unit" }
"#,
    ),
    ("codes/fernhill_unit.toml", "CA = \"case\"\nEA = \"each\"\n"),
];

fn newcomer(partner: Option<&str>) -> Guides {
    let files = NEW.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Guides {
        library: Library::embedded().with(files),
        partner: partner.map(str::to_owned),
    }
}

#[test]
fn an_overlay_changes_what_is_read_and_written() {
    assert!(NEW[0].1.lines().count() <= 30);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/x12/004010/850/pass/retail.edi");
    let bytes = std::fs::read(path).unwrap();
    let read = |guides: &Guides| {
        let mut json = Vec::new();
        to_json(&bytes[..], guides, &mut json, &mut |_| Ok(())).unwrap();
        json
    };
    let order = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
    let (ours, theirs) = (read(&newcomer(None)), read(&newcomer(Some("fernhill"))));
    assert_eq!(order(&theirs)["ext"]["promotion"], "SPRING26");
    assert_eq!(order(&ours)["ext"], serde_json::Value::Null);
    assert_eq!(order(&ours)["references"][1]["id"], "SPRING26");

    let mut changed = order(&theirs);
    changed["ext"]["promotion"] = "SUMMER26".into();
    // The partner's guide has no bill-to.
    changed.as_object_mut().unwrap().remove("bill_to");
    let (json, mut written) = (changed.to_string(), Vec::new());
    let guides = newcomer(Some("fernhill"));
    to_x12(
        json.as_bytes(),
        &guides,
        &Envelope::default(),
        &mut written,
        &mut |_| Ok(()),
    )
    .unwrap();
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains("REF*PD*SUMMER26~"), "{written}");
    assert!(!written.contains("N1*BT"), "{written}");
}

#[test]
fn an_overlay_changes_what_is_checked_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in NEW {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let run = |arguments: &[&str], partner: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_transload"))
            .args(arguments)
            .arg("--mappings")
            .arg(folder.path())
            .args(partner)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("COLUMNS", "200")
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let fernhill = ["--partner", "fernhill"];
    let (code, shown) = run(&["mappings", "show", "850"], &fernhill);
    assert_eq!(code, Some(0));
    assert!(shown.contains("ext.promotion"), "{shown}");
    assert!(
        !run(&["mappings", "show", "850"], &[])
            .1
            .contains("ext.promotion")
    );

    let sample = "samples/x12/004010/850/pass/minimal.edi";
    assert_eq!(run(&["check", sample], &[]).0, Some(0));
    let (code, said) = run(&["check", sample], &fernhill);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("REF*PD (Reference) is missing"), "{said}");
    assert!(said.contains("TD5 (Routing) is missing"), "{said}");
}
