//! Matrices of derivatives, by mapping a linear map over a basis.

use super::gradient::gradient;
use super::lift;
use super::linear::{linearize_at, vjp_at};
use super::vmap::map;
use probpipe_trace::{Array, ArrayType, DType, Loc, Shape, iota, with_location};
use std::panic::Location;

/// The Jacobian in forward mode, one tangent per element of the argument. Its shape is that of the
/// result followed by that of the argument.
#[track_caller]
pub fn jacfwd(f: impl Fn(Array) -> Array) -> impl Fn(Array) -> Array {
    let location = Location::caller();
    move |x| forward("jacfwd", location, &f, x)
}

fn forward(name: &'static str, location: Loc, f: &impl Fn(Array) -> Array, x: Array) -> Array {
    let x = typed(x);
    let shape = Shape::from_slice(x.shape());
    let basis = basis(&x, location);
    // Not under `with_location`: what `f` does has lines of its own.
    let (y, tangent) = linearize_at(name, location, f, x);
    if y.error().is_some() {
        return y;
    }
    let columns = map(location, &tangent, &0.into(), &0.into(), basis);
    // [in, out...] to [out..., in...]
    with_location(location, || columns.move_axis(0, -1).reshape(joined(y.shape(), &shape)))
}

/// The Jacobian in reverse mode, one cotangent per element of the result. Its shape is that of the
/// result followed by that of the argument.
#[track_caller]
pub fn jacrev(f: impl Fn(Array) -> Array) -> impl Fn(Array) -> Array {
    let location = Location::caller();
    move |x| {
        let x = typed(x);
        let shape = Shape::from_slice(x.shape());
        let (y, pull) = vjp_at("jacrev", location, &f, x);
        if y.error().is_some() {
            return y;
        }
        let rows = map(location, &pull, &0.into(), &0.into(), basis(&y, location));
        with_location(location, || rows.reshape(joined(y.shape(), &shape)))
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
    let location = Location::caller();
    move |x| {
        let slope = |x: Array| gradient("hessian", location, &|x| (f(x), ()), x).1;
        forward("hessian", location, &slope, x)
    }
}

/// A literal takes its element type.
fn typed(x: Array) -> Array {
    if x.is_literal() { lift::typed(&x, x.dtype()) } else { x }
}

fn joined(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// The unit arrays of the shape of `x`, one per element, along a leading axis.
fn basis(x: &Array, location: Loc) -> Array {
    let n = x.size();
    let ty = ArrayType::new(DType::I32, [n, n]);
    with_location(location, || {
        let eye = iota(&ty, 0).eq(iota(&ty, 1)).cast(x.dtype());
        eye.reshape(joined(&[n], x.shape()))
    })
}
