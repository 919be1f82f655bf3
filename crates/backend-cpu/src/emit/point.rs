//! Expressions at one point, each in a scalar register.

use super::code::Val;
use super::memory::Coordinate;
use super::{Emitter, cast, scalar, vector};
use crate::plan::{Plan, operand_type};
use probpipe_lowering::{Expr, ExprId};
use probpipe_trace::{BinaryOp, Error, ErrorKind, Result, SpecialOp};

/// Values of a kernel's expressions, as far as they are computed.
pub(super) type Values = Vec<Option<Val>>;

/// The value of an expression that comes earlier in the kernel.
pub(super) fn value(values: &Values, id: ExprId) -> Result<Val> {
    values.get(id.0 as usize).copied().flatten().ok_or_else(|| {
        Error::new(ErrorKind::Internal, format!("expression {id} is used before it is computed"))
    })
}

/// Special functions are library calls here: programs are lowered without `special_inline`.
pub(super) fn not_inline(op: SpecialOp) -> Error {
    Error::new(ErrorKind::Internal, format!("`{}` is no expression on the CPU", op.name()))
}

impl Emitter<'_, '_> {
    /// Computes every live expression that `wanted` selects.
    pub(super) fn evaluate(
        &mut self,
        plan: &Plan,
        values: &mut Values,
        at: &[Coordinate],
        wanted: impl Fn(usize) -> bool,
    ) -> Result<()> {
        for i in 0..plan.kernel.exprs.len() {
            if plan.live[i] && wanted(i) {
                values[i] = Some(self.expression(plan, values, i, at)?);
            }
        }
        Ok(())
    }

    /// Computes expression `i` from its operands.
    pub(super) fn expression(
        &mut self,
        plan: &Plan,
        values: &Values,
        i: usize,
        at: &[Coordinate],
    ) -> Result<Val> {
        let kernel = &plan.kernel;
        let dtype = kernel.types[i];
        let from = operand_type(kernel, i);
        Ok(match &kernel.exprs[i] {
            Expr::Literal(literal) => self.code.literal(dtype, *literal),
            Expr::Load { buffer, index, guard } => {
                let guard = guard.map(|g| value(values, g)).transpose()?;
                self.load(*buffer, index, at, guard)?
            }
            Expr::LoadAt { buffer, index, at: places } => {
                let places = places
                    .iter()
                    .map(|(place, step)| Ok((value(values, *place)?, *step)))
                    .collect::<Result<Vec<_>>>()?;
                self.load_at(*buffer, index, at, &places)?
            }
            Expr::Index(map) => {
                let (known, rest) = self.index_at(map, at, 1, None)?;
                let index = match rest {
                    Some(rest) => self.code.add_const(rest, known),
                    None => self.code.int(known),
                };
                cast::cast(&mut self.code, probpipe_trace::DType::I64, dtype, index)
            }
            Expr::Unary(op, x) => scalar::unary(&mut self.code, *op, from, value(values, *x)?),
            Expr::Binary(op, x, y) => {
                let (x, y) = (value(values, *x)?, value(values, *y)?);
                scalar::binary(&mut self.code, *op, dtype, x, y)
            }
            Expr::MulAdd { factors: [x, y], addend, minus } => {
                let operands = [value(values, *x)?, value(values, *y)?, value(values, *addend)?];
                vector::mul_add(&mut self.code, operands, *minus)
            }
            Expr::Summand(x, y) => {
                let (x, y) = (value(values, *x)?, value(values, *y)?);
                scalar::binary(&mut self.code, BinaryOp::Mul, dtype, x, y)
            }
            Expr::Compare(op, x, y) => {
                let (x, y) = (value(values, *x)?, value(values, *y)?);
                scalar::compare(&mut self.code, *op, from, x, y)
            }
            Expr::Select(c, x, y) => {
                let (c, x, y) = (value(values, *c)?, value(values, *x)?, value(values, *y)?);
                self.code.choose(c, x, y)
            }
            Expr::Special(op, _) => return Err(not_inline(*op)),
            Expr::Cast(x) => cast::cast(&mut self.code, from, dtype, value(values, *x)?),
            Expr::Bitcast(x) => cast::bitcast(&mut self.code, dtype, value(values, *x)?),
        })
    }
}
