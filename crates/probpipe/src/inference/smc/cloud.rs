//! What particles together know of the density that they stand for.

use super::sums::weighted_mean;
use crate::inference::mcmc::Metric;
use probpipe_trace::{Array, eye};

/// The moments of weighted particles, by which kernels that move them are scaled.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Their mean, `[n]`.
    pub mean: Array,
    /// Their covariance, `[n, n]`.
    pub covariance: Array,
    /// The power of the likelihood that the kernel is for: 1 at the posterior.
    pub power: Array,
}

impl Cloud {
    /// Of vectors `[m, n]` with weights `[m]` that add up to 1.
    #[track_caller]
    pub(super) fn new(z: &Array, weights: &Array, power: &Array) -> Cloud {
        let mean = weighted_mean(z, weights);
        let apart = z - &mean;
        let covariance = apart.transpose().matmul(&(&apart * weights.expand_dims(-1)));
        Cloud { mean, covariance, power: power.clone() }
    }

    /// How many real numbers a particle has.
    pub fn size(&self) -> usize {
        self.mean.size()
    }

    /// The metric under which the particles look round. Where they span less than the space, a
    /// small part of their mean variance is added in all directions.
    #[track_caller]
    pub fn metric(&self) -> Metric {
        let n = self.size();
        let variance = self.covariance.diagonal().mean();
        let least = variance * 1e-5 + f64::from(f32::MIN_POSITIVE);
        Metric::of_covariance(&self.covariance + eye(n).cast(self.covariance.dtype()) * least)
    }

    /// A metric of standard deviations alone.
    #[track_caller]
    pub fn diagonal(&self) -> Metric {
        Metric::of_variances(self.covariance.diagonal() + f64::from(f32::MIN_POSITIVE))
    }
}
