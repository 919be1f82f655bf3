//! The inverse Gaussian distribution.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::keeping_probability;
use crate::random::wald;
use probpipe_trace::{Array, Key, Shape, select};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

family! {
    /// The distribution of the time at which a Brownian motion with a drift first reaches a level,
    /// of density `sqrt(k / (2 pi x^3)) exp(-k (x - loc)^2 / (2 loc^2 x))` with the concentration
    /// `k`; also that of Wald (M. C. K. Tweedie, 1957).
    ///
    /// Draws are differentiable in both parameters, implicitly.
    ///
    /// ```
    /// use probpipe::{InverseGaussian, prelude::*};
    /// let i = InverseGaussian::new(2.0, 4.0);
    /// assert_eq!(i.variance().item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    InverseGaussian::new {
        /// The mean.
        loc: Positive,
        /// The cube of the mean over the variance.
        concentration: Positive,
    }
    on Positive {
        LogProb { log_prob(x) => log_density(x, loc, concentration) }
        Sample {
            draw(key, shape, dtype) => {
                drawn(key, shape, loc, &concentration.in_dtype(dtype))
            }
        }
        Cdf {
            cdf(x) => below(x, loc, concentration),
            survival(x) => {
                let [a, b] = levels(x, loc, concentration);
                let right = a.gt(0.0);
                // Of the tails of both terms the density is a factor.
                let from = select(&right, &a, 0.0);
                let factor = (from.square() * -0.5 - HALF_LOG_TAU).exp();
                let far = factor * (mills(&from) - mills(&select(&right, &b, 1.0)));
                select(&right, far, 1.0 - below(x, loc, concentration))
            },
        }
        Moments {
            mean => loc.clone(),
            variance => loc.square() * (loc / concentration),
        }
        Mode {
            mode => {
                let half = loc / concentration * 1.5;
                loc / ((half.square() + 1.0).sqrt() + half)
            }
        }
    }
}

/// Draws that are differentiable in both parameters.
#[track_caller]
pub(super) fn drawn(key: Key, shape: &Shape, loc: &Array, k: &Array) -> Array {
    let x = wald(key, shape, (loc / k).stop_gradient()) * k;
    keeping_probability(&x, |x| below(x, loc, k), |x| log_density(x, loc, k).exp())
}

#[track_caller]
fn log_density(x: &Array, loc: &Array, k: &Array) -> Array {
    let apart = ((x - loc) / loc).square() / x;
    apart * k * -0.5 - x.log() * 1.5 + (k.log() * 0.5 - HALF_LOG_TAU)
}

/// `sqrt(k / x) (x / loc - 1)`, and the same with a plus.
#[track_caller]
fn levels(x: &Array, loc: &Array, k: &Array) -> [Array; 2] {
    let root = (k / x).sqrt();
    [&root * ((x - loc) / loc), &root * ((x + loc) / loc)]
}

/// The tail of the normal distribution over its density.
#[track_caller]
fn mills(z: &Array) -> Array {
    (z * FRAC_1_SQRT_2).erfcx() * (PI / 2.0).sqrt()
}

/// `Phi(a) + exp(2 k / loc) Phi(-b)`, in which the second term has the normal density of `a` as a
/// factor.
#[track_caller]
fn below(x: &Array, loc: &Array, k: &Array) -> Array {
    let [a, b] = levels(x, loc, k);
    a.ndtr() + (a.square() * -0.5 - HALF_LOG_TAU).exp() * mills(&b)
}
