//! Numbers of any distribution that depend on each other as normal ones do.

use crate::constraints::Constraint;
use crate::distributions::parameters::require;
use crate::distributions::shapes::join;
use crate::distributions::{
    Beta, Cdf, Distribution, LogProb, Moments, MultivariateNormal, Quantile, Sample, Support,
};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here, select,
};

/// A vector whose entries have given distributions, and depend on each other as those of a normal
/// vector with a correlation matrix do: entries are the quantiles, in their own distributions, of
/// the probabilities of the entries of that vector (M. Sklar, 1959; P. X.-K. Song, "Multivariate
/// dispersion models generated from Gaussian copula", 2000).
///
/// The last batch axis of the marginal distributions becomes the event. Draws are differentiable
/// where their quantiles are.
///
/// ```
/// use probpipe::distributions::GaussianCopula;
/// use probpipe::prelude::*;
/// let apart = GaussianCopula::new(Exponential::new([1.0, 2.0]), eye(2));
/// let x = array([0.5, 0.25]);
/// let sum = Exponential::new([1.0, 2.0]).log_prob(&x).sum();
/// assert!((apart.log_prob(&x) - sum).abs().item::<f32>()? < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GaussianCopula<D> {
    marginal: D,
    base: MultivariateNormal,
}

/// [`GaussianCopula`] of beta distributions.
pub type GaussianCopulaBeta = GaussianCopula<Beta>;

impl<D: Distribution<Value = Array>> GaussianCopula<D> {
    /// From the distributions of `d` numbers, in the last batch axis, and their correlation matrix
    /// `[..., d, d]`. A known matrix that is none, or shapes that do not fit, make every use an
    /// error.
    #[track_caller]
    pub fn new(marginal: D, correlation_matrix: impl Into<Array>) -> GaussianCopula<D> {
        let (matrix, set) = (correlation_matrix.into(), Constraint::CorrelationMatrix);
        let matrix = fitting(&marginal, "correlation_matrix", &set, matrix);
        GaussianCopula::made(marginal, matrix.cholesky())
    }

    /// From the lower Cholesky factor of the correlation matrix.
    #[track_caller]
    pub fn from_cholesky(marginal: D, correlation_cholesky: impl Into<Array>) -> GaussianCopula<D> {
        let (factor, set) = (correlation_cholesky.into(), Constraint::CorrelationCholesky);
        let factor = fitting(&marginal, "correlation_cholesky", &set, factor);
        GaussianCopula::made(marginal, factor)
    }

    #[track_caller]
    fn made(marginal: D, factor: Array) -> GaussianCopula<D> {
        let loc = factor.diagonal() * 0.0;
        GaussianCopula { marginal, base: MultivariateNormal::from_scale_tril(loc, factor) }
    }

    /// The distributions of the entries.
    pub fn marginal(&self) -> &D {
        &self.marginal
    }

    /// The normal vector that says how they depend on each other.
    pub fn base(&self) -> &MultivariateNormal {
        &self.base
    }
}

impl GaussianCopulaBeta {
    /// Of beta distributions of these parameters, `[..., d]`, and the correlation matrix
    /// `[..., d, d]`.
    ///
    /// ```
    /// use probpipe::distributions::GaussianCopulaBeta;
    /// use probpipe::prelude::*;
    /// let shares = GaussianCopulaBeta::beta([2.0, 3.0], [2.0, 1.0], [[1.0, 0.5], [0.5, 1.0]]);
    /// assert_eq!(shares.mean().to_vec::<f32>()?, [0.5, 0.75]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    pub fn beta(
        concentration1: impl Into<Array>,
        concentration0: impl Into<Array>,
        correlation_matrix: impl Into<Array>,
    ) -> GaussianCopulaBeta {
        GaussianCopula::new(Beta::new(concentration1, concentration0), correlation_matrix)
    }
}

/// The matrix, invalid where it does not fit.
#[track_caller]
fn fitting(
    marginal: &impl Distribution,
    name: &str,
    constraint: &Constraint,
    matrix: Array,
) -> Array {
    let location = here();
    if matrix.error().is_some() {
        return matrix;
    }
    let batch = marginal.batch_shape();
    let fits = match (batch.last(), matrix.shape()) {
        (Some(d), [.., m, n]) => {
            let lead = &matrix.shape()[..matrix.rank() - 2];
            d == m && d == n && broadcast_shapes(lead, &batch[..batch.len() - 1]).is_some()
        }
        _ => false,
    };
    let error = if fits && marginal.event_shape().is_empty() {
        require("GaussianCopula", name, constraint, &matrix, location).err()
    } else {
        let message = format!(
            "the {name} {} of a GaussianCopula does not fit marginal distributions of batch shape \
             {} and event shape {}",
            ShapeDisplay(matrix.shape()),
            ShapeDisplay(&batch),
            ShapeDisplay(&marginal.event_shape())
        );
        Some(
            Error::new(ErrorKind::Shape, message)
                .help("give distributions of numbers [..., d] and a matrix [..., d, d]"),
        )
    };
    match error {
        Some(error) => Array::invalid(error, location),
        None => matrix,
    }
}

impl<D: Distribution<Value = Array>> Distribution for GaussianCopula<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let own = self.marginal.batch_shape();
        let own = &own[..own.len().saturating_sub(1)];
        broadcast_shapes(own, &self.base.batch_shape()).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }
}

impl<D: Support<Value = Array>> Support for GaussianCopula<D> {
    /// That of one entry: it holds for each.
    fn support(&self) -> Constraint {
        self.marginal.support()
    }
}

impl<D: LogProb<Value = Array> + Cdf> LogProb for GaussianCopula<D> {
    /// The densities of the entries, times the density of the normal vector of their quantiles over
    /// what it would be if they were independent.
    fn log_prob(&self, x: &Array) -> Array {
        if self.base.loc().error().is_some() {
            return self.base.loc().clone();
        }
        let each = self.marginal.log_prob(x);
        if each.error().is_some() {
            return each;
        }
        let inside = each.gt(f64::NEG_INFINITY).all_axes([-1]) | each.is_nan().any_axes([-1]);
        // From the side that is small, where the probability is exact.
        let (below, above) = (self.marginal.cdf(x), self.marginal.survival(x));
        let left = below.lt(&above);
        let quantile = select(&left, &below, &above).ndtri();
        let z = select(&left, &quantile, -&quantile);
        let safe = select(&z.is_inf(), 0.0, &z);
        let apart = safe.square().sum_axes([-1]) * 0.5
            + crate::distributions::shapes::HALF_LOG_TAU * self.base.event_shape()[0] as f64;
        let total = self.base.log_prob(&safe) + apart + each.sum_axes([-1]);
        select(&inside, total, f64::NEG_INFINITY)
    }
}

impl<D: Quantile<Value = Array>> Sample for GaussianCopula<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let own = self.base.batch_shape();
        let batch = Distribution::batch_shape(self);
        let extra = join(&shape, &batch[..batch.len() - own.len()]);
        let z = self.base.sample_shape(key, extra);
        if z.error().is_some() {
            return z;
        }
        let left = z.lt(0.0);
        let tail = select(&left, &z, -&z).ndtr();
        let (low, high) = (self.marginal.quantile(&tail), self.marginal.upper_quantile(&tail));
        select(&left, low, high)
    }
}

impl<D: Moments<Value = Array>> Moments for GaussianCopula<D> {
    fn mean(&self) -> Array {
        self.spread(self.marginal.mean())
    }

    fn variance(&self) -> Array {
        self.spread(self.marginal.variance())
    }
}

impl<D: Distribution<Value = Array>> GaussianCopula<D> {
    #[track_caller]
    fn spread(&self, statistic: Array) -> Array {
        if self.base.loc().error().is_some() {
            return self.base.loc().clone();
        }
        statistic.broadcast_to(join(&Distribution::batch_shape(self), &self.event_shape()))
    }
}
