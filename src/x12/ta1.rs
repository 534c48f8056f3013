//! TA1, the interchange acknowledgment: what was wrong with an envelope, and whether what is in it
//! was taken.
//!
//! | element | says |
//! |---|---|
//! | TA101 to TA103 | ISA13, ISA09 and ISA10 of the interchange that is answered |
//! | TA104 | `A` taken, `E` taken although something is wrong, `R` not taken: send it again |
//! | TA105 | what is wrong, 000 to 031 |
//!
//! A TA1 is sent where ISA14 asks for one, and where the envelope is at fault; one for each
//! interchange, in an interchange of its own without a group. Nothing but TA1s is answered by none,
//! so that two gateways do not answer each other for ever. Which fault earns which code stands in
//! the table of [`Fault`].
//!
//! ```
//! use transload::x12::{InterchangeAcknowledgment, read};
//! let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
//! *260102*0304*U*00401*000000001*0*P*>~GS*PO*A*B*20260102*0304*7*X*004010~\
//! ST*850*0001~BEG*00*NE*4711**20260102~SE*3*0001~GE*1*7~IEA*2*000000001~";
//! let reading = read(&file[..])?;
//! let ta1 = InterchangeAcknowledgment::due(&reading.interchanges[0], &reading.findings).unwrap();
//! assert_eq!(format!("{:?}", ta1.write().get(0).unwrap()), "TA1*000000001*260102*0304*R*021");
//! # Ok::<(), transload::x12::Error>(())
//! ```

use chrono::NaiveDateTime;
use serde::Serialize;

use super::ack::{addressed_back, last_ordinal};
use super::header::text;
use super::verdict::Verdict;
use super::{Fault, Finding, FunctionalGroup, Interchange, Position, Segment, Segments, Severity};

/// Nothing is wrong.
const NO_ERROR: &str = "000";

/// A TA1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InterchangeAcknowledgment {
    /// TA101: ISA13 of the interchange that is spoken of.
    pub control_number: String,
    /// TA102: its ISA09, YYMMDD.
    pub date: String,
    /// TA103: its ISA10, HHMM.
    pub time: String,
    /// TA104.
    pub verdict: Verdict,
    /// TA105, three digits.
    pub code: String,
}

impl InterchangeAcknowledgment {
    /// What is to be said about `interchange`, whether it was asked for or not. `findings` are
    /// those of reading the file that it stood in.
    pub fn of(interchange: &Interchange, findings: &[Finding]) -> InterchangeAcknowledgment {
        let (code, verdict) = match worst(interchange, findings) {
            Some((code, true)) => (code, Verdict::Rejected),
            Some((code, false)) => (code, Verdict::AcceptedWithErrors),
            None => (NO_ERROR, Verdict::Accepted),
        };
        let header = &interchange.header;
        InterchangeAcknowledgment {
            control_number: header.control_number.clone(),
            date: header.date.clone(),
            time: header.time.clone(),
            verdict,
            code: code.to_owned(),
        }
    }

    /// The same, where ISA14 asks for it or an error is in the envelope; and never for an
    /// interchange that brings TA1s alone.
    pub fn due(
        interchange: &Interchange,
        findings: &[Finding],
    ) -> Option<InterchangeAcknowledgment> {
        if interchange.groups.is_empty() && !interchange.ta1.is_empty() {
            return None;
        }
        let fault = |f: &Finding| f.severity == Severity::Error;
        let due = interchange.header.wants_ta1()
            || interchange.trailer.is_none()
            || own(interchange, findings).any(fault);
        due.then(|| InterchangeAcknowledgment::of(interchange, findings))
    }

    /// As a segment.
    pub fn write(&self) -> Segments {
        let parts = [
            "TA1",
            &self.control_number,
            &self.date,
            &self.time,
            self.verdict.code(),
            &self.code,
        ];
        let mut segments = Segments::default();
        segments.push_parts(&parts.map(str::as_bytes), Position::default());
        segments
    }

    /// Reads TA1.
    pub fn read(ta1: &Segment<'_>) -> InterchangeAcknowledgment {
        let text = |n| text(ta1.element(n)).into_owned();
        InterchangeAcknowledgment {
            control_number: text(1),
            date: text(2),
            time: text(3),
            verdict: Verdict::of(&text(4)),
            code: text(5),
        }
    }

    /// An interchange that takes it back to where `inbound` came from: ids swapped, no group.
    pub fn reply(&self, inbound: &Interchange, number: u32, at: NaiveDateTime) -> Interchange {
        let version = &inbound.header.version;
        Interchange {
            ta1: self.write(),
            ..addressed_back(inbound, version, number, at)
        }
    }
}

/// The findings about the envelope of `interchange`: those with a code for TA105.
fn own<'f>(
    interchange: &Interchange,
    findings: &'f [Finding],
) -> impl Iterator<Item = &'f Finding> {
    let first = interchange.position.ordinal;
    let last = last_ordinal(interchange);
    findings.iter().filter(move |finding| {
        let at = finding.location.segment;
        // An IEA is missed where the next ISA stands.
        let of_previous = finding.fault == Fault::MissingIea && at == first;
        (first..=last).contains(&at) && !of_previous && finding.code_in("TA105=").is_some()
    })
}

/// The code of the gravest fault, the first of them where there are several, and whether it keeps
/// the interchange from being taken.
fn worst(interchange: &Interchange, findings: &[Finding]) -> Option<(&'static str, bool)> {
    let all = own(interchange, findings);
    let graded = all.map(|finding| {
        let code = finding.code_in("TA105=").unwrap_or(NO_ERROR);
        (code, rejects(interchange, finding))
    });
    let mut graded: Vec<_> = graded.collect();
    if interchange.trailer.is_none() && !graded.iter().any(|(_, rejects)| *rejects) {
        graded.push((MISSING_TRAILER, true));
    }
    let gravest = graded.iter().find(|(_, rejects)| *rejects);
    gravest.or(graded.first()).copied()
}

/// Improper end of file.
const MISSING_TRAILER: &str = "023";

/// Whether a fault of the envelope means that nothing in it was taken. Wrong widths and values of
/// ISA are told, and what is in the interchange is used.
fn rejects(interchange: &Interchange, finding: &Finding) -> bool {
    use Fault::*;
    match finding.fault {
        TerminatorMissing | DelimiterClash | Truncated | MissingIea | IeaCount | IeaControl
        | DuplicateInterchange | NoGroups => true,
        // In a group, its 997 tells of it; outside, a whole group may be lost.
        OutsideSet => !interchange.groups.iter().any(|g| inside(g, finding)),
        _ => false,
    }
}

fn inside(group: &FunctionalGroup, finding: &Finding) -> bool {
    (group.position.ordinal..=group.last_ordinal()).contains(&finding.location.segment)
}
