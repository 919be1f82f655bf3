//! Poisson counts of a gamma-distributed rate, by the parameters of that and by the mean: negative
//! binomial distributions under other names.

use super::masses::rounding_of_product;
use super::modes::{at_most, excess, last_rise};
use super::negative_binomial::{above, below, draws, inverse, log_above, log_below, log_mass};
use crate::distributions::declaration::family;
use probpipe_trace::Array;

family! {
    /// The distribution of Poisson counts whose rate has a gamma distribution.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable.
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
                log_mass_of_rate(k, concentration, rate)
            }
        }
        Sample { draw(key, shape) => draws(key, shape, concentration, &rate.recip()) }
        Cdf {
            cdf(x) => below(x, concentration, &share(1.0, rate), &share(rate, 1.0)),
            survival(x) => above(x, concentration, &share(1.0, rate)),
            log_cdf(x) => {
                let (p, q) = (&share(1.0, rate), &share(rate, 1.0));
                log_below(x, concentration, p, q, &|k| log_mass_of_rate(k, concentration, rate))
            },
            log_survival(x) => {
                let (p, q) = (&share(1.0, rate), &share(rate, 1.0));
                log_above(x, concentration, p, q, &|k| log_mass_of_rate(k, concentration, rate))
            },
        }
        Quantile {
            quantile(q) => inverse(q, concentration, &share(1.0, rate), &share(rate, 1.0))
        }
        Moments {
            mean => concentration / rate,
            variance => concentration / rate * (rate.recip() + 1.0),
        }
        Mode {
            mode => {
                let (more, one) = (&excess(concentration), &Array::from(1.0));
                last_rise(&(more / rate), |k| at_most([k, rate], [more, one]))
            }
        }
    }
}

family! {
    /// The negative binomial distribution by its mean and its concentration, of variance
    /// `mean + mean^2 / concentration`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is the larger one where two counts are
    /// as probable.
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
                log_mass_of_mean(k, mean, concentration)
            }
        }
        Sample { draw(key, shape) => draws(key, shape, concentration, &(mean / concentration)) }
        Cdf {
            cdf(x) => {
                below(x, concentration, &share(mean, concentration), &share(concentration, mean))
            },
            survival(x) => above(x, concentration, &share(mean, concentration)),
            log_cdf(x) => {
                let (p, q) = (&share(mean, concentration), &share(concentration, mean));
                log_below(x, concentration, p, q, &|k| log_mass_of_mean(k, mean, concentration))
            },
            log_survival(x) => {
                let (p, q) = (&share(mean, concentration), &share(concentration, mean));
                log_above(x, concentration, p, q, &|k| log_mass_of_mean(k, mean, concentration))
            },
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
        Mode {
            mode => {
                let more = &excess(concentration);
                let start = more / concentration * mean;
                last_rise(&start, |k| at_most([k, concentration], [more, mean]))
            }
        }
    }
}

#[track_caller]
fn log_mass_of_rate(k: &Array, concentration: &Array, rate: &Array) -> Array {
    let rounding = rounding_of_product(k, rate).stop_gradient();
    let excess = (concentration - k * rate - rounding) / (rate + 1.0);
    log_mass(k, concentration, &excess, &-rate.log1p(), &-rate.recip().log1p())
}

#[track_caller]
fn log_mass_of_mean(k: &Array, mean: &Array, concentration: &Array) -> Array {
    let excess = (mean - k) * share(concentration, mean);
    let log_p = -(concentration / mean).log1p();
    let log_q = -(mean / concentration).log1p();
    log_mass(k, concentration, &excess, &log_p, &log_q)
}

/// `a / (a + b)`.
#[track_caller]
fn share(a: impl Into<Array>, b: impl Into<Array>) -> Array {
    let (a, b) = (&a.into(), &b.into());
    a / (a + b)
}
