//! Differences of the logarithm of the gamma function and of its derivative that lose no digits, by
//! Stirling's series; as in DiDonato and Morris, ACM TOMS 18 (1992) 360, "algdiv".

use crate::double::Double;
use crate::gamma::{digamma, lgamma};
use crate::stirling::{DIGAMMA, LARGE, LGAMMA, correction, digamma_correction};
use std::f64::consts::PI;

/// `log x - digamma(x)`, which is `1/(2x) + ...`, to full relative precision for large `x`.
pub(crate) fn log_minus_digamma(x: f64) -> f64 {
    if x < LARGE {
        return libm::log(x) - digamma(x);
    }
    digamma_correction(x)
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
    let (rest, sum) = lgamma_difference_parts(a, b);
    rest - b * libm::log(sum)
}

/// That difference plus `b log(sum)`, and this sum: `a + b`, or above where `a` is small.
pub(crate) fn lgamma_difference_parts(a: f64, b: f64) -> (f64, f64) {
    // Up to where the series holds: gamma(a) = gamma(a + 1) / a. The product of 1 + b/a, less one.
    let (mut at, mut product) = (a, 0.0);
    while at < LARGE {
        product += b / at * (1.0 + product);
        at += 1.0;
    }
    let mut shift = libm::log1p(product);
    if product > 1e300 {
        let factors = (0..).map(|k| a + f64::from(k)).take_while(|a| *a < LARGE);
        shift = factors.map(|a| libm::log(a + b) - libm::log(a)).sum();
    }
    let a = at;
    let ratio = libm::log1p(b / a);
    // In the order that cancels exactly: a log(1 + b/a) ~ b.
    let leading = (b - a * ratio) + 0.5 * ratio;
    (shift + (leading + power_differences(&LGAMMA, 1, a, b)), a + b)
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
