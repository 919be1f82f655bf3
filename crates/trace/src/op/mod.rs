//! The closed set of operations. Every consumer matches on [`Op`] without a wildcard, so a new op
//! does not compile until it has a type rule (here), an interpreter rule, a JVP, a transpose where
//! it is linear, a batching rule and a lowering.
//!
//! Operands of one op have equal shapes: broadcasting is an op of its own, written by the methods
//! of [`crate::Array`]. [`infer`] is the only place where result types are decided.

pub(crate) mod control;
pub(crate) mod elementwise;
pub(crate) mod fault;
pub(crate) mod graph;
pub(crate) mod indexing;
pub(crate) mod linalg;
pub(crate) mod nested;
pub(crate) mod opaque;
pub(crate) mod special;
pub(crate) mod structural;

pub use control::{Lane, Scan, Switch, While};
pub use elementwise::{
    Accepts, BinaryInstruction, BinaryOp, CompareOp, Cost, Oracle, Spec, UnaryInstruction, UnaryOp,
};
pub use fault::{Fault, Inferred};
pub use indexing::{CumulativeOp, ScatterOp};
pub use linalg::{LinalgOp, Vectors};
pub use nested::Nested;
pub use opaque::{Callback, Custom, CustomRule, HostFn, Sparse};
pub use special::{MAX_PARAMETER_ORDER, SpecialOp};
pub use structural::{DotAxes, ReduceOp};

use crate::dtype::DType;
use crate::op::graph::Graph;
use crate::types::{ArrayType, Axes, Shape};
use std::sync::Arc;

/// An operation with its static parameters.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// One operand, elementwise.
    Unary(UnaryOp),
    /// Two operands, elementwise.
    Binary(BinaryOp),
    /// Two operands, elementwise, to `bool`.
    Compare(CompareOp),
    /// `select(condition, on_true, on_false)`, elementwise; both branches are values.
    Select,
    /// Conversion: floats to integers truncate and saturate with NaN to 0; integers wrap;
    /// anything to `bool` is `x != 0`.
    Cast(DType),
    /// The same bits as another type of the same width.
    Bitcast(DType),
    /// One to three floats, elementwise, by a function that is called for each point.
    Special(SpecialOp),
    /// The Threefry-2x32 block function with 20 rounds, elementwise:
    /// `(key0, key1, count0, count1) -> (bits0, bits1)`, all `u32`.
    Threefry2x32,
    /// Reduction over `axes`, which vanish from the shape.
    Reduce {
        /// How elements combine.
        op: ReduceOp,
        /// The axes, ascending.
        axes: Axes,
    },
    /// Operand axis `i` becomes axis `axes[i]` of `shape`; an extent of 1 stretches, axes not
    /// named repeat the operand.
    Broadcast {
        /// The result's shape.
        shape: Shape,
        /// Where each operand axis goes, ascending.
        axes: Axes,
    },
    /// The same elements in row-major order under another shape.
    Reshape {
        /// The result's shape.
        shape: Shape,
    },
    /// Axis `i` of the result is axis `permutation[i]` of the operand.
    Transpose {
        /// A permutation of the axes.
        permutation: Axes,
    },
    /// Elements `start, start + stride, ...` below `limit` along each axis.
    Slice {
        /// First index per axis.
        start: Shape,
        /// End (exclusive) per axis.
        limit: Shape,
        /// Step per axis, at least 1.
        stride: Shape,
    },
    /// `pad(operand, value)`: `low` values before, `high` after and `interior` between the
    /// elements along each axis.
    Pad {
        /// Before.
        low: Shape,
        /// After.
        high: Shape,
        /// Between neighbours.
        interior: Shape,
    },
    /// The operands one after another along `axis`.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// The elements in reverse order along `axes`.
    Reverse {
        /// The axes, ascending.
        axes: Axes,
    },
    /// `0, 1, 2, ...` along `axis`, constant along the others. No operands.
    Iota {
        /// The result's type, numeric.
        ty: ArrayType,
        /// The axis that counts.
        axis: usize,
    },
    /// `gather(x, i1, .., ik)` reads `x` at computed indices: leading batch axes run in step, each
    /// `i32` index array takes one axis, the rest of `x` follows. So `result[b.., p.., r..]` is
    /// `x[b.., i1[b.., p..], .., ik[b.., p..], r..]`, and zero where an index is out of range.
    Gather {
        /// Number of batch axes.
        batch: usize,
    },
    /// `scatter(x, i1, .., ik, updates)`: `x` with `updates`, of the shape that gathering with
    /// these indices gives, combined into the places that the indices say, one index tuple after
    /// the other in row-major order. Updates out of range are dropped.
    Scatter {
        /// How they combine.
        op: ScatterOp,
        /// Number of batch axes.
        batch: usize,
    },
    /// Running reduction: element `i` along `axis` combines those up to it.
    Cumulative {
        /// How elements combine.
        op: CumulativeOp,
        /// The axis.
        axis: usize,
        /// From the last element to the first.
        reverse: bool,
    },
    /// Sorts arrays of one shape together along an axis: stable, ascending, by the first array,
    /// ties by the second, and so on. NaN comes last; both zeros are equal.
    Sort {
        /// The axis.
        axis: usize,
        /// How many of the arrays are compared; the others are carried along.
        num_keys: usize,
    },
    /// Generalised matrix product: contracts pairs of axes, runs pairs of batch axes in step.
    /// Result axes: batch, then the free axes of the left, then those of the right operand.
    Dot(DotAxes),
    /// Dense linear algebra on the last two axes, batched over the others.
    Linalg(LinalgOp),
    /// Another graph, as one equation: inputs to outputs.
    Call {
        /// The graph.
        graph: Arc<Graph>,
        /// For printing.
        name: &'static str,
        /// What each lane computes, where the graph computes lanes side by side.
        lane: Option<Arc<Lane>>,
    },
    /// A loop of known length. See [`Scan`].
    Scan(Scan),
    /// A graph that reverse mode computes anew instead of keeping what it computed: of its inside
    /// only the operands are kept. Nothing is moved into or out of it before it is lowered.
    Checkpoint {
        /// The graph.
        graph: Arc<Graph>,
    },
    /// A graph with derivatives of its own.
    Custom(Custom),
    /// A call of a function of the host.
    Callback(Arc<Callback>),
    /// One of several graphs, chosen by a number. See [`Switch`].
    Switch(Switch),
    /// A loop that runs as long as a condition holds. See [`While`].
    While(While),
}

#[deny(clippy::wildcard_enum_match_arm)]
impl Op {
    /// The name in printed graphs and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Unary(op) => op.spec().name,
            Op::Binary(op) => op.spec().name,
            Op::Compare(op) => op.spec().name,
            Op::Special(op) => op.name(),
            Op::Select => "select",
            Op::Cast(_) => "cast",
            Op::Bitcast(_) => "bitcast",
            Op::Threefry2x32 => "threefry2x32",
            Op::Reduce { op, .. } => op.name(),
            Op::Broadcast { .. } => "broadcast",
            Op::Reshape { .. } => "reshape",
            Op::Transpose { .. } => "transpose",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Concat { .. } => "concat",
            Op::Reverse { .. } => "reverse",
            Op::Iota { .. } => "iota",
            Op::Gather { .. } => "gather",
            Op::Scatter { op, .. } => op.name(),
            Op::Cumulative { op, .. } => op.name(),
            Op::Sort { .. } => "sort",
            Op::Dot(_) => "dot",
            Op::Linalg(op) => op.name(),
            Op::Call { .. } => "call",
            Op::Scan(_) => "scan",
            Op::Checkpoint { .. } => "checkpoint",
            Op::Custom(_) => "custom",
            Op::Callback(_) => "callback",
            Op::Switch(_) => "switch",
            Op::While(_) => "while",
        }
    }

    /// The number of operands, where the op fixes it.
    pub fn arity(&self) -> Option<usize> {
        match self {
            Op::Unary(_) | Op::Cast(_) | Op::Bitcast(_) | Op::Reduce { .. } => Some(1),
            Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => Some(1),
            Op::Slice { .. } | Op::Reverse { .. } | Op::Cumulative { .. } => Some(1),
            Op::Gather { .. } | Op::Scatter { .. } | Op::Sort { .. } => None,
            Op::Binary(_) | Op::Compare(_) | Op::Pad { .. } | Op::Dot(_) => Some(2),
            Op::Linalg(op) => Some(op.arity()),
            Op::Select => Some(3),
            Op::Special(op) => Some(op.arity()),
            Op::Threefry2x32 => Some(4),
            Op::Iota { .. } => Some(0),
            Op::Concat { .. } => None,
            Op::Call { graph, .. } => Some(graph.inputs().len()),
            Op::Scan(scan) => Some(scan.body.inputs().len()),
            Op::Checkpoint { graph } => Some(graph.inputs().len()),
            Op::Custom(custom) => Some(custom.graph.inputs().len()),
            Op::Callback(callback) => Some(callback.inputs.len()),
            Op::Switch(switch) => Some(1 + switch.operands()),
            Op::While(w) => Some(w.cond_consts.saturating_add(w.body.inputs().len())),
        }
    }

    /// The number of results, from that of the operands.
    pub fn results(&self, operands: usize) -> usize {
        match self {
            Op::Threefry2x32 => 2,
            Op::Sort { .. } => operands,
            Op::Linalg(op) => op.results(),
            Op::Call { graph, .. } | Op::Checkpoint { graph } => graph.outputs().len(),
            Op::Scan(scan) => scan.body.outputs().len(),
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
}

/// The type rule of every op.
pub fn infer(op: &Op, inputs: &[&ArrayType]) -> Inferred {
    if let Some(arity) = op.arity()
        && arity != inputs.len()
    {
        return Err(Fault::shape(
            format!("`{}` takes {arity} operands, not {}", op.name(), inputs.len()),
            "give as many operands as the op takes",
        ));
    }
    match op {
        Op::Unary(op) => elementwise::unary(*op, inputs[0]),
        Op::Binary(op) => elementwise::binary(*op, inputs[0], inputs[1]),
        Op::Compare(op) => elementwise::compare(*op, inputs[0], inputs[1]),
        Op::Special(op) => special::special(*op, inputs),
        Op::Select => elementwise::select(inputs[0], inputs[1], inputs[2]),
        Op::Cast(to) => Ok(smallvec::smallvec![inputs[0].with_dtype(*to)]),
        Op::Bitcast(to) => elementwise::bitcast(*to, inputs[0]),
        Op::Threefry2x32 => elementwise::threefry(inputs),
        Op::Reduce { op, axes } => structural::reduce(*op, axes, inputs[0]),
        Op::Broadcast { shape, axes } => structural::broadcast(shape, axes, inputs[0]),
        Op::Reshape { shape } => structural::reshape(shape, inputs[0]),
        Op::Transpose { permutation } => structural::transpose(permutation, inputs[0]),
        Op::Slice { start, limit, stride } => structural::slice(start, limit, stride, inputs[0]),
        Op::Pad { low, high, interior } => {
            structural::pad(low, high, interior, inputs[0], inputs[1])
        }
        Op::Concat { axis } => structural::concat(*axis, inputs),
        Op::Reverse { axes } => structural::reverse(axes, inputs[0]),
        Op::Iota { ty, axis } => structural::iota(ty, *axis),
        Op::Gather { batch } => indexing::gather(*batch, inputs),
        Op::Scatter { op, batch } => indexing::scatter(*op, *batch, inputs),
        Op::Cumulative { op, axis, .. } => indexing::cumulative(*op, *axis, inputs[0]),
        Op::Sort { axis, num_keys } => indexing::sort(*axis, *num_keys, inputs),
        Op::Dot(axes) => structural::dot(axes, inputs[0], inputs[1]),
        Op::Linalg(op) => linalg::infer(*op, inputs),
        Op::Call { graph, lane, .. } => {
            let outputs = opaque::call("call", graph, inputs)?;
            if let Some(lane) = lane {
                control::lane(lane, inputs, &outputs)?;
            }
            Ok(outputs)
        }
        Op::Scan(scan) => control::scan(scan, inputs),
        Op::Checkpoint { graph } => opaque::call("checkpoint", graph, inputs),
        Op::Custom(custom) => opaque::call("custom", &custom.graph, inputs),
        Op::Callback(callback) => opaque::callback(callback, inputs),
        Op::Switch(switch) => control::switch(switch, inputs),
        Op::While(w) => control::while_loop(w, inputs),
    }
}
