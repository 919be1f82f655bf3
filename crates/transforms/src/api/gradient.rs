//! Gradients of scalar functions, in reverse mode.

use super::lift::{
    build, check_floats, failed, invalid, lift, own_types, poison, run, transform_error,
};
use super::linear::jvp_at;
use crate::linearize::linearize;
use crate::simplify::simplify;
use crate::transpose::transpose;
use probpipe_trace::{Array, Loc, Result, Tree, ones_like, with_location};
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
    move |x| gradient("grad", location, &|x| (f(x), ()), x).1
}

/// As [`grad`], of a function that also gives something that is not differentiated:
/// `(gradient, aux)`.
#[track_caller]
pub fn grad_aux<A: Tree, X: Tree>(f: impl Fn(A) -> (Array, X)) -> impl Fn(A) -> (A, X) {
    let location = Location::caller();
    move |x| {
        let ((_, aux), gradient) = gradient("grad_aux", location, &f, x);
        (gradient, aux)
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
    move |x| {
        let ((y, ()), dy) = gradient("value_and_grad", location, &|x| (f(x), ()), x);
        (y, dy)
    }
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
    move |x| gradient("value_and_grad_aux", location, &f, x)
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
    move |x, v| {
        let slope = |x: A| gradient("hvp", location, &|x| (f(x), ()), x).1;
        jvp_at("hvp", location, slope, x, v).1
    }
}

/// The value, what comes with it, and the gradient, for the function `name` called at `location`.
pub(super) fn gradient<A: Tree, X: Tree>(
    name: &str,
    location: Loc,
    f: &impl Fn(A) -> (Array, X),
    x: A,
) -> ((Array, X), A) {
    let f = |x: A| {
        let (y, aux) = f(x);
        (y, with_location(location, || aux.map(Array::stop_gradient)))
    };
    if let Some(error) = x.leaves().iter().find_map(|a| a.error().cloned()) {
        return (poison(&x, f, &error, location), invalid(&x.structure(), &error, location));
    }
    let lifted = lift(location, &x, f, |leaves, structure| {
        check_floats(name, leaves, structure, location)?;
        own_types(leaves, structure)
    });
    let lifted = match lifted {
        Ok(lifted) => lifted,
        Err(failure) => {
            let structure = x.structure();
            return (
                failed(&x, f, &failure, location),
                invalid(&structure, &failure.error, location),
            );
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
        Ok((out, gradients)) => {
            (build(&lifted.output, out, location), build(&lifted.input, gradients, location))
        }
        Err(error) => {
            (invalid(&lifted.output, &error, location), invalid(&lifted.input, &error, location))
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
