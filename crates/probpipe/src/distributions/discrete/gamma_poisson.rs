//! Poisson counts of a gamma-distributed rate, by the parameters of that and by the mean: negative
//! binomial distributions under other names.

use super::masses::rounding_of_product;
use super::negative_binomial::{above, below, draws, inverse, log_mass};
use crate::distributions::declaration::family;
use probpipe_trace::Array;

family! {
    /// The distribution of Poisson counts whose rate has a gamma distribution.
    ///
    /// Its draws are `i32` and not differentiable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::GammaPoisson;
    /// let counts = GammaPoisson::new(3.0, 1.5);
    /// assert_eq!(counts.mean().item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GammaPoisson::new {
        /// The shape of the gamma distribution.
        concentration: Positive,
        /// Its inverse scale.
        rate: Positive,
    }
    on NonNegativeInteger {
        LogProb {
            log_prob(k) => {
                let rounding = rounding_of_product(k, rate).stop_gradient();
                let excess = (concentration - k * rate - rounding) / (rate + 1.0);
                let (log_p, log_q) = (-rate.log1p(), -rate.recip().log1p());
                log_mass(k, concentration, &excess, &log_p, &log_q)
            }
        }
        Sample { draw(key, shape) => draws(key, shape, concentration, &rate.recip()) }
        Cdf {
            cdf(x) => below(x, concentration, &share(1.0, rate), &share(rate, 1.0)),
            survival(x) => above(x, concentration, &share(1.0, rate)),
        }
        Quantile {
            quantile(q) => inverse(q, concentration, &share(1.0, rate), &share(rate, 1.0))
        }
        Moments {
            mean => concentration / rate,
            variance => concentration / rate * (rate.recip() + 1.0),
        }
    }
}

family! {
    /// The negative binomial distribution by its mean and its concentration, of variance
    /// `mean + mean^2 / concentration`.
    ///
    /// Its draws are `i32` and not differentiable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::NegativeBinomial2;
    /// let counts = NegativeBinomial2::new(4.0, 2.0);
    /// assert_eq!(counts.variance().item::<f32>()?, 12.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    NegativeBinomial2::new {
        /// The mean.
        mean: Positive,
        /// The shape of the gamma distribution of the Poisson rate.
        concentration: Positive,
    }
    on NonNegativeInteger {
        LogProb {
            log_prob(k) => {
                let excess = (mean - k) * share(concentration, mean);
                let log_p = -(concentration / mean).log1p();
                let log_q = -(mean / concentration).log1p();
                log_mass(k, concentration, &excess, &log_p, &log_q)
            }
        }
        Sample { draw(key, shape) => draws(key, shape, concentration, &(mean / concentration)) }
        Cdf {
            cdf(x) => {
                below(x, concentration, &share(mean, concentration), &share(concentration, mean))
            },
            survival(x) => above(x, concentration, &share(mean, concentration)),
        }
        Quantile {
            quantile(q) => {
                inverse(q, concentration, &share(mean, concentration), &share(concentration, mean))
            }
        }
        Moments {
            mean => mean.clone(),
            variance => mean + mean.square() / concentration,
        }
    }
}

/// `a / (a + b)`.
#[track_caller]
fn share(a: impl Into<Array>, b: impl Into<Array>) -> Array {
    let (a, b) = (&a.into(), &b.into());
    a / (a + b)
}
