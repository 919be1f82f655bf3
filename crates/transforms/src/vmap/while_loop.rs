//! Batching of conditional loops: one loop over all lanes. If lanes may stop at different steps it
//! runs until the last one stops. A lane that has stopped keeps its carries; what is computed in
//! its place is what a lane that goes on computes.

use super::{LaneOutputs, Lanes, choose, first_lane, lane_types, lanes, mended, vmap_arrays};
use probpipe_trace::{Array, Graph, Op, Result, While, bind, here, trace, while_loop};
use std::sync::Arc;

pub(super) fn while_vmap(w: &While, size: usize, x: &[Lanes]) -> LaneOutputs {
    batched(w, size, x).unwrap_or_else(|error| {
        let array = Array::invalid(error, here());
        smallvec::smallvec![Lanes { array, batched: false }; w.carries()]
    })
}

/// The graph over lanes, with lanes in the flagged outputs at least; and which outputs have them.
fn over_lanes(
    graph: &Graph,
    size: usize,
    flags: &[bool],
    wanted: &[bool],
) -> Result<(Graph, Vec<bool>)> {
    let mut out_flags = Vec::new();
    let traced = trace(&lane_types(graph.input_types(), flags, size), |arguments| {
        let mut out = vmap_arrays(graph, size, lanes(arguments, flags));
        for (lanes, wanted) in out.iter_mut().zip(wanted) {
            if *wanted && !lanes.batched {
                *lanes = Lanes { array: lanes.spread(size), batched: true };
            }
        }
        out_flags = out.iter().map(|lanes| lanes.batched).collect();
        out.into_iter().map(|lanes| lanes.array).collect()
    })?;
    Ok((traced.graph, out_flags))
}

/// A carry has lanes if it starts with them, if it gets them in a step, or if lanes stop at
/// different steps, to a fixed point.
fn batched(w: &While, size: usize, x: &[Lanes]) -> Result<LaneOutputs> {
    let (consts, init) = x.split_at(w.consts());
    let (cond_consts, body_consts) = consts.split_at(w.cond_consts);
    let flags = |x: &[Lanes]| -> Vec<bool> { x.iter().map(|x| x.batched).collect() };
    let mut carry_flags = flags(init);
    let (cond, body, apart) = loop {
        let input = [flags(body_consts), carry_flags.clone()].concat();
        let (body, found) = over_lanes(&w.body, size, &input, &carry_flags)?;
        let input = [flags(cond_consts), carry_flags.clone()].concat();
        let (cond, test) = over_lanes(&w.cond, size, &input, &[false])?;
        let before = carry_flags.clone();
        for (flag, found) in carry_flags.iter_mut().zip(found) {
            *flag |= found | test[0];
        }
        if before == carry_flags {
            break (cond, body, test[0]);
        }
    };
    let init: Vec<Array> = init
        .iter()
        .zip(&carry_flags)
        .map(|(x, f)| if *f { x.spread(size) } else { x.array.clone() })
        .collect();
    let arrays = |x: &[Lanes]| -> Vec<Array> { x.iter().map(|x| x.array.clone()).collect() };
    let results = if apart {
        let active = |carry: &[Array]| {
            let inputs = [&arrays(cond_consts), carry].concat();
            probpipe_trace::inline(&cond, &inputs).remove(0)
        };
        let step = |state: Vec<Array>| {
            let (going, carry) = (&state[0], &state[1..]);
            let inputs = [&arrays(body_consts), carry].concat();
            let flags = [flags(body_consts), carry_flags.clone()].concat();
            let inputs = mended(&inputs, &flags, going, &first_lane(going));
            let next = probpipe_trace::inline(&body, &inputs);
            let kept: Vec<Array> =
                next.iter().zip(carry).map(|(new, old)| choose(going, new, old)).collect();
            let mut state = vec![active(&kept)];
            state.extend(kept);
            state
        };
        let mut state = vec![active(&init)];
        state.extend(init);
        let mut state = while_loop(|state: Vec<Array>| state[0].any(), step, state);
        state.remove(0);
        state
    } else {
        let (cond, body) = (Arc::new(cond), Arc::new(body));
        let (cond_consts, body_consts) = (w.cond_consts, w.body_consts);
        let operands: Vec<Array> = arrays(consts).into_iter().chain(init).collect();
        let op = Op::While(While { cond, body, cond_consts, body_consts });
        bind(op, &operands.iter().collect::<Vec<_>>()).into_vec()
    };
    let pairs = results.into_iter().zip(carry_flags);
    Ok(pairs.map(|(array, batched)| Lanes { array, batched }).collect())
}
