//! The distribution of the sum of a normal and an exponential number.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::inverted;
use crate::random::{exponential_of, normal_of};
use probpipe_trace::{Array, select};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

family! {
    /// The distribution of a normal number plus an exponential one (E. Grushka, 1972).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{ExponentiallyModifiedGaussian, prelude::*};
    /// let e = ExponentiallyModifiedGaussian::new(1.0, 2.0, 0.5);
    /// assert_eq!(e.mean().item::<f32>()?, 3.0);
    /// assert_eq!(e.variance().item::<f32>()?, 8.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ExponentiallyModifiedGaussian::new {
        /// The mean of the normal number.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
        /// The inverse of the mean of the exponential number.
        rate: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) => log_part(&((x - loc) / scale), &(rate * scale)) + rate.log()
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                normal_of(dtype, first, shape) * scale + loc
                    + exponential_of(dtype, second, shape) / rate
            }
        }
        Cdf {
            cdf(x) => {
                let (z, r) = (&((x - loc) / scale), &(rate * scale));
                let left = z.lt(0.0);
                // Both parts have the factor of the normal density, without which they differ.
                let y = select(&left, z, -1.0);
                let apart = mills(&-&y) - mills(&(r - &y));
                let near = (y.square() * -0.5 - HALF_LOG_TAU).exp() * apart;
                select(&left, near, z.ndtr() - log_part(z, r).exp())
            },
            survival(x) => {
                let (z, r) = (&((x - loc) / scale), &(rate * scale));
                (-z).ndtr() + log_part(z, r).exp()
            },
        }
        Moments {
            mean => loc + rate.recip(),
            variance => scale.square() + rate.square().recip(),
        }
        Mode { mode => loc + scale * peak(&(rate * scale)) }
    }
}

/// The tail of the normal distribution over its density.
#[track_caller]
fn mills(z: &Array) -> Array {
    (z * FRAC_1_SQRT_2).erfcx() * (PI / 2.0).sqrt()
}

/// `log(exp(r^2 / 2 - r z) Phi(z - r))`: in the lower tail the square of `z` alone is left of the
/// powers.
#[track_caller]
fn log_part(z: &Array, r: &Array) -> Array {
    let u = z - r;
    let low = u.lt(0.0);
    let tail = mills(&-select(&low, &u, -1.0)).log() - z.square() * 0.5 - HALF_LOG_TAU;
    let rest = select(&low, 1.0, &u).log_ndtr() + r * (r * 0.5 - z);
    select(&low, tail, rest)
}

/// Where the density of a standard normal number and an exponential one of rate `r` is largest:
/// there `z` less `r`, `u`, is such that the normal density over its integral is `r`. From rates of
/// 4 on `r` and `u` would cancel; there `z` is what this quotient is more than `-u`, and so are the
/// steps of Newton.
#[track_caller]
fn peak(r: &Array) -> Array {
    let steep = r.gt(4.0);
    let few = &select(&steep, 1.0, r);
    let high = ((few * (PI / 2.0).sqrt()).log() * -2.0).maximum(0.0).sqrt();
    let u = inverted(&-few.log(), &-few, &high, |u| {
        let low = u.lt(0.0);
        let rest = select(&low, 1.0, u);
        let above = rest.log_ndtr() + rest.square() * 0.5 + HALF_LOG_TAU;
        select(&low, mills(&-select(&low, u, -1.0)).log(), above)
    });
    let many = &select(&steep, r, 8.0);
    let step = |z: Array| {
        let y = many - &z;
        let k = excess(&y);
        let slope = ((y + &k) * &k).stop_gradient();
        &z - (&z - k) / slope
    };
    let start = step(step(step(many.recip()))).stop_gradient();
    select(&steep, step(start), u + few)
}

/// By how much the normal density at `y` over the tail beyond it is more than `y`, by the continued
/// fraction of Laplace (DLMF 7.9), of which this much is exact from 3.5 on.
#[track_caller]
fn excess(y: &Array) -> Array {
    (2..=44).rev().fold(y.clone(), |rest, k| y + f64::from(k) / rest).recip()
}
