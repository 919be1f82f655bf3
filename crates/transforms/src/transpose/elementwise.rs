//! Transposes of the elementwise ops that are linear, or linear in one operand.

use super::{Cotangents, LinearEqn};
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{Array, BinaryOp, Result, UnaryOp, select};
use smallvec::smallvec;

pub(super) fn unary_transpose(op: UnaryOp, eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    match op.instruction() {
        Some(UnaryInstruction::Neg) => Ok(smallvec![Some(-ct)]),
        Some(
            UnaryInstruction::Abs
            | UnaryInstruction::Sign
            | UnaryInstruction::Floor
            | UnaryInstruction::Ceil
            | UnaryInstruction::Round
            | UnaryInstruction::Sqrt
            | UnaryInstruction::Not
            | UnaryInstruction::IsFinite,
        ) => Err(eqn.not_linear()),
        // No function is.
        None => Err(eqn.not_linear()),
    }
}

pub(super) fn binary_transpose(op: BinaryOp, eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    let (x, y) = (&eqn.values[0], &eqn.values[1]);
    match op.instruction() {
        Some(BinaryInstruction::Add) => Ok(smallvec![Some(ct.clone()), Some(ct)]),
        Some(BinaryInstruction::Sub) => {
            let right = y.is_none().then(|| -&ct);
            Ok(smallvec![Some(ct), right])
        }
        Some(BinaryInstruction::Mul) => match (x, y) {
            (None, Some(y)) => Ok(smallvec![Some(ct * y), None]),
            (Some(x), None) => Ok(smallvec![None, Some(ct * x)]),
            (None, None) | (Some(_), Some(_)) => Err(eqn.not_linear()),
        },
        Some(BinaryInstruction::Div) => match (x, y) {
            (None, Some(y)) => Ok(smallvec![Some(ct / y), None]),
            (None | Some(_), None) | (Some(_), Some(_)) => Err(eqn.not_linear()),
        },
        Some(
            BinaryInstruction::Rem
            | BinaryInstruction::Max
            | BinaryInstruction::Min
            | BinaryInstruction::And
            | BinaryInstruction::Or
            | BinaryInstruction::Xor
            | BinaryInstruction::Shl
            | BinaryInstruction::Shr,
        ) => Err(eqn.not_linear()),
        // No function is.
        None => Err(eqn.not_linear()),
    }
}

/// Each branch takes the cotangent where it was chosen.
pub(super) fn select_transpose(eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    let Some(condition) = &eqn.values[0] else { return Err(eqn.not_linear()) };
    let on_true = eqn.is_linear(1).then(|| select(condition, &ct, 0.0));
    let on_false = eqn.is_linear(2).then(|| select(condition, 0.0, &ct));
    Ok(smallvec![None, on_true, on_false])
}
