//! The binomial distribution, by the probability of success and by its log-odds.

use super::masses::{self, Counts, LogMass, excess_of_trials};
use super::modes::{at_most, last_rise};
use super::steps::{Search, betainc_of_complement, log_series, log_tail, quantile, steps};
use super::stirling::error_from_one;
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, DType, betainc, select};

family! {
    /// The binomial distribution of the successes in `total_count` independent trials, with
    /// probability `C(n, k) p^k (1 - p)^(n - k)` of `k`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Binomial;
    /// let heads = Binomial::new(3, 0.5);
    /// assert_eq!(heads.prob(&array([0, 4])).to_vec::<f32>()?, [0.125, 0.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Binomial::new {
        /// The number of trials.
        total_count: NonNegativeInteger,
        /// The probability of success.
        probs: UnitInterval,
    }
    on IntegerInterval(0, total_count) {
        LogProb {
            log_prob(k) => {
                log_mass(k, total_count, probs)
            }
        }
        Sample { draw(key, shape) => draws(random::binomial(key, shape, total_count, probs)) }
        Cdf {
            cdf(x) => below(x, total_count, probs, &(1.0 - probs)),
            survival(x) => above(x, total_count, probs),
            log_cdf(x) => {
                let (p, q) = (probs, &(1.0 - probs));
                log_below(x, total_count, p, q, &|k| log_mass(k, total_count, p))
            },
            log_survival(x) => {
                let (p, q) = (probs, &(1.0 - probs));
                log_above(x, total_count, p, q, &|k| log_mass(k, total_count, p))
            },
        }
        Quantile { quantile(q) => inverse(q, total_count, probs, &(1.0 - probs)) }
        Moments {
            mean => total_count * probs,
            variance => total_count * probs * (1.0 - probs),
        }
        Mode { mode => mode(total_count, probs) }
    }
}

impl KlDivergence for Binomial {
    /// Of distributions with as many trials; NaN where the numbers of trials differ.
    fn kl_divergence(&self, other: &Binomial) -> Array {
        let ([n, p], [of_other, q]) = (&self.checked(), &other.checked());
        let same = (n - of_other).eq(0);
        n * select(&same, masses::divergence_of_trials(p, q), f64::NAN)
    }
}

family! {
    /// The binomial distribution of trials that succeed with probability `1 / (1 + exp(-logits))`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Binomial;
    /// let rare = Binomial::from_logits(2, -100.0);
    /// assert_eq!(rare.log_prob(&array(2)).item::<f32>()?, -200.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BinomialLogits::new {
        /// The number of trials.
        total_count: NonNegativeInteger,
        /// The logarithm of the odds of success.
        logits: Real,
    }
    on IntegerInterval(0, total_count) {
        LogProb {
            log_prob(k) => {
                log_mass_of_logits(k, total_count, logits)
            }
        }
        Sample {
            draw(key, shape) => {
                draws(random::binomial(key, shape, total_count, logits.sigmoid()))
            }
        }
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
            mean => total_count * logits.sigmoid(),
            variance => total_count * logits.sigmoid() * (-logits).sigmoid(),
        }
        Mode { mode => mode(total_count, &logits.sigmoid()) }
    }
}

impl Binomial {
    /// By the logarithm of the odds of success.
    #[track_caller]
    pub fn from_logits(total_count: impl Into<Array>, logits: impl Into<Array>) -> BinomialLogits {
        BinomialLogits::new(total_count, logits)
    }
}

/// Counts that a sampler gives as floats.
#[track_caller]
fn draws(counts: Array) -> Array {
    counts.cast(DType::I32)
}

/// Counts rise up to `(n + 1) p`.
#[track_caller]
fn mode(n: &Array, p: &Array) -> Array {
    let (n, one) = (&(p * 0.0 + n), &Array::from(1.0));
    let trials = &(n + 1.0);
    last_rise(&(trials * p), |k| at_most([k, one], [trials, p])).minimum(n)
}

#[track_caller]
fn below(x: &Array, n: &Array, p: &Array, q: &Array) -> Array {
    steps(x, n, (0.0, 1.0), |k| betainc_of_complement(&failures(n, k), &(k + 1.0), p, q))
}

#[track_caller]
fn above(x: &Array, n: &Array, p: &Array) -> Array {
    steps(x, n, (1.0, 0.0), |k| betainc(k + 1.0, failures(n, k), p))
}

#[track_caller]
fn log_mass(k: &Array, n: &Array, p: &Array) -> Array {
    let m = &(n - k);
    // A float, if it is none.
    let n = &(p * 0.0 + n);
    let counts = Counts { k, m, n, error_of_m: error_from_one };
    let excess = excess_of_trials(&counts, p, &(1.0 - p));
    // The logarithm that does not count is that of a sure event.
    let log_p = select(&k.eq(0.0), 1.0, p).log();
    let log_q = select(&m.eq(0.0), 0.0, -p).log1p();
    masses::binomial(&counts, &excess, &log_p, &log_q)
}

#[track_caller]
fn log_mass_of_logits(k: &Array, n: &Array, logits: &Array) -> Array {
    let m = &(n - k);
    let (p, q) = (&logits.sigmoid(), &(-logits).sigmoid());
    let n = &(p * 0.0 + n);
    let counts = Counts { k, m, n, error_of_m: error_from_one };
    let excess = excess_of_trials(&counts, p, q);
    masses::binomial(&counts, &excess, &logits.log_sigmoid(), &(-logits).log_sigmoid())
}

#[track_caller]
fn log_below(x: &Array, n: &Array, p: &Array, q: &Array, log_mass: LogMass<'_>) -> Array {
    // Of a chance of zero this tail is all, and no ratio is asked for.
    let odds = q / select(&p.gt(0.0), p, 1.0);
    steps(x, n, (f64::NEG_INFINITY, 0.0), |k| {
        let (below, above) = (below(k, n, p, q), above(k, n, p));
        let ratio = |i: &Array| (k - i) / (failures(n, k) + 1.0 + i) * &odds;
        log_tail(&below, &above, &log_mass(k), |lost| log_series(lost, ratio))
    })
}

#[track_caller]
fn log_above(x: &Array, n: &Array, p: &Array, q: &Array, log_mass: LogMass<'_>) -> Array {
    let odds = p / select(&q.gt(0.0), q, 1.0);
    steps(x, n, (0.0, f64::NEG_INFINITY), |k| {
        let (below, above) = (below(k, n, p, q), above(k, n, p));
        // Where there is no count above the first one the ratio is zero.
        let ratio = |i: &Array| (failures(n, k) - 1.0 - i) / (k + 2.0 + i) * &odds;
        let first = k + 1.0;
        let first = select(&first.le(n), &first, k);
        log_tail(&above, &below, &log_mass(&first), |lost| log_series(lost, ratio))
    })
}

/// `n - k` where that is positive.
#[track_caller]
fn failures(n: &Array, k: &Array) -> Array {
    let rest = n - k;
    select(&rest.gt(0.0), &rest, 1.0)
}

#[track_caller]
fn inverse(level: &Array, n: &Array, p: &Array, q: &Array) -> Array {
    let [n, p, q] = [n, p, q].map(Array::stop_gradient);
    let deviation = (&n * &p * &q).sqrt();
    let skewness = select(&deviation.gt(0.0), (&q - &p) / &deviation, 0.0);
    let search = Search { q: level, moments: [&n * &p, deviation, skewness], end: &p * 0.0 + &n };
    quantile(&search, |k| below(k, &n, &p, &q), |k| above(k, &n, &p))
}
