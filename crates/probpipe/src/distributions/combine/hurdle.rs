//! Hurdles: zeros of one kind, and beyond the hurdle what a distribution says of other numbers.

use super::gate::{Gate, by_logits, by_probs, closed, draws, point};
use crate::constraints::Constraint;
use crate::distributions::search::least;
use crate::distributions::shapes::join;
use crate::distributions::{
    Bernoulli, BernoulliLogits, Cdf, Distribution, LogProb, Moments, Sample, Support,
};
use crate::random::uniform_of;
use probpipe_trace::{Array, DType, Key, Shape, Tree, broadcast_shapes, select};

/// Zero with the probability of the gate, else a draw that is not zero of the distribution inside,
/// which may be one of counts or of positive numbers.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{Gamma, Hurdle, Poisson};
/// let visits = Hurdle::new(0.25, Poisson::new(2.0));
/// assert_eq!(visits.prob(&array(0)).item::<f32>()?, 0.25);
/// let rain = Hurdle::new(0.5, Gamma::new(2.0, 1.0));
/// assert_eq!(rain.mean().item::<f32>()?, 1.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Hurdle<D, G = Bernoulli> {
    gate: G,
    base: D,
}

impl<D> Hurdle<D> {
    /// From the probability of zero, and the distribution of what is not.
    #[track_caller]
    #[doc(alias = "HurdlePoisson")]
    #[doc(alias = "HurdleNegativeBinomial2")]
    pub fn new(gate: impl Into<Array>, base: D) -> Hurdle<D> {
        Hurdle { gate: by_probs("Hurdle", gate.into()), base }
    }

    /// From the logarithm of the odds of zero.
    #[track_caller]
    pub fn from_logits(gate_logits: impl Into<Array>, base: D) -> Hurdle<D, BernoulliLogits> {
        Hurdle { gate: by_logits("Hurdle", gate_logits.into()), base }
    }
}

impl<D, G> Hurdle<D, G> {
    /// What is beyond the hurdle.
    pub fn base(&self) -> &D {
        &self.base
    }
}

impl<D: Support<Value = Array> + LogProb, G> Hurdle<D, G> {
    /// Whether the base has a probability of zero, which the hurdle takes away.
    #[track_caller]
    fn counts(&self) -> bool {
        self.base.support().is_integer()
    }

    /// The logarithm of the probability that the base is not zero.
    #[track_caller]
    fn log_beyond(&self) -> Array {
        if self.counts() {
            (-self.base.log_prob(&Array::from(0.0))).log1mexp()
        } else {
            Array::from(0.0)
        }
    }
}

impl<D: Distribution<Value = Array>, G: Gate> Distribution for Hurdle<D, G> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let (gate, base) = (self.gate.batch_shape(), self.base.batch_shape());
        broadcast_shapes(&gate, &base).unwrap_or(base)
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>, G: Gate> Support for Hurdle<D, G> {
    fn support(&self) -> Constraint {
        match self.base.support() {
            Constraint::Positive => Constraint::NonNegative,
            support => support,
        }
    }
}

impl<D: LogProb<Value = Array> + Support, G: Gate> LogProb for Hurdle<D, G> {
    /// `log g` of zero, `log(1 - g) + log p(x) - log(1 - p(0))` of others.
    fn log_prob(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let zero = x.eq(0);
        let beyond = self.gate.log_open(&!&zero) + self.base.log_prob(&select(&zero, 1, x));
        select(&zero, self.gate.log_closed(&zero), beyond - self.log_beyond())
    }
}

impl<D: Sample<Value = Array> + Cdf + LogProb + Support, G: Gate> Sample for Hurdle<D, G> {
    /// Of counts the least whose survival is at most a uniform part of that of zero, which is
    /// exact however seldom the base is not zero; it has no derivatives.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let (of_gate, of_base) = key.split();
        let batch = self.batch_shape();
        let closed = closed(&self.gate, of_gate, join(&shape, &batch));
        if !self.counts() {
            return select(&closed, 0.0, draws(&self.base, of_base, &shape, &batch));
        }
        let beyond = self.base.survival(&Array::from(0.0)).stop_gradient();
        let level = (1.0 - uniform_of(beyond.dtype(), of_base, join(&shape, &batch))) * beyond;
        let start = &level * 0.0 + 1.0;
        let reaches = |k: &Array| self.base.survival(k).le(&level);
        let draws = least(&start, &Array::from(f64::INFINITY), &reaches).cast(DType::I32);
        select(&closed, 0, draws)
    }
}

impl<D: Cdf<Value = Array> + LogProb + Support, G: Gate> Cdf for Hurdle<D, G> {
    fn cdf(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let below = x.lt(0);
        let x = &select(&below, 0, x);
        let part = self.base.cdf(x) - self.base.cdf(&Array::from(0.0));
        let open = self.gate.open() / self.log_beyond().exp();
        select(&below, 0.0, self.gate.closed() + open * part)
    }

    fn survival(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let below = x.lt(0);
        let part = self.base.survival(&select(&below, 0, x)) / self.log_beyond().exp();
        select(&below, 1.0, self.gate.open() * part)
    }
}

impl<D: Moments<Value = Array> + LogProb + Support, G: Gate> Moments for Hurdle<D, G> {
    fn mean(&self) -> Array {
        self.gate.open() / self.log_beyond().exp() * self.base.mean()
    }

    /// With `c` the quotient of the probabilities, `c (variance + (1 - c) mean^2)`.
    fn variance(&self) -> Array {
        let c = self.gate.open() / self.log_beyond().exp();
        let spread = (1.0 - &c) * self.base.mean().square();
        c * (self.base.variance() + spread)
    }
}
