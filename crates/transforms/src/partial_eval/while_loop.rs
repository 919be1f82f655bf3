//! A conditional loop that is partly known: the known part runs first and counts its steps, so that
//! the other is a counted loop. That one makes the known carries again, step by step, where it
//! needs them: nothing is kept per step.

use super::known::known_carries;
use super::{Partial, partial_eval, partial_eval_with};
use crate::extract::extract;
use probpipe_trace::{Array, DType, Graph, Result, While, inline, select, while_loop};

/// The arrays at the flagged places.
pub(crate) fn flagged(arrays: &[Array], flags: &[bool]) -> Vec<Array> {
    arrays.iter().zip(flags).filter(|(_, f)| **f).map(|(a, _)| a.clone()).collect()
}

/// A step in halves, of which the known one gives the known carries, then residuals.
pub(crate) fn split_step(w: &While, consts: &[bool], carries: &[bool]) -> Result<Partial> {
    let force: Vec<bool> = carries.iter().map(|known| !known).collect();
    partial_eval_with(&w.body, &[consts, carries].concat(), &force)
}

/// The known carries of the step alone.
pub(crate) fn known_step(step: &Partial) -> Result<Graph> {
    let known = &step.known;
    let carries = known.outputs().len() - step.residuals;
    extract(known, known.inputs(), &known.outputs()[..carries])
}

/// So many steps are not counted any more: derivatives through a loop of as many are NaN.
pub(crate) const LIMIT: i32 = i32::MAX;

/// `x` of a loop of so many steps, NaN if they were not counted to the end.
pub(crate) fn counted(steps: &Array, x: &Array) -> Array {
    match x.dtype().is_float() {
        true => select(steps.lt(LIMIT), x, f64::NAN),
        false => x.clone(),
    }
}

/// The known carries after the loop, and the number of steps, `i32`, at most [`LIMIT`]. `operands`
/// are those of the loop, of which only known ones are read.
pub(crate) fn run_known(
    w: &While,
    operands: &[Array],
    flags: &[bool],
    carries: &[bool],
) -> Result<(Vec<Array>, Array)> {
    let (consts, init) = operands.split_at(w.consts());
    let (cond_consts, body_consts) = consts.split_at(w.cond_consts);
    let (cond_flags, body_flags) = flags[..w.consts()].split_at(w.cond_consts);
    let cond = partial_eval(&w.cond, &[cond_flags, carries].concat())?.known;
    let body = known_step(&split_step(w, body_flags, carries)?)?;
    let (cond_consts, body_consts) =
        (flagged(cond_consts, cond_flags), flagged(body_consts, body_flags));
    let mut state = vec![Array::from(0).cast(DType::I32)];
    state.extend(flagged(init, carries));
    let mut state = while_loop(
        |state: Vec<Array>| inline(&cond, &[&cond_consts, &state[1..]].concat()).remove(0),
        |state: Vec<Array>| {
            let mut next = inline(&body, &[&body_consts, &state[1..]].concat());
            next.insert(0, state[0].minimum(LIMIT - 1) + 1);
            next
        },
        state,
    );
    let steps = state.remove(0);
    Ok((state, steps))
}

pub(super) fn split_while(
    w: &While,
    operands: &[Array],
    flags: &[bool],
) -> Result<(Vec<Array>, Vec<bool>)> {
    let carries = known_carries(w, flags)
        .ok_or_else(|| crate::extract::internal("a loop whose number of steps is not known"))?;
    let (known, steps) = run_known(w, operands, flags, &carries)?;
    let body_consts = &operands[w.cond_consts..w.consts()];
    let mut state = vec![Array::from(0).cast(DType::I32)];
    state.extend_from_slice(&operands[w.consts()..]);
    let state = while_loop(
        |state: Vec<Array>| state[0].lt(&steps),
        |state: Vec<Array>| {
            let mut next = inline(&w.body, &[body_consts, &state[1..]].concat());
            next.insert(0, &state[0] + 1);
            next
        },
        state,
    );
    let mut known = known.into_iter();
    let merged = state[1..].iter().zip(&carries);
    let results =
        merged.filter_map(|(x, k)| if *k { known.next() } else { Some(counted(&steps, x)) });
    Ok((results.collect(), carries))
}
