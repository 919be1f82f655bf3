//! log, log2, log1p and the inverse hyperbolic functions.
//!
//! x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, and log x = k ln 2 + log(1 + f).
//! f64: log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)) with s = f / (2 + f), the form of fdlibm's
//! `e_log.c` (its idea, our fit): R(z) = (log((1+s)/(1-s)) - 2s) / s. f32 avoids the division:
//! log(1 + f) = f - f^2/2 + f^3 P(f). Both polynomials are Chebyshev interpolants.

use super::apart_from_tiny;
use crate::lane::{Lane, fast_two_sum, horner, select, two_sum};

/// The high and low parts of ln 2. The high part has 32 (f32: 15) bits, so that its product with
/// any exponent is exact.
pub const LN2_64: (f64, f64) = (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10);
/// As [`LN2_64`], for single precision.
pub const LN2_32: (f64, f64) = (0.693_145_751_953_125, 1.428_606_765_330_187e-6);

/// The high and low parts of ln 2.
#[inline(always)]
pub fn ln2_parts<L: Lane>() -> (L, L) {
    let (high, low) = if L::DOUBLE { LN2_64 } else { LN2_32 };
    (L::lit(high), L::lit(low))
}

/// `(a, b)` with log(1 + f) = f - f^2/2 + a b, for 1 + f in [sqrt(1/2), sqrt(2)).
#[inline(always)]
fn log_rest<L: Lane>(f: L, half_square: L) -> (L, L) {
    if L::DOUBLE {
        let s = f / (L::lit(2.0) + f);
        let z = s * s;
        let r: L = horner!(z; 0.666666666666667, 0.3999999999989889, 0.28571428626253836,
            0.22222211089379496, 0.1818289243253687, 0.15331611722055008, 0.14617807153417325);
        (s, z.fma(r, half_square))
    } else {
        let p: L = horner!(f; 0.3333333134651184, -0.2499999701976776, 0.20000720024108887,
            -0.16667810082435608, 0.1424887627363205, -0.12425360083580017, 0.11687024682760239,
            -0.11483081430196762, 0.06971346586942673);
        (f * f * f, p)
    }
}

/// k ln 2 + log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)).
#[inline(always)]
pub fn log_sum<L: Lane>(f: L, k: L) -> L {
    let (ln2_high, ln2_low) = ln2_parts::<L>();
    let half_square = L::lit(0.5) * f * f;
    let (a, b) = log_rest(f, half_square);
    let rest = a.fma(b, k * ln2_low);
    k.fma(ln2_high, f + (rest - half_square))
}

/// The high and low parts of 1 / ln 2, each rounded.
const LOG2_E_64: (f64, f64) = (1.442_695_040_888_963_4, 2.035_527_374_093_103_3e-17);
/// As [`LOG2_E_64`], for single precision.
const LOG2_E_32: (f64, f64) = (1.442_695_021_629_333_5, 1.925_963_033_500_011e-8);

/// `(m, k)` of [`Lane::split_exponent`], also for subnormal numbers; and what was split, a normal
/// number that is above zero, infinite or NaN where `x` is.
#[inline(always)]
pub fn split_any<L: Lane>(x: L) -> (L, L, L) {
    let (smallest, exponent) =
        if L::DOUBLE { (f64::MIN_POSITIVE, 1022.0) } else { (f32::MIN_POSITIVE as f64, 126.0) };
    let tiny = x.lt(L::lit(smallest));
    let lifted = select(tiny, x.lift_subnormal(), x);
    let (m, k, _) = lifted.split_exponent();
    (m, select(tiny, k - L::lit(exponent), k), lifted)
}

/// The answers where the argument of a logarithm is not a positive finite number; `lifted` is above
/// zero or infinite where it is.
#[inline(always)]
fn with_special_cases<L: Lane>(argument: L, lifted: L, result: L) -> L {
    let infinity = L::lit(f64::INFINITY);
    let zero = L::lit(0.0);
    let at_most_zero = select(argument.equals(zero), -infinity, L::lit(f64::NAN));
    let result = select(lifted.gt(zero), result, at_most_zero);
    select(lifted.equals(infinity), infinity, result)
}

/// log x.
#[inline(always)]
pub fn log<L: Lane>(x: L) -> L {
    let (m, k, lifted) = split_any(x);
    with_special_cases(x, lifted, log_sum(m - L::lit(1.0), k))
}

/// Whether x is a normal number above zero.
#[inline(always)]
pub fn is_normal<L: Lane>(x: L) -> L::Mask {
    let smallest = if L::DOUBLE { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE as f64 };
    x.ge(L::lit(smallest)) & x.lt(L::lit(f64::INFINITY))
}

/// log x for such x, to the bit as [`log`] has it.
#[inline(always)]
pub fn log_normal<L: Lane>(x: L) -> L {
    let (m, k, _) = x.split_exponent();
    log_sum(m - L::lit(1.0), k)
}

/// log2 x = k + log(1 + f) / ln 2. The logarithm and the quotient are carried with what their
/// rounding lost, so that the sum is rounded once or little more; where f is zero, it is k.
#[inline(always)]
pub fn log2<L: Lane>(x: L) -> L {
    let (m, k, lifted) = split_any(x);
    let f = m - L::lit(1.0);
    let half = L::lit(0.5) * f;
    let half_square = half * f;
    let square_low = half.fma_exact(f, -half_square);
    let (a, b) = log_rest(f, half_square);
    // log(1 + f) = high + low
    let (high, lost) = fast_two_sum(f, -half_square);
    let low = (lost - square_low) + a * b;
    let (scale, scale_low) = if L::DOUBLE { LOG2_E_64 } else { LOG2_E_32 };
    let (scale, scale_low) = (L::lit(scale), L::lit(scale_low));
    let product = high * scale;
    let product_low = high.fma_exact(scale, -product);
    let rest = low.fma(scale, high.fma(scale_low, product_low));
    // |k| is zero or larger than the product.
    let (sum, lost) = fast_two_sum(k, product);
    with_special_cases(x, lifted, sum + (lost + rest))
}

/// log(1 + x + x_low) + extra ln 2, without the special cases; |x_low| <= ulp(x).
#[inline(always)]
fn log1p_sum<L: Lane>(x: L, x_low: L, extra: L) -> L {
    let one = L::lit(1.0);
    let (u, e) = two_sum(one, x);
    let (m, k, biased) = u.split_exponent();
    // What 1 + x lost in rounding, brought to the scale of m. For k = 0 the sum below is x again.
    let lost = (e + x_low) * L::exp2_minus_biased(biased);
    let lost = select(k.gt(L::lit(60.0)), L::lit(0.0), lost);
    log_sum((m - one) + lost, k + extra)
}

/// log(1 + x).
#[inline(always)]
pub fn log1p<L: Lane>(x: L) -> L {
    let zero = L::lit(0.0);
    let (is_tiny, apart) = apart_from_tiny(x);
    let sum = L::lit(1.0) + apart;
    let result = with_special_cases(sum, sum, log1p_sum(apart, zero, zero));
    select(is_tiny, x, result)
}

/// Whether x is in [0, 1], as in log(1 + e^-|x|).
#[inline(always)]
pub fn is_unit<L: Lane>(x: L) -> L::Mask {
    x.ge(L::lit(0.0)) & x.le(L::lit(1.0))
}

/// log(1 + x) for such x, to the bit as [`log1p`] has it: 1 + x is at most 2, so that all there is
/// to know of its exponent is whether it is above sqrt(2).
#[inline(always)]
pub fn log1p_unit<L: Lane>(x: L) -> L {
    let (zero, half, one) = (L::lit(0.0), L::lit(0.5), L::lit(1.0));
    let (is_tiny, apart) = apart_from_tiny(x);
    let (u, e) = fast_two_sum(one, apart);
    // The least m above sqrt(1/2), twice.
    let upper = u.ge(L::lit(if L::DOUBLE { SQRT_2_64 } else { SQRT_2_32 }));
    let m = select(upper, half * u, u);
    let lost = select(upper, half * e, e);
    let result = log_sum((m - one) + lost, select(upper, one, zero));
    select(is_tiny, x, result)
}

/// Twice the least m of [`Lane::split_exponent`].
const SQRT_2_64: f64 = core::f64::consts::SQRT_2;
/// As [`SQRT_2_64`], for single precision.
const SQRT_2_32: f64 = core::f32::consts::SQRT_2 as f64;

/// asinh x = log1p(a + a^2 / (1 + sqrt(1 + a^2))) for a = |x|; log(2a) where a^2 might overflow.
#[inline(always)]
pub fn asinh<L: Lane>(x: L) -> L {
    let (zero, one) = (L::lit(0.0), L::lit(1.0));
    let a = x.abs();
    let huge = a.gt(L::lit(if L::DOUBLE { 36_028_797_018_963_968.0 } else { 67_108_864.0 }));
    let square = a * a;
    let argument = a + square / (one + (one + square).sqrt());
    let result = log1p_sum(select(huge, a, argument), zero, select(huge, one, zero));
    let infinity = L::lit(f64::INFINITY);
    select(a.lt(infinity), result, a).copysign(x)
}

/// acosh x = log1p(t + sqrt(2t + t^2)) for t = x - 1; log(2x) where t^2 might overflow.
#[inline(always)]
pub fn acosh<L: Lane>(x: L) -> L {
    let (zero, one) = (L::lit(0.0), L::lit(1.0));
    let huge = x.gt(L::lit(if L::DOUBLE { 36_028_797_018_963_968.0 } else { 67_108_864.0 }));
    let t = x - one;
    let argument = t + t.fma(t, t + t).sqrt();
    let result = log1p_sum(select(huge, x, argument), zero, select(huge, one, zero));
    let infinity = L::lit(f64::INFINITY);
    let result = select(x.lt(infinity), result, x);
    select(x.lt(one), L::lit(f64::NAN), result)
}

/// atanh x = log1p(2a / (1 - a)) / 2 for a = |x|, the quotient carried to twice the precision.
#[inline(always)]
pub fn atanh<L: Lane>(x: L) -> L {
    let one = L::lit(1.0);
    let a = x.abs();
    let twice = a + a;
    let (d, d_low) = two_sum(one, -a);
    let q = twice / d;
    let q_low = ((-q).fma_exact(d, twice) - q * d_low) / d;
    let result = L::lit(0.5) * log1p_sum(q, q_low, L::lit(0.0));
    let edge = select(a.equals(one), L::lit(f64::INFINITY), L::lit(f64::NAN));
    select(a.lt(one), result, edge).copysign(x)
}
