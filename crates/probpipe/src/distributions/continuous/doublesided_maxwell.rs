//! Maxwell's distribution on both sides of a centre.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::log_power;
use crate::random::double_sided_maxwell;
use probpipe_trace::{Array, gammainc, gammaincc, gammainccinv, gammaincinv, select};

family! {
    /// The distribution of density `z^2 exp(-z^2 / 2) / (sqrt(2 pi) scale)` with
    /// `z = (x - loc) / scale`: the length of a normal vector of three numbers, with either sign.
    ///
    /// Its sampler is differentiable in both parameters.
    ///
    /// ```
    /// use probpipe::{DoublesidedMaxwell, prelude::*};
    /// let m = DoublesidedMaxwell::new(1.0, 2.0);
    /// assert_eq!(m.variance().item::<f32>()?, 12.0);
    /// assert_eq!(m.cdf(&array(1.0)).item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    DoublesidedMaxwell::new {
        /// The centre.
        loc: Real,
        /// The standard deviation of the normal numbers.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let size = ((x - loc) / scale).abs();
                // So far out the logarithm adds nothing.
                let near = size.minimum(1e150).minimum(f64::from(f32::MAX) / 2.0);
                log_power(&2.0.into(), &near) - size.square() * 0.5 - (scale.log() + HALF_LOG_TAU)
            }
        }
        Sample {
            draw(key, shape, dtype) =>
                double_sided_maxwell(key, shape, loc.in_dtype(dtype), scale)
        }
        Cdf {
            cdf(x) => below(&((x - loc) / scale)),
            survival(x) => below(&((loc - x) / scale)),
        }
        Quantile {
            quantile(q) => quantile(q) * scale + loc,
            upper_quantile(q) => loc - quantile(q) * scale,
        }
        Moments { mean => loc.clone(), variance => scale.square() * 3.0 }
    }
}

#[track_caller]
fn below(z: &Array) -> Array {
    let half = z.square() * 0.5;
    select(&z.lt(0.0), gammaincc(1.5, &half) * 0.5, gammainc(1.5, half) * 0.5 + 0.5)
}

#[track_caller]
fn quantile(q: &Array) -> Array {
    let lower = q.lt(0.5);
    let far = (gammainccinv(1.5, select(&lower, q, 0.5) * 2.0) * 2.0).sqrt();
    let near = (gammaincinv(1.5, select(&lower, 0.75, q) * 2.0 - 1.0) * 2.0).sqrt();
    select(&lower, -far, near)
}
