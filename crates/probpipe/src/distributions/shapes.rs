//! Shapes of draws and of statistics, and constants of several families.

use probpipe_trace::{Array, DType, Shape};

/// `log(2 pi) / 2`.
pub(crate) const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// The shape `a` followed by `b`.
pub(crate) fn join(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// A statistic spread over the shape that it must have; a literal stays one where that is a scalar.
#[track_caller]
pub(crate) fn spread(statistic: Array, shape: &[usize], dtype: DType) -> Array {
    if statistic.error().is_some() || statistic.shape() == shape {
        return statistic;
    }
    let typed = if statistic.is_weak() { statistic.cast(dtype) } else { statistic };
    typed.broadcast_to(shape)
}
