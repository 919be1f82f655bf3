//! Gradients of scalar functions, in reverse mode.

use super::lift::{
    build, check_floats, failed, invalid, lift, own_types, poison, run, transform_error,
};
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
    move |x| gradient("grad", location, &f, x).1
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
    move |x| gradient("value_and_grad", location, &f, x)
}

/// The value and the gradient, for the function `name` called at `location`.
pub(super) fn gradient<A: Tree>(
    name: &str,
    location: Loc,
    f: &impl Fn(A) -> Array,
    x: A,
) -> (Array, A) {
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
        let residuals = out.split_off(1);
        let value = out.swap_remove(0);
        if !linear.nonzero[0] {
            let zeros = lifted.operands[..lifted.arguments].iter();
            let zeros = || zeros.map(probpipe_trace::zeros_like).collect();
            return Ok((value, with_location(location, zeros)));
        }
        let mut flags = vec![false; linear.residuals];
        flags.resize(linear.linear.inputs().len(), true);
        // Zeros of what the result does not depend on have no line of their own.
        let backward = with_location(location, || transpose(&linear.linear, &flags))?;
        let backward = simplify(&backward);
        let mut operands = residuals;
        operands.push(with_location(location, || ones_like(&value)));
        Ok((value, run(location, &backward, &operands)))
    });
    match result {
        Ok((value, gradients)) => (value, build(&lifted.input, gradients, location)),
        Err(error) => {
            (Array::invalid(error.clone(), location), invalid(&lifted.input, &error, location))
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
