//! The trace: a thread-local stack of graphs under construction. While one is open, every
//! operation of this thread is recorded in the innermost. Variables of an outer trace become
//! captured inputs of the inner graph. Nothing here knows what the operations mean.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::builder::GraphBuilder;
use crate::context::{here, with_location};
use crate::error::{Error, ErrorKind, Result};
use crate::eval::eval_op;
use crate::handle::{Array, Outputs, Repr, TraceId};
use crate::op::fault::Fault;
use crate::op::graph::Graph;
use crate::op::{Op, infer};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Loc};
use crate::value::Value;
use crate::var::VarId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

struct Frame {
    id: TraceId,
    builder: GraphBuilder,
    captures: Vec<Array>,
    captured: FxHashMap<(TraceId, VarId), VarId>,
}

thread_local! {
    static STACK: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// True while this thread records a graph.
#[inline]
pub fn is_tracing() -> bool {
    STACK.with_borrow(|stack| !stack.is_empty())
}

/// A traced function: the graph, whose last inputs are the captured outer arrays.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The graph; inputs are the arguments, then the captures.
    pub graph: Graph,
    /// Variables of outer traces that the function used, in the order of the last inputs.
    pub captures: Vec<Array>,
}

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
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = TraceId(NEXT.fetch_add(1, Ordering::Relaxed));
    let mut builder = GraphBuilder::new();
    let arguments: Vec<Array> = inputs
        .iter()
        .map(|ty| Array::traced(id, builder.input(ty.clone()), ty.clone(), location))
        .collect();

    /// Closes the frame also when `f` panics, so that the thread stays usable.
    struct Close(TraceId);
    impl Drop for Close {
        fn drop(&mut self) {
            STACK.with_borrow_mut(|stack| {
                if let Some(depth) = stack.iter().position(|frame| frame.id == self.0) {
                    stack.truncate(depth);
                }
            });
        }
    }
    STACK.with_borrow_mut(|stack| {
        stack.push(Frame { id, builder, captures: Vec::new(), captured: FxHashMap::default() })
    });
    let close = Close(id);
    let (arrays, extra) = f(&arguments);
    let outputs: Result<Vec<VarId>> = STACK
        .with_borrow_mut(|stack| arrays.iter().map(|array| lift(stack, array, location)).collect());
    let frame = STACK.with_borrow_mut(Vec::pop);
    drop(close);
    let traced = match (outputs, frame) {
        (Ok(outputs), Some(frame)) => {
            Ok(Traced { graph: frame.builder.finish(outputs), captures: frame.captures })
        }
        (Err(error), _) => Err(error.at(location)),
        (Ok(_), None) => Err(Error::new(ErrorKind::Internal, "the trace stack is empty")),
    };
    (traced, extra)
}

/// The variable that stands for `array` in the innermost graph.
fn lift(stack: &mut [Frame], array: &Array, location: Loc) -> Result<VarId> {
    let Some((top, outer)) = stack.split_last_mut() else {
        return Err(Error::new(ErrorKind::Internal, "no trace is open"));
    };
    match &array.repr {
        Repr::Invalid(error) => Err(error.clone()),
        Repr::Concrete(value) => Ok(top.builder.constant(value.clone())),
        Repr::Literal(scalar) => {
            Ok(top.builder.constant(Value::scalar(*scalar, literal_dtype(*scalar))))
        }
        Repr::Traced(traced) if traced.trace == top.id => Ok(traced.var),
        Repr::Traced(traced) => {
            if !outer.iter().any(|frame| frame.id == traced.trace) {
                return Err(escaped(array, location));
            }
            let key = (traced.trace, traced.var);
            if let Some(&var) = top.captured.get(&key) {
                return Ok(var);
            }
            let var = top.builder.input(traced.ty.clone());
            top.captures.push(array.clone());
            top.captured.insert(key, var);
            Ok(var)
        }
    }
}

/// Whether the trace is still being recorded on this thread.
pub(crate) fn is_open(trace: TraceId) -> bool {
    STACK.with_borrow(|stack| stack.iter().any(|frame| frame.id == trace))
}

pub(crate) fn escaped(array: &Array, location: Loc) -> Error {
    Error::new(ErrorKind::Trace, "a traced array was used after its trace had ended")
        .at(location)
        .note("the array was made", Some(array.location))
        .help("return the array from the traced function instead of storing it elsewhere")
}

/// Number of results of an op.
fn num_outputs(op: &Op, inputs: usize) -> usize {
    match op {
        Op::Threefry2x32 => 2,
        Op::Sort { .. } => inputs,
        Op::Linalg(op) => op.results(),
        Op::Call { graph, .. } => graph.outputs().len(),
        Op::Scan(scan) => scan.body.outputs().len(),
        Op::Checkpoint { graph } => graph.outputs().len(),
        Op::Custom(custom) => custom.graph.outputs().len(),
        Op::Callback(callback) => callback.outputs.len(),
        Op::Switch(switch) => switch.results(),
        Op::While(w) => w.carries(),
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Special(_) => 1,
        Op::Cast(_) | Op::Bitcast(_) | Op::Reduce { .. } | Op::Broadcast { .. } => 1,
        Op::Reshape { .. } | Op::Transpose { .. } | Op::Slice { .. } | Op::Pad { .. } => 1,
        Op::Concat { .. } | Op::Reverse { .. } | Op::Iota { .. } | Op::Dot(_) => 1,
        Op::Gather { .. } | Op::Scatter { .. } | Op::Cumulative { .. } => 1,
    }
}

/// Applies an op: recorded while a trace is open, computed by the interpreter otherwise. Operands
/// that do not fit give invalid results that carry the error.
#[track_caller]
pub fn bind(op: Op, inputs: &[&Array]) -> Outputs {
    let location = here();
    let count = num_outputs(&op, inputs.len());
    let result = STACK.with_borrow_mut(|stack| {
        if stack.is_empty() { None } else { Some(record(stack, op.clone(), inputs, location)) }
    });
    match result.unwrap_or_else(|| compute(&op, inputs, location)) {
        Ok(outputs) => outputs,
        Err(error) => (0..count).map(|_| Array::invalid(error.clone(), location)).collect(),
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

fn record(stack: &mut [Frame], op: Op, inputs: &[&Array], location: Loc) -> Result<Outputs> {
    let vars: SmallVec<[VarId; 4]> =
        inputs.iter().map(|array| lift(stack, array, location)).collect::<Result<_>>()?;
    let Some(top) = stack.last_mut() else {
        return Err(Error::new(ErrorKind::Internal, "no trace is open"));
    };
    let outputs =
        top.builder.push(op, &vars, location).map_err(|f| explain(f, inputs, location))?;
    Ok(outputs
        .into_iter()
        .map(|var| Array::traced(top.id, var, top.builder.ty(var).clone(), location))
        .collect())
}

fn compute(op: &Op, inputs: &[&Array], location: Loc) -> Result<Outputs> {
    let values: SmallVec<[Value; 4]> = inputs
        .iter()
        .map(|array| match &array.repr {
            Repr::Concrete(value) => Ok(value.clone()),
            Repr::Literal(scalar) => Ok(Value::scalar(*scalar, literal_dtype(*scalar))),
            Repr::Traced(_) => Err(escaped(array, location)),
            Repr::Invalid(error) => Err(error.clone()),
        })
        .collect::<Result<_>>()?;
    let types: SmallVec<[&ArrayType; 4]> = values.iter().map(Value::ty).collect();
    let results = infer(op, &types).map_err(|f| explain(f, inputs, location))?;
    let outputs = eval_op(op, &values, &results).map_err(|e| e.at(location))?;
    Ok(outputs.into_iter().map(|value| Array::concrete(value, location)).collect())
}

/// A type fault with the user's line and where the operands come from.
fn explain(fault: Fault, inputs: &[&Array], location: Loc) -> Error {
    let mut error = Error::new(fault.kind, fault.message).at(location).help(fault.help);
    if (2..=4).contains(&inputs.len()) {
        for array in inputs {
            if let Ok(ty) = array.ty() {
                error = error.note(format!("operand {ty}"), Some(array.location));
            }
        }
    }
    error
}

/// Runs a graph on arrays: recorded equation by equation while a trace is open, computed by the
/// interpreter otherwise.
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
