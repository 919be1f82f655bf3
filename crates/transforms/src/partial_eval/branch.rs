//! A switch that is partly known: two switches on the same index. The known one gives the known
//! results and what the branches of the other need besides their operands; a branch gives zeros in
//! the places of what only others need.

use super::partial_eval_with;
use probpipe_trace::{
    Array, ArrayType, Graph, Op, Result, Switch, bind, full_typed, inline, trace,
};
use std::sync::Arc;

/// Where a residual of a branch comes from, for the unknown switch.
#[derive(Clone, Copy)]
enum Source {
    /// An operand of the switch.
    Operand(usize),
    /// A result of the known switch, counted from its residuals.
    Pooled(usize),
}

/// A result is known if it is known in every branch.
pub(super) fn split_switch(
    switch: &Switch,
    operands: &[Array],
    flags: &[bool],
) -> Result<(Vec<Array>, Vec<bool>)> {
    let (index, operands, flags) = (&operands[0], &operands[1..], &flags[1..]);
    let mut force = vec![false; switch.results()];
    let mut split = Vec::new();
    for branch in &switch.branches {
        let partial = super::partial_eval(branch, flags)?;
        for (force, known) in force.iter_mut().zip(&partial.known_outputs) {
            *force |= !known;
        }
        split.push(partial);
    }
    let known_results = force.iter().filter(|force| !**force).count();
    let known_positions: Vec<usize> = (0..flags.len()).filter(|&i| flags[i]).collect();

    // Branches share the places of residuals of one type.
    let mut pool: Vec<ArrayType> = Vec::new();
    let mut halves = Vec::new();
    for (branch, partial) in switch.branches.iter().zip(split) {
        // Split again only where others ask for more: switches within switches would double the
        // work at every depth.
        let same = partial.known_outputs.iter().zip(&force).all(|(known, force)| known != force);
        let partial = if same { partial } else { partial_eval_with(branch, flags, &force)? };
        let mut taken = vec![false; pool.len()];
        let sources: Vec<Source> = partial.known.outputs()[known_results..]
            .iter()
            .map(|v| {
                if let Some(i) = partial.known.inputs().iter().position(|input| input == v) {
                    return Source::Operand(known_positions[i]);
                }
                let ty = partial.known.ty(*v);
                let free = (0..pool.len()).find(|&i| !taken[i] && pool[i] == *ty);
                let place = free.unwrap_or_else(|| {
                    pool.push(ty.clone());
                    taken.push(false);
                    pool.len() - 1
                });
                taken[place] = true;
                Source::Pooled(place)
            })
            .collect();
        halves.push((partial, sources));
    }

    let known_operands: Vec<Array> = known_positions.iter().map(|&i| operands[i].clone()).collect();
    let known_branches = halves
        .iter()
        .map(|(partial, sources)| known_branch(&partial.known, sources, known_results, &pool))
        .collect::<Result<Vec<_>>>()?;
    let known_out = apply(index, known_branches, &known_operands);
    let (results, residuals) = known_out.split_at(known_results);

    let inputs: Vec<Array> = operands.iter().chain(residuals).cloned().collect();
    let types: Vec<ArrayType> = inputs.iter().map(Array::ty).collect::<Result<_>>()?;
    let unknown_branches = halves
        .iter()
        .map(|(partial, sources)| {
            let traced = trace(&types, |arguments| {
                let (operands, pooled) = arguments.split_at(flags.len());
                let residuals = sources.iter().map(|source| match source {
                    Source::Operand(i) => operands[*i].clone(),
                    Source::Pooled(i) => pooled[*i].clone(),
                });
                let unknown = operands.iter().zip(flags).filter(|(_, known)| !**known);
                let inputs: Vec<Array> = residuals.chain(unknown.map(|(x, _)| x.clone())).collect();
                inline(&partial.unknown, &inputs)
            })?;
            Ok(traced.graph)
        })
        .collect::<Result<Vec<_>>>()?;
    let unknown_out = apply(index, unknown_branches, &inputs);

    let (mut known, mut unknown) = (results.iter().cloned(), unknown_out.into_iter());
    let merged = force.iter().filter_map(|f| if *f { unknown.next() } else { known.next() });
    Ok((merged.collect(), force.iter().map(|force| !force).collect()))
}

fn apply(index: &Array, branches: Vec<Graph>, operands: &[Array]) -> Vec<Array> {
    if branches[0].outputs().is_empty() {
        return Vec::new();
    }
    let branches = branches.into_iter().map(Arc::new).collect();
    let operands: Vec<&Array> = std::iter::once(index).chain(operands).collect();
    bind(Op::Switch(Switch { branches }), &operands).into_vec()
}

/// The known half of a branch, its residuals at their places in the pool.
fn known_branch(
    known: &Graph,
    sources: &[Source],
    results: usize,
    pool: &[ArrayType],
) -> Result<Graph> {
    let types: Vec<ArrayType> = known.input_types().cloned().collect();
    let traced = trace(&types, |arguments| {
        let mut out = inline(known, arguments);
        let residuals = out.split_off(results);
        let mut pooled: Vec<Array> = pool.iter().map(|ty| full_typed(ty, 0)).collect();
        for (source, residual) in sources.iter().zip(residuals) {
            if let Source::Pooled(place) = source {
                pooled[*place] = residual;
            }
        }
        out.extend(pooled);
        out
    })?;
    Ok(traced.graph)
}
