//! Ordered categories, between cut points of a logistic variable.

use super::categorical::entry;
use super::masses::{divergence_of_logs, entropy_of_logs};
use super::modes::category;
use super::steps::steps;
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random::logistic_of;
use probpipe_trace::{Array, DType, arange, select};

family! {
    /// The distribution of the number of `cutpoints` that lie below a logistic variable around
    /// `predictor`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the first of the most probable
    /// categories.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::OrderedLogistic;
    /// let answer = OrderedLogistic::new(0.0, [-1.0, 1.0]);
    /// let probs = answer.prob(&array([0, 1, 2])).to_vec::<f32>()?;
    /// assert!((probs[0] - 0.26894143).abs() < 1e-6 && probs[0] == probs[2]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    OrderedLogistic::new {
        /// The centre of the logistic variable.
        predictor: Real,
        /// The cut points, `[..., n - 1]` of `n` categories.
        cutpoints: OrderedVector,
    }
    on IntegerInterval(0, (last_category(cutpoints))) {
        LogProb { log_prob(k) => log_mass(k, predictor, cutpoints) }
        Sample {
            draw(key, shape) => {
                let dtype = predictor.dtype();
                let variable = logistic_of(dtype, key, shape) + predictor;
                cutpoints.lt(variable.expand_dims(-1)).cast(DType::I32).sum_axes([-1])
            }
        }
        Cdf {
            cdf(x) => steps(x, &last_category(cutpoints), (0.0, 1.0), |k| {
                (entry(cutpoints, k) - predictor).sigmoid()
            }),
            survival(x) => steps(x, &last_category(cutpoints), (1.0, 0.0), |k| {
                (predictor - entry(cutpoints, k)).sigmoid()
            }),
            log_cdf(x) => steps(x, &last_category(cutpoints), (f64::NEG_INFINITY, 0.0), |k| {
                (entry(cutpoints, k) - predictor).log_sigmoid()
            }),
            log_survival(x) => steps(x, &last_category(cutpoints), (0.0, f64::NEG_INFINITY), |k| {
                (predictor - entry(cutpoints, k)).log_sigmoid()
            }),
        }
        Quantile {
            quantile(q) => {
                // The cut points below the quantile of the logistic variable.
                let level = (q.logit() + predictor).stop_gradient();
                let short = cutpoints.stop_gradient().lt(level.expand_dims(-1));
                let place = short.cast(level.dtype()).sum_axes([-1]);
                select(&level.is_nan(), f64::NAN, place)
            }
        }
        Mode { mode => category(&log_masses(predictor, cutpoints)) }
        Entropy { entropy => entropy_of_logs(&log_masses(predictor, cutpoints)) }
    }
}

/// The number of cut points.
#[track_caller]
fn last_category(cutpoints: &Array) -> Array {
    Array::from(cutpoints.shape().last().map_or(0, |&n| n as i64))
}

/// Between cut points `a > b` the difference `sigmoid(a) - sigmoid(b)` is
/// `sigmoid(a) sigmoid(-b) (1 - exp(b - a))`.
#[track_caller]
fn log_mass(k: &Array, predictor: &Array, cutpoints: &Array) -> Array {
    let count = last_category(cutpoints);
    let (first, last) = (k.eq(0.0), k.ge(&count));
    let upper = entry(cutpoints, &select(&last, &count - 1, k));
    let lower = entry(cutpoints, &select(&first, 0.0, k - 1.0));
    let gap = select(&(&first | &last), 1.0, &upper - &lower);
    let below = (&upper - predictor).log_sigmoid();
    let above = (predictor - &lower).log_sigmoid();
    let between = select(&(&first | &last), 0.0, gap.log1mexp());
    select(&last, 0.0, below) + select(&first, 0.0, above) + between
}

/// Of all categories, `[..., n]`.
#[track_caller]
fn log_masses(predictor: &Array, cutpoints: &Array) -> Array {
    let n = cutpoints.shape().last().map_or(0, |&n| n) + 1;
    let k = arange(n).cast(predictor.dtype());
    log_mass(&k, &predictor.expand_dims(-1), &cutpoints.expand_dims(-2))
}

impl KlDivergence for OrderedLogistic {
    fn kl_divergence(&self, other: &OrderedLogistic) -> Array {
        let ([a, from], [b, to]) = (&self.checked(), &other.checked());
        divergence_of_logs(&log_masses(a, from), &log_masses(b, to)).sum_axes([-1])
    }
}
