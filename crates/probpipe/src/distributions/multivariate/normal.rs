//! The multivariate normal distribution.

use super::factors::{factor_of_inverse, held, log_determinant, whitened};
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::parameters::require;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Parametric, Sample};
use crate::random::normal_of;
use probpipe_trace::{Array, Key, Shape, eye_of, here};

family! {
    /// The normal distribution on vectors, with a mean and a covariance or its Cholesky factor.
    ///
    /// Its sampler `loc + L z` is reparameterised: differentiable in all parameters. A covariance
    /// that is not positive definite is an error where its value is known and gives NaN elsewhere.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
    /// let score = grad(|x: Array| mvn.log_prob(&x))(array([1.5, 2.5]));
    /// assert!((score.at(0).item::<f32>()? + 1.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    MultivariateNormal::from_scale_tril {
        /// The mean, `[..., d]`.
        loc: RealVector,
        /// The lower Cholesky factor of the covariance, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on RealVector
}

impl MultivariateNormal {
    /// From the mean `[..., d]` and the covariance `[..., d, d]`.
    #[track_caller]
    pub fn new(loc: impl Into<Array>, covariance: impl Into<Array>) -> MultivariateNormal {
        let (covariance, location) = (covariance.into(), here());
        let square = matches!(covariance.shape(), [.., m, n] if m == n);
        let name = Self::FAMILY.name;
        let definite = &Constraint::PositiveDefinite;
        let factor = match require(name, "covariance", definite, &covariance, location) {
            Err(error) if square => Array::invalid(error, location),
            _ => covariance.cholesky(),
        };
        MultivariateNormal::from_scale_tril(loc, factor)
    }

    /// From the mean `[..., d]` and the inverse of the covariance `[..., d, d]`.
    #[track_caller]
    pub fn from_precision(
        loc: impl Into<Array>,
        precision: impl Into<Array>,
    ) -> MultivariateNormal {
        let precision = precision.into();
        let square = matches!(precision.shape(), [.., m, n] if m == n);
        if !square {
            return MultivariateNormal::from_scale_tril(loc, precision.cholesky());
        }
        let set = &Constraint::PositiveDefinite;
        let precision = held(Self::FAMILY.name, "precision", set, precision);
        MultivariateNormal::from_scale_tril(loc, factor_of_inverse(&precision))
    }

    /// Of independent entries, from the mean `[..., d]` and the standard deviations `[..., d]`.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let mvn = MultivariateNormal::diagonal([1.0, 2.0], [1.0, 3.0]);
    /// assert_eq!(mvn.variance().to_vec::<f32>()?, [1.0, 9.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(loc: impl Into<Array>, scale: impl Into<Array>) -> MultivariateNormal {
        let scale = held(Self::FAMILY.name, "scale", &Constraint::PositiveVector, scale.into());
        let factor = match scale.shape().last() {
            Some(&d) => scale.expand_dims(-1) * eye_of(scale.dtype(), d),
            None => scale,
        };
        MultivariateNormal::from_scale_tril(loc, factor)
    }

    /// The covariance, `[..., d, d]`.
    #[track_caller]
    pub fn covariance(&self) -> Array {
        let [_, factor] = self.checked();
        let d = self.dim();
        self.shaped(factor.matmul(&factor.swap_axes(-1, -2)), &[d, d])
    }

    /// The mean and the factor, checked.
    #[track_caller]
    pub(super) fn parts(&self) -> [Array; 2] {
        self.checked()
    }

    /// The dimension.
    fn dim(&self) -> usize {
        self.loc().shape().last().copied().unwrap_or(0)
    }
}

impl LogProb for MultivariateNormal {
    /// `-|L^-1 (x - loc)|^2 / 2 - sum(log diag L) - d log(2 pi) / 2`.
    fn log_prob(&self, x: &Array) -> Array {
        let [loc, factor] = self.checked();
        let d = self.dim();
        let centred = x - loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealVector, &centred, &0.0.into());
        let z = whitened(&factor, &seen.at);
        let constant = HALF_LOG_TAU * d as f64;
        seen.density(z.square().sum_axes([-1]) * -0.5 - (log_determinant(&factor) + constant))
    }
}

impl Sample for MultivariateNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [loc, factor] = self.checked();
        let shape = join(&join(&shape, &self.batch_shape()), &[self.dim(), 1]);
        let z = normal_of(self.dtype(), key, shape);
        factor.matmul(&z).squeeze(-1) + loc
    }
}

impl Moments for MultivariateNormal {
    fn mean(&self) -> Array {
        let [loc, _] = self.checked();
        self.shaped(loc, &[self.dim()])
    }

    fn variance(&self) -> Array {
        let [_, factor] = self.checked();
        self.shaped(factor.square().sum_axes([-1]), &[self.dim()])
    }
}

impl Mode for MultivariateNormal {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for MultivariateNormal {
    /// `sum(log diag L) + d (1 + log(2 pi)) / 2`.
    fn entropy(&self) -> Array {
        let [_, factor] = self.checked();
        let constant = (HALF_LOG_TAU + 0.5) * self.dim() as f64;
        self.shaped(log_determinant(&factor) + constant, &[])
    }
}
