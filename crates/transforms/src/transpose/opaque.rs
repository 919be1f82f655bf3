//! Transposes of what holds more than a formula: a checkpoint computes its inside anew on the way
//! back, a custom op has a rule or is transposed as its graph.

use super::{Cotangents, LinearEqn, control, transpose, transpose_arrays};
use crate::extract::{extract, internal, partition};
use probpipe_trace::{Array, Custom, Graph, Op, Result, Sparse, bind};
use std::sync::Arc;

/// The transpose stays a checkpoint, so that its values are computed where it is.
pub(super) fn checkpoint_transpose(graph: &Graph, eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let given: Vec<bool> = eqn.cts.iter().map(Option::is_some).collect();
    let wanted = partition(graph.outputs(), &given).0;
    let graph = extract(graph, graph.inputs(), &wanted)?;
    let linear: Vec<bool> = eqn.values.iter().map(Option::is_none).collect();
    let backward = transpose(&graph, &linear)?;
    let operands: Vec<&Array> = eqn.values.iter().chain(&eqn.cts).flatten().collect();
    let cts = bind(Op::Checkpoint { graph: Arc::new(backward) }, &operands);
    Ok(control::at_linear(eqn, cts.into_iter().map(Some).collect()))
}

/// Cotangents of the operands without a value, in order.
pub(crate) fn custom_transpose(
    custom: &Custom,
    values: &[Option<Array>],
    cts: &[Option<Array>],
) -> Result<Sparse> {
    let cts = match custom.rule.transpose(custom, values, cts) {
        Some(cts) => cts?,
        None => transpose_arrays(&custom.graph, values, cts.to_vec())?,
    };
    let linear = values.iter().filter(|v| v.is_none()).count();
    if cts.len() != linear {
        let message = format!("a rule gave {} cotangents for {linear} operands", cts.len());
        return Err(internal(message));
    }
    Ok(cts)
}
