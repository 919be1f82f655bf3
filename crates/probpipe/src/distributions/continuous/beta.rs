//! The beta distribution.

use crate::distributions::declaration::family;
use crate::distributions::tails::{Split, log_betainc};
use crate::distributions::terms::{log_power, log_power_to_one};
use crate::random;
use probpipe_trace::{
    Array, beta_density, betainc, betaincinv, betaln, digamma_difference, select,
};

family! {
    /// The beta distribution, of density
    /// `x^(concentration1 - 1) (1 - x)^(concentration0 - 1) / B(concentration1, concentration0)`.
    ///
    /// Draws are differentiable in both parameters, implicitly.
    ///
    /// ```
    /// use probpipe::{Beta, prelude::*};
    /// let b = Beta::new(2.0, 3.0);
    /// assert_eq!(b.cdf(&array(0.5)).item::<f32>()?, 0.6875);
    /// assert!((b.mode().item::<f32>()? - 1.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Beta::new {
        /// The weight of 1.
        concentration1: Positive,
        /// The weight of 0.
        concentration0: Positive,
    }
    on UnitInterval {
        LogProb { log_prob(x) => log_density(concentration1, concentration0, x) }
        Sample {
            draw(key, shape, dtype) => random::beta(
                key,
                shape,
                concentration1.in_dtype(dtype),
                concentration0.in_dtype(dtype),
            )
        }
        Cdf {
            cdf(x) => betainc(concentration1, concentration0, x),
            survival(x) => above(concentration1, concentration0, x),
            log_cdf(x) => log_below(concentration1, concentration0, x),
            log_survival(x) => log_above(concentration1, concentration0, x),
        }
        Quantile {
            quantile(q) => betaincinv(concentration1, concentration0, q),
            upper_quantile(q) => 1.0 - betaincinv(concentration0, concentration1, q),
            side_quantile(q, upper) => {
                let (a, b) = (concentration1, concentration0);
                let x = betaincinv(select(upper, b, a), select(upper, a, b), q);
                select(upper, 1.0 - &x, &x)
            },
        }
        Moments {
            mean => concentration1 / (concentration1 + concentration0),
            variance => {
                let total = concentration1 + concentration0;
                concentration1 / &total * (concentration0 / &total) / (total + 1.0)
            },
        }
        Mode { mode => peak(concentration1, concentration0) }
        Entropy { entropy => entropy(concentration1, concentration0) }
    }
}

/// The density at `x` from 0 to 1.
#[track_caller]
pub(crate) fn log_density(a: &Array, b: &Array, x: &Array) -> Array {
    log_power(&(a - 1.0), x) + log_power_to_one(&(b - 1.0), x) - betaln(a, b)
}

/// The probability of more than `x`. Near 0 one less `x` is rounded, which counts where the density
/// is large.
#[track_caller]
pub(crate) fn above(a: &Array, b: &Array, x: &Array) -> Array {
    let below = betainc(a, b, x);
    let steep = beta_density(a, b, x).stop_gradient().gt(1.0);
    let near = x.lt(1e-3) & (steep | below.lt(0.999));
    select(&near, 1.0 - below, betainc(b, a, 1.0 - x))
}

/// The logarithm of the probability of less than what is exact on both sides.
#[track_caller]
pub(crate) fn log_of_parts(a: &Array, b: &Array, at: &Split) -> Array {
    log_betainc([&betainc(a, b, &at.x), &betainc(b, a, &at.rest)], [a, b], at)
}

/// The logarithm of the probability of less than `x`.
#[track_caller]
pub(crate) fn log_below(a: &Array, b: &Array, x: &Array) -> Array {
    log_betainc([&betainc(a, b, x), &above(a, b, x)], [a, b], &Split::new(x, &(1.0 - x)))
}

/// The logarithm of the probability of more than `x`.
#[track_caller]
pub(crate) fn log_above(a: &Array, b: &Array, x: &Array) -> Array {
    let at = Split::new(x, &(1.0 - x)).mirrored();
    log_betainc([&above(a, b, x), &betainc(a, b, x)], [b, a], &at)
}

/// Where the density is largest.
#[track_caller]
pub(crate) fn peak(a: &Array, b: &Array) -> Array {
    let between = a.gt(1.0) & b.gt(1.0);
    let total = select(&between, a + b, 3.0);
    end_or(a, b, select(&between, a - 1.0, 1.0) / (total - 2.0))
}

/// `middle` if the density rises from both ends; an end if it falls from there only; nowhere if it
/// is flat or infinite at both.
#[track_caller]
pub(crate) fn end_or(a: &Array, b: &Array, middle: Array) -> Array {
    // At 0 the density is more than next to it if a < 1, or if a = 1 and it falls towards 1.
    let left = a.lt(1.0) | (a.eq(1.0) & b.gt(1.0));
    let right = b.lt(1.0) | (b.eq(1.0) & a.gt(1.0));
    let between = a.gt(1.0) & b.gt(1.0);
    let one = select(&(&left & !&right), 0.0, select(&(&right & !&left), 1.0, f64::NAN));
    select(&between, middle, one)
}

/// The entropy; the differences of digamma functions do not cancel.
#[track_caller]
pub(crate) fn entropy(a: &Array, b: &Array) -> Array {
    betaln(a, b) + (a - 1.0) * digamma_difference(a, b) + (b - 1.0) * digamma_difference(b, a)
}
