//! Elements of two words, the low one first, and 64-bit integers as expressions, which are such
//! pairs. What is computed with them are the functions of `kernels/wgsl/long.wgsl`, and here it is
//! said which.

use super::Uses;
use probpipe_lowering::IndexMap;
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{CompareOp, DType, ReduceOp};

/// Whether elements of a type take two words.
pub(super) fn is_wide(dtype: DType) -> bool {
    is_pair(dtype) || dtype == DType::F64
}

/// Whether values of a type are pairs of words.
pub(super) fn is_pair(dtype: DType) -> bool {
    matches!(dtype, DType::I64 | DType::U64)
}

/// Words of an element in memory.
pub(super) fn words(dtype: DType) -> usize {
    if is_wide(dtype) { 2 } else { 1 }
}

/// The WGSL type.
pub(super) const TYPE: &str = "vec2<u32>";

/// A number; what does not fit is cut off.
pub(super) fn literal(value: i128) -> String {
    format!("{TYPE}({}u, {}u)", value as u32, (value >> 32) as u32)
}

/// The least and the largest number.
pub(super) fn range(dtype: DType) -> [i128; 2] {
    match dtype {
        DType::I64 => [i128::from(i64::MIN), i128::from(i64::MAX)],
        _ => [0, i128::from(u64::MAX)],
    }
}

/// An index of words, from one of pairs that begin at `start`.
pub(super) fn doubled(map: &IndexMap, start: usize) -> IndexMap {
    let mut map = map.clone();
    map.offset = 2 * map.offset + start as i64;
    map.axes.iter_mut().for_each(|step| *step *= 2);
    map.loops.iter_mut().for_each(|(_, step)| *step *= 2);
    map
}

/// A pair that lies at two places of words.
pub(super) fn load(name: &str, at: &str) -> String {
    format!("{TYPE}({name}[{at}], {name}[{at} + 1])")
}

/// Writes a value to two places.
pub(super) fn store(name: &str, at: &str, value: &str) -> String {
    format!("{{ let pair = {value}; {name}[{at}] = pair.x; {name}[{at} + 1] = pair.y; }}")
}

/// The function of a type.
fn of_type(uses: &mut Uses, function: &str, dtype: DType, arguments: &[&str]) -> String {
    uses.call(&format!("pp_long_{function}_{dtype}"), arguments)
}

/// The combination of two partial results of a reduction.
pub(super) fn combine(op: ReduceOp, dtype: DType, a: &str, b: &str, uses: &mut Uses) -> String {
    match op {
        ReduceOp::Sum => uses.call("pp_long_add", &[a, b]),
        ReduceOp::Prod => uses.call("pp_long_mul", &[a, b]),
        ReduceOp::Max => of_type(uses, "max", dtype, &[a, b]),
        ReduceOp::Min => of_type(uses, "min", dtype, &[a, b]),
        ReduceOp::And => format!("{a} & {b}"),
        ReduceOp::Or => format!("{a} | {b}"),
    }
}

pub(super) fn unary(op: UnaryInstruction, x: &str, dtype: DType, uses: &mut Uses) -> String {
    match op {
        UnaryInstruction::Neg => uses.call("pp_long_neg", &[x]),
        UnaryInstruction::Abs if dtype == DType::I64 => uses.call("pp_long_abs", &[x]),
        UnaryInstruction::Sign => of_type(uses, "sign", dtype, &[x]),
        UnaryInstruction::Not => format!("~{x}"),
        // What is whole already; the rest is of floats only.
        UnaryInstruction::Abs
        | UnaryInstruction::Floor
        | UnaryInstruction::Ceil
        | UnaryInstruction::Round
        | UnaryInstruction::Sqrt
        | UnaryInstruction::IsFinite => x.to_string(),
    }
}

pub(super) fn binary(
    op: BinaryInstruction,
    x: &str,
    y: &str,
    dtype: DType,
    uses: &mut Uses,
) -> String {
    let both = [x, y];
    match op {
        BinaryInstruction::Add => uses.call("pp_long_add", &both),
        BinaryInstruction::Sub => uses.call("pp_long_sub", &both),
        BinaryInstruction::Mul => uses.call("pp_long_mul", &both),
        BinaryInstruction::Div => of_type(uses, "div", dtype, &both),
        BinaryInstruction::Rem => of_type(uses, "rem", dtype, &both),
        BinaryInstruction::Max => of_type(uses, "max", dtype, &both),
        BinaryInstruction::Min => of_type(uses, "min", dtype, &both),
        BinaryInstruction::And => format!("{x} & {y}"),
        BinaryInstruction::Or => format!("{x} | {y}"),
        BinaryInstruction::Xor => format!("{x} ^ {y}"),
        BinaryInstruction::Shl => uses.call("pp_long_shift_left", &both),
        BinaryInstruction::Shr => of_type(uses, "shift_right", dtype, &both),
    }
}

pub(super) fn compare(op: CompareOp, x: &str, y: &str, dtype: DType, uses: &mut Uses) -> String {
    match op {
        CompareOp::Eq => format!("all({x} == {y})"),
        CompareOp::Ne => format!("any({x} != {y})"),
        CompareOp::Lt => of_type(uses, "less", dtype, &[x, y]),
        CompareOp::Gt => of_type(uses, "less", dtype, &[y, x]),
        CompareOp::Le => format!("!{}", of_type(uses, "less", dtype, &[y, x])),
        CompareOp::Ge => format!("!{}", of_type(uses, "less", dtype, &[x, y])),
    }
}

/// A conversion from or to two words.
pub(super) fn convert(x: &str, from: DType, to: DType, uses: &mut Uses) -> String {
    match (from, to) {
        (DType::I64 | DType::U64, DType::I64 | DType::U64) => x.to_string(),
        (DType::I64 | DType::U64, DType::Bool) => format!("any({x} != {})", literal(0)),
        (DType::I64, DType::F32) => uses.call("pp_long_i64_to_f32", &[x]),
        (DType::U64, DType::F32) => uses.call("pp_long_u64_to_f32", &[x]),
        (DType::I64 | DType::U64, DType::U8) => format!("{x}.x & 0xffu"),
        (DType::I64 | DType::U64, DType::I32) => format!("bitcast<i32>({x}.x)"),
        (DType::I64 | DType::U64, _) => format!("{x}.x"),
        (DType::Bool, _) => format!("select({}, {}, {x})", literal(0), literal(1)),
        (DType::F32, _) => uses.call(&format!("pp_long_f32_to_{to}"), &[x]),
        (DType::I32, _) => uses.call("pp_long_of_i32", &[x]),
        _ => format!("{TYPE}({x}, 0u)"),
    }
}
