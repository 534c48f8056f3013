//! The corpora of the fuzz targets, through the code that is fuzzed: what crashed once does not
//! crash again, and what fuzzing has reached stays reached.
//!
//! A developer's run replays a share of the files and all that once crashed. All of them:
//! `TRANSLOAD_FUZZ=all cargo test fuzz`; CI replays all.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is the library of a package of its own")]
mod targets;

use std::path::{Path, PathBuf};

use transload::mapping::Library;

/// Each which file of a corpus a developer's run replays.
const STRIDE: usize = 8;

fn stride() -> usize {
    let all = ["TRANSLOAD_FUZZ", "CI"].map(std::env::var_os);
    if all.iter().any(Option::is_some) {
        1
    } else {
        STRIDE
    }
}

/// The files of a corpus, sorted by name: libFuzzer names them by their hashes.
fn corpus(target: &str) -> Vec<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus");
    let Ok(entries) = std::fs::read_dir(Path::new(root).join(target)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// A file that somebody named, because it crashed: `crash-…`.
fn crashed(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("crash-")
}

fn replay(name: &str, target: targets::Target) -> usize {
    let files = corpus(name);
    let (crashes, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| crashed(file));
    let some = others.into_iter().step_by(stride());
    let mut count = 0;
    for file in crashes.into_iter().chain(some) {
        let bytes = std::fs::read(&file).expect("a readable file");
        if let Err(panic) = std::panic::catch_unwind(|| target(&bytes)) {
            say!("{} crashes {name}", file.display());
            std::panic::resume_unwind(panic);
        }
        count += 1;
    }
    count
}

#[test]
fn corpora_are_replayed() {
    let counts = targets::TARGETS.map(|(name, target)| (name, replay(name, target)));
    say!("replayed of the fuzz corpora: {counts:?}");
    for name in [
        "as2_cms",
        "as2_compress",
        "as2_headers",
        "as2_layers",
        "as2_mdn",
        "as2_mime",
        "guide_load",
        "laws",
        "mapping_read",
        "partner",
        "settings",
        "spapi",
        "x12_read",
    ] {
        assert!(
            counts.iter().any(|&(of, count)| of == name && count > 0),
            "{name}: no corpus"
        );
    }
}

#[test]
fn targets_pick_from_all_guides() {
    let mut names = targets::guide::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(
        names,
        Library::embedded().names(),
        "put a new guide at the end of NAMES"
    );
}

#[test]
fn each_target_has_its_binary() {
    let manifest = include_str!("../fuzz/Cargo.toml");
    for (name, _) in targets::TARGETS {
        assert!(
            manifest.contains(&format!("[[bin]]\nname = {name:?}\n")),
            "{name}"
        );
    }
}
