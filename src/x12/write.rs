//! The twin of [`read()`](super::read()): an interchange as bytes.
//!
//! ISA has always 106 bytes, counts and trailers are computed, empty elements at the end of a
//! segment are left out, and data that holds a separator is refused: X12 has no escape before
//! release 007040.
//!
//! ```
//! use transload::x12::*;
//! let mut body = Segments::default();
//! body.push_parts(&[b"BEG", b"00", b"NE", b"4711", b"", b"20260102"], Position::default());
//! let header = InterchangeHeader {
//!     sender: Qualified::new("ZZ", "A"),
//!     receiver: Qualified::new("ZZ", "B"),
//!     date: "260102".into(),
//!     time: "0304".into(),
//!     control_number: "1".into(),
//!     ..InterchangeHeader::default()
//! };
//! let group = GroupHeader { functional_id: "PO".into(), control_number: "1".into(), ..Default::default() };
//! let sets = vec![TransactionSet::new("850", "0001", body)];
//! let interchange = Interchange::new(header, Delimiters::default(), vec![FunctionalGroup::new(group, sets)]);
//! let bytes = interchange.to_bytes()?;
//! assert!(bytes.ends_with(b"SE*3*0001~\nGE*1*1~\nIEA*1*000000001~\n"));
//! # Ok::<(), WriteError>(())
//! ```

use std::io::{self, Write};

use super::isa::WIDTHS;
use super::{
    Delimiters, Fault, Finding, FunctionalGroup, Interchange, Location, Segment, Text,
    TransactionSet, text,
};

/// Why an interchange was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The destination failed.
    #[error("cannot write the interchange: {0}")]
    Io(#[from] io::Error),
    /// A value cannot stand in X12 as it is.
    #[error("{}: {}; {}", .0.location.designator(), .0.message, .0.fix)]
    Unwritable(Box<Finding>),
}

/// What may be written in more than one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Keep the empty elements at the end of a set's segments, as they were received. X12 says to
    /// leave them out; a few partners count elements.
    pub trailing_empties: bool,
}

/// Writes `interchange` in the usual way.
///
/// # Errors
/// As [`write_with`].
pub fn write(interchange: &Interchange, out: &mut impl Write) -> Result<(), WriteError> {
    write_with(interchange, WriteOptions::default(), out)
}

/// Writes `interchange`.
///
/// # Errors
/// [`WriteError::Unwritable`] where a value holds a separator or is too wide for ISA, where two
/// separators are one byte, where the body of a set holds an envelope segment; then nothing of
/// that set is written. [`WriteError::Io`] from `out`.
pub fn write_with(
    interchange: &Interchange,
    options: WriteOptions,
    out: &mut impl Write,
) -> Result<(), WriteError> {
    let mut line = Line {
        options,
        delimiters: interchange.delimiters,
        bytes: Vec::with_capacity(64 * 1024),
        place: Location::default(),
    };
    let control = format!("{:0>9}", interchange.header.control_number);
    line.isa(interchange, &control)?;
    for segment in interchange.ta1.iter() {
        line.segment(segment)?;
    }
    for group in &interchange.groups {
        line.group(group, out)?;
    }
    let groups = interchange.groups.len().to_string();
    line.parts(&["IEA", &groups, &control])?;
    out.write_all(&line.bytes)?;
    Ok(())
}

impl Interchange {
    /// The interchange as bytes.
    ///
    /// # Errors
    /// [`WriteError::Unwritable`], as [`write()`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::new();
        write(self, &mut bytes)?;
        Ok(bytes)
    }
}

/// Bytes that wait for their destination, and where we are in what is written.
struct Line {
    options: WriteOptions,
    delimiters: Delimiters,
    bytes: Vec<u8>,
    place: Location,
}

impl Line {
    fn isa(&mut self, interchange: &Interchange, control: &str) -> Result<(), WriteError> {
        let (header, delimiters) = (&interchange.header, self.delimiters);
        let Delimiters {
            element,
            component,
            segment,
            repetition,
            ..
        } = delimiters;
        if !delimiters.are_usable() {
            let message = text!("the separators cannot be told apart from each other or from data");
            return Err(self.refuse(Fault::DelimiterClash, "ISA", None, message));
        }
        let standard = match (repetition, header.standard.as_str()) {
            (Some(byte), _) => char::from(byte).to_string(),
            (None, "") if header.has_repetition() => "^".to_owned(),
            (None, "") => "U".to_owned(),
            (None, standard) => standard.to_owned(),
        };
        let values = [
            &header.authorization.qualifier,
            &header.authorization.id,
            &header.security.qualifier,
            &header.security.id,
            &header.sender.qualifier,
            &header.sender.id,
            &header.receiver.qualifier,
            &header.receiver.id,
            &header.date,
            &header.time,
            &standard,
            &header.version,
            control,
            &header.ack_requested,
            &header.usage,
        ];
        self.bytes.extend_from_slice(b"ISA");
        for (number, (value, width)) in (1u32..).zip(values.into_iter().zip(WIDTHS)) {
            self.bytes.push(element);
            if value.len() > width {
                let message = text!("`{value}` is longer than {width} bytes", value, width);
                return Err(self.refuse(Fault::IsaElement, "ISA", Some(number), message));
            }
            if number != 11 && value.bytes().any(|b| b == element || b == segment) {
                let message = text!("`{value}` holds a separator", value);
                return Err(self.refuse(Fault::Unwritable, "ISA", Some(number), message));
            }
            self.bytes.extend_from_slice(value.as_bytes());
            self.bytes
                .extend(std::iter::repeat_n(b' ', width - value.len()));
        }
        self.bytes.extend([element, component]);
        self.end();
        Ok(())
    }

    fn group(&mut self, group: &FunctionalGroup, out: &mut impl Write) -> Result<(), WriteError> {
        let header = &group.header;
        self.parts(&[
            "GS",
            &header.functional_id,
            &header.sender,
            &header.receiver,
            &header.date,
            &header.time,
            &header.control_number,
            &header.agency,
            &header.version,
        ])?;
        for set in &group.sets {
            self.set(set)?;
            out.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        let sets = group.sets.len().to_string();
        self.parts(&["GE", &sets, &header.control_number])
    }

    fn set(&mut self, set: &TransactionSet) -> Result<(), WriteError> {
        let implementation = set.implementation.as_deref().unwrap_or_default();
        self.parts(&["ST", &set.id, &set.control_number, implementation])?;
        for segment in set.segments.iter() {
            if is_envelope(&segment) {
                let message = text!(
                    "{segment} cannot stand inside a set",
                    segment = format!("{segment:?}")
                );
                return Err(self.refuse(Fault::OutsideSet, "ST", None, message));
            }
            self.segment(segment)?;
        }
        let count = (set.segments.len() + 2).to_string();
        self.parts(&["SE", &count, &set.control_number])
    }

    /// A segment from text; empty elements at the end are left out.
    fn parts(&mut self, parts: &[&str]) -> Result<(), WriteError> {
        let last = parts.iter().rposition(|p| !p.is_empty()).unwrap_or(0);
        for (number, part) in parts[..=last].iter().enumerate() {
            if number > 0 {
                self.bytes.push(self.delimiters.element);
            }
            self.check(parts[0].as_bytes(), number, part.as_bytes())?;
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self.end();
        Ok(())
    }

    fn segment(&mut self, segment: Segment<'_>) -> Result<(), WriteError> {
        let binary = binary_data(&segment);
        if let Some((number, length)) = binary
            && (segment.count() != number || segment.element(number).len() as u64 != length)
        {
            let tag = String::from_utf8_lossy(segment.tag());
            let message = text!("the length {length} is not that of the data", length);
            return Err(self.refuse(Fault::BinaryLength, &tag, Some(number as u32 - 1), message));
        }
        let count = match self.options.trailing_empties {
            true => segment.count(),
            false => (0..=segment.count())
                .rfind(|&n| !segment.element(n).is_empty())
                .unwrap_or(0),
        };
        let Delimiters {
            element,
            segment: terminator,
            ..
        } = self.delimiters;
        let ends = segment.ends();
        let bytes = &segment.bytes()[..ends[count] as usize];
        let separated = ends[..count].iter().all(|&e| bytes[e as usize] == element);
        let hits = bytes
            .iter()
            .filter(|&&b| b == element || b == terminator)
            .count();
        if separated && hits == count {
            // As it will be read: nothing to look at one by one.
            self.bytes.extend_from_slice(bytes);
        } else {
            for number in 0..=count {
                let value = segment.element(number);
                if binary.is_none_or(|b| b.0 != number) {
                    self.check(segment.tag(), number, value)?;
                }
                if number > 0 {
                    self.bytes.push(element);
                }
                self.bytes.extend_from_slice(value);
            }
        }
        self.end();
        Ok(())
    }

    fn check(&self, tag: &[u8], number: usize, value: &[u8]) -> Result<(), WriteError> {
        let Delimiters {
            element, segment, ..
        } = self.delimiters;
        let Some(at) = memchr::memchr2(element, segment, value) else {
            return Ok(());
        };
        let message = text!(
            "`{value}` holds the separator `{byte}`",
            value = String::from_utf8_lossy(value),
            byte = value[at].escape_ascii().to_string()
        );
        let tag = String::from_utf8_lossy(tag);
        Err(self.refuse(Fault::Unwritable, &tag, Some(number as u32), message))
    }

    fn end(&mut self) {
        self.bytes.push(self.delimiters.segment);
        self.bytes
            .extend_from_slice(self.delimiters.line_break.bytes());
        self.place.segment += 1;
    }

    fn refuse(&self, fault: Fault, tag: &str, element: Option<u32>, message: Text) -> WriteError {
        let fix = match fault {
            Fault::IsaElement => text!("shorten the value"),
            Fault::DelimiterClash => text!("choose four different bytes"),
            Fault::BinaryLength => text!("give the number of bytes of the data"),
            Fault::OutsideSet => text!("take the segment out of the set"),
            _ => text!("choose other separators for this partner, or change the value"),
        };
        let location = Location {
            tag: tag.to_owned(),
            element,
            segment: self.place.segment + 1,
            ..Location::default()
        };
        WriteError::Unwritable(Box::new(Finding::new(fault, location, message, fix)))
    }
}

/// Whether a reader would take `segment` for an envelope's, or for none.
fn is_envelope(segment: &Segment<'_>) -> bool {
    let isa = |b: &[u8]| b.len() > 2 && b[..3].eq_ignore_ascii_case(b"ISA");
    match segment.tag() {
        b"" | b"GS" | b"ST" | b"SE" | b"GE" | b"IEA" => true,
        // ISA with any separator: it would start an interchange.
        tag => isa(tag) && !tag.get(3).is_some_and(u8::is_ascii_alphanumeric),
    }
}

/// The element that may hold any byte, and the length that is given for it.
fn binary_data(segment: &Segment<'_>) -> Option<(usize, u64)> {
    let number = match segment.tag() {
        b"BIN" => 2,
        b"BDS" => 3,
        _ => return None,
    };
    let length = std::str::from_utf8(segment.element(number - 1)).ok()?;
    Some((number, super::read::number(length)?))
}
