//! Loops whose number of steps the data decide.

use crate::context::{here, with_location};
use crate::control::branch;
use crate::control::checks::{arguments, check_carry, check_structure, decided, settle};
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{Flat, on_flat, once};
use crate::handle::Array;
use crate::op::Op;
use crate::op::control::While;
use crate::open::trace_open;
use crate::tracing::bind;
use crate::tree::{Structure, Tree};
use crate::types::{ArrayType, Loc};
use std::sync::Arc;

/// Runs `body` on `init`, and on what it gives, as long as `cond` is true of it. Both are traced
/// once and may capture outer arrays. `cond` gives one bool; the carry keeps its structure and
/// types.
///
/// Gradients flow through it backwards too, whatever the number of steps: the loop is run again
/// from a fixed number of checkpoints. Under `vmap` it runs until the last lane is done.
///
/// ```
/// use probpipe_trace::{array, while_loop};
/// // Newton's method for the square root of 2.
/// let (root, _) = while_loop(
///     |(_, change)| change.gt(1e-6),
///     |(x, _)| {
///         let next = (&x + 2.0 / &x) * 0.5;
///         (next.clone(), (next - x).abs())
///     },
///     (array(2.0), array(1.0)),
/// );
/// assert!((root.item::<f32>()? - 2f32.sqrt()).abs() < 1e-6);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn while_loop<C: Tree>(cond: impl FnOnce(C) -> Array, body: impl FnOnce(C) -> C, init: C) -> C {
    let (location, cond, body) = (here(), once(cond), once(body));
    let (cond, body) = (on_flat(location, &cond), on_flat(location, &body));
    looped(location, &cond, &body, Flat::of(&init)).put_in(init, location)
}

/// The loop on leaves.
fn looped(
    location: Loc,
    cond: &dyn Fn(Flat) -> Flat,
    body: &dyn Fn(Flat) -> Flat,
    init: Flat,
) -> Flat {
    let flat =
        |leaves: &[Array]| Flat { leaves: leaves.to_vec(), structure: init.structure.clone() };
    let test = &mut |carry: &[Array]| cond(flat(carry)).leaves.swap_remove(0);
    match run(location, &init.leaves, &init.structure, false, test, &mut |c| body(flat(c))) {
        Ok(leaves) => Flat::new(init.structure, leaves, location),
        Err(error) => init.spoiled(&error, location),
    }
}

/// Runs `step(i, state)` for `i` from `lower` up to and without `upper`, which are `i32` scalars,
/// and gives the last state: `init` if there is no such `i`.
///
/// ```
/// use probpipe_trace::{array, fori_loop_dynamic};
/// let n = array([1, 2, 3]).sum();
/// let power = fori_loop_dynamic(0, &n, array([1.0]), |_, x| x * 2.0);
/// assert_eq!(power.item::<f32>()?, 64.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn fori_loop_dynamic<C: Tree>(
    lower: impl Into<Array>,
    upper: impl Into<Array>,
    init: C,
    step: impl FnOnce(Array, C) -> C,
) -> C {
    let location = here();
    let step = once(|(i, state)| step(i, state));
    let step = |i: Array, state| on_flat(location, &|state| step((i.clone(), state)))(state);
    counted(location, lower.into(), upper.into(), Flat::of(&init), &step).put_in(init, location)
}

/// The counted loop on leaves.
fn counted(
    location: Loc,
    lower: Array,
    upper: Array,
    init: Flat,
    step: &dyn Fn(Array, Flat) -> Flat,
) -> Flat {
    let result = bound(lower, "lower").and_then(|lower| {
        let upper = bound(upper, "upper")?;
        let leaves: Vec<Array> = std::iter::once(&lower).chain(&init.leaves).cloned().collect();
        let test = &mut |carry: &[Array]| carry[0].lt(&upper);
        let next = &mut |carry: &[Array]| {
            let state = Flat { leaves: carry[1..].to_vec(), structure: init.structure.clone() };
            let mut next = step(carry[0].clone(), state);
            next.leaves.insert(0, &carry[0] + 1);
            next
        };
        let mut leaves = run(location, &leaves, &init.structure, true, test, next)?;
        leaves.remove(0);
        Ok(leaves)
    });
    match result {
        Ok(leaves) => Flat::new(init.structure, leaves, location),
        Err(error) => init.spoiled(&error, location),
    }
}

/// The predicate, which is a truth value: a number that shrinks towards zero without getting there
/// would keep the loop going.
fn boolean(predicate: &Array) -> Array {
    match predicate.ty() {
        Ok(ty) if ty.dtype != DType::Bool => {
            let message = format!("`while_loop` goes on while a bool is true, not {ty}");
            let error = Error::new(ErrorKind::DType, message)
                .note("the predicate", Some(predicate.location))
                .help("compare it, for example `x.gt(1e-6)` or `n.ne(0)`");
            Array::invalid(error, here())
        }
        _ => predicate.clone(),
    }
}

/// A bound of a counted loop.
fn bound(array: Array, which: &str) -> Result<Array> {
    let ty = array.ty()?;
    if ty == ArrayType::scalar(DType::I32) {
        return Ok(array.cast(DType::I32));
    }
    let kind = if ty.rank() == 0 { ErrorKind::DType } else { ErrorKind::Shape };
    let message = format!("the {which} bound of a loop is an i32 scalar, not {ty}");
    Err(Error::new(kind, message)
        .note("the bound", Some(array.location))
        .help("reduce or index it first; convert with `.cast(DType::I32)`"))
}

/// The loop on leaves. `structure` is the carry's; a loop that is counted has its
/// counter before it.
fn run(
    location: Loc,
    init: &[Array],
    structure: &Structure,
    counted: bool,
    cond: &mut dyn FnMut(&[Array]) -> Array,
    body: &mut dyn FnMut(&[Array]) -> Flat,
) -> Result<Vec<Array>> {
    let types = init.iter().map(|a| a.ty()).collect::<Result<Vec<_>>>()?;
    let given = arguments(init, &types);
    let (test, ()) = trace_open(location, &given, |carry| {
        let predicate = cond(carry);
        let truth = || branch::truth(&boolean(&predicate), "`while_loop` goes on while");
        (vec![with_location(location, truth)], ())
    });
    let (step, after) = trace_open(location, &given, |carry| {
        let next = body(carry);
        (next.leaves, next.structure)
    });
    let (mut test, mut step) = (test?, step?);
    check_structure(structure, &after)?;
    test.decide_rest();
    let dtypes = settle(&mut step, Some(&test), &given, given.len());
    let init = decided(init, &dtypes);
    let (mut test, mut step) = (test.close(&dtypes), step.close(&dtypes));
    let first = usize::from(counted);
    check_carry(&step.graph, first, &init[first..], structure)?;
    // Captures come first among the inputs.
    let (cond_consts, body_consts) = (test.captures.len(), step.captures.len());
    test.graph.inputs.rotate_right(cond_consts);
    step.graph.inputs.rotate_right(body_consts);
    let op =
        While { cond: Arc::new(test.graph), body: Arc::new(step.graph), cond_consts, body_consts };
    let captures = test.captures.iter().chain(&step.captures);
    let operands: Vec<&Array> = captures.chain(&init).collect();
    Ok(with_location(location, || bind(Op::While(op), &operands)).into_vec())
}
