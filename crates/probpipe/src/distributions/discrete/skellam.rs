//! The distribution of Skellam.

use super::steps::{Search, quantile};
use crate::distributions::bessel::log_kernel;
use crate::distributions::declaration::family;
use crate::distributions::noncentral::tail;
use crate::random::poisson;
use probpipe_trace::{Array, select};

family! {
    /// The distribution of the difference of two independent Poisson numbers, with probability
    /// `exp(-a - b) (a/b)^(k/2) I_k(2 sqrt(a b))` of `k` (J. G. Skellam, 1946).
    ///
    /// Its draws are `i32` and not differentiable.
    ///
    /// ```
    /// use probpipe::{Skellam, prelude::*};
    /// let score = Skellam::new(2.0, 1.0);
    /// assert_eq!((score.mean().item::<f32>()?, score.variance().item::<f32>()?), (1.0, 3.0));
    /// // exp(-3) I_0(2 sqrt(2))
    /// assert!((score.prob(&array(0)).item::<f32>()? - 0.2117121).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Skellam::new {
        /// The mean `a` of the number that is taken from.
        rate1: Positive,
        /// The mean `b` of the number that is taken away.
        rate2: Positive,
    }
    on Integer {
        LogProb {
            log_prob(k) => {
                let more = k.ge(0.0);
                log_kernel(&k.abs(), &select(&more, rate1, rate2), &select(&more, rate2, rate1))
            }
        }
        Sample {
            draw(key, shape) => {
                let (first, second) = key.split();
                poisson(first, shape, rate1) - poisson(second, shape, rate2)
            }
        }
        Cdf {
            cdf(x) => at(x, [0.0, 1.0], |k| below(k, rate1, rate2, false).exp()),
            survival(x) => at(x, [1.0, 0.0], |k| below(k, rate1, rate2, true).exp()),
            log_cdf(x) => at(x, [f64::NEG_INFINITY, 0.0], |k| below(k, rate1, rate2, false)),
            log_survival(x) => at(x, [0.0, f64::NEG_INFINITY], |k| below(k, rate1, rate2, true)),
        }
        Quantile { quantile(q) => inverse(q, rate1, rate2) }
        Moments { mean => rate1 - rate2, variance => rate1 + rate2 }
    }
}

/// `of` at the whole number at or below `x`, and the `ends` at the infinities.
#[track_caller]
fn at(x: &Array, ends: [f64; 2], of: impl Fn(&Array) -> Array) -> Array {
    let finite = x.is_finite();
    let beyond = select(&x.lt(0.0), ends[0], ends[1]);
    let value = of(&select(&finite, x.floor(), 0.0));
    select(&finite, value, select(&x.is_nan(), x, beyond))
}

/// The logarithm of the probability of at most `k`, or of more: there are at most `k` where a
/// noncentral chi-squared number of `2 k + 2` degrees of freedom, of the noncentrality `2 b`, is
/// above `2 a`, and where one of `-2 k`, of `2 a`, is below `2 b` (N. L. Johnson, "On an extension
/// of the connexion between Poisson and chi-squared distributions", 1959).
#[track_caller]
fn below(k: &Array, a: &Array, b: &Array, above: bool) -> Array {
    let more = &k.ge(0.0);
    let half_df = select(more, k + 1.0, -k);
    let tail = tail(&select(more, a, b), &half_df, &select(more, b, a));
    let wanted = if above { !more } else { more.clone() };
    select(&wanted, tail.log_survival(), tail.log_cdf())
}

/// A search among what the numbers are more than one so far out that none below it counts.
#[track_caller]
fn inverse(q: &Array, a: &Array, b: &Array) -> Array {
    let [a, b] = &[a, b].map(Array::stop_gradient);
    let variance = &(a + b);
    let (mean, deviation) = (a - b, variance.sqrt());
    let least = &(&mean - &deviation * 60.0 - 3000.0).floor();
    let skewness = (a - b) / (variance * &deviation);
    let end = f64::INFINITY.into();
    let search = Search { q, moments: [mean - least, deviation, skewness], end };
    let found = quantile(
        &search,
        |k| below(&(k + least), a, b, false).exp(),
        |k| below(&(k + least), a, b, true).exp(),
    );
    select(&q.eq(0.0), f64::NEG_INFINITY, found + least)
}
