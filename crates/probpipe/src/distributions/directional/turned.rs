//! Directions about an axis: how far a draw lies along it, by attempts where nothing better is
//! known, and the rest in all directions alike. Which distribution is asked for is not known here.

use crate::distributions::shapes::join;
use crate::random::normal_of;
use probpipe_trace::{Array, DType, Keep, Key, concat, select, while_loop};

/// The first candidate that is accepted, for all elements together: those that are done go on
/// trying until the last is, and the last that they accept counts.
#[track_caller]
pub(super) fn first_accepted(
    key: Key,
    start: Array,
    attempt: impl Fn(Key) -> (Array, Array),
) -> Array {
    let open = start.is_nan() & false;
    let (found, ..) = while_loop(
        |(_, done, _): (Array, Array, Key)| (!done).any(),
        |(found, done, key)| {
            let (now, key) = key.split();
            let (accepted, candidate) = attempt(now);
            (select(&accepted, candidate, found), done | accepted, key)
        },
        (start, open, key),
    );
    found
}

/// Numbers of a batch beside its vectors.
#[track_caller]
pub(super) fn beside(x: &Array) -> Array {
    if x.rank() > 0 { x.expand_dims(-1) } else { x.clone() }
}

/// `x` of length 1.
#[track_caller]
pub(super) fn direction(x: &Array) -> Array {
    // Scaled first, so that squares are numbers.
    let largest = x.abs().max_axes(Keep([-1])).stop_gradient();
    let x = x / select(&largest.gt(0.0), &largest, 1.0);
    &x / x.square().sum_axes(Keep([-1])).sqrt()
}

/// Vectors of length 1 whose part along `axis`, of length 1 too, is `along`, and whose rest has
/// any direction: made about the first axis and reflected onto the wanted one (A. S. Householder,
/// 1958).
#[track_caller]
pub(super) fn about(dtype: DType, key: Key, axis: &Array, along: &Array) -> Array {
    let d = axis.shape().last().copied().unwrap_or(1);
    let across = direction(&normal_of(dtype, key, join(along.shape(), &[d - 1])));
    let along = along.expand_dims(-1);
    let rest = ((1.0 - &along) * (1.0 + &along)).maximum(0.0).sqrt();
    let x = concat([along, across * rest], -1);
    let pole = concat(
        [
            Array::from(1.0).cast(dtype).broadcast_to([1]),
            Array::from(0.0).cast(dtype).broadcast_to([d - 1]),
        ],
        -1,
    );
    let mirror = pole - axis;
    let square = mirror.square().sum_axes(Keep([-1]));
    // Nothing is reflected where the axis is the first one.
    let still = square.eq(0.0);
    let scale = select(&still, 0.0, 2.0) / select(&still, 1.0, square);
    let part = (&x * &mirror).sum_axes(Keep([-1]));
    x - mirror * (part * scale)
}
