//! Conversions of one element between element types: floats to integers truncate and saturate
//! with NaN to 0, integers wrap, anything to `bool` is `x != 0`.

use super::code::{Code, Val, element_type};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use probpipe_trace::DType;

/// The value of `x` as another element type.
pub(crate) fn cast(code: &mut Code<'_>, from: DType, to: DType, x: Val) -> Val {
    match (from, to) {
        _ if from == to => x,
        (DType::F32, DType::F64) => code.builder.ins().fpromote(types::F64, x),
        (DType::F64, DType::F32) => code.builder.ins().fdemote(types::F32, x),
        (_, DType::Bool) => {
            let zero = code.small(from, 0);
            if from.is_float() {
                code.builder.ins().fcmp(FloatCC::NotEqual, x, zero)
            } else {
                code.builder.ins().icmp(IntCC::NotEqual, x, zero)
            }
        }
        _ if from.is_float() => float_to_int(code, to, x),
        _ if to.is_float() => int_to_float(code, from, to, x),
        _ => int_to_int(code, from, to, x),
    }
}

fn float_to_int(code: &mut Code<'_>, to: DType, x: Val) -> Val {
    let ty = element_type(to);
    match to {
        DType::I32 | DType::I64 => code.builder.ins().fcvt_to_sint_sat(ty, x),
        DType::U32 | DType::U64 => code.builder.ins().fcvt_to_uint_sat(ty, x),
        _ => {
            let wide = code.builder.ins().fcvt_to_uint_sat(types::I32, x);
            let most = code.builder.ins().iconst(types::I32, 255);
            let above = code.builder.ins().icmp(IntCC::UnsignedGreaterThan, wide, most);
            let clamped = code.builder.ins().select(above, most, wide);
            code.builder.ins().ireduce(ty, clamped)
        }
    }
}

fn int_to_float(code: &mut Code<'_>, from: DType, to: DType, x: Val) -> Val {
    let ty = element_type(to);
    match from {
        DType::I32 | DType::I64 => code.builder.ins().fcvt_from_sint(ty, x),
        DType::U64 => code.builder.ins().fcvt_from_uint(ty, x),
        // Narrower unsigned values are signed values of the next width.
        _ => {
            let wide = code.builder.ins().uextend(types::I64, x);
            code.builder.ins().fcvt_from_sint(ty, wide)
        }
    }
}

fn int_to_int(code: &mut Code<'_>, from: DType, to: DType, x: Val) -> Val {
    let ty = element_type(to);
    match from.size().cmp(&to.size()) {
        std::cmp::Ordering::Equal => x,
        std::cmp::Ordering::Greater => code.builder.ins().ireduce(ty, x),
        std::cmp::Ordering::Less if from.is_signed() => code.builder.ins().sextend(ty, x),
        std::cmp::Ordering::Less => code.builder.ins().uextend(ty, x),
    }
}

/// The bits of `x` as another element type of the same width.
pub(crate) fn bitcast(code: &mut Code<'_>, to: DType, x: Val) -> Val {
    let ty = element_type(to);
    if code.type_of(x) == ty { x } else { code.builder.ins().bitcast(ty, MemFlagsData::new(), x) }
}
