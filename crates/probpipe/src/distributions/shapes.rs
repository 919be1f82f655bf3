//! Shapes of draws and of statistics, and constants of several families.

use probpipe_trace::{Array, DType, Shape};

/// `log(2 pi) / 2`.
pub(crate) const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// The shape `a` followed by `b`.
pub(crate) fn join(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// Whether a batch shape is what is left of that of invalid parameters, without the axes of an
/// event, of which there are two at most: then the error is that of the distribution, and not one
/// of shapes that do not fit.
pub(crate) fn is_lost(batch: &[usize]) -> bool {
    batch.len() + 2 >= Array::NO_SHAPE.len() && batch.iter().all(|&n| n == 0)
}

/// A statistic spread over the shape that it must have, in the type that the parameters decide.
#[track_caller]
pub(crate) fn spread(statistic: Array, shape: &[usize], decided: Option<DType>) -> Array {
    if statistic.error().is_some() {
        return statistic;
    }
    let typed = match decided {
        Some(dtype) => statistic.in_dtype(dtype),
        None => statistic,
    };
    if typed.shape() == shape { typed } else { typed.broadcast_to(shape) }
}
