//! Reverse mode: the transpose of a linear graph carries cotangents from outputs to inputs. Only
//! linear ops have a rule; the rest of the graph runs forward first. Zero cotangents stay symbolic.

#![deny(clippy::wildcard_enum_match_arm)]

mod branch;
mod control;
mod elementwise;
mod indexing;
mod linalg;
mod opaque;
mod structural;
mod while_loop;

pub(crate) use opaque::custom_transpose;

use crate::extract::{Env, partition, zeros_of};
use crate::jvp::no_derivative;
use crate::partial_eval::{known_vars, separate};
use probpipe_trace::{
    Array, ArrayType, CumulativeOp, Eqn, Error, ErrorKind, Graph, LinalgOp, Op, ReduceOp, Result,
    bind, trace, with_location,
};
use smallvec::{SmallVec, smallvec};

/// Cotangents of an op's operands; `None` is zero, and stands for operands that are not linear.
pub(crate) type Cotangents = SmallVec<[Option<Array>; 3]>;

/// The transpose of a graph that is linear in the flagged inputs. Inputs: the inputs not flagged,
/// then cotangents of all outputs. Outputs: cotangents of the flagged inputs.
pub fn transpose(graph: &Graph, linear_inputs: &[bool]) -> Result<Graph> {
    let inputs: Vec<ArrayType> = graph.input_types().cloned().collect();
    let (linear, mut types) = partition(&inputs, linear_inputs);
    let fixed = types.len();
    types.extend(graph.output_types().cloned());
    let mut failed = None;
    let traced = trace(&types, |arguments| {
        let mut values = arguments[..fixed].iter();
        let values: Vec<Option<Array>> =
            linear_inputs.iter().map(|l| if *l { None } else { values.next().cloned() }).collect();
        let cts = arguments[fixed..].iter().cloned().map(Some).collect();
        match transpose_arrays(graph, &values, cts) {
            Ok(cts) => cts
                .into_iter()
                .zip(&linear)
                .map(|(ct, ty)| ct.unwrap_or_else(|| probpipe_trace::full_typed(ty, 0)))
                .collect(),
            Err(error) => {
                failed = Some(error);
                Vec::new()
            }
        }
    })?;
    failed.map_or(Ok(traced.graph), Err)
}

/// An equation in which some operand is linear.
pub(crate) struct LinearEqn<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) eqn: &'a Eqn,
    /// Values of the operands that are not linear.
    pub(crate) values: SmallVec<[Option<Array>; 3]>,
    /// Cotangents of the results.
    pub(crate) cts: SmallVec<[Option<Array>; 1]>,
}

impl LinearEqn<'_> {
    pub(crate) fn ty(&self, operand: usize) -> &ArrayType {
        self.graph.ty(self.eqn.inputs[operand])
    }

    pub(crate) fn is_linear(&self, operand: usize) -> bool {
        self.values[operand].is_none()
    }

    pub(crate) fn not_linear(&self) -> Error {
        let name = self.eqn.op.name();
        let message = format!("`{name}` is not linear in what is transposed");
        Error::new(ErrorKind::Transform, message)
            .at(self.eqn.location)
            .help("only linear functions have a transpose")
    }
}

/// Cotangents of the linear inputs (those without a value), in order, from those of the outputs.
pub(crate) fn transpose_arrays(
    graph: &Graph,
    values: &[Option<Array>],
    cts: Vec<Option<Array>>,
) -> Result<Vec<Option<Array>>> {
    let fixed: Vec<bool> = values.iter().map(Option::is_some).collect();
    let separated = separate(graph, &fixed)?;
    let graph = separated.as_ref().unwrap_or(graph);
    let known = known_vars(graph, &fixed);

    let mut env = Env::new(graph);
    for (v, value) in graph.inputs().iter().zip(values) {
        if let Some(value) = value {
            env.set(*v, value.clone());
        }
    }
    for eqn in graph.eqns().iter().filter(|e| e.outputs.iter().all(|v| known[v.index()])) {
        let operands: SmallVec<[Array; 3]> = eqn.inputs.iter().map(|v| env.get(*v)).collect();
        let operands: SmallVec<[&Array; 3]> = operands.iter().collect();
        let results = with_location(eqn.location, || bind(eqn.op.clone(), &operands));
        for (v, array) in eqn.outputs.iter().zip(results) {
            env.set(*v, array);
        }
    }

    let mut cotangents: Vec<Option<Array>> = vec![None; graph.num_vars()];
    for (v, ct) in graph.outputs().iter().zip(cts) {
        accumulate(&mut cotangents[v.index()], ct);
    }
    for eqn in graph.eqns().iter().rev().filter(|e| e.outputs.iter().any(|v| !known[v.index()])) {
        let cts: SmallVec<[Option<Array>; 1]> =
            eqn.outputs.iter().map(|v| cotangents[v.index()].take()).collect();
        if cts.iter().all(Option::is_none) {
            continue;
        }
        let values = eqn.inputs.iter().map(|v| known[v.index()].then(|| env.get(*v))).collect();
        let linear = LinearEqn { graph, eqn, values, cts };
        with_location(eqn.location, || -> Result<()> {
            let operand_cts = eqn_transpose(&linear)?;
            for (v, ct) in eqn.inputs.iter().zip(operand_cts) {
                if !known[v.index()] {
                    accumulate(&mut cotangents[v.index()], ct);
                }
            }
            Ok(())
        })?;
    }
    let inputs = graph.inputs().iter().zip(&fixed).filter(|(_, fixed)| !**fixed);
    // An input may be listed once only, so taking is reading.
    Ok(inputs.map(|(v, _)| cotangents[v.index()].take()).collect())
}

fn accumulate(sum: &mut Option<Array>, ct: Option<Array>) {
    *sum = match (sum.take(), ct) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
}

/// Cotangents of the operands of one equation.
fn eqn_transpose(eqn: &LinearEqn<'_>) -> Result<Cotangents> {
    let ct = || eqn.cts[0].clone().unwrap_or_else(|| zeros_of(eqn.graph, eqn.eqn.outputs[0]));
    let one = |ct: Array| Ok(smallvec![Some(ct)]);
    match &eqn.eqn.op {
        Op::Unary(op) => elementwise::unary_transpose(*op, eqn, ct()),
        Op::Binary(op) => elementwise::binary_transpose(*op, eqn, ct()),
        Op::Select => elementwise::select_transpose(eqn, ct()),
        Op::Cast(_) => one(ct().cast(eqn.ty(0).dtype)),
        Op::Reduce { op: ReduceOp::Sum, axes } => one(structural::sum_transpose(axes, eqn, ct())),
        Op::Broadcast { axes, .. } => one(structural::broadcast_transpose(axes, eqn, ct())),
        Op::Reshape { .. } => one(ct().reshape(&eqn.ty(0).shape)),
        Op::Transpose { permutation } => one(structural::transpose_transpose(permutation, ct())),
        Op::Slice { start, stride, .. } => {
            one(structural::slice_transpose(start, stride, eqn, ct()))
        }
        Op::Pad { low, interior, .. } => Ok(structural::pad_transpose(low, interior, eqn, ct())),
        Op::Concat { axis } => Ok(structural::concat_transpose(*axis, eqn, ct())),
        Op::Reverse { .. } => one(probpipe_trace::bind1(eqn.eqn.op.clone(), &[&ct()])),
        Op::Gather { batch } => indexing::gather_transpose(*batch, eqn, &ct()),
        Op::Scatter { op, batch } => indexing::scatter_transpose(*op, *batch, eqn, &ct()),
        Op::Cumulative { op: CumulativeOp::Sum, axis, reverse } => {
            let op = Op::Cumulative { op: CumulativeOp::Sum, axis: *axis, reverse: !reverse };
            one(probpipe_trace::bind1(op, &[&ct()]))
        }
        Op::Dot(axes) => linalg::dot_transpose(axes, eqn, ct()),
        Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal }) => {
            linalg::solve_transpose((*lower, *transpose, *unit_diagonal), eqn, ct())
        }
        Op::Linalg(LinalgOp::LuSolve { transpose }) => {
            linalg::lu_solve_transpose(*transpose, eqn, ct())
        }
        Op::Call { graph, .. } => control::call_transpose(graph, eqn),
        Op::Scan(scan) => control::scan_transpose(scan, eqn),
        Op::Checkpoint { graph } => opaque::checkpoint_transpose(graph, eqn),
        Op::Custom(custom) => {
            let cts = custom_transpose(custom, &eqn.values, &eqn.cts)?;
            Ok(control::at_linear(eqn, cts))
        }
        Op::Callback(callback) => Err(no_derivative(&callback.name).at(eqn.eqn.location)),
        Op::Switch(switch) => branch::switch_transpose(switch, eqn),
        Op::While(w) => while_loop::while_transpose(w, eqn),
        Op::Reduce {
            op: ReduceOp::Prod | ReduceOp::Max | ReduceOp::Min | ReduceOp::And | ReduceOp::Or,
            ..
        }
        | Op::Compare(_)
        | Op::Special(_)
        | Op::Bitcast(_)
        | Op::Threefry2x32
        | Op::Iota { .. }
        | Op::Cumulative {
            op: CumulativeOp::Prod | CumulativeOp::Max | CumulativeOp::Min, ..
        }
        | Op::Sort { .. }
        | Op::Linalg(
            LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::LuDet
            | LinalgOp::Qr { .. }
            | LinalgOp::Eigh { .. }
            | LinalgOp::Svd { .. },
        ) => Err(eqn.not_linear()),
    }
}
