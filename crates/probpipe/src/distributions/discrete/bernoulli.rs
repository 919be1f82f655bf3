//! The Bernoulli distribution, of one trial.

use super::masses::divergence_of_trials;
use super::modes::likelier;
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use probpipe_trace::{Array, DType, select};

family! {
    /// The Bernoulli distribution: 1 with probability `probs`, else 0.
    ///
    /// Its draws are `i32` and not differentiable. The mode is 0 where both are as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let coin = Bernoulli::new(0.25);
    /// assert_eq!(coin.prob(&array([0, 1, 2])).to_vec::<f32>()?, [0.75, 0.25, 0.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Bernoulli::new {
        /// The probability of 1.
        probs: UnitInterval,
    }
    on Boolean {
        LogProb { log_prob(x) => log_mass(probs, &x.eq(1.0)) }
        Sample { uniform(u) => u.lt(probs).cast(DType::I32) }
        Cdf {
            cdf(x) => steps(x, 0.0, 1.0 - probs, 1.0),
            survival(x) => steps(x, 1.0, probs.clone(), 0.0),
        }
        Quantile { quantile(q) => quantile(q, &(1.0 - probs)) }
        Moments { mean => probs.clone(), variance => probs * (1.0 - probs) }
        Mode { mode => likelier(probs, 0.5) }
        Entropy { entropy => probs.entr() + (1.0 - probs).entr() }
    }
}

impl KlDivergence for Bernoulli {
    fn kl_divergence(&self, other: &Bernoulli) -> Array {
        let ([p], [q]) = (&self.checked(), &other.checked());
        divergence_of_trials(p, q)
    }
}

/// `log(probs)` of a 1, `log(1 - probs)` of a 0. The term that does not count is that of a sure
/// event, so that it has no part in the derivative.
#[track_caller]
fn log_mass(probs: &Array, one: &Array) -> Array {
    select(one, probs, 1.0).log() + select(one, 0.0, -probs).log1p()
}

/// A function of three steps: below 0, from there to 1, and from 1 on; NaN of NaN.
#[track_caller]
pub(super) fn steps(x: &Array, low: f64, middle: Array, high: f64) -> Array {
    let from_zero = select(&x.lt(1.0), middle, high);
    select(&x.is_nan(), x, select(&x.lt(0.0), low, from_zero))
}

/// 0 up to the probability of 0, beyond it 1; NaN of NaN.
#[track_caller]
pub(super) fn quantile(q: &Array, none: &Array) -> Array {
    let (q, none) = (q.stop_gradient(), none.stop_gradient());
    let place = select(&q.le(&none), 0.0, select(&none.is_nan(), f64::NAN, 1.0));
    select(&q.is_nan(), &q, place)
}
