//! Forward mode: a graph with tangents beside its values. Tangents that are zero whatever the
//! input stay symbolic (`None`) and cost nothing. Integers and truth values never have tangents.
//! Reverse mode is not here: it is `linearize` and `transpose` of this.

#![deny(clippy::wildcard_enum_match_arm)]

mod branch;
mod control;
mod decompositions;
mod elementwise;
mod indexing;
mod linalg;
mod opaque;
mod special;
mod spectral;
mod structural;
mod vectors;
mod while_loop;

pub(crate) use opaque::no_derivative;
pub(crate) use spectral::works_on_lanes;

use crate::extract::Env;
use probpipe_trace::{
    Array, ArrayType, Eqn, Graph, LinalgOp, Op, Outputs, Result, bind, trace, with_location,
};
use smallvec::{SmallVec, smallvec};

/// Tangents of an op's results; `None` is zero.
pub(crate) type Tangents = SmallVec<[Option<Array>; 2]>;

/// A graph with tangents.
#[derive(Debug, Clone)]
pub struct Jvp {
    /// Inputs: those of the graph, then tangents of the flagged ones. Outputs: those of the
    /// graph, then the tangents that are not always zero.
    pub graph: Graph,
    /// Which outputs have a tangent.
    pub nonzero: Vec<bool>,
}

/// The graph that carries tangents of the flagged inputs along. Flags on inputs that are not
/// floats are ignored: those take no tangent.
pub fn jvp(graph: &Graph, nonzero: &[bool]) -> Result<Jvp> {
    let primals: Vec<ArrayType> = graph.input_types().cloned().collect();
    let flags: Vec<bool> =
        primals.iter().zip(nonzero).map(|(ty, n)| *n && ty.dtype.is_float()).collect();
    let mut types = primals.clone();
    types.extend(primals.iter().zip(&flags).filter(|(_, n)| **n).map(|(ty, _)| ty.clone()));
    let mut result_flags = Vec::new();
    let traced = trace(&types, |arguments| {
        let (x, dx) = arguments.split_at(primals.len());
        let (y, dy) = jvp_arrays(graph, x, spread(dx, &flags));
        result_flags = dy.iter().map(Option::is_some).collect();
        y.into_iter().chain(dy.into_iter().flatten()).collect()
    })?;
    Ok(Jvp { graph: traced.graph, nonzero: result_flags })
}

/// The listed arrays at the flagged places, `None` at the others.
pub(crate) fn spread(arrays: &[Array], flags: &[bool]) -> Vec<Option<Array>> {
    let mut next = arrays.iter();
    flags.iter().map(|f| if *f { next.next().cloned() } else { None }).collect()
}

/// Runs a graph on values and tangents.
pub(crate) fn jvp_arrays(
    graph: &Graph,
    x: &[Array],
    dx: Vec<Option<Array>>,
) -> (Vec<Array>, Vec<Option<Array>>) {
    let mut env = Env::new(graph);
    let mut tangents: Vec<Option<Array>> = vec![None; graph.num_vars()];
    for ((v, x), dx) in graph.inputs().iter().zip(x).zip(dx) {
        env.set(*v, x.clone());
        tangents[v.index()] = dx;
    }
    for (at, eqn) in graph.eqns().iter().enumerate() {
        let x: SmallVec<[Array; 3]> = eqn.inputs.iter().map(|v| env.get(*v)).collect();
        let x: SmallVec<[&Array; 3]> = x.iter().collect();
        let dx: SmallVec<[Option<Array>; 3]> =
            eqn.inputs.iter().map(|v| tangents[v.index()].clone()).collect();
        let dx: SmallVec<[Option<&Array>; 3]> = dx.iter().map(Option::as_ref).collect();
        let (y, dy) = with_location(eqn.location, || {
            let moves = dx.iter().any(Option::is_some)
                && eqn.outputs.iter().any(|v| graph.ty(*v).dtype.is_float());
            if !moves {
                return (bind(eqn.op.clone(), &x), smallvec![]);
            }
            let seen = spectral::in_sight(graph, at, &env, &x, &dx);
            seen.unwrap_or_else(|| eqn_jvp(eqn, &x, &dx))
        });
        for (v, y) in eqn.outputs.iter().zip(y) {
            env.set(*v, y);
        }
        for (v, dy) in eqn.outputs.iter().zip(dy) {
            tangents[v.index()] = dy.filter(|_| graph.ty(*v).dtype.is_float());
        }
    }
    let results = graph.outputs();
    (
        results.iter().map(|v| env.get(*v)).collect(),
        results.iter().map(|v| tangents[v.index()].clone()).collect(),
    )
}

/// Values and tangents of one equation of which some operand has a tangent.
fn eqn_jvp(eqn: &Eqn, x: &[&Array], dx: &[Option<&Array>]) -> (Outputs, Tangents) {
    // Ops of one result: the rule sees the result, because many derivatives are cheaper on it.
    let one = |rule: &dyn Fn(&Array) -> Option<Array>| {
        let y = bind(eqn.op.clone(), x);
        let dy = y.first().and_then(rule);
        (y, smallvec![dy])
    };
    // Linear in its only operand: the same op on the tangent.
    let same = || one(&|_| dx[0].map(|dx| probpipe_trace::bind1(eqn.op.clone(), &[dx])));
    match &eqn.op {
        Op::Unary(op) => one(&|y| dx[0].and_then(|dx| elementwise::unary_jvp(*op, x[0], y, dx))),
        Op::Binary(op) => one(&|y| elementwise::binary_jvp(*op, x[0], x[1], y, dx[0], dx[1])),
        Op::Special(op) => one(&|y| special::special_jvp(*op, x, y, dx)),
        Op::Select => one(&|_| elementwise::select_jvp(x, dx)),
        // The results are no floats, so they have no tangents; see `jvp_arrays`.
        Op::Compare(_) | Op::Threefry2x32 | Op::Iota { .. } => {
            (bind(eqn.op.clone(), x), smallvec![])
        }
        // Bits say nothing of small changes.
        Op::Bitcast(_) => (bind(eqn.op.clone(), x), smallvec![]),
        Op::Cast(_) => same(),
        Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => same(),
        Op::Slice { .. } | Op::Reverse { .. } => same(),
        Op::Reduce { op, axes } => {
            one(&|y| dx[0].and_then(|dx| structural::reduce_jvp(*op, axes, x[0], y, dx)))
        }
        Op::Pad { .. } | Op::Concat { .. } => one(&|_| structural::joined_jvp(&eqn.op, x, dx)),
        Op::Gather { .. } => one(&|_| dx[0].map(|dx| indexing::gather_jvp(&eqn.op, x, dx))),
        Op::Scatter { op, batch } => one(&|y| indexing::scatter_jvp((*op, *batch), x, y, dx)),
        Op::Cumulative { op, axis, reverse } => {
            one(&|y| dx[0].map(|dx| indexing::cumulative_jvp((*op, *axis, *reverse), x[0], y, dx)))
        }
        Op::Sort { axis, num_keys } => indexing::sort_jvp((*axis, *num_keys), x, dx),
        Op::Dot(axes) => one(&|_| linalg::dot_jvp(axes, x, dx)),
        Op::Linalg(LinalgOp::Cholesky) => one(&|l| dx[0].map(|da| linalg::cholesky_jvp(l, da))),
        Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal }) => one(&|y| {
            linalg::triangular_solve_jvp((*lower, *transpose, *unit_diagonal), x[0], y, dx)
        }),
        Op::Linalg(LinalgOp::LuSolve { transpose }) => {
            one(&|y| decompositions::lu_solve_jvp(*transpose, x, y, dx))
        }
        Op::Linalg(LinalgOp::LuDet) => {
            one(&|y| dx[0].and_then(|da| decompositions::lu_det_jvp(x, y, da)))
        }
        Op::Linalg(
            op
            @ (LinalgOp::Lu | LinalgOp::Qr { .. } | LinalgOp::Eigh { .. } | LinalgOp::Svd { .. }),
        ) => match dx[0] {
            Some(da) => decompositions::decomposition_jvp(*op, x[0], da),
            None => (bind(eqn.op.clone(), x), smallvec![]),
        },
        Op::Call { graph, .. } => control::call_jvp(graph, x, dx),
        Op::Scan(scan) => control::scan_jvp(scan, x, dx),
        Op::Checkpoint { graph } => opaque::checkpoint_jvp(graph, x, dx),
        Op::Custom(custom) => opaque::custom_jvp(custom, x, dx),
        Op::Callback(callback) => opaque::callback_jvp(callback, x),
        Op::Switch(switch) => branch::switch_jvp(switch, x, dx),
        Op::While(w) => while_loop::while_jvp(w, x, dx),
    }
}

/// The sum of two tangents.
pub(crate) fn add(a: Option<Array>, b: Option<Array>) -> Option<Array> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}
