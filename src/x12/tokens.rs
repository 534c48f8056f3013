//! Where the separators are: a pass over 64 bytes at a time that compares all of them at once,
//! turns the outcome into one bit a byte, and walks the bits. Safe code that compilers vectorise.

use super::Delimiters;

/// Bytes indexed at a time: small enough that the index stays in the first-level cache and that
/// an interchange with other delimiters throws little of it away.
pub(super) const CHUNK: usize = 8 * 1024;

/// The positions of all element separators and terminators in a stretch of a window.
pub(super) struct Index {
    positions: Vec<u32>,
    len: usize,
}

/// What a stretch holds beside separators.
pub(super) struct Seen {
    /// A byte above 0x7F.
    pub(super) high: bool,
    /// A line feed that does not stand right behind a terminator.
    pub(super) stray_line_feed: bool,
    /// Such a line feed, or a byte inside an element that is no printable ASCII or splits it.
    pub(super) odd: bool,
}

impl Index {
    pub(super) fn new() -> Index {
        // A block is written eight positions at a time, so up to seven too many.
        Index {
            positions: vec![0; CHUNK + 8],
            len: 0,
        }
    }

    /// How many positions there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Position `i`, counted from the window's start.
    pub(super) fn get(&self, i: usize) -> usize {
        self.positions[i] as usize
    }

    /// The positions from number `i` on.
    pub(super) fn from(&self, i: usize) -> &[u32] {
        &self.positions[i..self.len]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Replaces the index by that of `window[from..to]`, of [`CHUNK`] bytes at most.
    pub(super) fn scan(
        &mut self,
        window: &[u8],
        from: usize,
        to: usize,
        by: &Delimiters,
        segment: u8,
    ) -> Seen {
        let (element, component) = (by.element, by.component);
        let repetition = by.repetition.unwrap_or(component);
        let is_printable = |b: u8| b.wrapping_sub(b' ') < 0x5f;
        // Without a branch: many are tested at a time.
        let is_odd =
            |b: u8| !(is_printable(b) | (b == b'\n')) | (b == component) | (b == repetition);
        // Where an unusual separator stands between elements, all is odd.
        let usual = is_printable(element) && (is_printable(segment) || segment == b'\n');
        let mut odd = !usual;
        self.len = 0;
        let (blocks, rest) = window[from..to].as_chunks::<64>();
        let mut high = 0;
        let mut stray = false;
        let mut at = from;
        for block in blocks {
            self.put(mask(block, element, segment), at as u32);
            let mut shifted = [segment; 64];
            let previous = match at.checked_sub(1) {
                Some(before) => window[before..].first_chunk().unwrap_or(&shifted),
                None => {
                    shifted[1..].copy_from_slice(&block[..63]);
                    &shifted
                }
            };
            for (i, &byte) in block.iter().enumerate() {
                high |= byte;
                odd |= is_odd(byte);
                stray |= (byte == b'\n') & (previous[i] != segment);
            }
            at += 64;
        }
        for (offset, &byte) in rest.iter().enumerate() {
            if byte == element || byte == segment {
                self.positions[self.len] = (at + offset) as u32;
                self.len += 1;
            }
            high |= byte;
            odd |= is_odd(byte);
            let previous = (at + offset).checked_sub(1).map(|b| window[b]);
            stray |= byte == b'\n' && previous != Some(segment);
        }
        Seen {
            high: high >= 0x80,
            stray_line_feed: stray,
            odd: odd | stray,
        }
    }

    #[inline]
    fn put(&mut self, mut bits: u64, base: u32) {
        let count = bits.count_ones() as usize;
        let mut slot = self.len;
        self.len += count;
        while slot < self.len {
            // Eight at a time without a branch between them; those past the last are overwritten.
            for place in &mut self.positions[slot..slot + 8] {
                *place = base + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            slot += 8;
        }
    }
}

/// One bit for each byte of `block` that is `a` or `b`, the first byte's lowest.
#[inline]
fn mask(block: &[u8; 64], a: u8, b: u8) -> u64 {
    let mut hit = [0u8; 64];
    for (hit, &byte) in hit.iter_mut().zip(block) {
        *hit = u8::from(byte == a) | u8::from(byte == b);
    }
    let (words, _) = hit.as_chunks::<8>();
    words.iter().enumerate().fold(0, |bits, (i, &word)| {
        // Gathers the lowest bit of eight bytes in the highest byte.
        let gathered = u64::from_le_bytes(word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits | gathered << (8 * i)
    })
}

#[cfg(test)]
mod tests {
    use super::super::LineBreak;
    use super::*;

    const BY: Delimiters = Delimiters {
        element: b'*',
        component: b'>',
        repetition: Some(b'^'),
        segment: b'~',
        line_break: LineBreak::Lf,
    };

    #[test]
    fn the_index_is_that_of_a_plain_loop() {
        let bytes: Vec<u8> = (0..5000u32)
            .map(|i| b"*~AB\n*C"[(i * i % 7) as usize])
            .collect();
        for (from, to) in [(0, 5000), (1, 64), (63, 64), (100, 100), (17, 4999)] {
            let mut index = Index::new();
            index.scan(&bytes, from, to, &BY, b'~');
            let plain: Vec<usize> = (from..to)
                .filter(|&i| matches!(bytes[i], b'*' | b'~'))
                .collect();
            let found: Vec<usize> = (0..index.len()).map(|i| index.get(i)).collect();
            assert_eq!(found, plain);
        }
    }

    #[test]
    fn all_separators_fill_the_index_to_its_end() {
        let bytes = vec![b'*'; CHUNK];
        let mut index = Index::new();
        index.scan(&bytes, 0, CHUNK, &BY, b'~');
        assert_eq!(index.len(), CHUNK);
    }

    #[test]
    fn a_line_feed_is_stray_unless_it_follows_a_terminator() {
        let mut index = Index::new();
        let line = b"PO1*1*10*EA~\n".repeat(10);
        assert!(!index.scan(&line, 0, 128, &BY, b'~').stray_line_feed);
        let inner = b"MSG*two\nlines~\n".repeat(10);
        assert!(index.scan(&inner, 0, 128, &BY, b'~').stray_line_feed);
    }

    #[test]
    fn what_is_odd_is_seen_wherever_it_stands() {
        let plain = b"PO1*1*10*EA*9.95~\n".repeat(10);
        let odd = |bytes: &[u8]| Index::new().scan(bytes, 0, 150, &BY, b'~').odd;
        assert!(!odd(&plain));
        for byte in [b'>', b'^', b'\r', b'\t', 0, 0x7f, 0x80, 0xff] {
            for at in [5, 70, 149] {
                let mut bytes = plain.clone();
                bytes[at] = byte;
                assert!(odd(&bytes), "{byte} at {at}");
            }
        }
    }
}
