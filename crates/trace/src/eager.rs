//! Who computes the operations outside of traces: the interpreter, and the large ones a backend,
//! one program per op and operand types. Backends make themselves known here; without one, or
//! inside of [`with_interpreted`], all is the interpreter's.
//!
//! A large operation then gives what a compiled function of that one operation gives.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::backend::{Backend, Executable};
use crate::builder::GraphBuilder;
use crate::context::{Rounding, Subnormals, here, with_rounding, with_subnormals};
use crate::error::Result;
use crate::eval::{eval_graph_with, eval_op};
use crate::op::opaque::Custom;
use crate::op::structural::DotAxes;
use crate::op::{LinalgOp, Op};
use crate::types::ArrayType;
use crate::value::{Value, Values};
use crate::var::VarId;
use crate::verify::verify;
use smallvec::SmallVec;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Makes the backend, when it is first needed.
static MAKE: OnceLock<fn() -> Arc<dyn Backend>> = OnceLock::new();
static BACKEND: OnceLock<Arc<dyn Backend>> = OnceLock::new();

/// The programs of late, the latest last; none where the backend had none.
static PROGRAMS: Mutex<VecDeque<Program>> = Mutex::new(VecDeque::new());
/// Most programs that are kept: looking through them costs nothing beside what they do.
const MOST: usize = 256;

thread_local! {
    static INTERPRETED: Cell<bool> = const { Cell::new(false) };
}

struct Program {
    op: Op,
    inputs: SmallVec<[ArrayType; 4]>,
    executable: Option<Arc<dyn Executable>>,
}

/// Names the backend that computes large operations outside of traces. The first one stays.
pub fn compute_large_on(make: fn() -> Arc<dyn Backend>) {
    // That another was first is no fault.
    let _ = MAKE.set(make);
}

/// Runs `f` with operations of this thread outside of traces computed by the interpreter alone, or,
/// where `interpreted` is false, the large ones by the backend that is known.
pub fn with_interpreted<R>(interpreted: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            INTERPRETED.set(self.0);
        }
    }
    let _restore = Restore(INTERPRETED.replace(interpreted));
    f()
}

/// Applies an op outside of traces. `outputs` are the result types that `infer` gives.
pub(crate) fn compute(
    op: &Op,
    inputs: &[Value],
    outputs: &[ArrayType],
) -> Result<SmallVec<[Value; 2]>> {
    if MAKE.get().is_none() || INTERPRETED.get() {
        return eval_op(op, inputs, outputs);
    }
    if let Op::Call { graph, .. } | Op::Checkpoint { graph } | Op::Custom(Custom { graph, .. }) = op
    {
        // Equation by equation, as if they stood here.
        let inputs: SmallVec<[&Value; 4]> = inputs.iter().collect();
        return Ok(eval_graph_with(graph, &inputs, compute)?.into_iter().collect());
    }
    if is_large(op, inputs, outputs)
        && let Some(executable) = program(op, inputs)
    {
        let operands: SmallVec<[&Value; 4]> = inputs.iter().collect();
        // Subnormal numbers are kept, as the interpreter does: results do not depend on the size.
        // What fails there fails here too, with the line of this operation in the error.
        let run = || executable.run(&operands);
        if let Ok(results) = with_subnormals(Subnormals::Keep, run) {
            return Ok(Values::into_iter(results).collect());
        }
    }
    eval_op(op, inputs, outputs)
}

/// So many elements take the interpreter about as long as it takes to compile an op.
const ELEMENTS: usize = 1 << 17;
/// Multiplications of a product, as [`ELEMENTS`].
const PRODUCTS: usize = 1 << 21;

/// Whether the interpreter takes longer than compiling does, and compiled code is faster.
fn is_large(op: &Op, inputs: &[Value], outputs: &[ArrayType]) -> bool {
    let size = || {
        let inputs = inputs.iter().map(|x| x.ty().size()).max().unwrap_or(0);
        inputs.max(outputs.iter().map(ArrayType::size).max().unwrap_or(0))
    };
    match op {
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Select
        | Op::Cast(_)
        | Op::Threefry2x32
        | Op::Reduce { .. }
        | Op::Broadcast { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Reverse { .. }
        | Op::Iota { .. }
        | Op::Gather { .. } => size() >= ELEMENTS,
        // One lane is sorted by the same loop there, several by several threads.
        Op::Sort { axis, .. } => {
            size() >= ELEMENTS && inputs[0].ty().size() > inputs[0].ty().shape[*axis]
        }
        Op::Dot(DotAxes { lhs_contract, .. }) => {
            let x = &inputs[0].ty().shape;
            let depth: usize = lhs_contract.iter().map(|&axis| x[axis]).product();
            outputs[0].size().saturating_mul(depth) >= PRODUCTS
        }
        Op::Linalg(op) => {
            let ty = inputs[0].ty();
            let rows = ty.shape.iter().rev().take(2).copied().min().unwrap_or(0);
            let work = ty.size().max(inputs.last().map_or(0, |b| b.ty().size()));
            // How many multiplications of a product one step of the interpreter takes.
            let weight = match op {
                LinalgOp::Cholesky
                | LinalgOp::TriangularSolve { .. }
                | LinalgOp::LuSolve { .. }
                | LinalgOp::LuDet => 1,
                LinalgOp::Lu | LinalgOp::Qr { .. } => 2,
                LinalgOp::Eigh { .. } | LinalgOp::Svd { .. } => 32,
            };
            work.saturating_mul(rows).saturating_mul(weight) >= PRODUCTS
        }
        // Nothing to compute, or the very same loops there.
        Op::Bitcast(_)
        | Op::Reshape { .. }
        | Op::Special(_)
        | Op::Scatter { .. }
        | Op::Cumulative { .. } => false,
        // What they run is not looked into.
        Op::Call { .. }
        | Op::Checkpoint { .. }
        | Op::Custom(_)
        | Op::Callback(_)
        | Op::Scan(_)
        | Op::Switch(_)
        | Op::While(_) => false,
    }
}

fn programs() -> MutexGuard<'static, VecDeque<Program>> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program of an op, compiled the first time.
fn program(op: &Op, inputs: &[Value]) -> Option<Arc<dyn Executable>> {
    let fits = |program: &Program| {
        program.inputs.len() == inputs.len()
            && program.op == *op
            && program.inputs.iter().zip(inputs).all(|(ty, x)| ty == x.ty())
    };
    let mut known = programs();
    if let Some(at) = known.iter().rposition(fits)
        && let Some(program) = known.remove(at)
    {
        let executable = program.executable.clone();
        known.push_back(program);
        return executable;
    }
    drop(known);
    let make = MAKE.get()?;
    let inputs: SmallVec<[ArrayType; 4]> = inputs.iter().map(|x| x.ty().clone()).collect();
    let executable = compile(&**BACKEND.get_or_init(make), op, &inputs).map(Arc::from);
    let mut known = programs();
    if known.len() >= MOST {
        known.pop_front();
    }
    known.push_back(Program { op: op.clone(), inputs, executable: executable.clone() });
    executable
}

fn compile(backend: &dyn Backend, op: &Op, types: &[ArrayType]) -> Option<Box<dyn Executable>> {
    let mut builder = GraphBuilder::new();
    let inputs: SmallVec<[VarId; 4]> = types.iter().map(|ty| builder.input(ty.clone())).collect();
    let outputs = builder.push(op.clone(), &inputs, here()).ok()?;
    let graph = builder.finish(outputs.into_vec());
    // As the interpreter rounds, whatever is in force.
    with_rounding(Rounding::AsWritten, || backend.compile(verify(&graph).ok()?).ok())
}
