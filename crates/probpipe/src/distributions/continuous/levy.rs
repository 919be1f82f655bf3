//! The distribution of Lévy.

use super::EULER;
use crate::distributions::declaration::family;
use std::f64::consts::{LN_2, PI};

family! {
    /// The distribution of Lévy, of the time in which a Brownian motion first goes a certain way:
    /// that of `loc + scale / z^2` for a standard normal `z`. Mean and variance are infinite.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Levy, prelude::*};
    /// let l = Levy::new(1.0, 3.0);
    /// assert_eq!(l.mode().item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Levy::new {
        /// The lower end.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on GreaterThan(loc) {
        LogProb {
            log_prob(x) => {
                let d = x - loc;
                -scale / (&d * 2.0) - d.log() * 1.5 + (scale.log() * 0.5 - 0.5 * (2.0 * PI).ln())
            }
        }
        // A normal number may be zero.
        Sample { normal(z) => scale / z.square().maximum(1e-30) + loc }
        Cdf {
            cdf(x) => (-(scale / (x - loc)).sqrt()).ndtr() * 2.0,
            survival(x) => (scale / ((x - loc) * 2.0)).sqrt().erf(),
            log_cdf(x) => (-(scale / (x - loc)).sqrt()).log_ndtr() + LN_2,
        }
        Quantile {
            quantile(q) => scale / (q.erfc_inv().square() * 2.0) + loc,
            upper_quantile(q) => scale / q.erf_inv().square() * 0.5 + loc,
        }
        Moments {
            mean => (loc + scale) * 0.0 + f64::INFINITY,
            variance => (loc + scale) * 0.0 + f64::INFINITY,
        }
        Mode { mode => loc + scale / 3.0 }
        Entropy {
            entropy => scale.log() + (1.0 + 3.0 * EULER + (16.0 * PI).ln()) * 0.5
        }
    }
}
