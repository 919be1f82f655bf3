//! Stirling's series: what the gamma function, its logarithm and the derivative of that have beside
//! their leading parts. DLMF 5.11. Small arguments are the concern of `gamma.rs`.

use std::f64::consts::FRAC_2_SQRT_PI;

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

/// `log x - digamma(x)` for `x >= 10`.
pub(crate) fn digamma_correction(x: f64) -> f64 {
    let t = 1.0 / (x * x);
    0.5 / x + t * DIGAMMA.iter().rev().fold(0.0, |s, c| s * t + c)
}

/// `log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2` for `x >= 1`, where it is at most 0.0811: a
/// quotient in `1/x^2` over `x`, since it is a function of Stieltjes.
pub(crate) fn stieltjes(x: f64) -> f64 {
    let r = 1.0 / x;
    let t = r * r;
    let fold = |c: &[f64]| c.iter().rev().fold(0.0, |s, c| s * t + c);
    r * (fold(&NUMERATOR) / fold(&DENOMINATOR))
}

/// `1 / gamma(1 + a)` for `0 <= a <= 1`.
pub(crate) fn reciprocal_gamma(a: f64) -> f64 {
    let t = a - 0.5;
    RECIPROCAL.iter().rev().fold(0.0, |s, c| s * t + c)
}

/// `log gamma(1 + a)` for `0 <= a <= 1`, to full relative precision.
pub(crate) fn log_gamma(a: f64) -> f64 {
    let t = a - 0.5;
    a * (a - 1.0) * LOGARITHM.iter().rev().fold(0.0, |s, c| s * t + c)
}

// Fits that were made for this file and its like for adapters, good to about 1e-16.

/// Of `stieltjes`.
const NUMERATOR: [f64; 9] = [
    0.08333333333333333,
    1.858840472589229,
    14.28487117510949,
    48.25246886957957,
    75.89658413572485,
    54.29788759491462,
    15.95445560535831,
    1.5047329856525282,
    0.021520387139101302,
];

/// Of `stieltjes`.
const DENOMINATOR: [f64; 9] = [
    1.0,
    22.33941900440408,
    172.15357759193697,
    584.5624655069788,
    928.7543335398183,
    677.9928948090231,
    208.08161242933107,
    21.861739711695243,
    0.46165110759516276,
];

/// Of `reciprocal_gamma`, around one half.
const RECIPROCAL: [f64; 16] = [
    FRAC_2_SQRT_PI,
    -0.0411745264452831,
    -0.5266544355255447,
    0.17510202604393435,
    0.0509668602477232,
    -0.04215516936852383,
    0.00661289782627482,
    0.002120731442277257,
    -0.0011107302459330316,
    0.00015235762470520615,
    2.5355130626661337e-05,
    -1.389683544823172e-05,
    2.1565575284250995e-06,
    5.80703265961005e-08,
    -9.002232748879092e-08,
    1.681337201347965e-08,
];

/// Of `log_gamma`, around one half.
const LOGARITHM: [f64; 21] = [
    0.4831289505409809,
    -0.14595989591430594,
    0.06291140107456437,
    -0.03130848750105415,
    0.016797098631275844,
    -0.009425622444767518,
    0.005446457839039636,
    -0.003212074222602009,
    0.001922916315044322,
    -0.0011644113425479958,
    0.0007115190337726783,
    -0.0004380355151925843,
    0.00027131404604478673,
    -0.00016856961232463447,
    0.00010535339176160404,
    -6.794532539113437e-05,
    4.303358406992273e-05,
    -2.1471686472038385e-05,
    1.3174891373031416e-05,
    -1.85413105778364e-05,
    1.2148922431734838e-05,
];
