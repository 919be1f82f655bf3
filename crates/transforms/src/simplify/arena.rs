//! The graph while it is built anew: definitions by variable, equal equations found by hash,
//! constants folded. Which rules an equation meets is said by who makes the arena.

use super::{Simplifier, key};
use crate::extract::internal;
use probpipe_trace::op::infer;
use probpipe_trace::{
    ArrayType, DType, Eqn, Graph, LaneForm, Loc, Op, Result, Scalar, Shape, Value, VarId, eval,
};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// Larger results are not folded: the constant would take more room than its equation saves time.
const FOLD_LIMIT: usize = 1024;

/// What defines a variable.
#[derive(Clone, Copy)]
enum Def {
    Input,
    Const(usize),
    /// The equation, and which of its results.
    Eqn(usize),
}

/// Results of an equation.
pub(super) type Vars = SmallVec<[VarId; 1]>;

/// An equation that is about to be added: rules look at it and may give another variable instead.
pub(super) struct Node<'a> {
    pub(super) op: &'a Op,
    pub(super) inputs: &'a [VarId],
    pub(super) location: Loc,
}

/// One algebraic identity: its name, and the variable it gives in place of the equation.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) apply: fn(&mut Arena<'_>, &Node<'_>) -> Option<VarId>,
}

/// The rules of all ops.
pub(super) struct Rules {
    /// For ops of one result, in the order in which they are tried.
    pub(super) lists: fn(&Op) -> &'static [&'static [Rule]],
    /// Loops and branches; `None` for all other ops.
    pub(super) control: fn(&mut Arena<'_>, &Node<'_>) -> Option<Result<Vec<VarId>>>,
}

pub(super) struct Arena<'s> {
    pub(super) simplifier: &'s mut Simplifier,
    rules: &'static Rules,
    pub(super) types: Vec<ArrayType>,
    defs: Vec<Def>,
    pub(super) inputs: Vec<VarId>,
    pub(super) consts: Vec<(VarId, Value, Option<Scalar>)>,
    pub(super) eqns: Vec<Eqn>,
    table: FxHashMap<u64, SmallVec<[u32; 1]>>,
    scalars: FxHashMap<(DType, u64), VarId>,
    arrays: FxHashMap<usize, VarId>,
    /// The first fault of a rule; the pass is given up then.
    fault: Option<probpipe_trace::Error>,
}

impl<'s> Arena<'s> {
    pub(super) fn new(simplifier: &'s mut Simplifier, rules: &'static Rules) -> Arena<'s> {
        Arena {
            simplifier,
            rules,
            types: Vec::new(),
            defs: Vec::new(),
            inputs: Vec::new(),
            consts: Vec::new(),
            eqns: Vec::new(),
            table: FxHashMap::default(),
            scalars: FxHashMap::default(),
            arrays: FxHashMap::default(),
            fault: None,
        }
    }

    fn var(&mut self, ty: ArrayType, def: Def) -> VarId {
        let v = VarId(self.types.len() as u32);
        self.types.push(ty);
        self.defs.push(def);
        v
    }

    pub(super) fn input(&mut self, ty: ArrayType) -> VarId {
        let v = self.var(ty, Def::Input);
        self.inputs.push(v);
        v
    }

    pub(super) fn constant(&mut self, value: Value) -> VarId {
        let ty = value.ty().clone();
        let scalar = (ty.rank() == 0).then(|| value.to_host().ok()).flatten().map(|buffer| {
            let bytes = buffer.bytes().iter().rev();
            (ty.dtype, bytes.fold(0u64, |k, &b| k << 8 | u64::from(b)))
        });
        let known = match &scalar {
            Some(key) => self.scalars.get(key),
            None => self.arrays.get(&value.id()),
        };
        if let Some(v) = known {
            return *v;
        }
        let v = self.var(ty, Def::Const(self.consts.len()));
        let number = match scalar {
            Some(key) => {
                self.scalars.insert(key, v);
                value.to_scalars().ok().and_then(|s| s.first().copied())
            }
            None => {
                self.arrays.insert(value.id(), v);
                one_truth(&value)
            }
        };
        self.consts.push((v, value, number));
        v
    }

    pub(super) fn ty(&self, v: VarId) -> &ArrayType {
        &self.types[v.index()]
    }

    pub(super) fn shape(&self, v: VarId) -> &[usize] {
        &self.types[v.index()].shape
    }

    /// The equation that defines a variable.
    pub(super) fn def(&self, v: VarId) -> Option<&Eqn> {
        match self.defs[v.index()] {
            Def::Eqn(i) => Some(&self.eqns[i]),
            Def::Input | Def::Const(_) => None,
        }
    }

    pub(super) fn const_value(&self, v: VarId) -> Option<&Value> {
        match self.defs[v.index()] {
            Def::Const(i) => Some(&self.consts[i].1),
            Def::Input | Def::Eqn(_) => None,
        }
    }

    /// The number that fills a variable, if it is one number known here.
    pub(super) fn splat(&self, v: VarId) -> Option<Scalar> {
        match self.defs[v.index()] {
            Def::Const(i) => self.consts[i].2,
            Def::Input => None,
            Def::Eqn(i) => match (&self.eqns[i].op, &self.eqns[i].inputs[..]) {
                (Op::Broadcast { .. }, [x]) => match self.defs[x.index()] {
                    Def::Const(i) => self.consts[i].2,
                    Def::Input | Def::Eqn(_) => None,
                },
                _ => None,
            },
        }
    }

    /// Whether a variable is filled with `number`.
    pub(super) fn is(&self, v: VarId, number: f64) -> bool {
        self.splat(v).is_some_and(|s| !matches!(s, Scalar::Bool(_)) && s.as_f64() == number)
    }

    /// A variable of type `ty` filled with one number.
    pub(super) fn full(&mut self, number: Scalar, ty: &ArrayType, location: Loc) -> VarId {
        let scalar = self.constant(Value::scalar(number, ty.dtype));
        self.broadcast(scalar, ty.shape.clone(), smallvec![], location)
    }

    pub(super) fn broadcast(
        &mut self,
        x: VarId,
        shape: Shape,
        axes: SmallVec<[usize; 4]>,
        location: Loc,
    ) -> VarId {
        self.emit1(&Op::Broadcast { shape, axes }, &[x], location)
    }

    /// The results of an op of one result, simplified.
    pub(super) fn emit1(&mut self, op: &Op, inputs: &[VarId], location: Loc) -> VarId {
        let node = Node { op, inputs, location };
        if let Some(v) = self.apply(&node) {
            return v;
        }
        if let Some(v) = self.fold(&node) {
            return v;
        }
        self.push(op, inputs, location)[0]
    }

    /// What the first rule of the op's family that fits gives.
    fn apply(&mut self, node: &Node<'_>) -> Option<VarId> {
        for rule in (self.rules.lists)(node.op).iter().flat_map(|list| list.iter()) {
            if let Some(v) = (rule.apply)(self, node) {
                *self.simplifier.hits.entry(rule.name).or_insert(0) += 1;
                return Some(v);
            }
        }
        None
    }

    /// The value of an equation whose operands are all constants, if it is small.
    fn fold(&mut self, node: &Node<'_>) -> Option<VarId> {
        let worthwhile = match node.op {
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Special(_)
            | Op::Select
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Reduce { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::Reverse { .. }
            | Op::Gather { .. }
            | Op::Scatter { .. }
            | Op::Cumulative { .. }
            | Op::Sort { .. }
            | Op::Dot(_)
            | Op::Linalg(_) => true,
            // A repeated number is better known as one; random bits are for the program to draw.
            Op::Broadcast { .. }
            | Op::Iota { .. }
            | Op::Threefry2x32
            | Op::Call { .. }
            | Op::Scan(_)
            | Op::Checkpoint { .. }
            | Op::Custom(_)
            | Op::Callback(_)
            | Op::Switch(_)
            | Op::While(_) => false,
        };
        if !worthwhile {
            return None;
        }
        // Repeated numbers alone are not worth an array; beside one they count as constants.
        let anchored = |v: &VarId| self.const_value(*v).is_some();
        if !node.inputs.iter().any(anchored) {
            return None;
        }
        let values: SmallVec<[Value; 3]> =
            node.inputs.iter().map(|v| self.known_value(*v)).collect::<Option<_>>()?;
        let types: SmallVec<[&ArrayType; 3]> = values.iter().map(Value::ty).collect();
        let results = infer(node.op, &types).ok()?;
        if results.len() != 1 || results[0].size() > FOLD_LIMIT {
            return None;
        }
        let value = eval::eval_op(node.op, &values, &results).ok()?.into_iter().next()?;
        // The equation that makes a NaN stays, so that it can be found.
        let is_nan = results[0].dtype.is_float()
            && value.to_scalars().ok()?.iter().any(|s| s.as_f64().is_nan());
        if is_nan { None } else { Some(self.constant(value)) }
    }

    /// The value of a small constant, or of a number repeated a few times.
    fn known_value(&self, v: VarId) -> Option<Value> {
        let ty = self.ty(v);
        if ty.size() > FOLD_LIMIT {
            return None;
        }
        match self.const_value(v) {
            Some(value) => Some(value.clone()),
            None => self.splat(v).map(|number| Value::full(number, ty.clone())),
        }
    }

    /// The result of an equation of one result that is here already.
    pub(super) fn find(&self, op: &Op, inputs: &[VarId]) -> Option<VarId> {
        let ordered = key::ordered(op, inputs);
        let found = self.table.get(&key::hash(op, &ordered))?;
        let eqns = found.iter().map(|&i| &self.eqns[i as usize]);
        let mut same =
            eqns.filter(|e| key::same(&e.op, op) && key::ordered(op, &e.inputs) == ordered);
        same.next().map(|e| e.outputs[0])
    }

    /// Adds an equation as it is, or finds it.
    pub(super) fn push(&mut self, op: &Op, inputs: &[VarId], location: Loc) -> Vars {
        let ordered = key::ordered(op, inputs);
        let hash = key::hash(op, &ordered);
        if let Some(found) = self.table.get(&hash) {
            for &i in found {
                let eqn = &self.eqns[i as usize];
                if key::same(&eqn.op, op) && key::ordered(op, &eqn.inputs) == ordered {
                    return eqn.outputs.clone();
                }
            }
        }
        let results = {
            let types: SmallVec<[&ArrayType; 4]> = inputs.iter().map(|v| self.ty(*v)).collect();
            infer(op, &types)
        };
        let results = match results {
            Ok(results) => results,
            Err(fault) => {
                let error =
                    internal(format!("a rule made an equation that does not type: {fault:?}"));
                debug_assert!(false, "{error}");
                self.fault.get_or_insert(error);
                // Keeps the pass going; its result is discarded.
                return smallvec![inputs.first().copied().unwrap_or(VarId(0))];
            }
        };
        let index = self.eqns.len();
        let outputs: Vars = results.into_iter().map(|ty| self.var(ty, Def::Eqn(index))).collect();
        self.eqns.push(Eqn {
            op: op.clone(),
            inputs: inputs.into(),
            outputs: outputs.clone(),
            location,
        });
        self.table.entry(hash).or_default().push(index as u32);
        outputs
    }

    /// Adds the equations of a graph; gives its outputs.
    pub(super) fn inline(&mut self, graph: &Graph, inputs: Vec<VarId>) -> Result<Vec<VarId>> {
        let mut map: Vec<VarId> = vec![VarId(u32::MAX); graph.num_vars()];
        for (v, new) in graph.inputs().iter().zip(inputs) {
            map[v.index()] = new;
        }
        for (v, value) in graph.consts() {
            map[v.index()] = self.constant(value.clone());
        }
        for eqn in graph.eqns() {
            let inputs: SmallVec<[VarId; 4]> = eqn.inputs.iter().map(|v| map[v.index()]).collect();
            let node = Node { op: &eqn.op, inputs: &inputs, location: eqn.location };
            let controlled = (self.rules.control)(self, &node).transpose()?;
            let outputs: Vars = match &eqn.op {
                _ if let Some(outputs) = controlled => outputs.into(),
                op @ Op::Call { lane: Some(_), .. }
                    if self.simplifier.lanes() == LaneForm::AsWritten =>
                {
                    self.push(op, &inputs, eqn.location)
                }
                Op::Call { graph, .. } => self.inline(graph, inputs.to_vec())?.into(),
                // Its graph is simplified by itself: what is in it must not be found outside.
                Op::Checkpoint { graph } => {
                    let graph = self.simplifier.body(graph)?;
                    self.push(&Op::Checkpoint { graph }, &inputs, eqn.location)
                }
                Op::Custom(custom) if self.simplifier.opens_custom() => {
                    self.inline(&custom.graph, inputs.to_vec())?.into()
                }
                op if eqn.outputs.len() == 1 => smallvec![self.emit1(op, &inputs, eqn.location)],
                op => self.push(op, &inputs, eqn.location),
            };
            for (old, new) in eqn.outputs.iter().zip(outputs) {
                map[old.index()] = new;
            }
        }
        Ok(graph.outputs().iter().map(|v| map[v.index()]).collect())
    }

    /// The first fault of a rule, if there was one.
    pub(super) fn check(&mut self) -> Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }
}

/// The truth value that fills an array: that every index is within its range is often known.
fn one_truth(value: &Value) -> Option<Scalar> {
    if value.ty().dtype != DType::Bool {
        return None;
    }
    let buffer = value.to_host().ok()?;
    let (first, others) = buffer.bytes().split_first()?;
    others.iter().all(|other| other == first).then_some(Scalar::Bool(*first != 0))
}
