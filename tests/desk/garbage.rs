//! Whatever a file holds, each command ends with an answer: no panic, no file overwritten.

use std::path::PathBuf;

use super::{folder, path};
use crate::cli::{corpus, transload};

/// All files of the corpus.
fn files() -> Vec<PathBuf> {
    let Some(folder) = corpus() else {
        return Vec::new();
    };
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// Runs each command on a file.
fn endure(name: &str, bytes: &[u8]) {
    let folder = folder(&[("file.edi", bytes)]);
    let (file, path) = path(&folder, "file.edi");
    let to = folder.path().join("sets");
    let to = to.to_str().unwrap();
    let other = super::SOUND;
    for arguments in [
        vec!["explain", &path],
        vec!["diff", &path, other],
        vec!["fix", &path],
        vec!["split", &path, "--to", to],
        vec!["redact", &path],
        vec!["show", &path],
    ] {
        let output = transload(&arguments, b"");
        let err = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!(
            matches!(code, Some(0..=2)),
            "{name}: {arguments:?}: {code:?}\n{err}"
        );
        assert!(!err.contains("panicked"), "{name}: {arguments:?}\n{err}");
        if arguments[0] == "fix" && err.contains(": nothing changed;") {
            assert!(output.stdout == bytes, "{name}: fix changed something");
        }
    }
    assert!(std::fs::read(file).unwrap() == bytes, "{name} was changed");
}

/// All files on as many threads as there are processors.
fn all(files: Vec<(String, Vec<u8>)>) {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for chunk in files.chunks(files.len().div_ceil(jobs).max(1)) {
            scope.spawn(move || chunk.iter().for_each(|(name, bytes)| endure(name, bytes)));
        }
    });
}

#[test]
fn every_file_of_the_corpus_is_answered() {
    let files = files().into_iter();
    all(files
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect());
}

#[test]
fn damaged_files_are_answered() {
    let sound = super::order(&[]);
    let mut damaged: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("not X12".into(), b"hello, world".to_vec()),
        ("ISA alone".into(), sound.as_bytes()[..106].to_vec()),
        ("binary".into(), (0..=255).cycle().take(5_000).collect()),
    ];
    // Cuts, and bytes changed, at places spread over the file.
    for n in 1..16 {
        let at = sound.len() * n / 16;
        damaged.push((format!("cut at {at}"), sound.as_bytes()[..at].to_vec()));
        let mut other = sound.clone().into_bytes();
        other[at] = b"*~>\n\0\xff"[n % 6];
        damaged.push((format!("changed at {at}"), other));
    }
    for acknowledgment in [
        "samples/x12/004010/997/pass/rejected-with-reasons.edi",
        "samples/x12/004010/997/fail/counts-are-letters.edi",
    ] {
        let text = std::fs::read_to_string(acknowledgment).unwrap();
        damaged.push((acknowledgment.into(), text.clone().into_bytes()));
        let huge = text.replace("AK3*PO1*14*", "AK3*PO1*4294967295*");
        let zero = huge
            .replace("AK4*3*", "AK4*0*")
            .replace("AK4*4>1", "AK4*4294967295>0>0");
        damaged.push((format!("{acknowledgment}, huge numbers"), zero.into_bytes()));
    }
    all(damaged);
}
