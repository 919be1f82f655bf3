//! The derivative of a switch: each branch with tangents beside its values.

use super::{Tangents, jvp_arrays, spread};
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Outputs, Result, Switch, bind, here, trace, zeros_like,
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
    let mut nonzero = vec![false; switch.results()];
    for branch in &switch.branches {
        for (any, one) in nonzero.iter_mut().zip(crate::jvp::jvp(branch, &flags)?.nonzero) {
            *any |= one;
        }
    }
    let branches = switch
        .branches
        .iter()
        .map(|graph| branch(graph, &flags, &nonzero).map(Arc::new))
        .collect::<Result<_>>()?;
    let operands: Vec<&Array> = x.iter().copied().chain(dx.iter().flatten().copied()).collect();
    let results = bind(Op::Switch(Switch { branches }), &operands);
    let (y, dy) = results.split_at(switch.results());
    Ok((y.iter().cloned().collect(), spread(dy, &nonzero).into()))
}

/// From values and tangents of the flagged operands to values and tangents of the flagged results.
fn branch(graph: &Graph, flags: &[bool], nonzero: &[bool]) -> Result<Graph> {
    let primals: Vec<ArrayType> = graph.input_types().cloned().collect();
    let mut types = primals.clone();
    types.extend(primals.iter().zip(flags).filter(|(_, f)| **f).map(|(ty, _)| ty.clone()));
    let traced = trace(&types, |arguments| {
        let (x, dx) = arguments.split_at(primals.len());
        let (y, dy) = jvp_arrays(graph, x, spread(dx, flags));
        let wanted = dy.into_iter().zip(&y).zip(nonzero).filter(|(_, wanted)| **wanted);
        let tangents: Vec<Array> =
            wanted.map(|((dy, y), _)| dy.unwrap_or_else(|| zeros_like(y))).collect();
        y.into_iter().chain(tangents).collect()
    })?;
    Ok(traced.graph)
}
