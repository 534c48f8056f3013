//! What a file without ISA may be, so that the error can say what to do.

use std::io;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source failed.
    #[error("cannot read the file: {0}")]
    Io(#[from] io::Error),
    /// The file has no ISA segment anywhere.
    #[error("not X12: {0}")]
    NotX12(Resemblance),
}

/// What a file looks like that is not X12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Resemblance {
    /// No bytes, or blanks only.
    #[error("the file is empty; check that it was transferred whole")]
    Empty,
    /// `{` or `[`.
    #[error("the file looks like JSON; translate it to X12 first")]
    Json,
    /// `<`.
    #[error("the file looks like XML or HTML; ask the sender for the X12 interchange")]
    Xml,
    /// `UNA` or `UNB`.
    #[error("the file is EDIFACT (it starts with UNA or UNB); only X12 is read")]
    Edifact,
    /// `GS` or `ST` without ISA.
    #[error(
        "the file has X12 segments but no ISA; put ISA and GS before and GE and IEA after them"
    )]
    Headless,
    /// Header lines of a mail or an AS2 message, with no ISA behind them in clear.
    #[error("the file looks like a MIME message; open its signature or encryption first")]
    Mime,
    /// A ZIP, gzip or PDF file, a CMS structure, or other bytes that are not text.
    #[error("the file is binary; decrypt or unpack it first")]
    Binary,
    /// Text of another kind.
    #[error("no segment starts with ISA; ask the sender for the whole interchange")]
    Text,
}

/// The first bytes of a file.
#[derive(Default)]
pub(super) struct Start(Vec<u8>);

impl Start {
    /// Enough to tell kinds of files apart.
    const SIZE: usize = 256;

    pub(super) fn of(bytes: &[u8]) -> Start {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let bytes = bytes.trim_ascii_start();
        Start(bytes[..bytes.len().min(Self::SIZE)].to_vec())
    }

    pub(super) fn resemblance(&self) -> Resemblance {
        let bytes = &self.0[..];
        let control = |b: &&u8| matches!(b, 0..=8 | 14..=26 | 127);
        let segment = |tag: &[u8]| {
            bytes.starts_with(tag)
                && bytes
                    .get(2)
                    .is_some_and(|b| !b.is_ascii_alphanumeric() && *b != b' ')
        };
        match bytes.first() {
            None => Resemblance::Empty,
            Some(b'{' | b'[') => Resemblance::Json,
            Some(b'<') => Resemblance::Xml,
            _ if bytes.starts_with(b"UNA") || bytes.starts_with(b"UNB") => Resemblance::Edifact,
            _ if segment(b"GS") || segment(b"ST") => Resemblance::Headless,
            _ if bytes.starts_with(b"%PDF") || bytes.iter().filter(control).count() > 2 => {
                Resemblance::Binary
            }
            _ if is_header_line(bytes) => Resemblance::Mime,
            _ => Resemblance::Text,
        }
    }
}

/// `Name: value`, as mail headers are.
fn is_header_line(bytes: &[u8]) -> bool {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let name = line.split(|&b| b == b':').next().unwrap_or_default();
    let known: [&[u8]; 4] = [b"content-type", b"mime-version", b"message-id", b"as2-from"];
    known.iter().any(|k| name.eq_ignore_ascii_case(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_first_bytes() {
        let kind = |bytes: &[u8]| Start::of(bytes).resemblance();
        assert_eq!(kind(b" \r\n"), Resemblance::Empty);
        assert_eq!(kind(b"\xEF\xBB\xBF{\"a\":1}"), Resemblance::Json);
        assert_eq!(kind(b"<html>"), Resemblance::Xml);
        assert_eq!(kind(b"UNA:+.? 'UNB+"), Resemblance::Edifact);
        assert_eq!(kind(b"ST*850*0001~"), Resemblance::Headless);
        assert_eq!(
            kind(b"Content-Type: multipart/signed\r\n"),
            Resemblance::Mime
        );
        assert_eq!(kind(b"PK\x03\x04\x14\0\0\0"), Resemblance::Binary);
        assert_eq!(kind(b"Dear Sir,"), Resemblance::Text);
    }
}
