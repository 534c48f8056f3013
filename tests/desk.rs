//! The debugging desk: `explain`, `diff`, `fix`, `split`, `redact`, `show`, and `transload` alone.
//!
//! Journey (a), "debug this file": what is in it, what is wrong, what to do. Its checks are named in
//! the tests, as `a7`.

mod diff;
mod explain;
mod fix;
mod folder;
mod garbage;
mod journey;
mod picture;
mod redact;
mod roundtrip;
mod show;
mod split;

use std::path::{Path, PathBuf};

use crate::cli::{run, run_on};

/// A sound order, and one in which a DTM, a unit and a count are wrong.
const SOUND: &str = "samples/demo/order.edi";
const FAULTY: &str = "samples/x12/004010/850/fail/three-faults.edi";

/// The order of the demo, changed.
fn order(changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SOUND);
    let mut order = std::fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(order.contains(from), "{from}");
        order = order.replace(from, to);
    }
    order
}

/// The four planted faults of check a5: a unit, CTT, SE and IEA.
fn four_faults() -> String {
    order(&[
        ("PO1*2*24*EA*", "PO1*2*24*EACH*"),
        ("CTT*3*", "CTT*4*"),
        ("SE*24*", "SE*25*"),
        ("IEA*1*000000041", "IEA*1*000000099"),
    ])
}

/// A folder with files in it.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn path(folder: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}
