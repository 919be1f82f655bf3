//! The modified Bessel functions of the first kind of orders 0 and 1, plain and scaled by
//! `e^-|x|`: the power series DLMF 10.25.2 for small arguments, whose terms are positive, and the
//! asymptotic series 10.40.1 beyond 20, where its least term is below the last digit.

use crate::double::Double;
use std::f64::consts::PI;

/// Where the asymptotic series takes over.
const FAR: f64 = 20.0;

/// `sum over k of (x^2/4)^k / (k! (k + order)!)`.
fn series(x: f64, order: u32) -> f64 {
    let t = Double::product(0.5 * x, 0.5 * x);
    let ratio = |k: u32| f64::from(k * (k + order));
    // The number of terms that show, for x up to 20, from the smallest. Those before the largest
    // one pass their errors on in full, so they have twice the digits.
    let (last, growing) = (12 + (2.0 * x) as u32, (0.75 * x) as u32);
    let rest = (growing + 1..=last).rev().fold(1.0, |sum, k| 1.0 + sum * (t.hi / ratio(k)));
    let sum = (1..=growing)
        .rev()
        .fold(Double::new(rest), |sum, k| Double::new(1.0) + sum * t / Double::new(ratio(k)));
    sum.value()
}

/// `sqrt(2 pi x) e^-x I` of the order: `1 - (m - 1)/(8x) + (m - 1)(m - 9)/(2! (8x)^2) - ...` with
/// `m = 4 order^2`.
fn asymptotic(x: f64, order: u32) -> f64 {
    let m = f64::from(4 * order * order);
    let (mut term, mut terms, mut count) = (1.0, [0.0; 60], 0);
    for (k, slot) in (1..).zip(&mut terms) {
        *slot = term;
        count += 1;
        let odd = f64::from(2 * k - 1);
        let next = term * (odd * odd - m) / (8.0 * f64::from(k) * x);
        if next.abs() < 1e-17 || next.abs() > term.abs() && k > 3 {
            break;
        }
        term = next;
    }
    terms[..count].iter().rev().sum()
}

/// `sqrt(2 pi x)`.
fn root(x: f64) -> f64 {
    if x > 1e300 { (2.0 * PI).sqrt() * x.sqrt() } else { (2.0 * PI * x).sqrt() }
}

/// The modified Bessel function of order 0.
///
/// ```
/// assert!((probpipe_special::i0(1.0) - 1.2660658777520082).abs() < 1e-15);
/// ```
pub fn i0(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { series(a, 0) } else { unscaled(a, asymptotic(a, 0)) }
}

/// `e^x / sqrt(2 pi x)` times the rest, in two factors so that only the result overflows.
fn unscaled(x: f64, rest: f64) -> f64 {
    if x == f64::INFINITY {
        return x;
    }
    if x < 709.0 {
        return libm::exp(x) * (rest / root(x));
    }
    let half = libm::exp(0.5 * x);
    half * (rest / root(x)) * half
}

/// `e^-|x| I0(x)`.
///
/// ```
/// // 1/sqrt(2 pi x) (1 + 1/(8 x) + ...)
/// let limit = 1e-3 / (2.0 * std::f64::consts::PI).sqrt();
/// assert!((probpipe_special::i0e(1e6) / limit - 1.000000125).abs() < 1e-12);
/// ```
pub fn i0e(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { libm::exp(-a) * series(a, 0) } else { asymptotic(a, 0) / root(a) }
}

/// The modified Bessel function of order 1, which is odd.
///
/// ```
/// assert!((probpipe_special::i1(1.0) - 0.565159103992485).abs() < 1e-15);
/// ```
pub fn i1(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { 0.5 * x * series(a, 1) } else { unscaled(a, asymptotic(a, 1)).copysign(x) }
}

/// `e^-|x| I1(x)`.
///
/// ```
/// assert!((probpipe_special::i1e(1.0) - 0.2079104153497085).abs() < 1e-15);
/// ```
pub fn i1e(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR {
        return 0.5 * x * libm::exp(-a) * series(a, 1);
    }
    (asymptotic(a, 1) / root(a)).copysign(x)
}

/// The derivative of [`i0e`], `i1e(x) - sign(x) i0e(x)`, without the cancellation of that
/// difference for large `x`; zero at the kink at zero.
///
/// ```
/// assert!((probpipe_special::i0e_slope(1e8) / -1.9947114093e-13 - 1.0).abs() < 1e-9);
/// ```
pub fn i0e_slope(x: f64) -> f64 {
    let a = x.abs();
    // The mean of both sides at the kink.
    if a.is_nan() || a == 0.0 {
        return x;
    }
    if a < FAR {
        return (i1e(a) - i0e(a)).copysign(-x);
    }
    if a == f64::INFINITY {
        return 0.0f64.copysign(-x);
    }
    // Term by term; the first ones are equal.
    let (mut zero, mut one, mut sum) = (1.0, 1.0, 0.0f64);
    for k in 1..60 {
        let odd = f64::from(2 * k - 1);
        let scale = 8.0 * f64::from(k) * a;
        zero *= odd * odd / scale;
        one *= (odd * odd - 4.0) / scale;
        let term: f64 = zero - one;
        if term.abs() < 1e-17 * sum {
            break;
        }
        sum += term;
    }
    (sum / root(a)).copysign(-x)
}
