//! Reading BER (X.690 §8): [`Der`] over bytes in memory, [`Ber`] over a stream.
//!
//! ```text
//! element = tag length content              ; one-byte tags: CMS has no others
//! length  = %x00-7F / %x81-88 1*8OCTET / %x80   ; %x80: content ends with 00 00
//! ```
//!
//! Nothing is allocated by a declared size, and depth is capped: both came from outside.

use std::io::{self, BufRead, Read};

use nom::bytes::streaming::take;
use nom::error::{Error as Nom, ErrorKind};
use nom::number::streaming::be_u8;
use nom::{Err, IResult};

use crate::as2::error::Error;

/// Deepest nesting of CMS that is read; real messages need nine.
pub const BER_DEPTH: usize = 16;

/// Most bytes of one element that is read into memory (recipients, certificates, signers).
pub const ELEMENT_BYTES: usize = 256 * 1024;

/// Tag and length of an element.
#[derive(Clone, Copy)]
struct Head {
    tag: u8,
    /// `None`: indefinite.
    length: Option<u64>,
}

impl Head {
    fn constructed(self) -> bool {
        self.tag & 0x20 != 0
    }
}

fn head(input: &[u8]) -> IResult<&[u8], Head> {
    let (rest, tag) = be_u8(input)?;
    let (rest, first) = be_u8(rest)?;
    let refused = || Err(Err::Failure(Nom::new(input, ErrorKind::LengthValue)));
    if tag & 0x1F == 0x1F {
        return refused();
    }
    match first {
        0..=0x7F => Ok((
            rest,
            Head {
                tag,
                length: Some(u64::from(first)),
            },
        )),
        0x80 if tag & 0x20 != 0 && !planted!("indefinite-length-refused") => {
            Ok((rest, Head { tag, length: None }))
        }
        0x81..=0x88 => {
            let (rest, digits) = take(first & 0x7F)(rest)?;
            let length = digits
                .iter()
                .fold(0, |sum: u64, digit| sum << 8 | u64::from(*digit));
            Ok((
                rest,
                Head {
                    tag,
                    length: Some(length),
                },
            ))
        }
        _ => refused(),
    }
}

/// An element in memory.
#[derive(Clone, Copy)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    /// Tag, length, content and end.
    pub(crate) raw: &'a [u8],
    pub(crate) content: &'a [u8],
}

impl<'a> Tlv<'a> {
    pub(crate) fn der(&self) -> Der<'a> {
        Der { rest: self.content }
    }

    /// The octets of an OCTET STRING, or of an implicitly tagged one, segmented or not.
    pub(crate) fn octets(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.gather(&mut out, BER_DEPTH)?;
        Ok(out)
    }

    fn gather(&self, out: &mut Vec<u8>, depth: usize) -> Result<(), Error> {
        if self.tag & 0x20 == 0 {
            out.extend_from_slice(self.content);
            return Ok(());
        }
        let mut segments = self.der();
        while !segments.is_empty() {
            let segment = segments.next()?;
            if depth == 0 || segment.tag & !0x20 != 0x04 {
                return Err(bad("an octet string holds something else"));
            }
            segment.gather(out, depth - 1)?;
        }
        Ok(())
    }
}

fn tlv(input: &[u8], depth: usize) -> IResult<&[u8], Tlv<'_>> {
    let (body, head) = head(input)?;
    let (content, rest) = match head.length {
        Some(length) => {
            let (rest, content) = take(length)(body)?;
            (content, rest)
        }
        None if depth == 0 => return Err(Err::Failure(Nom::new(input, ErrorKind::TooLarge))),
        None => {
            let mut rest = body;
            while !rest.starts_with(&[0, 0]) {
                rest = tlv(rest, depth - 1)?.0;
            }
            (&body[..body.len() - rest.len()], &rest[2..])
        }
    };
    Ok((
        rest,
        Tlv {
            tag: head.tag,
            raw: &input[..input.len() - rest.len()],
            content,
        },
    ))
}

/// A cursor over elements in memory.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a> {
    rest: &'a [u8],
}

impl<'a> Der<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Der<'a> {
        Der { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, Error> {
        let (rest, element) =
            tlv(self.rest, BER_DEPTH).map_err(|_| bad("an element that is no BER or cut short"))?;
        self.rest = rest;
        Ok(element)
    }

    pub(crate) fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, Error> {
        let element = self.next()?;
        if element.tag == tag {
            return Ok(element);
        }
        Err(bad(&format!(
            "an element of tag {tag:02x} is due, {:02x} came",
            element.tag
        )))
    }

    /// The next element if it has that tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, Error> {
        match self.rest.first() {
            Some(first) if *first == tag => self.next().map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn sequence(&mut self) -> Result<Der<'a>, Error> {
        Ok(self.expect(0x30)?.der())
    }

    /// An INTEGER from 0 to 32767.
    pub(crate) fn small(&mut self) -> Result<u16, Error> {
        match self.expect(0x02)?.content {
            [low @ 0..0x80] => Ok(u16::from(*low)),
            [high @ 0..0x80, low] => Ok(u16::from_be_bytes([*high, *low])),
            _ => Err(bad("a number out of range")),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(bad("an element too many"))
        }
    }
}

/// A pull reader over a stream: enters constructed elements, hands out small ones whole, and
/// an octet string as a stream of its own.
pub(crate) struct Ber<'a> {
    source: &'a mut dyn BufRead,
    position: u64,
    /// The ends of the elements that are entered; `None` where an end mark comes.
    open: Vec<Option<u64>>,
}

impl<'a> Ber<'a> {
    pub(crate) fn new(source: &'a mut dyn BufRead) -> Ber<'a> {
        Ber {
            source,
            position: 0,
            open: Vec::new(),
        }
    }

    /// The next tag inside the current element; `None` at its end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Error> {
        if self.open.last() == Some(&Some(self.position)) {
            return Ok(None);
        }
        let tag = self.source.fill_buf()?.first().copied();
        match (tag, self.open.last()) {
            (None, _) => Err(Error::Truncated("a CMS element".into())),
            (Some(0), Some(None)) => Ok(None),
            (tag, _) => Ok(tag),
        }
    }

    /// Goes into a constructed element.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<(), Error> {
        if self.peek()? != Some(tag) {
            return Err(bad(&format!("no {tag:02x} at offset {}", self.position)));
        }
        let head = self.head()?;
        self.push(head)
    }

    /// Goes out of it; nothing may be left in it.
    pub(crate) fn leave(&mut self) -> Result<(), Error> {
        if self.peek()?.is_some() {
            return Err(bad(&format!(
                "an element too many at offset {}",
                self.position
            )));
        }
        if self.open.pop() == Some(None) && (self.byte()?, self.byte()?) != (0, 0) {
            return Err(bad(&format!("no end mark before offset {}", self.position)));
        }
        Ok(())
    }

    /// The next element whole, in at most [`ELEMENT_BYTES`].
    pub(crate) fn element(&mut self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let base = self.open.len();
        loop {
            while self.open.len() > base && self.peek()?.is_none() {
                if self.open.last() == Some(&None) {
                    out.extend_from_slice(&[0, 0]);
                }
                self.leave()?;
            }
            if !out.is_empty() && self.open.len() == base {
                return Ok(out);
            }
            self.peek()?.ok_or_else(|| bad("an element is missing"))?;
            let head = self.copied_head(&mut out)?;
            match head.length {
                Some(length) => self.copy(length, &mut out)?,
                None => self.push(head)?,
            }
        }
    }

    /// The octets of an OCTET STRING (`tag` 04) or of an implicitly tagged one, as a stream.
    pub(crate) fn octets(&mut self, tag: u8) -> Result<Octets<'_, 'a>, Error> {
        if self.peek()?.is_none_or(|have| have & !0x20 != tag) {
            return Err(bad(&format!("no octet string at offset {}", self.position)));
        }
        let base = self.open.len();
        let head = self.head()?;
        let left = match head.constructed() {
            true => self.push(head).map(|()| 0)?,
            false => head.length.unwrap_or(0),
        };
        Ok(Octets {
            ber: self,
            base,
            left,
        })
    }

    fn push(&mut self, head: Head) -> Result<(), Error> {
        if self.open.len() == BER_DEPTH {
            return Err(Error::Limit {
                what: "CMS nesting",
                limit: BER_DEPTH as u64,
            });
        }
        self.open
            .push(head.length.map(|length| self.position + length));
        Ok(())
    }

    fn head(&mut self) -> Result<Head, Error> {
        self.copied_head(&mut Vec::new())
    }

    /// Reads a head a byte at a time, so that not one byte of the content is taken.
    fn copied_head(&mut self, out: &mut Vec<u8>) -> Result<Head, Error> {
        let start = out.len();
        loop {
            out.push(self.byte()?);
            match head(&out[start..]) {
                Ok((_, head)) => return self.inside_parent(head),
                Err(Err::Incomplete(_)) => {}
                Err(_) => {
                    return Err(bad(&format!(
                        "a bad length before offset {}",
                        self.position
                    )));
                }
            }
        }
    }

    fn inside_parent(&self, head: Head) -> Result<Head, Error> {
        let end = self.position.checked_add(head.length.unwrap_or(0));
        let within = match (end, self.open.iter().rev().find_map(|end| *end)) {
            (Some(end), Some(parent)) => end <= parent,
            (end, None) => end.is_some(),
            (None, _) => false,
        };
        within.then_some(head).ok_or_else(|| {
            bad(&format!(
                "an element before offset {} is longer than what holds it",
                self.position
            ))
        })
    }

    fn copy(&mut self, length: u64, out: &mut Vec<u8>) -> Result<(), Error> {
        if length > (ELEMENT_BYTES.saturating_sub(out.len())) as u64 {
            return Err(Error::Limit {
                what: "a CMS element",
                limit: ELEMENT_BYTES as u64,
            });
        }
        let copied = (&mut *self.source).take(length).read_to_end(out)? as u64;
        self.position += copied;
        if copied < length {
            return Err(Error::Truncated("a CMS element".into()));
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let byte = self.source.fill_buf()?.first().copied();
        let byte = byte.ok_or_else(|| Error::Truncated("a CMS element".into()))?;
        self.source.consume(1);
        self.position += 1;
        Ok(byte)
    }
}

/// The content of an octet string, its segments joined.
pub(crate) struct Octets<'s, 'a> {
    ber: &'s mut Ber<'a>,
    /// How many elements were open outside of the string.
    base: usize,
    /// Bytes left in the current segment.
    left: u64,
}

impl Octets<'_, '_> {
    /// Goes on to the next segment that is not empty; `false` at the end.
    fn advance(&mut self) -> Result<bool, Error> {
        while self.left == 0 {
            if self.ber.open.len() == self.base {
                return Ok(false);
            }
            match self.ber.peek()? {
                None => self.ber.leave()?,
                Some(0x04) => self.left = self.ber.head()?.length.unwrap_or(0),
                Some(0x24) => self.ber.enter(0x24)?,
                Some(_) => return Err(bad("an octet string holds something else")),
            }
        }
        Ok(true)
    }
}

impl BufRead for Octets<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.advance().map_err(io::Error::other)? {
            return Ok(&[]);
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let data = self.ber.source.fill_buf()?;
        if data.is_empty() {
            return Err(io::Error::other(Error::Truncated(
                "a CMS octet string".into(),
            )));
        }
        Ok(&data[..data.len().min(left)])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count as u64;
        self.ber.position += count as u64;
        self.ber.source.consume(count);
    }
}

impl Read for Octets<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        crate::as2::mime::read_from(self, out)
    }
}

fn bad(problem: &str) -> Error {
    Error::Cms(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(mut bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let mut ber = Ber::new(&mut bytes);
        ber.octets(0x04)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn segments_are_joined() {
        assert_eq!(octets(b"\x04\x02ab").unwrap(), b"ab");
        assert_eq!(
            octets(b"\x24\x80\x04\x01a\x24\x03\x04\x01b\x04\x00\0\0").unwrap(),
            b"ab"
        );
        assert_eq!(octets(b"\x24\x00").unwrap(), b"");
    }

    #[test]
    fn what_is_cut_or_too_long_fails() {
        let bad: [&[u8]; 8] = [
            b"\x04\x03ab",
            b"\x24\x80\x04\x01a",
            b"\x24\x80\x04\x01a\0\x01",
            b"\x24\x03\x04\x02ab",
            b"\x24\x80\x02\x01a\0\0",
            b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x04\x89\x01",
            b"\x04\x80",
        ];
        for bytes in bad {
            assert!(octets(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(octets(&[0x24, 0x80].repeat(BER_DEPTH + 1)).is_err());
    }

    #[test]
    fn an_element_is_copied_whole() {
        let mut bytes = &b"\x30\x80\x30\x80\x02\x01\x05\0\0\x04\x01x\0\0rest"[..];
        let element = Ber::new(&mut bytes).element().unwrap();
        assert_eq!(element, b"\x30\x80\x30\x80\x02\x01\x05\0\0\x04\x01x\0\0");
        let mut inside = Der::new(&element).sequence().unwrap();
        assert_eq!(inside.sequence().unwrap().small().unwrap(), 5);
        assert_eq!(inside.next().unwrap().octets().unwrap(), b"x");
        inside.finish().unwrap();
        assert_eq!(bytes, b"rest");
    }

    #[test]
    fn a_hundred_thousand_indefinite_lengths_are_refused_at_once() {
        let nest = [0x30, 0x80].repeat(100_000);
        assert!(Der::new(&nest).next().is_err());
        assert!(Ber::new(&mut nest.as_slice()).element().is_err());
    }
}
