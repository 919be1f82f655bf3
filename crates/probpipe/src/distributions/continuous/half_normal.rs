//! The half-normal distribution.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, LN_2, SQRT_2};

family! {
    /// The half-normal distribution, of the absolute value of a normal variable of mean 0 and
    /// standard deviation `scale`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{HalfNormal, prelude::*};
    /// let h = HalfNormal::new(1.0);
    /// assert!((h.mean().item::<f32>()? - 0.7978846).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    HalfNormal::new {
        /// The standard deviation of the normal variable.
        scale: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) => (x / scale).square() * -0.5 - (scale.log() + (HALF_LOG_TAU - LN_2))
        }
        Sample { normal(z) => z.abs() * scale }
        Cdf {
            cdf(x) => (x / scale * FRAC_1_SQRT_2).erf(),
            survival(x) => (-x / scale).ndtr() * 2.0,
            log_survival(x) => (-x / scale).log_ndtr() + LN_2,
        }
        Quantile {
            quantile(q) => q.erf_inv() * scale * SQRT_2,
            upper_quantile(q) => q.erfc_inv() * scale * SQRT_2,
        }
        Moments {
            mean => scale * FRAC_2_PI.sqrt(),
            variance => scale.square() * (1.0 - FRAC_2_PI),
        }
        Mode { mode => scale * 0.0 }
        Entropy { entropy => scale.log() + (HALF_LOG_TAU - LN_2 + 0.5) }
    }
}
