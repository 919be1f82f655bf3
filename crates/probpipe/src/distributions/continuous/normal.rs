//! The normal distribution.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;

family! {
    /// The normal distribution, of density `exp(-((x - loc) / scale)^2 / 2) / (sqrt(2 pi) scale)`.
    ///
    /// Its sampler `loc + scale * z` is reparameterised: differentiable in both parameters.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let n = Normal::new(2.0, 0.5);
    /// let density = n.log_prob(&array([1.5, 2.0])).exp();
    /// assert!((density.at(1).item::<f32>()? - 0.7978846).abs() < 1e-6);
    /// let draws = n.sample(Key::new(0), [1000]);
    /// assert_eq!(draws.shape(), [1000]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Normal::new {
        /// The mean.
        loc: Real,
        /// The standard deviation.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => ((x - loc) / scale).square() * -0.5 - (scale.log() + HALF_LOG_TAU)
        }
        Sample { normal(z) => z * scale + loc }
        Cdf {
            cdf(x) => ((x - loc) / scale).ndtr(),
            survival(x) => ((loc - x) / scale).ndtr(),
            log_cdf(x) => ((x - loc) / scale).log_ndtr(),
            log_survival(x) => ((loc - x) / scale).log_ndtr(),
        }
        Quantile {
            quantile(q) => q.ndtri() * scale + loc,
            upper_quantile(q) => loc - q.ndtri() * scale,
        }
        Moments { mean => loc.clone(), variance => scale.square() }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (HALF_LOG_TAU + 0.5) }
    }
}
