//! The Hurwitz zeta function by Euler-Maclaurin summation (DLMF 25.11.7), and the polygamma
//! functions, which are values of it.

use crate::double::Double;
use crate::gamma::digamma;
use crate::stirling::stieltjes;
use crate::{MAX_ORDER, Number, Taylor};

/// `B(2k) / (2k)!`.
const BERNOULLI: [f64; 15] = [
    0.08333333333333333,
    -0.001388888888888889,
    3.306878306878307e-05,
    -8.267195767195768e-07,
    2.08767569878681e-08,
    -5.284190138687493e-10,
    1.3382536530684679e-11,
    -3.3896802963225827e-13,
    8.586062056277845e-15,
    -2.174868698558062e-16,
    5.5090028283602295e-18,
    -1.3954464685812522e-19,
    3.534707039629467e-21,
    -8.953517427037546e-23,
    2.267952452337683e-24,
];

/// `r^-s` as a function of `s`.
fn power<T: Number>(r: f64, s: T) -> T {
    let v = libm::pow(r, -s.value());
    if T::ORDER == 0 {
        return T::lit(v);
    }
    // Beyond the range there are no coefficients to speak of.
    if v == 0.0 || v.is_infinite() {
        return T::lit(v);
    }
    let l = -libm::log(r);
    s.lift([v, v * l, v * l * l, v * l * l * l])
}

/// `sum over k >= 0 of (q + k)^-s` for `s > 1`, `q > 0`.
fn hurwitz<T: Number>(s: T, q: f64) -> T {
    // Terms one by one up to where the remainder's series converges to the last digit.
    let least = 10.0 + 0.75 * s.value();
    let mut terms = [T::lit(0.0); 12];
    let (mut sum, mut q, mut count) = (T::lit(0.0), q, 0);
    let first = power(q, s);
    while q < least {
        let term = if count == 0 { first } else { power(q, s) };
        if count < terms.len() {
            terms[count] = term;
        } else {
            sum = sum + term;
        }
        count += 1;
        q += 1.0;
        // What is left of a steep series does not show, nor, a little later, its derivatives.
        let negligible = if T::ORDER == 0 { 1e-18 } else { 1e-30 };
        if term.value() * q <= negligible * first.value() {
            return terms.iter().rev().fold(sum, |sum, t| sum + *t);
        }
    }
    let last = if count == 0 { first } else { power(q, s) };
    // integral + half a term + sum B(2k)/(2k)! s (s+1) .. (s+2k-2) q^(1-s-2k)
    let less = s - T::lit(1.0);
    let mut rest = power(q, less) / less + last * T::lit(0.5);
    let mut factor = last * s * T::lit(1.0 / q);
    let mut tail = T::lit(0.0);
    for (k, b) in BERNOULLI.iter().enumerate() {
        let term = factor * T::lit(*b);
        tail = tail + term;
        if T::ORDER == 0 && term.value().abs() < 1e-18 * rest.value() {
            break;
        }
        let n = (2 * k + 1) as f64;
        factor = factor * (s + T::lit(n)) * (s + T::lit(n + 1.0)) * T::lit(1.0 / (q * q));
    }
    rest = rest + tail;
    // Smallest first.
    terms.iter().rev().fold(sum + rest, |sum, t| sum + *t)
}

/// The Hurwitz zeta function `sum over k >= 0 of (q + k)^-s`, for `s > 1`; the Riemann zeta
/// function at `q = 1`. Infinite at `s = 1` and where `q` is zero or a negative whole number; for
/// other negative `q` it takes whole `s`. NaN elsewhere.
///
/// ```
/// let pi = std::f64::consts::PI;
/// assert!((probpipe_special::zeta(2.0, 1.0) - pi * pi / 6.0).abs() < 1e-15);
/// ```
pub fn zeta(s: f64, q: f64) -> f64 {
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if s == 1.0 || q <= 0.0 && q == q.trunc() && q.is_finite() {
        return f64::INFINITY;
    }
    if q == f64::INFINITY {
        return 0.0;
    }
    if s == f64::INFINITY {
        return if q > 1.0 {
            0.0
        } else if q == 1.0 {
            1.0
        } else {
            f64::INFINITY
        };
    }
    if q > 0.0 {
        return hurwitz(s, q);
    }
    if s != s.trunc() || q == f64::NEG_INFINITY {
        return f64::NAN;
    }
    // The terms left of zero, mirrored: with f the fractional part of q,
    // zeta(s, q) = zeta(s, f) + (-1)^s (zeta(s, 1 - f) - zeta(s, 1 - q)).
    let r = q - q.round();
    let (f, g) = if r < 0.0 { (1.0 + r, -r) } else { (r, 1.0 - r) };
    let even = s % 2.0 == 0.0;
    let apart = if r < 0.0 { -2.0 * r - 1.0 } else { 1.0 - 2.0 * r };
    if !even && apart.abs() < 0.25 {
        return pairs(s, f, apart, (-q).ceil());
    }
    let (right, left) = (hurwitz(s, f), hurwitz(s, g) - hurwitz(s, 1.0 - q));
    if !even && right.is_infinite() && left.is_infinite() {
        return f64::INFINITY.copysign(apart);
    }
    right + if even { left } else { -left }
}

/// The sum over `k < n` of `(f + k)^-s - (f + apart + k)^-s`, and of `(f + k)^-s` from there on:
/// terms that nearly cancel are a difference before they are added.
fn pairs(s: f64, f: f64, apart: f64, n: f64) -> f64 {
    let (mut sum, mut k) = (0.0, 0.0);
    let most = (10.0 + 0.75 * s).ceil();
    while apart != 0.0 && k < n.min(most) {
        let low = if apart > 0.0 { f + k } else { f + apart + k };
        let less = -libm::expm1(-s * libm::log1p(apart.abs() / low));
        let term = (libm::pow(low, -s) * less).copysign(apart);
        sum += term;
        k += 1.0;
        if term.is_infinite() || term.abs() * k <= 1e-18 * sum.abs() {
            k = n;
        }
    }
    if k < n && apart != 0.0 {
        // The difference of two tails, as a series in half of what they are apart.
        let (half, middle) = (0.5 * apart, f + 0.5 * apart + k);
        let mut factor = 2.0 * s * half;
        for j in 0..8 {
            let j = f64::from(2 * j + 1);
            sum += factor * hurwitz(s + j, middle);
            factor *= (s + j) * (s + j + 1.0) * half * half / ((j + 1.0) * (j + 2.0));
        }
        return sum + hurwitz(s, f + apart + n);
    }
    sum + hurwitz(s, f + n)
}

/// The derivative of `order` 0 to 3 of [`zeta`] in `s`; NaN for other orders, and outside of
/// `s > 1`, `q > 0`.
pub fn zeta_derivative(s: f64, q: f64, order: usize) -> f64 {
    if order == 0 {
        return zeta(s, q);
    }
    if !(s > 1.0 && q > 0.0) || s.is_infinite() || order > MAX_ORDER {
        return f64::NAN;
    }
    if q == f64::INFINITY {
        return 0.0;
    }
    let first = libm::pow(q, -s) * libm::pow(-libm::log(q), order as f64);
    if q < 1.0 && first.is_infinite() {
        // The first term is beyond the range.
        return first;
    }
    match order {
        1 => hurwitz(Taylor::<f64, 2>::variable(s), q).0[1],
        2 => hurwitz(Taylor::<f64, 3>::variable(s), q).0[2] * 2.0,
        MAX_ORDER => hurwitz(Taylor::<f64, 4>::variable(s), q).0[3] * 6.0,
        _ => f64::NAN,
    }
}

/// The derivative of order `n` of [`digamma`], `(-1)^(n+1) n! zeta(n + 1, x)`. NaN where `n` is
/// negative or not whole; the convention of zeta at whole `x <= 0`.
///
/// ```
/// let pi = std::f64::consts::PI;
/// assert!((probpipe_special::polygamma(1.0, 1.0) - pi * pi / 6.0).abs() < 1e-15);
/// ```
pub fn polygamma(n: f64, x: f64) -> f64 {
    if n == 0.0 {
        return digamma(x);
    }
    if !(n > 0.0 && n == n.trunc()) || x.is_nan() {
        return f64::NAN;
    }
    let sign = if n % 2.0 == 0.0 { -1.0 } else { 1.0 };
    let value = zeta(n + 1.0, x);
    if n < 170.0 && value.is_finite() && value.abs() > f64::MIN_POSITIVE {
        let factor = libm::tgamma(n + 1.0) * value;
        if factor.is_finite() {
            return sign * factor;
        }
    }
    let left = x <= 0.0;
    if left && n % 2.0 == 0.0 && (x - x.round()).abs() == 0.5 {
        // The terms left of zero cancel those right of it, and zeta may be below the range.
        return polygamma(n, 1.0 - x);
    }
    if left && (value == 0.0 || !value.is_finite()) || x == f64::INFINITY || n == f64::INFINITY {
        return sign * value;
    }
    // n! x^-(n+1) overflows in one factor and vanishes in the other, so it comes by its logarithm;
    // the rest of the series, zeta x^(n+1), does neither. Left of zero there is no such factor.
    let rest = if left { value.abs() } else { relative_hurwitz(n + 1.0, x) };
    let exponent = log_factorial_quotient(n + 1.0, if left { 1.0 } else { x });
    let size = if exponent.hi.abs() > 1e4 {
        libm::exp(exponent.hi)
    } else {
        (exponent + Double::new(rest).log()).exp()
    };
    sign * size.copysign(value)
}

/// `log(gamma(m) x^-m)` for `m >= 1`; without a low part where it is large.
pub(crate) fn log_factorial_quotient(m: f64, x: f64) -> Double {
    /// Half of `log(2 pi)`.
    const HALF_LOG_TAU: Double = Double { hi: 0.9189385332046728, lo: -3.8782941580672414e-17 };
    // m (log(m/x) - 1) - log(m) / 2 + ..
    let log = Double::new(m).log();
    let power = log - Double::new(x).log() - Double::new(1.0);
    if (m * power.hi).abs() > 1e4 {
        return Double::new(m * power.hi);
    }
    let root = Double::new(-0.5) * log + HALF_LOG_TAU;
    Double::new(m) * power + root + Double::new(stieltjes(m))
}

/// `zeta(s, q) q^s`, as [`hurwitz`].
fn relative_hurwitz(s: f64, q: f64) -> f64 {
    if q < 10.0 + 0.75 * s {
        let terms = (1..300).map(|k| libm::exp(-s * libm::log1p(f64::from(k) / q)));
        return 1.0 + terms.take_while(|t| *t > 1e-18).sum::<f64>();
    }
    let (mut factor, mut tail) = (s / q, 0.0);
    for (k, b) in BERNOULLI.iter().enumerate() {
        tail += factor * b;
        let n = (2 * k + 1) as f64;
        factor *= (s + n) / q * ((s + n + 1.0) / q);
    }
    q / (s - 1.0) + (0.5 + tail)
}
