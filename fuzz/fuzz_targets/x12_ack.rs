//! Acknowledgments of anything that can be read can be written, and read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transload::x12::{
    Delimiters, Form, FunctionalAcknowledgment, InterchangeAcknowledgment, acknowledge, answers,
    read,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(reading) = read(bytes) else { return };
    for interchange in &reading.interchanges {
        answers(interchange);
        for form in [Form::F997, Form::F999] {
            for (_, set) in interchange.sets() {
                let (read, _) =
                    FunctionalAcknowledgment::read(form, &set.segments, &interchange.delimiters);
                read.write(&Delimiters::default());
            }
            for acknowledgment in acknowledge(interchange, &reading.findings, form) {
                let body = acknowledgment.write(&interchange.delimiters);
                FunctionalAcknowledgment::read(form, &body, &interchange.delimiters);
            }
        }
        let ta1 = InterchangeAcknowledgment::of(interchange, &reading.findings);
        let written = ta1.write();
        assert_eq!(
            InterchangeAcknowledgment::read(&written.get(0).expect("one segment")),
            ta1
        );
    }
});
