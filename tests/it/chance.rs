//! Chance that can be repeated: a test prints its seed, and runs again with `CREDITBANK_TEST_SEED`.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator (splitmix64): even, and the same everywhere.
pub(crate) struct Chance(u64);

impl Chance {
    /// Seeded from the environment, or by the process; the seed is printed.
    #[expect(clippy::disallowed_methods, reason = "the home of the seed")]
    pub(crate) fn new(test: &str) -> Self {
        let seed = std::env::var("CREDITBANK_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        println!("{test}: CREDITBANK_TEST_SEED={seed}");
        Self(seed)
    }

    /// Always the same.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
