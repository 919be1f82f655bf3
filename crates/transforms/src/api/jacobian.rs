//! Matrices of derivatives, by mapping a linear map over a basis.

use super::gradient::gradient;
use super::lift::{Function, transform_error};
use super::linear::{Point, Pull};
use super::vmap::map;
use probpipe_trace::{
    Array, ArrayType, DType, Error, Flat, Loc, Nest, Shape, Shell, Structure, Tree, iota,
    last_resort, on_flat, with_location, zeros,
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
    move |x: A| nested(location, &f, x, &|f, x| forward("jacfwd", location, f, x))
}

/// A Jacobian: the value of the function, and a block like the argument for each leaf of it.
struct Jacobian {
    y: Flat,
    input: Structure,
    blocks: Vec<Vec<Array>>,
    location: Loc,
}

impl Jacobian {
    /// The blocks in the place of the leaves of a tree like the value.
    fn nest<A: Tree, R: Nest>(self, y: &R) -> R::Of<A> {
        let Jacobian { input, blocks, location, .. } = self;
        let mut blocks = blocks.into_iter();
        y.nest(&mut || {
            let block = Flat::new(input.clone(), blocks.next().unwrap_or_default(), location);
            block.tree::<A>(location).unwrap_or_else(|error| last_resort(&error))
        })
    }

    /// The error in every block.
    fn refused(y: Flat, x: &Flat, error: &Error, location: Loc) -> Jacobian {
        let block = Flat::invalid(&x.structure, error, location);
        let blocks = vec![block.leaves; y.leaves.len()];
        Jacobian { y, input: block.structure, blocks, location }
    }
}

/// The Jacobian of a function on trees by what takes it on leaves.
fn nested<A: Tree, R: Nest>(
    location: Loc,
    f: &dyn Fn(A) -> R,
    x: A,
    core: &dyn Fn(Function<'_>, Flat) -> Jacobian,
) -> R::Of<A> {
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let jacobian = core(&shell.on(f), flat);
    let y = shell.result(f, jacobian.y.clone());
    jacobian.nest(&y)
}

fn forward(name: &'static str, location: Loc, f: Function<'_>, x: Flat) -> Jacobian {
    let x = x.typed();
    // Not under `with_location`: what `f` does has lines of its own.
    let (y, point) = Point::at(name, location, f, &x);
    if let Some(error) = y.error() {
        let error = error.clone();
        return Jacobian::refused(y, &x, &error, location);
    }
    let push = |dx: Flat| point.push(&dx);
    let columns = map(location, &push, &0.into(), &0.into(), basis(&x, location)).leaves;
    // [in, out...] to [out..., in...]
    let block = |(columns, y): (&Array, &Array)| {
        let mut start = 0;
        let part = |x: &Array| {
            let (from, to) = (start, start + x.size());
            start = to;
            let part = columns.slice_axis(0, from..to).move_axis(0, -1);
            part.reshape(joined(y.shape(), x.shape()))
        };
        x.leaves.iter().map(part).collect()
    };
    let blocks = || columns.iter().zip(&y.leaves).map(block).collect();
    let blocks = with_location(location, blocks);
    Jacobian { y, input: x.structure, blocks, location }
}

/// The Jacobian in reverse mode, one cotangent per element of the result, which must be floats; as
/// [`jacfwd`] gives it.
#[track_caller]
#[doc(alias = "jax.jacobian")]
pub fn jacrev<A: Tree, R: Nest>(f: impl Fn(A) -> R) -> impl Fn(A) -> R::Of<A> {
    let location = Location::caller();
    move |x: A| nested(location, &f, x, &|f, x| backward(location, f, x))
}

fn backward(location: Loc, f: Function<'_>, x: Flat) -> Jacobian {
    let x = x.typed();
    let (y, pull) = Pull::at("jacrev", location, f, &x);
    let integer = y.leaves.iter().find_map(|y| y.ty().ok().filter(|ty| !ty.dtype.is_float()));
    let integer = integer.map(|ty| {
        let message = format!("`jacrev` differentiates a function that gives floats, not {ty}");
        transform_error(location, message, "convert the result with `.cast(DType::F32)`")
    });
    if let Some(error) = y.error().cloned().or(integer) {
        return Jacobian::refused(y, &x, &error, location);
    }
    let pull = |ct: Flat| pull.call(&ct);
    let rows = map(location, &pull, &0.into(), &0.into(), basis(&y, location)).leaves;
    let mut start = 0;
    let block = |y: &Array| {
        let (from, to) = (start, start + y.size());
        start = to;
        let part = |(x, rows): (&Array, &Array)| {
            rows.slice_axis(0, from..to).reshape(joined(y.shape(), x.shape()))
        };
        x.leaves.iter().zip(&rows).map(part).collect()
    };
    let blocks = with_location(location, || y.leaves.iter().map(block).collect());
    Jacobian { y, input: x.structure, blocks, location }
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
    move |x: A| {
        let jacobian = second(location, &on_flat(location, &f), Flat::of(&x));
        let slope = jacobian.y.clone().put_in(x, location);
        jacobian.nest::<A, A>(&slope)
    }
}

fn second(location: Loc, f: Function<'_>, x: Flat) -> Jacobian {
    let slope = |x: Flat| gradient("hessian", location, f, x).1;
    forward("hessian", location, &slope, x)
}

fn joined(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}

/// The unit trees like `x`, one per element of all its leaves, along a leading axis.
fn basis(x: &Flat, location: Loc) -> Flat {
    let total: usize = x.leaves.iter().map(Array::size).sum();
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
