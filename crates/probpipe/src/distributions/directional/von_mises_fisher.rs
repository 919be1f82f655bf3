//! The distribution of von Mises and Fisher.

use super::bessel::log_power_free;
use super::turned::{about, beside, direction, first_accepted};
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::{beta, uniform_of};
use probpipe_trace::{Array, Key, Shape};

family! {
    /// The normal distribution of directions in `d >= 2` dimensions, of density
    /// `k^(d/2-1) exp(k m . x) / ((2 pi)^(d/2) I_(d/2-1)(k))` with the mean direction `m` and the
    /// concentration `k`.
    ///
    /// Draws lie along the mean direction as far as rejection says (A. T. A. Wood, "Simulation of
    /// the von Mises Fisher distribution", 1994), and are differentiable in it; in the
    /// concentration in three dimensions, where that part has a quantile in closed form, and with a
    /// slope of zero in others.
    ///
    /// ```
    /// use probpipe::distributions::VonMisesFisher;
    /// use probpipe::prelude::*;
    /// let v = VonMisesFisher::new([1.0, 0.0, 0.0], 2.0);
    /// // coth(2) - 1/2 along the mean direction
    /// assert!((v.mean().at(0).item::<f32>()? - 0.5373147).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    VonMisesFisher::new {
        /// The mean direction `[..., d]`, of length 1.
        mean_direction: UnitVector,
        /// How strongly draws gather about it.
        concentration: Positive,
    }
    on UnitVector
}

impl VonMisesFisher {
    fn dim(&self) -> usize {
        self.mean_direction().shape().last().copied().unwrap_or(0)
    }

    /// The logarithm of the integral of `exp(k (m . x - 1))`, and the length of the mean.
    #[track_caller]
    fn normaliser(&self, k: &Array) -> [Array; 2] {
        let d = self.dim().max(2);
        let [log, length] = log_power_free(d - 2, k);
        [log + HALF_LOG_TAU * d as f64, length]
    }
}

impl LogProb for VonMisesFisher {
    fn log_prob(&self, x: &Array) -> Array {
        let [m, k] = self.checked();
        if m.error().is_some() {
            return m;
        }
        let inner = Array::from(1.0 / (self.dim().max(1) as f64).sqrt());
        let seen = Seen::new(&self.support(), x, &inner);
        // Of vectors of length 1, `m . x - 1` is half the square of their distance.
        let apart = (&seen.at - &m).square().sum_axes([-1]) * -0.5;
        let [log, _] = self.normaliser(&k);
        seen.density(apart * k - log)
    }
}

impl Sample for VonMisesFisher {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [m, k] = self.checked();
        if m.error().is_some() {
            return m;
        }
        let (first, second) = key.split();
        let (batch, dtype) = (join(&shape, &self.batch_shape()), self.dtype());
        let along = match self.dim() {
            3 => {
                // 1 + log(u + (1 - u) exp(-2 k)) / k
                let u = uniform_of(dtype, first, &batch);
                ((1.0 - u) * (&k * -2.0).expm1()).log1p() / k + 1.0
            }
            d => {
                let n = d.max(2) as f64 - 1.0;
                let k = k.stop_gradient() + Array::from(0.0).cast(dtype).broadcast_to(&batch);
                let b = ((k.square() * 4.0 + n * n).sqrt() + &k * 2.0).recip() * n;
                let x0 = (1.0 - &b) / (1.0 + &b);
                let c = &k * &x0 + ((1.0 - &x0) * (1.0 + &x0)).log() * n;
                first_accepted(first, &k * 0.0, |key| {
                    let (of_beta, of_uniform) = key.split();
                    let half = Array::from(n / 2.0).cast(dtype);
                    let z = beta(of_beta, &batch, &half, &half);
                    let w = (1.0 - (1.0 + &b) * &z) / (1.0 - (1.0 - &b) * z);
                    let level = &k * &w + (1.0 - &x0 * &w).log() * n - &c;
                    (level.ge(uniform_of(dtype, of_uniform, &batch).log()), w)
                })
            }
        };
        about(dtype, second, &m, &along)
    }
}

impl Moments for VonMisesFisher {
    /// `I_(d/2)(k) / I_(d/2-1)(k)` of the mean direction.
    fn mean(&self) -> Array {
        let [m, k] = self.checked();
        let [_, length] = self.normaliser(&k);
        self.shaped(beside(&length) * m, &[self.dim()])
    }

    /// With the length `A` of the mean: `A / k + m^2 (1 - d A / k - A^2)`.
    fn variance(&self) -> Array {
        let [m, k] = self.checked();
        let [_, length] = self.normaliser(&k).map(|x| beside(&x));
        let each = &length / beside(&k);
        let along = 1.0 - &each * self.dim() as f64 - length.square();
        self.shaped(m.square() * along + each, &[self.dim()])
    }
}

impl Mode for VonMisesFisher {
    fn mode(&self) -> Array {
        let [m, _] = self.checked();
        self.shaped(direction(&m), &[self.dim()])
    }
}

impl Entropy for VonMisesFisher {
    /// `-log C(k) + k (1 - A)` with the length `A` of the mean.
    fn entropy(&self) -> Array {
        let [_, k] = self.checked();
        let [log, length] = self.normaliser(&k);
        self.shaped(log + k * (1.0 - length), &[])
    }
}
