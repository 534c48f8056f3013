//! Header fields: of an HTTP request, a MIME entity, a disposition notification.
//!
//! ```text
//! fields = *( name ":" value line-end *( blank value line-end ) ) line-end    ; CRLF or LF
//! ```

use std::io::BufRead;

use super::error::Error;

/// Most bytes of one header block: four times what the usual HTTP servers take.
pub const HEADER_BYTES: usize = 32 * 1024;

/// Longest AS2 name (RFC 4130 §6.2), counted without its quotes and escapes.
pub const NAME_LENGTH: usize = 128;

/// An ordered list of header fields; names match in any letter case.
///
/// ```
/// use transload::as2::Headers;
/// let mut raw = &b"AS2-From: \"A B\"\r\nSubject: one\r\n two\r\n\r\nbody"[..];
/// let headers = Headers::read(&mut raw).unwrap();
/// assert_eq!(headers.get("subject"), Some("one two"));
/// assert_eq!(headers.as2_from().unwrap(), "A B");
/// assert_eq!(raw, b"body");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No fields.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Reads a block up to and including its empty line, CRLF or LF, folded lines joined by a
    /// blank. A request or status line in front is skipped, so that recorded messages read as
    /// they are. At the end of input the block ends too.
    ///
    /// # Errors
    /// A line that is no field, a blank before the colon, more than [`HEADER_BYTES`].
    pub fn read(source: &mut impl BufRead) -> Result<Headers, Error> {
        let mut block = Vec::new();
        loop {
            let line = read_line(source, HEADER_BYTES)?;
            let end = matches!(line.as_slice(), b"" | b"\n" | b"\r\n");
            if !block.is_empty() || !is_start_line(&line) {
                block.extend_from_slice(&line);
            }
            if block.len() > HEADER_BYTES {
                return Err(Error::Limit {
                    what: "header block",
                    limit: HEADER_BYTES as u64,
                });
            }
            if end {
                return Headers::parse(&block);
            }
        }
    }

    /// Reads a block that is in memory; an empty line ends it.
    pub(crate) fn parse(block: &[u8]) -> Result<Headers, Error> {
        let mut headers = Headers::new();
        for line in block.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if line[0] == b' ' || line[0] == b'\t' {
                let folded = text(line);
                let (_, value) = headers
                    .0
                    .last_mut()
                    .ok_or_else(|| Error::Mime("header block starts with a folded line".into()))?;
                value.push(' ');
                value.push_str(&unbroken(folded.trim()));
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let colon = colon.filter(|at| *at > 0 && line[..*at].iter().all(is_token));
            let Some(colon) = colon else {
                return Err(Error::Mime(format!("no header field: {:?}", shown(line))));
            };
            headers.push(&text(&line[..colon]), text(&line[colon + 1..]).trim());
        }
        Ok(headers)
    }

    /// Appends a field. Line breaks in the value become blanks: nothing written here is folded.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), unbroken(value)));
    }

    /// Replaces every field of that name by one, in the place of the first.
    pub fn set(&mut self, name: &str, value: &str) {
        let is = |(have, _): &(String, String)| have.eq_ignore_ascii_case(name);
        let first = self.0.iter().position(is).unwrap_or(self.0.len());
        self.0.retain(|field| !is(field));
        let field = (name.to_owned(), unbroken(value));
        self.0.insert(first, field);
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let matching = |(have, _): &&(String, String)| have.eq_ignore_ascii_case(name);
        self.0
            .iter()
            .find(matching)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matching = move |(have, _): &&(String, String)| have.eq_ignore_ascii_case(name);
        self.0
            .iter()
            .filter(matching)
            .map(|(_, value)| value.as_str())
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The block with CRLF and its empty line; never folded.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.0 {
            let fold = planted!("header-folded", "\r\n\t", "");
            out.extend_from_slice(format!("{name}: {fold}{value}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// `AS2-From`, unquoted.
    ///
    /// # Errors
    /// Absent, two that differ, or not an AS2 name.
    pub fn as2_from(&self) -> Result<String, Error> {
        self.as2_name("AS2-From")
    }

    /// `AS2-To`, unquoted. Errors as [`Headers::as2_from`].
    pub fn as2_to(&self) -> Result<String, Error> {
        self.as2_name("AS2-To")
    }

    /// `Message-ID` exactly as received, brackets or not: what an MDN repeats. None where there
    /// are two.
    pub fn message_id(&self) -> Option<&str> {
        let mut ids = self.all("Message-ID");
        let first = ids.next().filter(|id| !id.is_empty());
        first.filter(|_| ids.next().is_none())
    }

    fn as2_name(&self, field: &str) -> Result<String, Error> {
        let mut names = self.all(field).map(|value| unquote_name(field, value));
        let first = names
            .next()
            .ok_or_else(|| Error::header(field, "is missing"))??;
        for other in names {
            if other? != first {
                return Err(Error::header(field, "stands twice with different names"));
            }
        }
        Ok(first)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }
}

/// Writes an AS2 name: quoted only where it has to be, `"` and `\` escaped (RFC 4130 §6.2).
///
/// ```
/// use transload::as2::quote_name;
/// assert_eq!(quote_name("ACME"), "ACME");
/// assert_eq!(quote_name("A \"B\""), r#""A \"B\"""#);
/// ```
pub fn quote_name(name: &str) -> String {
    if name
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    {
        return unbroken(name);
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", unbroken(&escaped))
}

/// Reads an AS2 name, quoted or not; an unquoted one may hold blanks.
///
/// # Errors
/// Not 1 to 128 printable ASCII characters, or a quote that does not close.
pub fn unquote_name(field: &str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    let name = match value.strip_prefix('"') {
        None => value.to_owned(),
        Some(rest) => {
            unquote(rest).ok_or_else(|| Error::header(field, "has a quote that does not close"))?
        }
    };
    let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if name.is_empty() || name.len() > NAME_LENGTH || !printable {
        let problem = format!("is not 1 to {NAME_LENGTH} printable ASCII characters");
        return Err(Error::header(field, problem));
    }
    Ok(name)
}

/// The inside of a quoted string whose opening quote is gone; nothing may follow it.
fn unquote(rest: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = rest.chars();
    while let Some(next) = chars.next() {
        match next {
            '"' => return chars.as_str().trim().is_empty().then_some(name),
            '\\' => name.push(chars.next()?),
            other => name.push(other),
        }
    }
    None
}

/// One line with its end, or what is left at the end of input.
pub(crate) fn read_line(source: &mut dyn BufRead, cap: usize) -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    loop {
        let data = source.fill_buf()?;
        let end = memchr::memchr(b'\n', data).map_or(data.len(), |at| at + 1);
        let take = end.min(cap.saturating_sub(line.len()));
        line.extend_from_slice(&data[..take]);
        source.consume(take);
        if take == 0 || line.ends_with(b"\n") {
            return Ok(line);
        }
    }
}

fn is_start_line(line: &[u8]) -> bool {
    line.starts_with(b"HTTP/1.")
        || (line.trim_ascii_end().ends_with(b"HTTP/1.1")
            || line.trim_ascii_end().ends_with(b"HTTP/1.0"))
            && !line.contains(&b':')
}

/// Bytes of a field name (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// UTF-8, or else Latin-1: a value is shown, compared and repeated, never refused.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A few characters of a bad line, for an error message.
pub(crate) fn shown(line: &[u8]) -> String {
    text(line)
        .chars()
        .take(40)
        .map(|c| if c.is_control() { '.' } else { c })
        .collect()
}

/// Control characters become blanks, so that no value can make a new line.
pub(crate) fn unbroken(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut raw: &[u8]) -> Result<Headers, Error> {
        Headers::read(&mut raw)
    }

    #[test]
    fn lf_and_crlf_and_a_request_line() {
        let headers = read(b"POST /as2?x HTTP/1.1\r\na: 1\nB:2\r\n\r\n").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "1"), ("B", "2")]);
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for bad in [
            &b"a : 1\r\n\r\n"[..],
            b" folded: first\r\n\r\n",
            b"nothing\r\n\r\n",
            b": x\n\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(read(&[b'a'; HEADER_BYTES + 1]).is_err());
    }

    #[test]
    fn names_quoted_and_not() {
        let name = |value: &str| unquote_name("AS2-To", value);
        assert_eq!(name(r#""a \"b\" \\c""#).unwrap(), r#"a "b" \c"#);
        assert_eq!(name("plain name").unwrap(), "plain name");
        assert_eq!(name(r#""ACME""#).unwrap(), name("ACME").unwrap());
        assert_eq!(
            name(&format!("\"{}\"", "\\\\".repeat(128))).unwrap().len(),
            128
        );
        for bad in ["", "\"\"", "\"open", "\"a\" b", "é", &"x".repeat(129)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        for name in ["A B", "a\\", "\"", "x", "[#]!,<;>"] {
            assert_eq!(unquote_name("AS2-To", &quote_name(name)).unwrap(), name);
        }
    }

    #[test]
    fn two_names_have_to_agree() {
        let mut headers: Headers = [("as2-to", "X"), ("AS2-TO", "\"X\"")].into_iter().collect();
        assert_eq!(headers.as2_to().unwrap(), "X");
        headers.push("AS2-To", "x");
        assert!(headers.as2_to().is_err());
        assert!(headers.as2_from().is_err());
    }

    #[test]
    fn nothing_written_breaks_a_line() {
        let headers: Headers = [("Subject", "a\r\nX-Evil: 1")].into_iter().collect();
        assert_eq!(headers.to_bytes(), b"Subject: a  X-Evil: 1\r\n\r\n");
    }
}
