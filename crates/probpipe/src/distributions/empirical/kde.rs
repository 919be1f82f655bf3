//! Kernel density estimates: the sum of normal densities around points.

use super::{check, over, places};
use crate::constraints::Constraint;
use crate::distributions::formulas::probability;
use crate::distributions::multivariate::{log_determinant, whitened};
use crate::distributions::parameters::require;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::terms::inverted;
use crate::distributions::{
    Cdf, Distribution, Empirical, LogProb, Moments, Quantile, Sample, Support,
};
use crate::random::normal_of;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Shape, ShapeDisplay, Tree, here, select, with_location,
};

/// How wide the kernels of a [`Kde`] are beside the spread of the points.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[non_exhaustive]
pub enum Bandwidth {
    /// `n^(-1 / (d + 4))` of the standard deviation, for `n` points of `d` numbers, of weighted
    /// points for their effective number (D. W. Scott, 1992).
    #[default]
    Scott,
    /// `(n (d + 2) / 4)^(-1 / (d + 4))` of it (B. W. Silverman, 1986).
    Silverman,
    /// This part of it.
    Factor(f64),
}

/// The kernel density estimate of points: a normal density around each, of a covariance in
/// proportion to that of the points, as `scipy.stats.gaussian_kde` has it. Points may have weights.
///
/// Its density, distribution function and draws are differentiable in the points.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::{Bandwidth, Kde};
/// let points = array([-1.0, 0.0, 0.5, 2.0]);
/// let kde = Kde::new(points, Bandwidth::Scott);
/// assert!((kde.mean().item::<f32>()? - 0.375).abs() < 1e-6);
/// assert_eq!(kde.log_prob(&linspace(-3.0, 3.0, 50)).shape(), [50]);
/// let plane = Kde::new(normal(Key::new(0), [200, 2]), Bandwidth::Silverman);
/// assert_eq!(plane.sample(Key::new(1), [10]).shape(), [10, 2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
#[doc(alias = "scipy.stats.gaussian_kde")]
pub struct Kde {
    points: Array,
    weights: Option<Array>,
    scale: Array,
}

impl Kde {
    /// Of points `[n]` or `[n, d]` that count alike. Fewer than two of them, known ones that do not
    /// spread in all directions, or a factor that is not positive, make it invalid.
    #[track_caller]
    pub fn new(points: impl Into<Array>, bandwidth: Bandwidth) -> Kde {
        Kde::of(points.into(), None, bandwidth)
    }

    /// With weights `[n]`, which need not add up to 1.
    #[track_caller]
    pub fn weighted(
        points: impl Into<Array>,
        weights: impl Into<Array>,
        bandwidth: Bandwidth,
    ) -> Kde {
        Kde::of(points.into(), Some(weights.into()), bandwidth)
    }

    /// The smooth form of an empirical distribution.
    #[track_caller]
    pub fn of_empirical(points: &Empirical<Array>, bandwidth: Bandwidth) -> Kde {
        Kde::of(points.values.clone(), points.weights.clone(), bandwidth)
    }

    /// Of points `[n]` with the standard deviation of the kernels, or `[n, d]` with the lower
    /// Cholesky factor `[d, d]` of their covariance.
    #[track_caller]
    pub fn with_scale(points: impl Into<Array>, scale: impl Into<Array>) -> Kde {
        with_location(here(), || {
            let (points, scale) = (points.into(), scale.into());
            let fits = match (points.shape(), scale.shape()) {
                ([_], []) => true,
                ([_, d], [m, n]) => d == m && d == n,
                _ => false,
            };
            let checked = || {
                check(&points, None)?;
                scale.ty()?;
                if !fits {
                    let message = format!(
                        "the points {} and the scale {} of a Kde do not fit",
                        ShapeDisplay(points.shape()),
                        ShapeDisplay(scale.shape())
                    );
                    return Err(Error::new(ErrorKind::Shape, message)
                        .at(here())
                        .help("give points [n] and scale [], or points [n, d] and scale [d, d]"));
                }
                let set = if scale.rank() == 0 {
                    Constraint::Positive
                } else {
                    Constraint::LowerCholesky
                };
                require("Kde", "scale", &set, &scale, here())
            };
            match checked() {
                Ok(()) => Kde { points, weights: None, scale },
                Err(error) => Kde::invalid(error),
            }
        })
    }

    #[track_caller]
    fn invalid(error: Error) -> Kde {
        let wrong = Array::invalid(error, here());
        Kde { points: wrong.clone(), weights: None, scale: wrong }
    }

    #[track_caller]
    fn of(points: Array, weights: Option<Array>, bandwidth: Bandwidth) -> Kde {
        with_location(here(), || match Kde::scaled(&points, weights.as_ref(), bandwidth) {
            Ok(scale) => Kde { points, weights, scale },
            Err(error) => Kde::invalid(error),
        })
    }

    /// The scale of the kernels.
    #[track_caller]
    fn scaled(points: &Array, weights: Option<&Array>, bandwidth: Bandwidth) -> Result<Array> {
        check(points, weights)?;
        let (n, d) = match *points.shape() {
            [n] => (n, 1),
            [n, d] => (n, d),
            _ => (0, 0),
        };
        let fault = |kind: ErrorKind, message: String, help: &str| {
            Err(Error::new(kind, message)
                .at(here())
                .note("the points were made", Some(points.location()))
                .help(help))
        };
        if n < 2 || d == 0 || !points.dtype().is_float() {
            let message = format!("a Kde is made of points {}", points.ty()?);
            return fault(ErrorKind::Shape, message, "give two or more points of floats, [n, d]");
        }
        if let Bandwidth::Factor(factor) = bandwidth
            && !(factor > 0.0 && factor.is_finite())
        {
            let message = format!("the factor of a Kde must be positive, not {factor}");
            return fault(ErrorKind::Value, message, "give a positive number, as 0.5");
        }
        let empirical = Empirical { values: points.clone(), weights: weights.cloned() };
        let squares = empirical.probs().square().sum();
        let size = squares.recip();
        let factor = match bandwidth {
            Bandwidth::Scott => size.pow(-1.0 / (d as f64 + 4.0)),
            Bandwidth::Silverman => (size * ((d as f64 + 2.0) / 4.0)).pow(-1.0 / (d as f64 + 4.0)),
            Bandwidth::Factor(factor) => factor.into(),
        };
        let centred = points - empirical.mean();
        let apart = 1.0 - squares;
        let (covariance, set) = if points.rank() == 1 {
            (empirical.weigh(&centred.square()) / apart, Constraint::Positive)
        } else {
            let weighed = over(&empirical.probs(), 1) * &centred;
            (centred.transpose().matmul(weighed) / apart, Constraint::PositiveDefinite)
        };
        require("Kde", "covariance of the points", &set, &covariance, here())?;
        let root = if points.rank() == 1 { covariance.sqrt() } else { covariance.cholesky() };
        (root * factor).checked()
    }

    /// The points, `[n]` or `[n, d]`.
    pub fn points(&self) -> &Array {
        &self.points
    }

    /// The standard deviation of the kernels, or the lower Cholesky factor of their covariance.
    pub fn scale(&self) -> &Array {
        &self.scale
    }

    fn empirical(&self) -> Empirical<Array> {
        Empirical::from(self)
    }

    fn count(&self) -> usize {
        self.points.shape().first().copied().unwrap_or(0)
    }

    /// The sum over points of what has the logarithms `[.., n]`.
    #[track_caller]
    fn total(&self, logs: &Array) -> Array {
        match &self.weights {
            Some(weights) => logs.logsumexp_weighted(weights, [-1]) - weights.sum().log(),
            None => logs.logsumexp_axes([-1]) - (self.count() as f64).ln(),
        }
    }

    /// The distances of numbers from the points, in standard deviations.
    #[track_caller]
    fn standard(&self, x: &Array) -> std::result::Result<Array, Array> {
        if let Some(wrong) = [&self.scale, x].into_iter().find(|x| x.error().is_some()) {
            return Err(wrong.clone());
        }
        if self.points.rank() != 1 {
            let message = "a Kde of vectors has no distribution function";
            let error = Error::new(ErrorKind::Shape, message).help("make one of a column");
            return Err(Array::invalid(error, here()));
        }
        Ok((x.expand_dims(-1) - &self.points) / &self.scale)
    }
}

impl From<&Kde> for Empirical<Array> {
    /// The points, without kernels.
    fn from(of: &Kde) -> Empirical<Array> {
        Empirical { values: of.points.clone(), weights: of.weights.clone() }
    }
}

impl Distribution for Kde {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        self.points.shape().get(1..).unwrap_or_default().into()
    }
}

impl Support for Kde {
    fn support(&self) -> Constraint {
        if self.points.rank() == 2 { Constraint::RealVector } else { Constraint::Real }
    }
}

impl LogProb for Kde {
    fn log_prob(&self, x: &Array) -> Array {
        with_location(here(), || {
            if self.points.rank() < 2 || self.points.error().is_some() {
                return self.standard(x).map_or_else(
                    |error| error,
                    |z| self.total(&(z.square() * -0.5)) - (self.scale.log() + HALF_LOG_TAU),
                );
            }
            let d = self.points.shape()[1];
            if let Some(wrong) = [&self.scale, x].into_iter().find(|x| x.error().is_some()) {
                return wrong.clone();
            }
            if x.shape().last() != Some(&d) {
                let message = format!(
                    "a Kde over events of shape [{d}] is asked about an array of shape {}",
                    ShapeDisplay(x.shape())
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the array was made", Some(x.location()))
                    .help("the last axis holds the events");
                return Array::invalid(error, here());
            }
            let (x, points) = (whitened(&self.scale, x), whitened(&self.scale, &self.points));
            let squares = (x.expand_dims(-2) - points).square().sum_axes([-1]);
            let constant = HALF_LOG_TAU * d as f64;
            self.total(&(squares * -0.5)) - (log_determinant(&self.scale) + constant)
        })
    }
}

impl Sample for Kde {
    /// A point that is drawn, and a normal step.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        with_location(here(), || {
            if self.scale.error().is_some() {
                return self.scale.clone();
            }
            let (which, step) = key.split();
            let place = places(which, &shape, self.weights.as_ref(), self.count());
            let z = normal_of(self.scale.dtype(), step, join(&shape, &self.event_shape()));
            let z = match self.scale.rank() {
                0 => z * &self.scale,
                _ => self.scale.matmul(z.expand_dims(-1)).squeeze(-1),
            };
            self.points.take(place, 0) + z
        })
    }
}

impl Cdf for Kde {
    fn cdf(&self, x: &Array) -> Array {
        self.log_cdf(x).exp()
    }

    fn survival(&self, x: &Array) -> Array {
        self.log_survival(x).exp()
    }

    fn log_cdf(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.standard(x).map_or_else(|error| error, |z| self.total(&z.log_ndtr()))
        })
    }

    fn log_survival(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.standard(x).map_or_else(|error| error, |z| self.total(&(-z).log_ndtr()))
        })
    }
}

impl Quantile for Kde {
    /// By halving between the ends of the points and 40 standard deviations of the kernels.
    fn quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            let q = &probability(q);
            if let Err(error) = self.standard(q) {
                return error;
            }
            let reach = &self.scale * 40.0;
            let inner = q.gt(0.0) & q.lt(1.0);
            let level = select(&inner, q, 0.5);
            let zero = &level * 0.0;
            let (low, high) =
                (self.points.min() - &reach + &zero, self.points.max() + reach + zero);
            let x = inverted(&level, &low, &high, |x| self.cdf(x));
            let end = select(&q.le(0.0), f64::NEG_INFINITY, f64::INFINITY);
            select(&inner, x, select(&q.is_nan(), f64::NAN, end))
        })
    }
}

impl Moments for Kde {
    fn mean(&self) -> Array {
        self.empirical().mean()
    }

    /// That of the points and that of a kernel.
    fn variance(&self) -> Array {
        with_location(here(), || {
            let own = self.scale.square();
            let own = if self.scale.rank() == 2 { own.sum_axes([-1]) } else { own };
            self.empirical().variance() + own
        })
    }
}
