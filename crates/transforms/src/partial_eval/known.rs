//! What is known of a graph when some of its inputs are, once its calls are opened and its loops
//! and branches split in two. Nothing is split here.

use super::known_vars;
use probpipe_trace::op::Nested;
use probpipe_trace::{Eqn, Graph, While};

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
    match eqn.op.nested() {
        Some(Nested::Call(graph) | Nested::Checkpoint(graph)) => known_outputs(graph, flags),
        Some(Nested::Scan(scan)) => {
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
        Some(Nested::Switch(switch)) if flags[0] => {
            let branches = switch.branches.iter().map(|branch| known_outputs(branch, &flags[1..]));
            let both = |a: Vec<bool>, b: Vec<bool>| a.iter().zip(b).map(|(a, b)| *a && b).collect();
            branches.reduce(both).unwrap_or_default()
        }
        Some(Nested::While(w)) => known_carries(w, flags).unwrap_or_else(|| vec![false; count]),
        // Of an op with a rule only the whole is known.
        Some(Nested::Switch(_) | Nested::Custom(_)) | None => vec![false; count],
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
