//! Batching of switches. A branch that no lane takes is not run. One that only some lanes take
//! computes the others on the operands of a lane that takes it, so that neither its values nor its
//! derivatives are ever those of a place where it must not be evaluated; they are dropped.

use super::{LaneOutputs, Lanes, choose, first_lane, lane_types, lanes, mended, vmap_arrays};
use probpipe_trace::{
    Array, ArrayType, CompareOp, DType, Graph, Op, Result, Switch, bind, bind1, full_typed, here,
    inline, trace,
};
use std::sync::Arc;

pub(super) fn switch_vmap(switch: &Switch, size: usize, x: &[Lanes]) -> LaneOutputs {
    let results = if x[0].batched && size > 0 {
        by_lane(switch, size, &x[0].array, &x[1..])
    } else {
        together(switch, size, x)
    };
    results.unwrap_or_else(|error| {
        let array = Array::invalid(error, here());
        smallvec::smallvec![Lanes { array, batched: false }; switch.results()]
    })
}

/// All lanes take one branch. A result has lanes if it has them in any branch.
fn together(switch: &Switch, size: usize, x: &[Lanes]) -> Result<LaneOutputs> {
    // Without lanes there is no branch to take, so any will do.
    let index = if x[0].batched {
        full_typed(&ArrayType::scalar(DType::I32), 0)
    } else {
        x[0].array.clone()
    };
    let flags: Vec<bool> = x[1..].iter().map(|x| x.batched).collect();
    let mut out_flags = vec![false; switch.results()];
    let mut batched = Vec::new();
    for graph in &switch.branches {
        let types = lane_types(graph.input_types(), &flags, size);
        let mut found = Vec::new();
        let traced = trace(&types, |arguments| {
            let out = vmap_arrays(graph, size, lanes(arguments, &flags));
            found = out.iter().map(|x| x.batched).collect();
            out.into_iter().map(|x| x.array).collect()
        })?;
        for (any, one) in out_flags.iter_mut().zip(&found) {
            *any |= one;
        }
        batched.push((traced.graph, found));
    }
    let branches = batched
        .into_iter()
        .map(|(graph, found)| completed(graph, &found, &out_flags, size).map(Arc::new))
        .collect::<Result<_>>()?;
    let operands: Vec<&Array> =
        std::iter::once(&index).chain(x[1..].iter().map(|x| &x.array)).collect();
    let results = bind(Op::Switch(Switch { branches }), &operands);
    Ok(results
        .into_iter()
        .zip(out_flags)
        .map(|(array, batched)| Lanes { array, batched })
        .collect())
}

/// A batched branch with lanes for the results that have them in others. It is copied, not
/// batched again: switches within switches would double the work at every depth.
fn completed(graph: Graph, found: &[bool], wanted: &[bool], size: usize) -> Result<Graph> {
    if found == wanted {
        return Ok(graph);
    }
    let types: Vec<ArrayType> = graph.input_types().cloned().collect();
    let traced = trace(&types, |arguments| {
        let out = inline(&graph, arguments).into_iter().zip(found);
        let out = out.map(|(array, &batched)| Lanes { array, batched });
        out.zip(wanted).map(|(x, f)| if *f { x.spread(size) } else { x.array }).collect()
    })?;
    Ok(traced.graph)
}

/// Every lane takes a branch of its own.
fn by_lane(switch: &Switch, size: usize, index: &Array, x: &[Lanes]) -> Result<LaneOutputs> {
    let flags: Vec<bool> = x.iter().map(|x| x.batched).collect();
    let index = index.clip(0, switch.branches.len() as i32 - 1);
    let mut results: Option<Vec<Array>> = None;
    for (k, graph) in switch.branches.iter().enumerate() {
        let number = full_typed(&ArrayType::new(DType::I32, [size]), k as i64);
        let mine = bind1(Op::Compare(CompareOp::Eq), &[&index, &number]);
        let branches =
            vec![Arc::new(nothing(graph, &flags, size)?), Arc::new(taken(graph, &flags, size)?)];
        let any = mine.any_axes([0]).cast(DType::I32);
        let operands: Vec<&Array> =
            [&any, &mine].into_iter().chain(x.iter().map(|x| &x.array)).collect();
        let out = bind(Op::Switch(Switch { branches }), &operands);
        results = Some(match results {
            None => out.into_vec(),
            Some(others) => {
                others.iter().zip(&out).map(|(other, x)| choose(&mine, x, other)).collect()
            }
        });
    }
    let lanes = |array| Lanes { array, batched: true };
    Ok(results.unwrap_or_default().into_iter().map(lanes).collect())
}

/// Types of (which lanes take the branch, the operands).
fn operand_types(graph: &Graph, flags: &[bool], size: usize) -> Vec<ArrayType> {
    let mut types = lane_types(graph.input_types(), flags, size);
    types.insert(0, ArrayType::new(DType::Bool, [size]));
    types
}

/// The branch on all lanes, of which some take it.
fn taken(graph: &Graph, flags: &[bool], size: usize) -> Result<Graph> {
    let traced = trace(&operand_types(graph, flags, size), |arguments| {
        let (mine, operands) = (&arguments[0], &arguments[1..]);
        let operands = mended(operands, flags, mine, &first_lane(mine));
        let out = vmap_arrays(graph, size, lanes(&operands, flags));
        out.into_iter().map(|x| x.spread(size)).collect()
    })?;
    Ok(traced.graph)
}

/// Zeros in place of a branch that no lane takes.
fn nothing(graph: &Graph, flags: &[bool], size: usize) -> Result<Graph> {
    let all = vec![true; graph.outputs().len()];
    let results = lane_types(graph.output_types(), &all, size);
    let traced = trace(&operand_types(graph, flags, size), |_| {
        results.iter().map(|ty| full_typed(ty, 0)).collect()
    })?;
    Ok(traced.graph)
}
