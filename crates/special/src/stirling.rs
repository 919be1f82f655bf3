//! Stirling's series: what the gamma function, its logarithm and the derivative of that have beside
//! their leading parts. DLMF 5.11. Small arguments are the concern of `gamma.rs`.

use std::f64::consts::PI;

/// Where the series are good to the last digit.
pub(crate) const LARGE: f64 = 10.0;

/// `B(2k) / (2k (2k - 1))`, DLMF 5.11.1.
pub(crate) const LGAMMA: [f64; 10] = [
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
pub(crate) const DIGAMMA: [f64; 10] = [
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

/// `log x - digamma(x)` for `x >= 10`.
pub(crate) fn digamma_correction(x: f64) -> f64 {
    let t = 1.0 / (x * x);
    0.5 / x + t * DIGAMMA.iter().rev().fold(0.0, |s, c| s * t + c)
}
