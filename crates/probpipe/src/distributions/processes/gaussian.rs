//! Gaussian processes: normal values of functions at any points, before and after some of them are
//! observed. Every result is a [`MultivariateNormal`], which has the densities and draws.

use super::kernels::Kernel;
use crate::constraints::Constraint;
use crate::distributions::multivariate::{held, solved};
use crate::distributions::{LogProb, MultivariateNormal};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, ShapeDisplay, Tree, eye_of, here, with_location, zeros,
};

/// Functions whose values at any points are normal, with a mean and the covariances of a
/// [`Kernel`]; observations are values with independent normal noise.
///
/// The covariance of many close points is singular to rounding, so a jitter is added to its
/// diagonal: `1e-5` of the mean of the diagonal in `f32` and `1e-10` of it in `f64`, unless
/// [`with_jitter`](GaussianProcess::with_jitter) says what. All costs are those of one Cholesky
/// factor. It is a tree of its parameters: differentiate
/// [`log_marginal_likelihood`](GaussianProcess::log_marginal_likelihood) to fit them.
///
/// Source: C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006,
/// algorithm 2.1.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{GaussianProcess, Kernel};
/// let gp = GaussianProcess::new(Kernel::rbf(1.0, 0.5)).with_noise(0.1);
/// let (x, y) = (array([0.0, 1.0, 2.0]), array([0.0, 1.0, 0.0]));
/// assert!(gp.log_marginal_likelihood(&x, &y).item::<f32>()?.is_finite());
/// let after = gp.condition(&x, &y);
/// let at = array([1.0, 5.0]);
/// let (near, far) = (after.mean(&at).at(0), after.variance(&at).at(1));
/// assert!((near.item::<f32>()? - 0.97).abs() < 0.02);
/// assert!((far.item::<f32>()? - 1.0).abs() < 1e-3);
/// assert_eq!(after.at(&at).sample(Key::new(0), [10]).shape(), [10, 2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GaussianProcess {
    kernel: Kernel,
    mean: Option<Array>,
    noise: Option<Array>,
    jitter: Option<Array>,
}

impl GaussianProcess {
    /// Of mean zero, observed without noise.
    pub fn new(kernel: Kernel) -> GaussianProcess {
        GaussianProcess { kernel, mean: None, noise: None, jitter: None }
    }

    /// With a mean, the same everywhere. To have another one, take it from the observations.
    #[track_caller]
    pub fn with_mean(self, mean: impl Into<Array>) -> GaussianProcess {
        let mean = held("GaussianProcess", "mean", &Constraint::Real, mean.into());
        GaussianProcess { mean: Some(mean * 1.0), ..self }
    }

    /// With the standard deviation of the noise of observations. A known one that is negative
    /// makes it invalid.
    #[track_caller]
    pub fn with_noise(self, noise: impl Into<Array>) -> GaussianProcess {
        let noise = held("GaussianProcess", "noise", &Constraint::NonNegative, noise.into());
        GaussianProcess { noise: Some(noise * 1.0), ..self }
    }

    /// With what is added to the diagonal of covariances. A known one that is negative makes it
    /// invalid.
    #[track_caller]
    pub fn with_jitter(self, jitter: impl Into<Array>) -> GaussianProcess {
        let jitter = held("GaussianProcess", "jitter", &Constraint::NonNegative, jitter.into());
        GaussianProcess { jitter: Some(jitter * 1.0), ..self }
    }

    #[track_caller]
    fn mean(&self) -> Array {
        with_location(here(), || self.mean.clone().unwrap_or_else(|| 0.0.into()))
    }

    /// The covariance function.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The distribution of the values at points, `[n]` or `[n, d]`.
    #[track_caller]
    pub fn at(&self, x: &Array) -> MultivariateNormal {
        self.normal(&self.kernel.matrix(x, x), false)
    }

    /// The distribution of observations at points: values and noise.
    #[track_caller]
    pub fn observed(&self, x: &Array) -> MultivariateNormal {
        self.normal(&self.kernel.matrix(x, x), true)
    }

    /// The log-density of observations `y`, `[.., n]`, at points `x`.
    #[track_caller]
    pub fn log_marginal_likelihood(&self, x: &Array, y: &Array) -> Array {
        self.observed(x).log_prob(y)
    }

    /// The process after values with noise `y`, `[n]`, were observed at points `x`.
    #[track_caller]
    pub fn condition(&self, x: &Array, y: &Array) -> GaussianPosterior {
        with_location(here(), || {
            let process = self.clone();
            let covariance = self.stable(&self.kernel.matrix(x, x), true);
            let n = covariance.shape().last().copied().unwrap_or(0);
            if covariance.error().is_none() && y.error().is_none() && y.shape() != [n] {
                let message = format!(
                    "a GaussianProcess at {n} points is given observations of shape {}",
                    ShapeDisplay(y.shape())
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the observations were made", Some(y.location()))
                    .help("give one number for each point; batches go through `vmap`");
                let wrong = Array::invalid(error, here());
                let factor = wrong.clone();
                return GaussianPosterior { process, points: x.clone(), factor, white: wrong };
            }
            let factor = covariance.cholesky();
            let white = solved(&factor, &(y - self.mean()).expand_dims(-1));
            GaussianPosterior { process, points: x.clone(), factor, white }
        })
    }

    /// A covariance with what is added to its diagonal.
    #[track_caller]
    fn stable(&self, covariance: &Array, noisy: bool) -> Array {
        if covariance.error().is_some() {
            return covariance.clone();
        }
        let dtype = covariance.dtype();
        let part = if dtype == DType::F64 { 1e-10 } else { 1e-5 };
        let jitter = match &self.jitter {
            Some(jitter) => jitter.clone(),
            None => covariance.diagonal().mean() * part,
        };
        let added = match &self.noise {
            Some(noise) if noisy => jitter + noise.square(),
            _ => jitter,
        };
        covariance + eye_of(dtype, covariance.shape()[0]) * added
    }

    #[track_caller]
    fn normal(&self, covariance: &Array, noisy: bool) -> MultivariateNormal {
        let n = covariance.shape().last().copied().unwrap_or(0);
        MultivariateNormal::new(zeros([n]) + self.mean(), self.stable(covariance, noisy))
    }
}

/// A [`GaussianProcess`] of which some values were observed; see [`GaussianProcess::condition`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GaussianPosterior {
    process: GaussianProcess,
    points: Array,
    factor: Array,
    white: Array,
}

impl GaussianPosterior {
    /// `L^-1 K(points, x)`.
    #[track_caller]
    fn seen(&self, x: &Array) -> Array {
        solved(&self.factor, &self.process.kernel.matrix(&self.points, x))
    }

    #[track_caller]
    fn mean_of(&self, seen: &Array) -> Array {
        seen.swap_axes(-1, -2).matmul(&self.white).squeeze(-1) + self.process.mean()
    }

    /// The mean of the values at points, `[m]`.
    #[track_caller]
    pub fn mean(&self, x: &Array) -> Array {
        self.mean_of(&self.seen(x))
    }

    /// The variance of the values at points, `[m]`, without noise.
    #[track_caller]
    pub fn variance(&self, x: &Array) -> Array {
        with_location(here(), || {
            let left = self.process.kernel.diagonal(x) - self.seen(x).square().sum_axes([-2]);
            left.maximum(0.0)
        })
    }

    /// The joint distribution of the values at points.
    #[track_caller]
    pub fn at(&self, x: &Array) -> MultivariateNormal {
        self.normal(x, false)
    }

    /// The joint distribution of further observations at points: values and noise.
    #[track_caller]
    pub fn observed(&self, x: &Array) -> MultivariateNormal {
        self.normal(x, true)
    }

    #[track_caller]
    fn normal(&self, x: &Array, noisy: bool) -> MultivariateNormal {
        let (seen, before) = (self.seen(x), self.process.kernel.matrix(x, x));
        if let Some(error) = seen.error().or(before.error()) {
            let wrong = Array::invalid(error.clone(), here());
            return MultivariateNormal::new(&wrong, &wrong);
        }
        // The jitter is a part of the variance before anything was seen, not of what is left.
        let jittered = self.process.stable(&before, noisy);
        let left = jittered - seen.swap_axes(-1, -2).matmul(&seen);
        let even = (&left + left.swap_axes(-1, -2)) * 0.5;
        MultivariateNormal::new(self.mean_of(&seen), even)
    }
}
