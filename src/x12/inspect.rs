//! A segment as bytes: binary data with its length, the case of its tag, separators at its end,
//! its character set.

use std::io::Read;
use std::ops::Range;

use super::read::{BINARY_LIMIT, Reader, SEGMENT_LIMIT, number};
use super::{Error, Fault, Location, text};

impl<R: Read> Reader<R> {
    /// A BIN or BDS whose length leads to a terminator; its data may hold any byte.
    pub(super) fn binary(&mut self) -> Result<Option<(usize, usize)>, Error> {
        /// Longer than the elements before the data and the separators around them.
        const HEAD: usize = 64;
        if self.buffer[self.start] | 0x20 != b'b' {
            return Ok(None);
        }
        self.ensure(HEAD)?;
        let separator = self.delimiters.element;
        let head = &self.buffer[self.start..self.filled.min(self.start + HEAD)];
        let mut parts = head.split(|&b| b == separator);
        let tag = parts.next().unwrap_or_default();
        let skipped = match tag {
            _ if tag.eq_ignore_ascii_case(b"BIN") => 0,
            _ if tag.eq_ignore_ascii_case(b"BDS") => parts.next().map_or(0, |p| p.len() + 1),
            _ => return Ok(None),
        };
        let digits = parts.next().unwrap_or_default();
        let data = tag.len() + skipped + digits.len() + 2;
        let length = std::str::from_utf8(digits).ok().and_then(number);
        let told = String::from_utf8_lossy(digits).into_owned();
        let limit = if self.told.binary {
            SEGMENT_LIMIT
        } else {
            BINARY_LIMIT
        };
        if let Some(length) = length.filter(|&l| l <= limit as u64) {
            let size = data + length as usize;
            let there = self.ensure(size + 1 + self.tail.len())?;
            let end = self.start + size;
            let ends_there = there && self.buffer[end] == self.terminator && self.ends_here(end);
            // A last segment without its terminator ends with the file.
            if ends_there || self.filled == end {
                self.ends.clear();
                let before = &self.buffer[self.start..self.start + data];
                let places = before.iter().enumerate().filter(|(_, b)| **b == separator);
                self.ends.extend(places.map(|(i, _)| i as u32));
                self.ends.push(size as u32);
                let next = self.filled.min(end + 1 + self.tail.len());
                self.rescan(next);
                return Ok(Some((end, next)));
            }
        }
        self.told.binary = true;
        self.note(
            Fault::BinaryLength,
            self.here(),
            text!(
                "the length {told} does not lead to a segment terminator",
                told
            ),
            text!("give the number of bytes of the data; it was read up to the next terminator"),
        );
        Ok(None)
    }

    /// Checks the current segment as bytes: tag, trailing separators, character set.
    #[inline]
    pub(super) fn inspect(&mut self) {
        let Range { start: from, end } = self.found;
        let tag_end = self.ends[0] as usize;
        let tag = &self.buffer[from..from + tag_end];
        if tag_end <= 3 && tag.iter().any(u8::is_ascii_lowercase) {
            self.buffer[from..from + tag_end].make_ascii_uppercase();
            if !std::mem::replace(&mut self.told.lowercase, true) {
                self.complain(Fault::LowercaseTag);
            }
        }
        if let [.., a, b] = self.ends[..]
            && b == a + 1
        {
            self.complain(Fault::TrailingSeparators);
        }
        if from < self.high && !self.told.charset {
            let bytes = &self.buffer[from..end];
            let binary = bytes.starts_with(b"BIN") || bytes.starts_with(b"BDS");
            let fault = match std::str::from_utf8(bytes) {
                _ if binary => None,
                Err(_) => Some(Fault::NotUtf8),
                Ok(text) if text.chars().any(is_foreign) => Some(Fault::CharacterSet),
                Ok(_) => None,
            };
            if let Some(fault) = fault {
                self.told.charset = true;
                self.complain(fault);
            }
        }
    }

    #[cold]
    pub(super) fn complain(&mut self, fault: Fault) {
        let location = Location::of(&self.current());
        let tag = &location.tag;
        let (message, fix) = match fault {
            Fault::LowercaseTag => (
                text!(
                    "the segment identifier {tag} is in lower case; it was read as upper case",
                    tag
                ),
                text!("write segment identifiers in upper case"),
            ),
            Fault::TrailingSeparators => (
                text!(
                    "{tag} ends in an element separator: nothing follows it",
                    tag
                ),
                text!("leave out separators after the last value"),
            ),
            Fault::CharacterSet => (
                text!(
                    "{tag} holds a character outside X12's extended character set",
                    tag
                ),
                text!("send ASCII, or agree on a character set with the partner"),
            ),
            _ => (
                text!("{tag} holds a byte above 0x7F that is not UTF-8", tag),
                text!("send ASCII, or UTF-8 where the partner agreed to it"),
            ),
        };
        self.note(fault, location, message, fix);
    }
}

/// Neither ASCII nor one of the letters that the extended character set (X12.6) adds for the
/// languages of its home.
fn is_foreign(c: char) -> bool {
    const SELECT: &str = "ÀÁÂÄàáâäÈÉÊèéêëÌÍÎìíîïÒÓÔÖòóôöÙÚÛÜùúûüÇçÑñ¿¡";
    !c.is_ascii() && !SELECT.contains(c)
}
