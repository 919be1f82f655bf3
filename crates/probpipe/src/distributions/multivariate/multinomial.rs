//! Counts of outcomes: multinomial distributions, by probabilities, by logits, and with Dirichlet
//! probabilities.

use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use crate::random::{dirichlet, multinomial};
use probpipe_trace::{Array, DType, Keep, Key, Shape, select};

family! {
    /// The multinomial distribution: how often each of `k` outcomes comes in `total_count` trials,
    /// of mass `n! prod(p^x / x!)`.
    ///
    /// Its draws are floats that hold integers, and not differentiable.
    ///
    /// ```
    /// use probpipe::distributions::Multinomial;
    /// use probpipe::prelude::*;
    /// let m = Multinomial::new(2, [0.5, 0.5]);
    /// assert!((m.prob(&array([1, 1])).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Multinomial::new {
        /// The number of trials.
        total_count: NonNegativeInteger,
        /// The probability of each outcome, `[..., k]`.
        probs: Simplex,
    }
    on Multinomial(total_count)
}

family! {
    /// The multinomial distribution with logits: probabilities are their softmax.
    ///
    /// ```
    /// use probpipe::distributions::MultinomialLogits;
    /// use probpipe::prelude::*;
    /// let m = MultinomialLogits::new(2, [3.0, 3.0]);
    /// assert!((m.prob(&array([2, 0])).item::<f32>()? - 0.25).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    MultinomialLogits::new {
        /// The number of trials.
        total_count: NonNegativeInteger,
        /// The logarithm of the weight of each outcome, `[..., k]`.
        logits: RealVector,
    }
    on Multinomial(total_count)
}

family! {
    /// Multinomial counts whose probabilities are drawn from a Dirichlet distribution.
    ///
    /// ```
    /// use probpipe::distributions::DirichletMultinomial;
    /// use probpipe::prelude::*;
    /// let d = DirichletMultinomial::new(3, [1.0, 1.0]);
    /// assert!((d.prob(&array([3, 0])).item::<f32>()? - 0.25).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    DirichletMultinomial::new {
        /// The number of trials.
        total_count: NonNegativeInteger,
        /// How strongly mass gathers in each outcome, `[..., k]`.
        concentration: PositiveVector,
    }
    on Multinomial(total_count)
}

impl Multinomial {
    /// With logits in place of probabilities.
    #[track_caller]
    pub fn from_logits(
        total_count: impl Into<Array>,
        logits: impl Into<Array>,
    ) -> MultinomialLogits {
        MultinomialLogits::new(total_count, logits)
    }
}

/// An array of integers as one of floats.
#[track_caller]
fn float(x: &Array, dtype: DType) -> Array {
    if x.is_literal() { x * 1.0 } else { x.cast(dtype) }
}

/// `log(n! / prod(x!))`.
#[track_caller]
fn log_orders(total: &Array, x: &Array) -> Array {
    (total + 1.0).lgamma() - (x + 1.0).lgamma().sum_axes([-1])
}

/// `x log(p)`, 0 where `x` is.
#[track_caller]
fn weighted(x: &Array, log_p: &Array) -> Array {
    (select(&x.eq(0.0), 0.0, log_p) * x).sum_axes([-1])
}

/// Mean and variance from probabilities, and a factor for the variance.
#[track_caller]
fn moments(total: &Array, p: &Array) -> [Array; 2] {
    let total = if total.rank() > 0 { total.expand_dims(-1) } else { total.clone() };
    let mean = &total * p;
    let variance = &mean * (1.0 - p);
    [mean, variance]
}

/// Implements the traits of counts on the probabilities of outcomes.
macro_rules! counts {
    ($(
        $name:ident($total:ident, $parameter:ident);
        log_prob($x:ident) => $log_prob:expr;
        probs($key:ident, $shape:ident) => $drawn:expr;
        mean_probs => $probs:expr;
        spread => $spread:expr;
    )+) => {$(
        impl LogProb for $name {
            fn log_prob(&self, x: &Array) -> Array {
                let [total, $parameter] = self.checked();
                if total.error().is_some() {
                    return total;
                }
                let $total = &float(&total, self.dtype());
                let seen = Seen::new(&self.support(), &float(x, self.dtype()), &0.0.into());
                let $x = &seen.at;
                seen.density(log_orders($total, $x) + $log_prob)
            }
        }

        impl Sample for $name {
            fn sample_shape(&self, key: Key, shape: Shape) -> Array {
                let [total, $parameter] = self.checked();
                let $shape = join(&shape, &self.batch_shape());
                let ($key, other) = key.split();
                let probs = $drawn;
                multinomial(other, $shape, float(&total, self.dtype()), probs)
            }
        }

        impl Moments for $name {
            fn mean(&self) -> Array {
                let [total, $parameter] = self.checked();
                let [mean, _] = moments(&float(&total, self.dtype()), &$probs);
                self.shaped(mean, &self.event_shape())
            }

            fn variance(&self) -> Array {
                let [total, $parameter] = self.checked();
                let $total = &float(&total, self.dtype());
                let [_, variance] = moments($total, &$probs);
                self.shaped(variance * $spread, &self.event_shape())
            }
        }
    )+};
}

counts! {
    Multinomial(total, probs);
    log_prob(x) => weighted(x, &select(&probs.eq(0.0), f64::NEG_INFINITY, &probs.log()));
    probs(_key, shape) => probs;
    mean_probs => probs;
    spread => { let _ = total; Array::from(1.0) };

    MultinomialLogits(total, logits);
    log_prob(x) => weighted(x, &logits.log_softmax(-1));
    probs(_key, shape) => logits.softmax(-1);
    mean_probs => logits.softmax(-1);
    spread => { let _ = total; Array::from(1.0) };

    DirichletMultinomial(total, concentration);
    log_prob(x) => {
        let all = concentration.sum_axes([-1]);
        let each = (x + &concentration).lgamma() - concentration.lgamma();
        each.sum_axes([-1]) + (all.lgamma() - (total + &all).lgamma())
    };
    probs(key, shape) => dirichlet(key, &shape, &concentration);
    mean_probs => &concentration / concentration.sum_axes(Keep([-1]));
    spread => {
        let all = concentration.sum_axes([-1]);
        ((total + &all) / (all + 1.0)).expand_dims(-1)
    };
}
