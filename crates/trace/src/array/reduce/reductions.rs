//! The reductions that are ops.

use crate::array::reduce::axes::{Over, reductions};
use crate::dtype::DType;
use crate::handle::Array;
use crate::op::Op;
use crate::op::structural::ReduceOp;
use crate::tracing::bind1;

#[track_caller]
pub(crate) fn reduce(op: ReduceOp, x: &Array, over: &Over) -> Array {
    bind1(Op::Reduce { op, axes: over.axes.clone() }, &[x])
}

/// Truth values count as numbers.
#[track_caller]
pub(crate) fn in_numbers(x: &Array) -> Array {
    if x.error().is_none() && x.dtype() == DType::Bool { x.cast(DType::I32) } else { x.clone() }
}

/// The sum over axes, which vanish.
#[track_caller]
pub(crate) fn sum(x: &Array, over: &Over) -> Array {
    reduce(ReduceOp::Sum, x, over)
}

/// The largest over axes, which vanish.
#[track_caller]
pub(crate) fn max(x: &Array, over: &Over) -> Array {
    reduce(ReduceOp::Max, x, over)
}

reductions! {
    /// The sum of the elements; 0 for none. Truth values are in_numbers, in `i32`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum().item::<f32>()?, 10.0);
    /// assert_eq!(x.sum_axes(1).to_vec::<f32>()?, [3.0, 7.0]);
    /// assert_eq!(x.gt(1.5).sum().item::<i32>()?, 3);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[doc(alias = "lax.reduce_sum")]
    sum sum_axes |x, over| sum(&in_numbers(x), over);
    /// The product of the elements; 1 for none.
    #[doc(alias = "lax.reduce_prod")]
    prod prod_axes |x, over| reduce(ReduceOp::Prod, &in_numbers(x), over);
    /// The largest element; NaN if any is NaN.
    #[doc(alias = "amax")]
    #[doc(alias = "lax.reduce_max")]
    max max_axes max;
    /// The smallest element; NaN if any is NaN.
    #[doc(alias = "amin")]
    #[doc(alias = "lax.reduce_min")]
    min min_axes |x, over| reduce(ReduceOp::Min, x, over);
    /// Whether all elements are true.
    #[doc(alias = "lax.reduce_and")]
    all all_axes |x, over| reduce(ReduceOp::And, x, over);
    /// Whether any element is true.
    #[doc(alias = "lax.reduce_or")]
    any any_axes |x, over| reduce(ReduceOp::Or, x, over);
}
