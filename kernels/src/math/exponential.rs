//! exp, expm1 and the hyperbolic functions, all on one reduction of the argument.
//!
//! x = n ln 2 + r with |r| <= ln(2)/2, and e^x = 2^n (1 + r + r^2 q(r)). The polynomial q is a
//! Chebyshev interpolant of (e^r - 1 - r) / r^2 computed at 60 digits; it is written here so that
//! the leading 1 + r stays exact and the polynomial's own rounding weighs r^2/2 < 0.06.

use super::logarithm::{LN2_32, LN2_64, ln2_parts};
use super::{apart_from_tiny, without_tiny};
use crate::lane::{Lane, fast_two_sum, select, two_product, two_sum};

/// What is left of the argument after taking out a multiple of ln 2.
#[derive(Clone, Copy, Debug)]
pub struct Reduced<L: Lane> {
    /// The multiple of ln 2.
    pub power: L::Int,
    /// The multiple as a float.
    pub power_float: L,
    /// The remainder r.
    pub high: L,
    /// e^r - 1 - `high`, with the rounding error of `high` in it.
    pub tail: L,
}

/// The numbers of e^x, for those who write it out in instructions of their own.
#[derive(Clone, Copy, Debug)]
pub struct ExpConstants {
    /// Below the first e^x is zero and above the second infinite, as there.
    pub range: (f64, f64),
    /// The high and low parts of ln 2.
    pub ln2: (f64, f64),
    /// The coefficients of q, from the constant upwards.
    pub second_order: &'static [f64],
}

const EXP64: ExpConstants = ExpConstants {
    range: (-745.826, 710.0),
    ln2: LN2_64,
    second_order: &[
        0.5,
        0.1666666666666667,
        0.04166666666666667,
        0.008333333333326136,
        0.0013888888888883748,
        0.00019841269874820627,
        2.4801587325547743e-05,
        2.7557255400206422e-06,
        2.75572736431103e-07,
        2.5105217004720745e-08,
        2.0914686968086876e-09,
    ],
};
const EXP32: ExpConstants = ExpConstants {
    range: (-104.666, 89.0),
    ln2: LN2_32,
    second_order: &[
        0.5,
        0.1666666716337204,
        0.04166646674275398,
        0.00833331048488617,
        0.0013933649752289057,
        0.00019890991097781807,
    ],
};

/// The numbers of e^x in double or single precision.
#[must_use]
pub const fn exp_constants(double: bool) -> ExpConstants {
    if double { EXP64 } else { EXP32 }
}

/// q(r) = (e^r - 1 - r) / r^2.
#[inline(always)]
fn second_order<L: Lane>(r: L) -> L {
    let list = const { exp_constants(L::DOUBLE) }.second_order;
    let mut k = list.len() - 1;
    let mut sum = L::lit(list[k]);
    while k > 0 {
        k -= 1;
        sum = r.fma(sum, L::lit(list[k]));
    }
    sum
}

/// Reduces `x + x_low`; |x| must be at most about 2^10 (f64) or 2^7 (f32).
#[inline(always)]
pub fn reduce<L: Lane>(x: L, x_low: L) -> Reduced<L> {
    let (n, power) = (x * L::lit(core::f64::consts::LOG2_E)).round_int();
    let (ln2_high, ln2_low) = ln2_parts::<L>();
    let a = (-n).fma(ln2_high, x);
    // `x_low` may be many ulp of the remainder: it must go through the polynomial too.
    let b = n.fma(ln2_low, -x_low);
    let high = a - b;
    let low = (a - high) - b;
    let tail = (high * high).fma(second_order(high), low.fma(high, low));
    Reduced { power, power_float: n, high, tail }
}

/// e^x. The remainder is not compensated: beside one, what it loses is a tenth of an ulp.
#[inline(always)]
pub fn exp<L: Lane>(x: L) -> L {
    let (low, high) = const { exp_constants(L::DOUBLE) }.range;
    // A NaN passes.
    let x = select(x.gt(L::lit(high)), L::lit(high), x);
    let x = select(x.lt(L::lit(low)), L::lit(low), x);
    let (n, power) = (x * L::lit(core::f64::consts::LOG2_E)).round_int();
    let (ln2_high, ln2_low) = ln2_parts::<L>();
    let r = (-n).fma(ln2_low, (-n).fma(ln2_high, x));
    (L::lit(1.0) + (r * r).fma(second_order(r), r)).scale_exponent(power)
}

/// Whether e^x and all on the way to it are normal numbers.
#[inline(always)]
pub fn is_moderate<L: Lane>(x: L) -> L::Mask {
    x.abs().lt(L::lit(if L::DOUBLE { 708.0 } else { 87.0 }))
}

/// e^x for such x, to the bit as [`exp`] has it: no range to keep to, and one power of two.
#[inline(always)]
pub fn exp_moderate<L: Lane>(x: L) -> L {
    let (n, power) = (x * L::lit(core::f64::consts::LOG2_E)).round_int();
    let (ln2_high, ln2_low) = ln2_parts::<L>();
    let r = (-n).fma(ln2_low, (-n).fma(ln2_high, x));
    (L::lit(1.0) + (r * r).fma(second_order(r), r)) * L::exp2_int(power)
}

/// (e^x - 1) 2^-n as a sum of two lanes, given the reduction of x.
#[inline(always)]
fn expm1_parts<L: Lane>(r: Reduced<L>) -> (L, L) {
    let (p, p_low) = fast_two_sum(r.high, r.tail);
    // 1 - 2^-n is one to working precision for large n, where 2^-n may not be a normal number.
    let large = r.power_float.gt(L::lit(60.0));
    let offset = L::lit(1.0) - L::exp2_int(L::int_neg(r.power));
    let (s, e) = fast_two_sum(select(large, L::lit(1.0), offset), p);
    (s, e + p_low)
}

/// e^x - 1.
#[inline(always)]
pub fn expm1<L: Lane>(x: L) -> L {
    let (low, high) = if L::DOUBLE { (-40.0, 710.0) } else { (-18.0, 89.0) };
    let (is_tiny, apart) = apart_from_tiny(x);
    let bounded = select(x.gt(L::lit(high)), L::lit(high), apart);
    let bounded = select(bounded.lt(L::lit(low)), L::lit(low), bounded);
    let r = reduce(bounded, L::lit(0.0));
    let (s, s_low) = expm1_parts(r);
    select(is_tiny, x, (s + s_low).scale_exponent(r.power))
}

/// Where e^-2|x| no longer shows beside one.
#[inline(always)]
fn single_exponential<L: Lane>() -> L {
    L::lit(if L::DOUBLE { 22.0 } else { 11.0 })
}

/// |x|, bounded where e^|x| / 2 has just overflowed: its power of two is then one too large, which
/// two factors still give, and as an exponent is none that is subnormal. A NaN passes.
#[inline(always)]
fn bounded_magnitude<L: Lane>(x: L) -> L {
    let bound = L::lit(if L::DOUBLE { 710.5 } else { 89.5 });
    let a = x.abs();
    select(a.gt(bound), bound, a)
}

/// sinh x = (m + m / (m + 1)) / 2 with m = e^|x| - 1.
#[inline(always)]
pub fn sinh<L: Lane>(x: L) -> L {
    let (is_tiny, apart) = apart_from_tiny(x);
    let a = bounded_magnitude(apart);
    let is_large = a.gt(single_exponential());
    let r = reduce(a, L::lit(0.0));
    let large = (L::lit(1.0) + (r.high + r.tail)).scale_exponent(L::int_add(r.power, L::int(-1)));
    let (s, s_low) = expm1_parts(r);
    // One over the exponential would be subnormal where it does not show.
    let power = L::exp2_int(L::int_select(is_large, L::int(0), r.power));
    let (m, m_low) = (s * power, s_low * power);
    let (d, d_low) = two_sum(m, L::lit(1.0));
    let inverse = L::lit(1.0) / d;
    let q = m * inverse;
    let q_low = ((-q).fma_exact(d, m) + (m_low - q * (d_low + m_low))) * inverse;
    let (sum, rest) = fast_two_sum(m, q);
    let small = L::lit(0.5) * (sum + (rest + (m_low + q_low)));
    select(is_tiny, x, select(is_large, large, small).copysign(x))
}

/// cosh x = (e + 1 / e) / 2 with e = e^|x|.
#[inline(always)]
pub fn cosh<L: Lane>(x: L) -> L {
    let a = bounded_magnitude(without_tiny(x));
    let is_large = a.gt(single_exponential());
    let r = reduce(a, L::lit(0.0));
    let mantissa = L::lit(1.0) + (r.high + r.tail);
    let large = mantissa.scale_exponent(L::int_add(r.power, L::int(-1)));
    let e = mantissa * L::exp2_int(L::int_select(is_large, L::int(0), r.power));
    let small = L::lit(0.5) * e + L::lit(0.5) / e;
    select(is_large, large, small)
}

/// tanh x = m / (m + 2) with m = e^2|x| - 1, the quotient corrected once.
#[inline(always)]
pub fn tanh<L: Lane>(x: L) -> L {
    let bound = single_exponential();
    let (is_tiny, apart) = apart_from_tiny(x);
    let a = apart.abs();
    let a = select(a.gt(bound), bound, a);
    let r = reduce(a + a, L::lit(0.0));
    let (s, s_low) = expm1_parts(r);
    let power = L::exp2_int(r.power);
    let (m, m_low) = (s * power, s_low * power);
    let (d, d_low) = two_sum(m, L::lit(2.0));
    let inverse = L::lit(1.0) / d;
    let q = m * inverse;
    let q_low = ((-q).fma_exact(d, m) + (m_low - q * (d_low + m_low))) * inverse;
    select(is_tiny, x, (q + q_low).copysign(x))
}

/// `(value, n)` with e^-(x^2) = value 2^n, for |x| at most 28 (f64) or 10.5 (f32). The square is
/// kept to twice the precision: its rounding error would be multiplied by x^2.
#[inline(always)]
pub fn exp_minus_square<L: Lane>(x: L) -> (L, L::Int) {
    let (square, square_low) = two_product(x, x);
    let r = reduce(-square, -square_low);
    (L::lit(1.0) + (r.high + r.tail), r.power)
}
