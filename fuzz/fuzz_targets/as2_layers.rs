#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transload_fuzz::as2::layers(bytes));
