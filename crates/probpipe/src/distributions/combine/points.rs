//! Points of densities that are made of others: where they lie outside of a support, an element of
//! it in their place, so that no value or slope out there spoils what is computed of many.

use crate::bijectors::{Bijector, biject_to};
use crate::constraints::Constraint;
use probpipe_trace::{Array, select, zeros_of};

/// The sum over the last `n` axes.
#[track_caller]
pub(super) fn sum_last(x: Array, n: usize) -> Array {
    if n == 0 || x.error().is_some() { x } else { x.sum_axes(last_axes(n)) }
}

/// Whether all along the last `n` axes are true.
#[track_caller]
pub(super) fn all_last(x: Array, n: usize) -> Array {
    if n == 0 || x.error().is_some() { x } else { x.all_axes(last_axes(n)) }
}

fn last_axes(n: usize) -> Vec<isize> {
    (1..=n as isize).map(|axis| -axis).collect()
}

/// A condition on events as one on their numbers.
#[track_caller]
pub(super) fn over_event(condition: &Array, rank: usize) -> Array {
    (0..rank).fold(condition.clone(), |condition, _| condition.expand_dims(-1))
}

/// Elements of a set in place of those of `x` where a condition on events does not hold. Of sets
/// of vectors of integers, which have no element that is known, `x` itself.
#[track_caller]
pub(super) fn kept(support: &Constraint, x: &Array, condition: &Array, rank: usize) -> Array {
    let inner = support.inner().or_else(|| {
        let onto = biject_to(support).ok()?;
        let shape = onto.inverse_shape(x.shape()).ok()?;
        Some(onto.forward(&zeros_of(x.dtype(), shape)))
    });
    match inner {
        Some(inner) => select(&over_event(condition, rank), x, inner.stop_gradient()),
        None => x.clone(),
    }
}

/// Whether each event of `x` lies in a set; of a set of lower rank, whether all its elements do.
#[track_caller]
pub(super) fn inside(support: &Constraint, x: &Array, rank: usize) -> Array {
    all_last(support.check(x), rank.saturating_sub(support.event_rank()))
}

/// A density where an event is inside, `-inf` elsewhere, and NaN where one of its numbers is NaN.
#[track_caller]
pub(super) fn within(inside: &Array, density: Array, x: &Array, rank: usize) -> Array {
    let number = !all_last(!x.is_nan(), rank);
    select(inside, density, select(&number, f64::NAN, f64::NEG_INFINITY))
}
