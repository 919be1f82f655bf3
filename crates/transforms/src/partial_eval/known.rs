//! What is known of a graph when some of its inputs are, once its calls are opened and its loops
//! and branches split in two. Nothing is split here.

use super::known_vars;
use probpipe_trace::{Eqn, Graph, Op, Scan, Switch, While};
use std::sync::Arc;

/// An op that can be partly known, because it runs graphs.
pub(super) enum Divisible<'a> {
    Call(&'a Arc<Graph>),
    Checkpoint(&'a Arc<Graph>),
    Scan(&'a Scan),
    Switch(&'a Switch),
    While(&'a While),
}

/// How an op can be divided; `None` if all of it waits for the last of its operands.
pub(super) fn divisible(op: &Op) -> Option<Divisible<'_>> {
    match op {
        Op::Call { graph, .. } => Some(Divisible::Call(graph)),
        Op::Checkpoint { graph } => Some(Divisible::Checkpoint(graph)),
        Op::Scan(scan) => Some(Divisible::Scan(scan)),
        Op::Switch(switch) => Some(Divisible::Switch(switch)),
        Op::While(w) => Some(Divisible::While(w)),
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Special(_) => None,
        Op::Cast(_) | Op::Bitcast(_) | Op::Threefry2x32 | Op::Iota { .. } => None,
        Op::Reduce { .. } | Op::Cumulative { .. } | Op::Sort { .. } => None,
        Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => None,
        Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } | Op::Reverse { .. } => None,
        Op::Gather { .. } | Op::Scatter { .. } | Op::Dot(_) | Op::Linalg(_) => None,
        // Its rule knows only the whole; the host is called once.
        Op::Custom(_) | Op::Callback(_) => None,
    }
}

/// As [`known_vars`], with what separating the mixed equations will make known.
pub(super) fn known_within(graph: &Graph, known_inputs: &[bool]) -> Vec<bool> {
    let mut known = known_vars(graph, known_inputs);
    for eqn in graph.eqns() {
        let flags: Vec<bool> = eqn.inputs.iter().map(|v| known[v.index()]).collect();
        for (v, k) in eqn.outputs.iter().zip(known_results(eqn, &flags)) {
            known[v.index()] = k;
        }
    }
    known
}

fn known_outputs(graph: &Graph, flags: &[bool]) -> Vec<bool> {
    let known = known_within(graph, flags);
    graph.outputs().iter().map(|v| known[v.index()]).collect()
}

/// Which results of an equation can be known when the flagged operands are.
pub(super) fn known_results(eqn: &Eqn, flags: &[bool]) -> Vec<bool> {
    let count = eqn.outputs.len();
    if flags.iter().all(|k| *k) {
        return vec![true; count];
    }
    match divisible(&eqn.op) {
        Some(Divisible::Call(graph) | Divisible::Checkpoint(graph)) => known_outputs(graph, flags),
        Some(Divisible::Scan(scan)) => {
            let mut flags = flags.to_vec();
            loop {
                let known = known_outputs(&scan.body, &flags);
                let before = flags.clone();
                let carries = scan.consts..scan.consts + scan.carries;
                for (flag, known) in flags[carries].iter_mut().zip(&known) {
                    *flag &= known;
                }
                if before == flags {
                    return known;
                }
            }
        }
        Some(Divisible::Switch(switch)) if flags[0] => {
            let branches = switch.branches.iter().map(|branch| known_outputs(branch, &flags[1..]));
            let both = |a: Vec<bool>, b: Vec<bool>| a.iter().zip(b).map(|(a, b)| *a && b).collect();
            branches.reduce(both).unwrap_or_default()
        }
        Some(Divisible::While(w)) => known_carries(w, flags).unwrap_or_else(|| vec![false; count]),
        Some(Divisible::Switch(_)) | None => vec![false; count],
    }
}

/// Which carries are known: those that start known and that every step leaves known. `None` if the
/// number of steps is not known.
pub(crate) fn known_carries(w: &While, flags: &[bool]) -> Option<Vec<bool>> {
    let (consts, init) = flags.split_at(w.consts());
    let (cond_consts, body_consts) = consts.split_at(w.cond_consts);
    let mut carries = init.to_vec();
    loop {
        let known = known_within(&w.body, &[body_consts, &carries].concat());
        let before = carries.clone();
        for (carry, v) in carries.iter_mut().zip(w.body.outputs()) {
            *carry &= known[v.index()];
        }
        if before == carries {
            break;
        }
    }
    let known = known_within(&w.cond, &[cond_consts, &carries].concat());
    w.cond.outputs().iter().all(|v| known[v.index()]).then_some(carries)
}
