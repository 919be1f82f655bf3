//! Lanes with loops of their own: a loop over them that carries nothing, each by itself or some at
//! a time.
//!
//! In step, all lanes wait for the one whose loop is longest, and what they carry goes through
//! memory in every round. By themselves none waits, but nothing is computed for several at once. A
//! group fills vectors, waits for the longest of few, and stays near the processor; so it is best
//! for counted loops as well, in which no lane waits.

use super::arena::Arena;
use super::scan::simplify_scan;
use crate::vmap::vmap;
use probpipe_trace::{Eqn, Graph, Lane, Loc, Op, Result, Scan, Shape, VarId, inline, trace};
use std::sync::Arc;

/// Numbers that a group of lanes carries, about, where lanes wait for each other: vectors gain
/// little more by more of them.
const WAITING: usize = 128;
/// The same where all loops are counted: with what is computed from them, they stay in the nearest
/// cache.
const COUNTED: usize = 512;
/// Fewer groups are not worth a loop.
const GROUPS: usize = 4;

/// The results of a call, lane by lane.
pub(super) fn apart(
    arena: &mut Arena<'_>,
    lane: &Lane,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let results = each(arena, &lane.graph, &lane.inputs, lane.count, operands, location)?;
    let shared = |(x, &lanes)| if lanes { x } else { first(arena, x, location) };
    Ok(results.into_iter().zip(&lane.outputs).map(shared).collect())
}

/// The results of a call, group by group; `None` where all lanes are better in step.
pub(super) fn grouped(
    arena: &mut Arena<'_>,
    lane: &Lane,
    operands: &[VarId],
    location: Loc,
) -> Option<Result<Vec<VarId>>> {
    // In step, a function of the host is called once for all.
    if lane.graph.has(|op| matches!(op, Op::Callback(_))) {
        return None;
    }
    let (waits, carried) = (waits(&lane.graph), carried(&lane.graph));
    let full = match waits {
        // In loops that hold loops or branches, lanes would wait for each other again and again.
        true if waits_within(&lane.graph) => 1,
        true => (WAITING / carried).max(1),
        // Such a lane fills vectors by itself, and its kernels all threads.
        false if carried > COUNTED => return None,
        false => COUNTED / carried,
    };
    let group = group(lane.count, full);
    let few = lane.count < group * GROUPS;
    match group {
        // However few they are, none waits.
        1 if waits || !few => Some(apart(arena, lane, operands, location)),
        _ if few => None,
        _ => Some(in_groups(arena, lane, group, operands, location)),
    }
}

/// Lanes of a group: about so many, whole vectors of them and without a rest if that can be.
fn group(count: usize, full: usize) -> usize {
    if full == 1 {
        return 1;
    }
    let sizes = || (full.div_ceil(2)..=full).rev().filter(|group| count.is_multiple_of(*group));
    let whole = sizes().find(|group| group.is_multiple_of(16));
    whole.or_else(|| sizes().next()).unwrap_or(full)
}

/// Whether lanes may go on for longer than others.
pub(super) fn waits(graph: &Graph) -> bool {
    graph.has(|op| matches!(op, Op::While(_)))
}

/// Whether a loop holds loops or branches.
fn waits_within(graph: &Graph) -> bool {
    fn repeats_what_waits(op: &Op) -> bool {
        let waits = |op: &Op| matches!(op, Op::While(_) | Op::Switch(_));
        let repeats = matches!(op, Op::While(_) | Op::Scan(_));
        repeats && op.graphs().into_iter().any(|body| body.has(waits))
    }
    graph.has(repeats_what_waits)
}

/// Elements of the largest array that a loop carries, or gives in a step.
fn carried(graph: &Graph) -> usize {
    let of = |eqn: &Eqn| match &eqn.op {
        Op::Scan(scan) => scan.body.outputs().iter().map(|v| scan.body.ty(*v).size()).max(),
        Op::While(_) => eqn.outputs.iter().map(|v| graph.ty(*v).size()).max(),
        op => op.graphs().into_iter().map(|graph| carried(graph)).max(),
    };
    graph.eqns().iter().filter_map(of).max().unwrap_or(1).max(1)
}

/// Groups of lanes in step, one group after the other, and then the rest.
fn in_groups(
    arena: &mut Arena<'_>,
    lane: &Lane,
    group: usize,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let (groups, rest) = (lane.count / group, lane.count % group);
    let whole = groups * group;
    let axes: Vec<Option<usize>> = lane.inputs.iter().map(|lanes| lanes.then_some(0)).collect();
    let (graph, _) = vmap(&lane.graph, group, &axes)?;
    let mut inputs = operands.to_vec();
    for (x, _) in inputs.iter_mut().zip(&lane.inputs).filter(|(_, lanes)| **lanes) {
        let some = part(arena, *x, 0, whole, location);
        *x = regroup(arena, some, &[groups, group], 1, location);
    }
    let mut results = each(arena, &graph, &lane.inputs, groups, &inputs, location)?;
    for (x, &lanes) in results.iter_mut().zip(&lane.outputs) {
        *x = match lanes {
            true => regroup(arena, *x, &[whole], 2, location),
            false => first(arena, *x, location),
        };
    }
    if rest > 0 {
        let (graph, _) = vmap(&lane.graph, rest, &axes)?;
        let mut inputs = operands.to_vec();
        for (x, _) in inputs.iter_mut().zip(&lane.inputs).filter(|(_, lanes)| **lanes) {
            *x = part(arena, *x, whole, lane.count, location);
        }
        let last = arena.inline(&graph, inputs)?;
        for ((x, last), _) in results.iter_mut().zip(last).zip(&lane.outputs).filter(|(_, l)| **l) {
            *x = arena.emit1(&Op::Concat { axis: 0 }, &[*x, last], location);
        }
    }
    Ok(results)
}

/// A loop that carries nothing, over the leading axis of some operands. All its results have one.
fn each(
    arena: &mut Arena<'_>,
    graph: &Graph,
    stacked: &[bool],
    length: usize,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    // What is the same in all comes first.
    let mut order: Vec<usize> = (0..operands.len()).collect();
    order.sort_by_key(|&i| stacked[i]);
    let types: Vec<_> = order.iter().map(|&i| graph.ty(graph.inputs()[i]).clone()).collect();
    let traced = trace(&types, |arguments| {
        let mut inputs = arguments.to_vec();
        for (argument, &i) in arguments.iter().zip(&order) {
            inputs[i] = argument.clone();
        }
        inline(graph, &inputs)
    })?;
    let consts = stacked.iter().filter(|&&stacked| !stacked).count();
    let scan = Scan { body: Arc::new(traced.graph), consts, carries: 0, length, reverse: false };
    let operands: Vec<VarId> = order.iter().map(|&i| operands[i]).collect();
    simplify_scan(arena, &scan, &operands, location)
}

/// Some leading axes instead of so many.
fn regroup(
    arena: &mut Arena<'_>,
    x: VarId,
    leading: &[usize],
    instead_of: usize,
    location: Loc,
) -> VarId {
    let mut shape: Shape = leading.into();
    shape.extend_from_slice(&arena.ty(x).shape[instead_of..]);
    arena.emit1(&Op::Reshape { shape }, &[x], location)
}

/// Entries of the leading axis.
fn part(arena: &mut Arena<'_>, x: VarId, begin: usize, end: usize, location: Loc) -> VarId {
    let mut limit = arena.ty(x).shape.clone();
    let mut start: Shape = limit.iter().map(|_| 0).collect();
    let stride = limit.iter().map(|_| 1).collect();
    (start[0], limit[0]) = (begin, end);
    arena.emit1(&Op::Slice { start, limit, stride }, &[x], location)
}

/// The first entry of the leading axis.
fn first(arena: &mut Arena<'_>, x: VarId, location: Loc) -> VarId {
    let entry = part(arena, x, 0, 1, location);
    regroup(arena, entry, &[], 1, location)
}
