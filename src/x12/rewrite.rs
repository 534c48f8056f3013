//! A file written back byte for byte, whatever is wrong with it, but for what is changed on
//! purpose.
//!
//! ```text
//! file = between segment between segment … between
//! ```
//!
//! A segment is what [`Reader`] gives, without its terminator; all else stands between: terminators,
//! line breaks, marks, empty segments, stray bytes, the rest of a segment beyond the limit. So what
//! was read and what stands between is the file, and nothing of it is lost. Where a file was
//! decoded (UTF-16, wrapped lines) or a tag was in lower case, a segment's bytes in the file are
//! not those that were read; they are kept beside them.
//!
//! ```
//! let file = b"\xEF\xBB\xBFisa*00*          *00*          *ZZ*A              *ZZ*B              \
//! *260102*0304*U*00401*000000001*0*P*>~\r\n\r\nIEA*0*1 ~ and so on";
//! let same = transload::x12::rewrite(file, |_, _| None)?;
//! assert_eq!(same, file);
//! let test = transload::x12::rewrite(file, |segment, raw| {
//!     (segment.tag() == b"ISA").then(|| [&raw[..102], b"T*>"].concat())
//! })?;
//! assert_eq!(test[105..108], *b"T*>");
//! assert_eq!(test[108..], file[108..]);
//! # Ok::<(), transload::x12::Error>(())
//! ```

use super::source::Encoding;
use super::{Error, Reader, Segment};

/// Reads `file` and gives it back. `edit` sees each segment, and its bytes as they stand in the
/// file; what it returns is put in their place.
///
/// # Errors
/// [`Error::NotX12`] where there is no ISA in it.
pub fn rewrite(
    file: &[u8],
    mut edit: impl FnMut(&Segment<'_>, &[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::new(file);
    let mut written = Vec::with_capacity(file.len());
    let mut done = 0;
    while reader.advance()? {
        let segment = reader.current();
        let length = match reader.form {
            Encoding::Plain => segment.bytes().len(),
            _ => reader.extent as usize,
        };
        let start = reader.at.offset as usize;
        let raw = &file[start..start + length];
        written.extend_from_slice(&file[done..start]);
        match edit(&segment, raw) {
            Some(other) => written.extend_from_slice(&other),
            None => written.extend_from_slice(raw),
        }
        done = start + length;
    }
    written.extend_from_slice(&file[done..]);
    Ok(written)
}
