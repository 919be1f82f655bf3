//! Branches and conditional loops: their parameters and type rules.

use crate::dtype::DType;
use crate::op::graph::Graph;
use crate::op::{Fault, Inferred};
use crate::types::ArrayType;
use std::sync::Arc;

/// One of several graphs, of which only the chosen one runs.
///
/// Inputs: an `i32` scalar, then what every branch takes. The number is clamped to the branches.
#[derive(Clone, PartialEq, Debug)]
pub struct Switch {
    /// At least one; all take the same types and give the same types.
    pub branches: Vec<Arc<Graph>>,
}

impl Switch {
    /// Number of values that a branch takes.
    pub fn operands(&self) -> usize {
        self.branches.first().map_or(0, |branch| branch.inputs().len())
    }

    /// Number of values that a branch gives.
    pub fn results(&self) -> usize {
        self.branches.first().map_or(0, |branch| branch.outputs().len())
    }
}

/// A loop that runs as long as a condition holds.
///
/// Inputs: `cond_consts` loop-invariant values of the condition, `body_consts` of the body, then
/// the initial carries. The condition takes (its values, carries) and gives a `bool` scalar; the
/// body takes (its values, carries) and gives the carries.
#[derive(Clone, PartialEq, Debug)]
pub struct While {
    /// Whether to take another step.
    pub cond: Arc<Graph>,
    /// One step.
    pub body: Arc<Graph>,
    /// Number of loop-invariant inputs of the condition.
    pub cond_consts: usize,
    /// Number of loop-invariant inputs of the body.
    pub body_consts: usize,
}

impl While {
    /// Number of carried values.
    pub fn carries(&self) -> usize {
        self.body.outputs().len()
    }

    /// Number of inputs before the carries.
    pub fn consts(&self) -> usize {
        self.cond_consts + self.body_consts
    }
}

pub(super) fn switch(switch: &Switch, inputs: &[&ArrayType]) -> Inferred {
    let [index, operands @ ..] = inputs else {
        return Err(Fault::shape("`switch` has no index", "the first operand chooses the branch"));
    };
    let Some(first) = switch.branches.first() else {
        return Err(Fault::shape("`switch` has no branches", "give at least one"));
    };
    if index.dtype != DType::I32 || index.rank() != 0 {
        let message = format!("`switch` chooses by an i32 scalar, not {index}");
        return Err(Fault::dtype(message, "reduce or index it first; convert with `cast`"));
    }
    for (i, branch) in switch.branches.iter().enumerate() {
        if !branch.input_types().eq(operands.iter().copied()) {
            let takes: Vec<&ArrayType> = branch.input_types().collect();
            let message = format!("branch {i} of `switch` takes {takes:?}, not {operands:?}");
            return Err(Fault::shape(message, "all branches take the operands after the index"));
        }
        if !branch.output_types().eq(first.output_types()) {
            let gives: Vec<&ArrayType> = branch.output_types().collect();
            let want: Vec<&ArrayType> = first.output_types().collect();
            let message = format!("branch {i} of `switch` gives {gives:?}, branch 0 {want:?}");
            return Err(Fault::shape(message, "all branches give the same types"));
        }
    }
    Ok(first.output_types().cloned().collect())
}

pub(super) fn while_loop(w: &While, inputs: &[&ArrayType]) -> Inferred {
    let parts = "the condition takes (its values, carries), the body (its values, carries)";
    let fits = w.body.inputs().len() == w.body_consts.saturating_add(w.carries())
        && w.cond.inputs().len() == w.cond_consts.saturating_add(w.carries())
        && inputs.len() == w.consts() + w.carries();
    if !fits {
        return Err(Fault::shape("`while` has graphs that do not fit its parts", parts));
    }
    if !w.cond.output_types().eq([&ArrayType::scalar(DType::Bool)]) {
        let gives: Vec<&ArrayType> = w.cond.output_types().collect();
        let message = format!("the condition of `while` gives {gives:?}, not one bool scalar");
        return Err(Fault::dtype(message, "compare, and reduce with `all` or `any`"));
    }
    let (consts, carries) = inputs.split_at(w.consts());
    let (cond_consts, body_consts) = consts.split_at(w.cond_consts);
    for (name, graph, consts) in
        [("condition", &w.cond, cond_consts), ("body", &w.body, body_consts)]
    {
        if !graph.input_types().eq(consts.iter().chain(carries).copied()) {
            let takes: Vec<&ArrayType> = graph.input_types().collect();
            let have: Vec<&&ArrayType> = consts.iter().chain(carries).collect();
            let message = format!("the {name} of `while` takes {takes:?}, not {have:?}");
            return Err(Fault::shape(message, parts));
        }
    }
    if !w.body.output_types().eq(carries.iter().copied()) {
        let gives: Vec<&ArrayType> = w.body.output_types().collect();
        let message = format!("`while` carries {carries:?}, and a step gives {gives:?}");
        return Err(Fault::shape(message, "a step must give back carries of the types it takes"));
    }
    Ok(w.body.output_types().cloned().collect())
}
