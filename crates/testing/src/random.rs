//! The source of random choices of tests. It is not the generator of the library, whose tests need
//! one that does not depend on it.

use std::collections::VecDeque;

/// A small generator of its own (SplitMix64), so that a seed names a graph for ever. A fuzzer may
/// make the first choices itself.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
    choices: VecDeque<u8>,
}

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed, choices: VecDeque::new() }
    }

    /// From choices, one per byte; when they are used up, as from the seed 0.
    pub fn from_bytes(bytes: &[u8]) -> Random {
        Random { state: 0, choices: bytes.iter().copied().collect() }
    }

    /// 64 random bits, or the next choice.
    pub fn bits(&mut self) -> u64 {
        if let Some(choice) = self.choices.pop_front() {
            return u64::from(choice);
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// A number between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in (-1, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// One of a list, which is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
