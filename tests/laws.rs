//! The laws of mapping, for every guide in the folder.
//!
//! L1 `read(write(d)) == d` · L2 `write(read(b)) == b` · L3 an empty overlay changes nothing ·
//! L4 a guide never panics on any segments · deleting any one `as` breaks L1.
//!
//! `cargo test` takes a few cases of each guide and some of the deletions. More of them and all
//! deletions, on one guide or on all, want an optimised build, as CI makes one:
//! `TRANSLOAD_LAWS=256 TRANSLOAD_LAWS_OF=005010/850 cargo test --release --test laws`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use transload::canonical::Document;
use transload::mapping::{Fill, Guide, Library, Reading, Usage, Writing, read, sample, write};
use transload::x12::{Delimiters, Fault, Position, Segments, Severity};

/// How many documents of each guide a law is tried on.
fn cases() -> u64 {
    let asked = std::env::var("TRANSLOAD_LAWS").ok();
    asked.map_or(24, |n| n.parse().expect("TRANSLOAD_LAWS is a number"))
}

/// Every which `as` is deleted.
fn stride() -> usize {
    match std::env::var_os("TRANSLOAD_LAWS") {
        Some(_) => 1,
        None => 40,
    }
}

/// Tries a law on every guide that maps, on as many threads as a small machine has.
fn for_each_guide(law: impl Fn(&Guide) + Sync) {
    let only = std::env::var("TRANSLOAD_LAWS_OF").unwrap_or_default();
    let maps = |guide: &&Arc<Guide>| guide.document.is_some() && guide.name.contains(&only);
    let all: Vec<_> = guides().iter().filter(maps).collect();
    assert!(!all.is_empty(), "no guide is called {only:?}");
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(guide) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            law(guide);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(worker);
        }
    });
}

/// All guides that come with Transload, made once for all laws.
fn guides() -> &'static [Arc<Guide>] {
    static GUIDES: OnceLock<Vec<Arc<Guide>>> = OnceLock::new();
    GUIDES.get_or_init(|| {
        let library = Library::embedded();
        let guide = |name: String| match library.named(&name).expect("the library names its own") {
            Ok(guide) => guide,
            Err(errors) => panic!(
                "{}",
                errors.iter().map(|e| format!("\n{e}")).collect::<String>()
            ),
        };
        library.names().into_iter().map(guide).collect()
    })
}

/// A small generator, so that a failing seed says all.
fn draws(mut seed: u64) -> impl FnMut(u32) -> u32 {
    move |n| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((seed >> 33) as u32) % n.max(1)
    }
}

fn make(guide: &Guide, fill: Fill, seed: u64) -> Document {
    sample(guide, fill, &mut draws(seed)).expect("the guide maps")
}

fn through(guide: &Guide, document: &Document) -> (Writing, Reading) {
    let delimiters = Delimiters::default();
    let writing = write(guide, document, &delimiters);
    let reading = read(guide, &writing.segments, &delimiters);
    (writing, reading)
}

#[track_caller]
fn law_1(guide: &Guide, fill: Fill, seed: u64) {
    let document = make(guide, fill, seed);
    let (writing, reading) = through(guide, &document);
    let again = reading.document.expect("a document");
    if again != document {
        let json = |d: &Document| serde_json::to_string_pretty(d).unwrap();
        let (a, b) = (json(&document), json(&again));
        let differs = a
            .lines()
            .zip(b.lines())
            .position(|(a, b)| a != b)
            .unwrap_or(0);
        let near = |s: &str| {
            s.lines()
                .skip(differs.saturating_sub(6))
                .take(14)
                .collect::<Vec<_>>()
                .join("\n")
        };
        panic!(
            "{} seed {seed} {fill:?}: read(write(d)) != d\nwritten:\n{}\nread:\n{}\n{:#?}\n{:?}",
            guide.name,
            near(&a),
            near(&b),
            writing.segments,
            reading
                .findings
                .iter()
                .map(|f| &f.message)
                .take(5)
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn law_1_read_undoes_write() {
    for_each_guide(|guide| {
        for seed in 0..cases().div_ceil(2) {
            law_1(guide, Fill::All, seed);
            law_1(guide, Fill::Some, seed);
        }
    });
}

/// Every `as` is filled by some sample: what the laws do not touch, they do not prove.
#[test]
fn the_generator_fills_every_as() {
    for_each_guide(|guide| {
        let unused = unused(guide);
        let used = |line: &String| !unused.iter().any(|u| line.starts_with(u));
        let mapped = guide.mapped().into_iter().filter(used);
        let mapped: Vec<String> = mapped.collect();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..60 {
            seen.extend(guide.filled(&make(guide, Fill::All, seed)));
        }
        let missed: Vec<_> = mapped.iter().filter(|m| !seen.contains(*m)).collect();
        say!(
            "{}: {} of {} as lines filled",
            guide.name,
            mapped.len() - missed.len(),
            mapped.len()
        );
        assert!(
            missed.is_empty(),
            "{}: never filled: {missed:#?}",
            guide.name
        );
    });
}

/// The paths of uses that an overlay forbids: `heading.N1-BT` and what stands in it.
fn unused(guide: &Guide) -> Vec<String> {
    let (mut path, mut found) = (Vec::new(), Vec::new());
    for one in guide.uses() {
        path.truncate(one.depth() + 1);
        if one.depth() == 0 {
            path = vec![one.area()];
        }
        path.push(one.key());
        if one.usage() == Usage::NotUsed {
            let path = path.join(".");
            found.extend([format!("{path}."), format!("{path} ")]);
        }
    }
    found
}

/// Orders of uses that share a position are kept, whatever they are.
#[test]
fn law_2_write_undoes_read() {
    for_each_guide(|guide| {
        for seed in 0..cases() {
            let delimiters = Delimiters::default();
            let mut document = make(guide, Fill::All, seed);
            document.provenance_mut().order = guide.shuffled(&mut draws(seed));
            let bytes = write(guide, &document, &delimiters).segments;
            let reading = read(guide, &bytes, &delimiters);
            let again = write(guide, &reading.document.expect("a document"), &delimiters).segments;
            assert_eq!(bytes, again, "{} seed {seed}", guide.name);
        }
    });
}

#[test]
fn law_3_an_empty_overlay_changes_nothing() {
    for_each_guide(|guide| {
        let (base, set) = (&guide.name, &guide.set);
        let empty = (
            format!("partners/nobody/{set}.toml"),
            format!("base = {base:?}\n"),
        );
        let library = Library::embedded().with([empty]);
        let overlaid = library.guide(Some("nobody"), &guide.version, set);
        let overlaid = overlaid.unwrap().unwrap();
        assert_eq!(overlaid.name, format!("partners/nobody/{set}"));
        assert_eq!(overlaid.mapped(), guide.mapped());
        for seed in 0..5 {
            let document = make(guide, Fill::All, seed);
            let (a, b) = (through(guide, &document), through(&overlaid, &document));
            assert_eq!(a.0.segments, b.0.segments);
            assert_eq!(a.1.document, b.1.document);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// L4: segments of the guide's own tags with any elements, in any order.
    #[test]
    fn law_4_never_panics(
        picks in prop::collection::vec((any::<u16>(), prop::collection::vec("[ -~]{0,9}|[0-9]{1,8}|\\PC{0,3}", 0..12)), 0..60)
    ) {
        for guide in guides() {
            let tags = guide.tags();
            let mut segments = Segments::default();
            for (pick, elements) in &picks {
                let mut parts = vec![tags[usize::from(*pick) % tags.len()].as_bytes()];
                parts.extend(elements.iter().map(String::as_bytes));
                segments.push_parts(&parts, Position::default());
            }
            let delimiters = Delimiters { repetition: Some(b'^'), ..Delimiters::default() };
            let reading = read(guide, &segments, &delimiters);
            if let Some(document) = reading.document {
                let _ = write(guide, &document, &delimiters);
            }
        }
    }
}

/// Each `as` earns its place: without it a document does not come back, or the guide is refused.
#[test]
fn deleting_any_as_breaks_a_law() {
    let library = Library::embedded();
    let (deleted, all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for_each_guide(|guide| {
        let path = format!("{}.toml", guide.name);
        let words = as_words(library.text(&path).expect("an embedded file"));
        // Each guide begins elsewhere, so that together they try every part of what they share.
        let first = guide.name.bytes().map(usize::from).sum::<usize>() % stride();
        let some: Vec<_> = words
            .iter()
            .skip(first)
            .step_by(stride())
            .copied()
            .collect();
        let documents: Vec<Document> = (0..30).map(|seed| make(guide, Fill::All, seed)).collect();
        all_are_missed(&library, guide, &some, documents.iter().collect());
        deleted.fetch_add(some.len(), Ordering::Relaxed);
        all.fetch_add(words.len(), Ordering::Relaxed);
    });
    let all = all.into_inner();
    say!("{deleted:?} of {all} as lines deleted one by one, each noticed");
    assert!(deleted.into_inner() > 0);
}

/// On how many threads laws are tried: what a small machine has.
const THREADS: usize = 2;

fn all_are_missed(
    library: &Library,
    guide: &Guide,
    words: &[(usize, usize, usize)],
    mut documents: Vec<&Document>,
) {
    let path = format!("{}.toml", guide.name);
    let text = library.text(&path).expect("an embedded file");
    for &(start, end, line) in words {
        let mutant = format!("{}{}", &text[..start], &text[end..]);
        let library = library.clone().with([(path.clone(), mutant)]);
        let Some(Ok(mutant)) = library.named(&guide.name) else {
            continue;
        };
        let misses = |d: &&Document| through(&mutant, d).1.document.as_ref() != Some(*d);
        let Some(missed_by) = documents.iter().position(misses) else {
            panic!("{path}:{line}: nothing notices that this as is gone");
        };
        // A document that has the word has its neighbours, most likely.
        documents[..=missed_by].rotate_right(1);
    }
}

/// Where each `as = "…"` stands (with the comma that goes with it), and its line.
fn as_words(text: &str) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("as") {
        let word = start == 0 || matches!(text.as_bytes()[start - 1], b' ' | b'{' | b'\n' | b',');
        let rest = &text[start + 2..];
        let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        let (true, Some(value)) = (word, value.strip_prefix('"')) else {
            continue;
        };
        let Some(quote) = value.find('"') else {
            continue;
        };
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        if text[line_start..start].trim_start().starts_with('#') {
            continue;
        }
        let mut end = text.len() - value.len() + quote + 1;
        let after = text[end..].trim_start_matches(' ');
        if let Some(rest) = after.strip_prefix(',') {
            end = text.len() - rest.len();
        }
        let before = text[..start].trim_end_matches(' ');
        let start = if text[end..].trim_start_matches(' ').starts_with('}') && before.ends_with(',')
        {
            before.len() - 1
        } else {
            start
        };
        found.push((start, end, text[..start].matches('\n').count() + 1));
    }
    found
}

/// The corpus' files, or nothing (and a word about it) where there is no `../shared`.
fn corpus() -> Vec<std::path::PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus");
    let Ok(repositories) = std::fs::read_dir(root) else {
        say!("skipped: no ../shared");
        return Vec::new();
    };
    let folders = repositories.flatten().filter(|e| e.path().is_dir());
    let mut files: Vec<_> = folders
        .flat_map(|folder| {
            std::fs::read_dir(folder.path())
                .into_iter()
                .flatten()
                .flatten()
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// A set without the empty elements at the end of its segments: writing leaves them out.
fn trimmed(segments: &Segments) -> Vec<Vec<Vec<u8>>> {
    let one = |segment: transload::x12::Segment<'_>| {
        let mut parts: Vec<Vec<u8>> = (0..=segment.count())
            .map(|n| segment.element(n).to_vec())
            .collect();
        while parts.len() > 1 && parts.last().is_some_and(Vec::is_empty) {
            parts.pop();
        }
        parts
    };
    segments.iter().map(one).collect()
}

/// L2 on real files: where nothing is amiss, unmapped or normalised, the same segments come back.
#[test]
fn law_2_on_the_corpus() {
    let library = Library::embedded();
    let (mut files, mut sets, mut applied) = (0, 0, 0);
    let paths = corpus();
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let Ok(file) = transload::x12::read(&bytes[..]) else {
            continue;
        };
        let before = applied;
        for interchange in &file.interchanges {
            for group in &interchange.groups {
                for set in &group.sets {
                    let Some(Ok(guide)) = library.guide(None, &group.header.version, &set.id)
                    else {
                        continue;
                    };
                    if guide.document.is_none() {
                        continue;
                    }
                    sets += 1;
                    let reading = read(&guide, &set.segments, &interchange.delimiters);
                    let amiss = |f: &transload::x12::Finding| {
                        f.severity == Severity::Error
                            || matches!(
                                f.fault,
                                Fault::Unmapped | Fault::Normalised | Fault::ValueDiffers
                            )
                    };
                    if reading.findings.iter().any(amiss) {
                        continue;
                    }
                    applied += 1;
                    let document = reading.document.expect("a document");
                    let writing = write(&guide, &document, &interchange.delimiters);
                    assert_eq!(
                        trimmed(&writing.segments),
                        trimmed(&set.segments),
                        "{}",
                        path.display()
                    );
                }
            }
        }
        files += usize::from(applied > before);
    }
    say!(
        "L2 applied to {applied} of {sets} sets that have a guide, in {files} of {} corpus files",
        paths.len()
    );
    assert!(paths.is_empty() || applied > 0, "L2 applied to nothing");
}
