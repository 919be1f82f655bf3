//! The trace: a thread-local stack of graphs under construction. While one is open, every
//! operation of this thread is recorded in the innermost. Variables of an outer trace become
//! captured inputs of the inner graph. Nothing here knows what the operations mean.

pub(crate) mod open;

use crate::array::{Array, Repr, weak};
use crate::graph::GraphBuilder;
use crate::op::{Fault, Op};
use crate::{ArrayType, DType, Error, ErrorKind, Graph, Loc, Result, Value, VarId, eval};
use open::Wanted;
pub use open::{Argument, Asked, Open, one_of, trace_open};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

/// Results of an operation; nearly always one.
pub type Outputs = SmallVec<[Array; 2]>;

/// A graph under construction, as an identity for its variables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TraceId(u64);

struct Frame {
    id: TraceId,
    builder: GraphBuilder,
    /// Arrays of outer traces, as inputs of this one.
    captures: Vec<(VarId, Array)>,
    captured: FxHashMap<(TraceId, VarId), VarId>,
    /// Arguments without an element type, in the types that were asked for.
    wanted: Vec<Wanted>,
    /// Whether something was recorded once per float type.
    pairs: bool,
}

impl Frame {
    fn new(id: TraceId, builder: GraphBuilder, wanted: Vec<Wanted>) -> Frame {
        let (captures, captured) = (Vec::new(), FxHashMap::default());
        Frame { id, builder, captures, captured, wanted, pairs: false }
    }
}

thread_local! {
    static STACK: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
    static LOCATION: Cell<Option<Loc>> = const { Cell::new(None) };
    static DEFAULT_FLOAT: Cell<DType> = const { Cell::new(DType::F32) };
}

/// The float type that literals take where no array decides.
#[inline]
pub fn default_float() -> DType {
    DEFAULT_FLOAT.get()
}

/// Runs `f` with another [`default_float`] on this thread. `dtype` must be `F32` or `F64`;
/// anything else leaves the default as it is.
pub fn with_default_float<R>(dtype: DType, f: impl FnOnce() -> R) -> R {
    struct Restore(DType);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEFAULT_FLOAT.set(self.0);
        }
    }
    let _restore = Restore(DEFAULT_FLOAT.get());
    if dtype.is_float() {
        DEFAULT_FLOAT.set(dtype);
    }
    f()
}

/// Runs `f` with every operation in it recorded as written at `location`: how rewrites pass on
/// the user's line.
pub fn with_location<R>(location: Loc, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Loc>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LOCATION.set(self.0);
        }
    }
    let _restore = Restore(LOCATION.replace(Some(location)));
    f()
}

/// Runs `f` with every operation in it recorded where its caller wrote it, also inside
/// [`with_location`]: for closures of the user, whose lines are their own.
pub fn without_location<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Loc>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LOCATION.set(self.0);
        }
    }
    let _restore = Restore(LOCATION.replace(None));
    f()
}

/// The location in force: that of [`with_location`], else the caller's. Where a line must pass
/// through a closure or a trait object: `with_location(here(), || ...)`.
#[track_caller]
pub fn here() -> Loc {
    // Not `unwrap_or_else`: called from inside it, `caller` would name a line of the library.
    match LOCATION.get() {
        Some(location) => location,
        None => Location::caller(),
    }
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
    let arguments: Vec<Argument> = inputs.iter().cloned().map(Argument::Typed).collect();
    let (open, extra) = trace_open(location, &arguments, f);
    (open.map(|open| open.close(&[])), extra)
}

fn next_id() -> TraceId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    TraceId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Closes the frame also when the traced function panics, so that the thread stays usable.
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
    Error::new(ErrorKind::Trace, "a traced array was used after its trace had ended")
        .at(location)
        .note("the array was made", Some(array.location))
        .help("return the array from the traced function instead of storing it elsewhere")
}

/// The element type that a literal takes where no array decides.
pub(crate) fn literal_dtype(scalar: crate::Scalar) -> DType {
    match scalar {
        crate::Scalar::Float(_) => default_float(),
        crate::Scalar::Int(v) if i32::try_from(v).is_ok() => DType::I32,
        crate::Scalar::Int(v) if i64::try_from(v).is_ok() => DType::I64,
        crate::Scalar::Int(_) => DType::U64,
        crate::Scalar::Bool(_) => DType::Bool,
    }
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
        _ => 1,
    }
}

/// Applies an op: recorded while a trace is open, computed by the interpreter otherwise. Operands
/// that do not fit give invalid results that carry the error.
#[track_caller]
pub fn bind(op: Op, inputs: &[&Array]) -> Outputs {
    if inputs.iter().any(|array| array.is_weak()) {
        return weak::bind(op, inputs);
    }
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
            Repr::Weak(_) => Err(undecided()),
            Repr::Traced(_) => Err(escaped(array, location)),
            Repr::Invalid(error) => Err(error.clone()),
        })
        .collect::<Result<_>>()?;
    let types: SmallVec<[&ArrayType; 4]> = values.iter().map(Value::ty).collect();
    let results = crate::op::infer(op, &types).map_err(|f| explain(f, inputs, location))?;
    let outputs = eval::eval_op(op, &values, &results).map_err(|e| e.at(location))?;
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
