//! Matrices of derivatives, by mapping a linear map over a basis.

use super::gradient::gradient;
use super::lift::transform_error;
use super::linear::{linearize_at, vjp_at};
use super::vmap::map;
use probpipe_trace::{
    Array, ArrayType, DType, Error, Loc, Nest, Shape, Tree, iota, with_location, zeros,
};
use std::panic::Location;

/// The Jacobian in forward mode, one tangent per element of the argument. The result has the
/// structure of that of `f`, with a tree like the argument at each leaf; each of these arrays has
/// the shape of the result's leaf followed by that of the argument's.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::jacfwd;
/// let f = |(x, t): (Array, Array)| (x.sin() * &t, t.square());
/// let ((yx, yt), (zx, zt)) = jacfwd(f)((array([0.0, 0.0]), array(3.0)));
/// assert_eq!((yx.shape(), yt.shape()), (&[2, 2][..], &[2][..]));
/// assert_eq!((zx.shape(), zt.shape()), (&[2][..], &[][..]));
/// assert_eq!(yx.to_vec::<f32>()?, [3.0, 0.0, 0.0, 3.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn jacfwd<A: Tree, R: Nest>(f: impl Fn(A) -> R) -> impl Fn(A) -> R::Of<A> {
    let location = Location::caller();
    move |x| forward("jacfwd", location, &f, x)
}

fn forward<A: Tree, R: Nest>(
    name: &'static str,
    location: Loc,
    f: &impl Fn(A) -> R,
    x: A,
) -> R::Of<A> {
    let x = typed(x);
    let like = x.map(Array::clone);
    // Not under `with_location`: what `f` does has lines of its own.
    let (y, tangent) = linearize_at(name, location, f, x);
    if let Some(error) = fault(&y) {
        return refused(&y, &like, &error, location);
    }
    let columns = map(location, &tangent, &0.into(), &0.into(), basis(&like, location)).leaves();
    let (inputs, outputs) = (like.leaves(), y.leaves());
    let mut block = columns.iter().zip(&outputs);
    y.nest(&mut || {
        let Some((columns, y)) = block.next() else { return like.map(Array::clone) };
        // [in, out...] to [out..., in...]
        with_location(location, || {
            let mut start = 0;
            let mut parts = inputs.iter().map(|x| {
                let (from, to) = (start, start + x.size());
                start = to;
                let part = columns.slice_axis(0, from..to).move_axis(0, -1);
                part.reshape(joined(y.shape(), x.shape()))
            });
            like.map(|x| parts.next().unwrap_or_else(|| x.clone()))
        })
    })
}

/// The Jacobian in reverse mode, one cotangent per element of the result, which must be floats; as
/// [`jacfwd`] gives it.
#[track_caller]
#[doc(alias = "jax.jacobian")]
pub fn jacrev<A: Tree, R: Nest>(f: impl Fn(A) -> R) -> impl Fn(A) -> R::Of<A> {
    let location = Location::caller();
    move |x| {
        let x = typed(x);
        let like = x.map(Array::clone);
        let (y, pull) = vjp_at("jacrev", location, &f, x);
        let integer = y.leaves().iter().find_map(|y| y.ty().ok().filter(|ty| !ty.dtype.is_float()));
        let integer = integer.map(|ty| {
            let message = format!("`jacrev` differentiates a function that gives floats, not {ty}");
            transform_error(location, message, "convert the result with `.cast(DType::F32)`")
        });
        if let Some(error) = fault(&y).or(integer) {
            return refused(&y, &like, &error, location);
        }
        let rows = map(location, &pull, &0.into(), &0.into(), basis(&y, location)).leaves();
        let (outputs, mut start) = (y.leaves(), 0);
        let mut output = outputs.iter();
        y.nest(&mut || {
            let Some(y) = output.next() else { return like.map(Array::clone) };
            let (from, to) = (start, start + y.size());
            start = to;
            with_location(location, || {
                let mut rows = rows.iter();
                like.map(|x| match rows.next() {
                    Some(rows) => {
                        rows.slice_axis(0, from..to).reshape(joined(y.shape(), x.shape()))
                    }
                    None => x.clone(),
                })
            })
        })
    }
}

/// The matrix of second derivatives of a scalar function, forward over reverse: a tree like the
/// argument at each of the argument's leaves. Of one array its shape is that of the argument twice.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::hessian;
/// let h = hessian(|x: Array| x.powi(3).sum())(array([1.0, 2.0]));
/// assert_eq!(h.to_vec::<f32>()?, [6.0, 0.0, 0.0, 12.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn hessian<A: Nest>(f: impl Fn(A) -> Array) -> impl Fn(A) -> A::Of<A> {
    let location = Location::caller();
    move |x| {
        let slope = |x: A| gradient("hessian", location, &|x| (f(x), ()), x).1;
        forward("hessian", location, &slope, x)
    }
}

fn fault<T: Tree>(tree: &T) -> Option<Error> {
    tree.leaves().iter().find_map(|a| a.error().cloned())
}

/// The error in every block.
fn refused<A: Tree, R: Nest>(y: &R, x: &A, error: &Error, location: Loc) -> R::Of<A> {
    y.nest(&mut || x.map(|_| Array::invalid(error.clone(), location)))
}

/// What has no element type takes its default: it is that of the basis, too.
fn typed<A: Tree>(x: A) -> A {
    x.map(Array::decided)
}

fn joined(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// The unit trees like `x`, one per element of all its leaves, along a leading axis.
fn basis<T: Tree>(x: &T, location: Loc) -> T {
    let total: usize = x.leaves().iter().map(Array::size).sum();
    let mut start = 0;
    with_location(location, || {
        x.map(|x| {
            let n = x.size();
            let ty = ArrayType::new(DType::I32, [total, n]);
            let eye = if ty.size() == 0 {
                zeros([total, n])
            } else {
                iota(&ty, 0).eq(iota(&ty, 1) + start as i32)
            };
            start += n;
            eye.cast(x.dtype()).reshape(joined(&[total], x.shape()))
        })
    })
}
