//! Normal numbers whose variance is an inverse Gaussian number.

use super::inverse_gaussian::drawn;
use crate::distributions::bessel::log_k1e;
use crate::distributions::declaration::family;
use crate::random::normal_of;
use probpipe_trace::{Array, select};
use std::f64::consts::PI;

family! {
    /// The normal inverse Gaussian distribution: of `loc + b V + sqrt(V) z` of a standard normal
    /// number `z` and an inverse Gaussian one `V` of mean `scale / g` and concentration `scale^2`,
    /// with the skewness `b`, the tailweight `a` and `g = sqrt(a^2 - b^2)`; of density
    /// `a scale K_1(a r) exp(scale g + b (x - loc)) / (pi r)` with the distance
    /// `r = sqrt(scale^2 + (x - loc)^2)` (O. E. Barndorff-Nielsen, 1997).
    ///
    /// Draws are differentiable in all parameters, implicitly through `V`.
    ///
    /// ```
    /// use probpipe::{NormalInverseGaussian, prelude::*};
    /// let n = NormalInverseGaussian::new(1.0, 2.0, 5.0, 3.0);
    /// assert_eq!(n.mean().item::<f32>()?, 2.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    NormalInverseGaussian::new {
        /// The location; the mean where there is no skewness.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How fast the tails fall, `exp(-a |x|)` without skewness.
        tailweight: Positive,
        /// Positive where the upper tail is the longer one; its size is less than the tailweight.
        skewness: Real,
    }
    on Real where skewness within tailweight {
        LogProb {
            log_prob(x) => {
                let finite = x.is_finite();
                let (y, g) = (select(&finite, x, loc) - loc, gap(tailweight, skewness));
                let r = scale.hypot(&y);
                let (far, drift) = (tailweight * &r, scale * &g + skewness * &y);
                // `drift - far`, of which both are large: their squares differ by a square.
                let up = drift.gt(0.0);
                let apart = &g * &y - scale * skewness;
                let ratio = &apart / select(&up, &far + &drift, 1.0);
                let exponent = select(&up, -apart * ratio, &drift - &far);
                let value = exponent + log_k1e(&far) - r.log()
                    + (tailweight.log() + scale.log() - PI.ln());
                select(&finite, value, select(&x.is_nan(), x, f64::NEG_INFINITY))
            }
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                let scale = scale.in_dtype(dtype);
                let mean = &scale / gap(tailweight, skewness);
                let v = drawn(first, shape, &mean, &scale.square());
                normal_of(dtype, second, shape) * v.sqrt() + v * skewness + loc
            }
        }
        Moments {
            mean => loc + scale * (skewness / gap(tailweight, skewness)),
            variance => {
                let g = gap(tailweight, skewness);
                scale * (tailweight / &g).square() / g
            },
        }
    }
}

/// `sqrt(a^2 - b^2)`; NaN where the skewness is not within the tailweight.
#[track_caller]
fn gap(tailweight: &Array, skewness: &Array) -> Array {
    let gap = (tailweight - skewness).sqrt() * (tailweight + skewness).sqrt();
    // One, or no number where it is 0.
    let one = &gap / gap.clone();
    gap * one
}
