//! The regularised incomplete beta function and the beta density.
//!
//! The lower tail at `x` up to the mean `a/(a + b)`: for large parameters an integral of a
//! log-concave function that decays from its start, by Gauss's rule; else the continued fraction
//! DLMF 8.17.22; next to one with a small parameter a difference of two small terms, as in
//! DiDonato and Morris, ACM TOMS 18 (1992) 360. Upper tails by the symmetry `I_x(a, b) =
//! 1 - I_(1-x)(b, a)`. The factor before them has an exponent of twice the precision.

use crate::differences::{digamma_difference, lgamma_difference_parts, log_minus_digamma};
use crate::double::Double;
use crate::gamma::digamma;
use crate::incomplete_gamma::log1p_less;
use crate::number::{Number, Taylor};
use crate::quadrature::integrate_decay;
use crate::stirling::{log_gamma, reciprocal_gamma, stieltjes};
use crate::zeta::polygamma;
use std::f64::consts::PI;

/// Both parameters from here on: integration.
const LARGE: f64 = 30.0;
/// Up to here, in units of the scale of the tail, the difference of two small terms, whose series
/// in `x` is quick up to the second number.
const SMALL: (f64, f64) = (1.1, 0.7);
/// Both parameters from here on: all mass lies closer to the mean than numbers of twice the
/// precision can tell.
const POINT: f64 = 1e70;
/// More terms than any fraction here needs.
const TERMS: usize = 2000;

/// A point of the unit interval, with its distance from one.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    x: Double,
    y: Double,
}

impl Point {
    /// `x` itself, exactly.
    pub(crate) fn at(x: f64) -> Point {
        Point { x: Double::new(x), y: Double::sum(1.0, -x) }
    }

    /// The point with `x / (1 - x) = odds`; the nearer end of the interval is exact.
    pub(crate) fn from_odds(odds: f64) -> Point {
        if odds <= 1.0 {
            return Point::at(odds / (1.0 + odds));
        }
        Point::at(1.0 / (1.0 + odds)).mirrored()
    }

    pub(crate) fn x(self) -> f64 {
        self.x.value()
    }

    pub(crate) fn mirrored(self) -> Point {
        Point { x: self.y, y: self.x }
    }
}

/// `x^a y^b / B(a, b)`.
pub(crate) fn power<T: Number>(a: T, b: T, at: Point) -> T {
    scaled_power(a, b, at, false)
}

/// `log(place sum / p)`.
fn log_share(place: Double, sum: Double, p: f64) -> Double {
    let share = place * sum / Double::new(p);
    // Low parts of smaller numbers have no room.
    if place.hi.min(share.hi) > 1e-270 && share.hi < 1e290 {
        return share.log();
    }
    place.log() + sum.log() - Double::new(p).log()
}

/// `x^a y^b / (a B(a, b))`, as a factor and the exponent of another.
fn parts(a: f64, b: f64, at: Point) -> (f64, Double) {
    let sum = Double::sum(a, b);
    let s = sum.hi;
    let times = |p: f64, log: Double| Double::new(p) * log;
    if a < 1.0 && b < 1.0 {
        let exponent = times(a, at.x.log()) + times(b, at.y.log());
        // 1 / gamma(a + b), over a + b where that is what the fit needs
        let (over, below) = if s < 1.0 { (b / s, s) } else { (b, s - 1.0) };
        let factor = over * reciprocal_gamma(a) * reciprocal_gamma(b) / reciprocal_gamma(below);
        return (factor, exponent);
    }
    // gamma(s) = sqrt(2 pi / s) s^s e^-s e^stieltjes(s), for the sum and what else is not small:
    // relative to the mode, a log(x (a + b)/a) + b log(y (a + b)/b), which is zero there.
    let part = |p: f64, place: Double| {
        if p < 1.0 {
            return times(p, log_share(place, sum, 1.0)) - Double::new(p);
        }
        times(p, log_share(place, sum, p)) - Double::new(stieltjes(p))
    };
    let exponent = part(a, at.x) + part(b, at.y) + Double::new(stieltjes(s));
    let factor = match () {
        () if a < 1.0 => reciprocal_gamma(a) * (b / s).sqrt(),
        () if b < 1.0 => b / a * reciprocal_gamma(b) * (a / s).sqrt(),
        () => (0.5 / PI / a).sqrt() * (b / s).sqrt(),
    };
    (factor, exponent)
}

/// `x^a y^b / B(a, b)`, over `a` if asked: then its derivatives stay finite at `a = 0`.
fn scaled_power<T: Number>(a: T, b: T, at: Point, over_a: bool) -> T {
    let (a0, b0) = (a.value(), b.value());
    let (factor, exponent) = parts(a0, b0, at);
    let factor = if over_a { factor } else { factor * a0 };
    let value = T::lit(factor * exponent.exp());
    if T::ORDER == 0 || value.value() == 0.0 {
        return value;
    }
    // d log power = da (log x - digamma(a) + digamma(a + b)) + db (..); the second derivatives are
    // those of the gamma functions.
    let sum = Double::sum(a0, b0);
    let of_sum = log_minus_digamma(sum.hi);
    let (left, right) = (log_share(at.x, sum, a0), log_share(at.y, sum, b0));
    let da = match over_a {
        true if a0 < 1.0 => at.x.log().value() - digamma(1.0 + a0) + digamma(sum.hi),
        true => left.value() + log_minus_digamma(a0) - of_sum - 1.0 / a0,
        false => left.value() + log_minus_digamma(a0) - of_sum,
    };
    // For small b, too, those of 1/gamma(b) are those of b/gamma(b + 1).
    let small_b = over_a && b0 < 1.0;
    let db = match small_b {
        true => at.y.log().value() - digamma(1.0 + b0) + digamma(sum.hi),
        false => right.value() + log_minus_digamma(b0) - of_sum,
    };
    let value = if small_b { value * b * T::lit(1.0 / b0) } else { value };
    let curved = |x: T, x0: f64, sign: f64, slope: f64| {
        x.lift([0.0, slope, sign * polygamma(1.0, x0), sign * polygamma(2.0, x0)])
    };
    let from = if over_a { a0 + 1.0 } else { a0 };
    let from_b = if small_b { b0 + 1.0 } else { b0 };
    let exponent =
        curved(a, from, -1.0, da) + curved(b, from_b, -1.0, db) + curved(a + b, sum.hi, 1.0, 0.0);
    value * exponent.exp()
}

/// `1 - I_x(a, b)` for `a <= 1` and small `x max(b, 1)`, as Q for small arguments: with
/// `w = x^a / (a B(a, b))` it is `(1 - w) - w a sum over n >= 1 of (1 - b)_n x^n / (n! (a + n))`.
fn small_upper<T: Number>(a: T, b: T, at: Point) -> T {
    let (a0, b0, x) = (a.value(), b.value(), at.x());
    // log w, of the order of a where a is small
    let log_x = at.x.log().value();
    let (rest, sum) = lgamma_difference_parts(b0, a0);
    let log = a0 * libm::log(x * sum) - (rest + log_gamma(a0));
    let lifted = if T::ORDER == 0 {
        T::lit(log)
    } else {
        // d/da = log x - digamma(1 + a) + digamma(a + b), d/db = digamma(a + b) - digamma(b)
        let sum = a0 + b0;
        let part = |x: T, x0: f64, sign: f64, slope: f64| {
            x.lift([0.0, slope, sign * polygamma(1.0, x0), sign * polygamma(2.0, x0)])
        };
        T::lit(log)
            + part(a, 1.0 + a0, -1.0, log_x - digamma(1.0 + a0) + digamma(sum))
            + part(b, b0, -1.0, digamma_difference(b0, a0))
            + part(a + b, sum, 1.0, 0.0)
    };
    let (mut term, mut sum, mut extra) = (T::lit(1.0), T::lit(0.0), 0);
    for n in 1..TERMS {
        let n = n as f64;
        term = term * (T::lit(n) - b) * T::lit(x / n);
        let next = term / (a + T::lit(n));
        sum = sum + next;
        if next.value().abs() <= 1e-18 * sum.value().abs() {
            extra += 1;
            if T::settled(extra, next.spread() / sum.spread()) {
                break;
            }
        }
    }
    -lifted.expm1() - lifted.exp() * a * sum
}

/// `I_x(a, b)` over `x^a y^b / (a B(a, b))`, by Steed's method on the even part of the fraction
/// DLMF 8.17.22, in which `x` shows through `a y - b x` alone where it matters, so that nothing is
/// lost next to one. A sum, with what its roundings lose beside it.
fn fraction<T: Number>(a: T, b: T, at: Point) -> T {
    let one = T::lit(1.0);
    let (a0, b0) = (a.value(), b.value());
    let excess = Double::new(a0) * at.y - Double::new(b0) * at.x;
    let (x, y) = (T::lit(at.x()), T::lit(at.y.value()));
    let excess = T::lit(excess.value()) + (a - T::lit(a0)) * y - (b - T::lit(b0)) * x;
    let mut d = (a + one) / (excess + one);
    let (mut delta, mut sum, mut lost, mut extra) = (d, d, T::lit(0.0), 0);
    for n in 1..TERMS {
        let n = n as f64;
        let (m, odd) = (T::lit(n), a + T::lit(2.0 * n - 1.0));
        let rest = m * ((b - m) * x);
        // The first has a factor `a` that is left out, here and in the power before.
        let first = if n == 1.0 { one } else { a + m - one };
        // Quotients of what may be large come first.
        let numerator = (first / odd) * ((a + b + m - one) * x / odd) * rest;
        let last = (a + m) / (odd + T::lit(2.0)) * (excess + one + m * (one + y));
        let step = numerator * d;
        d = (m + rest / odd + last + step).recip();
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

/// The integral `I_x(a, b)` over the power, for `x <= a/(a + b)` and large parameters.
fn integral<T: Number>(a: T, b: T, at: Point) -> T {
    let (a1, b1) = (a.value() - 1.0, b.value() - 1.0);
    let (x, y) = (at.x.value(), at.y.value());
    // t = x (1 - s): (1 - s)^(a - 1) (1 + s x/y)^(b - 1), over y
    let r = x / y;
    let excess = Double::new(b.value()) * at.x - Double::new(a.value()) * at.y;
    let linear = (excess.value() + (y - x)) / y;
    let h = |s: f64| {
        let value = a1 * log1p_less(-s) + b1 * log1p_less(s * r) + linear * s;
        (value, linear - a1 * s / (1.0 - s) - b1 * r * r * s / (1.0 + s * r))
    };
    let whole = integrate_decay(1.0, a1 + b1 * r * r, h, |s| {
        let e = T::lit(libm::exp(h(s).0));
        if T::ORDER == 0 {
            return e;
        }
        let exponent = (a - T::lit(a.value())) * T::lit(libm::log1p(-s))
            + (b - T::lit(b.value())) * T::lit(libm::log1p(s * r));
        e * exponent.exp()
    });
    whole * T::lit(1.0 / y)
}

/// `b x - a y` over a power of two, of the sign of the distance from the mean.
fn beyond_mean(a: f64, b: f64, at: Point) -> f64 {
    (Double::new(0.25 * b) * at.x - Double::new(0.25 * a) * at.y).value()
}

/// `I_x(a, b)`, or its complement, for positive finite parameters and a point inside.
fn regularised<T: Number>(a: T, b: T, at: Point, complement: bool) -> T {
    let (a0, b0) = (a.value(), b.value());
    if a0.min(b0) >= POINT {
        return T::lit(match beyond_mean(a0, b0, at) {
            0.0 => 0.5,
            excess if (excess > 0.0) != complement => 1.0,
            _ => 0.0,
        });
    }
    // x (a + b) > a, without a rounded division
    let beyond = (Double::new(b0) * at.x - Double::new(a0) * at.y).value() > 0.0;
    if beyond {
        return lower(b, a, at.mirrored(), !complement);
    }
    lower(a, b, at, complement)
}

/// [`regularised`] for `x` up to the mean.
fn lower<T: Number>(a: T, b: T, at: Point, complement: bool) -> T {
    let (a0, b0) = (a.value(), b.value());
    let small = |a: f64, b: f64, x: f64| a <= 1.0 && x <= SMALL.1 && x * b.max(1.0) <= SMALL.0;
    if complement && small(a0, b0, at.x()) {
        return small_upper(a, b, at);
    }
    let tail = if small(b0, a0, at.y.value()) {
        small_upper(b, a, at.mirrored())
    } else if a0 >= LARGE && b0 >= LARGE {
        power(a, b, at) * integral(a, b, at)
    } else {
        scaled_power(a, b, at, true) * fraction(a, b, at)
    };
    if complement { T::lit(1.0) - tail } else { tail }
}

/// The value where it is a limit or undefined; `None` inside.
fn edge(a: f64, b: f64, x: f64) -> Option<f64> {
    if a.is_nan() || b.is_nan() || a < 0.0 || b < 0.0 || !(0.0..=1.0).contains(&x) {
        return Some(f64::NAN);
    }
    // All mass at one end.
    let (left, right) = (a == 0.0 || b == f64::INFINITY, b == 0.0 || a == f64::INFINITY);
    if left && right {
        return Some(f64::NAN);
    }
    if x == 0.0 {
        return Some(0.0);
    }
    if x == 1.0 || left {
        return Some(1.0);
    }
    right.then_some(0.0)
}

/// `I` at a point that may be closer to one than `f64` can say; the complement if asked.
pub(crate) fn at_point(a: f64, b: f64, at: Point, complement: bool) -> f64 {
    regularised(a, b, at, complement)
}

/// The regularised incomplete beta function `I_x(a, b)`, DLMF 8.17.2: the distribution function of
/// the beta distribution. NaN where a parameter is negative or `x` outside of [0, 1].
///
/// ```
/// // I_x(2, 3) is a polynomial.
/// assert!((probpipe_special::betainc(2.0, 3.0, 0.5) - 0.6875).abs() < 1e-15);
/// ```
pub fn betainc(a: f64, b: f64, x: f64) -> f64 {
    edge(a, b, x).unwrap_or_else(|| regularised(a, b, Point::at(x), false))
}

/// The derivative of [`betainc`] of the orders given in `a` and in `b`, together up to 3; NaN
/// for higher orders and outside of the domain.
pub fn betainc_derivative(a: f64, b: f64, x: f64, orders: (usize, usize)) -> f64 {
    if orders == (0, 0) {
        return betainc(a, b, x);
    }
    if edge(a, b, x).is_some() {
        let inside = a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite();
        return if inside && (x == 0.0 || x == 1.0) { 0.0 } else { f64::NAN };
    }
    // Of the tail that is computed without a difference.
    let at = Point::at(x);
    let complement = (Double::new(b) * at.x - Double::new(a) * at.y).value() > 0.0;
    macro_rules! mixed {
        ($i:literal, $j:literal) => {{
            type B = Taylor<f64, { $j + 1 }>;
            type A = Taylor<B, { $i + 1 }>;
            let a = A::variable(B::lit(a));
            let b = A::constant(B::variable(b));
            let factorials = [1.0, 1.0, 2.0, 6.0];
            let c = regularised(a, b, at, complement).0[$i].0[$j];
            c * factorials[$i] * factorials[$j]
        }};
    }
    let value = match orders {
        (1, 0) => mixed!(1, 0),
        (0, 1) => mixed!(0, 1),
        (2, 0) => mixed!(2, 0),
        (1, 1) => mixed!(1, 1),
        (0, 2) => mixed!(0, 2),
        (3, 0) => mixed!(3, 0),
        (2, 1) => mixed!(2, 1),
        (1, 2) => mixed!(1, 2),
        (0, 3) => mixed!(0, 3),
        _ => f64::NAN,
    };
    if complement { -value } else { value }
}

/// The density `x^(a-1) (1-x)^(b-1) / B(a, b)` of the beta distribution, the derivative of
/// [`betainc`] in `x`; exact to a few ulp in its tails.
///
/// ```
/// assert!((probpipe_special::beta_density(2.0, 3.0, 0.5) - 1.5).abs() < 1e-15);
/// ```
pub fn beta_density(a: f64, b: f64, x: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)) || a.is_infinite() || b.is_infinite() {
        return f64::NAN;
    }
    let end = |a: f64, b: f64| match a {
        _ if a < 1.0 => f64::INFINITY,
        // 1 / B(1, b)
        _ if a == 1.0 => b,
        _ => 0.0,
    };
    if x == 0.0 {
        return end(a, b);
    }
    if x == 1.0 {
        return end(b, a);
    }
    let at = Point::at(x);
    if a.min(b) >= POINT {
        return if beyond_mean(a, b, at) == 0.0 { f64::INFINITY } else { 0.0 };
    }
    // From the smaller parameter, whose share of the factor may be below the range.
    let (a, b, at) = if a <= b { (a, b, at) } else { (b, a, at.mirrored()) };
    let (factor, exponent) = parts(a, b, at);
    let power = factor * a * exponent.exp();
    if power < 1e-307 && exponent.hi > -1500.0 {
        // The power may be below the range, and the density not: by halves, so that no part is.
        let exponent = exponent - at.x.log() - at.y.log();
        let half = (Double::new(0.5) * exponent).exp() * a.sqrt();
        return (factor * half) * half;
    }
    power / x / (1.0 - x)
}
