//! What reductions are made of: the op that combines two elements, and the value of none.

use probpipe_trace::{BinaryOp, DType, ReduceOp, Scalar};

/// The elementwise op that combines two elements.
pub(crate) fn combining(op: ReduceOp) -> BinaryOp {
    match op {
        ReduceOp::Sum => BinaryOp::Add,
        ReduceOp::Prod => BinaryOp::Mul,
        ReduceOp::Max => BinaryOp::Max,
        ReduceOp::Min => BinaryOp::Min,
        ReduceOp::And => BinaryOp::And,
        ReduceOp::Or => BinaryOp::Or,
    }
}

/// The value of an empty reduction.
pub(crate) fn identity(op: ReduceOp, dtype: DType) -> Scalar {
    let range = match dtype {
        DType::F32 | DType::F64 => None,
        DType::I32 => Some((i128::from(i32::MIN), i128::from(i32::MAX))),
        DType::I64 => Some((i128::from(i64::MIN), i128::from(i64::MAX))),
        DType::U8 => Some((0, i128::from(u8::MAX))),
        DType::U32 => Some((0, i128::from(u32::MAX))),
        DType::U64 => Some((0, i128::from(u64::MAX))),
        DType::Bool => Some((0, 1)),
    };
    match (op, range) {
        (ReduceOp::Sum, _) => Scalar::Int(0),
        (ReduceOp::Prod, _) => Scalar::Int(1),
        (ReduceOp::And, _) => Scalar::Bool(true),
        (ReduceOp::Or, _) => Scalar::Bool(false),
        (ReduceOp::Max, None) => Scalar::Float(f64::NEG_INFINITY),
        (ReduceOp::Min, None) => Scalar::Float(f64::INFINITY),
        (ReduceOp::Max, Some((least, _))) => Scalar::Int(least),
        (ReduceOp::Min, Some((_, largest))) => Scalar::Int(largest),
    }
}
