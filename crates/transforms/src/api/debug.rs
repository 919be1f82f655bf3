//! Finding out what a function does: where the first NaN comes from, and the forms it goes through
//! on its way to a program.

use super::inspect::{compile_graph, traced};
use super::lift::{Function, lift_or_invalid};
use crate::simplify::finish;
use probpipe_trace::eval::{eval_graph, watching_nan};
use probpipe_trace::{
    Array, Backend, Flat, Loc, Result, Tree, Value, is_tracing, on_flat, through, with_location,
};
use std::panic::Location;

/// The same function, run equation by equation on the interpreter; if an equation makes a NaN of
/// operands that are none, the result is invalid, and its error names the op, its operands and
/// your line. Equations of a derivative have the line of what they are the derivative of. Inside
/// an open trace it is `f` itself, so it goes around all other transforms: `check_nan(grad(f))`.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{check_nan, grad};
/// let slope = check_nan(grad(|x: Array| (x.square().sqrt() * 2.0).sum()));
/// let error = slope(array([1.0, 0.0])).value().unwrap_err().to_string();
/// let want = "`mul` makes the first NaN: its result is f32[2], 1 of 2";
/// assert!(error.starts_with(want), "{error}");
/// ```
#[track_caller]
#[doc(alias = "jax.debug_nans")]
pub fn check_nan<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    let location = Location::caller();
    move |x: A| {
        if is_tracing() {
            return f(x);
        }
        through(location, &f, x, &mut |f, x| watched(location, f, &x))
    }
}

fn watched(location: Loc, f: Function<'_>, x: &Flat) -> Flat {
    let lifted = match lift_or_invalid(location, x, f) {
        Ok(lifted) => lifted,
        Err(invalid) => return *invalid,
    };
    let values: Result<Vec<Value>> = lifted.operands.iter().map(Array::value).collect();
    let results = values.and_then(|values| {
        watching_nan(|| eval_graph(&lifted.graph, &values.iter().collect::<Vec<_>>()))
    });
    match results {
        Ok(results) => with_location(location, || {
            let leaves = results.into_iter().map(Array::from_value).collect();
            Flat::new(lifted.output, leaves, location)
        }),
        Err(error) => Flat::invalid(&lifted.output, &error, location),
    }
}

/// The forms that `f` goes through on arguments like `x`, by name, as text: the graph as `traced`,
/// as `simplified`, and those of the backend: the lowered `program`, then its `clif` and the
/// instructions of the `machine`, or its `wgsl`.
///
/// ```
/// use probpipe_trace::{Array, Interpreter, array};
/// use probpipe_transforms::stages_of;
/// let stages = stages_of(&Interpreter, |x: Array| x * 1.0, &array([1.0, 2.0]))?;
/// assert!(stages[0].1.contains("mul") && !stages[1].1.contains("mul"));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn stages_of<A: Tree, R: Tree>(
    backend: &dyn Backend,
    f: impl Fn(A) -> R,
    x: &A,
) -> Result<Vec<(&'static str, String)>> {
    let location = Location::caller();
    let traced = traced(location, &on_flat(location, &f), &Flat::of(x))?;
    let simplified = finish(&traced);
    let mut stages = vec![("traced", traced.to_string()), ("simplified", simplified.to_string())];
    stages.extend(compile_graph(backend, &simplified)?.stages());
    Ok(stages)
}
