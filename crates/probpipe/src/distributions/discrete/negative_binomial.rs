//! The negative binomial distribution, by the probability of what is counted and by its log-odds.

use super::masses::{self, Counts, LogMass, rounding_of_product};
use super::modes::{at_most, excess, last_rise};
use super::steps::{
    Search, betainc_of_complement, endless, log_fraction, log_series, log_tail, quantile, steps,
};
use super::stirling::stirling_error;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, Key, Shape, betainc, select};

family! {
    /// The negative binomial distribution of counts before the `total_count`-th event of another
    /// kind, with probability `C(k + r - 1, k) p^k (1 - p)^r` of `k`. `total_count` need not be
    /// whole.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable; that of `probs` 1 is NaN.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::NegativeBinomial;
    /// let wins = NegativeBinomial::new(2.0, 0.5);
    /// let two = wins.prob(&array(2)).item::<f32>()?;
    /// assert!((two - 0.1875).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    NegativeBinomial::new {
        /// The number of events at which counting stops.
        total_count: Positive,
        /// The probability of what is counted.
        probs: UnitInterval,
    }
    on NonNegativeInteger {
        LogProb {
            log_prob(k) => {
                log_mass_of_probs(k, total_count, probs)
            }
        }
        Sample {
            draw(key, shape) => draws(key, shape, total_count, &(probs / (1.0 - probs)))
        }
        Cdf {
            cdf(x) => below(x, total_count, probs, &(1.0 - probs)),
            survival(x) => above(x, total_count, probs),
            log_cdf(x) => {
                let (p, q) = (probs, &(1.0 - probs));
                log_below(x, total_count, p, q, &|k| log_mass_of_probs(k, total_count, p))
            },
            log_survival(x) => {
                let (p, q) = (probs, &(1.0 - probs));
                log_above(x, total_count, p, q, &|k| log_mass_of_probs(k, total_count, p))
            },
        }
        Quantile { quantile(q) => inverse(q, total_count, probs, &(1.0 - probs)) }
        Moments {
            mean => total_count * probs / (1.0 - probs),
            variance => total_count * probs / (1.0 - probs).square(),
        }
        Mode {
            mode => {
                let (more, one) = (&excess(total_count), &Array::from(1.0));
                let p = select(&probs.lt(1.0), probs, f64::NAN);
                let start = more * &p / (1.0 - &p);
                last_rise(&start, |k| at_most([k, one], [&(k + more), &p]))
            }
        }
    }
}

family! {
    /// The negative binomial distribution of what has the probability `1 / (1 + exp(-logits))`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::NegativeBinomial;
    /// let wins = NegativeBinomial::from_logits(2.0, 0.0);
    /// assert_eq!(wins.mean().item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    NegativeBinomialLogits::new {
        /// The number of events at which counting stops.
        total_count: Positive,
        /// The logarithm of the odds of what is counted.
        logits: Real,
    }
    on NonNegativeInteger {
        LogProb {
            log_prob(k) => {
                log_mass_of_logits(k, total_count, logits)
            }
        }
        Sample { draw(key, shape) => draws(key, shape, total_count, &logits.exp()) }
        Cdf {
            cdf(x) => below(x, total_count, &logits.sigmoid(), &(-logits).sigmoid()),
            survival(x) => above(x, total_count, &logits.sigmoid()),
            log_cdf(x) => {
                let (p, q) = (&logits.sigmoid(), &(-logits).sigmoid());
                log_below(x, total_count, p, q, &|k| log_mass_of_logits(k, total_count, logits))
            },
            log_survival(x) => {
                let (p, q) = (&logits.sigmoid(), &(-logits).sigmoid());
                log_above(x, total_count, p, q, &|k| log_mass_of_logits(k, total_count, logits))
            },
        }
        Quantile {
            quantile(q) => inverse(q, total_count, &logits.sigmoid(), &(-logits).sigmoid())
        }
        Moments {
            mean => total_count * logits.exp(),
            variance => total_count * logits.exp() * (logits.exp() + 1.0),
        }
        Mode {
            mode => {
                let more = excess(total_count);
                // Of none the odds may be infinite.
                let odds = select(&more.eq(0.0), logits * 0.0, logits).exp();
                (more * odds).stop_gradient().floor()
            }
        }
    }
}

impl NegativeBinomial {
    /// By the logarithm of the odds of what is counted.
    #[track_caller]
    pub fn from_logits(
        total_count: impl Into<Array>,
        logits: impl Into<Array>,
    ) -> NegativeBinomialLogits {
        NegativeBinomialLogits::new(total_count, logits)
    }
}

/// `log(C(k + r - 1, k) p^k q^r)`, the binomial one times `r / (k + r)`.
#[track_caller]
pub(super) fn log_mass(
    k: &Array,
    r: &Array,
    excess: &Array,
    log_p: &Array,
    log_q: &Array,
) -> Array {
    let counts = Counts { k, m: r, n: &(k + r), error_of_m: stirling_error };
    masses::binomial(&counts, excess, log_p, log_q) - (k / r).log1p()
}

#[track_caller]
fn log_mass_of_probs(k: &Array, r: &Array, p: &Array) -> Array {
    let q = &(1.0 - p);
    let rounding = rounding_of_product(r, p) - rounding_of_product(k, q) - k * ((1.0 - q) - p);
    let excess = r * p - k * q + rounding.stop_gradient();
    log_mass(k, r, &excess, &select(&k.eq(0.0), 1.0, p).log(), &(-p).log1p())
}

#[track_caller]
fn log_mass_of_logits(k: &Array, r: &Array, logits: &Array) -> Array {
    let excess = r * logits.sigmoid() - k * (-logits).sigmoid();
    log_mass(k, r, &excess, &logits.log_sigmoid(), &(-logits).log_sigmoid())
}

/// Poisson counts whose rate has a gamma distribution of mean `r odds`.
#[track_caller]
pub(super) fn draws(key: Key, shape: &Shape, r: &Array, odds: &Array) -> Array {
    let (of_rate, of_count) = key.split();
    let rate = random::gamma(of_rate, shape, r) * odds;
    random::poisson(of_count, shape, rate)
}

#[track_caller]
pub(super) fn below(x: &Array, r: &Array, p: &Array, q: &Array) -> Array {
    steps(x, &endless(), (0.0, 1.0), |k| betainc_of_complement(r, &(k + 1.0), p, q))
}

#[track_caller]
pub(super) fn above(x: &Array, r: &Array, p: &Array) -> Array {
    steps(x, &endless(), (1.0, 0.0), |k| betainc(k + 1.0, r, p))
}

#[track_caller]
pub(super) fn log_below(
    x: &Array,
    r: &Array,
    p: &Array,
    q: &Array,
    log_mass: LogMass<'_>,
) -> Array {
    let p_or_one = &select(&p.gt(0.0), p, 1.0);
    steps(x, &endless(), (f64::NEG_INFINITY, 0.0), |k| {
        let (below, above) = (below(k, r, p, q), above(k, r, p));
        // After the last count, 0, all ratios are zero.
        let ratio = |i: &Array| {
            let left = &(k - i).maximum(0.0);
            let more = r + (left - 1.0);
            left / (select(&more.gt(0.0), &more, 1.0) * p_or_one)
        };
        log_tail(&below, &above, &log_mass(k), |lost| log_series(lost, ratio))
    })
}

/// `p / q` and the logarithm of `q`, where that is not zero.
#[track_caller]
fn odds(p: &Array, q: &Array) -> (Array, Array) {
    let q = select(&q.gt(0.0), q, 1.0);
    (p / &q, q.log())
}

#[track_caller]
pub(super) fn log_above(
    x: &Array,
    r: &Array,
    p: &Array,
    q: &Array,
    log_mass: LogMass<'_>,
) -> Array {
    let (odds, log_q) = odds(p, q);
    steps(x, &endless(), (0.0, f64::NEG_INFINITY), |k| {
        let (below, above) = (below(k, r, p, q), above(k, r, p));
        // The series `2F1(1, r + first; first + 1; p)` is as long as the standard deviation; by
        // Pfaff's transformation it is `2F1(1, 1 - r; first + 1; -p/q) / q`.
        let first = &(k + 1.0);
        log_tail(&above, &below, &log_mass(first), |lost| {
            log_fraction(lost, &(1.0 - r), &(first + 1.0), &odds) - &log_q
        })
    })
}

#[track_caller]
pub(super) fn inverse(level: &Array, r: &Array, p: &Array, q: &Array) -> Array {
    let [r, p, q] = [r, p, q].map(Array::stop_gradient);
    let deviation = (&r * &p).sqrt() / &q;
    let skewness = (&p + 1.0) / (&r * &p).sqrt();
    let search = Search { q: level, moments: [&r * &p / &q, deviation, skewness], end: endless() };
    quantile(&search, |k| below(k, &r, &p, &q), |k| above(k, &r, &p))
}
