//! Operations and traces: an operation is recorded in the innermost open trace, or computed at
//! once; a traced function becomes a graph.

use crate::context::{here, with_location};
use crate::error::{Error, ErrorKind, Result};
use crate::frames::apply;
use crate::handle::{Array, Outputs};
use crate::op::Op;
use crate::op::graph::Graph;
use crate::open::{Argument, Traced, trace_open};
use crate::types::{ArrayType, Loc};
use crate::weak;
use smallvec::SmallVec;
use std::panic::Location;

/// Records `f` applied to variables of the given types. Fails with the error of the first
/// output that is invalid.
#[track_caller]
pub fn trace(inputs: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) -> Result<Traced> {
    trace_with(here(), inputs, |arguments| (f(arguments), ())).0
}

/// As [`trace`], for functions that also give something besides arrays, which is returned also
/// when the trace fails.
pub fn trace_with<T>(
    location: Loc,
    inputs: &[ArrayType],
    f: impl FnOnce(&[Array]) -> (Vec<Array>, T),
) -> (Result<Traced>, T) {
    let arguments: Vec<Argument> = inputs.iter().cloned().map(Argument::Typed).collect();
    let (open, extra) = trace_open(location, &arguments, f);
    (open.map(|open| open.close(&[])), extra)
}

/// Applies an op: recorded while a trace is open, computed at once otherwise. Operands
/// that do not fit give invalid results that carry the error.
#[track_caller]
pub fn bind(op: Op, inputs: &[&Array]) -> Outputs {
    if inputs.iter().any(|array| array.is_weak()) {
        weak::bind(op, inputs)
    } else {
        apply(op, inputs)
    }
}

/// [`bind`] for ops of one result.
#[track_caller]
pub fn bind1(op: Op, inputs: &[&Array]) -> Array {
    let location = here();
    let mut outputs = bind(op, inputs);
    outputs.pop().unwrap_or_else(|| {
        Array::invalid(Error::new(ErrorKind::Internal, "an op gave no result"), location)
    })
}

/// Runs a graph on arrays: recorded equation by equation while a trace is open, computed at
/// once otherwise.
pub fn inline(graph: &Graph, inputs: &[Array]) -> Vec<Array> {
    debug_assert_eq!(graph.inputs().len(), inputs.len());
    let mut env: Vec<Option<Array>> = vec![None; graph.num_vars()];
    let unknown = Location::caller();
    for (var, value) in graph.consts() {
        env[var.index()] = Some(Array::concrete(value.clone(), unknown));
    }
    for (var, array) in graph.inputs().iter().zip(inputs) {
        env[var.index()] = Some(array.clone());
    }
    let undefined =
        || Array::invalid(Error::new(ErrorKind::Internal, "an undefined variable"), unknown);
    for eqn in graph.eqns() {
        let operands: SmallVec<[Array; 4]> =
            eqn.inputs.iter().map(|v| env[v.index()].clone().unwrap_or_else(undefined)).collect();
        let operands: SmallVec<[&Array; 4]> = operands.iter().collect();
        let results = with_location(eqn.location, || bind(eqn.op.clone(), &operands));
        for (var, array) in eqn.outputs.iter().zip(results) {
            env[var.index()] = Some(array);
        }
    }
    graph.outputs().iter().map(|v| env[v.index()].clone().unwrap_or_else(undefined)).collect()
}
