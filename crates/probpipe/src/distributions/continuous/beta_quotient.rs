//! The quotient of two beta numbers.

use super::euler::log_integral;
use crate::distributions::declaration::family;
use crate::distributions::terms::log_power;
use crate::random::loggamma;
use probpipe_trace::{Array, Key, Shape, betaln, select};

family! {
    /// The distribution of `X / Y` of two independent beta numbers. With the concentrations
    /// `a1, a0` of `X` and `b1, b0` of `Y` its density is up to 1
    ///
    /// `z^(a1 - 1) B(a1 + b1, b0) 2F1(1 - a0, a1 + b1; a1 + b1 + b0; z) / (B(a1, a0) B(b1, b0))`,
    ///
    /// and beyond, since `1 / z` has the same distribution with the two exchanged, that one at
    /// `1 / z` over `z^2` (T. Pham-Gia, "Distributions of the ratios of independent beta variables
    /// and applications", 2000). At 1 it is infinite where `a0 + b0 <= 1`. The function of Gauss
    /// is computed by quadrature, in `f64` to some units in the 13th digit for concentrations from
    /// 1e-5 to 1e5.
    ///
    /// Draws are differentiable in all parameters, implicitly. The mean is infinite up to a `b1` of
    /// 1, the variance up to 2.
    ///
    /// ```
    /// use probpipe::{BetaQuotient, prelude::*};
    /// // Of two uniform numbers: 1/2 up to 1, then 1/(2 z^2).
    /// let b = BetaQuotient::new(1.0, 1.0, 1.0, 1.0);
    /// let apart = b.prob(&array([0.5, 2.0])) - array([0.5, 0.125]);
    /// assert!(apart.abs().max().item::<f32>()? < 1e-6);
    /// assert_eq!(BetaQuotient::new(1.0, 1.0, 2.0, 1.0).mean().item::<f32>()?, 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BetaQuotient::new {
        /// The weight `a1` of 1 in the numerator.
        concentration1_numerator: Positive,
        /// The weight `a0` of 0 in the numerator.
        concentration0_numerator: Positive,
        /// The weight `b1` of 1 in the denominator.
        concentration1_denominator: Positive,
        /// The weight `b0` of 0 in the denominator.
        concentration0_denominator: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(z) => log_density(
                [concentration1_numerator, concentration0_numerator],
                [concentration1_denominator, concentration0_denominator],
                z,
            )
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                let of = |key, one: &Array, zero: &Array| {
                    log_beta(key, shape, &one.in_dtype(dtype), &zero.in_dtype(dtype))
                };
                let x = of(first, concentration1_numerator, concentration0_numerator);
                (x - of(second, concentration1_denominator, concentration0_denominator)).exp()
            }
        }
        Moments {
            mean => {
                let [mean, _] = of_numerator(concentration1_numerator, concentration0_numerator);
                let (one, zero) = (concentration1_denominator, concentration0_denominator);
                let finite = one.gt(1.0);
                let less = select(&finite, one, 2.0) - 1.0;
                select(&finite, mean * (zero / less + 1.0), f64::INFINITY)
            },
            variance => {
                let [mean, variance] =
                    of_numerator(concentration1_numerator, concentration0_numerator);
                let (one, zero) = (concentration1_denominator, concentration0_denominator);
                let finite = one.gt(2.0);
                let b = &select(&finite, one, 3.0);
                // The mean and the variance of what the numerator is multiplied by.
                let ratio = zero / (b - 1.0);
                let spread = &ratio * (&ratio + 1.0) / (b - 2.0);
                let square = (ratio + 1.0).square();
                let both = variance * (square + &spread) + mean.square() * spread;
                select(&finite, both, f64::INFINITY)
            },
        }
    }
}

#[track_caller]
fn log_density([a1, a0]: [&Array; 2], [b1, b0]: [&Array; 2], z: &Array) -> Array {
    let beyond = z.gt(1.0);
    let far = select(&beyond, z, 2.0);
    let near = select(&beyond, 0.5, z);
    // What the smaller of `z` and `1 / z` lacks to 1.
    let rest = select(&beyond, (&far - 1.0) / &far, 1.0 - &near);
    let power = select(&beyond, -(b1 + 1.0) * far.log(), log_power(&(a1 - 1.0), &near));
    let (b, c) = (select(&beyond, a0, b0), select(&beyond, b0, a0));
    power + log_integral([&(a1 + b1), &b, &c], &rest) - (betaln(a1, a0) + betaln(b1, b0))
}

/// The logarithm of a beta number.
#[track_caller]
fn log_beta(key: Key, shape: &Shape, one: &Array, zero: &Array) -> Array {
    let (first, second) = key.split();
    let x = loggamma(first, shape, one);
    // log(x / (x + y)), of which the small one may be lost as a number.
    -(loggamma(second, shape, zero) - x).softplus()
}

/// The mean and the variance of a beta number.
#[track_caller]
fn of_numerator(one: &Array, zero: &Array) -> [Array; 2] {
    let total = one + zero;
    let mean = one / &total;
    let variance = &mean * (zero / &total) / (total + 1.0);
    [mean, variance]
}
