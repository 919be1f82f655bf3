//! The Gumbel distribution.

use super::EULER;
use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};
use std::f64::consts::PI;

family! {
    /// The Gumbel distribution, of the largest of many numbers; its distribution function is
    /// `exp(-exp(-(x - loc) / scale))`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Gumbel, prelude::*};
    /// let g = Gumbel::new(0.0, 1.0);
    /// assert!((g.mean().item::<f32>()? - 0.5772157).abs() < 1e-6);
    /// assert_eq!(g.log_survival(&array(1000.0)).item::<f32>()?, -1000.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Gumbel::new {
        /// The mode.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                // Minus infinity would meet an infinite exponential.
                let z = ((x - loc) / scale).maximum(-1e30);
                -(&z + (-&z).exp()) - scale.log()
            }
        }
        Sample { gumbel(g) => g * scale + loc }
        Cdf {
            cdf(x) => (-((loc - x) / scale).exp()).exp(),
            survival(x) => -(-((loc - x) / scale).exp()).expm1(),
            log_cdf(x) => -((loc - x) / scale).exp(),
            log_survival(x) => log_above(&((x - loc) / scale)),
        }
        Quantile {
            quantile(q) => -(-q.log()).log() * scale + loc,
            upper_quantile(q) => loc - (-(-q).log1p()).log() * scale,
        }
        Moments {
            mean => scale * EULER + loc,
            variance => (scale * PI).square() / 6.0,
        }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (1.0 + EULER) }
    }
}

/// `log(1 - exp(-exp(-z)))`, which is `-z` where the inner exponential is below rounding.
#[track_caller]
fn log_above(z: &Array) -> Array {
    let far = z.gt(40.0);
    select(&far, -z, (-select(&far, 0.0, z)).exp().log1mexp())
}
