//! Several documents in one message (RFC 6362): multipart/related (RFC 2387).
//!
//! ```text
//! related = multipart(root, attachment …)      ; "start" names the root, else it is the first
//! ```
//!
//! It is a payload like any other: [`Related`] makes one for [`super::seal()`], and
//! [`attachments`] takes apart the one that [`super::open()`] gave. So one signature and one MIC
//! are over all of it, and what is in it counts only if the whole message opened.
//!
//! ```
//! use std::io::{Cursor, Read};
//! use transload::as2::{Document, Related, attachments};
//!
//! let part = |content_type, file_name| Document { content_type, file_name, message_id: "" };
//! let parts = vec![
//!     (part("application/EDI-X12", Some("order.edi")), Cursor::new("ISA*00~")),
//!     (part("application/pdf", Some("label.pdf")), Cursor::new("%PDF-1.7")),
//! ];
//! let mut related = Related::new(parts, &mut transload::net::entropy)?;
//! let mut payload = Vec::new();
//! related.read_to_end(&mut payload)?;
//!
//! let mut texts = Vec::new();
//! let found = attachments(related.content_type(), payload.as_slice(), |_, content| {
//!     let mut text = String::new();
//!     content.read_to_string(&mut text)?;
//!     texts.push(text);
//!     Ok(())
//! })?;
//! assert_eq!(texts, ["ISA*00~", "%PDF-1.7"]);
//! assert_eq!(found[1].file_name.as_deref(), Some("label.pdf"));
//! assert!(found[0].root && !found[1].root);
//! # Ok::<(), transload::as2::Error>(())
//! ```
//!
//! It does not look into a multipart that is a part, and checks no link between parts.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::error::Error;
use super::headers::Headers;
use super::keys::{Entropy, hex};
use super::mime::{self, Value};
use super::multipart::Multipart;
use super::seal::Document;

/// Most documents of one message: an order with its drawings has ten.
pub const ATTACHMENTS: usize = 1000;

/// One document of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its media type as it stood; `application/octet-stream` where none did.
    pub content_type: String,
    /// Its file name as claimed, made safe: a name only, never a path.
    pub file_name: Option<String>,
    /// Whether an earlier part has the same name, letter case aside.
    pub duplicate: bool,
    /// Its `Content-ID`, brackets taken off.
    pub content_id: Option<String>,
    /// Whether it is the root document.
    pub root: bool,
}

/// The `Content-ID`, without brackets, of the n-th document, from 1, of a [`Related`] that drew
/// these bytes: for documents that name each other.
pub fn content_id(random: &[u8; 16], n: usize) -> String {
    format!("{n}.{}@related", hex(random))
}

/// Whether a payload of that media type holds several documents.
pub fn is_related(content_type: &str) -> bool {
    Value::parse(content_type).kind == "multipart/related"
}

/// Takes a multipart/related payload apart: each part in its order, its transfer encoding taken
/// off, as a stream. What `each` leaves unread is skipped.
///
/// # Errors
/// No boundary, no part, more than [`ATTACHMENTS`], an end that is missing, a root that is
/// missing, or what `each` says.
pub fn attachments(
    content_type: &str,
    body: impl Read,
    mut each: impl FnMut(&Attachment, &mut dyn Read) -> io::Result<()>,
) -> Result<Vec<Attachment>, Error> {
    let kind = Value::parse(content_type);
    let start = kind.get("start").map(bare);
    let mut body = BufReader::with_capacity(64 * 1024, body);
    let mut parts = Multipart::new(&mut body, kind.get("boundary"))?;
    let mut found: Vec<Attachment> = Vec::new();
    while let Some(mut part) = parts.next()? {
        if found.len() == ATTACHMENTS {
            return Err(Error::Limit {
                what: "attachments",
                limit: ATTACHMENTS as u64,
            });
        }
        let mut head = mime::head(&mut part)?;
        let attachment = describe(&head.headers, start, &found);
        let mut content = std::mem::take(&mut head.body_start).chain(part);
        let mut content = mime::decoded(&head.headers, &mut content)?;
        each(&attachment, &mut content)?;
        io::copy(&mut content, &mut io::sink())?;
        found.push(attachment);
    }
    parts.finish(false)?;
    match found.iter().any(|one| one.root) {
        true => Ok(found),
        false => Err(Error::Mime("a multipart/related without its root".into())),
    }
}

fn describe(headers: &Headers, start: Option<&str>, earlier: &[Attachment]) -> Attachment {
    let file_name = mime::file_name(headers);
    let same = |other: &Attachment| {
        let lower = |name: &Option<String>| name.as_ref().map(|name| name.to_lowercase());
        file_name.is_some() && lower(&other.file_name) == lower(&file_name)
    };
    let content_id = headers.get("Content-ID").map(|id| bare(id).to_owned());
    Attachment {
        content_type: headers
            .get("Content-Type")
            .unwrap_or("application/octet-stream")
            .to_owned(),
        duplicate: earlier.iter().any(same),
        root: match start {
            Some(start) => content_id.as_deref() == Some(start),
            None => earlier.is_empty(),
        },
        content_id,
        file_name,
    }
}

/// A Content-ID without its brackets.
fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Several documents as one payload, the root first: to be read, and read again, as
/// [`super::seal()`] does.
pub struct Related<R> {
    content_type: String,
    pieces: Vec<Piece<R>>,
    length: u64,
    at: u64,
}

struct Piece<R> {
    start: u64,
    end: u64,
    content: Content<R>,
}

enum Content<R> {
    Text(Vec<u8>),
    Source(R),
}

impl<R: Read + Seek> Related<R> {
    /// Puts documents together; their `message_id` does not matter.
    ///
    /// # Errors
    /// None at all or more than [`ATTACHMENTS`]; a source that does not tell its length.
    pub fn new(parts: Vec<(Document<'_>, R)>, entropy: Entropy<'_>) -> Result<Related<R>, Error> {
        let Some((root, _)) = parts.first().filter(|_| parts.len() <= ATTACHMENTS) else {
            let count = parts.len();
            let problem = format!("{count} documents, not 1 to {ATTACHMENTS}");
            return Err(Error::Mime(problem));
        };
        let mut random = [0; 16];
        entropy(&mut random);
        let drawn = random;
        let id = |n: usize| format!("<{}>", content_id(&drawn, n));
        let random = hex(&random);
        let root = Value::parse(root.content_type).kind;
        let mut related = Related {
            content_type: format!(
                "multipart/related; type=\"{root}\"; start=\"{}\"; boundary=\"----={random}\"",
                id(1)
            ),
            pieces: Vec::new(),
            length: 0,
            at: 0,
        };
        for (n, (document, mut source)) in parts.into_iter().enumerate() {
            let mut headers = Headers::new();
            headers.push("Content-Type", document.content_type);
            headers.push("Content-Transfer-Encoding", "binary");
            headers.push("Content-ID", &id(n + 1));
            if let Some(name) = document.file_name {
                headers.push("Content-Disposition", &mime::attachment(name));
            }
            let before = if n == 0 { "" } else { "\r\n" };
            let mut text = format!("{before}------={random}\r\n").into_bytes();
            text.extend(headers.to_bytes());
            related.push(text.len() as u64, Content::Text(text));
            let length = source.seek(SeekFrom::End(0))?;
            related.push(length, Content::Source(source));
        }
        let end = format!("\r\n------={random}--\r\n").into_bytes();
        related.push(end.len() as u64, Content::Text(end));
        Ok(related)
    }

    fn push(&mut self, length: u64, content: Content<R>) {
        let start = self.length;
        self.length += length;
        self.pieces.push(Piece {
            start,
            end: self.length,
            content,
        });
    }
}

impl<R> Related<R> {
    /// The media type of the whole, with its boundary: a [`Document`]'s.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }
}

impl<R: Read + Seek> Read for Related<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let next = self.pieces.partition_point(|piece| piece.end <= self.at);
        let Some(piece) = self.pieces.get_mut(next) else {
            return Ok(0);
        };
        let inside = self.at - piece.start;
        let left = usize::try_from(piece.end - self.at).unwrap_or(usize::MAX);
        let room = out.len().min(left);
        let read = match &mut piece.content {
            Content::Text(text) => (&text[inside as usize..]).read(&mut out[..room])?,
            Content::Source(source) => {
                source.seek(SeekFrom::Start(inside))?;
                source.read(&mut out[..room])?
            }
        };
        if read == 0 && room > 0 {
            return Err(io::Error::other(
                "a document became shorter while it was read",
            ));
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl<R> Seek for Related<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Result<Vec<(Attachment, Vec<u8>)>, Error> {
        let mut contents = Vec::new();
        let found = attachments(kind, body.as_bytes(), |_, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            contents.push(bytes);
            Ok(())
        })?;
        Ok(found.into_iter().zip(contents).collect())
    }

    const TWO: &str = "text before\r\n--b\r\nContent-Type: application/xml\r\n\
        Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; \
        filename=\"../../etc/A.xml\"\r\nContent-ID: <one@x>\r\n\r\nPGEvPg==\r\n--b\r\n\
        Content-ID: two@x\r\nContent-Type: image/png; name=a.XML\r\n\r\n\r\n\r\n\r\n--b--\r\nafter";

    #[test]
    fn parts_are_decoded_in_their_order_and_names_are_safe() {
        let parts = read("Multipart/Related; boundary=b", TWO).unwrap();
        let told: Vec<_> = parts
            .iter()
            .map(|(one, content)| {
                let name = one.file_name.as_deref().unwrap_or_default();
                (
                    one.content_type.as_str(),
                    name,
                    one.duplicate,
                    content.as_slice(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("application/xml", "A.xml", false, &b"<a/>"[..]),
                ("image/png; name=a.XML", "a.XML", true, b"\r\n\r\n"),
            ]
        );
    }

    #[test]
    fn start_names_the_root() {
        for (start, root) in [("", 0), ("; start=\"<two@x>\"", 1), ("; start=one@x", 0)] {
            let parts = read(&format!("multipart/related; boundary=b{start}"), TWO).unwrap();
            assert!(parts[root].0.root && !parts[1 - root].0.root, "{start}");
        }
        let missing = "multipart/related; boundary=b; start=\"<three@x>\"";
        assert!(matches!(read(missing, TWO), Err(Error::Mime(_))));
    }

    #[test]
    fn what_is_cut_or_empty_or_too_many_fails() {
        let kind = "multipart/related; boundary=b";
        for cut in [0, 10, 100, TWO.len() - 12] {
            assert!(read(kind, &TWO[..cut]).is_err(), "{cut}");
        }
        assert!(read(kind, "--b--\r\n").is_err());
        assert!(read("multipart/related", TWO).is_err());
        let many = "--b\r\n\r\n\r\n".repeat(ATTACHMENTS + 1) + "--b--";
        assert!(matches!(read(kind, &many), Err(Error::Limit { .. })));
    }
}
