//! Building graphs: equation by equation, with types inferred and constants stored once.

use crate::dtype::DType;
use crate::op::fault::Fault;
use crate::op::graph::{Eqn, Graph};
use crate::op::{Op, infer};
use crate::types::{ArrayType, Loc};
use crate::value::Value;
use crate::var::VarId;
use crate::verify::verify;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Builds a graph equation by equation; types are inferred, never given.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
    /// Scalar constants by element type and bits, so that a literal is stored once.
    scalars: FxHashMap<(DType, u64), VarId>,
    /// Larger constants by storage identity.
    arrays: FxHashMap<usize, VarId>,
}

impl Default for GraphBuilder {
    fn default() -> GraphBuilder {
        GraphBuilder::new()
    }
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> GraphBuilder {
        let graph = Graph {
            types: Vec::new(),
            inputs: Vec::new(),
            consts: Vec::new(),
            eqns: Vec::new(),
            outputs: Vec::new(),
        };
        GraphBuilder { graph, scalars: FxHashMap::default(), arrays: FxHashMap::default() }
    }

    /// A fresh variable, for a definition that is still to come.
    pub(crate) fn var(&mut self, ty: ArrayType) -> VarId {
        let id = VarId(self.graph.types.len() as u32);
        self.graph.types.push(ty);
        id
    }

    /// Adds a parameter.
    pub fn input(&mut self, ty: ArrayType) -> VarId {
        let id = self.var(ty);
        self.graph.inputs.push(id);
        id
    }

    /// Adds a constant, or finds it if it is there already.
    pub fn constant(&mut self, value: Value) -> VarId {
        let ty = value.ty().clone();
        let scalar_key = (ty.rank() == 0)
            .then(|| value.to_host().ok())
            .flatten()
            .map(|b| (ty.dtype, b.bytes().iter().rev().fold(0u64, |k, &x| k << 8 | u64::from(x))));
        let known = match scalar_key {
            Some(key) => self.scalars.get(&key),
            None => self.arrays.get(&value.id()),
        };
        if let Some(&id) = known {
            return id;
        }
        let id = self.var(ty);
        match scalar_key {
            Some(key) => self.scalars.insert(key, id),
            None => self.arrays.insert(value.id(), id),
        };
        self.graph.consts.push((id, value));
        id
    }

    /// Adds an equation and gives its results, or says why the operands do not fit.
    pub fn push(
        &mut self,
        op: Op,
        inputs: &[VarId],
        location: Loc,
    ) -> Result<SmallVec<[VarId; 1]>, Fault> {
        let results = {
            let graph = &self.graph;
            let types: SmallVec<[&ArrayType; 4]> = inputs.iter().map(|&v| graph.ty(v)).collect();
            infer(&op, &types)?
        };
        let outputs: SmallVec<[VarId; 1]> = results.into_iter().map(|ty| self.var(ty)).collect();
        self.graph.eqns.push(Eqn { op, inputs: inputs.into(), outputs: outputs.clone(), location });
        Ok(outputs)
    }

    /// The type of a variable.
    pub fn ty(&self, var: VarId) -> &ArrayType {
        self.graph.ty(var)
    }

    /// The value of a constant variable.
    pub fn const_value(&self, var: VarId) -> Option<&Value> {
        self.graph.consts.iter().find(|(v, _)| *v == var).map(|(_, value)| value)
    }

    /// Where an equation's result was asked for; `None` for inputs and constants.
    pub fn location_of(&self, var: VarId) -> Option<Loc> {
        self.graph.eqns.iter().rev().find(|e| e.outputs.contains(&var)).map(|e| e.location)
    }

    /// The graph so far.
    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The finished graph of what is `live`, with these inputs and, first of all, these equations.
    pub(crate) fn finish_live(
        mut self,
        inputs: Vec<VarId>,
        first: Vec<Eqn>,
        outputs: Vec<VarId>,
        live: &[bool],
    ) -> Graph {
        let old = &mut self.graph;
        let mut map: Vec<Option<VarId>> = vec![None; old.types.len()];
        let mut types = Vec::new();
        let mut keep = |var: VarId| -> VarId {
            *map[var.index()].get_or_insert_with(|| {
                types.push(old.types[var.index()].clone());
                VarId(types.len() as u32 - 1)
            })
        };
        let inputs = inputs.into_iter().map(&mut keep).collect();
        let consts = std::mem::take(&mut old.consts).into_iter();
        let consts = consts.filter(|(var, _)| live[var.index()]);
        let consts = consts.map(|(var, value)| (keep(var), value)).collect();
        let is_live = |eqn: &Eqn| eqn.outputs.iter().any(|var| live[var.index()]);
        let eqns = std::mem::take(&mut old.eqns).into_iter().filter(is_live);
        let eqns = first.into_iter().chain(eqns).map(|mut eqn| {
            let renamed = eqn.inputs.iter_mut().chain(&mut eqn.outputs);
            renamed.for_each(|var| *var = keep(*var));
            eqn
        });
        let eqns = eqns.collect();
        let outputs = outputs.into_iter().map(&mut keep).collect();
        self.graph = Graph { types, inputs, consts, eqns, outputs: Vec::new() };
        self.finish(outputs)
    }

    /// The finished graph.
    pub fn finish(mut self, outputs: Vec<VarId>) -> Graph {
        self.graph.outputs = outputs;
        if cfg!(debug_assertions)
            && let Err(faults) = verify(&self.graph)
        {
            panic!("a graph was built that does not verify: {faults}");
        }
        self.graph
    }
}
