//! Modes of counts: the greatest count that is no less probable than the one before it. Which
//! that is, is a comparison of two products, since the ratio of neighbouring probabilities is one
//! of polynomials; it is decided without rounding. A mode does not move with small changes of the
//! parameters, and has no derivative.

use super::masses::rounding_of_product;
use probpipe_trace::{Array, select};

/// The greatest whole `k` with `rises(k)`, which holds up to some point: near it is `start`, of
/// which the part after the point is lost and the last digit may be.
#[track_caller]
pub(super) fn last_rise(start: &Array, rises: impl Fn(&Array) -> Array) -> Array {
    let k = start.stop_gradient().floor();
    let (fewer, more) = (&k - 1.0, &k + 1.0);
    select(&rises(&more), more, select(&rises(&k), &k, fewer))
}

/// Whether `a b <= c d`, of pairs of numbers.
#[track_caller]
pub(super) fn at_most([a, b]: [&Array; 2], [c, d]: [&Array; 2]) -> Array {
    let [a, b, c, d] = [a, b, c, d].map(Array::stop_gradient);
    let rounding = rounding_of_product(&c, &d) - rounding_of_product(&a, &b);
    (c * d - a * b + rounding).ge(0.0)
}

/// What is left of a shape less 1; a shape of at most 1 makes counts fall from 0 on.
#[track_caller]
pub(super) fn excess(shape: &Array) -> Array {
    (shape - 1.0).maximum(0.0)
}

/// 1 where it is the more probable of two, which is so above `half`, else 0; NaN of NaN.
#[track_caller]
pub(super) fn likelier(of: &Array, half: f64) -> Array {
    let of = of.stop_gradient();
    select(&of.gt(half), 1.0, select(&of.le(half), 0.0, &of))
}

/// 0; NaN of NaN.
#[track_caller]
pub(super) fn none(of: &Array) -> Array {
    let of = of.stop_gradient();
    select(&of.is_nan(), &of, 0.0)
}

/// The first of the categories of the largest weights, `[..., n]`; NaN where a weight is.
#[track_caller]
pub(super) fn category(weights: &Array) -> Array {
    let weights = weights.stop_gradient();
    if weights.error().is_some() || weights.rank() == 0 {
        return weights;
    }
    let unknown = weights.is_nan().any_axes([-1]);
    select(&unknown, f64::NAN, weights.argmax(-1).cast(weights.dtype()))
}
