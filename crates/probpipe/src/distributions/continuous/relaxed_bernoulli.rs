//! The relaxed Bernoulli distribution.

use crate::distributions::declaration::family;
use crate::distributions::terms::into_open_unit;

family! {
    /// The relaxed Bernoulli distribution of Maddison, Mnih and Teh (2017), of the logistic
    /// function of a logistic variable: near 0 or 1 at low temperatures, and differentiable.
    ///
    /// Its sampler is reparameterised. Draws that would round to 0 or 1 stay next to them.
    ///
    /// ```
    /// use probpipe::{RelaxedBernoulliLogits, prelude::*};
    /// let r = RelaxedBernoulliLogits::new(0.1, 2.0);
    /// // 1 is drawn with probability sigmoid(2), nearly.
    /// let near = r.survival(&array(0.5)).item::<f32>()?;
    /// assert!((near - 0.880797).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    RelaxedBernoulliLogits::new {
        /// How far draws are from 0 and 1.
        temperature: Positive,
        /// The log odds of 1.
        logits: Real,
    }
    on OpenUnitInterval {
        LogProb {
            log_prob(x) => {
                let z = x.logit() * temperature - logits;
                z.log_sigmoid() + (-z).log_sigmoid() - (x.log() + (-x).log1p())
                    + temperature.log()
            }
        }
        Sample {
            logistic(z) => into_open_unit(&((z + logits) / temperature).sigmoid())
        }
        Cdf {
            cdf(x) => (x.logit() * temperature - logits).sigmoid(),
            survival(x) => (logits - x.logit() * temperature).sigmoid(),
            log_cdf(x) => (x.logit() * temperature - logits).log_sigmoid(),
            log_survival(x) => (logits - x.logit() * temperature).log_sigmoid(),
        }
        Quantile {
            quantile(q) => ((q.logit() + logits) / temperature).sigmoid(),
            upper_quantile(q) => ((logits - q.logit()) / temperature).sigmoid(),
        }
    }
}
