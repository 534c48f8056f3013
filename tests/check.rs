//! `check` finds what `read` finds, and `read_json` writes what serde_json would, both without
//! making a document.

use transload::canonical::{Document, Level, ShipNotice};
use transload::mapping::{self, Gist, Library};
use transload::x12;

/// Findings of both, for every set of `bytes` that has a guide; how many sets there were.
fn both(library: &Library, name: &str, bytes: &[u8]) -> usize {
    let Ok(reading) = x12::read(bytes) else {
        return 0;
    };
    let mut sets = 0;
    for interchange in &reading.interchanges {
        for group in &interchange.groups {
            for set in &group.sets {
                let guide = library.guide(None, &group.header.version, &set.id);
                let Some(Ok(guide)) = guide else { continue };
                let delimiters = &interchange.delimiters;
                let reading = mapping::read(&guide, &set.segments, delimiters);
                let mut json = Vec::new();
                let (segments, none) = (&set.segments, Default::default());
                let told = mapping::read_json(&guide, segments, delimiters, none, &mut json);
                let document = reading.document.as_ref();
                let due = document.map(|d| serde_json::to_string(d).expect("JSON"));
                assert_eq!(
                    String::from_utf8_lossy(&json),
                    due.unwrap_or_default(),
                    "{name}"
                );
                let read = reading.findings;
                assert_eq!(told.len(), read.len(), "{name}");
                let checked = mapping::check(&guide, &set.segments, delimiters);
                let different = checked.iter().zip(&read).find(|(a, b)| a != b);
                assert_eq!(different, None, "{name}");
                assert_eq!(checked.len(), read.len(), "{name}");
                let (told, gist) = mapping::gist(&guide, &set.segments, delimiters);
                assert_eq!(told.len(), read.len(), "{name}");
                assert_eq!(gist, reading.document.as_ref().map(about), "{name}");
                sets += 1;
            }
        }
    }
    sets
}

/// What a document is about, counted in its structs.
fn about(document: &Document) -> Gist {
    let shipped = |notice: &ShipNotice| {
        let levels = notice.levels.iter().flat_map(Level::walk);
        levels.filter(|level| level.item.is_some()).count()
    };
    Gist {
        number: document.number().map(str::to_owned),
        lines: match document {
            Document::PurchaseOrder(order) => order.lines.len(),
            Document::PurchaseOrderAcknowledgment(answer) => answer.lines.len(),
            Document::Invoice(invoice) => invoice.lines.len(),
            Document::ShipNotice(notice) => shipped(notice),
            Document::RemittanceAdvice(advice) => {
                advice.remittances.iter().map(|r| r.items.len()).sum()
            }
            Document::PurchaseOrderChange(change) => change.lines.len(),
            Document::PurchaseOrderChangeAcknowledgment(answer) => answer.lines.len(),
            Document::ApplicationAdvice(advice) => advice.results.len(),
            Document::InventoryAdvice(advice) => advice.lines.len(),
            Document::RoutingRequest(request) => {
                request.destinations.iter().map(|d| d.orders.len()).sum()
            }
            Document::RoutingInstructions(answer) => answer.shipments.len(),
        },
    }
}

fn files() -> Vec<(String, Vec<u8>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![
        format!("{root}/samples"),
        format!("{root}/../shared/x12/corpus"),
    ];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            say!("skipped: no {folder}");
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path.to_string_lossy().into_owned()),
                false if path.extension().is_some_and(|e| e != "snap" && e != "json") => {
                    let bytes = std::fs::read(&path).expect("a readable file");
                    files.push((path.to_string_lossy().into_owned(), bytes));
                }
                false => {}
            }
        }
    }
    files.sort();
    files
}

#[test]
fn checking_finds_what_reading_finds() {
    let library = Library::embedded();
    let sets: usize = files()
        .iter()
        .map(|(name, bytes)| both(&library, name, bytes))
        .sum();
    say!("{sets} sets are checked as they are read");
    assert!(sets > 0);
}

#[test]
fn checking_finds_what_reading_finds_in_damaged_files() {
    let library = Library::embedded();
    // Bytes that mean something: separators, digits, signs, letters of both cases, none of these.
    let bytes = b"*~>^:0159.-AZaz \n\x1d\xe4";
    let mut random = 4711_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let mut sets = 0;
    for (name, whole) in files().iter().filter(|(_, bytes)| bytes.len() < 20_000) {
        for _ in 0..8 {
            let mut damaged = whole.clone();
            for _ in 0..1 + below(12) {
                // The ISA is left whole: without it there is nothing to check.
                let at = 110 + below(damaged.len().saturating_sub(110).max(1));
                if let Some(byte) = damaged.get_mut(at) {
                    *byte = bytes[below(bytes.len())];
                }
            }
            sets += both(&library, name, &damaged);
        }
    }
    say!("{sets} damaged sets are checked as they are read");
    assert!(sets > 0);
}
