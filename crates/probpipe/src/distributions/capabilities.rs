//! What a distribution can do, as traits: a family has those that it has formulas for.

use super::Named;
use super::terms::log_of;
use crate::constraints::Constraint;
use probpipe_trace::{Array, IntoShape, Key, Shape, Tree, select};

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

/// Distributions whose draws lie in a known set.
pub trait Support: Distribution {
    /// The set in which draws lie.
    #[track_caller]
    fn support(&self) -> Constraint;
}

/// Distributions with a density or mass function.
pub trait LogProb: Distribution {
    /// The logarithm of the density at `x`, of shape `sample shape + batch shape`: `-inf` outside
    /// the support, NaN where `x` is NaN.
    #[track_caller]
    fn log_prob(&self, x: &Self::Value) -> Array;

    /// The density or mass at `x`.
    #[track_caller]
    fn prob(&self, x: &Self::Value) -> Array {
        self.log_prob(x).exp()
    }
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

    /// All draws there can be, along a new first axis, and their probabilities, of the shape of
    /// that axis and the batch; none where they are not known or more than 65536.
    #[track_caller]
    fn enumerate(&self) -> Option<(Self::Value, Array)> {
        None
    }
}

/// Distributions of numbers with a cumulative distribution function.
pub trait Cdf: Distribution {
    /// The probability of at most `x`.
    #[track_caller]
    fn cdf(&self, x: &Self::Value) -> Array;

    /// The probability of more than `x`, exact where it is small.
    #[track_caller]
    fn survival(&self, x: &Self::Value) -> Array;

    /// The logarithm of [`Cdf::cdf`]; of the survival less 1 where that is small.
    #[track_caller]
    fn log_cdf(&self, x: &Self::Value) -> Array {
        log_of(&self.cdf(x), &self.survival(x))
    }

    /// The logarithm of [`Cdf::survival`]; of [`Cdf::cdf`] less 1 where that is small.
    #[track_caller]
    fn log_survival(&self, x: &Self::Value) -> Array {
        log_of(&self.survival(x), &self.cdf(x))
    }
}

/// Distributions of numbers whose cumulative distribution function can be inverted.
pub trait Quantile: Distribution {
    /// The number below which a draw lies with probability `q`; NaN for `q` outside [0, 1].
    #[track_caller]
    fn quantile(&self, q: &Array) -> Self::Value;

    /// The number above which a draw lies with probability `q`: in families of real numbers, other
    /// than angles, exact for small `q`.
    #[track_caller]
    fn upper_quantile(&self, q: &Array) -> Self::Value {
        self.quantile(&(1.0 - q))
    }

    /// The upper quantile of `q` where `upper` is true, else the quantile: what has probabilities
    /// of the side on which they are small asks this. By one inverse for both sides in families
    /// whose inverses are long.
    #[track_caller]
    fn side_quantile(&self, q: &Array, upper: &Array) -> Array
    where
        Self: Distribution<Value = Array>,
    {
        let left = self.quantile(&select(upper, 0.25, q));
        let right = self.upper_quantile(&select(upper, q, 0.25));
        select(upper, right, left)
    }

    /// The quantile of one half.
    #[track_caller]
    fn median(&self) -> Self::Value {
        self.quantile(&Array::from(0.5))
    }
}

/// Distributions with known mean and variance, of shape `batch shape + event shape`.
pub trait Moments: Distribution {
    /// The mean.
    #[track_caller]
    fn mean(&self) -> Array;

    /// The variance; of vectors, that of each entry.
    #[track_caller]
    fn variance(&self) -> Array;

    /// The square root of the variance.
    #[track_caller]
    fn std(&self) -> Array {
        self.variance().sqrt()
    }
}

/// Distributions of vectors whose covariance is known.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{Covariance, Multinomial};
/// let m = Multinomial::new(2, [0.5, 0.5]);
/// assert_eq!(m.cov().to_vec::<f32>()?, [0.5, -0.5, -0.5, 0.5]);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub trait Covariance: Distribution {
    /// The covariance of the entries of a draw, `batch shape + [d, d]`.
    #[track_caller]
    fn cov(&self) -> Array;
}

/// Distributions whose density has one known largest point, or whose masses have one.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::Binomial;
/// assert_eq!(Binomial::new(10, array([0.1, 0.75])).mode().to_vec::<f32>()?, [1.0, 8.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub trait Mode: Distribution {
    /// Where the density is largest, of shape `batch shape + event shape` and of a float type; NaN
    /// where there is no such point. Of counts that are as probable the families say which it is.
    #[track_caller]
    fn mode(&self) -> Array;
}

/// Distributions whose divergence from those of a family is known.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{KlDivergence, Poisson};
/// let (p, q) = (Poisson::new(1.0), Poisson::new(2.0));
/// assert!((p.kl_divergence(&q).item::<f32>()? - 0.30685282).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub trait KlDivergence<Q: Distribution = Self>: Distribution {
    /// The mean of `self.log_prob(x) - other.log_prob(x)` over draws `x` of `self`, in nats, of
    /// the common batch shape (S. Kullback, R. A. Leibler, 1951). Exact also where the two are
    /// close; infinite where `self` has draws that `other` has not.
    #[track_caller]
    fn kl_divergence(&self, other: &Q) -> Array;
}

/// Distributions with known entropy.
pub trait Entropy: Distribution {
    /// The mean of `-log_prob`, in nats, of the batch shape.
    #[track_caller]
    fn entropy(&self) -> Array;
}
