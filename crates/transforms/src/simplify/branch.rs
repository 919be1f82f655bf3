//! Switches: one whose index is known is its branch, numbers move in, and what every branch hands
//! on unchanged moves out.

use super::arena::Arena;
use super::scan::{Copy, number};
use probpipe_trace::{Graph, Loc, Op, Result, Switch, Value, VarId};
use std::sync::Arc;

pub(super) fn simplify_switch(
    arena: &mut Arena<'_>,
    switch: &Switch,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let (index, operands) = (operands[0], &operands[1..]);
    if let Some(number) = arena.splat(index) {
        let last = switch.branches.len() as i128 - 1;
        let chosen = number.as_i128().clamp(0, last) as usize;
        let branch = arena.simplifier.body(&switch.branches[chosen])?;
        return arena.inline(&branch, operands.to_vec());
    }
    let values: Vec<Option<Value>> = operands.iter().map(|v| number(arena, *v)).collect();
    let first = |i: usize| operands[..i].iter().position(|v| *v == operands[i]);
    let earlier: Vec<Option<usize>> = (0..operands.len()).map(first).collect();
    let kept: Vec<usize> =
        (0..operands.len()).filter(|&i| values[i].is_none() && earlier[i].is_none()).collect();
    let mut branches = Vec::with_capacity(switch.branches.len());
    for branch in &switch.branches {
        let mut branch = arena.simplifier.body(branch)?;
        if kept.len() < operands.len() {
            branch = Arc::new(narrowed(&branch, &values, &earlier)?);
            branch = arena.simplifier.body(&branch)?;
        }
        branches.push(branch);
    }
    let operands: Vec<VarId> = kept.iter().map(|&i| operands[i]).collect();

    // A result that is the same operand in every branch.
    let handed_on = |result: usize| {
        let input = |branch: &Arc<Graph>| {
            branch.inputs().iter().position(|v| *v == branch.outputs()[result])
        };
        let found = input(&branches[0])?;
        branches.iter().all(|branch| input(branch) == Some(found)).then(|| operands[found])
    };
    let results: Vec<Option<VarId>> = (0..switch.results()).map(handed_on).collect();
    let inputs: Vec<VarId> = std::iter::once(index).chain(operands.iter().copied()).collect();
    let outputs = arena.push(&Op::Switch(Switch { branches }), &inputs, location);
    Ok(results.iter().zip(outputs).map(|(found, out)| found.unwrap_or(out)).collect())
}

/// A branch without the inputs that are numbers or repeat earlier ones.
pub(super) fn narrowed(
    branch: &Graph,
    values: &[Option<Value>],
    earlier: &[Option<usize>],
) -> Result<Graph> {
    let mut copy = Copy::new(branch);
    let inputs = branch.inputs();
    for (i, v) in inputs.iter().enumerate() {
        if values[i].is_none() && earlier[i].is_none() {
            copy.input(*v);
        }
    }
    for (i, v) in inputs.iter().enumerate() {
        match (&values[i], earlier[i]) {
            (Some(value), _) => copy.number(*v, value)?,
            (None, Some(j)) => copy.alias(*v, inputs[j]),
            (None, None) => {}
        }
    }
    copy.finish(|_| true, branch.outputs())
}
