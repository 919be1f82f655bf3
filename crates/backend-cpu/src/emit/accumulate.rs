//! Running reductions. The order in which elements combine is fixed by the shape alone: single
//! precision sums run in double precision, double precision sums carry the error of every
//! addition along, so that both are as good as pairwise ones.

use super::code::{Code, Val, Var, element_type};
use super::{cast, scalar};
use crate::reduction::{combining, identity};
use cranelift_codegen::ir::InstBuilder;
use probpipe_trace::{DType, ReduceOp};
use smallvec::SmallVec;

/// A reduction under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accumulator {
    op: ReduceOp,
    dtype: DType,
    total: Var,
    /// What the total has lost to rounding.
    lost: Option<Var>,
    /// Whether it is the reduction of one tile, which loses nothing.
    whole: bool,
}

/// Combines two elements.
pub(super) fn combine(code: &mut Code<'_>, op: ReduceOp, dtype: DType, x: Val, y: Val) -> Val {
    scalar::binary(code, combining(op), dtype, x, y)
}

/// Combines a list of elements in halves; `None` when it is empty.
pub(super) fn combine_all(
    code: &mut Code<'_>,
    op: ReduceOp,
    dtype: DType,
    mut list: Vec<Val>,
) -> Option<Val> {
    while list.len() > 1 {
        let half = list.len().div_ceil(2);
        for i in 0..list.len() - half {
            list[i] = combine(code, op, dtype, list[i], list[half + i]);
        }
        list.truncate(half);
    }
    list.first().copied()
}

impl Accumulator {
    /// An empty reduction.
    pub(super) fn new(code: &mut Code<'_>, op: ReduceOp, dtype: DType) -> Accumulator {
        let sum = op == ReduceOp::Sum;
        let wide = if sum && dtype == DType::F32 { DType::F64 } else { dtype };
        let empty = code.literal(wide, identity(op, dtype));
        let total = code.variable(empty);
        let lost = (sum && dtype == DType::F64).then(|| {
            let zero = code.small(dtype, 0);
            code.variable(zero)
        });
        Accumulator { op, dtype, total, lost, whole: false }
    }

    /// What another accumulator needs to go on: its total, then what that has lost if it keeps it.
    pub(super) fn state(&self, code: &mut Code<'_>) -> SmallVec<[Val; 2]> {
        [Some(self.total), self.lost].into_iter().flatten().map(|var| code.get(var)).collect()
    }

    /// The element type of the state.
    pub(super) fn state_type(&self) -> DType {
        if self.op == ReduceOp::Sum && self.dtype == DType::F32 { DType::F64 } else { self.dtype }
    }

    /// Takes the elements that another accumulator of the same kind has taken.
    pub(super) fn merge(&self, code: &mut Code<'_>, state: &[Val]) {
        let &[part, ref lost @ ..] = state else { return };
        if let (Some(var), &[lost]) = (self.lost, lost) {
            self.add(code, part);
            let sum = code.get(var);
            let sum = code.builder.ins().fadd(sum, lost);
            return code.set(var, sum);
        }
        let total = code.get(self.total);
        let next = combine(code, self.op, self.state_type(), total, part);
        code.set(self.total, next);
    }

    /// Takes the reduction of a tile, which may be the `only` one.
    pub(super) fn add_tile(&self, code: &mut Code<'_>, x: Val, only: bool) {
        if only {
            let total = cast::cast(code, self.dtype, self.state_type(), x);
            code.set(self.total, total);
        } else {
            self.add(code, x);
        }
    }

    /// The same, known to have taken the only tile.
    pub(super) fn whole(self) -> Accumulator {
        Accumulator { whole: true, ..self }
    }

    /// Takes one more element, or the reduction of some.
    pub(super) fn add(&self, code: &mut Code<'_>, x: Val) {
        let total = code.get(self.total);
        if self.op != ReduceOp::Sum || !self.dtype.is_float() {
            let next = combine(code, self.op, self.dtype, total, x);
            return code.set(self.total, next);
        }
        let Some(lost) = self.lost else {
            let wide = cast::cast(code, DType::F32, DType::F64, x);
            let next = code.builder.ins().fadd(total, wide);
            return code.set(self.total, next);
        };
        // Knuth's two-sum: next + error = total + x exactly.
        let next = code.builder.ins().fadd(total, x);
        let back = code.builder.ins().fsub(next, total);
        let rest = code.builder.ins().fsub(next, back);
        let from_total = code.builder.ins().fsub(total, rest);
        let from_x = code.builder.ins().fsub(x, back);
        let error = code.builder.ins().fadd(from_total, from_x);
        let sum = code.get(lost);
        let sum = code.builder.ins().fadd(sum, error);
        code.set(lost, sum);
        code.set(self.total, next);
    }

    /// The result.
    pub(super) fn finish(&self, code: &mut Code<'_>) -> Val {
        let total = code.get(self.total);
        if self.op != ReduceOp::Sum || !self.dtype.is_float() {
            return total;
        }
        let Some(lost) = self.lost else {
            return cast::cast(code, DType::F64, DType::F32, total);
        };
        if self.whole {
            // For the sign of zero alone.
            let zero = code.small(self.dtype, 0);
            return code.builder.ins().fadd(total, zero);
        }
        // Infinities make the error a NaN; the plain total is right then.
        let lost = code.get(lost);
        let exact = code.builder.ins().fadd(total, lost);
        let nan = code.builder.ins().fcmp(
            cranelift_codegen::ir::condcodes::FloatCC::Unordered,
            lost,
            lost,
        );
        debug_assert_eq!(code.type_of(total), element_type(self.dtype));
        code.choose(nan, total, exact)
    }
}
