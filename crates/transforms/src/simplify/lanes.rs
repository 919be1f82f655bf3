//! Lanes that stop their loops and take branches apart from each other: a loop over them that
//! carries nothing.

use super::arena::Arena;
use super::scan::simplify_scan;
use probpipe_trace::{Graph, Lane, Loc, Op, Result, Scan, VarId, inline, trace};
use std::sync::Arc;

/// The results of a call, lane by lane.
pub(super) fn apart(
    arena: &mut Arena<'_>,
    lane: &Lane,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    // What is the same in all lanes comes first.
    let mut order: Vec<usize> = (0..operands.len()).collect();
    order.sort_by_key(|&i| lane.inputs[i]);
    let graph = &lane.graph;
    let types: Vec<_> = order.iter().map(|&i| graph.ty(graph.inputs()[i]).clone()).collect();
    let traced = trace(&types, |arguments| {
        let mut inputs = arguments.to_vec();
        for (argument, &i) in arguments.iter().zip(&order) {
            inputs[i] = argument.clone();
        }
        inline(graph, &inputs)
    })?;
    let scan = Scan {
        body: Arc::new(traced.graph),
        consts: lane.inputs.iter().filter(|&&lanes| !lanes).count(),
        carries: 0,
        length: lane.count,
        reverse: false,
    };
    let operands: Vec<VarId> = order.iter().map(|&i| operands[i]).collect();
    let results = simplify_scan(arena, &scan, &operands, location)?;
    let mut first = |x: VarId, lanes: bool| {
        if lanes {
            return x;
        }
        let shape = arena.ty(x).shape.clone();
        let (mut limit, start) = (shape.clone(), shape.iter().map(|_| 0).collect());
        limit[0] = 1;
        let stride = shape.iter().map(|_| 1).collect();
        let entry = arena.emit1(&Op::Slice { start, limit, stride }, &[x], location);
        arena.emit1(&Op::Reshape { shape: shape[1..].into() }, &[entry], location)
    };
    Ok(results.into_iter().zip(&lane.outputs).map(|(x, &lanes)| first(x, lanes)).collect())
}

/// Whether lanes would wait for each other again and again: in a loop that holds loops or branches,
/// of which in step each is done for as long as any lane needs it. By themselves they fill no
/// vectors, which loops of plain operations gain more by.
pub(super) fn waits_within(graph: &Graph) -> bool {
    graph.eqns().iter().any(|eqn| {
        let repeats = matches!(eqn.op, Op::While(_) | Op::Scan(_));
        let bodies = eqn.op.graphs();
        repeats && bodies.iter().any(|body| waits(body))
            || bodies.iter().any(|body| waits_within(body))
    })
}

/// Whether there is anything at which lanes wait for each other.
fn waits(graph: &Graph) -> bool {
    let inside = |op: &Op| op.graphs().into_iter().any(|graph| waits(graph));
    let asks = |op: &Op| matches!(op, Op::While(_) | Op::Switch(_));
    graph.eqns().iter().any(|eqn| asks(&eqn.op) || inside(&eqn.op))
}

/// Whether a graph calls functions of the host, which lanes in step call once for all.
pub(super) fn calls_host(graph: &Graph) -> bool {
    let inside = |op: &Op| op.graphs().into_iter().any(|graph| calls_host(graph));
    graph.eqns().iter().any(|eqn| matches!(eqn.op, Op::Callback(_)) || inside(&eqn.op))
}
