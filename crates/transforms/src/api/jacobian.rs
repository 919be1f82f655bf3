//! Matrices of derivatives, by mapping a linear map over a basis.

use super::linear::{linearize, vjp};
use super::vmap::vmap;
use probpipe_trace::{Array, ArrayType, DType, Shape, iota, with_location};
use std::panic::Location;

/// The Jacobian in forward mode, one tangent per element of the argument. Its shape is that of the
/// result followed by that of the argument.
#[track_caller]
pub fn jacfwd(f: impl Fn(Array) -> Array) -> impl Fn(Array) -> Array {
    let location = Location::caller();
    move |x| {
        with_location(location, || {
            let x = typed(x);
            let shape = Shape::from_slice(x.shape());
            let basis = basis(&x);
            let (y, tangent) = linearize(&f, x);
            if y.error().is_some() {
                return y;
            }
            let columns = vmap(tangent)(basis);
            // [in, out...] to [out..., in...]
            let last = columns.move_axis(0, -1);
            last.reshape(joined(y.shape(), &shape))
        })
    }
}

/// The Jacobian in reverse mode, one cotangent per element of the result. Its shape is that of the
/// result followed by that of the argument.
#[track_caller]
pub fn jacrev(f: impl Fn(Array) -> Array) -> impl Fn(Array) -> Array {
    let location = Location::caller();
    move |x| {
        with_location(location, || {
            let x = typed(x);
            let shape = Shape::from_slice(x.shape());
            let (y, pull) = vjp(&f, x);
            if y.error().is_some() {
                return y;
            }
            let rows = vmap(pull)(basis(&y));
            rows.reshape(joined(y.shape(), &shape))
        })
    }
}

/// The matrix of second derivatives of a scalar function of one array, forward over reverse. Its
/// shape is that of the argument twice.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::hessian;
/// let h = hessian(|x: Array| x.powi(3).sum())(array([1.0, 2.0]));
/// assert_eq!(h.to_vec::<f32>()?, [6.0, 0.0, 0.0, 12.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn hessian(f: impl Fn(Array) -> Array) -> impl Fn(Array) -> Array {
    jacfwd(super::grad(f))
}

/// A literal takes its element type.
fn typed(x: Array) -> Array {
    if x.is_literal() { x.cast(x.dtype()) } else { x }
}

fn joined(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// The unit arrays of the shape of `x`, one per element, along a leading axis.
fn basis(x: &Array) -> Array {
    let n = x.size();
    let ty = ArrayType::new(DType::I32, [n, n]);
    let eye = iota(&ty, 0).eq(iota(&ty, 1)).cast(x.dtype());
    eye.reshape(joined(&[n], x.shape()))
}
