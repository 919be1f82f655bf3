//! The modified Bessel functions of the first kind of orders 0 and 1, plain and scaled by
//! `e^-|x|`: the power series DLMF 10.25.2 for small arguments, whose terms are positive, and the
//! asymptotic series 10.40.1 beyond 20, where its least term is below the last digit.

use crate::double::Double;
use std::f64::consts::PI;

/// Where the asymptotic series takes over.
const FAR: f64 = 20.0;

/// `sum over k of (x^2/4)^k / (k! (k + order)!)`.
fn series(x: f64, order: u32) -> f64 {
    let t = Double::product(0.5 * x, 0.5 * x);
    let ratio = |k: u32| f64::from(k * (k + order));
    // The number of terms that show, for x up to 20, from the smallest. Those before the largest
    // one pass their errors on in full, so they have twice the digits.
    let (last, growing) = (12 + (2.0 * x) as u32, (0.75 * x) as u32);
    let rest = (growing + 1..=last).rev().fold(1.0, |sum, k| 1.0 + sum * (t.hi / ratio(k)));
    let sum = (1..=growing)
        .rev()
        .fold(Double::new(rest), |sum, k| Double::new(1.0) + sum * t / Double::new(ratio(k)));
    sum.value()
}

/// `sqrt(2 pi x) e^-x I` of the order: `1 - (m - 1)/(8x) + (m - 1)(m - 9)/(2! (8x)^2) - ...` with
/// `m = 4 order^2`.
fn asymptotic(x: f64, order: u32) -> f64 {
    let m = f64::from(4 * order * order);
    let (mut term, mut terms, mut count) = (1.0, [0.0; 60], 0);
    for (k, slot) in (1..).zip(&mut terms) {
        *slot = term;
        count += 1;
        let odd = f64::from(2 * k - 1);
        let next = term * (odd * odd - m) / (8.0 * f64::from(k) * x);
        if next.abs() < 1e-17 || next.abs() > term.abs() && k > 3 {
            break;
        }
        term = next;
    }
    terms[..count].iter().rev().sum()
}

/// `sqrt(2 pi x)`.
fn root(x: f64) -> f64 {
    if x > 1e300 { (2.0 * PI).sqrt() * x.sqrt() } else { (2.0 * PI * x).sqrt() }
}

/// The modified Bessel function of order 0.
///
/// ```
/// assert!((probpipe_special::i0(1.0) - 1.2660658777520082).abs() < 1e-15);
/// ```
pub fn i0(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { series(a, 0) } else { unscaled(a, asymptotic(a, 0)) }
}

/// `e^x / sqrt(2 pi x)` times the rest, in two factors so that only the result overflows.
fn unscaled(x: f64, rest: f64) -> f64 {
    if x == f64::INFINITY {
        return x;
    }
    if x < 709.0 {
        return libm::exp(x) * (rest / root(x));
    }
    let half = libm::exp(0.5 * x);
    half * (rest / root(x)) * half
}

/// `e^-|x| I0(x)`.
///
/// ```
/// // 1/sqrt(2 pi x) (1 + 1/(8 x) + ...)
/// let limit = 1e-3 / (2.0 * std::f64::consts::PI).sqrt();
/// assert!((probpipe_special::i0e(1e6) / limit - 1.000000125).abs() < 1e-12);
/// ```
pub fn i0e(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { libm::exp(-a) * series(a, 0) } else { asymptotic(a, 0) / root(a) }
}

/// The modified Bessel function of order 1, which is odd.
///
/// ```
/// assert!((probpipe_special::i1(1.0) - 0.565159103992485).abs() < 1e-15);
/// ```
pub fn i1(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR { 0.5 * x * series(a, 1) } else { unscaled(a, asymptotic(a, 1)).copysign(x) }
}

/// `e^-|x| I1(x)`.
///
/// ```
/// assert!((probpipe_special::i1e(1.0) - 0.2079104153497085).abs() < 1e-15);
/// ```
pub fn i1e(x: f64) -> f64 {
    let a = x.abs();
    if a < FAR {
        return 0.5 * x * libm::exp(-a) * series(a, 1);
    }
    (asymptotic(a, 1) / root(a)).copysign(x)
}

/// The derivative of [`i0e`], `i1e(x) - sign(x) i0e(x)`, without the cancellation of that
/// difference; zero at the kink at zero.
///
/// ```
/// assert!((probpipe_special::i0e_slope(1e8) / -1.9947114093e-13 - 1.0).abs() < 1e-9);
/// ```
pub fn i0e_slope(x: f64) -> f64 {
    let a = x.abs();
    // The mean of both sides at the kink.
    if a.is_nan() || a == 0.0 {
        return x;
    }
    let value = match a {
        _ if a < 2.0 => polynomial(&SLOPE_TO_2, a - 1.0),
        _ if a < 5.0 => polynomial(&SLOPE_TO_5, (a - 3.5) / 1.5),
        _ if a < 10.0 => polynomial(&SLOPE_TO_10, 0.4 * (a - 7.5)),
        _ if a < FAR => polynomial(&SLOPE_TO_20, 0.2 * (a - 15.0)),
        _ => polynomial(&SLOPE_FAR, 2.0 * FAR / a - 1.0) / a.sqrt() / a,
    };
    value.copysign(-x)
}

fn polynomial(coefficients: &[f64], t: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * t + c)
}

// Fits of e^-a (I0(a) - I1(a)) that were made for this file and its like for adapters, good to
// about 1e-16, in a variable that goes from -1 to 1.

/// Up to 2.
const SLOPE_TO_2: [f64; 19] = [
    0.257849192243932,
    -0.30778796913815554,
    0.2288021499104131,
    -0.12484694223555814,
    0.053802492572263785,
    -0.019142365595180382,
    0.005795573517063175,
    -0.0015264337423800955,
    0.00035565641458320624,
    -7.428320685062721e-05,
    1.4056826911468278e-05,
    -2.431273061529687e-06,
    3.871907733948137e-07,
    -5.71331362030419e-08,
    7.852901462653885e-09,
    -1.0086401470842311e-09,
    1.2194665462362997e-10,
    -1.4670639322402145e-11,
    1.578481555812492e-12,
];

/// From 2 to 5.
const SLOPE_TO_5: [f64; 21] = [
    0.03540246140772917,
    -0.025893108536166103,
    0.01579862153372435,
    -0.008698151189517321,
    0.004326909398213001,
    -0.0019342845011925689,
    0.0007762069643869241,
    -0.00028043711466380425,
    9.169316586455708e-05,
    -2.729511184467489e-05,
    7.442366172040568e-06,
    -1.8694674229658272e-06,
    4.349253513921096e-07,
    -9.416706542431517e-08,
    1.905793259441833e-08,
    -3.6204104797692236e-09,
    6.475384284333146e-10,
    -1.0873026667616512e-10,
    1.7420313089593095e-11,
    -2.9600831445903925e-12,
    4.2690853678257744e-13,
];

/// From 5 to 10.
const SLOPE_TO_10: [f64; 22] = [
    0.0102746185288413,
    -0.005359355461355101,
    0.002341567312787792,
    -0.0009613599996345819,
    0.0003838914445954535,
    -0.00015134525959654033,
    5.9269305880637e-05,
    -2.305418604030063e-05,
    8.863839356153891e-06,
    -3.3428436544572578e-06,
    1.2263230712169389e-06,
    -4.3437829228512347e-07,
    1.477215371924349e-07,
    -4.804551392303463e-08,
    1.4907518400532055e-08,
    -4.411139916585802e-09,
    1.2496101202414287e-09,
    -3.359949243949734e-10,
    8.222020792864065e-11,
    -2.0245040884550597e-11,
    6.461067178919745e-12,
    -1.4393823988252994e-12,
];

/// From 10 to 20.
const SLOPE_TO_20: [f64; 24] = [
    0.003525356403656066,
    -0.001795505688171776,
    0.0007626393277759864,
    -0.00030258630160668085,
    0.00011587295254724375,
    -4.343049640597423e-05,
    1.6049744043994868e-05,
    -5.873499286172089e-06,
    2.134642792855722e-06,
    -7.720422677015737e-07,
    2.783122653983797e-07,
    -1.0013169284019793e-07,
    3.599516296858961e-08,
    -1.2943671871163744e-08,
    4.665198654162228e-09,
    -1.683372512510856e-09,
    6.009178408701181e-10,
    -2.173592591116399e-10,
    8.700376504133364e-11,
    -3.175440940962945e-11,
    6.052888813806835e-12,
    -2.125387932935787e-12,
    2.8375596175146113e-12,
    -1.003281001157468e-12,
];

/// Times `a^(3/2)`, from 20 on.
const SLOPE_FAR: [f64; 13] = [
    0.2013866930966164,
    0.001962835313881443,
    4.914967320503387e-05,
    1.9697589509772708e-06,
    1.0979746843688099e-07,
    7.938869454951923e-09,
    7.141278788063006e-10,
    7.776341809624111e-11,
    1.005794963743817e-11,
    1.5027475676774152e-12,
    2.593174616264192e-13,
    6.851949115118253e-14,
    1.7886144737828133e-14,
];
