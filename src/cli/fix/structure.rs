//! A file segment by segment, with its envelope made right.
//!
//! What stands between two segments is kept as it is where it is a terminator and a line break. A
//! trailer is added where what follows shows that its level had ended; a file that ends inside a
//! set was cut short, and nobody knows what was lost.

use super::Change;
use super::piece::Piece;
use super::values::{Edit, Edits};
use crate::x12::{
    Delimiters, Error, Fault, ISA_WIDTHS, Location, Position, Reader, Text, Value, text,
};

/// A repaired file, and what was changed.
pub(super) struct Repaired {
    pub(super) bytes: Vec<u8>,
    pub(super) changes: Vec<Change>,
}

/// Repairs a file, and puts `edits` in their places.
pub(super) fn repair(file: &[u8], mut edits: Edits) -> Result<Repaired, Error> {
    let mut reader = Reader::new(file);
    let mut mender = Mender::new(file);
    while let Some(piece) = reader.next()?.map(|segment| Piece::of(&segment)) {
        for finding in reader.take_findings() {
            mender.hear(finding.fault, finding.location);
        }
        let mine = edits.remove(&piece.position.ordinal).unwrap_or_default();
        mender.take(piece, mine, *reader.delimiters());
    }
    for finding in reader.take_findings() {
        mender.hear(finding.fault, finding.location);
    }
    mender.end(reader.position());
    Ok(Repaired {
        bytes: mender.out,
        changes: mender.changes,
    })
}

/// A level that is open: the number of its header, and what is in it.
struct Level {
    number: String,
    count: u64,
    /// Something of it could not be read, so its count says nothing.
    damaged: bool,
}

impl Level {
    fn new(number: String, count: u64) -> Option<Level> {
        Some(Level {
            number,
            count,
            damaged: false,
        })
    }
}

struct Mender<'f> {
    file: &'f [u8],
    /// The file's bytes are not those of its segments: it is written anew.
    decoded: bool,
    out: Vec<u8>,
    changes: Vec<Change>,
    /// Where in the file the last segment ended.
    done: usize,
    delimiters: Delimiters,
    /// The last segment was an IEA, or there was none.
    outside: bool,
    interchange: Option<Level>,
    group: Option<Level>,
    set: Option<Level>,
}

impl<'f> Mender<'f> {
    fn new(file: &'f [u8]) -> Mender<'f> {
        Mender {
            file,
            decoded: false,
            out: Vec::with_capacity(file.len()),
            changes: Vec::new(),
            done: 0,
            delimiters: Delimiters::default(),
            outside: true,
            interchange: None,
            group: None,
            set: None,
        }
    }

    fn told(&mut self, fault: Fault, location: Location, what: Text) {
        self.changes.push(Change {
            rule: fault.rule(),
            location,
            old: None,
            new: None,
            what,
        });
    }

    /// What the reader says of bytes that are not kept where the file is written anew.
    fn hear(&mut self, fault: Fault, location: Location) {
        let what = match fault {
            Fault::Transcoded => {
                self.decoded = true;
                text!("wrote the file as single bytes, without breaks inside segments")
            }
            Fault::TranscodedTerminator => {
                self.decoded = true;
                text!("wrote the segment terminator as one byte")
            }
            Fault::LowercaseTag => text!("wrote segment identifiers in upper case"),
            Fault::StrayBytes | Fault::Padding if self.decoded => {
                text!("left out what stood outside the interchange")
            }
            Fault::EmptySegment if self.decoded => {
                text!("left out a terminator with nothing before it")
            }
            _ => return,
        };
        self.told(fault, location, what);
    }

    fn take(&mut self, mut piece: Piece, edits: Vec<Edit>, delimiters: Delimiters) {
        let role = piece.tag().to_vec();
        let is_isa = role == b"ISA" && piece.count() == 16;
        self.between(Some(&piece), piece.position, is_isa);
        self.close(&role, piece.position);
        if is_isa || self.interchange.is_none() {
            self.delimiters = delimiters;
        }
        if !self.decoded {
            let length = piece.bytes(&delimiters).len();
            self.done = piece.position.offset as usize + length;
        }
        for edit in edits {
            self.edit(&mut piece, edit);
        }
        self.envelope(&role, is_isa, &mut piece);
        let binary = matches!(role.as_slice(), b"BIN" | b"BDS");
        if !is_isa && !binary && piece.trim() {
            let at = place(&piece, None);
            self.told(
                Fault::TrailingSeparators,
                at,
                text!("took the separators off its end"),
            );
        }
        self.outside = role == b"IEA";
        self.out.extend(piece.bytes(&self.delimiters));
    }

    fn edit(&mut self, piece: &mut Piece, edit: Edit) {
        let Location {
            element: Some(number),
            component,
            repetition,
            ..
        } = edit.location
        else {
            return;
        };
        let value = edit.new.as_bytes();
        if value.iter().any(|b| self.delimiters.clashes(*b)) {
            return;
        }
        let within = (repetition, component);
        piece.set_part(number as usize, within, value, &self.delimiters);
        self.changes.push(Change {
            rule: edit.fault.rule(),
            what: Text::default(),
            location: edit.location,
            old: Some(edit.old),
            new: Some(edit.new),
        });
    }

    /// Writes what stands between the last segment and the next.
    fn between(&mut self, next: Option<&Piece>, end: Position, is_isa: bool) {
        let first = self.out.is_empty();
        let usual = match first {
            true => Vec::new(),
            false => {
                let end = self.delimiters;
                [&[end.segment][..], end.line_break.bytes()].concat()
            }
        };
        if self.decoded {
            return self.out.extend(usual);
        }
        let to = next.map_or(self.file.len(), |piece| piece.position.offset as usize);
        let gap = self.file.get(self.done..to).unwrap_or_default();
        let outside = self.outside || is_isa;
        if self.is_sound(gap, outside) {
            return self.out.extend(gap);
        }
        let location = next.map_or_else(|| end.into(), |piece| place(piece, None));
        let (fault, what) = self.wrong(gap, first, outside);
        let Some(fault) = fault else {
            return self.out.extend(gap);
        };
        self.told(fault, location, what);
        self.out.extend(usual);
    }

    /// Whether nothing is wrong with what stands between two segments.
    fn is_sound(&self, gap: &[u8], outside: bool) -> bool {
        if self.out.is_empty() {
            return gap.is_empty();
        }
        let terminator = self.delimiters.segment;
        let line_break = |b: &u8| matches!(b, b'\r' | b'\n');
        let blank = |b: &u8| line_break(b) || matches!(b, b' ' | b'\t');
        match gap.split_first() {
            Some((first, rest)) if *first == terminator => match outside {
                true => rest.iter().all(line_break),
                false => rest.iter().all(|b| blank(b) && *b != terminator),
            },
            _ => false,
        }
    }

    /// What is wrong with what stands between two segments; no fault where it is to be kept.
    fn wrong(&self, gap: &[u8], first: bool, outside: bool) -> (Option<Fault>, Text) {
        let terminator = self.delimiters.segment;
        let filler = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | 0x1A) || *b == terminator;
        let size = gap.len();
        if gap == b"\xEF\xBB\xBF" {
            return (
                Some(Fault::ByteOrderMark),
                text!("took out the byte order mark"),
            );
        }
        if first || outside {
            let more = gap.strip_prefix(&[terminator]);
            if !first && more.is_none() && gap.iter().all(filler) {
                let what = text!("ended the last segment in its terminator");
                return (Some(Fault::NoTerminator), what);
            }
            let (fault, name) = match gap.iter().all(filler) {
                true => (Fault::Padding, Value::word("padding")),
                false => (Fault::StrayBytes, Value::word("stray bytes")),
            };
            let size = more.map_or(size, <[u8]>::len);
            let what = text!(
                "took out {size} bytes of {name} outside the interchange",
                size,
                name
            );
            return (Some(fault), what);
        }
        if !gap.iter().all(filler) {
            // The rest of a segment beyond the limit, or a terminator of several bytes.
            return (None, Text::default());
        }
        match gap.first() == Some(&terminator) {
            true => (
                Some(Fault::EmptySegment),
                text!("took out a terminator with nothing before it"),
            ),
            false => (
                Some(Fault::IsaLength),
                text!("put the terminator right behind the segment"),
            ),
        }
    }

    /// Adds the trailers that are missing before a segment with this tag.
    fn close(&mut self, role: &[u8], position: Position) {
        let (set, group, interchange) = match role {
            b"ISA" => (true, true, true),
            b"GS" | b"IEA" => (true, true, false),
            b"ST" | b"GE" => (true, false, false),
            _ => return,
        };
        if set && let Some(level) = self.set.take() {
            self.add("SE", level, Fault::MissingSe, position);
        }
        if group && let Some(level) = self.group.take() {
            self.add("GE", level, Fault::MissingGe, position);
        }
        if interchange && let Some(level) = self.interchange.take() {
            self.add("IEA", level, Fault::MissingIea, position);
        }
    }

    /// Adds a trailer, and what ends it.
    fn add(&mut self, tag: &str, level: Level, fault: Fault, position: Position) {
        let end = self.delimiters;
        // SE counts itself too.
        let count = level.count + u64::from(tag == "SE");
        let parts = [tag, &count.to_string(), &level.number];
        let bytes = parts.map(str::as_bytes).join(&end.element);
        let what = text!("added {segment}", segment = String::from_utf8_lossy(&bytes));
        self.out.extend(bytes);
        self.out.push(end.segment);
        self.out.extend(end.line_break.bytes());
        let location = Location {
            tag: tag.to_owned(),
            ..position.into()
        };
        self.told(fault, location, what);
    }

    /// Keeps count of levels, and makes their headers and trailers right.
    fn envelope(&mut self, role: &[u8], is_isa: bool, piece: &mut Piece) {
        let in_group = self.group.is_some();
        match role {
            _ if is_isa => {
                self.isa(piece);
                self.interchange = Level::new(piece.text(13).trim().to_owned(), 0);
            }
            b"GS" if self.interchange.is_some() && self.set.is_none() => {
                self.interchange
                    .iter_mut()
                    .for_each(|level| level.count += 1);
                self.group = Level::new(piece.text(6), 0);
            }
            b"ST" if in_group => {
                self.group.iter_mut().for_each(|level| level.count += 1);
                self.set = Level::new(piece.text(2), 1);
            }
            b"SE" if self.set.is_some() => {
                if let Some(mut level) = self.set.take() {
                    level.count += 1;
                    self.trailer(piece, &level, [Fault::SeCount, Fault::SeControl]);
                }
            }
            b"GE" if in_group => {
                if let Some(level) = self.group.take() {
                    self.trailer(piece, &level, [Fault::GeCount, Fault::GeControl]);
                }
            }
            b"IEA" if self.interchange.is_some() => {
                if let Some(level) = self.interchange.take() {
                    self.trailer(piece, &level, [Fault::IeaCount, Fault::IeaControl]);
                }
            }
            _ => match (&mut self.set, &mut self.group, &mut self.interchange) {
                (Some(set), ..) => set.count += 1,
                (None, Some(level), _) => level.damaged = true,
                // A TA1 stands in an interchange and in no group.
                (None, None, Some(level)) => level.damaged |= role != b"TA1",
                _ => {}
            },
        }
    }

    fn trailer(&mut self, piece: &mut Piece, level: &Level, [count, control]: [Fault; 2]) {
        let due = level.count.to_string();
        if !level.damaged && piece.element(1) != due.as_bytes() {
            self.replace(piece, 1, &due, count);
        }
        let number = level.number.trim();
        if !number.is_empty() && piece.text(2).trim() != number {
            self.replace(piece, 2, number, control);
        }
    }

    fn replace(&mut self, piece: &mut Piece, number: usize, new: &str, fault: Fault) {
        let old = piece.text(number);
        self.changes.push(Change {
            rule: fault.rule(),
            location: place(piece, Some(number)),
            old: Some(old),
            new: Some(new.to_owned()),
            what: Text::default(),
        });
        piece.set(number, new.as_bytes());
    }

    /// Gives each element of ISA its width, where its value allows it.
    fn isa(&mut self, piece: &mut Piece) {
        for (number, width) in (1..).zip(ISA_WIDTHS) {
            let old = piece.text(number);
            if number == 16 || piece.element(number).len() == width {
                continue;
            }
            if let Some(new) = widened(number, old.trim_end(), width) {
                self.replace(piece, number, &new, Fault::IsaElement);
            }
        }
        let release = piece.text(12);
        let early = release.len() == 5 && release.as_str() < "00402";
        if let [byte] = *piece.element(11)
            && early
            && byte.is_ascii_punctuation()
        {
            self.replace(piece, 11, "U", Fault::RepetitionEarly);
        }
    }

    /// What stands behind the last segment, and the trailers that are missing there.
    fn end(&mut self, position: Position) {
        let gap = self.file.get(self.done..).unwrap_or_default();
        let ended = self.decoded || gap.contains(&self.delimiters.segment);
        if self.interchange.is_some() && (!ended || self.set.is_some()) {
            // Cut short: what was lost is not made up.
            if !self.decoded {
                self.out.extend(gap);
            }
            return;
        }
        self.between(None, position, true);
        self.close(b"ISA", position);
    }
}

/// Where a piece stands, or one of its elements.
fn place(piece: &Piece, number: Option<usize>) -> Location {
    let before = |number: usize| {
        (0..number)
            .map(|n| piece.element(n).len() + 1)
            .sum::<usize>()
    };
    let mut location = Location {
        tag: piece.text(0),
        ..piece.position.into()
    };
    if let Some(number) = number {
        let start = before(number);
        location.element = Some(number as u32);
        location.offset += start as u64;
        location.column += start as u32;
    }
    location
}

/// The value of an ISA element in its width.
fn widened(number: usize, value: &str, width: usize) -> Option<String> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let value = match number {
        // The century is not said in ISA, and neither are seconds.
        9 if digits && value.len() == 8 => &value[2..],
        10 if digits && value.len() > 4 => &value[..4],
        12 | 13 if digits => {
            let bare = value.trim_start_matches('0');
            return (bare.len() <= width).then(|| format!("{bare:0>width$}"));
        }
        1 | 3 if value.is_empty() => "00",
        _ => value,
    };
    let short = value.len() <= width && !value.is_empty() || matches!(number, 2 | 4);
    short
        .then(|| format!("{value:width$}"))
        .filter(|value| value.len() == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_isa_get_their_width() {
        assert_eq!(widened(6, "ACME", 15).unwrap(), "ACME           ");
        assert_eq!(widened(13, "42", 9).unwrap(), "000000042");
        assert_eq!(widened(13, "00000000042", 9).unwrap(), "000000042");
        assert_eq!(widened(9, "20260102", 6).unwrap(), "260102");
        assert_eq!(widened(10, "010203", 4).unwrap(), "0102");
        assert_eq!(widened(2, "", 10).unwrap(), "          ");
        assert_eq!(widened(6, "AN-ID-OF-MANY-LETTERS", 15), None);
        assert_eq!(widened(15, "", 1), None);
    }
}
