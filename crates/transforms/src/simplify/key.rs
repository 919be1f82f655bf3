//! Hashes of equations, to find equal ones.

#![deny(clippy::wildcard_enum_match_arm)]

use probpipe_trace::{Op, VarId};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

/// Operands in an order that does not depend on how a commutative op was written.
pub(super) fn ordered(op: &Op, inputs: &[VarId]) -> smallvec::SmallVec<[VarId; 4]> {
    use probpipe_trace::{BinaryOp as B, CompareOp as C};
    let mut inputs = smallvec::SmallVec::from_slice(inputs);
    let commutes = matches!(
        op,
        Op::Binary(B::Add | B::Mul | B::Max | B::Min | B::And | B::Or | B::Xor)
            | Op::Compare(C::Eq | C::Ne)
    );
    if commutes {
        inputs.sort_unstable();
    }
    inputs
}

/// A hash of an op and its operands; equal equations have equal hashes.
pub(super) fn hash(op: &Op, inputs: &[VarId]) -> u64 {
    let mut h = FxHasher::default();
    discriminant(op).hash(&mut h);
    match op {
        Op::Unary(op) => op.hash(&mut h),
        Op::Binary(op) => op.hash(&mut h),
        Op::Compare(op) => op.hash(&mut h),
        Op::Special(op) => op.hash(&mut h),
        Op::Select | Op::Threefry2x32 => {}
        Op::Cast(dtype) | Op::Bitcast(dtype) => dtype.hash(&mut h),
        Op::Reduce { op, axes } => (op, axes).hash(&mut h),
        Op::Broadcast { shape, axes } => (shape, axes).hash(&mut h),
        Op::Reshape { shape } => shape.hash(&mut h),
        Op::Transpose { permutation } => permutation.hash(&mut h),
        Op::Slice { start, limit, stride } => (start, limit, stride).hash(&mut h),
        Op::Pad { low, high, interior } => (low, high, interior).hash(&mut h),
        Op::Concat { axis } => axis.hash(&mut h),
        Op::Reverse { axes } => axes.hash(&mut h),
        Op::Iota { ty, axis } => (ty, axis).hash(&mut h),
        Op::Gather { batch } => batch.hash(&mut h),
        Op::Scatter { op, batch } => (op, batch).hash(&mut h),
        Op::Cumulative { op, axis, reverse } => (op, axis, reverse).hash(&mut h),
        Op::Sort { axis, num_keys } => (axis, num_keys).hash(&mut h),
        Op::Dot(axes) => axes.hash(&mut h),
        Op::Linalg(op) => op.hash(&mut h),
        // Graphs are compared in full when all else is equal.
        Op::Call { graph, .. } => graph.eqns().len().hash(&mut h),
        Op::Checkpoint { graph } => graph.eqns().len().hash(&mut h),
        // Compared by identity.
        Op::Custom(custom) => custom.graph.eqns().len().hash(&mut h),
        Op::Callback(callback) => callback.name.hash(&mut h),
        Op::Scan(scan) => {
            (scan.body.eqns().len(), scan.consts, scan.carries, scan.length).hash(&mut h);
        }
        Op::Switch(switch) => {
            switch.branches.iter().for_each(|branch| branch.eqns().len().hash(&mut h));
        }
        Op::While(w) => {
            (w.cond.eqns().len(), w.body.eqns().len(), w.cond_consts, w.body_consts).hash(&mut h);
        }
    }
    inputs.hash(&mut h);
    h.finish()
}

/// Equality that does not walk graphs that are the same object.
pub(super) fn same(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Scan(x), Op::Scan(y)) if Arc::ptr_eq(&x.body, &y.body) => {
            (x.consts, x.carries, x.length, x.reverse) == (y.consts, y.carries, y.length, y.reverse)
        }
        (Op::Switch(x), Op::Switch(y)) => {
            x.branches.len() == y.branches.len()
                && x.branches.iter().zip(&y.branches).all(|(x, y)| Arc::ptr_eq(x, y) || x == y)
        }
        (Op::While(x), Op::While(y)) => {
            (x.cond_consts, x.body_consts) == (y.cond_consts, y.body_consts)
                && (Arc::ptr_eq(&x.cond, &y.cond) || x.cond == y.cond)
                && (Arc::ptr_eq(&x.body, &y.body) || x.body == y.body)
        }
        _ => a == b,
    }
}
