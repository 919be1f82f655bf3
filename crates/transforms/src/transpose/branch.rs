//! The transpose of a switch: a switch of transposes.

use super::{Cotangents, LinearEqn, transpose_arrays};
use crate::extract::internal;
use probpipe_trace::{Array, ArrayType, Graph, Op, Result, Switch, bind, full_typed, trace};
use std::sync::Arc;

pub(super) fn switch_transpose(switch: &Switch, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let Some(index) = &eqn.values[0] else { return Err(eqn.not_linear()) };
    let fixed: Vec<Array> = eqn.values[1..].iter().flatten().cloned().collect();
    let cts: Vec<Array> = eqn.cts.iter().flatten().cloned().collect();
    let types: Vec<ArrayType> = fixed.iter().chain(&cts).map(Array::ty).collect::<Result<_>>()?;
    let linear: Vec<usize> = (1..eqn.values.len()).filter(|&i| eqn.is_linear(i)).collect();

    // A cotangent that is zero in every branch stays symbolic.
    let mut nonzero = vec![false; linear.len()];
    for branch in &switch.branches {
        transposed(branch, eqn, &types, |found| {
            for (any, one) in nonzero.iter_mut().zip(&found) {
                *any |= one.is_some();
            }
            Vec::new()
        })?;
    }
    let wanted: Vec<usize> =
        linear.iter().zip(&nonzero).filter(|(_, n)| **n).map(|(i, _)| *i).collect();
    let branches = switch
        .branches
        .iter()
        .map(|branch| {
            let graph = transposed(branch, eqn, &types, |found| {
                let zero = |i: usize| full_typed(eqn.ty(i), 0);
                let pairs = found.into_iter().zip(&linear).zip(&nonzero).filter(|(_, n)| **n);
                pairs.map(|((ct, i), _)| ct.unwrap_or_else(|| zero(*i))).collect()
            })?;
            Ok(Arc::new(graph))
        })
        .collect::<Result<_>>()?;
    let operands: Vec<&Array> = std::iter::once(index).chain(&fixed).chain(&cts).collect();
    let results = bind(Op::Switch(Switch { branches }), &operands);
    let mut operand_cts: Cotangents = smallvec::smallvec![None; eqn.values.len()];
    for (i, ct) in wanted.into_iter().zip(results) {
        operand_cts[i] = Some(ct);
    }
    Ok(operand_cts)
}

/// One branch backwards: takes (operands that are not linear, cotangents of results), gives what
/// `finish` makes of the cotangents of the linear operands.
fn transposed(
    branch: &Graph,
    eqn: &LinearEqn<'_>,
    types: &[ArrayType],
    finish: impl FnOnce(Vec<Option<Array>>) -> Vec<Array>,
) -> Result<Graph> {
    let mut failed = None;
    let traced = trace(types, |arguments| {
        let mut arguments = arguments.iter().cloned();
        let mut given = |present: &Option<Array>| match present {
            Some(_) => arguments.next(),
            None => None,
        };
        let values: Vec<Option<Array>> = eqn.values[1..].iter().map(&mut given).collect();
        let cts: Vec<Option<Array>> = eqn.cts.iter().map(&mut given).collect();
        match transpose_arrays(branch, &values, cts) {
            Ok(cts) => finish(cts),
            Err(error) => {
                failed = Some(error);
                Vec::new()
            }
        }
    });
    match (failed, traced) {
        (Some(error), _) => Err(error),
        (None, Ok(traced)) if traced.captures.is_empty() => Ok(traced.graph),
        (None, Ok(_)) => Err(internal("a transposed branch reads what it was not given")),
        (None, Err(error)) => Err(error),
    }
}
