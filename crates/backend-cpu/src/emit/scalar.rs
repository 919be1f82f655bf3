//! Elementwise ops on one element in a register. The interpreter defines their values; this file
//! adds nothing but the machine's way of saying it. Vectors are next door.

use super::code::{Code, Val, element_type};
use crate::symbols::{self, Door};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, CompareOp, DType, Scalar, UnaryOp};

/// `op(x)`.
pub(crate) fn unary(code: &mut Code<'_>, op: UnaryOp, dtype: DType, x: Val) -> Val {
    let Some(instruction) = op.instruction() else {
        return function(code, symbols::unary_scalar(op, dtype), &[x], dtype);
    };
    let float = dtype.is_float();
    match instruction {
        UnaryInstruction::Neg if float => code.builder.ins().fneg(x),
        UnaryInstruction::Neg => code.builder.ins().ineg(x),
        UnaryInstruction::Abs if float => code.builder.ins().fabs(x),
        UnaryInstruction::Abs if dtype.is_signed() => code.builder.ins().iabs(x),
        UnaryInstruction::Abs => x,
        UnaryInstruction::Sign => sign(code, dtype, x),
        UnaryInstruction::Floor => code.builder.ins().floor(x),
        UnaryInstruction::Ceil => code.builder.ins().ceil(x),
        UnaryInstruction::Round => code.builder.ins().nearest(x),
        UnaryInstruction::Sqrt => code.builder.ins().sqrt(x),
        UnaryInstruction::Not if dtype == DType::Bool => code.builder.ins().bxor_imm_u(x, 1),
        UnaryInstruction::Not => code.builder.ins().bnot(x),
        UnaryInstruction::IsFinite => {
            let magnitude = code.builder.ins().fabs(x);
            let infinity = code.literal(dtype, Scalar::Float(f64::INFINITY));
            code.builder.ins().fcmp(FloatCC::LessThan, magnitude, infinity)
        }
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
    let Some(instruction) = op.instruction() else {
        return function(code, symbols::binary_scalar(op, dtype), &[x, y], dtype);
    };
    let float = dtype.is_float();
    let signed = dtype.is_signed();
    match instruction {
        BinaryInstruction::Add if float => code.builder.ins().fadd(x, y),
        BinaryInstruction::Add => code.builder.ins().iadd(x, y),
        BinaryInstruction::Sub if float => code.builder.ins().fsub(x, y),
        BinaryInstruction::Sub => code.builder.ins().isub(x, y),
        BinaryInstruction::Mul if float => code.builder.ins().fmul(x, y),
        BinaryInstruction::Mul if dtype == DType::U8 => {
            let (x, y) = (widen(code, x), widen(code, y));
            let product = code.builder.ins().imul(x, y);
            code.builder.ins().ireduce(types::I8, product)
        }
        BinaryInstruction::Mul => code.builder.ins().imul(x, y),
        BinaryInstruction::Div if float => code.builder.ins().fdiv(x, y),
        BinaryInstruction::Div => divide(code, dtype, x, y),
        BinaryInstruction::Rem => remainder(code, dtype, x, y),
        BinaryInstruction::Max if float => float_extreme(code, FloatCC::GreaterThan, x, y),
        BinaryInstruction::Min if float => float_extreme(code, FloatCC::LessThan, x, y),
        BinaryInstruction::Max if signed => extreme(code, IntCC::SignedGreaterThan, x, y),
        BinaryInstruction::Max => extreme(code, IntCC::UnsignedGreaterThan, x, y),
        BinaryInstruction::Min if signed => extreme(code, IntCC::SignedLessThan, x, y),
        BinaryInstruction::Min => extreme(code, IntCC::UnsignedLessThan, x, y),
        BinaryInstruction::And => code.builder.ins().band(x, y),
        BinaryInstruction::Or => code.builder.ins().bor(x, y),
        BinaryInstruction::Xor => code.builder.ins().bxor(x, y),
        BinaryInstruction::Shl => shift(code, dtype, x, y, true),
        BinaryInstruction::Shr => shift(code, dtype, x, y, false),
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

/// A call of the kernel of a function.
fn function(code: &mut Code<'_>, kernel: Option<Door>, args: &[Val], dtype: DType) -> Val {
    match kernel {
        Some(kernel) => called(code, kernel, args, dtype),
        None => unreachable!("the kernels have every function of floats"),
    }
}

fn called(code: &mut Code<'_>, function: Door, args: &[Val], dtype: DType) -> Val {
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
