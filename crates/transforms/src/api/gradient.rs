//! Gradients of scalar functions, in reverse mode.

use super::lift::{Function, check_floats, failed, lift, own_types, poison, run, transform_error};
use super::linear::jvp_at;
use crate::linearize::linearize;
use crate::simplify::simplify;
use crate::transpose::transpose;
use probpipe_trace::{Array, Flat, Loc, Result, Shell, Tree, on_flat, ones_like, with_location};
use std::panic::Location;

/// The gradient of a scalar function, with the structure of its argument.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::grad;
/// let slope = grad(|x: Array| x.powi(3));
/// assert_eq!(slope(array(2.0)).item::<f32>()?, 12.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn grad<A: Tree>(f: impl Fn(A) -> Array) -> impl Fn(A) -> A {
    let location = Location::caller();
    move |x: A| {
        gradient("grad", location, &on_flat(location, &f), Flat::of(&x)).1.put_in(x, location)
    }
}

/// As [`grad`], of a function that also gives something that is not differentiated:
/// `(gradient, aux)`.
#[track_caller]
pub fn grad_aux<A: Tree, X: Tree>(f: impl Fn(A) -> (Array, X)) -> impl Fn(A) -> (A, X) {
    let location = Location::caller();
    move |x: A| {
        let ((_, aux), dx) = with_gradient("grad_aux", location, &f, x);
        (dx, aux)
    }
}

/// The value and the gradient of a scalar function.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::value_and_grad;
/// let (y, dy) = value_and_grad(|x: Array| x.square().sum())(array([1.0, 2.0]));
/// assert_eq!(y.item::<f32>()?, 5.0);
/// assert_eq!(dy.to_vec::<f32>()?, [2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<A: Tree>(f: impl Fn(A) -> Array) -> impl Fn(A) -> (Array, A) {
    let location = Location::caller();
    move |x: A| with_gradient("value_and_grad", location, &f, x)
}

/// As [`value_and_grad`], of a function that also gives something that is not differentiated:
/// `((value, aux), gradient)`.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::value_and_grad_aux;
/// let loss = |x: Array| {
///     let error = x - 1.0;
///     (error.square().sum(), error)
/// };
/// let ((y, error), dy) = value_and_grad_aux(loss)(array([1.0, 3.0]));
/// assert_eq!((y.item::<f32>()?, error.to_vec::<f32>()?), (4.0, vec![0.0, 2.0]));
/// assert_eq!(dy.to_vec::<f32>()?, [0.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad_aux<A: Tree, X: Tree>(
    f: impl Fn(A) -> (Array, X),
) -> impl Fn(A) -> ((Array, X), A) {
    let location = Location::caller();
    move |x: A| with_gradient("value_and_grad_aux", location, &f, x)
}

/// What the function gives, and the gradient of the first leaf of that.
fn with_gradient<A: Tree, R: Tree>(name: &str, location: Loc, f: &dyn Fn(A) -> R, x: A) -> (R, A) {
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let (y, dx) = gradient(name, location, &shell.on(f), flat);
    (shell.result(f, y), shell.argument(dx))
}

/// The product of the matrix of second derivatives of a scalar function with a tangent, forward
/// over reverse: it costs a few gradients and makes no matrix.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::hvp;
/// let h = hvp(|x: Array| x.powi(3).sum())(array([1.0, 2.0]), array([1.0, 10.0]));
/// assert_eq!(h.to_vec::<f32>()?, [6.0, 120.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn hvp<A: Tree>(f: impl Fn(A) -> Array) -> impl Fn(A, A) -> A {
    let location = Location::caller();
    move |x: A, v: A| {
        let f = on_flat(location, &f);
        hvp_at(location, &f, Flat::of(&x), &Flat::of(&v)).put_in(x, location)
    }
}

fn hvp_at(location: Loc, f: Function<'_>, x: Flat, v: &Flat) -> Flat {
    let slope = |x: Flat| gradient("hvp", location, f, x).1;
    jvp_at("hvp", location, &slope, x, v).1
}

/// The value with what comes after it, and the gradient, for the function `name` called at
/// `location`. The first leaf of what `f` gives is differentiated, the others are not.
pub(super) fn gradient(name: &str, location: Loc, f: Function<'_>, x: Flat) -> (Flat, Flat) {
    let f = |x: Flat| {
        let mut y = f(x);
        for aux in y.leaves.iter_mut().skip(1) {
            *aux = with_location(location, || aux.stop_gradient());
        }
        y
    };
    if let Some(error) = x.error() {
        let dx = Flat::invalid(&x.structure, error, location);
        return (poison(&x, &f, error, location), dx);
    }
    let lifted = lift(location, &x, &f, &mut |leaves, structure| {
        check_floats(name, leaves, structure, location)?;
        own_types(leaves, structure)
    });
    let lifted = match lifted {
        Ok(lifted) => lifted,
        Err(failure) => {
            let dx = Flat::invalid(&x.structure, &failure.error, location);
            return (failed(&x, &f, &failure, location), dx);
        }
    };
    let result = check_loss(name, &lifted, location).and_then(|()| {
        let wrt = lifted.with_captures(&vec![true; lifted.arguments]);
        let linear = linearize(&lifted.graph, &wrt)?;
        let mut out = run(location, &linear.primal, &lifted.operands);
        let residuals = out.split_off(lifted.graph.outputs().len());
        if !linear.nonzero[0] {
            let zeros = lifted.operands[..lifted.arguments].iter();
            let zeros = || zeros.map(probpipe_trace::zeros_like).collect();
            return Ok((out, with_location(location, zeros)));
        }
        let mut flags = vec![false; linear.residuals];
        flags.resize(linear.linear.inputs().len(), true);
        // Zeros of what the result does not depend on have no line of their own.
        let backward = with_location(location, || transpose(&linear.linear, &flags))?;
        let backward = simplify(&backward);
        let mut operands = residuals;
        operands.push(with_location(location, || ones_like(&out[0])));
        Ok((out, run(location, &backward, &operands)))
    });
    match result {
        Ok((out, dx)) => {
            (Flat::new(lifted.output, out, location), Flat::new(lifted.input, dx, location))
        }
        Err(error) => {
            let invalid = |structure| Flat::invalid(structure, &error, location);
            (invalid(&lifted.output), invalid(&lifted.input))
        }
    }
}

/// A loss is one float.
fn check_loss(name: &str, lifted: &super::lift::Lifted, location: Loc) -> Result<()> {
    let graph = &lifted.graph;
    let ty = graph.ty(graph.outputs()[0]);
    let made = graph.eqns().iter().rev().find(|e| e.outputs.contains(&graph.outputs()[0]));
    let error = if ty.rank() != 0 {
        transform_error(
            location,
            format!("`{name}` differentiates a function that gives a scalar, this one gives {ty}"),
            "reduce the result with `.sum()` or `.mean()`, or use `jacrev` or `vjp`",
        )
    } else if !ty.dtype.is_float() {
        transform_error(
            location,
            format!("`{name}` differentiates a function that gives a float, this one gives {ty}"),
            "convert the result inside the function, for example with `.cast(DType::F32)`",
        )
    } else {
        return Ok(());
    };
    Err(match made {
        Some(eqn) => error.note("the result was made", Some(eqn.location)),
        None => error,
    })
}
