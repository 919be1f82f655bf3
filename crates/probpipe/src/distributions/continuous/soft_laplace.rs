//! The hyperbolic secant distribution.

use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

family! {
    /// The hyperbolic secant distribution, a Laplace distribution with a round top: its density is
    /// `1 / (pi scale cosh((x - loc) / scale))`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{SoftLaplace, prelude::*};
    /// let s = SoftLaplace::new(1.0, 2.0);
    /// assert_eq!(s.cdf(&array(1.0)).item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    SoftLaplace::new {
        /// The mean and the median.
        loc: Real,
        /// The mean distance far from it.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let z = ((x - loc) / scale).abs();
                FRAC_2_PI.ln() - scale.log() - (&z + (&z * -2.0).exp().log1p())
            }
        }
        Sample { open(u) => quantile(&u) * scale + loc }
        Cdf {
            cdf(x) => ((x - loc) / scale).exp().atan() * FRAC_2_PI,
            survival(x) => ((loc - x) / scale).exp().atan() * FRAC_2_PI,
            log_cdf(x) => log_below(&((x - loc) / scale)),
            log_survival(x) => log_below(&((loc - x) / scale)),
        }
        Quantile {
            quantile(q) => quantile(q) * scale + loc,
            upper_quantile(q) => loc - quantile(q) * scale,
        }
        Moments { mean => loc.clone(), variance => (scale * FRAC_PI_2).square() }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (2.0 * PI).ln() }
    }
}

/// The logarithm of the probability of less than `z` in a standard one: far to the left its arc
/// tangent is that of a small number, to the right that of a large one.
#[track_caller]
fn log_below(z: &Array) -> Array {
    let (far, right) = (z.lt(-20.0), z.gt(0.0));
    let middle = (select(&(&far | &right), 0.0, z).exp().atan() * FRAC_2_PI).log();
    let rest = (-select(&right, z, 0.0)).exp().atan() * FRAC_2_PI;
    let left = select(&far, z + FRAC_2_PI.ln(), middle);
    select(&right, (-rest).log1p(), left)
}

/// The quantile of a standard one, from the nearer side.
#[track_caller]
fn quantile(q: &Array) -> Array {
    let right = q.gt(0.5);
    let side = select(&right, 1.0 - q, q);
    let log = (side * FRAC_PI_2).tan().log();
    select(&right, -&log, log)
}
