//! Modified Bessel functions of the first kind of whole and half orders, as the densities of
//! directions in any number of dimensions need them. Orders are known when the program is made.

use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::{Array, fori_loop, select};
use std::f64::consts::PI;

/// `log(I_n(x) exp(-x) / x^n)` of `n = halves / 2` for `x > 0`, and `I_(n+1)(x) / I_n(x)`.
///
/// Up to a bound, from the order 0 or 1/2 by quotients of neighbours, which a continued fraction
/// gives from its end (D. E. Amos, "Computation of modified Bessel functions and their ratios",
/// 1974); beyond, by the asymptotic series (DLMF 10.40.1).
#[track_caller]
pub(crate) fn log_power_free(halves: usize, x: &Array) -> [Array; 2] {
    let order = halves as f64 / 2.0;
    let bound = 50.0 + 2.0 * (order + 1.0).powi(2);
    let large = x.gt(bound);
    let [few, ratio] = by_quotients(halves, &select(&large, bound, x), bound);
    let far = select(&large, x, bound);
    let [many, next] = [order, order + 1.0].map(|order| by_series(order, &far));
    let free = &many - (far.log() * (order + 0.5) + HALF_LOG_TAU);
    [select(&large, free, few), select(&large, (next - many).exp(), ratio)]
}

#[track_caller]
fn by_quotients(halves: usize, x: &Array, bound: f64) -> [Array; 2] {
    // As many more as bring the end down to rounding.
    let extra = (9.0 * bound.sqrt()).ceil();
    let lowest = (halves % 2) as f64 / 2.0;
    let steps = halves / 2;
    let last = lowest + steps as f64 + 1.0 + extra;
    let root = (x.square() + (last + 0.5).powi(2)).sqrt();
    let start = (root + (last - 0.5)).recip();
    // Each is I_n / (x I_(n-1)), so that nothing is lost near 0.
    let quotient = |n: &Array, above: &Array| (n * 2.0 + x.square() * above).recip();
    let above = fori_loop(extra as usize, start, |k, above: Array| {
        quotient(&(last - 1.0 - k.cast(x.dtype())), &above)
    });
    let mut logs = x.log() * 0.0;
    let mut below = above.clone();
    for k in (0..steps).rev() {
        below = quotient(&Array::from(lowest + k as f64 + 1.0), &below);
        logs += below.log();
    }
    let base = match halves % 2 {
        0 => x.i0e().log(),
        // I_(1/2)(x) = sqrt(2 / (pi x)) sinh(x)
        _ => (-(x * -2.0).expm1() / x).log() - 0.5 * (2.0 * PI).ln(),
    };
    [base + logs, above * x]
}

/// `log(I_n(x) exp(-x) sqrt(2 pi x))`.
#[track_caller]
fn by_series(order: f64, x: &Array) -> Array {
    let eighth = (x * 8.0).recip();
    let sum = (1..=40).rev().fold(x * 0.0, |sum, k| {
        let odd = f64::from(2 * k - 1);
        -(&eighth * ((4.0 * order * order - odd * odd) / f64::from(k))) * (sum + 1.0)
    });
    sum.log1p()
}
