//! The gamma distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_gammainc, log_gammaincc};
use crate::distributions::terms::{gamma_entropy, log_power};
use crate::random;
use probpipe_trace::{Array, gammainc, gammaincc, gammainccinv, gammaincinv};

family! {
    /// The gamma distribution, of density
    /// `rate^concentration x^(concentration - 1) exp(-rate x) / gamma(concentration)`.
    ///
    /// Draws are differentiable in both parameters, in the concentration implicitly.
    ///
    /// ```
    /// use probpipe::{Gamma, prelude::*};
    /// let g = Gamma::new(3.0, 2.0);
    /// assert_eq!(g.mean().item::<f32>()?, 1.5);
    /// assert_eq!(g.mode().item::<f32>()?, 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Gamma::new {
        /// The shape, of a whole number the number of waits that add up.
        concentration: Positive,
        /// The inverse of the scale.
        rate: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) =>
                log_power(&(concentration - 1.0), x) - rate * x
                    + (concentration * rate.log() - concentration.lgamma())
        }
        Sample {
            draw(key, shape, dtype) =>
                random::gamma(key, shape, concentration.in_dtype(dtype)) / rate
        }
        Cdf {
            cdf(x) => gammainc(concentration, rate * x),
            survival(x) => gammaincc(concentration, rate * x),
            log_cdf(x) => log_gammainc(concentration, &(rate * x)),
            log_survival(x) => log_gammaincc(concentration, &(rate * x)),
        }
        Quantile {
            quantile(q) => gammaincinv(concentration, q) / rate,
            upper_quantile(q) => gammainccinv(concentration, q) / rate,
        }
        Moments { mean => concentration / rate, variance => concentration / rate.square() }
        Mode { mode => (concentration - 1.0).maximum(0.0) / rate }
        Entropy { entropy => gamma_entropy(concentration) - rate.log() }
    }
}

impl Gamma {
    /// With a scale, the inverse of the rate.
    #[track_caller]
    pub fn with_scale(concentration: impl Into<Array>, scale: impl Into<Array>) -> Gamma {
        Gamma::new(concentration, scale.into().recip())
    }
}
