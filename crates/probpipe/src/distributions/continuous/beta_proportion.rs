//! The beta distribution by its mean.

use super::beta::{above, entropy, log_above, log_below, log_density, peak};
use crate::distributions::declaration::family;
use crate::random;
use probpipe_trace::{betainc, betaincinv};

family! {
    /// The beta distribution with mean `proportion`: its concentrations are
    /// `proportion * concentration` and `(1 - proportion) * concentration`.
    ///
    /// Draws are differentiable in both parameters, implicitly.
    ///
    /// ```
    /// use probpipe::{BetaProportion, prelude::*};
    /// let b = BetaProportion::new(0.25, 4.0);
    /// assert_eq!(b.mean().item::<f32>()?, 0.25);
    /// assert_eq!(b.variance().item::<f32>()?, 0.0375);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BetaProportion::new {
        /// The mean.
        proportion: OpenUnitInterval,
        /// The sum of the concentrations.
        concentration: Positive,
    }
    on UnitInterval {
        LogProb {
            log_prob(x) =>
                log_density(&(proportion * concentration), &((1.0 - proportion) * concentration), x)
        }
        Sample {
            draw(key, shape, dtype) => {
                let (proportion, concentration) =
                    (proportion.in_dtype(dtype), concentration.in_dtype(dtype));
                let other = (1.0 - &proportion) * &concentration;
                random::beta(key, shape, proportion * concentration, other)
            }
        }
        Cdf {
            cdf(x) => betainc(proportion * concentration, (1.0 - proportion) * concentration, x),
            survival(x) =>
                above(&(proportion * concentration), &((1.0 - proportion) * concentration), x),
            log_cdf(x) =>
                log_below(&(proportion * concentration), &((1.0 - proportion) * concentration), x),
            log_survival(x) =>
                log_above(&(proportion * concentration), &((1.0 - proportion) * concentration), x),
        }
        Quantile {
            quantile(q) =>
                betaincinv(proportion * concentration, (1.0 - proportion) * concentration, q),
            upper_quantile(q) =>
                1.0 - betaincinv((1.0 - proportion) * concentration, proportion * concentration, q),
        }
        Moments {
            mean => proportion.clone(),
            variance => proportion * (1.0 - proportion) / (concentration + 1.0),
        }
        Mode {
            mode => peak(&(proportion * concentration), &((1.0 - proportion) * concentration))
        }
        Entropy {
            entropy => entropy(&(proportion * concentration), &((1.0 - proportion) * concentration))
        }
    }
}
