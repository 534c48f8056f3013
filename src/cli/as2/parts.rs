//! Several documents of one message as files of one folder, and the other way round.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{input, unreadable, unwritable};
use crate::as2::{self, Attachment, Document, Related};
use crate::cli::Failure;
use crate::net;

/// What is sealed: it is read more than once.
pub(super) trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Media types by the end of a file name: those that RFC 6362 §2.5 asks for, and EDI's own.
const TYPES: [(&str, &str); 18] = [
    ("edi", "application/EDI-X12"),
    ("x12", "application/EDI-X12"),
    ("edifact", "application/EDIFACT"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    ("rtf", "application/rtf"),
    ("zip", "application/zip"),
    ("gif", "image/gif"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
];

fn media_type(path: &Path) -> &'static str {
    let end = path.extension().unwrap_or_default().to_string_lossy();
    let row = TYPES.iter().find(|row| end.eq_ignore_ascii_case(row.0));
    row.map_or("application/octet-stream", |row| row.1)
}

/// The last name of a path; a pipe has none.
pub(super) fn name(path: &Path) -> Option<&str> {
    let name = path.file_name().filter(|name| *name != "-");
    name.and_then(|name| name.to_str())
}

/// A file is read where it lies; a pipe, which cannot be read twice, goes into memory.
pub(super) fn source(path: &Path) -> Result<Box<dyn Source>, Failure> {
    let unread = |why: &io::Error| unreadable(path, "the payload", why);
    let mut source = input(path, "the payload")?;
    if path.as_os_str() != "-" {
        return Ok(Box::new(File::open(path).map_err(|why| unread(&why))?));
    }
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|why| unread(&why))?;
    Ok(Box::new(Cursor::new(bytes)))
}

/// Files as one payload; the first is the root and has the type that was given.
pub(super) fn related(files: &[PathBuf], root: &str) -> Result<Related<Box<dyn Source>>, Failure> {
    let mut parts = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let document = Document {
            content_type: if n == 0 { root } else { media_type(file) },
            file_name: name(file),
            message_id: "",
        };
        parts.push((document, source(file)?));
    }
    Related::new(parts, &mut net::entropy).map_err(Failure::usage)
}

/// Writes each document of a payload into the folder, as `01-order.edi`, and tells of them. Never
/// over a file that is there.
pub(super) fn write(content_type: &str, payload: &Path, folder: &Path) -> Result<Value, Failure> {
    std::fs::create_dir_all(folder).map_err(|why| unwritable(folder, &why))?;
    let bytes = File::open(payload).map_err(|why| unreadable(payload, "the payload", &why))?;
    if !as2::is_related(content_type) {
        return Ok(Value::Array(Vec::new()));
    }
    let (mut told, mut blocked) = (Vec::new(), None);
    let split = as2::attachments(content_type, bytes, |part, content| {
        let name = part.file_name.as_deref().unwrap_or("document");
        let place = folder.join(format!("{:02}-{name}", told.len() + 1));
        let opened = OpenOptions::new().write(true).create_new(true).open(&place);
        let written = opened.and_then(|mut file| io::copy(content, &mut file));
        match written {
            Ok(length) => told.push(described(part, &place, length)),
            Err(why) => blocked = Some(unwritable(&place, &why)),
        }
        match &blocked {
            None => Ok(()),
            Some(_) => Err(io::Error::other("see the failure")),
        }
    });
    match (blocked, split) {
        (Some(failure), _) => Err(failure),
        (None, Err(why)) => Err(Failure::usage(format!(
            "the message opened, but its documents cannot be told apart: {why}; ask the sender"
        ))),
        (None, Ok(_)) => Ok(Value::Array(told)),
    }
}

fn described(part: &Attachment, place: &Path, length: u64) -> Value {
    json!({
        "content_type": part.content_type,
        "file_name": part.file_name,
        "duplicate_name": part.duplicate,
        "root": part.root,
        "length": length,
        "file": place.display().to_string(),
    })
}
