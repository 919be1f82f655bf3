//! pow: e^(y log |x|), the logarithm and the product carried to twice the precision.
//!
//! An absolute error in y log |x| is a relative one in the result, and the product reaches 745, so
//! the logarithm must be good to about 2^-64 (f32: 2^-32). With s = f / (2 + f):
//! log(1 + f) = 2s + (2/3) s^3 + s^5 R(s^2); the first two terms are sums of two lanes, the third
//! is below 2^-12 of the result and needs one lane only.

use super::exponential::reduce;
use super::logarithm::{ln2_parts, split_any};
use crate::lane::{Lane, fast_two_sum, horner, select, two_product, two_sum};

/// log x as a sum of two lanes, for positive finite x.
#[inline(always)]
fn log_parts<L: Lane>(x: L) -> (L, L) {
    let (m, k, _) = split_any(x);
    let f = m - L::lit(1.0);
    let (d, d_low) = fast_two_sum(L::lit(2.0), f);
    let inverse = L::lit(1.0) / d;
    let s = f * inverse;
    let s_low = ((-s).fma_exact(d, f) - s * d_low) * inverse;
    let (z, z_error) = two_product(s, s);
    let z_low = (s + s).fma(s_low, z_error);
    let (cube, cube_error) = two_product(s, z);
    let cube_low = cube_error + (s * z_low + s_low * z);
    let (third, third_low, r) = if L::DOUBLE {
        let r: L = horner!(z; 0.4000000000000003, 0.2857142857133801, 0.22222222271326808,
            0.18181808210921882, 0.15385577463308145, 0.13285868837545742, 0.1291471218393509);
        (L::lit(2.0 / 3.0), L::lit(3.700743415417188e-17), r)
    } else {
        let r: L = horner!(z; 0.4000001549720764, 0.28562217950820923, 0.23049002885818481);
        (L::lit(0.6666666865348816), L::lit(-1.9868215517249155e-08), r)
    };
    let (p, p_error) = two_product(cube, third);
    let p_low = p_error + (cube * third_low + cube_low * third);
    let (h, e) = fast_two_sum(s + s, p);
    let low = (e + (s_low + s_low)) + (cube * z).fma(r, p_low);
    let (ln2_high, ln2_low) = ln2_parts::<L>();
    let (sum, rest) = two_sum(k * ln2_high, h);
    fast_two_sum(sum, rest + k.fma(ln2_low, low))
}

/// `(is_integer, is_odd)`.
#[inline(always)]
fn integer_kind<L: Lane>(y: L) -> (L::Mask, L::Mask) {
    // 2^mantissa: from here on every number is an integer; from twice that, every one is even.
    let power = L::lit(if L::DOUBLE { 4_503_599_627_370_496.0 } else { 8_388_608.0 });
    let a = y.abs();
    let shifted = a + power;
    let large = a.ge(power);
    let is_integer = large | (shifted - power).equals(a);
    let low_bit = L::int_bit(L::int_select(large, a.bits(), shifted.bits()), 0);
    (is_integer, is_integer & low_bit & a.lt(power + power))
}

/// x^y, with C's rules for special cases.
#[inline(always)]
pub fn pow<L: Lane>(x: L, y: L) -> L {
    let (zero, one, infinity) = (L::lit(0.0), L::lit(1.0), L::lit(f64::INFINITY));
    let a = x.abs();
    // A larger exponent changes nothing: |log a| is at least ulp(1)/2 unless a = 1.
    let bound = L::lit(if L::DOUBLE { 1.208925819614629e24 } else { 1_099_511_627_776.0 });
    let magnitude = y.abs();
    // Nor does one that leaves every power at one: 2^-100, 2^-60.
    let least =
        L::lit(if L::DOUBLE { 7.888_609_052_210_118e-31 } else { 8.673_617_379_884_035e-19 });
    let bounded = select(magnitude.gt(bound), bound, select(magnitude.lt(least), zero, magnitude));
    let bounded = bounded.copysign(y);
    let (log, log_low) = log_parts(a);
    let (product, product_error) = two_product(bounded, log);
    let product_low = bounded.fma(log_low, product_error);
    let (lowest, highest) = if L::DOUBLE { (-745.14, 710.0) } else { (-103.98, 89.0) };
    let over = product.gt(L::lit(highest));
    let under = product.lt(L::lit(lowest));
    let exponent = select(over, L::lit(highest), select(under, zero, product));
    let r = reduce(exponent, select(over | under, zero, product_low));
    // Below the lowest exponent the power rounds to zero.
    let ordinary = select(under, zero, (one + (r.high + r.tail)).scale_exponent(r.power));

    // Zero and infinite bases, infinite exponents: 0 or infinity by which way the power goes.
    let grows = !(a.gt(one) ^ y.gt(zero));
    let extreme = select(a.equals(one), one, select(grows, infinity, zero));
    let is_extreme = a.equals(zero) | a.equals(infinity) | magnitude.equals(infinity);
    let value = select(is_extreme, extreme, ordinary);

    let (is_integer, is_odd) = integer_kind(y);
    let negative = x.is_negative();
    let value = select(negative & is_odd, -value, value);
    let undefined = x.lt(zero) & !a.equals(infinity) & !is_integer;
    let value = select(undefined, L::lit(f64::NAN), value);
    let value = select(!(x.is_nan() | y.is_nan()), value, x + y);
    select(x.equals(one) | y.equals(zero), one, value)
}
