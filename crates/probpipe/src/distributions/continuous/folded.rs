//! Distributions of absolute values.

use super::student_t;
use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::inverted;
use crate::random;
use probpipe_trace::{Array, select};

family! {
    /// The folded normal distribution, of the absolute value of a normal variable.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{FoldedNormal, HalfNormal, prelude::*};
    /// let (f, h) = (FoldedNormal::new(0.0, 2.0), HalfNormal::new(2.0));
    /// let x = array(1.5);
    /// assert_eq!(f.cdf(&x).item::<f32>()?, h.cdf(&x).item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    FoldedNormal::new {
        /// The mean of the normal variable.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) => {
                let m = loc.abs();
                ((x - &m) / scale).square() * -0.5
                    + (x / scale * (m / scale) * -2.0).exp().log1p()
                    - (scale.log() + HALF_LOG_TAU)
            }
        }
        Sample { normal(z) => (z * scale + loc).abs() }
        Cdf {
            cdf(x) => normal_below(&loc.abs(), scale, x),
            survival(x) =>
                ((loc.abs() - x) / scale).ndtr() + (-(loc.abs() + x) / scale).ndtr(),
            log_survival(x) => {
                let near = ((loc.abs() - x) / scale).log_ndtr();
                near.logaddexp((-(loc.abs() + x) / scale).log_ndtr())
            },
        }
        Quantile {
            quantile(q) => {
                let (loc, scale) = (&loc.abs(), scale);
                let high = loc - scale * ((1.0 - q) * 0.5).ndtri();
                inverted(q, &(q * 0.0), &high, |x| normal_below(loc, scale, x))
            }
        }
        Moments {
            mean => {
                let z = loc / scale;
                scale * ((z.square() * -0.5).exp() * (2.0 * (-HALF_LOG_TAU).exp()))
                    + loc * (1.0 - (-z).ndtr() * 2.0)
            },
            variance => {
                let z = loc / scale;
                let mean = (z.square() * -0.5).exp() * (2.0 * (-HALF_LOG_TAU).exp())
                    + &z * (1.0 - (-&z).ndtr() * 2.0);
                scale.square() * (z.square() + 1.0 - mean.square())
            },
        }
    }
}

family! {
    /// The distribution of the absolute value of a variable of Student's t.
    ///
    /// Draws are differentiable in all parameters.
    ///
    /// ```
    /// use probpipe::{FoldedStudentT, HalfCauchy, prelude::*};
    /// let (f, h) = (FoldedStudentT::new(1.0, 0.0, 2.0), HalfCauchy::new(2.0));
    /// let x = array(1.5);
    /// let difference = (f.log_prob(&x) - h.log_prob(&x)).item::<f32>()?;
    /// assert!(difference.abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    FoldedStudentT::new {
        /// The degrees of freedom.
        df: Positive,
        /// The centre of the variable.
        loc: Real,
        /// Its width.
        scale: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) => {
                let near = student_t::log_density(df, &((x - loc) / scale));
                near.logaddexp(student_t::log_density(df, &((x + loc) / scale))) - scale.log()
            }
        }
        Sample {
            draw(key, shape, dtype) =>
                (random::student_t(key, shape, df.in_dtype(dtype)) * scale + loc).abs()
        }
        Cdf {
            cdf(x) => t_below(df, &loc.abs(), scale, x),
            survival(x) => {
                let near = student_t::below(df, &((loc.abs() - x) / scale));
                near + student_t::below(df, &(-(loc.abs() + x) / scale))
            },
        }
        Quantile {
            quantile(q) => {
                let loc = &loc.abs();
                let high = loc - scale * student_t::quantile(df, &((1.0 - q) * 0.5));
                inverted(q, &(q * 0.0), &high, |x| t_below(df, loc, scale, x))
            }
        }
    }
}

/// The probability of less than `x` where the variable is around `loc`, not negative.
#[track_caller]
fn normal_below(loc: &Array, scale: &Array, x: &Array) -> Array {
    folded(&((x - loc) / scale), &((x + loc) / scale), Array::ndtr)
}

#[track_caller]
fn t_below(df: &Array, loc: &Array, scale: &Array, x: &Array) -> Array {
    folded(&((x - loc) / scale), &((x + loc) / scale), |z| student_t::below(df, z))
}

/// What lies between `-b` and `a` of a variable that is symmetric about 0.
#[track_caller]
fn folded(a: &Array, b: &Array, below: impl Fn(&Array) -> Array) -> Array {
    let right = a.gt(0.0);
    let inner = below(&select(&right, -a, a));
    let outer = below(&-b);
    select(&right, 1.0 - &inner, &inner) - outer
}
