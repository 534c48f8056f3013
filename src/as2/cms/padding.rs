//! The padding of a last block (RFC 5652 §6.3): `n` bytes, each of them `n`.

/// How many bytes of the block are content, and whether padding follows them; without it all are.
/// Every byte is looked at, and no branch depends on one.
pub(super) fn taken_off(block: &[u8]) -> (usize, bool) {
    let count = usize::from(block.last().copied().unwrap_or_default());
    let mut sound = (count > 0) & (count <= block.len());
    for (n, byte) in block.iter().rev().enumerate() {
        sound &= (n >= count) | (usize::from(*byte) == count);
    }
    let padding = count * usize::from(sound);
    (block.len() - padding, sound)
}

#[cfg(test)]
mod tests {
    use super::taken_off;

    #[test]
    fn as_many_bytes_as_each_says() {
        for (block, due) in [
            (&b"abc\x01"[..], (3, true)),
            (b"ab\x02\x02", (2, true)),
            (b"\x04\x04\x04\x04", (0, true)),
            (b"a\x03\x02\x03", (4, false)),
            (b"abc\x00", (4, false)),
            (b"\x05\x05\x05\x05", (4, false)),
            (b"", (0, false)),
        ] {
            assert_eq!(taken_off(block), due, "{block:?}");
        }
    }
}
