//! The logistic distribution.

use crate::distributions::declaration::family;
use std::f64::consts::PI;

family! {
    /// The logistic distribution, whose distribution function is the logistic function of
    /// `(x - loc) / scale`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Logistic, prelude::*};
    /// let l = Logistic::new(1.0, 2.0);
    /// assert_eq!(l.cdf(&array(1.0)).item::<f32>()?, 0.5);
    /// assert_eq!(l.log_cdf(&array(-399.0)).item::<f32>()?, -200.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Logistic::new {
        /// The mean and the median.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let z = (x - loc) / scale;
                z.log_sigmoid() + (-z).log_sigmoid() - scale.log()
            }
        }
        Sample { logistic(z) => z * scale + loc }
        Cdf {
            cdf(x) => ((x - loc) / scale).sigmoid(),
            survival(x) => ((loc - x) / scale).sigmoid(),
            log_cdf(x) => ((x - loc) / scale).log_sigmoid(),
            log_survival(x) => ((loc - x) / scale).log_sigmoid(),
        }
        Quantile {
            quantile(q) => q.logit() * scale + loc,
            upper_quantile(q) => loc - q.logit() * scale,
        }
        Moments { mean => loc.clone(), variance => (scale * PI).square() / 3.0 }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + 2.0 }
    }
}
