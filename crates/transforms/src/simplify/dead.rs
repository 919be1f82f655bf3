//! What nothing reads is dropped: equations, constants, and of loops the stacked outputs, the
//! carries that only feed themselves, and the inputs that remain for neither.

use super::arena::Arena;
use super::last::{Vars, carry_last};
use crate::extract::{extract, inputs_read, internal, partition};
use probpipe_trace::{Eqn, Graph, GraphBuilder, Op, Result, Scan, Switch, VarId, While};
use std::sync::Arc;

/// The graph of what the outputs need; fails where a rule made a fault.
pub(super) fn finish(mut arena: Arena<'_>, outputs: &[VarId]) -> Result<Graph> {
    arena.check()?;
    let mut live = vec![false; arena.types.len()];
    for v in outputs {
        live[v.index()] = true;
    }
    let mut kept: Vec<Eqn> = Vec::with_capacity(arena.eqns.len());
    for eqn in arena.eqns.into_iter().rev() {
        if !eqn.outputs.iter().any(|v| live[v.index()]) {
            continue;
        }
        let eqn = match &eqn.op {
            Op::Scan(scan) => shrink(scan, &eqn, &live)?.unwrap_or(eqn),
            Op::Checkpoint { graph } => shrink_checkpoint(graph, &eqn, &live)?.unwrap_or(eqn),
            Op::Switch(switch) => shrink_switch(switch, &eqn, &live)?.unwrap_or(eqn),
            Op::While(w) => shrink_while(w, &eqn, &live)?.unwrap_or(eqn),
            _ => eqn,
        };
        for v in &eqn.inputs {
            live[v.index()] = true;
        }
        kept.push(eqn);
    }
    kept.reverse();
    let mut new_consts = Vec::new();
    let vars = Vars { types: &mut arena.types, consts: &mut new_consts };
    let kept = carry_last(vars, kept, outputs)?;
    let mut builder = GraphBuilder::new();
    let mut map: Vec<Option<VarId>> = vec![None; arena.types.len()];
    for v in &arena.inputs {
        map[v.index()] = Some(builder.input(arena.types[v.index()].clone()));
    }
    for (v, value, _) in arena.consts {
        if live[v.index()] {
            map[v.index()] = Some(builder.constant(value));
        }
    }
    for (v, value) in new_consts {
        map[v.index()] = Some(builder.constant(value));
    }
    let find = |map: &[Option<VarId>], v: &VarId| {
        map[v.index()].ok_or_else(|| internal(format!("{v} is read but not defined")))
    };
    for eqn in kept {
        let inputs: Vec<VarId> = eqn.inputs.iter().map(|v| find(&map, v)).collect::<Result<_>>()?;
        let results = builder
            .push(eqn.op, &inputs, eqn.location)
            .map_err(|fault| internal(format!("{fault:?}")))?;
        for (old, new) in eqn.outputs.iter().zip(results) {
            map[old.index()] = Some(new);
        }
    }
    let outputs = outputs.iter().map(|v| find(&map, v)).collect::<Result<_>>()?;
    Ok(builder.finish(outputs))
}

/// A loop without the parts that no live result needs; `None` if it needs all.
fn shrink(scan: &Scan, eqn: &Eqn, live: &[bool]) -> Result<Option<Eqn>> {
    let body = &*scan.body;
    // A carry is needed if its result is, or if a needed output of a step reads it.
    let mut needed: Vec<bool> = eqn.outputs.iter().map(|v| live[v.index()]).collect();
    let reads = loop {
        let reads = inputs_read(body, &needed);
        let before = needed.clone();
        for i in 0..scan.carries {
            needed[i] |= reads[scan.consts + i];
        }
        if before == needed {
            break reads;
        }
    };
    let keep_input: Vec<bool> = (0..reads.len())
        .map(|i| match i.checked_sub(scan.consts) {
            Some(carry) if carry < scan.carries => needed[carry],
            _ => reads[i],
        })
        .collect();
    if needed.iter().all(|n| *n) && keep_input.iter().all(|k| *k) {
        return Ok(None);
    }
    let count = |flags: &[bool]| flags.iter().filter(|f| **f).count();
    let new = Scan {
        body: Arc::new(extract(
            body,
            &partition(body.inputs(), &keep_input).0,
            &partition(body.outputs(), &needed).0,
        )?),
        consts: count(&keep_input[..scan.consts]),
        carries: count(&needed[..scan.carries]),
        length: scan.length,
        reverse: scan.reverse,
    };
    Ok(Some(Eqn {
        op: Op::Scan(new),
        inputs: partition(&eqn.inputs, &keep_input).0.into(),
        outputs: partition(&eqn.outputs, &needed).0.into(),
        location: eqn.location,
    }))
}

/// A graph from its flagged inputs to its flagged outputs.
fn cut(graph: &Graph, inputs: &[bool], outputs: &[bool]) -> Result<Arc<Graph>> {
    let inputs = partition(graph.inputs(), inputs).0;
    Ok(Arc::new(extract(graph, &inputs, &partition(graph.outputs(), outputs).0)?))
}

/// A switch without the parts that no live result needs; `None` if it needs all.
fn shrink_switch(switch: &Switch, eqn: &Eqn, live: &[bool]) -> Result<Option<Eqn>> {
    let needed: Vec<bool> = eqn.outputs.iter().map(|v| live[v.index()]).collect();
    let mut keep = vec![false; switch.operands()];
    for branch in &switch.branches {
        for (keep, read) in keep.iter_mut().zip(inputs_read(branch, &needed)) {
            *keep |= read;
        }
    }
    if needed.iter().all(|n| *n) && keep.iter().all(|k| *k) {
        return Ok(None);
    }
    let branches: Result<_> = switch.branches.iter().map(|b| cut(b, &keep, &needed)).collect();
    keep.insert(0, true);
    Ok(Some(Eqn {
        op: Op::Switch(Switch { branches: branches? }),
        inputs: partition(&eqn.inputs, &keep).0.into(),
        outputs: partition(&eqn.outputs, &needed).0.into(),
        location: eqn.location,
    }))
}

/// A conditional loop without the parts that no live result needs; `None` if it needs all.
fn shrink_while(w: &While, eqn: &Eqn, live: &[bool]) -> Result<Option<Eqn>> {
    // A carry is needed if its result is, or if the condition or a needed carry reads it.
    let cond_reads = inputs_read(&w.cond, &[true]);
    let (cond_consts, cond_carries) = cond_reads.split_at(w.cond_consts);
    let mut needed: Vec<bool> =
        eqn.outputs.iter().zip(cond_carries).map(|(v, read)| live[v.index()] || *read).collect();
    let reads = loop {
        let reads = inputs_read(&w.body, &needed);
        let before = needed.clone();
        for (needed, read) in needed.iter_mut().zip(&reads[w.body_consts..]) {
            *needed |= read;
        }
        if before == needed {
            break reads;
        }
    };
    let body_consts = &reads[..w.body_consts];
    let keep = [cond_consts, body_consts, &needed].concat();
    if keep.iter().all(|k| *k) {
        return Ok(None);
    }
    let count = |flags: &[bool]| flags.iter().filter(|f| **f).count();
    let new = While {
        cond: cut(&w.cond, &[cond_consts, &needed].concat(), &[true])?,
        body: cut(&w.body, &[body_consts, &needed].concat(), &needed)?,
        cond_consts: count(cond_consts),
        body_consts: count(body_consts),
    };
    Ok(Some(Eqn {
        op: Op::While(new),
        inputs: partition(&eqn.inputs, &keep).0.into(),
        outputs: partition(&eqn.outputs, &needed).0.into(),
        location: eqn.location,
    }))
}

/// A checkpoint of the live results only; `None` if all are.
fn shrink_checkpoint(graph: &Graph, eqn: &Eqn, live: &[bool]) -> Result<Option<Eqn>> {
    let needed: Vec<bool> = eqn.outputs.iter().map(|v| live[v.index()]).collect();
    let read = inputs_read(graph, &needed);
    if needed.iter().chain(&read).all(|flag| *flag) {
        return Ok(None);
    }
    let inputs = partition(graph.inputs(), &read).0;
    let graph = extract(graph, &inputs, &partition(graph.outputs(), &needed).0)?;
    Ok(Some(Eqn {
        op: Op::Checkpoint { graph: Arc::new(graph) },
        inputs: partition(&eqn.inputs, &read).0.into(),
        outputs: partition(&eqn.outputs, &needed).0.into(),
        location: eqn.location,
    }))
}
