//! Quantiles: the inverses of the incomplete gamma and beta functions in their last argument.
//!
//! Both are found on the logarithm of a tail as a function of the logarithm of `x` (of the odds
//! for the beta function). That function is concave, so Newton's steps, once on the right side,
//! stay there and come down monotonically; relative accuracy in the tails follows from the
//! logarithm. Next to an end of the interval, where an error of the tail is divided by a small
//! parameter, they come from the leading power with an exponent of twice the precision.

use crate::differences::lgamma_difference_parts;
use crate::double::Double;
use crate::gamma::lgamma;
use crate::incomplete_beta::{Point, at_point, power};
use crate::incomplete_gamma::{gamma_density, gammainc, gammaincc};
use crate::stirling::log_gamma;

/// More steps than monotone convergence from anywhere needs.
const STEPS: usize = 200;

/// Solves `log tail = log target` for the log of the unknown by Newton's steps from `start`;
/// `tail` gives the tail and the derivative of the tail in the log of the unknown. At `centre` it
/// does not vanish.
fn solve(start: f64, centre: f64, target: f64, tail: impl Fn(f64) -> (f64, f64)) -> f64 {
    let log_target = libm::log(target);
    let mut x = start;
    let (mut value, mut slope) = tail(x);
    for _ in 0..60 {
        if value > 0.0 && slope != 0.0 {
            break;
        }
        x = x.sqrt() * centre.sqrt();
        (value, slope) = tail(x);
    }
    let mut previous = f64::INFINITY;
    for _ in 0..STEPS {
        // log(value / target) to full relative accuracy where the two are close
        let relative = (value - target) / target;
        let gap = if relative.abs() < 0.5 {
            libm::log1p(relative)
        } else {
            libm::log(value) - log_target
        };
        let step = -gap * (value / slope);
        if !step.is_finite() {
            return x;
        }
        let mut size = step.clamp(-700.0, 700.0);
        let mut next = x * libm::exp(size);
        // Each step is as the square of the one before: what is left after this one is below
        // rounding.
        let left = size.abs() * (size / previous).powi(2);
        if previous < 1e-2 && size.abs() < 1e-6 && left < 1e-18 {
            return next;
        }
        // Where the tail vanishes there is no slope: come back.
        for _ in 0..60 {
            (value, slope) = tail(next);
            let reached = next > 0.0 && next.is_finite() && value > 0.0;
            if reached || size.abs() < 1e-3 {
                break;
            }
            size *= 0.5;
            next = x * libm::exp(size);
        }
        x = next;
        // Converged, or at the noise of the tail.
        if size.abs() < 3e-16 || size.abs() < 1e-9 && size.abs() >= 0.5 * previous {
            break;
        }
        previous = size.abs();
    }
    x
}

/// The normal quantile of `p <= 1/2`, good to 4.5e-4: Abramowitz and Stegun 26.2.23.
fn rough_quantile(p: f64) -> f64 {
    let t = (-2.0 * libm::log(p)).sqrt();
    let top = 2.515517 + t * (0.802853 + t * 0.010328);
    top / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
}

/// The small solution `x` of `log x = least - log(1 + a sum) / a`, by iteration, with the sum over
/// `n >= 1` of `t / (a + n)`, where `t` is one and then a product of factors.
fn near_zero(a: f64, least: Double, factor: impl Fn(f64, f64) -> f64) -> f64 {
    let mut x = least.exp();
    let mut correction = 0.0;
    for _ in 0..20 {
        let (mut term, mut sum) = (1.0, 0.0);
        for n in 1..9 {
            let n = f64::from(n);
            term *= factor(n, x);
            sum += term / (a + n);
        }
        let next = -libm::log1p(a * sum) / a;
        if (next - correction).abs() < 1e-17 {
            break;
        }
        correction = next;
        x = (least + Double::new(correction)).exp();
    }
    x
}

/// The `x` with `P(a, x) = p`, or with `Q(a, x) = p` if `upper`; `p` is at most one half or so.
fn gamma_quantile(a: f64, p: f64, upper: bool) -> f64 {
    // P <= x^a / gamma(a + 1), so that the root is not below where this bound is p. With all
    // digits, since an error is divided by a.
    let log_p = if upper { Double::sum(1.0, -p).log() } else { Double::new(p).log() };
    let log = log_p + Double::new(if a < 1.0 { log_gamma(a) } else { lgamma(a + 1.0) });
    if log.hi < -800.0 * a {
        return 0.0;
    }
    if log.hi < -4.0 * a {
        // The series DLMF 8.7.1.
        return near_zero(a, log / Double::new(a), |n, x| -x / n);
    }
    let least = log.hi / a;
    // Wilson and Hilferty's cube.
    let z = if upper { -rough_quantile(p) } else { rough_quantile(p) };
    let cube = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let start = a * cube * cube * cube;
    let start = match (upper, cube > 0.0 && a >= 0.5) {
        (_, true) => start,
        (false, false) => libm::exp(least),
        (true, false) => a.max(1e-3),
    };
    solve(start.max(f64::MIN_POSITIVE), a, p, |x| {
        let slope = gamma_density(a, x) * x;
        if upper { (gammaincc(a, x), -slope) } else { (gammainc(a, x), slope) }
    })
}

/// The inverse of [`gammainc`] in `x`: the quantile function of the gamma distribution. NaN unless
/// `a >= 0` and `0 <= p <= 1`.
///
/// ```
/// use probpipe_special::{gammainc, gammaincinv};
/// let x = gammaincinv(2.5, 1e-20);
/// assert!((gammainc(2.5, x) / 1e-20 - 1.0).abs() < 1e-14);
/// ```
pub fn gammaincinv(a: f64, p: f64) -> f64 {
    if !(a >= 0.0 && (0.0..=1.0).contains(&p)) || a == f64::INFINITY {
        return f64::NAN;
    }
    if a == 0.0 || p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    // The complement of more than a half is exact.
    if p > 0.5 { gamma_quantile(a, 1.0 - p, true) } else { gamma_quantile(a, p, false) }
}

/// The inverse of [`gammaincc`] in `x`: exact for small `q`.
///
/// ```
/// use probpipe_special::gammainccinv;
/// // Q(1, x) = e^-x
/// assert!((gammainccinv(1.0, 1e-300) + 1e-300f64.ln()).abs() < 1e-12);
/// ```
pub fn gammainccinv(a: f64, q: f64) -> f64 {
    if !(a >= 0.0 && (0.0..=1.0).contains(&q)) || a == f64::INFINITY {
        return f64::NAN;
    }
    if a == 0.0 || q == 1.0 {
        return 0.0;
    }
    if q == 0.0 {
        return f64::INFINITY;
    }
    if q > 0.5 { gamma_quantile(a, 1.0 - q, false) } else { gamma_quantile(a, q, true) }
}

/// The small `x` with `I_x(a, b) = p`, and else the logarithm of a bound of it.
fn near_end(a: f64, b: f64, log_p: Double) -> Result<f64, f64> {
    // Where b >= 1, I_x <= x^a / (a B(a, b)), which is sharp for small x. With all digits, since
    // an error is divided by a.
    let log_gamma = if a < 1.0 { log_gamma(a) } else { lgamma(a + 1.0) };
    let (rest, sum) = lgamma_difference_parts(b, a);
    let power = Double::new(a) * Double::new(sum).log();
    let log = log_p + Double::sum(log_gamma, rest) - power;
    if log.hi < -800.0 * a {
        return Ok(0.0);
    }
    if log.hi < (-4.0 - libm::log(b.max(1.0))) * a {
        // The series DLMF 8.17.7.
        return Ok(near_zero(a, log / Double::new(a), |n, x| (n - b) * x / n));
    }
    Err(log.hi / a)
}

/// The inverse of [`crate::betainc`] in `x`: the quantile function of the beta distribution. NaN
/// unless `a` and `b` are positive and `0 <= p <= 1`.
///
/// ```
/// use probpipe_special::betaincinv;
/// // I_x(1, 1) = x
/// assert!((betaincinv(1.0, 1.0, 0.3) - 0.3).abs() < 1e-15);
/// ```
pub fn betaincinv(a: f64, b: f64, p: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&p)) || a.is_infinite() || b.is_infinite() {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let complement = p > 0.5;
    let target = if complement { 1.0 - p } else { p };
    let left = near_end(a, b, Double::new(p).log());
    let right = near_end(b, a, Double::sum(1.0, -p).log());
    if let Ok(x) = left {
        return x;
    }
    if let Ok(y) = right {
        return 1.0 - y;
    }
    // Mirrored, the tail is a lower one in either case.
    let (a, b, bound) = if complement { (b, a, right) } else { (a, b, left) };
    let tail = |odds: f64| {
        let at = Point::from_odds(odds);
        (at_point(a, b, at, false), power(a, b, at))
    };
    let least = bound.unwrap_or_else(libm::exp);
    let mean = (a / b).clamp(f64::MIN_POSITIVE, f64::MAX);
    let start = if least < 0.1 * a / (a + b) { least.max(f64::MIN_POSITIVE) } else { mean };
    let odds = solve(start, mean, target, tail);
    let at = Point::from_odds(odds);
    if complement { at.mirrored().x() } else { at.x() }
}
