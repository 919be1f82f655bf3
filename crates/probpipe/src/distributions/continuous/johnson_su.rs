//! Normal numbers through hyperbolic sines.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::log1p_square;
use probpipe_trace::Array;
use std::f64::consts::LN_2;

family! {
    /// Johnson's unbounded distribution: of the numbers `x` of which
    /// `skewness + tailweight asinh((x - loc) / scale)` is a standard normal number (N. L. Johnson,
    /// 1949).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{JohnsonSU, prelude::*};
    /// let j = JohnsonSU::new(0.0, 2.0, 1.0, 3.0);
    /// assert_eq!(j.mean().item::<f32>()?, 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    JohnsonSU::new {
        /// Positive where the lower tail is the longer one.
        skewness: Real,
        /// How light the tails are.
        tailweight: Positive,
        /// The centre of the hyperbolic sine.
        loc: Real,
        /// Its width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let y = (x - loc) / scale;
                let z = y.asinh() * tailweight + skewness;
                z.square() * -0.5 - log1p_square(&y) * 0.5
                    + (tailweight.log() - scale.log() - HALF_LOG_TAU)
            }
        }
        Sample { normal(z) => ((z - skewness) / tailweight).sinh() * scale + loc }
        Cdf {
            cdf(x) => (((x - loc) / scale).asinh() * tailweight + skewness).ndtr(),
            survival(x) => (-(((x - loc) / scale).asinh() * tailweight + skewness)).ndtr(),
            log_cdf(x) => (((x - loc) / scale).asinh() * tailweight + skewness).log_ndtr(),
            log_survival(x) =>
                (-(((x - loc) / scale).asinh() * tailweight + skewness)).log_ndtr(),
        }
        Quantile {
            quantile(q) => ((q.ndtri() - skewness) / tailweight).sinh() * scale + loc,
            upper_quantile(q) => loc - ((q.ndtri() + skewness) / tailweight).sinh() * scale,
        }
        Moments {
            mean => {
                let half = tailweight.square().recip() * 0.5;
                loc - scale * half.exp() * (skewness / tailweight).sinh()
            },
            variance => {
                let square = tailweight.square().recip();
                let cosh = (skewness / tailweight * 2.0).cosh();
                scale.square() * 0.5 * square.expm1() * (square.exp() * cosh + 1.0)
            },
        }
    }
}

family! {
    /// The distribution of `loc + c sinh(tailweight (asinh(z) + skewness))` of a standard normal
    /// number `z`, with `c = 2 scale / sinh(tailweight asinh(2))`: the normal distribution at a
    /// skewness of 0 and a tailweight of 1 (M. C. Jones, A. Pewsey, 2009, with the scale of
    /// TensorFlow Probability, that at which about as much lies within two of it).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{SinhArcsinh, prelude::*};
    /// let (s, n) = (SinhArcsinh::new(1.0, 2.0, 0.0, 1.0), Normal::new(1.0, 2.0));
    /// let x = array([0.0, 3.0]);
    /// assert!(s.log_prob(&x).allclose(n.log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    SinhArcsinh::new {
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
        /// Positive where the upper tail is the longer one.
        skewness: Real,
        /// How heavy the tails are.
        tailweight: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let width = width(scale, tailweight);
                let y = (x - loc) / &width;
                // Where the hyperbolic sine is infinite its logarithm must not be.
                let v = (y.asinh() / tailweight - skewness).maximum(-1e3).minimum(1e3);
                let size = v.abs();
                let log_cosh = &size + (&size * -2.0).exp().log1p() - LN_2;
                v.sinh().square() * -0.5 + log_cosh - log1p_square(&y) * 0.5
                    - (tailweight.log() + width.log() + HALF_LOG_TAU)
            }
        }
        Sample {
            normal(z) =>
                ((z.asinh() + skewness) * tailweight).sinh() * width(scale, tailweight) + loc
        }
        Cdf {
            cdf(x) => normal(x, loc, scale, skewness, tailweight).ndtr(),
            survival(x) => (-normal(x, loc, scale, skewness, tailweight)).ndtr(),
            log_cdf(x) => normal(x, loc, scale, skewness, tailweight).log_ndtr(),
            log_survival(x) => (-normal(x, loc, scale, skewness, tailweight)).log_ndtr(),
        }
        Quantile {
            quantile(q) =>
                ((q.ndtri().asinh() + skewness) * tailweight).sinh() * width(scale, tailweight)
                    + loc,
            upper_quantile(q) =>
                loc - ((q.ndtri().asinh() - skewness) * tailweight).sinh()
                    * width(scale, tailweight),
        }
    }
}

#[track_caller]
fn width(scale: &Array, tailweight: &Array) -> Array {
    scale * 2.0 / (tailweight * 2f64.asinh()).sinh()
}

/// The normal number that `x` comes from.
#[track_caller]
fn normal(x: &Array, loc: &Array, scale: &Array, skewness: &Array, tailweight: &Array) -> Array {
    let y = (x - loc) / width(scale, tailweight);
    (y.asinh() / tailweight - skewness).sinh()
}
