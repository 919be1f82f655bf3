//! Zero-inflated counts: those of a distribution, with zeros put in.

use super::gate::{Gate, by_logits, by_probs, closed, draws, point};
use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{
    Bernoulli, BernoulliLogits, Cdf, Distribution, LogProb, Moments, Sample, Support,
};
use probpipe_trace::{Array, Key, Shape, Tree, broadcast_shapes, select};

/// Zero with the probability of the gate, else a draw of the distribution of counts inside, which
/// may be zero too.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{Poisson, ZeroInflated};
/// let eggs = ZeroInflated::new(0.25, Poisson::new(2.0));
/// assert_eq!(eggs.mean().item::<f32>()?, 1.5);
/// let none = eggs.prob(&array(0)).item::<f32>()?;
/// assert!((none - (0.25 + 0.75 * (-2f32).exp())).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct ZeroInflated<D, G = Bernoulli> {
    gate: G,
    base: D,
}

impl<D> ZeroInflated<D> {
    /// From the probability of a zero that is put in, and the distribution of counts.
    #[track_caller]
    #[doc(alias = "ZeroInflatedPoisson")]
    #[doc(alias = "ZeroInflatedNegativeBinomial2")]
    pub fn new(gate: impl Into<Array>, base: D) -> ZeroInflated<D> {
        ZeroInflated { gate: by_probs("ZeroInflated", gate.into()), base }
    }

    /// From the logarithm of the odds of a zero that is put in.
    #[track_caller]
    pub fn from_logits(gate_logits: impl Into<Array>, base: D) -> ZeroInflated<D, BernoulliLogits> {
        ZeroInflated { gate: by_logits("ZeroInflated", gate_logits.into()), base }
    }
}

impl<D, G> ZeroInflated<D, G> {
    /// What zeros are put into.
    pub fn base(&self) -> &D {
        &self.base
    }
}

impl<D: Distribution<Value = Array>, G: Gate> Distribution for ZeroInflated<D, G> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let (gate, base) = (self.gate.batch_shape(), self.base.batch_shape());
        broadcast_shapes(&gate, &base).unwrap_or(base)
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>, G: Gate> Support for ZeroInflated<D, G> {
    fn support(&self) -> Constraint {
        self.base.support()
    }
}

impl<D: LogProb<Value = Array>, G: Gate> LogProb for ZeroInflated<D, G> {
    /// `log(g + (1 - g) p(0))` of zero, `log(1 - g) + log p(x)` of others.
    fn log_prob(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let zero = x.eq(0);
        let none = self.gate.log_either(&self.base.log_prob(&Array::from(0.0)));
        select(&zero, none, self.gate.log_open(&!&zero) + self.base.log_prob(x))
    }
}

impl<D: Sample<Value = Array>, G: Gate> Sample for ZeroInflated<D, G> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let (of_gate, of_base) = key.split();
        let batch = self.batch_shape();
        let closed = closed(&self.gate, of_gate, join(&shape, &batch));
        select(&closed, 0, draws(&self.base, of_base, &shape, &batch))
    }
}

impl<D: Cdf<Value = Array>, G: Gate> Cdf for ZeroInflated<D, G> {
    fn cdf(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let below = x.lt(0);
        let all = self.gate.closed() + self.gate.open() * self.base.cdf(x);
        select(&below, 0.0, all)
    }

    fn survival(&self, x: &Array) -> Array {
        let x = &point(&self.gate, x);
        let rest = self.gate.open() * self.base.survival(x);
        select(&x.lt(0), 1.0, rest)
    }
}

impl<D: Moments<Value = Array>, G: Gate> Moments for ZeroInflated<D, G> {
    fn mean(&self) -> Array {
        self.gate.open() * self.base.mean()
    }

    /// `(1 - g) (variance + g mean^2)`.
    fn variance(&self) -> Array {
        let spread = self.gate.closed() * self.base.mean().square();
        self.gate.open() * (self.base.variance() + spread)
    }
}
