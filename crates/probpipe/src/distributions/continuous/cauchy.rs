//! The Cauchy distribution.

use crate::distributions::declaration::family;
use crate::distributions::terms::log1p_square;
use probpipe_trace::{Array, select};
use std::f64::consts::PI;

family! {
    /// The Cauchy distribution, of density `1 / (pi scale (1 + ((x - loc) / scale)^2))`. It has no
    /// mean and no variance: both are NaN.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Cauchy, prelude::*};
    /// let c = Cauchy::new(0.0, 1.0);
    /// assert_eq!(c.cdf(&array(1.0)).item::<f32>()?, 0.75);
    /// assert!(c.mean().item::<f32>()?.is_nan());
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Cauchy::new {
        /// The median.
        loc: Real,
        /// Half the distance of the quartiles.
        scale: Positive,
    }
    on Real {
        LogProb { log_prob(x) => -log1p_square(&((x - loc) / scale)) - (scale.log() + PI.ln()) }
        Sample { cauchy(z) => z * scale + loc }
        Cdf {
            cdf(x) => below(&((x - loc) / scale)),
            survival(x) => below(&((loc - x) / scale)),
        }
        Quantile {
            quantile(q) => quantile(q) * scale + loc,
            upper_quantile(q) => loc - quantile(q) * scale,
        }
        Moments { mean => loc * f64::NAN, variance => scale * f64::NAN }
        Mode { mode => loc.clone() }
        Entropy { entropy => scale.log() + (4.0 * PI).ln() }
    }
}

/// The probability of less than `z` in a standard one: the angle of the point `(-z, 1)`, in half
/// turns.
#[track_caller]
pub(crate) fn below(z: &Array) -> Array {
    (z * 0.0 + 1.0).atan2(-z) / PI
}

/// The quantile of a standard one, a tangent; near its poles one over that of the distance.
#[track_caller]
pub(crate) fn quantile(q: &Array) -> Array {
    let (left, right) = (q.lt(0.25), q.gt(0.75));
    let middle = select(&(&left | &right), 0.5, q);
    let side = select(&left, q, select(&right, 1.0 - q, 0.25));
    let pole = (side * PI).tan().recip();
    let middle = ((middle - 0.5) * PI).tan();
    select(&left, -&pole, select(&right, &pole, middle))
}
