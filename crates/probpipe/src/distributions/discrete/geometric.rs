//! The geometric distribution, by the probability of success and by its log-odds.

use super::masses::divergence_of_trials;
use super::modes::none;
use super::steps::{endless, steps};
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, select};

family! {
    /// The geometric distribution of failures before the first success, with probability
    /// `p (1 - p)^k` of `k`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is 0; that of `probs` 0 is NaN.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Geometric;
    /// let tails = Geometric::new(0.5);
    /// assert_eq!(tails.prob(&array([0, 1, -1])).to_vec::<f32>()?, [0.5, 0.25, 0.0]);
    /// assert_eq!(tails.survival(&array(2)).item::<f32>()?, 0.125);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Geometric::new {
        /// The probability of success.
        probs: UnitInterval,
    }
    on NonNegativeInteger {
        LogProb { log_prob(k) => probs.log() + k.xlog1py(-probs) }
        Sample { draw(key, shape) => random::geometric(key, shape, probs) - 1 }
        Cdf {
            cdf(x) => below(x, &(-probs).log1p()),
            survival(x) => above(x, &(-probs).log1p()),
            log_cdf(x) => log_below(x, &(-probs).log1p()),
            log_survival(x) => log_of_above(x, &(-probs).log1p()),
        }
        Quantile { quantile(q) => inverse(q, &(-probs).log1p()) }
        Moments {
            mean => (1.0 - probs) / probs,
            variance => (1.0 - probs) / probs.square(),
        }
        Mode { mode => none(&select(&probs.gt(0.0), probs, f64::NAN)) }
        Entropy { entropy => (probs.entr() - (1.0 - probs).xlog1py(-probs)) / probs }
    }
}

impl KlDivergence for Geometric {
    fn kl_divergence(&self, other: &Geometric) -> Array {
        let ([p], [q]) = (&self.checked(), &other.checked());
        divergence_of_trials(p, q) / p
    }
}

family! {
    /// The geometric distribution of trials that succeed with probability
    /// `1 / (1 + exp(-logits))`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is 0.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Geometric;
    /// let rare = Geometric::from_logits(-50.0);
    /// assert_eq!(rare.log_prob(&array(0)).item::<f32>()?, -50.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeometricLogits::new {
        /// The logarithm of the odds of success.
        logits: Real,
    }
    on NonNegativeInteger {
        LogProb { log_prob(k) => logits.log_sigmoid() + k * (-logits).log_sigmoid() }
        Sample { draw(key, shape) => random::geometric(key, shape, logits.sigmoid()) - 1 }
        Cdf {
            cdf(x) => below(x, &(-logits).log_sigmoid()),
            survival(x) => above(x, &(-logits).log_sigmoid()),
            log_cdf(x) => log_below(x, &(-logits).log_sigmoid()),
            log_survival(x) => log_of_above(x, &(-logits).log_sigmoid()),
        }
        Quantile { quantile(q) => inverse(q, &(-logits).log_sigmoid()) }
        Moments {
            mean => (-logits).exp(),
            variance => (-logits).exp() * ((-logits).exp() + 1.0),
        }
        Mode { mode => none(logits) }
        Entropy {
            entropy => -(logits.log_sigmoid() + (-logits).exp() * (-logits).log_sigmoid())
        }
    }
}

impl Geometric {
    /// By the logarithm of the odds of success.
    #[track_caller]
    pub fn from_logits(logits: impl Into<Array>) -> GeometricLogits {
        GeometricLogits::new(logits)
    }
}

#[track_caller]
fn above(x: &Array, log_q: &Array) -> Array {
    steps(x, &endless(), (1.0, 0.0), |k| log_above(k, log_q).exp())
}

#[track_caller]
fn log_of_above(x: &Array, log_q: &Array) -> Array {
    steps(x, &endless(), (0.0, f64::NEG_INFINITY), |k| log_above(k, log_q))
}

/// The logarithm of the probability of more than `k` failures.
#[track_caller]
fn log_above(k: &Array, log_q: &Array) -> Array {
    (k + 1.0) * log_q
}

#[track_caller]
fn below(x: &Array, log_q: &Array) -> Array {
    steps(x, &endless(), (0.0, 1.0), |k| -log_above(k, log_q).expm1())
}

#[track_caller]
fn log_below(x: &Array, log_q: &Array) -> Array {
    steps(x, &endless(), (f64::NEG_INFINITY, 0.0), |k| (-log_above(k, log_q)).log1mexp())
}

/// The least whole `k` with `(k + 1) log_q <= log(1 - q)`. The quotient may be rounded across a
/// whole number, so that its neighbours are looked at.
#[track_caller]
fn inverse(q: &Array, log_q: &Array) -> Array {
    let (q, log_q) = (q.stop_gradient(), log_q.stop_gradient());
    let bound = (-&q).log1p();
    let k = (&bound / &log_q).ceil() - 1.0;
    let inner = k.lt(f64::INFINITY) & k.ge(0.0);
    let k = select(&inner, &k, select(&k.lt(0.0), 0.0, &k));
    let some = select(&inner, &k, 1.0);
    let reaches = |k: &Array| {
        let lower = (-log_above(k, &log_q).expm1()).ge(&q);
        select(&q.lt(0.5), lower, log_above(k, &log_q).exp().le(1.0 - &q))
    };
    let fewer = &some - 1.0;
    let found = select(&(fewer.ge(0.0) & reaches(&fewer)), &fewer, &some);
    let found = select(&reaches(&found), &found, &found + 1.0);
    select(&inner, found, k)
}
