//! Distributions: families by file, capabilities as traits. A distribution is a tree of its
//! parameters, which may be literals, arrays or traced: build it inside or outside a transformed
//! function.
//!
//! Shapes follow TensorFlow Probability: a draw has the sample shape, then the batch shape of the
//! parameters, then the event shape of one draw.

mod multivariate_normal;
mod normal;
mod product;

pub use multivariate_normal::MultivariateNormal;
pub use normal::Normal;
pub use product::{FlatDistribution, Named, Parts, Product, product};

use probpipe_trace::{
    Array, DType, Error, ErrorKind, IntoShape, Key, Shape, Tree, here, normal, with_default_float,
    with_location,
};

/// What every distribution has.
pub trait Distribution {
    /// One draw: an [`Array`], or a [`crate::Record`] of named parts.
    type Value: Tree;

    /// Shape of independent, differently parameterised copies.
    fn batch_shape(&self) -> Shape;

    /// Shape of one draw of one copy.
    fn event_shape(&self) -> Shape;

    /// The distribution under a name, to be a part of a [`product`].
    fn named(self, name: impl Into<String>) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(name, self)
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

/// Standard normal numbers of a type, drawn at the caller's line, which does not reach into the
/// closure by itself.
#[track_caller]
fn standard_normal(key: Key, shape: Shape, dtype: DType) -> Array {
    let location = here();
    with_default_float(dtype, || with_location(location, || normal(key, shape)))
}

/// `log(2 pi) / 2`.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// A parameter that must be positive: checked at once where its value is known.
#[track_caller]
fn positive(what: &str, parameter: Array) -> Array {
    let Ok(value) = parameter.value() else { return parameter };
    let bad = value
        .to_scalars()
        .unwrap_or_default()
        .into_iter()
        .map(|s| s.as_f64())
        .find(|v| v.is_nan() || *v <= 0.0);
    match bad {
        Some(v) => Array::invalid(
            Error::new(ErrorKind::Value, format!("{what} must be positive, not {v}"))
                .help("parameterise by the logarithm and take `.exp()` to stay positive"),
            here(),
        ),
        None => parameter,
    }
}

/// The float type that parameters decide.
fn float_of(parameters: &[&Array]) -> DType {
    let floats = |weak: bool| parameters.iter().filter(move |a| a.is_weak() == weak);
    let found = floats(false).chain(floats(true)).map(|a| a.dtype()).find(|d| d.is_float());
    found.unwrap_or_else(probpipe_trace::default_float)
}

/// The shape `a` followed by `b`.
fn join(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}
