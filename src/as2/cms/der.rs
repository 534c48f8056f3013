//! Writing DER (X.690 §10): small elements whole, and the heads of a long last element.

/// Tag and length.
pub(crate) fn head(tag: u8, length: u64) -> Vec<u8> {
    let digits = length.to_be_bytes();
    let skip = digits.iter().take_while(|digit| **digit == 0).count();
    match length {
        0..=0x7F => vec![tag, length as u8],
        _ => [&[tag, 0x80 | (8 - skip) as u8], &digits[skip..]].concat(),
    }
}

/// A whole element made of parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len() as u64).sum();
    let mut out = head(tag, length);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// SET OF: the parts sorted by their encodings (X.690 §11.6).
pub(crate) fn set_of(tag: u8, mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// OBJECT IDENTIFIER from its encoded content.
pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    element(0x06, &[content])
}

/// The beginning of nested elements around `length` bytes. `layers` go from the outside in: a
/// tag, what stands before the next one, and how many bytes follow the next one.
pub(crate) fn beginning(layers: &[(u8, &[u8], u64)], length: u64) -> Vec<u8> {
    let start = (Vec::new(), length);
    let (out, _) = layers
        .iter()
        .rev()
        .fold(start, |(inner, inside), (tag, before, after)| {
            let content = before.len() as u64 + inside + after;
            let head = head(*tag, content);
            let whole = head.len() as u64 + content;
            ([&head, *before, &inner].concat(), whole)
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_shortest() {
        assert_eq!(head(4, 0x7F), [4, 0x7F]);
        assert_eq!(head(4, 0x80), [4, 0x81, 0x80]);
        assert_eq!(head(4, 0x1_0000), [4, 0x83, 1, 0, 0]);
    }

    #[test]
    fn a_beginning_and_its_content_are_the_whole() {
        let whole = element(
            0x30,
            &[&oid(&[42]), &element(0xA0, &[&element(4, &[b"abc"])])],
        );
        let before = oid(&[42]);
        let mut streamed = beginning(&[(0x30, &before, 0), (0xA0, b"", 0), (0x04, b"", 0)], 3);
        streamed.extend_from_slice(b"abc");
        assert_eq!(streamed, whole);
        let whole = element(0x30, &[&element(0xA0, &[b"abc"]), &oid(&[42])]);
        let after = before.len() as u64;
        let mut streamed = beginning(&[(0x30, b"", after), (0xA0, b"", 0)], 3);
        streamed.extend_from_slice(b"abc");
        streamed.extend_from_slice(&before);
        assert_eq!(streamed, whole);
    }
}
