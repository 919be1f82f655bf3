//! The reference interpreter: plain Rust that defines what every op computes. It is the engine of
//! small eager operations and of constant folding, and the oracle that every backend is tested
//! against.
//!
//! It is written to be read, not to be fast: one function per op, no fusion, no reuse of buffers.
//! Operand and result types have been decided by [`crate::op::infer`] and are not checked again.

mod cells;
mod control;
mod dot;
mod elements;
mod elementwise;
mod groups;
mod indexing;
mod linalg;
pub(crate) mod profile;
mod random;
mod scatter;
mod sorting;
mod special;
mod structural;
mod watch;

pub use groups::Groups;
pub use indexing::{IndexedDims, around, cumulative_bytes};
pub use linalg::{complement, sign_of};
pub use profile::{profile_calls, profile_graph};
pub use random::threefry2x32;
pub use scatter::scatter_bytes;
pub use sorting::sort_bytes;
pub use special::special_bytes;
pub use watch::watching_nan;

use crate::error::{Error, ErrorKind, Result};
use crate::op::Op;
use crate::op::graph::Graph;
use crate::op::opaque::Custom;
use crate::types::ArrayType;
use crate::value::{Value, Values};
use smallvec::{SmallVec, smallvec};

/// Applies one op to values that fit it. `outputs` are the result types that
/// [`crate::op::infer`] gives for them.
pub fn eval_op(op: &Op, inputs: &[Value], outputs: &[ArrayType]) -> Result<SmallVec<[Value; 2]>> {
    apply(op, inputs, outputs).map_err(|error| match (error.kind(), outputs) {
        // Memory is all that a device lacks here: for what, is not known where it is asked for.
        (ErrorKind::Device, [ty, ..]) if error.location().is_none() => {
            error.note(format!("`{}` makes {ty}", op.name()), None)
        }
        _ => error,
    })
}

fn apply(op: &Op, inputs: &[Value], outputs: &[ArrayType]) -> Result<SmallVec<[Value; 2]>> {
    let value = match op {
        Op::Unary(op) => elementwise::unary(*op, &inputs[0], &outputs[0])?,
        Op::Binary(op) => elementwise::binary(*op, &inputs[0], &inputs[1], &outputs[0])?,
        Op::Compare(op) => elementwise::compare(*op, &inputs[0], &inputs[1], &outputs[0])?,
        Op::Special(op) => special::special(*op, inputs, &outputs[0])?,
        Op::Select => elementwise::select(&inputs[0], &inputs[1], &inputs[2], &outputs[0])?,
        Op::Cast(_) => elementwise::cast(&inputs[0], &outputs[0])?,
        Op::Bitcast(_) => structural::same_bytes(&inputs[0], &outputs[0])?,
        Op::Threefry2x32 => return random::threefry(inputs, &outputs[0]),
        Op::Reduce { op, axes } => structural::reduce(*op, axes, &inputs[0], &outputs[0])?,
        Op::Broadcast { axes, .. } => structural::broadcast(axes, &inputs[0], &outputs[0])?,
        Op::Reshape { .. } => structural::same_bytes(&inputs[0], &outputs[0])?,
        Op::Transpose { permutation } => {
            structural::transpose(permutation, &inputs[0], &outputs[0])?
        }
        Op::Slice { start, stride, .. } => {
            structural::slice(start, stride, &inputs[0], &outputs[0])?
        }
        Op::Pad { low, interior, .. } => {
            structural::pad(low, interior, &inputs[0], &inputs[1], &outputs[0])?
        }
        Op::Concat { axis } => structural::concat(*axis, inputs, &outputs[0])?,
        Op::Reverse { axes } => structural::reverse(axes, &inputs[0], &outputs[0])?,
        Op::Iota { axis, .. } => structural::iota(*axis, &outputs[0])?,
        Op::Gather { batch } => indexing::gather(*batch, inputs, &outputs[0])?,
        Op::Scatter { op, batch } => scatter::scatter(*op, *batch, inputs, &outputs[0])?,
        Op::Cumulative { op, axis, reverse } => {
            indexing::cumulative(*op, *axis, *reverse, &inputs[0], &outputs[0])?
        }
        Op::Sort { axis, num_keys } => return sorting::sort(*axis, *num_keys, inputs, outputs),
        Op::Dot(axes) => dot::dot(axes, &inputs[0], &inputs[1], &outputs[0])?,
        Op::Linalg(op) => return linalg::apply(*op, inputs, outputs),
        Op::Call { graph, .. } | Op::Checkpoint { graph } | Op::Custom(Custom { graph, .. }) => {
            let inputs: SmallVec<[&Value; 4]> = inputs.iter().collect();
            return Ok(eval_graph(graph, &inputs)?.into_iter().collect());
        }
        Op::Scan(scan) => return control::scan(scan, inputs, outputs),
        Op::Callback(callback) => return callback.call(inputs).map(SmallVec::from_vec),
        Op::Switch(switch) => return control::switch(switch, inputs),
        Op::While(w) => return control::while_loop(w, inputs),
    };
    Ok(smallvec![value])
}

/// Runs a graph. Intermediate values live until their last use.
pub fn eval_graph(graph: &Graph, inputs: &[&Value]) -> Result<Values> {
    eval_graph_with(graph, inputs, eval_op)
}

/// [`eval_graph`] with `apply` in the place of [`eval_op`].
pub(crate) fn eval_graph_with(
    graph: &Graph,
    inputs: &[&Value],
    apply: impl Fn(&Op, &[Value], &[ArrayType]) -> Result<SmallVec<[Value; 2]>>,
) -> Result<Values> {
    if inputs.len() != graph.inputs().len() {
        return Err(Error::new(
            ErrorKind::Internal,
            format!("a graph of {} inputs was given {}", graph.inputs().len(), inputs.len()),
        ));
    }
    for (i, (value, ty)) in inputs.iter().zip(graph.input_types()).enumerate() {
        if value.ty() != ty {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("input {i} of a graph is {}, it takes {ty}", value.ty()),
            ));
        }
    }
    let inputs = inputs.iter().map(|&v| v.clone());
    Runner::new(graph).run_with(inputs, |_, op, operands, types| apply(op, operands, types))
}

/// A graph made ready to run, once or many times over.
struct Runner<'g> {
    graph: &'g Graph,
    /// The value of each variable, while it has one. Constants keep theirs between runs.
    values: Vec<Option<Value>>,
    /// The variables that are done with after each equation.
    done: Vec<SmallVec<[usize; 2]>>,
    /// The variables that no equation is the last to read: outputs, and inputs never used.
    rest: Vec<usize>,
}

impl<'g> Runner<'g> {
    fn new(graph: &'g Graph) -> Runner<'g> {
        let mut values = vec![None; graph.num_vars()];
        // What must not be freed inside a run: constants, outputs, and later what is freed already.
        let mut settled = vec![false; graph.num_vars()];
        for (var, value) in graph.consts() {
            values[var.index()] = Some(value.clone());
            settled[var.index()] = true;
        }
        let mut rest = Vec::new();
        for var in graph.outputs() {
            if !std::mem::replace(&mut settled[var.index()], true) {
                rest.push(var.index());
            }
        }
        let mut done: Vec<SmallVec<[usize; 2]>> = Vec::with_capacity(graph.eqns().len());
        for eqn in graph.eqns().iter().rev() {
            // Results count as uses: a result that nobody reads dies where it is born.
            let uses = eqn.inputs.iter().chain(&eqn.outputs).map(|v| v.index());
            done.push(uses.filter(|&v| !std::mem::replace(&mut settled[v], true)).collect());
        }
        done.reverse();
        rest.extend(graph.inputs().iter().map(|v| v.index()).filter(|&v| !settled[v]));
        Runner { graph, values, done, rest }
    }

    fn run(&mut self, inputs: impl IntoIterator<Item = Value>) -> Result<Values> {
        self.run_with(inputs, |_, op, operands, types| eval_op(op, operands, types))
    }

    /// As `run`, with `apply` in the place of [`eval_op`]: it is given the equation's number too.
    fn run_with(
        &mut self,
        inputs: impl IntoIterator<Item = Value>,
        mut apply: impl FnMut(usize, &Op, &[Value], &[ArrayType]) -> Result<SmallVec<[Value; 2]>>,
    ) -> Result<Values> {
        let graph = self.graph;
        let watched = watch::is_on();
        for (var, value) in graph.inputs().iter().zip(inputs) {
            self.values[var.index()] = Some(value);
        }
        for (k, (eqn, done)) in graph.eqns().iter().zip(&self.done).enumerate() {
            let operands: SmallVec<[Value; 4]> = eqn
                .inputs
                .iter()
                .map(|v| defined(&self.values, v.index()))
                .collect::<Result<_>>()?;
            let types: SmallVec<[ArrayType; 2]> =
                eqn.outputs.iter().map(|&v| graph.ty(v).clone()).collect();
            let results = apply(k, &eqn.op, &operands, &types).map_err(|e| e.at(eqn.location))?;
            if watched {
                watch::check(graph, eqn, &operands, &results)?;
            }
            for (var, value) in eqn.outputs.iter().zip(results) {
                self.values[var.index()] = Some(value);
            }
            for &var in done {
                self.values[var] = None;
            }
        }
        let outputs = graph.outputs().iter().map(|v| defined(&self.values, v.index())).collect();
        for &var in &self.rest {
            self.values[var] = None;
        }
        outputs
    }
}

fn defined(values: &[Option<Value>], var: usize) -> Result<Value> {
    values[var].clone().ok_or_else(|| {
        Error::new(ErrorKind::Internal, format!("%{var} is used before it is defined"))
    })
}
