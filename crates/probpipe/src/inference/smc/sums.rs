//! What is read off the logarithms of weights.

use probpipe_trace::{Array, here, select, with_location};

/// Weights in units of the largest: 0 for those of none, also where all are.
#[track_caller]
pub(super) fn relative(log_weights: &Array) -> Array {
    let top = log_weights.max();
    let top = select(&top.eq(f64::NEG_INFINITY), 0.0, &top);
    (log_weights - top).exp()
}

/// How many draws of equal weights would estimate as well as those of the logarithms of weights
/// `[n]`: `(sum w)^2 / sum w^2` (A. Kong, J. S. Liu, W. H. Wong, 1994). Between 1 and `n`, which
/// it is of equal weights; 0 if no weight is above zero, NaN if one is NaN or infinite.
///
/// ```
/// use probpipe::inference::smc::effective_sample_size;
/// use probpipe::prelude::*;
/// let none = f32::NEG_INFINITY;
/// assert_eq!(effective_sample_size(&array([-7.0, -7.0, none])).item::<f32>()?, 2.0);
/// assert_eq!(effective_sample_size(&array([none, none])).item::<f32>()?, 0.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn effective_sample_size(log_weights: &Array) -> Array {
    with_location(here(), || {
        let w = relative(log_weights);
        let (sum, squares) = (w.sum(), w.square().sum());
        let some = sum.ne(0.0);
        select(&some, &sum * (&sum / select(&some, squares, 1.0)), 0.0)
    })
}

/// The mean along the first axis by weights `[n]` that add up to 1. What has no weight does not
/// count, also where it is infinite.
#[track_caller]
pub(super) fn weighted_mean(x: &Array, weights: &Array) -> Array {
    let x = if x.dtype().is_float() { x.clone() } else { x.cast(weights.dtype()) };
    let w = (1..x.rank()).fold(weights.clone(), |w, _| w.expand_dims(-1));
    (select(&w.eq(0.0), 0.0, x) * w).sum_axes([0])
}
