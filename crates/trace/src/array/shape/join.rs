//! Several arrays as one: along an axis that they have, or along a new one.

use crate::array::each::of_one_type;
use crate::array::shape::reshape::resolve_axis;
use crate::context::here;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind1;

/// The arrays of a list that is not empty. Those without an element type take that of the
/// others.
#[track_caller]
fn listed(name: &str, arrays: impl IntoIterator<Item = impl Into<Array>>) -> Result<Vec<Array>> {
    // A loop, because the caller's line does not reach into closures.
    let mut list: Vec<Array> = Vec::new();
    for array in arrays {
        list.push(array.into());
    }
    if list.is_empty() {
        let message = format!("`{name}` needs an array");
        return Err(Error::new(ErrorKind::Shape, message).at(here()).help("give at least one"));
    }
    Ok(of_one_type(&list))
}

/// The arrays of a list, which is not empty, one after another.
#[track_caller]
fn join(name: &str, list: &[Array], axis: isize) -> Array {
    match resolve_axis(name, &list[0], axis, list[0].rank()) {
        Ok(axis) => bind1(Op::Concat { axis }, &list.iter().collect::<Vec<_>>()),
        Err(error) => Array::invalid(error, here()),
    }
}

/// The arrays one after another along `axis`; all their other extents are equal.
///
/// ```
/// use probpipe_trace::{array, concat};
/// let (a, b) = (array([[1.0, 2.0]]), array([[3.0, 4.0]]));
/// assert_eq!(concat([&a, &b], 0).shape(), [2, 2]);
/// assert_eq!(concat([a, b], -1).to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "concatenate")]
#[doc(alias = "append")]
#[doc(alias = "lax.concatenate")]
pub fn concat(arrays: impl IntoIterator<Item = impl Into<Array>>, axis: isize) -> Array {
    match listed("concat", arrays) {
        Ok(list) => join("concat", &list, axis),
        Err(error) => Array::invalid(error, here()),
    }
}

/// Arrays of one shape along a new axis.
///
/// ```
/// use probpipe_trace::{array, stack};
/// let (a, b) = (array([1.0, 2.0]), array([3.0, 4.0]));
/// assert_eq!(stack([&a, &b], 1).to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn stack(arrays: impl IntoIterator<Item = impl Into<Array>>, axis: isize) -> Array {
    let mut list = match listed("stack", arrays) {
        Ok(list) => list,
        Err(error) => return Array::invalid(error, here()),
    };
    for x in &mut list {
        if let Err(error) = resolve_axis("stack", x, axis, x.rank() + 1) {
            return Array::invalid(error, here());
        }
        *x = x.expand_dims(axis);
    }
    join("stack", &list, axis)
}

/// Vectors one after another, other arrays side by side: along the second axis.
///
/// ```
/// use probpipe_trace::{array, hstack, vstack};
/// let (a, b) = (array([1.0, 2.0]), array([3.0, 4.0]));
/// assert_eq!(hstack([&a, &b]).shape(), [4]);
/// assert_eq!(vstack([&a, &b]).shape(), [2, 2]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn hstack(arrays: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list = match listed("hstack", arrays) {
        Ok(list) => list,
        Err(error) => return Array::invalid(error, here()),
    };
    for x in list.iter_mut().filter(|x| x.rank() == 0) {
        *x = x.reshape(1);
    }
    let axis = if list[0].rank() == 1 { 0 } else { 1 };
    join("hstack", &list, axis)
}

/// Arrays one below another, along the first axis; vectors are rows.
#[track_caller]
pub fn vstack(arrays: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list = match listed("vstack", arrays) {
        Ok(list) => list,
        Err(error) => return Array::invalid(error, here()),
    };
    for x in list.iter_mut().filter(|x| x.rank() < 2) {
        *x = x.reshape([1, -1]);
    }
    join("vstack", &list, 0)
}

/// Arrays one behind another, along the third axis: `[n]` is taken as `[1, n, 1]` and `[m, n]` as
/// `[m, n, 1]`.
///
/// ```
/// use probpipe_trace::{array, dstack};
/// let (a, b) = (array([[1.0, 2.0]]), array([[3.0, 4.0]]));
/// assert_eq!(dstack([&a, &b]).to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn dstack(arrays: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list = match listed("dstack", arrays) {
        Ok(list) => list,
        Err(error) => return Array::invalid(error, here()),
    };
    for x in list.iter_mut().filter(|x| x.rank() < 3) {
        *x = if x.rank() < 2 { x.reshape([1, -1, 1]) } else { x.expand_dims(-1) };
    }
    join("dstack", &list, 2)
}

/// Columns of one matrix: vectors, and matrices of several columns.
///
/// ```
/// use probpipe_trace::{array, column_stack};
/// let columns = column_stack([array([1.0, 2.0]), array([3.0, 4.0])]);
/// assert_eq!(columns.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn column_stack(arrays: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list = match listed("column_stack", arrays) {
        Ok(list) => list,
        Err(error) => return Array::invalid(error, here()),
    };
    for x in list.iter_mut().filter(|x| x.rank() < 2) {
        *x = x.reshape([-1, 1]);
    }
    join("column_stack", &list, 1)
}
