//! The inverse gamma distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_gammainc, log_gammaincc};
use crate::random::loggamma;
use probpipe_trace::{gammainc, gammaincc, gammainccinv, gammaincinv, select};

family! {
    /// The inverse gamma distribution, of one over a gamma variable; its density is
    /// `rate^concentration x^(-concentration - 1) exp(-rate / x) / gamma(concentration)`.
    ///
    /// Draws are differentiable in both parameters, in the concentration implicitly.
    ///
    /// ```
    /// use probpipe::{InverseGamma, prelude::*};
    /// let g = InverseGamma::new(3.0, 2.0);
    /// assert_eq!(g.mean().item::<f32>()?, 1.0);
    /// assert_eq!(g.mode().item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    InverseGamma::new {
        /// The shape: the density falls with its power plus 1.
        concentration: Positive,
        /// The scale: the rate of the gamma variable.
        rate: Positive,
    }
    on Positive {
        LogProb {
            log_prob(x) =>
                -(concentration + 1.0) * x.log() - rate / x
                    + (concentration * rate.log() - concentration.lgamma())
        }
        Sample {
            draw(key, shape, dtype) =>
                (-loggamma(key, shape, concentration.in_dtype(dtype))).exp() * rate
        }
        Cdf {
            cdf(x) => gammaincc(concentration, rate / x),
            survival(x) => gammainc(concentration, rate / x),
            log_cdf(x) => log_gammaincc(concentration, &(rate / x)),
            log_survival(x) => log_gammainc(concentration, &(rate / x)),
        }
        Quantile {
            quantile(q) => rate / gammainccinv(concentration, q),
            upper_quantile(q) => rate / gammaincinv(concentration, q),
        }
        Moments {
            mean => {
                let finite = concentration.gt(1.0);
                let a = select(&finite, concentration, 2.0);
                select(&finite, rate / (a - 1.0), f64::INFINITY)
            },
            variance => {
                let finite = concentration.gt(2.0);
                let a = select(&finite, concentration, 3.0);
                let variance = (rate / (&a - 1.0)).square() / (a - 2.0);
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => rate / (concentration + 1.0) }
        Entropy {
            entropy =>
                concentration + concentration.lgamma() + rate.log()
                    - (concentration + 1.0) * concentration.digamma()
        }
    }
}
