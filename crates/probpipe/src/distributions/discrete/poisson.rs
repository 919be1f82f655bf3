//! The Poisson distribution.

use super::masses;
use super::steps::{Search, endless, quantile, steps};
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{Array, gammainc, gammaincc};

family! {
    /// The Poisson distribution of counts, with probability `rate^k exp(-rate) / k!` of `k`.
    ///
    /// Its draws are `i32` and not differentiable.
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
    }
}

impl KlDivergence for Poisson {
    fn kl_divergence(&self, other: &Poisson) -> Array {
        let ([rate], [of_other]) = (&self.checked(), &other.checked());
        masses::divergence(rate, of_other)
    }
}
