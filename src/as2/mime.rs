//! MIME as AS2 needs it (RFC 2045, 2231, 1847): media types, header blocks, transfer encodings,
//! and what multipart/signed is written with.

use std::io::{self, BufRead, Cursor, Read};

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::error::Error;
use super::headers::{Headers, is_token, read_line, shown, unbroken};
use super::mic::Digest;

/// Most bytes of the header block of a part.
pub const PART_HEADER_BYTES: usize = 16 * 1024;

/// Base64 with or without padding.
pub(crate) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `Read::read` for whoever has `fill_buf` and `consume`.
pub(crate) fn read_from(source: &mut impl BufRead, out: &mut [u8]) -> io::Result<usize> {
    let data = source.fill_buf()?;
    let length = data.len().min(out.len());
    out[..length].copy_from_slice(&data[..length]);
    source.consume(length);
    Ok(length)
}

/// Header lines with CRLF, as the MIC of an unsigned entity wants them.
pub(super) fn with_crlf(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// `type/subtype; name=value …`, of Content-Type and Content-Disposition alike.
pub(crate) struct Value {
    /// Lower case.
    pub(crate) kind: String,
    parameters: Vec<(String, String)>,
}

impl Value {
    /// Reads tolerantly: any blanks, quotes or none, a value wholly in quotes.
    pub(crate) fn parse(text: &str) -> Value {
        let text = text.trim();
        let text = text
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .unwrap_or(text);
        let mut pieces = split_unquoted(text).into_iter();
        let kind = pieces
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let pieces = pieces.map(str::trim).filter(|piece| !piece.is_empty());
        let parameters = pieces.map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (name.trim().to_ascii_lowercase(), unquoted(value.trim()))
        });
        Value {
            kind,
            parameters: parameters.collect(),
        }
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }
}

fn split_unquoted(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    inside.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// The file name that a part claims: Content-Disposition `filename*`, `filename`, then
/// Content-Type `name`. A name only: no folder, no control characters, at most 255 bytes.
pub(crate) fn file_name(headers: &Headers) -> Option<String> {
    let disposition = headers.get("Content-Disposition").map(Value::parse);
    let kind = headers.get("Content-Type").map(Value::parse);
    let extended = disposition
        .as_ref()
        .and_then(|d| d.get("filename*"))
        .and_then(percent);
    let plain = disposition.as_ref().and_then(|d| d.get("filename"));
    let named = extended
        .or_else(|| plain.map(str::to_owned))
        .or_else(|| kind.as_ref().and_then(|k| k.get("name")).map(str::to_owned))?;
    safe_name(&named)
}

/// A name that no file system takes for a path, a device or a pattern; at most 255 bytes.
fn safe_name(named: &str) -> Option<String> {
    let bare = named.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let plain = |c: &char| !c.is_control() && !"<>\"|?*".contains(*c);
    let bare: String = bare.chars().filter(plain).collect();
    let mut bare = bare.trim().trim_end_matches(['.', ' ']).to_owned();
    let stem = bare
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let port = numbered.is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    if port || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") {
        bare.insert(0, '_');
    }
    while bare.len() > 255 {
        bare.pop();
    }
    (!bare.is_empty()).then_some(bare)
}

/// RFC 2231: `charset'language'percent-encoded`, UTF-8 only.
fn percent(value: &str) -> Option<String> {
    let encoded = value.splitn(3, '\'').nth(2)?;
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        let digits = match byte {
            b'%' => [rest.next()?, rest.next()?],
            _ => {
                bytes.push(byte);
                continue;
            }
        };
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Content-Disposition for a file name that we send.
pub(crate) fn attachment(file_name: &str) -> String {
    let name = unbroken(file_name);
    if name.is_ascii() {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("attachment; filename=\"{name}\"");
    }
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            _ if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename*=UTF-8''{encoded}")
}

/// The header block of an entity, and its bytes as they came. Where there is none (mendelson
/// encrypts bare content), the bytes already read are given back as the start of the body.
pub(crate) struct Head {
    pub(crate) headers: Headers,
    /// The block with its empty line.
    pub(crate) raw: Vec<u8>,
    pub(crate) body_start: Cursor<Vec<u8>>,
}

pub(crate) fn head(source: &mut dyn BufRead) -> Result<Head, Error> {
    let mut raw = Vec::new();
    loop {
        let line = read_line(source, PART_HEADER_BYTES)?;
        if raw.is_empty() && !is_mime_field(&line) && !is_blank(&line) {
            let headers = Headers::new();
            return Ok(Head {
                headers,
                raw,
                body_start: Cursor::new(line),
            });
        }
        raw.extend_from_slice(&line);
        if raw.len() > PART_HEADER_BYTES {
            return Err(Error::Limit {
                what: "part header",
                limit: PART_HEADER_BYTES as u64,
            });
        }
        if is_blank(&line) {
            let headers = Headers::parse(&raw)?;
            return Ok(Head {
                headers,
                raw,
                body_start: Cursor::default(),
            });
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"" | b"\n" | b"\r\n")
}

/// Whether a line begins with a field that stands in MIME headers. `UNB+UNOA:2+…` does not.
fn is_mime_field(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let name = line[..colon].trim_ascii_end().to_ascii_lowercase();
    let known: [&[u8]; 8] = [
        b"mime-version",
        b"date",
        b"message-id",
        b"subject",
        b"from",
        b"to",
        b"ediint-features",
        b"as2-version",
    ];
    let prefixed = name.starts_with(b"content-") || name.starts_with(b"x-");
    name.iter().all(is_token) && (prefixed || known.contains(&name.as_slice()))
}

/// The body of an entity with its transfer encoding taken off.
pub(crate) fn decoded<'a>(
    headers: &Headers,
    body: &'a mut dyn BufRead,
) -> Result<Box<dyn BufRead + 'a>, Error> {
    let encoding = headers.get("Content-Transfer-Encoding").unwrap_or("binary");
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => Ok(Box::new(Base64::new(body))),
        "quoted-printable" => Ok(Box::new(QuotedPrintable {
            source: body,
            line: Vec::new(),
            at: 0,
            cut: Vec::new(),
        })),
        "binary" | "8bit" | "7bit" | "" => Ok(Box::new(body)),
        other => Err(Error::Unsupported(format!(
            "transfer encoding {:?}",
            shown(other.as_bytes())
        ))),
    }
}

/// Decodes base64: lines of any length and end, padding or none.
pub(crate) struct Base64<'a> {
    source: &'a mut dyn BufRead,
    pending: Vec<u8>,
    padded: bool,
    plain: Vec<u8>,
    at: usize,
}

impl<'a> Base64<'a> {
    pub(crate) fn new(source: &'a mut dyn BufRead) -> Base64<'a> {
        Base64 {
            source,
            pending: Vec::new(),
            padded: false,
            plain: Vec::new(),
            at: 0,
        }
    }

    /// Decodes the next piece; `false` at the end.
    fn more(&mut self) -> io::Result<bool> {
        let bad = || io::Error::other(Error::Mime("no base64".into()));
        let data = self.source.fill_buf()?;
        let (ended, taken) = (data.is_empty(), data.len().min(32 * 1024));
        for piece in data[..taken].split(u8::is_ascii_whitespace) {
            let digits = memchr::memchr(b'=', piece).unwrap_or(piece.len());
            let (digits, padding) = piece.split_at(digits);
            if (self.padded && !digits.is_empty()) || padding.iter().any(|byte| *byte != b'=') {
                return Err(bad());
            }
            self.padded |= !padding.is_empty();
            self.pending.extend_from_slice(digits);
        }
        self.source.consume(taken);
        let whole = if ended {
            self.pending.len()
        } else {
            self.pending.len() / 4 * 4
        };
        self.plain.clear();
        self.at = 0;
        LENIENT
            .decode_vec(&self.pending[..whole], &mut self.plain)
            .map_err(|_| bad())?;
        self.pending.drain(..whole);
        Ok(!ended)
    }
}

impl BufRead for Base64<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.plain.len() && self.more()? {}
        Ok(&self.plain[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Base64<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_from(self, out)
    }
}

/// Decodes quoted-printable (RFC 2045 §6.7) a line at a time; what is no escape stays.
struct QuotedPrintable<'a> {
    source: &'a mut dyn BufRead,
    line: Vec<u8>,
    at: usize,
    /// The beginning of the next one, where a line was longer than is read at once.
    cut: Vec<u8>,
}

impl QuotedPrintable<'_> {
    fn decode(line: &[u8]) -> Vec<u8> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let end = &line[text.len()..];
        let (text, end) = match text.trim_ascii_end().strip_suffix(b"=") {
            Some(soft) => (soft, &b""[..]),
            None => (text, end),
        };
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((byte, after)) = rest.split_first() {
            let digits = after
                .get(..2)
                .and_then(|digits| std::str::from_utf8(digits).ok());
            let escape = digits
                .filter(|_| *byte == b'=')
                .map(|digits| u8::from_str_radix(digits, 16));
            match escape {
                Some(Ok(value)) => {
                    out.push(value);
                    rest = &after[2..];
                }
                _ => {
                    out.push(*byte);
                    rest = after;
                }
            }
        }
        out.extend_from_slice(end);
        out
    }
}

impl BufRead for QuotedPrintable<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.line.len() {
            let mut line = std::mem::take(&mut self.cut);
            let more = PART_HEADER_BYTES - line.len();
            line.extend(read_line(self.source, more).map_err(io::Error::other)?);
            if line.is_empty() {
                return Ok(&[]);
            }
            // Longer than any line may be: it goes on, and an escape is not cut in two.
            if line.len() == PART_HEADER_BYTES && !line.ends_with(b"\n") {
                let last = line.len() - 3;
                let escape = line[last..].iter().rposition(|byte| *byte == b'=');
                self.cut = line.split_off(escape.map_or(line.len(), |at| last + at));
            }
            self.line = QuotedPrintable::decode(&line);
            self.at = 0;
        }
        Ok(&self.line[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for QuotedPrintable<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_from(self, out)
    }
}

/// A fresh boundary: 128 random bits do not occur in what it encloses.
pub(crate) fn boundary(entropy: &mut dyn FnMut(&mut [u8])) -> String {
    let mut random = [0; 16];
    entropy(&mut random);
    format!("----=_{}", super::keys::hex(&random))
}

/// Content-Type of multipart/signed (RFC 1847 §2.1).
pub(crate) fn signed_type(boundary: &str, digest: Digest) -> String {
    format!(
        "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg={digest}; \
         boundary=\"{boundary}\""
    )
}

/// What follows the signed entity: the signature in base64, and the closing boundary.
pub(crate) fn signature_part(boundary: &str, signature: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "\r\n--{boundary}\r\n\
         Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n"
    )
    .into_bytes();
    let encoded = STANDARD.encode(signature).into_bytes();
    for line in encoded.chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    // The last line end belongs to the boundary.
    out.truncate(out.len() - 2);
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_decoded_all_the_same() {
        for before in PART_HEADER_BYTES - 4..PART_HEADER_BYTES + 2 {
            let text = [&vec![b'a'; before][..], b"=3D=\r\nb= c"].concat();
            let headers: Headers = [("Content-Transfer-Encoding", "quoted-printable")]
                .into_iter()
                .collect();
            let mut plain = Vec::new();
            let mut body = text.as_slice();
            let mut decoded = decoded(&headers, &mut body).unwrap();
            decoded.read_to_end(&mut plain).unwrap();
            assert_eq!(&plain[before..], b"=b= c", "{before}");
        }
    }

    #[test]
    fn a_name_is_never_a_path() {
        let table = [
            ("order.edi", Some("order.edi")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\orders\\a b.edi", Some("a b.edi")),
            ("/", None),
            ("..", None),
            (" . ", None),
            ("nul.edi", Some("_nul.edi")),
            ("com1", Some("_com1")),
            ("company", Some("company")),
            ("a\0b\r\n*?.edi. ", Some("ab.edi")),
            ("발주서.xml", Some("발주서.xml")),
        ];
        for (named, safe) in table {
            assert_eq!(safe_name(named).as_deref(), safe, "{named:?}");
        }
        assert!(safe_name(&"ü".repeat(300)).is_some_and(|name| name.len() <= 255));
    }
}
