//! Conditional loops: carries that no step changes become invariants, numbers move in, and what
//! depends on invariants only moves out. It moves out of the condition, which runs at least once;
//! out of the step only where nothing is differentiated any more, because there may be no step at
//! all, and then a slope that is infinite there would meet the zero that nothing depends on it.

use super::arena::Arena;
use super::branch::narrowed;
use super::scan::{number, split_invariant};
use crate::extract::extract;
use probpipe_trace::{Graph, Loc, Op, Result, Value, VarId, While};
use std::sync::Arc;

pub(super) fn simplify_while(
    arena: &mut Arena<'_>,
    w: &While,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let mut w = While {
        cond: arena.simplifier.body(&w.cond)?,
        body: arena.simplifier.body(&w.body)?,
        ..w.clone()
    };
    let mut operands = operands.to_vec();
    // The results: of the loop by number, or variables found otherwise.
    let mut results: Vec<std::result::Result<usize, VarId>> = (0..w.carries()).map(Ok).collect();
    // Each turn removes an input or an equation of the condition or the step.
    while hand_on(&mut w, &mut operands, &mut results)?
        | narrow(arena, &mut w, &mut operands)?
        | hoist(arena, &mut w, &mut operands)?
    {
        w.cond = arena.simplifier.body(&w.cond)?;
        w.body = arena.simplifier.body(&w.body)?;
    }
    let outputs = arena.push(&Op::While(w), &operands, location);
    let result =
        |found: std::result::Result<usize, VarId>| found.map_or_else(|v| v, |i| outputs[i]);
    Ok(results.into_iter().map(result).collect())
}

/// Makes invariants of the carries that every step hands on. True if there was one.
fn hand_on(
    w: &mut While,
    operands: &mut Vec<VarId>,
    results: &mut [std::result::Result<usize, VarId>],
) -> Result<bool> {
    let body = &*w.body;
    let fixed = |i: &usize| body.outputs()[*i] == body.inputs()[w.body_consts + i];
    let (out, stay): (Vec<usize>, Vec<usize>) = (0..w.carries()).partition(fixed);
    if out.is_empty() {
        return Ok(false);
    }
    let init = operands.split_off(w.consts());
    let body_consts = operands.split_off(w.cond_consts);
    let moved = |graph: &Graph, consts: usize, outputs: &[VarId]| {
        let (consts, carries) = graph.inputs().split_at(consts);
        let inputs: Vec<VarId> =
            consts.iter().copied().chain(out.iter().chain(&stay).map(|&i| carries[i])).collect();
        extract(graph, &inputs, outputs)
    };
    let outputs: Vec<VarId> = stay.iter().map(|&i| body.outputs()[i]).collect();
    let new = While {
        cond: Arc::new(moved(&w.cond, w.cond_consts, w.cond.outputs())?),
        body: Arc::new(moved(body, w.body_consts, &outputs)?),
        cond_consts: w.cond_consts + out.len(),
        body_consts: w.body_consts + out.len(),
    };
    operands.extend(out.iter().map(|&i| init[i]));
    operands.extend(body_consts);
    operands.extend(out.iter().chain(&stay).map(|&i| init[i]));
    for found in results {
        if let Ok(i) = *found {
            *found = match stay.iter().position(|&k| k == i) {
                Some(new) => Ok(new),
                // An unchanged carry ends as it started.
                None => Err(init[i]),
            };
        }
    }
    *w = new;
    Ok(true)
}

/// Drops invariants that are numbers or repeat others. True if there was one.
fn narrow(arena: &Arena<'_>, w: &mut While, operands: &mut Vec<VarId>) -> Result<bool> {
    let mut found = false;
    for (graph, from, count) in
        [(&mut w.body, w.cond_consts, &mut w.body_consts), (&mut w.cond, 0, &mut w.cond_consts)]
    {
        let consts = &operands[from..from + *count];
        let mut values: Vec<Option<Value>> = consts.iter().map(|v| number(arena, *v)).collect();
        let first = |i: usize| consts[..i].iter().position(|v| *v == consts[i]);
        let mut earlier: Vec<Option<usize>> = (0..consts.len()).map(first).collect();
        let kept: Vec<VarId> = (0..consts.len())
            .filter(|&i| values[i].is_none() && earlier[i].is_none())
            .map(|i| consts[i])
            .collect();
        if kept.len() == consts.len() {
            continue;
        }
        values.resize(graph.inputs().len(), None);
        earlier.resize(graph.inputs().len(), None);
        *graph = Arc::new(narrowed(graph, &values, &earlier)?);
        let old = from..from + *count;
        *count = kept.len();
        operands.splice(old, kept);
        found = true;
    }
    Ok(found)
}

/// Moves what depends on invariants only before the loop. True if there was any. Loops, branches
/// and calls of the host stay: without a step they would be made for nothing, or not be asked for.
fn hoist(arena: &mut Arena<'_>, w: &mut While, operands: &mut Vec<VarId>) -> Result<bool> {
    let stays = |op: &Op| matches!(op, Op::Callback(_)) || !op.graphs().is_empty();
    let mut found = false;
    if arena.simplifier.opens_custom()
        && let Some((outside, inside)) = split_invariant(&w.body, w.body_consts, stays)?
    {
        let hoisted = arena.inline(&outside, operands[w.cond_consts..w.consts()].to_vec())?;
        let at = w.consts();
        w.body_consts += hoisted.len();
        w.body = Arc::new(inside);
        operands.splice(at..at, hoisted);
        found = true;
    }
    if let Some((outside, inside)) = split_invariant(&w.cond, w.cond_consts, stays)? {
        let hoisted = arena.inline(&outside, operands[..w.cond_consts].to_vec())?;
        let at = w.cond_consts;
        w.cond_consts += hoisted.len();
        w.cond = Arc::new(inside);
        operands.splice(at..at, hoisted);
        found = true;
    }
    Ok(found)
}
