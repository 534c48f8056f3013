//! What was read and can be written is read again as the same sets, and written as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transload::x12::read;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reading) = read(bytes) else { return };
    for interchange in &reading.interchanges {
        // What is refused was refused for a reason; what is written holds its sets.
        let Ok(first) = interchange.to_bytes() else { continue };
        let again = read(&first[..]).expect("what we write starts with ISA");
        let Ok(second) = again.interchanges[0].to_bytes() else { continue };
        assert_eq!(interchange.sets().count(), again.interchanges[0].sets().count());
        assert_eq!(first, second);
    }
});
