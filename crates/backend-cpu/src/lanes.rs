//! Which elementwise ops 128-bit registers have instructions for; what is not among them is done
//! point by point. The instructions are in `emit/vector.rs`.

#![deny(clippy::wildcard_enum_match_arm)]

use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, CompareOp, DType, UnaryOp};

/// Whether lanes have the op.
pub(crate) fn has_unary(op: UnaryOp, dtype: DType) -> bool {
    let wide = dtype.size() >= 4;
    match op.instruction() {
        Some(UnaryInstruction::Neg | UnaryInstruction::Abs | UnaryInstruction::Not) => wide,
        Some(
            UnaryInstruction::Sign
            | UnaryInstruction::Floor
            | UnaryInstruction::Ceil
            | UnaryInstruction::Round
            | UnaryInstruction::Sqrt
            | UnaryInstruction::IsFinite,
        ) => wide && dtype.is_float(),
        None => false,
    }
}

/// Whether lanes have the op.
pub(crate) fn has_binary(op: BinaryOp, dtype: DType) -> bool {
    let wide = dtype.size() >= 4;
    let float = dtype.is_float();
    let Some(instruction) = op.instruction() else { return false };
    match instruction {
        BinaryInstruction::Add | BinaryInstruction::Sub | BinaryInstruction::Mul => wide,
        BinaryInstruction::Div => float,
        BinaryInstruction::Max | BinaryInstruction::Min => wide && dtype != DType::U64,
        // Truth values are masks.
        BinaryInstruction::And | BinaryInstruction::Or | BinaryInstruction::Xor => {
            wide || dtype == DType::Bool
        }
        // Only by one amount for all lanes, which is not known here.
        BinaryInstruction::Shl | BinaryInstruction::Shr => wide,
        BinaryInstruction::Rem => false,
    }
}

/// Whether lanes have the comparison; `dtype` is that of the operands.
pub(crate) fn has_compare(op: CompareOp, dtype: DType) -> bool {
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    match dtype {
        DType::U8 => false,
        DType::U64 => equality,
        DType::F32 | DType::F64 | DType::I32 | DType::I64 | DType::U32 | DType::Bool => true,
    }
}
