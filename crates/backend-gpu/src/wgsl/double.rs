//! Double precision as expressions, on adapters that have it: values of WGSL's `f64`, which in
//! memory are pairs of words, the low one first. What is computed with them beyond sums, products
//! and quotients are functions of `kernels/wgsl/f64.wgsl`.

use super::Uses;
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{DType, ReduceOp};

/// A literal. Infinities, NaN and what is tiny or huge go by their bits.
pub(super) fn literal(v: f64) -> String {
    let a = v.abs();
    if v.to_bits() == 0 || (1e-5..1e9).contains(&a) {
        format!("{v:?}lf")
    } else {
        format!("bitcast<f64>(0x{:x}lu)", v.to_bits())
    }
}

/// A number that shader compilers do not see.
pub(super) fn unseen(bits: u64) -> String {
    format!("bitcast<f64>(0x{bits:x}lu ^ u64(pp_zero))")
}

/// A value that shader compilers do not know to be this one, so that nothing cancels with it.
pub(super) fn apart(x: &str, uses: &mut Uses) -> String {
    uses.call("pp_apart_f64", &[x])
}

/// The number of two words.
pub(super) fn of_words(words: &str, uses: &mut Uses) -> String {
    uses.call("pp_of_words_f64", &[words])
}

/// Its two words.
pub(super) fn words(x: &str, uses: &mut Uses) -> String {
    uses.call("pp_words_f64", &[x])
}

/// The combination of two partial results of a reduction.
pub(super) fn combine(op: ReduceOp, a: &str, b: &str, uses: &mut Uses) -> String {
    match op {
        ReduceOp::Sum => format!("{a} + {b}"),
        ReduceOp::Prod => format!("{a} * {b}"),
        ReduceOp::Max => uses.call("pp_max_f64", &[a, b]),
        ReduceOp::Min => uses.call("pp_min_f64", &[a, b]),
        // Of integers and booleans only.
        ReduceOp::And | ReduceOp::Or => a.to_string(),
    }
}

pub(super) fn unary(op: UnaryInstruction, x: &str, uses: &mut Uses) -> String {
    let function = match op {
        UnaryInstruction::Neg => "pp_neg_f64",
        UnaryInstruction::Abs => "pp_abs_f64",
        UnaryInstruction::Sign => "pp_sign_f64",
        UnaryInstruction::Floor => "pp_floor_f64",
        UnaryInstruction::Ceil => "pp_ceil_f64",
        UnaryInstruction::Round => "pp_round_even_f64",
        UnaryInstruction::Sqrt => "pp_sqrt_f64",
        UnaryInstruction::IsFinite => "pp_is_finite_f64",
        // Of integers and booleans only.
        UnaryInstruction::Not => return x.to_string(),
    };
    uses.call(function, &[x])
}

pub(super) fn binary(op: BinaryInstruction, x: &str, y: &str, uses: &mut Uses) -> String {
    match op {
        BinaryInstruction::Add => format!("{x} + {y}"),
        BinaryInstruction::Sub => format!("{x} - {y}"),
        BinaryInstruction::Mul => format!("{x} * {y}"),
        BinaryInstruction::Div => format!("{x} / {y}"),
        BinaryInstruction::Rem => uses.call("pp_rem_f64", &[x, y]),
        BinaryInstruction::Max => uses.call("pp_max_f64", &[x, y]),
        BinaryInstruction::Min => uses.call("pp_min_f64", &[x, y]),
        // Of integers and booleans only.
        BinaryInstruction::And
        | BinaryInstruction::Or
        | BinaryInstruction::Xor
        | BinaryInstruction::Shl
        | BinaryInstruction::Shr => x.to_string(),
    }
}

/// A conversion from double precision, or to it.
pub(super) fn convert(x: &str, from: DType, to: DType, uses: &mut Uses) -> String {
    match (from, to) {
        (DType::F64, DType::Bool) => format!("!{}", uses.call("pp_is_zero_f64", &[x])),
        (DType::F64, DType::U8) => format!("min({}, 255u)", uses.call("pp_f64_to_u32", &[x])),
        (DType::F64, DType::I64 | DType::U64) => uses.call(&format!("pp_long_f64_to_{to}"), &[x]),
        (DType::F64, _) => uses.call(&format!("pp_f64_to_{to}"), &[x]),
        (DType::Bool, _) => format!("select(0.0lf, 1.0lf, {x})"),
        (DType::I64 | DType::U64, _) => uses.call(&format!("pp_long_{from}_to_f64"), &[x]),
        (DType::F32, _) => uses.call("pp_f32_to_f64", &[x]),
        _ => format!("f64({x})"),
    }
}
