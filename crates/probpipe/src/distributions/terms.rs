//! Terms that formulas of several families are made of: powers and logarithms that are right at the
//! ends of a support. No family and no capability is known here.

use crate::random::uniform_of;
use probpipe_trace::{Array, DType, Key, Shape, select};

/// Uniform numbers between 0 and 1, both excluded: the smallest normal number in place of 0.
#[track_caller]
pub(crate) fn open_uniform_of(dtype: DType, key: Key, shape: Shape) -> Array {
    let tiny = if dtype == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() };
    uniform_of(dtype, key, shape).maximum(tiny)
}

/// `power * log(x)` for `x >= 0`, and its limits at 0, which have no slope.
#[track_caller]
pub(crate) fn log_power(power: &Array, x: &Array) -> Array {
    let zero = x.eq(0.0);
    select(&zero, log_power_of_zero(power), power * select(&zero, 1.0, x).log())
}

/// `power * log(1 - x)` for `x <= 1`, and its limits at 1, which have no slope.
#[track_caller]
pub(crate) fn log_power_to_one(power: &Array, x: &Array) -> Array {
    let one = x.eq(1.0);
    select(&one, log_power_of_zero(power), power * (-select(&one, 0.0, x)).log1p())
}

#[track_caller]
fn log_power_of_zero(power: &Array) -> Array {
    let zero = select(&power.is_nan(), power, 0.0);
    let above = select(&power.gt(0.0), f64::NEG_INFINITY, zero);
    select(&power.lt(0.0), f64::INFINITY, above)
}

/// `x^power` for `x >= 0` and a positive power; without slope at 0.
#[track_caller]
pub(crate) fn power_of(x: &Array, power: &Array) -> Array {
    let zero = x.eq(0.0);
    select(&zero, 0.0, select(&zero, 1.0, x).pow(power))
}

/// `log(1 + y^2)` without overflow.
#[track_caller]
pub(crate) fn log1p_square(y: &Array) -> Array {
    let far = y.abs().gt(1e4);
    let large = select(&far, y, 1.0).abs();
    let small = select(&far, 0.0, y);
    select(&far, large.log() * 2.0 + large.square().recip().log1p(), small.square().log1p())
}

/// The logarithm of a probability `p` of which `rest` is what it lacks to 1: exact at both ends,
/// `-inf` where `p` is lost.
#[track_caller]
pub(crate) fn log_of(p: &Array, rest: &Array) -> Array {
    let (none, near) = (p.eq(0.0), p.gt(0.5));
    let small = select(&(&none | &near), 1.0, p).log();
    let large = (-select(&near, rest, 0.0)).log1p();
    select(&none, f64::NEG_INFINITY, select(&near, large, small))
}
