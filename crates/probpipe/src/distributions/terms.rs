//! Terms that formulas of several families are made of: powers and logarithms that are right at the
//! ends of a support. No family and no capability is known here.

use super::shapes::HALF_LOG_TAU;
use crate::random::uniform_of;
use probpipe_trace::{Array, DType, Key, Shape, fori_loop, ones_like, select};
use probpipe_transforms::jvp;

/// Uniform numbers between 0 and 1, both excluded: the smallest normal number in place of 0.
#[track_caller]
pub(crate) fn open_uniform_of(dtype: DType, key: Key, shape: &Shape) -> Array {
    let tiny = if dtype == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() };
    uniform_of(dtype, key, shape).maximum(tiny)
}

/// With a last axis for the nodes of a quadrature, which a number needs none for.
#[track_caller]
pub(crate) fn over(x: &Array) -> Array {
    if x.rank() > 0 { x.expand_dims(-1) } else { x.clone() }
}

/// `power * log(x)` for `x >= 0`, and its limits at 0, which have no slope.
#[track_caller]
pub(crate) fn log_power(power: &Array, x: &Array) -> Array {
    let zero = x.eq(0.0);
    select(&zero, limit_of_power(power), power * select(&zero, 1.0, x).log())
}

/// `power * log(1 - x)` for `x <= 1`, and its limits at 1, which have no slope.
#[track_caller]
pub(crate) fn log_power_to_one(power: &Array, x: &Array) -> Array {
    let one = x.eq(1.0);
    select(&one, limit_of_power(power), power * (-select(&one, 0.0, x)).log1p())
}

/// The limit of `power * log(x)` at 0.
#[track_caller]
pub(crate) fn limit_of_power(power: &Array) -> Array {
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

/// `log(1 + y^2)` without overflow: so far out that 1 counts neither beside `y^2` nor beside `|y|`
/// it is `2 log(1 + |y|)`, so one logarithm does for all.
#[track_caller]
pub(crate) fn log1p_square(y: &Array) -> Array {
    let far = y.abs().gt(2f64.powi(60));
    let square = select(&far, 1.0, y).square();
    select(&far, 2.0, 1.0) * select(&far, y.abs(), square).log1p()
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

/// `log(1 - exp(-exp(t)))`, however small `exp(t)` is.
#[track_caller]
pub(crate) fn log1mexp_of_exp(t: &Array) -> Array {
    let small = t.lt(-40.0);
    select(&small, t, select(&small, 0.0, t).exp().log1mexp())
}

/// `log((exp(t) - 1) / t)`, at 0 by its series.
#[track_caller]
pub(crate) fn log_exprel(t: &Array) -> Array {
    let small = t.abs().lt(0.2);
    let s = select(&small, t, 0.0);
    // log(sinh(t/2) / (t/2)) in powers of (t/2)^2: 1/6, -1/180, 1/2835, -1/37800, 1/467775.
    let h = (&s * 0.5).square();
    let series = (&h * (1.0 / 467_775.0) - 1.0 / 37_800.0) * &h + 1.0 / 2835.0;
    let series = ((series * &h - 1.0 / 180.0) * &h + 1.0 / 6.0) * h + s * 0.5;
    let size = select(&small, 1.0, t.abs());
    let far = t.maximum(0.0) + size.log1mexp() - size.log();
    select(&small, series, far)
}

/// `log(1 + t) / t`, at 0 by its series.
#[track_caller]
pub(crate) fn log1p_ratio(t: &Array) -> Array {
    let small = t.abs().lt(1e-2);
    let s = -select(&small, t, 0.0);
    let series = (1..=9).rev().fold(&s * 0.0, |sum, k| sum * &s + 1.0 / f64::from(k));
    let t = select(&small, 1.0, t);
    select(&small, series, t.log1p() / t)
}

/// `(exp(t) - 1) / t`, at 0 by its series.
#[track_caller]
pub(crate) fn expm1_ratio(t: &Array) -> Array {
    let small = t.abs().lt(1e-2);
    let s = select(&small, t, 0.0);
    let series = (2..=8).rev().fold(&s * 0.0 + 1.0, |sum, k| sum * &s / f64::from(k) + 1.0);
    let t = select(&small, 1.0, t);
    select(&small, series, t.expm1() / t)
}

/// Draws whose derivatives in the parameters keep their probability, from the distribution function
/// and the density as functions of the point (M. Figurnov, S. Mohamed, A. Mnih, "Implicit
/// reparameterization gradients", 2018).
#[track_caller]
pub(crate) fn keeping_probability(
    x: &Array,
    cdf: impl Fn(&Array) -> Array,
    density: impl Fn(&Array) -> Array,
) -> Array {
    let x = x.stop_gradient();
    let (level, slope) = (cdf(&x), density(&x).stop_gradient());
    let usable = slope.gt(0.0) & level.is_finite();
    let level = select(&usable, level, 0.0);
    // Zero, with the derivative of the level.
    let moved = &level - level.stop_gradient();
    x - moved / select(&usable, slope, 1.0)
}

/// `atan(b) - atan(a)` for `a < b`, also where they are close or far from 0.
#[track_caller]
pub(crate) fn difference_of_atan(a: &Array, b: &Array) -> Array {
    (b - a).atan2(a * b + 1.0)
}

/// Numbers from 0 to 1, those at the ends moved next to them.
#[track_caller]
pub(crate) fn into_open_unit(x: &Array) -> Array {
    let (tiny, epsilon) = match x.dtype() {
        DType::F64 => (f64::MIN_POSITIVE, f64::EPSILON),
        _ => (f64::from(f32::MIN_POSITIVE), f64::from(f32::EPSILON)),
    };
    x.maximum(tiny).minimum(1.0 - epsilon / 2.0)
}

/// Where a rising function of `x` between `low` and `high` has the value `q`: by halving, then by
/// one step of Newton, which also carries the derivatives. The ends are in the direction of the
/// result; where they are not finite so is it.
#[track_caller]
pub(crate) fn inverted(
    q: &Array,
    low: &Array,
    high: &Array,
    function: impl Fn(&Array) -> Array,
) -> Array {
    let start = (low.stop_gradient() + high * 0.0, high.stop_gradient() + low * 0.0);
    let steps = if start.0.dtype() == DType::F64 { 64 } else { 32 };
    let (low, high) = fori_loop(steps, start, |_, (low, high): (Array, Array)| {
        let middle = (&low + &high) * 0.5;
        let less = function(&middle).lt(q);
        (select(&less, &middle, &low), select(&less, &high, &middle))
    });
    let x = ((low + high) * 0.5).stop_gradient();
    let (value, slope) = jvp(|x: Array| function(&x), x.clone(), ones_like(&x));
    let slope = slope.stop_gradient();
    let steep = slope.gt(0.0) & value.is_finite();
    x + select(&steep, q - value, 0.0) / select(&steep, slope, 1.0)
}

/// `B_2k / (2k)` of Bernoulli's numbers.
const BERNOULLI: [f64; 9] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32_760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
    43_867.0 / 14_364.0,
];

/// The entropy of a gamma distribution of rate 1. Of a large concentration, whose terms would
/// cancel, it is that of a normal number and the rest of Stirling's series (DLMF 5.11.1, 5.11.2).
#[track_caller]
pub(crate) fn gamma_entropy(concentration: &Array) -> Array {
    let large = concentration.gt(10.0);
    let a = select(&large, 1.0, concentration);
    let few = &a + a.lgamma() + (1.0 - &a) * a.digamma();
    let a = &select(&large, concentration, 10.0);
    let r = a.recip();
    let square = r.square();
    let terms = BERNOULLI.iter().enumerate().rev();
    let rest = terms.fold(&r * 0.0, |sum, (k, &c)| {
        let k = k as f64 * 2.0;
        (sum + ((k + 2.0) / (k + 1.0) - &r) * c) * &square
    });
    // Each term had one power of r too many.
    let many = a.log() * 0.5 + (HALF_LOG_TAU + 0.5) - &r * 0.5 + rest * a;
    select(&large, many, few)
}
