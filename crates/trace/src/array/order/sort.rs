//! Running reductions, sorting, and what is read off ordered arrays. Sums and sorts are ops; the
//! rest is written with them.

use crate::array::elementwise::arithmetic::{select, unary};
use crate::array::indexing::gather::positions;
use crate::array::reduce::reductions::in_numbers;
use crate::array::shape::join::concat;
use crate::array::shape::reshape::resolve_axis;
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::op::elementwise::UnaryOp;
use crate::op::indexing::CumulativeOp;
use crate::tracing::{bind, bind1};
use crate::types::ShapeDisplay;

macro_rules! running {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        impl Array {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, axis: isize) -> Array {
                self.cumulative(CumulativeOp::$op, axis, false)
            }
        )*}
    };
}

running! {
    /// The sum of the elements up to each, along one axis; of truth values in `i32`.
    #[doc(alias = "cumulative_sum")]
    cumsum Sum;
    /// The product of the elements up to each, along one axis.
    #[doc(alias = "cumulative_prod")]
    cumprod Prod;
    /// The largest element up to each, along one axis; NaN from the first NaN on.
    cummax Max;
    /// The smallest element up to each, along one axis; NaN from the first NaN on.
    cummin Min;
}

impl Array {
    /// A running reduction along one axis; with `reverse`, of each element and those after it.
    ///
    /// ```
    /// use probpipe_trace::{array, CumulativeOp};
    /// let x = array([1.0, 2.0, 3.0]);
    /// assert_eq!(x.cumsum(0).to_vec::<f32>()?, [1.0, 3.0, 6.0]);
    /// let rest = x.cumulative(CumulativeOp::Sum, 0, true);
    /// assert_eq!(rest.to_vec::<f32>()?, [6.0, 5.0, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn cumulative(&self, op: CumulativeOp, axis: isize, reverse: bool) -> Array {
        match resolve_axis(op.name(), self, axis, self.rank()) {
            Ok(axis) => {
                let sums = matches!(op, CumulativeOp::Sum | CumulativeOp::Prod);
                let x = if sums { in_numbers(self) } else { self.clone() };
                bind1(Op::Cumulative { op, axis, reverse }, &[&x])
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// `log(cumsum(exp(x)))` along one axis without overflow; with `reverse`, from the end.
    #[track_caller]
    pub fn cumlogsumexp(&self, axis: isize, reverse: bool) -> Array {
        if reverse {
            return self.flip(axis).cumlogsumexp(axis, false).flip(axis);
        }
        let resolved = match resolve_axis("cumlogsumexp", self, axis, self.rank()) {
            Ok(resolved) => resolved,
            Err(error) => return Array::invalid(error, here()),
        };
        let n = self.shape()[resolved];
        let mut y = self.clone();
        // Each round doubles how many elements every entry has taken in.
        let mut step = 1;
        while step < n {
            let both = y.slice_axis(axis, step..n).logaddexp(y.slice_axis(axis, 0..n - step));
            y = concat(&[y.slice_axis(axis, 0..step), both], axis);
            step *= 2;
        }
        y
    }

    /// The elements in ascending order along one axis, NaN last.
    #[track_caller]
    pub fn sort(&self, axis: isize) -> Array {
        match resolve_axis("sort", self, axis, self.rank()) {
            Ok(axis) => bind1(Op::Sort { axis, num_keys: 1 }, &[self]),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The elements in descending order along one axis, NaN first.
    #[track_caller]
    pub fn sort_descending(&self, axis: isize) -> Array {
        self.sort(axis).flip(axis)
    }

    /// The `i32` indices that sort the array along one axis; equal elements keep their order.
    #[track_caller]
    pub fn argsort(&self, axis: isize) -> Array {
        match resolve_axis("argsort", self, axis, self.rank()) {
            Ok(axis) => order_of(std::slice::from_ref(self), axis),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The `i32` indices that bring the array into descending order along one axis, NaN first;
    /// equal elements keep their order.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([1, 3, 3, 2]).argsort_descending(0).to_vec::<i32>()?, [1, 2, 3, 0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn argsort_descending(&self, axis: isize) -> Array {
        match resolve_axis("argsort_descending", self, axis, self.rank()) {
            Ok(resolved) => {
                // Sorted from the end, equal elements come in reverse, and reversed in order.
                let last = i32::try_from(self.shape()[resolved]).unwrap_or(i32::MAX) - 1;
                last - self.flip(axis).argsort(axis).flip(axis)
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The `k` largest elements along the last axis in descending order, NaN first, and their
    /// indices; of equal elements the earlier comes first.
    #[track_caller]
    pub fn top_k(&self, k: usize) -> (Array, Array) {
        let axis = match resolve_axis("top_k", self, -1, self.rank()) {
            Ok(axis) => axis,
            Err(error) => {
                let invalid = Array::invalid(error, here());
                return (invalid.clone(), invalid);
            }
        };
        let keys = if self.dtype().is_float() {
            vec![self.eq(self), -self]
        } else {
            // Negation would overflow at the least number.
            vec![unary(UnaryOp::Not, self)]
        };
        let indices = order_of(&keys, axis).slice_axis(-1, 0..k);
        (self.take_along_axis(&indices, -1), indices)
    }

    /// The index of the first largest element along one axis, as `i32`; of the first NaN if there
    /// is one.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]]);
    /// assert_eq!(x.argmax(1).to_vec::<i32>()?, [1, 0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn argmax(&self, axis: isize) -> Array {
        self.first_equal("argmax", axis, |x| x.max_axes([axis]))
    }

    /// The index of the first smallest element along one axis, as `i32`; of the first NaN if there
    /// is one.
    #[track_caller]
    pub fn argmin(&self, axis: isize) -> Array {
        self.first_equal("argmin", axis, |x| x.min_axes([axis]))
    }

    #[track_caller]
    fn first_equal(&self, name: &str, axis: isize, extreme: impl Fn(&Array) -> Array) -> Array {
        let resolved = match resolve_axis(name, self, axis, self.rank()) {
            Ok(resolved) => resolved,
            Err(error) => return Array::invalid(error, here()),
        };
        let n = self.shape()[resolved];
        if n == 0 {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "`{name}` along axis {axis} of {}{} has no elements",
                    self.dtype(),
                    ShapeDisplay(self.shape())
                ),
            )
            .help("reduce along an axis with entries");
            return Array::invalid(error, here());
        }
        let extreme = extreme(self).expand_dims(resolved as isize);
        // NaN differs from itself.
        let found = self.eq(&extreme) | self.is_nan();
        let last = i32::try_from(n - 1).unwrap_or(i32::MAX);
        select(&found, positions(self.shape(), resolved), last).min_axes([axis])
    }
}

/// The indices that sort by `keys` along `axis`, the first key first.
#[track_caller]
fn order_of(keys: &[Array], axis: usize) -> Array {
    let Some(first) = keys.first() else { return positions(&[0], 0) };
    let places = positions(first.shape(), axis);
    let mut operands: Vec<&Array> = keys.iter().collect();
    operands.push(&places);
    bind1(Op::Sort { axis, num_keys: keys.len() }, &operands)
}

/// Arrays of one shape sorted together along an axis by the first `num_keys` of them: stable,
/// ascending, NaN last.
#[track_caller]
pub fn sort_together(arrays: &[Array], axis: isize, num_keys: usize) -> Vec<Array> {
    let Some(first) = arrays.first() else { return Vec::new() };
    match resolve_axis("sort", first, axis, first.rank()) {
        Ok(axis) => {
            let operands: Vec<&Array> = arrays.iter().collect();
            bind(Op::Sort { axis, num_keys }, &operands).into_iter().collect()
        }
        Err(error) => {
            let invalid = Array::invalid(error, here());
            vec![invalid; arrays.len()]
        }
    }
}

/// Keys in ascending order along an axis, and the values that belong to them.
#[track_caller]
pub fn sort_key_val(keys: &Array, values: &Array, axis: isize) -> (Array, Array) {
    let mut sorted = sort_together(&[keys.clone(), values.clone()], axis, 1).into_iter();
    let missing =
        || Array::invalid(Error::new(ErrorKind::Internal, "a sort lost an array"), here());
    (sorted.next().unwrap_or_else(missing), sorted.next().unwrap_or_else(missing))
}
