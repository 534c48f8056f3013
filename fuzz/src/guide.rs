//! Guides: any text as a guide, and any segments by the guides that we have.

use std::sync::{Arc, LazyLock};

use transload::canonical::Document;
use transload::mapping::{self, Fill, Guide, Library, read_json, sample, write};
use transload::x12::{Delimiters, Position, Segments};

/// What the first byte of an input picks by its lower seven bits. A new guide goes to the end,
/// so that the corpora keep their meaning.
pub const NAMES: [&str; 41] = [
    "x12/004010/810",
    "x12/004010/820",
    "x12/004010/850",
    "x12/004010/855",
    "x12/004010/856",
    "x12/004010/997",
    "x12/005010/810",
    "x12/005010/820",
    "x12/005010/850",
    "x12/005010/855",
    "x12/005010/856",
    "x12/005010/997",
    "partners/amazon/810",
    "partners/amazon/850",
    "partners/amazon/855",
    "partners/amazon/856",
    "partners/amazon-df/810",
    "partners/amazon-df/850",
    "partners/amazon-df/855",
    "partners/amazon-df/856",
    "partners/larkspur/810",
    "partners/larkspur/850",
    "partners/larkspur/855",
    "partners/larkspur/856",
    "x12/004010/860",
    "x12/005010/860",
    "x12/004010/865",
    "x12/005010/865",
    "x12/004010/824",
    "x12/005010/824",
    "x12/005010/999",
    "partners/larkspur/860",
    "x12/004010/846",
    "x12/005010/846",
    "x12/005010/753",
    "x12/005010/754",
    "partners/amazon/753",
    "partners/amazon/754",
    "partners/amazon/820",
    "partners/amazon-df/846",
    "partners/amazon/860",
];

static EMBEDDED: LazyLock<Library> = LazyLock::new(Library::embedded);

/// The guide that a byte picks; others are not even loaded.
pub fn picked(byte: u8) -> Arc<Guide> {
    let name = NAMES[usize::from(byte & 0x7f) % NAMES.len()];
    let guide = EMBEDDED.named(name).expect("an embedded guide");
    guide.expect("a sound guide")
}

/// What the first byte picks besides: with its upper bit there are no repetitions, as in 004010.
pub fn delimiters(byte: u8) -> Delimiters {
    Delimiters {
        repetition: (byte & 0x80 == 0).then_some(b'^'),
        ..Delimiters::default()
    }
}

/// Any segments by any guide: checking finds what reading finds, the document's JSON is what
/// serde_json would write and gives the document again, and what is read can be written.
///
/// The first byte picks the guide; the rest is segments that end in `~`, with `*` between
/// elements.
pub fn read(bytes: &[u8]) {
    let Some((pick, rest)) = bytes.split_first() else {
        return;
    };
    let mut segments = Segments::default();
    for (number, segment) in (1..).zip(rest.split(|byte| *byte == b'~')) {
        let parts: Vec<&[u8]> = segment.split(|byte| *byte == b'*').collect();
        let position = Position {
            ordinal: number,
            ..Position::default()
        };
        segments.push_parts(&parts, position);
    }
    by(&picked(*pick), &segments, &delimiters(*pick));
}

fn by(guide: &Guide, segments: &Segments, delimiters: &Delimiters) {
    let (reading, bound) = mapping::bind(guide, segments, delimiters);
    assert_eq!(bound.len(), segments.len());
    assert_eq!(
        mapping::check(guide, segments, delimiters),
        reading.findings
    );
    let mut json = Vec::new();
    let told = read_json(guide, segments, delimiters, Default::default(), &mut json);
    assert_eq!(told, reading.findings);
    let Some(document) = reading.document else {
        assert!(json.is_empty());
        return;
    };
    let due = serde_json::to_string(&document).expect("JSON");
    assert_eq!(String::from_utf8(json).expect("UTF-8"), due);
    let again: Document = serde_json::from_str(&due).expect("a document");
    assert_eq!(again, document);
    write(guide, &document, delimiters);
}

/// Any text as a guide: it is compiled, or it is refused with its errors. One that is compiled
/// reads and writes.
///
/// Once as an overlay on the embedded guides, once as a guide of a release of its own. After
/// lines `%%` may stand the code list `x` and that release's dictionary.
pub fn load(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let names = ["partners/x/850", "x12/000000/850"];
    let paths = ["codes/x.toml", "x12/000000/dictionary.toml"];
    let mut parts = text.split("\n%%\n");
    let guide = parts.next().unwrap_or_default();
    let guides = names.map(|name| (format!("{name}.toml"), guide));
    let others = paths.into_iter().map(str::to_owned).zip(parts);
    let files = guides.into_iter().chain(others);
    let owned = files.map(|(path, text)| (path, text.to_owned()));
    let library = EMBEDDED.clone().with(owned);
    for name in names {
        match library.named(name).expect("a guide of ours") {
            Ok(guide) => serve(&guide),
            Err(errors) => {
                assert!(!errors.is_empty());
                errors.iter().for_each(|error| drop(error.to_string()));
            }
        }
    }
}

/// What a guide is for.
fn serve(guide: &Guide) {
    for one in guide.uses() {
        drop((one.when(), one.under()));
        for element in one.elements() {
            drop((element.target(), element.meaning("1"), element.group()));
        }
    }
    let mut segments = Segments::default();
    for tag in guide.tags() {
        segments.push_parts(
            &[tag.as_bytes(), b"1", b"A", b"20261122"],
            Position::default(),
        );
    }
    by(guide, &segments, &Delimiters::default());
    if let Some(document) = sample(guide, Fill::All, &mut |_| 0) {
        let written = write(guide, &document, &Delimiters::default());
        by(guide, &written.segments, &Delimiters::default());
    }
}
