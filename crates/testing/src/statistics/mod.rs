//! Statistical tests of samples, at fixed seeds: a test accepts the same sample for ever, and its
//! level says how often a right sampler would have to be given another seed.
//!
//! A sample with NaN, an empty one and one that the test is not made for have NaN as p-value,
//! which no level accepts.

mod chi_square;
mod kolmogorov;
mod moments;

pub use chi_square::chi_square;
pub use kolmogorov::{kolmogorov_smirnov, kolmogorov_smirnov_two};
pub use moments::{mean, mean_and_error, mean_of_known_variance, variance};

use probpipe_special::gammaincc;

/// What a test finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The statistic: how far the sample is from what it should be, in the test's own measure.
    pub statistic: f64,
    /// The probability of a statistic at least as far out, if the sample is what it should be.
    pub p_value: f64,
}

impl Found {
    /// Whether the sample may be what it should be. A small level accepts more: with 1e-4, one of
    /// ten thousand right samples is refused.
    pub fn accepted(self, level: f64) -> bool {
        self.p_value >= level
    }

    /// Fails unless the sample is accepted.
    #[track_caller]
    pub fn accept(self, what: &str, level: f64) {
        assert!(self.accepted(level), "{what}: {self:?} at the level {level}");
    }

    /// Fails unless the sample is refused: the check that a test would notice a fault.
    #[track_caller]
    pub fn reject(self, what: &str, level: f64) {
        assert!(self.p_value < level, "{what}: {self:?} at the level {level}");
    }

    /// A standard normal statistic, both tails: `erfc(|z| / sqrt 2) = Q(1/2, z^2 / 2)`.
    fn normal(z: f64) -> Found {
        Found { statistic: z, p_value: gammaincc(0.5, z * z / 2.0) }
    }
}
