//! Elementwise ops on one element in a register. The interpreter defines their values; this file
//! adds nothing but the machine's way of saying it. Vectors are next door.

use super::code::{Code, Val, element_type};
use crate::symbols;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_trace::{BinaryOp, CompareOp, DType, Scalar, UnaryOp};

/// `op(x)`.
pub(crate) fn unary(code: &mut Code<'_>, op: UnaryOp, dtype: DType, x: Val) -> Val {
    if let Some(function) = symbols::unary_scalar(op, dtype) {
        return called(code, function, &[x], dtype);
    }
    let float = dtype.is_float();
    match op {
        UnaryOp::Neg if float => code.builder.ins().fneg(x),
        UnaryOp::Neg => code.builder.ins().ineg(x),
        UnaryOp::Abs if float => code.builder.ins().fabs(x),
        UnaryOp::Abs if dtype.is_signed() => code.builder.ins().iabs(x),
        UnaryOp::Abs => x,
        UnaryOp::Sign => sign(code, dtype, x),
        UnaryOp::Floor => code.builder.ins().floor(x),
        UnaryOp::Ceil => code.builder.ins().ceil(x),
        UnaryOp::Round => code.builder.ins().nearest(x),
        UnaryOp::Sqrt => code.builder.ins().sqrt(x),
        UnaryOp::Not if dtype == DType::Bool => code.builder.ins().bxor_imm_u(x, 1),
        UnaryOp::Not => code.builder.ins().bnot(x),
        UnaryOp::IsFinite => {
            let magnitude = code.builder.ins().fabs(x);
            let infinity = code.literal(dtype, Scalar::Float(f64::INFINITY));
            code.builder.ins().fcmp(FloatCC::LessThan, magnitude, infinity)
        }
        UnaryOp::Exp
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
        | UnaryOp::Digamma => unreachable!("the symbol table has every function of floats"),
    }
}

fn sign(code: &mut Code<'_>, dtype: DType, x: Val) -> Val {
    let zero = code.small(dtype, 0);
    let one = code.small(dtype, 1);
    let minus = code.small(dtype, -1);
    if dtype.is_float() {
        let above = code.builder.ins().fcmp(FloatCC::GreaterThan, x, zero);
        let below = code.builder.ins().fcmp(FloatCC::LessThan, x, zero);
        // What is neither is a zero or a NaN, and stays.
        let low = code.builder.ins().select(below, minus, x);
        return code.builder.ins().select(above, one, low);
    }
    let nonzero = code.builder.ins().icmp(IntCC::NotEqual, x, zero);
    let high = code.builder.ins().select(nonzero, one, zero);
    if !dtype.is_signed() {
        return high;
    }
    let below = code.builder.ins().icmp(IntCC::SignedLessThan, x, zero);
    code.builder.ins().select(below, minus, high)
}

/// `x op y`.
pub(crate) fn binary(code: &mut Code<'_>, op: BinaryOp, dtype: DType, x: Val, y: Val) -> Val {
    if let Some(function) = symbols::binary_scalar(op, dtype) {
        return called(code, function, &[x, y], dtype);
    }
    let float = dtype.is_float();
    let signed = dtype.is_signed();
    match op {
        BinaryOp::Add if float => code.builder.ins().fadd(x, y),
        BinaryOp::Add => code.builder.ins().iadd(x, y),
        BinaryOp::Sub if float => code.builder.ins().fsub(x, y),
        BinaryOp::Sub => code.builder.ins().isub(x, y),
        BinaryOp::Mul if float => code.builder.ins().fmul(x, y),
        BinaryOp::Mul if dtype == DType::U8 => {
            let (x, y) = (widen(code, x), widen(code, y));
            let product = code.builder.ins().imul(x, y);
            code.builder.ins().ireduce(types::I8, product)
        }
        BinaryOp::Mul => code.builder.ins().imul(x, y),
        BinaryOp::Div if float => code.builder.ins().fdiv(x, y),
        BinaryOp::Div => divide(code, dtype, x, y),
        BinaryOp::Rem => remainder(code, dtype, x, y),
        BinaryOp::Max if float => float_extreme(code, FloatCC::GreaterThan, x, y),
        BinaryOp::Min if float => float_extreme(code, FloatCC::LessThan, x, y),
        BinaryOp::Max if signed => extreme(code, IntCC::SignedGreaterThan, x, y),
        BinaryOp::Max => extreme(code, IntCC::UnsignedGreaterThan, x, y),
        BinaryOp::Min if signed => extreme(code, IntCC::SignedLessThan, x, y),
        BinaryOp::Min => extreme(code, IntCC::UnsignedLessThan, x, y),
        BinaryOp::And => code.builder.ins().band(x, y),
        BinaryOp::Or => code.builder.ins().bor(x, y),
        BinaryOp::Xor => code.builder.ins().bxor(x, y),
        BinaryOp::Shl => shift(code, dtype, x, y, true),
        BinaryOp::Shr => shift(code, dtype, x, y, false),
        BinaryOp::Pow | BinaryOp::Atan2 => {
            unreachable!("the symbol table has every function of floats")
        }
    }
}

fn widen(code: &mut Code<'_>, x: Val) -> Val {
    code.builder.ins().uextend(types::I32, x)
}

/// `(x cc y) ? x : y`, but NaN if either is: a false comparison gives `y`, so only a NaN in `x`
/// is left to mend. `fmax` and `fmin` do the same in twice the time.
fn float_extreme(code: &mut Code<'_>, cc: FloatCC, x: Val, y: Val) -> Val {
    let chosen = code.builder.ins().fcmp(cc, x, y);
    let extreme = code.builder.ins().select(chosen, x, y);
    let nan = code.builder.ins().fcmp(FloatCC::Unordered, x, x);
    code.builder.ins().select(nan, x, extreme)
}

fn extreme(code: &mut Code<'_>, cc: IntCC, x: Val, y: Val) -> Val {
    let chosen = code.builder.ins().icmp(cc, x, y);
    code.builder.ins().select(chosen, x, y)
}

/// The divisor with 1 in the place of what traps, whether it was zero, and whether the quotient
/// overflows.
fn safe_divisor(code: &mut Code<'_>, dtype: DType, x: Val, y: Val) -> (Val, Val, Option<Val>) {
    let zero = code.small(dtype, 0);
    let one = code.small(dtype, 1);
    let by_zero = code.builder.ins().icmp(IntCC::Equal, y, zero);
    let divisor = code.builder.ins().select(by_zero, one, y);
    if !dtype.is_signed() {
        return (divisor, by_zero, None);
    }
    let least = if dtype == DType::I32 { i64::from(i32::MIN) } else { i64::MIN };
    let least = code.small(dtype, least);
    let minus = code.small(dtype, -1);
    let is_least = code.builder.ins().icmp(IntCC::Equal, x, least);
    let is_minus = code.builder.ins().icmp(IntCC::Equal, y, minus);
    let overflow = code.builder.ins().band(is_least, is_minus);
    (code.builder.ins().select(overflow, one, divisor), by_zero, Some(overflow))
}

fn divide(code: &mut Code<'_>, dtype: DType, x: Val, y: Val) -> Val {
    // The least integer over 1 is itself, which is what dividing it by -1 shall give.
    let (divisor, by_zero, _) = safe_divisor(code, dtype, x, y);
    let quotient = if dtype.is_signed() {
        code.builder.ins().sdiv(x, divisor)
    } else {
        code.builder.ins().udiv(x, divisor)
    };
    let ones = code.builder.ins().iconst(element_type(dtype), all_ones(dtype));
    code.builder.ins().select(by_zero, ones, quotient)
}

fn all_ones(dtype: DType) -> i64 {
    match dtype.size() {
        1 => 0xff,
        4 => 0xffff_ffff,
        _ => -1,
    }
}

fn remainder(code: &mut Code<'_>, dtype: DType, x: Val, y: Val) -> Val {
    if let Some(function) = symbols::remainder(dtype) {
        return called(code, function, &[x, y], dtype);
    }
    // The least integer rem 1 is zero, as it is rem -1.
    let (divisor, by_zero, _) = safe_divisor(code, dtype, x, y);
    let rest = if dtype.is_signed() {
        code.builder.ins().srem(x, divisor)
    } else {
        code.builder.ins().urem(x, divisor)
    };
    code.builder.ins().select(by_zero, x, rest)
}

/// Machine shifts take the amount modulo the width; ours go on shifting.
fn shift(code: &mut Code<'_>, dtype: DType, x: Val, amount: Val, left: bool) -> Val {
    let width = 8 * dtype.size() as i64;
    let limit = code.small(dtype, width);
    let inside = code.builder.ins().icmp(IntCC::UnsignedLessThan, amount, limit);
    if !left && dtype.is_signed() {
        let most = code.small(dtype, width - 1);
        let amount = code.builder.ins().select(inside, amount, most);
        return code.builder.ins().sshr(x, amount);
    }
    let shifted =
        if left { code.builder.ins().ishl(x, amount) } else { code.builder.ins().ushr(x, amount) };
    let zero = code.small(dtype, 0);
    code.builder.ins().select(inside, shifted, zero)
}

fn called(code: &mut Code<'_>, function: usize, args: &[Val], dtype: DType) -> Val {
    let ty = element_type(dtype);
    match code.call(function, args, Some(ty)) {
        Some(value) => value,
        None => unreachable!("the signature has a result"),
    }
}

/// `x op y` as 0 or 1; `dtype` is that of the operands.
pub(crate) fn compare(code: &mut Code<'_>, op: CompareOp, dtype: DType, x: Val, y: Val) -> Val {
    if dtype.is_float() {
        return code.builder.ins().fcmp(float_condition(op), x, y);
    }
    code.builder.ins().icmp(int_condition(op, dtype), x, y)
}

/// The condition code of a comparison of floats.
pub(crate) fn float_condition(op: CompareOp) -> FloatCC {
    match op {
        CompareOp::Eq => FloatCC::Equal,
        CompareOp::Ne => FloatCC::NotEqual,
        CompareOp::Lt => FloatCC::LessThan,
        CompareOp::Le => FloatCC::LessThanOrEqual,
        CompareOp::Gt => FloatCC::GreaterThan,
        CompareOp::Ge => FloatCC::GreaterThanOrEqual,
    }
}

/// The condition code of a comparison of integers.
pub(crate) fn int_condition(op: CompareOp, dtype: DType) -> IntCC {
    let signed = dtype.is_signed();
    match op {
        CompareOp::Eq => IntCC::Equal,
        CompareOp::Ne => IntCC::NotEqual,
        CompareOp::Lt if signed => IntCC::SignedLessThan,
        CompareOp::Lt => IntCC::UnsignedLessThan,
        CompareOp::Le if signed => IntCC::SignedLessThanOrEqual,
        CompareOp::Le => IntCC::UnsignedLessThanOrEqual,
        CompareOp::Gt if signed => IntCC::SignedGreaterThan,
        CompareOp::Gt => IntCC::UnsignedGreaterThan,
        CompareOp::Ge if signed => IntCC::SignedGreaterThanOrEqual,
        CompareOp::Ge => IntCC::UnsignedGreaterThanOrEqual,
    }
}
