//! The Poisson distribution.

use super::masses;
use super::steps::{Search, endless, log_series, log_tail, quantile, steps};
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, gammainc, gammaincc};

family! {
    /// The Poisson distribution of counts, with probability `rate^k exp(-rate) / k!` of `k`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the rate without its fraction; a
    /// whole rate is as probable as the count before it.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Poisson;
    /// let calls = Poisson::new(2.0);
    /// let none = calls.prob(&array(0)).item::<f32>()?;
    /// assert!((none - (-2f32).exp()).abs() < 1e-7);
    /// let few = calls.quantile(&array([0.1, 0.5, 1.0]));
    /// assert_eq!(few.to_vec::<f32>()?, [0.0, 2.0, f32::INFINITY]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Poisson::new {
        /// The mean.
        rate: Positive,
    }
    on NonNegativeInteger {
        LogProb { log_prob(k) => masses::poisson(k, rate) }
        Sample { draw(key, shape) => random::poisson(key, shape, rate) }
        Cdf {
            cdf(x) => steps(x, &endless(), (0.0, 1.0), |k| gammaincc(k + 1.0, rate)),
            survival(x) => steps(x, &endless(), (1.0, 0.0), |k| gammainc(k + 1.0, rate)),
            log_cdf(x) => steps(x, &endless(), (f64::NEG_INFINITY, 0.0), |k| {
                let (below, above) = (gammaincc(k + 1.0, rate), gammainc(k + 1.0, rate));
                log_tail(&below, &above, &masses::poisson(k, rate), |lost| {
                    log_series(lost, |i| (k - i) / rate)
                })
            }),
            log_survival(x) => steps(x, &endless(), (0.0, f64::NEG_INFINITY), |k| {
                let first = &(k + 1.0);
                let (below, above) = (gammaincc(first, rate), gammainc(first, rate));
                log_tail(&above, &below, &masses::poisson(first, rate), |lost| {
                    log_series(lost, |i| rate / (first + 1.0 + i))
                })
            }),
        }
        Quantile {
            quantile(q) => {
                let rate = &rate.stop_gradient();
                let deviation = rate.sqrt();
                let moments = [rate.clone(), deviation.clone(), deviation.recip()];
                quantile(
                    &Search { q, moments, end: endless() },
                    |k| gammaincc(k + 1.0, rate),
                    |k| gammainc(k + 1.0, rate),
                )
            }
        }
        Moments { mean => rate.clone(), variance => rate.clone() }
        Mode { mode => rate.stop_gradient().floor() }
    }
}

impl KlDivergence for Poisson {
    fn kl_divergence(&self, other: &Poisson) -> Array {
        let ([rate], [of_other]) = (&self.checked(), &other.checked());
        masses::divergence(rate, of_other)
    }
}
