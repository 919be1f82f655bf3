//! Sums and counts by segment: functions of scatters.

use super::sort::zeros_of;
use super::{Array, ones_like};
use crate::op::{Op, ScatterOp};
use crate::tracing::bind1;
use crate::{DType, Shape};

/// The sums of the entries of `data` that share a segment: entry `i` along the leading axis goes to
/// segment `segments[i]`, and nowhere if that is not in `0..count`.
#[track_caller]
pub fn segment_sum(data: &Array, segments: &Array, count: usize) -> Array {
    if data.error().is_some() {
        return data.clone();
    }
    let mut shape = Shape::from_slice(data.shape());
    match shape.first_mut() {
        Some(n) => *n = count,
        None => return data.sum_axes([0]),
    }
    let zeros = zeros_of(data.dtype(), &shape);
    // Wider types keep what is out of range out of range.
    let top = i32::try_from(count).unwrap_or(i32::MAX);
    let segments = match segments.dtype() {
        DType::I64 => segments.clip(-1i64, i64::from(top)).cast(DType::I32),
        DType::U32 | DType::U64 => segments.minimum(top).cast(DType::I32),
        DType::U8 => segments.cast(DType::I32),
        DType::I32 | DType::F32 | DType::F64 | DType::Bool => segments.clone(),
    };
    bind1(Op::Scatter { op: ScatterOp::Add, batch: 0 }, &[&zeros, &segments, data])
}

/// How often each number of `0..count` appears, as `i32`; other numbers are not counted.
#[track_caller]
pub fn bincount(x: &Array, count: usize) -> Array {
    let x = x.flatten();
    segment_sum(&ones_like(&x).cast(DType::I32), &x, count)
}
