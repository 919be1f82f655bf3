//! Loops of whose stacked results only the last entry is read: it is carried instead, and nothing
//! is stacked.

use super::scan::Copy;
use probpipe_trace::{ArrayType, Eqn, Op, Result, Scan, Shape, Value, VarId};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Where new variables and constants go.
pub(super) struct Vars<'a> {
    pub(super) types: &'a mut Vec<ArrayType>,
    pub(super) consts: &'a mut Vec<(VarId, Value)>,
}

impl Vars<'_> {
    fn var(&mut self, ty: ArrayType) -> VarId {
        self.types.push(ty);
        VarId((self.types.len() - 1) as u32)
    }
}

/// Rewrites the loops among the equations, which are all that is read.
pub(super) fn carry_last(
    mut vars: Vars<'_>,
    eqns: Vec<Eqn>,
    outputs: &[VarId],
) -> Result<Vec<Eqn>> {
    let chosen = read_at_last(&eqns, outputs);
    if chosen.is_empty() {
        return Ok(eqns);
    }
    // What holds the last entry of a stacked result.
    let mut last: FxHashMap<VarId, VarId> = FxHashMap::default();
    let mut new = Vec::with_capacity(eqns.len());
    for eqn in eqns {
        match &eqn.op {
            Op::Scan(scan) if eqn.outputs.iter().any(|v| chosen.contains(v)) => {
                let scan = scan.clone();
                carried(&mut vars, &scan, eqn, &chosen, &mut last, &mut new)?;
            }
            Op::Slice { start, limit, stride } if last.contains_key(&eqn.inputs[0]) => {
                let (mut start, mut limit) = (start.clone(), limit.clone());
                (start[0], limit[0]) = (0, 1);
                let entry = last[&eqn.inputs[0]];
                let mut ty = vars.types[entry.index()].clone();
                ty.shape.insert(0, 1);
                let shape = ty.shape.clone();
                let row = vars.var(ty);
                let op = Op::Slice { start, limit, stride: stride.clone() };
                new.push(Eqn {
                    op: Op::Reshape { shape },
                    inputs: smallvec![entry],
                    outputs: smallvec![row],
                    location: eqn.location,
                });
                new.push(Eqn { op, inputs: smallvec![row], ..eqn });
            }
            _ => new.push(eqn),
        }
    }
    Ok(new)
}

/// The stacked results that are read, and at their last entry only.
fn read_at_last(eqns: &[Eqn], outputs: &[VarId]) -> Vec<VarId> {
    // By stacked result: which entry is the last, and whether all reads are of it.
    let mut stacked: FxHashMap<VarId, (usize, bool, bool)> = FxHashMap::default();
    for eqn in eqns {
        for v in &eqn.inputs {
            let Some((at, read, only)) = stacked.get_mut(v) else { continue };
            *read = true;
            *only &= match &eqn.op {
                Op::Slice { start, limit, .. } => start[0] == *at && limit[0] == *at + 1,
                _ => false,
            };
        }
        if let Op::Scan(scan) = &eqn.op
            && scan.length > 0
        {
            let at = if scan.reverse { 0 } else { scan.length - 1 };
            for v in &eqn.outputs[scan.carries..] {
                stacked.insert(*v, (at, false, true));
            }
        }
    }
    for v in outputs {
        stacked.remove(v);
    }
    stacked.into_iter().filter(|(_, (_, read, only))| *read && *only).map(|(v, _)| v).collect()
}

/// Adds the loop with the chosen results carried.
fn carried(
    vars: &mut Vars<'_>,
    scan: &Scan,
    eqn: Eqn,
    chosen: &[VarId],
    last: &mut FxHashMap<VarId, VarId>,
    new: &mut Vec<Eqn>,
) -> Result<()> {
    let body = &*scan.body;
    let (carries, ys) = body.outputs().split_at(scan.carries);
    let (mut copy, mut inputs) = (Copy::new(body), eqn.inputs.clone());
    let before = scan.consts + scan.carries;
    for v in &body.inputs()[..before] {
        copy.input(*v);
    }
    let (mut carried, mut kept): (Vec<VarId>, Vec<VarId>) = (carries.to_vec(), Vec::new());
    let mut results: SmallVec<[VarId; 1]> = eqn.outputs[..scan.carries].into();
    let mut stacked: Vec<VarId> = Vec::new();
    for (y, out) in ys.iter().zip(&eqn.outputs[scan.carries..]) {
        if !chosen.contains(out) {
            kept.push(*y);
            stacked.push(*out);
        } else if let Some(same) = carried.iter().position(|c| c == y) {
            // The last entry is what a carry ends with.
            last.insert(*out, results[same]);
        } else {
            let ty = body.ty(*y).clone();
            let end = vars.var(ty.clone());
            let start = vars.var(ArrayType::scalar(ty.dtype));
            vars.consts.push((start, Value::scalar(0.into(), ty.dtype)));
            let full = vars.var(ty.clone());
            let shape: Shape = ty.shape.clone();
            new.push(Eqn {
                op: Op::Broadcast { shape, axes: SmallVec::new() },
                inputs: smallvec![start],
                outputs: smallvec![full],
                location: eqn.location,
            });
            copy.unread(ty);
            inputs.insert(before + carried.len() - scan.carries, full);
            carried.push(*y);
            results.push(end);
            last.insert(*out, end);
        }
    }
    for v in &body.inputs()[before..] {
        copy.input(*v);
    }
    let count = carried.len();
    carried.extend(kept);
    results.extend(stacked);
    let body = Arc::new(copy.finish(|_| true, &carried)?);
    let op = Op::Scan(Scan { body, carries: count, ..scan.clone() });
    new.push(Eqn { op, inputs, outputs: results, location: eqn.location });
    Ok(())
}
