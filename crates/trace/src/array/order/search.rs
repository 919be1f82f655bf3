//! Finding places in sorted vectors by halving, and what is read off them.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{select, unary};
use crate::array::make::fill::full_typed;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::op::elementwise::UnaryOp;
use crate::tracing::bind1;
use crate::types::ArrayType;

/// Vectors of up to so many elements are compared with each value: no more work than halving.
const FEW: usize = 8;

/// Where each value would be inserted into the sorted vector so that it stays sorted, before equal
/// elements, or after them with `right`, as `i32`; NaN comes after all numbers. The work grows with
/// the logarithm of the length.
///
/// ```
/// use probpipe_trace::{array, searchsorted};
/// let at = searchsorted(&array([1.0, 2.0, 2.0, 3.0]), array([0.0, 2.0, 9.0]), false);
/// assert_eq!(at.to_vec::<i32>()?, [0, 1, 4]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn searchsorted(sorted: &Array, values: impl Into<Array>, right: bool) -> Array {
    let values = values.into();
    let checked = || -> Result<()> {
        values.ty()?;
        let ty = sorted.ty()?;
        if ty.rank() == 1 && i32::try_from(ty.size()).is_ok() {
            return Ok(());
        }
        let what =
            format!("`searchsorted` searches a vector of up to 2147483647 elements, not {ty}");
        Err(Error::new(ErrorKind::Shape, what).help("search row by row with `vmap`"))
    };
    match checked() {
        Err(error) => Array::invalid(error.at(here()), here()),
        Ok(()) => in_each(&[sorted, &values], |x| counted(&x[0], &x[1], right)),
    }
}

/// How many elements of the sorted vector come before each value.
#[track_caller]
fn counted(sorted: &Array, values: &Array, right: bool) -> Array {
    let values = if values.is_weak() { values.in_dtype(sorted.dtype()) } else { values.clone() };
    // In the order of `sort`, where NaN is above all.
    let less = |a: &Array, b: &Array| {
        if sorted.dtype().is_float() { a.lt(b) | (b.is_nan() & a.eq(a)) } else { a.lt(b) }
    };
    let before = |x: &Array, v: &Array| {
        if right { unary(UnaryOp::Not, &less(v, x)) } else { less(x, v) }
    };
    let n = sorted.size();
    if n <= FEW {
        let v = values.expand_dims(values.rank() as isize);
        return before(sorted, &v).cast(DType::I32).sum_axes([-1]);
    }
    // Of the places that are left, the first, and how many they are.
    let mut first = full_typed(&ArrayType::new(DType::I32, values.shape()), 0);
    let mut left = n as i32;
    let comes = |at: &Array| before(&bind1(Op::Gather { batch: 0 }, &[sorted, at]), &values);
    while left > 1 {
        let half = left / 2;
        first = select(&comes(&(&first + (half - 1))), &first + half, &first);
        left -= half;
    }
    &first + comes(&first).cast(DType::I32)
}

impl Array {
    /// Whether each element is among `values`, which have any shape; NaN is not.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let found = array([[1, 5], [2, 7]]).isin(array([2, 5, 9]));
    /// assert_eq!(found.to_vec::<bool>()?, [false, true, true, false]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn isin(&self, values: impl Into<Array>) -> Array {
        let values = values.into();
        let values = if values.is_literal() { values } else { values.flatten() };
        if values.error().is_some() || values.size() <= 4 * FEW {
            return self.expand_dims(-1).eq(values).any_axes(-1);
        }
        in_each(&[self, &values], |x| {
            let sorted = x[1].sort(0);
            // Elements beyond the last are compared with it.
            let at = searchsorted(&sorted, &x[0], false).minimum((sorted.size() - 1) as i32);
            x[0].eq(bind1(Op::Gather { batch: 0 }, &[&sorted, &at]))
        })
    }
}
