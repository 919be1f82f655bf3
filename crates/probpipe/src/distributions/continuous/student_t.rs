//! The distribution of Student's t.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_student, or_beyond};
use crate::distributions::terms::log1p_square;
use crate::random;
use probpipe_trace::{
    Array, DType, beta_density, betainc, betaincinv, betaln, digamma_difference, fori_loop, select,
};

family! {
    /// The distribution of Student's t, of density proportional to
    /// `(1 + ((x - loc) / scale)^2 / df)^(-(df + 1) / 2)`.
    ///
    /// Draws are differentiable in all parameters, in `df` implicitly. The mean is infinite up to
    /// `df` 1; the variance is infinite up to 2 and NaN up to 1.
    ///
    /// ```
    /// use probpipe::{StudentT, prelude::*};
    /// let t = StudentT::new(4.0, 0.0, 1.0);
    /// assert_eq!(t.variance().item::<f32>()?, 2.0);
    /// assert_eq!(t.cdf(&array(0.0)).item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    StudentT::new {
        /// The degrees of freedom.
        df: Positive,
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => log_density(df, &((x - loc) / scale)) - scale.log()
        }
        Sample {
            draw(key, shape, dtype) =>
                random::student_t(key, shape, df.in_dtype(dtype)) * scale + loc
        }
        Cdf {
            cdf(x) => below(df, &((x - loc) / scale)),
            survival(x) => below(df, &((loc - x) / scale)),
            log_cdf(x) => log_below(df, &((x - loc) / scale)),
            log_survival(x) => log_below(df, &((loc - x) / scale)),
        }
        Quantile {
            quantile(q) => quantile(df, q) * scale + loc,
            upper_quantile(q) => loc - quantile(df, q) * scale,
            side_quantile(q, upper) => {
                let z = quantile(df, q) * scale;
                loc + select(upper, -&z, &z)
            },
        }
        Moments {
            mean => select(&df.gt(1.0), loc, f64::INFINITY),
            variance => {
                let finite = df.gt(2.0);
                let safe = select(&finite, df, 3.0);
                let infinite = select(&df.gt(1.0), f64::INFINITY, f64::NAN);
                select(&finite, scale.square() * (&safe / (&safe - 2.0)), infinite)
            },
        }
        Mode { mode => loc.clone() }
        Entropy {
            entropy => standard_entropy(df) + scale.log()
        }
    }
}

/// `log(sqrt(df) B(df / 2, 1 / 2))`.
#[track_caller]
fn log_norm(df: &Array) -> Array {
    betaln(df * 0.5, 0.5) + df.log() * 0.5
}

/// The entropy of a standard one.
#[track_caller]
pub(crate) fn standard_entropy(df: &Array) -> Array {
    (df + 1.0) * 0.5 * digamma_difference(df * 0.5, 0.5) + log_norm(df)
}

/// The density of a standard one.
#[track_caller]
pub(crate) fn log_density(df: &Array, z: &Array) -> Array {
    (df + 1.0) * -0.5 * log1p_square(&(z / df.sqrt())) - log_norm(df)
}

/// The probability of less than `z` in a standard one.
#[track_caller]
pub(crate) fn below(df: &Array, z: &Array) -> Array {
    let root = df.sqrt();
    let y = z / &root;
    let far = z.abs().gt(2.0);
    // So near to the centre the function is straight; elsewhere the beta function of the square
    // has a slope, which at the centre is infinite.
    let near = y.abs().lt(1e-9);
    let line = select(&near, z, 0.0) * log_density(df, &(df * 0.0)).exp();
    let inner = select(&(&far | &near), 1.0, &y).square();
    let odds = &inner / (&inner + 1.0);
    let half = betainc(0.5, df * 0.5, odds) * 0.5 * y.stop_gradient().sign();
    let centre = select(&near, line, half) + 0.5;
    let tail = tail(df, &select(&far, y, &root * 3.0));
    select(&far, select(&z.lt(0.0), &tail, 1.0 - &tail), centre)
}

/// The logarithm of the probability of less than `z`.
#[track_caller]
pub(crate) fn log_below(df: &Array, z: &Array) -> Array {
    log_student([&below(df, z), &below(df, &-z)], df, &(z / df.sqrt()))
}

/// The probability beyond `|y| sqrt(df)`, exact where it is small: half the beta function of
/// `w = 1 / (1 + y^2)`. What rounding `w` loses counts where it is near 1.
#[track_caller]
fn tail(df: &Array, y: &Array) -> Array {
    let a = df * 0.5;
    let square = y.square();
    let w = (&square + 1.0).recip();
    let plain = betainc(&a, 0.5, &w);
    let close = w.gt(0.5);
    let fixed = select(&close, &w, 0.75).stop_gradient();
    let square = select(&close, &square, 1.0).stop_gradient();
    let lost = (1.0 - &fixed) - &square / (&square + 1.0);
    let slope = beta_density(a.stop_gradient(), 0.5, &fixed);
    (plain + select(&close, slope * lost, 0.0)) * 0.5
}

/// The quantile of a standard one.
#[track_caller]
pub(crate) fn quantile(df: &Array, q: &Array) -> Array {
    let a = df * 0.5;
    let excess = q * 2.0 - 1.0;
    let near = excess.abs().lt(1e-9);
    let side = select(&q.lt(0.5), q, 1.0 - q) * 2.0;
    // Far out `df / (df + z^2)` has the smaller side; else `z^2 / (df + z^2)` the other. What is
    // near 1 of them loses digits.
    let low = side.lt(0.02) & (&side * df).lt(30.0);
    let far = low | side.lt(betainc(&a, 0.5, 0.5));
    let level = select(&near, 0.5, excess.abs());
    // One inverse, of the beta function of either side.
    let w = betaincinv(select(&far, &a, 0.5), select(&far, 0.5, &a), select(&far, &side, level));
    let rest = 1.0 - &w;
    let odds = select(&far, &rest, &w) / select(&far, &w, &rest);
    // So far out that the beta function is the first term of its series, and the square no number.
    let some = side.gt(0.0);
    let log = (select(&some, &side, 1.0).log() + a.log() + betaln(&a, 0.5)) / &a;
    let beyond = &far & &some & log.lt(if log.dtype() == DType::F64 { -40.0 } else { -20.0 });
    let size = select(&beyond, (log * -0.5).exp(), select(&beyond, 1.0, odds).sqrt());
    let size = size * df.sqrt();
    // Of so many degrees of freedom both shares lose digits.
    let many = df.gt(if df.dtype() == DType::F64 { 1e4 } else { 100.0 });
    let size = or_beyond(&(&many & &some), size.clone(), || {
        select(&(&many & &some), -near_normal(df, &select(&some, &side, 0.5)), size)
    });
    let curved = size * excess.stop_gradient().sign();
    let line = excess * 0.5 * (-log_density(df, &(df * 0.0))).exp();
    select(&near, line, curved)
}

/// The quantile of half of `side` for many degrees of freedom: steps of Newton for the logarithm of
/// the probability, from the quantile of the normal distribution.
#[track_caller]
fn near_normal(df: &Array, side: &Array) -> Array {
    let p = side * 0.5;
    let df = &df.maximum(100.0);
    let change = |z: &Array| {
        let log = log_below(df, z);
        let slope = (log_density(df, z) - &log).exp();
        (log - p.log(), slope)
    };
    let start = (p.ndtri() + df * 0.0).stop_gradient();
    let z = fori_loop(6, start, |_, z: Array| {
        let (off, slope) = change(&z);
        (z - off / slope).stop_gradient()
    });
    // One step more carries the derivatives.
    let (off, slope) = change(&z);
    z - off / slope.stop_gradient()
}
