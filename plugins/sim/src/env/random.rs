//! Random numbers of an episode: a seed and a purpose give the same row of them everywhere.
//!
//! The bits are BLAKE3's extended output, a counter run through a well-studied function: no state
//! to get out of step, and each purpose has a row of its own, so that one kind of randomness does
//! not move when another is switched on.

use blake3::{Hasher, OutputReader};

/// Bytes that are drawn at once: a block of BLAKE3's output.
const BLOCK: usize = 64;

/// A row of random numbers.
pub(super) struct Random {
    reader: OutputReader,
    block: [u8; BLOCK],
    used: usize,
}

impl Random {
    /// The row of this seed and purpose.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self {
            reader: hasher.finalize_xof(),
            block: [0; BLOCK],
            used: BLOCK,
        }
    }

    /// 64 random bits.
    pub(super) fn word(&mut self) -> u64 {
        if self.used == BLOCK {
            self.reader.fill(&mut self.block);
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// Evenly from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly between minus and plus a number.
    pub(super) fn about_zero(&mut self, most: f64) -> f64 {
        self.between(-most, most)
    }

    /// A factor: 1 up or down by at most this part.
    pub(super) fn factor(&mut self, most: f64) -> f64 {
        1.0 + self.about_zero(most)
    }

    /// A whole number from 0 to `most`, all but evenly.
    pub(super) fn up_to(&mut self, most: u32) -> u32 {
        (self.unit() * (f64::from(most) + 1.0)) as u32
    }
}

/// A seed made of a seed and a number.
pub(super) fn derived(seed: u64, number: u64) -> u64 {
    let mut hasher = Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_repeat_and_differ_by_seed_and_purpose() {
        let row = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            [0; 20].map(|_: u64| random.word())
        };
        assert_eq!(row(1, "places"), row(1, "places"));
        assert_ne!(row(1, "places"), row(2, "places"));
        assert_ne!(row(1, "places"), row(1, "masses"));
        assert_ne!(derived(1, 0), derived(1, 1));
        assert_ne!(derived(1, 0), derived(0, 1));
    }

    #[test]
    fn numbers_are_even() {
        let mut random = Random::new(7, "even");
        let mut sum = 0.0;
        let mut counts = [0; 4];
        for _ in 0..4000 {
            let value = random.unit();
            assert!((0.0..1.0).contains(&value));
            sum += value;
            counts[random.up_to(3) as usize] += 1;
            let factor = random.factor(0.25);
            assert!((0.75..=1.25).contains(&factor));
        }
        assert!((sum / 4000.0 - 0.5).abs() < 0.02, "{sum}");
        assert!(
            counts.iter().all(|count| (900..1100).contains(count)),
            "{counts:?}"
        );
    }
}
