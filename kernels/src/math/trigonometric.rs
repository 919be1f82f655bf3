//! sin, cos and tan: reduction by multiples of pi/2 in three parts, then two short polynomials.
//!
//! With an exact multiply-add, x - n P1 is exact (both are multiples of half an ulp of one and the
//! result is below one), so only the products with P2 and P3 need compensation; that holds the
//! remainder to twice the precision for |x| up to the bounds below. Beyond them the tile loop hands
//! the lane to the scalar library (Payne and Hanek's method), see [`crate::tile::UnaryOp`].

use crate::lane::{Lane, horner, select, two_product, two_sum};

/// The largest |x| that the vector code reduces: 2^28 (f64), 2^17 (f32).
#[inline(always)]
pub fn is_large<L: Lane>(x: L) -> L::Mask {
    x.abs().gt(L::lit(if L::DOUBLE { 268_435_456.0 } else { 131_072.0 }))
}

/// `(high, low, n)` with x = n pi/2 + high + low and |high| <= pi/4 (1 + 2^-7).
#[inline(always)]
fn reduce<L: Lane>(x: L) -> (L, L, L::Int) {
    let (p1, p2, p3) = if L::DOUBLE {
        (core::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33)
    } else {
        (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15)
    };
    let (n, quadrant) = (x * L::lit(core::f64::consts::FRAC_2_PI)).round_int();
    let first = (-n).fma_exact(L::lit(p1), x);
    let (product, product_low) = two_product(n, L::lit(p2));
    let (high, rest) = two_sum(first, -product);
    let low = (rest - product_low) - n * L::lit(p3);
    // `low` may exceed half an ulp of a small `high`.
    let sum = high + low;
    (sum, (high - sum) + low, quadrant)
}

/// sin(high + low) as a leading term and a tail, for |high| <= pi/4.
#[inline(always)]
fn sin_parts<L: Lane>(high: L, low: L, z: L) -> (L, L) {
    let p = if L::DOUBLE {
        horner!(z; -0.16666666666666663, 0.008333333333330467, -0.00019841269836043575,
            2.7557315738586845e-06, -2.5051057394492127e-08, 1.5912864224903485e-10)
    } else {
        horner!(z; -0.1666666716337204, 0.008333331905305386, -0.0001983999682124704,
            2.7238454549660673e-06)
    };
    let half_low = L::lit(-0.5) * z;
    (high, (high * z).fma(p, low.fma(half_low, low)))
}

/// cos(high + low) as a leading term and a tail, for |high| <= pi/4.
#[inline(always)]
fn cos_parts<L: Lane>(high: L, low: L, z: L) -> (L, L) {
    let p = if L::DOUBLE {
        horner!(z; 0.041666666666666664, -0.0013888888888887096, 2.4801587298318395e-05,
            -2.755731704403567e-07, 2.0876099692314926e-09, -1.1379338585298136e-11)
    } else {
        horner!(z; 0.0416666679084301, -0.00138888880610466, 2.4800525352475233e-05,
            -2.7291383730698726e-07)
    };
    let half = L::lit(0.5) * z;
    let leading = L::lit(1.0) - half;
    let lost = (L::lit(1.0) - leading) - half;
    // z was rounded; its error is small against the cosine (at least 0.7).
    (leading, lost + (z * z).fma(p, -(high * low)))
}

/// sin(high + low) for |high| <= pi/4.
#[inline(always)]
pub fn sin_sum<L: Lane>(high: L, low: L) -> L {
    let (s, s_low) = sin_parts(high, low, high * high);
    s + s_low
}

/// cos(high + low) for |high| <= pi/4.
#[inline(always)]
pub fn cos_sum<L: Lane>(high: L, low: L) -> L {
    let (c, c_low) = cos_parts(high, low, high * high);
    c + c_low
}

/// Sine with the quadrant moved by `turn` (0: sine, 1: cosine).
#[inline(always)]
fn sin_turned<L: Lane>(x: L, turn: i32) -> L {
    let (high, low, n) = reduce(x);
    let quadrant = L::int_add(n, L::int(turn));
    let value = select(L::int_bit(quadrant, 0), cos_sum(high, low), sin_sum(high, low));
    select(L::int_bit(quadrant, 1), -value, value)
}

/// Where sin x and tan x round to x (and where -0 must stay -0).
#[inline(always)]
fn is_tiny<L: Lane>(x: L) -> L::Mask {
    x.abs().lt(L::lit(if L::DOUBLE { 7.450580596923828e-09 } else { 0.000_122_070_312_5 }))
}

/// Whether no multiple of pi/2 is to be taken out.
#[inline(always)]
pub fn is_reduced<L: Lane>(x: L) -> L::Mask {
    x.abs().lt(L::lit(0.78))
}

/// sin x for |x| that [`is_reduced`]: what [`sin`] computes there, without the reduction.
#[inline(always)]
pub fn sin_reduced<L: Lane>(x: L) -> L {
    select(is_tiny(x), x, sin_sum(x, L::lit(0.0)))
}

/// cos x for |x| that [`is_reduced`].
#[inline(always)]
pub fn cos_reduced<L: Lane>(x: L) -> L {
    cos_sum(x, L::lit(0.0))
}

/// sin x for |x| not [`is_large`].
#[inline(always)]
pub fn sin<L: Lane>(x: L) -> L {
    select(is_tiny(x), x, sin_turned(x, 0))
}

/// cos x for |x| not [`is_large`].
#[inline(always)]
pub fn cos<L: Lane>(x: L) -> L {
    sin_turned(x, 1)
}

/// tan x for |x| not [`is_large`].
#[inline(always)]
pub fn tan<L: Lane>(x: L) -> L {
    let (high, low, n) = reduce(x);
    select(is_tiny(x), x, tan_sum(high, low, L::int_bit(n, 0)))
}

/// tan(high + low), or in an odd quadrant the tangent of a quarter turn more, for |high| <= pi/4:
/// the quotient of both polynomials, corrected once.
#[inline(always)]
pub fn tan_sum<L: Lane>(high: L, low: L, odd: L::Mask) -> L {
    let z = high * high;
    let (s, s_tail) = sin_parts(high, low, z);
    let (c, c_tail) = cos_parts(high, low, z);
    let (sin, sin_low) = (s + s_tail, (s - (s + s_tail)) + s_tail);
    let (cos, cos_low) = (c + c_tail, (c - (c + c_tail)) + c_tail);
    // In odd quadrants the tangent is -cos/sin.
    let (top, top_low) = (select(odd, -cos, sin), select(odd, -cos_low, sin_low));
    let (bottom, bottom_low) = (select(odd, sin, cos), select(odd, sin_low, cos_low));
    let inverse = L::lit(1.0) / bottom;
    let q = top * inverse;
    let q_low = ((-q).fma_exact(bottom, top) + (top_low - q * bottom_low)) * inverse;
    q + q_low
}
