//! Binomial and negative binomial counts whose probability has a beta distribution.

use super::masses::mixed_binomial;
use super::modes::{at_most, excess, last_rise};
use super::steps::{Search, endless, quantile, steps};
use super::{mixed, negative_binomial};
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, DType, select};

family! {
    /// The distribution of binomial counts whose probability of success has a beta distribution.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the largest one where several counts
    /// are as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::BetaBinomial;
    /// // A uniform probability makes all counts alike.
    /// let successes = BetaBinomial::new(1.0, 1.0, 4);
    /// assert!((successes.prob(&array(3)).item::<f32>()? - 0.2).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BetaBinomial::new {
        /// The first shape of the beta distribution, which draws to successes.
        concentration1: Positive,
        /// The second shape, which draws to failures.
        concentration0: Positive,
        /// The number of trials.
        total_count: NonNegativeInteger,
    }
    on IntegerInterval(0, total_count) {
        LogProb {
            log_prob(k) => {
                mixed_binomial(k, &(total_count - k), concentration1, concentration0)
            }
        }
        Sample {
            draw(key, shape) => {
                let (of_probs, of_count) = key.split();
                let probs = random::beta(of_probs, shape, concentration1, concentration0);
                random::binomial(of_count, shape, total_count, probs).cast(DType::I32)
            }
        }
        Cdf {
            cdf(x) => steps(x, total_count, (0.0, 1.0), |k| {
                mixed::binomial(k, total_count, concentration1, concentration0).cdf()
            }),
            survival(x) => steps(x, total_count, (1.0, 0.0), |k| {
                mixed::binomial(k, total_count, concentration1, concentration0).survival()
            }),
            log_cdf(x) => steps(x, total_count, (f64::NEG_INFINITY, 0.0), |k| {
                mixed::binomial(k, total_count, concentration1, concentration0).log_cdf()
            }),
            log_survival(x) => steps(x, total_count, (0.0, f64::NEG_INFINITY), |k| {
                mixed::binomial(k, total_count, concentration1, concentration0).log_survival()
            }),
        }
        Quantile {
            quantile(q) => {
                let parameters = [total_count, concentration1, concentration0];
                let [n, a, b] = &parameters.map(Array::stop_gradient);
                let sum = &(a + b);
                let deviation = (n * (a / sum) * (b / sum) * ((sum + n) / (sum + 1.0))).sqrt();
                let moments = [n * (a / sum), deviation, a * 0.0];
                let search = Search { q, moments, end: a * 0.0 + n };
                // The end of the support is known to be reached.
                let inner = |k: &Array| select(&k.lt(n), k, 0.0);
                let tail = |k: &Array| mixed::binomial(&inner(k), n, a, b);
                let at = |k: &Array, value: Array, end: f64| select(&k.lt(n), value, end);
                quantile(
                    &search,
                    |k| at(k, tail(k).cdf(), 1.0),
                    |k| at(k, tail(k).survival(), 0.0),
                )
            }
        }
        Moments {
            mean => total_count * (concentration1 / (concentration1 + concentration0)),
            variance => {
                let sum = &(concentration1 + concentration0);
                let share = concentration1 / sum * (concentration0 / sum);
                total_count * share * ((sum + total_count) / (sum + 1.0))
            },
        }
        Mode { mode => mode(concentration1, concentration0, total_count) }
    }
}

family! {
    /// The distribution of negative binomial counts whose probability has a beta distribution.
    ///
    /// Its draws are `i32` and not differentiable; the mean is infinite for `concentration0 <= 1`,
    /// the variance for `concentration0 <= 2`. The mode is the larger one where two counts are as
    /// probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::BetaNegativeBinomial;
    /// let counts = BetaNegativeBinomial::new(2.0, 3.0, 4.0);
    /// assert_eq!(counts.mean().item::<f32>()?, 4.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BetaNegativeBinomial::new {
        /// The first shape of the beta distribution, which draws to what is counted.
        concentration1: Positive,
        /// The second shape.
        concentration0: Positive,
        /// The number of events at which counting stops.
        n: Positive,
    }
    on NonNegativeInteger {
        LogProb {
            log_prob(k) => mixed::log_mass(k, n, concentration1, concentration0)
        }
        Sample {
            draw(key, shape) => {
                let (of_probs, of_count) = key.split();
                let probs = random::beta(of_probs, shape, concentration1, concentration0);
                negative_binomial::draws(of_count, shape, n, &(&probs / (1.0 - &probs)))
            }
        }
        Cdf {
            cdf(x) => steps(x, &endless(), (0.0, 1.0), |k| {
                mixed::negative_binomial(k, n, concentration1, concentration0).cdf()
            }),
            survival(x) => steps(x, &endless(), (1.0, 0.0), |k| {
                mixed::negative_binomial(k, n, concentration1, concentration0).survival()
            }),
            log_cdf(x) => steps(x, &endless(), (f64::NEG_INFINITY, 0.0), |k| {
                mixed::negative_binomial(k, n, concentration1, concentration0).log_cdf()
            }),
            log_survival(x) => steps(x, &endless(), (0.0, f64::NEG_INFINITY), |k| {
                mixed::negative_binomial(k, n, concentration1, concentration0).log_survival()
            }),
        }
        Quantile {
            quantile(q) => {
                let [n, a, b] = &[n, concentration1, concentration0].map(Array::stop_gradient);
                // The moments may be infinite; the search finds its way from the mode too.
                let middle = n * a / (b + 1.0);
                let moments = [middle.clone(), middle, n * 0.0];
                let search = Search { q, moments, end: endless() };
                let tail = |k: &Array| mixed::negative_binomial(k, n, a, b);
                quantile(&search, |k| tail(k).cdf(), |k| tail(k).survival())
            }
        }
        Moments {
            mean => {
                let finite = &concentration0.gt(1.0);
                let excess = select(finite, concentration0, 2.0) - 1.0;
                select(finite, n * concentration1 / excess, f64::INFINITY)
            },
            variance => {
                let finite = &concentration0.gt(2.0);
                let b = &(select(finite, concentration0, 3.0) - 1.0);
                let sides = (n + b) * (concentration1 + b);
                let variance = n * concentration1 * sides / ((b - 1.0) * b.square());
                select(finite, variance, f64::INFINITY)
            },
        }
        Mode {
            mode => {
                // Counts rise up to `(n - 1) (a - 1) / (b + 1)`, if both are positive.
                let (n, a, b) = (&excess(n), &excess(concentration1), &(concentration0 + 1.0));
                last_rise(&(n * (a / b)), |k| at_most([k, b], [n, a]))
            }
        }
    }
}

/// Where `a + b > 2`, beta binomial counts rise up to `(n + 1) (a - 1) / (a + b - 2)`, of what
/// there is of that between 0 and `n`; elsewhere they fall first, if at all, and an end is most
/// probable.
#[track_caller]
fn mode(a: &Array, b: &Array, n: &Array) -> Array {
    let n = &(a * 0.0 + n);
    let (left, total) = (&(a - 1.0), &((a - 1.0) + (b - 1.0)));
    let single = &total.gt(0.0);
    let (trials, total) = (&(n + 1.0), &select(single, total, 1.0));
    let peak = last_rise(&(trials * (left / total)), |k| at_most([k, total], [trials, left]));
    let end = select(&a.ge(b), n, select(&a.lt(b), n * 0.0, f64::NAN));
    select(single, peak.maximum(0.0).minimum(n), end).stop_gradient()
}
