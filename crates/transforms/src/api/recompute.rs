//! A function run again where only part of its argument has changed: of its result, what does not
//! depend on that part is taken from the result before. What depends on what is read off the
//! traced graph, equation by equation; a loop or a branch is one equation.

use super::lift::{Function, Lifted, lift_or_invalid, run};
use crate::extract::extract;
use crate::simplify::simplify;
use probpipe_trace::{Array, Flat, Loc, Result, Shell, Tree, VarId};
use std::panic::Location;

/// `f(x)`, given the result `before` of `f` on an argument that differed from `x` in leaves of
/// which `changed` says so, in order. Leaves of the result that no changed leaf reaches are those
/// of `before`, and nothing is computed for them; they also stand for themselves where others need
/// them. What `f` captures counts as unchanged. A result of another structure than `before` is
/// computed whole.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::recompute;
/// let f = |(x, y): (Array, Array)| (x.exp(), y * 2.0);
/// let before = f((array(1.0), array(1.0)));
/// let after = recompute(f, (array(1.0), array(5.0)), &[false, true], before.clone());
/// assert!(after.0.is_same(&before.0));
/// assert_eq!(after.1.item::<f32>()?, 10.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn recompute<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: A, changed: &[bool], before: R) -> R {
    let location = Location::caller();
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let y = again(location, &shell.on(&f), flat, changed, &Flat::of(&before));
    shell.result(&f, y)
}

fn again(location: Loc, f: Function<'_>, x: Flat, changed: &[bool], before: &Flat) -> Flat {
    let lifted = match lift_or_invalid(location, &x, f) {
        Ok(lifted) => lifted,
        Err(invalid) => return *invalid,
    };
    match rerun(location, &lifted, changed, before) {
        Ok(leaves) => Flat::new(lifted.output, leaves, location),
        Err(error) => Flat::invalid(&lifted.output, &error, location),
    }
}

fn rerun(location: Loc, lifted: &Lifted, changed: &[bool], before: &Flat) -> Result<Vec<Array>> {
    let graph = &lifted.graph;
    let reached = reached(lifted, changed);
    let known: Vec<Option<&Array>> = match lifted.output == before.structure {
        true => graph
            .outputs()
            .iter()
            .zip(&before.leaves)
            .map(|(var, old)| {
                let same = !reached[var.index()] && old.ty().is_ok_and(|ty| ty == *graph.ty(*var));
                same.then_some(old)
            })
            .collect(),
        false => vec![None; graph.outputs().len()],
    };
    // What is known cuts: equations that only lead to it are not needed.
    let mut inputs = graph.inputs().to_vec();
    let mut operands = lifted.operands.clone();
    let constant = |var: &VarId| graph.consts().iter().any(|(other, _)| other == var);
    for (var, old) in graph.outputs().iter().zip(&known) {
        if let Some(old) = old
            && !inputs.contains(var)
            && !constant(var)
        {
            inputs.push(*var);
            operands.push((*old).clone());
        }
    }
    let wanted = graph.outputs().iter().zip(&known).filter(|(_, old)| old.is_none());
    let wanted: Vec<VarId> = wanted.map(|(var, _)| *var).collect();
    let part = simplify(&extract(graph, &inputs, &wanted)?);
    let mut fresh = run(location, &part, &operands).into_iter();
    let leaf = |old: &Option<&Array>| match old {
        Some(old) => (*old).clone(),
        None => fresh.next().unwrap_or_else(|| {
            Array::invalid(crate::extract::internal("a result is missing"), location)
        }),
    };
    Ok(known.iter().map(leaf).collect())
}

/// The variables that depend on changed arguments.
fn reached(lifted: &Lifted, changed: &[bool]) -> Vec<bool> {
    let graph = &lifted.graph;
    let mut reached = vec![false; graph.num_vars()];
    for (i, var) in graph.inputs()[..lifted.arguments].iter().enumerate() {
        // An argument of which nothing is said has changed.
        reached[var.index()] = changed.get(i).copied().unwrap_or(true);
    }
    for eqn in graph.eqns() {
        if eqn.inputs.iter().any(|var| reached[var.index()]) {
            eqn.outputs.iter().for_each(|var| reached[var.index()] = true);
        }
    }
    reached
}
