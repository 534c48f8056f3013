//! The syntax of X12, in both directions.

use std::io::Read;

use transload::x12::{
    self, Delimiters, Form, FunctionalAcknowledgment, InterchangeAcknowledgment, acknowledge,
    answers,
};

/// Gives seven bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = into.len().min(7);
        self.0.read(&mut into[..n])
    }
}

/// Reading does not depend on how the bytes arrive.
pub fn read(bytes: &[u8]) {
    match (x12::read(bytes), x12::read(Slow(bytes))) {
        (Ok(whole), Ok(slow)) => {
            assert_eq!(whole.segments, slow.segments);
            assert_eq!(whole.findings, slow.findings);
            assert_eq!(whole.interchanges, slow.interchanges);
        }
        (whole, slow) => assert!(whole.is_err() && slow.is_err()),
    }
}

/// Any bytes come back as they were where nothing is to be changed.
pub fn rewrite(bytes: &[u8]) {
    if let Ok(same) = x12::rewrite(bytes, |_, _| None) {
        assert!(same == bytes);
    }
}

/// What was read and can be written is read again as the same sets, and written as the same bytes.
pub fn write(bytes: &[u8]) {
    let Ok(reading) = x12::read(bytes) else {
        return;
    };
    for interchange in &reading.interchanges {
        // What is refused was refused for a reason; what is written holds its sets.
        let Ok(first) = interchange.to_bytes() else {
            continue;
        };
        let again = x12::read(&first[..]).expect("what we write starts with ISA");
        let again = &again.interchanges[0];
        let Ok(second) = again.to_bytes() else {
            continue;
        };
        assert_eq!(interchange.sets().count(), again.sets().count());
        assert_eq!(first, second);
    }
}

/// Acknowledgments of anything that can be read can be written, and read back.
pub fn ack(bytes: &[u8]) {
    let Ok(reading) = x12::read(bytes) else {
        return;
    };
    for interchange in &reading.interchanges {
        answers(interchange);
        let delimiters = &interchange.delimiters;
        for form in [Form::F997, Form::F999] {
            for (_, set) in interchange.sets() {
                let (read, _) = FunctionalAcknowledgment::read(form, &set.segments, delimiters);
                read.write(&Delimiters::default());
            }
            for acknowledgment in acknowledge(interchange, &reading.findings, form) {
                let body = acknowledgment.write(delimiters);
                FunctionalAcknowledgment::read(form, &body, delimiters);
            }
        }
        let ta1 = InterchangeAcknowledgment::of(interchange, &reading.findings);
        let written = ta1.write();
        let segment = written.get(0).expect("one segment");
        assert_eq!(InterchangeAcknowledgment::read(&segment), ta1);
    }
}
