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
fn guides(path: &Path) -> Guides {
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
fn samples(folder: &str) -> Vec<PathBuf> {
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

fn json(path: &Path) -> Vec<u8> {
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

/// The answer to each file, segment by segment. The envelope around it has the time and numbers of its own.
#[test]
fn samples_are_answered() {
    let delimiters = x12::Delimiters::default();
    let mut answered = 0;
    for path in samples("pass").into_iter().chain(samples("fail")) {
        let findings = report(&path).findings;
        let findings: Vec<_> = findings.into_iter().map(|noted| noted.finding).collect();
        let file = x12::read(&std::fs::read(&path).unwrap()[..]).unwrap();
        let said = x12::acknowledge(&file.interchanges[0], &findings);
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
    for version in ["004010", "005010"] {
        for set in ["850", "855", "810", "997"] {
            for folder in ["pass", "fail"] {
                let of = format!("samples/x12/{version}/{set}/{folder}/");
                let all = samples(folder);
                let own = all.iter().filter(|p| p.to_string_lossy().contains(&of));
                assert!(own.count() >= 3, "{of}");
            }
        }
    }
}
