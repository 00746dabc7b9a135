//! A small generator of random numbers (`SplitMix64`): the same on every platform, today and later.

/// Random numbers of one stream.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The stream called `name` of person number `index` in the population `seed`.
    pub(super) fn new(seed: u64, index: usize, name: &str) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in (index as u64).to_le_bytes().iter().chain(name.as_bytes()) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut rng = Self(state);
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = u64::try_from(high - low).unwrap_or(0) + 1;
        low + i64::try_from((self.next() >> 8) % span).unwrap_or(0)
    }

    /// A number near `mean`, at most `spread` away, the middle being likelier.
    pub(super) fn around(&mut self, mean: i64, spread: i64) -> i64 {
        let sum: i64 = (0..2).map(|_| self.between(-spread, spread)).sum();
        mean + sum / 2
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let last = i64::try_from(items.len()).unwrap_or(1) - 1;
        &items[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}
