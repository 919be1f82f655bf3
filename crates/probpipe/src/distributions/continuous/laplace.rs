//! The Laplace distribution.

use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};
use std::f64::consts::LN_2;

family! {
    /// The Laplace distribution, of density `exp(-|x - loc| / scale) / (2 scale)`.
    ///
    /// Its sampler is reparameterised: differentiable in both parameters.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let l = Laplace::new(1.0, 2.0);
    /// assert_eq!(l.median().item::<f32>()?, 1.0);
    /// assert_eq!(l.variance().item::<f32>()?, 8.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Laplace::new {
        /// The mean and the median.
        loc: Real,
        /// The mean distance from it.
        scale: Positive,
    }
    on Real {
        LogProb { log_prob(x) => -((x - loc) / scale).abs() - (scale.log() + LN_2) }
        Sample { symmetric(u) => u.sign() * (-u.abs()).log1p() * scale + loc }
        Cdf {
            cdf(x) => below(&((x - loc) / scale)),
            survival(x) => below(&((loc - x) / scale)),
            log_cdf(x) => log_below(&((x - loc) / scale)),
            log_survival(x) => log_below(&((loc - x) / scale)),
        }
        Quantile {
            quantile(q) => quantile(q) * scale + loc,
            upper_quantile(q) => loc - quantile(q) * scale,
        }
        Moments { mean => loc.clone(), variance => scale.square() * 2.0 }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (1.0 + LN_2) }
    }
}

/// The probability of less than `z` in a standard one: `exp(z) / 2` up to 0, and what the same of
/// `-z` leaves beyond.
#[track_caller]
fn below(z: &Array) -> Array {
    let left = z.le(0.0);
    let tail = select(&left, z, -z).exp() * 0.5;
    select(&left, &tail, 1.0 - &tail)
}

/// Its logarithm.
#[track_caller]
fn log_below(z: &Array) -> Array {
    let left = z.le(0.0);
    let tail = select(&left, z, -z) - LN_2;
    select(&left, &tail, (-tail.exp()).log1p())
}

/// The quantile of a standard one.
#[track_caller]
fn quantile(q: &Array) -> Array {
    select(&q.lt(0.5), (q * 2.0).log(), -(2.0 - q * 2.0).log())
}
