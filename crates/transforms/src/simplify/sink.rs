//! Carries that no step reads: only what the last step makes of them counts. Where that follows
//! from what other carries end as, it is computed once, behind the loop. So is what a trace of a
//! model records in every step of a search, and what an optimiser keeps for its report.

use crate::extract::extract;
use probpipe_trace::{Eqn, Graph, Op, Result, Scan, VarId};
use std::sync::Arc;

/// A loop without such carries, and what is computed behind it.
pub(super) struct Sunk {
    /// The loop.
    pub(super) scan: Scan,
    /// Which inputs of its body stay.
    pub(super) inputs: Vec<usize>,
    /// Which results stay.
    pub(super) kept: Vec<usize>,
    /// Which results are those of `work`.
    pub(super) late: Vec<usize>,
    /// From the invariants of the loop and the ends of its carries.
    pub(super) work: Graph,
}

/// Takes such carries out of a loop, if it has any.
pub(super) fn sink(scan: &Scan) -> Result<Option<Sunk>> {
    if scan.length == 0 {
        return Ok(None);
    }
    let body = &*scan.body;
    let sunk = sinkable(scan);
    if sunk.iter().all(|sunk| !sunk) {
        return Ok(None);
    }
    let is_late = |i: &usize| sunk.get(*i).copied().unwrap_or(false);
    let (late, kept): (Vec<usize>, Vec<usize>) = (0..body.outputs().len()).partition(is_late);
    let carry = |i: &usize| i.checked_sub(scan.consts);
    let stays = |i: &usize| !carry(i).is_some_and(|carry| is_late(&carry));
    let inputs: Vec<usize> = (0..body.inputs().len()).filter(stays).collect();

    let outputs = |list: &[usize]| list.iter().map(|i| body.outputs()[*i]).collect::<Vec<VarId>>();
    let carries = scan.carries - late.len();
    let invariants = body.inputs()[..scan.consts].iter().copied();
    let given: Vec<VarId> = invariants.chain(outputs(&kept[..carries])).collect();
    let work = extract(body, &given, &outputs(&late))?;
    let read: Vec<VarId> = inputs.iter().map(|i| body.inputs()[*i]).collect();
    let new = Arc::new(extract(body, &read, &outputs(&kept))?);
    let scan = Scan { body: new, carries, ..scan.clone() };
    Ok(Some(Sunk { scan, inputs, kept, late, work }))
}

/// Which carries follow from the ends of the others.
fn sinkable(scan: &Scan) -> Vec<bool> {
    let body = &*scan.body;
    let carries = &body.inputs()[scan.consts..][..scan.carries];
    let mut read = vec![false; body.num_vars()];
    body.outputs().iter().chain(body.eqns().iter().flat_map(|eqn| &eqn.inputs)).for_each(|v| {
        read[v.index()] = true;
    });
    let mut sunk: Vec<bool> = carries.iter().map(|v| !read[v.index()]).collect();
    // One that stays is computed in every step, and with it what it needs: others may then stay.
    while sunk.contains(&true) {
        let ends = Ends::of(scan, &sunk);
        let follow = |i: usize| ends.follows[body.outputs()[i].index()];
        let next: Vec<bool> = (0..scan.carries).map(|i| sunk[i] && follow(i)).collect();
        if next == sunk {
            break;
        }
        sunk = next;
    }
    sunk
}

/// What is known behind a loop of which some carries are taken out.
struct Ends {
    /// The variables that follow from invariants and from the carries that stay, by work that no
    /// step does for these.
    follows: Vec<bool>,
}

impl Ends {
    fn of(scan: &Scan, sunk: &[bool]) -> Ends {
        let body = &*scan.body;
        let mut needed = vec![false; body.num_vars()];
        let mut follows = vec![false; body.num_vars()];
        for (i, v) in body.outputs().iter().enumerate() {
            let stays = !sunk.get(i).copied().unwrap_or(false);
            needed[v.index()] |= stays;
            follows[v.index()] |= stays && i < scan.carries;
        }
        for eqn in body.eqns().iter().rev() {
            if eqn.outputs.iter().any(|v| needed[v.index()]) {
                eqn.inputs.iter().for_each(|v| needed[v.index()] = true);
            }
        }
        let invariants = &body.inputs()[..scan.consts];
        for v in invariants.iter().chain(body.consts().iter().map(|(v, _)| v)) {
            follows[v.index()] = true;
        }
        for eqn in body.eqns() {
            let known = eqn.inputs.iter().all(|v| follows[v.index()]) && !calls_out(eqn);
            // What a step computes anyway is not computed once more, unless it costs nothing.
            let alone = !eqn.outputs.iter().any(|v| needed[v.index()]);
            let free =
                matches!(eqn.op, Op::Broadcast { .. } | Op::Iota { .. } | Op::Reshape { .. });
            for v in &eqn.outputs {
                follows[v.index()] |= known && (alone || free);
            }
        }
        Ends { follows }
    }
}

/// Whether the host is called, which may count the calls.
fn calls_out(eqn: &Eqn) -> bool {
    let host = |op: &Op| matches!(op, Op::Callback(_));
    host(&eqn.op) || eqn.op.graphs().into_iter().any(|graph| graph.has(host))
}
