//! X12 as a whole: the corpus of real files, the numbered cases, the laws.

use std::path::{Path, PathBuf};

use transload::x12::{self, Severity};

/// The folder of files from elsewhere, where it is present.
fn shared() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus"));
    let there = path.join("index.tsv").exists();
    if !there {
        println!("skipped: no ../shared");
    }
    there.then(|| path.to_owned())
}

#[test]
fn x12_corpus() {
    let Some(folder) = shared() else { return };
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut table = std::collections::BTreeMap::<&str, (u32, u32)>::new();
    for row in index.lines().skip(1) {
        let row: Vec<&str> = row.split('\t').collect();
        let (file, class, notes) = (row[0], row[9], row[10]);
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let reading = x12::read(&bytes[..]).unwrap();
        let expected: u32 = row[11].parse().unwrap();
        let agrees = reading.segments == expected;
        let entry = table.entry(class).or_default();
        entry.0 += 1;
        entry.1 += u32::from(agrees);
        let errors: Vec<_> = reading
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| f.fault.rule())
            .collect();
        if class == "valid" && (!errors.is_empty() || !agrees) {
            wrong.push(file);
        }
        if !agrees || std::env::var("ALL").is_ok() {
            println!(
                "{file} [{class}: {notes}] expected {expected} read {} {:?}",
                reading.segments,
                reading
                    .findings
                    .iter()
                    .map(|f| f.fault.rule())
                    .collect::<Vec<_>>()
            );
        }
    }
    println!("{table:?}");
    assert_eq!(wrong, Vec::<&str>::new());
}
