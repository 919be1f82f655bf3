//! Conversions of groups of consecutive values between element types, where the machine has them
//! for vectors; the others are done lane by lane with `cast`.

use super::cast;
use super::code::{Code, Val, vector_type};
use super::group::{Group, Registers, even_words};
use super::vector::{reinterpret, splat_literal};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_trace::{DType, Scalar};

/// Whether the conversion is one of vectors.
pub(super) fn has_cast(from: DType, to: DType) -> bool {
    use DType::{Bool, F32, F64, I32, I64, U8, U32, U64};
    match (from, to) {
        (U8, _) | (_, U8) => false,
        (F32, F64 | I32 | U32) | (F64, F32) | (I32 | U32, F32 | F64) => true,
        (F32 | F64, I64 | U64) | (F64, I32 | U32) | (I64 | U64, F32 | F64) => false,
        (I32 | U32 | I64 | U64, I32 | U32 | I64 | U64) => true,
        (Bool, _) | (_, Bool) => true,
        (F32, F32) | (F64, F64) => true,
    }
}

/// The group as another element type.
pub(super) fn cast_group(
    code: &mut Code<'_>,
    from: DType,
    to: DType,
    x: &Group,
    points: usize,
) -> Group {
    if from == to {
        return x.clone();
    }
    let fills = |d: DType| d == DType::Bool || points * d.size() % 16 == 0;
    if let Group::Uniform(x) = x {
        return Group::Uniform(cast::cast(code, from, to, *x));
    }
    if !has_cast(from, to) || points < 4 || !fills(from) || !fills(to) {
        let lanes = x.lanes(code, points);
        return Group::Lanes(lanes.into_iter().map(|x| cast::cast(code, from, to, x)).collect());
    }
    if to == DType::Bool {
        let registers = x.vectors(code, from, points);
        let zero = splat_literal(code, from, Scalar::Int(0));
        let nonzero = |&x: &Val| {
            if from.is_float() {
                code.builder.ins().fcmp(FloatCC::NotEqual, x, zero)
            } else {
                code.builder.ins().icmp(IntCC::NotEqual, x, zero)
            }
        };
        return Group::Masks(registers.iter().map(nonzero).collect(), from.size());
    }
    if from == DType::Bool {
        let one = splat_literal(code, to, Scalar::Int(1));
        let masks = x.masks(code, to.size(), points);
        let ty = vector_type(to);
        let value = |x: Val| {
            let mask = reinterpret(code, ty, x);
            code.builder.ins().band(mask, one)
        };
        return Group::Vectors(masks.into_iter().map(value).collect());
    }
    let registers = x.vectors(code, from, points);
    Group::Vectors(convert(code, from, to, &registers))
}

fn convert(code: &mut Code<'_>, from: DType, to: DType, registers: &[Val]) -> Registers {
    let ty = vector_type(to);
    let signed = from.is_signed();
    let mut out = Registers::new();
    match (from.is_float(), to.is_float()) {
        (true, true) if to == DType::F64 => {
            for &x in registers {
                out.push(code.builder.ins().fvpromote_low(x));
                let high = high_half(code, x);
                out.push(code.builder.ins().fvpromote_low(high));
            }
        }
        (true, true) => {
            for pair in registers.chunks(2) {
                let low = code.builder.ins().fvdemote(pair[0]);
                let high = pair.get(1).map_or(low, |&x| code.builder.ins().fvdemote(x));
                out.push(low_halves(code, low, high));
            }
        }
        (true, false) => {
            for &x in registers {
                out.push(if to == DType::I32 {
                    code.builder.ins().fcvt_to_sint_sat(ty, x)
                } else {
                    code.builder.ins().fcvt_to_uint_sat(ty, x)
                });
            }
        }
        (false, true) if to == DType::F32 => {
            for &x in registers {
                out.push(if signed {
                    code.builder.ins().fcvt_from_sint(ty, x)
                } else {
                    code.builder.ins().fcvt_from_uint(ty, x)
                });
            }
        }
        (false, true) => {
            // The low half widened and converted is one instruction; the high half comes low.
            for &x in registers {
                for half in [x, high_half(code, x)] {
                    out.push(if signed {
                        let wide = code.builder.ins().swiden_low(half);
                        code.builder.ins().fcvt_from_sint(ty, wide)
                    } else {
                        let wide = code.builder.ins().uwiden_low(half);
                        code.builder.ins().fcvt_from_uint(ty, wide)
                    });
                }
            }
        }
        (false, false) if from.size() == to.size() => out.extend(registers.iter().copied()),
        (false, false) if from.size() < to.size() => {
            for &x in registers {
                if signed {
                    out.push(code.builder.ins().swiden_low(x));
                    out.push(code.builder.ins().swiden_high(x));
                } else {
                    out.push(code.builder.ins().uwiden_low(x));
                    out.push(code.builder.ins().uwiden_high(x));
                }
            }
        }
        (false, false) => {
            out.extend(registers.chunks(2).map(|pair| even_words(code, ty, pair)));
        }
    }
    out
}

fn shuffled(code: &mut Code<'_>, x: Val, y: Val, mask: Vec<u8>) -> Val {
    let ty = code.type_of(x);
    let x = reinterpret(code, types::I8X16, x);
    let y = reinterpret(code, types::I8X16, y);
    let mask = code.builder.func.dfg.immediates.push(mask.into());
    let result = code.builder.ins().shuffle(x, y, mask);
    reinterpret(code, ty, result)
}

/// The high 64 bits in the place of the low ones.
fn high_half(code: &mut Code<'_>, x: Val) -> Val {
    shuffled(code, x, x, (8..16).chain(8..16).collect())
}

/// The low 64 bits of both.
fn low_halves(code: &mut Code<'_>, x: Val, y: Val) -> Val {
    shuffled(code, x, y, (0..8).chain(16..24).collect())
}
