//! The directions of normal vectors.

use super::turned::direction;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, LogProb, Mode, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{Array, Keep, Key, Shape, fori_loop, select};

family! {
    /// The direction of a normal vector with the mean `concentration` and variances of 1, in any
    /// number of dimensions.
    ///
    /// With `t` the part of the mean along `x` and `r` the rest of it, the density on the sphere
    /// is `(2 pi)^(-(d-1)/2) exp(-|r|^2 / 2)` times the mean of `z^(d-1)` over positive `z` of a
    /// normal distribution about `t` (D. Hernandez-Stumpfhauser, F. J. Breidt, M. J. van der Woerd,
    /// "The general projected normal distribution of arbitrary dimension", 2017). Its sampler is
    /// reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::ProjectedNormal;
    /// use probpipe::prelude::*;
    /// let alike = ProjectedNormal::new([0.0, 0.0]);
    /// // 1 / (2 pi) of a circle
    /// assert!((alike.prob(&array([0.6, 0.8])).item::<f32>()? - 0.15915494).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ProjectedNormal::new {
        /// The mean of the vectors, `[..., d]`.
        concentration: RealVector,
    }
    on UnitVector
}

impl ProjectedNormal {
    fn dim(&self) -> usize {
        self.concentration().shape().last().copied().unwrap_or(0)
    }
}

impl LogProb for ProjectedNormal {
    fn log_prob(&self, x: &Array) -> Array {
        let [mean] = self.checked();
        if mean.error().is_some() {
            return mean;
        }
        let d = self.dim().max(1);
        let seen = Seen::new(&self.support(), x, &Array::from(1.0 / (d as f64).sqrt()));
        let t = (&mean * &seen.at).sum_axes(Keep([-1]));
        let across = (mean - &seen.at * &t).square().sum_axes([-1]);
        let value = log_mean_power(d - 1, &t.squeeze(-1)) - across * 0.5;
        seen.density(value - HALF_LOG_TAU * (d as f64 - 1.0))
    }
}

/// The logarithm of the integral of `z^n` over positive `z` with the normal density about `t`.
///
/// `M_n = t M_(n-1) + (n - 1) M_(n-2)` adds positive terms for positive `t`. For negative ones the
/// quotients of neighbours come from their end, where they are nearly a root.
#[track_caller]
fn log_mean_power(n: usize, t: &Array) -> Array {
    let far = t.lt(-1.0);
    let near = select(&far, 0.0, t);
    let density = (near.square() * -0.5 - HALF_LOG_TAU).exp();
    let (mut before, mut now) = (density, near.ndtr());
    for k in 1..=n {
        let next = &near * &now + if k == 1 { before } else { before * (k as f64 - 1.0) };
        (before, now) = (now, next);
    }
    let t = &select(&far, t, -2.0);
    let last = n + 200;
    let end = ((t.square() + 4.0 * last as f64).sqrt() - t).recip() * (2.0 * last as f64);
    let quotient = |k: &Array, above: Array| k / (above - t);
    let mut above = fori_loop(200, end, |i, above: Array| {
        quotient(&((last as f64 - 1.0) - i.cast(t.dtype())), above)
    });
    let mut log = t.log_ndtr();
    for k in (1..=n).rev() {
        // `above` is M_k / M_(k-1).
        log += above.log();
        above = quotient(&Array::from(k as f64 - 1.0), above);
    }
    select(&far, log, now.log())
}

impl Sample for ProjectedNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [mean] = self.checked();
        let shape = join(&join(&shape, &self.batch_shape()), &[self.dim()]);
        direction(&(normal_of(self.dtype(), key, shape) + mean))
    }
}

impl Mode for ProjectedNormal {
    /// The direction of the mean, NaN where that is zero.
    fn mode(&self) -> Array {
        let [mean] = self.checked();
        self.shaped(direction(&mean), &[self.dim()])
    }
}
