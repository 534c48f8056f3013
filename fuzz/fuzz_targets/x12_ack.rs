#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transload_fuzz::x12::ack(bytes));
