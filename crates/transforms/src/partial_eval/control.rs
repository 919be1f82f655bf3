//! Calls and loops that are partly known: calls are opened, a loop becomes two, one known and one
//! not, so that afterwards every equation is wholly on one side.

use super::known::{known_results, known_within};
use super::{Partial, branch, known_vars, partial_eval_with, while_loop};
use crate::extract::{Env, inputs_read, partition, reorder_inputs};
use probpipe_trace::op::Nested;
use probpipe_trace::{
    Array, ArrayType, Eqn, Graph, Op, Result, Scan, VarId, bind, trace, with_location,
};
use std::panic::Location;
use std::sync::Arc;

/// The same graph with every equation wholly known or wholly unknown; `None` if it is so already.
pub(crate) fn separate(graph: &Graph, known_inputs: &[bool]) -> Result<Option<Graph>> {
    let known = known_vars(graph, known_inputs);
    let read = read_vars(graph);
    if !graph.eqns().iter().any(|eqn| is_mixed(eqn, &known, &read)) {
        return Ok(None);
    }
    let types: Vec<ArrayType> = graph.input_types().cloned().collect();
    let traced = trace(&types, |arguments| walk(graph, arguments, known_inputs).0)?;
    Ok(Some(traced.graph))
}

/// The variables that an equation or an output reads.
fn read_vars(graph: &Graph) -> Vec<bool> {
    let mut read = vec![false; graph.num_vars()];
    for v in graph.eqns().iter().flat_map(|eqn| &eqn.inputs).chain(graph.outputs()) {
        read[v.index()] = true;
    }
    read
}

fn needs_split(eqn: &Eqn, known: &[bool], read: &[bool]) -> bool {
    let flags = || -> Vec<bool> { eqn.inputs.iter().map(|v| known[v.index()]).collect() };
    let gives_known = || {
        known_results(eqn, &flags()).iter().zip(&eqn.outputs).any(|(k, v)| *k && read[v.index()])
    };
    match eqn.op.nested() {
        // Opening a call costs nothing, and its inside may be partly known.
        Some(Nested::Call(_)) => true,
        Some(Nested::Scan(scan)) => {
            let flags = flags();
            // Without known carries and without known work in a step there is nothing to split.
            flags.iter().any(|k| *k)
                && (gives_known()
                    || flags[scan.consts..scan.consts + scan.carries].iter().any(|k| *k)
                    || has_known_work(&scan.body, &flags))
        }
        // The known results come from a checkpoint of their own.
        Some(Nested::Checkpoint(graph)) => {
            let known = known_within(graph, &flags());
            let read = read_vars(graph);
            graph.outputs().iter().any(|v| known[v.index()])
                || graph.eqns().iter().any(|eqn| is_mixed(eqn, &known, &read))
        }
        Some(Nested::Switch(switch)) => {
            let flags = flags();
            let work = |branch: &Arc<Graph>| has_known_work(branch, &flags[1..]);
            flags[0] && (gives_known() || switch.branches.iter().any(work))
        }
        // What of the loop is known and not read is made again where it is needed.
        Some(Nested::While(_)) => gives_known(),
        // A rule of its own knows only the whole.
        Some(Nested::Custom(_)) | None => false,
    }
}

/// Whether an equation is partly known and can be split.
fn is_mixed(eqn: &Eqn, known: &[bool], read: &[bool]) -> bool {
    eqn.outputs.iter().any(|v| !known[v.index()]) && needs_split(eqn, known, read)
}

fn has_known_work(body: &Graph, flags: &[bool]) -> bool {
    let known = known_vars(body, flags);
    let read = read_vars(body);
    body.eqns().iter().any(|eqn| {
        let free = matches!(eqn.op, Op::Broadcast { .. } | Op::Reshape { .. } | Op::Iota { .. });
        !free && eqn.outputs.iter().all(|v| known[v.index()]) || needs_split(eqn, &known, &read)
    })
}

/// Runs the graph with its mixed equations split; gives which outputs are known.
fn walk(graph: &Graph, arguments: &[Array], known_inputs: &[bool]) -> (Vec<Array>, Vec<bool>) {
    let mut env = Env::new(graph);
    let mut known = known_vars(graph, known_inputs);
    let read = read_vars(graph);
    for (v, array) in graph.inputs().iter().zip(arguments) {
        env.set(*v, array.clone());
    }
    for eqn in graph.eqns() {
        let operands: Vec<Array> = eqn.inputs.iter().map(|v| env.get(*v)).collect();
        let flags: Vec<bool> = eqn.inputs.iter().map(|v| known[v.index()]).collect();
        let all = flags.iter().all(|k| *k);
        let whole = || {
            let refs: Vec<&Array> = operands.iter().collect();
            Ok((bind(eqn.op.clone(), &refs).into_vec(), vec![all; eqn.outputs.len()]))
        };
        let split = !all && needs_split(eqn, &known, &read);
        let (results, result_flags) = with_location(eqn.location, || {
            let divided = match eqn.op.nested().filter(|_| split) {
                Some(Nested::Call(graph)) => Ok(walk(graph, &operands, &flags)),
                Some(Nested::Scan(scan)) => split_scan(scan, &operands, &flags),
                Some(Nested::Switch(s)) => branch::split_switch(s, &operands, &flags),
                Some(Nested::While(w)) => while_loop::split_while(w, &operands, &flags),
                Some(Nested::Checkpoint(graph)) => split_checkpoint(graph, &operands, &flags),
                Some(Nested::Custom(_)) | None => whole(),
            };
            divided.unwrap_or_else(|error| {
                let invalid = Array::invalid(error, Location::caller());
                (vec![invalid; eqn.outputs.len()], vec![false; eqn.outputs.len()])
            })
        });
        for ((v, array), k) in eqn.outputs.iter().zip(results).zip(result_flags) {
            env.set(*v, array);
            known[v.index()] = k;
        }
    }
    let outputs = graph.outputs();
    (
        outputs.iter().map(|v| env.get(*v)).collect(),
        outputs.iter().map(|v| known[v.index()]).collect(),
    )
}

/// A checkpoint as two: the known results, and the others from all operands that they need. Nothing
/// but operands is kept between them.
fn split_checkpoint(
    graph: &Arc<Graph>,
    operands: &[Array],
    flags: &[bool],
) -> Result<(Vec<Array>, Vec<bool>)> {
    let separated = separate(graph, flags)?;
    let graph = separated.as_ref().unwrap_or(graph);
    let known = known_vars(graph, flags);
    let known_outputs: Vec<bool> = graph.outputs().iter().map(|v| known[v.index()]).collect();
    let half = |want: bool| -> Result<Vec<Array>> {
        let wanted: Vec<bool> = known_outputs.iter().map(|k| *k == want).collect();
        let read = inputs_read(graph, &wanted);
        let inputs = partition(graph.inputs(), &read).0;
        let outputs = partition(graph.outputs(), &wanted).0;
        if outputs.is_empty() {
            return Ok(Vec::new());
        }
        let half = crate::extract::extract(graph, &inputs, &outputs)?;
        let arrays = partition(operands, &read).0;
        let refs: Vec<&Array> = arrays.iter().collect();
        Ok(bind(Op::Checkpoint { graph: Arc::new(half) }, &refs).into_vec())
    };
    let (mut knowns, mut unknowns) = (half(true)?.into_iter(), half(false)?.into_iter());
    let results = known_outputs.iter();
    let results = results.filter_map(|k| if *k { knowns.next() } else { unknowns.next() });
    Ok((results.collect(), known_outputs.clone()))
}

/// How a residual of a step reaches the same step of the unknown loop.
enum Source {
    /// It is the same in every step: a loop-invariant operand.
    Const(Array),
    /// It is an entry of an operand that is scanned.
    Entries(Array),
    /// It is new in every step: an output that the known loop stacks.
    Stacked(usize),
}

/// A loop as two loops. A carry is known if it starts known and every step leaves it known.
fn split_scan(scan: &Scan, operands: &[Array], flags: &[bool]) -> Result<(Vec<Array>, Vec<bool>)> {
    let carried = scan.consts..scan.consts + scan.carries;
    let mut flags = flags.to_vec();
    let partial = loop {
        let mut force = vec![false; scan.body.outputs().len()];
        for (force, known) in force.iter_mut().zip(&flags[carried.clone()]) {
            *force = !known;
        }
        let partial = partial_eval_with(&scan.body, &flags, &force)?;
        let before = flags.clone();
        for (flag, known) in flags[carried.clone()].iter_mut().zip(&partial.known_outputs) {
            *flag &= known;
        }
        if before == flags {
            break partial;
        }
    };
    let kept = |range: std::ops::Range<usize>, want: bool| -> Vec<Array> {
        range.filter(|&i| flags[i] == want).map(|i| operands[i].clone()).collect()
    };
    let known_carries = kept(carried.clone(), true).len();
    let known_results = partial.known_outputs.iter().filter(|k| **k).count();

    let sources = residual_sources(scan, &partial, &flags, operands, known_results);
    let known_scan = known_half(scan, &partial, &flags, known_carries, known_results, &sources)?;
    let known_operands: Vec<Array> =
        (0..operands.len()).filter(|&i| flags[i]).map(|i| operands[i].clone()).collect();
    let refs: Vec<&Array> = known_operands.iter().collect();
    let known_out = match known_scan.body.outputs().len() {
        0 => Default::default(),
        _ => bind(Op::Scan(known_scan), &refs),
    };

    // The unknown loop takes invariants, unknown constants, carries, scanned and stacked
    // residuals, unknown entries.
    let (unknown_consts, unknown_carries) =
        (kept(0..scan.consts, false), kept(carried.clone(), false));
    let unknown_xs = kept(carried.end..operands.len(), false);
    let mut order = Vec::new();
    let mut new_operands = Vec::new();
    let first = partial.residuals;
    for (i, source) in sources.iter().enumerate() {
        if let Source::Const(array) = source {
            order.push(i);
            new_operands.push(array.clone());
        }
    }
    let consts = order.len() + unknown_consts.len();
    let carries = unknown_carries.len();
    order.extend(first..first + unknown_consts.len() + carries);
    new_operands.extend(unknown_consts.iter().chain(&unknown_carries).cloned());
    for (i, source) in sources.iter().enumerate() {
        match source {
            Source::Const(_) => {}
            Source::Entries(array) => {
                order.push(i);
                new_operands.push(array.clone());
            }
            Source::Stacked(output) => {
                order.push(i);
                new_operands.push(known_out[*output].clone());
            }
        }
    }
    order.extend(first + unknown_consts.len() + carries..partial.unknown.inputs().len());
    new_operands.extend(unknown_xs);
    let unknown_scan = Scan {
        body: Arc::new(reorder_inputs(&partial.unknown, &order)?),
        consts,
        carries,
        length: scan.length,
        reverse: scan.reverse,
    };
    let refs: Vec<&Array> = new_operands.iter().collect();
    let unknown_out = bind(Op::Scan(unknown_scan), &refs);

    let (mut known_out, mut unknown_out) = (known_out.into_iter(), unknown_out.into_iter());
    let results = partial
        .known_outputs
        .iter()
        .filter_map(|k| if *k { known_out.next() } else { unknown_out.next() })
        .collect();
    Ok((results, partial.known_outputs))
}

fn residual_sources(
    scan: &Scan,
    partial: &Partial,
    flags: &[bool],
    operands: &[Array],
    known_results: usize,
) -> Vec<Source> {
    let known_positions: Vec<usize> = (0..operands.len()).filter(|&i| flags[i]).collect();
    let mut stacked = known_results;
    partial.known.outputs()[known_results..]
        .iter()
        .map(|v| {
            let input = partial.known.inputs().iter().position(|i| i == v);
            match input.map(|i| known_positions[i]) {
                Some(i) if i < scan.consts => Source::Const(operands[i].clone()),
                Some(i) if i >= scan.consts + scan.carries => Source::Entries(operands[i].clone()),
                _ => {
                    stacked += 1;
                    Source::Stacked(stacked - 1)
                }
            }
        })
        .collect()
}

/// The known loop, stacking the residuals that are new in every step.
fn known_half(
    scan: &Scan,
    partial: &Partial,
    flags: &[bool],
    carries: usize,
    known_results: usize,
    sources: &[Source],
) -> Result<Scan> {
    let outputs = partial.known.outputs();
    let mut kept: Vec<VarId> = outputs[..known_results].to_vec();
    let residuals = outputs[known_results..].iter().zip(sources);
    kept.extend(residuals.filter(|(_, s)| matches!(s, Source::Stacked(_))).map(|(v, _)| *v));
    Ok(Scan {
        body: Arc::new(crate::extract::extract(&partial.known, partial.known.inputs(), &kept)?),
        consts: flags[..scan.consts].iter().filter(|k| **k).count(),
        carries,
        length: scan.length,
        reverse: scan.reverse,
    })
}
