//! Batching of loops: one loop over all lanes. Carries that are the same for all lanes stay so.

use super::{LaneOutputs, Lanes, lane_types, lanes, vmap_arrays};
use probpipe_trace::{Array, Graph, Op, Result, Scan, bind, trace};
use std::panic::Location;
use std::sync::Arc;

/// A step over lanes, and which of its outputs have lanes.
fn step(scan: &Scan, size: usize, flags: &[bool]) -> Result<(Graph, Vec<bool>)> {
    let types = lane_types(scan.body.input_types(), flags, size);
    let mut out_flags = Vec::new();
    let traced = trace(&types, |arguments| {
        let mut out = vmap_arrays(&scan.body, size, lanes(arguments, flags));
        for (i, lanes) in out[..scan.carries].iter_mut().enumerate() {
            if flags[scan.consts + i] && !lanes.batched {
                *lanes = Lanes { array: lanes.spread(size), batched: true };
            }
        }
        out_flags = out.iter().map(|lanes| lanes.batched).collect();
        out.into_iter().map(|lanes| lanes.array).collect()
    })?;
    Ok((traced.graph, out_flags))
}

/// A carry has lanes if it starts with them or gets them in a step, to a fixed point.
pub(super) fn scan_vmap(scan: &Scan, size: usize, x: &[Lanes]) -> LaneOutputs {
    let carried = scan.consts..scan.consts + scan.carries;
    let mut flags: Vec<bool> = x.iter().map(|x| x.batched).collect();
    let (body, out_flags) = loop {
        let (body, out_flags) = match step(scan, size, &flags) {
            Ok(step) => step,
            Err(error) => {
                let array = Array::invalid(error, Location::caller());
                let invalid = Lanes { array, batched: false };
                return smallvec::smallvec![invalid; scan.body.outputs().len()];
            }
        };
        let before = flags.clone();
        for (flag, batched) in flags[carried.clone()].iter_mut().zip(&out_flags) {
            *flag |= batched;
        }
        if before == flags {
            break (body, out_flags);
        }
    };
    let operands: Vec<Array> = x
        .iter()
        .enumerate()
        .map(|(i, x)| match (flags[i], x.batched) {
            // The loop runs over the leading axis, so lanes come second.
            (true, _) if i >= carried.end => x.array.move_axis(0, 1),
            (true, _) => x.spread(size),
            (false, _) => x.array.clone(),
        })
        .collect();
    let batched = Scan {
        body: Arc::new(body),
        consts: scan.consts,
        carries: scan.carries,
        length: scan.length,
        reverse: scan.reverse,
    };
    bind(Op::Scan(batched), &operands.iter().collect::<Vec<_>>())
        .into_iter()
        .zip(out_flags)
        .enumerate()
        .map(|(i, (array, batched))| {
            let stacked = batched && i >= scan.carries;
            Lanes { array: if stacked { array.move_axis(1, 0) } else { array }, batched }
        })
        .collect()
}
