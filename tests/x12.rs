//! X12 as a whole: the corpus of real files, the numbered cases, acknowledgments, the laws.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod acks;
pub(crate) mod cases;
mod cases_content;
mod cases_envelope;
mod cases_levels;
mod cases_source;
mod laws;
mod lossless;
mod malformed;
mod ta1;
mod writing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use transload::x12::{self, Severity};

/// The folder of files from elsewhere, where it is present.
fn corpus() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus"));
    let there = path.join("index.tsv").exists();
    if !there {
        say!("skipped: no ../shared");
    }
    there.then(|| path.to_owned())
}

/// Each file's name, class, segment count by the index, and bytes.
fn corpus_files(folder: &Path) -> Vec<(String, String, u32, Vec<u8>)> {
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows = index
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect::<Vec<_>>());
    rows.map(|row| {
        let bytes = std::fs::read(folder.join(row[0])).unwrap();
        (
            row[0].to_owned(),
            row[9].to_owned(),
            row[11].parse().unwrap(),
            bytes,
        )
    })
    .collect()
}

#[test]
fn x12_corpus_is_read_as_its_index_says() {
    let Some(folder) = corpus() else { return };
    let mut table = BTreeMap::<String, (u32, u32)>::new();
    for (file, class, segments, bytes) in corpus_files(&folder) {
        let reading = x12::read(&bytes[..]).unwrap();
        let agrees = reading.segments == segments;
        let errors: Vec<_> = reading
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .collect();
        if class == "valid" {
            assert!(errors.is_empty(), "{file}: {errors:#?}");
        }
        if class != "malformed" {
            assert_eq!(reading.segments, segments, "{file}");
        }
        if class == "malformed" && !agrees {
            say!("{file}: read {}, by the index {segments}", reading.segments);
        }
        let entry = table.entry(class).or_default();
        *entry = (entry.0 + u32::from(agrees), entry.1 + 1);
    }
    say!("segment counts that agree: {table:?}");
    // One file has a line feed inside ISA and line feeds as terminators; the index counts the
    // second half of its ISA as a segment.
    let agreeing: u32 = table.values().map(|(agrees, _)| agrees).sum();
    assert!(agreeing >= 129, "{agreeing}");
}

#[test]
fn x12_corpus_is_written_back_byte_for_byte() {
    let Some(folder) = corpus() else { return };
    let mut same = 0;
    for (file, class, _, bytes) in corpus_files(&folder) {
        if class != "valid" {
            continue;
        }
        let reading = x12::read(&bytes[..]).unwrap();
        let written: Vec<u8> = reading
            .interchanges
            .iter()
            .flat_map(|i| i.to_bytes().unwrap())
            .collect();
        let blank_lines = bytes.windows(2).any(|w| w == b"\n\n");
        let canonical = reading.findings.is_empty() && !blank_lines;
        // The line break after IEA is the file's, not the interchange's.
        if canonical {
            assert_eq!(written.trim_ascii_end(), bytes.trim_ascii_end(), "{file}");
            same += 1;
        }
    }
    say!("{same} files written back byte for byte");
    assert!(same >= 38, "{same}");
}
