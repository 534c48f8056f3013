//! Any bytes: reading never panics or hangs, and does not depend on how the bytes arrive.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use transload::x12::read;

/// Gives seven bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = into.len().min(7);
        self.0.read(&mut into[..n])
    }
}

fuzz_target!(|bytes: &[u8]| {
    match (read(bytes), read(Slow(bytes))) {
        (Ok(whole), Ok(slow)) => {
            assert_eq!(whole.segments, slow.segments);
            assert_eq!(whole.findings, slow.findings);
            assert_eq!(whole.interchanges, slow.interchanges);
        }
        (whole, slow) => assert!(whole.is_err() && slow.is_err()),
    }
});
