//! Interchange, group, set: the whole of a file as a value, and [`read()`], which collects it.

use std::io::Read;

use super::{
    Delimiters, Envelopes, Error, Event, Finding, GroupHeader, InterchangeHeader, Location,
    Position, Segments,
};

/// SE, GE or IEA as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailer {
    /// The declared count.
    pub count: String,
    /// The control number again.
    pub control_number: String,
    /// Where it stood.
    pub position: Position,
}

/// ST to SE. Equal where id, control number and body are, wherever they stood.
#[derive(Clone, Debug, Default)]
pub struct TransactionSet {
    /// ST01, such as `850`.
    pub id: String,
    /// ST02.
    pub control_number: String,
    /// ST03, from release 005010 on.
    pub implementation: Option<String>,
    /// The segments between ST and SE. Elements hold the component and repetition separators of
    /// their interchange.
    pub segments: Segments,
    /// Where ST stood.
    pub position: Position,
    /// SE, where there was one. Not written: it is computed.
    pub trailer: Option<Trailer>,
}

impl TransactionSet {
    /// A set to be written.
    pub fn new(id: &str, control_number: &str, segments: Segments) -> TransactionSet {
        TransactionSet {
            id: id.to_owned(),
            control_number: control_number.to_owned(),
            segments,
            ..TransactionSet::default()
        }
    }

    /// Gives findings that have no place the set's own (those about a body without any segment), and
    /// all their ordinal in it.
    pub fn place<'f>(&self, findings: impl IntoIterator<Item = &'f mut Finding>) {
        for finding in findings {
            if finding.location.segment == 0 {
                let tag = std::mem::take(&mut finding.location.tag);
                let in_loop = finding.location.in_loop.take();
                finding.location = Location {
                    tag,
                    in_loop,
                    ..self.position.into()
                };
            }
            let before = finding.location.segment.checked_sub(self.position.ordinal);
            finding.location.in_set = before.map(|before| before + 1);
        }
    }

    /// Ordinal in the file of its last segment: SE, or the last one that was read.
    pub fn last_ordinal(&self) -> u32 {
        let last = self.segments.len().checked_sub(1);
        let last = last.and_then(|i| self.segments.get(i));
        match (&self.trailer, last) {
            (Some(trailer), _) => trailer.position.ordinal,
            (None, Some(segment)) => segment.position().ordinal,
            (None, None) => self.position.ordinal,
        }
    }
}

impl PartialEq for TransactionSet {
    fn eq(&self, other: &TransactionSet) -> bool {
        self.id == other.id
            && self.control_number == other.control_number
            && self.implementation == other.implementation
            && self.segments == other.segments
    }
}

/// GS to GE. Equal where header and sets are.
#[derive(Clone, Debug, Default)]
pub struct FunctionalGroup {
    /// GS.
    pub header: GroupHeader,
    /// The sets, in order.
    pub sets: Vec<TransactionSet>,
    /// Where GS stood.
    pub position: Position,
    /// GE, where there was one. Not written: it is computed.
    pub trailer: Option<Trailer>,
}

impl FunctionalGroup {
    /// A group to be written.
    pub fn new(header: GroupHeader, sets: Vec<TransactionSet>) -> FunctionalGroup {
        FunctionalGroup {
            header,
            sets,
            ..FunctionalGroup::default()
        }
    }

    /// Ordinal in the file of its last segment: GE, or the last one that was read.
    pub fn last_ordinal(&self) -> u32 {
        let last = self.sets.last().map(TransactionSet::last_ordinal);
        match &self.trailer {
            Some(trailer) => trailer.position.ordinal,
            None => last.unwrap_or(self.position.ordinal),
        }
    }
}

impl PartialEq for FunctionalGroup {
    fn eq(&self, other: &FunctionalGroup) -> bool {
        self.header == other.header && self.sets == other.sets
    }
}

/// ISA to IEA. Equal where header, delimiters, TA1s and groups are.
#[derive(Clone, Debug, Default)]
pub struct Interchange {
    /// ISA.
    pub header: InterchangeHeader,
    /// Its separators.
    pub delimiters: Delimiters,
    /// TA1 segments, which stand before the first group.
    pub ta1: Segments,
    /// The groups, in order.
    pub groups: Vec<FunctionalGroup>,
    /// Where ISA stood.
    pub position: Position,
    /// IEA, where there was one. Not written: it is computed.
    pub trailer: Option<Trailer>,
}

impl Interchange {
    /// An interchange to be written.
    pub fn new(
        header: InterchangeHeader,
        delimiters: Delimiters,
        groups: Vec<FunctionalGroup>,
    ) -> Interchange {
        Interchange {
            header,
            delimiters,
            groups,
            ..Interchange::default()
        }
    }

    /// All sets of all groups, in order.
    pub fn sets(&self) -> impl Iterator<Item = (&FunctionalGroup, &TransactionSet)> {
        self.groups
            .iter()
            .flat_map(|g| g.sets.iter().map(move |s| (g, s)))
    }
}

impl PartialEq for Interchange {
    fn eq(&self, other: &Interchange) -> bool {
        self.header == other.header
            && self.delimiters == other.delimiters
            && self.ta1 == other.ta1
            && self.groups == other.groups
    }
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Its interchanges, in order.
    pub interchanges: Vec<Interchange>,
    /// What is wrong with it as bytes and as envelopes, in the order of the file.
    pub findings: Vec<Finding>,
    /// How many segments were read, envelopes included.
    pub segments: u32,
}

/// Reads a whole file. To keep no more than one set at a time, use [`Envelopes`].
///
/// # Errors
/// [`Error::Io`] from the source; [`Error::NotX12`] where there is no ISA in it. All else that can
/// be wrong with a file is a finding.
///
/// ```
/// let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
/// *260102*0304*U*00401*000000001*0*P*>~GS*PO*A*B*20260102*0304*1*X*004010~\
/// ST*850*0001~BEG*00*NE*4711**20260102~SE*3*0001~GE*1*1~IEA*1*000000001~";
/// let reading = transload::x12::read(&file[..])?;
/// let set = &reading.interchanges[0].groups[0].sets[0];
/// assert_eq!(set.segments.get(0).unwrap().element(3), b"4711");
/// assert!(reading.findings.is_empty());
/// # Ok::<(), transload::x12::Error>(())
/// ```
pub fn read(source: impl Read) -> Result<Reading, Error> {
    const COPY_LIMIT: usize = 1024 * 1024;
    let mut envelopes = Envelopes::new(source);
    let mut reading = Reading::default();
    let all = &mut reading.interchanges;
    while let Some(event) = envelopes.next()? {
        let interchange = all.last_mut();
        match event {
            Event::Interchange(header, delimiters, position) => all.push(Interchange {
                header: header.clone(),
                delimiters: *delimiters,
                position,
                ..Interchange::default()
            }),
            Event::Ta1(segment) => {
                if let Some(interchange) = interchange {
                    interchange.ta1.push(segment);
                }
            }
            Event::Group(header, position) => {
                if let Some(interchange) = interchange {
                    interchange.groups.push(FunctionalGroup {
                        header: header.clone(),
                        position,
                        ..FunctionalGroup::default()
                    });
                }
            }
            Event::SetBegin(_) => {}
            Event::Set(set) => {
                if let Some(group) = interchange.and_then(|i| i.groups.last_mut()) {
                    // A copy of the right size costs less than to grow the next set's buffers
                    // anew; a large one would take its memory twice.
                    group.sets.push(match set.segments.size() < COPY_LIMIT {
                        true => set.clone(),
                        false => std::mem::take(set),
                    });
                }
            }
            Event::GroupEnd(trailer) => {
                if let Some(group) = interchange.and_then(|i| i.groups.last_mut()) {
                    group.trailer = trailer.cloned();
                }
            }
            Event::InterchangeEnd(trailer) => {
                if let Some(interchange) = interchange {
                    interchange.trailer = trailer.cloned();
                }
            }
        }
    }
    reading.findings = envelopes.take_findings();
    reading.segments = envelopes.segments();
    Ok(reading)
}
