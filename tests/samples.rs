//! Every file under `samples/x12` is a test: no list to keep.
//!
//! | folder | the file | its neighbour `.snap` |
//! |---|---|---|
//! | `pass` | is clean, and the same bytes after JSON | its documents as JSON |
//! | `fail` | has a finding | what `check` says of it |

use std::path::{Path, PathBuf};

use transload::cli::{Envelope, Guides, Noted, check, to_json, to_x12};
use transload::mapping::Library;
use transload::x12::{Fault, Severity};

fn guides() -> Guides {
    Guides {
        library: Library::embedded(),
        partner: None,
    }
}

/// All samples in folders called `folder`, in order.
fn samples(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/x12")];
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

/// Compares with the snapshot beside the file.
fn beside(path: &Path, text: &str) {
    insta::with_settings!({
        snapshot_path => path.parent().unwrap(),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name(path), text);
    });
}

fn json(bytes: &[u8], tell: &mut dyn FnMut(&Noted) -> std::io::Result<()>) -> Vec<u8> {
    let mut json = Vec::new();
    to_json(bytes, &guides(), &mut json, tell).unwrap();
    json
}

#[test]
fn samples_that_pass_are_clean() {
    for path in samples("pass") {
        let report = check(&std::fs::read(&path).unwrap()[..], &guides()).unwrap();
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
        let json = json(&std::fs::read(&path).unwrap(), &mut |_| Ok(()));
        let stream = serde_json::Deserializer::from_slice(&json).into_iter::<serde_json::Value>();
        let pretty = stream.map(|value| serde_json::to_string_pretty(&value.unwrap()).unwrap());
        beside(&path, &pretty.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn samples_that_pass_are_the_same_bytes_after_json() {
    let mut same = 0;
    for path in samples("pass") {
        let bytes = std::fs::read(&path).unwrap();
        let report = check(&bytes[..], &guides()).unwrap();
        let lossy = |n: &Noted| matches!(n.finding.fault, Fault::Unmapped | Fault::Normalised);
        let json = json(&bytes, &mut |_| Ok(()));
        let mut again = Vec::new();
        to_x12(
            &json,
            &guides(),
            &Envelope::default(),
            &mut again,
            &mut |_| Ok(()),
        )
        .unwrap();
        if report.findings.iter().any(lossy) {
            continue;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('~', "~\n");
        assert_eq!(text(&again), text(&bytes), "{}", name(&path));
        assert_eq!(again, bytes, "{}", name(&path));
        same += 1;
    }
    say!("{same} samples are the same bytes after JSON");
    assert!(same >= 10, "{same}");
}

#[test]
fn samples_that_fail_say_why() {
    for path in samples("fail") {
        let report = check(&std::fs::read(&path).unwrap()[..], &guides()).unwrap();
        assert!(report.counts.reach(Severity::Warning), "{}", name(&path));
        beside(&path, &report.plain(&name(&path)));
    }
}
