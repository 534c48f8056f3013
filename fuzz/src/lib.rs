//! What is fuzzed: each function takes any bytes and asserts what must hold of them.
//!
//! A binary of `fuzz_targets/` feeds one of them bytes that libFuzzer makes up; `tests/fuzz.rs`
//! feeds them the files of `corpus/`, in every ordinary run of the tests. So a crash that was
//! found once stays found: its bytes are a file here.

pub mod as2;
pub mod guide;
pub mod laws;
pub mod papers;
pub mod x12;

/// What is asserted of any bytes.
pub type Target = fn(&[u8]);

/// Each target by the name of its binary and of its folder below `corpus/`.
pub const TARGETS: [(&str, Target); 17] = [
    ("as2_cem", as2::cem),
    ("as2_cms", as2::cms),
    ("as2_compress", as2::compress),
    ("as2_headers", as2::headers),
    ("as2_layers", as2::layers),
    ("as2_mdn", as2::mdn),
    ("as2_mime", as2::mime),
    ("guide_load", guide::load),
    ("laws", laws::laws),
    ("mapping_read", guide::read),
    ("partner", papers::partner),
    ("settings", papers::settings),
    ("spapi", papers::spapi),
    ("x12_ack", x12::ack),
    ("x12_read", x12::read),
    ("x12_rewrite", x12::rewrite),
    ("x12_write", x12::write),
];
