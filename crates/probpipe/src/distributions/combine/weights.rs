//! The weights of a mixture, and what they make of densities, statistics and draws of components.

use super::points::over_event;
use crate::constraints::Constraint;
use crate::random::categorical;
use probpipe_trace::{
    Array, Error, ErrorKind, Keep, Key, Loc, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
};

/// The weights of components, `[..., k]`.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) enum Weights {
    Probs(Array),
    Logits(Array),
}

impl Weights {
    /// Probabilities, invalid where known ones do not add up to 1.
    #[track_caller]
    pub(super) fn probs(probs: Array) -> Weights {
        let simplex = Constraint::Simplex;
        if probs.rank() == 0 || simplex.violation(&probs).is_none() {
            return Weights::Probs(probs);
        }
        let message = format!("the probs of a mixture must be {simplex}");
        let error = Error::new(ErrorKind::Value, message)
            .note("probs was made", Some(probs.location()))
            .help(simplex.remedy());
        Weights::Probs(Array::invalid(error, here()))
    }

    /// Logarithms of weights, of which known ones may be those of none, but are numbers.
    #[track_caller]
    pub(super) fn logits_of(logits: Array) -> Weights {
        let known = logits.known().and_then(|value| value.to_scalars().ok()).unwrap_or_default();
        let wrong = |x: &f64| x.is_nan() || *x == f64::INFINITY;
        let Some(wrong) = known.iter().map(|x| x.as_f64()).find(wrong) else {
            return Weights::Logits(logits);
        };
        let message = format!("the logits of a mixture must be real, not {wrong}");
        let error = Error::new(ErrorKind::Value, message)
            .note("logits was made", Some(logits.location()))
            .help("logarithms of weights are numbers, or `-inf` of none");
        Weights::Logits(Array::invalid(error, here()))
    }

    pub(super) fn array(&self) -> &Array {
        match self {
            Weights::Probs(weights) | Weights::Logits(weights) => weights,
        }
    }

    /// The probabilities of the components, which add up to 1.
    #[track_caller]
    pub(super) fn normalised(&self) -> Array {
        match self {
            Weights::Probs(probs) => probs / probs.sum_axes(Keep([-1])),
            Weights::Logits(logits) => logits.softmax(-1),
        }
    }

    #[track_caller]
    pub(super) fn logits(&self) -> Array {
        match self {
            Weights::Probs(probs) => probs.log(),
            Weights::Logits(logits) => logits.clone(),
        }
    }

    /// The logarithm of the sum of densities, weighted. A weight of zero has a finite slope.
    #[track_caller]
    pub(super) fn total(&self, densities: &Array) -> Array {
        match self {
            Weights::Probs(probs) => {
                densities.logsumexp_weighted(probs, [-1]) - probs.sum_axes([-1]).log()
            }
            Weights::Logits(logits) => (densities + logits.log_softmax(-1)).logsumexp_axes([-1]),
        }
    }

    /// The mean over components of statistics of events of a rank.
    #[track_caller]
    pub(super) fn mean(&self, statistics: &Array, rank: usize) -> Array {
        let weights = over_event(&self.normalised(), rank);
        (statistics * weights).sum_axes([-1 - rank as isize])
    }

    /// Mean and variance of a mixture from those of its components.
    #[track_caller]
    pub(super) fn moments(
        &self,
        means: &Array,
        variances: impl FnOnce() -> Array,
        rank: usize,
    ) -> [Array; 2] {
        let mean = self.mean(means, rank);
        let spread = (means - mean.expand_dims(-1 - rank as isize)).square();
        let variance = self.mean(&(variances() + spread), rank);
        [mean, variance]
    }

    /// Of draws of all components, those of the drawn ones.
    #[track_caller]
    pub(super) fn pick(&self, draws: &Array, key: Key, shape: &[usize], rank: usize) -> Array {
        let logits = self.logits();
        if logits.error().is_some() {
            return logits;
        }
        let chosen = categorical(key, shape, &logits);
        let axis = -1 - rank as isize;
        let index = over_event(&chosen.expand_dims(-1), rank);
        let mut extents: Shape = draws.shape().into();
        let at = extents.len() - 1 - rank;
        extents[at] = 1;
        draws.take_along_axis(index.broadcast_to(extents), axis).squeeze(axis)
    }

    /// The fault of weights that are not as many as the components.
    pub(super) fn fault(&self, components: &[usize], location: Loc) -> Option<Array> {
        let weights = self.array();
        if weights.error().is_some() {
            return Some(weights.clone());
        }
        let fits = !components.is_empty()
            && weights.shape().last() == components.last()
            && broadcast_shapes(weights.shape(), components).is_some();
        if fits {
            return None;
        }
        let message = format!(
            "a mixture has weights of shape {} and components of batch shape {}",
            ShapeDisplay(weights.shape()),
            ShapeDisplay(components)
        );
        let error = Error::new(ErrorKind::Shape, message)
            .note("the weights were made", Some(weights.location()))
            .help("the last axis of both is that of the components");
        Some(Array::invalid(error, location))
    }
}
