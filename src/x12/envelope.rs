//! ISA, GS, ST and their trailers: [`Envelopes`] walks them and checks counts, control numbers,
//! identifiers and nesting, one finding for one cause.
//!
//! ```text
//! file        = interchange*
//! interchange = ISA TA1* group* IEA
//! group       = GS set* GE
//! set         = ST segment* SE
//! ```
//!
//! A trailer that is missing is told where its level ends; what stands outside a set is told once
//! and passed over up to the next header or trailer that fits.

use std::collections::HashSet;
use std::io::Read;

use super::header::text;
use super::read::State;
use super::{
    Delimiters, Error, Finding, GroupHeader, InterchangeHeader, Location, Position, Reader,
    Segment, Trailer, TransactionSet,
};

/// Memory that one set may take: sets are held whole, and one of that size is a broken file or an
/// attack. What comes after it is passed over, with a finding.
pub const SET_LIMIT: usize = 512 * 1024 * 1024;

/// What [`Envelopes::next`] gives.
#[derive(Debug)]
pub enum Event<'a> {
    /// ISA, with the separators it settles and its place.
    Interchange(&'a InterchangeHeader, &'a Delimiters, Position),
    /// TA1, before the first group.
    Ta1(Segment<'a>),
    /// GS, and its place.
    Group(&'a GroupHeader, Position),
    /// ST, and nothing of its body yet: that may be pulled by [`Envelopes::segment`].
    SetBegin(&'a TransactionSet),
    /// A set, with its trailer where it has one, and with what was not pulled of its body. It may
    /// be taken (`std::mem::take`); if it is not, its memory serves the next set.
    Set(&'a mut TransactionSet),
    /// The end of a group, with GE where there is one.
    GroupEnd(Option<&'a Trailer>),
    /// The end of an interchange, with IEA where there is one.
    InterchangeEnd(Option<&'a Trailer>),
}

/// Walks a file set by set, in memory that grows with the largest set and not with the file; not
/// even with that where bodies are pulled.
pub struct Envelopes<R> {
    pub(super) reader: Reader<R>,
    pub(super) interchange: Level<InterchangeHeader>,
    pub(super) group: Level<GroupHeader>,
    pub(super) set: TransactionSet,
    pub(super) in_set: bool,
    /// Empty segments before ST: SE01 may count those that follow.
    pub(super) empties: u32,
    /// Segments of the set, also where they were not kept.
    pub(super) length: u32,
    /// The current segment waits until the levels before it are closed.
    pub(super) held: bool,
    /// The missing trailers before the held segment were told.
    pub(super) told: bool,
    /// Segments that belong nowhere were told; the next ones go with them.
    pub(super) adrift: bool,
    pub(super) trailer: Trailer,
    /// The set outgrew [`SET_LIMIT`].
    cut: bool,
    /// Senders with their interchange control numbers, hashed.
    pub(super) seen: HashSet<u64>,
}

/// An interchange or a group that may be open.
#[derive(Default)]
pub(super) struct Level<H> {
    pub(super) header: H,
    pub(super) open: bool,
    /// Something of it could not be read, so its count says nothing.
    pub(super) damaged: bool,
    /// Groups or sets in it.
    pub(super) count: u64,
    /// TA1 segments in it.
    pub(super) answers: u32,
    /// Control numbers in it, hashed.
    pub(super) seen: HashSet<u64>,
    /// The set identifier last told not to fit.
    pub(super) misfit: String,
}

impl<H> Level<H> {
    fn begin(&mut self, header: H) {
        self.header = header;
        self.open = true;
        self.damaged = false;
        self.count = 0;
        self.answers = 0;
        self.seen.clear();
        self.misfit.clear();
    }
}

/// The kinds of [`Event`], before it borrows. The flag says whether there was a trailer.
#[derive(Clone, Copy)]
enum Step {
    Interchange,
    Ta1,
    Group,
    SetBegin,
    Set,
    GroupEnd(bool),
    InterchangeEnd(bool),
}

/// Which role a segment's tag gives it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Isa,
    Ta1,
    Gs,
    St,
    Se,
    Ge,
    Iea,
    Other,
    End,
}

impl Role {
    fn of(tag: &[u8], header: bool) -> Role {
        match tag {
            b"ISA" if header => Role::Isa,
            b"TA1" => Role::Ta1,
            b"GS" => Role::Gs,
            b"ST" => Role::St,
            b"SE" => Role::Se,
            b"GE" => Role::Ge,
            b"IEA" => Role::Iea,
            _ => Role::Other,
        }
    }
}

impl<R: Read> Envelopes<R> {
    /// At the start of a file.
    pub fn new(source: R) -> Envelopes<R> {
        Envelopes {
            reader: Reader::new(source),
            interchange: Level::default(),
            group: Level::default(),
            set: TransactionSet::default(),
            in_set: false,
            empties: 0,
            length: 0,
            held: false,
            told: false,
            adrift: false,
            trailer: Trailer::default(),
            cut: false,
            seen: HashSet::new(),
        }
    }

    /// Takes what was found since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.reader.take_findings()
    }

    /// Whether [`take_findings`](Self::take_findings) would give any.
    #[inline]
    pub fn has_findings(&self) -> bool {
        !self.reader.findings.is_empty()
    }

    /// How many segments the body of the last set had, also of those that were pulled.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// How many segments were read, envelopes included.
    pub fn segments(&self) -> u32 {
        self.reader.segments()
    }

    /// The separators of the current interchange.
    pub fn delimiters(&self) -> &Delimiters {
        self.reader.delimiters()
    }

    /// The next event, or `None` at the end of the file.
    ///
    /// # Errors
    /// As [`Reader::next`].
    // Not an iterator: an event borrows the walk's buffers.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        loop {
            self.held = self.held || self.reader.advance()?;
            let role = if self.held { self.role() } else { Role::End };
            if let Some(step) = self.close(role) {
                return Ok(Some(self.event(step)));
            }
            if !std::mem::take(&mut self.held) {
                return Ok(None);
            }
            if let Some(step) = self.take(role) {
                return Ok(Some(self.event(step)));
            }
        }
    }

    /// The next segment of the body of the set that was begun, or `None` where the body ends:
    /// then [`next`](Self::next) gives the set. A segment that is given here is not kept.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[inline]
    pub fn segment(&mut self) -> Result<Option<Segment<'_>>, Error> {
        if !self.in_set || self.held || !self.reader.advance()? {
            return Ok(None);
        }
        if !matches!(self.role(), Role::Other | Role::Ta1) {
            self.held = true;
            return Ok(None);
        }
        self.length += 1;
        Ok(Some(self.reader.current()))
    }

    #[inline]
    fn role(&self) -> Role {
        let from = self.reader.found.start;
        let tag = &self.reader.buffer[from..from + self.reader.ends[0] as usize];
        Role::of(tag, self.reader.header)
    }

    /// Closes one level that cannot stay open before a segment of this role.
    fn close(&mut self, role: Role) -> Option<Step> {
        let depth = match role {
            Role::Other | Role::Ta1 | Role::Se => 3,
            Role::St | Role::Ge => 2,
            Role::Gs | Role::Iea => 1,
            Role::Isa | Role::End => 0,
        };
        let step = if self.in_set && depth < 3 {
            Step::Set
        } else if self.group.open && depth < 2 {
            Step::GroupEnd(false)
        } else if self.interchange.open && depth < 1 {
            Step::InterchangeEnd(false)
        } else {
            self.told = false;
            return None;
        };
        if !std::mem::replace(&mut self.told, true) {
            self.tell_missing(role);
        }
        match step {
            Step::Set => self.in_set = false,
            Step::GroupEnd(_) => self.group.open = false,
            _ => self.interchange.open = false,
        }
        Some(step)
    }

    /// Takes a segment in the level where it stands.
    #[inline]
    fn take(&mut self, role: Role) -> Option<Step> {
        if self.in_set && !matches!(role, Role::Se) {
            self.keep();
            return None;
        }
        self.take_envelope(role)
    }

    fn take_envelope(&mut self, role: Role) -> Option<Step> {
        let group = self.group.open;
        match role {
            Role::Isa => self.open_interchange(),
            Role::Gs => self.open_group(),
            Role::St if group => self.open_set(),
            Role::Se if self.in_set => self.end_set(),
            Role::Ge if group => self.end_group(),
            Role::Iea => self.end_interchange(),
            Role::Ta1 if !group && self.interchange.count == 0 => {
                self.interchange.answers += 1;
                return Some(Step::Ta1);
            }
            _ => {
                self.tell_adrift(role);
                return None;
            }
        }
        self.adrift = false;
        Some(match role {
            Role::Isa => Step::Interchange,
            Role::Gs => Step::Group,
            Role::St => Step::SetBegin,
            Role::Se => Step::Set,
            Role::Ge => Step::GroupEnd(true),
            _ => Step::InterchangeEnd(true),
        })
    }

    fn event(&mut self, step: Step) -> Event<'_> {
        let position = self.reader.at;
        let trailer = |there: bool| there.then_some(&self.trailer);
        match step {
            Step::Interchange => {
                Event::Interchange(&self.interchange.header, self.reader.delimiters(), position)
            }
            Step::Ta1 => Event::Ta1(self.reader.current()),
            Step::Group => Event::Group(&self.group.header, position),
            Step::SetBegin => Event::SetBegin(&self.set),
            Step::Set => Event::Set(&mut self.set),
            Step::GroupEnd(there) => Event::GroupEnd(trailer(there)),
            Step::InterchangeEnd(there) => Event::InterchangeEnd(trailer(there)),
        }
    }

    #[inline]
    fn keep(&mut self) {
        self.length += 1;
        let segment = self.reader.current();
        if self.set.segments.size() < SET_LIMIT {
            self.set.segments.push(segment);
        } else if !std::mem::replace(&mut self.cut, true) {
            self.tell_cut();
        }
    }

    /// Where the segment stands before which a level is closed.
    pub(super) fn held_location(&self) -> Location {
        match self.held {
            true => Location::of(&self.reader.current()),
            false => self.reader.position().into(),
        }
    }

    fn open_interchange(&mut self) {
        let header = InterchangeHeader::read(&self.reader.current());
        self.interchange.begin(header);
        self.interchange.damaged = self.reader.state == State::Lost;
        self.check_interchange();
    }

    fn open_group(&mut self) {
        let header = GroupHeader::read(&self.reader.current());
        self.group.begin(header);
        self.interchange.count += 1;
        self.check_group();
    }

    fn open_set(&mut self) {
        let segment = self.reader.current();
        let set = &mut self.set;
        set.segments.clear();
        if let Some(trailer) = set.trailer.take() {
            // Its memory serves this set's trailer.
            self.trailer = trailer;
        }
        set.position = self.reader.at;
        put(&mut set.id, segment.element(1));
        put(&mut set.control_number, segment.element(2));
        let implementation = segment.element(3);
        set.implementation = (!implementation.is_empty()).then(|| text(implementation).into());
        self.in_set = true;
        self.adrift = false;
        self.cut = false;
        self.length = 0;
        self.empties = self.reader.empties;
        self.group.count += 1;
        self.check_set();
    }

    fn end_set(&mut self) {
        self.read_trailer();
        self.check_end_of_set();
        self.set.trailer = Some(std::mem::take(&mut self.trailer));
        self.in_set = false;
    }

    fn end_group(&mut self) {
        self.read_trailer();
        self.check_end_of_group();
        self.group.open = false;
    }

    fn end_interchange(&mut self) {
        self.read_trailer();
        self.check_end_of_interchange();
        self.interchange.open = false;
    }

    fn read_trailer(&mut self) {
        let segment = self.reader.current();
        put(&mut self.trailer.count, segment.element(1));
        put(&mut self.trailer.control_number, segment.element(2));
        self.trailer.position = self.reader.at;
    }
}

/// Replaces `into` by `bytes` as text, in the memory that it has.
fn put(into: &mut String, bytes: &[u8]) {
    into.clear();
    into.push_str(&text(bytes));
}
