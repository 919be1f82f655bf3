//! Loops and branches: their parameters and type rules.

use crate::dtype::DType;
use crate::op::fault::{Fault, Inferred, checked_size};
use crate::op::graph::Graph;
use crate::types::{ArrayType, Shape};
use crate::var::VarId;
use smallvec::smallvec;
use std::sync::Arc;

/// A loop of known length that carries values and stacks outputs.
///
/// Inputs: `consts` loop-invariant values, `carries` initial carries, then arrays whose leading
/// axis has `length` entries, one per step. The body takes (consts, carries, one entry of each)
/// and gives (carries, one entry of each stacked output).
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// One step.
    pub body: Arc<Graph>,
    /// Number of loop-invariant inputs.
    pub consts: usize,
    /// Number of carried values.
    pub carries: usize,
    /// Number of steps.
    pub length: usize,
    /// Steps run from the last entry to the first; stacked outputs keep their positions.
    pub reverse: bool,
}

impl Scan {
    /// Number of stacked inputs.
    pub fn xs(&self) -> usize {
        self.body.inputs().len() - self.consts - self.carries
    }

    /// Number of stacked outputs.
    pub fn ys(&self) -> usize {
        self.body.outputs().len() - self.carries
    }
}

/// One lane of a call that computes many side by side in loops. A device that runs lanes apart from
/// each other, or some at a time, computes this instead.
#[derive(Clone, PartialEq, Debug)]
pub struct Lane {
    /// The graph of one: its operands are those of the call, without the leading axis of those that
    /// have lanes.
    pub graph: Arc<Graph>,
    /// Number of lanes.
    pub count: usize,
    /// Which operands have lanes.
    pub inputs: Vec<bool>,
    /// Which results have lanes; the others are the same in all.
    pub outputs: Vec<bool>,
}

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

/// Whether a lane of a call fits its operands and results.
pub(super) fn lane(
    lane: &Lane,
    inputs: &[&ArrayType],
    outputs: &[ArrayType],
) -> std::result::Result<(), Fault> {
    let graph = &*lane.graph;
    let fits = |flag: bool, whole: &ArrayType, one: &ArrayType| match flag {
        false => whole == one,
        true => {
            whole.dtype == one.dtype
                && whole.shape.first() == Some(&lane.count)
                && whole.shape[1..] == one.shape[..]
        }
    };
    let all = |flags: &[bool], whole: &[&ArrayType], one: &[VarId]| {
        flags.len() == whole.len()
            && one.len() == whole.len()
            && (0..one.len()).all(|i| fits(flags[i], whole[i], graph.ty(one[i])))
    };
    let outputs: Vec<&ArrayType> = outputs.iter().collect();
    if all(&lane.inputs, inputs, graph.inputs()) && all(&lane.outputs, &outputs, graph.outputs()) {
        return Ok(());
    }
    Err(Fault::shape(
        format!("a lane of `call` does not fit {} lanes of its operands and results", lane.count),
        "see `Lane`",
    ))
}

pub(super) fn scan(scan: &Scan, inputs: &[&ArrayType]) -> Inferred {
    let body = &*scan.body;
    if body.inputs().len() < scan.consts.saturating_add(scan.carries)
        || body.outputs().len() < scan.carries
    {
        return Err(Fault::shape("`scan` body has too few inputs or outputs", "see `Scan`"));
    }
    for (i, (have, var)) in inputs.iter().zip(body.inputs()).enumerate() {
        let want = body.ty(*var);
        let fits = if i < scan.consts + scan.carries {
            *have == want
        } else {
            have.dtype == want.dtype
                && have.rank() == want.rank() + 1
                && have.shape[0] == scan.length
                && have.shape[1..] == want.shape[..]
        };
        if !fits {
            return Err(Fault::shape(
                format!("`scan` of {} steps takes {want} per step, not {have}", scan.length),
                "the leading axis of scanned arrays counts the steps",
            ));
        }
    }
    for i in 0..scan.carries {
        let (before, after) = (body.inputs()[scan.consts + i], body.outputs()[i]);
        if body.ty(before) != body.ty(after) {
            return Err(Fault::shape(
                format!(
                    "`scan` carry {i} starts as {} and ends as {}",
                    body.ty(before),
                    body.ty(after)
                ),
                "a step must give back carries of the types it takes",
            ));
        }
    }
    body.outputs()
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let ty = body.ty(*v);
            if i < scan.carries {
                return Ok(ty.clone());
            }
            let mut shape: Shape = smallvec![scan.length];
            shape.extend_from_slice(&ty.shape);
            checked_size(&shape)?;
            Ok(ty.with_shape(shape))
        })
        .collect()
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
