//! Elementwise ops on 128-bit registers of 4- and 8-byte elements; truth values are masks, lanes
//! of all ones or all zeros. What the machine has no instruction for gives `None`, and is done
//! lane by lane.

#![deny(clippy::wildcard_enum_match_arm)]

use super::code::{Code, Val, vector_type};
use super::scalar::{float_condition, int_condition};
use crate::lanes::{has_binary, has_compare, has_unary};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, types};
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, CompareOp, DType, Scalar, UnaryOp};

/// The same bits as another vector type.
pub(crate) fn reinterpret(code: &mut Code<'_>, ty: Type, x: Val) -> Val {
    if code.type_of(x) == ty {
        return x;
    }
    let flags = MemFlagsData::new().with_endianness(Endianness::Little);
    code.builder.ins().bitcast(ty, flags, x)
}

/// The mask type of lanes of `width` bytes.
pub(crate) fn mask_type(width: usize) -> Type {
    if width == 8 { types::I64X2 } else { types::I32X4 }
}

/// A scalar in every lane.
pub(crate) fn splat(code: &mut Code<'_>, ty: Type, x: Val) -> Val {
    code.builder.ins().splat(ty, x)
}

/// A literal in every lane.
pub(crate) fn splat_literal(code: &mut Code<'_>, dtype: DType, value: Scalar) -> Val {
    let scalar = code.literal(dtype, value);
    splat(code, vector_type(dtype), scalar)
}

/// `mask ? x : y`.
pub(crate) fn choose(code: &mut Code<'_>, mask: Val, x: Val, y: Val) -> Val {
    let ty = code.type_of(x);
    let mask = reinterpret(code, ty, mask);
    code.builder.ins().bitselect(mask, x, y)
}

/// `op(x)`, for the ops that `has_unary` says; a mask for `is_finite`.
pub(crate) fn unary(code: &mut Code<'_>, op: UnaryOp, dtype: DType, x: Val) -> Option<Val> {
    if !has_unary(op, dtype) {
        return None;
    }
    let float = dtype.is_float();
    Some(match op.instruction()? {
        UnaryInstruction::Neg if float => code.builder.ins().fneg(x),
        UnaryInstruction::Neg => code.builder.ins().ineg(x),
        UnaryInstruction::Abs if float => code.builder.ins().fabs(x),
        UnaryInstruction::Abs if dtype.is_signed() => code.builder.ins().iabs(x),
        UnaryInstruction::Abs => x,
        UnaryInstruction::Not => code.builder.ins().bnot(x),
        UnaryInstruction::Floor => code.builder.ins().floor(x),
        UnaryInstruction::Ceil => code.builder.ins().ceil(x),
        UnaryInstruction::Round => code.builder.ins().nearest(x),
        UnaryInstruction::Sqrt => code.builder.ins().sqrt(x),
        UnaryInstruction::Sign => {
            let zero = splat_literal(code, dtype, Scalar::Int(0));
            let one = splat_literal(code, dtype, Scalar::Int(1));
            let minus = splat_literal(code, dtype, Scalar::Int(-1));
            let above = code.builder.ins().fcmp(FloatCC::GreaterThan, x, zero);
            let below = code.builder.ins().fcmp(FloatCC::LessThan, x, zero);
            let low = choose(code, below, minus, x);
            choose(code, above, one, low)
        }
        UnaryInstruction::IsFinite => {
            let infinity = splat_literal(code, dtype, Scalar::Float(f64::INFINITY));
            let magnitude = code.builder.ins().fabs(x);
            code.builder.ins().fcmp(FloatCC::LessThan, magnitude, infinity)
        }
    })
}

/// `x op y`, for the ops that `has_binary` says but shifts.
pub(crate) fn binary(
    code: &mut Code<'_>,
    op: BinaryOp,
    dtype: DType,
    x: Val,
    y: Val,
) -> Option<Val> {
    let float = dtype.is_float();
    if !has_binary(op, dtype) {
        return None;
    }
    let instruction = op.instruction()?;
    Some(match instruction {
        BinaryInstruction::Add if float => code.builder.ins().fadd(x, y),
        BinaryInstruction::Add => code.builder.ins().iadd(x, y),
        BinaryInstruction::Sub if float => code.builder.ins().fsub(x, y),
        BinaryInstruction::Sub => code.builder.ins().isub(x, y),
        BinaryInstruction::Mul if float => code.builder.ins().fmul(x, y),
        BinaryInstruction::Mul => code.builder.ins().imul(x, y),
        BinaryInstruction::Div => code.builder.ins().fdiv(x, y),
        BinaryInstruction::Max if float => {
            // (y < x) ? x : y is one instruction; see `scalar::float_extreme` for the NaN.
            let less = code.builder.ins().fcmp(FloatCC::LessThan, y, x);
            propagate(code, less, x, y)
        }
        BinaryInstruction::Min if float => {
            let less = code.builder.ins().fcmp(FloatCC::LessThan, x, y);
            propagate(code, less, x, y)
        }
        BinaryInstruction::Max | BinaryInstruction::Min => {
            let cc = match (op == BinaryOp::Max, dtype.is_signed()) {
                (true, true) => IntCC::SignedGreaterThan,
                (true, false) => IntCC::UnsignedGreaterThan,
                (false, true) => IntCC::SignedLessThan,
                (false, false) => IntCC::UnsignedLessThan,
            };
            let mask = code.builder.ins().icmp(cc, x, y);
            choose(code, mask, x, y)
        }
        BinaryInstruction::And => code.builder.ins().band(x, y),
        BinaryInstruction::Or => code.builder.ins().bor(x, y),
        BinaryInstruction::Xor => code.builder.ins().bxor(x, y),
        BinaryInstruction::Shl | BinaryInstruction::Shr | BinaryInstruction::Rem => return None,
    })
}

/// `x y + z` of floats, one or some, rounded once; with the product, or `z`, of the other sign.
pub(crate) fn mul_add(
    code: &mut Code<'_>,
    [x, y, z]: [Val; 3],
    [product, addend]: [bool; 2],
) -> Val {
    let x = if product { code.builder.ins().fneg(x) } else { x };
    let z = if addend { code.builder.ins().fneg(z) } else { z };
    code.builder.ins().fma(x, y, z)
}

fn propagate(code: &mut Code<'_>, chosen: Val, x: Val, y: Val) -> Val {
    let extreme = choose(code, chosen, x, y);
    let nan = code.builder.ins().fcmp(FloatCC::Unordered, x, x);
    choose(code, nan, x, extreme)
}

/// Every lane shifted by a number known now.
pub(crate) fn shift(code: &mut Code<'_>, left: bool, dtype: DType, x: Val, amount: i128) -> Val {
    let width = 8 * dtype.size() as i128;
    let inside = (0..width).contains(&amount);
    let arithmetic = !left && dtype.is_signed();
    if !inside && !arithmetic {
        return splat_literal(code, dtype, Scalar::Int(0));
    }
    let amount = if inside { amount } else { width - 1 };
    let amount = code.builder.ins().iconst(types::I32, amount as i64);
    match (left, arithmetic) {
        (true, _) => code.builder.ins().ishl(x, amount),
        (false, true) => code.builder.ins().sshr(x, amount),
        (false, false) => code.builder.ins().ushr(x, amount),
    }
}

/// `x op y` as masks; `dtype` is that of the operands.
pub(crate) fn compare(
    code: &mut Code<'_>,
    op: CompareOp,
    dtype: DType,
    x: Val,
    y: Val,
) -> Option<Val> {
    if !has_compare(op, dtype) {
        return None;
    }
    Some(if dtype.is_float() {
        code.builder.ins().fcmp(float_condition(op), x, y)
    } else {
        code.builder.ins().icmp(int_condition(op, dtype), x, y)
    })
}
