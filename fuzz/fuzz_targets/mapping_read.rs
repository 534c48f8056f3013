//! Any segments by any guide: what is read can be written; nothing panics.
//!
//! The first byte picks the guide; the rest is segments that end in `~`, with `*` between
//! elements.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use transload::mapping::{Guide, Library, read, write};
use transload::x12::{Delimiters, Position, Segments};

static GUIDES: LazyLock<Vec<Arc<Guide>>> = LazyLock::new(|| {
    let library = Library::embedded();
    let guide = |name: String| library.named(&name)?.ok();
    library.names().into_iter().filter_map(guide).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((pick, rest)) = bytes.split_first() else { return };
    let guide = &GUIDES[usize::from(*pick) % GUIDES.len()];
    let mut segments = Segments::default();
    for segment in rest.split(|byte| *byte == b'~') {
        let parts: Vec<&[u8]> = segment.split(|byte| *byte == b'*').collect();
        segments.push_parts(&parts, Position::default());
    }
    let delimiters = Delimiters { repetition: Some(b'^'), ..Delimiters::default() };
    if let Some(document) = read(guide, &segments, &delimiters).document {
        write(guide, &document, &delimiters);
    }
});
