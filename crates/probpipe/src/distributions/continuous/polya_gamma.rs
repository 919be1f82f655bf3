//! The Pólya-gamma distribution, cut off.

use crate::distributions::declaration::family;
use crate::distributions::shapes::join;
use crate::random::exponential_of;
use probpipe_trace::{Array, select};
use std::f64::consts::PI;

family! {
    /// The Pólya-gamma distribution PG(1, 0) of Polson, Scott and Windle (2013), cut off at 2.5,
    /// where 6e-6 of it are left: of the sum of exponential variables over `2 pi^2 (k - 1/2)^2`
    /// with `k = 1, 2, ...`. Its density is the first seven terms of the alternating series, as in
    /// NumPyro, and not normalised again.
    ///
    /// Draws have no parameters to be differentiable in.
    ///
    /// ```
    /// use probpipe::{TruncatedPolyaGamma, prelude::*};
    /// let p = TruncatedPolyaGamma::new();
    /// assert_eq!(p.log_prob(&array([3.0])).to_vec::<f32>()?, [f32::NEG_INFINITY]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedPolyaGamma::new {}
    on Interval(0.0, 2.5) {
        LogProb { log_prob(x) => log_density(x) }
        Sample {
            draw(key, shape, dtype) => {
                // The first eight summands, as in NumPyro.
                let terms = exponential_of(dtype, key, join(shape, &[8]));
                let rates: Vec<f64> =
                    (0..8).map(|k| 2.0 * (PI * (f64::from(k) + 0.5)).powi(2)).collect();
                let rates = Array::from_slice(&rates, [8]).cast(dtype);
                (terms / rates).sum_axes([-1]).minimum(2.5)
            }
        }
    }
}

/// The first terms of `sum((-1)^n (2 n + 1) exp(-(2 n + 1)^2 / (8 x))) / sqrt(2 pi x^3)`.
///
/// They cancel where `x` is large; there the whole series is taken from its dual by Jacobi,
/// `2 pi sum((-1)^n (2 n + 1) exp(-(2 n + 1)^2 pi^2 x / 2))`, and the terms from the eighth on
/// taken away.
#[track_caller]
fn log_density(x: &Array) -> Array {
    let term = |n: i32, x: &Array| {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        let (odd, power) = (f64::from(2 * n + 1), f64::from(n * (n + 1)) * -0.5);
        (power / x).exp() * (sign * odd)
    };
    let zero = x.eq(0.0);
    let large = x.gt(0.5);
    let small = select(&(&large | &zero), 0.5, x);
    let near = (1..7).fold(&small * 0.0, |sum, n| sum + term(n, &small)).log1p();
    let far = select(&large, x, 0.5);
    let rest = (7..15).fold(&far * 0.0, |sum, n| sum + term(n, &far));
    let first = |x: &Array| -0.125 / x - x.log() * 1.5 - 0.5 * (2.0 * PI).ln();
    let dual = |odd: f64| (&far * (-0.5 * (odd * PI).powi(2))).exp() * (2.0 * PI * odd);
    let whole = dual(1.0) - dual(3.0) + dual(5.0);
    let far = (whole - rest * first(&far).exp()).log();
    let value = select(&large, far, first(&small) + near);
    select(&zero, f64::NEG_INFINITY, value)
}
