//! Reductions over all or some axes. Negative axes count from the last.

use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::handle::Array;
use crate::op::Op;
use crate::op::structural::ReduceOp;
use crate::tracing::bind1;
use crate::types::Axes;

#[track_caller]
fn reduce(op: ReduceOp, x: &Array, axes: Option<&[isize]>) -> Array {
    let axes: Axes = match axes {
        None => (0..x.rank()).collect(),
        Some(axes) => match resolve_axes(op.name(), x, axes) {
            Ok(axes) => axes,
            Err(error) => return Array::invalid(error, here()),
        },
    };
    bind1(Op::Reduce { op, axes }, &[x])
}

macro_rules! reductions {
    ($($op:ident $all:ident $some:ident $doc:literal;)*) => {
        impl Array {$(
            #[doc = $doc]
            #[track_caller]
            pub fn $all(&self) -> Array {
                reduce(ReduceOp::$op, self, None)
            }

            #[doc = $doc]
            /// Over the given axes only; they vanish from the shape.
            #[track_caller]
            pub fn $some(&self, axes: impl AsRef<[isize]>) -> Array {
                reduce(ReduceOp::$op, self, Some(axes.as_ref()))
            }
        )*}
    };
}

reductions! {
    Sum sum sum_axes "The sum of the elements; 0 for none.";
    Prod prod prod_axes "The product of the elements; 1 for none.";
    Max max max_axes "The largest element; NaN if any is NaN.";
    Min min min_axes "The smallest element; NaN if any is NaN.";
    And all all_axes "Whether all elements are true.";
    Or any any_axes "Whether any element is true.";
}

impl Array {
    /// The mean of the elements; NaN for none. Of whole numbers and truth values a float.
    #[track_caller]
    pub fn mean(&self) -> Array {
        let axes: Vec<isize> = (0..self.rank() as isize).collect();
        self.mean_axes(axes)
    }

    /// The mean over the given axes, which vanish from the shape.
    #[track_caller]
    pub fn mean_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        match resolve_axes("mean", self, axes) {
            Ok(resolved) => {
                let count: usize = resolved.iter().map(|&a| self.shape()[a]).product();
                self.to_float().sum_axes(axes) / count as f64
            }
            Err(error) => Array::invalid(error, here()),
        }
    }
}
