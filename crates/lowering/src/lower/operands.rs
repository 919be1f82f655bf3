//! What the equations of a kernel read and compute, point by point: operands from registers, from
//! memory or computed anew, and the expression that an op makes of them.

use super::exprs::{Exprs, Layout};
use super::kinds::{AxisMap, Kind, What, is_identity};
use super::{Block, internal};
use crate::program::{Expr, ExprId};
use probpipe_trace::{BinaryOp, DType, Op, Result, VarId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

impl Block<'_> {
    /// The expression for an operand: a register of this kernel, a number, an index or a load.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn read(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        values: &FxHashMap<VarId, ExprId>,
        n: usize,
        var: VarId,
        map: &[AxisMap],
        guard: Option<ExprId>,
    ) -> Result<ExprId> {
        let node = &self.nodes[n];
        let dtype = self.graph.ty(var).dtype;
        let (base, chased) = self.chase(var, map);
        if matches!(self.kinds[base.index()], Kind::Node(_))
            && let Some(&id) = values.get(&base)
            && is_identity(self.graph, node, base, &chased)
        {
            return Ok(id);
        }
        if let Kind::Node(producer) = self.kinds[base.index()]
            && self.nodes[producer].free.is_some()
        {
            return self.anew(x, layout, n, producer, &chased);
        }
        let source = self.source(var, map, node.domain.len())?;
        let index = layout.index(&source, &node.domain);
        Ok(match source.what {
            What::Literal(scalar) => x.literal(scalar, dtype),
            What::Index => x.load(None, index, None, dtype),
            What::Buffer(buffer) => x.load(Some(buffer), index, guard, dtype),
        })
    }

    /// Computes a free node again, at the element that `map` says.
    fn anew(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        n: usize,
        producer: usize,
        map: &[AxisMap],
    ) -> Result<ExprId> {
        let eqn = &self.graph.eqns()[self.nodes[producer].eqn];
        let none = FxHashMap::default();
        let mut operands: SmallVec<[ExprId; 4]> = SmallVec::new();
        for &input in &eqn.inputs {
            operands.push(self.read(x, layout, &none, n, input, map, None)?);
        }
        point(x, &eqn.op, &operands, self.graph.ty(eqn.outputs[0]).dtype)
    }
}

/// The scalar expression of an equation; of reductions, what is combined.
pub(super) fn point(x: &mut Exprs, op: &Op, operands: &[ExprId], dtype: DType) -> Result<ExprId> {
    let expr = match op {
        Op::Unary(op) => Expr::Unary(*op, operands[0]),
        Op::Binary(op) => Expr::Binary(*op, operands[0], operands[1]),
        Op::Compare(op) => Expr::Compare(*op, operands[0], operands[1]),
        Op::Select => Expr::Select(operands[0], operands[1], operands[2]),
        Op::Cast(_) if x.types[operands[0].0 as usize] == dtype => return Ok(operands[0]),
        Op::Cast(_) => Expr::Cast(operands[0]),
        Op::Bitcast(_) => Expr::Bitcast(operands[0]),
        Op::Special(op) => Expr::Special(*op, operands.into()),
        Op::Dot(_) => Expr::Binary(BinaryOp::Mul, operands[0], operands[1]),
        // Combined by the store, or copied to another layout.
        Op::Reduce { .. } | Op::Reshape { .. } => return Ok(operands[0]),
        Op::Threefry2x32
        | Op::Broadcast { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Reverse { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Iota { .. }
        | Op::Gather { .. }
        | Op::Scatter { .. }
        | Op::Cumulative { .. }
        | Op::Sort { .. }
        | Op::Linalg(_)
        | Op::Call { .. }
        | Op::Scan(_)
        | Op::Checkpoint { .. }
        | Op::Custom(_)
        | Op::Callback(_)
        | Op::Switch(_)
        | Op::While(_) => {
            return Err(internal(&format!("`{}` is no scalar expression", op.name())));
        }
    };
    Ok(x.push(expr, dtype))
}
