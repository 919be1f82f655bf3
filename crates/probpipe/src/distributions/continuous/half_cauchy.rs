//! The half-Cauchy distribution.

use crate::distributions::declaration::family;
use crate::distributions::terms::log1p_square;
use probpipe_trace::{Array, select};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

family! {
    /// The half-Cauchy distribution, of the absolute value of a Cauchy variable around 0; its mean
    /// and variance are infinite.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{HalfCauchy, prelude::*};
    /// let c = HalfCauchy::new(2.0);
    /// assert_eq!(c.cdf(&array(2.0)).item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    HalfCauchy::new {
        /// The median.
        scale: Positive,
    }
    on NonNegative {
        LogProb { log_prob(x) => FRAC_2_PI.ln() - scale.log() - log1p_square(&(x / scale)) }
        Sample { cauchy(z) => z.abs() * scale }
        Cdf {
            cdf(x) => (x / scale).atan() * FRAC_2_PI,
            survival(x) => scale.atan2(x) * FRAC_2_PI,
        }
        Quantile {
            quantile(q) => quantile(q) * scale,
            upper_quantile(q) => scale / quantile(q),
        }
        Moments { mean => scale * f64::INFINITY, variance => scale * f64::INFINITY }
        Mode { mode => scale * 0.0 }
        Entropy { entropy => scale.log() + (2.0 * PI).ln() }
    }
}

/// The quantile of a standard one, a tangent; near its pole one over that of the distance.
#[track_caller]
fn quantile(q: &Array) -> Array {
    let far = q.gt(0.5);
    let near = select(&far, 0.5, q) * FRAC_PI_2;
    let rest = select(&far, 1.0 - q, 0.5) * FRAC_PI_2;
    select(&far, rest.tan().recip(), near.tan())
}
