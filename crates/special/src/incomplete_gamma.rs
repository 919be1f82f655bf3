//! The regularised incomplete gamma functions P and Q and the gamma density.
//!
//! For large `a` the smaller tail is an integral of a log-concave function that decays from its
//! start: Gauss's rule gives it to the last digit for any `a` and `x`, also near `x = a` (DLMF
//! 8.2.1 and 8.6.3 after moving the origin to `x`). Elsewhere the series DLMF 8.11.4, the continued
//! fraction 8.9.2, and for small `a` and `x` the difference of W. Gautschi, ACM TOMS 5 (1979) 466.
//! The factor before them is computed with an exponent of twice the precision, so that it keeps its
//! digits in the far tails.

use crate::differences::log_minus_digamma;
use crate::double::Double;
use crate::gamma::digamma;
use crate::number::{Number, Taylor};
use crate::quadrature::integrate_decay;
use crate::stirling::{log_gamma, reciprocal_gamma, stieltjes};
use crate::zeta::polygamma;
use std::f64::consts::PI;

/// From here on integration is faster and better than series.
const LARGE: f64 = 30.0;
/// Up to here the difference of two small terms is better than the continued fraction.
const SMALL: f64 = 1.1;
/// More terms than any series here needs.
const TERMS: usize = 2000;

/// `log(1 + s) - s` without cancellation.
pub(crate) fn log1p_less(s: f64) -> f64 {
    if s.abs() > 0.5 {
        return libm::log1p(s) - s;
    }
    // With z = s/(2 + s): 2 atanh(z) - s = -s z + 2 z^3 (1/3 + z^2/5 + ...)
    let z = s / (2.0 + s);
    let t = z * z;
    let series = (1..19).rev().fold(0.0, |sum, k| sum * t + 1.0 / f64::from(2 * k + 1));
    2.0 * z * t * series - s * z
}

/// `x^a e^-x / gamma(a + 1)` for positive `a` and `x`, as a factor and the exponent of another.
fn parts(a: f64, x: f64) -> (f64, Double) {
    if a < 1.0 {
        // Nothing cancels here, and x/a may leave the range.
        let exponent = Double::new(a) * Double::new(x).log() - Double::new(x);
        return (reciprocal_gamma(a), exponent);
    }
    let ratio = log_quotient(x, a);
    let exponent = Double::new(a) * ratio - Double::sum(x, -a);
    ((0.5 / PI / a).sqrt(), exponent - Double::new(stieltjes(a)))
}

/// `log(x / a)` for `a >= 1`.
fn log_quotient(x: f64, a: f64) -> Double {
    let (x, a) = (Double::new(x), Double::new(a));
    // Low parts of smaller quotients have no room.
    if x.hi < 1e-270 { x.log() - a.log() } else { (x / a).log() }
}

/// `x^a e^-x / gamma(a)` for positive `a` and `x`; with coefficients for `a >= 1`.
fn power<T: Number>(a: T, x: f64) -> T {
    let a0 = a.value();
    let (factor, exponent) = parts(a0, x);
    let value = T::lit(factor * a0 * exponent.exp());
    if T::ORDER == 0 || value.value() == 0.0 {
        return value;
    }
    // d log power = log x - digamma(a)
    let slope = log_quotient(x, a0).value() + log_minus_digamma(a0);
    value * a.lift([0.0, slope, -polygamma(1.0, a0), -polygamma(2.0, a0)]).exp()
}

/// `x^a e^-x / gamma(a + 1)`, whose derivatives in `a` stay finite at zero.
fn power_over_shape<T: Number>(a: T, x: f64) -> T {
    let a0 = a.value();
    let (factor, exponent) = parts(a0, x);
    let value = T::lit(factor * exponent.exp());
    if T::ORDER == 0 || value.value() == 0.0 {
        return value;
    }
    let slope = if a0 < 1.0 {
        libm::log(x) - digamma(1.0 + a0)
    } else {
        log_quotient(x, a0).value() + log_minus_digamma(a0) - 1.0 / a0
    };
    let above = a0 + 1.0;
    value * a.lift([0.0, slope, -polygamma(1.0, above), -polygamma(2.0, above)]).exp()
}

/// `1 - x^a / gamma(a + 1)` is one of two terms: Q for small `a` and `x`.
fn small_upper<T: Number>(a: T, x: f64) -> T {
    let a0 = a.value();
    // log(x^a / gamma(1 + a)), of the order of a
    let exponent = a0 * libm::log(x) - log_gamma(a0);
    let slope = libm::log(x) - digamma(1.0 + a0);
    let (two, three) = (-polygamma(1.0, 1.0 + a0), -polygamma(2.0, 1.0 + a0));
    let lifted = a.lift([exponent, slope, two, three]);
    let first = -lifted.expm1();
    // sum over n >= 1 of (-x)^n / ((a + n) n!)
    let (mut term, mut sum) = (1.0, T::lit(0.0));
    for n in 1..40 {
        let n = f64::from(n);
        term *= -x / n;
        sum = sum + T::lit(term) / (a + T::lit(n));
    }
    first - lifted.exp() * a * sum
}

/// `sum over n >= 0 of x^n / ((a + 1) .. (a + n))`.
fn lower_series<T: Number>(a: T, x: f64) -> T {
    let (mut term, mut sum, mut extra) = (T::lit(1.0), T::lit(1.0), 0);
    for n in 1..TERMS {
        term = term * T::lit(x) / (a + T::lit(n as f64));
        sum = sum + term;
        // The coefficients of derivatives settle a little later than the value.
        if term.value() < 1e-17 * sum.value() {
            extra += 1;
            if extra > 12 * T::ORDER {
                break;
            }
        }
    }
    sum
}

/// The continued fraction of `gamma(a, x) / (x^a e^-x)` by Steed's method: the sum of the
/// differences of its convergents, with what its roundings lose beside it.
fn upper_fraction<T: Number>(a: T, x: f64) -> T {
    let mut b = T::lit(x - a.value() + 1.0) - (a - T::lit(a.value()));
    let mut d = b.recip();
    let (mut delta, mut sum, mut lost, mut extra) = (d, d, T::lit(0.0), 0);
    for n in 1..TERMS {
        let n = n as f64;
        let step = (a - T::lit(n)) * T::lit(n) * d;
        b = b + T::lit(2.0);
        d = (b + step).recip();
        delta = -(step * d * delta);
        let next = sum + delta;
        lost = lost + (delta - (next - sum));
        sum = next;
        if delta.value().abs() < 1e-17 * sum.value() {
            extra += 1;
            if T::settled(extra, delta.spread() / sum.value()) {
                break;
            }
        }
    }
    sum + lost
}

/// The integral `P` over the power, for `x <= a` and large `a`.
fn lower_integral<T: Number>(a: T, x: f64) -> T {
    let less = a.value() - 1.0;
    // t = x (1 - s): (1 - s)^(a - 1) e^(x s)
    let linear = (x - a.value()) + 1.0;
    let h = |s: f64| (less * log1p_less(-s) + linear * s, linear - less * s / (1.0 - s));
    integrate_decay(1.0, less, h, |s| raised(a, h(s).0, || libm::log1p(-s)))
}

/// The integral `Q` over the power, for `x >= a` and large `a`.
fn upper_integral<T: Number>(a: T, x: f64) -> T {
    let less = a.value() - 1.0;
    // t = x (1 + s): (1 + s)^(a - 1) e^(-x s)
    let linear = (a.value() - x) - 1.0;
    let h = |s: f64| (less * log1p_less(s) + linear * s, linear - less * s / (1.0 + s));
    integrate_decay(f64::INFINITY, less, h, |s| raised(a, h(s).0, || libm::log1p(s)))
}

/// `e^exponent r^(a - a0)` with `log r` given.
pub(crate) fn raised<T: Number>(a: T, exponent: f64, log: impl Fn() -> f64) -> T {
    let e = libm::exp(exponent);
    if T::ORDER == 0 {
        return T::lit(e);
    }
    let l = log();
    a.lift([e, e * l, e * l * l, e * l * l * l])
}

/// P or Q for positive finite `a` and `x`.
fn regularised<T: Number>(a: T, x: f64, upper: bool) -> T {
    let one = T::lit(1.0);
    let a0 = a.value();
    let (tail, is_upper) = if a0 >= LARGE {
        if x < a0 {
            (power(a, x) * lower_integral(a, x), false)
        } else {
            (power(a, x) * upper_integral(a, x), true)
        }
    } else if x <= SMALL {
        if a0 <= 1.0 && upper {
            (small_upper(a, x), true)
        } else {
            (power_over_shape(a, x) * lower_series(a, x), false)
        }
    } else if x < a0 {
        (power_over_shape(a, x) * lower_series(a, x), false)
    } else {
        // For small shapes the derivatives of 1/gamma(a) are those of a/gamma(a + 1).
        let power = if T::ORDER > 0 && a0 < 1.0 { power_over_shape(a, x) * a } else { power(a, x) };
        (power * upper_fraction(a, x), true)
    };
    if is_upper == upper { tail } else { one - tail }
}

/// The value where it is a limit or undefined, as P; `None` inside.
fn edge(a: f64, x: f64) -> Option<f64> {
    if a.is_nan() || x.is_nan() || a < 0.0 || x < 0.0 {
        return Some(f64::NAN);
    }
    if a == 0.0 {
        return Some(if x == 0.0 { f64::NAN } else { 1.0 });
    }
    if a == f64::INFINITY {
        return Some(if x == f64::INFINITY { f64::NAN } else { 0.0 });
    }
    if x == 0.0 {
        return Some(0.0);
    }
    (x == f64::INFINITY).then_some(1.0)
}

/// The regularised lower incomplete gamma function `P(a, x)`, DLMF 8.2.4: the distribution function
/// of the gamma distribution of shape `a`. NaN where `a` or `x` is negative.
///
/// ```
/// // P(1, x) = 1 - e^-x
/// assert!((probpipe_special::gammainc(1.0, 0.5) + (-0.5f64).exp_m1()).abs() < 1e-16);
/// ```
pub fn gammainc(a: f64, x: f64) -> f64 {
    edge(a, x).unwrap_or_else(|| regularised(a, x, false))
}

/// The regularised upper incomplete gamma function `Q(a, x) = 1 - P(a, x)`, exact in its tail.
///
/// ```
/// assert!((probpipe_special::gammaincc(1.0, 50.0) / (-50f64).exp() - 1.0).abs() < 1e-14);
/// ```
pub fn gammaincc(a: f64, x: f64) -> f64 {
    edge(a, x).map_or_else(|| regularised(a, x, true), |p| 1.0 - p)
}

/// The derivative of `order` 0 to 3 of [`gammainc`] in `a`, exact in both tails; NaN for other
/// orders and outside of the domain, 0 where `P` is constant.
pub fn gammainc_derivative(a: f64, x: f64, order: usize) -> f64 {
    if order == 0 {
        return gammainc(a, x);
    }
    if edge(a, x).is_some() {
        return if a > 0.0 && (x == 0.0 || x == f64::INFINITY) { 0.0 } else { f64::NAN };
    }
    // Of the tail that is computed without a difference.
    let upper = x >= a;
    let sign = if upper { -1.0 } else { 1.0 };
    let value = match order {
        1 => regularised(Taylor::<f64, 2>::variable(a), x, upper).0[1],
        2 => regularised(Taylor::<f64, 3>::variable(a), x, upper).0[2] * 2.0,
        3 => regularised(Taylor::<f64, 4>::variable(a), x, upper).0[3] * 6.0,
        _ => f64::NAN,
    };
    sign * value
}

/// The density `x^(a-1) e^-x / gamma(a)` of the gamma distribution, the derivative of
/// [`gammainc`] in `x`; exact to a few ulp in its tails.
///
/// ```
/// assert!((probpipe_special::gamma_density(1.0, 2.0) - (-2f64).exp()).abs() < 1e-16);
/// ```
pub fn gamma_density(a: f64, x: f64) -> f64 {
    if a.is_nan() || x.is_nan() || a < 0.0 || x < 0.0 || a.is_infinite() {
        return f64::NAN;
    }
    if x == f64::INFINITY || a == 0.0 {
        return 0.0;
    }
    if x == 0.0 {
        return if a < 1.0 {
            f64::INFINITY
        } else if a == 1.0 {
            1.0
        } else {
            0.0
        };
    }
    let (factor, exponent) = parts(a, x);
    let power = factor * a * exponent.exp();
    if x < 1.0 && power < 1e-307 && exponent.hi > -1500.0 {
        // The power may be below the range, and the density not: by halves, so that no part is.
        let exponent = exponent - Double::new(x).log();
        let half = (Double::new(0.5) * exponent).exp() * a.sqrt();
        return (factor * half) * half;
    }
    power / x
}
