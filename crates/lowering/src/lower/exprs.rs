//! A kernel under construction: its scalar expressions, each stored once, and the axes over which
//! they run. What they compute is decided by those who write them.

use super::cluster::dense_axes;
use super::kinds::Source;
use crate::program::{BufferId, Expr, ExprId, IndexMap};
use probpipe_trace::{BinaryOp, CompareOp, DType, Scalar};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// Expressions under construction, each stored once.
pub(super) struct Exprs {
    pub(super) exprs: Vec<Expr>,
    pub(super) types: Vec<DType>,
    literals: FxHashMap<(DType, u64), ExprId>,
    loads: FxHashMap<(Option<BufferId>, Option<ExprId>, DType, IndexMap), ExprId>,
}

impl Exprs {
    pub(super) fn new() -> Exprs {
        Exprs {
            exprs: Vec::new(),
            types: Vec::new(),
            literals: FxHashMap::default(),
            loads: FxHashMap::default(),
        }
    }

    pub(super) fn push(&mut self, expr: Expr, dtype: DType) -> ExprId {
        self.exprs.push(expr);
        self.types.push(dtype);
        ExprId(self.exprs.len() as u32 - 1)
    }

    pub(super) fn literal(&mut self, scalar: Scalar, dtype: DType) -> ExprId {
        let bits = match scalar {
            Scalar::Float(v) => v.to_bits(),
            Scalar::Int(v) => v as u64,
            Scalar::Bool(v) => u64::from(v),
        };
        // Only literals of the element type's own kind share a key.
        let scalar = match (dtype.is_float(), scalar) {
            (true, Scalar::Int(v)) => Scalar::Float(v as f64),
            _ => scalar,
        };
        if let Some(&id) = self.literals.get(&(dtype, bits)) {
            return id;
        }
        let id = self.push(Expr::Literal(scalar), dtype);
        self.literals.insert((dtype, bits), id);
        id
    }

    pub(super) fn load(
        &mut self,
        buffer: Option<BufferId>,
        index: IndexMap,
        guard: Option<ExprId>,
        dtype: DType,
    ) -> ExprId {
        let key = (buffer, guard, dtype, index);
        if let Some(&id) = self.loads.get(&key) {
            return id;
        }
        let index = key.3.clone();
        let expr = match buffer {
            Some(buffer) => Expr::Load { buffer, index, guard },
            None => Expr::Index(index),
        };
        let id = self.push(expr, dtype);
        self.loads.insert(key, id);
        id
    }

    pub(super) fn binary(&mut self, op: BinaryOp, x: ExprId, y: ExprId) -> ExprId {
        let dtype = self.types[x.0 as usize];
        self.push(Expr::Binary(op, x, y), dtype)
    }

    pub(super) fn compare(&mut self, op: CompareOp, x: ExprId, y: ExprId) -> ExprId {
        self.push(Expr::Compare(op, x, y), DType::Bool)
    }
}

/// The axes of a kernel: parallel, then reduced, as positions in the cluster's domain.
pub(super) struct Layout {
    pub(super) order: SmallVec<[usize; 4]>,
}

impl Layout {
    /// An affine index over a node's raw domain as one over the kernel's axes.
    pub(super) fn index(&self, source: &Source, domain: &[usize]) -> IndexMap {
        let dense = dense_axes(domain);
        let mut axes: SmallVec<[i64; 4]> = smallvec![0; self.order.len()];
        for (raw, &stride) in source.strides.iter().enumerate() {
            if let Some(axis) = dense[raw]
                && let Some(at) = self.order.iter().position(|&o| o == axis)
            {
                axes[at] += stride;
            }
        }
        IndexMap { offset: source.offset, axes, loops: source.loops.clone() }
    }
}
