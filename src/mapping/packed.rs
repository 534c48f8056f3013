//! A small map by short codes, asked several times a segment: open addressing over codes that are
//! packed into a number, at most half full, filled once.

/// The longest code that a key holds: most have two or three characters.
const MOST: usize = 7;

/// A code as a number: its bytes, and its length in front. `None` where it is too long.
#[inline]
pub(super) fn key(code: &[u8]) -> Option<u64> {
    let length = code.len() as u64;
    (code.len() <= MOST).then(|| code.iter().fold(length, |key, &b| key << 8 | u64::from(b)))
}

/// Codes, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Keys with their numbers; 0 is that of no code. Their count is a power of two.
    slots: Vec<(u64, u32)>,
}

impl Packed {
    /// Of these keys; of two equal ones the first counts.
    pub(super) fn of(keys: impl ExactSizeIterator<Item = u64>) -> Packed {
        let mut packed = Packed {
            slots: vec![(0, 0); (2 * keys.len()).next_power_of_two().max(2)],
        };
        for (key, number) in keys.zip(0..).filter(|(key, _)| *key != 0) {
            let at = packed.place(key);
            if packed.slots[at].0 == 0 {
                packed.slots[at] = (key, number);
            }
        }
        packed
    }

    /// Where a key stands, or would.
    #[inline]
    fn place(&self, key: u64) -> usize {
        // Fibonacci hashing: the high bits of the product depend on all bits of the key.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mask = self.slots.len() - 1;
        let mut at = (key.wrapping_mul(SPREAD) >> 32) as usize & mask;
        while self.slots[at].0 != key && self.slots[at].0 != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// The number of a key.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<usize> {
        if key == 0 || self.slots.is_empty() {
            return None;
        }
        let (found, number) = self.slots[self.place(key)];
        (found == key).then_some(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_number_and_no_other_has_one() {
        let codes: Vec<String> = (0..500).map(|n| format!("{:X}", n * n)).collect();
        let keys: Vec<u64> = codes.iter().filter_map(|c| key(c.as_bytes())).collect();
        let packed = Packed::of(keys.iter().copied());
        for (number, &key) in keys.iter().enumerate() {
            assert_eq!(packed.get(key), Some(number));
        }
        for other in ["0\0", "\x000", "G", "fff1"] {
            assert_eq!(
                packed.get(key(other.as_bytes()).unwrap()),
                None,
                "{other:?}"
            );
        }
        assert_eq!((packed.get(0), Packed::default().get(1)), (None, None));
        assert_eq!((key(b""), key(&[b'A'; MOST + 1])), (Some(0), None));
    }
}
