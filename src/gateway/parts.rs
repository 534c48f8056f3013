//! A reading in parts: each is a transaction that is not long.

use crate::store::{NewDocument, NewInterchange, Reading, Verdict};

/// Documents of one part, and bytes of their JSON: a transaction of some ten milliseconds, in which
/// nobody else can write, and a few MiB of memory.
const DOCUMENTS: usize = 256;
const BYTES: usize = 1 << 20;

/// Gathers what was read, and gives it on a part at a time. Every document and every draft counts
/// one; those that were recorded before the last crash are passed over, in the same order.
pub(super) struct Parts<'g> {
    give: &'g mut dyn FnMut(Reading) -> bool,
    part: Reading,
    /// The interchange that documents go into, without any.
    current: Option<NewInterchange>,
    held: usize,
    bytes: usize,
    interchanges: u64,
    sets: u64,
    counted: u64,
    done: u64,
    stopped: bool,
}

impl<'g> Parts<'g> {
    /// Parts for `give`, which says whether it wants more; `done` of them it has.
    pub(super) fn new(done: u64, give: &'g mut dyn FnMut(Reading) -> bool) -> Parts<'g> {
        Parts {
            give,
            part: Reading::default(),
            current: None,
            held: 0,
            bytes: 0,
            interchanges: 0,
            sets: 0,
            counted: 0,
            done,
            stopped: false,
        }
    }

    /// How many interchanges were begun.
    pub(super) fn interchanges(&self) -> u64 {
        self.interchanges
    }

    /// Whether nobody takes parts any more.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// An interchange begins; it is recorded also if it has no sets.
    pub(super) fn begin(&mut self, interchange: NewInterchange) {
        self.interchanges += 1;
        self.bytes += interchange.verdict.len();
        self.part.interchanges.push(interchange.clone());
        self.current = Some(interchange);
        self.weigh();
    }

    /// A document of the current interchange, and what it says of what we sent.
    pub(super) fn document(&mut self, (document, verdicts): (NewDocument, Vec<Verdict>)) {
        self.sets += 1;
        if !self.counts() {
            return;
        }
        self.bytes += document.content.len() + document.findings.len();
        if self.part.interchanges.is_empty() {
            self.part.interchanges.extend(self.current.clone());
        }
        if let Some(interchange) = self.part.interchanges.last_mut() {
            interchange.documents.push(document);
        }
        self.part.verdicts.extend(verdicts);
        self.weigh();
    }

    /// An answer to the sender.
    pub(super) fn draft(&mut self, document: NewDocument) {
        if self.counts() {
            self.bytes += document.content.len();
            self.part.drafts.push(document);
            self.weigh();
        }
    }

    /// Counts one; whether it is new.
    fn counts(&mut self) -> bool {
        self.counted += 1;
        self.counted > self.done
    }

    /// Gives the part on where it is large enough.
    fn weigh(&mut self) {
        self.held += 1;
        if self.held < DOCUMENTS && self.bytes < BYTES {
            return;
        }
        (self.held, self.bytes) = (0, 0);
        let mut part = std::mem::take(&mut self.part);
        part.more = Some(self.counted.max(self.done));
        self.stopped |= !(self.give)(part);
    }

    /// All was read.
    pub(super) fn end(&mut self) {
        let mut part = std::mem::take(&mut self.part);
        part.note = format!("{} interchanges, {} sets", self.interchanges, self.sets);
        self.end_with(part);
    }

    /// The last part is this one.
    pub(super) fn end_with(&mut self, part: Reading) {
        if !self.stopped {
            (self.give)(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::DocumentState;

    fn document(n: u128) -> NewDocument {
        NewDocument {
            id: Uuid::from_u128(n),
            kind: "purchase_order".into(),
            set: "850".into(),
            number: n.to_string(),
            key: None,
            group_control: None,
            set_control: None,
            content: String::new(),
            findings: String::new(),
            state: DocumentState::Read,
        }
    }

    /// Gives two interchanges of 300 sets and their answers; stops after `most` parts.
    fn run(done: u64, most: usize) -> Vec<Reading> {
        let mut taken = Vec::new();
        let mut give = |part| {
            taken.push(part);
            taken.len() < most
        };
        let mut parts = Parts::new(done, &mut give);
        for i in 0..2 {
            parts.begin(NewInterchange {
                id: Uuid::from_u128(i),
                pair: String::new(),
                control: String::new(),
                verdict: String::new(),
                documents: Vec::new(),
            });
            for n in 0..300 {
                parts.document((document(1000 * i + n), Vec::new()));
            }
            parts.draft(document(1000 * i + 999));
        }
        parts.end();
        taken
    }

    fn recorded(parts: &[Reading]) -> Vec<(Option<Uuid>, Uuid)> {
        let mut all = Vec::new();
        for part in parts {
            for interchange in &part.interchanges {
                let within = Some(interchange.id);
                all.extend(interchange.documents.iter().map(|d| (within, d.id)));
            }
            all.extend(part.drafts.iter().map(|d| (None, d.id)));
        }
        all.sort();
        all
    }

    #[test]
    fn parts_are_the_whole_and_only_the_last_is_the_last() {
        let parts = run(0, 99);
        assert_eq!(recorded(&parts).len(), 602);
        let more: Vec<bool> = parts.iter().map(|part| part.more.is_some()).collect();
        assert_eq!(more, [true, true, false]);
        assert_eq!(parts[2].note, "2 interchanges, 600 sets");
    }

    /// Wherever it is cut, what was recorded and what comes after it is all, and nothing twice.
    #[test]
    fn a_reading_that_was_cut_goes_on() {
        let whole = recorded(&run(0, 99));
        for most in 1..3 {
            let mut parts = run(0, most);
            let done = parts.last().and_then(|part| part.more).unwrap();
            parts.extend(run(done, 99));
            assert_eq!(recorded(&parts), whole, "cut after {most}");
        }
    }
}
