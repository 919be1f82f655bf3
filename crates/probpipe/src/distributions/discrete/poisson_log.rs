//! The Poisson distribution by the logarithm of its rate, which may be too large or too small for
//! the rate to be a number.

use super::Poisson;
use super::masses::{self, divergence_of_logs};
use super::steps::{Search, endless, log_series, log_tail, quantile, steps};
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, DType, gammainc, gammaincc, select};

/// The sampler takes no infinite rates; draws of this one are the largest `i32` too.
const BEYOND_COUNTS: f64 = 1e30;

family! {
    /// The Poisson distribution of counts whose mean is `exp(log_rate)`, as regressions have it.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the rate without its fraction.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Poisson;
    /// let rare = Poisson::from_log_rate(-200.0);
    /// assert_eq!(rare.log_prob(&array(1)).item::<f32>()?, -200.0);
    /// let calls = Poisson::from_log_rate([0.5, 2.0]);
    /// assert!((calls.mean() - array([0.5, 2.0]).exp()).abs().max().item::<f32>()? < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    PoissonLog::new {
        /// The logarithm of the mean.
        log_rate: Real,
    }
    on NonNegativeInteger {
        LogProb { log_prob(k) => log_mass(k, log_rate) }
        Sample {
            draw(key, shape) => random::poisson(key, shape, log_rate.exp().minimum(BEYOND_COUNTS))
        }
        Cdf {
            cdf(x) => below(x, &finite(log_rate).exp()),
            survival(x) => above(x, &finite(log_rate).exp()),
            log_cdf(x) => {
                let rate = &finite(log_rate).exp();
                // Of a rate of zero no ratio is asked for.
                let some = &select(&rate.gt(0.0), rate, 1.0);
                steps(x, &endless(), (f64::NEG_INFINITY, 0.0), |k| {
                    log_tail(&below(k, rate), &above(k, rate), &log_mass(k, log_rate), |lost| {
                        log_series(lost, |i| (k - i) / some)
                    })
                })
            },
            log_survival(x) => {
                let log_rate = &finite(log_rate);
                let rate = &log_rate.exp();
                steps(x, &endless(), (0.0, f64::NEG_INFINITY), |k| {
                    let first = &(k + 1.0);
                    let log_first = log_mass(first, log_rate);
                    log_tail(&above(k, rate), &below(k, rate), &log_first, |lost| {
                        log_series(lost, |i| rate / (first + 1.0 + i))
                    })
                })
            },
        }
        Quantile {
            quantile(q) => {
                let log_rate = log_rate.stop_gradient();
                let rate = &finite(&log_rate).exp();
                let deviation = rate.sqrt();
                let moments = [rate.clone(), deviation.clone(), deviation.recip()];
                let search = Search { q, moments, end: endless() };
                let found = quantile(&search, |k| below(k, rate), |k| above(k, rate));
                let endless = log_rate.exp().eq(f64::INFINITY) & q.gt(0.0) & q.le(1.0);
                select(&endless, f64::INFINITY, found)
            }
        }
        Moments { mean => log_rate.exp(), variance => log_rate.exp() }
        Mode { mode => log_rate.stop_gradient().exp().floor() }
    }
}

impl KlDivergence for PoissonLog {
    fn kl_divergence(&self, other: &PoissonLog) -> Array {
        let ([log_rate], [of_other]) = (&self.checked(), &other.checked());
        divergence_of_logs(log_rate, of_other)
    }
}

impl Poisson {
    /// By the logarithm of the mean.
    #[track_caller]
    #[doc(alias = "stan.poisson_log")]
    #[doc(alias = "tfp.log_rate")]
    pub fn from_log_rate(log_rate: impl Into<Array>) -> PoissonLog {
        PoissonLog::new(log_rate)
    }
}

#[track_caller]
fn log_mass(k: &Array, log_rate: &Array) -> Array {
    masses::poisson_by_log(k, &log_rate.exp(), log_rate)
}

/// The logarithm of the rate, or nearly of the largest number where the rate is infinite.
#[track_caller]
fn finite(log_rate: &Array) -> Array {
    log_rate.minimum(if log_rate.dtype() == DType::F64 { 709.7 } else { 88.7 })
}

#[track_caller]
fn below(x: &Array, rate: &Array) -> Array {
    steps(x, &endless(), (0.0, 1.0), |k| gammaincc(k + 1.0, rate))
}

#[track_caller]
fn above(x: &Array, rate: &Array) -> Array {
    steps(x, &endless(), (1.0, 0.0), |k| gammainc(k + 1.0, rate))
}
