//! The log-normal distribution.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;

family! {
    /// The log-normal distribution, of the exponential of a normal variable with mean `loc` and
    /// standard deviation `scale`.
    ///
    /// Its sampler `exp(loc + scale z)` is reparameterised.
    ///
    /// ```
    /// use probpipe::{LogNormal, prelude::*};
    /// let l = LogNormal::new(0.0, 1.0);
    /// assert_eq!(l.median().item::<f32>()?, 1.0);
    /// assert_eq!(l.mean().item::<f32>()?, 0.5f32.exp());
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LogNormal::new {
        /// The mean of the logarithm.
        loc: Real,
        /// The standard deviation of the logarithm.
        scale: Positive,
    }
    on Positive {
        LogProb {
            log_prob(x) => {
                let log = x.log();
                ((&log - loc) / scale).square() * -0.5 - log - (scale.log() + HALF_LOG_TAU)
            }
        }
        Sample { normal(z) => (z * scale + loc).exp() }
        Cdf {
            cdf(x) => ((x.log() - loc) / scale).ndtr(),
            survival(x) => ((loc - x.log()) / scale).ndtr(),
            log_cdf(x) => ((x.log() - loc) / scale).log_ndtr(),
            log_survival(x) => ((loc - x.log()) / scale).log_ndtr(),
        }
        Quantile {
            quantile(q) => (q.ndtri() * scale + loc).exp(),
            upper_quantile(q) => (loc - q.ndtri() * scale).exp(),
        }
        Moments {
            mean => (loc + scale.square() * 0.5).exp(),
            variance => {
                let square = scale.square();
                square.expm1() * (loc * 2.0 + square).exp()
            },
        }
        Mode { mode => (loc - scale.square()).exp() }
        Entropy { entropy => loc + scale.log() + (HALF_LOG_TAU + 0.5) }
    }
}
