//! Mixtures of any distributions of one event shape.

use super::joint::JointValue;
use super::reals::{RealForm, RealRun};
use super::weights::Weights;
use crate::distributions::shapes::{is_lost, join};
use crate::distributions::{Distribution, LogProb, Moments, Sample};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, broadcast_shapes, here, stack,
    with_location,
};

/// A distribution over arrays, as a trait object.
pub trait ArrayDistribution {
    /// See [`Distribution::batch_shape`].
    fn batch_shape(&self) -> Shape;
    /// See [`Distribution::event_shape`].
    fn event_shape(&self) -> Shape;
    /// See [`LogProb::log_prob`].
    fn log_prob(&self, x: &Array) -> Array;
    /// See [`Sample::sample_shape`].
    fn sample_shape(&self, key: Key, shape: Shape) -> Array;
}

impl<D: LogProb + Sample + Distribution<Value = Array>> ArrayDistribution for D {
    fn batch_shape(&self) -> Shape {
        Distribution::batch_shape(self)
    }
    fn event_shape(&self) -> Shape {
        Distribution::event_shape(self)
    }
    #[track_caller]
    fn log_prob(&self, x: &Array) -> Array {
        LogProb::log_prob(self, x)
    }
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        Sample::sample_shape(self, key, shape)
    }
}

/// What a [`Mixture`] is made of: a tuple or a vector of distributions of one event shape.
pub trait Components {
    /// The components in order.
    fn components(&self) -> Vec<&dyn ArrayDistribution>;
}

/// Components whose mean and variance are known.
pub trait MomentsOfComponents: Components {
    /// The means in order.
    #[track_caller]
    fn means(&self) -> Vec<Array>;

    /// The variances in order.
    #[track_caller]
    fn variances(&self) -> Vec<Array>;
}

macro_rules! tuple_components {
    ($(($($D:ident $index:tt),+))*) => {$(
        impl<$($D: ArrayDistribution),+> Components for ($($D,)+) {
            fn components(&self) -> Vec<&dyn ArrayDistribution> {
                vec![$(&self.$index),+]
            }
        }

        impl<$($D: ArrayDistribution + Moments),+> MomentsOfComponents for ($($D,)+) {
            fn means(&self) -> Vec<Array> {
                vec![$(self.$index.mean()),+]
            }

            fn variances(&self) -> Vec<Array> {
                vec![$(self.$index.variance()),+]
            }
        }
    )*};
}
tuple_components! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

impl<D: ArrayDistribution> Components for Vec<D> {
    fn components(&self) -> Vec<&dyn ArrayDistribution> {
        self.iter().map(|component| component as &dyn ArrayDistribution).collect()
    }
}

impl<D: ArrayDistribution + Moments> MomentsOfComponents for Vec<D> {
    fn means(&self) -> Vec<Array> {
        self.iter().map(Moments::mean).collect()
    }

    fn variances(&self) -> Vec<Array> {
        self.iter().map(Moments::variance).collect()
    }
}

/// A mixture of any distributions of one event shape.
///
/// Its draws are not differentiable in the weights.
///
/// ```
/// use probpipe::distributions::Mixture;
/// use probpipe::prelude::*;
/// let either = (Normal::new(0.0, 1.0), Exponential::new(2.0));
/// let mixture = Mixture::new(array([0.5, 0.5]), either);
/// assert_eq!(mixture.mean().item::<f32>()?, 0.25);
/// assert!(mixture.log_prob(&array(-1.0)).item::<f32>()?.is_finite());
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Mixture<C> {
    weights: Weights,
    components: C,
}

impl<C: Components> Mixture<C> {
    /// With probabilities `[..., k]` for `k` components. Probabilities that are known and do not
    /// add up to 1, or are not as many as the components, and components of different event
    /// shapes, make every use an error that says so.
    #[track_caller]
    pub fn new(probs: impl Into<Array>, components: C) -> Mixture<C> {
        Mixture { weights: Weights::probs(probs.into()), components }
    }

    /// With logarithms of weights, which need not add up to anything. Known ones that are NaN, or
    /// infinite upwards, make every use an error that says so.
    #[track_caller]
    pub fn from_logits(logits: impl Into<Array>, components: C) -> Mixture<C> {
        Mixture { weights: Weights::logits_of(logits.into()), components }
    }

    /// The batch shape of all components and weights, with the axis of the components.
    fn all(&self) -> Option<Shape> {
        let components = self.components.components();
        let count = components.len();
        let common = components.iter().try_fold(Shape::new(), |common, component| {
            broadcast_shapes(&common, &component.batch_shape())
        });
        let all = join(&common?, &[count]);
        let weights = self.weights.array().shape();
        if weights.last() == Some(&count) { broadcast_shapes(&all, weights) } else { None }
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        let components = self.components.components();
        let fault = |message: String, help: &str| {
            Some(Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here()))
        };
        if self.weights.array().error().is_some() {
            return Some(self.weights.array().clone());
        }
        let lost = components.iter().filter(|c| is_lost(&c.batch_shape()));
        let mut faults = lost.map(|c| c.log_prob(&Array::from(0.0)));
        if let Some(error) = faults.find(|density| density.error().is_some()) {
            return Some(error);
        }
        let event = Distribution::event_shape(self);
        if let Some(other) = components.iter().find(|c| c.event_shape() != event) {
            let (a, b) = (ShapeDisplay(&event), other.event_shape());
            let message =
                format!("a Mixture has components of event shapes {a} and {}", ShapeDisplay(&b));
            return fault(message, "all components must be over the same kind of events");
        }
        if self.all().is_none() {
            let weights = ShapeDisplay(self.weights.array().shape());
            let batches: Vec<String> =
                components.iter().map(|c| ShapeDisplay(&c.batch_shape()).to_string()).collect();
            let message = format!(
                "a Mixture of {} components of batch shapes {} has weights of shape {weights}",
                components.len(),
                batches.join(", ")
            );
            return fault(message, "give weights [..., k] for k components whose shapes broadcast");
        }
        None
    }

    /// Something of each component, with the axis of the components before the events.
    #[track_caller]
    fn stacked(&self, all: Vec<Array>, shape: &[usize], rank: usize) -> Array {
        if let Some(error) = all.iter().find(|array| array.error().is_some()) {
            return error.clone();
        }
        let spread: Vec<Array> = all.iter().map(|array| array.broadcast_to(shape)).collect();
        stack(spread, -1 - rank as isize)
    }
}

impl<C: Components> Distribution for Mixture<C> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let all = self.all().unwrap_or_default();
        all[..all.len().saturating_sub(1)].into()
    }

    fn event_shape(&self) -> Shape {
        self.components.components().first().map(|c| c.event_shape()).unwrap_or_default()
    }
}

impl<C: Components> LogProb for Mixture<C> {
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let components = self.components.components();
        // A caller's line does not pass through a trait object by itself.
        let densities: Vec<Array> = with_location(here(), || {
            components.iter().map(|component| component.log_prob(x)).collect()
        });
        let common = densities
            .iter()
            .try_fold(Shape::new(), |common, density| broadcast_shapes(&common, density.shape()))
            .unwrap_or_default();
        self.weights.total(&self.stacked(densities, &common, 0))
    }
}

impl<C: Components> RealForm for Mixture<C> {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Array> {
        run.observed(
            path,
            self,
            <Array as JointValue>::of,
            "a mixture of families, whose supports may differ",
        )
    }
}

impl<C: Components> Sample for Mixture<C> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let components = self.components.components();
        let (event, batch) = (Distribution::event_shape(self), Distribution::batch_shape(self));
        let mut keys = key.split_n(components.len() + 1).into_iter();
        let Some(own) = keys.next() else { return Array::from(f64::NAN) };
        let full = join(&join(&shape, &batch), &event);
        let draws: Vec<Array> = with_location(here(), || {
            let each = components.iter().zip(keys);
            each.map(|(component, key)| {
                // Copies that only the mixture tells apart are drawn apart.
                let own = component.batch_shape();
                let extra = join(&shape, &batch[..batch.len() - own.len()]);
                component.sample_shape(key, extra)
            })
            .collect()
        });
        let draws = self.stacked(draws, &full, event.len());
        self.weights.pick(&draws, own, &join(&shape, &batch), event.len())
    }
}

impl<C: MomentsOfComponents> Mixture<C> {
    #[track_caller]
    fn moments(&self) -> [Array; 2] {
        if let Some(error) = self.check() {
            return [error.clone(), error];
        }
        let event = Distribution::event_shape(self);
        let full = join(&Distribution::batch_shape(self), &event);
        let means = self.stacked(self.components.means(), &full, event.len());
        let variances = || self.stacked(self.components.variances(), &full, event.len());
        self.weights.moments(&means, variances, event.len())
    }
}

impl<C: MomentsOfComponents> Moments for Mixture<C> {
    fn mean(&self) -> Array {
        let [mean, _] = self.moments();
        mean
    }

    fn variance(&self) -> Array {
        let [_, variance] = self.moments();
        variance
    }
}
