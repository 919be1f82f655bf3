//! Functions around the normal distribution: the scaled complementary error function with its
//! derivatives, and Owen's T.

use crate::double::Double;
use crate::incomplete_gamma::log1p_less;
use crate::quadrature::{integrate, integrate_decay};
use crate::zeta::log_factorial_quotient;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// What rounding `sqrt(1/2)` to `f64` lost.
const FRAC_1_SQRT_2_LOW: f64 = -4.833646656726457e-17;

/// `e^(x^2) i^n erfc(x)`, the repeated integrals of the complementary error function (DLMF 7.18)
/// without their exponential: the scaled complementary error function for `n = 0`. The derivative
/// is `-2 (n + 1)` times the function of the next order.
///
/// ```
/// use probpipe_special::erfcx;
/// assert_eq!(erfcx(0.0, 0), 1.0);
/// assert!((erfcx(1e10, 0) / 5.6418958354775629e-11 - 1.0).abs() < 1e-15);
/// ```
pub fn erfcx(x: f64, n: u32) -> f64 {
    if x.is_nan() {
        return x;
    }
    if n == 0 {
        return scaled(x);
    }
    if x < -20.0 {
        return left(x, n);
    }
    if x <= 0.0 {
        // 2 n y[n] = y[n-2] - 2 x y[n-1], all positive here; y[-1] = 2/sqrt(pi)
        let (mut before, mut y) = (FRAC_2_SQRT_PI, scaled(x));
        for k in 1..=n {
            (before, y) = (y, (0.5 * before - x * y) / f64::from(k));
        }
        return y;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    // 2/sqrt(pi) times the integral of s^n/n! e^(-s^2 - 2 x s), cut where it does not show.
    if n > 4 {
        return around_peak(x, f64::from(n));
    }
    let cut = 40.0 + 4.0 * f64::from(n);
    let end = cut / (x + (x * x + cut).sqrt());
    let factorial: f64 = (1..=n).map(f64::from).product();
    // Powers of s/end: the factor end^n may underflow, the integral does not.
    let exponent = f64::from(n);
    let shape = integrate(1.0, |u| {
        let s = u * end;
        libm::pow(u, exponent) * libm::exp(-s * (s + 2.0 * x))
    });
    FRAC_2_SQRT_PI * shape * end * libm::pow(end, exponent) / factorial
}

/// That integral for larger `n`, from the peak of its integrand to both sides.
fn around_peak(x: f64, n: f64) -> f64 {
    if x > 1e60 {
        return 0.0;
    }
    let peak = n / (x + (x * x + 2.0 * n).sqrt());
    // Its logarithm, relative to that of the peak: n (log(1 + t) - t) - s^2 with s = t peak.
    let side = |sign: f64, most: f64| {
        let h = |s: f64| {
            let t = sign * s / peak;
            (n * log1p_less(t) - s * s, -s * (n / peak / peak / (1.0 + t) + 2.0))
        };
        integrate_decay(most, n / peak / peak + 2.0, h, |s| libm::exp(h(s).0))
    };
    let square = Double::new(peak) * (Double::sum(peak, x) + Double::new(x));
    let exponent = square + log_factorial_quotient(n + 1.0, peak) + Double::new(peak).log();
    FRAC_2_SQRT_PI * (side(-1.0, peak) + side(1.0, f64::INFINITY)) * (-exponent).exp()
}

/// [`erfcx`] for `n > 0` by the same recurrence where its start and the values between may be
/// beyond the range, and the last one not: without the exponential, by powers of two apart.
fn left(x: f64, n: u32) -> f64 {
    const STEP: f64 = 1.3407807929942597e154;
    let square = Double::product(x, x);
    if square.hi > 1e9 {
        return f64::INFINITY;
    }
    let (mut before, mut y) = (FRAC_2_SQRT_PI * libm::exp(-square.hi), libm::erfc(x));
    let mut steps = 0.0;
    for k in 1..=n {
        (before, y) = (y, (0.5 * before - x * y) / f64::from(k));
        if !(1.0 / STEP..STEP).contains(&y) {
            let (scale, step) = if y < 1.0 { (STEP, -1.0) } else { (1.0 / STEP, 1.0) };
            (before, y, steps) = (before * scale, y * scale, steps + step);
        }
    }
    // 512 log 2 for each step
    let log = Double { hi: 354.891356446692, lo: 1.1873519686893054e-14 };
    let half = (Double::new(0.5) * (square + Double::new(steps) * log)).exp();
    half * y * half
}

fn scaled(x: f64) -> f64 {
    if x < 25.0 {
        // The square in two parts, so that its error does not grow with it.
        let square = Double::product(x, x);
        if square.hi > 720.0 {
            return f64::INFINITY;
        }
        return square.exp() * libm::erfc(x);
    }
    // 1/(x sqrt(pi)) (1 - 1/(2 x^2) + 3/(2 x^2)^2 - ...)
    let t = 0.5 / x / x;
    let series = (1..=9).rev().fold(1.0, |sum, k| 1.0 - f64::from(2 * k - 1) * t * sum);
    0.5 * FRAC_2_SQRT_PI / x * series
}

/// The upper tail of the normal distribution.
fn upper(h: f64) -> f64 {
    // erfc at the rounded argument, and its slope times what the rounding lost
    let t = Double::product(h, FRAC_1_SQRT_2);
    let rest = t.lo + h * FRAC_1_SQRT_2_LOW;
    let value = libm::erfc(t.hi);
    if !rest.is_finite() {
        return 0.5 * value;
    }
    0.5 * (value - rest * FRAC_2_SQRT_PI * libm::exp(-t.hi * t.hi))
}

/// Owen's T function, `1/(2 pi)` times the integral of `exp(-h^2 (1 + t^2)/2) / (1 + t^2)` from 0
/// to `a`: even in `h`, odd in `a`. By Gauss's rule over where the integrand shows; slopes above
/// one by the reflection of M. Patefield and D. Tandy, J. Stat. Software 5 (2000).
///
/// ```
/// // T(0, a) = atan(a) / (2 pi)
/// assert!((probpipe_special::owens_t(0.0, 1.0) - 0.125).abs() < 1e-16);
/// ```
pub fn owens_t(h: f64, a: f64) -> f64 {
    if h.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    let (h, size) = (h.abs(), a.abs());
    let value = if h == f64::INFINITY {
        0.0
    } else if size <= 1.0 {
        owens_integral(h, size)
    } else if h == 0.0 {
        libm::atan(size) / (2.0 * PI)
    } else {
        // T(h, a) + T(a h, 1/a) = (Q(h) + Q(a h))/2 - Q(h) Q(a h)
        let (near, far) = (upper(h), upper(size * h));
        0.5 * (near + far) - near * far - owens_integral(size * h, 1.0 / size)
    };
    value.copysign(a)
}

/// T for `h >= 0` and `0 <= a <= 1`.
fn owens_integral(h: f64, a: f64) -> f64 {
    if h > 40.0 {
        return 0.0;
    }
    // e^(-h^2 t^2 / 2) is below 1e-17 beyond.
    let end = if h * a > 9.0 { 9.0 / h } else { a };
    let shape = integrate(end, |t| libm::exp(-0.5 * h * h * t * t) / (1.0 + t * t));
    let square = Double::product(h, h);
    let scale = Double { hi: -0.5 * square.hi, lo: -0.5 * square.lo }.exp();
    scale * shape / (2.0 * PI)
}
