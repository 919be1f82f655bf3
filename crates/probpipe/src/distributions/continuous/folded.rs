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
            log_cdf(x) => log_normal_below(&loc.abs(), scale, x),
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
            },
            upper_quantile(q) => {
                let (loc, scale) = (&loc.abs(), scale);
                let high = loc - scale * (q * 0.5).ndtri();
                inverted(&-q, &(q * 0.0), &high, |x| {
                    -(((loc - x) / scale).ndtr() + (-(loc + x) / scale).ndtr())
                })
            },
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
            },
            upper_quantile(q) => {
                let loc = &loc.abs();
                let high = loc - scale * student_t::quantile(df, &(q * 0.5));
                inverted(&-q, &(q * 0.0), &high, |x| {
                    let near = student_t::below(df, &((loc - x) / scale));
                    -(near + student_t::below(df, &(-(loc + x) / scale)))
                })
            },
        }
    }
}

/// The probability of less than `x` where the variable is around `loc`, not negative.
#[track_caller]
fn normal_below(loc: &Array, scale: &Array, x: &Array) -> Array {
    let (m, d) = (loc / scale, x / scale);
    let close = (&d * m.maximum(1.0)).lt(0.5);
    let near = (m.square() * -0.5).exp() * normal_near(&m, &select(&close, &d, 0.0));
    select(&close, near, folded(&(&d - &m), &(d + m), Array::ndtr))
}

/// Its logarithm, also where that is no number.
#[track_caller]
fn log_normal_below(loc: &Array, scale: &Array, x: &Array) -> Array {
    let (m, d) = (loc / scale, x / scale);
    let close = (&d * m.maximum(1.0)).lt(0.5);
    let some = &close & d.gt(0.0);
    let near = normal_near(&m, &select(&some, &d, 0.25)).log() - m.square() * 0.5;
    let near = select(&some, near, f64::NEG_INFINITY);
    let (a, b) = (select(&close, 0.0, &d - &m), select(&close, 1.0, d + m));
    let right = a.gt(0.0);
    let side = select(&right, 0.0, &a);
    let (inner, outer) = (side.log_ndtr(), (-&b).log_ndtr());
    let left = &inner + (&inner - outer).log1mexp();
    let (a, b) = (select(&right, a, 1.0), select(&right, b, 1.0));
    let most = (-((-a).ndtr() + (-b).ndtr())).log1p();
    select(&close, near, select(&right, most, left))
}

/// `exp(m^2/2)` times the probability of less than `d` about `m`, for so small a `d` that a
/// difference of two probabilities loses it: the integral of `2 cosh(m t) exp(-t^2/2)`.
#[track_caller]
fn normal_near(m: &Array, d: &Array) -> Array {
    let growth = |t: &Array| (m * t).cosh() * (t.square() * -0.5).exp();
    integral(d, growth) * (2.0 * (-HALF_LOG_TAU).exp())
}

#[track_caller]
fn t_below(df: &Array, loc: &Array, scale: &Array, x: &Array) -> Array {
    let (m, d) = (loc / scale, x / scale);
    let close = d.lt(df.sqrt().minimum(1.0) * 0.25);
    let density = |t: &Array| {
        student_t::log_density(df, &(t - &m)).exp() + student_t::log_density(df, &(t + &m)).exp()
    };
    let near = integral(&select(&close, &d, 0.0), density);
    select(&close, near, folded(&(&d - &m), &(d + m), |z| student_t::below(df, z)))
}

/// The integral from 0 to `d`, over which the function is nearly a polynomial, by the rule of Gauss
/// and Legendre with six nodes.
#[track_caller]
fn integral(d: &Array, of: impl Fn(&Array) -> Array) -> Array {
    const RULE: [(f64, f64); 3] = [
        (0.238_619_186_083_196_9, 0.467_913_934_572_691_04),
        (0.661_209_386_466_264_5, 0.360_761_573_048_138_6),
        (0.932_469_514_203_152, 0.171_324_492_379_170_36),
    ];
    let half = d * 0.5;
    let pair = |(node, weight): (f64, f64)| {
        (of(&(&half * (1.0 - node))) + of(&(&half * (1.0 + node)))) * weight
    };
    let [first, second, third] = RULE.map(pair);
    (first + second + third) * &half
}

/// What lies between `-b` and `a` of a variable that is symmetric about 0.
#[track_caller]
fn folded(a: &Array, b: &Array, below: impl Fn(&Array) -> Array) -> Array {
    let right = a.gt(0.0);
    let inner = below(&select(&right, -a, a));
    let outer = below(&-b);
    select(&right, 1.0 - &inner, &inner) - outer
}
