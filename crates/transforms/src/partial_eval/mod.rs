//! Splitting a graph into what can be computed from the known inputs and the rest. Between the
//! halves go residuals: only values that the rest reads, and no value that it can make again for
//! the price of reading a smaller one.

#![deny(clippy::wildcard_enum_match_arm)]

mod branch;
mod control;
mod known;
mod while_loop;

pub(crate) use control::separate;
pub(crate) use known::known_carries;
pub(crate) use while_loop::{LIMIT, counted, flagged, known_step, run_known, split_step};

use crate::extract::{extract, partition};
use probpipe_trace::{DType, Graph, Op, Result, VarId};

/// The two halves of a graph.
#[derive(Debug, Clone)]
pub struct Partial {
    /// From the known inputs to the known outputs, then the residuals.
    pub known: Graph,
    /// From the residuals, then the unknown inputs, to the unknown outputs.
    pub unknown: Graph,
    /// Which outputs are known.
    pub known_outputs: Vec<bool>,
    /// Number of residuals. One that is an input of `known` is that input, not a copy.
    pub residuals: usize,
}

/// Splits a graph by which of its inputs are known.
pub fn partial_eval(graph: &Graph, known_inputs: &[bool]) -> Result<Partial> {
    let none = vec![false; graph.outputs().len()];
    partial_eval_with(graph, known_inputs, &none)
}

/// As [`partial_eval`], with outputs that must come out of the unknown half whatever they are.
pub(crate) fn partial_eval_with(
    graph: &Graph,
    known_inputs: &[bool],
    force_unknown: &[bool],
) -> Result<Partial> {
    let separated = separate(graph, known_inputs)?;
    let graph = separated.as_ref().unwrap_or(graph);
    let known = known_vars(graph, known_inputs);
    let known_outputs: Vec<bool> = graph
        .outputs()
        .iter()
        .zip(force_unknown)
        .map(|(v, force)| known[v.index()] && !force)
        .collect();
    let (known_out, unknown_out) = partition(graph.outputs(), &known_outputs);
    let (known_in, unknown_in) = partition(graph.inputs(), known_inputs);

    let residuals = residuals(graph, &known, &unknown_out);
    let mut out = known_out;
    out.extend_from_slice(&residuals);
    let mut unknown_side = residuals.clone();
    unknown_side.extend(unknown_in);
    Ok(Partial {
        known: extract(graph, &known_in, &out)?,
        unknown: extract(graph, &unknown_side, &unknown_out)?,
        known_outputs,
        residuals: residuals.len(),
    })
}

/// Variables that depend on known inputs and constants only.
pub(crate) fn known_vars(graph: &Graph, known_inputs: &[bool]) -> Vec<bool> {
    let mut known = vec![false; graph.num_vars()];
    for (v, _) in graph.consts() {
        known[v.index()] = true;
    }
    for (v, k) in graph.inputs().iter().zip(known_inputs) {
        known[v.index()] = *k;
    }
    for eqn in graph.eqns() {
        let all = eqn.inputs.iter().all(|v| known[v.index()]);
        for v in &eqn.outputs {
            known[v.index()] = all;
        }
    }
    known
}

/// The known variables that the unknown half must be given, each once, in order of definition.
fn residuals(graph: &Graph, known: &[bool], unknown_out: &[VarId]) -> Vec<VarId> {
    // Known variables that are read by the unknown half.
    let mut read = vec![false; graph.num_vars()];
    for v in unknown_out {
        read[v.index()] |= known[v.index()];
    }
    for eqn in graph.eqns() {
        if eqn.outputs.iter().any(|v| !known[v.index()]) {
            for v in &eqn.inputs {
                read[v.index()] |= known[v.index()];
            }
        }
    }
    let mut residuals = Vec::new();
    for eqn in graph.eqns().iter().rev() {
        let wanted = eqn.outputs.iter().any(|v| known[v.index()] && read[v.index()]);
        if !wanted {
            continue;
        }
        if is_cheap(graph, &eqn.op, &eqn.inputs) {
            for v in &eqn.inputs {
                read[v.index()] = true;
            }
        } else {
            residuals.extend(eqn.outputs.iter().filter(|v| known[v.index()] && read[v.index()]));
        }
    }
    residuals.extend(graph.inputs().iter().filter(|v| known[v.index()] && read[v.index()]));
    residuals.reverse();
    residuals
}

/// Whether making a result again costs no more than keeping it: it holds no more information than
/// its operand, which is no larger.
fn is_cheap(graph: &Graph, op: &Op, inputs: &[VarId]) -> bool {
    match op {
        Op::Iota { .. } | Op::Broadcast { .. } | Op::Reshape { .. } => true,
        Op::Cast(_) => inputs.iter().all(|v| graph.ty(*v).dtype == DType::Bool),
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Special(_)
        | Op::Select
        | Op::Bitcast(_)
        | Op::Threefry2x32
        | Op::Reduce { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Reverse { .. }
        | Op::Gather { .. }
        | Op::Scatter { .. }
        | Op::Cumulative { .. }
        | Op::Sort { .. }
        | Op::Dot(_)
        | Op::Linalg(_)
        | Op::Call { .. }
        | Op::Scan(_)
        | Op::Checkpoint { .. }
        | Op::Custom(_)
        | Op::Callback(_)
        | Op::Switch(_)
        | Op::While(_) => false,
    }
}
