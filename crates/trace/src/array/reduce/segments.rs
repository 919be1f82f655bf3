//! Sums, counts and other reductions by segment: functions of scatters.

use crate::array::each::in_each;
use crate::array::make::fill::{full_typed, ones_like};
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::op::indexing::ScatterOp;
use crate::tracing::bind1;
use crate::types::{ArrayType, Shape};

macro_rules! segment_reductions {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(data: &Array, segments: &Array, count: usize) -> Array {
            by_segment(ScatterOp::$op, data, segments, count)
        }
    )*};
}

segment_reductions! {
    /// The sums of the entries of `data` that share a segment: entry `i` along the leading axis
    /// goes to segment `segments[i]`, and nowhere if that is not in `0..count`.
    ///
    /// ```
    /// use probpipe_trace::{array, segment_max, segment_sum};
    /// let (x, s) = (array([1.0, 2.0, 4.0]), array([0, 1, 0]));
    /// assert_eq!(segment_sum(&x, &s, 2).to_vec::<f32>()?, [5.0, 2.0]);
    /// assert_eq!(segment_max(&x, &s, 3).to_vec::<f32>()?, [4.0, 2.0, f32::NEG_INFINITY]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    segment_sum Add;
    /// The products of the entries that share a segment, 1 of none; see [`segment_sum`].
    segment_prod Mul;
    /// The largest of the entries that share a segment; of none, minus infinity or the least
    /// integer. See [`segment_sum`].
    segment_max Max;
    /// The smallest of the entries that share a segment; of none, infinity or the largest
    /// integer. See [`segment_sum`].
    segment_min Min;
}

#[track_caller]
fn by_segment(op: ScatterOp, data: &Array, segments: &Array, count: usize) -> Array {
    if data.error().is_some() {
        return data.clone();
    }
    in_each(&[data], |data| combined(op, &data[0], segments, count))
}

#[track_caller]
fn combined(op: ScatterOp, data: &Array, segments: &Array, count: usize) -> Array {
    let mut shape = Shape::from_slice(data.shape());
    match shape.first_mut() {
        Some(n) => *n = count,
        None => {
            let message = format!("segments are made of the leading axis, and {data} has none");
            let error = Error::new(ErrorKind::Shape, message).help("give a vector at least");
            return Array::invalid(error, here());
        }
    }
    let none = full_typed(&ArrayType::new(data.dtype(), &shape), identity(op, data.dtype()));
    // Wider types keep what is out of range out of range.
    let top = i32::try_from(count).unwrap_or(i32::MAX);
    let segments = match segments.dtype() {
        DType::I64 => segments.clip(-1i64, i64::from(top)).cast(DType::I32),
        DType::U32 | DType::U64 => segments.minimum(top).cast(DType::I32),
        DType::U8 => segments.cast(DType::I32),
        DType::I32 | DType::F32 | DType::F64 | DType::Bool => segments.clone(),
    };
    bind1(Op::Scatter { op, batch: 0 }, &[&none, &segments, data])
}

/// What the reduction of nothing gives.
fn identity(op: ScatterOp, dtype: DType) -> Scalar {
    let (least, most) = match dtype {
        DType::F32 | DType::F64 => (Scalar::Float(f64::NEG_INFINITY), Scalar::Float(f64::INFINITY)),
        DType::I32 => (Scalar::from(i32::MIN), Scalar::from(i32::MAX)),
        DType::I64 => (Scalar::from(i64::MIN), Scalar::from(i64::MAX)),
        DType::U8 => (Scalar::Int(0), Scalar::Int(u8::MAX.into())),
        DType::U32 => (Scalar::Int(0), Scalar::from(u32::MAX)),
        DType::U64 => (Scalar::Int(0), Scalar::from(u64::MAX)),
        DType::Bool => (Scalar::Bool(false), Scalar::Bool(true)),
    };
    match op {
        ScatterOp::Set | ScatterOp::Add => Scalar::Int(0),
        ScatterOp::Mul => Scalar::Int(1),
        ScatterOp::Min => most,
        ScatterOp::Max => least,
    }
}

/// How often each number of `0..count` appears, as `i32`; other numbers are not counted.
#[track_caller]
pub fn bincount(x: &Array, count: usize) -> Array {
    let x = x.flatten();
    segment_sum(&ones_like(&x).cast(DType::I32), &x, count)
}
