//! Derivatives of calls and loops: the same with tangents beside the values.

use super::{Tangents, jvp_arrays, spread};
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Outputs, Result, Scan, bind, full_typed, trace, zeros_like,
};
use smallvec::smallvec;
use std::panic::Location;
use std::sync::Arc;

pub(super) fn call_jvp(graph: &Graph, x: &[&Array], dx: &[Option<&Array>]) -> (Outputs, Tangents) {
    let x: Vec<Array> = x.iter().map(|&x| x.clone()).collect();
    let (y, dy) = jvp_arrays(graph, &x, dx.iter().map(|dx| dx.cloned()).collect());
    (y.into_iter().collect(), dy.into_iter().collect())
}

/// A step with tangents, and which of its outputs have one.
struct Step {
    body: Graph,
    nonzero: Vec<bool>,
}

/// The body on values and tangents, in the order of a scan: constants and their tangents, carries
/// and theirs, entries and theirs. Carries that come in with a tangent go out with one.
fn step(scan: &Scan, flags: &[bool]) -> Result<Step> {
    let types: Vec<ArrayType> = scan.body.input_types().cloned().collect();
    let ends = [scan.consts, scan.consts + scan.carries, types.len()];
    let mut order = Vec::new();
    let mut start = 0;
    for end in ends {
        order.extend((start..end).map(|i| (i, false)));
        order.extend((start..end).filter(|i| flags[*i]).map(|i| (i, true)));
        start = end;
    }
    let step_types: Vec<ArrayType> = order.iter().map(|(i, _)| types[*i].clone()).collect();
    let mut nonzero = Vec::new();
    let traced = trace(&step_types, |arguments| {
        let pick = |tangent: bool| -> Vec<Array> {
            let mut picked: Vec<(usize, Array)> = order
                .iter()
                .zip(arguments)
                .filter(|((_, t), _)| *t == tangent)
                .map(|((i, _), a)| (*i, a.clone()))
                .collect();
            picked.sort_by_key(|(i, _)| *i);
            picked.into_iter().map(|(_, a)| a).collect()
        };
        let (y, mut dy) = jvp_arrays(&scan.body, &pick(false), spread(&pick(true), flags));
        for i in 0..scan.carries {
            if flags[scan.consts + i] && dy[i].is_none() {
                dy[i] = Some(zeros_like(&y[i]));
            }
        }
        nonzero = dy.iter().map(Option::is_some).collect();
        let (yc, ys) = y.split_at(scan.carries);
        let (dyc, dys) = dy.split_at(scan.carries);
        let mut out = yc.to_vec();
        out.extend(dyc.iter().flatten().cloned());
        out.extend_from_slice(ys);
        out.extend(dys.iter().flatten().cloned());
        out
    })?;
    Ok(Step { body: traced.graph, nonzero })
}

/// Carries with a tangent are those that start with one or get one in a step, to a fixed point.
pub(super) fn scan_jvp(scan: &Scan, x: &[&Array], dx: &[Option<&Array>]) -> (Outputs, Tangents) {
    match scan_with_tangents(scan, x, dx) {
        Ok(results) => results,
        Err(error) => {
            let invalid = Array::invalid(error, Location::caller());
            (smallvec![invalid; scan.body.outputs().len()], smallvec![])
        }
    }
}

fn scan_with_tangents(
    scan: &Scan,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> Result<(Outputs, Tangents)> {
    let mut flags: Vec<bool> = dx.iter().map(Option::is_some).collect();
    let carried = scan.consts..scan.consts + scan.carries;
    let step = loop {
        let step = step(scan, &flags)?;
        let found = flags.clone();
        for (flag, nonzero) in flags[carried.clone()].iter_mut().zip(&step.nonzero) {
            *flag |= nonzero;
        }
        if found == flags {
            break step;
        }
    };
    let count = |range: std::ops::Range<usize>| flags[range].iter().filter(|f| **f).count();
    let consts = scan.consts + count(0..scan.consts);
    let carry_tangents = count(carried.clone());
    let tangent = |i: usize| match dx[i] {
        Some(dx) => dx.clone(),
        None => x[i].ty().map_or_else(|_| x[i].clone(), |ty| full_typed(&ty, 0)),
    };
    let mut operands: Vec<Array> = Vec::new();
    for range in [0..scan.consts, carried.clone(), carried.end..x.len()] {
        operands.extend(range.clone().map(|i| x[i].clone()));
        operands.extend(range.filter(|&i| flags[i]).map(tangent));
    }
    let new = Scan {
        body: Arc::new(step.body),
        consts,
        carries: scan.carries + carry_tangents,
        length: scan.length,
        reverse: scan.reverse,
    };
    let results = bind(Op::Scan(new), &operands.iter().collect::<Vec<_>>());
    let (carry_flags, y_flags) = step.nonzero.split_at(scan.carries);
    let (carry, stacked) = results.split_at(scan.carries + carry_tangents);
    let (c, dc) = carry.split_at(scan.carries);
    let (y, dy) = stacked.split_at(scan.ys());
    let tangents = spread(dc, carry_flags).into_iter().chain(spread(dy, y_flags)).collect();
    Ok((c.iter().chain(y).cloned().collect(), tangents))
}
