//! Symmetric distributions of which each side has a width of its own.

use super::{half_student_t, student_t};
use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::keeping_probability;
use crate::random::{self, uniform_of};
use probpipe_trace::{Array, select};
use std::f64::consts::{FRAC_2_PI, LN_2};

family! {
    /// The normal distribution with the standard deviation `scale / skewness` below `loc` and
    /// `scale skewness` above, without a jump between (C. Fernandez, M. F. J. Steel, 1998).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{TwoPieceNormal, prelude::*};
    /// let t = TwoPieceNormal::new(1.0, 1.0, 2.0);
    /// assert!((t.cdf(&array(1.0)).item::<f32>()? - 0.2).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TwoPieceNormal::new {
        /// Where the pieces meet, and the density is largest.
        loc: Real,
        /// The width.
        scale: Positive,
        /// Above 1 where the upper side is the wider one.
        skewness: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let [left, right] = widths(scale, skewness);
                let z = (x - loc) / select(&x.lt(loc), &left, &right);
                z.square() * -0.5 - ((left + right).log() - LN_2 + HALF_LOG_TAU)
            }
        }
        Sample {
            open(u) => quantile(&u, scale, skewness, Array::ndtri) + loc
        }
        Cdf {
            cdf(x) => below(&(x - loc), &widths(scale, skewness), Array::ndtr),
            survival(x) => {
                let [left, right] = widths(scale, skewness);
                below(&(loc - x), &[right, left], Array::ndtr)
            },
            log_cdf(x) => log_below(&(x - loc), &widths(scale, skewness), Array::log_ndtr),
            log_survival(x) => {
                let [left, right] = widths(scale, skewness);
                log_below(&(loc - x), &[right, left], Array::log_ndtr)
            },
        }
        Quantile {
            quantile(q) => quantile(q, scale, skewness, Array::ndtri) + loc,
            upper_quantile(q) => loc - quantile(q, scale, &skewness.recip(), Array::ndtri),
        }
        Moments {
            mean => {
                let [left, right] = widths(scale, skewness);
                (right - left) * FRAC_2_PI.sqrt() + loc
            },
            variance => {
                let [left, right] = widths(scale, skewness);
                (&right - &left).square() * (1.0 - FRAC_2_PI) + left * right
            },
        }
        Mode { mode => loc.clone() }
        Entropy {
            entropy => {
                let [left, right] = widths(scale, skewness);
                (left + right).log() + (HALF_LOG_TAU + 0.5 - LN_2)
            }
        }
    }
}

family! {
    /// The distribution of Student's t with the width `scale / skewness` below `loc` and
    /// `scale skewness` above, without a jump between.
    ///
    /// Draws are differentiable in all parameters, implicitly. The mean is infinite or NaN up to 1
    /// degree of freedom, the variance up to 2.
    ///
    /// ```
    /// use probpipe::{TwoPieceStudentT, prelude::*};
    /// let t = TwoPieceStudentT::new(3.0, 1.0, 1.0, 2.0);
    /// assert!((t.cdf(&array(1.0)).item::<f32>()? - 0.2).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TwoPieceStudentT::new {
        /// The degrees of freedom.
        df: Positive,
        /// Where the pieces meet, and the density is largest.
        loc: Real,
        /// The width.
        scale: Positive,
        /// Above 1 where the upper side is the wider one.
        skewness: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let [left, right] = widths(scale, skewness);
                let z = (x - loc) / select(&x.lt(loc), &left, &right);
                student_t::log_density(df, &z) - ((left + right).log() - LN_2)
            }
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                let df = &df.in_dtype(dtype);
                let size = random::student_t(first, shape, df.stop_gradient()).abs();
                let [left, right] = &widths(scale, skewness);
                let lower = uniform_of(dtype, second, shape).lt(left / (left + right));
                let x = select(&lower, &size * -left, size * right);
                keeping_probability(
                    &x,
                    |x| below(x, &widths(scale, skewness), |z| student_t::below(df, z)),
                    |x| {
                        let z = x / select(&x.lt(0.0), left, right);
                        student_t::log_density(df, &z).exp() * 2.0 / (left + right)
                    },
                ) + loc
            }
        }
        Cdf {
            cdf(x) => {
                below(&(x - loc), &widths(scale, skewness), |z| student_t::below(df, z))
            },
            survival(x) => {
                let [left, right] = widths(scale, skewness);
                below(&(loc - x), &[right, left], |z| student_t::below(df, z))
            },
            log_cdf(x) => {
                let of = |z: &Array| student_t::log_below(df, z);
                log_below(&(x - loc), &widths(scale, skewness), of)
            },
            log_survival(x) => {
                let [left, right] = widths(scale, skewness);
                log_below(&(loc - x), &[right, left], |z| student_t::log_below(df, z))
            },
        }
        Quantile {
            quantile(q) => quantile(q, scale, skewness, |q| student_t::quantile(df, q)) + loc,
            upper_quantile(q) => {
                let of = |q: &Array| student_t::quantile(df, q);
                loc - quantile(q, scale, &skewness.recip(), of)
            },
        }
        Moments {
            mean => {
                let [left, right] = widths(scale, skewness);
                let finite = df.gt(1.0);
                let size = half_student_t::mean_size(&select(&finite, df, 3.0));
                (right - left) * select(&finite, size, f64::INFINITY) + loc
            },
            variance => {
                let [left, right] = widths(scale, skewness);
                let finite = df.gt(2.0);
                let df = &select(&finite, df, 4.0);
                let apart = &right - &left;
                let squares = (apart.square() + left * right) * (df / (df - 2.0));
                let mean = half_student_t::mean_size(df) * apart;
                select(&finite, squares - mean.square(), f64::INFINITY)
            },
        }
        Mode { mode => loc.clone() }
        Entropy {
            entropy => {
                let [left, right] = widths(scale, skewness);
                student_t::standard_entropy(df) + (left + right).log() - LN_2
            }
        }
    }
}

#[track_caller]
fn widths(scale: &Array, skewness: &Array) -> [Array; 2] {
    [scale / skewness, scale * skewness]
}

/// The probability of less than a distance from the centre.
#[track_caller]
fn below(x: &Array, widths: &[Array; 2], of: impl Fn(&Array) -> Array) -> Array {
    let [left, right] = widths;
    let lower = x.lt(0.0);
    let total = left + right;
    let tail = of(&(-x.abs() / select(&lower, left, right))) * 2.0;
    select(&lower, left / &total * &tail, 1.0 - right / &total * tail)
}

/// Its logarithm, by that of the probability of less in a standard half.
#[track_caller]
fn log_below(x: &Array, widths: &[Array; 2], of: impl Fn(&Array) -> Array) -> Array {
    let [left, right] = widths;
    let lower = x.lt(0.0);
    let total = left + right;
    let tail = of(&(-x.abs() / select(&lower, left, right))) + LN_2;
    let near = (-(right / &total) * tail.exp()).log1p();
    select(&lower, (left / &total).log() + &tail, near)
}

#[track_caller]
fn quantile(q: &Array, scale: &Array, skewness: &Array, of: impl Fn(&Array) -> Array) -> Array {
    let [left, right] = widths(scale, skewness);
    let total = &left + &right;
    let lower = q.lt(&left / &total);
    let side = select(&lower, q * &total / &left, (1.0 - q) * &total / &right) * 0.5;
    let size = of(&side);
    select(&lower, &size * left, -size * right)
}
