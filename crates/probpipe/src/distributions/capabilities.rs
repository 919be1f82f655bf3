//! What a distribution can do, as traits: a family has those that it has formulas for.

use super::Named;
use probpipe_trace::{Array, IntoShape, Key, Shape, Tree};

/// What every distribution has.
pub trait Distribution {
    /// One draw: an [`Array`], or a record of named parts.
    type Value: Tree;

    /// Shape of independent, differently parameterised copies.
    fn batch_shape(&self) -> Shape;

    /// Shape of one draw of one copy.
    fn event_shape(&self) -> Shape;

    /// The distribution under a name, to be a part of a product.
    fn named(self, name: impl Into<String>) -> Named<Self>
    where
        Self: Sized,
    {
        Named { name: name.into(), distribution: self }
    }
}

/// Distributions with a density or mass function.
pub trait LogProb: Distribution {
    /// The logarithm of the density at `x`, of shape `sample shape + batch shape`.
    #[track_caller]
    fn log_prob(&self, x: &Self::Value) -> Array;
}

/// Distributions that can be drawn from.
pub trait Sample: Distribution {
    /// Draws of shape `sample shape + batch shape + event shape`. Differentiable in the
    /// parameters where the family has a reparameterised sampler; each family says so.
    #[track_caller]
    fn sample(&self, key: Key, shape: impl IntoShape) -> Self::Value
    where
        Self: Sized,
    {
        self.sample_shape(key, shape.into_shape())
    }

    /// [`Sample::sample`] with the shape as a value, for trait objects.
    #[track_caller]
    fn sample_shape(&self, key: Key, shape: Shape) -> Self::Value;
}
