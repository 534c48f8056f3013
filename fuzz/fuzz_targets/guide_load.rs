//! Any text as a guide: it is compiled, or it is refused with its errors; nothing panics.
//!
//! Once as an overlay on the embedded guides, once as a guide of a release that has no
//! dictionary.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use transload::mapping::Library;

static EMBEDDED: LazyLock<Library> = LazyLock::new(Library::embedded);

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = |path: &str| (path.to_owned(), text.to_owned());
    let names = ["partners/x/850", "x12/000000/850"];
    let library = EMBEDDED.clone().with(names.map(|name| file(&format!("{name}.toml"))));
    for name in names {
        if let Some(Err(errors)) = library.named(name) {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| drop(error.to_string()));
        }
    }
});
