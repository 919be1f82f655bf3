//! Mixtures of components of one family, which are the last batch axis of a distribution.

use super::weights::Weights;
use crate::constraints::Constraint;
use crate::distributions::shapes::{is_lost, join};
use crate::distributions::{Cdf, Distribution, LogProb, Moments, Sample, Support};
use probpipe_trace::{Array, Key, Shape, Tree, broadcast_shapes, here};

/// A mixture of components of one family: the last batch axis of a distribution.
///
/// Its draws are not differentiable in the weights.
///
/// ```
/// use probpipe::distributions::MixtureSameFamily;
/// use probpipe::prelude::*;
/// let components = Normal::new(array([-1.0, 1.0]), 0.5);
/// let mixture = MixtureSameFamily::new(array([0.25, 0.75]), components);
/// assert_eq!(mixture.mean().item::<f32>()?, 0.5);
/// assert_eq!(mixture.sample(Key::new(0), [10]).shape(), [10]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MixtureSameFamily<D> {
    weights: Weights,
    components: D,
}

impl<D: Distribution<Value = Array>> MixtureSameFamily<D> {
    /// With probabilities `[..., k]` and components of batch shape `[..., k]`. Probabilities that
    /// are known and do not add up to 1, or are not as many as the components, make every use an
    /// error that says so.
    #[track_caller]
    pub fn new(probs: impl Into<Array>, components: D) -> MixtureSameFamily<D> {
        MixtureSameFamily { weights: Weights::probs(probs.into()), components }
    }

    /// With logarithms of weights, which need not add up to anything. Known ones that are NaN, or
    /// infinite upwards, make every use an error that says so.
    #[track_caller]
    pub fn from_logits(logits: impl Into<Array>, components: D) -> MixtureSameFamily<D> {
        MixtureSameFamily { weights: Weights::logits_of(logits.into()), components }
    }

    /// The components.
    pub fn components(&self) -> &D {
        &self.components
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        let components = self.components.batch_shape();
        if is_lost(&components) && self.weights.array().error().is_none() {
            return None;
        }
        self.weights.fault(&components, here())
    }

    /// The covariance of vectors from the means and covariances of the components.
    #[track_caller]
    pub(crate) fn covariance(&self, means: &Array, own: Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        if own.error().is_some() || means.error().is_some() {
            return own + means;
        }
        let apart = means - self.weights.mean(means, 1).expand_dims(-2);
        let outer = apart.expand_dims(-1) * apart.expand_dims(-2);
        self.weights.mean(&(own + outer), 2)
    }

    fn rank(&self) -> usize {
        self.components.event_shape().len()
    }

    /// Points with an axis for the components.
    #[track_caller]
    fn spread(&self, x: &Array) -> Array {
        x.expand_dims(-1 - self.rank() as isize)
    }
}

impl<D: Distribution<Value = Array>> Distribution for MixtureSameFamily<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let components = self.components.batch_shape();
        let all = broadcast_shapes(&components, self.weights.array().shape()).unwrap_or(components);
        all[..all.len().saturating_sub(1)].into()
    }

    fn event_shape(&self) -> Shape {
        self.components.event_shape()
    }
}

impl<D: LogProb<Value = Array>> LogProb for MixtureSameFamily<D> {
    fn log_prob(&self, x: &Array) -> Array {
        self.check()
            .unwrap_or_else(|| self.weights.total(&self.components.log_prob(&self.spread(x))))
    }
}

impl<D: Sample<Value = Array>> Sample for MixtureSameFamily<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let (own, other) = key.split();
        let draws = self.components.sample_shape(other, shape.clone());
        if draws.error().is_some() {
            return draws;
        }
        let batch = self.batch_shape();
        let all = join(&join(&shape, &batch), &draws.shape()[draws.rank() - 1 - self.rank()..]);
        let draws = draws.broadcast_to(all);
        self.weights.pick(&draws, own, &join(&shape, &batch), self.rank())
    }
}

impl<D: Cdf<Value = Array>> Cdf for MixtureSameFamily<D> {
    fn cdf(&self, x: &Array) -> Array {
        let cdf = || self.weights.mean(&self.components.cdf(&self.spread(x)), 0);
        self.check().unwrap_or_else(cdf)
    }

    fn survival(&self, x: &Array) -> Array {
        let survival = || self.weights.mean(&self.components.survival(&self.spread(x)), 0);
        self.check().unwrap_or_else(survival)
    }

    fn log_cdf(&self, x: &Array) -> Array {
        let log_cdf = || self.weights.total(&self.components.log_cdf(&self.spread(x)));
        self.check().unwrap_or_else(log_cdf)
    }

    fn log_survival(&self, x: &Array) -> Array {
        let log_survival = || self.weights.total(&self.components.log_survival(&self.spread(x)));
        self.check().unwrap_or_else(log_survival)
    }
}

impl<D: Moments<Value = Array>> Moments for MixtureSameFamily<D> {
    fn mean(&self) -> Array {
        self.check().unwrap_or_else(|| self.weights.mean(&self.components.mean(), self.rank()))
    }

    fn variance(&self) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let means = self.components.mean();
        let [_, variance] =
            self.weights.moments(&means, || self.components.variance(), self.rank());
        variance
    }
}

impl<D: Support<Value = Array>> Support for MixtureSameFamily<D> {
    /// That of the components, from the least of their bounds to the largest.
    fn support(&self) -> Constraint {
        let of = self.components.support();
        let rank = self.rank() as isize;
        let least = |x: Array| if x.rank() > 0 { x.min_axes([-1 - rank]) } else { x };
        let most = |x: Array| if x.rank() > 0 { x.max_axes([-1 - rank]) } else { x };
        match of {
            Constraint::AtLeast(low) => Constraint::AtLeast(least(low)),
            Constraint::GreaterThan(low) => Constraint::GreaterThan(least(low)),
            Constraint::AtMost(high) => Constraint::AtMost(most(high)),
            Constraint::Interval(low, high) => Constraint::Interval(least(low), most(high)),
            Constraint::IntegerInterval(low, high) => {
                Constraint::IntegerInterval(least(low), most(high))
            }
            other => other,
        }
    }
}
