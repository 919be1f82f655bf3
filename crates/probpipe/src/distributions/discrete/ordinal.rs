//! Categories in order, each of which is reached by not stopping before, and trials by a normal
//! variable.

use super::categorical::{entry, first_reached};
use super::masses::{divergence_of_logs, entropy_of_logs};
use super::modes::{category, likelier};
use super::steps::steps;
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::distributions::shapes::join;
use crate::random::{logistic_of, normal_of};
use probpipe_trace::{Array, DType, concat, select};

family! {
    /// The distribution of one trial that succeeds where a standard normal number is below
    /// `probits`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is 0 where both are as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::ProbitBernoulli;
    /// let coin = ProbitBernoulli::new(0.0);
    /// assert_eq!(coin.prob(&array([0, 1, 2])).to_vec::<f32>()?, [0.5, 0.5, 0.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ProbitBernoulli::new {
        /// The quantile of the probability of 1 in the standard normal distribution.
        probits: Real,
    }
    on Boolean {
        LogProb { log_prob(x) => select(&x.eq(1.0), probits, -probits).log_ndtr() }
        Sample {
            draw(key, shape, dtype) => normal_of(dtype, key, shape).lt(probits).cast(DType::I32)
        }
        Cdf {
            cdf(x) => super::bernoulli::steps(x, 0.0, (-probits).ndtr(), 1.0),
            survival(x) => super::bernoulli::steps(x, 1.0, probits.ndtr(), 0.0),
        }
        Quantile { quantile(q) => super::bernoulli::quantile(q, &(-probits).ndtr()) }
        Moments {
            mean => probits.ndtr(),
            variance => probits.ndtr() * (-probits).ndtr(),
        }
        Mode { mode => likelier(probits, 0.0) }
        Entropy {
            entropy =>
                -(probits.ndtr() * probits.log_ndtr() + (-probits).ndtr() * (-probits).log_ndtr())
        }
    }
}

family! {
    /// The distribution of the place at which a walk through ordered categories stops: in each but
    /// the last with the probability `sigmoid(cutpoint - loc)`, if it comes there (G. Tutz,
    /// "Sequential item response models with an ordered response", 1990).
    ///
    /// Its draws are `i32` and not differentiable. The mode is the first of the most probable
    /// categories.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::StoppingRatioLogistic;
    /// let stop = StoppingRatioLogistic::new([0.0, 0.0], 0.0);
    /// assert_eq!(stop.prob(&array([0, 1, 2])).to_vec::<f32>()?, [0.5, 0.25, 0.25]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    StoppingRatioLogistic::new {
        /// How likely it is to stop in each category, `[..., n - 1]` of `n` categories.
        cutpoints: RealVector,
        /// How far the walk tends to go.
        loc: Real,
    }
    on IntegerInterval(0, (last_category(cutpoints))) {
        LogProb { log_prob(k) => entry(&log_masses(cutpoints, loc), k) }
        Sample {
            draw(key, shape, dtype) => {
                let each = join(shape, &[cutpoints.shape().last().map_or(0, |&n| n)]);
                let passed = logistic_of(dtype, key, each).ge(cutpoints - loc.expand_dims(-1));
                passed.cast(DType::I32).cumprod(-1).sum_axes([-1])
            }
        }
        Cdf {
            cdf(x) => steps(x, &last_category(cutpoints), (0.0, 1.0), |k| {
                -entry(&log_passes(cutpoints, loc), k).expm1()
            }),
            survival(x) => steps(x, &last_category(cutpoints), (1.0, 0.0), |k| {
                entry(&log_passes(cutpoints, loc), k).exp()
            }),
            log_survival(x) => steps(x, &last_category(cutpoints), (0.0, f64::NEG_INFINITY), |k| {
                entry(&log_passes(cutpoints, loc), k)
            }),
        }
        Quantile {
            quantile(q) => first_reached(&log_masses(cutpoints, loc).exp().cumsum(-1), q)
        }
        Mode { mode => category(&log_masses(cutpoints, loc)) }
        Entropy { entropy => entropy_of_logs(&log_masses(cutpoints, loc)) }
    }
}

/// The number of cut points.
#[track_caller]
fn last_category(cutpoints: &Array) -> Array {
    Array::from(cutpoints.shape().last().map_or(0, |&n| n as i64))
}

/// Of going beyond each category but the last.
#[track_caller]
fn log_passes(cutpoints: &Array, loc: &Array) -> Array {
    (loc.expand_dims(-1) - cutpoints).log_sigmoid().cumsum(-1)
}

/// Of all categories.
#[track_caller]
fn log_masses(cutpoints: &Array, loc: &Array) -> Array {
    let stops = (cutpoints - loc.expand_dims(-1)).log_sigmoid();
    let passes = log_passes(cutpoints, loc);
    if passes.error().is_some() {
        return passes;
    }
    let none = passes.slice_axis(-1, 0..1) * 0.0;
    concat([&none, &passes], -1) + concat([&stops, &none], -1)
}

impl KlDivergence for ProbitBernoulli {
    fn kl_divergence(&self, other: &ProbitBernoulli) -> Array {
        let ([a], [b]) = (&self.checked(), &other.checked());
        divergence_of_logs(&a.log_ndtr(), &b.log_ndtr())
            + divergence_of_logs(&(-a).log_ndtr(), &(-b).log_ndtr())
    }
}

impl KlDivergence for StoppingRatioLogistic {
    fn kl_divergence(&self, other: &StoppingRatioLogistic) -> Array {
        let ([a, at], [b, to]) = (&self.checked(), &other.checked());
        divergence_of_logs(&log_masses(a, at), &log_masses(b, to)).sum_axes([-1])
    }
}
