//! The generalised normal distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::log_gammaincc;
use crate::distributions::terms::{log_of, power_of};
use crate::random;
use probpipe_trace::{Array, gammainc, gammaincc, gammainccinv, gammaincinv, select};
use std::f64::consts::LN_2;

family! {
    /// The distribution of density proportional to `exp(-|(x - loc) / scale|^power)`: that of
    /// Laplace at power 1, the normal one at 2, nearly uniform far above (M. T. Subbotin, 1923).
    ///
    /// Draws are differentiable in all parameters, in the power implicitly.
    ///
    /// ```
    /// use probpipe::{GeneralizedNormal, prelude::*};
    /// let (g, l) = (GeneralizedNormal::new(0.0, 2.0, 1.0), Laplace::new(0.0, 2.0));
    /// let x = array([-1.0, 3.0]);
    /// assert!(g.log_prob(&x).allclose(l.log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeneralizedNormal::new {
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How fast the logarithm of the density falls.
        power: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let z = ((x - loc) / scale).abs();
                (power.log() - power.recip().lgamma() - (scale.log() + LN_2)) - power_of(&z, power)
            }
        }
        Sample {
            draw(key, shape, dtype) =>
                random::generalized_normal(key, shape, power.in_dtype(dtype)) * scale + loc
        }
        Cdf {
            cdf(x) => below(&((x - loc) / scale), power),
            survival(x) => below(&((loc - x) / scale), power),
            log_cdf(x) => log_below(&((x - loc) / scale), power),
            log_survival(x) => log_below(&((loc - x) / scale), power),
        }
        Quantile {
            quantile(q) => quantile(q, power) * scale + loc,
            upper_quantile(q) => loc - quantile(q, power) * scale,
            side_quantile(q, upper) => {
                let z = quantile(q, power) * scale;
                loc + select(upper, -&z, &z)
            },
        }
        Moments {
            mean => loc.clone(),
            variance => {
                let inverse = power.recip();
                ((&inverse * 3.0).lgamma() - inverse.lgamma()).exp() * scale.square()
            },
        }
        Mode { mode => loc.clone() }
        Entropy {
            entropy => power.recip() + power.recip().lgamma() - power.log() + (scale.log() + LN_2)
        }
    }
}

#[track_caller]
fn below(z: &Array, power: &Array) -> Array {
    let inverse = power.recip();
    // At the centre the slope is that of the density, which the functions of the power lack.
    let near = z.abs().lt(1e-15);
    let line = select(&near, z, 0.0) * (power.log() - inverse.lgamma()).exp() * 0.5;
    let size = power_of(&select(&near, 1.0, z).abs(), power);
    let (tail, centre) = (gammaincc(&inverse, &size) * 0.5, gammainc(inverse, size) * 0.5);
    select(&near, line + 0.5, select(&z.lt(0.0), tail, centre + 0.5))
}

#[track_caller]
fn log_below(z: &Array, power: &Array) -> Array {
    let lower = z.lt(-1.0);
    let size = power_of(&select(&lower, z, 1.0).abs(), power);
    let tail = log_gammaincc(&power.recip(), &size) - LN_2;
    let inner = select(&lower, 0.0, z);
    select(&lower, tail, log_of(&below(&inner, power), &below(&-&inner, power)))
}

#[track_caller]
fn quantile(q: &Array, power: &Array) -> Array {
    let (lower, inverse) = (q.lt(0.5), power.recip());
    let far = gammainccinv(&inverse, select(&lower, q, 0.25) * 2.0);
    let near = gammaincinv(&inverse, select(&lower, 0.75, q) * 2.0 - 1.0);
    select(&lower, -power_of(&far, &inverse), power_of(&near, &inverse))
}
