//! The derivative of a switch: each branch with tangents beside its values.

use super::{Jvp, Tangents, jvp, spread};
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Outputs, Result, Switch, bind, here, inline, trace, zeros_like,
};
use smallvec::smallvec;
use std::sync::Arc;

pub(super) fn switch_jvp(
    switch: &Switch,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> (Outputs, Tangents) {
    match with_tangents(switch, x, dx) {
        Ok(results) => results,
        Err(error) => {
            let invalid = Array::invalid(error, here());
            (smallvec![invalid; switch.results()], smallvec![])
        }
    }
}

/// A result has a tangent if it has one in any branch.
fn with_tangents(
    switch: &Switch,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> Result<(Outputs, Tangents)> {
    let flags: Vec<bool> = dx[1..].iter().map(Option::is_some).collect();
    let moved: Vec<Jvp> =
        switch.branches.iter().map(|graph| jvp(graph, &flags)).collect::<Result<_>>()?;
    let mut nonzero = vec![false; switch.results()];
    for branch in &moved {
        for (any, one) in nonzero.iter_mut().zip(&branch.nonzero) {
            *any |= one;
        }
    }
    let branches = moved
        .into_iter()
        .map(|branch| completed(branch, &nonzero).map(Arc::new))
        .collect::<Result<_>>()?;
    let operands: Vec<&Array> = x.iter().copied().chain(dx.iter().flatten().copied()).collect();
    let results = bind(Op::Switch(Switch { branches }), &operands);
    let (y, dy) = results.split_at(switch.results());
    Ok((y.iter().cloned().collect(), spread(dy, &nonzero).into()))
}

/// A branch with zeros for the tangents that it has not and others have. It is copied, not
/// differentiated again: switches within switches would double the work at every depth.
fn completed(branch: Jvp, nonzero: &[bool]) -> Result<Graph> {
    if branch.nonzero == nonzero {
        return Ok(branch.graph);
    }
    let types: Vec<ArrayType> = branch.graph.input_types().cloned().collect();
    let traced = trace(&types, |arguments| {
        let mut y = inline(&branch.graph, arguments);
        let dy = y.split_off(nonzero.len());
        let dy = spread(&dy, &branch.nonzero);
        let wanted = dy.into_iter().zip(&y).zip(nonzero).filter(|(_, wanted)| **wanted);
        let tangents: Vec<Array> =
            wanted.map(|((dy, y), _)| dy.unwrap_or_else(|| zeros_like(y))).collect();
        y.into_iter().chain(tangents).collect()
    })?;
    Ok(traced.graph)
}
