//! Transposes of the elementwise ops that are linear, or linear in one operand.

use super::{Cotangents, LinearEqn};
use probpipe_trace::{Array, BinaryOp, Result, UnaryOp, select};
use smallvec::smallvec;

pub(super) fn unary_transpose(op: UnaryOp, eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    match op {
        UnaryOp::Neg => Ok(smallvec![Some(-ct)]),
        UnaryOp::Abs
        | UnaryOp::Sign
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Sqrt
        | UnaryOp::Exp
        | UnaryOp::Expm1
        | UnaryOp::Log
        | UnaryOp::Log1p
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tan
        | UnaryOp::Asin
        | UnaryOp::Acos
        | UnaryOp::Atan
        | UnaryOp::Sinh
        | UnaryOp::Cosh
        | UnaryOp::Tanh
        | UnaryOp::Asinh
        | UnaryOp::Acosh
        | UnaryOp::Atanh
        | UnaryOp::Erf
        | UnaryOp::Erfc
        | UnaryOp::ErfInv
        | UnaryOp::Lgamma
        | UnaryOp::Digamma
        | UnaryOp::Not
        | UnaryOp::IsFinite => Err(eqn.not_linear()),
    }
}

pub(super) fn binary_transpose(op: BinaryOp, eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    match (op, &eqn.values[0], &eqn.values[1]) {
        (BinaryOp::Add, _, _) => Ok(smallvec![Some(ct.clone()), Some(ct)]),
        (BinaryOp::Sub, _, y) => {
            let right = y.is_none().then(|| -&ct);
            Ok(smallvec![Some(ct), right])
        }
        (BinaryOp::Mul, None, Some(y)) => Ok(smallvec![Some(ct * y), None]),
        (BinaryOp::Mul, Some(x), None) => Ok(smallvec![None, Some(ct * x)]),
        (BinaryOp::Div, None, Some(y)) => Ok(smallvec![Some(ct / y), None]),
        (BinaryOp::Mul | BinaryOp::Div, _, _)
        | (
            BinaryOp::Rem
            | BinaryOp::Pow
            | BinaryOp::Atan2
            | BinaryOp::Max
            | BinaryOp::Min
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr,
            _,
            _,
        ) => Err(eqn.not_linear()),
    }
}

/// Each branch takes the cotangent where it was chosen.
pub(super) fn select_transpose(eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    let Some(condition) = &eqn.values[0] else { return Err(eqn.not_linear()) };
    let on_true = eqn.is_linear(1).then(|| select(condition, &ct, 0.0));
    let on_false = eqn.is_linear(2).then(|| select(condition, 0.0, &ct));
    Ok(smallvec![None, on_true, on_false])
}
