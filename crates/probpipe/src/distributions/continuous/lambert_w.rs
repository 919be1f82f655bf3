//! Normal numbers with heavy tails, by the function of Lambert.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::{Array, select};

family! {
    /// The distribution of `loc + scale z exp(tailweight z^2 / 2)` of a standard normal number `z`
    /// (G. M. Goerg, "The Lambert way to Gaussianize heavy-tailed data with the inverse of Tukey's
    /// h transformation as a special case", 2015).
    ///
    /// Its sampler is reparameterised. The variance is infinite from a tailweight of 1/2 on, and
    /// from 1 on there is no mean.
    ///
    /// ```
    /// use probpipe::{LambertWNormal, prelude::*};
    /// let (l, n) = (LambertWNormal::new(1.0, 2.0, 0.0), Normal::new(1.0, 2.0));
    /// let x = array([0.0, 3.0]);
    /// assert!(l.log_prob(&x).allclose(n.log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LambertWNormal::new {
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How heavy the tails are.
        tailweight: NonNegative,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let [z, w] = normal(&((x - loc) / scale), tailweight);
                (z.square() + &w) * -0.5 - w.log1p() - (scale.log() + HALF_LOG_TAU)
            }
        }
        Sample { normal(z) => heavy(&z, tailweight) * scale + loc }
        Cdf {
            cdf(x) => normal(&((x - loc) / scale), tailweight)[0].ndtr(),
            survival(x) => normal(&((loc - x) / scale), tailweight)[0].ndtr(),
            log_cdf(x) => normal(&((x - loc) / scale), tailweight)[0].log_ndtr(),
            log_survival(x) => normal(&((loc - x) / scale), tailweight)[0].log_ndtr(),
        }
        Quantile {
            quantile(q) => heavy(&q.ndtri(), tailweight) * scale + loc,
            upper_quantile(q) => loc - heavy(&q.ndtri(), tailweight) * scale,
        }
        Moments {
            mean => select(&tailweight.lt(1.0), loc, f64::NAN),
            variance => {
                let finite = tailweight.lt(0.5);
                let rest = 1.0 - select(&finite, tailweight, 0.0) * 2.0;
                let variance = scale.square() / (rest.sqrt() * rest);
                let beyond = select(&tailweight.lt(1.0), f64::INFINITY, f64::NAN);
                select(&finite, variance, beyond)
            },
        }
        Mode { mode => loc.clone() }
    }
}

/// `z exp(tailweight z^2 / 2)`.
#[track_caller]
fn heavy(z: &Array, tailweight: &Array) -> Array {
    let finite = z.is_finite();
    let inner = select(&finite, z, 0.0);
    select(&finite, (inner.square() * tailweight * 0.5).exp() * inner, z)
}

/// The normal number that `y` comes from, and `W(tailweight y^2)`, which is its square times the
/// tailweight.
#[track_caller]
fn normal(y: &Array, tailweight: &Array) -> [Array; 2] {
    let finite = y.is_finite();
    let inner = select(&finite, y, 0.0);
    // Far out the square may be too large a number.
    let none = tailweight.eq(0.0);
    let far = inner.abs().gt(1.0) & !&none;
    let log = select(&far, inner.abs(), 1.0).log() * 2.0 + select(&none, 1.0, tailweight).log();
    let far = far & log.gt(1.0);
    let near = lambert_w(&(select(&far, 0.0, &inner).square() * tailweight));
    let w = select(&far, lambert_w_of_exp(&select(&far, log, 1.0)), near);
    let z = &inner * (&w * -0.5).exp();
    [select(&finite, z, y), select(&finite, w, 0.0)]
}

/// The `w` with `w exp(w) = a`, for `a >= 0`: by steps of Newton from a start that is right to a
/// few hundredths (S. Winitzki, "Uniform approximations for transcendental functions", 2003).
#[track_caller]
fn lambert_w(a: &Array) -> Array {
    let log = a.log1p();
    let start = &log * (1.0 - log.log1p() / (&log + 2.0));
    (0..5).fold(start, |w, _| (w.square() + a * (-&w).exp()) / (w + 1.0))
}

/// The `w` with `w + log(w) = l`, for `l >= 1`.
#[track_caller]
fn lambert_w_of_exp(l: &Array) -> Array {
    let start = l - l.log() + l.log() / l;
    (0..5).fold(start, |w, _| &w * (l - w.log() + 1.0) / (&w + 1.0))
}
