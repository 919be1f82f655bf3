//! The gamma function, its logarithm and the derivative of that, on the whole real line.
//! DLMF 5.4 to 5.11. Near their zeros the results keep their relative precision on the positive
//! axis; on the negative one the absolute.

use crate::stirling::{LARGE, digamma_correction};
use std::f64::consts::PI;

/// The gamma function; NaN at negative whole numbers, infinite with the sign of `x` at zero.
///
/// ```
/// assert_eq!(probpipe_special::gamma(5.0), 24.0);
/// ```
pub fn gamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(x);
    }
    if x == f64::NEG_INFINITY || x < 0.0 && x == x.trunc() {
        return f64::NAN;
    }
    libm::tgamma(x)
}

/// `log |gamma(x)|`; infinite at zero and at negative whole numbers.
///
/// ```
/// assert_eq!(probpipe_special::lgamma(3.0), 2f64.ln());
/// ```
pub fn lgamma(x: f64) -> f64 {
    if x > 0.0 || x.is_nan() {
        return libm::lgamma(x);
    }
    let whole = x.round();
    if x == whole {
        return f64::INFINITY;
    }
    // gamma(x) gamma(-x) = -pi / (x sin(pi x)); the distance to the nearest pole is exact.
    let sine = libm::sin(PI * (x - whole)).abs();
    if x > -20.0 {
        // One logarithm: near its zeros the value has an absolute error of a few ulp of one.
        let product = if x > -1e-290 { PI } else { x.abs() * libm::tgamma(-x) * sine };
        return if x > -1e-290 { -libm::log(-x) } else { -libm::log(product / PI) };
    }
    libm::log(PI / (-x * sine)) - libm::lgamma(-x)
}

/// The positive zero of digamma, in two parts.
const ZERO: (f64, f64) = (1.4616321449683622, 9.549995429965697e-17);

/// `digamma^(k)(ZERO) / k!` from `k = 1`.
const AT_ZERO: [f64; 25] = [
    0.9676722454476212,
    -0.4427631689835921,
    0.258499760955651,
    -0.16394270544240652,
    0.10782405069126237,
    -0.07219956125645471,
    0.04880428816414311,
    -0.03316112647484736,
    0.022597648232218104,
    -0.01542476590494896,
    0.010538791616612175,
    -0.007204534386356869,
    0.004926781395729853,
    -0.003369801655439328,
    0.002305126326734928,
    -0.0015769367714301972,
    0.0010788252019162967,
    -0.0007380709389960052,
    0.000504953265834602,
    -0.0003454680251063077,
    0.00023635601564027053,
    -0.00016170622091974803,
    0.0001106337276874741,
    -7.569179582195066e-05,
    5.178575795222081e-05,
];

/// The derivative of `log gamma`; infinite at zero, whose sign says from which side, and NaN at
/// negative whole numbers, where its limits from the two sides differ.
///
/// ```
/// assert!((probpipe_special::digamma(1.0) + 0.5772156649015329).abs() < 1e-15);
/// ```
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == 0.0 {
            return -1.0 / x;
        }
        let whole = x.round();
        if x == whole {
            return f64::NAN;
        }
        // digamma(x) = digamma(1 - x) - pi / tan(pi x), or by the recurrence next to zero.
        if x > -0.5 {
            return digamma(1.0 + x) - 1.0 / x;
        }
        return digamma(1.0 - x) - PI / libm::tan(PI * (x - whole));
    }
    let offset = (x - ZERO.0) - ZERO.1;
    if offset.abs() < 0.25 {
        return offset * AT_ZERO.iter().rev().fold(0.0, |s, c| s * offset + c);
    }
    if x == f64::INFINITY {
        return x;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < LARGE {
        shift += 1.0 / x;
        x += 1.0;
    }
    libm::log(x) - digamma_correction(x) - shift
}
