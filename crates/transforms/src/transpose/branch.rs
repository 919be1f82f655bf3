//! The transpose of a switch: a switch of transposes.

use super::{Cotangents, LinearEqn, transpose_arrays};
use crate::extract::internal;
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Result, Switch, bind, full_typed, inline, trace,
};
use std::sync::Arc;

pub(super) fn switch_transpose(switch: &Switch, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let Some(index) = &eqn.values[0] else { return Err(eqn.not_linear()) };
    let fixed: Vec<Array> = eqn.values[1..].iter().flatten().cloned().collect();
    let cts: Vec<Array> = eqn.cts.iter().flatten().cloned().collect();
    let types: Vec<ArrayType> = fixed.iter().chain(&cts).map(Array::ty).collect::<Result<_>>()?;
    let linear: Vec<usize> = (1..eqn.values.len()).filter(|&i| eqn.is_linear(i)).collect();

    // A cotangent that is zero in every branch stays symbolic.
    let mut nonzero = vec![false; linear.len()];
    let mut backward = Vec::new();
    for branch in &switch.branches {
        let (graph, found) = transposed(branch, eqn, &types)?;
        for (any, one) in nonzero.iter_mut().zip(&found) {
            *any |= one;
        }
        backward.push((graph, found));
    }
    let wanted: Vec<usize> =
        linear.iter().zip(&nonzero).filter(|(_, n)| **n).map(|(i, _)| *i).collect();
    let zero = |k: usize| full_typed(eqn.ty(linear[k]), 0);
    let branches = backward
        .into_iter()
        .map(|(graph, found)| completed(graph, &found, &nonzero, &zero).map(Arc::new))
        .collect::<Result<_>>()?;
    let operands: Vec<&Array> = std::iter::once(index).chain(&fixed).chain(&cts).collect();
    let results = bind(Op::Switch(Switch { branches }), &operands);
    let mut operand_cts: Cotangents = smallvec::smallvec![None; eqn.values.len()];
    for (i, ct) in wanted.into_iter().zip(results) {
        operand_cts[i] = Some(ct);
    }
    Ok(operand_cts)
}

/// A transposed branch with zeros for the cotangents that it has not and others have. It is copied,
/// not transposed again: switches within switches would double the work at every depth.
fn completed(
    graph: Graph,
    found: &[bool],
    wanted: &[bool],
    zero: &dyn Fn(usize) -> Array,
) -> Result<Graph> {
    if found == wanted {
        return Ok(graph);
    }
    let types: Vec<ArrayType> = graph.input_types().cloned().collect();
    let traced = trace(&types, |arguments| {
        let mut cts = inline(&graph, arguments).into_iter();
        let mut next = |k: usize| if found[k] { cts.next() } else { None };
        let places = (0..wanted.len()).filter(|&k| wanted[k]);
        places.map(|k| next(k).unwrap_or_else(|| zero(k))).collect()
    })?;
    Ok(traced.graph)
}

/// One branch backwards: takes (operands that are not linear, cotangents of results), gives the
/// cotangents of the linear operands that have one, and says which do.
fn transposed(
    branch: &Graph,
    eqn: &LinearEqn<'_>,
    types: &[ArrayType],
) -> Result<(Graph, Vec<bool>)> {
    let (mut failed, mut flags) = (None, Vec::new());
    let traced = trace(types, |arguments| {
        let mut arguments = arguments.iter().cloned();
        let mut given = |present: &Option<Array>| match present {
            Some(_) => arguments.next(),
            None => None,
        };
        let values: Vec<Option<Array>> = eqn.values[1..].iter().map(&mut given).collect();
        let cts: Vec<Option<Array>> = eqn.cts.iter().map(&mut given).collect();
        match transpose_arrays(branch, &values, cts) {
            Ok(cts) => {
                flags = cts.iter().map(Option::is_some).collect();
                cts.into_iter().flatten().collect()
            }
            Err(error) => {
                failed = Some(error);
                Vec::new()
            }
        }
    });
    match (failed, traced) {
        (Some(error), _) => Err(error),
        (None, Ok(traced)) if traced.captures.is_empty() => Ok((traced.graph, flags)),
        (None, Ok(_)) => Err(internal("a transposed branch reads what it was not given")),
        (None, Err(error)) => Err(error),
    }
}
