//! Stirling's series and what follows from it: the gamma function without its leading factor, and
//! differences of the logarithm of the gamma function and of its derivative that lose no digits.
//! DLMF 5.11; the differences as in DiDonato and Morris, ACM TOMS 18 (1992) 360, "algdiv".

use crate::double::Double;
use crate::gamma::{digamma, lgamma};
use std::f64::consts::PI;

/// Where the series are good to the last digit.
pub(crate) const LARGE: f64 = 10.0;

/// `B(2k) / (2k (2k - 1))`, DLMF 5.11.1.
const LGAMMA: [f64; 10] = [
    0.08333333333333333,
    -0.002777777777777778,
    0.0007936507936507937,
    -0.0005952380952380953,
    0.0008417508417508417,
    -0.0019175269175269176,
    0.00641025641025641,
    -0.029550653594771242,
    0.17964437236883057,
    -1.3924322169059011,
];

/// `B(2k) / 2k`, DLMF 5.11.2.
const DIGAMMA: [f64; 10] = [
    0.08333333333333333,
    -0.008333333333333333,
    0.003968253968253968,
    -0.004166666666666667,
    0.007575757575757576,
    -0.021092796092796094,
    0.08333333333333333,
    -0.4432598039215686,
    3.0539543302701198,
    -26.456212121212122,
];

/// `log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2` for `x >= 10`.
pub(crate) fn correction(x: f64) -> f64 {
    let r = 1.0 / x;
    let t = r * r;
    r * LGAMMA.iter().rev().fold(0.0, |s, c| s * t + c)
}

/// `gamma(x) e^x x^(1/2 - x) / sqrt(2 pi)`: near one for large `x`.
pub(crate) fn scaled_gamma(x: f64) -> f64 {
    if x >= LARGE {
        return libm::exp(correction(x));
    }
    // x^-x e^x is near one for small x, so nothing overflows before the result does.
    let power = libm::pow(x, 0.5 - x);
    libm::tgamma(x.max(f64::MIN_POSITIVE)) * libm::exp(x) * power / (2.0 * PI).sqrt()
}

/// `log x - digamma(x)`, which is `1/(2x) + ...`, to full relative precision for large `x`.
pub(crate) fn log_minus_digamma(x: f64) -> f64 {
    if x < LARGE {
        return libm::log(x) - digamma(x);
    }
    let t = 1.0 / (x * x);
    0.5 / x + t * DIGAMMA.iter().rev().fold(0.0, |s, c| s * t + c)
}

/// `sum c[k] (x^-n - (x + d)^-n)` with `n = first, first + 2, ...`, as a multiple of `d`.
fn power_differences(coefficients: &[f64], first: usize, x: f64, d: f64) -> f64 {
    let (u, v) = (1.0 / x, 1.0 / (x + d));
    // u^n - v^n = (u - v) q, q = u^(n-1) + u^(n-2) v + ..., and u - v = d u v.
    let next = |(q, vn): (f64, f64)| (u * q + vn * v, vn * v);
    let mut power = (1.0, 1.0);
    for _ in 1..first {
        power = next(power);
    }
    let mut sum = 0.0;
    for c in coefficients {
        sum += c * power.0;
        power = next(next(power));
    }
    sum * (d * u * v)
}

/// `log gamma(a) - log gamma(a + b)` for positive `a` and `b`, to full precision relative to `b`
/// where `b` is small.
pub(crate) fn lgamma_difference(a: f64, b: f64) -> f64 {
    // Up to where the series holds: gamma(a) = gamma(a + 1) / a.
    let (mut a, mut shift) = (a, 0.0);
    while a < LARGE {
        shift += libm::log1p(b / a);
        a += 1.0;
    }
    let ratio = libm::log1p(b / a);
    // (a + b) - b (1 + log(a + b)/..) in the order that cancels exactly: a log(1 + b/a) ~ b.
    let leading = (b - a * ratio) + 0.5 * ratio - b * libm::log(a + b);
    shift + (leading + power_differences(&LGAMMA, 1, a, b))
}

/// `digamma(a + b) - digamma(a)` for positive `a` and `b`, without cancellation; where `a` is zero
/// or negative it is the plain difference.
///
/// ```
/// let d = probpipe_special::digamma_difference(1e8, 1.0);
/// assert!((d - 1e-8).abs() < 1e-23);
/// ```
pub fn digamma_difference(a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) || a.is_infinite() || b.is_infinite() {
        return digamma(a + b) - digamma(a);
    }
    if b > a.max(1.0) {
        return digamma(a + b) - digamma(a);
    }
    let (mut a, mut shift) = (a, 0.0);
    while a < LARGE {
        shift += b / a / (a + b);
        a += 1.0;
    }
    let halves = 0.5 * b / a / (a + b);
    shift + (libm::log1p(b / a) + halves + power_differences(&DIGAMMA, 2, a, b))
}

/// The logarithm of the beta function, `lgamma(a) + lgamma(b) - lgamma(a + b)`, without the
/// cancellation of that formula. Infinite where `a` or `b` is zero, NaN where one is negative.
///
/// ```
/// use probpipe_special::betaln;
/// // B(a, 1) = 1/a
/// assert!((betaln(1e8, 1.0) + 1e8f64.ln()).abs() < 1e-14);
/// ```
pub fn betaln(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() || a < 0.0 || b < 0.0 {
        return f64::NAN;
    }
    let (small, large) = (a.min(b), a.max(b));
    if small == 0.0 {
        return f64::INFINITY;
    }
    if large.is_infinite() {
        return f64::NEG_INFINITY;
    }
    if large < LARGE && small > 1e-290 {
        // One logarithm, so that the error is absolute where the value is near zero.
        let quotient = libm::tgamma(small) * (libm::tgamma(large) / libm::tgamma(small + large));
        return libm::log(quotient);
    }
    if small < LARGE {
        return lgamma(small) + lgamma_difference(large, small);
    }
    // log sqrt(2 pi (a + b) / (a b)) + a log(a/(a + b)) + b log(b/(a + b)), all but the first
    // negative.
    let sum = Double::sum(small, large);
    let root = 0.5 * libm::log(2.0 * PI / small * (sum.hi / large));
    let left = large * -libm::log1p(small / large);
    let right = small * (Double::new(small) / sum).log().value();
    let rest = (correction(large) - correction(sum.hi)) + correction(small);
    root + left + right + rest
}
