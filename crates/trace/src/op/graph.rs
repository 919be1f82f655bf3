//! The graph: a program over arrays in SSA and A-normal form, in arenas with typed indices.
//!
//! A graph is an immutable value. It is closed: everything it reads is an input or a constant.
//! Build one with [`crate::GraphBuilder`] or by tracing; `verify` lists its invariants.

use crate::op::Op;
use crate::types::{ArrayType, Loc};
use crate::value::Value;
use crate::var::VarId;
use smallvec::SmallVec;
use std::fmt;

/// One step of a graph: `outputs = op(inputs)`, and the user's line that asked for it.
#[derive(Clone, Debug)]
pub struct Eqn {
    /// What is computed.
    pub op: Op,
    /// Operands.
    pub inputs: SmallVec<[VarId; 3]>,
    /// Results.
    pub outputs: SmallVec<[VarId; 1]>,
    /// Where the user wrote it; every rewrite passes it on.
    pub location: Loc,
}

/// A typed program over arrays. Equality is structural and ignores locations.
#[derive(Clone)]
pub struct Graph {
    pub(crate) types: Vec<ArrayType>,
    pub(crate) inputs: Vec<VarId>,
    pub(crate) consts: Vec<(VarId, Value)>,
    pub(crate) eqns: Vec<Eqn>,
    pub(crate) outputs: Vec<VarId>,
}

impl Graph {
    /// Number of variables; ids are below it.
    pub fn num_vars(&self) -> usize {
        self.types.len()
    }

    /// The type of a variable.
    pub fn ty(&self, var: VarId) -> &ArrayType {
        &self.types[var.index()]
    }

    /// The parameters, in order.
    pub fn inputs(&self) -> &[VarId] {
        &self.inputs
    }

    /// The constants.
    pub fn consts(&self) -> &[(VarId, Value)] {
        &self.consts
    }

    /// The equations, each after those that define its operands.
    pub fn eqns(&self) -> &[Eqn] {
        &self.eqns
    }

    /// Whether an equation, here or in a graph that one holds, has such an op.
    pub fn has(&self, wanted: fn(&Op) -> bool) -> bool {
        let inside = |op: &Op| op.graphs().into_iter().any(|graph| graph.has(wanted));
        self.eqns.iter().any(|eqn| wanted(&eqn.op) || inside(&eqn.op))
    }

    /// The results, in order; a variable may appear more than once.
    pub fn outputs(&self) -> &[VarId] {
        &self.outputs
    }

    /// Types of the parameters.
    pub fn input_types(&self) -> impl ExactSizeIterator<Item = &ArrayType> {
        self.inputs.iter().map(|&v| self.ty(v))
    }

    /// Types of the results.
    pub fn output_types(&self) -> impl ExactSizeIterator<Item = &ArrayType> {
        self.outputs.iter().map(|&v| self.ty(v))
    }
}

impl PartialEq for Graph {
    fn eq(&self, other: &Graph) -> bool {
        self.types == other.types
            && self.inputs == other.inputs
            && self.outputs == other.outputs
            && self.consts == other.consts
            && self.eqns.len() == other.eqns.len()
            && self
                .eqns
                .iter()
                .zip(&other.eqns)
                .all(|(a, b)| a.op == b.op && a.inputs == b.inputs && a.outputs == b.outputs)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
