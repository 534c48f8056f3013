//! The grammar of ISA, the only segment that says how to read itself.
//!
//! ```text
//! isa        = "ISA" separator 15 * (element separator) component gap
//! separator  = any byte but a letter, a digit, a blank, CR, LF
//! gap        = bytes up to the next letter or digit; the terminator is in it
//! ```
//!
//! ISA has fixed widths, but one file in seven breaks them: the sixteen separators are trusted,
//! and the widths are checked.

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take, take_till, take_while};
use nom::combinator::verify;
use nom::multi::count;
use nom::number::complete::u8 as byte;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Bytes that an ISA with its gap may take. 106 is the rule; blanks doubled by an editor, and
/// what a mail program adds, fit in as much again four times over.
pub(super) const LOOKAHEAD: usize = 1024;

/// The widths of ISA01 to ISA16.
pub const WIDTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];

/// An element longer than that is not one of an ISA: the separators belong to something else.
const ELEMENT_LIMIT: usize = 40;

/// What the grammar finds.
#[derive(Debug)]
pub(super) struct Isa<'a> {
    pub(super) element: u8,
    /// ISA01 to ISA15.
    pub(super) values: Vec<&'a [u8]>,
    pub(super) component: u8,
    /// Bytes from `I` to the component separator, both included.
    pub(super) length: usize,
    pub(super) terminator: Terminator,
}

/// The end of ISA.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Terminator {
    /// `bytes` (several where the file was transcoded) end a segment; those of ISA itself stand
    /// `skip` bytes behind the component separator.
    Found { bytes: Vec<u8>, skip: usize },
    /// ISA itself ends in a line break, and all other segments end in this byte.
    Elsewhere(u8),
    /// Nothing that could be a terminator.
    Missing,
}

/// Reads ISA at the start of `input`, which should hold [`LOOKAHEAD`] bytes or all there are.
pub(super) fn parse(input: &[u8]) -> Option<Isa<'_>> {
    let input = &input[..input.len().min(LOOKAHEAD)];
    let (after, (element, values, component)) = header(input).ok()?;
    let (rest, gap) = gap(after).ok()?;
    let length = input.len() - after.len();
    Some(Isa {
        element,
        values,
        component,
        length,
        terminator: terminator(gap, rest, element),
    })
}

/// The element separator, ISA01 to ISA15, and the component separator.
type Header<'a> = (u8, Vec<&'a [u8]>, u8);

fn header(input: &[u8]) -> IResult<&[u8], Header<'_>> {
    let (input, separator) =
        preceded(tag_no_case("ISA"), verify(byte, is_separator)).parse(input)?;
    let element = verify(take_till(|b| b == separator), |e: &[u8]| {
        e.len() <= ELEMENT_LIMIT
    });
    let (input, values) = count(terminated(element, take(1usize)), 15).parse(input)?;
    let (input, component) = byte(input)?;
    Ok((input, (separator, values, component)))
}

fn gap(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(|b: u8| !b.is_ascii_alphanumeric()).parse(input)
}

fn is_separator(byte: &u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b' ' | b'\r' | b'\n' | 0)
}

/// The byte after ISA16, confirmed by what ends the next segment where there is a doubt.
fn terminator(gap: &[u8], rest: &[u8], element: u8) -> Terminator {
    let Some(skip) = gap.iter().position(|b| !matches!(b, b' ' | b'\t')) else {
        return Terminator::Missing;
    };
    let first = gap[skip];
    let others = gap[skip + 1..].iter().any(|b| !b.is_ascii_whitespace());
    if first >= 0x80 {
        let bytes = transcoded(&gap[skip..], rest).unwrap_or_else(|| vec![first]);
        return Terminator::Found { bytes, skip };
    }
    let newline = matches!(first, b'\r' | b'\n');
    if newline && let Some(byte) = every_line(rest, element) {
        return Terminator::Elsewhere(byte);
    }
    if !newline
        && (others || skip > 0)
        && let Some(byte) = second(rest, element)
        && let Some(skip) = gap.iter().position(|&b| b == byte)
    {
        let bytes = vec![byte];
        return Terminator::Found { bytes, skip };
    }
    Terminator::Found {
        bytes: vec![first],
        skip,
    }
}

/// A character of several bytes that ends ISA and stands again in what follows.
fn transcoded(gap: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
    let length = match gap[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let bytes = gap.get(..length)?;
    std::str::from_utf8(bytes).ok()?;
    let again = rest.is_empty() || memchr::memmem::find(rest, bytes).is_some();
    again.then(|| bytes.to_vec())
}

/// The byte that every whole line of `rest` ends in, two at least, if it can only be a terminator.
fn every_line(rest: &[u8], element: u8) -> Option<u8> {
    let mut lines: Vec<&[u8]> = rest.split(|&b| b == b'\n').collect();
    lines.pop();
    let mut ends = lines.iter().map(|l| l.trim_ascii_end().last().copied());
    let first = ends.next()??;
    let usable = !first.is_ascii_alphanumeric() && first != element;
    (usable && lines.len() >= 2 && ends.all(|e| e == Some(first))).then_some(first)
}

/// The byte that ends the segment before the first ST, TA1 or IEA in `rest`, if it can only be a
/// terminator.
fn second(rest: &[u8], element: u8) -> Option<u8> {
    let opens = |at: &usize| {
        let found: IResult<&[u8], &[u8]> =
            alt((tag_no_case("ST"), tag_no_case("TA1"), tag_no_case("IEA"))).parse(&rest[*at..]);
        found.is_ok_and(|(after, _)| after.first() == Some(&element))
            && !rest[at - 1].is_ascii_alphanumeric()
    };
    let at = (3..rest.len()).find(opens)?;
    let last = rest[..at].trim_ascii_end().last().copied()?;
    (!last.is_ascii_alphanumeric() && last != element).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260102*0304*U*00401*000000001*0*P*>";

    fn end(tail: &str) -> Terminator {
        parse(format!("{HEAD}{tail}").as_bytes())
            .unwrap()
            .terminator
    }

    fn found(byte: u8, skip: usize) -> Terminator {
        let bytes = vec![byte];
        Terminator::Found { bytes, skip }
    }

    #[test]
    fn the_byte_after_isa16_ends_it() {
        assert_eq!(parse(HEAD.as_bytes()).unwrap().length, 105);
        assert_eq!(end("~GS*PO*A~ST*850*1~"), found(b'~', 0));
        assert_eq!(end("~\r\nGS*PO*A~\r\n"), found(b'~', 0));
        assert_eq!(end("\nGS*PO*A\nST*850*1\n"), found(b'\n', 0));
        assert_eq!(end("\r\nGS*PO*A\r\nST*850*1\r\n"), found(b'\r', 0));
        assert_eq!(end(" ~GS*PO*A~ST*850*1~"), found(b'~', 1));
        assert_eq!(end("\nGS*PO*A~\nST*850*1~\n"), Terminator::Elsewhere(b'~'));
        assert_eq!(end("GS*PO*A"), Terminator::Missing);
        assert_eq!(end(""), Terminator::Missing);
    }

    #[test]
    fn a_transcoded_terminator_is_all_its_bytes() {
        let bytes = "Ö".as_bytes().to_vec();
        assert_eq!(end("ÖGS*PO*AÖ"), Terminator::Found { bytes, skip: 0 });
    }

    #[test]
    fn words_that_start_alike_are_no_isa() {
        assert!(parse(b"ISABEL*00*x").is_none());
        assert!(parse(b"ISA*00*00").is_none());
    }
}
