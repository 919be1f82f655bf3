//! What bijectors share: shapes that fit or do not, sums over axes of events, the ends of sets of
//! numbers and where an increasing function takes them.

use super::Bijector;
use crate::constraints::Constraint;
use probpipe_trace::{Array, Error, ErrorKind, Result, Shape, ShapeDisplay, here, with_location};
use std::mem::discriminant;

/// What `f` makes of an array whose shape fits; the error of the shape where it does not.
#[track_caller]
pub(super) fn fitted(
    x: &Array,
    shape: impl FnOnce(&[usize]) -> Result<Shape>,
    f: impl FnOnce(&Array) -> Array,
) -> Array {
    if x.error().is_some() {
        return x.clone();
    }
    let location = here();
    match shape(x.shape()) {
        Ok(_) => with_location(location, || f(x)),
        Err(error) => {
            Array::invalid(error.note("the array was made", Some(x.location())), location)
        }
    }
}

/// The fault of a shape: what the bijector takes, and what it was given.
pub(super) fn misfit(takes: &str, shape: &[usize], help: &str) -> Error {
    let message = format!("{takes}, not an array of shape {}", ShapeDisplay(shape));
    Error::new(ErrorKind::Shape, message).help(help)
}

/// A shape with its last axis replaced by axes of these extents.
pub(super) fn replaced(shape: &[usize], by: &[usize]) -> Shape {
    shape[..shape.len() - 1].iter().chain(by).copied().collect()
}

/// The sum over the last `n` axes.
#[track_caller]
pub(super) fn sum_last(x: Array, n: usize) -> Array {
    if n == 0 { x } else { x.sum_axes((1..=n as isize).map(|axis| -axis).collect::<Vec<_>>()) }
}

/// The ends of a set of numbers, where it has any. Those of vectors are of numbers where that is
/// all they say.
#[track_caller]
pub(crate) fn ends(of: &Constraint) -> (Option<Array>, Option<Array>) {
    let number = |x: f64| Some(Array::from(x));
    let (low, high) = match of {
        Constraint::Positive
        | Constraint::NonNegative
        | Constraint::PositiveVector
        | Constraint::PositiveOrderedVector => (number(0.0), None),
        Constraint::UnitInterval | Constraint::OpenUnitInterval | Constraint::Simplex => {
            (number(0.0), number(1.0))
        }
        Constraint::Circular => (number(-std::f64::consts::PI), number(std::f64::consts::PI)),
        Constraint::AtLeast(low) | Constraint::GreaterThan(low) => (Some(low.clone()), None),
        Constraint::Below(high) => (None, number(*high)),
        Constraint::AtMost(high) => (None, Some(high.clone())),
        Constraint::Interval(low, high) => (Some(low.clone()), Some(high.clone())),
        _ => (None, None),
    };
    (low.filter(bounded), high.filter(bounded))
}

/// Whether an array is not known to be infinite.
fn bounded(x: &Array) -> bool {
    let numbers = x.known().and_then(|value| value.to_scalars().ok());
    !numbers.is_some_and(|all| all.iter().any(|v| v.as_f64().is_infinite()))
}

/// The set of numbers between two ends.
pub(crate) fn between(low: Option<Array>, high: Option<Array>) -> Constraint {
    match (low.filter(bounded), high.filter(bounded)) {
        (None, None) => Constraint::Real,
        (Some(low), None) => Constraint::AtLeast(low),
        (None, Some(high)) => Constraint::AtMost(high),
        (Some(low), Some(high)) => Constraint::Interval(low, high),
    }
}

/// What an increasing function of numbers makes of a set.
#[track_caller]
pub(super) fn increasing(f: &dyn Bijector, of: &Constraint) -> Constraint {
    let location = here();
    with_location(location, || {
        let codomain = f.codomain();
        match (of, &codomain) {
            (Constraint::RealVector, Constraint::Positive) => return Constraint::PositiveVector,
            (Constraint::OrderedVector, Constraint::Positive) => {
                return Constraint::PositiveOrderedVector;
            }
            (Constraint::RealVector | Constraint::OrderedVector, Constraint::Real) => {
                return of.clone();
            }
            _ => {}
        }
        let (low, high) = ends(of);
        if (low.is_none() && high.is_none()) || discriminant(of) == discriminant(&f.domain()) {
            return codomain;
        }
        let (least, most) = ends(&codomain);
        between(
            low.map(|low| f.forward(&low)).or(least),
            high.map(|high| f.forward(&high)).or(most),
        )
    })
}
