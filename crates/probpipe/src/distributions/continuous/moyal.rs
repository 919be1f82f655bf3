//! The distribution of Moyal.

use super::EULER;
use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::Array;
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

family! {
    /// The distribution of the energy that a charged particle loses, nearly: of density
    /// `exp(-(z + exp(-z)) / 2) / (sqrt(2 pi) scale)` with `z = (x - loc) / scale` (J. E. Moyal,
    /// 1955). `exp(-z)` is the square of a normal number.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Moyal, prelude::*};
    /// let m = Moyal::new(1.0, 2.0);
    /// assert_eq!(m.mode().item::<f32>()?, 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Moyal::new {
        /// Where the density is largest.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let z = (x - loc) / scale;
                // Where the exponential is infinite the other term must not be.
                (z.maximum(-1e4) + (-&z).exp()) * -0.5 - (scale.log() + HALF_LOG_TAU)
            }
        }
        Sample { open(u) => quantile(&u) * scale + loc }
        Cdf {
            cdf(x) => (((loc - x) / scale * 0.5).exp() * FRAC_1_SQRT_2).erfc(),
            survival(x) => (((loc - x) / scale * 0.5).exp() * FRAC_1_SQRT_2).erf(),
        }
        Quantile {
            quantile(q) => quantile(q) * scale + loc,
            upper_quantile(q) => loc - (q.erf_inv().log() * 2.0 + LN_2) * scale,
        }
        Moments {
            mean => scale * (EULER + LN_2) + loc,
            variance => scale.square() * (PI * PI / 2.0),
        }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (HALF_LOG_TAU + 0.5 * (1.0 + EULER + LN_2)) }
    }
}

/// The quantile of a standard one.
#[track_caller]
fn quantile(q: &Array) -> Array {
    -(q.erfc_inv().log() * 2.0 + LN_2)
}
