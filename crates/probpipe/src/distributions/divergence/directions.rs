//! Divergences between distributions of directions.

use crate::distributions::directional::log_power_free;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::{
    Entropy, KlDivergence, Moments, PowerSpherical, SphericalUniform, VonMisesFisher,
};
use probpipe_trace::Array;

/// `m . n - 1` of vectors of length 1.
#[track_caller]
fn apart(m: &Array, n: &Array) -> Array {
    (m - n).square().sum_axes([-1]) * -0.5
}

/// The logarithm of the integral of `exp(k (m . x - 1))` over directions in `d` dimensions, and the
/// length of the mean.
#[track_caller]
fn normaliser(d: usize, k: &Array) -> [Array; 2] {
    let d = d.max(2);
    let [log, length] = log_power_free(d - 2, k);
    [log + HALF_LOG_TAU * d as f64, length]
}

/// The extent of the last axis.
fn extent(x: &Array) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

impl KlDivergence for VonMisesFisher {
    /// `(a - b) (A - 1) - b A (m . n - 1) + log N_b - log N_a` with the length `A` of the mean.
    fn kl_divergence(&self, q: &VonMisesFisher) -> Array {
        let (a, b) = (self.concentration(), q.concentration());
        let d = extent(self.mean_direction());
        let ([own, length], [other, _]) = (normaliser(d, a), normaliser(d, b));
        let turned = apart(self.mean_direction(), q.mean_direction());
        (a - b) * (&length - 1.0) - b * length * turned + (other - own)
    }
}

impl KlDivergence<VonMisesFisher> for PowerSpherical {
    fn kl_divergence(&self, q: &VonMisesFisher) -> Array {
        let k = q.concentration();
        let [log, _] = normaliser(extent(self.mean_direction()), k);
        let along = (self.mean() * q.mean_direction()).sum_axes([-1]);
        log - self.entropy() - k * (along - 1.0)
    }
}

macro_rules! against_uniform {
    ($($name:ident)+) => {$(
        impl KlDivergence<SphericalUniform> for $name {
            fn kl_divergence(&self, q: &SphericalUniform) -> Array {
                q.entropy() - self.entropy()
            }
        }
    )+};
}

against_uniform! { VonMisesFisher PowerSpherical }
