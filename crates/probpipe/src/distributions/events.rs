//! Points of families of vectors and matrices, and where they are no events of them. Those of
//! families of numbers are in `formulas.rs`.

use crate::constraints::Constraint;
use probpipe_trace::{Array, select};

/// Points as a formula sees them: outside of the support an element of it is in their place.
pub(crate) struct Seen {
    pub(crate) at: Array,
    inside: Array,
    number: Array,
}

impl Seen {
    /// `inner` broadcasts against the points.
    #[track_caller]
    pub(crate) fn new(support: &Constraint, x: &Array, inner: &Array) -> Seen {
        let mut inside = support.check(x);
        let axes: Vec<isize> = (1..=support.event_rank() as isize).map(|axis| -axis).collect();
        let number = !x.is_nan().any_axes(axes);
        let condition = inside.clone();
        for _ in 0..support.event_rank() {
            inside = inside.expand_dims(-1);
        }
        Seen { at: select(&inside, x, inner), inside: condition, number }
    }

    /// The value of a density: `-inf` outside the support, and NaN where a number of `x` is NaN.
    #[track_caller]
    pub(crate) fn density(&self, value: Array) -> Array {
        select(&self.inside, value, select(&self.number, f64::NEG_INFINITY, f64::NAN))
    }
}
