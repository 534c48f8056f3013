//! A small seeded generator: the same seed gives the same world on every machine, for ever.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, and good enough to invent orders with.
/// Nothing secret comes of it.
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    /// The generator of one thing of a world, such as its order 7: others do not disturb it.
    #[must_use]
    pub fn of(seed: u64, thing: &str, n: u64) -> Seed {
        let mut own = Seed(seed);
        for byte in thing.bytes() {
            own.0 = own.next() ^ u64::from(byte);
        }
        own.0 = own.next() ^ n;
        own.next();
        own
    }

    /// The next 64 bits.
    #[allow(
        clippy::should_implement_trait,
        reason = "it never ends, so it is no iterator"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0. The last values of a huge range are a little rarer.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// So many letters and digits of 36.
    pub fn word(&mut self, length: usize) -> String {
        const SIGNS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let sign = |_| char::from(SIGNS[usize::try_from(self.below(36)).unwrap_or(0)]);
        (0..length).map(sign).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_for_ever() {
        let mut seed = Seed::of(7, "order", 1);
        let first = (seed.next(), seed.below(100), seed.word(4));
        assert_eq!(
            first,
            (Seed::of(7, "order", 1).next(), first.1, first.2.clone())
        );
        assert_ne!(first.0, Seed::of(7, "order", 2).next());
        assert_ne!(first.0, Seed::of(8, "order", 1).next());
        assert_eq!(first.2.len(), 4);
    }
}
