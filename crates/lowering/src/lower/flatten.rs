//! Calls, checkpoints and ops with derivatives of their own put in place, so that fusion sees
//! across them. Nothing is merged here, so what a checkpoint computes anew stays computed anew.

use probpipe_trace::{Graph, GraphBuilder, VarId};
use std::borrow::Cow;

/// The graph with every such op replaced by the equations of its graph; loop bodies are flattened
/// when they are lowered.
pub(super) fn flatten_calls(graph: &Graph) -> Cow<'_, Graph> {
    if !graph.eqns().iter().any(|e| e.op.opened().is_some()) {
        return Cow::Borrowed(graph);
    }
    let mut builder = GraphBuilder::new();
    let inputs: Vec<VarId> = graph.input_types().map(|ty| builder.input(ty.clone())).collect();
    let outputs = splice(&mut builder, graph, &inputs);
    Cow::Owned(builder.finish(outputs))
}

fn splice(builder: &mut GraphBuilder, graph: &Graph, inputs: &[VarId]) -> Vec<VarId> {
    let mut env = vec![VarId(u32::MAX); graph.num_vars()];
    for (&var, &new) in graph.inputs().iter().zip(inputs) {
        env[var.index()] = new;
    }
    for (var, value) in graph.consts() {
        env[var.index()] = builder.constant(value.clone());
    }
    for eqn in graph.eqns() {
        let operands: Vec<VarId> = eqn.inputs.iter().map(|v| env[v.index()]).collect();
        let results: Vec<VarId> = match eqn.op.opened() {
            Some(graph) => splice(builder, graph, &operands),
            // The equation typed before, so it types again.
            None => match builder.push(eqn.op.clone(), &operands, eqn.location) {
                Ok(results) => results.to_vec(),
                Err(fault) => unreachable!("a verified equation does not type: {fault:?}"),
            },
        };
        for (&var, new) in eqn.outputs.iter().zip(results) {
            env[var.index()] = new;
        }
    }
    graph.outputs().iter().map(|v| env[v.index()]).collect()
}
