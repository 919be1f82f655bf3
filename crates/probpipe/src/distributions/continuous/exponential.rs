//! The exponential distribution.

use crate::distributions::declaration::family;

family! {
    /// The exponential distribution, of the time to the first of events that come at `rate`; its
    /// density is `rate exp(-rate x)`.
    ///
    /// Its sampler `-log(1 - u) / rate` is reparameterised.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let wait = Exponential::new(2.0);
    /// assert_eq!(wait.mean().item::<f32>()?, 0.5);
    /// assert_eq!(wait.log_survival(&array(300.0)).item::<f32>()?, -600.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Exponential::new {
        /// Events in a unit of time.
        rate: Positive,
    }
    on NonNegative {
        LogProb { log_prob(x) => rate.log() - rate * x }
        Sample { uniform(u) => -(-u).log1p() / rate }
        Cdf {
            cdf(x) => -(-rate * x).expm1(),
            survival(x) => (-rate * x).exp(),
            log_cdf(x) => (rate * x).log1mexp(),
            log_survival(x) => -rate * x,
        }
        Quantile { quantile(q) => -(-q).log1p() / rate, upper_quantile(q) => -q.log() / rate }
        Moments { mean => rate.recip(), variance => rate.square().recip() }
        Mode { mode => rate * 0.0 }
        Entropy { entropy => 1.0 - rate.log() }
    }
}
