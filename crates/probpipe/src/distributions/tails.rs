//! Logarithms of incomplete gamma and beta functions, also where these are too small to be numbers.
//! Those of counts are in `discrete/steps.rs`.

use super::terms::{log_of, log1p_square, over};
use probpipe_trace::{
    Array, DType, arange, betaln, cond, gammainc, gammaincc, here, select, with_location,
};
use std::f64::consts::{LN_2, TAU};

/// The logarithm of the lower incomplete gamma function `P(a, x)`.
#[track_caller]
pub(crate) fn log_gammainc(a: &Array, x: &Array) -> Array {
    let p = gammainc(a, x);
    let lost = too_small(&p) & x.gt(0.0);
    // With `t = x exp(-s)` it is the integral of `exp(-a s - x (exp(-s) - 1))`.
    or_beyond(&lost, log_of(&p, &gammaincc(a, x)), || {
        let (a, x) = (select(&lost, a, 2.0), select(&lost, x, 1.0));
        let (wide_a, wide_x) = (over(&a), over(&x));
        let rest = log_decay(&(&a - &x), |s| -(wide_a * s + wide_x * (-s).expm1()));
        log_power_over_gamma(&a, &x) + rest
    })
}

/// The logarithm of the upper incomplete gamma function `Q(a, x)`.
#[track_caller]
pub(crate) fn log_gammaincc(a: &Array, x: &Array) -> Array {
    let q = gammaincc(a, x);
    let lost = too_small(&q) & x.is_finite();
    // With `t = x (1 + s)` it is the integral of `exp((a - 1) log(1 + s) - x s)`.
    or_beyond(&lost, log_of(&q, &gammainc(a, x)), || {
        let (a, x) = (select(&lost, a, 1.0), select(&lost, x, 2.0));
        let less = &a - 1.0;
        let (power, wide_x) = (over(&less), over(&x));
        let rest = log_decay(&(&x - less), |s| power * s.log1p() - wide_x * s);
        log_power_over_gamma(&a, &x) + rest
    })
}

/// `log(x^a exp(-x) / gamma(a))`, for large `a` relative to its largest value, which is by the
/// series of Stirling (DLMF 5.11.1).
#[track_caller]
pub(crate) fn log_power_over_gamma(a: &Array, x: &Array) -> Array {
    let large = a.ge(16.0);
    let b = select(&large, a, 16.0);
    let off = (x - &b) / &b;
    let near = off.abs().lt(0.5);
    let log = select(&near, select(&near, &off, 0.0).log1p(), (x / &b).log());
    let r = b.recip();
    let square = r.square();
    let terms = [1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];
    let error = terms.iter().fold(-&square / 1680.0, |sum, term| (sum + *term) * &square);
    let error = error / r;
    let of_large = &b * (log - off) + (b.log() - TAU.ln()) * 0.5 - error;
    let a = select(&large, 1.0, a);
    select(&large, of_large, &a * x.log() - x - a.lgamma())
}

/// A point of the unit interval for a beta function: itself, what it lacks to 1, and the logarithms
/// of both.
pub(crate) struct Split {
    pub(crate) x: Array,
    pub(crate) rest: Array,
    pub(crate) log_x: Array,
    pub(crate) log_rest: Array,
}

impl Split {
    /// A number that is rounded to nothing only where it is 0.
    #[track_caller]
    pub(crate) fn new(x: &Array, rest: &Array) -> Split {
        // Logarithms of zero have no slope, nor are they asked for.
        let log = |x: &Array| select(&x.gt(0.0), x, 1.0).log();
        Split { x: x.clone(), rest: rest.clone(), log_x: log(x), log_rest: log(rest) }
    }

    /// `1 / (1 + y^2)`, however large `y` is.
    #[track_caller]
    fn of_square(y: &Array) -> Split {
        let (x, log_x) = ((y.square() + 1.0).recip(), -log1p_square(y));
        let rest = 1.0 - &x;
        Split { x, rest, log_rest: -log1p_square(&y.recip()), log_x }
    }

    pub(crate) fn mirrored(self) -> Split {
        Split { x: self.rest, rest: self.x, log_x: self.log_rest, log_rest: self.log_x }
    }
}

/// The logarithm of an incomplete beta function `I_x(a, b)`, of which the value `p` and what it
/// lacks to 1 are known.
#[track_caller]
pub(crate) fn log_betainc([p, above]: [&Array; 2], [a, b]: [&Array; 2], at: &Split) -> Array {
    // Of a point that is 0 the logarithm is that of 1.
    let lost = too_small(p) & at.log_x.lt(0.0);
    // With `t = x exp(-s)` it is the integral of `exp(-a s) ((1 - x exp(-s)) / (1 - x))^(b - 1)`.
    or_beyond(&lost, log_of(p, above), || {
        let (a, b) = (select(&lost, a, 2.0), select(&lost, b, 1.0));
        let odds = select(&lost, &at.x, 0.5) / select(&lost, &at.rest, 0.5);
        let less = &b - 1.0;
        let (wide_a, wide_odds, power) = (over(&a), over(&odds), over(&less));
        let rest = log_decay(&(&a - &less * odds), |s| {
            power * (-(wide_odds * (-s).expm1())).log1p() - wide_a * s
        });
        let log = |x: &Array| select(&lost, x, -1.0);
        &a * log(&at.log_x) + less * log(&at.log_rest) - betaln(a, b) + rest
    })
}

/// The logarithm of a probability `p` of Student's t, of which `rest` is what it lacks to 1: where
/// it is too small that of what lies beyond `y sqrt(df)` on one side, half a beta function.
#[track_caller]
pub(crate) fn log_student([p, rest]: [&Array; 2], df: &Array, y: &Array) -> Array {
    let far = too_small(p);
    let at = Split::of_square(&select(&far, y, 1.0));
    log_betainc([p, rest], [&(df * 0.5), &0.5.into()], &at) - select(&far, LN_2, 0.0)
}

#[track_caller]
fn too_small(p: &Array) -> Array {
    p.lt(if p.dtype() == DType::F32 && !p.is_weak() { 1e-30 } else { 1e-290 })
}

/// `value`, and where it is `lost` another one, which is computed where there is need of it.
#[track_caller]
pub(crate) fn or_beyond(lost: &Array, value: Array, beyond: impl FnOnce() -> Array) -> Array {
    // What literals alone decide stays open to any type.
    let known = value.is_weak() && !lost.any().item::<bool>().is_ok_and(|lost| lost);
    if known || value.error().is_some() || lost.error().is_some() {
        return value;
    }
    // A caller's line does not pass through a closure by itself.
    with_location(here(), || {
        cond(lost.any(), value, |value: Array| select(lost, beyond(), value), |value: Array| value)
    })
}

/// The logarithm of the integral over `s` from 0 to infinity of the exponential of a function that
/// is 0 at 0 and falls nearly as a line of this slope, which is positive here: the trapezoid rule
/// for `s = exp(v - exp(-v))` (H. Takahasi, M. Mori, "Double exponential formulas for numerical
/// integration", 1974).
#[track_caller]
fn log_decay(slope: &Array, log: impl FnOnce(&Array) -> Array) -> Array {
    const NODES: usize = 49;
    const START: f64 = -3.4;
    const STEP: f64 = 7.15 / 48.0;
    let width = slope.recip().stop_gradient();
    let v = arange(NODES).cast(width.dtype()) * STEP + START;
    let inner = (-&v).exp();
    let s = (v - &inner).exp();
    let weight = &s * (inner + 1.0) * STEP;
    let heights = log(&(s * over(&width))).exp();
    (heights * weight).sum_axes([-1]).log() + width.log()
}
