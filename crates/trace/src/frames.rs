//! The stack of graphs under construction of this thread. While one is open, every operation is
//! recorded in the innermost; variables of an outer trace become captured inputs of the inner
//! graph. Operands have element types here; nothing here knows what the operations mean.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::builder::GraphBuilder;
use crate::context::here;
use crate::dtype::DType;
use crate::eager;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{Array, Outputs, Repr, TraceId};
use crate::op::fault::Fault;
use crate::op::{Op, infer};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Loc, Shape};
use crate::value::Value;
use crate::var::VarId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// One graph under construction.
pub(crate) struct Frame {
    pub(crate) id: TraceId,
    pub(crate) builder: GraphBuilder,
    /// Arrays of outer traces, as inputs of this one.
    pub(crate) captures: Vec<(VarId, Array)>,
    captured: FxHashMap<(TraceId, VarId), VarId>,
    /// Arguments without an element type, in the types that were asked for.
    pub(crate) wanted: Vec<Wanted>,
    /// Whether something was recorded once per float type.
    pub(crate) pairs: bool,
}

/// An argument without a type, in the types that it was asked for so far.
pub(crate) struct Wanted {
    pub(crate) shape: Shape,
    pub(crate) vars: SmallVec<[(DType, VarId); 2]>,
}

thread_local! {
    static STACK: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// An open trace. It is closed also when the traced function panics, so that the thread stays
/// usable.
pub(crate) struct Opened(TraceId);

impl Drop for Opened {
    fn drop(&mut self) {
        STACK.with_borrow_mut(|stack| {
            if let Some(depth) = stack.iter().position(|frame| frame.id == self.0) {
                stack.truncate(depth);
            }
        });
    }
}

/// An identity for a trace.
pub(crate) fn next_id() -> TraceId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    TraceId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Opens a trace.
pub(crate) fn open(id: TraceId, builder: GraphBuilder, wanted: Vec<Wanted>) -> Opened {
    let (captures, captured) = (Vec::new(), FxHashMap::default());
    let frame = Frame { id, builder, captures, captured, wanted, pairs: false };
    STACK.with_borrow_mut(|stack| stack.push(frame));
    Opened(id)
}

/// Closes the innermost trace.
pub(crate) fn close(_: Opened) -> Option<Frame> {
    STACK.with_borrow_mut(Vec::pop)
}

/// True while this thread records a graph.
#[inline]
pub fn is_tracing() -> bool {
    STACK.with_borrow(|stack| !stack.is_empty())
}

/// An argument of an open trace in a type: an input of its graph.
pub(crate) fn ask(trace: TraceId, index: usize, dtype: DType, location: Loc) -> Array {
    let found = STACK.with_borrow_mut(|stack| {
        let frame = stack.iter_mut().find(|frame| frame.id == trace)?;
        let wanted = frame.wanted.get_mut(index)?;
        let ty = ArrayType::new(dtype, &wanted.shape);
        let known = wanted.vars.iter().find(|(d, _)| *d == dtype).map(|(_, var)| *var);
        let var = known.unwrap_or_else(|| {
            let var = frame.builder.input(ty.clone());
            wanted.vars.push((dtype, var));
            var
        });
        Some(Array::traced(trace, var, ty, location))
    });
    found.unwrap_or_else(|| Array::invalid(ended(location, location), location))
}

/// Says that the innermost trace has recorded something twice, of which part may be unused.
pub(crate) fn note_pair() {
    STACK.with_borrow_mut(|stack| {
        if let Some(frame) = stack.last_mut() {
            frame.pairs = true;
        }
    });
}

/// The variable that stands for `array` in the innermost graph.
pub(crate) fn variable(array: &Array, location: Loc) -> Result<VarId> {
    STACK.with_borrow_mut(|stack| lift(stack, array, location))
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
        Repr::Weak(_) => Err(undecided()),
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
            top.captures.push((var, array.clone()));
            top.captured.insert(key, var);
            Ok(var)
        }
    }
}

/// Types are decided before anything is recorded or computed.
fn undecided() -> Error {
    Error::new(ErrorKind::Internal, "an array without an element type")
}

/// Whether the trace is still being recorded on this thread.
pub(crate) fn is_open(trace: TraceId) -> bool {
    STACK.with_borrow(|stack| stack.iter().any(|frame| frame.id == trace))
}

pub(crate) fn escaped(array: &Array, location: Loc) -> Error {
    ended(array.location, location)
}

fn ended(made: Loc, location: Loc) -> Error {
    Error::new(ErrorKind::Trace, "a traced array was used after its trace had ended")
        .at(location)
        .note("the array was made", Some(made))
        .help("return the array from the traced function instead of storing it elsewhere")
}

/// Applies an op to operands that have element types: recorded while a trace is open, computed
/// at once otherwise. Operands that do not fit give invalid results that carry the error.
#[track_caller]
pub(crate) fn apply(op: Op, inputs: &[&Array]) -> Outputs {
    let location = here();
    let count = op.results(inputs.len());
    let result = STACK.with_borrow_mut(|stack| {
        if stack.is_empty() { None } else { Some(record(stack, op.clone(), inputs, location)) }
    });
    match result.unwrap_or_else(|| compute(&op, inputs, location)) {
        Ok(outputs) => outputs,
        Err(error) => (0..count).map(|_| Array::invalid(error.clone(), location)).collect(),
    }
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
            Repr::Weak(_) => Err(undecided()),
            Repr::Traced(_) => Err(escaped(array, location)),
            Repr::Invalid(error) => Err(error.clone()),
        })
        .collect::<Result<_>>()?;
    let types: SmallVec<[&ArrayType; 4]> = values.iter().map(Value::ty).collect();
    let results = infer(op, &types).map_err(|f| explain(f, inputs, location))?;
    let outputs = eager::compute(op, &values, &results).map_err(|e| e.at(location))?;
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
