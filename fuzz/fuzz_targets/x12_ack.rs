//! Acknowledgments of anything that can be read can be written, and read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transload::x12::{Delimiters, FunctionalAcknowledgment, acknowledge, read};

fuzz_target!(|bytes: &[u8]| {
    let Ok(reading) = read(bytes) else { return };
    for interchange in &reading.interchanges {
        for group in &interchange.groups {
            for set in &group.sets {
                let (read, _) =
                    FunctionalAcknowledgment::read(Form::F997, &set.segments, &interchange.delimiters);
                read.write(&Delimiters::default());
            }
        }
        for acknowledgment in acknowledge(interchange, &reading.findings) {
            let body = acknowledgment.write(&interchange.delimiters);
            FunctionalAcknowledgment::read(Form::F997, &body, &interchange.delimiters);
        }
    }
});
