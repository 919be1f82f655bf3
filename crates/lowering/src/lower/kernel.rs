//! One kernel from one cluster: the scalar expressions of its equations, loads where operands
//! come from memory, stores where results are wanted there.

use super::cluster::Cluster;
use super::contract::contract;
use super::exprs::{Exprs, Layout};
use super::kinds::{NodeKind, Source, What};
use super::operands::point;
use super::{Block, internal, threefry};
use crate::program::*;
use probpipe_trace::{BinaryOp, CompareOp, DType, Loc, Op, ReduceOp, Result, Scalar, VarId};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

impl Block<'_> {
    /// Emits the kernel of a cluster.
    pub(super) fn kernel(&mut self, cluster: &Cluster, stored: &[bool]) -> Result<()> {
        let domain = cluster.domain.as_ref().ok_or_else(|| internal("a kernel without a space"))?;
        let reduced = cluster.reduced.clone().unwrap_or_default();
        let parallel: SmallVec<[usize; 4]> =
            (0..domain.len()).filter(|a| !reduced.contains(a)).collect();
        let layout = Layout { order: parallel.iter().chain(&reduced).copied().collect() };
        let mut x = Exprs::new();
        let mut values: FxHashMap<VarId, ExprId> = FxHashMap::default();
        let mut stores = Vec::new();
        let mut location = None;
        let mut lines: SmallVec<[Loc; 4]> = SmallVec::new();

        for &n in &cluster.nodes {
            let node = self.nodes[n].clone();
            let eqn = self.graph.eqns()[node.eqn].clone();
            location = Some(eqn.location);
            if !lines.contains(&eqn.location) {
                lines.push(eqn.location);
            }
            let result = match &eqn.op {
                Op::Pad { low, .. } => self.pad(&mut x, &layout, &values, n, low)?,
                Op::Concat { axis } => self.concat(&mut x, &layout, &values, n, *axis)?,
                Op::Gather { batch } => self.gather(&mut x, &layout, &values, n, *batch)?,
                op => {
                    let mut operands: SmallVec<[ExprId; 4]> = SmallVec::new();
                    for (var, map) in node.reads(self.graph) {
                        operands.push(self.read(&mut x, &layout, &values, n, var, &map, None)?);
                    }
                    if *op == Op::Threefry2x32 {
                        let [a, b, c, d] = operands[..] else {
                            return Err(internal("threefry has four operands"));
                        };
                        let both = threefry::expand(&mut x, [a, b, c, d]);
                        for (&var, id) in eqn.outputs.iter().zip(both) {
                            values.insert(var, id);
                        }
                        both[0]
                    } else {
                        let dtype = self.graph.ty(eqn.outputs[0]).dtype;
                        point(&mut x, op, &operands, dtype)?
                    }
                }
            };
            if eqn.op != Op::Threefry2x32 && node.kind == NodeKind::Point {
                values.insert(eqn.outputs[0], result);
            }
            for &var in &eqn.outputs {
                if !stored[var.index()] {
                    continue;
                }
                let (value, reduce) = match (&eqn.op, node.kind) {
                    (Op::Reduce { op, .. }, _) => (result, Some(*op)),
                    (Op::Dot(_), _) => (result, Some(ReduceOp::Sum)),
                    (_, NodeKind::Relayout) => (result, None),
                    _ => (values[&var], None),
                };
                let target = self.storage_of(var);
                let What::Buffer(buffer) = target.what else {
                    return Err(internal("a result is stored in no buffer"));
                };
                let index = layout.index(&self.store_source(n, &target), &node.domain);
                // A contraction over nothing but unit axes has nothing to combine.
                let reduce =
                    reduce.filter(|_| cluster.reduced.as_ref().is_some_and(|r| !r.is_empty()));
                stores.push(Store { buffer, index, value, reduce });
            }
        }
        let location = location.ok_or_else(|| internal("a kernel without equations"))?;
        if stores.is_empty() {
            return Ok(());
        }
        if self.cx.options.contract {
            contract(&mut x.exprs, &x.types, &stores);
        }
        let (exprs, types) = needed(x.exprs, x.types, &mut stores);
        self.stmts.push(Stmt::Kernel(Kernel {
            parallel: parallel.iter().map(|&a| domain[a]).collect(),
            reduce: reduced.iter().map(|&a| domain[a]).collect(),
            exprs,
            types,
            stores,
            location,
            lines,
        }));
        Ok(())
    }

    /// The target of a node's result as a function of the node's raw domain.
    fn store_source(&self, n: usize, target: &Source) -> Source {
        let node = &self.nodes[n];
        let mut strides: SmallVec<[i64; 4]> = smallvec![0; node.domain.len()];
        match node.kind {
            // The operand's order is the order in memory.
            NodeKind::Relayout => strides = super::signed_strides(&node.domain),
            NodeKind::Reduce => {
                let kept = (0..node.domain.len()).filter(|a| !node.reduced.contains(a));
                for (axis, &stride) in kept.zip(&target.strides) {
                    strides[axis] = stride;
                }
            }
            _ => strides.copy_from_slice(&target.strides),
        }
        Source { strides, ..target.clone() }
    }

    /// `low <= index of axis < high`, for the axes where that is not always so.
    fn inside(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        n: usize,
        ranges: &[(usize, usize, usize)],
    ) -> Option<ExprId> {
        let node = &self.nodes[n];
        let mut guard = None;
        for &(axis, low, high) in ranges {
            let extent = node.domain[axis];
            let mut position = Source::literal(Scalar::Int(0), node.domain.len());
            position.strides[axis] = 1;
            let index = layout.index(&position, &node.domain);
            let bounds = [
                (low > 0, CompareOp::Ge, low as i128),
                (high < extent, CompareOp::Lt, high as i128),
            ];
            for (_, op, bound) in bounds.into_iter().filter(|b| b.0) {
                let i = x.load(None, index.clone(), None, DType::I32);
                let bound = x.literal(Scalar::Int(bound), DType::I32);
                let test = x.compare(op, i, bound);
                guard = Some(match guard {
                    Some(g) => x.push(Expr::Binary(BinaryOp::And, g, test), DType::Bool),
                    None => test,
                });
            }
        }
        guard
    }

    fn pad(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        values: &FxHashMap<VarId, ExprId>,
        n: usize,
        low: &[usize],
    ) -> Result<ExprId> {
        let reads = self.nodes[n].reads(self.graph);
        let inner = &self.graph.ty(reads[0].0).shape;
        let ranges: Vec<_> =
            low.iter().zip(inner).enumerate().map(|(a, (&l, &m))| (a, l, l + m)).collect();
        let guard = self.inside(x, layout, n, &ranges);
        let inside = self.read(x, layout, values, n, reads[0].0, &reads[0].1, guard)?;
        let Some(guard) = guard else { return Ok(inside) };
        let fill = self.read(x, layout, values, n, reads[1].0, &reads[1].1, None)?;
        let dtype = x.types[inside.0 as usize];
        Ok(x.push(Expr::Select(guard, inside, fill), dtype))
    }

    fn concat(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        values: &FxHashMap<VarId, ExprId>,
        n: usize,
        axis: usize,
    ) -> Result<ExprId> {
        let mut result: Option<ExprId> = None;
        let mut at = 0;
        for (var, map) in self.nodes[n].reads(self.graph) {
            let extent = self.graph.ty(var).shape[axis];
            if extent == 0 {
                continue;
            }
            let guard = self.inside(x, layout, n, &[(axis, at, at + extent)]);
            let piece = self.read(x, layout, values, n, var, &map, guard)?;
            let dtype = x.types[piece.0 as usize];
            result = Some(match (result, guard) {
                (Some(rest), Some(guard)) => x.push(Expr::Select(guard, piece, rest), dtype),
                _ => piece,
            });
            at += extent;
        }
        match result {
            Some(id) => Ok(id),
            // Nothing is joined: the space is empty and the value is never seen.
            None => {
                let dtype = self.graph.ty(self.graph.eqns()[self.nodes[n].eqn].outputs[0]).dtype;
                Ok(x.literal(Scalar::Int(0), dtype))
            }
        }
    }
}

/// The expressions that the stores need, renumbered.
fn needed(exprs: Vec<Expr>, types: Vec<DType>, stores: &mut [Store]) -> (Vec<Expr>, Vec<DType>) {
    let mut used = vec![false; exprs.len()];
    for store in stores.iter() {
        used[store.value.0 as usize] = true;
    }
    for (i, expr) in exprs.iter().enumerate().rev() {
        if used[i] {
            expr.operands().into_iter().for_each(|id| used[id.0 as usize] = true);
        }
    }
    let mut number = vec![ExprId(0); exprs.len()];
    let mut kept = (Vec::new(), Vec::new());
    for (i, (mut expr, dtype)) in exprs.into_iter().zip(types).enumerate() {
        if used[i] {
            expr.operands_mut().into_iter().for_each(|id| *id = number[id.0 as usize]);
            number[i] = ExprId(kept.0.len() as u32);
            kept.0.push(expr);
            kept.1.push(dtype);
        }
    }
    for store in stores {
        store.value = number[store.value.0 as usize];
    }
    kept
}
