//! Transposes of calls and loops. A loop runs backwards: cotangents of its carries are carried,
//! those of its invariants are summed, those of its entries are stacked.

use super::{Cotangents, LinearEqn, transpose_arrays};
use crate::extract::{internal, zeros_of};
use probpipe_trace::{Array, ArrayType, Error, Graph, Op, Result, Scan, bind, full_typed, trace};
use std::sync::Arc;

pub(super) fn call_transpose(graph: &Graph, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let cts = transpose_arrays(graph, &eqn.values, eqn.cts.to_vec())?;
    Ok(at_linear(eqn, cts))
}

/// Cotangents of the linear operands at their places.
pub(super) fn at_linear(eqn: &LinearEqn<'_>, cts: Vec<Option<Array>>) -> Cotangents {
    let mut cts = cts.into_iter();
    eqn.values.iter().map(|v| if v.is_none() { cts.next().flatten() } else { None }).collect()
}

/// Positions of the operands of a scan, by part and by being linear.
struct Parts {
    fixed_consts: Vec<usize>,
    linear_consts: Vec<usize>,
    fixed_xs: Vec<usize>,
    linear_xs: Vec<usize>,
}

pub(super) fn scan_transpose(scan: &Scan, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let carried = scan.consts..scan.consts + scan.carries;
    let pick = |range: std::ops::Range<usize>, linear: bool| -> Vec<usize> {
        range.filter(|&i| eqn.is_linear(i) == linear).collect()
    };
    let parts = Parts {
        fixed_consts: pick(0..scan.consts, false),
        linear_consts: pick(0..scan.consts, true),
        fixed_xs: pick(carried.end..eqn.values.len(), false),
        linear_xs: pick(carried.end..eqn.values.len(), true),
    };
    // Which stacked outputs have a cotangent at all.
    let stacked: Vec<usize> =
        (scan.carries..eqn.cts.len()).filter(|&i| eqn.cts[i].is_some()).collect();
    let body = transposed_body(scan, &parts, &stacked)?;

    let value =
        |i: usize| eqn.values[i].clone().ok_or_else(|| internal("a loop operand has no value"));
    let mut operands = Vec::new();
    for &i in &parts.fixed_consts {
        operands.push(value(i)?);
    }
    for i in 0..scan.carries {
        let zero = || zeros_of(eqn.graph, eqn.eqn.outputs[i]);
        operands.push(eqn.cts[i].clone().unwrap_or_else(zero));
    }
    operands.extend(parts.linear_consts.iter().map(|&i| full_typed(eqn.ty(i), 0)));
    for &i in &parts.fixed_xs {
        operands.push(value(i)?);
    }
    operands.extend(stacked.iter().filter_map(|&i| eqn.cts[i].clone()));

    let backward = Scan {
        body: Arc::new(body),
        consts: parts.fixed_consts.len(),
        carries: scan.carries + parts.linear_consts.len(),
        length: scan.length,
        reverse: !scan.reverse,
    };
    let results = bind(Op::Scan(backward), &operands.iter().collect::<Vec<_>>());
    let mut cts: Cotangents = smallvec::smallvec![None; eqn.values.len()];
    let places = carried.chain(parts.linear_consts).chain(parts.linear_xs);
    for (i, ct) in places.zip(results) {
        cts[i] = Some(ct);
    }
    Ok(cts)
}

/// One step backwards. Takes (fixed constants, cotangents of carries, sums for the linear
/// constants, fixed entries, cotangents of stacked outputs); gives (cotangents of carries, sums,
/// cotangents of linear entries).
fn transposed_body(scan: &Scan, parts: &Parts, stacked: &[usize]) -> Result<Graph> {
    let body = &*scan.body;
    let input = |i: &usize| body.ty(body.inputs()[*i]).clone();
    let carried = scan.consts..scan.consts + scan.carries;
    let mut types: Vec<ArrayType> = parts.fixed_consts.iter().map(input).collect();
    types.extend(carried.clone().map(|i| input(&i)));
    types.extend(parts.linear_consts.iter().map(input));
    types.extend(parts.fixed_xs.iter().map(input));
    types.extend(stacked.iter().map(|&i| body.ty(body.outputs()[i]).clone()));

    let mut failed: Option<Error> = None;
    let traced = trace(&types, |arguments| {
        let mut arguments = arguments.iter().cloned();
        let mut values: Vec<Option<Array>> = vec![None; body.inputs().len()];
        let mut cts: Vec<Option<Array>> = vec![None; body.outputs().len()];
        for &i in &parts.fixed_consts {
            values[i] = arguments.next();
        }
        for ct in &mut cts[..scan.carries] {
            *ct = arguments.next();
        }
        let sums: Vec<Array> = arguments.by_ref().take(parts.linear_consts.len()).collect();
        for &i in &parts.fixed_xs {
            values[i] = arguments.next();
        }
        for &i in stacked {
            cts[i] = arguments.next();
        }
        let input_cts = match transpose_arrays(body, &values, cts) {
            Ok(cts) => cts,
            Err(error) => {
                failed = Some(error);
                return Vec::new();
            }
        };
        // The linear inputs come in order: constants, carries, entries.
        let mut input_cts = input_cts.into_iter();
        let const_cts: Vec<Option<Array>> =
            input_cts.by_ref().take(parts.linear_consts.len()).collect();
        let mut out: Vec<Array> = Vec::new();
        for i in carried.clone() {
            let ct = input_cts.next().flatten();
            out.push(ct.unwrap_or_else(|| zeros_of(body, body.inputs()[i])));
        }
        for (sum, ct) in sums.into_iter().zip(const_cts) {
            out.push(match ct {
                Some(ct) => sum + ct,
                None => sum,
            });
        }
        for &i in &parts.linear_xs {
            let ct = input_cts.next().flatten();
            out.push(ct.unwrap_or_else(|| zeros_of(body, body.inputs()[i])));
        }
        out
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(traced.graph),
    }
}
