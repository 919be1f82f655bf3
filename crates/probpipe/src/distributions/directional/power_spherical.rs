//! The power spherical distribution.

use super::turned::{about, beside};
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::terms::log_power;
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::beta;
use probpipe_trace::{Array, Key, Shape};
use std::f64::consts::{LN_2, PI};

family! {
    /// Directions in `d >= 2` dimensions of density proportional to `(1 + m . x)^concentration`
    /// (N. De Cao, W. Aziz, "The power spherical distribution", 2020): alike in use to
    /// [`VonMisesFisher`](super::VonMisesFisher).
    ///
    /// The part of a draw along `m` is `2 b - 1` of a beta number, so that the sampler is
    /// reparameterised in any number of dimensions.
    ///
    /// ```
    /// use probpipe::distributions::PowerSpherical;
    /// use probpipe::prelude::*;
    /// let p = PowerSpherical::new([1.0, 0.0, 0.0], 2.0);
    /// assert!((p.mean().at(0).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    PowerSpherical::new {
        /// The mean direction `[..., d]`, of length 1.
        mean_direction: UnitVector,
        /// How strongly draws gather about it.
        concentration: Positive,
    }
    on UnitVector
}

impl PowerSpherical {
    fn dim(&self) -> usize {
        self.mean_direction().shape().last().copied().unwrap_or(0)
    }

    /// Half of the dimensions that a direction moves in.
    fn half(&self) -> f64 {
        (self.dim().max(2) as f64 - 1.0) / 2.0
    }

    /// The logarithm of the integral of `((1 + m . x) / 2)^k`:
    /// `(a + b) log 2 + b log pi + lgamma(a) - lgamma(a + b)` with `b = (d-1)/2`, `a = b + k`, less
    /// `k log 2`.
    #[track_caller]
    fn normaliser(&self, k: &Array) -> Array {
        let b = self.half();
        (k + b).lgamma() - (k + 2.0 * b).lgamma() + (2.0 * b * LN_2 + b * PI.ln())
    }
}

impl LogProb for PowerSpherical {
    fn log_prob(&self, x: &Array) -> Array {
        let [m, k] = self.checked();
        if m.error().is_some() {
            return m;
        }
        let inner = Array::from(1.0 / (self.dim().max(1) as f64).sqrt());
        let seen = Seen::new(&self.support(), x, &inner);
        // (1 + m . x) / 2 is a quarter of the square of the sum.
        let share = ((&seen.at + &m) * 0.5).square().sum_axes([-1]);
        seen.density(log_power(&k, &share) - self.normaliser(&k))
    }
}

impl Sample for PowerSpherical {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [m, k] = self.checked();
        if m.error().is_some() {
            return m;
        }
        let (first, second) = key.split();
        let b = self.half();
        let share = beta(first, join(&shape, &self.batch_shape()), k + b, b);
        about(self.dtype(), second, &m, &(share * 2.0 - 1.0))
    }
}

impl Moments for PowerSpherical {
    /// `k / (d - 1 + k)` of the mean direction.
    fn mean(&self) -> Array {
        let [m, k] = self.checked();
        let k = beside(&k);
        self.shaped(m * (&k / (&k + 2.0 * self.half())), &[self.dim()])
    }

    /// That of `2 b - 1` along the mean direction, and what it leaves of 1 in all others.
    fn variance(&self) -> Array {
        let [m, k] = self.checked();
        let k = beside(&k);
        let b = self.half();
        let (a, total) = (&k + b, &k + 2.0 * b);
        let along = a * (4.0 * b) / (total.square() * (&total + 1.0));
        let across = (1.0 - &along - (k / total).square()) / (2.0 * b);
        self.shaped(m.square() * (along - &across) + across, &[self.dim()])
    }
}

impl Mode for PowerSpherical {
    fn mode(&self) -> Array {
        let [m, _] = self.checked();
        self.shaped(m, &[self.dim()])
    }
}

impl Entropy for PowerSpherical {
    /// `log C - k E[log((1 + m . x) / 2)]`, the mean of the logarithm of a beta number.
    fn entropy(&self) -> Array {
        let [_, k] = self.checked();
        let b = self.half();
        let mean = (&k + b).digamma() - (&k + 2.0 * b).digamma();
        self.shaped(self.normaliser(&k) - k * mean, &[])
    }
}
