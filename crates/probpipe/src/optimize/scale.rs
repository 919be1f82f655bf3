//! Numbers that searches divide by and scale with.

use probpipe_trace::{Array, select};

/// A number of the element type of another.
pub(super) fn number(like: &Array, value: f64) -> Array {
    Array::from(value).cast(like.dtype())
}

/// A step against the gradient that is no longer than 1, over the gradient: nothing is known of how
/// far the function goes on as it does here.
#[track_caller]
pub(super) fn first_scale(gradient: &Array) -> Array {
    let largest = positive(&gradient.abs().max());
    let length = positive(&(gradient / &largest).norm());
    (1.0 / largest / length).minimum(1.0).stop_gradient()
}

/// The number, or one where it is not positive and its quotient is not used.
pub(super) fn positive(x: &Array) -> Array {
    select(&x.gt(0.0), x, number(x, 1.0))
}
