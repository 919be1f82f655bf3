//! The exponential integrals E1 and Ei: the power series DLMF 6.6.2, the continued fraction
//! 6.9.1, the asymptotic series 6.12.2, and around the zero of Ei the integral of `e^t/t` from it.

use crate::quadrature::integrate;

const EULER: f64 = 0.5772156649015329;

/// The zero of Ei, in two parts.
const ZERO: (f64, f64) = (0.3725074107813666, 1.3140183414386028e-17);

/// The exponential integral `E1(x)`, the integral of `e^-t / t` from `x` to infinity; infinite at
/// zero, `-Ei(-x)` for negative `x`, as the real part of the complex function.
///
/// ```
/// assert!((probpipe_special::exp1(1.0) - 0.21938393439552029).abs() < 1e-16);
/// ```
pub fn exp1(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return -expi(-x);
    }
    if x == 0.0 {
        return f64::INFINITY;
    }
    if x <= 1.0 {
        // sum over k >= 1 of -(-x)^k / (k k!)
        let (mut term, mut terms) = (-1.0, [0.0; 22]);
        for (k, slot) in (1..).zip(&mut terms) {
            let k = f64::from(k);
            term *= -x / k;
            *slot = term / k;
        }
        let sum: f64 = terms.iter().rev().sum();
        return (sum - EULER) - libm::log(x);
    }
    if x > 745.0 {
        return 0.0;
    }
    // e^-x / (x + 1 - 1/(x + 3 - 4/(x + 5 - ...)))
    let count = 20 + (150.0 / x) as u32;
    let mut f = x + f64::from(2 * count + 1);
    for k in (1..=count).rev() {
        f = x + f64::from(2 * k - 1) - f64::from(k) * f64::from(k) / f;
    }
    libm::exp(-x) / f
}

/// The exponential integral `Ei(x)`, the principal value of the integral of `e^t / t` from minus
/// infinity to `x`; minus infinity at zero.
///
/// ```
/// assert!((probpipe_special::expi(1.0) - 1.8951178163559368).abs() < 1e-15);
/// ```
pub fn expi(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return -exp1(-x);
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if (x - ZERO.0).abs() < 0.2 {
        let length = (x - ZERO.0) - ZERO.1;
        return integrate(length, |t| libm::exp(ZERO.0 + t) / (ZERO.0 + t));
    }
    if x < 40.0 {
        // euler + log x + sum over k >= 1 of x^k / (k k!)
        let (mut term, mut terms) = (1.0, [0.0; 160]);
        let mut count = 0;
        for (k, slot) in (1..).zip(&mut terms) {
            let k = f64::from(k);
            term *= x / k;
            *slot = term / k;
            count += 1;
            if term < 1e-18 && k > x {
                break;
            }
        }
        let sum: f64 = terms[..count].iter().rev().sum();
        return sum + (EULER + libm::log(x));
    }
    if x == f64::INFINITY {
        return x;
    }
    // e^x / x (1 + 1/x + 2/x^2 + ...)
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..60 {
        let next = term * f64::from(k) / x;
        if next < 1e-17 || next > term {
            break;
        }
        term = next;
        sum += term;
    }
    let half = libm::exp(0.5 * x);
    half * (sum / x) * half
}
