//! Cutting a graph: the part between given variables, and walking a graph on arrays. No rule of
//! any op is here.

use probpipe_trace::{
    Array, Error, ErrorKind, Graph, GraphBuilder, Result, VarId, full_typed, with_location,
};
use std::panic::Location;

/// A fault of this crate, for states that a verified graph cannot reach.
pub(crate) fn internal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Internal, message)
}

/// The graph that computes `outputs` from `inputs`: the equations between them and the constants
/// they read. An input cuts: what defines it is left out. Fails when an output needs an input of
/// `graph` that is not among `inputs`.
pub fn extract(graph: &Graph, inputs: &[VarId], outputs: &[VarId]) -> Result<Graph> {
    let mut needed = vec![false; graph.num_vars()];
    let mut cut = vec![false; graph.num_vars()];
    for v in inputs {
        cut[v.index()] = true;
    }
    for v in outputs {
        needed[v.index()] = true;
    }
    let mut keep = vec![false; graph.eqns().len()];
    for (i, eqn) in graph.eqns().iter().enumerate().rev() {
        if eqn.outputs.iter().any(|v| needed[v.index()] && !cut[v.index()]) {
            keep[i] = true;
            for v in &eqn.inputs {
                needed[v.index()] = true;
            }
        }
    }
    let mut builder = GraphBuilder::new();
    let mut map: Vec<Option<VarId>> = vec![None; graph.num_vars()];
    for v in inputs {
        map[v.index()] = Some(builder.input(graph.ty(*v).clone()));
    }
    for (v, value) in graph.consts() {
        if needed[v.index()] && !cut[v.index()] {
            map[v.index()] = Some(builder.constant(value.clone()));
        }
    }
    let find = |map: &[Option<VarId>], v: &VarId| {
        map[v.index()].ok_or_else(|| internal(format!("{v} is needed but was cut away")))
    };
    for (eqn, _) in graph.eqns().iter().zip(&keep).filter(|(_, keep)| **keep) {
        let operands: Vec<VarId> =
            eqn.inputs.iter().map(|v| find(&map, v)).collect::<Result<_>>()?;
        let results = builder
            .push(eqn.op.clone(), &operands, eqn.location)
            .map_err(|fault| internal(format!("{fault:?}")).at(eqn.location))?;
        for (old, new) in eqn.outputs.iter().zip(results) {
            // A cut result stays the input that replaces it.
            map[old.index()].get_or_insert(new);
        }
    }
    let outputs = outputs.iter().map(|v| find(&map, v)).collect::<Result<_>>()?;
    Ok(builder.finish(outputs))
}

/// The same graph with its inputs in another order: input `i` of the result is input `order[i]`.
pub(crate) fn reorder_inputs(graph: &Graph, order: &[usize]) -> Result<Graph> {
    let inputs: Vec<VarId> = order.iter().map(|&i| graph.inputs()[i]).collect();
    extract(graph, &inputs, graph.outputs())
}

/// Arrays by variable, for walking a graph; constants are in place from the start.
pub(crate) struct Env(Vec<Option<Array>>);

impl Env {
    pub(crate) fn new(graph: &Graph) -> Env {
        let mut env = vec![None; graph.num_vars()];
        let location = Location::caller();
        with_location(location, || {
            for (v, value) in graph.consts() {
                env[v.index()] = Some(Array::from_value(value.clone()));
            }
        });
        Env(env)
    }

    pub(crate) fn set(&mut self, v: VarId, array: Array) {
        self.0[v.index()] = Some(array);
    }

    pub(crate) fn get(&self, v: VarId) -> Array {
        match &self.0[v.index()] {
            Some(array) => array.clone(),
            None => Array::invalid(internal(format!("{v} has no value")), Location::caller()),
        }
    }
}

/// Zeros of the type of a variable.
pub(crate) fn zeros_of(graph: &Graph, v: VarId) -> Array {
    full_typed(graph.ty(v), 0)
}

/// Splits a list by flags: those set, and the others.
pub(crate) fn partition<T: Clone>(list: &[T], flags: &[bool]) -> (Vec<T>, Vec<T>) {
    let pick = |want: bool| {
        list.iter().zip(flags).filter(|(_, f)| **f == want).map(|(x, _)| x.clone()).collect()
    };
    (pick(true), pick(false))
}

/// Which inputs of a graph the flagged outputs read.
pub(crate) fn inputs_read(graph: &Graph, outputs: &[bool]) -> Vec<bool> {
    let mut live = vec![false; graph.num_vars()];
    for (v, needed) in graph.outputs().iter().zip(outputs) {
        live[v.index()] |= needed;
    }
    for eqn in graph.eqns().iter().rev() {
        if eqn.outputs.iter().any(|v| live[v.index()]) {
            for v in &eqn.inputs {
                live[v.index()] = true;
            }
        }
    }
    graph.inputs().iter().map(|v| live[v.index()]).collect()
}
